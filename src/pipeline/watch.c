#include "pipeline/watch.h"

#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/reader_text.h"
#include "deliver/fetch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SLEEP_MS = 60000, FAILED_LEAST_MS = 60000 };

struct seen { /* of one identifier */
    char identifier[LIMIT_ID + 1];
    int64_t due_ms; /* monotonic; 0: now */
    int64_t at_ms;  /* of the last look; 0: none */
    const char *outcome;
};

struct watch {
    struct pipeline *p;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    _Atomic bool stop;
    bool anew; /* a new configuration */
    struct seen seen[LIMIT_WATCHED];
    uint32_t seen_count;
    struct watch_text text[LIMIT_WATCHED]; /* not taken yet */
    uint32_t text_count;
};

/* ---- one look ---- */

static enum err read_file(struct str path, struct arena *a, struct fetched *ret_f,
                          const char **ret_why)
{
    struct stat st;
    *ret_why = "the file cannot be read";
    AUTO(close_fd) int fd = open(arena_str(a, path).p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ERR_IO;
    *ret_why = "the file is larger than 1 MB";
    if (st.st_size > (off_t)LIMIT_NOTICE)
        return ERR_LIMIT;
    char *bytes = arena_alloc(a, (size_t)st.st_size + 1);
    ssize_t n = read(fd, bytes, (size_t)st.st_size);
    *ret_why = "the file changed while it was read";
    if (n != st.st_size)
        return ERR_IO;
    struct str name = path, end = { path.p + path.n, 0 };
    while (end.p > name.p && end.p[-1] != '.' && end.p[-1] != '/') {
        end.p--;
        end.n++;
    }
    bool html = str_eq_nocase(end, STR("html")) || str_eq_nocase(end, STR("htm")) ||
                str_eq_nocase(end, STR("xhtml"));
    *ret_f = (struct fetched){ .bytes = { bytes, (size_t)n }, .html = html };
    return OK;
}

static enum err look(struct watch *w, const struct conf_notice *n, struct arena *a,
                     struct str *ret_text, const char **ret_why)
{
    struct fetched f;
    enum err e = n->file.n > 0 ? read_file(n->file, a, &f, ret_why)
                               : fetch(&n->remote, &w->stop, a, &f, ret_why);
    if (e != OK)
        return e;
    e = reader_text(f.bytes, f.html, a, ret_text);
    *ret_why = e == ERR_LIMIT ? "it is nested too deeply" : "it is no text in UTF-8";
    if (e == OK && ret_text->n == 0) {
        *ret_why = "there is no text in it";
        return ERR_VALUE;
    }
    return e;
}

/* Under the lock. */
static struct seen *seen_of(struct watch *w, struct str identifier)
{
    for (uint32_t i = 0; i < w->seen_count; i++) {
        if (str_eq(str_of(w->seen[i].identifier), identifier))
            return &w->seen[i];
    }
    return NULL;
}

static void put_text(struct watch *w, struct str identifier, struct str text)
{
    struct watch_text *t = NULL;
    for (uint32_t i = 0; i < w->text_count && t == NULL; i++) {
        if (str_eq(str_of(w->text[i].identifier), identifier))
            t = &w->text[i];
    }
    if (t != NULL) {
        free(t->text);
    } else if (w->text_count < LIMIT_WATCHED) {
        t = &w->text[w->text_count++];
        t->identifier = must_alloc_zero(identifier.n + 1);
        memcpy(t->identifier, identifier.p, identifier.n);
    } else {
        return;
    }
    t->text = must_alloc(text.n);
    memcpy(t->text, text.p, text.n);
    t->n = text.n;
}

static void note(struct watch *w, const struct conf_notice *n, enum err e, struct str text,
                 const char *why)
{
    must(pthread_mutex_lock(&w->lock) == 0);
    struct seen *s = seen_of(w, n->identifier);
    bool news = s == NULL || s->outcome == NULL || strcmp(s->outcome, e == OK ? "" : why) != 0;
    if (s != NULL) {
        s->outcome = e == OK ? "" : why;
        s->at_ms = clock_now_ms();
        int64_t wait = n->every_ms;
        if (e != OK && wait > FAILED_LEAST_MS) /* sooner again, after a failure */
            wait = wait / 10 > FAILED_LEAST_MS ? wait / 10 : FAILED_LEAST_MS;
        s->due_ms = clock_mono_ms() + wait;
    }
    if (e == OK)
        put_text(w, n->identifier, text);
    must(pthread_mutex_unlock(&w->lock) == 0);
    if (e != OK && e != ERR_STOPPED) {
        numbers_add(&w->p->numbers.notice_looks_failed, 1);
        if (news)
            log_write(LOG_WARNING, "notice.unreadable", LOG_S("notice", n->identifier),
                      LOG_C("why", why));
    } else if (e == OK) {
        numbers_add(&w->p->numbers.notice_looks, 1);
        w->p->wake(w->p->wake_ctx);
    }
}

/* ---- the thread ---- */

/* The list follows the configuration; a notice that stays keeps its time, unless all is anew. Under the lock. */
static void follow(struct watch *w, const struct conf *c)
{
    struct seen before[LIMIT_WATCHED];
    uint32_t count = w->seen_count;
    memcpy(before, w->seen, sizeof before);
    w->seen_count = 0;
    for (uint32_t i = 0; i < c->notice_count && i < LIMIT_WATCHED; i++) {
        struct seen s = { 0 };
        memcpy(s.identifier, c->notice[i].identifier.p, c->notice[i].identifier.n);
        for (uint32_t k = 0; k < count; k++) {
            if (strcmp(before[k].identifier, s.identifier) == 0)
                s = before[k];
        }
        if (w->anew)
            s.due_ms = 0;
        w->seen[w->seen_count++] = s;
    }
    w->anew = false;
}

/* The first that is due, or NULL and how long to sleep. */
static const struct conf_notice *next_due(struct watch *w, const struct conf *c, int64_t *ret_ms)
{
    const struct conf_notice *due = NULL;
    int64_t now = clock_mono_ms(), least = MOST_SLEEP_MS;
    must(pthread_mutex_lock(&w->lock) == 0);
    follow(w, c);
    for (uint32_t i = 0; i < c->notice_count && due == NULL; i++) {
        int64_t left = w->seen[i].due_ms - now;
        if (left <= 0)
            due = &c->notice[i];
        else
            least = left < least ? left : least;
    }
    must(pthread_mutex_unlock(&w->lock) == 0);
    *ret_ms = least;
    return due;
}

static void sleep_ms(struct watch *w, int64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail */
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    must(pthread_mutex_lock(&w->lock) == 0);
    if (!atomic_load(&w->stop) && !w->anew)
        (void)pthread_cond_timedwait(&w->changed, &w->lock, &until); /* early does not matter */
    must(pthread_mutex_unlock(&w->lock) == 0);
}

static void *run(void *arg)
{
    struct watch *w = arg;
    while (!atomic_load(&w->stop)) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        const struct generation *g = pipeline_generation_ref(w->p);
        int64_t wait;
        const struct conf_notice *n = next_due(w, g->conf, &wait);
        if (n != NULL) {
            struct str text = { 0 };
            const char *why = "";
            enum err e = look(w, n, &a, &text, &why);
            note(w, n, e, text, why);
        }
        pipeline_generation_unref(w->p, &g);
        if (n == NULL)
            sleep_ms(w, wait);
    }
    return NULL;
}

