/*
 * unit.c: see unit.h.  Here a call's result becomes series, a verdict and metrics, and a change of
 * state becomes one line in the log.
 */
#include "agent/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/unit_metrics.h"
#include "agent/unit_private.h"
#include "base/clock.h"
#include "base/utf8.h"

static void call_next(struct unit *unit, enum ability ability);

static enum verdicts_affects affects_of(enum config_affects affects)
{
    return affects == CONFIG_AFFECTS_FAIL      ? AFFECTS_FAIL
           : affects == CONFIG_AFFECTS_DEGRADE ? AFFECTS_DEGRADE
                                               : AFFECTS_NOTHING;
}

static struct verdicts_spec verdict_spec(const struct unit *unit)
{
    enum verdicts_affects affects = affects_of(unit->config->affects);
    bool checks = unit->abilities & ABILITY_CHECK;

    /* A plugin that cannot be loaded says nothing of what it would have watched; nor does a sink
     * that cannot deliver. */
    if (!checks && affects == AFFECTS_FAIL) {
        affects = AFFECTS_DEGRADE;
    }
    return (struct verdicts_spec){.name = unit->name,
                                  .affects = affects,
                                  .fail_after = checks ? unit->config->fail_after : 1,
                                  .pass_after = checks ? unit->config->pass_after : 1,
                                  .ready = unit->ready};
}

/* ---- what comes of a call ---- */

void unit_remember_error(struct unit *unit, const char *text)
{
    utf8_copy(unit->last_error, sizeof unit->last_error, text);
    unit->last_error_ms = clock_real_ms();
}

/* The verdict's own words, or those about the first subject that is as bad as the whole. */
static void say_why(const struct verdict *verdict, char *text, size_t size)
{
    text[0] = '\0';
    if (verdict->message) {
        utf8_copy(text, size, verdict->message);
        return;
    }
    for (size_t i = 0; i < verdict->nsubjects && verdict->status != TMON_PASS; i++) {
        const struct subject *subject = &verdict->subjects[i];

        if (subject->status == verdict->status) {
            char line[512];

            (void)snprintf(line, sizeof line, "%.200s%s%.300s", subject->name,
                           subject->text ? ": " : "", subject->text ? subject->text : "");
            utf8_copy(text, size, line);
            return;
        }
    }
}

static void put_verdict(struct unit *unit, struct verdict *verdict, bool tell)
{
    struct verdicts_change change = {0};
    char message[256] = "";

    if (!unit->verdict) {
        verdict_destroy(verdict);
        return;
    }
    unit->failed = verdict->status == TMON_FAIL;
    say_why(verdict, message, sizeof message);
    verdicts_put(unit->world->verdicts, unit->verdict, verdict, clock_mono_ns(), clock_real_ms(),
                 &change);
    unit->status = change.to;
    unit_alerts_check(unit, change.to, message);
    if (!tell || !change.changed || (change.first && change.to == TMON_PASS)) {
        return;
    }
    log_at(change.to == TMON_PASS ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "check changed",
           LOG_S("name", unit->name),
           LOG_S("from", change.first ? "none" : verdict_name(change.from)),
           LOG_S("to", verdict_name(change.to)), LOG_S("message", *message ? message : NULL));
}

/* The check fails because the instance is not ready, which was told already.  Once a round: a crash
 * ends the call and changes the state, and is one failure all the same. */
static void put_failure(struct unit *unit, const char *text)
{
    struct verdict *verdict = unit->failed ? NULL : verdict_create(TMON_FAIL, text);

    if (verdict) {
        put_verdict(unit, verdict, false);
    }
}

/* One line in the log for each reason, not one a collection; the metric goes on counting. */
static void look_at_refusals(struct unit *unit, const struct store_commit_result *result)
{
    for (int why = 0; why < STORE_REFUSALS; why++) {
        if (result->refused[why] == 0 || unit->refused_seen & 1u << why) {
            continue;
        }
        unit->refused_seen |= 1u << why;
        log_warning("samples are refused", LOG_S("name", unit->name),
                    LOG_S("reason", store_refusal_name((enum store_refusal)why)),
                    LOG_S("metric", result->example[why]), LOG_I("count", result->refused[why]),
                    LOG_S("advice", store_refusal_advice((enum store_refusal)why)));
    }
}

