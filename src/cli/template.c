#include "cli/template.h"

#include "base/must.h"
#include "cli/template_files.h"
#include "conf/mark.h"

#define TEMPLATE(of)                                                                               \
    {                                                                                              \
#of, &embedded_template_##of                                                               \
    }
const struct template templates[TEMPLATES] = {
    TEMPLATE(statistics),  TEMPLATE(statistics_google), TEMPLATE(advertising),
    TEMPLATE(remarketing), TEMPLATE(recording),         TEMPLATE(crm),
    TEMPLATE(linking),     TEMPLATE(newsletter),        TEMPLATE(recommendations),
};
static const char *const sections[] = { "purposes", "destinations", "links" };

/* The next line with its end. */
static struct str take_line(struct str *rest)
{
    const char *end = memchr(rest->p, '\n', rest->n);
    struct str line = { rest->p, end != NULL ? (size_t)(end - rest->p) + 1 : rest->n };
    *rest = (struct str){ rest->p + line.n, rest->n - line.n };
    return line;
}

static struct str head_of(const struct template *t)
{
    struct str rest = t->file->bytes, all = rest;
    while (rest.n > 0 && rest.p[0] == '#')
        (void)take_line(&rest);
    return (struct str){ all.p, all.n - rest.n };
}

struct str template_summary(const struct template *t)
{
    struct str rest = t->file->bytes, line = take_line(&rest);
    return str_trim((struct str){ line.p + 1, line.n - 1 });
}

/* What stands below "name:"; empty when it lacks. */
static struct str section_of(const struct template *t, const char *name)
{
    struct str rest = t->file->bytes;
    while (rest.n > 0) {
        struct str line = str_trim(take_line(&rest)), of = str_of(name);
        if (line.n != of.n + 1 || !str_starts(line, of) || line.p[of.n] != ':')
            continue;
        struct str body = { rest.p, 0 };
        while (rest.n > 0 && rest.p[0] == ' ')
            body.n += take_line(&rest).n;
        return body;
    }
    return (struct str){ 0 };
}

static size_t indent_of(struct str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == ' ')
        n++;
    return n;
}

static bool is_wanted(const struct template_wish *w, struct str language)
{
    struct str rest = str_of(w->language), one;
    while (rest.n > 0 && str_next(&rest, ',', &one)) {
        if (str_eq(one, language))
            return true;
    }
    return w->language == NULL;
}

static void put_purposes(const struct template_wish *w, struct str body, struct buf *to)
{
    enum { LANGUAGE = 10 };
    bool wanted = true;
    while (body.n > 0) {
        struct str line = take_line(&body);
        size_t n = indent_of(line);
        if (n == LANGUAGE)
            wanted = is_wanted(w, (struct str){ line.p + n, line.n - n - 2 }); /* "de:\n" */
        else if (n < LANGUAGE)
            wanted = true;
        if (wanted)
            buf_str(to, line);
    }
}

/* The next entry of a list: its first line, and those below it. */
static bool take_entry(struct str *rest, struct str *ret_first, struct str *ret_more)
{
    if (rest->n == 0)
        return false;
    *ret_first = take_line(rest);
    *ret_more = (struct str){ rest->p, 0 };
    while (rest->n > 0 && !str_starts(*rest, STR("  - ")))
        ret_more->n += take_line(rest).n;
    return true;
}

/* What a template says of the destination whose entry begins so; empty: nothing. */
static struct str more_of(const struct template *t, struct str first)
{
    struct str body = section_of(t, "destinations"), line, more;
    while (take_entry(&body, &line, &more)) {
        if (str_eq(line, first))
            return more;
    }
    return (struct str){ 0 };
}

/* Each once, where it comes first. What the last one that names it says more is put below. */
static void put_destinations(const struct template_wish *w, uint32_t at, struct buf *to)
{
    struct str body = section_of(&templates[at], "destinations"), first, more;
    while (take_entry(&body, &first, &more)) {
        struct str last = { 0 };
        bool before = false;
        for (uint32_t i = 0; i < TEMPLATES; i++) {
            struct str other = w->chosen[i] ? more_of(&templates[i], first) : STR("");
            before = before || (i < at && other.n > 0);
            if (i > at && other.n > 0)
                last = other;
        }
        if (before)
            continue;
        buf_str(to, first);
        buf_str(to, more);
        buf_str(to, last);
    }
}

static void put_section(const struct template_wish *w, const char *name, struct buf *to)
{
    bool named = w->section != NULL;
    for (uint32_t i = 0; i < TEMPLATES; i++) {
        struct str body = section_of(&templates[i], name);
        if (!w->chosen[i] || body.n == 0)
            continue;
        if (!named)
            buf_printf(to, "%s:\n", name);
        named = true;
        if (strcmp(name, "purposes") == 0) {
            buf_str(to, head_of(&templates[i]));
            put_purposes(w, body, to);
        } else if (strcmp(name, "destinations") == 0) {
            put_destinations(w, i, to);
        } else {
            buf_str(to, body);
        }
    }
}

static struct template_set *set_of(struct template_wish *w, struct str name)
{
    for (uint32_t i = 0; i < w->set_count; i++) {
        if (str_eq(w->set[i].name, name))
            return &w->set[i];
    }
    return NULL;
}

static bool is_listed(struct str list, struct str name)
{
    struct str one;
    while (str_next(&list, ',', &one)) {
        if (str_eq(str_trim(one), name))
            return true;
    }
    return false;
}

/* Within double quotes of YAML. */
static void put_value(struct str value, struct buf *to)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_byte(to, '\\');
        buf_byte(to, value.p[i]);
    }
}

static void fill_in(struct template_wish *w, struct str text, struct buf *to, struct buf *open)
{
    struct str mark;
    while ((mark = mark_find(text)).n > 0) {
        struct str name = mark_name(mark);
        struct template_set *set = set_of(w, name);
        buf_add(to, text.p, (size_t)(mark.p - text.p));
        text = (struct str){ mark.p + mark.n, (size_t)(text.p + text.n - mark.p) - mark.n };
        if (set != NULL) {
            put_value(set->value, to);
            set->used = true;
            continue;
        }
        buf_str(to, mark);
        if (!is_listed(buf_view(open), name))
            buf_printf(open, "%s%.*s", open->n > 0 ? ", " : "", STR_ARG(name));
    }
    buf_str(to, text);
}

void template_join(struct template_wish *w, struct buf *to, struct buf *open)
{
    AUTO(buf_fini) struct buf text = BUF_INIT(1u << 20);
    for (size_t i = 0; i < COUNT(sections); i++) {
        if (w->section == NULL || strcmp(w->section, sections[i]) == 0)
            put_section(w, sections[i], &text);
    }
    must(!text.over); /* it is no longer than the files */
    fill_in(w, buf_view(&text), to, open);
}
