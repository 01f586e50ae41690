#include "consent/world.h"

#include "policy/compile.h"

#include <ftw.h>
#include <unistd.h>

#define TEXT                                                                                       \
    "{title: T, aim: A, data: D, transfer: X, storage: S, automation: N, consequences: C, "        \
    "withdrawal: W}"

static const char configuration[] =
    "controller: {name: Muster GmbH, country: DE, contact: a@muster.example}\n"
    "keys: {private: [0123456789abcdef0123456789abcdef], public: [fedcba9876543210fedcba98]}\n"
    "purposes:\n"
    "  - id: statistics\n"
    "    scope: device\n"
    "    versions:\n"
    "      - {version: 1, since: 2026-01-01, notice: {privacy_policy: 7}, text: {en: " TEXT
    ", de: " TEXT "}}\n"
    "      - {version: 2, since: 2026-03-01, notice: {privacy_policy: 8}, text: {en: " TEXT "}}\n"
    "      - {version: 3, since: 2026-06-01, notice: {privacy_policy: 8, cookies: 2}, text: "
    "{en: " TEXT "}}\n"
    "  - id: letters\n"
    "    scope: person\n"
    "    proof: optional\n"
    "    versions:\n"
    "      - {version: 1, since: 2026-01-01, text: {en: " TEXT "}}\n"
    "  - id: marketing\n"
    "    scope: person\n"
    "    versions:\n"
    "      - {version: 1, since: 2026-02-01, notice: {terms: 1}, text: {en: " TEXT "}}\n"
    "destinations:\n"
    "  - {id: own, requires: [statistics], retention: 90d, fields: {event: keep}}\n"
    "  - {id: crm, type: webhook, endpoint: \"https://crm.example/in\", secret: abcdefghijklmnop, "
    "requires: [statistics, marketing], fields: {event: keep}}\n";

/* Beside all that, in worlds where letters are written. */
static const char opt_in_purposes[] =
    "  - id: newsletter\n"
    "    scope: person\n"
    "    double_opt_in: true\n"
    "    versions:\n"
    "      - {version: 1, since: 2026-01-01, text: {en: " TEXT ", de: {title: Rundbrief, aim: A, "
    "data: D, transfer: X, storage: S, automation: N, consequences: C, withdrawal: <W>}}}\n"
    "      - {version: 2, since: 2026-03-02, text: {en: " TEXT "}}\n";
static const char opt_in[] =
    "public_url: https://muster.example/licet\n"
    "double_opt_in: {mail: {smtp: smtps://m.example, from: M <m@muster.example>}}\n";

static struct str configuration_of(struct world *w)
{
    const char *behind = strstr(configuration, "destinations:\n");
    if (!w->letters)
        return STR(configuration);
    return arena_printf(&w->arena, "%s%.*s%s%s", opt_in, (int)(behind - configuration),
                        configuration, opt_in_purposes, behind);
}

static void load(struct world *w, struct buf *reports)
{
    if (conf_parse(configuration_of(w), "world.yaml", &w->conf, reports) != OK) {
        fprintf(stderr, "%.*s\n", (int)reports->n, reports->p);
        must(!"the configuration of the tests");
    }
    buf_clear(reports);
}

void world_policy(struct world *w)
{
    *w = (struct world){ .now = MAR_1, .letters = w->letters };
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    struct frozen before = { 0 }, *frozen = arena_new(&w->arena, struct frozen);
    struct policy_news news;
    load(w, &reports);
    must(policy_compare(w->conf, &before, &w->arena, &news, &reports) == OK);
    policy_freeze(&before, &news, &w->arena, frozen);
    must(policy_compile(w->conf, frozen, 1, &w->arena, &w->policy, &reports) == OK);
}

static void open_store(struct world *w, bool on_disk)
{
    if (on_disk) {
        (void)snprintf(w->dir, sizeof w->dir, "/tmp/licet-ledger-XXXXXX");
        must(mkdtemp(w->dir) != NULL);
    }
    struct store_options o = { .dir = str_of(w->dir), .memory = !on_disk };
    must(store_open(&o, &w->store, &w->info) == OK);
    must(store_reader_open(w->store, &w->reader, &w->info) == OK);
}

void world_open(struct world *w, bool on_disk)
{
    *w = (struct world){ .now = MAR_1, .letters = w->letters };
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    struct frozen before, *frozen = arena_new(&w->arena, struct frozen);
    struct policy_news news;
    uint32_t generation;
    load(w, &reports);
    open_store(w, on_disk);
    must(store_load_frozen(store_own_reader(w->store), &w->arena, &before) == OK);
    must(policy_compare(w->conf, &before, &w->arena, &news, &reports) == OK);
    must(store_begin(w->store) == OK);
    must(store_add_configuration(w->store, &news, STR("{}"), w->now, &generation) == OK);
    struct chain_head head;
    must(store_commit(w->store, w->now, &head, &w->info) == OK);
    must(store_load_frozen(store_own_reader(w->store), &w->arena, frozen) == OK);
    must(policy_compile(w->conf, frozen, generation, &w->arena, &w->policy, &reports) == OK);
    must(ledger_open(w->store, &w->ledger, &w->info) == OK);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void world_close(struct world *w)
{
    ledger_close(&w->ledger);
    if (w->store) {
        store_reader_close(&w->reader);
        store_close(&w->store);
    }
    if (w->dir[0])
        (void)nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* a test's leftovers */
    conf_free(&w->conf);
    arena_fini(&w->arena);
}

void world_begin(struct world *w)
{
    must(store_begin(w->store) == OK);
}

void world_commit(struct world *w)
{
    struct chain_head head;
    must(store_commit(w->store, w->now, &head, &w->info) == OK);
    ledger_committed(w->ledger);
}
