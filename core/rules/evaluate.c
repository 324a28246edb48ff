/*
 * evaluate.c: see evaluate.h.
 *
 * First all of the result is made, labels and texts, then it is applied: a rule that fails half-way
 * (two results with the same labels, a limit) leaves its alerts as they were.
 */
#include "rules/evaluate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "model/labels.h"
#include "store/history.h"

/* One element of the result, with the labels and texts that the rule gives it. */
struct candidate {
    char *key;
    struct tmon_pair *labels;
    size_t nlabels;
    struct tmon_pair *annotations;
    size_t nannotations;
    double value;
};

struct evaluation {
    struct rule *rule;
    const struct rules_storage *storage;
    const struct rules_world *world;
    struct rules_time now;
    struct candidate *candidates;
    size_t n;
    char why[512];
};

void rule_set_error(struct rule *rule, const char *text)
{
    free(rule->error);
    rule->error = text ? strdup(text) : NULL;
}

/* ---- reading ---- */

struct reading {
    struct evaluation *evaluation;
    bool instant; /* only the last sample counts */
    int (*fn)(void *arg, const struct expr_series *series);
    void *arg;
};

static int on_series(void *arg, const struct expr_series *series)
{
    struct reading *reading = arg;
    struct rule *rule = reading->evaluation->rule;

    for (size_t i = series->n; i > 0 && rule->empty_input; i--) {
        rule->empty_input = history_is_stale(series->samples[i - 1].value);
        if (reading->instant) {
            break;
        }
    }
    return reading->fn(reading->arg, series);
}

static int read_selector(void *owner, size_t i, int64_t from_ms, int64_t to_ms,
                         int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    struct evaluation *evaluation = owner;
    const struct rules_storage *storage = evaluation->storage;
    struct reading reading = {evaluation, expr_selector(evaluation->rule->expr, i)->range_ms == 0,
                              fn, arg};

    return storage->read(storage->owner, evaluation->rule, i, from_ms, to_ms, on_series, &reading);
}

/* ---- candidates ---- */

static void free_candidates(struct evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->n; i++) {
        free(evaluation->candidates[i].key);
        free(evaluation->candidates[i].labels);
        free(evaluation->candidates[i].annotations);
    }
    free(evaluation->candidates);
}

/* Sets a label of an array that has room. */
static size_t set_label(struct tmon_pair *labels, size_t n, const char *name, const char *value)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(labels[i].key, name) == 0) {
            labels[i].value = value;
            return n;
        }
    }
    labels[n] = (struct tmon_pair){name, value};
    return n + 1;
}

/* The text of a label or an annotation; what cannot be made says so in it, as in Prometheus. */
static char *expand(const struct evaluation *evaluation, const struct rule_pair *pair,
                    const struct expr_value *value)
{
    const struct template_data data = {.labels = value->labels,
                                       .nlabels = value->nlabels,
                                       .value = value->value,
                                       .external_labels = evaluation->world->external_labels,
                                       .nexternal_labels = evaluation->world->nexternal_labels,
                                       .external_url = evaluation->world->external_url};
    struct buf text;
    char why[256];

    if (!pair->template) {
        return strdup(pair->text);
    }
    buf_init(&text, LIMIT_ALERT_TEXT_BYTES);
    buf_puts(&text, "");
    if (template_run(pair->template, &data, &text, why, sizeof why) < 0) {
        buf_clear(&text);
        buf_printf(&text, "<error expanding template: %s>", why);
    }
    if (text.failed) {
        buf_finish(&text);
        return strdup("<error expanding template: the text is too long>");
    }
    return text.data ? buf_take(&text) : strdup("");
}

static int make_labels(struct evaluation *evaluation, const struct expr_value *value,
                       struct candidate *candidate)
{
    const struct rule *rule = evaluation->rule;
    struct tmon_pair *labels = calloc(value->nlabels + rule->nlabels + 2, sizeof *labels);
    char **texts = calloc(rule->nlabels + 1, sizeof *texts);
    size_t n = 0;
    struct buf key;
    long kept;
    int r = labels && texts ? 0 : -ENOMEM;

