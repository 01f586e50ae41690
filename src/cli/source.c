#include "cli/source.h"

#include "base/limits.h"
#include "codec/json.h"
#include "codec/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (1u << 20)

struct sorted {
    struct str json, identifier;
    uint64_t version, shown;
};

static enum err cannot(const char *what, struct err_info *info)
{
    return err_set(info, ERR_IO, NULL, "%s: %s", what, strerror(errno));
}

/* More of the file behind what was not taken. */
static enum err fill(struct source *s, struct err_info *info)
{
    if (s->taken > 0)
        memmove(s->window.p, s->window.p + s->taken, s->window.n - s->taken);
    s->window.n -= s->taken;
    s->taken = 0;
    char *room = buf_room(&s->window, READ_BYTES);
    if (room == NULL)
        return err_set(info, ERR_LIMIT, NULL, "a record is larger than %u bytes", LIMIT_RECORD);
    ssize_t n;
    do
        n = read(s->fd, room, READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return cannot(s->options->file, info);
    s->window.n += (size_t)n;
    s->read += (uint64_t)n;
    s->ended = n == 0;
    return OK;
}

static enum err next_record(struct source *s, struct arena *a, struct record *ret_record,
                            struct err_info *info)
{
    for (;;) {
        struct str window = { s->window.p + s->taken, s->window.n - s->taken };
        enum err e = records_next(&s->records, &window, s->ended, a, ret_record, info);
        s->taken = s->window.n - window.n;
        if (e != ERR_STALE)
            return e;
        e = fill(s, info);
        if (e != OK)
            return e;
    }
}

/* ---- opening ---- */

static enum err choose_form(struct source *s, struct err_info *info)
{
    const char *f = s->options->format;
    enum records_form form;
    if (f == NULL)
        form = records_guess(buf_view(&s->window));
    else if (strcmp(f, "csv") == 0)
        form = RECORDS_CSV;
    else if (strcmp(f, "array") == 0)
        form = RECORDS_ARRAY;
    else if (strcmp(f, "ndjson") == 0)
        form = RECORDS_LINES;
    else
        return err_set(info, ERR_VALUE, NULL, "the format must be ndjson, array or csv");
    s->records = records_init(form);
    return OK;
}

static enum err read_header(struct source *s, struct err_info *info)
{
    struct record r;
    enum err e = next_record(s, &s->arena, &r, info);
    if (e == ERR_NOT_FOUND)
        return err_set(info, ERR_SYNTAX, NULL, "there is no header");
    if (e != OK)
        return e;
    struct str *path = arena_array(&s->arena, struct str, r.field_count);
    for (uint32_t i = 0; i < r.field_count; i++) {
        path[i] = str_trim(r.field[i]);
        for (uint32_t k = 0; k < s->options->name_count; k++) {
            if (str_eq(s->options->name[k].column, path[i]))
                path[i] = s->options->name[k].path;
        }
    }
    if (s->kind.n == 0)
        s->kind = row_kind_of_header(path, r.field_count);
    return row_map_make(s->kind, r.field, r.field_count, s->options->name, s->options->name_count,
                        &s->arena, &s->map, info);
}

/* Looks at the first record, and leaves it where it is. */
static enum err guess_kind(struct source *s, struct err_info *info)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct records before = s->records;
    struct record r;
    enum err e = next_record(s, &a, &r, info);
    s->kind = e == OK ? row_kind_of_record(r.text, &a) : STR("consents");
    s->records = before;
    s->taken = 0; /* nothing of the window was given up: it only grew */
    return e == ERR_NOT_FOUND || e == ERR_LIMIT ? OK : e;
}

enum err source_open(struct source *s, const struct source_options *o, struct err_info *info)
{
    struct stat st;
    *s = (struct source){ .options = o,
                          .window = BUF_INIT(4 * LIMIT_RECORD),
                          .kind = str_of(o->kind),
                          .fd = open(o->file, O_RDONLY | O_CLOEXEC) };
    if (s->fd < 0 || fstat(s->fd, &st) != 0)
        return cannot(o->file, info);
    if (!S_ISREG(st.st_mode))
        return err_set(info, ERR_VALUE, NULL, "%s is no file: it must be possible to read it again",
                       o->file);
    s->size = (uint64_t)st.st_size;
    enum err e = fill(s, info);
    if (e == OK)
        e = choose_form(s, info);
    if (e == OK && s->records.form == RECORDS_CSV)
        return read_header(s, info);
    return e == OK && s->kind.n == 0 ? guess_kind(s, info) : e;
}

void source_close(struct source *s)
{
    if (s->fd >= 0)
        (void)close(s->fd); /* only read from */
    free(s->sorted);
    buf_fini(&s->window);
    arena_fini(&s->arena);
}

const char *source_unit(const struct source *s)
{
    return s->records.form == RECORDS_ARRAY ? "item" : "line";
}

/* ---- records ---- */