static int commit(struct unit *unit, const struct instance_result *result)
{
    struct store_commit_result committed;
    int r = store_commit(unit->world->store, unit->owner, result->samples, result->samples_len,
                         loop_now(unit->world->loop) / NS_PER_MS, unit->called_ms, &committed);

    look_at_refusals(unit, &committed);
    return r;
}

/* Rules see no old values of what could not be asked. */
static void end_series(struct unit *unit, int64_t time_ms)
{
    if (unit->owner) {
        store_collection_failed(unit->world->store, unit->owner, time_ms);
    }
}

static void on_done(void *owner, const struct instance_result *result)
{
    struct unit_worker *worker = owner;
    struct unit *unit = worker->unit;
    bool failed = result->rc != TMON_OK;
    bool malformed = false;

    if (result->ability & (ABILITY_FORMAT | ABILITY_JUDGE | ABILITY_DELIVER)) {
        unit_sink_done(worker, result);
        return;
    }
    unit->running = 0;
    if (result->ability == ABILITY_CHECK) {
        put_verdict(unit, result->verdict, true);
    } else if (!failed && unit->owner) {
        int r = commit(unit, result);

        if (r < 0) {
            failed = true;
            unit_remember_error(unit,
                                r == -EPROTO ? "the plugin sent malformed samples" : log_errno(r));
            malformed = r == -EPROTO;
        }
    }
    unit->runs++;
    if (failed) {
        unit->failures++;
        if (*result->message) {
            unit_remember_error(unit, result->message);
        }
        if (result->ability == ABILITY_COLLECT) {
            end_series(unit, unit->called_ms);
            log_debug("collection failed", LOG_S("name", unit->name),
                      LOG_S("error", result->message));
        }
    }
    unit_metrics_count(unit, result, failed);
    if (malformed) {
        instance_fault(unit->instance, "sent malformed samples");
        return;
    }
    /* A call that overstays ends late: what is next waits for the next round. */
    if (result->ability == ABILITY_CHECK && !result->timeout && unit->scheduled) {
        call_next(unit, ABILITY_COLLECT);
    }
}

static void on_state(void *owner, enum instance_state from, enum instance_state to,
                     const char *reason)
{
    struct unit_worker *worker = owner;
    struct unit *unit = worker->unit;

    if (worker->number > 0) {
        unit_sink_state(worker, to, reason);
        return;
    }
    unit_metrics_state(unit, from, to);
    unit_alerts_state(unit, to, reason);
    unit_sink_look(unit);
    unit_sink_health(unit);
    if (to == INSTANCE_READY) {
        if (from != INSTANCE_STARTING || instance_counters(unit->instance)->deaths > 0) {
            log_info("instance is ready again", LOG_S("name", unit->name));
        }
        if (unit->due) {
            unit->due = false;
            (void)schedule_soon(unit->world->schedule, &unit->entry);
        }
        return;
    }
    if (to == INSTANCE_STARTING || to == INSTANCE_STOPPED) {
        return;
    }
    log_warning("instance is not ready", LOG_S("name", unit->name),
                LOG_S("component", unit->component), LOG_S("state", instance_state_name(to)),
                LOG_S("reason", reason));
    unit_remember_error(unit, reason);
    unit->running = 0;
    end_series(unit, clock_real_ms());
    if (unit->abilities & ABILITY_CHECK) {
        put_failure(unit, reason);
    }
}

static void on_log(void *owner, tmon_level level, const char *text, uint64_t held_back)
{
    static const enum log_level levels[] = {LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING,
                                            LOG_LEVEL_ERROR};
    const struct unit *unit = ((const struct unit_worker *)owner)->unit;

    if (held_back > 0) {
        log_at(levels[level], "plugin says", LOG_S("name", unit->name), LOG_S("text", text),
               LOG_I("held_back", held_back));
    } else {
        log_at(levels[level], "plugin says", LOG_S("name", unit->name), LOG_S("text", text));
    }
}

