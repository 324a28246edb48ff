/*
 * chat.c: see chat.h.  Linked into several plugins; keeps no state of its own.
 */
#include "chat.h"

#define TITLE_UNITS 300
#define PAIR_UNITS 100 /* of a label in a line of labels */
#define VALUE_UNITS 200

enum chat_rank chat_rank(const struct tmon_alert *alert)
{
    if (!alert->firing) {
        return CHAT_RESOLVED;
    }
    return alert->severity >= TMON_SEVERITY_CRITICAL  ? CHAT_CRITICAL
           : alert->severity == TMON_SEVERITY_WARNING ? CHAT_WARNING
                                                      : CHAT_INFO;
}

enum chat_rank chat_worst(const struct tmon_notification *notification)
{
    enum chat_rank worst = notification->nalerts > 0 ? CHAT_RESOLVED : CHAT_INFO;

    for (size_t i = 0; i < notification->nalerts; i++) {
        const enum chat_rank rank = chat_rank(notification->alerts[i]);

        worst = rank < worst ? rank : worst;
    }
    if (notification->resolved && notification->nalerts == 0) {
        return CHAT_RESOLVED;
    }
    if (!notification->resolved && worst == CHAT_RESOLVED) {
        return CHAT_WARNING; // what fires is among those that are not told here
    }
    return worst;
}

const char *chat_sign(enum chat_rank rank)
{
    static const char *const signs[] = {
        "\xf0\x9f\x94\xb4 ", // a red circle
        "\xf0\x9f\x9f\xa0 ", // an orange one
        "\xf0\x9f\x94\xb5 ", // a blue one
        "\xe2\x9c\x85 ",     // a check mark
    };

    return signs[rank];
}

const char *chat_word(enum chat_rank rank)
{
    static const char *const words[] = {"critical", "warning", "info", "resolved"};

    return words[rank];
}

size_t chat_first(const struct tmon_notification *notification, const struct tmon_alert **ret,
                  size_t most)
{
    size_t count = 0;

    for (int rank = CHAT_CRITICAL; rank <= CHAT_RESOLVED; rank++) {
        for (size_t i = 0; i < notification->nalerts && count < most; i++) {
            if ((int)chat_rank(notification->alerts[i]) == rank) {
                ret[count++] = notification->alerts[i];
            }
        }
    }
    return count;
}

uint64_t chat_more(const struct tmon_notification *notification, size_t told)
{
    return notification->nalerts - told + (uint64_t)notification->ntruncated;
}

const char *chat_name(const struct tmon_alert *alert)
{
    return prose_seen(alert->name) ? alert->name : "(without a name)";
}

const char *chat_runbook(const struct tmon_alert *alert)
{
    static const char *const keys[] = {"runbook_url", NULL};

    return prose_first(alert->annotations, alert->nannotations, keys, NULL);
}

const char *chat_description(const struct tmon_alert *alert)
{
    return prose_seen(alert->description) &&
                   (alert->summary == NULL || strcmp(alert->description, alert->summary) != 0)
               ? alert->description
               : NULL;
}

bool chat_is_told(const struct tmon_notification *notification, const struct tmon_alert *alert,
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

const struct tmon_pair *chat_field(const struct tmon_notification *notification,
                                   const struct tmon_alert *alert, size_t *at)
{
    while (*at < alert->nlabels) {
        const struct tmon_pair *label = &alert->labels[(*at)++];

        if (prose_seen(label->key) && !chat_is_told(notification, alert, label, true)) {
            return label;
        }
    }
    return NULL;
}

void chat_counts(struct prose *prose, const struct tmon_notification *notification)
{
    size_t firing = 0;
    bool first = true;

    for (size_t i = 0; i < notification->nalerts; i++) {
        firing += notification->alerts[i]->firing;
    }
    const struct {
        size_t count;
        const char *word;
    } parts[] = {
        {firing, " firing"},
        {notification->nalerts - firing, " resolved"},
        {notification->ntruncated, " more"},
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].count > 0) {
            prose_markup(prose, first ? "" : ", ");
            prose_number(prose, parts[i].count);
            prose_markup(prose, parts[i].word);
            first = false;
        }
    }
}

void chat_group(struct prose *prose, const struct tmon_notification *notification)
{
    chat_counts(prose, notification);
    for (size_t i = 0; i < notification->ngroup; i++) {
        const struct tmon_pair *label = &notification->group[i];

        if (prose_seen(label->value)) {
            prose_between(prose, i == 0 ? " \xc2\xb7 " : ", ", label->key, PAIR_UNITS, "=");
            (void)prose_user(prose, label->value, VALUE_UNITS, PROSE_LINE);
        }
    }
}

void chat_brief(struct prose *prose, const struct tmon_notification *notification)
{
    prose_markup(prose, chat_sign(chat_worst(notification)));
    (void)prose_user(prose, prose_title(notification), TITLE_UNITS, PROSE_LINE);
    if (notification->nalerts == 1 && notification->ntruncated == 0) {
        prose_between(prose, "\n", notification->alerts[0]->summary, prose->most, "");
    } else if (notification->nalerts > 0) {
        prose_markup(prose, "\n");
        chat_counts(prose, notification);
    }
}

void chat_labels(struct prose *prose, const struct tmon_notification *notification,
                 const struct tmon_alert *alert, const char *before)
{
    for (size_t i = 0; i < alert->nlabels && prose_room(prose) > PAIR_UNITS / 2; i++) {
        if (!chat_is_told(notification, alert, &alert->labels[i], false)) {
            prose_between(prose, before, alert->labels[i].key, PAIR_UNITS, "=");
            (void)prose_user(prose, alert->labels[i].value, PAIR_UNITS, PROSE_LINE);
            before = ", ";
        }
    }
}