static void on_one_line(struct str json, struct buf *to)
{
    size_t from = to->n;
    buf_str(to, json);
    for (size_t i = from; i < to->n; i++) {
        if (to->p[i] == '\n' || to->p[i] == '\r') /* in JSON never within a string */
            to->p[i] = ' ';
    }
}

static enum err next_in_file(struct source *s, struct arena *a, struct buf *json,
                             struct source_record *ret_record, struct err_info *info)
{
    struct record r;
    struct source_record found = { 0 };
    buf_clear(json);
    uint64_t line = s->records.line;
    enum err e = next_record(s, a, &r, info);
    if (e == ERR_LIMIT && s->records.form == RECORDS_LINES && s->records.line > line) {
        found.fault = e; /* it was passed over */
        found.number = found.shown = s->records.line - 1;
        *ret_record = found;
        return OK;
    }
    if (e != OK)
        return e;
    found.shown = found.number = s->records.form == RECORDS_ARRAY ? r.number : r.line;
    if (s->records.form == RECORDS_CSV)
        found.fault = row_write(s->map, r.field, r.field_count, a, json, info);
    else
        on_one_line(r.text, json);
    found.json = buf_view(json);
    *ret_record = found;
    return OK;
}

static int sorted_order(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int order = str_cmp(x->identifier, y->identifier);
    if (order == 0)
        order = (x->version > y->version) - (x->version < y->version);
    return order ? order : (x->shown > y->shown) - (x->shown < y->shown);
}

static struct sorted sort_key(struct source *s, struct str json, uint64_t shown)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct sorted k = { .json = arena_str(&s->arena, json), .shown = shown };
    struct json_doc d;
    struct str text;
    unsigned long long version;
    if (json_scan(k.json, &a, &d, NULL) != OK)
        return k;
    if (json_string(&d, json_get(&d, JSON_ROOT, STR("identifier")), &a, &text))
        k.identifier = arena_str(&s->arena, text);
    if (json_text(&d, json_get(&d, JSON_ROOT, STR("version")), &a, &text) &&
        str_to_u64(text, &version))
        k.version = version;
    return k;
}

/* Versions are given out in their order; lists of other systems have the newest first. */
static enum err read_all(struct source *s, struct arena *a, struct buf *json, struct err_info *info)
{
    uint32_t cap = 0;
    struct source_record r;
    enum err e;
    while ((e = next_in_file(s, a, json, &r, info)) == OK) {
        if (r.fault != OK)
            return r.fault;
        if (s->sorted_count == cap) {
            cap = cap ? cap * 2 : 256;
            s->sorted = must_realloc(s->sorted, cap * sizeof *s->sorted);
        }
        if (arena_size(&s->arena) + r.json.n > SOURCE_NOTICES)
            return err_set(info, ERR_LIMIT, NULL, "more than %d bytes of notices", SOURCE_NOTICES);
        s->sorted[s->sorted_count++] = sort_key(s, r.json, r.shown);
        arena_clear(a);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    if (s->sorted_count)
        qsort(s->sorted, s->sorted_count, sizeof *s->sorted, sorted_order);
    return OK;
}

enum err source_next(struct source *s, struct arena *a, struct buf *json,
                     struct source_record *ret_record, struct err_info *info)
{
    if (!str_eq(s->kind, STR("notices")))
        return next_in_file(s, a, json, ret_record, info);
    enum err e = s->sorted_next == 0 && s->sorted == NULL ? read_all(s, a, json, info) : OK;
    if (e != OK)
        return e;
    if (s->sorted_next == s->sorted_count) {
        free(s->sorted);
        s->sorted = NULL;
        s->sorted_count = s->sorted_next = UINT32_MAX; /* read, and over */
        return ERR_NOT_FOUND;
    }
    const struct sorted *k = &s->sorted[s->sorted_next++];
    *ret_record =
        (struct source_record){ .number = s->sorted_next, .shown = k->shown, .json = k->json };
    return OK;
}

/* ---- its name ---- */

enum err source_id(const struct source_options *o, struct str kind, struct arena *a,
                   struct str *ret_id, struct err_info *info)
{
    AUTO(close_fd) int fd = open(o->file, O_RDONLY | O_CLOEXEC);
    uint8_t hash[16];
    char *bytes = arena_room(a, READ_BYTES);
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)kind.p, kind.n);
    for (uint32_t i = 0; i < o->name_count; i++) {
        struct str name =
            arena_printf(a, "|%.*s=%.*s", STR_ARG(o->name[i].column), STR_ARG(o->name[i].path));
        crypto_generichash_update(&state, (const uint8_t *)name.p, name.n);
    }
    ssize_t n = fd < 0 ? -1 : 0;
    while (fd >= 0 && (n = read(fd, bytes, READ_BYTES)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            crypto_generichash_update(&state, (const uint8_t *)bytes, (size_t)n);
    }
    if (n < 0)
        return cannot(o->file, info);
    crypto_generichash_final(&state, hash, sizeof hash);
    *ret_id = hex_encode((struct str){ (const char *)hash, sizeof hash }, a);
    return OK;
}
