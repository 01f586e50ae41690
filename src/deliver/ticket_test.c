#include "deliver/ticket.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const uint64_t ANNA = 1, BEN = 2, CARL = 3;

static bool yes(void *ctx)
{
    (void)ctx;
    return true;
}

static bool no(void *ctx)
{
    (void)ctx;
    return false;
}

static bool take(struct tickets *t, const struct id *request, const uint64_t *subject,
                 uint32_t count)
{
    return tickets_take(t, request, subject, count, yes, NULL);
}

static void barrier_waits_for_tickets_from_before_it_and_no_others(void **state)
{
    (void)state;
    struct tickets *t = tickets_new();
    struct id before = id_new(1), after = id_new(1), other = id_new(1);
    assert_true(take(t, &before, &ANNA, 1));
    assert_true(take(t, &other, &BEN, 1));
    struct barrier *b = barrier_open(t, false, ANNA, 0);
    assert_true(take(t, &after, &ANNA, 1));
    assert_false(barrier_passed(b, 1));
    tickets_give_back(t, &other);
    assert_false(barrier_passed(b, 1));
    tickets_give_back(t, &before);
    assert_true(barrier_passed(b, 1)); /* `after` is still out */
    barrier_close(&b);
    assert_null(b);
    tickets_give_back(t, &after);
    tickets_free(&t);
    assert_null(t);
}

static void nobody_is_waited_for_when_nothing_is_out(void **state)
{
    (void)state;
    struct tickets *t = tickets_new();
    struct barrier *one = barrier_open(t, false, ANNA, 0), *all = barrier_open(t, true, 0, 0);
    assert_true(barrier_passed(one, 0) && barrier_passed(all, 0));
    barrier_close(&one);
    barrier_close(&all);
    barrier_close(&all);
    tickets_free(&t);
}

static void barrier_for_everybody_waits_for_every_request(void **state)
{
    (void)state;
    struct tickets *t = tickets_new();
    struct id r[3] = { id_new(1), id_new(1), id_new(1) };
    const uint64_t pair[] = { BEN, CARL };
    assert_true(take(t, &r[0], &ANNA, 1));
    assert_true(take(t, &r[1], pair, 2));
    assert_true(take(t, &r[2], NULL, 0)); /* about nobody: still made under the old policy */
    struct barrier *b = barrier_open(t, true, 0, 0);
    for (int i = 0; i < 3; i++) {
        assert_false(barrier_passed(b, LIMIT_BARRIER_MS * 10));
        assert_false(tickets_must_cut(t, &r[i]));
        tickets_give_back(t, &r[i]);
    }
    assert_true(barrier_passed(b, 0));
    barrier_close(&b);
    tickets_free(&t);
}

static void only_a_request_with_her_alone_is_cut_and_only_after_the_limit(void **state)
{
    (void)state;
    struct tickets *t = tickets_new();
    struct id alone = id_new(1), twice = id_new(1), shared = id_new(1), other = id_new(1),
              later = id_new(1);
    const uint64_t pair[] = { BEN, ANNA }, same[] = { ANNA, ANNA };
    assert_true(take(t, &alone, &ANNA, 1));
    assert_true(take(t, &twice, same, 2)); /* two events of hers are still she alone */
    assert_true(take(t, &shared, pair, 2));
    assert_true(take(t, &other, &BEN, 1));
    struct barrier *b = barrier_open(t, false, ANNA, 5000);
    assert_true(take(t, &later, &ANNA, 1));
    assert_false(barrier_passed(b, 5000 + LIMIT_BARRIER_MS - 1));
    assert_false(tickets_must_cut(t, &alone));
    assert_false(barrier_passed(b, 5000 + LIMIT_BARRIER_MS));
    assert_true(tickets_must_cut(t, &alone));
    assert_true(tickets_must_cut(t, &twice));
    assert_false(tickets_must_cut(t, &shared));
    assert_false(tickets_must_cut(t, &other));
    assert_false(tickets_must_cut(t, &later));
    tickets_give_back(t, &alone);
    tickets_give_back(t, &twice);
    assert_false(tickets_must_cut(t, &alone));
    assert_false(barrier_passed(b, 90000)); /* the shared one is waited for */
    tickets_give_back(t, &shared);
    assert_true(barrier_passed(b, 90000));
    barrier_close(&b);
    tickets_give_back(t, &other);
    tickets_give_back(t, &later);
    tickets_free(&t);
}

