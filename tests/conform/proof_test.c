/* A proof in a file: what it shows, what it hides, and that nothing in it can be changed. */
#include "store_make.h"

#include "audit/bundle.h"
#include "base/buf.h"
#include "codec/json.h"
#include "codec/text.h"
#include "store/document.h"
#include "store/merkle.h"

#include <sodium.h>
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a file in memory ---- */

enum { LINES = 200 };

struct file {
    struct str line[LINES];
    uint32_t count;
    struct bundle_numbers numbers;
    struct arena *a;
};

static enum err keep(void *ctx, struct str text)
{
    struct file *f = ctx;
    assert_true(f->count < LINES);
    f->line[f->count++] = arena_str(f->a, text);
    return OK;
}

static struct str ring_file(struct made *m)
{
    return arena_printf(&m->a, "%s.key", m->dir);
}

static struct keyring ring(struct made *m)
{
    struct keyring k = { 0 };
    struct err_info info = { 0 };
    struct str file = ring_file(m);
    enum err e = keyring_make(file, 1, &m->a, &info);
    assert_true(e == OK || e == ERR_CONFLICT);
    if (keyring_load(file, &m->a, &k, &info) != OK)
        fail_msg("%s", info.text);
    return k;
}

static int unmade_with_key(void **state)
{
    struct made *m = *state;
    (void)unlink(ring_file(m).p);
    return unmade(state);
}

static struct file export(struct made *m, const char *subject)
{
    struct file f = { .a = &m->a };
    struct keyring k = ring(m);
    struct bundle_question q = { .subject = str_of(subject),
                                 .to_ms = INT64_MAX,
                                 .controller = STR("Muster GmbH"),
                                 .now_ms = made_ms };
    struct err_info info = { 0 };
    if (bundle_write(m->r, &k, &q, keep, &f, &f.numbers, &info) != OK)
        fail_msg("export: %s", info.text);
    keyring_fini(&k);
    return f;
}

static void listen(void *ctx, struct str line)
{
    struct buf *heard = ctx;
    buf_str(heard, line);
    buf_byte(heard, '\n');
}

static enum err check_with(const struct file *f, const struct bundle_trust *t, struct buf *heard,
                           struct err_info *info)
{
    AUTO(bundle_check_free)
    struct bundle_check *c = bundle_check_new(t, heard ? listen : NULL, heard);
    for (uint32_t i = 0; i < f->count; i++) {
        enum err e = bundle_check_line(c, f->line[i], info);
        if (e != OK)
            return e;
    }
    return bundle_check_end(c, info);
}

static enum err check(const struct file *f, struct err_info *info)
{
    return check_with(f, &(struct bundle_trust){ 0 }, NULL, info);
}

static void holds(const struct file *f)
{
    struct err_info info = { 0 };
    if (check(f, &info) != OK)
        fail_msg("%s", info.text);
}

static bool said(const struct file *f, const char *what)
{
    AUTO(buf_fini) struct buf heard = BUF_INIT(1u << 20);
    struct err_info info = { 0 };
    if (check_with(f, &(struct bundle_trust){ 0 }, &heard, &info) != OK)
        fail_msg("%s", info.text);
    return memmem(heard.p, heard.n, what, strlen(what)) != NULL;
}

static uint32_t find(const struct file *f, const char *what)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (memmem(f->line[i].p, f->line[i].n, what, strlen(what)) != NULL)
            return i;
    fail_msg("no line has %s", what);
    return 0;
}

static bool has(const struct file *f, const char *what)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (memmem(f->line[i].p, f->line[i].n, what, strlen(what)) != NULL)
            return true;
    return false;
}

