/* audit/paper.h - a plain document for people: headings, lines, pairs of words, tables. As a page of
 * HTML without any script, or as text for a terminal; whoever writes one need not know which.
 *
 * Strangers' words are text in either: escaped here, or without what would steer a terminal.
 * A page has one style, which stands in it, and no other reference to anything.
 *
 * Owner:  the buffer and the arena are the caller's; what has become too long shows in to->over.
 */
#ifndef AUDIT_PAPER_H
#define AUDIT_PAPER_H

#include "base/arena.h"
#include "base/buf.h"

enum { PAPER_COLUMNS = 4 };

struct paper {
    struct buf *to;
    struct arena *a;
    bool html;
    struct str language;               /* of the whole: "de" */
    struct str heading[PAPER_COLUMNS]; /* of the table at hand; its own */
};

/* Words, and their language where it is another than the document's; empty: the same. */
struct words {
    struct str text, language;
};
#define WORDS_OF(s) ((struct words){ .text = (s) })

void paper_begin(struct paper *p, struct str title);
void paper_end(struct paper *p);

/* Levels 1 to 3. */
void paper_heading(struct paper *p, int level, struct words w);
/* `kind` is a class of the page's style ("yes", "no", "quiet"), or NULL. */
void paper_line(struct paper *p, const char *kind, struct words w);

/* What belongs together, one of several. */
void paper_section_begin(struct paper *p);
void paper_section_end(struct paper *p);

/* Pairs of a name and what it stands for. */
void paper_pairs_begin(struct paper *p);
void paper_pair(struct paper *p, const char *name, struct words w);
/* The same for ids and hashes. */
void paper_pair_code(struct paper *p, const char *name, struct str code);
/* The same for what a stranger wrote, line ends kept. */
void paper_pair_quote(struct paper *p, const char *name, struct str quoted);
void paper_pairs_end(struct paper *p);

/* `caption` NULL: a heading above says what it is. */
void paper_table_begin(struct paper *p, const char *caption, const char *const *heading,
                       uint32_t columns);
/* The first cell names the row. */
void paper_row(struct paper *p, const struct words *cells, uint32_t columns);
void paper_table_end(struct paper *p);

void paper_items_begin(struct paper *p);
void paper_item(struct paper *p, struct words w);
void paper_items_end(struct paper *p);

/* Words on lines of up to 88 bytes, behind `indent` spaces, without what would steer a terminal. */
void paper_wrap(struct buf *to, int indent, struct str words);

/* The Content-Security-Policy under which a page is whole: its own style, by its hash, and nothing else. */
struct str paper_policy(struct arena *a);

#endif
