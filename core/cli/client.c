/*
 * client.c: asks an agent by HTTP.  The main thread of the command line, which waits for it.
 */
#include "cli/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "model/value.h"

#define DEFAULT_URL "http://127.0.0.1:9909"
#define DEFAULT_TIMEOUT_MS 10000
#define BODY_BYTES (64u << 20) /* a scrape of half a million series */

const char *client_url(const struct cli *cli)
{
    const char *url = cli_value(cli, "url");

    if (!url) {
        url = getenv("TOILETMON_URL");
    }
    return url && *url ? url : DEFAULT_URL;
}

const char *client_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* On a terminal nothing but ASCII: what others wrote must not turn it upside down. */
int client_print(const json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY |
                                      (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0));

    if (!text) {
        return cli_failed("there is not enough memory");
    }
    puts(text);
    free(text);
    return CLI_OK;
}

void client_answer_finish(struct client_answer *answer)
{
    json_decref(answer->json);
    free(answer->owned);
    memset(answer, 0, sizeof *answer);
}

/* unix:/PATH or http(s)://HOST:PORT, with nothing behind. */
static int read_url(const struct cli *cli, const char *url, struct buf *base,
                    struct fetch_client_options *options)
{
    const struct value_rule rule = {.type = TMON_URL};
    struct value none;
    char why[128];
    size_t len = strlen(url);

    if (strncmp(url, "unix:", 5) == 0) {
        options->unix_path = url + 5 + (strncmp(url + 5, "//", 2) == 0 ? 2 : 0);
        if (options->unix_path[0] != '/') {
            return cli_usage(
                cli, "the socket's path must be absolute, as in unix:/run/toiletmon/api.sock");
        }
        buf_puts(base, "http://localhost");
        return CLI_OK;
    }
    if (value_parse(&rule, url, &none, why, sizeof why)) {
        return cli_usage(cli, "the agent's URL %s", why);
    }
    while (len > 0 && url[len - 1] == '/') {
        len--;
    }
    buf_append(base, url, len);
    return CLI_OK;
}

static int read_timeout(const struct cli *cli, int64_t patience_ms, int64_t *ret_ms)
{
    const struct value_rule rule = {.type = TMON_DURATION, .min = 10, .max = 3600000};
    const char *text = cli_value(cli, "timeout");
    struct value value = {.num = patience_ms ? patience_ms : DEFAULT_TIMEOUT_MS};
    char why[128];

    if (text && value_parse(&rule, text, &value, why, sizeof why)) {
        return cli_usage(cli, "--timeout %s", why);
    }
    *ret_ms = value.num;
    return CLI_OK;
}

static int judge(const struct cli *cli, const struct tmon_response *response, bool wants_json,
                 struct client_answer *answer)
{
    json_error_t error;

    if (response->status == 0) {
        fprintf(stderr, "toiletmon: no agent answers at %s: %s\n", client_url(cli),
                *response->error ? response->error : "no answer");
        return CLI_UNREACHABLE;
    }
    answer->status = response->status;
    answer->owned = malloc(response->body.len + 1);
    if (!answer->owned) {
        return cli_failed("there is not enough memory");
    }
    if (response->body.len) {
        memcpy(answer->owned, response->body.data, response->body.len);
    }
    answer->owned[response->body.len] = '\0';
    answer->body = answer->owned;
    answer->len = response->body.len;
    answer->json = json_loadb(answer->body, answer->len, JSON_REJECT_DUPLICATES, &error);
    if (answer->status == 401 || answer->status == 403) {
        const char *hint = client_text(answer->json, "hint");

        fprintf(stderr, "toiletmon: the agent refuses: %s%s%s\n",
                client_text(answer->json, "error"), *hint ? "; " : "", hint);
        fprintf(stderr, "The token is taken from the variable TOILETMON_TOKEN.\n");
        return CLI_DENIED;
    }
    if (response->truncated) {
        return cli_failed("the answer is longer than %u bytes", BODY_BYTES);
    }
    if (wants_json && !answer->json) {
        fprintf(stderr, "toiletmon: what answers at %s is no toiletmon agent (status %d)\n",
                client_url(cli), answer->status);
        return CLI_UNREACHABLE;
    }
    return CLI_OK;
}

