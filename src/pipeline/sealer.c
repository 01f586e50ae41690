#include "pipeline/sealer.h"

#include "audit/keyring.h"
#include "audit/stamp.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/text.h"
#include "deliver/post.h"
#include "store/merkle.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { LOOK_EVERY_S = 1, ASK_AGAIN_MS = 60000, ASK_AGAIN_MOST_MS = 3600000 };

/* What the loop shall write. */
struct work {
    struct arena a;
    struct key_found *key;
    uint32_t key_count;
    struct str statement, signature; /* of a seal; empty: none */
    struct stamp_found stamp;        /* token empty: none */
    int64_t at_ms;
};

struct sealer {
    struct pipeline *p;
    struct store_reader *reader;
    void (*wake)(void *ctx);
    void *wake_ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    atomic_bool stop;
    atomic_bool failed;                  /* what was handed over could not be written */
    struct work *work;                   /* under the lock; NULL: none */
    int64_t seal_again_ms, ask_again_ms; /* monotonic: not before */
    int64_t ask_pause_ms;
    int64_t handed_from, handed_ms; /* the seal handed over last, and when */
};

static void work_free(struct work **w)
{
    if (*w == NULL)
        return;
    arena_fini(&(*w)->a);
    free(*w);
    *w = NULL;
}

static void hand_over(struct sealer *s, struct work **w)
{
    must(pthread_mutex_lock(&s->lock) == 0);
    work_free(&s->work);
    s->work = *w;
    *w = NULL;
    must(pthread_mutex_unlock(&s->lock) == 0);
    s->wake(s->wake_ctx);
}

static void complain(const char *event, const char *text)
{
    log_write(LOG_ERROR, event, LOG_C("text", text));
}

bool sealer_has(struct sealer *s)
{
    must(pthread_mutex_lock(&s->lock) == 0);
    bool has = s->work != NULL;
    must(pthread_mutex_unlock(&s->lock) == 0);
    return has;
}

/* ---- the loop's part: in its order anything may have been written meanwhile ---- */

static bool is_known(const struct key_found *known, uint32_t count, const struct key_found *k)
{
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(known[i].key.public, k->key.public, SIGN_KEY) == 0)
            return true;
    return false;
}

static enum err write_keys(struct work *w, struct store *store)
{
    struct key_found *known;
    uint32_t count;
    enum err e = store_list_signing_keys(store_own_reader(store), &w->a, &known, &count);
    for (uint32_t i = 0; e == OK && i < w->key_count; i++)
        if (!is_known(known, count, &w->key[i]))
            e = store_add_signing_key(store, &w->key[i]);
    return e;
}

static enum err write_work(struct work *w, struct store *store)
{
    enum err e = write_keys(w, store);
    if (e == OK && w->statement.n) {
        e = store_add_seal(store, w->statement, w->signature);
        if (e == ERR_STALE) /* an earlier one came in between: it is made anew */
            e = OK;
    }
    struct stamp_found there;
    if (e == OK && w->stamp.token.n) {
        e = store_stamp_over(store_own_reader(store), w->stamp.seal_seq, &w->a, &there);
        if (e == ERR_NOT_FOUND)
            e = store_add_stamp(store, &w->stamp, w->at_ms);
    }
    return e;
}

/* What fails in the database fails the group by itself; what stands in it damaged is no reason to
 * answer nobody any more. */
void sealer_write(struct sealer *s, struct store *store)
{
    AUTO(work_free) struct work *w = NULL;
    must(pthread_mutex_lock(&s->lock) == 0);
    w = s->work;
    s->work = NULL;
    must(pthread_mutex_unlock(&s->lock) == 0);
    enum err e = w != NULL ? write_work(w, store) : OK;
    if (e == OK)
        return;
    atomic_store(&s->failed, true);
    complain("seal.failed", err_text(e));
}

/* ---- sealing ---- */

/* At the first start it is made. Later a missing one is the operator's to look after: another
 * key would stand there without anybody having said so. */
