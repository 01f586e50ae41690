#include "pipeline/explain.h"

#include "codec/json.h"
#include "codec/json_write.h"
#include "deliver/destination.h"

enum { TEXT = 1 << 20 };

_Static_assert(LIMIT_WITHDRAWAL_SHOWN *(LIMIT_FIELD_SET + 512) <= TEXT,
               "a withdrawal's answer has room for all that it shows");

static void put_reason(struct buf *to, enum reason r)
{
    buf_printf(to, "\"reason\":\"%s\",\"text\":", reason_name(r));
    json_write_string(to, str_of(reason_text(r)));
}

void explain_decision(const struct policy *p, uint32_t use, const struct decision *d,
                      struct buf *to)
{
    buf_lit(to, "{\"destination\":");
    json_write_string(to, p->use[use].conf->id);
    buf_printf(to, ",\"verdict\":\"%s\",", d->verdict == GATE_PERMIT ? "permit" : "deny");
    put_reason(to, d->reason);
    buf_printf(to, ",\"device_fields\":%s,\"person_fields\":%s,\"purposes\":[",
               d->device_fields ? "true" : "false", d->person_fields ? "true" : "false");
    for (uint32_t i = 0; i < d->count; i++) {
        const struct decision_purpose *dp = &d->purpose[i];
        buf_str(to, i ? STR(",{\"purpose\":") : STR("{\"purpose\":"));
        json_write_string(to, dp->purpose < p->purpose_count ? p->purpose[dp->purpose].conf->id
                                                             : STR("?"));
        buf_printf(to, ",\"reason\":\"%s\",\"of\":\"%s\",\"version\":%u,\"act\":%lld}",
                   reason_name(dp->reason), dp->by_device ? "device" : "person", dp->version,
                   (long long)dp->act_seq);
    }
    buf_lit(to, "]}");
}

static struct str slot_name(const struct frozen *f, uint32_t slot)
{
    return slot < f->destination_count ? f->destination[slot] : STR("?");
}

static void put_delivery(struct buf *to, const struct event_delivery *d)
{
    buf_printf(to, "{\"result\":\"%s\"", delivery_result_name[d->result]);
    write_time(to, "at", d->at_ms);
    buf_printf(to, ",\"attempts\":%u", d->attempts);
    if (d->result == DELIVERY_DROPPED) {
        buf_byte(to, ',');
        put_reason(to, d->reason);
    }
    if (d->fields.n != 0) {
        buf_lit(to, ",\"fields\":");
        json_write_string(to, d->fields);
    }
    if (d->error.n != 0) {
        buf_lit(to, ",\"error\":");
        json_write_string(to, d->error);
    }
    buf_byte(to, '}');
}

static enum err find_stored(struct store_reader *r, const struct id *event, struct arena *a,
                            int64_t *ret_segment, uint32_t *ret_index, struct stored_event *ret_e)
{
    enum err e = store_find_event(r, event, ret_segment, ret_index);
    struct segment_found segment;
    if (e == OK)
        e = store_get_segment(r, *ret_segment, a, &segment);
    if (e != OK)
        return e;
    struct segment_cursor c;
    segment_start(segment.bytes, &c);
    struct str entry;
    do {
        e = segment_next(&c, ret_e, &entry);
    } while (e == OK && memcmp(&ret_e->id, event, sizeof *event) != 0);
    return e;
}

static void put_destination(struct buf *to, const struct frozen *f, const struct stored_event *e,
                            uint32_t slot, const struct event_delivery *d, uint32_t count)
{
    enum reason reason = stored_reason(e, slot);
    buf_lit(to, "{\"destination\":");
    json_write_string(to, slot_name(f, slot));
    buf_printf(to, ",\"at_collection\":{\"verdict\":\"%s\",",
               reason == REASON_PERMITTED ? "permit" : "deny");
    put_reason(to, reason);
    buf_lit(to, "},\"deliveries\":[");
    bool first = true;
    for (uint32_t i = 0; i < count; i++) {
        if (d[i].slot != slot)
            continue;
        if (!first)
            buf_byte(to, ',');
        first = false;
        put_delivery(to, &d[i]);
    }
    buf_lit(to, "]}");
}

