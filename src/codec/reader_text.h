/* codec/reader_text.h - a document as its reader sees it: words and lines, without markup.
 *
 * So that two texts can be compared although a nonce, a class or the white space in them differs.
 * HTML is parsed by libxml2, which takes any; comments, scripts, styles and what is marked `hidden`
 * are left out, attributes as well. White space becomes one space, or one line's end where a block
 * ends; what has no width is dropped. What a style sheet hides or moves is not known.
 *
 * Owner:  the result lives in the arena. Thread: any.
 */
#ifndef CODEC_READER_TEXT_H
#define CODEC_READER_TEXT_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

/* ERR_SYNTAX: not UTF-8, or with control characters in it. ERR_LIMIT: deeper than libxml2 goes,
 * or larger than LIMIT_NOTICE. */
enum err reader_text(struct str bytes, bool html, struct arena *a, struct str *ret_text) MUST_CHECK;

/* SHA-256 of the words alone, wherever lines end. */
void reader_text_hash(struct str text, uint8_t ret_hash[32]);

#endif
