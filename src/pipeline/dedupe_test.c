#include "pipeline/dedupe.h"
#include "base/must.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

static uint64_t mixed(uint64_t i)
{
    i *= 0x9e3779b97f4a7c15u;
    return i ^ i >> 29;
}

static void an_id_is_seen_once_within_the_window(void **state)
{
    (void)state;
    struct dedupe *d = dedupe_new(100000, 1000);
    for (uint64_t i = 1; i <= 50000; i++)
        assert_false(dedupe_seen(d, mixed(i), 10));
    for (uint64_t i = 1; i <= 50000; i++)
        assert_true(dedupe_seen(d, mixed(i), 500));
    assert_false(dedupe_seen(d, mixed(1), 1010)); /* its time is over */
    assert_true(dedupe_seen(d, mixed(1), 1011));
    dedupe_free(&d);
}

static void the_oldest_goes_when_it_is_full(void **state)
{
    (void)state;
    struct dedupe *d = dedupe_new(3000, 1000);
    for (uint64_t i = 1; i <= 200000; i++)
        assert_false(dedupe_seen(d, mixed(i), 1));
    assert_false(dedupe_seen(d, mixed(200000 - 3000), 1));
    assert_true(dedupe_seen(d, mixed(200000 - 2998), 1));
    dedupe_free(&d);
}

static void a_failed_group_is_forgotten(void **state)
{
    (void)state;
    struct dedupe *d = dedupe_new(5000, 1000);
    for (uint64_t i = 1; i <= 3000; i++)
        assert_false(dedupe_seen(d, mixed(i), 1));
    uint64_t mark = dedupe_mark(d);
    for (uint64_t i = 3001; i <= 4500; i++)
        assert_false(dedupe_seen(d, mixed(i), 1));
    dedupe_rollback(d, mark);
    for (uint64_t i = 1; i <= 3000; i++)
        assert_true(dedupe_seen(d, mixed(i), 1));
    for (uint64_t i = 3001; i <= 4500; i++)
        assert_false(dedupe_seen(d, mixed(i), 1));
    dedupe_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_seen_once_within_the_window),
        cmocka_unit_test(the_oldest_goes_when_it_is_full),
        cmocka_unit_test(a_failed_group_is_forgotten),
    };
    return cmocka_run_group_tests_name("dedupe", tests, NULL, NULL);
}
