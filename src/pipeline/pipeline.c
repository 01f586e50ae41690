#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "deliver/destination.h"
#include "policy/compile.h"

#include <stdlib.h>

/* ---- generations ---- */

static struct shared_conf *share(struct conf *c)
{
    struct shared_conf *s = must_alloc(sizeof *s);
    *s = (struct shared_conf){ .conf = c };
    return s;
}

static void free_generation(struct live_generation *g)
{
    arena_fini(&g->arena);
    if (atomic_fetch_sub(&g->shared->users, 1) == 1) {
        conf_free(&g->shared->conf);
        free(g->shared);
    }
    free(g);
}

/* Frees what nobody holds any more. Under generations_lock. */
static void collect_generations(struct pipeline *p)
{
    for (struct live_generation **at = &p->newest->older; *at != NULL;) {
        struct live_generation *g = *at;
        if (g->references > 0) {
            at = &g->older;
            continue;
        }
        *at = g->older;
        free_generation(g);
    }
}

const struct generation *pipeline_generation(struct pipeline *p)
{
    return &p->newest->public;
}

const struct generation *pipeline_generation_ref(struct pipeline *p)
{
    must(pthread_mutex_lock(&p->generations_lock) == 0);
    struct live_generation *g = p->newest;
    g->references++;
    must(pthread_mutex_unlock(&p->generations_lock) == 0);
    return &g->public;
}

static void drop_reference(struct pipeline *p, const struct policy *policy)
{
    must(pthread_mutex_lock(&p->generations_lock) == 0);
    struct live_generation *g = p->newest;
    while (g != NULL && g->public.policy != policy)
        g = g->older;
    must(g != NULL && g->references > 0);
    g->references--;
    collect_generations(p);
    must(pthread_mutex_unlock(&p->generations_lock) == 0);
}

void pipeline_generation_unref(struct pipeline *p, const struct generation **g)
{
    if (*g != NULL)
        drop_reference(p, (*g)->policy);
    *g = NULL;
}

uint32_t pipeline_generation_number(const struct generation *g)
{
    return g->policy->generation;
}

static struct deliver_policy policy_ref(void *ctx)
{
    const struct generation *g = pipeline_generation_ref(ctx);
    return (struct deliver_policy){ .conf = g->conf, .policy = g->policy, .plan = g->plan };
}

static void policy_unref(void *ctx, struct deliver_policy policy)
{
    drop_reference(ctx, policy.policy);
}

/* What stands in the configuration fact: enough to know which rules were in
 * force, and no secret. */
static struct str configuration_payload(const struct conf *c, struct arena *a)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(LIMIT_CONF);
    buf_lit(&b, "{\"controller\":");
    json_write_string(&b, c->controller_name);
    buf_lit(&b, ",\"destinations\":[");
    for (uint32_t i = 0; i < c->destination_count; i++) {
        const struct conf_destination *d = &c->destination[i];
        buf_str(&b, i ? STR(",{\"id\":") : STR("{\"id\":"));
        json_write_string(&b, d->id);
        buf_lit(&b, ",\"type\":");
        json_write_string(&b, d->type);
        buf_lit(&b, ",\"recipient\":");
        json_write_string(&b, d->has_recipient ? d->recipient_name : c->controller_name);
        buf_lit(&b, ",\"requires\":[");
        for (uint32_t r = 0; r < d->require_count; r++) {
            buf_str(&b, r ? STR(",") : STR(""));
            json_write_string(&b, d->requires[r]);
        }
        buf_lit(&b, "],\"fields\":{");
        for (uint32_t f = 0; f < d->field_count; f++) {
            buf_str(&b, f ? STR(",") : STR(""));
            json_write_string(&b, arena_printf(a, "%.*s%s", STR_ARG(d->field[f].path),
                                               d->field[f].below ? ".*" : ""));
            buf_printf(&b, ":%d", (int)d->field[f].treatment);
        }
        buf_lit(&b, "}}");
    }
    buf_lit(&b, "]}");
    return arena_str(a, buf_view(&b));
}

