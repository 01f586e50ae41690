#include "store_make.h"

#include "store/document.h"

static struct document get(struct made *m, const struct id *id)
{
    struct document d = { 0 };
    ok(store_get_document(m->r, id, &m->a, &d));
    return d;
}

static const char *listed(struct made *m, const struct id *after, uint32_t limit)
{
    struct document *d;
    uint32_t n;
    AUTO(buf_fini) struct buf got = BUF_INIT(1000);
    ok(store_list_documents(m->r, after, limit, &m->a, &d, &n));
    for (uint32_t i = 0; i < n; i++)
        buf_printf(&got, "%.*s ", STR_ARG(d[i].name));
    return arena_str(&m->a, buf_view(&got)).p;
}

static void a_document_comes_back_as_it_was_uploaded(void **state)
{
    struct made *m = *state;
    /* sha256sum of "signed" */
    static const uint8_t hash[] = { 0x4a, 0x3c, 0xdf, 0xae, 0x6f, 0x29, 0x1c, 0x8f };
    struct str all = { arena_alloc(&m->a, 300000), 300000 };
    for (size_t i = 0; i < all.n; i++)
        ((char *)(uintptr_t)all.p)[i] = (char)(i * 31 >> 3);
    begin(m);
    struct id large = add_document(m, "large.pdf", all),
              small = add_document(m, "s", STR("signed"));
    (void)commit(m);
    struct document d = get(m, &large), e = get(m, &small);
    struct str bytes;
    assert_true(str_eq(d.name, STR("large.pdf")) && str_eq(d.type, STR("application/pdf")));
    assert_int_equal(d.size, all.n);
    assert_memory_equal(d.id.b, large.b, sizeof large.b);
    assert_true(e.seq == d.seq + 1 && e.received_ms > d.received_ms);
    ok(store_read_document(m->r, &d, &m->a, &bytes));
    assert_true(str_eq(bytes, all));
    ok(store_read_document(m->r, &e, &m->a, &bytes));
    assert_true(str_eq(bytes, STR("signed")));
    assert_memory_equal(e.hash, hash, sizeof hash);
    struct id unknown = id_new(++made_ms);
    assert_int_equal(store_get_document(m->r, &unknown, &m->a, &d), ERR_NOT_FOUND);
}

static void two_uploads_of_one_content_are_two_documents(void **state)
{
    struct made *m = *state;
    struct str bytes;
    begin(m);
    struct id one = add_document(m, "one", STR("same"));
    (void)commit(m);
    begin(m);
    struct id two = add_document(m, "two", STR("same"));
    (void)commit(m);
    struct document d = get(m, &one), e = get(m, &two);
    assert_memory_equal(d.hash, e.hash, sizeof d.hash);
    assert_true(d.seq != e.seq);
    ok(store_read_document(m->r, &d, &m->a, &bytes));
    ok(store_read_document(m->r, &e, &m->a, &bytes));
    assert_true(str_eq(bytes, STR("same")));
}

static void documents_are_listed_page_by_page(void **state)
{
    struct made *m = *state;
    struct id id[5];
    assert_string_equal(listed(m, NULL, 100), "");
    for (int i = 0; i < 5; i++) {
        begin(m);
        id[i] = add_document(m, arena_printf(&m->a, "%d", i).p, STR("x"));
        (void)commit(m);
    }
    assert_string_equal(listed(m, NULL, 100), "4 3 2 1 0 ");
    assert_string_equal(listed(m, NULL, 2), "4 3 ");
    assert_string_equal(listed(m, &id[3], 2), "2 1 ");
    assert_string_equal(listed(m, &id[0], 2), "");
    struct id unknown = id_new(++made_ms);
    struct document *d;
    uint32_t n;
    assert_int_equal(store_list_documents(m->r, &unknown, 1, &m->a, &d, &n), ERR_NOT_FOUND);
}

