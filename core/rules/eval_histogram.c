/*
 * eval_histogram.c: see eval.h; histogram_quantile() over buckets that have their upper bound in
 * the label le.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "rules/eval.h"
#include "rules/literal.h"

struct bucket {
    double bound, count;
};

static int sort_buckets(struct eval *eval, struct bucket *buckets, size_t n)
{
    struct order_key *keys = eval_room(&eval->keys_room, 2 * n * sizeof *keys);
    struct bucket *copy = eval_room(&eval->samples_room, n * sizeof *copy);

    if (!keys || !copy) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = (struct order_key){buckets[i].bound, i};
        copy[i] = buckets[i];
    }
    order_sort(keys, n, ORDER_PLAIN, keys + n);
    for (size_t i = 0; i < n; i++) {
        buckets[i] = copy[keys[i].index];
    }
    return 0;
}

/* Adds up what has the same bound, and lets no count be below the one before: scrapes are no
 * snapshots. */
static size_t mend(struct bucket *buckets, size_t n)
{
    size_t last = 0;

    for (size_t i = 1; i < n; i++) {
        if (buckets[i].bound == buckets[last].bound) {
            buckets[last].count += buckets[i].count;
        } else {
            buckets[++last] = buckets[i];
        }
    }
    for (size_t i = 1; i <= last; i++) {
        if (buckets[i].count < buckets[i - 1].count) {
            buckets[i].count = buckets[i - 1].count;
        }
    }
    return last + 1;
}

/* Of sorted buckets, the last of which is the infinite one; linear within a bucket, the first of
 * which begins at 0 if it can. */
static double interpolate(double q, struct bucket *buckets, size_t n)
{
    size_t low = 0, high;
    double rank, start = 0, end, count;

    n = mend(buckets, n);
    if (n < 2 || buckets[n - 1].count == 0) {
        return (double)NAN;
    }
    rank = q * buckets[n - 1].count;
    for (high = n - 1; low < high;) {
        size_t middle = (low + high) / 2;

        if (buckets[middle].count >= rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    if (low == n - 1) {
        return buckets[n - 2].bound;
    }
    if (low == 0 && buckets[0].bound <= 0) {
        return buckets[0].bound;
    }
    end = buckets[low].bound;
    count = buckets[low].count;
    if (low > 0) {
        start = buckets[low - 1].bound;
        count -= buckets[low - 1].count;
        rank -= buckets[low - 1].count;
    }
    return start + (end - start) * (rank / count);
}

static int quantile(struct eval *eval, double q, struct bucket *buckets, size_t n,
                    double *ret_value)
{
    int r;

    if (isnan(q) || q < 0 || q > 1) {
        *ret_value = isnan(q) ? q : q < 0 ? -(double)INFINITY : (double)INFINITY;
        return 0;
    }
    r = sort_buckets(eval, buckets, n);
    if (r == 0) {
        *ret_value =
            buckets[n - 1].bound == (double)INFINITY ? interpolate(q, buckets, n) : (double)NAN;
    }
    return r;
}

/* Elements with a bound, which goes where the value was... */
static int pick(struct eval *eval, const struct vector *vector, struct vector *ret_vector,
                double **ret_bounds)
{
    double *bounds = pool_get(&eval->pool, (vector->n + 1) * sizeof *bounds);
    size_t n = 0;

    if (!bounds) {
        return -ENOMEM;
    }
    *ret_vector = *vector;
    for (size_t i = 0; i < vector->n; i++) {
        const char *le = set_get(&vector->elements[i].set, "le");

        if (literal_float(le, strlen(le), &bounds[n])) {
            ret_vector->elements[n++] = vector->elements[i];
        }
    }
    ret_vector->n = n;
    *ret_bounds = bounds;
    return 0;
}

int call_histogram_quantile(struct eval *eval, const struct node *node, struct value *args,
                            struct value *ret_value)
{
    static const char *const name[] = {"le"};
    static const struct names le = {name, name, 1};
    struct vector vector;
    struct bucket *buckets;
    struct groups groups;
    uint32_t *ends;
    double *bounds;
    int r = pick(eval, &args[1].vector, &vector, &bounds);

    r = r < 0 ? r : groups_make(eval, &vector, &le, PART_BUT, &groups);
    if (r < 0) {
        return r;
    }
    buckets = pool_get(&eval->pool, (vector.n + 1) * sizeof *buckets);
    ends = pool_get(&eval->pool, (groups.n + 1) * sizeof *ends);
    if (!buckets || !ends) {
        return -ENOMEM;
    }
    for (size_t g = 0, end = 0; g < groups.n; g++) {
        ends[g] = (uint32_t)end; /* where the group begins; it grows to where it ends */
        end += groups.size[g];
    }
    for (size_t i = 0; i < vector.n; i++) {
        buckets[ends[groups.of[i]]++] = (struct bucket){bounds[i], vector.elements[i].value};
    }
    for (size_t g = 0; r == 0 && g < groups.n; g++) {
        struct set set;
        double value = 0;

        if (!set_without(&eval->pool, &vector.elements[groups.first[g]].set, &le, &set)) {
            return -ENOMEM;
        }
        r = quantile(eval, args[0].scalar, buckets + ends[g] - groups.size[g], groups.size[g],
                     &value);
        r = r < 0 ? r : vector_add(eval, &ret_value->vector, &set, value);
    }
    return r < 0 ? r : vector_check(eval, &ret_value->vector);
}
