/* A consent given on paper or by word, as somebody types it in. */
#include "cli/cmd.h"

#include <stdio.h>

struct option {
    const char *name, *path; /* "a.b": member b of object a */
};
static const struct option options[] = {
    { "--subject", "subject.id" },
    { "--email", "subject.email" },
    { "--first-name", "subject.first_name" },
    { "--last-name", "subject.last_name" },
    { "--full-name", "subject.full_name" },
    { "--at", "timestamp" },
    { "--taken-by", "offline.taken_by" },
    { "--place", "offline.place" },
    { "--kept-at", "offline.kept_at" },
    { "--note", "offline.note" },
    { "--grant", "preferences." }, /* PURPOSE */
    { "--refuse", "preferences." },
    { "--text", "versions." },        /* PURPOSE=VERSION */
    { "--notice", "legal_notices." }, /* IDENTIFIER=VERSION */
    { "--document", "proof_document_ids." },
};

struct said {
    const struct option *option;
    struct str name, value;
};

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < COUNT(options); i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

/* --text statistics=2: both sides of the sign; --grant statistics: the value is the option. */
static bool read_value(struct said *s, const char *value)
{
    struct str rest = str_of(value);
    s->value = rest;
    if (strcmp(s->option->name, "--grant") == 0 || strcmp(s->option->name, "--refuse") == 0) {
        s->name = rest;
        return rest.n > 0;
    }
    if (strcmp(s->option->name, "--text") != 0 && strcmp(s->option->name, "--notice") != 0)
        return true;
    return str_next(&rest, '=', &s->name) && s->name.n > 0 && (s->value = rest).n > 0;
}

static void put(struct buf *b, struct str name, struct str value)
{
    char last = b->n ? b->p[b->n - 1] : 0;
    buf_str(b, last == '{' || last == '[' ? STR("") : STR(","));
    if (name.n) {
        json_write_string(b, name);
        buf_byte(b, ':');
    }
    if (value.n)
        json_write_string(b, value);
}

static bool belongs(const struct option *o, const char *group)
{
    return strncmp(o->path, group, strlen(group)) == 0 && o->path[strlen(group)] == '.';
}

static void put_object(struct buf *b, const struct said *said, int n, const char *group)
{
    put(b, str_of(group), (struct str){ 0 });
    buf_byte(b, '{');
    for (int i = 0; i < n; i++) {
        const struct option *o = said[i].option;
        if (!belongs(o, group))
            continue;
        const char *member = o->path + strlen(group) + 1;
        bool grants = strcmp(o->name, "--grant") == 0;
        if (strcmp(group, "preferences") == 0)
            put(b, said[i].name, grants ? STR("true") : STR("false"));
        else
            put(b, *member ? str_of(member) : said[i].name, said[i].value);
    }
    buf_byte(b, '}');
}

static void put_lists(struct buf *b, const struct said *said, int n)
{
    put(b, STR("legal_notices"), (struct str){ 0 });
    buf_byte(b, '[');
    for (int i = 0; i < n; i++) {
        if (!belongs(said[i].option, "legal_notices"))
            continue;
        put(b, (struct str){ 0 }, (struct str){ 0 });
        buf_byte(b, '{');
        put(b, STR("identifier"), said[i].name);
        put(b, STR("version"), said[i].value);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
    put(b, STR("proof_document_ids"), (struct str){ 0 });
    buf_byte(b, '[');
    for (int i = 0; i < n; i++) {
        if (belongs(said[i].option, "proof_document_ids"))
            put(b, (struct str){ 0 }, said[i].value);
    }
    buf_byte(b, ']');
}

static void write_body(const struct said *said, int n, struct buf *b)
{
    static const char *const objects[] = { "subject", "offline", "preferences", "versions" };
    buf_byte(b, '{');
    for (int i = 0; i < n; i++) {
        if (strcmp(said[i].option->path, "timestamp") == 0)
            put(b, STR("timestamp"), said[i].value);
    }
    for (size_t i = 0; i < COUNT(objects); i++)
        put_object(b, said, n, objects[i]);
    put_lists(b, said, n);
    buf_byte(b, '}');
}

static int post(struct buf *body)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(conf_free) struct conf *c = NULL;
    struct json_doc d;
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_ask(c, "POST", "/consent", buf_view(body), &a, &d);
    if (code != EXIT_DONE)
        return code;
    (void)printf("consent %.*s of subject %.*s\n", STR_ARG(cmd_member(&d, JSON_ROOT, "id", &a)),
                 STR_ARG(cmd_member(&d, JSON_ROOT, "subject_id", &a)));
    uint32_t warnings = json_get(&d, JSON_ROOT, STR("warnings"));
    for (uint32_t w = json_first(&d, warnings); w; w = json_next(&d, warnings, w)) {
        struct str text;
        if (json_string(&d, w, &a, &text))
            (void)printf("warning: %.*s\n", STR_ARG(text));
    }
    return EXIT_DONE;
}

int cmd_consent(int argc, char **argv)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(buf_fini) struct buf body = BUF_INIT(1 << 20);
    struct said *said = arena_array(&a, struct said, (size_t)argc);
    int n = 0;
    if (argc < 2 || strcmp(argv[1], "add") != 0)
        return cmd_fail(EXIT_USAGE, "takes add and what was said: see --help");
    for (int i = 2; i < argc; i += 2) {
        said[n].option = find(argv[i]);
        if (said[n].option == NULL)
            return cmd_fail(EXIT_USAGE, "no option '%s'", argv[i]);
        if (i + 1 == argc || !read_value(&said[n], argv[i + 1]))
            return cmd_fail(EXIT_USAGE, "%s needs a value", argv[i]);
        n++;
    }
    if (n == 0)
        return cmd_fail(EXIT_USAGE, "nothing was said: see --help");
    write_body(said, n, &body);
    return post(&body);
}
