/* What a receiver may answer, and what is made of it: sent, tried again, given up, or nobody knows. */
#include "base/clock.h"
#include "deliver/house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define K1 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"
#define K16 K1 K1 K1 K1 K1 K1 K1 K1 K1 K1 K1 K1 K1 K1 K1 K1
#define C4 "1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n"
#define C16 C4 C4 C4 C4
#define C64 C16 C16 C16 C16

#define F1 "X-More: of it\r\n"
#define F16 F1 F1 F1 F1 F1 F1 F1 F1 F1 F1 F1 F1 F1 F1 F1 F1

enum { SHORT_MS = 400, LONG_MS = 10000 };

static const struct row {
    const char *name;
    struct raw_answer raw;
    enum delivery_result result; /* with `uncertain: hold` */
    const char *error;           /* NULL: any */
    bool waits;                  /* until the deadline: a short one */
} rows[] = {
    { "an endless body is cut and counts",
      { .head = STR_INIT(OK_HEAD "\r\n"), .more = STR_INIT(K16), .times = 10000 },
      DELIVERY_SENT,
      NULL },
    { "an endless body that was promised, too",
      { .head = STR_INIT(OK_HEAD "Content-Length: 9223372036854775807\r\n\r\n"),
        .more = STR_INIT(K16),
        .times = 10000 },
      DELIVERY_SENT,
      NULL },
    { "a body of one byte now and then is not waited for",
      { .head = STR_INIT(OK_HEAD "\r\n"), .more = STR_INIT("x"), .times = 1000, .pause_us = 20000 },
      DELIVERY_UNCERTAIN,
      "may have arrived: Timeout was reached",
      .waits = true },
    { "nor a header of one byte now and then",
      { .head = STR_INIT(OK_HEAD "X: "), .more = STR_INIT("x"), .times = 1000, .pause_us = 20000 },
      DELIVERY_UNCERTAIN,
      "may have arrived: Timeout was reached",
      .waits = true },
    { "nor a status of one byte now and then",
      { .head = STR_INIT("H"), .more = STR_INIT("T"), .times = 1000, .pause_us = 20000 },
      DELIVERY_UNCERTAIN,
      NULL,
      .waits = true },
    { "header fields without end",
      { .head = STR_INIT(OK_HEAD), .more = STR_INIT(F16), .times = 1000000 },
      DELIVERY_UNCERTAIN,
      "may have arrived: the answer's header does not end" },
    { "one header field without end",
      { .head = STR_INIT(OK_HEAD "X: "),
        .more = STR_INIT("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        .times = 1000000 },
      DELIVERY_UNCERTAIN,
      NULL },
    { "folded header fields without end",
      { .head = STR_INIT(OK_HEAD "X: "), .more = STR_INIT("a\r\n b"), .times = 1000000 },
      DELIVERY_UNCERTAIN,
      NULL,
      .waits = true },
    { "interim answers without end",
      { .more =
            STR_INIT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
        .times = 1000000 },
      DELIVERY_UNCERTAIN,
      "may have arrived: the answer's header does not end" },
    { "a few interim answers are no harm",
      { .head = STR_INIT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" OK_HEAD
                         "Content-Length: 0\r\n\r\n") },
      DELIVERY_SENT,
      NULL },
    { "only an interim answer",
      { .head = STR_INIT("HTTP/1.1 100 Continue\r\n\r\n") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "another protocol is switched to",
      { .head = STR_INIT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: "
                         "Upgrade\r\n\r\n") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "chunks without end, each of one byte",
      { .head = STR_INIT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"),
        .more = STR_INIT(C64),
        .times = 1000000 },
      DELIVERY_SENT,
      NULL },
    { "a chunk extension without end",
      { .head = STR_INIT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1;"),
        .more = STR_INIT(K1),
        .times = 1000000 },
      DELIVERY_UNCERTAIN,
      NULL,
      .waits = true },
    { "trailers without end",
      { .head = STR_INIT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n"),
        .more = STR_INIT(F16),
        .times = 1000000 },
      DELIVERY_UNCERTAIN,
      "may have arrived: the answer's header does not end" },
    { "a chunk size beyond all bounds",
      { .head = STR_INIT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "a chunk size that is none",
      { .head = STR_INIT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "less than was promised",
      { .head = STR_INIT(OK_HEAD "Content-Length: 100\r\n\r\nshort") },
      DELIVERY_UNCERTAIN,
      "may have arrived: Transferred a partial file" },
    { "more than was promised",
      { .head = STR_INIT(OK_HEAD "Content-Length: 2\r\n\r\n{}HTTP/1.1 400 No\r\n\r\n") },
      DELIVERY_SENT,
      NULL },
    { "a length that is none",
      { .head = STR_INIT(OK_HEAD "Content-Length: -2\r\n\r\n{}") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "no status line",
      { .head = STR_INIT("<html>hello</html>\r\n\r\n") },
      DELIVERY_UNCERTAIN,
      "may have arrived: the answer is not HTTP/1" },
    { "nothing but zeros",
      { .more = STR_INIT("\0\0\0\0\0\0\0\0"), .times = 1000 },
      DELIVERY_UNCERTAIN,
      NULL },
    { "a header with a zero in it",
      { .head = STR_INIT(OK_HEAD "X: a\0b\r\nContent-Length: 0\r\n\r\n") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "a status without meaning",
      { .head = STR_INIT("HTTP/1.1 999 Oh\r\nContent-Length: 0\r\n\r\n") },
      DELIVERY_UNCERTAIN,
      "may have arrived: status 999" },
    { "a status of four digits",
      { .head = STR_INIT("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "a status that is a word",
      { .head = STR_INIT("HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "status 0", { .head = STR_INIT("HTTP/1.1 000 OK\r\n\r\n") }, DELIVERY_UNCERTAIN, NULL },
    { "a version that was not asked for",
      { .head = STR_INIT("HTTP/2 200\r\ncontent-length: 0\r\n\r\n") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "another one", { .head = STR_INIT("HTTP/3 200\r\n\r\n") }, DELIVERY_UNCERTAIN, NULL },
    { "frames of HTTP/2",
      { .head = STR_INIT("\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\x40\0\0\0\0\x02\0\0\0\0") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "bytes of TLS",
      { .head = STR_INIT("\x15\x03\x03\0\x02\x02\x28") },
      DELIVERY_UNCERTAIN,
      NULL },
    { "the last version before it",
      { .head = STR_INIT("HTTP/1.0 200 OK\r\n\r\n{}") },
      DELIVERY_SENT,
      NULL },
    { "bare line feeds",
      { .head = STR_INIT("HTTP/1.1 200 OK\nContent-Length: 0\n\n") },
      DELIVERY_SENT,
      NULL },
    { "a refusal that does not end",
      { .head = STR_INIT("HTTP/1.1 400 No\r\n\r\n"), .more = STR_INIT(K16), .times = 10000 },
      DELIVERY_DEAD,
      "status 400" },
};

static void check(const struct row *row, bool hold)
{
    struct house *h = house_with_anna((struct house_options){
        .send_ms = row->waits ? SHORT_MS : LONG_MS, .hold = hold, .patience_ms = 1 });
    receiver_say(h->receiver, &row->raw);
    receiver_next(h->receiver, RECEIVE_RAW, 1);
    house_start(h);
    int64_t segment = house_add_n(h, "anna", 1);
    enum delivery_result expected = row->result;
    if (!hold && expected == DELIVERY_UNCERTAIN)
        expected = DELIVERY_SENT;       /* when it is repeated */
    if (expected == DELIVERY_UNCERTAIN) /* as it is already while it is being sent */
        house_until(h, house_numbers(h, SLOT_HOOK).uncertain == 1);
    house_until(h, house_result(h, SLOT_HOOK, segment, 0) == expected);
    bool doubted = row->result == DELIVERY_UNCERTAIN;
    house_until(h, receiver_count(h->receiver) == (doubted && !hold ? 2 : 1));
    assert_int_equal(house_numbers(h, SLOT_HOOK).retried, doubted && !hold);
    if (hold && row->error != NULL)
        assert_true(house_error_is(h, SLOT_HOOK, segment, row->error));
    receiver_release(h->receiver);
    int64_t next = house_add_n(h, "anna", 1); /* nothing sticks to the next one */
    if (row->result != DELIVERY_DEAD)
        house_until(h, house_result(h, SLOT_HOOK, next, 0) == DELIVERY_SENT);
    house_free(&h);
}

static void every_answer_has_one_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("# %s\n", rows[i].name);
        check(&rows[i], true);
    }
}

static void what_is_uncertain_is_repeated_where_that_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!rows[i].waits)
            check(&rows[i], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_one_meaning),
        cmocka_unit_test(what_is_uncertain_is_repeated_where_that_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
