#include "audit/keyring.h"

#include "base/limits.h"
#include "codec/json.h"
#include "codec/text.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = 128 << 10 };

struct str keyring_file(const struct conf *c, struct arena *a)
{
    return c->seals.key_file.n ? c->seals.key_file
                               : arena_printf(a, "%.*s/signing.key", STR_ARG(c->data_dir));
}

void keyring_fini(struct keyring *k)
{
    sodium_memzero(k->seed, sizeof k->seed);
}

bool key_is_handed_over(const struct key_found *k)
{
    return k->key.has_previous && sign_agrees(k->key.previous, k->statement, k->by_previous);
}

bool key_agrees(const struct key_found *k)
{
    return sign_agrees(k->key.public, k->statement, k->by_itself) &&
           (k->by_previous.n == 0 || key_is_handed_over(k));
}

/* ---- reading ---- */

static enum err failed(struct err_info *info, const char *what)
{
    return err_set(info, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, NULL, "signing key: %s: %s",
                   what, strerrordesc_np(errno));
}

static enum err damaged(struct err_info *info)
{
    return err_set(info, ERR_CORRUPT, NULL, "signing key: the file is damaged");
}

static enum err slurp(struct str file, struct buf *to, struct arena *a, struct err_info *info)
{
    AUTO(close_fd) int fd = open(arena_str(a, file).p, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return failed(info, "it cannot be opened");
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return err_set(info, ERR_FORBIDDEN, NULL,
                       "signing key: others can read the file (chmod 600 it, or make a new key)");
    char *room = buf_room(to, FILE_MOST);
    ssize_t n = read(fd, room, FILE_MOST);
    if (n < 0)
        return failed(info, "it cannot be read");
    to->n = (size_t)n;
    return n == FILE_MOST ? damaged(info) : OK;
}

static bool read_known(const struct json_doc *d, uint32_t node, struct arena *a,
                       struct key_found *ret_k)
{
    struct str itself, previous;
    struct key_found k = { 0 };
    if (!json_string(d, json_get(d, node, STR("statement")), a, &k.statement) ||
        !json_string(d, json_get(d, node, STR("by_itself")), a, &itself) ||
        !json_string(d, json_get(d, node, STR("by_previous")), a, &previous) ||
        !hex_decode(itself, a, &k.by_itself) || !hex_decode(previous, a, &k.by_previous) ||
        !key_statement_read(k.statement, a, &k.key) || !key_agrees(&k))
        return false;
    *ret_k = k;
    return true;
}

static bool read_ring(struct str text, struct arena *a, struct keyring *k)
{
    struct json_doc d;
    struct str hex, seed;
    if (json_scan(text, a, &d, NULL) != OK ||
        !json_string(&d, json_get(&d, JSON_ROOT, STR("seed")), a, &hex) ||
        !hex_decode(hex, a, &seed) || seed.n != SIGN_SEED)
        return false;
    memcpy(k->seed, seed.p, SIGN_SEED);
    sodium_memzero((char *)seed.p, seed.n);
    sign_public(k->seed, k->key);
    uint32_t keys = json_get(&d, JSON_ROOT, STR("keys"));
    if (json_type(&d, keys) != JSON_ARRAY || d.node[keys].count == 0 ||
        d.node[keys].count > LIMIT_SIGNING_KEYS)
        return false;
    k->known = arena_array(a, struct key_found, d.node[keys].count);
    for (uint32_t v = json_first(&d, keys); v; v = json_next(&d, keys, v))
        if (!read_known(&d, v, a, &k->known[k->count++]))
            return false;
    return memcmp(k->known[k->count - 1].key.public, k->key, SIGN_KEY) == 0;
}

enum err keyring_load(struct str file, struct arena *a, struct keyring *ret_k,
                      struct err_info *info)
{
    struct keyring k = { 0 };
    AUTO(buf_fini) struct buf text = BUF_INIT(FILE_MOST);
    enum err e = slurp(file, &text, a, info);
    if (e == OK && !read_ring(buf_view(&text), a, &k))
        e = damaged(info);
    if (text.n)
        sodium_memzero(text.p, text.n);
    if (e == OK)
        *ret_k = k;
    keyring_fini(&k);
    return e;
}

/* ---- writing ---- */

static void write_signature(struct buf *to, const char *name, struct str signature, struct arena *a)
{
    buf_printf(to, ",\"%s\":\"%.*s\"", name, STR_ARG(hex_encode(signature, a)));
}

static void write_ring(const struct keyring *k, struct arena *a, struct buf *to)
{
    struct str seed = hex_encode((struct str){ (const char *)k->seed, SIGN_SEED }, a);
    buf_printf(to, "{\"licet\":\"signing key\",\"seed\":\"%.*s\",\"keys\":[\n", STR_ARG(seed));
    sodium_memzero((char *)seed.p, seed.n);
    for (uint32_t i = 0; i < k->count; i++) {
        buf_str(to, i ? STR(",\n{\"statement\":") : STR("{\"statement\":"));
        json_write_string(to, k->known[i].statement);
        write_signature(to, "by_itself", k->known[i].by_itself, a);
        write_signature(to, "by_previous", k->known[i].by_previous, a);
        buf_byte(to, '}');
    }
    buf_lit(to, "]}\n");
}

static bool write_all(int fd, struct str s)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = (struct str){ s.p + n, s.n - (size_t)n };
    }
    return true;
}

