#include "store/store_priv.h"

#include <sqlite3.h>

#include <pthread.h>

enum err conn_err(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return OK;
    case SQLITE_FULL: return ERR_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ERR_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_BUSY;
    case SQLITE_CONSTRAINT: return ERR_CONFLICT;
    case SQLITE_TOOBIG: return ERR_LIMIT;
    case SQLITE_NOMEM: must(!"memory"); return ERR_IO;
    default: return ERR_IO;
    }
}

enum err conn_set_err(struct conn *c, enum err e, struct err_info *info)
{
    return err_set(info, e, NULL, "%s: %s", err_text(e),
                   c->db ? sqlite3_errmsg(c->db) : "no database");
}

enum err conn_exec(struct conn *c, const char *sql)
{
    return conn_err(sqlite3_exec(c->db, sql, NULL, NULL, NULL));
}

void conn_rollback(struct conn *c)
{
    c->failed = OK;
    c->begin_due = false;
    /* SQLite itself may have rolled back on an error; what this one says is of no use */
    if (sqlite3_get_autocommit(c->db) == 0)
        (void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
}

static const char write_settings[] = "PRAGMA page_size=" PAGE_TEXT ";"
                                     "PRAGMA journal_mode=WAL;"
                                     "PRAGMA synchronous=FULL;"
                                     "PRAGMA wal_autocheckpoint=0;"
                                     "PRAGMA cache_size=-4096;";
static const char read_settings[] = "PRAGMA query_only=1;"
                                    "PRAGMA cache_size=-1024;";
static const char settings[] = "PRAGMA foreign_keys=1;"
                               "PRAGMA secure_delete=1;"
                               "PRAGMA trusted_schema=0;"
                               "PRAGMA mmap_size=0;"
                               "PRAGMA temp_store=MEMORY;";

/* Its memory statistics take a lock at each allocation, and nobody reads them. */
static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused only when somebody was first */
}

enum err conn_open(struct conn *c, const char *file, bool write, struct err_info *info)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    must(pthread_once(&once, configure) == 0);
    *c = (struct conn){ 0 };
    /* one thread at a time by contract, so SQLite's own mutexes only cost */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (strcmp(file, ":memory:") == 0)
        flags |= SQLITE_OPEN_MEMORY;
    enum err e = conn_err(sqlite3_open_v2(file, &c->db, flags, NULL));
    if (e != OK) {
        e = conn_set_err(c, e, info);
        conn_close(c);
        return e;
    }
    (void)sqlite3_busy_timeout(c->db, 5000);
    /* a command that looks must not write the daemon's file when it goes */
    if (!write)
        (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    e = conn_exec(c, settings);
    if (e == OK)
        e = conn_exec(c, write ? write_settings : read_settings);
    if (e != OK) {
        e = conn_set_err(c, e, info);
        conn_close(c);
    }
    return e;
}

void conn_close(struct conn *c)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(c->slot[i].stmt);
        c->slot[i].stmt = NULL;
        c->slot[i].sql = NULL;
    }
    int code = sqlite3_close(c->db);
    must(code == SQLITE_OK); /* else a statement or backup was forgotten */
    c->db = NULL;
}

static enum err find(struct conn *c, const char *sql, struct sqlite3_stmt **ret_q)
{
    struct sqlite3_stmt *q = NULL;
    size_t i = ((uintptr_t)sql * 0x9E3779B97F4A7C15u) >> 56;
    for (size_t tried = 0; c->slot[i].sql != NULL && c->slot[i].sql != sql; tried++) {
        must(tried < STATEMENTS);
        i = (i + 1) % STATEMENTS;
    }
    if (c->slot[i].sql == NULL) {
        int code = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL);
        if (code == SQLITE_ERROR) /* our texts are right, so the tables are not ours */
            return ERR_CORRUPT;
        if (code != SQLITE_OK)
            return conn_err(code);
        c->slot[i].sql = sql;
        c->slot[i].stmt = q;
    }
    *ret_q = c->slot[i].stmt;
    return OK;
}

