#include "policy/compile.h"
#include "codec/json.h"
#include "policy/fixture.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define NOW FIXTURE_NOW
#define DAY FIXTURE_DAY

/* ---- a configuration of two purposes and two destinations ---- */

struct shop {
    struct arena arena;
    struct conf conf;
    struct frozen frozen; /* what the store knows; empty at first */
    struct buf reports;
};

static void shop_version(struct shop *s, struct conf_version *v, uint32_t number)
{
    *v = (struct conf_version){
        .place = { .line = 10 * number, .column = 5 },
        .version = number,
        .since_ms = NOW + number * 100 * DAY,
        .notice = arena_array(&s->arena, struct conf_notice_ref, 3),
        .notice_count = 2,
        .text = arena_array(&s->arena, struct conf_text, 4),
        .text_count = 2,
    };
    v->recipient = fixture_names(&s->arena, &v->recipient_count, "hubspot", "ga4", NULL);
    v->notice[0] = (struct conf_notice_ref){ STR("privacy_policy"), 7 };
    v->notice[1] = (struct conf_notice_ref){ STR("cookie_policy"), 2 };
    v->text[0] = fixture_text("en", "We say \"so\"");
    v->text[1] = fixture_text("de", "Wir sagen es");
}

static void shop_purpose(struct shop *s, struct conf_purpose *p, const char *id, uint32_t versions)
{
    *p = (struct conf_purpose){
        .place = { .line = 3, .column = 3 },
        .id = str_of(id),
        .lifetime = { .months = 12 },
        .version = arena_array(&s->arena, struct conf_version, versions + 3),
        .version_count = versions,
    };
    for (uint32_t i = 0; i < versions; i++)
        shop_version(s, &p->version[i], i + 1);
}

static void shop_destination(struct shop *s, struct conf_destination *d, const char *id,
                             const char *company)
{
    *d = (struct conf_destination){
        .place = { .line = 40, .column = 3 },
        .id = str_of(id),
        .type = str_of(id),
        .has_recipient = company != NULL,
        .recipient_name = str_of(company ? company : ""),
    };
    if (company)
        memcpy(d->recipient_country, "IE", 3);
    d->requires = fixture_names(&s->arena, &d->require_count, "statistics", NULL);
}

static struct shop *shop_new(void)
{
    struct shop *s = must_alloc_zero(sizeof(*s));
    s->reports.max = 1u << 16;
    struct conf *c = &s->conf;
    c->file = STR("licet.yaml");
    c->controller_name = STR("Muster GmbH");
    memcpy(c->controller_country, "DE", 3);
    c->purpose = arena_array(&s->arena, struct conf_purpose, 8);
    c->purpose_count = 2;
    shop_purpose(s, &c->purpose[0], "statistics", 2);
    shop_purpose(s, &c->purpose[1], "newsletter", 1);
    c->destination = arena_array(&s->arena, struct conf_destination, LIMIT_DESTINATIONS + 1);
    c->destination_count = 3;
    shop_destination(s, &c->destination[0], "own", NULL);
    shop_destination(s, &c->destination[1], "ga4", "Google Ireland Ltd");
    shop_destination(s, &c->destination[2], "hubspot", "HubSpot Ireland Ltd");
    return s;
}

static void shop_free(struct shop **s)
{
    if (*s == NULL)
        return;
    arena_fini(&(*s)->arena);
    buf_fini(&(*s)->reports);
    free(*s);
    *s = NULL;
}

static enum err shop_compare(struct shop *s, struct policy_news *ret_news)
{
    buf_clear(&s->reports);
    return policy_compare(&s->conf, &s->frozen, &s->arena, ret_news, &s->reports);
}

/* Compares, stores the news, compiles: what `serve` does. */
static const struct policy *shop_open(struct shop *s)
{
    return fixture_compile(&s->conf, &s->frozen, &s->arena, &s->frozen);
}

static bool holds(struct str text, const char *what)
{
    return memmem(text.p, text.n, what, strlen(what)) != NULL;
}

/* ---- content ---- */

static void content_is_json_with_everything_that_freezes(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    const struct conf_purpose *p = &s->conf.purpose[0];
    p->version[0].text_count = 1;
    struct str content = policy_version_content(&s->conf, p, &p->version[0], &s->arena);
    assert_string_equal(
        content.p,
        "{\"purpose\":\"statistics\",\"version\":1,\"since\":\"2026-04-11T00:00:00Z\","
        "\"recipients\":[{\"id\":\"ga4\",\"name\":\"Google Ireland Ltd\",\"country\":\"IE\"},"
        "{\"id\":\"hubspot\",\"name\":\"HubSpot Ireland Ltd\",\"country\":\"IE\"}],"
        "\"notices\":{\"cookie_policy\":2,\"privacy_policy\":7},"
        "\"text\":{\"en\":{\"title\":\"We say \\\"so\\\"\",\"aim\":\"We say \\\"so\\\"\","
        "\"data\":\"We say \\\"so\\\"\",\"transfer\":\"We say \\\"so\\\"\","
        "\"storage\":\"We say \\\"so\\\"\",\"automation\":\"We say \\\"so\\\"\","
        "\"consequences\":\"We say \\\"so\\\"\",\"withdrawal\":\"We say \\\"so\\\"\"}}}");
    struct json_doc doc;
    assert_int_equal(json_scan(content, &s->arena, &doc, NULL), OK);
}

