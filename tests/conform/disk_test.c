/* What only a store on disk can be asked: locks, files, crashes, a full disk, copies. */
#include "store_make.h"

#include "base/clock.h"
#include "store/document.h"

#include <sqlite3.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct str dir_of(const struct made *m)
{
    return str_of(m->dir);
}

static void run_sql(struct made *m, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file_in(m, "licet.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

/* ---- opening ---- */

static void one_daemon_per_directory(void **state)
{
    struct made *m = *state;
    struct store *second = NULL;
    struct err_info info;
    struct store_options o = { .dir = dir_of(m) };
    assert_int_equal(store_open(&o, &second, &info), ERR_BUSY);
    assert_null(second);
    made_close(m);
    ok(store_open(&o, &second, &info));
    store_close(&second);
    made_open(m);
}

static void a_command_looks_beside_the_daemon_and_cannot_write(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    (void)commit(m);
    struct store *looking;
    struct subject_row row;
    ok(store_open(&(struct store_options){ .dir = dir_of(m), .must_exist = true }, &looking, NULL));
    ok(store_get_subject(store_own_reader(looking), STR("ada"), &m->a, &row));
    assert_int_equal(store_begin(looking), ERR_FORBIDDEN);
    begin(m);
    (void)add_subject(m, "eve");
    (void)commit(m);
    ok(store_get_subject(store_own_reader(looking), STR("eve"), &m->a, &row));
    store_close(&looking);
    struct store_options missing = { .dir = STR("/tmp/licet-no-such-directory"),
                                     .must_exist = true };
    struct store_reader *r;
    assert_int_equal(store_open(&missing, &looking, NULL), ERR_NOT_FOUND);
    assert_int_equal(store_reader_open_dir(missing.dir, &r, NULL), ERR_NOT_FOUND);
    assert_int_not_equal(access("/tmp/licet-no-such-directory", F_OK), 0);
}

/* As an earlier release left it: without the tables that came later. */
static void an_earlier_schema_is_brought_up(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1 }, NULL);
    (void)add_notice(m, "terms", "\"T\"");
    (void)commit(m);
    made_close(m);
    run_sql(m, made_first_release);
    struct store_reader *r;
    struct err_info info = { 0 };
    assert_int_equal(store_reader_open_dir(dir_of(m), &r, &info), ERR_CONFLICT);
    made_open(m);
    begin(m);
    (void)add_document(m, "a.pdf", STR("%PDF"));
    (void)commit(m);
    assert_int_equal(faults(m->r, true), 0);
}

static void a_copy_has_the_documents(void **state)
{
    struct made *m = *state;
    struct str bytes = { arena_alloc(&m->a, 200000), 200000 }, read;
    begin(m);
    struct id id = add_document(m, "a.pdf", bytes);
    (void)commit(m);
    struct chain_head head;
    ok(store_backup(m->r, str_of(file_in(m, "licet.backup")), &head, NULL));
    const char *dir = file_in(m, "restored");
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(rename(file_in(m, "licet.backup"), file_in(m, "restored/licet.db")), 0);
    struct store_reader *r;
    struct document d;
    ok(store_reader_open_dir(str_of(dir), &r, NULL));
    ok(store_get_document(r, &id, &m->a, &d));
    ok(store_read_document(r, &d, &m->a, &read));
    assert_true(str_eq(read, bytes));
    assert_int_equal(faults(r, true), 0);
    store_reader_close(&r);
}

static void an_unknown_schema_is_refused(void **state)
{
    struct made *m = *state;
    struct store *s;
    struct store_reader *r;
    struct err_info info = { 0 };
    made_close(m);
    run_sql(m, "INSERT INTO schema_version VALUES (99)");
    assert_int_equal(store_open(&(struct store_options){ .dir = dir_of(m) }, &s, &info),
                     ERR_CONFLICT);
    assert_non_null(strstr(info.text, "99"));
    assert_int_equal(store_reader_open_dir(dir_of(m), &r, &info), ERR_CONFLICT);
    run_sql(m, "DELETE FROM schema_version WHERE version = 99");
    made_open(m);
}

