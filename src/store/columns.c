#include "store/columns.h"

static void put_text(struct buf *to, struct str s)
{
    buf_u32(to, (uint32_t)s.n);
    buf_str(to, s);
}

static bool take_text(struct str *from, struct str *ret_s)
{
    uint32_t n;
    return take_u32(from, &n) && take_bytes(from, n, ret_s);
}

static bool take_i64(struct str *from, int64_t *ret_v)
{
    uint64_t v;
    if (!take_u64(from, &v))
        return false;
    *ret_v = (int64_t)v;
    return true;
}

/* ---- acts ---- */

enum { EFFECT = 4 + 1 + 1 + 4 + 8 };

static void put_effect(struct buf *to, const struct act_effect *e)
{
    buf_u32(to, e->purpose);
    buf_byte(to, (char)((e->grant ? 1 : 0) | (e->confirmed ? 2 : 0)));
    buf_byte(to, (char)e->evidence);
    buf_u32(to, e->version);
    buf_u64(to, (uint64_t)e->effect_ms);
}

void columns_act(struct buf *to, const struct act_row *row)
{
    buf_add(to, row->id.b, sizeof row->id.b);
    buf_u64(to, (uint64_t)row->claimed_ms);
    buf_u64(to, (uint64_t)row->received_ms);
    buf_byte(to, (char)row->source);
    put_text(to, row->subject);
    put_text(to, row->ip);
    buf_u32(to, row->effect_count);
    for (uint32_t i = 0; i < row->effect_count; i++)
        put_effect(to, &row->effect[i]);
    buf_u32(to, row->preference_count);
    for (uint32_t i = 0; i < row->preference_count; i++)
        put_text(to, row->preference[i]);
}

static bool can_be_read(struct str effects)
{
    struct act_effect e;
    while (effects.n > 0)
        if (!columns_next_effect(&effects, &e))
            return false;
    return true;
}

bool columns_read_act(struct str s, struct act_columns *ret_c)
{
    struct act_columns c = { 0 };
    struct str id;
    uint8_t source;
    if (!take_bytes(&s, sizeof c.id.b, &id) || !take_i64(&s, &c.claimed_ms) ||
        !take_i64(&s, &c.received_ms) || !take_u8(&s, &source) || !take_text(&s, &c.subject) ||
        !take_text(&s, &c.ip) || !take_u32(&s, &c.effect_count) ||
        !take_bytes(&s, (size_t)c.effect_count * EFFECT, &c.effects) ||
        !take_u32(&s, &c.preference_count) || source >= COUNT(act_source_name) ||
        !can_be_read(c.effects))
        return false;
    memcpy(c.id.b, id.p, sizeof c.id.b);
    c.source = source;
    c.preferences = s;
    *ret_c = c;
    return true;
}

bool columns_next_effect(struct str *effects, struct act_effect *ret_e)
{
    uint32_t purpose, version;
    uint8_t bits, evidence;
    int64_t effect_ms;
    if (!take_u32(effects, &purpose) || !take_u8(effects, &bits) || !take_u8(effects, &evidence) ||
        !take_u32(effects, &version) || !take_i64(effects, &effect_ms) ||
        evidence >= COUNT(act_evidence_name))
        return false;
    *ret_e = (struct act_effect){ .purpose = purpose,
                                  .grant = bits & 1,
                                  .confirmed = bits & 2,
                                  .evidence = evidence,
                                  .version = version,
                                  .effect_ms = effect_ms };
    return true;
}

bool columns_next_text(struct str *texts, struct str *ret_s)
{
    return take_text(texts, ret_s);
}

/* ---- subjects, restrictions, notices ---- */

void columns_subject(struct buf *to, const struct subject_row *row)
{
    put_text(to, row->id);
    put_text(to, row->email);
    put_text(to, row->first_name);
    put_text(to, row->last_name);
    put_text(to, row->full_name);
    put_text(to, row->extra);
    buf_byte(to, row->verified);
    buf_u64(to, (uint64_t)row->created_ms);
    buf_u64(to, (uint64_t)row->changed_ms);
}

bool columns_read_subject(struct str s, struct subject_row *ret_row)
{
    struct subject_row r = { 0 };
    uint8_t verified;
    if (!take_text(&s, &r.id) || !take_text(&s, &r.email) || !take_text(&s, &r.first_name) ||
        !take_text(&s, &r.last_name) || !take_text(&s, &r.full_name) || !take_text(&s, &r.extra) ||
        !take_u8(&s, &verified) || !take_i64(&s, &r.created_ms) || !take_i64(&s, &r.changed_ms) ||
        s.n)
        return false;
    r.verified = verified;
    *ret_row = r;
    return true;
}

