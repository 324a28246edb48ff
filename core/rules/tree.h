/*
 * tree.h: private to rules/: an expression as a tree.
 *
 * All of it lives in the pool of its expr.  Each node knows the byte at which its text begins, for
 * errors, and its height, which is bounded, so that walking it recursively is safe.
 */
#ifndef RULES_TREE_H
#define RULES_TREE_H

#include "base/pool.h"
#include "rules/expr.h"

enum node_kind {
    NODE_NUMBER,
    NODE_STRING,
    NODE_SELECTOR,
    NODE_PAREN,
    NODE_UNARY,
    NODE_BINARY,
    NODE_CALL,
    NODE_AGGREGATE,
};

enum op {
    OP_OR,
    OP_AND,
    OP_UNLESS,
    OP_EQ,
    OP_NE,
    OP_GT,
    OP_LT,
    OP_GE,
    OP_LE,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_POW,
};

enum aggregation {
    AGGREGATE_SUM,
    AGGREGATE_AVG,
    AGGREGATE_COUNT,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_GROUP,
    AGGREGATE_STDDEV,
    AGGREGATE_STDVAR,
    AGGREGATE_TOPK,
    AGGREGATE_BOTTOMK,
    AGGREGATE_QUANTILE,
};

/* Names of labels: as they were written, and sorted (duplicates stay; they do no harm). */
struct names {
    const char *const *written, *const *sorted;
    size_t n;
};

enum grouping { GROUP_NONE, GROUP_LEFT, GROUP_RIGHT };

struct matching {
    bool on; /* else ignoring */
    struct names labels;
    enum grouping grouping;
    struct names include;
};

struct function;
struct replacement;

struct node {
    enum node_kind kind;
    enum expr_type type;
    size_t at; /* offset of its first byte in the text */
    unsigned height;
    union {
        double number;
        const char *string;
        struct {
            size_t index;     /* of the expr's selectors */
            const char *name; /* outside the braces; NULL: there is none */
        } selector;
        struct {
            bool minus; /* of a unary one */
            struct node *child;
        } one;
        struct {
            enum op op;
            bool as_bool;
            size_t op_at;
            struct node *left, *right;
            struct matching matching;
        } binary;
        struct {
            const struct function *function;
            struct node **args;
            size_t nargs;
            struct replacement *replacement; /* of label_replace() */
        } call;
        struct {
            enum aggregation op;
            bool without;
            struct names labels;
            struct node *param, *child;
        } aggregate;
    };
};

struct expr {
    struct pool pool;
    struct node *root;
    struct expr_selector *selectors; /* in the pool, like their arrays of matchers */
    size_t nselectors;
    struct replacement *replacements; /* linked, since they own memory outside the pool */
};

/* The node without the parentheses around it. */
static inline const struct node *node_bare(const struct node *node)
{
    while (node->kind == NODE_PAREN) {
        node = node->one.child;
    }
    return node;
}

static inline bool op_is_comparison(enum op op)
{
    return op >= OP_EQ && op <= OP_LE;
}

static inline bool op_is_set(enum op op)
{
    return op <= OP_UNLESS;
}

/* "+", "unless", "sum" */
const char *op_text(enum op op);
const char *aggregation_text(enum aggregation op);
static inline bool aggregation_has_param(enum aggregation op)
{
    return op >= AGGREGATE_TOPK;
}

#endif
