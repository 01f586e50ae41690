/* Deliveries: what is not finished, how each destination stands, pause and resume. */
#include "api/route.h"

#include "base/clock.h"
#include "codec/json_write.h"
#include "deliver/destination.h"

/* ---- requests that are not finished ---- */

static void put_request(struct buf *b, const struct policy *p, const struct delivery_request *q)
{
    char id[ID_TEXT + 1], at[TIME_TEXT + 1];
    id_format(&q->id, id);
    time_format(q->at_ms, at);
    int16_t use = q->slot < LIMIT_DESTINATIONS ? p->use_of_slot[q->slot] : -1;
    buf_printf(b, "{\"id\":\"%s\",\"destination\":", id);
    json_write_string(b, use >= 0 ? p->use[use].conf->id : STR("?"));
    buf_printf(b, ",\"at\":\"%s\",\"attempts\":%u,\"events\":%u,\"error\":", at, q->attempts,
               q->item_count);
    json_write_string(b, q->error);
    buf_byte(b, '}');
}

enum err delivery_list(struct request *r, struct store_reader *reader, struct str *ret_json,
                       struct err_info *info)
{
    static const char *const name[] = { NULL, "sending", "retry", "dead" };
    struct str wanted = request_parameter(r, "state");
    int state = wanted.n == 0 ? PENDING_DEAD : 0;
    for (int i = PENDING_SENDING; i <= PENDING_DEAD; i++) {
        if (str_eq(wanted, str_of(name[i])))
            state = i;
    }
    if (state == 0)
        return err_set(info, ERR_VALUE, "state", "must be sending, retry or dead");
    struct delivery_request *q;
    uint32_t count;
    enum err e = store_list_pending(reader, -1, (enum pending_state)state, INT64_MAX, LIMIT_LIST,
                                    &r->arena, &q, &count);
    if (e != OK)
        return err_set(info, e, NULL, "the deliveries cannot be read: %s", err_text(e));
    AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);
    buf_byte(&b, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_byte(&b, ',');
        put_request(&b, r->generation->policy, &q[i]);
    }
    buf_byte(&b, ']');
    *ret_json = arena_str(&r->arena, buf_view(&b));
    return OK;
}

static void refuse_field(struct request *r, const char *field, const char *why)
{
    struct err_info info = { 0 };
    enum err e = err_set(&info, ERR_VALUE, field, "%s", why);
    answer_error(r, e, &info);
}

/* Committed: the delivery thread hears of it. */
static void changed(struct request *r)
{
    deliver_look(pipeline_deliver(request_pipeline(r)));
    answer_saved(r);
}