static void content_does_not_depend_on_the_order_of_the_file(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    struct conf_version *v = &s->conf.purpose[0].version[0];
    struct str one = policy_version_content(&s->conf, &s->conf.purpose[0], v, &s->arena);
    v->recipient = fixture_names(&s->arena, &v->recipient_count, "ga4", "hubspot", "ga4", NULL);
    struct conf_notice_ref notice = v->notice[0];
    v->notice[0] = v->notice[1];
    v->notice[1] = notice;
    struct conf_text text = v->text[0];
    v->text[0] = v->text[1];
    v->text[1] = text;
    struct str other = policy_version_content(&s->conf, &s->conf.purpose[0], v, &s->arena);
    assert_true(str_eq(one, other));
}

static void recipient_that_is_the_controller_freezes_with_its_name(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    struct conf_version *v = &s->conf.purpose[0].version[0];
    v->recipient = fixture_names(&s->arena, &v->recipient_count, "own", NULL);
    struct str content = policy_version_content(&s->conf, &s->conf.purpose[0], v, &s->arena);
    assert_true(holds(content, "{\"id\":\"own\",\"name\":\"Muster GmbH\",\"country\":\"DE\"}"));
}

/* ---- comparing ---- */

static void everything_is_new_to_an_empty_store(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    struct policy_news news;
    assert_int_equal(shop_compare(s, &news), OK);
    assert_int_equal(news.purpose_count, 2);
    assert_int_equal(news.destination_count, 3);
    assert_int_equal(news.version_count, 3);
    assert_true(str_eq(news.purpose[1], STR("newsletter")));
    assert_true(str_eq(news.destination[2], STR("hubspot")));
    assert_int_equal(news.version[1].version, 2);
    policy_freeze(&s->frozen, &news, &s->arena, &s->frozen);
    assert_int_equal(shop_compare(s, &news), OK);
    assert_int_equal(news.purpose_count + news.destination_count + news.version_count, 0);
    assert_int_equal(s->reports.n, 0);
}

static struct conf_version *first_version(struct shop *s)
{
    return &s->conf.purpose[0].version[0];
}

static void change_since(struct shop *s)
{
    first_version(s)->since_ms += DAY;
}
static void drop_recipient(struct shop *s)
{
    first_version(s)->recipient_count--;
}
static void exchange_recipient(struct shop *s)
{
    first_version(s)->recipient[0] = STR("own");
}
static void add_recipient(struct shop *s)
{
    first_version(s)->recipient[first_version(s)->recipient_count++] = STR("own");
}
static void change_notice(struct shop *s)
{
    first_version(s)->notice[1].version++;
}
static void rename_notice(struct shop *s)
{
    first_version(s)->notice[1].identifier = STR("terms");
}
static void add_notice(struct shop *s)
{
    first_version(s)->notice[first_version(s)->notice_count++] =
        (struct conf_notice_ref){ STR("terms"), 1 };
}
static void change_aim(struct shop *s)
{
    first_version(s)->text[1].part[1] = STR("Wir sagen etwas anderes");
}
static void empty_withdrawal(struct shop *s)
{
    first_version(s)->text[0].part[7] = STR("");
}
static void drop_language(struct shop *s)
{
    first_version(s)->text_count--;
}
static void exchange_language(struct shop *s)
{
    first_version(s)->text[1].language = STR("nl");
}
static void drop_newest_version(struct shop *s)
{
    s->conf.purpose[0].version_count--;
}
static void drop_first_version(struct shop *s)
{
    s->conf.purpose[0].version++;
    s->conf.purpose[0].version_count--;
}
static void drop_purpose(struct shop *s)
{
    s->conf.purpose_count--;
}
static void rename_purpose(struct shop *s)
{
    s->conf.purpose[1].id = STR("letter");
}

static const struct {
    void (*change)(struct shop *s);
    const char *report;
} frozen_changes[] = {
    { change_since, "in force since another day" },
    { drop_recipient, "names other recipients" },
    { exchange_recipient, "names other recipients" },
    { add_recipient, "names other recipients" },
    { change_notice, "carried by other notices" },
    { rename_notice, "carried by other notices" },
    { add_notice, "carried by other notices" },
    { change_aim, "text in 'de' has another aim" },
    { empty_withdrawal, "text in 'en' has another withdrawal" },
    { drop_language, "text in 'de' is gone" },
    { exchange_language, "text in 'de' is gone" },
    { drop_newest_version, "version 2 of purpose 'statistics' is frozen, but not in the" },
    { drop_first_version, "version 1 of purpose 'statistics' is frozen, but not in the" },
    { drop_purpose, "version 1 of purpose 'newsletter' is frozen, but not in the" },
    { rename_purpose, "version 1 of purpose 'newsletter' is frozen, but not in the" },
};

