/*
 * datadog.c: the components `datadog`, which posts events, and `datadog_check`, which posts service
 * checks.
 *
 * They are two because a sink makes one request of a notification: so each is tried again by
 * itself, and neither is sent twice because the other one failed.  They run in a worker.  format()
 * writes one document into a buffer that is kept from call to call; the agent sends it.
 */
#include "datadog.h"

#include <stdlib.h>
#include <unistd.h>

#include "../common/post.h"
#include "../common/prose.h"

#define SITE_OPTIONS                                                                               \
    {"api_key",                                                                                    \
     TMON_STRING,                                                                                  \
     TMON_REQUIRED | TMON_SECRET,                                                                  \
     NULL,                                                                                         \
     0,                                                                                            \
     0,                                                                                            \
     NULL,                                                                                         \
     "An API key of the organization; not an application key.",                                    \
     NULL},                                                                                        \
        {"site", TMON_URL, 0,    "https://api.datadoghq.com",                                      \
         0,      0,        NULL, "The API of your site, such as https://api.datadoghq.eu.",        \
         NULL},                                                                                    \
    {                                                                                              \
        "tags", TMON_LIST, 0, NULL, 0, 0, NULL, "Tags beside the alert's labels: env:prod.", NULL  \
    }

static const struct tmon_option event_options[] = {
    SITE_OPTIONS,
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static const struct tmon_option check_options[] = {
    SITE_OPTIONS,
    {"check", TMON_STRING, 0, "toiletmon.alert", 0, 0, NULL, "The name of the service check.",
     NULL},
    {"host", TMON_STRING, 0, NULL, 0, 0, NULL,
     "The host of alerts that name none; unset, the one that the agent runs on.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

/* People see app.datadoghq.com, and the API is elsewhere; NULL: it may be right. */
static const char *site_problem(const char *url)
{
    const bool theirs = strstr(url, "datadoghq.") != NULL || strstr(url, "ddog-gov.") != NULL;

    if (strpbrk(url, "?#") != NULL) {
        return "site: there is no query in it; the API's path is put behind it";
    }
    if (theirs && strstr(url, "://api.") == NULL) {
        return "site: the API's address is needed, such as https://api.datadoghq.eu";
    }
    return NULL;
}

static tmon_rc start(struct tmon_call *call, struct datadog *datadog,
                     const struct tmon_config *config, const char *path)
{
    const char *key = tmon_config_string(call, config, "api_key");
    const char *site = tmon_config_string(call, config, "site");
    const char *problem = post_is_key(key) ? site_problem(site)
                                           : "api_key: a key has neither blanks nor control "
                                             "characters";

    datadog->config = config;
    outcome_hide(&datadog->hidden, key);
    outcome_hide_url(&datadog->hidden, site);
    if (problem == NULL && tmon_config_count(call, config, "tags") > TAGS_MAX / 2) {
        problem = "tags: 50 are allowed";
    }
    if (problem != NULL) {
        tmon_log(call, TMON_ERROR, "%s", problem);
        return TMON_REJECTED;
    }
    datadog->url = post_url(site, path);
    if (datadog->url == NULL) {
        tmon_log(call, TMON_ERROR, "out of memory");
        return TMON_RETRY;
    }
    datadog->headers[0] = (struct tmon_pair){"Content-Type", "application/json"};
    datadog->headers[1] = (struct tmon_pair){"DD-API-KEY", key};
    return TMON_OK;
}

static tmon_rc create_event(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    return start(call, self, config, "/api/v1/events");
}

static tmon_rc create_check(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct datadog *datadog = self;
    const char *host = tmon_config_string(call, config, "host");

    datadog->check = tmon_config_string(call, config, "check");
    if (!prose_seen(datadog->check)) {
        tmon_log(call, TMON_ERROR, "check: a check has a name");
        return TMON_REJECTED;
    }
    if (prose_seen(host)) {
        (void)snprintf(datadog->host, sizeof datadog->host, "%s", host);
    } else if (gethostname(datadog->host, sizeof datadog->host - 1) < 0 ||
               !prose_seen(datadog->host)) {
        (void)snprintf(datadog->host, sizeof datadog->host, "toiletmon");
    }
    return start(call, self, config, "/api/v1/check_run");
}

static void destroy(struct tmon_call *call, void *self)
{
    struct datadog *datadog = self;

    writer_finish(&datadog->json);
    free(datadog->url);
}

static tmon_rc format_event(struct tmon_call *call, void *self,
                            const struct tmon_notification *notification,
                            struct tmon_request *ret_request)
{
    struct datadog *datadog = self;

    datadog_event(call, datadog, notification);
    return post_document(call, &datadog->json, datadog->url, datadog->headers, 2, ret_request);
}

static tmon_rc format_check(struct tmon_call *call, void *self,
                            const struct tmon_notification *notification,
                            struct tmon_request *ret_request)
{
    struct datadog *datadog = self;

    datadog_check(call, datadog, notification);
    return post_document(call, &datadog->json, datadog->url, datadog->headers, 2, ret_request);
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    const struct datadog *datadog = self;
    struct tmon_response answer = *response;
    const tmon_rc rc = outcome_accepted(response);

    if (response->status == 429) {
        const int64_t ms = outcome_wait_ms(response, "x-ratelimit-reset");

        answer.retry_after_ms = ms > answer.retry_after_ms ? ms : answer.retry_after_ms;
    }
    outcome_explain(call, rc, &answer, "Datadog", &datadog->hidden);
    return rc;
}

static const struct tmon_component event = {
    .size = (uint32_t)sizeof event,
    .flags = TMON_ONE_ALERT | TMON_CREATE_CHECKS,
    .name = "datadog",
    .summary = "Posts alerts to Datadog as events",
    .options = event_options,
    .state_size = sizeof(struct datadog),
    .create = create_event,
    .destroy = destroy,
    .format = format_event,
    .judge = judge,
};

static const struct tmon_component check = {
    .size = (uint32_t)sizeof check,
    .flags = TMON_ONE_ALERT | TMON_CREATE_CHECKS,
    .name = "datadog_check",
    .summary = "Posts the state of alerts to Datadog as service checks",
    .options = check_options,
    .state_size = sizeof(struct datadog),
    .create = create_check,
    .destroy = destroy,
    .format = format_check,
    .judge = judge,
};

static const struct tmon_component *const components[] = {&event, &check, NULL};

TMON_PLUGIN("datadog", "0.1.0", "Apache-2.0", components)
