/*
 * explain.c: `toiletmon alerts explain`: all that an agent knows of one alert, from its rule to who
 * was told.
 *
 * Put together of what the API says elsewhere: the rules, the alerts, and the notifications in
 * which the alert stands.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/plural.h"
#include "base/suggest.h"
#include "cli/client.h"
#include "cli/show.h"
#include "cli/table.h"

#define PATH_BYTES 4096
#define LOOKED_AT 200 /* notifications, the newest */
#define SHOWN 10
#define CANDIDATES 1024 /* that are looked through for a suggestion */

static void line(const char *name, const char *text)
{
    printf("  %-14s ", name);
    show_text(text);
    putchar('\n');
}

static void show_pairs(const char *name, const json_t *pairs)
{
    const char *key;
    json_t *value;
    bool first = true;

    json_object_foreach((json_t *)pairs, key, value)
    {
        printf("  %-14s ", first ? name : "");
        show_text(key);
        printf(": ");
        show_text(json_string_value(value));
        putchar('\n');
        first = false;
    }
}

static void show_seconds(const char *name, const json_t *seconds)
{
    char space[32];

    if (json_is_number(seconds)) {
        line(name, show_age(json_number_value(seconds), space, sizeof space));
    }
}

/* ---- the rule ---- */

static void show_active(const json_t *alert)
{
    char since[32];

    printf("\n");
    line("alert", client_text(alert, "state"));
    show_pairs("labels", json_object_get(alert, "labels"));
    show_pairs("annotations", json_object_get(alert, "annotations"));
    line("value", client_text(alert, "value"));
    show_since(json_object_get(alert, "active_at"), since, sizeof since);
    line("active for", since);
    show_seconds("fires in", json_object_get(alert, "fires_in_seconds"));
    show_seconds("resolves in", json_object_get(alert, "keeps_firing_seconds"));
    if (strcmp(client_text(alert, "state"), "firing") == 0 &&
        !json_is_true(json_object_get(alert, "told"))) {
        line("stored", "not yet: see `toiletmon checks state`");
    }
}

static void show_rule(const json_t *group, const json_t *rule)
{
    const json_t *alert;
    char text[512], since[32];
    size_t i;

    snprintf(text, sizeof text, "%.200s, in %.200s", client_text(group, "name"),
             client_text(group, "file"));
    line("rule of", text);
    line("expr", client_text(rule, "expr"));
    line("state", client_text(rule, "state"));
    show_seconds("for", json_object_get(rule, "for_seconds"));
    show_since(json_object_get(rule, "evaluated_at"), since, sizeof since);
    line("evaluated", *since ? since : "never: its sources have not all run since the start");
    if (json_is_string(json_object_get(rule, "error"))) {
        line("error", client_text(rule, "error"));
    }
    if (json_is_true(json_object_get(rule, "warming_up"))) {
        line("warming up", "its range is not covered yet: it may fire, but not resolve");
    }
    if (json_is_true(json_object_get(rule, "without_data"))) {
        snprintf(text, sizeof text, "none of its series has a sample; no_data: %s",
                 client_text(rule, "no_data"));
        line("no data", text);
    }
    json_array_foreach(json_object_get(rule, "alerts"), i, alert)
    {
        show_active(alert);
    }
}

static size_t show_rules(const json_t *document, const char *name)
{
    const json_t *group, *rule;
    size_t i, j, n = 0;

    json_array_foreach(json_object_get(document, "groups"), i, group)
    {
        json_array_foreach(json_object_get(group, "rules"), j, rule)
        {
            if (strcmp(client_text(rule, "name"), name) == 0 &&
                strcmp(client_text(rule, "type"), "alerting") == 0) {
                printf("%s", n++ > 0 ? "\n" : "");
                show_rule(group, rule);
            }
        }
    }
    return n;
}

/* ---- why nobody is ---- */

static void show_silence(const struct cli *cli, const char *id)
{
    struct client_answer answer = {0};
    char path[128], text[1024];

    snprintf(path, sizeof path, "/api/v1/silences/%.40s", id);
    if (client_request(cli, "GET", path, NULL, &answer) == CLI_OK && answer.status == 200) {
        snprintf(text, sizeof text, "%.40s, until %.32s, by %.128s: %.512s", id,
                 client_text(answer.json, "ends_at"), client_text(answer.json, "created_by"),
                 client_text(answer.json, "comment"));
        line("silenced by", text);
    } else {
        line("silenced by", id);
    }
    client_answer_finish(&answer);
}

