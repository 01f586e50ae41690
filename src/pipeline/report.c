#include "pipeline/report.h"

#include "base/buf.h"
#include "codec/json.h"
#include "codec/json_write.h"
#include "policy/gate.h"

#include <stdlib.h>

enum { PAGE = 32 << 20 };

struct report {
    struct store_reader *r;
    const struct policy *p;
    uint32_t purpose; /* index */
    const struct policy_version *version;
    struct buf to;
    bool any;
    uint64_t omitted;
};

/* Whether something goes to that slot on this purpose. What is not configured any more counts, when
 * the text named it. */
static bool needs(const struct report *x, uint32_t slot)
{
    int16_t use = x->p->use_of_slot[slot];
    for (uint32_t i = 0; use < 0 && i < x->version->recipient_count; i++) {
        if (x->version->recipient[i].slot == slot)
            return true;
    }
    for (uint32_t i = 0; use >= 0 && i < x->p->use[use].require_count; i++) {
        if (x->p->use[use].require[i] == x->purpose)
            return true;
    }
    return false;
}

static bool rests(const struct report *x, const struct snapshot *s, int64_t at_ms)
{
    struct decision_purpose d;
    gate_purpose(x->p, s, x->purpose, at_ms, &d);
    return d.version == x->version->version;
}

static void put_recipient(struct report *x, uint32_t slot)
{
    int16_t use = x->p->use_of_slot[slot];
    const struct policy_recipient *named = NULL;
    for (uint32_t i = 0; i < x->version->recipient_count; i++) {
        if (x->version->recipient[i].slot == slot)
            named = &x->version->recipient[i];
    }
    buf_lit(&x->to, ",\"destination\":");
    json_write_string(&x->to, use >= 0 ? x->p->use[use].conf->id : STR("?"));
    buf_lit(&x->to, ",\"recipient\":");
    json_write_string(&x->to, named ? named->name : x->p->conf->controller_name);
    buf_lit(&x->to, ",\"country\":");
    json_write_string(&x->to, str_of(named ? named->country : x->p->conf->controller_country));
}

static void put_sent(struct report *x, const struct holder *h, const struct sent_found *s,
                     const char *rested)
{
    char id[ID_TEXT + 1];
    id_format(&s->event, id);
    buf_str(&x->to, x->any ? STR(",") : STR(""));
    x->any = true;
    buf_printf(&x->to, "{\"event\":\"%s\",\"subject\":", id);
    json_write_string(&x->to, h->id);
    buf_printf(&x->to, ",\"as\":\"%s\"", s->as_person ? "person" : "device");
    put_recipient(x, s->slot);
    write_time(&x->to, "at", s->at_ms);
    buf_printf(&x->to, ",\"result\":\"%s\",\"fields\":", delivery_result_name[s->result]);
    json_write_string(&x->to, s->fields);
    buf_printf(&x->to, ",\"rested\":\"%s\"}", rested);
}

static enum err judge_sent(struct report *x, const struct holder *h, const struct sent_found *s,
                           const struct snapshot *now)
{
    AUTO(free_ptr) struct snapshot *then = NULL;
    if (!needs(x, s->slot))
        return OK;
    enum err e = store_load_snapshot(x->r, h->id, s->act_seq, &then);
    if (e != OK)
        return e;
    bool collected = rests(x, then, s->received_ms), departed = rests(x, now, s->at_ms);
    if (collected || departed)
        put_sent(x, h, s, collected && departed ? "both" : collected ? "collection" : "departure");
    return OK;
}

static enum err put_holder(struct report *x, const struct holder *h)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(free_ptr) struct snapshot *now = NULL;
    struct sent_found *sent;
    uint32_t count;
    uint64_t total;
    enum err e = store_load_snapshot(x->r, h->id, INT64_MAX, &now);
    if (e == OK)
        e = store_list_sent(x->r, h->id, LIMIT_REPORT_SENT, &a, &sent, &count, &total);
    for (uint32_t i = 0; e == OK && i < count; i++)
        e = judge_sent(x, h, &sent[i], now);
    if (e == OK)
        x->omitted += total - count;
    return e;
}

static enum err find(struct report *x, struct str purpose, uint32_t version, struct err_info *info)
{
    x->purpose = policy_purpose_index(x->p, purpose);
    if (x->purpose == UINT32_MAX)
        return err_set(info, ERR_VALUE, "purpose", "is not in the configuration");
    x->version = policy_version_numbered(&x->p->purpose[x->purpose], version);
    if (x->version == NULL)
        return err_set(info, ERR_VALUE, "version", "the purpose has none like this");
    return x->version->voided_ms ? OK : err_set(info, ERR_VALUE, "version", "is not void");
}

static void put_void(struct buf *to, const struct policy_purpose *p, const struct policy_version *v)
{
    buf_lit(to, "\"purpose\":");
    json_write_string(to, p->conf->id);
    buf_printf(to, ",\"version\":%u", v->version);
    write_time(to, "void_from", v->voided_ms);
}

enum err report_voided(struct store_reader *r, const struct policy *p, struct str purpose,
                       uint32_t version, int64_t after, struct arena *a, struct str *ret_json,
                       struct err_info *info)
{
    struct report x = { .r = r, .p = p, .to = BUF_INIT(PAGE) };
    struct holder *holder;
    uint32_t count = 0;
    int64_t next = 0;
    enum err e = find(&x, purpose, version, info);
    if (e == OK)
        e = store_list_holders(r, p->purpose[x.purpose].number, version, after, a, &holder, &count,
                               &next);
    if (e == OK) {
        buf_byte(&x.to, '{');
        put_void(&x.to, &p->purpose[x.purpose], x.version);
        buf_lit(&x.to, ",\"sent\":[");
    }
    for (uint32_t i = 0; e == OK && i < count; i++) {
        e = put_holder(&x, &holder[i]);
        if (e == OK && x.to.n > PAGE / 2 && i + 1 < count) { /* the rest comes with the next page */
            next = holder[i].number;
            break;
        }
    }
    buf_printf(&x.to, "],\"omitted\":%llu,\"next\":", (unsigned long long)x.omitted);
    if (next)
        buf_printf(&x.to, "%lld}", (long long)next);
    else
        buf_lit(&x.to, "null}");
    if (e == OK && x.to.over)
        e = err_set(info, ERR_LIMIT, "", "too much was sent of one subject");
    if (e == OK)
        *ret_json = arena_str(a, buf_view(&x.to));
    buf_fini(&x.to);
    return e;
}

enum err report_voids(const struct policy *p, struct arena *a, struct str *ret_json)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(8 << 20);
    buf_byte(&to, '[');
    for (uint32_t i = 0; i < p->purpose_count; i++) {
        for (uint32_t v = 0; v < p->purpose[i].version_count; v++) {
            if (p->purpose[i].version[v].voided_ms == 0)
                continue;
            buf_str(&to, to.n > 1 ? STR(",{") : STR("{"));
            put_void(&to, &p->purpose[i], &p->purpose[i].version[v]);
            buf_byte(&to, '}');
        }
    }
    buf_byte(&to, ']');
    if (to.over)
        return ERR_LIMIT;
    *ret_json = arena_str(a, buf_view(&to));
    return OK;
}
