#include "api/embedded.h"
#include "api/route.h"

#include "base/limits.h"
#include "codec/filetype.h"
#include "codec/json.h"
#include "model/act.h"
#include "model/decision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
    const char *name;
    unsigned bit;
} methods[] = {
    { "get", METHOD_GET }, { "post", METHOD_POST }, { "put", METHOD_PUT }, { "patch", METHOD_PATCH }
};

struct described {
    struct arena a;
    struct json_doc d;
    uint32_t paths;
};

static int open_description(void **state)
{
    struct described *x = must_alloc_zero(sizeof *x);
    assert_int_equal(json_scan(embedded_description.bytes, &x->a, &x->d, NULL), OK);
    x->paths = json_get(&x->d, JSON_ROOT, STR("paths"));
    *state = x;
    return 0;
}

static int close_description(void **state)
{
    struct described *x = *state;
    arena_fini(&x->a);
    free(x);
    return 0;
}

/* "/consent/{id}" is the route "/consent/{}". */
static struct str pattern_of(struct str path, struct arena *a)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(1024);
    bool within = false;
    for (size_t i = 0; i < path.n; i++) {
        within = within && path.p[i] != '}';
        if (!within)
            buf_byte(&b, (uint8_t)path.p[i]);
        within = within || path.p[i] == '{';
    }
    return arena_str(a, buf_view(&b));
}

/* The description of a route's method; 0: there is none. */
static uint32_t find_operation(struct described *x, const char *pattern, const char *method)
{
    for (uint32_t k = json_first(&x->d, x->paths); k; k = json_next(&x->d, x->paths, k + 1)) {
        struct str path;
        assert_true(json_string(&x->d, k, &x->a, &path));
        uint32_t operation = json_get(&x->d, k + 1, str_of(method));
        if (operation && str_eq(pattern_of(path, &x->a), str_of(pattern)))
            return operation;
    }
    return 0;
}

static void each_operation(struct described *x,
                           void (*look)(struct described *x, const struct route *r,
                                        const char *method, uint32_t operation))
{
    size_t count;
    const struct route *r = route_table(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t m = 0; m < COUNT(methods); m++) {
            if (r[i].methods & methods[m].bit)
                look(x, &r[i], methods[m].name, find_operation(x, r[i].path, methods[m].name));
        }
    }
}

static void is_described(struct described *x, const struct route *r, const char *method,
                         uint32_t operation)
{
    (void)x;
    if (operation == 0)
        fail_msg("%s %s is in src/api/route.c and not described: say what it does in a file of "
                 "src/api/openapi/ (its README.md says how)",
                 method, r->path);
}

static void every_route_is_described(void **state)
{
    each_operation(*state, is_described);
}

static bool is_routed(struct str pattern, unsigned bit)
{
    size_t count;
    const struct route *r = route_table(&count);
    for (size_t i = 0; i < count; i++) {
        if ((r[i].methods & bit) && str_eq(str_of(r[i].path), pattern))
            return true;
    }
    return false;
}

static void everything_described_is_a_route(void **state)
{
    struct described *x = *state;
    uint32_t operations = 0;
    for (uint32_t k = json_first(&x->d, x->paths); k; k = json_next(&x->d, x->paths, k + 1)) {
        struct str path;
        assert_true(json_string(&x->d, k, &x->a, &path));
        for (size_t m = 0; m < COUNT(methods); m++) {
            if (json_get(&x->d, k + 1, str_of(methods[m].name)) == 0)
                continue;
            operations++;
            if (!is_routed(pattern_of(path, &x->a), methods[m].bit))
                fail_msg("%s %.*s is described in src/api/openapi/ and not in src/api/route.c: "
                         "take it out of there, or add the route",
                         methods[m].name, STR_ARG(path));
        }
    }
    assert_true(operations > 0);
}

static bool names_key(struct described *x, uint32_t security, const char *key)
{
    for (uint32_t i = json_first(&x->d, security); i; i = json_next(&x->d, security, i)) {
        if (json_get(&x->d, i, str_of(key)))
            return true;
    }
    return false;
}

static void asks_for_its_key(struct described *x, const struct route *r, const char *method,
                             uint32_t operation)
{
    static const char *const key[] = { [ACCESS_PUBLIC] = "publicKey",
                                       [ACCESS_PRIVATE] = "privateKey",
                                       [ACCESS_CONTROL] = "controlSocket" };
    uint32_t security = json_get(&x->d, operation, STR("security"));
    if (security == 0)
        security = json_get(&x->d, JSON_ROOT, STR("security"));
    for (enum access a = ACCESS_PUBLIC; a <= ACCESS_CONTROL && r->least != ACCESS_NONE; a++) {
        if (names_key(x, security, key[a]) != (a == r->least))
            fail_msg("%s %s: src/api/route.c and `security` in src/api/openapi/ differ about %s",
                     method, r->path, key[a]);
    }
}

static void keys_are_those_that_the_routes_ask_for(void **state)
{
    each_operation(*state, asks_for_its_key);
}

static void takes_its_body(struct described *x, const struct route *r, const char *method,
                           uint32_t operation)
{
    bool body = json_get(&x->d, operation, STR("requestBody")) != 0;
    bool limit = json_find(&x->d, operation, STR("responses.413")) != 0;
    if (body && (r->body_limit == 0 || !limit))
        fail_msg("%s %s: a body is described, but %s", method, r->path,
                 r->body_limit == 0 ? "the route takes none" : "not the 413 when it is too large");
}

static void bodies_are_described_where_they_are_taken(void **state)
{
    each_operation(*state, takes_its_body);
}

/* ---- what stands in the code once and in the description again ---- */

