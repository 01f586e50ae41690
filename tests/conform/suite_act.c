#include "store_make.h"

#include <stdio.h>
#include <stdlib.h>

static struct snapshot *snapshot(struct made *m, const char *subject, int64_t up_to_seq)
{
    struct snapshot *s = NULL;
    ok(store_load_snapshot(store_own_reader(m->s), str_of(subject), up_to_seq, &s));
    return s;
}

static void unknown_subject_gives_an_empty_snapshot(void **state)
{
    AUTO(free_ptr) struct snapshot *s = snapshot(*state, "nobody", INT64_MAX);
    assert_int_equal(s->seq, 0);
    assert_int_equal(s->count, 0);
    assert_int_equal(s->flags, 0);
}

static void an_act_needs_its_subject(void **state)
{
    struct made *m = *state;
    begin(m);
    int64_t seq;
    struct act_row row = { .id = id_new(++made_ms), .subject = STR("ghost"), .payload = STR("{}") };
    assert_int_equal(store_add_act(m->s, &row, &seq), ERR_NOT_FOUND);
    store_rollback(m->s);
}

static void acts_that_differ_in_nothing_share_one_standing(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    struct act_spec grant = { .subject = "ada", .purpose = 1, .version = 2 };
    int64_t first = add_act(m, &grant, NULL), last = 0;
    for (int i = 0; i < 20; i++)
        last = add_act(m, &grant, NULL);
    AUTO(free_ptr) struct snapshot *s = snapshot(m, "ada", INT64_MAX);
    assert_int_equal(s->count, 1);
    assert_int_equal(s->seq, last);
    assert_int_equal(s->standing[0].first_seq, first);
    assert_int_equal(s->standing[0].last_seq, last);
    assert_int_equal(s->standing[0].version, 2);
    assert_true(s->standing[0].grant && s->standing[0].confirmed);
    (void)commit(m);
}

static const struct standing *find(const struct snapshot *s, bool grant, bool confirmed, bool bare,
                                   uint32_t version)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct standing *t = &s->standing[i];
        if (t->grant == grant && t->confirmed == confirmed && t->bare == bare &&
            t->version == version)
            return t;
    }
    return NULL;
}

static void each_class_has_a_standing_of_its_own(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1, .version = 1 }, NULL);
    (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1, .version = 2 }, NULL);
    (void)add_act(
        m, &(struct act_spec){ .subject = "ada", .purpose = 1, .version = 1, .bare = true }, NULL);
    (void)add_act(
        m, &(struct act_spec){ .subject = "ada", .purpose = 1, .version = 1, .unconfirmed = true },
        NULL);
    int64_t low = add_act(
        m, &(struct act_spec){ .subject = "ada", .purpose = 1, .version = 1, .lowers = true },
        NULL);
    (void)add_act(
        m, &(struct act_spec){ .subject = "ada", .purpose = 1, .version = 1, .source = ACT_IMPORT },
        NULL);
    AUTO(free_ptr) struct snapshot *s = snapshot(m, "ada", INT64_MAX);
    assert_int_equal(s->count, 6);
    assert_non_null(find(s, true, true, false, 1));
    assert_non_null(find(s, true, true, false, 2));
    assert_non_null(find(s, true, true, true, 1));
    assert_non_null(find(s, true, false, false, 1));
    const struct standing *lowering = find(s, false, true, false, 0);
    assert_non_null(lowering);
    assert_int_equal(lowering->last_seq, low);
    store_rollback(m->s);
}

