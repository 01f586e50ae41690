/* Consent receipts: for the operator by key, for the person by her own token. */
#include "api/route.h"

#include "audit/receipt.h"
#include "base/clock.h"

enum { LANGUAGE = 35 }; /* RFC 5646: room for any that is in use */
enum form { FORM_JSON, FORM_PAGE, FORM_TEXT };

struct wish { /* what is asked for, and how it is to be shown */
    struct str of, language;
    bool of_act, named;
    enum form form;
};

/* A parameter of the query, or of the body of a POST. */
static struct str parameter(struct request *r, const char *name)
{
    struct str s = request_parameter(r, name);
    return s.n == 0 && r->body.n > 0 ? request_body_text(r, name, name) : s;
}

static bool form_of(struct request *r, enum form *ret_form)
{
    struct str format = parameter(r, "format"), html = STR("text/html");
    struct str accept = r->header.accept;
    bool page = accept.n > 0 && memmem(accept.p, accept.n, html.p, html.n) != NULL;
    if (format.n == 0)
        *ret_form = page ? FORM_PAGE : FORM_JSON;
    else if (str_eq(format, STR("json")))
        *ret_form = FORM_JSON;
    else if (str_eq(format, STR("html")))
        *ret_form = FORM_PAGE;
    else if (str_eq(format, STR("text")))
        *ret_form = FORM_TEXT;
    else
        return false;
    return true;
}

static struct str language_of(struct request *r)
{
    struct str asked = str_trim(parameter(r, "language"));
    return asked.n > 0 && asked.n <= LANGUAGE ? asked : receipt_language(r->header.accept_language);
}

/* ---- on the reader's thread ---- */

static enum err show(struct request *r, struct str receipt, struct str *ret_shown)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(4 * RECEIPT_MAX);
    bool page = r->wish->form == FORM_PAGE;
    if (r->wish->form == FORM_JSON) {
        *ret_shown = receipt;
        return OK;
    }
    if (!(page ? receipt_page : receipt_text)(receipt, &r->arena, &b))
        return ERR_LIMIT;
    *ret_shown = arena_str(&r->arena, buf_view(&b));
    return OK;
}

static enum err look_for_receipt(struct request *r, struct store_reader *reader,
                                 struct str *ret_shown, struct err_info *info)
{
    (void)info;
    struct str receipt;
    struct receipt_question q = { .policy = r->generation->policy,
                                  .language = r->wish->language,
                                  .named = r->wish->named,
                                  .now_ms = clock_now_ms() };
    enum err e = r->wish->of_act ? receipt_of_act(reader, &q, r->wish->of, &r->arena, &receipt)
                                 : receipt_of_subject(reader, &q, r->wish->of, &r->arena, &receipt);
    if (e == ERR_NOT_FOUND && r->wish->form == FORM_PAGE) { /* it is said on a page as well */
        *ret_shown = (struct str){ 0 };
        return OK;
    }
    return e == OK ? show(r, receipt, ret_shown) : e;
}

/* ---- answers ---- */

static void answer_receipt(struct request *r, int status, struct str shown)
{
    static const char *const type[] = { NULL, "text/html; charset=utf-8",
                                        "text/plain; charset=utf-8" };
    if (r->wish->form == FORM_PAGE)
        r->answer.page_policy = receipt_page_policy(&r->arena);
    answer_text(r, status, type[r->wish->form], shown);
}

/* The same to whoever may not know and of whom there is nothing to know. */
static void answer_nothing(struct request *r)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(64 << 10);
    if (r->wish->form != FORM_PAGE) {
        answer_error(r, ERR_NOT_FOUND, NULL);
        return;
    }
    receipt_nothing(r->wish->language, &r->arena, &b);
    answer_receipt(r, 404, arena_str(&r->arena, buf_view(&b)));
}

static void looked(struct request *r)
{
    if (r->looked.n == 0)
        answer_nothing(r);
    else
        answer_receipt(r, 200, r->looked);
}

/* False: it was answered. */
static bool begin(struct request *r)
{
    enum form form;
    struct err_info info = { 0 };
    if (!form_of(r, &form)) {
        (void)err_set(&info, ERR_VALUE, "format", "must be json, html or text");
        answer_error(r, ERR_VALUE, &info);
        return false;
    }
    r->wish = arena_new(&r->arena, struct wish);
    r->wish->form = form;
    r->wish->language = language_of(r);
    return true;
}

static void look(struct request *r, struct str of, bool of_act, bool named)
{
    r->wish->of = of;
    r->wish->of_act = of_act;
    r->wish->named = named;
    r->look = look_for_receipt;
    r->then = looked;
    request_look(r);
}

/* GET /consent/ID/receipt */
void receipt_of_consent(struct request *r)
{
    if (begin(r))
        look(r, r->parameter, true, true);
}

/* GET /subjects/ID/receipt */
void receipt_of_person(struct request *r)
{
    if (begin(r))
        look(r, r->parameter, false, true);
}

/* ---- by the person herself ---- */

/* GET or POST /public/receipt. No key opens it, and none is needed. */
void receipt_public(struct request *r)
{
    bool vouched;
    struct str subject = request_herself(r, &vouched);
    if (!request_take_address(r, LIMIT_RECEIPTS) ||
        (subject.n > 0 && !request_take_subject(r, LIMIT_RECEIPTS, subject)) || !begin(r))
        return;
    if (subject.n == 0)
        answer_nothing(r);
    else
        look(r, subject, false, vouched);
}
