#include "audit/bundle_priv.h"

#include "codec/json.h"
#include "codec/text.h"
#include "codec/time.h"
#include "codec/utf8.h"
#include "store/columns.h"
#include "store/merkle.h"

#include <stdlib.h>

static const struct {
    unsigned kind;
    const char *name;
} kinds[] = {
    { FACT_ACT, "consent" },
    { FACT_SUBJECT, "subject" },
    { FACT_NOTICE, "notice" },
    { FACT_PURPOSE_VERSION, "text" },
    { FACT_VOID, "void" },
    { FACT_RESTRICTION, "restriction" },
    { FACT_ERASURE, "erasure" },
    { FACT_DOCUMENT, "document" },
    { FACT_VERIFICATION, "verification" },
    { FACT_VERIFICATION_END, "verification_end" },
};

const char *bundle_kind_name(unsigned kind)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return NULL;
}

bool bundle_names_nobody(unsigned kind)
{
    return kind == FACT_NOTICE || kind == FACT_PURPOSE_VERSION || kind == FACT_VOID ||
           kind == FACT_DOCUMENT;
}

struct str bundle_end(uint64_t lines, const uint8_t key[SIGN_KEY], struct str signature,
                      struct arena *a)
{
    return arena_printf(a,
                        "{\"type\":\"end\",\"lines\":%llu,\"key\":\"%.*s\",\"signature\":\"%.*s\"}",
                        (unsigned long long)lines,
                        STR_ARG(hex_encode((struct str){ (const char *)key, SIGN_KEY }, a)),
                        STR_ARG(hex_encode(signature, a)));
}

struct writer {
    struct store_reader *r;
    const struct keyring *k;
    const struct bundle_question *q;
    enum err (*line)(void *ctx, struct str text);
    void *ctx;
    struct err_info *info;
    struct bundle_numbers numbers;

    struct arena keep; /* to the end */
    struct arena a;    /* of one line, or one seal's groups */
    struct buf out;
    crypto_generichash_state hash;
    uint64_t lines;

    struct fact_list facts; /* all that go in, ascending */
    struct seal_found *seal;
    uint32_t seal_count;
    bool last_is_open; /* the last seal is made here and stands in no chain */

    /* the seal whose tree is at hand */
    uint32_t tree_of; /* index + 1; 0: none */
    struct merkle_tree tree;
};

static void writer_fini(struct writer *w)
{
    arena_fini(&w->keep);
    arena_fini(&w->a);
    buf_fini(&w->out);
    merkle_tree_fini(&w->tree);
}

/* ---- lines ---- */

static void put_hex(struct writer *w, const char *name, struct str bytes)
{
    buf_printf(&w->out, ",\"%s\":\"%.*s\"", name, STR_ARG(hex_encode(bytes, &w->a)));
}

static void put_text(struct writer *w, const char *name, struct str text)
{
    buf_printf(&w->out, ",\"%s\":", name);
    json_write_string(&w->out, text);
}

/* A list of strings, since one string has a limit; to be read as if they were one. */
static void put_parts(struct writer *w, const char *name, struct str bytes, bool text)
{
    buf_printf(&w->out, ",\"%s\":[", name);
    for (bool first = true; bytes.n; first = false) {
        size_t n = bytes.n < LIMIT_PROOF_CHUNK ? bytes.n : LIMIT_PROOF_CHUNK;
        while (text && n < bytes.n && ((unsigned char)bytes.p[n] & 0xc0) == 0x80)
            n--;
        struct str part = { bytes.p, n };
        buf_str(&w->out, first ? STR("") : STR(","));
        json_write_string(&w->out, text ? part : base64_encode(part, &w->a));
        bytes = (struct str){ bytes.p + n, bytes.n - n };
    }
    buf_byte(&w->out, ']');
}

/* Ends the line; `w->out` is then empty. */
static enum err flush(struct writer *w, bool last)
{
    if (w->out.over)
        return err_set(w->info, ERR_LIMIT, NULL, "a line of the proof would be longer than %u MB",
                       LIMIT_PROOF_LINE >> 20);
    if (!last) {
        (void)crypto_generichash_update(&w->hash, (const uint8_t *)w->out.p, w->out.n);
        (void)crypto_generichash_update(&w->hash, (const uint8_t *)"\n", 1);
        w->lines++;
    }
    enum err e = w->line(w->ctx, buf_view(&w->out));
    buf_clear(&w->out);
    arena_clear(&w->a);
    return e == OK ? OK : err_set(w->info, e, NULL, "the proof cannot be written: %s", err_text(e));
}

