/*
 * alerts.c: `toiletmon alerts`: what fires, and `alerts send`: an alert from the shell.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/show.h"
#include "cli/table.h"

#define PATH_BYTES 16384
#define STDIN_BYTES (4u << 20) /* what an agent takes at a time */
#define LABELS_COLUMNS 48
#define TEXT_COLUMNS 64

const struct cli_option cli_alerts_options[] = {
    CLI_CLIENT_OPTIONS,
    {"severity", 's', "SEVERITY", "only info, warning or critical ones", false},
    {"firing", 0, NULL, "only those that fire", false},
    {"resolved", 0, NULL, "only those that have resolved, while a sink is still to be told", false},
    {"name", 'n', "TITLE", "only those with this title", false},
    {"filter", 'f', "MATCHER",
     "only those whose labels fit, as in 'host=~\"db.*\"'; may be repeated", true},
    {"limit", 0, "NUMBER", "at most so many, the newest (default: 1000)", false},
    CLI_JSON_OPTION,
    {0},
};

static const struct cli_option send_options[] = {
    CLI_CLIENT_OPTIONS,
    {"severity", 's', "SEVERITY", "info, warning or critical (default: warning)", false},
    {"message", 'm', "TEXT", "what happened", false},
    {"key", 'k', "KEY", "tells alerts of the same title apart", false},
    {"label", 'l', "NAME=VALUE", "another label; may be repeated", true},
    {"metadata", 'd', "NAME=VALUE", "something more to tell; may be repeated", true},
    {"ttl", 0, "DURATION", "resolves by itself after so long (default: 1h)", false},
    {"resolve", 'r', NULL, "it is over: the alert with this title, severity, key and labels",
     false},
    {"stdin", 0, NULL, "read the alert, or a list of them, as JSON from standard input", false},
    CLI_JSON_OPTION,
    {0},
};

static const struct cli_option explain_options[] = {CLI_CLIENT_OPTIONS, CLI_JSON_OPTION, {0}};

static int alerts_send(struct cli *cli);

const struct cli_command cli_alerts_commands[] = {
    {"send", "TITLE", "Send an alert, or say that it is over",
     "An alert is told from others by its title, severity, key and labels. Sending it again keeps "
     "it firing; --resolve\n"
     "with the same of them ends it. It has been stored durably when this returns 0.",
     0, 1, send_options, NULL, alerts_send},
    {"explain", "NAME",
     "Say why an alert fires, or does not yet: its rule, timers, and who was told",
     "NAME is the alert's name. Exits with 1 if there is neither such a rule nor such an alert.", 1,
     1, explain_options, NULL, cli_alerts_explain},
    {0},
};

/* ---- list ---- */

/* "host=db-1, zone=b": what is not in a column of its own. */
static void join_labels(const json_t *labels, char *space, size_t size)
{
    const char *name;
    json_t *value;
    size_t len = 0;

    space[0] = '\0';
    json_object_foreach((json_t *)labels, name, value)
    {
        if (strcmp(name, "alertname") != 0 && strcmp(name, "severity") != 0 && len < size) {
            len += (size_t)snprintf(space + len, size - len, "%s%s=%s", len ? ", " : "", name,
                                    json_string_value(value));
        }
    }
    table_cut(table_clean(space), LABELS_COLUMNS);
}

/* "slack, email (queued)": in brackets why one has not been told. */
static void join_sinks(const json_t *sinks, bool firing, char *space, size_t size)
{
    const json_t *sink;
    size_t i, len = 0;

    space[0] = '\0';
    json_array_foreach(sinks, i, sink)
    {
        const char *how = show_delivery(sink);
        bool told = strcmp(how, "told") == 0;

        if (len < size && (firing || strcmp(how, "waiting") != 0)) {
            len += (size_t)snprintf(space + len, size - len, "%s%s%s%s%s", len ? ", " : "",
                                    client_text(sink, "name"), told ? "" : " (", told ? "" : how,
                                    told ? "" : ")");
        }
    }
}

static const char *text_of(const json_t *annotations)
{
    static const char *const names[] = {"message", "summary", "description"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = client_text(annotations, names[i]);

        if (*text) {
            return text;
        }
    }
    return "";
}

