/*
 * mail_settings.h: from whom and to whom a sink writes e-mails.
 */
#ifndef COMMON_MAIL_SETTINGS_H
#define COMMON_MAIL_SETTINGS_H

#include <plugin_api.h>

#include "mail/mime.h"

#define MAIL_TO_MAX 50 /* Resend takes no more of one mail */

struct mail_settings {
    const char *from_text; /* as it was written */
    struct mime_address from;
    struct mime_address to[MAIL_TO_MAX];
    size_t nto;
};

/* The settings `from` and `to`; an item of `to` may be several, with commas between them.  TMON_OK,
 * or TMON_REJECTED with an error that names the setting, not its value. */
tmon_rc mail_settings_read(struct tmon_call *call, const struct tmon_config *config,
                           struct mail_settings *ret_settings);

#define MAIL_SETTINGS_OPTIONS                                                                      \
    {"from", TMON_STRING, TMON_REQUIRED, NULL,                                                     \
     0,      0,           NULL,          "Who writes: a@example.com or Name <a@example.com>.",     \
     NULL},                                                                                        \
    {                                                                                              \
        "to", TMON_LIST, TMON_REQUIRED, NULL, 0, 0, NULL, "Who is written to, up to 50.", NULL     \
    }

#endif
