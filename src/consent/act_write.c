#include "consent/act_write.h"

#include "consent/ledger_priv.h"

#include "base/limits.h"

enum { PAYLOAD_MAX = 2 * LIMIT_CONSENT_BODY };

static void write_effects(const struct policy *p, const struct act_row *row, struct buf *to)
{
    write_name(to, STR("effects"));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < row->effect_count; i++) {
        const struct act_effect *e = &row->effect[i];
        const struct policy_purpose *purpose = policy_purpose_numbered(p, e->purpose);
        write_comma(to);
        buf_byte(to, '{');
        write_number(to, "purpose", e->purpose);
        write_text(to, "name", purpose->conf->id);
        write_bool(to, "grant", e->grant);
        write_bool(to, "confirmed", e->confirmed);
        write_text(to, "evidence", str_of(act_evidence_name[e->evidence]));
        write_number(to, "version", e->version);
        write_number(to, "effect", e->effect_ms);
        buf_byte(to, '}');
    }
    buf_byte(to, ']');
}

static void write_notices(const struct act_body *b, struct buf *to)
{
    write_name(to, STR("legal_notices"));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < b->citation_count; i++) {
        const struct act_citation *c = &b->citation[i];
        write_comma(to);
        buf_byte(to, '{');
        write_text(to, "identifier", c->identifier);
        if (c->version)
            write_number(to, "version", c->version);
        else
            write_raw(to, "version", STR("null"));
        buf_byte(to, '}');
    }
    buf_byte(to, ']');
}

enum err act_write(const struct policy *p, const struct act_body *b, const struct act_saying *s,
                   const struct act_row *row, struct arena *a, struct str *ret_payload)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(PAYLOAD_MAX);
    const struct {
        const char *name;
        struct str raw;
    } verbatim[] = { { "preferences", b->preferences },
                     { "proofs", b->proofs },
                     { "proof_document_ids", b->proof_document_ids },
                     { "versions", b->versions },
                     { "shown", b->shown },
                     { "offline", b->offline },
                     { "cmp", b->cmp.raw },
                     { "other", b->other } };
    char id[ID_TEXT + 1];
    id_format(&row->id, id);
    buf_byte(&to, '{');
    write_text(&to, "id", str_of(id));
    write_name(&to, STR("subject"));
    buf_byte(&to, '{');
    write_text(&to, "id", row->subject);
    subject_write_said(&b->subject, s->source != ACT_PUBLIC_KEY, a, &to);
    buf_byte(&to, '}');
    write_time(&to, "timestamp", s->claimed_ms);
    write_time(&to, "received", s->received_ms);
    write_text(&to, "source", str_of(act_source_name[s->source]));
    write_effects(p, row, &to);
    write_notices(b, &to);
    for (size_t i = 0; i < COUNT(verbatim); i++) {
        if (verbatim[i].raw.n > 0)
            write_raw(&to, verbatim[i].name, verbatim[i].raw);
    }
    if (row->type.n > 0)
        write_text(&to, "consent_type", row->type);
    write_text_or_null(&to, "ip_address", row->ip);
    buf_byte(&to, '}');
    return write_done(&to, a, ret_payload);
}
