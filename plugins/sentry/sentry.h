/*
 * sentry.h: what the parts of the component `sentry` share.
 */
#ifndef SENTRY_H
#define SENTRY_H

#include <plugin_api.h>

#include "../common/outcome.h"
#include "../common/pairs.h"
#include "../common/writer.h"

#define SENTRY_CLIENT "toiletmon/0.1.0"
#define EVENT_ID_LETTERS 32

struct sentry {
    const char *environment, *release;
    char *url;           /* of the project's envelopes; owned */
    char *authorization; /* owned */
    struct tmon_pair headers[2];
    struct writer json;     /* the event */
    struct writer envelope; /* around it */
    struct pairs pairs;     /* the annotations of the alert at hand */
    struct outcome_hidden hidden;
};

/* What is behind a DSN, https://key[:secret]@host[/path]/project. */
struct dsn {
    char *url;           /* https://host[/path]/api/project/envelope/; owned by the caller */
    char *authorization; /* the value of X-Sentry-Auth; owned by the caller */
    const char *key;     /* in the DSN */
    size_t key_len;
};

/* NULL, or what is wrong with it, without a word of it. */
const char *dsn_parse(struct dsn *ret_dsn, const char *text);
void dsn_finish(struct dsn *dsn);

/* The envelope with one event into sentry->envelope, whose `failed` says that there was no memory
 * for it. */
void sentry_write(struct sentry *sentry, const struct tmon_notification *notification);

/*
 * How long no more events are to come, in milliseconds, by X-Sentry-Rate-Limits or, where an answer
 * says 429 and has none for events, by Retry-After, and else a minute.  -1: they may come.
 */
int64_t sentry_limits_ms(const struct tmon_response *response);

#endif
