/* Opening and closing. */
#include "store/store_priv.h"
#include "base/clock.h"

#include <sodium.h>
#include <sqlite3.h>

#include <stdlib.h>
#include <unistd.h>

/* ---- what is remembered of the whole ---- */

static enum err load_secrets(struct store *s)
{
    for (int i = 0; i < SECRET_COUNT; i++) {
        AUTO(query_done) struct sqlite3_stmt *q = NULL;
        enum err e = FIRST(&s->c, "SELECT value FROM secret WHERE which=?", &q, INT(i));
        if (e == ERR_NOT_FOUND)
            return ERR_CORRUPT;
        if (e != OK)
            return e;
        struct str v = col_bytes(q, 0);
        if (v.n != sizeof s->secret[i])
            return ERR_CORRUPT;
        memcpy(s->secret[i], v.p, v.n);
    }
    return OK;
}

static enum err make_secrets(struct store *s)
{
    int64_t have;
    enum err e = NUMBER(&s->c, "SELECT count(*) FROM secret", 0, &have);
    if (e != OK || have == SECRET_COUNT)
        return e;
    e = conn_exec(&s->c, "BEGIN IMMEDIATE");
    for (int i = 0; e == OK && i < SECRET_COUNT; i++) {
        uint8_t v[32];
        randombytes_buf(v, sizeof v);
        e = RUN(&s->c, "INSERT OR IGNORE INTO secret VALUES (?, ?)", INT(i), BYTES(v, sizeof v));
        sodium_memzero(v, sizeof v);
    }
    if (e == OK)
        e = conn_exec(&s->c, "COMMIT");
    if (e != OK)
        conn_rollback(&s->c);
    return e;
}

enum err head_read(struct conn *c, struct chain_head *ret_head, int64_t *ret_seq)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(
        c, "SELECT number, at_ms, last_seq, hash FROM chain ORDER BY number DESC LIMIT 1", &q);
    if (e == ERR_NOT_FOUND) {
        *ret_head = (struct chain_head){ 0 };
        *ret_seq = 0;
        return OK;
    }
    if (e != OK)
        return e;
    struct str hash = col_bytes(q, 3);
    if (hash.n != CHAIN_HASH)
        return ERR_CORRUPT;
    *ret_head = (struct chain_head){ .group = col_int(q, 0), .at_ms = col_int(q, 1) };
    memcpy(ret_head->hash, hash.p, hash.n);
    *ret_seq = col_int(q, 2);
    return OK;
}

enum err store_read_secret(struct store_reader *r, enum store_secret which, uint8_t ret_secret[32])
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c, "SELECT value FROM secret WHERE which=?", &q, INT(which));
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    struct str v = col_bytes(q, 0);
    if (v.n != 32)
        return ERR_CORRUPT;
    memcpy(ret_secret, v.p, 32);
    return OK;
}

static enum err read_hash_key(struct store_reader *r)
{
    uint8_t secret[32];
    enum err e = store_read_secret(r, SECRET_DEDUPE, secret);
    /* a key of its own, so that one secret is not used for two things */
    if (e == OK)
        (void)crypto_generichash(r->hash_key, sizeof r->hash_key, (const uint8_t *)"subject hash",
                                 12, secret, sizeof secret);
    sodium_memzero(secret, sizeof secret);
    return e;
}

uint64_t store_subject_hash(const struct store_reader *r, struct str subject)
{
    uint8_t h[crypto_shorthash_BYTES];
    (void)crypto_shorthash(h, (const uint8_t *)subject.p, subject.n, r->hash_key);
    uint64_t v;
    memcpy(&v, h, sizeof v);
    return v ? v : 1; /* 0 stands for nobody */
}

/* ---- open, close ---- */

static int count_pages(void *ctx, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct store *)ctx)->wal_pages = pages;
    return SQLITE_OK;
}

static enum err open_database(struct store *s, struct err_info *info)
{
    AUTO(free_ptr) char *file = s->memory ? NULL : dir_path(s->dir, "licet.db");
    enum err e = OK;
    if (s->only_looks && access(file, F_OK) != 0)
        return dir_err(info, "database");
    if (!s->memory && !s->only_looks)
        e = dir_make_file(file, info);
    if (e == OK)
        e = conn_open(&s->c, s->memory ? ":memory:" : file, !s->only_looks, info);
    if (e == OK)
        e = s->only_looks ? schema_check(&s->c, info) : schema_migrate(&s->c, info);
    return e;
}

/* On a disk that is full to the last page SQLite cannot even make room for its shared memory. */
static enum err open_with_reserve(struct store *s, struct err_info *info)
{
    enum err e = open_database(s, info);
    if ((e != ERR_IO && e != ERR_FULL) || s->memory || s->only_looks)
        return e;
    dir_give_up_reserve(s);
    if (s->c.db != NULL)
        conn_close(&s->c);
    return open_database(s, info);
}

static enum err load(struct store *s, struct err_info *info)
{
    enum err e = s->only_looks ? OK : make_secrets(s);
    if (e == OK)
        e = load_secrets(s);
    if (e == OK)
        e = head_read(&s->c, &s->head, &s->seq);
    s->reader.c = &s->c;
    if (e == OK)
        e = read_hash_key(&s->reader);
    if (e != OK)
        return conn_set_err(&s->c, e, info);
    (void)sqlite3_wal_hook(s->c.db, count_pages, s);
    if (s->only_looks)
        eventlog_reader_open(&s->reader.log, s->dir);
    else if (!s->memory)
        e = dir_sync(s, "licet.db-wal", info);
    if (e == OK && !s->memory && !s->only_looks)
        e = log_recover(s, info);
    if (e == OK && s->has_log) {
        enum err tidied = store_tidy(s, NULL);
        (void)tidied; /* what fails here is done with what is deleted next */
    }
    clock_not_before(s->head.at_ms);
    return e;
}

