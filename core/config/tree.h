/*
 * tree.h: YAML as a tree whose every node knows where it stands.
 *
 * Only the part of YAML that a configuration needs: one document, text keys, no tags, no merge
 * keys.  Aliases are copies of what they name, and the copies count towards the limits, so an alias
 * bomb is an error and not a full memory.  A tree owns its nodes; they live until tree_destroy().
 * One thread at a time.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/errors.h"

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

struct node {
    enum node_kind kind;
    struct config_position at;
    bool plain;    /* scalar: written without quotes */
    char *text;    /* scalar: as written */
    char *value;   /* scalar: with ${VARIABLES} replaced; NULL until resolved */
    bool replaced; /* scalar: `value` holds something from the environment: never quote it */
    bool unset;    /* scalar: names a variable that is not set, in an instance that is disabled */
    size_t count;
    struct node **keys;  /* mapping: scalars, unique */
    struct node **items; /* sequence: its items; mapping: the values */
    struct node *next;   /* the tree's list of all nodes */
};

struct tree {
    char *file;        /* as shown in messages */
    struct node *root; /* NULL: the document is empty */
    struct node *all;
    size_t nodes;
    size_t bytes;
};

/* Parses `len` bytes of YAML, called `file` in messages (copied).  Returns 0; -EINVAL when there
 * were errors, which are added to `errors`; -ENOMEM. */
int tree_parse(const char *file, const char *data, size_t len, struct config_errors *errors,
               struct tree **ret_tree);
/* The same from a file.  A file that cannot be read is an error in `errors`. */
int tree_load(const char *path, struct config_errors *errors, struct tree **ret_tree);
void tree_destroy(struct tree *tree);

/* A new empty mapping or sequence in the tree, or NULL.  For joining several files. */
struct node *tree_node(struct tree *tree, enum node_kind kind, struct config_position at);
/* Appends borrowed nodes; key NULL in a sequence.  -ENOMEM. */
int node_append(struct node *node, struct node *key, struct node *item);
/* The value of a key in a mapping, or NULL; its key node in *ret_key where that is not NULL. */
struct node *node_get(const struct node *mapping, const char *key, struct node **ret_key);
/* Whether it is written as nothing: empty, ~ or null without quotes. */
bool node_is_null(const struct node *node);
/* "text", "a list", "a mapping", "nothing" */
const char *node_kind_name(const struct node *node);

#endif
