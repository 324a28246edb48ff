/*
 * slack.h: what the parts of the component `slack` share.
 */
#ifndef SLACK_H
#define SLACK_H

#include <plugin_api.h>

#include "../common/outcome.h"
#include "../common/writer.h"

/*
 * One text of a message, while it is written: escaped for Slack and for JSON, without what turns
 * text around, and never longer than Slack takes.  Lengths are UTF-16 units of the escaped text,
 * the longest way to count, because Slack does not say how it counts.  What does not fit is cut
 * between two characters, with an ellipsis in its place.
 */
struct text {
    struct writer *json;
    unsigned used, most;
    size_t mark;        /* the length of the document up to where an ellipsis still fits */
    unsigned mark_used; /* of the text there */
};

void text_init(struct text *text, struct writer *json, unsigned most);
unsigned text_room(const struct text *text);
/* Of ours: all of it, not escaped, or nothing where it does not fit. */
void text_markup(struct text *text, const char *markup);
void text_number(struct text *text, uint64_t number);
/* A markup and a time, which Slack shows in the reader's zone; nothing for times that cannot be. */
void text_time(struct text *text, const char *before, int64_t ms);
/*
 * Of others: at most `most` units of it, without blanks at its ends; on one line, or with its lines
 * but without empty ones.  Returns the rest, which did not fit.
 */
enum text_shape { TEXT_LINE, TEXT_LINES };
const char *text_user(struct text *text, const char *user, unsigned most, enum text_shape shape);
/* A line of others between two markups, or nothing of it all. */
void text_between(struct text *text, const char *before, const char *user, unsigned most,
                  const char *after);
/* A label under which is a link, where `url` is http or https and not too long; else the label. */
void text_link(struct text *text, const char *url, const char *label, unsigned most);
/* Whether people would see any of it. */
bool text_seen(const char *user);

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

/* What a message is about, the worst first. */
enum rank { RANK_CRITICAL, RANK_WARNING, RANK_INFO, RANK_RESOLVED };
enum rank alert_rank(const struct tmon_alert *alert);
/* For those who do not see colours, and where there are none: "🔴 ". */
const char *rank_sign(enum rank rank);

/* Begins and ends a text object of type mrkdwn. */
void text_open(struct text *text, struct writer *json, unsigned most);
void text_close(const struct text *text);

#endif
