#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_fini(struct buf *b)
{
    free(b->p);
    *b = (struct buf)BUF_INIT(b->max);
}

char *buf_room(struct buf *b, size_t n)
{
    if (b->over || n > b->max || b->n > b->max - n) {
        b->over = true;
        return NULL;
    }
    if (b->cap - b->n < n) {
        size_t cap = b->cap ? b->cap * 2 : 256;
        while (cap < b->n + n)
            cap *= 2;
        if (cap > b->max)
            cap = b->max;
        b->p = must_realloc(b->p, cap);
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    char none[1];
    int n = vsnprintf(none, sizeof none, fmt, args); /* only asks for the length */
    va_end(args);
    must(n >= 0);
    /* vsnprintf also writes the zero byte, which is then not counted */
    char *to = buf_room(b, (size_t)n + 1);
    if (to != NULL) {
        (void)vsnprintf(to, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

static void add_le(struct buf *b, uint64_t v, int bytes)
{
    unsigned char le[8];
    for (int i = 0; i < bytes; i++)
        le[i] = (unsigned char)(v >> (8 * i));
    buf_add(b, le, (size_t)bytes);
}

void buf_u16(struct buf *b, uint16_t v)
{
    add_le(b, v, 2);
}
void buf_u32(struct buf *b, uint32_t v)
{
    add_le(b, v, 4);
}
void buf_u64(struct buf *b, uint64_t v)
{
    add_le(b, v, 8);
}

static bool take_le(struct str *s, int bytes, uint64_t *ret_v)
{
    if (s->n < (size_t)bytes)
        return false;
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)s->p[i] << (8 * i);
    s->p += bytes;
    s->n -= (size_t)bytes;
    *ret_v = v;
    return true;
}

bool take_u8(struct str *s, uint8_t *ret_v)
{
    uint64_t v;
    if (!take_le(s, 1, &v))
        return false;
    *ret_v = (uint8_t)v;
    return true;
}

bool take_u16(struct str *s, uint16_t *ret_v)
{
    uint64_t v;
    if (!take_le(s, 2, &v))
        return false;
    *ret_v = (uint16_t)v;
    return true;
}

bool take_u32(struct str *s, uint32_t *ret_v)
{
    uint64_t v;
    if (!take_le(s, 4, &v))
        return false;
    *ret_v = (uint32_t)v;
    return true;
}

bool take_u64(struct str *s, uint64_t *ret_v)
{
    return take_le(s, 8, ret_v);
}

bool take_bytes(struct str *s, size_t n, struct str *ret_bytes)
{
    if (s->n < n)
        return false;
    *ret_bytes = (struct str){ s->p, n };
    if (n > 0) /* nothing may stand nowhere */
        s->p += n;
    s->n -= n;
    return true;
}
