/* codec/json.h - strict JSON in one pass, as a tape of slices.
 *
 * RFC 8259 and nothing else: valid UTF-8 (no surrogates, no overlongs), no
 * duplicate keys in one object (compared after unescaping), no control
 * characters or NUL in strings (\u0000 included), lone surrogate escapes
 * refused, integers of 64 bits with a sign and other numbers as far as a double
 * reaches (1e400 is refused, 1e-400 is not), nothing behind the value but white
 * space. jansson is the judge in fuzz/fuzz_json.c.
 *
 * The tape holds one node per value and per key, in the order of the text;
 * nothing is copied and nothing is unescaped. A value's text can be taken as it
 * stood (json_raw) and put into other JSON unchanged.
 *
 * Owner:  the tape lives in the arena; slices point into the caller's text.
 * Thread: any.
 * Limit:  LIMIT_JSON_DEPTH, LIMIT_JSON_NODES, LIMIT_JSON_STRING.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum json_type {
    JSON_ABSENT = 0, /* the answer for an index that json_get() did not find */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_node {
    uint32_t at;    /* offset of the value's first byte; of a string, its quote */
    uint32_t len;   /* bytes of the value, quotes and brackets included */
    uint32_t next;  /* index of the node behind this one and all that is in it */
    uint32_t count; /* members of an object, items of an array */
    uint8_t type;   /* enum json_type */
    bool escaped;   /* a string with a backslash in it */
};

struct json_doc {
    struct str text;
    const struct json_node *node; /* node[0] is never a value: index 0 means absent */
    uint32_t count;               /* nodes, node[0] included */
};

enum { JSON_ROOT = 1 };

struct json_fault {
    uint32_t at;     /* offset of the offending byte */
    const char *why; /* "duplicate key", "bad UTF-8", … : a constant */
};

/* Scans the whole text. ERR_SYNTAX or ERR_LIMIT with *ret_fault filled (it may
 * be NULL). The text must outlive the tape. */
enum err json_scan(struct str text, struct arena *a, struct json_doc *ret_doc,
                   struct json_fault *ret_fault) MUST_CHECK;

/* The type of node i; JSON_ABSENT for i == 0. */
static inline enum json_type json_type(const struct json_doc *d, uint32_t i)
{
    return i ? (enum json_type)d->node[i].type : JSON_ABSENT;
}

/* The value's text as it stood, quotes included. Empty for i == 0. */
static inline struct str json_raw(const struct json_doc *d, uint32_t i)
{
    return i ? (struct str){ d->text.p + d->node[i].at, d->node[i].len } : (struct str){ 0 };
}

/* The value of a member, or 0 when `object` is 0, no object, or lacks it. */
uint32_t json_get(const struct json_doc *d, uint32_t object, struct str key);

/* As json_get along a dotted path ("context.page.url"). */
uint32_t json_find(const struct json_doc *d, uint32_t object, struct str path);

/* The content of a string node, unescaped (copied to the arena only when it
 * has escapes). False, and *ret_s untouched, for any other type. */
bool json_string(const struct json_doc *d, uint32_t i, struct arena *a, struct str *ret_s);

/* A string's content, or a number's decimal text as it stood (ids may be sent
 * as numbers). False for any other type. */
bool json_text(const struct json_doc *d, uint32_t i, struct arena *a, struct str *ret_s);

/* Iterates: for (uint32_t v = json_first(d, array); v; v = json_next(d, array, v)).
 * In an object json_first gives the first key; its value is key + 1, and the
 * next key is json_next(d, object, key + 1). */
uint32_t json_first(const struct json_doc *d, uint32_t container);
uint32_t json_next(const struct json_doc *d, uint32_t container, uint32_t member);

/* Writes a JSON string literal, quotes included. The bytes must be UTF-8. */
void json_write_string(struct buf *to, struct str s);

#endif
