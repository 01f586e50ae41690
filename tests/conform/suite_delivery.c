#include "store_make.h"

#include <stdio.h>

/* ---- making requests ---- */

enum { ITEMS = 8 };
struct outgoing {
    struct delivery_request q;
    struct delivery_item item[ITEMS];
};

static void fill(struct outgoing *o, uint32_t slot, int64_t segment, uint32_t first, uint32_t count)
{
    int64_t now = ++made_ms;
    *o = (struct outgoing){ .q = { .id = id_new(now),
                                   .slot = slot,
                                   .attempts = 1,
                                   .at_ms = now,
                                   .fields = STR("event,type"),
                                   .item_count = count } };
    for (uint32_t i = 0; i < count; i++)
        o->item[i] = (struct delivery_item){ .segment = segment, .index = first + i };
    o->q.item = o->item;
}

static void mark(struct made *m, struct outgoing *o, int64_t segment, uint32_t index)
{
    begin(m);
    ok(store_mark_sending(m->s, &o->q, &(struct delivery_cursor){ segment, index }));
    (void)commit(m);
}

static void finish(struct made *m, struct outgoing *o, const char *subject)
{
    uint64_t hash = store_subject_hash(m->r, str_of(subject));
    begin(m);
    ok(store_finish_sending(m->s, &o->q, &hash, subject ? 1 : 0));
    (void)commit(m);
}

static void set_results(struct outgoing *o, enum delivery_result result)
{
    for (uint32_t i = 0; i < o->q.item_count; i++)
        o->item[i].result = result;
}

static uint32_t pending(struct made *m, int slot, enum pending_state state, int64_t due_ms,
                        struct delivery_request *ret_first)
{
    struct delivery_request *q;
    uint32_t n;
    ok(store_list_pending(m->r, slot, state, due_ms, 100, &m->a, &q, &n));
    if (n && ret_first)
        *ret_first = q[0];
    return n;
}

static uint32_t deliveries(struct made *m, int64_t segment, uint32_t index,
                           struct event_delivery *ret_d)
{
    struct event_delivery *d;
    uint32_t n;
    ok(store_event_deliveries(m->r, segment, index, &m->a, &d, &n));
    if (n)
        *ret_d = d[n - 1];
    return n;
}

static uint64_t sent(struct made *m, const char *subject, uint32_t limit, uint32_t *ret_count,
                     struct sent_found **ret_sent)
{
    uint64_t total = 99;
    ok(store_list_sent(m->r, str_of(subject), limit, &m->a, ret_sent, ret_count, &total));
    return total;
}

/* ---- */

static void a_cursor_starts_at_zero_and_stays_where_it_is_put(void **state)
{
    struct made *m = *state;
    struct delivery_cursor c = { 9, 9 };
    ok(store_get_cursor(m->r, 3, &c));
    assert_int_equal(c.segment + c.index, 0);
    begin(m);
    ok(store_set_cursor(m->s, 3, &(struct delivery_cursor){ 7, 2 }));
    ok(store_set_cursor(m->s, 3, &(struct delivery_cursor){ 8, 1 }));
    (void)commit(m);
    ok(store_get_cursor(m->r, 3, &c));
    assert_int_equal(c.segment, 8);
    assert_int_equal(c.index, 1);
}

static void sending_is_on_record_before_its_end(void **state)
{
    struct made *m = *state;
    int64_t segment = add_events(m, "ada", 3, 80).group;
    struct outgoing o;
    fill(&o, 1, segment, 0, 3);
    mark(m, &o, segment, 0);
    struct delivery_cursor c;
    ok(store_get_cursor(m->r, 1, &c));
    assert_int_equal(c.segment, segment);
    struct delivery_request q = { 0 };
    assert_int_equal(pending(m, 1, PENDING_SENDING, 0, &q), 1);
    assert_memory_equal(&q.id, &o.q.id, sizeof q.id);
    assert_int_equal(q.item_count, 3);
    assert_int_equal(q.item[2].segment, segment);
    assert_int_equal(q.item[2].index, 2);
    assert_int_equal(q.attempts, 1);
    assert_string_equal(q.fields.p, "event,type");
    assert_int_equal(pending(m, 0, PENDING_SENDING, 0, NULL), 0);
    assert_int_equal(pending(m, -1, PENDING_SENDING, 0, NULL), 1);
    struct event_delivery d;
    assert_int_equal(deliveries(m, segment, 1, &d), 1);
    assert_int_equal(d.result, DELIVERY_UNCERTAIN);
    set_results(&o, DELIVERY_SENT);
    finish(m, &o, "ada");
    assert_int_equal(pending(m, -1, PENDING_SENDING, 0, NULL), 0);
    assert_int_equal(deliveries(m, segment, 1, &d), 1);
    assert_int_equal(d.result, DELIVERY_SENT);
    assert_int_equal(d.slot, 1);
    assert_int_equal(deliveries(m, segment, 7, &d), 0);
    assert_int_equal(deliveries(m, segment + 1, 0, &d), 0);
}

