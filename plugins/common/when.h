/*
 * when.h: points in time for people and programs.
 */
#ifndef COMMON_WHEN_H
#define COMMON_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define WHEN_BYTES 32

/* Whether it is a time at all: after 1970, and of a year that has four digits. */
bool when_is_known(int64_t ms);
/* RFC 3339 in UTC with milliseconds, whose trailing zeros are left out as Go does it:
 * 2026-11-23T17:01:53.61Z.  Years before 1 and after 9999 become those. */
void when_rfc3339(char text[WHEN_BYTES], int64_t ms);
/* 2026-11-23 17:01:53 UTC */
void when_plain(char text[WHEN_BYTES], int64_t ms);

#endif
