#include "conf/fault_priv.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

enum { LINE_SHOWN = 160, LINE_BEFORE = 100, WORD = 64 };

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80; /* not the first byte of a character */
}

static char printable(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f ? '?' : c;
}

void faults_init(struct faults *f, struct str name, struct str text, struct arena *a)
{
    *f = (struct faults){ .arena = a, .name = name, .text = text };
    uint32_t lines = 1;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    f->line = arena_array(a, uint32_t, lines);
    f->lines = lines;
    uint32_t next = 1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n')
            f->line[next++] = (uint32_t)i + 1;
    }
}

void faults_add(struct faults *f, struct span at, bool error, const char *fmt, ...)
{
    f->count++;
    f->errors += error;
    if (f->count > FAULTS_SHOWN)
        return;
    char text[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct fault *new = arena_new(f->arena, struct fault);
    *new = (struct fault){ f->newest, at, error, arena_str(f->arena, str_of(text)) };
    f->newest = new;
}

/* Index of the line that holds the offset. */
static uint32_t line_of(const struct faults *f, uint32_t at)
{
    uint32_t low = 0, high = f->lines;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (f->line[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static bool has_mark(struct str line) /* a byte order mark is not a column */
{
    return str_starts(line, STR("\xef\xbb\xbf"));
}

static struct str line_text(struct str text, size_t start)
{
    struct str rest = { text.p + start, text.n - start }, line = { 0 };
    (void)str_next(&rest, '\n', &line);
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* Goes on from the place asked for before, where that is nearer: a file may be
 * one long line. */
struct conf_place faults_place(struct faults *f, uint32_t at)
{
    uint32_t i = line_of(f, at), from = f->line[i], column = 1;
    if (f->seen_column && f->seen_at >= from && f->seen_at <= at) {
        from = f->seen_at;
        column = f->seen_column;
    } else if (has_mark((struct str){ f->text.p + from, f->text.n - from })) {
        from += 3;
    }
    for (; from < at && from < f->text.n; from++)
        column += !continues(f->text.p[from]);
    f->seen_at = at;
    f->seen_column = column;
    return (struct conf_place){ i + 1, column };
}

/* The line itself and a caret under bytes [from, to) of it. Of a long line only
 * the part around the caret is shown. */
static void print_line(uint32_t number, struct str line, size_t from, size_t to, struct buf *out)
{
    size_t begin = has_mark(line) ? 3 : 0, end = line.n;
    if (from > LINE_SHOWN - 20)
        begin = from - LINE_BEFORE;
    if (end - begin > LINE_SHOWN)
        end = begin + LINE_SHOWN;
    while (begin < from && continues(line.p[begin]))
        begin++;
    while (end < line.n && continues(line.p[end]))
        end++;
    buf_printf(out, "%5u | ", number);
    for (size_t i = begin; i < end; i++)
        buf_byte(out, line.p[i] == '\t' ? '\t' : printable(line.p[i]));
    buf_lit(out, "\n      | ");
    for (size_t i = begin; i < from && i < end; i++) {
        if (!continues(line.p[i]))
            buf_byte(out, line.p[i] == '\t' ? '\t' : ' ');
    }
    buf_byte(out, '^');
    for (size_t i = from + 1; i < to && i < end; i++) {
        if (!continues(line.p[i]))
            buf_byte(out, '~');
    }
    buf_byte(out, '\n');
}

static void print_head(struct str name, struct conf_place at, bool error, struct str what,
                       struct buf *to)
{
    if (at.line)
        buf_printf(to, "%.*s:%u:%u: ", STR_ARG(name), at.line, at.column);
    else
        buf_printf(to, "%.*s: ", STR_ARG(name));
    buf_printf(to, "%s: ", error ? "error" : "warning");
    for (size_t i = 0; i < what.n; i++)
        buf_byte(to, printable(what.p[i]));
    buf_byte(to, '\n');
}

static void print_fault(struct faults *f, const struct fault *one, struct buf *to)
{
    uint32_t i = line_of(f, one->at.start), start = f->line[i];
    struct str line = line_text(f->text, start);
    size_t from = one->at.start - start, end = one->at.end - start;
    print_head(f->name, faults_place(f, one->at.start), one->error, one->what, to);
    print_line(i + 1, line, from, end, to);
}

static int by_place(const void *a, const void *b)
{
    const struct fault *const *x = a, *const *y = b;
    if ((*x)->at.start != (*y)->at.start)
        return (*x)->at.start < (*y)->at.start ? -1 : 1;
    return 0;
}

/* Stable, and nearly sorted already: most faults are found in the order of the file. */
static void sort(struct fault **list, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct fault *one = list[i];
        uint32_t to = i;
        for (; to > 0 && by_place(&list[to - 1], &one) > 0; to--)
            list[to] = list[to - 1];
        list[to] = one;
    }
}

void faults_print(struct faults *f, struct buf *to)
{
    uint32_t kept = f->count < FAULTS_SHOWN ? f->count : FAULTS_SHOWN, i = kept;
    struct fault **list = arena_array(f->arena, struct fault *, kept + 1);
    for (struct fault *one = f->newest; one != NULL; one = one->older)
        list[--i] = one;
    sort(list, kept);
    for (i = 0; i < kept; i++)
        print_fault(f, list[i], to);
    if (f->count > kept)
        buf_printf(to, "%.*s: error: and %u more\n", STR_ARG(f->name), f->count - kept);
}

/* How far the caret reaches when only its start is known. */
static size_t word_end(struct str line, size_t from)
{
    size_t end = from;
    while (end < line.n && strchr(" \t,:[]{}\"'#", line.p[end]) == NULL)
        end++;
    return end;
}

void conf_report(const struct conf *c, struct conf_place at, bool error, struct buf *reports,
                 const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    print_head(c->file, at, error, str_of(text), reports);
    struct str rest = c->text, line = { 0 };
    for (uint32_t i = 0; i < at.line; i++) {
        if (!str_next(&rest, '\n', &line))
            return;
    }
    if (at.line == 0)
        return;
    line = line_text(line, 0);
    size_t from = has_mark(line) ? 3 : 0;
    for (uint32_t column = 1; from < line.n; from++) {
        if (continues(line.p[from]))
            continue;
        if (column++ >= at.column)
            break;
    }
    print_line(at.line, line, from, word_end(line, from), reports);
}

const char *shown(struct arena *a, struct str s)
{
    size_t n = s.n <= SHOWN_VALUE ? s.n : SHOWN_VALUE;
    while (n < s.n && n > 0 && continues(s.p[n]))
        n--;
    return arena_printf(a, "%.*s%s", (int)n, n ? s.p : "", n < s.n ? "…" : "").p;
}

/* Edits (insert, delete, replace, swap of neighbours) from one word to another. */
static uint32_t distance(struct str a, struct str b)
{
    uint32_t row[3][WORD + 1];
    for (uint32_t j = 0; j <= b.n; j++)
        row[0][j] = j;
    for (uint32_t i = 1; i <= a.n; i++) {
        uint32_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (uint32_t j = 1; j <= b.n; j++) {
            uint32_t best = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[a.n % 3][b.n];
}

void guess_init(struct guess *g, struct str word)
{
    *g = (struct guess){ .word = word, .distance = UINT32_MAX };
}

void guess_offer(struct guess *g, struct str candidate)
{
    if (g->word.n == 0 || g->word.n > WORD || candidate.n == 0 || candidate.n > WORD)
        return;
    uint32_t d = distance(g->word, candidate);
    uint32_t near = 1 + (uint32_t)(candidate.n < g->word.n ? candidate.n : g->word.n) / 4;
    if (d <= near && d < g->distance) {
        g->distance = d;
        g->best = candidate;
    }
}

const char *guess_text(const struct guess *g, struct arena *a)
{
    return g->best.n ? arena_printf(a, ", did you mean '%s'?", shown(a, g->best)).p : "";
}
