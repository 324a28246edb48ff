/*
 * deadman.c: see deadman.h.
 *
 * The question is a part of the agent, never freed on its way: one that a stalled thread holds
 * costs nothing, and when it comes back after all the next one may go.
 */
#include "agent/deadman.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/state.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "model/exchange.h"
#include "outbox/reason.h"
#include "rules/engine.h"
#include "rules/rows.h"

#define AGAIN_MS 10000           /* after one that was withheld or not taken, if that is sooner */
#define EARLY_NS (60 * NS_PER_S) /* so long a start may take without a word about it */
#define LOOK_NS (NS_PER_S / 2)
#define OUTBOX_LATE_MS 30000 /* what is due is looked at in milliseconds */
#define ROW_ID INT64_MIN     /* of no rule: written and deleted in one transaction */

enum stage { STAGE_RULES, STAGE_STATE, STAGE_MAIN };

/* ---- what came of it ---- */

static void arm(struct deadman *deadman, bool well)
{
    int64_t ms = deadman->interval_ms;

    ms = well || ms < AGAIN_MS ? ms : AGAIN_MS;
    (void)loop_timer_set(deadman->agent->loop, &deadman->timer, clock_mono_ns() + ms * NS_PER_MS);
}

static void trouble(struct deadman *deadman, struct store_metric *metric, const char *what,
                    const char *reason)
{
    store_metric_inc(metric);
    if (!deadman->troubled || strcmp(deadman->reason, reason) != 0) {
        log_warning(what, LOG_S("reason", reason));
    }
    deadman->troubled = true;
    (void)snprintf(deadman->reason, sizeof deadman->reason, "%s", reason);
    arm(deadman, false);
}

static void withhold(struct deadman *deadman, const char *reason)
{
    trouble(deadman, deadman->withheld, "the heartbeat is withheld", reason);
}

static void fail(struct deadman *deadman, const char *text)
{
    char reason[sizeof deadman->reason];

    reason_put(reason, sizeof reason, deadman->settings, text);
    trouble(deadman, deadman->failed, "the heartbeat was not taken", reason);
}

static void succeed(struct deadman *deadman)
{
    if (deadman->troubled) {
        log_info("the heartbeat is taken again");
    }
    deadman->troubled = false;
    deadman->reason[0] = '\0';
    deadman->success_ms = clock_real_ms();
    store_metric_inc(deadman->taken);
    store_metric_set(deadman->last, (double)deadman->success_ms / 1e3);
    if (!heap_has(&deadman->timer.node)) { /* it took an interval */
        arm(deadman, true);
    }
}

/* ---- the call ---- */

static void on_answer(void *asker, uint32_t ticket, const void *response, size_t len)
{
    struct deadman *deadman = asker;
    struct tmon_response answer;
    struct wire_reader reader;
    char text[64];

    deadman->calling = false;
    wire_reader_init(&reader, response, len);
    (void)wire_get_u32(&reader); /* how it went, which `status` says too */
    if (exchange_decode_response(&reader, &answer) < 0) {
        fail(deadman, "the answer cannot be read");
        return;
    }
    if (answer.status >= 200 && answer.status <= 299) {
        succeed(deadman);
    } else if (answer.status > 0) {
        (void)snprintf(text, sizeof text, "HTTP %d", (int)answer.status);
        fail(deadman, text);
    } else {
        fail(deadman, *answer.error ? answer.error : "there was no answer");
    }
    exchange_finish_response(&answer);
}

static void call_url(struct deadman *deadman)
{
    const struct broker *broker = fetch_broker_table(deadman->agent->fetch);
    const struct tmon_request request = {.size = sizeof request,
                                         .url = settings_find(deadman->settings, "url")->text};
    const char *why = "";
    struct buf buf;
    int r;

    buf_init(&buf, LIMIT_HTTP_REQUEST_BYTES + sizeof(uint64_t));
    wire_put_u64(&buf, (uint64_t)deadman->timeout_ms);
    r = exchange_encode_request(&buf, &request, &why);
    if (r == 0 && !buf.failed) {
        deadman->calling = true;
        r = broker->submit(broker->owner, buf.data, buf.len, deadman->settings, on_answer, deadman,
                           &deadman->ticket);
        deadman->calling = deadman->calling && r == 0;
    }
    buf_finish(&buf);
    if (r < 0) {
        fail(deadman, *why ? why : log_errno(r));
    }
}

