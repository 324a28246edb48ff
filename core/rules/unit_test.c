/*
 * unit_test.c: see unit_test.h.  Follows promtool's cmd/promtool/unittest.go, to its layout of
 * differences.
 */
#include "rules/unit_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/labels.h"
#include "rules/go_format.h"
#include "rules/unit_test_private.h"

#define OUTPUT_BYTES (16u << 20)

struct running {
    const struct unit_file *file;
    struct unit_group *group;
    struct rules_set *set;
    struct rules_group **order;
    struct memory memory;
    struct rules_storage storage;
    struct rules_world world;
    struct buf *out;
    int failures;
};

/* ---- times ---- */

/* As model.Duration prints it: 1h30m. */
static void put_duration(int64_t ms, struct buf *out)
{
    static const struct {
        const char *unit;
        int64_t ms;
        bool exact;
    } units[] = {{"y", 31536000000, true}, {"w", 604800000, true}, {"d", 86400000, false},
                 {"h", 3600000, false},    {"m", 60000, false},    {"s", 1000, false},
                 {"ms", 1, false}};

    if (ms == 0) {
        buf_puts(out, "0s");
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (ms / units[i].ms > 0 && (!units[i].exact || ms % units[i].ms == 0)) {
            buf_printf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
            ms %= units[i].ms;
        }
    }
}

/* As time.Duration prints it: 1h30m0s. */
static void put_go_duration(int64_t ms, struct buf *out)
{
    if (ms >= 3600000) {
        buf_printf(out, "%lldh", (long long)(ms / 3600000));
    }
    if (ms >= 60000) {
        buf_printf(out, "%lldm", (long long)(ms / 60000 % 60));
    }
    if (ms > 0 && ms < 1000) {
        buf_printf(out, "%lldms", (long long)ms);
    } else {
        buf_printf(out, "%gs", (double)(ms % 60000) / 1000);
    }
}

/* ---- what is compared ---- */

struct shown_alert {
    const struct tmon_pair *labels, *annotations;
    size_t nlabels, nannotations;
};

static int compare_labels(const struct tmon_pair *a, size_t na, const struct tmon_pair *b,
                          size_t nb)
{
    for (size_t i = 0; i < na && i < nb; i++) {
        int r = strcmp(a[i].key, b[i].key);

        if (r == 0) {
            r = strcmp(a[i].value, b[i].value);
        }
        if (r != 0) {
            return r;
        }
    }
    return na < nb ? -1 : na > nb;
}

static int compare_alerts(const void *a, const void *b)
{
    const struct shown_alert *left = a, *right = b;
    int r = compare_labels(left->labels, left->nlabels, right->labels, right->nlabels);

    return r ? r
             : compare_labels(left->annotations, left->nannotations, right->annotations,
                              right->nannotations);
}

static bool same_alerts(const struct shown_alert *a, size_t na, const struct shown_alert *b,
                        size_t nb)
{
    if (na != nb) {
        return false;
    }
    for (size_t i = 0; i < na; i++) {
        if (compare_alerts(&a[i], &b[i]) != 0) {
            return false;
        }
    }
    return true;
}

static void put_labels(const struct tmon_pair *labels, size_t n, struct buf *out)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s%s=", i > 0 ? ", " : "", labels[i].key);
        go_quote(labels[i].value, out);
    }
    buf_putc(out, '}');
}

static void put_alerts(const struct shown_alert *alerts, size_t n, struct buf *out)
{
    static const char indent[] = "            ";

    if (n == 0) {
        buf_puts(out, "[]");
        return;
    }
    buf_puts(out, "[");
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s\n%s%zu:\n%s  Labels:", i > 0 ? "," : "", indent, i, indent);
        put_labels(alerts[i].labels, alerts[i].nlabels, out);
        buf_printf(out, "\n%s  Annotations:", indent);
        put_labels(alerts[i].annotations, alerts[i].nannotations, out);
    }
    buf_printf(out, "\n%s]", indent);
}