static void two_events_of_one_request_have_their_own_names(void **state)
{
    struct made *m = *state;
    int64_t segment = add_events(m, "ada", 4, 80).group;
    struct outgoing o;
    fill(&o, 1, segment, 0, 4);
    o.q.fields = STR("event,type\n\nevent,properties.product,type");
    static const uint32_t set[] = { 2, 0, 1, 2 };
    static const char *const names[] = { "event,type", "", "event,properties.product,type" };
    for (int i = 0; i < 4; i++)
        o.item[i].fields = set[i];
    mark(m, &o, segment, 0);
    struct delivery_request q = { 0 };
    struct event_delivery d;
    struct str one;
    assert_int_equal(pending(m, 1, PENDING_SENDING, 0, &q), 1);
    for (uint32_t i = 0; i < 4; i++) { /* on its way */
        assert_true(delivery_fields(q.fields, q.item[i].fields, &one));
        assert_true(str_eq(one, str_of(names[set[i]])));
        assert_int_equal(deliveries(m, segment, i, &d), 1);
        assert_string_equal(d.fields.p, names[set[i]]);
    }
    set_results(&o, DELIVERY_SENT);
    o.item[3].result = DELIVERY_RETRY; /* in a row of its own */
    finish(m, &o, "ada");
    assert_int_equal(pending(m, 1, PENDING_RETRY, INT64_MAX, &q), 1);
    assert_true(delivery_fields(q.fields, q.item[0].fields, &one));
    assert_true(str_eq(one, str_of(names[2])));
    struct sent_found *found;
    uint32_t n;
    assert_int_equal(sent(m, "ada", 10, &n, &found), 3);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(deliveries(m, segment, i, &d), 1);
        assert_string_equal(d.fields.p, names[set[i]]);
        if (i < 3)
            assert_string_equal(found[2 - i].fields.p, names[set[i]]);
    }
}

static void a_set_of_names_is_found_by_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *sets;
        uint32_t number;
        const char *names; /* NULL: there is none */
    } rows[] = {
        { "", 0, "" },      { "", 1, NULL },      { "a,b", 0, "a,b" },       { "a,b", 1, NULL },
        { "a\n", 1, "" },   { "a\n", 2, NULL },   { "\nb", 0, "" },          { "\nb", 1, "b" },
        { "a\nb", 1, "b" }, { "a\n\nb", 2, "b" }, { "a", UINT32_MAX, NULL }, { NULL, 0, "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str names = STR("untouched");
        bool is = delivery_fields(str_of(rows[i].sets), rows[i].number, &names);
        assert_int_equal(is, rows[i].names != NULL);
        assert_true(str_eq(names, is ? str_of(rows[i].names) : STR("untouched")));
    }
}

static void a_rolled_back_mark_moves_no_cursor(void **state)
{
    struct made *m = *state;
    int64_t segment = add_events(m, "ada", 1, 80).group;
    struct outgoing o;
    fill(&o, 1, segment, 0, 1);
    begin(m);
    ok(store_mark_sending(m->s, &o.q, &(struct delivery_cursor){ segment, 0 }));
    store_rollback(m->s);
    struct delivery_cursor c;
    ok(store_get_cursor(m->r, 1, &c));
    assert_int_equal(c.segment, 0);
    assert_int_equal(pending(m, -1, PENDING_SENDING, 0, NULL), 0);
}