/* The last line made anew, as a dishonest operator can. */
static void sign_again(struct made *m, struct file *f)
{
    static const char mark_text[] = "licet proof\n";
    uint8_t mark[sizeof mark_text - 1 + CHAIN_HASH], signature[SIGNATURE];
    AUTO(buf_fini) struct buf all = BUF_INIT(1u << 24);
    struct keyring k = ring(m);
    for (uint32_t i = 0; i + 1 < f->count; i++) {
        buf_str(&all, f->line[i]);
        buf_byte(&all, '\n');
    }
    memcpy(mark, mark_text, sizeof mark_text - 1);
    chain_hash(buf_view(&all), mark + sizeof mark_text - 1);
    sign(k.seed, (struct str){ (char *)mark, sizeof mark }, signature);
    struct str key = hex_encode((struct str){ (char *)k.key, SIGN_KEY }, &m->a);
    f->line[f->count - 1] = arena_printf(
        &m->a, "{\"type\":\"end\",\"lines\":%u,\"key\":\"%.*s\",\"signature\":\"%.*s\"}",
        f->count - 1, STR_ARG(key),
        STR_ARG(hex_encode((struct str){ (char *)signature, SIGNATURE }, &m->a)));
    keyring_fini(&k);
}

static struct str replaced(struct made *m, struct str s, const char *from, const char *to)
{
    const char *at = memmem(s.p, s.n, from, strlen(from));
    assert_non_null(at);
    size_t before = (size_t)(at - s.p), behind = s.n - before - strlen(from);
    return arena_printf(&m->a, "%.*s%s%.*s", (int)before, s.p, to, (int)behind, at + strlen(from));
}

/* ---- what there is to prove ---- */

static void seal_all(struct made *m)
{
    struct keyring k = ring(m);
    struct seal_found newest;
    struct chain_head head;
    struct key_found *known;
    uint32_t count;
    struct seal s = { .from = 1, .at_ms = made_ms };
    struct merkle tree = { 0 };
    ok(store_newest_head(m->r, &head));
    if (store_newest_seal(m->r, &m->a, &newest) == OK) {
        s.from = newest.seal.to + 1;
        s.has_previous = true;
        chain_hash(newest.statement, s.previous);
    }
    s.to = head.group;
    memcpy(s.head, head.hash, CHAIN_HASH);
    memcpy(s.key, k.key, SIGN_KEY);
    for (int64_t g = s.from; g <= s.to; g++) {
        ok(store_get_head(m->r, g, &head));
        merkle_add(&tree, head.hash);
    }
    merkle_root(&tree, s.root);
    struct str statement = seal_write(&s, &m->a);
    uint8_t signature[SIGNATURE];
    sign(k.seed, statement, signature);
    begin(m);
    ok(store_list_signing_keys(m->r, &m->a, &known, &count));
    for (uint32_t i = count; i < k.count; i++)
        ok(store_add_signing_key(m->s, &k.known[i]));
    ok(store_add_seal(m->s, statement, (struct str){ (char *)signature, SIGNATURE }));
    (void)commit(m);
    keyring_fini(&k);
}

static void add_people(struct made *m)
{
    static const char *const who[] = { "ada", "eve" };
    struct str purpose = STR("statistics");
    struct frozen_version version = { STR("statistics"), 1,
                                      STR("{\"purpose\":\"statistics\",\"version\":1,"
                                          "\"notices\":{\"terms\":1},\"text\":{}}") };
    uint32_t generation;
    begin(m);
    ok(store_add_configuration(m->s, &(struct policy_news){ &purpose, NULL, 1, 0, &version, 1 },
                               STR("{}"), ++made_ms, &generation));
    (void)add_notice(m, "terms", "\"The terms.\"");
    (void)add_notice(m, "unrelated", "\"Nobody cited this.\"");
    for (size_t i = 0; i < COUNT(who); i++) {
        (void)add_subject(m, who[i]);
        (void)add_act(m, &(struct act_spec){ .subject = who[i], .purpose = 1, .version = 1 }, NULL);
    }
    (void)commit(m); /* both in one group */
    (void)add_mixed(m, "ada", 5, 100);
    (void)add_events(m, "eve", 5, 100);
    begin(m);
    (void)add_act(m, &(struct act_spec){ .subject = "eve", .purpose = 1, .lowers = true }, NULL);
    (void)commit(m);
}

/* ---- tests ---- */