/* ?id=REQUEST, or ?destination=ID, or ?all=1 */
void delivery_resend(struct request *r)
{
    struct str id_text = request_parameter(r, "id"),
               destination = request_parameter(r, "destination");
    const struct policy *p = pipeline_generation(request_pipeline(r))->policy;
    struct id id;
    int slot = -1;
    if (id_text.n != 0 && !id_parse(id_text, &id)) {
        refuse_field(r, "id", "must be the id of a request");
        return;
    }
    if (destination.n != 0) {
        uint32_t use = policy_use_index(p, destination);
        if (use == UINT32_MAX) {
            refuse_field(r, "destination", "is not in the configuration");
            return;
        }
        slot = (int)p->use[use].slot;
    }
    if (id_text.n == 0 && destination.n == 0 && request_parameter(r, "all").n == 0) {
        refuse_field(r, "id", "one of id, destination and all=1 is needed");
        return;
    }
    struct err_info info = { 0 };
    uint32_t count = 0;
    enum err e = pipeline_revive(request_pipeline(r), slot, id_text.n ? &id : NULL, &r->waiter,
                                 &count, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->saved = arena_printf(&r->arena, "{\"resent\":%u}", count);
    r->then = changed;
}

/* ---- destinations ---- */

static void put_destination(struct buf *b, const struct policy_use *use, struct deliver *d)
{
    static const char *const state[] = { [DELIVER_UNKNOWN] = "starting",
                                         [DELIVER_CLOSED] = "closed",
                                         [DELIVER_PROBING] = "probing",
                                         [DELIVER_OPEN] = "open",
                                         [DELIVER_PAUSED] = "paused" };
    struct deliver_numbers n;
    deliver_get_numbers(d, use->slot, &n);
    int64_t waited = n.oldest_ms != 0 ? clock_now_ms() - n.oldest_ms : 0;
    buf_lit(b, "{\"destination\":");
    json_write_string(b, use->conf->id);
    buf_printf(b, ",\"state\":\"%s\"", state[n.state]);
    write_time_or_null(b, "open_until", n.open_until_ms);
    buf_printf(b,
               ",\"lag_segments\":%lld,\"lag_seconds\":%lld,\"unfinished\":%u,\"in_flight\":%u,"
               "\"window\":%u",
               (long long)n.lag_segments, (long long)(waited > 0 ? waited / 1000 : 0), n.waiting,
               n.in_flight, n.window);
    buf_printf(
        b, ",\"sent\":%llu,\"dropped\":%llu,\"retried\":%llu,\"dead\":%llu,\"uncertain\":%llu",
        (unsigned long long)n.sent, (unsigned long long)n.dropped, (unsigned long long)n.retried,
        (unsigned long long)n.dead, (unsigned long long)n.uncertain);
    write_time_or_null(b, "last_sent", n.last_sent_ms);
    buf_lit(b, ",\"last_error\":");
    if (n.last_error[0] != 0)
        json_write_string(b, str_of(n.last_error));
    else
        buf_lit(b, "null");
    write_time_or_null(b, "last_error_at", n.last_error_ms);
    buf_printf(b, ",\"cursor\":{\"segment\":%lld,\"index\":%u}", (long long)n.cursor.segment,
               n.cursor.index);
    buf_printf(b, ",\"started\":{\"segment\":%lld", (long long)n.start_segment);
    write_time_or_null(b, "at", n.start_ms);
    buf_lit(b, "}}");
}

void delivery_destinations(struct request *r)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);
    struct pipeline *p = request_pipeline(r);
    const struct policy *policy = pipeline_generation(p)->policy;
    bool any = false;
    buf_byte(&b, '[');
    for (uint32_t i = 0; i < policy->use_count; i++) {
        if (destination_find(policy->use[i].conf->type) == NULL)
            continue;
        if (any)
            buf_byte(&b, ',');
        put_destination(&b, &policy->use[i], pipeline_deliver(p));
        any = true;
    }
    buf_byte(&b, ']');
    answer_json(r, 200, arena_str(&r->arena, buf_view(&b)));
}

static void set_paused(struct request *r, bool paused)
{
    struct str destination = request_parameter(r, "destination");
    const struct policy *p = pipeline_generation(request_pipeline(r))->policy;
    uint32_t use = policy_use_index(p, destination);
    if (use == UINT32_MAX || destination_find(p->use[use].conf->type) == NULL) {
        refuse_field(r, "destination",
                     destination.n == 0  ? "is needed"
                     : use == UINT32_MAX ? "is not in the configuration"
                                         : "nothing is sent there");
        return;
    }
    struct err_info info = { 0 };
    enum err e = pipeline_pause(request_pipeline(r), p->use[use].slot, paused, &r->waiter, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    AUTO(buf_fini) struct buf b = BUF_INIT(4096);
    buf_lit(&b, "{\"destination\":");
    json_write_string(&b, destination);
    buf_str(&b, paused ? STR(",\"paused\":true}") : STR(",\"paused\":false}"));
    r->saved = arena_str(&r->arena, buf_view(&b));
    r->then = changed;
}

void delivery_pause(struct request *r)
{
    set_paused(r, true);
}

void delivery_resume(struct request *r)
{
    set_paused(r, false);
}
