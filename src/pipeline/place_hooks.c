/* Where hooks start, as place.c has it for destinations: a new one from now on; one that was taken out and comes back is
 * new, what waited for it is dead. And what people say of them: pause, go on, send again. */
#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/hook.h"

static const struct conf_hook *find(const struct conf *c, struct str id)
{
    for (uint32_t i = 0; i < c->hook_count; i++)
        if (str_eq(c->hook[i].remote.id, id))
            return &c->hook[i];
    return NULL;
}

static enum err start_now(struct pipeline *p, struct hook_row *row, const char *why)
{
    row->cursor = row->start_seq = store_newest_fact(store_own_reader(p->store));
    row->start_ms = clock_now_ms();
    row->absent_ms = 0;
    log_write(LOG_INFO, "hook.start", LOG_S("hook", row->id), LOG_N("fact", row->start_seq),
              LOG_C("text", why));
    return store_put_hook(p->store, row);
}

static enum err come_back(struct pipeline *p, struct hook_row *row)
{
    uint32_t buried;
    enum err e = store_bury_hook_messages(p->store, row->number, STR("the hook was taken out"),
                                          clock_now_ms(), &buried);
    return e == OK ? start_now(p, row, "was taken out: from now on") : e;
}

static enum err place_known(struct pipeline *p, const struct conf *c, struct hook_row *row)
{
    if (find(c, row->id) != NULL)
        return row->absent_ms > 0 ? come_back(p, row) : OK;
    if (row->absent_ms > 0)
        return OK;
    row->absent_ms = clock_now_ms();
    log_write(LOG_INFO, "hook.out", LOG_S("hook", row->id), LOG_N("fact", row->cursor),
              LOG_C("text", "not in the configuration any more"));
    return store_put_hook(p->store, row);
}

static bool is_known(const struct hook_row *row, uint32_t count, struct str id)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_eq(row[i].id, id))
            return true;
    return false;
}

enum err place_hooks(struct pipeline *p, const struct conf *c)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct hook_row *row;
    uint32_t count;
    enum err e = store_list_hooks(store_own_reader(p->store), &a, &row, &count);
    for (uint32_t i = 0; e == OK && i < count; i++)
        e = place_known(p, c, &row[i]);
    for (uint32_t i = 0; e == OK && i < c->hook_count; i++)
        if (!is_known(row, count, c->hook[i].remote.id))
            e = start_now(p, &(struct hook_row){ .id = c->hook[i].remote.id }, "new: from now on");
    return e;
}

/* ---- what people say ---- */

static enum err number_of(struct pipeline *p, struct str id, struct hook_row *ret_row,
                          struct arena *a, struct err_info *info)
{
    enum err e = group_open(p, info);
    if (e == OK)
        e = store_get_hook(store_own_reader(p->store), id, a, ret_row);
    return e == OK ? OK : err_set(info, e, NULL, "the hook cannot be read: %s", err_text(e));
}

static enum err joined(struct pipeline *p, enum err e, struct waiter *w, struct err_info *info)
{
    if (e != OK) {
        group_fail(p, e, NULL);
        return err_set(info, e, NULL, "it cannot be written: %s", err_text(e));
    }
    group_join(p, w);
    return OK;
}

enum err pipeline_pause_hook(struct pipeline *p, struct str id, bool paused, struct waiter *w,
                             struct err_info *info)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct hook_row row;
    enum err e = number_of(p, id, &row, &a, info);
    if (e != OK)
        return e;
    if (paused != (row.paused_ms > 0))
        e = store_set_hook_paused(p->store, row.number, paused ? clock_now_ms() : 0, STR(""));
    return joined(p, e, w, info);
}

enum err pipeline_revive_hook(struct pipeline *p, struct str id, const struct id *message,
                              struct waiter *w, uint32_t *ret_count, struct err_info *info)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct hook_row row = { 0 };
    enum err e = id.n > 0 ? number_of(p, id, &row, &a, info) : group_open(p, info);
    if (e != OK)
        return e;
    return joined(p, store_revive_hook_messages(p->store, row.number, message, ret_count), w, info);
}
