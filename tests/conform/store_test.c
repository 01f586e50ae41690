/* Every promise of store/store.h, against every kind of store. */
#include "store_make.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const struct CMUnitTest *test;
    const size_t *count;
} suites[] = {
    { "acts", suite_act, &suite_act_count },
    { "events", suite_event, &suite_event_count },
    { "deliveries", suite_delivery, &suite_delivery_count },
    { "documents", suite_document, &suite_document_count },
    { "hooks", suite_hook, &suite_hook_count },
    { "notices", suite_notice, &suite_notice_count },
    { "rest", suite_rest, &suite_rest_count },
    { "verifications", suite_verification, &suite_verification_count },
    { "generations", suite_generation, &suite_generation_count },
};

static const struct {
    const char *name;
    CMFixtureFunction make;
} kinds[] = { { "memory", made_memory }, { "file", made_file } };

int main(void)
{
    size_t total = 0;
    for (size_t i = 0; i < COUNT(suites); i++)
        total += *suites[i].count;
    struct CMUnitTest *tests = calloc(total * COUNT(kinds), sizeof *tests);
    char(*names)[128] = calloc(total * COUNT(kinds), sizeof *names);
    size_t n = 0;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t i = 0; i < COUNT(suites); i++) {
            for (size_t t = 0; t < *suites[i].count; t++, n++) {
                tests[n] = suites[i].test[t];
                tests[n].setup_func = kinds[k].make;
                tests[n].teardown_func = unmade;
                (void)snprintf(names[n], sizeof names[n], "%s: %s", kinds[k].name, tests[n].name);
                tests[n].name = names[n];
            }
        }
    }
    int failed = _cmocka_run_group_tests("store", tests, n, NULL, NULL);
    free(tests);
    free(names);
    return failed;
}
