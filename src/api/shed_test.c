#include "api/shed.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

enum { MS = 1000, BATCH = 100 * 1000 };

/* One turn in which batches come that take `each_us`, and a commit; how many were taken. */
static unsigned turn(struct shed *s, int64_t *now, unsigned batches, int64_t each_us,
                     int64_t commit_us)
{
    static uint64_t commits;
    unsigned taken = 0;
    shed_turn_begin(s, *now, commits);
    for (unsigned i = 0; i < batches; i++) {
        bool promised;
        if (shed_expect(s, WORTH_EVENT, BATCH, &promised) != SHED_NOT ||
            shed_admit(s, WORTH_EVENT, BATCH, promised, *now) != SHED_NOT)
            continue;
        *now += each_us;
        if (shed_watches(s))
            shed_worked(s, BATCH, each_us);
        taken++;
    }
    *now += commit_us;
    commits += (uint64_t)commit_us;
    shed_turn_end(s, *now, commits);
    return taken;
}

static void what_can_be_done_is_taken_for_ever(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(turn(&s, &now, 5, MS, MS), 5);
    assert_int_equal(s.refused[SHED_TIME], 0);
}

static void one_burst_is_taken_whole(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(turn(&s, &now, 140, MS, MS), 140);
        assert_int_equal(turn(&s, &now, 1, MS, MS), 1);
        now += 300 * MS;
    }
    assert_false(s.busy);
}

static void short_turns_between_long_ones_are_no_pause(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(turn(&s, &now, 100, MS, MS), 100);
        assert_int_equal(turn(&s, &now, 1, MS, MS), 1);
    }
    assert_true(s.busy);
    assert_true(turn(&s, &now, 100, MS, MS) < 10);
}

static void the_second_time_is_as_the_first(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    for (int i = 0; i < 10; i++)
        (void)turn(&s, &now, 100, MS, MS);
    now += 10000 * MS;
    for (int i = 0; i < 10; i++)
        (void)turn(&s, &now, 0, MS, 0);
    assert_false(s.busy);
    for (int i = 0; i < 3; i++)
        assert_int_equal(turn(&s, &now, 100, MS, MS), 100);
    assert_int_equal(turn(&s, &now, 0, MS, 0), 0); /* only answers */
    assert_true(s.busy);
}

static void one_stall_of_the_disk_does_not_make_the_next_turn_long(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    unsigned before = 0;
    for (int i = 0; i < 100; i++)
        before = turn(&s, &now, 1000, MS / 10, MS);
    assert_true(s.busy);
    (void)turn(&s, &now, 1000, MS / 10, 50 * MS);
    /* 250, were it the disk's new pace; 60 are a long turn */
    assert_in_range(turn(&s, &now, 1000, MS / 10, MS), before, 25);
    assert_int_equal(turn(&s, &now, 1000, MS / 10, MS), before);
}

static void who_is_kept_waiting_is_let_go_in_time(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    assert_int_equal(shed_release(&s, 5000), 5000); /* not busy: all */
    for (int i = 0; i < 10; i++)
        (void)turn(&s, &now, 1000, MS, MS);
    uint32_t kept = 10000, turns = 0;
    for (; kept > 0; turns++) {
        uint32_t n = shed_release(&s, kept);
        assert_true(n > 0 && n < 1000);
        kept -= n < kept ? n : kept;
    }
    assert_true(turns < 100);
}

static void when_it_does_not_end_turns_become_short(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1, last = 0;
    unsigned taken = 0;
    for (int i = 0; i < 200; i++) {
        last = now;
        unsigned n = turn(&s, &now, 1000, MS, MS / 2);
        assert_true(n > 0 && n <= 151);
        taken += n;
    }
    assert_true(s.busy);
    assert_true(now - last <= 5 * MS);
    assert_true(taken < 200 * 10);
    assert_int_equal(s.refused[SHED_TIME], 200 * 1000 - taken);
}

static void on_a_slow_disk_a_turn_takes_more_but_not_without_end(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    unsigned n = 0;
    for (int i = 0; i < 200; i++)
        n = turn(&s, &now, 1000, MS, 40 * MS);
    assert_in_range(n, 18, 22);
    for (int i = 0; i < 200; i++)
        n = turn(&s, &now, 1000, MS, 1000 * MS);
    assert_in_range(n, 23, 27);
}

