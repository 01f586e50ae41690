#include "api/server.h"
#include "api/address.h"
#include "api/limit.h"
#include "api/route.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/text.h"

#include <microhttpd.h>
#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    STOP_WAIT_MS = (LIMIT_SEND_S + 5) * 1000,
    FREE_REQUESTS = 1024,
    GROUP_WAIT_NS = 30000,
    DISCARD_BYTES = 2 * LIMIT_BODY
};

struct server {
    struct pipeline *pipeline;
    struct limiter *limiter;
    struct MHD_Daemon *tcp, *local; /* local: the control socket */
    int wake_fd, signal_fd;
    struct str socket_path;
    struct arena arena;
    struct request *free;
    uint32_t free_count, active;
    uint16_t port;
    bool stopping;
    struct MHD_Response *success; /* the answer to nearly every event */
    char date[32];
    int64_t date_s, success_s; /* the second that they say */
    uint32_t lately;           /* how many joined a group, the larger ones of late */
    uint32_t waiting;          /* requests left waiting for a commit since the last turn */
    struct seen_key { /* the last write key, so that an SDK's is not decoded and hashed each time */
        char header[256];
        size_t n;
        enum access access;
        const struct conf_key *key;
        uint64_t source;
        uint32_t generation;
    } seen;
};

struct pipeline *request_pipeline(struct request *r)
{
    return r->server->pipeline;
}
struct limiter *request_limiter(struct request *r)
{
    return r->server->limiter;
}
const struct conf *request_conf(struct request *r)
{
    return pipeline_generation(r->server->pipeline)->conf;
}

static void wake(void *ctx)
{
    struct server *s = ctx;
    uint64_t one = 1;
    ssize_t n = write(s->wake_fd, &one, sizeof one);
    (void)n; /* EAGAIN: it is awake already */
}

/* ---- requests ---- */

static struct request *request_new(struct server *s)
{
    struct request *r = s->free;
    if (r != NULL) {
        s->free = r->next_free;
        s->free_count--;
        struct arena arena = r->arena;
        struct buf body = r->body;
        *r = (struct request){ .server = s, .arena = arena, .body = body };
    } else {
        r = must_alloc(sizeof *r);
        *r = (struct request){ .server = s };
    }
    r->body.max = LIMIT_BODY;
    buf_clear(&r->body);
    s->active++;
    return r;
}

static void request_destroy(struct request *r)
{
    arena_fini(&r->arena);
    buf_fini(&r->body);
    free(r);
}

static void request_free(struct request *r)
{
    struct server *s = r->server;
    pipeline_leave(s->pipeline, &r->waiter);
    s->active--;
    arena_clear(&r->arena);
    if (r->body.cap > 64 * 1024) /* one large body must not hold its memory for ever */
        buf_fini(&r->body);
    if (s->free_count >= FREE_REQUESTS) {
        request_destroy(r);
        return;
    }
    r->next_free = s->free;
    s->free = r;
    s->free_count++;
}

struct str request_parameter(struct request *r, const char *name)
{
    struct str value = { 0 };
    (void)query_get(r->query, str_of(name), &r->arena,
                    &value); /* absent and empty are the same here */
    return value;
}

/* ---- keys ---- */

static const struct conf_key *find_key(const struct conf_key *key, uint32_t count,
                                       const uint8_t hash[32])
{
    const struct conf_key *found = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (sodium_memcmp(key[i].hash, hash, 32) == 0)
            found = &key[i]; /* looks at all of them, whichever it is */
    }
    return found;
}

void request_use_key(struct request *r, struct str key)
{
    if (r->control) {
        r->access = ACCESS_CONTROL;
        return;
    }
    r->access = ACCESS_NONE;
    if (key.n == 0)
        return;
    uint8_t hash[32];
    must(crypto_generichash(hash, sizeof hash, (const unsigned char *)key.p, key.n, NULL, 0) == 0);
    const struct conf *c = request_conf(r);
    r->key = find_key(c->private_key, c->private_key_count, hash);
    r->access = r->key ? ACCESS_PRIVATE : ACCESS_NONE;
    if (r->key == NULL) {
        r->key = find_key(c->public_key, c->public_key_count, hash);
        r->access = r->key ? ACCESS_PUBLIC : ACCESS_NONE;
    }
    memcpy(&r->source, hash, sizeof r->source);
}

