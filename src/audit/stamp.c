#include "audit/stamp.h"

#include "base/limits.h"
#include "codec/text.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <sodium.h>

#include <time.h>

enum { DIGEST = crypto_hash_sha256_BYTES, CERTIFICATES = 64 };

/* AUTO() wants functions that take the pointer's address. */
#define FREE(name, type, fn)                                                                       \
    static void name(type **p)                                                                     \
    {                                                                                              \
        fn(*p);                                                                                    \
    }
FREE(free_request, TS_REQ, TS_REQ_free)
FREE(free_answer, TS_RESP, TS_RESP_free)
FREE(free_token, PKCS7, PKCS7_free)
FREE(free_imprint, TS_MSG_IMPRINT, TS_MSG_IMPRINT_free)
FREE(free_algorithm, X509_ALGOR, X509_ALGOR_free)
FREE(free_nonce, ASN1_INTEGER, ASN1_INTEGER_free)
FREE(free_store, X509_STORE, X509_STORE_free)
FREE(free_bio, BIO, BIO_free_all)
FREE(free_certificate, X509, X509_free)
FREE(free_context, TS_VERIFY_CTX, TS_VERIFY_CTX_free)
FREE(free_signers, STACK_OF(X509), sk_X509_free) /* they are the token's */

static void digest_of(struct str statement, uint8_t ret_digest[DIGEST])
{
    (void)crypto_hash_sha256(ret_digest, (const uint8_t *)statement.p, statement.n);
}

/* ---- asking ---- */

static bool fill(TS_REQ *q, struct str statement)
{
    uint8_t digest[DIGEST], nonce[8];
    AUTO(free_imprint) TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    AUTO(free_algorithm) X509_ALGOR *sha256 = X509_ALGOR_new();
    AUTO(free_nonce) ASN1_INTEGER *n = ASN1_INTEGER_new();
    digest_of(statement, digest);
    randombytes_buf(nonce, sizeof nonce);
    nonce[0] = (nonce[0] & 0x7f) | 0x40; /* positive, and without a zero in front */
    return imprint != NULL && sha256 != NULL && n != NULL &&
           X509_ALGOR_set0(sha256, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) &&
           TS_MSG_IMPRINT_set_algo(imprint, sha256) &&
           TS_MSG_IMPRINT_set_msg(imprint, digest, DIGEST) && TS_REQ_set_version(q, 1) &&
           TS_REQ_set_msg_imprint(q, imprint) && ASN1_STRING_set(n, nonce, sizeof nonce) &&
           TS_REQ_set_nonce(q, n) && TS_REQ_set_cert_req(q, 1);
}

enum err stamp_request(struct str statement, struct arena *a, struct str *ret_request)
{
    unsigned char *der = NULL;
    AUTO(free_request) TS_REQ *q = TS_REQ_new();
    if (q == NULL || !fill(q, statement))
        return ERR_IO;
    int n = i2d_TS_REQ(q, &der);
    if (n <= 0)
        return ERR_IO;
    *ret_request = arena_str(a, (struct str){ (const char *)der, (size_t)n });
    OPENSSL_free(der);
    return OK;
}

/* ---- the token ---- */

static enum err refuse(struct err_info *info, enum err e, const char *why)
{
    ERR_clear_error();
    return err_set(info, e, NULL, "time stamp: %s", why);
}

static PKCS7 *parse_token(struct str token)
{
    const unsigned char *p = (const unsigned char *)token.p;
    if (token.n == 0 || token.n > LIMIT_STAMP)
        return NULL;
    PKCS7 *t = d2i_PKCS7(NULL, &p, (long)token.n);
    if (t != NULL && p != (const unsigned char *)token.p + token.n) {
        PKCS7_free(t);
        return NULL;
    }
    return t;
}

static bool is_sha256(TS_TST_INFO *info)
{
    const ASN1_OBJECT *o = NULL;
    X509_ALGOR_get0(&o, NULL, NULL, TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info)));
    return OBJ_obj2nid(o) == NID_sha256;
}

static bool time_of(TS_TST_INFO *info, int64_t *ret_ms)
{
    struct tm tm = { 0 };
    if (!ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &tm))
        return false;
    time_t s = timegm(&tm);
    if (s < 0)
        return false;
    *ret_ms = (int64_t)s * 1000;
    return true;
}

