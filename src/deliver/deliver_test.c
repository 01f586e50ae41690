#include "deliver/house.h"
#include "base/clock.h"
#include "codec/json.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { NOT_SECOND_THIRD = 1 << SLOT_SECOND | 1 << SLOT_THIRD };

static void each_event_arrives_once_and_in_order(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .events = 40 });
    house_start(h);
    h->watched = true;
    enum { SEGMENTS = 5, EACH = 70 };
    int64_t segment[SEGMENTS];
    for (int i = 0; i < SEGMENTS; i++)
        segment[i] = house_add_n(h, "anna", EACH);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == SEGMENTS * EACH);
    house_stop(h);
    for (int i = 0; i < SEGMENTS; i++)
        for (uint32_t k = 0; k < EACH; k++) {
            assert_int_equal(house_arrived(h, segment[i], k), 1);
            assert_int_equal(house_result(h, SLOT_HOOK, segment[i], k), DELIVERY_SENT);
        }
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct event_delivery fate = house_fate(h, SLOT_HOOK, segment[0], 0, &a);
    assert_true(str_eq(fate.fields, STR("anonymousId,event")));
    assert_int_equal(fate.attempts, 1);
    assert_int_equal(fate.error.n, 0);
    assert_int_equal(h->sights[DELIVERY_SENT], SEGMENTS * EACH);
    for (int state_ = PENDING_SENDING; state_ <= PENDING_DEAD; state_++)
        assert_int_equal(house_pending(h, SLOT_HOOK, (enum pending_state)state_), 0);
    house_free(&h);
}

static void each_event_has_its_own_names(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    h->watched = true;
    house_start(h);
    static const char *const name[] = { "product", NULL, "product", "price" };
    static const char *const left[] = { "anonymousId,event,properties.product", "anonymousId,event",
                                        "anonymousId,event,properties.product",
                                        "anonymousId,event,properties.price" };
    struct house_event event[COUNT(name)];
    for (size_t i = 0; i < COUNT(name); i++)
        event[i] =
            (struct house_event){ .device = "anna", .denied = NOT_SECOND_THIRD, .name = name[i] };
    receiver_next(h->receiver, RECEIVE_500, 1); /* nor does a repetition mix them */
    int64_t segment = house_add(h, event, COUNT(event));
    house_until(h, house_numbers(h, SLOT_HOOK).sent == COUNT(event));
    assert_int_equal(receiver_count(h->receiver), 2);
    house_stop(h); /* all were seen */
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct sent_found *sent;
    uint32_t count;
    uint64_t total;
    assert_int_equal(
        store_list_sent(store_own_reader(h->store), STR("anna"), 10, &a, &sent, &count, &total),
        OK);
    assert_int_equal(count, COUNT(event));
    assert_int_equal(h->seen_count, 2 * COUNT(event));
    for (uint32_t i = 0; i < COUNT(event); i++) {
        assert_string_equal(house_fate(h, SLOT_HOOK, segment, i, &a).fields.p, left[i]);
        assert_string_equal(sent[COUNT(event) - 1 - i].fields.p, left[i]); /* newest first */
        assert_string_equal(h->seen[i], left[i]);
        assert_string_equal(h->seen[COUNT(event) + i], left[i]);
    }
    house_free(&h);
}

static void one_connection_carries_requests_in_the_order_of_their_events(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .events = 1 });
    house_start(h);
    struct id last = { { 0 } };
    for (int i = 0; i < 8; i++) {
        (void)house_add_n(h, "anna", 1);
        house_until(h, receiver_count(h->receiver) == (uint32_t)i + 1);
        house_until(h, house_numbers(h, SLOT_HOOK).sent == (uint64_t)i + 1);
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct json_doc doc;
        struct str text;
        struct id id;
        struct str body = receiver_get(h->receiver, (uint32_t)i)->body;
        assert_int_equal(json_scan(body, &a, &doc, NULL), OK);
        uint32_t first = json_first(&doc, json_get(&doc, JSON_ROOT, STR("batch")));
        assert_true(json_string(&doc, json_get(&doc, first, STR("id")), &a, &text));
        assert_true(id_parse(text, &id));
        assert_true(memcmp(&last, &id, sizeof id) < 0);
        last = id;
    }
    assert_int_equal(receiver_connections(h->receiver), 1);
    house_free(&h);
}

