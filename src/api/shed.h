/* api/shed.h - what is not taken in when there is too much.
 *
 * A turn of the loop reads whatever is ready and commits it as one group, so who
 * comes in a turn waits for its end. When turns become long, and again and again,
 * more comes than can be done: then only so much of each turn is given to events as
 * keeps it short, and the rest of them is answered with 503 and Retry-After, and
 * what they carry is read past. A short burst is taken in whole, and a few in every turn: where there are only a few
 * clients, their own waiting is limit enough, however slow the machine.
 *
 * By time only events are refused, and of these only what costs more than to refuse it: a single message
 * nearly never. Acts (consents, withdrawals, subjects) are refused by memory alone,
 * after everything else; /healthz, /readyz and /metrics never. Nothing that was
 * taken in is given up.
 *
 * Pure but for its own state. Thread: the loop's.
 */
#ifndef API_SHED_H
#define API_SHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a request is worth when there is too much, the least first. */
enum worth { WORTH_EVENT = 0, WORTH_READ, WORTH_ACT, WORTH_ALWAYS };

enum shed_why {
    SHED_NOT = 0,
    SHED_TIME,  /* turns are too long */
    SHED_BODY,  /* too many bytes of bodies are held */
    SHED_LOOKS, /* too many requests wait for the reader */
    SHED_WHYS
};
extern const char *const shed_why_name[SHED_WHYS];

struct shed {
    int64_t turn_us;            /* when this turn began */
    int64_t worked_us;          /* of it, in handlers */
    int64_t promised_us;        /* of it, to events whose bodies are still being read */
    int64_t budget_us;          /* of it, for events, while busy */
    int64_t last_us;            /* when an event was last refused by time */
    double us_per_byte;         /* what events cost of late */
    uint64_t commit_us;         /* in commits, up to the turn's begin */
    int64_t long_end_us;        /* when a turn last was long */
    int64_t commit_of_late_us;  /* what one takes when nothing stalls */
    size_t turn_bytes;          /* handled in this turn */
    size_t bodies;              /* bytes of bodies held */
    uint32_t looks, long_turns; /* of late, without a pause */
    uint32_t taken;             /* events' requests that this turn took while busy */
    bool busy, refused_now;
    uint64_t refused[SHED_WHYS];
};

/* `commit_us`: time spent in commits since start. */
void shed_turn_begin(struct shed *s, int64_t now_us, uint64_t commit_us);
void shed_turn_end(struct shed *s, int64_t now_us, uint64_t commit_us);

/* The head is there: whether it is worth reading a body of `length` bytes, -1: unknown. While busy a part of this
 * turn is promised to it: *ret_promised. */
enum shed_why shed_expect(struct shed *s, enum worth worth, long long length, bool *ret_promised);

/* To refuse costs, too, and who does not heed it asks again at once: those that are not worth reading are kept
 * waiting before they are read past. How many of `kept` are to be let go in this turn. */
uint32_t shed_release(const struct shed *s, uint32_t kept);

/* Whether the clock must be read for shed_admit(): else `now_us` is not looked at. */
static inline bool shed_watches(const struct shed *s)
{
    return s->busy || s->turn_bytes > (256u << 10);
}
/* Whether a request whose body is there is to be refused; one that has a promise is not. SHED_NOT: it is handled now;
 * tell shed_worked() after, if shed_watches(). */
enum shed_why shed_admit(struct shed *s, enum worth worth, size_t body, bool promised,
                         int64_t now_us);
void shed_worked(struct shed *s, size_t body, int64_t us);

/* n more bytes of a body: false when they are too many, and nothing is counted. */
bool shed_body(struct shed *s, enum worth worth, size_t n);
void shed_body_gone(struct shed *s, size_t n);

/* One more for the reader: false when too many wait. */
bool shed_look(struct shed *s, enum worth worth);

#endif
