/*
 * kit_series.c: what is wrong with the metrics of a plugin.
 *
 * The form of names and labels is checked where samples are encoded, in the worker; here is what
 * shows only in a whole collection (a series twice, two types for one name) or from one to the next
 * (a counter that falls), and the customs of Prometheus, which are notes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kit.h"
#include "model/sample.h"

struct family {
    char *name;
    tmon_metric_kind kind;
};

struct series {
    char *key; /* name and labels, as they are printed */
    double value;
    uint32_t collection; /* the last that had it */
};

void kit_series_init(struct kit_series *series)
{
    memset(series, 0, sizeof *series);
    map_init(&series->families);
    map_init(&series->series);
}

void kit_series_finish(struct kit_series *series)
{
    struct family *family;
    struct series *one;
    size_t at = 0;

    while ((family = map_next(&series->families, &at))) {
        free(family->name);
        free(family);
    }
    at = 0;
    while ((one = map_next(&series->series, &at))) {
        free(one->key);
        free(one);
    }
    map_finish(&series->families);
    map_finish(&series->series);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}

/* Customs, once a family. */
static void look_at_name(struct kit *kit, const struct sample *sample)
{
    static const struct {
        const char *end, *better;
    } units[] = {
        {"_ms", "_seconds"}, {"_milliseconds", "_seconds"},
        {"_us", "_seconds"}, {"_microseconds", "_seconds"},
        {"_ns", "_seconds"}, {"_minutes", "_seconds"},
        {"_kb", "_bytes"},   {"_kilobytes", "_bytes"},
        {"_mb", "_bytes"},   {"_megabytes", "_bytes"},
        {"_gb", "_bytes"},
    };
    char base[LIMIT_METRIC_NAME_BYTES + 1];

    snprintf(base, sizeof base, "%s", sample->name);
    if (ends_with(base, "_total")) {
        base[strlen(base) - 6] = '\0';
    }
    if (sample->kind == TMON_COUNTER && !ends_with(sample->name, "_total")) {
        kit_finding(kit, KIT_FAULT, "collect: the name of the counter %s must end in _total",
                    sample->name);
    }
    if (sample->kind == TMON_GAUGE && ends_with(sample->name, "_total")) {
        kit_finding(kit, KIT_NOTE, "collect: the gauge %s ends in _total, as only counters do",
                    sample->name);
    }
    if (!sample->help || !*sample->help) {
        kit_finding(kit, KIT_NOTE, "collect: %s has no help", sample->name);
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (ends_with(base, units[i].end)) {
            kit_finding(kit, KIT_NOTE, "collect: %s is not in base units; Prometheus expects %s",
                        sample->name, units[i].better);
        }
    }
    if (strchr(sample->name, ':')) {
        kit_finding(kit, KIT_NOTE, "collect: %s has a colon, which is meant for rules",
                    sample->name);
    }
}

static struct family *find_family(struct kit_series *series, struct kit *kit,
                                  const struct sample *sample)
{
    struct family *family = map_get(&series->families, sample->name, strlen(sample->name));

    if (family) {
        return family;
    }
    family = calloc(1, sizeof *family);
    if (!family || !(family->name = strdup(sample->name)) ||
        map_put(&series->families, family->name, strlen(family->name), family)) {
        if (family) {
            free(family->name);
        }
        free(family);
        return NULL;
    }
    family->kind = sample->kind;
    look_at_name(kit, sample);
    return family;
}

static void key_of(const struct sample *sample, struct buf *buf)
{
    buf_puts(buf, sample->name);
    for (uint32_t i = 0; i < sample->nlabels; i++) {
        buf_printf(buf, "%s%s=\"%s\"", i ? "," : "{", sample->labels[i].key,
                   sample->labels[i].value);
    }
    buf_puts(buf, sample->nlabels ? "}" : "");
}

static void look_at_series(struct kit_series *series, struct kit *kit, const struct sample *sample,
                           const char *key)
{
    struct series *one = map_get(&series->series, key, strlen(key));

    if (!one) {
        one = calloc(1, sizeof *one);
        if (!one || !(one->key = strdup(key)) ||
            map_put(&series->series, one->key, strlen(one->key), one)) {
            if (one) {
                free(one->key);
            }
            free(one);
            return;
        }
    } else if (one->collection == series->collection) {
        kit_finding(kit, KIT_FAULT, "collect: the series %.300s is emitted twice in one collection",
                    key);
    } else if (sample->kind == TMON_COUNTER && sample->value < one->value) {
        kit_finding(
            kit, KIT_FAULT,
            "collect: the counter %.300s fell from %.15g to %.15g; what can fall is a gauge", key,
            one->value, sample->value);
    }
    if (sample->kind == TMON_COUNTER && (sample->value < 0 || isnan(sample->value))) {
        kit_finding(kit, KIT_FAULT, "collect: the counter %.300s is %g", key, sample->value);
    }
    one->value = sample->value;
    one->collection = series->collection;
}

void kit_series_look(struct kit_series *series, struct kit *kit, const void *samples, size_t len)
{
    struct wire_reader reader;
    struct sample *sample = malloc(sizeof *sample); // 10 KiB: not for the stack
    struct buf key;

    buf_init(&key, 1u << 20);
    wire_reader_init(&reader, samples, len);
    series->collection++;
    series->last = 0;
    while (sample && sample_decode(&reader, sample) == 1) {
        struct family *family = find_family(series, kit, sample);

        if (family && family->kind != sample->kind) {
            kit_finding(kit, KIT_FAULT, "collect: %s is emitted with two types", sample->name);
        }
        buf_clear(&key);
        key_of(sample, &key);
        look_at_series(series, kit, sample, buf_str(&key));
        series->last++;
    }
    free(sample);
    buf_finish(&key);
}
