/*
 * prose.h: texts that people read, in a JSON string of a limited length, safe whatever they say.
 *
 * A far end cuts or refuses what is too long, each by its own count.  Lengths are UTF-16 units of
 * what arrives there, escaped: the longest way to count.  What does not fit is cut between two
 * characters, with an ellipsis in its place.  Control characters are blanks, and the characters
 * that turn text around are left out.
 */
#ifndef COMMON_PROSE_H
#define COMMON_PROSE_H

#include <plugin_api.h>

#include "writer.h"

/* How a far end wants a character written, in ASCII; NULL: as it is. */
typedef const char *(*prose_escape)(uint32_t code);

/* One text, while it is written; the quotes around it are the caller's. */
struct prose {
    struct writer *json;
    prose_escape escape; /* NULL: plain text, nothing is escaped but for JSON */
    unsigned used, most;
    size_t mark;        /* the length of the document up to where an ellipsis still fits */
    unsigned mark_used; /* of the text there */
};

void prose_init(struct prose *prose, struct writer *json, prose_escape escape, unsigned most);
unsigned prose_room(const struct prose *prose);
/* Of ours: all of it, not escaped, or nothing where it does not fit. */
void prose_markup(struct prose *prose, const char *markup);
void prose_number(struct prose *prose, uint64_t number);
/*
 * Of others: at most `most` units of it, without blanks at its ends; on one line, or with its lines
 * but without empty ones.  Returns the rest, which did not fit.
 */
enum prose_shape { PROSE_LINE, PROSE_LINES };
const char *prose_user(struct prose *prose, const char *user, unsigned most,
                       enum prose_shape shape);
/* A line of others between two markups, or nothing of it all. */
void prose_between(struct prose *prose, const char *before, const char *user, unsigned most,
                   const char *after);
/* Whether people would see any of it; NULL is nothing. */
bool prose_seen(const char *user);

/* Whether it can be a key of a map: people see all of it, as it is. */
bool prose_is_plain(const char *user);

/* Plain text of others as a whole JSON string, quotes included. */
void prose_string(struct writer *json, const char *user, unsigned most, enum prose_shape shape);
/* The value of a pair; NULL when there is none. */
const char *prose_find(const struct tmon_pair *pairs, size_t count, const char *key);
/* The value of the first of these keys, a NULL behind them, that people would see; else `none`. */
const char *prose_first(const struct tmon_pair *pairs, size_t count, const char *const *keys,
                        const char *none);
/* The alert of a notification that has one; NULL: it is a message, or of several. */
const struct tmon_alert *prose_alert(const struct tmon_notification *notification);
/* "name: summary" of its alert, or its title, as a whole JSON string; never empty. */
void prose_headline(struct writer *json, const struct tmon_notification *notification,
                    unsigned most);
/* What a notification is called: its title, or else what it is about; never empty. */
const char *prose_title(const struct tmon_notification *notification);
/*
 * What names an alert, and a message by the notification's id, to a far end that knows it again by
 * that: the same at each call, never empty, without control characters, at most size - 1 bytes.
 */
void prose_key(char *dest, size_t size, const struct tmon_notification *notification);
/* Writes `text` with what is not `kept` as %XX; dest has room for three times its length, and 1. */
void prose_percent(char *dest, const char *text, bool (*kept)(unsigned char c));
/* Whether it is http or https, with a host. */
bool prose_is_web(const char *url);
/* Whether it may also stand in a document as it is: nothing but visible ASCII, at most so long. */
bool prose_is_link(const char *url, size_t most);

#endif