/* Compared in constant time, like the key itself. */
bool request_use_seen_key(struct request *r)
{
    struct seen_key *seen = &r->server->seen;
    struct str h = r->header.authorization;
    if (r->control || h.n == 0 || h.n != seen->n || sodium_memcmp(h.p, seen->header, h.n) != 0 ||
        seen->generation != pipeline_generation(r->server->pipeline)->policy->generation)
        return false;
    r->access = seen->access;
    r->key = seen->key;
    r->source = seen->source;
    return true;
}

void request_remember_key(struct request *r)
{
    struct str h = r->header.authorization;
    if (r->control || r->access == ACCESS_NONE || h.n == 0 || h.n > sizeof r->server->seen.header)
        return;
    r->server->seen =
        (struct seen_key){ .n = h.n,
                           .access = r->access,
                           .key = r->key,
                           .source = r->source,
                           .generation =
                               pipeline_generation(r->server->pipeline)->policy->generation };
    memcpy(r->server->seen.header, h.p, h.n);
}

/* ---- connections ---- */

/* An address is written once a connection, not once a request. */
static void connection_changed(void *ctx, struct MHD_Connection *connection, void **socket_context,
                               enum MHD_ConnectionNotificationCode what)
{
    (void)ctx;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        free(*socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str text = address_text(peer ? peer->client_addr : NULL, &a);
    char *kept = must_alloc(text.n + 1);
    memcpy(kept, text.n ? text.p : "", text.n);
    kept[text.n] = 0;
    *socket_context = kept;
}

static struct str address_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *c =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return c != NULL ? str_of(c->socket_context) : (struct str){ 0 };
}

/* ---- reading the head ---- */

static void put_length(struct headers *h, struct str value)
{
    unsigned long long n = 0;
    h->lengths++;
    h->malformed |= !str_to_u64(value, &n);
    h->content_length = (long long)n;
}

static void put_encoding(struct headers *h, struct str value)
{
    h->encodings++;
    h->malformed |= !str_eq_nocase(value, STR("chunked"));
}

static void put_gpc(struct headers *h, struct str value)
{
    h->signals |= str_eq(value, STR("1")) ? SIGNAL_GPC : 0;
}

static void put_dnt(struct headers *h, struct str value)
{
    h->signals |= str_eq(value, STR("1")) ? SIGNAL_DNT : 0;
}

/* Either a place for the value or what is to be done with it. */
static const struct known_header {
    struct str name;
    size_t at;
    void (*put)(struct headers *h, struct str value);
} known_headers[] = {
#define HEADER(text, member)                                                                       \
    {                                                                                              \
        .name = STR_INIT(text), .at = offsetof(struct headers, member)                             \
    }
#define SPECIAL(text, fn)                                                                          \
    {                                                                                              \
        .name = STR_INIT(text), .put = (fn)                                                        \
    }
    HEADER("Host", host),
    HEADER("Origin", origin),
    HEADER("Cookie", cookie),
    HEADER("Content-Type", content_type),
    HEADER("Authorization", authorization),
    HEADER("ApiKey", api_key),
    HEADER("Idempotency-Key", idempotency_key),
    HEADER("Licet-Device-Token", device_token),
    HEADER("AnonymousId", anonymous_id),
    HEADER("User-Agent", user_agent),
    HEADER("X-Forwarded-For", forwarded_for),
    HEADER("X-Forwarded-Proto", forwarded_proto),
    SPECIAL("Content-Length", put_length),
    SPECIAL("Transfer-Encoding", put_encoding),
    SPECIAL("Sec-GPC", put_gpc),
    SPECIAL("DNT", put_dnt),
#undef HEADER
#undef SPECIAL
};

