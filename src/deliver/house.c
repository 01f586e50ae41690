#include "deliver/house.h"
#include "base/clock.h"
#include "policy/compile.h"
#include "store/hook.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT                                                                                       \
    "text: {en: {title: T, aim: A, data: D, transfer: X, storage: S, automation: N, "              \
    "consequences: C, withdrawal: W}}"
#define FIELDS "fields: {event: keep, anonymousId: keep, userId: keep, properties.*: keep}"

static void lock(struct house *h)
{
    must(pthread_mutex_lock(&h->lock) == 0);
}

static void unlock(struct house *h)
{
    must(pthread_mutex_unlock(&h->lock) == 0);
}

static void add_destination(struct house *h, struct buf *to, const char *id, const char *purpose,
                            uint16_t port)
{
    buf_printf(to,
               "  - {id: %s, type: webhook, endpoint: \"http://127.0.0.1:%u/%s\", secret: "
               "0123456789abcdef, requires: [%s], uncertain: %s, allow_private_addresses: true, "
               "batch: {events: %u, wait: \"%us\"}, " FIELDS "}\n",
               id, port, id, purpose, h->o.hold ? "hold" : "retry", h->o.events ? h->o.events : 100,
               0u);
}

static struct conf *make_conf(struct house *h)
{
    AUTO(buf_fini) struct buf text = BUF_INIT(1u << 20);
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    buf_lit(&text, "controller: {name: Muster GmbH, country: DE, contact: a@muster.example}\n"
                   "keys: {private: [0123456789abcdef0123456789abcdef], public: "
                   "[fedcba9876543210fedcba98]}\n"
                   "purposes:\n"
                   "  - {id: mail, scope: device, proof: optional, versions: [{version: 1, since: "
                   "2020-01-01, " TEXT "}]}\n"
                   "  - {id: post, scope: person, proof: optional, versions: [{version: 1, since: "
                   "2020-01-01, " TEXT "}]}\n"
                   "destinations:\n"
                   "  - {id: own, requires: [mail], retention: 90d, " FIELDS "}\n");
    uint16_t port = receiver_port(h->receiver);
    if (h->o.ga4)
        buf_printf(&text,
                   "  - {id: hook, type: ga4, endpoint: \"http://127.0.0.1:%u\", measurement_id: "
                   "G-TEST, api_secret: 0123456789abcdef, requires: [mail], uncertain: %s, "
                   "consent: {ad_user_data: [mail]}, allow_private_addresses: true, batch: "
                   "{events: %u, wait: 0s}, " FIELDS "}\n",
                   port, h->o.hold ? "hold" : "retry", h->o.events ? h->o.events : 25);
    else
        add_destination(h, &text, "hook", "mail", port);
    add_destination(h, &text, "second", "mail", h->o.dead_second ? 1 : port);
    add_destination(h, &text, "third", "post", port);
    if (h->o.hook)
        buf_printf(&text,
                   "hooks:\n  - {id: told, endpoint: \"http://127.0.0.1:%u/told\", secret: "
                   "0123456789abcdef, allow_private_addresses: true, limits: {at_once: %u}}\n",
                   port, h->o.at_once > 0 ? h->o.at_once : 4);
    struct conf *c = NULL;
    if (conf_parse(buf_view(&text), "house.yaml", &c, &reports) != OK) {
        fprintf(stderr, "%.*s\n", (int)reports.n, reports.p);
        must(!"the configuration of the tests");
    }
    for (uint32_t i = 0; i < c->destination_count; i++) {
        c->destination[i].batch_ms = h->o.wait_ms; /* finer than a file can say */
        c->destination[i].allow_private_addresses = !h->o.refuse_private;
        if (h->o.at_once > 0)
            c->destination[i].limits.at_once = h->o.at_once;
        if (h->o.bytes > 0)
            c->destination[i].batch_bytes = h->o.bytes;
        c->destination[i].limits.requests_per_second = h->o.requests_per_second;
        c->destination[i].limits.events_per_second = h->o.events_per_second;
    }
    return c;
}

