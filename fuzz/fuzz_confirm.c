/* What a link of a letter brings: a path that should be a token, Accept-Language, and a form. And what goes into
 * a letter: addresses and texts of any bytes begin no header, no line is too long.
 * The first byte says which. A token but the one that was given out opens nothing. */
#include "codec/language.h"
#include "codec/letter.h"
#include "codec/text.h"
#include "consent/verification.h"
#include "consent/world.h"

#include "target.h"

static struct world w = { .letters = true };
static struct str good; /* the one token there is */

static void sign_up(void)
{
    struct consent_request q = { .body = STR("{\"subject\":{\"email\":\"a@b.example\"},"
                                             "\"preferences\":{\"newsletter\":true},"
                                             "\"proofs\":[{\"form\":\"f\"}]}"),
                                 .source = ACT_PUBLIC_KEY,
                                 .letter = true,
                                 .received_ms = w.now };
    struct consent_answer ans;
    struct verification v;
    uint8_t secret[32];
    world_open(&w, false);
    q.received_ms = w.now;
    world_begin(&w);
    must(ledger_add_consent(w.ledger, w.policy, &q, &w.arena, &ans, &w.info) == OK && ans.letter);
    world_commit(&w);
    must(store_newest_verification(w.reader, ans.subject, &w.arena, &v) == OK);
    store_secret(w.store, SECRET_DEVICE_TOKEN, secret);
    struct str link = verification_link(w.conf, secret, &v.id, &w.arena);
    const char *slash = memrchr(link.p, '/', link.n);
    good = (struct str){ slash + 1, (size_t)(link.p + link.n - slash) - 1 };
}

/* token \n Accept-Language \n form */
static void a_link(struct str input, bool with_good, struct arena *a)
{
    struct str path = { 0 }, accept = { 0 };
    (void)str_next(&input, '\n', &path);
    (void)str_next(&input, '\n', &accept);
    struct str token = with_good ? good : url_decode(path, false, a);
    struct confirmation_request q = { .token = token,
                                      .accept_language = accept,
                                      .received_ms = w.now };
    struct confirmation_page page, after;
    must(ledger_show_confirmation(w.reader, w.policy, &q, a, &page) == OK);
    must(page.status == (str_eq(token, good) ? 200 : 404));
    must(!page.confirmed && memmem(page.html.p, page.html.n, "<script", 7) == NULL);
    (void)query_get(input, STR("language"), a, &q.language); /* or none */
    q.answer = input.n % 3 == 0   ? CONFIRMATION_YES
               : input.n % 3 == 1 ? CONFIRMATION_NOT_ME
                                  : CONFIRMATION_NONE;
    world_begin(&w);
    must(ledger_confirm(w.ledger, w.policy, &q, a, &after, &w.info) == OK);
    must((after.confirmed || after.disowned) ==
         (str_eq(token, good) && q.answer != CONFIRMATION_NONE));
    store_rollback(w.store);
    ledger_rolled_back(w.ledger);
}

/* address \n name \n subject \n text */
static void a_letter(struct str input, struct arena *a)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(1 << 22);
    struct letter l = { .from_address = STR("a@b.example"), .language = STR("en") };
    (void)str_next(&input, '\n', &l.to);
    (void)str_next(&input, '\n', &l.from_name);
    (void)str_next(&input, '\n', &l.subject);
    l.text = input;
    if (l.subject.n > 0)
        l.language = l.subject;
    bool ok = mailbox_ok(l.to);
    must(letter_write(&l, &to) == ok);
    if (!ok)
        return;
    struct str key = mailbox_key(l.to, a);
    must(key.n > 0 && key.n <= l.to.n && str_eq(mailbox_key(key, a), key));
    uint32_t headers = 0;
    bool head = true;
    size_t column = 0;
    for (size_t i = 0; i < to.n; i++) {
        char c = to.p[i];
        must((c >= ' ' && c <= '~') || c == '\t' || c == '\r' || c == '\n');
        must((c == '\r') == (i + 1 < to.n && to.p[i + 1] == '\n'));
        head = head && !(column == 0 && c == '\r');
        headers += head && column == 0 && c != ' ';
        column = c == '\n' ? 0 : column + 1;
        must(column <= 1 + 254 + 8); /* an address is not cut; all else is short */
    }
    must(headers == 9 || headers == 10); /* with Content-Language, or without */
}

static void languages(struct str accept)
{
    static const struct str have[] = { STR_INIT("en"), STR_INIT("de"), STR_INIT("pt-BR") };
    uint32_t picked = language_pick(accept, have, COUNT(have));
    must(picked == UINT32_MAX || picked < COUNT(have));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (w.store == NULL)
        sign_up();
    if (n == 0)
        return 0;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str input = { (const char *)data + 1, n - 1 };
    languages(input);
    if (data[0] & 1)
        a_letter(input, &a);
    else
        a_link(input, data[0] & 2, &a);
    return 0;
}
