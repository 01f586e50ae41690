/* deliver/destination.h - what a destination file must give.
 *
 * One file per kind of receiver, destinations/<type>.c (with <type>_….c beside it where that grew),
 * which exports exactly one symbol, `const struct destination destination_<type>`, and one row in the
 * table of destination.c. The framework retries, never the file; a vendor's field names stand there only.
 */
#ifndef DELIVER_DESTINATION_H
#define DELIVER_DESTINATION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "model/decision.h"
#include "base/id.h"

/* One event in the form in which it may leave (transform/fields.h). */
struct outgoing_event {
    struct id id;
    int64_t received_ms;
    struct str body;             /* JSON object; with a `fit`, what that made of it */
    bool has_device, has_person; /* it came with such an id, whether that may leave or not */
    bool device_fields;          /* what belongs to the device may leave */
    uint32_t claims;             /* bits of conf_claim_kind: she agreed to that, too */
};

/* One event in a receiver's own form, within its limits. Lives in the arena that was given. */
struct fitted {
    struct str body;
    /* A request holds events of one `whom`, and of one `beside` unless they were sent together before. */
    struct str whom, beside;
    /* Names of the fields it took, as fields_apply() writes them; ":cut" behind one whose value had to be
     * shortened or changed, ":omitted" behind one that the receiver does not take. */
    struct str names;
    uint32_t cut, omitted; /* how many of these */
};

struct outgoing_request {
    const char *method;
    struct str url;
    struct buf body;      /* LIMIT_SEND_BYTES; freed by the framework */
    struct str header[8]; /* "Name: value" */
    uint32_t header_count;
};

/* How an answer is understood; a table per destination maps to these. */
enum answer {
    ANSWER_SENT = 1,  /* 2xx */
    ANSWER_RETRY,     /* 408, 425, 429, 5xx, no connection */
    ANSWER_REFUSED,   /* 4xx: will never be taken */
    ANSWER_UNCERTAIN, /* bytes went out, no answer came */
};

struct destination {
    const char *type;
    /* Puts one event into the receiver's form; NULL: it goes as it is, with any others.
     * REASON_PERMITTED, or why the receiver cannot have it: it is dropped then, alone. */
    enum reason (*fit)(const struct conf_destination *conf, const struct outgoing_event *event,
                       int64_t at_ms, struct arena *a, struct fitted *ret_fitted);
    uint32_t most_events; /* in one request, with `fit` */
    size_t most_bytes;
    /* Builds one request for 1 … batch_events events. `request` is the request's id, the same when it is repeated
     * with the same events; at_ms is now, for signatures. */
    enum err (*build)(const struct conf_destination *conf, const struct outgoing_event *event,
                      uint32_t count, const struct id *request, int64_t at_ms, struct arena *a,
                      struct outgoing_request *ret_q);
    enum answer (*judge)(int status, struct str body);
    /* For `licet check --live`: a request that the receiver examines and keeps nothing of, and what its
     * answer finds fault with, a line each (nothing: it is content). NULL: only a connection is made. */
    enum err (*ask)(const struct conf_destination *conf, int64_t at_ms, struct arena *a,
                    struct outgoing_request *ret_q);
    void (*complaints)(int status, struct str body, struct arena *a, struct buf *to);
};

/* By its type, or NULL: unknown, or nothing is sent there ("own"). */
const struct destination *destination_find(struct str type);

#endif
