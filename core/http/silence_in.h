/*
 * silence_in.h: what POST /api/v1/silences brings.
 *
 * Pure functions on memory of their own; any thread, one at a time.
 */
#ifndef HTTP_SILENCE_IN_H
#define HTTP_SILENCE_IN_H

#include <stddef.h>
#include <stdint.h>

#include "http/v2_silence_in.h"

struct silence_in_error {
    char text[512];
    char field[64];      /* "": the whole */
    size_t line, column; /* from 1; 0: not in one place */
};

/* Returns owned, freed by v2_silence_destroy().  -EINVAL with ret_error; -ENOMEM. */
int silence_in_parse(const char *body, size_t len, int64_t now_ms,
                     struct v2_silence_in **ret_silence, struct silence_in_error *ret_error);

#endif
