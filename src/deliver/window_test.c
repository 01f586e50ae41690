#include "deliver/window.h"
#include "base/must.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { MOST = 8 };

static uint32_t room_of(const struct window *w, uint32_t most)
{
    struct window probe = *w;
    uint32_t n = 0;
    for (; window_has_room(&probe, most); probe.used++)
        n++;
    return n;
}

/* As many successes as it takes to open by one, all of them while it is full. */
static uint32_t successes_to_open(struct window *w)
{
    uint32_t before = window_size(w, MOST), n = 0;
    while (window_size(w, MOST) == before && n < 1000) {
        w->used = before;
        window_succeeded(w, MOST);
        n++;
    }
    w->used = 0;
    return n;
}

static void it_starts_with_four_if_so_many_are_allowed(void **state)
{
    (void)state;
    struct window w = { 0 };
    assert_int_equal(room_of(&w, MOST), WINDOW_FIRST);
    assert_int_equal(room_of(&w, 2), 2);
    assert_int_equal(room_of(&w, 1), 1);
}

static void it_opens_by_one_for_each_window_of_successes(void **state)
{
    (void)state;
    struct window w = { 0 };
    for (uint32_t size = WINDOW_FIRST; size < MOST; size++) {
        assert_int_equal(successes_to_open(&w), size);
        assert_int_equal(room_of(&w, MOST), size + 1);
    }
    assert_int_equal(successes_to_open(&w), 1000); /* never beyond what is allowed */
    assert_int_equal(room_of(&w, MOST), MOST);
}

static void what_is_not_used_does_not_grow(void **state)
{
    (void)state;
    struct window w = { .used = WINDOW_FIRST - 1 };
    for (int i = 0; i < 1000; i++)
        window_succeeded(&w, MOST);
    assert_int_equal(window_size(&w, MOST), WINDOW_FIRST);
}

static void one_that_is_seldom_used_grows_back_to_where_it_began(void **state)
{
    (void)state;
    struct window w = { .used = 1 };
    assert_false(window_failed(&w, MOST));
    for (int i = 0; i < 20; i++) /* one of twenty fails, one at a time */
        window_succeeded(&w, MOST);
    assert_int_equal(window_size(&w, MOST), WINDOW_FIRST);
    assert_false(window_failed(&w, MOST));
}

static void a_failure_halves_it_and_the_last_one_says_so(void **state)
{
    (void)state;
    struct window w = { .size = 8 };
    static const uint32_t then[] = { 4, 2, 1 };
    for (size_t i = 0; i < COUNT(then); i++) {
        assert_false(window_failed(&w, MOST));
        assert_int_equal(window_size(&w, MOST), then[i]);
    }
    assert_true(window_failed(&w, MOST));
    assert_true(window_failed(&w, MOST));
    assert_int_equal(room_of(&w, MOST), 1);
}

static void after_an_outage_it_opens_slowly(void **state)
{
    (void)state;
    struct window w = { .size = MOST };
    window_close(&w);
    uint32_t needed = 0;
    for (uint32_t size = 1; size < MOST; size++) {
        assert_int_equal(room_of(&w, MOST), size);
        needed += successes_to_open(&w);
    }
    assert_int_equal(needed, MOST * (MOST - 1) / 2);
}

static void a_failure_takes_back_what_success_had_saved(void **state)
{
    (void)state;
    struct window w = { .size = 4, .used = 4 };
    for (int i = 0; i < 3; i++)
        window_succeeded(&w, MOST);
    (void)window_failed(&w, MOST);
    w.used = 2;
    window_succeeded(&w, MOST);
    assert_int_equal(window_size(&w, MOST), 2);
    window_succeeded(&w, MOST);
    assert_int_equal(window_size(&w, MOST), 3);
}

static void a_lower_limit_of_the_configuration_holds_at_once(void **state)
{
    (void)state;
    struct window w = { .size = 8 };
    assert_int_equal(room_of(&w, 3), 3);
    assert_false(window_failed(&w, 3));
    assert_int_equal(room_of(&w, MOST), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_with_four_if_so_many_are_allowed),
        cmocka_unit_test(it_opens_by_one_for_each_window_of_successes),
        cmocka_unit_test(what_is_not_used_does_not_grow),
        cmocka_unit_test(one_that_is_seldom_used_grows_back_to_where_it_began),
        cmocka_unit_test(a_failure_halves_it_and_the_last_one_says_so),
        cmocka_unit_test(after_an_outage_it_opens_slowly),
        cmocka_unit_test(a_failure_takes_back_what_success_had_saved),
        cmocka_unit_test(a_lower_limit_of_the_configuration_holds_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
