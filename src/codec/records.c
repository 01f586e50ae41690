#include "codec/records.h"

#include "base/limits.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str behind(struct str s, size_t n)
{
    return (struct str){ s.p + n, s.n - n };
}

static struct str without_mark(struct str s)
{
    return str_starts(s, STR("\xef\xbb\xbf")) ? behind(s, 3) : s;
}

enum records_form records_guess(struct str start)
{
    start = without_mark(start);
    for (size_t i = 0; i < start.n; i++) {
        if (!is_space(start.p[i]))
            return start.p[i] == '['   ? RECORDS_ARRAY
                   : start.p[i] == '{' ? RECORDS_LINES
                                       : RECORDS_CSV;
    }
    return RECORDS_LINES;
}

struct records records_init(enum records_form form)
{
    return (struct records){ .form = form, .line = 1 };
}

/* Takes n bytes away and counts the lines that end in them. */
static void take(struct records *r, struct str *window, size_t n)
{
    for (const char *p = window->p, *end = p + n;
         p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        r->line++;
    *window = behind(*window, n);
}

static enum err too_large(struct err_info *info)
{
    return err_set(info, ERR_LIMIT, NULL, "a record is larger than %u bytes", LIMIT_RECORD);
}

/* ---- lines ---- */

static enum err next_line(struct records *r, struct str *window, bool last,
                          struct record *ret_record, struct err_info *info)
{
    for (;;) {
        const char *end = window->n ? memchr(window->p, '\n', window->n) : NULL;
        if (end == NULL && window->n > LIMIT_RECORD && !last)
            return too_large(info);
        if (end == NULL && !last)
            return ERR_STALE;
        if (window->n == 0)
            return ERR_NOT_FOUND;
        size_t n = end ? (size_t)(end - window->p) : window->n;
        struct str text = str_trim((struct str){ window->p, n });
        struct record found = { .line = r->line, .number = r->number + 1, .text = text };
        take(r, window, end ? n + 1 : n);
        if (text.n == 0)
            continue;
        r->number++;
        if (text.n > LIMIT_RECORD)
            return too_large(info);
        *ret_record = found;
        return OK;
    }
}

/* ---- items of an array ---- */

/* The end of the value that the text begins with: 0 when it is not there yet. */
static size_t value_end(struct str s)
{
    size_t depth = 0;
    bool string = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
            continue;
        }
        if (c == '"')
            string = true;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']' || c == ',') && depth == 0)
            return i;
        else if (c == '}' || c == ']')
            depth--;
    }
    return 0;
}

static void pass_space(struct records *r, struct str *window)
{
    size_t n = 0;
    while (n < window->n && is_space(window->p[n]))
        n++;
    take(r, window, n);
}

static enum err cut(bool last, struct err_info *info)
{
    return last ? err_set(info, ERR_SYNTAX, NULL, "the array does not end") : ERR_STALE;
}

static enum err end_of_array(struct records *r, struct str *window, bool last,
                             struct err_info *info)
{
    r->over = true;
    pass_space(r, window);
    if (window->n)
        return err_set(info, ERR_SYNTAX, NULL, "something stands behind the array");
    return last ? ERR_NOT_FOUND : ERR_STALE;
}

/* To the first byte of the next value. */
static enum err find_item(struct records *r, struct str *window, bool last, struct err_info *info)
{
    if (r->over)
        return end_of_array(r, window, last, info);
    pass_space(r, window);
    if (window->n == 0)
        return cut(last, info);
    if (!r->begun) {
        if (window->p[0] != '[')
            return err_set(info, ERR_SYNTAX, NULL, "is no array");
        r->begun = true;
        take(r, window, 1);
        pass_space(r, window);
        if (window->n == 0) {
            return cut(last, info);
        }
    } else if (r->number && window->p[0] == ',') {
        struct str rest = behind(*window, 1);
        size_t n = 1;
        while (rest.n && is_space(rest.p[0])) {
            rest = behind(rest, 1);
            n++;
        }
        if (rest.n == 0)
            return cut(last, info);
        take(r, window, n);
        return OK;
    }
    if (window->p[0] != ']')
        return r->number ? err_set(info, ERR_SYNTAX, NULL, "a comma is missing behind item %llu",
                                   (unsigned long long)r->number)
                         : OK;
    take(r, window, 1);
    return end_of_array(r, window, last, info);
}

static enum err next_item(struct records *r, struct str *window, bool last,
                          struct record *ret_record, struct err_info *info)
{
    struct records before = *r;
    struct str start = *window;
    enum err e = find_item(r, window, last, info);
    if (e != OK)
        return e;
    size_t n = value_end(*window);
    struct str text = str_trim((struct str){ window->p, n });
    if (n == 0 || text.n == 0 || n > LIMIT_RECORD) {
        if (n > LIMIT_RECORD || window->n > LIMIT_RECORD)
            return too_large(info);
        if (n == 0 && !last && !(window->n && (window->p[0] == ',' || window->p[0] == ']'))) {
            *r = before; /* the comma in front is read again */
            *window = start;
            return ERR_STALE;
        }
        return err_set(info, ERR_SYNTAX, NULL, "item %llu does not end or is empty",
                       (unsigned long long)r->number + 1);
    }
    *ret_record = (struct record){ .line = r->line, .number = ++r->number, .text = text };
    take(r, window, n);
    return OK;
}