/* Everything in the token is its own anchor when nobody else is trusted: then only its signature counts. */
static bool trust_itself(X509_STORE *store, PKCS7 *token)
{
    STACK_OF(X509) *all = PKCS7_type_is_signed(token) ? token->d.sign->cert : NULL;
    for (int i = 0; i < sk_X509_num(all); i++)
        if (i == CERTIFICATES || !X509_STORE_add_cert(store, sk_X509_value(all, i)))
            return false;
    return X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

static bool trust(X509_STORE *store, struct str pem)
{
    AUTO(free_bio) BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    int n = 0;
    if (b == NULL)
        return false;
    for (; n < CERTIFICATES; n++) {
        AUTO(free_certificate) X509 *c = PEM_read_bio_X509(b, NULL, NULL, NULL);
        if (c == NULL)
            break;
        if (!X509_STORE_add_cert(store, c))
            return false;
    }
    ERR_clear_error(); /* the end of the file is one */
    return n > 0;
}

/* As of the time of the stamp: certificates are good for some years, proofs must be for longer. */
static bool verify(PKCS7 *token, struct str statement, X509_STORE *store, int64_t at_ms)
{
    uint8_t digest[DIGEST];
    AUTO(free_context) TS_VERIFY_CTX *c = TS_VERIFY_CTX_new();
    digest_of(statement, digest);
    unsigned char *imprint = OPENSSL_memdup(digest, DIGEST);
    if (c == NULL || imprint == NULL || X509_STORE_up_ref(store) != 1) {
        OPENSSL_free(imprint);
        return false;
    }
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)(at_ms / 1000));
    (void)TS_VERIFY_CTX_set_flags(c, TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_IMPRINT);
    (void)TS_VERIFY_CTX_set_imprint(c, imprint, DIGEST); /* both are the context's now */
    (void)TS_VERIFY_CTX_set_store(c, store);
    bool is = TS_RESP_verify_token(c, token) == 1;
    ERR_clear_error();
    return is;
}

static bool verify_with(PKCS7 *token, struct str statement, struct str trusted, int64_t at_ms)
{
    AUTO(free_store) X509_STORE *store = X509_STORE_new();
    return store != NULL && (trusted.n ? trust(store, trusted) : trust_itself(store, token)) &&
           verify(token, statement, store, at_ms);
}

static bool describe(PKCS7 *token, struct arena *a, struct stamp *s)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    AUTO(free_signers) STACK_OF(X509) *signers = PKCS7_get0_signers(token, NULL, 0);
    X509 *c = sk_X509_num(signers) == 1 ? sk_X509_value(signers, 0) : NULL;
    AUTO(free_bio) BIO *b = BIO_new(BIO_s_mem());
    char *text;
    if (c == NULL || b == NULL || !X509_digest(c, EVP_sha256(), hash, &n) ||
        X509_NAME_print_ex(b, X509_get_subject_name(c), 0, XN_FLAG_RFC2253) < 0)
        return false;
    long length = BIO_get_mem_data(b, &text);
    s->signer = arena_str(a, (struct str){ text, length < 256 ? (size_t)length : 256 });
    s->fingerprint = hex_encode((struct str){ (const char *)hash, n }, a);
    return true;
}

enum err stamp_check(struct str token, struct str statement, struct str trusted, struct arena *a,
                     struct stamp *ret_stamp, struct err_info *info)
{
    struct stamp s = { 0 };
    AUTO(free_token) PKCS7 *t = parse_token(token);
    TS_TST_INFO *says = t != NULL && PKCS7_type_is_signed(t) ? PKCS7_to_TS_TST_INFO(t) : NULL;
    bool read = says != NULL && is_sha256(says) && time_of(says, &s.at_ms);
    TS_TST_INFO_free(says);
    if (!read)
        return refuse(info, ERR_SYNTAX, "it cannot be read");
    if (!verify_with(t, statement, (struct str){ 0 }, s.at_ms) || !describe(t, a, &s))
        return refuse(info, ERR_VALUE, "it is not of this seal, or not signed as it says");
    s.trusted = trusted.n > 0;
    if (s.trusted && !verify_with(t, statement, trusted, s.at_ms))
        return refuse(info, ERR_KEY, "its certificate does not come from a trusted authority");
    ERR_clear_error();
    *ret_stamp = s;
    return OK;
}

/* ---- the answer ---- */

enum err stamp_answer(struct str request, struct str answer, struct str statement,
                      struct str trusted, struct arena *a, struct str *ret_token,
                      struct err_info *info)
{
    const unsigned char *p = (const unsigned char *)answer.p, *q = (const unsigned char *)request.p;
    if (answer.n == 0 || answer.n > LIMIT_STAMP)
        return refuse(info, ERR_SYNTAX, "the answer cannot be read");
    AUTO(free_answer) TS_RESP *r = d2i_TS_RESP(NULL, &p, (long)answer.n);
    AUTO(free_request) TS_REQ *asked = d2i_TS_REQ(NULL, &q, (long)request.n);
    if (r == NULL || asked == NULL)
        return refuse(info, ERR_SYNTAX, "the answer cannot be read");
    if (TS_RESP_get_token(r) == NULL)
        return refuse(info, ERR_VALUE, "the authority refused");
    AUTO(free_context) TS_VERIFY_CTX *c = TS_REQ_to_TS_VERIFY_CTX(asked, NULL);
    if (c == NULL)
        return refuse(info, ERR_IO, "no memory");
    (void)TS_VERIFY_CTX_set_flags(c, TS_VFY_VERSION | TS_VFY_IMPRINT | TS_VFY_NONCE);
    if (TS_RESP_verify_response(c, r) != 1)
        return refuse(info, ERR_VALUE, "the answer is to another question");
    unsigned char *der = NULL;
    int n = i2d_PKCS7(TS_RESP_get_token(r), &der);
    if (n <= 0)
        return refuse(info, ERR_SYNTAX, "the answer cannot be read");
    struct str token = arena_str(a, (struct str){ (const char *)der, (size_t)n });
    OPENSSL_free(der);
    struct stamp s;
    enum err e = stamp_check(token, statement, trusted, a, &s, info);
    if (e == OK)
        *ret_token = token;
    return e;
}
