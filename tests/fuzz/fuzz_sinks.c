/*
 * What a sink makes of whatever an alert may say: what it sends is JSON that the far end takes.
 * The input is a notification: bytes that say how many of everything there are, and its texts,
 * with NULs between them; a text that begins with 0x1f is repeated to a great length.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../plugin/mock_host.h"
#include "../unit/plugins/mail_check.h"
#include "../unit/plugins/sink_check_more.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const struct tmon_plugin *datadog_plugin(void);
const struct tmon_plugin *discord_plugin(void);
const struct tmon_plugin *log_plugin(void);
const struct tmon_plugin *opsgenie_plugin(void);
const struct tmon_plugin *pagerduty_plugin(void);
const struct tmon_plugin *resend_plugin(void);
const struct tmon_plugin *sentry_plugin(void);
const struct tmon_plugin *slack_plugin(void);
const struct tmon_plugin *teams_plugin(void);
const struct tmon_plugin *webhook_plugin(void);

#define ALERTS_MAX 220
#define PAIRS_MAX 12
#define REPEATED_BYTES 70000
#define TEXTS_MAX 4096

struct input {
    const uint8_t *at, *end;
    char *texts[TEXTS_MAX]; /* owned */
    size_t ntexts;
};

static unsigned take(struct input *input, unsigned most)
{
    return input->at < input->end ? *input->at++ % (most + 1) : 0;
}

static const char *take_text(struct input *input)
{
    const size_t left = (size_t)(input->end - input->at);
    const uint8_t *stop = left > 0 ? memchr(input->at, 0, left) : NULL;
    const size_t len = stop != NULL ? (size_t)(stop - input->at) : left;
    const bool repeated = len > 1 && input->at[0] == 0x1f;
    const size_t size = repeated ? REPEATED_BYTES : len;
    char *text;

    if (input->ntexts == TEXTS_MAX) {
        return "";
    }
    text = malloc(size + 1); // exactly so long, so that a sanitizer sees who reads behind it
    assert(text);
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)input->at[repeated ? 1 + i % (len - 1) : i];
    }
    text[size] = '\0';
    input->at += len + (stop != NULL);
    input->texts[input->ntexts++] = text;
    return text;
}

static size_t take_pairs(struct input *input, struct tmon_pair pairs[PAIRS_MAX])
{
    const size_t count = take(input, PAIRS_MAX);

    for (size_t i = 0; i < count; i++) {
        pairs[i].key = take_text(input);
        pairs[i].value = take_text(input);
    }
    return count;
}

static void take_alert(struct input *input, struct tmon_alert *alert,
                       struct tmon_pair pairs[2 * PAIRS_MAX])
{
    int64_t times[2] = {0, 0};
    const size_t left = (size_t)(input->end - input->at);

    alert->size = sizeof *alert;
    alert->severity = (tmon_severity)take(input, 4) - 1;
    alert->firing = take(input, 1) == 1;
    if (take(input, 1) == 1 && left > sizeof times + 3) {
        memcpy(times, input->at, sizeof times);
        input->at += sizeof times;
    }
    alert->starts_ms = times[0];
    alert->ends_ms = times[1];
    alert->key = alert->name = take_text(input);
    alert->summary = take_text(input);
    alert->description = take_text(input);
    alert->fingerprint = take_text(input);
    alert->generator_url = take_text(input);
    alert->labels = pairs;
    alert->nlabels = take_pairs(input, pairs);
    alert->annotations = pairs + PAIRS_MAX;
    alert->nannotations = take_pairs(input, pairs + PAIRS_MAX);
}

static void fail(const char *sink, const char *why, const struct tmon_request *request)
{
    fprintf(stderr, "%s: %s\n%.*s\n", sink, why, (int)request->body.len,
            (const char *)request->body.data);
    abort();
}