static void nothing_that_froze_may_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(frozen_changes); i++) {
        AUTO(shop_free) struct shop *s = shop_new();
        (void)shop_open(s);
        frozen_changes[i].change(s);
        struct policy_news news = { .version_count = 77 };
        assert_int_equal(shop_compare(s, &news), ERR_CONFLICT);
        assert_int_equal(news.version_count, 77);
        if (!holds(buf_view(&s->reports), frozen_changes[i].report))
            fail_msg("%.*s does not say: %s", STR_ARG(buf_view(&s->reports)),
                     frozen_changes[i].report);
    }
}

static void every_difference_is_reported_at_its_place(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    (void)shop_open(s);
    change_since(s);
    change_aim(s);
    s->conf.purpose[0].version[1].recipient_count--;
    struct policy_news news;
    assert_int_equal(shop_compare(s, &news), ERR_CONFLICT);
    struct str reports = buf_view(&s->reports);
    assert_true(holds(reports, "licet.yaml:10:5: error: version 1 of purpose 'statistics'"));
    assert_true(holds(reports, "another day"));
    assert_true(holds(reports, "another aim"));
    assert_true(holds(reports, "licet.yaml:20:5: error: version 2 of purpose 'statistics'"));
}

static void further_language_completes_the_frozen_content(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    (void)shop_open(s);
    struct conf_version *v = first_version(s);
    v->text[v->text_count++] = fixture_text("nl", "Wij zeggen het");
    s->conf.destination[1].recipient_name = STR("Shady Inc"); /* re-pointed the same day */
    struct policy_news news;
    assert_int_equal(shop_compare(s, &news), OK);
    assert_int_equal(news.version_count, 1);
    struct str content = news.version[0].content;
    assert_true(str_eq(news.version[0].purpose, STR("statistics")));
    assert_int_equal(news.version[0].version, 1);
    assert_true(holds(content, "\"nl\":{\"title\":\"Wij zeggen het\""));
    assert_true(holds(content, "\"de\":{\"title\":\"Wir sagen es\""));
    assert_true(holds(content, "Google Ireland Ltd"));
    assert_false(holds(content, "Shady"));
    policy_freeze(&s->frozen, &news, &s->arena, &s->frozen);
    assert_int_equal(shop_compare(s, &news), OK);
    assert_int_equal(news.version_count, 0);
    v->text_count--; /* from now on it is frozen too */
    assert_int_equal(shop_compare(s, &news), ERR_CONFLICT);
}

static void voiding_may_be_added_and_never_taken_back(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    (void)shop_open(s);
    first_version(s)->voided_ms = NOW + 150 * DAY;
    struct policy_news news;
    assert_int_equal(shop_compare(s, &news), OK);
    assert_int_equal(news.version_count, 1);
    assert_true(holds(news.version[0].content, ",\"voided\":\"2026-05-31T00:00:00Z\"}"));
    const struct policy *p = shop_open(s);
    assert_int_equal(p->purpose[0].version[0].voided_ms, NOW + 150 * DAY);
    first_version(s)->voided_ms += DAY;
    assert_int_equal(shop_compare(s, &news), ERR_CONFLICT);
    first_version(s)->voided_ms = 0;
    assert_int_equal(shop_compare(s, &news), ERR_CONFLICT);
    assert_true(holds(buf_view(&s->reports), "cannot be taken back"));
}

static void text_declared_void_is_void_from_the_earliest_moment(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    s->conf.purpose[0].version[0].voided_ms = NOW + 50 * DAY;
    struct frozen_void declared[] = { { .purpose = 1, .version = 1, .from_ms = NOW + 40 * DAY },
                                      { .purpose = 1, .version = 2, .from_ms = NOW + 60 * DAY },
                                      { .purpose = 2, .version = 1, .from_ms = 0 },
                                      { .purpose = 9, .version = 1, .from_ms = 1 } };
    const struct policy *before = fixture_compile(&s->conf, NULL, &s->arena, &s->frozen);
    s->frozen.voided = declared;
    s->frozen.void_count = COUNT(declared);
    struct frozen after;
    const struct policy *p = fixture_compile(&s->conf, &s->frozen, &s->arena, &after);
    assert_int_equal(after.void_count, COUNT(declared));
    assert_int_equal(p->purpose[0].version[0].voided_ms, NOW + 40 * DAY);
    assert_int_equal(p->purpose[0].version[1].voided_ms, NOW + 60 * DAY);
    assert_int_not_equal(p->purpose[1].version[0].voided_ms, 0); /* since ever is void, too */
    assert_int_equal(before->purpose[0].version[0].voided_ms, NOW + 50 * DAY);
    assert_true(policy_narrows(before, p));
    assert_memory_not_equal(before->hash, p->hash, sizeof p->hash);
}