/* ---- the question ---- */

/* At a start some things are not there yet: no word about that, for a while. */
static void hold_early(struct deadman *deadman, const char *why)
{
    if (clock_mono_ns() - deadman->agent->started_ns < EARLY_NS) {
        (void)loop_timer_set(deadman->agent->loop, &deadman->timer, clock_mono_ns() + LOOK_NS);
    } else {
        withhold(deadman, why);
    }
}

static void come_back(void *arg)
{
    struct deadman *deadman = arg;
    struct agent *agent = deadman->agent;

    atomic_store(&deadman->asked, false);
    if (atomic_load(&agent->stopping) || !deadman->settings) {
        return;
    }
    if (deadman->why && deadman->early) {
        hold_early(deadman, deadman->why);
    } else if (deadman->why) {
        withhold(deadman, deadman->why);
    } else if (!atomic_load(&agent->ready)) {
        hold_early(deadman, "routes and sinks are not in force yet");
    } else if (agent->state_watch.condition != STATE_WELL) {
        withhold(deadman, "the durable state fails");
    } else if (delivery_is_stuck(agent->delivery, clock_mono_ns())) {
        withhold(deadman, "an attempt to deliver has not ended long after its time");
    } else {
        call_url(deadman);
    }
}

static void send_back(struct deadman *deadman, const char *why)
{
    deadman->why = why;
    atomic_store(&deadman->stage, STAGE_MAIN);
    if (loop_post(deadman->agent->loop, come_back, deadman) < 0) {
        atomic_store(&deadman->asked, false); /* the timer asks again */
    }
}

/* The state's thread.  What is written and deleted again goes through the log and its sync. */
static int run_question(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct deadman *deadman =
        (struct deadman *)(void *)((char *)call - offsetof(struct deadman, call));

    if (outbox_next(call->desk->outbox) < now.mono_ms - OUTBOX_LATE_MS) {
        deadman->why = "the outbox is behind";
    }
    rules_row_write(tx, ROW_ID, "", 1);
    rules_row_write(tx, ROW_ID, NULL, 0);
    return 0;
}

static void question_done(struct desk_call *call, int result)
{
    struct deadman *deadman =
        (struct deadman *)(void *)((char *)call - offsetof(struct deadman, call));

    send_back(deadman, result < 0 ? "the durable state cannot be written" : deadman->why);
}

/* The rules' thread. */
static void ask_rules(void *arg, struct rules_engine *engine)
{
    struct deadman *deadman = arg;
    const struct rules_set *set = rules_engine_rules(engine);

    if (atomic_load(&deadman->agent->stopping)) {
        return;
    }
    if (!set) {
        deadman->early = true;
        send_back(deadman, "no rules are in force yet");
        return;
    }
    for (size_t i = 0; i < set->ngroups; i++) {
        struct engine_group_info info;

        rules_engine_group_info(engine, i, &info);
        if (info.waiting) {
            deadman->early = true;
            send_back(deadman, "rules wait for the first round of what they look at");
            return;
        }
    }
    atomic_store(&deadman->stage, STAGE_STATE);
    if (desk_submit(&deadman->agent->desk, &deadman->call, false) < 0) {
        send_back(deadman, "the durable state takes no more work");
    }
}

static void ask(struct deadman *deadman)
{
    struct agent *agent = deadman->agent;

    if (!agent->rules.engine) {
        withhold(deadman, "rules are not evaluated: their thread could not be started");
        return;
    }
    deadman->why = NULL;
    deadman->early = false;
    atomic_store(&deadman->stage, STAGE_RULES);
    atomic_store(&deadman->asked, true);
    if (rules_engine_call(agent->rules.engine, ask_rules, deadman) < 0) {
        atomic_store(&deadman->asked, false);
        withhold(deadman, "there is not enough memory");
    }
}

