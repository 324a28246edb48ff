/*
 * metric.c: what the agent says of itself.
 *
 * Bumped by any thread without the lock: the value is an atomic beside its record, which only
 * points to it, and a scrape reads it with relaxed order.  Buckets are counted apart and added up
 * when shown, so that an observation touches one of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "store/history_feed.h"
#include "store/series.h"

static bool name_ok(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= LIMIT_METRIC_NAME_BYTES && !(name[0] >= '0' && name[0] <= '9') &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:") == len;
}

/* With the lock held for writing. */
static int enter(struct store *store, const struct store_metric_spec *spec,
                 struct store_metric *metric, const char *text, uint32_t len)
{
    uint32_t hash = map_hash(text, len);
    struct family *family = family_find(store, spec->name);
    struct extra *extra = NULL;
    struct record *record = NULL;
    int error;

    if ((family && family->kind != spec->kind) || index_find(store, hash, text, len) != NO_SERIES) {
        return -EEXIST;
    }
    error = index_reserve(store, store->live + 1);
    if (error) {
        return error;
    }
    extra = calloc(1, sizeof *extra);
    if (!extra) {
        return -ENOMEM;
    }
    extra->metric = metric;
    if (!family) {
        error = family_add(store, spec->name, spec->kind, &family);
    }
    if (error == 0) {
        error = record_add(store, family, text + family->name_len, len - family->name_len, hash,
                           extra, &record);
        if (error && family->live == 0) {
            family_drop(store, family);
        }
    }
    if (error) {
        free(extra);
        return error;
    }
    index_put(store, hash, record->id);
    metric->id = record->id;
    family_help(store, family, spec->help);
    if (store->history) {
        (void)history_born(store->history, record);
    }
    atomic_fetch_add_explicit(&store->owners[0]->series, 1, memory_order_relaxed);
    return 0;
}

int store_metric_add(struct store *store, const struct store_metric_spec *spec,
                     struct store_metric **ret_metric)
{
    struct tmon_pair *labels = NULL;
    struct store_metric *metric = NULL;
    size_t nlabels = 0;
    char text[LIMIT_SERIES_TEXT_BYTES];
    uint32_t len;
    int error;

    if (!name_ok(spec->name) || spec->kind < TMON_UNTYPED || spec->kind >= TMON_SUMMARY ||
        spec->nbounds > LIMIT_BUCKETS) {
        return -EINVAL;
    }
    error = text_labels(spec->labels, spec->nlabels, &labels, &nlabels);
    if (error) {
        return error;
    }
    len = text_render(text, spec->name, labels, nlabels, NULL, 0);
    free(labels);
    if (len == 0) {
        return -EINVAL;
    }
    metric = calloc(1, sizeof *metric + (spec->kind == TMON_HISTOGRAM
                                             ? (spec->nbounds + 1) * sizeof *metric->counts
                                             : 0));
    if (!metric) {
        return -ENOMEM;
    }
    if (spec->kind == TMON_HISTOGRAM) {
        metric->bounds = spec->bounds;
        metric->nbounds = (uint32_t)spec->nbounds;
    }
    pthread_rwlock_wrlock(&store->lock);
    error = enter(store, spec, metric, text, len);
    pthread_rwlock_unlock(&store->lock);
    if (error) {
        free(metric);
        return error;
    }
    *ret_metric = metric;
    return 0;
}

struct store_metric *store_metric_new(struct store *store, tmon_metric_kind kind, const char *name,
                                      const char *help, const struct tmon_pair *labels,
                                      size_t nlabels)
{
    const struct store_metric_spec spec = {
        .kind = kind, .name = name, .help = help, .labels = labels, .nlabels = nlabels};
    struct store_metric *metric = NULL;

    (void)store_metric_add(store, &spec, &metric);
    return metric;
}

void store_metric_remove(struct store *store, struct store_metric *metric)
{
    if (!metric) {
        return;
    }
    pthread_rwlock_wrlock(&store->lock);
    record_drop(store, metric->id);
    pthread_rwlock_unlock(&store->lock);
    free(metric);
}

void store_metric_add_value(struct store_metric *metric, double value)
{
    uint64_t old;

    if (!metric) {
        return;
    }
    old = atomic_load_explicit(&metric->bits, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&metric->bits, &old,
                                                  double_to_bits(double_from_bits(old) + value),
                                                  memory_order_relaxed, memory_order_relaxed)) {}
}

void store_metric_inc(struct store_metric *metric)
{
    store_metric_add_value(metric, 1);
}

void store_metric_set(struct store_metric *metric, double value)
{
    if (metric) {
        atomic_store_explicit(&metric->bits, double_to_bits(value), memory_order_relaxed);
    }
}

void store_metric_observe(struct store_metric *metric, double value)
{
    uint32_t bucket = 0;

    if (!metric || !metric->bounds) {
        return;
    }
    while (bucket < metric->nbounds && !(value <= metric->bounds[bucket])) {
        bucket++;
    }
    atomic_fetch_add_explicit(&metric->counts[bucket], 1, memory_order_relaxed);
    store_metric_add_value(metric, value);
}

double store_metric_value(const struct store_metric *metric)
{
    return metric ? double_from_bits(atomic_load_explicit(&metric->bits, memory_order_relaxed)) : 0;
}

uint64_t store_metric_count(const struct store_metric *metric)
{
    uint64_t count = 0;

    for (uint32_t i = 0; metric && metric->bounds && i <= metric->nbounds; i++) {
        count += atomic_load_explicit(&metric->counts[i], memory_order_relaxed);
    }
    return count;
}