static uint32_t at(struct described *x, const char *path)
{
    uint32_t found = json_find(&x->d, JSON_ROOT, str_of(path));
    if (found == 0)
        fail_msg("%s is not in the description", path);
    return found;
}

static void limits_are_those_of_the_code(void **state)
{
    static const struct {
        const char *path;
        unsigned long long limit;
    } said[] = {
#define SCHEMA(name) "components.schemas." name
        { "components.parameters.limit.schema.maximum", LIMIT_LIST },
        { "components.parameters.idempotencyKey.schema.maxLength", LIMIT_IDEMPOTENCY_KEY },
        { SCHEMA("SubjectId.maxLength"), LIMIT_ID },
        { SCHEMA("SubjectSaid.properties.id.maxLength"), LIMIT_ID },
        { SCHEMA("SubjectSaid.properties.email.maxLength"), LIMIT_SUBJECT_FIELD },
        { SCHEMA("SubjectSaid.properties.full_name.maxLength"), LIMIT_SUBJECT_FIELD },
        { SCHEMA("ConsentSaid.properties.consent_type.maxLength"), LIMIT_CONSENT_TYPE },
        { SCHEMA("ConsentSaid.properties.proof_document_ids.maxItems"), LIMIT_PROOFS_PER_ACT },
        { SCHEMA("CitationSaid.properties.identifier.maxLength"), LIMIT_ID },
        { SCHEMA("Consent.properties.legal_notices.maxItems"), LIMIT_NOTICES_PER_ACT },
        { SCHEMA("Consent.properties.proofs.maxItems"), LIMIT_PROOFS_PER_ACT },
        { SCHEMA("Withdrawal.properties.sent.maxItems"), LIMIT_WITHDRAWAL_SHOWN },
        { SCHEMA("NoticeSaid.properties.identifier.maxLength"), LIMIT_ID },
        { SCHEMA("Document.properties.name.maxLength"), LIMIT_DOCUMENT_NAME },
        { SCHEMA("Batch.properties.batch.maxItems"), LIMIT_BATCH },
        { SCHEMA("Permissions.properties.purposes.maxItems"), LIMIT_PURPOSES },
        { SCHEMA("Permissions.properties.destinations.maxItems"), LIMIT_DESTINATIONS },
#undef SCHEMA
    };
    struct described *x = *state;
    for (size_t i = 0; i < COUNT(said); i++) {
        unsigned long long n = 0;
        assert_true(str_to_u64(json_raw(&x->d, at(x, said[i].path)), &n));
        if (n != said[i].limit)
            fail_msg("%s is %llu, and %llu in base/limits.h", said[i].path, n, said[i].limit);
    }
}

static bool has_name(struct described *x, uint32_t list, const char *name)
{
    struct str text;
    for (uint32_t i = json_first(&x->d, list); i; i = json_next(&x->d, list, i)) {
        if (json_string(&x->d, i, &x->a, &text) && str_eq(text, str_of(name)))
            return true;
    }
    return false;
}

/* `name(i)` of i < count, NULL: none, are the enum at this place, and no more. */
static void are_names(struct described *x, const char *path, const char *(*name)(int i), int count)
{
    uint32_t list = at(x, path), n = 0;
    for (int i = 0; i < count; i++) {
        if (name(i) == NULL)
            continue;
        n++;
        if (!has_name(x, list, name(i)))
            fail_msg("%s: %s is missing", path, name(i));
    }
    if (x->d.node[list].count != n)
        fail_msg("%s names what is not in the code", path);
}

static const char *reason(int i)
{
    return reason_name((enum reason)i);
}
static const char *source(int i)
{
    return act_source_name[i];
}
static const char *evidence(int i)
{
    return act_evidence_name[i];
}
static const char *media(int i)
{
    return i == FILE_UNKNOWN ? NULL : file_kind[i].media.p;
}

static void names_are_those_of_the_code(void **state)
{
    are_names(*state, "components.schemas.Reason.enum", reason, REASON_COUNT);
    are_names(*state, "components.schemas.Source.enum", source, COUNT(act_source_name));
    are_names(*state, "components.schemas.Effect.properties.evidence.enum", evidence,
              COUNT(act_evidence_name));
    are_names(*state, "components.schemas.Document.properties.content_type.enum", media,
              FILE_TYPES);
}

static void the_version_is_the_programs(void **state)
{
    struct described *x = *state;
    struct str version;
    assert_true(
        json_string(&x->d, json_find(&x->d, JSON_ROOT, STR("info.version")), &x->a, &version));
    assert_true(str_eq(version, STR(LICET_VERSION)));
}

static void the_page_runs_nothing(void **state)
{
    (void)state;
    struct str page = embedded_docs.bytes;
    assert_true(str_starts(page, STR("<!doctype html>")));
    assert_null(memmem(page.p, page.n, "<script", 7));
    assert_null(memmem(page.p, page.n, " style=", 7));
    assert_null(memmem(page.p, page.n, " src=", 5));
    assert_true(
        str_starts(str_of(embedded_docs.policy), STR("default-src 'none'; style-src 'sha256-")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described),
        cmocka_unit_test(everything_described_is_a_route),
        cmocka_unit_test(keys_are_those_that_the_routes_ask_for),
        cmocka_unit_test(bodies_are_described_where_they_are_taken),
        cmocka_unit_test(limits_are_those_of_the_code),
        cmocka_unit_test(names_are_those_of_the_code),
        cmocka_unit_test(the_version_is_the_programs),
        cmocka_unit_test(the_page_runs_nothing),
    };
    return cmocka_run_group_tests(tests, open_description, close_description);
}