static void put_header(struct headers *h, struct str name, struct str value)
{
    for (size_t i = 0; i < COUNT(known_headers); i++) {
        const struct known_header *k = &known_headers[i];
        /* the first letter decides nearly always; case is one bit of it */
        if (k->name.n != name.n || ((k->name.p[0] ^ name.p[0]) & ~0x20) != 0 ||
            !str_eq_nocase(name, k->name))
            continue;
        if (k->put != NULL)
            k->put(h, value);
        else
            *(struct str *)(void *)((char *)h + k->at) = value;
        return;
    }
    if (name.n == 0 || name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t')
        h->malformed = true; /* "Content-Length :" */
}

static enum MHD_Result one_header(void *ctx, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    put_header(ctx, str_of(name), str_of(value));
    return MHD_YES;
}

/* A request that two servers could read in two ways is not read at all (RFC 9112, 6.3 and 11.2). */
static bool is_ambiguous(const struct headers *h)
{
    return h->malformed || h->lengths > 1 || h->encodings > 1 || (h->lengths && h->encodings);
}

/* One slash between segments, none at the end; /beta/consent is /consent. */
static struct str normal_path(struct str raw, struct arena *a)
{
    char *p = arena_alloc(a, raw.n + 2);
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '/' && n > 0 && p[n - 1] == '/')
            continue;
        p[n++] = raw.p[i];
    }
    while (n > 1 && p[n - 1] == '/')
        n--;
    struct str path = { p, n };
    if (str_starts(path, STR("/beta/"))) {
        path.p += 5;
        path.n -= 5;
    }
    return path;
}

static void *first_sight(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    (void)connection;
    struct request *r = request_new(ctx);
    struct str rest = str_of(uri), raw;
    (void)str_next(&rest, '?', &raw); /* there is always a first part */
    r->path = normal_path(raw, &r->arena);
    r->query = arena_str(&r->arena, rest);
    return r;
}

static void gone(void *ctx, struct MHD_Connection *connection, void **req_cls,
                 enum MHD_RequestTerminationCode why)
{
    (void)ctx;
    (void)connection;
    (void)why;
    if (*req_cls != NULL)
        request_free(*req_cls);
    *req_cls = NULL;
}

/* ---- answers ---- */

/* The library would format it for every answer; it changes once a second. */
static const char *date_now(struct server *s)
{
    int64_t now = clock_now_ms() / 1000;
    if (now != s->date_s) {
        struct tm t;
        time_t seconds = (time_t)now;
        must(gmtime_r(&seconds, &t) != NULL);
        (void)strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &t);
        s->date_s = now;
    }
    return s->date;
}

/* The answer to nearly every event, made once a second. */
static struct MHD_Response *success_of(struct server *s)
{
    static char success[] = "{\"success\":true}";
    const char *date = date_now(s);
    if (s->success != NULL && s->success_s == s->date_s)
        return s->success;
    if (s->success != NULL)
        MHD_destroy_response(s->success);
    s->success =
        MHD_create_response_from_buffer(sizeof success - 1, success, MHD_RESPMEM_PERSISTENT);
    must(s->success != NULL);
    s->success_s = s->date_s;
    (void)MHD_add_response_header(s->success, "Date", date);
    (void)MHD_add_response_header(s->success, "Content-Type", "application/json");
    (void)MHD_add_response_header(s->success, "Access-Control-Allow-Origin", "*");
    return s->success;
}

static void add_cors(const struct request *r, struct MHD_Response *m)
{
    enum cors cors = r->route ? r->route->cors : CORS_NONE;
    if (cors == CORS_NONE || r->header.origin.n == 0)
        return;
    char origin[512];
    bool echo = cors == CORS_CREDENTIALS && r->header.origin.n < sizeof origin;
    if (echo) {
        memcpy(origin, r->header.origin.p, r->header.origin.n);
        origin[r->header.origin.n] = 0;
        (void)MHD_add_response_header(m, "Access-Control-Allow-Credentials", "true");
        (void)MHD_add_response_header(m, "Vary", "Origin");
    }
    (void)MHD_add_response_header(m, "Access-Control-Allow-Origin", echo ? origin : "*");
    (void)MHD_add_response_header(m, "Access-Control-Expose-Headers",
                                  "Licet-Device-Token, Retry-After");
}

static void add_text(struct MHD_Response *m, const char *name, struct str value, struct arena *a)
{
    if (value.n != 0)
        (void)MHD_add_response_header(m, name, arena_str(a, value).p);
}

