#include "policy/compile.h"
#include "policy/content_priv.h"

/* One comparison of a configuration with what is frozen. */
struct comparison {
    const struct conf *conf;
    const struct frozen *frozen;
    struct arena *arena;
    struct policy_news news;
    struct buf *reports;
    bool differs, corrupt;
};

static void differ(struct comparison *m, const struct content *stored, struct conf_place at,
                   const char *what)
{
    m->differs = true;
    conf_report(m->conf, at, true, m->reports,
                "version %u of purpose '%.*s' is frozen, but %s; make a new version instead",
                stored->version, STR_ARG(stored->purpose), what);
}

static bool same_recipients(const struct content *a, const struct content *b)
{
    if (a->recipient_count != b->recipient_count)
        return false;
    for (uint32_t i = 0; i < a->recipient_count; i++) {
        if (!str_eq(a->recipient[i].id, b->recipient[i].id))
            return false;
    }
    return true;
}

static bool same_notices(const struct content *a, const struct content *b)
{
    if (a->notice_count != b->notice_count)
        return false;
    for (uint32_t i = 0; i < a->notice_count; i++) {
        if (a->notice[i].version != b->notice[i].version ||
            !str_eq(a->notice[i].identifier, b->notice[i].identifier))
            return false;
    }
    return true;
}

static void compare_texts(struct comparison *m, const struct content *stored,
                          const struct content *now, struct conf_place at)
{
    char what[128];
    for (uint32_t i = 0; i < stored->text_count; i++) {
        const struct conf_text *was = &stored->text[i];
        const struct conf_text *is = content_text(now, was->language);
        if (is == NULL) {
            snprintf(what, sizeof(what), "its text in '%.*s' is gone", STR_ARG(was->language));
            differ(m, stored, at, what);
        }
        for (int part = 0; is && part < CONF_TEXT_PARTS; part++) {
            if (str_eq(was->part[part], is->part[part]))
                continue;
            snprintf(what, sizeof(what), "its text in '%.*s' has another %s",
                     STR_ARG(was->language), conf_text_part[part]);
            differ(m, stored, at, what);
        }
    }
}

/* What is stored, with what was added to it since; the recipients stay as they
 * were. False when nothing was added. */
static bool merge(const struct content *stored, const struct content *now,
                  struct content *ret_merged)
{
    if (now->text_count == stored->text_count && str_eq(stored->voided, now->voided))
        return false;
    *ret_merged = *stored;
    ret_merged->voided = now->voided;
    ret_merged->text = now->text; /* what was stored is in it, unchanged */
    ret_merged->text_count = now->text_count;
    return true;
}

static void add_version(struct comparison *m, const struct content *n)
{
    m->news.version[m->news.version_count++] = (struct frozen_version){
        .purpose = n->purpose,
        .version = n->version,
        .content = content_write(n, m->arena),
    };
}

static void compare_version(struct comparison *m, const struct conf_version *v,
                            const struct frozen_version *frozen, const struct content *now)
{
    struct content stored, merged;
    if (content_read(frozen->content, m->arena, &stored) != OK ||
        !str_eq(stored.purpose, frozen->purpose) || stored.version != frozen->version) {
        m->corrupt = true;
        conf_report(m->conf, v->place, true, m->reports,
                    "what is stored of version %u of purpose '%.*s' cannot be read", v->version,
                    STR_ARG(now->purpose));
        return;
    }
    bool before = m->differs;
    m->differs = false;
    if (!str_eq(stored.since, now->since))
        differ(m, &stored, v->place, "it is in force since another day");
    if (!same_recipients(&stored, now))
        differ(m, &stored, v->place, "it names other recipients");
    if (!same_notices(&stored, now))
        differ(m, &stored, v->place, "it is carried by other notices");
    if (stored.voided.n && !str_eq(stored.voided, now->voided))
        differ(m, &stored, v->place, "it was declared void, which cannot be taken back");
    compare_texts(m, &stored, now, v->place);
    if (!m->differs && merge(&stored, now, &merged))
        add_version(m, &merged);
    m->differs |= before;
}

static uint32_t newest_frozen(const struct frozen *f, struct str purpose)
{
    uint32_t newest = 0;
    for (uint32_t i = 0; i < f->version_count; i++) {
        if (str_eq(f->version[i].purpose, purpose) && f->version[i].version > newest)
            newest = f->version[i].version;
    }
    return newest;
}