struct watch *watch_new(struct pipeline *p)
{
    struct watch *w = must_alloc_zero(sizeof *w);
    pthread_condattr_t attr; /* the wall clock may be set meanwhile */
    w->p = p;
    must(pthread_mutex_init(&w->lock, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&w->changed, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    must(pthread_create(&w->thread, NULL, run, w) == 0);
    return w;
}

void watch_wake(struct watch *w)
{
    must(pthread_mutex_lock(&w->lock) == 0);
    w->anew = true;
    must(pthread_cond_signal(&w->changed) == 0);
    must(pthread_mutex_unlock(&w->lock) == 0);
}

void watch_free(struct watch **ww)
{
    struct watch *w = *ww;
    struct watch_text t;
    if (w == NULL)
        return;
    atomic_store(&w->stop, true);
    watch_wake(w);
    must(pthread_join(w->thread, NULL) == 0);
    while (watch_take(w, &t)) {
        free(t.identifier);
        free(t.text);
    }
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
    *ww = NULL;
}

bool watch_take(struct watch *w, struct watch_text *ret_t)
{
    must(pthread_mutex_lock(&w->lock) == 0);
    bool any = w->text_count > 0;
    if (any)
        *ret_t = w->text[--w->text_count];
    must(pthread_mutex_unlock(&w->lock) == 0);
    return any;
}

const char *watch_outcome(struct watch *w, struct str identifier, int64_t *ret_at_ms)
{
    must(pthread_mutex_lock(&w->lock) == 0);
    const struct seen *s = seen_of(w, identifier);
    const char *outcome = s != NULL ? s->outcome : NULL;
    *ret_at_ms = s != NULL ? s->at_ms : 0;
    must(pthread_mutex_unlock(&w->lock) == 0);
    return outcome;
}
