/*
 * sink_watch.c: see sink_watch.h.
 */
#include "agent/sink_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"

/* At most so often, and so often while something is pending, paused or dead. */
#define EVERY_NS (2 * NS_PER_S)

struct watched_sink {
    char name[LIMIT_NAME_BYTES + 1];
    struct store_metric *pending, *under_way, *oldest, *dead, *states[SINK_STATES];
    bool paused;
    bool there; /* in the last answer */
};

/* What the desk says of one. */
struct told_sink {
    char name[LIMIT_NAME_BYTES + 1];
    uint64_t pending, under_way, dead;
    int64_t oldest_ms;
    bool paused;
    enum sink_state state;
    char reason[SINK_FAULT_SIZE];
};

struct watch_call {
    struct desk_call call;
    struct sink_watch *watch;
    struct buf told;
    int64_t now_ms;
    int result;
};

/* ---- on the state's thread ---- */

static bool note(void *arg, const struct outbox_sink_view *view)
{
    struct watch_call *call = arg;
    struct told_sink told = {
        .pending = view->pending,
        .under_way = view->under_way,
        .dead = view->dead,
        .oldest_ms = view->oldest_ms,
        .paused = view->configured && view->paused,
    };

    utf8_copy(told.name, sizeof told.name, view->name);
    told.state = sink_state(call->watch->faults, view, told.reason);
    buf_append(&call->told, &told, sizeof told);
    return true;
}

static int run(struct desk_call *desk_call, struct state_tx *tx, struct alerts_time now)
{
    struct watch_call *call = (struct watch_call *)(void *)desk_call;

    buf_clear(&call->told);
    call->now_ms = now.real_ms;
    outbox_sinks(desk_call->desk->outbox, tx, note, call, now);
    return call->told.failed ? -ENOMEM : 0;
}

static void come_back(void *arg);

static void done(struct desk_call *desk_call, int result)
{
    struct watch_call *call = (struct watch_call *)(void *)desk_call;

    call->result = result;
    if (loop_post(call->watch->loop, come_back, call) < 0) {
        buf_finish(&call->told);
        free(call);
    }
}

/* ---- on the main thread ---- */

/* `state` NULL: without that label. */
static struct store_metric *add(const struct sink_watch *watch, const char *sink, const char *name,
                                const char *state, const char *help)
{
    const struct tmon_pair labels[] = {{"name", sink}, {"state", state}};

    return store_metric_new(watch->store, TMON_GAUGE, name, help, labels, state ? 2 : 1);
}

static void add_metrics(const struct sink_watch *watch, struct watched_sink *sink)
{
    sink->pending = add(watch, sink->name, "toiletmon_outbox_pending", NULL,
                        "Notifications that are to be delivered.");
    sink->under_way = add(watch, sink->name, "toiletmon_outbox_under_way", NULL,
                          "Those of them that are being delivered.");
    sink->oldest = add(watch, sink->name, "toiletmon_outbox_oldest_age_seconds", NULL,
                       "How long the oldest of them has been waiting; 0: none is.");
    sink->dead = add(watch, sink->name, "toiletmon_outbox_dead_letters", NULL,
                     "Notifications that were given up and wait for an operator.");
    for (size_t i = 0; i < SINK_STATES; i++) {
        sink->states[i] = add(watch, sink->name, "toiletmon_sink_state", sink_state_name(i),
                              "The state of the sink: 1 for the one it is in.");
    }
}

static struct watched_sink *find_or_make(struct sink_watch *watch, const char *name)
{
    struct watched_sink *sinks, *sink;

    for (size_t i = 0; i < watch->n; i++) {
        if (strcmp(watch->sinks[i].name, name) == 0) {
            return &watch->sinks[i];
        }
    }
    sinks = realloc(watch->sinks, (watch->n + 1) * sizeof *sinks);
    if (!sinks) {
        return NULL;
    }
    watch->sinks = sinks;
    sink = &sinks[watch->n++];
    *sink = (struct watched_sink){0};
    (void)snprintf(sink->name, sizeof sink->name, "%s", name);
    add_metrics(watch, sink);
    return sink;
}

static void set_paused(struct sink_watch *watch, struct watched_sink *sink, bool paused,
                       const char *reason)
{
    char summary[OWN_SUMMARY_SIZE] = "";

    if (!paused && !sink->paused) {
        return;
    }
    sink->paused = paused;
    if (paused) {
        (void)snprintf(summary, sizeof summary,
                       "the sink %s%s%s is paused, nothing is lost: %s; mend its settings, then "
                       "toiletmon reload",
                       sink->name, *watch->own_alerts->host ? " on " : "", watch->own_alerts->host,
                       *reason ? reason : "its far end refuses us");
    }
    own_alerts_set(watch->own_alerts, OWN_SINK_PAUSED, sink->name, paused, TMON_SEVERITY_WARNING,
                   summary);
}

