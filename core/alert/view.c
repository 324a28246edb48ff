/*
 * view.c: what others may see of alerts.
 */
#include <stdlib.h>
#include <string.h>

#include "alert/maintenance.h"
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

/* `mark` NULL: a route leads there. */
static void add_sink(const struct alerts *alerts, struct view_space *space, uint32_t sink,
                     const struct mark *mark)
{
    size_t i = 0;

    while (i < space->nsinks && space->sinks[i] != alerts->sinks[sink]) {
        i++;
    }
    if (i == VIEW_SINKS) {
        return;
    }
    if (i == space->nsinks) {
        space->sinks[space->nsinks++] = alerts->sinks[sink];
        space->told[i] = false;
        space->notices[i] = (struct alerts_notice_view){0};
    }
    if (mark) {
        space->told[i] = mark->fate == FATE_TOLD;
        space->notices[i] = (struct alerts_notice_view){.id = mark->id,
                                                        .rejected = mark->fate == FATE_REJECTED,
                                                        .moved = mark->fate == FATE_MOVED};
    }
}

static void collect_sinks(const struct alerts *alerts, const struct alert *alert,
                          struct view_space *space)
{
    space->nsinks = 0;
    for (size_t i = 0; i < alert->ngroups; i++) {
        const struct route *route = alert->groups[i].group->route;

        for (size_t j = 0; j < route->nto; j++) {
            add_sink(alerts, space, alerts->routed[route->to[j]], NULL);
        }
    }
    for (size_t i = 0; i < alert->nmarks; i++) {
        add_sink(alerts, space, alert->marks[i].sink, &alert->marks[i]);
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

/* Which of its routes are in maintenance windows; whether all are. */
static bool collect_windows(const struct alert *alert, struct view_space *space,
                            struct alerts_time now)
{
    size_t n = 0;

    space->nwindows = 0;
    for (size_t i = 0; alert->firing && i < alert->ngroups; i++) {
        const struct route *route = alert->groups[i].group->route;

        if (!route_in_maintenance(route, now)) {
            continue;
        }
        n++;
        if (space->nwindows < VIEW_WINDOWS) {
            space->windows[space->nwindows++] = (struct alerts_window_view){
                route->key, maintenance_end(route->maintenance, now.real_ms)};
        }
    }
    return n > 0 && n == alert->ngroups;
}

struct alerts_view alert_view(struct alerts *alerts, struct alert *alert, struct view_space *space,
                              struct alerts_time now)
{
    const struct flap *flap = alert->flapping ? flap_of(alerts, alert) : NULL;
    bool muted = collect_windows(alert, space, now);

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
        .notices = space->notices,
        .silenced_by = space->silences,
        .nsilenced = space->nsilences,
        .inhibited_by = space->sources,
        .ninhibited = space->nsources,
        .acked_by = alert->acked_by,
        .ack_comment = alert->ack_comment,
        .acked_ms = alert->acked_ms,
        .muted = muted,
        .nwindows = space->nwindows,
        .windows = space->windows,
        .flapping = alert->flapping,
        .flap_changes = flap ? flap->total : 0,
        .quiet_ms = flap ? now.real_ms + flap->quiet.at - now.mono_ms : 0,
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
