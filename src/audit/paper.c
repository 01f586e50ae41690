#include "audit/paper.h"

#include "codec/html.h"
#include "codec/text.h"

#include <sodium.h>

enum { WIDTH = 88, MARGIN = 2 };

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d5dbe1;--paper:#fff;"
    "--desk:#f3f5f7;--yes:#0f6b3c;--no:#9a2b2b;--over:#7a5200}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8ebee;--soft:#a3adb8;--line:#39424c;"
    "--paper:#171b20;--desk:#0e1114;--yes:#62c892;--no:#f19a92;--over:#e3b65c}}"
    "*{box-sizing:border-box}"
    "html{-webkit-text-size-adjust:100%;text-size-adjust:100%}"
    "body{margin:0;background:var(--desk);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"
    "'Segoe UI',Roboto,'Noto Sans',sans-serif;overflow-wrap:break-word;hyphens:auto}"
    "main{max-width:46rem;margin:2.5rem auto;padding:2.5rem;background:var(--paper);"
    "border:1px solid var(--line);border-radius:.5rem}"
    "h1{font-size:clamp(1.4rem,6vw,1.75rem);line-height:1.2;margin:0 0 .25rem;"
    "letter-spacing:-.01em}"
    "h2{font-size:1.25rem;line-height:1.3;margin:0 0 .5rem}"
    "h3{font-size:1rem;margin:1.5rem 0 .25rem;overflow-wrap:anywhere;hyphens:manual}"
    "p{margin:0 0 .75rem}"
    "section{border-top:1px solid var(--line);margin-top:2rem;padding-top:1.5rem}"
    "dl{margin:0;display:grid;grid-template-columns:minmax(8rem,12rem) 1fr;gap:.4rem 1.5rem}"
    "dt{color:var(--soft)}"
    "dd{margin:0;min-width:0;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%;margin:.25rem 0 1rem}"
    "caption{text-align:start;color:var(--soft);padding:.75rem 0 .25rem}"
    "th,td{text-align:start;vertical-align:top;padding:.45rem 1rem .45rem 0;"
    "border-bottom:1px solid var(--line);font-weight:400}"
    "thead th{color:var(--soft);font-size:.875rem}"
    "tbody th{font-weight:600}"
    "th:last-child,td:last-child{padding-right:0}"
    "code,pre{font:.8125rem/1.5 ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',"
    "monospace;hyphens:manual}"
    "pre{margin:0;white-space:pre-wrap;max-height:20rem;overflow:auto}"
    "ul{margin:0;padding-inline-start:1.2rem}"
    ".yes,.no,.over{border-inline-start:.25rem solid;padding-inline-start:.75rem;font-weight:600}"
    ".yes{color:var(--yes)}.no{color:var(--no)}.over{color:var(--over)}"
    ".quiet{color:var(--soft)}"
    ":focus-visible{outline:2px solid;outline-offset:2px}"
    "@media screen and (max-width:40rem){body{background:var(--paper)}"
    "main{margin:0;padding:1.25rem 1rem;border:0;border-radius:0}"
    "dl{display:block}dd{margin:0 0 .75rem}"
    "table,tbody,tr,td,tbody th{display:block}"
    "caption{display:block}thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;"
    "overflow:hidden}"
    "tr{border-bottom:1px solid var(--line);padding:.5rem 0}th,td{border:0;padding:0}"
    "td:empty{display:none}"
    "td::before{content:attr(data-name)': ';color:var(--soft)}}"
    "@media print{@page{margin:18mm 16mm}"
    ":root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--desk:#fff;"
    "--yes:#000;--no:#000;--over:#000}"
    "body{font-size:10pt;line-height:1.4}main{max-width:none;margin:0;padding:0;border:0}"
    "h1{font-size:18pt}h2{font-size:13pt}section{margin-top:1.2rem;padding-top:1rem}"
    "h1,h2,h3,caption,dt{break-after:avoid}tr,dt,dd,.yes,.no,.over{break-inside:avoid}"
    "code,pre{font-size:8pt}pre{max-height:none;overflow:visible}}";

