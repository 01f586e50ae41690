/* The hooks' thread, a real store and a real receiver. */
#include "deliver/house.h"

#include "base/clock.h"
#include "consent/told.h"

#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct house *house_with_hook(struct house_options o)
{
    o.hook = true;
    return house_new(o);
}

static const struct received *last(struct house *h)
{
    return receiver_get(h->receiver, receiver_count(h->receiver) - 1);
}

static uint32_t rows(struct house *h, enum hook_state state)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct hook_message *m;
    uint32_t n;
    must(store_list_hook_messages(store_own_reader(h->store), 0, state, 0, 1000, &a, &m, &n) == OK);
    return n;
}

static struct hook_row row(struct house *h, struct arena *a)
{
    struct hook_row r;
    must(store_get_hook(store_own_reader(h->store), STR("told"), a, &r) == OK);
    return r;
}

static int64_t cursor(struct house *h)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    return row(h, &a).cursor;
}

/* Everything is told, and the store knows. */
static void settle(struct house *h)
{
    house_until(h, cursor(h) == store_newest_fact(store_own_reader(h->store)) &&
                       rows(h, HOOK_WAITING) == 0 && house_hook(h).waiting == 0);
}

/* How often each message of these facts arrived; they are all told. */
static uint32_t arrivals(struct house *h, int64_t from, uint32_t *ret_least)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct store_reader *r = store_own_reader(h->store);
    uint32_t all = 0, least = UINT32_MAX, count = receiver_count(h->receiver);
    for (int64_t seq = from + 1; seq <= store_newest_fact(r); seq++) {
        struct fact_found f;
        struct id id;
        char text[ID_TEXT + 1];
        must(store_read_fact(r, seq, &a, &f) == OK);
        const struct told_type *t = told_type(r, &f, CONF_HOOK_ALL);
        must(t != NULL && told_id(t, &f, &id));
        id_format(&id, text);
        uint32_t n = 0;
        for (uint32_t i = 0; i < count; i++)
            n += strcmp(receiver_get(h->receiver, i)->id, text) == 0;
        all += n;
        least = n < least ? n : least;
    }
    *ret_least = least;
    return all;
}

static void what_is_recorded_is_told_signed_and_once(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ 0 });
    int64_t from = cursor(h);
    uint32_t least;
    house_start_hooks(h);
    house_say(h, "anna", "mail", true);
    house_say(h, "anna", "mail", false);
    settle(h);
    assert_int_equal(arrivals(h, from, &least), 3);
    assert_int_equal(least, 1);
    assert_non_null(memmem(last(h)->body.p, last(h)->body.n, "consent.withdrawn", 17));
    assert_int_equal(strncmp(last(h)->signature, "v1,", 3), 0);
    assert_int_equal(house_hook(h).told, 3);
    assert_int_equal(house_hook(h).state, DELIVER_CLOSED);
    house_stop_hooks(h);
    house_start_hooks(h);
    house_say(h, "anna", "mail", true);
    settle(h);
    assert_int_equal(receiver_count(h->receiver), 4);
    house_free(&h);
}

static void every_bad_answer_is_followed_by_another_attempt(void **state)
{
    (void)state;
    static const enum receive bad[] = {
        RECEIVE_301,     RECEIVE_400,  RECEIVE_500,   RECEIVE_503,
        RECEIVE_GARBAGE, RECEIVE_HALF, RECEIVE_CLOSE, RECEIVE_RESET
    };
    struct house *h = house_with_hook((struct house_options){ .at_once = 1 });
    uint32_t least;
    int64_t from = cursor(h);
    for (size_t i = 0; i < COUNT(bad); i++)
        receiver_next(h->receiver, bad[i], 1);
    receiver_next(h->receiver, RECEIVE_200_LONG, 1);
    house_start_hooks(h);
    house_say(h, "anna", "mail", true);
    settle(h);
    assert_int_equal(receiver_count(h->receiver), COUNT(bad) + 2);
    assert_int_equal(arrivals(h, from, &least), COUNT(bad) + 2);
    assert_int_equal(house_hook(h).failed, COUNT(bad));
    /* the first fact's message took them all, the second came last */
    for (uint32_t i = 0; i < COUNT(bad); i++)
        assert_string_equal(receiver_get(h->receiver, i)->id, receiver_get(h->receiver, 0)->id);
    house_free(&h);
}

static void a_slow_answer_is_given_up_and_asked_again(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ .send_ms = 1000, .at_once = 1 });
    receiver_next(h->receiver, RECEIVE_NEVER, 1);
    house_start_hooks(h);
    house_say(h, "anna", "mail", true);
    settle(h);
    assert_int_equal(receiver_count(h->receiver), 3);
    house_free(&h);
}

