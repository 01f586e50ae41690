#include "conf/conf.h"

#include "base/limits.h"

#include <sodium.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define CONTROLLER "controller: {name: Muster GmbH, country: DE, contact: c@m.example}\n"
#define TOP CONTROLLER "keys: {private: [0123456789abcdef]}\n"
#define TEXT                                                                                       \
    "text: {en: {title: T, aim: A, data: D, transfer: R, storage: S, automation: N, "              \
    "consequences: C, withdrawal: W}}"
#define VERSION "{version: 1, since: 2026-01-01, " TEXT "}"

/* Parses what must be fine; warnings may come. */
static struct conf *parse(const char *text)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    struct conf *c = NULL;
    enum err e = conf_parse(str_of(text), "folder/t.yaml", &c, &reports);
    if (e != OK)
        print_error("%.*s\n", STR_ARG(buf_view(&reports)));
    assert_int_equal(e, OK);
    assert_non_null(c);
    return c;
}

static enum err outcome(const char *text, struct buf *reports)
{
    AUTO(conf_free) struct conf *c = NULL;
    buf_clear(reports);
    enum err e = conf_parse(str_of(text), "t.yaml", &c, reports);
    assert_true((e == OK) == (c != NULL));
    buf_byte(reports, 0);
    return e;
}

#define assert_str(s, text) assert_true(str_eq((s), STR(text)))

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    AUTO(conf_free)
    struct conf *c = parse(TOP "purposes: [{id: stats, versions: [" VERSION "]}]\n"
                               "destinations:\n  - id: hook\n    type: webhook\n"
                               "    endpoint: https://h.example/\n    secret: 0123456789abcdef\n"
                               "    requires: [stats]\n    fields: {event: keep}\n");
    assert_int_equal(c->format, 1);
    assert_str(c->listen_host, "127.0.0.1");
    assert_int_equal(c->listen_port, 8080);
    assert_str(c->data_dir, "folder/data");
    assert_str(c->file, "folder/t.yaml");
    assert_int_equal(c->public_url.n, 0);
    assert_int_equal(c->subject_token_secret.n, 0);
    assert_int_equal(c->limits.public_per_second, 50);
    assert_int_equal(c->limits.public_per_hour, 108000);
    assert_int_equal(c->limits.api_requests_per_second, 50);
    assert_int_equal(c->limits.api_requests_per_hour, 108000);
    assert_int_equal(c->consent_addresses, CONF_ADDRESS_TRUNCATED);
    assert_int_equal(c->limits.address_per_minute, 60);
    assert_int_equal(c->limits.subject_per_hour, 60);
    assert_int_equal(c->limits.events_per_second, 0);
    const struct conf_purpose *p = &c->purpose[0];
    assert_int_equal(p->basis, CONF_CONSENT);
    assert_int_equal(p->terminal_access, CONF_TERMINAL_CONSENT);
    assert_int_equal(p->scope, CONF_DEVICE);
    assert_false(p->separate || p->double_opt_in || p->proof_optional);
    assert_int_equal(p->honours, 0);
    assert_true(p->lifetime.months == 12 && p->lifetime.ms == 0);
    assert_true(p->ask_again_after_refusal.months == 6);
    const struct conf_destination *d = &c->destination[0];
    assert_int_equal(d->batch_events, 100);
    assert_int_equal(d->batch_ms, 1000);
    assert_int_equal(d->batch_bytes, LIMIT_SEND_BYTES);
    assert_int_equal(d->limits.at_once, 8);
    assert_int_equal(d->limits.requests_per_second, 0);
    assert_int_equal(d->limits.events_per_second, 0);
    assert_int_equal(d->uncertain, CONF_RETRY);
    assert_int_equal(d->epoch_days, 0);
    assert_false(d->has_recipient || d->allow_private_addresses);
}

static void listen_takes_its_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
    } cases[] = {
        { "127.0.0.1:8080", "127.0.0.1", 8080 },   { "\"[::1]:8080\"", "::1", 8080 },
        { "\":8080\"", "0.0.0.0", 8080 },          { "0.0.0.0:1", "0.0.0.0", 1 },
        { "localhost:65535", "127.0.0.1", 65535 }, { "\"[::]:0\"", "::", 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "listen: %s\n" TOP, cases[i].text);
        AUTO(conf_free) struct conf *c = parse(text);
        assert_true(str_eq(c->listen_host, str_of(cases[i].host)));
        assert_int_equal(c->listen_port, cases[i].port);
    }
}

