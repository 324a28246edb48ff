/*
 * state_watch.c: see state_watch.h.
 */
#include "agent/state_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "config/config.h"
#include "model/notification.h"

/* One attempt that stands in no queue. */
struct undurable {
    struct undurable *previous, *next;
    struct state_watch *watch;
    bool resolved;
    char sink[LIMIT_NAME_BYTES + 1];
};

/* ---- what goes out directly ---- */

static int encode(const struct state_watch *watch, bool resolved, struct buf *buf)
{
    static const struct tmon_pair labels[] = {{"alertname", "state failing"},
                                              {"severity", "critical"}};
    char key[64], id[80], summary[OWN_SUMMARY_SIZE + 64];
    const struct tmon_pair annotations[] = {{"summary", summary}, {"undurable", "true"}};
    const struct tmon_alert alert = {
        .size = sizeof alert,
        .severity = TMON_SEVERITY_CRITICAL,
        .firing = !resolved,
        .key = key,
        .name = labels[0].value,
        .summary = summary,
        .labels = labels,
        .nlabels = 2,
        .annotations = annotations,
        .nannotations = 2,
        .starts_ms = watch->since_ms,
        .ends_ms = resolved ? clock_real_ms() : 0,
    };
    const struct tmon_alert *const alerts[] = {&alert};
    const struct tmon_notification notification = {
        .size = sizeof notification,
        .attempt = 1,
        .id = id,
        .resolved = resolved,
        .alerts = alerts,
        .nalerts = 1,
        .group = labels,
        .ngroup = 1,
        .group_key = "{}:{alertname=\"state failing\"}",
    };

    (void)snprintf(key, sizeof key, "undurable-%lld", (long long)watch->since_ms);
    (void)snprintf(id, sizeof id, "%s-%s", key, resolved ? "resolved" : "firing");
    (void)snprintf(summary, sizeof summary, "%s%s", watch->text,
                   resolved ? " (it can be written again)"
                            : " (said once and undurably: nothing can be stored)");
    return notification_encode(buf, &notification);
}

static void unlink_send(struct undurable *send)
{
    if (send->previous) {
        send->previous->next = send->next;
    } else {
        send->watch->sends = send->next;
    }
    if (send->next) {
        send->next->previous = send->previous;
    }
}

static void remember_told(struct state_watch *watch, const char *sink)
{
    char **told = realloc(watch->told, (watch->ntold + 1) * sizeof *told);
    char *copy = strdup(sink);

    if (told) {
        watch->told = told;
    }
    if (!told || !copy) {
        free(copy);
        return;
    }
    told[watch->ntold++] = copy;
}

static void on_tried(void *owner, const struct outbox_outcome *outcome)
{
    struct undurable *send = owner;

    if (outcome->result != OUTBOX_DELIVERED) {
        log_error("what is wrong with the state could not be told", LOG_S("sink", send->sink),
                  LOG_S("reason", outcome->reason));
    }
    if (!send->resolved &&
        (outcome->result == OUTBOX_DELIVERED || outcome->result == OUTBOX_AMBIGUOUS)) {
        remember_told(send->watch, send->sink);
    }
    unlink_send(send);
    free(send);
}

static void send_to(struct state_watch *watch, const char *sink, bool resolved)
{
    struct outbox_attempt *attempt = NULL;
    struct undurable *send = calloc(1, sizeof *send);
    struct buf body;

    buf_init(&body, LIMIT_CALL_BYTES);
    if (send && encode(watch, resolved, &body) == 0) {
        attempt = calloc(1, sizeof *attempt + body.len);
    }
    if (!attempt) {
        log_error("what is wrong with the state could not be told: out of memory",
                  LOG_S("sink", sink));
        free(send);
        buf_finish(&body);
        return;
    }
    attempt->attempt = 1;
    (void)snprintf(attempt->sink, sizeof attempt->sink, "%s", sink);
    attempt->len = body.len;
    memcpy(attempt->body, body.data, body.len);
    buf_finish(&body);
    send->watch = watch;
    send->resolved = resolved;
    (void)snprintf(send->sink, sizeof send->sink, "%s", sink);
    send->next = watch->sends;
    if (send->next) {
        send->next->previous = send;
    }
    watch->sends = send;
    delivery_try(watch->delivery, attempt, on_tried, send);
}

