/*
 * instance.c: an instance is made, started, called and stopped; see instance.h.
 *
 * There is one timer for whatever is waited for: an instance does one thing at a time.
 */
#include "plugin/instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "model/notification.h"
#include "plugin/instance_private.h"

#define GRACE_LEAST_MS 1000 /* a busy machine is no reason to kill */
#define GRACE_MOST_MS 5000
#define SAMPLES_KEPT_BYTES 65536 /* of a buf between two collections; larger ones are freed */

const char *instance_state_name(enum instance_state state)
{
    static const char *const names[INSTANCE_STATES] = {
        "starting", "ready", "degraded", "quarantined", "stuck", "refused", "stopped"};

    return state < INSTANCE_STATES ? names[state] : "unknown";
}

/* ---- the call that runs ---- */

void instance_forget_call(struct instance *instance)
{
    instance_cancel_asks(instance);
    verdict_destroy(instance->verdict);
    instance->verdict = NULL;
    if (instance->samples.size > SAMPLES_KEPT_BYTES) {
        buf_finish(&instance->samples);
        buf_init(&instance->samples, instance->samples_bytes);
    }
    buf_clear(&instance->samples);
    instance->too_many = false;
    instance->overdue = false;
}

/* A check that did not return TMON_OK has failed, whatever it reported. */
static struct verdict *take_verdict(struct instance *instance, tmon_rc rc, const char *message)
{
    struct verdict *verdict = instance->verdict;
    const char *text = *message ? message : "the check failed";

    instance->verdict = NULL;
    if (!verdict) {
        return verdict_create(rc == TMON_OK ? TMON_PASS : TMON_FAIL, rc == TMON_OK ? NULL : text);
    }
    if (rc != TMON_OK && verdict->status != TMON_FAIL) {
        verdict_report(verdict, NULL, TMON_FAIL, text);
    }
    return verdict;
}

void instance_report(struct instance *instance, tmon_rc rc, bool timeout, const char *message,
                     int64_t duration_ns, uint64_t cpu_us)
{
    bool collected = instance->ability == ABILITY_COLLECT && rc == TMON_OK;
    struct instance_result result = {
        .ability = instance->ability,
        .rc = rc,
        .timeout = timeout,
        .samples = collected ? buf_str(&instance->samples) : NULL,
        .samples_len = collected ? instance->samples.len : 0,
        .request = instance->request,
        .request_len = instance->request_len,
        .retry_after_ms = instance->retry_after_ms,
        .died = instance->died,
        .untried = instance->untried,
        .message = message,
        .duration_ns = duration_ns,
        .cpu_us = cpu_us,
    };

    if (instance->reported) {
        return;
    }
    instance->reported = true;
    if (instance->ability == ABILITY_CHECK) {
        result.verdict = take_verdict(instance, rc, message);
    }
    instance->hooks->done(instance->owner, &result);
}

void instance_begin_call(struct instance *instance, enum ability ability)
{
    instance->ability = ability;
    instance->started_ns = clock_mono_ns();
    instance->reported = false;
    instance->died = false;
    instance->untried = false;
    instance->request = NULL;
    instance->request_len = 0;
    instance->retry_after_ms = -1;
}

/* Whether a call may be sent behind the one that runs: so the worker need not sleep between them.
 */
static bool has_room_ahead(const struct instance *instance)
{
    return instance->phase == PHASE_CALLING && !instance->stopping && !instance->own &&
           !instance->overdue && instance->nahead < INSTANCE_AHEAD &&
           (instance->ability & (ABILITY_FORMAT | ABILITY_JUDGE));
}

static int call(struct instance *instance, enum ability ability, const void *args, size_t len)
{
    if (has_room_ahead(instance) &&
        ability & instance->abilities & (ABILITY_FORMAT | ABILITY_JUDGE)) {
        return instance_worker_call_ahead(instance, ability, args, len);
    }
    if (instance->phase == PHASE_CALLING) {
        return -EBUSY;
    }
    if (instance->phase != PHASE_IDLE || instance->stopping || !(instance->abilities & ability)) {
        return -EAGAIN;
    }
    instance_begin_call(instance, ability);
    return instance->own ? instance_own_call(instance, args, len)
                         : instance_worker_call(instance, args, len);
}

int instance_call(struct instance *instance, enum ability ability)
{
    return call(instance, ability, NULL, 0);
}

int instance_call_sink(struct instance *instance, enum ability ability, const void *args,
                       size_t len)
{
    return call(instance, ability, args, len);
}

/* ---- from its making to its end ---- */

static void on_time(struct loop_timer *timer, int64_t now_ns)
{
    struct instance *instance = timer->owner;

    if (instance->stopping && instance->phase == PHASE_OFF) {
        instance_is_stopped(instance);
    } else if (instance->phase == PHASE_PAUSE) {
        if (instance->state == INSTANCE_QUARANTINED) {
            instance_set_state(instance, INSTANCE_DEGRADED, "it is tried again after quarantine");
        }
        instance_begin(instance);
    } else if (!instance->own) {
        instance_worker_time(instance);
    }
}

static void set_default(int64_t *value, int64_t fallback)
{
    if (*value <= 0) {
        *value = fallback;
    }
}

