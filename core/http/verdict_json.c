/*
 * verdict_json.c: see verdict_json.h.
 *
 * Details stand beside `status`, as in {"status": "pass", "usage": {"percentage": 65}}; a dot in a
 * key nests.  A detail whose place is taken (by one of our own keys, or by another detail) goes,
 * with its whole key, into "details", so that nothing is lost and nothing of ours is overwritten.
 */
#include "http/verdict_json.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"

#define NEST_MAX 8 /* deeper keys are mistakes; the rest of the key stays in one piece */

static const char *const own_keys[] = {"status",  "message", "age",  "subjects", "turns",
                                       "dropped", "details", "name", "time",     "affects"};

static bool is_own(const char *key, size_t len)
{
    for (size_t i = 0; i < sizeof own_keys / sizeof own_keys[0]; i++) {
        if (strlen(own_keys[i]) == len && memcmp(own_keys[i], key, len) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *number_json(double number)
{
    if (!isfinite(number)) {
        return json_null();
    }
    if (floor(number) == number && fabs(number) < 9007199254740992.0) {
        return json_integer((json_int_t)number);
    }
    return json_real(number);
}

static json_t *detail_json(const struct detail *detail)
{
    json_t *list;

    switch (detail->kind) {
    case DETAIL_NUMBER:
        return number_json(detail->number);
    case DETAIL_TEXT:
        return json_string(detail->text);
    case DETAIL_LIST:
        list = json_array();
        for (size_t i = 0; i < detail->nitems; i++) {
            (void)json_array_append_new(list, json_string(detail->items[i]));
        }
        return list;
    }
    return json_null();
}

/* The object at `key` in `parent`, made if it is not there; NULL if something else is. */
static json_t *descend(json_t *parent, const char *key)
{
    json_t *child = json_object_get(parent, key);

    if (!child) {
        child = json_object();
        return json_object_set_new(parent, key, child) == 0 ? child : NULL;
    }
    return json_is_object(child) ? child : NULL;
}

/* 0 if the value found its place. */
static int place(json_t *check, const char *whole_key, json_t *value)
{
    char part[LIMIT_TEXT_BYTES + 1];
    const char *key = whole_key;
    json_t *at = check;

    if (is_own(key, strcspn(key, "."))) {
        return -1;
    }
    for (int depth = 0; depth < NEST_MAX; depth++) {
        size_t len = strcspn(key, ".");

        if (len == 0 || key[len] == '\0' || key[len + 1] == '\0' || len >= sizeof part) {
            break;
        }
        memcpy(part, key, len);
        part[len] = '\0';
        at = descend(at, part);
        if (!at) {
            return -1;
        }
        key += len + 1;
    }
    if (json_object_get(at, key)) {
        return -1;
    }
    return json_object_set(at, key, value);
}

static void add_details(json_t *check, const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->ndetails; i++) {
        json_t *value = detail_json(&verdict->details[i]);

        if (place(check, verdict->details[i].key, value) < 0) {
            json_t *others = descend(check, "details");

            if (others) {
                (void)json_object_set(others, verdict->details[i].key, value);
            }
        }
        json_decref(value);
    }
}

static json_t *subjects_json(const struct verdict *verdict)
{
    json_t *subjects = json_object();

    for (size_t i = 0; i < verdict->nsubjects; i++) {
        const struct subject *subject = &verdict->subjects[i];

        (void)json_object_set_new(subjects, subject->name,
                                  json_pack("{s:s, s:s*}", "status", verdict_name(subject->status),
                                            "message", subject->text));
    }
    return subjects;
}

json_t *verdict_json(const struct verdicts_view *view, int64_t now_ns)
{
    const struct verdict *verdict = view->verdict;
    json_t *check = json_pack("{s:s}", "status", verdict_name(view->status));
    int64_t age = (now_ns - view->mono_ns) / NS_PER_S;

    if (!check) {
        return NULL;
    }
    add_details(check, verdict);
    if (verdict->nsubjects > 0) {
        (void)json_object_set_new(check, "subjects", subjects_json(verdict));
    }
    if (verdict->message) {
        (void)json_object_set_new(check, "message", json_string(verdict->message));
    }
    if (view->needed > 0) {
        /* The last verdict says otherwise, but not often enough in a row yet. */
        (void)json_object_set_new(check, "turns",
                                  json_pack("{s:s, s:i, s:i}", "to", verdict_name(verdict->status),
                                            "streak", (int)view->streak, "needed",
                                            (int)view->needed));
    }
    if (verdict->dropped > 0) {
        (void)json_object_set_new(check, "dropped", json_integer(verdict->dropped));
    }
    (void)json_object_set_new(check, "age", json_integer(age > 0 ? age : 0));
    return check;
}
