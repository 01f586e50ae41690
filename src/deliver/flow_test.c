/* What one destination gets, when, and in which order. */
#include "deliver/house.h"
#include "base/clock.h"
#include "codec/json.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NOT_SECOND_THIRD = 1 << SLOT_SECOND | 1 << SLOT_THIRD };

static int64_t add_one(struct house *h, const char *device)
{
    return house_add_n(h, device, 1);
}

/* ---- order ---- */

enum { PEOPLE = 60 };

struct seen {        /* of one person: the latest request with her */
    struct id first; /* her first event in it */
    uint64_t answered;
};

static uint32_t guest_number(struct str device)
{
    for (uint32_t i = 0; i < PEOPLE; i++)
        if (str_eq(device, str_of(house_guest(i))))
            return i;
    fail_msg("who is this?");
    return 0;
}

/* Her events in this request come after those in any earlier one (or are the same again), and that one was
 * answered before. */
static void check_request(struct house *h, const struct received *q, struct seen *seen)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc doc;
    bool met[PEOPLE] = { false };
    assert_int_equal(json_scan(q->body, &a, &doc, NULL), OK);
    uint32_t batch = json_get(&doc, JSON_ROOT, STR("batch"));
    for (uint32_t e = json_first(&doc, batch); e != 0; e = json_next(&doc, batch, e)) {
        struct str text, device;
        struct id id;
        assert_true(json_string(&doc, json_get(&doc, e, STR("id")), &a, &text));
        assert_true(id_parse(text, &id));
        uint32_t event = json_get(&doc, e, STR("event"));
        assert_true(json_string(&doc, json_get(&doc, event, STR("anonymousId")), &a, &device));
        uint32_t who = guest_number(device);
        if (met[who])
            continue;
        met[who] = true;
        struct seen *s = &seen[who];
        if (memcmp(&s->first, &id, sizeof id) > 0)
            fail_msg("%s was overtaken", house_guest(who));
        if (s->answered >= q->begun)
            fail_msg("%s was on the way twice", house_guest(who));
        s->first = id;
        s->answered = receiver_answered(h->receiver, q);
    }
}

static void nobody_is_overtaken_nor_on_the_way_twice_whatever_fails(void **state)
{
    (void)state;
    static const enum receive bad[] = { RECEIVE_500,   RECEIVE_503,    RECEIVE_CLOSE,
                                        RECEIVE_RESET, RECEIVE_301,    RECEIVE_200_SLOWLY,
                                        RECEIVE_200,   RECEIVE_GARBAGE };
    struct house *h = house_new((struct house_options){ .events = 5, .at_once = 8 });
    house_invite(h, PEOPLE);
    receiver_set(h->receiver, RECEIVE_200_SLOWLY);
    unsigned seed = 11;
    enum { SEGMENTS = 50, EACH = 15, BEFORE = 10 };
    for (int i = 0; i < SEGMENTS; i++) {
        if (i == BEFORE) {
            house_start(h);
            house_until(h, receiver_most_at_once(h->receiver) > 1);
        }
        struct house_event event[EACH];
        for (int k = 0; k < EACH; k++)
            event[k] =
                (struct house_event){ .device = house_guest((unsigned)rand_r(&seed) % PEOPLE),
                                      .denied = NOT_SECOND_THIRD };
        (void)house_add(h, event, EACH);
        if (i > BEFORE && i % 3 == 0)
            receiver_next(h->receiver, bad[(unsigned)rand_r(&seed) % COUNT(bad)], 1);
        if (i > BEFORE)
            house_idle(h, rand_r(&seed) % 10);
    }
    house_until(h, house_numbers(h, SLOT_HOOK).sent == SEGMENTS * EACH);
    house_stop(h);
    struct seen seen[PEOPLE] = { 0 };
    uint32_t n = receiver_count(h->receiver);
    const struct received **by_begin = must_alloc(n * sizeof(void *));
    for (uint32_t i = 0; i < n; i++) {
        const struct received *q = receiver_get(h->receiver, i);
        uint32_t at = i;
        for (; at > 0 && by_begin[at - 1]->begun > q->begun; at--)
            by_begin[at] = by_begin[at - 1];
        by_begin[at] = q;
    }
    for (uint32_t i = 0; i < n; i++)
        if (by_begin[i]->complete)
            check_request(h, by_begin[i], seen);
    free(by_begin);
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_RETRY), 0);
    house_free(&h);
}