static void new_version_must_be_newer_than_frozen_ones(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    struct conf_purpose *p = &s->conf.purpose[0];
    p->version[1].version = 5;
    (void)shop_open(s);
    p->version[2] = p->version[1];
    p->version_count = 3;
    p->version[2].version = 6;
    struct policy_news news;
    assert_int_equal(shop_compare(s, &news), OK);
    assert_int_equal(news.version_count, 1);
    p->version[2] = p->version[1];
    p->version[1].version = 3;
    assert_int_equal(shop_compare(s, &news), ERR_CONFLICT);
    assert_true(holds(buf_view(&s->reports), "version 3 of purpose 'statistics' is new, but "
                                             "version 5 is already frozen"));
}

static void present_recipient_is_no_difference(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    (void)shop_open(s);
    s->conf.destination[1].recipient_name = STR("Shady Inc");
    memcpy(s->conf.destination[2].recipient_country, "US", 3);
    s->conf.destination_count = 2;
    struct policy_news news;
    assert_int_equal(shop_compare(s, &news), OK);
    assert_int_equal(news.version_count, 0);
}

static void destinations_run_out_over_the_life_of_a_database(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    (void)shop_open(s);
    s->conf.destination_count = 1;
    for (int i = 3; i < LIMIT_DESTINATIONS; i++) {
        struct str id = arena_printf(&s->arena, "webhook%d", i);
        shop_destination(s, &s->conf.destination[s->conf.destination_count++], id.p, "Hook AG");
        if (s->conf.destination_count == 10) {
            (void)shop_open(s);
            s->conf.destination_count = 1;
        }
    }
    const struct policy *p = shop_open(s);
    assert_int_equal(s->frozen.destination_count, LIMIT_DESTINATIONS);
    assert_int_equal(p->use[p->use_count - 1].slot, LIMIT_DESTINATIONS - 1);
    shop_destination(s, &s->conf.destination[0], "one-more", "Hook AG");
    struct policy_news news;
    assert_int_equal(shop_compare(s, &news), ERR_LIMIT);
    assert_true(holds(buf_view(&s->reports), "licet.yaml:40:3: error: destination 'one-more'"));
}

static const char *const corrupt[] = {
    "",
    "{}",
    "[]",
    "{\"purpose\":\"statistics\",\"version\":1}",
    "{\"purpose\":\"newsletter\",\"version\":1,\"since\":\"x\",\"recipients\":[],\"notices\":{},"
    "\"text\":{}}",
    "{\"purpose\":\"statistics\",\"version\":2,\"since\":\"x\",\"recipients\":[],\"notices\":{},"
    "\"text\":{}}",
    "{\"purpose\":\"statistics\",\"version\":4294967297,\"since\":\"x\",\"recipients\":[],"
    "\"notices\":{},\"text\":{}}",
    "{\"purpose\":\"statistics\",\"version\":-1,\"since\":\"x\",\"recipients\":[],\"notices\":{},"
    "\"text\":{}}",
    "{\"purpose\":\"statistics\",\"version\":1,\"since\":1,\"recipients\":[],\"notices\":{},"
    "\"text\":{}}",
    "{\"purpose\":\"statistics\",\"version\":1,\"since\":\"x\",\"recipients\":{},\"notices\":{},"
    "\"text\":{}}",
    "{\"purpose\":\"statistics\",\"version\":1,\"since\":\"x\",\"recipients\":[1],\"notices\":{},"
    "\"text\":{}}",
    "{\"purpose\":\"statistics\",\"version\":1,\"since\":\"x\",\"recipients\":[],"
    "\"notices\":{\"a\":\"1\"},\"text\":{}}",
    "{\"purpose\":\"statistics\",\"version\":1,\"since\":\"x\",\"recipients\":[],\"notices\":[],"
    "\"text\":{}}",
    "{\"purpose\":\"statistics\",\"version\":1,\"since\":\"x\",\"recipients\":[],\"notices\":{},"
    "\"text\":{\"en\":{\"title\":\"t\"}}}",
    "{\"purpose\":\"statistics\",\"version\":1,\"since\":\"x\",\"recipients\":[],\"notices\":{},"
    "\"text\":[]}",
    "{\"purpose\":\"statistics\",\"version\":1,\"since\":\"x\",\"recipients\":[],\"notices\":{},"
    "\"text\":{},\"voided\":1}",
    "{\"purpose\":\"statistics\",\"version\":1,\"since\":\"x\",\"recipients\":[],\"notices\":{},"
    "\"text\":{}} ,",
};

static void damaged_content_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(corrupt); i++) {
        AUTO(shop_free) struct shop *s = shop_new();
        (void)shop_open(s);
        must(str_eq(s->frozen.version[0].purpose, STR("statistics")));
        s->frozen.version[0].content = str_of(corrupt[i]);
        struct policy_news news;
        assert_int_equal(shop_compare(s, &news), ERR_CORRUPT);
        assert_true(holds(buf_view(&s->reports), "cannot be read"));
    }
}

/* ---- compiling ---- */

