/*
 * errors.h: what is wrong with a configuration, all of it at once.
 *
 * Each entry is one finished line, "file:line:column: message", for the log, `check` and the reload
 * answer. Nobody puts the value of a secret, or of a replaced ${VARIABLE}, into a message.  One
 * thread at a time.
 */
#ifndef CONFIG_ERRORS_H
#define CONFIG_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where something stands.  `file` is borrowed from the config; line and column count from 1,
 * columns in characters.  Line 0: the file as a whole. */
struct config_position {
    const char *file;
    uint32_t line;
    uint32_t column;
};

struct config_error {
    bool warning; /* worth telling, but nothing is refused */
    char *text;   /* owned */
};

struct config_errors {
    size_t count;   /* entries kept, errors and warnings; at most LIMIT_CONFIG_ERRORS */
    size_t errors;  /* how many errors there were, kept or not; 0: the configuration is good */
    size_t dropped; /* entries beyond the cap */
    struct config_error *entries;
};

void config_errors_init(struct config_errors *errors);
void config_errors_finish(struct config_errors *errors);
/* Both copy.  Out of memory: the error is counted all the same. */
void config_error(struct config_errors *errors, struct config_position at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void config_warning(struct config_errors *errors, struct config_position at, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

#endif
