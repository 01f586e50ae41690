#include "store/verify_priv.h"

static void wrong(struct verify *v, const struct fact_read *f, const char *what)
{
    verify_fault(v, "fact %lld: %s", (long long)f->seq, what);
}

/* That a derived row is there: `sql` selects it with all its values given. */
static enum err row_is_there(struct verify *v, const struct fact_read *f, const char *sql,
                             const struct arg *args, const char *what)
{
    int64_t n;
    enum err e = conn_number(v->c, sql, args, 0, &n);
    if (e == OK && n == 0)
        wrong(v, f, what);
    return e;
}
#define ROW_IS_THERE(v, f, sql, what, ...) row_is_there((v), (f), "" sql, ARGS(__VA_ARGS__), (what))

static enum err check_subject(struct verify *v, const struct fact_read *f, struct str id)
{
    return ROW_IS_THERE(v, f, "SELECT 1 FROM subject WHERE no = ? AND id = ?",
                        "is not of the subject that it names", INT(f->subject), TEXT(id));
}

/* ---- by kind; false in *ret_ok: the columns cannot be read ---- */

static bool has_text(struct str texts, struct str wanted)
{
    struct str s;
    while (columns_next_text(&texts, &s))
        if (str_eq(s, wanted))
            return true;
    return false;
}

static enum err check_preferences(struct verify *v, const struct fact_read *f,
                                  struct act_columns *c)
{
    struct str all = c->preferences, rest = all, name;
    uint32_t n = 0;
    enum err e = OK;
    for (; e == OK && columns_next_text(&rest, &name); n++) {
        struct str before = { all.p, (size_t)(name.p - all.p) - 4 };
        if (has_text(before, name)) /* said twice, found once */
            continue;
        v->act_preferences++;
        e = ROW_IS_THERE(v, f,
                         "SELECT 1 FROM act_preference a JOIN preference p ON p.no = a.preference"
                         " WHERE p.name = ? AND a.seq = ?",
                         "is not found by its preferences", TEXT(name), INT(f->seq));
    }
    if (n != c->preference_count || rest.n)
        wrong(v, f, "its preferences cannot be read");
    return e;
}

static enum err check_act(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct act_columns c;
    *ret_ok = columns_read_act(f->columns, &c);
    if (!*ret_ok)
        return OK;
    v->acts++;
    enum err e = check_subject(v, f, c.subject);
    if (e == OK)
        e = ROW_IS_THERE(
            v, f,
            "SELECT 1 FROM act WHERE seq = ? AND id = ? AND claimed_ms = ? AND source = ?"
            " AND ip = ?",
            "its row does not agree with it", INT(f->seq), BYTES(c.id.b, sizeof c.id.b),
            INT(c.claimed_ms), INT(c.source), TEXT(c.ip));
    if (e == OK)
        e = check_preferences(v, f, &c);
    if (e == OK)
        e = verify_attached(v, f, STR("proof_document_ids"));
    return e == OK ? verify_act(v, f) : e;
}

static enum err check_subject_fact(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct subject_row row; /* the state is compared by verify_subjects() */
    *ret_ok = columns_read_subject(f->columns, &row);
    return *ret_ok ? check_subject(v, f, row.id) : OK;
}

static enum err check_restriction(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct restriction_columns c;
    *ret_ok = columns_read_restriction(f->columns, &c);
    return *ret_ok ? check_subject(v, f, c.subject) : OK;
}

static enum err check_notice(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct notice_row row;
    *ret_ok = columns_read_notice(f->columns, &row);
    if (!*ret_ok)
        return OK;
    v->notices++;
    enum err e =
        ROW_IS_THERE(v, f,
                     "SELECT 1 FROM notice WHERE identifier = ? AND version = ? AND seq = ?"
                     " AND timestamp_ms = ?",
                     "its notice does not agree with it", TEXT(row.identifier), INT(row.version),
                     INT(f->seq), INT(row.timestamp_ms));
    if (e == OK)
        e = verify_confirmed(v, f, row.version);
    return e == OK ? verify_attached(v, f, STR("document_ids")) : e;
}

static enum err check_name(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct str s = f->columns;
    uint8_t kind;
    uint32_t number;
    *ret_ok = take_u8(&s, &kind) && take_u32(&s, &number) && s.n == 0;
    if (!*ret_ok)
        return OK;
    v->names++;
    return ROW_IS_THERE(
        v, f, "SELECT 1 FROM name WHERE kind = ? AND number = ? AND name = ? AND seq = ?",
        "its name does not agree with it", INT(kind), INT(number), TEXT(f->payload), INT(f->seq));
}

