#include "cli/cmd.h"

#include "base/clock.h"
#include "collect/segment.h"
#include "consent/ledger.h"
#include "pipeline/explain.h"
#include "policy/compile.h"
#include "policy/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int explain_stored(struct store_reader *r, const char *text, struct arena *a)
{
    struct id id;
    if (!id_parse(str_of(text), &id))
        return cmd_fail(EXIT_USAGE, "EVENT must be a UUID");
    struct str json;
    enum err e = explain_event(r, &id, a, &json);
    if (e == OK) {
        (void)printf("%.*s\n", STR_ARG(json));
        return EXIT_DONE;
    }
    if (e != ERR_NOT_FOUND)
        return cmd_fail(EXIT_FAILED, "%s", err_text(e));
    int64_t hour = id_ms(&id) / 3600000 * 3600000;
    e = explain_counters(r, hour, hour, a, &json);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s", err_text(e));
    (void)printf("{\"id\":\"%s\",\"stored\":false,\"denied_in_that_hour\":%.*s}\n", text,
                 STR_ARG(json));
    return EXIT_DONE;
}

static int explain_denied(struct store_reader *r, struct arena *a)
{
    struct str json;
    enum err e = explain_counters(r, 0, INT64_MAX, a, &json);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s", err_text(e));
    (void)printf("%.*s\n", STR_ARG(json));
    return EXIT_DONE;
}

static int read_file(const char *name, struct buf *to)
{
    FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    if (f == NULL)
        return cmd_fail(EXIT_FAILED, "%s cannot be read", name);
    for (char *room; (room = buf_room(to, 4096)) != NULL;) {
        size_t n = fread(room, 1, 4096, f);
        to->n += n;
        if (n == 0)
            break;
    }
    bool failed = ferror(f) != 0;
    if (f != stdin)
        (void)fclose(f); /* only read from */
    return failed || to->over ? cmd_fail(EXIT_FAILED, "%s cannot be read, or is too large", name)
                              : EXIT_DONE;
}

static void free_snapshot(struct snapshot **s)
{
    free(*s);
    *s = NULL;
}

static int judge_event(struct store_reader *r, const struct policy *p, const struct event *e)
{
    AUTO(free_snapshot) struct snapshot *device = NULL, *person = NULL;
    enum err err = e->device.n ? store_load_snapshot(r, e->device, INT64_MAX, &device) : OK;
    if (err == OK && e->person.n)
        err = store_load_snapshot(r, e->person, INT64_MAX, &person);
    if (err != OK)
        return cmd_fail(EXIT_FAILED, "the database cannot be read: %s", err_text(err));
    AUTO(buf_fini) struct buf out = BUF_INIT(1 << 20);
    for (uint32_t i = 0; i < p->use_count; i++) {
        struct use use = { .index = i,
                           .has_device = e->device.n != 0,
                           .has_person = e->person.n != 0,
                           .signals = e->signals,
                           .lowered = e->lowered,
                           .use_lowered = (e->lowered_uses >> i & 1) != 0 };
        struct decision d;
        gate_decide(p, device, person, &use, e->received_ms, &d);
        explain_decision(p, i, &d, &out);
        buf_byte(&out, '\n');
    }
    cmd_print(stdout, buf_view(&out));
    return EXIT_DONE;
}

/* A message that SDKs would send to /v1/track says nowhere that it is one. */
static struct str path_of(const struct json_doc *d)
{
    bool names = json_get(d, JSON_ROOT, STR("event")) != 0;
    bool typed = json_get(d, JSON_ROOT, STR("type")) || json_get(d, JSON_ROOT, STR("batch"));
    return names && !typed ? STR("/v1/track") : STR("/v1/batch");
}

struct asked {
    const char *event, *sample;
    bool denied;
    uint32_t signals; /* SIGNAL_…, of a sample */
};

static int explain_sample(const struct conf *c, struct store_reader *r, const struct asked *asked,
                          struct arena *a)
{
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_BODY), reports = BUF_INIT(LIMIT_CONF);
    int code = read_file(asked->sample, &text);
    if (code != EXIT_DONE)
        return code;
    struct frozen frozen;
    const struct policy *p = NULL;
    enum err e = store_load_frozen(r, a, &frozen);
    if (e == OK)
        e = policy_compile(c, &frozen, store_newest_generation(r), a, &p, &reports);
    if (e != OK)
        return cmd_fail(EXIT_FAILED,
                        "the configuration is not the one that the daemon last ran with");
    struct collect_request q = { .body = buf_view(&text),
                                 .signals = asked->signals,
                                 .received_ms = clock_now_ms() };
    struct json_doc *doc;
    struct collect_result events;
    struct err_info info = { 0 };
    e = collect_segment_scan(&q, a, &doc, &info);
    if (e == OK) {
        q.path = path_of(doc);
        e = collect_segment_events(&q, doc, p, a, &events, &info);
    }
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s: %s", asked->sample, info.text);
    for (uint32_t i = 0; i < events.rejected_count; i++)
        (void)cmd_fail(EXIT_FAILED, "message %u: %s", events.rejected[i].index,
                       events.rejected[i].why);
    for (uint32_t i = 0; i < events.event_count && code == EXIT_DONE; i++)
        code = judge_event(r, p, &events.event[i]);
    return events.rejected_count ? EXIT_FAILED : code;
}

/* One of the three, and signals beside a sample. */
static bool parse(int argc, char **argv, struct asked *ret_asked)
{
    struct asked q = { 0 };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--gpc") == 0)
            q.signals |= SIGNAL_GPC;
        else if (strcmp(argv[i], "--dnt") == 0)
            q.signals |= SIGNAL_DNT;
        else if (strcmp(argv[i], "--denied") == 0)
            q.denied = true;
        else if (strcmp(argv[i], "--sample") == 0 && i + 1 < argc && q.sample == NULL)
            q.sample = argv[++i];
        else if (q.event == NULL && strncmp(argv[i], "--", 2) != 0)
            q.event = argv[i];
        else
            return false;
    }
    *ret_asked = q;
    return (q.event != NULL) + (q.sample != NULL) + q.denied == 1 &&
           (q.signals == 0 || q.sample != NULL);
}

int cmd_explain(int argc, char **argv)
{
    struct asked asked;
    if (!parse(argc, argv, &asked))
        return cmd_fail(EXIT_USAGE, "takes EVENT, or --sample FILE [--gpc] [--dnt], or --denied");
    AUTO(conf_free) struct conf *c = NULL;
    AUTO(store_reader_close) struct store_reader *r = NULL;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_reader(c, &r);
    if (code != EXIT_DONE)
        return code;
    if (asked.sample != NULL)
        return explain_sample(c, r, &asked, &a);
    return asked.denied ? explain_denied(r, &a) : explain_stored(r, asked.event, &a);
}