/* ---- alerts ---- */

static size_t collect(const struct running *running, const char *alertname,
                      struct shown_alert *alerts)
{
    size_t n = 0;

    for (size_t g = 0; g < running->set->ngroups; g++) {
        const struct rules_group *group = running->order[g];

        for (size_t i = 0; i < group->n; i++) {
            const struct rule *rule = &group->rules[i];
            const struct active *active;

            if (rule->recording || strcmp(rule->name, alertname) != 0) {
                continue;
            }
            for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
                if (active->state == ACTIVE_FIRING) {
                    if (alerts) {
                        alerts[n] = (struct shown_alert){active->labels, active->annotations,
                                                         active->nlabels, active->nannotations};
                    }
                    n++;
                }
            }
        }
    }
    return n;
}

static int check_alerts(struct running *running, struct unit_alert_test *test)
{
    size_t n = collect(running, test->alertname, NULL);
    struct shown_alert *got = calloc(n + 1, sizeof *got);
    struct shown_alert *expected = calloc(test->n + 1, sizeof *expected);

    test->done = true;
    if (!got || !expected) {
        free(got);
        free(expected);
        return -ENOMEM;
    }
    (void)collect(running, test->alertname, got);
    for (size_t i = 0; i < test->n; i++) {
        expected[i] =
            (struct shown_alert){test->alerts[i].labels.pairs, test->alerts[i].annotations.pairs,
                                 test->alerts[i].labels.n, test->alerts[i].annotations.n};
    }
    qsort(got, n, sizeof *got, compare_alerts);
    qsort(expected, test->n, sizeof *expected, compare_alerts);
    if (!same_alerts(expected, test->n, got, n)) {
        running->failures++;
        if (running->group->name) {
            buf_printf(running->out, "    name: %s,\n", running->group->name);
        }
        buf_printf(running->out, "    alertname: %s, time: ", test->alertname);
        put_duration(test->at_ms, running->out);
        buf_puts(running->out, ", \n        exp:");
        put_alerts(expected, test->n, running->out);
        buf_puts(running->out, ", \n        got:");
        put_alerts(got, n, running->out);
        buf_putc(running->out, '\n');
    }
    free(got);
    free(expected);
    return 0;
}

/* ---- expressions ---- */

struct shown_sample {
    const struct tmon_pair *labels;
    size_t nlabels;
    double value;
};

static int compare_samples(const void *a, const void *b)
{
    const struct shown_sample *left = a, *right = b;

    return compare_labels(left->labels, left->nlabels, right->labels, right->nlabels);
}

static void put_samples(const struct shown_sample *samples, size_t n, struct buf *out)
{
    if (n == 0) {
        buf_puts(out, "nil");
    }
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        put_labels(samples[i].labels, samples[i].nlabels, out);
        buf_putc(out, ' ');
        go_float(samples[i].value, 'E', out);
    }
}

static bool same_samples(const struct shown_sample *a, size_t na, const struct shown_sample *b,
                         size_t nb)
{
    if (na != nb) {
        return false;
    }
    for (size_t i = 0; i < na; i++) {
        if (compare_samples(&a[i], &b[i]) != 0 ||
            !(a[i].value == b[i].value)) { /* NaN is like nothing, as in promtool */
            return false;
        }
    }
    return true;
}

static void say_expr(struct running *running, const struct unit_expr_test *test)
{
    running->failures++;
    buf_puts(running->out, "    expr: ");
    go_quote(test->expr, running->out);
    buf_puts(running->out, ", time: ");
    put_duration(test->at_ms, running->out);
    buf_putc(running->out, ',');
}

struct free_expr {
    struct running *running;
    const struct expr *expr;
};

