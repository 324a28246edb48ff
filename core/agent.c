/*
 * agent.c: builds the agent from a configuration, runs it, ends it in order.  The only file that
 * knows every room.
 *
 * The order of the start: what answers probes comes first, so that /api/health/live answers a few
 * milliseconds after the process began; plugins are probed and instances made while it answers
 * already.  The end is the other way round: the server goes last.
 */
#include "agent.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/last_resort.h"
#include "agent/lock.h"
#include "agent/state.h"
#include "base/clock.h"
#include "tmon_build.h"

#define MMAP_THRESHOLD (128 * 1024) /* malloc's own first choice */
/* Systemd's users and people wait ten seconds for an end. */
#define STOP_NS (8 * NS_PER_S) /* instances that have not ended by then are killed */
#define LAST_RESORT_MS 9500    /* and what hangs all the same is left hanging */

/* ---- what the server asks ---- */

static bool on_ready(void *owner, struct buf *reason)
{
    struct agent *agent = owner;
    struct verdicts_summary summary;

    if (atomic_load(&agent->stopping)) {
        buf_puts(reason, "the agent is stopping");
        return false;
    }
    if (!atomic_load(&agent->running)) {
        buf_puts(reason, "the configuration is being built");
        return false;
    }
    if (!atomic_load(&agent->ready)) {
        buf_puts(reason, "the durable state is not there yet");
        return false;
    }
    verdicts_summary(agent->verdicts, &summary);
    /* The first round alone: an instance that a reload adds takes no replica out of service. */
    if (summary.pending > 0 && !atomic_load(&agent->first_round)) {
        buf_printf(reason, "%u of %u checks have not run yet", summary.pending, summary.entries);
        return false;
    }
    atomic_store(&agent->first_round, true);
    if (summary.not_ready > 0) {
        buf_printf(reason, "the check %s, which agent.ready names, does not pass",
                   summary.not_ready_name);
        return false;
    }
    return true;
}

static bool on_alive(void *owner, struct buf *reason)
{
    struct agent *agent = owner;

    return heartbeat_alive(&agent->heartbeat, reason);
}

struct question {
    struct agent *agent;
    enum http_what what;
    uint64_t ticket;
    char name[LIMIT_NAME_BYTES + 1];
};

static void ask_reload(struct agent *agent, uint64_t ticket)
{
    int r;

    if (agent->ntickets == RELOAD_TICKETS || !agent->plan) {
        http_answer(
            agent->http, ticket, 503,
            json_pack("{s:s}", "error", "the agent is busy starting or reloading: try again"));
        return;
    }
    agent->tickets[agent->ntickets++] = ticket;
    r = reload_start(agent);
    if (r < 0) {
        agent->ntickets--;
        http_answer(agent->http, ticket, 503, json_pack("{s:s}", "error", log_errno(r)));
    }
}

static void ask_retry(struct agent *agent, const struct question *question)
{
    struct unit *unit = unit_find(agent->units, question->name);
    bool retried;

    if (!unit) {
        http_answer(agent->http, question->ticket, 404,
                    json_pack("{s:s, s:s}", "error", "there is no instance of this name", "hint",
                              "GET /api/v1/plugins lists those there are"));
        return;
    }
    retried = unit_retry(unit);
    if (retried) {
        log_info("an instance is tried again, as somebody asked", LOG_S("name", unit->name));
    }
    http_answer(agent->http, question->ticket, 200,
                json_pack("{s:s, s:b, s:s, s:s}", "name", unit->name, "retried", retried, "state",
                          unit_state(unit), "reason", unit_reason(unit)));
}

static void answer_question(void *arg)
{
    struct question *question = arg;
    struct agent *agent = question->agent;

    switch (question->what) {
    case HTTP_STATUS:
        http_answer(agent->http, question->ticket, 200, report_status(agent));
        break;
    case HTTP_PLUGINS:
        http_answer(agent->http, question->ticket, 200, report_plugins(agent));
        break;
    case HTTP_PLUGIN_RETRY:
        ask_retry(agent, question);
        break;
    case HTTP_RELOAD:
        ask_reload(agent, question->ticket);
        break;
    default:
        break;
    }
    free(question);
}

static int on_ask(void *owner, struct http_question *asked)
{
    struct agent *agent = owner;
    struct question *question;
    int r;

    if (atomic_load(&agent->stopping)) {
        return -ESHUTDOWN;
    }
    if (asked->what > HTTP_RELOAD) {
        return api_ask(&agent->api, asked);
    }
    question = malloc(sizeof *question);
    if (!question) {
        return -ENOMEM;
    }
    *question = (struct question){.agent = agent, .what = asked->what, .ticket = asked->ticket};
    memcpy(question->name, asked->name, sizeof question->name);
    r = loop_post(agent->loop, answer_question, question);
    if (r < 0) {
        free(question);
    }
    return r;
}

