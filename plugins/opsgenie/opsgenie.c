/*
 * opsgenie.c: the component `opsgenie`: opens, acknowledges and closes alerts of Opsgenie, one an
 * episode.
 *
 * Runs in a worker.  format() writes one document into a buffer that is kept from call to call; the
 * agent sends it.  An alert is known by its alias, which is the episode's key, in the document that
 * opens it and in the path of the requests that acknowledge and close it.
 */
#include "opsgenie.h"

#include <stdlib.h>

#include "../common/post.h"

#define PATH "/v2/alerts"
#define CLOSE "/close?identifierType=alias"
#define ACKNOWLEDGE "/acknowledge?identifierType=alias" /* the longest */
#define SCHEME "GenieKey "

static const struct tmon_option options[] = {
    {"api_key", TMON_STRING, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL,
     "The key of an API integration.", NULL},
    {"api_url", TMON_URL, 0, "https://api.opsgenie.com", 0, 0, NULL,
     "Where the API is; of accounts in the EU https://api.eu.opsgenie.com.", NULL},
    {"teams", TMON_LIST, 0, NULL, 0, 0, NULL,
     "Names of teams that respond, up to 50; without them the integration decides.", NULL},
    {"tags", TMON_LIST, 0, NULL, 0, 0, NULL, "Tags of each alert, up to 20 of 50 characters.",
     NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

/* NULL: they can be sent. */
static const char *problem_of(struct tmon_call *call, const struct tmon_config *config)
{
    const size_t teams = tmon_config_count(call, config, "teams");
    const size_t tags = tmon_config_count(call, config, "tags");

    if (!post_is_key(tmon_config_string(call, config, "api_key"))) {
        return "api_key: a key has neither blanks nor control characters";
    }
    if (strpbrk(tmon_config_string(call, config, "api_url"), "?#") != NULL) {
        return "api_url: there is no query in it; /v2/alerts is put behind it";
    }
    if (teams > TEAMS_MAX) {
        return "teams: Opsgenie takes 50";
    }
    if (tags > TAGS_MAX) {
        return "tags: Opsgenie takes 20";
    }
    for (size_t i = 0; i < teams; i++) {
        if (!prose_seen(tmon_config_item(call, config, "teams", i))) {
            return "teams: one has no name";
        }
    }
    for (size_t i = 0; i < tags; i++) {
        if (!prose_seen(tmon_config_item(call, config, "tags", i))) {
            return "tags: one is empty";
        }
    }
    return NULL;
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct opsgenie *opsgenie = self;
    const char *key = tmon_config_string(call, config, "api_key");
    const char *url = tmon_config_string(call, config, "api_url");
    const char *problem = problem_of(call, config);
    const size_t key_len = strlen(key);

    opsgenie->config = config;
    outcome_hide(&opsgenie->hidden, key);
    outcome_hide_url(&opsgenie->hidden, url);
    if (problem != NULL) {
        tmon_log(call, TMON_ERROR, "%s", problem);
        return TMON_REJECTED;
    }
    opsgenie->create_url = post_url(url, PATH);
    opsgenie->base_len = opsgenie->create_url == NULL ? 0 : strlen(opsgenie->create_url);
    opsgenie->alias_url = malloc(opsgenie->base_len + 3 * ALIAS_BYTES + sizeof ACKNOWLEDGE + 1);
    opsgenie->authorization = malloc(sizeof SCHEME + key_len);
    if (opsgenie->create_url == NULL || opsgenie->alias_url == NULL ||
        opsgenie->authorization == NULL) {
        tmon_log(call, TMON_ERROR, "out of memory");
        return TMON_RETRY;
    }
    memcpy(opsgenie->authorization, SCHEME, sizeof SCHEME - 1);
    memcpy(opsgenie->authorization + sizeof SCHEME - 1, key, key_len + 1);
    opsgenie->headers[0] = (struct tmon_pair){"Content-Type", "application/json"};
    opsgenie->headers[1] = (struct tmon_pair){"Authorization", opsgenie->authorization};
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct opsgenie *opsgenie = self;

    writer_finish(&opsgenie->json);
    pairs_finish(&opsgenie->pairs);
    free(opsgenie->create_url);
    free(opsgenie->alias_url);
    free(opsgenie->authorization);
}

/* What a URI takes as it is in one part of its path. */
static bool stands_in_path(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

static void set_alias_url(struct opsgenie *opsgenie, const char *alias, const char *what)
{
    char *at = opsgenie->alias_url + opsgenie->base_len;

    memcpy(opsgenie->alias_url, opsgenie->create_url, opsgenie->base_len);
    *at++ = '/';
    prose_percent(at, alias, stands_in_path);
    at += strlen(at);
    memcpy(at, what, strlen(what) + 1);
}

static tmon_rc format(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request)
{
    struct opsgenie *opsgenie = self;
    const struct tmon_alert *alert = prose_alert(notification);
    const bool over = alert != NULL && !alert->firing;
    const bool acked = alert != NULL && alert->firing && alert->acked_by != NULL;
    const char *url = over || acked ? opsgenie->alias_url : opsgenie->create_url;
    char alias[ALIAS_BYTES];

    prose_key(alias, sizeof alias, notification);
    if (over) {
        set_alias_url(opsgenie, alias, CLOSE);
        alert_close(opsgenie, notification);
    } else if (acked) {
        set_alias_url(opsgenie, alias, ACKNOWLEDGE);
        alert_acknowledge(opsgenie, alert);
    } else {
        alert_open(call, opsgenie, notification, alias);
    }
    return post_document(call, &opsgenie->json, url, opsgenie->headers, 2, ret_request);
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    const struct opsgenie *opsgenie = self;
    struct tmon_response answer = *response;
    const tmon_rc rc = outcome_accepted(response);

    if (response->status == 429 && response->retry_after_ms < 0) {
        answer.retry_after_ms = outcome_wait_ms(response, "x-ratelimit-period-in-sec");
    }
    outcome_explain(call, rc, &answer, "Opsgenie", &opsgenie->hidden);
    return rc;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .flags = TMON_ONE_ALERT | TMON_CREATE_CHECKS | TMON_WANTS_ACKS,
    .name = "opsgenie",
    .summary = "Opens, acknowledges and closes alerts of Opsgenie",
    .options = options,
    .state_size = sizeof(struct opsgenie),
    .create = create,
    .destroy = destroy,
    .format = format,
    .judge = judge,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("opsgenie", "0.1.0", "Apache-2.0", components)
