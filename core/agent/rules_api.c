/*
 * rules_api.c: rules are listed, and an expression is evaluated.
 *
 * Asked on the server's thread; run on the rules', which reads its own state without a lock.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/log.h"
#include "model/pairs.h"
#include "rules/engine.h"
#include "rules/go_format.h"
#include "rules/try.h"

struct asked {
    struct api *api;
    enum http_what what;
    uint64_t ticket;
    char *text; /* owned */
};

/* ---- list ---- */

static void put_seconds(struct buf *text, const char *key, double seconds)
{
    json_text_key(text, key);
    buf_printf(text, "%.9g", seconds);
}

/* JSON has no infinities. */
static void put_value(struct buf *text, double value)
{
    struct buf number;

    buf_init(&number, 64);
    go_float(value, 'g', &number);
    json_text_put_string(text, "value", buf_str(&number));
    buf_finish(&number);
}

static void put_alert(struct buf *text, const struct rule *rule, const struct active *active)
{
    int64_t elapsed = active->resumed ? active->elapsed_ms : rule->timer_ms - active->since_ms;
    int64_t kept = active->keep_since_ms >= 0 ? rule->timer_ms - active->keep_since_ms : -1;

    json_text_item(text);
    buf_putc(text, '{');
    json_text_put_string(text, "state", active_state_name(active->state));
    json_text_key(text, "labels");
    pairs_to_json(active->labels, active->nlabels, text);
    json_text_key(text, "annotations");
    pairs_to_json(active->annotations, active->nannotations, text);
    put_value(text, active->value);
    json_text_put_time(text, "active_at", active->since_real_ms);
    json_text_put_time(text, "fired_at", active->fired_real_ms);
    json_text_key(text, "fires_in_seconds");
    if (active->state == ACTIVE_PENDING) {
        buf_printf(text, "%.9g",
                   elapsed < rule->for_ms ? (double)(rule->for_ms - elapsed) / 1e3 : 0);
    } else {
        buf_puts(text, "null");
    }
    json_text_key(text, "keeps_firing_seconds");
    if (kept >= 0) {
        buf_printf(text, "%.9g",
                   kept < rule->keep_firing_ms ? (double)(rule->keep_firing_ms - kept) / 1e3 : 0);
    } else {
        buf_puts(text, "null");
    }
    json_text_put_bool(text, "told", active->told_firing);
    buf_putc(text, '}');
}

static const char *state_of(const struct rule *rule)
{
    const struct active *active;
    enum active_state most = ACTIVE_OVER;

    if (rule->error) {
        return "failing";
    }
    if (rule->evaluated_ms == 0 || rule->waiting) {
        return "waiting";
    }
    for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
        most = active->state > most ? active->state : most;
    }
    if (most != ACTIVE_OVER) {
        return active_state_name(most);
    }
    return rule->recording ? "recording" : rule->no_data_since_ms >= 0 ? "no data" : "inactive";
}

static void put_pairs(struct buf *text, const char *key, const struct rule_pair *pairs, size_t n)
{
    json_text_key(text, key);
    buf_putc(text, '{');
    for (size_t i = 0; i < n; i++) {
        json_text_put_string(text, pairs[i].name, pairs[i].text);
    }
    buf_putc(text, '}');
}

static void put_rule(struct buf *text, const struct rules_engine *engine, const struct rule *rule)
{
    static const char *const policies[] = {"keep", "keep", "resolve", "alert"};
    const struct active *active;
    struct history_stats stats;

    rules_engine_rule_stats(engine, rule, &stats);
    json_text_item(text);
    buf_putc(text, '{');
    json_text_put_string(text, "type", rule->recording ? "recording" : "alerting");
    json_text_put_string(text, "name", rule->name);
    json_text_put_string(text, "state", state_of(rule));
    json_text_put_string(text, "expr", rule->text);
    put_pairs(text, "labels", rule->labels, rule->nlabels);
    put_pairs(text, "annotations", rule->annotations, rule->nannotations);
    put_seconds(text, "for_seconds", (double)rule->for_ms / 1e3);
    put_seconds(text, "keep_firing_for_seconds", (double)rule->keep_firing_ms / 1e3);
    put_seconds(text, "range_seconds", (double)rule->range_ms / 1e3);
    json_text_put_string(text, "no_data", policies[rule->no_data]);
    json_text_key(text, "error");
    if (rule->error) {
        json_text_string(text, rule->error);
    } else {
        buf_puts(text, "null");
    }
    json_text_put_bool(text, "warming_up", rule->warming);
    json_text_put_bool(text, "without_data", rule->no_data_since_ms >= 0);
    json_text_put_time(text, "evaluated_at", rule->evaluated_ms);
    put_seconds(text, "evaluation_seconds", (double)rule->took_ns / 1e9);
    json_text_put_int(text, "results", (int64_t)rule->nresults);
    json_text_put_int(text, "series", (int64_t)stats.series);
    json_text_put_int(text, "samples", (int64_t)stats.samples);
    json_text_put_int(text, "bytes", (int64_t)stats.bytes);
    json_text_key(text, "alerts");
    buf_putc(text, '[');
    for (size_t pos = 0; (active = map_next(&rule->active, &pos));) {
        if (active->state != ACTIVE_OVER) {
            put_alert(text, rule, active);
        }
    }
    buf_puts(text, "]}");
}

