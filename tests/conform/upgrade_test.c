/* The database of an earlier release still opens, and what is derived now is derived of what
 * was there. */
#include "store_make.h"

#include <sqlite3.h>

static uint64_t granted(struct made *m, bool bare)
{
    struct coverage_row *row;
    uint32_t n;
    uint64_t sum = 0;
    ok(store_list_coverage(m->r, 1, bare, &m->a, &row, &n));
    for (uint32_t i = 0; i < n; i++)
        sum += row[i].state == COVERAGE_GRANTED ? row[i].n : 0;
    return sum;
}

static void run(struct made *m, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(arena_printf(&m->a, "%s/licet.db", m->dir).p, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

static void a_database_without_coverage_gets_it_from_its_acts(void **state)
{
    struct made *m = *state;
    begin(m);
    for (int i = 0; i < 40; i++) {
        const char *id = arena_printf(&m->a, "p%d", i).p;
        (void)add_subject(m, id);
        (void)add_act(
            m, &(struct act_spec){ .subject = id, .purpose = 1, .version = 1, .bare = i % 4 == 0 },
            NULL);
        if (i % 5 == 0)
            (void)add_act(m, &(struct act_spec){ .subject = id, .purpose = 1, .lowers = true },
                          NULL);
        (void)add_act(m, &(struct act_spec){ .subject = id, .purpose = 2, .version = 1 }, NULL);
    }
    (void)commit(m);
    uint64_t proven = granted(m, false), any = granted(m, true);
    assert_int_equal(proven, 24);
    assert_int_equal(any, 32);
    made_close(m);
    run(m, made_first_release);
    made_open(m);
    assert_int_equal(granted(m, false), proven);
    assert_int_equal(granted(m, true), any);
    assert_int_equal(faults(m->r, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_database_without_coverage_gets_it_from_its_acts,
                                        made_file, unmade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