    for (size_t i = 0; i < value->nlabels && r == 0; i++) {
        if (strcmp(value->labels[i].key, "__name__") != 0) {
            labels[n++] = value->labels[i];
        }
    }
    for (size_t i = 0; i < rule->nlabels && r == 0; i++) {
        texts[i] = expand(evaluation, &rule->labels[i], value);
        n = set_label(labels, n, rule->labels[i].name, texts[i] ? texts[i] : "");
        r = texts[i] ? 0 : -ENOMEM;
    }
    if (r == 0) {
        n = set_label(labels, n, rule->recording ? "__name__" : "alertname", rule->name);
        kept = labels_normalize(labels, n);
        candidate->nlabels = kept > 0 ? (size_t)kept : 0;
        r = kept < 0 ? -ENOMEM : labels_copy(labels, candidate->nlabels, &candidate->labels);
    }
    if (r == 0) {
        buf_init(&key, SIZE_MAX / 2);
        active_key(candidate->labels, candidate->nlabels, &key);
        candidate->key = buf_take(&key);
        r = candidate->key ? 0 : -ENOMEM;
    }
    for (size_t i = 0; texts && i < rule->nlabels; i++) {
        free(texts[i]);
    }
    free(texts);
    free(labels);
    return r;
}

static int make_annotations(struct evaluation *evaluation, const struct expr_value *value,
                            struct candidate *candidate)
{
    const struct rule *rule = evaluation->rule;
    struct tmon_pair *pairs = calloc(rule->nannotations + 1, sizeof *pairs);
    int r = pairs ? 0 : -ENOMEM;
    size_t n = 0;

    for (; n < rule->nannotations && r == 0; n++) {
        pairs[n].key = rule->annotations[n].name;
        pairs[n].value = expand(evaluation, &rule->annotations[n], value);
        r = pairs[n].value ? 0 : -ENOMEM;
    }
    if (r == 0) {
        r = labels_copy(pairs, n, &candidate->annotations);
        candidate->nannotations = n;
    }
    for (size_t i = 0; i < n; i++) {
        free((char *)pairs[i].value);
    }
    free(pairs);
    return r;
}

static int compare_keys(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;

    return strcmp(left->key, right->key);
}

static int make_candidates(struct evaluation *evaluation, const struct expr_result *result)
{
    struct rule *rule = evaluation->rule;
    int r = 0;

    evaluation->candidates = calloc(result->n + 1, sizeof *evaluation->candidates);
    if (!evaluation->candidates) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < result->n && r == 0; i++) {
        struct candidate *candidate = &evaluation->candidates[evaluation->n++];

        candidate->value = result->values[i].value;
        r = make_labels(evaluation, &result->values[i], candidate);
        if (r == 0 && !rule->recording) {
            r = make_annotations(evaluation, &result->values[i], candidate);
        }
    }
    if (r < 0) {
        return r;
    }
    qsort(evaluation->candidates, evaluation->n, sizeof *evaluation->candidates, compare_keys);
    for (size_t i = 1; i < evaluation->n; i++) {
        if (strcmp(evaluation->candidates[i - 1].key, evaluation->candidates[i].key) == 0) {
            (void)snprintf(evaluation->why, sizeof evaluation->why,
                           "vector contains metrics with the same labelset after applying %s "
                           "labels",
                           rule->recording ? "rule" : "alert");
            return -EINVAL;
        }
    }
    return 0;
}

/* ---- samples of the rule's own ---- */

