/* The way in: decide, cut down to what may be kept, append to the segment. */
#include "pipeline/explain.h"
#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "policy/gate.h"
#include "store/document.h"

#include <sodium.h>

static uint64_t message_hash(const struct pipeline *p, uint64_t source, struct str message_id)
{
    unsigned char text[8 + LIMIT_ID], out[crypto_shorthash_BYTES];
    size_t n = message_id.n < LIMIT_ID ? message_id.n : LIMIT_ID; /* adapters refuse longer ones */
    memcpy(text, &source, 8);
    memcpy(text + 8, message_id.p, n);
    (void)crypto_shorthash(out, text, 8 + n, p->dedupe_secret); /* cannot fail */
    uint64_t hash;
    memcpy(&hash, out, sizeof hash);
    return hash;
}

struct judged {
    struct fields_mask mask;
    uint8_t verdict[LIMIT_DESTINATIONS];
    int64_t act_seq;
};

static void tail_capture(struct pipeline *p, const struct event *e, const struct policy_use *use,
                         const struct decision *d)
{
    struct str name = { 0 };
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    if (!json_string(e->doc, json_get(e->doc, e->root, STR("event")), &a, &name))
        (void)json_string(e->doc, json_get(e->doc, e->root, STR("name")), &a,
                          &name); /* else it has none */
    char id[ID_TEXT + 1];
    id_format(&e->id, id);
    tail_add(p->tail, &(struct tail_line){ .at_ms = e->received_ms,
                                           .event_id = str_of(id),
                                           .message_id = e->message_id,
                                           .type = e->type,
                                           .name = name,
                                           .destination = use->conf->id,
                                           .stage = "capture",
                                           .verdict = d->verdict == GATE_PERMIT ? "permit" : "deny",
                                           .reason = reason_name(d->reason) });
}

/* The first decision, for every use. */
static void judge(struct pipeline *p, const struct event *e, const struct snapshot *device,
                  const struct snapshot *person, bool watched, struct buf *explain,
                  struct judged *ret_j)
{
    const struct policy *policy = p->newest->public.policy;
    *ret_j = (struct judged){ 0 };
    for (uint32_t i = 0; i < policy->use_count; i++) {
        struct use use = { .index = i,
                           .has_device = e->device.n != 0,
                           .has_person = e->person.n != 0,
                           .signals = e->signals,
                           .lowered = e->lowered,
                           .use_lowered = (e->lowered_uses >> i & 1) != 0,
                           .test = e->test };
        struct decision d;
        gate_decide(policy, device, person, &use, e->received_ms, &d);
        uint32_t slot = policy->use[i].slot;
        numbers_add(&p->numbers.decisions[slot][d.reason], 1);
        uint8_t verdict = (uint8_t)d.reason;
        if (d.verdict == GATE_PERMIT) {
            ret_j->mask.permitted |= (uint64_t)1 << i;
            ret_j->mask.device |= (uint64_t)d.device_fields << i;
            ret_j->mask.person |= (uint64_t)d.person_fields << i;
            verdict |= (uint8_t)((d.device_fields ? STORED_DEVICE_FIELDS : 0) |
                                 (d.person_fields ? STORED_PERSON_FIELDS : 0));
        }
        ret_j->verdict[slot] = verdict;
        if (watched)
            tail_capture(p, e, &policy->use[i], &d);
        if (explain != NULL) {
            if (i > 0)
                buf_byte(explain, ',');
            explain_decision(policy, i, &d, explain);
        }
    }
    int64_t device_seq = device ? device->seq : 0, person_seq = person ? person->seq : 0;
    ret_j->act_seq = device_seq > person_seq ? device_seq : person_seq;
}

static void count_denied(struct pipeline *p, const struct judged *j)
{
    const struct policy *policy = p->newest->public.policy;
    for (uint32_t i = 0; i < policy->use_count; i++) {
        uint32_t slot = policy->use[i].slot;
        p->denied[slot][j->verdict[slot] & STORED_REASON]++;
    }
    p->any_denied = true;
    numbers_add(&p->numbers.events_denied, 1);
}

/* Purposes are kept by number: indexes change with a reload. */
static struct str lowered_numbers(const struct policy *policy, uint64_t lowered, struct arena *a)
{
    if (lowered == 0)
        return (struct str){ 0 };
    AUTO(buf_fini) struct buf b = BUF_INIT(LIMIT_PURPOSES * 4);
    for (uint32_t i = 0; i < policy->purpose_count; i++) {
        if (lowered >> i & 1)
            buf_u32(&b, policy->purpose[i].number);
    }
    return arena_str(a, buf_view(&b));
}

static uint64_t lowered_slots(const struct policy *policy, uint64_t lowered_uses)
{
    uint64_t slots = 0;
    for (uint32_t i = 0; i < policy->use_count; i++)
        slots |= (lowered_uses >> i & 1) << policy->use[i].slot;
    return slots;
}

