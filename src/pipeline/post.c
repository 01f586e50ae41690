#include "pipeline/post.h"

#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/letter.h"
#include "codec/text.h"
#include "deliver/backoff.h"
#include "deliver/mail.h"

#include <stdlib.h>

enum { LOOK_EVERY_MS = 1000, BACKOFF_LETTER_MS = 4000, MESSAGE_MAX = 4 * LIMIT_LETTER_FILLED };

struct letter_outcome { /* of one letter */
    int64_t seq, until_ms;
    uint32_t attempts;
    enum mail_result result;
    char why[80]; /* "": none */
};

struct post {
    struct pipeline *p;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    _Atomic bool stop;
    /* the loop's */
    int64_t look_ms; /* monotonic: the next look at what is due */
    bool busy;       /* the thread has letters, or there is something to write of them */
    struct letter_outcome dropped[LIMIT_LETTERS_AT_ONCE]; /* not sent any more */
    uint32_t dropped_count;

    /* under the lock */
    struct arena arena; /* of the letters */
    struct due_letter *letter;
    uint32_t letter_count; /* handed over, and not taken by the thread */
    struct letter_outcome outcome[LIMIT_LETTERS_AT_ONCE];
    uint32_t outcome_count;
};

/* ---- the thread ---- */

static bool compose(const struct conf_mail *c, const struct due_letter *d, struct buf *to)
{
    struct letter l = { .from_name = c->from_name,
                        .from_address = c->from_address,
                        .to = d->to,
                        .subject = d->subject,
                        .text = d->text,
                        .language = d->language,
                        .id = d->id,
                        .at_ms = clock_now_ms() };
    return letter_write(&l, to);
}

static void note(struct letter_outcome *o, enum mail_result result, const char *why)
{
    o->result = result;
    (void)snprintf(o->why, sizeof o->why, "%s", why);
}

/* False: the next ones need not be tried now. */
static bool send_one(struct mailer *m, const struct conf_mail *c, const struct due_letter *d,
                     struct letter_outcome *o)
{
    AUTO(buf_fini) struct buf message = BUF_INIT(MESSAGE_MAX);
    bool gone = false;
    const char *why = "";
    if (!compose(c, d, &message)) {
        note(o, MAIL_REFUSED, "it cannot be written");
        return true;
    }
    struct mail mail = { .from = c->from_address, .to = d->to, .bytes = buf_view(&message) };
    enum mail_result result = mailer_send(m, &mail, &gone, &why);
    note(o, result, why);
    return !gone;
}

static void send_all(struct post *o, const struct due_letter *letter, uint32_t count,
                     struct letter_outcome *outcome)
{
    const struct generation *g = pipeline_generation_ref(o->p);
    const struct conf_double_opt_in *d = &g->conf->double_opt_in;
    struct url u = url_split(d->public_url);
    bool named = u.host.n > 0 && u.host.p[0] != '[';
    struct mailer *m = mailer_new(&d->mail, named ? u.host : STR("localhost"), &o->stop);
    bool go_on = d->mail.kind != CONF_SMTP_NONE;
    for (uint32_t i = 0; i < count; i++) {
        outcome[i] = (struct letter_outcome){ .seq = letter[i].seq,
                                              .until_ms = letter[i].until_ms,
                                              .attempts = letter[i].attempts + 1 };
        if (atomic_load(&o->stop))
            note(&outcome[i], MAIL_LATER, "");
        else if (go_on)
            go_on = send_one(m, &d->mail, &letter[i], &outcome[i]);
        else
            note(&outcome[i], MAIL_LATER, i > 0 ? outcome[i - 1].why : "there is no mail server");
    }
    mailer_free(&m);
    pipeline_generation_unref(o->p, &g);
}

static void *run(void *arg)
{
    struct post *o = arg;
    struct letter_outcome outcome[LIMIT_LETTERS_AT_ONCE];
    must(pthread_mutex_lock(&o->lock) == 0);
    while (!atomic_load(&o->stop) || o->letter_count > 0) {
        uint32_t count = o->letter_count;
        if (count == 0) {
            (void)pthread_cond_wait(&o->changed, &o->lock); /* early does not matter */
            continue;
        }
        must(pthread_mutex_unlock(&o->lock) == 0);
        send_all(o, o->letter, count, outcome);
        must(pthread_mutex_lock(&o->lock) == 0);
        memcpy(o->outcome, outcome, sizeof outcome);
        o->outcome_count = count;
        o->letter_count = 0;
        o->p->wake(o->p->wake_ctx);
    }
    must(pthread_mutex_unlock(&o->lock) == 0);
    return NULL;
}

struct post *post_new(struct pipeline *p)
{
    struct post *o = must_alloc_zero(sizeof *o);
    o->p = p;
    arena_init(&o->arena);
    must(pthread_mutex_init(&o->lock, NULL) == 0);
    must(pthread_cond_init(&o->changed, NULL) == 0);
    must(pthread_create(&o->thread, NULL, run, o) == 0);
    return o;
}

