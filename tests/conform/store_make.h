/* tests/conform/store_make.h - a store to test, and things to put in. */
#ifndef CONFORM_STORE_MAKE_H
#define CONFORM_STORE_MAKE_H

#include "base/arena.h"
#include "store/document.h"
#include "store/store.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct made {
    bool memory;
    char dir[64]; /* empty in memory */
    struct store *s;
    struct store_reader *r; /* sees committed groups, in memory all */
    struct arena a;
    bool unverified; /* it leaves something that verification must not find in order */
};

/* Setup and teardown of one test; the group's state says which kind. */
int made_memory(void **state);
int made_file(void **state);
int unmade(void **state);

void made_open(struct made *m); /* again, after made_close() */
void made_close(struct made *m);
/* SQL that makes of a database what the first schema would have made of its facts. */
extern const char made_first_release[];
void remove_dir(const char *dir);
const char *file_in(struct made *m, const char *name); /* its path in the store's directory */
void copy_file(const char *from, const char *to);

#define ok(call) assert_int_equal((call), OK)

void begin(struct made *m);
struct chain_head commit(struct made *m); /* at the next millisecond */
struct chain_head commit_at(struct made *m, int64_t at_ms);
extern int64_t made_ms; /* a clock for tests: grows by one with each thing made */

/* Facts in the open group. */
int64_t add_subject(struct made *m, const char *id);
struct act_spec {
    const char *subject, *ip, *preference, *type;
    uint32_t purpose, version;
    bool lowers, unconfirmed, bare;
    enum act_source source;
    int64_t claimed_ms, effect_ms;   /* 0: now */
    const struct document *document; /* proves it */
};
int64_t add_act(struct made *m, const struct act_spec *spec, struct id *ret_id);
uint32_t add_notice(struct made *m, const char *identifier, const char *content);
/* Asked of a subject; `mark` fills the hashes of token and address. In the open group. */
int64_t add_verification(struct made *m, const char *subject, char mark, struct id *ret_id);
struct id add_document(struct made *m, const char *name, struct str bytes);
struct document added_document(struct made *m, const char *name, struct str bytes);

/* One event; sizes in bytes of body. Slots 0 and 1 are permitted. */
struct id add_event(struct made *m, struct segment_builder *b, const char *device,
                    const char *person, size_t body);
/* A group with one segment of n events of one device: in the event log, and published … */
struct chain_head add_events(struct made *m, const char *device, uint32_t n, size_t body);
/* … or with an act of hers beside them: in the database. The subject must be there. */
struct chain_head add_mixed(struct made *m, const char *device, uint32_t n, size_t body);
/* Commits n events and does not publish; what store_commit() says. */
enum err try_log(struct made *m, uint32_t n, size_t body, struct chain_head *ret_head);

/* Verifies and returns the number of faults; prints them when `show`. */
uint64_t faults(struct store_reader *r, bool show);

/* The suite, to be run for each kind. */
extern const struct CMUnitTest suite_act[], suite_event[], suite_delivery[], suite_document[],
    suite_hook[], suite_notice[], suite_rest[], suite_generation[], suite_verification[];
extern const size_t suite_act_count, suite_event_count, suite_delivery_count, suite_document_count,
    suite_hook_count, suite_notice_count, suite_rest_count, suite_generation_count,
    suite_verification_count;

#endif
