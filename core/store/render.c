/*
 * render.c: from records to lines, in Prometheus text 0.0.4 and OpenMetrics 1.0.
 *
 * Runs on the thread that scrapes, under the read lock.  The formats differ in the head of a
 * family, in how a bucket's bound and a time are written, and nowhere else; a counter whose name
 * does not end in _total has no form in OpenMetrics and is shown there as `unknown`, under the same
 * name.
 */
#include "store/render.h"

#include <string.h>

#include "store/number.h"

#define TIME_MAX 24                 /* a space and a time */
#define SUFFIX_MAX 8                /* _bucket */
#define LABEL_MAX (12 + NUMBER_MAX) /* ,quantile="..." */

static const char *const text_types[] = {
    [TMON_UNTYPED] = "untyped",     [TMON_GAUGE] = "gauge",     [TMON_COUNTER] = "counter",
    [TMON_HISTOGRAM] = "histogram", [TMON_SUMMARY] = "summary",
};

static char *put(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return out + len;
}

static char *put_str(char *out, const char *text)
{
    return put(out, text, strlen(text));
}

/* Control characters would end the line or, in some parsers, the scrape. */
static char *put_help(char *out, const char *help, bool openmetrics)
{
    for (; *help; help++) {
        if (*help == '\\' || (*help == '"' && openmetrics)) {
            *out++ = '\\';
            *out++ = *help;
        } else if (*help == '\n') {
            *out++ = '\\';
            *out++ = 'n';
        } else {
            *out++ = (unsigned char)*help < ' ' ? ' ' : *help;
        }
    }
    return out;
}

size_t render_head_need(const struct family *family)
{
    return 2 * (size_t)family->name_len + (family->help ? 2 * strlen(family->help) : 0) + 64;
}

/* The family's name in OpenMetrics, where a counter goes without its _total.  0: no counter there,
 * since it has no such ending or the shorter name is another family's. */
static size_t counter_base(const struct store *store, const struct family *family)
{
    size_t len = family->name_len;

    if (family->kind != TMON_COUNTER || len <= 6 || strcmp(family->name + len - 6, "_total") != 0 ||
        map_get(&store->by_name, family->name, len - 6)) {
        return 0;
    }
    return len - 6;
}

static char *put_type_line(char *out, const struct family *family, size_t len, const char *type)
{
    out = put_str(out, "# TYPE ");
    out = put(out, family->name, len);
    *out++ = ' ';
    out = put_str(out, type);
    *out++ = '\n';
    return out;
}

static char *put_help_line(char *out, const struct family *family, size_t len, bool openmetrics)
{
    if (family->help) {
        out = put_str(out, "# HELP ");
        out = put(out, family->name, len);
        *out++ = ' ';
        out = put_help(out, family->help, openmetrics);
        *out++ = '\n';
    }
    return out;
}

char *render_head(char *out, const struct store *store, const struct family *family,
                  bool openmetrics)
{
    size_t len = family->name_len;
    const char *type = text_types[family->kind];

    if (openmetrics) {
        size_t base = counter_base(store, family);

        if (base) {
            len = base;
        } else if (family->kind == TMON_COUNTER || family->kind == TMON_UNTYPED) {
            type = "unknown";
        }
    }
    if (!openmetrics) {
        out = put_help_line(out, family, len, openmetrics);
        return put_type_line(out, family, len, type);
    }
    out = put_type_line(out, family, len, type);
    return put_help_line(out, family, len, openmetrics);
}

/* One line of a series: its text with a suffix after the name and one more label, number and time.
 */
struct line {
    const struct family *family;
    const char *text; /* ` ` or `{labels} ` */
    uint32_t text_len;
    int64_t time_ms;
    bool openmetrics;
};

static char *put_name(char *out, const struct line *line, const char *suffix)
{
    out = put(out, line->family->name, line->family->name_len);
    return put_str(out, suffix);
}

static char *put_labels(char *out, const struct line *line)
{
    return put(out, line->text, line->text_len);
}

/* With label `key` (which carries its `="`) and a bound as its value. */
static char *put_labels_and(char *out, const struct line *line, const char *key, double bound)
{
    uint32_t labels = line->text_len - 1; // without the space

    if (labels > 0) {
        out = put(out, line->text, labels - 1); // without the brace
        *out++ = ',';
    } else {
        *out++ = '{';
    }
    out = put_str(out, key);
    out = number_put_bound(out, bound, line->openmetrics);
    return put(out, "\"} ", 3);
}

static char *end_line(char *out, const struct line *line)
{
    if (line->time_ms > 0) {
        *out++ = ' ';
        if (line->openmetrics) { // seconds
            uint32_t ms = (uint32_t)(line->time_ms % 1000);

            out = number_put_i64(out, line->time_ms / 1000);
            *out++ = '.';
            *out++ = (char)('0' + ms / 100);
            *out++ = (char)('0' + ms / 10 % 10);
            *out++ = (char)('0' + ms % 10);
        } else {
            out = number_put_i64(out, line->time_ms);
        }
    }
    *out++ = '\n';
    return out;
}