/* ---- CSV ---- */

struct row {
    struct str *field;
    uint32_t count;
    size_t used; /* bytes of the window, the line's end included */
};

/* A field between quotes: *ret_end is behind the closing one. ERR_STALE: it does not end here. */
static enum err quoted(struct str s, size_t at, struct arena *a, struct str *ret_field,
                       size_t *ret_end)
{
    size_t i = at + 1, doubled = 0;
    for (;; i++) {
        const char *q = i < s.n ? memchr(s.p + i, '"', s.n - i) : NULL;
        if (q == NULL)
            return ERR_STALE;
        i = (size_t)(q - s.p);
        if (i + 1 < s.n && s.p[i + 1] == '"') {
            doubled++;
            i++;
            continue;
        }
        break;
    }
    struct str inner = { s.p + at + 1, i - at - 1 };
    if (doubled) {
        char *to = arena_alloc(a, inner.n - doubled + 1);
        size_t n = 0;
        for (size_t k = 0; k < inner.n; k++) {
            to[n++] = inner.p[k];
            k += inner.p[k] == '"';
        }
        inner = (struct str){ to, n };
    }
    *ret_field = inner;
    *ret_end = i + 1;
    return OK;
}

static enum err plain(struct str s, size_t at, struct str *ret_field, size_t *ret_end)
{
    size_t i = at;
    while (i < s.n && s.p[i] != ',' && s.p[i] != '\n' && s.p[i] != '"')
        i++;
    if (i < s.n && s.p[i] == '"')
        return ERR_SYNTAX;
    size_t end = i;
    if (end > at && s.p[end - 1] == '\r' && (i == s.n || s.p[i] == '\n'))
        end--;
    *ret_field = (struct str){ s.p + at, end - at };
    *ret_end = i;
    return OK;
}

static enum err read_row(struct str s, bool last, struct arena *a, struct row *row,
                         struct err_info *info)
{
    size_t at = 0;
    for (;;) {
        struct str field;
        size_t end;
        bool quotes = at < s.n && s.p[at] == '"';
        enum err e = quotes ? quoted(s, at, a, &field, &end) : plain(s, at, &field, &end);
        if (e == ERR_STALE && last)
            return err_set(info, ERR_SYNTAX, NULL, "a quote is not closed");
        if (e == ERR_SYNTAX)
            return err_set(info, e, NULL,
                           "a quote stands within a field that does not begin with one");
        if (e != OK)
            return e;
        if (row->count == LIMIT_CSV_FIELDS)
            return err_set(info, ERR_SYNTAX, NULL, "more than %d fields", LIMIT_CSV_FIELDS);
        row->field[row->count++] = field;
        if (quotes && end < s.n && s.p[end] == '\r')
            end++;
        if (end == s.n) {
            row->used = end;
            return last ? OK : ERR_STALE;
        }
        if (s.p[end] == '\n') {
            row->used = end + 1;
            return OK;
        }
        if (s.p[end] != ',')
            return err_set(info, ERR_SYNTAX, NULL, "something stands behind a closing quote");
        at = end + 1;
    }
}

static enum err next_row(struct records *r, struct str *window, bool last, struct arena *a,
                         struct record *ret_record, struct err_info *info)
{
    for (;;) {
        if (window->n == 0)
            return last ? ERR_NOT_FOUND : ERR_STALE;
        struct row row = { .field = arena_array(a, struct str, LIMIT_CSV_FIELDS) };
        struct str limited = { window->p, window->n > LIMIT_RECORD ? LIMIT_RECORD : window->n };
        enum err e = read_row(limited, last && limited.n == window->n, a, &row, info);
        if (e == ERR_STALE && window->n > LIMIT_RECORD)
            return err_set(info, ERR_SYNTAX, NULL,
                           "a record is larger than %u bytes, or a quote is not closed",
                           LIMIT_RECORD);
        if (e != OK)
            return e;
        struct record found = { .line = r->line,
                                .text = { window->p, row.used },
                                .field = row.field,
                                .field_count = row.count };
        bool blank = row.count == 1 && row.field[0].n == 0;
        take(r, window, row.used);
        if (blank)
            continue;
        found.number = ++r->number;
        *ret_record = found;
        return OK;
    }
}

enum err records_next(struct records *r, struct str *window, bool last, struct arena *a,
                      struct record *ret_record, struct err_info *info)
{
    if (!r->marked) {
        if (window->n < 3 && !last)
            return ERR_STALE;
        *window = without_mark(*window);
        r->marked = true;
    }
    switch (r->form) {
    case RECORDS_ARRAY: return next_item(r, window, last, ret_record, info);
    case RECORDS_CSV: return next_row(r, window, last, a, ret_record, info);
    case RECORDS_LINES:
    default: return next_line(r, window, last, ret_record, info);
    }
}