static void set_times(struct instance *instance)
{
    struct instance_times *times = &instance->times;

    set_default(&times->load_ms, 5000);
    set_default(&times->backoff_first_ms, 1000);
    set_default(&times->quarantine_ms, 600000);
    set_default(&times->quarantine_window_ms, 600000);
    set_default(&times->stop_grace_ms, 2000);
    set_default(&times->grace_ms, instance->interval_ms > GRACE_MOST_MS    ? GRACE_MOST_MS
                                  : instance->interval_ms < GRACE_LEAST_MS ? GRACE_LEAST_MS
                                                                           : instance->interval_ms);
    set_default(&times->kill_ms, 2000);
    if (times->quarantine_deaths == 0 || times->quarantine_deaths > INSTANCE_DEATHS) {
        times->quarantine_deaths = 5;
    }
    instance->backoff_ms = times->backoff_first_ms;
}

static void copy_options(struct instance *instance, const struct instance_options *options)
{
    instance->spawns = options->spawns;
    instance->abilities = options->abilities;
    instance->own = options->own;
    instance->memory_bytes = options->memory_bytes;
    instance->descriptors = options->descriptors;
    instance->cpu_percent = options->cpu_percent;
    instance->interval_ms = options->interval_ms;
    instance->timeout_ms = options->timeout_ms;
    instance->samples_bytes =
        options->samples_bytes ? options->samples_bytes : LIMIT_CALL_RESULT_BYTES;
    instance->loop = options->loop;
    instance->spawner = options->spawner;
    instance->local = options->local;
    instance->broker = options->broker;
    instance->times = options->times;
    instance->hooks = options->hooks;
    instance->owner = options->owner;
    instance->name = strdup(options->name);
    instance->component = strdup(options->component);
    instance->path = strdup(options->path);
}

int instance_create(const struct instance_options *options, struct instance **ret_instance)
{
    struct instance *instance = calloc(1, sizeof *instance);

    if (!instance) {
        settings_destroy(options->settings);
        return -ENOMEM;
    }
    copy_options(instance, options);
    instance->settings = options->settings ? options->settings : settings_create(0);
    set_times(instance);
    instance->state = INSTANCE_STARTING;
    instance->reported = true;
    loop_timer_init(&instance->timer, on_time, instance);
    process_init(&instance->process, instance->loop, &instance_process_hooks, instance);
    frame_assembly_init(&instance->assembly, 0);
    buf_init(&instance->samples, instance->samples_bytes);
    buf_init(&instance->out, LIMIT_CALL_BYTES);
    buf_init(&instance->call.samples, instance->samples_bytes);
    log_limit_init(&instance->log_limit, 10, 0.2);
    if (instance->own && instance->own->state_size > 0) {
        instance->self = calloc(1, instance->own->state_size);
    }
    if (!instance->name || !instance->component || !instance->path || !instance->settings ||
        (instance->own && instance->own->state_size > 0 && !instance->self)) {
        instance_destroy(instance);
        return -ENOMEM;
    }
    *ret_instance = instance;
    return 0;
}

void instance_destroy(struct instance *instance)
{
    if (!instance) {
        return;
    }
    loop_timer_stop(instance->loop, &instance->timer);
    instance_forget_call(instance);
    process_finish(&instance->process);
    if (instance->submitted) {
        return; // the component thread has it; it hangs, and the whole is about to end
    }
    frame_assembly_finish(&instance->assembly);
    verdict_destroy(instance->call.verdict);
    buf_finish(&instance->samples);
    buf_finish(&instance->call.samples);
    notification_destroy(instance->notification);
    buf_finish(&instance->out);
    settings_destroy(instance->settings);
    free(instance->self);
    free(instance->name);
    free(instance->component);
    free(instance->path);
    free(instance);
}

void instance_start(struct instance *instance)
{
    instance_begin(instance);
}

void instance_stop(struct instance *instance)
{
    bool stuck = instance->state == INSTANCE_STUCK;

    if (instance->stopping) {
        return;
    }
    instance->stopping = true;
    instance->state = INSTANCE_STOPPED;
    instance->reason[0] = '\0';
    loop_timer_stop(instance->loop, &instance->timer);
    instance_cancel_asks(instance);
    if (instance->own) {
        instance_own_stop(instance);
    } else {
        instance_worker_stop(instance, stuck);
    }
}

bool instance_retry(struct instance *instance)
{
    if (instance->phase != PHASE_PAUSE || instance->stopping) {
        return false;
    }
    instance->deaths = 0;
    instance->backoff_ms = instance->times.backoff_first_ms;
    instance_set_timer(instance, 0);
    return true;
}

void instance_fault(struct instance *instance, const char *why)
{
    if (process_running(&instance->process)) {
        instance_kill(instance, why);
    }
}

/* ---- what others may know ---- */

enum instance_state instance_state(const struct instance *instance)
{
    return instance->state;
}

const char *instance_reason(const struct instance *instance)
{
    return instance->reason;
}

const struct instance_counters *instance_counters(const struct instance *instance)
{
    return &instance->counters;
}

const struct settings *instance_settings(const struct instance *instance)
{
    return instance->settings;
}

bool instance_busy(const struct instance *instance)
{
    return instance->phase == PHASE_CALLING;
}

bool instance_callable(const struct instance *instance)
{
    return has_room_ahead(instance) || (instance->phase == PHASE_IDLE && !instance->stopping);
}

int instance_pid(const struct instance *instance)
{
    return (int)instance->process.pid;
}

uint32_t instance_layers(const struct instance *instance)
{
    return instance->layers;
}