static void look_at_uses(struct live_generation *g)
{
    const struct policy *p = g->public.policy;
    for (uint32_t i = 0; i < p->use_count; i++) {
        const struct conf_destination *d = p->use[i].conf;
        bool whole = str_eq(d->type, STR("own"));
        for (uint32_t f = 0; f < d->field_count; f++)
            whole = whole && d->field[f].treatment == CONF_KEEP;
        g->own_whole |= (uint32_t)whole << p->use[i].slot;
        g->delivering |= (uint64_t)(destination_find(d->type) != NULL) << i;
    }
}

static enum err register_configuration(struct pipeline *p, const struct conf *c, struct arena *a,
                                       uint32_t *ret_generation, struct frozen *ret_frozen,
                                       struct buf *reports, struct err_info *info)
{
    struct store_reader *own = store_own_reader(p->store);
    struct frozen frozen;
    struct policy_news news;
    enum err e = store_load_frozen(own, a, &frozen);
    if (e != OK)
        return err_set(info, e, NULL, "the database cannot be read: %s", err_text(e));
    e = policy_compare(c, &frozen, a, &news, reports);
    if (e != OK)
        return err_set(info, e, NULL, "the configuration differs from what is frozen");
    e = store_add_configuration(p->store, &news, configuration_payload(c, a), clock_now_ms(),
                                ret_generation);
    if (e == OK)
        e = store_load_frozen(own, a, ret_frozen);
    if (e == OK)
        e = place_destinations(p, c, ret_frozen, frozen.destination_count);
    if (e == OK)
        e = place_hooks(p, c);
    return e == OK
               ? OK
               : err_set(info, e, NULL, "the configuration could not be stored: %s", err_text(e));
}

/* Takes the configuration over, also on failure. */
static enum err make_generation(struct pipeline *p, struct shared_conf *shared, generation_fn write,
                                void *ctx, struct live_generation **ret_g, struct buf *reports,
                                struct err_info *info)
{
    struct live_generation *g = must_alloc_zero(sizeof *g);
    struct conf *c = shared->conf;
    g->shared = shared;
    shared->users++;
    enum err e = group_open(p, info);
    uint32_t number = 0;
    struct frozen frozen;
    if (e == OK && write != NULL)
        e = write(p, ctx, info);
    if (e == OK)
        e = register_configuration(p, c, &g->arena, &number, &frozen, reports, info);
    const struct policy *policy = NULL;
    if (e == OK) {
        e = policy_compile(c, &frozen, number, &g->arena, &policy, reports);
        if (e != OK)
            (void)err_set(info, e, NULL, "the configuration cannot be used");
    }
    if (e == OK) {
        g->public = (struct generation){ .conf = c,
                                         .policy = policy,
                                         .plan = fields_compile(policy, &g->arena) };
        look_at_uses(g);
        struct chain_head head;
        e = store_commit(p->store, clock_now_ms(), &head, info);
        p->open = false;
    }
    if (e != OK) {
        if (p->open)
            store_rollback(p->store);
        p->open = false;
        free_generation(g);
        return e;
    }
    *ret_g = g;
    return OK;
}

static void use_generation(struct pipeline *p, struct live_generation *g)
{
    must(pthread_mutex_lock(&p->generations_lock) == 0);
    g->older = p->newest;
    p->newest = g;
    collect_generations(p);
    must(pthread_mutex_unlock(&p->generations_lock) == 0);
}

enum err generation_renew(struct pipeline *p, generation_fn write, void *ctx, struct err_info *info)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(LIMIT_CONF);
    struct live_generation *g = NULL;
    group_commit(p); /* what is refused must not take other requests with it */
    group_publish(p, true);
    enum err e = make_generation(p, p->newest->shared, write, ctx, &g, &reports, info);
    if (e == OK)
        use_generation(p, g);
    return e;
}

enum err pipeline_reload(struct pipeline *p, struct buf *reports, struct err_info *info)
{
    struct conf *c = NULL;
    AUTO(free_ptr) char *file = must_alloc(p->newest->public.conf->file.n + 1);
    memcpy(file, p->newest->public.conf->file.p, p->newest->public.conf->file.n);
    file[p->newest->public.conf->file.n] = 0;
    enum err e = conf_load(file, &c, reports);
    if (e != OK) {
        numbers_add(&p->numbers.reloads_refused, 1);
        return err_set(info, e, NULL, "the configuration is faulty; the old one stays in use");
    }
    group_commit(p); /* a reload that fails must not take requests with it */
    group_publish(p, true);
    struct live_generation *g = NULL;
    e = make_generation(p, share(c), NULL, NULL, &g, reports, info);
    if (e != OK) {
        numbers_add(&p->numbers.reloads_refused, 1);
        return e;
    }
    bool narrows = policy_narrows(p->newest->public.policy, g->public.policy);
    use_generation(p, g);
    numbers_add(&p->numbers.reloads, 1);
    if (narrows) {
        barrier_close(&p->reload_barrier);
        p->reload_barrier = barrier_open(p->tickets, true, 0, clock_mono_ms());
    }
    watch_wake(p->watch);
    upkeep_look_at_notices(p);
    deliver_wake(p->deliver);
    hooks_look(p->hooks);
    return OK;
}

