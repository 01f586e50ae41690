#include "codec/tcf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

/* Made by the reference encoder, @iabtcf/core 1.5.6. */
#define CORE "CQdWToAQdWToAAfACBENCWFoALAAAELAAAYgF5wAgABALzAAogIAAAAA"
#define DISCLOSED "IF5wAwABAAKAXmAA"
#define PUBLISHER "YAAAAAAAAAAA"

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void a_string_of_the_reference_encoder_is_read(void **state)
{
    (void)state;
    struct tcf t;
    assert_int_equal(tcf_parse(STR(CORE "." DISCLOSED "." PUBLISHER), &arena, &t), OK);
    assert_int_equal(t.created_ms, 1767225600000); /* 2026-01-01 */
    assert_int_equal(t.updated_ms, 1767225600000);
    assert_int_equal(t.cmp, 31);
    assert_int_equal(t.cmp_version, 2);
    assert_int_equal(t.vendor_list, 150);
    assert_int_equal(t.policy, 5);
    for (uint32_t n = 0; n < 40; n++) {
        assert_int_equal(tcf_purpose(&t, n), n == 1 || n == 3 || n == 4);
        assert_int_equal(tcf_special_feature(&t, n), n == 1);
    }
    for (uint32_t n = 0; n <= 70000; n++)
        assert_int_equal(tcf_vendor(&t, n), n == 2 || n == 755);
    assert_true(tcf_allows(&t, 1, 755));
}

/* ---- strings made here, bit by bit ---- */

struct making {
    char text[LIMIT_TC_STRING + 8];
    size_t bits;
    unsigned open; /* what the last letter holds */
};

static void add(struct making *m, uint64_t value, unsigned n)
{
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (unsigned i = n; i-- > 0; m->bits++) {
        if (m->bits % 6 == 0)
            m->open = 0;
        m->open |= (unsigned)(value >> i & 1) << (5 - m->bits % 6);
        m->text[m->bits / 6] = letter[m->open];
    }
}

static struct str made(const struct making *m)
{
    return (struct str){ m->text, (m->bits + 5) / 6 };
}

/* Up to the vendors: consent to purposes 1 and 9. */
static struct making head(unsigned version, unsigned service, uint64_t created, uint64_t updated)
{
    struct making m = { 0 };
    add(&m, version, 6);
    add(&m, created, 36);
    add(&m, updated, 36);
    add(&m, 7, 12);
    add(&m, 1, 12);
    add(&m, 1, 6);
    add(&m, 4 << 6 | 13, 12); /* EN */
    add(&m, 150, 12);
    add(&m, 5, 6);
    add(&m, service, 1);
    add(&m, 0, 1);
    add(&m, 0, 12);
    add(&m, 1u << 23 | 1u << 15, 24);
    add(&m, 0, 24);
    add(&m, 0, 1);
    add(&m, 3 << 6 | 4, 12); /* DE */
    return m;
}

static struct making good_head(void)
{
    return head(2, 1, 17672256000, 17672256000);
}

static void no_vendors(struct making *m)
{
    add(m, 0, 17);
}

static enum err outcome(const struct making *m, struct tcf *t)
{
    return tcf_parse(made(m), &arena, t);
}

static void range(struct making *m, uint64_t first, uint64_t last)
{
    add(m, first != last, 1);
    add(m, first, 16);
    if (first != last)
        add(m, last, 16);
}

static void vendors_may_stand_as_bits_or_as_ranges(void **state)
{
    (void)state;
    struct tcf t;
    struct making m = good_head();
    add(&m, 10, 16);
    add(&m, 0, 1);
    add(&m, 0x201, 10); /* 1 and 10 */
    no_vendors(&m);
    add(&m, 0, 12);
    assert_int_equal(outcome(&m, &t), OK);
    assert_true(tcf_vendor(&t, 1) && tcf_vendor(&t, 10) && !tcf_vendor(&t, 2) &&
                !tcf_vendor(&t, 11));
    m = good_head();
    add(&m, 65535, 16);
    add(&m, 1, 1);
    add(&m, 2, 12);
    range(&m, 7, 9);
    range(&m, 65535, 65535);
    no_vendors(&m);
    add(&m, 0, 12);
    assert_int_equal(outcome(&m, &t), OK);
    for (uint32_t n = 0; n <= 70000; n++)
        assert_int_equal(tcf_vendor(&t, n), (n >= 7 && n <= 9) || n == 65535);
}

static void ranges_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const uint64_t bad[][4] = {
        { 0, 3, 5, 5 }, { 5, 4, 9, 9 }, { 5, 101, 0, 0 }, { 5, 7, 7, 9 }, { 9, 9, 3, 3 }
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct tcf t;
        struct making m = good_head();
        add(&m, 100, 16);
        add(&m, 1, 1);
        add(&m, bad[i][2] ? 2 : 1, 12);
        range(&m, bad[i][0], bad[i][1]);
        if (bad[i][2])
            range(&m, bad[i][2], bad[i][3]);
        no_vendors(&m);
        add(&m, 0, 12);
        assert_int_equal(outcome(&m, &t), ERR_SYNTAX);
    }
}

