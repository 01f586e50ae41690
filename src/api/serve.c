#include "api/address.h"
#include "api/route.h"
#include "api/server_priv.h"

#include "base/clock.h"
#include "codec/text.h"

#include <microhttpd.h>

#include <stdlib.h>

enum { FREE_REQUESTS = 1024, DISCARD_BYTES = 2 * LIMIT_BODY, KEPT_BODY = 64 * 1024 };

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

/* ---- requests ---- */

/* Hands its memory to the next request, which finds it in the processor's cache still: of those
 * that wait for a commit there are many. What was in it must not be needed any more. */
static void lend_memory(struct request *r)
{
    struct server *s = r->server;
    shed_body_gone(&s->shed, r->body.n);
    if (r->body.cap > KEPT_BODY) /* one large body must not hold its memory for ever */
        buf_fini(&r->body);
    arena_clear(&r->arena);
    if (s->spare_count < COUNT(s->spare)) {
        s->spare[s->spare_count++] = (struct spare_memory){ .arena = r->arena, .body = r->body };
    } else {
        arena_fini(&r->arena);
        buf_fini(&r->body);
    }
    arena_init(&r->arena);
    r->body = (struct buf){ 0 };
    r->method = r->parameter = (struct str){ 0 };
    r->target = (struct target){ 0 };
}

static struct request *request_new(struct server *s)
{
    struct request *r = s->free;
    if (r != NULL) {
        s->free = r->next_free;
        s->free_count--;
    } else {
        r = must_alloc(sizeof *r);
    }
    *r = (struct request){ .server = s };
    if (s->spare_count > 0) {
        struct spare_memory *m = &s->spare[--s->spare_count];
        r->arena = m->arena;
        r->body = m->body;
    }
    buf_clear(&r->body);
    s->active++;
    return r;
}

static void request_free(struct request *r)
{
    struct server *s = r->server;
    pipeline_leave(s->pipeline, &r->waiter);
    s->active--;
    if (r->arena.chunk != NULL || r->body.p != NULL)
        lend_memory(r);
    if (s->free_count >= FREE_REQUESTS) {
        free(r);
        return;
    }
    r->next_free = s->free;
    s->free = r;
    s->free_count++;
}

struct str request_parameter(struct request *r, const char *name)
{
    struct str value = { 0 };
    (void)query_get(r->target.query, str_of(name), &r->arena,
                    &value); /* absent and empty are the same here */
    return value;
}

/* ---- connections ---- */

static void close_connection(struct server *s, void **socket_context)
{
    struct connection *c = *socket_context;
    *socket_context = NULL;
    struct certificate *shown = c ? c->certificate : NULL;
    certificate_unref(&shown);
    connection_close(s->connections, &c);
}

static void connection_changed(void *ctx, struct MHD_Connection *connection, void **socket_context,
                               enum MHD_ConnectionNotificationCode what)
{
    struct server *s = ctx;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        close_connection(s, socket_context);
        return;
    }
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *from = peer ? peer->client_addr : NULL;
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    must(fd != NULL);
    s->parts++;
    *socket_context = connection_open(s->connections, from, fd->connect_fd, s->now_ms);
}

static enum MHD_Result one_header(void *ctx, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    head_put_line(ctx, name, value ? value : "");
    return MHD_YES;
}

static void *first_sight(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    struct server *s = ctx;
    struct request *r = request_new(s);
    const union MHD_ConnectionInfo *c =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    must(c != NULL);
    r->from = c->socket_context;
    connection_enter(s->connections, r->from, STAGE_HEAD, s->now_ms);
    head_target(str_of(uri), &r->arena, &r->target);
    return r;
}

static void gone(void *ctx, struct MHD_Connection *connection, void **req_cls,
                 enum MHD_RequestTerminationCode why)
{
    struct server *s = ctx;
    struct request *r = *req_cls;
    (void)connection;
    (void)why;
    if (r == NULL)
        return;
    connection_enter(s->connections, r->from, STAGE_IDLE, s->now_ms);
    request_free(r);
    *req_cls = NULL;
}

/* ---- looking, on the reader's thread ---- */

static void look_run(struct reader_job *job, struct store_reader *reader)
{
    struct request *r = (struct request *)(void *)((char *)job - offsetof(struct request, job));
    r->look_result = r->look(r, reader, &r->looked, r->look_info);
}

void request_resume(struct request *r)
{
    if (r->suspended)
        MHD_resume_connection(r->connection);
    r->suspended = false;
}

