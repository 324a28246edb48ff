/*
 * alert_data.c: see alert_data.h.
 */
#include "mail/alert_data.h"

#include <stdio.h>
#include <string.h>

#include "common/when.h"

#define NAME_BYTES 200
#define GROUP_MAX 10

/* What a message is about, the worst first; colours that white text can be read on. */
enum rank { RANK_CRITICAL, RANK_WARNING, RANK_INFO, RANK_RESOLVED };

static const struct {
    const char *badge, *color;
} ranks[] = {
    {"CRITICAL", "#b91c1c"},
    {"WARNING", "#b45309"},
    {"INFO", "#1d4ed8"},
    {"RESOLVED", "#15803d"},
};

static enum rank rank_of(const struct tmon_alert *alert)
{
    if (!alert->firing) {
        return RANK_RESOLVED;
    }
    return alert->severity >= TMON_SEVERITY_CRITICAL  ? RANK_CRITICAL
           : alert->severity == TMON_SEVERITY_WARNING ? RANK_WARNING
                                                      : RANK_INFO;
}

static enum rank worst_of(const struct tmon_notification *notification)
{
    enum rank worst = RANK_RESOLVED;

    for (size_t i = 0; i < notification->nalerts; i++) {
        const enum rank rank = rank_of(notification->alerts[i]);

        worst = rank < worst ? rank : worst;
    }
    if (notification->nalerts == 0) {
        return notification->resolved ? RANK_RESOLVED : RANK_INFO;
    }
    /* What fires may be among those that are not told. */
    return worst == RANK_RESOLVED && !notification->resolved ? RANK_WARNING : worst;
}

static void add_rank(struct mail_tree *tree, struct mail_data *parent, enum rank rank)
{
    mail_add_string(tree, parent, "badge", ranks[rank].badge);
    mail_add_string(tree, parent, "color", ranks[rank].color);
}

static bool is_alone(const struct tmon_notification *notification)
{
    return notification->nalerts == 1 && notification->ntruncated == 0;
}

/* ---- an alert ---- */

static const char *find(const struct tmon_alert *alert, const char *key)
{
    for (size_t i = 0; i < alert->nannotations; i++) {
        if (strcmp(alert->annotations[i].key, key) == 0) {
            return alert->annotations[i].value;
        }
    }
    return NULL;
}

/* Whether an annotation stands elsewhere in the mail. */
static bool is_told_text(const struct tmon_alert *alert, const struct tmon_pair *pair)
{
    static const char *const texts[] = {"summary", "message", "description"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(pair->key, texts[i]) == 0) {
            return strcmp(pair->value, alert->summary) == 0 ||
                   strcmp(pair->value, alert->description) == 0;
        }
    }
    return strcmp(pair->key, "runbook_url") == 0;
}

/* Whether a label does: in the heading, on the badge, or in what a group has in common. */
static bool is_told_label(const struct tmon_notification *notification,
                          const struct tmon_alert *alert, const struct tmon_pair *label)
{
    static const char *const severities[] = {"critical", "warning", "info"};

    if (strcmp(label->key, "alertname") == 0) {
        return strcmp(label->value, alert->name) == 0;
    }
    for (size_t i = 0; strcmp(label->key, "severity") == 0 && alert->firing && i < 3; i++) {
        if (strcmp(label->value, severities[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; !is_alone(notification) && i < notification->ngroup; i++) {
        if (strcmp(notification->group[i].key, label->key) == 0) {
            return strcmp(notification->group[i].value, label->value) == 0;
        }
    }
    return false;
}

static void add_row(struct mail_tree *tree, struct mail_data *rows, const struct alert_share *share,
                    const char *key, const char *value)
{
    struct mail_data *row = mail_add(tree, rows, NULL, MAIL_MAP);

    (void)mail_add_line(tree, row, "key", key, share->key);
    (void)mail_add_line(tree, row, "value", value, share->value);
}

static void add_time(struct mail_tree *tree, struct mail_data *rows,
                     const struct alert_share *share, const char *key, int64_t ms)
{
    char text[WHEN_BYTES];

    if (ms > 0) {
        when_plain(text, ms);
        add_row(tree, rows, share, key, text);
    }
}

static void add_facts(struct mail_tree *tree, struct mail_data *parent,
                      const struct tmon_notification *notification, const struct tmon_alert *alert,
                      const struct alert_share *share)
{
    struct mail_data *facts = mail_add(tree, parent, "facts", MAIL_TRUE);
    struct mail_data *rows = mail_add(tree, parent, "rows", MAIL_LIST);
    size_t left = share->rows;

    add_time(tree, rows, share, "Started", alert->starts_ms);
    add_time(tree, rows, share, "Ended", alert->firing ? 0 : alert->ends_ms);
    for (size_t i = 0; i < alert->nlabels && left > 0; i++) {
        if (!is_told_label(notification, alert, &alert->labels[i])) {
            add_row(tree, rows, share, alert->labels[i].key, alert->labels[i].value);
            left--;
        }
    }
    for (size_t i = 0; i < alert->nannotations && left > 0; i++) {
        if (!is_told_text(alert, &alert->annotations[i])) {
            add_row(tree, rows, share, alert->annotations[i].key, alert->annotations[i].value);
            left--;
        }
    }
    if (!rows->first) {
        facts->kind = MAIL_FALSE;
    }
}

static void add_links(struct mail_tree *tree, struct mail_data *parent,
                      const struct tmon_alert *alert, const struct alert_share *share)
{
    const struct mail_data *before = parent->last;

    if (alert->firing) {
        mail_add_link(tree, parent, "ack_url", alert->ack_url, ALERT_LINK_BYTES);
    }
    mail_add_link(tree, parent, "runbook_url", find(alert, "runbook_url"), share->link);
    mail_add_link(tree, parent, "source_url", alert->generator_url, share->link);
    if (parent->last != before) {
        (void)mail_add(tree, parent, "actions", MAIL_TRUE);
    }
}

static void add_paragraph(struct mail_tree *tree, struct mail_data *parent, const char *text,
                          size_t most)
{
    const struct mail_data *before = parent->last;

    mail_add_lines(tree, parent, "lines", text, most);
    if (parent->last != before) {
        (void)mail_add(tree, parent, "paragraph", MAIL_TRUE);
    }
}

static void add_alert(struct mail_tree *tree, struct mail_data *list,
                      const struct tmon_notification *notification, const struct tmon_alert *alert,
                      const struct alert_share *share)
{
    struct mail_data *data = mail_add(tree, list, NULL, MAIL_MAP);

    add_rank(tree, data, rank_of(alert));
    (void)mail_add_line(tree, data, "name", alert->name, share->name);
    if (strcmp(alert->summary, alert->name) != 0) {
        (void)mail_add_line(tree, data, "summary", alert->summary, share->text);
    }
    if (strcmp(alert->description, alert->summary) != 0) {
        add_paragraph(tree, data, alert->description, share->text);
    }
    add_facts(tree, data, notification, alert, share);
    add_links(tree, data, alert, share);
}

/* ---- the whole ---- */

static void add_counts(struct mail_tree *tree, const struct tmon_notification *notification)
{
    size_t firing = 0, n = 0;
    char text[120] = "";

    for (size_t i = 0; i < notification->nalerts; i++) {
        firing += notification->alerts[i]->firing;
    }
    const struct {
        size_t count;
        const char *word;
    } parts[] = {{firing, "firing"},
                 {notification->nalerts - firing, "resolved"},
                 {notification->ntruncated, "more"}};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].count > 0) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%zu %s", n > 0 ? ", " : "",
                                  parts[i].count, parts[i].word);
        }
    }
    mail_add_string(tree, &tree->root, "counts", text);
}

