#include "conf/mark.h"
#include "conf/read_priv.h"

#include <stdint.h>
#include <stdlib.h>

enum { ID_MOST = 63 };

static bool name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

/* The value of ${NAME}; false after a fault. */
static bool variable(struct reader *r, const struct yaml *n, struct str name, struct str *ret_value)
{
    bool ok = name.n > 0 && name.n <= 255;
    for (size_t i = 0; ok && i < name.n; i++)
        ok = name_char(name.p[i], i == 0);
    if (!ok) {
        fault(r, n, "${%s} is not the name of a variable (write $${ for a plain ${)",
              shown(r->scratch, name));
        return false;
    }
    const char *value = getenv(arena_str(r->scratch, name).p);
    if (value == NULL) {
        fault(r, n, "the environment variable '%s' is not set", shown(r->scratch, name));
        return false;
    }
    *ret_value = str_of(value);
    r->expanded += ret_value->n;
    if (r->expanded > LIMIT_CONF) {
        fault_limit(r, n, "bytes from variables", LIMIT_CONF);
        return false;
    }
    if (!yaml_text_ok(*ret_value)) {
        fault(r, n, "the environment variable '%s' does not hold text in UTF-8",
              shown(r->scratch, name));
        return false;
    }
    return true;
}

/* One step of filling in: takes a stretch of plain text or one variable off
 * *rest. *fine turns false after a fault. */
static struct str next_stretch(struct reader *r, const struct yaml *n, struct str *rest, bool *fine)
{
    static const struct str open = STR_INIT("${"), kept = STR_INIT("$${");
    struct str all = *rest, out = { rest->p, 0 };
    if (str_starts(all, kept)) {
        *rest = (struct str){ all.p + kept.n, all.n - kept.n };
        return open;
    }
    if (!str_starts(all, open)) {
        while (out.n < all.n && (out.n == 0 || all.p[out.n] != '$'))
            out.n++;
        *rest = (struct str){ all.p + out.n, all.n - out.n };
        return out;
    }
    const char *end = memchr(all.p, '}', all.n);
    if (end == NULL) {
        fault(r, n, "'${' without '}' (write $${ for a plain ${)");
        *fine = false;
        *rest = (struct str){ 0 };
        return *rest;
    }
    size_t used = (size_t)(end - all.p) + 1;
    *rest = (struct str){ all.p + used, all.n - used };
    out = (struct str){ 0 };
    if (!variable(r, n, (struct str){ all.p + open.n, used - open.n - 1 }, &out))
        *fine = false;
    return out;
}

/* Measured first and written second, so that a secret is in one place only. */
static bool fill_in(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    size_t length = 0;
    bool fine = true;
    for (struct str rest = n->text; rest.n > 0;)
        length += next_stretch(r, n, &rest, &fine).n;
    if (!fine)
        return false;
    if (length > LIMIT_VALUE) {
        fault_limit(r, n, "bytes in one value", LIMIT_VALUE);
        return false;
    }
    char *to = arena_alloc(r->arena, length + 1);
    size_t at = 0;
    for (struct str rest = n->text; rest.n > 0;) {
        struct str part = next_stretch(r, n, &rest, &fine);
        must(at + part.n <= length);
        if (part.n)
            memcpy(to + at, part.p, part.n);
        at += part.n;
    }
    *ret_s = (struct str){ to, at };
    return fine;
}

static void still_open(struct reader *r, struct span at, struct str mark)
{
    faults_add(r->faults, at, true, "%s is still to be filled in", shown(r->scratch, mark));
}

/* A fault for each mark, where it stands in the file; one that came with a variable is shown at the value. */
static bool filled_in(struct reader *r, const struct yaml *n, struct str value)
{
    struct str mark = mark_find(value), all = r->faults->text;
    if (mark.n == 0)
        return true;
    struct str rest = { all.p + n->at.start, n->at.end - n->at.start }, hit;
    bool seen = false;
    while ((hit = mark_find(rest)).n > 0) {
        uint32_t start = (uint32_t)(hit.p - all.p);
        still_open(r, (struct span){ start, start + (uint32_t)hit.n }, hit);
        rest = (struct str){ hit.p + hit.n, (size_t)(rest.p + rest.n - hit.p) - hit.n };
        seen = true;
    }
    if (!seen)
        still_open(r, n->at, mark);
    return false;
}

/* Without quotes a mark is a list in a list. */
static bool is_bare_mark(struct reader *r, const struct yaml *n)
{
    struct str all = r->faults->text, mark = { 0 };
    if (n->type == YAML_LIST)
        mark = mark_first((struct str){ all.p + n->at.start, all.n - n->at.start });
    if (mark.n == 0)
        return false;
    still_open(r, (struct span){ n->at.start, n->at.start + (uint32_t)mark.n }, mark);
    return true;
}

bool scalar_text(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    struct str s;
    if (n->reported || is_bare_mark(r, n))
        return false;
    if (n->type != YAML_SCALAR) {
        fault(r, n, "this must be a single value");
        return false;
    }
    if (!fill_in(r, n, &s))
        return false;
    s = str_trim(s);
    if (s.n == 0 || yaml_empty(n)) {
        fault(r, n, "this value is empty");
        return false;
    }
    if (!yaml_text_ok(s)) {
        fault(r, n, "this value holds a control character");
        return false;
    }
    if (!filled_in(r, n, s))
        return false;
    *ret_s = s;
    return true;
}

bool scalar(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    struct str s;
    if (!scalar_text(r, n, &s))
        return false;
    if (memchr(s.p, '\n', s.n) != NULL || memchr(s.p, '\r', s.n) != NULL) {
        fault(r, n, "this value must be one line");
        return false;
    }
    *ret_s = s;
    return true;
}

