/* Letters that ask for a confirmation. */
#include "store/verification.h"

#include "store/store_priv.h"

/* The subject's newest fact is this one. */
static enum err add_fact(struct store *s, enum fact_kind kind, int64_t subject, struct str payload,
                         int64_t *ret_seq)
{
    if (s->scratch.over)
        return s->c.failed = ERR_LIMIT;
    enum err e = fact_add(s,
                          &(struct fact){ .kind = kind,
                                          .subject = subject,
                                          .columns = buf_view(&s->scratch),
                                          .payload = payload },
                          ret_seq);
    return e == OK
               ? RUN(&s->c, "UPDATE subject SET seq = ? WHERE no = ?", INT(*ret_seq), INT(subject))
               : e;
}

enum err store_add_verification(struct store *s, const struct verification *v, struct str payload,
                                int64_t *ret_seq)
{
    int64_t subject, seq;
    enum err e = subject_number(&s->c, v->subject, &subject);
    if (e != OK)
        return e;
    buf_clear(&s->scratch);
    columns_verification(&s->scratch, v);
    e = add_fact(s, FACT_VERIFICATION, subject, payload, &seq);
    if (e == OK)
        e = RUN(&s->c,
                "INSERT INTO verification (seq, id, token, address, subject, at_ms, until_ms,"
                " outcome, ended_ms, sent_ms, next_ms, attempts, error)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, 0, '')",
                INT(seq), BYTES(v->id.b, sizeof v->id.b), BYTES(v->token, sizeof v->token),
                BYTES(v->address, sizeof v->address), INT(subject), INT(v->at_ms), INT(v->until_ms),
                INT(v->letter.next_ms));
    if (e == OK)
        *ret_seq = seq;
    return e;
}

static enum err read_open(struct conn *c, int64_t seq, struct arena *a, int64_t *ret_subject,
                          struct verification_end *end)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(c,
                       "SELECT v.subject, v.id, v.outcome, s.id FROM verification v"
                       " JOIN subject s ON s.no = v.subject WHERE v.seq = ?",
                       &q, INT(seq));
    if (e != OK)
        return e;
    if (col_int(q, 2) != VERIFICATION_OPEN)
        return ERR_CONFLICT;
    *ret_subject = col_int(q, 0);
    end->subject = col_copy(q, 3, a);
    return col_id(q, 1, &end->id) ? OK : ERR_CORRUPT;
}

enum err store_end_verification(struct store *s, int64_t seq, enum verification_outcome outcome,
                                int64_t at_ms, struct str payload)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct verification_end end = { .outcome = outcome, .at_ms = at_ms };
    int64_t subject, ended;
    enum err e = read_open(&s->c, seq, &a, &subject, &end);
    if (e != OK)
        return e;
    buf_clear(&s->scratch);
    columns_verification_end(&s->scratch, &end);
    e = add_fact(s, FACT_VERIFICATION_END, subject, payload, &ended);
    return e == OK ? RUN(&s->c,
                         "UPDATE verification SET ended = ?, outcome = ?, ended_ms = ?,"
                         " next_ms = 0 WHERE seq = ?",
                         INT(ended), INT(outcome), INT(at_ms), INT(seq))
                   : e;
}

enum err store_note_letter(struct store *s, int64_t seq, const struct verification_letter *letter)
{
    return RUN(&s->c,
               "UPDATE verification SET sent_ms = ?2, next_ms = iif(outcome = 0, ?3, 0),"
               " attempts = ?4, error = ?5 WHERE seq = ?1",
               INT(seq), INT(letter->sent_ms), INT(letter->next_ms), INT(letter->attempts),
               TEXT(letter->error));
}

/* ---- reading ---- */

#define VERIFICATION_COLUMNS                                                                       \
    "SELECT v.seq, v.outcome, v.ended_ms, v.sent_ms, v.next_ms, v.attempts, v.error, f.columns,"   \
    " f.payload FROM verification v JOIN fact f ON f.seq = v.seq "

