/* Every byte here is anybody's. Nothing is believed before the hash or signature over it was seen. */
#include "audit/bundle_priv.h"

#include "audit/stamp.h"
#include "codec/json.h"
#include "codec/text.h"
#include "codec/time.h"
#include "store/columns.h"
#include "store/merkle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct bundle_check *bundle_check_new(const struct bundle_trust *t,
                                      void (*tell)(void *ctx, struct str line), void *ctx)
{
    struct bundle_check *c = must_alloc_zero(sizeof *c);
    c->trust = t;
    c->say = tell;
    c->ctx = ctx;
    c->leaves = (struct buf)BUF_INIT(2 * LIMIT_GROUP_BYTES);
    c->text = (struct buf)BUF_INIT(64 << 10);
    c->seal = must_alloc(LIMIT_PROOF_SEALS * sizeof *c->seal);
    (void)crypto_generichash_init(&c->hash, NULL, 0, CHAIN_HASH);
    return c;
}

void bundle_check_free(struct bundle_check **cc)
{
    struct bundle_check *c = *cc;
    if (c == NULL)
        return;
    arena_fini(&c->a);
    arena_fini(&c->keep);
    buf_fini(&c->leaves);
    buf_fini(&c->text);
    free(c->seal);
    free(c);
    *cc = NULL;
}

/* ---- one line as JSON ---- */

struct line {
    struct bundle_check *c;
    struct json_doc d;
    struct err_info *info;
    const char *about; /* what the line is, for faults */
    int64_t seq;       /* of a record; 0: none */
};

static enum err wrong(const struct line *l, const char *what)
{
    unsigned long long number = l->c->lines + 1;
    if (l->seq)
        return err_set(l->info, ERR_VALUE, NULL, "line %llu: %s (record %lld): %s", number,
                       l->about, (long long)l->seq, what);
    return err_set(l->info, ERR_VALUE, NULL, "line %llu: %s: %s", number, l->about, what);
}

static bool text_of(const struct line *l, const char *name, struct str *ret_s)
{
    return json_string(&l->d, json_get(&l->d, JSON_ROOT, str_of(name)), &l->c->a, ret_s);
}

static bool number_of(const struct line *l, const char *name, int64_t *ret_n)
{
    unsigned long long n;
    if (!str_to_u64(json_raw(&l->d, json_get(&l->d, JSON_ROOT, str_of(name))), &n))
        return false;
    *ret_n = (int64_t)n;
    return true;
}

static bool bytes_of(const struct line *l, const char *name, struct str *ret_s)
{
    struct str hex;
    return text_of(l, name, &hex) && hex_decode(hex, &l->c->a, ret_s);
}

static bool hash_of(const struct line *l, const char *name, uint8_t ret_hash[32])
{
    struct str bytes;
    if (!bytes_of(l, name, &bytes) || bytes.n != 32)
        return false;
    memcpy(ret_hash, bytes.p, 32);
    return true;
}

/* A list of strings, joined. */
static bool parts_of(const struct line *l, const char *name, bool text, struct buf *to)
{
    uint32_t list = json_get(&l->d, JSON_ROOT, str_of(name));
    if (json_type(&l->d, list) != JSON_ARRAY)
        return false;
    for (uint32_t v = json_first(&l->d, list); v; v = json_next(&l->d, list, v)) {
        struct str part;
        if (!json_string(&l->d, v, &l->c->a, &part) ||
            (!text && !base64_decode(part, &l->c->a, &part)))
            return false;
        buf_str(to, part);
    }
    return !to->over;
}

/* ---- the first line ---- */

static enum err take_header(struct line *l)
{
    struct bundle_check *c = l->c;
    struct str what, subject = { 0 };
    int64_t format;
    l->about = "the beginning";
    if (!text_of(l, "licet", &what) || !str_eq(what, STR("proof")) ||
        !number_of(l, "format", &format))
        return wrong(l, "this is no proof of licet's");
    if (format != BUNDLE_FORMAT)
        return wrong(l, "the file is of a newer format: a newer licet is needed");
    bool about = text_of(l, "subject", &subject);
    if (about && (subject.n == 0 || subject.n > LIMIT_ID))
        return wrong(l, "the subject is none");
    c->subject = arena_str(&c->keep, subject);
    c->begun = true;
    say_header(c, &l->d);
    return OK;
}

