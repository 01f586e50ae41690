#include "base/clock.h"
#include "deliver/deliver_priv.h"

#include <stdlib.h>

enum { ENVELOPE_BYTES = 128 }; /* what a destination's format adds to an event, about */

static const enum err OTHER = ERR_CONFLICT; /* an event for a request of its own */

struct parcel *parcel_new(struct outlet *o)
{
    struct parcel *p = must_alloc_zero(sizeof *p);
    arena_init(&p->arena);
    p->outlet = o;
    p->state = PARCEL_BEGIN;
    struct parcel **at = &o->parcel;
    while (*at != NULL)
        at = &(*at)->next;
    *at = p;
    o->window.used++;
    return p;
}

void parcel_free(struct deliver *d, struct parcel **pp)
{
    struct parcel *p = *pp;
    if (p == NULL)
        return;
    must(!p->has_ticket && p->steps_out == 0);
    struct parcel **at = &p->outlet->parcel;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->outlet->window.used--;
    p->outlet->blocked_count = 0; /* they may have waited for nothing else */
    if (p->policy.policy != NULL)
        d->setup.policy_unref(d->setup.ctx, p->policy);
    buf_fini(&p->request.body);
    arena_fini(&p->arena);
    free(p);
    *pp = NULL;
}

static uint64_t lowered_purposes(const struct policy *policy, struct str numbers)
{
    uint64_t bits = 0;
    uint32_t number;
    while (take_u32(&numbers, &number))
        for (uint32_t i = 0; i < policy->purpose_count; i++)
            if (policy->purpose[i].number == number)
                bits |= (uint64_t)1 << i;
    return bits;
}

static struct use use_of(const struct policy *policy, uint32_t index, uint32_t slot,
                         const struct stored_event *e)
{
    uint8_t verdict = e->verdict[slot];
    return (struct use){
        .index = index,
        .has_device = e->device.n > 0,
        .has_person = e->person.n > 0,
        .signals =
            (e->flags & STORED_GPC ? SIGNAL_GPC : 0u) | (e->flags & STORED_DNT ? SIGNAL_DNT : 0u),
        .lowered = lowered_purposes(policy, e->lowered),
        .use_lowered = e->lowered_uses >> slot & 1,
        .departing = true,
        .test = e->flags & STORED_TEST,
        .at_capture = (enum reason)(verdict & STORED_REASON),
        .capture_device_fields = verdict & STORED_DEVICE_FIELDS,
        .capture_person_fields = verdict & STORED_PERSON_FIELDS,
    };
}

static enum err decide(struct deliver *d, const struct policy *policy, const struct use *use,
                       struct str device, struct str person, int64_t received_ms, int64_t at_ms,
                       struct decision *ret_decision, uint32_t *ret_claims)
{
    const struct deliver_setup *s = &d->setup;
    const struct snapshot *of_device = NULL, *of_person = NULL;
    enum err err = OK;
    if (device.n > 0)
        err = ledger_snapshot(s->ledger, s->reader, device, &of_device);
    if (err == OK && person.n > 0)
        err = ledger_snapshot(s->ledger, s->reader, person, &of_person);
    if (err == OK)
        gate_decide(policy, of_device, of_person, use, at_ms, ret_decision);
    /* a claim is made of an event only if it was true when that was collected, too */
    if (err == OK && ret_claims != NULL)
        *ret_claims = gate_claims(policy, of_device, of_person, use, received_ms) &
                      gate_claims(policy, of_device, of_person, use, at_ms);
    if (of_device != NULL)
        ledger_snapshot_unref(s->ledger, &of_device);
    if (of_person != NULL)
        ledger_snapshot_unref(s->ledger, &of_person);
    return err;
}

bool parcel_still_permitted(struct deliver *d, struct parcel *p)
{
    struct deliver_policy now = d->setup.policy_ref(d->setup.ctx);
    bool same = now.policy == p->policy.policy;
    d->setup.policy_unref(d->setup.ctx, now);
    int64_t at_ms = clock_now_ms();
    for (uint32_t i = 0; same && i < p->count; i++) {
        const struct parcel_event *e = &p->event[i];
        struct decision decision = { 0 };
        uint32_t claims = 0;
        same = decide(d, p->policy.policy, &e->use, e->device, e->person, e->received_ms, at_ms,
                      &decision, &claims) == OK &&
               decision.verdict == GATE_PERMIT && decision.device_fields == e->device_fields &&
               decision.person_fields == e->person_fields && claims == e->claims;
    }
    return same;
}

