/*
 * discord.c: the component `discord`: posts notifications to a channel of Discord.
 *
 * Runs in a worker.  format() writes one message into a buffer that is kept from call to call; the
 * agent sends it.  The URL is the secret: who has it can post.  Discord is asked to answer when the
 * message is there (wait), because else a yes means no more than that it was read.
 */
#include "discord.h"

#include <stdlib.h>

#include "../common/post.h"

#define LOOK_BYTES 2048 /* of an answer's body */
#define WAIT_S_MAX 86400

static const struct tmon_option options[] = {
    {"webhook_url", TMON_URL, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL,
     "The URL that Discord gave to the channel's webhook.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct discord *discord = self;
    const char *url = tmon_config_string(call, config, "webhook_url");
    const size_t len = strcspn(url, "#");
    const char *query = memchr(url, '?', len);
    const char *wait = query == NULL ? "?wait=true" : "&wait=true";
    const size_t size = len + strlen(wait) + 1;

    outcome_hide_url(&discord->hidden, url);
    if (query != NULL && strstr(query, "wait=") != NULL) {
        wait = "";
    }
    discord->url = malloc(size);
    if (discord->url == NULL) {
        tmon_log(call, TMON_ERROR, "out of memory");
        return TMON_RETRY;
    }
    (void)snprintf(discord->url, size, "%.*s%s", (int)len, url, wait);
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct discord *discord = self;

    writer_finish(&discord->json);
    free(discord->url);
}

static tmon_rc format(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request)
{
    static const struct tmon_pair type = {"Content-Type", "application/json"};
    struct discord *discord = self;

    discord_write(discord, notification);
    return post_document(call, &discord->json, discord->url, &type, 1, ret_request);
}

/* Seconds with a fraction or not, "0.35", as milliseconds, rounded up; -1: it is none. */
static int64_t seconds_ms(const char *text)
{
    int64_t ms = 0, scale = 100;

    if (text == NULL || *text < '0' || *text > '9') {
        return -1;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        ms = ms < WAIT_S_MAX ? ms * 10 + (*text - '0') : ms;
    }
    ms = (ms < WAIT_S_MAX ? ms : WAIT_S_MAX) * 1000;
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++) {
            ms += scale > 0 ? (*text - '0') * scale : 0;
            ms += scale == 1 && text[1] >= '0' && text[1] <= '9'; // what is behind the third
            scale /= 10;
        }
    }
    return ms;
}

/* The member retry_after of the answer's JSON; -1: there is none. */
static int64_t said_ms(const struct tmon_response *response)
{
    static const char member[] = "\"retry_after\"";
    const size_t len = response->body.len < LOOK_BYTES ? response->body.len : LOOK_BYTES;
    char body[LOOK_BYTES + 1];
    const char *at;

    memcpy(body, len > 0 ? response->body.data : "", len);
    body[len] = '\0';
    at = outcome_is_object(response) ? strstr(body, member) : NULL;
    if (at == NULL) {
        return -1;
    }
    at += sizeof member - 1;
    at += strspn(at, " \t\r\n");
    if (*at++ != ':') {
        return -1;
    }
    return seconds_ms(at + strspn(at, " \t\r\n"));
}

/* By its body, which is exact; else by its header; else the agent has found Retry-After. */
static int64_t limited_ms(const struct tmon_response *response)
{
    int64_t ms = said_ms(response);

    if (ms < 0) {
        ms = seconds_ms(outcome_header(response, "x-ratelimit-reset-after"));
    }
    return ms < 0 ? response->retry_after_ms : ms;
}

/* 204, or with wait=true the message as JSON. */
static bool is_taken(const struct tmon_response *response)
{
    return response->status == 204 || outcome_is_object(response);
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    const struct discord *discord = self;
    struct tmon_response answer = *response;
    const char *left = outcome_header(response, "x-ratelimit-remaining");
    tmon_rc rc = outcome_usual(response);

    if (rc == TMON_OK && !is_taken(response)) {
        rc = TMON_AMBIGUOUS;
    }
    if (response->status == 429) {
        answer.retry_after_ms = limited_ms(response);
    }
    if (rc == TMON_OK && left != NULL && strcmp(left, "0") == 0) {
        const int64_t ms = seconds_ms(outcome_header(response, "x-ratelimit-reset-after"));

        tmon_retry_after(call, ms > 0 ? ms : 0); // the next would be refused
    }
    outcome_explain(call, rc, &answer, "Discord", &discord->hidden);
    return rc;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "discord",
    .summary = "Posts notifications to a channel of Discord",
    .options = options,
    .state_size = sizeof(struct discord),
    .create = create,
    .destroy = destroy,
    .format = format,
    .judge = judge,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("discord", "0.1.0", "Apache-2.0", components)
