/* docs/configuration.md and examples/licet.yaml say what the tables say. */
#include "base/limits.h"
#include "conf/read_priv.h"
#include "conf/test_paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SCREEN = 40, COLUMNS = 100 };

static void slurp(const char *path, struct buf *to)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *room = buf_room(to, to->max);
    assert_non_null(room);
    to->n = fread(room, 1, to->max, f);
    assert_int_equal(fclose(f), 0);
    assert_true(to->n > 1000 && to->n < to->max);
}

static void set_variables(void)
{
    assert_int_equal(setenv("LICET_PRIVATE_KEY", "private-0123456789", 1), 0);
    assert_int_equal(setenv("LICET_PUBLIC_KEY", "public-0123456789", 1), 0);
    assert_int_equal(setenv("LICET_PUBLIC_KEY_TEST", "public-test-0123456789", 1), 0);
    assert_int_equal(setenv("LICET_SUBJECT_SECRET", "subject-0123456789", 1), 0);
    assert_int_equal(setenv("LICET_WAREHOUSE_SECRET", "warehouse-0123456789", 1), 0);
    assert_int_equal(setenv("LICET_HOOK_SECRET", "hook-0123456789abcdef", 1), 0);
    assert_int_equal(setenv("LICET_GA4_SECRET", "ga4-0123456789abcdef", 1), 0);
    assert_int_equal(setenv("LICET_SMTP_PASSWORD", "smtp", 1), 0);
}

static void every_key_is_documented_as_its_table_says(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf docs = BUF_INIT(1u << 20), reference = BUF_INIT(1u << 20);
    slurp(SOURCE_ROOT "/docs/configuration.md", &docs);
    conf_reference(&reference);
    struct str rest = buf_view(&reference), line;
    unsigned lines = 0, missing = 0;
    while (str_next(&rest, '\n', &line)) {
        if (line.n == 0)
            continue;
        lines++;
        if (memmem(docs.p, docs.n, line.p, line.n) == NULL) {
            missing++;
            print_error("docs/configuration.md lacks: %.*s\n", STR_ARG(line));
        }
    }
    assert_true(lines > 80);
    if (missing)
        print_message("%.*s", STR_ARG(buf_view(&reference))); /* to be pasted */
    assert_int_equal(missing, 0);
    struct str whole = str_trim(buf_view(&reference)); /* and in this order */
    assert_non_null(memmem(docs.p, docs.n, whole.p, whole.n));
}

static void parses_without_a_word(struct str text)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    AUTO(conf_free) struct conf *c = NULL;
    enum err e = conf_parse(text, "licet.yaml", &c, &reports);
    if (reports.n)
        print_error("%.*s\n", STR_ARG(buf_view(&reports)));
    assert_int_equal(e, OK);
    assert_int_equal(reports.n, 0);
}

static void the_first_example_of_the_docs_works_and_fits_on_a_screen(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf docs = BUF_INIT(1u << 20);
    slurp(SOURCE_ROOT "/docs/configuration.md", &docs);
    const char *start = memmem(docs.p, docs.n, "```yaml\n", 8);
    assert_non_null(start);
    start += 8;
    const char *end = memmem(start, docs.n - (size_t)(start - docs.p), "```", 3);
    assert_non_null(end);
    struct str example = { start, (size_t)(end - start) }, rest = example, line;
    unsigned lines = 0;
    for (; str_next(&rest, '\n', &line); lines++)
        assert_true(line.n <= COLUMNS);
    assert_true(lines <= SCREEN);
    set_variables();
    parses_without_a_word(example);
}

static void the_full_example_works(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONF);
    slurp(SOURCE_ROOT "/examples/licet.yaml", &text);
    set_variables();
    parses_without_a_word(buf_view(&text));
}

/* The word, with ':' behind it and no letter before it. */
static bool is_key_in(struct str text, const char *key)
{
    char with_colon[64];
    size_t n = (size_t)snprintf(with_colon, sizeof with_colon, "%s:", key);
    struct str rest = text;
    const char *hit;
    while ((hit = memmem(rest.p, rest.n, with_colon, n)) != NULL) {
        if (hit == text.p || strchr(" {\n", hit[-1]) != NULL)
            return true;
        rest = (struct str){ hit + n, (size_t)(text.p + text.n - hit) - n };
    }
    return false;
}

static void the_full_example_shows_every_key(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONF);
    slurp(SOURCE_ROOT "/examples/licet.yaml", &text);
    unsigned missing = 0;
    for (size_t i = 0; i < table_count; i++) {
        for (uint32_t j = 0; j < tables[i]->rule_count; j++) {
            if (is_key_in(buf_view(&text), tables[i]->rule[j].key))
                continue;
            missing++;
            print_error("examples/licet.yaml lacks %s of %s\n", tables[i]->rule[j].key,
                        tables[i]->name);
        }
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(every_key_is_documented_as_its_table_says),
        cmocka_unit_test(the_first_example_of_the_docs_works_and_fits_on_a_screen),
        cmocka_unit_test(the_full_example_works),
        cmocka_unit_test(the_full_example_shows_every_key),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