static void try_sinks(const struct tmon_notification *notification)
{
    static struct mock_host *webhook, *slack, *log;
    const struct tmon_request *request;
    const char *why;
    json_t *root;

    if (webhook == NULL) {
        webhook = mock_of(webhook_plugin(), "webhook", "url: http://a.example/\nsecret: s\n");
        slack = mock_of(slack_plugin(), "slack",
                        "webhook_url: https://a.example/\nmention_critical: <!here>\n");
        log = mock_of(log_plugin(), "log", "");
        assert(mock_create(webhook, 1000) == TMON_OK && mock_create(slack, 1000) == TMON_OK &&
               mock_create(log, 1000) == TMON_OK);
    }
    assert(mock_format(webhook, notification, &request) == TMON_OK);
    why = check_webhook(request->body.data, request->body.len, &root);
    if (why != NULL) {
        fail("webhook", why, request);
    }
    json_decref(root);
    assert(mock_format(slack, notification, &request) == TMON_OK);
    why = check_slack(request->body.data, request->body.len, &root);
    if (why != NULL) {
        fail("slack", why, request);
    }
    json_decref(root);
    assert(mock_deliver(log, notification, 1000) == TMON_OK);
    for (size_t i = 0; mock_log_at(log, i) != NULL; i++) {
        assert(strlen(mock_log_at(log, i)->text) < 1023);
        assert(strpbrk(mock_log_at(log, i)->text, "\n\r\x1b") == NULL);
        root = json_string(mock_log_at(log, i)->text); // takes only UTF-8
        assert(root != NULL);
        json_decref(root);
    }
}

/* The sinks that are told of one alert at a time. */
static void try_pagers(const struct tmon_notification *notification)
{
    static struct mock_host *pagerduty, *opsgenie;
    const struct tmon_request *request;
    const char *why;
    json_t *root;

    if (pagerduty == NULL) {
        pagerduty = mock_of(pagerduty_plugin(), "pagerduty",
                            "routing_key: R0UT1NGK3Y0000000000000000000000\n");
        opsgenie = mock_of(opsgenie_plugin(), "opsgenie", "api_key: k3y\ntags: [a, b]\n");
        assert(mock_create(pagerduty, 1000) == TMON_OK && mock_create(opsgenie, 1000) == TMON_OK);
    }
    assert(mock_format(pagerduty, notification, &request) == TMON_OK);
    why = check_pagerduty(request->body.data, request->body.len, &root);
    if (why != NULL) {
        fail("pagerduty", why, request);
    }
    json_decref(root);
    assert(mock_format(opsgenie, notification, &request) == TMON_OK);
    if (strstr(request->url, "/close?") == NULL) {
        why = check_opsgenie(request->body.data, request->body.len, &root);
    } else {
        root = json_loadb(request->body.data, request->body.len, 0, NULL);
        why = root == NULL || strpbrk(request->url, " \"<>") != NULL ? "no end" : NULL;
    }
    if (why != NULL) {
        fail("opsgenie", why, request);
    }
    json_decref(root);
}

/* Chats and intakes, which are all told in the same way. */
static void try_more(const struct tmon_notification *notification)
{
    static struct {
        const struct tmon_plugin *(*plugin)(void);
        const char *component, *settings;
        const char *(*check)(const void *data, size_t len, json_t **ret_root);
        struct mock_host *mock;
    } sinks[] = {
        {discord_plugin, "discord", "webhook_url: https://a.example/\n", check_discord, NULL},
        {teams_plugin, "teams", "webhook_url: https://a.example/\n", check_teams, NULL},
        {datadog_plugin, "datadog", "api_key: k\n", check_datadog_event, NULL},
        {datadog_plugin, "datadog_check", "api_key: k\n", check_datadog_check, NULL},
        {sentry_plugin, "sentry", "dsn: https://k@a.example/1\n", check_sentry, NULL},
    };

    for (size_t i = 0; i < sizeof sinks / sizeof sinks[0]; i++) {
        const struct tmon_request *request;
        const char *why;
        json_t *root;

        if (sinks[i].mock == NULL) {
            sinks[i].mock = mock_of(sinks[i].plugin(), sinks[i].component, sinks[i].settings);
            assert(mock_create(sinks[i].mock, 1000) == TMON_OK);
        }
        assert(mock_format(sinks[i].mock, notification, &request) == TMON_OK);
        why = sinks[i].check(request->body.data, request->body.len, &root);
        if (why != NULL) {
            fail(sinks[i].component, why, request);
        }
        json_decref(root);
    }
}

/* One alert of it alone, in the way of a sink that is told of each. */
static void try_each(struct tmon_notification notification)
{
    const size_t count = notification.nalerts < 4 ? notification.nalerts : 4;
    const struct tmon_alert *const *alerts = notification.alerts;

    try_pagers(&notification);
    try_more(&notification);
    notification.nalerts = 1;
    for (size_t i = 0; i < count; i++) {
        notification.alerts = alerts + i;
        try_pagers(&notification);
        try_more(&notification);
    }
}