struct http_options agent_http_options(struct agent *agent, const struct config *config,
                                       const char **listen)
{
    for (size_t i = 0; i < config->agent.nlisten; i++) {
        listen[i] = config->agent.listen[i].text;
    }
    return (struct http_options){
        .listen = listen,
        .nlisten = config->agent.nlisten,
        .tls_certificate = config->agent.tls_certificate,
        .tls_key = config->agent.tls_key,
        .hosts = (const char *const *)config->agent.hosts,
        .nhosts = config->agent.nhosts,
        .external_url = config->agent.external_url,
        .write_token = config->agent.write_token,
        .version = TMON_VERSION,
        .started_ns = agent->started_ns,
        .store = agent->store,
        .verdicts = agent->verdicts,
        .hooks = {.agent = agent, .ready = on_ready, .alive = on_alive, .ask = on_ask},
    };
}

/* Plugins reach the agent's API by no way: not even through a URL that an operator wrote. */
int agent_refuse_own_listeners(struct agent *agent, const struct config *config)
{
    const char **listen = calloc(config->agent.nlisten, sizeof *listen);
    int r;

    if (!listen) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->agent.nlisten; i++) {
        listen[i] = config->agent.listen[i].text;
    }
    r = fetch_broker_refuse(agent->fetch, listen, config->agent.nlisten);
    free(listen);
    return r;
}

/* ---- signals, clocks, watchdog ---- */

static void on_signal(struct loop_fd *watch, uint32_t events)
{
    struct agent *agent = watch->owner;
    struct signalfd_siginfo info;

    while (read(agent->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            log_info("SIGHUP: reloading the configuration",
                     LOG_S("file", agent->options->config_path));
            (void)reload_start(agent); /* during the start: once more after it */
        } else if (!atomic_load(&agent->stopping)) {
            log_info("stopping", LOG_S("signal", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"));
            agent_stop(agent, 0);
        }
    }
}

static int watch_signals(struct agent *agent)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)signal(SIGPIPE, SIG_IGN);
    /* Before any thread is made: all of them inherit it. */
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) {
        return -EINVAL;
    }
    agent->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (agent->signal_fd < 0) {
        return -errno;
    }
    return loop_fd_add(agent->loop, &agent->signals, agent->signal_fd, EPOLLIN, on_signal, agent);
}

static void on_watchdog(struct loop_timer *timer, int64_t now_ns)
{
    struct agent *agent = timer->owner;

    if (heartbeat_component_thread_well(&agent->heartbeat)) {
        notify_alive(&agent->notify);
    }
    (void)loop_timer_set(agent->loop, timer, now_ns + agent->notify.watchdog_ns);
}

static void on_flush(void *owner)
{
    struct agent *agent = owner;

    local_flush(agent->local);
}

static void on_clock(void *owner, int64_t step_ns, int64_t suspended_ns)
{
    struct agent *agent = owner;

    if (step_ns != 0) {
        store_metric_inc(agent->clock_steps);
        log_warning("the wall clock was set; intervals and deadlines are not affected",
                    LOG_F("seconds", (double)step_ns / (double)NS_PER_S));
    }
    if (suspended_ns != 0) {
        store_metric_inc(agent->suspends);
        log_warning("the machine was suspended; missed rounds are not made up for",
                    LOG_F("seconds", (double)suspended_ns / (double)NS_PER_S));
    }
}

/* ---- metrics of the agent as a whole ---- */

static struct store_metric *add_metric(struct agent *agent, tmon_metric_kind kind, const char *name,
                                       const char *help, const char *key, const char *value)
{
    static const double lateness_bounds[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5};
    const struct tmon_pair label = {key, value};
    const struct store_metric_spec spec = {
        .kind = kind,
        .name = name,
        .help = help,
        .labels = &label,
        .nlabels = key ? 1 : 0,
        .bounds = kind == TMON_HISTOGRAM ? lateness_bounds : NULL,
        .nbounds = kind == TMON_HISTOGRAM ? sizeof lateness_bounds / sizeof lateness_bounds[0] : 0,
    };
    struct store_metric *metric = NULL;

    (void)store_metric_add(agent->store, &spec, &metric);
    return metric;
}