void state_watch_undurable(struct state_watch *watch)
{
    if (watch->said || watch->condition == STATE_WELL) {
        return;
    }
    watch->said = true;
    for (size_t i = 0; i < watch->ntargets; i++) {
        send_to(watch, watch->targets[i], false);
    }
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(names[i]);
    }
    free(names);
}

static void forget_told(struct state_watch *watch)
{
    free_names(watch->told, watch->ntold);
    watch->told = NULL;
    watch->ntold = 0;
}

static void is_well(struct state_watch *watch)
{
    for (size_t i = 0; i < watch->ntold; i++) {
        send_to(watch, watch->told[i], true);
    }
    forget_told(watch);
    watch->said = false;
}

/* ---- the check ---- */

static void set_check(struct state_watch *watch)
{
    const struct verdicts_spec spec = {.name = CONFIG_CHECK_STATE, .affects = AFFECTS_FAIL};
    struct verdict *verdict;

    if (watch->condition == STATE_WELL) {
        verdicts_remove(watch->verdicts, watch->check);
        watch->check = NULL;
        return;
    }
    /* A disk that is full degrades: what is there lives from the reserve. */
    verdict = verdict_create(watch->condition == STATE_FULL ? TMON_WARN : TMON_FAIL, watch->text);
    if (!watch->check && verdicts_add(watch->verdicts, &spec, &watch->check) < 0) {
        watch->check = NULL;
    }
    if (watch->check && verdict) {
        verdicts_put(watch->verdicts, watch->check, verdict, clock_mono_ns(), clock_real_ms(),
                     NULL);
    } else {
        verdict_destroy(verdict);
    }
}

struct told_condition {
    struct state_watch *watch;
    enum state_condition condition;
    char text[OWN_SUMMARY_SIZE];
};

static void on_condition(void *arg)
{
    struct told_condition *told = arg;
    struct state_watch *watch = told->watch;
    const char *host = watch->own_alerts->host;
    enum state_condition before = watch->condition;

    watch->condition = told->condition;
    if (told->condition == STATE_WELL) {
        is_well(watch);
    } else {
        if (before == STATE_WELL) {
            watch->since_ms = clock_real_ms();
        }
        (void)snprintf(watch->text, sizeof watch->text, "the durable state%s%s: %.200s",
                       *host ? " on " : "", host, told->text);
    }
    set_check(watch);
    own_alerts_set(watch->own_alerts, OWN_STATE_FAILING, "", told->condition != STATE_WELL,
                   TMON_SEVERITY_CRITICAL, watch->text);
    free(told);
}

void state_watch_condition(struct state_watch *watch, enum state_condition condition,
                           const char *text)
{
    struct told_condition *told = calloc(1, sizeof *told);

    if (!told) {
        return;
    }
    told->watch = watch;
    told->condition = condition;
    utf8_copy(told->text, sizeof told->text, text);
    if (loop_post(watch->loop, on_condition, told) < 0) {
        free(told);
    }
}

/* ---- the whole ---- */

void state_watch_init(struct state_watch *watch, struct loop *loop, struct verdicts *verdicts,
                      struct own_alerts *own_alerts, struct delivery *delivery)
{
    *watch = (struct state_watch){.loop = loop,
                                  .verdicts = verdicts,
                                  .own_alerts = own_alerts,
                                  .delivery = delivery,
                                  .condition = STATE_WELL};
}

void state_watch_finish(struct state_watch *watch)
{
    if (!watch->loop) {
        return;
    }
    while (watch->sends) {
        struct undurable *send = watch->sends;

        unlink_send(send);
        free(send);
    }
    verdicts_remove(watch->verdicts, watch->check);
    free_names(watch->targets, watch->ntargets);
    forget_told(watch);
    *watch = (struct state_watch){0};
}

void state_watch_targets(struct state_watch *watch, char **targets, size_t n)
{
    free_names(watch->targets, watch->ntargets);
    watch->targets = targets;
    watch->ntargets = n;
}
