#include "store/segment.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

static struct stored_event full_event(void)
{
    struct stored_event e = { .received_ms = 1767225600123,
                              .timestamp_ms = -5,
                              .message_hash = UINT64_MAX,
                              .act_seq = 77,
                              .lowered_uses = 1ull << 31,
                              .flags = STORED_TEST | STORED_DNT,
                              .generation = 3,
                              .device = STR("device"),
                              .person = STR("perſon"),
                              .lowered = STR("\1\0\0\0\2\0\0\0"),
                              .body = STR("{\"a\":1}") };
    for (int i = 0; i < 16; i++)
        e.id.b[i] = (uint8_t)(i * 17);
    e.verdict[0] = REASON_PERMITTED | STORED_DEVICE_FIELDS;
    e.verdict[LIMIT_DESTINATIONS - 1] = REASON_SIGNAL;
    return e;
}

static void assert_same(const struct stored_event *a, const struct stored_event *b)
{
    assert_memory_equal(&a->id, &b->id, sizeof a->id);
    assert_int_equal(a->received_ms, b->received_ms);
    assert_int_equal(a->timestamp_ms, b->timestamp_ms);
    assert_true(a->message_hash == b->message_hash && a->lowered_uses == b->lowered_uses);
    assert_int_equal(a->act_seq, b->act_seq);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->generation, b->generation);
    assert_true(str_eq(a->device, b->device) && str_eq(a->person, b->person));
    assert_true(str_eq(a->lowered, b->lowered) && str_eq(a->body, b->body));
    assert_memory_equal(a->verdict, b->verdict, sizeof a->verdict);
}

static void events_come_out_as_they_went_in(void **state)
{
    (void)state;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    struct stored_event in[3] = { 0 }, out;
    in[0] = in[2] = full_event();
    in[2].person = (struct str){ 0 };
    in[2].verdict[LIMIT_DESTINATIONS - 1] = 0;
    for (int i = 0; i < 3; i++)
        assert_true(segment_add(&b, &in[i]));
    assert_int_equal(b.count, 3);
    struct segment_cursor c;
    struct str entry;
    size_t bytes = 0;
    segment_start(buf_view(&b.entries), &c);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(c.index, i);
        assert_int_equal(segment_next(&c, &out, &entry), OK);
        assert_same(&in[i], &out);
        assert_ptr_equal(entry.p, b.entries.p + bytes);
        bytes += entry.n;
    }
    assert_int_equal(bytes, b.entries.n);
    assert_int_equal(segment_next(&c, &out, &entry), ERR_NOT_FOUND);
    assert_int_equal(segment_next(&c, &out, &entry), ERR_NOT_FOUND);
    segment_builder_clear(&b);
    assert_int_equal(b.count + b.entries.n, 0);
}

static void a_segment_takes_no_more_than_its_limit(void **state)
{
    (void)state;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    AUTO(free_ptr) char *body = calloc(1, LIMIT_GROUP_BYTES + 1);
    struct stored_event e = { .body = { body, LIMIT_GROUP_BYTES } };
    assert_false(segment_add(&b, &e));
    e.body.n = LIMIT_GROUP_BYTES - 10;
    assert_false(segment_add(&b, &e));
    assert_int_equal(b.count + b.entries.n, 0);
    e.body.n = LIMIT_GROUP_BYTES - 100;
    assert_true(segment_add(&b, &e));
    size_t n = b.entries.n;
    e.body.n = 100;
    assert_false(segment_add(&b, &e));
    assert_int_equal(b.entries.n, n);
    assert_int_equal(b.count, 1);
}

/* Each length must be right to the byte. */
static void a_cut_or_changed_entry_is_corrupt(void **state)
{
    (void)state;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    struct stored_event e = full_event(), out;
    assert_true(segment_add(&b, &e));
    struct segment_cursor c;
    struct str entry;
    for (size_t n = 1; n < b.entries.n; n++) {
        /* in memory of its own, so that a sanitizer sees a read past it */
        AUTO(free_ptr) char *cut = malloc(n);
        memcpy(cut, b.entries.p, n);
        segment_start((struct str){ cut, n }, &c);
        assert_int_equal(segment_next(&c, &out, &entry), ERR_CORRUPT);
        assert_int_equal(c.index, 0);
    }
    for (size_t at = 0; at < 16; at++) { /* the lengths, the format, the number of verdicts */
        for (int bit = 0; bit < 8; bit++) {
            b.entries.p[at] ^= (char)(1 << bit);
            segment_start(buf_view(&b.entries), &c);
            assert_int_equal(segment_next(&c, &out, &entry), ERR_CORRUPT);
            b.entries.p[at] ^= (char)(1 << bit);
        }
    }
}

static void a_verdict_that_is_none_counts_as_an_unknown_use(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        struct stored_event e = { .verdict = { [3] = (uint8_t)byte } };
        int reason = byte & STORED_REASON;
        assert_int_equal(stored_reason(&e, 3), reason < REASON_COUNT ? reason : REASON_UNKNOWN_USE);
        assert_non_null(reason_name(stored_reason(&e, 3)));
    }
}

static void there_is_one_way_to_write_an_event(void **state)
{
    (void)state;
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    struct stored_event e = { .body = STR("{}"), .verdict = { 1, 2 } }, out;
    assert_true(segment_add(&b, &e));
    struct segment_cursor c;
    struct str entry;
    b.entries.p[b.entries.n - 3] = 0; /* the last verdict, before the body */
    segment_start(buf_view(&b.entries), &c);
    assert_int_equal(segment_next(&c, &out, &entry), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_as_they_went_in),
        cmocka_unit_test(a_segment_takes_no_more_than_its_limit),
        cmocka_unit_test(a_cut_or_changed_entry_is_corrupt),
        cmocka_unit_test(a_verdict_that_is_none_counts_as_an_unknown_use),
        cmocka_unit_test(there_is_one_way_to_write_an_event),
    };
    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
