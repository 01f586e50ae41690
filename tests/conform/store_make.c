#include "store_make.h"

#include "store/verification.h"

#include "base/clock.h"
#include "codec/time.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t made_ms = 1767225600000; /* 2026-01-01 */

void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char below[512];
        (void)snprintf(below, sizeof below, "%s/%s", dir, e->d_name);
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            remove_dir(below);
        (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    (void)closedir(d);
    (void)rmdir(dir);
}

const char made_first_release[] =
    "DROP TABLE verification;"
    "DROP TABLE hook_message; DROP TABLE hook;"
    "DROP TABLE finding; DROP INDEX notice_timestamp;"
    "DROP TABLE attachment; DROP TABLE document; DROP TABLE content;"
    "DROP TABLE voided; DROP TABLE coverage; DROP TABLE unknown; DROP TABLE import;"
    "DROP TABLE import_refused;"
    "DROP TABLE subject_word; DROP INDEX subject_first_name; DROP INDEX subject_last_name;"
    "DROP INDEX subject_verified; DROP INDEX act_source; DROP INDEX act_type;"
    "ALTER TABLE act DROP COLUMN type;"
    "DELETE FROM schema_version WHERE version > 1";

const char *file_in(struct made *m, const char *name)
{
    return arena_printf(&m->a, "%s/%s", m->dir, name).p;
}

void copy_file(const char *from, const char *to)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(64 << 20);
    AUTO(close_fd) int in = open(from, O_RDONLY | O_CLOEXEC);
    AUTO(close_fd) int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat st;
    assert_int_equal(fstat(in, &st), 0);
    char *p = buf_room(&b, (size_t)st.st_size);
    assert_int_equal(read(in, p, (size_t)st.st_size), st.st_size);
    assert_int_equal(write(out, p, (size_t)st.st_size), st.st_size);
}

void made_open(struct made *m)
{
    struct err_info info = { 0 };
    struct store_options o = { .memory = m->memory, .dir = str_of(m->dir) };
    if (store_open(&o, &m->s, &info) != OK)
        fail_msg("open: %s", info.text);
    ok(store_reader_open(m->s, &m->r, &info));
}

void made_close(struct made *m)
{
    store_reader_close(&m->r);
    store_close(&m->s);
}

static int make(void **state, bool memory)
{
    struct made *m = calloc(1, sizeof *m);
    m->memory = memory;
    if (!memory) {
        (void)snprintf(m->dir, sizeof m->dir, "/tmp/licet-store-XXXXXX");
        assert_non_null(mkdtemp(m->dir));
    }
    made_open(m);
    *state = m;
    return 0;
}

int made_memory(void **state)
{
    return make(state, true);
}

int made_file(void **state)
{
    return make(state, false);
}

int unmade(void **state)
{
    struct made *m = *state;
    uint64_t n = m->unverified ? 0 : faults(m->r, true);
    made_close(m);
    if (!m->memory)
        remove_dir(m->dir);
    arena_fini(&m->a);
    free(m);
    return n == 0 ? 0 : -1; /* whatever a test did, what it leaves agrees with itself */
}

void begin(struct made *m)
{
    ok(store_begin(m->s));
}

struct chain_head commit_at(struct made *m, int64_t at_ms)
{
    struct chain_head head = { 0 };
    struct err_info info = { 0 };
    if (store_commit(m->s, at_ms, &head, &info) != OK)
        fail_msg("commit: %s", info.text);
    ok(store_publish(m->s, &info));
    return head;
}

struct chain_head commit(struct made *m)
{
    return commit_at(m, ++made_ms);
}

int64_t add_subject(struct made *m, const char *id)
{
    int64_t seq = 0, now = ++made_ms;
    struct subject_row row = { .id = str_of(id), .changed_ms = now };
    struct str payload = arena_printf(&m->a, "{\"id\":\"%s\"}", id);
    ok(store_put_subject(m->s, &row, payload, now, &seq));
    return seq;
}

