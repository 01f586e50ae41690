/* What a page loads: the browser's script, and the policy that it shows. */
#include "api/sdk.h"

#include "api/route.h"

#include "base/clock.h"
#include "policy/shown.h"

#include <sodium.h>

enum { KEEP_SCRIPT_S = 3600, KEEP_POLICY_S = 300, TAG_BYTES = 16 };

static bool takes_gzip(struct str accept)
{
    struct str one, coding;
    while (str_next(&accept, ',', &one)) {
        (void)str_next(&one, ';', &coding);
        if (str_eq_nocase(str_trim(coding), STR("gzip")))
            return !str_starts(str_trim(one), STR("q=0")) || one.n > 4;
    }
    return false;
}

/* The answers of one address differ by coding, and so must their tags. */
static void give(struct request *r, struct str name)
{
    const struct sdk_script *s = sdk_scripts;
    while (s->name != NULL && !str_eq(name, str_of(s->name)))
        s++;
    if (s->name == NULL) {
        answer_error(r, ERR_NOT_FOUND, NULL);
        return;
    }
    bool gzip = takes_gzip(r->header.accept_encoding);
    r->answer.keep.gzip = gzip;
    answer_kept(r, "text/javascript; charset=utf-8", gzip ? s->gzip : s->plain,
                arena_printf(&r->arena, "\"%s%s\"", s->tag, gzip ? "-gz" : ""), KEEP_SCRIPT_S);
}

void sdk_script(struct request *r)
{
    give(r, r->parameter);
}

void sdk_dropin(struct request *r)
{
    give(r, STR("iubenda_cons.js"));
}

static struct str tag_of(struct str body, struct arena *a)
{
    uint8_t hash[TAG_BYTES];
    char text[2 * sizeof hash + 1];
    must(crypto_generichash(hash, sizeof hash, (const unsigned char *)body.p, body.n, NULL, 0) ==
         0);
    (void)sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    return arena_printf(a, "\"%s\"", text);
}

/* ?key=PUBLIC&language=de,en: a browser's key is asked for, though nothing here is secret, so that a mistaken one shows
 * before anybody has chosen anything with it. */
void sdk_policy(struct request *r)
{
    request_use_key(r, request_parameter(r, "key"));
    if (r->access == ACCESS_NONE) {
        answer_message(r, 401, "unknown key");
        return;
    }
    if (!request_origin_allowed(r)) {
        answer_message(r, 403, "this key is not for this origin");
        return;
    }
    struct str json;
    enum err e = policy_shown(pipeline_generation(request_pipeline(r))->policy,
                              request_parameter(r, "language"), clock_now_ms(), &r->arena, &json);
    if (e != OK) {
        answer_error(r, e, NULL);
        return;
    }
    answer_kept(r, "application/json", json, tag_of(json, &r->arena), KEEP_POLICY_S);
}
