/* cli/template.h - the templates of purposes that the binary carries (templates/), and how they become part of a configuration.
 *
 * A template is YAML of one layout: comments, then `purposes:`, `destinations:`, `links:`, of which the last two may lack; entries
 * begin with two spaces and `- id:`, languages stand ten spaces in. What is to be filled in is a mark (conf/mark.h) within double
 * quotes. tests/e2e/template.test.mjs holds the files to this.
 *
 * Owner:  nobody, they are constants.
 */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include "api/embedded.h"
#include "base/buf.h"

enum { TEMPLATES = 9, TEMPLATE_SETS = 64, TEMPLATE_VALUE = 1000 };

struct template
{
    const char *name; /* also the id of its purpose */
    const struct embedded *file;
};
extern const struct template templates[TEMPLATES]; /* what goes with another stands behind it */

struct template_set {
    struct str name, value; /* of a mark, and what stands there instead; used: it was found */
    bool used;
};

struct template_wish {
    bool chosen[TEMPLATES];
    const char *section;  /* its entries alone, without the heading; NULL: all */
    const char *language; /* "de,nl"; NULL: all */
    struct template_set set[TEMPLATE_SETS + 1]; /* and `since` */
    uint32_t set_count;
};

/* One line that says what it is. */
struct str template_summary(const struct template *t);

/* What the chosen say together, with what was set. Names of marks that are still open are added to `open`, ", " between. */
void template_join(struct template_wish *w, struct buf *to, struct buf *open);

#endif