/* The payload as the ledger writes it. */
static struct str act_payload(struct arena *a, const struct act_row *row)
{
    const struct act_effect *e = row->effect;
    char id[ID_TEXT + 1];
    id_format(&row->id, id);
    struct str effects = { 0 };
    if (row->effect_count)
        effects = arena_printf(
            a,
            "{\"purpose\":%u,\"grant\":%s,\"confirmed\":%s,\"evidence\":\"%s\",\"version\":%u,"
            "\"effect\":%lld}",
            e->purpose, e->grant ? "true" : "false", e->confirmed ? "true" : "false",
            act_evidence_name[e->evidence], e->version, (long long)e->effect_ms);
    struct str preferences = { 0 };
    if (row->preference_count)
        preferences = arena_printf(a, "\"%.*s\":%s", STR_ARG(row->preference[0]),
                                   row->effect_count && !e->grant ? "false" : "true");
    return arena_printf(
        a,
        "{\"id\":\"%s\",\"subject\":{\"id\":\"%.*s\"},\"timestamp\":%lld,"
        "\"received\":%lld,\"source\":\"%s\",\"preferences\":{%.*s},\"effects\":[%.*s]%s}",
        id, STR_ARG(row->subject), (long long)row->claimed_ms, (long long)row->received_ms,
        act_source_name[row->source], STR_ARG(preferences), STR_ARG(effects),
        row->type.n ? arena_printf(a, ",\"consent_type\":\"%.*s\"", STR_ARG(row->type)).p : "");
}

int64_t add_act(struct made *m, const struct act_spec *spec, struct id *ret_id)
{
    int64_t seq = 0, now = ++made_ms;
    struct act_effect effect = { .purpose = spec->purpose,
                                 .grant = !spec->lowers,
                                 .confirmed = !spec->unconfirmed,
                                 .evidence = spec->bare ? EVIDENCE_BARE : EVIDENCE_SHOWN,
                                 .version = spec->version,
                                 .effect_ms = spec->effect_ms ? spec->effect_ms : now };
    struct str preference = str_of(spec->preference);
    struct act_row row = { .id = id_new(now),
                           .subject = str_of(spec->subject),
                           .claimed_ms = spec->claimed_ms ? spec->claimed_ms : now,
                           .received_ms = now,
                           .source = spec->source,
                           .effect = &effect,
                           .effect_count = spec->purpose ? 1 : 0,
                           .ip = str_of(spec->ip),
                           .type = str_of(spec->type),
                           .preference = &preference,
                           .preference_count = spec->preference ? 1 : 0 };
    row.payload = act_payload(&m->a, &row);
    if (spec->document) {
        char id[ID_TEXT + 1];
        id_format(&spec->document->id, id);
        row.payload = arena_printf(&m->a, "%.*s,\"proof_document_ids\":[\"%s\"]}",
                                   (int)row.payload.n - 1, row.payload.p, id);
    }
    ok(store_add_act(m->s, &row, &seq));
    if (spec->document)
        ok(store_attach_documents(m->s, seq, &spec->document->seq, 1));
    if (ret_id)
        *ret_id = row.id;
    return seq;
}

uint32_t add_notice(struct made *m, const char *identifier, const char *content)
{
    int64_t seq, now = ++made_ms;
    struct notice_row row = { .identifier = str_of(identifier),
                              .version = store_next_notice(m->s, str_of(identifier)),
                              .timestamp_ms = now,
                              .received_ms = now,
                              .content = str_of(content) };
    ok(store_add_notice(m->s, &row, arena_printf(&m->a, "{\"identifier\":\"%s\"}", identifier),
                        &seq));
    return row.version;
}

struct document added_document(struct made *m, const char *name, struct str bytes)
{
    struct document d;
    struct id id = add_document(m, name, bytes);
    ok(store_get_document(store_own_reader(m->s), &id, &m->a, &d));
    return d;
}