static void standings_order_by_effect_then_seq(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    struct act_spec grant = { .subject = "ada", .purpose = 1, .version = 1, .effect_ms = 5000 };
    int64_t middle = add_act(m, &grant, NULL);
    grant.effect_ms = 1000;
    int64_t old = add_act(m, &grant, NULL);
    grant.effect_ms = 5000;
    int64_t again = add_act(m, &grant, NULL);
    grant.effect_ms = 3000;
    (void)add_act(m, &grant, NULL);
    AUTO(free_ptr) struct snapshot *s = snapshot(m, "ada", INT64_MAX);
    assert_int_equal(s->count, 1);
    assert_int_equal(s->standing[0].first_seq, old);
    assert_int_equal(s->standing[0].first_effect, 1000);
    assert_int_equal(s->standing[0].last_seq, again);
    assert_int_equal(s->standing[0].last_effect, 5000);
    assert_true(middle < again);
    (void)commit(m);
}

static bool same_snapshot(const struct snapshot *a, const struct snapshot *b)
{
    if (a->seq != b->seq || a->flags != b->flags || a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < b->count; j++) {
            const struct standing *x = &a->standing[i], *y = &b->standing[j];
            found = found || (x->purpose == y->purpose && x->grant == y->grant &&
                              x->confirmed == y->confirmed && x->bare == y->bare &&
                              x->imported == y->imported && x->version == y->version &&
                              x->first_effect == y->first_effect && x->first_seq == y->first_seq &&
                              x->last_effect == y->last_effect && x->last_seq == y->last_seq);
        }
        if (!found)
            return false;
    }
    return true;
}

static void the_past_can_be_replayed(void **state)
{
    struct made *m = *state;
    enum { STEPS = 60 };
    struct snapshot *was[STEPS];
    int64_t seq[STEPS];
    begin(m);
    (void)add_subject(m, "eve");
    (void)add_subject(m, "ada");
    for (int i = 0; i < STEPS; i++) {
        uint32_t x = (uint32_t)i * 2654435761u >> 8;
        struct act_spec spec = { .subject = "ada",
                                 .purpose = 1 + x % 3,
                                 .version = 1 + x / 3 % 2,
                                 .lowers = x / 6 % 3 == 0,
                                 .unconfirmed = x / 18 % 3 == 0,
                                 .bare = x / 54 % 4 == 0,
                                 .source = x / 200 % 5 == 0 ? ACT_IMPORT : ACT_PRIVATE_KEY,
                                 .effect_ms = 1000 + x % 7 };
        seq[i] = add_act(m, &spec, NULL);
        if (i % 10 == 3)
            ok(store_add_restriction(m->s, STR("ada"), i % 20 == 3, STR("{}"), made_ms, &seq[i]));
        if (i % 10 == 7) {
            struct subject_row row = { .id = STR("ada"),
                                       .verified = i % 20 == 7,
                                       .changed_ms = made_ms };
            ok(store_put_subject(m->s, &row, STR("{}"), made_ms, &seq[i]));
        }
        spec.subject = "eve";
        (void)add_act(m, &spec, NULL);
        was[i] = snapshot(m, "ada", INT64_MAX);
        assert_int_equal(was[i]->seq, seq[i]);
    }
    (void)commit(m);
    for (int i = 0; i < STEPS; i++) {
        AUTO(free_ptr) struct snapshot *replayed = snapshot(m, "ada", seq[i]);
        assert_true(same_snapshot(was[i], replayed));
        free(was[i]);
    }
}

static void flags_follow_verification_and_restriction(void **state)
{
    struct made *m = *state;
    int64_t seq;
    begin(m);
    struct subject_row row = { .id = STR("ada"), .verified = true, .changed_ms = 1 };
    assert_int_equal(store_add_restriction(m->s, STR("ada"), true, STR("{}"), 1, &seq),
                     ERR_NOT_FOUND);
    ok(store_put_subject(m->s, &row, STR("{}"), 1, &seq));
    ok(store_add_restriction(m->s, STR("ada"), true, STR("{}"), 2, &seq));
    AUTO(free_ptr) struct snapshot *both = snapshot(m, "ada", INT64_MAX);
    assert_int_equal(both->flags, SUBJECT_VERIFIED | SUBJECT_RESTRICTED);
    row.verified = false; /* what she wrote does not end the restriction */
    ok(store_put_subject(m->s, &row, STR("{}"), 3, &seq));
    AUTO(free_ptr) struct snapshot *restricted = snapshot(m, "ada", INT64_MAX);
    assert_int_equal(restricted->flags, SUBJECT_RESTRICTED);
    ok(store_add_restriction(m->s, STR("ada"), false, STR("{}"), 4, &seq));
    AUTO(free_ptr) struct snapshot *none = snapshot(m, "ada", INT64_MAX);
    assert_int_equal(none->flags, 0);
    (void)commit(m);
}

