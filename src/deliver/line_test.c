#include "deliver/line.h"
#include "base/must.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ANNA = 11, BEN = 22, CARL = 33 };

struct place {
    int64_t segment;
    uint32_t index;
    uint64_t device, person;
};

static struct id id_of(uint8_t n)
{
    struct id id = { { n } };
    return id;
}

/* Ends with segment 0. */
static struct line_request *add(struct line *l, uint8_t n, enum line_state state,
                                const struct place *place)
{
    struct delivery_item item[8] = { 0 };
    struct line_event event[8] = { 0 };
    uint32_t count = 0;
    for (; place[count].segment != 0; count++) {
        item[count].segment = place[count].segment;
        item[count].index = place[count].index;
        event[count].subject[0] = place[count].device;
        event[count].subject[1] = place[count].person;
        event[count].received_ms = place[count].segment * 1000;
    }
    return line_add(l, state,
                    &(struct delivery_request){
                        .id = id_of(n), .item = item, .item_count = count, .next_ms = 500 },
                    event);
}
#define ADD(l, n, state, ...) add((l), (n), (state), (const struct place[]){ __VA_ARGS__, { 0 } })

static struct line_request *next(const struct line *l)
{
    int64_t due;
    return line_next(l, 1000, false, 0, &due);
}

static void what_is_not_finished_holds_its_subjects(void **state)
{
    (void)state;
    struct line l = { 0 };
    static const enum line_state any[] = { LINE_WRITING, LINE_WAITING, LINE_ON_ITS_WAY };
    for (size_t i = 0; i < COUNT(any); i++) {
        assert_false(line_holds(&l, ANNA));
        struct line_request *r = ADD(&l, 1, any[i], { 1, 0, ANNA, BEN }, { 1, 1, ANNA, 0 });
        assert_true(line_holds(&l, ANNA) && line_holds(&l, BEN));
        assert_false(line_holds(&l, CARL) || line_holds(&l, 0));
        line_remove(&l, &r);
        assert_null(r);
    }
    assert_false(line_holds(&l, ANNA) || line_holds(&l, BEN));
    line_fini(&l);
}

static void nobody_is_on_the_way_twice(void **state)
{
    (void)state;
    struct line l = { 0 };
    struct line_request *first = ADD(&l, 1, LINE_ON_ITS_WAY, { 1, 0, ANNA, 0 }),
                        *later = ADD(&l, 2, LINE_WAITING, { 2, 0, 0, ANNA }),
                        *older = ADD(&l, 3, LINE_WAITING, { 1, 1, ANNA, CARL });
    assert_false(line_may_go(&l, later)); /* a device there, a person here */
    assert_false(line_may_go(&l, older));
    line_remove(&l, &first);
    assert_true(next(&l) == older); /* which stands before it */
    assert_false(line_may_go(&l, later));
    line_remove(&l, &older);
    assert_true(next(&l) == later);
    line_fini(&l);
}

static void a_repetition_is_not_overtaken_but_by_strangers(void **state)
{
    (void)state;
    struct line l = { 0 };
    struct line_request *fails = ADD(&l, 1, LINE_ON_ITS_WAY, { 1, 0, ANNA, 0 }, { 1, 1, BEN, 0 }),
                        *behind = ADD(&l, 2, LINE_WAITING, { 1, 2, ANNA, 0 }),
                        *stranger = ADD(&l, 3, LINE_WAITING, { 1, 3, CARL, 0 });
    line_set_state(&l, fails, LINE_WRITING);
    assert_false(line_may_go(&l, behind));
    assert_true(line_may_go(&l, stranger));
    line_set_state(&l, fails, LINE_WAITING);
    assert_false(line_may_go(&l, behind));
    assert_true(line_may_go(&l, fails));
    fails->q.next_ms = 2000;
    assert_true(next(&l) == stranger);
    assert_true(line_may_go(&l, fails)); /* it is not due, that is all */
    line_fini(&l);
}