static void show_source(const struct cli *cli, const char *fingerprint)
{
    struct client_answer answer = {0};
    const json_t *alert, *labels;
    char path[128], text[2048];

    snprintf(path, sizeof path, "/api/v1/alerts?fingerprint=%.16s", fingerprint);
    if (client_request(cli, "GET", path, NULL, &answer) == CLI_OK && answer.status == 200 &&
        (alert = json_array_get(json_object_get(answer.json, "alerts"), 0))) {
        char *all;

        labels = json_object_get(alert, "labels");
        all = json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS);
        snprintf(text, sizeof text, "%.16s, %.256s %.1500s", fingerprint,
                 client_text(labels, "alertname"), all ? all : "");
        free(all);
        line("inhibited by", text);
    } else {
        line("inhibited by", fingerprint);
    }
    client_answer_finish(&answer);
}

/* "in 5m3s" */
static const char *until(const json_t *time, char *space, size_t size)
{
    int64_t ms = clock_real_ms();
    char age[32];

    (void)clock_parse_rfc3339(json_is_string(time) ? json_string_value(time) : "", &ms);
    show_age((double)(ms - clock_real_ms()) / 1e3, age, sizeof age);
    snprintf(space, size, "%.32s (in %s)", json_is_string(time) ? json_string_value(time) : "?",
             age);
    return space;
}

static void show_acknowledged(const json_t *ack)
{
    const char *by = client_text(ack, "by"), *comment = client_text(ack, "comment");
    char text[2048], since[32];

    if (json_is_object(ack)) {
        show_since(json_object_get(ack, "at"), since, sizeof since);
        snprintf(text, sizeof text, "%.128s, at %.32s (%s ago)%s%.1024s",
                 *by ? by : "nobody said who", client_text(ack, "at"), since, *comment ? ": " : "",
                 comment);
        line("acknowledged", text);
        line("", "it is not repeated; its end is told");
    }
}

static void show_window(const json_t *window)
{
    char text[1024], end[80];

    snprintf(text, sizeof text, "the route %.800s, until %s", client_text(window, "route"),
             until(json_object_get(window, "until"), end, sizeof end));
    line("maintenance", text);
}

static void show_flapping(const json_t *alert)
{
    json_int_t changes = json_integer_value(json_object_get(alert, "flap_changes"));
    char text[256], end[80];

    if (json_is_true(json_object_get(alert, "flapping"))) {
        snprintf(text, sizeof text,
                 "%" JSON_INTEGER_FORMAT " changes so far; nobody is told until it has been quiet: "
                 "%s, if it does not change again",
                 changes, until(json_object_get(alert, "quiet_at"), end, sizeof end));
        line("flapping", text);
    }
}

static void show_holds(const struct cli *cli, const json_t *alert)
{
    const json_t *name, *window;
    size_t i;

    show_acknowledged(json_object_get(alert, "acknowledged"));
    json_array_foreach(json_object_get(alert, "maintenance"), i, window)
    {
        show_window(window);
    }
    show_flapping(alert);

    json_array_foreach(json_object_get(alert, "silenced_by"), i, name)
    {
        show_silence(cli, json_string_value(name));
    }
    json_array_foreach(json_object_get(alert, "inhibited_by"), i, name)
    {
        show_source(cli, json_string_value(name));
    }
}

/* ---- who was told ---- */

static size_t show_told(const struct cli *cli, const json_t *document)
{
    const json_t *alert, *sink;
    size_t i, j, n = 0;

    json_array_foreach(json_object_get(document, "alerts"), i, alert)
    {
        char since[32], sinks[1024] = "";
        size_t len = 0;

        json_array_foreach(json_object_get(alert, "sinks"), j, sink)
        {
            if (len < sizeof sinks) {
                len +=
                    (size_t)snprintf(sinks + len, sizeof sinks - len, "%s%s (%s)", len ? ", " : "",
                                     client_text(sink, "name"), show_delivery(sink));
            }
        }
        printf("\n");
        line("episode", client_text(alert, "episode"));
        line("status", client_text(alert, "status"));
        show_pairs("labels", json_object_get(alert, "labels"));
        show_since(json_object_get(alert, "starts_at"), since, sizeof since);
        line("since", since);
        line("sinks", *sinks ? sinks : "none");
        show_holds(cli, alert);
        n++;
    }
    return n;
}

