/*
 * expr.c: expressions alone: what an evaluation of many rules costs once their samples are there.
 *
 *   bench_expr ROUNDS TIME_MS [copy] < LINES
 *
 * Lines: "series NAME=VALUE&...", "sample TIME_MS VALUE" (of the last series), "rule EXPRESSION".
 * Which series a selector takes is found out once, as the store's history does when a series is
 * born.  With `copy` labels are lent for a moment only and have no hashes.  Prints the CPU of one
 * evaluation of all rules in ms (the median of the rounds), the elements that came out, and what
 * parsing them all took.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/expr.h"

#define MAX_LABELS 16

struct series {
    struct tmon_pair labels[MAX_LABELS];
    uint64_t hashes[MAX_LABELS];
    size_t nlabels, n, room;
    struct expr_sample *samples;
};

struct rule {
    struct expr *expr;
    struct chosen {
        uint32_t *series;
        size_t n;
    } * chosen; /* by selector */
};

struct bench {
    struct series *series;
    size_t nseries, series_room;
    struct rule *rules;
    size_t nrules, rules_room;
    const struct rule *rule; /* that is evaluated */
    bool copy;
};

static void *grow(void *array, size_t n, size_t *room, size_t item)
{
    if (n == *room) {
        *room = *room ? *room * 2 : 64;
        array = realloc(array, *room * item);
        if (!array) {
            abort();
        }
    }
    return array;
}

static void add_series(struct bench *bench, char *text)
{
    struct series *series;

    bench->series = grow(bench->series, bench->nseries, &bench->series_room, sizeof *bench->series);
    series = &bench->series[bench->nseries++];
    memset(series, 0, sizeof *series);
    for (char *word = strtok_r(text, "&", &text); word; word = strtok_r(NULL, "&", &text)) {
        char *value = strchr(word, '=');

        *value++ = '\0';
        series->labels[series->nlabels].key = strdup(word);
        series->labels[series->nlabels].value = strdup(value);
        series->hashes[series->nlabels++] = expr_hash(word, value);
    }
}

static void add_sample(struct bench *bench, char *text)
{
    struct series *series = &bench->series[bench->nseries - 1];
    int64_t time_ms = strtoll(text, &text, 10);

    series->samples = grow(series->samples, series->n, &series->room, sizeof *series->samples);
    series->samples[series->n++] = (struct expr_sample){time_ms, strtod(text, NULL)};
}

static void choose(const struct bench *bench, const struct expr_selector *selector,
                   struct chosen *chosen)
{
    size_t room = 0;

    for (size_t i = 0; i < bench->nseries; i++) {
        const struct series *series = &bench->series[i];

        if (matchers_match(selector->matchers, selector->nmatchers, series->labels,
                           series->nlabels)) {
            chosen->series = grow(chosen->series, chosen->n, &room, sizeof *chosen->series);
            chosen->series[chosen->n++] = (uint32_t)i;
        }
    }
}

static int64_t add_rule(struct bench *bench, const char *text, int64_t (*clock)(void))
{
    struct rule *rule;
    char why[300];
    int64_t start = clock(), took;

    bench->rules = grow(bench->rules, bench->nrules, &bench->rules_room, sizeof *bench->rules);
    rule = &bench->rules[bench->nrules++];
    if (expr_parse(text, &rule->expr, why, sizeof why) < 0) {
        fprintf(stderr, "%s: %s\n", text, why);
        exit(1);
    }
    took = clock() - start;
    rule->chosen = calloc(expr_selectors(rule->expr) + 1, sizeof *rule->chosen);
    for (size_t i = 0; i < expr_selectors(rule->expr); i++) {
        choose(bench, expr_selector(rule->expr, i), &rule->chosen[i]);
    }
    return took;
}

static int read_series(void *owner, size_t selector, int64_t from_ms, int64_t to_ms,
                       int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    const struct bench *bench = owner;
    const struct chosen *chosen = &bench->rule->chosen[selector];
    int r = 0;

    for (size_t i = 0; r == 0 && i < chosen->n; i++) {
        const struct series *series = &bench->series[chosen->series[i]];
        size_t end = series->n, first;

        while (end > 0 && series->samples[end - 1].time_ms > to_ms) {
            end--;
        }
        for (first = end; first > 0 && series->samples[first - 1].time_ms > from_ms; first--) {}
        r = fn(arg, &(struct expr_series){.labels = series->labels,
                                          .hashes = bench->copy ? NULL : series->hashes,
                                          .nlabels = series->nlabels,
                                          .samples = series->samples + first,
                                          .n = end - first});
    }
    return r;
}

static size_t evaluate(struct bench *bench, int64_t time_ms)
{
    const struct expr_input input = {
        .owner = bench, .read = read_series, .labels_stay = !bench->copy};
    size_t elements = 0;
    char why[300];

    for (size_t i = 0; i < bench->nrules; i++) {
        struct expr_result result;

        bench->rule = &bench->rules[i];
        if (expr_eval(bench->rule->expr, &input, time_ms, &result, why, sizeof why) < 0) {
            fprintf(stderr, "%s\n", why);
            exit(1);
        }
        elements += result.n;
        expr_result_finish(&result);
    }
    return elements;
}

static int64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    double took[1000];
    size_t rounds, elements = 0, room = 0;
    int64_t time_ms, parsing = 0;
    char *line = NULL;
    ssize_t len;

    bench.copy = argc == 4 && strcmp(argv[3], "copy") == 0;
    if (argc != 3 && !bench.copy) {
        fprintf(stderr, "usage: bench_expr ROUNDS TIME_MS [copy] < LINES\n");
        return 2;
    }
    rounds = strtoul(argv[1], NULL, 10) % 1000;
    time_ms = strtoll(argv[2], NULL, 10);
    while ((len = getline(&line, &room, stdin)) > 0) {
        char *rest = strchr(line, ' ') + 1;

        line[len - 1] = '\0';
        if (line[0] == 'r') {
            parsing += add_rule(&bench, rest, cpu_ns);
        } else if (line[1] == 'e') {
            add_series(&bench, rest);
        } else {
            add_sample(&bench, rest);
        }
    }
    for (size_t i = 0; i <= rounds; i++) { /* the first one warms up */
        int64_t start = cpu_ns();

        elements = evaluate(&bench, time_ms);
        took[i > 0 ? i - 1 : 0] = (double)(cpu_ns() - start) / 1e6;
    }
    qsort(took, rounds, sizeof took[0], by_number);
    printf("%.3f %zu %.3f\n", took[rounds / 2], elements, (double)parsing / 1e6);
    return 0;
}
