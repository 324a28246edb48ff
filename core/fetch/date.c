/*
 * date.c: reads dates.
 *
 * Runs in the fetch worker.  strptime is strict enough once the whole text has to be consumed.
 */
#include "fetch/date.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"

static const char *const forms[] = {
    "%a, %d %b %Y %H:%M:%S GMT", // what everybody sends
    "%A, %d-%b-%y %H:%M:%S GMT", // RFC 850
    "%a %b %d %H:%M:%S %Y",      // asctime
    "%b %d %H:%M:%S %Y GMT",     // OpenSSL
};

int date_parse(const char *text, int64_t *ret_ms)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);

        if (end && *end == '\0') {
            *ret_ms = (int64_t)timegm(&tm) * MS_PER_S;
            return 0;
        }
    }
    return -EINVAL;
}

int64_t date_retry_after_ms(const char *text, int64_t now_ms)
{
    size_t digits = strspn(text, "0123456789");
    int64_t ms = 0;

    if (digits > 0 && text[digits] == '\0') {
        for (; *text; text++) {
            ms = ms * 10 + (*text - '0') * MS_PER_S;
            if (ms > LIMIT_HTTP_RETRY_AFTER_MS) {
                return LIMIT_HTTP_RETRY_AFTER_MS;
            }
        }
        return ms;
    }
    if (date_parse(text, &ms) < 0) {
        return -1;
    }
    ms -= now_ms;
    if (ms < 0) {
        return 0;
    }
    return ms < LIMIT_HTTP_RETRY_AFTER_MS ? ms : LIMIT_HTTP_RETRY_AFTER_MS;
}