/* ---- start and stop ---- */

static void remember_message(void *ctx, uint64_t hash, int64_t received_ms)
{
    struct pipeline *p = ctx;
    (void)dedupe_seen(p->dedupe, hash,
                      received_ms); /* a repeat in the store would be a bug that tests look for */
}

static enum err fill_dedupe(struct pipeline *p, struct err_info *info)
{
    enum err e = store_each_message(store_own_reader(p->store), clock_now_ms() - LIMIT_DEDUPE_MS,
                                    remember_message, p);
    return e == OK ? OK : err_set(info, e, NULL, "stored events cannot be read: %s", err_text(e));
}

static bool post(void *ctx, struct delivery_write *w)
{
    return mailbox_post(ctx, w);
}

static void ticket_returned(void *ctx)
{
    struct pipeline *p = ctx;
    p->wake(p->wake_ctx);
}

static bool watched(void *ctx)
{
    struct pipeline *p = ctx;
    return tail_watched(p->tail);
}

static void observe(void *ctx, const struct delivery_sight *sight)
{
    static const char *const verdict[] = { [DELIVERY_SENT] = "sent",
                                           [DELIVERY_DROPPED] = "deny",
                                           [DELIVERY_RETRY] = "retry",
                                           [DELIVERY_DEAD] = "dead",
                                           [DELIVERY_UNCERTAIN] = "uncertain" };
    struct pipeline *p = ctx;
    char id[ID_TEXT + 1];
    id_format(&sight->event, id);
    tail_add(p->tail, &(struct tail_line){ .at_ms = sight->at_ms,
                                           .event_id = str_of(id),
                                           .destination = sight->destination,
                                           .stage = sight->result == DELIVERY_DROPPED ? "departure"
                                                                                      : "delivery",
                                           .verdict = verdict[sight->result],
                                           .reason = reason_name(sight->reason),
                                           .fields = sight->fields });
}

static enum err start_threads(struct pipeline *p, struct err_info *info)
{
    struct store_reader *r[5] = { 0 };
    for (int i = 0; i < (int)COUNT(r); i++) {
        enum err e = store_reader_open(p->store, &r[i], info);
        if (e != OK) {
            for (int k = 0; k < i; k++)
                store_reader_close(&r[k]);
            return e;
        }
    }
    p->reader = reader_new(r[0], p->wake, p->wake_ctx);
    p->janitor = janitor_new(p, r[1]);
    p->watch = watch_new(p);
    p->post = post_new(p);
    p->deliver_reader = r[2];
    p->sealer = sealer_new(p, r[3], p->wake, p->wake_ctx);
    p->hooks_reader = r[4];
    struct deliver_setup setup = { .reader = r[2],
                                   .ledger = p->ledger,
                                   .tickets = p->tickets,
                                   .policy_ref = policy_ref,
                                   .policy_unref = policy_unref,
                                   .post = post,
                                   .watched = watched,
                                   .observe = observe,
                                   .ctx = p };
    store_secret(p->store, SECRET_PSEUDONYM, setup.pseudonym_secret);
    enum err e = deliver_open(&setup, &p->deliver, info);
    if (e != OK)
        return e;
    return hooks_open(&(struct hook_setup){ .reader = p->hooks_reader,
                                            .policy_ref = policy_ref,
                                            .policy_unref = policy_unref,
                                            .post = post,
                                            .ctx = p },
                      &p->hooks, info);
}

