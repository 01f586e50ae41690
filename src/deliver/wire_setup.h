/* deliver/wire_setup.h - a connection as the configuration has it, for wire*.c alone.
 *
 * TLS is verified always; a proxy is the configured one or none; no redirect is followed; HTTP/1 alone.
 */
#ifndef DELIVER_WIRE_SETUP_H
#define DELIVER_WIRE_SETUP_H

#include "conf/conf.h"
#include "deliver/destination.h"

#include <stdatomic.h>

/* One call, and what is looked at while it runs. */
struct wire_guard {
    const struct conf_destination *conf; /* stays, like the guard, until the call's end */
    const atomic_bool *stop;             /* true: give up; or NULL */
    size_t head_bytes;                   /* of the answer, interim answers included */
    bool closed_address;                 /* an address was refused */
    bool long_head;                      /* the answer's went beyond LIMIT_ANSWER_HEAD */
    bool bad_header;                     /* one of ours is not one line: do not send it */
};

/* May this destination, or its proxy, be at an address that is not public? */
bool wire_may_call_private(const struct conf_destination *c);
struct sockaddr;
bool wire_guard_admits(struct wire_guard *g, const struct sockaddr *to);

/* Sets libcurl's easy handle up: the connection as the configuration has it, our name, and the guard. `whole_ms` is for
 * all of it, LIMIT_CONNECT_S of that at most for the connection. The arena stays until its end. */
void wire_set_guard(void *easy, struct wire_guard *g, int64_t whole_ms, struct arena *a);
/* Method, headers and body. The list is to be given to curl_slist_free_all() at the end. */
void *wire_set_request(void *easy, struct wire_guard *g, const struct outgoing_request *q,
                       struct arena *a);
/* What became of it, in words for operators: a constant. `code` is libcurl's. */
const char *wire_error(void *easy, const struct wire_guard *g, int code);
/* TLS alone, as the configuration has it. */
void wire_set_tls(void *easy, const struct conf_destination_tls *t, struct arena *a);

#endif