static struct MHD_Response *response_of(struct request *r)
{
    struct reply *a = &r->answer;
    struct MHD_Response *m = MHD_create_response_from_buffer(
        a->body.n, (void *)(uintptr_t)a->body.p, MHD_RESPMEM_MUST_COPY);
    must(m != NULL);
    (void)MHD_add_response_header(m, "Date", date_now(r->server));
    (void)MHD_add_response_header(m, "Content-Type", a->type ? a->type : "application/json");
    (void)MHD_add_response_header(m, "Cache-Control", "no-store");
    (void)MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
    add_cors(r, m);
    add_text(m, "Set-Cookie", a->cookie, &r->arena);
    add_text(m, "Licet-Device-Token", a->device_token, &r->arena);
    if (a->retry_after_s != 0)
        add_text(m, "Retry-After", arena_printf(&r->arena, "%u", a->retry_after_s), &r->arena);
    if (a->close)
        (void)MHD_add_response_header(m, "Connection", "close");
    return m;
}

static enum MHD_Result send_answer(struct request *r)
{
    struct MHD_Connection *connection = r->connection;
    struct reply *a = &r->answer;
    bool usual = a->status == 200 && a->body.p == NULL;
    struct MHD_Response *m = usual ? success_of(r->server) : response_of(r);
    enum MHD_Result ok = MHD_queue_response(connection, (unsigned)a->status, m);
    if (!usual)
        MHD_destroy_response(m);
    return ok;
}

void answer_text(struct request *r, int status, const char *type, struct str body)
{
    r->answer.status = status;
    r->answer.type = type;
    r->answer.body = body;
    r->answered = true;
}

void answer_json(struct request *r, int status, struct str json)
{
    answer_text(r, status, NULL, json);
}

static void put_message(struct request *r, int status, struct str message, struct str field)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(4096);
    buf_lit(&b, "{\"message\":");
    json_write_string(&b, message);
    if (field.n != 0) {
        buf_lit(&b, ",\"field\":");
        json_write_string(&b, field);
    }
    buf_byte(&b, '}');
    answer_json(r, status, arena_str(&r->arena, buf_view(&b)));
}

void answer_message(struct request *r, int status, const char *message)
{
    put_message(r, status, str_of(message), (struct str){ 0 });
}

static int status_of(enum err err, const struct err_info *info)
{
    switch (err) {
    case ERR_SYNTAX:
    case ERR_VALUE: return 400;
    case ERR_LIMIT:
        return strcmp(info->field, "body") == 0 || strcmp(info->field, "batch") == 0 ? 413 : 400;
    case ERR_KEY: return 401;
    case ERR_FORBIDDEN: return 403;
    case ERR_NOT_FOUND: return 404;
    case ERR_CONFLICT: return 409;
    case ERR_BUSY:
    case ERR_FULL:
    case ERR_STOPPED: return 503;
    default: return 500;
    }
}

void answer_error(struct request *r, enum err err, const struct err_info *info)
{
    struct err_info none = { 0 };
    if (info == NULL)
        info = &none;
    if (err == ERR_NOT_FOUND) { /* as existing clients know it */
        answer_json(r, 404, STR("{\"status\":\"not_found\"}"));
        return;
    }
    int status = status_of(err, info);
    if (status == 503)
        r->answer.retry_after_s = 1;
    if (status == 413)
        r->answer.close = true;
    put_message(r, status, str_of(info->text[0] ? info->text : err_text(err)), str_of(info->field));
}

/* ---- looking, on the reader's thread ---- */

static void look_run(struct reader_job *job, struct store_reader *reader)
{
    struct request *r = (struct request *)(void *)((char *)job - offsetof(struct request, job));
    r->look_result = r->look(r, reader, &r->looked, &r->look_info);
}

static void resume(struct request *r)
{
    if (r->suspended)
        MHD_resume_connection(r->connection);
    r->suspended = false;
}

static void look_done(struct reader_job *job)
{
    struct request *r = (struct request *)(void *)((char *)job - offsetof(struct request, job));
    pipeline_generation_unref(r->server->pipeline, &r->generation);
    if (r->look_result != OK)
        answer_error(r, r->look_result, &r->look_info);
    else if (r->then != NULL)
        r->then(r);
    else
        answer_json(r, 200, r->looked);
    resume(r);
}