struct str paper_policy(struct arena *a)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(hash, (const uint8_t *)style, sizeof style - 1);
    return arena_printf(
        a,
        "default-src 'none'; style-src 'sha256-%.*s'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
        STR_ARG(base64_encode((struct str){ (const char *)hash, sizeof hash }, a)));
}

/* ---- text ---- */

void paper_wrap(struct buf *to, int indent, struct str words)
{
    size_t column = 0;
    struct str word;
    AUTO(buf_fini) struct buf clean = BUF_INIT(to->max);
    text_harmless(&clean, words, false);
    struct str rest = buf_view(&clean);
    while (str_next(&rest, ' ', &word)) {
        if (column == 0 || column + 1 + word.n > WIDTH) {
            buf_printf(to, "%s%*s", column ? "\n" : "", indent, "");
            column = (size_t)indent;
        } else {
            buf_byte(to, ' ');
            column++;
        }
        buf_str(to, word);
        column += word.n;
    }
    buf_byte(to, '\n');
}

/* How many columns a terminal needs: one for each character that is not continued. */
static size_t width(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static void underline(struct paper *p, struct str text, char with)
{
    for (size_t i = width(text); i > 0; i--)
        buf_byte(p->to, with);
    buf_byte(p->to, '\n');
}

/* ---- HTML ---- */

/* The end of an opening tag: the language of what is in it, and the direction that its letters have. */
static void open_attributes(struct paper *p, struct words w)
{
    if (w.language.n && !str_eq_nocase(w.language, p->language)) {
        buf_lit(p->to, " lang=\"");
        html_write_text(p->to, w.language);
        buf_byte(p->to, '"');
    }
    buf_lit(p->to, " dir=\"auto\">");
}

static void open_tag(struct paper *p, const char *tag, const char *kind, struct words w)
{
    buf_printf(p->to, "<%s", tag);
    if (kind != NULL)
        buf_printf(p->to, " class=\"%s\"", kind);
    open_attributes(p, w);
}

static void element(struct paper *p, const char *tag, const char *kind, struct words w)
{
    open_tag(p, tag, kind, w);
    html_write_text(p->to, w.text);
    buf_printf(p->to, "</%s>\n", tag);
}

static void raw(struct paper *p, const char *html)
{
    if (p->html)
        buf_printf(p->to, "%s\n", html);
}

/* ---- the document ---- */

void paper_begin(struct paper *p, struct str title)
{
    if (!p->html)
        return;
    buf_lit(p->to, "<!doctype html>\n<html lang=\"");
    html_write_text(p->to, p->language);
    buf_lit(p->to, "\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"robots\" content=\"noindex\">\n<title>");
    html_write_text(p->to, title);
    buf_lit(p->to, "</title>\n<style>");
    buf_add(p->to, style, sizeof style - 1);
    buf_lit(p->to, "</style>\n</head>\n<body>\n<main>\n");
}

void paper_end(struct paper *p)
{
    raw(p, "</main>\n</body>\n</html>");
}

void paper_heading(struct paper *p, int level, struct words w)
{
    static const char *const tag[] = { "h1", "h2", "h3" };
    must(level >= 1 && level <= 3);
    if (p->html) {
        element(p, tag[level - 1], NULL, w);
        return;
    }
    if (level > 1)
        buf_byte(p->to, '\n');
    paper_wrap(p->to, 0, w.text);
    if (level < 3)
        underline(p, w.text, level == 1 ? '=' : '-');
}

void paper_line(struct paper *p, const char *kind, struct words w)
{
    if (p->html)
        element(p, "p", kind, w);
    else
        paper_wrap(p->to, 0, w.text);
}

void paper_section_begin(struct paper *p)
{
    raw(p, "<section>");
}

void paper_section_end(struct paper *p)
{
    raw(p, "</section>");
}

void paper_pairs_begin(struct paper *p)
{
    raw(p, "<dl>");
}

void paper_pairs_end(struct paper *p)
{
    raw(p, "</dl>");
}

static void pair(struct paper *p, const char *name, struct words w, const char *in)
{
    if (!p->html) {
        paper_wrap(p->to, MARGIN, arena_printf(p->a, "%s: %.*s", name, STR_ARG(w.text)));
        return;
    }
    element(p, "dt", NULL, WORDS_OF(str_of(name)));
    if (in == NULL) {
        element(p, "dd", NULL, w);
        return;
    }
    buf_printf(p->to, "<dd><%s dir=\"auto\"%s>", in,
               strcmp(in, "pre") == 0 ? " tabindex=\"0\"" : ""); /* it may scroll */
    html_write_text(p->to, w.text);
    buf_printf(p->to, "</%s></dd>\n", in);
}

void paper_pair(struct paper *p, const char *name, struct words w)
{
    pair(p, name, w, NULL);
}

void paper_pair_code(struct paper *p, const char *name, struct str code)
{
    pair(p, name, WORDS_OF(code), "code");
}

void paper_pair_quote(struct paper *p, const char *name, struct str quoted)
{
    pair(p, name, WORDS_OF(quoted), "pre");
}

/* On a narrow screen rows become blocks (see `style`); that a table is a table must be said then. */
void paper_table_begin(struct paper *p, const char *caption, const char *const *heading,
                       uint32_t columns)
{
    must(columns > 0 && columns <= PAPER_COLUMNS);
    for (uint32_t i = 0; i < columns; i++)
        p->heading[i] = str_of(heading[i]);
    if (!p->html) {
        if (caption != NULL)
            paper_wrap(p->to, MARGIN, arena_printf(p->a, "%s:", caption));
        return;
    }
    buf_lit(p->to, "<table role=\"table\">\n");
    if (caption != NULL)
        element(p, "caption", NULL, WORDS_OF(str_of(caption)));
    buf_lit(p->to, "<thead role=\"rowgroup\"><tr role=\"row\">");
    for (uint32_t i = 0; i < columns; i++) {
        buf_lit(p->to, "<th role=\"columnheader\" scope=\"col\">");
        html_write_text(p->to, p->heading[i]);
        buf_lit(p->to, "</th>");
    }
    buf_lit(p->to, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
}

static void cell(struct paper *p, uint32_t column, struct words w)
{
    if (column == 0) {
        open_tag(p, "th role=\"rowheader\" scope=\"row\"", NULL, w);
    } else {
        buf_lit(p->to, "<td role=\"cell\" data-name=\"");
        html_write_text(p->to, p->heading[column]);
        buf_byte(p->to, '"');
        open_attributes(p, w);
    }
    html_write_text(p->to, w.text);
    buf_str(p->to, column ? STR("</td>") : STR("</th>"));
}

void paper_row(struct paper *p, const struct words *cells, uint32_t columns)
{
    AUTO(buf_fini) struct buf line = BUF_INIT(p->to->max);
    if (p->html)
        buf_lit(p->to, "<tr role=\"row\">");
    for (uint32_t i = 0; i < columns; i++) {
        if (p->html) {
            cell(p, i, cells[i]);
        } else if (cells[i].text.n) {
            buf_str(&line, i ? STR(" · ") : STR("- "));
            buf_str(&line, cells[i].text);
        }
    }
    if (p->html)
        buf_lit(p->to, "</tr>\n");
    else
        paper_wrap(p->to, 2 * MARGIN, buf_view(&line));
}

void paper_table_end(struct paper *p)
{
    raw(p, "</tbody>\n</table>");
}

void paper_items_begin(struct paper *p)
{
    raw(p, "<ul>");
}

void paper_item(struct paper *p, struct words w)
{
    if (p->html)
        element(p, "li", NULL, w);
    else
        paper_wrap(p->to, MARGIN, arena_printf(p->a, "- %.*s", STR_ARG(w.text)));
}

void paper_items_end(struct paper *p)
{
    raw(p, "</ul>");
}
