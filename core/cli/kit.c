/*
 * kit.c: lets one component live as it would under an agent: create, calls, calls with little time,
 * an end.
 *
 * The loop runs only while something is waited for; kit_wait() is the only place that does.
 */
#include "cli/kit.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define SHORT_MS 100 /* the deadline of the last calls, to see that it is looked at */
#define LOOK_NS (5 * NS_PER_MS)
#define LATE_MS 500 /* behind that deadline: it was not looked at */
#define WARM_RUNS 3 /* before these nothing is counted as a leak: caches fill */
#define MEMORY_GROWTH_KIB 8192
#define MANY_DESCRIPTORS 16
#define MANY_LINES 5
#define PATIENCE_MS 60000 /* for all runs of an ability */

void kit_finding(struct kit *kit, enum kit_level level, const char *format, ...)
{
    struct kit_finding *finding;
    va_list args;
    char *text;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        kit->faults++;
        return;
    }
    for (size_t i = 0; i < kit->nfindings; i++) {
        if (strcmp(kit->findings[i].text, text) == 0 &&
            strcmp(kit->findings[i].component, kit->component) == 0) {
            free(text);
            return;
        }
    }
    kit->faults += level == KIT_FAULT;
    if (kit->nfindings == KIT_FINDINGS) {
        free(text);
        return;
    }
    finding = &kit->findings[kit->nfindings++];
    finding->level = level;
    finding->text = text;
    finding->component = strdup(kit->component);
    if (!finding->component) {
        kit->nfindings--;
        free(text);
    }
}

/* ---- the instance's side */

static void on_done(void *owner, const struct instance_result *result)
{
    struct kit *kit = owner;

    kit->done = true;
    kit->rc = result->rc;
    kit->overdue = result->timeout;
    kit->duration_ns = result->duration_ns;
    kit->message[0] = '\0';
    if (result->verdict) {
        kit->verdict = result->verdict->status;
        snprintf(kit->message, sizeof kit->message, "%s",
                 result->verdict->message ? result->verdict->message : "");
        verdict_destroy(result->verdict);
    } else {
        snprintf(kit->message, sizeof kit->message, "%s", result->message);
    }
    buf_clear(&kit->samples);
    buf_append(&kit->samples, result->samples, result->samples ? result->samples_len : 0);
    buf_clear(&kit->request);
    buf_append(&kit->request, result->request, result->request ? result->request_len : 0);
    loop_stop(kit->loop);
}

static void on_state(void *owner, enum instance_state from, enum instance_state to,
                     const char *reason)
{
    loop_stop(((struct kit *)owner)->loop);
}

static void on_log(void *owner, tmon_level level, const char *text, uint64_t held_back)
{
    struct kit *kit = owner;

    kit->log_lines += 1 + held_back;
    // What the worker itself has to say of the plugin, see worker/host*.c.
    if (strncmp(text, "a sample of ", 12) == 0 || strncmp(text, "the plugin ", 11) == 0) {
        kit_finding(kit, KIT_FAULT, "%s", text);
    }
}

static void on_stopped(void *owner)
{
    struct kit *kit = owner;

    kit->stopped = true;
    loop_stop(kit->loop);
}

static const struct instance_hooks hooks = {on_done, on_state, on_log, on_stopped};

/* The end of a call in its grace period is told by no hook, so somebody has to look. */
static void on_timer(struct loop_timer *timer, int64_t now_ns)
{
    struct kit *kit = timer->owner;

    if (kit->over(kit) || now_ns >= kit->until_ns) {
        kit->expired = true;
        loop_stop(kit->loop);
    } else {
        (void)loop_timer_set(kit->loop, timer, now_ns + LOOK_NS);
    }
}

/* Lets the loop run until `over` says so; false when the time is up. */
static bool kit_wait(struct kit *kit, int64_t ms, bool (*over)(const struct kit *kit))
{
    kit->expired = false;
    kit->over = over;
    kit->until_ns = clock_mono_ns() + ms * NS_PER_MS;
    loop_timer_init(&kit->timer, on_timer, kit);
    (void)loop_timer_set(kit->loop, &kit->timer, clock_mono_ns() + LOOK_NS);
    while (!over(kit) && !kit->expired) {
        if (loop_run(kit->loop)) {
            break;
        }
    }
    loop_timer_stop(kit->loop, &kit->timer);
    return over(kit);
}

