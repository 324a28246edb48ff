/*
 * alert.c: a notification as an alert of Opsgenie's Alert API, version 2.  See opsgenie.h.
 *
 * Each text keeps the limit that Opsgenie has for it, so that a document is never too large.
 */
#include "opsgenie.h"

#include "../common/when.h"

#define BYTES_MAX ((size_t)1 << 20) /* far above what the limits allow */
#define MESSAGE_UNITS 130
#define DESCRIPTION_UNITS 15000
#define SUMMARY_UNITS 2000 /* of the description */
#define ENTITY_UNITS 512
#define TEAM_UNITS 100
#define DETAILS_UNITS 8000 /* keys and values together */
#define DETAIL_UNITS 1000  /* of one value */
#define USER_UNITS 100
#define KEY_BYTES 100 /* longer ones are left out: cut, two could be the same */
#define LINK_BYTES 1000

/* ---- texts ---- */

static void put_description(struct writer *json, const struct tmon_notification *notification)
{
    const struct tmon_alert *alert = prose_alert(notification);
    const char *text = alert != NULL ? alert->description : notification->text;
    struct prose prose;

    writer_literal(json, ",\"description\":\"");
    prose_init(&prose, json, NULL, DESCRIPTION_UNITS);
    if (alert != NULL && prose_seen(alert->summary)) {
        (void)prose_user(&prose, alert->summary, SUMMARY_UNITS, PROSE_LINES);
        if (prose_seen(text)) {
            prose_markup(&prose, "\n\n");
        }
    }
    if (prose_seen(text)) {
        (void)prose_user(&prose, text, DESCRIPTION_UNITS, PROSE_LINES);
    }
    writer_literal(json, "\"");
}

/* ---- details ---- */

/* A map of strings whose keys and values together are bounded. */
struct details {
    struct writer *json;
    size_t left; /* UTF-16 units */
    bool begun;
};

static void put_detail(struct details *details, const char *key, const char *value)
{
    const size_t len = strlen(key);
    struct prose prose;

    if (!prose_is_plain(key) || len > KEY_BYTES || len >= details->left || !prose_seen(value)) {
        return;
    }
    details->left -= len;
    writer_put(details->json, ",", details->begun ? 1 : 0);
    details->begun = true;
    writer_string(details->json, key, SIZE_MAX);
    writer_literal(details->json, ":\"");
    prose_init(&prose, details->json, NULL,
               (unsigned)(details->left < DETAIL_UNITS ? details->left : DETAIL_UNITS));
    (void)prose_user(&prose, value, DETAIL_UNITS, PROSE_LINES);
    writer_literal(details->json, "\"");
    details->left -= prose.used;
}

static void put_link(struct details *details, const char *key, const char *url)
{
    if (prose_is_link(url, LINK_BYTES)) {
        put_detail(details, key, url);
    }
}

static void put_time(struct details *details, const char *key, int64_t ms)
{
    char text[WHEN_BYTES];

    if (when_is_known(ms)) {
        when_plain(text, ms);
        put_detail(details, key, text);
    }
}

/* Labels have names without a blank, so that ours, with one, are never among them. */
static void put_details(struct opsgenie *opsgenie, const struct tmon_notification *notification)
{
    const struct tmon_alert *alert = prose_alert(notification);
    struct details details = {.json = &opsgenie->json, .left = DETAILS_UNITS};

    writer_literal(details.json, ",\"details\":{");
    put_link(&details, "told by", notification->external_url);
    if (alert != NULL) {
        put_time(&details, "fires since", alert->starts_ms);
        put_link(&details, "acknowledge in toiletmon", alert->ack_url);
        put_link(&details, "the runbook",
                 prose_find(alert->annotations, alert->nannotations, "runbook_url"));
        put_link(&details, "where it was found", alert->generator_url);
        if (!pairs_sort(&opsgenie->pairs, alert->labels, alert->nlabels)) {
            opsgenie->json.failed = opsgenie->json.no_memory = true;
            return;
        }
        for (size_t i = 0; i < opsgenie->pairs.count && !details.json->failed; i++) {
            if (strchr(opsgenie->pairs.at[i]->key, ' ') == NULL) {
                put_detail(&details, opsgenie->pairs.at[i]->key, opsgenie->pairs.at[i]->value);
            }
        }
    }
    writer_literal(details.json, "}");
}

