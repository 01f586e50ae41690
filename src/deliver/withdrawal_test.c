/* Promise P3: after a withdrawal was answered, nothing of hers starts on its way. */
#include "deliver/house.h"
#include "base/clock.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum {
    HOOK_ONLY = 1 << SLOT_SECOND | 1 << SLOT_THIRD,
    THIRD_ONLY = 1 << SLOT_HOOK | 1 << SLOT_SECOND
};

static struct house *open_with_both(struct house_options o)
{
    struct house *h = house_new(o);
    house_say(h, "anna", "mail", true);
    house_say(h, "ben", "mail", true);
    return h;
}

/* Two events of Anna's with one of Ben's between them. */
static int64_t add_both(struct house *h)
{
    const struct house_event event[] = {
        { .device = "anna", .denied = HOOK_ONLY, .name = "first" },
        { .device = "ben", .denied = HOOK_ONLY },
        { .device = "anna", .denied = HOOK_ONLY, .name = "second" },
    };
    return house_add(h, event, COUNT(event));
}

static struct event_delivery fate(struct house *h, int64_t segment, uint32_t index)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct event_delivery d = house_fate(h, SLOT_HOOK, segment, index, &a);
    d.fields = d.error = (struct str){ 0 };
    return d;
}

static bool dropped(struct house *h, int64_t segment, uint32_t index, enum reason reason)
{
    struct event_delivery d = fate(h, segment, index);
    return d.result == DELIVERY_DROPPED && d.reason == reason;
}

static bool fate_is(struct house *h, int64_t segment, uint32_t index, enum delivery_result result)
{
    return fate(h, segment, index).result == result;
}

static void assert_nothing_pending(struct house *h)
{
    for (int s = PENDING_SENDING; s <= PENDING_DEAD; s++)
        assert_int_equal(house_pending(h, SLOT_HOOK, (enum pending_state)s), 0);
}

static void queued_events_are_dropped_with_their_reason(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ .wait_ms = 200 });
    h->watched = true;
    house_start(h);
    int64_t segment = add_both(h);
    house_idle(h, 20);
    (void)house_withdraw(h, "anna", "mail");
    assert_int_equal(receiver_count(h->receiver), 0);
    house_until(h, fate_is(h, segment, 1, DELIVERY_SENT));
    house_until(h, dropped(h, segment, 0, REASON_WITHDRAWN) &&
                       dropped(h, segment, 2, REASON_WITHDRAWN));
    assert_int_equal(receiver_count(h->receiver), 1);
    assert_int_equal(house_arrived(h, segment, 0) + house_arrived(h, segment, 2), 0);
    assert_int_equal(house_arrived(h, segment, 1), 1);
    house_stop(h);
    assert_int_equal(h->sights[DELIVERY_DROPPED], 2);
    assert_int_equal(h->sights[DELIVERY_SENT], 1);
    assert_nothing_pending(h);
    house_free(&h);
}

/* ---- between `sending` on disk and the first byte ---- */

static void withdraw_anna(struct house *h)
{
    house_say(h, "anna", "mail", false);
}

static void request_is_made_anew_without_her(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ 0 });
    house_start(h);
    h->before_done = withdraw_anna;
    int64_t segment = add_both(h);
    house_until(h, fate_is(h, segment, 1, DELIVERY_SENT));
    assert_int_equal(receiver_count(h->receiver), 1);
    assert_int_equal(house_arrived(h, segment, 0) + house_arrived(h, segment, 2), 0);
    assert_int_equal(house_arrived(h, segment, 1), 1);
    assert_true(dropped(h, segment, 0, REASON_WITHDRAWN) &&
                dropped(h, segment, 2, REASON_WITHDRAWN));
    assert_int_equal(fate(h, segment, 1).attempts, 1);
    assert_nothing_pending(h);
    house_free(&h);
}