bool scalar_number(struct reader *r, const struct yaml *n, long long least, long long most,
                   long long *ret_v)
{
    struct str s;
    unsigned long long v;
    if (!scalar(r, n, &s))
        return false;
    if (!str_to_u64(s, &v) || (long long)v < least || (long long)v > most) {
        fault(r, n, "'%s' is not a whole number from %lld to %lld", shown_node(r, n), least, most);
        return false;
    }
    *ret_v = (long long)v;
    return true;
}

bool scalar_date(struct reader *r, const struct yaml *n, int64_t *ret_ms)
{
    struct str s;
    int64_t ms;
    if (!scalar(r, n, &s))
        return false;
    /* 0 means "not given" everywhere, so the first day of 1970 is none */
    if (s.n != 10 || !time_parse(s, &ms) || ms <= 0) {
        fault(r, n, "'%s' is not a date like 2026-01-31", shown_node(r, n));
        return false;
    }
    *ret_ms = ms;
    return true;
}

bool scalar_duration(struct reader *r, const struct yaml *n, struct duration *ret_d)
{
    struct str s;
    struct duration d;
    if (!scalar(r, n, &s))
        return false;
    if (!duration_parse(s, &d)) {
        fault(r, n, "'%s' is not a duration like 90d, 12 months, 24h", shown_node(r, n));
        return false;
    }
    *ret_d = d;
    return true;
}

bool scalar_word(struct reader *r, const struct yaml *n, const struct word *words, int *ret_v)
{
    struct str s;
    if (!scalar(r, n, &s))
        return false;
    struct guess g;
    guess_init(&g, s);
    AUTO(buf_fini) struct buf all = BUF_INIT(1024);
    for (const struct word *w = words; w->word != NULL; w++) {
        if (str_eq(s, str_of(w->word))) {
            *ret_v = w->value;
            return true;
        }
        guess_offer(&g, str_of(w->word));
        buf_printf(&all, "%s%s", w == words ? "" : ", ", w->word);
    }
    if (g.best.n)
        fault(r, n, "unknown word '%s'%s", shown_node(r, n), guess_text(&g, r->scratch));
    else
        fault(r, n, "unknown word '%s'; known here: %.*s", shown_node(r, n),
              STR_ARG(buf_view(&all)));
    return false;
}

bool id_ok(struct str s)
{
    bool ok = s.n > 0 && s.n <= ID_MOST && s.p[0] >= 'a' && s.p[0] <= 'z';
    for (size_t i = 1; ok && i < s.n; i++)
        ok = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_';
    return ok;
}

bool scalar_id(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    struct str s;
    if (!scalar(r, n, &s))
        return false;
    if (!id_ok(s)) {
        fault(r, n, "'%s' is not an id: a to z first, then a to z, 0 to 9, '_', at most %d",
              shown_node(r, n), ID_MOST);
        return false;
    }
    *ret_s = s;
    return true;
}

void add_ref(struct reader *r, enum ref_kind kind, const struct yaml *n, struct str id)
{
    struct ref *new = arena_new(r->scratch, struct ref);
    *new = (struct ref){ r->newest_ref, kind, n, id };
    r->newest_ref = new;
}

/* ---- the same, for rows of a table ---- */

void read_text(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    (void)scalar_text(r, n, (struct str *)((char *)base + rule->at)); /* reported there */
}

void read_line(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    (void)scalar(r, n, (struct str *)((char *)base + rule->at)); /* reported there */
}

void read_number(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    long long v;
    if (scalar_number(r, n, rule->least, rule->most, &v))
        *(uint32_t *)((char *)base + rule->at) = (uint32_t)v;
}

void read_bool(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    static const struct word words[] = { { "true", true }, { "false", false }, { NULL, 0 } };
    int v;
    if (scalar_word(r, n, words, &v))
        *(bool *)((char *)base + rule->at) = v != 0;
}

void read_word(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    int v;
    if (scalar_word(r, n, rule->words, &v))
        memcpy((char *)base + rule->at, &v, sizeof v);
}

void read_word_bits(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    if (!is_list(r, n))
        return;
    uint32_t *bits = (uint32_t *)((char *)base + rule->at);
    for (const struct yaml *item = n->first; item != NULL; item = item->next) {
        int v = 0;
        if (scalar_word(r, item, rule->words, &v) && (*bits & (uint32_t)v) != 0)
            fault(r, item, "'%s' stands twice", shown_node(r, item));
        *bits |= (uint32_t)v;
    }
}

void read_date(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    (void)scalar_date(r, n, (int64_t *)((char *)base + rule->at)); /* reported there */
}

void read_duration(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    (void)scalar_duration(r, n, (struct duration *)((char *)base + rule->at)); /* reported there */
}

void read_id(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    (void)scalar_id(r, n, (struct str *)((char *)base + rule->at)); /* reported there */
}

void read_country(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct str s;
    if (!scalar(r, n, &s))
        return;
    if (!country_known(s))
        fault(r, n, "'%s' is not a country of ISO 3166-1: two capitals, like DE%s",
              shown_node(r, n), str_eq(s, STR("UK")) ? " (the United Kingdom is GB)" : "");
    else
        memcpy((char *)base + rule->at, s.p, 2);
}

static bool alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool language_ok(struct str s)
{
    struct str part, rest = s;
    (void)str_next(&rest, '-', &part);
    bool ok = part.n >= 2 && part.n <= 3 && s.n <= 35;
    for (size_t i = 0; ok && i < part.n; i++)
        ok = part.p[i] >= 'a' && part.p[i] <= 'z';
    while (ok && str_next(&rest, '-', &part)) {
        ok = part.n >= 2 && part.n <= 8;
        for (size_t i = 0; ok && i < part.n; i++)
            ok = alnum(part.p[i]);
    }
    return ok;
}
