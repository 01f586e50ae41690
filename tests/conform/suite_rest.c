#include "store_make.h"

static void the_first_answer_is_replayed_for_a_day(void **state)
{
    struct made *m = *state;
    struct str hash, answer;
    begin(m);
    ok(store_put_answer(m->s, STR("pub"), STR("k1"), 1000, STR("h1"), STR("a1")));
    ok(store_put_answer(m->s, STR("priv"), STR("k1"), 1000, STR("h2"), STR("a2")));
    (void)commit(m);
    ok(store_get_answer(m->r, STR("pub"), STR("k1"), 1000, &m->a, &hash, &answer));
    assert_string_equal(hash.p, "h1");
    assert_string_equal(answer.p, "a1");
    ok(store_get_answer(m->r, STR("priv"), STR("k1"), 1000, &m->a, &hash, &answer));
    assert_string_equal(answer.p, "a2");
    assert_int_equal(store_get_answer(m->r, STR("pub"), STR("k2"), 1000, &m->a, &hash, &answer),
                     ERR_NOT_FOUND);
    int64_t last = 1000 + LIMIT_IDEMPOTENCY_MS - 1;
    ok(store_get_answer(m->r, STR("pub"), STR("k1"), last, &m->a, &hash, &answer));
    assert_int_equal(store_get_answer(m->r, STR("pub"), STR("k1"), last + 1, &m->a, &hash, &answer),
                     ERR_NOT_FOUND);
    begin(m);
    ok(store_put_answer(m->s, STR("pub"), STR("k1"), last + 1, STR("h3"), STR("a3")));
    (void)commit(m);
    ok(store_get_answer(m->r, STR("pub"), STR("k1"), last + 2, &m->a, &hash, &answer));
    assert_string_equal(answer.p, "a3");
}

static void expired_answers_do_not_pile_up(void **state)
{
    struct made *m = *state;
    begin(m);
    for (int i = 0; i < 100; i++)
        ok(store_put_answer(m->s, STR("pub"), arena_printf(&m->a, "%d", i), i, STR("h"), STR("a")));
    int64_t later = LIMIT_IDEMPOTENCY_MS + 1000;
    for (int i = 0; i < 20; i++)
        ok(store_put_answer(m->s, STR("pub"), arena_printf(&m->a, "n%d", i), later, STR("h"),
                            STR("a")));
    (void)commit(m);
    /* asked at the old time, an answer that is still there would be found */
    uint32_t left = 0;
    struct str hash, answer;
    for (int i = 0; i < 100; i++)
        left += store_get_answer(m->r, STR("pub"), arena_printf(&m->a, "%d", i), 100, &m->a, &hash,
                                 &answer) == OK;
    assert_int_equal(left, 0);
}

static void notices_count_per_identifier(void **state)
{
    struct made *m = *state;
    begin(m);
    assert_int_equal(add_notice(m, "terms", "\"t1\""), 1);
    assert_int_equal(add_notice(m, "privacy", "{\"en\":\"p1\"}"), 1);
    assert_int_equal(add_notice(m, "privacy", "{\"en\":\"p2\"}"), 2);
    assert_int_equal(add_notice(m, "terms", ""), 2);
    (void)commit(m);
    begin(m);
    assert_int_equal(add_notice(m, "terms", "\"t3\""), 3);
    struct notice_row again = { .identifier = STR("terms"), .version = 3 };
    int64_t seq;
    assert_int_equal(store_add_notice(m->s, &again, STR("{}"), &seq), ERR_STALE);
    (void)commit(m);
    assert_int_equal(store_newest_notice(m->r, STR("terms")), 3);
    assert_int_equal(store_newest_notice(m->r, STR("privacy")), 2);
    assert_int_equal(store_newest_notice(m->r, STR("cookies")), 0);
}

