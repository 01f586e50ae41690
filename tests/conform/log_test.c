/* The event log: what becomes visible when, what a crash leaves, what is deleted. */
#include "store_make.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORD = 64 + 76 }; /* header, and what stands beside one entry */

static int open_log(struct made *m)
{
    int fd = open(file_in(m, "events/0000000001"), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Where the zeros begin. */
static off_t used(int fd)
{
    off_t end = lseek(fd, 0, SEEK_END) + 1;
    for (char c = 0; end > 0 && c == 0;)
        assert_int_equal(pread(fd, &c, 1, --end - 1), 1);
    return end;
}

/* Another process that commits and is gone before anything is published. */
static void commit_and_crash(struct made *m, int groups, off_t ret_end[])
{
    int fds[2];
    made_close(m);
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        made_open(m);
        int log = open_log(m);
        for (int i = 0; i < groups; i++) {
            struct chain_head head;
            if (try_log(m, 3, 200, &head) != OK)
                _exit(1);
            off_t end = used(log);
            if (write(fds[1], &end, sizeof end) != (ssize_t)sizeof end)
                _exit(1);
        }
        _exit(0);
    }
    for (int i = 0; i < groups; i++)
        assert_int_equal(read(fds[0], &ret_end[i], sizeof ret_end[i]), sizeof ret_end[i]);
    (void)close(fds[0]);
    (void)close(fds[1]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int64_t newest_group(struct made *m)
{
    struct chain_head head;
    ok(store_newest_head(m->r, &head));
    return head.group;
}

static void events_alone_are_seen_when_they_are_published(void **state)
{
    struct made *m = *state;
    struct chain_head head;
    struct segment_found f;
    ok(try_log(m, 2, 100, &head));
    assert_int_equal(store_unpublished(m->s), 1);
    assert_int_equal(store_newest_segment(m->r), 0);
    ok(store_publish(m->s, NULL));
    assert_int_equal(store_unpublished(m->s), 0);
    assert_int_equal(store_newest_segment(m->r), head.group);
    ok(store_get_segment(m->r, head.group, &m->a, &f));
    assert_int_equal(f.at_ms, head.at_ms);
}

static void a_fact_shows_the_events_before_it(void **state)
{
    struct made *m = *state;
    struct chain_head head;
    ok(try_log(m, 2, 100, &head));
    begin(m);
    (void)add_subject(m, "ada");
    ok(store_commit(m->s, ++made_ms, &head, NULL));
    assert_int_equal(store_unpublished(m->s), 0);
    assert_int_equal(store_newest_segment(m->r), head.group - 1);
    assert_int_equal(newest_group(m), head.group);
}

static void publishing_is_possible_while_a_group_has_events_only(void **state)
{
    struct made *m = *state;
    struct chain_head head;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    ok(try_log(m, 1, 100, &head));
    (void)add_event(m, &b, "ada", NULL, 100);
    begin(m);
    ok(store_add_segment(m->s, &b));
    assert_false(store_has_written(m->s));
    ok(store_publish(m->s, NULL));
    assert_int_equal(store_newest_segment(m->r), head.group);
    ok(store_commit(m->s, ++made_ms, &head, NULL));
    assert_int_equal(store_unpublished(m->s), 1);
    begin(m);
    (void)add_subject(m, "ada");
    assert_true(store_has_written(m->s));
    store_rollback(m->s);
    assert_int_equal(store_unpublished(m->s), 1); /* that is not undone with it */
}

static void what_was_not_published_comes_back_after_a_crash(void **state)
{
    struct made *m = *state;
    off_t end[5];
    commit_and_crash(m, 5, end);
    struct store_reader *r;
    struct verify_result result;
    ok(store_reader_open_dir(str_of(m->dir), &r, NULL)); /* before the daemon comes back */
    ok(store_verify(r, NULL, NULL, &result, NULL));
    assert_int_equal(result.faults, 0);
    assert_int_equal(result.groups, 5);
    assert_int_equal(result.events, 15);
    store_reader_close(&r);
    made_open(m);
    assert_int_equal(newest_group(m), 5);
    assert_int_equal(store_newest_segment(m->r), 5);
    assert_int_equal(add_events(m, "ada", 1, 100).group, 6);
}

/* Wherever the machine stopped: the group that was being written is gone, all before it are there. */
static void a_half_written_group_is_dropped(void **state)
{
    static const bool zeroed[] = { false, true };
    struct made *m = *state;
    for (size_t z = 0; z < COUNT(zeroed); z++) {
        for (int part = 1; part < 40; part += 6) {
            off_t end[3];
            int64_t before = newest_group(m);
            commit_and_crash(m, 3, end);
            int fd = open_log(m);
            off_t cut = end[1] + (end[2] - end[1]) * part / 40;
            assert_int_equal(ftruncate(fd, cut), 0);
            if (zeroed[z])
                assert_int_equal(ftruncate(fd, end[2] + 5000), 0);
            (void)close(fd);
            made_open(m);
            assert_int_equal(newest_group(m), before + 2);
            assert_int_equal(faults(m->r, true), 0);
        }
    }
}

static void pages_that_never_reached_the_disk_are_noticed(void **state)
{
    struct made *m = *state;
    for (int i = 0; i < 12; i++) {
        off_t end[2];
        int64_t before = newest_group(m);
        commit_and_crash(m, 2, end);
        int fd = open_log(m);
        off_t at = end[0] + (end[1] - end[0]) * i / 12;
        char zeros[64] = { 0 }, was[64];
        size_t n = at + 64 > end[1] ? (size_t)(end[1] - at) : 64;
        assert_int_equal(pread(fd, was, n, at), n);
        assert_int_equal(pwrite(fd, zeros, n, at), n);
        (void)close(fd);
        made_open(m);
        assert_int_equal(newest_group(m), before + (memcmp(was, zeros, n) == 0 ? 2 : 1));
    }
}

static void damage_before_other_groups_is_refused(void **state)
{
    struct made *m = *state;
    off_t end[3];
    struct store *s;
    struct err_info info = { 0 };
    commit_and_crash(m, 3, end);
    int fd = open_log(m);
    char was, is;
    off_t at = end[0] + RECORD + 150;
    assert_int_equal(pread(fd, &was, 1, at), 1);
    is = (char)(was ^ 4);
    assert_int_equal(pwrite(fd, &is, 1, at), 1);
    assert_int_equal(store_open(&(struct store_options){ .dir = str_of(m->dir) }, &s, &info),
                     ERR_CORRUPT);
    assert_non_null(strstr(info.text, "event log: file 1"));
    struct store_reader *r;
    ok(store_reader_open_dir(str_of(m->dir), &r, NULL));
    assert_true(faults(r, false) > 0);
    store_reader_close(&r);
    assert_int_equal(pwrite(fd, &was, 1, at), 1); /* and nothing was lost by that */
    (void)close(fd);
    made_open(m);
    assert_int_equal(newest_group(m), 3);
}

static void an_older_database_put_back_beside_its_log_is_refused(void **state)
{
    struct made *m = *state;
    struct store *s;
    struct err_info info = { 0 };
    (void)add_events(m, "ada", 2, 100);
    made_close(m);
    copy_file(file_in(m, "licet.db"), file_in(m, "older"));
    made_open(m);
    (void)add_events(m, "ada", 2, 100); /* the log can bring this one back … */
    begin(m);
    (void)add_subject(m, "ada");
    (void)commit(m);
    (void)add_events(m, "ada", 2, 100); /* … but not what stood in the database alone */
    made_close(m);
    copy_file(file_in(m, "licet.db"), file_in(m, "newer"));
    copy_file(file_in(m, "older"), file_in(m, "licet.db"));
    assert_int_equal(store_open(&(struct store_options){ .dir = str_of(m->dir) }, &s, &info),
                     ERR_CORRUPT);
    assert_non_null(strstr(info.text, "older licet.db"));
    copy_file(file_in(m, "newer"), file_in(m, "licet.db"));
    made_open(m);
    assert_int_equal(newest_group(m), 4);
}

static void a_backup_has_what_was_not_published(void **state)
{
    struct made *m = *state, copy = { .dir = "/tmp/licet-copy-XXXXXX" };
    struct chain_head newest, head;
    begin(m);
    (void)add_subject(m, "ada");
    (void)commit(m);
    (void)add_events(m, "ada", 3, 100);
    (void)add_mixed(m, "ada", 3, 100);
    for (int i = 0; i < 4; i++)
        ok(try_log(m, 2, 100, &newest));
    assert_non_null(mkdtemp(copy.dir));
    ok(store_backup(m->r, arena_printf(&m->a, "%s/licet.db", copy.dir), &head, NULL));
    made_open(&copy);
    assert_memory_equal(&newest, &head, sizeof head);
    assert_int_equal(newest_group(&copy), newest.group);
    assert_int_equal(faults(copy.r, true), 0);
    struct segment_found a, b;
    ok(store_publish(m->s, NULL));
    for (int64_t n = 2; n <= newest.group; n++) {
        ok(store_get_segment(m->r, n, &m->a, &a));
        ok(store_get_segment(copy.r, n, &m->a, &b));
        assert_true(str_eq(a.bytes, b.bytes));
    }
    assert_int_equal(add_events(&copy, "ada", 1, 100).group, newest.group + 1);
    made_close(&copy);
    remove_dir(copy.dir);
}

static void many_groups_need_not_be_published(void **state)
{
    struct made *m = *state;
    struct chain_head head;
    for (int i = 0; i < 2500; i++)
        ok(try_log(m, 1, 50, &head));
    assert_true(store_unpublished(m->s) <= 1024);
    ok(store_publish(m->s, NULL));
    assert_int_equal(newest_group(m), 2500);
}

/* ---- deleting ---- */

static uint32_t strip(struct made *m)
{
    uint32_t done;
    begin(m);
    ok(store_strip_segments(m->s, INT64_MAX, 1000, ++made_ms, 0, NULL, NULL, &done));
    (void)commit(m);
    return done;
}

static bool file_is_there(struct made *m, int number)
{
    return access(file_in(m, arena_printf(&m->a, "events/%010d", number).p), F_OK) == 0;
}

static void full_files_go_when_nothing_in_them_is_needed(void **state)
{
    struct made *m = *state;
    for (int i = 0; i < 12; i++)
        (void)add_events(m, "ada", 500, 30000);
    assert_true(file_is_there(m, 1) && file_is_there(m, 2) && file_is_there(m, 3));
    made_close(m);
    made_open(m); /* it goes on where it was */
    (void)add_events(m, "ada", 1, 100);
    assert_int_equal(strip(m), 13);
    ok(store_tidy(m->s, NULL));
    assert_false(file_is_there(m, 1) || file_is_there(m, 2));
    assert_true(file_is_there(m, 3)); /* the one that is written to */
    (void)add_events(m, "ada", 1, 100);
    made_close(m);
    made_open(m);
    assert_int_equal(newest_group(m), 15);
}

static bool log_has(struct made *m, const char *what)
{
    int fd = open_log(m);
    char text[20000];
    ssize_t n = pread(fd, text, sizeof text, 0);
    (void)close(fd);
    assert_true(n > 0);
    return memmem(text, (size_t)n, what, strlen(what)) != NULL;
}

static void nothing_is_deleted_while_somebody_reads_all(void **state)
{
    struct made *m = *state;
    (void)add_events(m, "ada", 3, 100);
    assert_int_equal(strip(m), 1);
    int dir = open(file_in(m, "events"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(dir, LOCK_SH), 0);
    ok(store_tidy(m->s, NULL));
    assert_true(log_has(m, "{\"n\":17"));
    (void)close(dir);
    ok(store_tidy(m->s, NULL));
    assert_false(log_has(m, "{\"n\":17"));
}

static void what_a_crash_left_to_delete_is_deleted_at_the_next_start(void **state)
{
    struct made *m = *state;
    (void)add_events(m, "ada", 3, 100);
    assert_int_equal(strip(m), 1);
    made_close(m);
    assert_true(log_has(m, "{\"n\":17"));
    made_open(m);
    assert_false(log_has(m, "{\"n\":17"));
}

struct reading {
    struct made *m;
    atomic_bool stop;
    atomic_uint read, failed;
};

static void *keep_reading(void *ctx)
{
    struct reading *w = ctx;
    struct store_reader *r;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    if (store_reader_open_dir(str_of(w->m->dir), &r, NULL) != OK)
        return NULL;
    while (!atomic_load(&w->stop)) {
        struct segment_found f = { 0 };
        enum err e;
        while ((e = store_next_permitted(r, f.number, UINT32_MAX, &a, &f)) == OK) {
            struct segment_cursor c;
            struct stored_event event;
            struct str entry;
            segment_start(f.bytes, &c);
            while ((e = segment_next(&c, &event, &entry)) == OK) {
            }
            atomic_fetch_add(&w->failed, e != ERR_NOT_FOUND || c.index != 50);
            atomic_fetch_add(&w->read, 1);
        }
        atomic_fetch_add(&w->failed, e != ERR_NOT_FOUND);
        arena_clear(&a);
    }
    store_reader_close(&r);
    return NULL;
}

static void reading_goes_on_while_segments_are_cut(void **state)
{
    struct made *m = *state;
    struct reading w = { .m = m };
    (void)add_events(m, "ada", 50, 2000);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, keep_reading, &w), 0);
    while (atomic_load(&w.read) < 10)
        (void)usleep(100);
    for (int i = 0; i < 200; i++) {
        (void)add_events(m, "ada", 50, 2000);
        (void)strip(m);
        ok(store_tidy(m->s, NULL));
    }
    atomic_store(&w.stop, true);
    (void)pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&w.failed), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, made_file, unmade)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(events_alone_are_seen_when_they_are_published),
        T(a_fact_shows_the_events_before_it),
        T(publishing_is_possible_while_a_group_has_events_only),
        T(what_was_not_published_comes_back_after_a_crash),
        T(a_half_written_group_is_dropped),
        T(pages_that_never_reached_the_disk_are_noticed),
        T(damage_before_other_groups_is_refused),
        T(an_older_database_put_back_beside_its_log_is_refused),
        T(a_backup_has_what_was_not_published),
        T(many_groups_need_not_be_published),
        T(full_files_go_when_nothing_in_them_is_needed),
        T(nothing_is_deleted_while_somebody_reads_all),
        T(what_a_crash_left_to_delete_is_deleted_at_the_next_start),
        T(reading_goes_on_while_segments_are_cut),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