static void the_store_is_relative_to_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *file, *store, *dir;
    } cases[] = {
        { "licet.yaml", "sqlite:./data", "data" },
        { "/etc/licet/licet.yaml", "sqlite:./data", "/etc/licet/data" },
        { "/etc/licet/licet.yaml", "sqlite:/var/lib/licet", "/var/lib/licet" },
        { "a/licet.yaml", "sqlite:../b", "a/../b" },
        { "/licet.yaml", "sqlite:x", "/x" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "store: %s\n" TOP, cases[i].store);
        AUTO(buf_fini) struct buf reports = BUF_INIT(4096);
        AUTO(conf_free) struct conf *c = NULL;
        assert_int_equal(conf_parse(str_of(text), cases[i].file, &c, &reports), OK);
        assert_true(str_eq(c->data_dir, str_of(cases[i].dir)));
    }
}

static void variables_are_filled_in(void **state)
{
    (void)state;
    assert_int_equal(setenv("LICET_TEST_NAME", "Mus", 1), 0);
    assert_int_equal(setenv("LICET_TEST_PORT", "99", 1), 0);
    AUTO(conf_free)
    struct conf *c = parse("listen: 127.0.0.1:${LICET_TEST_PORT}\n"
                           "controller: {name: \"${LICET_TEST_NAME}ter $${HOME} $ "
                           "$$ ${LICET_TEST_NAME}\", country: DE, contact: a$b}\n"
                           "keys: {private: [0123456789abcdef]}\n");
    assert_str(c->controller_name, "Muster ${HOME} $ $$ Mus");
    assert_str(c->controller_contact, "a$b");
    assert_int_equal(c->listen_port, 99);
}

static void what_a_variable_holds_is_never_shown(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    assert_int_equal(setenv("LICET_TEST_SECRET", "hunter2", 1), 0);
    assert_int_equal(outcome("listen: \"${LICET_TEST_SECRET}\"\nformat: ${LICET_TEST_SECRET}\n"
                             "store: \"${LICET_TEST_SECRET}\"\n" CONTROLLER
                             "keys: {private: [\"${LICET_TEST_SECRET}\"]}\n"
                             "purposes: [{id: \"${LICET_TEST_SECRET}\", basis: "
                             "\"${LICET_TEST_SECRET}\", lifetime: \"${LICET_TEST_SECRET}\"}]\n",
                             &reports),
                     ERR_VALUE);
    assert_null(strstr(reports.p, "hunter2"));
    assert_non_null(strstr(reports.p, "'${LICET_TEST_SECRET}' is not an address and port"));
    assert_non_null(strstr(reports.p, "{private: [\"${LICET_TEST_SECRET}\"]}"));
}

static void a_value_is_bounded_however_often_a_variable_stands_in_it(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONF), big = BUF_INIT(LIMIT_CONF);
    for (int i = 0; i < 30000; i++)
        buf_byte(&big, 'x');
    buf_byte(&big, 0);
    assert_int_equal(setenv("LICET_TEST_BIG", big.p, 1), 0);
    buf_lit(&text, CONTROLLER "keys: {private: [");
    for (int i = 0; i < 60; i++)
        buf_printf(&text, "\"%d${LICET_TEST_BIG}\", ", i);
    buf_lit(&text, "]}\n");
    buf_byte(&text, 0);
    assert_int_equal(outcome(text.p, &reports), ERR_LIMIT);
    assert_non_null(strstr(reports.p, "more than 1048576 bytes from variables"));
    assert_int_equal(outcome(CONTROLLER "keys: {private: [\"${LICET_TEST_BIG}${LICET_TEST_BIG}"
                                        "${LICET_TEST_BIG}\"]}\n",
                             &reports),
                     ERR_LIMIT);
    assert_non_null(strstr(reports.p, "more than 65536 bytes in one value"));
    assert_int_equal(unsetenv("LICET_TEST_BIG"), 0);
}