static void drop_metrics(const struct sink_watch *watch, const struct watched_sink *sink)
{
    store_metric_remove(watch->store, sink->pending);
    store_metric_remove(watch->store, sink->under_way);
    for (size_t i = 0; i < SINK_STATES; i++) {
        store_metric_remove(watch->store, sink->states[i]);
    }
    store_metric_remove(watch->store, sink->oldest);
    store_metric_remove(watch->store, sink->dead);
}

/* Those of which the desk knows nothing any more. */
static void drop_gone(struct sink_watch *watch)
{
    size_t kept = 0;

    for (size_t i = 0; i < watch->n; i++) {
        struct watched_sink *sink = &watch->sinks[i];

        if (sink->there) {
            sink->there = false;
            watch->sinks[kept++] = *sink;
        } else {
            set_paused(watch, sink, false, "");
            drop_metrics(watch, sink);
        }
    }
    watch->n = kept;
}

/* Whether it is to be looked at again by itself. */
static bool take(struct sink_watch *watch, const struct watch_call *call)
{
    size_t n = call->told.len / sizeof(struct told_sink);
    bool busy = false;

    for (size_t i = 0; i < n; i++) {
        struct told_sink told;
        struct watched_sink *sink;

        memcpy(&told, call->told.data + i * sizeof told, sizeof told);
        sink = find_or_make(watch, told.name);
        if (!sink) {
            continue;
        }
        sink->there = true;
        store_metric_set(sink->pending, (double)told.pending);
        store_metric_set(sink->under_way, (double)told.under_way);
        for (size_t j = 0; j < SINK_STATES; j++) {
            store_metric_set(sink->states[j], j == told.state);
        }
        store_metric_set(sink->oldest, told.oldest_ms > 0 && call->now_ms > told.oldest_ms
                                           ? (double)(call->now_ms - told.oldest_ms) / 1e3
                                           : 0);
        store_metric_set(sink->dead, (double)told.dead);
        set_paused(watch, sink, told.paused, told.reason);
        busy = busy || told.pending > 0 || told.paused || told.dead > 0; /* it may be dropped */
    }
    drop_gone(watch);
    return busy;
}

static void arm(struct sink_watch *watch)
{
    if (!heap_has(&watch->timer.node)) {
        int64_t now = clock_mono_ns();
        int64_t at = watch->asked_ns + EVERY_NS;

        (void)loop_timer_set(watch->loop, &watch->timer, at > now ? at : now);
    }
}

static void come_back(void *arg)
{
    struct watch_call *call = arg;
    struct sink_watch *watch = call->watch;

    watch->asking = false;
    if (watch->desk) {
        bool again = call->result < 0 || take(watch, call);

        if (again || watch->touched) {
            arm(watch);
        }
    }
    buf_finish(&call->told);
    free(call);
}

static void on_time(struct loop_timer *timer, int64_t now_ns)
{
    struct sink_watch *watch = timer->owner;
    struct watch_call *call;

    if (!watch->desk || watch->asking) {
        return;
    }
    watch->asked_ns = now_ns;
    watch->touched = false;
    call = calloc(1, sizeof *call);
    if (!call) {
        arm(watch);
        return;
    }
    call->call.run = run;
    call->call.done = done;
    call->watch = watch;
    buf_init(&call->told, SIZE_MAX / 2);
    if (desk_submit(watch->desk, &call->call, false) < 0) {
        free(call);
        arm(watch);
        return;
    }
    watch->asking = true;
}

void sink_watch_touch(struct sink_watch *watch)
{
    watch->touched = true;
    if (watch->desk && !watch->asking) {
        arm(watch);
    }
}

void sink_watch_init(struct sink_watch *watch, struct loop *loop, struct store *store,
                     struct own_alerts *own_alerts, struct sink_faults *faults)
{
    *watch = (struct sink_watch){.loop = loop,
                                 .store = store,
                                 .own_alerts = own_alerts,
                                 .faults = faults,
                                 .asked_ns = -EVERY_NS};
    loop_timer_init(&watch->timer, on_time, watch);
}

void sink_watch_open(struct sink_watch *watch, struct desk *desk)
{
    watch->desk = desk;
}

void sink_watch_close(struct sink_watch *watch)
{
    watch->desk = NULL;
    if (watch->loop) {
        loop_timer_stop(watch->loop, &watch->timer);
    }
}

void sink_watch_finish(struct sink_watch *watch)
{
    if (!watch->loop) {
        return;
    }
    for (size_t i = 0; i < watch->n; i++) {
        drop_metrics(watch, &watch->sinks[i]);
    }
    free(watch->sinks);
    watch->loop = NULL;
}