static void nothing_touches_the_wire_when_nobody_is_left(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ 0 });
    house_start(h);
    h->before_done = withdraw_anna;
    int64_t segment = house_add_n(h, "anna", 3);
    house_until(h, dropped(h, segment, 0, REASON_WITHDRAWN) &&
                       dropped(h, segment, 2, REASON_WITHDRAWN));
    house_idle(h, 50);
    assert_int_equal(receiver_connections(h->receiver), 1); /* connected, and not a byte */
    assert_int_equal(receiver_count(h->receiver), 0);
    assert_nothing_pending(h);
    house_free(&h);
}

static void same_request_goes_under_a_new_policy(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ 0 });
    house_start(h);
    h->before_done = house_reload;
    int64_t segment = add_both(h);
    house_until(h, fate_is(h, segment, 2, DELIVERY_SENT));
    assert_int_equal(receiver_count(h->receiver), 1);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(house_arrived(h, segment, i), 1);
    assert_int_equal(fate(h, segment, 0).attempts, 1);
    assert_nothing_pending(h);
    house_free(&h);
}

static void reload_again_and_again_delays_and_loses_nothing(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ .events = 3 });
    house_start(h);
    int64_t segment[30];
    for (size_t i = 0; i < COUNT(segment); i++) {
        segment[i] = add_both(h);
        h->before_done = house_reload;
        house_turn(h, 1);
    }
    for (size_t i = 0; i < COUNT(segment); i++)
        for (uint32_t k = 0; k < 3; k++) {
            house_until(h, fate_is(h, segment[i], k, DELIVERY_SENT));
            assert_int_equal(house_arrived(h, segment[i], k), 1);
        }
    house_stop(h);
    assert_nothing_pending(h);
    house_free(&h);
}

static void deny_destination(struct house *h)
{
    for (uint32_t i = 0; i < h->policy.policy->use_count; i++)
        if (h->policy.policy->use[i].slot == SLOT_HOOK)
            assert_true(h->policy.policy->use_of_slot[SLOT_HOOK] == (int16_t)i);
    house_say(h, "anna", "mail", false);
    house_say(h, "ben", "mail", false);
}

static void withdrawals_of_everybody_leave_an_empty_request(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ 0 });
    house_start(h);
    h->before_done = deny_destination;
    int64_t segment = add_both(h);
    house_until(h, dropped(h, segment, 1, REASON_WITHDRAWN));
    house_until(h, dropped(h, segment, 2, REASON_WITHDRAWN));
    house_stop(h);
    assert_int_equal(receiver_count(h->receiver), 0);
    assert_nothing_pending(h);
    house_free(&h);
}

static void repetition_goes_without_her_under_another_id(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ .backoff_ms = 300 });
    receiver_next(h->receiver, RECEIVE_500, 1);
    house_start(h);
    int64_t segment = add_both(h);
    house_until(h, house_pending(h, SLOT_HOOK, PENDING_RETRY) == 1);
    (void)house_withdraw(h, "anna", "mail");
    house_until(h, fate_is(h, segment, 1, DELIVERY_SENT));
    assert_int_equal(receiver_count(h->receiver), 2);
    const struct received *first = receiver_get(h->receiver, 0),
                          *again = receiver_get(h->receiver, 1);
    assert_string_not_equal(first->id, again->id);
    assert_int_equal(house_arrived(h, segment, 0), 1); /* it was there, and was refused then */
    assert_int_equal(house_arrived(h, segment, 1), 2);
    assert_true(dropped(h, segment, 0, REASON_WITHDRAWN));
    assert_int_equal(fate(h, segment, 1).attempts, 2);
    assert_nothing_pending(h);
    house_free(&h);
}

