#include "collect/segment_priv.h"

#include "base/limits.h"
#include "codec/text.h"
#include "codec/time.h"
#include "consent/ledger.h"

static const int64_t OLDEST_MS = 3653 * DAY_MS; /* ten years */
enum { LONGEST_AGENT = 1024, LONGEST_IP = 64 };

/* Nodes of the members that we look at; 0: not there. */
struct context {
    uint32_t ip, user_agent, direct, consent, management;
};

struct message {
    uint32_t type, message_id, user, anonymous, timestamp, original, sent_at;
    uint32_t context, integrations;
};

/* What is the same for every message of a request. */
struct envelope {
    const struct collect_request *q;
    const struct json_doc *doc;
    const struct policy *policy;
    struct arena *a;
    struct str type;      /* of the path; empty in a batch */
    struct str anonymous; /* of the header; empty: none */
    struct str ip, user_agent;
    struct message said;    /* by the batch for all */
    struct context context; /* likewise */
    struct segment_uses uses;
    uint64_t lowered, lowered_uses; /* when a message says nothing itself */
    size_t shared;                  /* bytes that count with every message */
};

static uint32_t *message_member(struct message *m, struct str name)
{
    switch (name.n) {
    case 4: return str_eq(name, STR("type")) ? &m->type : NULL;
    case 6:
        if (str_eq(name, STR("userId")))
            return &m->user;
        return str_eq(name, STR("sentAt")) ? &m->sent_at : NULL;
    case 7: return str_eq(name, STR("context")) ? &m->context : NULL;
    case 9:
        if (str_eq(name, STR("messageId")))
            return &m->message_id;
        return str_eq(name, STR("timestamp")) ? &m->timestamp : NULL;
    case 11: return str_eq(name, STR("anonymousId")) ? &m->anonymous : NULL;
    case 12: return str_eq(name, STR("integrations")) ? &m->integrations : NULL;
    case 17: return str_eq(name, STR("originalTimestamp")) ? &m->original : NULL;
    default: return NULL;
    }
}

static uint32_t *context_member(struct context *c, struct str name)
{
    switch (name.n) {
    case 2: return str_eq(name, STR("ip")) ? &c->ip : NULL;
    case 6: return str_eq(name, STR("direct")) ? &c->direct : NULL;
    case 7: return str_eq(name, STR("consent")) ? &c->consent : NULL;
    case 9: return str_eq(name, STR("userAgent")) ? &c->user_agent : NULL;
    case 17: return str_eq(name, STR("consentManagement")) ? &c->management : NULL;
    default: return NULL;
    }
}

/* Keys count as they read, not as they are escaped: "use\u0072Id" is userId. */
static void read_message(const struct json_doc *doc, uint32_t object, struct arena *a,
                         struct message *m)
{
    for (uint32_t k = json_first(doc, object); k; k = json_next(doc, object, k + 1)) {
        struct str name;
        uint32_t *member = json_string(doc, k, a, &name) ? message_member(m, name) : NULL;
        if (member != NULL)
            *member = k + 1;
    }
    if (json_type(doc, m->context) != JSON_OBJECT)
        m->context = 0;
    if (json_type(doc, m->integrations) != JSON_OBJECT)
        m->integrations = 0;
}

static void read_context(const struct json_doc *doc, uint32_t object, struct arena *a,
                         struct context *c)
{
    for (uint32_t k = json_first(doc, object); k; k = json_next(doc, object, k + 1)) {
        struct str name;
        uint32_t *member = json_string(doc, k, a, &name) ? context_member(c, name) : NULL;
        if (member != NULL)
            *member = k + 1;
    }
}

/* Reads an id. False when the message cannot stand with it; an id that would
 * collect strangers (subject_id_ok) is as if it were not there. */
