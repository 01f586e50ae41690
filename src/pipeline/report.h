/* pipeline/report.h - what had been sent on a text that was declared void.
 *
 * Any thread, with a reader of its own.
 */
#ifndef PIPELINE_REPORT_H
#define PIPELINE_REPORT_H

#include "policy/policy.h"
#include "store/store.h"

/* One page: {"purpose","version","void_from","sent":[{"event","subject","as","destination","recipient",
 * "country","at","result","fields","rested"}],"omitted","next"}, of the subjects behind number `after`;
 * `next` null: that was the last. `rested` says when the consent was to that version: at "collection",
 * "departure" or "both". Of one subject the newest LIMIT_REPORT_SENT are shown, `omitted` counts the others.
 * `recipient` is who the text named. ERR_VALUE: no such purpose or version, or it is not void. */
enum err report_voided(struct store_reader *r, const struct policy *p, struct str purpose,
                       uint32_t version, int64_t after, struct arena *a, struct str *ret_json,
                       struct err_info *info) MUST_CHECK;

/* All versions that are void: [{"purpose","version","void_from"}]. */
enum err report_voids(const struct policy *p, struct arena *a, struct str *ret_json) MUST_CHECK;

#endif
