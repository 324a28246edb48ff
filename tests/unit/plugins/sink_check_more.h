/*
 * sink_check_more.h: as sink_check.h, for Discord, Teams, Datadog and Sentry.
 */
#ifndef SINK_CHECK_MORE_H
#define SINK_CHECK_MORE_H

#include <stdlib.h>

#include "sink_check.h"

static inline size_t check_length(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? 0 : check_units(text);
}

/* ---- Discord ------------------------------------------------------------------------------------
 */

static inline const char *check_embed(const json_t *embed, size_t *total)
{
    const json_t *fields = json_object_get(embed, "fields");
    const char *why = check_text(embed, "title", 0, 256);

    why = why != NULL ? why : check_text(embed, "description", 0, 4096);
    *total += check_length(embed, "title") + check_length(embed, "description");
    *total += check_length(json_object_get(embed, "footer"), "text");
    if (!check_known(embed, "title|description|color|fields|timestamp|footer") ||
        json_array_size(fields) > 25 || !json_is_integer(json_object_get(embed, "color"))) {
        return "no embed";
    }
    for (size_t i = 0; i < json_array_size(fields) && why == NULL; i++) {
        const json_t *field = json_array_get(fields, i);

        *total += check_length(field, "name") + check_length(field, "value");
        why = check_text(field, "name", 1, 256);
        why = why != NULL ? why : check_text(field, "value", 1, 1024);
    }
    return why;
}

/* As check_slack(). */
static inline const char *check_discord(const void *data, size_t len, json_t **ret_root)
{
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *embeds = json_object_get(root, "embeds");
    const json_t *mentions = json_object_get(root, "allowed_mentions");
    const char *why = check_text(root, "content", 1, 2000);
    size_t total = 0;

    *ret_root = root;
    if (!check_known(root, "content|embeds|allowed_mentions") || json_array_size(embeds) > 10) {
        return "no message";
    }
    if (!json_is_array(json_object_get(mentions, "parse")) ||
        json_array_size(json_object_get(mentions, "parse")) > 0) {
        return "somebody could be called";
    }
    for (size_t i = 0; i < json_array_size(embeds) && why == NULL; i++) {
        why = check_embed(json_array_get(embeds, i), &total);
    }
    return why != NULL ? why : total > 6000 ? "more text than Discord takes" : NULL;
}

/* ---- Teams --------------------------------------------------------------------------------------
 */

static inline const char *check_opening(const json_t *action)
{
    const char *url = json_string_value(json_object_get(action, "url"));

    return check_one_of(action, "type", "Action.OpenUrl") && url != NULL &&
                   strncasecmp(url, "http", 4) == 0
               ? NULL
               : "an action that opens nothing";
}

static inline const char *check_runs(const json_t *block)
{
    const json_t *runs = json_object_get(block, "inlines");
    const char *why = NULL;

    if (!check_one_of(block, "type", "RichTextBlock") || json_array_size(runs) == 0) {
        return "an empty block, or one where markup is read";
    }
    for (size_t i = 0; i < json_array_size(runs) && why == NULL; i++) {
        const json_t *run = json_array_get(runs, i);
        const json_t *action = json_object_get(run, "selectAction");

        why = check_text(run, "text", 1, 6000);
        why = why != NULL || action == NULL ? why : check_opening(action);
    }
    return why;
}

/* As check_slack(). */
static inline const char *check_teams(const void *data, size_t len, json_t **ret_root)
{
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *attachment = json_array_get(json_object_get(root, "attachments"), 0);
    const json_t *card = json_object_get(attachment, "content");
    const json_t *body = json_object_get(card, "body"), *actions = json_object_get(card, "actions");
    const char *why = NULL;

    *ret_root = root;
    if (len > 21 * 1024) {
        return "a card that is too large";
    }
    if (!check_one_of(root, "type", "message") || !check_one_of(card, "type", "AdaptiveCard") ||
        !check_one_of(attachment, "contentType", "application/vnd.microsoft.card.adaptive") ||
        json_array_size(body) == 0 || json_array_size(actions) > 6) {
        return "no card";
    }
    for (size_t i = 0; i < json_array_size(body) && why == NULL; i++) {
        why = check_runs(json_array_get(body, i));
    }
    for (size_t i = 0; i < json_array_size(actions) && why == NULL; i++) {
        why = check_opening(json_array_get(actions, i));
    }
    return why;
}

/* ---- Datadog ------------------------------------------------------------------------------------
 */

static inline const char *check_tags(const json_t *tags)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.:/-";

    if (!json_is_array(tags) || json_array_size(tags) > 100) {
        return "no tags, or too many";
    }
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        const size_t len = tag == NULL ? 0 : strlen(tag);

        if (len == 0 || len > 200 || strspn(tag, letters) != len || *tag < 'a' || *tag > 'z' ||
            tag[len - 1] == ':') {
            return "a tag that is none";
        }
    }
    return NULL;
}

