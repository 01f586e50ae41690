#include "policy/shown.h"

#include "codec/json.h"
#include "policy/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const int64_t NEW_YEAR = FIXTURE_NOW; /* 2026-01-01 */

#define TEXT(says)                                                                                 \
    "{title: T, aim: '" says "', data: D, transfer: X, storage: S, automation: A, "                \
    "consequences: C, withdrawal: W}"
static const char head[] =
    "controller: {name: 'Blatt \"&\" Halm', country: DE, contact: c@m.example}\n"
    "keys: {private: [private-0123456789], public: [public-0123456789]}\n"
    "destinations:\n"
    "  - {id: own, requires: [stats], retention: 1d}\n"
    "  - {id: a, type: webhook, endpoint: 'https://hooks.a.example/secret-path', secret: "
    "secret-0123456789, requires: [stats], recipient: {name: A Ltd, country: IE, role: "
    "processor}}\n"
    "  - {id: b, type: webhook, endpoint: 'https://b.example/', secret: secret-0123456789, "
    "requires: "
    "[mail], recipient: {name: A Ltd, country: IE, role: processor}}\n"
    "  - {id: c, type: webhook, endpoint: 'https://c.example/', secret: secret-0123456789, "
    "requires: "
    "[stats], recipient: {name: C Ltd, country: FI, role: processor}}\n";
static const char usual[] =
    "purposes:\n"
    "  - id: stats\n"
    "    honours: [gpc]\n"
    "    forget: ['_ga*']\n"
    "    lifetime: 13 months\n"
    "    ask_again_after_refusal: 90d\n"
    "    versions:\n"
    "      - {version: 1, since: 2025-01-01, recipients: [a, b], text: {en: " TEXT(
        "one") ", de: " TEXT("eins") "}}\n"
                                     "      - {version: 2, since: 2025-06-01, recipients: [a, c], "
                                     "notice: {privacy: 3}, text: {en: " TEXT("two") ", de: " TEXT(
                                         "zwei") "}}\n"
                                                 "      - {version: 3, since: 2026-06-01, text: "
                                                 "{en: " TEXT(
                                                     "three") "}}\n"
                                                              "  - id: mail\n"
                                                              "    scope: person\n"
                                                              "    versions:\n"
                                                              "      - {version: 1, since: "
                                                              "2025-01-01, text: {pt-BR: " TEXT(
                                                                  "correio") ", en: " TEXT("post") "}}\n";

static struct arena arena = ARENA_INIT;
static struct conf *conf;
static struct json_doc doc;

static int end(void **state)
{
    (void)state;
    conf_free(&conf);
    arena_fini(&arena);
    arena_init(&arena);
    return 0;
}

/* What is shown of a configuration; then told() finds parts of it. */
static struct str show(const char *purposes, const char *wanted, int64_t at_ms)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 16);
    struct frozen frozen;
    struct str json;
    conf_free(&conf);
    enum err e =
        conf_parse(arena_printf(&arena, "%s%s", head, purposes), "t.yaml", &conf, &reports);
    if (e != OK)
        fail_msg("%.*s", STR_ARG(buf_view(&reports)));
    const struct policy *p = fixture_compile(conf, NULL, &arena, &frozen);
    assert_int_equal(policy_shown(p, str_of(wanted), at_ms, &arena, &json), OK);
    if (json_scan(json, &arena, &doc, NULL) != OK)
        fail_msg("no JSON: %.*s", STR_ARG(json));
    return json;
}

static uint32_t item(uint32_t list, int n)
{
    uint32_t v = json_first(&doc, list);
    for (; n > 0 && v; n--)
        v = json_next(&doc, list, v);
    return v;
}

static uint32_t purpose(int n)
{
    return item(json_get(&doc, JSON_ROOT, STR("purposes")), n);
}

/* The raw JSON at a path below a node. */
static const char *told(uint32_t node, const char *path)
{
    struct str raw = json_raw(&doc, json_find(&doc, node, str_of(path)));
    return arena_str(&arena, raw).p;
}

static void the_text_in_force_is_shown_with_its_recipients_as_they_were_frozen(void **state)
{
    (void)state;
    show(usual, "en", NEW_YEAR);
    assert_string_equal(told(purpose(0), "version"), "2");
    assert_string_equal(told(purpose(0), "since"), "\"2025-06-01\"");
    assert_string_equal(told(purpose(0), "text.aim"), "\"two\"");
    assert_string_equal(
        told(purpose(0), "recipients"),
        "[{\"name\":\"A Ltd\",\"country\":\"IE\",\"country_name\":\"Ireland\"},{\"name\":\"C "
        "Ltd\",\"country\":\"FI\",\"country_name\":\"Finland\"}]");
    assert_string_equal(told(purpose(0), "notices"),
                        "[{\"identifier\":\"privacy\",\"version\":3}]");
    assert_string_equal(told(JSON_ROOT, "controller.name"), "\"Blatt \\\"&\\\" Halm\"");
}