static int read_free(void *owner, size_t i, int64_t from_ms, int64_t to_ms,
                     int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    struct free_expr *free_expr = owner;

    return memory_read(&free_expr->running->memory, expr_selector(free_expr->expr, i), from_ms,
                       to_ms, fn, arg);
}

static int evaluate_free(struct running *running, const char *text, int64_t at_ms,
                         struct expr_result *ret_result, char *ret_why, size_t size)
{
    struct expr *expr = NULL;
    struct free_expr owner = {.running = running};
    const struct expr_input input = {.owner = &owner, .read = read_free, .labels_stay = true};
    int r = expr_parse(text, &expr, ret_why, size);

    if (r < 0) {
        return r;
    }
    owner.expr = expr;
    if (expr_type(expr) != EXPR_SCALAR && expr_type(expr) != EXPR_VECTOR) {
        (void)snprintf(ret_why, size, "rule result is not a vector or scalar");
        r = -EINVAL;
    } else {
        r = expr_eval(expr, &input, at_ms, ret_result, ret_why, size);
    }
    expr_destroy(expr);
    return r;
}

static int read_expected(struct running *running, const struct unit_expr_test *test,
                         struct shown_sample *expected)
{
    char why[256];

    for (size_t i = 0; i < test->n; i++) {
        struct tmon_pair *labels = NULL;
        size_t n = 0;
        int r = notation_metric(test->samples[i].text, &labels, &n, why, sizeof why);

        if (r == -EINVAL) {
            say_expr(running, test);
            buf_puts(running->out, " err: labels ");
            go_quote(test->samples[i].text, running->out);
            buf_printf(running->out, ": %s\n", why);
        }
        if (r < 0) {
            return r;
        }
        expected[i] = (struct shown_sample){labels, n, test->samples[i].value};
    }
    return 0;
}

static int check_expr(struct running *running, const struct unit_expr_test *test)
{
    struct expr_result result = {0};
    struct shown_sample *got = NULL, *expected = calloc(test->n + 1, sizeof *expected);
    char why[512] = "";
    int r = expected ? evaluate_free(running, test->expr, test->at_ms, &result, why, sizeof why)
                     : -ENOMEM;

    if (r < 0) {
        free(expected);
        if (r == -ENOMEM) {
            return r;
        }
        say_expr(running, test);
        buf_printf(running->out, " err: %s\n", why);
        return 0;
    }
    got = calloc(result.n + 1, sizeof *got);
    r = got ? read_expected(running, test, expected) : -ENOMEM;
    if (r == 0) {
        for (size_t i = 0; i < result.n; i++) {
            got[i] = (struct shown_sample){result.values[i].labels, result.values[i].nlabels,
                                           result.values[i].value};
        }
        qsort(got, result.n, sizeof *got, compare_samples);
        qsort(expected, test->n, sizeof *expected, compare_samples);
        if (!same_samples(expected, test->n, got, result.n)) {
            say_expr(running, test);
            buf_puts(running->out, "\n        exp: ");
            put_samples(expected, test->n, running->out);
            buf_puts(running->out, "\n        got: ");
            put_samples(got, result.n, running->out);
            buf_putc(running->out, '\n');
        }
    }
    for (size_t i = 0; i < test->n; i++) {
        free((struct tmon_pair *)expected[i].labels);
    }
    free(expected);
    free(got);
    expr_result_finish(&result);
    return r == -EINVAL ? 0 : r;
}

/* ---- rounds ---- */

static int read_rule(void *owner, const struct rule *rule, size_t selector, int64_t from_ms,
                     int64_t to_ms, int (*fn)(void *arg, const struct expr_series *series),
                     void *arg)
{
    return memory_read(owner, expr_selector(rule->expr, selector), from_ms, to_ms, fn, arg);
}

