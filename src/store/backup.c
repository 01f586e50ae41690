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

/* One file without -wal beside it, so that it can be carried away. */
static enum err write_copy(struct conn *from, const char *file, struct chain_head *ret_head,
                           struct err_info *info)
{
    struct conn to;
    int64_t seq;
    enum err e = conn_open(&to, file, true, info);
    if (e != OK)
        return e;
    e = copy(&to, from);
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
    enum err e = write_copy(r->c, file, &head, info);
    if (e != OK)
        (void)unlink(file);
    else
        *ret_head = head;
    return e;
}
