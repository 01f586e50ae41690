#include "deliver/backoff.h"
#include "base/limits.h"
#include "base/must.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void delays_double_to_a_quarter_of_an_hour_with_full_jitter(void **state)
{
    (void)state;
    static const struct {
        uint32_t attempts;
        int64_t most;
    } rows[] = { { 1, 1000 },    { 2, 2000 },    { 3, 4000 },    { 9, 256000 },
                 { 10, 512000 }, { 11, 900000 }, { 12, 900000 }, { 4000000, 900000 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t least = INT64_MAX, most = 0;
        for (int n = 0; n < 2000; n++) {
            int64_t ms = backoff_delay(1000, rows[i].attempts, 0);
            least = ms < least ? ms : least;
            most = ms > most ? ms : most;
        }
        assert_true(least >= 0 && most <= rows[i].most);
        /* 2,000 throws miss the outer fiftieth once in 10^17 times */
        assert_true(least < rows[i].most / 50 && most > rows[i].most - rows[i].most / 50);
    }
}

static void what_the_receiver_asks_is_heeded_within_a_day(void **state)
{
    (void)state;
    assert_true(backoff_delay(1000, 1, 7) == 7000);
    assert_true(backoff_delay(1000, 1, INT64_MAX) == (int64_t)LIMIT_RETRY_AFTER_S * 1000);
    assert_true(backoff_delay(1000, 1, -5) <= 1000);
    int64_t longest = 0;
    for (int n = 0; n < 1000; n++) {
        int64_t ms = backoff_delay(1000, 12, 1); /* its own step is longer */
        assert_true(ms >= 1000 && ms <= BACKOFF_MOST_MS);
        longest = ms > longest ? ms : longest;
    }
    assert_true(longest > 10000);
}

static void a_later_failure_does_not_shorten_what_was_asked(void **state)
{
    (void)state;
    struct backoff b = { 0 };
    backoff_failed(&b, 1000, 10000, 60, true);
    assert_true(b.until_ms == 70000 && b.failures == 1 && b.outage);
    backoff_failed(&b, 1000, 10000, 0, false);
    assert_true(b.until_ms == 70000 && b.failures == 2 && !b.outage);
}

static void success_opens_again_and_says_since_when(void **state)
{
    (void)state;
    struct backoff b = { 0 };
    assert_false(backoff_succeeded(&b, 5));
    assert_true(b.reopened_ms == 0);
    backoff_failed(&b, 1000, 10, 0, false);
    assert_true(
        backoff_succeeded(&b, 20)); /* an answer about one request: others are not hastened */
    assert_true(b.reopened_ms == 0 && b.until_ms == 0 && b.failures == 0);
    backoff_failed(&b, 1000, 30, 0, true);
    assert_true(backoff_succeeded(&b, 40));
    assert_true(b.reopened_ms == 40 && !b.outage);
    struct backoff fresh = { .outage = true };
    assert_false(backoff_succeeded(&fresh, 50));           /* nothing had failed … */
    assert_true(fresh.reopened_ms == 50 && !fresh.outage); /* … that this process knows of */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_to_a_quarter_of_an_hour_with_full_jitter),
        cmocka_unit_test(what_the_receiver_asks_is_heeded_within_a_day),
        cmocka_unit_test(a_later_failure_does_not_shorten_what_was_asked),
        cmocka_unit_test(success_opens_again_and_says_since_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
