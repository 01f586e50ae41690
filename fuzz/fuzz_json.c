/* Our scanner and jansson accept and refuse the same texts, but for our limits,
 * and see the same tree in them. */
#include "codec/json.h"
#include "codec/utf8.h"

#include "target.h"

/* Both name these; theirs get another name here. */
#define json_type jansson_type
#define json_string jansson_string
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef json_type
#undef json_string
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include <stdlib.h>

static const struct json_doc *doc;
static struct arena arena;

static struct str content(uint32_t i)
{
    struct str s;
    must(json_string(doc, i, &arena, &s));
    must(utf8_valid(s));
    return s;
}

static void same_number(struct str raw, const json_t *theirs)
{
    char *end, *text = arena_alloc(&arena, raw.n + 1);
    memcpy(text, raw.p, raw.n);
    if (strpbrk(text, ".eE") != NULL) {
        must(theirs->type == JSON_REAL);
        must(strtod(text, &end) == json_real_value(theirs));
    } else {
        must(theirs->type == JSON_INTEGER);
        must(strtoll(text, &end, 10) == json_integer_value(theirs));
    }
    must(*end == 0);
}

/* What is written from a content is that content again. */
static void survives_writing(struct str s)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 24);
    json_write_string(&b, s);
    struct json_doc d;
    struct str again;
    must(json_scan(buf_view(&b), &arena, &d, NULL) == OK);
    must(json_string(&d, JSON_ROOT, &arena, &again) && str_eq(s, again));
}

static void same(uint32_t i, const json_t *theirs);

static void same_array(uint32_t i, const json_t *theirs)
{
    size_t count = 0;
    for (uint32_t v = json_first(doc, i); v; v = json_next(doc, i, v))
        same(v, json_array_get(theirs, count++));
    must(count == json_array_size(theirs) && count == doc->node[i].count);
}

static void same_object(uint32_t i, const json_t *theirs)
{
    size_t count = 0;
    for (uint32_t k = json_first(doc, i); k; k = json_next(doc, i, k + 1), count++) {
        struct str key = content(k);
        must(json_get(doc, i, key) == k + 1);
        same(k + 1, json_object_get(theirs, arena_str(&arena, key).p));
    }
    must(count == json_object_size(theirs) && count == doc->node[i].count);
}

static void same(uint32_t i, const json_t *theirs)
{
    static const int types[] = { [JANSSON_OBJECT] = JSON_OBJECT, [JANSSON_ARRAY] = JSON_ARRAY,
                                 [JANSSON_STRING] = JSON_STRING, [JSON_INTEGER] = JSON_NUMBER,
                                 [JSON_REAL] = JSON_NUMBER,      [JANSSON_TRUE] = JSON_TRUE,
                                 [JANSSON_FALSE] = JSON_FALSE,   [JANSSON_NULL] = JSON_NULL };
    must(theirs != NULL && (int)json_type(doc, i) == types[theirs->type]);
    switch (json_type(doc, i)) {
    case JSON_OBJECT: same_object(i, theirs); break;
    case JSON_ARRAY: same_array(i, theirs); break;
    case JSON_NUMBER: same_number(json_raw(doc, i), theirs); break;
    case JSON_STRING:
        must(str_eq(content(i),
                    (struct str){ json_string_value(theirs), json_string_length(theirs) }));
        survives_writing(content(i));
        break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = { (const char *)data, n };
    struct json_doc d;
    struct json_fault f = { .at = UINT32_MAX };
    enum err err = json_scan(text, &arena, &d, &f);
    if (err != OK)
        must(f.at <= n && f.why != NULL);
    if (n && memchr(data, 0, n)) { /* jansson overlooks these behind numbers */
        must(err != OK);
    } else if (err != ERR_LIMIT) {
        json_t *theirs =
            json_loadb(n ? text.p : "", n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
        must((err == OK) == (theirs != NULL));
        doc = &d;
        if (theirs)
            same(JSON_ROOT, theirs);
        json_decref(theirs);
    }
    arena_clear(&arena);
    return 0;
}