static char *put_sum_and_count(char *out, const struct line *line, double sum, uint64_t count,
                               bool has_sum)
{
    if (has_sum) {
        out = put_name(out, line, "_sum");
        out = put_labels(out, line);
        out = number_put(out, sum);
        out = end_line(out, line);
    }
    out = put_name(out, line, "_count");
    out = put_labels(out, line);
    out = number_put_u64(out, count);
    return end_line(out, line);
}

static char *put_bucket(char *out, const struct line *line, double bound, double count)
{
    out = put_name(out, line, "_bucket");
    out = put_labels_and(out, line, "le=\"", bound);
    out = number_put(out, count);
    return end_line(out, line);
}

/* OpenMetrics: no sum beside negative bounds, since it could fall. */
static bool shows_sum(const struct line *line, const double *bounds, uint32_t n)
{
    return !line->openmetrics || n == 0 || bounds[0] >= 0;
}

static char *put_histogram(char *out, const struct line *line, const struct record *record,
                           const struct extra *extra)
{
    const double *bounds = extra->points;
    const double *points = extra->points + extra->npoints;

    for (uint32_t i = 0; i < extra->npoints; i++) {
        out = put_bucket(out, line, bounds[i], points[i]);
    }
    out = put_bucket(out, line, __builtin_inf(), (double)extra->count);
    return put_sum_and_count(out, line, record->value, extra->count,
                             shows_sum(line, bounds, extra->npoints));
}

static char *put_own_histogram(char *out, const struct line *line,
                               const struct store_metric *metric)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i <= metric->nbounds; i++) {
        count += atomic_load_explicit(&metric->counts[i], memory_order_relaxed);
        out = put_bucket(out, line, i < metric->nbounds ? metric->bounds[i] : __builtin_inf(),
                         (double)count);
    }
    return put_sum_and_count(out, line, store_metric_value(metric), count,
                             shows_sum(line, metric->bounds, metric->nbounds));
}

static char *put_summary(char *out, const struct line *line, const struct record *record,
                         const struct extra *extra)
{
    for (uint32_t i = 0; i < extra->npoints; i++) {
        out = put_name(out, line, "");
        out = put_labels_and(out, line, "quantile=\"", extra->points[i]);
        out = number_put(out, extra->points[extra->npoints + i]);
        out = end_line(out, line);
    }
    return put_sum_and_count(out, line, record->value, extra->count, true);
}

size_t render_record_need(const struct family *family, struct record *record)
{
    size_t line =
        family->name_len + record->text_len + SUFFIX_MAX + LABEL_MAX + NUMBER_MAX + TIME_MAX + 8;
    size_t lines = 3;

    if (!(record->flags & RECORD_EXTRA)) {
        return line;
    }
    lines += (*record_extra(record))->npoints;
    if ((*record_extra(record))->metric) {
        lines += (*record_extra(record))->metric->nbounds;
    }
    return lines * line;
}

char *render_record(char *out, struct record *record, const struct family *family, bool openmetrics)
{
    const struct extra *extra = record->flags & RECORD_EXTRA ? *record_extra(record) : NULL;
    struct line line = {
        .family = family,
        .text = record_text(record),
        .text_len = record->text_len,
        .time_ms = extra ? extra->time_ms : 0,
        .openmetrics = openmetrics,
    };

    if (family->kind == TMON_HISTOGRAM) {
        return extra->metric ? put_own_histogram(out, &line, extra->metric)
                             : put_histogram(out, &line, record, extra);
    }
    if (family->kind == TMON_SUMMARY) {
        return put_summary(out, &line, record, extra);
    }
    out = put_name(out, &line, "");
    out = put_labels(out, &line);
    out =
        number_put(out, extra && extra->metric ? store_metric_value(extra->metric) : record->value);
    return end_line(out, &line);
}

/* In steps of 32 bytes, past the end if need be (see CHUNK_SLACK): no call, no odd tails. */
static char *put_by_32(char *out, const char *text, uint32_t len)
{
    for (uint32_t i = 0; i < len; i += 32) {
        memcpy(out + i, text + i, 32);
    }
    return out + len;
}

char *render_plain(char *out, const char *end, const struct family *family, const char *data,
                   uint32_t *offset, uint32_t stop)
{
    uint32_t at = *offset;
    uint32_t name_len = family->name_len;

    while (at < stop) {
        const struct record *record = (const struct record *)(const void *)(data + at);
        const char *text = (const char *)(record + 1);
        uint32_t len = (uint32_t)record->text_len + record->value_len;

        if (record->flags) {
            if (!(record->flags & RECORD_DEAD)) {
                break;
            }
            at += record_bytes(record);
            continue;
        }
        if ((size_t)(end - out) < name_len + len + 32) {
            break;
        }
        out = put_by_32(out, family->name, name_len);
        out = put_by_32(out, text, len);
        at += record_bytes_for(record->text_len, false);
    }
    *offset = at;
    return out;
}
