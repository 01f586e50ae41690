#include "consent/asking.h"

#include "codec/filetype.h"

#include <cmocka.h>

#define PDF(words) "%PDF-1.7\n" words "\nstartxref\n9\n%%EOF\n"

static enum err upload(struct str bytes, struct str filename, struct str *ret_json)
{
    struct document_request q = {
        .bytes = bytes, .filename = filename, .most = 1000, .received_ms = ++w.now
    };
    w.info = (struct err_info){ 0 };
    world_begin(&w);
    enum err e = ledger_add_document(w.ledger, &q, &w.arena, ret_json, &w.info);
    world_commit(&w); /* a refused file leaves a group that can be committed */
    return e;
}

/* The id of a new document, without quotes. */
static const char *uploaded(const char *bytes, const char *filename)
{
    struct str json;
    assert_int_equal(upload(str_of(bytes), str_of(filename), &json), OK);
    const char *id = at(json, "id");
    return arena_str(&w.arena, (struct str){ id + 1, strlen(id) - 2 }).p;
}

static const char *name_of(const char *filename)
{
    struct str json;
    assert_int_equal(upload(STR(PDF("x")), str_of(filename), &json), OK);
    return at(json, "name");
}

static void a_document_is_described_and_given_back(void **state)
{
    (void)state;
    struct str json;
    struct document_content c;
    const char *id = uploaded(PDF("signed"), "Müller.pdf");
    assert_int_equal(ledger_get_document(w.reader, str_of(id), &w.arena, &json), OK);
    assert_string_equal(at(json, "name"), "\"Müller.pdf\"");
    assert_string_equal(at(json, "content_type"), "\"application/pdf\"");
    assert_string_equal(at(json, "size"), "34");
    assert_string_equal(at(json, "identifier"), at(json, "id"));
    assert_string_equal(at(json, "timestamp"), "\"2026-03-01T00:00:00Z\"");
    assert_string_equal(at(json, "sha256"),
                        "\"4180075c67a896be00202697efbcbb2071c2dc7afc09f6a5afc72cee28b26218\"");
    assert_int_equal(ledger_read_document(w.reader, str_of(id), &w.arena, &c), OK);
    assert_true(str_eq(c.bytes, STR(PDF("signed"))));
    assert_string_equal(c.type.p, "application/pdf");
    assert_true(str_eq(c.filename, text("%s.pdf", id)));
    static const char *const none[] = { "", "7", "01890000-0000-7000-8000-000000000000" };
    for (size_t i = 0; i < COUNT(none); i++) {
        struct str unknown = str_of(none[i]);
        assert_int_equal(ledger_get_document(w.reader, unknown, &w.arena, &json), ERR_NOT_FOUND);
        assert_int_equal(ledger_read_document(w.reader, unknown, &w.arena, &c), ERR_NOT_FOUND);
    }
}

static void a_file_is_called_what_can_be_shown(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf longest = BUF_INIT(1000);
    for (int i = 0; i < 300; i++)
        buf_lit(&longest, "\xc3\xbc");
    buf_byte(&longest, 0);
    assert_string_equal(name_of("a b.pdf"), "\"a b.pdf\"");
    assert_string_equal(name_of("C:\\scan\\a.pdf"), "\"a.pdf\"");
    assert_string_equal(name_of("../../etc/passwd"), "\"passwd\"");
    assert_string_equal(name_of("\"><script>.pdf"), "\"\\\"><script>.pdf\"");
    static const char *const unnamed[] = { "", "a/", "\\", "  ", "a\nb.pdf", "\xff.pdf", "a\x7f" };
    for (size_t i = 0; i < COUNT(unnamed); i++)
        assert_string_equal(name_of(unnamed[i]), "null");
    assert_int_equal(strlen(name_of(longest.p)), 254 + 2); /* 127 whole characters, and quotes */
}

static void what_is_no_document_is_refused_by_name(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf large = BUF_INIT(2000);
    buf_lit(&large, "%PDF-1.7\n");
    while (large.n < 1000 - sizeof "startxref\n9\n%%EOF" + 1)
        buf_byte(&large, ' ');
    buf_lit(&large, "startxref\n9\n%%EOF");
    struct str json = STR("before");
    assert_int_equal(large.n, 1000);
    assert_int_equal(upload(buf_view(&large), STR("a"), &json), OK);
    buf_byte(&large, '\n');
    json = STR("before");
    const struct {
        struct str bytes;
        enum err e;
    } rows[] = {
        { STR(""), ERR_VALUE },
        { STR("<html>a page</html>"), ERR_VALUE },
        { STR("%PDF-1.7 cut"), ERR_VALUE },
        { buf_view(&large), ERR_LIMIT },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(upload(rows[i].bytes, STR("a.pdf"), &json), rows[i].e);
        assert_string_equal(w.info.field, "file");
        assert_true(w.info.text[0] != 0);
    }
    assert_string_equal(json.p, "before");
}

#define ACT_WITH(ids)                                                                              \
    text("{\"subject\":{\"id\":\"ada\"},\"preferences\":{\"statistics\":true},"                    \
         "\"proof_document_ids\":[%s]}",                                                           \
         ids)

