#include "conf/read_priv.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of the variable, "${NAME}", that begins here; 0 when none does. */
static size_t variable_length(struct str s)
{
    if (!str_starts(s, STR("${")))
        return 0;
    size_t n = 2;
    while (n < s.n && (s.p[n] == '_' || (s.p[n] >= '0' && s.p[n] <= '9') ||
                       (s.p[n] >= 'A' && s.p[n] <= 'Z') || (s.p[n] >= 'a' && s.p[n] <= 'z')))
        n++;
    return n < s.n && s.p[n] == '}' ? n + 1 : 0;
}

void secret_mask(struct reader *r, const struct yaml *n)
{
    for (uint32_t i = n->at.start; i < n->at.end;) {
        char *c = &r->kept[i];
        bool plain = str_starts((struct str){ c, n->at.end - i }, STR("$${"));
        size_t skip = plain ? 0 : variable_length((struct str){ c, n->at.end - i });
        for (int k = 0; k < (plain ? 3 : skip ? 0 : 1); k++) {
            if (c[k] != '\n' && c[k] != '\r')
                c[k] = '*';
        }
        i += plain ? 3 : skip ? (uint32_t)skip : 1;
    }
}

/* What a secret was read from is not needed again. */
static void forget(struct str s)
{
    if (s.n)
        sodium_memzero((char *)s.p, s.n);
}

static ssize_t read_up_to(int fd, char *to, size_t n)
{
    size_t at = 0;
    while (at < n) {
        ssize_t got = read(fd, to + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        at += (size_t)got;
    }
    return (ssize_t)at;
}

static bool file_bytes(struct reader *r, const struct yaml *n, const char *path, size_t most,
                       bool is_secret, struct str *ret_s)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        fault(r, n, "cannot read '%s': %s", shown_node(r, n), strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        fault(r, n, "'%s' is not a plain file", shown_node(r, n));
        return false;
    }
    if (is_secret && st.st_mode & S_IRWXO)
        warning(r, n, "anybody on this machine can read '%s'", shown_node(r, n));
    size_t room = st.st_size >= 0 && (size_t)st.st_size < most ? (size_t)st.st_size : most;
    char *text = arena_alloc(r->arena, room + 2);
    ssize_t length = read_up_to(fd, text, room + 1);
    if (length < 0 || (size_t)length > room) {
        sodium_memzero(text, room + 2);
        if (length < 0)
            fault(r, n, "cannot read '%s': %s", shown_node(r, n), strerror(errno));
        else if (room < most)
            fault(r, n, "'%s' grows while it is read", shown_node(r, n));
        else
            fault_limit(r, n, "bytes in this file", (long long)most);
        return false;
    }
    *ret_s = str_trim((struct str){ text, (size_t)length });
    return true;
}

bool scalar_file(struct reader *r, const struct yaml *n, size_t most, bool is_secret,
                 struct str *ret_s)
{
    struct str path;
    if (!scalar(r, n, &path))
        return false;
    struct str folder = path.n && path.p[0] == '/' ? STR("") : r->folder;
    return file_bytes(r, n, arena_printf(r->scratch, "%.*s%.*s", STR_ARG(folder), STR_ARG(path)).p,
                      most, is_secret, ret_s);
}

/* {file: PATH} */
static bool secret_file(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    const struct yaml *file = yaml_get(n, STR("file"));
    if (file == NULL || n->count != 1) {
        fault(r, n, "a secret is one value, or {file: PATH}");
        return false;
    }
    return scalar_file(r, file, LIMIT_SECRET, true, ret_s);
}

bool scalar_secret(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    struct str s;
    if (n->type == YAML_MAP) {
        if (!secret_file(r, n, &s))
            return false;
    } else {
        if (n->type == YAML_SCALAR)
            secret_mask(r, n);
        bool ok = scalar(r, n, &s);
        forget(n->text);
        if (!ok)
            return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~') {
            forget(s);
            fault(r, n, "a secret holds visible ASCII characters only, no spaces");
            return false;
        }
    }
    *ret_s = s;
    return true;
}

/* The forms of Standard Webhooks: whsec_ and base64 of 16 bytes or more. */
static bool whsec_ok(struct str s)
{
    unsigned char bytes[LIMIT_SECRET];
    size_t n = 0;
    struct str code = { s.p + 6, s.n - 6 };
    if (code.n > LIMIT_SECRET)
        return false;
    bool ok = sodium_base642bin(bytes, sizeof bytes, code.p, code.n, NULL, &n, NULL,
                                sodium_base64_VARIANT_ORIGINAL) == 0;
    sodium_memzero(bytes, sizeof bytes);
    return ok && n >= KEY_LEAST;
}

