/* tests/golden/stamp holds a question and its answer by `openssl ts`; the certificate was good for 20 days. */
#include "audit/stamp.h"
#include "base/limits.h"
#include "base/buf.h"
#include "codec/text.h"
#include "conf/test_paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static struct arena a;
static struct str statement, query, answer, token, authority, other;

static struct str slurp(const char *name)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);
    struct str path = arena_printf(&a, "%s/tests/golden/stamp/%s", SOURCE_ROOT, name);
    FILE *f = fopen(path.p, "r");
    assert_non_null(f);
    char *room = buf_room(&b, b.max);
    b.n = fread(room, 1, b.max, f);
    assert_int_equal(fclose(f), 0);
    return arena_str(&a, buf_view(&b));
}

static int load(void **state)
{
    (void)state;
    statement = slurp("statement");
    query = slurp("query.der");
    answer = slurp("answer.der");
    token = slurp("token.der");
    authority = slurp("authority.pem");
    other = slurp("other.pem");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    arena_fini(&a);
    return 0;
}

static const int64_t golden_ms = 1795379116000; /* as `openssl ts -reply -text` shows it */

static void a_token_says_when_and_by_whom(void **state)
{
    (void)state;
    struct stamp s;
    assert_int_equal(stamp_check(token, statement, (struct str){ 0 }, &a, &s, NULL), OK);
    assert_int_equal(s.at_ms, golden_ms);
    assert_true(str_eq(s.signer, STR("CN=Golden Time")));
    assert_int_equal(s.fingerprint.n, 64);
    assert_false(s.trusted);
    assert_int_equal(stamp_check(token, statement, authority, &a, &s, NULL), OK);
    assert_true(s.trusted);
}

static void it_is_of_that_statement_alone(void **state)
{
    (void)state;
    struct stamp s;
    assert_int_equal(
        stamp_check(token, STR("{\"licet\":\"seat\"}"), (struct str){ 0 }, &a, &s, NULL),
        ERR_VALUE);
}

static void another_authority_does_not_vouch_for_it(void **state)
{
    (void)state;
    struct stamp s;
    assert_int_equal(stamp_check(token, statement, other, &a, &s, NULL), ERR_KEY);
    assert_int_equal(stamp_check(token, statement, STR("no certificate"), &a, &s, NULL), ERR_KEY);
}

/* Where the authority's own certificate stands in the token: it came along, and nobody needs it. */
static struct str baggage(void)
{
    AUTO(buf_fini) struct buf text = BUF_INIT(1u << 16);
    struct str rest = authority, line, der;
    while (str_next(&rest, '\n', &line))
        if (line.n && line.p[0] != '-')
            buf_str(&text, line);
    assert_true(base64_decode(buf_view(&text), &a, &der));
    const char *at = memmem(token.p, token.n, der.p, der.n);
    assert_non_null(at);
    return (struct str){ at, der.n };
}

/* Some of the envelope is under no signature; what is told must be what was signed. */
static void a_changed_token_tells_nothing_else(void **state)
{
    (void)state;
    struct str unsigned_part = baggage();
    size_t from = (size_t)(unsigned_part.p - token.p), to = from + unsigned_part.n, passed = 0;
    for (size_t i = 0; i < token.n; i++) {
        struct str changed = arena_str(&a, token);
        struct stamp s;
        ((char *)changed.p)[i] ^= (char)(1 << i % 8);
        if (stamp_check(changed, statement, authority, &a, &s, NULL) != OK)
            continue;
        passed += i < from || i >= to;
        assert_int_equal(s.at_ms, golden_ms);
        assert_true(str_eq(s.signer, STR("CN=Golden Time")));
    }
    assert_true(passed < 60); /* names of algorithms, lengths in another form */
    for (size_t cut = 0; cut < token.n; cut += 7) {
        struct stamp s;
        assert_int_not_equal(
            stamp_check((struct str){ token.p, cut }, statement, authority, &a, &s, NULL), OK);
    }
    struct stamp s;
    struct str longer = arena_printf(&a, "%*s", (int)token.n + 1, "");
    memcpy((char *)longer.p, token.p, token.n);
    assert_int_equal(stamp_check(longer, statement, authority, &a, &s, NULL), ERR_SYNTAX);
    longer.n = LIMIT_STAMP + 1;
    assert_int_equal(stamp_check(longer, statement, authority, &a, &s, NULL), ERR_SYNTAX);
}

static void an_answer_is_taken_to_its_question_alone(void **state)
{
    (void)state;
    struct str got = { 0 }, another;
    assert_int_equal(stamp_answer(query, answer, statement, authority, &a, &got, NULL), OK);
    assert_true(str_eq(got, token));
    assert_int_equal(stamp_request(statement, &a, &another), OK); /* with a nonce of its own */
    assert_int_equal(stamp_answer(another, answer, statement, authority, &a, &got, NULL),
                     ERR_VALUE);
    assert_int_equal(stamp_answer(query, answer, STR("other"), authority, &a, &got, NULL),
                     ERR_VALUE);
    assert_int_equal(stamp_answer(query, answer, statement, other, &a, &got, NULL), ERR_KEY);
    static const char refusal[] = "\x30\x05\x30\x03\x02\x01\x02"; /* PKIStatusInfo: rejection */
    assert_int_equal(stamp_answer(query, STR(refusal), statement, authority, &a, &got, NULL),
                     ERR_VALUE);
    assert_int_equal(stamp_answer(query, STR("<html>"), statement, authority, &a, &got, NULL),
                     ERR_SYNTAX);
    for (size_t i = 0; i < answer.n; i += 3) {
        struct str changed = arena_str(&a, answer);
        ((char *)changed.p)[i] ^= 0x11;
        enum err e = stamp_answer(query, changed, statement, authority, &a, &got, NULL);
        assert_true(e == OK || e == ERR_SYNTAX || e == ERR_VALUE || e == ERR_KEY);
    }
}

static void two_questions_are_never_the_same(void **state)
{
    (void)state;
    struct str one, two;
    assert_int_equal(stamp_request(statement, &a, &one), OK);
    assert_int_equal(stamp_request(statement, &a, &two), OK);
    assert_false(str_eq(one, two));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_says_when_and_by_whom),
        cmocka_unit_test(it_is_of_that_statement_alone),
        cmocka_unit_test(another_authority_does_not_vouch_for_it),
        cmocka_unit_test(a_changed_token_tells_nothing_else),
        cmocka_unit_test(an_answer_is_taken_to_its_question_alone),
        cmocka_unit_test(two_questions_are_never_the_same),
    };
    return cmocka_run_group_tests_name("stamp", tests, load, unload);
}