static void end(struct unit *unit)
{
    void (*ended)(struct unit *, void *) = unit->ended;

    unit->ended = NULL;
    if (ended) {
        ended(unit, unit->ended_owner);
    }
}

static void on_stopped(void *owner)
{
    struct unit *unit = ((struct unit_worker *)owner)->unit;

    if (++unit->nended == unit->nworkers) {
        end(unit);
    }
}

static void on_idle(void *owner)
{
    unit_sink_look(((struct unit_worker *)owner)->unit);
}

const struct instance_hooks unit_hooks = {
    .done = on_done, .state = on_state, .log = on_log, .stopped = on_stopped, .idle = on_idle};

/* ---- the schedule ---- */

/* Calls the first of what the component can do from `ability` on: check before collect. */
static void call_next(struct unit *unit, enum ability ability)
{
    int r;

    if (ability == ABILITY_CHECK && !(unit->abilities & ABILITY_CHECK)) {
        ability = ABILITY_COLLECT;
    }
    if (!(unit->abilities & ability)) {
        return;
    }
    r = instance_call(unit->instance, ability);
    if (r == 0) {
        unit->running = ability;
        unit->called_ms = clock_real_ms();
        /* In a round of the schedule this wakes nobody yet: its flush does, for all together. */
        if (ability == ABILITY_COLLECT) {
            local_flush(unit->world->local);
        }
        return;
    }
    if (r == -EAGAIN && instance_state(unit->instance) == INSTANCE_STARTING) {
        unit->due = true;
    } else if (r == -EAGAIN && unit->abilities & ABILITY_CHECK) {
        /* Not ready: said again, so that the check's age shows that we looked. */
        put_failure(unit, instance_reason(unit->instance));
    }
}

static void on_due(struct schedule_entry *entry, int64_t late_ns)
{
    struct unit *unit = entry->owner;

    unit_metrics_late(unit, late_ns);
    unit->failed = false;
    if (instance_busy(unit->instance)) {
        entry->missed++;
        store_metric_set(unit->metrics.missed, (double)entry->missed);
        return;
    }
    store_metric_set(unit->metrics.missed, (double)entry->missed);
    call_next(unit, ABILITY_CHECK);
}

/* ---- life ---- */

int unit_make_worker(struct unit *unit, const struct plan_instance *from, struct settings *settings,
                     struct unit_worker *worker)
{
    const struct config_instance *config = from->config;
    const struct instance_options options = {
        .name = unit->name,
        .component = unit->component,
        .path = from->file->path,
        .spawns = (from->component->flags & TMON_SPAWNS) != 0,
        .abilities = from->component->abilities,
        .own = registry_own_component(from->file, config->component),
        .settings = settings,
        .memory_bytes = config->memory_bytes,
        .descriptors = config->descriptors,
        .cpu_percent = config->cpu_percent,
        .interval_ms = config->interval_ms,
        .timeout_ms = config->timeout_ms,
        .loop = unit->world->loop,
        .spawner = unit->world->spawner,
        .local = unit->world->local,
        .broker = unit->world->broker,
        .hooks = &unit_hooks,
        .owner = worker,
    };

    unit->own_thread = options.own != NULL;
    return instance_create(&options, &worker->instance);
}

static int make_instances(struct unit *unit, struct plan_instance *from)
{
    struct settings *settings = from->settings;
    int r = 0;

    unit->nworkers = unit_sink_workers(from, &unit->pool_first);
    unit->workers = calloc(unit->nworkers, sizeof *unit->workers);
    if (!unit->workers) {
        return -ENOMEM;
    }
    from->settings = NULL;
    for (size_t i = 0; i < unit->nworkers && r == 0; i++) {
        struct unit_worker *worker = &unit->workers[i];

        *worker = (struct unit_worker){.unit = unit, .number = i};
        if (i > 0) {
            settings = settings_copy(instance_settings(unit->workers[0].instance));
            r = settings ? 0 : -ENOMEM;
        }
        r = r < 0 ? r : unit_make_worker(unit, from, settings, worker);
    }
    unit->instance = unit->workers[0].instance;
    return r;
}

