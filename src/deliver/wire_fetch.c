#include "deliver/fetch.h"

#include "base/limits.h"
#include "deliver/wire_setup.h"

#include <curl/curl.h>

struct get {
    struct wire_guard guard;
    struct buf body;
};

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct get *g = ctx;
    buf_add(&g->body, bytes, size * count);
    return g->body.over ? 0 : size * count;
}

static void set_up(CURL *e, struct get *g, struct arena *a)
{
    wire_set_guard(e, &g->guard, LIMIT_SEND_S * 1000, a);
    curl_easy_setopt(e, CURLOPT_URL, arena_str(a, g->guard.conf->endpoint).p);
    curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, g);
}

static enum err judge(CURL *e, const struct get *g, CURLcode code, struct fetched *f,
                      const char **ret_why)
{
    long status = 0;
    const char *type = NULL;
    *ret_why = "the daemon is stopping";
    if (code == CURLE_ABORTED_BY_CALLBACK && atomic_load(g->guard.stop))
        return ERR_STOPPED;
    *ret_why = "the page is larger than 1 MB";
    if (g->body.over)
        return ERR_LIMIT;
    *ret_why = code == CURLE_OK ? "" : wire_error(e, &g->guard, code);
    if (code != CURLE_OK)
        return ERR_IO;
    (void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
    *ret_why = status / 100 == 3 ? "the answer is a redirect, which is not followed"
                                 : "the answer is not 200";
    if (status != 200)
        return ERR_VALUE;
    (void)curl_easy_getinfo(e, CURLINFO_CONTENT_TYPE, &type);
    struct str rest = str_of(type), media = { 0 };
    (void)str_next(&rest, ';', &media); /* none at all is no text */
    media = str_trim(media);
    f->html = str_eq_nocase(media, STR("text/html")) ||
              str_eq_nocase(media, STR("application/xhtml+xml"));
    *ret_why = "the answer is neither HTML nor plain text";
    bool plain =
        str_eq_nocase(media, STR("text/plain")) || str_eq_nocase(media, STR("text/markdown"));
    return f->html || plain ? OK : ERR_VALUE;
}

enum err fetch(const struct conf_destination *from, const _Atomic bool *stop, struct arena *a,
               struct fetched *ret_f, const char **ret_why)
{
    CURL *e = curl_easy_init();
    *ret_why = "cannot set up libcurl";
    if (e == NULL)
        return ERR_IO;
    struct get g = { .guard = { .conf = from, .stop = stop }, .body = BUF_INIT(LIMIT_NOTICE) };
    struct fetched f = { 0 };
    set_up(e, &g, a);
    enum err err = judge(e, &g, curl_easy_perform(e), &f, ret_why);
    curl_easy_cleanup(e);
    if (err == OK) {
        f.bytes = arena_str(a, buf_view(&g.body));
        *ret_f = f;
    }
    buf_fini(&g.body);
    return err;
}
