#include "codec/reader_text.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/utf8.h"

#include <libxml/HTMLparser.h>
#include <sodium.h>

#include <pthread.h>

/* ---- white space ---- */

struct writing {
    struct buf to;
    bool space, line; /* due before the next word */
};

/* Bytes of white space (nothing in *ret_width when it has no width) at p; 0: there is none. */
static size_t blank_at(struct str s, size_t at, bool *ret_width)
{
    static const struct {
        struct str bytes;
        bool width;
    } wide[] = {
        { STR_INIT("\xc2\xa0"), true },      /* no-break space */
        { STR_INIT("\xe2\x80\xaf"), true },  /* narrow no-break space */
        { STR_INIT("\xe3\x80\x80"), true },  /* ideographic space */
        { STR_INIT("\xe2\x80\xa8"), true },  /* line separator */
        { STR_INIT("\xe2\x80\xa9"), true },  /* paragraph separator */
        { STR_INIT("\xc2\xad"), false },     /* soft hyphen */
        { STR_INIT("\xe2\x80\x8b"), false }, /* zero width space */
        { STR_INIT("\xe2\x80\x8c"), false }, /* zero width non-joiner */
        { STR_INIT("\xe2\x80\x8d"), false }, /* zero width joiner */
        { STR_INIT("\xef\xbb\xbf"), false }, /* byte order mark */
    };
    struct str rest = { s.p + at, s.n - at };
    *ret_width = true;
    if (strchr(" \t\r\n\f\v", *rest.p) != NULL && *rest.p != 0)
        return 1;
    for (size_t i = 0; i < COUNT(wide); i++) {
        if (str_starts(rest, wide[i].bytes)) {
            *ret_width = wide[i].width;
            return wide[i].bytes.n;
        }
    }
    /* U+2000 to U+200A: spaces of many widths */
    return rest.n > 2 && memcmp(rest.p, "\xe2\x80", 2) == 0 && (unsigned char)rest.p[2] <= 0x8a &&
                   (unsigned char)rest.p[2] >= 0x80
               ? 3
               : 0;
}

static void put_text(struct writing *w, struct str s, bool keep_lines)
{
    for (size_t i = 0; i < s.n;) {
        bool width;
        size_t n = blank_at(s, i, &width);
        if (n > 0) {
            w->space = w->space || width;
            w->line = w->line || (keep_lines && s.p[i] == '\n');
            i += n;
            continue;
        }
        if (w->to.n > 0 && (w->line || w->space))
            buf_byte(&w->to, w->line ? '\n' : ' ');
        w->line = w->space = false;
        buf_byte(&w->to, s.p[i++]);
    }
}

/* ---- markup ---- */

static bool is_one_of(const xmlNode *n, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp((const char *)n->name, *names) == 0)
            return true;
    }
    return false;
}

static bool is_unseen(const xmlNode *n)
{
    static const char *const unseen[] = { "head",   "script", "style",  "template", "noscript",
                                          "iframe", "object", "canvas", "svg",      NULL };
    if (n->type != XML_ELEMENT_NODE)
        return n->type != XML_TEXT_NODE && n->type != XML_CDATA_SECTION_NODE &&
               n->type != XML_ENTITY_REF_NODE;
    return is_one_of(n, unseen) || xmlHasProp((xmlNode *)n, (const xmlChar *)"hidden") != NULL;
}

static bool is_block(const xmlNode *n)
{
    static const char *const inside[] = { "a",      "abbr",   "b",    "bdi",  "bdo",   "big",
                                          "cite",   "code",   "data", "del",  "dfn",   "em",
                                          "font",   "i",      "img",  "ins",  "kbd",   "label",
                                          "mark",   "q",      "s",    "samp", "small", "span",
                                          "strike", "strong", "sub",  "sup",  "time",  "tt",
                                          "u",      "var",    "wbr",  NULL };
    return n->type == XML_ELEMENT_NODE && !is_one_of(n, inside);
}

static void put_tree(struct writing *w, const xmlNode *root)
{
    for (const xmlNode *n = root; n != NULL;) {
        bool unseen = is_unseen(n);
        if (is_block(n))
            w->line = true;
        if (!unseen && n->type != XML_ELEMENT_NODE && n->content != NULL)
            put_text(w, str_of((const char *)n->content), false);
        if (!unseen && n->type == XML_ELEMENT_NODE && n->children != NULL) {
            n = n->children;
            continue;
        }
        while (n != NULL && n != root && n->next == NULL) { /* back up, out of blocks */
            n = n->parent;
            if (n != NULL && is_block(n))
                w->line = true;
        }
        n = n == NULL || n == root ? NULL : n->next;
    }
}

static pthread_once_t ready = PTHREAD_ONCE_INIT;

static enum err put_html(struct writing *w, struct str bytes)
{
    int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                  HTML_PARSE_NONET | HTML_PARSE_COMPACT;
    must(pthread_once(&ready, xmlInitParser) == 0); /* then each thread may parse */
    htmlParserCtxtPtr parser = htmlNewParserCtxt();
    must(parser != NULL);
    htmlDocPtr doc = htmlCtxtReadMemory(parser, bytes.p, (int)bytes.n, NULL, "UTF-8", options);
    bool cut = parser->disableSAX != 0; /* it gave up in the midst of it */
    if (doc != NULL && !cut)
        put_tree(w, xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
    htmlFreeParserCtxt(parser);
    return cut ? ERR_LIMIT : OK;
}

/* ---- the whole ---- */

static bool is_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == 0x7f || (c < 0x20 && strchr("\t\r\n\f", c) == NULL) || c == 0)
            return false;
    }
    return utf8_valid(s);
}

enum err reader_text(struct str bytes, bool html, struct arena *a, struct str *ret_text)
{
    struct writing w = { .to = BUF_INIT(LIMIT_NOTICE) };
    enum err e = bytes.n > LIMIT_NOTICE ? ERR_LIMIT : is_text(bytes) ? OK : ERR_SYNTAX;
    if (e == OK && html)
        e = put_html(&w, bytes);
    else if (e == OK)
        put_text(&w, bytes, true);
    if (e == OK && w.to.over)
        e = ERR_LIMIT;
    if (e == OK && !utf8_valid(buf_view(&w.to))) /* a character reference to what is none */
        e = ERR_SYNTAX;
    if (e == OK)
        *ret_text = arena_str(a, buf_view(&w.to));
    buf_fini(&w.to);
    return e;
}

void reader_text_hash(struct str text, uint8_t ret_hash[32])
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state); /* none of these can fail */
    struct str rest = text, line;
    for (bool first = true; rest.n > 0 && str_next(&rest, '\n', &line); first = false) {
        if (!first)
            (void)crypto_hash_sha256_update(&state, (const unsigned char *)" ", 1);
        (void)crypto_hash_sha256_update(&state, (const unsigned char *)line.p, line.n);
    }
    (void)crypto_hash_sha256_final(&state, ret_hash);
}
