#include "store/store_priv.h"

enum err subject_number(struct conn *c, struct str id, int64_t *ret_no)
{
    enum err e = NUMBER(c, "SELECT no FROM subject WHERE id = ?", 0, ret_no, TEXT(id));
    return e == OK && *ret_no == 0 ? ERR_NOT_FOUND : e;
}

static enum err read_old(struct conn *c, struct str id, int64_t *ret_no, uint32_t *ret_flags,
                         int64_t *ret_created_ms)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(c, "SELECT no, flags, created_ms FROM subject WHERE id = ?", &q, TEXT(id));
    if (e != OK)
        return e;
    *ret_no = col_int(q, 0);
    *ret_flags = (uint32_t)col_int(q, 1);
    *ret_created_ms = col_int(q, 2);
    return OK;
}

/* The row comes before its fact, which refers to it. */
static enum err write_row(struct conn *c, const struct subject_row *r, uint32_t flags, int64_t seq,
                          int64_t *no)
{
    if (*no)
        return RUN(c,
                   "UPDATE subject SET flags = ?2, seq = ?3, created_ms = ?4, changed_ms = ?5,"
                   " email = ?6, first_name = ?7, last_name = ?8, full_name = ?9, extra = ?10,"
                   " preferences = ?11 WHERE no = ?1",
                   INT(*no), INT(flags), INT(seq), INT(r->created_ms), INT(r->changed_ms),
                   TEXT(r->email), TEXT(r->first_name), TEXT(r->last_name), TEXT(r->full_name),
                   TEXT(r->extra), TEXT(r->preferences));
    enum err e =
        RUN(c,
            "INSERT INTO subject (id, flags, seq, created_ms, changed_ms, email, first_name,"
            " last_name, full_name, extra, preferences)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            TEXT(r->id), INT(flags), INT(seq), INT(r->created_ms), INT(r->changed_ms),
            TEXT(r->email), TEXT(r->first_name), TEXT(r->last_name), TEXT(r->full_name),
            TEXT(r->extra), TEXT(r->preferences));
    *no = conn_new_row(c);
    return e;
}

enum err store_put_subject(struct store *s, const struct subject_row *row, struct str payload,
                           int64_t received_ms, int64_t *ret_seq)
{
    must(s->group.open);
    struct subject_row r = *row;
    int64_t no = 0;
    uint32_t flags = 0;
    r.created_ms = received_ms;
    enum err e = read_old(&s->c, r.id, &no, &flags, &r.created_ms);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    flags = (flags & ~(uint32_t)SUBJECT_VERIFIED) | (r.verified ? SUBJECT_VERIFIED : 0);
    e = write_row(&s->c, &r, flags, s->group.seq + 1, &no);
    if (e != OK)
        return e;
    buf_clear(&s->scratch);
    columns_subject(&s->scratch, &r);
    if (s->scratch.over)
        return s->c.failed = ERR_LIMIT;
    return fact_add(s,
                    &(struct fact){ .kind = FACT_SUBJECT,
                                    .subject = no,
                                    .columns = buf_view(&s->scratch),
                                    .payload = payload },
                    ret_seq);
}

enum err store_set_preferences(struct store *s, struct str subject, struct str preferences)
{
    must(s->group.open);
    enum err e = RUN(&s->c, "UPDATE subject SET preferences = ? WHERE id = ?", TEXT(preferences),
                     TEXT(subject));
    return e == OK && conn_changes(&s->c) == 0 ? ERR_NOT_FOUND : e;
}

enum err store_add_restriction(struct store *s, struct str subject, bool restricted,
                               struct str payload, int64_t received_ms, int64_t *ret_seq)
{
    int64_t no;
    enum err e = subject_number(&s->c, subject, &no);
    if (e != OK)
        return e;
    buf_clear(&s->scratch);
    columns_restriction(&s->scratch, &(struct restriction_columns){ .subject = subject,
                                                                    .restricted = restricted,
                                                                    .received_ms = received_ms });
    int64_t seq;
    e = fact_add(s,
                 &(struct fact){ .kind = FACT_RESTRICTION,
                                 .subject = no,
                                 .columns = buf_view(&s->scratch),
                                 .payload = payload },
                 &seq);
    if (e == OK)
        e = RUN(&s->c, "UPDATE subject SET flags = (flags & ~?1) | ?2, seq = ?3 WHERE no = ?4",
                INT(SUBJECT_RESTRICTED), INT(restricted ? SUBJECT_RESTRICTED : 0), INT(seq),
                INT(no));
    if (e == OK)
        *ret_seq = seq;
    return e;
}

/* ---- reading ---- */

/* Every statement over subjects selects these, in this order. */
#define SUBJECT_COLUMNS                                                                            \
    "no, id, flags, seq, created_ms, changed_ms, email, first_name, last_name, full_name, extra,"  \
    " preferences"

static void read_row(struct sqlite3_stmt *q, struct arena *a, struct subject_row *ret_row)
{
    uint32_t flags = (uint32_t)col_int(q, 2);
    *ret_row = (struct subject_row){ .id = col_copy(q, 1, a),
                                     .flags = flags,
                                     .verified = flags & SUBJECT_VERIFIED,
                                     .seq = col_int(q, 3),
                                     .created_ms = col_int(q, 4),
                                     .changed_ms = col_int(q, 5),
                                     .email = col_copy(q, 6, a),
                                     .first_name = col_copy(q, 7, a),
                                     .last_name = col_copy(q, 8, a),
                                     .full_name = col_copy(q, 9, a),
                                     .extra = col_copy(q, 10, a),
                                     .preferences = col_copy(q, 11, a) };
}

