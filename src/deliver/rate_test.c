#include "deliver/rate.h"
#include "base/must.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const int64_t start = 1795310651000;

/* Takes whatever may pass, asking at each ms; returns how many passed within [from, to). */
static uint32_t pass(struct rate *r, uint32_t per_second, uint32_t n, int64_t from, int64_t to)
{
    uint32_t passed = 0;
    for (int64_t at = from; at < to; at++)
        while (rate_ready_ms(r, per_second, n, at) <= at) {
            rate_take(r, per_second, n, at);
            passed += n;
        }
    return passed;
}

static void within_n_seconds_n_plus_one_seconds_worth_pass(void **state)
{
    (void)state;
    static const struct {
        uint32_t per_second, n;
    } rows[] = { { 1, 1 }, { 7, 1 }, { 50, 50 }, { 50, 20 }, { 1000, 7 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rate r = { 0 };
        uint32_t per_second = rows[i].per_second,
                 passed = pass(&r, per_second, rows[i].n, start, start + 5000);
        assert_true(passed <= 6 * per_second);
        assert_true(passed + rows[i].n > 5 * per_second); /* nor much less */
    }
}

static void without_a_limit_everything_passes(void **state)
{
    (void)state;
    struct rate r = { 0 };
    for (int i = 0; i < 1000; i++) {
        assert_true(rate_ready_ms(&r, 0, UINT32_MAX, start) == start);
        rate_take(&r, 0, UINT32_MAX, start);
    }
}

static void it_says_when(void **state)
{
    (void)state;
    struct rate r = { 0 };
    rate_take(&r, 10, 10, start);
    assert_true(rate_ready_ms(&r, 10, 1, start) == start + 100);
    assert_true(rate_ready_ms(&r, 10, 10, start) == start + 1000);
    assert_true(rate_ready_ms(&r, 10, 1, start + 99) > start + 99);
    assert_true(rate_ready_ms(&r, 10, 1, start + 100) == start + 100);
}

static void more_than_a_second_holds_passes_alone_and_is_paid_for(void **state)
{
    (void)state;
    struct rate r = { 0 };
    assert_true(rate_ready_ms(&r, 10, 45, start) == start);
    rate_take(&r, 10, 45, start);
    assert_true(rate_ready_ms(&r, 10, 1, start) == start + 3600);
    assert_true(rate_ready_ms(&r, 10, 45, start) == start + 4500);
}

static void long_rest_saves_one_second_only(void **state)
{
    (void)state;
    struct rate r = { 0 };
    rate_take(&r, 10, 10, start);
    assert_int_equal(pass(&r, 10, 1, start + 86400000, start + 86400001), 10);
    rate_take(&r, 1000000, 1, INT64_MAX / 2); /* nor does a far clock overflow */
    assert_true(r.level <= 1000000000);
}

static void clock_that_is_set_back_costs_nothing(void **state)
{
    (void)state;
    struct rate r = { 0 };
    rate_take(&r, 10, 10, start);
    assert_true(rate_ready_ms(&r, 10, 1, start - 60000) == start - 60000 + 100);
    assert_true(rate_ready_ms(&r, 10, 1, start - 60000 + 100) == start - 60000 + 100);
}

static void a_lowered_limit_holds_at_once(void **state)
{
    (void)state;
    struct rate r = { 0 };
    assert_true(rate_ready_ms(&r, 1000, 1, start) == start);
    assert_int_equal(pass(&r, 2, 1, start, start + 1), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_n_seconds_n_plus_one_seconds_worth_pass),
        cmocka_unit_test(without_a_limit_everything_passes),
        cmocka_unit_test(it_says_when),
        cmocka_unit_test(more_than_a_second_holds_passes_alone_and_is_paid_for),
        cmocka_unit_test(long_rest_saves_one_second_only),
        cmocka_unit_test(clock_that_is_set_back_costs_nothing),
        cmocka_unit_test(a_lowered_limit_holds_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