static void suspend(struct request *r)
{
    must(!r->suspended);
    r->suspended = true;
    MHD_suspend_connection(r->connection);
}

void request_look(struct request *r)
{
    r->generation = pipeline_generation_ref(r->server->pipeline);
    r->job = (struct reader_job){ .run = look_run, .done = look_done };
    suspend(r);
    reader_post(pipeline_reader(r->server->pipeline), &r->job);
}

/* ---- the handler ---- */

static void barrier_passed_late(struct waiter *w)
{
    resume((struct request *)(void *)((char *)w - offsetof(struct request, waiter)));
}

static void after_wait(struct request *r)
{
    if (r->waiter.result == OK) {
        void (*then)(struct request * r) = r->then;
        r->then = NULL;
        must(then != NULL);
        then(r);
        return;
    }
    struct err_info info = { 0 };
    (void)err_set(&info, r->waiter.result, NULL, "could not be stored, try again: %s",
                  err_text(r->waiter.result));
    r->answer.retry_after_s = 1;
    answer_error(r, r->waiter.result, &info);
    r->answer.status = 503;
}

static void allow_methods(struct request *r, struct MHD_Response *m)
{
    (void)r;
    (void)MHD_add_response_header(m, "Access-Control-Allow-Methods",
                                  "POST, GET, PUT, PATCH, OPTIONS");
    (void)MHD_add_response_header(
        m, "Access-Control-Allow-Headers",
        "Authorization, Content-Type, ApiKey, AnonymousId, SentAt, X-Retry-Count, "
        "Idempotency-Key, Licet-Device-Token");
    (void)MHD_add_response_header(m, "Access-Control-Max-Age", "86400");
}

static enum MHD_Result answer_preflight(struct request *r)
{
    unsigned methods;
    r->route = route_find(STR("POST"), r->path, &r->arena, &r->parameter, &methods);
    if (r->route == NULL)
        r->route = route_find(STR("GET"), r->path, &r->arena, &r->parameter, &methods);
    r->answer = (struct reply){ .status = r->route ? 204 : 404, .body = STR("") };
    struct MHD_Response *m = response_of(r);
    if (r->route != NULL)
        allow_methods(r, m);
    enum MHD_Result ok = MHD_queue_response(r->connection, (unsigned)r->answer.status, m);
    MHD_destroy_response(m);
    return ok;
}

static enum MHD_Result refuse(struct request *r, int status, const char *message)
{
    r->answer.close = true;
    if (status == 404)
        answer_error(r, ERR_NOT_FOUND, NULL);
    else
        answer_message(r, status, message);
    return send_answer(r);
}

static bool origin_allowed(const struct request *r)
{
    if (r->key == NULL || r->key->origin_count == 0 || r->header.origin.n == 0)
        return true;
    for (uint32_t i = 0; i < r->key->origin_count; i++) {
        if (str_eq(r->key->origin[i], r->header.origin))
            return true;
    }
    return false;
}

/* The consent database's keys stand in a header of their own; Bearer does as well. */
void request_use_database_key(struct request *r)
{
    struct str key = r->header.api_key;
    if (key.n == 0 && str_starts(r->header.authorization, STR("Bearer ")))
        key =
            str_trim((struct str){ r->header.authorization.p + 7, r->header.authorization.n - 7 });
    request_use_key(r, key);
}

static bool may(struct request *r)
{
    enum access least = r->route->least;
    if (least == ACCESS_NONE)
        return true;
    request_use_database_key(r);
    if (r->access >= least && origin_allowed(r))
        return true;
    if (!r->control && r->header.api_key.n == 0 && r->header.authorization.n == 0)
        answer_message(r, 401, "No API key found in request");
    else
        answer_message(r, 403, "Invalid authentication credentials");
    return false;
}

static void read_head(struct request *r, const char *method)
{
    r->method = arena_str(&r->arena, str_of(method));
    r->header.content_length = -1;
    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, one_header, &r->header);
    if (!r->control) {
        r->peer = address_of(r->connection);
        r->ip = address_client(request_conf(r), r->peer, r->header.forwarded_for, &r->arena);
    }
}

