/*
 * ack.c: `toiletmon ack` and `unack`: somebody sees to an alert, or does no longer.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/show.h"

#define PATH_BYTES 4096

const struct cli_option cli_ack_options[] = {
    CLI_CLIENT_OPTIONS,
    {"by", 'b', "NAME", "who sees to it (default: $USER)", false},
    {"comment", 'm', "TEXT", "what there is to say about it", false},
    CLI_JSON_OPTION,
    {0},
};

const struct cli_option cli_unack_options[] = {CLI_CLIENT_OPTIONS, CLI_JSON_OPTION, {0}};

static int ask(const struct cli *cli, const char *what, const char *body,
               struct client_answer *ret_answer)
{
    const char *id = cli->arguments[0];
    struct buf path;
    int r;

    buf_init(&path, PATH_BYTES);
    buf_puts(&path, "/api/v1/alerts/");
    client_segment(&path, id);
    buf_puts(&path, what);
    if (path.failed || !*id || strspn(id, "0123456789abcdef-") != strlen(id)) {
        r = cli_failed("'%.64s' is neither a fingerprint nor an episode; 'toiletmon alerts --json' "
                       "shows them",
                       id);
    } else {
        r = client_send(cli, "POST", buf_str(&path), body, body ? strlen(body) : 0, 0, ret_answer);
    }
    if (r == CLI_OK && ret_answer->status != 200) {
        r = client_complain(ret_answer);
    }
    buf_finish(&path);
    return r;
}

static int print(const struct cli *cli, const struct client_answer *answer)
{
    const char *by = client_text(answer->json, "by");

    if (cli_flag(cli, "json")) {
        return client_print(answer->json);
    }
    if (json_is_true(json_object_get(answer->json, "acknowledged"))) {
        printf("acknowledged: %s%s", client_text(answer->json, "episode"), *by ? ", by " : "");
        show_text(by);
        putchar('\n');
    } else {
        printf("not acknowledged any more: %s\n", client_text(answer->json, "episode"));
    }
    return CLI_OK;
}

int cli_ack(struct cli *cli)
{
    const char *by = cli_value(cli, "by"), *comment = cli_value(cli, "comment");
    struct client_answer answer = {0};
    json_t *object;
    char *body;
    int r;

    by = by ? by : getenv("USER");
    object = json_pack("{s:s, s:s}", "by", by ? by : "", "comment", comment ? comment : "");
    if (!object) {
        return cli_usage(cli, "the name and the comment must be UTF-8");
    }
    body = json_dumps(object, 0);
    json_decref(object);
    r = body ? ask(cli, "/ack", body, &answer) : cli_failed("there is not enough memory");
    if (r == CLI_OK) {
        r = print(cli, &answer);
    }
    client_answer_finish(&answer);
    free(body);
    return r;
}

int cli_unack(struct cli *cli)
{
    struct client_answer answer = {0};
    int r = ask(cli, "/unack", NULL, &answer);

    if (r == CLI_OK) {
        r = print(cli, &answer);
    }
    client_answer_finish(&answer);
    return r;
}
