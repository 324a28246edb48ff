/*
 * silence_in.c: see silence_in.h.
 *
 * A member that is not known is refused: an end that was misspelt must not make a silence of
 * another length.
 */
#include "http/silence_in.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "http/json_items.h"
#include "model/value.h"

struct reading {
    struct v2_silence_in *silence;
    struct silence_in_error *error;
    const json_t *object;
    int64_t now_ms;
};

__attribute__((format(printf, 3, 4))) static int reject(struct reading *reading, const char *field,
                                                        const char *format, ...)
{
    struct silence_in_error *error = reading->error;
    va_list args;

    (void)snprintf(error->field, sizeof error->field, "%s", field);
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return -EINVAL;
}

static int check_members(struct reading *reading)
{
    static const char *const known[] = {"id",       "matchers",   "starts_at", "ends_at",
                                        "duration", "created_by", "comment"};
    const size_t n = sizeof known / sizeof known[0];
    char suggestion[SUGGESTION_SIZE];
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)reading->object, name, value)
    {
        size_t i = 0;

        while (i < n && strcmp(known[i], name) != 0) {
            i++;
        }
        if (i == n) {
            suggest_ending(name, known, n, suggestion);
            return reject(reading, "", "a silence has no member of that name%s", suggestion);
        }
    }
    return 0;
}

/* *ret_text stays NULL where it is missing or null. */
static int take_string(struct reading *reading, const char *field, const char **ret_text)
{
    const json_t *value = json_object_get(reading->object, field);

    if (value && !json_is_null(value) && !json_is_string(value)) {
        return reject(reading, field, "must be a string");
    }
    if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value)) {
        return reject(reading, field, "has a NUL in it");
    }
    *ret_text = json_string_value(value);
    return 0;
}

/* An owned copy, "" where it is not given. */
static int take_text(struct reading *reading, const char *field, char **ret_text)
{
    const char *text = NULL;

    if (take_string(reading, field, &text) < 0) {
        return -EINVAL;
    }
    *ret_text = strdup(text ? text : "");
    return *ret_text ? 0 : -ENOMEM;
}

/* 0 where it is not given. */
static int take_time(struct reading *reading, const char *field, int64_t *ret_ms)
{
    const char *text = NULL;

    if (take_string(reading, field, &text) < 0) {
        return -EINVAL;
    }
    *ret_ms = 0;
    if (text && (clock_parse_rfc3339(text, ret_ms) < 0 || *ret_ms <= 0)) {
        return reject(reading, field,
                      "must be a time as RFC 3339 has it, such as 2026-01-02T03:04:05Z");
    }
    return 0;
}

static int take_end(struct reading *reading)
{
    static const struct value_rule rule = {.type = TMON_DURATION};
    struct silence_input *input = &reading->silence->input;
    int64_t from = input->starts_ms > reading->now_ms ? input->starts_ms : reading->now_ms;
    const char *duration = NULL;
    struct value value;
    char why[128];

    if (take_time(reading, "ends_at", &input->ends_ms) < 0 ||
        take_string(reading, "duration", &duration) < 0) {
        return -EINVAL;
    }
    if ((input->ends_ms > 0) == (duration != NULL)) {
        return reject(reading, "ends_at",
                      "either this or 'duration' must say how long the silence lasts");
    }
    if (duration) {
        if (value_parse(&rule, duration, &value, why, sizeof why) < 0) {
            return reject(reading, "duration", "%s", why);
        }
        if (value.num <= 0 || value.num > SILENCE_TIME_MOST - from) {
            return reject(reading, "duration",
                          "must be more than nothing, and end before the "
                          "year 10000");
        }
        input->ends_ms = from + value.num;
    }
    return 0;
}

static int take_matcher(struct reading *reading, size_t i, const json_t *value)
{
    struct v2_silence_in *silence = reading->silence;
    char field[32], why[256] = "", *name = NULL, *text = NULL;
    enum matcher_op op;
    int r;

    (void)snprintf(field, sizeof field, "matchers[%zu]", i);
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
        return reject(reading, field, "must be a string such as host=\"db-1\"");
    }
    r = matcher_split(json_string_value(value), &name, &op, &text);
    if (r == -EINVAL) {
        (void)reject(reading, field,
                     "is no matcher: write name=\"value\", name!=\"value\", "
                     "name=~\"regex\" or name!~\"regex\"");
    } else if (r == -EILSEQ) {
        r = reject(reading, field, "has a quote that does not close");
    } else if (r == 0) {
        r = matcher_init_re2(&silence->matchers[i], name, op, text, why, sizeof why);
        silence->input.nmatchers += r == 0;
        if (r == -EINVAL) {
            (void)reject(reading, field, "%s", why);
        }
    }
    free(name);
    free(text);
    return r;
}

static int take_matchers(struct reading *reading)
{
    struct v2_silence_in *silence = reading->silence;
    const json_t *list = json_object_get(reading->object, "matchers");
    size_t n = json_array_size(list);
    int r = 0;

    if (!json_is_array(list) || n == 0) {
        return reject(reading, "matchers",
                      "must be a list of matchers, such as "
                      "[\"host=\\\"db-1\\\"\"]");
    }
    if (n > LIMIT_SILENCE_MATCHERS) {
        return reject(reading, "matchers", "has more than %d of them", LIMIT_SILENCE_MATCHERS);
    }
    silence->matchers = calloc(n, sizeof *silence->matchers);
    if (!silence->matchers) {
        return -ENOMEM;
    }
    silence->input.matchers = silence->matchers;
    for (size_t i = 0; i < n && r == 0; i++) {
        r = take_matcher(reading, i, json_array_get(list, i));
    }
    return r;
}

static int take_all(struct reading *reading)
{
    struct v2_silence_in *silence = reading->silence;
    struct silence_input *input = &silence->input;
    int r = check_members(reading);

    r = r < 0 ? r : take_text(reading, "id", &silence->id);
    r = r < 0 ? r : take_matchers(reading);
    r = r < 0 ? r : take_time(reading, "starts_at", &input->starts_ms);
    r = r < 0 ? r : take_end(reading);
    r = r < 0 ? r : take_text(reading, "created_by", &silence->created_by);
    r = r < 0 ? r : take_text(reading, "comment", &silence->comment);
    if (r == 0) {
        input->id = silence->id;
        input->created_by = silence->created_by;
        input->comment = silence->comment;
        r = silence_input_check(input, reading->now_ms, reading->error->text,
                                sizeof reading->error->text);
    }
    return r;
}

int silence_in_parse(const char *body, size_t len, int64_t now_ms,
                     struct v2_silence_in **ret_silence, struct silence_in_error *ret_error)
{
    struct reading reading = {.error = ret_error, .now_ms = now_ms};
    struct json_items_error error = {0};
    json_t *object = NULL;
    int r = json_items_one(body, len, &object, &error);

    *ret_error = (struct silence_in_error){.line = error.line, .column = error.column};
    if (r == -EINVAL) {
        (void)reject(&reading, "", "%s", error.text);
    }
    if (r < 0) {
        return r;
    }
    reading.object = object;
    if (!json_is_object(object)) {
        r = reject(&reading, "", "a silence must be an object");
    } else {
        reading.silence = calloc(1, sizeof *reading.silence);
        r = reading.silence ? take_all(&reading) : -ENOMEM;
    }
    json_decref(object);
    if (r < 0) {
        v2_silence_destroy(reading.silence);
        return r;
    }
    *ret_silence = reading.silence;
    return 0;
}
