#include "consent/snapshots.h"

#include "consent/ledger_priv.h"
#include "consent/world.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

/* ---- the cache by itself ---- */

static struct snapshots *cache;
static struct arena arena;

static int open_cache(void **state)
{
    (void)state;
    cache = snapshots_new(4);
    return 0;
}

static int close_cache(void **state)
{
    (void)state;
    snapshots_free(&cache);
    assert_null(cache);
    snapshots_free(&cache);
    arena_fini(&arena);
    return 0;
}

static const struct snapshot *snap(int64_t seq)
{
    struct snapshot *s = arena_alloc(&arena, sizeof *s + sizeof s->standing[0]);
    s->seq = seq;
    s->count = 1;
    s->standing[0] = (struct standing){ .purpose = 1, .grant = true, .last_seq = seq };
    return s;
}

static struct str name(int i)
{
    return arena_printf(&arena, "subject-%d", i);
}

static void assert_now(struct str subject, int64_t seq, uint32_t flags)
{
    const struct snapshot *s = snapshots_now(cache, subject);
    assert_non_null(s);
    assert_int_equal(s->seq, seq);
    assert_int_equal(s->flags, flags);
    assert_int_equal(s->standing[0].last_seq, seq);
}

static void assert_taken(struct str subject, int64_t seq, uint32_t flags)
{
    struct snapshot_entry *load;
    const struct snapshot *s = snapshots_take(cache, subject, &load);
    assert_non_null(s);
    assert_int_equal(s->seq, seq);
    assert_int_equal(s->flags, flags);
    snapshots_unref(&s);
    assert_null(s);
}

/* A reader that misses, reads `seq`, and is let in or not. */
static void load(struct str subject, int64_t seq, int64_t expected)
{
    struct snapshot_entry *entry;
    assert_null(snapshots_take(cache, subject, &entry));
    const struct snapshot *s = snapshots_loaded(cache, entry, snap(seq));
    assert_int_equal(s->seq, expected);
    snapshots_unref(&s);
}

static void the_least_recently_used_goes_first(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        (void)snapshots_keep(cache, name(i), snap(i));
    assert_now(name(0), 0, 0);
    const struct snapshot *evicted = snapshots_now(cache, name(1));
    assert_now(name(2), 2, 0);
    assert_now(name(3), 3, 0);
    (void)snapshots_now(cache, name(0));
    (void)snapshots_keep(cache, name(4), snap(4));
    assert_null(snapshots_now(cache, name(1)));
    assert_now(name(0), 0, 0);
    assert_int_equal(evicted->seq, 1); /* the loop may still look at it … */
    snapshots_committed(cache);        /* … until here */
    for (int i = 5; i < 1000; i++)
        (void)snapshots_keep(cache, name(i), snap(i));
    assert_null(snapshots_now(cache, name(0)));
    assert_now(name(999), 999, 0);
    assert_null(snapshots_now(cache, name(995)));
    assert_now(name(996), 996, 0);
}

static void readers_share_a_bounded_table_of_their_own(void **state)
{
    (void)state;
    const struct snapshot *kept = NULL;
    for (int i = 0; i < 1000; i++) {
        struct snapshot_entry *entry;
        assert_null(snapshots_take(cache, name(i), &entry));
        const struct snapshot *s = snapshots_loaded(cache, entry, snap(i));
        if (i == 7)
            kept = s;
        else
            snapshots_unref(&s);
    }
    assert_int_equal(kept->seq, 7); /* evicted, and still ours */
    snapshots_unref(&kept);
    for (int i = 996; i < 1000; i++)
        assert_taken(name(i), i, 0);
    load(name(995), 5, 5);
}

static void what_a_group_changes_is_seen_by_the_loop_now_and_by_others_after(void **state)
{
    (void)state;
    load(name(1), 10, 10);
    (void)snapshots_keep(cache, name(1), snap(10));
    snapshots_change(cache, name(1), snap(11));
    assert_now(name(1), 11, 0);
    assert_taken(name(1), 10, 0);
    snapshots_change(cache, name(1), snap(12));
    snapshots_committed(cache);
    assert_now(name(1), 12, 0);
    assert_taken(name(1), 12, 0);
}

