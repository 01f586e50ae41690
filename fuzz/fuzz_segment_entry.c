/* A segment's bytes are read without leaving them, and what could be read is,
 * written again, the same bytes. The columns of facts are read as well. */
#include "store/columns.h"
#include "store/segment.h"

#include "target.h"

static void inside(struct str part, struct str whole)
{
    must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void read_columns(struct str s)
{
    struct act_columns act;
    struct act_effect effect;
    struct subject_row subject;
    struct notice_row notice;
    struct restriction_columns restriction;
    struct delivery_item item;
    struct str named, hash, text;
    int64_t number;
    if (columns_read_act(s, &act)) {
        for (uint32_t i = 0; i < act.effect_count; i++)
            must(columns_next_effect(&act.effects, &effect));
        while (columns_next_text(&act.preferences, &text))
            inside(text, s);
    }
    if (columns_read_subject(s, &subject))
        inside(subject.extra, s);
    if (columns_read_notice(s, &notice))
        inside(notice.content, s);
    if (columns_read_restriction(s, &restriction))
        inside(restriction.subject, s);
    if (columns_read_retention(s, &named))
        while (columns_next_named(&named, &number, &hash))
            inside(hash, s);
    while (items_next(&s, &item))
        must(item.result <= DELIVERY_UNCERTAIN && item.reason < REASON_COUNT &&
             item.fields < LIMIT_FIELD_SETS);
}

static void write_again(struct str entry, const struct stored_event *e)
{
    struct segment_builder b;
    segment_builder_init(&b);
    must(segment_add(&b, e));
    must(str_eq(buf_view(&b.entries), entry));
    segment_builder_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str bytes = { (const char *)data, n };
    struct segment_cursor c;
    struct stored_event e;
    struct str entry;
    size_t read = 0;
    enum err err;
    segment_start(bytes, &c);
    while ((err = segment_next(&c, &e, &entry)) == OK) {
        must(entry.p == bytes.p + read);
        read += entry.n;
        inside(e.device, entry);
        inside(e.person, entry);
        inside(e.lowered, entry);
        inside(e.body, entry);
        write_again(entry, &e);
    }
    must(err == ERR_CORRUPT || (err == ERR_NOT_FOUND && read == n));
    read_columns(bytes);
    return 0;
}
