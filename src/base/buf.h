/* base/buf.h - bytes that grow, up to a stated maximum.
 *
 * Appending past the maximum does nothing and sets `over`, which stays set:
 * write a whole message, then look once. A buffer owns its memory.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/must.h"
#include "base/str.h"

#include <stdint.h>

struct buf {
    char *p;
    size_t n, cap, max;
    bool over;
};

#define BUF_INIT(maximum)                                                                          \
    {                                                                                              \
        .max = (maximum)                                                                           \
    }

void buf_fini(struct buf *b); /* AUTO(buf_fini) struct buf b = BUF_INIT(LIMIT_…); */
static inline void buf_clear(struct buf *b)
{
    b->n = 0;
    b->over = false;
}

/* Room for n more bytes at b->p + b->n, or NULL (and over) past the maximum.
 * The caller writes there and adds to b->n. */
char *buf_room(struct buf *b, size_t n);

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0) /* to nothing, perhaps: then there is no place to add it */
        return;
    char *to = b->cap - b->n >= n ? b->p + b->n : buf_room(b, n);
    if (to == NULL)
        return;
    memcpy(to, p, n);
    b->n += n;
}
static inline void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}
static inline void buf_byte(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}
#define buf_lit(b, literal) buf_add((b), (literal), sizeof(literal) - 1)
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Fixed-width little-endian integers, for the binary parts of the store. */
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);

static inline struct str buf_view(const struct buf *b)
{
    return (struct str){ b->p, b->n };
}

/* The reading side: takes from the front of *s; false, and *s unchanged, when
 * too few bytes are left. */
bool take_u8(struct str *s, uint8_t *ret_v);
bool take_u16(struct str *s, uint16_t *ret_v);
bool take_u32(struct str *s, uint32_t *ret_v);
bool take_u64(struct str *s, uint64_t *ret_v);
bool take_bytes(struct str *s, size_t n, struct str *ret_bytes);

#endif
