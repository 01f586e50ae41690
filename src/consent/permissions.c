#include "consent/ledger_priv.h"

#include "base/limits.h"
#include "policy/gate.h"

struct asking {
    const struct policy *p;
    const struct snapshot *subject;
    struct store_reader *r;
    int64_t now;
    struct arena *a;
};

const struct standing *snapshot_decided_by(const struct snapshot *s, uint32_t purpose, int64_t seq,
                                           int64_t *ret_effect)
{
    for (uint32_t i = 0; seq != 0 && i < s->count; i++) {
        const struct standing *st = &s->standing[i];
        if (st->purpose != purpose || (st->last_seq != seq && st->first_seq != seq))
            continue;
        *ret_effect = st->last_seq == seq ? st->last_effect : st->first_effect;
        return st;
    }
    return NULL;
}

static void write_reason(enum reason reason, struct buf *to)
{
    write_text(to, "reason", str_of(reason_name(reason)));
    write_text(to, "text", str_of(reason_text(reason)));
}

static enum err write_consent_id(const struct asking *x, int64_t seq, struct buf *to)
{
    struct act_found act;
    char id[ID_TEXT + 1];
    enum err e = seq ? store_get_act_by_seq(x->r, seq, x->a, &act) : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND) {
        write_raw(to, "consent_id", STR("null"));
        return OK;
    }
    if (e != OK)
        return e;
    id_format(&act.id, id);
    write_text(to, "consent_id", str_of(id));
    return OK;
}

static enum err write_purpose(const struct asking *x, uint32_t index, struct buf *to)
{
    const struct policy_purpose *purpose = &x->p->purpose[index];
    struct decision_purpose d;
    gate_purpose(x->p, x->subject, index, x->now, &d);
    int64_t since = 0; /* when no act of hers decided */
    (void)snapshot_decided_by(x->subject, purpose->number, d.act_seq, &since);
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "id", purpose->conf->id);
    write_text(to, "scope", purpose->conf->scope == CONF_DEVICE ? STR("device") : STR("person"));
    write_text(to, "state", d.reason == REASON_PERMITTED ? STR("permitted") : STR("denied"));
    write_reason(d.reason, to);
    if (d.version)
        write_number(to, "version", d.version);
    else
        write_raw(to, "version", STR("null"));
    enum err e = write_consent_id(x, d.act_seq, to);
    write_time_or_null(to, "since", since);
    buf_byte(to, '}');
    return e;
}

/* A device is asked about where all that a use requires is a device's matter. */
static bool device_only(const struct policy *p, const struct policy_use *u)
{
    for (uint32_t i = 0; i < u->require_count; i++) {
        if (u->require[i] >= p->purpose_count ||
            p->purpose[u->require[i]].conf->scope != CONF_DEVICE)
            return false;
    }
    return true;
}

static void write_required(const struct asking *x, const struct policy_use *u,
                           const struct decision *d, struct buf *to)
{
    write_name(to, STR("purposes"));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < d->count; i++) {
        uint32_t index = d->purpose[i].purpose;
        write_comma(to);
        buf_byte(to, '{');
        if (index < x->p->purpose_count)
            write_text(to, "id", x->p->purpose[index].conf->id);
        else
            write_text(to, "id",
                       i < u->conf->require_count ? u->conf->requires[i] : STR("unknown"));
        write_reason(d->purpose[i].reason, to);
        buf_byte(to, '}');
    }
    buf_byte(to, ']');
}

static void write_destination(const struct asking *x, uint32_t index, struct buf *to)
{
    const struct policy_use *u = &x->p->use[index];
    bool device = device_only(x->p, u);
    struct use use = { .index = index, .has_device = device, .has_person = !device };
    struct decision d;
    gate_decide(x->p, device ? x->subject : NULL, device ? NULL : x->subject, &use, x->now, &d);
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "id", u->conf->id);
    write_text(to, "as", device ? STR("device") : STR("person"));
    write_bool(to, "permitted", d.verdict == GATE_PERMIT);
    write_reason(d.reason, to);
    write_required(x, u, &d, to);
    buf_byte(to, '}');
}

static enum err write_all(const struct asking *x, struct str subject, struct buf *to)
{
    buf_byte(to, '{');
    write_text(to, "subject", subject);
    write_bool(to, "known", x->subject->seq > 0);
    write_time(to, "at", x->now);
    write_name(to, STR("purposes"));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < x->p->purpose_count; i++) {
        enum err e = write_purpose(x, i, to);
        if (e != OK)
            return e;
    }
    buf_byte(to, ']');
    write_name(to, STR("destinations"));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < x->p->use_count; i++)
        write_destination(x, i, to);
    buf_lit(to, "]}");
    return OK;
}

enum err ledger_permissions(struct ledger *l, struct store_reader *r, const struct policy *p,
                            struct str subject, int64_t now, struct arena *a, struct str *ret_json)
{
    const struct snapshot *snapshot;
    if (!subject_id_ok(subject))
        return ERR_VALUE;
    enum err e = ledger_snapshot(l, r, subject, &snapshot);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_CONSENT_BODY);
    struct asking x = { .p = p, .subject = snapshot, .r = r, .now = now, .a = a };
    e = write_all(&x, subject, &to);
    ledger_snapshot_unref(l, &snapshot);
    return e == OK ? write_done(&to, a, ret_json) : e;
}