static struct store_owner_spec owner_spec(const struct unit *unit)
{
    int64_t five = unit->config->interval_ms * 5; // a collection may be missed now and then

    return (struct store_owner_spec){
        .name = unit->name,
        .labels = unit->config->labels,
        .nlabels = unit->config->nlabels,
        .series = unit->world->series,
        .keep_ms = five > unit->world->stale_ms ? five : unit->world->stale_ms,
    };
}

static int make_store_owner(struct unit *unit)
{
    const struct store_owner_spec spec = owner_spec(unit);

    return store_owner_add(unit->world->store, &spec, &unit->owner);
}

int unit_create(const struct unit_world *world, struct plan_instance *from, struct unit **ret_unit)
{
    struct unit *unit = calloc(1, sizeof *unit);
    int r = -ENOMEM;

    if (!unit) {
        return -ENOMEM;
    }
    unit->world = world;
    unit->config = from->config;
    unit->ready = from->ready;
    unit->fresh = true;
    unit->implied = !from->config->node;
    unit_alerts_init(unit);
    unit->name = strdup(from->config->name);
    unit->component = strdup(from->config->component);
    if (!unit->name || !unit->component) {
        goto out;
    }
    if (from->file) {
        unit->file = from->file->identity;
        unit->path = strdup(from->file->path);
        unit->plugin = strdup(from->file->name);
    }
    unit->is_sink = from->component && manifest_is_sink(from->component);
    if (!from->config->enabled) {
        unit->disabled = strdup(from->config->disabled_reason ? from->config->disabled_reason
                                                              : "enabled: false");
        r = unit->disabled ? 0 : -ENOMEM;
    } else if (!from->component) {
        unit->refused = strdup(from->refused ? from->refused : "its plugin cannot be loaded");
        r = unit->refused ? 0 : -ENOMEM;
    } else {
        unit->abilities = from->component->abilities;
        unit->flags = from->component->flags;
        schedule_entry_init(&unit->entry, on_due, unit);
        r = make_instances(unit, from);
    }
    if (r == 0) {
        *ret_unit = unit;
        return 0;
    }
out:
    unit_destroy(unit);
    return r;
}

void unit_destroy(struct unit *unit)
{
    if (!unit) {
        return;
    }
    if (unit->scheduled) {
        schedule_remove(unit->world->schedule, &unit->entry);
    }
    unit_alerts_stop(unit);
    delivery_drop(unit->sink);
    for (size_t i = 0; unit->workers && i < unit->nworkers; i++) {
        instance_destroy(unit->workers[i].instance);
    }
    free(unit->workers);
    unit_metrics_finish(unit);
    store_owner_remove(unit->world->store, unit->owner);
    verdicts_remove(unit->world->verdicts, unit->verdict);
    free(unit->name);
    free(unit->component);
    free(unit->path);
    free(unit->plugin);
    free(unit->disabled);
    free(unit->refused);
    free(unit);
}

void unit_add_verdict(struct unit *unit)
{
    struct verdicts_spec spec = verdict_spec(unit);
    int r = verdicts_add(unit->world->verdicts, &spec, &unit->verdict);

    if (r < 0) {
        log_error("a check has no place in health", LOG_S("name", unit->name), LOG_E(r));
    }
}

