/*
 * pagerduty.h: what the parts of the component `pagerduty` share.
 */
#ifndef PAGERDUTY_H
#define PAGERDUTY_H

#include <plugin_api.h>

#include "../common/outcome.h"
#include "../common/pairs.h"
#include "../common/prose.h"
#include "../common/writer.h"

struct pagerduty {
    const char *routing_key, *url;
    struct writer json;
    struct pairs pairs; /* of the map that is being written */
    struct outcome_hidden hidden;
};

/* The event into pagerduty->json, whose `failed` says that there was no memory for it. */
void event_write(struct pagerduty *pagerduty, const struct tmon_notification *notification);

#endif
