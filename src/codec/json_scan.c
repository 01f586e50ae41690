#include "codec/json.h"

#include "base/id.h"
#include "base/limits.h"
#include "codec/json_priv.h"
#include "codec/utf8.h"

#include <sodium.h>

struct scan {
    const char *begin, *p, *end;
    struct json_node *node;
    uint32_t count, cap;
    struct arena *arena;
    enum err err;
    struct json_fault fault;
};

/* Up to so many keys, each is compared with those before it; other objects get
 * a hash table, so that none takes quadratic time. Escaped keys are slow to
 * compare and hardly occur but in attacks. */
enum { FEW_KEYS = 32, FEW_ESCAPED = 2 };

__attribute__((cold)) static bool fail(struct scan *s, const char *at, enum err err,
                                       const char *why)
{
    s->err = err;
    s->fault = (struct json_fault){ .at = (uint32_t)(at - s->begin), .why = why };
    return false;
}

__attribute__((cold)) static bool fail_here(struct scan *s, const char *why)
{
    return fail(s, s->p, ERR_SYNTAX, s->p == s->end ? "the text is cut short" : why);
}

/* A text of n bytes holds at most n / 2 + 1 values ("[1,1,1]"); real events
 * have one per ten bytes, so that the first array nearly always serves. */
static uint32_t first_capacity(size_t n)
{
    size_t cap = n / 8 + 16;
    return (uint32_t)(cap < LIMIT_JSON_NODES + 1 ? cap : LIMIT_JSON_NODES + 1);
}

static bool grow(struct scan *s)
{
    if (s->cap == LIMIT_JSON_NODES + 1)
        return fail(s, s->p, ERR_LIMIT, "too many values");
    uint32_t cap = s->cap < LIMIT_JSON_NODES / 2 ? s->cap * 2 : LIMIT_JSON_NODES + 1;
    struct json_node *node = arena_room(s->arena, sizeof *node * cap);
    memcpy(node, s->node, sizeof *node * s->count);
    s->node = node;
    s->cap = cap;
    return true;
}

static inline bool add(struct scan *s, enum json_type type, const char *from, const char *to,
                       bool escaped)
{
    if (s->count == s->cap && !grow(s))
        return false;
    s->node[s->count] = (struct json_node){
        .at = (uint32_t)(from - s->begin),
        .len = (uint32_t)(to - from),
        .next = s->count + 1,
        .type = (uint8_t)type,
        .escaped = escaped,
    };
    s->count++;
    s->p = to;
    return true;
}

