/* Data folders with bytes changed, or cut: opened or refused, everything in them read or refused, and never
 * an end of the process. The input says what to change: where (3 bytes), to what (1); first byte 255: cut there. */
#include "consent/query.h"
#include "consent/told.h"
#include "consent/world.h"
#include "store/document.h"

#include "target.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 16, CHANGES = 64, EVENTS = 4 };

static struct file {
    char name[64];
    char *bytes;
    size_t n;
} file[FILES];
static uint32_t files;
static size_t total;
static char dir[64];

/* ---- a folder with something of everything ---- */

static void some_facts(struct world *w)
{
    static const char *const consent[] = {
        "{\"subject\":{\"id\":\"ada\",\"email\":\"ada@example.com\"},\"preferences\":{"
        "\"statistics\":true,\"letters\":true,\"other\":\"x\"},\"proofs\":[{\"form\":\"f\"}],"
        "\"legal_notices\":[{\"identifier\":\"terms\"}]}",
        "{\"subject\":{\"id\":\"ada\"},\"preferences\":{\"letters\":false}}",
        "{\"subject\":{\"id\":\"bob\"},\"preferences\":{\"statistics\":true}}",
    };
    struct str json;
    must(ledger_add_notices(w->ledger,
                            STR("[{\"identifier\":\"terms\",\"content\":{\"en\":\"T\"}}]"),
                            BODY_JSON, w->now, &w->arena, &json, &w->info) == OK);
    for (size_t i = 0; i < COUNT(consent); i++) {
        struct consent_request q = { .body = str_of(consent[i]),
                                     .source = ACT_PRIVATE_KEY,
                                     .ip = STR("203.0.113.9"),
                                     .received_ms = ++w->now };
        struct consent_answer answer;
        must(ledger_add_consent(w->ledger, w->policy, &q, &w->arena, &answer, &w->info) == OK);
    }
    struct consent_request letter = { .body = STR("{\"subject\":{\"email\":\"eve@example.com\"},"
                                                  "\"preferences\":{\"newsletter\":true},"
                                                  "\"proofs\":[{\"form\":\"f\"}]}"),
                                      .source = ACT_PUBLIC_KEY,
                                      .letter = true,
                                      .received_ms = ++w->now };
    struct consent_answer asked;
    must(ledger_add_consent(w->ledger, w->policy, &letter, &w->arena, &asked, &w->info) == OK);
    must(asked.letter);
    struct document_request d = { .bytes = STR("%PDF-1.7 startxref 9 %%EOF"),
                                  .filename = STR("a.pdf"),
                                  .most = 100,
                                  .received_ms = ++w->now };
    struct id id;
    must(ledger_add_document(w->ledger, &d, &w->arena, &json, &w->info) == OK);
    must(id_parse((struct str){ json.p + sizeof "{\"id\":\"" - 1, ID_TEXT }, &id));
    must(ledger_add_notices(w->ledger,
                            arena_printf(&w->arena,
                                         "{\"identifier\":\"paper\",\"document_ids\":[\"%.*s\"]}",
                                         ID_TEXT, json.p + sizeof "{\"id\":\"" - 1),
                            BODY_JSON, w->now, &w->arena, &json, &w->info) == OK);
    int64_t seq;
    must(store_add_restriction(w->store, STR("bob"), true, STR("{}"), w->now, &seq) == OK);
}

/* One group; `facts`: with some of those beside the events. */
static void some_events(struct world *w, bool facts)
{
    struct segment_builder b; /* the store reads it until the commit */
    segment_builder_init(&b);
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct stored_event e = { .received_ms = w->now,
                                  .message_hash = i + 1,
                                  .device = STR("ada"),
                                  .person = i & 1 ? STR("bob") : (struct str){ 0 },
                                  .verdict = { [1] = REASON_PERMITTED | STORED_DEVICE_FIELDS },
                                  .body = STR("{\"event\":\"Clicked\",\"anonymousId\":\"ada\"}") };
        e.id = id_new(w->now);
        must(segment_add(&b, &e));
    }
    world_begin(w);
    if (facts)
        some_facts(w);
    must(store_add_segment(w->store, &b) == OK);
    world_commit(w);
    segment_builder_fini(&b);
}