static void numbers_are_the_stores_and_indexes_the_files(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    (void)shop_open(s);
    struct conf *c = &s->conf;
    c->purpose[2] = c->purpose[0]; /* statistics last, a new one in the middle */
    c->purpose[0] = c->purpose[1];
    shop_purpose(s, &c->purpose[1], "linking", 1);
    c->purpose_count = 3;
    c->destination[0] = c->destination[2]; /* hubspot, then a new one; own and ga4 are gone */
    shop_destination(s, &c->destination[1], "meta", "Meta Ireland Ltd");
    c->destination_count = 2;
    const struct policy *p = shop_open(s);

    const uint32_t numbers[] = { 2, 3, 1 };
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(p->purpose[i].number, numbers[i]);
        assert_ptr_equal(policy_purpose_numbered(p, numbers[i]), &p->purpose[i]);
    }
    assert_null(policy_purpose_numbered(p, 0));
    assert_null(policy_purpose_numbered(p, 4));
    assert_int_equal(policy_purpose_index(p, STR("statistics")), 2);
    assert_int_equal(policy_purpose_index(p, STR("Statistics")), UINT32_MAX);
    assert_int_equal(policy_use_index(p, STR("meta")), 1);
    assert_int_equal(policy_use_index(p, STR("ga4")), UINT32_MAX);
    assert_int_equal(p->use[0].slot, 2);
    assert_int_equal(p->use[1].slot, 3);
    assert_int_equal(p->use_of_slot[0], -1);
    assert_int_equal(p->use_of_slot[1], -1);
    assert_int_equal(p->use_of_slot[2], 0);
    assert_int_equal(p->use_of_slot[3], 1);
    assert_int_equal(p->use_of_slot[LIMIT_DESTINATIONS - 1], -1);
    assert_int_equal(p->use[0].require_count, 1);
    assert_int_equal(p->use[0].require[0], 2);
    assert_int_equal(p->generation, 1);
}

static void versions_are_in_force_one_after_the_other(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    s->conf.purpose[0].version[1].version = 4;
    const struct policy *p = shop_open(s);
    const struct policy_purpose *u = &p->purpose[0];
    assert_null(policy_version_at(u, NOW + 100 * DAY - 1));
    assert_ptr_equal(policy_version_at(u, NOW + 100 * DAY), &u->version[0]);
    assert_ptr_equal(policy_version_at(u, NOW + 200 * DAY - 1), &u->version[0]);
    assert_ptr_equal(policy_version_at(u, NOW + 200 * DAY), &u->version[1]);
    assert_ptr_equal(policy_version_at(u, INT64_MAX), &u->version[1]);
    assert_int_equal(u->version[0].until_ms, NOW + 200 * DAY);
    assert_int_equal(u->version[1].until_ms, INT64_MAX);
    assert_ptr_equal(policy_version_numbered(u, 1), &u->version[0]);
    assert_ptr_equal(policy_version_numbered(u, 4), &u->version[1]);
    assert_null(policy_version_numbered(u, 0));
    assert_null(policy_version_numbered(u, 2));
    assert_null(policy_version_numbered(u, UINT32_MAX));
    assert_int_equal(u->version[0].notice_count, 2);
}

static enum reason sent_to(struct shop *s, const struct policy *p, const char *destination)
{
    const struct standing yes = { .purpose = 1,
                                  .grant = true,
                                  .confirmed = true,
                                  .version = 1,
                                  .first_effect = NOW,
                                  .last_effect = NOW };
    const struct use use = { .index = policy_use_index(p, str_of(destination)),
                             .has_device = true };
    struct decision d;
    gate_decide(p, fixture_snapshot(&s->arena, 0, 1, &yes), NULL, &use, NOW + DAY, &d);
    return d.reason;
}

static void repointed_destination_inherits_no_consent(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    assert_int_equal(sent_to(s, shop_open(s), "ga4"), REASON_PERMITTED);
    struct conf_destination *ga4 = &s->conf.destination[1];
    ga4->recipient_name = STR("Shady Ireland Ltd");
    const struct policy *p = shop_open(s);
    assert_int_equal(sent_to(s, p, "ga4"), REASON_RECIPIENT_NOT_NAMED);
    assert_int_equal(sent_to(s, p, "hubspot"), REASON_PERMITTED);
    assert_int_equal(sent_to(s, p, "own"), REASON_PERMITTED);
    /* what was frozen stays as it was */
    const struct policy_version *v = &p->purpose[0].version[0];
    assert_int_equal(v->recipient_count, 2);
    assert_true(str_eq(v->recipient[0].name, STR("Google Ireland Ltd")));
    assert_string_equal(v->recipient[0].country, "IE");
    assert_int_equal(v->recipient[0].slot, 1);

    ga4->recipient_name = STR("Google Ireland Ltd");
    memcpy(ga4->recipient_country, "FR", 3);
    assert_int_equal(sent_to(s, shop_open(s), "ga4"), REASON_RECIPIENT_NOT_NAMED);
    memcpy(ga4->recipient_country, "IE", 3);
    assert_int_equal(sent_to(s, shop_open(s), "ga4"), REASON_PERMITTED);
    /* another destination of the same company is not the one that was named */
    shop_destination(s, &s->conf.destination[3], "ga5", "Google Ireland Ltd");
    s->conf.destination_count = 4;
    assert_int_equal(sent_to(s, shop_open(s), "ga5"), REASON_RECIPIENT_NOT_NAMED);
    /* own data handed to somebody else */
    s->conf.destination[0].has_recipient = true;
    s->conf.destination[0].recipient_name = STR("Muster GmbH");
    memcpy(s->conf.destination[0].recipient_country, "DE", 3);
    assert_int_equal(sent_to(s, shop_open(s), "own"), REASON_RECIPIENT_NOT_NAMED);
}