/* Both have a later event of the other's: who was made first goes first, whichever event comes first. */
static void interleaved_requests_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct line l = { 0 };
    struct line_request *before = ADD(&l, 1, LINE_WAITING, { 1, 0, CARL, 0 }),
                        *aside = ADD(&l, 2, LINE_WAITING, { 2, 0, CARL, 0 }, { 2, 2, CARL, ANNA }),
                        *free = ADD(&l, 3, LINE_WAITING, { 2, 1, ANNA, 0 });
    assert_true(line_may_go(&l, before));
    assert_false(line_may_go(&l, aside));
    assert_true(line_may_go(&l, free));
    line_remove(&l, &before);
    assert_false(line_may_go(&l, aside));
    line_remove(&l, &free);
    assert_true(line_may_go(&l, aside));
    line_fini(&l);
}

static void it_says_which_is_next_and_when(void **state)
{
    (void)state;
    struct line l = { 0 };
    int64_t due;
    assert_null(line_next(&l, 0, true, 0, &due));
    assert_true(due == INT64_MAX && line_oldest_ms(&l) == INT64_MAX);
    struct line_request *b = ADD(&l, 2, LINE_WAITING, { 5, 0, BEN, 0 }),
                        *a = ADD(&l, 1, LINE_WAITING, { 4, 7, ANNA, 0 });
    a->q.next_ms = 900;
    b->q.next_ms = 700;
    a->q.at_ms = b->q.at_ms = 100;
    assert_null(line_next(&l, 600, false, 0, &due));
    assert_true(due == 700);
    assert_true(line_next(&l, 700, false, 0, &due) == b);
    assert_true(line_next(&l, 900, false, 0, &due) == a); /* events in their order */
    assert_true(line_next(&l, 0, true, 0, &due) == a);
    assert_true(line_next(&l, 0, false, 101, &due) == a);
    assert_null(line_next(&l, 0, false, 100, &due));
    assert_true(line_oldest_ms(&l) == 4000);
    line_set_state(&l, a, LINE_WRITING);
    assert_true(line_next(&l, 0, true, 0, &due) == b);
    line_set_state(&l, b, LINE_ON_ITS_WAY);
    assert_null(line_next(&l, 0, true, 0, &due));
    assert_true(due == INT64_MAX);
    assert_true(line_oldest_ms(&l) == 4000);
    line_fini(&l);
}

static void a_request_keeps_what_it_was_given(void **state)
{
    (void)state;
    struct line l = { 0 };
    struct line_request *r = ADD(&l, 9, LINE_ON_ITS_WAY, { 3, 1, ANNA, 0 }, { 3, 2, BEN, 0 });
    struct id id = id_of(9), other = id_of(8);
    assert_true(line_find(&l, &id) == r);
    assert_null(line_find(&l, &other));
    {
        char error[] = "status 500", fields[] = "event\nuserId";
        struct delivery_item item[2] = { { .segment = 3, .index = 1, .fields = 1 },
                                         { .segment = 3, .index = 2 } };
        uint64_t version = l.version;
        line_update(&l, r, LINE_WRITING,
                    &(struct delivery_request){ .id = id,
                                                .attempts = 3,
                                                .next_ms = 77,
                                                .error = str_of(error),
                                                .fields = str_of(fields),
                                                .item = item,
                                                .item_count = 2 });
        assert_true(l.version > version);
        memset(error, 'x', sizeof error);
        memset(fields, 'x', sizeof fields);
        memset(item, 'x', sizeof item);
    }
    assert_true(str_eq(r->q.error, STR("status 500")));
    assert_true(str_eq(r->q.fields, STR("event\nuserId")));
    assert_int_equal(r->q.attempts, 3);
    assert_true(r->q.item[0].segment == 3 && r->q.item[0].index == 1 && r->q.item[0].fields == 1);
    assert_true(line_holds(&l, BEN));
    line_fini(&l);
}