static void returned(void *ctx)
{
    (*(int *)ctx)++;
}

static void taking_again_decides_again_and_keeps_its_age(void **state)
{
    (void)state;
    struct tickets *t = tickets_new();
    int returns = 0;
    tickets_on_return(t, returned, &returns);
    struct id r = id_new(1);
    assert_false(tickets_take(t, &r, &ANNA, 1, no, NULL));
    tickets_give_back(t, &r); /* none was taken: nothing happens */
    assert_int_equal(returns, 0);
    assert_true(take(t, &r, &ANNA, 1));
    struct barrier *b = barrier_open(t, false, ANNA, 0);
    assert_true(take(t, &r, &ANNA, 1));
    assert_false(barrier_passed(b, 0)); /* its first try may still be arriving */
    assert_false(tickets_take(t, &r, &ANNA, 1, no, NULL));
    assert_int_equal(returns, 1);
    assert_true(barrier_passed(b, 0));
    barrier_close(&b);
    assert_true(take(t, &r, &ANNA, 1));
    tickets_give_back(t, &r);
    tickets_give_back(t, &r);
    assert_int_equal(returns, 2);
    tickets_free(&t);
}

/* ---- threads ---- */

enum { SENDERS = 3, SUBJECTS = 8, WITHDRAWALS = 3000 };

struct world {
    struct tickets *t;
    bool withdrawn[SUBJECTS];     /* guarded by the tickets' lock alone: TSan would say so */
    atomic_int sending[SUBJECTS]; /* between a ticket and its return */
    atomic_bool over;
    atomic_ullong sent;
};

struct sending {
    struct world *w;
    uint32_t subject[2];
};

static bool both_agree(void *ctx)
{
    struct sending *s = ctx;
    return !s->w->withdrawn[s->subject[0]] && !s->w->withdrawn[s->subject[1]];
}

static void *sender(void *ctx)
{
    struct world *w = ctx;
    uint32_t n = 0;
    random_bytes(&n, sizeof n);
    while (!atomic_load(&w->over)) {
        struct sending s = { w, { n % SUBJECTS, n / 7 % SUBJECTS } };
        const uint64_t subject[2] = { s.subject[0], s.subject[1] };
        struct id r = id_new(1);
        n = n * 1664525u + 1013904223u;
        if (!tickets_take(w->t, &r, subject, 2, both_agree, &s))
            continue;
        /* the wire: what a barrier must not let anybody see after it has passed */
        atomic_fetch_add(&w->sending[s.subject[0]], 1);
        atomic_fetch_add(&w->sending[s.subject[1]], 1);
        atomic_fetch_add(&w->sent, 1);
        atomic_fetch_sub(&w->sending[s.subject[0]], 1);
        atomic_fetch_sub(&w->sending[s.subject[1]], 1);
        tickets_give_back(w->t, &r);
    }
    return NULL;
}

struct change {
    struct world *w;
    uint32_t subject;
    bool withdrawn;
};

static void change_state(void *ctx)
{
    struct change *c = ctx;
    c->w->withdrawn[c->subject] = c->withdrawn;
}

static void nothing_is_on_its_way_after_a_barrier_passed(void **state)
{
    (void)state;
    struct world w = { .t = tickets_new() };
    pthread_t thread[SENDERS];
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, sender, &w), 0);
    for (uint32_t i = 0; i < WITHDRAWALS; i++) {
        struct change c = { &w, i % SUBJECTS, true };
        tickets_locked(w.t, change_state, &c);
        struct barrier *b = barrier_open(w.t, false, c.subject, 0);
        while (!barrier_passed(b, 0))
            sched_yield();
        barrier_close(&b);
        for (int look = 0; look < 20; look++)
            assert_int_equal(atomic_load(&w.sending[c.subject]), 0);
        c.withdrawn = false;
        tickets_locked(w.t, change_state, &c);
    }
    while (atomic_load(&w.sent) == 0)
        sched_yield();
    atomic_store(&w.over, true);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    tickets_free(&w.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(barrier_waits_for_tickets_from_before_it_and_no_others),
        cmocka_unit_test(nobody_is_waited_for_when_nothing_is_out),
        cmocka_unit_test(barrier_for_everybody_waits_for_every_request),
        cmocka_unit_test(only_a_request_with_her_alone_is_cut_and_only_after_the_limit),
        cmocka_unit_test(taking_again_decides_again_and_keeps_its_age),
        cmocka_unit_test(nothing_is_on_its_way_after_a_barrier_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
