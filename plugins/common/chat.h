/*
 * chat.h: what messages to a channel have in common: how bad it is, how many there are, which come
 * first, and which labels are worth a word.
 */
#ifndef COMMON_CHAT_H
#define COMMON_CHAT_H

#include <plugin_api.h>

#include "prose.h"

/* What an alert or a message is about, the worst first. */
enum chat_rank { CHAT_CRITICAL, CHAT_WARNING, CHAT_INFO, CHAT_RESOLVED };
enum chat_rank chat_rank(const struct tmon_alert *alert);
enum chat_rank chat_worst(const struct tmon_notification *notification);
/* For those who do not see colours, and where there are none: a circle or a check mark, a blank. */
const char *chat_sign(enum chat_rank rank);
const char *chat_word(enum chat_rank rank);

/* The alerts, the worst first, so that what is not told is the least; returns how many there are
 * then, `most` or fewer. */
size_t chat_first(const struct tmon_notification *notification, const struct tmon_alert **ret,
                  size_t most);
/* How many alerts of its group are not among the `told` ones. */
uint64_t chat_more(const struct tmon_notification *notification, size_t told);

/* Its name, or words that say that it has none. */
const char *chat_name(const struct tmon_alert *alert);
/* The annotation runbook_url; NULL when there is nothing to see in it. */
const char *chat_runbook(const struct tmon_alert *alert);
/* Its description; NULL when that says what the summary says. */
const char *chat_description(const struct tmon_alert *alert);
/* The next label of the only alert of a message that is worth a field, from *at on, which is moved
 * behind it; NULL: there is none. */
const struct tmon_pair *chat_field(const struct tmon_notification *notification,
                                   const struct tmon_alert *alert, size_t *at);
/* Whether name and severity, or in a message of several the heading, say this label already. */
bool chat_is_told(const struct tmon_notification *notification, const struct tmon_alert *alert,
                  const struct tmon_pair *label, bool alone);

/* How many there are, "3 firing, 1 resolved, 20 more". */
void chat_counts(struct prose *prose, const struct tmon_notification *notification);
/* The same, and what they have in common. */
void chat_group(struct prose *prose, const struct tmon_notification *notification);
/* Sign and title, and on a line below the summary of the only alert, or how many there are. */
void chat_brief(struct prose *prose, const struct tmon_notification *notification);
/* The labels of one of several alerts in one line, "before" in front of the first. */
void chat_labels(struct prose *prose, const struct tmon_notification *notification,
                 const struct tmon_alert *alert, const char *before);

#endif