static struct str time_text(struct writer *w, int64_t ms)
{
    char text[TIME_TEXT + 1];
    time_format(ms, text);
    return arena_str(&w->a, str_of(text));
}

static enum err write_header(struct writer *w)
{
    buf_printf(&w->out, "{\"licet\":\"proof\",\"format\":%d", BUNDLE_FORMAT);
    put_text(w, "made", time_text(w, w->q->now_ms));
    put_text(w, "by", STR("licet " LICET_VERSION));
    put_text(w, "controller", w->q->controller);
    if (w->q->subject.n) {
        put_text(w, "subject", w->q->subject);
    } else {
        put_text(w, "from", time_text(w, w->q->from_ms));
        put_text(w, "to", time_text(w, w->q->to_ms));
    }
    buf_byte(&w->out, '}');
    return flush(w, false);
}

static enum err write_key(struct writer *w, const struct key_found *k)
{
    buf_lit(&w->out, "{\"type\":\"key\"");
    put_text(w, "statement", k->statement);
    put_hex(w, "by_itself", k->by_itself);
    put_hex(w, "by_previous", k->by_previous);
    buf_byte(&w->out, '}');
    return flush(w, false);
}

static bool is_in(const struct key_found *k, uint32_t count, const uint8_t key[SIGN_KEY])
{
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(k[i].key.public, key, SIGN_KEY) == 0)
            return true;
    return false;
}

/* Those of the chain, then those that came since. */
static enum err write_keys(struct writer *w)
{
    struct key_found *k;
    uint32_t count;
    enum err e = store_list_signing_keys(w->r, &w->keep, &k, &count);
    if (e != OK)
        return err_set(w->info, e, NULL, "the signing keys cannot be read: %s", err_text(e));
    for (uint32_t i = 0; e == OK && i < count; i++)
        e = write_key(w, &k[i]);
    for (uint32_t i = 0; e == OK && i < w->k->count; i++)
        if (!is_in(k, count, w->k->known[i].key.public))
            e = write_key(w, &w->k->known[i]);
    return e;
}

/* ---- which facts ---- */

struct version_fact {
    int64_t seq;
    uint32_t purpose, version;
    bool needed;
};

struct pick {
    struct writer *w;
    struct fact_list own;
    struct version_fact *version;
    uint32_t version_count;
    struct buf more; /* seqs of what they name */
};

static void add_seq(struct pick *p, int64_t seq)
{
    buf_add(&p->more, &seq, sizeof seq);
}

static enum err load_versions(struct pick *p)
{
    struct writer *w = p->w;
    struct fact_list l;
    enum err e = store_facts_of_kind(w->r, FACT_PURPOSE_VERSION, LIMIT_PROOF_FACTS, &w->keep, &l);
    if (e != OK)
        return e;
    p->version = arena_array(&w->keep, struct version_fact, (size_t)l.count + 1);
    for (uint32_t i = 0; e == OK && i < l.count; i++) {
        struct proof_fact f;
        e = store_get_fact(w->r, l.seq[i], &w->a, &f);
        struct str s = f.columns;
        struct version_fact *v = &p->version[p->version_count];
        v->seq = l.seq[i];
        if (e == OK && take_u32(&s, &v->purpose) && take_u32(&s, &v->version))
            p->version_count++;
        arena_clear(&w->a);
    }
    return e;
}

static enum err need_documents(struct pick *p, int64_t seq)
{
    struct document *d;
    uint32_t count;
    enum err e = store_list_attached(p->w->r, seq, &p->w->a, &d, &count);
    for (uint32_t i = 0; e == OK && i < count; i++)
        add_seq(p, d[i].seq);
    return e;
}

static enum err need_notice(struct pick *p, struct str identifier, struct str version)
{
    unsigned long long n;
    int64_t seq;
    if (!str_to_u64(version, &n) || n == 0 || n > UINT32_MAX)
        return OK; /* she cited it without a version */
    enum err e = store_notice_fact(p->w->r, identifier, (uint32_t)n, &seq);
    if (e == ERR_NOT_FOUND)
        return OK;
    add_seq(p, seq);
    return e == OK ? need_documents(p, seq) : e;
}

