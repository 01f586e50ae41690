/* store/store_priv.h - what the files of this folder share.
 *
 * conn.c      one connection: statements, arguments, errors
 * schema.c    tables, migrations
 * columns.c   a fact's columns as bytes, under its leaf
 * directory.c the data directory: lock, reserve
 * eventlog.c  the files that event groups are appended to
 * sqlite.c    opening, secrets, readers
 * group.c     groups, facts, the chain
 * publish.c   event groups of the log into the database, also after a crash
 * sqlite_*.c  the verbs, by subject
 * sets.c, words.c  how lists find what a filter names
 * verify_*.c  reading everything again
 */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include "base/buf.h"
#include "store/chain.h"
#include "store/columns.h"
#include "store/eventlog.h"
#include "store/store.h"

/* ---- a connection ---- */

struct sqlite3;
struct sqlite3_stmt;

enum { STATEMENTS = 256 }; /* slots; the texts in this folder fill half of them */

/* Segments and their leaves are tens of kilobytes: larger pages are fewer writes per commit. */
enum { PAGE_BYTES = 8192 };
#define PAGE_TEXT "8192"

struct conn {
    struct sqlite3 *db;
    struct {
        const char *sql;
        struct sqlite3_stmt *stmt;
    } slot[STATEMENTS];
    enum err failed; /* of a write verb in the open group */
    bool begin_due;  /* conn_run() begins the transaction, when something is to be written */
};

struct arg {
    enum { ARG_END = 0, ARG_INT, ARG_TEXT, ARG_BLOB, ARG_NULL } type;
    int64_t i;
    struct str s;
};
#define INT(v) ((struct arg){ .type = ARG_INT, .i = (int64_t)(v) })
#define TEXT(v) ((struct arg){ .type = ARG_TEXT, .s = (v) })
#define BLOB(v) ((struct arg){ .type = ARG_BLOB, .s = (v) })
#define BYTES(ptr, size) BLOB(((struct str){ (const char *)(ptr), (size) }))
#define ARGS(...) ((const struct arg[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

/* A statement is found by the address of its text, which must be a literal, and
 * is kept for the life of the connection. */
enum err conn_query(struct conn *c, const char *sql, const struct arg *args,
                    struct sqlite3_stmt **ret_q) MUST_CHECK;
enum err conn_run(struct conn *c, const char *sql, const struct arg *args) MUST_CHECK;
enum err conn_next(struct sqlite3_stmt *q) MUST_CHECK; /* OK: a row; ERR_NOT_FOUND: no more */
enum err conn_first(struct conn *c, const char *sql, const struct arg *args,
                    struct sqlite3_stmt **ret_q) MUST_CHECK;
#define QUERY(c, sql, ret_q, ...) conn_query((c), "" sql, ARGS(__VA_ARGS__), (ret_q))
#define FIRST(c, sql, ret_q, ...) conn_first((c), "" sql, ARGS(__VA_ARGS__), (ret_q))
#define RUN(c, sql, ...) conn_run((c), "" sql, ARGS(__VA_ARGS__))
void query_done(struct sqlite3_stmt **q); /* AUTO(query_done) */

/* First column of the first row, or `otherwise` when there is none (or NULL). */
enum err conn_number(struct conn *c, const char *sql, const struct arg *args, int64_t otherwise,
                     int64_t *ret_n) MUST_CHECK;
#define NUMBER(c, sql, otherwise, ret_n, ...)                                                      \
    conn_number((c), "" sql, ARGS(__VA_ARGS__), (otherwise), (ret_n))

int64_t col_int(struct sqlite3_stmt *q, int i);
bool col_is_null(struct sqlite3_stmt *q, int i);
struct str col_bytes(struct sqlite3_stmt *q, int i); /* until the next step; text or blob */
struct str col_copy(struct sqlite3_stmt *q, int i, struct arena *a);
bool col_id(struct sqlite3_stmt *q, int i, struct id *ret_id);

enum err conn_open(struct conn *c, const char *file, bool write, struct err_info *info) MUST_CHECK;
enum err conn_exec(struct conn *c, const char *sql) MUST_CHECK; /* not kept */
int64_t conn_new_row(struct conn *c);  /* number of the row inserted last */
uint32_t conn_changes(struct conn *c); /* rows that the last update met */
void conn_rollback(struct conn *c);
void conn_close(struct conn *c);
enum err conn_err(int sqlite_code); /* SQLITE_FULL → ERR_FULL, … */
enum err conn_set_err(struct conn *c, enum err e, struct err_info *info);

/* ---- schema ---- */

enum err schema_check(struct conn *c, struct err_info *info) MUST_CHECK; /* exactly this version */
enum err schema_migrate(struct conn *c, struct err_info *info) MUST_CHECK;
enum err schema_step(struct conn *c, int64_t version) MUST_CHECK; /* from the one before */
extern const int schema_newest;
enum { SCHEMA_LISTS = 2 }; /* the step that brought the indexes of lists: for its test */