static void add_metrics(struct agent *agent)
{
    process_metrics_init(&agent->process, agent->store, agent->started_ns);
    agent->world.lateness =
        add_metric(agent, TMON_HISTOGRAM, "toiletmon_schedule_lateness_seconds",
                   "How long after they were due rounds began, over all instances.", NULL, NULL);
    agent->reload_ok = add_metric(
        agent, TMON_GAUGE, "toiletmon_config_last_reload_successful",
        "Whether the last attempt to read the configuration went well (1 yes, 0 no).", NULL, NULL);
    agent->reload_time =
        add_metric(agent, TMON_GAUGE, "toiletmon_config_last_reload_success_timestamp_seconds",
                   "Unix time of the last configuration that was put in force.", NULL, NULL);
    agent->reloads[0] =
        add_metric(agent, TMON_COUNTER, "toiletmon_config_reloads_total",
                   "Configurations read, the one at the start included.", "result", "success");
    agent->reloads[1] =
        add_metric(agent, TMON_COUNTER, "toiletmon_config_reloads_total",
                   "Configurations read, the one at the start included.", "result", "failure");
    agent->clock_steps =
        add_metric(agent, TMON_COUNTER, "toiletmon_clock_steps_total",
                   "How often the wall clock was seen to jump by a second or more.", NULL, NULL);
    agent->suspends =
        add_metric(agent, TMON_COUNTER, "toiletmon_suspends_total",
                   "How often the machine was seen to have been suspended.", NULL, NULL);
}

/* ---- start ---- */

static int load(struct agent *agent)
{
    struct config_errors errors;
    int r;

    config_errors_init(&errors);
    r = config_load(agent->options->config_path, &config_env_process, &errors, &agent->loaded);
    for (size_t i = 0; r < 0 && i < errors.count; i++) {
        (void)fprintf(stderr, "%s\n", errors.entries[i].text);
    }
    if (r < 0 && errors.count == 0) {
        (void)fprintf(stderr, "%s: %s\n", agent->options->config_path, log_errno(r));
    }
    config_errors_finish(&errors);
    return r;
}

static int open_server(struct agent *agent, struct buf *why)
{
    const char **listen = calloc(agent->loaded->agent.nlisten, sizeof *listen);
    struct http_options options;
    int r;

    if (!listen) {
        return -ENOMEM;
    }
    options = agent_http_options(agent, agent->loaded, listen);
    r = http_create(&options, why, &agent->http);
    free(listen);
    return r;
}

static int make_rooms(struct agent *agent, struct buf *why)
{
    const struct store_limits limits = {.series = (uint32_t)agent->loaded->agent.series_total};
    const struct schedule_hooks hooks = {.flush = on_flush, .clock = on_clock, .owner = agent};
    int r;

    if ((r = loop_create(&agent->loop)) < 0 || (r = watch_signals(agent)) < 0 ||
        (r = store_create(&limits, &agent->store)) < 0 ||
        (r = verdicts_create(&agent->verdicts)) < 0 ||
        (r = local_create(agent->loop, &agent->local)) < 0) {
        return r;
    }
    heartbeat_init(&agent->heartbeat, agent->loop, agent->local);
    slim_init(&agent->slim, agent->loop);
    api_init(&agent->api, agent->loop);
    if ((r = open_server(agent, why)) < 0) {
        return r;
    }
    add_metrics(agent);
    if ((r = spawner_create(why, &agent->spawner)) < 0 ||
        (r = fetch_broker_create(agent->loop, agent->spawner, &agent->fetch)) < 0 ||
        (r = agent_refuse_own_listeners(agent, agent->loaded)) < 0 ||
        (r = schedule_create(agent->loop, &hooks, &agent->schedule)) < 0 ||
        (r = desk_life_init(agent)) < 0 || (r = rules_life_init(agent)) < 0) {
        return r;
    }
    fetch_metrics_init(&agent->fetch_metrics, agent->store, agent->fetch);
    desk_metrics_init(&agent->desk_metrics, agent->store);
    deadman_init(&agent->deadman, agent);
    agent->world = (struct unit_world){.loop = agent->loop,
                                       .spawner = agent->spawner,
                                       .local = agent->local,
                                       .schedule = agent->schedule,
                                       .store = agent->store,
                                       .verdicts = agent->verdicts,
                                       .broker = fetch_broker_table(agent->fetch),
                                       .delivery = agent->delivery,
                                       .own_alerts = &agent->own_alerts,
                                       .sink_faults = &agent->sink_faults,
                                       .lateness = agent->world.lateness};
    return 0;
}

void agent_started(struct agent *agent)
{
    atomic_store(&agent->running, true);
    log_info("toiletmon is running", LOG_S("version", TMON_VERSION),
             LOG_S("config", agent->options->config_path),
             LOG_I("instances", agent->plan->config->ninstances),
             LOG_I("port", http_port(agent->http, 0)));
    notify_ready(&agent->notify, "running");
    if (agent->notify.watchdog_ns > 0) {
        (void)loop_timer_set(agent->loop, &agent->watchdog, clock_mono_ns());
    }
}