static bool read_id(const struct envelope *e, uint32_t node, struct str *ret_id)
{
    enum json_type type = json_type(e->doc, node);
    struct str id;
    if (type == JSON_OBJECT || type == JSON_ARRAY)
        return false;
    if (!json_text(e->doc, node, e->a, &id))
        return true;
    if (id.n > LIMIT_ID)
        return false;
    if (subject_id_ok(id))
        *ret_id = id;
    return true;
}

static bool read_message_id(const struct envelope *e, uint32_t node, struct event *ev)
{
    struct str id;
    if (json_text(e->doc, node, e->a, &id) && id.n) {
        ev->message_id = id;
        return id.n <= LIMIT_ID;
    }
    char *text = arena_alloc(e->a, ID_TEXT + 1);
    id_format(&ev->id, text);
    ev->message_id = (struct str){ text, ID_TEXT };
    return true;
}

static bool read_time(const struct envelope *e, uint32_t node, int64_t *ret_ms)
{
    struct str text;
    return json_string(e->doc, node, e->a, &text) && time_parse(text, ret_ms);
}

/* The client's clock may be wrong, but by the same amount when it sent. */
static int64_t corrected(const struct envelope *e, const struct message *m)
{
    int64_t at, received = e->q->received_ms, sent = received;
    if (!read_time(e, m->original, &at) && !read_time(e, m->timestamp, &at))
        return received;
    if (!read_time(e, m->sent_at, &sent))
        (void)read_time(e, e->said.sent_at, &sent);
    int64_t ms = received - (sent - at);
    return ms > received || ms < received - OLDEST_MS ? received : ms;
}

static bool is_text(const struct json_doc *doc, uint32_t node)
{
    return json_type(doc, node) == JSON_STRING && json_raw(doc, node).n > 2;
}

/* What the client left to us, and what it denies; its own context wins over the batch's. */
static void read_surroundings(const struct envelope *e, const struct message *m, struct event *ev)
{
    struct context c = e->context;
    if (m->context)
        read_context(e->doc, m->context, e->a, &c);
    bool direct = json_type(e->doc, c.direct) == JSON_TRUE;
    if (direct || !is_text(e->doc, c.ip))
        ev->request_ip = e->ip;
    if (direct || !is_text(e->doc, c.user_agent))
        ev->request_user_agent = e->user_agent;

    bool same = c.consent == e->context.consent && c.management == e->context.management;
    ev->lowered =
        same ? e->lowered : segment_lowered(e->policy, e->doc, c.consent, c.management, e->a);
    ev->lowered_uses = e->lowered_uses;
    if (m->integrations) {
        struct segment_uses uses = e->uses;
        segment_read_integrations(e->policy, e->doc, m->integrations, e->a, &uses);
        ev->lowered_uses = segment_uses_lowered(e->policy, &uses);
    }
}

/* NULL, or why the message is refused. */
static const char *read_event(const struct envelope *e, uint32_t root, struct event *ev)
{
    if (json_type(e->doc, root) != JSON_OBJECT)
        return "is no object";
    if (json_raw(e->doc, root).n + e->shared > LIMIT_EVENT)
        return "is larger than 32 KB";
    struct message m = { 0 };
    read_message(e->doc, root, e->a, &m);

    struct str type;
    ev->type =
        json_string(e->doc, m.type, e->a, &type) ? segment_type_named(type) : (struct str){ 0 };
    if (ev->type.n == 0)
        ev->type = e->type;
    if (ev->type.n == 0)
        return "no valid type";
    if (!read_id(e, m.user, &ev->person))
        return "userId is no id or longer than 255 bytes";
    if (!read_id(e, m.anonymous, &ev->device))
        return "anonymousId is no id or longer than 255 bytes";
    if (ev->device.n == 0)
        ev->device = e->anonymous;
    if (ev->device.n == 0 && ev->person.n == 0)
        return "no userId or anonymousId";

    ev->id = id_new(e->q->received_ms);
    if (!read_message_id(e, m.message_id, ev))
        return "messageId is longer than 255 bytes";
    ev->received_ms = e->q->received_ms;
    ev->timestamp_ms = corrected(e, &m);
    ev->doc = e->doc;
    ev->root = root;
    ev->batch_context = e->said.context;
    ev->batch_integrations = e->said.integrations;
    ev->signals = e->q->signals;
    ev->test = e->q->test;
    read_surroundings(e, &m, ev);
    return NULL;
}

