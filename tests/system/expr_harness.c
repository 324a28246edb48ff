/*
 * expr_harness.c: expressions over samples that a test hands in, for comparison with a Prometheus.
 *
 * Lines on stdin; names, values and expressions are percent-encoded:
 *   series NAME=VALUE&NAME=VALUE...    a series, in order of birth
 *   sample TIME_MS BITS                of the last series; 16 hexadecimal digits
 *   hashes                             from here on labels are lent with their hashes
 *   eval TIME_MS EXPRESSION            answered by a line of JSON
 *   time N TIME_MS EXPRESSION          evaluates N times; answered by the nanoseconds of one
 * An answer is {"show": ..., "type": ..., "values": [[{labels}, "number"], ...]}, {"string": ...}
 * or
 * {"error": ...}; "parse": true says that it is one of the text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../unit/rules/kit.h"
#include "base/json_text.h"
#include "store/number.h"

static void decode(char *text)
{
    char *out = text;

    for (const char *p = text; *p; p++) {
        unsigned value;

        if (*p == '%' && sscanf(p + 1, "%2x", &value) == 1) {
            *out++ = (char)value;
            p += 2;
        } else {
            *out++ = *p;
        }
    }
    *out = '\0';
}

static void add_series(struct kit *kit, char *text)
{
    struct tmon_pair labels[32];
    size_t n = 0;

    for (char *word = strtok_r(text, "&", &text); word; word = strtok_r(NULL, "&", &text)) {
        char *value = strchr(word, '=');

        *value++ = '\0';
        decode(word);
        decode(value);
        labels[n++] = (struct tmon_pair){word, value};
    }
    (void)kit_add(kit, labels, n);
}

static void put_values(const struct expr_result *result, struct buf *buf)
{
    static const char *const types[] = {"scalar", "string", "vector", "matrix"};

    json_text_put_string(buf, "type", types[result->type]);
    json_text_key(buf, "values");
    buf_putc(buf, '[');
    for (size_t i = 0; i < result->n; i++) {
        char number[NUMBER_MAX + 1] = "";

        json_text_item(buf);
        buf_puts(buf, "[{");
        for (size_t k = 0; k < result->values[i].nlabels; k++) {
            json_text_put_string(buf, result->values[i].labels[k].key,
                                 result->values[i].labels[k].value);
        }
        buf_puts(buf, "},");
        *number_put(number, result->values[i].value) = '\0';
        json_text_string(buf, number);
        buf_putc(buf, ']');
    }
    buf_putc(buf, ']');
}

static void evaluate(struct kit *kit, int64_t time_ms, const char *text, struct buf *buf)
{
    struct expr *expr = NULL;
    struct expr_result result = {0};
    char why[1024] = "";
    struct buf shown;
    int r = expr_parse(text, &expr, why, sizeof why);

    buf_putc(buf, '{');
    if (r < 0) {
        json_text_put_bool(buf, "parse", true);
    } else {
        buf_init(&shown, 1 << 20);
        expr_show(expr, &shown);
        json_text_put_string(buf, "show", buf_str(&shown));
        buf_finish(&shown);
        r = kit_eval(kit, expr, time_ms, &result, why, sizeof why);
    }
    if (r < 0) {
        json_text_put_string(buf, "error", *why ? why : strerror(-r));
    } else if (result.type == EXPR_STRING) {
        json_text_put_string(buf, "string", result.text);
    } else {
        put_values(&result, buf);
    }
    buf_putc(buf, '}');
    expr_result_finish(&result);
    expr_destroy(expr);
}

static int64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void measure(struct kit *kit, long times, int64_t time_ms, const char *text)
{
    struct expr *expr = NULL;
    char why[1024] = "";
    int64_t start;

    if (expr_parse(text, &expr, why, sizeof why) < 0) {
        printf("%s\n", why);
        return;
    }
    start = cpu_ns();
    for (long i = 0; i < times; i++) {
        struct expr_result result = {0};

        if (kit_eval(kit, expr, time_ms, &result, why, sizeof why) < 0) {
            printf("%s\n", why);
            break;
        }
        expr_result_finish(&result);
    }
    printf("%lld\n", (long long)((cpu_ns() - start) / times));
    expr_destroy(expr);
}

int main(void)
{
    struct kit kit;
    struct buf answer;
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    kit_init(&kit);
    buf_init(&answer, 64 << 20);
    while ((len = getline(&line, &room, stdin)) > 0) {
        char *rest = line;
        const char *word;

        line[len - 1] = '\0';
        word = strtok_r(rest, " ", &rest);
        if (strcmp(word, "series") == 0) {
            add_series(&kit, rest);
        } else if (strcmp(word, "hashes") == 0) {
            kit.with_hashes = true;
        } else if (strcmp(word, "sample") == 0) {
            int64_t time_ms = strtoll(rest, &rest, 10);
            uint64_t bits = strtoull(rest, NULL, 16);
            double value;

            memcpy(&value, &bits, sizeof value);
            kit_sample(&kit, kit.n - 1, time_ms, value);
        } else {
            long times = strcmp(word, "time") == 0 ? strtol(rest, &rest, 10) : 0;
            int64_t time_ms = strtoll(rest, &rest, 10);

            decode(++rest);
            if (times > 0) {
                measure(&kit, times, time_ms, rest);
            } else {
                buf_clear(&answer);
                evaluate(&kit, time_ms, rest, &answer);
                puts(buf_str(&answer));
            }
            (void)fflush(stdout);
        }
    }
    free(line);
    buf_finish(&answer);
    kit_finish(&kit);
    return 0;
}