static void what_was_not_permitted_at_capture_and_tests_never_leave(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    house_start(h);
    const struct house_event event[] = {
        { .device = "anna", .denied = 1 << SLOT_HOOK | NOT_SECOND_THIRD },
        { .device = "anna", .flags = STORED_TEST, .denied = NOT_SECOND_THIRD },
        { .device = "anna", .denied = NOT_SECOND_THIRD },
        { .device = "anna", .denied = NOT_SECOND_THIRD, .flags = STORED_TEST | STORED_GPC },
    };
    int64_t segment = house_add(h, event, COUNT(event));
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 1);
    int64_t nothing = house_add(h, event, 2);
    house_until(h, house_numbers(h, SLOT_HOOK).lag_segments > 0); /* it was seen */
    house_idle(h, 20);
    house_stop(h);
    assert_int_equal(receiver_count(h->receiver), 1);
    for (uint32_t i = 0; i < COUNT(event); i++) {
        assert_int_equal(house_arrived(h, segment, i), i == 2);
        assert_int_equal(house_result(h, SLOT_HOOK, segment, i), i == 2 ? DELIVERY_SENT : 0);
    }
    /* what was not for it needs no record, but the cursor stands behind it */
    assert_true(house_cursor(h, SLOT_HOOK).segment == nothing);
    assert_true(house_cursor(h, SLOT_SECOND).segment == nothing);
    assert_true(house_cursor(h, SLOT_OWN).segment == 0); /* nobody sends there */
    house_free(&h);
}

static void cursor_is_kept_while_nothing_is_for_a_destination(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    house_start(h);
    const struct house_event other = { .device = "anna", .denied = 1 << SLOT_HOOK };
    int64_t segment = 0;
    for (int i = 0; i < 70; i++) /* more than go by without a note */
        segment = house_add(h, &other, 1);
    house_until(h, house_cursor(h, SLOT_HOOK).segment > segment - 64);
    assert_int_equal(house_numbers(h, SLOT_HOOK).sent, 0);
    house_free(&h);
}

static void repeated_request_keeps_id_and_bytes(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    receiver_next(h->receiver, RECEIVE_500, 1);
    receiver_next(h->receiver, RECEIVE_503, 1);
    receiver_next(h->receiver, RECEIVE_301, 1);
    house_start(h);
    int64_t segment = house_add_n(h, "anna", 3);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 3);
    assert_int_equal(receiver_count(h->receiver), 4);
    const struct received *first = receiver_get(h->receiver, 0);
    for (uint32_t i = 1; i < 4; i++) {
        const struct received *again = receiver_get(h->receiver, i);
        assert_string_equal(first->id, again->id);
        assert_true(str_eq(first->body, again->body));
    }
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct event_delivery fate = house_fate(h, SLOT_HOOK, segment, 2, &a);
    assert_int_equal(fate.result, DELIVERY_SENT);
    assert_int_equal(fate.attempts, 4);
    assert_int_equal(house_numbers(h, SLOT_HOOK).retried, 9);
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_RETRY), 0);
    house_free(&h);
}

