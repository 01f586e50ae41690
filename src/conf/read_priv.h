/* conf/read_priv.h - tables of keys, and what reads their values.
 *
 * Every mapping of the configuration is one struct table; each of its rows
 * says a key, who reads the value, where to, and what it means. Reading,
 * unknown and missing keys, and the reference in docs/configuration.md all come
 * from these rows: to add a key, add a row.
 *
 * A reader that cannot take a value adds a fault and leaves the member alone;
 * reading goes on, so that one run shows everything.
 */
#ifndef CONF_READ_PRIV_H
#define CONF_READ_PRIV_H

#include "base/limits.h"
#include "conf/fault_priv.h"
#include "conf/yaml_priv.h"

#include <stddef.h>

enum {
    LIMIT_LINKS = 64,
    LIMIT_PROXIES = 64,
    LIMIT_ORIGINS = 64,      /* of one public key */
    LIMIT_LANGUAGES = 64,    /* of one version */
    LIMIT_FORGET = 64,       /* cookies of one purpose */
    LIMIT_CATEGORIES = 16,   /* of one purpose */
    LIMIT_PARAMETERS = 64,   /* of one query rule */
    LIMIT_SECRET = 4096,     /* a file that holds one */
    LIMIT_PEM = 256 * 1024,  /* a file with certificates or a key */
    LIMIT_CMP_ENTRIES = 256, /* of cmp.map */
    LIMIT_CMP_KEY = 255,
    LIMIT_CREDENTIAL = 255,  /* SOCKS takes no more */
    LIMIT_VALUE = 64 * 1024, /* one value, variables filled in */
    KEY_LEAST = 16,          /* bytes of a key or secret */
};

enum ref_kind { REF_PURPOSE, REF_DESTINATION };

/* A name that must be known once everything is read. */
struct ref {
    struct ref *older;
    enum ref_kind kind;
    const struct yaml *node;
    struct str id;
};

struct reader {
    struct conf *conf;
    struct arena *arena;   /* the conf's */
    struct arena *scratch; /* gone after loading */
    struct faults *faults;
    const struct yaml *root;
    struct str folder; /* of the file, with '/', or "" */
    char *kept;        /* conf->text, to mask secrets in */
    size_t expanded;   /* bytes that variables brought in */
    struct ref *newest_ref;
    const struct yaml **cmp_key, **cmp_node; /* of conf->cmp.entry, one each */
};

struct word {
    const char *word;
    int value;
};

/* What kind of thing a mapping describes, when keys depend on it. */
enum {
    KIND_OWN = 1,
    KIND_WEBHOOK = 2,
    KIND_GA4 = 4,
    KIND_OUT = KIND_WEBHOOK | KIND_GA4,
    KIND_ANY = ~0
};

struct rule {
    const char *key;
    void (*read)(struct reader *r, const struct rule *rule, const struct yaml *n, void *base);
    const char *meaning;       /* one line for the reference, default included */
    unsigned needed;           /* kinds that must have it: KIND_…; 0: none */
    unsigned only;             /* kinds that may have it; 0: all */
    size_t at, count_at;       /* offsets of the member, and of a list's count */
    const struct word *words;  /* read_word, read_word_bits: ends with NULL */
    const struct table *table; /* read_table, read_inner, read_tables */
    long long least, most;     /* read_number; a list: most items */
};

struct table {
    const char *name; /* as the reference calls it: "destinations[]" */
    const char *about;
    const struct rule *rule;
    uint32_t rule_count;
    size_t size; /* of the struct that one mapping fills */
    void (*init)(struct reader *r, const struct yaml *n, void *base);
    void (*check)(struct reader *r, const struct yaml *n, void *base);
    unsigned (*kind)(struct reader *r, const struct yaml *n);
};

/* Faults and warnings at a node. */
#define fault(r, n, ...) faults_add((r)->faults, (n)->at, true, __VA_ARGS__)
#define warning(r, n, ...) faults_add((r)->faults, (n)->at, false, __VA_ARGS__)
void fault_limit(struct reader *r, const struct yaml *n, const char *what, long long most);
struct conf_place place_of(const struct reader *r, const struct yaml *n);
/* What stands there, for a message; never used for secrets. */
const char *shown_node(struct reader *r, const struct yaml *n);

/* table.c */
bool is_map(struct reader *r, const struct yaml *n);               /* or a fault */
bool is_list(struct reader *r, const struct yaml *n);              /* or a fault */
bool stood_before(const struct yaml *map, const struct yaml *key); /* the same key */
/* A key of a mapping by language: that it is one, and stands there once. */
void language_check(struct reader *r, const struct yaml *map, const struct yaml *key);
void table_read(struct reader *r, const struct table *t, const struct yaml *n, void *base);
void read_inner(struct reader *, const struct rule *, const struct yaml *,
                void *); /* same struct */
void read_tables(struct reader *, const struct rule *, const struct yaml *, void *); /* a list */

/* value.c: what a scalar may be. */
bool scalar(struct reader *r, const struct yaml *n, struct str *ret_s);      /* one line */
bool scalar_text(struct reader *r, const struct yaml *n, struct str *ret_s); /* lines, too */
bool scalar_number(struct reader *r, const struct yaml *n, long long least, long long most,
                   long long *ret_v);