static void a_group_that_is_rolled_back_was_never_there(void **state)
{
    (void)state;
    load(name(1), 10, 10);
    snapshots_change(cache, name(1), snap(11));
    snapshots_rolled_back(cache);
    assert_null(snapshots_now(cache, name(1))); /* to be read again */
    assert_taken(name(1), 10, 0);
    (void)snapshots_keep(cache, name(1), snap(10));
    snapshots_committed(cache); /* of the next group, which does not concern her */
    assert_taken(name(1), 10, 0);
    assert_now(name(1), 10, 0);
}

static void a_group_larger_than_the_cache_loses_nothing(void **state)
{
    (void)state;
    load(name(3), 1, 1);
    for (int i = 0; i < 100; i++)
        snapshots_change(cache, name(i), snap(100 + i));
    for (int i = 0; i < 100; i++)
        assert_now(name(i), 100 + i, 0);
    snapshots_committed(cache);
    assert_taken(name(3), 103, 0);
    int left = 0;
    for (int i = 0; i < 100; i++)
        left += snapshots_now(cache, name(i)) != NULL;
    assert_int_equal(left, 4);
}

static void a_load_that_a_commit_overtakes_gives_what_was_committed(void **state)
{
    (void)state;
    struct snapshot_entry *one, *two;
    assert_null(snapshots_take(cache, name(1), &one));
    assert_null(snapshots_take(cache, name(1), &two));
    snapshots_change(cache, name(1), snap(20));
    snapshots_committed(cache);
    for (int i = 50; i < 60; i++)
        load(name(i), i, i); /* does not push out what is being loaded */
    const struct snapshot *s = snapshots_loaded(cache, one, snap(10));
    assert_int_equal(s->seq, 20);
    snapshots_unref(&s);
    assert_taken(name(1), 20, 0);
    s = snapshots_loaded(cache, two, snap(10));
    assert_int_equal(s->seq, 20);
    snapshots_unref(&s);
}

static void a_load_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct snapshot_entry *one, *two;
    assert_null(snapshots_take(cache, name(1), &one));
    assert_null(snapshots_take(cache, name(1), &two));
    assert_null(snapshots_loaded(cache, one, NULL));
    const struct snapshot *s = snapshots_loaded(cache, two, snap(5));
    assert_int_equal(s->seq, 5);
    snapshots_unref(&s);
    assert_null(snapshots_take(cache, name(2), &one));
    assert_null(snapshots_loaded(cache, one, NULL));
    load(name(2), 6, 6);
}

static void a_blocked_subject_is_restricted_until_a_commit_concerns_her(void **state)
{
    (void)state;
    (void)snapshots_keep(cache, name(1), snap(10));
    load(name(1), 10, 10);
    const struct snapshot *before = snapshots_now(cache, name(1));
    snapshots_block(cache, name(1));
    snapshots_block(cache, name(1));
    assert_int_equal(before->flags, 0); /* what the loop already holds does not change under it */
    assert_now(name(1), 10, SUBJECT_RESTRICTED);
    assert_taken(name(1), 10, SUBJECT_RESTRICTED);
    snapshots_change(cache, name(2), snap(11));
    snapshots_committed(cache);
    assert_now(name(1), 10, SUBJECT_RESTRICTED);
    snapshots_change(cache, name(1), snap(12));
    assert_now(name(1), 12, SUBJECT_RESTRICTED); /* not committed yet */
    snapshots_rolled_back(cache);
    assert_taken(name(1), 10, SUBJECT_RESTRICTED);
    snapshots_change(cache, name(1), snap(12));
    snapshots_committed(cache);
    assert_now(name(1), 12, 0);
    assert_taken(name(1), 12, 0);
}