static bool sync_folder(struct str file, struct arena *a)
{
    const char *slash = memrchr(file.p, '/', file.n);
    struct str folder = slash ? (struct str){ file.p, (size_t)(slash - file.p) + 1 } : STR(".");
    AUTO(close_fd) int fd = open(arena_str(a, folder).p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

/* Under a name of its own first: a crash leaves the old file or the new one. */
static enum err save(const struct keyring *k, struct str file, bool first, struct arena *a,
                     struct err_info *info)
{
    struct str path = arena_str(a, file);
    struct str other = arena_printf(a, "%.*s.new", STR_ARG(file));
    AUTO(buf_fini) struct buf text = BUF_INIT(FILE_MOST);
    write_ring(k, a, &text);
    must(!text.over);
    (void)unlink(other.p); /* of a run that was cut off */
    AUTO(close_fd) int fd = open(other.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write_all(fd, buf_view(&text)) && fsync(fd) == 0;
    sodium_memzero(text.p, text.n);
    if (written && first && link(other.p, path.p) != 0) { /* of two who make it one wins */
        enum err e = errno == EEXIST
                         ? err_set(info, ERR_CONFLICT, NULL, "signing key: there is one already")
                         : failed(info, "it cannot be written");
        (void)unlink(other.p);
        return e;
    }
    if (written && (first ? unlink(other.p) : rename(other.p, path.p)) == 0 && sync_folder(file, a))
        return OK;
    return failed(info, "it cannot be written");
}

static struct str signature_of(const uint8_t seed[SIGN_SEED], struct str statement, struct arena *a)
{
    uint8_t *signature = arena_array(a, uint8_t, SIGNATURE);
    sign(seed, statement, signature);
    return (struct str){ (const char *)signature, SIGNATURE };
}

/* Adds a new key to `k`, signed by itself and by the one before. */
static void add_key(struct keyring *k, int64_t at_ms, struct arena *a)
{
    uint8_t seed[SIGN_SEED];
    struct key_found *known = arena_array(a, struct key_found, k->count + 1);
    struct key_found *n = &known[k->count];
    if (k->count)
        memcpy(known, k->known, k->count * sizeof *known);
    randombytes_buf(seed, sizeof seed);
    *n = (struct key_found){ .key = { .at_ms = at_ms, .has_previous = k->count > 0 } };
    sign_public(seed, n->key.public);
    if (k->count)
        memcpy(n->key.previous, k->key, SIGN_KEY);
    n->statement = key_statement_write(&n->key, a);
    n->by_itself = signature_of(seed, n->statement, a);
    if (k->count)
        n->by_previous = signature_of(k->seed, n->statement, a);
    memcpy(k->seed, seed, SIGN_SEED);
    memcpy(k->key, n->key.public, SIGN_KEY);
    sodium_memzero(seed, sizeof seed);
    k->known = known;
    k->count++;
}

enum err keyring_make(struct str file, int64_t at_ms, struct arena *a, struct err_info *info)
{
    AUTO(keyring_fini) struct keyring k = { 0 };
    add_key(&k, at_ms, a);
    return save(&k, file, true, a, info);
}

enum err keyring_turn(struct str file, int64_t at_ms, struct arena *a, struct err_info *info)
{
    AUTO(keyring_fini) struct keyring k = { 0 };
    enum err e = keyring_load(file, a, &k, info);
    if (e != OK)
        return e;
    if (k.count == LIMIT_SIGNING_KEYS)
        return err_set(info, ERR_LIMIT, NULL, "signing key: there were %d keys already",
                       LIMIT_SIGNING_KEYS);
    add_key(&k, at_ms, a);
    return save(&k, file, false, a, info);
}
