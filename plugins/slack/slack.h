/*
 * slack.h: what the parts of the component `slack` share.
 */
#ifndef SLACK_H
#define SLACK_H

#include <plugin_api.h>

#include "../common/chat.h"
#include "../common/outcome.h"
#include "../common/prose.h"
#include "../common/writer.h"

/* Slack's escapes are these three. */
const char *text_entity(uint32_t code);
/* A markup and a time, which Slack shows in the reader's zone; nothing for times that cannot be. */
void text_time(struct prose *text, const char *before, int64_t ms);
/* A label under which is a link, where `url` is http or https and not too long; else the label. */
void text_link(struct prose *text, const char *url, const char *label, unsigned most);

struct slack {
    const char *url;
    const char *mention; /* "": nobody */
    struct writer json;
    struct outcome_hidden hidden;
};

/* The message into slack->json, whose `failed` says that there was no memory for it. */
void message_write(struct slack *slack, const struct tmon_notification *notification);
/* The blocks of an alert; `most` is for its text.  Alone: it is the only one of its message. */
void alert_write(struct writer *json, const struct tmon_notification *notification,
                 const struct tmon_alert *alert, unsigned most, bool alone);

/* Begins and ends a text object of type mrkdwn. */
void text_open(struct prose *text, struct writer *json, unsigned most);
void text_close(const struct prose *text);

#endif