static void on_timer(struct loop_timer *timer, int64_t now_ns)
{
    struct deadman *deadman = timer->owner;

    if (deadman->calling) {
        return; /* its answer arms the timer, and comes in any case */
    }
    if (atomic_load(&deadman->asked)) {
        withhold(deadman, atomic_load(&deadman->stage) == STAGE_RULES
                              ? "the thread that evaluates rules does not answer"
                              : "the thread that writes alerts and the outbox does not answer");
        return;
    }
    arm(deadman, true);
    ask(deadman);
}

/* ---- life ---- */

void deadman_init(struct deadman *deadman, struct agent *agent)
{
    deadman->agent = agent;
    deadman->call.run = run_question;
    deadman->call.done = question_done;
    loop_timer_init(&deadman->timer, on_timer, deadman);
}

static struct store_metric *add(struct deadman *deadman, tmon_metric_kind kind, const char *name,
                                const char *help, const char *result)
{
    const struct tmon_pair label = {"result", result};

    return store_metric_new(deadman->agent->store, kind, name, help, &label, result ? 1 : 0);
}

/* Not before there is a heartbeat: who has none needs no series that say that it never was. */
static void add_metrics(struct deadman *deadman)
{
    static const char calls[] = "toiletmon_heartbeat_calls_total";
    static const char help[] = "Outgoing heartbeats: taken by the far end (success), not taken "
                               "(failure), not sent because something stalls (withheld).";

    if (deadman->last) {
        return;
    }
    deadman->last = add(deadman, TMON_GAUGE, "toiletmon_heartbeat_last_success_timestamp_seconds",
                        "Unix time of the last outgoing heartbeat that was taken; 0: none.", NULL);
    deadman->taken = add(deadman, TMON_COUNTER, calls, help, "success");
    deadman->failed = add(deadman, TMON_COUNTER, calls, help, "failure");
    deadman->withheld = add(deadman, TMON_COUNTER, calls, help, "withheld");
}

static void forget_call(struct deadman *deadman)
{
    if (deadman->calling) {
        const struct broker *broker = fetch_broker_table(deadman->agent->fetch);

        broker->cancel(broker->owner, deadman->ticket);
        deadman->calling = false;
    }
}

void deadman_plan(struct deadman *deadman, const struct config_heartbeat *config)
{
    if (settings_equal(deadman->settings, config->settings)) {
        return;
    }
    deadman_stop(deadman);
    settings_destroy(deadman->settings);
    deadman->settings = config->settings ? settings_copy(config->settings) : NULL;
    deadman->troubled = false;
    deadman->reason[0] = '\0';
    deadman->interval_ms = config->interval_ms;
    deadman->timeout_ms = config->timeout_ms;
    if (config->settings && !deadman->settings) {
        log_error("the heartbeat is not sent: out of memory");
    }
    if (deadman->settings) {
        add_metrics(deadman);
        (void)loop_timer_set(deadman->agent->loop, &deadman->timer, clock_mono_ns());
    }
}

void deadman_stop(struct deadman *deadman)
{
    if (deadman->agent && deadman->agent->loop) {
        loop_timer_stop(deadman->agent->loop, &deadman->timer);
        forget_call(deadman);
    }
}

void deadman_finish(struct deadman *deadman)
{
    deadman_stop(deadman);
    settings_destroy(deadman->settings);
    deadman->settings = NULL;
}

json_t *deadman_report(const struct deadman *deadman)
{
    char text[CLOCK_RFC3339_SIZE];

    if (!deadman->settings) {
        return json_null();
    }
    return json_pack("{s:s, s:s, s:o}", "state",
                     deadman->troubled     ? "troubled"
                     : deadman->success_ms ? "well"
                                           : "starting",
                     "reason", deadman->reason, "last_success",
                     deadman->success_ms ? json_string(clock_rfc3339(deadman->success_ms, text))
                                         : json_null());
}
