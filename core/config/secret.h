/*
 * secret.h: `file:/path` in place of a secret.
 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "config/errors.h"

/* The contents of a file without its trailing newline, owned.  -EINVAL with an error added, which
 * never shows the contents; -ENOMEM.  A file that everybody may read is a warning. */
int secret_read(const char *path, struct config_position at, const char *setting,
                struct config_errors *errors, char **ret_text);

#endif
