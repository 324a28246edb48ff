/*
 * engine_history.c: rules over the store's history: what they select, what they read, and how it
 * survives a restart.
 *
 * A range that the history's bounds could not hold fails the rule: half of an hour's samples would
 * give a number that looks like any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "rules/engine_private.h"

#define SNAPSHOT_BYTES (256u << 20)

int engine_select(struct rules_engine *engine, struct rule *rule, int64_t now_ms)
{
    size_t n = expr_selectors(rule->expr);
    int r = 0;

    rule->handles = calloc(n + 1, sizeof *rule->handles);
    if (!rule->handles) {
        return -ENOMEM;
    }
    rule->covered_ms = now_ms;
    for (size_t i = 0; i < n && r == 0; i++) {
        const struct expr_selector *selector = expr_selector(rule->expr, i);
        struct history_selector *handle = NULL;

        r = history_select(engine->options.history, selector->matchers, selector->nmatchers,
                           rule_selector_keep_ms(selector), &handle);
        rule->handles[i] = handle;
    }
    return r;
}

void engine_unselect(struct rules_engine *engine, struct rule *rule)
{
    for (size_t i = 0; rule->handles && i < expr_selectors(rule->expr); i++) {
        history_unselect(engine->options.history, rule->handles[i]);
        rule->handles[i] = NULL;
    }
}

bool engine_covered(const struct rules_engine *engine, const struct rule *rule, int64_t now_ms)
{
    for (size_t i = 0; i < expr_selectors(rule->expr); i++) {
        const struct expr_selector *selector = expr_selector(rule->expr, i);
        int64_t back = selector->range_ms + (selector->offset_ms > 0 ? selector->offset_ms : 0);
        struct history_stats stats = {0};

        if (back == 0 || rule->covered_ms <= now_ms - back || !rule->handles || !rule->handles[i]) {
            continue;
        }
        history_stats(engine->options.history, rule->handles[i], &stats);
        if (stats.since_ms == 0 || stats.since_ms > now_ms - back) {
            return false;
        }
    }
    return true;
}

/* ---- reading ---- */

struct reading {
    struct rules_engine *engine;
    const struct expr_selector *selector;
    int (*fn)(void *arg, const struct expr_series *series);
    void *arg;
};

_Static_assert(sizeof(struct history_sample) == sizeof(struct expr_sample) &&
                   offsetof(struct history_sample, value) == offsetof(struct expr_sample, value),
               "samples of the history are samples of expressions");

static const char *selector_name(const struct expr_selector *selector)
{
    for (size_t i = 0; i < selector->nmatchers; i++) {
        if (strcmp(selector->matchers[i].name, "__name__") == 0) {
            return selector->matchers[i].value;
        }
    }
    return "a selector";
}

static int on_series(void *arg, const struct history_series *series)
{
    const struct reading *reading = arg;
    const struct expr_series found = {.labels = series->labels,
                                      .nlabels = series->nlabels,
                                      .samples = (const struct expr_sample *)series->samples,
                                      .n = series->n};

    if (series->cut) {
        (void)snprintf(reading->engine->why, sizeof reading->engine->why,
                       "the range of %.128s is longer than the history that fits into its bounds",
                       selector_name(reading->selector));
        return -EOVERFLOW;
    }
    return series->n > 0 ? reading->fn(reading->arg, &found) : 0;
}

int engine_read(void *owner, const struct rule *rule, size_t selector, int64_t from_ms,
                int64_t to_ms, int (*fn)(void *arg, const struct expr_series *series), void *arg)
{
    struct rules_engine *engine = owner;
    struct reading reading = {engine, expr_selector(rule->expr, selector), fn, arg};
    const struct history_selector *handle = rule->handles ? rule->handles[selector] : NULL;
    int r;

    if (!handle) {
        return 0;
    }
    r = reading.selector->range_ms == 0
            ? history_read_last(engine->options.history, handle, from_ms, to_ms, on_series,
                                &reading)
            : history_read(engine->options.history, handle, from_ms, to_ms, on_series, &reading);
    if (r == -ENOBUFS) {
        (void)snprintf(engine->why, sizeof engine->why,
                       "the history has no room for some series of %.128s",
                       selector_name(reading.selector));
    }
    return r;
}

