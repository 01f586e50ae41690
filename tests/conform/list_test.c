/* Lists among many: what few things have is found among thousands that have it not, each by an index, and the
 * work is bounded. */
#include "store_make.h"

#include "store/store_priv.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANY = LIMIT_EXAMINED + 10 };

static void many_subjects(struct made *m, int many)
{
    begin(m);
    for (int i = 0; i < many; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "s%d", i);
        struct subject_row row = { .id = str_of(id),
                                   .changed_ms = 100000 + (i * 7919) % many,
                                   .verified = i == 5,
                                   .email = i % 2 ? STR("odd@x.example") : STR("even@x.example"),
                                   .first_name = i % 2 ? STR("Even") : STR("Odd"),
                                   .last_name = i == 6 ? STR("Rare") : (struct str){ 0 },
                                   .full_name = i == 7 ? STR("A Rare One") : STR("A Common One"),
                                   .extra = i == 8 ? STR("{\"phones\":[{\"number\":\"+1 5\"}]}")
                                                   : (struct str){ 0 } };
        int64_t seq;
        ok(store_put_subject(m->s, &row, STR("{}"), 1, &seq));
    }
    (void)commit(m);
}

static enum err subjects(struct made *m, struct subject_filter f, uint32_t *ret_n,
                         const char **ret_first)
{
    struct subject_row *rows;
    f.limit = 10;
    enum err e = store_list_subjects(m->r, &f, &m->a, &rows, ret_n);
    *ret_first = e == OK && *ret_n ? rows[0].id.p : "";
    return e;
}

static void the_one_subject_among_many_is_found(void **state)
{
    struct made *m = *state;
    many_subjects(m, MANY);
    const struct {
        struct subject_filter f;
        const char *id;
    } row[] = {
        { { .verified = 1 }, "s5" },
        { { .last_name = STR_INIT("Rare"), .verified = -1 }, "s6" },
        { { .full_name = STR_INIT("rare"), .verified = -1 }, "s7" },
        { { .phone = STR_INIT("+15"), .verified = -1 }, "s8" },
        { { .id = STR_INIT("s9"), .verified = -1 }, "s9" },
        { { .email = STR_INIT("odd"), .verified = 1 }, "s5" },
        { { .email_exact = STR_INIT("even@x.example"),
            .last_name = STR_INIT("Rare"),
            .verified = 0 },
          "s6" },
        { { .from_ms = 100000, .to_ms = 100000, .verified = -1 }, "s0" },
        { { .from_ms = 1, .verified = 1 }, "s5" },
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        uint32_t n;
        const char *first;
        ok(subjects(m, row[i].f, &n, &first));
        if (n != 1 || strcmp(first, row[i].id) != 0)
            fail_msg("row %zu: %u, %s", i, n, first);
    }
}

static void by_time_subjects_come_in_the_order_of_their_change(void **state)
{
    struct made *m = *state;
    many_subjects(m, MANY);
    struct subject_filter f = { .verified = -1, .to_ms = 100000 + MANY / 2, .limit = 100 };
    struct subject_row *rows;
    uint32_t n;
    int64_t before = f.to_ms + 1;
    for (int page = 0; page < 3; page++) { /* each goes on where the last one ended */
        ok(store_list_subjects(m->r, &f, &m->a, &rows, &n));
        assert_int_equal(n, 100);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(rows[i].changed_ms, --before);
        f.starting_after = rows[n - 1].id;
    }
}

static void subjects_that_never_meet_are_refused_until_the_time_is_narrowed(void **state)
{
    struct made *m = *state;
    many_subjects(m, MANY);
    uint32_t n;
    const char *first;
    struct subject_filter f = { .email = STR("odd"), .first_name = STR("Odd"), .verified = -1 };
    assert_int_equal(subjects(m, f, &n, &first), ERR_LIMIT);
    f.from_ms = 100001;
    assert_int_equal(subjects(m, f, &n, &first), ERR_LIMIT);
    f.to_ms = 100100;
    ok(subjects(m, f, &n, &first));
    assert_int_equal(n, 0);
}

