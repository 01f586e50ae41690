#include "api/connection.h"

#include "api/address.h"
#include "base/limits.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    BUCKETS = 1 << 12,
    FRESH_MS = 2000, /* who connects has something to say at once: until then nobody makes room */
    CLOSED_AT_ONCE = 32,
    LOOKED_AT = 8, /* requests under way that may make room: the oldest */
};

const char *const connection_end_name[CONNECTION_ENDS] = {
    [END_HEAD] = "head",       [END_BODY] = "body",       [END_ANSWER] = "answer",
    [END_IDLE] = "idle",       [END_CROWDED] = "crowded", [END_REFUSED] = "refused",
    [END_ADDRESS] = "address",
};

/* Three lists are enough: all of a list have the same time to the stage's end, or, with a
 * request, at least the shortest. So each is in the order of its ends. */
enum { LIST_NEW, LIST_IDLE, LIST_REQUEST, LISTS };

struct connections {
    void *owner;
    struct connection list[LISTS]; /* heads */
    struct peer *bucket[BUCKETS];
    unsigned char key[crypto_shorthash_KEYBYTES];
    const struct conf *conf;
    uint32_t open, addresses;
    uint64_t ended[CONNECTION_ENDS];
};

struct connections *connections_new(void *owner)
{
    struct connections *c = must_alloc_zero(sizeof *c);
    c->owner = owner;
    crypto_shorthash_keygen(c->key);
    for (int i = 0; i < LISTS; i++)
        c->list[i].next = c->list[i].prev = &c->list[i];
    return c;
}

void connections_free(struct connections **cc)
{
    struct connections *c = *cc;
    if (c == NULL)
        return;
    free(c);
    *cc = NULL;
}

void connections_configure(struct connections *c, const struct conf *conf)
{
    c->conf = conf;
}

/* ---- addresses ---- */

/* The place of a peer, or where it would hang. What hangs together is up to a secret, not to those who connect. */
static struct peer **place_of(struct connections *c, uint64_t group)
{
    uint64_t hash;
    (void)crypto_shorthash((unsigned char *)&hash, (const unsigned char *)&group, sizeof group,
                           c->key); /* cannot fail */
    struct peer **at = &c->bucket[hash % BUCKETS];
    while (*at != NULL && (*at)->group != group)
        at = &(*at)->next;
    return at;
}

static struct peer *peer_join(struct connections *c, uint64_t group)
{
    struct peer **at = place_of(c, group);
    if (*at == NULL) {
        *at = must_alloc_zero(sizeof **at);
        (*at)->group = group;
        c->addresses++;
    }
    (*at)->connections++;
    return *at;
}

static void peer_leave(struct connections *c, struct peer *p)
{
    if (p == NULL || --p->connections > 0)
        return;
    struct peer **at = place_of(c, p->group);
    must(*at == p);
    *at = p->next;
    free(p);
    c->addresses--;
}

/* ---- lists ---- */

static void take_out(struct connection *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->next = n->prev = n;
}

static void put_last(struct connection *head, struct connection *n)
{
    n->prev = head->prev;
    n->next = head;
    head->prev->next = n;
    head->prev = n;
}

void connection_enter(struct connections *c, struct connection *n, enum connection_stage stage,
                      int64_t now)
{
    n->stage = stage;
    n->since_ms = now;
    n->begun_ms = stage == STAGE_HEAD ? now : n->begun_ms;
    n->bytes = 0;
    if (n->closing || (stage != STAGE_HEAD && stage != STAGE_IDLE))
        return;
    take_out(n);
    put_last(&c->list[stage == STAGE_HEAD ? LIST_REQUEST : LIST_IDLE], n);
}

