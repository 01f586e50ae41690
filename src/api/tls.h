/* api/tls.h - the certificate that the listener shows.
 *
 * It is looked at every few seconds and after a reload; a new one that is good is
 * used for handshakes from then on, while connections go on with theirs. One that cannot be used is logged and the
 * old one stays.
 */
#ifndef API_TLS_H
#define API_TLS_H

#include "base/err.h"
#include "conf/conf.h"

struct certificate;

/* Reads and checks both files: PEM, complete, belonging together. Faults (ERR_VALUE) and warnings (it has expired) go to
 * *reports at their place in the configuration. */
enum err certificate_load(const struct conf *c, struct certificate **ret_cert,
                          struct buf *reports) MUST_CHECK;
void certificate_ref(struct certificate *cert);
void certificate_unref(struct certificate **cert);

int64_t certificate_expires_s(const struct certificate *cert); /* since 1970 */

/* What GnuTLS is to be told for a handshake; lives as long as the certificate. */
struct gnutls_pcert_st *certificate_chain(const struct certificate *cert, unsigned *ret_count);
struct gnutls_privkey_st *certificate_key(const struct certificate *cert);

/* A file that is being written is not there yet: true once both are as they were at the last look, but not as when
 * they were last loaded. */
struct certificate_watch {
    struct certificate_stamp {
        int64_t at_ns[2], size[2];
        uint64_t inode[2];
    } loaded, seen;
};
void certificate_loaded(struct certificate_watch *w, const struct conf *c);
bool certificate_changed(struct certificate_watch *w, const struct conf *c);

#endif
