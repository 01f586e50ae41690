/* conf/yaml_priv.h - a YAML file as a tree that knows its places.
 *
 * Only what a configuration needs: mappings, lists and scalars. Anchors,
 * aliases, tags and second documents are faults, so a small file cannot unfold
 * into a large tree. Duplicate keys stay in the tree: the tables report them.
 */
#ifndef CONF_YAML_PRIV_H
#define CONF_YAML_PRIV_H

#include "conf/fault_priv.h"

enum { YAML_DEPTH = 32 };
enum yaml_type { YAML_SCALAR = 1, YAML_LIST, YAML_MAP };

struct yaml {
    enum yaml_type type;
    bool plain;                /* a scalar without quotes */
    bool reported;             /* already a fault: nothing more need be said of it */
    struct span at;            /* of a mapping or list: its first byte */
    struct str text;           /* of a scalar */
    struct yaml *first, *last; /* items, or keys */
    struct yaml *next;
    struct yaml *value; /* of a key; never NULL in a finished tree */
    uint32_t count;
};

/* The root, or NULL after adding at least one fault. `text` must not be longer
 * than LIMIT_CONF. */
const struct yaml *yaml_parse(struct str text, struct arena *a, struct faults *f);

/* The value of a key; NULL when `map` is NULL, no mapping, or lacks it. */
const struct yaml *yaml_get(const struct yaml *map, struct str key);

/* UTF-8 without control characters but tab and line ends. */
bool yaml_text_ok(struct str text);

/* Nothing stands there: "", ~ or null without quotes. */
bool yaml_empty(const struct yaml *n);

#endif
