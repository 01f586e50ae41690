#include "api/limit.h"

#include <stdio.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

static void a_bucket_empties_and_fills_again(void **state)
{
    (void)state;
    struct limiter *l = limiter_new();
    uint32_t wait = 0;
    for (int i = 0; i < 50; i++)
        assert_true(limiter_take(l, LIMIT_ADDRESS, STR("203.0.113.7"), 50, 1000, 1, 10, &wait));
    assert_false(limiter_take(l, LIMIT_ADDRESS, STR("203.0.113.7"), 50, 1000, 1, 10, &wait));
    assert_int_equal(wait, 1);
    assert_true(limiter_take(l, LIMIT_ADDRESS, STR("203.0.113.8"), 50, 1000, 1, 10, &wait));
    assert_true(limiter_take(l, LIMIT_KEY, STR("203.0.113.7"), 50, 1000, 1, 10, &wait));
    assert_true(limiter_take(l, LIMIT_ADDRESS, STR("203.0.113.7"), 50, 1000, 1, 30, &wait));
    assert_false(limiter_take(l, LIMIT_ADDRESS, STR("203.0.113.7"), 50, 1000, 1, 30, &wait));
    assert_int_equal(limiter_refused(l, LIMIT_ADDRESS), 2);
    limiter_free(&l);
}

static void many_strangers_do_not_free_a_busy_one(void **state)
{
    (void)state;
    struct limiter *l = limiter_new();
    uint32_t wait = 0, passed = 0;
    for (int i = 0; i < 20000; i++) {
        char who[32];
        (void)snprintf(who, sizeof who, "10.%d.%d.1", i / 256, i % 256);
        assert_true(limiter_take(l, LIMIT_ADDRESS, str_of(who), 5, 60000, 1, i / 100, &wait));
        passed += limiter_take(l, LIMIT_ADDRESS, STR("203.0.113.7"), 5, 60000, 1, i / 100, &wait);
    }
    assert_int_equal(passed, 5);
    limiter_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_fills_again),
        cmocka_unit_test(many_strangers_do_not_free_a_busy_one),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
