#include "policy/compile.h"
#include "policy/content_priv.h"

#include <sodium.h>

struct compiler {
    const struct conf *conf;
    const struct frozen *frozen;
    struct arena *arena;
    struct buf *reports;
    struct policy *policy;
};

/* ---- purposes ---- */

/* Whether that is who receives at the slot's destination today. */
static bool is_present(const struct compiler *m, const struct content_recipient *r)
{
    for (uint32_t i = 0; i < m->conf->destination_count; i++) {
        const struct conf_destination *d = &m->conf->destination[i];
        if (str_eq(d->id, r->id))
            return d->has_recipient && str_eq(d->recipient_name, r->name) &&
                   str_eq(str_of(d->recipient_country), r->country);
    }
    return false;
}

static void compile_recipients(const struct compiler *m, const struct content *n,
                               struct policy_version *to)
{
    struct policy_recipient *list =
        arena_array(m->arena, struct policy_recipient, n->recipient_count);
    for (uint32_t i = 0; i < n->recipient_count; i++) {
        const struct content_recipient *from = &n->recipient[i];
        uint32_t slot =
            frozen_index(m->frozen->destination, m->frozen->destination_count, from->id);
        if (slot >= LIMIT_DESTINATIONS || from->country.n >= sizeof(list->country))
            continue; /* named, but never a destination: nothing goes there */
        struct policy_recipient *r = &list[to->recipient_count++];
        *r = (struct policy_recipient){ .slot = slot, .name = from->name };
        if (from->country.n)
            memcpy(r->country, from->country.p, from->country.n);
        if (is_present(m, from))
            to->named_slots |= 1u << slot;
    }
    to->recipient = list;
}

static enum err compile_version(const struct compiler *m, const struct conf_purpose *p, uint32_t i,
                                struct policy_version *to)
{
    const struct conf_version *v = &p->version[i];
    const struct frozen_version *frozen = frozen_find(m->frozen, p->id, v->version);
    struct content n;
    if (frozen == NULL) {
        conf_report(m->conf, v->place, true, m->reports,
                    "version %u of purpose '%.*s' is not stored", v->version, STR_ARG(p->id));
        return ERR_NOT_FOUND;
    }
    if (content_read(frozen->content, m->arena, &n) != OK) {
        conf_report(m->conf, v->place, true, m->reports,
                    "what is stored of version %u of purpose '%.*s' cannot be read", v->version,
                    STR_ARG(p->id));
        return ERR_CORRUPT;
    }
    *to = (struct policy_version){
        .version = v->version,
        .since_ms = v->since_ms,
        .until_ms = i + 1 < p->version_count ? v[1].since_ms : INT64_MAX,
        .voided_ms = v->voided_ms,
        .notice = v->notice,
        .notice_count = v->notice_count,
    };
    compile_recipients(m, &n, to);
    return OK;
}

/* Void by the file or since it was declared: the earlier of the two. */
static void compile_voids(const struct compiler *m, uint32_t number, struct policy_version *v)
{
    for (uint32_t i = 0; i < m->frozen->void_count; i++) {
        const struct frozen_void *d = &m->frozen->voided[i];
        if (d->purpose == number && d->version == v->version &&
            (v->voided_ms == 0 || d->from_ms < v->voided_ms))
            v->voided_ms = d->from_ms > 0 ? d->from_ms : 1; /* 0 would say that it is not */
    }
}

static enum err compile_purpose(const struct compiler *m, const struct conf_purpose *p,
                                struct policy_purpose *to)
{
    uint32_t index = frozen_index(m->frozen->purpose, m->frozen->purpose_count, p->id);
    if (index == UINT32_MAX) {
        conf_report(m->conf, p->place, true, m->reports, "purpose '%.*s' is not stored",
                    STR_ARG(p->id));
        return ERR_NOT_FOUND;
    }
    struct policy_version *versions =
        arena_array(m->arena, struct policy_version, p->version_count);
    *to = (struct policy_purpose){
        .number = index + 1,
        .conf = p,
        .version = versions,
        .version_count = p->version_count,
    };
    for (uint32_t i = 0; i < p->version_count; i++) {
        enum err err = compile_version(m, p, i, &versions[i]);
        if (err != OK)
            return err;
        compile_voids(m, to->number, &versions[i]);
    }
    return OK;
}

/* ---- transfers ---- */