/* ---- end ---- */

void agent_look_if_ended(struct agent *agent)
{
    if (atomic_load(&agent->stopping) && !agent->units && !agent->retiring && !agent->building) {
        loop_stop(agent->loop);
    }
}

static void on_stop_timer(struct loop_timer *timer, int64_t now_ns)
{
    struct agent *agent = timer->owner;

    for (const struct unit *unit = agent->retiring; unit; unit = unit->next) {
        log_warning("an instance did not end in time and is killed", LOG_S("name", unit->name));
    }
    if (agent->building) {
        log_warning("the configuration is still being read: does a disk hang?");
    }
    loop_stop(agent->loop);
}

void agent_stop(struct agent *agent, int exit_code)
{
    if (atomic_exchange(&agent->stopping, true)) {
        return;
    }
    agent->exit_code = exit_code;
    last_resort_arm(LAST_RESORT_MS);
    notify_stopping(&agent->notify);
    (void)loop_timer_set(agent->loop, &agent->stop_timer, clock_mono_ns() + STOP_NS);
    reload_cancel(agent);
    deadman_stop(&agent->deadman);
    rules_life_stop(agent);
    desk_life_hold(agent);
    while (agent->units) {
        struct unit *unit = agent->units;

        agent->units = unit->next;
        unit->next = NULL;
        reload_retire(agent, unit, NULL);
    }
    local_flush(agent->local);
    agent_look_if_ended(agent);
}

static void finish(struct agent *agent)
{
    reload_finish(agent);
    while (agent->retiring) {
        struct unit *unit = agent->retiring;

        agent->retiring = unit->next;
        unit_destroy(unit);
    }
    api_close(&agent->api);
    /* Its thread asks the others how they are, so it ends before them. */
    http_destroy(agent->http);
    desk_life_finish(agent);
    rules_life_finish(agent);
    deadman_finish(&agent->deadman);
    api_finish(&agent->api);
    desk_metrics_finish(&agent->desk_metrics);
    schedule_destroy(agent->schedule);
    local_destroy(agent->local);
    fetch_metrics_finish(&agent->fetch_metrics, agent->store);
    fetch_broker_destroy(agent->fetch);
    spawner_destroy(agent->spawner);
    if (agent->store) {
        process_metrics_finish(&agent->process, agent->store);
    }
    verdicts_destroy(agent->verdicts);
    store_destroy(agent->store);
    plan_destroy(agent->plan);
    config_destroy(agent->loaded);
    if (agent->signal_fd >= 0) {
        loop_fd_remove(agent->loop, &agent->signals);
        (void)close(agent->signal_fd);
    }
    loop_destroy(agent->loop);
    if (agent->lock_fd >= 0) {
        (void)close(agent->lock_fd);
    }
    free(agent->state_dir);
}

int agent_run(const struct agent_options *options)
{
    struct agent agent = {
        .options = options, .started_ns = clock_mono_ns(), .lock_fd = -1, .signal_fd = -1};
    struct buf why;
    int r;

    buf_init(&why, 4096);
    loop_timer_init(&agent.watchdog, on_watchdog, &agent);
    loop_timer_init(&agent.stop_timer, on_stop_timer, &agent);
    notify_init(&agent.notify);
    agent.exit_code = 1;
#ifndef TMON_SANITIZED
    /* The agent's memory holds secrets: no core files, no looking in by other processes of the same
     * user. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
    /* A large block is a mapping of its own and goes back when it is freed.  Left to itself, malloc
     * raises that bound to the size of the first flood of samples and keeps as much for ever. */
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    if (load(&agent) < 0) {
        goto out;
    }
    log_open();
    log_setup(agent.loaded->agent.log_level, agent.loaded->agent.log_format);
    agent.state_dir =
        strdup(options->state_dir ? options->state_dir : agent.loaded->agent.state_dir);
    r = agent.state_dir ? lock_state_dir(agent.state_dir, &why, &agent.lock_fd) : -ENOMEM;
    if (r == 0) {
        r = make_rooms(&agent, &why);
    }
    if (r == 0) {
        r = reload_start(&agent);
    }
    if (r == 0) {
        agent.exit_code = 0;
        loop_be_patient(); /* the spawning thread is there already, so workers are as they were */
        r = loop_run(agent.loop);
    }
    if (r < 0) {
        agent.exit_code = 1;
        log_error("the agent cannot run", LOG_S("reason", why.len ? buf_str(&why) : log_errno(r)));
    } else {
        log_info("toiletmon has ended", LOG_I("exit_code", agent.exit_code));
    }
out:
    finish(&agent);
    last_resort_disarm();
    buf_finish(&why);
    return agent.exit_code;
}
