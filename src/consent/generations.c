/* How many subjects hold which version of a text. Read from what the store counts along with
 * every act, so it costs the same with a hundred subjects and with ten million. */
#include "consent/ledger_priv.h"

#include "base/limits.h"
#include "codec/json.h"

enum { UNKNOWN_DAYS = 400, ANSWER = 8 << 20 };

struct sums {
    uint64_t granted, expired, voided, withdrawn, refused, without_effect;
};

struct coverage {
    const struct policy_purpose *purpose;
    int64_t now;
    const struct coverage_row *row;
    uint32_t row_count;
    const struct unknown_row *unknown;
    uint32_t unknown_count;
};

static enum err load(struct store_reader *r, const struct policy_purpose *p, int64_t now,
                     struct arena *a, struct coverage *ret_c)
{
    struct coverage_row *rows;
    struct unknown_row *unknown;
    struct coverage c = { .purpose = p, .now = now };
    int64_t from = now > UNKNOWN_DAYS * DAY_MS ? now - UNKNOWN_DAYS * DAY_MS : 0;
    enum err e = store_list_coverage(r, p->number, p->conf->proof_optional, a, &rows, &c.row_count);
    if (e == OK)
        e = store_list_unknown(r, p->number, from, a, &unknown, &c.unknown_count);
    if (e != OK)
        return e;
    c.row = rows;
    c.unknown = unknown;
    *ret_c = c;
    return OK;
}

/* Grants are counted by days: one is over from the end of the day on which its lifetime ends. */
static bool is_over(const struct coverage *c, const struct coverage_row *row)
{
    return c->now >= time_add(row->day_ms + DAY_MS, c->purpose->conf->lifetime);
}

static void add(const struct coverage *c, const struct coverage_row *row, struct sums *s)
{
    const struct policy_version *v = policy_version_numbered(c->purpose, row->version);
    switch (row->state) {
    case COVERAGE_REFUSED: s->refused += row->n; return;
    case COVERAGE_WITHDRAWN: s->withdrawn += row->n; return;
    case COVERAGE_IDLE: s->without_effect += row->n; return;
    case COVERAGE_GRANTED: break;
    }
    if (v != NULL && v->voided_ms != 0 && c->now >= v->voided_ms)
        s->voided += row->n;
    else if (is_over(c, row))
        s->expired += row->n;
    else
        s->granted += row->n;
}

/* `version` 0: of all. */
static struct sums sum(const struct coverage *c, uint32_t version)
{
    struct sums s = { 0 };
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (version == 0 || c->row[i].version == version)
            add(c, &c->row[i], &s);
    }
    return s;
}

static void write_held(const struct sums *s, struct buf *to)
{
    write_number(to, "granted", (int64_t)s->granted);
    write_number(to, "expired", (int64_t)s->expired);
    write_number(to, "voided", (int64_t)s->voided);
    write_number(to, "withdrawn", (int64_t)s->withdrawn);
}

static uint64_t refused_unknown(const struct coverage *c)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < c->unknown_count; i++)
        n += c->unknown[i].n;
    return n;
}

static void write_sums(const struct coverage *c, struct buf *to)
{
    struct sums s = sum(c, 0);
    write_name(to, STR("subjects"));
    buf_byte(to, '{');
    write_held(&s, to);
    write_number(to, "refused", (int64_t)s.refused);
    write_number(to, "without_effect", (int64_t)s.without_effect);
    buf_byte(to, '}');
    write_number(to, "refused_by_unknown", (int64_t)refused_unknown(c));
}

static void write_void(const struct policy_version *v, const struct void_found *voids,
                       uint32_t void_count, uint32_t purpose, struct arena *a, struct buf *to)
{
    if (v->voided_ms == 0) {
        write_raw(to, "void", STR("null"));
        return;
    }
    write_name(to, STR("void"));
    buf_byte(to, '{');
    write_time(to, "from", v->voided_ms);
    for (uint32_t i = 0; i < void_count; i++) {
        struct json_doc d;
        if (voids[i].row.purpose != purpose || voids[i].row.version != v->version ||
            voids[i].row.from_ms != v->voided_ms || json_scan(voids[i].payload, a, &d, NULL) != OK)
            continue;
        write_time(to, "declared", voids[i].row.at_ms);
        write_raw(to, "reason", json_raw(&d, json_get(&d, JSON_ROOT, STR("reason"))));
        break;
    }
    buf_byte(to, '}');
}