static int64_t end_of_day(int64_t ms)
{
    return ms ? (ms / DAY_MS + 1) * DAY_MS : INT64_MAX; /* 0: open */
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool policy_transfer_span(const struct conf_transfer *t, struct policy_span *ret_span)
{
    struct policy_span s = { t->since_ms, end_of_day(t->until_ms) };
    switch (t->basis) {
    case CONF_ADEQUACY: s.to_ms = sooner(s.to_ms, end_of_day(t->certified_until_ms)); break;
    case CONF_SCC:
    case CONF_BCR:
        if (t->assessed_ms == 0)
            return false;
        s.from_ms = later(s.from_ms, t->assessed_ms);
        break;
    case CONF_DEROGATION: break;
    default: return false;
    }
    *ret_span = s;
    return s.from_ms < s.to_ms;
}

static bool same_importer(const struct conf_transfer *t, struct str name, const char country[3])
{
    return str_eq(t->importer, name) && str_eq(str_of(t->country), str_of(country));
}

/* All entries of one importer with their fallbacks: any that holds is enough. */
static void compile_importer(const struct compiler *m, const struct conf_destination *d,
                             struct str name, const char country[3], struct policy_importer *to)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < d->transfer_count; i++) {
        for (const struct conf_transfer *t = &d->transfer[i]; t; t = t->fallback)
            most += same_importer(&d->transfer[i], name, country);
    }
    struct policy_span *spans = arena_array(m->arena, struct policy_span, most);
    for (uint32_t i = 0; i < d->transfer_count; i++) {
        if (!same_importer(&d->transfer[i], name, country))
            continue;
        for (const struct conf_transfer *t = &d->transfer[i]; t; t = t->fallback)
            to->span_count += policy_transfer_span(t, &spans[to->span_count]);
    }
    to->span = spans;
}

static void compile_transfers(const struct compiler *m, const struct conf_destination *d,
                              struct policy_use *to)
{
    struct policy_importer *list =
        arena_array(m->arena, struct policy_importer, d->transfer_count + 1);
    bool recipient_listed = !d->has_recipient || conf_in_eea(d->recipient_country);
    for (uint32_t i = 0; i < d->transfer_count; i++) {
        const struct conf_transfer *t = &d->transfer[i];
        bool seen = conf_in_eea(t->country);
        for (uint32_t k = 0; k < i && !seen; k++)
            seen = same_importer(&d->transfer[k], t->importer, t->country);
        if (seen)
            continue;
        compile_importer(m, d, t->importer, t->country, &list[to->importer_count++]);
        recipient_listed |= same_importer(t, d->recipient_name, d->recipient_country);
    }
    if (!recipient_listed)
        to->importer_count++; /* an importer without any span: never */
    to->importer = list;
}

/* ---- uses ---- */

static bool requires(const struct policy_use *u, uint32_t purpose)
{
    for (uint32_t i = 0; i < u->require_count; i++) {
        if (u->require[i] == purpose && purpose != UINT32_MAX)
            return true;
    }
    return false;
}

static enum err add_required(const struct compiler *m, const struct conf_destination *d,
                             const struct str *ids, uint32_t count, struct policy_use *to)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = policy_purpose_index(m->policy, ids[i]);
        if (requires(to, index))
            continue;
        if (to->require_count == LIMIT_PURPOSES_PER_USE) {
            conf_report(m->conf, d->place, true, m->reports,
                        "destination '%.*s' needs more than %d purposes", STR_ARG(d->id),
                        LIMIT_PURPOSES_PER_USE);
            return ERR_LIMIT;
        }
        to->require[to->require_count++] = index;
    }
    return OK;
}

static void compile_claims(const struct compiler *m, const struct conf_destination *d,
                           struct policy_use *to)
{
    for (int kind = 0; kind < CONF_CLAIMS; kind++) {
        const struct conf_claim *from = &d->claim[kind];
        struct policy_claim *c = &to->claim[kind];
        must(from->purpose_count <= LIMIT_PURPOSES_PER_USE);
        for (uint32_t i = 0; i < from->purpose_count; i++)
            c->purpose[c->purpose_count++] = policy_purpose_index(m->policy, from->purpose[i]);
    }
}

static enum err compile_use(const struct compiler *m, const struct conf_destination *d,
                            struct policy_use *to)
{
    uint32_t slot = frozen_index(m->frozen->destination, m->frozen->destination_count, d->id);
    if (slot >= LIMIT_DESTINATIONS) {
        conf_report(m->conf, d->place, true, m->reports, "destination '%.*s' is not stored",
                    STR_ARG(d->id));
        return ERR_NOT_FOUND;
    }
    *to = (struct policy_use){
        .slot = slot,
        .conf = d,
        .is_own = !d->has_recipient,
        .has_role = !d->has_recipient || d->role == CONF_PROCESSOR || d->recipient_purpose_count,
    };
    compile_transfers(m, d, to);
    compile_claims(m, d, to);
    enum err err = add_required(m, d, d->requires, d->require_count, to);
    if (err == OK)
        err = add_required(m, d, d->recipient_purpose, d->recipient_purpose_count, to);
    return err;
}

/* ---- the hash ---- */

static void hash_text(struct buf *b, struct str s)
{
    buf_u32(b, (uint32_t)s.n);
    buf_str(b, s);
}