static bool stands_in(const json_t *notification, const char *name)
{
    const json_t *alert;
    size_t i;

    json_array_foreach(json_object_get(notification, "alerts"), i, alert)
    {
        if (strcmp(client_text(alert, "name"), name) == 0) {
            return true;
        }
    }
    return false;
}

static bool show_notification(const struct cli *cli, json_int_t id, const char *name)
{
    struct client_answer answer = {0};
    char path[64], text[256], since[32];
    json_int_t attempts;
    bool shown = false;

    snprintf(path, sizeof path, "/api/v1/notifications/%" JSON_INTEGER_FORMAT, id);
    if (client_request(cli, "GET", path, NULL, &answer) == CLI_OK && answer.status == 200 &&
        stands_in(answer.json, name)) {
        printf("\n");
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT " to %.128s", id,
                 client_text(answer.json, "sink"));
        line("notification", text);
        line("group", client_text(answer.json, "group_key"));
        show_since(json_object_get(answer.json, "created_at"), since, sizeof since);
        attempts = json_integer_value(json_object_get(answer.json, "attempts"));
        snprintf(text, sizeof text, "%.32s, %" JSON_INTEGER_FORMAT " attempt%s, made %s ago",
                 client_text(answer.json, "state"), attempts, plural((uint64_t)attempts), since);
        line("delivery", text);
        if (*client_text(answer.json, "reason")) {
            line("last answer", client_text(answer.json, "reason"));
        }
        shown = true;
    }
    client_answer_finish(&answer);
    return shown;
}

static void show_notifications(const struct cli *cli, const json_t *document, const char *name)
{
    const json_t *notification;
    size_t i, n = 0;

    json_array_foreach(json_object_get(document, "notifications"), i, notification)
    {
        if (n < SHOWN &&
            show_notification(cli, json_integer_value(json_object_get(notification, "id")), name)) {
            n++;
        }
    }
}

/* Of neither a rule nor an alert: names are suggested of rules, which are there before they fire.
 */
static int unknown(const json_t *document, const char *name)
{
    const char *names[CANDIDATES];
    char suggestion[SUGGESTION_SIZE];
    const json_t *group, *rule;
    size_t i, k, n = 0;

    json_array_foreach(json_object_get(document, "groups"), i, group)
    {
        json_array_foreach(json_object_get(group, "rules"), k, rule)
        {
            if (n < CANDIDATES && *client_text(rule, "name")) {
                names[n++] = client_text(rule, "name");
            }
        }
    }
    return cli_failed("there is neither a rule nor an alert called '%.128s'%s", name,
                      suggest_ending(name, names, n, suggestion));
}

int cli_alerts_explain(struct cli *cli)
{
    struct client_answer rules = {0}, alerts = {0}, notifications = {0};
    const char *name = cli->arguments[0];
    char path[64];
    struct buf query;
    size_t n = 0;
    int r;

    buf_init(&query, PATH_BYTES);
    buf_puts(&query, "/api/v1/alerts");
    client_parameter(&query, "name", name);
    snprintf(path, sizeof path, "/api/v1/notifications?limit=%d", LOOKED_AT);
    r = client_ask(cli, "GET", "/api/v1/rules", &rules);
    if (r == CLI_OK) {
        r = client_ask(cli, "GET", buf_str(&query), &alerts);
    }
    if (r == CLI_OK) {
        r = client_ask(cli, "GET", path, &notifications);
    }
    if (r == CLI_OK && cli_flag(cli, "json")) {
        json_t *all = json_pack("{s:O, s:O, s:O}", "rules", rules.json, "alerts", alerts.json,
                                "notifications", notifications.json);

        r = client_print(all);
        json_decref(all);
    } else if (r == CLI_OK) {
        printf("%s\n", name);
        n = show_rules(rules.json, name);
        n += show_told(cli, alerts.json);
        show_notifications(cli, notifications.json, name);
        if (n == 0) {
            r = unknown(rules.json, name);
        }
    }
    buf_finish(&query);
    client_answer_finish(&rules);
    client_answer_finish(&alerts);
    client_answer_finish(&notifications);
    return r;
}