static void look_done(struct reader_job *job)
{
    struct request *r = (struct request *)(void *)((char *)job - offsetof(struct request, job));
    pipeline_generation_unref(r->server->pipeline, &r->generation);
    r->server->shed.looks--;
    if (r->look_result != OK)
        answer_error(r, r->look_result, r->look_info);
    else if (r->then != NULL)
        r->then(r);
    else
        answer_json(r, 200, r->looked);
    request_resume(r);
}

void request_suspend(struct request *r)
{
    must(!r->suspended);
    r->suspended = true;
    MHD_suspend_connection(r->connection);
}

void request_look(struct request *r)
{
    r->generation = pipeline_generation_ref(r->server->pipeline);
    r->look_info = arena_new(&r->arena, struct err_info);
    r->job = (struct reader_job){ .run = look_run, .done = look_done };
    request_suspend(r);
    r->server->shed.looks++;
    pipeline_look(r->server->pipeline, &r->job);
}

/* ---- the handler ---- */

static void barrier_passed_late(struct waiter *w)
{
    request_resume((struct request *)(void *)((char *)w - offsetof(struct request, waiter)));
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

static void allow_methods(struct MHD_Response *m)
{
    (void)MHD_add_response_header(m, "Access-Control-Allow-Methods",
                                  "POST, GET, PUT, PATCH, OPTIONS");
    (void)MHD_add_response_header(
        m, "Access-Control-Allow-Headers",
        "Authorization, Content-Type, ApiKey, AnonymousId, SentAt, X-Retry-Count, "
        "Idempotency-Key, Licet-Device-Token, Licet-Read-Token");
    (void)MHD_add_response_header(m, "Access-Control-Max-Age", "86400");
}

static enum MHD_Result answer_preflight(struct request *r)
{
    unsigned methods;
    r->route = route_find(STR("POST"), r->target.path, &r->arena, &r->parameter, &methods);
    if (r->route == NULL)
        r->route = route_find(STR("GET"), r->target.path, &r->arena, &r->parameter, &methods);
    r->answer = (struct reply){ .status = r->route ? 204 : 404, .body = STR("") };
    struct MHD_Response *m = answer_response(r);
    if (r->route != NULL)
        allow_methods(m);
    connection_enter(r->server->connections, r->from, STAGE_ANSWER, r->server->now_ms);
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
    return answer_send(r) ? MHD_YES : MHD_NO;
}

static bool may(struct request *r)
{
    enum access least = r->route->least;
    if (least == ACCESS_NONE)
        return true;
    request_use_database_key(r);
    if (r->access >= least && request_origin_allowed(r))
        return request_within_key_rate(r) && request_within_api_rate(r);
    if (!r->control && r->header.api_key.n == 0 && r->header.authorization.n == 0)
        answer_message(r, 401, "No API key found in request");
    else
        answer_message(r, 403, "Invalid authentication credentials");
    return false;
}

/* Why the head cannot be taken; NULL when it can. */
static const char *read_head(struct request *r, const char *method, const char *version)
{
    struct headers *h = &r->header;
    struct str m = str_of(method);
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    r->method = arena_str(&r->arena, m);
    h->content_length = -1;
    h->next = version + strlen(version) + 2;
    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, one_header, h);
    bool reads_in_place = r->server->library_reads_in_place;
    h->broken = reads_in_place &&
                (size == NULL || !head_is_whole(h, m, r->target.raw, version, size->header_size));
    if (!r->control) {
        r->peer = str_of(r->from->text);
        r->ip = address_client(request_conf(r), r->peer, h->forwarded_for, &r->arena);
    }
    return head_fault(h, &r->target, strcmp(version, "HTTP/1.0") == 0);
}

static enum MHD_Result begin(struct request *r, const char *method, const char *version)
{
    r->started = true;
    r->received_ms = clock_now_ms();
    const char *fault = read_head(r, method, version);
    if (fault != NULL)
        return refuse(r, 400, fault);
    if (r->server->stopping)
        return refuse(r, 503, "stopping");
    if (str_eq(r->method, STR("OPTIONS")))
        return answer_preflight(r);
    unsigned methods = 0;
    r->route = route_find(r->method, r->target.path, &r->arena, &r->parameter, &methods);
    if (r->route == NULL)
        return methods ? refuse(r, 405, "this path does not take this method")
                       : refuse(r, 404, "not found");
    if (r->header.content_length > DISCARD_BYTES)
        return refuse(r, 413, "the body is too large");
    /* where chunks end can be read in two ways: nobody is to stand behind them */
    r->answer.close = r->header.encodings != 0;
    /* a smaller one is read to its end: who is still writing does not see an answer */
    r->overflow = r->header.content_length > (long long)r->route->body_limit;
    r->body.max = r->route->body_limit;
    guard_head(r);
    connection_enter(r->server->connections, r->from, STAGE_BODY, r->server->now_ms);
    return MHD_YES;
}

