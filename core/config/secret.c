/*
 * secret.c: reads secrets from files.  Runs where a configuration is loaded.
 *
 * Only regular files, opened without blocking: a fifo or a device in place of a secret must not
 * hang a reload.
 */
#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"

int secret_read(const char *path, struct config_position at, const char *setting,
                struct config_errors *errors, char **ret_text)
{
    char *text = NULL;
    size_t len = 0;
    struct stat st;
    int r = -EINVAL, fd = -1;

    if (path[0] != '/') {
        config_error(errors, at,
                     "%s: file: needs an absolute path, such as file:/etc/toiletmon/secret",
                     setting);
        return -EINVAL;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        config_error(errors, at, "%s: the file %s cannot be read: %s", setting, path,
                     log_errno(errno));
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        config_error(errors, at, "%s: %s is not a file", setting, path);
        goto out;
    }
    text = malloc(LIMIT_SECRET_BYTES + 2);
    if (!text) {
        r = -ENOMEM;
        goto out;
    }
    for (;;) {
        ssize_t n = read(fd, text + len, LIMIT_SECRET_BYTES + 1 - len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            config_error(errors, at, "%s: the file %s cannot be read: %s", setting, path,
                         log_errno(errno));
            goto out;
        }
        len += (size_t)n;
        if (n == 0 || len > LIMIT_SECRET_BYTES) {
            break;
        }
    }
    if (len > LIMIT_SECRET_BYTES) {
        config_error(errors, at, "%s: the file %s has more than %d bytes", setting, path,
                     LIMIT_SECRET_BYTES);
        goto out;
    }
    if (len && text[len - 1] == '\n') {
        len--;
        len -= len && text[len - 1] == '\r';
    }
    text[len] = '\0';
    if (len == 0) {
        config_error(errors, at, "%s: the file %s is empty", setting, path);
        goto out;
    }
    if (memchr(text, '\0', len) || !utf8_valid(text, len)) {
        config_error(errors, at, "%s: the file %s does not hold text in UTF-8", setting, path);
        goto out;
    }
    if (st.st_mode & S_IROTH) {
        config_warning(errors, at, "%s: everybody on this machine may read %s; chmod o-r it",
                       setting, path);
    }
    *ret_text = text;
    text = NULL;
    r = 0;
out:
    free(text);
    if (fd >= 0) {
        close(fd);
    }
    return r;
}
