/* Any bytes as a file to be imported: the same records however the text comes in; a
 * row of CSV becomes JSON or is refused in words; and whatever is sent as an import leaves the
 * ledger in order. The first byte says the form, how many bytes come at once, and the kind. */
#include "codec/json.h"
#include "codec/records.h"
#include "consent/row.h"
#include "consent/world.h"

#include "target.h"

static struct world w;

struct reading {
    struct records r;
    struct str text;
    size_t there, taken, step;
};

static enum err next(struct reading *x, struct arena *a, struct record *ret_record)
{
    struct err_info info = { 0 };
    for (;;) {
        struct str window = { x->text.p + x->taken, x->there - x->taken };
        bool last = x->there == x->text.n;
        enum err e = records_next(&x->r, &window, last, a, ret_record, &info);
        must(window.n <= x->there - x->taken);
        x->taken = x->there - window.n;
        if (e != ERR_STALE) {
            must(e == OK || e == ERR_NOT_FOUND || e == ERR_SYNTAX || e == ERR_LIMIT);
            must(e == OK || e == ERR_NOT_FOUND || info.text[0] != 0);
            return e;
        }
        must(!last);
        x->there = x->there + x->step < x->text.n ? x->there + x->step : x->text.n;
    }
}

static struct reading start(struct str text, enum records_form form, size_t step)
{
    return (struct reading){
        .r = records_init(form), .text = text, .step = step, .there = step < text.n ? step : text.n
    };
}

static void same(const struct record *a, const struct record *b)
{
    must(a->line == b->line && a->number == b->number && a->field_count == b->field_count);
    must(a->field_count || str_eq(a->text, b->text));
    for (uint32_t i = 0; i < a->field_count; i++)
        must(str_eq(a->field[i], b->field[i]));
}

static const char *const kinds[] = { "consents", "subjects", "notices" };

static void one_row(const struct row_map *m, const struct record *r, struct arena *a)
{
    AUTO(buf_fini) struct buf json = BUF_INIT(1 << 20);
    struct err_info info = { 0 };
    struct json_doc d;
    enum err e = row_write(m, r->field, r->field_count, a, &json, &info);
    must(e == OK || e == ERR_LIMIT || (e == ERR_VALUE && info.text[0] != 0));
    for (size_t i = 0; i < json.n; i++)
        must(json.p[i] != '\n');
    if (e == OK) /* a zero byte in a field or twice the same name: json_scan() refuses that */
        (void)!json_scan(buf_view(&json), a, &d, NULL);
}

static void read_both(struct str text, enum records_form form, size_t step, struct str kind)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct reading whole = start(text, form, text.n), parts = start(text, form, step);
    const struct row_map *map = NULL;
    for (uint32_t n = 0; n < 10000; n++) {
        struct record x, y;
        struct err_info info = { 0 };
        enum err e = next(&whole, &a, &x), f = next(&parts, &a, &y);
        must(e == f);
        if (e != OK)
            return;
        same(&x, &y);
        if (form != RECORDS_CSV)
            continue;
        if (map != NULL)
            one_row(map, &x, &a);
        else if (row_map_make(kind, x.field, x.field_count, NULL, 0, &a, &map, &info) != OK)
            must(info.text[0] != 0);
    }
}

static void import(struct str text, struct str kind)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct import_request q = {
        .id = STR("i"), .kind = kind, .body = text, .received_ms = w.now, .until_mono_ms = INT64_MAX
    };
    struct import_answer ans;
    struct json_doc d;
    world_begin(&w);
    enum err e = ledger_import(w.ledger, w.policy, &q, &a, &ans, &w.info);
    must(e == OK || e == ERR_VALUE || e == ERR_LIMIT);
    must(e != OK || json_scan(ans.json, &a, &d, NULL) == OK);
    store_rollback(w.store);
    ledger_rolled_back(w.ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (w.store == NULL)
        world_open(&w, false);
    if (n == 0)
        return 0;
    struct str text = { (const char *)data + 1, n - 1 };
    struct str kind = str_of(kinds[data[0] / 4 % 3]);
    unsigned form = data[0] & 3;
    if (form == 3)
        import(text, kind);
    else
        read_both(text, (enum records_form)form, 1 + data[0] / 12, kind);
    return 0;
}