/* As check_slack(). */
static inline const char *check_datadog_event(const void *data, size_t len, json_t **ret_root)
{
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(root, "text"));
    const char *why = check_text(root, "title", 1, 100);

    *ret_root = root;
    if (!check_known(root, "title|text|alert_type|priority|aggregation_key|host|date_happened|"
                           "tags") ||
        !check_one_of(root, "alert_type", "error|warning|info|success")) {
        return "no event";
    }
    if (text == NULL || strncmp(text, "%%% \n", 5) != 0 ||
        strcmp(strstr(text + 3, "%%%"), "%%%") != 0) {
        return "no Markdown, or more than one";
    }
    why = why != NULL ? why : check_text(root, "text", 1, 4000);
    why = why != NULL ? why : check_text(root, "aggregation_key", 1, 100);
    why = why != NULL ? why : check_text(root, "host", 0, 255);
    return why != NULL ? why : check_tags(json_object_get(root, "tags"));
}

/* As check_slack(). */
static inline const char *check_datadog_check(const void *data, size_t len, json_t **ret_root)
{
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *check = json_array_get(root, 0);
    const json_t *status = json_object_get(check, "status");
    const char *why = check_text(check, "check", 1, 200);

    *ret_root = root;
    if (json_array_size(root) != 1 || !check_known(check, "check|host_name|status|message|tags") ||
        !json_is_integer(status) || json_integer_value(status) < 0 ||
        json_integer_value(status) > 3) {
        return "no check";
    }
    why = why != NULL ? why : check_text(check, "host_name", 1, 255);
    why = why != NULL ? why : check_text(check, "message", 1, 500);
    return why != NULL ? why : check_tags(json_object_get(check, "tags"));
}

/* ---- Sentry -------------------------------------------------------------------------------------
 */

/* A line of the envelope, parsed; moves `at` behind it. */
static inline json_t *check_line(const char **at, const char *end)
{
    const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));

    *at = stop == NULL ? end : stop + 1;
    return json_loadb(line, (size_t)((stop == NULL ? end : stop) - line), JSON_REJECT_DUPLICATES,
                      NULL);
}

static inline const char *check_extra(const json_t *extra)
{
    const char *key, *why = NULL;
    size_t total = 0;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)extra, key, value)
    {
        const size_t len = json_string_length(value);

        why = why != NULL ? why : check_text(extra, key, 1, 16000 / 3);
        why = why == NULL && len > 16000 ? "an extra of more than 16 kB" : why;
        total += len + strlen(key);
    }
    return why == NULL && total > 256000 ? "extras of more than 256 kB" : why;
}

static inline const char *check_sentry_event(const json_t *event)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_.:-";
    const json_t *tags = json_object_get(event, "tags");
    const char *why = check_text(event, "message", 1, 8192);

    if (!check_known(event, "event_id|timestamp|level|platform|logger|message|environment|release|"
                            "fingerprint|server_name|tags|extra") ||
        !check_one_of(event, "level", "fatal|error|warning|info|debug") ||
        check_text(event, "event_id", 32, 32) != NULL || !json_is_array(tags)) {
        return "no event";
    }
    for (size_t i = 0; i < json_array_size(tags) && why == NULL; i++) {
        const char *key = json_string_value(json_array_get(json_array_get(tags, i), 0));
        const char *value = json_string_value(json_array_get(json_array_get(tags, i), 1));

        if (key == NULL || value == NULL || strlen(key) > 32 || strspn(key, letters) == 0 ||
            strspn(key, letters) != strlen(key) || check_units(value) > 200 || *value == '\0' ||
            strchr(value, '\n') != NULL) {
            why = "a tag that is none";
        }
    }
    return why != NULL ? why : check_extra(json_object_get(event, "extra"));
}

/* As check_slack(); the event is what is given back. */
static inline const char *check_sentry(const void *data, size_t len, json_t **ret_root)
{
    const char *at = data, *end = at + len, *payload, *why;
    json_t *envelope = check_line(&at, end), *item = check_line(&at, end);
    const char *id = json_string_value(json_object_get(envelope, "event_id"));

    payload = at;
    *ret_root = check_line(&at, end);
    why = *ret_root == NULL || at != end || len > 1000000 ? "no envelope" : NULL;
    if (why == NULL && (!check_one_of(item, "type", "event") || id == NULL ||
                        json_integer_value(json_object_get(item, "length")) != end - payload - 1 ||
                        !check_one_of(*ret_root, "event_id", id))) {
        why = "an item that is none, or of another event";
    }
    json_decref(envelope);
    json_decref(item);
    return why != NULL ? why : check_sentry_event(*ret_root);
}

#endif