static void a_rolled_back_group_leaves_nothing(void **state)
{
    struct made *m = *state;
    struct chain_head before, after;
    ok(store_newest_head(m->r, &before));
    begin(m);
    (void)add_subject(m, "ada");
    struct id id;
    (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1, .preference = "x" }, &id);
    (void)add_notice(m, "terms", "\"text\"");
    ok(store_count(m->s, 0, 1, REASON_SIGNAL, 3));
    store_rollback(m->s);
    ok(store_newest_head(m->r, &after));
    assert_memory_equal(&before, &after, sizeof before);
    struct act_found found;
    struct subject_row row;
    assert_int_equal(store_get_act(m->r, &id, &m->a, &found), ERR_NOT_FOUND);
    assert_int_equal(store_get_subject(m->r, STR("ada"), &m->a, &row), ERR_NOT_FOUND);
    assert_int_equal(store_newest_notice(m->r, STR("terms")), 0);
    begin(m);
    (void)add_subject(m, "ada");
    assert_int_equal(commit(m).group, before.group + 1);
}

static void an_empty_group_leaves_no_trace(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    struct chain_head one = commit(m);
    begin(m);
    struct chain_head two = commit(m);
    assert_memory_equal(&one, &two, sizeof one);
    begin(m);
    ok(store_count(m->s, 0, 1, REASON_SIGNAL, 3));
    struct chain_head three = commit(m);
    assert_memory_equal(&one, &three, sizeof one);
}

static void an_act_comes_back_as_it_was(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    struct id id;
    int64_t seq = add_act(m,
                          &(struct act_spec){ .subject = "ada",
                                              .ip = "192.0.2.0",
                                              .purpose = 1,
                                              .source = ACT_PRIVATE_KEY,
                                              .claimed_ms = 77 },
                          &id);
    (void)commit(m);
    struct act_found a, b;
    ok(store_get_act(m->r, &id, &m->a, &a));
    ok(store_get_act_by_seq(m->r, seq, &m->a, &b));
    assert_int_equal(a.seq, seq);
    assert_memory_equal(&a.id, &id, sizeof id);
    assert_memory_equal(&b.id, &id, sizeof id);
    assert_int_equal(a.claimed_ms, 77);
    assert_int_equal(a.received_ms, id_ms(&id));
    assert_int_equal(a.source, ACT_PRIVATE_KEY);
    assert_true(str_eq(a.subject, STR("ada")) && str_eq(a.ip, STR("192.0.2.0")));
    assert_true(str_starts(a.payload, STR("{\"id\":\"")));
    assert_memory_equal(a.leaf, b.leaf, sizeof a.leaf);
    assert_int_equal(store_get_act_by_seq(m->r, seq - 1, &m->a, &b), ERR_NOT_FOUND); /* a subject */
    assert_int_equal(store_get_act_by_seq(m->r, seq + 1, &m->a, &b), ERR_NOT_FOUND);
}