static void keys_are_kept_as_hashes_only(void **state)
{
    (void)state;
    AUTO(conf_free)
    struct conf *c = parse(CONTROLLER "keys:\n"
                                      "  private: [0123456789abcdef, {key: fedcba9876543210, "
                                      "mode: test}]\n"
                                      "  public:\n"
                                      "    - {key: aaaaaaaaaaaaaaaa, origins: "
                                      "[https://shop.example, \"http://localhost:3000\"]}\n");
    uint8_t hash[32];
    assert_int_equal(crypto_generichash(hash, 32, (const uint8_t *)"0123456789abcdef", 16, NULL, 0),
                     0);
    assert_int_equal(c->private_key_count, 2);
    assert_memory_equal(c->private_key[0].hash, hash, 32);
    assert_int_equal(c->private_key[0].mode, CONF_LIVE);
    assert_int_equal(c->private_key[1].mode, CONF_TEST);
    assert_int_equal(c->public_key_count, 1);
    assert_int_equal(c->public_key[0].origin_count, 2);
    assert_str(c->public_key[0].origin[1], "http://localhost:3000");
    assert_null(memmem(c->text.p, c->text.n, "0123456789abcdef", 16));
    assert_null(memmem(c->text.p, c->text.n, "fedcba9876543210", 16));
    assert_null(memmem(c->text.p, c->text.n, "aaaaaaaaaaaaaaaa", 16));
    assert_non_null(memmem(c->text.p, c->text.n, "https://shop.example", 20));
}

static void no_report_shows_a_key(void **state)
{
    (void)state;
    static const char *const cases[] = {
        CONTROLLER "keys: {private: [topsecretkey, \"topsecretkey with spaces\"]}\n",
        CONTROLLER "keys: {private: [{key: topsecretkey}, topsecretkey1234, topsecretkey1234]}\n",
        TOP "subject_token_secret: topsecretkey\n",
        TOP "subject_token_secret: \"$${topsecretkey\"\n",
        TOP "subject_token_secret: \"${A-topsecretkey\"\n",
        TOP "destinations: [{id: hook, type: webhook, secret: topsecretkey}]\n",
        TOP "destinations: [{id: hook, type: webhook, secret: whsec_topsecretkey}]\n",
        TOP "destinations: [{id: own, retention: 1d, listen: x, requires: [a]}]\n"
            "subject_token_secret: |\n   topsecretkey\n   topsecretkey\n",
        TOP "subject_token_secret: topsecretkey1234 # kept\n"
            "limits: {a: 1}\n",
        CONTROLLER "keys: {private: [topsecretkey1234, b: }\n",
        CONTROLLER "keys: {private: [\"topsecretkey1234\n",
    };
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_not_equal(outcome(cases[i], &reports), OK);
        if (strstr(reports.p, "topsecret") != NULL)
            print_error("%s\n", reports.p);
        assert_null(strstr(reports.p, "topsecret"));
    }
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

struct folder {
    char path[64];
};

static struct folder make_folder(void)
{
    struct folder f = { "/tmp/licet-conf-XXXXXX" };
    assert_non_null(mkdtemp(f.path));
    return f;
}

static void in_folder(const struct folder *f, const char *name, char ret_path[256])
{
    assert_true(snprintf(ret_path, 256, "%s/%s", f->path, name) < 256);
}

static void secrets_come_from_files_beside_the_configuration(void **state)
{
    (void)state;
    struct folder f = make_folder();
    char secret[256], file[256];
    in_folder(&f, "a.secret", secret);
    in_folder(&f, "licet.yaml", file);
    write_file(secret, "  from-a-file-0123456789\n\n", 0600);
    write_file(file,
               CONTROLLER "keys: {private: [{file: a.secret}]}\n"
                          "subject_token_secret: {file: ./a.secret}\n",
               0600);
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    AUTO(conf_free) struct conf *c = NULL;
    assert_int_equal(conf_load(file, &c, &reports), OK);
    assert_int_equal(reports.n, 0);
    assert_str(c->subject_token_secret, "from-a-file-0123456789");
    uint8_t hash[32];
    (void)crypto_generichash(hash, 32, (const uint8_t *)"from-a-file-0123456789", 22, NULL, 0);
    assert_memory_equal(c->private_key[0].hash, hash, 32);

    assert_int_equal(chmod(secret, 0644), 0); /* anybody may read it: a warning, no fault */
    conf_free(&c);
    assert_int_equal(conf_load(file, &c, &reports), OK);
    buf_byte(&reports, 0);
    assert_non_null(strstr(reports.p, "warning: anybody on this machine can read 'a.secret'"));

    conf_free(&c);
    char long_text[5001];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[5000] = 0;
    write_file(secret, long_text, 0600);
    buf_clear(&reports);
    assert_int_equal(conf_load(file, &c, &reports), ERR_LIMIT);
    buf_byte(&reports, 0);
    assert_non_null(strstr(reports.p, "more than 4096 bytes in this file"));

    assert_int_equal(unlink(secret), 0);
    assert_int_equal(mkfifo(secret, 0600), 0); /* must not wait for a writer */
    buf_clear(&reports);
    assert_int_equal(conf_load(file, &c, &reports), ERR_VALUE);
    buf_byte(&reports, 0);
    assert_non_null(strstr(reports.p, "'a.secret' is not a plain file"));
    assert_int_equal(unlink(secret) | unlink(file) | rmdir(f.path), 0);
}

