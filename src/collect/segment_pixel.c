/* The query of a pixel becomes JSON and goes the way of every other message. Dotted
 * names nest, as RudderStack's gateway does it: context.page.url=… */
#include "collect/segment_priv.h"

#include "base/limits.h"
#include "codec/text.h"

enum { MOST_PARAMETERS = 128, DEEPEST = 8 };

struct member {
    struct str name, value;
    bool is_object;
    struct member *child, *next;
};

static struct member *find_or_add(struct member **list, struct str name, struct arena *a)
{
    while (*list != NULL) {
        if (str_eq((*list)->name, name))
            return *list;
        list = &(*list)->next;
    }
    *list = arena_new(a, struct member);
    (*list)->name = name;
    return *list;
}

/* The first value of a name stands; a name that is already a value has nothing below. */
static void put(struct member **root, struct str name, struct str value, struct arena *a)
{
    struct member **list = root;
    struct str part;
    for (int depth = 0; depth < DEEPEST && str_next(&name, '.', &part); depth++) {
        struct member *m = find_or_add(list, part, a);
        if (m->value.p != NULL)
            return;
        if (name.p == NULL) {
            if (!m->is_object)
                m->value = value.p ? value : STR("");
            return;
        }
        m->is_object = true;
        list = &m->child;
    }
}

/* The path says the type, a pixel is no batch, and the key is nobody's data. */
static bool is_reserved(struct str name)
{
    struct str first;
    return !str_next(&name, '.', &first) || first.n == 0 || str_eq(first, STR("type")) ||
           str_eq(first, STR("batch")) || str_eq(first, STR("writeKey"));
}

static void write_members(const struct member *m, struct buf *to)
{
    buf_byte(to, '{');
    for (bool any = false; m != NULL; m = m->next, any = true) {
        if (any)
            buf_byte(to, ',');
        json_write_string(to, m->name);
        buf_byte(to, ':');
        if (m->value.p != NULL)
            json_write_string(to, m->value);
        else
            write_members(m->child, to);
    }
    buf_byte(to, '}');
}

enum err collect_segment_pixel(const struct collect_request *q, const struct policy *p,
                               struct arena *a, struct collect_result *ret_result,
                               struct err_info *info)
{
    struct member *root = NULL;
    struct str rest = q->query, name, value;
    for (uint32_t count = 0; query_next(&rest, &name, &value); count++) {
        if (count == MOST_PARAMETERS)
            return err_set(info, ERR_LIMIT, "query", "has more than %d parameters",
                           MOST_PARAMETERS);
        name = segment_clean(url_decode(name, true, a), a);
        value = segment_clean(url_decode(value, true, a), a);
        if (!is_reserved(name))
            put(&root, name, value, a);
    }
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_EVENT);
    write_members(root, &text);
    if (text.over)
        return err_set(info, ERR_LIMIT, "query", "is larger than %u bytes", LIMIT_EVENT);
    struct json_doc *doc = arena_new(a, struct json_doc);
    enum err err = json_scan(arena_str(a, buf_view(&text)), a, doc, NULL);
    if (err != OK)
        return err_set(info, err, "query", "makes no message");
    return collect_segment_events(q, doc, p, a, ret_result, info);
}