void columns_restriction(struct buf *to, const struct restriction_columns *c)
{
    put_text(to, c->subject);
    buf_byte(to, c->restricted);
    buf_u64(to, (uint64_t)c->received_ms);
}

bool columns_read_restriction(struct str s, struct restriction_columns *ret_c)
{
    uint8_t restricted;
    struct restriction_columns c;
    if (!take_text(&s, &c.subject) || !take_u8(&s, &restricted) || !take_i64(&s, &c.received_ms) ||
        s.n)
        return false;
    c.restricted = restricted;
    *ret_c = c;
    return true;
}

void columns_notice(struct buf *to, const struct notice_row *row)
{
    put_text(to, row->identifier);
    buf_u32(to, row->version);
    buf_u64(to, (uint64_t)row->timestamp_ms);
    buf_u64(to, (uint64_t)row->received_ms);
    put_text(to, row->content);
}

bool columns_read_notice(struct str s, struct notice_row *ret_row)
{
    struct notice_row r = { 0 };
    if (!take_text(&s, &r.identifier) || !take_u32(&s, &r.version) ||
        !take_i64(&s, &r.timestamp_ms) || !take_i64(&s, &r.received_ms) ||
        !take_text(&s, &r.content) || s.n)
        return false;
    *ret_row = r;
    return true;
}

void columns_void(struct buf *to, const struct void_columns *c)
{
    buf_u32(to, c->purpose);
    buf_u32(to, c->version);
    buf_u64(to, (uint64_t)c->from_ms);
    buf_u64(to, (uint64_t)c->at_ms);
}

bool columns_read_void(struct str s, struct void_columns *ret_c)
{
    struct void_columns c;
    if (!take_u32(&s, &c.purpose) || !take_u32(&s, &c.version) || !take_i64(&s, &c.from_ms) ||
        !take_i64(&s, &c.at_ms) || s.n)
        return false;
    *ret_c = c;
    return true;
}

/* ---- documents ---- */

void columns_document(struct buf *to, const struct document *d)
{
    buf_add(to, d->id.b, sizeof d->id.b);
    buf_u64(to, (uint64_t)d->received_ms);
    put_text(to, d->name);
    put_text(to, d->type);
    buf_u64(to, d->size);
    buf_add(to, d->hash, sizeof d->hash);
}

bool columns_read_document(struct str s, struct document *ret_d)
{
    struct document d = { 0 };
    struct str id, hash;
    if (!take_bytes(&s, sizeof d.id.b, &id) || !take_i64(&s, &d.received_ms) ||
        !take_text(&s, &d.name) || !take_text(&s, &d.type) || !take_u64(&s, &d.size) ||
        !take_bytes(&s, sizeof d.hash, &hash) || s.n)
        return false;
    memcpy(d.id.b, id.p, id.n);
    memcpy(d.hash, hash.p, hash.n);
    *ret_d = d;
    return true;
}

/* ---- findings ---- */

void columns_finding(struct buf *to, const struct finding *f)
{
    put_text(to, f->identifier);
    buf_u64(to, (uint64_t)f->received_ms);
    buf_add(to, f->hash, sizeof f->hash);
    put_text(to, f->content);
}

bool columns_read_finding(struct str s, struct finding *ret_f)
{
    struct finding f = { 0 };
    struct str hash;
    if (!take_text(&s, &f.identifier) || !take_i64(&s, &f.received_ms) ||
        !take_bytes(&s, sizeof f.hash, &hash) || !take_text(&s, &f.content) || s.n)
        return false;
    memcpy(f.hash, hash.p, hash.n);
    *ret_f = f;
    return true;
}

/* ---- verifications ---- */

void columns_verification(struct buf *to, const struct verification *v)
{
    buf_add(to, v->id.b, sizeof v->id.b);
    put_text(to, v->subject);
    buf_add(to, v->token, sizeof v->token);
    buf_add(to, v->address, sizeof v->address);
    buf_u64(to, (uint64_t)v->at_ms);
    buf_u64(to, (uint64_t)v->until_ms);
}

bool columns_read_verification(struct str s, struct verification *ret_v)
{
    struct verification v = { 0 };
    struct str id, token, address;
    if (!take_bytes(&s, sizeof v.id.b, &id) || !take_text(&s, &v.subject) ||
        !take_bytes(&s, sizeof v.token, &token) || !take_bytes(&s, sizeof v.address, &address) ||
        !take_i64(&s, &v.at_ms) || !take_i64(&s, &v.until_ms) || s.n)
        return false;
    memcpy(v.id.b, id.p, id.n);
    memcpy(v.token, token.p, token.n);
    memcpy(v.address, address.p, address.n);
    *ret_v = v;
    return true;
}

