/*
 * v2_silence_in.c: see v2_silence_in.h.
 *
 * First what cannot be read, then what the schema does not allow, in the order in which
 * Alertmanager looks at the members, then what makes no sense.
 */
#include "http/v2_silence_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "http/json_items.h"
#include "http/v2_read.h"
#include "model/labels.h"

/* One matcher as it stands there; NULL where it does not. */
struct given {
    const char *name, *value;
    bool is_regex, is_equal;
    bool has_is_regex;
};

struct reading {
    struct v2_silence_in *silence;
    struct v2_error *error;
    const json_t *object;
    const char *id, *created_by, *comment;
    int64_t starts_ms, ends_ms;
    size_t n;
    struct given given[LIMIT_SILENCE_MATCHERS];
};

/* ---- what can be read ---- */

static int read_matcher(struct reading *reading, size_t i, const json_t *object)
{
    struct given *given = &reading->given[i];
    struct v2_place place = {.body = "silence"};

    (void)snprintf(place.prefix, sizeof place.prefix, "matchers.%zu.", i);
    if (!json_is_object(object)) {
        return v2_unreadable(reading->error, "silence", "matchers.%zu must be an object", i);
    }
    *given = (struct given){.is_equal = true, .has_is_regex = v2_member(object, "isRegex") != NULL};
    return v2_bool(&place, object, "isEqual", &given->is_equal, reading->error) < 0 ||
                   v2_bool(&place, object, "isRegex", &given->is_regex, reading->error) < 0 ||
                   v2_string(&place, object, "name", &given->name, reading->error) < 0 ||
                   v2_string(&place, object, "value", &given->value, reading->error) < 0
               ? -EINVAL
               : 0;
}

static int read_matchers(struct reading *reading)
{
    const json_t *list = v2_member(reading->object, "matchers");

    if (list && !json_is_array(list)) {
        return v2_unreadable(reading->error, "silence", "matchers must be a list");
    }
    reading->n = json_array_size(list);
    if (reading->n > LIMIT_SILENCE_MATCHERS) {
        return v2_invalid(reading->error, "silence invalid: it has more than %d matchers",
                          LIMIT_SILENCE_MATCHERS);
    }
    for (size_t i = 0; i < reading->n; i++) {
        if (read_matcher(reading, i, json_array_get(list, i)) < 0) {
            return -EINVAL;
        }
    }
    return 0;
}

static int read_all(struct reading *reading)
{
    const struct v2_place place = {.body = "silence"};
    struct v2_error *error = reading->error;
    const json_t *object = reading->object;

    return v2_string(&place, object, "id", &reading->id, error) < 0 ||
                   v2_string(&place, object, "comment", &reading->comment, error) < 0 ||
                   v2_string(&place, object, "createdBy", &reading->created_by, error) < 0 ||
                   v2_time(&place, object, "endsAt", &reading->ends_ms, error) < 0 ||
                   read_matchers(reading) < 0 ||
                   v2_time(&place, object, "startsAt", &reading->starts_ms, error) < 0
               ? -EINVAL
               : 0;
}

/* ---- the schema ---- */

static int need(const struct reading *reading, const char *member)
{
    return v2_member(reading->object, member) ? 0
                                              : v2_against_schema(reading->error, V2_CODE_REQUIRED,
                                                                  "%s in body is required", member);
}

static int check_schema(const struct reading *reading)
{
    if (need(reading, "comment") < 0 || need(reading, "createdBy") < 0 ||
        need(reading, "endsAt") < 0 || need(reading, "matchers") < 0) {
        return -EINVAL;
    }
    if (reading->n == 0) {
        return v2_against_schema(reading->error, V2_CODE_TOO_FEW,
                                 "matchers in body should have at least 1 items");
    }
    for (size_t i = 0; i < reading->n; i++) {
        const struct given *given = &reading->given[i];
        const char *missing = !given->has_is_regex ? "isRegex"
                              : !given->name       ? "name"
                              : !given->value      ? "value"
                                                   : NULL;

        if (missing) {
            return v2_against_schema(reading->error, V2_CODE_REQUIRED,
                                     "matchers.%zu.%s in body is required", i, missing);
        }
    }
    return need(reading, "startsAt");
}

/* ---- the sense ---- */