static void the_same_act_id_twice_is_refused(void **state)
{
    struct made *m = *state;
    begin(m);
    (void)add_subject(m, "ada");
    int64_t seq;
    struct act_row row = { .id = id_new(++made_ms), .subject = STR("ada"), .payload = STR("{}") };
    ok(store_add_act(m->s, &row, &seq));
    assert_int_equal(store_add_act(m->s, &row, &seq), ERR_CONFLICT);
    /* the group is spoilt: nothing more goes in, and it cannot be committed */
    assert_int_not_equal(store_count(m->s, 0, 0, REASON_SIGNAL, 1), OK);
    struct chain_head head;
    assert_int_equal(store_commit(m->s, ++made_ms, &head, NULL), ERR_CONFLICT);
    struct subject_row subject;
    assert_int_equal(store_get_subject(m->r, STR("ada"), &m->a, &subject), ERR_NOT_FOUND);
}

/* ---- the payload says what the columns say ---- */

static void hear(void *ctx, const char *what)
{
    struct buf *heard = ctx;
    buf_printf(heard, "%s\n", what);
}

/* %s: the id */
#define PAYLOAD(id, subject, timestamp, received, source, effects, more)                           \
    "{\"id\":" id ",\"subject\":{\"id\":" subject "},\"timestamp\":" timestamp                     \
    ",\"received\":" received ",\"source\":" source ",\"effects\":" effects more "}"
#define T1 "\"1970-01-01T00:00:01.000Z\""
#define T2 "\"1970-01-01T00:00:02.000Z\""
#define EFFECT(purpose, grant, confirmed, evidence, version, effect)                               \
    "{\"purpose\":" purpose ",\"name\":\"x\",\"grant\":" grant ",\"confirmed\":" confirmed         \
    ",\"evidence\":" evidence ",\"version\":" version ",\"effect\":" effect "}"
#define LOWERS EFFECT("2", "false", "true", "\"bare\"", "0", "2000")
#define GRANTS EFFECT("1", "true", "false", "\"proof\"", "3", "-7")
#define BOTH "[" GRANTS "," LOWERS "]"
#define PRIVATE "\"private\""

static void an_act_whose_payload_says_something_else_is_a_fault(void **state)
{
    struct made *m = *state;
    static const struct {
        const char *payload, *fault;
    } row[] = {
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, BOTH, ""), NULL },
        { PAYLOAD("\"%s\"", "\"ada\"", "1000", "2000", PRIVATE, BOTH, ""), NULL },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, BOTH, ",\"ip_address\":\"192.0.2.0\""),
          NULL },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, BOTH, ",\"ip_address\":null"),
          "ip_address" },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, BOTH, ",\"ip_address\":\"192.0.3.0\""),
          "ip_address" },
        { PAYLOAD("\"x%s\"", "\"ada\"", T1, T2, PRIVATE, BOTH, ""), "another id" },
        { PAYLOAD("\"%s\"", "\"eve\"", T1, T2, PRIVATE, BOTH, ""), "another subject" },
        { PAYLOAD("\"%s\"", "\"ada\"", T2, T2, PRIVATE, BOTH, ""), "another timestamp" },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T1, PRIVATE, BOTH, ""), "another time received" },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, "null", PRIVATE, BOTH, ""), "another time received" },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, "\"public\"", BOTH, ""), "another source" },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, "[]", ""), "other effects" },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, "null", ""), "other effects" },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, "[" GRANTS "]", ""), "other effects" },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, "[" LOWERS "," GRANTS "]", ""),
          "other effects" },
        { PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, "[" GRANTS "," LOWERS "," LOWERS "]", ""),
          "other effects" },