static void hash_version(struct buf *b, const struct policy_version *v)
{
    buf_u32(b, v->version);
    buf_u64(b, (uint64_t)v->since_ms);
    buf_u64(b, (uint64_t)v->voided_ms);
    buf_u32(b, v->named_slots);
    buf_u32(b, v->recipient_count);
    for (uint32_t i = 0; i < v->recipient_count; i++) {
        buf_u32(b, v->recipient[i].slot);
        hash_text(b, v->recipient[i].name);
        hash_text(b, str_of(v->recipient[i].country));
    }
    buf_u32(b, v->notice_count); /* they decide which version an act is bound to */
    for (uint32_t i = 0; i < v->notice_count; i++) {
        hash_text(b, v->notice[i].identifier);
        buf_u32(b, v->notice[i].version);
    }
}

static void hash_purpose(struct buf *b, const struct policy_purpose *p)
{
    const struct conf_purpose *c = p->conf;
    buf_u32(b, p->number);
    hash_text(b, c->id);
    buf_u32(b, c->basis);
    buf_u32(b, c->terminal_access);
    buf_u32(b, c->scope);
    buf_u32(b, c->honours);
    buf_byte(b, (char)(c->double_opt_in << 1 | c->proof_optional));
    buf_u32(b, (uint32_t)c->lifetime.months);
    buf_u64(b, (uint64_t)c->lifetime.ms);
    buf_u32(b, c->consent_category_count); /* by them an event lowers */
    for (uint32_t i = 0; i < c->consent_category_count; i++)
        hash_text(b, c->consent_category[i]);
    buf_u32(b, p->version_count);
    for (uint32_t i = 0; i < p->version_count; i++)
        hash_version(b, &p->version[i]);
}

static void hash_use(struct buf *b, const struct policy_use *u)
{
    buf_u32(b, u->slot);
    hash_text(b, u->conf->id);
    buf_byte(b, (char)(u->is_own << 1 | u->has_role));
    buf_u32(b, u->require_count);
    for (uint32_t i = 0; i < u->require_count; i++)
        buf_u32(b, u->require[i]);
    for (int kind = 0; kind < CONF_CLAIMS; kind++) {
        buf_u32(b, u->claim[kind].purpose_count);
        for (uint32_t i = 0; i < u->claim[kind].purpose_count; i++)
            buf_u32(b, u->claim[kind].purpose[i]);
    }
    buf_u32(b, u->importer_count);
    for (uint32_t i = 0; i < u->importer_count; i++) {
        buf_u32(b, u->importer[i].span_count);
        for (uint32_t s = 0; s < u->importer[i].span_count; s++) {
            buf_u64(b, (uint64_t)u->importer[i].span[s].from_ms);
            buf_u64(b, (uint64_t)u->importer[i].span[s].to_ms);
        }
    }
}

/* Every list goes in with its length, so no two policies give the same bytes. */
static void hash_policy(struct policy *p)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(16 * LIMIT_CONF);
    buf_u32(&b, p->purpose_count);
    for (uint32_t i = 0; i < p->purpose_count; i++)
        hash_purpose(&b, &p->purpose[i]);
    buf_u32(&b, p->use_count);
    for (uint32_t i = 0; i < p->use_count; i++)
        hash_use(&b, &p->use[i]);
    must(!b.over);
    must(crypto_generichash(p->hash, sizeof(p->hash), (const unsigned char *)b.p, b.n, NULL, 0) ==
         0);
}

enum err policy_compile(const struct conf *c, const struct frozen *f, uint32_t generation,
                        struct arena *a, const struct policy **ret_policy, struct buf *reports)
{
    if (c->purpose_count > LIMIT_PURPOSES || c->destination_count > LIMIT_DESTINATIONS)
        return ERR_LIMIT;
    struct policy *p = arena_new(a, struct policy);
    struct policy_purpose *purposes = arena_array(a, struct policy_purpose, c->purpose_count);
    struct policy_use *uses = arena_array(a, struct policy_use, c->destination_count);
    *p = (struct policy){
        .conf = c,
        .generation = generation,
        .purpose = purposes,
        .purpose_count = c->purpose_count,
        .use = uses,
        .use_count = c->destination_count,
    };
    const struct compiler m = {
        .conf = c, .frozen = f, .arena = a, .reports = reports, .policy = p
    };
    enum err err = OK;
    for (uint32_t i = 0; err == OK && i < c->purpose_count; i++)
        err = compile_purpose(&m, &c->purpose[i], &purposes[i]);
    for (uint32_t i = 0; err == OK && i < c->destination_count; i++)
        err = compile_use(&m, &c->destination[i], &uses[i]);
    if (err != OK)
        return err;
    for (int i = 0; i < LIMIT_DESTINATIONS; i++)
        p->use_of_slot[i] = -1;
    for (uint32_t i = 0; i < p->use_count; i++)
        p->use_of_slot[uses[i].slot] = (int16_t)i;
    hash_policy(p);
    *ret_policy = p;
    return OK;
}
