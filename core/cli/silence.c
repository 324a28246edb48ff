/*
 * silence.c: `toiletmon silence`: who is to be left in peace, from what, until when.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/client.h"
#include "cli/show.h"
#include "cli/table.h"
#include "model/value.h"

#define PATH_BYTES 4096
#define DURATION_DEFAULT "1h" /* as amtool's */
#define MATCHERS_COLUMNS 56
#define COMMENT_COLUMNS 48

#define WHAT_OPTIONS                                                                               \
    {"comment", 'm', "TEXT", "why", false},                                                        \
        {"author", 'a', "NAME", "who made it (default: $USER)", false},                            \
        {"start", 0, "TIME", "RFC 3339, such as 2026-01-02T03:04:05Z (default: now)", false},      \
    {                                                                                              \
        "end", 0, "TIME", "RFC 3339", false                                                        \
    }

static const struct cli_option add_options[] = {
    CLI_CLIENT_OPTIONS,
    WHAT_OPTIONS,
    {"duration", 'd', "DURATION", "instead of --end (default: " DURATION_DEFAULT ")", false},
    CLI_JSON_OPTION,
    {0},
};
static const struct cli_option edit_options[] = {
    CLI_CLIENT_OPTIONS,
    WHAT_OPTIONS,
    {"duration", 'd', "DURATION", "from now on, or from its start if that is to come", false},
    CLI_JSON_OPTION,
    {0},
};
static const struct cli_option list_options[] = {
    CLI_CLIENT_OPTIONS,
    {"state", 's', "STATE", "only pending, active or expired ones", false},
    {"all", 0, NULL, "those that ended in the last five days too", false},
    {"quiet", 'q', NULL, "ids only", false},
    CLI_JSON_OPTION,
    {0},
};
static const struct cli_option show_options[] = {CLI_CLIENT_OPTIONS, CLI_JSON_OPTION, {0}};
static const struct cli_option expire_options[] = {CLI_CLIENT_OPTIONS, {0}};

/* ---- what is asked for ---- */

/* As amtool: a word without an operator is the name of an alert. */
static char *matcher_of(const char *text)
{
    size_t size = 2 * strlen(text) + sizeof "alertname=\"\"", len;
    char *matcher = malloc(size);

    if (!matcher || strpbrk(text, "=~")) {
        free(matcher);
        return strdup(text);
    }
    len = (size_t)snprintf(matcher, size, "alertname=\"");
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\') {
            matcher[len++] = '\\';
        }
        matcher[len++] = *at;
    }
    matcher[len++] = '"';
    matcher[len] = '\0';
    return matcher;
}

static int put_matchers(const struct cli *cli, json_t *silence, size_t from)
{
    json_t *matchers = json_array();
    int r = CLI_OK;

    for (size_t i = from; i < cli->narguments && r == CLI_OK; i++) {
        char *matcher = matcher_of(cli->arguments[i]);

        if (!matcher || json_array_append_new(matchers, json_string(matcher)) < 0) {
            r = cli_usage(cli, "a matcher is no text in UTF-8");
        }
        free(matcher);
    }
    (void)json_object_set_new(silence, "matchers", matchers);
    return r;
}

static int put_text(const struct cli *cli, json_t *silence, const char *key, const char *text)
{
    if (text && json_object_set_new(silence, key, json_string(text)) < 0) {
        return cli_usage(cli, "the %s is no text in UTF-8", key);
    }
    return CLI_OK;
}

static int put_time(const struct cli *cli, json_t *silence, const char *option, const char *key)
{
    const char *text = cli_value(cli, option);
    int64_t ms;

    if (text && clock_parse_rfc3339(text, &ms) < 0) {
        return cli_usage(cli, "--%s must be a time such as 2026-01-02T03:04:05Z", option);
    }
    return put_text(cli, silence, key, text);
}

static int put_duration(const struct cli *cli, json_t *silence, const char *text)
{
    static const struct value_rule rule = {.type = TMON_DURATION};
    struct value value;
    char why[128];

    if (!text) {
        return CLI_OK;
    }
    if (value_parse(&rule, text, &value, why, sizeof why) < 0) {
        return cli_usage(cli, "--duration %s", why);
    }
    (void)json_object_del(silence, "ends_at");
    return put_text(cli, silence, "duration", text);
}

/* The author that is given, or else whoever runs this. */
static const char *author_of(const struct cli *cli)
{
    static const char *const variables[] = {"USER", "LOGNAME"};
    const char *author = cli_value(cli, "author");

    for (size_t i = 0; i < 2 && !author; i++) {
        author = getenv(variables[i]);
    }
    return author ? author : "";
}