/* All inputs until `now_ms`. */
static int feed(struct running *running, int64_t now_ms)
{
    int r = 0;

    for (size_t i = 0; i < running->group->ninputs && r == 0; i++) {
        struct unit_input *input = &running->group->inputs[i];

        for (; input->next < input->n &&
               (int64_t)input->next * running->group->interval_ms <= now_ms && r == 0;
             input->next++) {
            const struct notation_value *value = &input->values[input->next];

            if (!value->omitted) {
                r = memory_append(&running->memory, input->labels, input->nlabels,
                                  (int64_t)input->next * running->group->interval_ms, value->value);
            }
        }
    }
    return r;
}

/* Who is over is forgotten. */
static void sweep(struct rule *rule)
{
    struct active *active, **over = calloc(rule->active.used + 1, sizeof(*over));
    size_t n = 0;

    for (size_t pos = 0; over && (active = map_next(&rule->active, &pos));) {
        if (active->state == ACTIVE_OVER) {
            over[n++] = active;
        }
    }
    for (size_t i = 0; i < n; i++) {
        (void)map_remove(&rule->active, over[i]->key, strlen(over[i]->key));
        active_destroy(over[i]);
    }
    free(over);
}

/* One round of all rules; how many failed. */
static int evaluate_round(struct running *running, int64_t now_ms)
{
    const struct rules_time now = {now_ms, now_ms};
    int failed = 0;

    for (size_t g = 0; g < running->set->ngroups; g++) {
        for (size_t i = 0; i < running->order[g]->n; i++) {
            struct rule *rule = &running->order[g]->rules[i];
            int r = rule_evaluate(rule, &running->storage, &running->world, now);

            sweep(rule);
            if (r == -ENOMEM) {
                return r;
            }
            if (r < 0) {
                buf_printf(running->out, "    rule: %s, time: ", rule->name);
                put_go_duration(now_ms, running->out);
                buf_printf(running->out, ", err: %s\n", rule->error ? rule->error : log_errno(r));
                failed++;
            }
        }
    }
    return failed;
}

static int64_t last_time(const struct unit_group *group)
{
    int64_t last = 0;

    for (size_t i = 0; i < group->nalert_tests; i++) {
        last = group->alert_tests[i].at_ms > last ? group->alert_tests[i].at_ms : last;
    }
    for (size_t i = 0; i < group->nexpr_tests; i++) {
        last = group->expr_tests[i].at_ms > last ? group->expr_tests[i].at_ms : last;
    }
    return last;
}

/* In the order of their times, for that is how promtool tells them. */
static struct unit_alert_test *next_test(struct unit_group *group, int64_t before_ms)
{
    struct unit_alert_test *next = NULL;

    for (size_t i = 0; i < group->nalert_tests; i++) {
        struct unit_alert_test *test = &group->alert_tests[i];

        if (!test->done && test->at_ms < before_ms && (!next || test->at_ms < next->at_ms)) {
            next = test;
        }
    }
    return next;
}

