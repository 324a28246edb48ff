/*
 * smtp.c: the component `smtp`: sends notifications as e-mails, by a server that takes them.
 *
 * Runs in workers of its own, which block: `workers:` says how many mails are under way at once.
 * libcurl speaks the protocol.  TLS is required unless the operator says otherwise, and a password
 * never goes without it.
 */
#include "smtp.h"

#define MESSAGE_BYTES ((size_t)8 << 20)
#define HOST_BYTES 253

static const struct tmon_option options[] = {
    {"host", TMON_STRING, TMON_REQUIRED, NULL, 0, 0, NULL, "The server, a name or an address.",
     NULL},
    {"port", TMON_INT, 0, "587", 1, 65535, NULL, "Its port: 465 is usual with tls: implicit.",
     NULL},
    {"tls", TMON_CHOICE, 0, "starttls", 0, 0, "starttls|implicit|none",
     "How the connection is encrypted; none: not at all, for a server on this machine.", NULL},
    {"ca_file", TMON_STRING, 0, NULL, 0, 0, NULL,
     "PEM certificates to trust instead of the system's.", NULL},
    {"user", TMON_STRING, 0, NULL, 0, 0, NULL, "Who logs in; without it nobody does.", NULL},
    {"password", TMON_STRING, TMON_SECRET, NULL, 0, 0, NULL, "The password of the user.", NULL},
    MAIL_SETTINGS_OPTIONS,
    {"hello", TMON_STRING, 0, NULL, 0, 0, NULL,
     "What this machine calls itself (EHLO), where its own name will not do.", NULL},
    {"on_ambiguous", TMON_CHOICE, 0, "resend", 0, 0, "resend|hold",
     "When the answer to a mail was lost: send it again, or keep it as a dead letter.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

static bool is_name(const char *text, const char *more)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const size_t all = strlen(text);
    size_t len = 0;

    while (len < all && (strchr(letters, text[len]) || strchr(more, text[len]))) {
        len++;
    }
    return len == all && len <= HOST_BYTES;
}

static bool read_place(struct tmon_call *call, struct smtp *smtp, const struct tmon_config *config)
{
    const char *host = tmon_config_string(call, config, "host");
    const char *hello = tmon_config_string(call, config, "hello");
    const char *tls = tmon_config_string(call, config, "tls");
    const bool six = strchr(host, ':') != NULL;

    if (host[0] == '\0' || !is_name(host, "-._:")) {
        tmon_log(call, TMON_ERROR, "host: it is neither a name nor an address");
        return false;
    }
    if (!is_name(hello, "-._[]:")) {
        tmon_log(call, TMON_ERROR, "hello: it is neither a name nor an address");
        return false;
    }
    smtp->tls = strcmp(tls, "none") != 0;
    (void)snprintf(smtp->url, sizeof smtp->url, "%s://%s%s%s:%lld/%s",
                   strcmp(tls, "implicit") == 0 ? "smtps" : "smtp", six ? "[" : "", host,
                   six ? "]" : "", (long long)tmon_config_int(call, config, "port"), hello);
    return true;
}

/* As AUTH PLAIN and AUTH LOGIN send it, so that no server's answer shows it in that form either. */
static void hide_coded(struct smtp *smtp)
{
    char both[768];
    struct buf buf;
    const int n = snprintf(both, sizeof both, "%c%s%c%s", 0, smtp->user, 0, smtp->password);

    if (n <= 0 || (size_t)n >= sizeof both) {
        return;
    }
    buf_init(&buf, 4096);
    mime_put_base64(&buf, both, (size_t)n);
    (void)snprintf(smtp->plain, sizeof smtp->plain, "%s", buf_str(&buf));
    buf_clear(&buf);
    mime_put_base64(&buf, smtp->password, strlen(smtp->password));
    (void)snprintf(smtp->coded, sizeof smtp->coded, "%s", buf_str(&buf));
    buf_finish(&buf);
    outcome_hide(&smtp->hidden, smtp->plain);
    outcome_hide(&smtp->hidden, smtp->coded);
}

static bool read_login(struct tmon_call *call, struct smtp *smtp, const struct tmon_config *config)
{
    smtp->user = tmon_config_string(call, config, "user");
    smtp->password = tmon_config_string(call, config, "password");
    smtp->ca_file = tmon_config_string(call, config, "ca_file");
    if ((smtp->user[0] == '\0') != (smtp->password[0] == '\0')) {
        tmon_log(call, TMON_ERROR, "user and password: one goes with the other");
        return false;
    }
    if (smtp->user[0] != '\0' && !smtp->tls) {
        tmon_log(call, TMON_ERROR, "password: it is not sent without TLS (tls: none)");
        return false;
    }
    if (smtp->password[0] != '\0') {
        outcome_hide(&smtp->hidden, smtp->password);
        hide_coded(smtp);
    }
    return true;
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct smtp *smtp = self;

    buf_init(&smtp->message, MESSAGE_BYTES);
    smtp->hold = strcmp(tmon_config_string(call, config, "on_ambiguous"), "hold") == 0;
    if (!read_place(call, smtp, config) || !read_login(call, smtp, config)) {
        return TMON_REJECTED;
    }
    if (alert_mail_init(&smtp->mail) < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (smtp->easy = curl_easy_init()) == NULL) {
        tmon_log(call, TMON_ERROR, "out of memory");
        return TMON_RETRY;
    }
    return mail_settings_read(call, config, &smtp->settings);
}

static void destroy(struct tmon_call *call, void *self)
{
    struct smtp *smtp = self;

    talk_end(smtp->easy);
    alert_mail_finish(&smtp->mail);
    buf_finish(&smtp->message);
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "smtp",
    .summary = "Sends notifications as e-mails, by SMTP",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct smtp),
    .create = create,
    .destroy = destroy,
    .deliver = smtp_deliver,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("smtp", "0.1.0", "Apache-2.0", components)