static bool has_started(const struct kit *kit)
{
    return instance_state(kit->instance) != INSTANCE_STARTING;
}

static bool is_answered(const struct kit *kit)
{
    return kit->done || instance_state(kit->instance) != INSTANCE_READY;
}

static bool is_idle(const struct kit *kit)
{
    return !instance_busy(kit->instance) || instance_state(kit->instance) != INSTANCE_READY;
}

static bool is_gone(const struct kit *kit)
{
    return instance_state(kit->instance) != INSTANCE_READY;
}

static bool is_stopped(const struct kit *kit)
{
    return kit->stopped;
}

static bool is_ready(const struct kit *kit)
{
    return instance_state(kit->instance) == INSTANCE_READY;
}

/* ---- what its worker holds */

static long count_entries(int pid, const char *what)
{
    char path[64];
    long n = -2; // "." and ".."
    DIR *directory;

    snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
    directory = opendir(path);
    if (!directory) {
        return -1;
    }
    while (readdir(directory)) {
        n++;
    }
    closedir(directory);
    return n;
}

struct kit_holdings kit_holdings(const struct kit *kit)
{
    int pid = instance_pid(kit->instance);
    struct kit_holdings holdings = {count_entries(pid, "fd"), count_entries(pid, "task"), -1};
    char path[64], line[256];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        (void)sscanf(line, "RssAnon: %ld", &holdings.memory_kib);
    }
    if (file) {
        fclose(file);
    }
    return holdings;
}

void kit_compare(struct kit *kit, const char *ability, uint32_t runs,
                 const struct kit_holdings *before, const struct kit_holdings *after,
                 long growth_kib)
{
    if (before->descriptors >= 0 && after->descriptors > before->descriptors) {
        kit_finding(kit, KIT_FAULT, "%s leaks descriptors: %ld more after %u runs", ability,
                    after->descriptors - before->descriptors, runs);
    }
    if (before->threads >= 0 && after->threads > before->threads) {
        kit_finding(kit, KIT_FAULT, "%s leaves threads behind: %ld more after %u runs", ability,
                    after->threads - before->threads, runs);
    }
    if (before->memory_kib >= 0 && after->memory_kib > before->memory_kib + growth_kib) {
        kit_finding(kit, KIT_FAULT, "%s leaks memory: %ld KiB more after %u runs", ability,
                    after->memory_kib - before->memory_kib, runs);
    }
}

/* ---- calls */

/* A call that passed its deadline: when does it come back? */
static bool look_at_delay(struct kit *kit, const char *name, int64_t timeout_ms)
{
    int64_t begin = clock_mono_ns(), behind_ms;

    (void)kit_wait(kit, 20000, is_idle);
    behind_ms = (clock_mono_ns() - begin) / NS_PER_MS;
    if (behind_ms > LATE_MS) { // it came back, or it was killed and its end is on the way
        (void)kit_wait(kit, 500, is_gone);
    }
    if (!is_ready(kit)) {
        kit_finding(kit, KIT_FAULT,
                    "%s does not return when its time is up: hand tmon_remaining_ms() to whatever "
                    "blocks; %s",
                    name, instance_reason(kit->instance));
        return false;
    }
    if (behind_ms > LATE_MS) {
        kit_finding(kit, KIT_FAULT,
                    "%s returns %lld ms after its deadline: hand tmon_remaining_ms() to whatever "
                    "blocks",
                    name, (long long)behind_ms);
    } else if (timeout_ms > SHORT_MS) {
        kit_finding(
            kit, KIT_NOTE,
            "%s uses up its time of %lld ms and returns %lld ms later; can it reach what it "
            "watches?",
            name, (long long)timeout_ms, (long long)behind_ms);
    }
    return true;
}

bool kit_call(struct kit *kit, enum ability ability, const struct buf *args, const char *name,
              int64_t timeout_ms)
{
    int r;

    kit->done = false;
    kit->log_lines = 0;
    r = args ? instance_call_sink(kit->instance, ability, buf_str(args), args->len)
             : instance_call(kit->instance, ability);
    if (r < 0) {
        const char *reason = instance_reason(kit->instance);

        kit_finding(kit, KIT_FAULT, "%s cannot be called: %s", name,
                    *reason ? reason : log_errno(r));
        return false;
    }
    if (!kit_wait(kit, timeout_ms + 20000, is_answered) || !is_ready(kit)) {
        kit_finding(kit, KIT_FAULT, "%s: %s", name, instance_reason(kit->instance));
        return false;
    }
    return kit->overdue ? look_at_delay(kit, name, timeout_ms) : true;
}

