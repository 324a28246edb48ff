/*
 * sample.c: see sample.h.  The encoder sorts labels and drops empty ones, which in Prometheus's
 * model are the same as none; the decoder insists on that order, so equal label sets are equal
 * bytes everywhere after this.
 */
#include "model/sample.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool metric_name_ok(const char *name)
{
    if (!is_letter(name[0]) && name[0] != ':') {
        return false;
    }
    for (const char *p = name + 1; *p; p++) {
        if (!is_letter(*p) && !is_digit(*p) && *p != ':') {
            return false;
        }
    }
    return true;
}

static bool label_name_ok(const char *name)
{
    if (!is_letter(name[0]) || (name[0] == '_' && name[1] == '_')) {
        return false;
    }
    for (const char *p = name + 1; *p; p++) {
        if (!is_letter(*p) && !is_digit(*p)) {
            return false;
        }
    }
    return true;
}

static bool has_points(tmon_metric_kind kind)
{
    return kind == TMON_HISTOGRAM || kind == TMON_SUMMARY;
}

/* The label that the exposition adds by itself. */
static const char *own_label(tmon_metric_kind kind)
{
    return kind == TMON_HISTOGRAM ? "le" : kind == TMON_SUMMARY ? "quantile" : "";
}

static const char *points_problem(tmon_metric_kind kind, const double *bounds, const double *points,
                                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) {
            return "bounds must be numbers in ascending order";
        }
        if (kind == TMON_SUMMARY && (bounds[i] < 0 || bounds[i] > 1)) {
            return "quantiles must lie between 0 and 1";
        }
        if (kind == TMON_HISTOGRAM &&
            (isinf(bounds[i]) || !(points[i] >= 0) || (i > 0 && points[i] < points[i - 1]))) {
            return "buckets must be cumulative counts with finite bounds (+Inf is added)";
        }
    }
    return NULL;
}

static const char *head_problem(tmon_metric_kind kind, const char *name, size_t npoints,
                                size_t nlabels)
{
    if (kind < TMON_UNTYPED || kind > TMON_SUMMARY) {
        return "unknown kind of metric";
    }
    if (!name || !*name || strlen(name) > LIMIT_METRIC_NAME_BYTES || !metric_name_ok(name)) {
        return "a metric name must match [a-zA-Z_:][a-zA-Z0-9_:]* and be at most 256 bytes long";
    }
    if (npoints > LIMIT_BUCKETS || (npoints > 0 && !has_points(kind))) {
        return "too many buckets or quantiles, or some where the kind has none";
    }
    if (nlabels > LIMIT_LABELS) {
        return "too many labels (32 are allowed)";
    }
    return NULL;
}

static const char *label_problem(tmon_metric_kind kind, const char *key, const char *value)
{
    size_t len;

    if (!key || strlen(key) > LIMIT_NAME_BYTES || !label_name_ok(key)) {
        return "a label name must match [a-zA-Z_][a-zA-Z0-9_]*, not start with __ and be at most "
               "128 bytes long";
    }
    if (strcmp(key, own_label(kind)) == 0) {
        return "the labels le (histogram) and quantile (summary) are added by the agent";
    }
    len = strlen(value);
    if (len > LIMIT_LABEL_VALUE_BYTES || !utf8_valid(value, len)) {
        return "a label value must be UTF-8 and at most 2048 bytes long";
    }
    return NULL;
}

/* Copies the labels that have a value, sorted by name. */
static const char *sort_labels(const struct tmon_metric *metric, struct tmon_pair *ret_labels,
                               uint32_t *ret_n)
{
    uint32_t n = 0;

    for (size_t i = 0; i < metric->nlabels; i++) {
        struct tmon_pair label = metric->labels[i];
        const char *problem;
        uint32_t at = n;

        if (!label.value || !*label.value) {
            continue;
        }
        problem = label_problem(metric->kind, label.key, label.value);
        if (problem) {
            return problem;
        }
        for (; at > 0; at--) {
            int order = strcmp(ret_labels[at - 1].key, label.key);

            if (order == 0) {
                return "a label name stands twice";
            }
            if (order < 0) {
                break;
            }
            ret_labels[at] = ret_labels[at - 1];
        }
        ret_labels[at] = label;
        n++;
    }
    *ret_n = n;
    return NULL;
}