void parcel_may_have_arrived(struct parcel *p)
{
    p->maybe_arrived = true;
    p->earlier = p->fields;
    for (uint32_t i = 0; i < p->count; i++)
        p->event[i].earlier = p->item[i].fields;
}

void parcel_take_back_fields(struct parcel *p)
{
    p->fields = p->earlier;
    for (uint32_t i = 0; i < p->count; i++)
        p->item[i].fields = p->event[i].earlier;
}

/* ---- building ---- */

struct packing {
    struct deliver *d;
    struct parcel *p;
    struct outgoing_event *out;
    size_t *body_at; /* like out: offsets into d->bodies, which moves as it grows */
    uint32_t *from;  /* like out: which of the loaded */
    bool *placed;    /* like the loaded */
    uint32_t most_events;
    size_t most_bytes;
    struct str whom, beside; /* of the events in it */
    struct names names;
};

static void leave(struct parcel *p, const struct loaded *l, enum delivery_result result,
                  enum reason reason, const char *error)
{
    p->left_event_id[p->left_count] = l->e.id;
    p->left[p->left_count++] = (struct delivery_item){
        .segment = l->segment,
        .index = l->index,
        .result = result,
        .reason = reason,
        .fields = l->earlier,
    };
    if (error != NULL)
        p->left_error = str_of(error);
}

static void leave_denied(struct parcel *p, const struct loaded *l, enum reason reason)
{
    if (!p->maybe_arrived) {
        leave(p, l, DELIVERY_DROPPED, reason, NULL);
        return;
    }
    leave(p, l, DELIVERY_UNCERTAIN, reason, NULL);
    if (l->e.device.n > 0)
        p->left_subject[p->left_subject_count++] = l->subject[0];
    if (l->e.person.n > 0)
        p->left_subject[p->left_subject_count++] = l->subject[1];
}

static void add_event(struct packing *k, const struct loaded *l, uint32_t at, const struct use *use,
                      const struct decision *decision, uint32_t claims, size_t body_at)
{
    struct parcel *p = k->p;
    p->event[p->count] = (struct parcel_event){
        .device = arena_str(&p->arena, l->e.device),
        .person = arena_str(&p->arena, l->e.person),
        .use = *use,
        .device_fields = decision->device_fields,
        .person_fields = decision->person_fields,
        .claims = claims,
        .received_ms = l->e.received_ms,
        .earlier = l->earlier,
    };
    p->item[p->count] = (struct delivery_item){
        .segment = l->segment,
        .index = l->index,
        .fields = names_add(&k->names, buf_view(&k->d->names), k->d->names.over),
    };
    p->event_id[p->count] = l->e.id;
    p->in_line[p->count] = (struct line_event){ .subject = { l->subject[0], l->subject[1] },
                                                .received_ms = l->e.received_ms };
    k->from[p->count] = at;
    k->out[p->count] = (struct outgoing_event){
        .id = l->e.id,
        .received_ms = l->e.received_ms,
        .body = { .n = k->d->bodies.n - body_at },
        .has_device = use->has_device,
        .has_person = use->has_person,
        .device_fields = decision->device_fields,
        .claims = claims,
    };
    k->body_at[p->count] = body_at;
    p->count++;
}

/* Puts the body at body_at into the receiver's form, names along with it. */
static enum reason fit(struct packing *k, const struct loaded *l, const struct use *use,
                       const struct decision *decision, uint32_t claims, size_t body_at,
                       struct fitted *ret_fitted)
{
    struct deliver *d = k->d;
    const struct outgoing_event event = {
        .id = l->e.id,
        .received_ms = l->e.received_ms,
        .body = { d->bodies.p + body_at, d->bodies.n - body_at },
        .has_device = use->has_device,
        .has_person = use->has_person,
        .device_fields = decision->device_fields,
        .claims = claims,
    };
    const struct conf_destination *conf = k->p->policy.policy->use[k->p->use].conf;
    enum reason reason = k->p->driver->fit(conf, &event, d->now_ms, &d->scratch, ret_fitted);
    d->bodies.n = body_at;
    buf_clear(&d->names);
    if (reason == REASON_PERMITTED) {
        buf_str(&d->bodies, ret_fitted->body);
        buf_str(&d->names, ret_fitted->names);
    }
    return reason;
}

