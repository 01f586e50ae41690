/* deliver/destination.h - what a destination file must give.
 *
 * One file per kind of receiver, destinations/<type>.c, which exports exactly one
 * symbol, `const struct destination destination_<type>`, and one row in the table
 * of destination.c. The framework retries, never the file; a vendor's field names stand there only.
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
    struct str body; /* JSON object */
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
    /* Builds one request for 1 … batch_events events. `request` is the request's id, the same when it is repeated
     * with the same events; at_ms is now, for signatures. */
    enum err (*build)(const struct conf_destination *conf, const struct outgoing_event *event,
                      uint32_t count, const struct id *request, int64_t at_ms, struct arena *a,
                      struct outgoing_request *ret_q);
    enum answer (*judge)(int status, struct str body);
};

/* By its type, or NULL: unknown, or nothing is sent there ("own"). */
const struct destination *destination_find(struct str type);

#endif