static void two_destinations_of_one_company_are_one_recipient(void **state)
{
    (void)state;
    show(usual, "en", NEW_YEAR - 300 * FIXTURE_DAY);
    assert_string_equal(told(purpose(0), "version"), "1");
    assert_string_equal(told(purpose(0), "recipients"),
                        "[{\"name\":\"A Ltd\",\"country\":\"IE\",\"country_name\":\"Ireland\"}]");
}

static void before_its_first_text_a_purpose_is_not_shown(void **state)
{
    (void)state;
    show(usual, "en", NEW_YEAR - 400 * FIXTURE_DAY);
    assert_string_equal(told(JSON_ROOT, "purposes"), "[]");
    assert_string_equal(told(JSON_ROOT, "language"), "\"en\"");
}

static void rules_are_shown_in_days(void **state)
{
    (void)state;
    show(usual, "en", NEW_YEAR);
    assert_string_equal(told(purpose(0), "lifetime_days"), "395");
    assert_string_equal(told(purpose(0), "ask_again_days"), "90");
    assert_string_equal(told(purpose(1), "lifetime_days"), "365");
    assert_string_equal(told(purpose(1), "ask_again_days"), "182");
    assert_string_equal(told(purpose(0), "honours"), "[\"gpc\"]");
    assert_string_equal(told(purpose(0), "forget"), "[\"_ga*\"]");
    assert_string_equal(told(purpose(1), "scope"), "\"person\"");
}

static void what_changed_between_two_texts_is_named_by_part_and_by_new_recipients(void **state)
{
    (void)state;
    show(usual, "en", NEW_YEAR);
    assert_string_equal(told(purpose(0), "changes"),
                        "[{\"version\":2,\"parts\":[\"aim\",\"recipients\"]}]");
    show(usual, "en", NEW_YEAR + 300 * FIXTURE_DAY);
    assert_string_equal(told(purpose(0), "changes"),
                        "[{\"version\":2,\"parts\":[\"aim\",\"recipients\"]},"
                        "{\"version\":3,\"parts\":[\"aim\"]}]");
    assert_string_equal(told(purpose(1), "changes"), "[]");
}

static void a_version_that_lacked_the_language_counts_as_changed_in_every_part(void **state)
{
    (void)state;
    show("purposes:\n  - {id: stats, versions: [{version: 1, since: 2025-01-01, text: {en: " TEXT(
             "one") "}}, "
                    "{version: 2, since: 2025-02-01, text: {de: " TEXT(
                        "eins") "}}]}\n"
                                "  - {id: mail, versions: [{version: 1, since: 2025-01-01, text: "
                                "{en: " TEXT("m") "}}]}\n",
         "de", NEW_YEAR);
    assert_string_equal(
        told(purpose(0), "changes"),
        "[{\"version\":2,\"parts\":[\"title\",\"aim\",\"data\",\"transfer\",\"storage\","
        "\"automation\",\"consequences\",\"withdrawal\"]}]");
}

static void the_language_is_the_first_wanted_that_a_purpose_is_told_in(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *all, *first, *second;
    } row[] = {
        { "de", "\"de\"", "\"de\"", "\"pt-BR\"" },
        { "de-AT,en", "\"de\"", "\"de\"", "\"pt-BR\"" },
        { "DE", "\"de\"", "\"de\"", "\"pt-BR\"" },
        { " , fr, en-GB", "\"en\"", "\"en\"", "\"en\"" },
        { "pt", "\"pt-BR\"", "\"en\"", "\"pt-BR\"" },
        { "pt-PT", "\"pt-BR\"", "\"en\"", "\"pt-BR\"" },
        { "", "\"en\"", "\"en\"", "\"en\"" },
        { "zz", "\"en\"", "\"en\"", "\"en\"" },
        { "d", "\"en\"", "\"en\"", "\"en\"" },
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        show(usual, row[i].wanted, NEW_YEAR);
        assert_string_equal(told(JSON_ROOT, "language"), row[i].all);
        assert_string_equal(told(purpose(0), "language"), row[i].first);
        assert_string_equal(told(purpose(1), "language"), row[i].second);
    }
}