static void a_retry_keeps_its_id_while_all_of_it_remains(void **state)
{
    struct made *m = *state;
    int64_t segment = add_events(m, "ada", 3, 80).group;
    struct outgoing o;
    fill(&o, 1, segment, 0, 3);
    mark(m, &o, segment, 0);
    set_results(&o, DELIVERY_RETRY);
    o.q.next_ms = 5000;
    o.q.error = STR("503");
    finish(m, &o, NULL);
    struct delivery_request q = { 0 };
    assert_int_equal(pending(m, 1, PENDING_RETRY, 4999, &q), 0);
    assert_int_equal(pending(m, 1, PENDING_RETRY, 5000, &q), 1);
    assert_memory_equal(&q.id, &o.q.id, sizeof q.id);
    assert_string_equal(q.error.p, "503");
    assert_int_equal(q.item[0].result, DELIVERY_RETRY);
    o.q.attempts = 2; /* again */
    begin(m);
    ok(store_mark_sending(m->s, &o.q, NULL));
    (void)commit(m);
    assert_int_equal(pending(m, 1, PENDING_RETRY, 5000, NULL), 0);
    assert_int_equal(pending(m, 1, PENDING_SENDING, 0, &q), 1);
    assert_int_equal(q.attempts, 2);
    set_results(&o, DELIVERY_SENT);
    finish(m, &o, "ada");
    struct event_delivery d;
    assert_int_equal(deliveries(m, segment, 0, &d), 1);
    assert_int_equal(d.attempts, 2);
    struct delivery_cursor c;
    ok(store_get_cursor(m->r, 1, &c));
    assert_int_equal(c.segment, segment);
}

static void what_remains_of_a_request_gets_an_id_of_its_own(void **state)
{
    struct made *m = *state;
    int64_t segment = add_events(m, "ada", 5, 80).group;
    struct outgoing o;
    fill(&o, 1, segment, 0, 5);
    mark(m, &o, segment, 0);
    const enum delivery_result result[] = { DELIVERY_DROPPED, DELIVERY_RETRY, DELIVERY_DEAD,
                                            DELIVERY_RETRY, DELIVERY_UNCERTAIN };
    for (int i = 0; i < 5; i++)
        o.item[i].result = result[i];
    o.item[0].reason = REASON_WITHDRAWN;
    finish(m, &o, "ada");
    struct delivery_request retry, dead;
    assert_int_equal(pending(m, -1, PENDING_RETRY, INT64_MAX, &retry), 1);
    assert_int_equal(pending(m, -1, PENDING_DEAD, 0, &dead), 1);
    assert_memory_not_equal(&retry.id, &o.q.id, sizeof retry.id);
    assert_memory_not_equal(&dead.id, &o.q.id, sizeof dead.id);
    assert_memory_not_equal(&dead.id, &retry.id, sizeof dead.id);
    assert_int_equal(retry.item_count, 2);
    assert_int_equal(retry.item[1].index, 3);
    assert_int_equal(dead.item_count, 1);
    for (uint32_t i = 0; i < 5; i++) {
        struct event_delivery d;
        assert_int_equal(deliveries(m, segment, i, &d), 1);
        assert_int_equal(d.result, result[i]);
        assert_int_equal(d.reason, i == 0 ? REASON_WITHDRAWN : 0);
    }
}

static uint32_t outcomes(struct made *m, int64_t segment, struct outcome **ret_o)
{
    uint32_t n = 99;
    ok(store_segment_outcomes(m->r, segment, &m->a, ret_o, &n));
    return n;
}