static void what_is_not_stored_does_not_compile(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    (void)shop_open(s);
    const struct frozen whole = s->frozen;
    const struct policy *p = NULL;
    struct frozen f = whole;
    f.purpose_count = 1;
    assert_int_equal(policy_compile(&s->conf, &f, 1, &s->arena, &p, &s->reports), ERR_NOT_FOUND);
    f = whole;
    f.destination_count = 2;
    assert_int_equal(policy_compile(&s->conf, &f, 1, &s->arena, &p, &s->reports), ERR_NOT_FOUND);
    f = whole;
    f.version_count = 2;
    assert_int_equal(policy_compile(&s->conf, &f, 1, &s->arena, &p, &s->reports), ERR_NOT_FOUND);
    f = whole;
    f.version[1].content = STR("{");
    assert_int_equal(policy_compile(&s->conf, &f, 1, &s->arena, &p, &s->reports), ERR_CORRUPT);
    assert_null(p);
    assert_true(holds(buf_view(&s->reports), "purpose 'newsletter' is not stored"));
    assert_true(holds(buf_view(&s->reports), "destination 'hubspot' is not stored"));
}

static void use_of_too_many_purposes_does_not_compile(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    struct conf_destination *d = &s->conf.destination[1];
    d->requires = arena_array(&s->arena, struct str, LIMIT_PURPOSES_PER_USE + 1);
    for (uint32_t i = 0; i < LIMIT_PURPOSES_PER_USE; i++)
    d->requires[i] = i ? arena_printf(&s->arena, "ghost%u", i) : STR("statistics");
    d->requires[LIMIT_PURPOSES_PER_USE] = STR("statistics"); /* the same again is not one more */
    d->require_count = LIMIT_PURPOSES_PER_USE + 1;
    const struct policy *p = shop_open(s);
    assert_int_equal(p->use[1].require_count, LIMIT_PURPOSES_PER_USE);
    assert_int_equal(p->use[1].require[1], UINT32_MAX);
    d->recipient_purpose =
        fixture_names(&s->arena, &d->recipient_purpose_count, "newsletter", NULL);
    assert_int_equal(policy_compile(&s->conf, &s->frozen, 1, &s->arena, &p, &s->reports),
                     ERR_LIMIT);
    assert_true(holds(buf_view(&s->reports), "destination 'ga4' needs more than 16 purposes"));
}

/* ---- hash and narrowing ---- */

static void set_basis(struct shop *s)
{
    s->conf.purpose[0].basis = CONF_LEGITIMATE_INTERESTS;
}
static void set_terminal(struct shop *s)
{
    s->conf.purpose[0].terminal_access = CONF_TERMINAL_NONE;
}
static void set_scope(struct shop *s)
{
    s->conf.purpose[0].scope = CONF_PERSON;
}
static void set_double_opt_in(struct shop *s)
{
    s->conf.purpose[0].double_opt_in = true;
}
static void set_proof_optional(struct shop *s)
{
    s->conf.purpose[0].proof_optional = true;
}
static void set_honours(struct shop *s)
{
    s->conf.purpose[0].honours = CONF_DNT;
}
static void set_lifetime(struct shop *s)
{
    s->conf.purpose[0].lifetime.months = 11;
}
static void set_lifetime_ms(struct shop *s)
{
    s->conf.purpose[0].lifetime.ms = -1;
}
static void set_category(struct shop *s)
{
    s->conf.purpose[0].consent_category =
        fixture_names(&s->arena, &s->conf.purpose[0].consent_category_count, "ads", NULL);
}
static void set_voided(struct shop *s)
{
    first_version(s)->voided_ms = NOW;
}
static void set_recipient(struct shop *s)
{
    s->conf.destination[1].recipient_name = STR("Shady Inc");
}
static void set_role(struct shop *s)
{
    s->conf.destination[1].role = CONF_CONTROLLER;
}
static void set_requires(struct shop *s)
{
    s->conf.destination[1].requires[s->conf.destination[1].require_count++] = STR("newsletter");
}
static void set_transfer(struct shop *s)
{
    struct conf_transfer *t = arena_new(&s->arena, struct conf_transfer);
    *t = (struct conf_transfer){ .importer = STR("Google LLC"), .country = "US" };
    s->conf.destination[1].transfer = t;
    s->conf.destination[1].transfer_count = 1;
}
static void drop_destination(struct shop *s)
{
    s->conf.destination_count--;
}
static void require_other(struct shop *s)
{
    s->conf.destination[1].requires[0] = STR("newsletter");
}