static void some_deliveries(struct world *w, int64_t segment)
{
    struct delivery_item item[EVENTS];
    struct delivery_request q = { .slot = 1,
                                  .attempts = 1,
                                  .at_ms = w->now,
                                  .error = STR("status 500"),
                                  .fields = STR("event\nanonymousId"),
                                  .item = item,
                                  .item_count = EVENTS };
    for (uint32_t i = 0; i < EVENTS; i++)
        item[i] = (struct delivery_item){ .segment = segment,
                                          .index = i,
                                          .result = i & 1 ? DELIVERY_RETRY : DELIVERY_SENT,
                                          .fields = i & 1 };
    uint64_t subject[] = { store_subject_hash(store_own_reader(w->store), STR("ada")) };
    q.id = id_new(w->now);
    must(store_mark_sending(w->store, &q, &(struct delivery_cursor){ segment - 1, EVENTS }) == OK);
    must(store_finish_sending(w->store, &q, subject, 1) == OK);
    q.id = id_new(w->now);
    must(store_mark_sending(w->store, &q, NULL) == OK); /* and one that was on its way */
    must(store_count(w->store, 0, 1, REASON_NO_CONSENT, 3) == OK);
    must(store_put_hook(w->store, &(struct hook_row){ .id = STR("crm"), .cursor = 3 }) == OK);
    must(store_put_hook_message(w->store, &(struct hook_message){ .hook = 1,
                                                                  .seq = 2,
                                                                  .state = HOOK_WAITING,
                                                                  .id = q.id,
                                                                  .error = STR("status 500") }) ==
         OK);
}

static void keep_file(const char *folder, const char *name)
{
    char path[256];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return;
    must(files < FILES && strlen(name) < sizeof file[0].name);
    struct file *f = &file[files++];
    memcpy(f->name, name, strlen(name) + 1);
    f->n = (size_t)st.st_size;
    f->bytes = must_alloc(f->n);
    total += f->n;
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(read(fd, f->bytes, f->n) == (ssize_t)f->n);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st, (void)type, (void)f;
    return remove(path);
}

