/* By which words a subject is found: those of her e-mail address and full name, and her phones. */
#include "store/sets.h"

#include "codec/json.h"

static bool is_word(char c)
{
    /* bytes of UTF-8 letters count as letters */
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

bool words_next(struct str *rest, struct arena *a, struct str *ret_word)
{
    size_t from = 0, n = 0;
    while (from < rest->n && !is_word(rest->p[from]))
        from++;
    while (from + n < rest->n && is_word(rest->p[from + n]))
        n++;
    if (n == 0)
        return false;
    char *word = arena_room(a, n);
    for (size_t i = 0; i < n; i++) {
        char c = rest->p[from + i];
        word[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    *ret_word = (struct str){ word, n };
    *rest = (struct str){ rest->p + from + n, rest->n - from - n };
    return true;
}

/* A '+' in a query is a space by the time it is here, and 00 says the same. */
struct str phone_digits(struct str number, struct arena *a)
{
    char *digits = arena_room(a, number.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < number.n; i++) {
        if (number.p[i] >= '0' && number.p[i] <= '9')
            digits[n++] = number.p[i];
    }
    bool international = n > 2 && digits[0] == '0' && digits[1] == '0';
    return international ? (struct str){ digits + 2, n - 2 } : (struct str){ digits, n };
}

static enum err each_word(struct str text, enum word_field field, struct arena *a, word_fn fn,
                          void *ctx)
{
    struct str word;
    enum err e = OK;
    while (e == OK && words_next(&text, a, &word))
        e = fn(ctx, field, word);
    return e;
}

/* "phones": [{"number": …, "label": …}] among what she has besides her fields. */
static enum err each_phone(struct str extra, struct arena *a, word_fn fn, void *ctx)
{
    static const char name[] = "\"phones\"";
    struct json_doc d;
    if (extra.n == 0 || memmem(extra.p, extra.n, name, sizeof name - 1) == NULL ||
        json_scan(extra, a, &d, NULL) != OK)
        return OK;
    uint32_t list = json_get(&d, JSON_ROOT, STR("phones"));
    if (json_type(&d, list) != JSON_ARRAY)
        return OK;
    enum err e = OK;
    for (uint32_t i = json_first(&d, list); i && e == OK; i = json_next(&d, list, i)) {
        struct str number;
        uint32_t at = json_type(&d, i) == JSON_OBJECT ? json_get(&d, i, STR("number")) : i;
        if (!json_text(&d, at, a, &number))
            continue;
        number = phone_digits(number, a);
        if (number.n > 0)
            e = fn(ctx, WORD_PHONE, number);
    }
    return e;
}

enum err words_of_subject(const struct subject_row *row, struct arena *a, word_fn fn, void *ctx)
{
    enum err e = each_word(row->email, WORD_EMAIL, a, fn, ctx);
    if (e == OK)
        e = each_word(row->full_name, WORD_FULL_NAME, a, fn, ctx);
    return e == OK ? each_phone(row->extra, a, fn, ctx) : e;
}

/* ---- their rows ---- */

struct writing {
    struct conn *c;
    int64_t no;
};

static enum err insert(void *ctx, enum word_field field, struct str word)
{
    struct writing *w = ctx;
    return RUN(w->c, "INSERT OR IGNORE INTO subject_word (field, word, subject) VALUES (?, ?, ?)",
               INT(field), TEXT(word), INT(w->no));
}

static enum err delete (void *ctx, enum word_field field, struct str word) {
    struct writing *w = ctx;
    return RUN(w->c, "DELETE FROM subject_word WHERE field = ? AND word = ? AND subject = ?",
               INT(field), TEXT(word), INT(w->no));
}

enum err words_change(struct conn *c, int64_t no, const struct subject_row *before,
                      const struct subject_row *after)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct writing w = { .c = c, .no = no };
    if (before && str_eq(before->email, after->email) &&
        str_eq(before->full_name, after->full_name) && str_eq(before->extra, after->extra))
        return OK;
    enum err e = before ? words_of_subject(before, &a, delete, &w) : OK;
    return e == OK ? words_of_subject(after, &a, insert, &w) : e;
}

enum err words_fill(struct conn *c)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(c, "SELECT no, email, full_name, extra FROM subject ORDER BY no", &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        struct subject_row row = { .email = col_bytes(q, 1),
                                   .full_name = col_bytes(q, 2),
                                   .extra = col_bytes(q, 3) };
        e = words_change(c, col_int(q, 0), NULL, &row);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}
