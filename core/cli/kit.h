/*
 * kit.h: the conformance kit: runs a plugin as the agent would and names what is wrong with it.
 *
 * One instance at a time in a real worker, with the agent's own code for its life; this file's part
 * is to wait, to count, and to find words.  The command line's main thread.
 */
#ifndef CLI_KIT_H
#define CLI_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/loop.h"
#include "base/map.h"
#include "fetch/broker.h"
#include "plugin/instance.h"

#define KIT_FINDINGS 200 /* nobody reads more; the same one is told once */

enum kit_level { KIT_GOOD, KIT_NOTE, KIT_FAULT };

struct kit_finding {
    enum kit_level level;
    char *component; /* "": of the whole plugin */
    char *text;
};

struct kit_options {
    const struct tmon_pair *settings; /* NAME=VALUE */
    size_t nsettings;
    uint32_t runs;
    int64_t timeout_ms;
    int expect; /* a tmon_verdict; -1: any */
};

struct kit {
    struct kit_options options;
    struct spawner *spawner;
    struct loop *loop;
    struct fetch_broker *fetch;
    const char *path;
    const char *component; /* which one is tested now */
    size_t nfindings;
    struct kit_finding findings[KIT_FINDINGS];
    size_t faults;

    /* what the instance did since it was last looked at */
    struct instance *instance;
    struct loop_timer timer;
    bool (*over)(const struct kit *kit); /* what is waited for */
    int64_t until_ns;
    bool expired, done, stopped;
    tmon_rc rc;
    bool overdue;
    int64_t duration_ns;
    tmon_verdict verdict;
    char message[LIMIT_TEXT_BYTES + 1];
    size_t log_lines;
    struct buf samples;
    struct buf request; /* of a format(), encoded */
};

void kit_finding(struct kit *kit, enum kit_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the worker of the instance holds; -1: cannot be seen. */
struct kit_holdings {
    long descriptors, threads, memory_kib;
};
struct kit_holdings kit_holdings(const struct kit *kit);
/* Names what has grown in so many runs; of memory only what is beyond growth_kib. */
void kit_compare(struct kit *kit, const char *ability, uint32_t runs,
                 const struct kit_holdings *before, const struct kit_holdings *after,
                 long growth_kib);

/* One call and its end, with encoded arguments for a sink's (else NULL); false when there can be no
 * more. */
bool kit_call(struct kit *kit, enum ability ability, const struct buf *args, const char *name,
              int64_t timeout_ms);
/* Whether what the call returned means something. */
bool kit_look_at_rc(struct kit *kit, const char *name);
/* "format: 20 runs, 0.12 ms at the median, ...: WHAT".  Sorts the durations. */
void kit_sum_up(struct kit *kit, const char *name, int64_t *durations, uint32_t n,
                const char *what);

/* Tests one component, which needs settings made of options->settings (takes them). */
void kit_component(struct kit *kit, const struct manifest_component *component,
                   struct settings *settings);

/* What is remembered of the series of a component from collection to collection. */
struct kit_series {
    struct map families;
    struct map series;
    uint32_t collection;
    size_t last; /* series of the last collection */
};
void kit_series_init(struct kit_series *series);
void kit_series_finish(struct kit_series *series);
/* Looks at one collection. */
void kit_series_look(struct kit_series *series, struct kit *kit, const void *samples, size_t len);

/* kit_sink.c: what a sink makes of notifications and answers.  False when the worker is gone. */
bool kit_sink(struct kit *kit, const struct manifest_component *component);
/* Once, with little time. */
bool kit_sink_in_a_hurry(struct kit *kit, int64_t timeout_ms);

#endif
