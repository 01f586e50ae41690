#include "codec/multipart.h"

#include "base/limits.h"
#include "codec/text.h"

enum { BOUNDARY = 70 };

struct reading {
    struct str rest;
    struct str delimiter; /* "\r\n--boundary" */
    struct arena *a;
    const char *why;
};

static bool take(struct str *s, struct str prefix)
{
    if (!str_starts(*s, prefix))
        return false;
    *s = (struct str){ s->p + prefix.n, s->n - prefix.n };
    return true;
}

static void skip_blanks(struct str *s)
{
    while (s->n > 0 && (*s->p == ' ' || *s->p == '\t'))
        *s = (struct str){ s->p + 1, s->n - 1 };
}

/* ---- parameters of a header: ; name=token ; name="quoted" ---- */

static bool is_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool take_token(struct str *s, struct str *ret_token)
{
    size_t n = 0;
    while (n < s->n && is_token(s->p[n]))
        n++;
    *ret_token = (struct str){ s->p, n };
    *s = (struct str){ s->p + n, s->n - n };
    return n > 0;
}

/* curl writes \" and \\; browsers write %22 and leave a backslash alone, of which old ones send whole paths. */
static bool is_escape(struct str s, size_t at)
{
    return s.p[at] == '\\' && at + 1 < s.n && (s.p[at + 1] == '"' || s.p[at + 1] == '\\');
}

static bool take_quoted(struct str *s, struct arena *a, struct str *ret_text)
{
    if (!take(s, STR("\"")))
        return false;
    size_t n = 0, escapes = 0;
    for (; n < s->n && s->p[n] != '"'; n++) {
        if (is_escape(*s, n)) {
            escapes++;
            n++;
        }
    }
    if (n >= s->n)
        return false;
    struct str text = { s->p, n };
    *s = (struct str){ s->p + n + 1, s->n - n - 1 };
    if (escapes > 0) {
        char *to = arena_room(a, n);
        size_t written = 0;
        for (size_t i = 0; i < n; i++) {
            i += is_escape(text, i);
            to[written++] = text.p[i];
        }
        text = (struct str){ to, written };
    }
    *ret_text = text;
    return true;
}

struct parameter {
    struct str name, value;
};

/* False in *ret_more at the end; false when it cannot be read. */
static bool next_parameter(struct str *s, struct arena *a, bool *ret_more, struct parameter *ret_p)
{
    skip_blanks(s);
    *ret_more = s->n > 0;
    if (s->n == 0)
        return true;
    if (!take(s, STR(";")))
        return false;
    skip_blanks(s);
    if (s->n == 0) { /* a last ';' that means nothing */
        *ret_more = false;
        return true;
    }
    if (!take_token(s, &ret_p->name))
        return false;
    skip_blanks(s);
    if (!take(s, STR("=")))
        return false;
    skip_blanks(s);
    return s->n > 0 && *s->p == '"' ? take_quoted(s, a, &ret_p->value)
                                    : take_token(s, &ret_p->value);
}

static bool boundary_ok(struct str b)
{
    for (size_t i = 0; i < b.n; i++) {
        char c = b.p[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (c == 0 || strchr("'()+_,-./:=? ", c) == NULL))
            return false;
    }
    return b.n >= 1 && b.n <= BOUNDARY && b.p[b.n - 1] != ' ';
}

bool multipart_boundary(struct str type, struct str *ret_boundary)
{
    static const struct str form_data = STR_INIT("multipart/form-data");
    AUTO(arena_fini) struct arena a = ARENA_INIT; /* a good one has no escapes in it */
    struct str s = str_trim(type), found = { 0 };
    struct parameter p;
    bool more;
    if (s.n > LIMIT_PART_HEAD || s.n < form_data.n ||
        !str_eq_nocase((struct str){ s.p, form_data.n }, form_data))
        return false;
    s = (struct str){ s.p + form_data.n, s.n - form_data.n };
    while (next_parameter(&s, &a, &more, &p)) {
        if (!more) {
            if (!boundary_ok(found))
                return false;
            *ret_boundary = found;
            return true;
        }
        if (!str_eq_nocase(p.name, STR("boundary")))
            continue;
        bool in_place = p.value.n > 0 && p.value.p >= type.p && p.value.p < type.p + type.n;
        if (found.n > 0 || !in_place)
            return false;
        found = p.value;
    }
    return false;
}

/* ---- the head of a part ---- */

/* filename*=UTF-8''na%C3%AFve.pdf, which RFC 7578 forbids and some send (RFC 8187). */
static struct str extended(struct str value, struct arena *a)
{
    struct str charset, language, rest = value;
    if (!str_next(&rest, '\'', &charset) || !str_next(&rest, '\'', &language) ||
        !str_eq_nocase(charset, STR("UTF-8")))
        return (struct str){ 0 };
    return url_decode(rest, false, a);
}

static enum err read_disposition(struct reading *x, struct str value, struct part *p)
{
    struct parameter q;
    struct str kind, star = { 0 };
    bool more, named = false;
    x->why = "a part has a Content-Disposition that cannot be read";
    if (!take_token(&value, &kind) || !str_eq_nocase(kind, STR("form-data")))
        return ERR_SYNTAX;
    while (next_parameter(&value, x->a, &more, &q)) {
        if (!more) {
            if (!p->has_filename && star.n > 0) {
                p->has_filename = true;
                p->filename = extended(star, x->a);
            }
            return named ? OK : ERR_SYNTAX;
        }
        if (str_eq_nocase(q.name, STR("name"))) {
            if (named)
                return ERR_SYNTAX;
            named = true;
            p->name = q.value;
        } else if (str_eq_nocase(q.name, STR("filename"))) {
            if (p->has_filename)
                return ERR_SYNTAX;
            p->has_filename = true;
            p->filename = q.value;
        } else if (str_eq_nocase(q.name, STR("filename*"))) {
            star = q.value;
        }
    }
    return ERR_SYNTAX;
}

