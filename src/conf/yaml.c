#include "conf/yaml_priv.h"

#include "codec/utf8.h"

#include <libfyaml.h>
#include <stdint.h>

struct open {
    struct yaml *node;
    struct yaml *key; /* of a mapping: waits for its value */
    bool flow;
};

struct builder {
    struct str text;
    struct arena *arena;
    struct faults *faults;
    struct yaml *root;
    struct open open[YAML_DEPTH];
    uint32_t depth, documents;
    bool too_deep;
};

static struct span span_of(const struct builder *b, struct fy_event *e)
{
    const struct fy_mark *start = fy_event_start_mark(e), *end = fy_event_end_mark(e);
    size_t from = start ? start->input_pos : 0, to = end ? end->input_pos : from;
    from = from < b->text.n ? from : b->text.n;
    to = to < b->text.n ? to : b->text.n;
    return (struct span){ (uint32_t)from, (uint32_t)(to > from ? to : from) };
}

static void append(struct yaml *to, struct yaml *n)
{
    if (to->last != NULL)
        to->last->next = n;
    else
        to->first = n;
    to->last = n;
    to->count++;
}

static void put(struct builder *b, struct yaml *n)
{
    if (b->depth == 0) {
        if (b->root == NULL)
            b->root = n;
        return;
    }
    struct open *o = &b->open[b->depth - 1];
    if (o->node->type == YAML_LIST) {
        append(o->node, n);
    } else if (o->key != NULL) {
        o->key->value = n;
        o->key = NULL;
    } else {
        n->reported = n->type != YAML_SCALAR;
        if (n->reported)
            faults_add(b->faults, n->at, true, "a key must be a word");
        append(o->node, n);
        o->key = n;
    }
}

static struct yaml *new_node(struct builder *b, enum yaml_type type, struct fy_event *e)
{
    struct yaml *n = arena_new(b->arena, struct yaml);
    *n = (struct yaml){ .type = type, .at = span_of(b, e) };
    return n;
}

static void iter_free(struct fy_token_iter **i)
{
    fy_token_iter_destroy(*i);
}

/* Piece by piece: fy_token_get_text() of libfyaml 0.7.12 leaks when there are
 * many pieces. */
static struct str text_of(struct builder *b, struct fy_token *t)
{
    if (t == NULL)
        return STR("");
    AUTO(iter_free) struct fy_token_iter *i = fy_token_iter_create(t);
    must(i != NULL);
    size_t n = 0, at = 0;
    const struct fy_iter_chunk *c = NULL;
    while ((c = fy_token_iter_chunk_next(i, c, NULL)) != NULL)
        n += c->len;
    char *text = arena_alloc(b->arena, n + 1);
    fy_token_iter_finish(i);
    fy_token_iter_start(t, i);
    while ((c = fy_token_iter_chunk_next(i, c, NULL)) != NULL) {
        must(at + c->len <= n);
        memcpy(text + at, c->str, c->len);
        at += c->len;
    }
    return (struct str){ text, at };
}

static void scalar(struct builder *b, struct fy_event *e)
{
    struct yaml *n = new_node(b, YAML_SCALAR, e);
    n->text = text_of(b, e->scalar.value);
    n->plain = e->scalar.value == NULL || fy_token_scalar_style(e->scalar.value) == FYSS_PLAIN;
    put(b, n);
}

static void open_node(struct builder *b, enum yaml_type type, bool flow, struct fy_event *e)
{
    struct yaml *n = new_node(b, type, e);
    n->at.end = n->at.start + 1;
    put(b, n);
    if (b->depth == YAML_DEPTH) {
        faults_add(b->faults, n->at, true, "nested deeper than %d levels", YAML_DEPTH);
        b->too_deep = true;
        return;
    }
    b->open[b->depth++] = (struct open){ .node = n, .flow = flow };
}

static void refuse(struct builder *b, struct fy_token *t, const char *what)
{
    if (t == NULL)
        return;
    const struct fy_mark *start = fy_token_start_mark(t), *end = fy_token_end_mark(t);
    struct span at = { start ? (uint32_t)start->input_pos : 0, end ? (uint32_t)end->input_pos : 0 };
    faults_add(b->faults, at, true, "%s", what);
}

static char first_byte(const struct builder *b, struct fy_event *e)
{
    uint32_t at = span_of(b, e).start;
    return at < b->text.n ? b->text.p[at] : 0;
}

static void alias(struct builder *b, struct fy_event *e)
{
    struct yaml *n = new_node(b, YAML_SCALAR, e);
    n->reported = true;
    faults_add(b->faults, n->at, true, "aliases (*) are not allowed here: write the value out");
    put(b, n);
}

static const char anchors[] = "anchors (&) are not allowed here: write the value out";
static const char tags[] = "tags (!) are not allowed here";

static void document(struct builder *b, struct fy_event *e)
{
    if (++b->documents == 2)
        faults_add(b->faults, span_of(b, e), true,
                   "a second document begins here: a configuration is one");
}

static void take(struct builder *b, struct fy_event *e)
{
    switch (e->type) {
    case FYET_DOCUMENT_START: document(b, e); break;
    case FYET_SCALAR:
        refuse(b, e->scalar.anchor, anchors);
        refuse(b, e->scalar.tag, tags);
        scalar(b, e);
        break;
    case FYET_ALIAS: alias(b, e); break;
    case FYET_MAPPING_START:
        refuse(b, e->mapping_start.anchor, anchors);
        refuse(b, e->mapping_start.tag, tags);
        open_node(b, YAML_MAP, first_byte(b, e) == '{', e);
        break;
    case FYET_SEQUENCE_START:
        refuse(b, e->sequence_start.anchor, anchors);
        refuse(b, e->sequence_start.tag, tags);
        open_node(b, YAML_LIST, first_byte(b, e) == '[', e);
        break;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END: b->depth -= b->depth > 0; break;
    default: break;
    }
}