#define OTHER(...)                                                                                 \
    PAYLOAD("\"%s\"", "\"ada\"", T1, T2, PRIVATE, "[" EFFECT(__VA_ARGS__) "," LOWERS "]", ""),     \
        "other effects"
        { OTHER("9", "true", "false", "\"proof\"", "3", "-7") },
        { OTHER("1", "false", "false", "\"proof\"", "3", "-7") },
        { OTHER("1", "true", "true", "\"proof\"", "3", "-7") },
        { OTHER("1", "true", "false", "\"shown\"", "3", "-7") },
        { OTHER("1", "true", "false", "\"proof\"", "4", "-7") },
        { OTHER("1", "true", "false", "\"proof\"", "3", "7") },
        { OTHER("1", "\"true\"", "false", "\"proof\"", "3", "-7") },
        { "[\"%s\"]", "another id" },
        { "{%s", "cannot be read" },
    };
    m->unverified = true;
    for (size_t i = 0; i < COUNT(row); i++) {
        struct made x = { .memory = true };
        made_open(&x);
        struct act_effect effect[] = {
            { .purpose = 1,
              .grant = true,
              .evidence = EVIDENCE_PROOF,
              .version = 3,
              .effect_ms = -7 },
            { .purpose = 2, .confirmed = true, .effect_ms = 2000 },
        };
        struct act_row act = { .id = id_new(2000),
                               .subject = STR("ada"),
                               .claimed_ms = 1000,
                               .received_ms = 2000,
                               .source = ACT_PRIVATE_KEY,
                               .ip = STR("192.0.2.0"),
                               .effect = effect,
                               .effect_count = 2 };
        char id[ID_TEXT + 1];
        id_format(&act.id, id);
        AUTO(buf_fini) struct buf payload = BUF_INIT(4096);
        const char *place = strstr(row[i].payload, "%s");
        buf_add(&payload, row[i].payload, (size_t)(place - row[i].payload));
        buf_str(&payload, str_of(id));
        buf_str(&payload, str_of(place + 2));
        act.payload = buf_view(&payload);
        begin(&x);
        (void)add_subject(&x, "ada");
        int64_t seq;
        ok(store_add_act(x.s, &act, &seq));
        (void)commit(&x);
        AUTO(buf_fini) struct buf heard = BUF_INIT(4096);
        struct verify_result result;
        ok(store_verify(x.r, hear, &heard, &result, NULL));
        buf_byte(&heard, 0);
        if (result.faults != (row[i].fault ? 1 : 0) ||
            (row[i].fault && strstr(heard.p, row[i].fault) == NULL))
            fail_msg("row %zu: %s", i, heard.p);
        made_close(&x);
        arena_fini(&x.a);
    }
}

static void preferences_that_no_act_says_are_a_fault(void **state)
{
    struct made *m = *state;
    struct id id, other;
    char text[ID_TEXT + 1], others[ID_TEXT + 1];
    m->unverified = true;
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_subject(m, "eve");
    (void)add_act(m, &(struct act_spec){ .subject = "ada", .preference = "news", .purpose = 1 },
                  &id);
    (void)add_act(m, &(struct act_spec){ .subject = "eve", .preference = "news", .purpose = 1 },
                  &other);
    (void)commit(m);
    id_format(&id, text);
    id_format(&other, others);
    const struct {
        struct str view;
        uint64_t faults;
    } row[] = {
        { (struct str){ 0 }, 0 },
        { STR("{}"), 0 },
        { arena_printf(&m->a, "{\"news\":{\"value\":true,\"consent_id\":\"%s\"}}", text), 0 },
        { arena_printf(&m->a, "{\"news\":{\"value\":true,\"consent_id\":\"%s\",\"effect\":%lld}}",
                       text, (long long)id_ms(&id)),
          0 },
        { arena_printf(&m->a, "{\"news\":{\"value\":true,\"consent_id\":\"%s\",\"effect\":1}}",
                       text),
          1 },
        { arena_printf(&m->a, "{\"news\":{\"value\":true,\"consent_id\":\"%s\",\"affect\":1}}",
                       text),
          1 },
        { arena_printf(&m->a, "{\"news\":{\"value\":false,\"consent_id\":\"%s\"}}", text), 1 },
        { arena_printf(&m->a, "{\"mews\":{\"value\":true,\"consent_id\":\"%s\"}}", text), 1 },
        { arena_printf(&m->a, "{\"news\":{\"value\":true,\"consent_id\":\"%s\"}}", others), 1 },
        { STR("{\"news\":{\"value\":true}}"), 1 },
        { STR("[]"), 1 },
        { STR("{"), 1 },
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        begin(m);
        ok(store_set_preferences(m->s, STR("ada"), row[i].view));
        (void)commit(m);
        if (faults(m->r, false) != row[i].faults)
            fail_msg("row %zu: %.*s", i, STR_ARG(row[i].view));
    }
}