static void notice_filters_select(void **state)
{
    struct made *m = *state;
    begin(m);
    int64_t t0 = made_ms;
    for (int i = 0; i < 3; i++) {
        (void)add_notice(m, "b", "\"b\"");
        (void)add_notice(m, "a", "\"a\"");
    }
    (void)commit(m);
    const struct {
        struct notice_filter f;
        const char *expected;
    } row[] = {
        { { .limit = 100 }, "a3 b3 a2 b2 a1 b1 " },
        { { .limit = 2 }, "a3 b3 " },
        { { .identifier = STR_INIT("b"), .limit = 100 }, "b3 b2 b1 " },
        { { .identifier = STR_INIT("b"), .version = 2, .limit = 100 }, "b2 " },
        { { .identifier = STR_INIT("c"), .limit = 100 }, "" },
        { { .version = 1, .limit = 100 }, "a1 b1 " },
        { { .starting_after_identifier = STR_INIT("a"), .starting_after_version = 2, .limit = 100 },
          "b2 a1 b1 " },
        { { .starting_after_identifier = STR_INIT("a"), .limit = 100 }, "b1 " },
        { { .starting_after_identifier = STR_INIT("b"),
            .starting_after_version = 3,
            .identifier = STR_INIT("a"),
            .limit = 100 },
          "a2 a1 " },
        { { .language = STR_INIT("en"), .limit = 100 }, "" },
        { { .identifier = STR_INIT("b"), .starting_after_version = 3, .limit = 100 }, "b2 b1 " },
        { { .identifier = STR_INIT("b"), .starting_after_version = 1, .limit = 100 }, "" },
        { { .from_ms = t0 + 2, .to_ms = t0 + 3, .limit = 100 }, "b2 a1 " },
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        struct notice_row *rows;
        uint32_t n;
        ok(store_list_notices(m->r, &row[i].f, &m->a, &rows, &n));
        AUTO(buf_fini) struct buf got = BUF_INIT(1000);
        for (uint32_t k = 0; k < n; k++)
            buf_printf(&got, "%.*s%u ", STR_ARG(rows[k].identifier), rows[k].version);
        if (!str_eq(buf_view(&got), str_of(row[i].expected)))
            fail_msg("row %zu: %.*s instead of %s", i, STR_ARG(buf_view(&got)), row[i].expected);
        if (n)
            assert_true(rows[0].content.n == 3 && rows[0].seq > 0);
    }
}

static void names_and_versions_are_numbered_once(void **state)
{
    struct made *m = *state;
    struct frozen f;
    ok(store_load_frozen(m->r, &m->a, &f));
    assert_int_equal(f.purpose_count + f.destination_count + f.version_count, 0);
    assert_int_equal(store_newest_generation(m->r), 0);
    struct str purpose[] = { STR("statistics"), STR("linking") };
    struct str destination[] = { STR("own"), STR("ga4") };
    struct frozen_version version[] = { { STR("statistics"), 1, STR("{\"v\":1}") },
                                        { STR("linking"), 1, STR("{\"v\":2}") } };
    uint32_t generation;
    begin(m);
    ok(store_add_configuration(m->s,
                               &(struct policy_news){ purpose, destination, 2, 2, version, 2 },
                               STR("{}"), 1, &generation));
    assert_int_equal(generation, 1);
    (void)commit(m);
    struct str more = STR("profiling");
    struct frozen_version newer[] = { { STR("statistics"), 1, STR("{\"v\":1,\"de\":1}") },
                                      { STR("profiling"), 2, STR("{\"v\":3}") } };
    begin(m);
    ok(store_add_configuration(m->s, &(struct policy_news){ &more, NULL, 1, 0, newer, 2 },
                               STR("{}"), 2, &generation));
    assert_int_equal(generation, 2);
    (void)commit(m);
    ok(store_load_frozen(m->r, &m->a, &f));
    assert_int_equal(f.purpose_count, 3);
    assert_string_equal(f.purpose[1].p, "linking");
    assert_string_equal(f.purpose[2].p, "profiling");
    assert_int_equal(f.destination_count, 2);
    assert_string_equal(f.destination[0].p, "own");
    assert_int_equal(f.version_count, 3);
    assert_string_equal(f.version[2].purpose.p, "profiling");
    assert_int_equal(f.version[2].version, 2);
    assert_string_equal(f.version[0].content.p, "{\"v\":1,\"de\":1}");
    assert_string_equal(f.version[1].purpose.p, "linking");
    assert_int_equal(store_newest_generation(m->r), 2);
}

