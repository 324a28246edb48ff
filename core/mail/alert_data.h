/*
 * alert_data.h: a notification as the data of a template.
 *
 * What strangers wrote is made fit to be read: one line (or lines), UTF-8, without control
 * characters and what turns text around, cut on a code point.  Links are http or https, or left
 * out.  templates/alert.*.mustache show the names that there are.
 */
#ifndef MAIL_ALERT_DATA_H
#define MAIL_ALERT_DATA_H

#include "mail/data.h"
#include "plugin_api.h"

/* How much of a notification is told: in bytes, where it is texts. */
struct alert_share {
    size_t alerts, rows, text, name, key, value, link;
};

#define ALERT_LINE_BYTES 4096 /* no line is longer, whatever the share says */

void alert_data_fill(struct mail_tree *tree, const struct tmon_notification *notification,
                     const struct alert_share *share);

/* A line for people, as `key`; false and nothing when nobody would see any of it. */
bool mail_add_line(struct mail_tree *tree, struct mail_data *parent, const char *key,
                   const char *text, size_t most);
/* A list of such lines, `most` bytes together, under `key`; nothing when there is none. */
void mail_add_lines(struct mail_tree *tree, struct mail_data *parent, const char *key,
                    const char *text, size_t most);
#define ALERT_LINK_BYTES 2048 /* what browsers and mail clients take for sure */

/* Only http and https, and only whole. */
void mail_add_link(struct mail_tree *tree, struct mail_data *parent, const char *key,
                   const char *url, size_t most);

#endif
