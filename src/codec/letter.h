/* codec/letter.h - e-mail: addresses, and a letter as the bytes that a mail server takes.
 *
 * RFC 5322, 2045 and 2047. A letter is plain text in UTF-8, sent as quoted-printable, so that every line is
 * ASCII and short. Nothing that is put into it can begin a header of its own.
 *
 * Pure; any thread.
 */
#ifndef CODEC_LETTER_H
#define CODEC_LETTER_H

#include "base/buf.h"
#include "base/arena.h"
#include "base/id.h"

/* An address that a letter is written to: local@domain in ASCII, the local part of dots and atoms (no quotes,
 * no comments), the domain a host name; LIMIT_MAILBOX bytes at most. Narrower than what the RFC allows. */
bool mailbox_ok(struct str address);

/* The address as limits know it: in lower case, without what stands behind a '+' in the local part.
 * mailbox_ok(address). */
struct str mailbox_key(struct str address, struct arena *a);

struct letter {
    struct str from_name;     /* or empty */
    struct str from_address;  /* mailbox_ok() */
    struct str to;            /* likewise */
    struct str subject, text; /* UTF-8; ends of lines within the text as they like */
    struct str language;      /* "de" */
    struct id id;             /* of its Message-ID: the same letter sent twice has one */
    int64_t at_ms;
};
/* The whole message, lines ended by CRLF. Control characters in headers become spaces. False when `to`
 * ran over, or an address is none. */
bool letter_write(const struct letter *l, struct buf *to) MUST_CHECK;

#endif
