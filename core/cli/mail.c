/*
 * mail.c: `toiletmon mail`: what an e-mail looks like, without an agent.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/mail_read.h"
#include "mail/alert_mail.h"
#include "mail/mime.h"
#include "outbox/compose.h"

#define PATH_BYTES 4096

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* DIR/alert.ENDING */
static int put_file(const char *dir, const char *ending, const struct buf *content)
{
    char path[PATH_BYTES];
    int fd, n = snprintf(path, sizeof path, "%s/alert.%s", dir, ending);
    bool good;

    if (n < 0 || (size_t)n >= sizeof path) {
        return cli_failed("the name of the directory is too long");
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    good = fd >= 0 && write_all(fd, buf_str(content), content->len);
    if (fd >= 0) {
        good = close(fd) == 0 && good;
    }
    if (!good) {
        return cli_failed("%s: %s", path, strerror(errno));
    }
    printf("%s\n", path);
    return CLI_OK;
}

static int write_message(const char *dir, const struct alert_mail *mail)
{
    struct mime_address from, to;
    const char *references[ALERT_MAIL_REFERENCES];
    struct mime_mail message = {.from = &from,
                                .to = &to,
                                .nto = 1,
                                .subject = mail->subject,
                                .id = mail->id,
                                .references = references,
                                .nreferences = mail->nreferences,
                                .date_ms = clock_real_ms(),
                                .text = buf_str(&mail->text),
                                .html = buf_str(&mail->html)};
    struct buf out;
    int status;

    (void)mime_address_read(&from, "toiletmon <toiletmon@example.com>");
    (void)mime_address_read(&to, "you@example.com");
    for (size_t i = 0; i < mail->nreferences; i++) {
        references[i] = mail->references[i];
    }
    buf_init(&out, LIMIT_CALL_BYTES);
    status =
        mime_write(&out, &message) < 0 ? cli_failed("out of memory") : put_file(dir, "eml", &out);
    buf_finish(&out);
    return status;
}

static int write_mail(const char *dir, const struct tmon_notification *notification)
{
    struct alert_mail mail;
    int status = CLI_OK;

    if (alert_mail_init(&mail) < 0 || alert_mail_write(&mail, notification, "example.com") < 0) {
        status = cli_failed("out of memory");
    }
    if (status == CLI_OK && mkdir(dir, 0755) < 0 && errno != EEXIST) {
        status = cli_failed("%s: %s", dir, strerror(errno));
    }
    if (status == CLI_OK) {
        status = put_file(dir, "html", &mail.html);
    }
    if (status == CLI_OK) {
        status = put_file(dir, "txt", &mail.text);
    }
    if (status == CLI_OK) {
        status = write_message(dir, &mail);
    }
    alert_mail_finish(&mail);
    return status;
}

static int preview(struct cli *cli)
{
    const char *data = cli_value(cli, "data"), *dir = cli_value(cli, "out");
    struct tmon_notification *notification;
    struct pool pool;
    struct buf title;
    char why[512];
    int status;

    if (strcmp(cli->arguments[0], "alert") != 0) {
        return cli_usage(cli, "there is no mail '%s'; there is: alert", cli->arguments[0]);
    }
    if (!data || !dir) {
        return cli_usage(cli, "--data and --out must be given");
    }
    pool_init(&pool, 65536);
    buf_init(&title, LIMIT_TITLE_BYTES);
    if (mail_read(data, &pool, &notification, why, sizeof why) < 0) {
        status = cli_failed("%s", why);
    } else {
        compose_title(&title, notification);
        notification->title = buf_str(&title);
        status = write_mail(dir, notification);
    }
    buf_finish(&title);
    pool_finish(&pool);
    return status;
}

static const struct cli_option preview_options[] = {
    {"data", 0, "FILE",
     "JSON: what a webhook gets, or an alert as POST /api/v1/alerts takes it (title, severity, "
     "message, metadata)",
     false},
    {"out", 0, "DIR", "where alert.html, alert.txt and alert.eml go; is made if need be", false},
    {0},
};

const struct cli_command cli_mail_commands[] = {
    {"preview", "alert", "Write an e-mail into files, to look at it",
     "Needs no agent. The texts are exactly those that resend and smtp would send.", 1, 1,
     preview_options, NULL, preview},
    {0},
};
