#include "api/route.h"
#include "api/server_priv.h"

#include "base/clock.h"
#include "codec/json_write.h"
#include "codec/text.h"

#include <microhttpd.h>
#include <sodium.h>

#include <time.h>

/* The library would format it for every answer; it changes once a second. */
static const char *date_of(struct server *s, int64_t at_ms)
{
    int64_t now = at_ms / 1000;
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
static struct MHD_Response *success_of(struct server *s, int64_t at_ms)
{
    static char success[] = "{\"success\":true}";
    const char *date = date_of(s, at_ms);
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
    if (r->answer.keep.seconds != 0) { /* the same for every page, wherever it was first asked */
        (void)MHD_add_response_header(m, "Access-Control-Allow-Origin", "*");
        (void)MHD_add_response_header(m, "Cross-Origin-Resource-Policy", "cross-origin");
        (void)MHD_add_response_header(m, "Timing-Allow-Origin", "*");
        return;
    }
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

static void add_keeping(const struct reply *a, struct MHD_Response *m, struct arena *arena)
{
    if (a->keep.tag.n == 0) {
        (void)MHD_add_response_header(m, "Cache-Control", "no-store");
        return;
    }
    add_text(m, "Cache-Control",
             a->keep.seconds != 0 ? arena_printf(arena, "public, max-age=%u", a->keep.seconds)
                                  : STR("no-cache"),
             arena);
    add_text(m, "ETag", a->keep.tag, arena);
    (void)MHD_add_response_header(m, "Vary", "Accept-Encoding");
    if (a->keep.gzip)
        (void)MHD_add_response_header(m, "Content-Encoding", "gzip");
}

/* A page that people come to by a link of a letter: nothing is run, loaded, framed or told to anybody, and what it
 * says of style stands in it. */
static void add_page(struct MHD_Response *m, const char *style, struct arena *a)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(hash, (const uint8_t *)style, strlen(style)); /* cannot fail */
    struct str text = base64_encode((struct str){ (const char *)hash, sizeof hash }, a);
    add_text(m, "Content-Security-Policy",
             arena_printf(a,
                          "default-src 'none'; style-src 'sha256-%.*s'; form-action 'self'; "
                          "frame-ancestors 'none'; base-uri 'none'",
                          STR_ARG(text)),
             a);
    (void)MHD_add_response_header(m, "Referrer-Policy", "no-referrer");
    (void)MHD_add_response_header(m, "X-Frame-Options", "DENY");
    (void)MHD_add_response_header(m, "X-Robots-Tag", "noindex, nofollow");
    (void)MHD_add_response_header(m, "Cross-Origin-Opener-Policy", "same-origin");
    (void)MHD_add_response_header(m, "Cross-Origin-Resource-Policy", "same-origin");
}

struct MHD_Response *answer_response(struct request *r)
{
    struct reply *a = &r->answer;
    struct MHD_Response *m = MHD_create_response_from_buffer(
        a->body.n, (void *)(uintptr_t)a->body.p,
        a->keep.constant ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
    must(m != NULL);
    (void)MHD_add_response_header(m, "Date", date_of(r->server, r->received_ms));
    (void)MHD_add_response_header(m, "Content-Type", a->type ? a->type : "application/json");
    add_keeping(a, m, &r->arena);
    (void)MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
    add_cors(r, m);
    add_text(m, "Set-Cookie", a->cookie, &r->arena);
    if (a->attachment.n != 0) { /* a stranger may have made it: nothing of it is ever run here */
        add_text(m, "Content-Disposition",
                 arena_printf(&r->arena, "attachment; filename=\"%.*s\"", STR_ARG(a->attachment)),
                 &r->arena);
        (void)MHD_add_response_header(m, "Content-Security-Policy",
                                      "default-src 'none'; sandbox; frame-ancestors 'none'");
        (void)MHD_add_response_header(m, "Cross-Origin-Resource-Policy", "same-origin");
    }
    if (a->page_policy.n != 0) {
        add_text(m, "Content-Security-Policy", a->page_policy, &r->arena);
        (void)MHD_add_response_header(m, "Cross-Origin-Resource-Policy", "same-origin");
        (void)MHD_add_response_header(m, "Referrer-Policy", "no-referrer");
    }
    if (a->page_style != NULL)
        add_page(m, a->page_style, &r->arena);
    add_text(m, "Licet-Device-Token", a->device_token, &r->arena);
    if (a->retry_after_s != 0)
        add_text(m, "Retry-After", arena_printf(&r->arena, "%u", a->retry_after_s), &r->arena);
    if (a->close)
        (void)MHD_add_response_header(m, "Connection", "close");
    return m;
}

bool answer_send(struct request *r)
{
    struct MHD_Connection *connection = r->connection;
    struct reply *a = &r->answer;
    bool usual = a->status == 200 && a->body.p == NULL && !a->close;
    struct MHD_Response *m = usual ? success_of(r->server, r->received_ms) : answer_response(r);
    connection_enter(r->server->connections, r->from, STAGE_ANSWER, r->server->now_ms);
    r->from->bytes = a->body.n;
    enum MHD_Result ok = MHD_queue_response(connection, (unsigned)a->status, m);
    if (!usual)
        MHD_destroy_response(m);
    return ok == MHD_YES;
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

void answer_saved(struct request *r)
{
    answer_json(r, 200, r->saved);
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

struct str paused_json(struct request *r, const char *what, struct str id, bool paused)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(4096);
    buf_byte(&b, '{');
    write_text(&b, what, id);
    write_bool(&b, "paused", paused);
    buf_byte(&b, '}');
    return arena_str(&r->arena, buf_view(&b));
}

static int status_of(enum err err, const struct err_info *info)
{
    switch (err) {
    case ERR_SYNTAX:
    case ERR_VALUE: return 400;
    case ERR_LIMIT:
        return strcmp(info->field, "body") == 0 || strcmp(info->field, "batch") == 0 ||
                       strcmp(info->field, "file") == 0
                   ? 413
                   : 400;
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

void answer_field(struct request *r, const char *field, const char *why)
{
    struct err_info info = { 0 };
    enum err e = err_set(&info, ERR_VALUE, field, "%s", why);
    answer_error(r, e, &info);
}
