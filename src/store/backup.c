#include "store/store_priv.h"

#include <sqlite3.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* All at once: the source's read transaction stays open, so that no commit makes it begin anew. */
static enum err copy(struct conn *to, struct conn *from)
{
    sqlite3_backup *b = sqlite3_backup_init(to->db, "main", from->db, "main");
    if (b == NULL)
        return conn_err(sqlite3_errcode(to->db));
    int code = sqlite3_backup_step(b, -1);
    int end = sqlite3_backup_finish(b);
    return code == SQLITE_DONE ? conn_err(end) : conn_err(code);
}

/* ---- the copy holds the events itself ---- */

static enum err fill_row(struct store_reader *from, struct conn *to, int64_t number)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e =
        FIRST(to, "SELECT " SEGMENT_COLUMNS " FROM segment s WHERE number = ?", &q, INT(number));
    struct segment_row row;
    if (e == OK)
        e = segment_at(from, q, LOG_WHOLE, &row);
    query_done(&q);
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    return RUN(to,
               "UPDATE segment SET file = NULL, start = NULL, size = NULL, brief = ?, keys = ?,"
               " leaves = ?, bytes = ? WHERE number = ?",
               BLOB(row.brief), BLOB(row.keys), BLOB(row.leaves), BLOB(row.bytes), INT(number));
}

static enum err fill_rows(struct store_reader *from, struct conn *to)
{
    int64_t number = 0;
    enum err e = OK;
    while (e == OK) {
        e = NUMBER(to, "SELECT min(number) FROM segment WHERE number > ? AND file IS NOT NULL", 0,
                   &number, INT(number));
        if (e != OK || number == 0)
            return e;
        e = fill_row(from, to, number);
    }
    return e;
}

/* What was acknowledged since the database was written last. */
static enum err add_tail(struct store_reader *from, struct conn *to)
{
    struct log_tail t;
    struct unpublished u;
    struct log_record record;
    struct chain_head head;
    int64_t seq;
    enum err e = tail_start(to, &t);
    if (e == OK)
        e = head_read(to, &head, &seq);
    while (e == OK && (e = tail_next_live(from, &t, &u, &record)) == OK) {
        e = chain_insert(to, &u.head, seq);
        if (e == OK)
            e = segment_insert(to, &u, &record);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err take_events(struct store_reader *from, struct conn *to)
{
    enum err e = RUN(to, "BEGIN IMMEDIATE");
    if (e == OK)
        e = fill_rows(from, to);
    if (e == OK)
        e = add_tail(from, to);
    if (e == OK)
        e = RUN(to, "DELETE FROM log_hole");
    if (e == OK)
        e = RUN(to, "DELETE FROM mark WHERE which = ?", INT(MARK_LOG));
    return e == OK ? RUN(to, "COMMIT") : e;
}

/* One file without -wal beside it, so that it can be carried away. */
static enum err write_copy(struct store_reader *from, const char *file, struct chain_head *ret_head,
                           struct err_info *info)
{
    struct conn to;
    int64_t seq;
    enum err e = conn_open(&to, file, true, info);
    if (e != OK)
        return e;
    eventlog_hold(&from->log);
    e = copy(&to, from->c);
    if (e == OK)
        e = take_events(from, &to);
    eventlog_release(&from->log);
    if (e == OK)
        e = conn_exec(&to, "PRAGMA journal_mode=DELETE");
    if (e == OK)
        e = head_read(&to, ret_head, &seq);
    if (e != OK)
        e = conn_set_err(&to, e, info);
    conn_close(&to);
    return e;
}

enum err store_backup(struct store_reader *r, struct str to_file, struct chain_head *ret_head,
                      struct err_info *info)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const char *file = arena_str(&a, to_file).p;
    AUTO(close_fd) int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(info, errno == EEXIST ? ERR_CONFLICT : ERR_IO, NULL, "%s",
                       errno == EEXIST ? "the file is already there" : strerror(errno));
    close_fd(&fd); /* closed later it would take SQLite's locks with it */
    struct chain_head head;
    enum err e = write_copy(r, file, &head, info);
    if (e != OK)
        (void)unlink(file);
    else
        *ret_head = head;
    return e;
}
