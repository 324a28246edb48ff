/*
 * alert_mail.h: the e-mail that tells of alerts: a subject, HTML and text.
 *
 * For a process that writes many of them: memory is kept from one to the next.  One thread at a
 * time.
 */
#ifndef MAIL_ALERT_MAIL_H
#define MAIL_ALERT_MAIL_H

#include "base/buf.h"
#include "mail/mustache.h"
#include "plugin_api.h"

#define ALERT_MAIL_SUBJECT_BYTES 256
#define ALERT_MAIL_REFERENCES 20
#define ALERT_MAIL_ID_BYTES 320 /* of a Message-ID in < > */

struct alert_mail {
    struct mustache *html_template, *text_template; /* owned */
    struct buf html, text;
    char subject[ALERT_MAIL_SUBJECT_BYTES]; /* one line of UTF-8 */
    /* The same for each attempt. */
    char id[ALERT_MAIL_ID_BYTES];
    /* What the mails of an incident have in common, so that they are one thread: an id for each
     * episode that is told of. */
    char references[ALERT_MAIL_REFERENCES][ALERT_MAIL_ID_BYTES];
    size_t nreferences;
};

/* -ENOMEM. */
int alert_mail_init(struct alert_mail *mail);
/* Zeroed memory may be given, too. */
void alert_mail_finish(struct alert_mail *mail);
/* `domain` is for the ids.  The mail stays below what clients cut (Gmail: 102 KiB of HTML).
 * -ENOMEM. */
int alert_mail_write(struct alert_mail *mail, const struct tmon_notification *notification,
                     const char *domain);

/* A notification's id where only letters, digits and "-_." may stand: itself, or a hash of it.  At
 * most 100 bytes. */
#define ALERT_MAIL_TOKEN_BYTES 101
void alert_mail_token(char token[ALERT_MAIL_TOKEN_BYTES], const char *id);

#endif
