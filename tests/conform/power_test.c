/* The event log beside a database that lost something, and beside readers while it grows. */
#include "store_make.h"

#include <sqlite3.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORD = 64 + 76 }; /* header, and what stands beside one entry */

static int64_t newest_group(struct made *m)
{
    struct chain_head head;
    ok(store_newest_head(m->r, &head));
    return head.group;
}

/* Runs fn in another process, which then is gone without closing anything. */
static void crash_after(struct made *m, void (*fn)(struct made *m))
{
    made_close(m);
    pid_t child = fork();
    if (child == 0) {
        fn(m);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void must_log(struct made *m, uint32_t n)
{
    struct chain_head head;
    if (try_log(m, n, 100, &head) != OK || store_unpublished(m->s) == 0)
        _exit(1);
}

/* ---- what a power loss takes ---- */

/* Publishing does not sync: all since the last sync may be gone from the database. */
static void more_groups_than_fit_in_memory_come_back(void **state)
{
    struct made *m = *state;
    (void)add_events(m, "ada", 1, 100);
    made_close(m);
    copy_file(file_in(m, "licet.db"), file_in(m, "older"));
    made_open(m);
    for (int i = 1; i < 2500; i++) {
        struct chain_head head;
        ok(try_log(m, 1, 50, &head));
        if (i % 100 == 0)
            ok(store_publish(m->s, NULL));
    }
    made_close(m);
    assert_int_equal(rename(file_in(m, "older"), file_in(m, "licet.db")), 0);
    made_open(m);
    assert_int_equal(newest_group(m), 2500);
    assert_int_equal(add_events(m, "ada", 1, 100).group, 2501);
}

static void first_group(struct made *m)
{
    made_open(m);
    must_log(m, 3);
}

static void the_very_first_group_may_be_half_written(void **state)
{
    struct made *m = *state;
    crash_after(m, first_group);
    int fd = open(file_in(m, "events/0000000001"), O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "\0\0\0\0", 4, RECORD + 100), 4);
    (void)close(fd);
    made_open(m);
    assert_int_equal(newest_group(m), 0);
    assert_int_equal(add_events(m, "ada", 1, 100).group, 1);
}

static void two_groups_with_odd_bodies(struct made *m)
{
    AUTO(segment_builder_fini) struct segment_builder b;
    struct chain_head head;
    made_open(m);
    must_log(m, 3);
    segment_builder_init(&b);
    static const char *const body[] = { "{\"a\":\"licet evab\"}", "{\"a\":\"licet evabc\"}",
                                        "{\"a\":\"licet ev\"}", "{}" };
    for (size_t i = 0; i < COUNT(body); i++)
        (void)segment_add(&b, &(struct stored_event){ .id = id_new(made_ms),
                                                      .received_ms = made_ms,
                                                      .device = STR("d"),
                                                      .verdict = { REASON_PERMITTED },
                                                      .body = str_of(body[i]) });
    if (store_begin(m->s) != OK || store_add_segment(m->s, &b) != OK ||
        store_commit(m->s, ++made_ms, &head, NULL) != OK)
        _exit(1);
}

static void a_body_is_not_taken_for_a_record(void **state)
{
    struct made *m = *state;
    crash_after(m, two_groups_with_odd_bodies);
    int fd = open(file_in(m, "events/0000000001"), O_RDWR | O_CLOEXEC);
    char text[4000];
    assert_int_equal(pread(fd, text, sizeof text, 0), sizeof text);
    const char *second = memmem(text + 8, sizeof text - 8, "licet ev", 8);
    assert_non_null(second);
    assert_int_equal(pwrite(fd, "\0\0\0\0", 4, second - text + 70), 4);
    (void)close(fd);
    made_open(m);
    assert_int_equal(newest_group(m), 1);
}

static void an_older_database_is_refused_when_the_log_begins_later(void **state)
{
    struct made *m = *state;
    struct store *s;
    struct err_info info = { 0 };
    uint32_t done;
    (void)add_events(m, "ada", 2, 100);
    made_close(m);
    copy_file(file_in(m, "licet.db"), file_in(m, "older"));
    made_open(m);
    for (int i = 0; i < 12; i++)
        (void)add_events(m, "ada", 500, 30000);
    begin(m);
    ok(store_strip_segments(m->s, INT64_MAX, 1000, ++made_ms, 0, NULL, NULL, &done));
    (void)commit(m);
    ok(store_tidy(m->s, NULL));
    (void)add_events(m, "ada", 2, 100);
    made_close(m);
    assert_int_not_equal(access(file_in(m, "events/0000000002"), F_OK), 0);
    copy_file(file_in(m, "licet.db"), file_in(m, "newer"));
    copy_file(file_in(m, "older"), file_in(m, "licet.db"));
    assert_int_equal(store_open(&(struct store_options){ .dir = str_of(m->dir) }, &s, &info),
                     ERR_CORRUPT);
    copy_file(file_in(m, "newer"), file_in(m, "licet.db"));
    made_open(m);
    m->unverified = true; /* it takes long */
}

/* ---- a sync that fails ---- */

static atomic_bool sync_fails;
static atomic_uint wal_syncs, log_syncs;
static int (*real_open)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);
static int (*real_sync)(sqlite3_file *, int);
static sqlite3_io_methods wal_methods;