static int post(const struct cli *cli, const json_t *silence)
{
    struct client_answer answer = {0};
    char *body = json_dumps(silence, 0);
    int r = body ? client_send(cli, "POST", "/api/v1/silences", body, strlen(body), 0, &answer)
                 : cli_failed("there is not enough memory");

    if (r == CLI_OK && answer.status != 200) {
        const char *field = client_text(answer.json, "field");

        r = *field ? cli_failed("%s: %s", field, client_text(answer.json, "error"))
                   : client_complain(&answer);
    } else if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK) {
        printf("%s\n", client_text(answer.json, "id"));
    }
    client_answer_finish(&answer);
    free(body);
    return r;
}

static int silence_add(struct cli *cli)
{
    const char *duration = cli_value(cli, "duration");
    json_t *silence = json_object();
    int r;

    if (duration && cli_value(cli, "end")) {
        json_decref(silence);
        return cli_usage(cli, "--duration and --end exclude each other");
    }
    if (!duration && !cli_value(cli, "end")) {
        duration = DURATION_DEFAULT;
    }
    r = put_matchers(cli, silence, 0);
    r = r ? r : put_text(cli, silence, "created_by", author_of(cli));
    r = r ? r : put_text(cli, silence, "comment", cli_value(cli, "comment"));
    r = r ? r : put_time(cli, silence, "start", "starts_at");
    r = r ? r : put_time(cli, silence, "end", "ends_at");
    r = r ? r : put_duration(cli, silence, duration);
    r = r ? r : post(cli, silence);
    json_decref(silence);
    return r;
}

/* ---- one ---- */

static int ask_about(const struct cli *cli, const char *method, const char *id,
                     struct client_answer *ret_answer)
{
    struct buf path;
    int r;

    buf_init(&path, PATH_BYTES);
    buf_puts(&path, "/api/v1/silences/");
    client_segment(&path, id);
    if (!*id || path.failed) {
        r = cli_usage(cli, "that is no id of a silence; 'toiletmon silence list' shows them");
    } else {
        r = client_ask(cli, method, buf_str(&path), ret_answer);
    }
    buf_finish(&path);
    return r;
}

static int silence_show(struct cli *cli)
{
    struct client_answer answer = {0};
    int r = ask_about(cli, "GET", cli->arguments[0], &answer);

    if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK) {
        show_details(answer.json, "");
    }
    client_answer_finish(&answer);
    return r;
}

static int silence_expire(struct cli *cli)
{
    int worst = CLI_OK;

    for (size_t i = 0; i < cli->narguments && worst <= CLI_FAILED; i++) {
        struct client_answer answer = {0};
        int r = ask_about(cli, "DELETE", cli->arguments[i], &answer);

        client_answer_finish(&answer);
        if (r == CLI_OK) {
            printf("expired: %s\n", cli->arguments[i]);
        }
        worst = r > worst ? r : worst;
    }
    return worst;
}

/* What is not said stays; one that has begun keeps its start, one that has ended begins anew. */
static int change(const struct cli *cli, json_t *silence)
{
    bool ended = strcmp(client_text(silence, "state"), "expired") == 0;
    int r = CLI_OK;

    if (ended && !cli_value(cli, "duration") && !cli_value(cli, "end")) {
        return cli_usage(cli, "the silence has ended; --duration or --end begins it anew");
    }
    if (strcmp(client_text(silence, "state"), "pending") != 0) {
        (void)json_object_del(silence, "starts_at");
    }
    (void)json_object_del(silence, "state");
    (void)json_object_del(silence, "updated_at");
    if (cli->narguments > 1) {
        r = put_matchers(cli, silence, 1);
    }
    r = r ? r : put_text(cli, silence, "created_by", cli_value(cli, "author"));
    r = r ? r : put_text(cli, silence, "comment", cli_value(cli, "comment"));
    r = r ? r : put_time(cli, silence, "start", "starts_at");
    r = r ? r : put_time(cli, silence, "end", "ends_at");
    r = r ? r : put_duration(cli, silence, cli_value(cli, "duration"));
    return r ? r : post(cli, silence);
}

static int silence_edit(struct cli *cli)
{
    struct client_answer answer = {0};
    int r;

    if (cli_value(cli, "duration") && cli_value(cli, "end")) {
        return cli_usage(cli, "--duration and --end exclude each other");
    }
    r = ask_about(cli, "GET", cli->arguments[0], &answer);
    r = r ? r : change(cli, answer.json);
    client_answer_finish(&answer);
    return r;
}

