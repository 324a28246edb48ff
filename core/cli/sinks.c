/*
 * sinks.c: `toiletmon sinks`: where notifications go, and whether they arrive.
 */
#include <string.h>

#include "base/plural.h"
#include "cli/client.h"
#include "cli/names.h"
#include "cli/show.h"
#include "cli/table.h"

#define PATH_BYTES 1024
#define TEST_MS 130000 /* the far end may take its time; the agent gives up before */

static const struct cli_option options[] = {CLI_CLIENT_OPTIONS, CLI_JSON_OPTION, {0}};

/* One that has not failed often enough to rest is `well` for the agent, not for people. */
static const char *word(const json_t *sink)
{
    const char *state = client_text(sink, "state");

    return strcmp(state, "well") == 0 && *client_text(sink, "reason") &&
                   json_integer_value(json_object_get(sink, "pending")) > 0
               ? "failing"
               : state;
}

static void print_trouble(const json_t *sink)
{
    json_int_t pending = json_integer_value(json_object_get(sink, "pending"));
    json_int_t dead = json_integer_value(json_object_get(sink, "dead"));
    const char *reason = client_text(sink, "reason"), *state = word(sink);
    char age[32];

    if (strcmp(state, "well") == 0) {
        state = "well by now, but not all was delivered";
    }
    printf("the sink %s is %s", client_text(sink, "name"), state);
    if (pending > 0) {
        printf(", %" JSON_INTEGER_FORMAT " wait, the oldest for %s", pending,
               show_since(json_object_get(sink, "oldest_at"), age, sizeof age));
    }
    if (dead > 0) {
        printf(", %" JSON_INTEGER_FORMAT " dead letter%s", dead, plural((uint64_t)dead));
    }
    if (*reason) {
        printf(": ");
        show_text(reason);
    }
    putchar('\n');
}

void cli_sinks_trouble(const struct cli *cli)
{
    struct client_answer answer;
    const json_t *sink;
    size_t i;

    if (client_request(cli, "GET", "/api/v1/sinks", NULL, &answer) == CLI_OK) {
        json_array_foreach(json_object_get(answer.json, "sinks"), i, sink)
        {
            const char *state = word(sink);

            if ((strcmp(state, "well") != 0 && strcmp(state, "disabled") != 0) ||
                json_integer_value(json_object_get(sink, "dead")) > 0) {
                print_trouble(sink);
            }
        }
    }
    client_answer_finish(&answer);
}

static void print_sinks(const json_t *sinks)
{
    static const char *const headings[] = {"SINK",  "STATE",      ">PENDING", ">OLDEST",
                                           ">DEAD", ">DELIVERED", "REASON",   NULL};
    const json_t *sink;
    struct table table;
    size_t i;

    table_init(&table, headings);
    json_array_foreach(sinks, i, sink)
    {
        char pending[32], oldest[32], dead[32], delivered[32];
        const char *cells[7];

        snprintf(pending, sizeof pending, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(sink, "pending")));
        snprintf(dead, sizeof dead, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(sink, "dead")));
        cells[0] = client_text(sink, "name");
        cells[1] = word(sink);
        cells[2] = pending;
        cells[3] = show_since(json_object_get(sink, "oldest_at"), oldest, sizeof oldest);
        cells[4] = dead;
        cells[5] = show_since(json_object_get(sink, "delivered_at"), delivered, sizeof delivered);
        cells[6] = client_text(sink, "reason");
        table_row(&table, cells);
    }
    if (table.nrows > 0) {
        table_print(&table, stdout, table_colour());
    } else {
        puts("No sinks.");
    }
    table_finish(&table);
}

static int sinks_list(struct cli *cli)
{
    struct client_answer answer;
    int r = client_request(cli, "GET", "/api/v1/sinks", NULL, &answer);

    if (r == CLI_OK && answer.status != 200) {
        r = client_complain(&answer);
    } else if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK) {
        print_sinks(json_object_get(answer.json, "sinks"));
    }
    client_answer_finish(&answer);
    return r;
}

static int ask_sink(const struct cli *cli, const char *what, int64_t patience_ms,
                    struct client_answer *ret_answer)
{
    struct buf path;
    int r = names_check_sink(cli, cli->arguments[0]);

    buf_init(&path, PATH_BYTES);
    buf_puts(&path, "/api/v1/sinks/");
    client_segment(&path, cli->arguments[0]);
    buf_puts(&path, what);
    if (r == CLI_OK) {
        r = client_send(cli, "POST", buf_str(&path), NULL, 0, patience_ms, ret_answer);
    }
    buf_finish(&path);
    return r;
}

static int sinks_test(struct cli *cli)
{
    struct client_answer answer = {0};
    int r = ask_sink(cli, "/test", TEST_MS, &answer);
    const char *result = client_text(answer.json, "result");
    const char *reason = client_text(answer.json, "reason");
    json_int_t status = json_integer_value(json_object_get(answer.json, "status"));
    char far_end[64] = "";

    if (status > 0) {
        snprintf(far_end, sizeof far_end, "HTTP status %" JSON_INTEGER_FORMAT ", ", status);
    }
    if (r == CLI_OK && !*result) {
        r = client_complain(&answer);
    } else if (r == CLI_OK && cli_flag(cli, "json")) {
        (void)client_print(answer.json);
        r = strcmp(result, "delivered") == 0 ? CLI_OK : CLI_FAILED;
    } else if (r == CLI_OK && strcmp(result, "delivered") == 0) {
        printf("%s has taken the test (%s%.2f s)", cli->arguments[0], far_end,
               json_number_value(json_object_get(answer.json, "duration")));
        if (*reason) {
            printf(": ");
            show_text(reason);
        }
        putchar('\n');
    } else if (r == CLI_OK) {
        r = cli_failed("%s has not taken the test (%s%s): %s", cli->arguments[0], far_end, result,
                       *reason ? reason : "no reason given");
    }
    client_answer_finish(&answer);
    return r;
}

static int sinks_resume(struct cli *cli)
{
    struct client_answer answer = {0};
    int r = ask_sink(cli, "/resume", 0, &answer);

    if (r == CLI_OK && answer.status != 200) {
        r = client_complain(&answer);
    } else if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK) {
        printf("%s goes on\n", cli->arguments[0]);
    }
    client_answer_finish(&answer);
    return r;
}

const struct cli_command cli_sinks_commands[] = {
    {"list", "", "List the sinks of an agent and how they fare",
     "paused: it refused with 401, 403 or 404, so its settings are wrong; nothing is lost "
     "meanwhile. "
     "resting: it failed\n"
     "several times in a row and is left alone for a while. failing: its last attempt failed, and "
     "some "
     "wait. broken: its plugin does not run; see "
     "'toiletmon plugin list'.\n"
     "parked: it is not configured any more.",
     0, 0, options, NULL, sinks_list},
    {"test", "NAME", "Send a test to a sink and say what the far end answers",
     "It does not wait behind what is queued. When it arrives, a pause of the sink ends. Exits "
     "with 1 "
     "if it does not.",
     1, 1, options, NULL, sinks_test},
    {"resume", "NAME", "End a pause or rest of a sink: what waits is tried now", NULL, 1, 1,
     options, NULL, sinks_resume},
    {0},
};