static void a_file_that_cannot_be_read_is_said(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf reports = BUF_INIT(4096);
    AUTO(conf_free) struct conf *c = NULL;
    assert_int_equal(conf_load("/nonexistent/licet.yaml", &c, &reports), ERR_IO);
    buf_byte(&reports, 0);
    assert_string_equal(reports.p, "/nonexistent/licet.yaml: error: No such file or directory\n");
    buf_clear(&reports);
    assert_int_equal(conf_load("/", &c, &reports), ERR_IO);
    assert_null(c);
}

static void a_file_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct folder f = make_folder();
    char file[256];
    in_folder(&f, "licet.yaml", file);
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONF + 2);
    AUTO(buf_fini) struct buf reports = BUF_INIT(4096);
    AUTO(conf_free) struct conf *c = NULL;
    buf_lit(&text, TOP "#");
    while (text.n < LIMIT_CONF)
        buf_byte(&text, 'x');
    buf_byte(&text, 0);
    write_file(file, text.p, 0600);
    assert_int_equal(conf_load(file, &c, &reports), OK); /* just fits */
    conf_free(&c);
    text.p[text.n - 1] = 'x';
    buf_byte(&text, 0);
    write_file(file, text.p, 0600);
    assert_int_equal(conf_load(file, &c, &reports), ERR_LIMIT);
    buf_byte(&reports, 0);
    assert_non_null(strstr(reports.p, "error: the file is longer than 1048576 bytes\n"));
    assert_int_equal(unlink(file) | rmdir(f.path), 0);
}

static void purposes_are_read_whole(void **state)
{
    (void)state;
    AUTO(conf_free)
    struct conf *c = parse(
        TOP "purposes:\n"
            "  - id: news\n    basis: legitimate_interests\n    terminal_access: exempt\n"
            "    scope: person\n    separate: true\n    lifetime: 6mo\n    double_opt_in: true\n"
            "    honours: [gpc, dnt]\n    ask_again_after_refusal: 90d\n    proof: optional\n"
            "    reason: R\n    assessment: A\n    date: 2026-02-03\n"
            "    consent_category: [Analytics, \"C0002\"]\n    versions:\n"
            "      - version: 1\n        since: 2026-01-01\n        recipients: [own]\n"
            "        notice: {privacy_policy: 7, terms: 1}\n        " TEXT "\n"
            "        void: {since: 2026-03-01, reason: wrong}\n"
            "      - version: 2\n        since: 2026-04-01\n        text:\n"
            "          pt-BR:\n            title: |\n              Two\n              lines\n"
            "            aim: A\n            data: D\n            transfer: R\n"
            "            storage: S\n            automation: N\n            consequences: C\n"
            "            withdrawal: W\n"
            "destinations: [{id: own, requires: [news], retention: 2 years, fields: {event: keep}}]"
            "\n");
    const struct conf_purpose *p = &c->purpose[0];
    assert_int_equal(p->basis, CONF_LEGITIMATE_INTERESTS);
    assert_int_equal(p->terminal_access, CONF_TERMINAL_EXEMPT);
    assert_int_equal(p->scope, CONF_PERSON);
    assert_true(p->separate && p->double_opt_in && p->proof_optional);
    assert_int_equal(p->honours, CONF_GPC | CONF_DNT);
    assert_int_equal(p->lifetime.months, 6);
    assert_true(p->ask_again_after_refusal.ms == 90LL * 86400000);
    assert_int_equal(p->ask_again_after_refusal.months, 0);
    assert_true(p->assessed_ms == 1770076800000);
    assert_int_equal(p->consent_category_count, 2);
    assert_str(p->consent_category[1], "C0002");
    assert_int_equal(p->version_count, 2);
    const struct conf_version *v = p->version;
    assert_true(v[0].since_ms == 1767225600000 && v[0].voided_ms == 1772323200000);
    assert_str(v[0].void_reason, "wrong");
    assert_int_equal(v[0].recipient_count, 1);
    assert_str(v[0].recipient[0], "own");
    assert_int_equal(v[0].notice_count, 2);
    assert_str(v[0].notice[0].identifier, "privacy_policy");
    assert_int_equal(v[0].notice[0].version, 7);
    assert_int_equal(v[0].place.line, 19);
    static const char parts[] = "TADRSNCW";
    for (int i = 0; i < CONF_TEXT_PARTS; i++)
        assert_true(str_eq(v[0].text[0].part[i], (struct str){ &parts[i], 1 }));
    assert_int_equal(v[1].voided_ms, 0);
    assert_str(v[1].text[0].language, "pt-BR");
    assert_str(v[1].text[0].part[0], "Two\nlines");
    assert_int_equal(c->destination[0].retention.months, 24);
}

