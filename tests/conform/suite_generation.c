#include "store_make.h"

#define DAY_MS (24LL * 3600 * 1000)

/* ---- coverage ---- */

static uint64_t seed = 7;
static uint32_t pick(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

enum { PEOPLE = 12, ACTS = 400, PURPOSES = 3 };

struct counts {
    uint64_t granted[4], withdrawn[4], refused, idle; /* by version */
};

/* The same from each subject's standings, one after the other. */
static void count_naively(struct made *m, uint32_t purpose, bool bare_counts, struct counts *to)
{
    for (int i = 0; i < PEOPLE; i++) {
        struct snapshot *s = NULL;
        const struct standing *newest = NULL, *granted = NULL;
        bool any = false;
        ok(store_load_snapshot(m->r, arena_printf(&m->a, "p%d", i), INT64_MAX, &s));
        for (uint32_t k = 0; k < s->count; k++) {
            const struct standing *t = &s->standing[k];
            if (t->purpose != purpose)
                continue;
            any = true;
            if (t->grant && (!t->confirmed || t->version == 0 || (t->bare && !bare_counts)))
                continue;
            if (!newest || t->last_effect > newest->last_effect ||
                (t->last_effect == newest->last_effect && t->last_seq > newest->last_seq))
                newest = t;
            if (t->grant &&
                (!granted || t->last_effect > granted->last_effect ||
                 (t->last_effect == granted->last_effect && t->last_seq > granted->last_seq)))
                granted = t;
        }
        if (newest && newest->grant)
            to->granted[newest->version]++;
        else if (newest && granted)
            to->withdrawn[granted->version]++;
        else if (newest)
            to->refused++;
        else if (any)
            to->idle++;
        free(s);
    }
}

static void count_stored(struct made *m, uint32_t purpose, bool bare, struct counts *to)
{
    struct coverage_row *row;
    uint32_t n;
    ok(store_list_coverage(m->r, purpose, bare, &m->a, &row, &n));
    for (uint32_t i = 0; i < n; i++) {
        assert_true(row[i].n > 0 && row[i].version < 4);
        switch (row[i].state) {
        case COVERAGE_GRANTED: to->granted[row[i].version] += row[i].n; break;
        case COVERAGE_WITHDRAWN: to->withdrawn[row[i].version] += row[i].n; break;
        case COVERAGE_REFUSED: to->refused += row[i].n; break;
        case COVERAGE_IDLE: to->idle += row[i].n; break;
        }
        assert_true(row[i].state == COVERAGE_GRANTED || row[i].day_ms == 0);
    }
}

static void after_any_acts_the_counts_are_those_of_the_standings(void **state)
{
    struct made *m = *state;
    begin(m);
    for (int i = 0; i < PEOPLE; i++)
        (void)add_subject(m, arena_printf(&m->a, "p%d", i).p);
    (void)commit(m);
    for (int i = 0; i < ACTS; i++) {
        struct act_spec spec = { .subject = arena_printf(&m->a, "p%u", pick(PEOPLE)).p,
                                 .purpose = 1 + pick(PURPOSES),
                                 .lowers = pick(3) == 0,
                                 .unconfirmed = pick(5) == 0,
                                 .bare = pick(4) == 0,
                                 .source = pick(4) ? ACT_PRIVATE_KEY : ACT_IMPORT,
                                 .effect_ms = made_ms - pick(5) * DAY_MS };
        spec.version = spec.lowers ? 0 : pick(4);
        begin(m);
        (void)add_act(m, &spec, NULL);
        if (pick(10) == 0)
            store_rollback(m->s); /* what was not committed is not counted */
        else
            (void)commit(m);
    }
    for (uint32_t p = 1; p <= PURPOSES; p++) {
        for (int bare = 0; bare < 2; bare++) {
            struct counts expected = { 0 }, found = { 0 };
            count_naively(m, p, bare, &expected);
            count_stored(m, p, bare, &found);
            assert_memory_equal(&expected, &found, sizeof found);
        }
    }
}

static void a_grant_is_counted_on_the_day_of_its_effect(void **state)
{
    struct made *m = *state;
    struct coverage_row *row;
    uint32_t n;
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_act(m,
                  &(struct act_spec){
                      .subject = "ada", .purpose = 1, .version = 2, .effect_ms = 10 * DAY_MS + 5 },
                  NULL);
    (void)commit(m);
    ok(store_list_coverage(m->r, 1, false, &m->a, &row, &n));
    assert_int_equal(n, 1);
    assert_int_equal(row[0].state, COVERAGE_GRANTED);
    assert_int_equal(row[0].version, 2);
    assert_int_equal(row[0].day_ms, 10 * DAY_MS);
    ok(store_list_coverage(m->r, 2, false, &m->a, &row, &n));
    assert_int_equal(n, 0);
}

static void refusals_of_unknown_people_are_counted_by_day(void **state)
{
    struct made *m = *state;
    struct unknown_row *row;
    uint32_t n;
    begin(m);
    ok(store_count_unknown(m->s, 1, 2, 3 * DAY_MS));
    ok(store_count_unknown(m->s, 1, 2, 4 * DAY_MS - 1));
    ok(store_count_unknown(m->s, 1, 3, 4 * DAY_MS));
    ok(store_count_unknown(m->s, 2, 1, 4 * DAY_MS));
    (void)commit(m);
    ok(store_list_unknown(m->r, 1, 0, &m->a, &row, &n));
    assert_int_equal(n, 2);
    assert_int_equal(row[0].n, 2);
    assert_int_equal(row[0].version, 2);
    assert_int_equal(row[0].day_ms, 3 * DAY_MS);
    ok(store_list_unknown(m->r, 1, 4 * DAY_MS, &m->a, &row, &n));
    assert_int_equal(n, 1);
    assert_int_equal(row[0].version, 3);
}

/* ---- voidings ---- */

static void add_versions(struct made *m)
{
    struct str purpose[] = { STR("statistics") };
    struct frozen_version version[] = { { STR("statistics"), 1, STR("{}") },
                                        { STR("statistics"), 2, STR("{}") } };
    uint32_t generation;
    struct policy_news news = {
        .purpose = purpose, .purpose_count = 1, .version = version, .version_count = 2
    };
    begin(m);
    ok(store_add_configuration(m->s, &news, STR("{}"), ++made_ms, &generation));
    (void)commit(m);
}

static enum err add_void(struct made *m, uint32_t purpose, uint32_t version, int64_t from_ms)
{
    int64_t seq;
    struct void_row row = {
        .purpose = purpose, .version = version, .from_ms = from_ms, .at_ms = ++made_ms
    };
    return store_add_void(m->s, &row, STR("{\"reason\":\"r\"}"), &seq);
}

static void the_earliest_moment_of_a_voiding_counts_and_all_are_kept(void **state)
{
    struct made *m = *state;
    struct frozen f;
    struct void_found *found;
    uint32_t n;
    add_versions(m);
    begin(m);
    ok(add_void(m, 1, 1, 5000));
    ok(add_void(m, 1, 1, 2000));
    ok(add_void(m, 1, 1, 9000));
    assert_int_equal(add_void(m, 1, 3, 1), ERR_NOT_FOUND);
    assert_int_equal(add_void(m, 2, 1, 1), ERR_NOT_FOUND);
    (void)commit(m); /* what was refused does not spoil the group */
    ok(store_load_frozen(m->r, &m->a, &f));
    assert_int_equal(f.void_count, 1);
    assert_int_equal(f.voided[0].purpose, 1);
    assert_int_equal(f.voided[0].version, 1);
    assert_int_equal(f.voided[0].from_ms, 2000);
    ok(store_list_voids(m->r, &m->a, &found, &n));
    assert_int_equal(n, 3);
    assert_int_equal(found[2].row.from_ms, 9000);
    assert_string_equal(found[0].payload.p, "{\"reason\":\"r\"}");
}

static void holders_are_found_page_by_page(void **state)
{
    struct made *m = *state;
    enum { HOLDERS = 250 };
    bool seen[HOLDERS] = { 0 };
    begin(m);
    for (int i = 0; i < HOLDERS; i++) {
        const char *id = arena_printf(&m->a, "h%d", i).p;
        (void)add_subject(m, id);
        struct act_spec grant = { .subject = id, .purpose = 1, .version = i % 2 ? 1 : 2 };
        (void)add_act(m, &grant, NULL);
        grant = (struct act_spec){ .subject = id, .purpose = 2, .version = 1 };
        (void)add_act(m, &grant, NULL);
        (void)add_act(m, &(struct act_spec){ .subject = id, .purpose = 1, .lowers = true }, NULL);
    }
    (void)commit(m);
    int64_t after = 0;
    uint32_t total = 0;
    do {
        struct holder *h;
        uint32_t n;
        ok(store_list_holders(m->r, 1, 1, after, &m->a, &h, &n, &after));
        assert_true(n <= LIMIT_LIST);
        for (uint32_t i = 0; i < n; i++, total++) {
            unsigned long long which = 0;
            assert_true(str_to_u64((struct str){ h[i].id.p + 1, h[i].id.n - 1 }, &which));
            assert_true(which < HOLDERS && which % 2 == 1 && !seen[which]);
            seen[which] = true;
        }
    } while (after);
    assert_int_equal(total, HOLDERS / 2);
}

/* ---- imports and exports ---- */

static void an_import_stands_where_its_group_left_it(void **state)
{
    struct made *m = *state;
    struct import_row row = { .id = STR("i1"), .kind = STR("consents"), .next = 8, .accepted = 7 };
    struct import_row found;
    begin(m);
    ok(store_put_import(m->s, &row));
    for (int64_t i = 1; i <= 5; i++)
        ok(store_refuse_line(m->s, row.id,
                             &(struct refused_line){ i, STR("subject.id"), STR("is none") }));
    (void)commit(m);
    begin(m);
    row.next = 20;
    ok(store_put_import(m->s, &row));
    store_rollback(m->s);
    ok(store_get_import(m->r, STR("i1"), &m->a, &found));
    assert_int_equal(found.next, 8);
    assert_int_equal(found.accepted, 7);
    assert_string_equal(found.kind.p, "consents");
    assert_int_equal(store_get_import(m->r, STR("i2"), &m->a, &found), ERR_NOT_FOUND);
    struct refused_line *line;
    uint32_t n;
    ok(store_list_refused(m->r, STR("i1"), 2, 2, &m->a, &line, &n));
    assert_int_equal(n, 2);
    assert_int_equal(line[0].line, 3);
    assert_string_equal(line[1].field.p, "subject.id");
}

struct walked {
    uint32_t n, most;
    int64_t last;
};

static enum err walk_act(void *ctx, const struct act_found *act)
{
    struct walked *w = ctx;
    assert_true(act->seq > w->last);
    assert_true(act->payload.n > 0 && act->subject.n > 0);
    w->last = act->seq;
    return ++w->n == w->most ? ERR_STOPPED : OK;
}

static enum err walk_subject(void *ctx, const struct subject_row *row)
{
    struct walked *w = ctx;
    assert_true(row->id.n > 0);
    return ++w->n == w->most ? ERR_STOPPED : OK;
}

static enum err walk_notice(void *ctx, const struct notice_row *row)
{
    struct walked *w = ctx;
    assert_true(row->seq > w->last);
    w->last = row->seq;
    return ++w->n == w->most ? ERR_STOPPED : OK;
}

static void everything_is_walked_oldest_first_and_within_its_times(void **state)
{
    struct made *m = *state;
    int64_t first = 0;
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_subject(m, "bob");
    for (int i = 0; i < 10; i++) {
        int64_t claimed = 1000 + i;
        first = first ? first : claimed;
        (void)add_act(m,
                      &(struct act_spec){ .subject = i % 2 ? "ada" : "bob",
                                          .purpose = 1,
                                          .version = 1,
                                          .claimed_ms = claimed },
                      NULL);
    }
    (void)add_notice(m, "terms", "\"a\"");
    (void)add_notice(m, "terms", "\"b\"");
    (void)commit(m);
    struct walked w = { 0 };
    ok(store_each_act(m->r, 0, 0, walk_act, &w));
    assert_int_equal(w.n, 10);
    w = (struct walked){ 0 };
    ok(store_each_act(m->r, 1003, 1005, walk_act, &w));
    assert_int_equal(w.n, 3);
    w = (struct walked){ .most = 4 };
    assert_int_equal(store_each_act(m->r, 0, 0, walk_act, &w), ERR_STOPPED);
    w = (struct walked){ 0 };
    ok(store_each_subject(m->r, 0, 0, walk_subject, &w));
    assert_int_equal(w.n, 2);
    w = (struct walked){ 0 };
    ok(store_each_notice(m->r, 0, 0, walk_notice, &w));
    assert_int_equal(w.n, 2);
    w = (struct walked){ 0 };
    ok(store_each_notice(m->r, 1, 2, walk_notice, &w));
    assert_int_equal(w.n, 0);
}

const struct CMUnitTest suite_generation[] = {
    cmocka_unit_test(after_any_acts_the_counts_are_those_of_the_standings),
    cmocka_unit_test(a_grant_is_counted_on_the_day_of_its_effect),
    cmocka_unit_test(refusals_of_unknown_people_are_counted_by_day),
    cmocka_unit_test(the_earliest_moment_of_a_voiding_counts_and_all_are_kept),
    cmocka_unit_test(holders_are_found_page_by_page),
    cmocka_unit_test(an_import_stands_where_its_group_left_it),
    cmocka_unit_test(everything_is_walked_oldest_first_and_within_its_times),
};
const size_t suite_generation_count = COUNT(suite_generation);