static void a_proof_shows_the_records_and_what_they_rest_on(void **state)
{
    struct made *m = *state;
    add_people(m);
    struct file f = export(m, "ada");
    holds(&f);
    assert_int_equal(f.numbers.records, 3); /* the subject and two acts */
    assert_int_equal(f.numbers.named, 2);   /* the text, and the notice that carries it */
    assert_true(has(&f, "{\\\"identifier\\\":\\\"terms\\\"}"));
    assert_false(has(&f, "unrelated"));
    assert_true(said(&f, "2 of the kind consent"));
    assert_true(said(&f, "purpose 1: agreed to, text version 1, evidence: shown"));
    seal_all(m);
    struct file sealed = export(m, "ada");
    holds(&sealed);
    assert_true(has(&sealed, "\"in_chain\":true"));
    assert_false(has(&sealed, "\"in_chain\":false"));
    holds(&f);
}

static void nobody_elses_data_is_in_it(void **state)
{
    struct made *m = *state;
    add_people(m);
    struct file f = export(m, "ada");
    for (uint32_t i = 0; i < f.count; i++) {
        struct json_doc d;
        ok(json_scan(f.line[i], &m->a, &d, NULL));
        assert_null(memmem(f.line[i].p, f.line[i].n, "eve", 3));
        uint32_t columns = json_get(&d, JSON_ROOT, STR("columns"));
        for (uint32_t v = json_first(&d, columns); v; v = json_next(&d, columns, v)) {
            struct str text, bytes;
            assert_true(json_string(&d, v, &m->a, &text) && base64_decode(text, &m->a, &bytes));
            assert_null(memmem(bytes.p, bytes.n, "eve", 3));
        }
    }
    struct file all = export(m, "");
    holds(&all);
    assert_int_equal(all.numbers.records, 6);
    assert_true(has(&all, "eve"));
}

static void take_out(struct file *f, uint32_t which)
{
    f->count--;
    memmove(&f->line[which], &f->line[which + 1], (f->count - which) * sizeof *f->line);
}

static void documents_and_what_made_a_text_void_come_along(void **state)
{
    struct made *m = *state;
    struct err_info info = { 0 };
    int64_t seq;
    add_people(m);
    begin(m);
    struct document d = added_document(m, "signed.pdf", STR("%PDF-of ada"));
    (void)add_document(m, "other.pdf", STR("%PDF-of eve"));
    (void)add_act(
        m, &(struct act_spec){ .subject = "ada", .purpose = 1, .version = 1, .document = &d },
        NULL);
    struct void_row row = { .purpose = 1, .version = 1, .from_ms = 1000, .at_ms = ++made_ms };
    ok(store_add_void(m->s, &row, STR("{\"purpose\":\"statistics\",\"version\":1}"), &seq));
    (void)commit(m);
    struct file f = export(m, "ada");
    holds(&f);
    assert_int_equal(f.numbers.named, 4);
    assert_false(has(&f, "other.pdf"));
    assert_true(said(&f, "its bytes stand in the file, and are those that were uploaded"));
    assert_true(said(&f, "the text of purpose statistics, version 1, was declared void"));
    uint32_t content = find(&f, "\"type\":\"content\"");
    struct file g = f;
    g.line[content] = replaced(m, f.line[content], "JVBERi", "JVBERj");
    sign_again(m, &g);
    assert_int_equal(check(&g, &info), ERR_VALUE);
    assert_non_null(strstr(info.text, "it is not what was uploaded"));
    g = f;
    take_out(&g, content);
    sign_again(m, &g);
    assert_int_equal(check(&g, &info), ERR_VALUE);
    assert_non_null(strstr(info.text, "the content of the document before it is missing"));
    g = f;
    g.line[content - 1] = f.line[content]; /* in the place of its record */
    sign_again(m, &g);
    assert_int_equal(check(&g, &info), ERR_VALUE);
    assert_non_null(strstr(info.text, "it stands behind no document"));
}

