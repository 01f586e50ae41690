/* model/event.h - one message of a visitor, whatever protocol brought it.
 *
 * An adapter (collect/) fills it; slices point into the request's body or
 * arena. Field names are those of the Segment common fields.
 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include "base/id.h"
#include "base/str.h"
#include "codec/json.h"

#include <stdint.h>

enum { SIGNAL_GPC = 1, SIGNAL_DNT = 2 };

struct event {
    struct id id;         /* ours, UUIDv7 of the time received */
    int64_t received_ms;  /* the moment of collection */
    int64_t timestamp_ms; /* the client's, corrected for its clock's skew */

    const struct json_doc *doc;
    uint32_t root;          /* the message */
    uint32_t batch_context; /* 0, or what the batch says for all: the message's own members win */
    uint32_t batch_integrations;

    struct str type;       /* "track", "page", "screen", "identify", "group", "alias", "merge" */
    struct str message_id; /* never empty: made up when the client sent none */
    struct str device;     /* anonymousId; empty: none */
    struct str person;     /* userId; empty: none */

    struct str request_ip; /* for context.ip, when the client may leave it to us; else empty */
    struct str request_user_agent; /* likewise */
    uint32_t signals;              /* SIGNAL_… of the request that brought it */
    bool test;                     /* came with a key of mode: test */
    uint64_t lowered; /* purposes that the event itself denies: bit = index into policy->purpose */
    uint64_t lowered_uses; /* likewise, destinations: bit = index into policy->use */
};

#endif
