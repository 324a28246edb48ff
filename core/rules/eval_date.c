/*
 * eval_date.c: see eval.h; parts of a date, in UTC.
 *
 * Go counts seconds from the first of January of the year -292277022399 as 64 bits that wrap; so do
 * we, so that infinities and NaN, which become the smallest whole number, have its weekday.
 */
#include "rules/eval.h"
#include "rules/numeric.h"

#define FIRST_YEAR INT64_C(-292277022399)
#define FIRST_TO_UNIX UINT64_C(9223372028715321600) /* seconds */
#define DAY UINT64_C(86400)
#define DAYS_OF_400_YEARS 146097

static uint64_t since_first(double seconds)
{
    /* What does not fit becomes the smallest, as on x86-64. */
    int64_t unix_seconds = numeric_is_int64(seconds) ? (int64_t)seconds : INT64_MIN;

    return (uint64_t)unix_seconds + FIRST_TO_UNIX;
}

struct date {
    int64_t year;
    int month, day; /* from 1 */
};

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* The first year is the first of a cycle of 400, like 1 and 2001. */
static struct date date_of(double seconds)
{
    uint64_t days = since_first(seconds) / DAY;
    struct date date = {FIRST_YEAR + (int64_t)(days / DAYS_OF_400_YEARS) * 400, 1, 0};
    int rest = (int)(days % DAYS_OF_400_YEARS);
    int centuries = rest / 36524 > 3 ? 3 : rest / 36524;
    int fours, years;

    rest -= centuries * 36524;
    fours = rest / 1461;
    rest -= fours * 1461;
    years = rest / 365 > 3 ? 3 : rest / 365;
    rest -= years * 365;
    date.year += centuries * 100 + fours * 4 + years;
    while (rest >= days_of(date.year, date.month)) {
        rest -= days_of(date.year, date.month++);
    }
    date.day = rest + 1;
    return date;
}

double date_day_of_month(double seconds)
{
    return date_of(seconds).day;
}

/* From Sunday; the first day was a Monday. */
double date_day_of_week(double seconds)
{
    return (double)((since_first(seconds) / DAY + 1) % 7);
}

double date_days_in_month(double seconds)
{
    struct date date = date_of(seconds);

    return days_of(date.year, date.month);
}

double date_hour(double seconds)
{
    return (double)(since_first(seconds) % DAY / 3600);
}

double date_minute(double seconds)
{
    return (double)(since_first(seconds) % 3600 / 60);
}

double date_month(double seconds)
{
    return date_of(seconds).month;
}

double date_year(double seconds)
{
    return (double)date_of(seconds).year;
}
