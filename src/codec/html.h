/* codec/html.h - strangers' text in HTML.
 *
 * What comes out is text wherever it stands: between tags, and in an attribute within quotes of
 * either kind. It ends no element, begins none, and says nothing but what went in.
 */
#ifndef CODEC_HTML_H
#define CODEC_HTML_H

#include "base/buf.h"

/* & < > " ' become references. Bytes that are no UTF-8, and control characters but for tab and line
 * end, become U+FFFD: HTML allows them in no form. */
void html_write_text(struct buf *to, struct str text);

#endif
