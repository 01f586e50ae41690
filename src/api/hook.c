/* Hooks: how each stands, which messages wait or are dead, pause, resume, resend. */
#include "api/hook.h"

#include "api/route.h"

#include "base/clock.h"
#include "codec/json_write.h"
#include "store/hook.h"

static const struct conf_hook *find(const struct conf *c, struct str id)
{
    for (uint32_t i = 0; i < c->hook_count; i++)
        if (str_eq(c->hook[i].remote.id, id))
            return &c->hook[i];
    return NULL;
}

static int64_t lag_ms(const struct hook_numbers *n)
{
    int64_t waited = n->oldest_ms != 0 ? clock_now_ms() - n->oldest_ms : 0;
    return waited > 0 ? waited : 0;
}

/* ---- how each stands ---- */

static void put_numbers(struct buf *b, const struct hook_numbers *n, uint64_t dead)
{
    write_text(b, "state", str_of(deliver_state_name[n->state]));
    write_text_or_null(b, "why", str_of(n->why));
    write_time_or_null(b, "open_until", n->open_until_ms);
    write_number(b, "lag_facts", n->newest > n->cursor ? n->newest - n->cursor : 0);
    write_number(b, "lag_seconds", lag_ms(n) / 1000);
    write_number(b, "unfinished", n->waiting);
    write_number(b, "in_flight", n->in_flight);
    write_number(b, "window", n->window);
    write_number(b, "dead", (int64_t)dead);
    write_number(b, "told", (int64_t)n->told);
    write_number(b, "failed", (int64_t)n->failed);
    write_number(b, "given_up", (int64_t)n->dead);
    write_time_or_null(b, "last_told", n->last_told_ms);
    write_text_or_null(b, "last_error", str_of(n->last_error));
    write_time_or_null(b, "last_error_at", n->last_error_ms);
    write_number(b, "cursor", n->cursor);
    write_name(b, STR("started"));
    buf_byte(b, '{');
    write_number(b, "fact", n->start_seq);
    write_time_or_null(b, "at", n->start_ms);
    buf_byte(b, '}');
}

static enum err put_hook(struct buf *b, const struct conf_hook *c, struct request *r,
                         struct store_reader *reader)
{
    struct hook_numbers n = { 0 };
    struct hook_row row;
    uint64_t dead = 0;
    enum err e = store_get_hook(reader, c->remote.id, &r->arena, &row);
    if (e == OK)
        e = store_count_hook_messages(reader, row.number, HOOK_DEAD, &dead);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    (void)hooks_get_numbers(pipeline_hooks(request_pipeline(r)), c->remote.id, &n);
    buf_byte(b, '{');
    write_text(b, "hook", c->remote.id);
    put_numbers(b, &n, dead);
    buf_byte(b, '}');
    return OK;
}

enum err hook_list(struct request *r, struct store_reader *reader, struct str *ret_json,
                   struct err_info *info)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);
    const struct conf *c = r->generation->conf;
    enum err e = OK;
    buf_byte(&b, '[');
    for (uint32_t i = 0; e == OK && i < c->hook_count; i++) {
        if (i > 0)
            buf_byte(&b, ',');
        e = put_hook(&b, &c->hook[i], r, reader);
    }
    buf_byte(&b, ']');
    if (e != OK)
        return err_set(info, e, NULL, "the hooks cannot be read: %s", err_text(e));
    *ret_json = arena_str(&r->arena, buf_view(&b));
    return OK;
}

/* ---- messages that are not finished ---- */

static void put_message(struct buf *b, struct str hook, const struct hook_message *m)
{
    char id[ID_TEXT + 1];
    id_format(&m->id, id);
    buf_byte(b, '{');
    write_text(b, "id", str_of(id));
    write_text(b, "hook", hook);
    write_number(b, "fact", m->seq);
    write_number(b, "attempts", m->attempts);
    write_time_or_null(b, "recorded", id_ms(&m->id));
    write_time_or_null(b, "first", m->first_ms);
    write_time_or_null(b, "last", m->at_ms);
    write_time_or_null(b, "next", m->state == HOOK_WAITING ? m->next_ms : 0);
    write_text(b, "error", m->error);
    buf_byte(b, '}');
}

static struct str name_of(const struct hook_row *row, uint32_t count, int64_t number)
{
    for (uint32_t i = 0; i < count; i++)
        if (row[i].number == number)
            return row[i].id;
    return STR("?");
}

static int64_t number_of(const struct hook_row *row, uint32_t count, struct str id)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_eq(row[i].id, id))
            return row[i].number;
    return 0;
}

/* ?state=dead|waiting&hook=ID&after=FACT: the first 100, by hook, the oldest first; `after` needs `hook`. */
enum err hook_messages(struct request *r, struct store_reader *reader, struct str *ret_json,
                       struct err_info *info)
{
    struct str state = request_parameter(r, "state"), hook = request_parameter(r, "hook"),
               after_text = request_parameter(r, "after");
    bool waiting = str_eq(state, STR("waiting"));
    unsigned long long after = 0;
    struct hook_row *row;
    struct hook_message *m;
    uint32_t rows, count;
    if (!waiting && state.n > 0 && !str_eq(state, STR("dead")))
        return err_set(info, ERR_VALUE, "state", "must be waiting or dead");
    enum err e = store_list_hooks(reader, &r->arena, &row, &rows);
    int64_t number = e == OK ? number_of(row, rows, hook) : 0;
    if (e == OK && hook.n > 0 && number == 0)
        return err_set(info, ERR_VALUE, "hook", "is not known");
    if (after_text.n > 0 && (number == 0 || !str_to_u64(after_text, &after) || after > INT64_MAX))
        return err_set(info, ERR_VALUE, "after", "is the number of a fact, and goes with 'hook'");
    if (e == OK)
        e = store_list_hook_messages(reader, number, waiting ? HOOK_WAITING : HOOK_DEAD,
                                     (int64_t)after, LIMIT_LIST, &r->arena, &m, &count);
    if (e != OK)
        return err_set(info, e, NULL, "the messages cannot be read: %s", err_text(e));
    AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);
    buf_byte(&b, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_byte(&b, ',');
        put_message(&b, name_of(row, rows, m[i].hook), &m[i]);
    }
    buf_byte(&b, ']');
    *ret_json = arena_str(&r->arena, buf_view(&b));
    return OK;
}

