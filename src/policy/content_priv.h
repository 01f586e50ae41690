/* policy/content_priv.h - what is frozen of one purpose version.
 *
 * As JSON, always in this order: purpose, version, since, recipients (id, name,
 * country; by id), notices (by identifier), text (by language, parts in the
 * order of conf_text_part) and, once it is voided, voided.
 *
 * Owner: everything lives in the arena or in what was read.
 */
#ifndef POLICY_CONTENT_PRIV_H
#define POLICY_CONTENT_PRIV_H

#include "base/arena.h"
#include "base/err.h"
#include "conf/conf.h"
#include "model/frozen.h"

struct content_recipient {
    struct str id, name, country;
};

struct content {
    struct str purpose;
    uint32_t version;
    struct str since, voided; /* as text; voided is empty when it is not */
    struct content_recipient *recipient;
    uint32_t recipient_count;
    struct conf_notice_ref *notice;
    uint32_t notice_count;
    struct conf_text *text;
    uint32_t text_count;
};

/* As the configuration has it today. */
struct content content_make(const struct conf *c, const struct conf_purpose *p,
                            const struct conf_version *v, struct arena *a);

/* As it was stored. ERR_CORRUPT for anything that content_write() did not write. */
enum err content_read(struct str json, struct arena *a, struct content *ret_content) MUST_CHECK;

struct str content_write(const struct content *n, struct arena *a);

const struct conf_text *content_text(const struct content *n, struct str language);

/* The newest content that is stored of a version, or NULL. */
const struct frozen_version *frozen_find(const struct frozen *f, struct str purpose,
                                         uint32_t version);
/* Position of a name, or UINT32_MAX. */
uint32_t frozen_index(const struct str *names, uint32_t count, struct str name);

#endif
