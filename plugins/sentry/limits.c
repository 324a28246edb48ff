/*
 * limits.c: what Sentry says about how much more it takes.  See sentry.h.
 *
 * The header is a list, "60:error:organization:quota, 2700:transaction;profile:key": seconds,
 * categories, and what does not matter here.  No category is all of them.  It comes with any
 * status, with a 200 too.  What cannot be read is passed over, as Sentry asks.
 */
#include "sentry.h"

#include <stdlib.h>

#define WAIT_S_MAX 86400
#define WAIT_MS_UNTOLD 60000 /* after a 429 that does not say how long */

/* Whether a list of categories, `len` bytes with a semicolon between two, is about events. */
static bool is_about_events(const char *list, size_t len)
{
    static const char ours[] = "error";
    const char *end = list + len;

    if (len == 0) {
        return true;
    }
    while (list < end) {
        const size_t n = strcspn(list, ";:, ");
        const size_t one = n < (size_t)(end - list) ? n : (size_t)(end - list);

        if (one == sizeof ours - 1 && memcmp(list, ours, one) == 0) {
            return true;
        }
        list += one + 1;
    }
    return false;
}

/* One limit, up to its comma; -1: it is not about events, or none. */
static int64_t limit_ms(const char *limit)
{
    int64_t seconds = 0;

    limit += strspn(limit, " \t");
    if (*limit < '0' || *limit > '9') {
        return -1;
    }
    for (; *limit >= '0' && *limit <= '9'; limit++) {
        seconds = seconds < WAIT_S_MAX ? seconds * 10 + (*limit - '0') : seconds;
    }
    if (*limit == '.') {
        limit += 1 + strspn(limit + 1, "0123456789");
        seconds++;
    }
    if (*limit != ':' || !is_about_events(limit + 1, strcspn(limit + 1, ":, "))) {
        return -1;
    }
    return (seconds < WAIT_S_MAX ? seconds : WAIT_S_MAX) * 1000;
}

int64_t sentry_limits_ms(const struct tmon_response *response)
{
    const char *limits = outcome_header(response, "x-sentry-rate-limits");
    int64_t longest = -1;

    while (limits != NULL) {
        const int64_t ms = limit_ms(limits);

        longest = ms > longest ? ms : longest;
        limits = strchr(limits, ',');
        limits += limits != NULL;
    }
    if (longest < 0 && response->status == 429) {
        return response->retry_after_ms >= 0 ? response->retry_after_ms : WAIT_MS_UNTOLD;
    }
    return longest;
}
