/*
 * rules.c: `toiletmon rules`: what rules are there and how they are, what an expression gives, and
 * unit tests.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/show.h"
#include "cli/table.h"
#include "rules/unit_test.h"

#define ERROR_COLUMNS 60
#define PATH_BYTES 65536

/* ---- list ---- */

/* "12", "3.4k", "1.2M" */
static void short_number(const json_t *number, char *space, size_t size)
{
    double value = json_number_value(number);

    if (value < 10000) {
        snprintf(space, size, "%.0f", value);
    } else if (value < 10e6) {
        snprintf(space, size, "%.1fk", value / 1e3);
    } else {
        snprintf(space, size, "%.1fM", value / 1e6);
    }
}

static void add_rule(struct table *table, const json_t *group, const json_t *rule)
{
    const json_t *error = json_object_get(rule, "error");
    const char *state = client_text(rule, "state");
    char last[32], took[32], series[32], samples[32], bytes[32], text[512], what[64], size[104];
    const char *cells[8];

    show_since(json_object_get(rule, "evaluated_at"), last, sizeof last);
    snprintf(took, sizeof took, "%.2f ms",
             1e3 * json_number_value(json_object_get(rule, "evaluation_seconds")));
    short_number(json_object_get(rule, "series"), series, sizeof series);
    short_number(json_object_get(rule, "samples"), samples, sizeof samples);
    short_number(json_object_get(rule, "bytes"), bytes, sizeof bytes);
    snprintf(size, sizeof size, "%s / %s / %s", series, samples, bytes);
    snprintf(what, sizeof what, "%.30s%s", state,
             json_is_true(json_object_get(rule, "warming_up")) ? " (warming up)" : "");
    snprintf(text, sizeof text, "%.500s", json_is_string(error) ? json_string_value(error) : "");
    cells[0] = client_text(group, "name");
    cells[1] = client_text(rule, "name");
    cells[2] = what;
    cells[3] = last;
    cells[4] = took;
    cells[5] = size;
    cells[6] = table_cut(table_clean(text), ERROR_COLUMNS);
    table_row(table, cells);
}

int cli_rules_list(struct cli *cli)
{
    static const char *const headings[] = {
        "GROUP", "RULE", "STATE", ">EVALUATED", ">TOOK", ">SERIES/SAMPLES/BYTES", "ERROR", NULL};
    struct client_answer answer;
    const json_t *group, *rule;
    struct table table;
    bool failing = false;
    size_t i, j;
    int r = client_request(cli, "GET", "/api/v1/rules", NULL, &answer);

    if (r == CLI_OK && answer.status != 200) {
        r = client_complain(&answer);
    }
    if (r != CLI_OK) {
        client_answer_finish(&answer);
        return r;
    }
    table_init(&table, headings);
    json_array_foreach(json_object_get(answer.json, "groups"), i, group)
    {
        json_array_foreach(json_object_get(group, "rules"), j, rule)
        {
            failing = failing || json_is_string(json_object_get(rule, "error"));
            add_rule(&table, group, rule);
        }
    }
    if (cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (table.nrows > 0) {
        table_print(&table, stdout, table_colour());
    } else {
        puts("There are no rules.");
    }
    table_finish(&table);
    client_answer_finish(&answer);
    return r == CLI_OK && failing ? CLI_FAILED : r;
}

/* ---- eval ---- */

static void print_series(const json_t *labels)
{
    const char *name;
    const json_t *value;
    bool first = true;

    show_text(client_text(labels, "__name__"));
    putchar('{');
    json_object_foreach((json_t *)labels, name, value)
    {
        if (strcmp(name, "__name__") != 0) {
            printf("%s%s=\"", first ? "" : ", ", name);
            show_text(json_string_value(value));
            putchar('"');
            first = false;
        }
    }
    putchar('}');
}

int cli_rules_eval(struct cli *cli)
{
    struct client_answer answer = {0};
    const json_t *element;
    struct buf path;
    size_t i;
    int r;

    buf_init(&path, PATH_BYTES);
    buf_puts(&path, "/api/v1/rules/eval");
    client_parameter(&path, "expr", cli->arguments[0]);
    if (path.failed) {
        buf_finish(&path);
        return cli_failed("the expression is too long");
    }
    r = client_request(cli, "GET", buf_str(&path), NULL, &answer);
    buf_finish(&path);
    if (r == CLI_OK && answer.status != 200) {
        r = client_complain(&answer);
    }
    if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK) {
        bool vector = strcmp(client_text(answer.json, "type"), "vector") == 0;

        json_array_foreach(json_object_get(answer.json, "result"), i, element)
        {
            if (vector) {
                print_series(json_object_get(element, "labels"));
                putchar(' ');
            }
            puts(client_text(element, "value"));
        }
        if (i == 0) {
            puts(*client_text(answer.json, "text") ? client_text(answer.json, "text")
                                                   : "(nothing)");
        }
        if (*client_text(answer.json, "warning")) {
            (void)fprintf(stderr, "toiletmon: warning: %s\n", client_text(answer.json, "warning"));
        }
    }
    client_answer_finish(&answer);
    return r;
}

/* ---- test ---- */

int cli_rules_test(struct cli *cli)
{
    bool failed = false;

    for (size_t i = 0; i < cli->narguments; i++) {
        int r = unit_test_file(cli->arguments[i], stdout, stderr);

        if (r == -ENOMEM) {
            return cli_failed("there is not enough memory");
        }
        failed = failed || r != 0;
    }
    return failed ? CLI_FAILED : CLI_OK;
}
