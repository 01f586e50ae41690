/* Which message may go, and how far a hook is. */
#include "deliver/hook_priv.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct hooks hooks;

static struct hook *new_hook(int64_t scanned)
{
    struct hook *k = calloc(1, sizeof *k);
    k->hooks = &hooks;
    k->scanned = scanned;
    return k;
}

static void free_hook(struct hook **k)
{
    while ((*k)->first != NULL) {
        struct message *m = (*k)->first;
        message_free(&m);
    }
    assert_int_equal((*k)->count, 0);
    assert_null((*k)->last);
    free(*k);
}

static struct message *put(struct hook *k, int64_t seq, int64_t order)
{
    struct hook_message row = { .seq = seq, .id = id_new(1000 + seq) };
    return hook_put(k, &row, order, false);
}

static struct message *next(struct hook *k, int64_t now_ms)
{
    int64_t due;
    return hook_next(k, now_ms, &due);
}

static void messages_stand_in_the_order_of_their_facts_each_once(void **state)
{
    (void)state;
    AUTO(free_hook) struct hook *k = new_hook(9);
    static const int64_t seq[] = { 5, 2, 9, 7, 2, 5, 9, 1 };
    int made = 0;
    for (size_t i = 0; i < COUNT(seq); i++)
        made += put(k, seq[i], 1) != NULL;
    assert_int_equal(made, 5);
    assert_int_equal(k->count, 5);
    int64_t last = 0;
    for (const struct message *m = k->first; m != NULL; m = m->next) {
        assert_true(m->row.seq > last);
        last = m->row.seq;
        assert_ptr_equal(m->next == NULL ? k->last : m->next->prev, m);
    }
}

static void of_one_order_only_the_first_may_go(void **state)
{
    (void)state;
    AUTO(free_hook) struct hook *k = new_hook(9);
    struct message *a1 = put(k, 1, 7), *b1 = put(k, 2, 8), *a2 = put(k, 3, 7), *n = put(k, 4, -3);
    assert_ptr_equal(next(k, 100), a1);
    a1->state = MESSAGE_FLYING;
    assert_ptr_equal(next(k, 100), b1);
    b1->state = MESSAGE_FLYING;
    assert_ptr_equal(next(k, 100), n);
    n->state = MESSAGE_FLYING;
    assert_null(next(k, 100)); /* a2 waits for a1 … */
    a1->state = MESSAGE_READY;
    a1->row.attempts = 1;
    a1->row.at_ms = 100;
    a1->row.next_ms = 200;
    int64_t due;
    assert_null(hook_next(k, 199, &due)); /* … also between its attempts */
    assert_int_equal(due, 200);
    assert_ptr_equal(next(k, 200), a1);
    message_end(a1, MESSAGE_OVER);
    assert_ptr_equal(next(k, 100), a2);
}

static void what_is_finished_but_not_written_holds_nobody_up(void **state)
{
    (void)state;
    AUTO(free_hook) struct hook *k = new_hook(9);
    struct message *a1 = put(k, 1, 7), *a2 = put(k, 3, 7);
    a1->stored = true; /* its row must go first */
    message_end(a1, MESSAGE_OVER);
    assert_int_equal(k->count, 2);
    assert_true(a1->dirty);
    assert_ptr_equal(next(k, 100), a2);
    a2->stored = true;
    message_end(a2, MESSAGE_DEAD);
    assert_true(a2->dirty && a2->row.state == HOOK_DEAD);
    assert_null(next(k, 100));
    assert_int_equal(hook_mark(k), 9);
}

static void probing_takes_what_was_tried_before(void **state)
{
    (void)state;
    AUTO(free_hook) struct hook *k = new_hook(9);
    struct message *fresh = put(k, 1, 1), *tried = put(k, 2, 2);
    tried->row.attempts = 4;
    tried->row.at_ms = 50;
    tried->row.next_ms = 1000000; /* its own time does not count: the circuit's does */
    k->backoff.failures = 3;
    assert_ptr_equal(next(k, 100), tried);
    tried->state = MESSAGE_FLYING;
    assert_ptr_equal(next(k, 100), fresh);
    tried->state = MESSAGE_READY;
    k->backoff = (struct backoff){ 0 };
    assert_ptr_equal(next(k, 100), fresh);
    fresh->state = MESSAGE_FLYING;
    assert_null(next(k, 100));
    k->backoff.reopened_ms = 60; /* after an outage everything is due */
    assert_ptr_equal(next(k, 100), tried);
}

static void the_mark_is_before_the_oldest_that_is_not_finished(void **state)
{
    (void)state;
    AUTO(free_hook) struct hook *k = new_hook(9);
    assert_int_equal(hook_mark(k), 9);
    assert_int_equal(hook_oldest_ms(k), 0);
    struct message *a = put(k, 4, 1), *b = put(k, 6, 2);
    assert_int_equal(hook_mark(k), 3);
    assert_int_equal(hook_oldest_ms(k), id_ms(&a->row.id));
    message_end(b, MESSAGE_OVER); /* overtaken by a stranger */
    assert_int_equal(hook_mark(k), 3);
    assert_int_equal(k->finished, 6);
    message_end(a, MESSAGE_OVER);
    assert_int_equal(hook_mark(k), 9);
    assert_int_equal(k->finished, 6);
}

static void many_orders_are_told_apart(void **state)
{
    (void)state;
    AUTO(free_hook) struct hook *k = new_hook(2 * LIMIT_WAITING);
    uint32_t begun = 0;
    for (int64_t i = 1; i <= 2 * LIMIT_WAITING; i++)
        (void)put(k, i, (i % LIMIT_WAITING + 1) << 20); /* two of each */
    for (struct message *m; (m = next(k, 1)) != NULL; begun++)
        m->state = MESSAGE_FLYING;
    assert_int_equal(begun, LIMIT_WAITING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_stand_in_the_order_of_their_facts_each_once),
        cmocka_unit_test(of_one_order_only_the_first_may_go),
        cmocka_unit_test(what_is_finished_but_not_written_holds_nobody_up),
        cmocka_unit_test(probing_takes_what_was_tried_before),
        cmocka_unit_test(the_mark_is_before_the_oldest_that_is_not_finished),
        cmocka_unit_test(many_orders_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