static void destinations_run_out(void **state)
{
    struct made *m = *state;
    struct str name[LIMIT_DESTINATIONS + 1];
    for (int i = 0; i <= LIMIT_DESTINATIONS; i++)
        name[i] = arena_printf(&m->a, "d%d", i);
    struct policy_news news = { .destination = name, .destination_count = LIMIT_DESTINATIONS + 1 };
    uint32_t generation;
    begin(m);
    assert_int_equal(store_add_configuration(m->s, &news, STR("{}"), 1, &generation), ERR_LIMIT);
    store_rollback(m->s);
    news.destination_count--;
    begin(m);
    ok(store_add_configuration(m->s, &news, STR("{}"), 1, &generation));
    (void)commit(m);
    news = (struct policy_news){ .destination = &name[LIMIT_DESTINATIONS], .destination_count = 1 };
    begin(m);
    assert_int_equal(store_add_configuration(m->s, &news, STR("{}"), 1, &generation), ERR_LIMIT);
    store_rollback(m->s);
}

static void counters_add_up(void **state)
{
    struct made *m = *state;
    begin(m);
    ok(store_count(m->s, 3600000, 1, REASON_SIGNAL, 2));
    ok(store_count(m->s, 3600000, 1, REASON_SIGNAL, 3));
    ok(store_count(m->s, 3600000, 1, REASON_REFUSED, 1));
    ok(store_count(m->s, 7200000, 0, REASON_SIGNAL, 9));
    (void)commit(m);
    struct counter_row *rows;
    uint32_t n;
    ok(store_list_counters(m->r, 3600000, 3600000, &m->a, &rows, &n));
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].reason, REASON_REFUSED);
    assert_int_equal(rows[1].n, 5);
    ok(store_list_counters(m->r, 0, INT64_MAX, &m->a, &rows, &n));
    assert_int_equal(n, 3);
}

static void secrets_differ_and_hashes_depend_on_them(void **state)
{
    struct made *m = *state;
    uint8_t secret[SECRET_COUNT][32];
    for (int i = 0; i < SECRET_COUNT; i++)
        store_secret(m->s, (enum store_secret)i, secret[i]);
    for (int i = 0; i < SECRET_COUNT; i++)
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(secret[i], secret[k], 32);
    assert_true(store_subject_hash(m->r, STR("ada")) ==
                store_subject_hash(store_own_reader(m->s), STR("ada")));
    assert_true(store_subject_hash(m->r, STR("ada")) != store_subject_hash(m->r, STR("adb")));
    struct store *other;
    ok(store_open(&(struct store_options){ .memory = true }, &other, NULL));
    assert_true(store_subject_hash(m->r, STR("ada")) !=
                store_subject_hash(store_own_reader(other), STR("ada")));
    store_close(&other);
}

#define T(name)                                                                                    \
    {                                                                                              \
#name, name, NULL, NULL, NULL                                                              \
    }
const struct CMUnitTest suite_rest[] = {
    T(the_first_answer_is_replayed_for_a_day),
    T(expired_answers_do_not_pile_up),
    T(notices_count_per_identifier),
    T(notice_filters_select),
    T(names_and_versions_are_numbered_once),
    T(destinations_run_out),
    T(counters_add_up),
    T(secrets_differ_and_hashes_depend_on_them),
};
const size_t suite_rest_count = COUNT(suite_rest);