static int failing_sync(sqlite3_file *f, int flags)
{
    return sync_fails ? SQLITE_IOERR_FSYNC : real_sync(f, flags);
}

/* The C library's, as the store and SQLite call it. */
int fdatasync(int fd)
{
    char link[64], path[256] = { 0 };
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) > 0) {
        log_syncs += strstr(path, "/events/") != NULL;
        wal_syncs += strstr(path, "licet.db-wal") != NULL;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static int open_wal(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    int code = real_open(vfs, name, f, flags, ret_flags);
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
        wal_methods = *f->pMethods;
        real_sync = wal_methods.xSync;
        wal_methods.xSync = failing_sync;
        f->pMethods = &wal_methods;
    }
    return code;
}

static void let_syncs_fail(void)
{
    static sqlite3_vfs vfs;
    vfs = *sqlite3_vfs_find(NULL);
    real_open = vfs.xOpen;
    vfs.xOpen = open_wal;
    vfs.zName = "failing";
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        _exit(1);
}

/* The failed group may be found in the database after all: then its number is taken. */
static void events_behind_a_failed_commit(struct made *m)
{
    struct chain_head head;
    let_syncs_fail();
    made_open(m);
    begin(m);
    (void)add_subject(m, "ada");
    (void)commit(m);
    must_log(m, 3);
    begin(m);
    (void)add_subject(m, "eve");
    sync_fails = true;
    if (store_commit(m->s, ++made_ms, &head, NULL) != ERR_IO)
        _exit(1);
    sync_fails = false;
    if (try_log(m, 5, 100, &head) != OK || head.group != 3)
        _exit(1);
}

static void what_is_acknowledged_after_a_failed_sync_is_there(void **state)
{
    struct made *m = *state;
    struct segment_found f;
    struct subject_row row;
    crash_after(m, events_behind_a_failed_commit);
    made_open(m);
    assert_int_equal(newest_group(m), 3);
    ok(store_get_segment(m->r, 3, &m->a, &f));
    assert_int_equal(store_get_subject(m->r, STR("eve"), &m->a, &row), ERR_NOT_FOUND);
}

static void published_and_not(struct made *m)
{
    made_open(m);
    must_log(m, 3);
    if (store_publish(m->s, NULL) != OK)
        _exit(1);
    must_log(m, 3);
}

static void open_and_count(struct made *m)
{
    log_syncs = wal_syncs = 0;
    made_open(m);
    if (wal_syncs == 0 || log_syncs == 0 || newest_group(m) != 2)
        _exit(1);
}

/* A repetition of it is answered with yes. */
static void what_a_killed_process_left_unsynced_is_synced_at_start(void **state)
{
    struct made *m = *state;
    crash_after(m, published_and_not);
    m->s = NULL; /* nobody opened it in between */
    m->r = NULL;
    crash_after(m, open_and_count);
    made_open(m);
}

static void publish_for_long(struct made *m)
{
    made_open(m);
    must_log(m, 1);
    if (store_publish(m->s, NULL) != OK) /* the first one syncs the file's head */
        _exit(1);
    wal_syncs = 0;
    for (int i = 0; i < 5500; i++) {
        struct chain_head head;
        if (try_log(m, 1, 50, &head) != OK || (i % 50 == 49 && store_publish(m->s, NULL) != OK))
            _exit(1);
    }
    if (wal_syncs != 1)
        _exit(1);
}