static void a_blocked_subject_is_restricted_also_when_she_is_read_only_then(void **state)
{
    (void)state;
    struct snapshot_entry *entry;
    assert_null(snapshots_take(cache, name(1), &entry));
    snapshots_block(cache, name(1));
    const struct snapshot *s = snapshots_loaded(cache, entry, snap(10));
    assert_int_equal(s->flags, SUBJECT_RESTRICTED);
    snapshots_unref(&s);
    assert_int_equal(snapshots_keep(cache, name(1), snap(10))->flags, SUBJECT_RESTRICTED);
    for (int i = 10; i < 20; i++) { /* and after she was forgotten */
        load(name(i), i, i);
        (void)snapshots_keep(cache, name(i), snap(i));
    }
    load(name(1), 10, 10);
    assert_taken(name(1), 10, SUBJECT_RESTRICTED);
    assert_int_equal(snapshots_keep(cache, name(1), snap(10))->flags, SUBJECT_RESTRICTED);
}

static void a_block_does_not_hide_that_she_is_restricted_anyway(void **state)
{
    (void)state;
    struct snapshot *restricted = (struct snapshot *)(uintptr_t)snap(10);
    restricted->flags = SUBJECT_RESTRICTED | SUBJECT_VERIFIED;
    snapshots_block(cache, name(1));
    snapshots_change(cache, name(1), restricted);
    snapshots_committed(cache);
    assert_now(name(1), 10, SUBJECT_RESTRICTED | SUBJECT_VERIFIED);
}

static void with_too_many_blocked_everybody_is(void **state)
{
    (void)state;
    (void)snapshots_keep(cache, name(50), snap(50));
    load(name(51), 51, 51);
    for (int i = 0; i < 4; i++)
        snapshots_block(cache, name(i));
    assert_now(name(50), 50, 0);
    snapshots_block(cache, name(4));
    assert_now(name(50), 50, SUBJECT_RESTRICTED);
    assert_taken(name(51), 51, SUBJECT_RESTRICTED);
    assert_int_equal(snapshots_keep(cache, name(60), snap(1))->flags, SUBJECT_RESTRICTED);
    snapshots_change(cache, name(4), snap(2));
    snapshots_committed(cache);
    assert_now(name(4), 2, SUBJECT_RESTRICTED);
}

/* ---- with the store ---- */

static struct world w;

static int open_world(void **state)
{
    (void)state;
    world_open(&w, true);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&w);
    return 0;
}

static void add(const char *subject, const char *preferences)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct consent_request q = { .source = ACT_PRIVATE_KEY, .received_ms = w.now };
    struct consent_answer ans;
    q.body = arena_printf(&a,
                          "{\"subject\":{\"id\":\"%s\"},\"preferences\":%s,"
                          "\"proofs\":[{\"form\":\"f\"}]}",
                          subject, preferences);
    assert_int_equal(ledger_add_consent(w.ledger, w.policy, &q, &a, &ans, &w.info), OK);
}

static const struct snapshot *now(const char *subject)
{
    const struct snapshot *s;
    assert_int_equal(ledger_snapshot_now(w.ledger, str_of(subject), &s), OK);
    return s;
}

static int64_t committed_seq(const char *subject)
{
    const struct snapshot *s;
    assert_int_equal(ledger_snapshot(w.ledger, w.reader, str_of(subject), &s), OK);
    int64_t seq = s->seq;
    ledger_snapshot_unref(w.ledger, &s);
    return seq;
}

static void acts_count_for_the_loop_at_once_and_for_others_after_the_commit(void **state)
{
    (void)state;
    assert_int_equal(now("u")->seq, 0);
    assert_int_equal(committed_seq("u"), 0);
    world_begin(&w);
    add("u", "{\"statistics\":true}");
    int64_t seq = now("u")->seq;
    assert_true(seq > 0);
    assert_int_equal(now("u")->count, 1);
    assert_int_equal(committed_seq("u"), 0);
    world_commit(&w);
    assert_int_equal(committed_seq("u"), seq);
    world_begin(&w);
    add("u", "{\"statistics\":false}");
    add("v", "{\"statistics\":true}");
    assert_int_equal(now("u")->count, 2);
    store_rollback(w.store);
    ledger_rolled_back(w.ledger);
    assert_int_equal(now("u")->seq, seq);
    assert_int_equal(now("u")->count, 1);
    assert_int_equal(now("v")->seq, 0);
    assert_int_equal(committed_seq("v"), 0);
}