void unit_start(struct unit *unit)
{
    int r;

    if (unit->disabled) {
        log_info("instance is disabled", LOG_S("name", unit->name),
                 LOG_S("reason", unit->disabled));
        return;
    }
    if (unit->refused || unit->abilities & ABILITY_CHECK) {
        unit_add_verdict(unit);
    } else { // its namesake of before the reload, or the start, may have had one
        unit_alerts_check(unit, TMON_PASS, "");
    }
    unit_metrics_init(unit);
    if (unit->refused) {
        log_warning("instance is not ready", LOG_S("name", unit->name),
                    LOG_S("component", unit->component), LOG_S("state", "refused"),
                    LOG_S("reason", unit->refused));
        unit_remember_error(unit, unit->refused);
        put_failure(unit, unit->refused);
        return;
    }
    r = make_store_owner(unit);
    if (r < 0) {
        log_error("series of an instance have no place", LOG_S("name", unit->name), LOG_E(r));
    }
    unit_metrics_state(unit, INSTANCE_STARTING, INSTANCE_STARTING);
    unit_sink_open(unit);
    for (size_t i = 0; i < unit->nworkers; i++) {
        instance_start(unit->workers[i].instance);
    }
    if (!(unit->abilities & (ABILITY_CHECK | ABILITY_COLLECT))) {
        return;
    }
    r = schedule_add(unit->world->schedule, &unit->entry, unit->name, unit->config->interval_ms,
                     !unit->own_thread);
    if (r < 0) {
        log_error("an instance could not be scheduled", LOG_S("name", unit->name), LOG_E(r));
        return;
    }
    unit->scheduled = true;
}

void unit_stop(struct unit *unit, void (*ended)(struct unit *unit, void *owner), void *owner)
{
    unit->leaving = true;
    unit_sink_health(unit);
    if (unit->scheduled) {
        schedule_remove(unit->world->schedule, &unit->entry);
        unit->scheduled = false;
    }
    unit_metrics_finish(unit);
    store_owner_remove(unit->world->store, unit->owner);
    unit->owner = NULL;
    verdicts_remove(unit->world->verdicts, unit->verdict);
    unit->verdict = NULL;
    unit->ended = ended;
    unit->ended_owner = owner;
    unit_alerts_stop(unit);
    if (unit->sink) {
        unit_sink_drain(unit);
    } else if (unit->instance) {
        unit_stop_workers(unit);
    } else {
        end(unit);
    }
}

void unit_stop_workers(struct unit *unit)
{
    for (size_t i = unit->nworkers; i-- > 0;) { // the unit may be gone after the last one
        instance_stop(unit->workers[i].instance);
    }
}

/* ---- reload ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_file(const struct unit *unit, const struct registry_file *file)
{
    if (!file || !unit->path) {
        return !file && !unit->path;
    }
    return same_text(unit->path, file->path) && unit->file.device == file->identity.device &&
           unit->file.inode == file->identity.inode &&
           unit->file.mtime_ns == file->identity.mtime_ns && unit->file.size == file->identity.size;
}

bool unit_is(const struct unit *unit, const struct plan_instance *to)
{
    const char *disabled = to->config->enabled           ? NULL
                           : to->config->disabled_reason ? to->config->disabled_reason
                                                         : "enabled: false";

    return config_instance_equal(unit->config, to->config) && same_file(unit, to->file) &&
           same_text(unit->disabled, disabled) &&
           (unit->refused != NULL) == (!disabled && !to->component) &&
           (!unit->instance || settings_equal(instance_settings(unit->instance), to->settings));
}

void unit_keep(struct unit *unit, const struct plan_instance *to)
{
    unit->config = to->config;
    unit->ready = to->ready;
    unit->implied = !to->config->node;
    if (unit->verdict) {
        struct verdicts_spec spec = verdict_spec(unit);

        verdicts_change(unit->world->verdicts, unit->verdict, &spec);
    }
    if (!unit->config->alerts) {
        unit_alerts_check(unit, TMON_PASS, "");
    }
    if (unit->owner) {
        struct store_owner_spec spec = owner_spec(unit);

        store_owner_change(unit->world->store, unit->owner, &spec);
    }
}

bool unit_retry(struct unit *unit)
{
    bool retried = false;

    for (size_t i = 0; unit->instance && i < unit->nworkers; i++) {
        retried = instance_retry(unit->workers[i].instance) || retried;
    }
    return retried;
}

struct unit *unit_find(struct unit *first, const char *name)
{
    while (first && strcmp(first->name, name) != 0) {
        first = first->next;
    }
    return first;
}
