#include "consent/form.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/json.h"
#include "codec/text.h"

struct field { /* a name, with a value or with fields below it */
    struct str name, value;
    bool leaf;
    struct field *first, *last, *next;
};

static struct field *child(const struct field *in, struct str name)
{
    struct field *f = in->first;
    while (f != NULL && !str_eq(f->name, name))
        f = f->next;
    return f;
}

static struct field *append(struct field *in, struct str name, struct arena *a)
{
    struct field *f = arena_new(a, struct field);
    f->name = name;
    if (in->last)
        in->last->next = f;
    else
        in->first = f;
    in->last = f;
    return f;
}

/* Where "[]" leads: to the last item, unless that already has what follows. */
static struct field *item(struct field *in, struct str rest, struct arena *a)
{
    struct str following = { 0 };
    if (rest.n > 1 && rest.p[0] == '[')
        (void)str_next(&(struct str){ rest.p + 1, rest.n - 1 }, ']', &following);
    bool same = in->last != NULL && !in->last->leaf && following.n > 0 &&
                child(in->last, following) == NULL;
    if (same)
        return in->last;
    int n = 0;
    for (struct field *f = in->first; f != NULL; f = f->next)
        n++;
    return append(in, arena_printf(a, "%d", n), a);
}

/* Takes "[name]" off the front of *rest. */
static bool bracket(struct str *rest, struct str *ret_name)
{
    const char *end = rest->p[0] == '[' ? memchr(rest->p, ']', rest->n) : NULL;
    if (end == NULL)
        return false;
    *ret_name = (struct str){ rest->p + 1, (size_t)(end - rest->p) - 1 };
    rest->n -= (size_t)(end - rest->p) + 1;
    rest->p = end + 1;
    return true;
}

static const char both[] = "a form field is both a value and a container";

static enum err put(struct field *root, struct str name, struct str value, struct arena *a,
                    struct err_info *info)
{
    const char *open = name.n ? memchr(name.p, '[', name.n) : NULL;
    struct str head = { name.p, open ? (size_t)(open - name.p) : name.n };
    struct str rest = { name.p + head.n, name.n - head.n };
    if (head.n == 0)
        return err_set(info, ERR_SYNTAX, "body", "a form field without a name");
    struct field *f = child(root, head);
    if (f == NULL)
        f = append(root, head, a);
    for (int depth = 0; rest.n > 0; depth++) {
        struct str part;
        if (!bracket(&rest, &part))
            return err_set(info, ERR_SYNTAX, "body",
                           "malformed brackets in the name of a form field");
        if (depth == FORM_DEPTH)
            return err_set(info, ERR_LIMIT, "body", "a form field is nested too deeply");
        if (f->leaf)
            return err_set(info, ERR_SYNTAX, "body", "%s", both);
        struct field *below = part.n == 0 ? item(f, rest, a) : child(f, part);
        f = below ? below : append(f, part, a);
    }
    if (f->first != NULL)
        return err_set(info, ERR_SYNTAX, "body", "%s", both);
    f->leaf = true;
    f->value = value;
    return OK;
}

static bool is_list(const struct field *in)
{
    for (const struct field *f = in->first; f != NULL; f = f->next) {
        unsigned long long index;
        if (!str_to_u64(f->name, &index))
            return false;
    }
    return in->first != NULL;
}

static void write_field(struct buf *to, const struct field *in)
{
    if (in->leaf) {
        json_write_string(to, in->value);
        return;
    }
    bool list = is_list(in);
    buf_byte(to, list ? '[' : '{');
    for (const struct field *f = in->first; f != NULL; f = f->next) {
        if (f != in->first)
            buf_byte(to, ',');
        if (!list) {
            json_write_string(to, f->name);
            buf_byte(to, ':');
        }
        write_field(to, f);
    }
    buf_byte(to, list ? ']' : '}');
}

enum err form_to_json(struct str form, struct arena *a, struct str *ret_json, struct err_info *info)
{
    struct field root = { 0 };
    struct str name, value;
    for (int count = 0; query_next(&form, &name, &value); count++) {
        if (count == FORM_FIELDS)
            return err_set(info, ERR_LIMIT, "body", "more than %d form fields", FORM_FIELDS);
        if (name.n == 0 && value.n == 0)
            continue;
        enum err e = put(&root, url_decode(name, true, a), url_decode(value, true, a), a, info);
        if (e != OK)
            return e;
    }
    AUTO(buf_fini) struct buf json = BUF_INIT(8 * LIMIT_CONSENT_BODY);
    write_field(&json, &root);
    if (json.over)
        return err_set(info, ERR_LIMIT, "body", "the form is too large");
    *ret_json = arena_str(a, buf_view(&json));
    return OK;
}
