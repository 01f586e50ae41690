/* conf/conf.h - the configuration file as structs.
 *
 * One YAML file (docs/configuration.md). ${NAME} in a scalar is taken from the
 * environment; an unset one is a fault. Every fault is found in one run and is
 * shown as a compiler would: file:line:column, what, the line, a caret.
 * Unknown keys are faults, with the nearest known one named.
 *
 * Owner:  everything hangs on the conf's own arena; conf_free() frees it all.
 * Thread: read-only after loading, any thread.
 * Limit:  LIMIT_CONF bytes, and the counts of base/limits.h.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/time.h"
#include "conf/words.h"

/* Where a thing stands in the file, for faults found later (policy/compile.h). */
struct conf_place {
    uint32_t line, column; /* from 1; 0 when it is not in the file */
};

enum conf_mode { CONF_LIVE = 0, CONF_TEST };

struct conf_key {
    uint8_t hash[32];   /* BLAKE2b-256 of the key: the key itself is not kept */
    struct str *origin; /* public keys only; empty: any */
    uint32_t origin_count;
    enum conf_mode mode;
};

enum conf_basis {
    CONF_CONSENT = 0,
    CONF_CONTRACT,
    CONF_LEGAL_OBLIGATION,
    CONF_LEGITIMATE_INTERESTS
};
enum conf_terminal {
    CONF_TERMINAL_CONSENT = 0,
    CONF_TERMINAL_NECESSARY,
    CONF_TERMINAL_EXEMPT,
    CONF_TERMINAL_NONE
};
enum conf_scope { CONF_DEVICE = 0, CONF_PERSON };
enum { CONF_GPC = 1, CONF_DNT = 2 }; /* bits of honours */

enum { CONF_TEXT_PARTS = 8 };
extern const char *const conf_text_part
    [CONF_TEXT_PARTS]; /* title aim data transfer storage automation consequences withdrawal */

struct conf_text {
    struct str language; /* "en", "de", "nl", … */
    struct str part[CONF_TEXT_PARTS];
};

struct conf_names {
    struct str *name;
    uint32_t count;
};

struct conf_notice_ref {
    struct str identifier;
    uint32_t version;
};

struct conf_version {
    struct conf_place place;
    uint32_t version;  /* from 1 */
    int64_t since_ms;  /* 00:00 UTC of the day */
    int64_t voided_ms; /* 0: not voided */
    struct str void_reason;
    struct str *recipient; /* destination ids */
    uint32_t recipient_count;
    struct conf_notice_ref *notice;
    uint32_t notice_count;
    struct conf_text *text;
    uint32_t text_count;
};

struct conf_purpose {
    struct conf_place place;
    struct str id;
    enum conf_basis basis;
    enum conf_terminal terminal_access;
    enum conf_scope scope;
    bool separate;
    bool double_opt_in;
    bool proof_optional;
    uint32_t honours; /* CONF_GPC | CONF_DNT */
    struct duration lifetime, ask_again_after_refusal;
    struct str reason,
        assessment; /* for every basis but consent, and terminal access without asking */
    int64_t assessed_ms;
    struct str *
        consent_category; /* names in context.consent that stand for this purpose; its id always does */
    uint32_t consent_category_count;
    struct conf_names forget;     /* cookies of its scripts, a '*' at the end matches any end */
    struct conf_version *version; /* ascending, without gaps in time */
    uint32_t version_count;
};

enum conf_role { CONF_PROCESSOR = 0, CONF_CONTROLLER, CONF_JOINT_CONTROLLER };
enum conf_transfer_basis { CONF_ADEQUACY = 0, CONF_SCC, CONF_BCR, CONF_DEROGATION };

struct conf_transfer {
    struct conf_place place;
    struct str importer;
    char country[3]; /* ISO 3166-1 alpha-2 */
    enum conf_transfer_basis basis;
    struct str instrument;
    int64_t since_ms, until_ms;      /* 0: open */
    int64_t certified_until_ms;      /* 0: not a matter of certification */
    int64_t checked_ms, assessed_ms; /* 0: not given */
    uint32_t module;
    const struct conf_transfer *fallback; /* or NULL; same importer */
};