int engine_append(void *owner, const struct tmon_pair *labels, size_t n, int64_t time_ms,
                  double value)
{
    const struct rules_engine *engine = owner;

    return history_append(engine->options.history, labels, n, time_ms, value);
}

/* ---- over a restart ---- */

static int read_file(const char *path, struct buf *buf)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int r = 0;

    if (fd < 0) {
        return -errno;
    }
    for (;;) {
        char *space = buf_reserve(buf, 1 << 20);
        ssize_t n = space ? read(fd, space, 1 << 20) : 0;

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            r = n < 0 ? -errno : buf->failed ? -EFBIG : 0;
            break;
        }
        buf_advance(buf, (size_t)n);
    }
    (void)close(fd);
    return r;
}

void engine_load_snapshot(struct rules_engine *engine)
{
    struct buf buf;
    int r;

    if (!engine->snapshot) {
        return;
    }
    buf_init(&buf, SNAPSHOT_BYTES);
    r = read_file(engine->snapshot, &buf);
    if (r == 0) {
        r = history_restore(engine->options.history, buf.data, buf.len, clock_real_ms());
    }
    if (r < 0 && r != -ENOENT) {
        log_warning(
            "the history of rules from before could not be read in full; rules warm up anew",
            LOG_S("file", engine->snapshot), LOG_E(r));
    }
    buf_finish(&buf);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A file beside it that takes its place when it is whole. */
static int write_file(const char *path, const struct buf *buf)
{
    char *fresh = NULL;
    int fd, r;

    if (asprintf(&fresh, "%s.new", path) < 0) {
        return -ENOMEM;
    }
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        r = -errno;
        free(fresh);
        return r;
    }
    r = write_all(fd, buf->data, buf->len);
    if (r == 0 && fdatasync(fd) < 0) {
        r = -errno;
    }
    if (close(fd) < 0 && r == 0) {
        r = -errno;
    }
    if (r == 0 && rename(fresh, path) < 0) {
        r = -errno;
    }
    if (r < 0) {
        (void)unlink(fresh);
    }
    free(fresh);
    return r;
}

struct saving {
    struct rules_engine *engine;
    struct buf buf;
};

static void *save(void *arg)
{
    struct saving *saving = arg;
    struct rules_engine *engine = saving->engine;
    int r = write_file(engine->snapshot, &saving->buf);

    if (r < 0) {
        log_warning("the history of rules could not be saved; after a restart they would warm up",
                    LOG_S("file", engine->snapshot), LOG_E(r));
    }
    buf_finish(&saving->buf);
    free(saving);
    atomic_store(&engine->saving, false);
    return NULL;
}

void engine_finish_saving(struct rules_engine *engine)
{
    if (engine->saver_started) {
        (void)pthread_join(engine->saver, NULL);
        engine->saver_started = false;
    }
}

void engine_save_snapshot(struct rules_engine *engine)
{
    struct saving *saving;
    int r;

    if (!engine->snapshot || !engine->begun || !engine->set || engine->set->nrules == 0 ||
        atomic_load(&engine->saving)) {
        return;
    }
    engine_finish_saving(engine); /* it has ended */
    saving = calloc(1, sizeof *saving);
    if (!saving) {
        return;
    }
    saving->engine = engine;
    buf_init(&saving->buf, SNAPSHOT_BYTES);
    r = history_save(engine->options.history, clock_real_ms(), &saving->buf);
    if (r == 0) {
        atomic_store(&engine->saving, true);
        r = -pthread_create(&engine->saver, NULL, save, saving);
    }
    if (r < 0) {
        log_warning("the history of rules could not be saved", LOG_E(r));
        atomic_store(&engine->saving, false);
        buf_finish(&saving->buf);
        free(saving);
        return;
    }
    engine->saver_started = true;
    (void)pthread_setname_np(engine->saver, "rules-saver");
}
