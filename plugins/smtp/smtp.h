/*
 * smtp.h: what the parts of the component `smtp` share.
 */
#ifndef SMTP_H
#define SMTP_H

#include <curl/curl.h>
#include <plugin_api.h>

#include "../common/mail_settings.h"
#include "../common/outcome.h"
#include "mail/alert_mail.h"

/* ---- one conversation with a server (talk.c) ---- */

/* What is asked; the answers to each are judged differently. */
enum talk_step { TALK_HELLO, TALK_TLS, TALK_AUTH, TALK_FROM, TALK_TO, TALK_DATA, TALK_BODY };

struct talk {
    struct tmon_call *call;
    const char *message; /* borrowed */
    size_t len, at;
    bool all_read; /* curl has all of the message, so the server may have it, too */
    enum talk_step step;
    bool leaving;                   /* QUIT was said */
    size_t nto;                     /* recipients that were named to the server */
    int codes[MAIL_TO_MAX];         /* what it answered to each; 0: nothing yet */
    char refusals[MAIL_TO_MAX][64]; /* the answer, where it refused */
    int code;                       /* of the last answer; 0: none since the last question */
    char line[512];                 /* the last answer, its last line */
    char error[CURL_ERROR_SIZE];
};

/* Makes the handle tell `talk` what is said, and take the message from it. */
void talk_listen(struct talk *talk, CURL *easy);
/* Ends the handle and its connection at once: libcurl would say QUIT and wait two minutes for the
 * answer of a server that hangs.  Takes NULL. */
void talk_end(CURL *easy);
const char *talk_step_name(enum talk_step step);

/* ---- the component ---- */

#define SMTP_PARTLY 32
#define SMTP_URL_BYTES 600

/* A notification that some have and others are still to get. */
struct smtp_partly {
    char id[ALERT_MAIL_TOKEN_BYTES];
    uint64_t done; /* a bit for each of `to`: has it, or is refused for good */
};

struct smtp {
    struct mail_settings settings;
    struct alert_mail mail;
    struct buf message;
    const char *user, *password, *ca_file;
    char url[SMTP_URL_BYTES];
    bool tls; /* required, from the start or by STARTTLS */
    bool hold;
    CURL *easy; /* keeps its connection for a while; NULL after a failure */
    struct outcome_hidden hidden;
    char plain[1024], coded[1024]; /* what a server sees of the password; hidden, too */
    struct smtp_partly partly[SMTP_PARTLY];
    size_t next_partly;
};

tmon_rc smtp_deliver(struct tmon_call *call, void *self,
                     const struct tmon_notification *notification);

#endif
