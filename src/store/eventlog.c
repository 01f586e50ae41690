#include "store/eventlog.h"
#include "store/store_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char magic[8] = { 'l', 'i', 'c', 'e', 't', ' ', 'e', 'v' };
enum { NAME = 12, FILL = 1 << 20 };
#define NUMBER_MOST (INT64_C(1) << 56)
static const char zeros[64 << 10];

static void name_of(uint32_t file, char ret_name[NAME])
{
    (void)snprintf(ret_name, NAME, "%010u", file);
}

static int open_in(int dir, uint32_t file, int flags)
{
    char name[NAME];
    name_of(file, name);
    return openat(dir, name, flags | O_CLOEXEC, 0600);
}

static enum err failed(struct err_info *info, const char *what)
{
    int code = errno; /* EFBIG: a limit on files' sizes is a full disk as well */
    enum err e = code == ENOSPC || code == EDQUOT || code == EFBIG ? ERR_FULL : ERR_IO;
    return err_set(info, e, NULL, "event log: %s: %s", what, strerror(code));
}

/* The first file from this one on. ERR_NOT_FOUND: none. */
static enum err file_from(int dir, uint32_t from, uint32_t *ret_file)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    uint32_t first = UINT32_MAX;
    if (d == NULL) {
        close_fd(&fd);
        return ERR_IO;
    }
    errno = 0;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        uint64_t file = 0;
        size_t n = 0;
        for (; e->d_name[n] >= '0' && e->d_name[n] <= '9' && n < NAME; n++)
            file = file * 10 + (uint64_t)(e->d_name[n] - '0');
        if (n == NAME - 2 && e->d_name[n] == 0 && file >= from && file < first)
            first = (uint32_t)file;
    }
    enum err e = errno == 0 ? OK : ERR_IO;
    (void)closedir(d);
    *ret_file = first;
    return e == OK && first == UINT32_MAX ? ERR_NOT_FOUND : e;
}

static int open_dir(const char *dir)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/events", dir);
    if (n < 0 || n >= (int)sizeof path)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ---- writing ---- */

static enum err make_dir(const char *dir, int *ret_fd, struct err_info *info)
{
    AUTO(close_fd) int above = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above < 0)
        return failed(info, "data directory");
    bool made = mkdirat(above, "events", 0700) == 0;
    if (!made && errno != EEXIST)
        return failed(info, "directory");
    if (made && fsync(above) != 0)
        return failed(info, "directory");
    int fd = openat(above, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed(info, "directory");
    *ret_fd = fd;
    return OK;
}

static enum err open_file(struct eventlog_writer *w, struct err_info *info)
{
    int fd = open_in(w->dir, w->file, O_WRONLY | O_CREAT);
    if (fd < 0)
        return failed(info, "file");
    /* what stands behind the end was never acknowledged; the name must be there after a crash */
    if (fchmod(fd, 0600) != 0 || ftruncate(fd, w->end) != 0 || fsync(w->dir) != 0) {
        enum err e = failed(info, "file");
        (void)close(fd);
        return e;
    }
    w->fd = fd;
    w->filled = w->end;
    return OK;
}

static enum err remove_file(struct eventlog_writer *w, uint32_t file)
{
    char name[NAME];
    name_of(file, name);
    return unlinkat(w->dir, name, 0) == 0 || errno == ENOENT ? OK : ERR_IO;
}

/* Files behind it are attempts that failed, or of a database that is not there any more. */
static enum err look_around(struct eventlog_writer *w, struct err_info *info)
{
    uint32_t f = w->file + 1;
    enum err e;
    while ((e = file_from(w->dir, f, &f)) == OK && (e = remove_file(w, f)) == OK) {
    }
    if (e == ERR_NOT_FOUND)
        e = file_from(w->dir, 1, &w->oldest);
    return e == OK ? OK : failed(info, "files");
}

enum err eventlog_open(const char *dir, const struct log_place *end, struct eventlog_writer *ret_w,
                       struct err_info *info)
{
    struct eventlog_writer w = { .dir = -1, .fd = -1, .file = end->file, .end = end->start };
    if (w.file == 0)
        w = (struct eventlog_writer){ .dir = -1, .fd = -1, .file = 1 };
    enum err e = make_dir(dir, &w.dir, info);
    if (e == OK)
        e = open_file(&w, info);
    /* what a process that was killed had written counts from here on */
    if (e == OK && fdatasync(w.fd) != 0)
        e = failed(info, "sync");
    if (e == OK)
        e = look_around(&w, info);
    if (e == OK)
        *ret_w = w;
    else
        eventlog_close(&w);
    return e;
}