static void receiver_that_asks_for_time_gets_it(void **state)
{
    (void)state;
    static const struct {
        enum receive how;
        int64_t least_ms;
    } rows[] = { { RECEIVE_429, 1000 }, { RECEIVE_429_DATE, 900 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct house *h = house_with_anna((struct house_options){ .events = 1 });
        receiver_next(h->receiver, rows[i].how, 1);
        house_start(h);
        (void)house_add_n(h, "anna", 1);
        house_until(h, receiver_count(h->receiver) == 1);
        house_until(h, house_numbers(h, SLOT_HOOK).open_until_ms > 0);
        (void)house_add_n(h, "anna", 1); /* nor does anything else go there */
        house_until(h, house_numbers(h, SLOT_HOOK).sent == 2);
        int64_t waited =
            receiver_get(h->receiver, 1)->at_mono_ms - receiver_get(h->receiver, 0)->at_mono_ms;
        assert_true(waited >= rows[i].least_ms && waited < 15000);
        assert_int_equal(house_numbers(h, SLOT_HOOK).open_until_ms, 0);
        house_free(&h);
    }
}

static void dead_destination_costs_the_others_nothing(void **state)
{
    (void)state;
    struct house *h = house_new((struct house_options){ .events = 10, .dead_second = true });
    house_invite(h, 100);
    house_start(h);
    struct house_event event[100];
    for (uint32_t i = 0; i < COUNT(event); i++)
        event[i] = (struct house_event){ .device = house_guest(i), .denied = 1 << SLOT_THIRD };
    (void)house_add(h, event, COUNT(event));
    house_until(h, house_numbers(h, SLOT_HOOK).sent == COUNT(event));
    house_until(h, house_numbers(h, SLOT_SECOND).retried >= 80);
    assert_int_equal(house_numbers(h, SLOT_HOOK).retried, 0);
    /* what had begun waits, one of it probes, the rest is not touched */
    assert_true(house_numbers(h, SLOT_SECOND).in_flight <= 1);
    assert_in_range(house_pending(h, SLOT_SECOND, PENDING_RETRY), 3, 4);
    assert_int_equal(house_cursor(h, SLOT_SECOND).index, 40);
    assert_string_equal(house_numbers(h, SLOT_SECOND).last_error, "Couldn't connect to server");
    house_free(&h);
}

static void absent_receiver_gets_its_time_before_letters_are_dead(void **state)
{
    (void)state;
    static const struct {
        enum receive how;
        int64_t patience_ms;
        bool dead;
    } rows[] = {
        { RECEIVE_500, 0, true }, /* it is there, and has said it twelve times */
        { RECEIVE_503, 1, true },
        { RECEIVE_503, 0, false }, /* a day */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct house *h =
            house_with_anna((struct house_options){ .patience_ms = rows[i].patience_ms });
        receiver_set(h->receiver, rows[i].how);
        house_start(h);
        int64_t segment = house_add_n(h, "anna", 2);
        house_until(h, receiver_count(h->receiver) == LIMIT_ATTEMPTS);
        house_until(h, house_result(h, SLOT_HOOK, segment, 0) ==
                           (rows[i].dead ? DELIVERY_DEAD : DELIVERY_RETRY));
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        assert_int_equal(house_fate(h, SLOT_HOOK, segment, 0, &a).attempts, LIMIT_ATTEMPTS);
        house_free(&h);
    }
}

static void dead_letter_goes_when_it_is_revived(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    receiver_next(h->receiver, RECEIVE_400, 1);
    house_start(h);
    int64_t segment = house_add_n(h, "anna", 2);
    house_until(h, house_pending(h, SLOT_HOOK, PENDING_DEAD) == 1);
    house_idle(h, 50);
    assert_int_equal(receiver_count(h->receiver), 1); /* refused is refused */
    assert_true(house_error_is(h, SLOT_HOOK, segment, "status 400"));
    uint32_t revived;
    struct chain_head head;
    assert_int_equal(store_begin(h->store), OK);
    assert_int_equal(store_revive_dead(h->store, -1, NULL, clock_now_ms(), &revived), OK);
    assert_int_equal(store_commit(h->store, clock_now_ms(), &head, NULL), OK);
    assert_int_equal(revived, 1);
    deliver_wake(h->d);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 2);
    assert_string_equal(receiver_get(h->receiver, 0)->id, receiver_get(h->receiver, 1)->id);
    assert_int_equal(house_result(h, SLOT_HOOK, segment, 1), DELIVERY_SENT);
    house_free(&h);
}

static const struct {
    enum receive how;
    const char *error;
} doubtful[] = {
    { RECEIVE_NEVER, "may have arrived: Timeout was reached" },
    { RECEIVE_GARBAGE, NULL },
    { RECEIVE_HALF, "may have arrived: Transferred a partial file" },
    { RECEIVE_CLOSE, "may have arrived: Server returned nothing (no headers, no data)" },
    { RECEIVE_RESET, "may have arrived: Failure when receiving data from the peer" },
    { RECEIVE_DEAF, "may have arrived: Timeout was reached" },
};

static void request_without_an_answer_is_repeated_where_that_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(doubtful); i++) {
        struct house *h = house_with_anna((struct house_options){ .send_ms = 150 });
        receiver_next(h->receiver, doubtful[i].how, 1);
        house_start(h);
        int64_t segment = house_add_n(h, "anna", 2);
        house_until(h, house_numbers(h, SLOT_HOOK).sent == 2);
        receiver_release(h->receiver);
        house_until(h, receiver_count(h->receiver) == 2);
        const struct received *first = receiver_get(h->receiver, 0),
                              *again = receiver_get(h->receiver, 1);
        assert_string_equal(first->id, again->id);
        assert_int_equal(house_result(h, SLOT_HOOK, segment, 0), DELIVERY_SENT);
        house_free(&h);
    }
}

