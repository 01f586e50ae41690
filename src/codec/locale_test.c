#include "codec/locale.h"

#include "base/must.h"

#include <pthread.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct arena a;

static void country(const char *language, const char *code, const char *name)
{
    struct str got = locale_country(str_of(language), code, &a);
    assert_string_equal(arena_printf(&a, "%.*s", STR_ARG(got)).p, name);
}

static void countries_are_called_as_the_language_does(void **state)
{
    (void)state;
    country("en", "DE", "Germany");
    country("de", "DE", "Deutschland");
    country("nl", "DE", "Duitsland");
    country("pt-BR", "NL", "Países Baixos");
    country("de-AT", "US", "Vereinigte Staaten");
    country("ar", "IE", "أيرلندا");
}

static void what_nobody_knows_is_said_in_english_or_as_it_stands(void **state)
{
    (void)state;
    country("xx", "DE", "Germany");
    country("", "DE", "Germany");
    country("no such language", "DE", "Germany");
    country("de@calendar=buddhist", "DE", "Germany");
    country("en", "QX", "QX");
    country("en", "ZZ", "ZZ");
    country("en", "", "");
}

static void date(const char *language, int month, const char *says)
{
    struct locale_dates d;
    locale_dates(str_of(language), &a, &d);
    assert_string_equal(arena_printf(&a, "%.*s", STR_ARG(d.month[month])).p, says);
}

static void dates_are_written_as_the_language_does(void **state)
{
    (void)state;
    date("en", 10, "November 22, 3333");
    date("en-GB", 0, "22 January 3333");
    date("de", 2, "22. März 3333");
    date("nl", 4, "22 mei 3333");
    date("ja", 11, "3333年12月22日");
}

static void every_language_has_a_day_and_a_year_that_can_be_replaced(void **state)
{
    (void)state;
    /* other calendars, other digits, and what is no language */
    static const char *const languages[] = { "th",  "fa", "ar-EG", "hi", "bn", "my", "ne",
                                             "ckb", "mr", "he",    "zh", "ko", "xx", "" };
    for (size_t i = 0; i < COUNT(languages); i++) {
        struct locale_dates d;
        locale_dates(str_of(languages[i]), &a, &d);
        for (int m = 0; m < 12; m++) {
            assert_non_null(memmem(d.month[m].p, d.month[m].n, "22", 2));
            assert_non_null(memmem(d.month[m].p, d.month[m].n, "3333", 4));
        }
    }
}

static void more_languages_than_are_kept_are_answered_alike(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        const char *language = arena_printf(&a, "de-x-a%d", i % 100).p;
        date(language, 2, "22. März 3333");
    }
    date("nl", 4, "22 mei 3333");
}

static void *ask_often(void *of)
{
    struct arena own = { 0 };
    for (int i = 0; i < 200; i++) {
        struct locale_dates d;
        locale_dates(arena_printf(&own, "nl-x-b%d", i % 20), &own, &d);
        *(bool *)of &= str_eq(d.month[4], STR("22 mei 3333"));
    }
    arena_fini(&own);
    return NULL;
}

static void many_threads_may_ask_at_once(void **state)
{
    (void)state;
    pthread_t thread[4];
    bool fine[4];
    for (int i = 0; i < 4; i++) {
        fine[i] = true;
        must(pthread_create(&thread[i], NULL, ask_often, &fine[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        must(pthread_join(thread[i], NULL) == 0);
        assert_true(fine[i]);
    }
}

static void the_daemons_own_language_changes_nothing(void **state)
{
    (void)state;
    must(setenv("LC_ALL", "de_DE.UTF-8", 1) == 0);
    country("xx", "NL", "Netherlands");
    date("xx", 2, "March 22, 3333");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(countries_are_called_as_the_language_does),
        cmocka_unit_test(what_nobody_knows_is_said_in_english_or_as_it_stands),
        cmocka_unit_test(dates_are_written_as_the_language_does),
        cmocka_unit_test(every_language_has_a_day_and_a_year_that_can_be_replaced),
        cmocka_unit_test(
            many_threads_may_ask_at_once), /* before the rest has filled what is kept */
        cmocka_unit_test(more_languages_than_are_kept_are_answered_alike),
        cmocka_unit_test(the_daemons_own_language_changes_nothing),
    };
    must(setenv("LC_ALL", "de_DE.UTF-8", 1) == 0); /* before anything was asked */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&a);
    return failed;
}