static void what_is_no_database_is_refused(void **state)
{
    struct made *m = *state;
    struct store *s;
    made_close(m);
    const char *file = file_in(m, "licet.db");
    FILE *f = fopen(file, "w");
    for (int i = 0; i < 5000; i++)
        (void)fputs("no database ", f);
    (void)fclose(f);
    assert_int_equal(store_open(&(struct store_options){ .dir = dir_of(m) }, &s, NULL),
                     ERR_CORRUPT);
    assert_int_equal(truncate(file, 0), 0);
    run_sql(m, "CREATE TABLE schema_version (other); CREATE TABLE fact (x)");
    assert_int_not_equal(store_open(&(struct store_options){ .dir = dir_of(m) }, &s, NULL), OK);
    (void)unlink(file);
    made_open(m);
}

static void it_comes_back_as_it_was_closed(void **state)
{
    struct made *m = *state;
    uint8_t before[32], after[32];
    struct id id;
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1 }, &id);
    (void)commit(m);
    int64_t ahead = clock_now_ms() + 3600000;
    begin(m);
    (void)add_subject(m, "eve");
    struct chain_head head = commit_at(m, ahead), again;
    store_secret(m->s, SECRET_SIGN_SEED, before);
    made_close(m);
    made_open(m);
    store_secret(m->s, SECRET_SIGN_SEED, after);
    assert_memory_equal(before, after, 32);
    ok(store_newest_head(m->r, &again));
    assert_memory_equal(&head, &again, sizeof head);
    assert_true(clock_now_ms() >= ahead); /* the clock does not run backwards over a restart */
    struct act_found found;
    ok(store_get_act(m->r, &id, &m->a, &found));
    begin(m);
    (void)add_subject(m, "bob");
    assert_int_equal(commit(m).group, head.group + 1);
}

