/* Whoever changes a byte behind licet's back is found out: random columns of
 * random rows, through a second connection, one at a time. */
#include "store_make.h"

#include "store/document.h"
#include "store/finding.h"
#include "store/merkle.h"
#include "store/proof.h"
#include "store/verification.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a store with something of everything ---- */

static void keep_some(void *ctx, const struct stored_event *e, struct buf *ret_body)
{
    (void)ctx;
    if (e->received_ms % 3)
        buf_str(ret_body, e->body);
}

static void add_configuration(struct made *m)
{
    struct str purpose[] = { STR("statistics"), STR("linking") };
    struct str destination[] = { STR("own"), STR("ga4") };
    struct frozen_version version[] = { { STR("statistics"), 1, STR("{\"v\":1}") },
                                        { STR("linking"), 1, STR("{\"v\":2}") } };
    struct frozen_version translated = { STR("statistics"), 1, STR("{\"v\":1,\"de\":1}") };
    uint32_t generation;
    begin(m);
    ok(store_add_configuration(m->s,
                               &(struct policy_news){ purpose, destination, 2, 2, version, 2 },
                               STR("{\"g\":1}"), ++made_ms, &generation));
    ok(store_add_configuration(m->s,
                               &(struct policy_news){ .version = &translated, .version_count = 1 },
                               STR("{\"g\":2}"), ++made_ms, &generation));
    (void)commit(m);
}

static void add_people(struct made *m)
{
    static const char *const who[] = { "ada", "eve", "bob" };
    for (size_t i = 0; i < COUNT(who); i++) {
        struct id id;
        char text[ID_TEXT + 1];
        int64_t seq;
        begin(m);
        (void)add_subject(m, who[i]);
        struct subject_row row = { .id = str_of(who[i]),
                                   .email = STR("a@example.com"),
                                   .first_name = STR("A"),
                                   .last_name = STR("B"),
                                   .full_name = STR("A B"),
                                   .extra = STR("{\"k\":1}"),
                                   .verified = i == 1,
                                   .changed_ms = ++made_ms };
        ok(store_put_subject(m->s, &row, STR("{\"p\":1}"), made_ms, &seq));
        (void)add_act(m,
                      &(struct act_spec){ .subject = who[i],
                                          .ip = "192.0.2.0",
                                          .preference = "newsletter",
                                          .purpose = 1,
                                          .version = 1,
                                          .source = ACT_PRIVATE_KEY },
                      &id);
        id_format(&id, text);
        ok(store_set_preferences(
            m->s, str_of(who[i]),
            arena_printf(&m->a,
                         "{\"newsletter\":{\"value\":true,\"consent_id\":\"%s\",\"effect\":%lld}}",
                         text, (long long)id_ms(&id))));
        (void)commit(m);
        begin(m);
        (void)add_act(m,
                      &(struct act_spec){
                          .subject = who[i], .preference = "other", .purpose = 2, .lowers = true },
                      NULL);
        ok(store_add_restriction(m->s, str_of(who[i]), i != 2, STR("{\"r\":1}"), ++made_ms, &seq));
        (void)add_notice(m, "terms", "\"text\"");
        (void)commit(m);
    }
}

/* Two of one content and one of another; both contents are tied to a notice. */
static void add_documents(struct made *m)
{
    AUTO(buf_fini) struct buf ids = BUF_INIT(1000);
    int64_t seq, document[3];
    begin(m);
    for (int i = 0; i < 3; i++) {
        struct document d;
        char text[ID_TEXT + 1];
        struct id id = add_document(m, "a.pdf", i == 1 ? STR("%PDF-one") : STR("%PDF-two"));
        ok(store_get_document(store_own_reader(m->s), &id, &m->a, &d));
        document[i] = d.seq;
        id_format(&id, text);
        buf_printf(&ids, "%s\"%s\"", i ? "," : "", text);
    }
    struct notice_row row = { .identifier = STR("paper"), .version = 1, .timestamp_ms = made_ms };
    struct str payload = arena_printf(&m->a, "{\"document_ids\":[%.*s]}", (int)ids.n, ids.p);
    ok(store_add_notice(m->s, &row, payload, &seq));
    ok(store_attach_documents(m->s, seq, document, 3));
    (void)commit(m);
}

