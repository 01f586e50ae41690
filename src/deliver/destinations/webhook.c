/* Requests by the Standard Webhooks specification 1.0: docs/webhook.md. */
#include "codec/time.h"
#include "deliver/destination_priv.h"
#include "deliver/sign.h"

/* Nothing of the attempt stands in the body: a repetition is the same bytes. */
static void write_body(const struct outgoing_event *event, uint32_t count, struct buf *to)
{
    buf_lit(to, "{\"batch\":[");
    for (uint32_t i = 0; i < count; i++) {
        char id[ID_TEXT + 1], received[TIME_TEXT + 1];
        id_format(&event[i].id, id);
        time_format(event[i].received_ms, received);
        if (i > 0)
            buf_byte(to, ',');
        buf_lit(to, "{\"id\":\"");
        buf_add(to, id, ID_TEXT);
        buf_lit(to, "\",\"received\":\"");
        buf_add(to, received, TIME_TEXT);
        buf_lit(to, "\",\"event\":");
        buf_str(to, event[i].body);
        buf_byte(to, '}');
    }
    buf_lit(to, "]}");
}

static enum err build(const struct conf_destination *conf, const struct outgoing_event *event,
                      uint32_t count, const struct id *request, int64_t at_ms, struct arena *a,
                      struct outgoing_request *ret_q)
{
    struct outgoing_request q = { .method = "POST", .url = conf->endpoint };
    q.body = (struct buf)BUF_INIT(LIMIT_SEND_BYTES);
    write_body(event, count, &q.body);
    if (q.body.over) {
        buf_fini(&q.body);
        return ERR_LIMIT;
    }
    enum err err = sign_request(conf->secret, request, at_ms, a, &q);
    if (err != OK) {
        buf_fini(&q.body);
        return err;
    }
    *ret_q = q;
    return OK;
}

static const struct {
    int from, to;
    enum answer answer;
} answers[] = {
    { 200, 299, ANSWER_SENT },    { 300, 399, ANSWER_RETRY }, /* never followed; until the configuration has the new endpoint */
    { 408, 408, ANSWER_RETRY },   { 425, 425, ANSWER_RETRY }, { 429, 429, ANSWER_RETRY },
    { 400, 499, ANSWER_REFUSED }, { 500, 599, ANSWER_RETRY },
};

static enum answer judge(int status, struct str body)
{
    (void)body;
    for (size_t i = 0; i < COUNT(answers); i++)
        if (status >= answers[i].from && status <= answers[i].to)
            return answers[i].answer;
    return ANSWER_UNCERTAIN; /* not a status of HTTP: who knows what it took */
}

const struct destination destination_webhook = { .type = "webhook",
                                                 .build = build,
                                                 .judge = judge };