/* "legal_notices": [{"identifier": …, "version": …}] of an act */
static enum err need_cited(struct pick *p, const struct json_doc *d)
{
    uint32_t list = json_get(d, JSON_ROOT, STR("legal_notices"));
    enum err e = OK;
    for (uint32_t v = json_first(d, list); e == OK && v; v = json_next(d, list, v)) {
        struct str identifier;
        if (json_string(d, json_get(d, v, STR("identifier")), &p->w->a, &identifier))
            e = need_notice(p, identifier, json_raw(d, json_get(d, v, STR("version"))));
    }
    return e;
}

/* "notices": {identifier: version} of a purpose's version */
static enum err need_carriers(struct pick *p, int64_t seq)
{
    struct proof_fact f;
    struct json_doc d;
    enum err e = store_get_fact(p->w->r, seq, &p->w->a, &f);
    if (e != OK || f.emptied || json_scan(f.payload, &p->w->a, &d, NULL) != OK)
        return e;
    uint32_t map = json_get(&d, JSON_ROOT, STR("notices"));
    for (uint32_t k = json_first(&d, map); e == OK && k; k = json_next(&d, map, k + 1)) {
        struct str identifier;
        if (json_string(&d, k, &p->w->a, &identifier))
            e = need_notice(p, identifier, json_raw(&d, k + 1));
    }
    return e;
}

static void need_version(struct pick *p, uint32_t purpose, uint32_t version)
{
    for (uint32_t i = 0; i < p->version_count; i++)
        if (p->version[i].purpose == purpose && p->version[i].version == version)
            p->version[i].needed = true;
}

static enum err look_at_act(struct pick *p, const struct proof_fact *f)
{
    struct act_columns c;
    struct act_effect effect;
    struct json_doc d;
    if (!columns_read_act(f->columns, &c))
        return ERR_CORRUPT;
    while (columns_next_effect(&c.effects, &effect))
        if (effect.version)
            need_version(p, effect.purpose, effect.version);
    if (json_scan(f->payload, &p->w->a, &d, NULL) != OK)
        return ERR_CORRUPT;
    return need_cited(p, &d);
}