static int emit(struct evaluation *evaluation, const struct tmon_pair *labels, size_t n,
                double value)
{
    struct rule *rule = evaluation->rule;
    struct rule_emitted *emitted;
    struct buf key;
    int r = 0;

    buf_init(&key, SIZE_MAX / 2);
    active_key(labels, n, &key);
    emitted = map_get(&rule->emitted, buf_str(&key), key.len);
    if (!emitted) {
        size_t len = key.len;

        emitted = calloc(1, sizeof *emitted);
        if (!emitted || !(emitted->key = buf_take(&key)) ||
            labels_copy(labels, n, &emitted->labels) < 0 ||
            map_put(&rule->emitted, emitted->key, len, emitted) < 0) {
            if (emitted) {
                free(emitted->key);
                free(emitted->labels);
            }
            free(emitted);
            r = -ENOMEM;
        } else {
            emitted->nlabels = n;
        }
    }
    buf_finish(&key);
    if (r == 0) {
        emitted->round = rule->round;
        emitted->value = value;
        r = evaluation->storage->append(evaluation->storage->owner, labels, n,
                                        evaluation->now.real_ms, value);
    }
    return r;
}

/* What had a sample the last time and has none now. */
static void mark_gone(struct evaluation *evaluation)
{
    struct rule *rule = evaluation->rule;
    struct rule_emitted *emitted, **gone = calloc(rule->emitted.used + 1, sizeof(*gone));
    size_t n = 0;

    for (size_t pos = 0; gone && (emitted = map_next(&rule->emitted, &pos));) {
        if (emitted->round != rule->round) {
            gone[n++] = emitted;
        }
    }
    for (size_t i = 0; i < n; i++) {
        (void)evaluation->storage->append(evaluation->storage->owner, gone[i]->labels,
                                          gone[i]->nlabels, evaluation->now.real_ms,
                                          double_from_bits(HISTORY_STALE_BITS));
        (void)map_remove(&rule->emitted, gone[i]->key, strlen(gone[i]->key));
        free(gone[i]->key);
        free(gone[i]->labels);
        free(gone[i]);
    }
    free(gone);
}

static int record(struct evaluation *evaluation)
{
    struct rule *rule = evaluation->rule;
    int r = 0;

    if (rule->group->limit > 0 && evaluation->n > rule->group->limit) {
        (void)snprintf(evaluation->why, sizeof evaluation->why,
                       "exceeded limit of %u with %zu series", rule->group->limit, evaluation->n);
        return -E2BIG;
    }
    rule->round++;
    for (size_t i = 0; i < evaluation->n && r == 0; i++) {
        r = emit(evaluation, evaluation->candidates[i].labels, evaluation->candidates[i].nlabels,
                 evaluation->candidates[i].value);
    }
    if (r == 0) {
        mark_gone(evaluation);
    }
    return r;
}

/* ---- alerts ---- */

/* Of ALERTS: the alert's, over the rule's as they stand, so that a template that gave nothing shows
 * there.  That is Prometheus's oddity, and expressions may have come to rely on it. */
static size_t own_labels(const struct rule *rule, const struct active *active,
                         struct tmon_pair *labels)
{
    size_t n = 0;

    for (size_t i = 0; i < rule->nlabels; i++) {
        n = set_label(labels, n, rule->labels[i].name, rule->labels[i].text);
    }
    for (size_t i = 0; i < active->nlabels; i++) {
        n = set_label(labels, n, active->labels[i].key, active->labels[i].value);
    }
    return n;
}

int rule_own_samples(const struct rule *rule, const struct active *active,
                     int (*fn)(void *arg, const struct tmon_pair *labels, size_t n, double value),
                     void *arg)
{
    struct tmon_pair *labels = calloc(active->nlabels + rule->nlabels + 2, sizeof *labels);
    int r = labels ? 0 : -ENOMEM;
    size_t n;
    long kept;

    if (r == 0) {
        n = own_labels(rule, active, labels);
        n = set_label(labels, n, "__name__", "ALERTS_FOR_STATE");
        kept = labels_normalize(labels, n);
        r = kept > 0 ? fn(arg, labels, (size_t)kept, floor((double)active->since_real_ms / 1000))
                     : 0;
    }
    if (r == 0) {
        n = own_labels(rule, active, labels);
        n = set_label(labels, n, "__name__", "ALERTS");
        n = set_label(labels, n, "alertstate", active_state_name(active->state));
        kept = labels_normalize(labels, n);
        r = kept > 0 ? fn(arg, labels, (size_t)kept, 1) : 0;
    }
    free(labels);
    return r;
}

