/* collect/segment.h - the Segment-compatible interface, RudderStack's SDKs too.
 *
 * Source: Segment's HTTP tracking API; @segment/analytics-node 3.1, analytics-next
 * 1.84, rudder-sdk-node 3.0 and rudder JS 3.34 as recorded (docs/sdks.md).
 * Content-Type is never believed: gzip magic is inflated, then it is JSON.
 */
#ifndef COLLECT_SEGMENT_H
#define COLLECT_SEGMENT_H

#include "collect/collect.h"

/* The write key that a request brings: Basic or Bearer header first, then the
 * query's writeKey, then the body's. `doc` may be NULL (then the body is not looked
 * at). Empty when there is none. A header that cannot be decoded counts as none. */
struct str collect_segment_key(const struct collect_request *q, const struct json_doc *doc,
                               struct arena *a);

/* Inflates if need be and scans. ERR_SYNTAX or ERR_LIMIT, field "body". */
enum err collect_segment_scan(const struct collect_request *q, struct arena *a,
                              struct json_doc **ret_doc, struct err_info *info) MUST_CHECK;

/* Messages of a scanned body. A batch is an object with `batch`; else the body is one message whose
 * type may come from the path (/v1/track, /v1/t, …). A bad message is listed in `rejected`, the others stand.
 * `p` resolves context.consent.categoryPreferences, RudderStack's context.consentManagement and integrations to
 * purposes and uses: they can only deny, and what is there but cannot be read denies everything. ERR_VALUE when the
 * envelope itself is wrong (no object, `batch` no array), ERR_LIMIT over LIMIT_BATCH messages, or when the batch's
 * own context and integrations, once per message, would come to more than LIMIT_BODY_INFLATED.
 *
 * An id that would collect strangers (subject_id_ok) counts as absent; an object or array as id refuses the message.
 * timestamp_ms is received - (sentAt - originalTimestamp or timestamp); without a readable sentAt the client's time as
 * it is; received when there is no time, or one ahead of us or more than ten years ago. */
enum err collect_segment_events(const struct collect_request *q, const struct json_doc *doc,
                                const struct policy *p, struct arena *a,
                                struct collect_result *ret_result,
                                struct err_info *info) MUST_CHECK;

/* GET /pixel/v1/{track,page}?…: the query as one message. Dotted names nest
 * (context.page.url=…), values are text. ERR_LIMIT beyond 128 parameters or LIMIT_EVENT. */
enum err collect_segment_pixel(const struct collect_request *q, const struct policy *p,
                               struct arena *a, struct collect_result *ret_result,
                               struct err_info *info) MUST_CHECK;

/* What the SDKs ask before they send. `host` is ours as the browser sees it ("collect.shop.example"), without scheme. */
struct str collect_segment_settings(struct str key, struct str host, bool https,
                                    struct arena *a); /* GET /v1/projects/KEY/settings */
struct str collect_segment_source_config(struct str key, struct arena *a); /* GET /sourceConfig/ */

#endif
