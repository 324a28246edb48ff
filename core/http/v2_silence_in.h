/*
 * v2_silence_in.h: what POST /api/v2/silences brings, as Alertmanager reads it.
 *
 * Pure functions on memory of their own; any thread, one at a time.
 */
#ifndef HTTP_V2_SILENCE_IN_H
#define HTTP_V2_SILENCE_IN_H

#include "alert/silences.h"
#include "http/v2_error.h"

struct v2_silence_in {
    struct silence_input input; /* all that it borrows is owned by this */
    struct matcher *matchers;
    char *id, *created_by, *comment;
};

/* Returns owned.  -EINVAL with ret_error; -ENOMEM. */
int v2_silence_parse(const char *body, size_t len, int64_t now_ms,
                     struct v2_silence_in **ret_silence, struct v2_error *ret_error);
void v2_silence_destroy(struct v2_silence_in *silence); /* takes NULL */

#endif