static int emit_own(void *arg, const struct tmon_pair *labels, size_t n, double value)
{
    (void)emit(arg, labels, n, value);
    return 0;
}

/* An alert that is in the result: new, or with the value and the texts of now. */
static int take_candidate(struct evaluation *evaluation, struct candidate *candidate)
{
    struct rule *rule = evaluation->rule;
    struct active *active = map_get(&rule->active, candidate->key, strlen(candidate->key));
    int r = 0;

    if (!active) {
        r = active_create(rule, candidate->labels, candidate->nlabels, &active);
    }
    if (r < 0) {
        return r;
    }
    if (active->state == ACTIVE_OVER) {
        active->state = ACTIVE_PENDING;
        active->since_ms = evaluation->now.timer_ms;
        active->since_real_ms = evaluation->now.real_ms;
    }
    active->value = candidate->value;
    active->round = rule->round;
    active->keep_since_ms = -1;
    free(active->annotations);
    active->annotations = candidate->annotations;
    active->nannotations = candidate->nannotations;
    candidate->annotations = NULL;
    return 0;
}

/* An alert that is not in the result. */
static void miss(struct evaluation *evaluation, struct active *active, bool hold)
{
    const struct rule *rule = evaluation->rule;
    int64_t now_ms = evaluation->now.timer_ms;

    /* Warming up holds what was there before the start, and what fires. */
    if (hold && !active->no_data &&
        (active->state == ACTIVE_FIRING || rule->empty_input || active->round == 0)) {
        /* Nobody knows: what fires goes on, what is pending does not come nearer to firing. */
        if (active->state == ACTIVE_PENDING && rule->timer_ms >= 0) {
            active->since_ms += now_ms - rule->timer_ms;
        }
        return;
    }
    if (active->state == ACTIVE_FIRING && rule->keep_firing_ms > 0 && !active->no_data) {
        if (active->keep_since_ms < 0) {
            active->keep_since_ms = now_ms;
        }
        if (now_ms - active->keep_since_ms < rule->keep_firing_ms) {
            return;
        }
    }
    active->state = ACTIVE_OVER;
    active->keep_since_ms = -1;
}

static void ripen(struct evaluation *evaluation, struct active *active)
{
    if (active->state == ACTIVE_PENDING &&
        evaluation->now.timer_ms - active->since_ms >= evaluation->rule->for_ms) {
        active->state = ACTIVE_FIRING;
        active->fired_real_ms = evaluation->now.real_ms;
    }
}

/* The alert that says that there is no data. */
static int no_data_alert(struct evaluation *evaluation)
{
    const struct rule *rule = evaluation->rule;
    struct tmon_pair *labels = calloc(rule->nlabels + 3, sizeof *labels);
    struct tmon_pair texts[2] = {
        {"description", "None of the series that the rule looks at has a sample."},
        {"summary", ""}};
    struct candidate candidate = {.value = NAN};
    struct active *active;
    struct buf key, summary;
    size_t n = 0;
    long kept;
    int r = -ENOMEM;

    buf_init(&key, SIZE_MAX / 2);
    buf_init(&summary, LIMIT_ALERT_TEXT_BYTES);
    for (size_t i = 0; labels && i < rule->nlabels; i++) {
        if (!strstr(rule->labels[i].text, "{{")) { /* the others are made of what is not there */
            n = set_label(labels, n, rule->labels[i].name, rule->labels[i].text);
        }
    }
    if (labels) {
        n = set_label(labels, n, "alertname", "no data");
        n = set_label(labels, n, "rule", rule->name);
        kept = labels_normalize(labels, n);
        buf_printf(&summary, "the rule %s has no data", rule->name);
        texts[1].value = buf_str(&summary);
        active_key(labels, (size_t)kept, &key);
        candidate.key = key.data;
        candidate.labels = labels;
        candidate.nlabels = (size_t)kept;
        r = candidate.key ? labels_copy(texts, 2, &candidate.annotations) : -ENOMEM;
        candidate.nannotations = 2;
    }
    if (r == 0) {
        r = take_candidate(evaluation, &candidate);
        active = r == 0 ? map_get(&rule->active, candidate.key, strlen(candidate.key)) : NULL;
        if (active) {
            active->no_data = true;
        }
    }
    free(candidate.annotations);
    buf_finish(&summary);
    buf_finish(&key);
    free(labels);
    return r;
}

