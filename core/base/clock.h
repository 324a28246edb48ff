/*
 * clock.h: the clocks.  Rooms that decide by time take `now` as an argument, so tests need no fake
 * clock; only the loop and agent.c read these.  Any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define MS_PER_S INT64_C(1000)

int64_t clock_mono_ns(void); /* does not jump, stands still in suspend */
int64_t clock_boot_ns(void); /* like it, but goes on in suspend */
int64_t clock_real_ms(void); /* Unix time */
int64_t clock_real_ns(void);

/* RFC 3339 in UTC with milliseconds, e.g. 2026-01-02T03:04:05.678Z. */
#define CLOCK_RFC3339_SIZE 32
const char *clock_rfc3339(int64_t real_ms, char ret_text[static CLOCK_RFC3339_SIZE]);
/* Reads RFC 3339, with any offset and any number of decimals.  -EINVAL. */
int clock_parse_rfc3339(const char *text, int64_t *ret_real_ms);

#endif