static void add_findings(struct made *m)
{
    struct finding f = { .identifier = STR("policy"), .content = STR("\"T\"") };
    struct notice_row row = { .identifier = STR("policy"), .version = 1, .timestamp_ms = made_ms };
    int64_t first, seq;
    begin(m);
    ok(store_add_finding(m->s, &f, STR("{\"f\":1}"), &first));
    f.hash[0] = 1;
    ok(store_add_finding(m->s, &f, STR("{\"f\":2}"), &seq));
    struct str payload = arena_printf(&m->a, "{\"finding\":%lld}", (long long)first);
    ok(store_add_notice(m->s, &row, payload, &seq));
    ok(store_confirm_finding(m->s, first, 1));
    (void)commit(m);
}

static void add_verifications(struct made *m)
{
    begin(m);
    int64_t open = add_verification(m, "ada", 'a', NULL);
    int64_t confirmed = add_verification(m, "ada", 'b', NULL);
    int64_t disowned = add_verification(m, "eve", 'c', NULL);
    assert_true(open < confirmed);
    ok(store_end_verification(m->s, confirmed, VERIFICATION_CONFIRMED, ++made_ms, STR("{}")));
    ok(store_end_verification(m->s, disowned, VERIFICATION_DISOWNED, ++made_ms, STR("{}")));
    (void)commit(m);
}

/* A key, a seal over all there is, a time stamp. */
static void add_seal(struct made *m)
{
    static const uint8_t secret[SIGN_SEED] = { 7 };
    struct seal seal = { .from = 1, .at_ms = ++made_ms };
    struct key_found key = { .key = { .at_ms = made_ms } };
    struct chain_head head;
    struct seal_found newest;
    struct merkle tree = { 0 };
    uint8_t by_itself[SIGNATURE], signature[SIGNATURE];
    ok(store_newest_head(m->r, &head));
    seal.to = head.group;
    memcpy(seal.head, head.hash, CHAIN_HASH);
    for (int64_t g = 1; g <= seal.to; g++) {
        ok(store_get_head(m->r, g, &head));
        merkle_add(&tree, head.hash);
    }
    merkle_root(&tree, seal.root);
    sign_public(secret, key.key.public);
    memcpy(seal.key, key.key.public, SIGN_KEY);
    key.statement = key_statement_write(&key.key, &m->a);
    sign(secret, key.statement, by_itself);
    key.by_itself = (struct str){ (char *)by_itself, SIGNATURE };
    struct str statement = seal_write(&seal, &m->a);
    sign(secret, statement, signature);
    begin(m);
    ok(store_add_signing_key(m->s, &key));
    ok(store_add_seal(m->s, statement, (struct str){ (char *)signature, SIGNATURE }));
    (void)commit(m);
    ok(store_newest_seal(m->r, &m->a, &newest));
    begin(m);
    ok(store_add_stamp(
        m->s, &(struct stamp_found){ newest.seq, STR("https://tsa.example"), STR("token") },
        ++made_ms));
    (void)commit(m);
}

static void add_everything(struct made *m)
{
    uint32_t done;
    add_configuration(m);
    add_people(m);
    add_documents(m);
    add_findings(m);
    add_verifications(m);
    for (int i = 0; i < 5; i++)
        (void)add_events(m, i % 2 ? "ada" : "dev", 6, 120);
    begin(m);
    ok(store_strip_segments(m->s, INT64_MAX, 2, ++made_ms, 0, keep_some, NULL, &done));
    (void)commit(m);
    begin(m);
    ok(store_strip_segments(m->s, INT64_MAX, 1, ++made_ms, 0, NULL, NULL, &done));
    (void)commit(m);
    made_ms += 100000;
    (void)add_events(m, "eve", 3, 120);
    (void)add_mixed(m, "eve", 3, 120);
    (void)add_mixed(m, "ada", 2, 120);
    begin(m);
    for (uint32_t i = 1; i <= 2; i++) {
        struct void_row row = { .purpose = i, .version = 1, .from_ms = 1000, .at_ms = ++made_ms };
        int64_t seq;
        ok(store_add_void(m->s, &row, STR("{\"v\":1}"), &seq));
    }
    (void)commit(m);
    add_seal(m);
}