static void what_may_have_arrived_is_not_called_dropped(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ .backoff_ms = 300 });
    receiver_next(h->receiver, RECEIVE_CLOSE, 1);
    receiver_next(h->receiver, RECEIVE_500, 1); /* what came before stays true */
    house_start(h);
    int64_t segment = add_both(h);
    house_until(h, receiver_count(h->receiver) == 2);
    house_until(h, house_pending(h, SLOT_HOOK, PENDING_RETRY) == 1);
    (void)house_withdraw(h, "anna", "mail");
    house_until(h, fate_is(h, segment, 1, DELIVERY_SENT));
    assert_true(fate_is(h, segment, 0, DELIVERY_UNCERTAIN));
    assert_true(fate_is(h, segment, 2, DELIVERY_UNCERTAIN));
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct sent_found *sent;
    uint32_t count;
    uint64_t total;
    assert_int_equal(
        store_list_sent(store_own_reader(h->store), STR("anna"), 10, &a, &sent, &count, &total),
        OK);
    assert_int_equal(total, 2);
    assert_int_equal(sent[0].result, DELIVERY_UNCERTAIN);
    assert_string_equal(sent[0].fields.p, "anonymousId,event,properties.second");
    assert_string_equal(sent[1].fields.p, "anonymousId,event,properties.first");
    assert_string_equal(house_fate(h, SLOT_HOOK, segment, 1, &a).fields.p, "anonymousId,event");
    house_free(&h);
}

/* ---- while it is on its way ---- */

static void what_was_sent_is_listed_when_the_barrier_passes(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ 0 });
    receiver_next(h->receiver, RECEIVE_NEVER, 1);
    house_start(h);
    int64_t segment = add_both(h);
    house_until(h, receiver_waiting(h->receiver) == 1);
    house_say(h, "anna", "mail", false);
    /* two people are in it: it is waited for, not cut, longer than the limit of others */
    h->barriers_older_ms = LIMIT_BARRIER_MS;
    assert_false(house_barrier(h, "anna", 300));
    receiver_release(h->receiver);
    assert_true(house_barrier(h, "anna", 5000));
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct sent_found *sent;
    uint32_t count;
    uint64_t total;
    assert_int_equal(
        store_list_sent(store_own_reader(h->store), STR("anna"), 10, &a, &sent, &count, &total),
        OK);
    assert_int_equal(total, 2);
    assert_int_equal(sent[0].result, DELIVERY_SENT);
    assert_true(fate_is(h, segment, 1, DELIVERY_SENT));
    assert_int_equal(house_numbers(h, SLOT_HOOK).cut, 0);
    house_free(&h);
}

static void request_of_hers_alone_is_reset_after_two_seconds(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ 0 });
    receiver_next(h->receiver, RECEIVE_NEVER, 1);
    house_start(h);
    int64_t segment = house_add_n(h, "anna", 2);
    house_until(h, receiver_waiting(h->receiver) == 1);
    house_say(h, "anna", "mail", false);
    int64_t begun = clock_mono_ms();
    assert_true(house_barrier(h, "anna", 5000));
    int64_t waited = clock_mono_ms() - begun;
    assert_true(waited >= LIMIT_BARRIER_MS && waited < LIMIT_BARRIER_MS + 1500);
    assert_true(fate_is(h, segment, 0, DELIVERY_UNCERTAIN)); /* by then it is on record */
    receiver_release(h->receiver);
    house_until(h, receiver_resets(h->receiver) == 1);
    assert_int_equal(house_numbers(h, SLOT_HOOK).cut, 1);
    assert_int_equal(house_numbers(h, SLOT_HOOK).uncertain, 2);
    int64_t next = add_both(h); /* others go on; hers are dropped */
    house_until(h, fate_is(h, next, 1, DELIVERY_SENT));
    assert_true(dropped(h, next, 0, REASON_WITHDRAWN));
    assert_int_equal(house_arrived(h, segment, 0), 1); /* never repeated, though others would be */
    assert_nothing_pending(h);
    house_free(&h);
}

