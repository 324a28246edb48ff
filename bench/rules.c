/*
 * rules.c: rules as the agent evaluates them: the engine over the store's history, on its thread.
 *
 *   bench_rules ROUNDS < LINES
 *
 * Lines: "series NAME=VALUE&...", "sample TIME_MS VALUE" (of the last series), "rule EXPRESSION".
 * The times should end about now.  Prints the CPU of one evaluation of all rules in ms (the median
 * of the rounds, one a second), how many alerts there are, and the history's bytes and samples.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/labels.h"
#include "rules/engine.h"

#define MAX_LABELS 16

struct bench {
    struct store *store;
    struct history *history;
    struct rules_engine *engine;
    char **lines;
    size_t n;
    unsigned alerts;
    double cpu_ms;
    uint64_t evaluations;
    struct history_stats stats;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static int on_submit(void *owner, struct rules_batch *batch)
{
    struct bench *bench = owner;

    bench->alerts += (unsigned)batch->n;
    rules_batch_done(batch, 0);
    return 0;
}

static bool on_sources_ran(void *owner)
{
    return true;
}

static void on_failing(void *owner, const char *group, bool failing, const char *text)
{
    if (failing) {
        fprintf(stderr, "%s\n", text);
        exit(1);
    }
}

static size_t read_labels(char *text, struct tmon_pair *labels)
{
    size_t n = 0;
    char *save = NULL;

    for (char *word = strtok_r(text, "&", &save); word && n < MAX_LABELS;
         word = strtok_r(NULL, "&", &save)) {
        char *equals = strchr(word, '=');

        *equals = '\0';
        labels[n++] = (struct tmon_pair){word, equals + 1};
    }
    return (size_t)labels_normalize(labels, n);
}

static void tell(struct bench *bench)
{
    (void)pthread_mutex_lock(&bench->lock);
    bench->done = true;
    (void)pthread_cond_signal(&bench->changed);
    (void)pthread_mutex_unlock(&bench->lock);
}

static void call(struct bench *bench, void (*fn)(void *arg, struct rules_engine *engine))
{
    bench->done = false;
    if (rules_engine_call(bench->engine, fn, bench) < 0) {
        abort();
    }
    (void)pthread_mutex_lock(&bench->lock);
    while (!bench->done) {
        (void)pthread_cond_wait(&bench->changed, &bench->lock);
    }
    (void)pthread_mutex_unlock(&bench->lock);
}

static void fill(void *arg, struct rules_engine *engine)
{
    struct bench *bench = arg;
    struct tmon_pair labels[MAX_LABELS];
    size_t n = 0;

    for (size_t i = 0; i < bench->n; i++) {
        char *line = bench->lines[i];

        if (strncmp(line, "series ", 7) == 0) {
            n = read_labels(line + 7, labels);
        } else if (strncmp(line, "sample ", 7) == 0) {
            char *end;
            int64_t at = strtoll(line + 7, &end, 10);
            int r = history_append(bench->history, labels, n, at, strtod(end, NULL));

            if (r < 0) {
                fprintf(stderr, "history_append: %s\n", strerror(-r));
                exit(1);
            }
        }
    }
    tell(bench);
}

static void look(void *arg, struct rules_engine *engine)
{
    struct bench *bench = arg;
    struct engine_group_info info;
    struct timespec cpu;

    rules_engine_group_info(engine, 0, &info);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    bench->cpu_ms = (double)cpu.tv_sec * 1e3 + (double)cpu.tv_nsec / 1e6;
    bench->evaluations = info.evaluations;
    history_stats(bench->history, NULL, &bench->stats);
    tell(bench);
}

static char **read_lines(size_t *ret_n)
{
    char **lines = NULL, *line = NULL;
    size_t n = 0, room = 0, size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        if (n == room) {
            room = room ? room * 2 : 1024;
            lines = realloc(lines, room * sizeof(*lines));
            if (!lines) {
                abort();
            }
        }
        line[strcspn(line, "\n")] = '\0';
        lines[n++] = strdup(line);
    }
    free(line);
    *ret_n = n;
    return lines;
}

static struct rules_set *compile(const struct bench *bench)
{
    struct config_rule_group group = {.name = strdup("g"), .key = strdup("g"), .interval_ms = 1000};
    struct config_rules config = {.ngroups = 1, .groups = &group};
    struct config_errors errors;
    struct rules_set *set = NULL;

    config_errors_init(&errors);
    group.rules = calloc(bench->n + 1, sizeof *group.rules);
    for (size_t i = 0; i < bench->n; i++) {
        if (strncmp(bench->lines[i], "rule ", 5) == 0) {
            struct config_rule *rule = &group.rules[group.nrules++];

            if (asprintf(&rule->name, "R%zu", group.nrules) < 0) {
                abort();
            }
            rule->expr = bench->lines[i] + 5;
        }
    }
    if (rules_compile(&config, 1000, &errors, &set) < 0) {
        fprintf(stderr, "%s\n", errors.count ? errors.entries[0].text : "out of memory");
        exit(1);
    }
    return set;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 15;
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    double *each = calloc((size_t)rounds, sizeof *each), before;
    const struct history_limits limits = {.bytes = 0};
    struct rules_options options;

    bench.lines = read_lines(&bench.n);
    if (store_create(&(struct store_limits){0}, &bench.store) < 0 ||
        history_create(bench.store, &limits, &bench.history) < 0) {
        abort();
    }
    options = (struct rules_options){.store = bench.store,
                                     .history = bench.history,
                                     .hooks = {&bench, on_submit, on_sources_ran, on_failing}};
    if (rules_engine_create(&options, &bench.engine) < 0 ||
        rules_engine_set(bench.engine, compile(&bench), NULL) < 0) {
        abort();
    }
    call(&bench, fill);
    (void)rules_engine_restore(bench.engine, NULL); /* and off it goes */
    do {                                            /* the first evaluation makes the alerts */
        usleep(100000);
        call(&bench, look);
    } while (bench.evaluations < 2);
    for (int i = 0; i < rounds; i++) {
        uint64_t count = bench.evaluations;

        before = bench.cpu_ms;
        do {
            usleep(50000);
            call(&bench, look);
        } while (bench.evaluations == count);
        each[i] = (bench.cpu_ms - before) / (double)(bench.evaluations - count);
    }
    qsort(each, (size_t)rounds, sizeof *each, compare);
    printf("%.2f %u %zu %zu\n", each[rounds / 2], bench.alerts, bench.stats.bytes,
           bench.stats.samples);
    rules_engine_stop(bench.engine);
    rules_engine_destroy(bench.engine);
    history_destroy(bench.history);
    store_destroy(bench.store);
    return 0;
}