void columns_verification_end(struct buf *to, const struct verification_end *e)
{
    buf_add(to, e->id.b, sizeof e->id.b);
    put_text(to, e->subject);
    buf_byte(to, (char)e->outcome);
    buf_u64(to, (uint64_t)e->at_ms);
}

bool columns_read_verification_end(struct str s, struct verification_end *ret_e)
{
    struct verification_end e = { 0 };
    struct str id;
    uint8_t outcome;
    if (!take_bytes(&s, sizeof e.id.b, &id) || !take_text(&s, &e.subject) ||
        !take_u8(&s, &outcome) || !take_i64(&s, &e.at_ms) || s.n ||
        outcome < VERIFICATION_CONFIRMED || outcome > VERIFICATION_DISOWNED)
        return false;
    memcpy(e.id.b, id.p, id.n);
    e.outcome = (enum verification_outcome)outcome;
    *ret_e = e;
    return true;
}

/* ---- retention, deliveries ---- */

void columns_retention(struct buf *to, int64_t at_ms, struct str named, uint32_t count)
{
    buf_u64(to, (uint64_t)at_ms);
    buf_u32(to, count);
    buf_str(to, named);
}

bool columns_read_retention(struct str s, struct str *ret_named)
{
    uint64_t at_ms;
    uint32_t count;
    if (!take_u64(&s, &at_ms) || !take_u32(&s, &count) || s.n != (size_t)count * NAMED)
        return false;
    *ret_named = s;
    return true;
}

bool columns_next_named(struct str *named, int64_t *ret_number, struct str *ret_hash)
{
    uint64_t number;
    if (!take_u64(named, &number) || !take_bytes(named, CHAIN_HASH, ret_hash))
        return false;
    *ret_number = (int64_t)number;
    return true;
}

/* ---- seals, keys, stamps ---- */

void columns_seal(struct buf *to, const struct seal_columns *c)
{
    buf_u64(to, (uint64_t)c->from);
    buf_u64(to, (uint64_t)c->to);
    put_text(to, c->signature);
}

bool columns_read_seal(struct str s, struct seal_columns *ret_c)
{
    struct seal_columns c;
    if (!take_i64(&s, &c.from) || !take_i64(&s, &c.to) || !take_text(&s, &c.signature) || s.n)
        return false;
    *ret_c = c;
    return true;
}

void columns_key(struct buf *to, const struct key_columns *c)
{
    put_text(to, c->by_itself);
    put_text(to, c->by_previous);
}

bool columns_read_key(struct str s, struct key_columns *ret_c)
{
    struct key_columns c;
    if (!take_text(&s, &c.by_itself) || !take_text(&s, &c.by_previous) || s.n)
        return false;
    *ret_c = c;
    return true;
}

void columns_stamp(struct buf *to, const struct stamp_columns *c)
{
    buf_u64(to, (uint64_t)c->seal_seq);
    buf_u64(to, (uint64_t)c->at_ms);
    put_text(to, c->authority);
    put_text(to, c->token);
}

bool columns_read_stamp(struct str s, struct stamp_columns *ret_c)
{
    struct stamp_columns c;
    if (!take_i64(&s, &c.seal_seq) || !take_i64(&s, &c.at_ms) || !take_text(&s, &c.authority) ||
        !take_text(&s, &c.token) || s.n)
        return false;
    *ret_c = c;
    return true;
}

_Static_assert(LIMIT_FIELD_SETS <= 256, "an item has one byte for its set of names");

void items_add(struct buf *to, const struct delivery_item *item)
{
    buf_u64(to, (uint64_t)item->segment);
    buf_u32(to, item->index);
    buf_byte(to, (char)item->result);
    buf_byte(to, (char)item->reason);
    buf_byte(to, (char)item->fields);
}

bool items_next(struct str *items, struct delivery_item *ret_item)
{
    uint64_t segment;
    uint32_t index;
    uint8_t result, reason, fields;
    if (!take_u64(items, &segment) || !take_u32(items, &index) || !take_u8(items, &result) ||
        !take_u8(items, &reason) || !take_u8(items, &fields) || result > DELIVERY_UNCERTAIN ||
        reason >= REASON_COUNT || fields >= LIMIT_FIELD_SETS)
        return false;
    *ret_item = (struct delivery_item){ .segment = (int64_t)segment,
                                        .index = index,
                                        .result = result,
                                        .reason = reason,
                                        .fields = fields };
    return true;
}