/* ---- the whole ---- */

/* Where Opsgenie's default is meant, the middle of five, nothing tells more. */
static const char *priority_of(const struct tmon_notification *notification)
{
    const struct tmon_alert *alert = prose_alert(notification);

    if (alert == NULL) {
        return notification->resolved ? "P5" : "P3";
    }
    return alert->severity >= TMON_SEVERITY_CRITICAL  ? "P1"
           : alert->severity == TMON_SEVERITY_WARNING ? "P3"
                                                      : "P5";
}

static void put_list(struct tmon_call *call, struct opsgenie *opsgenie, const char *setting,
                     const char *before, const char *between, unsigned most, const char *after)
{
    const size_t count = tmon_config_count(call, opsgenie->config, setting);

    for (size_t i = 0; i < count; i++) {
        writer_put(&opsgenie->json, i == 0 ? before : between, strlen(i == 0 ? before : between));
        prose_string(&opsgenie->json, tmon_config_item(call, opsgenie->config, setting, i), most,
                     PROSE_LINE);
    }
    if (count > 0) {
        writer_put(&opsgenie->json, after, strlen(after));
    }
}

void alert_open(struct tmon_call *call, struct opsgenie *opsgenie,
                const struct tmon_notification *notification, const char *alias)
{
    static const char *const entities[] = {"instance", "host", "hostname", "node", NULL};
    const struct tmon_alert *alert = prose_alert(notification);
    const char *priority = priority_of(notification), *entity = NULL;
    struct writer *json = &opsgenie->json;

    json->cap = BYTES_MAX;
    writer_start(json);
    writer_literal(json, "{\"message\":");
    prose_headline(json, notification, MESSAGE_UNITS);
    writer_literal(json, ",\"alias\":");
    writer_string(json, alias, SIZE_MAX);
    put_description(json, notification);
    put_list(call, opsgenie, "teams", ",\"responders\":[{\"type\":\"team\",\"name\":",
             "},{\"type\":\"team\",\"name\":", TEAM_UNITS, "}]");
    put_list(call, opsgenie, "tags", ",\"tags\":[", ",", TAG_UNITS, "]");
    put_details(opsgenie, notification);
    if (alert != NULL) {
        entity = prose_first(alert->labels, alert->nlabels, entities, NULL);
    }
    if (entity != NULL) {
        writer_literal(json, ",\"entity\":");
        prose_string(json, entity, ENTITY_UNITS, PROSE_LINE);
    }
    writer_literal(json, ",\"source\":\"toiletmon\",\"priority\":");
    writer_string(json, priority, SIZE_MAX);
    writer_literal(json, "}");
}

void alert_acknowledge(struct opsgenie *opsgenie, const struct tmon_alert *alert)
{
    struct writer *json = &opsgenie->json;

    json->cap = BYTES_MAX;
    writer_start(json);
    writer_literal(json, "{\"source\":\"toiletmon\"");
    if (prose_seen(alert->acked_by)) {
        writer_literal(json, ",\"user\":");
        prose_string(json, alert->acked_by, USER_UNITS, PROSE_LINE);
    }
    writer_literal(json, ",\"note\":\"Acknowledged in toiletmon.\"}");
}

void alert_close(struct opsgenie *opsgenie, const struct tmon_notification *notification)
{
    const struct tmon_alert *alert = prose_alert(notification);
    struct writer *json = &opsgenie->json;
    char text[WHEN_BYTES];

    json->cap = BYTES_MAX;
    writer_start(json);
    writer_literal(json, "{\"source\":\"toiletmon\"");
    if (alert != NULL && when_is_known(alert->ends_ms)) {
        when_plain(text, alert->ends_ms);
        writer_literal(json, ",\"note\":\"It ended at ");
        writer_put(json, text, strlen(text));
        writer_literal(json, ".\"");
    }
    writer_literal(json, "}");
}
