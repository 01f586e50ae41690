#include "api/shed.h"

#include "base/limits.h"

enum {
    LONG_US = 6 * 1000, /* a turn that is long, the commit apart: that grows with it */
    LONG_TURNS = 3,     /* as many, without a pause, are no burst */
    PAUSE_US = 200 * 1000,
    BURST_US = 150 * 1000, /* a burst is taken in up to this */
    ALL_US = 1000 * 1000,  /* beyond it, even what is refused as dearly as done */
    LEAST_BUDGET_US = 800, /* of a turn, for events, while busy */
    MOST_BUDGET_US = 25 * 1000,
    COMMITS_OF_LATE = 16,
    TAKEN_A_TURN = 4,
    REFUSED_A_TURN = 16,
    CALM_US = 500 * 1000, /* without a refusal: no longer busy */
    DEAR_BODY = 4096,     /* bytes; a larger one costs more than its refusal */
};

const char *const shed_why_name[SHED_WHYS] = {
    [SHED_TIME] = "time", [SHED_BODY] = "memory", [SHED_LOOKS] = "reads"
};

void shed_turn_begin(struct shed *s, int64_t now, uint64_t commit_us)
{
    s->turn_us = now;
    s->commit_us = commit_us;
    s->worked_us = 0;
    s->promised_us = 0;
    s->turn_bytes = 0;
    s->taken = 0;
    s->refused_now = false;
}

/* On a slow disk a group must be large: as a commit takes longer, more is worked. But not because one
 * stalled: the next one tells. */
static void set_budget(struct shed *s, int64_t commit)
{
    if (commit < s->commit_of_late_us)
        s->commit_of_late_us = commit;
    else
        s->commit_of_late_us += (commit - s->commit_of_late_us) / COMMITS_OF_LATE;
    s->budget_us = s->commit_of_late_us / 2; /* half: what is worked adds to the commit */
    if (s->budget_us < LEAST_BUDGET_US)
        s->budget_us = LEAST_BUDGET_US;
    if (s->budget_us > MOST_BUDGET_US)
        s->budget_us = MOST_BUDGET_US;
}

/* Between two long turns there may be short ones, that send the answers of the first. */
void shed_turn_end(struct shed *s, int64_t now, uint64_t commit_us)
{
    int64_t length = now - s->turn_us, commit = (int64_t)(commit_us - s->commit_us);
    if (length - commit >= LONG_US) {
        bool paused = s->turn_us - s->long_end_us >= PAUSE_US;
        s->long_turns = paused ? 1 : s->long_turns + 1;
        s->long_end_us = now;
    }
    bool overrun = s->long_turns >= LONG_TURNS && s->long_end_us == now;
    if (s->refused_now)
        s->last_us = now;
    if (s->busy)
        s->busy = now - s->last_us < CALM_US;
    else if ((s->busy = overrun || s->refused_now))
        s->last_us = now; /* else it would be over with the next turn */
    if (commit > 0 || s->budget_us == 0)
        set_budget(s, commit);
}

uint32_t shed_release(const struct shed *s, uint32_t kept)
{
    uint32_t share = kept / 16;
    if (!s->busy)
        return kept;
    return share > REFUSED_A_TURN ? share : REFUSED_A_TURN;
}

static enum shed_why refuse(struct shed *s)
{
    s->refused_now = true;
    s->refused[SHED_TIME]++;
    return SHED_TIME;
}

static bool spent(const struct shed *s)
{
    return s->taken >= TAKEN_A_TURN &&
           (s->worked_us >= s->budget_us || s->promised_us >= s->budget_us);
}

enum shed_why shed_expect(struct shed *s, enum worth worth, long long length, bool *ret_promised)
{
    *ret_promised = false;
    if (!s->busy || worth != WORTH_EVENT || (length >= 0 && length < DEAR_BODY))
        return SHED_NOT;
    if (spent(s))
        return refuse(s);
    *ret_promised = length >= 0;
    s->taken += *ret_promised;
    s->promised_us += (int64_t)((double)(length < 0 ? 0 : length) * s->us_per_byte);
    return SHED_NOT;
}

enum shed_why shed_admit(struct shed *s, enum worth worth, size_t body, bool promised, int64_t now)
{
    s->turn_bytes += body;
    if (worth != WORTH_EVENT || promised || !shed_watches(s))
        return SHED_NOT;
    int64_t past = now - s->turn_us;
    bool much = s->busy ? spent(s) : past >= BURST_US;
    if (past >= ALL_US || (much && body >= DEAR_BODY))
        return refuse(s);
    s->taken++;
    return SHED_NOT;
}

void shed_worked(struct shed *s, size_t body, int64_t us)
{
    s->worked_us += us;
    if (body >= DEAR_BODY)
        s->us_per_byte += ((double)us / (double)body - s->us_per_byte) / 8;
}

/* Events leave a quarter of the room to the others, and all leave one to acts. */
static size_t room_for(enum worth worth)
{
    switch (worth) {
    case WORTH_EVENT: return LIMIT_BODIES / 2;
    case WORTH_READ: return LIMIT_BODIES / 4 * 3;
    default: return LIMIT_BODIES;
    }
}

bool shed_body(struct shed *s, enum worth worth, size_t n)
{
    if (s->bodies + n > room_for(worth)) {
        s->refused[SHED_BODY]++;
        return false;
    }
    s->bodies += n;
    return true;
}

void shed_body_gone(struct shed *s, size_t n)
{
    s->bodies -= n;
}

bool shed_look(struct shed *s, enum worth worth)
{
    if (worth == WORTH_ALWAYS || s->looks < LIMIT_LOOKS)
        return true;
    s->refused[SHED_LOOKS]++;
    return false;
}
