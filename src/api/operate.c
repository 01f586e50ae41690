/* For those who run licet: health, metrics, decisions, deliveries, tail. */
#include "api/address.h"
#include "api/hook.h"
#include "api/limit.h"
#include "api/route.h"
#include "api/server_priv.h"

#include "base/clock.h"
#include "codec/time.h"
#include "deliver/destination.h"
#include "pipeline/explain.h"

#include <stdio.h>
#include <unistd.h>

enum { NOT_READY_MS = 10000 };

void health_get(struct request *r)
{
    answer_json(r, 200, STR("{\"status\":\"ok\"}"));
}

/* Ready is: the database can be read, and writing did not fail lately. Not for ever: who is
 * sent nothing because it is not ready would never find out that it could write again. */
static void is_ready(struct request *r)
{
    int64_t failed = atomic_load(&pipeline_numbers(request_pipeline(r))->failed_ms);
    if (failed != 0 && clock_mono_ms() - failed < NOT_READY_MS)
        answer_json(r, 503, STR("{\"status\":\"not ready\"}"));
    else
        answer_json(r, 200, STR("{\"status\":\"ready\"}"));
}

static enum err look_ready(struct request *r, struct store_reader *reader, struct str *ret_json,
                           struct err_info *info)
{
    (void)r;
    (void)info;
    struct chain_head head;
    *ret_json = (struct str){ 0 };
    return store_newest_head(reader, &head);
}

void ready_get(struct request *r)
{
    r->look = look_ready;
    r->then = is_ready;
    request_look(r);
}

void gpc_get(struct request *r)
{
    answer_json(
        r, 200,
        STR("{\"gpc\":true,\"lastUpdate\":\"2026-11-22\"}")); /* W3C Global Privacy Control, 4.1 */
}

/* ---- metrics ---- */

static void counter(struct buf *b, const char *name, const char *help, const char *type)
{
    buf_printf(b, "# HELP licet_%s %s\n# TYPE licet_%s %s\n", name, help, name, type);
}

static void number(struct buf *b, const char *name, const char *labels, unsigned long long value)
{
    buf_printf(b, "licet_%s%s %llu\n", name, labels, value);
}

static void close_file(FILE **f)
{
    if (*f != NULL)
        (void)fclose(*f); /* only read from */
}