static void remove_all(void)
{
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make(void)
{
    struct world w = { .letters = true };
    world_open(&w, true);
    some_events(&w, true);
    some_events(&w, false);
    world_begin(&w);
    some_deliveries(&w, store_newest_segment(w.reader));
    world_commit(&w);
    ledger_close(&w.ledger);
    store_reader_close(&w.reader);
    store_close(&w.store);
    DIR *d = opendir(w.dir);
    must(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        keep_file(w.dir, e->d_name);
    (void)closedir(d);
    qsort(file, files, sizeof file[0], by_name);
    must(total > 0);
    world_close(&w);
    (void)snprintf(dir, sizeof dir, "%s/licet-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(dir) != NULL && atexit(remove_all) == 0);
}

/* ---- the same, changed ---- */

struct change {
    size_t at;
    uint8_t to;
    bool cut;
};

static void write_file(const struct file *f, size_t begin, const struct change *c, uint32_t count)
{
    char path[256];
    size_t n = f->n;
    char *bytes = must_alloc(n);
    memcpy(bytes, f->bytes, n);
    for (uint32_t i = 0; i < count; i++) {
        size_t at = c[i].at - begin;
        if (c[i].at < begin || at >= f->n)
            continue;
        if (c[i].cut)
            n = at;
        else
            bytes[at] = (char)c[i].to;
    }
    (void)snprintf(path, sizeof path, "%s/%s", dir, f->name);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    free(bytes);
}

static void clear(void)
{
    DIR *d = opendir(dir);
    must(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            (void)unlinkat(dirfd(d), e->d_name, 0);
    (void)closedir(d);
}

/* ---- everything is read ---- */

static void note(void *ctx, const char *what)
{
    must(what[0] != 0);
    ++*(uint64_t *)ctx;
}

static void read_events(struct store_reader *r, struct arena *a)
{
    struct segment_found found;
    int64_t after = 0;
    for (int i = 0; i < 8 && store_next_permitted(r, after, ~0u, a, &found) == OK; i++) {
        struct segment_cursor c;
        struct stored_event e;
        struct str entry;
        must(found.number > after);
        after = found.number;
        segment_start(found.bytes, &c);
        while (segment_next(&c, &e, &entry) == OK) {
            int64_t segment;
            uint32_t index, count;
            struct event_delivery *d;
            (void)!store_find_event(r, &e.id, &segment, &index);
            (void)!store_event_deliveries(r, after, c.index - 1, a, &d, &count);
        }
    }
}

static void read_hooks(struct store_reader *r, struct arena *a)
{
    static const struct conf conf;
    struct fact_found *f;
    struct hook_row *row;
    struct hook_message *m;
    struct id id;
    uint32_t count;
    (void)!store_list_hooks(r, a, &row, &count);
    for (int state = HOOK_WAITING; state <= HOOK_DEAD; state++)
        (void)!store_list_hook_messages(r, 0, (enum hook_state)state, 0, 16, a, &m, &count);
    if (store_list_facts(r, 0, store_newest_fact(r), UINT32_MAX, 64, a, &f, &count) != OK)
        return;
    for (uint32_t i = 0; i < count; i++) {
        AUTO(buf_fini) struct buf to = BUF_INIT(1 << 20);
        const struct told_type *t = told_type(r, &f[i], CONF_HOOK_ALL);
        if (t != NULL && told_id(t, &f[i], &id) && store_read_fact(r, f[i].seq, a, &f[i]) == OK)
            (void)!told_write(t, r, &conf, &f[i], a, &to);
    }
}

static void count_message(void *ctx, uint64_t hash, int64_t received_ms)
{
    (void)hash, (void)received_ms;
    ++*(uint64_t *)ctx;
}

static void read_deliveries(struct store_reader *r, struct arena *a)
{
    struct delivery_request *q;
    struct delivery_cursor c;
    struct sent_found *sent;
    struct counter_row *counter;
    uint32_t count;
    uint64_t n = 0;
    for (int state = PENDING_SENDING; state <= PENDING_DEAD; state++)
        (void)!store_list_pending(r, -1, (enum pending_state)state, INT64_MAX, 16, a, &q, &count);
    for (uint32_t slot = 0; slot < 2; slot++)
        (void)!store_get_cursor(r, slot, &c);
    (void)!store_list_sent(r, STR("ada"), 10, a, &sent, &count, &n);
    (void)!store_count_waiting(r, STR("ada"), -1, &n);
    (void)!store_list_counters(r, 0, INT64_MAX, a, &counter, &count);
    (void)!store_each_message(r, 0, count_message, &n);
}

static void read_facts(struct store_reader *r, struct arena *a)
{
    static const char *const who[] = { "ada", "bob", "eve" };
    struct str json;
    struct err_info info;
    struct frozen frozen;
    for (size_t i = 0; i < COUNT(who); i++) {
        struct snapshot *s = NULL;
        if (store_load_snapshot(r, str_of(who[i]), INT64_MAX, &s) == OK)
            free(s);
        (void)!ledger_get_subject(r, str_of(who[i]), a, &json);
    }
    (void)!ledger_list_consents(r, STR(""), a, &json, &info);
    (void)!ledger_list_subjects(r, STR("email=ada"), a, &json, &info);
    (void)!ledger_list_notices(r, STR(""), STR(""), a, &json, &info);
    struct document *d;
    uint32_t count;
    struct str bytes;
    if (store_list_documents(r, NULL, 10, a, &d, &count) == OK) {
        for (uint32_t i = 0; i < count; i++)
            (void)!store_read_document(r, &d[i], a, &bytes);
    }
    (void)!store_load_frozen(r, a, &frozen);
    (void)store_newest_generation(r);
}

static void read_all(struct store *s)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct store_reader *r = store_own_reader(s);
    struct verify_result result;
    struct err_info info;
    struct ledger *l = NULL;
    uint64_t faults = 0;
    if (store_verify(r, note, &faults, &result, &info) == OK)
        must(result.faults == faults);
    read_events(r, &a);
    read_deliveries(r, &a);
    read_hooks(r, &a);
    read_facts(r, &a);
    if (ledger_open(s, &l, &info) == OK)
        ledger_close(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct change change[CHANGES];
    uint32_t count = 0;
    if (files == 0)
        make();
    bool cut = n > 0 && data[0] == 255;
    for (size_t i = 0; i + 4 <= n && count < CHANGES; i += 4)
        change[count++] = (struct change){
            .at = ((size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2]) % total,
            .to = data[i + 3],
            .cut = cut && i == 0,
        };
    size_t begin = 0;
    for (uint32_t i = 0; i < files; i++) {
        write_file(&file[i], begin, change, count);
        begin += file[i].n;
    }
    struct store *s = NULL;
    struct err_info info = { 0 };
    struct store_options o = { .dir = str_of(dir) };
    enum err err = store_open(&o, &s, &info);
    must(err != OK || s != NULL);
    must(err == OK || info.text[0] != 0); /* never refused in silence */
    must(count > 0 || err == OK);
    if (err == OK)
        read_all(s);
    store_close(&s);
    clear();
    return 0;
}
