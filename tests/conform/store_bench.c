/* What the store costs, in CPU time of this process: run by hand,
 *   ninja -C build tests/conform/store_bench && build/tests/conform/store_bench */
#include "store_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double cpu_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double wall_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double cpu_from, wall_from;
static void start(void)
{
    cpu_from = cpu_us();
    wall_from = wall_us();
}
static void report(const char *what, double n)
{
    (void)printf("%-46s %9.2f us CPU %9.2f us wall\n", what, (cpu_us() - cpu_from) / n,
                 (wall_us() - wall_from) / n);
}

static void bench_groups(struct made *m, int groups, int events, bool with_add)
{
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    char what[64];
    double adding = 0;
    start();
    for (int g = 0; g < groups; g++) {
        segment_builder_clear(&b);
        for (int i = 0; i < events; i++)
            (void)add_event(m, &b, "0192f1de-7c1a-7000-8000-0123456789ab", NULL, 500);
        double t = cpu_us();
        begin(m);
        ok(store_add_segment(m->s, &b));
        (void)commit(m);
        adding += cpu_us() - t;
        if (g % 64 == 63)
            ok(store_checkpoint(m->r));
    }
    (void)with_add;
    (void)snprintf(what, sizeof what, "group of %d events, 500 bytes each", events);
    report(what, groups);
    (void)printf("%-46s %9.2f us CPU\n", "  of it begin to commit", adding / groups);
}

static void bench_acts(struct made *m, int n, int each)
{
    char what[64];
    begin(m);
    for (int i = 0; i < 1000; i++)
        (void)add_subject(m, arena_printf(&m->a, "subject-%04d", i).p);
    (void)commit(m);
    start();
    for (int i = 0; i < n; i += each) {
        begin(m);
        for (int k = 0; k < each; k++) {
            char id[32];
            (void)snprintf(id, sizeof id, "subject-%04d", rand() % 1000);
            (void)add_act(m,
                          &(struct act_spec){ .subject = id,
                                              .ip = "192.0.2.0",
                                              .preference = "newsletter",
                                              .purpose = 1 + (uint32_t)(i % 5),
                                              .version = 1,
                                              .source = ACT_PRIVATE_KEY },
                          NULL);
        }
        (void)commit(m);
        arena_clear(&m->a);
        if (i % 2048 < each)
            ok(store_checkpoint(m->r));
    }
    (void)snprintf(what, sizeof what, "act, %d in a group", each);
    report(what, n);
}

static void bench_snapshots(struct made *m, int n)
{
    start();
    for (int i = 0; i < n; i++) {
        char id[32];
        int len = snprintf(id, sizeof id, "subject-%04d", rand() % 1000);
        AUTO(free_ptr) struct snapshot *s = NULL;
        ok(store_load_snapshot(m->r, (struct str){ id, (size_t)len }, INT64_MAX, &s));
    }
    report("snapshot of a known subject", n);
    start();
    for (int i = 0; i < n; i++) {
        char id[48];
        int len = snprintf(id, sizeof id, "unknown-%d-%d", rand(), i);
        AUTO(free_ptr) struct snapshot *s = NULL;
        ok(store_load_snapshot(m->r, (struct str){ id, (size_t)len }, INT64_MAX, &s));
    }
    report("snapshot of an unknown subject", n);
}

static void bench_deliveries(struct made *m, int n)
{
    static struct delivery_item item[64];
    uint64_t hash[64];
    struct delivery_request q = {
        .slot = 1, .attempts = 1, .item = item, .item_count = 64, .fields = STR("event")
    };
    start();
    for (int i = 0; i < n; i++) {
        q.id = id_new(made_ms);
        for (uint32_t k = 0; k < 64; k++) {
            item[k] =
                (struct delivery_item){ .segment = i + 1, .index = k, .result = DELIVERY_SENT };
            hash[k] = (uint64_t)rand() % 100000;
        }
        begin(m);
        ok(store_mark_sending(m->s, &q, &(struct delivery_cursor){ i + 1, 0 }));
        (void)commit(m);
        begin(m);
        ok(store_finish_sending(m->s, &q, hash, 64));
        (void)commit(m);
        if (i % 256 == 255)
            ok(store_checkpoint(m->r));
    }
    report("request of 64 events, 64 people: mark, finish", n);
}

int main(void)
{
    void *state = NULL;
    (void)made_file(&state);
    struct made *m = state;
    bench_groups(m, 4000, 64, true);
    bench_groups(m, 4000, 1, true);
    bench_groups(m, 400, 1000, true);
    bench_acts(m, 20000, 1);
    bench_acts(m, 50000, 50);
    bench_snapshots(m, 200000);
    bench_deliveries(m, 1000);
    start();
    struct verify_result result;
    ok(store_verify(m->r, NULL, NULL, &result, NULL));
    report("verify, per fact and event", (double)(result.facts + result.events));
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    (void)printf("largest resident size %ld KB; %llu groups, %llu facts, %llu events\n",
                 u.ru_maxrss, (unsigned long long)result.groups, (unsigned long long)result.facts,
                 (unsigned long long)result.events);
    return unmade(&state);
}