/* ---- lists ---- */

static void subjects_for_lists(struct made *m)
{
    begin(m);
    for (int i = 0; i < 30; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "s%02d", i);
        int64_t seq;
        struct subject_row row = { .id = str_of(id),
                                   .email = i % 3 == 0 ? STR("mario.rossi@example.com")
                                                       : (struct str){ 0 },
                                   .first_name = i % 2 ? STR("Mario") : STR("Maria"),
                                   .full_name = STR("Anna Maria Rossi"),
                                   .verified = i % 5 == 0,
                                   .extra = i % 7 ? STR("{\"x\":1,\"phones\":[\"77\"]}")
                                                  : STR("{\"phones\":[{\"number\":77},7.5e1,null,"
                                                        "{\"number\":\"+49 30 12345\","
                                                        "\"label\":\"home\"}]}"),
                                   .changed_ms = 1000 + i };
        ok(store_put_subject(m->s, &row, STR("{}"), 1000 + i, &seq));
    }
    (void)commit(m);
}

static void subject_filters_select(void **state)
{
    struct made *m = *state;
    subjects_for_lists(m);
    const struct {
        struct subject_filter f;
        uint32_t count;
        const char *first;
    } row[] = {
        { { .verified = -1, .limit = 100 }, 30, "s29" },
        { { .verified = -1, .limit = 7 }, 7, "s29" },
        { { .verified = 1, .limit = 100 }, 6, "s25" },
        { { .verified = 0, .limit = 100 }, 24, "s29" },
        { { .id = STR_INIT("s03"), .verified = -1, .limit = 100 }, 1, "s03" },
        { { .id = STR_INIT("s3"), .verified = -1, .limit = 100 }, 0, NULL },
        { { .email_exact = STR_INIT("mario.rossi@example.com"), .verified = -1, .limit = 100 },
          10,
          "s27" },
        { { .email_exact = STR_INIT("mario.rossi"), .verified = -1, .limit = 100 }, 0, NULL },
        { { .email = STR_INIT("Rossi"), .verified = -1, .limit = 100 }, 10, "s27" },
        { { .email = STR_INIT("example.com"), .verified = -1, .limit = 100 }, 10, "s27" },
        { { .email = STR_INIT("ross"), .verified = -1, .limit = 100 }, 0, NULL },
        { { .first_name = STR_INIT("Mario"), .verified = -1, .limit = 100 }, 15, "s29" },
        { { .first_name = STR_INIT("mario"), .verified = -1, .limit = 100 }, 0, NULL },
        { { .email = STR_INIT("@nowhere.COM"), .verified = -1, .limit = 100 }, 10, "s27" },
        { { .email = STR_INIT("mario@rossi"), .verified = -1, .limit = 100 }, 10, "s27" },
        { { .email = STR_INIT("mario@nowhere"), .verified = -1, .limit = 100 }, 0, NULL },
        { { .email = STR_INIT("@ ."), .verified = -1, .limit = 100 }, 0, NULL },
        { { .email = STR_INIT("rossi"),
            .first_name = STR_INIT("Mario"),
            .verified = 1,
            .limit = 100 },
          1,
          "s15" },
        { { .phone = STR_INIT("+49 (30) 1234-5"), .verified = -1, .limit = 100 }, 5, "s28" },
        { { .phone = STR_INIT("004930 12345"), .verified = -1, .limit = 100 }, 5, "s28" },
        { { .phone = STR_INIT("3012345"), .verified = -1, .limit = 100 }, 0, NULL },
        { { .phone = STR_INIT("none"), .verified = -1, .limit = 100 }, 0, NULL },
        { { .phone = STR_INIT("77"), .verified = -1, .limit = 100 }, 30, "s29" },
        { { .full_name = STR_INIT("maria rossi"), .verified = -1, .limit = 100 }, 30, "s29" },
        { { .last_name = STR_INIT("rossi"), .verified = -1, .limit = 100 }, 0, NULL },
        { { .from_ms = 1010, .to_ms = 1012, .verified = -1, .limit = 100 }, 3, "s12" },
        { { .from_ms = 1028, .verified = -1, .limit = 100 }, 2, "s29" },
        { { .to_ms = 1001, .verified = -1, .limit = 100 }, 2, "s01" },
        { { .starting_after = STR_INIT("s10"), .verified = -1, .limit = 100 }, 10, "s09" },
        { { .starting_after = STR_INIT("s00"), .verified = -1, .limit = 100 }, 0, NULL },
        { { .starting_after = STR_INIT("s20"), .verified = 1, .limit = 2 }, 2, "s15" },
        { { .starting_after = STR_INIT("s20"), .from_ms = 1018, .verified = -1, .limit = 9 },
          2,
          "s19" },
        { { .email = STR_INIT("rossi"), .to_ms = 1009, .verified = -1, .limit = 9 }, 4, "s09" },
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        struct subject_row *rows;
        uint32_t n;
        ok(store_list_subjects(m->r, &row[i].f, &m->a, &rows, &n));
        if (n != row[i].count)
            fail_msg("row %zu: %u instead of %u", i, n, row[i].count);
        if (n)
            assert_string_equal(rows[0].id.p, row[i].first);
    }
    struct subject_filter unknown = { .starting_after = STR("s99"), .verified = -1, .limit = 1 };
    struct subject_row *rows;
    uint32_t n;
    assert_int_equal(store_list_subjects(m->r, &unknown, &m->a, &rows, &n), ERR_NOT_FOUND);
}

