#include "deliver/names.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { MANY = 300 };

/* One request's sets, as the store would give them back. */
struct request {
    struct arena a;
    struct names names;
    struct delivery_item item[MANY];
    uint32_t count;
    struct str sets;
};

static struct request *start(void)
{
    static struct request r;
    r = (struct request){ .a = ARENA_INIT };
    names_start(&r.names, &r.a);
    return &r;
}

static void add(struct request *r, struct str names, bool cut)
{
    r->item[r->count++].fields = names_add(&r->names, names, cut);
}

static void join(struct request *r)
{
    r->sets = names_join(&r->names, r->item, r->count, &r->a);
}

static uint32_t lines(const struct request *r)
{
    uint32_t n = 1;
    for (size_t i = 0; i < r->sets.n; i++)
        n += r->sets.p[i] == '\n';
    return n;
}

static const char *names_of(struct request *r, uint32_t i)
{
    struct str names;
    assert_true(r->item[i].fields < LIMIT_FIELD_SETS);
    assert_true(delivery_fields(r->sets, r->item[i].fields, &names));
    return arena_str(&r->a, names).p;
}

static struct str numbered(struct request *r, uint32_t i)
{
    return arena_printf(&r->a, "event,properties.p%03u", i);
}

static void sets_that_differ_are_kept_once(void **state)
{
    (void)state;
    static const char *const names[] = { "a,b", "", "a,b", "a", "", "a,bb", "a", "b" };
    struct request *r = start();
    for (uint32_t i = 0; i < COUNT(names); i++)
        add(r, str_of(names[i]), false);
    join(r);
    assert_int_equal(lines(r), 5);
    for (uint32_t i = 0; i < COUNT(names); i++)
        assert_string_equal(names_of(r, i), names[i]);
    arena_fini(&r->a);
}

static void nothing_is_one_empty_set(void **state)
{
    (void)state;
    struct request *r = start();
    join(r);
    assert_int_equal(r->sets.n, 0);
    r->count = 1; /* as it is when nobody gave it a number */
    assert_string_equal(names_of(r, 0), "");
    arena_fini(&r->a);
}

static void what_is_beyond_the_number_of_sets_shares_the_last(void **state)
{
    (void)state;
    struct request *r = start();
    for (uint32_t i = 0; i < LIMIT_FIELD_SETS + 2; i++)
        add(r, numbered(r, i), false);
    add(r, numbered(r, 5), false); /* has its own */
    add(r, STR(""), false);
    join(r);
    assert_int_equal(lines(r), LIMIT_FIELD_SETS);
    for (uint32_t i = 0; i < LIMIT_FIELD_SETS - 1; i++)
        assert_string_equal(names_of(r, i), numbered(r, i).p);
    const char *shared = "event,properties.p127,properties.p128,properties.p129";
    for (uint32_t i = LIMIT_FIELD_SETS - 1; i < LIMIT_FIELD_SETS + 2; i++)
        assert_string_equal(names_of(r, i), shared);
    assert_string_equal(names_of(r, LIMIT_FIELD_SETS + 2), numbered(r, 5).p);
    assert_string_equal(names_of(r, LIMIT_FIELD_SETS + 3), shared);
    arena_fini(&r->a);
}

/* n bytes of names, 8 each, that begin with `first`. */
static struct str long_names(struct request *r, char first, size_t n)
{
    struct buf b = BUF_INIT(1u << 20);
    for (uint32_t i = 0; b.n < n; i++)
        buf_printf(&b, "%s%c%06u", i ? "," : "", first, i);
    b.n = n;
    struct str s = arena_str(&r->a, buf_view(&b));
    buf_fini(&b);
    return s;
}

static void a_long_set_shares_and_leaves_the_others_their_own(void **state)
{
    (void)state;
    struct request *r = start();
    add(r, long_names(r, 'l', LIMIT_FIELD_SET + 7), false); /* whole names */
    add(r, STR("a,b"), false);
    add(r, long_names(r, 'm', LIMIT_FIELD_SET - 1), false);
    join(r);
    assert_int_equal(lines(r), 3);
    assert_string_equal(names_of(r, 1), "a,b");
    assert_string_equal(names_of(r, 2), long_names(r, 'm', LIMIT_FIELD_SET - 1).p);
    const char *shared = names_of(r, 0);
    assert_true(strncmp(shared, "*,l000000,l000001,", 18) == 0);
    assert_in_range(strlen(shared), LIMIT_FIELD_SET - 16, LIMIT_FIELD_SET);
    assert_true(str_starts(long_names(r, 'l', LIMIT_FIELD_SET + 7), str_of(shared + 2)));
    arena_fini(&r->a);
}

static void all_sets_together_are_bounded(void **state)
{
    (void)state;
    struct request *r = start();
    for (uint32_t i = 0; i < 26; i++)
        add(r, long_names(r, (char)('a' + i), 5999), false);
    add(r, STR("z"), false);
    join(r);
    assert_in_range(lines(r), 10, 14);
    assert_true(r->sets.n <= LIMIT_FIELD_SETS_BYTES + LIMIT_FIELD_SET);
    for (uint32_t i = 0; i < 10; i++)
        assert_string_equal(names_of(r, i), long_names(r, (char)('a' + i), 5999).p);
    assert_string_equal(names_of(r, 24), names_of(r, 25));
    assert_string_equal(names_of(r, 26), "z");
    assert_true(strlen(names_of(r, 25)) <= LIMIT_FIELD_SET);
    assert_true(strncmp(names_of(r, 25), "*,k", 3) == 0);
    arena_fini(&r->a);
}

static void many_short_names_are_bounded_too(void **state)
{
    (void)state;
    struct request *r = start();
    struct buf b = BUF_INIT(1u << 20);
    for (uint32_t i = 0; i < 5000; i++)
        buf_printf(&b, "%sn%u", i ? "," : "", i);
    add(r, buf_view(&b), false);
    buf_fini(&b);
    join(r);
    struct str rest = str_of(names_of(r, 0)), name, last = { 0 };
    uint32_t n = 0;
    for (; str_next(&rest, ',', &name); n++) {
        assert_true(n == 0 || str_cmp(last, name) < 0);
        last = name;
    }
    assert_int_equal(n, 1024);
    assert_string_equal(names_of(r, 0)[0] == '*' ? "*" : "", "*");
    arena_fini(&r->a);
}

static void names_that_were_cut_say_so(void **state)
{
    (void)state;
    struct request *r = start();
    add(r, STR("a,b"), false);
    add(r, STR("a,b"), true);
    add(r, STR("a,b,"), true); /* after a comma there was no room */
    join(r);
    assert_string_equal(names_of(r, 0), "a,b");
    assert_string_equal(names_of(r, 1), "*,a,b");
    assert_string_equal(names_of(r, 2), "*,a,b");
    arena_fini(&r->a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_that_differ_are_kept_once),
        cmocka_unit_test(nothing_is_one_empty_set),
        cmocka_unit_test(what_is_beyond_the_number_of_sets_shares_the_last),
        cmocka_unit_test(a_long_set_shares_and_leaves_the_others_their_own),
        cmocka_unit_test(all_sets_together_are_bounded),
        cmocka_unit_test(many_short_names_are_bounded_too),
        cmocka_unit_test(names_that_were_cut_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
