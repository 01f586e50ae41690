/* base/id.h - UUIDv7, RFC 9562: 48 bits of time, then random.
 *
 * Ids made by one process grow strictly. Thread: any.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/str.h"

#include <stdint.h>

enum { ID_TEXT = 36 };

struct id {
    uint8_t b[16];
};

/* A new id that carries `at_ms` (0 … 2^48-1). */
struct id id_new(int64_t at_ms);

/* The one that carries `at_ms` and, but for the bits that say what it is, these ten bytes: the same for the same. */
struct id id_made_of(int64_t at_ms, const uint8_t bytes[10]);

/* The time within. */
int64_t id_ms(const struct id *id);

/* Writes 36 characters, lower case, and a zero byte. */
void id_format(const struct id *id, char ret_text[ID_TEXT + 1]);

/* Accepts the 36-character form only, either case. */
bool id_parse(struct str text, struct id *ret_id);

/* Random bytes from the system, buffered: for ids and leaf keys, where a
 * system call each would cost more than the work. */
void random_bytes(void *ret_bytes, size_t n);

#endif
