/* A data directory holds licet.db (with SQLite's -wal and -shm), lock, and
 * reserve: a megabyte that is given up when the disk is full, so that a withdrawal
 * can still be written. */
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESERVE = 1 << 20 };

char *dir_path(const char *dir, const char *name)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    char *path = must_alloc(n);
    (void)snprintf(path, n, "%s/%s", dir, name);
    return path;
}

enum err dir_err(struct err_info *info, const char *what)
{
    enum err e = errno == ENOSPC || errno == EDQUOT ? ERR_FULL
                 : errno == ENOENT                  ? ERR_NOT_FOUND
                                                    : ERR_IO;
    return err_set(info, e, NULL, "%s: %s", what, strerror(errno));
}

static enum err take_lock(struct store *s, struct err_info *info)
{
    AUTO(free_ptr) char *path = dir_path(s->dir, "lock");
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return dir_err(info, "data directory");
    if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
        return OK;
    if (errno == EWOULDBLOCK)
        return err_set(info, ERR_BUSY, NULL, "another daemon works in this data directory");
    return dir_err(info, "lock");
}

static void make_reserve(const struct store *s)
{
    AUTO(free_ptr) char *path = dir_path(s->dir, "reserve");
    AUTO(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat st;
    /* without it licet works as well, but for the case that it is for */
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size < RESERVE &&
        posix_fallocate(fd, 0, RESERVE) != 0)
        (void)unlink(path);
}

/* SQLite would make it readable for all that the umask lets. */
enum err dir_make_file(const char *file, struct err_info *info)
{
    AUTO(close_fd) int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, 0600) != 0)
        return dir_err(info, "database");
    return OK;
}

enum err dir_enter(struct store *s, struct err_info *info)
{
    if (mkdir(s->dir, 0700) != 0 && errno != EEXIST)
        return dir_err(info, "data directory");
    enum err e = take_lock(s, info);
    if (e == OK)
        make_reserve(s);
    return e;
}

/* What a process that was killed had written, and not yet synced, counts from here on. */
enum err dir_sync(const struct store *s, const char *name, struct err_info *info)
{
    AUTO(free_ptr) char *path = dir_path(s->dir, name);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
    return (fd < 0 && errno == ENOENT) || fdatasync(fd) == 0 ? OK : dir_err(info, name);
}

void dir_give_up_reserve(const struct store *s)
{
    AUTO(free_ptr) char *path = dir_path(s->dir, "reserve");
    (void)unlink(path);
}