enum conf_treatment {
    CONF_DROP = 0, /* not named is the same as drop */
    CONF_KEEP,
    CONF_PSEUDONYMISE, /* HMAC, one key per destination and epoch */
    CONF_TRUNCATE_IP,  /* /24 and /48 */
    CONF_QUERY,        /* a URL: keep only the named query parameters, no fragment */
    CONF_HASH, /* SHA-256 of the trimmed, lower-cased value, hex (what ad platforms ask for) */
};

struct conf_field {
    struct conf_place place;
    struct str path; /* dotted: "context.page.url"; "properties.*" has .below */
    bool below;      /* path is "properties" and everything below it is meant */
    enum conf_treatment treatment;
    struct str *parameter; /* CONF_QUERY: names, a trailing '*' matches any end */
    uint32_t parameter_count;
};

/* How the receiver is verified and we are known to it; contents of files, "" unless given. */
struct conf_destination_tls {
    struct str ca, certificate, key;
    struct str *pin; /* "sha256//…" */
    uint32_t pin_count;
};

enum conf_proxy_kind { CONF_PROXY_HTTP = 0, CONF_PROXY_HTTPS, CONF_PROXY_SOCKS5 };

struct conf_proxy {
    struct str url; /* "": none */
    enum conf_proxy_kind kind;
    bool near, address; /* its host is in a private network, by its looks; an address */
    struct str user, password, ca;
    bool allow_private_addresses; /* of the proxy itself */
};

enum conf_uncertain { CONF_RETRY = 0, CONF_HOLD };

/* What a destination is told beside the events: whether she agreed to these purposes, too. */
enum conf_claim_kind { CONF_AD_USER_DATA = 0, CONF_AD_PERSONALIZATION, CONF_CLAIMS };

struct conf_claim {
    struct str *purpose; /* every one must be permitted; none: she did not */
    uint32_t purpose_count;
};

struct conf_destination {
    struct conf_place place;
    struct str id;
    struct str type; /* "own", "webhook", … ; the id when none is given */
    struct str endpoint;
    struct str secret;         /* of a webhook it signs; of ga4 it is the api_secret */
    struct str measurement_id; /* of ga4: "G-…" */
    struct conf_claim claim[CONF_CLAIMS];
    bool allow_private_addresses; /* else loopback and private ranges are not called */
    struct conf_destination_tls tls;
    struct conf_proxy proxy;
    struct str *requires;
    uint32_t require_count;
    bool has_recipient; /* without one the recipient is the controller itself */
    struct str recipient_name;
    char recipient_country[3];
    enum conf_role role;
    struct str *
        recipient_purpose; /* the recipient's own purposes, needed unless it is a processor (R74) */
    uint32_t recipient_purpose_count;
    struct conf_transfer *transfer;
    uint32_t transfer_count;
    struct conf_field *field;
    uint32_t field_count;
    struct duration retention; /* of `own`; zero: until delivered elsewhere */
    enum conf_uncertain uncertain;
    uint32_t epoch_days;   /* pseudonym keys change after so many days; 0: never */
    uint32_t batch_events; /* most events in one request */
    uint32_t batch_bytes;  /* most bytes of a request's body */
    uint32_t batch_ms;     /* longest wait for a fuller batch */
    struct conf_destination_limits {
        uint32_t requests_per_second, events_per_second; /* 0: no limit (the default) */
        uint32_t at_once;                                /* most requests on their way */
    } limits;
};

/* What the banner tells other scripts of the page: each of these is granted when every purpose named is. */
enum conf_signal {
    CONF_GOOGLE_AD_STORAGE = 0,
    CONF_GOOGLE_AD_USER_DATA,
    CONF_GOOGLE_AD_PERSONALIZATION,
    CONF_GOOGLE_ANALYTICS_STORAGE,
    CONF_GOOGLE_FUNCTIONALITY_STORAGE,
    CONF_GOOGLE_PERSONALIZATION_STORAGE,
    CONF_GOOGLE_SECURITY_STORAGE,
    CONF_CLARITY_AD_STORAGE,
    CONF_CLARITY_ANALYTICS_STORAGE,
    CONF_HUBSPOT_ANALYTICS,
    CONF_HUBSPOT_ADVERTISEMENT,
    CONF_HUBSPOT_FUNCTIONALITY,
    CONF_SIGNALS
};
extern const char *const conf_signal_name[CONF_SIGNALS]; /* as the script told calls it */

struct conf_words { /* of the banner, in one language; "": not given */
    struct str language;
    struct str privacy_policy, imprint_page; /* addresses */
    struct str word[CONF_WORDS];
};

