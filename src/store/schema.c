#include "store/sets.h"

/* Permanent: the tables fact, chain, segment and content, and secret. All others are
 * derived from facts or say how far deliveries have come. Small columns stand
 * before large ones, so that looking at the first does not read the second. */
static const char version_1[] =
    "CREATE TABLE secret (which INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;"

    /* ---- facts ---- */
    "CREATE TABLE chain (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
    " last_seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE fact (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " subject INTEGER REFERENCES subject(no), key BLOB, leaf BLOB NOT NULL, columns BLOB,"
    " payload BLOB) STRICT;"
    "CREATE INDEX fact_subject ON fact(subject, seq) WHERE subject IS NOT NULL;"
    "CREATE INDEX fact_kind ON fact(kind, seq) WHERE kind > 2;" /* neither act nor subject */

    /* ---- subjects and acts ---- */
    "CREATE TABLE subject (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " flags INTEGER NOT NULL, seq INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
    " changed_ms INTEGER NOT NULL, email TEXT NOT NULL, first_name TEXT NOT NULL,"
    " last_name TEXT NOT NULL, full_name TEXT NOT NULL, extra TEXT NOT NULL,"
    " preferences TEXT NOT NULL) STRICT;"
    "CREATE INDEX subject_email ON subject(email, no);"
    "CREATE INDEX subject_changed ON subject(changed_ms);"
    "CREATE TABLE act (seq INTEGER PRIMARY KEY REFERENCES fact(seq), id BLOB NOT NULL UNIQUE,"
    " claimed_ms INTEGER NOT NULL, source INTEGER NOT NULL, ip TEXT NOT NULL) STRICT;"
    "CREATE INDEX act_claimed ON act(claimed_ms);"
    "CREATE INDEX act_ip ON act(ip, seq);"
    "CREATE TABLE preference (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE act_preference (preference INTEGER NOT NULL REFERENCES preference(no),"
    " seq INTEGER NOT NULL, PRIMARY KEY (preference, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE standing (subject INTEGER NOT NULL, purpose INTEGER NOT NULL,"
    " class INTEGER NOT NULL, version INTEGER NOT NULL, first_effect INTEGER NOT NULL,"
    " first_seq INTEGER NOT NULL, last_effect INTEGER NOT NULL, last_seq INTEGER NOT NULL,"
    " PRIMARY KEY (subject, purpose, class, version)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE answer (scope TEXT NOT NULL, key TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " body_hash BLOB NOT NULL, answer BLOB NOT NULL, PRIMARY KEY (scope, key))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX answer_at ON answer(at_ms);"

    /* ---- notices and configuration ---- */
    "CREATE TABLE notice (identifier TEXT NOT NULL, version INTEGER NOT NULL,"
    " seq INTEGER NOT NULL REFERENCES fact(seq), timestamp_ms INTEGER NOT NULL,"
    " PRIMARY KEY (identifier, version DESC)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE name (kind INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"
    " seq INTEGER NOT NULL REFERENCES fact(seq), PRIMARY KEY (kind, number), UNIQUE (kind, name))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE version (purpose INTEGER NOT NULL, version INTEGER NOT NULL,"
    " seq INTEGER NOT NULL REFERENCES fact(seq), PRIMARY KEY (purpose, version))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE generation (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
    " seq INTEGER NOT NULL REFERENCES fact(seq)) STRICT;"

    /* ---- events ---- */
    /* the last four stand here or, when file says so, in the event log */
    "CREATE TABLE segment (number INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL, count INTEGER NOT NULL, permitted INTEGER NOT NULL,"
    " retention_seq INTEGER NOT NULL, file INTEGER, start INTEGER, size INTEGER,"
    " brief BLOB, keys BLOB, leaves BLOB, bytes BLOB,"
    " CHECK ((file IS NULL) = (bytes IS NOT NULL) AND (file IS NULL) = (start IS NULL)"
    " AND (file IS NULL) = (size IS NULL))) STRICT;"
    "CREATE INDEX segment_time ON segment(last_ms, first_ms);"
    "CREATE INDEX segment_file ON segment(file) WHERE file IS NOT NULL;"
    "CREATE TABLE log_hole (file INTEGER NOT NULL, start INTEGER NOT NULL, size INTEGER NOT NULL)"
    " STRICT;"
    "CREATE TABLE mark (which INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;"

    /* ---- deliveries ---- */
    "CREATE TABLE cursor (slot INTEGER PRIMARY KEY, segment INTEGER NOT NULL,"
    " idx INTEGER NOT NULL) STRICT;"
    "CREATE TABLE request (no INTEGER PRIMARY KEY, id BLOB NOT NULL, slot INTEGER NOT NULL,"
    " state INTEGER NOT NULL, attempts INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " next_ms INTEGER NOT NULL, error TEXT NOT NULL, fields TEXT NOT NULL, items BLOB NOT NULL)"
    " STRICT;"
    "CREATE UNIQUE INDEX request_pending ON request(id) WHERE state > 0;"
    "CREATE INDEX request_state ON request(state, slot, no) WHERE state > 0;"
    "CREATE TABLE request_segment (segment INTEGER NOT NULL, request INTEGER NOT NULL,"
    " PRIMARY KEY (segment, request)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE request_subject (subject INTEGER NOT NULL, request INTEGER NOT NULL,"
    " PRIMARY KEY (subject, request)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE counter (hour_ms INTEGER NOT NULL, slot INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (hour_ms, slot, reason))"
    " STRICT, WITHOUT ROWID;";

