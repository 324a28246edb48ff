/*
 * show.c: see expr.h; an expression as Prometheus prints it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/functions.h"
#include "rules/literal.h"

static void show(const struct expr *expr, const struct node *node, struct buf *buf);

static void show_names(const struct names *names, struct buf *buf)
{
    for (size_t i = 0; i < names->n; i++) {
        buf_puts(buf, i ? ", " : "");
        buf_puts(buf, names->written[i]);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Matchers in the order of their texts; the name stands before the braces if it stood there. */
static void show_matchers(const struct expr_selector *selector, bool named, struct buf *buf)
{
    static const char *const operators[] = {"=", "!=", "=~", "!~"};
    char *texts[LIMIT_EXPR_NAMES] = {NULL};
    size_t n = 0;

    for (size_t i = named; i < selector->nmatchers; i++) {
        const struct matcher *matcher = &selector->matchers[i];
        struct buf text;

        buf_init(&text, 5 * LIMIT_EXPR_BYTES);
        buf_puts(&text, matcher->name);
        buf_puts(&text, operators[matcher->op]);
        literal_put_string(matcher->value, &text);
        texts[n] = buf_take(&text);
        buf->failed = buf->failed || !texts[n];
        n += texts[n] != NULL;
    }
    qsort(texts, n, sizeof texts[0], by_text);
    for (size_t i = 0; i < n; i++) {
        buf_puts(buf, i ? "," : "{");
        buf_puts(buf, texts[i]);
        free(texts[i]);
    }
    buf_puts(buf, n > 0 ? "}" : "");
}

static void show_selector(const struct expr *expr, const struct node *node, struct buf *buf)
{
    const struct expr_selector *selector = &expr->selectors[node->selector.index];
    int64_t offset = selector->offset_ms;

    if (node->selector.name) {
        buf_puts(buf, node->selector.name);
    }
    show_matchers(selector, node->selector.name != NULL, buf);
    if (selector->range_ms) {
        buf_putc(buf, '[');
        literal_put_duration(selector->range_ms, buf);
        buf_putc(buf, ']');
    }
    if (offset) {
        buf_puts(buf, offset < 0 ? " offset -" : " offset ");
        literal_put_duration(offset < 0 ? -offset : offset, buf);
    }
}

static void show_binary(const struct expr *expr, const struct node *node, struct buf *buf)
{
    const struct matching *matching = &node->binary.matching;

    show(expr, node->binary.left, buf);
    buf_putc(buf, ' ');
    buf_puts(buf, op_text(node->binary.op));
    buf_puts(buf, node->binary.as_bool ? " bool" : "");
    if ((matching->on || matching->labels.n > 0) && node->binary.left->type == EXPR_VECTOR &&
        node->binary.right->type == EXPR_VECTOR) {
        buf_puts(buf, matching->on ? " on (" : " ignoring (");
        show_names(&matching->labels, buf);
        buf_putc(buf, ')');
        if (matching->grouping != GROUP_NONE) {
            buf_puts(buf, matching->grouping == GROUP_LEFT ? " group_left (" : " group_right (");
            show_names(&matching->include, buf);
            buf_putc(buf, ')');
        }
    }
    buf_putc(buf, ' ');
    show(expr, node->binary.right, buf);
}

static void show_aggregate(const struct expr *expr, const struct node *node, struct buf *buf)
{
    const struct names *labels = &node->aggregate.labels;

    buf_puts(buf, aggregation_text(node->aggregate.op));
    if (node->aggregate.without || labels->n > 0) {
        buf_puts(buf, node->aggregate.without ? " without (" : " by (");
        show_names(labels, buf);
        buf_puts(buf, ") ");
    }
    buf_putc(buf, '(');
    if (node->aggregate.param) {
        show(expr, node->aggregate.param, buf);
        buf_puts(buf, ", ");
    }
    show(expr, node->aggregate.child, buf);
    buf_putc(buf, ')');
}

static void show_call(const struct expr *expr, const struct node *node, struct buf *buf)
{
    buf_puts(buf, node->call.function->name);
    buf_putc(buf, '(');
    for (size_t i = 0; i < node->call.nargs; i++) {
        buf_puts(buf, i ? ", " : "");
        show(expr, node->call.args[i], buf);
    }
    buf_putc(buf, ')');
}

static void show(const struct expr *expr, const struct node *node, struct buf *buf)
{
    switch (node->kind) {
    case NODE_NUMBER:
        literal_put_number(node->number, buf);
        break;
    case NODE_STRING:
        literal_put_string(node->string, buf);
        break;
    case NODE_SELECTOR:
        show_selector(expr, node, buf);
        break;
    case NODE_PAREN:
        buf_putc(buf, '(');
        show(expr, node->one.child, buf);
        buf_putc(buf, ')');
        break;
    case NODE_UNARY:
        buf_putc(buf, node->one.minus ? '-' : '+');
        show(expr, node->one.child, buf);
        break;
    case NODE_BINARY:
        show_binary(expr, node, buf);
        break;
    case NODE_CALL:
        show_call(expr, node, buf);
        break;
    case NODE_AGGREGATE:
        show_aggregate(expr, node, buf);
        break;
    }
}

void expr_show(const struct expr *expr, struct buf *buf)
{
    show(expr, expr->root, buf);
}
