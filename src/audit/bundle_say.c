/* What a file proves, in plain words. What comes from it is cut and made printable. */
#include "audit/bundle_priv.h"

#include "codec/json.h"
#include "codec/text.h"
#include "codec/time.h"

#include <stdarg.h>
#include <stdio.h>

enum { SHOWN = 120 }; /* bytes of a text from the file */

void say(struct bundle_check *c, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    if (c->say == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    buf_clear(&c->text);
    text_harmless(&c->text, str_of(text), false);
    c->say(c->ctx, buf_view(&c->text));
}

static struct str shown(struct str s)
{
    size_t n = s.n < SHOWN ? s.n : SHOWN;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return (struct str){ s.p, n };
}

static struct str member(const struct json_doc *d, uint32_t object, const char *name,
                         struct arena *a)
{
    struct str s = { 0 };
    (void)json_text(d, json_get(d, object, str_of(name)), a, &s);
    return shown(s);
}

static struct str day(int64_t ms, struct arena *a)
{
    char text[TIME_TEXT + 1];
    time_format_seconds(ms, text);
    return arena_str(a, str_of(text));
}

void say_header(struct bundle_check *c, const struct json_doc *d)
{
    struct str controller = member(d, JSON_ROOT, "controller", &c->a),
               made = member(d, JSON_ROOT, "made", &c->a);
    if (c->subject.n)
        say(c,
            "Records about the subject \"%.*s\", as kept by %.*s; the file says it was made %.*s.",
            STR_ARG(shown(c->subject)), STR_ARG(controller), STR_ARG(made));
    else
        say(c, "Records from %.*s to %.*s, as kept by %.*s; the file says it was made %.*s.",
            STR_ARG(member(d, JSON_ROOT, "from", &c->a)),
            STR_ARG(member(d, JSON_ROOT, "to", &c->a)), STR_ARG(controller), STR_ARG(made));
}

/* ---- records ---- */

static void say_effect(struct bundle_check *c, const struct json_doc *d, uint32_t effect)
{
    bool grant = json_type(d, json_get(d, effect, STR("grant"))) == JSON_TRUE;
    bool confirmed = json_type(d, json_get(d, effect, STR("confirmed"))) == JSON_TRUE;
    struct str name = member(d, effect, "name", &c->a);
    if (name.n == 0)
        name = arena_printf(&c->a, "purpose %.*s", STR_ARG(member(d, effect, "purpose", &c->a)));
    if (!grant)
        say(c, "    %.*s: refused or withdrawn", STR_ARG(name));
    else
        say(c, "    %.*s: agreed to, text version %.*s, evidence: %.*s%s", STR_ARG(name),
            STR_ARG(member(d, effect, "version", &c->a)),
            STR_ARG(member(d, effect, "evidence", &c->a)), confirmed ? "" : ", not confirmed");
}

static uint32_t count_of(const struct json_doc *d, const char *name)
{
    uint32_t list = json_get(d, JSON_ROOT, str_of(name));
    return json_type(d, list) == JSON_ARRAY ? d->node[list].count : 0;
}

static void say_act(struct bundle_check *c, const struct json_doc *d)
{
    uint32_t effects = json_get(d, JSON_ROOT, STR("effects"));
    uint32_t proofs = count_of(d, "proofs"), documents = count_of(d, "proof_document_ids");
    for (uint32_t v = json_first(d, effects); v; v = json_next(d, effects, v))
        say_effect(c, d, v);
    uint32_t notices = json_get(d, JSON_ROOT, STR("legal_notices"));
    for (uint32_t v = json_first(d, notices); v; v = json_next(d, notices, v))
        say(c, "    cites the notice %.*s, version %.*s",
            STR_ARG(member(d, v, "identifier", &c->a)), STR_ARG(member(d, v, "version", &c->a)));
    if (proofs)
        say(c, "    with %u proof%s (form or content), which stand%s in the file", proofs,
            proofs == 1 ? "" : "s", proofs == 1 ? "s" : "");
    if (documents)
        say(c, "    with %u document%s", documents, documents == 1 ? "" : "s");
}

static struct str where(struct bundle_check *c)
{
    const struct known_seal *s = c->group_seal;
    return arena_printf(&c->a, "committed %.*s, sealed %.*s%s", STR_ARG(day(c->group_ms, &c->a)),
                        STR_ARG(day(s->at_ms, &c->a)),
                        s->stamped_ms ? ", time stamped"
                        : s->in_chain ? ""
                                      : " when the file was made");
}

void say_record(struct bundle_check *c, unsigned kind, int64_t seq, struct str payload)
{
    struct json_doc d;
    if (c->say == NULL || c->subject.n == 0) /* of many people: numbers are enough */
        return;
    bool read = json_scan(payload, &c->a, &d, NULL) == OK;
    if (!read)
        d = (struct json_doc){ 0 };
    if (kind == FACT_ACT && read) {
        say(c, "Record %lld: consent %.*s, received %.*s by %.*s key or channel; %.*s",
            (long long)seq, STR_ARG(member(&d, JSON_ROOT, "id", &c->a)),
            STR_ARG(member(&d, JSON_ROOT, "received", &c->a)),
            STR_ARG(member(&d, JSON_ROOT, "source", &c->a)), STR_ARG(where(c)));
        say_act(c, &d);
        return;
    }
    struct str what = STR("");
    if (kind == FACT_NOTICE && read)
        what = arena_printf(&c->a, " %.*s, version %.*s",
                            STR_ARG(member(&d, JSON_ROOT, "identifier", &c->a)),
                            STR_ARG(member(&d, JSON_ROOT, "version", &c->a)));
    if (kind == FACT_DOCUMENT && read)
        what = arena_printf(&c->a, " \"%.*s\" (%.*s, %.*s bytes, SHA-256 %.*s)",
                            STR_ARG(member(&d, JSON_ROOT, "name", &c->a)),
                            STR_ARG(member(&d, JSON_ROOT, "content_type", &c->a)),
                            STR_ARG(member(&d, JSON_ROOT, "size", &c->a)),
                            STR_ARG(member(&d, JSON_ROOT, "sha256", &c->a)));
    if (kind == FACT_VOID && read)
        what = arena_printf(&c->a, ": the text of purpose %.*s, version %.*s, was declared void",
                            STR_ARG(member(&d, JSON_ROOT, "purpose", &c->a)),
                            STR_ARG(member(&d, JSON_ROOT, "version", &c->a)));
    if (kind == FACT_PURPOSE_VERSION && read)
        what = arena_printf(&c->a, " of the purpose %.*s, version %.*s",
                            STR_ARG(member(&d, JSON_ROOT, "purpose", &c->a)),
                            STR_ARG(member(&d, JSON_ROOT, "version", &c->a)));
    if (kind == FACT_VERIFICATION && read)
        what = arena_printf(&c->a, ": a letter to %.*s asked for a confirmation",
                            STR_ARG(member(&d, JSON_ROOT, "address", &c->a)));
    if (kind == FACT_VERIFICATION_END && read)
        what = arena_printf(&c->a, ": what the letter asked was %.*s",
                            STR_ARG(member(&d, JSON_ROOT, "outcome", &c->a)));
    say(c, "Record %lld: %s%.*s; %.*s", (long long)seq, bundle_kind_name(kind), STR_ARG(what),
        STR_ARG(where(c)));
}

void say_content(struct bundle_check *c)
{
    if (c->subject.n)
        say(c, "    its bytes stand in the file, and are those that were uploaded");
}

void say_erased(struct bundle_check *c, unsigned kind, int64_t seq)
{
    if (c->subject.n == 0)
        return;
    say(c, "Record %lld: a %s whose content was erased; only that it was there is shown; %.*s",
        (long long)seq, bundle_kind_name(kind), STR_ARG(where(c)));
}

void say_stamp(struct bundle_check *c, const struct known_seal *s, struct str authority,
               struct str signer, struct str fingerprint, bool trusted)
{
    say(c, "Time stamp: what was sealed %.*s existed %.*s, says \"%.*s\" (from %.*s)",
        STR_ARG(day(s->at_ms, &c->a)), STR_ARG(day(s->stamped_ms, &c->a)), STR_ARG(shown(signer)),
        STR_ARG(shown(authority)));
    if (!trusted)
        say(c,
            "    Nobody you named vouches for it (--authority FILE): compare the SHA-256 of its "
            "certificate, %.*s",
            STR_ARG(fingerprint));
}

/* ---- the end ---- */

static void say_counts(struct bundle_check *c)
{
    for (unsigned k = 0; k < COUNT(c->by_kind); k++)
        if (c->by_kind[k])
            say(c, "  %llu of the kind %s", (unsigned long long)c->by_kind[k], bundle_kind_name(k));
}

static void say_limits(struct bundle_check *c)
{
    if (c->erased)
        say(c, "Of %llu more, the content was erased since; nothing is proven of what it said.",
            (unsigned long long)c->erased);
    if (c->unstamped)
        say(c, "%llu of them bear no outside time stamp: their times are the operator's own.",
            (unsigned long long)c->unstamped);
    say(c, "Not proven: that the file holds every record there is, and who sat at the other end.");
}

void say_result(struct bundle_check *c, const uint8_t key[SIGN_KEY])
{
    struct str hex = hex_encode((struct str){ (const char *)key, SIGN_KEY }, &c->a);
    say(c, "The file is whole, and as it was signed.");
    say(c, "Proven: %llu record%s stood in the operator's chain, with this content, when sealed:",
        (unsigned long long)c->records, c->records == 1 ? "" : "s");
    say_counts(c);
    say_limits(c);
    say(c, "Signed with the key %.*s", STR_ARG(hex));
    if (c->trust->key_count == 0)
        say(c,
            "WARNING: anybody can make a key. Compare this one with what the operator published, "
            "or give that with --key.");
    else
        say(c, "which is one that you gave, or one that it handed over to.");
}
