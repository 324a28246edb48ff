/*
 * eval_labels.c: see eval.h; label_replace() and label_join().
 */
#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "rules/eval.h"
#include "rules/functions.h"
#include "rules/replacement.h"

/* Sets the label; its value was made in `buf`. */
static int set_label(struct eval *eval, const struct node *node, struct element *element,
                     const struct buf *buf)
{
    const char *name = node_bare(node->call.args[1])->string;
    const char *value;

    if (buf->failed) {
        return eval_fail(eval, -E2BIG, "%s() makes a label of more than %d bytes",
                         node->call.function->name, LIMIT_EXPR_LABEL_BYTES);
    }
    value = pool_copy(&eval->pool, buf_str(buf), buf->len);
    if (!value || !set_with(&eval->pool, &element->set, name, value, &element->set)) {
        return -ENOMEM;
    }
    return eval_check(eval, 1);
}

static int changed(struct eval *eval, struct vector *vector)
{
    vector->distinct = false;
    vector->distinct_unnamed = false;
    return vector_check(eval, vector);
}

int call_label_replace(struct eval *eval, const struct node *node, struct value *args,
                       struct value *ret_value)
{
    struct vector *vector = &ret_value->vector;
    const char *source = node_bare(node->call.args[3])->string;
    struct buf buf;
    int r = 0;

    *vector = args[0].vector;
    buf_init(&buf, LIMIT_EXPR_LABEL_BYTES);
    for (size_t i = 0; r >= 0 && i < vector->n; i++) {
        struct element *element = &vector->elements[i];

        buf_clear(&buf);
        r = replacement_apply(node->call.replacement, set_get(&element->set, source), &buf);
        if (r == -E2BIG && !buf.failed) {
            r = eval_fail(eval, r, "the regular expression of label_replace() takes too long");
        } else if (r != 0) {
            r = set_label(eval, node, element, &buf);
        } else {
            r = eval_check(eval, 1);
        }
    }
    buf_finish(&buf);
    return r < 0 ? r : changed(eval, vector);
}

int call_label_join(struct eval *eval, const struct node *node, struct value *args,
                    struct value *ret_value)
{
    struct vector *vector = &ret_value->vector;
    const char *separator = node_bare(node->call.args[2])->string;
    struct buf buf;
    int r = 0;

    *vector = args[0].vector;
    buf_init(&buf, LIMIT_EXPR_LABEL_BYTES);
    for (size_t i = 0; r == 0 && i < vector->n; i++) {
        struct element *element = &vector->elements[i];

        buf_clear(&buf);
        for (size_t k = 3; k < node->call.nargs; k++) {
            buf_puts(&buf, k > 3 ? separator : "");
            buf_puts(&buf, set_get(&element->set, node_bare(node->call.args[k])->string));
        }
        r = set_label(eval, node, element, &buf);
    }
    buf_finish(&buf);
    return r < 0 ? r : changed(eval, vector);
}
