/*
 * slack.c: the component `slack`: posts notifications to an incoming webhook of Slack.
 *
 * Runs in a worker.  format() writes one message into a buffer that is kept from call to call; the
 * agent sends it.  The URL is the secret: who has it can post.
 */
#include "slack.h"

#include "../common/post.h"

#define MENTION_BYTES 200

static const struct tmon_option options[] = {
    {"webhook_url", TMON_URL, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL,
     "The URL that Slack gave to the incoming webhook.", NULL},
    {"mention_critical", TMON_STRING, 0, NULL, 0, 0, NULL,
     "Whom to call when a critical alert fires, as Slack writes it: <!here>, <@U012AB3CD>.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct slack *slack = self;

    slack->url = tmon_config_string(call, config, "webhook_url");
    slack->mention = tmon_config_string(call, config, "mention_critical");
    outcome_hide_url(&slack->hidden, slack->url);
    if (strlen(slack->mention) > MENTION_BYTES) {
        tmon_log(call, TMON_ERROR, "mention_critical: %d bytes are allowed", MENTION_BYTES);
        return TMON_REJECTED;
    }
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct slack *slack = self;

    writer_finish(&slack->json);
}

static tmon_rc format(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request)
{
    static const struct tmon_pair type = {"Content-Type", "application/json"};
    struct slack *slack = self;

    message_write(slack, notification);
    return post_document(call, &slack->json, slack->url, &type, 1, ret_request);
}

/* Slack says "ok"; a page of something between us and Slack may come with a 200, too. */
static bool is_ok(const struct tmon_response *response)
{
    const char *body = response->body.data;
    size_t len = response->body.len;

    while (len > 0 && strchr(" \r\n", body[len - 1]) != NULL) {
        len--;
    }
    return len == 2 && memcmp(body, "ok", 2) == 0;
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    const struct slack *slack = self;
    tmon_rc rc = outcome_usual(response);

    if (rc == TMON_OK && !is_ok(response)) {
        rc = TMON_AMBIGUOUS;
    }
    outcome_explain(call, rc, response, "Slack", &slack->hidden);
    return rc;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "slack",
    .summary = "Posts notifications to a channel of Slack",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct slack),
    .create = create,
    .destroy = destroy,
    .format = format,
    .judge = judge,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("slack", "0.1.0", "Apache-2.0", components)
