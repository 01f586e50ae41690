/* Any bytes as a proof: an error or the truth, never a crash. Whole files come to nothing without a signature that a
 * fuzzer cannot make, so an input may also be one line in the place of another in a proof that is in order. */
#include "audit/bundle.h"
#include "audit/stamp.h"
#include "base/limits.h"
#include "store/document.h"

#include "target.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 64 };

static struct arena all;
static struct str line[LINES];
static uint32_t count;

static enum err keep(void *ctx, struct str text)
{
    (void)ctx;
    must(count < LINES);
    line[count++] = arena_str(&all, text);
    return OK;
}

static void add_facts(struct store *s)
{
    struct str payload =
        STR("{\"id\":\"01930000-0000-7000-8000-000000000000\",\"subject\":{\"id\":\"ada\"},"
            "\"timestamp\":1,\"received\":1,\"source\":\"private\",\"effects\":["
            "{\"purpose\":1,\"name\":\"p\",\"grant\":true,\"confirmed\":true,"
            "\"evidence\":\"proof\",\"version\":1}],\"legal_notices\":"
            "[{\"identifier\":\"terms\",\"version\":1}],\"proofs\":[{}]}");
    struct subject_row subject = { .id = STR("ada"), .changed_ms = 1 };
    struct notice_row notice = { .identifier = STR("terms"),
                                 .version = 1,
                                 .content = STR("\"x\"") };
    struct act_effect effect = { .purpose = 1, .grant = true, .version = 1 };
    struct act_row act = { .id = id_new(1),
                           .subject = STR("ada"),
                           .payload = payload,
                           .effect = &effect,
                           .effect_count = 1 };
    struct str purpose = STR("p");
    struct frozen_version version = { STR("p"), 1, STR("{\"purpose\":\"p\",\"version\":1}") };
    struct document document = { .id = id_new(2),
                                 .name = STR("a.pdf"),
                                 .type = STR("application/pdf") };
    struct str bytes = STR("%PDF-");
    struct chain_head head;
    int64_t seq, document_seq;
    uint32_t generation;
    store_measure_document(bytes, &document);
    must(store_begin(s) == OK);
    must(store_add_configuration(s, &(struct policy_news){ &purpose, NULL, 1, 0, &version, 1 },
                                 STR("{}"), 1, &generation) == OK);
    must(store_add_notice(s, &notice, STR("{\"identifier\":\"terms\",\"version\":1}"), &seq) == OK);
    must(store_put_subject(s, &subject, STR("{\"subject\":\"ada\"}"), 1, &seq) == OK);
    must(store_add_act(s, &act, &seq) == OK);
    must(store_add_document(s, &document, bytes, STR("{}"), &document_seq) == OK);
    must(store_attach_documents(s, seq, &document_seq, 1) == OK);
    must(store_commit(s, 1, &head, NULL) == OK);
}

static void make(void)
{
    struct store *s = NULL;
    struct keyring k;
    struct bundle_numbers numbers;
    struct bundle_question q = { .subject = STR("ada"), .now_ms = 1 };
    char dir[] = "/tmp/licet-fuzz-XXXXXX";
    must(mkdtemp(dir) != NULL);
    struct str file = arena_printf(&all, "%s/key", dir);
    must(store_open(&(struct store_options){ .memory = true }, &s, NULL) == OK);
    add_facts(s);
    must(keyring_make(file, 1, &all, NULL) == OK && keyring_load(file, &all, &k, NULL) == OK);
    must(bundle_write(store_own_reader(s), &k, &q, keep, NULL, &numbers, NULL) == OK);
    store_close(&s);
    (void)unlink(file.p);
    (void)rmdir(dir);
}

static void listen(void *ctx, struct str said)
{
    (void)ctx;
    for (size_t i = 0; i < said.n; i++)
        must((unsigned char)said.p[i] >= ' ' && said.p[i] != 0x7f);
}

static const struct bundle_trust anybody;

/* The proof with one line replaced (LINES: none). */
static enum err check_replaced(uint32_t which, struct str by)
{
    AUTO(bundle_check_free) struct bundle_check *c = bundle_check_new(&anybody, listen, NULL);
    struct err_info info = { 0 };
    enum err e = OK;
    for (uint32_t i = 0; e == OK && i < count; i++)
        e = bundle_check_line(c, i == which ? by : line[i], &info);
    if (e == OK)
        e = bundle_check_end(c, &info);
    must(e == OK || info.text[0] != 0);
    return e;
}

static void check_whole(struct str text)
{
    AUTO(bundle_check_free) struct bundle_check *c = bundle_check_new(&anybody, listen, NULL);
    struct err_info info = { 0 };
    struct str one;
    enum err e = OK;
    while (e == OK && str_next(&text, '\n', &one))
        e = bundle_check_line(c, one, &info);
    if (e == OK)
        e = bundle_check_end(c, &info);
    must(e == OK || info.text[0] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct seal seal;
    struct key_statement key;
    struct stamp stamp;
    if (count == 0) {
        must(sodium_init() >= 0);
        make();
        must(check_replaced(LINES, (struct str){ 0 }) == OK);
    }
    if (n == 0)
        return 0;
    struct str rest = { (const char *)data + 1, n - 1 };
    if (data[0] < count) {
        if (!str_eq(rest, line[data[0]]))
            must(check_replaced(data[0], rest) != OK);
    } else if (data[0] == 'S') {
        (void)stamp_check(rest, STR("{\"licet\":\"seal\"}"), (struct str){ 0 }, &a, &stamp, NULL);
    } else {
        check_whole((struct str){ (const char *)data, n });
        (void)seal_read(rest, &a, &seal);
        (void)key_statement_read(rest, &a, &key);
    }
    return 0;
}
