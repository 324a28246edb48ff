/*
 * clock.c: see clock.h.
 */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
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

/* Exactly `n` digits; *at moves behind them. */
static bool read_digits(const char **at, int n, int *ret_number)
{
    int number = 0;

    for (; n > 0; n--, (*at)++) {
        if (!isdigit((unsigned char)**at)) {
            return false;
        }
        number = number * 10 + (**at - '0');
    }
    *ret_number = number;
    return true;
}

static bool read_char(const char **at, const char *one_of)
{
    for (; *one_of; one_of++) {
        if (**at == *one_of) {
            (*at)++;
            return true;
        }
    }
    return false;
}

/* Days since 1970-01-01 in the Gregorian calendar; years are counted from March. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = (month + 9) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static bool read_date(const char **at, int64_t *ret_days)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;

    if (!read_digits(at, 4, &year) || !read_char(at, "-") || !read_digits(at, 2, &month) ||
        !read_char(at, "-") || !read_digits(at, 2, &day) || year < 1 || month < 1 || month > 12 ||
        day < 1 || day > lengths[month - 1]) {
        return false;
    }
    if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0))) {
        return false;
    }
    *ret_days = days_of(year, month, day);
    return true;
}

static bool read_time(const char **at, int64_t *ret_ms)
{
    int hour, minute, second, ms = 0, scale = 100;

    if (!read_digits(at, 2, &hour) || !read_char(at, ":") || !read_digits(at, 2, &minute) ||
        !read_char(at, ":") || !read_digits(at, 2, &second) || hour > 23 || minute > 59 ||
        second > 60) {
        return false;
    }
    if (read_char(at, ".")) {
        if (!isdigit((unsigned char)**at)) {
            return false;
        }
        for (; isdigit((unsigned char)**at); (*at)++, scale /= 10) {
            ms += (**at - '0') * scale;
        }
    }
    *ret_ms = ((hour * INT64_C(60) + minute) * 60 + second) * MS_PER_S + ms;
    return true;
}

static bool read_offset(const char **at, int64_t *ret_ms)
{
    bool west = **at == '-';
    int hour, minute;

    if (read_char(at, "Zz")) {
        *ret_ms = 0;
        return true;
    }
    if (!read_char(at, "+-") || !read_digits(at, 2, &hour) || !read_char(at, ":") ||
        !read_digits(at, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *ret_ms = (hour * INT64_C(60) + minute) * 60 * MS_PER_S * (west ? -1 : 1);
    return true;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_real_ms)
{
    int64_t days, ms, offset_ms;

    if (!read_date(&text, &days) || !read_char(&text, "Tt ") || !read_time(&text, &ms) ||
        !read_offset(&text, &offset_ms) || *text) {
        return -EINVAL;
    }
    *ret_real_ms = days * 86400 * MS_PER_S + ms - offset_ms;
    return 0;
}