static void list(struct rules_engine *engine, struct buf *text)
{
    const struct rules_set *set = rules_engine_rules(engine);

    buf_putc(text, '{');
    json_text_key(text, "groups");
    buf_putc(text, '[');
    for (size_t g = 0; set && g < set->ngroups; g++) {
        struct engine_group_info info;

        rules_engine_group_info(engine, g, &info);
        json_text_item(text);
        buf_putc(text, '{');
        json_text_put_string(text, "name", info.group->name);
        json_text_put_string(text, "file", info.group->file);
        json_text_put_int(text, "line", info.group->line);
        json_text_put_string(text, "key", info.group->key);
        put_seconds(text, "interval_seconds", (double)info.group->interval_ms / 1e3);
        json_text_put_int(text, "limit", info.group->limit);
        json_text_put_bool(text, "waiting", info.waiting);
        json_text_put_int(text, "evaluations", (int64_t)info.evaluations);
        json_text_put_int(text, "failures", (int64_t)info.failures);
        json_text_put_int(text, "missed", (int64_t)info.missed);
        put_seconds(text, "evaluation_seconds", (double)info.took_ns / 1e9);
        put_seconds(text, "next_seconds", (double)info.next_ms / 1e3);
        json_text_key(text, "rules");
        buf_putc(text, '[');
        for (size_t i = 0; i < info.group->n; i++) {
            put_rule(text, engine, &info.group->rules[i]);
        }
        buf_puts(text, "]}");
    }
    buf_puts(text, "]}\n");
}

/* ---- an expression ---- */

static void put_result(const struct expr_result *result, const char *warning, struct buf *text)
{
    static const char *const types[] = {"scalar", "string", "vector", "matrix"};

    buf_putc(text, '{');
    json_text_put_string(text, "type", types[result->type]);
    json_text_key(text, "result");
    buf_putc(text, '[');
    for (size_t i = 0; i < result->n; i++) {
        json_text_item(text);
        buf_putc(text, '{');
        json_text_key(text, "labels");
        pairs_to_json(result->values[i].labels, result->values[i].nlabels, text);
        put_value(text, result->values[i].value);
        buf_putc(text, '}');
    }
    buf_putc(text, ']');
    if (result->type == EXPR_STRING) {
        json_text_put_string(text, "text", result->text);
    }
    if (*warning) {
        json_text_put_string(text, "warning", warning);
    }
    buf_puts(text, "}\n");
}

static void eval(struct asked *asked, struct rules_engine *engine)
{
    struct expr_result result = {0};
    char why[1024] = "";
    struct buf text;
    int r = rules_try(engine, asked->text, clock_real_ms(), &result, why, sizeof why);

    if (r < 0) {
        api_answer_error(asked->api, asked->ticket, r == -ENOMEM ? 503 : 422,
                         *why ? why : log_errno(r), NULL, 0);
        return;
    }
    buf_init(&text, SIZE_MAX / 2);
    put_result(&result, why, &text);
    expr_result_finish(&result);
    api_answer(asked->api, asked->ticket, 200, &text, 0);
}

/* ---- asked ---- */

static void run(void *arg, struct rules_engine *engine)
{
    struct asked *asked = arg;
    struct buf text;

    if (asked->what == HTTP_RULES_EVAL) {
        eval(asked, engine);
    } else {
        buf_init(&text, SIZE_MAX / 2);
        list(engine, &text);
        api_answer(asked->api, asked->ticket, 200, &text, 0);
    }
    free(asked->text);
    free(asked);
}

int rules_api_ask(struct api *api, struct http_question *question)
{
    struct asked *asked = malloc(sizeof *asked);
    int r;

    if (!asked) {
        return -ENOMEM;
    }
    *asked = (struct asked){api, question->what, question->ticket, question->text};
    (void)pthread_rwlock_rdlock(&api->lock);
    r = api->rules ? rules_engine_call(api->rules, run, asked) : -ESHUTDOWN;
    (void)pthread_rwlock_unlock(&api->lock);
    if (r < 0) {
        free(asked);
    } else {
        question->text = NULL;
    }
    return r;
}
