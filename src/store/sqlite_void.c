/* Texts that were declared void. */
#include "store/store_priv.h"

enum err store_add_void(struct store *s, const struct void_row *row, struct str payload,
                        int64_t *ret_seq)
{
    int64_t known, seq;
    enum err e = NUMBER(&s->c, "SELECT 1 FROM version WHERE purpose = ? AND version = ?", 0, &known,
                        INT(row->purpose), INT(row->version));
    if (e != OK)
        return e;
    if (!known)
        return ERR_NOT_FOUND;
    buf_clear(&s->scratch);
    columns_void(&s->scratch, &(struct void_columns){ .purpose = row->purpose,
                                                      .version = row->version,
                                                      .from_ms = row->from_ms,
                                                      .at_ms = row->at_ms });
    e = fact_add(
        s,
        &(struct fact){ .kind = FACT_VOID, .columns = buf_view(&s->scratch), .payload = payload },
        &seq);
    if (e == OK)
        e = RUN(&s->c,
                "INSERT INTO voided (seq, purpose, version, from_ms, at_ms) VALUES (?, ?, ?, ?, ?)",
                INT(seq), INT(row->purpose), INT(row->version), INT(row->from_ms), INT(row->at_ms));
    if (e == OK)
        *ret_seq = seq;
    return e;
}

enum err store_list_voids(struct store_reader *r, struct arena *a, struct void_found **ret_voids,
                          uint32_t *ret_count)
{
    int64_t count;
    enum err e = NUMBER(r->c, "SELECT count(*) FROM voided", 0, &count);
    if (e != OK)
        return e;
    struct void_found *found = arena_array(a, struct void_found, (size_t)count);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(r->c,
              "SELECT v.seq, v.purpose, v.version, v.from_ms, v.at_ms, f.payload FROM voided v"
              " JOIN fact f ON f.seq = v.seq ORDER BY v.seq",
              &q);
    uint32_t n = 0;
    while (e == OK && n < count && (e = conn_next(q)) == OK)
        found[n++] = (struct void_found){ .seq = col_int(q, 0),
                                          .row = { .purpose = (uint32_t)col_int(q, 1),
                                                   .version = (uint32_t)col_int(q, 2),
                                                   .from_ms = col_int(q, 3),
                                                   .at_ms = col_int(q, 4) },
                                          .payload = col_copy(q, 5, a) };
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_voids = found;
    *ret_count = n;
    return OK;
}

/* ---- who held a text, and what was sent of her ---- */

enum err store_list_holders(struct store_reader *r, uint32_t purpose, uint32_t version,
                            int64_t after, struct arena *a, struct holder **ret_holders,
                            uint32_t *ret_count, int64_t *ret_next)
{
    struct holder *found = arena_array(a, struct holder, LIMIT_LIST);
    uint32_t n = 0, examined = 0;
    int64_t last = after;
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    /* in the order of the table's key, so that a page is a walk from where the last one ended */
    enum err e = QUERY(r->c,
                       "SELECT t.subject, t.purpose, t.class, t.version, s.id FROM standing t"
                       " JOIN subject s ON s.no = t.subject WHERE t.subject > ?"
                       " ORDER BY t.subject",
                       &q, INT(after));
    while (e == OK && n < LIMIT_LIST && (e = conn_next(q)) == OK) {
        int64_t subject = col_int(q, 0);
        bool other = subject != last;
        if (examined++ >= LIMIT_EXAMINED && other)
            break; /* the page ends with a whole subject */
        last = subject;
        bool holds = col_int(q, 1) == purpose && col_int(q, 3) == version &&
                     (col_int(q, 2) & CLASS_GRANT) != 0 && (col_int(q, 2) & CLASS_CONFIRMED) != 0;
        if (holds && (n == 0 || found[n - 1].number != subject))
            found[n++] = (struct holder){ .number = subject, .id = col_copy(q, 4, a) };
    }
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_holders = found;
    *ret_count = n;
    *ret_next = e == ERR_NOT_FOUND ? 0 : last;
    return OK;
}
