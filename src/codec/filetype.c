#include "codec/filetype.h"

#include "base/must.h"

#define ZLIB_CONST
#include <zlib.h>

#include <stdint.h>

const struct file_kind file_kind[FILE_TYPES] = {
    [FILE_PDF] = { STR_INIT("application/pdf"), STR_INIT("pdf") },
    [FILE_PNG] = { STR_INIT("image/png"), STR_INIT("png") },
    [FILE_JPEG] = { STR_INIT("image/jpeg"), STR_INIT("jpg") },
    [FILE_WEBP] = { STR_INIT("image/webp"), STR_INIT("webp") },
};

enum file_type file_type_named(struct str media)
{
    for (int t = FILE_UNKNOWN + 1; t < FILE_TYPES; t++) {
        if (str_eq(media, file_kind[t].media))
            return (enum file_type)t;
    }
    return FILE_UNKNOWN;
}

static bool cut(struct str *from, size_t n, struct str *ret_part)
{
    if (from->n < n)
        return false;
    *ret_part = (struct str){ from->p, n };
    *from = (struct str){ from->p + n, from->n - n };
    return true;
}

static size_t byte(struct str s, size_t i)
{
    return (unsigned char)s.p[i];
}
static size_t big16(struct str s, size_t at)
{
    return byte(s, at) << 8 | byte(s, at + 1);
}
static size_t big32(struct str s, size_t at)
{
    return big16(s, at) << 16 | big16(s, at + 2);
}
static size_t little32(struct str s, size_t at)
{
    return byte(s, at) | byte(s, at + 1) << 8 | byte(s, at + 2) << 16 | byte(s, at + 3) << 24;
}

static bool holds(struct str s, struct str wanted)
{
    return s.n > 0 && memmem(s.p, s.n, wanted.p, wanted.n) != NULL;
}

static struct str last(struct str s, size_t n)
{
    return s.n > n ? (struct str){ s.p + s.n - n, n } : s;
}

/* ---- PDF ---- */

static bool is_digit(size_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_pdf(struct str s)
{
    enum {
        END = 1024
    }; /* what stands behind %%EOF is less, in all that writers are known to make */
    return s.n > 8 && str_starts(s, STR("%PDF-")) && is_digit(byte(s, 5)) && s.p[6] == '.' &&
           is_digit(byte(s, 7)) && holds(last(s, END), STR("%%EOF")) &&
           holds(last(s, 2 * END), STR("startxref"));
}

/* ---- PNG ---- */

static bool is_png(struct str s)
{
    enum { FRAME = 12, IHDR = 13 }; /* length, type and checksum around what a chunk holds */
    struct str chunk, data;
    bool image = false;
    if (!str_starts(s, STR("\x89PNG\r\n\x1a\n")))
        return false;
    s = (struct str){ s.p + 8, s.n - 8 };
    for (uint32_t n = 0; s.n >= FRAME; n++) {
        size_t length = big32(s, 0);
        if (length > s.n - FRAME || !cut(&s, length + FRAME, &chunk))
            return false;
        struct str type = { chunk.p + 4, 4 };
        data = (struct str){ chunk.p + 8, length };
        if (crc32(0, (const Bytef *)type.p, (uInt)(length + 4)) != big32(chunk, length + 8))
            return false;
        bool header = str_eq(type, STR("IHDR"));
        if (header != (n == 0) ||
            (header && (length != IHDR || big32(data, 0) == 0 || big32(data, 4) == 0)))
            return false;
        image = image || (str_eq(type, STR("IDAT")) && length > 0);
        if (str_eq(type, STR("IEND")))
            return image && length == 0 && s.n == 0;
    }
    return false;
}

/* ---- JPEG ---- */

enum {
    SOF_FIRST = 0xc0,
    DHT = 0xc4,
    JPG = 0xc8,
    DAC = 0xcc,
    SOF_LAST = 0xcf,
    EOI = 0xd9,
    SOS = 0xda
};

static bool is_frame(size_t marker)
{
    return marker >= SOF_FIRST && marker <= SOF_LAST && marker != DHT && marker != JPG &&
           marker != DAC;
}

static bool is_jpeg(struct str s)
{
    struct str head, segment;
    bool frame = false;
    if (!str_starts(s, STR("\xff\xd8")))
        return false;
    s = (struct str){ s.p + 2, s.n - 2 };
    for (;;) {
        while (s.n > 1 && byte(s, 0) == 0xff && byte(s, 1) == 0xff) /* fill bytes */
            s = (struct str){ s.p + 1, s.n - 1 };
        if (!cut(&s, 4, &head) || byte(head, 0) != 0xff)
            return false;
        size_t marker = byte(head, 1), length = big16(head, 2);
        if (marker < SOF_FIRST || (marker > SOF_LAST && marker <= EOI) || length < 2 ||
            !cut(&s, length - 2, &segment))
            return false;
        if (is_frame(marker) && (segment.n < 6 || big16(segment, 3) == 0)) /* without a width */
            return false;
        frame = frame || is_frame(marker);
        if (marker == SOS)
            return frame && holds(s, STR("\xff\xd9"));
    }
}

/* ---- WebP ---- */

static bool is_webp(struct str s)
{
    struct str chunk;
    bool image = false;
    if (s.n < 12 || !str_starts(s, STR("RIFF")) || little32(s, 4) != s.n - 8 ||
        memcmp(s.p + 8, "WEBP", 4) != 0)
        return false;
    s = (struct str){ s.p + 12, s.n - 12 };
    for (uint32_t n = 0; s.n > 0; n++) {
        if (s.n < 8 || !cut(&s, 8, &chunk))
            return false;
        size_t length = little32(chunk, 4);
        struct str type = { chunk.p, 4 }, data;
        bool still = str_eq(type, STR("VP8 ")) || str_eq(type, STR("VP8L"));
        if (n == 0 && !still && !str_eq(type, STR("VP8X")))
            return false;
        if (!cut(&s, length + (length & 1), &data))
            return false;
        image = image || ((still || str_eq(type, STR("ANMF"))) && length > 0);
    }
    return image;
}

enum file_type file_type_of(struct str bytes)
{
    return is_pdf(bytes)    ? FILE_PDF
           : is_png(bytes)  ? FILE_PNG
           : is_jpeg(bytes) ? FILE_JPEG
           : is_webp(bytes) ? FILE_WEBP
                            : FILE_UNKNOWN;
}
