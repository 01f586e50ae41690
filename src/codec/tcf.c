#include "codec/tcf.h"

enum { SEGMENT_DISCLOSED = 1, SEGMENT_ALLOWED = 2, SEGMENT_PUBLISHER = 3 };

struct bits {
    struct str text; /* of one segment: six bits a letter */
    size_t at;
    bool over; /* read beyond the end, or something that cannot be */
};

static int six(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

static uint64_t take(struct bits *b, unsigned n)
{
    uint64_t v = 0;
    if (b->text.n * 6 - b->at < n) {
        b->over = true;
        return 0;
    }
    for (; n > 0; n--, b->at++)
        v = v << 1 | ((unsigned)six(b->text.p[b->at / 6]) >> (5 - b->at % 6) & 1);
    return v;
}

static uint32_t take32(struct bits *b, unsigned n)
{
    return (uint32_t)take(b, n);
}

/* The standard counts the first one from the left. */
static uint32_t take_set(struct bits *b, unsigned n)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < n; i++)
        set |= take32(b, 1) << i;
    return set;
}

static void put(struct tcf_vendors *v, uint32_t first, uint32_t last)
{
    for (uint32_t n = first; n <= last; n++)
        v->bit[(n - 1) / 8] |= (uint8_t)(1u << (n - 1) % 8);
}

static bool take_range(struct bits *b, uint32_t most, uint32_t *ret_first, uint32_t *ret_last)
{
    bool range = take32(b, 1);
    uint32_t first = take32(b, 16), last = range ? take32(b, 16) : first;
    b->over = b->over || first == 0 || last < first || last > most;
    *ret_first = first;
    *ret_last = last;
    return !b->over;
}

static void take_vendors(struct bits *b, struct arena *a, struct tcf_vendors *v)
{
    v->most = take32(b, 16);
    v->bit = arena_alloc(a, v->most / 8 + 1);
    if (take32(b, 1)) {
        uint32_t first, last, reached = 0;
        for (uint32_t left = take32(b, 12); left > 0 && !b->over; left--) {
            if (!take_range(b, v->most, &first, &last))
                return;
            b->over = first <= reached; /* ascending: no vendor stands twice */
            reached = last;
            put(v, first, last);
        }
        return;
    }
    for (uint32_t n = 1; n <= v->most && !b->over; n++) {
        if (take32(b, 1))
            put(v, n, n);
    }
}

static void take_restrictions(struct bits *b, struct arena *a, struct tcf *t)
{
    size_t room = b->text.n * 6 / 17 + 1; /* none takes less */
    t->restriction = arena_array(a, struct tcf_restriction, room);
    for (uint32_t left = take32(b, 12); left > 0 && !b->over; left--) {
        struct tcf_restriction r = { .purpose = take32(b, 6), .type = take32(b, 2) };
        b->over = b->over || r.purpose == 0 || r.purpose > TCF_PURPOSES || r.type > 2;
        for (uint32_t more = take32(b, 12); more > 0 && !b->over; more--) {
            if (take_range(b, TCF_VENDORS, &r.first, &r.last))
                t->restriction[t->restriction_count++] = r;
        }
    }
}

/* Nothing but zeros fills the last letters. */
static bool ended(struct bits *b)
{
    while (!b->over && b->at < b->text.n * 6)
        b->over = take32(b, 1) != 0;
    return !b->over;
}

static void take_language(struct bits *b)
{
    for (int i = 0; i < 2; i++) {
        uint32_t letter = take32(b, 6);
        b->over = b->over || letter > 25;
    }
}

static bool core(struct str text, struct arena *a, struct tcf *t)
{
    struct bits b = { .text = text };
    struct tcf_vendors interests;
    b.over = take32(&b, 6) != 2;
    uint64_t created = take(&b, 36), updated = take(&b, 36);
    t->created_ms = (int64_t)created * 100;
    t->updated_ms = (int64_t)updated * 100;
    t->cmp = take32(&b, 12);
    t->cmp_version = take32(&b, 12);
    (void)take32(&b, 6); /* screen */
    take_language(&b);
    t->vendor_list = take32(&b, 12);
    t->policy = take32(&b, 6);
    b.over = b.over || take32(&b, 1) != 1 || updated < created; /* only ever of one service */
    (void)take32(&b, 1); /* texts that are not the standard's */
    t->special_features = take_set(&b, TCF_SPECIAL_FEATURES);
    t->purposes = take_set(&b, TCF_PURPOSES);
    (void)take32(&b, TCF_PURPOSES); /* legitimate interests: no consent */
    (void)take32(&b, 1);
    take_language(&b); /* the publisher's country */
    take_vendors(&b, a, &t->consent);
    if (!b.over)
        take_vendors(&b, a, &interests);
    if (!b.over)
        take_restrictions(&b, a, t);
    return ended(&b);
}

static bool segment(struct str text, struct arena *a, struct tcf *t)
{
    struct bits b = { .text = text };
    struct tcf_vendors vendors;
    uint32_t type = take32(&b, 3);
    if (type == SEGMENT_DISCLOSED || type == SEGMENT_ALLOWED) {
        take_vendors(&b, a, &vendors);
        b.over = b.over || (type == SEGMENT_DISCLOSED && t->has_disclosed);
        if (type == SEGMENT_DISCLOSED) {
            t->has_disclosed = true;
            t->disclosed = vendors;
        }
    } else if (type == SEGMENT_PUBLISHER) {
        (void)take(&b, 2 * TCF_PURPOSES);
        uint32_t own = take32(&b, 6);
        for (uint32_t i = 0; i < 2 * own; i++)
            (void)take32(&b, 1);
    } else {
        b.over = true;
    }
    return ended(&b);
}

enum err tcf_parse(struct str text, struct arena *a, struct tcf *ret_tcf)
{
    struct tcf t = { 0 };
    struct str part, rest = text;
    if (text.n > LIMIT_TC_STRING)
        return ERR_LIMIT;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '.' && six(text.p[i]) < 0)
            return ERR_SYNTAX;
    }
    if (text.n > 0 && text.p[text.n - 1] == '.')
        return ERR_SYNTAX;
    if (!str_next(&rest, '.', &part) || !core(part, a, &t))
        return ERR_SYNTAX;
    for (int i = 0; str_next(&rest, '.', &part); i++) {
        if (i == 3 || !segment(part, a, &t))
            return ERR_SYNTAX;
    }
    *ret_tcf = t;
    return OK;
}

static bool has(const struct tcf_vendors *v, uint32_t n)
{
    return n > 0 && n <= v->most && (v->bit[(n - 1) / 8] >> (n - 1) % 8 & 1);
}

bool tcf_purpose(const struct tcf *t, uint32_t purpose)
{
    return purpose > 0 && purpose <= TCF_PURPOSES && (t->purposes >> (purpose - 1) & 1);
}

bool tcf_special_feature(const struct tcf *t, uint32_t feature)
{
    return feature > 0 && feature <= TCF_SPECIAL_FEATURES &&
           (t->special_features >> (feature - 1) & 1);
}

bool tcf_vendor(const struct tcf *t, uint32_t vendor)
{
    return has(&t->consent, vendor) && (!t->has_disclosed || has(&t->disclosed, vendor));
}

bool tcf_allows(const struct tcf *t, uint32_t purpose, uint32_t vendor)
{
    for (uint32_t i = 0; i < t->restriction_count; i++) {
        const struct tcf_restriction *r = &t->restriction[i];
        if (r->purpose == purpose && r->type != 1 && r->first <= vendor && vendor <= r->last)
            return false;
    }
    return true;
}