static int run(struct running *running)
{
    int64_t last_ms = last_time(running->group), step_ms = running->file->interval_ms;

    for (int64_t now_ms = 0; now_ms <= last_ms; now_ms += step_ms) {
        struct unit_alert_test *test;
        int r = feed(running, now_ms);

        if (r == 0) {
            r = evaluate_round(running, now_ms);
        }
        if (r < 0) {
            return r;
        }
        if (r > 0) { /* what follows would say nothing */
            running->failures += r;
            return 0;
        }
        while ((test = next_test(running->group, now_ms + step_ms))) {
            if (check_alerts(running, test) < 0) {
                return -ENOMEM;
            }
        }
    }
    for (size_t i = 0; i < running->group->nexpr_tests; i++) {
        int r = check_expr(running, &running->group->expr_tests[i]);

        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static size_t rank(const struct unit_file *file, const struct rules_group *group)
{
    for (size_t i = 0; i < file->norder; i++) {
        if (strcmp(file->order[i], group->name) == 0) {
            return i;
        }
    }
    return 0; /* with the first one, as in promtool */
}

/* In the order asked for; else as the files have them. */
static int order_groups(struct running *running)
{
    size_t n = running->set->ngroups;

    running->order = calloc(n + 1, sizeof(*running->order));
    if (!running->order) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        struct rules_group *group = &running->set->groups[i];
        size_t at = i;

        for (; at > 0 && rank(running->file, running->order[at - 1]) > rank(running->file, group);
             at--) {
            running->order[at] = running->order[at - 1];
        }
        running->order[at] = group;
    }
    return 0;
}

int unit_group_run(const struct unit_file *file, struct unit_group *group, struct buf *out)
{
    struct running running = {.file = file, .group = group, .out = out};
    struct config_errors errors;
    int r;

    config_errors_init(&errors);
    memory_init(&running.memory);
    running.storage = (struct rules_storage){
        .owner = &running.memory, .labels_stay = true, .read = read_rule, .append = memory_append};
    running.world = (struct rules_world){.external_labels = group->external_labels.pairs,
                                         .nexternal_labels = group->external_labels.n,
                                         .external_url = group->external_url,
                                         .no_data = CONFIG_NO_DATA_RESOLVE};
    r = rules_compile(&file->rules, file->interval_ms, &errors, &running.set);
    for (size_t g = 0; r == 0 && g < running.set->ngroups; g++) {
        for (size_t i = 0; i < running.set->groups[g].n; i++) {
            running.set->groups[g].rules[i].own_series = true; /* tests look at ALERTS too */
        }
    }
    if (r == 0) {
        r = order_groups(&running);
    }
    if (r == 0) {
        r = run(&running);
    }
    free(running.order);
    rules_set_destroy(running.set);
    memory_finish(&running.memory);
    config_errors_finish(&errors);
    return r < 0 ? r : running.failures;
}

/* What is wrong with the rules is the same for all groups, and told once. */
static int compiles(const struct unit_file *file, struct buf *out)
{
    struct config_errors errors;
    struct rules_set *set = NULL;
    int r;

    config_errors_init(&errors);
    r = rules_compile(&file->rules, file->interval_ms, &errors, &set);
    for (size_t i = 0; r == -EINVAL && i < errors.count; i++) {
        buf_printf(out, "%s\n", errors.entries[i].text);
    }
    rules_set_destroy(set);
    config_errors_finish(&errors);
    return r;
}

int unit_test_file(const char *path, FILE *out, FILE *err)
{
    struct config_errors errors;
    struct unit_file file = {0};
    struct buf text;
    bool failed = false;
    int r;

    config_errors_init(&errors);
    buf_init(&text, OUTPUT_BYTES);
    (void)fprintf(out, "Unit Testing:  %s\n", path);
    (void)fflush(out);
    r = unit_file_read(path, &errors, &file);
    for (size_t i = 0; i < errors.count; i++) {
        if (errors.entries[i].warning) {
            (void)fprintf(err, "  WARNING: %s\n", errors.entries[i].text);
        } else {
            buf_printf(&text, "%s\n", errors.entries[i].text);
        }
    }
    failed = r < 0 || errors.errors > 0;
    if (!failed) {
        r = compiles(&file, &text);
        failed = r < 0;
    }
    for (size_t i = 0; i < file.ngroups && !failed; i++) {
        r = unit_group_run(&file, &file.groups[i], &text);
        failed = r < 0; /* the other groups may say more, unless memory is short */
    }
    failed = failed || text.len > 0;
    if (failed) {
        (void)fprintf(err, "  FAILED:\n%s%s", buf_str(&text),
                      r == -ENOMEM ? "    there is not enough memory\n" : "");
        (void)fflush(err);
    } else {
        (void)fprintf(out, "  SUCCESS\n");
    }
    (void)fprintf(out, "\n");
    buf_finish(&text);
    unit_file_finish(&file);
    config_errors_finish(&errors);
    return r == -ENOMEM ? r : failed;
}
