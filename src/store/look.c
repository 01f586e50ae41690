#include "store/look.h"

void look_fini(struct look *l)
{
    eventlog_release(&l->r->log);
    buf_fini(&l->brief);
    buf_fini(&l->bytes);
}

struct look look_at(struct store_reader *r, struct str subject)
{
    eventlog_hold(&r->log);
    return (struct look){ .r = r,
                          .subject = subject,
                          .hash = store_subject_hash(r, subject),
                          .brief = BUF_INIT(LIMIT_GROUP_BYTES),
                          .bytes = BUF_INIT(LIMIT_GROUP_BYTES) };
}

/* A segment that is gone is an empty one. */
static enum err fetch(struct look *l, int64_t number, enum log_part part, int64_t *is,
                      struct buf *to)
{
    if (*is == number)
        return OK;
    *is = 0;
    buf_clear(to);
    struct segment_row row;
    enum err e = segment_fetch(l->r, number, part, &row);
    if (e == OK)
        buf_str(to, part == LOG_BRIEF ? row.brief : row.bytes);
    if (to->over)
        return ERR_CORRUPT;
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *is = number;
    return OK;
}

bool look_is_hers(const struct look *l, const struct brief *b)
{
    return b->device == l->hash || b->person == l->hash;
}

enum err look_asks(struct look *l, int64_t segment, uint32_t index, bool *ret_is)
{
    enum err e = fetch(l, segment, LOG_BRIEF, &l->brief_of, &l->brief);
    struct brief b;
    if (e == OK)
        *ret_is = brief_at(buf_view(&l->brief), index, &b) && look_is_hers(l, &b);
    return e;
}

/* The event itself. ERR_NOT_FOUND when it is not about this subject after all. */
enum err look_read(struct look *l, int64_t segment, uint32_t index, struct stored_event *ret_e)
{
    enum err e = fetch(l, segment, LOG_WHOLE, &l->bytes_of, &l->bytes);
    if (e != OK)
        return e;
    struct segment_cursor c;
    struct str entry;
    segment_start(buf_view(&l->bytes), &c);
    while ((e = segment_next(&c, ret_e, &entry)) == OK) {
        if (c.index - 1 == index)
            return str_eq(ret_e->device, l->subject) || str_eq(ret_e->person, l->subject)
                       ? OK
                       : ERR_NOT_FOUND;
    }
    return e;
}
