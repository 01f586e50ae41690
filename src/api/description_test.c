#include "api/embedded.h"
#include "api/route.h"

#include "base/limits.h"
#include "codec/json.h"

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
        cmocka_unit_test(the_version_is_the_programs),
        cmocka_unit_test(the_page_runs_nothing),
    };
    return cmocka_run_group_tests(tests, open_description, close_description);
}
