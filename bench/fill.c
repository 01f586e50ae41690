/* Fills a database with subjects of five consents each, through the ledger, as the daemon would:
 *   fill CONFIGURATION FIRST END
 * subject FIRST up to, but not, END. The daemon has been started there once, and does not run now.
 *
 * Every 200 ms from the beginning of 2026 one act claims to have been; one subject in ten is verified and
 * has a phone, one act in five came by the public key, one in five is about cookies, one subject in a
 * thousand has a preference of its own. */
#include "base/clock.h"
#include "base/limits.h"
#include "codec/time.h"
#include "consent/ledger.h"
#include "policy/compile.h"

#include <stdio.h>
#include <stdlib.h>

enum { ACTS = 5, GROUP = 1000, GROUPS_TO_CHECKPOINT = 32 };
#define JANUARY 1767225600000LL

struct filling {
    struct arena arena; /* of all that stays */
    struct buf reports;
    struct err_info info;
    struct conf *conf;
    const struct policy *policy;
    struct store *store;
    struct store_reader *reader;
    struct ledger *ledger;
    unsigned in_group, groups;
};

static void need(struct filling *f, enum err e, const char *what)
{
    if (e == OK)
        return;
    (void)fprintf(stderr, "fill: %s: %s %s\n%.*s\n", what, err_text(e), f->info.text,
                  (int)f->reports.n, f->reports.n ? f->reports.p : "");
    exit(1);
}

static void open_all(struct filling *f, const char *file)
{
    f->reports = (struct buf)BUF_INIT(1u << 20);
    need(f, conf_load(file, &f->conf, &f->reports), "the configuration");
    struct store_options o = { .dir = f->conf->data_dir };
    need(f, store_open(&o, &f->store, &f->info), "the store");
    need(f, store_reader_open(f->store, &f->reader, &f->info), "the store");
    struct frozen *frozen = arena_new(&f->arena, struct frozen);
    need(f, store_load_frozen(f->reader, &f->arena, frozen), "the configuration stored");
    need(f,
         policy_compile(f->conf, frozen, store_newest_generation(f->reader), &f->arena, &f->policy,
                        &f->reports),
         "the policy");
    need(f, ledger_open(f->store, &f->ledger, &f->info), "the ledger");
}

static void commit(struct filling *f)
{
    struct chain_head head;
    need(f, store_commit(f->store, clock_now_ms(), &head, &f->info), "commit");
    ledger_committed(f->ledger);
    f->in_group = 0;
    if (++f->groups % GROUPS_TO_CHECKPOINT == 0)
        need(f, store_checkpoint(f->reader), "checkpoint");
}

static void write_subject(struct buf *b, unsigned n)
{
    static const char *const first[] = { "Ada",   "Bruno", "Carla", "Dario", "Elena",
                                         "Fabio", "Gina",  "Hugo",  "Irma",  "Jan" };
    const char *given = first[n % COUNT(first)];
    buf_printf(b,
               "\"email\":\"%s.n%u@host%u.example\",\"first_name\":\"%s\",\"last_name\":\"Name%u\","
               "\"full_name\":\"%s Name%u\",\"verified\":%s",
               given, n, n % 97, given, n / 3, given, n / 3, n % 10 == 0 ? "true" : "false");
    if (n % 10 == 0)
        buf_printf(b, ",\"phones\":[{\"number\":\"+39 06 %u\"}]", n);
}

/* The body of a subject's act number `round`. */
static void write_body(struct buf *b, unsigned n, unsigned round)
{
    char time[TIME_TEXT + 1];
    time_format(JANUARY + ((int64_t)n * ACTS + round) * 200, time);
    buf_printf(b, "{\"timestamp\":\"%s\",\"subject\":{\"id\":\"subject-%08u\"", time, n);
    if (round == 0) {
        buf_byte(b, ',');
        write_subject(b, n);
    }
    buf_printf(b,
               "},\"preferences\":{\"statistics\":%s,\"newsletter\":%s%s},\"proofs\":[{\"content\":"
               "\"I agree.\",\"form\":\"<form>statistics</form>\"}]",
               round % 2 ? "false" : "true", round % 3 ? "true" : "false",
               n % 1000 == 7 ? ",\"seldom\":true" : "");
    if (round == 2)
        buf_lit(b, ",\"consent_type\":\"cookie_policy\"");
    if (round == 1)
        buf_printf(b, ",\"ip_address\":\"10.%u.%u.%u\"", n >> 16 & 255, n >> 8 & 255, n & 255);
    buf_byte(b, '}');
}

static void add(struct filling *f, unsigned n, unsigned round)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(buf_fini) struct buf body = BUF_INIT(4096);
    write_body(&body, n, round);
    struct consent_answer ans;
    struct consent_request q = { .body = buf_view(&body),
                                 .source = round == 3 ? ACT_PUBLIC_KEY : ACT_PRIVATE_KEY,
                                 .received_ms = clock_now_ms() };
    if (f->in_group == 0)
        need(f, store_begin(f->store), "begin");
    need(f, ledger_add_consent(f->ledger, f->policy, &q, &a, &ans, &f->info), "a consent");
    if (++f->in_group == GROUP)
        commit(f);
}

int main(int count, char **argument)
{
    unsigned long long first, end;
    if (count != 4 || !str_to_u64(str_of(argument[2]), &first) ||
        !str_to_u64(str_of(argument[3]), &end)) {
        (void)fprintf(stderr, "usage: fill CONFIGURATION FIRST END\n");
        return 2;
    }
    struct filling f = { 0 };
    open_all(&f, argument[1]);
    for (unsigned round = 0; round < ACTS; round++) /* nobody's history lies together */
        for (unsigned n = (unsigned)first; n < end; n++)
            add(&f, n, round);
    if (f.in_group > 0)
        commit(&f);
    need(&f, store_checkpoint(f.reader), "checkpoint");
    ledger_close(&f.ledger);
    store_reader_close(&f.reader);
    store_close(&f.store);
    conf_free(&f.conf);
    arena_fini(&f.arena);
    buf_fini(&f.reports);
    return 0;
}