static void whatever_shapes_a_decision_is_in_the_hash_and_narrows(void **state)
{
    (void)state;
    void (*const changes[])(struct shop *) = {
        set_basis,          set_terminal,     set_scope,     set_double_opt_in,
        set_proof_optional, set_honours,      set_lifetime,  set_category,
        set_voided,         set_recipient,    set_role,      set_requires,
        set_transfer,       drop_destination, require_other, set_lifetime_ms,
    };
    for (size_t i = 0; i < COUNT(changes); i++) {
        AUTO(shop_free) struct shop *s = shop_new();
        const struct policy *from = shop_open(s);
        struct conf *before = arena_new(&s->arena, struct conf); /* the policy points into it */
        *before = s->conf;
        before->purpose = arena_array(&s->arena, struct conf_purpose, 2);
        memcpy(before->purpose, s->conf.purpose, 2 * sizeof(*before->purpose));
        before->destination = arena_array(&s->arena, struct conf_destination, 3);
        memcpy(before->destination, s->conf.destination, 3 * sizeof(*before->destination));
        from = fixture_compile(before, &s->frozen, &s->arena, &s->frozen);
        changes[i](s);
        const struct policy *to = shop_open(s);
        if (memcmp(from->hash, to->hash, 32) == 0)
            fail_msg("change %zu is not in the hash", i);
        if (!policy_narrows(from, to))
            fail_msg("change %zu does not narrow", i);
        assert_false(policy_narrows(to, to));
    }
}

static void same_configuration_has_the_same_hash(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    const struct policy *one = shop_open(s);
    AUTO(shop_free) struct shop *t = shop_new();
    t->conf.purpose[0].separate = true; /* shapes the banner, not a decision */
    t->conf.destination[1].batch_events = 7;
    t->conf.listen_port = 8081;
    struct conf_version *v = first_version(t);
    v->text[v->text_count++] = fixture_text("nl", "Wij zeggen het");
    const struct policy *other = shop_open(t);
    assert_memory_equal(one->hash, other->hash, 32);
    assert_false(policy_narrows(one, other));
}

static void adding_beside_what_is_there_does_not_narrow(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    const struct policy *from = shop_open(s);
    AUTO(shop_free) struct shop *t = shop_new();
    t->frozen = s->frozen;
    shop_purpose(t, &t->conf.purpose[2], "linking", 1);
    t->conf.purpose_count = 3;
    shop_version(t, &t->conf.purpose[0].version[2], 3);
    t->conf.purpose[0].version_count = 3;
    shop_destination(t, &t->conf.destination[3], "meta", "Meta Ireland Ltd");
    t->conf.destination_count = 4;
    const struct policy *to = shop_open(t);
    assert_memory_not_equal(from->hash, to->hash, 32);
    assert_false(policy_narrows(from, to));
    assert_true(policy_narrows(to, from));
}

static void claim_that_goes_or_asks_for_more_narrows(void **state)
{
    (void)state;
    static const struct {
        const char *before[2], *after[2];
        bool narrows;
    } rows[] = {
        { { "statistics" }, { NULL }, true },
        { { "statistics" }, { "newsletter" }, true },
        { { "statistics" }, { "statistics", "newsletter" }, true },
        { { NULL }, { "statistics" }, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct policy *p[2];
        AUTO(shop_free) struct shop *s = shop_new();
        AUTO(shop_free) struct shop *t = shop_new();
        struct shop *const shop[2] = { s, t };
        t->frozen = s->frozen;
        for (int k = 0; k < 2; k++) {
            const char *const *name = k ? rows[i].after : rows[i].before;
            struct conf_claim *claim = &shop[k]->conf.destination[1].claim[CONF_AD_PERSONALIZATION];
            claim->purpose = fixture_names(&shop[k]->arena, &claim->purpose_count, name[0],
                                           name[0] ? name[1] : NULL, NULL);
            p[k] = shop_open(shop[k]);
            t->frozen = s->frozen;
        }
        assert_memory_not_equal(p[0]->hash, p[1]->hash, 32);
        if (policy_narrows(p[0], p[1]) != rows[i].narrows)
            fail_msg("row %zu", i);
    }
}

static void purpose_that_goes_narrows(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    s->conf.purpose_count = 1;
    const struct policy *without = shop_open(s);
    AUTO(shop_free) struct shop *t = shop_new();
    t->frozen = s->frozen;
    const struct policy *with = shop_open(t);
    assert_false(policy_narrows(without, with));
    assert_true(policy_narrows(with, without));
}

/* ---- from a file ---- */

static const char yaml[] =
    "listen: 127.0.0.1:8080\n"
    "store: sqlite:./data\n"
    "controller: {name: Muster GmbH, country: DE, contact: ds@muster.example}\n"
    "keys: {private: [a-private-key-of-some-length], public: [a-public-key-of-some-length]}\n"
    "purposes:\n"
    "  - id: statistics\n"
    "    honours: [gpc]\n"
    "    versions:\n"
    "      - version: 1\n"
    "        since: 2026-01-01\n"
    "        recipients: [warehouse]\n"
    "        notice: {privacy_policy: 7}\n"
    "        text:\n"
    "          en: {title: Statistics, aim: We count., data: A number., transfer: To Host.,\n"
    "               storage: 90 days., automation: None., consequences: None., withdrawal: Here.}\n"
    "destinations:\n"
    "  - id: own\n"
    "    requires: [statistics]\n"
    "    retention: 90d\n"
    "    fields: {event: keep}\n"
    "  - id: warehouse\n"
    "    type: webhook\n"
    "    endpoint: https://host.example/in\n"
    "    secret: a-secret-of-some-length\n"
    "    requires: [statistics]\n"
    "    recipient: {name: Host Inc, country: US, role: processor}\n"
    "    transfers:\n"
    "      - {importer: Host Inc, country: US, basis: adequacy, instrument: DPF, since: "
    "2023-07-10,\n"
    "         certified_until: 2026-02-01, checked_on: 2026-01-01,\n"
    "         fallback: {basis: scc, module: 2, assessed: 2026-03-01}}\n"
    "    fields: {event: keep}\n";

static struct conf *load(const char *text)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 16);
    struct conf *c = NULL;
    if (conf_parse(str_of(text), "licet.yaml", &c, &reports) != OK)
        fail_msg("%.*s", STR_ARG(buf_view(&reports)));
    return c;
}