/* RudderStack's header, for messages without an anonymousId. */
static struct str header_anonymous(const struct collect_request *q, struct arena *a)
{
    struct str id;
    if (q->anonymous_id.n == 0 || !base64_decode(str_trim(q->anonymous_id), a, &id) ||
        id.n > LIMIT_ID || segment_clean(id, a).p != id.p || !subject_id_ok(id))
        return (struct str){ 0 };
    return id;
}

static struct envelope open_envelope(const struct collect_request *q, const struct json_doc *doc,
                                     const struct policy *p, uint32_t batch, struct arena *a)
{
    struct envelope e = { .q = q, .doc = doc, .policy = p, .a = a };
    e.anonymous = header_anonymous(q, a);
    if (q->from_browser && q->ip.n <= LONGEST_IP)
        e.ip = segment_clean(q->ip, a);
    if (q->from_browser && q->user_agent.n <= LONGEST_AGENT)
        e.user_agent = segment_clean(q->user_agent, a);
    if (batch == 0) {
        e.type = segment_type_of_path(q->path);
        return e;
    }
    read_message(doc, JSON_ROOT, a, &e.said);
    read_context(doc, e.said.context, a, &e.context);
    segment_read_integrations(p, doc, e.said.integrations, a, &e.uses);
    e.lowered = segment_lowered(p, doc, e.context.consent, e.context.management, a);
    e.lowered_uses = segment_uses_lowered(p, &e.uses);
    e.shared = json_raw(doc, e.said.context).n + json_raw(doc, e.said.integrations).n;
    return e;
}

static void add(const struct envelope *e, uint32_t root, uint32_t index, struct collect_result *r)
{
    struct event *ev = &r->event[r->event_count];
    const char *why = read_event(e, root, ev);
    if (why == NULL) {
        r->event_count++;
        return;
    }
    *ev = (struct event){ 0 };
    r->rejected[r->rejected_count++] = (struct collect_rejected){ .index = index, .why = why };
}

enum err collect_segment_events(const struct collect_request *q, const struct json_doc *doc,
                                const struct policy *p, struct arena *a,
                                struct collect_result *ret_result, struct err_info *info)
{
    if (json_type(doc, JSON_ROOT) != JSON_OBJECT)
        return err_set(info, ERR_VALUE, "body", "is no object");
    uint32_t batch = json_get(doc, JSON_ROOT, STR("batch"));
    if (batch && json_type(doc, batch) != JSON_ARRAY)
        return err_set(info, ERR_VALUE, "batch", "is no array");
    uint32_t count = batch ? doc->node[batch].count : 1;
    if (count > LIMIT_BATCH)
        return err_set(info, ERR_LIMIT, "batch", "holds more than %u messages", LIMIT_BATCH);

    struct envelope e = open_envelope(q, doc, p, batch, a);
    if (e.shared * count > LIMIT_BODY_INFLATED) /* else little traffic makes much data */
        return err_set(info, ERR_LIMIT, "context", "of the batch is too large for %u messages",
                       count);
    struct collect_result r = {
        .event = arena_array(a, struct event, count),
        .rejected = arena_array(a, struct collect_rejected, count),
    };
    if (!batch) {
        add(&e, JSON_ROOT, 0, &r);
    } else {
        uint32_t index = 0;
        for (uint32_t v = json_first(doc, batch); v; v = json_next(doc, batch, v))
            add(&e, v, index++, &r);
    }
    *ret_result = r;
    return OK;
}
