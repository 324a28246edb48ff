/*
 * zone_rule.c: see zone_rule.h.
 */
#include "base/zone_rule.h"

#include <errno.h>

#define DAY_S 86400
#define YEARS_MOST INT64_C(100000) /* farther away nobody asks */

/* ---- days ---- */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Of 1 January, from the epoch. */
static int64_t year_begin(int64_t year)
{
    int64_t before = year - 1;

    return 365 * (year - 1970) + (floor_div(before, 4) - 1969 / 4) -
           (floor_div(before, 100) - 1969 / 100) + (floor_div(before, 400) - 1969 / 400);
}

static int64_t year_of(int64_t day)
{
    int64_t year = 1970 + floor_div(day * 400, 146097); /* off by one at most */

    while (year_begin(year) > day) {
        year--;
    }
    while (year_begin(year + 1) <= day) {
        year++;
    }
    return year;
}

static int month_begin(int64_t year, int month)
{
    static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

    return days[month - 1] + (month > 2 && is_leap(year)); /* of a 13th: where the year ends */
}

/* Of the year, from 0. */
static int64_t day_in(const struct zone_day *day, int64_t year)
{
    int64_t first, begin, length;
    int weekday;

    if (day->kind == ZONE_JULIAN) {
        return day->day - 1 + (day->day > 59 && is_leap(year));
    }
    if (day->kind == ZONE_DAY) {
        return day->day;
    }
    begin = month_begin(year, day->month);
    length = month_begin(year, day->month + 1) - begin;
    first = year_begin(year) + begin;
    weekday = (int)(((first + 4) % 7 + 7) % 7); /* the epoch was a Thursday */
    begin += (day->weekday - weekday + 7) % 7;
    for (int week = 1; week < day->week && begin + 7 < month_begin(year, day->month) + length;
         week++) {
        begin += 7;
    }
    return begin;
}

static int64_t moment(const struct zone_day *day, int64_t year, int32_t offset)
{
    return (year_begin(year) + day_in(day, year)) * DAY_S + day->at_s - offset;
}

int32_t zone_rule_offset(const struct zone_rule *rule, int64_t unix_s)
{
    int64_t year, begin, end;
    bool summer;

    if (!rule->changes || unix_s > YEARS_MOST * 366 * DAY_S || unix_s < -YEARS_MOST * 366 * DAY_S) {
        return rule->standard;
    }
    year = year_of(floor_div(unix_s + rule->standard, DAY_S));
    begin = moment(&rule->begin, year, rule->standard);
    end = moment(&rule->end, year, rule->summer);
    /* In the south summer lasts over the turn of the year. */
    summer = begin < end ? unix_s >= begin && unix_s < end : unix_s >= begin || unix_s < end;
    return summer ? rule->summer : rule->standard;
}

/* ---- reading ---- */

struct text {
    const char *at, *end;
};

static char peek(const struct text *text)
{
    return text->at < text->end ? *text->at : '\0';
}

static bool take(struct text *text, char c)
{
    bool there = peek(text) == c;

    text->at += there;
    return there;
}

/* At least one digit, of a number up to `most`. */
static bool number(struct text *text, int most, int *ret_number)
{
    const char *from = text->at;
    int n = 0;

    while (peek(text) >= '0' && peek(text) <= '9') {
        n = n * 10 + (*text->at++ - '0');
        if (n > most) {
            return false;
        }
    }
    *ret_number = n;
    return text->at > from;
}

/* CET, or <+03>: it does not matter which. */
static bool name(struct text *text)
{
    const char *from = text->at;

    if (take(text, '<')) {
        while (peek(text) && peek(text) != '>') {
            text->at++;
        }
        return take(text, '>');
    }
    while ((peek(text) | 32) >= 'a' && (peek(text) | 32) <= 'z') {
        text->at++;
    }
    return text->at - from >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool time_of_day(struct text *text, int most_hours, int32_t *ret_s)
{
    bool minus = take(text, '-');
    int h, m = 0, s = 0;

    if (!minus) {
        (void)take(text, '+');
    }
    if (!number(text, most_hours, &h) || (take(text, ':') && !number(text, 59, &m)) ||
        (take(text, ':') && !number(text, 59, &s))) {
        return false;
    }
    *ret_s = (h * 60 + m) * 60 + s;
    *ret_s = minus ? -*ret_s : *ret_s;
    return true;
}

static bool day(struct text *text, struct zone_day *ret_day)
{
    bool good;

    *ret_day = (struct zone_day){.at_s = 2 * 3600};
    if (!take(text, ',')) {
        return false;
    }
    if (take(text, 'M')) {
        ret_day->kind = ZONE_WEEKDAY;
        good = number(text, 12, &ret_day->month) && ret_day->month > 0 && take(text, '.') &&
               number(text, 5, &ret_day->week) && ret_day->week > 0 && take(text, '.') &&
               number(text, 6, &ret_day->weekday);
    } else {
        ret_day->kind = take(text, 'J') ? ZONE_JULIAN : ZONE_DAY;
        good = number(text, 365, &ret_day->day) && (ret_day->kind == ZONE_DAY || ret_day->day > 0);
    }
    return good && (!take(text, '/') || time_of_day(text, 167, &ret_day->at_s));
}

int zone_rule_parse(const char *data, size_t len, struct zone_rule *ret_rule)
{
    struct text text = {data, data + len};
    struct zone_rule rule = {0};

    if (!name(&text) || !time_of_day(&text, 24, &rule.standard)) {
        return -EPROTO;
    }
    rule.standard = -rule.standard; /* POSIX counts to the west */
    rule.summer = rule.standard + 3600;
    if (peek(&text)) {
        rule.changes = true;
        if (!name(&text)) {
            return -EPROTO;
        }
        if (peek(&text) != ',') {
            if (!time_of_day(&text, 24, &rule.summer)) {
                return -EPROTO;
            }
            rule.summer = -rule.summer;
        }
        if (!day(&text, &rule.begin) || !day(&text, &rule.end)) {
            return -EPROTO;
        }
    }
    if (text.at != text.end) {
        return -EPROTO;
    }
    *ret_rule = rule;
    return 0;
}