enum err explain_event(struct store_reader *r, const struct id *event, struct arena *a,
                       struct str *ret_json)
{
    int64_t segment;
    uint32_t index, count;
    struct stored_event e;
    struct frozen f;
    struct event_delivery *d;
    enum err err = find_stored(r, event, a, &segment, &index, &e);
    if (err == OK)
        err = store_load_frozen(r, a, &f);
    if (err == OK)
        err = store_event_deliveries(r, segment, index, a, &d, &count);
    if (err != OK)
        return err;
    AUTO(buf_fini) struct buf to = BUF_INIT(TEXT);
    char id[ID_TEXT + 1];
    id_format(event, id);
    buf_printf(&to, "{\"id\":\"%s\",\"stored\":true", id);
    write_time(&to, "received", e.received_ms);
    buf_lit(&to, ",\"device\":");
    json_write_string(&to, e.device);
    buf_lit(&to, ",\"person\":");
    json_write_string(&to, e.person);
    buf_printf(
        &to,
        ",\"segment\":%lld,\"generation\":%u,\"act\":%lld,\"signals\":[%s%s%s],\"destinations\":[",
        (long long)segment, e.generation, (long long)e.act_seq,
        e.flags & STORED_GPC ? "\"gpc\"" : "",
        (e.flags & STORED_GPC) && (e.flags & STORED_DNT) ? "," : "",
        e.flags & STORED_DNT ? "\"dnt\"" : "");
    bool first = true;
    for (uint32_t slot = 0; slot < f.destination_count && slot < LIMIT_DESTINATIONS; slot++) {
        if (stored_reason(&e, slot) == REASON_UNKNOWN_USE)
            continue; /* was not configured then */
        if (!first)
            buf_byte(&to, ',');
        first = false;
        put_destination(&to, &f, &e, slot, d, count);
    }
    buf_lit(&to, "],\"kept\":");
    buf_str(&to, e.body.n ? e.body : STR("null"));
    buf_byte(&to, '}');
    if (to.over)
        return ERR_LIMIT;
    *ret_json = arena_str(a, buf_view(&to));
    return OK;
}

enum err explain_counters(struct store_reader *r, int64_t from_ms, int64_t to_ms, struct arena *a,
                          struct str *ret_json)
{
    struct counter_row *row;
    uint32_t count;
    struct frozen f;
    enum err e = store_list_counters(r, from_ms, to_ms, a, &row, &count);
    if (e == OK)
        e = store_load_frozen(r, a, &f);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(TEXT);
    buf_byte(&to, '[');
    for (uint32_t i = 0; i < count; i++) {
        buf_str(&to, i ? STR(",{") : STR("{"));
        write_time(&to, "hour", row[i].hour_ms);
        buf_lit(&to, ",\"destination\":");
        json_write_string(&to, slot_name(&f, row[i].slot));
        buf_printf(&to, ",\"reason\":\"%s\",\"events\":%llu}", reason_name(row[i].reason),
                   (unsigned long long)row[i].n);
    }
    buf_byte(&to, ']');
    if (to.over)
        return ERR_LIMIT;
    *ret_json = arena_str(a, buf_view(&to));
    return OK;
}

static void put_sent(struct buf *to, const struct frozen *f, const struct sent_found *sent,
                     uint32_t count, enum delivery_result result)
{
    bool first = true;
    buf_byte(to, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (sent[i].result != result)
            continue;
        char id[ID_TEXT + 1];
        id_format(&sent[i].event, id);
        buf_printf(to, "%s{\"event\":\"%s\",\"destination\":", first ? "" : ",", id);
        first = false;
        json_write_string(to, slot_name(f, sent[i].slot));
        write_time(to, "at", sent[i].at_ms);
        buf_lit(to, ",\"fields\":");
        json_write_string(to, sent[i].fields);
        buf_byte(to, '}');
    }
    buf_byte(to, ']');
}

/* Those who are sent anything, as bits. */
static uint32_t sending_slots(const struct policy *p)
{
    uint32_t slots = 0;
    for (uint32_t i = 0; i < p->use_count; i++)
        slots |= (uint32_t)(destination_find(p->use[i].conf->type) != NULL) << p->use[i].slot;
    return slots;
}

enum err explain_withdrawal(struct store_reader *r, const struct policy *p, struct str subject,
                            struct arena *a, struct str *ret_json)
{
    struct sent_found *sent;
    uint32_t count;
    uint64_t total, waiting;
    struct frozen f;
    enum err e = store_list_sent(r, subject, LIMIT_WITHDRAWAL_SHOWN, a, &sent, &count, &total);
    if (e == OK)
        e = store_count_waiting(r, subject, sending_slots(p), &waiting);
    if (e == OK)
        e = store_load_frozen(r, a, &f);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(TEXT);
    buf_lit(&to, "{\"sent\":");
    put_sent(&to, &f, sent, count, DELIVERY_SENT);
    buf_lit(&to, ",\"uncertain\":");
    put_sent(&to, &f, sent, count, DELIVERY_UNCERTAIN);
    buf_printf(&to, ",\"dropped\":%llu,\"total\":%llu}", (unsigned long long)waiting,
               (unsigned long long)total);
    if (to.over)
        return ERR_LIMIT;
    *ret_json = arena_str(a, buf_view(&to));
    return OK;
}
