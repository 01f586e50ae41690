#include "store_make.h"

#include "store/hook.h"

static void add_hook(struct made *m, const char *id, int64_t cursor)
{
    begin(m);
    ok(store_put_hook(m->s, &(struct hook_row){ .id = str_of(id),
                                                .cursor = cursor,
                                                .start_seq = cursor,
                                                .start_ms = ++made_ms }));
    (void)commit(m);
}

static struct hook_row hook(struct made *m, const char *id)
{
    struct hook_row row;
    ok(store_get_hook(m->r, str_of(id), &m->a, &row));
    return row;
}

/* An act each. */
static void add_facts(struct made *m, int n)
{
    begin(m);
    (void)add_subject(m, "ada");
    for (int i = 1; i < n; i++)
        (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1, .version = 1 }, NULL);
    (void)commit(m);
}

static void put(struct made *m, int64_t hook, int64_t seq, enum hook_state state)
{
    begin(m);
    ok(store_put_hook_message(m->s, &(struct hook_message){ .hook = hook,
                                                            .seq = seq,
                                                            .state = state,
                                                            .id = id_new(1000 + seq),
                                                            .attempts = 3,
                                                            .first_ms = 10,
                                                            .at_ms = 20,
                                                            .next_ms = 30,
                                                            .error = STR("status 500") }));
    (void)commit(m);
}

static uint32_t list(struct made *m, int64_t hook, enum hook_state state, int64_t after,
                     struct hook_message **ret)
{
    uint32_t n;
    struct hook_message *messages;
    ok(store_list_hook_messages(m->r, hook, state, after, 100, &m->a, &messages, &n));
    if (ret != NULL)
        *ret = messages;
    return n;
}

static void facts_come_in_order_and_only_of_the_kinds_asked_for(void **state)
{
    struct made *m = *state;
    struct fact_found *f, one;
    uint32_t n;
    assert_int_equal(store_newest_fact(m->r), 0);
    begin(m);
    int64_t subject = add_subject(m, "ada");
    int64_t act = add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1 }, NULL);
    (void)add_notice(m, "terms", "\"T\"");
    int64_t other = add_subject(m, "bob");
    (void)commit(m);
    assert_int_equal(store_newest_fact(m->r), other);
    assert_int_equal(store_newest_seq(m->s), other);
    ok(store_list_facts(m->r, 0, other, UINT32_MAX, 10, &m->a, &f, &n));
    assert_int_equal(n, 4);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(f[i].seq, subject + i);
    assert_int_equal(f[0].subject, f[1].subject);
    assert_int_not_equal(f[0].subject, f[3].subject);
    assert_int_equal(f[2].subject, 0);
    assert_true(store_is_first_fact(m->r, &f[0]) && store_is_first_fact(m->r, &f[3]));
    assert_false(store_is_first_fact(m->r, &f[1]));
    ok(store_list_facts(m->r, 0, other, 1u << FACT_ACT | 1u << FACT_NOTICE, 10, &m->a, &f, &n));
    assert_int_equal(n, 2);
    assert_int_equal(f[0].seq, act);
    assert_int_equal(f[0].kind, FACT_ACT);
    assert_true(f[0].columns.n > 0 && f[0].payload.n == 0);
    ok(store_list_facts(m->r, subject, act, UINT32_MAX, 10, &m->a, &f, &n));
    assert_int_equal(n, 1); /* behind the one, up to the other */
    ok(store_list_facts(m->r, 0, other, UINT32_MAX, 3, &m->a, &f, &n));
    assert_int_equal(n, 3);
    ok(store_read_fact(m->r, act, &m->a, &one));
    assert_true(one.payload.n > 0 && memcmp(one.leaf, f[1].leaf, sizeof one.leaf) == 0);
    assert_int_equal(store_read_fact(m->r, other + 1, &m->a, &one), ERR_NOT_FOUND);
}

static void a_hook_keeps_its_number_and_where_it_stands(void **state)
{
    struct made *m = *state;
    struct hook_row row, *rows;
    uint32_t n;
    add_facts(m, 9);
    assert_int_equal(store_get_hook(m->r, STR("crm"), &m->a, &row), ERR_NOT_FOUND);
    add_hook(m, "crm", 3);
    add_hook(m, "mail", 5);
    int64_t number = hook(m, "crm").number, began = hook(m, "crm").start_ms;
    begin(m);
    ok(store_set_hook_cursor(m->s, number, 7));
    ok(store_set_hook_paused(m->s, number, 99, STR("gone")));
    assert_true(store_hook_began(m->s, number, began));
    assert_false(store_hook_began(m->s, number, began + 1));
    assert_false(store_hook_began(m->s, number + 10, began));
    (void)commit(m);
    if (!m->memory) {
        made_close(m);
        made_open(m);
    }
    row = hook(m, "crm");
    assert_int_equal(row.cursor, 7);
    assert_int_equal(row.start_seq, 3);
    assert_int_equal(row.paused_ms, 99);
    assert_true(str_eq(row.why, STR("gone")));
    row.absent_ms = 5;
    begin(m);
    ok(store_put_hook(m->s, &row));
    (void)commit(m);
    assert_int_equal(hook(m, "crm").number, number);
    assert_int_equal(hook(m, "mail").cursor, 5);
    ok(store_list_hooks(m->r, &m->a, &rows, &n));
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].absent_ms, 5);
}

