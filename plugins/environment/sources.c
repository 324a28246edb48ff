/*
 * sources.c: where variables are looked for: our own environment, an env file, a process.
 *
 * Everything is read in pieces through a small buffer and judged a character at a time, so that no
 * value is held longer than it takes to see that it is there, and the size of a value does not
 * matter.
 */
#include "environment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/file.h"
#include "../common/text.h"

void environment_own(struct wanted *wanted)
{
    size_t i;

    for (i = 0; i < wanted->count; i++) {
        const char *value = getenv(wanted->names[i]);

        wanted->seen[i] = value != NULL && value[0] != '\0';
    }
}

/* ---- KEY=VALUE lines ----------------------------------------------------------------------------
 */

/* Where the reader of an env file is.  It understands what shells, Docker and systemd have in
 * common: comments, `export`, blanks around, and values in single or double quotes that may span
 * lines. */
enum place {
    BEFORE, /* at the start of a line */
    NAME,
    AFTER, /* blanks behind the name */
    START, /* behind the = */
    BARE,  /* in an unquoted value */
    SINGLE,
    DOUBLE,
    ESCAPED, /* behind a backslash in double quotes */
    REST     /* to the end of the line, of no interest */
};

struct parser {
    enum place place;
    bool filled; /* the value has a character */
    char name[256];
    size_t len;
};

