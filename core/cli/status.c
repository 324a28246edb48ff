/*
 * status.c: `toiletmon status`, `checks`, `metrics`, `reload`: what the HTTP API says, for people
 * and scripts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/plural.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/show.h"
#include "cli/table.h"

static void print_reload(const json_t *reload)
{
    const json_t *errors = json_object_get(reload, "errors"), *error;
    size_t i;

    if (!json_is_false(json_object_get(reload, "ok"))) {
        return;
    }
    printf("the last reload (%s) failed: %s\n", client_text(reload, "at"),
           client_text(reload, "error"));
    json_array_foreach(errors, i, error)
    {
        printf("  %s\n", json_string_value(error));
    }
}

static void print_heartbeat(const json_t *heartbeat)
{
    const char *last = json_string_value(json_object_get(heartbeat, "last_success"));

    if (strcmp(client_text(heartbeat, "state"), "troubled") == 0) {
        printf("no heartbeat is sent or taken: %s; the last one: %s\n",
               client_text(heartbeat, "reason"), last ? last : "never");
    }
}

static void print_agent(const struct cli *cli, const json_t *health, const json_t *agent)
{
    const json_t *states = json_object_get(agent, "instances"), *count;
    char space[64], up[32];
    const char *state;
    json_int_t total = 0;
    bool first = true;

    printf("toiletmon %s at %s is %s\n", client_text(health, "version"), client_url(cli),
           table_word(client_text(health, "status"), table_colour(), space, sizeof space));
    json_object_foreach((json_t *)states, state, count)
    {
        total += json_integer_value(count);
    }
    printf("up %s, %" JSON_INTEGER_FORMAT " series, %" JSON_INTEGER_FORMAT " instance%s",
           show_age(json_number_value(json_object_get(health, "uptime")), up, sizeof up),
           json_integer_value(json_object_get(agent, "series")), total, plural((uint64_t)total));
    json_object_foreach((json_t *)states, state, count)
    {
        printf("%s %" JSON_INTEGER_FORMAT " %s", first ? ":" : ",", json_integer_value(count),
               state);
        first = false;
    }
    printf("\nconfiguration %s\n", client_text(agent, "config"));
    print_reload(json_object_get(agent, "last_reload"));
    print_heartbeat(json_object_get(agent, "heartbeat"));
}

int cli_status(struct cli *cli)
{
    struct client_answer health, agent = {0};
    int r;

    if (cli_flag(cli, "quiet")) {
        (void)!freopen("/dev/null", "w", stderr);
    }
    r = client_request(cli, "GET", "/api/health", NULL, &health);
    if (r == CLI_OK && !*client_text(health.json, "status")) {
        r = client_complain(&health);
    }
    if (r == CLI_OK && !cli_flag(cli, "quiet")) {
        r = client_request(cli, "GET", "/api/v1/status", NULL, &agent);
        if (r == CLI_OK && agent.status != 200) {
            r = client_complain(&agent);
        }
        if (r == CLI_OK && cli_flag(cli, "json")) {
            json_t *both = json_pack("{s:O, s:O}", "health", health.json, "agent", agent.json);

            r = client_print(both);
            json_decref(both);
        } else if (r == CLI_OK) {
            print_agent(cli, health.json, agent.json);
            cli_sinks_trouble(cli);
            putchar('\n');
            show_checks(json_object_get(health.json, "checks"));
        }
    }
    if (r == CLI_OK && strcmp(client_text(health.json, "status"), "unhealthy") == 0) {
        r = CLI_FAILED;
    }
    client_answer_finish(&health);
    client_answer_finish(&agent);
    return r;
}

static int one_check(const struct cli *cli, const json_t *checks, const char *name)
{
    json_t *check;
    size_t i;

    json_array_foreach(checks, i, check)
    {
        if (strcmp(client_text(check, "name"), name) == 0) {
            if (cli_flag(cli, "json")) {
                (void)client_print(check);
            } else {
                show_details(check, "");
            }
            return strcmp(client_text(check, "status"), "fail") == 0 ? CLI_FAILED : CLI_OK;
        }
    }
    return names_unknown("check", name, checks, "checks");
}

int cli_checks(struct cli *cli)
{
    struct client_answer answer;
    const json_t *checks, *check;
    size_t i;
    int r = client_request(cli, "GET", "/api/v1/checks", NULL, &answer);

    if (r == CLI_OK && answer.status != 200) {
        r = client_complain(&answer);
    }
    if (r == CLI_OK) {
        checks = json_object_get(answer.json, "checks");
        if (cli->narguments) {
            r = one_check(cli, checks, cli->arguments[0]);
        } else {
            if (cli_flag(cli, "json")) {
                (void)client_print(answer.json);
            } else {
                show_checks(checks);
            }
            json_array_foreach(checks, i, check)
            {
                r = strcmp(client_text(check, "status"), "fail") == 0 ? CLI_FAILED : r;
            }
        }
    }
    client_answer_finish(&answer);
    return r;
}

/* Whether a line of the exposition is about a metric that begins with one of the prefixes. */
static bool wanted(const struct cli *cli, const char *line)
{
    if (strncmp(line, "# HELP ", 7) == 0 || strncmp(line, "# TYPE ", 7) == 0 ||
        strncmp(line, "# UNIT ", 7) == 0) {
        line += 7;
    }
    for (size_t i = 0; i < cli->narguments; i++) {
        if (strncmp(line, cli->arguments[i], strlen(cli->arguments[i])) == 0) {
            return true;
        }
    }
    return cli->narguments == 0;
}

