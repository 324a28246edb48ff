/*
 * v2_read.h: values of JSON as /api/v2 takes them.  Pure functions; any thread.
 */
#ifndef HTTP_V2_READ_H
#define HTTP_V2_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/v2_error.h"

#define V2_UNSET_MS INT64_C(-62135596800000) /* 0001-01-01T00:00:00Z: no time was given */

/* Where a value stands, for what is said about it. */
struct v2_place {
    const char *body; /* "alerts", "silence" */
    char prefix[32];  /* "3." */
};

/* The member, or NULL where it is missing or null. */
const json_t *v2_member(const json_t *object, const char *key);
/* *ret_text stays where it is not given.  -EINVAL. */
int v2_string(const struct v2_place *place, const json_t *object, const char *key,
              const char **ret_text, struct v2_error *error);
int v2_bool(const struct v2_place *place, const json_t *object, const char *key, bool *ret_value,
            struct v2_error *error);
/* V2_UNSET_MS where it is not given, or is "". */
int v2_time(const struct v2_place *place, const json_t *object, const char *key, int64_t *ret_ms,
            struct v2_error *error);
/* Whether Go takes it for the URI of a request, as Alertmanager asks. */
bool v2_uri_ok(const char *text);
/* 8-4-4-4-12 hexadecimal digits. */
bool v2_uuid_ok(const char *text);
/* In quotes, short, for a sentence. */
#define V2_QUOTED_SIZE 300
const char *v2_quoted(const char *text, char space[static V2_QUOTED_SIZE]);

#endif