void eventlog_close(struct eventlog_writer *w)
{
    close_fd(&w->fd);
    close_fd(&w->dir);
}

static void go_to_next_file(struct eventlog_writer *w)
{
    close_fd(&w->fd);
    w->file++;
    w->end = 0;
}

static void put(char **to, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *(*to)++ = (char)(v >> (8 * i));
}

static void write_header(const struct log_record *r, char to[LOG_HEADER])
{
    memcpy(to, magic, sizeof magic);
    char *p = to + sizeof magic;
    put(&p, (uint64_t)r->number, 8);
    put(&p, (uint64_t)r->at_ms, 8);
    put(&p, r->count, 4);
    put(&p, r->entries.n, 4);
    memcpy(p, r->head, CHAIN_HASH);
}

static struct iovec part(struct str s)
{
    return (struct iovec){ .iov_base = (void *)(uintptr_t)s.p, .iov_len = s.n };
}

/* Without it appending works as well, on a disk that is nearly full for example. */
static void fill(struct eventlog_writer *w, uint32_t end)
{
    struct iovec parts[FILL / sizeof zeros];
    if (end <= w->filled)
        return;
    for (size_t i = 0; i < COUNT(parts); i++)
        parts[i] = part((struct str){ zeros, sizeof zeros });
    bool whole = pwritev(w->fd, parts, COUNT(parts), end) == FILL;
    if (!whole) {
        int cut = ftruncate(w->fd, end);
        (void)cut; /* what stays is taken for what a crash left */
    }
    w->filled = end + (whole ? FILL : 0);
}

/* What was written of a group that fails must go: the disk may be full. Where that cannot be
 * done it stays unread, and goes with its file. */
static enum err give_up(struct eventlog_writer *w, enum err e)
{
    int cut = ftruncate(w->fd, w->end);
    (void)cut;
    go_to_next_file(w);
    return e;
}

enum err eventlog_append(struct eventlog_writer *w, const struct log_record *r,
                         struct log_place *ret_place, struct err_info *info)
{
    char header[LOG_HEADER];
    write_header(r, header);
    if (w->fd >= 0 && w->end >= LOG_FILE_BYTES)
        go_to_next_file(w);
    if (w->fd < 0) {
        enum err e = open_file(w, info);
        if (e != OK)
            return e;
    }
    struct iovec parts[] = {
        { header, sizeof header }, part(r->brief), part(r->keys), part(r->leaves), part(r->entries)
    };
    size_t size = sizeof header + r->brief.n + r->keys.n + r->leaves.n + r->entries.n;
    ssize_t n = pwritev(w->fd, parts, COUNT(parts), w->end);
    if (n != (ssize_t)size) {
        errno = n < 0 ? errno : ENOSPC;
        return give_up(w, failed(info, "write"));
    }
    fill(w, w->end + (uint32_t)size);
    if (fdatasync(w->fd) != 0)
        return give_up(w, failed(info, "sync"));
    *ret_place = (struct log_place){ .file = w->file, .start = w->end, .size = (uint32_t)size };
    w->end += (uint32_t)size;
    return OK;
}

/* ---- deleting ---- */

enum err eventlog_lock_holes(struct eventlog_writer *w)
{
    if (flock(w->dir, LOCK_EX | LOCK_NB) == 0)
        return OK;
    return errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO;
}

void eventlog_unlock_holes(struct eventlog_writer *w)
{
    (void)flock(w->dir, LOCK_UN); /* a lock that is held can be let go */
}

/* For file systems that punch no holes. */
static enum err overwrite(int fd, const struct log_place *place)
{
    for (uint32_t done = 0; done < place->size;) {
        size_t n = place->size - done < sizeof zeros ? place->size - done : sizeof zeros;
        ssize_t written = pwrite(fd, zeros, n, (off_t)place->start + done);
        if (written <= 0)
            return ERR_IO;
        done += (uint32_t)written;
    }
    return OK;
}