/* Filters of lists that had no index: by words of a subject, by source and type of an act. */
static const char lists[] =
    "CREATE TABLE subject_word (field INTEGER NOT NULL, word TEXT NOT NULL,"
    " subject INTEGER NOT NULL REFERENCES subject(no), PRIMARY KEY (field, word, subject))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX subject_first_name ON subject(first_name, no) WHERE first_name <> '';"
    "CREATE INDEX subject_last_name ON subject(last_name, no) WHERE last_name <> '';"
    "CREATE INDEX subject_verified ON subject((flags & 1), no);"
    "ALTER TABLE act ADD COLUMN type TEXT NOT NULL DEFAULT '';"
    "UPDATE act SET type = (SELECT CASE 'text' WHEN json_type(p, '$.consent_type')"
    " THEN json_extract(p, '$.consent_type') WHEN json_type(p, '$.other.consent_type')"
    " THEN json_extract(p, '$.other.consent_type') ELSE '' END"
    " FROM (SELECT CAST(payload AS TEXT) AS p FROM fact WHERE fact.seq = act.seq))"
    " WHERE seq IN (SELECT seq FROM fact WHERE kind = 1"
    " AND instr(payload, CAST('\"consent_type\"' AS BLOB)) > 0);"
    "CREATE INDEX act_source ON act(source, seq);"
    "CREATE INDEX act_type ON act(type, seq);";

/* Texts declared void; how many subjects hold what; refusals of people who are not known; imports.
 * Only the first is derived from facts. */
static const char generations[] =
    "CREATE TABLE voided (seq INTEGER PRIMARY KEY REFERENCES fact(seq), purpose INTEGER NOT NULL,"
    " version INTEGER NOT NULL, from_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE coverage (purpose INTEGER NOT NULL, bare INTEGER NOT NULL,"
    " state INTEGER NOT NULL, version INTEGER NOT NULL, day INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY (purpose, bare, state, version, day)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE unknown (purpose INTEGER NOT NULL, day INTEGER NOT NULL,"
    " version INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (purpose, day, version))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE import (id TEXT PRIMARY KEY, kind TEXT NOT NULL, next INTEGER NOT NULL,"
    " accepted INTEGER NOT NULL, repeated INTEGER NOT NULL, refused INTEGER NOT NULL,"
    " begun_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE import_refused (import TEXT NOT NULL, line INTEGER NOT NULL,"
    " field TEXT NOT NULL, error TEXT NOT NULL, PRIMARY KEY (import, line)) STRICT, WITHOUT ROWID;";

/* Uploaded documents, each content once. */
static const char documents[] =
    "CREATE TABLE content (no INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
    " bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE document (seq INTEGER PRIMARY KEY REFERENCES fact(seq),"
    " id BLOB NOT NULL UNIQUE, content INTEGER NOT NULL REFERENCES content(no)) STRICT;"
    "CREATE INDEX document_content ON document(content);"
    "CREATE TABLE attachment (fact INTEGER NOT NULL REFERENCES fact(seq),"
    " document INTEGER NOT NULL REFERENCES document(seq), PRIMARY KEY (fact, document))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX attachment_document ON attachment(document);";

/* Notices that are watched; which is in force when. */
static const char findings[] =
    "CREATE TABLE finding (seq INTEGER PRIMARY KEY REFERENCES fact(seq), identifier TEXT NOT NULL,"
    " hash BLOB NOT NULL, version INTEGER) STRICT;"
    "CREATE INDEX finding_identifier ON finding(identifier, seq);"
    "CREATE INDEX notice_timestamp ON notice(identifier, timestamp_ms, version);";

