/*
 * reload.c: from a configuration to running units, at the start and for every reload.
 *
 * A build reads files and probes plugins, which may take seconds, so it has a thread of its own;
 * the main thread goes on meanwhile.  What it built is put in force at once: units that are the
 * same go on as they are, the others end and their successors start when they have ended.  Until
 * the server has accepted its part nothing has changed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/state.h"
#include "base/clock.h"
#include "base/limits.h"

struct build {
    struct agent *agent;
    struct config *config; /* taken; NULL: to be loaded */
    const struct registry *previous;
    int cancel_fd;     /* readable: nobody waits for the plan any more */
    struct plan *plan; /* NULL: it failed */
    bool opens;        /* the first one opens the desk too */
    struct buf why;    /* why that failed */
    struct config_errors errors;
    int result;
};

static void put_in_force(void *arg);

static void *build_on_thread(void *arg)
{
    struct build *build = arg;
    struct config *config = build->config;

    build->config = NULL;
    build->result = 0;
    if (!config) {
        build->result = config_read(build->agent->options->config_path, &config_env_process,
                                    &build->errors, &config);
    }
    if (config) {
        build->result = plan_create(config, build->agent->spawner, build->previous,
                                    build->cancel_fd, &build->errors, &build->plan);
    }
    if (build->result == 0 && build->opens) {
        build->result = desk_life_open(build->agent, &build->why);
    }
    (void)loop_post(build->agent->loop, put_in_force, build);
    return NULL;
}

static void build_destroy(struct build *build)
{
    config_destroy(build->config);
    plan_destroy(build->plan);
    config_errors_finish(&build->errors);
    buf_finish(&build->why);
    if (build->cancel_fd >= 0) {
        (void)close(build->cancel_fd);
    }
    free(build);
}

int reload_start(struct agent *agent)
{
    struct build *build;
    int r;

    if (atomic_load(&agent->stopping)) {
        return -ESHUTDOWN;
    }
    if (agent->building) {
        agent->build_again = true;
        return 0;
    }
    build = calloc(1, sizeof *build);
    if (!build) {
        return -ENOMEM;
    }
    build->agent = agent;
    build->config = agent->loaded;
    agent->loaded = NULL;
    build->previous = agent->plan ? agent->plan->registry : NULL;
    build->opens = !agent->plan;
    buf_init(&build->why, 4096);
    config_errors_init(&build->errors);
    build->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (build->cancel_fd < 0) {
        r = -errno;
        build_destroy(build);
        return r;
    }
    if (agent->plan) {
        notify_reloading(&agent->notify);
    }
    r = pthread_create(&agent->builder, NULL, build_on_thread, build);
    if (r != 0) {
        build_destroy(build);
        return -r;
    }
    (void)pthread_setname_np(agent->builder, "builder");
    agent->building = true;
    agent->build = build;
    agent->nanswered = agent->ntickets;
    return 0;
}

void reload_cancel(struct agent *agent)
{
    if (agent->building) {
        (void)eventfd_write(agent->build->cancel_fd, 1);
    }
}

void reload_finish(struct agent *agent)
{
    if (agent->building) {
        reload_cancel(agent);
        (void)pthread_join(agent->builder, NULL);
        agent->building = false;
        build_destroy(agent->build);
    }
    free(agent->reload.errors);
    free(agent->reload.notes);
    agent->reload.errors = agent->reload.notes = NULL;
}

/* ---- errors ---- */

static void tell_errors(const struct config_errors *errors, bool log)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct config_error *entry = &errors->entries[i];

        if (log) {
            log_at(entry->warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "configuration",
                   LOG_S("problem", entry->text));
        } else {
            log_plain(entry->text);
        }
    }
    if (errors->dropped > 0) {
        log_warning("more problems in the configuration were not kept",
                    LOG_I("count", errors->dropped));
    }
}

static char *join_errors(const struct config_errors *errors, int result)
{
    struct buf text;

    buf_init(&text, 65536);
    for (size_t i = 0; i < errors->count; i++) {
        if (!errors->entries[i].warning) {
            buf_printf(&text, "%s\n", errors->entries[i].text);
        }
    }
    if (text.len == 0) {
        buf_printf(&text, "%s\n", log_errno(result));
    }
    text.failed = false;
    return buf_take(&text);
}

/* ---- units ---- */

static struct unit *take_by_name(struct unit **list, const char *name)
{
    for (struct unit **at = list; *at; at = &(*at)->next) {
        if (strcmp((*at)->name, name) == 0) {
            struct unit *unit = *at;

            *at = unit->next;
            unit->next = NULL;
            return unit;
        }
    }
    return NULL;
}