/* A notice of the open group whose payload names these documents. */
static int64_t add_naming(struct made *m, const struct id *id, uint32_t count)
{
    int64_t seq, now = ++made_ms;
    AUTO(buf_fini) struct buf payload = BUF_INIT(4096);
    struct notice_row row = { .identifier = STR("terms"),
                              .version = store_next_notice(m->s, STR("terms")),
                              .timestamp_ms = now,
                              .received_ms = now };
    buf_lit(&payload, "{\"document_ids\":[");
    for (uint32_t i = 0; i < count; i++) {
        char text[ID_TEXT + 1];
        id_format(&id[i], text);
        buf_printf(&payload, "%s\"%s\"", i ? "," : "", text);
    }
    buf_lit(&payload, "]}");
    ok(store_add_notice(m->s, &row, arena_str(&m->a, buf_view(&payload)), &seq));
    return seq;
}

static void documents_are_attached_to_a_fact(void **state)
{
    struct made *m = *state;
    struct document *d;
    uint32_t n;
    begin(m);
    struct id id[] = { add_document(m, "a", STR("a")), add_document(m, "b", STR("b")) };
    struct id named[] = { id[1], id[0], id[1], id_new(1) };
    (void)add_document(m, "c", STR("c"));
    struct document a, b;
    ok(store_get_document(store_own_reader(m->s), &id[0], &m->a, &a));
    ok(store_get_document(store_own_reader(m->s), &id[1], &m->a, &b));
    int64_t fact = add_naming(m, named, COUNT(named));
    ok(store_attach_documents(m->s, fact, (int64_t[]){ b.seq, a.seq, b.seq }, 3));
    int64_t other = add_naming(m, named, 0);
    (void)commit(m);
    ok(store_list_attached(m->r, fact, &m->a, &d, &n));
    assert_int_equal(n, 2);
    assert_true(str_eq(d[0].name, STR("a")) && str_eq(d[1].name, STR("b")));
    ok(store_list_attached(m->r, other, &m->a, &d, &n));
    assert_int_equal(n, 0);
}

static void what_a_fact_names_and_has_not_is_found(void **state)
{
    struct made *m = *state;
    begin(m);
    struct id id = add_document(m, "a", STR("a"));
    (void)add_naming(m, &id, 1);
    (void)commit(m);
    assert_int_equal(faults(m->r, false), 2); /* the fact, and the count */
    m->unverified = true;
}

static void what_a_fact_has_and_does_not_name_is_found(void **state)
{
    struct made *m = *state;
    struct document d;
    begin(m);
    struct id id = add_document(m, "a", STR("a"));
    ok(store_get_document(store_own_reader(m->s), &id, &m->a, &d));
    ok(store_attach_documents(m->s, add_naming(m, NULL, 0), &d.seq, 1));
    (void)commit(m);
    assert_int_equal(faults(m->r, false), 1);
    m->unverified = true;
}

static void a_rolled_back_upload_leaves_nothing(void **state)
{
    struct made *m = *state;
    begin(m);
    struct id id = add_document(m, "a", STR("a"));
    store_rollback(m->s);
    struct document d;
    assert_int_equal(store_get_document(m->r, &id, &m->a, &d), ERR_NOT_FOUND);
    assert_string_equal(listed(m, NULL, 10), "");
    begin(m); /* the content as well: it is written anew */
    id = add_document(m, "a", STR("a"));
    (void)commit(m);
    struct str bytes;
    d = get(m, &id);
    ok(store_read_document(m->r, &d, &m->a, &bytes));
    assert_true(str_eq(bytes, STR("a")));
}

#define T(name)                                                                                    \
    {                                                                                              \
#name, name, NULL, NULL, NULL                                                              \
    }
const struct CMUnitTest suite_document[] = {
    T(a_document_comes_back_as_it_was_uploaded), T(two_uploads_of_one_content_are_two_documents),
    T(documents_are_listed_page_by_page),        T(documents_are_attached_to_a_fact),
    T(what_a_fact_names_and_has_not_is_found),   T(what_a_fact_has_and_does_not_name_is_found),
    T(a_rolled_back_upload_leaves_nothing),
};
const size_t suite_document_count = COUNT(suite_document);