static void file_compiles_and_its_transfer_falls_back(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    AUTO(conf_free) struct conf *c = load(yaml);
    const struct policy *p = fixture_compile(c, &s->frozen, &s->arena, &s->frozen);
    const struct standing yes = { .purpose = 1,
                                  .grant = true,
                                  .confirmed = true,
                                  .version = 1,
                                  .first_effect = NOW,
                                  .last_effect = NOW };
    struct snapshot *said = fixture_snapshot(&s->arena, 0, 1, &yes);
    const struct use use = { .index = policy_use_index(p, STR("warehouse")), .has_device = true };
    struct decision d;
    gate_decide(p, said, NULL, &use, NOW + 32 * DAY - 1, &d); /* 1 February is the last day */
    assert_int_equal(d.reason, REASON_PERMITTED);
    gate_decide(p, said, NULL, &use, NOW + 32 * DAY, &d);
    assert_int_equal(d.reason, REASON_NO_TRANSFER_BASIS);
    gate_decide(p, said, NULL, &use, NOW + 59 * DAY, &d); /* 1 March: the clauses were assessed */
    assert_int_equal(d.reason, REASON_PERMITTED);
    gate_decide(p, said, NULL, &use, NOW + 365 * DAY, &d);
    assert_int_equal(d.reason, REASON_EXPIRED); /* twelve months by default */
}

static void frozen_difference_points_into_the_file(void **state)
{
    (void)state;
    AUTO(shop_free) struct shop *s = shop_new();
    AUTO(conf_free) struct conf *c = load(yaml);
    (void)fixture_compile(c, &s->frozen, &s->arena, &s->frozen);
    AUTO(free_ptr) char *changed = strdup(yaml);
    memcpy(strstr(changed, "We count."), "We track.", 9);
    AUTO(conf_free) struct conf *other = load(changed);
    struct policy_news news;
    assert_int_equal(policy_compare(other, &s->frozen, &s->arena, &news, &s->reports),
                     ERR_CONFLICT);
    struct str reports = buf_view(&s->reports);
    if (!holds(reports, "licet.yaml:9:") || !holds(reports, "another aim") || !holds(reports, "^"))
        fail_msg("%.*s", STR_ARG(reports));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_json_with_everything_that_freezes),
        cmocka_unit_test(content_does_not_depend_on_the_order_of_the_file),
        cmocka_unit_test(recipient_that_is_the_controller_freezes_with_its_name),
        cmocka_unit_test(everything_is_new_to_an_empty_store),
        cmocka_unit_test(nothing_that_froze_may_change),
        cmocka_unit_test(every_difference_is_reported_at_its_place),
        cmocka_unit_test(further_language_completes_the_frozen_content),
        cmocka_unit_test(voiding_may_be_added_and_never_taken_back),
        cmocka_unit_test(text_declared_void_is_void_from_the_earliest_moment),
        cmocka_unit_test(new_version_must_be_newer_than_frozen_ones),
        cmocka_unit_test(present_recipient_is_no_difference),
        cmocka_unit_test(destinations_run_out_over_the_life_of_a_database),
        cmocka_unit_test(damaged_content_is_an_error),
        cmocka_unit_test(numbers_are_the_stores_and_indexes_the_files),
        cmocka_unit_test(versions_are_in_force_one_after_the_other),
        cmocka_unit_test(repointed_destination_inherits_no_consent),
        cmocka_unit_test(what_is_not_stored_does_not_compile),
        cmocka_unit_test(use_of_too_many_purposes_does_not_compile),
        cmocka_unit_test(whatever_shapes_a_decision_is_in_the_hash_and_narrows),
        cmocka_unit_test(same_configuration_has_the_same_hash),
        cmocka_unit_test(adding_beside_what_is_there_does_not_narrow),
        cmocka_unit_test(claim_that_goes_or_asks_for_more_narrows),
        cmocka_unit_test(purpose_that_goes_narrows),
        cmocka_unit_test(file_compiles_and_its_transfer_falls_back),
        cmocka_unit_test(frozen_difference_points_into_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