/* ---- keys ---- */

static enum err take_key(struct line *l)
{
    struct bundle_check *c = l->c;
    struct key_found k = { 0 };
    l->about = "a key";
    if (c->seal_count || c->group)
        return wrong(l, "keys stand before seals");
    if (c->key_count == LIMIT_SIGNING_KEYS)
        return wrong(l, "too many keys");
    if (!text_of(l, "statement", &k.statement) || !bytes_of(l, "by_itself", &k.by_itself) ||
        !bytes_of(l, "by_previous", &k.by_previous) ||
        !key_statement_read(k.statement, &c->a, &k.key))
        return wrong(l, "it cannot be read");
    if (!key_agrees(&k))
        return wrong(l, "its signatures do not agree with it");
    bool handed = key_is_handed_over(&k);
    k.statement = k.by_itself = k.by_previous = (struct str){ 0 };
    k.key.has_previous =
        handed; /* from here on: the one before vouches for it, and it for that one */
    c->key[c->key_count++] = k;
    return OK;
}

static bool is_given(const struct bundle_check *c, const uint8_t key[SIGN_KEY])
{
    for (uint32_t i = 0; i < c->trust->key_count; i++)
        if (memcmp(c->trust->key[i], key, SIGN_KEY) == 0)
            return true;
    return false;
}

static int64_t find_key(const struct bundle_check *c, const uint8_t key[SIGN_KEY])
{
    for (uint32_t i = 0; i < c->key_count; i++)
        if (memcmp(c->key[i].key.public, key, SIGN_KEY) == 0)
            return i;
    return -1;
}

/* Trust goes along hand-overs in both directions, until nothing changes. */
static void spread_trust(struct bundle_check *c)
{
    for (uint32_t i = 0; i < c->key_count; i++)
        c->key_trusted[i] = is_given(c, c->key[i].key.public) ||
                            (c->key[i].key.has_previous && is_given(c, c->key[i].key.previous));
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < c->key_count; i++) {
            int64_t before = c->key[i].key.has_previous ? find_key(c, c->key[i].key.previous) : -1;
            if (before < 0 || c->key_trusted[i] == c->key_trusted[before])
                continue;
            c->key_trusted[i] = c->key_trusted[before] = more = true;
        }
    }
}

static enum err check_key(const struct line *l, const uint8_t key[SIGN_KEY])
{
    struct bundle_check *c = l->c;
    int64_t i = find_key(c, key);
    if (i < 0)
        return wrong(l, "its key is not in the file");
    if (c->trust->key_count && !c->key_trusted[i])
        return wrong(l, "its key is none of those given, and none of them handed over to it");
    return OK;
}

/* ---- seals ---- */

static enum err take_seal(struct line *l)
{
    struct bundle_check *c = l->c;
    struct str statement, signature;
    struct seal s;
    l->about = "a seal";
    if (c->group)
        return wrong(l, "seals stand before groups");
    if (c->seal_count == LIMIT_PROOF_SEALS)
        return wrong(l, "too many seals");
    if (!text_of(l, "statement", &statement) || !bytes_of(l, "signature", &signature) ||
        !seal_read(statement, &c->a, &s))
        return wrong(l, "it cannot be read");
    if (c->seal_count == 0)
        spread_trust(c);
    enum err e = check_key(l, s.key);
    if (e != OK)
        return e;
    if (!sign_agrees(s.key, statement, signature))
        return wrong(l, "its signature is not of its key");
    const struct known_seal *before = c->seal_count ? &c->seal[c->seal_count - 1] : NULL;
    if (before && s.from <= before->to)
        return wrong(l, "it covers groups that the seal before it covers");
    struct known_seal k = { .from = s.from, .to = s.to, .at_ms = s.at_ms };
    k.follows = before && s.from == before->to + 1;
    if (k.follows && (!s.has_previous || memcmp(s.previous, before->hash, CHAIN_HASH) != 0))
        return wrong(l, "it does not follow the seal before it");
    k.in_chain = json_type(&l->d, json_get(&l->d, JSON_ROOT, STR("in_chain"))) == JSON_TRUE;
    memcpy(k.root, s.root, CHAIN_HASH);
    memcpy(k.key, s.key, SIGN_KEY);
    chain_hash(statement, k.hash);
    c->seal[c->seal_count++] = k;
    c->last_statement = arena_str(&c->keep, statement);
    return OK;
}