/* How far a walk over all segments has come; and where the event log goes on behind
 * what the database knows of it: file << 32 | end. Marks only grow. */
enum mark { MARK_STRIPPED = 1, MARK_EMPTIED, MARK_LOG };
enum err mark_get(struct conn *c, enum mark which, int64_t *ret_value) MUST_CHECK;
enum err mark_set(struct conn *c, enum mark which, int64_t value) MUST_CHECK;

/* ---- the store ---- */

struct store_reader {
    struct conn *c; /* own, or the store's */
    struct conn own;
    uint8_t hash_key[16]; /* of store_subject_hash() */
    struct eventlog_reader log;
    struct buf record; /* the segment read last */
    bool began;        /* store_hold() began a transaction */
};

/* An event group that is in the log, and not yet in the database. */
struct unpublished {
    struct chain_head head;
    int64_t first_ms, last_ms;
    uint32_t count, permitted;
    struct log_place place;
};

struct group {
    bool open;
    int64_t seq;  /* of the newest fact, the group's included */
    size_t bytes; /* of its facts */
    struct buf fact_leaves;
    struct buf brief, keys, event_leaves; /* of the segment */
    struct str entries;                   /* the caller's; empty: no segment */
    struct unpublished segment;           /* what its row will say */
};

struct store {
    struct conn c;
    struct store_reader reader; /* the own one */
    bool memory, only_looks;
    char *dir; /* NULL in memory */
    int lock;
    uint8_t secret[SECRET_COUNT][32];
    struct chain_head head; /* newest that is committed */
    int64_t seq;            /* likewise */
    struct group group;
    struct buf scratch; /* columns of the fact that is being written */
    int wal_pages, wal_tried;

    struct eventlog_writer log;
    bool has_log;
    bool log_waits; /* until the database durably says where it goes on, and holds nothing else */
    struct unpublished *unpublished; /* UNPUBLISHED_MOST, at start more */
    uint32_t unpublished_count;
    uint32_t unsynced; /* groups published since the database was synced last */
};
/* Recovery may find these two together; the second is looked at when the first is published. */
enum { UNPUBLISHED_MOST = 1024, UNSYNCED_MOST = 4096 };

/* directory.c */
char *dir_path(const char *dir, const char *name);                     /* must_alloc memory */
enum err dir_err(struct err_info *info, const char *what);             /* from errno */
enum err dir_enter(struct store *s, struct err_info *info) MUST_CHECK; /* makes, locks, reserves */
enum err dir_make_file(const char *file, struct err_info *info) MUST_CHECK; /* 0600 */
enum err dir_sync(const struct store *s, const char *name, struct err_info *info) MUST_CHECK;
void dir_give_up_reserve(const struct store *s);

/* The newest link and fact, as they stand in the database. */
enum err head_read(struct conn *c, struct chain_head *ret_head, int64_t *ret_seq) MUST_CHECK;

struct fact {
    enum fact_kind kind;
    int64_t subject; /* number; 0: none */
    struct str columns, payload;
};
/* Appends to the open group. */
enum err fact_add(struct store *s, const struct fact *f, int64_t *ret_seq) MUST_CHECK;

/* ---- standings ---- */

enum { CLASS_GRANT = 1, CLASS_CONFIRMED = 2, CLASS_BARE = 4, CLASS_IMPORTED = 8 };
/* The place of an effect among a subject's standings. */
struct standing standing_of(const struct act_effect *e, enum act_source source, int64_t seq);
uint32_t standing_class(const struct standing *s);
bool standing_same(const struct standing *a, const struct standing *b);
void standing_join(struct standing *to, const struct standing *one);

/* Of a row whose columns from the third on are purpose, class, version, first and last. */
struct standing standing_read(struct sqlite3_stmt *q);

struct standings { /* a growing array */
    struct standing *at;
    uint32_t count, cap;
};
void standings_fini(struct standings *s);
void standings_add(struct standings *s, const struct standing *one);
/* All effects of one act. False when its columns are damaged. */
bool standings_add_act(struct standings *s, struct str columns, int64_t seq);

/* ---- coverage ---- */

/* Where one subject stands with one purpose, so that subjects can be counted without looking at
 * them. Twice: as it is when a grant needs proof, and (bare) as it is when it does not, since that
 * is the configuration's matter. */
struct coverage_key {
    uint32_t purpose;
    bool bare;
    enum coverage_state state;
    uint32_t version; /* COVERAGE_GRANTED: which; COVERAGE_WITHDRAWN: which it was; else 0 */
    int64_t day;      /* COVERAGE_GRANTED: since 1970, of the effect; else 0 */
};
/* False when she never said anything of it. */
bool coverage_of(const struct standings *s, uint32_t purpose, bool bare,
                 struct coverage_key *ret_k);
/* One subject's standings on this purpose became those. */
enum err coverage_move(struct conn *c, uint32_t purpose, const struct standings *from,
                       const struct standings *to) MUST_CHECK;