/* ---- list ---- */

/* "ends in 2h5m" */
static const char *when(const json_t *silence, char *space, size_t size)
{
    const char *state = client_text(silence, "state");
    bool pending = strcmp(state, "pending") == 0, active = strcmp(state, "active") == 0;
    int64_t ms = 0, now = clock_real_ms();
    char age[32];

    if (clock_parse_rfc3339(client_text(silence, pending ? "starts_at" : "ends_at"), &ms) < 0) {
        return "";
    }
    show_age((double)(pending || active ? ms - now : now - ms) / 1e3, age, sizeof age);
    snprintf(space, size, pending ? "starts in %s" : active ? "ends in %s" : "ended %s ago", age);
    return space;
}

static void add_row(struct table *table, const json_t *silence)
{
    char ends[64], matchers[1024] = "", comment[1024];
    const json_t *matcher;
    const char *cells[6];
    size_t i, len = 0;

    json_array_foreach(json_object_get(silence, "matchers"), i, matcher)
    {
        if (len < sizeof matchers) {
            len += (size_t)snprintf(matchers + len, sizeof matchers - len, "%s%s", len ? ", " : "",
                                    json_string_value(matcher));
        }
    }
    snprintf(comment, sizeof comment, "%.1000s", client_text(silence, "comment"));
    cells[0] = client_text(silence, "id");
    cells[1] = client_text(silence, "state");
    cells[2] = when(silence, ends, sizeof ends);
    cells[3] = table_cut(table_clean(matchers), MATCHERS_COLUMNS);
    cells[4] = client_text(silence, "created_by");
    cells[5] = table_cut(table_clean(comment), COMMENT_COLUMNS);
    table_row(table, cells);
}

static void print_silences(const json_t *document, bool ids_only)
{
    static const char *const headings[] = {"ID",      "STATE",   "WHEN", "ALERTS WITH",
                                           "MADE BY", "COMMENT", NULL};
    const json_t *silence;
    struct table table;
    size_t i;

    table_init(&table, headings);
    json_array_foreach(json_object_get(document, "silences"), i, silence)
    {
        if (ids_only) {
            printf("%s\n", client_text(silence, "id"));
        } else {
            add_row(&table, silence);
        }
    }
    if (table.nrows > 0) {
        table_print(&table, stdout, table_colour());
    } else if (!ids_only) {
        puts("No silences.");
    }
    table_finish(&table);
}

static int silence_list(struct cli *cli)
{
    const char *state = cli_value(cli, "state");
    struct client_answer answer = {0};
    struct buf path;
    int r;

    if (state && cli_flag(cli, "all")) {
        return cli_usage(cli, "--state and --all exclude each other");
    }
    buf_init(&path, PATH_BYTES);
    buf_puts(&path, "/api/v1/silences");
    if (state || cli_flag(cli, "all")) {
        client_parameter(&path, "state", state ? state : "all");
    }
    r = path.failed ? cli_usage(cli, "there is no such state")
                    : client_ask(cli, "GET", buf_str(&path), &answer);
    if (r == CLI_OK && cli_flag(cli, "json")) {
        r = client_print(answer.json);
    } else if (r == CLI_OK) {
        print_silences(answer.json, cli_flag(cli, "quiet"));
    }
    client_answer_finish(&answer);
    buf_finish(&path);
    return r;
}

const struct cli_command cli_silence_commands[] = {
    {"add", "MATCHER...", "Tell nobody of the alerts that fit, for some time; prints the id",
     "A matcher is name=value, name!=value, name=~regex or name!~regex; a word alone is the name "
     "of an alert. All of them\n"
     "must fit. What was told before is still told when it ends.",
     1, CLI_VALUES, add_options, NULL, silence_add},
    {"list", "", "List silences that are active or to come", NULL, 0, 0, list_options, NULL,
     silence_list},
    {"show", "ID", "Show a silence", NULL, 1, 1, show_options, NULL, silence_show},
    {"expire", "ID...", "End silences now", NULL, 1, CLI_VALUES, expire_options, NULL,
     silence_expire},
    {"edit", "ID [MATCHER...]", "Change a silence; prints its id",
     "What is not given stays as it is. With other matchers, or another start of one that has "
     "begun, the old silence ends\n"
     "and a new one takes its place, without a gap.",
     1, CLI_VALUES, edit_options, NULL, silence_edit},
    {0},
};