static void add_alert(struct table *table, const json_t *alert)
{
    const json_t *labels = json_object_get(alert, "labels");
    const char *status = client_text(alert, "status");
    bool firing = strcmp(status, "firing") == 0;
    char since[32], others[4096], sinks[512], text[1024];
    const char *cells[7];

    show_since(json_object_get(alert, firing ? "starts_at" : "ends_at"), since, sizeof since);
    join_labels(labels, others, sizeof others);
    join_sinks(json_object_get(alert, "sinks"), firing, sinks, sizeof sinks);
    snprintf(text, sizeof text, "%.1000s", text_of(json_object_get(alert, "annotations")));
    cells[0] = client_text(alert, "severity");
    cells[1] = show_held(alert, status);
    cells[2] = since;
    cells[3] = client_text(labels, "alertname");
    cells[4] = others;
    cells[5] = sinks;
    cells[6] = table_cut(table_clean(text), TEXT_COLUMNS);
    table_row(table, cells);
}

static void print_alerts(const json_t *document)
{
    static const char *const headings[] = {"SEVERITY", "STATUS", ">SINCE",  "ALERT",
                                           "LABELS",   "SINKS",  "MESSAGE", NULL};
    const json_t *alerts = json_object_get(document, "alerts"), *alert;
    json_int_t total = json_integer_value(json_object_get(document, "total"));
    struct table table;
    size_t i;

    table_init(&table, headings);
    json_array_foreach(alerts, i, alert)
    {
        add_alert(&table, alert);
    }
    if (table.nrows > 0) {
        table_print(&table, stdout, table_colour());
    } else {
        puts("No alerts.");
    }
    if (total > (json_int_t)table.nrows) {
        printf("... and %" JSON_INTEGER_FORMAT " older ones; --limit shows more\n",
               total - (json_int_t)table.nrows);
    }
    table_finish(&table);
}

int cli_alerts(struct cli *cli)
{
    static const char *const passed[] = {"severity", "name", "limit"};
    struct client_answer answer = {0};
    struct buf path;
    int r;

    if (cli_flag(cli, "firing") && cli_flag(cli, "resolved")) {
        return cli_usage(cli, "--firing and --resolved exclude each other; without them both are "
                              "shown");
    }
    buf_init(&path, PATH_BYTES);
    buf_puts(&path, "/api/v1/alerts");
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        if (cli_value(cli, passed[i])) {
            client_parameter(&path, passed[i], cli_value(cli, passed[i]));
        }
    }
    if (cli_flag(cli, "firing") || cli_flag(cli, "resolved")) {
        client_parameter(&path, "status", cli_flag(cli, "firing") ? "firing" : "resolved");
    }
    for (size_t i = 0; cli_value_at(cli, "filter", i); i++) {
        client_parameter(&path, "filter", cli_value_at(cli, "filter", i));
    }
    r = path.failed ? cli_usage(cli, "the filters are too long")
                    : client_request(cli, "GET", buf_str(&path), NULL, &answer);
    if (r == CLI_OK && answer.status != 200) {
        r = client_complain(&answer);
    } else if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK) {
        print_alerts(answer.json);
    }
    client_answer_finish(&answer);
    buf_finish(&path);
    return r;
}

/* ---- send ---- */

/* An object of the option's NAME=VALUE pairs; NULL: there are none.  CLI_USAGE. */
static int read_pairs(const struct cli *cli, const char *option, json_t **ret_object)
{
    json_t *object = NULL;
    const char *text;

    for (size_t i = 0; (text = cli_value_at(cli, option, i)); i++) {
        const char *equals = strchr(text, '=');
        char *name = equals ? strndup(text, (size_t)(equals - text)) : NULL;

        object = object ? object : json_object();
        if (!equals || equals == text) {
            json_decref(object);
            free(name);
            return cli_usage(cli, "--%s wants NAME=VALUE, not '%.64s'", option, text);
        }
        if (!name || json_object_set_new(object, name, json_string(equals + 1)) < 0) {
            json_decref(object);
            free(name);
            return cli_usage(cli, "--%s is no text in UTF-8", option);
        }
        free(name);
    }
    *ret_object = object;
    return CLI_OK;
}

static int put_text(const struct cli *cli, json_t *alert, const char *key, const char *text)
{
    if (text && json_object_set_new(alert, key, json_string(text)) < 0) {
        return cli_usage(cli, "the %s is no text in UTF-8", key);
    }
    return CLI_OK;
}

