/*
 * mail_read.h: a file that says what an e-mail is to tell.
 */
#ifndef CLI_MAIL_READ_H
#define CLI_MAIL_READ_H

#include <stdio.h>

#include "base/pool.h"
#include "plugin_api.h"

/*
 * Reads JSON: what a webhook gets ({"alerts": [...]}), or what POST /api/v1/alerts takes: one
 * alert or a list, judged by the same rules.  "-" is standard input.  The notification lives in the
 * pool; its title is NULL.  -EINVAL with a sentence that names the place; -errno of the file with
 * one, too; -ENOMEM.
 */
int mail_read(const char *path, struct pool *pool, struct tmon_notification **ret_notification,
              char *ret_why, size_t size);

#endif