static void bind(struct sqlite3_stmt *q, const struct arg *args)
{
    int code = SQLITE_OK;
    for (int i = 1; args->type != ARG_END; i++, args++) {
        /* an empty slice may have no address, which SQLite would take for NULL */
        const char *p = args->s.p ? args->s.p : "";
        switch (args->type) {
        case ARG_INT: code = sqlite3_bind_int64(q, i, args->i); break;
        case ARG_TEXT:
            code = sqlite3_bind_text64(q, i, p, args->s.n, SQLITE_STATIC, SQLITE_UTF8);
            break;
        case ARG_BLOB: code = sqlite3_bind_blob64(q, i, p, args->s.n, SQLITE_STATIC); break;
        default: code = sqlite3_bind_null(q, i); break;
        }
        must(code == SQLITE_OK);
    }
}

enum err conn_query(struct conn *c, const char *sql, const struct arg *args,
                    struct sqlite3_stmt **ret_q)
{
    struct sqlite3_stmt *q = NULL;
    enum err e = find(c, sql, &q);
    if (e != OK)
        return e;
    must(!sqlite3_stmt_busy(q)); /* one use of a text at a time */
    (void)sqlite3_reset(q);
    bind(q, args);
    *ret_q = q;
    return OK;
}

enum err conn_next(struct sqlite3_stmt *q)
{
    int code = sqlite3_step(q);
    if (code == SQLITE_ROW)
        return OK;
    return code == SQLITE_DONE ? ERR_NOT_FOUND : conn_err(code);
}

void query_done(struct sqlite3_stmt **q)
{
    (void)sqlite3_reset(*q);
    *q = NULL;
}

enum err conn_first(struct conn *c, const char *sql, const struct arg *args,
                    struct sqlite3_stmt **ret_q)
{
    struct sqlite3_stmt *q = NULL;
    enum err e = conn_query(c, sql, args, &q);
    if (e == OK)
        e = conn_next(q);
    if (e == OK)
        *ret_q = q;
    else
        (void)sqlite3_reset(q); /* or its read transaction would stay open */
    return e;
}

enum err conn_run(struct conn *c, const char *sql, const struct arg *args)
{
    if (c->failed != OK) /* SQLite may have rolled back: what follows would commit by itself */
        return c->failed;
    if (c->begin_due) {
        c->begin_due = false;
        enum err e = RUN(c, "BEGIN IMMEDIATE");
        if (e != OK)
            return e;
    }
    struct sqlite3_stmt *q = NULL;
    enum err e = conn_query(c, sql, args, &q);
    if (e == OK) {
        e = conn_err(sqlite3_step(q));
        (void)sqlite3_reset(q);
    }
    if (e != OK && c->failed == OK)
        c->failed = e;
    return e;
}

enum err conn_number(struct conn *c, const char *sql, const struct arg *args, int64_t otherwise,
                     int64_t *ret_n)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = conn_first(c, sql, args, &q);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    bool is = e == OK && sqlite3_column_type(q, 0) != SQLITE_NULL;
    *ret_n = is ? col_int(q, 0) : otherwise;
    return OK;
}

int64_t col_int(struct sqlite3_stmt *q, int i)
{
    return sqlite3_column_int64(q, i);
}

bool col_is_null(struct sqlite3_stmt *q, int i)
{
    return sqlite3_column_type(q, i) == SQLITE_NULL;
}

int64_t conn_new_row(struct conn *c)
{
    return sqlite3_last_insert_rowid(c->db);
}

uint32_t conn_changes(struct conn *c)
{
    return (uint32_t)sqlite3_changes(c->db);
}

struct str col_bytes(struct sqlite3_stmt *q, int i)
{
    const void *p = sqlite3_column_blob(q, i); /* before its length: this order converts right */
    return (struct str){ p, (size_t)sqlite3_column_bytes(q, i) };
}

struct str col_copy(struct sqlite3_stmt *q, int i, struct arena *a)
{
    return arena_str(a, col_bytes(q, i));
}

bool col_id(struct sqlite3_stmt *q, int i, struct id *ret_id)
{
    struct str s = col_bytes(q, i);
    if (s.n != sizeof ret_id->b)
        return false;
    memcpy(ret_id->b, s.p, s.n);
    return true;
}