static void a_crash_loses_nothing_and_changes_no_id(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ 0 });
    int64_t from = cursor(h);
    uint32_t least;
    for (int round = 0; round < 5; round++) {
        uint32_t before = receiver_count(h->receiver);
        house_start_hooks(h);
        for (uint32_t i = 0; i < 20; i++)
            house_say(h, house_guest(i), "mail", round % 2 == 0);
        receiver_next(h->receiver, RECEIVE_500, 3);
        house_until(h, receiver_count(h->receiver) >= before + 10);
        house_crash_hooks(h);
    }
    house_start_hooks(h);
    settle(h);
    (void)arrivals(h, from, &least);
    assert_true(least >= 1);
    house_free(&h);
}

static void fail_next(struct house *h)
{
    h->fail = 2;
}

static void commits_that_fail_lose_nothing(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ 0 });
    int64_t from = cursor(h);
    uint32_t least;
    h->before_done = fail_next;
    receiver_next(h->receiver, RECEIVE_500, 2);
    house_start_hooks(h);
    for (uint32_t i = 0; i < 10; i++)
        house_say(h, house_guest(i), "mail", true);
    settle(h);
    assert_int_equal(h->fail, 0);
    assert_int_equal(arrivals(h, from, &least), 20 + 2); /* nothing for the disk's sake */
    assert_int_equal(least, 1);
    house_free(&h);
}

static void a_backlog_is_read_piece_by_piece(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ .at_once = 8 });
    int64_t from = cursor(h);
    uint32_t least;
    for (uint32_t round = 0; round < 6; round++)
        for (uint32_t i = 0; i < HOUSE_GUESTS; i++)
            house_say(h, house_guest(i), "mail", round % 2 == 0);
    receiver_set(h->receiver, RECEIVE_503);
    house_start_hooks(h);
    house_until(h, house_hook(h).waiting == LIMIT_WAITING);
    house_idle(h, 50);
    assert_int_equal(house_hook(h).waiting, LIMIT_WAITING);
    receiver_set(h->receiver, RECEIVE_200);
    settle(h);
    (void)arrivals(h, from, &least);
    assert_int_equal(least, 1);
    assert_true(receiver_most_at_once(h->receiver) <= 8);
    house_free(&h);
}

static void what_was_tried_too_long_is_dead_and_can_be_revived(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ .patience_ms = 1, .at_once = 1 });
    struct chain_head head;
    uint32_t n;
    receiver_set(h->receiver, RECEIVE_500);
    house_start_hooks(h);
    house_say(h, "anna", "mail", true);
    house_until(h, rows(h, HOOK_DEAD) == 2 && house_hook(h).waiting == 0);
    settle(h);
    assert_int_equal(house_hook(h).dead, 2);
    receiver_set(h->receiver, RECEIVE_200);
    must(store_begin(h->store) == OK);
    must(store_revive_hook_messages(h->store, 0, NULL, &n) == OK);
    must(store_commit(h->store, clock_now_ms(), &head, NULL) == OK);
    assert_int_equal(n, 2);
    hooks_look(h->hooks);
    house_until(h, house_hook(h).told == 2);
    settle(h);
    assert_int_equal(rows(h, HOOK_DEAD), 0);
    house_free(&h);
}

