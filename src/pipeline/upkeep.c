/* What the loop does beside answering: counters, deleting, watching the clock. */
#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "consent/policy_names.h"

#include <stdlib.h>

enum {
    COUNTERS_EVERY_MS = 10000,
    STRIP_SHARE = 4, /* of the loop's time, one part in so many goes to deleting, when much waits */
    JUMP_MS = 5000,
    LARGE_JUMP_MS = 3600000,
    STEADY_MS = 24 * 3600000,
};

enum err counters_flush(struct pipeline *p)
{
    if (!p->any_denied)
        return OK;
    int64_t hour = clock_now_ms() / 3600000 * 3600000;
    for (uint32_t slot = 0; slot < LIMIT_DESTINATIONS; slot++) {
        for (int reason = 0; reason < REASON_COUNT; reason++) {
            uint64_t n = p->denied[slot][reason];
            enum err e = n ? store_count(p->store, hour, slot, (enum reason)reason, n) : OK;
            if (e != OK)
                return e;
            p->denied[slot][reason] = 0;
        }
    }
    p->any_denied = false;
    return OK;
}

/* ---- the clock ---- */

/* Set ahead, it makes everything old at once. What expires is denied, and comes back with the
 * right time; what is deleted does not. */
static void watch_clock(struct pipeline *p)
{
    int64_t offset = clock_offset_ms(), now = clock_mono_ms();
    int64_t jump = offset - p->clock_offset_ms;
    p->clock_offset_ms = offset;
    if (jump > -JUMP_MS && jump < JUMP_MS)
        return;
    numbers_add(&p->numbers.clock_jumps, 1);
    log_write(LOG_WARNING, "clock.jumped", LOG_N("by_ms", jump));
    if (jump >= LARGE_JUMP_MS)
        p->keep_until_ms = now + STEADY_MS;
}

bool upkeep_may_end_retention(const struct pipeline *p)
{
    return p->keep_until_ms == 0 || clock_mono_ms() >= p->keep_until_ms;
}

/* ---- deleting ---- */

/* What a second's events leave to delete may be more than one go: then there is another soon. */
static enum err strip(struct pipeline *p)
{
    int64_t begun = clock_mono_ms();
    bool more = false;
    enum err e = strip_delivered(p, &more);
    int64_t took = clock_mono_ms() - begun;
    p->strip_again_ms = e == OK && more ? begun + (took + 1) * STRIP_SHARE : 0;
    p->tidy_due = true;
    return e;
}

/* ---- notices ---- */

static void tell_unnamed(void *ctx, struct str recipient, struct str purpose)
{
    log_write(LOG_WARNING, "policy.recipient_unnamed", LOG_S("recipient", recipient),
              LOG_S("purpose", purpose));
    ++*(uint64_t *)ctx;
}

void upkeep_look_at_notices(struct pipeline *p)
{
    struct store_reader *own = store_own_reader(p->store);
    const struct conf *c = p->newest->public.conf;
    uint64_t unnamed = 0;
    atomic_store(&p->numbers.notices_pending, ledger_count_pending(own, c));
    if (policy_names_recipients(own, c, clock_now_ms(), tell_unnamed, &unnamed) == OK)
        atomic_store(&p->numbers.recipients_unnamed, unnamed);
}

static enum err write_notice(struct pipeline *p, const struct watch_text *t)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    bool pending = false;
    struct str identifier = str_of(t->identifier);
    enum err e = ledger_found_notice(p->ledger, identifier, (struct str){ t->text, t->n },
                                     clock_now_ms(), &a, &pending);
    if (e == OK && pending)
        log_write(LOG_WARNING, "notice.pending", LOG_S("notice", identifier));
    if (e == OK)
        atomic_store(&p->numbers.notices_pending,
                     ledger_count_pending(store_own_reader(p->store), p->newest->public.conf));
    return e;
}

/* What is lost with a group is found again at the next look. */
static void write_notices(struct pipeline *p)
{
    struct watch_text t;
    while (watch_take(p->watch, &t)) {
        enum err e = group_open(p, NULL);
        if (e == OK && !p->failed && (e = write_notice(p, &t)) != OK)
            group_fail(p, e, NULL);
        free(t.identifier);
        free(t.text);
    }
}

void upkeep_write(struct pipeline *p)
{
    write_notices(p);
    post_write(p->post);
    bool count = p->any_denied && (p->stopping || clock_mono_ms() >= p->counters_due_ms);
    bool second = atomic_exchange(&p->strip_due, false);
    bool delete = second || (p->strip_again_ms != 0 && clock_mono_ms() >= p->strip_again_ms);
    if (second) {
        watch_clock(p);
        deliver_wake(p->deliver); /* its cursors move over what was for nobody */
    }
    bool seal = sealer_has(p->sealer);
    if ((!count && !delete &&!seal) || group_open(p, NULL) != OK)
        return; /* tried again next time; requests report the failure */
    enum err e = OK;
    if (count) {
        e = counters_flush(p);
        p->counters_due_ms = clock_mono_ms() + COUNTERS_EVERY_MS;
    }
    if (e == OK && seal)
        sealer_write(p->sealer, p->store);
    if (e == OK && delete)
        e = strip(p);
    if (e != OK)
        group_fail(p, e, NULL);
}

void upkeep_tidy(struct pipeline *p)
{
    struct err_info info = { 0 };
    if (!p->tidy_due)
        return;
    p->tidy_due = false;
    if (store_tidy(p->store, &info) != OK)
        log_write(LOG_ERROR, "tidy.failed", LOG_C("text", info.text));
}