bool scalar_date(struct reader *r, const struct yaml *n, int64_t *ret_ms);
bool scalar_duration(struct reader *r, const struct yaml *n, struct duration *ret_d);
bool scalar_word(struct reader *r, const struct yaml *n, const struct word *words, int *ret_v);
bool scalar_id(struct reader *r, const struct yaml *n, struct str *ret_s); /* [a-z][a-z0-9_]* */
bool id_ok(struct str s);
bool language_ok(struct str s); /* BCP 47 as far as it is needed: en, pt-BR, zh-Hant */
void add_ref(struct reader *r, enum ref_kind kind, const struct yaml *n, struct str id);

void read_text(struct reader *, const struct rule *, const struct yaml *, void *);
void read_line(struct reader *, const struct rule *, const struct yaml *, void *);
void read_number(struct reader *, const struct rule *, const struct yaml *, void *); /* uint32_t */
void read_bool(struct reader *, const struct rule *, const struct yaml *, void *);
void read_word(struct reader *, const struct rule *, const struct yaml *, void *);
void read_word_bits(struct reader *, const struct rule *, const struct yaml *, void *);
void read_date(struct reader *, const struct rule *, const struct yaml *, void *);
void read_duration(struct reader *, const struct rule *, const struct yaml *, void *);
void read_country(struct reader *, const struct rule *, const struct yaml *, void *);
void read_id(struct reader *, const struct rule *, const struct yaml *, void *);

/* list.c: lists of scalars, without repeats. */
typedef bool scalar_reader(struct reader *r, const struct yaml *n, struct str *ret_s);
void read_list(struct reader *r, const struct rule *rule, const struct yaml *n, void *base,
               scalar_reader *one);
void read_lines(struct reader *, const struct rule *, const struct yaml *, void *);
void read_purposes(struct reader *, const struct rule *, const struct yaml *, void *);
void read_destinations(struct reader *, const struct rule *, const struct yaml *, void *);

/* secret.c: values that are shown nowhere. */
/* What the file holds whose path stands there, relative to the configuration file. `most` bytes; of a secret it is
 * said when others can read it. */
bool scalar_file(struct reader *r, const struct yaml *n, size_t most, bool is_secret,
                 struct str *ret_s);
/* In what is kept of the file for reports it becomes stars; names of variables stay readable. */
void secret_mask(struct reader *r, const struct yaml *n);
bool scalar_secret(struct reader *r, const struct yaml *n, struct str *ret_s);
void read_secret(struct reader *, const struct rule *, const struct yaml *, void *);
void read_private_keys(struct reader *, const struct rule *, const struct yaml *, void *);
void read_public_keys(struct reader *, const struct rule *, const struct yaml *, void *);

/* tls.c: a file with certificates, PEM */
void read_certificates(struct reader *, const struct rule *, const struct yaml *, void *);

/* url.c */
struct web {
    bool secure;
    bool near;       /* this machine, or a private network, going by its name */
    bool address;    /* the host is an address, not a name */
    uint16_t port;   /* 0: none is given */
    struct str host; /* without brackets */
    struct str rest; /* path, query, fragment */
};
bool web_parse(struct str url, struct web *ret_w); /* http and https only, no user name */
bool network_ok(struct str s);                     /* an address, or address/bits */

/* top.c */
void read_public_url(struct reader *, const struct rule *, const struct yaml *, void *);

/* tls.c: user, password: no ends of lines, 1 to LIMIT_CREDENTIAL bytes */
void read_credential(struct reader *, const struct rule *, const struct yaml *, void *);

/* double_opt_in.c: once all of the file is read. */
void double_opt_in_check(struct reader *r, const struct yaml *n, struct conf *c);

/* cmp.c: once all of the file is read. */
void cmp_check(struct reader *r);

/* field.c */
void read_fields(struct reader *, const struct rule *, const struct yaml *, void *);

/* destination.c: whether the endpoint may be called, as n's mapping says it. */
void endpoint_check(struct reader *r, const struct yaml *n, const struct conf_destination *d);

/* ga4.c */
enum { GA4_BATCH = 25 }; /* Google takes no more events in one request */
extern const struct word ga4_regions[3];
void ga4_read_region(struct reader *, const struct rule *, const struct yaml *, void *);
void ga4_read_measurement_id(struct reader *, const struct rule *, const struct yaml *, void *);
void ga4_check(struct reader *r, const struct yaml *n, struct conf_destination *d);

/* vague.c: words in an aim that are known to say nothing; empty when there are none. */
struct str vague_find(struct str aim);

/* check.c: what can only be said once everything is read. */
void check_all(struct reader *r);
struct conf_purpose *purpose_of(const struct reader *r, struct str id); /* NULL: there is none */

bool country_known(struct str code);

extern const struct table table_top, table_tls, table_timeouts, table_controller, table_keys,
    table_key, table_limits, table_documents, table_notice, table_purpose, table_version,
    table_void, table_text, table_destination, table_recipient, table_transfer, table_fallback,
    table_batch, table_consent, table_destination_tls, table_destination_limits, table_proxy,
    table_link, table_seals, table_authority, table_hook, table_hook_limits, table_double_opt_in,
    table_mail, table_letter, table_banner, table_banner_words, table_banner_google,
    table_banner_clarity, table_banner_hubspot, table_banner_cookie, table_cmp, table_cmp_entry;

/* All of them, in the order of the reference. */
extern const struct table *const tables[];
extern const size_t table_count;

/* The reference, as Markdown: one table for each mapping. */
void conf_reference(struct buf *to);

#endif