int sample_encode(struct buf *buf, const struct tmon_metric *metric, const char **ret_why)
{
    struct tmon_pair labels[LIMIT_LABELS];
    uint32_t nlabels = 0;
    size_t before = buf->len;
    const char *why = head_problem(metric->kind, metric->name, metric->npoints, metric->nlabels);

    if (!why && metric->nlabels > 0) {
        why = sort_labels(metric, labels, &nlabels);
    }
    if (!why && metric->npoints > 0) {
        why = points_problem(metric->kind, metric->bounds, metric->points, metric->npoints);
    }
    if (!why && metric->help && !utf8_valid(metric->help, strlen(metric->help))) {
        why = "the help text must be UTF-8";
    }
    if (why) {
        *ret_why = why;
        return -EINVAL;
    }
    wire_put_u8(buf, (uint8_t)metric->kind);
    wire_put_str(buf, metric->name);
    wire_put_u8(buf, metric->help != NULL);
    if (metric->help) {
        wire_put_bytes(buf, metric->help,
                       utf8_cut(metric->help, strlen(metric->help), LIMIT_HELP_BYTES));
    }
    wire_put_f64(buf, metric->value);
    wire_put_i64(buf, metric->time_ms);
    wire_put_u8(buf, (uint8_t)nlabels);
    for (uint32_t i = 0; i < nlabels; i++) {
        wire_put_str(buf, labels[i].key);
        wire_put_str(buf, labels[i].value);
    }
    if (has_points(metric->kind)) {
        wire_put_u64(buf, metric->count);
        wire_put_u32(buf, (uint32_t)metric->npoints);
        for (size_t i = 0; i < metric->npoints; i++) {
            wire_put_f64(buf, metric->bounds[i]);
            wire_put_f64(buf, metric->points[i]);
        }
    }
    if (buf->failed) {
        buf->failed = false;
        buf->len = before;
        return -ENOBUFS;
    }
    return 0;
}

int sample_decode(struct wire_reader *reader, struct sample *ret_sample)
{
    struct sample *sample = ret_sample;
    const char *before = NULL;

    if (!reader->bad && reader->pos == reader->len) {
        return 0;
    }
    sample->kind = wire_get_u8(reader);
    sample->name = wire_get_str(reader, LIMIT_METRIC_NAME_BYTES);
    sample->help = wire_get_u8(reader) ? wire_get_str(reader, LIMIT_HELP_BYTES) : NULL;
    sample->value = wire_get_f64(reader);
    sample->time_ms = wire_get_i64(reader);
    sample->nlabels = wire_get_u8(reader);
    sample->count = 0;
    sample->npoints = 0;
    if (reader->bad || head_problem(sample->kind, sample->name, 0, sample->nlabels)) {
        return -EPROTO;
    }
    for (uint32_t i = 0; i < sample->nlabels; i++) {
        struct tmon_pair *label = &sample->labels[i];

        label->key = wire_get_str(reader, LIMIT_NAME_BYTES);
        label->value = wire_get_str(reader, LIMIT_LABEL_VALUE_BYTES);
        if (reader->bad || label_problem(sample->kind, label->key, label->value) ||
            !*label->value || (before && strcmp(before, label->key) >= 0)) {
            return -EPROTO;
        }
        before = label->key;
    }
    if (has_points(sample->kind)) {
        sample->count = wire_get_u64(reader);
        sample->npoints = wire_get_count(reader, LIMIT_BUCKETS, 16);
        for (uint32_t i = 0; i < sample->npoints; i++) {
            sample->bounds[i] = wire_get_f64(reader);
            sample->points[i] = wire_get_f64(reader);
        }
        if (reader->bad ||
            points_problem(sample->kind, sample->bounds, sample->points, sample->npoints)) {
            return -EPROTO;
        }
    }
    return reader->bad ? -EPROTO : 1;
}