static void init(struct pipeline *p, void (*wake)(void *ctx), void *ctx)
{
    p->wake = wake;
    p->wake_ctx = ctx;
    p->clock_offset_ms = clock_offset_ms();
    must(pthread_mutex_init(&p->generations_lock, NULL) == 0);
    must(pthread_mutex_init(&p->mailbox.lock, NULL) == 0);
    waiter_list_init(&p->joined);
    waiter_list_init(&p->barriers);
    segment_builder_init(&p->segment);
    p->body.max = 2 * LIMIT_EVENT;
    p->dedupe = dedupe_new(LIMIT_DEDUPE_IDS, LIMIT_DEDUPE_MS);
    p->tail = tail_new();
    p->tickets = tickets_new();
    tickets_on_return(p->tickets, ticket_returned, p);
}

enum err pipeline_open(struct conf *conf, void (*wake)(void *ctx), void *ctx,
                       struct pipeline **ret_p, struct buf *reports, struct err_info *info)
{
    struct pipeline *p = must_alloc_zero(sizeof *p);
    init(p, wake, ctx);
    struct store_options options = { .dir = conf->data_dir };
    enum err e = store_open(&options, &p->store, info);
    if (e != OK)
        conf_free(&conf);
    if (e == OK)
        e = make_generation(p, share(conf), NULL, NULL, &p->newest, reports, info);
    if (e == OK) {
        store_secret(p->store, SECRET_DEDUPE, p->dedupe_secret);
        e = fill_dedupe(p, info);
    }
    if (e == OK)
        e = ledger_open(p->store, &p->ledger, info);
    if (e == OK)
        e = start_threads(p, info);
    if (e == OK)
        upkeep_look_at_notices(p);
    if (e != OK) {
        pipeline_close(&p);
        return e;
    }
    *ret_p = p;
    return OK;
}

void pipeline_stopping(struct pipeline *p)
{
    p->stopping = true;
    post_stop(p->post);
    deliver_stop(p->deliver);
    hooks_stop(p->hooks);
}

bool pipeline_stopped(struct pipeline *p)
{
    return deliver_stopped(p->deliver) && hooks_stopped(p->hooks) && post_idle(p->post);
}

void pipeline_close(struct pipeline **pp)
{
    struct pipeline *p = *pp;
    if (p == NULL)
        return;
    must(pthread_mutex_lock(&p->mailbox.lock) == 0);
    p->mailbox.closed = true;
    must(pthread_mutex_unlock(&p->mailbox.lock) == 0);
    barrier_close(&p->reload_barrier);
    if (p->deliver != NULL)
        deliver_close(&p->deliver);
    store_reader_close(&p->deliver_reader);
    hooks_close(&p->hooks);
    store_reader_close(&p->hooks_reader);
    watch_free(&p->watch);
    sealer_free(&p->sealer);
    post_free(&p->post);
    janitor_free(&p->janitor);
    reader_free(&p->reader);
    ledger_close(&p->ledger);
    store_close(&p->store);
    tickets_free(&p->tickets);
    tail_free(&p->tail);
    dedupe_free(&p->dedupe);
    segment_builder_fini(&p->segment);
    buf_fini(&p->body);
    while (p->newest != NULL) {
        struct live_generation *g = p->newest;
        p->newest = g->older;
        free_generation(g);
    }
    free(p->mailbox.write);
    free(p->applied);
    (void)pthread_mutex_destroy(&p->mailbox.lock);
    (void)pthread_mutex_destroy(&p->generations_lock);
    free(p);
    *pp = NULL;
}

void pipeline_look(struct pipeline *p, struct reader_job *job)
{
    if (store_unpublished(p->store) > 0) {
        if (store_has_written(p->store))
            group_commit(p);
        group_publish(p, true);
    }
    reader_post(p->reader, job);
}
struct ledger *pipeline_ledger(struct pipeline *p)
{
    return p->ledger;
}
struct deliver *pipeline_deliver(struct pipeline *p)
{
    return p->deliver;
}
struct hooks *pipeline_hooks(struct pipeline *p)
{
    return p->hooks;
}
struct tail *pipeline_tail(struct pipeline *p)
{
    return p->tail;
}
struct watch *pipeline_watch(struct pipeline *p)
{
    return p->watch;
}
struct numbers *pipeline_numbers(struct pipeline *p)
{
    return &p->numbers;
}
void pipeline_secret(struct pipeline *p, enum store_secret which, uint8_t ret_secret[32])
{
    store_secret(p->store, which, ret_secret);
}