static int compose(const struct cli *cli, char **ret_body)
{
    const char *severity = cli_value(cli, "severity");
    json_t *alert = json_object(), *labels = NULL, *metadata = NULL;
    int r = put_text(cli, alert, "title", cli->arguments[0]);

    r = r ? r : put_text(cli, alert, "severity", severity ? severity : "warning");
    r = r ? r : put_text(cli, alert, "message", cli_value(cli, "message"));
    r = r ? r : put_text(cli, alert, "key", cli_value(cli, "key"));
    r = r ? r : put_text(cli, alert, "ttl", cli_value(cli, "ttl"));
    r = r ? r : put_text(cli, alert, "status", cli_flag(cli, "resolve") ? "resolved" : NULL);
    r = r ? r : read_pairs(cli, "label", &labels);
    r = r ? r : read_pairs(cli, "metadata", &metadata);
    if (labels) {
        (void)json_object_set_new(alert, "labels", labels);
    }
    if (metadata) {
        (void)json_object_set_new(alert, "metadata", metadata);
    }
    if (r == CLI_OK) {
        *ret_body = json_dumps(alert, 0);
        r = *ret_body ? CLI_OK : cli_failed("there is not enough memory");
    }
    json_decref(alert);
    return r;
}

static int read_stdin(char **ret_body)
{
    struct buf body;
    ssize_t n = 1;

    buf_init(&body, STDIN_BYTES);
    while (n > 0 && !body.failed) {
        char *room = buf_reserve(&body, body.len + 4096 < STDIN_BYTES ? 4096 : 1);

        n = room ? read(STDIN_FILENO, room, body.len + 4096 < STDIN_BYTES ? 4096 : 1) : 0;
        if (n > 0) {
            buf_advance(&body, (size_t)n);
        }
        if (n < 0 && errno == EINTR) {
            n = 1;
        }
    }
    if (n < 0 || body.failed) {
        buf_finish(&body);
        return n < 0 ? cli_failed("standard input cannot be read")
                     : cli_failed("standard input brings more than %u bytes", STDIN_BYTES);
    }
    *ret_body = buf_take(&body);
    return *ret_body ? CLI_OK : cli_failed("there is not enough memory");
}

static void complain_of(const json_t *result, size_t i, size_t n)
{
    const char *field = client_text(result, "field");
    char where[64] = "";

    if (n > 1) {
        snprintf(where, sizeof where, "alert %zu: ", i + 1);
    }
    (void)cli_failed("%s%s%s%s", where, field, *field ? ": " : "", client_text(result, "error"));
}

/* `said_here`: on the command line, which is wrong then. */
static int print_results(const struct client_answer *answer, bool said_here)
{
    const json_t *results = json_object_get(answer->json, "results"), *result;
    size_t i, n = json_array_size(results);
    int r = CLI_OK;

    if (!results) {
        return client_complain(answer);
    }
    json_array_foreach(results, i, result)
    {
        const char *note = client_text(result, "note");

        if (strcmp(client_text(result, "status"), "accepted") != 0) {
            bool wrong = said_here && strcmp(client_text(result, "status"), "rejected") == 0;

            complain_of(result, i, n);
            r = wrong ? CLI_USAGE : CLI_FAILED;
            continue;
        }
        printf("accepted: %s, fingerprint %s%s%s\n", client_text(result, "alert"),
               client_text(result, "fingerprint"), *note ? "; " : "", note);
    }
    return r;
}

static int alerts_send(struct cli *cli)
{
    bool from_stdin = cli_flag(cli, "stdin");
    struct client_answer answer = {0};
    char *body = NULL;
    int r;

    if (from_stdin == (cli->narguments > 0)) {
        return cli_usage(cli, "give a title, or --stdin");
    }
    r = from_stdin ? read_stdin(&body) : compose(cli, &body);
    if (r == CLI_OK) {
        r = client_send(cli, "POST", "/api/v1/alerts", body, strlen(body), 20000, &answer);
    }
    if (r == CLI_OK && cli_flag(cli, "json")) {
        (void)client_print(answer.json);
        r = answer.status == 200 ? CLI_OK : CLI_FAILED;
    } else if (r == CLI_OK) {
        r = print_results(&answer, !from_stdin);
    }
    client_answer_finish(&answer);
    free(body);
    return r;
}