static void what_the_kernel_holds_of_a_cut_request_does_not_leave(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ .events = 500 });
    receiver_next(h->receiver, RECEIVE_DEAF, 1);
    house_start(h);
    struct house_event event[20];
    for (size_t i = 0; i < COUNT(event); i++)
        event[i] = (struct house_event){ .device = "anna", .denied = HOOK_ONLY, .size = 30000 };
    int64_t segment = house_add(h, event, COUNT(event));
    house_until(h, receiver_waiting(h->receiver) == 1);
    house_say(h, "anna", "mail", false);
    h->barriers_older_ms = LIMIT_BARRIER_MS;
    assert_true(house_barrier(h, "anna", 5000));
    receiver_release(h->receiver);
    house_until(h, receiver_count(h->receiver) == 1);
    const struct received *got = receiver_get(h->receiver, 0);
    assert_true(got->promised > 600000);
    assert_false(got->complete);
    assert_true(got->body.n < got->promised);
    assert_true(fate_is(h, segment, 19, DELIVERY_UNCERTAIN));
    house_free(&h);
}

static void early_answer_leaves_nothing_in_the_kernel(void **state)
{
    (void)state;
    struct house *h = open_with_both((struct house_options){ .events = 500 });
    receiver_next(h->receiver, RECEIVE_200_EARLY, 1);
    house_start(h);
    struct house_event event[20];
    for (size_t i = 0; i < COUNT(event); i++)
        event[i] = (struct house_event){ .device = "anna", .denied = HOOK_ONLY, .size = 30000 };
    (void)house_add(h, event, COUNT(event));
    house_until(h, receiver_waiting(h->receiver) == 1);
    house_until(h, house_pending(h, SLOT_HOOK, PENDING_SENDING) == 0);
    (void)house_withdraw(h, "anna", "mail");
    receiver_release(h->receiver);
    house_until(h, receiver_count(h->receiver) >= 1);
    assert_false(receiver_get(h->receiver, 0)->complete);
    house_idle(h, 50);
    assert_int_equal(receiver_count(h->receiver), 1);
    house_free(&h);
}

static void timed_out_request_leaves_nothing_in_the_kernel(void **state)
{
    (void)state;
    struct house *h =
        open_with_both((struct house_options){ .events = 500, .hold = true, .send_ms = 600 });
    receiver_next(h->receiver, RECEIVE_DEAF, 1);
    house_start(h);
    struct house_event event[20];
    for (size_t i = 0; i < COUNT(event); i++)
        event[i] = (struct house_event){ .device = "anna", .denied = HOOK_ONLY, .size = 30000 };
    int64_t segment = house_add(h, event, COUNT(event));
    house_until(h, receiver_waiting(h->receiver) == 1);
    house_until(h, house_numbers(h, SLOT_HOOK).uncertain == COUNT(event));
    assert_true(fate_is(h, segment, 0, DELIVERY_UNCERTAIN));
    receiver_release(h->receiver);
    house_until(h, receiver_count(h->receiver) == 1);
    assert_false(receiver_get(h->receiver, 0)->complete);
    house_free(&h);
}

/* ---- people on devices ---- */

static void withdrawal_of_either_stops_what_is_about_both(void **state)
{
    (void)state;
    static const struct {
        const char *who;
        bool arrives;
    } rows[] = { { "carla", false }, { "tablet", false }, { "dora", true } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct house *h = house_new((struct house_options){ .wait_ms = 100 });
        house_say(h, "carla", "post", true);
        house_say(h, "dora", "post", true);
        house_say(h, "tablet", "post", true);
        house_start(h);
        const struct house_event both = { .device = "tablet",
                                          .person = "carla",
                                          .denied = THIRD_ONLY };
        int64_t segment = house_add(h, &both, 1);
        (void)house_withdraw(h, rows[i].who, "post");
        house_until(h,
                    house_numbers(h, SLOT_THIRD).sent + house_numbers(h, SLOT_THIRD).dropped == 1);
        assert_int_equal(house_numbers(h, SLOT_THIRD).sent, rows[i].arrives);
        assert_int_equal(house_arrived(h, segment, 0), rows[i].arrives);
        house_free(&h);
    }
}

/* ---- under load ---- */

enum { WITHDRAWALS = 2000, PEOPLE = 40 };

static bool names(const struct received *got, const char *subject)
{
    char text[64];
    int n = snprintf(text, sizeof text, "\"anonymousId\":\"%s\"", subject);
    return memmem(got->body.p, got->body.n, text, (size_t)n) != NULL;
}