static void on_ended(struct unit *unit, void *owner)
{
    struct agent *agent = owner;
    struct unit *successor = unit->successor;

    for (struct unit **at = &agent->retiring; *at; at = &(*at)->next) {
        if (*at == unit) {
            *at = unit->next;
            break;
        }
    }
    unit_destroy(unit);
    if (successor) {
        successor->predecessor = NULL;
        if (!atomic_load(&agent->stopping)) {
            unit_start(successor);
        }
    }
    agent_look_if_ended(agent);
}

void reload_retire(struct agent *agent, struct unit *unit, struct unit *successor)
{
    if (unit->predecessor) {
        /* It never started: whoever it waits for is waited for by its successor now. */
        unit->predecessor->successor = successor;
        if (successor) {
            successor->predecessor = unit->predecessor;
        }
        unit_destroy(unit);
        return;
    }
    unit->successor = successor;
    if (successor) {
        successor->predecessor = unit;
    }
    unit->next = agent->retiring;
    agent->retiring = unit;
    unit_stop(unit, on_ended, agent);
}

/* Starts a unit that is new, or lets it wait for one of its name that left in an earlier reload and
 * has not ended yet. */
static void enter(struct agent *agent, struct unit *unit)
{
    for (struct unit *leaving = agent->retiring; leaving; leaving = leaving->next) {
        if (strcmp(leaving->name, unit->name) == 0) {
            leaving->successor = unit;
            unit->predecessor = leaving;
            return;
        }
    }
    unit_start(unit);
}

/* Makes the units of the plan into the agent's list, reusing those that stay. */
static int make_units(struct agent *agent, struct plan *plan, struct reload_outcome *outcome)
{
    struct unit *old = agent->units;
    struct unit **end = &agent->units;

    agent->units = NULL;
    for (size_t i = 0; i < plan->n; i++) {
        struct plan_instance *instance = &plan->instances[i];
        struct unit *before = take_by_name(&old, instance->config->name);
        struct unit *unit = NULL;
        bool counts = instance->config != plan->log; // nobody wrote that one

        if (before && unit_is(before, instance)) {
            unit_keep(before, instance);
            unit = before;
            outcome->kept += counts;
        } else {
            int r = unit_create(&agent->world, instance, &unit);

            if (r < 0) {
                /* Out of memory: what is left of the old list ends too, what is new is there in
                 * part. */
                log_error("an instance could not be made", LOG_S("name", instance->config->name),
                          LOG_E(r));
            }
            if (before) {
                reload_retire(agent, before,
                              unit); // starts `unit` when it has ended, maybe at once
                outcome->changed += counts;
            } else {
                outcome->added += counts;
                if (unit) {
                    enter(agent, unit);
                }
            }
        }
        if (unit) {
            *end = unit;
            end = &unit->next;
        }
    }
    while (old) {
        struct unit *gone = old;
        bool counts = !gone->implied;

        old = gone->next;
        gone->next = NULL;
        reload_retire(agent, gone, NULL);
        outcome->removed += counts;
    }
    return 0;
}

/* ---- putting it in force ---- */

/* Those who asked while this build was under way are answered by the next, which reads the files
 * as they were when they asked, or later. */
static void answer_tickets(struct agent *agent)
{
    for (size_t i = 0; i < agent->nanswered; i++) {
        http_answer(agent->http, agent->tickets[i], agent->reload.ok ? 200 : 422,
                    report_reload(agent));
    }
    agent->ntickets -= agent->nanswered;
    memmove(agent->tickets, agent->tickets + agent->nanswered,
            agent->ntickets * sizeof agent->tickets[0]);
    agent->nanswered = 0;
}

static bool listens(const struct config *config, const char *address)
{
    for (size_t i = 0; i < config->agent.nlisten; i++) {
        if (strcmp(config->agent.listen[i].text, address) == 0) {
            return true;
        }
    }
    return false;
}

/* Addresses of `of` that `other` has not. */
static void note_addresses(const struct config *of, const struct config *other, const char *what,
                           struct buf *notes)
{
    for (size_t i = 0; i < of->agent.nlisten; i++) {
        const char *address = of->agent.listen[i].text;

        if (!listens(other, address)) {
            log_info(what, LOG_S("address", address));
            buf_printf(notes, "%s: %s\n", what, address);
        }
    }
}

/* What of the agent's own is other now, and what a running agent cannot take over: it is left as it
 * was. */
static char *tell_notes(const struct config *before, const struct config *after)
{
    struct buf notes;

    buf_init(&notes, 16384);
    note_addresses(after, before, "the agent listens from now on", &notes);
    note_addresses(before, after, "the agent listens no more", &notes);
    if (strcmp(before->agent.state_dir, after->agent.state_dir) != 0) {
        log_warning("agent.state_dir changes only with a restart",
                    LOG_S("in_force", before->agent.state_dir));
        buf_printf(&notes, "agent.state_dir changes only with a restart; in force: %s\n",
                   before->agent.state_dir);
    }
    notes.failed = false;
    if (notes.len > 0) {
        return buf_take(&notes);
    }
    buf_finish(&notes);
    return NULL;
}