/* ---- tampering ---- */

static const struct {
    const char *table, *column;
    bool weighs; /* fact, chain, segment: looked at more often */
} target[] = {
    { "fact", "seq", true },
    { "fact", "kind", true },
    { "fact", "subject", true },
    { "fact", "key", true },
    { "fact", "leaf", true },
    { "fact", "columns", true },
    { "fact", "payload", true },
    { "chain", "number", true },
    { "chain", "at_ms", true },
    { "chain", "last_seq", true },
    { "chain", "hash", true },
    { "segment", "number", true },
    { "segment", "first_ms", true },
    { "segment", "last_ms", true },
    { "segment", "count", true },
    { "segment", "permitted", true },
    { "segment", "retention_seq", true },
    { "segment", "file", true },
    { "segment", "start", true },
    { "segment", "size", true },
    { "segment", "brief", true },
    { "segment", "keys", true },
    { "segment", "leaves", true },
    { "segment", "bytes", true },
    { "act", "seq", false },
    { "act", "id", false },
    { "act", "claimed_ms", false },
    { "act", "source", false },
    { "act", "ip", false },
    { "act_preference", "seq", false },
    { "act_preference", "preference", false },
    { "preference", "name", false },
    { "preference", "no", false },
    { "subject", "no", false },
    { "subject", "id", false },
    { "subject", "flags", false },
    { "subject", "seq", false },
    { "subject", "created_ms", false },
    { "subject", "changed_ms", false },
    { "subject", "email", false },
    { "subject", "first_name", false },
    { "subject", "last_name", false },
    { "subject", "full_name", false },
    { "subject", "extra", false },
    { "subject", "preferences", false },
    { "standing", "subject", false },
    { "standing", "purpose", false },
    { "standing", "class", false },
    { "standing", "version", false },
    { "standing", "first_effect", false },
    { "standing", "first_seq", false },
    { "standing", "last_effect", false },
    { "standing", "last_seq", false },
    { "notice", "identifier", false },
    { "notice", "version", false },
    { "notice", "seq", false },
    { "notice", "timestamp_ms", false },
    { "name", "kind", false },
    { "name", "number", false },
    { "name", "name", false },
    { "name", "seq", false },
    { "version", "purpose", false },
    { "version", "version", false },
    { "version", "seq", false },
    { "generation", "number", false },
    { "generation", "at_ms", false },
    { "generation", "seq", false },
    { "voided", "seq", false },
    { "voided", "purpose", false },
    { "voided", "version", false },
    { "voided", "from_ms", false },
    { "voided", "at_ms", false },
    { "coverage", "purpose", false },
    { "coverage", "bare", false },
    { "coverage", "state", false },
    { "coverage", "version", false },
    { "coverage", "day", false },
    { "coverage", "n", false },
    { "content", "no", false },
    { "content", "hash", false },
    { "content", "bytes", false },
    { "document", "seq", false },
    { "document", "id", false },
    { "document", "content", false },
    { "attachment", "fact", false },
    { "attachment", "document", false },
    { "finding", "seq", false },
    { "finding", "identifier", false },
    { "finding", "hash", false },
    { "finding", "version", false },
    { "verification", "seq", false },
    { "verification", "id", false },
    { "verification", "token", false },
    { "verification", "address", false },
    { "verification", "subject", false },
    { "verification", "at_ms", false },
    { "verification", "until_ms", false },
    { "verification", "ended", false },
    { "verification", "outcome", false },
    { "verification", "ended_ms", false },
};

static uint64_t seed = 20260101;
static uint32_t pick(uint32_t n) /* the same choices at each run */
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return q;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q = prepare(db, sql);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    return n;
}

/* One value changed, and how to change it back. */
struct change {
    size_t target;
    uint32_t row;
    int columns;
    sqlite3_value *was[16], *is[16]; /* of the whole row */
};

