/*
 * outbox.c: `toiletmon outbox`: what was sent where, what waits, and what to do about it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/names.h"
#include "cli/show.h"
#include "cli/table.h"

#define PATH_BYTES 4096
#define TEXT_COLUMNS 56
#define REASON_COLUMNS 64
#define ROUNDS 1000 /* of a retry of all: each is up to 1000 dead letters */

static const struct cli_option list_options[] = {
    CLI_CLIENT_OPTIONS,
    {"sink", 's', "NAME", "only those for this sink", false},
    {"state", 0, "STATE", "only pending, delivered, dead, cancelled or dropped ones", false},
    {"all", 'a', NULL, "delivered, cancelled and dropped ones too", false},
    {"before", 0, "ID", "only older ones than this", false},
    {"limit", 0, "NUMBER", "at most so many, the newest (default: 100)", false},
    CLI_JSON_OPTION,
    {0},
};
static const struct cli_option one_options[] = {CLI_CLIENT_OPTIONS, CLI_JSON_OPTION, {0}};
static const struct cli_option retry_options[] = {
    CLI_CLIENT_OPTIONS,
    {"all-dead", 0, NULL, "all dead letters", false},
    {"sink", 's', "NAME", "of --all-dead only those for this sink", false},
    {0},
};
static const struct cli_option drop_options[] = {CLI_CLIENT_OPTIONS, {0}};

/* ---- list ---- */

static void add_row(struct table *table, const json_t *row)
{
    char id[32], tries[32], age[32], title[1024], reason[1024];
    const char *cells[8];

    snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(row, "id")));
    snprintf(tries, sizeof tries, "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(row, "attempts")));
    show_since(json_object_get(row, "created_at"), age, sizeof age);
    snprintf(title, sizeof title, "%.1000s", client_text(row, "title"));
    snprintf(reason, sizeof reason, "%.1000s", client_text(row, "reason"));
    cells[0] = id;
    cells[1] = client_text(row, "sink");
    cells[2] = json_is_true(json_object_get(row, "parked")) ? "parked" : client_text(row, "state");
    cells[3] = tries;
    cells[4] = age;
    cells[5] = table_cut(table_clean(title), TEXT_COLUMNS);
    cells[6] = table_cut(table_clean(reason), REASON_COLUMNS);
    table_row(table, cells);
}

static void print_rows(const json_t *rows)
{
    static const char *const headings[] = {">ID",  "SINK",  "STATE",  ">TRIES",
                                           ">AGE", "TITLE", "REASON", NULL};
    const json_t *row;
    struct table table;
    size_t i;

    table_init(&table, headings);
    json_array_foreach(rows, i, row)
    {
        add_row(&table, row);
    }
    if (table.nrows > 0) {
        table_print(&table, stdout, table_colour());
    } else {
        puts("No notifications.");
    }
    table_finish(&table);
}

/* Those of one state (NULL: any), appended to `rows`; *ret_next is 0 when these are all. */
static int fetch_rows(const struct cli *cli, const char *state, json_t *rows, json_int_t *ret_next)
{
    static const char *const passed[] = {"sink", "before", "limit"};
    struct client_answer answer = {0};
    struct buf path;
    int r;

    buf_init(&path, PATH_BYTES);
    buf_puts(&path, "/api/v1/notifications");
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        if (cli_value(cli, passed[i])) {
            client_parameter(&path, passed[i], cli_value(cli, passed[i]));
        }
    }
    if (state) {
        client_parameter(&path, "state", state);
    }
    r = path.failed ? cli_usage(cli, "the name of the sink is too long")
                    : client_request(cli, "GET", buf_str(&path), NULL, &answer);
    if (r == CLI_OK && answer.status != 200) {
        r = client_complain(&answer);
    }
    if (r == CLI_OK) {
        (void)json_array_extend(rows, json_object_get(answer.json, "notifications"));
        *ret_next = json_integer_value(json_object_get(answer.json, "next"));
    }
    client_answer_finish(&answer);
    buf_finish(&path);
    return r;
}

static int outbox_list(struct cli *cli)
{
    const char *state = cli_value(cli, "state");
    bool both = !state && !cli_flag(cli, "all"); /* what somebody may have to do something about */
    json_t *rows = json_array(), *document;
    json_int_t next = 0, next_pending = 0;
    int r = fetch_rows(cli, both ? "dead" : state, rows, &next);

    if (r == CLI_OK && both) {
        r = fetch_rows(cli, "pending", rows, &next_pending);
    }
    /* What was sent to a sink that is gone may be looked at; of one that never was there is none.
     */
    if (r == CLI_OK && cli_value(cli, "sink") && json_array_size(rows) == 0) {
        r = names_check_sink(cli, cli_value(cli, "sink"));
    }
    if (r == CLI_OK && cli_flag(cli, "json")) {
        document = json_pack("{s:O}", "notifications", rows);
        r = client_print(document);
        json_decref(document);
    } else if (r == CLI_OK) {
        print_rows(rows);
        if (next > 0) {
            printf("... and older ones: %s--before %" JSON_INTEGER_FORMAT "\n",
                   both ? "--state dead " : "", next);
        }
        if (next_pending > 0) {
            printf("... and older ones: --state pending --before %" JSON_INTEGER_FORMAT "\n",
                   next_pending);
        }
    }
    json_decref(rows);
    return r;
}