static enum MHD_Result begin(struct request *r, const char *method)
{
    r->started = true;
    r->received_ms = clock_now_ms();
    read_head(r, method);
    if (is_ambiguous(&r->header))
        return refuse(r, 400, "ambiguous length of the request");
    if (r->server->stopping)
        return refuse(r, 503, "stopping");
    if (str_eq(r->method, STR("OPTIONS")))
        return answer_preflight(r);
    unsigned methods = 0;
    r->route = route_find(r->method, r->path, &r->arena, &r->parameter, &methods);
    if (r->route == NULL)
        return methods ? refuse(r, 405, "this path does not take this method")
                       : refuse(r, 404, "not found");
    if (r->header.content_length > DISCARD_BYTES)
        return refuse(r, 413, "the body is too large");
    /* a smaller one is read to its end: who is still writing does not see an answer */
    r->overflow = r->header.content_length > (long long)r->route->body_limit;
    r->body.max = r->route->body_limit;
    return MHD_YES;
}

static enum MHD_Result take_body(struct request *r, const char *data, size_t *size)
{
    size_t n = *size;
    *size = 0;
    if (!r->overflow) {
        buf_add(&r->body, data, n);
        r->overflow = r->body.over;
        return MHD_YES;
    }
    /* a chunked body that does not end: read on for a while, so that the client sees the answer */
    r->discarded += n;
    return r->discarded > DISCARD_BYTES ? MHD_NO : MHD_YES;
}

static void serve(struct request *r)
{
    if (r->route->look == NULL) {
        r->route->handle(r);
        return;
    }
    r->look = r->route->look;
    request_look(r);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **req_cls)
{
    struct server *s = ctx;
    struct request *r = *req_cls;
    (void)url;
    (void)version;
    if (r == NULL)
        return MHD_NO;
    if (!r->started) {
        r->connection = connection;
        const union MHD_ConnectionInfo *d =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON);
        r->control = d != NULL && d->daemon == s->local;
        return begin(r, method);
    }
    if (*size != 0)
        return take_body(r, data, size);
    if (!r->handled) {
        r->handled = true;
        if (r->overflow)
            return refuse(r, 413, "the body is too large");
        if (may(r))
            serve(r);
        s->waiting += r->waiter.joined;
    } else if (!r->answered && r->waiter.done) {
        after_wait(r);
    }
    if (r->answered)
        return send_answer(r);
    if (r->waiter.done && !r->suspended && r->then != NULL) { /* nothing had to be committed */
        after_wait(r);
        return r->answered ? send_answer(r) : MHD_YES;
    }
    if (r->waiter.barrier != NULL && !r->suspended) {
        r->waiter.finished = barrier_passed_late;
        suspend(r);
    }
    return MHD_YES; /* answered in a later turn */
}

/* ---- start ---- */

static int listen_tcp(const struct conf *c, uint16_t *ret_port, struct err_info *info)
{
    char host[256], port[8];
    (void)snprintf(host, sizeof host, "%.*s", STR_ARG(c->listen_host));
    (void)snprintf(port, sizeof port, "%u", c->listen_port);
    struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV },
                    *found;
    int e = getaddrinfo(host[0] ? host : NULL, port, &want, &found);
    if (e != 0) {
        (void)err_set(info, ERR_IO, "listen", "%s: %s", host, gai_strerror(e));
        return -1;
    }
    int on = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 4096) == 0;
    freeaddrinfo(found);
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (!ok || getsockname(fd, (struct sockaddr *)&bound, &size) != 0) {
        (void)err_set(info, ERR_IO, "listen", "%s:%s: %s", host, port, strerror(errno));
        close_fd(&fd);
        return -1;
    }
    *ret_port =
        ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                                          : ((struct sockaddr_in *)(void *)&bound)->sin_port);
    return fd;
}

/* Whoever may write to the data directory may command the daemon. */
static int listen_local(struct str path, struct err_info *info)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    if (path.n >= sizeof at.sun_path) {
        (void)err_set(info, ERR_LIMIT, "store",
                      "the data directory's path is too long for a socket in it");
        return -1;
    }
    memcpy(at.sun_path, path.p, path.n);
    (void)unlink(at.sun_path); /* of a daemon that was killed; the lock says that none runs */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t old = umask(0177);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 64) == 0;
    (void)umask(old);
    if (!ok) {
        (void)err_set(info, ERR_IO, "store", "%s: %s", at.sun_path, strerror(errno));
        close_fd(&fd);
    }
    return fd;
}