static void a_document_proves_a_consent(void **state)
{
    (void)state;
    const char *one = uploaded(PDF("one"), "one.pdf"), *two = uploaded(PDF("two"), "two.pdf");
    struct consent_answer ans =
        private(ACT_WITH(text("\"%s\",\" %s \",\"\",\"%s\"", two, one, two).p));
    struct str c = consent(ans), documents = str_of(at(c, "proof_documents"));
    assert_int_equal(items(documents), 2);
    assert_string_equal(at(item(documents, 0), "name"), "\"one.pdf\"");
    assert_string_equal(at(item(documents, 1), "name"), "\"two.pdf\"");
    assert_string_equal(at(item(documents, 1), "id"), text("\"%s\"", two).p);
    assert_reason("ada", "statistics", REASON_PERMITTED);
    assert_string_equal(at(consent(private(STR("{}"))), "proof_documents"), "[]");
}

static void a_document_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    const char *real = uploaded(PDF("one"), "one.pdf");
    const char *const rows[] = { "7", "\"7\"", "\"d\"", "\"01890000-0000-7000-8000-000000000000\"",
                                 text("\"%s\",\"%sx\"", real, real).p };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct consent_answer ans;
        struct consent_request q = { .body = ACT_WITH(rows[i]), .source = ACT_PRIVATE_KEY };
        assert_int_equal(send(&q, &ans), ERR_VALUE);
        assert_string_equal(w.info.field, "proof_document_ids");
        struct str json;
        world_begin(&w);
        assert_int_equal(
            ledger_add_notices(w.ledger,
                               text("{\"identifier\":\"terms\",\"document_ids\":[%s]}", rows[i]),
                               BODY_JSON, w.now, &w.arena, &json, &w.info),
            ERR_VALUE);
        world_commit(&w);
        assert_string_equal(w.info.field, "document_ids");
    }
    struct str json;
    assert_int_equal(ledger_get_subject(w.reader, STR("ada"), &w.arena, &json), ERR_NOT_FOUND);
    assert_int_equal(ledger_list_notices(w.reader, STR("terms"), STR(""), &w.arena, &json, &w.info),
                     ERR_NOT_FOUND);
}

/* Whether there is such a document is the same to a stranger, and none becomes her proof. */
static void the_public_key_attaches_nothing_and_learns_nothing(void **state)
{
    (void)state;
    const char *real = uploaded(PDF("one"), "one.pdf");
    const char *const rows[] = { text("\"%s\"", real).p, "\"01890000-0000-7000-8000-000000000000\"",
                                 "\"d\"" };
    char first[sizeof w.info.text] = "";
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct consent_answer ans;
        struct consent_request q = { .body = ACT_WITH(rows[i]), .source = ACT_PUBLIC_KEY };
        assert_int_equal(send(&q, &ans), ERR_VALUE);
        assert_string_equal(w.info.field, "proof_document_ids");
        if (i == 0)
            memcpy(first, w.info.text, sizeof first);
        assert_string_equal(w.info.text, first);
    }
    (void)public(ACT_WITH("")); /* a client that always sends the list is understood */
}

static void a_notice_has_its_documents(void **state)
{
    (void)state;
    struct str json;
    const char *id = uploaded(PDF("terms"), "terms.pdf");
    world_begin(&w);
    assert_int_equal(
        ledger_add_notices(w.ledger,
                           text("[{\"identifier\":\"terms\",\"content\":\"T\"},"
                                "{\"identifier\":\"terms\",\"document_ids\":[\"%s\"]}]",
                                id),
                           BODY_JSON, w.now, &w.arena, &json, &w.info),
        OK);
    world_commit(&w);
    assert_int_equal(
        ledger_list_notices(w.reader, STR("terms/2"), STR(""), &w.arena, &json, &w.info), OK);
    assert_int_equal(items(str_of(at(json, "documents"))), 1);
    assert_string_equal(at(item(str_of(at(json, "documents")), 0), "name"), "\"terms.pdf\"");
    assert_int_equal(
        ledger_list_notices(w.reader, STR("terms/1"), STR(""), &w.arena, &json, &w.info), OK);
    assert_string_equal(at(json, "documents"), "[]");
}

static struct str listed(const char *query)
{
    struct str json;
    assert_int_equal(ledger_list_documents(w.reader, str_of(query), &w.arena, &json, &w.info), OK);
    return json;
}

static void the_list_goes_on_where_it_ended(void **state)
{
    (void)state;
    const char *id[12];
    assert_string_equal(listed("").p, "[]");
    for (int i = 0; i < 12; i++)
        id[i] = uploaded(PDF("x"), text("%d", i).p);
    assert_int_equal(items(listed("")), 10);
    assert_string_equal(at(item(listed("limit=100"), 0), "name"), "\"11\"");
    struct str rest = listed(text("starting_after_identifier=%s", id[2]).p);
    assert_int_equal(items(rest), 2);
    assert_string_equal(at(item(rest, 0), "name"), "\"1\"");
    static const char *const wrong[] = { "starting_after_identifier=x",
                                         ("starting_after_identifier="
                                          "01890000-0000-7000-8000-000000000000"),
                                         "limit=101", "limit=x" };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct str json;
        assert_int_equal(
            ledger_list_documents(w.reader, str_of(wrong[i]), &w.arena, &json, &w.info), ERR_VALUE);
        assert_true(str_starts(str_of(wrong[i]), str_of(w.info.field)));
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_document_is_described_and_given_back),
        T(a_file_is_called_what_can_be_shown),
        T(what_is_no_document_is_refused_by_name),
        T(a_document_proves_a_consent),
        T(a_document_that_does_not_exist_is_refused),
        T(the_public_key_attaches_nothing_and_learns_nothing),
        T(a_notice_has_its_documents),
        T(the_list_goes_on_where_it_ended),
    };
    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