struct id add_document(struct made *m, const char *name, struct str bytes)
{
    int64_t seq, now = ++made_ms;
    struct document d = {
        .id = id_new(now), .received_ms = now, .name = str_of(name), .type = STR("application/pdf")
    };
    store_measure_document(bytes, &d);
    ok(store_add_document(m->s, &d, bytes, arena_printf(&m->a, "{\"name\":\"%s\"}", name), &seq));
    return d.id;
}

int64_t add_verification(struct made *m, const char *subject, char mark, struct id *ret_id)
{
    int64_t seq, now = ++made_ms;
    char id[ID_TEXT + 1], until[TIME_TEXT + 1];
    struct verification v = { .id = id_new(now),
                              .subject = str_of(subject),
                              .at_ms = now,
                              .until_ms = now + 1000,
                              .letter.next_ms = now };
    memset(v.token, mark, sizeof v.token);
    memset(v.address, mark & 0x5f, sizeof v.address);
    id_format(&v.id, id);
    time_format(v.until_ms, until);
    ok(store_add_verification(m->s, &v,
                              arena_printf(&m->a,
                                           "{\"id\":\"%s\",\"subject\":\"%s\",\"until\":\"%s\"}",
                                           id, subject, until),
                              &seq));
    if (ret_id)
        *ret_id = v.id;
    return seq;
}

struct id add_event(struct made *m, struct segment_builder *b, const char *device,
                    const char *person, size_t body)
{
    (void)m;
    int64_t now = ++made_ms;
    struct id id = id_new(now);
    static char text[LIMIT_EVENT + 64];
    int n = snprintf(text, sizeof text, "{\"n\":%lld,\"p\":\"", (long long)now);
    for (; (size_t)n + 2 < body; n++)
        text[n] = (char)('a' + n % 26);
    text[n++] = '"';
    text[n++] = '}';
    struct stored_event e = { .id = id,
                              .received_ms = now,
                              .timestamp_ms = now - 5,
                              .message_hash = (uint64_t)now * 0x9E3779B97F4A7C15u,
                              .act_seq = 1,
                              .generation = 1,
                              .device = str_of(device),
                              .person = str_of(person),
                              .verdict = { REASON_PERMITTED | STORED_DEVICE_FIELDS,
                                           REASON_PERMITTED | STORED_PERSON_FIELDS,
                                           REASON_WITHDRAWN },
                              .body = { text, (size_t)n } };
    assert_true(segment_add(b, &e));
    return id;
}

static struct chain_head add_group(struct made *m, const char *device, uint32_t n, size_t body,
                                   bool mixed)
{
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    for (uint32_t i = 0; i < n; i++)
        (void)add_event(m, &b, device, NULL, body);
    begin(m);
    if (mixed)
        (void)add_act(m, &(struct act_spec){ .subject = device, .purpose = 1 }, NULL);
    ok(store_add_segment(m->s, &b));
    return commit(m);
}

struct chain_head add_events(struct made *m, const char *device, uint32_t n, size_t body)
{
    return add_group(m, device, n, body, false);
}

struct chain_head add_mixed(struct made *m, const char *device, uint32_t n, size_t body)
{
    return add_group(m, device, n, body, true);
}

enum err try_log(struct made *m, uint32_t n, size_t body, struct chain_head *ret_head)
{
    AUTO(segment_builder_fini) struct segment_builder b;
    segment_builder_init(&b);
    for (uint32_t i = 0; i < n; i++)
        (void)add_event(m, &b, "ada", NULL, body);
    enum err e = store_begin(m->s);
    if (e == OK)
        e = store_add_segment(m->s, &b);
    return e == OK ? store_commit(m->s, ++made_ms, ret_head, NULL) : e;
}

static void print(void *ctx, const char *what)
{
    if (*(const bool *)ctx)
        print_message("# fault: %s\n", what);
}

uint64_t faults(struct store_reader *r, bool show)
{
    struct verify_result result = { 0 };
    struct err_info info = { 0 };
    enum err e = store_verify(r, print, &show, &result, &info);
    if (e != OK)
        fail_msg("verify: %s", info.text);
    return result.faults;
}