/* Everything of hers that the receiver has read was read before the barrier passed. */
static void assert_none_after(struct house *h, uint32_t *from, const char *subject, uint64_t passed)
{
    uint32_t n = receiver_count(h->receiver);
    for (uint32_t i = *from; i < n; i++) {
        const struct received *got = receiver_get(h->receiver, i);
        if (names(got, subject) && got->whole > passed)
            fail_msg("something of %s's came after her withdrawal", subject);
    }
}

static void nothing_arrives_after_a_barrier_passed_while_events_flow(void **state)
{
    (void)state;
    struct house *h = house_new((struct house_options){ .events = 7 });
    receiver_set(h->receiver, RECEIVE_200_SLOWLY);
    char name[PEOPLE][8];
    uint64_t withdrawn[PEOPLE] = { 0 };
    for (int i = 0; i < PEOPLE; i++) {
        (void)snprintf(name[i], sizeof name[i], "p%02d", i);
        house_say(h, name[i], "mail", true);
    }
    house_start(h);
    uint32_t looked = 0;
    for (int i = 0; i < WITHDRAWALS; i++) {
        struct house_event event[12];
        for (size_t k = 0; k < COUNT(event); k++)
            event[k] = (struct house_event){ .device = name[(i * 5 + (int)k * 3) % PEOPLE],
                                             .denied = HOOK_ONLY };
        (void)house_add(h, event, COUNT(event));
        for (int turn = i % 4; turn > 0; turn--)
            house_turn(h, 1);
        int who = i * 7 % PEOPLE;
        uint64_t passed = house_withdraw(h, name[who], "mail");
        withdrawn[who] = passed;
        if (i % 8 == 0) { /* let some come in, then look at each who is out */
            house_turn(h, 1);
            for (int k = 0; k < PEOPLE; k++)
                if (withdrawn[k] != 0)
                    assert_none_after(h, &looked, name[k], withdrawn[k]);
            looked = receiver_count(h->receiver);
        }
        if (i % 2 == 1) { /* she agrees again: what is captured from now on may go */
            int back = (i - 1) * 7 % PEOPLE;
            for (int k = 0; k < PEOPLE; k++)
                if (withdrawn[k] != 0)
                    assert_none_after(h, &looked, name[k], withdrawn[k]);
            withdrawn[back] = 0;
            house_say(h, name[back], "mail", true);
        }
    }
    assert_true(house_numbers(h, SLOT_HOOK).sent > WITHDRAWALS);
    assert_true(house_numbers(h, SLOT_HOOK).dropped > WITHDRAWALS / 10);
    house_stop(h);
    for (int k = 0; k < PEOPLE; k++)
        if (withdrawn[k] != 0)
            assert_none_after(h, &looked, name[k], withdrawn[k]);
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_SENDING), 0);
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_DEAD), 0);
    house_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queued_events_are_dropped_with_their_reason),
        cmocka_unit_test(request_is_made_anew_without_her),
        cmocka_unit_test(nothing_touches_the_wire_when_nobody_is_left),
        cmocka_unit_test(same_request_goes_under_a_new_policy),
        cmocka_unit_test(reload_again_and_again_delays_and_loses_nothing),
        cmocka_unit_test(withdrawals_of_everybody_leave_an_empty_request),
        cmocka_unit_test(repetition_goes_without_her_under_another_id),
        cmocka_unit_test(what_may_have_arrived_is_not_called_dropped),
        cmocka_unit_test(what_was_sent_is_listed_when_the_barrier_passes),
        cmocka_unit_test(request_of_hers_alone_is_reset_after_two_seconds),
        cmocka_unit_test(what_the_kernel_holds_of_a_cut_request_does_not_leave),
        cmocka_unit_test(early_answer_leaves_nothing_in_the_kernel),
        cmocka_unit_test(timed_out_request_leaves_nothing_in_the_kernel),
        cmocka_unit_test(withdrawal_of_either_stops_what_is_about_both),
        cmocka_unit_test(nothing_arrives_after_a_barrier_passed_while_events_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