static enum err check_version(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct str s = f->columns;
    uint32_t purpose, version;
    int64_t newest;
    *ret_ok = take_u32(&s, &purpose) && take_u32(&s, &version) && s.n == 0;
    if (!*ret_ok)
        return OK;
    enum err e = NUMBER(v->c, "SELECT seq FROM version WHERE purpose = ? AND version = ?", 0,
                        &newest, INT(purpose), INT(version));
    if (e == OK && newest < f->seq) /* a further language comes later and takes the row */
        wrong(v, f, "its version does not agree with it");
    v->versions += newest == f->seq;
    return e;
}

static enum err check_void(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct void_columns c;
    *ret_ok = columns_read_void(f->columns, &c);
    if (!*ret_ok)
        return OK;
    v->voids++;
    return ROW_IS_THERE(v, f,
                        "SELECT 1 FROM voided WHERE seq = ? AND purpose = ? AND version = ?"
                        " AND from_ms = ? AND at_ms = ?",
                        "its voiding does not agree with it", INT(f->seq), INT(c.purpose),
                        INT(c.version), INT(c.from_ms), INT(c.at_ms));
}

static enum err check_generation(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct str s = f->columns;
    uint32_t number;
    uint64_t at_ms;
    *ret_ok = take_u32(&s, &number) && take_u64(&s, &at_ms) && s.n == 0;
    if (!*ret_ok)
        return OK;
    v->generations++;
    return ROW_IS_THERE(v, f, "SELECT 1 FROM generation WHERE number = ? AND at_ms = ? AND seq = ?",
                        "its generation does not agree with it", INT(number), INT(at_ms),
                        INT(f->seq));
}

/* Each segment that it names was last rewritten by it, or later. */
static enum err check_retention(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct str named, hash;
    int64_t number, seq;
    enum err e = OK;
    *ret_ok = columns_read_retention(f->columns, &named);
    while (*ret_ok && e == OK && columns_next_named(&named, &number, &hash)) {
        e = NUMBER(v->c, "SELECT retention_seq FROM segment WHERE number = ?", -1, &seq,
                   INT(number));
        if (e == OK && seq < f->seq)
            verify_fault(v, "segment %lld: is not as fact %lld left it", (long long)number,
                         (long long)f->seq);
    }
    return e;
}

/* ---- any ---- */

static const struct {
    enum err (*check)(struct verify *v, const struct fact_read *f, bool *ret_ok);
    bool has_subject;
} by_kind[] = {
    [FACT_ACT] = { check_act, true },
    [FACT_SUBJECT] = { check_subject_fact, true },
    [FACT_NOTICE] = { check_notice, false },
    [FACT_PURPOSE_VERSION] = { check_version, false },
    [FACT_VOID] = { check_void, false },
    [FACT_RESTRICTION] = { check_restriction, true },
    [FACT_CONFIGURATION] = { check_generation, false },
    [FACT_RETENTION] = { check_retention, false },
    [FACT_NAME] = { check_name, false },
    [FACT_DOCUMENT] = { verify_document, false },
    [FACT_FINDING] = { verify_finding, false },
    [FACT_SEAL] = { verify_seal, false },
    [FACT_SIGNING_KEY] = { verify_signing_key, false },
    [FACT_STAMP] = { verify_stamp, false },
    [FACT_VERIFICATION] = { verify_verification, true },
    [FACT_VERIFICATION_END] = { verify_verification_end, true },
};

static bool leaf_agrees(const struct fact_read *f)
{
    uint8_t leaf[CHAIN_HASH];
    if (f->key.n != CHAIN_KEY || f->leaf.n != CHAIN_HASH || f->kind < 0 || f->kind > UINT8_MAX)
        return false;
    chain_fact_leaf((const uint8_t *)f->key.p, (unsigned)f->kind, f->seq, f->payload, f->columns,
                    leaf);
    return memcmp(leaf, f->leaf.p, CHAIN_HASH) == 0;
}

enum err verify_fact(struct verify *v, const struct fact_read *f)
{
    if (f->emptied) {
        v->result.emptied++;
        wrong(v, f, "its payload is gone, and no erasure says so");
        return OK;
    }
    if (!leaf_agrees(f))
        wrong(v, f, "its leaf does not agree with its payload");
    if (f->kind < 0 || f->kind >= (int64_t)COUNT(by_kind) || by_kind[f->kind].check == NULL) {
        wrong(v, f, "is of no known kind");
        return OK;
    }
    if ((f->subject != 0) != by_kind[f->kind].has_subject)
        wrong(v, f, "its subject does not agree with its kind");
    bool readable;
    enum err e = by_kind[f->kind].check(v, f, &readable);
    if (e == OK && !readable)
        wrong(v, f, "its columns cannot be read");
    return e;
}
