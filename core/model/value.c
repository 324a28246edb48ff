/*
 * value.c: reads single values.  Pure functions, any thread.
 *
 * The grammar is narrower than strtod()'s and strtoll()'s on purpose: "010" (octal?), "1e3" for an
 * integer, "30" for a duration and "64K" for a size (1000 or 1024?) are mistakes more often than
 * not, so they are refused with the right way to write them.
 */
#include "model/value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit time_units[] = {
    {"w", INT64_C(604800000)},
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};

static const struct unit size_units[] = {
    {"B", 1},
    {"kB", 1000},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", INT64_C(1000000000000)},
    {"KiB", INT64_C(1) << 10},
    {"MiB", INT64_C(1) << 20},
    {"GiB", INT64_C(1) << 30},
    {"TiB", INT64_C(1) << 40},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Digits without sign or leading zero; *text moves behind them. */
static bool read_digits(const char **text, int64_t *ret_num)
{
    const char *at = *text;
    int64_t num = 0;

    if (!isdigit((unsigned char)*at) || (at[0] == '0' && isdigit((unsigned char)at[1]))) {
        return false;
    }
    for (; isdigit((unsigned char)*at); at++) {
        if (__builtin_mul_overflow(num, 10, &num) || __builtin_add_overflow(num, *at - '0', &num)) {
            return false;
        }
    }
    *text = at;
    *ret_num = num;
    return true;
}

static bool read_int(const char *text, int64_t *ret_num)
{
    bool negative = *text == '-';

    if (*text == '-' || *text == '+') {
        text++;
    }
    if (!read_digits(&text, ret_num) || *text) {
        return false;
    }
    if (negative) {
        *ret_num = -*ret_num;
    }
    return true;
}

static bool read_float(const char *text, double *ret_real)
{
    char *end;
    double real;

    if (!*text || strlen(text) > 64 || strspn(text, "0123456789+-.eE") != strlen(text)) {
        return false; // also keeps hexadecimal, nan and inf out
    }
    real = strtod(text, &end);
    if (*end || !isfinite(real)) {
        return false;
    }
    *ret_real = real;
    return true;
}

static bool read_bool(const char *text, int64_t *ret_num)
{
    static const char *const yes[] = {"true", "yes", "on"};
    static const char *const no[] = {"false", "no", "off"};

    for (size_t i = 0; i < COUNT(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *ret_num = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* Runs of number and unit, the units falling: 1h30m. */
static bool read_duration(const char *text, int64_t *ret_ms)
{
    size_t smallest = 0; // index of the largest unit that may still come
    int64_t sum = 0;

    if (strcmp(text, "0") == 0) {
        *ret_ms = 0;
        return true;
    }
    if (!*text) {
        return false;
    }
    while (*text) {
        int64_t num;
        size_t len, i;

        if (!read_digits(&text, &num)) {
            return false;
        }
        for (len = 0; isalpha((unsigned char)text[len]); len++) {}
        for (i = smallest; i < COUNT(time_units); i++) {
            if (strlen(time_units[i].name) == len && strncmp(text, time_units[i].name, len) == 0) {
                break;
            }
        }
        if (i == COUNT(time_units) || __builtin_mul_overflow(num, time_units[i].factor, &num) ||
            __builtin_add_overflow(sum, num, &sum)) {
            return false;
        }
        smallest = i + 1;
        text += len;
    }
    *ret_ms = sum;
    return true;
}

static bool read_size(const char *text, int64_t *ret_bytes)
{
    int64_t num;

    if (!read_digits(&text, &num)) {
        return false;
    }
    while (*text == ' ') {
        text++;
    }
    if (!*text) {
        *ret_bytes = num;
        return true;
    }
    for (size_t i = 0; i < COUNT(size_units); i++) {
        if (strcmp(text, size_units[i].name) == 0) {
            return !__builtin_mul_overflow(num, size_units[i].factor, ret_bytes);
        }
    }
    return false;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (const char *at = choices; at && len; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL) {
        size_t one = strcspn(at, "|");

        if (one == len && memcmp(at, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* scheme://[user@]host[:port][/...], enough to refuse what can never be fetched. */
static const char *url_problem(const char *text)
{
    const char *host, *end, *at, *port;

    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '\\') {
            return "must be a URL without blanks, control characters and backslashes";
        }
    }
    if (strncasecmp(text, "http://", 7) == 0) {
        host = text + 7;
    } else if (strncasecmp(text, "https://", 8) == 0) {
        host = text + 8;
    } else {
        return "must be a URL that starts with http:// or https://";
    }
    end = host + strcspn(host, "/?#");
    at = memrchr(host, '@', (size_t)(end - host));
    if (at) {
        host = at + 1;
    }
    if (*host == '[') {
        port = memchr(host, ']', (size_t)(end - host));
        if (!port || port == host + 1) {
            return "must be a URL with an IPv6 address in brackets, such as http://[::1]:8080/";
        }
        port++;
    } else {
        port = host + strcspn(host, ":/?#");
        if (port == host) {
            return "must be a URL with a host, such as https://example.com/";
        }
    }
    if (port != end) {
        char *stop;
        long number =
            *port == ':' && isdigit((unsigned char)port[1]) ? strtol(port + 1, &stop, 10) : 0;

        if (number < 1 || number > 65535 || stop != end) {
            return "must be a URL whose port is a number from 1 to 65535";
        }
    }
    return NULL;
}

/* A bound comes from a plugin and may be any double. */
static int64_t whole(double bound)
{
    if (isnan(bound)) {
        return 0;
    }
    return bound >= 9.2e18 ? INT64_MAX : bound <= -9.2e18 ? INT64_MIN : (int64_t)bound;
}

static void show_bound(char *space, size_t size, tmon_type type, double bound)
{
    if (type == TMON_DURATION) {
        int64_t ms = whole(bound);
        size_t i = 0;

        while (i + 1 < COUNT(time_units) && ms % time_units[i].factor) {
            i++;
        }
        if (ms == 0) {
            i = 4; // seconds
        }
        snprintf(space, size, "%" PRId64 "%s", ms / time_units[i].factor, time_units[i].name);
    } else if (type == TMON_BYTES) {
        int64_t bytes = whole(bound);
        size_t i = COUNT(size_units) - 1;

        while (i > 5 && (bytes == 0 || bytes % size_units[i].factor)) { // 6 is KiB
            i--;
        }
        if (i > 5) {
            snprintf(space, size, "%" PRId64 "%s", bytes / size_units[i].factor,
                     size_units[i].name);
        } else {
            snprintf(space, size, "%" PRId64, bytes);
        }
    } else {
        snprintf(space, size, "%.15g", bound);
    }
}

static int check_range(const struct value_rule *rule, double value, char *ret_why, size_t size)
{
    char low[32], high[32];

    if ((rule->min == 0 && rule->max == 0) || (value >= rule->min && value <= rule->max)) {
        return 0;
    }
    show_bound(low, sizeof low, rule->type, rule->min);
    show_bound(high, sizeof high, rule->type, rule->max);
    snprintf(ret_why, size, "must be from %s to %s", low, high);
    return -EINVAL;
}

static int refuse(char *ret_why, size_t size, const char *why)
{
    snprintf(ret_why, size, "%s", why);
    return -EINVAL;
}

int value_parse(const struct value_rule *rule, const char *text, struct value *ret_value,
                char *ret_why, size_t size)
{
    struct value value = {0};
    const char *problem;
    int r = 0;

    if (strlen(text) > LIMIT_SETTING_BYTES) {
        snprintf(ret_why, size, "is longer than %d bytes", LIMIT_SETTING_BYTES);
        return -EINVAL;
    }
    if (!utf8_valid(text, strlen(text))) {
        return refuse(ret_why, size, "must be text in UTF-8");
    }
    switch (rule->type) {
    case TMON_STRING:
    case TMON_LIST:
        break;
    case TMON_INT:
        if (!read_int(text, &value.num)) {
            return refuse(ret_why, size, "must be a whole number such as 5");
        }
        r = check_range(rule, (double)value.num, ret_why, size);
        break;
    case TMON_FLOAT:
        if (!read_float(text, &value.real)) {
            return refuse(ret_why, size, "must be a number such as 0.5");
        }
        r = check_range(rule, value.real, ret_why, size);
        break;
    case TMON_BOOL:
        if (!read_bool(text, &value.num)) {
            return refuse(ret_why, size, "must be true or false");
        }
        break;
    case TMON_DURATION:
        if (!read_duration(text, &value.num)) {
            return refuse(ret_why, size,
                          "must be a duration with its unit, such as 500ms, 30s, 5m, 2h or 1d");
        }
        r = check_range(rule, (double)value.num, ret_why, size);
        break;
    case TMON_BYTES:
        if (!read_size(text, &value.num)) {
            return refuse(ret_why, size,
                          "must be a size such as 64KiB (1024s), 10MB (1000s) or 4096");
        }
        r = check_range(rule, (double)value.num, ret_why, size);
        break;
    case TMON_CHOICE:
        if (!is_choice(rule->choices, text)) {
            snprintf(ret_why, size, "must be one of %s",
                     rule->choices ? rule->choices : "(nothing)");
            r = -EINVAL;
        }
        break;
    case TMON_URL:
        problem = url_problem(text);
        if (problem) {
            return refuse(ret_why, size, problem);
        }
        break;
    default:
        return refuse(ret_why, size, "cannot be written as a single value");
    }
    if (r == 0) {
        *ret_value = value;
    }
    return r;
}

char *value_list_item(const char *text, size_t n)
{
    const char *end;

    text += strspn(text, " \t");
    if (!*text) {
        return NULL;
    }
    for (; n > 0; n--) {
        text = strchr(text, ',');
        if (!text) {
            return NULL;
        }
        text++;
        text += strspn(text, " \t");
    }
    end = strchrnul(text, ',');
    while (end > text && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return strndup(text, (size_t)(end - text));
}