static void words_come_from_the_configuration_then_from_the_built_in_then_in_english(void **state)
{
    (void)state;
    static const char own[] =
        "banner:\n  language: pt-BR\n  texts:\n"
        "    pt-BR: {accept_all: Aceitar tudo, privacy_policy: /pt}\n    de: {manage: Wahl}\n";
    struct str text = arena_printf(&arena, "%s%s", usual, own);
    show(text.p, "", NEW_YEAR);
    assert_string_equal(told(JSON_ROOT, "language"), "\"pt-BR\"");
    assert_string_equal(told(JSON_ROOT, "words.accept_all"), "\"Aceitar tudo\"");
    assert_string_equal(told(JSON_ROOT, "words.decline_all"), "\"Decline all\"");
    assert_string_equal(told(JSON_ROOT, "privacy_policy"), "\"/pt\"");
    assert_string_equal(told(JSON_ROOT, "imprint"), "null");
    show(text.p, "de", NEW_YEAR);
    assert_string_equal(told(JSON_ROOT, "words.manage"), "\"Wahl\"");
    assert_string_equal(told(JSON_ROOT, "words.decline_all"), "\"Alle ablehnen\"");
    assert_string_equal(told(JSON_ROOT, "privacy_policy"), "null");
}

static void a_void_text_is_not_shown_and_older_void_texts_are_named(void **state)
{
    (void)state;
    static const char void_first[] =
        "purposes:\n  - {id: stats, versions: [{version: 1, since: 2025-01-01, void: {since: "
        "2025-03-01, reason: r}, text: {en: " TEXT("1") "}}, {version: 2, since: 2025-04-01, text: "
                                                        "{en: " TEXT(
                                                            "2") "}}]}\n  - {id: mail, versions: "
                                                                 "[{version: 1, since: 2025-01-01, "
                                                                 "void: {since: "
                                                                 "2026-02-01, reason: r}, text: "
                                                                 "{en: " TEXT("m") "}}]}\n";
    show(void_first, "en", NEW_YEAR);
    assert_string_equal(told(purpose(0), "void"), "[1]");
    assert_string_equal(told(purpose(1), "void"), "[]"); /* not yet */
    show(void_first, "en", NEW_YEAR + 40 * FIXTURE_DAY);
    assert_int_equal(purpose(1), 0);
    show(void_first, "en", NEW_YEAR - 290 * FIXTURE_DAY); /* 17 March 2025 */
    assert_string_equal(told(purpose(0), "id"), "\"mail\"");
}

static void events_need_what_a_destination_requires_of_the_device_unless_it_is_configured(
    void **state)
{
    (void)state;
    show(usual, "en", NEW_YEAR);
    assert_string_equal(told(JSON_ROOT, "events"), "[\"stats\"]"); /* mail is a person's */
    struct str text = arena_printf(&arena, "%sbanner: {events: [mail]}\n", usual);
    show(text.p, "en", NEW_YEAR);
    assert_string_equal(told(JSON_ROOT, "events"), "[\"mail\"]");
}

static void every_signal_of_a_system_that_is_named_is_there_and_none_of_others(void **state)
{
    (void)state;
    struct str text =
        arena_printf(&arena, "%sbanner: {clarity: {analytics_storage: [stats, mail]}}\n", usual);
    show(text.p, "en", NEW_YEAR);
    assert_string_equal(told(JSON_ROOT, "clarity"),
                        "{\"ad_Storage\":[],\"analytics_Storage\":[\"stats\",\"mail\"]}");
    assert_string_equal(told(JSON_ROOT, "google"), "");
    assert_string_equal(told(JSON_ROOT, "hubspot"), "");
}

static void dates_are_written_in_the_language_of_the_words(void **state)
{
    (void)state;
    show(usual, "de", NEW_YEAR);
    struct str dates = str_of(told(JSON_ROOT, "dates"));
    assert_true(str_starts(dates, STR("[\"22. Januar 3333\",\"22. Februar 3333\",")));
    show(usual, "en", NEW_YEAR);
    dates = str_of(told(JSON_ROOT, "dates"));
    assert_true(str_starts(dates, STR("[\"January 22, 3333\",")));
}

