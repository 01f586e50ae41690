/* collect/collect.h - what every adapter is given and gives back.
 *
 * An adapter turns the bytes of one SDK's protocol into model events. It judges
 * nothing and stores nothing.
 *
 * Owner:  events and texts live in the request's arena or point into the body.
 * Thread: the loop's.
 */
#ifndef COLLECT_COLLECT_H
#define COLLECT_COLLECT_H

#include "base/arena.h"
#include "base/err.h"
#include "model/event.h"
#include "policy/policy.h"

struct collect_request {
    struct str path;          /* "/v1/batch", normalised: one slash, none at the end */
    struct str query;         /* undecoded, without '?' */
    struct str body;          /* as sent */
    struct str authorization; /* header values; empty: none */
    struct str anonymous_id;  /* RudderStack's AnonymousId: base64 */
    struct str ip;            /* of the client, after trusted proxies */
    struct str user_agent;
    uint32_t signals; /* SIGNAL_… from Sec-GPC and DNT */
    bool
        from_browser; /* came with a public key: the request's ip and user agent are the visitor's */
    bool test;
    int64_t received_ms;
};

struct collect_rejected {
    uint32_t index;  /* position in the batch */
    const char *why; /* a constant: "no userId or anonymousId" */
};

struct collect_result {
    struct event *event;
    uint32_t event_count;
    struct collect_rejected *rejected;
    uint32_t rejected_count;
};

#endif