/* `mark`: from before this event's message was remembered, which is to be forgotten with the group. */
static enum err join_group(struct pipeline *p, uint64_t mark, struct waiter *w,
                           struct err_info *info)
{
    bool was_open = p->open;
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    if (!was_open)
        p->dedupe_mark = mark;
    group_join(p, w);
    return OK;
}

static enum err store_event(struct pipeline *p, const struct event *e, const struct judged *j,
                            uint64_t hash, uint64_t mark, struct arena *a, struct waiter *w,
                            struct err_info *info)
{
    const struct live_generation *g = p->newest;
    struct buf *body = &p->body;
    buf_clear(body);
    fields_reduce(g->public.plan, e, &j->mask, a, body);
    if (body->over)
        return err_set(info, ERR_LIMIT, "batch", "an event is too large");
    struct stored_event stored = { .id = e->id,
                                   .received_ms = e->received_ms,
                                   .timestamp_ms = e->timestamp_ms,
                                   .message_hash = hash,
                                   .act_seq = j->act_seq,
                                   .lowered_uses = lowered_slots(g->public.policy, e->lowered_uses),
                                   .flags = (e->signals & SIGNAL_GPC ? STORED_GPC : 0) |
                                            (e->signals & SIGNAL_DNT ? STORED_DNT : 0),
                                   .generation = g->public.policy->generation,
                                   .device = e->device,
                                   .person = e->person,
                                   .lowered = lowered_numbers(g->public.policy, e->lowered, a),
                                   .body = buf_view(body) };
    memcpy(stored.verdict, j->verdict, sizeof stored.verdict);
    enum err joined = join_group(p, mark, w, info);
    if (joined != OK)
        return joined;
    p->deliverable |= j->mask.permitted & g->delivering;
    if (segment_add(&p->segment, &stored))
        return OK;
    /* The segment is full: it is committed with this request half in it, which
     * is sound, since a client that sends again is deduplicated. */
    group_commit(p);
    if (w->result != OK)
        return err_set(info, w->result, NULL, "the events could not be stored: %s",
                       err_text(w->result));
    w->done = false;
    joined = join_group(p, mark, w, info);
    if (joined != OK)
        return joined;
    p->deliverable |= j->mask.permitted & g->delivering;
    return segment_add(&p->segment, &stored)
               ? OK
               : err_set(info, ERR_LIMIT, "batch", "an event is too large");
}

static void explain_head(struct buf *explain, uint32_t index, const struct event *e)
{
    char id[ID_TEXT + 1];
    id_format(&e->id, id);
    buf_printf(explain, "%s{\"index\":%u,\"id\":\"%s\",\"messageId\":", index ? "," : "", index,
               id);
    json_write_string(explain, e->message_id);
    buf_lit(explain, ",\"destinations\":[");
}

static enum err snapshots_of(struct pipeline *p, const struct event *e,
                             const struct snapshot **device, const struct snapshot **person,
                             struct err_info *info)
{
    enum err err = e->device.n ? ledger_snapshot_now(p->ledger, e->device, device) : OK;
    if (err == OK && e->person.n)
        err = ledger_snapshot_now(p->ledger, e->person, person);
    return err == OK
               ? OK
               : err_set(info, err, NULL, "the consent database cannot be read: %s", err_text(err));
}

enum err pipeline_ingest(struct pipeline *p, const struct collect_result *events, uint64_t source,
                         bool explain, struct arena *a, struct waiter *w,
                         struct ingest_answer *ret_answer, struct err_info *info)
{
    AUTO(buf_fini) struct buf why = BUF_INIT(LIMIT_BATCH * 8192u);
    struct ingest_answer answer = { 0 };
    bool watched = tail_watched(p->tail);
    if (explain)
        buf_byte(&why, '[');
    for (uint32_t i = 0; i < events->event_count; i++) {
        const struct event *e = &events->event[i];
        uint64_t hash = message_hash(p, source, e->message_id), mark = dedupe_mark(p->dedupe);
        dedupe_expect(p->dedupe, hash);
        const struct snapshot *device = NULL, *person = NULL;
        enum err err = snapshots_of(p, e, &device, &person, info);
        if (err != OK)
            return err;
        if (dedupe_seen(p->dedupe, hash, e->received_ms)) {
            answer.duplicate++;
            if (explain) {
                explain_head(&why, i, e);
                buf_lit(&why, "],\"duplicate\":true}");
            }
            continue;
        }
        struct judged judged;
        if (explain)
            explain_head(&why, i, e);
        judge(p, e, device, person, watched, explain ? &why : NULL, &judged);
        if (explain)
            buf_lit(&why, "]}");
        if (judged.mask.permitted == 0) {
            count_denied(p, &judged);
            answer.denied++;
            continue;
        }
        err = store_event(p, e, &judged, hash, mark, a, w, info);
        if (err != OK) {
            dedupe_rollback(p->dedupe, mark); /* the client will send it again */
            return err;
        }
        answer.stored++;
    }
    numbers_add(&p->numbers.events_stored, answer.stored);
    numbers_add(&p->numbers.events_duplicate, answer.duplicate);
    numbers_add(&p->numbers.events_rejected, events->rejected_count);
    if (explain) {
        buf_byte(&why, ']');
        answer.explain = why.over ? STR("[]") : arena_str(a, buf_view(&why));
    }
    if (answer.duplicate > 0 && p->open)
        group_join(p, w); /* the first one may be in it, and be answered only with it */
    if (!w->joined)
        w->done = true;
    *ret_answer = answer;
    return OK;
}

