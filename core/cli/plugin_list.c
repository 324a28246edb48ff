/*
 * plugin_list.c: `toiletmon plugin list`: the instances and plugins of a running agent, and what is
 * wrong with them; `toiletmon plugin retry`.
 */
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/show.h"
#include "cli/table.h"

#define COMPONENTS_SHOWN 3

static void print_instances(const json_t *instances)
{
    static const char *const headings[] = {"INSTANCE", "COMPONENT", "STATE",  ">RUNS",
                                           ">FAILED",  ">RESTARTS", "REASON", NULL};
    struct table table;
    const json_t *instance;
    size_t i;

    table_init(&table, headings);
    json_array_foreach(instances, i, instance)
    {
        static const char *const keys[] = {"runs", "failures", "restarts"};
        const char *reason = client_text(instance, "reason");
        char numbers[3][32];
        const char *cells[7];

        for (size_t k = 0; k < 3; k++) {
            snprintf(numbers[k], sizeof numbers[k], "%" JSON_INTEGER_FORMAT,
                     json_integer_value(json_object_get(instance, keys[k])));
            cells[3 + k] = numbers[k];
        }
        cells[0] = client_text(instance, "name");
        cells[1] = client_text(instance, "component");
        cells[2] = client_text(instance, "state");
        cells[6] = *reason ? reason : client_text(instance, "last_error");
        table_row(&table, cells);
    }
    if (table.nrows) {
        table_print(&table, stdout, table_colour());
    } else {
        puts("No instance is configured.");
    }
    table_finish(&table);
}

/* "a, b, c and 5 more": one long list must not push all else off the screen. */
static void name_components(const json_t *components, char *space, size_t size)
{
    size_t n = json_array_size(components), len = 0;

    space[0] = '\0';
    for (size_t i = 0; i < n && i < COMPONENTS_SHOWN && len < size; i++) {
        len += (size_t)snprintf(space + len, size - len, "%s%s", i ? ", " : "",
                                json_string_value(json_array_get(components, i)));
    }
    if (n > COMPONENTS_SHOWN && len < size) {
        snprintf(space + len, size - len, " and %zu more", n - COMPONENTS_SHOWN);
    }
}

static void print_plugins(const json_t *plugins)
{
    static const char *const headings[] = {"PLUGIN",     "VERSION",          "STATE",
                                           "COMPONENTS", "FILE, OR WHY NOT", NULL};
    struct table table;
    const json_t *plugin;
    size_t i;

    table_init(&table, headings);
    json_array_foreach(plugins, i, plugin)
    {
        const char *reason = client_text(plugin, "reason");
        char components[512];
        const char *cells[5];

        name_components(json_object_get(plugin, "components"), components, sizeof components);
        cells[0] = client_text(plugin, "name");
        cells[1] = client_text(plugin, "version");
        cells[2] = client_text(plugin, "state");
        cells[3] = components;
        cells[4] = *reason ? reason : client_text(plugin, "file");
        table_row(&table, cells);
    }
    if (table.nrows) {
        table_print(&table, stdout, table_colour());
    } else {
        puts("No plugin was found.");
    }
    table_finish(&table);
}

int cli_plugin_list(struct cli *cli)
{
    struct client_answer answer;
    int r = client_request(cli, "GET", "/api/v1/plugins", NULL, &answer);

    if (r == CLI_OK && answer.status != 200) {
        r = cli_failed("the agent answers %d: %s", answer.status,
                       client_text(answer.json, "error"));
    } else if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK) {
        print_instances(json_object_get(answer.json, "instances"));
        putchar('\n');
        print_plugins(json_object_get(answer.json, "plugins"));
    }
    client_answer_finish(&answer);
    return r;
}

int cli_plugin_retry(struct cli *cli)
{
    const char *name = cli->arguments[0];
    struct client_answer answer = {0}, list = {0};
    struct buf path;
    int r;

    buf_init(&path, LIMIT_HTTP_URL_BYTES);
    buf_puts(&path, "/api/v1/plugins/");
    client_segment(&path, name);
    buf_puts(&path, "/retry");
    r = client_send(cli, "POST", buf_str(&path), NULL, 0, 0, &answer);
    buf_finish(&path);
    if (r == CLI_OK && answer.status == 404) {
        r = client_ask(cli, "GET", "/api/v1/plugins", &list);
        r = r == CLI_OK ? names_unknown("instance", name, json_object_get(list.json, "instances"),
                                        "plugin list")
                        : r;
    } else if (r == CLI_OK && answer.status != 200) {
        r = client_complain(&answer);
    } else if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK && json_is_true(json_object_get(answer.json, "retried"))) {
        printf("%s is tried again now; 'toiletmon plugin list' shows how that goes\n", name);
    } else if (r == CLI_OK) {
        const char *reason = client_text(answer.json, "reason");

        printf("%s is %s and was not waiting to be tried again%s%s\n", name,
               client_text(answer.json, "state"), *reason ? ": " : "", reason);
    }
    client_answer_finish(&list);
    client_answer_finish(&answer);
    return r;
}