/* The same over a crash: what was put aside and what fails stand in the store. */
static void order_holds_over_a_crash(void **state)
{
    (void)state;
    struct house *h = house_new((struct house_options){ .events = 2, .at_once = 8 });
    house_invite(h, 4);
    receiver_next(h->receiver, RECEIVE_NEVER, 1);
    house_start(h);
    const struct house_event first[] = { { .device = house_guest(0), .denied = NOT_SECOND_THIRD },
                                         { .device = house_guest(1), .denied = NOT_SECOND_THIRD } };
    const struct house_event second[] = { { .device = house_guest(0), .denied = NOT_SECOND_THIRD },
                                          { .device = house_guest(2),
                                            .denied = NOT_SECOND_THIRD } };
    const struct house_event third[] = { { .device = house_guest(0), .denied = NOT_SECOND_THIRD },
                                         { .device = house_guest(3), .denied = NOT_SECOND_THIRD } };
    int64_t a = house_add(h, first, 2);
    house_until(h, receiver_waiting(h->receiver) == 1);
    int64_t b = house_add(h, second, 2), c = house_add(h, third, 2);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 2); /* the strangers */
    assert_int_equal(house_arrived(h, b, 1) + house_arrived(h, c, 1), 2);
    assert_int_equal(house_arrived(h, b, 0) + house_arrived(h, c, 0), 0);
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_RETRY), 2); /* put aside */
    assert_int_equal(house_numbers(h, SLOT_HOOK).waiting, 3);
    house_crash(h);
    uint32_t before = receiver_count(h->receiver);
    receiver_release(h->receiver);
    house_start(h);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 4);
    house_stop(h);
    uint32_t n = receiver_count(h->receiver);
    assert_int_equal(n - before, 3);
    assert_int_equal(house_arrived(h, a, 0), 2); /* repeated: nobody had answered */
    assert_int_equal(house_arrived(h, b, 0), 1);
    assert_int_equal(house_arrived(h, c, 0), 1);
    static struct seen seen[PEOPLE];
    for (uint32_t i = before; i < n; i++)
        check_request(h, receiver_get(h->receiver, i), seen);
    house_free(&h);
}

static void device_and_person_are_one_queue(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .events = 1, .at_once = 8 });
    house_say(h, "ben", "mail", true);
    receiver_next(h->receiver, RECEIVE_NEVER, 1);
    house_start(h);
    const struct house_event both = { .device = "anna",
                                      .person = "ben",
                                      .denied = NOT_SECOND_THIRD };
    const struct house_event his = { .person = "ben", .denied = NOT_SECOND_THIRD };
    (void)house_add(h, &his, 1);
    house_until(h, house_numbers(h, SLOT_HOOK).in_flight + house_numbers(h, SLOT_HOOK).dropped > 0);
    (void)house_add(h, &both, 1);
    (void)add_one(h, "anna");
    house_idle(h, 100);
    assert_true(receiver_most_at_once(h->receiver) <= 1);
    receiver_release(h->receiver);
    house_until(h, house_numbers(h, SLOT_HOOK).sent + house_numbers(h, SLOT_HOOK).dropped == 3);
    assert_true(receiver_most_at_once(h->receiver) <= 1);
    house_free(&h);
}

static void who_waits_for_a_repetition_does_not_hold_up_strangers(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .events = 5, .backoff_ms = 100000 });
    house_invite(h, 50);
    receiver_next(h->receiver, RECEIVE_500, 1);
    house_start(h);
    int64_t fails = house_add_n(h, "anna", 5);
    house_until(h, house_numbers(h, SLOT_HOOK).retried == 5);
    int64_t later[20];
    for (size_t i = 0; i < COUNT(later); i++)
        later[i] = house_add_n(h, "anna", 5); /* more than a request's worth, again and again */
    (void)house_add_guests(h, 50);
    house_until(h, house_numbers(h, SLOT_HOOK).sent >= 50);
    if (house_arrived(h, fails, 0) == 1) /* else its 0 … 100 s were over */
        for (size_t i = 0; i < COUNT(later); i++)
            assert_int_equal(house_arrived(h, later[i], 0), 0);
    house_free(&h);
}

