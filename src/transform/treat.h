/* transform/treat.h - one value, one treatment.
 *
 * Pure. Values come in and go out unescaped.
 */
#ifndef TRANSFORM_TREAT_H
#define TRANSFORM_TREAT_H

#include "base/arena.h"
#include "base/str.h"

#include <stdint.h>

/* HMAC-SHA256 under a key of this destination (by its number) and epoch, as 32 hex characters. The same value
 * gives the same pseudonym within an epoch and never elsewhere. epoch_days 0: one epoch for ever. */
struct str treat_pseudonymise(struct str value, const uint8_t secret[32], uint32_t slot,
                              uint32_t epoch_days, int64_t at_ms, struct arena *a);

/* The same in two steps, where one key serves many values. */
struct treat_key {
    uint8_t b[32];
};
struct treat_key treat_key_of(const uint8_t secret[32], uint32_t slot, uint32_t epoch_days,
                              int64_t at_ms);
struct str treat_pseudonymise_with(struct str value, const struct treat_key *key, struct arena *a);

/* 203.0.113.7 → 203.0.113.0; 2001:db8:1:2::3 → 2001:db8:1:: (/24, /48). An IPv4 address within IPv6
 * (::ffff:203.0.113.7) is taken as what it is. Empty for what is no address. */
struct str treat_truncate_ip(struct str value, struct arena *a);

/* Keeps scheme, host, path and the named query parameters (a trailing '*' matches any end); user info and
 * fragment go. Works on relative URLs. Empty for what has a scheme but no host (mailto:, data:, tel:). */
struct str treat_query(struct str url, const struct str *parameter, uint32_t count,
                       struct arena *a);

/* SHA-256 of the value, trimmed and lower-cased (ASCII), hex. */
struct str treat_hash(struct str value, struct arena *a);

#endif
