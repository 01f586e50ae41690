/* deliver/wire_setup.h - a connection as the configuration has it, for wire*.c alone.
 *
 * TLS is verified always; a proxy is the configured one or none; no redirect is followed; HTTP/1 alone.
 */
#ifndef DELIVER_WIRE_SETUP_H
#define DELIVER_WIRE_SETUP_H

#include "conf/conf.h"

/* May this destination, or its proxy, be at an address that is not public? */
bool wire_may_call_private(const struct conf_destination *c);
/* Sets all that up in libcurl's easy handle. The configuration and the arena stay until its end. */
void wire_set_connection(void *easy, const struct conf_destination *c, struct arena *a);
/* Its part about TLS alone. */
void wire_set_tls(void *easy, const struct conf_destination_tls *t, struct arena *a);
/* What became of it, in words for operators: a constant. `code` is libcurl's; `closed_address`: an address
 * was refused by wire_may_call_private(). */
const char *wire_error(void *easy, const struct conf_destination *c, bool closed_address, int code);

#endif