static enum err read_row(struct sqlite3_stmt *q, struct arena *a, struct verification *ret_v)
{
    struct verification v;
    if (!columns_read_verification(col_copy(q, 7, a), &v))
        return ERR_CORRUPT;
    v.seq = col_int(q, 0);
    v.outcome = (enum verification_outcome)col_int(q, 1);
    v.ended_ms = col_int(q, 2);
    v.letter = (struct verification_letter){ .sent_ms = col_int(q, 3),
                                             .next_ms = col_int(q, 4),
                                             .attempts = (uint32_t)col_int(q, 5),
                                             .error = col_copy(q, 6, a) };
    v.payload = col_copy(q, 8, a);
    *ret_v = v;
    return OK;
}

enum err store_find_verification(struct store_reader *r, const uint8_t token[VERIFICATION_TOKEN],
                                 struct arena *a, struct verification *ret_v)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e =
        FIRST(r->c, VERIFICATION_COLUMNS "WHERE v.token = ?", &q, BYTES(token, VERIFICATION_TOKEN));
    return e == OK ? read_row(q, a, ret_v) : e;
}

enum err store_get_verification(struct store_reader *r, int64_t seq, struct arena *a,
                                struct verification *ret_v)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c, VERIFICATION_COLUMNS "WHERE v.seq = ?", &q, INT(seq));
    return e == OK ? read_row(q, a, ret_v) : e;
}

enum err store_newest_verification(struct store_reader *r, struct str subject, struct arena *a,
                                   struct verification *ret_v)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c,
                       VERIFICATION_COLUMNS "WHERE v.subject = (SELECT no FROM subject"
                                            " WHERE id = ?) ORDER BY v.seq DESC LIMIT 1",
                       &q, TEXT(subject));
    return e == OK ? read_row(q, a, ret_v) : e;
}

enum err store_due_verifications(struct store_reader *r, int64_t now_ms, uint32_t limit,
                                 struct arena *a, struct verification **ret_v, uint32_t *ret_count)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    struct verification *v = arena_array(a, struct verification, limit);
    uint32_t n = 0;
    enum err e = QUERY(r->c,
                       VERIFICATION_COLUMNS "WHERE v.next_ms > 0 AND v.next_ms <= ?"
                                            " ORDER BY v.next_ms LIMIT ?",
                       &q, INT(now_ms), INT(limit));
    while (e == OK && n < limit && (e = conn_next(q)) == OK)
        e = read_row(q, a, &v[n++]);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_v = v;
    *ret_count = n;
    return OK;
}

enum err store_count_verifications(struct store_reader *r,
                                   const uint8_t address[VERIFICATION_ADDRESS], struct str subject,
                                   int64_t since_ms, int64_t disowned_since_ms,
                                   struct verification_count *ret_count)
{
    int64_t of_address, of_subject, disowned;
    enum err e = NUMBER(r->c, "SELECT count(*) FROM verification WHERE address = ? AND at_ms > ?",
                        0, &of_address, BYTES(address, VERIFICATION_ADDRESS), INT(since_ms));
    if (e == OK)
        e = NUMBER(r->c,
                   "SELECT count(*) FROM verification WHERE subject = (SELECT no FROM subject"
                   " WHERE id = ?) AND at_ms > ?",
                   0, &of_subject, TEXT(subject), INT(since_ms));
    if (e == OK)
        e = NUMBER(r->c,
                   "SELECT 1 FROM verification WHERE address = ? AND outcome = 2 AND ended_ms > ?",
                   0, &disowned, BYTES(address, VERIFICATION_ADDRESS), INT(disowned_since_ms));
    if (e == OK)
        *ret_count = (struct verification_count){ .address = (uint64_t)of_address,
                                                  .subject = (uint64_t)of_subject,
                                                  .disowned = disowned != 0 };
    return e;
}
