#include "store/store_priv.h"

#include <stdlib.h>

struct standing standing_of(const struct act_effect *e, enum act_source source, int64_t seq)
{
    /* what lowers needs neither confirmation nor proof, and binds no version */
    return (struct standing){ .purpose = e->purpose,
                              .grant = e->grant,
                              .confirmed = e->confirmed || !e->grant,
                              .bare = e->grant && evidence_is_bare(e->evidence),
                              .imported = source == ACT_IMPORT,
                              .version = e->grant ? e->version : 0,
                              .first_effect = e->effect_ms,
                              .first_seq = seq,
                              .last_effect = e->effect_ms,
                              .last_seq = seq };
}

uint32_t standing_class(const struct standing *s)
{
    return (s->grant ? CLASS_GRANT : 0) | (s->confirmed ? CLASS_CONFIRMED : 0) |
           (s->bare ? CLASS_BARE : 0) | (s->imported ? CLASS_IMPORTED : 0);
}

bool standing_same(const struct standing *a, const struct standing *b)
{
    return a->purpose == b->purpose && a->version == b->version &&
           standing_class(a) == standing_class(b);
}

static bool before(int64_t effect, int64_t seq, int64_t other_effect, int64_t other_seq)
{
    return effect != other_effect ? effect < other_effect : seq < other_seq;
}

void standing_join(struct standing *to, const struct standing *one)
{
    if (before(one->first_effect, one->first_seq, to->first_effect, to->first_seq)) {
        to->first_effect = one->first_effect;
        to->first_seq = one->first_seq;
    }
    if (before(to->last_effect, to->last_seq, one->last_effect, one->last_seq)) {
        to->last_effect = one->last_effect;
        to->last_seq = one->last_seq;
    }
}

void standings_fini(struct standings *s)
{
    free(s->at);
    *s = (struct standings){ 0 };
}

void standings_add(struct standings *s, const struct standing *one)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (standing_same(&s->at[i], one)) {
            standing_join(&s->at[i], one);
            return;
        }
    }
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->at = must_realloc(s->at, s->cap * sizeof *s->at);
    }
    s->at[s->count++] = *one;
}

bool standings_add_act(struct standings *s, struct str columns, int64_t seq)
{
    struct act_columns c;
    if (!columns_read_act(columns, &c))
        return false;
    struct act_effect e;
    while (columns_next_effect(&c.effects, &e)) {
        struct standing one = standing_of(&e, c.source, seq);
        standings_add(s, &one);
    }
    return true;
}
