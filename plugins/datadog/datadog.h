/*
 * datadog.h: what the parts of the components `datadog` and `datadog_check` share.
 */
#ifndef DATADOG_H
#define DATADOG_H

#include <plugin_api.h>

#include "../common/outcome.h"
#include "../common/writer.h"

#define TAGS_MAX 100
#define HOST_BYTES 256

struct datadog {
    const struct tmon_config *config; /* for its tags */
    const char *check;                /* the name of the service check; events have none */
    char *url;                        /* owned */
    struct tmon_pair headers[2];
    struct writer json;
    struct outcome_hidden hidden;
    char host[HOST_BYTES]; /* stands in where an alert names none */
};

/* The document into datadog->json, whose `failed` says that there was no memory for it. */
void datadog_event(struct tmon_call *call, struct datadog *datadog,
                   const struct tmon_notification *notification);
void datadog_check(struct tmon_call *call, struct datadog *datadog,
                   const struct tmon_notification *notification);

/* The list of tags in brackets: the operator's, then the alert's labels; without an alert the
 * notification's group. */
void datadog_tags(struct tmon_call *call, struct datadog *datadog,
                  const struct tmon_notification *notification);
/* The host that an alert is about, by its labels; `none` when they name none. */
const char *datadog_host(const struct tmon_notification *notification, const char *none);
/* A string: at most `most` units, on one line. */
void datadog_line(struct writer *json, const char *text, unsigned most);

#endif
