/*
 * date.h: points in time as HTTP and certificates write them.  Pure; any thread (the C locale is
 * assumed).
 */
#ifndef FETCH_DATE_H
#define FETCH_DATE_H

#include <stdint.h>

/* The three forms of an HTTP date, and OpenSSL's of a certificate ("Nov 23 10:00:00 2026 GMT").
 * Unix time; -EINVAL. */
int date_parse(const char *text, int64_t *ret_ms);
/* Retry-After: seconds, or an HTTP date seen from `now_ms`; at most LIMIT_HTTP_RETRY_AFTER_MS.  -1:
 * neither. */
int64_t date_retry_after_ms(const char *text, int64_t now_ms);

#endif