static void recovery_has_so_much_to_do_and_no_more(void **state)
{
    struct made *m = *state;
    crash_after(m, publish_for_long);
    made_open(m);
    assert_int_equal(newest_group(m), 5501);
    m->unverified = true; /* it takes long */
}

/* ---- readers while it grows ---- */

struct growing {
    struct made *m;
    atomic_bool stop;
};

/* Groups in the log and groups in the database by turns, as in daily use. */
static void *grow(void *ctx)
{
    struct growing *g = ctx;
    struct chain_head head;
    for (int i = 0; !atomic_load(&g->stop); i++) {
        if (i % 4 == 3)
            (void)add_mixed(g->m, "ada", 3, 200);
        else if (try_log(g->m, 20, 2000, &head) != OK)
            return g;
    }
    return NULL;
}

static void what_is_written_meanwhile_is_no_damage(void **state)
{
    struct made *m = *state;
    struct growing g = { .m = m };
    begin(m);
    (void)add_subject(m, "ada");
    (void)commit(m);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, grow, &g), 0);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    uint64_t found = 0;
    int copied = 0;
    for (int i = 0; i < 12; i++) {
        struct chain_head head;
        struct err_info info = { 0 };
        const char *file = arena_printf(&a, "%s/copy-%d", m->dir, i).p;
        found += faults(m->r, true);
        copied += store_backup(m->r, str_of(file), &head, &info) == OK;
    }
    atomic_store(&g.stop, true);
    void *failed;
    (void)pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(found, 0);
    assert_int_equal(copied, 12);
}

struct looking {
    struct made *m;
    struct id id;
    atomic_bool stop;
    atomic_uint read, failed;
};

static void *keep_looking(void *ctx)
{
    struct looking *w = ctx;
    struct store_reader *r;
    if (store_reader_open_dir(str_of(w->m->dir), &r, NULL) != OK)
        return w;
    while (!atomic_load(&w->stop)) {
        int64_t segment;
        uint32_t index;
        atomic_fetch_add(&w->failed,
                         store_find_event(r, &w->id, &segment, &index) != ERR_NOT_FOUND);
        atomic_fetch_add(&w->read, 1);
    }
    store_reader_close(&r);
    return NULL;
}

static void an_event_is_looked_for_while_segments_are_cut(void **state)
{
    struct made *m = *state;
    struct looking w = { .m = m, .id = id_new(made_ms + 2) };
    pthread_t thread;
    made_ms += 10;
    for (int i = 0; i < 30; i++)
        (void)add_events(m, "ada", 5, 2000);
    int64_t at = made_ms;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    assert_int_equal(pthread_create(&thread, NULL, keep_looking, &w), 0);
    while (atomic_load(&w.read) < 10)
        (void)usleep(100);
    for (int i = 0; i < 150; i++) { /* segments that may hold it by their times */
        uint32_t done;
        made_ms = at - 1000;
        (void)add_event(m, &b, "ada", NULL, 2000);
        made_ms = at + i;
        (void)add_event(m, &b, "ada", NULL, 2000);
        begin(m);
        ok(store_add_segment(m->s, &b));
        (void)commit_at(m, at + i);
        segment_builder_clear(&b);
        if (i % 10 < 9)
            continue;
        begin(m);
        ok(store_strip_segments(m->s, INT64_MAX, 1000, at + i, 0, NULL, NULL, &done));
        (void)commit_at(m, at + i);
        ok(store_tidy(m->s, NULL));
    }
    atomic_store(&w.stop, true);
    void *failed;
    (void)pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(atomic_load(&w.failed), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, made_file, unmade)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(more_groups_than_fit_in_memory_come_back),
        T(the_very_first_group_may_be_half_written),
        T(a_body_is_not_taken_for_a_record),
        T(an_older_database_is_refused_when_the_log_begins_later),
        T(what_is_acknowledged_after_a_failed_sync_is_there),
        T(what_a_killed_process_left_unsynced_is_synced_at_start),
        T(recovery_has_so_much_to_do_and_no_more),
        T(what_is_written_meanwhile_is_no_damage),
        T(an_event_is_looked_for_while_segments_are_cut),
    };
    return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
