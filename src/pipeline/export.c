#include "pipeline/export.h"

#include "codec/json.h"
#include "codec/json_write.h"

enum { LINE = LIMIT_DESTINATIONS * 512 + 16 * LIMIT_ID };

struct export
{
    struct store_reader *r;
    struct frozen frozen;
    uint32_t slots;
    struct delivery_cursor cursor[LIMIT_DESTINATIONS]; /* as they stood at the beginning */
    int64_t start[LIMIT_DESTINATIONS];                 /* each began behind this segment */
    bool test;                                         /* of the event at hand: it goes nowhere */
    struct buf line;
};

static bool is_passed(const struct delivery_cursor *c, int64_t segment, uint32_t index)
{
    return segment <= c->segment || (segment == c->segment + 1 && index < c->index);
}

/* What became of a permitted event. */
static void put_result(struct export *x, uint32_t slot, int64_t segment, uint32_t index,
                       const struct outcome *o)
{
    if (o == NULL) {
        /* what waited when a destination was taken out is not sent when it is put back */
        bool skipped = segment <= x->start[slot];
        buf_printf(&x->line, ",\"result\":\"%s\"",
                   skipped                                       ? "skipped"
                   : is_passed(&x->cursor[slot], segment, index) ? "missing"
                                                                 : "waiting");
        return;
    }
    buf_printf(&x->line, ",\"result\":\"%s\"",
               o->sending ? "sending" : delivery_result_name[o->result]);
    if (!o->sending && o->result == DELIVERY_DROPPED)
        buf_printf(&x->line, ",\"why\":\"%s\"", reason_name(o->reason));
    write_time(&x->line, "at", o->at_ms);
    buf_printf(&x->line, ",\"attempts\":%u", o->attempts);
}

/* A second record of one event and destination comes as a second entry. */
static void put_destination(struct export *x, uint32_t slot, enum reason reason, int64_t segment,
                            uint32_t index, const struct outcome *o, bool *first)
{
    if (!*first)
        buf_byte(&x->line, ',');
    *first = false;
    buf_lit(&x->line, "{\"destination\":");
    json_write_string(&x->line, x->frozen.destination[slot]);
    buf_printf(&x->line, ",\"verdict\":\"%s\"", reason == REASON_PERMITTED ? "permit" : "deny");
    if (reason != REASON_PERMITTED)
        buf_printf(&x->line, ",\"reason\":\"%s\"", reason_name(reason));
    bool kept = str_eq(x->frozen.destination[slot], STR("own")) || x->test;
    if (o != NULL || (reason == REASON_PERMITTED && !kept))
        put_result(x, slot, segment, index, o);
    buf_byte(&x->line, '}');
}

static void put_event(struct export *x, const struct stored_event *e, int64_t segment,
                      uint32_t index, const struct outcome *o, uint32_t count)
{
    char id[ID_TEXT + 1];
    id_format(&e->id, id);
    buf_clear(&x->line);
    buf_printf(&x->line, "{\"id\":\"%s\"", id);
    write_time(&x->line, "received", e->received_ms);
    write_time(&x->line, "timestamp", e->timestamp_ms);
    buf_lit(&x->line, ",\"device\":");
    json_write_string(&x->line, e->device);
    buf_lit(&x->line, ",\"person\":");
    json_write_string(&x->line, e->person);
    x->test = (e->flags & STORED_TEST) != 0;
    buf_str(&x->line,
            x->test ? STR(",\"test\":true,\"destinations\":[") : STR(",\"destinations\":["));
    bool first = true;
    for (uint32_t slot = 0; slot < x->slots; slot++) {
        enum reason reason = stored_reason(e, slot);
        bool shown = false;
        for (uint32_t i = 0; i < count; i++) {
            if (o[i].slot != slot)
                continue;
            put_destination(x, slot, reason, segment, index, &o[i], &first);
            shown = true;
        }
        if (!shown && reason != REASON_UNKNOWN_USE) /* else it was not configured then */
            put_destination(x, slot, reason, segment, index, NULL, &first);
    }
    buf_lit(&x->line, "]}");
}

static enum err export_segment(struct export *x, const struct segment_found *s, struct arena *a,
                               enum err (*line)(void *ctx, struct str text), void *ctx)
{
    struct outcome *o = NULL;
    uint32_t count = 0, at = 0;
    enum err err = store_segment_outcomes(x->r, s->number, a, &o, &count);
    struct segment_cursor c;
    segment_start(s->bytes, &c);
    while (err == OK) {
        struct stored_event e;
        struct str entry;
        uint32_t index = c.index, n = 0;
        err = segment_next(&c, &e, &entry);
        if (err != OK)
            break;
        while (at < count && o[at].index < index)
            at++;
        while (at + n < count && o[at + n].index == index)
            n++;
        put_event(x, &e, s->number, index, o + at, n);
        err = x->line.over ? ERR_LIMIT : line(ctx, buf_view(&x->line));
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err export_all(struct export *x, enum err (*line)(void *ctx, struct str text),
                           void *ctx)
{
    int64_t after = 0;
    for (;;) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct segment_found s;
        /* nothing is stored that nobody was permitted */
        enum err err = store_next_permitted(x->r, after, UINT32_MAX, &a, &s);
        if (err == ERR_NOT_FOUND)
            return OK;
        if (err == OK)
            err = export_segment(x, &s, &a, line, ctx);
        if (err != OK)
            return err;
        after = s.number;
    }
}

static enum err start_of(struct export *x, uint32_t slot)
{
    struct delivery_standing standing;
    enum err err = store_get_standing(x->r, slot, &standing);
    if (err != OK)
        return err;
    x->start[slot] = standing.start_segment;
    return store_get_cursor(x->r, slot, &x->cursor[slot]);
}

enum err export_events(struct store_reader *r, enum err (*line)(void *ctx, struct str text),
                       void *ctx)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct export x = { .r = r, .line = BUF_INIT(LINE) };
    enum err err = store_load_frozen(r, &a, &x.frozen);
    x.slots = x.frozen.destination_count < LIMIT_DESTINATIONS ? x.frozen.destination_count
                                                              : LIMIT_DESTINATIONS;
    for (uint32_t slot = 0; err == OK && slot < x.slots; slot++)
        err = start_of(&x, slot);
    if (err == OK)
        err = export_all(&x, line, ctx);
    buf_fini(&x.line);
    return err;
}
