/* What a person is shown of her own consents, by a read token. */
#include "consent/ledger_priv.h"

#include "base/limits.h"
#include "policy/gate.h"

/* What she said, as far as it is recorded: counting or not is another question. */
static struct str state_of(enum reason reason, const struct standing *by)
{
    if (by == NULL)
        return STR("never");
    if (by->grant)
        return STR("granted");
    if (reason == REASON_WITHDRAWN)
        return STR("withdrawn");
    return reason == REASON_OBJECTED ? STR("objected") : STR("refused");
}

static void write_version(const struct policy_purpose *p, uint32_t version, int64_t now,
                          struct buf *to)
{
    const struct policy_version *in_force = policy_version_at(p, now);
    if (version == 0) {
        write_raw(to, "version", STR("null"));
        write_raw(to, "current", STR("null"));
        return;
    }
    write_number(to, "version", version);
    write_bool(to, "current", in_force != NULL && in_force->version == version);
}

static void write_purpose(const struct policy *p, const struct snapshot *subject, uint32_t index,
                          int64_t now, struct buf *to)
{
    const struct policy_purpose *purpose = &p->purpose[index];
    const struct conf_purpose *c = purpose->conf;
    struct decision_purpose d;
    int64_t since = 0;
    gate_purpose(p, subject, index, now, &d);
    const struct standing *by = snapshot_decided_by(subject, purpose->number, d.act_seq, &since);
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "id", c->id);
    write_text(to, "scope", c->scope == CONF_DEVICE ? STR("device") : STR("person"));
    write_text(to, "state", state_of(d.reason, by));
    write_time_or_null(to, "since", since);
    write_time_or_null(to, "until", by && by->grant ? time_add(since, c->lifetime) : 0);
    write_version(purpose, by && by->grant ? by->version : 0, now, to);
    write_bool(to, "counts", d.reason == REASON_PERMITTED);
    write_text(to, "reason", str_of(reason_name(d.reason)));
    write_text(to, "text", str_of(reason_text(d.reason)));
    buf_byte(to, '}');
}

enum err ledger_state(struct ledger *l, struct store_reader *r, const struct policy *p,
                      struct str subject, int64_t now, struct arena *a, struct str *ret_json)
{
    static const struct snapshot nobody = { 0 };
    const struct snapshot *snapshot;
    if (!subject_id_ok(subject))
        return ERR_VALUE;
    enum err e = ledger_snapshot(l, r, subject, &snapshot);
    if (e != OK)
        return e;
    bool hidden = (snapshot->flags & (SUBJECT_ERASED | SUBJECT_RESTRICTED)) != 0;
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_CONSENT_BODY);
    buf_byte(&to, '{');
    write_time(&to, "at", now);
    write_name(&to, STR("purposes"));
    buf_byte(&to, '[');
    for (uint32_t i = 0; i < p->purpose_count; i++)
        write_purpose(p, hidden ? &nobody : snapshot, i, now, &to);
    buf_lit(&to, "]}");
    ledger_snapshot_unref(l, &snapshot);
    return write_done(&to, a, ret_json);
}