static enum err take_stamp(struct line *l)
{
    struct bundle_check *c = l->c;
    struct str authority;
    struct stamp stamp;
    struct err_info info = { 0 };
    AUTO(buf_fini) struct buf token = BUF_INIT(LIMIT_STAMP);
    l->about = "a time stamp";
    if (c->group || c->seal_count == 0 || c->seal[c->seal_count - 1].stamped_ms)
        return wrong(l, "it stands behind no seal");
    if (!text_of(l, "authority", &authority) || !parts_of(l, "token", false, &token))
        return wrong(l, "it cannot be read");
    if (stamp_check(buf_view(&token), c->last_statement, c->trust->authorities, &c->a, &stamp,
                    &info) != OK)
        return wrong(l, info.text);
    struct known_seal *s = &c->seal[c->seal_count - 1];
    s->stamped_ms = stamp.at_ms;
    for (uint32_t i = c->seal_count - 1; i > 0 && c->seal[i].follows && !c->seal[i - 1].stamped_ms;
         i--)
        c->seal[i - 1].stamped_ms = stamp.at_ms;
    say_stamp(c, s, authority, stamp.signer, stamp.fingerprint, stamp.trusted);
    return OK;
}

/* ---- groups ---- */

static const struct known_seal *seal_over(const struct bundle_check *c, int64_t group)
{
    for (uint32_t i = 0; i < c->seal_count; i++)
        if (group >= c->seal[i].from && group <= c->seal[i].to)
            return &c->seal[i];
    return NULL;
}

static enum err take_group(struct line *l)
{
    struct bundle_check *c = l->c;
    uint8_t previous[CHAIN_HASH], head[CHAIN_HASH];
    int64_t number, at, first, facts;
    struct str path;
    l->about = "a group";
    buf_clear(&c->leaves);
    if (!number_of(l, "number", &number) || !number_of(l, "at", &at) ||
        !number_of(l, "first", &first) || !number_of(l, "facts", &facts) ||
        !hash_of(l, "previous", previous) || !bytes_of(l, "path", &path) ||
        !parts_of(l, "leaves", false, &c->leaves) || c->leaves.n % CHAIN_HASH != 0 || first < 1 ||
        (uint64_t)facts > c->leaves.n / CHAIN_HASH)
        return wrong(l, "it cannot be read");
    if (number <= c->group)
        return wrong(l, "groups stand in their order");
    c->group = number;
    c->group_ms = at;
    c->first_seq = first;
    c->fact_count = facts;
    c->group_seal = seal_over(c, number);
    if (c->group_seal == NULL)
        return wrong(l, "no seal covers it");
    chain_group_head(number, at, previous, buf_view(&c->leaves), (struct str){ 0 }, head);
    if (!merkle_holds(head, (uint64_t)(number - c->group_seal->from),
                      (uint64_t)(c->group_seal->to - c->group_seal->from + 1), path,
                      c->group_seal->root))
        return wrong(l, "it is not what was sealed");
    return OK;
}

/* ---- records ---- */

static unsigned kind_of(const struct line *l)
{
    struct str name;
    if (text_of(l, "kind", &name))
        for (unsigned k = 1; k < 256; k++)
            if (bundle_kind_name(k) && str_eq(name, str_of(bundle_kind_name(k))))
                return k;
    return 0;
}

