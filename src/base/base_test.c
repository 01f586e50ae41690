#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void arena_gives_zeroed_aligned_memory_and_reuses_it(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    for (int round = 0; round < 3; round++) {
        for (size_t n = 0; n < 5000; n += 7) {
            char *p = arena_alloc(&a, n);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, n);
        }
        assert_true(arena_size(&a) > 1000000);
        arena_clear(&a);
        assert_true(arena_size(&a) <= 16 * 1024);
    }
    struct str s = arena_printf(&a, "%s-%d", "x", 7);
    assert_true(str_eq(s, STR("x-7")));
    assert_int_equal(s.p[s.n], 0);
}

static void an_array_in_an_arena_grows_with_what_is_in_it(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    uint32_t *array = NULL, cap = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        array = arena_grown(&a, array, sizeof *array, i, &cap);
        assert_true(cap > i);
        array[i] = i;
    }
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(array[i], i);
}

static void buffer_stops_at_its_maximum(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf b = BUF_INIT(10);
    buf_lit(&b, "123456");
    buf_lit(&b, "7890");
    assert_false(b.over);
    buf_byte(&b, 'x');
    assert_true(b.over);
    assert_true(str_eq(buf_view(&b), STR("1234567890")));
    buf_clear(&b);
    buf_u16(&b, 0xbeef);
    buf_u64(&b, UINT64_MAX - 1);
    assert_false(b.over);
    struct str s = buf_view(&b);
    uint16_t v16;
    uint64_t v64;
    uint8_t v8;
    assert_true(take_u16(&s, &v16) && v16 == 0xbeef);
    assert_true(take_u64(&s, &v64) && v64 == UINT64_MAX - 1);
    assert_false(take_u8(&s, &v8));
    AUTO(buf_fini) struct buf none = BUF_INIT(10);
    struct str nothing = { 0 }, part;
    buf_str(&none, nothing); /* nothing, to where nothing is yet */
    assert_true(take_bytes(&nothing, 0, &part) && part.n == 0);
    assert_false(take_bytes(&nothing, 1, &part));
    assert_true(none.n == 0 && !none.over);
}

static void strings_split_and_compare(void **state)
{
    (void)state;
    struct str rest = STR("a..b"), part;
    assert_true(str_next(&rest, '.', &part) && str_eq(part, STR("a")));
    assert_true(str_next(&rest, '.', &part) && part.n == 0);
    assert_true(str_next(&rest, '.', &part) && str_eq(part, STR("b")));
    assert_false(str_next(&rest, '.', &part));
    assert_true(str_eq_nocase(STR("ApiKey"), STR("APIKEY")));
    assert_false(str_eq_nocase(STR("a"), STR("ab")));
    assert_true(str_eq(str_trim(STR(" \t x y\r\n")), STR("x y")));
    assert_true(str_cmp(STR("ab"), STR("abc")) < 0 && str_cmp(STR("b"), STR("abc")) > 0);
    unsigned long long v;
    assert_true(str_to_u64(STR("0123"), &v) && v == 123);
    assert_false(str_to_u64(STR("1234567890123456789"), &v));
    assert_false(str_to_u64(STR("12a"), &v) || str_to_u64(STR(""), &v) ||
                 str_to_u64(STR("-1"), &v));
}

static void ids_grow_and_survive_text(void **state)
{
    (void)state;
    struct id last = { { 0 } };
    for (int i = 0; i < 20000; i++) {
        struct id id = id_new(1795310651242), back;
        assert_true(memcmp(&last, &id, sizeof id) < 0);
        char text[ID_TEXT + 1];
        id_format(&id, text);
        assert_int_equal(text[14], '7');
        assert_true(id_parse(str_of(text), &back) && memcmp(&back, &id, sizeof id) == 0);
        last = id;
    }
    assert_true(id_ms(&last) >= 1795310651242 && id_ms(&last) < 1795310651242 + 10);
    struct id id;
    assert_false(id_parse(STR("0190b5c7-0000-7000-8000-00000000000g"), &id));
    assert_false(id_parse(STR("0190b5c7+0000-7000-8000-000000000000"), &id));
}

static void a_clock_that_was_set_back_goes_on_at_half_the_pace(void **state)
{
    (void)state;
    static const struct {
        int64_t seen, even, told;
    } rows[] = {
        { 5000, 100, 5000 },  { 5000, 300, 5100 },  { 5100, 1100, 5500 },
        { 9000, 1200, 9000 }, /* the system's clock had caught up, and was set back again */
        { 9000, 1201, 9000 }, { 9000, 1202, 9001 },
    };
    struct clock_creep c = { 0 };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(clock_creep(&c, rows[i].seen, rows[i].even), rows[i].told);
}

static void clock_does_not_run_backwards(void **state)
{
    (void)state;
    int64_t ahead = clock_now_ms() + 60000;
    clock_not_before(ahead);
    assert_true(clock_now_ms() >= ahead);
}

static void errors_are_cut_never_overrun(void **state)
{
    (void)state;
    char *longer = must_alloc_zero(2000);
    memset(longer, 'x', 1999);
    struct err_info info;
    assert_int_equal(err_set(&info, ERR_VALUE, longer, "%s", longer), ERR_VALUE);
    assert_int_equal(strlen(info.field), sizeof info.field - 1);
    assert_int_equal(strlen(info.text), sizeof info.text - 1);
    assert_int_equal(err_set(NULL, ERR_IO, NULL, "x"), ERR_IO);
    free(longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory_and_reuses_it),
        cmocka_unit_test(an_array_in_an_arena_grows_with_what_is_in_it),
        cmocka_unit_test(buffer_stops_at_its_maximum),
        cmocka_unit_test(strings_split_and_compare),
        cmocka_unit_test(ids_grow_and_survive_text),
        cmocka_unit_test(a_clock_that_was_set_back_goes_on_at_half_the_pace),
        cmocka_unit_test(clock_does_not_run_backwards),
        cmocka_unit_test(errors_are_cut_never_overrun),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