static sqlite3_value *flipped(sqlite3 *db, sqlite3_value *v)
{
    sqlite3_stmt *q = prepare(db, "SELECT ?1");
    char bytes[8192];
    int n = sqlite3_value_bytes(v), type = sqlite3_value_type(v);
    assert_true(n < (int)sizeof bytes);
    if (type == SQLITE_NULL) {
        (void)sqlite3_bind_int64(q, 1, 1);
    } else if (type == SQLITE_INTEGER) {
        (void)sqlite3_bind_int64(q, 1, sqlite3_value_int64(v) ^ ((int64_t)1 << pick(40)));
    } else {
        if (n)
            memcpy(bytes, type == SQLITE_BLOB ? sqlite3_value_blob(v) : sqlite3_value_text(v),
                   (size_t)n);
        if (n == 0)
            bytes[n++] = 'x';
        else
            bytes[pick((uint32_t)n)] ^= (char)(1 << pick(7));
        if (type == SQLITE_BLOB)
            (void)sqlite3_bind_blob(q, 1, bytes, n, SQLITE_TRANSIENT);
        else
            (void)sqlite3_bind_text(q, 1, bytes, n, SQLITE_TRANSIENT);
    }
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    sqlite3_value *copy = sqlite3_value_dup(sqlite3_column_value(q, 0));
    (void)sqlite3_finalize(q);
    return copy;
}

/* Replaces the row that is `from` by `to`. A table without rowid has no other address for it. */
static bool replace(struct made *m, sqlite3 *db, const struct change *c, sqlite3_value *const *from,
                    sqlite3_value *const *to)
{
    const char *table = target[c->target].table;
    sqlite3_stmt *names = prepare(db, arena_printf(&m->a, "SELECT * FROM %s", table).p);
    AUTO(buf_fini) struct buf sql = BUF_INIT(4096);
    buf_printf(&sql, "UPDATE %s SET", table);
    for (int i = 0; i < c->columns; i++)
        buf_printf(&sql, "%s %s = ?%d", i ? "," : "", sqlite3_column_name(names, i), i + 1);
    for (int i = 0; i < c->columns; i++)
        buf_printf(&sql, " %s %s IS ?%d", i ? "AND" : "WHERE", sqlite3_column_name(names, i),
                   c->columns + i + 1);
    buf_byte(&sql, 0);
    (void)sqlite3_finalize(names);
    sqlite3_stmt *update = prepare(db, sql.p);
    for (int i = 0; i < c->columns; i++) {
        (void)sqlite3_bind_value(update, i + 1, to[i]);
        (void)sqlite3_bind_value(update, c->columns + i + 1, from[i]);
    }
    int code = sqlite3_step(update);
    (void)sqlite3_finalize(update);
    assert_true(code == SQLITE_DONE || code == SQLITE_CONSTRAINT);
    if (code == SQLITE_DONE)
        assert_int_equal(sqlite3_changes(db), 1);
    return code == SQLITE_DONE;
}

static void read_row(struct made *m, sqlite3 *db, struct change *c)
{
    const char *table = target[c->target].table;
    c->row = pick((uint32_t)number(db, arena_printf(&m->a, "SELECT count(*) FROM %s", table).p));
    sqlite3_stmt *q =
        prepare(db, arena_printf(&m->a, "SELECT * FROM %s LIMIT 1 OFFSET %u", table, c->row).p);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    c->columns = sqlite3_column_count(q);
    assert_true(c->columns <= (int)COUNT(c->was));
    for (int i = 0; i < c->columns; i++) {
        bool is = strcmp(sqlite3_column_name(q, i), target[c->target].column) == 0;
        c->was[i] = sqlite3_value_dup(sqlite3_column_value(q, i));
        c->is[i] = is ? flipped(db, c->was[i]) : sqlite3_value_dup(c->was[i]);
    }
    (void)sqlite3_finalize(q);
}

static void free_row(struct change *c)
{
    for (int i = 0; i < c->columns; i++) {
        sqlite3_value_free(c->was[i]);
        sqlite3_value_free(c->is[i]);
    }
}

struct told {
    uint32_t count;
    bool names; /* one of them begins with this */
    const char *expected;
};

static void listen(void *ctx, const char *what)
{
    struct told *t = ctx;
    t->count++;
    t->names = t->names || (t->expected && strstr(what, t->expected) != NULL);
}