/* Requests as they come about: ranges of events, of which those whose subjects are held are put aside. They
 * fail and succeed at random. */
enum { PEOPLE = 12, EVENTS = 4000, RANGE = 5, MOST_WAITING = 20 };

static struct line_request *add_numbered(struct line *l, enum line_state state,
                                         const struct place *place)
{
    static uint32_t number;
    struct line_request *r = add(l, 0, state, place);
    number++;
    memcpy(r->q.id.b + 1, &number, sizeof number);
    return r;
}

static void take_a_range(struct line *l, int64_t *at, unsigned *seed)
{
    struct place sent[RANGE + 1] = { 0 }, aside[RANGE + 1] = { 0 };
    uint32_t sent_count = 0, aside_count = 0;
    bool marked[PEOPLE + 1] = { false };
    for (int i = 0; i < RANGE; i++, (*at)++) {
        uint64_t a = 1 + (uint64_t)rand_r(seed) % PEOPLE;
        uint64_t b = rand_r(seed) % 3 == 0 ? 1 + (uint64_t)rand_r(seed) % PEOPLE : 0;
        bool held = line_holds(l, a) || line_holds(l, b) || marked[a] || (b != 0 && marked[b]);
        if (held)
            marked[a] = marked[b] = true;
        *(held ? &aside[aside_count++] : &sent[sent_count++]) = (struct place){ *at, 0, a, b };
    }
    if (sent_count > 0)
        (void)add_numbered(l, LINE_ON_ITS_WAY, sent);
    if (aside_count > 0)
        (void)add_numbered(l, LINE_WAITING, aside);
}

static struct line_request *somebody_on_the_way(const struct line *l, unsigned *seed)
{
    struct line_request *found[MOST_WAITING + 2];
    uint32_t count = 0;
    for (struct line_request *r = l->first; r != NULL; r = r->next)
        if (r->state == LINE_ON_ITS_WAY)
            found[count++] = r;
    return count > 0 ? found[(unsigned)rand_r(seed) % count] : NULL;
}

static void nobody_overtakes(const struct line *l)
{
    for (struct line_request *r = l->first; r != NULL; r = r->next)
        if (r->state == LINE_ON_ITS_WAY)
            assert_true(
                line_may_go(l, r)); /* it is alone with its subjects, and nothing older waits */
}

static void thousands_of_random_requests_keep_everybodys_order_and_all_end(void **state)
{
    (void)state;
    struct line l = { 0 };
    unsigned seed = 7;
    uint32_t finished = 0;
    int64_t at = 1;
    while (at <= EVENTS || l.count > 0) {
        struct line_request *flying = somebody_on_the_way(&l, &seed), *r;
        switch (rand_r(&seed) % 3) {
        case 0:
            if (at <= EVENTS && l.count < MOST_WAITING)
                take_a_range(&l, &at, &seed);
            break;
        case 1:
            r = next(&l);
            assert_true(r != NULL || flying != NULL ||
                        l.count == 0); /* they do not wait for each other */
            if (r != NULL)
                line_set_state(&l, r, LINE_ON_ITS_WAY);
            break;
        case 2:
            if (flying != NULL && rand_r(&seed) % 3 == 0) {
                line_set_state(&l, flying, LINE_WAITING);
            } else if (flying != NULL) {
                finished += flying->q.item_count;
                line_remove(&l, &flying);
            }
            break;
        }
        nobody_overtakes(&l);
    }
    assert_int_equal(finished, EVENTS);
    line_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_finished_holds_its_subjects),
        cmocka_unit_test(nobody_is_on_the_way_twice),
        cmocka_unit_test(a_repetition_is_not_overtaken_but_by_strangers),
        cmocka_unit_test(interleaved_requests_do_not_wait_for_each_other),
        cmocka_unit_test(it_says_which_is_next_and_when),
        cmocka_unit_test(a_request_keeps_what_it_was_given),
        cmocka_unit_test(thousands_of_random_requests_keep_everybodys_order_and_all_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
