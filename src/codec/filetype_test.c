#include "codec/filetype.h"

#include "base/buf.h"

#define ZLIB_CONST
#include <zlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static void big32(struct buf *to, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_byte(to, (char)(v >> shift));
}

static void png_chunk(struct buf *to, const char *type, struct str data)
{
    big32(to, (uint32_t)data.n);
    size_t from = to->n;
    buf_add(to, type, 4);
    buf_str(to, data);
    big32(to, (uint32_t)crc32(0, (const Bytef *)to->p + from, (uInt)(to->n - from)));
}

#define IHDR STR("\0\0\0\1\0\0\0\1\10\0\0\0\0")
#define IDAT STR("\x78\x9c\x63\x00\x00\x00\x02\x00\x01")

static void put_png(struct buf *to)
{
    buf_lit(to, "\x89PNG\r\n\x1a\n");
    png_chunk(to, "IHDR", IHDR);
    png_chunk(to, "tEXt", STR("Title\0a form"));
    png_chunk(to, "IDAT", IDAT);
    png_chunk(to, "IEND", STR(""));
}

#define SOF "\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0"
#define SOS_ "\xff\xda\0\x08\1\1\0\0\x3f\0"

static void put_jpeg(struct buf *to)
{
    buf_lit(to, "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" SOF "\xff\xff\xc4\0\4\1\2" SOS_
                "some entropy\xff\0more\xff\xd9");
}

static void put_webp(struct buf *to)
{
    buf_lit(to, "RIFF\x1a\0\0\0WEBPVP8X\2\0\0\0\0\0VP8L\3\0\0\0abc\0");
}

static void put_pdf(struct buf *to)
{
    buf_lit(to, "%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n");
}

static void (*const put[FILE_TYPES])(struct buf *) = {
    [FILE_PDF] = put_pdf, [FILE_PNG] = put_png, [FILE_JPEG] = put_jpeg, [FILE_WEBP] = put_webp
};

static void assert_type(struct str bytes, enum file_type expected)
{
    /* of just this size, so that a sanitizer sees a byte read behind it */
    char *copy = malloc(bytes.n ? bytes.n : 1);
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    enum file_type got = file_type_of((struct str){ copy, bytes.n });
    free(copy);
    assert_int_equal(got, expected);
}

static void each_kind_is_known_by_its_bytes(void **state)
{
    (void)state;
    for (int t = FILE_UNKNOWN + 1; t < FILE_TYPES; t++) {
        AUTO(buf_fini) struct buf b = BUF_INIT(1000);
        put[t](&b);
        assert_type(buf_view(&b), (enum file_type)t);
        assert_int_equal(file_type_named(file_kind[t].media), t);
    }
    assert_int_equal(file_type_named(STR("text/html")), FILE_UNKNOWN);
    assert_int_equal(file_type_named(STR("")), FILE_UNKNOWN);
}

/* A PDF's last line end is not missed, an image's last byte is. */
static void a_file_cut_anywhere_is_no_file(void **state)
{
    (void)state;
    for (int t = FILE_UNKNOWN + 1; t < FILE_TYPES; t++) {
        AUTO(buf_fini) struct buf b = BUF_INIT(1000);
        put[t](&b);
        size_t whole = t == FILE_PDF ? b.n - 1 : b.n;
        for (size_t n = 0; n < whole; n++)
            assert_type((struct str){ b.p, n }, FILE_UNKNOWN);
    }
}

static void something_before_it_makes_another_file_of_it(void **state)
{
    (void)state;
    for (int t = FILE_UNKNOWN + 1; t < FILE_TYPES; t++) {
        AUTO(buf_fini) struct buf b = BUF_INIT(1000);
        buf_lit(&b, "<script>alert(1)</script>");
        put[t](&b);
        assert_type(buf_view(&b), FILE_UNKNOWN);
    }
}

static void a_png_with_a_changed_bit_is_none(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf b = BUF_INIT(1000);
    put_png(&b);
    for (size_t bit = 0; bit < 8 * b.n; bit++) {
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
        assert_type(buf_view(&b), FILE_UNKNOWN);
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
    }
    buf_lit(&b, "PK\3\4");
    assert_type(buf_view(&b), FILE_UNKNOWN);
}