/* Which words a fault must have; NULL where the row has lost its name. */
static const char *name_of(struct made *m, const struct change *c)
{
    const char *table = target[c->target].table, *column = target[c->target].column;
    bool lost = strcmp(column, "seq") == 0 || strcmp(column, "number") == 0;
    if (!target[c->target].weighs || lost || strcmp(column, "last_seq") == 0)
        return NULL;
    /* a segment has its group's number; of a cut event, only the group's head knows the leaf */
    bool group = strcmp(table, "chain") == 0 || strcmp(column, "leaves") == 0;
    return arena_printf(&m->a, "%s %lld", group ? "group" : table,
                        (long long)sqlite3_value_int64(c->was[0]))
        .p;
}

static void must_be_found(struct made *m, struct store_reader *r, const struct change *c)
{
    const char *table = target[c->target].table, *column = target[c->target].column;
    struct told told = { .expected = name_of(m, c) };
    struct verify_result result = { 0 };
    struct err_info info = { 0 };
    if (store_verify(r, listen, &told, &result, &info) != OK)
        fail_msg("%s.%s, row %u: %s", table, column, c->row, info.text); /* it can be read */
    if (result.faults == 0)
        fail_msg("%s.%s, row %u, was changed and not found", table, column, c->row);
    if (told.expected && !told.names)
        fail_msg("%s.%s: no fault names \"%s\"", table, column, told.expected);
    assert_int_equal(result.faults, told.count);
}

static void every_changed_byte_is_found(void **state)
{
    struct made *m = *state;
    enum { ROUNDS = 1500 };
    uint32_t found = 0, weighty = 0, by_target[COUNT(target)] = { 0 };
    add_everything(m);
    assert_int_equal(faults(m->r, true), 0);
    sqlite3 *db;
    const char *file = arena_printf(&m->a, "%s/licet.db", m->dir).p;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    (void)sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct change c = { .target = pick(COUNT(target)) };
        read_row(m, db, &c);
        if (replace(m, db, &c, c.was, c.is)) {
            must_be_found(m, m->r, &c);
            assert_true(replace(m, db, &c, c.is, c.was));
            found++;
            weighty += target[c.target].weighs;
            by_target[c.target]++;
        }
        free_row(&c);
    }
    (void)sqlite3_close(db);
    for (size_t t = 0; t < COUNT(target); t++)
        if (by_target[t] == 0)
            fail_msg("%s.%s was never changed", target[t].table, target[t].column);
    assert_true(found > 1000 && weighty > 300);
    assert_int_equal(faults(m->r, true),
                     0); /* all was put back, so each was found for its own sake */
}

