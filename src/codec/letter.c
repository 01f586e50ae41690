#include "codec/letter.h"

#include "base/limits.h"
#include "codec/text.h"
#include "codec/utf8.h"

#include <stdio.h>
#include <time.h>

enum { LINE = 76, WORD_BYTES = 39 }; /* RFC 2045, 6.7; RFC 2047, 2 */

/* ---- addresses ---- */

static bool alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool atom(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == 0 || !(alnum(s.p[i]) || strchr("!#$%&'*+-/=?^_`{|}~", s.p[i]) != NULL))
            return false;
    }
    return s.n > 0;
}

static bool label(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!alnum(s.p[i]) && (s.p[i] != '-' || i == 0 || i + 1 == s.n))
            return false;
    }
    return s.n > 0 && s.n <= 63;
}

static bool each_part(struct str s, bool (*ok)(struct str part))
{
    struct str part;
    if (s.n == 0)
        return false;
    while (str_next(&s, '.', &part)) {
        if (!ok(part))
            return false;
    }
    return true;
}

bool mailbox_ok(struct str s)
{
    const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
    if (at == NULL || s.n > LIMIT_MAILBOX || s.p[0] == '-') /* an option, to some programs */
        return false;
    struct str local = { s.p, (size_t)(at - s.p) };
    struct str domain = { at + 1, (size_t)(s.p + s.n - at) - 1 };
    return local.n <= 64 && each_part(local, atom) && each_part(domain, label) &&
           s.p[s.n - 1] != '.' && local.p[local.n - 1] != '.';
}

struct str mailbox_key(struct str address, struct arena *a)
{
    char *to = arena_alloc(a, address.n + 1);
    const char *at = memrchr(address.p, '@', address.n);
    must(at != NULL);
    size_t local = (size_t)(at - address.p), n = 0;
    const char *plus = memchr(address.p + 1, '+', local - 1); /* something stands before it */
    for (size_t i = 0; i < address.n; i++) {
        char c = address.p[i];
        if (plus != NULL && address.p + i >= plus && i < local)
            continue;
        to[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return (struct str){ to, n };
}

/* ---- headers ---- */

static bool plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    }
    return memmem(s.p ? s.p : "", s.n, "=?", 2) == NULL;
}

/* One character, with its continuation bytes; a damaged one is a byte. */
static size_t character(const char *p, const char *end)
{
    if ((unsigned char)*p < 0x80)
        return 1;
    size_t n = utf8_sequence(p, end);
    return n ? n : 1;
}

/* As encoded words, each of whole characters, folded onto lines of their own. */
static void put_words(struct buf *to, struct str s, struct arena *a)
{
    const char *p = s.p, *end = s.p + s.n;
    bool first = true;
    while (p < end) {
        const char *from = p;
        while (p < end && (size_t)(p - from) + character(p, end) <= WORD_BYTES)
            p += character(p, end);
        struct str word = base64_encode((struct str){ from, (size_t)(p - from) }, a);
        buf_printf(to, "%s=?UTF-8?B?%.*s?=", first ? "" : "\r\n ", STR_ARG(word));
        first = false;
    }
}

static struct str one_line(struct str s, struct arena *a)
{
    char *to = arena_alloc(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        to[i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i];
    return str_trim((struct str){ to, s.n });
}

/* Free text of a header. Short ASCII as it is, else encoded words. */
static void put_text(struct buf *to, struct str raw, struct arena *a)
{
    struct str s = one_line(raw, a);
    if (plain(s) && s.n <= 60)
        buf_str(to, s);
    else
        put_words(to, s, a);
}

static void put_from(struct buf *to, const struct letter *l, struct arena *a)
{
    struct str name = one_line(l->from_name, a);
    buf_lit(to, "From: ");
    if (name.n > 0 && plain(name) && name.n <= 60) {
        buf_byte(to, '"');
        for (size_t i = 0; i < name.n; i++) {
            if (name.p[i] == '"' || name.p[i] == '\\')
                buf_byte(to, '\\');
            buf_byte(to, name.p[i]);
        }
        buf_byte(to, '"');
    } else if (name.n > 0) {
        put_words(to, name, a);
    }
    if (name.n > 0)
        buf_lit(to, "\r\n ");
    buf_printf(to, "<%.*s>\r\n", STR_ARG(l->from_address));
}

static void put_date(struct buf *to, int64_t at_ms)
{
    static const char *const day[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const month[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct tm t;
    time_t seconds = (time_t)(at_ms / 1000);
    must(gmtime_r(&seconds, &t) != NULL);
    buf_printf(to, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", day[t.tm_wday], t.tm_mday,
               month[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static void put_message_id(struct buf *to, const struct letter *l)
{
    char id[ID_TEXT + 1];
    const char *at = memrchr(l->from_address.p, '@', l->from_address.n);
    struct str domain = { at + 1, (size_t)(l->from_address.p + l->from_address.n - at) - 1 };
    id_format(&l->id, id);
    buf_printf(to, "Message-ID: <%s@%.*s>\r\n", id, STR_ARG(domain));
}

/* ---- the body ---- */

/* Quoted-printable (RFC 2045, 6.7): soft breaks before a line grows too long. */
static void put_body(struct buf *to, struct str text)
{
    size_t column = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool next_ends = i + 1 == text.n || text.p[i + 1] == '\n' || text.p[i + 1] == '\r';
        if (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
            continue;
        if (c == '\n' || c == '\r') {
            buf_lit(to, "\r\n");
            column = 0;
            continue;
        }
        bool literal = (c >= '!' && c <= '~' && c != '=' && !(c == '.' && column == 0)) ||
                       ((c == ' ' || c == '\t') && !next_ends);
        size_t n = literal ? 1 : 3;
        if (column + n > LINE - 1) {
            buf_lit(to, "=\r\n");
            column = 0;
            literal = literal && c != '.';
            n = literal ? 1 : 3;
        }
        if (literal)
            buf_byte(to, (char)c);
        else
            buf_printf(to, "=%02X", c);
        column += n;
    }
    if (column > 0)
        buf_lit(to, "\r\n");
}

static bool language_is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!alnum(s.p[i]) && s.p[i] != '-')
            return false;
    }
    return s.n > 0 && s.n <= 35;
}

bool letter_write(const struct letter *l, struct buf *to)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    if (!mailbox_ok(l->from_address) || !mailbox_ok(l->to))
        return false;
    put_date(to, l->at_ms);
    put_from(to, l, &a);
    buf_printf(to, "To: <%.*s>\r\nSubject: ", STR_ARG(l->to));
    put_text(to, l->subject, &a);
    buf_lit(to, "\r\n");
    put_message_id(to, l);
    buf_lit(to, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n");
    if (language_is_plain(l->language))
        buf_printf(to, "Content-Language: %.*s\r\n", STR_ARG(l->language));
    buf_lit(to, "\r\n");
    put_body(to, l->text);
    return !to->over;
}