bool kit_look_at_rc(struct kit *kit, const char *name)
{
    if (kit->rc < TMON_OK || kit->rc > TMON_UNSUPPORTED) {
        kit_finding(kit, KIT_FAULT, "%s returns %d, which is no tmon_rc", name, (int)kit->rc);
        return false;
    }
    return true;
}

static void look_at_result(struct kit *kit, enum ability ability, const char *name)
{
    static const char *const words[] = {"pass", "warn", "fail"};

    (void)kit_look_at_rc(kit, name);
    if (ability == ABILITY_CHECK) {
        if (kit->verdict != TMON_PASS &&
            (!*kit->message || strcmp(kit->message, "the check failed") == 0)) {
            kit_finding(kit, KIT_FAULT,
                        "check gives a %s without saying why: hand a text to tmon_report()",
                        words[kit->verdict]);
        }
        if (kit->options.expect >= 0 && kit->verdict != kit->options.expect && !kit->overdue) {
            kit_finding(kit, KIT_FAULT, "check: %s was expected, it is %s: %s",
                        words[kit->options.expect], words[kit->verdict], kit->message);
        }
    } else if (kit->rc != TMON_OK) {
        kit_finding(kit, KIT_NOTE, "collect fails%s%s%s", *kit->message ? ": " : "", kit->message,
                    kit->log_lines ? "" : ", and logs nothing that says why");
    }
}

