/* conf/mark.h - places that a template leaves to be filled in: [[company]].
 *
 * Two brackets, a name (a to z first, then a to z, 0 to 9, '_'), two brackets. Who writes prose does not come upon it by
 * chance. A configuration in which one still stands is refused.
 *
 * Owner:  nobody; what is returned lies in the text given.
 * Thread: any.
 */
#ifndef CONF_MARK_H
#define CONF_MARK_H

#include "base/str.h"

/* The first mark, brackets included; empty when there is none. */
struct str mark_find(struct str text);

/* The mark that the text begins with; empty when it begins with none. */
struct str mark_first(struct str text);

/* Its name, without the brackets. */
static inline struct str mark_name(struct str mark)
{
    return (struct str){ mark.p + 2, mark.n - 4 };
}

#endif
