/* pipeline/reader.h - one thread with a read connection of its own, for
 * answers that need the database: lists, histories, reports.
 *
 * Thread: reader_post() and reader_collect() belong to the loop's; run() is
 *         called on the reader's.
 */
#ifndef PIPELINE_READER_H
#define PIPELINE_READER_H

#include "store/store.h"

struct reader_job {
    struct reader_job *next;
    void (*run)(struct reader_job *job, struct store_reader *r); /* on the reader's thread */
    void (*done)(struct reader_job *job);                        /* on the loop's, after run() */
};

struct reader;
/* Takes the store_reader over. `wake` is called from the reader's thread when
 * something is there to collect. */
struct reader *reader_new(struct store_reader *r, void (*wake)(void *ctx), void *ctx);
void reader_post(struct reader *rd, struct reader_job *job);
/* Calls done() of what has finished; returns how many that were. */
uint32_t reader_collect(struct reader *rd);
/* Finishes what was posted, calls done() of it, ends the thread. */
void reader_free(struct reader **rd);

#endif
