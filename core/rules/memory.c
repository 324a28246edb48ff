/*
 * memory.c: samples in plain arrays: what unit tests of rules evaluate over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/labels.h"
#include "rules/unit_test_private.h"

void memory_init(struct memory *memory)
{
    map_init(&memory->series);
}

void memory_finish(struct memory *memory)
{
    struct memory_series *series;

    for (size_t pos = 0; (series = map_next(&memory->series, &pos));) {
        free(series->key);
        free(series->labels);
        free(series->samples);
        free(series);
    }
    map_finish(&memory->series);
}

static struct memory_series *find_or_add(struct memory *memory, const struct tmon_pair *labels,
                                         size_t n)
{
    struct memory_series *series;
    struct buf key;
    size_t len;

    buf_init(&key, SIZE_MAX / 2);
    active_key(labels, n, &key);
    len = key.len;
    series = map_get(&memory->series, buf_str(&key), len);
    if (series) {
        buf_finish(&key);
        return series;
    }
    series = calloc(1, sizeof *series);
    if (!series) {
        buf_finish(&key);
        return NULL;
    }
    series->key = buf_take(&key);
    series->nlabels = n;
    if (!series->key || labels_copy(labels, n, &series->labels) < 0 ||
        map_put(&memory->series, series->key, len, series) < 0) {
        free(series->key);
        free(series->labels);
        free(series);
        return NULL;
    }
    return series;
}

int memory_append(void *owner, const struct tmon_pair *labels, size_t n, int64_t time_ms,
                  double value)
{
    struct memory_series *series = find_or_add(owner, labels, n);

    if (!series) {
        return -ENOMEM;
    }
    if (series->n > 0 && series->samples[series->n - 1].time_ms >= time_ms) {
        return 0;
    }
    if (series->n == series->size) {
        size_t size = series->size ? series->size * 2 : 16;
        struct expr_sample *samples = realloc(series->samples, size * sizeof *samples);

        if (!samples) {
            return -ENOMEM;
        }
        series->samples = samples;
        series->size = size;
    }
    series->samples[series->n++] = (struct expr_sample){time_ms, value};
    return 0;
}

/* The first sample after `time_ms`. */
static size_t after(const struct memory_series *series, int64_t time_ms)
{
    size_t low = 0, high = series->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (series->samples[middle].time_ms <= time_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int memory_read(struct memory *memory, const struct expr_selector *selector, int64_t from_ms,
                int64_t to_ms, int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    const struct memory_series *series;
    int r = 0;

    for (size_t pos = 0; r == 0 && (series = map_next(&memory->series, &pos));) {
        size_t first, end;

        if (!matchers_match(selector->matchers, selector->nmatchers, series->labels,
                            series->nlabels)) {
            continue;
        }
        first = after(series, from_ms);
        end = after(series, to_ms);
        if (end > first) {
            const struct expr_series found = {.labels = series->labels,
                                              .nlabels = series->nlabels,
                                              .samples = series->samples + first,
                                              .n = end - first};

            r = fn(arg, &found);
        }
    }
    return r;
}
