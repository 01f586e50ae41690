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
        answer_field(r, "id", "must be the id of a request");
        return;
    }
    if (destination.n != 0) {
        uint32_t use = policy_use_index(p, destination);
        if (use == UINT32_MAX) {
            answer_field(r, "destination", "is not in the configuration");
            return;
        }
        slot = (int)p->use[use].slot;
    }
    if (id_text.n == 0 && destination.n == 0 && request_parameter(r, "all").n == 0) {
        answer_field(r, "id", "one of id, destination and all=1 is needed");
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
    struct deliver_numbers n;
    deliver_get_numbers(d, use->slot, &n);
    int64_t waited = n.oldest_ms != 0 ? clock_now_ms() - n.oldest_ms : 0;
    buf_byte(b, '{');
    write_text(b, "destination", use->conf->id);
    write_text(b, "state", str_of(deliver_state_name[n.state]));
    write_time_or_null(b, "open_until", n.open_until_ms);
    write_number(b, "lag_segments", n.lag_segments);
    write_number(b, "lag_seconds", waited > 0 ? waited / 1000 : 0);
    write_number(b, "unfinished", n.waiting);
    write_number(b, "in_flight", n.in_flight);
    write_number(b, "window", n.window);
    write_number(b, "sent", (int64_t)n.sent);
    write_number(b, "dropped", (int64_t)n.dropped);
    write_number(b, "retried", (int64_t)n.retried);
    write_number(b, "dead", (int64_t)n.dead);
    write_number(b, "uncertain", (int64_t)n.uncertain);
    write_time_or_null(b, "last_sent", n.last_sent_ms);
    write_text_or_null(b, "last_error", str_of(n.last_error));
    write_time_or_null(b, "last_error_at", n.last_error_ms);
    write_name(b, STR("cursor"));
    buf_byte(b, '{');
    write_number(b, "segment", n.cursor.segment);
    write_number(b, "index", n.cursor.index);
    buf_byte(b, '}');
    write_name(b, STR("started"));
    buf_byte(b, '{');
    write_number(b, "segment", n.start_segment);
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
        answer_field(r, "destination",
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
    r->saved = paused_json(r, "destination", destination, paused);
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