/* The platform that asks instead of the banner. */
enum conf_cmp_provider {
    CONF_CMP_NONE = 0,
    CONF_CMP_ONETRUST,
    CONF_CMP_USERCENTRICS,
    CONF_CMP_COOKIEBOT,
    CONF_CMP_TCF,
    CONF_CMPS
};
extern const char *const conf_cmp_name[CONF_CMPS]; /* as `provider` calls it */

enum conf_tcf_kind { CONF_TCF_PURPOSE = 1, CONF_TCF_SPECIAL_FEATURE, CONF_TCF_VENDOR };
struct conf_tcf_part {
    enum conf_tcf_kind kind;
    uint32_t number; /* from 1 */
};

struct conf_cmp_entry { /* who says yes to the key says yes to this version of the purpose */
    struct conf_place place;
    struct str key;
    struct str purpose;
    uint32_t version;
    struct str wording;         /* the CMP's text that names the purpose; "" unless given */
    struct conf_tcf_part *part; /* of a TCF's key: all of them */
    uint32_t part_count;
};

struct conf_cmp {
    enum conf_cmp_provider provider;
    struct conf_cmp_entry *entry; /* a purpose that stands in several needs all of them */
    uint32_t entry_count;
};

struct conf_link {
    struct conf_place place;
    struct str from, to; /* "ga4.client_id", "hubspot.contact" */
    struct str *requires;
    uint32_t require_count;
};

/* A letter that asks for a confirmation; {{link}}, {{controller}}, {{purposes}}, {{until}} are filled in. */
struct conf_letter {
    struct str language;
    struct str subject, text;
};

/* The mail server that takes our letters. */
enum conf_smtp { CONF_SMTP_NONE = 0, CONF_SMTP_TLS, CONF_SMTP_STARTTLS, CONF_SMTP_PLAIN };
struct conf_mail {
    struct conf_destination remote; /* first: tls and allow_private_addresses alone */
    enum conf_smtp kind;            /* NONE: there is no mail server */
    struct str host;                /* without brackets; in them when it is an IPv6 address */
    uint16_t port;
    bool near, address;                 /* in a private network, by its looks; an address */
    struct str user, password;          /* "": not given */
    struct str from_name, from_address; /* the name may be "" */
};

struct conf_notice {                /* one that is watched */
    struct conf_destination remote; /* first: endpoint, tls and allow_private_addresses alone */
    struct str identifier;
    struct str file; /* "": it is remote */
    int64_t every_ms;
};

enum { /* bits of conf_hook.on */
       CONF_HOOK_CONSENT = 1,
       CONF_HOOK_WITHDRAWAL = 2,
       CONF_HOOK_SUBJECT = 4,
       CONF_HOOK_NOTICE = 8,
       CONF_HOOK_TEXT_VOIDED = 16,
       CONF_HOOK_ALL = 31,
       CONF_HOOK_VERIFICATION = 32, /* not among them: it holds the link that confirms */
};

struct conf_hook { /* who is told what the ledger recorded */
    struct conf_destination
        remote; /* first: id, endpoint, secret, allow_private_addresses, tls, proxy, limits alone */
    uint32_t on; /* CONF_HOOK_… */
};