/* ---- what people say ---- */

/* Committed: the hooks' thread hears of it. */
static void changed(struct request *r)
{
    hooks_look(pipeline_hooks(request_pipeline(r)));
    answer_saved(r);
}

static bool wanted(struct request *r, struct str *ret_hook)
{
    struct str hook = request_parameter(r, "hook");
    if (hook.n > 0 && find(pipeline_generation(request_pipeline(r))->conf, hook) == NULL) {
        answer_field(r, "hook", "is not in the configuration");
        return false;
    }
    *ret_hook = hook;
    return true;
}

static void set_paused(struct request *r, bool paused)
{
    struct err_info info = { 0 };
    struct str hook;
    if (!wanted(r, &hook))
        return;
    if (hook.n == 0) {
        answer_field(r, "hook", "is needed");
        return;
    }
    enum err e = pipeline_pause_hook(request_pipeline(r), hook, paused, &r->waiter, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->saved = paused_json(r, "hook", hook, paused);
    r->then = changed;
}

void hook_pause(struct request *r)
{
    set_paused(r, true);
}

void hook_resume(struct request *r)
{
    set_paused(r, false);
}

/* ?id=MESSAGE (of all hooks, or with hook=ID of one), or ?hook=ID, or ?all=1 */
void hook_resend(struct request *r)
{
    struct err_info info = { 0 };
    struct str id_text = request_parameter(r, "id"), hook;
    struct id id;
    uint32_t count = 0;
    if (id_text.n > 0 && !id_parse(id_text, &id)) {
        answer_field(r, "id", "must be the id of a message");
        return;
    }
    if (!wanted(r, &hook))
        return;
    if (id_text.n == 0 && hook.n == 0 && request_parameter(r, "all").n == 0) {
        answer_field(r, "id", "one of id, hook and all=1 is needed");
        return;
    }
    enum err e = pipeline_revive_hook(request_pipeline(r), hook, id_text.n > 0 ? &id : NULL,
                                      &r->waiter, &count, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->saved = arena_printf(&r->arena, "{\"resent\":%u}", count);
    r->then = changed;
}

/* ---- metrics ---- */

static double lag_facts(const struct hook_numbers *n)
{
    return n->newest > n->cursor ? (double)(n->newest - n->cursor) : 0;
}

static double lag_seconds(const struct hook_numbers *n)
{
    return (double)lag_ms(n) / 1000;
}

static double circuit(const struct hook_numbers *n)
{
    return n->state == DELIVER_OPEN ? 2 : n->state == DELIVER_PROBING ? 1 : 0;
}

static double is_paused(const struct hook_numbers *n)
{
    return n->state == DELIVER_PAUSED;
}

static double unfinished(const struct hook_numbers *n)
{
    return n->waiting;
}

static void put_results(struct buf *to, struct pipeline *p, const struct conf *c)
{
    buf_lit(to, "# HELP licet_hook_messages_total Messages to hooks, by result: told, an attempt "
                "that failed, given up.\n# TYPE licet_hook_messages_total counter\n");
    for (uint32_t i = 0; i < c->hook_count; i++) {
        struct hook_numbers n = { 0 };
        struct str id = c->hook[i].remote.id;
        (void)hooks_get_numbers(pipeline_hooks(p), id, &n);
        const struct {
            const char *result;
            unsigned long long value;
        } row[] = { { "told", n.told }, { "failed", n.failed }, { "dead", n.dead } };
        for (size_t k = 0; k < COUNT(row); k++)
            buf_printf(to, "licet_hook_messages_total{hook=\"%.*s\",result=\"%s\"} %llu\n",
                       STR_ARG(id), row[k].result, row[k].value);
    }
}

void hook_put_metrics(struct buf *to, struct pipeline *p)
{
    static const struct {
        const char *name, *help;
        double (*value)(const struct hook_numbers *n);
    } gauge[] = {
        { "lag_facts", "Facts from the oldest message not finished to the newest one.", lag_facts },
        { "lag_seconds", "Age of the oldest message not finished.", lag_seconds },
        { "circuit", "0 closed, 1 probing, 2 open.", circuit },
        { "paused", "1 while paused, also by its receiver (status 410).", is_paused },
        { "unfinished", "Messages read from the ledger that have not ended.", unfinished },
    };
    const struct conf *c = pipeline_generation(p)->conf;
    if (c->hook_count == 0)
        return;
    put_results(to, p, c);
    for (size_t g = 0; g < COUNT(gauge); g++) {
        buf_printf(to, "# HELP licet_hook_%s %s\n# TYPE licet_hook_%s gauge\n", gauge[g].name,
                   gauge[g].help, gauge[g].name);
        for (uint32_t i = 0; i < c->hook_count; i++) {
            struct hook_numbers n = { 0 };
            struct str id = c->hook[i].remote.id;
            (void)hooks_get_numbers(pipeline_hooks(p), id, &n);
            buf_printf(to, "licet_hook_%s{hook=\"%.*s\"} %.15g\n", gauge[g].name, STR_ARG(id),
                       gauge[g].value(&n));
        }
    }
}