static void where_the_id_stands_for_the_server_is_told_with_its_time(void **state)
{
    (void)state;
    show(usual, "en", NEW_YEAR);
    assert_string_equal(told(JSON_ROOT, "cookie"), "");
    struct str text = arena_printf(&arena, "%sbanner: {cookie: {name: licet_id}}\n", usual);
    show(text.p, "en", NEW_YEAR);
    assert_string_equal(told(JSON_ROOT, "cookie"),
                        "{\"name\":\"licet_id\",\"domain\":null,\"days\":182}");
    text = arena_printf(&arena, "%sbanner: {cookie: {name: a, domain: b.example, lifetime: 30d}}\n",
                        usual);
    show(text.p, "en", NEW_YEAR);
    assert_string_equal(told(JSON_ROOT, "cookie"),
                        "{\"name\":\"a\",\"domain\":\"b.example\",\"days\":30}");
}

#define OF(since, says) "since: " since ", text: {en: " TEXT(says) "}}"
#define PLATFORM(of)                                                                               \
    "purposes: [{id: stats, versions: [{version: 1, " OF("2025-01-01", "A") ", {version: 2, " OF(  \
        "2026-02-01", "B") "]}, {id: mail, versions: [{version: 1, " OF("2025-01-01",              \
                                                                        "C") "]}]\ncmp: " of

static void of_a_platform_is_shown_what_can_be_bound_at_that_moment(void **state)
{
    (void)state;
    const int64_t february = 1769904000000, week = 7LL * 24 * 3600 * 1000;
    const char *all = PLATFORM("{provider: onetrust, map: {C2: [stats@1, mail@1], C 3: mail@1}}");
    show(all, "en", NEW_YEAR);
    assert_string_equal(
        told(JSON_ROOT, "cmp"),
        "{\"provider\":\"onetrust\",\"map\":["
        "{\"keys\":[\"C2\"],\"purpose\":\"stats\",\"version\":1,\"since\":\"2025-01-01\"},"
        "{\"keys\":[\"C2\"],\"purpose\":\"mail\",\"version\":1,\"since\":\"2025-01-01\"},"
        "{\"keys\":[\"C 3\"],\"purpose\":\"mail\",\"version\":1,\"since\":\"2025-01-01\"}]}");
    show(all, "en", february + week);
    assert_string_equal(told(item(json_find(&doc, JSON_ROOT, STR("cmp.map")), 0), "purpose"),
                        "\"stats\"");
    show(all, "en", february + week + 1);
    assert_string_equal(told(item(json_find(&doc, JSON_ROOT, STR("cmp.map")), 0), "purpose"),
                        "\"mail\"");
    const char *next = PLATFORM("{provider: tcf, map: {'purpose 1,vendor 755': stats@2}}");
    show(next, "en", february - 1);
    assert_string_equal(told(JSON_ROOT, "cmp"), "{\"provider\":\"tcf\",\"map\":[]}");
    show(next, "en", february);
    assert_string_equal(told(item(json_find(&doc, JSON_ROOT, STR("cmp.map")), 0), "keys"),
                        "[\"purpose 1\",\"vendor 755\"]");
    show(usual, "en", NEW_YEAR);
    assert_string_equal(told(JSON_ROOT, "cmp"), "");
}

static void nothing_of_a_destination_but_its_recipient_is_shown(void **state)
{
    (void)state;
    struct str json = show(usual, "en", NEW_YEAR);
    static const char *const never[] = { "example/",  "secret",  "webhook",          "retention",
                                         "processor", "private", "public-0123456789" };
    for (size_t i = 0; i < COUNT(never); i++)
        assert_null(memmem(json.p, json.n, never[i], strlen(never[i])));
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        T(the_text_in_force_is_shown_with_its_recipients_as_they_were_frozen),
        T(two_destinations_of_one_company_are_one_recipient),
        T(before_its_first_text_a_purpose_is_not_shown),
        T(rules_are_shown_in_days),
        T(what_changed_between_two_texts_is_named_by_part_and_by_new_recipients),
        T(a_version_that_lacked_the_language_counts_as_changed_in_every_part),
        T(the_language_is_the_first_wanted_that_a_purpose_is_told_in),
        T(words_come_from_the_configuration_then_from_the_built_in_then_in_english),
        T(a_void_text_is_not_shown_and_older_void_texts_are_named),
        T(events_need_what_a_destination_requires_of_the_device_unless_it_is_configured),
        T(every_signal_of_a_system_that_is_named_is_there_and_none_of_others),
        T(dates_are_written_in_the_language_of_the_words),
        T(where_the_id_stands_for_the_server_is_told_with_its_time),
        T(of_a_platform_is_shown_what_can_be_bound_at_that_moment),
        T(nothing_of_a_destination_but_its_recipient_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
