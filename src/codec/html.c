#include "codec/html.h"
#include "codec/utf8.h"

static const char *reference(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* Bytes of the character at p; 0 when it must not stand in HTML. */
static size_t allowed(const char *p, const char *end)
{
    unsigned char c = (unsigned char)*p;
    if (c < 0x80)
        return (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n';
    size_t n = utf8_sequence(p, end);
    return c == 0xc2 && n == 2 && (unsigned char)p[1] < 0xa0 ? 0 : n; /* U+0080 … U+009F */
}

void html_write_text(struct buf *to, struct str text)
{
    const char *p = text.p, *end = text.n ? text.p + text.n : text.p;
    while (p < end) {
        const char *plain = p, *instead = NULL;
        size_t n = 0;
        while (p < end && (instead = reference(*p)) == NULL && (n = allowed(p, end)) > 0)
            p += n;
        buf_add(to, plain, (size_t)(p - plain));
        if (p == end)
            return;
        buf_str(to, instead ? str_of(instead) : STR("\xef\xbf\xbd"));
        p++;
    }
}
