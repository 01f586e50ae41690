#include "pipeline/reader.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    struct reader_job *first, **last;
};

struct reader {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct queue todo, finished;
    bool stop;
    struct store_reader *store;
    void (*wake)(void *ctx);
    void *ctx;
};

static void put(struct queue *q, struct reader_job *job)
{
    job->next = NULL;
    if (q->first == NULL)
        q->last = &q->first;
    *q->last = job;
    q->last = &job->next;
}

static struct reader_job *take(struct queue *q)
{
    struct reader_job *job = q->first;
    if (job != NULL)
        q->first = job->next;
    return job;
}

static void *run(void *arg)
{
    struct reader *rd = arg;
    must(pthread_mutex_lock(&rd->lock) == 0);
    for (;;) {
        struct reader_job *job = take(&rd->todo);
        if (job == NULL && rd->stop)
            break;
        if (job == NULL) {
            must(pthread_cond_wait(&rd->work, &rd->lock) == 0);
            continue;
        }
        must(pthread_mutex_unlock(&rd->lock) == 0);
        job->run(job, rd->store);
        must(pthread_mutex_lock(&rd->lock) == 0);
        put(&rd->finished, job);
        rd->wake(rd->ctx);
    }
    must(pthread_mutex_unlock(&rd->lock) == 0);
    return NULL;
}

struct reader *reader_new(struct store_reader *r, void (*wake)(void *ctx), void *ctx)
{
    struct reader *rd = must_alloc_zero(sizeof *rd);
    rd->store = r;
    rd->wake = wake;
    rd->ctx = ctx;
    must(pthread_mutex_init(&rd->lock, NULL) == 0);
    must(pthread_cond_init(&rd->work, NULL) == 0);
    must(pthread_create(&rd->thread, NULL, run, rd) == 0);
    return rd;
}

void reader_post(struct reader *rd, struct reader_job *job)
{
    must(pthread_mutex_lock(&rd->lock) == 0);
    put(&rd->todo, job);
    must(pthread_cond_signal(&rd->work) == 0);
    must(pthread_mutex_unlock(&rd->lock) == 0);
}

uint32_t reader_collect(struct reader *rd)
{
    must(pthread_mutex_lock(&rd->lock) == 0);
    struct queue finished = rd->finished;
    rd->finished = (struct queue){ 0 };
    must(pthread_mutex_unlock(&rd->lock) == 0);
    uint32_t n = 0;
    for (struct reader_job *job; (job = take(&finished)) != NULL; n++)
        job->done(job);
    return n;
}

void reader_free(struct reader **rd)
{
    if (*rd == NULL)
        return;
    must(pthread_mutex_lock(&(*rd)->lock) == 0);
    (*rd)->stop = true;
    must(pthread_cond_signal(&(*rd)->work) == 0);
    must(pthread_mutex_unlock(&(*rd)->lock) == 0);
    must(pthread_join((*rd)->thread, NULL) == 0);
    (void)reader_collect(*rd); /* the count is of no use here */
    store_reader_close(&(*rd)->store);
    (void)pthread_cond_destroy(&(*rd)->work);
    (void)pthread_mutex_destroy(&(*rd)->lock);
    free(*rd);
    *rd = NULL;
}