static int take_matcher(struct reading *reading, size_t i)
{
    const struct given *given = &reading->given[i];
    struct v2_silence_in *silence = reading->silence;
    enum matcher_op op = given->is_regex ? (given->is_equal ? MATCHER_REGEX : MATCHER_NOT_REGEX)
                                         : (given->is_equal ? MATCHER_EQUAL : MATCHER_NOT_EQUAL);
    char why[256] = "", space[V2_QUOTED_SIZE];
    int r;

    if (!labels_name_ok(given->name)) {
        return v2_invalid(reading->error,
                          "silence invalid: invalid label matcher %zu: invalid label name %s", i,
                          v2_quoted(given->name, space));
    }
    r = matcher_init_re2(&silence->matchers[i], given->name, op, given->value, why, sizeof why);
    if (r == -EINVAL) {
        (void)v2_invalid(reading->error,
                         "silence invalid: invalid label matcher %zu: invalid regular expression "
                         "%s: %s",
                         i, v2_quoted(given->value, space), why);
    }
    silence->input.nmatchers += r == 0;
    return r;
}

static int take_matchers(struct reading *reading)
{
    struct v2_silence_in *silence = reading->silence;
    bool asks = false;
    int r = 0;

    silence->matchers = calloc(reading->n, sizeof *silence->matchers);
    if (!silence->matchers) {
        return -ENOMEM;
    }
    silence->input.matchers = silence->matchers;
    for (size_t i = 0; i < reading->n && r == 0; i++) {
        r = take_matcher(reading, i);
        /* One that rules something out asks for something, whatever it matches. */
        asks |=
            r == 0 && (!reading->given[i].is_equal || !matcher_matches(&silence->matchers[i], ""));
    }
    return r < 0  ? r
           : asks ? 0
                  : v2_invalid(reading->error, "silence invalid: at least one matcher must not "
                                               "match the empty string");
}

static int take_texts(struct reading *reading)
{
    struct v2_silence_in *silence = reading->silence;

    silence->id = strdup(reading->id ? reading->id : "");
    silence->created_by = strdup(reading->created_by);
    silence->comment = strdup(reading->comment);
    silence->input.id = silence->id;
    silence->input.created_by = silence->created_by;
    silence->input.comment = silence->comment;
    return silence->id && silence->created_by && silence->comment ? 0 : -ENOMEM;
}

static int take_all(struct reading *reading, int64_t now_ms)
{
    struct silence_input *input = &reading->silence->input;
    char why[256] = "";
    int r;

    if (reading->starts_ms >= reading->ends_ms) {
        return v2_invalid(reading->error,
                          "Failed to create silence: start time must be before end time");
    }
    if (reading->ends_ms < now_ms) {
        return v2_invalid(reading->error,
                          "Failed to create silence: end time can't be in the past");
    }
    input->starts_ms = reading->starts_ms > 0 ? reading->starts_ms : 1; /* 0 would say: as it is */
    input->ends_ms = reading->ends_ms;
    r = take_texts(reading);
    r = r < 0 ? r : take_matchers(reading);
    if (r == 0) {
        r = silence_input_check(input, now_ms, why, sizeof why);
        if (r == -EINVAL) {
            (void)v2_invalid(reading->error, "silence invalid: %s", why);
        }
    }
    return r;
}

/* ---- the whole ---- */

int v2_silence_parse(const char *body, size_t len, int64_t now_ms,
                     struct v2_silence_in **ret_silence, struct v2_error *ret_error)
{
    struct json_items_error error = {0};
    struct reading reading = {.error = ret_error};
    json_t *object = NULL;
    int r;

    *ret_error = (struct v2_error){0};
    if (len == 0) {
        return v2_against_schema(ret_error, V2_CODE_REQUIRED, "silence in body is required");
    }
    r = json_items_one(body, len, &object, &error);
    if (r == -EINVAL) {
        return v2_unreadable(ret_error, "silence", "%s (line %zu, column %zu)", error.text,
                             error.line, error.column);
    }
    if (r < 0) {
        return r;
    }
    reading.object = object;
    if (!json_is_object(object) && !json_is_null(object)) {
        r = v2_unreadable(ret_error, "silence", "a silence must be an object");
    } else {
        reading.silence = calloc(1, sizeof *reading.silence);
        r = reading.silence ? read_all(&reading) : -ENOMEM;
        r = r < 0 ? r : check_schema(&reading);
        r = r < 0 ? r : take_all(&reading, now_ms);
    }
    json_decref(object);
    if (r < 0) {
        v2_silence_destroy(reading.silence);
        return r;
    }
    *ret_silence = reading.silence;
    return 0;
}

void v2_silence_destroy(struct v2_silence_in *silence)
{
    if (!silence) {
        return;
    }
    for (size_t i = 0; i < silence->input.nmatchers; i++) {
        matcher_finish(&silence->matchers[i]);
    }
    free(silence->matchers);
    free(silence->id);
    free(silence->created_by);
    free(silence->comment);
    free(silence);
}