enum err eventlog_punch(struct eventlog_writer *w, const struct log_place *place)
{
    AUTO(close_fd) int fd = open_in(w->dir, place->file, O_WRONLY);
    if (fd < 0)
        return errno == ENOENT ? OK : ERR_IO;
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, place->start, place->size) == 0)
        return OK;
    return errno == EOPNOTSUPP || errno == ENOSYS ? overwrite(fd, place) : ERR_IO;
}

enum err eventlog_sync_holes(struct eventlog_writer *w, uint32_t file)
{
    AUTO(close_fd) int fd = open_in(w->dir, file, O_WRONLY);
    if (fd < 0)
        return errno == ENOENT ? OK : ERR_IO;
    return fsync(fd) == 0 ? OK : ERR_IO;
}

enum err eventlog_remove_below(struct eventlog_writer *w, uint32_t file)
{
    enum err e = OK;
    while (e == OK && w->oldest < file && w->oldest < w->file) {
        e = remove_file(w, w->oldest);
        w->oldest += e == OK;
    }
    return e;
}

/* ---- reading ---- */

void eventlog_reader_open(struct eventlog_reader *r, const char *dir)
{
    *r = (struct eventlog_reader){ .dir = open_dir(dir), .fd = -1 };
}

void eventlog_reader_close(struct eventlog_reader *r)
{
    close_fd(&r->fd);
    close_fd(&r->dir);
}

void eventlog_hold(struct eventlog_reader *r)
{
    /* without it a deletion meanwhile is taken for damage */
    if (r->dir >= 0 && r->holds++ == 0)
        while (flock(r->dir, LOCK_SH) != 0 && errno == EINTR) {
        }
}

void eventlog_release(struct eventlog_reader *r)
{
    if (r->dir >= 0 && --r->holds == 0)
        (void)flock(r->dir, LOCK_UN);
}

static enum err reach(struct eventlog_reader *r, uint32_t file)
{
    if (r->fd >= 0 && r->file == file)
        return OK;
    int fd = r->dir < 0 || file == 0 ? -1 : open_in(r->dir, file, O_RDONLY);
    if (fd < 0)
        return r->dir < 0 || file == 0 || errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    close_fd(&r->fd);
    r->fd = fd;
    r->file = file;
    return OK;
}

