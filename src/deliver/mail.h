/* deliver/mail.h - letters, handed to the operator's mail server by SMTP.
 *
 * By the rules for destinations: TLS is verified (smtps, or STARTTLS, which is then not optional), no private
 * address is called unless the configuration says so, nothing is said of this machine. Blocks.
 *
 * Thread: one at a time. Limit: LIMIT_SMTP_S for one letter, LIMIT_CONNECT_S for the connection.
 */
#ifndef DELIVER_MAIL_H
#define DELIVER_MAIL_H

#include "base/arena.h"
#include "base/err.h"
#include "conf/conf.h"

#include <stdatomic.h>

struct mail {
    struct str from, to; /* addresses: mailbox_ok() */
    struct str bytes;    /* the message: codec/letter.h */
};
enum mail_result {
    MAIL_LATER = 0, /* not now: nobody there, busy, or not known whether it was taken */
    MAIL_REFUSED,   /* the server will never take this one */
    MAIL_TAKEN,     /* it is the server's now */
};

/* A connection that serves several letters. `name` is who we say we are (EHLO): a host name. */
struct mailer;
struct mailer *mailer_new(const struct conf_mail *c, struct str name, const _Atomic bool *stop);
/* *ret_why says it in fixed words, or "status 550"; it lives as long as the mailer. Ends soon when *stop is true.
 * *ret_gone: it was the connection, not this letter: the next ones would fare no better now. */
enum mail_result mailer_send(struct mailer *m, const struct mail *mail, bool *ret_gone,
                             const char **ret_why);
void mailer_free(struct mailer **m);

#endif