static bool subject_in(unsigned kind, struct str columns, struct str *ret_subject)
{
    struct act_columns act;
    struct subject_row row;
    struct restriction_columns restriction;
    struct verification asked;
    struct verification_end ended;
    if (kind == FACT_ACT && columns_read_act(columns, &act))
        *ret_subject = act.subject;
    else if (kind == FACT_SUBJECT && columns_read_subject(columns, &row))
        *ret_subject = row.id;
    else if (kind == FACT_RESTRICTION && columns_read_restriction(columns, &restriction))
        *ret_subject = restriction.subject;
    else if (kind == FACT_VERIFICATION && columns_read_verification(columns, &asked))
        *ret_subject = asked.subject;
    else if (kind == FACT_VERIFICATION_END && columns_read_verification_end(columns, &ended))
        *ret_subject = ended.subject;
    else
        return false;
    return true;
}

static enum err check_content(const struct line *l, unsigned kind, struct buf *columns,
                              struct buf *payload)
{
    struct bundle_check *c = l->c;
    struct document d;
    uint8_t leaf[CHAIN_HASH];
    struct str salt, subject;
    if (!bytes_of(l, "salt", &salt) || salt.n != CHAIN_KEY ||
        !parts_of(l, "columns", false, columns) || !parts_of(l, "payload", true, payload))
        return wrong(l, "it cannot be read");
    chain_fact_leaf((const uint8_t *)salt.p, kind, l->seq, buf_view(payload), buf_view(columns),
                    leaf);
    if (memcmp(leaf, c->leaves.p + (size_t)(l->seq - c->first_seq) * CHAIN_HASH, CHAIN_HASH) != 0)
        return wrong(l, "its content is not what was recorded");
    if (kind == FACT_DOCUMENT) {
        if (!columns_read_document(buf_view(columns), &d))
            return wrong(l, "it cannot be read");
        c->due.seq = l->seq;
        c->due.size = d.size;
        memcpy(c->due.hash, d.hash, DOCUMENT_HASH);
    }
    if (bundle_names_nobody(kind) || c->subject.n == 0)
        return OK;
    if (!subject_in(kind, buf_view(columns), &subject) || !str_eq(subject, c->subject))
        return wrong(l, "it is about somebody else than the file says");
    return OK;
}

static enum err take_record(struct line *l)
{
    struct bundle_check *c = l->c;
    unsigned kind = kind_of(l);
    l->about = kind ? bundle_kind_name(kind) : "a record";
    if (!number_of(l, "seq", &l->seq))
        return wrong(l, "it has no number");
    if (kind == 0)
        return wrong(l, "it is of no known kind: a newer licet may be needed");
    if (c->group == 0 || l->seq < c->first_seq || l->seq - c->first_seq >= c->fact_count ||
        l->seq <= c->last_seq)
        return wrong(l, "it does not stand behind its group");
    c->last_seq = l->seq;
    c->unstamped += c->group_seal->stamped_ms == 0;
    if (json_type(&l->d, json_get(&l->d, JSON_ROOT, STR("erased"))) == JSON_TRUE) {
        c->erased++;
        say_erased(c, kind, l->seq);
        return OK;
    }
    AUTO(buf_fini) struct buf columns = BUF_INIT(2 * LIMIT_GROUP_BYTES);
    AUTO(buf_fini) struct buf payload = BUF_INIT(2 * LIMIT_GROUP_BYTES);
    enum err e = check_content(l, kind, &columns, &payload);
    if (e != OK)
        return e;
    c->records++;
    c->by_kind[kind]++;
    say_record(c, kind, l->seq, buf_view(&payload));
    return OK;
}

