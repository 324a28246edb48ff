/*
 * view.c: what others may see of alerts.
 */
#include <stdlib.h>
#include <string.h>

#include "alert/private.h"
#include "model/labels.h"

int64_t alert_episode(const struct alert *alert)
{
    return alert->episode;
}

static const char *first_of(const struct alert *alert, const char *const *names)
{
    for (; *names; names++) {
        const char *text = labels_get(alert->annotations, alert->nannotations, *names);

        if (*text) {
            return text;
        }
    }
    return "";
}

void alert_describe(const struct alert *alert, bool firing, struct tmon_alert *ret_alert)
{
    static const char *const summaries[] = {"summary", "message", NULL};
    static const char *const descriptions[] = {"description", NULL};

    *ret_alert = (struct tmon_alert){
        .size = sizeof *ret_alert,
        .severity = alert->severity,
        .firing = firing,
        .key = alert->key,
        .name = labels_get(alert->labels, alert->nlabels, "alertname"),
        .summary = first_of(alert, summaries),
        .description = first_of(alert, descriptions),
        .labels = alert->labels,
        .nlabels = alert->nlabels,
        .annotations = alert->annotations,
        .nannotations = alert->nannotations,
        .starts_ms = alert->starts_ms,
        .ends_ms = firing ? 0 : alert->ends_ms,
        .fingerprint = alert->fingerprint_text,
        .generator_url = alert->generator_url ? alert->generator_url : "",
    };
}

#define VIEW_SINKS 64   /* of one alert; more are not shown */
#define VIEW_SOURCES 16 /* that inhibit one alert */

struct sinks {
    const char *names[VIEW_SINKS];
    bool told[VIEW_SINKS];
    size_t n;
};

static void add_sink(const struct alerts *alerts, struct sinks *sinks, uint32_t sink, bool told)
{
    for (size_t i = 0; i < sinks->n; i++) {
        if (sinks->names[i] == alerts->sinks[sink]) {
            sinks->told[i] = sinks->told[i] || told;
            return;
        }
    }
    if (sinks->n < VIEW_SINKS) {
        sinks->names[sinks->n] = alerts->sinks[sink];
        sinks->told[sinks->n++] = told;
    }
}

static void collect_sinks(const struct alerts *alerts, const struct alert *alert,
                          struct sinks *sinks)
{
    sinks->n = 0;
    for (size_t i = 0; i < alert->ngroups; i++) {
        const struct route *route = alert->groups[i].group->route;

        for (size_t j = 0; j < route->nto; j++) {
            add_sink(alerts, sinks, alerts->routed[route->to[j]], false);
        }
    }
    for (size_t i = 0; i < alert->nmarks; i++) {
        add_sink(alerts, sinks, alert->marks[i].sink, alert->marks[i].fate == FATE_TOLD);
    }
}

/* The end that is running, on the wall clock. */
static int64_t running_end(const struct alert *alert, struct alerts_time now)
{
    return heap_has(&alert->end) ? now.real_ms + (alert->end.at - now.mono_ms) : 0;
}

/* What holds it back. */
struct why {
    const char *silences[ALERT_SILENCES];
    const char *sources[VIEW_SOURCES];
    size_t nsilences, nsources;
};

static void collect_why(struct alerts *alerts, struct alert *alert, struct why *why)
{
    why->nsilences = why->nsources = 0;
    if (!alert->firing) {
        return;
    }
    (void)silences_hold(alerts, alert); /* it looks at what is new */
    for (; why->nsilences < alert->nsilences; why->nsilences++) {
        why->silences[why->nsilences] = alert->silences[why->nsilences]->id;
    }
    why->nsources = inhibit_sources(alert, why->sources, VIEW_SOURCES);
}

/* What a view points into. */
struct shown {
    struct sinks sinks;
    struct why why;
    bool muted;
};

static struct alerts_view make_view(struct alerts *alerts, struct alert *alert, struct shown *shown,
                                    struct alerts_time now)
{
    collect_sinks(alerts, alert, &shown->sinks);
    collect_why(alerts, alert, &shown->why);
    shown->muted = alert->firing && alert->ngroups > 0;
    for (size_t i = 0; shown->muted && i < alert->ngroups; i++) {
        shown->muted = route_in_maintenance(alert->groups[i].group->route, now);
    }
    return (struct alerts_view){
        .episode = alert->episode,
        .key = alert->key,
        .fingerprint = alert->fingerprint_text,
        .labels = alert->labels,
        .nlabels = alert->nlabels,
        .annotations = alert->annotations,
        .nannotations = alert->nannotations,
        .generator_url = alert->generator_url ? alert->generator_url : "",
        .source = alert->source,
        .severity = alert->severity,
        .firing = alert->firing,
        .expired = alert->expired,
        .starts_ms = alert->starts_ms,
        .updated_ms = alert->updated_ms,
        .ends_ms = alert->firing ? running_end(alert, now) : alert->ends_ms,
        .nsinks = shown->sinks.n,
        .sinks = shown->sinks.names,
        .told = shown->sinks.told,
        .silenced_by = shown->why.silences,
        .nsilenced = shown->why.nsilences,
        .inhibited_by = shown->why.sources,
        .ninhibited = shown->why.nsources,
        .muted = shown->muted,
        .flapping = alert->flapping,
        .acked_by = alert->acked_by,
        .ack_comment = alert->ack_comment,
        .acked_ms = alert->acked_ms,
    };
}

void alert_view(struct alerts *alerts, struct alert *alert,
                void (*fn)(void *arg, const struct alerts_view *view), void *arg,
                struct alerts_time now)
{
    struct shown shown;
    struct alerts_view view = make_view(alerts, alert, &shown, now);

    fn(arg, &view);
}

void alerts_visit(struct alerts *alerts, bool (*fn)(void *arg, const struct alerts_view *view),
                  void *arg, struct alerts_time now)
{
    struct shown shown;
    struct alert *alert;
    size_t pos = 0;

    while ((alert = map_next(&alerts->by_episode, &pos))) {
        struct alerts_view view = make_view(alerts, alert, &shown, now);

        if (!fn(arg, &view)) {
            return;
        }
    }
}

void alerts_count(const struct alerts *alerts, struct alerts_counts *ret_counts)
{
    *ret_counts = alerts->counts;
    memcpy(ret_counts->silences, alerts->silences.n, sizeof ret_counts->silences);
}
