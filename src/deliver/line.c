#include "deliver/line.h"

#include <stdlib.h>

enum { BUCKETS_LEAST = 256 };

/* That a request holds a subject, and from which of its events on. */
struct hold {
    struct hold *next, **at; /* in its bucket */
    uint64_t subject;
    int64_t segment;
    uint32_t index;
    struct line_request *of;
};

/* ---- the table of holds ---- */

static void hang_in(struct line *l, struct hold *h)
{
    struct hold **at = &l->bucket[h->subject & (l->bucket_count - 1)];
    h->next = *at;
    h->at = at;
    if (h->next != NULL)
        h->next->at = &h->next;
    *at = h;
}

static void take_out(struct hold *h)
{
    *h->at = h->next;
    if (h->next != NULL)
        h->next->at = h->at;
}

static void make_room(struct line *l, uint32_t count)
{
    uint32_t wanted = l->bucket_count != 0 ? l->bucket_count : BUCKETS_LEAST;
    while (wanted < l->hold_count + count)
        wanted *= 2;
    if (wanted == l->bucket_count)
        return;
    free(l->bucket);
    l->bucket = must_alloc_zero(wanted * sizeof(struct hold *));
    l->bucket_count = wanted;
    for (struct line_request *r = l->first; r != NULL; r = r->next)
        for (uint32_t i = 0; i < r->hold_count; i++)
            hang_in(l, &r->hold[i]);
}

static const struct hold *find(const struct line *l, const struct hold *from, uint64_t subject)
{
    const struct hold *h = from != NULL          ? from->next
                           : l->bucket_count > 0 ? l->bucket[subject & (l->bucket_count - 1)]
                                                 : NULL;
    while (h != NULL && h->subject != subject)
        h = h->next;
    return h;
}

static void hold_subject(struct line *l, struct line_request *r, uint64_t subject,
                         const struct delivery_item *item)
{
    if (subject == 0)
        return;
    const struct hold *h = NULL;
    while ((h = find(l, h, subject)) != NULL)
        if (h->of == r) /* the first event counts */
            return;
    struct hold *added = &r->hold[r->hold_count++];
    *added = (struct hold){
        .subject = subject, .segment = item->segment, .index = item->index, .of = r
    };
    hang_in(l, added);
    l->hold_count++;
}

/* ---- requests ---- */

static bool is_before(int64_t segment, uint32_t index, int64_t other_segment, uint32_t other_index)
{
    return segment != other_segment ? segment < other_segment : index < other_index;
}

static void stand_in_line(struct line *l, struct line_request *r)
{
    const struct delivery_item *mine = &r->q.item[0];
    struct line_request *before = l->last;
    while (before != NULL && is_before(mine->segment, mine->index, before->q.item[0].segment,
                                       before->q.item[0].index))
        before = before->prev;
    r->prev = before;
    r->next = before != NULL ? before->next : l->first;
    *(before != NULL ? &before->next : &l->first) = r;
    *(r->next != NULL ? &r->next->prev : &l->last) = r;
    l->count++;
}

struct line_request *line_add(struct line *l, enum line_state state,
                              const struct delivery_request *q, const struct line_event *event)
{
    must(q->item_count > 0 && line_find(l, &q->id) == NULL);
    make_room(l, 2 * q->item_count);
    struct line_request *r = must_alloc_zero(sizeof *r);
    arena_init(&r->arena);
    struct delivery_item *item = arena_array(&r->arena, struct delivery_item, q->item_count);
    memcpy(item, q->item, q->item_count * sizeof *item);
    r->q.item = item;
    r->q.item_count = q->item_count;
    r->hold = arena_array(&r->arena, struct hold, 2 * q->item_count);
    r->oldest_ms = event[0].received_ms;
    for (uint32_t i = 0; i < q->item_count; i++)
        for (size_t k = 0; k < COUNT(event[i].subject); k++)
            hold_subject(l, r, event[i].subject[k], &item[i]);
    stand_in_line(l, r);
    line_update(l, r, state, q);
    return r;
}

