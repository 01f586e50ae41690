#include "store/store_priv.h"

enum { NAME_PURPOSE = 1, NAME_DESTINATION };

/* ---- what is frozen ---- */

static enum err load_names(struct conn *c, int kind, struct arena *a, struct str **ret_names,
                           uint32_t *ret_count)
{
    int64_t count;
    enum err e = NUMBER(c, "SELECT count(*) FROM name WHERE kind = ?", 0, &count, INT(kind));
    if (e != OK)
        return e;
    struct str *names = arena_array(a, struct str, (size_t)count);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(c, "SELECT name FROM name WHERE kind = ? ORDER BY number", &q, INT(kind));
    uint32_t n = 0;
    while (e == OK && n < count && (e = conn_next(q)) == OK)
        names[n++] = col_copy(q, 0, a);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_names = names;
    *ret_count = n;
    return OK;
}

static enum err load_versions(struct conn *c, struct arena *a, struct frozen *f)
{
    int64_t count;
    enum err e = NUMBER(c, "SELECT count(*) FROM version", 0, &count);
    if (e != OK)
        return e;
    f->version = arena_array(a, struct frozen_version, (size_t)count);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(c,
              "SELECT v.purpose, v.version, f.payload FROM version v JOIN fact f ON f.seq = v.seq"
              " ORDER BY v.purpose, v.version",
              &q);
    while (e == OK && f->version_count < count && (e = conn_next(q)) == OK) {
        int64_t purpose = col_int(q, 0);
        if (purpose < 1 || purpose > f->purpose_count)
            return ERR_CORRUPT;
        f->version[f->version_count++] =
            (struct frozen_version){ .purpose = f->purpose[purpose - 1],
                                     .version = (uint32_t)col_int(q, 1),
                                     .content = col_copy(q, 2, a) };
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err load_voids(struct conn *c, struct arena *a, struct frozen *f)
{
    int64_t count;
    enum err e = NUMBER(c, "SELECT count(*) FROM voided", 0, &count);
    if (e != OK)
        return e;
    struct frozen_void *list = arena_array(a, struct frozen_void, (size_t)count);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(c, "SELECT purpose, version, min(from_ms) FROM voided GROUP BY purpose, version", &q);
    while (e == OK && f->void_count < count && (e = conn_next(q)) == OK)
        list[f->void_count++] = (struct frozen_void){ .purpose = (uint32_t)col_int(q, 0),
                                                      .version = (uint32_t)col_int(q, 1),
                                                      .from_ms = col_int(q, 2) };
    f->voided = list;
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err store_load_frozen(struct store_reader *r, struct arena *a, struct frozen *ret_frozen)
{
    struct frozen f = { 0 };
    enum err e = load_names(r->c, NAME_PURPOSE, a, &f.purpose, &f.purpose_count);
    if (e == OK)
        e = load_names(r->c, NAME_DESTINATION, a, &f.destination, &f.destination_count);
    if (e == OK)
        e = load_versions(r->c, a, &f);
    if (e == OK)
        e = load_voids(r->c, a, &f);
    if (e == OK)
        *ret_frozen = f;
    return e;
}

uint32_t store_newest_generation(struct store_reader *r)
{
    int64_t number;
    enum err e = NUMBER(r->c, "SELECT max(number) FROM generation", 0, &number);
    return e == OK ? (uint32_t)number : 0;
}

/* ---- news ---- */

static enum err add_name(struct store *s, int kind, struct str name)
{
    /* purposes count from 1, destinations are slots and count from 0 */
    int64_t number, seq;
    enum err e = NUMBER(&s->c, "SELECT max(number) + 1 FROM name WHERE kind = ?",
                        kind == NAME_PURPOSE, &number, INT(kind));
    if (e != OK)
        return e;
    if (kind == NAME_DESTINATION && number >= LIMIT_DESTINATIONS)
        return s->c.failed = ERR_LIMIT;
    buf_clear(&s->scratch);
    buf_byte(&s->scratch, (char)kind);
    buf_u32(&s->scratch, (uint32_t)number);
    e = fact_add(
        s, &(struct fact){ .kind = FACT_NAME, .columns = buf_view(&s->scratch), .payload = name },
        &seq);
    if (e == OK)
        e = RUN(&s->c, "INSERT INTO name (kind, number, name, seq) VALUES (?, ?, ?, ?)", INT(kind),
                INT(number), TEXT(name), INT(seq));
    return e;
}

static enum err add_version(struct store *s, const struct frozen_version *v)
{
    int64_t purpose, seq;
    enum err e = NUMBER(&s->c, "SELECT number FROM name WHERE kind = ? AND name = ?", 0, &purpose,
                        INT(NAME_PURPOSE), TEXT(v->purpose));
    if (e != OK)
        return e;
    if (purpose == 0)
        return s->c.failed = ERR_VALUE;
    buf_clear(&s->scratch);
    buf_u32(&s->scratch, (uint32_t)purpose);
    buf_u32(&s->scratch, v->version);
    e = fact_add(s,
                 &(struct fact){ .kind = FACT_PURPOSE_VERSION,
                                 .columns = buf_view(&s->scratch),
                                 .payload = v->content },
                 &seq);
    /* a further language is a further fact; the newest content counts */
    if (e == OK)
        e = RUN(&s->c,
                "INSERT INTO version (purpose, version, seq) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET seq = excluded.seq",
                INT(purpose), INT(v->version), INT(seq));
    return e;
}

static enum err add_generation(struct store *s, struct str payload, int64_t at_ms,
                               uint32_t *ret_generation)
{
    int64_t number, seq;
    enum err e = NUMBER(&s->c, "SELECT max(number) + 1 FROM generation", 1, &number);
    if (e != OK)
        return e;
    buf_clear(&s->scratch);
    buf_u32(&s->scratch, (uint32_t)number);
    buf_u64(&s->scratch, (uint64_t)at_ms);
    e = fact_add(s,
                 &(struct fact){ .kind = FACT_CONFIGURATION,
                                 .columns = buf_view(&s->scratch),
                                 .payload = payload },
                 &seq);
    if (e == OK)
        e = RUN(&s->c, "INSERT INTO generation (number, at_ms, seq) VALUES (?, ?, ?)", INT(number),
                INT(at_ms), INT(seq));
    if (e == OK)
        *ret_generation = (uint32_t)number;
    return e;
}

enum err store_add_configuration(struct store *s, const struct policy_news *news,
                                 struct str payload, int64_t at_ms, uint32_t *ret_generation)
{
    must(s->group.open);
    enum err e = OK;
    for (uint32_t i = 0; e == OK && i < news->purpose_count; i++)
        e = add_name(s, NAME_PURPOSE, news->purpose[i]);
    for (uint32_t i = 0; e == OK && i < news->destination_count; i++)
        e = add_name(s, NAME_DESTINATION, news->destination[i]);
    for (uint32_t i = 0; e == OK && i < news->version_count; i++)
        e = add_version(s, &news->version[i]);
    return e == OK ? add_generation(s, payload, at_ms, ret_generation) : e;
}
