/* audit/said.h - one act as it was written down: what documents for people are made of.
 *
 * The fact's own bytes, read again; nothing here is derived.
 */
#ifndef AUDIT_SAID_H
#define AUDIT_SAID_H

#include "codec/json.h"
#include "store/store.h"

struct said {
    struct act_found act;
    struct json_doc doc; /* of act.payload */
};

/* ERR_NOT_FOUND: it was erased. ERR_CORRUPT: it cannot be read. */
enum err said_read(const struct act_found *act, struct arena *a, struct said *ret_said) MUST_CHECK;

/* What it did to a purpose (its number in the store), as a node of the document; 0: nothing. */
uint32_t said_effect_on(const struct json_doc *said, uint32_t purpose);

struct said_effect {
    struct act_effect effect;
    struct str name; /* the purpose's id then */
};
/* One node of "effects". False when it is none. */
bool said_effect(const struct json_doc *said, uint32_t node, struct arena *a,
                 struct said_effect *ret_effect);

#endif