/* The full request that waits was looked at while something was on its way, and that has ended. */
static void nobody_is_held_up_when_the_last_one_on_its_way_has_ended(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .events = 5, .backoff_ms = 3600000 });
    house_invite(h, 10);
    receiver_next(h->receiver, RECEIVE_500, 1);
    house_start(h);
    (void)house_add_n(h, "anna", 5);
    house_until(h, house_numbers(h, SLOT_HOOK).retried == 5);
    receiver_next(h->receiver, RECEIVE_NEVER, 1);
    (void)house_add_guests(h, 5);
    house_until(h, receiver_waiting(h->receiver) == 1);
    (void)house_add_n(h, "anna", 5);
    house_idle(h, 50);
    receiver_release(h->receiver);
    (void)house_add_guests(h, 5);
    house_until(h, house_numbers(h, SLOT_HOOK).sent >= 10);
    house_free(&h);
}

static void events_of_one_person_go_in_full_requests_one_after_the_other(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .events = 10, .at_once = 8 });
    receiver_set(h->receiver, RECEIVE_200_SLOWLY);
    (void)house_add_n(h, "anna", 100);
    house_start(h);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 100);
    assert_int_equal(receiver_count(h->receiver), 10);
    assert_int_equal(receiver_most_at_once(h->receiver), 1);
    house_free(&h);
}

/* ---- how much ---- */

static void never_more_at_once_than_the_configuration_allows(void **state)
{
    (void)state;
    static const uint32_t most[] = { 1, 2, 6 };
    for (size_t i = 0; i < COUNT(most); i++) {
        struct house *h = house_new((struct house_options){ .events = 1, .at_once = most[i] });
        house_invite(h, 100);
        receiver_set(h->receiver, RECEIVE_200_SLOWLY);
        house_start(h);
        for (int k = 0; k < 2; k++)
            (void)house_add_guests(h, 100);
        house_until(h, house_numbers(h, SLOT_HOOK).sent == 200);
        assert_true(receiver_most_at_once(h->receiver) <= most[i]);
        house_until(h, house_numbers(h, SLOT_HOOK).window == most[i]); /* it grew so far */
        house_free(&h);
    }
}

static void outage_ends_with_one_probe_and_a_slow_opening(void **state)
{
    (void)state;
    struct house *h =
        house_new((struct house_options){ .events = 1, .at_once = 8, .backoff_ms = 20 });
    house_invite(h, 100);
    receiver_set(h->receiver, RECEIVE_503);
    house_start(h);
    (void)house_add_guests(h, 100);
    house_until(h, house_numbers(h, SLOT_HOOK).state == DELIVER_OPEN);
    assert_true(house_numbers(h, SLOT_HOOK).open_until_ms > 0);
    house_until(h, house_numbers(h, SLOT_HOOK).in_flight == 0);
    assert_int_equal(house_numbers(h, SLOT_HOOK).window, 1);
    assert_true(house_numbers(h, SLOT_HOOK).oldest_ms > 0);
    receiver_set(h->receiver, RECEIVE_NEVER);
    house_until(h, receiver_waiting(h->receiver) == 1);
    house_until(h, house_numbers(h, SLOT_HOOK).state == DELIVER_PROBING);
    house_idle(h, 50);
    assert_int_equal(receiver_waiting(h->receiver), 1);
    for (uint32_t at_once = 0; at_once < 4;) {
        house_until(h, receiver_waiting(h->receiver) > 0);
        house_idle(h, 20);
        at_once = receiver_waiting(h->receiver);
        /* one more for each window of successes */
        assert_true(house_numbers(h, SLOT_HOOK).sent >= at_once * (at_once - 1) / 2);
        receiver_release(h->receiver);
    }
    receiver_set(h->receiver, RECEIVE_200);
    receiver_release(h->receiver);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 100);
    house_until(h, house_numbers(h, SLOT_HOOK).state == DELIVER_CLOSED);
    house_until(h, house_numbers(h, SLOT_HOOK).oldest_ms == 0);
    house_free(&h);
}

static void one_failure_among_many_closes_nothing(void **state)
{
    (void)state;
    struct house *h = house_new((struct house_options){ .events = 1, .at_once = 8 });
    house_invite(h, 100);
    receiver_next(h->receiver, RECEIVE_500, 1);
    receiver_set(h->receiver, RECEIVE_200_SLOWLY);
    house_start(h);
    (void)house_add_guests(h, 20);
    house_until(h, house_numbers(h, SLOT_HOOK).retried == 1);
    assert_int_equal(house_numbers(h, SLOT_HOOK).open_until_ms, 0);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 20);
    house_free(&h);
}

