#include "consent/ledger_priv.h"

#include "base/limits.h"

enum err ledger_open(struct store *s, struct ledger **ret_ledger, struct err_info *info)
{
    return ledger_open_sized(s, LIMIT_SNAPSHOTS, ret_ledger, info);
}

enum err ledger_open_sized(struct store *s, uint32_t snapshots, struct ledger **ret_ledger,
                           struct err_info *info)
{
    struct store_reader *own = store_own_reader(s);
    if (own == NULL)
        return err_set(info, ERR_IO, NULL, "the store has no view of its own");
    struct ledger *l = must_alloc_zero(sizeof *l);
    l->store = s;
    l->own = own;
    l->snapshots = snapshots_new(snapshots);
    *ret_ledger = l;
    return OK;
}

void ledger_close(struct ledger **l)
{
    if (*l == NULL)
        return;
    snapshots_free(&(*l)->snapshots);
    free(*l);
    *l = NULL;
}

enum err write_failed(enum err e)
{
    switch (e) {
    case OK:
    case ERR_IO:
    case ERR_FULL:
    case ERR_CORRUPT: return e;
    case ERR_BUSY: return ERR_IO;
    default: return ERR_CORRUPT; /* it refused what we had checked */
    }
}

enum err ledger_snapshot(struct ledger *l, struct store_reader *r, struct str subject,
                         const struct snapshot **ret_snapshot)
{
    struct snapshot_entry *load;
    const struct snapshot *s = snapshots_take(l->snapshots, subject, &load);
    if (s == NULL) {
        AUTO(free_ptr) struct snapshot *loaded = NULL;
        enum err e = store_load_snapshot(r, subject, INT64_MAX, &loaded);
        s = snapshots_loaded(l->snapshots, load, e == OK ? loaded : NULL);
        if (e != OK)
            return e;
    }
    *ret_snapshot = s;
    return OK;
}

void ledger_snapshot_unref(struct ledger *l, const struct snapshot **s)
{
    (void)l; /* the snapshot itself counts who looks at it */
    snapshots_unref(s);
}

enum err ledger_snapshot_now(struct ledger *l, struct str subject,
                             const struct snapshot **ret_snapshot)
{
    const struct snapshot *s = snapshots_now(l->snapshots, subject);
    if (s == NULL) {
        AUTO(free_ptr) struct snapshot *loaded = NULL;
        enum err e = store_load_snapshot(l->own, subject, INT64_MAX, &loaded);
        if (e != OK)
            return e;
        s = snapshots_keep(l->snapshots, subject, loaded);
    }
    *ret_snapshot = s;
    return OK;
}

enum err ledger_changed(struct ledger *l, struct str subject)
{
    AUTO(free_ptr) struct snapshot *loaded = NULL;
    enum err e = store_load_snapshot(l->own, subject, INT64_MAX, &loaded);
    if (e == OK)
        snapshots_change(l->snapshots, subject, loaded);
    return e;
}

void ledger_committed(struct ledger *l)
{
    snapshots_committed(l->snapshots);
}

void ledger_rolled_back(struct ledger *l)
{
    snapshots_rolled_back(l->snapshots);
}

void ledger_block(struct ledger *l, struct str subject)
{
    snapshots_block(l->snapshots, subject);
}
