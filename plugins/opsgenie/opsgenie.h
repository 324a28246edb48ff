/*
 * opsgenie.h: what the parts of the component `opsgenie` share.
 */
#ifndef OPSGENIE_H
#define OPSGENIE_H

#include <plugin_api.h>

#include "../common/outcome.h"
#include "../common/pairs.h"
#include "../common/prose.h"
#include "../common/writer.h"

#define ALIAS_BYTES 513 /* 512 of an alias, and the NUL */
#define TEAMS_MAX 50
#define TAGS_MAX 20
#define TAG_UNITS 50

struct opsgenie {
    const struct tmon_config *config; /* teams, tags */
    struct tmon_pair headers[2];
    char *authorization; /* owned */
    char *create_url;    /* owned */
    char *alias_url;     /* owned; room for any alias, and what is done to it */
    size_t base_len;     /* of both, up to and with "/v2/alerts" */
    struct writer json;
    struct pairs pairs;
    struct outcome_hidden hidden;
};

/* Alert or message, its end or not: what to open, into opsgenie->json. */
void alert_open(struct tmon_call *call, struct opsgenie *opsgenie,
                const struct tmon_notification *notification, const char *alias);
/* The body of its acknowledgement. */
void alert_acknowledge(struct opsgenie *opsgenie, const struct tmon_alert *alert);
/* The body of its end. */
void alert_close(struct opsgenie *opsgenie, const struct tmon_notification *notification);

#endif
