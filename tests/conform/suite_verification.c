#include "store_make.h"

#include "store/verification.h"

static struct verification get(struct made *m, int64_t seq)
{
    struct verification v;
    ok(store_get_verification(m->r, seq, &m->a, &v));
    return v;
}

static int64_t ask(struct made *m, const char *subject, char mark)
{
    begin(m);
    int64_t seq = add_verification(m, subject, mark, NULL);
    (void)commit(m);
    return seq;
}

static void end(struct made *m, int64_t seq, enum verification_outcome outcome)
{
    begin(m);
    ok(store_end_verification(m->s, seq, outcome, ++made_ms, STR("{\"o\":1}")));
    (void)commit(m);
}

static void people(struct made *m)
{
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_subject(m, "eve");
    (void)commit(m);
}

static void what_was_asked_comes_back_and_is_found_by_its_token(void **state)
{
    struct made *m = *state;
    struct verification v;
    uint8_t token[VERIFICATION_TOKEN];
    people(m);
    int64_t first = ask(m, "ada", 'a'), second = ask(m, "ada", 'b');
    memset(token, 'a', sizeof token);
    ok(store_find_verification(m->r, token, &m->a, &v));
    assert_int_equal(v.seq, first);
    assert_true(str_eq(v.subject, STR("ada")));
    assert_int_equal(v.outcome, VERIFICATION_OPEN);
    assert_int_equal(v.until_ms, v.at_ms + 1000);
    assert_non_null(memmem(v.payload.p, v.payload.n, "\"subject\":\"ada\"", 15));
    token[31] ^= 1;
    assert_int_equal(store_find_verification(m->r, token, &m->a, &v), ERR_NOT_FOUND);
    ok(store_newest_verification(m->r, STR("ada"), &m->a, &v));
    assert_int_equal(v.seq, second);
    assert_int_equal(store_newest_verification(m->r, STR("eve"), &m->a, &v), ERR_NOT_FOUND);
    assert_int_equal(store_newest_verification(m->r, STR("nobody"), &m->a, &v), ERR_NOT_FOUND);
}

static void one_about_nobody_is_refused(void **state)
{
    struct made *m = *state;
    int64_t seq;
    struct verification v = { .subject = STR("nobody") };
    begin(m);
    assert_int_equal(store_add_verification(m->s, &v, STR("{}"), &seq), ERR_NOT_FOUND);
    store_rollback(m->s);
}

static void it_ends_once(void **state)
{
    struct made *m = *state;
    people(m);
    int64_t yes = ask(m, "ada", 'a'), no = ask(m, "ada", 'b');
    end(m, yes, VERIFICATION_CONFIRMED);
    end(m, no, VERIFICATION_DISOWNED);
    assert_int_equal(get(m, yes).outcome, VERIFICATION_CONFIRMED);
    assert_int_equal(get(m, no).outcome, VERIFICATION_DISOWNED);
    assert_int_equal(get(m, no).ended_ms, made_ms - 1);
    begin(m);
    for (int outcome = VERIFICATION_CONFIRMED; outcome <= VERIFICATION_DISOWNED; outcome++)
        assert_int_equal(store_end_verification(m->s, yes, (enum verification_outcome)outcome,
                                                made_ms, STR("{}")),
                         ERR_CONFLICT);
    assert_int_equal(store_end_verification(m->s, 99, VERIFICATION_CONFIRMED, made_ms, STR("{}")),
                     ERR_NOT_FOUND);
    store_rollback(m->s);
}

static uint32_t due(struct made *m, int64_t now_ms, uint32_t limit, struct verification **ret_v)
{
    uint32_t n;
    ok(store_due_verifications(m->r, now_ms, limit, &m->a, ret_v, &n));
    return n;
}

static void letters_are_due_in_their_order_until_they_went_or_were_answered(void **state)
{
    struct made *m = *state;
    struct verification *v;
    people(m);
    int64_t seq[3];
    for (int i = 0; i < 3; i++)
        seq[i] = ask(m, i ? "ada" : "eve", (char)('a' + i));
    int64_t now = made_ms + 10;
    assert_int_equal(due(m, get(m, seq[0]).at_ms - 1, 9, &v), 0);
    assert_int_equal(due(m, now, 2, &v), 2);
    assert_int_equal(v[0].seq, seq[0]);
    begin(m);
    ok(store_note_letter(m->s, seq[0],
                         &(struct verification_letter){
                             .next_ms = now + 5, .attempts = 1, .error = STR("status 451") }));
    ok(store_note_letter(m->s, seq[1],
                         &(struct verification_letter){ .sent_ms = now, .attempts = 2 }));
    (void)commit(m);
    assert_int_equal(due(m, now, 9, &v), 1);
    assert_int_equal(v[0].seq, seq[2]);
    assert_int_equal(due(m, now + 5, 9, &v), 2);
    assert_int_equal(v[1].seq, seq[0]);
    assert_int_equal(v[1].letter.attempts, 1);
    assert_true(str_eq(v[1].letter.error, STR("status 451")));
    assert_int_equal(get(m, seq[1]).letter.sent_ms, now);
    end(m, seq[2], VERIFICATION_CONFIRMED);
    begin(m); /* it was on its way when she answered */
    ok(store_note_letter(m->s, seq[2], &(struct verification_letter){ .next_ms = now }));
    (void)commit(m);
    assert_int_equal(due(m, now, 9, &v), 0);
}

static void they_are_counted_by_address_and_subject(void **state)
{
    struct made *m = *state;
    struct verification_count n;
    uint8_t address[VERIFICATION_ADDRESS];
    people(m);
    int64_t first = ask(m, "ada", 'a'); /* 'a' and 'A' are one address and two tokens */
    (void)ask(m, "eve", 'A');
    (void)ask(m, "ada", 'b');
    memset(address, 'A', sizeof address);
    ok(store_count_verifications(m->r, address, STR("ada"), 0, 0, &n));
    assert_int_equal(n.address, 2);
    assert_int_equal(n.subject, 2);
    assert_false(n.disowned);
    ok(store_count_verifications(m->r, address, STR("nobody"), get(m, first).at_ms, 0, &n));
    assert_int_equal(n.address, 1);
    assert_int_equal(n.subject, 0);
    end(m, first, VERIFICATION_DISOWNED);
    ok(store_count_verifications(m->r, address, STR("eve"), 0, 0, &n));
    assert_true(n.disowned);
    ok(store_count_verifications(m->r, address, STR("eve"), 0, made_ms, &n));
    assert_false(n.disowned);
}

static void a_group_that_is_rolled_back_asked_nobody(void **state)
{
    struct made *m = *state;
    struct verification v;
    people(m);
    begin(m);
    (void)add_verification(m, "ada", 'a', NULL);
    store_rollback(m->s);
    assert_int_equal(store_newest_verification(m->r, STR("ada"), &m->a, &v), ERR_NOT_FOUND);
}

#define T(name)                                                                                    \
    {                                                                                              \
#name, name, NULL, NULL, NULL                                                              \
    }
const struct CMUnitTest suite_verification[] = {
    T(what_was_asked_comes_back_and_is_found_by_its_token),
    T(one_about_nobody_is_refused),
    T(it_ends_once),
    T(letters_are_due_in_their_order_until_they_went_or_were_answered),
    T(they_are_counted_by_address_and_subject),
    T(a_group_that_is_rolled_back_asked_nobody),
};
const size_t suite_verification_count = COUNT(suite_verification);
