/*
 * log.c: see log.h.  A line is built on the stack and leaves with one write(), so lines of several
 * threads do not mix; a value longer than its room is cut on a code point, never left out silently
 * (it ends with "...").  The lock is never held while anything waits (log_sink.c).
 */
#include "base/log.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log_sink.h"
#include "base/utf8.h"

#define VALUE_BYTES 2048

static atomic_int log_level_now = LOG_LEVEL_INFO;
static atomic_int log_format_now = LOG_FORMAT_LOGFMT;

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER; /* of the sink and of what follows */
static uint64_t log_lost_now;                                /* not told yet */
static uint64_t log_lost_before;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void log_open(void)
{
    (void)pthread_mutex_lock(&log_lock);
    log_sink_open();
    (void)pthread_mutex_unlock(&log_lock);
}

void log_setup(enum log_level level, enum log_format format)
{
    atomic_store(&log_level_now, (int)level);
    atomic_store(&log_format_now, (int)format);
}

int log_level_parse(const char *text, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcasecmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return 0;
        }
    }
    if (strcasecmp(text, "warn") == 0) {
        *ret_level = LOG_LEVEL_WARNING;
        return 0;
    }
    return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

const char *log_errno(int error)
{
    static _Thread_local char text[128];
    const char *name = strerrordesc_np(error < 0 ? -error : error);

    if (name) {
        return name;
    }
    (void)snprintf(text, sizeof text, "error %d", error);
    return text;
}

struct line {
    char text[LOG_LINE_BYTES];
    size_t len;
};

/* Leaves room for the end of the line. */
static void put(struct line *line, const char *text, size_t len)
{
    size_t room = LOG_LINE_BYTES - 8 - line->len;

    if (len > room) {
        len = room;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* JSON's escapes serve logfmt too: both want quotes, backslashes and control characters harmless.
 */
static void put_quoted(struct line *line, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    char clean[VALUE_BYTES];
    bool cut = strlen(text) >= sizeof clean;

    utf8_copy(clean, sizeof clean, text);
    put(line, "\"", 1);
    for (const char *p = clean; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\') {
            put(line, (char[]){'\\', *p}, 2);
        } else if (c == '\n') {
            put(line, "\\n", 2);
        } else if (c == '\t') {
            put(line, "\\t", 2);
        } else if (c < 0x20 || c == 0x7f) {
            put(line, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        } else {
            put(line, p, 1);
        }
    }
    if (cut) {
        put(line, "...", 3);
    }
    put(line, "\"", 1);
}

/* Whether logfmt can do without quotes. */
static bool is_plain(const char *text)
{
    if (!*text) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f) {
            return false;
        }
    }
    return strlen(text) < VALUE_BYTES;
}

static void put_field(struct line *line, bool json, const struct log_field *field)
{
    char number[64];

    if (json) {
        put(line, ",", 1);
        put_quoted(line, field->key);
        put(line, ":", 1);
    } else {
        put(line, " ", 1);
        put_text(line, field->key);
        put(line, "=", 1);
    }
    switch (field->kind) {
    case LOG_FIELD_STR:
        if (!json && is_plain(field->str)) {
            put_text(line, field->str);
        } else {
            put_quoted(line, field->str);
        }
        break;
    case LOG_FIELD_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)field->num);
        put_text(line, number);
        break;
    case LOG_FIELD_FLOAT:
        if (json && !isfinite(field->real)) {
            put_text(line, "null");
        } else {
            (void)snprintf(number, sizeof number, "%.6g", field->real);
            put_text(line, number);
        }
        break;
    }
}

static void build(struct line *line, enum log_level level, const char *message,
                  const struct log_field *fields, size_t n)
{
    bool json = atomic_load_explicit(&log_format_now, memory_order_relaxed) == LOG_FORMAT_JSON;
    char time[CLOCK_RFC3339_SIZE];

    line->len = 0;
    (void)clock_rfc3339(clock_real_ms(), time);
    put_text(line, json ? "{\"time\":\"" : "time=");
    put_text(line, time);
    put_text(line, json ? "\",\"level\":\"" : " level=");
    put_text(line, level_names[level]);
    put_text(line, json ? "\",\"msg\":" : " msg=");
    put_quoted(line, message);
    for (size_t i = 0; i < n; i++) {
        if (fields[i].kind == LOG_FIELD_STR && !fields[i].str) {
            continue;
        }
        put_field(line, json, &fields[i]);
    }
    if (line->len >= LOG_LINE_BYTES - 8 && json) {
        /* The cut may stand inside a string: start anew with the message alone. */
        line->len = 0;
        put_text(line, "{\"time\":\"");
        put_text(line, time);
        put_text(line, "\",\"level\":\"");
        put_text(line, level_names[level]);
        put_text(line, "\",\"cut\":true,\"msg\":");
        put_quoted(line, message);
    }
    if (json) {
        line->text[line->len++] = '}';
    }
    line->text[line->len++] = '\n';
}

/* The line that tells of those that were lost; false: there is no room yet. */
static bool tell_lost(void)
{
    const struct log_field count = LOG_I("count", log_lost_now);
    struct line line;

    build(&line, LOG_LEVEL_WARNING, "log lines were lost: nobody read them in time", &count, 1);
    if (!log_sink_put(line.text, line.len)) {
        return false;
    }
    log_lost_before += log_lost_now;
    log_lost_now = 0;
    return true;
}

static void deliver(const struct line *line)
{
    (void)pthread_mutex_lock(&log_lock);
    if ((log_lost_now > 0 && !tell_lost()) || !log_sink_put(line->text, line->len)) {
        log_lost_now++;
    }
    (void)pthread_mutex_unlock(&log_lock);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n)
{
    int saved = errno;
    struct line line;

    build(&line, level, message, fields, n);
    deliver(&line);
    errno = saved;
}

void log_plain(const char *text)
{
    int saved = errno;
    struct line line = {.len = 0};

    put_text(&line, text);
    line.text[line.len++] = '\n';
    deliver(&line);
    errno = saved;
}

uint64_t log_lost(void)
{
    uint64_t n;

    (void)pthread_mutex_lock(&log_lock);
    n = log_lost_before + log_lost_now;
    (void)pthread_mutex_unlock(&log_lock);
    return n;
}

void log_limit_init(struct log_limit *limit, double burst, double per_second)
{
    *limit = (struct log_limit){
        .tokens = burst, .burst = burst, .per_second = per_second, .last_ns = -1};
}

bool log_limit_allow(struct log_limit *limit, int64_t now_ns)
{
    if (limit->last_ns >= 0 && now_ns > limit->last_ns) {
        limit->tokens += (double)(now_ns - limit->last_ns) / (double)NS_PER_S * limit->per_second;
        if (limit->tokens > limit->burst) {
            limit->tokens = limit->burst;
        }
    }
    limit->last_ns = now_ns;
    if (limit->tokens < 1.0) {
        limit->suppressed++;
        return false;
    }
    limit->tokens -= 1.0;
    return true;
}

uint64_t log_limit_take_suppressed(struct log_limit *limit)
{
    uint64_t n = limit->suppressed;

    limit->suppressed = 0;
    return n;
}