static void only_its_owner_may_read_the_files(void **state)
{
    struct made *m = *state;
    made_close(m);
    remove_dir(m->dir);
    mode_t old = umask(0);
    made_open(m);
    (void)add_events(m, "ada", 1, 100);
    (void)umask(old);
    const char *names[] = { "licet.db", "licet.db-wal", "licet.db-shm", "lock", "reserve" };
    struct stat st;
    assert_int_equal(stat(m->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(stat(file_in(m, names[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    made_close(m); /* one that somebody opened up is closed again */
    assert_int_equal(chmod(file_in(m, "licet.db"), 0666), 0);
    made_open(m);
    assert_int_equal(stat(file_in(m, "licet.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_reader_sees_committed_groups_only(void **state)
{
    struct made *m = *state;
    struct subject_row row;
    begin(m);
    (void)add_subject(m, "ada");
    assert_int_equal(store_get_subject(m->r, STR("ada"), &m->a, &row), ERR_NOT_FOUND);
    ok(store_get_subject(store_own_reader(m->s), STR("ada"), &m->a, &row));
    (void)commit(m);
    ok(store_get_subject(m->r, STR("ada"), &m->a, &row));
}

/* ---- files ---- */

static off_t size_of(struct made *m, const char *name)
{
    struct stat st;
    return stat(file_in(m, name), &st) == 0 ? st.st_size : 0;
}

static void the_wal_stays_bounded_when_nobody_checkpoints(void **state)
{
    struct made *m = *state;
    off_t largest = 0;
    begin(m);
    (void)add_subject(m, "ada");
    (void)commit(m);
    for (int i = 0; i < 30; i++) {
        (void)add_mixed(m, "ada", 150, 30000);
        off_t n = size_of(m, "licet.db-wal");
        largest = n > largest ? n : largest;
    }
    assert_true(size_of(m, "licet.db") > 60 << 20);
    assert_true(largest < 90 << 20);
    m->unverified = true; /* it was; this one takes long */
}

static void a_checkpoint_from_a_reader_moves_pages_to_the_database(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    (void)commit(m);
    (void)add_mixed(m, "ada", 100, 1000);
    off_t before = size_of(m, "licet.db");
    ok(store_checkpoint(m->r));
    assert_true(size_of(m, "licet.db") >= before + 100000);
    made_close(m);
    assert_int_equal(size_of(m, "licet.db-wal"), 0);
    made_open(m);
}

static uint32_t occurrences(struct made *m, const char *name, const char *what)
{
    FILE *f = fopen(file_in(m, name), "r");
    if (f == NULL)
        return 0;
    uint32_t n = 0;
    size_t at = 0, len = strlen(what);
    for (int c; (c = fgetc(f)) != EOF;) {
        at = c == what[at] ? at + 1 : c == what[0];
        if (at == len) {
            n++;
            at = 0;
        }
    }
    (void)fclose(f);
    return n;
}

static void what_was_stripped_is_in_no_file(void **state)
{
    static const char *const files[] = { "licet.db", "licet.db-wal", "events/0000000001" };
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    (void)commit(m);
    for (int i = 0; i < 5; i++) {
        (void)add_events(m, "ada", 20, 300);
        (void)add_mixed(m, "ada", 20, 300);
    }
    ok(store_checkpoint(m->r));
    assert_int_equal(occurrences(m, "licet.db", "{\"n\":17"), 100);
    assert_int_equal(occurrences(m, "events/0000000001", "{\"n\":17"), 100);
    uint32_t done;
    begin(m);
    ok(store_strip_segments(m->s, INT64_MAX, 100, made_ms, 0, NULL, NULL, &done));
    (void)commit(m);
    assert_int_equal(done, 10);
    ok(store_tidy(m->s, NULL));
    made_close(m);
    for (size_t i = 0; i < COUNT(files); i++)
        assert_int_equal(occurrences(m, files[i], "{\"n\":17"), 0);
    made_open(m);
}

/* ---- backup ---- */

struct writing {
    struct made *m;
    atomic_bool stop;
    uint32_t groups;
};

static void *keep_writing(void *ctx)
{
    struct writing *w = ctx;
    while (!atomic_load(&w->stop)) {
        (void)add_events(w->m, "ada", 10, 300);
        w->groups++;
    }
    return NULL;
}

static void a_backup_of_a_live_store_opens_and_verifies(void **state)
{
    struct made *m = *state;
    struct writing w = { .m = m };
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1 }, NULL);
    (void)commit(m);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, keep_writing, &w), 0);
    int64_t last = 0;
    for (int i = 0; i < 5; i++) {
        struct made copy = { .dir = "/tmp/licet-copy-XXXXXX" };
        struct chain_head head, found;
        struct err_info info;
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        assert_non_null(mkdtemp(copy.dir));
        struct str file = arena_printf(&a, "%s/licet.db", copy.dir);
        ok(store_backup(m->r, file, &head, &info));
        assert_int_equal(store_backup(m->r, file, &head, &info),
                         ERR_CONFLICT); /* never over a file */
        struct stat st;
        assert_int_equal(stat(file.p, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        made_open(&copy);
        ok(store_newest_head(copy.r, &found));
        assert_memory_equal(&found, &head, sizeof head);
        assert_true(head.group > last);
        last = head.group;
        assert_int_equal(faults(copy.r, true), 0);
        made_close(&copy);
        arena_fini(&copy.a);
        remove_dir(copy.dir);
    }
    atomic_store(&w.stop, true);
    (void)pthread_join(thread, NULL);
    assert_true(w.groups > 5);
    struct chain_head head;
    assert_int_equal(store_backup(m->r, STR("/no/such/place"), &head, NULL), ERR_IO);
}

/* ---- kill -9 ---- */

struct acknowledged {
    int64_t group;
    uint8_t hash[32];
};

static _Noreturn void write_until_killed(struct made *m, int to)
{
    made_open(m);
    if (store_newest_segment(m->r) == 0) {
        begin(m);
        (void)add_subject(m, "ada");
        (void)commit(m);
    }
    for (int i = 0;; i++) {
        AUTO(segment_builder_fini) struct segment_builder b;
        segment_builder_init(&b);
        for (int k = 0; k < i % 7; k++)
            (void)add_event(m, &b, "ada", NULL, 400);
        bool alone = i % 3 != 0 && b.count > 0; /* then it goes to the log */
        begin(m);
        if (!alone)
            (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1 }, NULL);
        ok(store_add_segment(m->s, &b));
        if (i % 9 == 8 && !alone) {
            uint32_t done;
            ok(store_strip_segments(m->s, INT64_MAX, 3, made_ms, 0, NULL, NULL, &done));
        }
        struct chain_head head;
        ok(store_commit(m->s, ++made_ms, &head, NULL));
        if (i % 5 == 0)
            ok(store_publish(m->s, NULL));
        if (i % 9 == 8)
            ok(store_tidy(m->s, NULL));
        struct acknowledged ack = { .group = head.group };
        memcpy(ack.hash, head.hash, sizeof ack.hash);
        if (write(to, &ack, sizeof ack) != (ssize_t)sizeof ack)
            _exit(1);
        arena_clear(&m->a);
    }
}

static void check_chain_has(struct made *m, const struct acknowledged *ack)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(file_in(m, "licet.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT hash FROM chain WHERE number=?", -1, &q, NULL),
                     SQLITE_OK);
    (void)sqlite3_bind_int64(q, 1, ack->group);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_memory_equal(sqlite3_column_blob(q, 0), ack->hash, 32);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
    struct made *m = *state;
    enum { ROUNDS = 25 };
    uint32_t groups = 0;
    made_close(m);
    for (int i = 0; i < ROUNDS; i++) {
        int fd[2];
        assert_int_equal(pipe(fd), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)close(fd[0]);
            made_ms += i * 1000000;
            write_until_killed(m, fd[1]);
        }
        (void)close(fd[1]);
        struct acknowledged ack = { 0 }, next;
        ssize_t n = read(fd[0], &next, sizeof next); /* it is at work */
        (void)usleep((useconds_t)(random() % 20000));
        (void)kill(child, SIGKILL);
        for (; n == (ssize_t)sizeof next; n = read(fd[0], &next, sizeof next), groups++)
            ack = next;
        (void)close(fd[0]);
        (void)waitpid(child, NULL, 0);
        made_open(m);
        struct chain_head head;
        ok(store_newest_head(m->r, &head));
        assert_true(head.group == ack.group || head.group == ack.group + 1);
        assert_int_equal(faults(m->r, true), 0);
        check_chain_has(m, &ack);
        made_close(m);
    }
    assert_true(groups > ROUNDS);
    made_open(m);
}

/* ---- a full disk ---- */

/* Runs fn in a child that has a mount namespace of its own. */
static void in_namespace(struct made *m, void (*fn)(struct made *m))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
            _exit(77);
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("tmpfs", m->dir, "tmpfs", 0, "size=3m") != 0)
            _exit(77);
        fn(m);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* no namespaces here */
    assert_int_equal(status, 0);
}

#define child_ok(cond) ((cond) ? (void)0 : child_failed(#cond, __LINE__))
static _Noreturn void child_failed(const char *cond, int line)
{
    (void)dprintf(2, "# line %d: %s\n", line, cond);
    _exit(1);
}

static struct chain_head newest; /* that was committed */

static enum err try_events(struct made *m, uint32_t n)
{
    return try_log(m, n, 500, &newest);
}

static enum err try_act(struct made *m)
{
    int64_t seq;
    struct act_effect effect = { .purpose = 1 };
    struct act_row row = { .id = id_new(++made_ms),
                           .subject = STR("ada"),
                           .payload = STR("{\"withdrawn\":true}"),
                           .effect = &effect,
                           .effect_count = 1 };
    enum err e = store_begin(m->s);
    if (e == OK)
        e = store_add_act(m->s, &row, &seq);
    if (e == OK)
        return store_commit(m->s, ++made_ms, &newest, NULL);
    store_rollback(m->s);
    return e;
}

static void fill_the_disk(struct made *m)
{
    made_open(m);
    child_ok(store_begin(m->s) == OK);
    (void)add_subject(m, "ada");
    (void)commit(m);
    enum err e = OK;
    int groups = 0;
    for (uint32_t n = 50; n > 0; n /= 2) /* to the last page */
        while ((e = try_events(m, n)) == OK)
            groups++;
    child_ok(e == ERR_FULL && groups > 10);
    child_ok(access(file_in(m, "reserve"), F_OK) == 0);
    struct chain_head before = newest, after;
    child_ok(try_act(m) == OK); /* a withdrawal gets through */
    child_ok(access(file_in(m, "reserve"), F_OK) != 0);
    child_ok(store_newest_head(m->r, &after) == OK && after.group == before.group + 1);
    while ((e = try_act(m)) == OK) {
    }
    child_ok(e == ERR_FULL);                         /* until that is used up as well */
    child_ok(store_newest_head(m->r, &after) == OK); /* and what is there can be read */
    child_ok(mount(NULL, m->dir, NULL, MS_REMOUNT, "size=30m") == 0);
    child_ok(try_act(m) == OK && try_events(m, 50) == OK);
    child_ok(store_publish(m->s, NULL) == OK);
    child_ok(store_newest_head(m->r, &before) == OK && before.group == after.group + 2);
    made_close(m);
    made_open(m);
    child_ok(access(file_in(m, "reserve"), F_OK) == 0); /* made anew */
    made_close(m);
}

static enum err try_document(struct made *m, struct str bytes)
{
    struct document d = { .id = id_new(++made_ms), .type = STR("application/pdf") };
    int64_t seq;
    store_measure_document(bytes, &d);
    if (!store_has_room(m->s, bytes.n))
        return ERR_FULL;
    child_ok(store_begin(m->s) == OK);
    child_ok(store_add_document(m->s, &d, bytes, STR("{}"), &seq) == OK);
    return store_commit(m->s, ++made_ms, &newest, NULL);
}

/* Uploads end before the reserve is needed; each of another content. */
static void fill_the_disk_with_documents(struct made *m)
{
    static char bytes[20000];
    int uploads = 0;
    child_ok(mount(NULL, m->dir, NULL, MS_REMOUNT, "size=6m") == 0);
    made_open(m);
    child_ok(store_begin(m->s) == OK);
    (void)add_subject(m, "ada");
    (void)commit(m);
    while (try_document(m, (struct str){ bytes, sizeof bytes }) == OK)
        bytes[uploads++ % sizeof bytes]++;
    child_ok(uploads > 5);
    child_ok(access(file_in(m, "reserve"), F_OK) == 0);
    for (int i = 0; i < 5; i++)
        child_ok(try_act(m) == OK);
    child_ok(access(file_in(m, "reserve"), F_OK) == 0);
    made_close(m);
}

static void uploads_leave_the_room_that_withdrawals_need(void **state)
{
    struct made *m = *state;
    made_close(m);
    in_namespace(m, fill_the_disk_with_documents);
    made_open(m);
}

static void a_withdrawal_commits_when_the_disk_is_full(void **state)
{
    struct made *m = *state;
    made_close(m);
    in_namespace(m, fill_the_disk);
    made_open(m);
}

static void fill_the_disk_and_start(struct made *m)
{
    made_open(m);
    child_ok(store_begin(m->s) == OK);
    (void)add_subject(m, "ada");
    (void)commit(m);
    enum err e = OK;
    for (uint32_t n = 50; n > 0; n /= 2)
        while (store_unpublished(m->s) < 900 && (e = try_events(m, n)) == OK) {
        }
    child_ok(e == ERR_FULL && store_unpublished(m->s) > 10);
    made_close(m); /* it cannot publish them now */
    made_open(m);
    struct chain_head head;
    child_ok(store_newest_head(m->r, &head) == OK && head.group == newest.group);
    child_ok(try_act(m) == OK); /* a withdrawal gets through */
    made_close(m);
}

/* What is to be deleted waits, too: there is room for SQLite's shared memory at most. */
static void fill_the_disk_and_start_with_holes(struct made *m)
{
    for (int pages = 0; pages < 12; pages++) {
        uint32_t done;
        made_open(m);
        child_ok(store_begin(m->s) == OK);
        (void)add_subject(m, "ada");
        (void)commit(m);
        (void)add_events(m, "ada", 1, 100);
        child_ok(store_begin(m->s) == OK);
        child_ok(store_strip_segments(m->s, INT64_MAX, 9, ++made_ms, 0, NULL, NULL, &done) == OK);
        (void)commit(m);
        made_close(m);
        int fd = open(file_in(m, "filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        static const char bytes[4096] = { 1 };
        while (write(fd, bytes, sizeof bytes) > 0) {
        }
        child_ok(ftruncate(fd, lseek(fd, 0, SEEK_END) - pages * 4096) == 0);
        (void)close(fd);
        made_open(m);
        child_ok(try_act(m) == OK); /* a withdrawal gets through */
        child_ok(unlink(file_in(m, "filler")) == 0);
        made_close(m);
    }
}

static void a_full_disk_with_deletions_left_does_not_keep_it_from_starting(void **state)
{
    struct made *m = *state;
    made_close(m);
    in_namespace(m, fill_the_disk_and_start_with_holes);
    made_open(m);
}

static void a_full_disk_does_not_keep_it_from_starting(void **state)
{
    struct made *m = *state;
    made_close(m);
    in_namespace(m, fill_the_disk_and_start);
    made_open(m);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit l;
    child_ok(getrlimit(RLIMIT_FSIZE, &l) == 0);
    l.rlim_cur = bytes;
    child_ok(setrlimit(RLIMIT_FSIZE, &l) == 0);
}

static const char *newest_log(struct made *m)
{
    int n = 1;
    while (access(file_in(m, arena_printf(&m->a, "events/%010d", n + 1).p), F_OK) == 0)
        n++;
    return arena_printf(&m->a, "events/%010d", n).p;
}

/* A disk that fails in the middle of a write, at many places. */
static _Noreturn void fail_writes(struct made *m)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    made_open(m);
    child_ok(store_begin(m->s) == OK);
    (void)add_subject(m, "ada");
    (void)commit(m);
    int failed = 0;
    for (int i = 0; i < 40; i++) {
        const char *file = i % 2 ? "licet.db-wal" : newest_log(m);
        limit_files((rlim_t)size_of(m, file) + (rlim_t)(i % 8) * 1500);
        enum err e = try_events(m, 20);
        child_ok(e == OK || e == ERR_IO || e == ERR_FULL);
        failed += e != OK;
        e = try_act(m);
        child_ok(e == OK || e == ERR_IO || e == ERR_FULL);
        failed += e != OK;
        limit_files(RLIM_INFINITY);
        child_ok(try_act(m) == OK && try_events(m, 3) == OK);
    }
    child_ok(failed > 20);
    struct verify_result result;
    child_ok(store_verify(m->r, NULL, NULL, &result, NULL) == OK);
    made_close(m);
    made_open(m);
    struct chain_head head;
    child_ok(store_newest_head(m->r, &head) == OK && head.group == (int64_t)result.groups);
    made_close(m);
    _exit(0);
}

static void after_a_failed_write_the_store_goes_on(void **state)
{
    struct made *m = *state;
    made_close(m);
    pid_t child = fork();
    if (child == 0)
        fail_writes(m);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    made_open(m);
    m->unverified = true; /* its payloads are made up; the child looked */
}

#define T(name) cmocka_unit_test_setup_teardown(name, made_file, unmade)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_daemon_per_directory),
        T(a_command_looks_beside_the_daemon_and_cannot_write),
        T(an_earlier_schema_is_brought_up),
        T(a_copy_has_the_documents),
        T(an_unknown_schema_is_refused),
        T(what_is_no_database_is_refused),
        T(it_comes_back_as_it_was_closed),
        T(only_its_owner_may_read_the_files),
        T(a_reader_sees_committed_groups_only),
        T(the_wal_stays_bounded_when_nobody_checkpoints),
        T(a_checkpoint_from_a_reader_moves_pages_to_the_database),
        T(what_was_stripped_is_in_no_file),
        T(a_backup_of_a_live_store_opens_and_verifies),
        T(what_was_acknowledged_survives_kill_9),
        T(uploads_leave_the_room_that_withdrawals_need),
        T(a_withdrawal_commits_when_the_disk_is_full),
        T(a_full_disk_does_not_keep_it_from_starting),
        T(a_full_disk_with_deletions_left_does_not_keep_it_from_starting),
        T(after_a_failed_write_the_store_goes_on),
    };
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