static uint64_t seed = 20260301;
static uint32_t pick(uint32_t n) /* the same choices at each run */
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static void any_changed_byte_is_found(void **state)
{
    struct made *m = *state;
    add_people(m);
    seal_all(m);
    struct file f = export(m, "ada");
    holds(&f);
    for (int round = 0; round < 1500; round++) {
        struct str *line = &f.line[pick(f.count)], was = *line;
        size_t at = pick((uint32_t)was.n);
        struct arena scratch = ARENA_INIT;
        struct err_info info = { 0 };
        *line = arena_str(&scratch, was);
        ((char *)line->p)[at] ^= (char)(1 << pick(8));
        if (check(&f, &info) == OK)
            fail_msg("byte %zu of a line was changed, and nobody noticed: %.80s", at, was.p);
        assert_true(strncmp(info.text, "line ", 5) == 0 || strstr(info.text, "no proof") != NULL);
        *line = was;
        arena_fini(&scratch);
    }
    holds(&f);
}

/* With a signature that is in order again: then what is in it must not agree. */
static void who_signs_cannot_change_what_was_recorded(void **state)
{
    struct made *m = *state;
    struct err_info info = { 0 };
    add_people(m);
    seal_all(m);
    struct file f = export(m, "ada");
    uint32_t act = find(&f, "\"kind\":\"consent\""), group = find(&f, "\"type\":\"group\""),
             seal = find(&f, "\"type\":\"seal\"");
    static const struct {
        const char *from, *to, *why;
    } rows[] = {
        { "\\\"grant\\\":true", "\\\"grant\\\":false", "its content is not what was recorded" },
        { "\"salt\":\"", "\"salt\":\"00", "it cannot be read" },
        { "\"kind\":\"consent\"", "\"kind\":\"subject\"", "its content is not what was recorded" },
        { "\"seq\":", "\"seq\":1", "it does not stand behind its group" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct file g = f;
        g.line[act] = replaced(m, f.line[act], rows[i].from, rows[i].to);
        sign_again(m, &g);
        assert_int_equal(check(&g, &info), ERR_VALUE);
        if (strstr(info.text, rows[i].why) == NULL)
            fail_msg("%s: %s", rows[i].to, info.text);
    }
    struct file g = f;
    g.line[group] = replaced(m, f.line[group], "\"at\":", "\"at\":1");
    sign_again(m, &g);
    assert_int_equal(check(&g, &info), ERR_VALUE);
    assert_non_null(strstr(info.text, "it is not what was sealed"));
    g = f;
    g.line[seal] = replaced(m, f.line[seal], "\\\"to\\\":", "\\\"to\\\":1");
    sign_again(m, &g);
    assert_int_equal(check(&g, &info), ERR_VALUE);
    assert_non_null(strstr(info.text, "its signature is not of its key"));
}

static void nobody_is_passed_off_as_somebody_else(void **state)
{
    struct made *m = *state;
    struct err_info info = { 0 };
    add_people(m);
    struct file f = export(m, "eve");
    f.line[0] = replaced(m, f.line[0], "\"eve\"", "\"ada\"");
    sign_again(m, &f);
    assert_int_equal(check(&f, &info), ERR_VALUE);
    assert_non_null(strstr(info.text, "it is about somebody else than the file says"));
}

static void missing_and_added_lines_are_found(void **state)
{
    struct made *m = *state;
    struct err_info info = { 0 };
    add_people(m);
    struct file f = export(m, "ada");
    for (uint32_t cut = 0; cut < f.count; cut++) {
        struct file g = f;
        g.count = cut;
        assert_int_equal(check(&g, &info), ERR_VALUE);
        memmove(&g.line[cut], &f.line[cut + 1], (f.count - cut - 1) * sizeof g.line[0]);
        g.count = f.count - 1;
        assert_int_equal(check(&g, &info), ERR_VALUE);
        g = f;
        memmove(&g.line[cut + 1], &f.line[cut], (f.count - cut) * sizeof g.line[0]);
        g.count = f.count + 1;
        assert_int_equal(check(&g, &info), ERR_VALUE);
    }
    struct file twice = f;
    memcpy(&twice.line[f.count], f.line, f.count * sizeof f.line[0]);
    twice.count = 2 * f.count;
    assert_int_equal(check(&twice, &info), ERR_VALUE);
    assert_non_null(strstr(info.text, "behind the end"));
}

/* ---- keys ---- */

static void trust_goes_along_hand_overs_in_both_directions(void **state)
{
    struct made *m = *state;
    struct err_info info = { 0 };
    add_people(m);
    seal_all(m);
    struct keyring first = ring(m);
    struct file old = export(m, "ada");
    ok(keyring_turn(ring_file(m), 2, &m->a, &info));
    struct keyring second = ring(m);
    struct file between = export(m, "ada"); /* the chain does not know the new key yet */
    begin(m);
    (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1, .lowers = true }, NULL);
    (void)commit(m);
    seal_all(m);
    struct file young = export(m, "ada");
    const struct {
        const struct file *f;
        const struct keyring *given;
        bool is;
    } rows[] = { { &old, &first, true },     { &old, &second, false }, /* it knows nothing of it */
                 { &between, &first, true }, { &between, &second, true },
                 { &young, &first, true },   { &young, &second, true } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t key[1][SIGN_KEY], both[2][SIGN_KEY] = { { 0 } }, stranger[1][SIGN_KEY] = { { 1 } };
        memcpy(key[0], rows[i].given->key, SIGN_KEY);
        memcpy(both[0], first.key, SIGN_KEY);
        memcpy(both[1], second.key, SIGN_KEY);
        struct bundle_trust one = { .key = key, .key_count = 1 },
                            two = { .key = both, .key_count = 2 },
                            none = { .key = stranger, .key_count = 1 };
        enum err e = check_with(rows[i].f, &one, NULL, &info);
        if ((e == OK) != rows[i].is)
            fail_msg("row %zu: %s", i, info.text);
        assert_int_equal(check_with(rows[i].f, &two, NULL, &info), OK);
        assert_int_equal(check_with(rows[i].f, &none, NULL, &info), ERR_VALUE);
    }
    struct key_found *known;
    uint32_t count;
    ok(store_list_signing_keys(m->r, &m->a, &known, &count));
    assert_int_equal(count, 2);
    keyring_fini(&first);
    keyring_fini(&second);
}