static unsigned long long resident_bytes(void)
{
    AUTO(close_file) FILE *f = fopen("/proc/self/statm", "re");
    unsigned long long size = 0, resident = 0;
    if (f == NULL || fscanf(f, "%llu %llu", &size, &resident) != 2)
        return 0;
    return resident * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static void put_events(struct buf *b, struct numbers *n)
{
    counter(b, "events_total", "Messages received, by what became of them.", "counter");
    number(b, "events_total", "{outcome=\"stored\"}", numbers_get(&n->events_stored));
    number(b, "events_total", "{outcome=\"denied\"}", numbers_get(&n->events_denied));
    number(b, "events_total", "{outcome=\"duplicate\"}", numbers_get(&n->events_duplicate));
    number(b, "events_total", "{outcome=\"rejected\"}", numbers_get(&n->events_rejected));
    counter(b, "acts_total", "Consent records written.", "counter");
    number(b, "acts_total", "{kind=\"all\"}", numbers_get(&n->acts));
    number(b, "acts_total", "{kind=\"lowering\"}", numbers_get(&n->acts_lowering));
    counter(b, "groups_total", "Group commits.", "counter");
    number(b, "groups_total", "{outcome=\"all\"}", numbers_get(&n->groups));
    number(b, "groups_total", "{outcome=\"failed\"}", numbers_get(&n->groups_failed));
    counter(b, "group_seconds_total", "Time spent in group commits.", "counter");
    buf_printf(b, "licet_group_seconds_total %.6f\n", (double)numbers_get(&n->group_us) / 1e6);
    counter(b, "barriers_total", "Withdrawals and other acts that passed the barrier.", "counter");
    number(b, "barriers_total", "{kind=\"all\"}", numbers_get(&n->barriers));
    number(b, "barriers_total", "{kind=\"waited\"}", numbers_get(&n->barrier_waits));
    counter(b, "reloads_total", "Configurations brought into use.", "counter");
    number(b, "reloads_total", "{outcome=\"done\"}", numbers_get(&n->reloads));
    number(b, "reloads_total", "{outcome=\"refused\"}", numbers_get(&n->reloads_refused));
}

static void put_notices(struct buf *b, struct numbers *n)
{
    counter(b, "notices_pending", "Watched notices that changed and wait for somebody.", "gauge");
    number(b, "notices_pending", "", numbers_get(&n->notices_pending));
    counter(b, "notice_looks_total", "Looks at watched notices.", "counter");
    number(b, "notice_looks_total", "{outcome=\"read\"}", numbers_get(&n->notice_looks));
    number(b, "notice_looks_total", "{outcome=\"failed\"}", numbers_get(&n->notice_looks_failed));
    counter(b, "recipients_unnamed", "Recipients that the privacy policy in force does not name.",
            "gauge");
    number(b, "recipients_unnamed", "", numbers_get(&n->recipients_unnamed));
}

static void put_letters(struct buf *b, struct numbers *n)
{
    counter(b, "letters_total", "Letters of double opt-in.", "counter");
    number(b, "letters_total", "{outcome=\"asked\"}", numbers_get(&n->letters_asked));
    number(b, "letters_total", "{outcome=\"sent\"}", numbers_get(&n->letters_sent));
    number(b, "letters_total", "{outcome=\"retried\"}", numbers_get(&n->letters_retried));
    number(b, "letters_total", "{outcome=\"failed\"}", numbers_get(&n->letters_failed));
    counter(b, "confirmations_total", "Answers to the links in them.", "counter");
    number(b, "confirmations_total", "{answer=\"yes\"}", numbers_get(&n->confirmed));
    number(b, "confirmations_total", "{answer=\"not_me\"}", numbers_get(&n->disowned));
}

static void put_clock(struct buf *b, struct numbers *n)
{
    counter(b, "clock_jumps_total", "Times the system's clock was set by more than 5 s.",
            "counter");
    number(b, "clock_jumps_total", "", numbers_get(&n->clock_jumps));
    counter(b, "clock_behind_seconds", "How far the system's clock is behind the times given out.",
            "gauge");
    buf_printf(b, "licet_clock_behind_seconds %.3f\n", (double)clock_behind_ms() / 1000);
}

/* Refusals of people who are not known, and records imported. */
static void put_generations(struct buf *b, struct numbers *n, const struct policy *p)
{
    counter(b, "unknown_refusals_total", "Refusals of people who are not known, by purpose.",
            "counter");
    for (uint32_t i = 0; i < p->purpose_count; i++) {
        uint32_t of = p->purpose[i].number;
        buf_printf(
            b, "licet_unknown_refusals_total{purpose=\"%.*s\"} %llu\n",
            STR_ARG(p->purpose[i].conf->id),
            (unsigned long long)numbers_get(&n->unknown_refusals[of <= LIMIT_PURPOSES ? of : 0]));
    }
    counter(b, "imported_records_total", "Records taken in by imports.", "counter");
    number(b, "imported_records_total", "", numbers_get(&n->imported));
}

static void put_decisions(struct buf *b, struct numbers *n, const struct policy *p)
{
    counter(b, "decisions_total", "First decisions, by destination and reason.", "counter");
    for (uint32_t i = 0; i < p->use_count; i++) {
        for (int reason = 0; reason < REASON_COUNT; reason++) {
            unsigned long long v = numbers_get(&n->decisions[p->use[i].slot][reason]);
            if (v != 0)
                buf_printf(b, "licet_decisions_total{destination=\"%.*s\",reason=\"%s\"} %llu\n",
                           STR_ARG(p->use[i].conf->id), reason_name((enum reason)reason), v);
        }
    }
}

/* One gauge of every destination that something is sent to. */
static void put_gauge(struct buf *b, struct deliver *d, const struct policy *p, const char *name,
                      const char *help, double (*value)(const struct deliver_numbers *n))
{
    counter(b, name, help, "gauge");
    for (uint32_t i = 0; i < p->use_count; i++) {
        struct deliver_numbers n;
        if (destination_find(p->use[i].conf->type) == NULL)
            continue;
        deliver_get_numbers(d, p->use[i].slot, &n);
        buf_printf(b, "licet_%s{destination=\"%.*s\"} %.15g\n", name, STR_ARG(p->use[i].conf->id),
                   value(&n));
    }
}

static double lag_segments(const struct deliver_numbers *n)
{
    return (double)n->lag_segments;
}

static double lag_seconds(const struct deliver_numbers *n)
{
    int64_t waited = n->oldest_ms != 0 ? clock_now_ms() - n->oldest_ms : 0;
    return waited > 0 ? (double)waited / 1000 : 0;
}

static double circuit(const struct deliver_numbers *n)
{
    return n->state == DELIVER_OPEN ? 2 : n->state == DELIVER_PROBING ? 1 : 0;
}

static double is_paused(const struct deliver_numbers *n)
{
    return n->state == DELIVER_PAUSED;
}

static double in_flight(const struct deliver_numbers *n)
{
    return n->in_flight;
}

static double window_of(const struct deliver_numbers *n)
{
    return n->window;
}

static double waiting(const struct deliver_numbers *n)
{
    return n->waiting;
}

static void put_flow(struct buf *b, struct deliver *d, const struct policy *p)
{
    static const struct {
        const char *name, *help;
        double (*value)(const struct deliver_numbers *n);
    } gauge[] = {
        { "delivery_lag_segments", "Segments from the cursor to the newest one.", lag_segments },
        { "delivery_lag_seconds", "Age of the oldest event that waits.", lag_seconds },
        { "delivery_circuit", "0 closed, 1 probing, 2 open.", circuit },
        { "delivery_paused", "1 while paused.", is_paused },
        { "delivery_in_flight", "Requests on their way.", in_flight },
        { "delivery_window", "Requests that may be on their way.", window_of },
        { "delivery_unfinished", "Requests begun or put aside that have not ended.", waiting },
    };
    for (size_t i = 0; i < COUNT(gauge); i++)
        put_gauge(b, d, p, gauge[i].name, gauge[i].help, gauge[i].value);
}

static void put_deliveries(struct buf *b, struct deliver *d, const struct policy *p)
{
    counter(b, "delivery_events_total", "Events that left or did not, by destination and result.",
            "counter");
    for (uint32_t i = 0; i < p->use_count; i++) {
        if (destination_find(p->use[i].conf->type) == NULL)
            continue;
        struct deliver_numbers n;
        deliver_get_numbers(d, p->use[i].slot, &n);
        const struct {
            const char *result;
            unsigned long long value;
        } row[] = { { "sent", n.sent },
                    { "dropped", n.dropped },
                    { "retried", n.retried },
                    { "dead", n.dead },
                    { "uncertain", n.uncertain } };
        for (size_t k = 0; k < COUNT(row); k++)
            buf_printf(b, "licet_delivery_events_total{destination=\"%.*s\",result=\"%s\"} %llu\n",
                       STR_ARG(p->use[i].conf->id), row[k].result, row[k].value);
    }
    put_flow(b, d, p);
}

/* Of events sent: what a receiver's limits cost. */
static void put_fields(struct buf *b, struct deliver *d, const struct policy *p)
{
    counter(b, "delivery_fields_total",
            "Fields of events sent that the receiver does not take as they are.", "counter");
    for (uint32_t i = 0; i < p->use_count; i++) {
        const struct destination *t = destination_find(p->use[i].conf->type);
        if (t == NULL || t->fit == NULL)
            continue;
        struct deliver_numbers n;
        deliver_get_numbers(d, p->use[i].slot, &n);
        buf_printf(b, "licet_delivery_fields_total{destination=\"%.*s\",what=\"cut\"} %llu\n",
                   STR_ARG(p->use[i].conf->id), (unsigned long long)n.fields_cut);
        buf_printf(b, "licet_delivery_fields_total{destination=\"%.*s\",what=\"omitted\"} %llu\n",
                   STR_ARG(p->use[i].conf->id), (unsigned long long)n.fields_omitted);
    }
}

static void put_limits(struct buf *b, const struct limiter *l)
{
    static const char *const kind[LIMIT_LETTERS] = {
        "key",        "address",  "subject",  "events",   "key_requests", "address_requests",
        "api_second", "api_hour", "key_hour", "receipts", "states"
    };
    counter(b, "limited_total", "Requests refused with 429.", "counter");
    for (int k = 0; k < LIMIT_LETTERS; k++) /* letters are left out in silence */
        buf_printf(b, "licet_limited_total{by=\"%s\"} %llu\n", kind[k],
                   (unsigned long long)limiter_refused(l, (enum limit_kind)k));
}

static void put_connections(struct buf *b, const struct server *s)
{
    const struct connections *c = s->connections;
    counter(b, "connections", "Connections open.", "gauge");
    number(b, "connections", "", connections_open(c));
    counter(b, "connection_addresses", "Addresses that they come from.", "gauge");
    number(b, "connection_addresses", "", connections_addresses(c));
    counter(b, "connections_closed_total", "Connections that licet closed, by why.", "counter");
    for (int i = 0; i < CONNECTION_ENDS; i++)
        buf_printf(b, "licet_connections_closed_total{why=\"%s\"} %llu\n", connection_end_name[i],
                   (unsigned long long)connections_ended(c, (enum connection_end)i));
    counter(b, "shed_total", "Requests refused with 503 because there was too much, by of what.",
            "counter");
    for (int i = SHED_NOT + 1; i < SHED_WHYS; i++)
        buf_printf(b, "licet_shed_total{by=\"%s\"} %llu\n", shed_why_name[i],
                   (unsigned long long)s->shed.refused[i]);
    counter(b, "body_bytes", "Bodies of requests held.", "gauge");
    number(b, "body_bytes", "", s->shed.bodies);
    if (s->certificate == NULL)
        return;
    counter(b, "certificate_expires_seconds", "When the certificate in use expires, since 1970.",
            "gauge");
    number(b, "certificate_expires_seconds", "",
           (unsigned long long)certificate_expires_s(s->certificate));
}

/* Numbers only, yet they are the operator's business: for her own machine, or with a private key. */
void metrics_get(struct request *r)
{
    bool near = address_is_loopback(r->peer) && r->header.forwarded_for.n == 0;
    request_use_database_key(r);
    if (!near && r->access < ACCESS_PRIVATE) {
        answer_message(r, 401, "No API key found in request");
        return;
    }
    AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);
    struct pipeline *p = request_pipeline(r);
    const struct policy *policy = pipeline_generation(p)->policy;
    put_events(&b, pipeline_numbers(p));
    put_clock(&b, pipeline_numbers(p));
    put_notices(&b, pipeline_numbers(p));
    put_letters(&b, pipeline_numbers(p));
    put_decisions(&b, pipeline_numbers(p), policy);
    put_generations(&b, pipeline_numbers(p), policy);
    put_deliveries(&b, pipeline_deliver(p), policy);
    put_fields(&b, pipeline_deliver(p), policy);
    hook_put_metrics(&b, p);
    put_limits(&b, request_limiter(r));
    put_connections(&b, r->server);
    counter(&b, "resident_bytes", "Memory in use.", "gauge");
    number(&b, "resident_bytes", "", resident_bytes());
    counter(&b, "configuration_generation", "Number of the configuration in use.", "gauge");
    number(&b, "configuration_generation", "", policy->generation);
    answer_text(r, 200, "text/plain; version=0.0.4", arena_str(&r->arena, buf_view(&b)));
}