static void parts_of_a_text_are_in_the_order_of_their_names(void **state)
{
    (void)state;
    static const char *const names[] = { "title",   "aim",        "data",         "transfer",
                                         "storage", "automation", "consequences", "withdrawal" };
    for (int i = 0; i < CONF_TEXT_PARTS; i++)
        assert_string_equal(conf_text_part[i], names[i]);
}

static void destinations_are_read_whole(void **state)
{
    (void)state;
    AUTO(conf_free)
    struct conf *c = parse(
        TOP "purposes:\n"
            "  - {id: stats, versions: [{version: 1, since: 2026-01-01, recipients: [hook], " TEXT
            "}]}\n"
            "destinations:\n"
            "  - id: hook\n    type: webhook\n    endpoint: http://127.0.0.1:9000/in?x=1\n"
            "    secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
            "    allow_private_addresses: true\n    requires: [stats]\n"
            "    recipient: {name: G LLC, country: US, role: joint_controller, purposes: [stats]}\n"
            "    transfers:\n"
            "      - fallback: {basis: scc, module: 3, assessed: 2025-05-01, "
            "fallback: {basis: derogation, country: CA}}\n"
            "        importer: G LLC\n        country: US\n        basis: adequacy\n"
            "        instrument: EU-US DPF\n        since: 2023-07-10\n        until: 2030-01-01\n"
            "        certified_until: 2027-01-01\n        checked_on: 2026-11-01\n"
            "    fields:\n      event: keep\n      userId: drop\n      anonymousId: pseudonymise\n"
            "      context.ip: truncate_ip\n      traits.email: hash\n"
            "      context.page.url: {query: [utm_*, gclid]}\n      properties.*: keep\n"
            "    uncertain: hold\n    epoch: 90d\n    batch: {events: 500, bytes: 1024, wait: 2s}\n"
            "    limits: {requests_per_second: 3, events_per_second: 1000000, at_once: 64}\n"
            "links:\n  - {from: ga4.client_id, to: hubspot.contact, requires: [stats]}\n");
    const struct conf_destination *d = &c->destination[0];
    assert_str(d->type, "webhook");
    assert_str(d->endpoint, "http://127.0.0.1:9000/in?x=1");
    assert_str(d->secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert_true(d->allow_private_addresses && d->has_recipient);
    assert_int_equal(d->role, CONF_JOINT_CONTROLLER);
    assert_string_equal(d->recipient_country, "US");
    assert_str(d->recipient_purpose[0], "stats");
    const struct conf_transfer *t = d->transfer;
    assert_str(t->importer, "G LLC");
    assert_int_equal(t->basis, CONF_ADEQUACY);
    assert_true(t->since_ms == 1688947200000 && t->until_ms == 1893456000000);
    assert_true(t->certified_until_ms == 1798761600000 && t->checked_ms == 1793491200000);
    assert_str(t->fallback->importer, "G LLC");
    assert_string_equal(t->fallback->country, "US");
    assert_int_equal(t->fallback->module, 3);
    assert_int_equal(t->fallback->fallback->basis, CONF_DEROGATION);
    assert_str(t->fallback->fallback->importer, "G LLC");
    assert_string_equal(t->fallback->fallback->country, "CA");
    static const enum conf_treatment treatments[] = {
        CONF_KEEP, CONF_DROP, CONF_PSEUDONYMISE, CONF_TRUNCATE_IP, CONF_HASH, CONF_QUERY, CONF_KEEP
    };
    assert_int_equal(d->field_count, COUNT(treatments));
    for (size_t i = 0; i < COUNT(treatments); i++)
        assert_int_equal(d->field[i].treatment, treatments[i]);
    assert_str(d->field[5].path, "context.page.url");
    assert_str(d->field[5].parameter[0], "utm_*");
    assert_str(d->field[6].path, "properties");
    assert_true(d->field[6].below && !d->field[0].below);
    assert_int_equal(d->uncertain, CONF_HOLD);
    assert_int_equal(d->epoch_days, 90);
    assert_int_equal(d->batch_events, 500);
    assert_int_equal(d->batch_ms, 2000);
    assert_int_equal(d->batch_bytes, 1024);
    assert_int_equal(d->limits.requests_per_second, 3);
    assert_int_equal(d->limits.events_per_second, 1000000);
    assert_int_equal(d->limits.at_once, 64);
    assert_str(c->link[0].from, "ga4.client_id");
    assert_str(c->link[0].requires[0], "stats");
    assert_true(c->purpose[0].separate); /* a link requires it */
}

#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define HOOK(more)                                                                                 \
    TOP "purposes:\n"                                                                              \
        "  - {id: stats, versions: [{version: 1, since: 2026-01-01, recipients: [hook], " TEXT     \
        "}]}\n"                                                                                    \
        "destinations:\n"                                                                          \
        "  - id: hook\n    type: webhook\n    endpoint: https://h.example\n"                       \
        "    secret: 0123456789abcdef\n    requires: [stats]\n    fields: {event: keep}\n" more

static void how_a_receiver_is_called_is_read_whole(void **state)
{
    (void)state;
    struct folder f = make_folder();
    char ca[256], certificate[256], key[256], file[256];
    in_folder(&f, "ca.pem", ca);
    in_folder(&f, "our.pem", certificate);
    in_folder(&f, "our.key", key);
    in_folder(&f, "licet.yaml", file);
    write_file(ca, "-----BEGIN CERTIFICATE-----\nca\n", 0644);
    write_file(certificate, "-----BEGIN CERTIFICATE-----\nour\n", 0644);
    write_file(key, "-----BEGIN EC PRIVATE KEY-----\nx\n", 0600);
    assert_int_equal(setenv("LICET_TEST_PASSWORD", "p:w", 1), 0);
    write_file(file,
               HOOK("    tls: {ca: ca.pem, certificate: ./our.pem, key: our.key, pins: [\"" PIN
                    "\"]}\n"
                    "    proxy: {url: \"https://proxy:8443\", user: me, password: "
                    "\"${LICET_TEST_PASSWORD}\", ca: ca.pem, allow_private_addresses: true}\n"),
               0600);
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    AUTO(conf_free) struct conf *c = NULL;
    assert_int_equal(conf_load(file, &c, &reports), OK);
    assert_int_equal(reports.n, 0);
    const struct conf_destination *d = &c->destination[0];
    assert_str(d->tls.ca, "-----BEGIN CERTIFICATE-----\nca");
    assert_str(d->tls.certificate, "-----BEGIN CERTIFICATE-----\nour");
    assert_str(d->tls.key, "-----BEGIN EC PRIVATE KEY-----\nx");
    assert_int_equal(d->tls.pin_count, 1);
    assert_str(d->tls.pin[0], PIN);
    assert_str(d->proxy.url, "https://proxy:8443");
    assert_int_equal(d->proxy.kind, CONF_PROXY_HTTPS);
    assert_str(d->proxy.user, "me");
    assert_str(d->proxy.password, "p:w");
    assert_str(d->proxy.ca, "-----BEGIN CERTIFICATE-----\nca");
    assert_true(d->proxy.allow_private_addresses && !d->allow_private_addresses);

    static const struct {
        const char *key, *report;
        mode_t mode;
    } keys[] = {
        { "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "is encrypted: the key must be readable",
          0600 },
        { "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "is encrypted", 0600 },
        { "-----BEGIN CERTIFICATE-----\n", "holds no private key (PEM)", 0600 },
        { "", "holds no private key (PEM)", 0600 },
        { "-----BEGIN PRIVATE KEY-----\n", "anybody on this machine can read 'our.key'", 0644 },
    };
    for (size_t i = 0; i < COUNT(keys); i++) {
        conf_free(&c);
        buf_clear(&reports);
        write_file(key, keys[i].key, keys[i].mode);
        assert_int_equal(conf_load(file, &c, &reports), keys[i].mode == 0644 ? OK : ERR_VALUE);
        buf_byte(&reports, 0);
        assert_non_null(strstr(reports.p, keys[i].report));
    }
    conf_free(&c);
    buf_clear(&reports);
    write_file(ca, "-----BEGIN PUBLIC KEY-----\n", 0600);
    assert_int_equal(conf_load(file, &c, &reports), ERR_VALUE);
    buf_byte(&reports, 0);
    assert_non_null(strstr(reports.p, "'ca.pem' holds no certificate (PEM)"));
    assert_int_equal(truncate(ca, 256 * 1024 + 1), 0);
    buf_clear(&reports);
    assert_int_not_equal(conf_load(file, &c, &reports), OK);
    buf_byte(&reports, 0);
    assert_non_null(strstr(reports.p, "more than 262144 bytes in this file"));
    assert_int_equal(unlink(ca) | unlink(certificate) | unlink(key) | unlink(file) | rmdir(f.path),
                     0);
}

static void proxies_are_told_apart(void **state)
{
    (void)state;
    AUTO(conf_free) struct conf *c = parse(HOOK("    proxy: {url: \"socks5://p.example:1080\"}\n"));
    assert_int_equal(c->destination[0].proxy.kind, CONF_PROXY_SOCKS5);
    conf_free(&c);
    c = parse(HOOK("    proxy: {url: \"http://10.0.0.1:3128\", allow_private_addresses: true}\n"));
    assert_int_equal(c->destination[0].proxy.kind, CONF_PROXY_HTTP);
    assert_str(c->destination[0].proxy.url, "http://10.0.0.1:3128");
    assert_true(c->destination[0].proxy.allow_private_addresses);
    conf_free(&c);
    c = parse(HOOK(""));
    assert_int_equal(c->destination[0].proxy.url.n, 0);
}

static void linking_and_recording_are_separate_by_default(void **state)
{
    (void)state;
    AUTO(conf_free)
    struct conf *c = parse(TOP "purposes:\n  - {id: linking, versions: [" VERSION "]}\n"
                               "  - {id: recording, versions: [" VERSION "]}\n"
                               "  - {id: stats, versions: [" VERSION "]}\n");
    assert_true(c->purpose[0].separate && c->purpose[1].separate && !c->purpose[2].separate);
}

/* `count` entries of a list; %d in `entry` is its number. */
static enum err counted(const char *before, const char *entry, int count, const char *behind,
                        struct buf *reports)
{
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONF);
    buf_str(&text, str_of(before));
    for (int i = 0; i < count; i++) {
        struct str rest = str_of(entry), part;
        for (int k = 0; str_next(&rest, '#', &part); k++) {
            if (k)
                buf_printf(&text, "%d", i + 1);
            buf_str(&text, part);
        }
    }
    buf_str(&text, str_of(behind));
    assert_false(text.over);
    buf_byte(&text, 0);
    return outcome(text.p, reports);
}

static void counts_end_at_the_limits(void **state)
{
    (void)state;
    static const char purposes[] = TOP "purposes: [{id: s, versions: [" VERSION "]}]\n";
    char hook[2048];
    (void)snprintf(hook, sizeof hook,
                   "%sdestinations:\n  - id: hook\n    type: webhook\n"
                   "    endpoint: https://h.example/\n    secret: 0123456789abcdef\n"
                   "    requires: [s]\n",
                   purposes);
    char transfers[2200], fields[2200], destinations[2200], versions[1024], private_keys[1024];
    (void)snprintf(transfers, sizeof transfers, "%s    fields: {event: keep}\n    transfers:\n",
                   hook);
    (void)snprintf(fields, sizeof fields, "%s    fields:\n", hook);
    (void)snprintf(destinations, sizeof destinations, "%sdestinations:\n", purposes);
    (void)snprintf(versions, sizeof versions, TOP "purposes:\n  - id: s\n    versions:\n");
    (void)snprintf(private_keys, sizeof private_keys, CONTROLLER "keys:\n  private:\n");
    const struct {
        const char *before, *entry, *behind;
        int most;
    } cases[] = {
        { TOP "purposes:\n", "  - {id: p#, versions: [" VERSION "]}\n", "", LIMIT_PURPOSES },
        { destinations,
          "  - {id: d#, type: webhook, endpoint: https://h.example/, secret: 0123456789abcdef, "
          "requires: [s], fields: {event: keep}}\n",
          "", LIMIT_DESTINATIONS },
        { transfers, "      - {importer: i#, country: CH, basis: adequacy}\n", "",
          LIMIT_TRANSFERS },
        { fields, "      properties.p#: keep\n", "", LIMIT_FIELD_RULES },
        { private_keys, "    - 0123456789abcdef#\n", "", LIMIT_KEYS },
        { private_keys, "    - 0123456789abcdef#\n", "  public: [aaaaaaaaaaaaaaaa]\n",
          LIMIT_KEYS - 1 },
        { TOP "trusted_proxies:\n", "  - 10.0.0.#\n", "", 64 },
    };
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err e =
            counted(cases[i].before, cases[i].entry, cases[i].most, cases[i].behind, &reports);
        if (e != OK)
            print_error("%s\n", reports.p);
        assert_int_equal(e, OK);
        assert_int_equal(
            counted(cases[i].before, cases[i].entry, cases[i].most + 1, cases[i].behind, &reports),
            ERR_LIMIT);
        assert_non_null(strstr(reports.p, ": error: more than "));
    }
    assert_int_equal(counted(versions, "      - {version: #, since: 2026-01-01}\n",
                             LIMIT_VERSIONS + 1, "", &reports),
                     ERR_LIMIT);
}

