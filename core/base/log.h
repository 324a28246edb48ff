/*
 * log.h: the agent's log, one event a line on stderr, as logfmt or JSON.
 *
 *     log_info("worker started", LOG_S("instance", name), LOG_I("pid", pid));
 *
 * A message is a constant sentence; what varies goes into fields, so that lines can be counted and
 * searched. Values are escaped; nothing that came from outside can start a line of its own.  Any
 * thread may log; a line is one write(), of 4 KiB at most.  Nobody waits for who reads the log: a
 * line for which there is no room is lost, and the next one that passes tells how many were.  The
 * level, the format and where lines go are the one writable global of the agent.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log_field {
    const char *key;
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_FLOAT } kind;
    const char *str; /* borrowed during the call; NULL is left out */
    int64_t num;
    double real;
};

#define LOG_S(key_, value_) ((struct log_field){(key_), LOG_FIELD_STR, (value_), 0, 0})
#define LOG_I(key_, value_) ((struct log_field){(key_), LOG_FIELD_INT, NULL, (int64_t)(value_), 0})
#define LOG_F(key_, value_) ((struct log_field){(key_), LOG_FIELD_FLOAT, NULL, 0, (value_)})
/* The text of an errno, given positive or negative. */
#define LOG_E(error_) LOG_S("error", log_errno(error_))

/* Before there are threads: from here on standard error is never waited for (log_sink.h). */
void log_open(void);
void log_setup(enum log_level level, enum log_format format);
/* "debug", "info", "warning" (or "warn"), "error"; -EINVAL else. */
int log_level_parse(const char *text, enum log_level *ret_level);
const char *log_level_name(enum log_level level);
bool log_enabled(enum log_level level);
/* Never NULL; the pointer is good for this thread until its next call. */
const char *log_errno(int error);
void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n);
/* A line for people as it is, for what ends the agent at its start. */
void log_plain(const char *text);
/* How many lines were lost since the start. */
uint64_t log_lost(void);

#define LOG_FIELDS_(...)                                                                           \
    (const struct log_field[]){__VA_ARGS__},                                                       \
        sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)
#define log_at(level_, ...) LOG_AT_(level_, __VA_ARGS__, LOG_S("", NULL))
#define LOG_AT_(level_, message_, ...)                                                             \
    do {                                                                                           \
        if (log_enabled(level_)) {                                                                 \
            log_write((level_), (message_), LOG_FIELDS_(__VA_ARGS__));                             \
        }                                                                                          \
    } while (0)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)

/*
 * A limit on lines from one source: `burst` lines at once, then `per_second`.  What was held back
 * is counted and told with the next line that passes.  One thread at a time.
 */
struct log_limit {
    double tokens;
    double burst;
    double per_second;
    int64_t last_ns;
    uint64_t suppressed;
};
void log_limit_init(struct log_limit *limit, double burst, double per_second);
/* Whether a line may pass now (monotonic clock, ns). */
bool log_limit_allow(struct log_limit *limit, int64_t now_ns);
/* How many were held back since the last call of this. */
uint64_t log_limit_take_suppressed(struct log_limit *limit);

#endif