static int reload_server(struct agent *agent, const struct config *config, struct buf *why)
{
    const char **listen = calloc(config->agent.nlisten, sizeof *listen);
    struct http_options options;
    int r;

    if (!listen) {
        return -ENOMEM;
    }
    options = agent_http_options(agent, config, listen);
    r = http_reload(agent->http, &options, why);
    free(listen);
    return r;
}

static void note_outcome(struct agent *agent, const struct reload_outcome *outcome)
{
    free(agent->reload.errors);
    free(agent->reload.notes);
    agent->reload = *outcome;
    store_metric_set(agent->reload_ok, outcome->ok);
    if (outcome->ok) {
        store_metric_set(agent->reload_time, (double)outcome->at_ms / 1e3);
    }
    store_metric_inc(agent->reloads[outcome->ok ? 0 : 1]);
}

/* The first plan could not be built: the agent ends with what is wrong. */
static void give_up(struct agent *agent, const struct build *build)
{
    if (build->why.len > 0) {
        log_error("the durable state cannot be used", LOG_S("state_dir", agent->state_dir),
                  LOG_S("reason", buf_str(&build->why)));
        agent_stop(agent, 1);
        return;
    }
    tell_errors(&build->errors, false);
    log_error("the configuration is not good: see above, and `toiletmon check`",
              LOG_S("file", agent->options->config_path), LOG_I("errors", build->errors.errors));
    agent_stop(agent, 1);
}

static void set_limits(struct agent *agent, const struct config *config)
{
    agent->world.series = (uint32_t)config->agent.series_per_instance;
    agent->world.stale_ms = config->agent.series_stale_ms;
    store_change(agent->store,
                 &(struct store_limits){.series = (uint32_t)config->agent.series_total});
}

static void take_over(struct agent *agent, struct build *build, struct reload_outcome *outcome)
{
    struct plan *before = agent->plan;

    if (before) {
        outcome->notes = tell_notes(before->config, build->plan->config);
    }
    agent->plan = build->plan;
    build->plan = NULL;
    if (agent_refuse_own_listeners(agent, agent->plan->config) < 0) {
        log_warning("new listeners are not refused to plugins: out of memory");
    }
    log_setup(agent->plan->config->agent.log_level, agent->plan->config->agent.log_format);
    set_limits(agent, agent->plan->config);
    if (!before) {
        desk_life_begin(agent);
        rules_life_begin(agent);
    }
    (void)make_units(agent, agent->plan, outcome);
    desk_life_plan(agent);
    rules_life_plan(agent);
    deadman_plan(&agent->deadman, &agent->plan->config->heartbeat);
    local_flush(agent->local);
    /* Units that end keep pointers into the configuration that they came from until here only. */
    plan_destroy(before);
}

static void put_in_force(void *arg)
{
    struct build *build = arg;
    struct agent *agent = build->agent;
    struct reload_outcome outcome = {.at_ms = clock_real_ms()};
    bool first = agent->plan == NULL;
    struct buf why;

    (void)pthread_join(agent->builder, NULL);
    agent->building = false;
    buf_init(&why, 4096);
    if (atomic_load(&agent->stopping)) {
        goto out;
    }
    if (build->result == 0 && !first) {
        build->result = reload_server(agent, build->plan->config, &why);
        if (build->result < 0) {
            outcome.errors = buf_take(&why);
        }
    } else if (build->result < 0) {
        outcome.errors = join_errors(&build->errors, build->result);
    }
    if (build->result < 0 && first) {
        give_up(agent, build);
        free(outcome.errors);
        goto out;
    }
    tell_errors(&build->errors, true);
    outcome.ok = build->result == 0;
    if (outcome.ok) {
        take_over(agent, build, &outcome);
    }
    if (first) {
        note_outcome(agent, &outcome);
        agent_started(agent);
        goto out;
    }
    note_outcome(agent, &outcome);
    notify_ready(&agent->notify, outcome.ok ? "running" : "running; the last reload failed");
    if (outcome.ok) {
        log_info("configuration reloaded", LOG_I("kept", outcome.kept),
                 LOG_I("changed", outcome.changed), LOG_I("added", outcome.added),
                 LOG_I("removed", outcome.removed));
    } else {
        log_error("the reload failed and changed nothing", LOG_S("error", agent->reload.errors));
    }
    answer_tickets(agent);
out:
    buf_finish(&why);
    build_destroy(build);
    slim_soon(&agent->slim);
    if (atomic_load(&agent->stopping)) {
        agent_look_if_ended(agent);
    } else if (agent->build_again) {
        agent->build_again = false;
        (void)reload_start(agent);
    }
}