static void a_segment_tells_what_became_of_each_of_its_events(void **state)
{
    struct made *m = *state;
    int64_t segment = add_events(m, "ada", 4, 80).group, other = add_events(m, "eve", 1, 80).group;
    struct outcome *o;
    assert_int_equal(outcomes(m, segment, &o), 0);
    struct outgoing first, second;
    fill(&first, 1, segment, 0, 4);
    first.item[3].segment = other; /* of another segment: not told here */
    first.item[3].index = 0;
    mark(m, &first, segment, 0);
    assert_int_equal(outcomes(m, segment, &o), 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(o[i].sending && o[i].index == i && o[i].slot == 1 && o[i].attempts == 1);
    const enum delivery_result result[] = { DELIVERY_DROPPED, DELIVERY_RETRY, DELIVERY_DEAD,
                                            DELIVERY_SENT };
    for (int i = 0; i < 4; i++)
        first.item[i].result = result[i];
    first.item[0].reason = REASON_WITHDRAWN;
    first.q.at_ms += 5;
    finish(m, &first, "ada");
    fill(&second, 2, segment, 1, 1);
    second.item[0].result = DELIVERY_UNCERTAIN;
    mark(m, &second, segment, 2);
    finish(m, &second, "ada");
    assert_int_equal(outcomes(m, segment, &o), 4);
    for (uint32_t i = 0; i < 4; i++) {
        bool of_second = o[i].slot == 2;
        assert_false(o[i].sending);
        assert_int_equal(o[i].result, of_second ? DELIVERY_UNCERTAIN : result[o[i].index]);
        assert_int_equal(o[i].reason, o[i].index == 0 ? REASON_WITHDRAWN : 0);
        assert_int_equal(o[i].at_ms, of_second ? second.q.at_ms : first.q.at_ms);
        assert_true(i == 0 || o[i - 1].index <= o[i].index);
    }
    assert_int_equal(outcomes(m, other, &o), 1);
    assert_int_equal(o[0].result, DELIVERY_SENT);
    assert_int_equal(outcomes(m, other + 1, &o), 0);
}

static void a_request_that_lost_items_is_refused(void **state)
{
    struct made *m = *state;
    int64_t segment = add_events(m, "ada", 3, 80).group;
    struct outgoing o;
    fill(&o, 1, segment, 0, 3);
    mark(m, &o, segment, 0);
    set_results(&o, DELIVERY_SENT);
    o.q.item_count = 2;
    begin(m);
    assert_int_equal(store_finish_sending(m->s, &o.q, NULL, 0), ERR_VALUE);
    store_rollback(m->s);
    assert_int_equal(pending(m, -1, PENDING_SENDING, 0, NULL), 1);
}

static void dead_letters_are_revived_one_by_one_or_all(void **state)
{
    struct made *m = *state;
    int64_t segment = add_events(m, "ada", 4, 80).group;
    struct outgoing o[4];
    for (uint32_t i = 0; i < 4; i++) {
        fill(&o[i], i < 2 ? 1 : 2, segment, i, 1);
        o[i].q.attempts = 12;
        mark(m, &o[i], segment, 0);
        set_results(&o[i], DELIVERY_DEAD);
        finish(m, &o[i], NULL);
    }
    assert_int_equal(pending(m, -1, PENDING_DEAD, 0, NULL), 4);
    uint32_t n;
    begin(m);
    ok(store_revive_dead(m->s, -1, &o[3].q.id, 777, &n));
    assert_int_equal(n, 1);
    ok(store_revive_dead(m->s, 1, &o[2].q.id, 777, &n)); /* of another slot */
    assert_int_equal(n, 0);
    (void)commit(m);
    struct delivery_request q = { 0 };
    assert_int_equal(pending(m, -1, PENDING_RETRY, 777, &q), 1);
    assert_memory_equal(&q.id, &o[3].q.id, sizeof q.id);
    assert_int_equal(q.attempts, 0);
    begin(m);
    ok(store_revive_dead(m->s, 0, NULL, 778, &n)); /* slot 0 is not all */
    assert_int_equal(n, 0);
    ok(store_revive_dead(m->s, 1, NULL, 778, &n));
    assert_int_equal(n, 2);
    ok(store_revive_dead(m->s, -1, NULL, 778, &n));
    assert_int_equal(n, 1);
    (void)commit(m);
    assert_int_equal(pending(m, -1, PENDING_DEAD, 0, NULL), 0);
    assert_int_equal(pending(m, 2, PENDING_RETRY, 778, NULL), 2);
}

static void what_was_sent_of_a_subject_is_found_newest_first(void **state)
{
    struct made *m = *state;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    struct id id[6];
    for (int i = 0; i < 6; i++) /* hers are 0, 2 and, as a person, 4 */
        id[i] = add_event(m, &b, i % 2 ? "eve" : i == 4 ? "dev" : "ada", i == 4 ? "ada" : NULL, 80);
    begin(m);
    ok(store_add_segment(m->s, &b));
    int64_t segment = commit(m).group;
    struct outgoing o;
    fill(&o, 1, segment, 0, 4);
    mark(m, &o, segment, 0);
    set_results(&o, DELIVERY_SENT);
    o.item[0].result = DELIVERY_DROPPED;
    finish(m, &o, "ada");
    fill(&o, 2, segment, 0, 6);
    mark(m, &o, segment, 0);
    set_results(&o, DELIVERY_UNCERTAIN);
    finish(m, &o, "ada");
    struct sent_found *found;
    uint32_t n;
    assert_int_equal(sent(m, "ada", 100, &n, &found), 4);
    assert_int_equal(n, 4);
    const int expected[] = { 4, 2, 0, 2 };
    for (int i = 0; i < 4; i++) {
        assert_memory_equal(&found[i].event, &id[expected[i]], sizeof id[0]);
        assert_int_equal(found[i].slot, i < 3 ? 2 : 1);
        assert_int_equal(found[i].result, i < 3 ? DELIVERY_UNCERTAIN : DELIVERY_SENT);
        assert_string_equal(found[i].fields.p, "event,type");
    }
    assert_int_equal(sent(m, "ada", 2, &n, &found), 4);
    assert_int_equal(n, 2);
    assert_int_equal(sent(m, "eve", 2, &n, &found), 0); /* nobody said that hers went */
    assert_int_equal(sent(m, "nobody", 2, &n, &found), 0);
}

static uint64_t waiting_for(struct made *m, const char *subject, uint32_t slots)
{
    uint64_t n = 99;
    ok(store_count_waiting(m->r, str_of(subject), slots, &n));
    return n;
}

static uint64_t waiting(struct made *m, const char *subject, uint32_t slot)
{
    return waiting_for(m, subject, 1u << slot);
}

static void what_waits_is_counted_behind_the_cursors(void **state)
{
    struct made *m = *state;
    int64_t segment[3];
    for (int i = 0; i < 3; i++)
        segment[i] = add_events(m, i == 1 ? "eve" : "ada", 4, 80).group;
    assert_int_equal(waiting(m, "ada", 0), 8);
    assert_int_equal(waiting(m, "ada", 1), 8);
    assert_int_equal(waiting(m, "ada", 2), 0); /* denied for it when they came */
    assert_int_equal(waiting(m, "ada", 3), 0);
    assert_int_equal(waiting(m, "eve", 0), 4);
    assert_int_equal(waiting(m, "nobody", 0), 0);
    assert_int_equal(waiting_for(m, "ada", 0), 0);
    assert_int_equal(waiting_for(m, "ada", 0xf), 16);
    begin(m);
    ok(store_set_cursor(m->s, 0, &(struct delivery_cursor){ 0, 1 }));
    ok(store_set_cursor(m->s, 1, &(struct delivery_cursor){ segment[1], 3 }));
    (void)commit(m);
    assert_int_equal(waiting(m, "ada", 0), 7);
    assert_int_equal(waiting(m, "ada", 1), 1);
    assert_int_equal(waiting_for(m, "ada", 0x3), 8);
    assert_int_equal(waiting(m, "eve", 1), 0);
    begin(m);
    ok(store_set_cursor(m->s, 0, &(struct delivery_cursor){ segment[2], 0 }));
    ok(store_set_cursor(m->s, 1, &(struct delivery_cursor){ segment[2], 0 }));
    (void)commit(m);
    assert_int_equal(waiting_for(m, "ada", 0x3), 0);
    struct outgoing o;
    fill(&o, 1, segment[2], 2, 2);
    mark(m, &o, segment[2], 0);
    assert_int_equal(waiting(m, "ada", 1), 0); /* on its way */
    set_results(&o, DELIVERY_RETRY);
    finish(m, &o, NULL);
    assert_int_equal(waiting(m, "ada", 1), 2);
    assert_int_equal(waiting(m, "ada", 0), 0);
    assert_int_equal(waiting(m, "eve", 1), 0);
}

/* ---- what only deliveries needed ---- */

static void keep_n(void *ctx, const struct stored_event *e, struct buf *ret_body)
{
    (void)ctx;
    if (e->received_ms % 2)
        buf_lit(ret_body, "{\"n\":1}");
}

static void keep_all(void *ctx, const struct stored_event *e, struct buf *ret_body)
{
    (void)ctx;
    buf_str(ret_body, e->body);
}

static uint32_t strip(struct made *m, int64_t last, uint32_t most, store_keep_fn keep)
{
    uint32_t done = 99;
    begin(m);
    ok(store_strip_segments(m->s, last, most, ++made_ms, 0, keep, NULL, &done));
    (void)commit(m);
    return done;
}

static size_t body_bytes(struct made *m)
{
    size_t n = 0;
    struct segment_found f = { 0 };
    while (store_next_permitted(m->r, f.number, UINT32_MAX, &m->a, &f) == OK) {
        struct segment_cursor c;
        struct stored_event e;
        struct str entry;
        segment_start(f.bytes, &c);
        while (segment_next(&c, &e, &entry) == OK)
            n += e.body.n;
    }
    return n;
}

static void stripping_cuts_bodies_and_the_chain_still_verifies(void **state)
{
    struct made *m = *state;
    int64_t last = 0;
    for (int i = 0; i < 5; i++)
        last = add_events(m, "ada", 4, 100).group;
    assert_int_equal(body_bytes(m), 2000);
    assert_int_equal(strip(m, 2, 100, keep_n), 2);
    assert_int_equal(body_bytes(m), 1200 + 4 * 7);
    assert_int_equal(faults(m->r, true), 0);
    assert_int_equal(strip(m, 2, 100, keep_n), 0);
    assert_int_equal(strip(m, last, 2, keep_n), 2);
    assert_int_equal(strip(m, last + 50, 100, keep_n), 1);
    assert_int_equal(body_bytes(m), 10 * 7);
    assert_int_equal(faults(m->r, true), 0);
    struct segment_found f;
    struct segment_cursor c;
    struct stored_event e;
    struct str entry;
    ok(store_get_segment(m->r, 1, &m->a, &f));
    segment_start(f.bytes, &c);
    while (segment_next(&c, &e, &entry) == OK) {
        assert_true(str_eq(e.device, STR("ada")));
        assert_int_equal(e.verdict[2], REASON_WITHDRAWN);
        int64_t segment;
        uint32_t index;
        ok(store_find_event(m->r, &e.id, &segment, &index));
        assert_int_equal(segment, 1);
    }
    struct verify_result result;
    ok(store_verify(m->r, NULL, NULL, &result, NULL));
    assert_int_equal(result.events, 20);
    assert_int_equal(result.emptied, 20);
    /* the own store's time is over */
    assert_int_equal(strip(m, 3, 100, NULL), 3);
    assert_int_equal(body_bytes(m), 4 * 7);
    assert_int_equal(strip(m, last, 100, NULL), 2);
    assert_int_equal(strip(m, last, 100, NULL), 0);
    assert_int_equal(body_bytes(m), 0);
}

static void stripping_that_changes_nothing_leaves_no_trace(void **state)
{
    struct made *m = *state;
    struct chain_head head = add_events(m, "ada", 4, 100), after;
    assert_int_equal(strip(m, head.group, 100, keep_all), 1);
    ok(store_newest_head(m->r, &after));
    assert_int_equal(after.group, head.group);
    struct verify_result result;
    ok(store_verify(m->r, NULL, NULL, &result, NULL));
    assert_int_equal(result.emptied, 0);
}

static void an_event_that_was_not_cut_keeps_its_leaf(void **state)
{
    struct made *m = *state;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    for (int i = 0; i < 4; i++)
        (void)add_event(m, &b, "ada", NULL, i == 3 ? 0 : 100);
    struct stored_event bare = { .received_ms = made_ms };
    assert_true(segment_add(&b, &bare)); /* without a body */
    begin(m);
    ok(store_add_segment(m->s, &b));
    (void)commit(m);
    assert_int_equal(strip(m, 1, 1, NULL), 1);
    struct verify_result result;
    ok(store_verify(m->r, NULL, NULL, &result, NULL));
    assert_int_equal(result.emptied, 4);
    assert_int_equal(result.faults, 0);
}

static void deduplication_survives_stripping(void **state)
{
    struct made *m = *state;
    (void)add_events(m, "ada", 2, 100);
    assert_int_equal(strip(m, 1, 1, NULL), 1);
    assert_int_equal(waiting(m, "ada", 0), 2);
}

/* ---- how a destination stands ---- */

static struct delivery_standing standing_of(struct made *m, uint32_t slot)
{
    struct delivery_standing s;
    ok(store_get_standing(m->r, slot, &s));
    return s;
}

static void a_destination_stands_as_it_was_last_said_and_no_other_does(void **state)
{
    struct made *m = *state;
    const struct delivery_standing none = { 0 },
                                   all = { 1795310651000, 1795310652000, 77, 1795310653000 },
                                   some = { .start_segment = 78, .paused_ms = 5 };
    begin(m);
    ok(store_set_standing(m->s, 3, &all));
    ok(store_set_standing(m->s, LIMIT_DESTINATIONS - 1, &some));
    (void)commit(m);
    for (uint32_t slot = 0; slot < LIMIT_DESTINATIONS; slot++) {
        struct delivery_standing s = standing_of(m, slot);
        const struct delivery_standing *expected = slot == 3                        ? &all
                                                   : slot == LIMIT_DESTINATIONS - 1 ? &some
                                                                                    : &none;
        assert_memory_equal(&s, expected, sizeof s);
    }
    begin(m);
    ok(store_set_standing(m->s, 3, &some));
    store_rollback(m->s);
    struct delivery_standing s = standing_of(m, 3);
    assert_memory_equal(&s, &all, sizeof s);
    begin(m);
    ok(store_set_standing(m->s, 3, &none));
    (void)commit(m);
    s = standing_of(m, 3);
    assert_memory_equal(&s, &none, sizeof s);
}

static void retries_of_one_destination_are_buried_and_can_be_revived(void **state)
{
    struct made *m = *state;
    (void)add_events(m, "ada", 8, 10);
    struct outgoing o[4];
    static const uint32_t slot[] = { 0, 0, 0, 1 };
    static const enum delivery_result result[] = { DELIVERY_RETRY, DELIVERY_RETRY, DELIVERY_SENT,
                                                   DELIVERY_RETRY };
    for (uint32_t i = 0; i < COUNT(o); i++) {
        fill(&o[i], slot[i], 1, 2 * i, 2);
        mark(m, &o[i], 1, 0);
        for (uint32_t k = 0; k < 2; k++)
            o[i].item[k].result = result[i];
        if (i == 1)
            o[i].q.error = STR("status 503");
        finish(m, &o[i], "ada");
    }
    uint32_t n;
    begin(m);
    ok(store_bury_retries(m->s, 0, STR("taken out"), 777, &n));
    (void)commit(m);
    assert_int_equal(n, 2);
    struct delivery_request *q;
    ok(store_list_pending(m->r, -1, PENDING_DEAD, INT64_MAX, 10, &m->a, &q, &n));
    assert_int_equal(n, 2);
    assert_true(str_eq(q[0].error, STR("taken out")));
    assert_true(str_eq(q[1].error, STR("status 503; taken out")));
    assert_true(q[0].at_ms == 777 && q[0].item_count == 2);
    ok(store_list_pending(m->r, -1, PENDING_RETRY, INT64_MAX, 10, &m->a, &q, &n));
    assert_int_equal(n, 1);
    assert_int_equal(q[0].slot, 1);
    begin(m);
    ok(store_revive_dead(m->s, 0, NULL, 778, &n));
    (void)commit(m);
    assert_int_equal(n, 2);
}

#define T(name)                                                                                    \
    {                                                                                              \
#name, name, NULL, NULL, NULL                                                              \
    }
const struct CMUnitTest suite_delivery[] = {
    T(a_cursor_starts_at_zero_and_stays_where_it_is_put),
    T(sending_is_on_record_before_its_end),
    T(two_events_of_one_request_have_their_own_names),
    T(a_set_of_names_is_found_by_its_number),
    T(a_rolled_back_mark_moves_no_cursor),
    T(a_retry_keeps_its_id_while_all_of_it_remains),
    T(what_remains_of_a_request_gets_an_id_of_its_own),
    T(a_segment_tells_what_became_of_each_of_its_events),
    T(a_request_that_lost_items_is_refused),
    T(dead_letters_are_revived_one_by_one_or_all),
    T(a_destination_stands_as_it_was_last_said_and_no_other_does),
    T(retries_of_one_destination_are_buried_and_can_be_revived),
    T(what_was_sent_of_a_subject_is_found_newest_first),
    T(what_waits_is_counted_behind_the_cursors),
    T(stripping_cuts_bodies_and_the_chain_still_verifies),
    T(stripping_that_changes_nothing_leaves_no_trace),
    T(an_event_that_was_not_cut_keeps_its_leaf),
    T(deduplication_survives_stripping),
};
const size_t suite_delivery_count = COUNT(suite_delivery);