/* How far hooks were told of facts, and the messages that wait. Nothing of it is derived. */
static const char hooks[] =
    "CREATE TABLE hook (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, cursor INTEGER NOT NULL,"
    " start_seq INTEGER NOT NULL, start_ms INTEGER NOT NULL, paused_ms INTEGER NOT NULL,"
    " why TEXT NOT NULL, absent_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE hook_message (hook INTEGER NOT NULL REFERENCES hook(no),"
    " seq INTEGER NOT NULL REFERENCES fact(seq), state INTEGER NOT NULL, id BLOB NOT NULL,"
    " attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " next_ms INTEGER NOT NULL, error TEXT NOT NULL, PRIMARY KEY (hook, seq)) STRICT, WITHOUT "
    "ROWID;"
    "CREATE INDEX hook_message_state ON hook_message(state, hook, seq);";

/* Letters that ask for a confirmation. What stands from sent_ms on says how far they have come, and is
 * derived from no fact. */
static const char verifications[] =
    "CREATE TABLE verification (seq INTEGER PRIMARY KEY REFERENCES fact(seq),"
    " id BLOB NOT NULL UNIQUE, token BLOB NOT NULL UNIQUE, address BLOB NOT NULL,"
    " subject INTEGER NOT NULL REFERENCES subject(no), at_ms INTEGER NOT NULL,"
    " until_ms INTEGER NOT NULL, ended INTEGER REFERENCES fact(seq), outcome INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL, sent_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, error TEXT NOT NULL) STRICT;"
    "CREATE INDEX verification_address ON verification(address, at_ms);"
    "CREATE INDEX verification_subject ON verification(subject, seq);"
    "CREATE INDEX verification_due ON verification(next_ms) WHERE next_ms > 0;";

/* Append only: what is out there was made by these. */
static const struct {
    const char *sql;
    enum err (*fill)(
        struct conn *c); /* what is derived of facts and SQL cannot say; NULL: nothing */
} migration[] = { { version_1, NULL },    { lists, words_fill }, { generations, coverage_fill },
                  { documents, NULL },    { findings, NULL },    { hooks, NULL },
                  { verifications, NULL } };
const int schema_newest = COUNT(migration);

static enum err read_version(struct conn *c, int64_t *ret_version)
{
    int64_t exists;
    enum err e =
        NUMBER(c, "SELECT count(*) FROM sqlite_schema WHERE name='schema_version'", 0, &exists);
    *ret_version = 0;
    if (e != OK || !exists)
        return e;
    return NUMBER(c, "SELECT max(version) FROM schema_version", 0, ret_version);
}

static enum err refuse(int64_t version, struct err_info *info)
{
    return err_set(info, ERR_CONFLICT, NULL,
                   "the database has schema %lld, this licet knows %d: %s", (long long)version,
                   schema_newest,
                   version > schema_newest ? "a newer licet is needed" : "start the daemon first");
}

enum err schema_check(struct conn *c, struct err_info *info)
{
    int64_t version;
    enum err e = read_version(c, &version);
    if (e != OK)
        return conn_set_err(c, e, info);
    return version == schema_newest ? OK : refuse(version, info);
}

enum err schema_step(struct conn *c, int64_t version)
{
    enum err e = conn_exec(c, "BEGIN IMMEDIATE");
    if (e != OK)
        return e;
    if (version == 1)
        e = conn_exec(c, "CREATE TABLE schema_version (version INTEGER PRIMARY KEY) STRICT");
    if (e == OK)
        e = conn_exec(c, migration[version - 1].sql);
    if (e == OK && migration[version - 1].fill != NULL)
        e = migration[version - 1].fill(c);
    if (e == OK)
        e = RUN(c, "INSERT INTO schema_version VALUES (?)", INT(version));
    if (e == OK)
        e = conn_exec(c, "COMMIT");
    if (e != OK)
        conn_rollback(c);
    return e;
}

enum err schema_migrate(struct conn *c, struct err_info *info)
{
    int64_t version;
    enum err e = read_version(c, &version);
    if (e == OK && version > schema_newest)
        return refuse(version, info);
    while (e == OK && version < schema_newest)
        e = schema_step(c, ++version);
    return e == OK ? OK : conn_set_err(c, e, info);
}