static void request_without_an_answer_is_held_where_it_must_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(doubtful); i++) {
        struct house *h = house_with_anna((struct house_options){ .send_ms = 150, .hold = true });
        receiver_next(h->receiver, doubtful[i].how, 1);
        house_start(h);
        int64_t segment = house_add_n(h, "anna", 2);
        house_until(h, house_numbers(h, SLOT_HOOK).uncertain == 2);
        house_until(h, house_result(h, SLOT_HOOK, segment, 1) == DELIVERY_UNCERTAIN);
        if (doubtful[i].error != NULL)
            assert_true(house_error_is(h, SLOT_HOOK, segment, doubtful[i].error));
        receiver_release(h->receiver);
        int64_t next = house_add_n(h, "anna", 1); /* the destination itself goes on */
        house_until(h, house_result(h, SLOT_HOOK, next, 0) == DELIVERY_SENT);
        assert_int_equal(house_arrived(h, next, 0), 1);
        assert_true(house_arrived(h, segment, 0) <= 1);
        for (int s = PENDING_SENDING; s <= PENDING_DEAD; s++)
            assert_int_equal(house_pending(h, SLOT_HOOK, (enum pending_state)s), 0);
        house_free(&h);
    }
}

static void answers_longer_than_anybody_reads_count(void **state)
{
    (void)state;
    static const enum receive how[] = { RECEIVE_200_LONG, RECEIVE_200_AND_CLOSE };
    for (size_t i = 0; i < COUNT(how); i++) {
        struct house *h = house_with_anna((struct house_options){ .events = 1 });
        receiver_set(h->receiver, how[i]);
        house_start(h);
        int64_t segment = house_add_n(h, "anna", 3);
        house_until(h, house_numbers(h, SLOT_HOOK).sent == 3);
        house_until(h, receiver_count(h->receiver) == 3);
        for (uint32_t k = 0; k < 3; k++)
            assert_int_equal(house_arrived(h, segment, k), 1);
        assert_int_equal(house_numbers(h, SLOT_HOOK).retried, 0);
        house_free(&h);
    }
}

static void a_kept_connection_that_died_is_no_second_request_where_that_must_not_be(void **state)
{
    (void)state;
    for (int hold = 0; hold < 2; hold++) {
        struct house *h = house_with_anna((struct house_options){ .hold = hold, .events = 1 });
        house_start(h);
        (void)house_add_n(h, "anna", 1);
        house_until(h, house_numbers(h, SLOT_HOOK).sent == 1);
        receiver_next(h->receiver, RECEIVE_CLOSE,
                      1); /* reads all of the next one: libcurl would send it again */
        int64_t segment = house_add_n(h, "anna", 1);
        house_until(h, house_numbers(h, SLOT_HOOK).sent == (hold ? 1 : 2));
        house_until(h, house_numbers(h, SLOT_HOOK).uncertain == (hold ? 1 : 0));
        assert_int_equal(house_result(h, SLOT_HOOK, segment, 0),
                         hold ? DELIVERY_UNCERTAIN : DELIVERY_SENT);
        house_idle(h, 50);
        assert_int_equal(house_arrived(h, segment, 0), hold ? 1 : 2);
        house_free(&h);
    }
}

static void at_first_four_requests_are_on_their_way(void **state)
{
    (void)state;
    struct house *h = house_new((struct house_options){ .events = 5 });
    house_invite(h, 100);
    receiver_set(h->receiver, RECEIVE_NEVER);
    house_start(h);
    (void)house_add_guests(h, 100);
    house_until(h, receiver_waiting(h->receiver) == 4);
    house_idle(h, 50);
    assert_int_equal(receiver_waiting(h->receiver), 4);
    assert_int_equal(house_numbers(h, SLOT_HOOK).in_flight, 4);
    receiver_set(h->receiver, RECEIVE_200);
    receiver_release(h->receiver);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 100);
    house_free(&h);
}

static void full_request_goes_at_once_and_others_wait_a_little(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .events = 10, .wait_ms = 400 });
    house_start(h);
    int64_t begun = clock_mono_ms();
    (void)house_add_n(h, "anna", 14);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 10);
    (void)house_add_n(h, "anna", 2);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 16);
    assert_true(clock_mono_ms() - begun >= 395);
    assert_int_equal(receiver_count(h->receiver), 2);
    assert_true(receiver_get(h->receiver, 1)->at_mono_ms - begun >= 395);
    house_free(&h);
}

static void requests_stay_below_their_size(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .events = 500 });
    house_start(h);
    struct house_event event[90];
    for (size_t i = 0; i < COUNT(event); i++)
        event[i] =
            (struct house_event){ .device = "anna", .denied = NOT_SECOND_THIRD, .size = 30000 };
    int64_t segment = house_add(h, event, COUNT(event));
    house_until(h, house_numbers(h, SLOT_HOOK).sent == COUNT(event));
    for (uint32_t i = 0; i < COUNT(event); i++)
        assert_int_equal(house_arrived(h, segment, i), 1);
    assert_true(receiver_count(h->receiver) >= 3 && receiver_count(h->receiver) <= 5);
    for (uint32_t i = 0; i < receiver_count(h->receiver); i++)
        assert_true(receiver_get(h->receiver, i)->body.n <= LIMIT_SEND_BYTES);
    house_free(&h);
}