static void init_reader(struct store_reader *r)
{
    r->log = (struct eventlog_reader){ .dir = -1, .fd = -1 };
    r->record = (struct buf)BUF_INIT(2 * LIMIT_GROUP_BYTES);
}

static void init(struct store *s, const struct store_options *o)
{
    init_reader(&s->reader);
    s->lock = -1;
    s->memory = o->memory;
    s->only_looks = o->must_exist && !o->memory;
    s->group.fact_leaves = (struct buf)BUF_INIT(LIMIT_GROUP_BYTES);
    s->group.brief = (struct buf)BUF_INIT(LIMIT_GROUP_BYTES);
    s->group.keys = (struct buf)BUF_INIT(LIMIT_GROUP_BYTES);
    s->group.event_leaves = (struct buf)BUF_INIT(LIMIT_GROUP_BYTES);
    s->scratch = (struct buf)BUF_INIT(2 * LIMIT_GROUP_BYTES);
    if (!o->memory) {
        must(o->dir.n > 0);
        s->dir = must_alloc(o->dir.n + 1);
        memcpy(s->dir, o->dir.p, o->dir.n);
        s->dir[o->dir.n] = 0;
    }
}

enum err store_open(const struct store_options *o, struct store **ret_store, struct err_info *info)
{
    must(sodium_init() >= 0);
    AUTO(store_close) struct store *s = must_alloc_zero(sizeof *s);
    init(s, o);
    enum err e = s->memory || s->only_looks ? OK : dir_enter(s, info);
    if (e == OK)
        e = open_with_reserve(s, info);
    if (e == OK)
        e = load(s, info);
    if (e != OK)
        return e;
    *ret_store = s;
    s = NULL;
    return OK;
}

void store_close(struct store **store)
{
    struct store *s = *store;
    if (s == NULL)
        return;
    *store = NULL;
    if (s->c.db != NULL) {
        store_rollback(s);
        enum err e = s->has_log ? store_publish(s, NULL) : OK;
        (void)e;                          /* what fails here is done at the next start */
        if (!s->memory && !s->only_looks) /* readers may hold it back: then the next one does it */
            (void)sqlite3_wal_checkpoint_v2(s->c.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        conn_close(&s->c);
    }
    if (s->has_log)
        eventlog_close(&s->log);
    eventlog_reader_close(&s->reader.log);
    buf_fini(&s->reader.record);
    free(s->unpublished);
    close_fd(&s->lock);
    buf_fini(&s->group.fact_leaves);
    buf_fini(&s->group.brief);
    buf_fini(&s->group.keys);
    buf_fini(&s->group.event_leaves);
    buf_fini(&s->scratch);
    sodium_memzero(s->secret, sizeof s->secret);
    free(s->dir);
    free(s);
}

void store_secret(const struct store *s, enum store_secret which, uint8_t ret_secret[32])
{
    must(which < SECRET_COUNT);
    memcpy(ret_secret, s->secret[which], 32);
}

/* ---- readers ---- */

struct store_reader *store_own_reader(struct store *s)
{
    return &s->reader;
}

static enum err reader_open_file(const char *dir, struct store_reader **ret_r,
                                 struct err_info *info)
{
    AUTO(store_reader_close) struct store_reader *r = must_alloc_zero(sizeof *r);
    AUTO(free_ptr) char *file = dir_path(dir, "licet.db");
    init_reader(r);
    r->c = &r->own;
    if (access(file, F_OK) != 0)
        return dir_err(info, "database");
    enum err e = conn_open(&r->own, file, false, info);
    if (e == OK)
        e = schema_check(&r->own, info);
    if (e != OK)
        return e;
    e = read_hash_key(r);
    if (e != OK)
        return conn_set_err(r->c, e, info);
    eventlog_reader_open(&r->log, dir);
    *ret_r = r;
    r = NULL;
    return OK;
}

enum err store_reader_open(struct store *s, struct store_reader **ret_r, struct err_info *info)
{
    if (!s->memory)
        return reader_open_file(s->dir, ret_r, info);
    struct store_reader *r = must_alloc_zero(sizeof *r);
    *r = s->reader;
    init_reader(r);
    *ret_r = r;
    return OK;
}

enum err store_reader_open_dir(struct str dir, struct store_reader **ret_r, struct err_info *info)
{
    must(sodium_init() >= 0);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    return reader_open_file(arena_str(&a, dir).p, ret_r, info);
}

void store_reader_close(struct store_reader **r)
{
    if (*r == NULL)
        return;
    if ((*r)->own.db != NULL)
        conn_close(&(*r)->own);
    eventlog_reader_close(&(*r)->log);
    buf_fini(&(*r)->record);
    sodium_memzero((*r)->hash_key, sizeof(*r)->hash_key);
    free(*r);
    *r = NULL;
}

enum err store_newest_head(struct store_reader *r, struct chain_head *ret_head)
{
    int64_t seq;
    return head_read(r->c, ret_head, &seq);
}

enum err store_get_head(struct store_reader *r, int64_t group, struct chain_head *ret_head)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c, "SELECT at_ms, hash FROM chain WHERE number = ?", &q, INT(group));
    if (e != OK)
        return e;
    struct str hash = col_bytes(q, 1);
    if (hash.n != CHAIN_HASH)
        return ERR_CORRUPT;
    *ret_head = (struct chain_head){ .group = group, .at_ms = col_int(q, 0) };
    memcpy(ret_head->hash, hash.p, hash.n);
    return OK;
}

enum err store_checkpoint(struct store_reader *r)
{
    return conn_err(
        sqlite3_wal_checkpoint_v2(r->c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
}
