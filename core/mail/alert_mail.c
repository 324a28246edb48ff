/*
 * alert_mail.c: see alert_mail.h.
 */
#include "mail/alert_mail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"
#include "mail/alert_data.h"
#include "mail/templates.h"

#define HTML_BYTES ((size_t)96 << 10) /* Gmail cuts a mail's HTML at 102 KiB */
#define CAP_BYTES ((size_t)1 << 20)
#define TOKEN_MAX (ALERT_MAIL_TOKEN_BYTES - 1)

/* As much as fits is told: the first of these that does is taken. */
static const struct alert_share shares[] = {
    {.alerts = 25, .rows = 40, .text = 4000, .name = 200, .key = 100, .value = 1000, .link = 2048},
    {.alerts = 25, .rows = 12, .text = 400, .name = 150, .key = 80, .value = 120, .link = 400},
    {.alerts = 20, .rows = 6, .text = 200, .name = 100, .key = 60, .value = 60, .link = 200},
    {.alerts = 10, .rows = 4, .text = 100, .name = 40, .key = 30, .value = 40, .link = 0},
};

int alert_mail_init(struct alert_mail *mail)
{
    char why[128];
    int r;

    memset(mail, 0, sizeof *mail);
    buf_init(&mail->html, CAP_BYTES);
    buf_init(&mail->text, CAP_BYTES);
    r = mustache_compile((const char *)template_alert_html, sizeof template_alert_html - 1,
                         &mail->html_template, why, sizeof why);
    if (r == 0) {
        r = mustache_compile((const char *)template_alert_txt, sizeof template_alert_txt - 1,
                             &mail->text_template, why, sizeof why);
    }
    return r < 0 ? -ENOMEM : 0; // they are ours, and compile: a test says so
}

void alert_mail_finish(struct alert_mail *mail)
{
    mustache_destroy(mail->html_template);
    mustache_destroy(mail->text_template);
    buf_finish(&mail->html);
    buf_finish(&mail->text);
}

static uint64_t hash(const char *text)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325); // FNV-1a

    for (; *text != '\0'; text++) {
        value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return value;
}

void alert_mail_token(char token[ALERT_MAIL_TOKEN_BYTES], const char *id)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const size_t len = strlen(id);

    if (len > 0 && len <= TOKEN_MAX && strspn(id, fine) == len) {
        memcpy(token, id, len + 1);
    } else {
        (void)snprintf(token, ALERT_MAIL_TOKEN_BYTES, "x%016llx-%zu", (unsigned long long)hash(id),
                       len);
    }
}

static void write_id(char id[ALERT_MAIL_ID_BYTES], const char *kind, const char *of,
                     const char *domain)
{
    char token[ALERT_MAIL_TOKEN_BYTES];

    alert_mail_token(token, of);
    (void)snprintf(id, ALERT_MAIL_ID_BYTES, "<%s.%s@%.200s>", kind, token, domain);
}

static void write_ids(struct alert_mail *mail, const struct tmon_notification *notification,
                      const char *domain)
{
    write_id(mail->id, "notification", notification->id, domain);
    mail->nreferences = 0;
    for (size_t i = 0; i < notification->nalerts && mail->nreferences < ALERT_MAIL_REFERENCES;
         i++) {
        write_id(mail->references[mail->nreferences++], "episode", notification->alerts[i]->key,
                 domain);
    }
}

static int render(struct alert_mail *mail, const struct tmon_notification *notification,
                  const struct alert_share *share)
{
    struct mail_tree tree;
    int r;

    mail_tree_init(&tree);
    buf_clear(&mail->html);
    buf_clear(&mail->text);
    alert_data_fill(&tree, notification, share);
    r = tree.failed ? -ENOMEM : 0;
    if (r == 0) {
        r = mustache_render(mail->html_template, &tree.root, MUSTACHE_HTML, NULL, 0, &mail->html);
    }
    if (r == 0) {
        r = mustache_render(mail->text_template, &tree.root, MUSTACHE_PLAIN, NULL, 0, &mail->text);
    }
    for (const struct mail_data *data = tree.root.first; data && r == 0; data = data->next) {
        if (strcmp(data->key, "subject") == 0) {
            utf8_line(mail->subject, sizeof mail->subject, data->text);
            break;
        }
    }
    mail_tree_finish(&tree);
    return r;
}

int alert_mail_write(struct alert_mail *mail, const struct tmon_notification *notification,
                     const char *domain)
{
    int r = -ENOMEM;

    write_ids(mail, notification, domain);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        r = render(mail, notification, &shares[i]);
        if (r == 0 && mail->html.len <= HTML_BYTES) {
            break;
        }
    }
    return r < 0 ? -ENOMEM : 0;
}