int cli_metrics(struct cli *cli)
{
    const char *accept = cli_flag(cli, "openmetrics") ? "application/openmetrics-text;version=1.0.0"
                                                      : "text/plain;version=0.0.4";
    struct client_answer answer;
    int r = client_request(cli, "GET", "/metrics", accept, &answer);
    size_t printed = 0;

    if (r == CLI_OK && answer.status != 200) {
        r = client_complain(&answer);
    }
    for (const char *line = answer.body; r == CLI_OK && *line;) {
        size_t len = strcspn(line, "\n") + 1;

        if (line[len - 1] == '\0') {
            len--;
        }
        if (wanted(cli, line)) {
            fwrite(line, 1, len, stdout);
            printed++;
        }
        line += len;
    }
    if (r == CLI_OK && printed == 0 && cli->narguments) {
        r = cli_failed("no metric begins with '%.128s'", cli->arguments[0]);
    }
    client_answer_finish(&answer);
    return r;
}

int cli_reload(struct cli *cli)
{
    struct client_answer answer;
    int r = client_request(cli, "POST", "/api/v1/reload", NULL, &answer);
    bool ok = r == CLI_OK && json_is_true(json_object_get(answer.json, "ok"));
    const json_t *line;
    size_t i;

    if (r == CLI_OK && cli_flag(cli, "json")) {
        (void)client_print(answer.json);
        r = ok ? CLI_OK : CLI_FAILED;
    } else if (r == CLI_OK && ok) {
        printf("reloaded: of instances %" JSON_INTEGER_FORMAT " unchanged, %" JSON_INTEGER_FORMAT
               " changed, %" JSON_INTEGER_FORMAT " added, %" JSON_INTEGER_FORMAT
               " removed; rules and routes are those of the file\n",
               json_integer_value(json_object_get(answer.json, "kept")),
               json_integer_value(json_object_get(answer.json, "changed")),
               json_integer_value(json_object_get(answer.json, "added")),
               json_integer_value(json_object_get(answer.json, "removed")));
        json_array_foreach(json_object_get(answer.json, "notes"), i, line)
        {
            printf("  %s\n", json_string_value(line));
        }
    } else if (r == CLI_OK) {
        r = client_complain(&answer);
        json_array_foreach(json_object_get(answer.json, "errors"), i, line)
        {
            fprintf(stderr, "  %s\n", json_string_value(line));
        }
    }
    client_answer_finish(&answer);
    return r;
}