struct asking {
    const char *method, *path, *accept, *body;
    size_t len;
    int64_t patience_ms;
};

static int ask(const struct cli *cli, const struct asking *asking, struct client_answer *ret_answer)
{
    struct fetch_client_options options = {.ca_file = cli_value(cli, "ca-file"),
                                           .body_bytes = BODY_BYTES};
    struct tmon_request request = {
        .size = sizeof request, .method = asking->method, .body = {asking->body, asking->len}};
    struct tmon_pair headers[3];
    struct fetch_answer *answer = NULL;
    const char *token = getenv("TOILETMON_TOKEN");
    struct buf url, bearer;
    int r;

    memset(ret_answer, 0, sizeof *ret_answer);
    buf_init(&url, 8192);
    buf_init(&bearer, 8192);
    r = read_url(cli, client_url(cli), &url, &options);
    if (r == CLI_OK) {
        r = read_timeout(cli, asking->patience_ms, &options.timeout_ms);
    }
    if (r) {
        goto out;
    }
    buf_puts(&url, asking->path);
    headers[request.nheaders++] =
        (struct tmon_pair){"Accept", asking->accept ? asking->accept : "application/json"};
    if (asking->body) {
        headers[request.nheaders++] = (struct tmon_pair){"Content-Type", "application/json"};
    }
    if (token && *token && strcmp(asking->method, "GET") != 0) { // reads need none
        buf_printf(&bearer, "Bearer %s", token);
        headers[request.nheaders++] = (struct tmon_pair){"Authorization", buf_str(&bearer)};
    }
    request.url = buf_str(&url);
    request.headers = headers;
    r = fetch_client_request(&options, &request, &answer);
    if (r == -ENOENT) {
        r = cli_failed("toiletmon-fetch is missing; install it beside toiletmon again");
    } else if (r) {
        r = cli_failed("toiletmon-fetch cannot be used: %s", log_errno(r));
    } else {
        r = judge(cli, answer->response, asking->accept == NULL, ret_answer);
    }
out:
    fetch_answer_destroy(answer);
    buf_finish(&url);
    buf_finish(&bearer);
    return r;
}

int client_request(const struct cli *cli, const char *method, const char *path, const char *accept,
                   struct client_answer *ret_answer)
{
    return ask(cli, &(struct asking){.method = method, .path = path, .accept = accept}, ret_answer);
}

int client_ask(const struct cli *cli, const char *method, const char *path,
               struct client_answer *ret_answer)
{
    int r = client_request(cli, method, path, NULL, ret_answer);

    return r == CLI_OK && ret_answer->status != 200 ? client_complain(ret_answer) : r;
}

int client_send(const struct cli *cli, const char *method, const char *path, const char *body,
                size_t len, int64_t patience_ms, struct client_answer *ret_answer)
{
    const struct asking asking = {
        .method = method, .path = path, .body = body, .len = len, .patience_ms = patience_ms};

    return ask(cli, &asking, ret_answer);
}

int client_complain(const struct client_answer *answer)
{
    const char *error = client_text(answer->json, "error"),
               *hint = client_text(answer->json, "hint");

    json_int_t line = json_integer_value(json_object_get(answer->json, "line"));
    char where[64] = "";

    if (line > 0) {
        snprintf(where, sizeof where,
                 " (line %" JSON_INTEGER_FORMAT ", column %" JSON_INTEGER_FORMAT ")", line,
                 json_integer_value(json_object_get(answer->json, "column")));
    }
    return cli_failed("the agent answers %d: %s%s%s%s", answer->status,
                      *error ? error : "no reason given", where, *hint ? "; " : "", hint);
}

void client_segment(struct buf *path, const char *text)
{
    for (; *text; text++) {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~", *text)) {
            buf_putc(path, *text);
        } else {
            buf_printf(path, "%%%02X", (unsigned)(unsigned char)*text);
        }
    }
}

void client_parameter(struct buf *path, const char *name, const char *value)
{
    buf_putc(path, path->data && strchr(path->data, '?') ? '&' : '?');
    buf_puts(path, name);
    buf_putc(path, '=');
    client_segment(path, value);
}