static void a_subject_keeps_when_it_was_made(void **state)
{
    struct made *m = *state;
    int64_t seq;
    begin(m);
    struct subject_row row = { .id = STR("ada"), .email = STR("a@b.c"), .changed_ms = 10 };
    ok(store_put_subject(m->s, &row, STR("{}"), 10, &seq));
    row.email = STR("d@e.f");
    row.extra = STR("{\"k\":1}");
    row.changed_ms = 20;
    ok(store_put_subject(m->s, &row, STR("{}"), 20, &seq));
    ok(store_set_preferences(m->s, STR("ada"), STR("{\"x\":1}")));
    m->unverified = true; /* no act says so */
    assert_int_equal(store_set_preferences(m->s, STR("eve"), STR("{}")), ERR_NOT_FOUND);
    (void)commit(m);
    struct subject_row got;
    ok(store_get_subject(m->r, STR("ada"), &m->a, &got));
    assert_int_equal(got.created_ms, 10);
    assert_int_equal(got.changed_ms, 20);
    assert_int_equal(got.seq, seq);
    assert_string_equal(got.email.p, "d@e.f");
    assert_string_equal(got.extra.p, "{\"k\":1}");
    assert_string_equal(got.preferences.p, "{\"x\":1}");
}

static void acts_for_lists(struct made *m, struct id id[40])
{
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_subject(m, "eve");
    for (int i = 0; i < 40; i++)
        (void)add_act(m,
                      &(struct act_spec){ .subject = i % 4 == 0 ? "ada" : "eve",
                                          .ip = i % 2 ? "192.0.2.0" : NULL,
                                          .preference = i % 5 == 0 ? "newsletter" : "general",
                                          .purpose = 1,
                                          .source = i % 10 == 0 ? ACT_PUBLIC_KEY : ACT_PRIVATE_KEY,
                                          .claimed_ms = 5000 - i * 10 },
                      &id[i]);
    (void)commit(m);
}