enum err store_get_subject(struct store_reader *r, struct str id, struct arena *a,
                           struct subject_row *ret_row)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c, "SELECT " SUBJECT_COLUMNS " FROM subject WHERE id = ?", &q, TEXT(id));
    if (e == OK)
        read_row(q, a, ret_row);
    return e;
}

static bool is_word(char c)
{
    /* bytes of UTF-8 letters count as letters */
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

/* Whether `wanted` stands in `text` as whole words: "mario" in "Mario Rossi" and "mario@x.it". */
static bool has_words(struct str text, struct str wanted)
{
    if (wanted.n == 0)
        return true;
    for (size_t i = 0; i + wanted.n <= text.n; i++) {
        size_t end = i + wanted.n;
        if ((i == 0 || !is_word(text.p[i - 1]) || !is_word(text.p[i])) &&
            (end == text.n || !is_word(text.p[end]) || !is_word(text.p[end - 1])) &&
            str_eq_nocase((struct str){ text.p + i, wanted.n }, wanted))
            return true;
    }
    return false;
}

static bool matches(const struct subject_filter *f, struct sqlite3_stmt *q, int64_t before)
{
    int64_t changed = col_int(q, 5);
    bool verified = col_int(q, 2) & SUBJECT_VERIFIED;
    return col_int(q, 0) < before && (!f->from_ms || changed >= f->from_ms) &&
           (!f->to_ms || changed <= f->to_ms) &&
           (f->verified < 0 || verified == (f->verified != 0)) &&
           (!f->id.n || str_eq(col_bytes(q, 1), f->id)) &&
           (!f->email_exact.n || str_eq(col_bytes(q, 6), f->email_exact)) &&
           has_words(col_bytes(q, 6), f->email) && has_words(col_bytes(q, 7), f->first_name) &&
           has_words(col_bytes(q, 8), f->last_name) && has_words(col_bytes(q, 9), f->full_name);
}

static enum err start(struct conn *c, const struct subject_filter *f, int64_t before, bool by_time,
                      struct sqlite3_stmt **ret_q)
{
    if (f->id.n)
        return QUERY(c, "SELECT " SUBJECT_COLUMNS " FROM subject WHERE id = ?", ret_q, TEXT(f->id));
    if (f->email_exact.n)
        return QUERY(c,
                     "SELECT " SUBJECT_COLUMNS " FROM subject INDEXED BY subject_email"
                     " WHERE email = ? AND no < ? ORDER BY no DESC",
                     ret_q, TEXT(f->email_exact), INT(before));
    if (by_time) /* in the index alone the numbers are sorted, so that rows come newest first */
        return QUERY(c,
                     "SELECT " SUBJECT_COLUMNS " FROM subject WHERE no IN (SELECT no FROM subject"
                     " INDEXED BY subject_changed WHERE changed_ms BETWEEN ? AND ? LIMIT ?)"
                     " ORDER BY no DESC",
                     ret_q, INT(f->from_ms), INT(f->to_ms ? f->to_ms : INT64_MAX),
                     INT(LIMIT_EXAMINED + 1));
    return QUERY(c, "SELECT " SUBJECT_COLUMNS " FROM subject WHERE no < ? ORDER BY no DESC", ret_q,
                 INT(before));
}

static enum err walk(struct conn *c, const struct subject_filter *f, int64_t before, bool by_time,
                     struct arena *a, struct subject_row *rows, uint32_t *ret_count)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = start(c, f, before, by_time, &q);
    uint32_t n = 0, examined = 0;
    while (e == OK && n < f->limit && (e = conn_next(q)) == OK) {
        if (examined++ == LIMIT_EXAMINED)
            return ERR_LIMIT;
        if (matches(f, q, before))
            read_row(q, a, &rows[n++]);
    }
    *ret_count = n;
    return e == ERR_NOT_FOUND ? OK : e;
}

/* With too many in the range, the newest of them cannot be told from the first few. */
static enum err range_is_small(struct conn *c, const struct subject_filter *f)
{
    int64_t n;
    enum err e = NUMBER(c,
                        "SELECT count(*) FROM (SELECT 1 FROM subject INDEXED BY subject_changed"
                        " WHERE changed_ms BETWEEN ? AND ? LIMIT ?)",
                        0, &n, INT(f->from_ms), INT(f->to_ms ? f->to_ms : INT64_MAX),
                        INT(LIMIT_EXAMINED + 1));
    return e == OK && n > LIMIT_EXAMINED ? ERR_LIMIT : e;
}

enum err store_list_subjects(struct store_reader *r, const struct subject_filter *f,
                             struct arena *a, struct subject_row **ret_rows, uint32_t *ret_count)
{
    must(f->limit >= 1 && f->limit <= LIMIT_LIST);
    int64_t before = INT64_MAX;
    enum err e = f->starting_after.n ? subject_number(r->c, f->starting_after, &before) : OK;
    if (e != OK)
        return e;
    struct subject_row *rows = arena_array(a, struct subject_row, f->limit);
    uint32_t n = 0;
    e = walk(r->c, f, before, false, a, rows, &n);
    if (e == ERR_LIMIT && (f->from_ms || f->to_ms)) {
        e = range_is_small(r->c, f);
        if (e == OK)
            e = walk(r->c, f, before, true, a, rows, &n);
    }
    if (e != OK)
        return e;
    *ret_rows = rows;
    *ret_count = n;
    return OK;
}
