/*
 * discord.h: what the parts of the component `discord` share.
 */
#ifndef DISCORD_H
#define DISCORD_H

#include <plugin_api.h>

#include "../common/chat.h"
#include "../common/outcome.h"
#include "../common/writer.h"

struct discord {
    char *url; /* owned */
    struct writer json;
    struct outcome_hidden hidden;
};

/* The message into discord->json, whose `failed` says that there was no memory for it. */
void discord_write(struct discord *discord, const struct tmon_notification *notification);

#endif
