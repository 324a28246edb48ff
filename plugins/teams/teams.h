/*
 * teams.h: what the parts of the component `teams` share.
 */
#ifndef TEAMS_H
#define TEAMS_H

#include <plugin_api.h>

#include "../common/chat.h"
#include "../common/outcome.h"
#include "../common/writer.h"

struct teams {
    const char *url;
    struct writer json;
    struct outcome_hidden hidden;
};

/* The message into teams->json, whose `failed` says that there was no memory for it. */
void card_write(struct teams *teams, const struct tmon_notification *notification);

#endif