static void no_more_events_than_the_configuration_allows_in_a_second(void **state)
{
    (void)state;
    struct house *h = house_new((struct house_options){ .events_per_second = 40, .events = 100 });
    house_invite(h, 100);
    house_start(h);
    int64_t begun = clock_mono_ms();
    (void)house_add_guests(h, 100);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 100);
    assert_true(clock_mono_ms() - begun >= 1400); /* 40 at once, 60 in a second and a half */
    for (uint32_t i = 0; i < receiver_count(h->receiver); i++)
        for (uint32_t k = i; k < receiver_count(h->receiver); k++) {
            int64_t span =
                receiver_get(h->receiver, k)->at_mono_ms - receiver_get(h->receiver, i)->at_mono_ms;
            if (span < 500) /* the second's worth that was saved, and half of one */
                assert_true((k - i + 1) <= 3);
        }
    house_free(&h);
}

static void no_more_requests_than_the_configuration_allows_in_a_second(void **state)
{
    (void)state;
    struct house *h = house_new((struct house_options){ .requests_per_second = 5, .events = 1 });
    house_invite(h, 100);
    receiver_next(h->receiver, RECEIVE_500, 2); /* repetitions count */
    house_start(h);
    int64_t begun = clock_mono_ms();
    (void)house_add_guests(h, 8);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 8);
    assert_int_equal(receiver_count(h->receiver), 10);
    assert_true(clock_mono_ms() - begun >= 950);
    house_free(&h);
}

static void requests_keep_to_the_bytes_of_the_configuration(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .bytes = 8192, .events = 500 });
    house_start(h);
    struct house_event event[40];
    for (size_t i = 0; i < COUNT(event); i++) /* one that is larger by itself goes alone */
        event[i] = (struct house_event){ .device = "anna",
                                         .denied = NOT_SECOND_THIRD,
                                         .size = i == 20 ? 20000 : 700 };
    int64_t segment = house_add(h, event, COUNT(event));
    house_until(h, house_numbers(h, SLOT_HOOK).sent == COUNT(event));
    uint32_t larger = 0;
    for (uint32_t i = 0; i < receiver_count(h->receiver); i++)
        larger += receiver_get(h->receiver, i)->body.n > 8192;
    assert_int_equal(larger, 1);
    assert_int_equal(house_arrived(h, segment, 20), 1);
    assert_true(receiver_count(h->receiver) < 12);
    house_free(&h);
}

static void with_too_many_unfinished_nothing_new_is_begun(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    int64_t old = house_add_guests(h, 100), fresh;
    int64_t far = clock_now_ms() + 3600000;
    struct chain_head head;
    house_start(h);
    house_until(h, house_numbers(h, SLOT_HOOK).dropped == 100); /* nobody agreed */
    fresh = add_one(h, "anna");
    house_until(h, house_result(h, SLOT_HOOK, fresh, 0) == DELIVERY_SENT); /* nothing is a probe */
    struct id id[LIMIT_WAITING];
    assert_int_equal(store_begin(h->store), OK);
    for (uint32_t i = 0; i < LIMIT_WAITING; i++) {
        struct delivery_item item = { .segment = old, .index = i % 100, .result = DELIVERY_RETRY };
        id[i] = id_new(clock_now_ms());
        struct delivery_request q = { .id = id[i],
                                      .slot = SLOT_HOOK,
                                      .attempts = 1,
                                      .at_ms = far,
                                      .next_ms = far,
                                      .item = &item,
                                      .item_count = 1 };
        assert_int_equal(store_finish_sending(h->store, &q, NULL, 0), OK);
    }
    assert_int_equal(store_commit(h->store, clock_now_ms(), &head, NULL), OK);
    deliver_look(h->d);
    house_until(h, house_numbers(h, SLOT_HOOK).waiting == LIMIT_WAITING);
    fresh = add_one(h, "anna");
    house_idle(h, 100);
    assert_int_equal(house_arrived(h, fresh, 0), 0);
    house_stop(h);
    assert_int_equal(store_begin(h->store), OK);
    for (uint32_t i = 0; i < 2; i++) {
        struct delivery_item item = { .segment = old, .index = i % 100, .result = DELIVERY_DEAD };
        struct delivery_request q = {
            .id = id[i], .slot = SLOT_HOOK, .item = &item, .item_count = 1
        };
        assert_int_equal(store_finish_sending(h->store, &q, NULL, 0), OK);
    }
    assert_int_equal(store_commit(h->store, clock_now_ms(), &head, NULL), OK);
    house_start(h);
    house_until(h, house_result(h, SLOT_HOOK, fresh, 0) == DELIVERY_SENT);
    house_free(&h);
}