void read_secret(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct str s;
    if (!scalar_secret(r, n, &s))
        return;
    bool marked = str_starts(s, STR("whsec_"));
    if (marked ? whsec_ok(s) : s.n >= KEY_LEAST) {
        *(struct str *)((char *)base + rule->at) = s;
        return;
    }
    forget(s);
    if (marked)
        fault(r, n, "after 'whsec_' base64 is needed, of at least %d bytes", KEY_LEAST);
    else
        fault(r, n, "a secret must be at least %d bytes long", KEY_LEAST);
}

/* ---- keys of the interface ---- */

static void read_key(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct str s;
    if (!scalar_secret(r, n, &s))
        return;
    struct conf_key *key = base;
    if (s.n < KEY_LEAST && rule->least)
        fault(r, n, "a private key must be at least %d bytes long", KEY_LEAST);
    else if (s.n < KEY_LEAST)
        warning(r, n, "a public key of less than %d bytes is easily guessed", KEY_LEAST);
    if (s.n >= KEY_LEAST || !rule->least)
        (void)crypto_generichash(key->hash, sizeof key->hash, (const unsigned char *)s.p, s.n, NULL,
                                 0); /* fails for wrong sizes only */
    forget(s);
}

static bool scalar_origin(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    struct str s;
    struct web w;
    if (!scalar(r, n, &s))
        return false;
    bool lower = true;
    for (size_t i = 0; i < s.n; i++)
        lower = lower && !(s.p[i] >= 'A' && s.p[i] <= 'Z');
    if (!lower || !web_parse(s, &w) || w.rest.n) {
        fault(r, n, "'%s' is not an origin like https://shop.example", shown_node(r, n));
        return false;
    }
    *ret_s = s;
    return true;
}

static void read_origins(struct reader *r, const struct rule *rule, const struct yaml *n,
                         void *base)
{
    read_list(r, rule, n, base, scalar_origin);
}

static const struct word modes[] = { { "live", CONF_LIVE }, { "test", CONF_TEST }, { NULL, 0 } };

enum { ROW_KEY, ROW_ORIGINS, ROW_MODE };
static const struct rule key_rules[] = {
    [ROW_KEY] = { "key", read_key, "the key itself, or `{file: PATH}`", .needed = KIND_ANY },
    [ROW_ORIGINS] = { "origins", read_origins,
                      "public keys only: pages that may use it, as `https://shop.example`; "
                      "none given: any page",
                      .at = offsetof(struct conf_key, origin),
                      .count_at = offsetof(struct conf_key, origin_count), .least = 1,
                      .most = LIMIT_ORIGINS },
    [ROW_MODE] = { "mode", read_word,
                   "`live` (default), or `test`: judged and shown, but nothing leaves",
                   .at = offsetof(struct conf_key, mode), .words = modes },
};
const struct table table_key = {
    "keys.private[], keys.public[] (long form)",
    "A key is one value, at least 16 bytes long, or this mapping. Only its hash is kept in "
    "memory.",
    key_rules,
    COUNT(key_rules),
    sizeof(struct conf_key),
    NULL,
    NULL,
    NULL
};

static const struct rule private_rules[] = {
    { "key", read_key, "", .needed = KIND_ANY, .least = KEY_LEAST },
    { "mode", read_word, "", .at = offsetof(struct conf_key, mode), .words = modes },
};
static const struct table table_private_key = {
    "", "", private_rules, COUNT(private_rules), sizeof(struct conf_key), NULL, NULL, NULL
};

static bool same_key(const struct conf_key *list, uint32_t count, const struct conf_key *key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (sodium_memcmp(list[i].hash, key->hash, sizeof key->hash) == 0)
            return true;
    }
    return false;
}

static void read_keys(struct reader *r, const struct rule *rule, const struct yaml *n, void *base,
                      const struct table *t)
{
    if (!is_list(r, n))
        return;
    if (n->count > rule->most)
        return fault_limit(r, n, "entries here", rule->most);
    if (n->count < rule->least)
        return fault(r, n, "'%s' must name at least one", rule->key);
    struct conf *c = base;
    struct conf_key *list = arena_array(r->arena, struct conf_key, n->count);
    uint32_t count = 0;
    for (const struct yaml *item = n->first; item != NULL; item = item->next) {
        struct conf_key *key = &list[count];
        *key = (struct conf_key){ 0 };
        if (item->type == YAML_MAP && yaml_get(item, STR("file")) == NULL)
            table_read(r, t, item, key);
        else
            read_key(r, &t->rule[ROW_KEY], item, key);
        if (sodium_is_zero(key->hash, sizeof key->hash))
            continue;
        if (same_key(list, count, key) || same_key(c->private_key, c->private_key_count, key) ||
            same_key(c->public_key, c->public_key_count, key))
            fault(r, item, "this key stands twice");
        count++;
    }
    memcpy((char *)base + rule->at, &list, sizeof list);
    memcpy((char *)base + rule->count_at, &count, sizeof count);
}

void read_private_keys(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    read_keys(r, rule, n, base, &table_private_key);
}

void read_public_keys(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    read_keys(r, rule, n, base, &table_key);
}