struct conf {
    struct arena arena;
    struct str file;        /* as opened */
    struct str text;        /* what it held, keys and secrets masked, for conf_report() */
    uint32_t format;        /* of the configuration: 1 */
    struct str listen_host; /* "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t listen_port;
    struct conf_tls {
        bool on;
        struct str certificate, key; /* files, PEM; relative to the configuration file */
        struct conf_place certificate_place, key_place;
    } tls;
    struct conf_timeouts {
        uint32_t head_ms; /* for a whole head: from the connection, or from its first line */
        uint32_t body_ms; /* for a whole body, and what LIMIT_FLOOR_RATE adds */
        uint32_t idle_ms; /* between two requests */
    } timeouts;
    struct conf_seals {
        int64_t every_ms;    /* between two signed heads; default a day */
        struct str key_file; /* of the signing key; "": signing.key in the data directory */
        /* where they are time stamped, as a destination is called; endpoint "": nowhere */
        struct conf_destination authority;
        struct str certificates; /* PEM: what its time stamps must come from; "": anything */
    } seals;
    struct str public_url; /* how browsers reach us, "" unless given */
    struct str data_dir;   /* from store: sqlite:DIR, relative to the configuration file */
    struct str controller_name, controller_contact;
    char controller_country[3];
    struct conf_key *private_key, *public_key;
    uint32_t private_key_count, public_key_count;
    struct str subject_token_secret; /* "" : no subject tokens */
    struct str *trusted_proxy;       /* addresses or address/bits */
    uint32_t trusted_proxy_count;
    enum { CONF_ADDRESS_TRUNCATED = 0, CONF_ADDRESS_FULL, CONF_ADDRESS_NONE } consent_addresses;
    struct conf_limits {
        uint32_t api_requests_per_second;      /* per private key, 0: no limit; default 50 */
        uint32_t api_requests_per_hour;        /* likewise; default 108000 */
        uint32_t public_per_hour;              /* consent writes per public key; default 108000 */
        uint32_t public_per_second;            /* consent writes per public key; default 50 */
        uint32_t address_per_minute;           /* public consent writes per address; default 60 */
        uint32_t subject_per_hour;             /* public consent writes per subject; default 60 */
        uint32_t events_per_second;            /* per public key, 0: no limit (the default) */
        uint32_t key_requests_per_second;      /* per key, 0: no limit (the default) */
        uint32_t address_requests_per_second;  /* per address, 0: no limit; default 1000 */
        uint32_t connections;                  /* open at once; default 10000 */
        uint32_t connections_per_address;      /* default 1000 */
        uint32_t letters_per_email_per_day;    /* of double_opt_in; default 3 */
        uint32_t letters_per_subject_per_day;  /* default 3 */
        uint32_t letters_per_address_per_hour; /* by public key, per IP address; default 10 */
        uint32_t letters_per_hour;             /* by public key in all, 0: no limit; default 1000 */
    } limits;
    struct conf_double_opt_in {
        bool on;               /* `double_opt_in` stands there */
        struct str public_url; /* its own, or the daemon's */
        int64_t lifetime_ms;   /* of a link; default 48 h */
        struct conf_mail mail;
        struct str hook; /* the id of the one whose receiver sends letters; "": `mail` does */
        struct conf_letter *letter;
        uint32_t letter_count;
    } double_opt_in;
    struct conf_documents {
        uint32_t max_kilobytes; /* of one upload, of 1024 bytes; default 1024 */
    } documents;
    struct conf_purpose *purpose;
    uint32_t purpose_count;
    struct conf_destination *destination;
    uint32_t destination_count;
    struct conf_notice *notice;
    uint32_t notice_count;
    struct conf_hook *hook;
    uint32_t hook_count;
    struct conf_link *link;
    uint32_t link_count;
    struct conf_banner {
        struct str language; /* "": that of the first text */
        struct conf_words *words;
        uint32_t words_count;
        struct conf_names events; /* purposes; none: policy/shown.h decides */
        struct conf_names signal[CONF_SIGNALS];
        struct conf_cookie { /* of the device's id, for the site's own server; name "": none */
            struct str name;
            struct str domain; /* "": of the page's host alone */
            struct duration lifetime;
        } cookie;
    } banner;
    struct conf_cmp cmp;
};

/* Loads and checks a file. On ERR_SYNTAX, ERR_VALUE or ERR_LIMIT `*reports`
 * holds every fault (and, also on OK, every warning), ready to print:
 *
 *   licet.yaml:12:16: error: unknown purpose 'statistic', did you mean 'statistics'?
 *      12 |     requires: [statistic]
 *         |                ^~~~~~~~~
 *
 * ERR_IO when the file cannot be read. */
enum err conf_load(const char *file, struct conf **ret_conf, struct buf *reports) MUST_CHECK;

/* As conf_load, from memory: `name` stands in the reports. For tests and fuzzing. */
enum err conf_parse(struct str text, const char *name, struct conf **ret_conf,
                    struct buf *reports) MUST_CHECK;
void conf_free(struct conf **c);

/* Adds one fault or warning found later, in the same look. */
void conf_report(const struct conf *c, struct conf_place at, bool error, struct buf *reports,
                 const char *fmt, ...) PRINTF_LIKE(5, 6);

/* True for the 27 members of the EU, IS, LI and NO (Agreement on the EEA). */
bool conf_in_eea(const char country[3]);

#endif