static void a_changed_subject_is_found_by_what_she_is_now(void **state)
{
    struct made *m = *state;
    int64_t seq;
    uint32_t n;
    const char *first;
    begin(m);
    struct subject_row row = { .id = STR("ada"),
                               .email = STR("ada@old.example"),
                               .first_name = STR("Ada"),
                               .full_name = STR("Ada ADA Old"),
                               .extra = STR("{\"phones\":[{\"number\":\"1\"},{\"number\":\"1\"}]}"),
                               .changed_ms = 1 };
    ok(store_put_subject(m->s, &row, STR("{}"), 1, &seq));
    row.email = STR("ada@new.example");
    row.first_name = STR("");
    row.full_name = STR("ada");
    row.extra = STR("{\"phones\":\"none\"}");
    ok(store_put_subject(m->s, &row, STR("{}"), 2, &seq));
    (void)commit(m);
    const struct {
        struct subject_filter f;
        uint32_t count;
    } cases[] = {
        { { .email = STR_INIT("old"), .verified = -1 }, 0 },
        { { .email = STR_INIT("new"), .verified = -1 }, 1 },
        { { .email = STR_INIT("ada"), .verified = -1 }, 1 },
        { { .full_name = STR_INIT("old"), .verified = -1 }, 0 },
        { { .full_name = STR_INIT("ada"), .verified = -1 }, 1 },
        { { .first_name = STR_INIT("Ada"), .verified = -1 }, 0 },
        { { .phone = STR_INIT("1"), .verified = -1 }, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ok(subjects(m, cases[i].f, &n, &first));
        if (n != cases[i].count)
            fail_msg("row %zu: %u", i, n);
    }
}

/* ---- acts ---- */

/* Three in four are "ada"'s, the others "eve"'s; the sixth is somebody else's. */
static void many_acts(struct made *m, int many)
{
    begin(m);
    static const struct {
        struct str id, email;
    } who[] = { { STR_INIT("ada"), STR_INIT("ada@x.example") },
                { STR_INIT("eve"), STR_INIT("eve@x.example") },
                { STR_INIT("rare"), STR_INIT("rare@x.example") } };
    for (size_t i = 0; i < COUNT(who); i++) {
        struct subject_row row = {
            .id = who[i].id, .email = who[i].email, .first_name = who[i].id, .verified = i == 2
        };
        int64_t seq;
        ok(store_put_subject(m->s, &row, STR("{}"), 1, &seq));
    }
    for (int i = 0; i < many; i++)
        (void)add_act(m,
                      &(struct act_spec){ .subject = i == 5  ? "rare"
                                                     : i % 4 ? "ada"
                                                             : "eve",
                                          .source = i == 5 ? ACT_CMP : ACT_PRIVATE_KEY,
                                          .preference = i == 5       ? "rare"
                                                        : i % 2 != 0 ? "odd"
                                                                     : "even",
                                          .type = i == 5       ? "rare"
                                                  : i % 2 == 0 ? "even"
                                                               : NULL,
                                          .ip = i == 5 ? "192.0.2.0" : NULL,
                                          .claimed_ms = 100000 + i },
                      NULL);
    (void)commit(m);
}

static enum err acts(struct made *m, struct act_filter f, uint32_t *ret_n, int64_t *ret_first)
{
    struct act_found *found;
    f.limit = f.limit ? f.limit : 10;
    enum err e = store_list_acts(m->r, &f, &m->a, &found, ret_n);
    *ret_first = e == OK && *ret_n ? found[0].claimed_ms - 100000 : -1;
    return e;
}

static const struct subject_filter rare_mail = { .email = STR_INIT("RARE"), .verified = -1 },
                                   exact = { .email_exact = STR_INIT("rare@x.example"),
                                             .verified = -1 },
                                   named = { .first_name = STR_INIT("rare"), .verified = -1 },
                                   verified = { .verified = 1 },
                                   nobody = { .email = STR_INIT("nobody"), .verified = -1 },
                                   ada = { .email = STR_INIT("ada"), .verified = 0 };

static void the_one_act_among_many_is_found(void **state)
{
    struct made *m = *state;
    many_acts(m, MANY);
    const struct act_filter row[] = {
        { .source = ACT_CMP },
        { .source = -1, .preference_key = STR_INIT("rare") },
        { .source = -1, .type = STR_INIT("rare") },
        { .source = -1, .ip = STR_INIT("192.0.2.0") },
        { .source = -1, .subject = STR_INIT("rare") },
        { .source = -1, .who = &rare_mail },
        { .source = -1, .who = &exact },
        { .source = -1, .who = &named },
        { .source = -1, .who = &verified },
        { .source = -1, .who = &verified, .from_ms = 1 },
        { .source = ACT_CMP, .to_ms = 100005 },
        { .source = -1, .from_ms = 100005, .to_ms = 100005 },
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        uint32_t n;
        int64_t first;
        ok(acts(m, row[i], &n, &first));
        if (n != 1 || first != 5)
            fail_msg("row %zu: %u, %lld", i, n, (long long)first);
    }
}

static void what_most_have_is_found_as_well(void **state)
{
    struct made *m = *state;
    many_acts(m, MANY);
    const struct {
        struct act_filter f;
        uint32_t count;
        int64_t first;
    } row[] = {
        { { .source = ACT_PRIVATE_KEY }, 10, MANY - 1 },
        { { .source = -1, .type = STR_INIT("null") }, 10, MANY - 1 },
        { { .source = -1, .ip = STR_INIT("none"), .preference_key = STR_INIT("even") },
          10,
          MANY - 2 },
        { { .source = -1, .who = &ada }, 10, MANY - 1 },
        { { .source = -1, .who = &ada, .preference_key = STR_INIT("even") }, 10, MANY - 4 },
        { { .source = -1, .who = &ada, .to_ms = 100100 }, 10, 99 },
        { { .source = -1, .who = &nobody }, 0, -1 },
        { { .source = -1, .who = &nobody, .subject = STR_INIT("ada") }, 0, -1 },
        { { .source = ACT_IMPORT, .who = &ada }, 0, -1 },
        { { .source = -1, .to_ms = 100100 }, 10, 100 }, /* long ago: not by walking back to it */
        { { .source = -1, .to_ms = 99999 }, 0, -1 },
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        uint32_t n;
        int64_t first;
        ok(acts(m, row[i].f, &n, &first));
        if (n != row[i].count || first != row[i].first)
            fail_msg("row %zu: %u, %lld", i, n, (long long)first);
    }
}

static void what_never_meets_is_refused_until_the_time_is_narrowed(void **state)
{
    struct made *m = *state;
    many_acts(m, MANY);
    struct act_filter f = { .source = -1, .preference_key = STR("odd"), .type = STR("even") };
    uint32_t n;
    int64_t first;
    assert_int_equal(acts(m, f, &n, &first), ERR_LIMIT);
    f.from_ms = 100001;
    assert_int_equal(acts(m, f, &n, &first), ERR_LIMIT);
    f.to_ms = 100100;
    ok(acts(m, f, &n, &first));
    assert_int_equal(n, 0);
}

static void pages_hold_each_act_once(void **state)
{
    struct made *m = *state;
    many_acts(m, MANY);
    const struct act_filter row[] = {
        { .source = -1, .limit = 100 },
        { .source = -1, .who = &ada, .limit = 100 },
        { .source = -1, .from_ms = 1, .limit = 100 },
        { .source = -1, .type = STR("even"), .who = &ada, .to_ms = 109000, .limit = 100 },
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        struct act_filter f = row[i];
        struct act_found *found;
        uint32_t n;
        int64_t last = INT64_MAX;
        for (int page = 0; page < 5; page++) {
            ok(store_list_acts(m->r, &f, &m->a, &found, &n));
            assert_int_equal(n, 100);
            for (uint32_t k = 0; k < n; k++) {
                assert_true(found[k].claimed_ms < last);
                last = found[k].claimed_ms;
            }
            f.has_starting_after = true;
            f.starting_after = found[n - 1].id;
        }
    }
}

/* ---- the plans ---- */

static void notices(struct made *m)
{
    struct notice_row *rows;
    uint32_t n;
    const struct notice_filter row[] = {
        { .limit = 10 },
        { .identifier = STR("terms"), .limit = 10 },
        { .identifier = STR("terms"), .version = 1, .limit = 10 },
        { .identifier = STR("terms"), .starting_after_version = 1, .limit = 10 },
    };
    for (size_t i = 0; i < COUNT(row); i++)
        ok(store_list_notices(m->r, &row[i], &m->a, &rows, &n));
}

static void every_statement_of_a_list_is_a_search_in_an_index(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_notice(m, "terms", "\"t\"");
    (void)commit(m);
    the_one_subject_among_many_is_found(state);
    many_acts(m, MANY);
    made_close(m);
    made_open(m); /* so that what is prepared from now on are statements of lists */
    bool before[STATEMENTS];
    for (size_t i = 0; i < STATEMENTS; i++)
        before[i] = m->r->c->slot[i].sql != NULL;
    uint32_t n;
    int64_t first;
    const char *id;
    const struct subject_filter all = { .id = STR("s1"),
                                        .email_exact = STR("e"),
                                        .email = STR("e"),
                                        .first_name = STR("e"),
                                        .last_name = STR("e"),
                                        .full_name = STR("e"),
                                        .phone = STR("1"),
                                        .starting_after = STR("s1"),
                                        .verified = 1 };
    struct subject_filter one = { .verified = -1, .starting_after = STR("s1"), .from_ms = 1 };
    ok(subjects(m, all, &n, &id));
    ok(subjects(m, one, &n, &id));
    one = (struct subject_filter){ .verified = -1 };
    ok(subjects(m, one, &n, &id));
    static const struct subject_filter *const who[] = { &rare_mail, &exact, &named, &verified,
                                                        NULL };
    for (size_t i = 0; i < COUNT(who); i++) {
        struct act_filter f = { .source = -1, .who = who[i] };
        ok(acts(m, f, &n, &first));
        f.from_ms = 1;
        ok(acts(m, f, &n, &first));
        f = (struct act_filter){ .source = 1,
                                 .subject = STR("ada"),
                                 .preference_key = STR("odd"),
                                 .ip = STR("none"),
                                 .type = STR("null"),
                                 .who = who[i] };
        ok(acts(m, f, &n, &first));
    }
    notices(m);
    int looked = 0;
    for (size_t i = 0; i < STATEMENTS; i++) {
        const char *sql = m->r->c->slot[i].sql;
        if (sql == NULL || before[i])
            continue;
        struct sqlite3_stmt *q;
        struct str plan = arena_printf(&m->a, "EXPLAIN QUERY PLAN %s", sql);
        assert_int_equal(sqlite3_prepare_v2(m->r->c->db, plan.p, -1, &q, NULL), SQLITE_OK);
        while (sqlite3_step(q) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(q, 3);
            if (strncmp(step, "SEARCH", 6) != 0)
                fail_msg("%s: %s", sql, step);
        }
        (void)sqlite3_finalize(q);
        looked++;
    }
    assert_in_range(looked, 20, STATEMENTS);
}

/* ---- against the plainest way ---- */

enum { SOME = 300, PEOPLE = 12 };

struct plain {
    int who, source;
    bool odd, cookie, address;
    int64_t claimed_ms;
};

static unsigned dice(unsigned sides)
{
    static uint64_t state = 20261122;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % sides;
}

static void some_acts(struct made *m, struct plain *acts_)
{
    begin(m);
    for (int i = 0; i < PEOPLE; i++) {
        struct str id = arena_printf(&m->a, "p%d", i);
        struct subject_row row = { .id = id,
                                   .email = arena_printf(&m->a, "p%d@%s.example", i,
                                                         i % 3 ? "common" : "rare"),
                                   .verified = i % 4 == 0 };
        int64_t seq;
        ok(store_put_subject(m->s, &row, STR("{}"), 1, &seq));
    }
    for (int i = 0; i < SOME; i++) {
        struct plain *p = &acts_[i];
        *p = (struct plain){ .who = (int)dice(PEOPLE),
                             .source = dice(5) ? ACT_PRIVATE_KEY : ACT_PUBLIC_KEY,
                             .odd = dice(2),
                             .cookie = dice(7) == 0,
                             .address = dice(4) == 0,
                             .claimed_ms = 1000 + dice(60) };
        (void)add_act(m,
                      &(struct act_spec){ .subject = arena_printf(&m->a, "p%d", p->who).p,
                                          .source = (enum act_source)p->source,
                                          .preference = p->odd ? "odd" : "even",
                                          .type = p->cookie ? "cookie" : NULL,
                                          .ip = p->address ? "192.0.2.0" : NULL,
                                          .claimed_ms = p->claimed_ms },
                      NULL);
    }
    (void)commit(m);
}

static bool fits(const struct plain *p, const struct act_filter *f)
{
    char id[8];
    (void)snprintf(id, sizeof id, "p%d", p->who);
    if ((f->subject.n && !str_eq(f->subject, str_of(id))) ||
        (f->source >= 0 && f->source != p->source) ||
        (f->preference_key.n && str_eq(f->preference_key, STR("odd")) != p->odd) ||
        (f->type.n && str_eq(f->type, STR("cookie")) != p->cookie) ||
        (f->ip.n && str_eq(f->ip, STR("192.0.2.0")) != p->address) ||
        (f->from_ms && p->claimed_ms < f->from_ms) || (f->to_ms && p->claimed_ms > f->to_ms))
        return false;
    return f->who == NULL ||
           ((f->who->email.n == 0 || str_eq(f->who->email, STR("rare")) == (p->who % 3 == 0)) &&
            (f->who->verified < 0 || f->who->verified == (p->who % 4 == 0)));
}

/* Which act comes next behind `last` (its place; -1: none yet); -1 at the end. */
static int next_plain(const struct plain *all, const struct act_filter *f, int last)
{
    bool timed = f->from_ms || f->to_ms;
    int best = -1;
    for (int i = 0; i < SOME; i++) {
        int64_t key = timed ? all[i].claimed_ms : 0;
        int64_t below = last < 0 ? INT64_MAX : timed ? all[last].claimed_ms : 0;
        bool behind = last < 0 || key < below || (key == below && i < last);
        int64_t so_far = best < 0 ? -1 : timed ? all[best].claimed_ms : 0;
        if (behind && fits(&all[i], f) && key >= so_far)
            best = i; /* of equals the later one */
    }
    return best;
}

static struct act_filter any_filter(struct made *m, struct subject_filter *who)
{
    *who = (struct subject_filter){ .verified = (int)dice(3) - 1,
                                    .email = dice(2)   ? (struct str){ 0 }
                                             : dice(2) ? STR("rare")
                                                       : STR("common") };
    struct act_filter f = { .source = dice(2) ? -1 : (int)dice(2), .limit = 1 + dice(20) };
    f.who = dice(2) ? who : NULL;
    f.subject = dice(4) ? (struct str){ 0 } : arena_printf(&m->a, "p%u", dice(PEOPLE + 1));
    f.preference_key = dice(2) ? (struct str){ 0 } : dice(2) ? STR("odd") : STR("even");
    f.type = dice(3) ? (struct str){ 0 } : dice(2) ? STR("cookie") : STR("null");
    f.ip = dice(3) ? (struct str){ 0 } : dice(2) ? STR("192.0.2.0") : STR("none");
    f.from_ms = dice(3) ? 0 : 1000 + dice(60);
    f.to_ms = dice(3) ? 0 : 1000 + dice(60);
    return f;
}

static void any_filter_finds_what_the_plainest_look_finds(void **state)
{
    struct made *m = *state;
    static struct plain all[SOME];
    some_acts(m, all);
    struct act_found *every;
    struct id id[SOME];
    uint32_t n;
    struct act_filter f = { .source = -1, .limit = 100 };
    for (int i = SOME; i > 0; i -= 100) {
        ok(store_list_acts(m->r, &f, &m->a, &every, &n));
        for (uint32_t k = 0; k < n; k++)
            id[i - 1 - (int)k] = every[k].id;
        f.has_starting_after = true;
        f.starting_after = every[n - 1].id;
    }
    for (int turn = 0; turn < 1000; turn++) {
        struct subject_filter who;
        f = any_filter(m, &who);
        for (int last = -1;;) {
            ok(store_list_acts(m->r, &f, &m->a, &every, &n));
            for (uint32_t k = 0; k < n; k++) {
                last = next_plain(all, &f, last);
                if (last < 0 || memcmp(&every[k].id, &id[last], sizeof id[0]) != 0)
                    fail_msg("turn %d: another act than number %d", turn, last);
            }
            if (n < f.limit) {
                assert_int_equal(next_plain(all, &f, last), -1);
                break;
            }
            f.has_starting_after = true;
            f.starting_after = every[n - 1].id;
        }
    }
}

/* ---- a database from before there were these indexes ---- */

static void undo_the_step(const char *file)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    AUTO(buf_fini) struct buf sql = BUF_INIT(4096);
    buf_lit(&sql, "DROP TABLE subject_word; DROP INDEX subject_first_name;"
                  "DROP INDEX subject_last_name; DROP INDEX subject_verified;"
                  "DROP INDEX act_source; DROP INDEX act_type;"
                  "ALTER TABLE act DROP COLUMN type;");
    buf_printf(&sql, "DELETE FROM schema_version WHERE version = %d;", SCHEMA_LISTS);
    buf_byte(&sql, 0);
    if (sqlite3_exec(db, sql.p, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

static void a_database_from_before_is_found_by_the_new_indexes(void **state)
{
    struct made *m = *state;
    many_subjects(m, 100);
    many_acts(m, 100);
    begin(m);
    /* before its type had a name of its own, it was among what was not known */
    struct act_row old = { .id = id_new(1), .subject = STR("ada"), .type = STR("old") };
    char id[ID_TEXT + 1];
    id_format(&old.id, id);
    old.payload = arena_printf(&m->a,
                               "{\"id\":\"%s\",\"subject\":{\"id\":\"ada\"},\"timestamp\":0,"
                               "\"received\":0,\"source\":\"public\",\"effects\":[],"
                               "\"other\":{\"consent_type\":\"old\"}}",
                               id);
    int64_t seq, first;
    ok(store_add_act(m->s, &old, &seq));
    (void)commit(m);
    struct str file = arena_printf(&m->a, "%s/licet.db", m->dir);
    made_close(m);
    undo_the_step(file.p);
    struct conn c;
    ok(conn_open(&c, file.p, true, NULL));
    ok(schema_step(&c, SCHEMA_LISTS));
    conn_close(&c);
    made_open(m);
    uint32_t n;
    const char *who;
    ok(subjects(m, (struct subject_filter){ .phone = STR("15"), .verified = -1 }, &n, &who));
    assert_string_equal(who, "s8");
    ok(subjects(m, (struct subject_filter){ .full_name = STR("rare"), .verified = -1 }, &n, &who));
    assert_string_equal(who, "s7");
    ok(acts(m, (struct act_filter){ .source = -1, .type = STR("old") }, &n, &first));
    assert_int_equal(n, 1);
    ok(acts(m, (struct act_filter){ .source = ACT_CMP, .who = &exact }, &n, &first));
    assert_int_equal(first, 5);
}

static void what_was_done_to_the_indexes_is_a_fault(void **state)
{
    struct made *m = *state;
    many_subjects(m, 100);
    many_acts(m, 100);
    static const struct {
        const char *change, *back;
    } row[] = {
        { "DELETE FROM subject_word WHERE word = 'rare' AND field = 2",
          "INSERT INTO subject_word SELECT 2, 'rare', no FROM subject WHERE id = 's7'" },
        { "INSERT INTO subject_word VALUES (3, '123', 1)",
          "DELETE FROM subject_word WHERE word = '123'" },
        { "UPDATE act SET type = 'x' WHERE type = 'rare'",
          "UPDATE act SET type = 'rare' WHERE type = 'x'" },
    };
    assert_int_equal(faults(m->r, true), 0);
    for (size_t i = 0; i < COUNT(row); i++) {
        ok(conn_exec(&m->s->c, row[i].change));
        assert_int_not_equal(faults(m->r, false), 0);
        ok(conn_exec(&m->s->c, row[i].back));
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, made_file, unmade)
    const struct CMUnitTest tests[] = {
        T(the_one_subject_among_many_is_found),
        T(by_time_subjects_come_in_the_order_of_their_change),
        T(subjects_that_never_meet_are_refused_until_the_time_is_narrowed),
        T(a_changed_subject_is_found_by_what_she_is_now),
        T(the_one_act_among_many_is_found),
        T(what_most_have_is_found_as_well),
        T(what_never_meets_is_refused_until_the_time_is_narrowed),
        T(pages_hold_each_act_once),
        T(every_statement_of_a_list_is_a_search_in_an_index),
        T(any_filter_finds_what_the_plainest_look_finds),
        T(a_database_from_before_is_found_by_the_new_indexes),
        T(what_was_done_to_the_indexes_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