static void compare_purpose(struct comparison *m, const struct conf_purpose *p)
{
    if (frozen_index(m->frozen->purpose, m->frozen->purpose_count, p->id) == UINT32_MAX)
        m->news.purpose[m->news.purpose_count++] = p->id;
    uint32_t newest = newest_frozen(m->frozen, p->id);
    for (uint32_t i = 0; i < p->version_count; i++) {
        const struct conf_version *v = &p->version[i];
        const struct frozen_version *frozen = frozen_find(m->frozen, p->id, v->version);
        struct content now = content_make(m->conf, p, v, m->arena);
        if (frozen) {
            compare_version(m, v, frozen, &now);
        } else if (v->version < newest) {
            /* it would have been in force in a past that it was not part of */
            m->differs = true;
            conf_report(m->conf, v->place, true, m->reports,
                        "version %u of purpose '%.*s' is new, but version %u is already frozen",
                        v->version, STR_ARG(p->id), newest);
        } else {
            add_version(m, &now);
        }
    }
}

static const struct conf_purpose *find_purpose(const struct conf *c, struct str id)
{
    for (uint32_t i = 0; i < c->purpose_count; i++) {
        if (str_eq(c->purpose[i].id, id))
            return &c->purpose[i];
    }
    return NULL;
}

/* Everything that is stored must still be there. */
static void compare_stored(struct comparison *m, const struct frozen_version *f)
{
    const struct conf_purpose *p = find_purpose(m->conf, f->purpose);
    for (uint32_t i = 0; p && i < p->version_count; i++) {
        if (p->version[i].version == f->version)
            return;
    }
    m->differs = true;
    conf_report(m->conf, p ? p->place : (struct conf_place){ 0 }, true, m->reports,
                "version %u of purpose '%.*s' is frozen, but not in the configuration any more",
                f->version, STR_ARG(f->purpose));
}

static bool compare_destinations(struct comparison *m)
{
    const struct frozen *f = m->frozen;
    for (uint32_t i = 0; i < m->conf->destination_count; i++) {
        const struct conf_destination *d = &m->conf->destination[i];
        if (frozen_index(f->destination, f->destination_count, d->id) != UINT32_MAX)
            continue;
        if (f->destination_count + m->news.destination_count >= LIMIT_DESTINATIONS) {
            conf_report(m->conf, d->place, true, m->reports,
                        "destination '%.*s' is one more than the %d that one database can know",
                        STR_ARG(d->id), LIMIT_DESTINATIONS);
            return false;
        }
        m->news.destination[m->news.destination_count++] = d->id;
    }
    return true;
}

enum err policy_compare(const struct conf *c, const struct frozen *f, struct arena *a,
                        struct policy_news *ret_news, struct buf *reports)
{
    uint32_t versions = 0;
    for (uint32_t i = 0; i < c->purpose_count; i++)
        versions += c->purpose[i].version_count;
    struct comparison m = {
        .conf = c,
        .frozen = f,
        .arena = a,
        .reports = reports,
        .news = { .purpose = arena_array(a, struct str, c->purpose_count),
                  .destination = arena_array(a, struct str, c->destination_count),
                  .version = arena_array(a, struct frozen_version, versions) },
    };
    for (uint32_t i = 0; i < c->purpose_count; i++)
        compare_purpose(&m, &c->purpose[i]);
    for (uint32_t i = 0; i < f->version_count; i++)
        compare_stored(&m, &f->version[i]);
    bool room = compare_destinations(&m);
    if (m.corrupt)
        return ERR_CORRUPT;
    if (m.differs)
        return ERR_CONFLICT;
    if (!room)
        return ERR_LIMIT;
    *ret_news = m.news;
    return OK;
}

static struct str *append_names(const struct str *have, uint32_t n, const struct str *more,
                                uint32_t m, struct arena *a)
{
    struct str *all = arena_array(a, struct str, n + m);
    for (uint32_t i = 0; i < n + m; i++)
        all[i] = i < n ? have[i] : more[i - n];
    return all;
}

void policy_freeze(const struct frozen *f, const struct policy_news *news, struct arena *a,
                   struct frozen *ret_frozen)
{
    struct frozen_version *versions =
        arena_array(a, struct frozen_version, f->version_count + news->version_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < f->version_count; i++)
        versions[count++] = f->version[i];
    for (uint32_t i = 0; i < news->version_count; i++)
        versions[count++] = news->version[i];
    *ret_frozen = (struct frozen){
        .purpose =
            append_names(f->purpose, f->purpose_count, news->purpose, news->purpose_count, a),
        .purpose_count = f->purpose_count + news->purpose_count,
        .destination = append_names(f->destination, f->destination_count, news->destination,
                                    news->destination_count, a),
        .destination_count = f->destination_count + news->destination_count,
        .version = versions,
        .version_count = count,
        .voided = f->voided,
        .void_count = f->void_count,
    };
}