static void compile(struct house *h, bool first)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 20);
    struct frozen before, *frozen = arena_new(&h->arena, struct frozen);
    struct policy_news news;
    uint32_t generation = 1;
    struct deliver_policy p;
    if (first) {
        must(store_load_frozen(store_own_reader(h->store), &h->arena, &before) == OK);
        must(policy_compare(h->conf, &before, &h->arena, &news, &reports) == OK);
        must(store_begin(h->store) == OK);
        must(store_add_configuration(h->store, &news, STR("{}"), clock_now_ms(), &generation) ==
             OK);
        struct chain_head head;
        must(store_commit(h->store, clock_now_ms(), &head, NULL) == OK);
    }
    must(store_load_frozen(store_own_reader(h->store), &h->arena, frozen) == OK);
    must(policy_compile(h->conf, frozen, generation, &h->arena, &p.policy, &reports) == OK);
    p.plan = fields_compile(p.policy, &h->arena);
    p.conf = h->conf;
    lock(h);
    h->policy = p;
    unlock(h);
}

static void place_hook(struct house *h)
{
    struct chain_head head;
    int64_t newest = store_newest_fact(store_own_reader(h->store));
    must(store_reader_open(h->store, &h->hooks_reader, NULL) == OK);
    must(store_begin(h->store) == OK);
    must(store_put_hook(h->store, &(struct hook_row){ .id = STR("told"),
                                                      .cursor = newest,
                                                      .start_seq = newest,
                                                      .start_ms = clock_now_ms() }) == OK);
    must(store_commit(h->store, clock_now_ms(), &head, NULL) == OK);
}

