#include "deliver/wire_probe.h"

#include "deliver/post.h"
#include "deliver/wire_setup.h"

#include <curl/curl.h>

static size_t take_answer(char *bytes, size_t size, size_t count, void *ctx)
{
    struct buf *answer = ctx;
    buf_add(answer, bytes, size * count);
    return answer->over ? 0 : size * count;
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
    struct wire_guard g = { .conf = conf, .stop = stop };
    struct buf said = BUF_INIT(LIMIT_ANSWER);
    struct curl_slist *header = NULL;
    wire_set_guard(e, &g, LIMIT_SEND_S * 1000, a);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, &said);
    if (q != NULL) {
        header = wire_set_request(e, &g, q, a);
    } else {
        curl_easy_setopt(e, CURLOPT_URL, arena_str(a, url).p);
        curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
    }
    CURLcode code = g.bad_header ? CURLE_BAD_FUNCTION_ARGUMENT : curl_easy_perform(e);
    long status = 0;
    (void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (int)status;
    answer.body = arena_str(a, buf_view(&said));
    answer.why = wire_error(e, &g, code);
    curl_easy_cleanup(e);
    curl_slist_free_all(header);
    bool long_answer = said.over; /* enough to know what it says */
    buf_fini(&said);
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
