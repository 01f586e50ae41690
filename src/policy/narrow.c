#include "policy/compile.h"

/* Wider is: every purpose and use of `from` is still there and as lenient; what
 * was added beside them denies nothing that was permitted. Whatever is not
 * compared here counts as narrower. */

static bool same_categories(const struct conf_purpose *a, const struct conf_purpose *b)
{
    if (a->consent_category_count != b->consent_category_count)
        return false;
    for (uint32_t i = 0; i < a->consent_category_count; i++) {
        if (!str_eq(a->consent_category[i], b->consent_category[i]))
            return false;
    }
    return true;
}

static bool version_kept(const struct policy_version *from, const struct policy_purpose *p)
{
    const struct policy_version *to = policy_version_numbered(p, from->version);
    return to && (to->voided_ms == 0 || to->voided_ms == from->voided_ms) &&
           (from->named_slots & ~to->named_slots) == 0;
}

static bool purpose_kept(const struct policy_purpose *from, const struct policy *to)
{
    const struct policy_purpose *p = policy_purpose_numbered(to, from->number);
    if (p == NULL)
        return false;
    const struct conf_purpose *a = from->conf, *b = p->conf;
    if (!str_eq(a->id, b->id) || a->basis != b->basis || a->terminal_access != b->terminal_access ||
        a->scope != b->scope || a->honours != b->honours || a->double_opt_in != b->double_opt_in ||
        a->proof_optional != b->proof_optional || a->lifetime.months != b->lifetime.months ||
        a->lifetime.ms != b->lifetime.ms || !same_categories(a, b))
        return false;
    for (uint32_t i = 0; i < from->version_count; i++) {
        if (!version_kept(&from->version[i], p))
            return false;
    }
    return true;
}

static uint32_t required_number(const struct policy *p, const struct policy_use *u, uint32_t i)
{
    return u->require[i] < p->purpose_count ? p->purpose[u->require[i]].number : 0;
}

static bool same_requirements(const struct policy *from, const struct policy_use *a,
                              const struct policy *to, const struct policy_use *b)
{
    if (a->require_count != b->require_count)
        return false;
    for (uint32_t i = 0; i < a->require_count; i++) {
        if (required_number(from, a, i) != required_number(to, b, i))
            return false;
    }
    return true;
}

static bool same_transfers(const struct policy_use *a, const struct policy_use *b)
{
    if (a->importer_count != b->importer_count)
        return false;
    for (uint32_t i = 0; i < a->importer_count; i++) {
        const struct policy_importer *x = &a->importer[i], *y = &b->importer[i];
        if (x->span_count != y->span_count)
            return false;
        for (uint32_t s = 0; s < x->span_count; s++) {
            if (x->span[s].from_ms != y->span[s].from_ms || x->span[s].to_ms != y->span[s].to_ms)
                return false;
        }
    }
    return true;
}

static uint32_t claimed_number(const struct policy *p, const struct policy_claim *c, uint32_t i)
{
    return c->purpose[i] < p->purpose_count ? p->purpose[c->purpose[i]].number : 0;
}

static bool same_claims(const struct policy *from, const struct policy_use *a,
                        const struct policy *to, const struct policy_use *b)
{
    for (int kind = 0; kind < CONF_CLAIMS; kind++) {
        const struct policy_claim *x = &a->claim[kind], *y = &b->claim[kind];
        if (x->purpose_count == 0)
            continue; /* nothing was said of anybody: a claim more is wider */
        if (x->purpose_count != y->purpose_count)
            return false;
        for (uint32_t i = 0; i < x->purpose_count; i++) {
            if (claimed_number(from, x, i) != claimed_number(to, y, i))
                return false;
        }
    }
    return true;
}

static bool use_kept(const struct policy *from, const struct policy_use *u, const struct policy *to)
{
    int16_t index = to->use_of_slot[u->slot];
    if (index < 0)
        return false;
    const struct policy_use *now = &to->use[index];
    return str_eq(u->conf->id, now->conf->id) && u->is_own <= now->is_own &&
           u->has_role <= now->has_role && same_requirements(from, u, to, now) &&
           same_transfers(u, now) && same_claims(from, u, to, now);
}

bool policy_narrows(const struct policy *from, const struct policy *to)
{
    if (memcmp(from->hash, to->hash, sizeof(from->hash)) == 0)
        return false;
    for (uint32_t i = 0; i < from->purpose_count; i++) {
        if (!purpose_kept(&from->purpose[i], to))
            return true;
    }
    for (uint32_t i = 0; i < from->use_count; i++) {
        if (!use_kept(from, &from->use[i], to))
            return true;
    }
    return false;
}