struct house *house_new(struct house_options o)
{
    struct house *h = must_alloc(sizeof *h);
    *h = (struct house){ .o = o };
    must(pthread_mutex_init(&h->lock, NULL) == 0);
    /* in memory where there is such a place: no test here is about losing power */
    (void)snprintf(h->dir, sizeof h->dir, "%s/licet-deliver-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(h->dir) != NULL);
    h->receiver = receiver_new();
    h->conf = make_conf(h);
    h->tickets = tickets_new();
    struct store_options so = { .dir = str_of(h->dir) };
    struct err_info info = { 0 };
    if (store_open(&so, &h->store, &info) != OK) {
        fprintf(stderr, "%s\n", info.text);
        must(!"the store of the tests");
    }
    must(store_reader_open(h->store, &h->reader, &info) == OK);
    must(ledger_open(h->store, &h->ledger, &info) == OK);
    compile(h, true);
    if (h->o.hook)
        place_hook(h);
    return h;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void house_free(struct house **hh)
{
    struct house *h = *hh;
    if (h->d != NULL)
        house_crash(h);
    if (h->hooks != NULL)
        house_crash_hooks(h);
    must(h->policy_refs == 0);
    receiver_free(&h->receiver);
    tickets_free(&h->tickets);
    ledger_close(&h->ledger);
    store_reader_close(&h->reader);
    store_reader_close(&h->hooks_reader);
    store_close(&h->store);
    conf_free(&h->conf);
    arena_fini(&h->arena);
    (void)pthread_mutex_destroy(&h->lock);
    (void)nftw(h->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* leftovers of a test */
    free(h);
    *hh = NULL;
}

/* ---- what the delivery thread calls ---- */

static struct deliver_policy policy_ref(void *ctx)
{
    struct house *h = ctx;
    lock(h);
    struct deliver_policy p = h->policy;
    h->policy_refs++;
    unlock(h);
    return p;
}

static void policy_unref(void *ctx, struct deliver_policy p)
{
    struct house *h = ctx;
    (void)p; /* they live as long as the house */
    lock(h);
    h->policy_refs--;
    unlock(h);
}

static bool post(void *ctx, struct delivery_write *w)
{
    struct house *h = ctx;
    lock(h);
    bool taken = !h->refuse;
    if (taken) {
        w->next = h->posted;
        h->posted = w;
    }
    unlock(h);
    return taken;
}

static bool watched(void *ctx)
{
    struct house *h = ctx;
    lock(h);
    bool yes = h->watched;
    unlock(h);
    return yes;
}

static void observe(void *ctx, const struct delivery_sight *sight)
{
    struct house *h = ctx;
    must(sight->destination.n > 0 && id_ms(&sight->event) > 0);
    must((sight->result == DELIVERY_DROPPED) == (sight->reason != REASON_PERMITTED));
    lock(h);
    h->sights[sight->result]++;
    (void)snprintf(h->seen[h->seen_count++ % COUNT(h->seen)], sizeof *h->seen, "%.*s",
                   STR_ARG(sight->fields));
    unlock(h);
}

void house_start(struct house *h)
{
    struct deliver_setup s = {
        .reader = h->reader,
        .ledger = h->ledger,
        .tickets = h->tickets,
        .policy_ref = policy_ref,
        .policy_unref = policy_unref,
        .post = post,
        .watched = watched,
        .observe = observe,
        .ctx = h,
        .send_ms = h->o.send_ms ? h->o.send_ms : 5000,
        .backoff_ms = h->o.backoff_ms ? h->o.backoff_ms : 1,
        .patience_ms = h->o.patience_ms,
    };
    store_secret(h->store, SECRET_PSEUDONYM, s.pseudonym_secret);
    must(deliver_open(&s, &h->d, NULL) == OK);
}

void house_stop(struct house *h)
{
    deliver_stop(h->d);
    while (!deliver_stopped(h->d))
        house_turn(h, 1);
    deliver_close(&h->d);
}

/* Nothing that was posted, or will be, is written any more. */
static void refuse(struct house *h)
{
    lock(h);
    h->refuse = true;
    struct delivery_write *w = h->posted;
    h->posted = NULL;
    unlock(h);
    if (w != NULL)
        delivery_write_done(w, ERR_STOPPED);
}

void house_crash(struct house *h)
{
    refuse(h);
    deliver_close(&h->d);
    lock(h);
    h->refuse = false;
    unlock(h);
}

/* ---- hooks ---- */

void house_start_hooks(struct house *h)
{
    must(hooks_open(&(struct hook_setup){ .reader = h->hooks_reader,
                                          .policy_ref = policy_ref,
                                          .policy_unref = policy_unref,
                                          .post = post,
                                          .ctx = h,
                                          .send_ms = h->o.send_ms ? h->o.send_ms : 5000,
                                          .backoff_ms = h->o.backoff_ms ? h->o.backoff_ms : 1,
                                          .patience_ms = h->o.patience_ms,
                                          .write_ms = 1,
                                          .stop_ms = 100 },
                    &h->hooks, NULL) == OK);
}

void house_stop_hooks(struct house *h)
{
    hooks_stop(h->hooks);
    while (!hooks_stopped(h->hooks))
        house_turn(h, 1);
    hooks_close(&h->hooks);
}

void house_crash_hooks(struct house *h)
{
    refuse(h);
    hooks_close(&h->hooks);
    h->refuse = false;
}

struct hook_numbers house_hook(struct house *h)
{
    struct hook_numbers n = { 0 };
    (void)hooks_get_numbers(h->hooks, STR("told"), &n);
    return n;
}

/* ---- the loop ---- */

static void commit(struct house *h)
{
    struct chain_head head;
    must(store_commit(h->store, clock_now_ms(), &head, NULL) == OK);
    h->commits++;
}

static enum err group(struct house *h, struct delivery_write *w)
{
    must(store_begin(h->store) == OK);
    enum err err = delivery_write_apply(w, h->store);
    if (err == OK && h->fail > 0) {
        h->fail--;
        err = ERR_FULL;
    }
    if (err != OK)
        store_rollback(h->store);
    else
        commit(h);
    return err;
}

void house_turn(struct house *h, int ms)
{
    lock(h);
    struct delivery_write *w = h->posted;
    h->posted = NULL;
    unlock(h);
    if (w == NULL) {
        (void)usleep((useconds_t)ms * 200);
        return;
    }
    must(w->next == NULL); /* one at a time */
    enum err err = group(h, w);
    void (*before)(struct house *) = h->before_done;
    h->before_done = NULL;
    if (before != NULL)
        before(h);
    delivery_write_done(w, err);
}

void house_idle(struct house *h, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (clock_mono_ms() < end)
        house_turn(h, 1);
}

/* ---- acts ---- */

static void publish(void *ctx)
{
    struct house *h = ctx;
    ledger_committed(h->ledger);
}

void house_say(struct house *h, const char *subject, const char *purpose, bool grant)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct consent_request q = {
        .body = arena_printf(&a, "{\"subject\":{\"id\":\"%s\"},\"preferences\":{\"%s\":%s}}",
                             subject, purpose, grant ? "true" : "false"),
        .format = BODY_JSON,
        .source = ACT_PRIVATE_KEY,
        .received_ms = clock_now_ms(),
    };
    struct consent_answer answer;
    struct err_info info = { 0 };
    must(store_begin(h->store) == OK);
    if (ledger_add_consent(h->ledger, h->policy.policy, &q, &a, &answer, &info) != OK) {
        fprintf(stderr, "%s: %s\n", info.field, info.text);
        must(!"an act of the tests");
    }
    must(answer.lowers == !grant);
    commit(h);
    tickets_locked(h->tickets, publish, h);
    if (h->hooks != NULL)
        hooks_wake(h->hooks);
}

struct house *house_with_anna(struct house_options o)
{
    struct house *h = house_new(o);
    house_say(h, "anna", "mail", true);
    return h;
}

const char *house_guest(uint32_t i)
{
    static char name[HOUSE_GUESTS][12];
    must(i < HOUSE_GUESTS);
    (void)snprintf(name[i], sizeof name[i], "guest%u", i);
    return name[i];
}

void house_invite(struct house *h, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        house_say(h, house_guest(i), "mail", true);
}

bool house_barrier(struct house *h, const char *subject, int64_t ms)
{
    uint64_t hash = store_subject_hash(store_own_reader(h->store), str_of(subject));
    struct barrier *b =
        barrier_open(h->tickets, false, hash, clock_mono_ms() - h->barriers_older_ms);
    int64_t end = clock_mono_ms() + ms;
    bool passed;
    while (!(passed = barrier_passed(b, clock_mono_ms())) && clock_mono_ms() < end)
        house_turn(h, 1);
    barrier_close(&b);
    return passed;
}

uint64_t house_withdraw(struct house *h, const char *subject, const char *purpose)
{
    house_say(h, subject, purpose, false);
    must(house_barrier(h, subject, 20000));
    return receiver_tick(h->receiver);
}

static void replace_policy(void *ctx)
{
    compile(ctx, false);
}

void house_reload(struct house *h)
{
    tickets_locked(h->tickets, replace_policy, h);
    if (h->d != NULL)
        deliver_wake(h->d);
}

/* ---- events ---- */

static void write_body(const struct house_event *e, struct buf *to)
{
    buf_lit(to, "{\"event\":\"Ordered\"");
    if (e->device != NULL)
        buf_printf(to, ",\"anonymousId\":\"%s\"", e->device);
    if (e->person != NULL)
        buf_printf(to, ",\"userId\":\"%s\"", e->person);
    if (e->size > 0) {
        buf_lit(to, ",\"properties\":{\"text\":\"");
        for (size_t i = 0; i < e->size; i++)
            buf_byte(to, 'x');
        buf_lit(to, "\"}");
    } else if (e->name != NULL) {
        buf_printf(to, ",\"properties\":{\"%s\":1}", e->name);
    }
    buf_byte(to, '}');
}

int64_t house_add(struct house *h, const struct house_event *event, uint32_t count)
{
    struct segment_builder b;
    struct chain_head head;
    segment_builder_init(&b);
    int64_t now = clock_now_ms();
    for (uint32_t i = 0; i < count; i++) {
        AUTO(buf_fini) struct buf body = BUF_INIT(1u << 20);
        write_body(&event[i], &body);
        struct stored_event e = { .id = id_new(now),
                                  .received_ms = now,
                                  .timestamp_ms = now,
                                  .flags = event[i].flags,
                                  .generation = 1,
                                  .device = str_of(event[i].device),
                                  .person = str_of(event[i].person),
                                  .body = buf_view(&body) };
        random_bytes(&e.message_hash, sizeof e.message_hash);
        for (uint32_t slot = 0; slot <= SLOT_THIRD; slot++)
            e.verdict[slot] = event[i].denied >> slot & 1
                                  ? REASON_NO_CONSENT
                                  : REASON_PERMITTED |
                                        (event[i].device != NULL ? STORED_DEVICE_FIELDS : 0) |
                                        (event[i].person != NULL ? STORED_PERSON_FIELDS : 0);
        must(segment_add(&b, &e));
    }
    must(store_begin(h->store) == OK);
    must(store_add_segment(h->store, &b) == OK);
    must(store_commit(h->store, now, &head, NULL) == OK);
    must(store_publish(h->store, NULL) == OK);
    segment_builder_fini(&b);
    if (h->d != NULL)
        deliver_wake(h->d);
    return head.group;
}

int64_t house_add_n(struct house *h, const char *device, uint32_t n)
{
    struct house_event *e = must_alloc_zero(n * sizeof *e);
    for (uint32_t i = 0; i < n; i++)
        e[i] =
            (struct house_event){ .device = device, .denied = 1 << SLOT_SECOND | 1 << SLOT_THIRD };
    int64_t segment = house_add(h, e, n);
    free(e);
    return segment;
}

int64_t house_add_guests(struct house *h, uint32_t n)
{
    struct house_event e[HOUSE_GUESTS];
    for (uint32_t i = 0; i < n; i++)
        e[i] = (struct house_event){ .device = house_guest(i),
                                     .denied = 1 << SLOT_SECOND | 1 << SLOT_THIRD };
    return house_add(h, e, n);
}

void house_pause(struct house *h, uint32_t slot, bool paused)
{
    struct delivery_standing s;
    struct chain_head head;
    must(store_get_standing(store_own_reader(h->store), slot, &s) == OK);
    s.paused_ms = paused ? clock_now_ms() : 0;
    must(store_begin(h->store) == OK);
    must(store_set_standing(h->store, slot, &s) == OK);
    must(store_commit(h->store, clock_now_ms(), &head, NULL) == OK);
    deliver_look(h->d);
    while ((house_numbers(h, slot).state == DELIVER_PAUSED) != paused)
        house_turn(h, 1);
}

/* ---- what became of them ---- */

struct event_delivery house_fate(struct house *h, uint32_t slot, int64_t segment, uint32_t index,
                                 struct arena *a)
{
    struct event_delivery *d, none = { 0 }, found = { 0 };
    uint32_t count;
    if (store_event_deliveries(store_own_reader(h->store), segment, index, a, &d, &count) != OK)
        return none;
    for (uint32_t i = 0; i < count; i++)
        if (d[i].slot == slot && (found.result == 0 || d[i].at_ms >= found.at_ms))
            found = d[i];
    return found;
}

enum delivery_result house_result(struct house *h, uint32_t slot, int64_t segment, uint32_t index)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    return house_fate(h, slot, segment, index, &a).result;
}

bool house_error_is(struct house *h, uint32_t slot, int64_t segment, const char *text)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct event_delivery fate = house_fate(h, slot, segment, 0, &a);
    bool same = str_eq(fate.error, str_of(text));
    if (!same)
        fprintf(stderr, "# error \"%.*s\"\n", STR_ARG(fate.error));
    return same;
}

