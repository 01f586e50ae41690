/* Where destinations start. A new one from now on: the past was not collected for it, and the text that people
 * agreed to then may not name it. One that goes on, goes on at its cursor, whatever changed but its id. One that was taken out
 * and comes back is new: what waited when it was taken out is not sent; requests among that become dead letters. Who wants it to
 * wait, pauses it. */
#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "deliver/destination.h"

static const struct conf_destination *find(const struct conf *c, struct str id)
{
    for (uint32_t i = 0; i < c->destination_count; i++)
        if (str_eq(c->destination[i].id, id))
            return &c->destination[i];
    return NULL;
}

static void tell(const char *event, struct str id, int64_t segment, const char *text)
{
    log_write(LOG_INFO, event, LOG_S("destination", id), LOG_N("segment", segment),
              LOG_C("text", text));
}

static enum err start_now(struct pipeline *p, uint32_t slot, struct delivery_standing *s)
{
    s->start_segment = store_newest_segment(store_own_reader(p->store));
    s->start_ms = clock_now_ms();
    s->absent_ms = 0;
    enum err e =
        store_set_cursor(p->store, slot, &(struct delivery_cursor){ .segment = s->start_segment });
    return e == OK ? store_set_standing(p->store, slot, s) : e;
}

static enum err come_back(struct pipeline *p, struct str id, uint32_t slot,
                          struct delivery_standing *s)
{
    uint32_t buried;
    enum err e = store_bury_retries(p->store, slot, STR("the destination was taken out"),
                                    clock_now_ms(), &buried);
    if (e == OK)
        e = start_now(p, slot, s);
    if (e == OK)
        tell("delivery.start", id, s->start_segment, "was taken out: from now on");
    return e;
}

static enum err place(struct pipeline *p, const struct conf_destination *d, struct str id,
                      uint32_t slot, bool known)
{
    struct delivery_standing s;
    enum err e = store_get_standing(store_own_reader(p->store), slot, &s);
    if (e != OK)
        return e;
    if (d == NULL) {
        if (s.absent_ms > 0)
            return OK;
        s.absent_ms = clock_now_ms();
        tell("delivery.out", id, store_newest_segment(store_own_reader(p->store)),
             "not in the configuration any more");
        return store_set_standing(p->store, slot, &s);
    }
    if (s.absent_ms > 0)
        return come_back(p, id, slot, &s);
    if (known)
        return OK;
    e = start_now(p, slot, &s);
    if (e == OK && destination_find(d->type) != NULL)
        tell("delivery.start", id, s.start_segment, "new: from now on");
    return e;
}

enum err place_destinations(struct pipeline *p, const struct conf *c, const struct frozen *f,
                            uint32_t known)
{
    for (uint32_t i = 0; i < f->destination_count; i++) {
        enum err e = place(p, find(c, f->destination[i]), f->destination[i], i, i < known);
        if (e != OK)
            return e;
    }
    return OK;
}

enum err pipeline_pause(struct pipeline *p, uint32_t slot, bool paused, struct waiter *w,
                        struct err_info *info)
{
    struct delivery_standing s;
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    e = store_get_standing(store_own_reader(p->store), slot, &s);
    if (e == OK && paused != (s.paused_ms > 0)) {
        s.paused_ms = paused ? clock_now_ms() : 0;
        e = store_set_standing(p->store, slot, &s);
        if (e != OK)
            group_fail(p, e, NULL);
    }
    if (e != OK)
        return err_set(info, e, NULL, "it cannot be written: %s", err_text(e));
    group_join(p, w);
    return OK;
}
