/*
 * alert.c: one alert as a section of a Slack message.  See slack.h.
 */
#include "slack.h"

#define NAME_UNITS 200
#define LABEL_UNITS 600 /* of a field: Slack takes 2000, but not ten of them in one message */
#define PAIR_UNITS 100  /* of a label in a line of labels */
#define FIELDS_MAX 10
#define TIME_UNITS 400 /* in texts with less room there are more important things than its time */

enum rank alert_rank(const struct tmon_alert *alert)
{
    if (!alert->firing) {
        return RANK_RESOLVED;
    }
    return alert->severity >= TMON_SEVERITY_CRITICAL  ? RANK_CRITICAL
           : alert->severity == TMON_SEVERITY_WARNING ? RANK_WARNING
                                                      : RANK_INFO;
}

const char *rank_sign(enum rank rank)
{
    static const char *const signs[] = {
        "\xf0\x9f\x94\xb4 ", // a red circle
        "\xf0\x9f\x9f\xa0 ", // an orange one
        "\xf0\x9f\x94\xb5 ", // a blue one
        "\xe2\x9c\x85 ",     // a check mark
    };

    return signs[rank];
}

static const char *rank_word(enum rank rank)
{
    static const char *const words[] = {"critical", "warning", "info", "resolved"};

    return words[rank];
}

/* What the first line and, of a group, its heading say already. */
static bool is_told(const struct tmon_notification *notification, const struct tmon_alert *alert,
                    const struct tmon_pair *label, bool alone)
{
    if (strcmp(label->key, "severity") == 0 || !prose_seen(label->value)) {
        return true;
    }
    if (strcmp(label->key, "alertname") == 0 && strcmp(label->value, alert->name) == 0) {
        return true;
    }
    return !alone && prose_find(notification->group, notification->ngroup, label->key) != NULL;
}

static void put_heading(struct prose *text, const struct tmon_alert *alert)
{
    const char *runbook = prose_find(alert->annotations, alert->nannotations, "runbook_url");
    const char *name = prose_seen(alert->name) ? alert->name : "(without a name)";
    const unsigned third = text->most / 3; // a link takes half at most, and the rest must fit, too

    prose_markup(text, rank_sign(alert_rank(alert)));
    prose_markup(text, "*");
    text_link(text, alert->generator_url, name, third < NAME_UNITS ? third : NAME_UNITS);
    prose_markup(text, "* \xc2\xb7 ");
    prose_markup(text, rank_word(alert_rank(alert)));
    if (prose_room(text) >= TIME_UNITS) {
        text_time(text, alert->firing ? " \xc2\xb7 since " : " \xc2\xb7 ",
                  alert->firing ? alert->starts_ms : alert->ends_ms);
        if (runbook != NULL && prose_seen(runbook)) {
            prose_markup(text, " \xc2\xb7 ");
            text_link(text, runbook, "Runbook", NAME_UNITS);
        }
    }
}

static void put_labels(struct prose *text, const struct tmon_notification *notification,
                       const struct tmon_alert *alert)
{
    const char *before = "\n";

    for (size_t i = 0; i < alert->nlabels && prose_room(text) > PAIR_UNITS / 2; i++) {
        if (!is_told(notification, alert, &alert->labels[i], false)) {
            prose_between(text, before, alert->labels[i].key, PAIR_UNITS, "=");
            (void)prose_user(text, alert->labels[i].value, PAIR_UNITS, PROSE_LINE);
            before = ", ";
        }
    }
}

static void put_text(struct writer *json, const struct tmon_notification *notification,
                     const struct tmon_alert *alert, unsigned most, bool alone)
{
    struct prose text;

    text_open(&text, json, most);
    put_heading(&text, alert);
    prose_between(&text, "\n", alert->summary, most, "");
    if (!alone) {
        put_labels(&text, notification, alert);
    }
    if (prose_seen(alert->description) && strcmp(alert->description, alert->summary) != 0 &&
        prose_room(&text) > 1) {
        prose_markup(&text, "\n");
        (void)prose_user(&text, alert->description, most, PROSE_LINES);
    }
    text_close(&text);
}

static void put_fields(struct writer *json, const struct tmon_notification *notification,
                       const struct tmon_alert *alert)
{
    size_t count = 0;

    for (size_t i = 0; i < alert->nlabels && count < FIELDS_MAX; i++) {
        const struct tmon_pair *label = &alert->labels[i];
        struct prose text;

        if (is_told(notification, alert, label, true) || !prose_seen(label->key)) {
            continue;
        }
        if (count++ == 0) {
            writer_literal(json, ",\"fields\":[");
        } else {
            writer_literal(json, ",");
        }
        text_open(&text, json, LABEL_UNITS);
        prose_between(&text, "*", label->key, LABEL_UNITS / 2, "*\n");
        (void)prose_user(&text, label->value, LABEL_UNITS, PROSE_LINE);
        text_close(&text);
    }
    if (count > 0) {
        writer_literal(json, "]");
    }
}

void alert_write(struct writer *json, const struct tmon_notification *notification,
                 const struct tmon_alert *alert, unsigned most, bool alone)
{
    writer_literal(json, "{\"type\":\"section\",\"text\":");
    put_text(json, notification, alert, most, alone);
    if (alone) {
        put_fields(json, notification, alert);
    }
    writer_literal(json, "}");
}
