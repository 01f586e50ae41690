#include "api/tls.h"

#include "base/clock.h"
#include "base/limits.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct certificate {
    uint32_t references;
    unsigned count;
    gnutls_pcert_st chain[LIMIT_CHAIN];
    gnutls_privkey_t key;
    unsigned char key_id[64];
    size_t key_id_size;
    int64_t expires_s;
};

void certificate_ref(struct certificate *cert)
{
    cert->references++;
}

void certificate_unref(struct certificate **cc)
{
    struct certificate *c = *cc;
    *cc = NULL;
    if (c == NULL || --c->references > 0)
        return;
    for (unsigned i = 0; i < c->count; i++)
        gnutls_pcert_deinit(&c->chain[i]);
    if (c->key != NULL)
        gnutls_privkey_deinit(c->key);
    free(c);
}

int64_t certificate_expires_s(const struct certificate *cert)
{
    return cert->expires_s;
}

struct gnutls_pcert_st *certificate_chain(const struct certificate *cert, unsigned *ret_count)
{
    *ret_count = cert->count;
    return (struct gnutls_pcert_st *)cert->chain; /* GnuTLS only reads it */
}

struct gnutls_privkey_st *certificate_key(const struct certificate *cert)
{
    return cert->key;
}

/* ---- reading ---- */

static bool slurp(const struct conf *c, struct conf_place at, struct str file, struct buf *to,
                  struct buf *reports)
{
    char path[4096];
    if (file.n >= sizeof path) {
        conf_report(c, at, true, reports, "this path is too long");
        return false;
    }
    memcpy(path, file.p, file.n);
    path[file.n] = 0;
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st = { 0 };
    ssize_t n = fd >= 0 && fstat(fd, &st) == 0 ? 1 : -1;
    if (n > 0 && !S_ISREG(st.st_mode)) {
        conf_report(c, at, true, reports, "this is not a plain file");
        return false;
    }
    while (n > 0 && buf_room(to, 1) != NULL) {
        n = read(fd, to->p + to->n, to->cap - to->n);
        to->n += n > 0 ? (size_t)n : 0;
    }
    if (n < 0)
        conf_report(c, at, true, reports, "cannot read this file: %s", strerror(errno));
    else if (n > 0)
        conf_report(c, at, true, reports, "this file is longer than %u bytes", LIMIT_CERTIFICATE);
    return n == 0;
}

static gnutls_datum_t datum(const struct buf *b)
{
    return (gnutls_datum_t){ .data = (unsigned char *)b->p, .size = (unsigned)b->n };
}

static int64_t end_of(gnutls_x509_crt_t *crt, unsigned count)
{
    int64_t end = INT64_MAX;
    for (unsigned i = 0; i < count; i++) {
        int64_t t = gnutls_x509_crt_get_expiration_time(crt[i]);
        end = t < end ? t : end;
    }
    return end;
}

static int import_chain(struct certificate *cert, const struct buf *pem)
{
    gnutls_x509_crt_t crt[LIMIT_CHAIN];
    unsigned count = LIMIT_CHAIN;
    gnutls_datum_t data = datum(pem);
    int e = gnutls_x509_crt_list_import(crt, &count, &data, GNUTLS_X509_FMT_PEM,
                                        GNUTLS_X509_CRT_LIST_SORT |
                                            GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (e < 0)
        return e;
    cert->expires_s = end_of(crt, count);
    cert->key_id_size = sizeof cert->key_id;
    e = gnutls_x509_crt_get_key_id(crt[0], GNUTLS_KEYID_USE_SHA256, cert->key_id,
                                   &cert->key_id_size);
    for (unsigned i = 0; i < count; i++) {
        if (e >= 0)
            e = gnutls_pcert_import_x509(&cert->chain[i], crt[i], 0);
        cert->count += e >= 0;
        gnutls_x509_crt_deinit(crt[i]);
    }
    return e;
}

static int import_key(struct certificate *cert, const struct buf *pem)
{
    gnutls_datum_t data = datum(pem);
    int e = gnutls_privkey_init(&cert->key);
    return e < 0 ? e
                 : gnutls_privkey_import_x509_raw(cert->key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
}

static bool key_fits(const struct certificate *cert)
{
    unsigned char id[64];
    size_t size = sizeof id;
    gnutls_pubkey_t public;
    must(gnutls_pubkey_init(&public) >= 0);
    bool fits = gnutls_pubkey_import_privkey(public, cert->key, 0, 0) >= 0 &&
                gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, id, &size) >= 0 &&
                size == cert->key_id_size && memcmp(id, cert->key_id, size) == 0;
    gnutls_pubkey_deinit(public);
    return fits;
}

static void forget(struct buf *b)
{
    if (b->p != NULL)
        sodium_memzero(b->p, b->cap);
    buf_fini(b);
}

enum err certificate_load(const struct conf *c, struct certificate **ret_cert, struct buf *reports)
{
    const struct conf_tls *t = &c->tls;
    AUTO(buf_fini) struct buf chain = BUF_INIT(LIMIT_CERTIFICATE);
    AUTO(forget) struct buf key = BUF_INIT(LIMIT_CERTIFICATE);
    AUTO(certificate_unref) struct certificate *cert = must_alloc_zero(sizeof *cert);
    cert->references = 1;
    (void)buf_room(&key, LIMIT_CERTIFICATE); /* at once: it is not to be copied about */
    bool have_chain = slurp(c, t->certificate_place, t->certificate, &chain, reports);
    bool have_key = slurp(c, t->key_place, t->key, &key, reports);
    int e = have_chain ? import_chain(cert, &chain) : 0;
    if (e < 0)
        conf_report(c, t->certificate_place, true, reports,
                    "no certificates in PEM, each signed by the next, stand in this file: %s",
                    gnutls_strerror(e));
    int k = have_key ? import_key(cert, &key) : 0;
    if (k < 0)
        conf_report(c, t->key_place, true, reports,
                    "no key in PEM, without a password, stands in this file: %s",
                    gnutls_strerror(k));
    if (!have_chain || !have_key || e < 0 || k < 0)
        return ERR_VALUE;
    if (!key_fits(cert)) {
        conf_report(c, t->key_place, true, reports, "this key is not that of the certificate");
        return ERR_VALUE;
    }
    if (cert->expires_s <= clock_now_ms() / 1000)
        conf_report(c, t->certificate_place, false, reports, "this certificate has expired");
    *ret_cert = cert;
    cert = NULL;
    return OK;
}

/* ---- watching ---- */

static void stamp_of(const struct conf *c, struct certificate_stamp *ret_s)
{
    const struct str file[] = { c->tls.certificate, c->tls.key };
    *ret_s = (struct certificate_stamp){ 0 };
    for (size_t i = 0; i < COUNT(file); i++) {
        struct stat st; /* conf's texts end with a zero byte */
        if (stat(file[i].p, &st) != 0)
            continue;
        ret_s->at_ns[i] = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
        ret_s->size[i] = st.st_size;
        ret_s->inode[i] = st.st_ino;
    }
}

static bool same(const struct certificate_stamp *a, const struct certificate_stamp *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

void certificate_loaded(struct certificate_watch *w, const struct conf *c)
{
    stamp_of(c, &w->loaded);
    w->seen = w->loaded;
}

bool certificate_changed(struct certificate_watch *w, const struct conf *c)
{
    struct certificate_stamp now;
    stamp_of(c, &now);
    bool settled = same(&now, &w->seen);
    w->seen = now;
    return settled && !same(&now, &w->loaded);
}