/* Her standings on one purpose as they are stored; what is in *s is kept. */
enum err standings_load(struct conn *c, int64_t subject, uint32_t purpose,
                        struct standings *s) MUST_CHECK;
/* Counts all subjects anew, into an empty table. */
enum err coverage_fill(struct conn *c) MUST_CHECK;

/* ---- segments ---- */

/* What is kept of each event beside the segment's bytes, so that those need not be read. */
enum { BRIEF = 28 };
struct brief {
    uint64_t device, person; /* store_subject_hash(), 0: none */
    uint64_t message;
    uint32_t after_ms; /* received, after the segment's first */
};
void brief_add(struct buf *to, const struct store_reader *r, const struct stored_event *e,
               int64_t first_ms);
bool brief_at(struct str briefs, uint32_t index, struct brief *ret_b);
bool brief_next(struct str *briefs, struct brief *ret_b);

/* What stands in columns of its own: times, and for whom there is something in it (slots for
 * which an event was permitted when it was collected, as bits). */
struct segment_sums {
    int64_t first_ms, last_ms;
    uint32_t count, permitted;
};
/* Of so many events at the most. ERR_CORRUPT, with the sums so far, when they cannot be read or are more. */
enum err segment_sum(struct str entries, int64_t most, struct segment_sums *ret_sums) MUST_CHECK;
/* Whether what stands beside an event's entry is what it gives; all arrays reach to its index. */
bool brief_agrees(struct str briefs, uint32_t index, const struct store_reader *r,
                  const struct stored_event *e, int64_t first_ms);
bool entry_agrees(struct str leaves, struct str keys, int64_t segment, uint32_t index,
                  struct str entry);

struct segment_row {
    int64_t number, at_ms, first_ms, last_ms, count, permitted, retention_seq;
    struct log_place place;                /* file 0: it stands in the row */
    struct str brief, keys, leaves, bytes; /* with LOG_BRIEF only the first */
    uint8_t log_head[CHAIN_HASH];          /* as the log has it */
};
/* A segment wherever it stands; slices until the next call with this reader. ERR_NOT_FOUND. */
enum err segment_fetch(struct store_reader *r, int64_t number, enum log_part part,
                       struct segment_row *ret_row) MUST_CHECK;
/* The same at a query's row, whose columns are SEGMENT_COLUMNS; slices until its next step, too.
 * ERR_NOT_FOUND: the row says that it is in the log, and there it is not. */
enum err segment_at(struct store_reader *r, struct sqlite3_stmt *q, enum log_part part,
                    struct segment_row *ret_row) MUST_CHECK;
#define SEGMENT_COLUMNS                                                                            \
    "s.number, (SELECT at_ms FROM chain c WHERE c.number = s.number), s.first_ms, s.last_ms,"      \
    " s.count, s.permitted, s.retention_seq, s.file, s.start, s.size, s.brief, s.keys, s.leaves,"  \
    " s.bytes"
/* The number of the first segment behind this one; 0: none. */
enum err segment_next_number(struct store_reader *r, int64_t after, int64_t *ret_number) MUST_CHECK;

/* ---- publishing ---- */

/* Rows for what is in the log and not in the database yet, and the mark; in a transaction that is
 * open. published() once that is committed. */
enum err publish_rows(struct store *s) MUST_CHECK;
void published(struct store *s, bool synced);
/* Inserts a segment's row: `inline_bytes` NULL when it stands in the log. */
enum err segment_insert(struct conn *c, const struct unpublished *u,
                        const struct log_record *inline_bytes) MUST_CHECK;
enum err chain_insert(struct conn *c, const struct chain_head *h, int64_t last_seq) MUST_CHECK;

/* Walks over what the log has behind what the database knows. */
struct log_tail {
    struct log_place at;
    struct chain_head head;
};
enum err tail_start(struct conn *c, struct log_tail *ret_t) MUST_CHECK;
/* ERR_NOT_FOUND: the end; what stands behind it was never acknowledged. ERR_CORRUPT: what stands
 * there is not the chain's next link, and not what a crash leaves. The record is the reader's. */
enum err tail_next(struct store_reader *r, struct log_tail *t, struct unpublished *ret_u,
                   struct log_record *ret_record) MUST_CHECK;
/* The same beside a daemon that may be writing, outside a transaction: what it put into the
 * database meanwhile is the end as well. */
enum err tail_next_live(struct store_reader *r, struct log_tail *t, struct unpublished *ret_u,
                        struct log_record *ret_record) MUST_CHECK;
/* Opens the log and publishes what a crash left unpublished. */
enum err log_recover(struct store *s, struct err_info *info) MUST_CHECK;

/* ---- the rest ---- */

enum err subject_number(struct conn *c, struct str id, int64_t *ret_no) MUST_CHECK;
enum err subject_by_number(struct conn *c, int64_t no, struct arena *a,
                           struct subject_row *ret_row) MUST_CHECK;

#endif