static enum MHD_Result take_body(struct request *r, const char *data, size_t *size)
{
    size_t n = *size;
    *size = 0;
    r->from->bytes += n;
    r->server->parts += (long long)r->from->bytes < r->header.content_length;
    bool wanted = !r->overflow && r->refused.status == 0;
    if (wanted && guard_takes(r, n)) {
        buf_add(&r->body, data, n);
        r->overflow = r->body.over;
        if (r->overflow)
            shed_body_gone(&r->server->shed, n);
        return MHD_YES;
    }
    /* a chunked body that does not end: read on for a while, so that the client sees the answer */
    r->discarded += n;
    return r->discarded > DISCARD_BYTES ? MHD_NO : MHD_YES;
}

static void run_route(struct request *r)
{
    if (r->route->look == NULL) {
        r->route->handle(r);
        return;
    }
    r->look = r->route->look;
    request_look(r);
}

/* All of it is there: answers, or joins the group, or waits. */
static enum MHD_Result handle_whole(struct request *r)
{
    r->handled = true;
    connection_enter(r->server->connections, r->from, STAGE_WORK, r->server->now_ms);
    if (r->refused.status != 0) {
        r->answer.retry_after_s = r->refused.retry_after_s;
        answer_message(r, r->refused.status, r->refused.message);
        return MHD_YES;
    }
    if (r->overflow)
        return refuse(r, 413, "the body is too large");
    if (guard_admits(r) && may(r)) {
        run_route(r);
        guard_worked(r);
    }
    r->server->waiting += r->waiter.joined;
    if (r->waiter.joined && r->then == answer_saved && r->saved.n == 0)
        lend_memory(r); /* an event: its answer is always the same */
    return MHD_YES;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **req_cls)
{
    struct server *s = ctx;
    struct request *r = *req_cls;
    (void)url;
    if (r == NULL)
        return MHD_NO;
    if (!r->started) {
        r->connection = connection;
        const union MHD_ConnectionInfo *d =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON);
        r->control = d != NULL && d->daemon == s->local;
        r->secure = !r->control && s->certificate != NULL;
        return begin(r, method, version);
    }
    if (*size != 0) {
        r->kept = false;
        return take_body(r, data, size);
    }
    if (r->kept) { /* the head's call again, as it was suspended in it */
        r->kept = false;
        return MHD_YES;
    }
    if (!r->handled) {
        enum MHD_Result ok = handle_whole(r);
        if (ok != MHD_YES || r->from->stage == STAGE_ANSWER)
            return ok;
    } else if (!r->answered && r->waiter.done) {
        after_wait(r);
    }
    if (r->answered)
        return answer_send(r) ? MHD_YES : MHD_NO;
    if (r->waiter.done && !r->suspended && r->then != NULL) { /* nothing had to be committed */
        after_wait(r);
        return !r->answered || answer_send(r) ? MHD_YES : MHD_NO;
    }
    if (r->waiter.barrier != NULL && !r->suspended) {
        r->waiter.finished = barrier_passed_late;
        request_suspend(r);
    }
    return MHD_YES; /* answered in a later turn */
}

struct MHD_Daemon *serve_start(struct server *s, int fd, bool public)
{
    static const char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE";
    bool tls = public && s->certificate != NULL;
    struct MHD_OptionItem with_tls[] = {
        { MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)guard_certificate },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)versions },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem *more = tls ? with_tls : &with_tls[COUNT(with_tls) - 1];
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    /* its own limit and timeout stand aside: ours are in connection.c */
    return MHD_start_daemon(
        tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, handle, s, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_URI_LOG_CALLBACK, first_sight, s, MHD_OPTION_NOTIFY_COMPLETED, gone, s,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, s, MHD_OPTION_CONNECTION_LIMIT,
        s->library_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_CONNECTION_POOL,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, more,
        MHD_OPTION_END);
}

void serve_free_requests(struct server *s)
{
    while (s->free != NULL) {
        struct request *r = s->free;
        s->free = r->next_free;
        free(r);
    }
    while (s->spare_count > 0) {
        struct spare_memory *m = &s->spare[--s->spare_count];
        arena_fini(&m->arena);
        buf_fini(&m->body);
    }
}
