#include "deliver/hook_priv.h"

#include "base/log.h"
#include "consent/told.h"

enum {
    FACTS = 256, /* looked at in one go … */
    GOES = 8,    /* … and so many goes in a turn: the others wait meanwhile */
    AGAIN_MS = 1000,
};

/* ---- which hooks there are ---- */

void hook_forget(struct hook *k)
{
    struct hooks *h = k->hooks;
    must(hook_is_idle(k));
    while (k->first != NULL) {
        struct message *m = k->first;
        message_free(&m);
    }
    *k = (struct hook){ .hooks = h };
}

static struct hook *find(struct hooks *h, struct str id)
{
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++)
        if (str_eq(str_of(h->hook[i].id), id))
            return &h->hook[i];
    return NULL;
}

static void take_row(struct hook *k, const struct hook_row *row)
{
    if (k->paused && row->paused_ms == 0) /* somebody says that it works again */
        k->backoff = (struct backoff){ .outage = true, .reopened_ms = k->hooks->now_ms };
    k->paused = row->paused_ms > 0;
    size_t n = row->why.n < sizeof k->n.why ? row->why.n : sizeof k->n.why - 1;
    memcpy(k->n.why, row->why.n > 0 ? row->why.p : "", n);
    k->n.why[n] = 0;
}

static void start(struct hook *k, struct str id, const struct hook_row *row)
{
    struct hooks *h = k->hooks;
    *k = (struct hook){ .hooks = h };
    memcpy(k->id, id.p, id.n);
    k->number = row->number;
    k->start_seq = row->start_seq;
    k->start_ms = row->start_ms;
    k->scanned = k->cursor = k->finished = row->cursor > 0 ? row->cursor : 0;
    k->cursor_ms = h->mono_ms;
    k->backoff = (struct backoff){ .outage = true, .reopened_ms = h->now_ms };
    k->look = true;
    take_row(k, row);
}

static void take_endpoint(struct hook *k)
{
    uint64_t endpoint = store_subject_hash(k->hooks->setup.reader, k->conf->remote.endpoint);
    if (k->endpoint != 0 &&
        endpoint != k->endpoint) { /* what the old one did says nothing about the new one */
        k->backoff = (struct backoff){ .outage = true, .reopened_ms = k->hooks->now_ms };
        k->window = (struct window){ .used = k->window.used };
    }
    k->endpoint = endpoint;
}

static void configure(struct hooks *h, const struct conf_hook *conf)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct hook *k = find(h, conf->remote.id);
    struct hook_row row;
    if (k == NULL || k->generation != h->policy.policy->generation) {
        if (store_get_hook(h->setup.reader, conf->remote.id, &a, &row) != OK)
            return; /* in the next turn */
        if (k != NULL &&
            k->start_ms != row.start_ms) { /* taken out meanwhile, and back: it is new */
            if (!hook_is_idle(k))
                return;
            hook_forget(k);
            k = NULL;
        }
        if (k == NULL) {
            k = find(h, STR(""));
            if (k == NULL)
                return; /* another one is not yet done */
            start(k, conf->remote.id, &row);
        }
        k->generation = h->policy.policy->generation;
    }
    k->conf = conf;
    take_endpoint(k);
}

/* An attempt that failed a moment ago is kept for when the hook comes back. */
static bool may_forget(const struct hook *k)
{
    for (const struct message *m = k->first; m != NULL; m = m->next)
        if (m->dirty)
            return false;
    return hook_is_idle(k);
}

void hook_configure(struct hooks *h)
{
    const struct conf *c = h->policy.conf;
    for (uint32_t i = 0; i < c->hook_count; i++)
        configure(h, &c->hook[i]);
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++)
        if (h->hook[i].id[0] != 0 && h->hook[i].conf == NULL && may_forget(&h->hook[i]))
            hook_forget(&h->hook[i]);
}

/* ---- rows ---- */

static int64_t order_of(const struct fact_found *f)
{
    return f->subject != 0 ? f->subject : -(int64_t)f->kind;
}

static enum err read_row(struct hook *k, const struct hook_message *row)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct fact_found *f;
    uint32_t count;
    enum err err = store_list_facts(k->hooks->setup.reader, row->seq - 1, row->seq, UINT32_MAX, 1,
                                    &a, &f, &count);
    if (err != OK || count == 0)
        return err;
    (void)hook_put(k, row, order_of(f), true);
    return OK;
}

/* This thread knows what it wrote; others pause hooks and revive messages. */
static enum err read_rows(struct hook *k)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct store_reader *r = k->hooks->setup.reader;
    struct hook_row row;
    struct hook_message *m;
    uint32_t count;
    enum err err = store_get_hook(r, str_of(k->id), &a, &row);
    if (err == OK && row.start_ms == k->start_ms)
        take_row(k, &row);
    if (err == OK)
        err =
            store_list_hook_messages(r, k->number, HOOK_WAITING, 0, LIMIT_WAITING, &a, &m, &count);
    for (uint32_t i = 0; err == OK && i < count; i++)
        err = read_row(k, &m[i]);
    if (err != OK)
        return err;
    k->more = count == LIMIT_WAITING;
    k->look = false;
    return OK;
}

/* ---- facts ---- */

static void put_fact(struct hook *k, const struct fact_found *f)
{
    struct hook_message row = { .hook = k->number, .seq = f->seq, .state = HOOK_WAITING };
    const struct told_type *t = told_type(k->hooks->setup.reader, f, k->conf->on);
    if (t != NULL && told_id(t, f, &row.id))
        (void)hook_put(k, &row, order_of(f), false); /* it has a row perhaps */
}

static enum err read_facts(struct hook *k)
{
    struct hooks *h = k->hooks;
    struct fact_found *f;
    uint32_t count, room = LIMIT_WAITING - k->count;
    int64_t last = h->newest - k->scanned < FACTS ? h->newest : k->scanned + FACTS;
    arena_clear(&h->scratch);
    enum err err = store_list_facts(h->setup.reader, k->scanned, last, told_kinds(k->conf->on),
                                    room, &h->scratch, &f, &count);
    if (err != OK)
        return err;
    for (uint32_t i = 0; i < count; i++)
        put_fact(k, &f[i]);
    k->scanned = count == room ? f[count - 1].seq : last;
    return OK;
}

bool hook_has_more(const struct hook *k)
{
    if (k->conf == NULL || k->count >= LIMIT_WAITING || k->hooks->mono_ms < k->read_again_ms)
        return false;
    return k->look || (k->more ? k->count < LIMIT_WAITING / 2 : k->scanned < k->hooks->newest);
}

void hook_read(struct hook *k)
{
    enum err err = OK;
    if (k->hooks->mono_ms < k->read_again_ms)
        return;
    for (int i = 0; err == OK && i < GOES && (k->look || hook_has_more(k)); i++)
        err = k->look || k->more ? read_rows(k) : read_facts(k);
    if (err != OK) {
        log_write(LOG_ERROR, "hook.read", LOG_C("hook", k->id), LOG_C("error", err_text(err)));
        k->read_again_ms = k->hooks->mono_ms + AGAIN_MS;
    }
}