/* How many would be active after this, for the limit. */
static size_t count_kept(const struct evaluation *evaluation, bool hold)
{
    const struct rule *rule = evaluation->rule;
    const struct active *active;
    size_t n = evaluation->n;

    for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
        const struct candidate key = {.key = active->key};

        if (active->state != ACTIVE_OVER && (hold || rule->keep_firing_ms > 0) &&
            !bsearch(&key, evaluation->candidates, evaluation->n, sizeof key, compare_keys)) {
            n++;
        }
    }
    return n;
}

static int alert(struct evaluation *evaluation)
{
    struct rule *rule = evaluation->rule;
    enum config_no_data policy = rule->no_data ? rule->no_data : evaluation->world->no_data;
    bool no_data = evaluation->n == 0 && rule->empty_input && expr_selectors(rule->expr) > 0;
    bool hold = rule->warming || (no_data && policy != CONFIG_NO_DATA_RESOLVE);
    struct active *active;
    int r = 0;

    if (rule->group->limit > 0 && count_kept(evaluation, hold) > rule->group->limit) {
        (void)snprintf(evaluation->why, sizeof evaluation->why,
                       "exceeded limit of %u with %zu alerts", rule->group->limit,
                       count_kept(evaluation, hold));
        return -E2BIG;
    }
    rule->round++;
    rule->no_data_since_ms = !no_data                     ? -1
                             : rule->no_data_since_ms < 0 ? evaluation->now.timer_ms
                                                          : rule->no_data_since_ms;
    for (size_t i = 0; i < evaluation->n && r == 0; i++) {
        r = take_candidate(evaluation, &evaluation->candidates[i]);
    }
    if (r == 0 && no_data && policy == CONFIG_NO_DATA_ALERT && !rule->warming) {
        r = no_data_alert(evaluation);
    }
    for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
        if (active->round == rule->round) {
            ripen(evaluation, active);
        } else if (active->state != ACTIVE_OVER && r == 0) {
            miss(evaluation, active, hold);
        }
    }
    if (rule->own_series && r == 0) {
        for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
            if (active->state != ACTIVE_OVER) {
                (void)rule_own_samples(rule, active, emit_own, evaluation);
            }
        }
        mark_gone(evaluation);
    }
    return r;
}

/* ---- the whole ---- */

int rule_evaluate(struct rule *rule, const struct rules_storage *storage,
                  const struct rules_world *world, struct rules_time now)
{
    struct evaluation evaluation = {.rule = rule, .storage = storage, .world = world, .now = now};
    const struct expr_input input = {
        .owner = &evaluation, .read = read_selector, .labels_stay = storage->labels_stay};
    struct expr_result result = {0};
    int r;

    rule->empty_input = true;
    if (storage->why) {
        storage->why[0] = '\0';
    }
    r = expr_eval(rule->expr, &input, now.real_ms, &result, evaluation.why, sizeof evaluation.why);
    if (r < 0 && storage->why && storage->why[0]) {
        (void)snprintf(evaluation.why, sizeof evaluation.why, "%s", storage->why);
    }
    if (r == 0) {
        rule->nresults = result.n;
        r = make_candidates(&evaluation, &result);
        expr_result_finish(&result);
    }
    if (r == 0) {
        r = rule->recording ? record(&evaluation) : alert(&evaluation);
    }
    rule_set_error(rule, r == 0 ? NULL : evaluation.why[0] ? evaluation.why : log_errno(r));
    rule->evaluated_ms = now.real_ms;
    rule->timer_ms = now.timer_ms;
    free_candidates(&evaluation);
    return r;
}