static void a_restriction_by_another_verb_is_seen(void **state)
{
    (void)state;
    world_begin(&w);
    add("u", "{\"statistics\":true}");
    world_commit(&w);
    assert_int_equal(now("u")->flags, 0);
    (void)committed_seq("u");
    int64_t seq;
    world_begin(&w);
    assert_int_equal(store_add_restriction(w.store, STR("u"), true, STR("{}"), w.now, &seq), OK);
    assert_int_equal(ledger_changed(w.ledger, STR("u")), OK);
    assert_int_equal(now("u")->flags, SUBJECT_RESTRICTED);
    world_commit(&w);
    assert_int_equal(committed_seq("u"), seq);
}

static void a_block_holds_for_the_loop_and_for_readers(void **state)
{
    (void)state;
    const struct snapshot *s;
    ledger_block(w.ledger, STR("u"));
    assert_int_equal(now("u")->flags, SUBJECT_RESTRICTED);
    assert_int_equal(ledger_snapshot(w.ledger, w.reader, STR("u"), &s), OK);
    assert_int_equal(s->flags, SUBJECT_RESTRICTED);
    ledger_snapshot_unref(w.ledger, &s);
    world_begin(&w);
    add("u", "{\"statistics\":false}");
    world_commit(&w);
    assert_int_equal(now("u")->flags, 0);
    assert_int_equal(ledger_snapshot(w.ledger, w.reader, STR("u"), &s), OK);
    assert_int_equal(s->flags, 0);
    ledger_snapshot_unref(w.ledger, &s);
}

/* ---- when the disk is full ---- */

static void set_largest_file(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Adds acts too large for SQLite's cache until one fails, or the commit does. */
static enum err add_until_it_fails(void)
{
    AUTO(buf_fini) struct buf body = BUF_INIT(1 << 20);
    buf_lit(&body,
            "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":false},\"proofs\":[{"
            "\"form\":\"");
    for (int i = 0; i < 500000; i++)
        buf_byte(&body, 'x');
    buf_lit(&body, "\"}]}");
    enum err e = OK;
    for (int i = 0; e == OK && i < 40; i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct consent_answer ans;
        struct consent_request q = { .body = buf_view(&body),
                                     .source = ACT_PRIVATE_KEY,
                                     .received_ms = ++w.now };
        e = ledger_add_consent(w.ledger, w.policy, &q, &a, &ans, &w.info);
    }
    struct chain_head head;
    return e == OK ? store_commit(w.store, w.now, &head, &w.info) : e;
}

static void what_a_full_disk_refused_does_not_count_and_its_subject_is_blocked(void **state)
{
    (void)state;
    world_begin(&w);
    add("u", "{\"statistics\":true}");
    world_commit(&w);
    int64_t seq = committed_seq("u");
    (void)signal(SIGXFSZ, SIG_IGN);
    set_largest_file(1 << 20);
    world_begin(&w);
    enum err e = add_until_it_fails();
    set_largest_file(RLIM_INFINITY);
    assert_true(e == ERR_IO || e == ERR_FULL);
    store_rollback(w.store);
    ledger_rolled_back(w.ledger);
    assert_int_equal(now("u")->seq, seq);
    assert_int_equal(committed_seq("u"), seq);
    ledger_block(w.ledger, STR("u")); /* she withdrew, and we could not write it down */
    assert_int_equal(now("u")->flags, SUBJECT_RESTRICTED);
    world_begin(&w);
    add("u", "{\"statistics\":false}");
    world_commit(&w);
    assert_int_equal(now("u")->flags, 0);
    assert_int_equal(now("u")->count, 2);
    assert_true(committed_seq("u") > seq);
}

/* ---- many threads ---- */

enum { SUBJECTS = 12, CACHED = 4, READERS = 3, GROUPS = 600 };

static struct race {
    _Atomic int64_t announced[SUBJECTS]; /* seq whose commit ledger_committed() has made known */
    atomic_bool over;
    atomic_int stale, backwards, uncommitted, failed;
    atomic_long looked;
} race;