/* The library owns the socket and learns by it that there is nothing more to come. */
static void end(struct connections *c, struct connection *n, enum connection_end why)
{
    must(!n->closing);
    n->closing = true;
    take_out(n);
    c->ended[why]++;
    if (why == END_BODY || why == END_ANSWER || why == END_HEAD) {
        /* what the kernel still holds for somebody who does not take it is let go */
        struct linger now = { .l_onoff = 1 };
        (void)setsockopt(n->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    (void)shutdown(n->fd, SHUT_RDWR); /* ENOTCONN: it is gone already */
}

/* ---- too many ---- */

static bool waits(const struct connection *n, int64_t now)
{
    return n->stage <= STAGE_HEAD && now - n->since_ms >= FRESH_MS;
}

/* First who has said nothing yet, then who is silent between two requests, then who
 * does not come to the end of a head. */
static struct connection *least_missed(struct connections *c, int64_t now)
{
    for (int i = LIST_NEW; i <= LIST_IDLE; i++) {
        struct connection *n = c->list[i].next;
        if (n != &c->list[i] && waits(n, now))
            return n;
    }
    struct connection *n = c->list[LIST_REQUEST].next;
    for (int i = 0; i < LOOKED_AT && n != &c->list[LIST_REQUEST]; i++, n = n->next) {
        if (waits(n, now))
            return n;
    }
    return NULL;
}

static void make_room(struct connections *c, struct connection *newcomer, int64_t now)
{
    const struct conf_limits *l = &c->conf->limits;
    if (newcomer->peer->connections > l->connections_per_address &&
        !address_is_proxy(c->conf, str_of(newcomer->text))) {
        end(c, newcomer, END_ADDRESS);
    } else if (c->open > l->connections) {
        struct connection *old = least_missed(c, now);
        end(c, old ? old : newcomer, old ? END_CROWDED : END_REFUSED);
    }
}

/* ---- coming and going ---- */

struct connection *connection_open(struct connections *c, const struct sockaddr *from, int fd,
                                   int64_t now)
{
    struct connection *n = must_alloc_zero(sizeof *n);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str text = address_text(from, &a);
    *n = (struct connection){ .owner = c->owner, .fd = fd, .since_ms = now };
    n->next = n->prev = n;
    c->open++;
    if (text.n == 0 || text.n >= sizeof n->text)
        return n;
    memcpy(n->text, text.p, text.n);
    put_last(&c->list[LIST_NEW], n);
    n->peer = peer_join(c, address_group(text));
    make_room(c, n, now);
    return n;
}

void connection_close(struct connections *c, struct connection **nn)
{
    struct connection *n = *nn;
    if (n == NULL)
        return;
    take_out(n);
    peer_leave(c, n->peer);
    c->open--;
    free(n);
    *nn = NULL;
}

/* ---- the ends of the stages ---- */

static bool over(const struct connections *c, const struct connection *n, int64_t now,
                 enum connection_end *ret_why)
{
    const struct conf_timeouts *t = &c->conf->timeouts;
    int64_t past = now - n->since_ms, more = (int64_t)n->bytes * 1000 / LIMIT_FLOOR_RATE;
    switch (n->stage) {
    case STAGE_NEW:
    case STAGE_HEAD: *ret_why = END_HEAD; return past >= t->head_ms;
    case STAGE_IDLE: *ret_why = END_IDLE; return past >= t->idle_ms;
    case STAGE_BODY: *ret_why = END_BODY; return past >= t->body_ms + more;
    case STAGE_ANSWER: *ret_why = END_ANSWER; return past >= LIMIT_ANSWER_S * 1000 + more;
    default: return false;
    }
}

static void sweep_waiting(struct connections *c, struct connection *head, int64_t now, int *most)
{
    enum connection_end why;
    for (; *most > 0 && head->next != head && over(c, head->next, now, &why); --*most)
        end(c, head->next, why);
}

/* Those who do ask for long, and rightly so, stand at the front: they are looked at, too. */
static void sweep_requests(struct connections *c, struct connection *head, int64_t now, int *most)
{
    int64_t least = c->conf->timeouts.head_ms;
    if (c->conf->timeouts.body_ms < least)
        least = c->conf->timeouts.body_ms;
    struct connection *n = head->next, *next;
    for (; *most > 0 && n != head && now - n->begun_ms >= least; n = next) {
        enum connection_end why;
        next = n->next;
        if (!over(c, n, now, &why))
            continue;
        end(c, n, why);
        --*most;
    }
}

bool connections_sweep(struct connections *c, int64_t now)
{
    int most = CLOSED_AT_ONCE;
    sweep_waiting(c, &c->list[LIST_NEW], now, &most);
    sweep_waiting(c, &c->list[LIST_IDLE], now, &most);
    sweep_requests(c, &c->list[LIST_REQUEST], now, &most);
    return most == 0;
}

uint32_t connections_open(const struct connections *c)
{
    return c->open;
}
uint32_t connections_addresses(const struct connections *c)
{
    return c->addresses;
}
uint64_t connections_ended(const struct connections *c, enum connection_end why)
{
    return c->ended[why];
}