/* ERR_NOT_FOUND: the file ends before. */
static enum err read_at(struct eventlog_reader *r, uint32_t start, size_t n, struct buf *to)
{
    buf_clear(to);
    char *p = buf_room(to, n);
    if (p == NULL)
        return ERR_CORRUPT;
    while (to->n < n) {
        ssize_t got = pread(r->fd, p + to->n, n - to->n, (off_t)start + (off_t)to->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 ? ERR_NOT_FOUND : ERR_IO;
        to->n += (size_t)got;
    }
    return OK;
}

static bool read_header(struct str *rest, struct log_record *ret_r, uint32_t *ret_entries)
{
    struct str s;
    uint64_t number, at;
    if (!take_bytes(rest, sizeof magic, &s) || memcmp(s.p, magic, sizeof magic) != 0 ||
        !take_u64(rest, &number) || !take_u64(rest, &at) || !take_u32(rest, &ret_r->count) ||
        !take_u32(rest, ret_entries) || !take_bytes(rest, CHAIN_HASH, &s))
        return false;
    ret_r->number = (int64_t)number;
    ret_r->at_ms = (int64_t)at;
    memcpy(ret_r->head, s.p, CHAIN_HASH);
    return ret_r->count > 0 && *ret_entries <= LIMIT_GROUP_BYTES && ret_r->count <= *ret_entries;
}

static size_t size_of(uint32_t count, uint32_t entries)
{
    return LOG_HEADER + (size_t)count * (BRIEF + CHAIN_KEY + CHAIN_HASH) + entries;
}

static bool read_parts(struct str rest, uint32_t entries, struct log_record *r)
{
    return take_bytes(&rest, (size_t)r->count * BRIEF, &r->brief) &&
           take_bytes(&rest, (size_t)r->count * CHAIN_KEY, &r->keys) &&
           take_bytes(&rest, (size_t)r->count * CHAIN_HASH, &r->leaves) &&
           take_bytes(&rest, entries, &r->entries) && rest.n == 0;
}

static enum err read_brief(struct eventlog_reader *r, const struct log_place *place, struct buf *to,
                           struct log_record *ret_record)
{
    struct log_record record = { 0 };
    uint32_t entries;
    enum err e = read_at(r, place->start, LOG_HEADER, to);
    struct str rest = buf_view(to);
    if (e != OK || !read_header(&rest, &record, &entries))
        return e == OK ? ERR_NOT_FOUND : e;
    if (size_of(record.count, entries) != place->size)
        return ERR_CORRUPT;
    e = read_at(r, place->start + LOG_HEADER, (size_t)record.count * BRIEF, to);
    record.brief = buf_view(to);
    if (e == OK)
        *ret_record = record;
    return e;
}

enum err eventlog_read(struct eventlog_reader *r, const struct log_place *place, enum log_part part,
                       struct buf *to, struct log_record *ret_record)
{
    enum err e = reach(r, place->file);
    if (e != OK)
        return e;
    if (part == LOG_BRIEF)
        return read_brief(r, place, to, ret_record);
    struct log_record record = { 0 };
    uint32_t entries;
    e = read_at(r, place->start, place->size, to);
    struct str rest = buf_view(to);
    if (e != OK || !read_header(&rest, &record, &entries))
        return e == OK ? ERR_NOT_FOUND : e;
    if (!read_parts(rest, entries, &record))
        return ERR_CORRUPT;
    *ret_record = record;
    return OK;
}

static enum err next_here(struct eventlog_reader *r, struct log_place place, struct log_place *at,
                          struct buf *to, struct log_record *ret_record)
{
    struct log_record record = { 0 };
    uint32_t entries = 0;
    enum err e = reach(r, place.file);
    if (e == OK)
        e = read_at(r, place.start, LOG_HEADER, to);
    struct str rest = buf_view(to);
    if (e != OK || !read_header(&rest, &record, &entries))
        return e == OK ? ERR_NOT_FOUND : e;
    place.size = (uint32_t)size_of(record.count, entries);
    e = eventlog_read(r, &place, LOG_WHOLE, to, ret_record);
    if (e == OK)
        *at = place;
    return e == ERR_CORRUPT ? ERR_NOT_FOUND : e;
}

enum err eventlog_next(struct eventlog_reader *r, struct log_place *at, struct buf *to,
                       struct log_record *ret_record)
{
    struct log_place here = { .file = at->file ? at->file : 1, .start = at->start };
    enum err e = next_here(r, here, at, to, ret_record);
    here = (struct log_place){ .file = here.file + 1 };
    return e == ERR_NOT_FOUND ? next_here(r, here, at, to, ret_record) : e;
}

/* What an event says can look like the beginning of one, but not like a number and a time as well:
 * there are no bytes in it that are 0, and what stands around it is no time after that moment. */
static bool has_record(struct str s, int64_t since_ms)
{
    struct log_record record;
    uint32_t entries;
    for (const char *p; s.n >= LOG_HEADER; s = (struct str){ p + 1, s.n - (size_t)(p + 1 - s.p) }) {
        p = memmem(s.p, s.n - LOG_HEADER + sizeof magic, magic, sizeof magic);
        if (p == NULL)
            return false;
        struct str header = { p, LOG_HEADER };
        if (read_header(&header, &record, &entries) && record.number > 0 &&
            record.number < NUMBER_MOST && record.at_ms >= since_ms)
            return true;
    }
    return false;
}

/* What cannot be read may be one. */
static bool has_record_from(struct eventlog_reader *r, uint32_t file, uint32_t start,
                            int64_t since_ms)
{
    enum { BLOCK = 1 << 20, OVERLAP = LOG_HEADER - 1 };
    AUTO(buf_fini) struct buf b = BUF_INIT(BLOCK);
    enum err e = reach(r, file);
    for (; e == OK; start += BLOCK - OVERLAP) {
        e = read_at(r, start, BLOCK, &b);
        if (has_record(buf_view(&b), since_ms))
            return true;
    }
    return e != ERR_NOT_FOUND;
}

bool eventlog_has_behind(struct eventlog_reader *r, const struct log_place *at, int64_t since_ms)
{
    uint32_t file = at->file ? at->file : 1, start = at->file ? at->start + 1 : 0;
    enum err e = r->dir < 0 ? ERR_NOT_FOUND : OK;
    for (; e == OK && (e = file_from(r->dir, file, &file)) == OK; file++) {
        if (has_record_from(r, file, file == at->file ? start : 0, since_ms))
            return true;
    }
    return e != ERR_NOT_FOUND;
}