/* ---- decisions ---- */

enum err decision_get(struct request *r, struct store_reader *reader, struct str *ret_json,
                      struct err_info *info)
{
    struct id id;
    if (!id_parse(r->parameter, &id))
        return err_set(info, ERR_VALUE, "event", "must be a UUID");
    return explain_event(reader, &id, &r->arena, ret_json);
}

enum err decision_counters(struct request *r, struct store_reader *reader, struct str *ret_json,
                           struct err_info *info)
{
    int64_t from = 0, to = INT64_MAX;
    struct str f = request_parameter(r, "from_time"), t = request_parameter(r, "to_time");
    if (f.n != 0 && !time_parse(f, &from))
        return err_set(info, ERR_VALUE, "from_time", "must be an ISO 8601 time");
    if (t.n != 0 && !time_parse(t, &to))
        return err_set(info, ERR_VALUE, "to_time", "must be an ISO 8601 time");
    return explain_counters(reader, from, to, &r->arena, ret_json);
}

void tail_get(struct request *r)
{
    unsigned long long after = 0;
    uint64_t last;
    struct str text = request_parameter(r, "after");
    bool given = str_to_u64(text, &after);
    struct str lines =
        tail_read(pipeline_tail(request_pipeline(r)), given ? after : UINT64_MAX, &r->arena, &last);
    answer_text(
        r, 200, "application/x-ndjson",
        arena_printf(&r->arena, "%.*s{\"last\":%llu}\n", STR_ARG(lines), (unsigned long long)last));
}