static void a_later_fault_looks_like_the_others(void **state)
{
    (void)state;
    AUTO(conf_free)
    struct conf *c = parse("listen: 127.0.0.1:80\nlimits: {public_per_second: 5}\n" TOP);
    AUTO(buf_fini) struct buf reports = BUF_INIT(4096);
    conf_report(c, (struct conf_place){ 2, 10 }, true, &reports, "too %s", "few");
    conf_report(c, (struct conf_place){ 0, 0 }, false, &reports, "nowhere");
    conf_report(c, (struct conf_place){ 99, 1 }, false, &reports, "beyond");
    buf_byte(&reports, 0);
    assert_string_equal(reports.p, "folder/t.yaml:2:10: error: too few\n"
                                   "    2 | limits: {public_per_second: 5}\n"
                                   "      |          ^~~~~~~~~~~~~~~~~\n"
                                   "folder/t.yaml: warning: nowhere\n"
                                   "folder/t.yaml:99:1: warning: beyond\n");
    struct conf by_hand = { .file = STR("x") }; /* without a file behind it */
    buf_clear(&reports);
    conf_report(&by_hand, (struct conf_place){ 3, 1 }, true, &reports, "y");
    buf_byte(&reports, 0);
    assert_string_equal(reports.p, "x:3:1: error: y\n");
}

