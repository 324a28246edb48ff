/*
 * log.c: the component `log`: notifications as lines of the agent's log.
 *
 * Runs on the agent's component thread: it only says things, so that it blocks nobody, and keeps
 * nothing.
 */
#include <plugin_api.h>

#include "../common/utf8.h"

#define LINE_BYTES 1000 /* the agent cuts at 1023 */
#define NAME_BYTES 200
#define SUMMARY_BYTES 400
#define KEY_BYTES 64
#define VALUE_BYTES 200

struct line {
    char text[LINE_BYTES];
    size_t len;
    bool full;
};

/* All of it, or nothing more from here on. */
static void put(struct line *line, const char *text)
{
    const size_t len = strlen(text);

    if (line->full || len >= sizeof line->text - line->len) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->len, text, len + 1);
    line->len += len;
}

/* A label's value in quotes, which those in it must not end. */
static void put_quoted(struct line *line, const char *value)
{
    char clean[VALUE_BYTES], quoted[2 * VALUE_BYTES + 3];
    char *at = quoted;

    utf8_line(clean, sizeof clean, value);
    *at++ = '"';
    for (const char *p = clean; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            *at++ = '\\';
        }
        *at++ = *p;
    }
    memcpy(at, "\"", 2);
    put(line, quoted);
}

static void put_labels(struct line *line, const struct tmon_alert *alert)
{
    const char *before = " {";
    char key[KEY_BYTES];

    for (size_t i = 0; i < alert->nlabels; i++) {
        struct line with = *line;

        utf8_line(key, sizeof key, alert->labels[i].key);
        put(&with, before);
        put(&with, key);
        put(&with, "=");
        put_quoted(&with, alert->labels[i].value);
        if (with.full || with.len + sizeof ", ...}" > sizeof with.text) {
            put(line, i == 0 ? "" : ", ...}");
            return;
        }
        *line = with;
        before = ", ";
    }
    put(line, alert->nlabels > 0 ? "}" : "");
}

static tmon_level level_of(const struct tmon_alert *alert)
{
    return !alert->firing || alert->severity < TMON_SEVERITY_WARNING ? TMON_INFO
           : alert->severity == TMON_SEVERITY_WARNING                ? TMON_WARNING
                                                                     : TMON_ERROR;
}

static void say_alert(struct tmon_call *call, const struct tmon_alert *alert)
{
    struct line line = {.len = 0};
    char name[NAME_BYTES], summary[SUMMARY_BYTES];

    utf8_line(name, sizeof name, alert->name);
    utf8_line(summary, sizeof summary, alert->summary);
    put(&line, alert->firing ? "firing: " : "resolved: ");
    put(&line, name);
    if (summary[0] != '\0' && strcmp(summary, name) != 0) {
        put(&line, ": ");
        put(&line, summary);
    }
    put_labels(&line, alert);
    tmon_log(call, level_of(alert), "%s", line.text);
}

static tmon_rc deliver(struct tmon_call *call, void *self,
                       const struct tmon_notification *notification)
{
    char title[LINE_BYTES];

    for (size_t i = 0; i < notification->nalerts; i++) {
        say_alert(call, notification->alerts[i]);
    }
    if (notification->nalerts == 0) {
        utf8_line(title, sizeof title, notification->title);
        tmon_log(call, TMON_INFO, "%s", title);
    }
    if (notification->ntruncated > 0) {
        tmon_log(call, TMON_WARNING, "and %zu more alerts of this group", notification->ntruncated);
    }
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "log",
    .summary = "Writes notifications into the agent's log",
    .deliver = deliver,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("log", "0.1.0", "Apache-2.0", components)