/* Whether it may share the request with those that are in it. */
static bool goes_with(struct packing *k, const struct fitted *f)
{
    if (k->p->count == 0) {
        k->whom = f->whom;
        k->beside = f->beside;
    }
    /* what was together once stays together: its receiver may have seen it so */
    return str_eq(f->whom, k->whom) && (k->p->pending || str_eq(f->beside, k->beside));
}

/* One event: into the parcel, or left. ERR_LIMIT: it belongs into the next. OTHER: into another. */
static enum err pack_one(struct packing *k, const struct loaded *l, uint32_t at)
{
    struct deliver *d = k->d;
    struct parcel *p = k->p;
    if (l->e.body.n == 0) {
        leave(p, l, DELIVERY_DEAD, 0, "the event is not kept any more");
        return OK;
    }
    struct use use = use_of(p->policy.policy, p->use, p->outlet->slot, &l->e);
    struct decision decision = { 0 };
    uint32_t claims = 0;
    enum err err = decide(d, p->policy.policy, &use, l->e.device, l->e.person, l->e.received_ms,
                          d->now_ms, &decision, &claims);
    if (err != OK)
        return err == ERR_LIMIT ? ERR_IO : err;
    if (decision.verdict != GATE_PERMIT) {
        leave_denied(p, l, decision.reason);
        return OK;
    }
    size_t body_at = d->bodies.n;
    buf_clear(&d->names);
    struct fields_keys keys = { .secret = d->setup.pseudonym_secret, .at_ms = l->e.received_ms };
    err = fields_apply(p->policy.plan, p->use, decision.device_fields, decision.person_fields,
                       l->e.body, &keys, &d->scratch, &d->bodies, &d->names);
    struct fitted fitted = { 0 };
    if (err == OK && !d->bodies.over && p->driver->fit != NULL) {
        enum reason reason = fit(k, l, &use, &decision, claims, body_at, &fitted);
        if (reason != REASON_PERMITTED) {
            leave_denied(p, l, reason);
            return OK;
        }
        bool with = goes_with(k, &fitted);
        if (!with)
            d->bodies.n = body_at;
        if (!with && p->pending) {
            leave(p, l, DELIVERY_DEAD, 0, "it cannot share its request any more: send it again");
            return OK;
        }
        if (!with)
            return OTHER;
    }
    /* one that is larger than the operator's batches goes alone; what was together stays together */
    size_t most = k->most_bytes, wanted = gather_most_bytes(p->outlet);
    if (p->count > 0 && !p->pending && wanted < most)
        most = wanted;
    bool too_large = d->bodies.over || p->count >= k->most_events ||
                     d->bodies.n + (p->count + 1) * (size_t)ENVELOPE_BYTES > most;
    if (err != OK || too_large) {
        d->bodies.n = body_at;
        d->bodies.over = false;
        if (err == OK && p->count > 0)
            return ERR_LIMIT;
        leave(p, l, DELIVERY_DEAD, 0,
              err == OK ? "the event is too large" : "the event is damaged");
        return OK;
    }
    add_event(k, l, at, &use, &decision, claims, body_at);
    p->fields_cut += fitted.cut;
    p->fields_omitted += fitted.omitted;
    return OK;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void list_subjects(struct parcel *p)
{
    uint64_t *hash = arena_array(&p->arena, uint64_t, 2 * p->count);
    uint32_t n = 0, kept = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->event[i].device.n > 0)
            hash[n++] = p->in_line[i].subject[0];
        if (p->event[i].person.n > 0)
            hash[n++] = p->in_line[i].subject[1];
    }
    qsort(hash, n, sizeof *hash, compare_hashes);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || hash[kept - 1] != hash[i])
            hash[kept++] = hash[i];
    p->subject = hash;
    p->subject_count = kept;
}

static void limit_packing(struct packing *k)
{
    const struct parcel *p = k->p;
    k->most_events = LIMIT_SEND_EVENTS;
    k->most_bytes = LIMIT_SEND_BYTES;
    if (p->driver->fit == NULL)
        return; /* as many as were gathered */
    k->most_events = p->driver->most_events;
    k->most_bytes = p->driver->most_bytes;
    uint32_t wanted = p->policy.policy->use[p->use].conf->batch_events;
    if (!p->pending && wanted > 0 && wanted < k->most_events)
        k->most_events = wanted;
}