static struct MHD_Daemon *start(struct server *s, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL, NULL,
        handle, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, first_sight, s,
        MHD_OPTION_NOTIFY_COMPLETED, gone, NULL, MHD_OPTION_NOTIFY_CONNECTION, connection_changed,
        NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_CONNECTION_POOL,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
}

static enum err start_listeners(struct server *s, struct err_info *info)
{
    const struct conf *c = pipeline_generation(s->pipeline)->conf;
    int tcp = listen_tcp(c, &s->port, info);
    if (tcp < 0)
        return info->err;
    s->tcp = start(s, tcp);
    s->socket_path = arena_printf(&s->arena, "%.*s/licet.sock", STR_ARG(c->data_dir));
    int local = s->tcp ? listen_local(s->socket_path, info) : -1;
    if (s->tcp == NULL || local < 0) {
        if (s->tcp == NULL)
            close_fd(&tcp);
        return s->tcp ? info->err
                      : err_set(info, ERR_IO, "listen", "the HTTP server cannot be started");
    }
    s->local = start(s, local);
    if (s->local == NULL) {
        close_fd(&local);
        return err_set(info, ERR_IO, "store", "the control socket cannot be served");
    }
    return OK;
}

static int watch_signals(void)
{
    (void)prctl(PR_SET_TIMERSLACK, 1000UL); /* else a moment's wait takes twice its time */
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    must(pthread_sigmask(SIG_BLOCK, &set, NULL) ==
         0); /* before any thread is started: they inherit it */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a full disk, not an end */
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    must(fd >= 0);
    return fd;
}

enum err server_open(struct conf *conf, struct server **ret_s, struct buf *reports,
                     struct err_info *info)
{
    struct server *s = must_alloc_zero(sizeof *s);
    s->signal_fd = watch_signals();
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    must(s->wake_fd >= 0);
    s->limiter = limiter_new();
    enum err e = pipeline_open(conf, wake, s, &s->pipeline, reports, info);
    if (e == OK)
        e = start_listeners(s, info);
    if (e != OK) {
        if (s->pipeline != NULL)
            pipeline_stopping(s->pipeline);
        server_close(&s);
        return e;
    }
    *ret_s = s;
    return OK;
}

uint16_t server_port(const struct server *s)
{
    return s->port;
}

/* ---- the loop ---- */

/* "   12 | key: value" and the line of its caret: beside the fault for people, not for a log. */
static bool shows_source(struct str line)
{
    while (line.n != 0 && (line.p[0] == ' ' || (line.p[0] >= '0' && line.p[0] <= '9'))) {
        line.p++;
        line.n--;
    }
    return str_starts(line, STR("| "));
}

static void log_reports(const struct buf *reports)
{
    struct str rest = buf_view(reports), line;
    while (rest.n != 0 && str_next(&rest, '\n', &line)) {
        if (line.n == 0 || shows_source(line))
            continue;
        bool error = memmem(line.p, line.n, ": error: ", 9) != NULL;
        log_write(error ? LOG_ERROR : LOG_WARNING, "configuration", LOG_S("text", line));
    }
}

static void reload(struct server *s)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(LIMIT_CONF);
    struct err_info info = { 0 };
    enum err e = pipeline_reload(s->pipeline, &reports, &info);
    log_reports(&reports);
    if (e == OK)
        log_write(
            LOG_INFO, "reload.done",
            LOG_N("generation", pipeline_generation_number(pipeline_generation(s->pipeline))));
    else
        log_write(LOG_ERROR, "reload.refused", LOG_C("text", info.text));
}

static void take_signals(struct server *s)
{
    struct signalfd_siginfo si;
    while (read(s->signal_fd, &si, sizeof si) == (ssize_t)sizeof si) {
        if (si.ssi_signo == SIGHUP)
            reload(s);
        else
            s->stopping = true;
    }
}

static int epoll_of(struct MHD_Daemon *d)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD);
    must(info != NULL);
    return info->epoll_fd;
}

