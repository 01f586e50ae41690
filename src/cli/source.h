/* cli/source.h - a file of records, one after another as a line of JSON with its number.
 *
 * Lines of JSON, an array of JSON values, or CSV with a header; notices are brought into the order of
 * their versions. Bounded: a few records are in memory, of notices all (SOURCE_NOTICES bytes).
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "base/buf.h"
#include "codec/records.h"
#include "consent/row.h"

enum { SOURCE_NOTICES = 256 << 20, SOURCE_NAMES = 256 };

struct source_options {
    const char *file;
    const char *kind;   /* NULL: by its first record */
    const char *format; /* "ndjson", "array", "csv"; NULL: by its first bytes */
    struct row_name name[SOURCE_NAMES];
    uint32_t name_count;
};

struct source {
    const struct source_options *options;
    int fd;
    uint64_t size, read; /* of the file */
    struct buf window;
    size_t taken; /* of it */
    bool ended;
    struct records records;
    struct str kind;
    const struct row_map *map; /* CSV */
    struct arena arena;        /* of all its life */
    struct sorted *sorted;     /* notices; NULL: not yet read */
    uint32_t sorted_count, sorted_next;
};

/* What is wrong with the file stands in info: ERR_IO, ERR_SYNTAX, ERR_VALUE, ERR_LIMIT. */
enum err source_open(struct source *s, const struct source_options *o,
                     struct err_info *info) MUST_CHECK;
void source_close(struct source *s);

struct source_record {
    uint64_t number; /* for the import: a line, or an item's place */
    uint64_t shown;  /* for people: the line, or the item */
    enum err fault;  /* OK, or it cannot be sent, and info says why */
    struct str json; /* on one line, until the next call */
};
/* ERR_NOT_FOUND at the end. `a` is for what the record needs. */
enum err source_next(struct source *s, struct arena *a, struct buf *json,
                     struct source_record *ret_record, struct err_info *info) MUST_CHECK;

/* "line" or "item". */
const char *source_unit(const struct source *s);

/* A name for this file's content, taken in this way: the same again only for the same. */
enum err source_id(const struct source_options *o, struct str kind, struct arena *a,
                   struct str *ret_id, struct err_info *info) MUST_CHECK;

#endif
