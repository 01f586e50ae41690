#include "base/id.h"
#include "base/must.h"

#include <sodium.h>

static _Thread_local uint8_t pool[4096];
static _Thread_local size_t left;

void random_bytes(void *ret_bytes, size_t n)
{
    if (n > sizeof pool / 4) {
        randombytes_buf(ret_bytes, n);
        return;
    }
    if (left < n) {
        /* one system call for the seed; libsodium would make sixteen for the whole */
        uint8_t seed[randombytes_SEEDBYTES];
        randombytes_buf(seed, sizeof seed);
        randombytes_buf_deterministic(pool, sizeof pool, seed);
        sodium_memzero(seed, sizeof seed);
        left = sizeof pool;
    }
    left -= n;
    memcpy(ret_bytes, pool + left, n);
    sodium_memzero(pool + left, n); /* never handed out twice, not even to a core dump */
}

struct id id_made_of(int64_t at_ms, const uint8_t bytes[10])
{
    must(at_ms >= 0 && at_ms < (int64_t)1 << 48);
    struct id id;
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)((uint64_t)at_ms >> (40 - 8 * i));
    memcpy(id.b + 6, bytes, 10);
    id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x70);
    id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
    return id;
}

struct id id_new(int64_t at_ms)
{
    /* the 12 bits behind the time count within a millisecond (RFC 9562, 6.2, method 1) */
    static _Thread_local int64_t last_ms;
    static _Thread_local unsigned count;
    must(at_ms >= 0 && at_ms < (int64_t)1 << 48);
    if (at_ms > last_ms) {
        last_ms = at_ms;
        count = 0;
    } else if (++count > 0xfff) {
        last_ms++;
        count = 0;
    }
    struct id id;
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)((uint64_t)last_ms >> (40 - 8 * i));
    random_bytes(id.b + 8, 8);
    id.b[6] = (uint8_t)(0x70 | count >> 8);
    id.b[7] = (uint8_t)count;
    id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
    return id;
}

int64_t id_ms(const struct id *id)
{
    uint64_t v = 0;
    for (int i = 0; i < 6; i++)
        v = v << 8 | id->b[i];
    return (int64_t)v;
}

void id_format(const struct id *id, char ret_text[ID_TEXT + 1])
{
    static const char hex[] = "0123456789abcdef";
    char *to = ret_text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[id->b[i] >> 4];
        *to++ = hex[id->b[i] & 15];
    }
    *to = 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool id_parse(struct str text, struct id *ret_id)
{
    if (text.n != ID_TEXT)
        return false;
    struct id id;
    const char *p = text.p;
    for (int i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
            return false;
        int hi = hex_value(p[0]), lo = hex_value(p[1]);
        if (hi < 0 || lo < 0)
            return false;
        id.b[i] = (uint8_t)(hi << 4 | lo);
        p += 2;
    }
    *ret_id = id;
    return true;
}
