#include "store/store_priv.h"

/* ---- writing ---- */

static enum err join_standing(struct conn *c, int64_t subject, const struct standing *s)
{
    /* a later act has the greater seq, so on equal effects it is the last and never the first */
    return RUN(
        c,
        "INSERT INTO standing VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5, ?6) ON CONFLICT DO UPDATE SET"
        " first_seq = iif(?5 < first_effect, ?6, first_seq),"
        " first_effect = min(?5, first_effect),"
        " last_seq = iif(?5 >= last_effect, ?6, last_seq),"
        " last_effect = max(?5, last_effect)",
        INT(subject), INT(s->purpose), INT(standing_class(s)), INT(s->version),
        INT(s->first_effect), INT(s->first_seq));
}

/* The subject's place among those who are counted moves with the standing. */
static enum err join_counted(struct conn *c, int64_t subject, const struct standing *one)
{
    AUTO(standings_fini) struct standings before = { 0 };
    AUTO(standings_fini) struct standings after = { 0 };
    enum err e = standings_load(c, subject, one->purpose, &before);
    for (uint32_t i = 0; i < before.count; i++)
        standings_add(&after, &before.at[i]);
    standings_add(&after, one);
    if (e == OK)
        e = join_standing(c, subject, one);
    return e == OK ? coverage_move(c, one->purpose, &before, &after) : e;
}

static enum err add_preference(struct conn *c, struct str name, int64_t seq)
{
    int64_t no;
    enum err e = NUMBER(c, "SELECT no FROM preference WHERE name = ?", 0, &no, TEXT(name));
    if (e == OK && no == 0) {
        e = RUN(c, "INSERT INTO preference (name) VALUES (?)", TEXT(name));
        no = conn_new_row(c);
    }
    if (e == OK)
        e = RUN(c, "INSERT OR IGNORE INTO act_preference VALUES (?, ?)", INT(no), INT(seq));
    return e;
}

static enum err add_derived(struct conn *c, const struct act_row *row, int64_t subject, int64_t seq)
{
    enum err e =
        RUN(c, "INSERT INTO act (seq, id, claimed_ms, source, ip, type) VALUES (?, ?, ?, ?, ?, ?)",
            INT(seq), BYTES(row->id.b, sizeof row->id.b), INT(row->claimed_ms), INT(row->source),
            TEXT(row->ip), TEXT(row->type));
    for (uint32_t i = 0; e == OK && i < row->effect_count; i++) {
        struct standing s = standing_of(&row->effect[i], row->source, seq);
        e = join_counted(c, subject, &s);
    }
    for (uint32_t i = 0; e == OK && i < row->preference_count; i++)
        e = add_preference(c, row->preference[i], seq);
    if (e == OK)
        e = RUN(c, "UPDATE subject SET seq = ? WHERE no = ?", INT(seq), INT(subject));
    return e;
}

enum err store_add_act(struct store *s, const struct act_row *row, int64_t *ret_seq)
{
    int64_t subject, seq;
    enum err e = subject_number(&s->c, row->subject, &subject);
    if (e != OK)
        return e;
    buf_clear(&s->scratch);
    columns_act(&s->scratch, row);
    if (s->scratch.over)
        return ERR_LIMIT;
    e = fact_add(s,
                 &(struct fact){ .kind = FACT_ACT,
                                 .subject = subject,
                                 .columns = buf_view(&s->scratch),
                                 .payload = row->payload },
                 &seq);
    if (e == OK)
        e = add_derived(&s->c, row, subject, seq);
    if (e == OK)
        *ret_seq = seq;
    return e;
}

/* ---- one act ---- */

enum err store_get_act_by_seq(struct store_reader *r, int64_t seq, struct arena *a,
                              struct act_found *ret_act)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c, "SELECT leaf, columns, payload FROM fact WHERE seq = ? AND kind = 1",
                       &q, INT(seq));
    if (e != OK)
        return e;
    struct str leaf = col_bytes(q, 0);
    struct act_columns c;
    struct act_found f = { .seq = seq };
    if (leaf.n != sizeof f.leaf || !columns_read_act(col_bytes(q, 1), &c))
        return ERR_CORRUPT;
    memcpy(f.leaf, leaf.p, leaf.n);
    f.id = c.id;
    f.claimed_ms = c.claimed_ms;
    f.received_ms = c.received_ms;
    f.source = c.source;
    f.subject = arena_str(a, c.subject);
    f.ip = arena_str(a, c.ip);
    f.payload = col_copy(q, 2, a);
    *ret_act = f;
    return OK;
}

static enum err seq_of(struct conn *c, const struct id *id, int64_t *ret_seq)
{
    enum err e =
        NUMBER(c, "SELECT seq FROM act WHERE id = ?", 0, ret_seq, BYTES(id->b, sizeof id->b));
    return e == OK && *ret_seq == 0 ? ERR_NOT_FOUND : e;
}

enum err store_get_act(struct store_reader *r, const struct id *id, struct arena *a,
                       struct act_found *ret_act)
{
    int64_t seq;
    enum err e = seq_of(r->c, id, &seq);
    return e == OK ? store_get_act_by_seq(r, seq, a, ret_act) : e;
}
