/*
 * resend.c: the component `resend`: sends notifications as e-mails, by Resend's API.
 *
 * Runs in a worker.  format() writes the mail (core/mail, linked into this plugin) and its JSON;
 * the agent sends it.  A mail says the same at each attempt, since Resend refuses a key that comes
 * again with other words.
 */
#include <plugin_api.h>

#include "../common/mail_settings.h"
#include "../common/outcome.h"
#include "../common/writer.h"
#include "mail/alert_mail.h"

#define KEY_BYTES 256
#define URL_BYTES 2048
#define BODY_BYTES ((size_t)7 << 20)
#define PATH "/emails"

static const struct tmon_option options[] = {
    {"api_key", TMON_STRING, TMON_REQUIRED | TMON_SECRET, NULL, 0, 0, NULL, "Resend's API key.",
     NULL},
    MAIL_SETTINGS_OPTIONS,
    {"url", TMON_URL, 0, "https://api.resend.com", 0, 0, NULL,
     "The API, where it is not Resend's own.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

struct resend {
    struct mail_settings settings;
    struct alert_mail mail;
    struct writer json;
    struct outcome_hidden hidden;
    char url[URL_BYTES + sizeof PATH];
    char authorization[KEY_BYTES + sizeof "Bearer "];
    char idempotency_key[ALERT_MAIL_TOKEN_BYTES];
    struct tmon_pair headers[3];
};

static bool read_key(struct tmon_call *call, struct resend *resend, const char *key)
{
    const size_t len = strlen(key);

    for (size_t i = 0; i < len; i++) {
        if (key[i] <= ' ' || key[i] > '~') {
            tmon_log(call, TMON_ERROR, "api_key: it has characters that no key has");
            return false;
        }
    }
    if (len == 0 || len > KEY_BYTES) {
        tmon_log(call, TMON_ERROR, "api_key: 1 to %d characters are allowed", KEY_BYTES);
        return false;
    }
    (void)snprintf(resend->authorization, sizeof resend->authorization, "Bearer %s", key);
    outcome_hide(&resend->hidden, key);
    return true;
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct resend *resend = self;
    const char *url = tmon_config_string(call, config, "url");
    size_t len = strlen(url);

    writer_init(&resend->json, BODY_BYTES);
    while (len > 0 && url[len - 1] == '/') {
        len--;
    }
    if (len > URL_BYTES) {
        tmon_log(call, TMON_ERROR, "url: %d bytes are allowed", URL_BYTES);
        return TMON_REJECTED;
    }
    (void)snprintf(resend->url, sizeof resend->url, "%.*s%s", (int)len, url, PATH);
    if (!read_key(call, resend, tmon_config_string(call, config, "api_key"))) {
        return TMON_REJECTED;
    }
    if (alert_mail_init(&resend->mail) < 0) {
        tmon_log(call, TMON_ERROR, "out of memory");
        return TMON_RETRY;
    }
    return mail_settings_read(call, config, &resend->settings);
}

static void destroy(struct tmon_call *call, void *self)
{
    struct resend *resend = self;

    alert_mail_finish(&resend->mail);
    writer_finish(&resend->json);
}

/* ,"name":"text" */
static void put_member(struct writer *json, const char *name, const char *text)
{
    writer_literal(json, ",\"");
    writer_put(json, name, strlen(name));
    writer_literal(json, "\":");
    writer_string(json, text, BODY_BYTES);
}

/* What makes the mails of an incident one thread. */
static void put_headers(struct writer *json, const struct alert_mail *mail)
{
    writer_literal(json, ",\"headers\":{\"Auto-Submitted\":\"auto-generated\"");
    if (mail->nreferences > 0) {
        put_member(json, "In-Reply-To", mail->references[0]);
        writer_literal(json, ",\"References\":\"");
        for (size_t i = 0; i < mail->nreferences; i++) { // of characters that need no escape
            writer_put(json, " ", i > 0);
            writer_put(json, mail->references[i], strlen(mail->references[i]));
        }
        writer_literal(json, "\"");
    }
    writer_literal(json, "}");
}

static void put_mail(struct resend *resend)
{
    struct writer *json = &resend->json;

    writer_start(json);
    writer_literal(json, "{\"from\":");
    writer_string(json, resend->settings.from_text, BODY_BYTES);
    writer_literal(json, ",\"to\":[");
    for (size_t i = 0; i < resend->settings.nto; i++) {
        writer_put(json, ",", i > 0);
        writer_string(json, resend->settings.to[i].address, BODY_BYTES);
    }
    writer_literal(json, "]");
    put_member(json, "subject", resend->mail.subject);
    put_member(json, "html", buf_str(&resend->mail.html));
    put_member(json, "text", buf_str(&resend->mail.text));
    put_headers(json, &resend->mail);
    writer_literal(json, "}");
}

static tmon_rc format(struct tmon_call *call, void *self,
                      const struct tmon_notification *notification,
                      struct tmon_request *ret_request)
{
    struct resend *resend = self;

    if (alert_mail_write(&resend->mail, notification, mime_address_domain(&resend->settings.from)) <
        0) {
        tmon_log(call, TMON_ERROR, "there is no memory for the mail");
        return TMON_RETRY;
    }
    put_mail(resend);
    if (resend->json.failed) {
        tmon_log(call, TMON_ERROR, "there is no memory for the mail");
        return TMON_RETRY;
    }
    alert_mail_token(resend->idempotency_key, notification->id);
    resend->headers[0] = (struct tmon_pair){"Authorization", resend->authorization};
    resend->headers[1] = (struct tmon_pair){"Content-Type", "application/json"};
    resend->headers[2] = (struct tmon_pair){"Idempotency-Key", resend->idempotency_key};
    ret_request->method = "POST";
    ret_request->url = resend->url;
    ret_request->headers = resend->headers;
    ret_request->nheaders = sizeof resend->headers / sizeof resend->headers[0];
    ret_request->body.data = resend->json.data;
    ret_request->body.len = resend->json.len;
    return TMON_OK;
}

/* ---- answers ---- */

static bool has(const struct tmon_response *response, const char *text)
{
    return response->body.len > 0 &&
           memmem(response->body.data, response->body.len, text, strlen(text)) != NULL;
}

/* Two of its statuses mean two things each; the name of the error tells them apart. */
static tmon_rc meaning(const struct tmon_response *response)
{
    switch (response->status) {
    case 409: // one with this key is under way; else: it came before, with other words
        return has(response, "\"concurrent_idempotent_requests\"") ? TMON_RETRY : TMON_REJECTED;
    case 429: // a rate is soon over, a quota is not
        return has(response, "\"daily_quota_exceeded\"") ||
                       has(response, "\"monthly_quota_exceeded\"")
                   ? TMON_REJECTED
                   : TMON_RETRY;
    default:
        break;
    }
    if (response->status >= 200 && response->status <= 299 && !has(response, "\"id\"")) {
        return TMON_AMBIGUOUS; // a page of a proxy; the key makes another attempt safe
    }
    return outcome_usual(response);
}

static tmon_rc judge(struct tmon_call *call, void *self, const struct tmon_response *response)
{
    const struct resend *resend = self;
    struct tmon_response timed = *response;
    const tmon_rc rc = meaning(response);

    if (response->status == 429 && response->retry_after_ms < 0) {
        timed.retry_after_ms = outcome_wait_ms(response, "ratelimit-reset");
    }
    outcome_explain(call, rc, &timed, "Resend", &resend->hidden);
    return rc;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "resend",
    .summary = "Sends notifications as e-mails, by Resend",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct resend),
    .create = create,
    .destroy = destroy,
    .format = format,
    .judge = judge,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("resend", "0.1.0", "Apache-2.0", components)
