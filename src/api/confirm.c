/* Double opt-in: letters asked for by private key, and the page that their links lead to. */
#include "api/route.h"

#include "base/clock.h"
#include "codec/text.h"
#include "codec/utf8.h"

/* ---- private key ---- */

void verification_post(struct request *r)
{
    struct err_info info = { 0 };
    struct verification_request q = { .body = buf_view(&r->body),
                                      .subject = r->parameter,
                                      .received_ms = r->received_ms };
    enum err e =
        pipeline_ask_verification(request_pipeline(r), &q, &r->arena, &r->waiter, &r->saved, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        if (e == ERR_BUSY)
            r->answer.status = 429;
        return;
    }
    r->then = answer_saved;
}

enum err verification_get(struct request *r, struct store_reader *reader, struct str *ret_json,
                          struct err_info *info)
{
    (void)info;
    return ledger_get_verification(reader, r->parameter, clock_now_ms(), &r->arena, ret_json);
}

/* ---- the page ---- */

static void answer_page(struct request *r)
{
    r->answer.page_style = confirmation_css;
    answer_text(r, r->page->status, "text/html; charset=utf-8", r->page->html);
}

static struct confirmation_request request_of(struct request *r)
{
    r->page = arena_new(&r->arena, struct confirmation_page);
    return (struct confirmation_request){ .token = r->parameter,
                                          .accept_language = r->header.accept_language,
                                          .received_ms = r->received_ms };
}

/* Programs follow links, too: nothing is confirmed by it. */
static enum err look_at_page(struct request *r, struct store_reader *reader, struct str *ret_html,
                             struct err_info *info)
{
    (void)info;
    struct confirmation_request q = request_of(r);
    enum err e = ledger_show_confirmation(reader, r->generation->policy, &q, &r->arena, r->page);
    if (e == OK)
        *ret_html = r->page->html;
    return e;
}

void confirmation_get(struct request *r)
{
    r->look = look_at_page;
    r->then = answer_page;
    request_look(r);
}

static enum confirmation_answer answer_of(struct str text)
{
    return str_eq(text, STR("yes"))      ? CONFIRMATION_YES
           : str_eq(text, STR("not_me")) ? CONFIRMATION_NOT_ME
                                         : CONFIRMATION_NONE;
}

void confirmation_post(struct request *r)
{
    struct confirmation_request q = request_of(r);
    struct err_info info = { 0 };
    struct str form = buf_view(&r->body), answer = { 0 };
    (void)query_get(form, STR("answer"), &r->arena, &answer); /* absent: none */
    if (!query_get(form, STR("language"), &r->arena, &q.language) || !utf8_valid(q.language))
        q.language = (struct str){ 0 };
    q.answer = answer_of(answer);
    enum err e = pipeline_confirm(request_pipeline(r), &q, &r->arena, &r->waiter, r->page, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->then = answer_page;
}
