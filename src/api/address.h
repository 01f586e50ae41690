/* api/address.h - whose address counts.
 *
 * Behind a proxy the client's address stands in X-Forwarded-For, which anyone
 * can send: it is believed only when the connection comes from a configured proxy.
 */
#ifndef API_ADDRESS_H
#define API_ADDRESS_H

#include "base/arena.h"
#include "conf/conf.h"

struct sockaddr;

/* "203.0.113.7", "2001:db8::1"; IPv4 in IPv6 is written as IPv4. Empty for other families. */
struct str address_text(const struct sockaddr *a, struct arena *arena);

/* The client: the peer, or, when that is a trusted proxy, the last address in
 * X-Forwarded-For that is not one. */
struct str address_client(const struct conf *c, struct str peer, struct str forwarded_for,
                          struct arena *a);

/* What counts as one address in limits, as a number: IPv4 as a whole, of IPv6 the /64, which one household or
 * server has to itself. 0 for what is no address. */
uint64_t address_group(struct str address);

bool address_is_proxy(const struct conf *c, struct str address); /* of trusted_proxies */

/* Whether an address lies in "address" or "address/bits". */
bool address_in(struct str address, struct str network);
bool address_is_loopback(struct str address);

#endif
