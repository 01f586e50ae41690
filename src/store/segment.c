/* One entry, all integers little-endian:
 *
 *   u32 bytes behind this field      u64 received, timestamp, message hash,
 *   u8  format: 1                        act seq, lowered uses
 *   u8  verdicts                     u32 flags, generation
 *   u16 device, person, lowered      then device, person, lowered, verdicts
 *   u32 body                             (one byte each), body
 *   16  id
 *
 * There is one way to write an event: verdicts end with the last that is not
 * zero, and nothing may be left over. So an entry that was read and written
 * again is the same bytes.
 */
#include "store/segment.h"

enum { FORMAT = 1, FIXED = 2 + 3 * 2 + 4 + 16 + 5 * 8 + 2 * 4 };

void segment_builder_init(struct segment_builder *b)
{
    *b = (struct segment_builder){ .entries = BUF_INIT(LIMIT_GROUP_BYTES) };
}

void segment_builder_fini(struct segment_builder *b)
{
    buf_fini(&b->entries);
    b->count = 0;
}

void segment_builder_clear(struct segment_builder *b)
{
    buf_clear(&b->entries);
    b->count = 0;
}

static uint32_t verdict_count(const struct stored_event *e)
{
    uint32_t n = LIMIT_DESTINATIONS;
    while (n > 0 && e->verdict[n - 1] == 0)
        n--;
    return n;
}

static unsigned char *put(unsigned char *to, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *to++ = (unsigned char)(v >> (8 * i));
    return to;
}

static unsigned char *copy(unsigned char *to, struct str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

bool segment_add(struct segment_builder *b, const struct stored_event *e)
{
    must(e->device.n <= UINT16_MAX && e->person.n <= UINT16_MAX);
    must(e->lowered.n <= UINT16_MAX && e->lowered.n % 4 == 0);
    uint32_t verdicts = verdict_count(e);
    size_t around = FIXED + e->device.n + e->person.n + e->lowered.n + verdicts;
    if (e->body.n > LIMIT_GROUP_BYTES - around - 4)
        return false;
    size_t n = around + e->body.n;
    unsigned char *to = (unsigned char *)buf_room(&b->entries, 4 + n);
    if (to == NULL) {
        b->entries.over = false; /* the next, smaller one may still fit */
        return false;
    }
    to = put(to, n, 4);
    to = put(to, FORMAT, 1);
    to = put(to, verdicts, 1);
    to = put(to, e->device.n, 2);
    to = put(to, e->person.n, 2);
    to = put(to, e->lowered.n, 2);
    to = put(to, e->body.n, 4);
    to = copy(to, (struct str){ (const char *)e->id.b, sizeof e->id.b });
    to = put(to, (uint64_t)e->received_ms, 8);
    to = put(to, (uint64_t)e->timestamp_ms, 8);
    to = put(to, e->message_hash, 8);
    to = put(to, (uint64_t)e->act_seq, 8);
    to = put(to, e->lowered_uses, 8);
    to = put(to, e->flags, 4);
    to = put(to, e->generation, 4);
    to = copy(to, e->device);
    to = copy(to, e->person);
    to = copy(to, e->lowered);
    to = copy(to, (struct str){ (const char *)e->verdict, verdicts });
    (void)copy(to, e->body);
    b->entries.n += 4 + n;
    b->count++;
    return true;
}

void segment_start(struct str bytes, struct segment_cursor *ret_c)
{
    *ret_c = (struct segment_cursor){ .rest = bytes };
}

static uint64_t get(const unsigned char **p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)(*p)[i] << (8 * i);
    *p += bytes;
    return v;
}

static struct str slice(const unsigned char **p, size_t n)
{
    struct str s = { (const char *)*p, n };
    *p += n;
    return s;
}

/* `n` bytes at p are the entry without its length. */
static bool decode(const unsigned char *p, size_t n, struct stored_event *ret_e)
{
    if (n < FIXED || get(&p, 1) != FORMAT)
        return false;
    size_t verdicts = get(&p, 1), device = get(&p, 2), person = get(&p, 2), lowered = get(&p, 2);
    size_t body = get(&p, 4);
    if (verdicts > LIMIT_DESTINATIONS || lowered % 4 != 0 ||
        n - FIXED != verdicts + device + person + lowered + body)
        return false;
    *ret_e = (struct stored_event){ 0 };
    memcpy(ret_e->id.b, slice(&p, sizeof ret_e->id.b).p, sizeof ret_e->id.b);
    ret_e->received_ms = (int64_t)get(&p, 8);
    ret_e->timestamp_ms = (int64_t)get(&p, 8);
    ret_e->message_hash = get(&p, 8);
    ret_e->act_seq = (int64_t)get(&p, 8);
    ret_e->lowered_uses = get(&p, 8);
    ret_e->flags = (uint32_t)get(&p, 4);
    ret_e->generation = (uint32_t)get(&p, 4);
    ret_e->device = slice(&p, device);
    ret_e->person = slice(&p, person);
    ret_e->lowered = slice(&p, lowered);
    struct str v = slice(&p, verdicts);
    if (v.n && v.p[v.n - 1] == 0)
        return false;
    memcpy(ret_e->verdict, v.p, v.n);
    ret_e->body = slice(&p, body);
    return true;
}

enum err segment_next(struct segment_cursor *c, struct stored_event *ret_e, struct str *ret_entry)
{
    if (c->rest.n == 0)
        return ERR_NOT_FOUND;
    struct str rest = c->rest, inner;
    uint32_t n;
    struct stored_event e;
    if (!take_u32(&rest, &n) || !take_bytes(&rest, n, &inner) ||
        !decode((const unsigned char *)inner.p, n, &e))
        return ERR_CORRUPT;
    *ret_e = e;
    *ret_entry = (struct str){ c->rest.p, 4 + (size_t)n };
    c->rest = rest;
    c->index++;
    return OK;
}

enum reason stored_reason(const struct stored_event *e, uint32_t slot)
{
    uint8_t reason = e->verdict[slot] & STORED_REASON;
    return reason < REASON_COUNT ? (enum reason)reason : REASON_UNKNOWN_USE;
}
