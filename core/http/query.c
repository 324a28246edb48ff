/*
 * query.c: see query.h.  Server's thread.
 */
#include "http/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/utf8.h"
#include "http/server.h"

struct reading {
    int (*take)(void *arg, const char *name, const char *value, char *ret_why, size_t size);
    void *arg;
    char *why;
    size_t size;
    int r;
};

static enum MHD_Result on_value(void *cls, enum MHD_ValueKind kind, const char *name,
                                size_t name_len, const char *value, size_t len)
{
    struct reading *reading = cls;

    value = value ? value : "";
    if (strlen(name) != name_len || strlen(value) != len || !utf8_valid(name, name_len) ||
        !utf8_valid(value, len)) {
        (void)snprintf(reading->why, reading->size, "the query is no text in UTF-8");
        reading->r = -EINVAL;
    } else {
        reading->r = reading->take(reading->arg, name, value, reading->why, reading->size);
    }
    return reading->r < 0 ? MHD_NO : MHD_YES;
}

int query_read(const struct request *request,
               int (*take)(void *arg, const char *name, const char *value, char *ret_why,
                           size_t size),
               void *arg, char *ret_why, size_t size)
{
    struct reading reading = {.take = take, .arg = arg, .why = ret_why, .size = size};

    (void)MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, on_value,
                                      &reading);
    return reading.r;
}

static size_t count(const char *const *list)
{
    size_t n = 0;

    while (list[n]) {
        n++;
    }
    return n;
}

int query_choice(const char *name, const char *value, const char *const *choices, int *ret_index,
                 char *ret_why, size_t size)
{
    char suggestion[SUGGESTION_SIZE], list[256] = "";
    size_t n = count(choices), len = 0;

    for (size_t i = 0; i < n && len < sizeof list; i++) {
        if (strcmp(value, choices[i]) == 0) {
            *ret_index = (int)i;
            return 0;
        }
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s",
                                i == 0       ? ""
                                : i + 1 == n ? " or "
                                             : ", ",
                                choices[i]);
    }
    (void)snprintf(ret_why, size, "%s must be %s%s", name, list,
                   suggest_ending(value, choices, n, suggestion));
    return -EINVAL;
}

int query_number(const char *name, const char *value, int64_t min, int64_t max, int64_t *ret_number,
                 char *ret_why, size_t size)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end || strchr(" \t\n\v\f\r+", *value) || number < min ||
        number > max) {
        if (max == INT64_MAX) {
            (void)snprintf(ret_why, size, "%s must be a number from %" PRId64, name, min);
        } else {
            (void)snprintf(ret_why, size, "%s must be a number from %" PRId64 " to %" PRId64, name,
                           min, max);
        }
        return -EINVAL;
    }
    *ret_number = number;
    return 0;
}

int query_unknown(const char *name, const char *const *known, char *ret_why, size_t size)
{
    char suggestion[SUGGESTION_SIZE];

    (void)snprintf(ret_why, size, "there is no parameter '%.*s'%s",
                   (int)utf8_cut(name, strlen(name), 64), name,
                   suggest_ending(name, known, count(known), suggestion));
    return -EINVAL;
}