/* ---- what is gone ---- */

static void old_proofs_stand_when_events_were_deleted(void **state)
{
    struct made *m = *state;
    uint32_t done;
    add_people(m);
    struct file before = export(m, "ada");
    begin(m);
    ok(store_strip_segments(m->s, INT64_MAX, 10, ++made_ms, 0, NULL, NULL, &done));
    (void)commit(m);
    assert_true(done > 0);
    holds(&before);
    struct file after = export(m, "ada");
    holds(&after);
    assert_int_equal(after.numbers.records, before.numbers.records);
}

/* As an erasure leaves a fact: its bytes and their key are gone, its leaf stays. */
static void empty_fact(struct made *m, int64_t seq)
{
    sqlite3 *db;
    const char *file = arena_printf(&m->a, "%s/licet.db", m->dir).p;
    const char *sql =
        arena_printf(&m->a,
                     "UPDATE fact SET key = NULL, columns = NULL, payload = NULL WHERE seq = %lld",
                     (long long)seq)
            .p;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 1);
    (void)sqlite3_close(db);
}

static void an_erased_record_is_told_as_such_and_harms_no_other(void **state)
{
    struct made *m = *state;
    add_people(m);
    seal_all(m);
    struct file before = export(m, "ada");
    struct fact_list l;
    ok(store_facts_of(m->r, STR("ada"), 100, &m->a, &l));
    assert_int_equal(l.count, 3);
    empty_fact(m, l.seq[1]);
    m->unverified = true; /* no erasure names it */
    struct file after = export(m, "ada");
    holds(&before);
    holds(&after);
    assert_int_equal(after.numbers.records, 2);
    assert_int_equal(after.numbers.erased, 1);
    assert_true(
        said(&after, "a consent whose content was erased; only that it was there is shown"));
    assert_true(said(&after, "Of 1 more, the content was erased since"));
    assert_true(said(&before, "2 of the kind consent"));
    assert_true(said(&after, "1 of the kind consent"));
}

/* ---- size ---- */