void line_update(struct line *l, struct line_request *r, enum line_state state,
                 const struct delivery_request *q)
{
    const struct delivery_item *item = r->q.item;
    must(q->item_count == r->q.item_count);
    if (q->item != item)
        memcpy((struct delivery_item *)item, q->item, q->item_count * sizeof *item); /* ours */
    struct str error = r->q.error, fields = r->q.fields;
    r->q = *q;
    r->q.item = item;
    r->q.error = str_eq(error, q->error) ? error : arena_str(&r->arena, q->error);
    r->q.fields = str_eq(fields, q->fields) ? fields : arena_str(&r->arena, q->fields);
    line_set_state(l, r, state);
}

void line_set_state(struct line *l, struct line_request *r, enum line_state state)
{
    r->state = state;
    l->version++;
}

void line_remove(struct line *l, struct line_request **rr)
{
    struct line_request *r = *rr;
    if (r == NULL)
        return;
    for (uint32_t i = 0; i < r->hold_count; i++)
        take_out(&r->hold[i]);
    l->hold_count -= r->hold_count;
    *(r->prev != NULL ? &r->prev->next : &l->first) = r->next;
    *(r->next != NULL ? &r->next->prev : &l->last) = r->prev;
    l->count--;
    l->version++;
    for (struct line_request *other = l->first; other != NULL; other = other->next)
        if (other->blocker == r)
            other->blocker = NULL;
    arena_fini(&r->arena);
    free(r);
    *rr = NULL;
}

void line_fini(struct line *l)
{
    while (l->first != NULL) {
        struct line_request *r = l->first;
        line_remove(l, &r);
    }
    free(l->bucket);
    *l = (struct line){ .version = l->version + 1 };
}

struct line_request *line_find(const struct line *l, const struct id *id)
{
    struct line_request *r = l->first;
    while (r != NULL && memcmp(&r->q.id, id, sizeof *id) != 0)
        r = r->next;
    return r;
}

/* ---- who may go ---- */

bool line_holds(const struct line *l, uint64_t subject)
{
    return subject != 0 && find(l, NULL, subject) != NULL;
}

static const struct line_request *find_blocker(const struct line *l, const struct line_request *r)
{
    for (uint32_t i = 0; i < r->hold_count; i++) {
        const struct hold *mine = &r->hold[i], *h = NULL;
        while ((h = find(l, h, mine->subject)) != NULL)
            if (h->of != r && (h->of->state == LINE_ON_ITS_WAY ||
                               is_before(h->segment, h->index, mine->segment, mine->index)))
                return h->of;
    }
    return NULL;
}

/* Who was in the way is mostly still there. One that was on its way and waits again may not be any more. */
bool line_may_go(const struct line *l, struct line_request *r)
{
    if (r->blocker != NULL && r->blocker->state == LINE_ON_ITS_WAY)
        return false;
    r->blocker = find_blocker(l, r);
    return r->blocker == NULL;
}

struct line_request *line_next(const struct line *l, int64_t now_ms, bool eager, int64_t since_ms,
                               int64_t *ret_due_ms)
{
    *ret_due_ms = INT64_MAX;
    for (struct line_request *r = l->first; r != NULL; r = r->next) {
        if (r->state != LINE_WAITING)
            continue;
        bool due = eager || r->q.at_ms < since_ms || r->q.next_ms <= now_ms;
        if (!due && r->q.next_ms >= *ret_due_ms)
            continue;
        if (!line_may_go(l, r))
            continue;
        if (due)
            return r;
        *ret_due_ms = r->q.next_ms;
    }
    return NULL;
}

int64_t line_oldest_ms(const struct line *l)
{
    int64_t oldest = INT64_MAX;
    for (const struct line_request *r = l->first; r != NULL; r = r->next)
        if (r->oldest_ms < oldest)
            oldest = r->oldest_ms;
    return oldest;
}