static void start_packing(struct packing *k, struct deliver *d, struct parcel *p, uint32_t count,
                          bool *placed, const bool *placed_before)
{
    arena_clear(&d->scratch);
    buf_clear(&d->bodies);
    p->count = p->left_count = p->left_subject_count = 0;
    p->fields_cut = p->fields_omitted = 0;
    memcpy(placed, placed_before, count * sizeof *placed);
    p->event = arena_array(&p->arena, struct parcel_event, count);
    p->in_line = arena_array(&p->arena, struct line_event, count);
    p->item = arena_array(&p->arena, struct delivery_item, count);
    p->event_id = arena_array(&p->arena, struct id, count);
    p->left = arena_array(&p->arena, struct delivery_item, count);
    p->left_event_id = arena_array(&p->arena, struct id, count);
    p->left_subject = arena_array(&p->arena, uint64_t, 2 * count);
    k->d = d;
    k->p = p;
    k->placed = placed;
    limit_packing(k);
    names_start(&k->names, &d->scratch);
    k->out = arena_array(&d->scratch, struct outgoing_event, count);
    k->body_at = arena_array(&d->scratch, size_t, count);
    k->from = arena_array(&d->scratch, uint32_t, count);
}

static enum err build(struct packing *k)
{
    struct deliver *d = k->d;
    struct parcel *p = k->p;
    for (uint32_t i = 0; i < p->count; i++)
        k->out[i].body.p = d->bodies.p + k->body_at[i];
    const struct conf_destination *conf = p->policy.policy->use[p->use].conf;
    return p->driver->build(conf, k->out, p->count, &p->id, d->now_ms, &p->arena, &p->request);
}

static enum err take_policy(struct deliver *d, struct parcel *p)
{
    if (p->policy.policy == NULL)
        p->policy = d->setup.policy_ref(d->setup.ctx);
    int16_t use = p->policy.policy->use_of_slot[p->outlet->slot];
    if (use < 0)
        return ERR_STALE;
    p->use = (uint32_t)use;
    p->driver = destination_find(p->policy.policy->use[use].conf->type);
    return p->driver != NULL ? OK : ERR_STALE;
}

/* Up to `most` of them. ERR_LIMIT: what was built is too large, *ret_fewer would not be. */
static enum err pack_some(struct packing *k, const struct loaded *loaded, uint32_t count,
                          uint32_t most, uint32_t *ret_taken, uint32_t *ret_fewer)
{
    struct deliver *d = k->d;
    struct parcel *p = k->p;
    uint32_t taken = 0;
    enum err err = OK;
    for (uint32_t i = 0; i < most && (err == OK || err == OTHER); i++) {
        if (k->placed[i])
            continue;
        err = pack_one(k, &loaded[i], i);
        k->placed[i] = err == OK;
        taken += err == OK;
    }
    if (err != OK && err != OTHER && err != ERR_LIMIT)
        return err;
    bool whole = p->left_count == 0 && taken == count;
    p->left_id = p->pending ? p->stored_id : id_new(d->now_ms);
    p->id = p->pending && whole ? p->stored_id : id_new(d->now_ms);
    *ret_taken = taken;
    err = p->count > 0 ? build(k) : OK;
    if (err == ERR_LIMIT && p->count > 1) { /* their envelopes are larger than we thought */
        *ret_fewer = k->from[p->count / 2];
        return ERR_LIMIT;
    }
    if (err == ERR_LIMIT) {
        leave(p, &loaded[k->from[0]], DELIVERY_DEAD, 0, "the event is too large");
        p->count = 0;
        return OK;
    }
    return err;
}

enum err parcel_pack(struct deliver *d, struct parcel *p, const struct loaded *loaded,
                     uint32_t count, bool *placed, uint32_t *ret_taken)
{
    enum err err = take_policy(d, p);
    if (err != OK)
        return err;
    struct packing k;
    uint32_t taken, most = count;
    bool before[LIMIT_SEND_EVENTS];
    must(count <= LIMIT_SEND_EVENTS);
    memcpy(before, placed, count * sizeof *before);
    do {
        start_packing(&k, d, p, count, placed, before);
        err = pack_some(&k, loaded, count, most, &taken, &most);
    } while (err == ERR_LIMIT);
    if (err != OK)
        return err;
    list_subjects(p);
    p->fields = names_join(&k.names, p->item, p->count, &p->arena);
    *ret_taken = taken;
    return OK;
}