static void when_it_is_over_all_is_taken_again(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    for (int i = 0; i < 10; i++)
        (void)turn(&s, &now, 1000, MS, MS);
    assert_true(s.busy);
    for (int i = 0; i < 200; i++)
        (void)turn(&s, &now, 1, MS, 5 * MS);
    assert_false(s.busy);
    assert_int_equal(turn(&s, &now, 100, MS, MS), 100);
}

/* However slow the machine: their own waiting is limit enough. */
static void a_few_clients_are_never_refused_by_time(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    for (int i = 0; i < 200; i++)
        assert_int_equal(turn(&s, &now, 4, 20 * MS, 50 * MS), 4);
    assert_int_equal(s.refused[SHED_TIME], 0);
    assert_true(turn(&s, &now, 40, 20 * MS, 50 * MS) < 40);
}

static void single_messages_acts_and_health_are_not_refused_by_time(void **state)
{
    (void)state;
    struct shed s = { 0 };
    int64_t now = 1;
    bool promised;
    for (int i = 0; i < 10; i++)
        (void)turn(&s, &now, 1000, MS, MS);
    shed_turn_begin(&s, now, 0);
    shed_worked(&s, BATCH, 100 * MS);
    for (int i = 0; i < 4; i++) /* as many are taken in every turn */
        assert_int_equal(shed_admit(&s, WORTH_EVENT, BATCH, false, now), SHED_NOT);
    assert_int_equal(shed_expect(&s, WORTH_EVENT, BATCH, &promised), SHED_TIME);
    assert_int_equal(shed_admit(&s, WORTH_EVENT, BATCH, false, now), SHED_TIME);
    assert_int_equal(shed_admit(&s, WORTH_EVENT, BATCH, true, now), SHED_NOT); /* promised */
    static const enum worth others[] = { WORTH_READ, WORTH_ACT, WORTH_ALWAYS };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(shed_expect(&s, others[i], BATCH, &promised), SHED_NOT);
        assert_int_equal(shed_admit(&s, others[i], BATCH, false, now + 10000 * MS), SHED_NOT);
    }
    assert_int_equal(shed_expect(&s, WORTH_EVENT, 500, &promised), SHED_NOT);
    assert_int_equal(shed_admit(&s, WORTH_EVENT, 500, false, now + 100 * MS), SHED_NOT);
    assert_int_equal(shed_admit(&s, WORTH_EVENT, 500, false, now + 1000 * MS), SHED_TIME);
}

static void bodies_of_events_leave_room_for_acts(void **state)
{
    (void)state;
    struct shed s = { 0 };
    size_t held = 0;
    while (shed_body(&s, WORTH_EVENT, 65536))
        held += 65536;
    assert_int_equal(held, LIMIT_BODIES / 2);
    assert_int_equal(s.refused[SHED_BODY], 1);
    assert_true(shed_body(&s, WORTH_READ, 65536));
    while (shed_body(&s, WORTH_ACT, 65536))
        held += 65536;
    assert_int_equal(s.bodies, LIMIT_BODIES);
    assert_false(shed_body(&s, WORTH_READ, 1));
    shed_body_gone(&s, s.bodies);
    assert_true(shed_body(&s, WORTH_EVENT, 65536));
}

static void the_queue_of_the_reader_is_bounded(void **state)
{
    (void)state;
    struct shed s = { .looks = LIMIT_LOOKS - 1 };
    assert_true(shed_look(&s, WORTH_READ));
    s.looks++;
    assert_false(shed_look(&s, WORTH_READ));
    assert_true(shed_look(&s, WORTH_ALWAYS));
    assert_int_equal(s.refused[SHED_LOOKS], 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_done_is_taken_for_ever),
        cmocka_unit_test(one_burst_is_taken_whole),
        cmocka_unit_test(short_turns_between_long_ones_are_no_pause),
        cmocka_unit_test(the_second_time_is_as_the_first),
        cmocka_unit_test(one_stall_of_the_disk_does_not_make_the_next_turn_long),
        cmocka_unit_test(who_is_kept_waiting_is_let_go_in_time),
        cmocka_unit_test(when_it_does_not_end_turns_become_short),
        cmocka_unit_test(on_a_slow_disk_a_turn_takes_more_but_not_without_end),
        cmocka_unit_test(when_it_is_over_all_is_taken_again),
        cmocka_unit_test(a_few_clients_are_never_refused_by_time),
        cmocka_unit_test(single_messages_acts_and_health_are_not_refused_by_time),
        cmocka_unit_test(bodies_of_events_leave_room_for_acts),
        cmocka_unit_test(the_queue_of_the_reader_is_bounded),
    };
    return cmocka_run_group_tests_name("shed", tests, NULL, NULL);
}
