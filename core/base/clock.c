/*
 * clock.c: see clock.h.
 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_boot_ns(void)
{
    return read_ns(CLOCK_BOOTTIME);
}

int64_t clock_real_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

int64_t clock_real_ms(void)
{
    return read_ns(CLOCK_REALTIME) / NS_PER_MS;
}

const char *clock_rfc3339(int64_t real_ms, char ret_text[static CLOCK_RFC3339_SIZE])
{
    int64_t ms = real_ms % MS_PER_S;
    time_t seconds = (time_t)(real_ms / MS_PER_S);
    struct tm tm;

    if (ms < 0) {
        ms += MS_PER_S;
        seconds--;
    }
    if (!gmtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
        (void)snprintf(ret_text, CLOCK_RFC3339_SIZE, "0000-00-00T00:00:00.000Z");
        return ret_text;
    }
    (void)snprintf(ret_text, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
                   (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
                   (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
                   (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, (unsigned)ms % 1000);
    return ret_text;
}