static enum err read_encoding(struct reading *x, struct str value)
{
    static const struct str plain[] = { STR_INIT("binary"), STR_INIT("8bit"), STR_INIT("7bit") };
    for (size_t i = 0; i < COUNT(plain); i++) {
        if (str_eq_nocase(value, plain[i]))
            return OK;
    }
    x->why = "a part has a Content-Transfer-Encoding, which a form does not use";
    return ERR_SYNTAX;
}

static enum err read_line(struct reading *x, struct str line, bool *disposed, struct part *p)
{
    struct str name, value = line;
    x->why = "a part has a header that cannot be read";
    if (!take_token(&value, &name) || !take(&value, STR(":")))
        return ERR_SYNTAX;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == 0 || value.p[i] == '\r' || value.p[i] == '\n')
            return ERR_SYNTAX;
    }
    value = str_trim(value);
    if (str_eq_nocase(name, STR("Content-Transfer-Encoding")))
        return read_encoding(x, value);
    if (!str_eq_nocase(name, STR("Content-Disposition")))
        return OK;
    if (*disposed)
        return ERR_SYNTAX;
    *disposed = true;
    return read_disposition(x, value, p);
}

static enum err read_head(struct reading *x, struct part *p)
{
    bool longer = x->rest.n > LIMIT_PART_HEAD;
    struct str at = { x->rest.p, longer ? LIMIT_PART_HEAD : x->rest.n };
    bool disposed = false;
    for (;;) {
        const char *end = at.n > 0 ? memmem(at.p, at.n, "\r\n", 2) : NULL;
        x->why = "a part's headers are too long, or do not end";
        if (end == NULL)
            return longer ? ERR_LIMIT : ERR_SYNTAX;
        struct str line = { at.p, (size_t)(end - at.p) };
        at = (struct str){ end + 2, at.n - line.n - 2 };
        if (line.n == 0)
            break;
        enum err e = read_line(x, line, &disposed, p);
        if (e != OK)
            return e;
    }
    x->rest = (struct str){ at.p, (size_t)(x->rest.p + x->rest.n - at.p) };
    x->why = "a part has no Content-Disposition";
    return disposed ? OK : ERR_SYNTAX;
}

/* ---- what lies between delimiters ---- */

enum after { AFTER_NOTHING = 0, AFTER_PART, AFTER_ALL };

/* What follows a delimiter: the end of its line, or the end of all. */
static enum after take_after(struct str *s)
{
    struct str after = *s;
    bool last = take(&after, STR("--"));
    skip_blanks(&after);
    if (!take(&after, STR("\r\n")) && !(last && after.n == 0))
        return AFTER_NOTHING;
    *s = after;
    return last ? AFTER_ALL : AFTER_PART;
}

static enum err read_content(struct reading *x, struct part *p, enum after *ret_after)
{
    struct str at = x->rest;
    for (;;) {
        const char *found = at.n > 0 ? memmem(at.p, at.n, x->delimiter.p, x->delimiter.n) : NULL;
        x->why = "the form ends in the midst of a part";
        if (found == NULL)
            return ERR_SYNTAX;
        const char *behind = found + x->delimiter.n;
        struct str rest = { behind, (size_t)(at.p + at.n - behind) };
        *ret_after = take_after(&rest);
        if (*ret_after != AFTER_NOTHING) {
            p->content = (struct str){ x->rest.p, (size_t)(found - x->rest.p) };
            x->rest = rest;
            return OK;
        }
        at = (struct str){ found + 2, (size_t)(at.p + at.n - found - 2) }; /* a longer line */
    }
}

static enum err read_parts(struct reading *x, enum after after, struct part *parts,
                           uint32_t *ret_count)
{
    uint32_t count = 0;
    while (after == AFTER_PART) {
        x->why = "too many parts";
        if (count == LIMIT_PARTS)
            return ERR_LIMIT;
        parts[count] = (struct part){ 0 };
        enum err e = read_head(x, &parts[count]);
        if (e == OK)
            e = read_content(x, &parts[count], &after);
        if (e != OK)
            return e;
        count++;
    }
    x->why = "something stands behind the form's end";
    if (str_trim(x->rest).n > 0)
        return ERR_SYNTAX;
    *ret_count = count;
    return OK;
}

enum err multipart_read(struct str body, struct str boundary, struct arena *a,
                        struct part **ret_parts, uint32_t *ret_count, const char **ret_why)
{
    must(boundary_ok(boundary));
    struct reading x = { .rest = body, .a = a };
    x.delimiter = arena_printf(a, "\r\n--%.*s", STR_ARG(boundary));
    struct part *parts = arena_array(a, struct part, LIMIT_PARTS);
    (void)take(&x.rest, STR("\r\n"));
    bool begins = take(&x.rest, (struct str){ x.delimiter.p + 2, x.delimiter.n - 2 });
    enum after after = begins ? take_after(&x.rest) : AFTER_NOTHING;
    x.why = "the form does not begin with its boundary";
    enum err e = after == AFTER_NOTHING ? ERR_SYNTAX : read_parts(&x, after, parts, ret_count);
    if (e == OK)
        *ret_parts = parts;
    else
        *ret_why = x.why;
    return e;
}
