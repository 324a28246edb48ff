/*
 * result.c: see expr.h and eval.h; what comes out of an evaluation, as memory of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/eval.h"

static size_t result_bytes(const struct vector *vector)
{
    size_t bytes = vector->n * sizeof(struct expr_value);

    for (size_t i = 0; i < vector->n; i++) {
        const struct set *set = &vector->elements[i].set;

        bytes += set->n * sizeof(struct tmon_pair);
        for (uint32_t k = 0; k < set->n; k++) {
            bytes += strlen(set->pairs[k].key) + strlen(set->pairs[k].value) + 2;
        }
    }
    return bytes;
}

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text) + 1;

    memcpy(at, text, len);
    return at + len;
}

/* One block: values, pairs, strings. */
static int result_vector(struct eval *eval, const struct vector *vector,
                         struct expr_result *ret_result)
{
    size_t bytes = result_bytes(vector);
    struct expr_value *values = bytes <= LIMIT_EXPR_MEMORY_BYTES ? malloc(bytes + 1) : NULL;
    struct tmon_pair *pairs;
    size_t npairs = 0;
    char *at;

    if (bytes > LIMIT_EXPR_MEMORY_BYTES) {
        return eval_fail(eval, -E2BIG, "the result takes more than %u MiB",
                         LIMIT_EXPR_MEMORY_BYTES >> 20);
    }
    if (!values) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < vector->n; i++) {
        npairs += vector->elements[i].set.n;
    }
    pairs = (struct tmon_pair *)(void *)(values + vector->n);
    at = (char *)(pairs + npairs);
    for (size_t i = 0; i < vector->n; i++) {
        const struct set *set = &vector->elements[i].set;

        values[i] = (struct expr_value){pairs, set->n, vector->elements[i].value};
        for (uint32_t k = 0; k < set->n; k++, pairs++) {
            pairs->key = at;
            at = put_text(at, set->pairs[k].key);
            pairs->value = at;
            at = put_text(at, set->pairs[k].value);
        }
    }
    *ret_result = (struct expr_result){
        .type = EXPR_VECTOR, .n = vector->n, .values = values, .memory = values};
    return 0;
}

int result_string(const char *text, struct expr_result *ret_result)
{
    char *copy = strdup(text);

    if (!copy) {
        return -ENOMEM;
    }
    *ret_result = (struct expr_result){.type = EXPR_STRING, .text = copy, .memory = copy};
    return 0;
}

int result_of(struct eval *eval, const struct value *value, struct expr_result *ret_result)
{
    const struct set none = {0};
    struct element scalar = {none, value->scalar};
    const struct vector one = {.elements = &scalar, .n = 1};
    int r = result_vector(eval, value->type == EXPR_SCALAR ? &one : &value->vector, ret_result);

    if (r == 0) {
        ret_result->type = value->type;
    }
    return r;
}

void expr_result_finish(struct expr_result *result)
{
    free(result->memory);
    *result = (struct expr_result){0};
}
