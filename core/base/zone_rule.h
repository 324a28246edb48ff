/*
 * zone_rule.h: the rule by which a zone goes on after the last change that its file lists: POSIX's
 * form of TZ, as in CET-1CEST,M3.5.0,M10.5.0/3.  Pure functions, any thread.
 */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone_day { /* of a year, and the time on that day */
    enum { ZONE_JULIAN, ZONE_DAY, ZONE_WEEKDAY } kind;
    int day;         /* JULIAN: 1..365, never 29 February; DAY: 0..365 */
    int month, week; /* WEEKDAY: 1..12; 1..5, 5 is the last */
    int weekday;     /* 0: Sunday */
    int32_t at_s;    /* wall time, may lie beyond the day */
};

struct zone_rule {
    int32_t standard, summer; /* ahead of UTC */
    bool changes;             /* else it is always standard */
    struct zone_day begin, end;
};

/* -EPROTO: it is no such rule. */
int zone_rule_parse(const char *text, size_t len, struct zone_rule *ret_rule);
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t unix_s);

#endif