static int timeout_of(struct server *s, bool again)
{
    MHD_UNSIGNED_LONG_LONG ms;
    int timeout = again ? 0 : pipeline_timeout(s->pipeline);
    if (MHD_get_timeout(s->tcp, &ms) == MHD_YES && ms < (MHD_UNSIGNED_LONG_LONG)timeout)
        timeout = (int)ms;
    if (MHD_get_timeout(s->local, &ms) == MHD_YES && ms < (MHD_UNSIGNED_LONG_LONG)timeout)
        timeout = (int)ms;
    return timeout;
}

/* A commit costs the same for one request as for a hundred: as long as looking again brings
 * new ones, they join the group. Who was just answered often has the next one ready in a
 * moment: when fewer came than lately, it waits that moment, once. */
static void read_all_ready(struct server *s)
{
    static const struct timespec moment = { .tv_nsec = GROUP_WAIT_NS };
    bool waited = false;
    uint32_t before;
    s->waiting = 0;
    do {
        before = s->waiting;
        (void)MHD_run(s->tcp);
        if (s->waiting == before && s->waiting > 0 && s->waiting < s->lately && !waited) {
            (void)nanosleep(&moment, NULL); /* shorter does no harm */
            waited = true;
            before = 0;
        }
    } while (s->waiting > before && s->waiting < s->lately);
    s->lately = s->waiting > s->lately ? s->waiting : s->lately - (s->lately - s->waiting) / 8;
}

/* One turn: read and handle, commit, then (with `again`) answer at once. */
static void turn(struct server *s, bool *again)
{
    struct pollfd fds[] = { { .fd = epoll_of(s->tcp), .events = POLLIN },
                            { .fd = epoll_of(s->local), .events = POLLIN },
                            { .fd = s->wake_fd, .events = POLLIN },
                            { .fd = s->signal_fd, .events = POLLIN } };
    int timeout = timeout_of(s, *again);
    if (timeout != 0 || !*again)
        (void)poll(fds, COUNT(fds), timeout); /* EINTR is just an early turn */
    if (fds[2].revents != 0) {
        uint64_t n;
        ssize_t got = read(s->wake_fd, &n, sizeof n);
        (void)got; /* EAGAIN: somebody else's turn took it */
    }
    if (fds[3].revents != 0)
        take_signals(s);
    read_all_ready(s);
    if (fds[1].revents != 0 || timeout == 0)
        (void)MHD_run(s->local);
    *again = pipeline_turn(s->pipeline);
}

/* Listeners first; then whoever is inside is served to the end. */
static void stop(struct server *s)
{
    log_write(LOG_INFO, "stop.begun");
    int tcp = MHD_quiesce_daemon(s->tcp), local = MHD_quiesce_daemon(s->local);
    close_fd(&tcp);
    close_fd(&local);
    bool again = false;
    int64_t until = clock_mono_ms() + STOP_WAIT_MS;
    while (s->active > 0 && clock_mono_ms() < until)
        turn(s, &again);
    pipeline_stopping(s->pipeline);
    while (!pipeline_stopped(s->pipeline) && clock_mono_ms() < until + STOP_WAIT_MS)
        turn(s, &again);
    (void)pipeline_turn(s->pipeline); /* what the sends left to write */
}

void server_run(struct server *s)
{
    log_write(LOG_INFO, "started", LOG_N("port", s->port), LOG_C("version", LICET_VERSION));
    bool again = false;
    while (!s->stopping)
        turn(s, &again);
    stop(s);
    log_write(LOG_INFO, "stopped");
}

void server_close(struct server **ss)
{
    struct server *s = *ss;
    if (s == NULL)
        return;
    if (s->tcp != NULL)
        MHD_stop_daemon(s->tcp);
    if (s->local != NULL)
        MHD_stop_daemon(s->local);
    if (s->success != NULL)
        MHD_destroy_response(s->success);
    if (s->socket_path.n != 0)
        (void)unlink(s->socket_path.p);
    pipeline_close(&s->pipeline);
    limiter_free(&s->limiter);
    while (s->free != NULL) {
        struct request *r = s->free;
        s->free = r->next_free;
        request_destroy(r);
    }
    arena_fini(&s->arena);
    close_fd(&s->wake_fd);
    close_fd(&s->signal_fd);
    free(s);
    *ss = NULL;
}