static void add_group(struct mail_tree *tree, const struct tmon_notification *notification,
                      const struct alert_share *share)
{
    struct mail_data *group = mail_add(tree, &tree->root, "group", MAIL_LIST);

    for (size_t i = 0; i < notification->ngroup && i < GROUP_MAX; i++) {
        add_row(tree, group, share, notification->group[i].key, notification->group[i].value);
    }
}

/* The worst first, so that what is not told is the least. */
static void add_alerts(struct mail_tree *tree, const struct tmon_notification *notification,
                       const struct alert_share *share)
{
    struct mail_data *list = mail_add(tree, &tree->root, "alerts", MAIL_LIST);
    size_t told = 0, more;

    for (enum rank rank = RANK_CRITICAL; rank <= RANK_RESOLVED; rank++) {
        for (size_t i = 0; i < notification->nalerts && told < share->alerts; i++) {
            if (rank_of(notification->alerts[i]) == rank) {
                add_alert(tree, list, notification, notification->alerts[i], share);
                told++;
            }
        }
    }
    more = notification->nalerts - told + notification->ntruncated;
    if (more > 0) {
        mail_add_number(tree, &tree->root, "more", more);
    }
}

/* Without "[FIRING:2] " in front, which badge and counts say. */
static const char *bare_title(const char *title)
{
    const size_t len = title[0] == '[' ? strcspn(title, "]") : 0;

    return len > 0 && len < 20 && title[len] == ']' && title[len + 1] == ' ' ? title + len + 2
                                                                             : title;
}

void alert_data_fill(struct mail_tree *tree, const struct tmon_notification *notification,
                     const struct alert_share *share)
{
    const bool alone = is_alone(notification);
    const struct tmon_alert *first = notification->nalerts > 0 ? notification->alerts[0] : NULL;
    static const char untitled[] = "A message without a title";
    struct mail_data *root = &tree->root;

    add_rank(tree, root, worst_of(notification));
    if (!mail_add_line(tree, root, "heading", alone ? first->name : bare_title(notification->title),
                       NAME_BYTES)) {
        mail_add_string(tree, root, "heading", untitled);
    }
    if (!mail_add_line(tree, root, "subject", notification->title, NAME_BYTES) &&
        !mail_add_line(tree, root, "subject", first ? first->name : "", NAME_BYTES)) {
        mail_add_string(tree, root, "subject", untitled);
    }
    if (alone) {
        (void)mail_add_line(tree, root, "preheader", first->summary, NAME_BYTES);
    }
    if (first) {
        if (!alone) {
            (void)mail_add(tree, root, "many", MAIL_TRUE);
            add_counts(tree, notification);
            add_group(tree, notification, share);
        }
        add_alerts(tree, notification, share);
    } else {
        add_paragraph(tree, root, notification->text, share->text);
    }
    mail_add_link(tree, root, "agent_url", notification->external_url, ALERT_LINK_BYTES);
    (void)mail_add_line(tree, root, "receiver", notification->receiver, NAME_BYTES);
}