static enum err load_key(struct sealer *s, const struct conf *c, struct arena *a,
                         struct keyring *ret_k, struct err_info *info)
{
    struct str file = keyring_file(c, a);
    enum err e = keyring_load(file, a, ret_k, info);
    if (e != ERR_NOT_FOUND)
        return e;
    struct key_found *known;
    uint32_t count;
    e = store_list_signing_keys(s->reader, a, &known, &count);
    if (e != OK || count > 0)
        return err_set(info, e != OK ? e : ERR_NOT_FOUND, NULL,
                       "signing key: the file is gone; bring it back, or say licet keys new");
    e = keyring_make(file, clock_now_ms(), a, info);
    return e == OK || e == ERR_CONFLICT ? keyring_load(file, a, ret_k, info) : e;
}

static void add_head(void *ctx, const uint8_t head[CHAIN_HASH])
{
    merkle_add(ctx, head);
}

static enum err make_seal(struct sealer *s, const struct keyring *k, struct seal *seal,
                          struct work *w)
{
    struct merkle tree = { 0 };
    struct chain_head head;
    enum err e = store_get_head(s->reader, seal->to, &head);
    if (e == OK)
        e = store_each_head(s->reader, seal->from, seal->to, add_head, &tree);
    if (e != OK)
        return e;
    merkle_root(&tree, seal->root);
    memcpy(seal->head, head.hash, CHAIN_HASH);
    memcpy(seal->key, k->key, SIGN_KEY);
    seal->at_ms = w->at_ms;
    w->statement = seal_write(seal, &w->a);
    uint8_t *signature = arena_array(&w->a, uint8_t, SIGNATURE);
    sign(k->seed, w->statement, signature);
    w->signature = (struct str){ (const char *)signature, SIGNATURE };
    w->key = k->known;
    w->key_count = k->count;
    struct str hex = hex_encode((struct str){ (const char *)head.hash, CHAIN_HASH }, &w->a);
    log_write(LOG_INFO, "seal", LOG_N("group", seal->to), LOG_S("head", hex));
    return OK;
}

/* False: nothing is due. */
static bool is_due(struct sealer *s, const struct conf *c, struct arena *a, struct seal *ret_seal)
{
    struct seal_found newest;
    struct chain_head head;
    enum err e = store_newest_seal(s->reader, a, &newest);
    bool first = e == ERR_NOT_FOUND;
    struct seal seal = { .from = 1 };
    if ((e != OK && !first) || store_newest_head(s->reader, &head) != OK)
        return false;
    if (!first) {
        seal.from = newest.seal.to + 1;
        seal.has_previous = true;
        chain_hash(newest.statement, seal.previous);
    }
    if (head.group < seal.from)
        return false;
    bool full = head.group - seal.from >= LIMIT_SEAL_GROUPS - 1;
    seal.to = full ? seal.from + LIMIT_SEAL_GROUPS - 1 : head.group;
    *ret_seal = seal;
    return first || full || head.group - seal.from >= LIMIT_SEAL_GROUPS / 2 ||
           clock_now_ms() - newest.seal.at_ms >= c->seals.every_ms;
}

static void seal_if_due(struct sealer *s, const struct conf *c)
{
    AUTO(work_free) struct work *w = must_alloc_zero(sizeof *w);
    AUTO(keyring_fini) struct keyring k = { 0 };
    struct seal seal;
    struct err_info info = { 0 };
    if (clock_mono_ms() < s->seal_again_ms || !is_due(s, c, &w->a, &seal))
        return;
    /* still not there: a commit failed. The disk may be full, and what room is left is for withdrawals. */
    if (seal.from == s->handed_from && clock_mono_ms() < s->handed_ms + ASK_AGAIN_MS)
        return;
    w->at_ms = clock_now_ms();
    enum err e = load_key(s, c, &w->a, &k, &info);
    if (e == OK)
        e = make_seal(s, &k, &seal, w);
    if (e == OK) {
        s->handed_from = seal.from;
        s->handed_ms = clock_mono_ms();
        hand_over(s, &w);
        return;
    }
    s->seal_again_ms = clock_mono_ms() + ASK_AGAIN_MS;
    complain("seal.failed", info.text[0] ? info.text : err_text(e));
}

/* ---- time stamps ---- */

