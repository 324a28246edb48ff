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

static void add_sink(const struct alerts *alerts, struct view_space *space, uint32_t sink,
                     bool told)
{
    for (size_t i = 0; i < space->nsinks; i++) {
        if (space->sinks[i] == alerts->sinks[sink]) {
            space->told[i] = space->told[i] || told;
            return;
        }
    }
    if (space->nsinks < VIEW_SINKS) {
        space->sinks[space->nsinks] = alerts->sinks[sink];
        space->told[space->nsinks++] = told;
    }
}

static void collect_sinks(const struct alerts *alerts, const struct alert *alert,
                          struct view_space *space)
{
    space->nsinks = 0;
    for (size_t i = 0; i < alert->ngroups; i++) {
        const struct route *route = alert->groups[i].group->route;

        for (size_t j = 0; j < route->nto; j++) {
            add_sink(alerts, space, alerts->routed[route->to[j]], false);
        }
    }
    for (size_t i = 0; i < alert->nmarks; i++) {
        add_sink(alerts, space, alert->marks[i].sink, alert->marks[i].fate == FATE_TOLD);
    }
}

static void collect_why(struct alerts *alerts, struct alert *alert, struct view_space *space)
{
    space->nsilences = space->nsources = 0;
    if (!alert->firing) {
        return;
    }
    (void)silences_hold(alerts, alert); /* it looks at what is new */
    for (; space->nsilences < alert->nsilences; space->nsilences++) {
        space->silences[space->nsilences] = alert->silences[space->nsilences]->id;
    }
    space->nsources = inhibit_sources(alert, space->sources, VIEW_SOURCES);
}

/* By maintenance windows of all its routes. */
static bool is_muted(const struct alert *alert, struct alerts_time now)
{
    bool muted = alert->firing && alert->ngroups > 0;

    for (size_t i = 0; muted && i < alert->ngroups; i++) {
        muted = route_in_maintenance(alert->groups[i].group->route, now);
    }
    return muted;
}

struct alerts_view alert_view(struct alerts *alerts, struct alert *alert, struct view_space *space,
                              struct alerts_time now)
{
    collect_sinks(alerts, alert, space);
    collect_why(alerts, alert, space);
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
        .ends_ms = alert->firing ? alert_running_end(alert, now) : alert->ends_ms,
        .nsinks = space->nsinks,
        .sinks = space->sinks,
        .told = space->told,
        .silenced_by = space->silences,
        .nsilenced = space->nsilences,
        .inhibited_by = space->sources,
        .ninhibited = space->nsources,
        .acked_by = alert->acked_by,
        .ack_comment = alert->ack_comment,
        .acked_ms = alert->acked_ms,
        .muted = is_muted(alert, now),
        .flapping = alert->flapping,
    };
}

void alerts_visit(struct alerts *alerts, bool (*fn)(void *arg, const struct alerts_view *view),
                  void *arg, struct alerts_time now)
{
    struct alert *alert;
    struct view_space space;
    size_t pos = 0;

    while ((alert = map_next(&alerts->by_episode, &pos))) {
        const struct alerts_view view = alert_view(alerts, alert, &space, now);

        if (!fn(arg, &view)) {
            return;
        }
    }
}

const struct routing *alerts_routing(const struct alerts *alerts)
{
    return alerts->routing;
}

void alerts_count(const struct alerts *alerts, struct alerts_counts *ret_counts)
{
    *ret_counts = alerts->counts;
    memcpy(ret_counts->silences, alerts->silences.n, sizeof ret_counts->silences);
}