void post_free(struct post **oo)
{
    struct post *o = *oo;
    if (o == NULL)
        return;
    atomic_store(&o->stop, true);
    must(pthread_mutex_lock(&o->lock) == 0);
    must(pthread_cond_signal(&o->changed) == 0);
    must(pthread_mutex_unlock(&o->lock) == 0);
    must(pthread_join(o->thread, NULL) == 0);
    (void)pthread_cond_destroy(&o->changed);
    (void)pthread_mutex_destroy(&o->lock);
    arena_fini(&o->arena);
    free(o);
    *oo = NULL;
}

/* ---- the loop ---- */

/* A pause is never without end, and never so short that a dead server is asked without one. */
static int64_t next_try(const struct letter_outcome *x, int64_t now)
{
    int64_t least = BACKOFF_LETTER_MS / 4;
    int64_t next = now + least + backoff_delay(BACKOFF_LETTER_MS, x->attempts, 0);
    return next < x->until_ms ? next : 0;
}

static void count(struct pipeline *p, const struct letter_outcome *x, bool again)
{
    struct numbers *n = &p->numbers;
    if (x->result == MAIL_TAKEN) {
        numbers_add(&n->letters_sent, 1);
        return;
    }
    if (again)
        numbers_add(&n->letters_retried, 1);
    else
        numbers_add(&n->letters_failed, 1);
    log_write(again ? LOG_WARNING : LOG_ERROR, again ? "letter.retry" : "letter.failed",
              LOG_C("error", x->why), LOG_N("attempts", x->attempts));
}

static enum err write_one(struct pipeline *p, const struct letter_outcome *x)
{
    int64_t now = clock_now_ms();
    struct verification_letter l = { .attempts = x->attempts, .error = str_of(x->why) };
    if (p->stopping && x->result == MAIL_LATER)
        return OK; /* it was broken off: due as it was */
    if (x->result == MAIL_TAKEN)
        l.sent_ms = now;
    else if (x->result == MAIL_LATER)
        l.next_ms = next_try(x, now);
    enum err e = store_note_letter(p->store, x->seq, &l);
    if (e == OK)
        count(p, x, l.next_ms > 0);
    return e;
}

/* What is lost with a group is found due again, and sent a second time. */
void post_write(struct post *o)
{
    struct letter_outcome outcome[2 * LIMIT_LETTERS_AT_ONCE];
    uint32_t n = o->dropped_count;
    must(pthread_mutex_lock(&o->lock) == 0);
    memcpy(outcome, o->dropped, n * sizeof outcome[0]);
    memcpy(outcome + n, o->outcome, o->outcome_count * sizeof outcome[0]);
    n += o->outcome_count;
    bool idle = o->letter_count == 0;
    o->outcome_count = o->dropped_count = 0;
    must(pthread_mutex_unlock(&o->lock) == 0);
    if (o->busy && idle) {
        o->busy = false;
        o->look_ms = 0;
    }
    enum err e = n > 0 ? group_open(o->p, NULL) : OK;
    for (uint32_t i = 0; e == OK && !o->p->failed && i < n; i++)
        e = write_one(o->p, &outcome[i]);
    if (e != OK && o->p->open)
        group_fail(o->p, e, NULL);
}

void post_wake(struct post *o)
{
    o->look_ms = 0;
}

bool post_idle(const struct post *o)
{
    return !o->busy;
}

void post_stop(struct post *o)
{
    atomic_store(&o->stop, true);
}

/* Those that are still sent come first. */
static uint32_t sort_out(struct post *o, struct due_letter *due, uint32_t count)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (due[i].dropped == NULL) {
            due[n++] = due[i];
            continue;
        }
        struct letter_outcome *x = &o->dropped[o->dropped_count++];
        *x = (struct letter_outcome){ .seq = due[i].seq, .attempts = due[i].attempts };
        note(x, MAIL_REFUSED, due[i].dropped);
    }
    return n;
}

void post_hand_over(struct post *o)
{
    struct pipeline *p = o->p;
    const struct policy *policy = p->newest->public.policy;
    int64_t now = clock_mono_ms();
    struct due_letter *due;
    uint32_t count;
    if (o->busy || p->open || p->stopping || now < o->look_ms || !policy->conf->double_opt_in.on)
        return;
    o->look_ms = now + LOOK_EVERY_MS;
    arena_clear(&o->arena);
    enum err e = ledger_due_letters(p->ledger, policy, clock_now_ms(), LIMIT_LETTERS_AT_ONCE,
                                    &o->arena, &due, &count);
    if (e != OK || count == 0)
        return; /* looked at again */
    o->busy = true;
    count = sort_out(o, due, count);
    must(pthread_mutex_lock(&o->lock) == 0);
    o->letter = due;
    o->letter_count = count;
    must(pthread_cond_signal(&o->changed) == 0);
    must(pthread_mutex_unlock(&o->lock) == 0);
    if (o->dropped_count > 0)
        p->wake(p->wake_ctx);
}
