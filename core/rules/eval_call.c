/*
 * eval_call.c: see eval.h; functions of instant vectors that are not one number for one number.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "rules/eval.h"
#include "rules/numeric.h"

int call_clamp(struct eval *eval, const struct node *node, struct value *args,
               struct value *ret_value)
{
    double min = args[1].scalar, max = args[2].scalar;

    if (max < min) {
        return 0;
    }
    ret_value->vector = args[0].vector;
    for (size_t i = 0; i < ret_value->vector.n; i++) {
        double *value = &ret_value->vector.elements[i].value;

        *value = numeric_max(min, numeric_min(max, *value));
    }
    return vector_drop_names(eval, &ret_value->vector);
}

int call_clamp_max(struct eval *eval, const struct node *node, struct value *args,
                   struct value *ret_value)
{
    ret_value->vector = args[0].vector;
    for (size_t i = 0; i < ret_value->vector.n; i++) {
        double *value = &ret_value->vector.elements[i].value;

        *value = numeric_min(args[1].scalar, *value);
    }
    return vector_drop_names(eval, &ret_value->vector);
}

int call_clamp_min(struct eval *eval, const struct node *node, struct value *args,
                   struct value *ret_value)
{
    ret_value->vector = args[0].vector;
    for (size_t i = 0; i < ret_value->vector.n; i++) {
        double *value = &ret_value->vector.elements[i].value;

        *value = numeric_max(args[1].scalar, *value);
    }
    return vector_drop_names(eval, &ret_value->vector);
}

/* To the nearest multiple, halves up. */
int call_round(struct eval *eval, const struct node *node, struct value *args,
               struct value *ret_value)
{
    double inverse = 1.0 / (node->call.nargs > 1 ? args[1].scalar : 1);

    ret_value->vector = args[0].vector;
    for (size_t i = 0; i < ret_value->vector.n; i++) {
        double *value = &ret_value->vector.elements[i].value;

        *value = floor(*value * inverse + 0.5) / inverse;
    }
    return vector_drop_names(eval, &ret_value->vector);
}

int call_scalar(struct eval *eval, const struct node *node, struct value *args,
                struct value *ret_value)
{
    const struct vector *vector = &args[0].vector;

    ret_value->scalar = vector->n == 1 ? vector->elements[0].value : (double)NAN;
    return 0;
}

int call_time(struct eval *eval, const struct node *node, struct value *args,
              struct value *ret_value)
{
    ret_value->scalar = (double)eval->time_ms / 1000;
    return 0;
}

/* Of anything but a selector, whose samples have times of their own. */
int call_timestamp(struct eval *eval, const struct node *node, struct value *args,
                   struct value *ret_value)
{
    ret_value->vector = args[0].vector;
    for (size_t i = 0; i < ret_value->vector.n; i++) {
        ret_value->vector.elements[i].value = (double)eval->time_ms / 1000;
    }
    return vector_drop_names(eval, &ret_value->vector);
}

int call_vector(struct eval *eval, const struct node *node, struct value *args,
                struct value *ret_value)
{
    const struct set none = {0};

    return vector_add(eval, &ret_value->vector, &none, args[0].scalar);
}

static int sorted(struct eval *eval, struct vector *vector, enum order order)
{
    struct order_key *keys = eval_room(&eval->keys_room, 2 * vector->n * sizeof *keys);
    struct element *elements = pool_get(&eval->pool, vector->n * sizeof *elements);

    if (!elements || (!keys && vector->n > 0)) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < vector->n; i++) {
        keys[i] = (struct order_key){vector->elements[i].value, i};
    }
    order_sort(keys, vector->n, order, keys + vector->n);
    for (uint32_t i = 0; i < vector->n; i++) {
        elements[i] = vector->elements[keys[i].index];
    }
    vector->elements = elements;
    vector->room = vector->n;
    return vector_check(eval, vector);
}

int call_sort(struct eval *eval, const struct node *node, struct value *args,
              struct value *ret_value)
{
    ret_value->vector = args[0].vector;
    return sorted(eval, &ret_value->vector, ORDER_UP_LAST);
}

int call_sort_desc(struct eval *eval, const struct node *node, struct value *args,
                   struct value *ret_value)
{
    ret_value->vector = args[0].vector;
    return sorted(eval, &ret_value->vector, ORDER_DOWN_LAST);
}