static void write_recipients(const struct policy *p, const struct policy_version *v, struct buf *to)
{
    write_name(to, STR("recipients"));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < v->recipient_count; i++) {
        const struct policy_recipient *r = &v->recipient[i];
        int16_t use = p->use_of_slot[r->slot];
        write_comma(to);
        buf_byte(to, '{');
        write_text_or_null(to, "destination", use >= 0 ? p->use[use].conf->id : (struct str){ 0 });
        write_text(to, "name", r->name);
        write_text(to, "country", str_of(r->country));
        buf_byte(to, '}');
    }
    buf_byte(to, ']');
}

static void write_version(const struct policy *p, const struct coverage *c, uint32_t i,
                          const struct void_found *voids, uint32_t void_count, struct arena *a,
                          struct buf *to)
{
    const struct policy_version *v = &c->purpose->version[i];
    struct sums s = sum(c, v->version);
    write_comma(to);
    buf_byte(to, '{');
    write_number(to, "version", v->version);
    write_day(to, "since", v->since_ms);
    if (v->until_ms == INT64_MAX)
        write_raw(to, "until", STR("null"));
    else
        write_day(to, "until", v->until_ms);
    write_bool(to, "in_force", v->since_ms <= c->now && c->now < v->until_ms);
    write_void(v, voids, void_count, c->purpose->number, a, to);
    write_recipients(p, v, to);
    write_held(&s, to);
    buf_byte(to, '}');
}

static enum err write_purpose(struct store_reader *r, const struct policy *p, uint32_t index,
                              bool days, const struct coverage *c, struct arena *a, struct buf *to)
{
    const struct conf_purpose *conf = p->purpose[index].conf;
    struct void_found *voids;
    uint32_t void_count;
    enum err e = store_list_voids(r, a, &voids, &void_count);
    if (e != OK)
        return e;
    static const char *const basis[] = { "consent", "contract", "legal_obligation",
                                         "legitimate_interests" };
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "id", conf->id);
    write_text(to, "basis", str_of(basis[conf->basis]));
    write_text(to, "scope", conf->scope == CONF_DEVICE ? STR("device") : STR("person"));
    write_bool(to, "separate", conf->separate);
    if (days)
        write_time(to, "at", c->now);
    write_sums(c, to);
    write_name(to, STR("versions"));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < p->purpose[index].version_count; i++)
        write_version(p, c, i, voids, void_count, a, to);
    buf_byte(to, ']');
    if (days) {
        write_name(to, STR("unknown"));
        buf_byte(to, '[');
        for (uint32_t i = 0; i < c->unknown_count; i++) {
            write_comma(to);
            buf_byte(to, '{');
            write_day(to, "day", c->unknown[i].day_ms);
            write_number(to, "version", c->unknown[i].version);
            write_number(to, "refused", (int64_t)c->unknown[i].n);
            buf_byte(to, '}');
        }
        buf_byte(to, ']');
    }
    buf_byte(to, '}');
    return OK;
}

enum err ledger_purposes(struct store_reader *r, const struct policy *p, int64_t now,
                         struct arena *a, struct str *ret_json)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(ANSWER);
    enum err e = OK;
    buf_byte(&to, '[');
    for (uint32_t i = 0; e == OK && i < p->purpose_count; i++) {
        struct coverage c;
        e = load(r, &p->purpose[i], now, a, &c);
        if (e == OK)
            e = write_purpose(r, p, i, false, &c, a, &to);
    }
    buf_byte(&to, ']');
    return e == OK ? write_done(&to, a, ret_json) : e;
}

enum err ledger_coverage(struct store_reader *r, const struct policy *p, struct str purpose,
                         int64_t now, struct arena *a, struct str *ret_json)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(ANSWER);
    uint32_t index = policy_purpose_index(p, purpose);
    struct coverage c;
    if (index == UINT32_MAX)
        return ERR_NOT_FOUND;
    enum err e = load(r, &p->purpose[index], now, a, &c);
    if (e == OK)
        e = write_purpose(r, p, index, true, &c, a, &to);
    return e == OK ? write_done(&to, a, ret_json) : e;
}