static uint32_t offset_of(const struct faults *f, int line, int column)
{
    uint32_t i = line > 0 ? (uint32_t)line - 1 : 0;
    if (i >= f->lines)
        i = f->lines - 1;
    size_t at = f->line[i];
    for (int c = 1; c < column && at < f->text.n && f->text.p[at] != '\n'; c++) {
        do
            at++;
        while (at < f->text.n && ((unsigned char)f->text.p[at] & 0xc0) == 0x80);
    }
    return (uint32_t)at;
}

/* The library stops at its first fault. Inside brackets that is often far from
 * the cause, so the open one is named, and shown when the file just ends. */
static void library_faults(struct builder *b, struct fy_diag *diag)
{
    void *iterator = NULL;
    struct fy_diag_error *e = fy_diag_errors_iterate(diag, &iterator);
    struct faults *f = b->faults;
    if (e == NULL)
        return faults_add(f, (struct span){ 0, 0 }, true, "this is not YAML 1.2");
    uint32_t at = offset_of(f, e->line, e->column);
    if (b->depth == 0 || !b->open[b->depth - 1].flow) {
        bool early = str_starts(str_of(e->msg), STR("wrongly indented flow"));
        return faults_add(f, (struct span){ at, at + 1 }, true, "%s%s", e->msg,
                          early ? ": is a bracket above still open?" : "");
    }
    struct span open = b->open[b->depth - 1].node->at;
    struct conf_place place = faults_place(f, open.start);
    bool ended = str_trim((struct str){ b->text.p + at, b->text.n - at }).n == 0;
    faults_add(f, ended ? open : (struct span){ at, at + 1 }, true,
               "%s (inside the bracket opened at %u:%u)", e->msg, place.line, place.column);
}

static void quiet(struct fy_diag *diag, void *user, const char *text, size_t n)
{
    (void)diag, (void)user, (void)text, (void)n; /* collected instead */
}

static void diag_free(struct fy_diag **d)
{
    if (*d != NULL)
        fy_diag_destroy(*d);
}

static void parser_free(struct fy_parser **p)
{
    if (*p != NULL)
        fy_parser_destroy(*p);
}

/* False when the tree is not whole. */
static bool parse(struct builder *b)
{
    struct fy_diag_cfg quietly;
    fy_diag_cfg_default(&quietly);
    quietly.fp = NULL;
    quietly.output_fn = quiet;
    AUTO(diag_free) struct fy_diag *diag = fy_diag_create(&quietly);
    must(diag != NULL);
    fy_diag_set_collect_errors(diag, true);
    AUTO(parser_free)
    struct fy_parser *p =
        fy_parser_create(&(struct fy_parse_cfg){ .flags = FYPCF_QUIET, .diag = diag });
    must(p != NULL);
    must(fy_parser_set_string(p, b->text.p, b->text.n) == 0);
    struct fy_event *e;
    while (!b->too_deep && b->documents < 2 && (e = fy_parser_parse(p)) != NULL) {
        take(b, e);
        fy_parser_event_free(p, e);
    }
    if (fy_parser_get_stream_error(p)) {
        library_faults(b, diag);
        return false;
    }
    return !b->too_deep;
}

/* The first byte that is not UTF-8, or a control character; text.n when all is well. */
static size_t bad_byte(struct str text)
{
    const char *end = text.n > 0 ? text.p + text.n : text.p; /* to NULL not even 0 may be added */
    for (size_t i = 0; i < text.n;) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x80) {
            if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
                return i;
            i++;
            continue;
        }
        size_t n = utf8_sequence(text.p + i, end);
        if (n == 0 || (c == 0xc2 && (unsigned char)text.p[i + 1] < 0xa0))
            return i;
        i += n;
    }
    return text.n;
}

bool yaml_text_ok(struct str text)
{
    return bad_byte(text) == text.n;
}

const struct yaml *yaml_parse(struct str text, struct arena *a, struct faults *f)
{
    size_t bad = bad_byte(text);
    if (bad < text.n) {
        faults_add(f, (struct span){ (uint32_t)bad, (uint32_t)bad + 1 }, true,
                   "byte 0x%02x is not text in UTF-8", (unsigned char)text.p[bad]);
        return NULL;
    }
    struct builder b = { .text = text, .arena = a, .faults = f };
    if (text.n > 0 && !parse(&b))
        return NULL;
    if (b.root == NULL || yaml_empty(b.root)) {
        faults_add(f, (struct span){ 0, 0 }, true, "the file is empty");
        return NULL;
    }
    return b.root;
}

const struct yaml *yaml_get(const struct yaml *map, struct str key)
{
    if (map == NULL || map->type != YAML_MAP)
        return NULL;
    for (const struct yaml *k = map->first; k != NULL; k = k->next) {
        if (str_eq(k->text, key))
            return k->value;
    }
    return NULL;
}

bool yaml_empty(const struct yaml *n)
{
    return n->type == YAML_SCALAR && n->plain &&
           (n->text.n == 0 || str_eq(n->text, STR("~")) || str_eq(n->text, STR("null")));
}