static enum err ask(struct sealer *s, const struct conf *c, const struct seal_found *seal,
                    struct work *w, struct err_info *info)
{
    const struct conf_destination *authority = &c->seals.authority;
    struct str request, answer;
    int status = 0;
    const char *why = NULL;
    if (stamp_request(seal->statement, &w->a, &request) != OK)
        return err_set(info, ERR_IO, NULL, "the question could not be made");
    struct post q = { .url = authority->endpoint,
                      .type = "application/timestamp-query",
                      .body = request,
                      .stop = &s->stop };
    enum err e = post(authority, &q, &w->a, &status, &answer, &why);
    if (e != OK)
        return err_set(info, e, NULL, "%s", why);
    if (status != 200)
        return err_set(info, ERR_IO, NULL, "it answered %d", status);
    w->stamp = (struct stamp_found){ .seal_seq = seal->seq,
                                     .authority = arena_str(&w->a, authority->endpoint) };
    return stamp_answer(request, answer, seal->statement, c->seals.certificates, &w->a,
                        &w->stamp.token, info);
}

static void stamp_if_due(struct sealer *s, const struct conf *c)
{
    AUTO(work_free) struct work *w = must_alloc_zero(sizeof *w);
    struct seal_found newest;
    struct stamp_found there;
    struct err_info info = { 0 };
    if (c->seals.authority.endpoint.n == 0 || clock_mono_ms() < s->ask_again_ms ||
        store_newest_seal(s->reader, &w->a, &newest) != OK ||
        store_stamp_over(s->reader, newest.seq, &w->a, &there) != ERR_NOT_FOUND)
        return;
    w->at_ms = clock_now_ms();
    if (ask(s, c, &newest, w, &info) == OK) {
        s->ask_pause_ms = 0;
        log_write(LOG_INFO, "seal.stamped", LOG_N("group", newest.seal.to));
        hand_over(s, &w);
        return;
    }
    s->ask_pause_ms = s->ask_pause_ms ? 2 * s->ask_pause_ms : ASK_AGAIN_MS;
    if (s->ask_pause_ms > ASK_AGAIN_MOST_MS)
        s->ask_pause_ms = ASK_AGAIN_MOST_MS;
    s->ask_again_ms = clock_mono_ms() + s->ask_pause_ms;
    if (!atomic_load(&s->stop))
        log_write(LOG_WARNING, "seal.unstamped", LOG_C("text", info.text),
                  LOG_N("again_ms", s->ask_pause_ms));
}

/* ---- the thread ---- */

static bool sleep_a_while(struct sealer *s)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail */
    until.tv_sec += LOOK_EVERY_S;
    must(pthread_mutex_lock(&s->lock) == 0);
    if (!atomic_load(&s->stop))
        (void)pthread_cond_timedwait(&s->stopped, &s->lock, &until); /* early does not matter */
    must(pthread_mutex_unlock(&s->lock) == 0);
    return !atomic_load(&s->stop);
}

static void *run(void *arg)
{
    struct sealer *s = arg;
    while (sleep_a_while(s)) {
        if (atomic_exchange(&s->failed, false))
            s->seal_again_ms = s->ask_again_ms = clock_mono_ms() + ASK_AGAIN_MS;
        const struct generation *g = pipeline_generation_ref(s->p);
        if (!sealer_has(s))
            stamp_if_due(s,
                         g->conf); /* first: it is of the newest, and the next may be due already */
        if (!sealer_has(s))
            seal_if_due(s, g->conf);
        pipeline_generation_unref(s->p, &g);
    }
    return NULL;
}

struct sealer *sealer_new(struct pipeline *p, struct store_reader *r, void (*wake)(void *ctx),
                          void *ctx)
{
    struct sealer *s = must_alloc_zero(sizeof *s);
    pthread_condattr_t attr; /* the wall clock may be set meanwhile */
    s->p = p;
    s->reader = r;
    s->wake = wake;
    s->wake_ctx = ctx;
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&s->stopped, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    must(pthread_create(&s->thread, NULL, run, s) == 0);
    return s;
}

void sealer_free(struct sealer **ss)
{
    struct sealer *s = *ss;
    if (s == NULL)
        return;
    must(pthread_mutex_lock(&s->lock) == 0);
    atomic_store(&s->stop, true);
    must(pthread_cond_signal(&s->stopped) == 0);
    must(pthread_mutex_unlock(&s->lock) == 0);
    must(pthread_join(s->thread, NULL) == 0);
    work_free(&s->work);
    store_reader_close(&s->reader);
    (void)pthread_cond_destroy(&s->stopped);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
    *ss = NULL;
}