static void look(struct store_reader *r, int i, int64_t *seen)
{
    char id[16];
    const struct snapshot *s;
    (void)snprintf(id, sizeof id, "s%d", i);
    int64_t least = atomic_load(&race.announced[i]);
    if (ledger_snapshot(w.ledger, r, str_of(id), &s) != OK) {
        race.failed++;
        return;
    }
    race.stale += s->seq < least;
    race.backwards += s->seq < *seen;
    *seen = s->seq;
    for (uint32_t k = 0; k < s->count;
         k++) /* only groups that are rolled back speak of version 0 */
        race.uncommitted += s->standing[k].grant && s->standing[k].version == 0;
    ledger_snapshot_unref(w.ledger, &s);
    race.looked++;
}

static void *read_along(void *context)
{
    (void)context;
    struct store_reader *r = NULL;
    int64_t seen[SUBJECTS] = { 0 };
    if (store_reader_open(w.store, &r, NULL) != OK) {
        race.failed++;
        return NULL;
    }
    unsigned at = 1;
    while (!atomic_load(&race.over)) {
        at = at * 1103515245u + 12345u;
        int i = (int)(at >> 16) % SUBJECTS;
        look(r, i, &seen[i]);
    }
    store_reader_close(&r);
    return NULL;
}

static void write_group(int n)
{
    char id[16];
    int subject = n * 7 % SUBJECTS;
    bool roll_back = n % 5 == 4;
    (void)snprintf(id, sizeof id, "s%d", subject);
    world_begin(&w);
    if (roll_back) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct consent_answer ans;
        struct consent_request q = { .source = ACT_PRIVATE_KEY, .received_ms = w.now };
        q.body = arena_printf(&a,
                              "{\"subject\":{\"id\":\"%s\"},\"preferences\":{\"letters\":true},"
                              "\"versions\":{\"letters\":99}}",
                              id);
        assert_int_equal(ledger_add_consent(w.ledger, w.policy, &q, &a, &ans, &w.info), OK);
        assert_true(now(id)->seq > 0);
        store_rollback(w.store);
        ledger_rolled_back(w.ledger);
        return;
    }
    add(id, n % 2 ? "{\"statistics\":true}" : "{\"statistics\":false}");
    int64_t seq = now(id)->seq;
    world_commit(&w);
    atomic_store(&race.announced[subject], seq);
}

static void readers_never_see_what_was_before_an_announced_commit(void **state)
{
    (void)state;
    pthread_t thread[READERS];
    ledger_close(&w.ledger);
    assert_int_equal(ledger_open_sized(w.store, CACHED, &w.ledger, &w.info), OK);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, read_along, NULL), 0);
    for (int n = 0; n < GROUPS; n++) {
        w.now++;
        write_group(n);
    }
    while (atomic_load(&race.looked) < 2000 && atomic_load(&race.failed) == 0)
        sched_yield();
    atomic_store(&race.over, true);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(race.failed, 0);
    assert_int_equal(race.stale, 0);
    assert_int_equal(race.backwards, 0);
    assert_int_equal(race.uncommitted, 0);
}

int main(void)
{
#define C(test) cmocka_unit_test_setup_teardown(test, open_cache, close_cache)
#define W(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
    const struct CMUnitTest tests[] = {
        C(the_least_recently_used_goes_first),
        C(readers_share_a_bounded_table_of_their_own),
        C(what_a_group_changes_is_seen_by_the_loop_now_and_by_others_after),
        C(a_group_that_is_rolled_back_was_never_there),
        C(a_group_larger_than_the_cache_loses_nothing),
        C(a_load_that_a_commit_overtakes_gives_what_was_committed),
        C(a_load_that_fails_leaves_nothing),
        C(a_blocked_subject_is_restricted_until_a_commit_concerns_her),
        C(a_blocked_subject_is_restricted_also_when_she_is_read_only_then),
        C(a_block_does_not_hide_that_she_is_restricted_anyway),
        C(with_too_many_blocked_everybody_is),
        W(acts_count_for_the_loop_at_once_and_for_others_after_the_commit),
        W(a_restriction_by_another_verb_is_seen),
        W(a_block_holds_for_the_loop_and_for_readers),
        W(what_a_full_disk_refused_does_not_count_and_its_subject_is_blocked),
        W(readers_never_see_what_was_before_an_announced_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