static enum err take_content(struct line *l)
{
    struct bundle_check *c = l->c;
    struct document d;
    AUTO(buf_fini) struct buf bytes = BUF_INIT(LIMIT_DOCUMENT);
    l->about = "a document's content";
    l->seq = c->due.seq;
    if (c->due.seq == 0)
        return wrong(l, "it stands behind no document");
    if (!parts_of(l, "bytes", false, &bytes))
        return wrong(l, "it cannot be read");
    store_measure_document(buf_view(&bytes), &d);
    if (d.size != c->due.size || memcmp(d.hash, c->due.hash, DOCUMENT_HASH) != 0)
        return wrong(l, "it is not what was uploaded");
    c->due.seq = 0;
    say_content(c);
    return OK;
}

/* ---- the end ---- */

static enum err take_end(struct line *l)
{
    struct bundle_check *c = l->c;
    uint8_t mark[sizeof BUNDLE_MARK - 1 + CHAIN_HASH], key[SIGN_KEY];
    struct str signature;
    int64_t lines;
    l->about = "the end";
    if (!number_of(l, "lines", &lines) || !hash_of(l, "key", key) ||
        !bytes_of(l, "signature", &signature))
        return wrong(l, "it cannot be read");
    if ((uint64_t)lines != c->lines)
        return wrong(l, "lines are missing or were added");
    /* the only line that nothing signs has one form */
    if (!str_eq(l->d.text, bundle_end(c->lines, key, signature, &c->a)))
        return wrong(l, "it is not written as it must be");
    if (c->seal_count == 0)
        spread_trust(c);
    enum err e = check_key(l, key);
    if (e != OK)
        return e;
    crypto_generichash_state hash = c->hash;
    memcpy(mark, BUNDLE_MARK, sizeof BUNDLE_MARK - 1);
    (void)crypto_generichash_final(&hash, mark + sizeof BUNDLE_MARK - 1, CHAIN_HASH);
    if (!sign_agrees(key, (struct str){ (const char *)mark, sizeof mark }, signature))
        return wrong(l, "the file is not as it was signed");
    c->ended = true;
    say_result(c, key);
    return OK;
}

static enum err dispatch(struct line *l)
{
    static const struct {
        struct str type;
        enum err (*take)(struct line *l);
    } types[] = { { STR_INIT("key"), take_key },       { STR_INIT("seal"), take_seal },
                  { STR_INIT("stamp"), take_stamp },   { STR_INIT("group"), take_group },
                  { STR_INIT("record"), take_record }, { STR_INIT("content"), take_content },
                  { STR_INIT("end"), take_end } };
    struct str type;
    if (!l->c->begun)
        return take_header(l);
    l->about = "a line";
    if (!text_of(l, "type", &type))
        return wrong(l, "it does not say what it is");
    if (l->c->due.seq != 0 && !str_eq(type, STR("content")))
        return wrong(l, "the content of the document before it is missing");
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq(type, types[i].type))
            return types[i].take(l);
    return wrong(l, "it is of no known type: a newer licet may be needed");
}

enum err bundle_check_line(struct bundle_check *c, struct str line, struct err_info *info)
{
    struct line l = { .c = c, .info = info, .about = "a line" };
    if (c->ended)
        return wrong(&l, "something stands behind the end");
    if (line.n > LIMIT_PROOF_LINE)
        return wrong(&l, "it is too long");
    enum err e = json_scan(line, &c->a, &l.d, NULL);
    if (e != OK || json_type(&l.d, JSON_ROOT) != JSON_OBJECT)
        e = c->begun ? wrong(&l, "it is not JSON")
                     : (l.about = "the beginning", wrong(&l, "this is no proof of licet's"));
    else
        e = dispatch(&l);
    arena_clear(&c->a);
    if (e != OK)
        return e;
    (void)crypto_generichash_update(&c->hash, (const uint8_t *)line.p, line.n);
    (void)crypto_generichash_update(&c->hash, (const uint8_t *)"\n", 1);
    c->lines++;
    return OK;
}

enum err bundle_check_end(struct bundle_check *c, struct err_info *info)
{
    if (c->ended)
        return OK;
    return err_set(info, ERR_VALUE, NULL,
                   c->begun ? "the file was cut: its signed end is missing"
                            : "this is no proof of licet's: it is empty");
}
