#include "kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/labels.h"
#include "store/history.h"
#include "store/number.h"

static void *must(void *memory)
{
    if (!memory) {
        abort();
    }
    return memory;
}

double kit_stale(void)
{
    uint64_t bits = HISTORY_STALE_BITS;
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

void kit_init(struct kit *kit)
{
    *kit = (struct kit){0};
}

void kit_finish(struct kit *kit)
{
    for (size_t i = 0; i < kit->n; i++) {
        free(kit->series[i].labels);
        free(kit->series[i].hashes);
        free(kit->series[i].samples);
    }
    free(kit->series);
    kit_init(kit);
}

size_t kit_add(struct kit *kit, const struct tmon_pair *labels, size_t nlabels)
{
    struct kit_series *series;
    long n;

    if (kit->n == kit->room) {
        kit->room = kit->room ? kit->room * 2 : 16;
        kit->series = must(realloc(kit->series, kit->room * sizeof *kit->series));
    }
    series = &kit->series[kit->n];
    *series = (struct kit_series){0};
    if (labels_copy(labels, nlabels, &series->labels) < 0) {
        abort();
    }
    n = labels_normalize(series->labels, nlabels);
    if (n < 0) {
        abort();
    }
    series->nlabels = (size_t)n;
    series->hashes = must(malloc((series->nlabels + 1) * sizeof(uint64_t)));
    for (size_t i = 0; i < series->nlabels; i++) {
        series->hashes[i] = expr_hash(series->labels[i].key, series->labels[i].value);
    }
    return kit->n++;
}

void kit_sample(struct kit *kit, size_t i, int64_t time_ms, double value)
{
    struct kit_series *series = &kit->series[i];

    if (series->n == series->room) {
        series->room = series->room ? series->room * 2 : 16;
        series->samples = must(realloc(series->samples, series->room * sizeof *series->samples));
    }
    series->samples[series->n++] = (struct expr_sample){time_ms, value};
}

void kit_load(struct kit *kit, const char *line)
{
    char *copy = must(strdup(line)), *rest = copy, *word;
    struct tmon_pair labels[16];
    size_t n = 0, series, brace = strcspn(copy, "{ ");
    int64_t time_ms = 0;

    if (brace > 0) {
        labels[n++] = (struct tmon_pair){"__name__", copy};
    }
    rest += brace;
    if (*rest == '{') {
        *rest++ = '\0';
        while (*rest != '}') {
            char *key = rest, *value = strchr(key, '=') + 2;

            value[-2] = '\0';
            rest = strchr(value, '"');
            *rest++ = '\0';
            rest += *rest == ',';
            labels[n++] = (struct tmon_pair){key, value};
        }
    }
    *rest++ = '\0';
    series = kit_add(kit, labels, n);
    for (word = strtok_r(rest, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "_") != 0) {
            kit_sample(kit, series, time_ms,
                       strcmp(word, "stale") == 0 ? kit_stale() : strtod(word, NULL));
        }
        time_ms += 15000;
    }
    free(copy);
}

static int read_series(void *owner, size_t i, int64_t from_ms, int64_t to_ms,
                       int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    const struct kit *kit = owner;
    const struct expr_selector *selector = expr_selector(kit->expr, i);

    for (size_t k = 0; k < kit->n; k++) {
        const struct kit_series *series = &kit->series[k];
        size_t first = 0, end;
        int r;

        if (!matchers_match(selector->matchers, selector->nmatchers, series->labels,
                            series->nlabels)) {
            continue;
        }
        while (first < series->n && series->samples[first].time_ms <= from_ms) {
            first++;
        }
        end = first;
        while (end < series->n && series->samples[end].time_ms <= to_ms) {
            end++;
        }
        r = fn(arg, &(struct expr_series){.labels = series->labels,
                                          .hashes = kit->with_hashes ? series->hashes : NULL,
                                          .nlabels = series->nlabels,
                                          .samples = series->samples + first,
                                          .n = end - first});
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

int kit_eval(struct kit *kit, const struct expr *expr, int64_t time_ms,
             struct expr_result *ret_result, char *ret_why, size_t size)
{
    const struct expr_input input = {
        .owner = kit, .read = read_series, .labels_stay = kit->with_hashes};

    kit->expr = expr;
    return expr_eval(expr, &input, time_ms, ret_result, ret_why, size);
}

static void put_number(double value, struct buf *buf)
{
    char text[NUMBER_MAX];

    buf_append(buf, text, (size_t)(number_put(text, value) - text));
}

char *kit_show(struct kit *kit, const char *text, int64_t time_ms)
{
    struct expr_result result = {0};
    struct expr *expr = NULL;
    struct buf buf;
    char why[512] = "";
    int r;

    buf_init(&buf, 1 << 20);
    r = expr_parse(text, &expr, why, sizeof why);
    r = r < 0 ? r : kit_eval(kit, expr, time_ms, &result, why, sizeof why);
    if (r < 0) {
        buf_puts(&buf, *why ? why : strerror(-r));
    } else if (result.type == EXPR_STRING) {
        buf_puts(&buf, result.text);
    } else if (result.type == EXPR_SCALAR) {
        put_number(result.values[0].value, &buf);
    } else {
        for (size_t i = 0; i < result.n; i++) {
            labels_show(result.values[i].labels, result.values[i].nlabels, &buf);
            buf_putc(&buf, ' ');
            put_number(result.values[i].value, &buf);
            buf_putc(&buf, '\n');
        }
    }
    expr_result_finish(&result);
    expr_destroy(expr);
    if (!buf.data) {
        buf_puts(&buf, " ");
        buf_consume(&buf, 1);
    }
    return must(buf_take(&buf));
}