static inline void skip_space(struct scan *s)
{
    while (s->p != s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static inline bool take(struct scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* A backslash and what belongs to it; a surrogate only as half of a pair.
 * Returns the byte behind, or NULL. */
static const char *escape_end(struct scan *s, const char *p)
{
    const char *from = p++;
    if (p != s->end && strchr("\"\\/bfnrt", *p) != NULL && *p != 0)
        return p + 1;
    int32_t unit = s->end - p >= 5 && *p == 'u' ? json_hex4(p + 1) : -1;
    if (unit < 0)
        (void)fail(s, from, ERR_SYNTAX, "bad escape");
    else if (unit == 0)
        (void)fail(s, from, ERR_SYNTAX, "NUL in a string");
    else if (unit < 0xd800 || unit > 0xdfff)
        return p + 5;
    else {
        bool pair = unit < 0xdc00 && s->end - p >= 11 && p[5] == '\\' && p[6] == 'u';
        int32_t low = pair ? json_hex4(p + 7) : -1;
        if (low >= 0xdc00 && low <= 0xdfff)
            return p + 11;
        (void)fail(s, from, ERR_SYNTAX, "lone surrogate");
    }
    return NULL;
}

/* What is no plain character and not the closing quote: an escape, a character
 * beyond ASCII, or a fault. Returns the byte behind, or NULL. */
static const char *special_end(struct scan *s, const char *p, bool *escaped)
{
    if (*p == '\\') {
        *escaped = true;
        return escape_end(s, p);
    }
    if ((unsigned char)*p < 0x20) {
        (void)fail(s, p, ERR_SYNTAX, "control character in a string");
        return NULL;
    }
    do { /* such characters come in runs */
        size_t n = utf8_sequence(p, s->end);
        if (n == 0) {
            (void)fail(s, p, ERR_SYNTAX, "bad UTF-8");
            return NULL;
        }
        p += n;
    } while (p != s->end && (unsigned char)*p >= 0x80);
    return p;
}

static bool string(struct scan *s)
{
    const char *from = s->p;
    bool escaped = false;
    const char *p = json_plain_end(from + 1, s->end);
    while (p != s->end && *p != '"') {
        p = special_end(s, p, &escaped);
        if (p == NULL)
            return false;
        p = json_plain_end(p, s->end);
    }
    if (p == s->end)
        return fail(s, p, ERR_SYNTAX, "the text is cut short");
    if (p - from > LIMIT_JSON_STRING + 1)
        return fail(s, from, ERR_LIMIT, "string too long");
    return add(s, JSON_STRING, from, p + 1, escaped);
}

static bool number(struct scan *s)
{
    const char *to = s->p, *why = json_number_end(&to, s->end);
    if (why == NULL)
        return add(s, JSON_NUMBER, s->p, to, false);
    s->p = to;
    return fail_here(s, why);
}

static bool word(struct scan *s, struct str w, enum json_type type)
{
    size_t left = (size_t)(s->end - s->p), n = left < w.n ? left : w.n;
    if (memcmp(s->p, w.p, n) != 0)
        return fail(s, s->p, ERR_SYNTAX, "unknown word");
    if (n < w.n)
        return fail(s, s->end, ERR_SYNTAX, "the text is cut short");
    return add(s, type, s->p, s->p + n, false);
}

static bool open(struct scan *s, enum json_type type, unsigned depth)
{
    if (depth > LIMIT_JSON_DEPTH)
        return fail(s, s->p, ERR_LIMIT, "too deep");
    if (!add(s, type, s->p, s->p + 1, false))
        return false;
    skip_space(s);
    return true;
}

static bool close(struct scan *s, uint32_t self, uint32_t count, char bracket)
{
    if (!take(s, bracket))
        return fail_here(s, bracket == '}' ? "expected , or }" : "expected , or ]");
    struct json_node *n = &s->node[self];
    n->len = (uint32_t)(s->p - s->begin) - n->at;
    n->next = s->count;
    n->count = count;
    return true;
}

static bool value(struct scan *s, unsigned depth);

static bool array(struct scan *s, unsigned depth)
{
    uint32_t self = s->count, count = 0;
    if (!open(s, JSON_ARRAY, depth))
        return false;
    if (s->p == s->end || *s->p != ']') {
        do {
            if (!value(s, depth + 1))
                return false;
            skip_space(s);
            count++;
        } while (take(s, ','));
    }
    return close(s, self, count, ']');
}

static bool key_same(const struct scan *s, const struct json_node *a, const struct json_node *b)
{
    struct str text = { s->begin, 0 };
    return json_same(json_content(text, a), a->escaped, json_content(text, b), b->escaped);
}

static bool key_unlike_earlier(const struct scan *s, uint32_t self, uint32_t key)
{
    for (uint32_t k = self + 1; k != key; k = s->node[k + 1].next) {
        if (key_same(s, &s->node[k], &s->node[key]))
            return false;
    }
    return true;
}

/* Which of 64 marks a key leaves, by its length and its ends. Keys with
 * different marks differ, and so most keys are never compared at all. */
static inline uint64_t key_mark(const struct scan *s, const struct json_node *key)
{
    uint32_t first = (unsigned char)s->begin[key->at + 1];
    uint32_t last = (unsigned char)s->begin[key->at + key->len - 2];
    return UINT64_C(1) << (((key->len ^ first << 8 ^ last << 16) * 0x9e3779b1u) >> 26);
}

/* The hash is keyed anew each time: nobody can choose keys that collide. */
static uint32_t key_hash(const struct scan *s, const struct json_node *key, struct arena *scratch,
                         const unsigned char secret[crypto_shorthash_KEYBYTES])
{
    struct str c = json_content((struct str){ s->begin, 0 }, key);
    if (key->escaped) {
        char *to = arena_alloc(scratch, c.n);
        c = (struct str){ to, json_unescape(c, to) };
    }
    unsigned char hash[crypto_shorthash_BYTES];
    (void)crypto_shorthash(hash, (const unsigned char *)c.p, c.n, secret); /* cannot fail */
    uint32_t h;
    memcpy(&h, hash, sizeof h);
    return h;
}

/* Returns the first key that occurs twice, or 0. */
static uint32_t find_duplicate(const struct scan *s, uint32_t self, uint32_t count)
{
    AUTO(arena_fini) struct arena scratch = ARENA_INIT;
    unsigned char secret[crypto_shorthash_KEYBYTES];
    random_bytes(secret, sizeof secret);
    uint32_t size = 64;
    while (size < count * 2)
        size *= 2;
    uint32_t *table = arena_array(&scratch, uint32_t, size);
    for (uint32_t k = self + 1; count--; k = s->node[k + 1].next) {
        uint32_t at = key_hash(s, &s->node[k], &scratch, secret) & (size - 1);
        for (; table[at] != 0; at = (at + 1) & (size - 1)) {
            if (key_same(s, &s->node[table[at]], &s->node[k]))
                return k;
        }
        table[at] = k;
    }
    return 0;
}

static bool fail_duplicate(struct scan *s, uint32_t key)
{
    return fail(s, s->begin + s->node[key].at, ERR_SYNTAX, "duplicate key");
}

struct keys {
    uint32_t object, count, escaped;
    uint64_t marks; /* of all so far; all of them once a key was escaped */
};

static inline bool are_few(const struct keys *k)
{
    return k->count <= FEW_KEYS && k->escaped <= FEW_ESCAPED;
}

static bool key(struct scan *s, struct keys *k)
{
    uint32_t self = s->count;
    skip_space(s);
    if (s->p == s->end || *s->p != '"')
        return fail_here(s, "expected a key");
    if (!string(s))
        return false;
    const struct json_node *n = &s->node[self];
    uint64_t mark = n->escaped ? UINT64_MAX : key_mark(s, n);
    k->count++;
    k->escaped += n->escaped;
    if ((k->marks & mark) && are_few(k) && !key_unlike_earlier(s, k->object, self))
        return fail_duplicate(s, self);
    k->marks |= mark;
    skip_space(s);
    return take(s, ':') || fail_here(s, "expected :");
}

static bool object(struct scan *s, unsigned depth)
{
    struct keys keys = { .object = s->count };
    if (!open(s, JSON_OBJECT, depth))
        return false;
    if (s->p == s->end || *s->p != '}') {
        do {
            if (!key(s, &keys) || !value(s, depth + 1))
                return false;
            skip_space(s);
        } while (take(s, ','));
    }
    if (!close(s, keys.object, keys.count, '}'))
        return false;
    uint32_t twice = are_few(&keys) ? 0 : find_duplicate(s, keys.object, keys.count);
    return twice == 0 || fail_duplicate(s, twice);
}

static bool value(struct scan *s, unsigned depth)
{
    skip_space(s);
    switch (s->p == s->end ? 0 : *s->p) {
    case '"': return string(s);
    case '{': return object(s, depth);
    case '[': return array(s, depth);
    case 't': return word(s, STR("true"), JSON_TRUE);
    case 'f': return word(s, STR("false"), JSON_FALSE);
    case 'n': return word(s, STR("null"), JSON_NULL);
    case '-':
    case '0' ... '9': return number(s);
    default: return fail_here(s, "expected a value");
    }
}

static bool document(struct scan *s)
{
    if (!value(s, 1))
        return false;
    skip_space(s);
    return s->p == s->end || fail_here(s, "something behind the value");
}

enum err json_scan(struct str text, struct arena *a, struct json_doc *ret_doc,
                   struct json_fault *ret_fault)
{
    struct scan s = { .begin = text.p ? text.p : "", .arena = a };
    s.p = s.begin;
    s.end = s.begin + text.n;
    if (text.n > UINT32_MAX) {
        (void)fail(&s, s.begin, ERR_LIMIT, "text too long");
    } else {
        s.cap = first_capacity(text.n);
        s.count = JSON_ROOT;
        s.node = arena_room(a, sizeof *s.node * s.cap);
        s.node[0] = (struct json_node){ 0 };
        if (document(&s)) {
            *ret_doc = (struct json_doc){ .text = text, .node = s.node, .count = s.count };
            return OK;
        }
    }
    if (ret_fault != NULL)
        *ret_fault = s.fault;
    return s.err;
}
