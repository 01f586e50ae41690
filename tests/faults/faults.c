/* Loaded in front of libc (LD_PRELOAD): makes a disk fail and a clock jump as a file says.
 *
 * LICET_FAULTS names a file with one fault a line:
 *   CALL ERROR PART    CALL (pwrite pwritev fdatasync fsync ftruncate) on a file whose path has
 *                      PART in it fails with ERROR (EIO ENOSPC EROFS)
 *   clock MS           the wall clock is off by so much
 * It is read again when it changes. Without it nothing is different.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct fault {
    char call[16], part[64];
    int error;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fault fault[16];
static size_t fault_count;
static long long clock_off_ms, read_again_at;
static struct timespec read_mtime;

static long long mono_ms(void)
{
    struct timespec t;
    (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int error_of(const char *name)
{
    if (strcmp(name, "ENOSPC") == 0)
        return ENOSPC;
    return strcmp(name, "EROFS") == 0 ? EROFS : EIO;
}

static void read_line(const char *line)
{
    char call[16], error[16], part[64];
    long long ms;
    if (sscanf(line, "clock %lld", &ms) == 1) {
        clock_off_ms = ms;
    } else if (sscanf(line, "%15s %15s %63s", call, error, part) == 3 && fault_count < 16) {
        struct fault *f = &fault[fault_count++];
        (void)snprintf(f->call, sizeof f->call, "%s", call);
        (void)snprintf(f->part, sizeof f->part, "%s", part);
        f->error = error_of(error);
    }
}

/* Under the lock; looks at most every 5 ms. */
static void refresh(void)
{
    const char *name = getenv("LICET_FAULTS");
    struct stat st;
    if (name == NULL || mono_ms() < read_again_at)
        return;
    read_again_at = mono_ms() + 5;
    if (stat(name, &st) != 0) {
        fault_count = 0;
        clock_off_ms = 0;
        return;
    }
    if (memcmp(&st.st_mtim, &read_mtime, sizeof read_mtime) == 0)
        return;
    read_mtime = st.st_mtim;
    fault_count = 0;
    clock_off_ms = 0;
    FILE *f = fopen(name, "re");
    char line[256];
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        read_line(line);
    if (f != NULL)
        (void)fclose(f);
}

/* errno of the fault, or 0. */
static int fails(const char *call, int fd)
{
    char link[64], path[4096];
    int error = 0;
    (void)pthread_mutex_lock(&lock);
    refresh();
    if (fault_count > 0) {
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, sizeof path - 1);
        path[n > 0 ? n : 0] = 0;
        for (size_t i = 0; i < fault_count && error == 0; i++)
            if (strcmp(fault[i].call, call) == 0 && strstr(path, fault[i].part) != NULL)
                error = fault[i].error;
    }
    (void)pthread_mutex_unlock(&lock);
    return error;
}

#define FAILS(call, fd)                                                                            \
    do {                                                                                           \
        int error = fails((call), (fd));                                                           \
        if (error != 0) {                                                                          \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

/* Programs call the names with 64, which is what the plain ones are compiled to here. */
#define NEXT(type, name) ((type)(__UINTPTR_TYPE__)dlsym(RTLD_NEXT, (name)))

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    FAILS("pwrite", fd);
    return NEXT(ssize_t(*)(int, const void *, size_t, off_t), "pwrite64")(fd, p, n, at);
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    FAILS("pwritev", fd);
    return NEXT(ssize_t(*)(int, const struct iovec *, int, off_t), "pwritev64")(fd, v, n, at);
}

int fdatasync(int fd)
{
    FAILS("fdatasync", fd);
    return NEXT(int (*)(int), "fdatasync")(fd);
}

int fsync(int fd)
{
    FAILS("fsync", fd);
    return NEXT(int (*)(int), "fsync")(fd);
}

int ftruncate(int fd, off_t n)
{
    FAILS("ftruncate", fd);
    return NEXT(int (*)(int, off_t), "ftruncate64")(fd, n);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    int code = (int)syscall(SYS_clock_gettime, id, t);
    if (id != CLOCK_REALTIME || code != 0)
        return code;
    (void)pthread_mutex_lock(&lock);
    refresh();
    long long ms = (long long)t->tv_sec * 1000 + t->tv_nsec / 1000000 + clock_off_ms;
    (void)pthread_mutex_unlock(&lock);
    t->tv_sec = ms / 1000;
    t->tv_nsec = ms % 1000 * 1000000 + t->tv_nsec % 1000000;
    return 0;
}
