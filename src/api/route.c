#include "api/route.h"

#include "codec/text.h"

#define SDK METHOD_POST, ACCESS_NONE, CORS_ANY, LIMIT_BODY, ingest_post, NULL, WORTH_EVENT
#define READ(look) NULL, look, WORTH_READ
#define ACT(handle) handle, NULL, WORTH_ACT
#define ALWAYS(handle) handle, NULL, WORTH_ALWAYS
#define SCRIPT METHOD_GET, ACCESS_NONE, CORS_ANY, 0, sdk_dropin, NULL, WORTH_READ
#define DATABASE CORS_ANY, LIMIT_CONSENT_BODY

static const struct route routes[] = {
    { "/v1/batch", SDK },
    { "/v1/b", SDK },
    { "/v1/track", SDK },
    { "/v1/t", SDK },
    { "/v1/page", SDK },
    { "/v1/p", SDK },
    { "/v1/identify", SDK },
    { "/v1/i", SDK },
    { "/v1/screen", SDK },
    { "/v1/s", SDK },
    { "/v1/group", SDK },
    { "/v1/g", SDK },
    { "/v1/alias", SDK },
    { "/v1/a", SDK },
    { "/v1/merge", SDK },
    { "/v1/import", SDK },
    { "/beacon/v1/batch", SDK },
    { "/pixel/v1/{}", METHOD_GET, ACCESS_NONE, CORS_ANY, 0, ingest_pixel, NULL, WORTH_EVENT },
    { "/v1/projects/{}/settings", METHOD_GET, ACCESS_NONE, CORS_ANY, 0, ingest_settings, NULL,
      WORTH_READ },
    { "/sourceConfig", METHOD_GET, ACCESS_NONE, CORS_ANY, 0, ingest_source_config, NULL,
      WORTH_READ },

    { "/consent", METHOD_POST, ACCESS_PRIVATE, DATABASE, ACT(consent_post) },
    { "/consent", METHOD_GET, ACCESS_PRIVATE, DATABASE, READ(consent_list) },
    { "/consent/{}", METHOD_GET, ACCESS_PRIVATE, DATABASE, READ(consent_get) },
    { "/consent/{}/receipt", METHOD_GET, ACCESS_PRIVATE, DATABASE, receipt_of_consent, NULL,
      WORTH_READ },
    { "/public/receipt", METHOD_GET | METHOD_POST, ACCESS_NONE, CORS_CREDENTIALS, 8192,
      receipt_public, NULL, WORTH_READ },
    { "/public/read_token", METHOD_POST, ACCESS_PUBLIC, CORS_CREDENTIALS, 8192, read_token_public,
      NULL, WORTH_READ },
    { "/public/state", METHOD_GET, ACCESS_PUBLIC, CORS_CREDENTIALS, 0, state_public, NULL,
      WORTH_READ },
    { "/subjects/{}/read_token", METHOD_POST, ACCESS_PRIVATE, DATABASE, read_token_of_subject, NULL,
      WORTH_READ },
    { "/public/consent", METHOD_POST, ACCESS_PUBLIC, CORS_CREDENTIALS, LIMIT_CONSENT_BODY,
      ACT(consent_post_public) },
    { "/subjects", METHOD_POST, ACCESS_PRIVATE, DATABASE, ACT(subject_post) },
    { "/subjects", METHOD_GET, ACCESS_PRIVATE, DATABASE, READ(subject_list) },
    { "/subjects/{}", METHOD_GET, ACCESS_PRIVATE, DATABASE, READ(subject_get) },
    { "/subjects/{}", METHOD_PUT | METHOD_PATCH, ACCESS_PRIVATE, DATABASE, ACT(subject_change) },
    { "/subjects/{}/consent/last", METHOD_GET, ACCESS_PRIVATE, DATABASE,
      READ(subject_last_consent) },
    { "/subjects/{}/receipt", METHOD_GET, ACCESS_PRIVATE, DATABASE, receipt_of_person, NULL,
      WORTH_READ },
    { "/subjects/{}/verification", METHOD_POST, ACCESS_PRIVATE, DATABASE, ACT(verification_post) },
    { "/subjects/{}/verification", METHOD_GET, ACCESS_PRIVATE, DATABASE, READ(verification_get) },
    { "/legal_notices", METHOD_POST, ACCESS_PRIVATE, DATABASE, ACT(notice_post) },
    { "/legal_notices", METHOD_GET, ACCESS_PRIVATE, DATABASE, READ(notice_list) },
    { "/legal_notices/{}", METHOD_GET, ACCESS_PRIVATE, DATABASE, READ(notice_get) },
    { "/legal_notices/{}/{}", METHOD_GET, ACCESS_PRIVATE, DATABASE, READ(notice_get) },
    { "/documents", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, LIMIT_DOCUMENT_BODY,
      ACT(document_post) },
    { "/documents", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(document_list) },
    { "/documents/{}", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(document_get) },
    { "/documents/{}/content", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, document_content, NULL,
      WORTH_READ },

    { "/confirm/{}", METHOD_GET, ACCESS_NONE, CORS_NONE, 0, confirmation_get, NULL, WORTH_READ },
    { "/confirm/{}", METHOD_POST, ACCESS_NONE, CORS_NONE, 4096, ACT(confirmation_post) },

    { "/v1/notices", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(notice_watched) },
    { "/v1/notices/confirm", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, 4096, ACT(notice_confirm) },
    { "/v1/notices/{}/pending", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(notice_pending) },
    { "/v1/permissions/{}", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(permissions_get) },
    { "/v1/decisions", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(decision_counters) },
    { "/v1/decisions/{}", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(decision_get) },
    { "/v1/deliveries", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(delivery_list) },
    { "/v1/deliveries/resend", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, 4096, ACT(delivery_resend) },
    { "/v1/deliveries/destinations", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0,
      ALWAYS(delivery_destinations) },
    { "/v1/deliveries/pause", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, 4096, ACT(delivery_pause) },
    { "/v1/deliveries/resume", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, 4096, ACT(delivery_resume) },
    { "/v1/hooks", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(hook_list) },
    { "/v1/hooks/messages", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(hook_messages) },
    { "/v1/hooks/resend", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, 4096, ACT(hook_resend) },
    { "/v1/hooks/pause", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, 4096, ACT(hook_pause) },
    { "/v1/hooks/resume", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, 4096, ACT(hook_resume) },
    { "/v1/purposes", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(purpose_list) },
    { "/v1/purposes/{}/coverage", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0,
      READ(purpose_coverage) },
    { "/v1/void", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, 16384, ACT(void_post) },
    { "/v1/reports/voided", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(voided_report) },
    { "/v1/imports", METHOD_POST, ACCESS_PRIVATE, CORS_NONE, LIMIT_BODY, ACT(import_post) },
    { "/v1/imports/{}", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(import_get) },
    { "/v1/imports/{}/refused", METHOD_GET, ACCESS_PRIVATE, CORS_NONE, 0, READ(import_refused) },
    { "/v1/tail", METHOD_GET, ACCESS_CONTROL, CORS_NONE, 0, ACT(tail_get) },

    { "/sdk/policy", METHOD_GET, ACCESS_NONE, CORS_ANY, 0, sdk_policy, NULL, WORTH_READ },
    { "/sdk/{}", METHOD_GET, ACCESS_NONE, CORS_ANY, 0, sdk_script, NULL, WORTH_READ },
    { "/cons/iubenda_cons.js", SCRIPT },
    { "/cons/beta/iubenda_cons.js", SCRIPT },
    { "/consent_solution/iubenda_cons.js", SCRIPT },

    { "/healthz", METHOD_GET, ACCESS_NONE, CORS_NONE, 0, ALWAYS(health_get) },
    { "/readyz", METHOD_GET, ACCESS_NONE, CORS_NONE, 0, ALWAYS(ready_get) },
    { "/metrics", METHOD_GET, ACCESS_NONE, CORS_NONE, 0, ALWAYS(metrics_get) },
    { "/.well-known/gpc.json", METHOD_GET, ACCESS_NONE, CORS_NONE, 0, gpc_get, NULL, WORTH_READ },
    { "/openapi.json", METHOD_GET, ACCESS_NONE, CORS_ANY, 0, description_get, NULL, WORTH_READ },
    { "/docs", METHOD_GET, ACCESS_NONE, CORS_NONE, 0, docs_get, NULL, WORTH_READ },
};