static void a_png_needs_a_header_first_and_an_image(void **state)
{
    (void)state;
    static const struct {
        const char *type[4];
        struct str data[4];
    } rows[] = {
        { { "IDAT", "IHDR", "IEND" }, { IDAT, IHDR, { 0 } } },
        { { "IHDR", "IEND" }, { IHDR, { 0 } } },
        { { "IHDR", "IHDR", "IDAT", "IEND" }, { IHDR, IHDR, IDAT, { 0 } } },
        { { "IHDR", "IDAT", "IEND" }, { IHDR, { 0 }, { 0 } } },
        { { "IHDR", "IDAT", "IEND" }, { STR("\0\0\0\0\0\0\0\1\10\0\0\0\0"), IDAT, { 0 } } },
        { { "IHDR", "IDAT", "IEND" }, { STR("\0\0\0\1"), IDAT, { 0 } } },
        { { "IHDR", "IDAT", "IEND" }, { IHDR, IDAT, STR("x") } },
        { { "IHDR", "IDAT", "IEND", "IDAT" }, { IHDR, IDAT, { 0 }, IDAT } },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(buf_fini) struct buf b = BUF_INIT(1000);
        buf_lit(&b, "\x89PNG\r\n\x1a\n");
        for (int c = 0; c < 4 && rows[i].type[c]; c++)
            png_chunk(&b, rows[i].type[c], rows[i].data[c]);
        assert_type(buf_view(&b), FILE_UNKNOWN);
    }
}

static void what_only_begins_like_one_is_none(void **state)
{
    (void)state;
    static const struct str rows[] = {
        STR_INIT(""),
        STR_INIT("<html><body>a page</body></html>"),
        STR_INIT("GIF89a\1\0\1\0\0\0\0;"),
        STR_INIT("PK\3\4 a zip"),
        STR_INIT("%PDF-1.7\n<script>alert(1)</script>"),
        STR_INIT("%PDF-1.7\nstartxref\n9\n"),
        STR_INIT("%PDF-1.7\n%%EOF"),
        STR_INIT("%PDF-x.7\nstartxref\n9\n%%EOF"),
        STR_INIT("%PDF-1\nstartxref\n9\n%%EOF"),
        STR_INIT("%!PS-Adobe-3.0\nstartxref\n%%EOF"),
        STR_INIT("\xff\xd8\xff\xd9"),
        STR_INIT("\xff\xd8" SOS_ "x\xff\xd9"),                                     /* no frame */
        STR_INIT("\xff\xd8" SOF "\xff\xd9"),                                       /* no scan */
        STR_INIT("\xff\xd8\xff\xc0\0\x0b\x08\0\1\0\0\1\1\x11\0" SOS_ "x\xff\xd9"), /* no width */
        STR_INIT("\xff\xd8\xff\xe0\0\1" SOF SOS_ "x\xff\xd9"), /* a length below its own */
        STR_INIT("\xff\xd8x" SOF SOS_ "x\xff\xd9"),
        STR_INIT("\xff\xd8\xff\xc0\0\5\x08\0\1" SOS_ "x\xff\xd9"), /* a frame too short */
        STR_INIT("RIFF\4\0\0\0WEBP"),
        STR_INIT("RIFF\x10\0\0\0WEBPVP8 \4\0\0\0abc"), /* one byte less than it says */
        STR_INIT("RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0"),    /* nothing in it */
        STR_INIT("RIFF\x10\0\0\0WAVEVP8 \4\0\0\0abcd"),
        STR_INIT("RIFF\x10\0\0\0WEBPEXIF\4\0\0\0abcd"),
        STR_INIT("RIFF\x10\0\0\0WEBPVP8 \xff\xff\xff\xff"
                 "abcd"),
        STR_INIT("RIFF\x10\0\0\0WEBPVP8X\4\0\0\0abcd"), /* no image */
        STR_INIT("RIFF\x10\0\0\0WEBPVP8 \4\0\0\0abcdmore"),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (file_type_of(rows[i]) != FILE_UNKNOWN)
            fail_msg("row %zu is taken for %s", i, file_kind[file_type_of(rows[i])].media.p);
    }
    assert_type(STR("RIFF\x10\0\0\0WEBPVP8 \4\0\0\0abcd"), FILE_WEBP);
}

#define T(name) cmocka_unit_test(name)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_kind_is_known_by_its_bytes),
        T(a_file_cut_anywhere_is_no_file),
        T(something_before_it_makes_another_file_of_it),
        T(a_png_with_a_changed_bit_is_none),
        T(a_png_needs_a_header_first_and_an_image),
        T(what_only_begins_like_one_is_none),
    };
    return cmocka_run_group_tests_name("filetype", tests, NULL, NULL);
}
