/*
 * outbox_metrics.c: see outbox_metrics.h.
 *
 * Only the state's thread knows, and a scrape waits for nobody: so a scrape shows what the state
 * said last and asks it anew, for the next one.  Nothing is asked while nobody scrapes.
 */
#include "agent/outbox_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define STATES 4

static const char *const states[STATES] = {"well", "resting", "paused", "parked"};

struct sink_metrics {
    struct sink_metrics *next;
    char name[LIMIT_NAME_BYTES + 1];
    bool seen;
    int64_t oldest_ms;
    struct store_metric *pending, *under_way, *dead, *oldest, *states[STATES];
};

static struct store_metric *add(struct store *store, const char *name, const char *help,
                                const struct tmon_pair *labels, size_t nlabels)
{
    const struct store_metric_spec spec = {
        .kind = TMON_GAUGE, .name = name, .help = help, .labels = labels, .nlabels = nlabels};
    struct store_metric *metric = NULL;

    (void)store_metric_add(store, &spec, &metric);
    return metric;
}

static struct sink_metrics *sink_create(struct store *store, const char *name)
{
    struct sink_metrics *sink = calloc(1, sizeof *sink);
    const struct tmon_pair label = {"name", name};

    if (!sink) {
        return NULL;
    }
    (void)snprintf(sink->name, sizeof sink->name, "%s", name);
    sink->pending = add(store, "toiletmon_outbox_pending",
                        "Notifications that wait for the sink, or are on their way.", &label, 1);
    sink->under_way = add(store, "toiletmon_outbox_under_way",
                          "Notifications that are being delivered to the sink.", &label, 1);
    sink->dead =
        add(store, "toiletmon_outbox_dead",
            "Notifications that the sink refused for good, or that were given up.", &label, 1);
    sink->oldest = add(store, "toiletmon_outbox_oldest_seconds",
                       "How long the oldest one waits for the sink.", &label, 1);
    for (size_t i = 0; i < STATES; i++) {
        const struct tmon_pair labels[] = {{"name", name}, {"state", states[i]}};

        sink->states[i] =
            add(store, "toiletmon_sink_state", "1 for the state that the sink is in.", labels, 2);
    }
    return sink;
}

static void sink_destroy(struct store *store, struct sink_metrics *sink)
{
    store_metric_remove(store, sink->pending);
    store_metric_remove(store, sink->under_way);
    store_metric_remove(store, sink->dead);
    store_metric_remove(store, sink->oldest);
    for (size_t i = 0; i < STATES; i++) {
        store_metric_remove(store, sink->states[i]);
    }
    free(sink);
}

/* ---- on the state's thread ---- */

static struct sink_metrics *find(struct outbox_metrics *metrics, const char *name)
{
    struct sink_metrics *sink = metrics->sinks;

    while (sink && strcmp(sink->name, name) != 0) {
        sink = sink->next;
    }
    if (!sink) {
        sink = sink_create(metrics->store, name);
        if (sink) {
            sink->next = metrics->sinks;
            metrics->sinks = sink;
        }
    }
    return sink;
}

static bool on_sink(void *arg, const struct outbox_sink_view *view)
{
    struct sink_metrics *sink = find(arg, view->name);
    size_t state = !view->configured ? 3 : view->paused ? 2 : view->resting ? 1 : 0;

    if (!sink) {
        return false;
    }
    sink->seen = true;
    sink->oldest_ms = view->oldest_ms;
    store_metric_set(sink->pending, (double)view->pending);
    store_metric_set(sink->under_way, (double)view->under_way);
    store_metric_set(sink->dead, (double)view->dead);
    for (size_t i = 0; i < STATES; i++) {
        store_metric_set(sink->states[i], i == state);
    }
    return true;
}

static void forget_unseen(struct outbox_metrics *metrics)
{
    struct sink_metrics **at = &metrics->sinks;

    while (*at) {
        struct sink_metrics *sink = *at;

        if (sink->seen) {
            sink->seen = false;
            at = &sink->next;
        } else {
            *at = sink->next;
            sink_destroy(metrics->store, sink);
        }
    }
}

static int run(struct desk_call *call, struct state_tx *tx, struct alerts_time now)
{
    struct outbox_metrics *metrics = (struct outbox_metrics *)(void *)call;

    (void)pthread_mutex_lock(&metrics->lock);
    outbox_sinks(call->desk->outbox, tx, on_sink, metrics, now);
    forget_unseen(metrics);
    (void)pthread_mutex_unlock(&metrics->lock);
    return 0;
}

static void done(struct desk_call *call, int result)
{
    struct outbox_metrics *metrics = (struct outbox_metrics *)(void *)call;

    atomic_store(&metrics->asked, false);
}

/* ---- on the thread that scrapes ---- */

static void refresh(void *arg, int64_t now_ms)
{
    struct outbox_metrics *metrics = arg;
    int64_t real_ms = clock_real_ms();

    (void)pthread_mutex_lock(&metrics->lock);
    for (struct sink_metrics *sink = metrics->sinks; sink; sink = sink->next) {
        store_metric_set(sink->oldest, sink->oldest_ms > 0 && sink->oldest_ms < real_ms
                                           ? (double)(real_ms - sink->oldest_ms) / 1e3
                                           : 0);
    }
    (void)pthread_mutex_unlock(&metrics->lock);
    if (!atomic_exchange(&metrics->asked, true) &&
        api_submit(metrics->api, &metrics->call, false) < 0) {
        atomic_store(&metrics->asked, false);
    }
}

void outbox_metrics_init(struct outbox_metrics *metrics, struct store *store, struct api *api)
{
    *metrics =
        (struct outbox_metrics){.call = {.run = run, .done = done}, .store = store, .api = api};
    (void)pthread_mutex_init(&metrics->lock, NULL);
    metrics->refresh = (struct store_refresh){.fn = refresh, .arg = metrics};
    store_refresh_add(store, &metrics->refresh);
}

void outbox_metrics_finish(struct outbox_metrics *metrics)
{
    if (!metrics->store) {
        return;
    }
    store_refresh_remove(metrics->store, &metrics->refresh);
    while (metrics->sinks) {
        struct sink_metrics *sink = metrics->sinks;

        metrics->sinks = sink->next;
        sink_destroy(metrics->store, sink);
    }
    (void)pthread_mutex_destroy(&metrics->lock);
    metrics->store = NULL;
}
