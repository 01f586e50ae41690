#include "store/sets.h"

enum err subject_number(struct conn *c, struct str id, int64_t *ret_no)
{
    enum err e = NUMBER(c, "SELECT no FROM subject WHERE id = ?", 0, ret_no, TEXT(id));
    return e == OK && *ret_no == 0 ? ERR_NOT_FOUND : e;
}

static enum err read_old(struct conn *c, struct str id, struct arena *a, int64_t *ret_no,
                         struct subject_row *ret_row)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(c,
                       "SELECT no, flags, created_ms, email, full_name, extra FROM subject"
                       " WHERE id = ?",
                       &q, TEXT(id));
    if (e != OK)
        return e;
    *ret_no = col_int(q, 0);
    *ret_row = (struct subject_row){ .flags = (uint32_t)col_int(q, 1),
                                     .created_ms = col_int(q, 2),
                                     .email = col_copy(q, 3, a),
                                     .full_name = col_copy(q, 4, a),
                                     .extra = col_copy(q, 5, a) };
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
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct subject_row r = *row, old = { .created_ms = received_ms };
    int64_t no = 0;
    enum err e = read_old(&s->c, r.id, &a, &no, &old);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    bool is_new = e == ERR_NOT_FOUND;
    r.created_ms = old.created_ms;
    uint32_t verified = SUBJECT_VERIFIED, flags = old.flags & ~verified;
    e = write_row(&s->c, &r, flags | (r.verified ? verified : 0), s->group.seq + 1, &no);
    if (e == OK)
        e = words_change(&s->c, no, is_new ? NULL : &old, &r);
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

enum err subject_by_number(struct conn *c, int64_t no, struct arena *a, struct subject_row *ret_row)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(c, "SELECT " SUBJECT_COLUMNS " FROM subject WHERE no = ?", &q, INT(no));
    if (e == OK)
        read_row(q, a, ret_row);
    return e;
}
