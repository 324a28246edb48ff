/*
 * sentry.c: the component `sentry`: sends alerts to a project of Sentry, each as an event.
 *
 * Runs in a worker.  format() writes one envelope into a buffer that is kept from call to call; the
 * agent sends it.  The DSN is the secret, and what is in it travels in a header.
 */
#include "sentry.h"

#include "../common/post.h"

static const struct tmon_option options[] = {
    {"dsn", TMON_URL, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL,
     "The client key (DSN) of the project: https://KEY@HOST/PROJECT.", NULL},
    {"environment", TMON_STRING, 0, NULL, 0, 0, NULL, "The environment of all events: production.",
     NULL},
    {"release", TMON_STRING, 0, NULL, 0, 0, NULL, "The release of all events: shop@1.2.0.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct sentry *sentry = self;
    const char *text = tmon_config_string(call, config, "dsn");
    struct dsn dsn;
    const char *problem = dsn_parse(&dsn, text);

    if (problem != NULL) {
        tmon_log(call, TMON_ERROR, "%s", problem);
        return TMON_REJECTED;
    }
    sentry->url = dsn.url;
    sentry->authorization = dsn.authorization;
    sentry->environment = tmon_config_string(call, config, "environment");
    sentry->release = tmon_config_string(call, config, "release");
    sentry->headers[0] = (struct tmon_pair){"Content-Type", "application/x-sentry-envelope"};
    sentry->headers[1] = (struct tmon_pair){"X-Sentry-Auth", sentry->authorization};
    outcome_hide_url(&sentry->hidden, text);
    outcome_hide_part(&sentry->hidden, dsn.key, dsn.key_len);
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct sentry *sentry = self;
    struct dsn dsn = {.url = sentry->url, .authorization = sentry->authorization};

    dsn_finish(&dsn);
    pairs_finish(&sentry->pairs);
    writer_finish(&sentry->json);
    writer_finish(&sentry->envelope);
}

static tmon_rc format(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request)
{
    struct sentry *sentry = self;

    sentry_write(sentry, notification);
    return post_document(call, &sentry->envelope, sentry->url, sentry->headers, 2, ret_request);
}

/* Where the answer has no body, what X-Sentry-Error says. */
static void find_words(struct tmon_response *answer)
{
    const char *said = outcome_header(answer, "x-sentry-error");

    if (answer->body.len == 0 && said != NULL) {
        answer->body = (struct tmon_bytes){said, strlen(said)};
    }
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    const struct sentry *sentry = self;
    struct tmon_response answer = *response;
    const int64_t wait_ms = sentry_limits_ms(response);
    tmon_rc rc = outcome_usual(response);

    if (rc == TMON_OK && !outcome_is_object(response)) {
        rc = TMON_AMBIGUOUS; // it says {"id": ...}; a page of something between us does not
    }
    if (rc == TMON_OK && wait_ms > 0) {
        tmon_retry_after(call, wait_ms); // it took this one, and takes no more
    }
    answer.retry_after_ms = wait_ms > answer.retry_after_ms ? wait_ms : answer.retry_after_ms;
    find_words(&answer);
    outcome_explain(call, rc, &answer, "Sentry", &sentry->hidden);
    return rc;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .flags = TMON_ONE_ALERT | TMON_CREATE_CHECKS,
    .name = "sentry",
    .summary = "Sends alerts to Sentry as events",
    .options = options,
    .state_size = sizeof(struct sentry),
    .create = create,
    .destroy = destroy,
    .format = format,
    .judge = judge,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("sentry", "0.1.0", "Apache-2.0", components)