/* ---- one ---- */

/* /api/v1/notifications/ID and what follows. */
static int ask_about(const struct cli *cli, const char *method, const char *id, const char *what,
                     struct client_answer *ret_answer)
{
    struct buf path;
    int r;

    buf_init(&path, PATH_BYTES);
    buf_puts(&path, "/api/v1/notifications/");
    client_segment(&path, id);
    buf_puts(&path, what);
    if (!*id || strspn(id, "0123456789") != strlen(id) || path.failed) {
        r = cli_usage(cli,
                      "'%.32s' is no number of a notification; 'toiletmon outbox list' shows "
                      "them",
                      id);
    } else {
        r = client_ask(cli, method, buf_str(&path), ret_answer);
    }
    buf_finish(&path);
    return r;
}

static void print_one(json_t *row)
{
    json_t *alerts = json_incref(json_object_get(row, "alerts")), *alert;
    size_t i;

    (void)json_object_del(row, "alerts");
    show_details(row, "");
    json_array_foreach(alerts, i, alert)
    {
        putchar('\n');
        show_details(alert, "");
    }
    json_decref(alerts);
}

static int outbox_show(struct cli *cli)
{
    struct client_answer answer = {0};
    int r = ask_about(cli, "GET", cli->arguments[0], "", &answer);

    if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK) {
        print_one(answer.json);
    }
    client_answer_finish(&answer);
    return r;
}

/* For each number on the command line; goes on after one that failed. */
static int for_each(const struct cli *cli, const char *what, const char *done)
{
    int worst = CLI_OK;

    for (size_t i = 0; i < cli->narguments; i++) {
        struct client_answer answer = {0};
        int r = ask_about(cli, "POST", cli->arguments[i], what, &answer);

        client_answer_finish(&answer);
        if (r == CLI_OK) {
            printf("%s %s\n", done, cli->arguments[i]);
        }
        worst = r > worst ? r : worst;
        if (r > CLI_FAILED) {
            break; /* nobody there, or not allowed: the next one would not fare better */
        }
    }
    return worst;
}

/* The agent takes a thousand at a time and says where to go on; each is taken once, also when it is
 * dead again meanwhile. */
static int retry_dead(const struct cli *cli)
{
    json_int_t next = 0, total = 0;
    int r = CLI_OK;

    for (int round = 0; r == CLI_OK && round < ROUNDS; round++) {
        struct client_answer answer = {0};
        struct buf path;
        char before[32];

        buf_init(&path, PATH_BYTES);
        buf_puts(&path, "/api/v1/notifications/retry");
        if (cli_value(cli, "sink")) {
            client_parameter(&path, "sink", cli_value(cli, "sink"));
        }
        if (next > 0) {
            snprintf(before, sizeof before, "%" JSON_INTEGER_FORMAT, next);
            client_parameter(&path, "before", before);
        }
        r = client_request(cli, "POST", buf_str(&path), NULL, &answer);
        if (r == CLI_OK && answer.status != 200) {
            r = client_complain(&answer);
        }
        next = json_integer_value(json_object_get(answer.json, "next"));
        total += json_integer_value(json_object_get(answer.json, "retried"));
        client_answer_finish(&answer);
        buf_finish(&path);
        if (next == 0) {
            break;
        }
    }
    if (r == CLI_OK && total == 0 && cli_value(cli, "sink")) {
        r = names_check_sink(cli, cli_value(cli, "sink"));
    }
    if (r == CLI_OK || total > 0) {
        printf("queued again: %" JSON_INTEGER_FORMAT "\n", total);
    }
    return r;
}

static int outbox_retry(struct cli *cli)
{
    bool all = cli_flag(cli, "all-dead");

    if (all == (cli->narguments > 0)) {
        return cli_usage(cli, "give numbers of notifications, or --all-dead");
    }
    if (cli_value(cli, "sink") && !all) {
        return cli_usage(cli, "--sink goes with --all-dead");
    }
    return all ? retry_dead(cli) : for_each(cli, "/retry", "queued again:");
}

static int outbox_drop(struct cli *cli)
{
    return for_each(cli, "/drop", "dropped:");
}

const struct cli_command cli_outbox_commands[] = {
    {"list", "", "List what waits to be delivered and what could not be",
     "A dead letter is a notification that its sink has refused for good, or that was tried for "
     "too "
     "long. One that is\n"
     "parked waits for a sink that is not configured any more.",
     0, 0, list_options, NULL, outbox_list},
    {"show", "ID", "Show a notification with the alerts in it", NULL, 1, 1, one_options, NULL,
     outbox_show},
    {"retry", "[ID...]", "Try to deliver a notification again, now",
     "Of dead letters they are queued again; those that wait are tried at once.", 0, CLI_VALUES,
     retry_options, NULL, outbox_retry},
    {"drop", "ID...", "Give up a notification: it is never delivered", NULL, 1, CLI_VALUES,
     drop_options, NULL, outbox_drop},
    {0},
};