static void act_filters_select(void **state)
{
    struct made *m = *state;
    struct id id[40];
    acts_for_lists(m, id);
    const struct {
        struct act_filter f;
        uint32_t count;
        int first;
    } row[] = {
        { { .source = -1, .limit = 100 }, 40, 39 },
        { { .source = -1, .limit = 3 }, 3, 39 },
        { { .source = ACT_PUBLIC_KEY, .limit = 100 }, 4, 30 },
        { { .subject = STR_INIT("ada"), .source = -1, .limit = 100 }, 10, 36 },
        { { .subject = STR_INIT("nobody"), .source = -1, .limit = 100 }, 0, 0 },
        { { .preference_key = STR_INIT("newsletter"), .source = -1, .limit = 100 }, 8, 35 },
        { { .preference_key = STR_INIT("other"), .source = -1, .limit = 100 }, 0, 0 },
        { { .subject = STR_INIT("ada"),
            .preference_key = STR_INIT("newsletter"),
            .source = -1,
            .limit = 100 },
          2,
          20 },
        { { .ip = STR_INIT("192.0.2.0"), .source = -1, .limit = 100 }, 20, 39 },
        { { .ip = STR_INIT("none"), .source = -1, .limit = 100 }, 20, 38 },
        { { .ip = STR_INIT("198.51.100.0"), .source = -1, .limit = 100 }, 0, 0 },
        { { .ip = STR_INIT("none"), .subject = STR_INIT("eve"), .source = -1, .limit = 100 },
          10,
          38 },
        { { .from_ms = 4900, .to_ms = 4920, .source = -1, .limit = 100 }, 3, 8 },
        { { .from_ms = 4990, .source = -1, .limit = 100 }, 2, 0 },
        { { .to_ms = 4610, .source = -1, .limit = 100 }, 1, 39 },
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        struct act_found *acts;
        uint32_t n;
        ok(store_list_acts(m->r, &row[i].f, &m->a, &acts, &n));
        if (n != row[i].count)
            fail_msg("row %zu: %u instead of %u", i, n, row[i].count);
        if (n)
            assert_memory_equal(&acts[0].id, &id[row[i].first], sizeof id[0]);
    }
    struct act_filter f = {
        .source = -1, .limit = 100, .has_starting_after = true, .starting_after = id[5]
    };
    struct act_found *acts;
    uint32_t n;
    ok(store_list_acts(m->r, &f, &m->a, &acts, &n));
    assert_int_equal(n, 5);
    assert_memory_equal(&acts[0].id, &id[4], sizeof id[0]);
    f.starting_after = id_new(1);
    assert_int_equal(store_list_acts(m->r, &f, &m->a, &acts, &n), ERR_NOT_FOUND);
}

#define T(name)                                                                                    \
    {                                                                                              \
#name, name, NULL, NULL, NULL                                                              \
    }
const struct CMUnitTest suite_act[] = {
    T(unknown_subject_gives_an_empty_snapshot),
    T(an_act_needs_its_subject),
    T(acts_that_differ_in_nothing_share_one_standing),
    T(each_class_has_a_standing_of_its_own),
    T(standings_order_by_effect_then_seq),
    T(the_past_can_be_replayed),
    T(flags_follow_verification_and_restriction),
    T(a_rolled_back_group_leaves_nothing),
    T(an_empty_group_leaves_no_trace),
    T(an_act_comes_back_as_it_was),
    T(the_same_act_id_twice_is_refused),
    T(an_act_whose_payload_says_something_else_is_a_fault),
    T(preferences_that_no_act_says_are_a_fault),
    T(subject_filters_select),
    T(a_subject_keeps_when_it_was_made),
    T(act_filters_select),
};
const size_t suite_act_count = COUNT(suite_act);