static enum err look_at(struct pick *p, int64_t seq)
{
    struct proof_fact f;
    enum err e = store_get_fact(p->w->r, seq, &p->w->a, &f);
    if (e == OK && !f.emptied && f.kind == FACT_ACT)
        e = look_at_act(p, &f);
    if (e == OK && (f.kind == FACT_ACT || f.kind == FACT_NOTICE))
        e = need_documents(p, seq);
    arena_clear(&p->w->a);
    return e == ERR_CORRUPT ? err_set(p->w->info, e, NULL,
                                      "record %lld is damaged: see licet verify", (long long)seq)
                            : e;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorted, each once. */
static void merge(struct pick *p)
{
    struct writer *w = p->w;
    size_t more = p->more.n / sizeof(int64_t), n = p->own.count + more;
    int64_t *all = arena_array(&w->keep, int64_t, n + 1);
    if (p->own.count)
        memcpy(all, p->own.seq, p->own.count * sizeof *all);
    if (more)
        memcpy(all + p->own.count, p->more.p, p->more.n);
    qsort(all, n, sizeof *all, by_value);
    for (size_t i = 0; i < n; i++)
        if (w->facts.count == 0 || all[i] != all[w->facts.count - 1])
            all[w->facts.count++] = all[i];
    w->facts.seq = all;
}

static enum err own_facts(struct pick *p)
{
    struct writer *w = p->w;
    if (w->q->subject.n) {
        enum err e = store_facts_of(w->r, w->q->subject, LIMIT_PROOF_FACTS, &w->keep, &p->own);
        return e == ERR_NOT_FOUND ? err_set(w->info, e, NULL, "nothing is known of this subject")
                                  : e;
    }
    return store_facts_between(w->r, w->q->from_ms, w->q->to_ms, LIMIT_PROOF_FACTS, &w->keep,
                               &p->own);
}

/* That a text was declared void belongs to it. */
static enum err need_voids(struct pick *p)
{
    struct void_found *found;
    uint32_t count;
    enum err e = store_list_voids(p->w->r, &p->w->keep, &found, &count);
    for (uint32_t i = 0; e == OK && i < count; i++)
        for (uint32_t v = 0; v < p->version_count; v++)
            if (p->version[v].needed && p->version[v].purpose == found[i].row.purpose &&
                p->version[v].version == found[i].row.version)
                add_seq(p, found[i].seq);
    return e;
}

static enum err choose(struct pick *p)
{
    enum err e = own_facts(p);
    if (e == OK)
        e = load_versions(p);
    for (uint32_t i = 0; e == OK && i < p->own.count; i++)
        e = look_at(p, p->own.seq[i]);
    for (uint32_t i = 0; e == OK && i < p->version_count; i++) {
        if (!p->version[i].needed)
            continue;
        add_seq(p, p->version[i].seq);
        e = need_carriers(p, p->version[i].seq);
        arena_clear(&p->w->a);
    }
    if (e == OK)
        e = need_voids(p);
    if (e == OK && p->more.over)
        e = ERR_LIMIT;
    if (e == OK)
        merge(p);
    return e;
}

static enum err choose_facts(struct writer *w)
{
    struct pick p = { .w = w, .more = BUF_INIT((size_t)LIMIT_PROOF_FACTS * sizeof(int64_t)) };
    enum err e = choose(&p);
    buf_fini(&p.more);
    if (e == ERR_LIMIT)
        return err_set(w->info, e, NULL, "more than %d records: narrow the time",
                       LIMIT_PROOF_FACTS);
    return e == OK || e == ERR_NOT_FOUND || e == ERR_CORRUPT
               ? e
               : err_set(w->info, e, NULL, "the database cannot be read: %s", err_text(e));
}

/* ---- which seals ---- */

static void add_head(void *ctx, const uint8_t head[CHAIN_HASH])
{
    merkle_add(ctx, head);
}

/* What no seal of the chain covers yet is sealed here. */
static enum err make_seal(struct writer *w, struct seal_found *ret_s)
{
    struct seal_found newest, s = { 0 };
    struct chain_head head;
    struct merkle tree = { 0 };
    enum err e = store_newest_seal(w->r, &w->keep, &newest);
    s.seal.from = 1;
    if (e == OK) {
        s.seal.from = newest.seal.to + 1;
        s.seal.has_previous = true;
        chain_hash(newest.statement, s.seal.previous);
    }
    if (e == OK || e == ERR_NOT_FOUND)
        e = store_newest_head(w->r, &head);
    if (e != OK)
        return e;
    if (head.group - s.seal.from >= LIMIT_SEAL_GROUPS)
        return err_set(w->info, ERR_LIMIT, NULL,
                       "more than %u groups are not sealed yet: let the daemon run for a while",
                       LIMIT_SEAL_GROUPS);
    e = store_each_head(w->r, s.seal.from, head.group, add_head, &tree);
    if (e != OK)
        return e;
    s.seal.to = head.group;
    s.seal.at_ms = w->q->now_ms;
    memcpy(s.seal.head, head.hash, CHAIN_HASH);
    memcpy(s.seal.key, w->k->key, SIGN_KEY);
    merkle_root(&tree, s.seal.root);
    s.statement = seal_write(&s.seal, &w->keep);
    uint8_t *signature = arena_array(&w->keep, uint8_t, SIGNATURE);
    sign(w->k->seed, s.statement, signature);
    s.signature = (struct str){ (const char *)signature, SIGNATURE };
    *ret_s = s;
    return OK;
}

static enum err add_seal(struct writer *w, const struct seal_found *s)
{
    if (w->seal_count == LIMIT_PROOF_SEALS)
        return err_set(w->info, ERR_LIMIT, NULL, "more than %d seals: narrow the time",
                       LIMIT_PROOF_SEALS);
    w->seal[w->seal_count++] = *s;
    return OK;
}

/* From one that is needed to the next that a time stamp is on: it dates those before it, too. */
static enum err add_up_to_stamp(struct writer *w, struct seal_found s)
{
    struct stamp_found stamp;
    enum err e = store_stamp_over(w->r, s.seq, &w->a, &stamp);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    int64_t last = e == OK ? stamp.seal_seq : s.seq;
    for (;;) {
        e = add_seal(w, &s);
        if (e != OK || s.seq >= last)
            return e;
        e = store_seal_after(w->r, s.seq, &w->keep, &s);
        if (e != OK)
            return e;
    }
}

static enum err choose_seals(struct writer *w)
{
    w->seal = arena_array(&w->keep, struct seal_found, LIMIT_PROOF_SEALS);
    int64_t covered = 0;
    for (uint32_t i = 0; i < w->facts.count; i++) {
        int64_t group;
        struct seal_found s;
        enum err e = store_group_number(w->r, w->facts.seq[i], &group);
        if (e == OK && group <= covered)
            continue;
        if (e == OK)
            e = store_seal_over(w->r, group, &w->keep, &s);
        if (e == OK) {
            e = add_up_to_stamp(w, s);
        } else if (e == ERR_NOT_FOUND) {
            e = make_seal(w, &s);
            if (e == OK)
                e = add_seal(w, &s);
            w->last_is_open = true;
        }
        arena_clear(&w->a);
        if (e != OK)
            return e;
        covered = w->seal[w->seal_count - 1].seal.to;
    }
    return OK;
}

static enum err write_seal(struct writer *w, const struct seal_found *s, bool open)
{
    struct stamp_found stamp;
    buf_lit(&w->out, "{\"type\":\"seal\"");
    put_text(w, "statement", s->statement);
    put_hex(w, "signature", s->signature);
    buf_printf(&w->out, ",\"in_chain\":%s}", open ? "false" : "true");
    enum err e = flush(w, false);
    if (e == OK)
        e = open ? ERR_NOT_FOUND : store_stamp_over(w->r, s->seq, &w->a, &stamp);
    if (e != OK || stamp.seal_seq != s->seq)
        return e == ERR_NOT_FOUND ? OK : e;
    buf_lit(&w->out, "{\"type\":\"stamp\"");
    put_text(w, "authority", stamp.authority);
    put_parts(w, "token", stamp.token, false);
    buf_byte(&w->out, '}');
    return flush(w, false);
}

static enum err write_seals(struct writer *w)
{
    enum err e = OK;
    for (uint32_t i = 0; e == OK && i < w->seal_count; i++)
        e = write_seal(w, &w->seal[i], w->last_is_open && i + 1 == w->seal_count);
    return e;
}

/* ---- groups and records ---- */

static void gather_head(void *ctx, const uint8_t head[CHAIN_HASH])
{
    buf_add(ctx, head, CHAIN_HASH);
}

static enum err find_tree(struct writer *w, int64_t group, const struct seal **ret_s)
{
    uint32_t i = w->tree_of ? w->tree_of - 1 : 0;
    while (i < w->seal_count && w->seal[i].seal.to < group)
        i++;
    must(i < w->seal_count);
    const struct seal *s = &w->seal[i].seal;
    *ret_s = s;
    if (w->tree_of == i + 1)
        return OK;
    AUTO(buf_fini) struct buf heads = BUF_INIT((size_t)LIMIT_SEAL_GROUPS * CHAIN_HASH);
    enum err e = store_each_head(w->r, s->from, s->to, gather_head, &heads);
    if (e == OK && heads.over)
        e = ERR_CORRUPT;
    if (e != OK)
        return e;
    merkle_tree_fini(&w->tree);
    merkle_tree_init(&w->tree, buf_view(&heads));
    w->tree_of = i + 1;
    return OK;
}

static enum err write_group(struct writer *w, int64_t seq, int64_t *ret_last)
{
    struct proof_group g;
    const struct seal *s;
    uint8_t path[MERKLE_DEPTH * CHAIN_HASH];
    size_t bytes;
    enum err e = store_group_of(w->r, seq, &w->a, &g);
    if (e == OK)
        e = find_tree(w, g.number, &s);
    if (e != OK)
        return e;
    merkle_tree_path(&w->tree, (uint64_t)(g.number - s->from), path, &bytes);
    buf_printf(&w->out,
               "{\"type\":\"group\",\"number\":%lld,\"at\":%lld,\"first\":%lld,\"facts\":%lld",
               (long long)g.number, (long long)g.at_ms, (long long)g.first_seq,
               (long long)(g.last_seq - g.first_seq + 1));
    put_hex(w, "previous", (struct str){ (const char *)g.previous, CHAIN_HASH });
    put_parts(w, "leaves", g.leaves, false);
    put_hex(w, "path", (struct str){ (const char *)path, bytes });
    buf_byte(&w->out, '}');
    *ret_last = g.last_seq;
    return flush(w, false);
}

/* A document's bytes, behind its record, which names their hash. */
static enum err write_content(struct writer *w, const struct document *d)
{
    struct str bytes;
    enum err e = store_read_document(w->r, d, &w->a, &bytes);
    if (e != OK)
        return e;
    buf_lit(&w->out, "{\"type\":\"content\"");
    put_parts(w, "bytes", bytes, false);
    buf_byte(&w->out, '}');
    return flush(w, false);
}

static enum err write_fact(struct writer *w, int64_t seq)
{
    struct proof_fact f;
    enum err e = store_get_fact(w->r, seq, &w->a, &f);
    const char *name = e == OK ? bundle_kind_name(f.kind) : NULL;
    if (e != OK || name == NULL)
        return e != OK ? e : ERR_CORRUPT;
    buf_printf(&w->out, "{\"type\":\"record\",\"seq\":%lld,\"kind\":\"%s\"", (long long)seq, name);
    if (f.emptied) {
        buf_lit(&w->out, ",\"erased\":true}");
        w->numbers.erased++;
        return flush(w, false);
    }
    if (!utf8_valid(f.payload))
        return ERR_CORRUPT;
    put_hex(w, "salt", f.key);
    put_parts(w, "columns", f.columns, false);
    put_parts(w, "payload", f.payload, true);
    buf_byte(&w->out, '}');
    if (bundle_names_nobody(f.kind))
        w->numbers.named++;
    else
        w->numbers.records++;
    struct document d = { 0 };
    if (f.kind == FACT_DOCUMENT && !columns_read_document(f.columns, &d))
        return ERR_CORRUPT;
    d.seq = seq;
    e = flush(w, false);
    return e == OK && f.kind == FACT_DOCUMENT ? write_content(w, &d) : e;
}

static enum err write_facts(struct writer *w)
{
    int64_t last = 0; /* of the group at hand */
    enum err e = OK;
    for (uint32_t i = 0; e == OK && i < w->facts.count; i++) {
        int64_t seq = w->facts.seq[i];
        if (seq > last)
            e = write_group(w, seq, &last);
        if (e == OK)
            e = write_fact(w, seq);
        if (e == ERR_CORRUPT)
            return err_set(w->info, e, NULL, "record %lld is damaged: see licet verify",
                           (long long)seq);
    }
    return e;
}

/* ---- the whole ---- */

static enum err write_end(struct writer *w)
{
    uint8_t signature[SIGNATURE], mark[sizeof BUNDLE_MARK - 1 + CHAIN_HASH];
    memcpy(mark, BUNDLE_MARK, sizeof BUNDLE_MARK - 1);
    (void)crypto_generichash_final(&w->hash, mark + sizeof BUNDLE_MARK - 1, CHAIN_HASH);
    sign(w->k->seed, (struct str){ (const char *)mark, sizeof mark }, signature);
    buf_str(&w->out, bundle_end(w->lines, w->k->key,
                                (struct str){ (const char *)signature, SIGNATURE }, &w->a));
    return flush(w, true);
}

static enum err write_all(struct writer *w)
{
    enum err e = choose_facts(w);
    if (e == OK)
        e = choose_seals(w);
    if (e == OK)
        e = write_header(w);
    if (e == OK)
        e = write_keys(w);
    if (e == OK)
        e = write_seals(w);
    if (e == OK)
        e = write_facts(w);
    return e == OK ? write_end(w) : e;
}

enum err bundle_write(struct store_reader *r, const struct keyring *k,
                      const struct bundle_question *q, enum err (*line)(void *ctx, struct str text),
                      void *ctx, struct bundle_numbers *ret_numbers, struct err_info *info)
{
    struct err_info mine = { 0 };
    AUTO(writer_fini)
    struct writer w = { .r = r,
                        .k = k,
                        .q = q,
                        .line = line,
                        .ctx = ctx,
                        .info = &mine,
                        .keep = ARENA_INIT,
                        .a = ARENA_INIT,
                        .out = BUF_INIT(LIMIT_PROOF_LINE) };
    (void)crypto_generichash_init(&w.hash, NULL, 0, CHAIN_HASH);
    enum err e = store_hold(r, info);
    if (e != OK)
        return e;
    e = write_all(&w);
    store_release(r);
    if (e != OK)
        return err_set(info, e, NULL, "%s", mine.text[0] ? mine.text : err_text(e));
    *ret_numbers = w.numbers;
    return OK;
}