static void try_mail(const struct tmon_notification *notification)
{
    static struct mock_host *resend;
    const struct tmon_request *request;
    const char *why;
    json_t *root;

    if (resend == NULL) {
        resend = mock_of(resend_plugin(), "resend",
                         "api_key: k3y\nfrom: a@far.example\nto: [b@far.example]\n");
        assert(mock_create(resend, 1000) == TMON_OK);
    }
    assert(mock_format(resend, notification, &request) == TMON_OK);
    why = check_resend(request->body.data, request->body.len, &root);
    if (why != NULL) {
        fail("resend", why, request);
    }
    json_decref(root);
}

/* The far end's word, which may be anything, too. */
static void try_answers(const uint8_t *data, size_t size)
{
    static struct mock_host *slack;
    struct tmon_response response = {.size = sizeof response, .retry_after_ms = -1, .error = ""};
    const char *said;
    json_t *valid;

    if (slack == NULL) {
        slack = mock_of(slack_plugin(), "slack", "webhook_url: https://a.example/b/TOKEN123456\n");
        assert(mock_create(slack, 1000) == TMON_OK);
    }
    response.status = 404;
    response.body.data = data;
    response.body.len = size;
    assert(mock_judge(slack, &response) == TMON_REJECTED);
    said = mock_log_at(slack, 0)->text;
    valid = json_string(said);
    assert(valid != NULL && strstr(said, "TOKEN123456") == NULL);
    json_decref(valid);
}

/* Where a sink reads numbers and words of an answer: whatever it says, a pause is bounded. */
static void try_numbers(const uint8_t *data, size_t size)
{
    static const int32_t statuses[] = {200, 429};
    static struct mock_host *mocks[3];
    char limits[256];
    const size_t len = size < sizeof limits - 1 ? size : sizeof limits - 1;
    const struct tmon_pair headers[] = {{"x-sentry-rate-limits", limits},
                                        {"x-ratelimit-reset-after", limits},
                                        {"x-ratelimit-remaining", "0"}};

    if (mocks[0] == NULL) {
        mocks[0] = mock_of(discord_plugin(), "discord", "webhook_url: https://a.example/\n");
        mocks[1] = mock_of(teams_plugin(), "teams", "webhook_url: https://a.example/\n");
        mocks[2] = mock_of(sentry_plugin(), "sentry", "dsn: https://k@a.example/1\n");
        for (size_t i = 0; i < sizeof mocks / sizeof mocks[0]; i++) {
            assert(mock_create(mocks[i], 1000) == TMON_OK);
        }
    }
    memcpy(limits, data, len);
    limits[len] = '\0';
    for (size_t i = 0; i < 2 * sizeof mocks / sizeof mocks[0]; i++) {
        struct tmon_response response = {
            .size = sizeof response, .retry_after_ms = -1, .error = ""};

        response.status = statuses[i % 2];
        response.body.data = data;
        response.body.len = size;
        response.headers = headers;
        response.nheaders = sizeof headers / sizeof headers[0];
        (void)mock_judge(mocks[i / 2], &response);
        assert(mock_retry_after(mocks[i / 2]) <= 86400000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.at = data, .end = data + size};
    struct tmon_notification notification = {.size = sizeof notification, .attempt = 1};
    struct tmon_pair group[PAIRS_MAX];
    const struct tmon_alert *pointers[ALERTS_MAX];
    struct tmon_alert *alerts = calloc(ALERTS_MAX, sizeof *alerts);
    struct tmon_pair *pairs = calloc((size_t)ALERTS_MAX * 2 * PAIRS_MAX, sizeof *pairs);
    size_t distinct;

    assert(alerts && pairs);
    notification.nalerts = take(&input, ALERTS_MAX);
    distinct = notification.nalerts < 8 ? notification.nalerts : 8; // the rest repeats them
    notification.resolved = take(&input, 1) == 1;
    notification.ntruncated = take(&input, 255);
    notification.title = take_text(&input);
    notification.text = take_text(&input);
    notification.id = take_text(&input);
    notification.group_key = take_text(&input);
    notification.receiver = take_text(&input);
    notification.external_url = take_text(&input);
    notification.group = group;
    notification.ngroup = take_pairs(&input, group);
    for (size_t i = 0; i < distinct; i++) {
        take_alert(&input, &alerts[i], pairs + i * 2 * PAIRS_MAX);
    }
    for (size_t i = 0; i < notification.nalerts; i++) {
        pointers[i] = &alerts[i % distinct];
    }
    notification.alerts = pointers;
    try_sinks(&notification);
    try_mail(&notification);
    try_each(notification);
    try_answers(data, size);
    try_numbers(data, size);
    for (size_t i = 0; i < input.ntexts; i++) {
        free(input.texts[i]);
    }
    free(pairs);
    free(alerts);
    return 0;
}
