#include "consent/preferences.h"

#include "consent/ledger_priv.h"

#include "base/limits.h"
#include "codec/json.h"

enum { NAMES = 4 * LIMIT_PREFERENCES, SHOWN_VALUE = 256 };

/* The effect that a stored entry has. */
static int64_t stored_effect(const struct json_doc *d, uint32_t entry)
{
    struct str raw = json_raw(d, json_get(d, entry, STR("effect")));
    unsigned long long ms;
    return str_to_u64(raw, &ms) ? (int64_t)ms : 0;
}

static bool is_purpose(const struct policy *p, struct str name)
{
    return policy_purpose_index(p, name) != UINT32_MAX;
}

/* A stranger may lower a purpose of anybody, and nothing else. */
static bool may_say(const struct policy *p, const struct act_preference *said,
                    const struct act_saying *s)
{
    if (!said->grants && is_purpose(p, said->name))
        return true;
    return said->grants ? act_may_raise(s, said->name) : s->confirmed;
}

static const struct act_preference *newer(const struct policy *p, const struct json_doc *d,
                                          uint32_t key, const struct act_body *b,
                                          const struct act_saying *s, struct arena *a)
{
    struct str name;
    (void)json_string(d, key, a, &name); /* a key is a string */
    for (uint32_t i = 0; i < b->preference_count; i++) {
        const struct act_preference *said = &b->preference[i];
        if (str_eq(said->name, name))
            return may_say(p, said, s) && act_effect_ms(s, said) >= stored_effect(d, key + 1)
                       ? said
                       : NULL;
    }
    return NULL;
}

static void write_entry(const struct policy *p, const struct act_preference *said,
                        const struct act_saying *s, const struct id *act, struct buf *to)
{
    char id[ID_TEXT + 1];
    id_format(act, id);
    /* a purpose's entry must fit at all times; what lowers it may be of any length */
    bool cut = is_purpose(p, said->name) && said->raw.n > SHOWN_VALUE;
    write_name(to, said->name);
    buf_lit(to, "{");
    write_raw(to, "value", cut ? STR("false") : said->raw);
    write_text(to, "consent_id", str_of(id));
    write_number(to, "effect", act_effect_ms(s, said));
    buf_lit(to, "}");
}

struct merge {
    const struct policy *p;
    const struct act_body *body;
    const struct act_saying *s;
    const struct id *act;
    struct json_doc old;
    uint32_t root;      /* of old; 0: there was nothing */
    bool only_purposes; /* what this act says of other names is left out */
    uint32_t names;
    bool changed;
};

static void merge_into(struct merge *m, struct arena *a, struct buf *to)
{
    m->names = 0;
    m->changed = false;
    buf_byte(to, '{');
    for (uint32_t k = json_first(&m->old, m->root); k; k = json_next(&m->old, m->root, k + 1)) {
        const struct act_preference *said = newer(m->p, &m->old, k, m->body, m->s, a);
        if (said != NULL && m->only_purposes && !is_purpose(m->p, said->name))
            said = NULL;
        if (said != NULL) {
            write_entry(m->p, said, m->s, m->act, to);
            m->changed = true;
        } else {
            write_comma(to);
            buf_str(to, json_raw(&m->old, k));
            buf_byte(to, ':');
            buf_str(to, json_raw(&m->old, k + 1));
        }
        m->names++;
    }
    for (uint32_t i = 0; i < m->body->preference_count; i++) {
        const struct act_preference *said = &m->body->preference[i];
        if (!may_say(m->p, said, m->s) || json_get(&m->old, m->root, said->name) ||
            (m->only_purposes && !is_purpose(m->p, said->name)))
            continue;
        write_entry(m->p, said, m->s, m->act, to);
        m->changed = true;
        m->names++;
    }
    buf_byte(to, '}');
}

static bool lowers(const struct policy *p, const struct act_body *b)
{
    for (uint32_t i = 0; i < b->preference_count; i++) {
        if (!b->preference[i].grants && is_purpose(p, b->preference[i].name))
            return true;
    }
    return false;
}

enum err preferences_merge(const struct policy *p, struct str view, const struct act_body *body,
                           const struct act_saying *s, const struct id *act, struct arena *a,
                           struct str *ret_view, struct err_info *info)
{
    struct merge m = { .p = p, .body = body, .s = s, .act = act };
    if (view.n > 0 && json_scan(view, a, &m.old, NULL) != OK)
        return ERR_CORRUPT;
    m.root = view.n > 0 ? JSON_ROOT : 0;
    AUTO(buf_fini) struct buf to = BUF_INIT(2 * LIMIT_CONSENT_BODY);
    merge_into(&m, a, &to);
    if (!m.changed) {
        *ret_view = view;
        return OK;
    }
    bool fits = !to.over && to.n <= PREFERENCES_MAX && m.names <= NAMES;
    if (!fits && !lowers(p, body))
        return err_set(info, ERR_LIMIT, "preferences", "more than one subject can have");
    if (!fits) {
        m.only_purposes = true;
        buf_clear(&to);
        merge_into(&m, a, &to);
    }
    *ret_view = m.changed ? arena_str(a, buf_view(&to)) : view;
    return to.over ? ERR_LIMIT : OK;
}

void preferences_write(struct str view, struct arena *a, struct buf *to)
{
    struct json_doc d;
    if (view.n == 0 || json_scan(view, a, &d, NULL) != OK) {
        buf_lit(to, "null");
        return;
    }
    buf_byte(to, '{');
    for (uint32_t k = json_first(&d, JSON_ROOT); k; k = json_next(&d, JSON_ROOT, k + 1)) {
        write_comma(to);
        buf_str(to, json_raw(&d, k));
        buf_lit(to, ":{");
        write_raw(to, "value", json_raw(&d, json_get(&d, k + 1, STR("value"))));
        write_raw(to, "consent_id", json_raw(&d, json_get(&d, k + 1, STR("consent_id"))));
        buf_byte(to, '}');
    }
    buf_byte(to, '}');
}
