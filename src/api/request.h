/* api/request.h - one HTTP request, from its first byte to its answer.
 *
 * The server fills the first half; a route's handler either answers at once
 * (answer_json, answer_error), or joins the group and sets `then`, which is
 * called when the waiter is done.
 *
 * Thread: the loop's, but for `look`, which runs on the reader's.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/limit.h"
#include "pipeline/pipeline.h"

struct connection;
struct embedded;
struct server;
struct request;
struct route;
struct wish;

enum access { ACCESS_NONE = 0, ACCESS_PUBLIC, ACCESS_PRIVATE, ACCESS_CONTROL };

/* Reads the database for a request, on the reader's thread; the answer lives in the arena. */
typedef enum err (*look_fn)(struct request *r, struct store_reader *reader, struct str *ret_json,
                            struct err_info *info);

struct headers { /* values as they came; empty when absent */
    struct str host, origin, cookie, content_type, authorization, api_key, idempotency_key,
        device_token, read_token, anonymous_id, user_agent, forwarded_for, forwarded_proto, accept,
        accept_encoding, accept_language, if_none_match;
    long long content_length;           /* -1: none */
    uint32_t lengths, encodings, hosts; /* how many Content-Length, Transfer-Encoding, Host */
    bool malformed, broken; /* a field that cannot be; lines that are none (head_put_line()) */
    const char *next;       /* where the next field must begin */
    uint32_t signals;       /* SIGNAL_… */
};

struct reply {
    int status;
    struct str body;
    const char *type;  /* content type; NULL: application/json */
    struct str cookie; /* Set-Cookie */
    struct str device_token;
    const char *page_style; /* a page for people, with this style sheet in it; NULL: no page */
    struct str attachment;  /* to be kept as a file of this name, and not shown; empty: no */
    struct str page_policy; /* a page for people: under this Content-Security-Policy; empty: none */
    uint32_t retry_after_s; /* 0: none */
    bool close;
    struct {
        struct str tag;   /* ETag, quotes included; empty: nobody keeps it */
        uint32_t seconds; /* anybody on the way may keep it so long; 0: asking each time */
        bool gzip;        /* the body is compressed */
        bool constant;    /* the body is there for ever: it is not copied */
    } keep;
};

struct request {
    struct server *server;
    void *connection; /* the HTTP library's */
    struct connection *from;
    struct arena arena;
    struct buf body;
    struct str method;
    struct target {             /* of the request's line; path empty: malformed */
        struct str raw;         /* where the library keeps it, for head_is_whole() alone */
        struct str path, query; /* path normalised: single slashes, none at the end */
        struct str authority;   /* "host:port", when it was given here, too */
    } target;
    struct headers header;
    struct str peer; /* address of the connection */
    struct str ip;   /* of the client, after trusted proxies; empty on the control socket */
    bool control;    /* came by the Unix socket */
    bool promised;   /* it will be handled, busy or not: shed.h */
    bool secure;     /* came by TLS that we speak ourselves */
    bool started, handled, overflow, suspended, answered;
    size_t discarded; /* bytes of a body that nobody wants */
    struct { /* decided before the body was there: what to answer once it is; status 0: no */
        int status;
        const char *message;
        uint32_t retry_after_s;
    } refused;
    const struct route *route;
    struct str parameter; /* what stands in the path where the route has {} , decoded */
    int64_t received_ms;

    enum access access;
    const struct conf_key *key; /* NULL on the control socket */
    uint64_t source;            /* of the key, for deduplication and limits */

    struct waiter waiter;
    void (*then)(struct request *r); /* called when the waiter is done with OK */
    struct reader_job job;
    look_fn look;
    enum err look_result;
    struct err_info *look_info;
    const struct generation *generation; /* held while the reader looks */
    struct str looked;
    struct str saved;                       /* a handler's own */
    const struct document_content *content; /* document.c's own */
    struct wish *wish;                      /* receipt.c's own */
    struct confirmation_page *page;         /* confirm.c's own */
    struct reply answer;
    struct request *next_free;
    struct request *next_kept; /* guard.c */
    bool kept;                 /* it was kept waiting after its head */
};

/* Answers. The body must live in the arena or for ever. */
void answer_json(struct request *r, int status, struct str json);
void answer_saved(struct request *r); /* 200 with r->saved: what most say once it is durable */
void answer_text(struct request *r, int status, const char *type, struct str body);
/* 200, or 304 when the browser has it already: what is the same for everybody. `tag` says which bytes they are;
 * `seconds`: how long it may be kept without asking. */
void answer_kept(struct request *r, const char *type, struct str body, struct str tag,
                 uint32_t seconds);
/* The same with a file that the binary carries, compressed where that is taken. */
void answer_file(struct request *r, const struct embedded *file);
/* {"message":…,"field":…} with the status that fits the error. */
void answer_error(struct request *r, enum err err, const struct err_info *info);
void answer_message(struct request *r, int status, const char *message);
void answer_field(struct request *r, const char *field, const char *why); /* 400 */
/* What pausing and resuming answer once it is durable: {"destination":"crm","paused":true}. */
struct str paused_json(struct request *r, const char *what, struct str id, bool paused);

/* Runs r->look on the reader's thread and answers 200 with what it gives (or its error); when r->then is set, that
 * is called instead of answering, with r->looked filled. */
void request_look(struct request *r);

/* A number or text of the query. */
struct str request_parameter(struct request *r, const char *name);

/* How the body is written, and one of its texts: at a dotted path of JSON, or under the name of a form's
 * field. Empty when it has none, or cannot be read. */
enum body_format request_format(const struct request *r);
struct str request_body_text(struct request *r, const char *path, const char *field);

/* ---- what the routes need of the server ---- */
struct pipeline *request_pipeline(struct request *r);
const struct conf *request_conf(struct request *r);
struct limiter *request_limiter(struct request *r);

/* Which key this is: fills access, key and source. `key` empty: none came. */
void request_use_key(struct request *r, struct str key);
/* The same with the key of ApiKey or, without that, of Authorization: Bearer. */
void request_use_database_key(struct request *r);

/* Within the limit of requests with this key; else it was answered. */
bool request_within_key_rate(struct request *r);
/* The same of a private key for what is not an event: by the second, and by the hour. */
bool request_within_api_rate(struct request *r);

/* The subject of the device token that came, as a header or a cookie; empty: none, or a bad one. */
struct str request_device(struct request *r);

/* Who asks for what is hers: the subject that the operator's server vouches for (`subject.id` and
 * `subject_token` of the body), or the device that licet issued to this browser. With a wrong subject token the
 * device does not count either. Empty: nobody. May use the key that came. */
struct str request_herself(struct request *r, bool *ret_vouched);

/* One from that bucket (api/limit.h); else it was answered. */
bool request_take(struct request *r, enum limit_kind kind, struct str who, uint32_t per,
                  int64_t period_ms);

/* The same for the address it came from, and for whom it is about, by the configured limits; each kind is counted apart, so
 * that who asks much of one may withdraw all the same. */
bool request_take_address(struct request *r, enum limit_kind kind);
bool request_take_subject(struct request *r, enum limit_kind kind, struct str subject);

/* Whether the browser came by TLS, as far as is known. */
bool request_is_https(const struct request *r);

/* Whether the key may be used from the page that the request comes from. */
bool request_origin_allowed(const struct request *r);

/* For the Authorization header alone: true when it is the one that was remembered last, and everything is filled. */
bool request_use_seen_key(struct request *r);
void request_remember_key(struct request *r);

#endif