const struct route *route_table(size_t *ret_count)
{
    *ret_count = COUNT(routes);
    return routes;
}

static unsigned method_of(struct str method)
{
    static const struct {
        struct str name;
        unsigned bit;
    } known[] = {
        { STR_INIT("POST"), METHOD_POST }, { STR_INIT("GET"), METHOD_GET },
        { STR_INIT("HEAD"), METHOD_GET },  { STR_INIT("PATCH"), METHOD_PATCH },
        { STR_INIT("PUT"), METHOD_PUT },
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        if (str_eq(method, known[i].name))
            return known[i].bit;
    }
    return 0;
}

/* Whether the path has the pattern's form; *ret_hole is what the first {} stands for, and all behind it. */
static bool fits(const char *pattern, struct str path, struct str *ret_hole)
{
    struct str p = str_of(pattern), want, have;
    if (memchr(p.p, '{', p.n) == NULL)
        return str_eq(p, path);
    *ret_hole = (struct str){ 0 };
    while (str_next(&p, '/', &want)) {
        if (!str_next(&path, '/', &have))
            return false;
        if (str_eq(want, STR("{}"))) {
            if (have.n == 0)
                return false;
            if (ret_hole->p == NULL)
                *ret_hole = have;
            else
                ret_hole->n = (size_t)(have.p + have.n - ret_hole->p);
        } else if (!str_eq(want, have)) {
            return false;
        }
    }
    return path.p == NULL;
}

const struct route *route_find(struct str method, struct str path, struct arena *a,
                               struct str *ret_parameter, unsigned *ret_methods)
{
    unsigned wanted = method_of(method), possible = 0;
    for (size_t i = 0; i < COUNT(routes); i++) {
        struct str hole = { 0 };
        if (!fits(routes[i].path, path, &hole))
            continue;
        if (routes[i].methods & wanted) {
            *ret_parameter = hole.n ? url_decode(hole, false, a) : hole;
            return &routes[i];
        }
        possible |= routes[i].methods;
    }
    *ret_methods = possible;
    return NULL;
}
