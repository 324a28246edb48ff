/*
 * webhook.c: the component `webhook`: posts notifications as Alertmanager does.
 *
 * Runs in a worker.  format() writes one document into a buffer that is kept from call to call;
 * the agent sends it.  What the operator sets is checked once, at the start, because a header that
 * the agent refuses would be found only when an alert is lost.
 */
#include "webhook.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>

static const struct tmon_option options[] = {
    {"url", TMON_URL, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL, "Where to post to.", NULL},
    {"secret", TMON_STRING, TMON_SECRET, NULL, 0, 0, NULL,
     "Signs each request, in the header X-Toiletmon-Signature.", NULL},
    {"headers", TMON_MAP, TMON_SECRET, NULL, 0, 0, NULL, "Headers to send, such as Authorization.",
     NULL},
    {"body", TMON_STRING, TMON_SECRET, NULL, 0, 0, NULL,
     "A Mustache template of the body, in the place of Alertmanager's document.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

#define HEADERS_MAX 100 /* of the operator's; the agent sends 128 */
#define OWN_HEADERS 4   /* beside them */
#define JSON_TYPE "application/json"

struct webhook {
    const char *url, *secret;
    struct tmon_pair *headers; /* the operator's, then room for ours; owned */
    size_t nheaders;           /* the operator's */
    const char *type;          /* their Content-Type; NULL: none, and JSON is sent */
    struct body body;
    struct outcome_hidden hidden;
    char *delivery; /* owned */
    char attempt[16];
    char signature[SIGNATURE_BYTES];
};

static bool is_token(const char *text)
{
    static const char letters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const size_t len = strlen(text);

    return len > 0 && len <= 128 && strspn(text, letters) == len;
}

/* NULL: it may be sent. */
static const char *header_problem(const struct tmon_pair *header)
{
    static const char *const ours[] = {"content-length", "transfer-encoding", "host"};

    if (!is_token(header->key)) {
        return "is no name of a header";
    }
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (strcasecmp(header->key, ours[i]) == 0) {
            return "is set by the agent";
        }
    }
    if (strncasecmp(header->key, "x-toiletmon-", 12) == 0) {
        return "is set by this component";
    }
    for (const unsigned char *p = (const unsigned char *)header->value; *p != '\0'; p++) {
        if ((*p < 0x20 && *p != '\t') || *p == 0x7f) {
            return "has a value with control characters";
        }
    }
    return NULL;
}

/* Its value, and what stands behind a scheme ("Bearer ..."). */
static void hide_header(struct outcome_hidden *hidden, const char *value)
{
    const char *blank = strrchr(value, ' ');

    outcome_hide(hidden, value);
    if (blank != NULL) {
        outcome_hide(hidden, blank + 1);
    }
}

static tmon_rc take_headers(struct tmon_call *call, struct webhook *webhook,
                            const struct tmon_config *config)
{
    const size_t count = tmon_config_count(call, config, "headers");

    if (count > HEADERS_MAX) {
        tmon_log(call, TMON_ERROR, "headers: %d are allowed", HEADERS_MAX);
        return TMON_REJECTED;
    }
    webhook->headers = calloc(count + OWN_HEADERS, sizeof *webhook->headers);
    if (webhook->headers == NULL) {
        tmon_log(call, TMON_ERROR, "out of memory");
        return TMON_RETRY;
    }
    for (size_t i = 0; i < count; i++) {
        const struct tmon_pair header = tmon_config_pair(call, config, "headers", i);
        const char *problem = header_problem(&header);

        if (problem != NULL) {
            tmon_log(call, TMON_ERROR, "headers: the one at place %zu %s", i + 1, problem);
            return TMON_REJECTED;
        }
        if (strcasecmp(header.key, "content-type") == 0) {
            webhook->type = header.value;
        }
        webhook->headers[i] = header;
        hide_header(&webhook->hidden, header.value);
    }
    webhook->nheaders = count;
    return TMON_OK;
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct webhook *webhook = self;
    const char *template;
    tmon_rc rc;

    body_init(&webhook->body);
    webhook->url = tmon_config_string(call, config, "url");
    webhook->secret = tmon_config_string(call, config, "secret");
    outcome_hide_url(&webhook->hidden, webhook->url);
    outcome_hide(&webhook->hidden, webhook->secret);
    rc = take_headers(call, webhook, config);
    template = tmon_config_string(call, config, "body");
    if (rc != TMON_OK || template[0] == '\0') {
        return rc;
    }
    return template_open(call, &webhook->body, template,
                         webhook->type != NULL ? webhook->type : JSON_TYPE);
}

static void destroy(struct tmon_call *call, void *self)
{
    struct webhook *webhook = self;

    body_finish(&webhook->body);
    free(webhook->headers);
    free(webhook->delivery);
}

static bool stands_in_header(unsigned char c)
{
    return c > 0x20 && c < 0x7f && c != '%';
}

/* The id with what cannot stand in a header as %XX. */
static bool write_delivery(struct webhook *webhook, const char *id)
{
    char *text = realloc(webhook->delivery, strlen(id) * 3 + 1);

    if (text == NULL) {
        return false;
    }
    webhook->delivery = text;
    prose_percent(text, id, stands_in_header);
    return true;
}

static void add_header(struct webhook *webhook, struct tmon_request *request, const char *key,
                       const char *value)
{
    webhook->headers[request->nheaders].key = key;
    webhook->headers[request->nheaders].value = value;
    request->nheaders++;
}

static tmon_rc format(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request)
{
    struct webhook *webhook = self;
    const tmon_rc rc = body_write(call, &webhook->body, notification);

    if (rc != TMON_OK) {
        return rc;
    }
    if (!write_delivery(webhook, notification->id)) {
        tmon_log(call, TMON_ERROR, "out of memory");
        return TMON_RETRY;
    }
    (void)snprintf(webhook->attempt, sizeof webhook->attempt, "%u", notification->attempt);
    ret_request->method = "POST";
    ret_request->url = webhook->url;
    ret_request->body.data = webhook->body.json.data;
    ret_request->body.len = webhook->body.json.len;
    ret_request->headers = webhook->headers;
    ret_request->nheaders = webhook->nheaders;
    if (webhook->type == NULL) {
        add_header(webhook, ret_request, "Content-Type", JSON_TYPE);
    }
    add_header(webhook, ret_request, "X-Toiletmon-Delivery", webhook->delivery);
    add_header(webhook, ret_request, "X-Toiletmon-Attempt", webhook->attempt);
    if (webhook->secret[0] != '\0') {
        signature_write(webhook->signature, webhook->secret, (int64_t)time(NULL),
                        ret_request->body.data, ret_request->body.len);
        add_header(webhook, ret_request, "X-Toiletmon-Signature", webhook->signature);
    }
    return TMON_OK;
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    const struct webhook *webhook = self;
    const tmon_rc rc = outcome_usual(response);

    outcome_explain(call, rc, response, "the receiver", &webhook->hidden);
    return rc;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .flags = TMON_2XX_IS_YES | TMON_CREATE_CHECKS,
    .name = "webhook",
    .summary = "Posts notifications as JSON, as Alertmanager's webhook does",
    .options = options,
    .state_size = sizeof(struct webhook),
    .create = create,
    .destroy = destroy,
    .format = format,
    .judge = judge,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("webhook", "0.1.0", "Apache-2.0", components)