uint32_t house_pending(struct house *h, uint32_t slot, enum pending_state state)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct delivery_request *q;
    uint32_t count;
    must(store_list_pending(store_own_reader(h->store), (int)slot, state, INT64_MAX, 100, &a, &q,
                            &count) == OK);
    return count;
}

struct delivery_cursor house_cursor(struct house *h, uint32_t slot)
{
    struct delivery_cursor c;
    must(store_get_cursor(store_own_reader(h->store), slot, &c) == OK);
    return c;
}

struct deliver_numbers house_numbers(struct house *h, uint32_t slot)
{
    struct deliver_numbers n;
    deliver_get_numbers(h->d, slot, &n);
    return n;
}

static struct id event_id(struct house *h, int64_t segment, uint32_t index)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct segment_found g;
    struct segment_cursor c;
    struct stored_event e;
    struct str entry;
    must(store_get_segment(store_own_reader(h->store), segment, &a, &g) == OK);
    segment_start(g.bytes, &c);
    do
        must(segment_next(&c, &e, &entry) == OK);
    while (index-- > 0);
    return e.id;
}

uint32_t house_arrived(struct house *h, int64_t segment, uint32_t index)
{
    struct id id = event_id(h, segment, index);
    char text[ID_TEXT + 1];
    id_format(&id, text);
    uint32_t n = receiver_count(h->receiver), arrived = 0;
    const struct received *got = n > 0 ? receiver_get(h->receiver, 0) : NULL;
    for (uint32_t i = 0; i < n; i++) {
        arrived += memmem(got->body.p, got->body.n, text, ID_TEXT) != NULL;
        if (i + 1 < n) /* the last one's next may be written just now */
            got = got->next;
    }
    return arrived;
}