static void the_eea_is_not_the_world(void **state)
{
    (void)state;
    static const char *const in[] = { "DE", "NO", "IS", "LI", "HR" };
    static const char *const out[] = { "US", "GB", "CH", "T ", " B", "", "DEU", "de", "EB" };
    for (size_t i = 0; i < COUNT(in); i++)
        assert_true(conf_in_eea(in[i]));
    for (size_t i = 0; i < COUNT(out); i++) {
        char country[4] = "";
        memcpy(country, out[i], strlen(out[i]));
        assert_false(conf_in_eea(country));
    }
}

static void nothing_is_freed_twice(void **state)
{
    (void)state;
    struct conf *c = NULL;
    conf_free(&c);
    c = parse(TOP);
    conf_free(&c);
    assert_null(c);
    conf_free(&c);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(listen_takes_its_forms),
        cmocka_unit_test(the_store_is_relative_to_the_file),
        cmocka_unit_test(variables_are_filled_in),
        cmocka_unit_test(what_a_variable_holds_is_never_shown),
        cmocka_unit_test(a_value_is_bounded_however_often_a_variable_stands_in_it),
        cmocka_unit_test(keys_are_kept_as_hashes_only),
        cmocka_unit_test(no_report_shows_a_key),
        cmocka_unit_test(secrets_come_from_files_beside_the_configuration),
        cmocka_unit_test(a_file_that_cannot_be_read_is_said),
        cmocka_unit_test(a_file_beyond_the_limit_is_refused),
        cmocka_unit_test(purposes_are_read_whole),
        cmocka_unit_test(parts_of_a_text_are_in_the_order_of_their_names),
        cmocka_unit_test(destinations_are_read_whole),
        cmocka_unit_test(how_a_receiver_is_called_is_read_whole),
        cmocka_unit_test(proxies_are_told_apart),
        cmocka_unit_test(linking_and_recording_are_separate_by_default),
        cmocka_unit_test(counts_end_at_the_limits),
        cmocka_unit_test(a_later_fault_looks_like_the_others),
        cmocka_unit_test(the_eea_is_not_the_world),
        cmocka_unit_test(nothing_is_freed_twice),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