/* Nothing of the groups in between: a path of hashes and a seal. */
static void a_proof_grows_with_the_logarithm_of_the_chain(void **state)
{
    struct made *m = *state;
    add_people(m);
    seal_all(m);
    size_t bytes[2] = { 0 };
    for (int step = 0; step < 2; step++) {
        for (int i = 0; i < (step ? 1000 : 30); i++)
            (void)add_events(m, "eve", 1, 60);
        if (step == 0) {
            begin(m);
            (void)add_act(m, &(struct act_spec){ .subject = "ada", .purpose = 1, .lowers = true },
                          NULL);
            (void)commit(m);
        }
        struct file f = export(m, "ada");
        holds(&f);
        for (uint32_t i = 0; i < f.count; i++)
            bytes[step] += f.line[i].n;
    }
    assert_true(bytes[1] < bytes[0] + 6 * 64 + 100);
}

static void large_content_and_strange_text_come_through(void **state)
{
    struct made *m = *state;
    AUTO(buf_fini) struct buf text = BUF_INIT(4u << 20);
    buf_lit(&text, "\"\\u001b[31m\xe2\x80\xae");
    while (text.n < 3u * LIMIT_PROOF_CHUNK)
        buf_lit(&text, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80x");
    buf_lit(&text, "\"");
    buf_byte(&text, 0);
    begin(m);
    (void)add_subject(m, "ada");
    (void)add_notice(m, "terms", text.p);
    made_ms++;
    struct act_row row = {
        .id = id_new(made_ms), .subject = STR("ada"), .claimed_ms = made_ms, .received_ms = made_ms
    };
    char id[ID_TEXT + 1];
    int64_t seq;
    id_format(&row.id, id);
    row.payload = arena_printf(
        &m->a,
        "{\"id\":\"%s\",\n\t\"subject\":{\"id\":\"ada\"},\"timestamp\":%lld,\"received\":%lld,"
        "\"source\":\"public\",\"legal_notices\":[{\"identifier\":\"terms\",\"version\":1}],"
        "\"proofs\":[{\"form\":%s}],\"effects\":[]}",
        id, (long long)made_ms, (long long)made_ms, text.p);
    ok(store_add_act(m->s, &row, &seq));
    (void)commit(m);
    struct file f = export(m, "ada");
    holds(&f);
    assert_true(said(&f, "cites the notice terms, version 1"));
    AUTO(buf_fini) struct buf heard = BUF_INIT(1u << 20);
    ok(check_with(&f, &(struct bundle_trust){ 0 }, &heard, NULL));
    assert_null(memchr(heard.p, 0x1b, heard.n));
}

static void of_nobody_known_there_is_no_proof(void **state)
{
    struct made *m = *state;
    struct file f = { .a = &m->a };
    struct keyring k = ring(m);
    struct err_info info = { 0 };
    add_people(m);
    struct bundle_question q = { .subject = STR("nobody"), .now_ms = made_ms };
    assert_int_equal(bundle_write(m->r, &k, &q, keep, &f, &f.numbers, &info), ERR_NOT_FOUND);
    assert_int_equal(f.count, 0);
    keyring_fini(&k);
}

static void a_seal_that_skips_groups_is_not_written(void **state)
{
    struct made *m = *state;
    struct seal s = { .from = 2, .to = 2 };
    add_people(m);
    begin(m);
    assert_int_equal(store_add_seal(m->s, seal_write(&s, &m->a), STR("x")), ERR_STALE);
    assert_int_equal(store_add_seal(m->s, STR("{}"), STR("x")), ERR_VALUE);
    store_rollback(m->s);
}

#define T(name) cmocka_unit_test_setup_teardown(name, made_file, unmade_with_key)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_proof_shows_the_records_and_what_they_rest_on),
        T(nobody_elses_data_is_in_it),
        T(documents_and_what_made_a_text_void_come_along),
        T(any_changed_byte_is_found),
        T(who_signs_cannot_change_what_was_recorded),
        T(nobody_is_passed_off_as_somebody_else),
        T(missing_and_added_lines_are_found),
        T(trust_goes_along_hand_overs_in_both_directions),
        T(old_proofs_stand_when_events_were_deleted),
        T(an_erased_record_is_told_as_such_and_harms_no_other),
        T(a_proof_grows_with_the_logarithm_of_the_chain),
        T(large_content_and_strange_text_come_through),
        T(of_nobody_known_there_is_no_proof),
        T(a_seal_that_skips_groups_is_not_written),
    };
    return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