static void what_the_publisher_does_not_allow_is_not_allowed(void **state)
{
    (void)state;
    struct tcf t;
    struct making m = good_head();
    no_vendors(&m);
    no_vendors(&m);
    add(&m, 3, 12);
    for (unsigned type = 0; type < 3; type++) {
        add(&m, 9 + type, 6);
        add(&m, type, 2);
        add(&m, 1, 12);
        range(&m, 10, 20);
    }
    assert_int_equal(outcome(&m, &t), OK);
    assert_false(tcf_allows(&t, 9, 10)); /* not at all */
    assert_false(tcf_allows(&t, 9, 20));
    assert_true(tcf_allows(&t, 9, 9) && tcf_allows(&t, 9, 21) && tcf_allows(&t, 1, 10));
    assert_true(tcf_allows(&t, 10, 15));  /* consent alone: that is what is asked for */
    assert_false(tcf_allows(&t, 11, 15)); /* legitimate interests alone */
}

static void a_vendor_that_was_not_disclosed_was_not_consented_to(void **state)
{
    (void)state;
    struct tcf t;
    struct making m = good_head(), shown = { 0 };
    add(&m, 3, 16);
    add(&m, 0, 1);
    add(&m, 7, 3);
    no_vendors(&m);
    add(&m, 0, 12);
    add(&shown, 1, 3);
    add(&shown, 3, 16);
    add(&shown, 0, 1);
    add(&shown, 5, 3); /* 1 and 3 */
    struct str core = made(&m), disclosed = made(&shown);
    assert_int_equal(tcf_parse(core, &arena, &t), OK);
    assert_true(tcf_vendor(&t, 2));
    struct str both = arena_printf(&arena, "%.*s.%.*s", STR_ARG(core), STR_ARG(disclosed));
    assert_int_equal(tcf_parse(both, &arena, &t), OK);
    assert_true(tcf_vendor(&t, 1) && !tcf_vendor(&t, 2) && tcf_vendor(&t, 3));
    both = arena_printf(&arena, "%.*s.%.*s", STR_ARG(both), STR_ARG(disclosed)); /* twice */
    assert_int_equal(tcf_parse(both, &arena, &t), ERR_SYNTAX);
}

static void heads_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned version, service;
        uint64_t created, updated;
        enum err e;
    } cases[] = { { 2, 1, 5, 5, OK },         { 2, 1, 5, 6, OK },
                  { 1, 1, 5, 5, ERR_SYNTAX }, { 3, 1, 5, 5, ERR_SYNTAX },
                  { 2, 0, 5, 5, ERR_SYNTAX }, { 2, 1, 6, 5, ERR_SYNTAX } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tcf t;
        struct making m =
            head(cases[i].version, cases[i].service, cases[i].created, cases[i].updated);
        no_vendors(&m);
        no_vendors(&m);
        add(&m, 0, 12);
        assert_int_equal(outcome(&m, &t), cases[i].e);
    }
}

static void what_is_cut_off_or_goes_on_is_refused(void **state)
{
    (void)state;
    struct tcf t;
    struct str whole = STR(CORE);
    for (size_t n = 0; n < whole.n - 8; n++)
        assert_int_equal(tcf_parse((struct str){ whole.p, n }, &arena, &t), ERR_SYNTAX);
    static const char *const bad[] = { "",
                                       ".",
                                       CORE ".",
                                       "." CORE,
                                       CORE "..",
                                       CORE "." DISCLOSED ".",
                                       CORE "B",
                                       CORE "=",
                                       CORE " ",
                                       " " CORE,
                                       CORE ".A",
                                       CORE ".oAAA",
                                       CORE "." CORE,
                                       CORE "." PUBLISHER "." PUBLISHER "." PUBLISHER "." PUBLISHER,
                                       "CQ+W",
                                       "\xff\xff" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (tcf_parse(str_of(bad[i]), &arena, &t) != ERR_SYNTAX)
            fail_msg("taken: %s", bad[i]);
    }
    assert_int_equal(tcf_parse(STR(CORE "AAAA"), &arena, &t), OK); /* zeros fill up */
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    struct tcf t;
    struct making m = { 0 };
    memcpy(m.text, CORE, sizeof CORE - 1);
    memset(m.text + sizeof CORE - 1, 'A', LIMIT_TC_STRING - sizeof CORE + 2);
    assert_int_equal(tcf_parse((struct str){ m.text, LIMIT_TC_STRING }, &arena, &t), OK);
    assert_int_equal(tcf_parse((struct str){ m.text, LIMIT_TC_STRING + 1 }, &arena, &t), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_of_the_reference_encoder_is_read),
        cmocka_unit_test(vendors_may_stand_as_bits_or_as_ranges),
        cmocka_unit_test(ranges_that_cannot_be_are_refused),
        cmocka_unit_test(what_the_publisher_does_not_allow_is_not_allowed),
        cmocka_unit_test(a_vendor_that_was_not_disclosed_was_not_consented_to),
        cmocka_unit_test(heads_that_cannot_be_are_refused),
        cmocka_unit_test(what_is_cut_off_or_goes_on_is_refused),
        cmocka_unit_test(what_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
