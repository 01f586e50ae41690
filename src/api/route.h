/* api/route.h - the table of paths. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/request.h"
#include "api/shed.h"

enum { METHOD_GET = 1, METHOD_POST = 2, METHOD_PUT = 4, METHOD_PATCH = 8 };

enum cors {
    CORS_NONE = 0,
    CORS_ANY,         /* readable from any page: SDKs */
    CORS_CREDENTIALS, /* answers the page's origin, with cookies */
};

struct route {
    const char *path; /* "/consent/{}": {} is one segment */
    unsigned methods;
    enum access least; /* ACCESS_NONE: the handler looks at the key itself */
    enum cors cors;
    size_t body_limit;
    void (*handle)(struct request *r);
    look_fn look; /* instead of handle: all it does is to read the database */
    enum worth worth;
};

#define LOOK(name)                                                                                 \
    enum err name(struct request *r, struct store_reader *reader, struct str *ret_json,            \
                  struct err_info *info)

/* NULL when no path fits (*ret_methods 0) or the method does not (*ret_methods says which would). */
const struct route *route_find(struct str method, struct str path, struct arena *a,
                               struct str *ret_parameter, unsigned *ret_methods);

/* All of them: each is described in api/openapi. */
const struct route *route_table(size_t *ret_count);

/* handlers, one file per resource */
void ingest_post(struct request *r);
void ingest_pixel(struct request *r);
void ingest_settings(struct request *r);
void ingest_source_config(struct request *r);
void consent_post(struct request *r);
void consent_post_public(struct request *r);
void receipt_of_consent(struct request *r);
void receipt_of_person(struct request *r);
void receipt_public(struct request *r);
void read_token_public(struct request *r);
void read_token_of_subject(struct request *r);
void state_public(struct request *r);
void subject_post(struct request *r);
void subject_change(struct request *r);
void notice_post(struct request *r);
void notice_confirm(struct request *r);
void document_post(struct request *r);
void document_content(struct request *r);
void delivery_resend(struct request *r);
void delivery_destinations(struct request *r);
void delivery_pause(struct request *r);
void delivery_resume(struct request *r);
void hook_resend(struct request *r);
void hook_pause(struct request *r);
void hook_resume(struct request *r);
void void_post(struct request *r);
void import_post(struct request *r);
void verification_post(struct request *r);
void confirmation_get(struct request *r);
void confirmation_post(struct request *r);
void tail_get(struct request *r);
void health_get(struct request *r);
void ready_get(struct request *r);
void metrics_get(struct request *r);
void gpc_get(struct request *r);
void sdk_script(struct request *r);
void sdk_dropin(struct request *r);
void sdk_policy(struct request *r);
void description_get(struct request *r);
void docs_get(struct request *r);

/* answers that come from the database, on the reader's thread */
LOOK(consent_get);
LOOK(consent_list);
LOOK(subject_get);
LOOK(subject_last_consent);
LOOK(subject_list);
LOOK(notice_list);
LOOK(notice_get);
LOOK(notice_watched);
LOOK(notice_pending);
LOOK(document_list);
LOOK(document_get);
LOOK(permissions_get);
LOOK(decision_get);
LOOK(decision_counters);
LOOK(delivery_list);
LOOK(hook_list);
LOOK(hook_messages);
LOOK(purpose_list);
LOOK(purpose_coverage);
LOOK(voided_report);
LOOK(verification_get);
LOOK(import_get);
LOOK(import_refused);

#endif
