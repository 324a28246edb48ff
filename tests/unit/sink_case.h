/*
 * sink_case.h: a notification for those who deliver, which a test changes as it likes.
 */
#ifndef SINK_CASE_H
#define SINK_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "plugin_api.h"

#define SINK_ALERTS 512
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START_MS INT64_C(1795453309719) /* 2026-11-23T17:01:49.719Z */

/* A notification that a test changes as it likes; all its alerts begin as the same one. */
struct sink_case {
    struct tmon_notification notification;
    struct tmon_alert alerts[SINK_ALERTS];
    const struct tmon_alert *pointers[SINK_ALERTS];
};

static inline struct sink_case *sink_case(size_t nalerts)
{
    static const struct tmon_pair labels[] = {
        {"alertname", "HighMemory"}, {"instance", "web-1"}, {"severity", "critical"}};
    static const struct tmon_pair annotations[] = {{"summary", "Memory at 93 %"}};
    static const struct tmon_pair group[] = {{"alertname", "HighMemory"}};
    struct sink_case *c = calloc(1, sizeof *c);

    assert_non_null(c);
    for (size_t i = 0; i < SINK_ALERTS; i++) {
        c->pointers[i] = &c->alerts[i];
        c->alerts[i] = (struct tmon_alert){
            .size = sizeof c->alerts[i],
            .severity = TMON_SEVERITY_CRITICAL,
            .firing = true,
            .key = "b807e636403824b5-1",
            .name = "HighMemory",
            .summary = "Memory at 93 %",
            .description = "It has been rising for an hour.",
            .labels = labels,
            .nlabels = COUNT(labels),
            .annotations = annotations,
            .nannotations = COUNT(annotations),
            .starts_ms = START_MS,
            .fingerprint = "b807e636403824b5",
            .generator_url = "http://prom.example/graph?g0.expr=up&g0.tab=1",
        };
    }
    c->notification = (struct tmon_notification){
        .size = sizeof c->notification,
        .attempt = 1,
        .id = "n-1",
        .alerts = c->pointers,
        .nalerts = nalerts,
        .group = group,
        .ngroup = 1,
        .group_key = "{}/{severity=\"critical\"}:{alertname=\"HighMemory\"}",
        .receiver = "hook",
        .external_url = "http://agent.example:9909",
        .title = "HighMemory on web-1",
        .text = "Memory at 93 %",
    };
    return c;
}

static inline void sink_resolve(struct sink_case *c, size_t i)
{
    c->alerts[i].firing = false;
    c->alerts[i].ends_ms = START_MS + 60000;
}

#endif
