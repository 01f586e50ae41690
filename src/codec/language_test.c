#include "codec/language.h"

#include "base/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void the_language_that_is_liked_best_is_picked(void **state)
{
    (void)state;
    static const struct str have[] = { STR_INIT("en"), STR_INIT("de"), STR_INIT("nl") };
    static const struct {
        const char *accept;
        uint32_t picked;
    } cases[] = {
        { "", UINT32_MAX },
        { "de", 1 },
        { "DE-at", 1 },
        { "nl;q=0.5, de;q=0.9", 1 },
        { "fr, nl;q=0.2", 2 },
        { "en, de", 0 },
        { "de, en", 1 },
        { "fr-CH, fr;q=0.9", UINT32_MAX },
        { "de;q=0", UINT32_MAX },
        { "de;q=0, nl;q=0.001", 2 },
        { "de;q=1.001, nl;q=0.1", 2 },
        { "de;q=x, nl;q=0.1", 2 },
        { "de;q=0.1234, nl;q=0.1", 2 },
        { "de;q=, nl;q=0.1", 2 },
        { ",;,; q=1 ,,de ; q=0.3", 1 },
        { "*", UINT32_MAX },
        { "d, e", UINT32_MAX },
        { "-de", UINT32_MAX },
        { "den", UINT32_MAX },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (language_pick(str_of(cases[i].accept), have, COUNT(have)) != cases[i].picked)
            fail_msg("%s", cases[i].accept);
    }
    assert_int_equal(language_pick(STR("de"), have, 0), UINT32_MAX);
}

static void variants_of_a_language_are_one(void **state)
{
    (void)state;
    assert_true(language_same(STR("pt-BR"), STR("PT")));
    assert_false(language_same(STR("pt"), STR("pl")));
    assert_false(language_same(STR(""), STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_language_that_is_liked_best_is_picked),
        cmocka_unit_test(variants_of_a_language_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