static void finish(struct parser *parser, struct wanted *wanted)
{
    if (parser->len > 0 && parser->len < sizeof parser->name) {
        wanted_meet(wanted, parser->name, parser->len, parser->filled);
    }
    parser->len = 0;
    parser->filled = false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void feed(struct parser *parser, struct wanted *wanted, char c)
{
    switch (parser->place) {
    case BEFORE:
        if (is_blank(c) || c == '\n') {
            break;
        }
        parser->place = NAME;
        parser->len = 0;
        parser->filled = false;
        if (c == '#' || c == '=') {
            parser->place = REST;
            break;
        }
        parser->name[parser->len++] = c;
        break;
    case NAME:
        if (c == '=') {
            parser->place = START;
        } else if (c == '\n') {
            parser->len = 0;
            parser->place = BEFORE;
        } else if (is_blank(c)) {
            if (parser->len == 6 && memcmp(parser->name, "export", 6) == 0) {
                parser->len = 0; // the name is still to come
            } else if (parser->len > 0) {
                parser->place = AFTER;
            }
        } else if (parser->len < sizeof parser->name) {
            parser->name[parser->len++] = c; // a full array is too long to be anything we look for
        }
        break;
    case AFTER:
        parser->place = c == '=' ? START : c == '\n' ? BEFORE : is_blank(c) ? AFTER : REST;
        if (parser->place == REST || parser->place == BEFORE) {
            parser->len = 0;
        }
        break;
    case START:
    case BARE:
        if (c == '\n') {
            finish(parser, wanted);
            parser->place = BEFORE;
        } else if (parser->place == START && (c == '\'' || c == '"')) {
            parser->place = c == '"' ? DOUBLE : SINGLE;
        } else if (c == '#' && parser->place == START) {
            finish(parser, wanted); // "KEY= # comment"
            parser->place = REST;
        } else if (!is_blank(c)) {
            parser->filled = true;
            parser->place = BARE;
        }
        break;
    case SINGLE:
    case DOUBLE:
        if (c == (parser->place == SINGLE ? '\'' : '"')) {
            parser->place = BARE; // what follows belongs to the value, as in a shell
        } else {
            parser->filled = true;
            parser->place = c == '\\' && parser->place == DOUBLE ? ESCAPED : parser->place;
        }
        break;
    case ESCAPED:
        parser->place = DOUBLE;
        break;
    case REST:
        if (c == '\n') {
            parser->place = BEFORE;
            parser->len = 0;
        }
        break;
    }
}

/* Hands each byte of a file to `feed_one`; 0, -EFBIG or -errno. */
static int each_byte(int fd, struct parser *parser, struct wanted *wanted,
                     void (*feed_one)(struct parser *parser, struct wanted *wanted, char c))
{
    char buffer[ENVIRONMENT_CHUNK];
    size_t total = 0;
    ssize_t n, i;

    while ((n = read(fd, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        total += (size_t)n;
        for (i = 0; i < n; i++) {
            feed_one(parser, wanted, buffer[i]);
        }
        explicit_bzero(buffer, (size_t)n); // secrets do not stay on this stack
        if (total > ENVIRONMENT_BYTES) {
            return -EFBIG;
        }
    }
    return 0;
}

int environment_file(struct wanted *wanted, const char *path)
{
    struct parser parser = {.place = BEFORE};
    struct stat info;
    int fd = file_open(AT_FDCWD, path); // O_NONBLOCK: a FIFO must not hold us
    int rc;

    if (fd < 0) {
        return fd;
    }
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        file_close(&fd);
        return -EINVAL;
    }
    rc = each_byte(fd, &parser, wanted, feed);
    if (rc == 0) {
        feed(&parser, wanted, '\n'); // the last line may lack its newline
    }
    file_close(&fd);
    return rc;
}

/* ---- Processes ----------------------------------------------------------------------------------
 */

/* /proc/PID/environ: "NAME=value" and a NUL, again and again. */
static void feed_environ(struct parser *parser, struct wanted *wanted, char c)
{
    if (c == '\0') {
        if (parser->place == BARE) {
            finish(parser, wanted);
        }
        *parser = (struct parser){.place = NAME};
    } else if (parser->place == BARE) {
        parser->filled = true;
    } else if (c == '=' && parser->len > 0) {
        parser->place = BARE;
    } else if (parser->len < sizeof parser->name) {
        parser->name[parser->len++] = c;
    }
}

int environment_process(struct wanted *wanted, int procfs, pid_t pid)
{
    struct parser parser = {.place = NAME};
    char path[64];
    int fd, rc;

    (void)snprintf(path, sizeof path, "%ld/environ", (long)pid);
    fd = file_open(procfs, path);
    if (fd < 0) {
        return fd;
    }
    rc = each_byte(fd, &parser, wanted, feed_environ);
    if (rc == 0) {
        feed_environ(&parser, wanted, '\0');
    }
    file_close(&fd);
    return rc;
}

static bool is_number(const char *text)
{
    const size_t len = strspn(text, "0123456789");

    return len > 0 && len < 10 && text[len] == '\0';
}

int environment_find(int procfs, const char *name_or_pid, pid_t *ret_pid)
{
    char comm[64], path[300];
    char want[16]; // the kernel keeps 15 characters of a name
    struct dirent *entry;
    DIR *dir;
    int fd;
    long found = 0;

    if (is_number(name_or_pid)) {
        *ret_pid = (pid_t)strtol(name_or_pid, NULL, 10);
        return 0;
    }
    (void)snprintf(want, sizeof want, "%s", name_or_pid);
    fd = openat(procfs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        file_close(&fd);
        return -errno;
    }
    while ((entry = readdir(dir)) != NULL) {
        long pid;

        if (!is_number(entry->d_name)) {
            continue;
        }
        pid = strtol(entry->d_name, NULL, 10);
        (void)snprintf(path, sizeof path, "%s/comm", entry->d_name);
        if ((found == 0 || pid < found) && file_read(procfs, path, comm, sizeof comm) > 0 &&
            strcmp(comm, want) == 0) {
            found = pid;
        }
    }
    (void)closedir(dir);
    if (found == 0) {
        return -ESRCH;
    }
    *ret_pid = (pid_t)found;
    return 0;
}

int environment_started(int procfs, pid_t pid, uint64_t *ret_ticks)
{
    char path[64], text[1024];
    const char *at;
    const char *word;
    size_t len;
    ssize_t n;
    int i;

    (void)snprintf(path, sizeof path, "%ld/stat", (long)pid);
    n = file_read(procfs, path, text, sizeof text);
    if (n < 0) {
        return (int)n;
    }
    at = strrchr(text, ')'); // the name before it may hold anything, blanks and parentheses too
    at = at == NULL ? "" : at + 1;
    for (i = 0; i < 19; i++) { // fields 3 to 21
        if (!text_word(&at, &word, &len)) {
            return -ENODATA;
        }
    }
    return text_u64(&at, ret_ticks) ? 0 : -ENODATA;
}
