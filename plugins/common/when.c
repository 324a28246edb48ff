/*
 * when.c: see when.h.  Linked into several plugins; keeps no state of its own.
 */
#include "when.h"

#include <string.h>
#include <time.h>

#define FIRST_MS INT64_C(-62135596800000) /* 0001-01-01T00:00:00Z */
#define LAST_MS INT64_C(253402300799999)  /* 9999-12-31T23:59:59.999Z */

static char *put_digits(char *at, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + digits;
}

/* Date and time, with `between` between them.  Returns where it ends and the milliseconds. */
static char *put_time(char *at, int64_t ms, char between, int *ret_ms)
{
    time_t seconds;
    struct tm tm;

    ms = ms < FIRST_MS ? FIRST_MS : ms > LAST_MS ? LAST_MS : ms;
    *ret_ms = (int)((ms % 1000 + 1000) % 1000);
    seconds = (time_t)((ms - *ret_ms) / 1000);
    if (gmtime_r(&seconds, &tm) == NULL) {
        memset(&tm, 0, sizeof tm); // not between these years
    }
    at = put_digits(at, tm.tm_year + 1900, 4);
    *at++ = '-';
    at = put_digits(at, tm.tm_mon + 1, 2);
    *at++ = '-';
    at = put_digits(at, tm.tm_mday, 2);
    *at++ = between;
    at = put_digits(at, tm.tm_hour, 2);
    *at++ = ':';
    at = put_digits(at, tm.tm_min, 2);
    *at++ = ':';
    return put_digits(at, tm.tm_sec, 2);
}

bool when_is_known(int64_t ms)
{
    return ms > 0 && ms <= LAST_MS;
}

void when_rfc3339(char text[WHEN_BYTES], int64_t ms)
{
    int rest;
    char *at = put_time(text, ms, 'T', &rest);

    if (rest > 0) {
        *at++ = '.';
        at = put_digits(at, rest, 3);
        while (at[-1] == '0') {
            at--;
        }
    }
    memcpy(at, "Z", 2);
}

void when_plain(char text[WHEN_BYTES], int64_t ms)
{
    int rest;
    char *at = put_time(text, ms, ' ', &rest);

    memcpy(at, " UTC", 5);
}
