/*
 * pagerduty.c: the component `pagerduty`: opens, acknowledges and ends PagerDuty's incidents, one
 * an episode.
 *
 * Runs in a worker.  format() writes one event into a buffer that is kept from call to call; the
 * agent sends it.  The routing key is the secret, and it travels in the body.  It is looked at
 * once, at the start, because PagerDuty says that it is wrong only when an alert is there.
 */
#include "pagerduty.h"

#include "../common/post.h"

#define KEY_LETTERS 32
#define THROTTLED_MS 120000 /* PagerDuty says "a few minutes", and no Retry-After */

static const struct tmon_option options[] = {
    {"routing_key", TMON_STRING, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL,
     "The integration key of a service or ruleset, for Events API v2: 32 letters and digits.",
     NULL},
    {"url", TMON_URL, 0, "https://events.pagerduty.com/v2/enqueue", 0, 0, NULL,
     "Where events go; of accounts in the EU https://events.eu.pagerduty.com/v2/enqueue.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct pagerduty *pagerduty = self;

    pagerduty->routing_key = tmon_config_string(call, config, "routing_key");
    pagerduty->url = tmon_config_string(call, config, "url");
    outcome_hide(&pagerduty->hidden, pagerduty->routing_key);
    outcome_hide_url(&pagerduty->hidden, pagerduty->url);
    if (strlen(pagerduty->routing_key) != KEY_LETTERS ||
        strspn(pagerduty->routing_key, letters) != KEY_LETTERS) {
        tmon_log(call, TMON_ERROR,
                 "routing_key: an integration key has %d letters and digits; take the one of an "
                 "integration \"Events API v2\"",
                 KEY_LETTERS);
        return TMON_REJECTED;
    }
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct pagerduty *pagerduty = self;

    writer_finish(&pagerduty->json);
    pairs_finish(&pagerduty->pairs);
}

static tmon_rc format(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request)
{
    static const struct tmon_pair type = {"Content-Type", "application/json"};
    struct pagerduty *pagerduty = self;

    event_write(pagerduty, notification);
    return post_document(call, &pagerduty->json, pagerduty->url, &type, 1, ret_request);
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    const struct pagerduty *pagerduty = self;
    struct tmon_response answer = *response;
    const tmon_rc rc = outcome_accepted(response);

    if (response->status == 429 && response->retry_after_ms < 0) {
        answer.retry_after_ms = THROTTLED_MS;
    }
    outcome_explain(call, rc, &answer, "PagerDuty", &pagerduty->hidden);
    return rc;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .flags = TMON_ONE_ALERT | TMON_CREATE_CHECKS | TMON_WANTS_ACKS,
    .name = "pagerduty",
    .summary = "Opens, acknowledges and resolves incidents of PagerDuty",
    .options = options,
    .state_size = sizeof(struct pagerduty),
    .create = create,
    .destroy = destroy,
    .format = format,
    .judge = judge,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("pagerduty", "0.1.0", "Apache-2.0", components)