static struct raw_answer gone = {
    STR_INIT("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), { 0 }, 0, 0, false
};

static void who_is_gone_is_paused_and_goes_on_when_told_so(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct house *h = house_with_hook((struct house_options){ 0 });
    struct chain_head head;
    receiver_say(h->receiver, &gone);
    receiver_set(h->receiver, RECEIVE_RAW);
    house_start_hooks(h);
    house_say(h, "anna", "mail", true);
    house_until(h, house_hook(h).state == DELIVER_PAUSED && row(h, &a).paused_ms > 0);
    house_until(h, house_hook(h).why[0] != 0);
    assert_non_null(strstr(house_hook(h).why, "410"));
    uint32_t before = receiver_count(h->receiver);
    house_say(h, "bert", "mail", true);
    house_idle(h, 50);
    assert_int_equal(receiver_count(h->receiver), before);
    receiver_set(h->receiver, RECEIVE_200);
    must(store_begin(h->store) == OK);
    must(store_set_hook_paused(h->store, row(h, &a).number, 0, STR("")) == OK);
    must(store_commit(h->store, clock_now_ms(), &head, NULL) == OK);
    hooks_look(h->hooks);
    settle(h);
    assert_int_equal(house_hook(h).told, 4);
    assert_int_equal(house_hook(h).state, DELIVER_CLOSED);
    house_free(&h);
}

/* The same hook, begun anew by a reload while something of the old one was to be written. */
static void what_the_old_one_had_to_write_does_not_touch_the_new_one(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct house *h = house_with_hook((struct house_options){ .at_once = 1 });
    struct chain_head head;
    receiver_set(h->receiver, RECEIVE_503);
    house_start_hooks(h);
    house_say(h, "anna", "mail", true);
    house_until(h, rows(h, HOOK_WAITING) == 1);
    struct hook_row r = row(h, &a);
    house_say(h, "bert", "mail", true);
    must(store_begin(h->store) == OK);
    uint32_t n;
    must(store_bury_hook_messages(h->store, r.number, STR("taken out"), 1, &n) == OK);
    r.start_ms++;
    r.start_seq = r.cursor = store_newest_fact(store_own_reader(h->store));
    must(store_put_hook(h->store, &r) == OK);
    must(store_commit(h->store, clock_now_ms(), &head, NULL) == OK);
    house_idle(h, 100); /* the old one goes on trying, and writing */
    assert_int_equal(cursor(h), r.cursor);
    assert_int_equal(rows(h, HOOK_WAITING), 0);
    assert_int_equal(rows(h, HOOK_DEAD), n);
    house_stop_hooks(h);
    assert_int_equal(cursor(h), r.cursor);
    receiver_set(h->receiver, RECEIVE_200);
    house_start_hooks(h);
    uint32_t before = receiver_count(h->receiver);
    house_say(h, "carl", "mail", true);
    settle(h);
    assert_int_equal(receiver_count(h->receiver), before + 2);
    house_free(&h);
}

static void what_failed_just_before_it_was_taken_out_is_written_all_the_same(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ .at_once = 1, .backoff_ms = 60000 });
    struct conf *with = h->conf, without = *h->conf;
    without.hook_count = 0;
    h->fail = 1;
    receiver_set(h->receiver, RECEIVE_500);
    house_start_hooks(h);
    house_say(h, "anna", "mail", true);
    house_until(h, h->fail == 0);
    assert_int_equal(rows(h, HOOK_WAITING), 0);
    h->conf = &without;
    house_reload(h);
    hooks_look(h->hooks);
    house_until(h, rows(h, HOOK_WAITING) == 1);
    house_crash_hooks(h);
    h->conf = with;
    house_free(&h);
}

static void a_stop_does_not_wait_for_a_receiver_that_never_answers(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ .send_ms = 60000 });
    receiver_set(h->receiver, RECEIVE_NEVER);
    house_start_hooks(h);
    for (uint32_t i = 0; i < 4; i++)
        house_say(h, house_guest(i), "mail", true);
    house_until(h, receiver_waiting(h->receiver) == 4);
    house_stop_hooks(h); /* or the test ends here */
    receiver_set(h->receiver, RECEIVE_200);
    receiver_release(h->receiver);
    house_start_hooks(h);
    settle(h);
    assert_int_equal(house_hook(h).told, 8);
    house_free(&h);
}

static void a_stop_does_not_wait_for_a_disk_that_is_full(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ 0 });
    int64_t from = cursor(h);
    uint32_t least;
    h->fail = INT32_MAX;
    house_start_hooks(h);
    house_say(h, "anna", "mail", true);
    house_until(h, house_hook(h).told == 2);
    house_stop_hooks(h); /* or the test ends here */
    assert_int_equal(cursor(h), from);
    h->fail = 0;
    house_start_hooks(h);
    settle(h);
    assert_int_equal(arrivals(h, from, &least), 4); /* again, since nobody knew */
    assert_int_equal(least, 2);
    house_free(&h);
}

static void reloads_disturb_nothing(void **state)
{
    (void)state;
    struct house *h = house_with_hook((struct house_options){ .at_once = 1 });
    house_start_hooks(h);
    for (uint32_t i = 0; i < 10; i++) {
        house_say(h, "anna", "mail", i % 2 == 0);
        house_reload(h);
        hooks_look(h->hooks);
    }
    settle(h);
    assert_int_equal(house_hook(h).told, 11);
    house_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_recorded_is_told_signed_and_once),
        cmocka_unit_test(every_bad_answer_is_followed_by_another_attempt),
        cmocka_unit_test(a_slow_answer_is_given_up_and_asked_again),
        cmocka_unit_test(a_crash_loses_nothing_and_changes_no_id),
        cmocka_unit_test(commits_that_fail_lose_nothing),
        cmocka_unit_test(a_backlog_is_read_piece_by_piece),
        cmocka_unit_test(what_was_tried_too_long_is_dead_and_can_be_revived),
        cmocka_unit_test(who_is_gone_is_paused_and_goes_on_when_told_so),
        cmocka_unit_test(what_the_old_one_had_to_write_does_not_touch_the_new_one),
        cmocka_unit_test(what_failed_just_before_it_was_taken_out_is_written_all_the_same),
        cmocka_unit_test(a_stop_does_not_wait_for_a_receiver_that_never_answers),
        cmocka_unit_test(a_stop_does_not_wait_for_a_disk_that_is_full),
        cmocka_unit_test(reloads_disturb_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