static void messages_are_listed_by_hook_and_state_and_replaced(void **state)
{
    struct made *m = *state;
    struct hook_message *found;
    uint64_t count;
    add_facts(m, 9);
    add_hook(m, "crm", 9);
    add_hook(m, "mail", 9);
    int64_t crm = hook(m, "crm").number, mail = hook(m, "mail").number;
    put(m, mail, 2, HOOK_WAITING);
    put(m, crm, 8, HOOK_WAITING);
    put(m, crm, 4, HOOK_WAITING);
    put(m, crm, 6, HOOK_DEAD);
    assert_int_equal(list(m, crm, HOOK_WAITING, 0, &found), 2);
    assert_int_equal(found[0].seq, 4);
    assert_int_equal(found[1].seq, 8);
    assert_int_equal(found[1].attempts, 3);
    assert_int_equal(found[1].first_ms + found[1].at_ms + found[1].next_ms, 60);
    assert_true(str_eq(found[1].error, STR("status 500")));
    assert_int_equal(list(m, crm, HOOK_WAITING, 4, NULL), 1);
    assert_int_equal(list(m, 0, HOOK_WAITING, 0, &found), 3); /* of all, by hook */
    assert_int_equal(found[0].hook, crm);
    assert_int_equal(found[2].hook, mail);
    put(m, crm, 4, HOOK_DEAD); /* the same one, as it is now */
    assert_int_equal(list(m, crm, HOOK_WAITING, 0, NULL), 1);
    ok(store_count_hook_messages(m->r, crm, HOOK_DEAD, &count));
    assert_int_equal(count, 2);
    begin(m);
    ok(store_remove_hook_message(m->s, crm, 8));
    ok(store_remove_hook_message(m->s, crm, 7)); /* is not there */
    (void)commit(m);
    assert_int_equal(list(m, crm, HOOK_WAITING, 0, NULL), 0);
    begin(m);
    ok(store_remove_hook_message(m->s, crm, 4));
    store_rollback(m->s);
    assert_int_equal(list(m, crm, HOOK_DEAD, 0, NULL), 2);
}

static void dead_messages_are_revived_as_if_new_and_waiting_ones_buried(void **state)
{
    struct made *m = *state;
    struct hook_message *found;
    uint32_t n;
    add_facts(m, 9);
    add_hook(m, "crm", 9);
    add_hook(m, "mail", 9);
    int64_t crm = hook(m, "crm").number, mail = hook(m, "mail").number;
    put(m, crm, 2, HOOK_DEAD);
    put(m, crm, 3, HOOK_DEAD);
    put(m, mail, 2, HOOK_DEAD);
    put(m, mail, 5, HOOK_DEAD);
    put(m, crm, 4, HOOK_WAITING);
    assert_int_equal(list(m, crm, HOOK_DEAD, 0, &found), 2);
    begin(m);
    ok(store_revive_hook_messages(m->s, 0, &found[0].id, &n));
    assert_int_equal(n, 1);
    ok(store_revive_hook_messages(m->s, mail, NULL, &n));
    assert_int_equal(n, 2);
    (void)commit(m);
    assert_int_equal(list(m, crm, HOOK_DEAD, 0, NULL), 1);
    assert_int_equal(list(m, mail, HOOK_WAITING, 0, &found), 2);
    assert_int_equal(found[0].attempts + found[0].first_ms + found[0].next_ms, 0);
    begin(m);
    ok(store_bury_hook_messages(m->s, mail, STR("taken out"), 77, &n));
    assert_int_equal(n, 2);
    ok(store_revive_hook_messages(m->s, 0, NULL, &n));
    assert_int_equal(n, 3);
    ok(store_bury_hook_messages(m->s, crm, STR("taken out"), 77, &n));
    assert_int_equal(n, 3);
    (void)commit(m);
    assert_int_equal(list(m, crm, HOOK_DEAD, 0, &found), 3);
    assert_int_equal(found[2].at_ms, 77);
    assert_true(str_eq(found[2].error, STR("taken out")));
}

static void a_hook_ahead_of_the_facts_is_found(void **state)
{
    struct made *m = *state;
    add_facts(m, 3);
    add_hook(m, "crm", 3);
    assert_int_equal(faults(m->r, true), 0);
    add_hook(m, "mail", 4);
    assert_int_equal(faults(m->r, false), 1);
    m->unverified = true;
}

#define T(name) cmocka_unit_test(name)
const struct CMUnitTest suite_hook[] = {
    T(facts_come_in_order_and_only_of_the_kinds_asked_for),
    T(a_hook_keeps_its_number_and_where_it_stands),
    T(messages_are_listed_by_hook_and_state_and_replaced),
    T(dead_messages_are_revived_as_if_new_and_waiting_ones_buried),
    T(a_hook_ahead_of_the_facts_is_found),
};
const size_t suite_hook_count = COUNT(suite_hook);