static void private_addresses_are_not_called_unless_allowed(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .refuse_private = true });
    house_start(h);
    int64_t segment = house_add_n(h, "anna", 1);
    house_until(h, house_numbers(h, SLOT_HOOK).retried > 3);
    assert_int_equal(receiver_connections(h->receiver), 0);
    house_until(h, house_pending(h, SLOT_HOOK, PENDING_RETRY) == 1);
    assert_true(house_error_is(h, SLOT_HOOK, segment, "the address is not a public one"));
    house_free(&h);
}

static void connection_kept_for_one_destination_opens_nothing_for_another(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    for (uint32_t i = 0; i < h->conf->destination_count; i++)
        if (str_eq(h->conf->destination[i].id, STR("second")))
            h->conf->destination[i].allow_private_addresses = false;
    house_start(h);
    const struct house_event hook = { .device = "anna", .denied = NOT_SECOND_THIRD };
    const struct house_event second = { .device = "anna",
                                        .denied = 1 << SLOT_HOOK | 1 << SLOT_THIRD };
    (void)house_add(h, &hook, 1);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 1);
    int64_t segment = house_add(h, &second, 1);
    house_until(h, house_numbers(h, SLOT_SECOND).retried > 3);
    assert_int_equal(receiver_count(h->receiver), 1);
    assert_true(house_error_is(h, SLOT_SECOND, segment, "the address is not a public one"));
    house_free(&h);
}

static void destinations_at_one_host_share_no_connection(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    house_start(h);
    for (uint64_t i = 1; i <= 3; i++) {
        const struct house_event both = { .device = "anna", .denied = 1 << SLOT_THIRD };
        (void)house_add(h, &both, 1);
        house_until(h, house_numbers(h, SLOT_HOOK).sent == i);
        house_until(h, house_numbers(h, SLOT_SECOND).sent == i);
    }
    assert_int_equal(receiver_count(h->receiver), 6);
    assert_int_equal(receiver_connections(h->receiver), 2); /* each its own, and it is kept */
    house_free(&h);
}

static void who_is_called_otherwise_gets_a_new_connection(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    house_start(h);
    const struct house_event hook = { .device = "anna", .denied = NOT_SECOND_THIRD };
    for (uint64_t i = 1; i <= 4; i++) {
        (void)house_add(h, &hook, 1);
        house_until(h, house_numbers(h, SLOT_HOOK).sent == i);
        house_idle(h, 5);
        struct conf_destination *d = &h->conf->destination[SLOT_HOOK];
        if (i == 2)
            d->tls.ca = STR("another one"); /* of no matter without TLS */
        house_reload(h);
    }
    assert_int_equal(receiver_connections(h->receiver), 2);
    house_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_arrives_once_and_in_order),
        cmocka_unit_test(each_event_has_its_own_names),
        cmocka_unit_test(one_connection_carries_requests_in_the_order_of_their_events),
        cmocka_unit_test(what_was_not_permitted_at_capture_and_tests_never_leave),
        cmocka_unit_test(cursor_is_kept_while_nothing_is_for_a_destination),
        cmocka_unit_test(repeated_request_keeps_id_and_bytes),
        cmocka_unit_test(receiver_that_asks_for_time_gets_it),
        cmocka_unit_test(dead_destination_costs_the_others_nothing),
        cmocka_unit_test(absent_receiver_gets_its_time_before_letters_are_dead),
        cmocka_unit_test(dead_letter_goes_when_it_is_revived),
        cmocka_unit_test(request_without_an_answer_is_repeated_where_that_is_allowed),
        cmocka_unit_test(request_without_an_answer_is_held_where_it_must_be),
        cmocka_unit_test(answers_longer_than_anybody_reads_count),
        cmocka_unit_test(a_kept_connection_that_died_is_no_second_request_where_that_must_not_be),
        cmocka_unit_test(at_first_four_requests_are_on_their_way),
        cmocka_unit_test(full_request_goes_at_once_and_others_wait_a_little),
        cmocka_unit_test(requests_stay_below_their_size),
        cmocka_unit_test(private_addresses_are_not_called_unless_allowed),
        cmocka_unit_test(connection_kept_for_one_destination_opens_nothing_for_another),
        cmocka_unit_test(destinations_at_one_host_share_no_connection),
        cmocka_unit_test(who_is_called_otherwise_gets_a_new_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
