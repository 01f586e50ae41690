#include "store_make.h"

static void segments_come_back_in_order(void **state)
{
    struct made *m = *state;
    assert_int_equal(store_newest_segment(m->r), 0);
    struct chain_head one = add_events(m, "d1", 3, 100);
    begin(m);
    (void)add_subject(m, "ada");
    (void)commit(m); /* a group without events: no segment */
    struct chain_head three = add_events(m, "d2", 1, 100);
    assert_int_equal(store_newest_segment(m->r), three.group);
    struct segment_found f;
    ok(store_next_permitted(m->r, 0, UINT32_MAX, &m->a, &f));
    assert_int_equal(f.number, one.group);
    assert_int_equal(f.at_ms, one.at_ms);
    ok(store_next_permitted(m->r, f.number, UINT32_MAX, &m->a, &f));
    assert_int_equal(f.number, three.group);
    assert_int_equal(store_next_permitted(m->r, f.number, UINT32_MAX, &m->a, &f), ERR_NOT_FOUND);
    assert_int_equal(store_get_segment(m->r, 2, &m->a, &f), ERR_NOT_FOUND);
    ok(store_get_segment(m->r, 1, &m->a, &f));
    struct segment_cursor c;
    struct stored_event e;
    struct str entry;
    segment_start(f.bytes, &c);
    for (int i = 0; i < 3; i++) {
        ok(segment_next(&c, &e, &entry));
        assert_true(str_eq(e.device, STR("d1")));
        assert_int_equal(e.body.n, 100);
    }
    assert_int_equal(segment_next(&c, &e, &entry), ERR_NOT_FOUND);
}

static void an_event_is_found_by_its_id(void **state)
{
    struct made *m = *state;
    enum { GROUPS = 20, EACH = 5 };
    struct id id[GROUPS][EACH];
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    for (int g = 0; g < GROUPS; g++) {
        segment_builder_clear(&b);
        for (int i = 0; i < EACH; i++)
            id[g][i] = add_event(m, &b, "d", NULL, 60);
        begin(m);
        ok(store_add_segment(m->s, &b));
        (void)commit(m);
        made_ms += 1000;
    }
    for (int g = 0; g < GROUPS; g++) {
        for (int i = 0; i < EACH; i++) {
            int64_t segment;
            uint32_t index;
            ok(store_find_event(m->r, &id[g][i], &segment, &index));
            assert_int_equal(segment, g + 1);
            assert_int_equal(index, i);
        }
    }
    struct id other = id_new(made_ms - 3);
    int64_t segment;
    uint32_t index;
    assert_int_equal(store_find_event(m->r, &other, &segment, &index), ERR_NOT_FOUND);
    other = id_new(1);
    assert_int_equal(store_find_event(m->r, &other, &segment, &index), ERR_NOT_FOUND);
}

static void an_event_is_found_in_a_group_that_spans_a_day(void **state)
{
    struct made *m = *state;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    struct id early = add_event(m, &b, "d", NULL, 60);
    made_ms += 86400000;
    (void)add_event(m, &b, "d", NULL, 60);
    begin(m);
    ok(store_add_segment(m->s, &b));
    (void)commit(m);
    int64_t segment;
    uint32_t index = 9;
    ok(store_find_event(m->r, &early, &segment, &index));
    assert_int_equal(index, 0);
}

struct seen {
    uint32_t count;
    int64_t first_ms, last_ms;
    uint64_t sum;
};

static void see(void *ctx, uint64_t hash, int64_t received_ms)
{
    struct seen *s = ctx;
    if (s->count++ == 0)
        s->first_ms = received_ms;
    assert_true(received_ms >= s->last_ms);
    s->last_ms = received_ms;
    s->sum += hash;
}

static void messages_of_the_window_are_told_oldest_first(void **state)
{
    struct made *m = *state;
    int64_t start = made_ms;
    uint64_t sum = 0;
    for (int g = 0; g < 10; g++)
        (void)add_events(m, "d", 4, 50); /* each takes 5 ms, the commit's included */
    struct seen all = { 0 }, some = { 0 };
    ok(store_each_message(m->r, 0, see, &all));
    assert_int_equal(all.count, 40);
    assert_int_equal(all.first_ms, start + 1);
    ok(store_each_message(m->r, start + 13, see, &some)); /* in the middle of the third group */
    assert_int_equal(some.count, 30);
    assert_int_equal(some.first_ms, start + 13);
    for (int64_t ms = start + 13; ms <= made_ms; ms++)
        sum += (ms - start) % 5 ? (uint64_t)ms * 0x9E3779B97F4A7C15u : 0;
    assert_true(some.sum == sum);
}

static void a_segment_of_the_largest_size_goes_in_and_out(void **state)
{
    struct made *m = *state;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    static char body[LIMIT_EVENT];
    memset(body, 'x', sizeof body);
    struct stored_event e = { .received_ms = 5,
                              .verdict = { REASON_PERMITTED },
                              .body = { body, sizeof body } };
    while (segment_add(&b, &e)) {
    }
    assert_true(b.entries.n > LIMIT_GROUP_BYTES - sizeof body - 200);
    e.body.n = 10; /* a full one still takes what fits */
    assert_true(segment_add(&b, &e));
    begin(m);
    ok(store_add_segment(m->s, &b));
    (void)commit(m);
    struct segment_found f;
    ok(store_next_permitted(m->r, 0, UINT32_MAX, &m->a, &f));
    assert_true(str_eq(f.bytes, buf_view(&b.entries)));
}

#define T(name)                                                                                    \
    {                                                                                              \
#name, name, NULL, NULL, NULL                                                              \
    }
const struct CMUnitTest suite_event[] = {
    T(segments_come_back_in_order),
    T(an_event_is_found_by_its_id),
    T(an_event_is_found_in_a_group_that_spans_a_day),
    T(messages_of_the_window_are_told_oldest_first),
    T(a_segment_of_the_largest_size_goes_in_and_out),
};
const size_t suite_event_count = COUNT(suite_event);
