#include "deliver/wire_probe.h"

#include "base/address.h"
#include "deliver/post.h"
#include "deliver/wire_setup.h"

#include <curl/curl.h>

#include <sys/socket.h>
#include <unistd.h>

struct look {
    const struct conf_destination *conf;
    bool closed_address;
    size_t head_bytes;
    struct buf answer;
    const atomic_bool *stop; /* or NULL */
};

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct look *l = ctx;
    (void)purpose;
    if (!wire_may_call_private(l->conf) && !address_is_public(&a->addr)) {
        l->closed_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *ctx)
{
    struct look *l = ctx;
    buf_add(&l->answer, bytes, size * count);
    return l->answer.over ? 0 : size * count;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct look *l = ctx;
    (void)bytes;
    l->head_bytes += size * count;
    return l->head_bytes > LIMIT_ANSWER_HEAD ? 0 : size * count;
}

static int look_at_stop(void *ctx, curl_off_t to_get, curl_off_t got, curl_off_t to_send,
                        curl_off_t sent)
{
    const struct look *l = ctx;
    (void)to_get, (void)got, (void)to_send, (void)sent;
    return l->stop != NULL && atomic_load(l->stop);
}

static void set_up(CURL *e, struct str url, const struct outgoing_request *q,
                   struct curl_slist *header, struct look *l, struct arena *a)
{
    curl_easy_setopt(e, CURLOPT_URL, arena_str(a, url).p);
    wire_set_connection(e, l->conf, a);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, l);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "licet/" LICET_VERSION);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, LIMIT_CONNECT_S * 1000L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, LIMIT_SEND_S * 1000L);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, l);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, l);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, look_at_stop);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, l);
    if (q == NULL) {
        curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
        return;
    }
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, header);
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body.n > 0 ? q->body.p : "");
}

static struct curl_slist *headers_of(const struct outgoing_request *q, struct arena *a)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    must(list != NULL);
    for (uint32_t i = 0; q != NULL && i < q->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(list, arena_str(a, q->header[i]).p);
        must(longer != NULL);
        list = longer;
    }
    return list;
}

static enum err call(const struct conf_destination *conf, struct str url,
                     const struct outgoing_request *q, const atomic_bool *stop, struct arena *a,
                     struct wire_answer *ret_answer)
{
    struct wire_answer answer = { 0 };
    CURL *e = curl_easy_init();
    if (e == NULL) {
        *ret_answer = (struct wire_answer){ .why = "cannot set up libcurl" };
        return ERR_IO;
    }
    struct look l = { .conf = conf, .answer = BUF_INIT(LIMIT_ANSWER), .stop = stop };
    struct curl_slist *header = headers_of(q, a);
    set_up(e, url, q, header, &l, a);
    CURLcode code = curl_easy_perform(e);
    long status = 0;
    (void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (int)status;
    answer.body = arena_str(a, buf_view(&l.answer));
    answer.why = wire_error(e, conf, l.closed_address, code);
    curl_easy_cleanup(e);
    curl_slist_free_all(header);
    bool long_answer = l.answer.over; /* enough to know what it says */
    buf_fini(&l.answer);
    *ret_answer = answer;
    return code == CURLE_OK || (long_answer && status > 0) ? OK : ERR_IO;
}

enum err wire_probe(const struct conf_destination *conf, struct str url,
                    const struct outgoing_request *q, struct arena *a,
                    struct wire_answer *ret_answer)
{
    return call(conf, url, q, NULL, a, ret_answer);
}

enum err post(const struct conf_destination *to, const struct post *q, struct arena *a,
              int *ret_status, struct str *ret_answer, const char **ret_why)
{
    struct wire_answer answer;
    struct outgoing_request r = { .method = "POST", .url = q->url, .body = BUF_INIT(q->body.n) };
    r.header[r.header_count++] = arena_printf(a, "Content-Type: %s", q->type);
    buf_str(&r.body, q->body);
    enum err e = call(to, q->url, &r, q->stop, a, &answer);
    buf_fini(&r.body);
    if (e != OK) {
        *ret_why = answer.why;
        return e;
    }
    *ret_status = answer.status;
    *ret_answer = answer.body;
    return OK;
}
