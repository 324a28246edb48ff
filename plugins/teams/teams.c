/*
 * teams.c: the component `teams`: posts notifications to a channel of Microsoft Teams.
 *
 * Runs in a worker.  format() writes one message into a buffer that is kept from call to call; the
 * agent sends it.  The URL is the secret: who has it can post.
 */
#include "teams.h"

#include "../common/post.h"

#define LOOK_BYTES 1024 /* of an answer's body */

static const struct tmon_option options[] = {
    {"webhook_url", TMON_URL, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL,
     "The URL that the workflow of the channel gave.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct teams *teams = self;

    teams->url = tmon_config_string(call, config, "webhook_url");
    outcome_hide_url(&teams->hidden, teams->url);
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct teams *teams = self;

    writer_finish(&teams->json);
}

static tmon_rc format(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request)
{
    static const struct tmon_pair type = {"Content-Type", "application/json"};
    struct teams *teams = self;

    card_write(teams, notification);
    return post_document(call, &teams->json, teams->url, &type, 1, ret_request);
}

/* The status that a connector names in the words of a 200; 0: none. */
static int32_t named_status(const char *body)
{
    static const char before[] = "HTTP error ";
    const char *at = strstr(body, before);
    int32_t status = 0;

    if (at == NULL) {
        return 0;
    }
    at += sizeof before - 1;
    for (const char *end = at + 3; at < end && *at >= '0' && *at <= '9'; at++) {
        status = status * 10 + (*at - '0');
    }
    return status >= 400 && status <= 599 ? status : 0;
}

/*
 * A workflow takes with a 202 and nothing.  A connector takes with "1", and says with a 200 and
 * words that it failed: for the reason that the words name, or one that may pass.  Anything else
 * is a page of something between us.
 */
static tmon_rc judge_yes(const struct tmon_response *response)
{
    const size_t len = response->body.len < LOOK_BYTES ? response->body.len : LOOK_BYTES;
    struct tmon_response named = *response;
    char body[LOOK_BYTES + 1];
    size_t seen = len;

    memcpy(body, len > 0 ? response->body.data : "", len);
    body[len] = '\0';
    while (seen > 0 && strchr(" \t\r\n", body[seen - 1]) != NULL) {
        seen--;
    }
    if (seen == 0 || (seen == 1 && body[0] == '1')) {
        return TMON_OK;
    }
    named.status = named_status(body);
    if (named.status > 0) {
        return outcome_usual(&named);
    }
    if (strstr(body, "delivery failed") != NULL) {
        return TMON_RETRY;
    }
    return response->status == 202 ? TMON_OK : TMON_AMBIGUOUS;
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    const struct teams *teams = self;
    tmon_rc rc = outcome_usual(response);

    if (rc == TMON_OK) {
        rc = judge_yes(response);
    }
    outcome_explain(call, rc, response, "Teams", &teams->hidden);
    return rc;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "teams",
    .summary = "Posts notifications to a channel of Microsoft Teams",
    .options = options,
    .state_size = sizeof(struct teams),
    .create = create,
    .destroy = destroy,
    .format = format,
    .judge = judge,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("teams", "0.1.0", "Apache-2.0", components)
