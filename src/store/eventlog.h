/* store/eventlog.h - the bytes of event groups, appended to files beside the database.
 *
 * A group that has only events is written here once, with one write and one
 * fdatasync; the database gets a small row that says where it lies, later and
 * without a sync (store.h, store_publish()). Files are events/NNNNNNNNNN, from 1,
 * a new one at LOG_FILE_BYTES; nothing in them is ever written over. A record,
 * little-endian:
 *
 *   8 "licet ev"   u64 number, at_ms   u32 events, bytes of entries   32 head
 *   then briefs, keys, leaves, entries: what a row of `segment` holds
 *
 * Behind the last record come zeros, written in advance: a sync that need not make the
 * file longer costs a third less. A record proves itself: its head is the hash of the chain's link (store/chain.h),
 * so what a crash left half written is told from what was acknowledged.
 *
 * Holes: what was deleted is punched out of its file, and reads as nothing there.
 * Thread: the writer's is the loop's; a reader is for one thread at a time.
 */
#ifndef STORE_EVENTLOG_H
#define STORE_EVENTLOG_H

#include "base/buf.h"
#include "base/err.h"
#include "store/chain.h"

enum { LOG_FILE_BYTES = 64 << 20, LOG_HEADER = 64 };

struct log_place {
    uint32_t file; /* 0: nowhere */
    uint32_t start, size;
};

struct log_record {
    int64_t number, at_ms;
    uint32_t count;
    uint8_t head[CHAIN_HASH];
    struct str brief, keys, leaves, entries;
};

struct eventlog_writer {
    int dir, fd; /* -1: none */
    uint32_t file, end;
    uint32_t filled; /* zeros are written up to here */
    uint32_t oldest; /* no file below it is there */
};
/* Goes on behind `end`; whatever stands behind it there goes, and what stands before is durable. */
enum err eventlog_open(const char *dir, const struct log_place *end, struct eventlog_writer *ret_w,
                       struct err_info *info) MUST_CHECK;
void eventlog_close(struct eventlog_writer *w);
/* Durable when it returns OK. After an error the writer has gone to a new file, and
 * what failed may still stand in the old one: nothing may be appended before the
 * database durably says that the log goes on in the new one. ERR_FULL, ERR_IO. */
enum err eventlog_append(struct eventlog_writer *w, const struct log_record *r,
                         struct log_place *ret_place, struct err_info *info) MUST_CHECK;
enum err eventlog_punch(struct eventlog_writer *w, const struct log_place *place) MUST_CHECK;
/* What was punched out of a file stays out of it from here on. */
enum err eventlog_sync_holes(struct eventlog_writer *w, uint32_t file) MUST_CHECK;
/* Files below this one go. */
enum err eventlog_remove_below(struct eventlog_writer *w, uint32_t file) MUST_CHECK;
/* While somebody reads all of the log, nothing is deleted from it: ERR_BUSY. */
enum err eventlog_lock_holes(struct eventlog_writer *w) MUST_CHECK;
void eventlog_unlock_holes(struct eventlog_writer *w);

struct eventlog_reader {
    int dir, fd;
    uint32_t file;  /* of fd */
    uint32_t holds; /* eventlog_hold() without eventlog_release() */
};
void eventlog_reader_open(struct eventlog_reader *r, const char *dir); /* it may not be there yet */
void eventlog_reader_close(struct eventlog_reader *r);
/* Nothing is deleted from the log until it is released as often as it was held: around
 * whatever finds a place in the database and reads it, from before the database is looked at. */
void eventlog_hold(struct eventlog_reader *r);
void eventlog_release(struct eventlog_reader *r);

enum log_part { LOG_BRIEF, LOG_WHOLE };
/* The record at a place into `to`, slices pointing there; with LOG_BRIEF only the
 * briefs. ERR_NOT_FOUND: nothing is there any more. */
enum err eventlog_read(struct eventlog_reader *r, const struct log_place *place, enum log_part part,
                       struct buf *to, struct log_record *ret_record) MUST_CHECK;
/* The whole record that begins where *at says, whose size is not known; when there is none,
 * the first of the next file. *at is then its place. ERR_NOT_FOUND: none. */
enum err eventlog_next(struct eventlog_reader *r, struct log_place *at, struct buf *to,
                       struct log_record *ret_record) MUST_CHECK;
/* Whether a record not older than that begins anywhere behind a place, in its file or a later one,
 * or what stands there cannot be read. A place in file 0: anywhere at all. */
bool eventlog_has_behind(struct eventlog_reader *r, const struct log_place *at, int64_t since_ms);

#endif
