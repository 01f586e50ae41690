/* base/address.h - may this network address be called?
 *
 * A destination's host name may resolve to anything: without this a name could
 * make the gateway talk to what only its own network can reach. Refused unless the
 * destination says allow_private_addresses: loopback, private, link-local, shared,
 * documentation, cloud metadata, benchmark, multicast and reserved ranges, and IPv6 addresses
 * that carry such an IPv4 address inside.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>

struct sockaddr;

/* True for an address of the public internet. False for families other than IPv4 and IPv6. */
bool address_is_public(const struct sockaddr *a);
/* The same for text as libcurl reports it ("203.0.113.7", "2001:db8::1"); false for what is none. */
bool address_text_is_public(const char *text);

#endif
