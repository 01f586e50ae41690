/* A TC string that is read holds together: the same at a second reading, no vendor beyond those that
 * it tells of, and nothing when a letter of it is missing. */
#include "codec/tcf.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(arena_fini) struct arena a;
    struct tcf t, again;
    struct str s = { (const char *)data, n };
    arena_init(&a);
    if (tcf_parse(s, &a, &t) != OK)
        return 0;
    must(n <= LIMIT_TC_STRING && tcf_parse(s, &a, &again) == OK);
    must(t.created_ms >= 0 && t.created_ms <= t.updated_ms);
    must(t.purposes >> TCF_PURPOSES == 0 && t.special_features >> TCF_SPECIAL_FEATURES == 0);
    must(t.consent.most <= TCF_VENDORS && !tcf_vendor(&t, t.consent.most + 1) &&
         !tcf_vendor(&t, 0));
    for (uint32_t v = 1; v <= t.consent.most; v++)
        must(tcf_vendor(&t, v) == tcf_vendor(&again, v));
    for (uint32_t i = 0; i < t.restriction_count; i++) {
        const struct tcf_restriction *r = &t.restriction[i];
        must(r->purpose > 0 && r->purpose <= TCF_PURPOSES && r->type <= 2);
        must(r->first > 0 && r->first <= r->last && r->last <= TCF_VENDORS);
        must(r->type == 1 || !tcf_allows(&t, r->purpose, r->first));
    }
    return 0;
}