/* ---- pause ---- */

static void paused_destination_begins_nothing_over_a_restart_too(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .events = 1 });
    house_start(h);
    int64_t first = add_one(h, "anna");
    house_until(h, house_result(h, SLOT_HOOK, first, 0) == DELIVERY_SENT);
    house_pause(h, SLOT_HOOK, true);
    int64_t second = add_one(h, "anna");
    house_idle(h, 100);
    assert_true(house_numbers(h, SLOT_HOOK).lag_segments > 0);
    assert_true(house_numbers(h, SLOT_HOOK).oldest_ms > 0);
    house_stop(h);
    house_start(h);
    house_idle(h, 100);
    assert_int_equal(receiver_count(h->receiver), 1);
    assert_int_equal(house_numbers(h, SLOT_HOOK).state, DELIVER_PAUSED);
    house_pause(h, SLOT_HOOK, false);
    house_until(h, house_result(h, SLOT_HOOK, second, 0) == DELIVERY_SENT);
    house_stop(h);
    house_start(h);
    int64_t third = add_one(h, "anna");
    house_until(h, house_result(h, SLOT_HOOK, third, 0) == DELIVERY_SENT);
    house_free(&h);
}

static void what_is_on_its_way_at_a_pause_ends_and_a_repetition_waits(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    receiver_next(h->receiver, RECEIVE_NEVER, 1);
    house_start(h);
    int64_t segment = add_one(h, "anna");
    house_until(h, receiver_waiting(h->receiver) == 1);
    house_pause(h, SLOT_HOOK, true);
    receiver_release(h->receiver);
    house_until(h, house_result(h, SLOT_HOOK, segment, 0) == DELIVERY_SENT);
    house_pause(h, SLOT_HOOK, false);
    receiver_next(h->receiver, RECEIVE_500, 1);
    segment = add_one(h, "anna");
    house_until(h, house_numbers(h, SLOT_HOOK).retried == 1 ||
                       house_result(h, SLOT_HOOK, segment, 0) == DELIVERY_SENT);
    house_pause(h, SLOT_HOOK, true);
    house_until(h, house_numbers(h, SLOT_HOOK).in_flight == 0);
    uint32_t tried = receiver_count(h->receiver);
    house_idle(h, 100);
    assert_int_equal(receiver_count(h->receiver), tried);
    house_pause(h, SLOT_HOOK, false);
    house_until(h, house_result(h, SLOT_HOOK, segment, 0) == DELIVERY_SENT);
    house_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_overtaken_nor_on_the_way_twice_whatever_fails),
        cmocka_unit_test(order_holds_over_a_crash),
        cmocka_unit_test(device_and_person_are_one_queue),
        cmocka_unit_test(who_waits_for_a_repetition_does_not_hold_up_strangers),
        cmocka_unit_test(nobody_is_held_up_when_the_last_one_on_its_way_has_ended),
        cmocka_unit_test(events_of_one_person_go_in_full_requests_one_after_the_other),
        cmocka_unit_test(never_more_at_once_than_the_configuration_allows),
        cmocka_unit_test(outage_ends_with_one_probe_and_a_slow_opening),
        cmocka_unit_test(one_failure_among_many_closes_nothing),
        cmocka_unit_test(no_more_events_than_the_configuration_allows_in_a_second),
        cmocka_unit_test(no_more_requests_than_the_configuration_allows_in_a_second),
        cmocka_unit_test(requests_keep_to_the_bytes_of_the_configuration),
        cmocka_unit_test(with_too_many_unfinished_nothing_new_is_begun),
        cmocka_unit_test(paused_destination_begins_nothing_over_a_restart_too),
        cmocka_unit_test(what_is_on_its_way_at_a_pause_ends_and_a_repetition_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
