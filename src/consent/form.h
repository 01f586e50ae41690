/* consent/form.h - application/x-www-form-urlencoded bodies as JSON.
 *
 * Nested names as Rails, PHP and their clients write them:
 *   subject[email]=a@b.c & legal_notices[0][identifier]=terms & proof_document_ids[]=7
 * An object whose names are all decimal numbers becomes an array in the order of
 * appearance. `x[][a]=1&x[][b]=2` is one item with a and b; a name that the last
 * item already has begins the next. All values are strings; of a repeated name
 * the last one counts.
 *
 * The result is not checked for UTF-8 or control characters: json_scan() does.
 */
#ifndef CONSENT_FORM_H
#define CONSENT_FORM_H

#include "base/arena.h"
#include "base/err.h"

/* ERR_LIMIT: more than FORM_FIELDS names or deeper than FORM_DEPTH brackets.
 * ERR_SYNTAX: a name that is both a value and a container, or bad brackets. */
enum { FORM_FIELDS = 1024, FORM_DEPTH = 16 };
enum err form_to_json(struct str form, struct arena *a, struct str *ret_json,
                      struct err_info *info) MUST_CHECK;

#endif