static uint64_t count_lines(const struct kit *kit)
{
    const struct instance_counters *counters = instance_counters(kit->instance);

    return counters->log_lines + counters->log_held_back;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

void kit_sum_up(struct kit *kit, const char *name, int64_t *durations, uint32_t n, const char *what)
{
    qsort(durations, n, sizeof *durations, compare);
    kit_finding(kit, KIT_GOOD, "%s: %u runs, %.2f ms at the median, %.2f ms at most: %s", name, n,
                (double)durations[n / 2] / 1e6, (double)durations[n - 1] / 1e6, what);
}

static void sum_up(struct kit *kit, enum ability ability, const char *name, int64_t *durations,
                   uint32_t n, size_t series)
{
    static const char *const words[] = {"pass", "warn", "fail"};
    char what[256];

    if (ability == ABILITY_CHECK) {
        (void)snprintf(what, sizeof what, "%s%s%.200s", words[kit->verdict],
                       *kit->message ? ": " : "", kit->message);
    } else {
        (void)snprintf(what, sizeof what, "%zu series", series);
    }
    kit_sum_up(kit, name, durations, n, what);
}

/* All runs of one ability; false when the worker is gone. */
static bool run_ability(struct kit *kit, enum ability ability, const char *name)
{
    uint32_t runs = kit->options.runs, done = 0;
    int64_t *durations = calloc(runs, sizeof *durations),
            end = clock_mono_ns() + PATIENCE_MS * NS_PER_MS;
    struct kit_holdings created = kit_holdings(kit), before = {-1, -1, -1}, after;
    uint64_t lines = count_lines(kit);
    struct kit_series series;
    bool alive = true;

    kit_series_init(&series);
    while (durations && alive && done < runs && clock_mono_ns() < end) {
        alive = kit_call(kit, ability, NULL, name, kit->options.timeout_ms);
        if (!alive) {
            break;
        }
        look_at_result(kit, ability, name);
        if (ability == ABILITY_COLLECT && kit->rc == TMON_OK) {
            kit_series_look(&series, kit, buf_str(&kit->samples), kit->samples.len);
            if (series.last == 0) {
                kit_finding(kit, KIT_NOTE, "collect emits nothing");
            }
        }
        durations[done++] = kit->duration_ns;
        if (done == WARM_RUNS) {
            before = kit_holdings(kit);
        }
        if (kit->overdue) {
            break; // once is enough to know
        }
    }
    if (alive && done > WARM_RUNS) {
        after = kit_holdings(kit);
        kit_compare(kit, name, done - WARM_RUNS, &before, &after, MEMORY_GROWTH_KIB);
        if (created.descriptors >= 0 &&
            after.descriptors > created.descriptors + MANY_DESCRIPTORS) {
            kit_finding(kit, KIT_FAULT, "%s keeps %ld descriptors open, of 64 that an instance has",
                        name, after.descriptors - created.descriptors);
        }
    }
    lines = count_lines(kit) - lines;
    if (done && lines > (uint64_t)done * MANY_LINES) {
        kit_finding(kit, KIT_FAULT, "%s logs %llu lines a run; an agent holds most of them back",
                    name, (unsigned long long)(lines / done));
    }
    if (alive && done) {
        sum_up(kit, ability, name, durations, done, series.last);
    }
    free(durations);
    kit_series_finish(&series);
    return alive;
}

/* ---- lives */

static bool start(struct kit *kit, const struct manifest_component *component,
                  struct settings *settings, int64_t timeout_ms)
{
    const struct instance_options options = {
        .name = component->name,
        .component = component->name,
        .path = kit->path,
        .spawns = component->flags & TMON_SPAWNS,
        .abilities = component->abilities,
        .settings = settings,
        .memory_bytes = 256u << 20,
        .descriptors = 64,
        .interval_ms = 5000, // of which follows the grace period
        .timeout_ms = timeout_ms,
        .loop = kit->loop,
        .spawner = kit->spawner,
        .broker = fetch_broker_table(kit->fetch),
        .hooks = &hooks,
        .owner = kit,
    };

    kit->stopped = false;
    if (instance_create(&options, &kit->instance)) {
        kit_finding(kit, KIT_FAULT, "there is not enough memory to test it");
        return false;
    }
    instance_start(kit->instance);
    if (!kit_wait(kit, 30000, has_started) || !is_ready(kit)) {
        kit_finding(kit, KIT_FAULT, "create: %s",
                    *instance_reason(kit->instance) ? instance_reason(kit->instance)
                                                    : "does not return");
        return false;
    }
    return true;
}

static void stop(struct kit *kit, bool was_alive)
{
    int64_t begin = clock_mono_ns();

    if (!kit->instance) {
        return;
    }
    instance_stop(kit->instance);
    (void)kit_wait(kit, 10000, is_stopped);
    if (was_alive && clock_mono_ns() - begin > 1900 * NS_PER_MS) {
        kit_finding(kit, KIT_FAULT,
                    "destroy: the worker had to be killed, two seconds after it was asked to end");
    }
    instance_destroy(kit->instance);
    kit->instance = NULL;
}

static const enum ability scheduled[] = {ABILITY_CHECK, ABILITY_COLLECT};
#define SCHEDULED (sizeof scheduled / sizeof scheduled[0])

/* Once with all the time, many times; once with next to none. */
void kit_component(struct kit *kit, const struct manifest_component *component,
                   struct settings *settings)
{
    struct settings *again = NULL;
    struct wire_reader reader;
    struct buf encoded;
    bool alive;

    buf_init(&encoded, LIMIT_SETTINGS_BYTES);
    settings_encode(settings, &encoded);
    wire_reader_init(&reader, buf_str(&encoded), encoded.len);
    alive = start(kit, component, settings, kit->options.timeout_ms);
    for (size_t i = 0; i < SCHEDULED && alive; i++) {
        if (component->abilities & scheduled[i]) {
            alive = run_ability(kit, scheduled[i], manifest_ability_name(scheduled[i]));
        }
    }
    if (alive && component->abilities & ABILITY_FORMAT) {
        alive = kit_sink(kit, component);
    }
    stop(kit, alive);
    if (alive && settings_decode(&reader, &again) == 0) {
        kit->options.expect = -1; // with so little time any verdict is right
        alive = start(kit, component, again, SHORT_MS);
        for (size_t i = 0; i < SCHEDULED && alive; i++) {
            if (component->abilities & scheduled[i]) {
                alive = kit_call(kit, scheduled[i], NULL, manifest_ability_name(scheduled[i]),
                                 SHORT_MS);
            }
        }
        if (alive && component->abilities & ABILITY_FORMAT) {
            alive = kit_sink_in_a_hurry(kit, SHORT_MS);
        }
        stop(kit, alive);
    }
    buf_finish(&encoded);
}