/* ---- the consent database ---- */

/* Faults of the request leave the group as it was; faults of the store spoil it. */
static bool spoils_group(enum err e)
{
    return e == ERR_IO || e == ERR_FULL || e == ERR_CORRUPT || e == ERR_BUSY;
}

enum err group_settle(struct pipeline *p, enum err e, struct waiter *w, const struct err_info *info)
{
    if (e == OK)
        group_join(p, w);
    else if (spoils_group(e))
        group_fail(p, e, info);
    return e;
}

static void count_unknown(struct pipeline *p, uint64_t purposes)
{
    const struct policy *policy = p->newest->public.policy;
    for (uint32_t i = 0; i < policy->purpose_count; i++) {
        uint32_t number = policy->purpose[i].number;
        if (purposes >> i & 1)
            numbers_add(&p->numbers.unknown_refusals[number <= LIMIT_PURPOSES ? number : 0], 1);
    }
}

enum err pipeline_consent(struct pipeline *p, struct consent_request *q, struct arena *a,
                          struct waiter *w, struct consent_answer *ret_answer,
                          struct err_info *info)
{
    q->subject_token_secret = p->newest->public.conf->subject_token_secret;
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    e = group_settle(
        p, ledger_add_consent(p->ledger, p->newest->public.policy, q, a, ret_answer, info), w,
        info);
    if (e != OK)
        return e;
    if (ret_answer->counted) {
        count_unknown(p, ret_answer->counted);
        return OK;
    }
    numbers_add(&p->numbers.acts, 1);
    if (ret_answer->letter) {
        numbers_add(&p->numbers.letters_asked, 1);
        post_wake(p->post);
    }
    if (ret_answer->lowers) {
        w->lowers = ret_answer->subject;
        numbers_add(&p->numbers.acts_lowering, 1);
    }
    return OK;
}

enum err pipeline_subject(struct pipeline *p, const struct subject_request *q, struct arena *a,
                          struct waiter *w, struct str *ret_json, struct err_info *info)
{
    struct subject_answer ans;
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    e = group_settle(p, ledger_put_subject(p->ledger, q, a, &ans, info), w, info);
    if (e != OK)
        return e;
    if (ans.lowers)
        w->lowers = ans.subject;
    *ret_json = ans.json;
    return OK;
}

enum err pipeline_notices(struct pipeline *p, struct str body, enum body_format format,
                          struct arena *a, struct waiter *w, struct str *ret_json,
                          struct err_info *info)
{
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    e = ledger_add_notices(p->ledger, body, format, clock_now_ms(), a, ret_json, info);
    if (e == OK)
        upkeep_look_at_notices(p);
    return group_settle(p, e, w, info);
}

/* Not so many in one group that everybody waits for them. */
enum err pipeline_document(struct pipeline *p, const struct document_request *q, struct arena *a,
                           struct waiter *w, struct str *ret_json, struct err_info *info)
{
    if (p->open && p->document_bytes + q->bytes.n > LIMIT_DOCUMENT)
        group_commit(p);
    if (!store_has_room(p->store, q->bytes.n))
        return err_set(info, ERR_FULL, "file", "the disk is full");
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    e = group_settle(p, ledger_add_document(p->ledger, q, a, ret_json, info), w, info);
    if (e == OK)
        p->document_bytes += q->bytes.n;
    return e;
}

enum err pipeline_confirm_notice(struct pipeline *p, struct str identifier, struct str sha256,
                                 struct arena *a, struct waiter *w, struct str *ret_json,
                                 struct err_info *info)
{
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    e = group_settle(
        p, ledger_confirm_notice(p->ledger, identifier, sha256, clock_now_ms(), a, ret_json, info),
        w, info);
    if (e == OK) {
        log_write(LOG_INFO, "notice.confirmed", LOG_S("notice", identifier));
        upkeep_look_at_notices(p);
    }
    return e;
}

enum err pipeline_revive(struct pipeline *p, int slot, const struct id *id, struct waiter *w,
                         uint32_t *ret_count, struct err_info *info)
{
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    e = group_settle(p, store_revive_dead(p->store, slot, id, clock_now_ms(), ret_count), w, info);
    if (e == OK)
        deliver_wake(p->deliver);
    return e;
}
