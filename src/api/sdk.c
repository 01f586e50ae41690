/* What a page loads: the browser's script, and the policy that it shows. */
#include "api/embedded.h"
#include "api/route.h"

#include "base/clock.h"
#include "policy/shown.h"

#include <sodium.h>

enum { KEEP_POLICY_S = 300, TAG_BYTES = 16 };

static void give(struct request *r, const struct embedded *file)
{
    if (file->bytes.n == 0)
        answer_error(r, ERR_NOT_FOUND, NULL);
    else
        answer_file(r, file);
}

void sdk_script(struct request *r)
{
    if (str_eq(r->parameter, STR("licet.js")))
        give(r, &embedded_licet_js);
    else if (str_eq(r->parameter, STR("licet-core.js")))
        give(r, &embedded_licet_core_js);
    else if (str_eq(r->parameter, STR("licet-cmp.js")))
        give(r, &embedded_licet_cmp_js);
    else
        answer_error(r, ERR_NOT_FOUND, NULL);
}

void sdk_dropin(struct request *r)
{
    give(r, &embedded_iubenda_cons_js);
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
