#include "store_make.h"

#include "store/finding.h"

static void add_version(struct made *m, int64_t timestamp_ms)
{
    int64_t seq;
    struct notice_row row = { .identifier = STR("terms"),
                              .version = store_next_notice(m->s, STR("terms")),
                              .timestamp_ms = timestamp_ms,
                              .received_ms = ++made_ms };
    ok(store_add_notice(m->s, &row, STR("{}"), &seq));
}

static void the_version_in_force_is_the_latest_up_to_then(void **state)
{
    struct made *m = *state;
    static const int64_t timestamps[] = { 1000, 3000, 2000, 3000, 9000 };
    begin(m);
    for (size_t i = 0; i < COUNT(timestamps); i++)
        add_version(m, timestamps[i]);
    (void)add_notice(m, "other", "");
    (void)commit(m);
    static const struct {
        int64_t at_ms;
        uint32_t version;
    } rows[] = { { 0, 0 },    { 999, 0 },  { 1000, 1 }, { 1999, 1 }, { 2000, 3 },
                 { 2999, 3 }, { 3000, 4 }, { 8999, 4 }, { 9000, 5 }, { INT64_MAX, 5 } };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(store_notice_at(m->r, STR("terms"), rows[i].at_ms), rows[i].version);
    assert_int_equal(store_notice_at(m->r, STR("none"), INT64_MAX), 0);
}

/* In a group of its own; `hash` stands for a text. */
static int64_t find(struct made *m, char hash)
{
    int64_t seq;
    struct finding f = { .identifier = STR("terms"),
                         .received_ms = ++made_ms,
                         .content = STR("\"T\"") };
    memset(f.hash, hash, sizeof f.hash);
    begin(m);
    ok(store_add_finding(m->s, &f, STR("{\"found\":1}"), &seq));
    (void)commit(m);
    return seq;
}

static void confirm(struct made *m, int64_t finding)
{
    int64_t seq, now = ++made_ms;
    struct notice_row row = { .identifier = STR("terms"),
                              .version = store_next_notice(m->s, STR("terms")),
                              .timestamp_ms = now,
                              .received_ms = now };
    begin(m);
    ok(store_add_notice(m->s, &row, arena_printf(&m->a, "{\"finding\":%lld}", (long long)finding),
                        &seq));
    ok(store_confirm_finding(m->s, finding, row.version));
    (void)commit(m);
}

static void assert_pending(struct made *m, char hash)
{
    struct finding f;
    enum err e = store_pending_finding(m->r, STR("terms"), &m->a, &f);
    assert_int_equal(e, hash ? OK : ERR_NOT_FOUND);
    if (hash)
        assert_int_equal(f.hash[31], hash);
}

static void the_newest_finding_is_pending_until_it_is_confirmed(void **state)
{
    struct made *m = *state;
    struct finding f;
    assert_pending(m, 0);
    assert_int_equal(store_newest_finding(m->r, STR("terms"), &m->a, &f), ERR_NOT_FOUND);
    int64_t first = find(m, 'a');
    assert_pending(m, 'a');
    (void)find(m, 'b');
    assert_pending(m, 'b');
    int64_t third = find(m, 'a'); /* nothing is in force yet: it is news still */
    assert_pending(m, 'a');
    assert_true(third > first);
    confirm(m, third);
    assert_pending(m, 0);
    ok(store_newest_finding(m->r, STR("terms"), &m->a, &f));
    assert_int_equal(f.version, 1);
    assert_string_equal(f.content.p, "\"T\"");
    (void)find(m, 'c');
    assert_pending(m, 'c');
    (void)find(m, 'a'); /* it went back */
    assert_pending(m, 0);
    int64_t again = find(m, 'c');
    confirm(m, again);
    (void)find(m, 'a'); /* and now that is old */
    assert_pending(m, 'a');
}

static void a_finding_that_nobody_confirmed_is_no_version(void **state)
{
    struct made *m = *state;
    int64_t seq = find(m, 'a');
    begin(m);
    ok(store_confirm_finding(m->s, seq, 1));
    (void)add_notice(m, "terms", "\"T\""); /* which does not say that it was this */
    (void)commit(m);
    assert_int_equal(faults(m->r, false), 1);
    m->unverified = true;
}

#define T(name)                                                                                    \
    {                                                                                              \
#name, name, NULL, NULL, NULL                                                              \
    }
const struct CMUnitTest suite_notice[] = {
    T(the_version_in_force_is_the_latest_up_to_then),
    T(the_newest_finding_is_pending_until_it_is_confirmed),
    T(a_finding_that_nobody_confirmed_is_no_version),
};
const size_t suite_notice_count = COUNT(suite_notice);