static void a_row_that_is_gone_is_found(void **state)
{
    struct made *m = *state;
    static const char *const tables[] = { "fact",           "chain",      "segment",  "act",
                                          "act_preference", "standing",   "subject",  "notice",
                                          "version",        "generation", "name",     "voided",
                                          "coverage",       "content",    "document", "attachment",
                                          "finding" };
    add_everything(m);
    for (size_t i = 0; i < COUNT(tables); i++) {
        sqlite3 *db;
        const char *file = arena_printf(&m->a, "%s/licet.db", m->dir).p;
        assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
        const char *copy =
            arena_printf(&m->a, "CREATE TEMP TABLE was AS SELECT * FROM %s", tables[i]).p;
        const char *cut =
            arena_printf(
                &m->a,
                "DELETE FROM %s WHERE (SELECT %s) AND rowid = (SELECT min(rowid) + 1 FROM %s)",
                tables[i], "1", tables[i])
                .p;
        if (strcmp(tables[i], "act_preference") == 0)
            cut = "DELETE FROM act_preference WHERE seq = (SELECT max(seq) FROM act_preference)";
        if (strcmp(tables[i], "standing") == 0)
            cut = "DELETE FROM standing WHERE last_seq = (SELECT max(last_seq) FROM standing)";
        if (strcmp(tables[i], "notice") == 0 || strcmp(tables[i], "version") == 0)
            cut = arena_printf(&m->a, "DELETE FROM %s WHERE seq = (SELECT max(seq) FROM %s)",
                               tables[i], tables[i])
                      .p;
        if (strcmp(tables[i], "name") == 0)
            cut = "DELETE FROM name WHERE kind = 2 AND number = 1";
        if (strcmp(tables[i], "coverage") == 0)
            cut = "DELETE FROM coverage WHERE n > 0 AND purpose = 2 AND bare = 1 AND state = 2";
        if (strcmp(tables[i], "attachment") == 0)
            cut = "DELETE FROM attachment WHERE document = (SELECT max(document) FROM attachment)";
        assert_int_equal(sqlite3_exec(db, copy, NULL, NULL, NULL), SQLITE_OK);
        if (sqlite3_exec(db, cut, NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", cut, sqlite3_errmsg(db));
        assert_int_equal(sqlite3_changes(db), 1);
        if (faults(m->r, false) == 0)
            fail_msg("a row of %s is gone, and nobody noticed", tables[i]);
        const char *back = arena_printf(&m->a, "DELETE FROM %s; INSERT INTO %s SELECT * FROM was",
                                        tables[i], tables[i])
                               .p;
        assert_int_equal(sqlite3_exec(db, back, NULL, NULL, NULL), SQLITE_OK);
        (void)sqlite3_close(db);
        assert_int_equal(faults(m->r, true), 0);
    }
}

/* Each byte of a document; and the one that changed is named by its id, every upload of it. */
static void a_changed_byte_of_a_document_names_it(void **state)
{
    struct made *m = *state;
    begin(m);
    struct id id[] = { add_document(m, "a", STR("%PDF-1.7 signed")),
                       add_document(m, "b", STR("%PDF-1.7 another")),
                       add_document(m, "c", STR("%PDF-1.7 signed")) };
    (void)commit(m);
    sqlite3 *db;
    const char *file = arena_printf(&m->a, "%s/licet.db", m->dir).p;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    for (size_t at = 0; at < sizeof "%PDF-1.7 signed" - 1; at++) {
        char changed[] = "%PDF-1.7 signed";
        changed[at] ^= 1;
        static const char update[] = "UPDATE content SET bytes = CAST('%s' AS BLOB) WHERE no = 1";
        assert_int_equal(sqlite3_exec(db, arena_printf(&m->a, update, changed).p, NULL, NULL, NULL),
                         SQLITE_OK);
        for (size_t i = 0; i < COUNT(id); i++) {
            char text[ID_TEXT + 1];
            id_format(&id[i], text);
            struct told told = { .expected = arena_printf(&m->a, "document %s", text).p };
            struct verify_result result;
            ok(store_verify(m->r, listen, &told, &result, NULL));
            assert_int_equal(told.count, 2);
            assert_int_equal(told.names, i != 1);
            struct document d;
            struct str bytes;
            ok(store_get_document(m->r, &id[i], &m->a, &d));
            assert_int_equal(store_read_document(m->r, &d, &m->a, &bytes),
                             i == 1 ? OK : ERR_CORRUPT); /* nor is it given to anybody */
        }
        assert_int_equal(
            sqlite3_exec(db, arena_printf(&m->a, update, "%PDF-1.7 signed").p, NULL, NULL, NULL),
            SQLITE_OK);
    }
    (void)sqlite3_close(db);
    assert_int_equal(faults(m->r, true), 0);
}

/* Which fields left is told of the right event or not at all. */
static void a_delivery_without_its_names_is_an_error(void **state)
{
    struct made *m = *state;
    int64_t segment = add_events(m, "ada", 2, 80).group;
    struct delivery_item item[] = {
        { .segment = segment, .result = DELIVERY_SENT },
        { .segment = segment, .index = 1, .result = DELIVERY_RETRY, .fields = 1 }
    };
    struct delivery_request q = {
        .id = id_new(made_ms), .fields = STR("event\ntype"), .item = item, .item_count = 2
    };
    begin(m);
    ok(store_finish_sending(m->s, &q, NULL, 0));
    (void)commit(m);
    static const struct {
        const char *change;
        enum err sent, waiting;
    } rows[] = {
        { "fields = 'event' || char(10) || 'type'", OK, OK },
        { "fields = 'event'", OK, ERR_CORRUPT },
        { "fields = 'event', items = CAST(substr(items, 1, 14) || x'01' AS BLOB)", ERR_CORRUPT,
          ERR_CORRUPT },
    };
    sqlite3 *db;
    const char *file = arena_printf(&m->a, "%s/licet.db", m->dir).p;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *sql = arena_printf(&m->a, "UPDATE request SET %s", rows[i].change).p;
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        struct event_delivery *d;
        struct delivery_request *list;
        uint32_t n;
        assert_int_equal(store_event_deliveries(m->r, segment, 0, &m->a, &d, &n), rows[i].sent);
        assert_int_equal(store_event_deliveries(m->r, segment, 1, &m->a, &d, &n), rows[i].waiting);
        assert_int_equal(
            store_list_pending(m->r, -1, PENDING_RETRY, INT64_MAX, 10, &m->a, &list, &n),
            rows[i].waiting);
    }
    (void)sqlite3_close(db);
}

static off_t used(int fd)
{
    off_t end = lseek(fd, 0, SEEK_END) + 1;
    for (char c = 0; end > 0 && c == 0;) /* behind the last record there are zeros */
        assert_int_equal(pread(fd, &c, 1, --end - 1), 1);
    return end;
}

/* How many of 300 flipped bits are refused or found, one at a time. */
static uint32_t flip_bits(struct made *m, const char *name)
{
    int fd = open(arena_printf(&m->a, "%s/%s", m->dir, name).p, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    off_t size = used(fd);
    uint32_t refused = 0;
    for (int i = 0; i < 300; i++) {
        off_t at = (off_t)pick((uint32_t)size);
        char was, is;
        assert_int_equal(pread(fd, &was, 1, at), 1);
        is = (char)(was ^ (1 << pick(8)));
        assert_int_equal(pwrite(fd, &is, 1, at), 1);
        struct store_reader *r = NULL;
        struct verify_result result = { 0 };
        enum err e = store_reader_open_dir(str_of(m->dir), &r, NULL);
        if (e == OK)
            e = store_verify(r, NULL, NULL, &result, NULL);
        refused += e != OK || result.faults > 0;
        store_reader_close(&r);
        assert_int_equal(pwrite(fd, &was, 1, at), 1);
    }
    (void)close(fd);
    return refused;
}

/* Bytes of the files themselves, at rest: whatever happens, it is an error or a fault, never a crash. */
static void a_damaged_file_never_crashes(void **state)
{
    struct made *m = *state;
    add_everything(m);
    for (int i = 0; i < 20; i++)
        (void)add_mixed(m, "ada", 3, 500);
    made_close(m);
    uint32_t database = flip_bits(m, "licet.db");
    uint32_t log = flip_bits(m, "events/0000000001");
    made_open(m);
    assert_true(database > 20); /* much of it is room, or secrets */
    assert_true(log > 100);     /* the rest are holes */
}

/* A flipped bit of what stands in the log is found, and the group or event named. */
static void every_changed_byte_of_the_log_is_found(void **state)
{
    struct made *m = *state;
    static const char name[] = "segment 1";
    (void)add_events(m, "ada", 5, 200);
    int fd = open(arena_printf(&m->a, "%s/events/0000000001", m->dir).p, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    off_t size = used(fd);
    assert_true(size > 1000);
    for (off_t at = 0; at < size; at++) {
        char was, is;
        assert_int_equal(pread(fd, &was, 1, at), 1);
        is = (char)(was ^ (1 << pick(8)));
        assert_int_equal(pwrite(fd, &is, 1, at), 1);
        struct told told = { .expected = at >= 32 && at < 64 ? "group 1" : name };
        struct verify_result result;
        ok(store_verify(m->r, listen, &told, &result, NULL));
        if (told.count == 0 || !told.names)
            fail_msg("byte %lld was changed and not found", (long long)at);
        assert_int_equal(pwrite(fd, &was, 1, at), 1);
    }
    (void)close(fd);
}

/* ---- bytes of facts, where they stand in the file ---- */

struct spot {
    off_t from;
    size_t n;
    int64_t seq;
};

struct spots {
    struct spot at[512];
    uint32_t count;
    size_t bytes, looked_for;
};

/* Where those bytes stand, when they stand there once: else nobody could say whose they are. */
static void add_spot(struct spots *s, struct str file, struct str bytes, int64_t seq)
{
    if (bytes.n == 0)
        return;
    s->looked_for += bytes.n;
    const char *at = memmem(file.p, file.n, bytes.p, bytes.n), *end = file.p + file.n;
    if (at == NULL || memmem(at + 1, (size_t)(end - at) - 1, bytes.p, bytes.n) != NULL)
        return;
    assert_true(s->count < COUNT(s->at));
    s->at[s->count++] = (struct spot){ at - file.p, bytes.n, seq };
    s->bytes += bytes.n;
}

static void read_file(int fd, struct buf *to)
{
    size_t size = (size_t)lseek(fd, 0, SEEK_END);
    char *room = buf_room(to, size);
    must(room != NULL);
    assert_int_equal(pread(fd, room, size, 0), size);
    to->n = size;
}

static void find_facts(struct made *m, struct str file, struct spots *s)
{
    struct store_reader *r = NULL;
    struct proof_fact f;
    ok(store_reader_open_dir(str_of(m->dir), &r, NULL));
    for (int64_t seq = 1; store_get_fact(r, seq, &m->a, &f) == OK; seq++) {
        add_spot(s, file, f.key, seq);
        add_spot(s, file, f.leaf, seq);
        add_spot(s, file, f.columns, seq);
        add_spot(s, file, f.payload, seq);
    }
    store_reader_close(&r);
}

static const struct spot *pick_spot(const struct spots *s, off_t *ret_at)
{
    size_t n = pick((uint32_t)s->bytes);
    const struct spot *t = s->at;
    for (; n >= t->n; t++)
        n -= t->n;
    *ret_at = t->from + (off_t)n;
    return t;
}

/* A thousand flipped bits of the file at rest, each in the key, leaf, columns or payload of a fact. What else
 * is in the file (headers of pages and rows, indexes, views, free pages) is not asked for here: some of it
 * belongs to no record, and nothing need be noticed there. */
static void a_flipped_bit_of_a_fact_names_its_record(void **state)
{
    struct made *m = *state;
    struct spots spots = { 0 };
    add_everything(m);
    made_close(m);
    int fd = open(arena_printf(&m->a, "%s/licet.db", m->dir).p, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    AUTO(buf_fini) struct buf file = BUF_INIT(64u << 20);
    read_file(fd, &file);
    find_facts(m, buf_view(&file), &spots);
    assert_true(spots.bytes > 9 * spots.looked_for / 10); /* nearly all of them */
    for (int i = 0; i < 1000; i++) {
        off_t at;
        char was, is, name[32];
        const struct spot *t = pick_spot(&spots, &at);
        assert_int_equal(pread(fd, &was, 1, at), 1);
        is = (char)(was ^ (1 << pick(8)));
        assert_int_equal(pwrite(fd, &is, 1, at), 1);
        (void)snprintf(name, sizeof name, "fact %lld:", (long long)t->seq);
        struct told told = { .expected = name };
        struct store_reader *r = NULL;
        struct verify_result result = { 0 };
        ok(store_reader_open_dir(str_of(m->dir), &r, NULL));
        ok(store_verify(r, listen, &told, &result, NULL));
        if (result.faults == 0 || !told.names)
            fail_msg("byte %lld of the file was changed: %llu faults, none names %s", (long long)at,
                     (unsigned long long)result.faults, name);
        store_reader_close(&r);
        assert_int_equal(pwrite(fd, &was, 1, at), 1);
    }
    (void)close(fd);
    made_open(m);
}

#define T(name) cmocka_unit_test_setup_teardown(name, made_file, unmade)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_changed_byte_is_found),
        T(a_row_that_is_gone_is_found),
        T(a_changed_byte_of_a_document_names_it),
        T(a_delivery_without_its_names_is_an_error),
        T(a_damaged_file_never_crashes),
        T(every_changed_byte_of_the_log_is_found),
        T(a_flipped_bit_of_a_fact_names_its_record),
    };
    return cmocka_run_group_tests_name("tamper", tests, NULL, NULL);
}
