/* deliver/wire_probe.h - one request, or one connection, at once; for probe.c alone.
 *
 * The same rules as for deliveries (wire_setup.h); no private address unless allowed.
 */
#ifndef DELIVER_WIRE_PROBE_H
#define DELIVER_WIRE_PROBE_H

#include "deliver/destination.h"

struct wire_answer {
    int status; /* 0: only a connection was made */
    struct str body;
    const char *why; /* of ERR_IO: a constant */
};
/* Posts `q`, or with NULL only connects to `url` (with TLS where it says https). */
enum err wire_probe(const struct conf_destination *conf, struct str url,
                    const struct outgoing_request *q, struct arena *a,
                    struct wire_answer *ret_answer) MUST_CHECK;

#endif
