/*
 * engine_private.h: what the files of the engine share.  All of it belongs to the rules' thread,
 * but for what says otherwise.
 */
#ifndef RULES_ENGINE_PRIVATE_H
#define RULES_ENGINE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/loop.h"
#include "rules/engine.h"

struct engine_group {
    struct rules_engine *engine;
    struct rules_group *group;
    struct loop_timer timer;
    int64_t due_ns;
    uint64_t evaluations, failures, missed;
    int64_t took_ns;
    bool attempted; /* since the start: what looks at its records need not wait any more */
    bool waiting;
    bool told, failing; /* how the owner knows it */
    bool in_flight;
};

struct engine_metrics {
    struct store_metric *evaluations, *failures, *missed, *duration, *groups, *rules, *pending,
        *firing, *series, *samples, *bytes;
};

struct rules_engine {
    struct rules_options options;
    char *snapshot;
    struct loop *loop;
    pthread_t thread;
    bool running;
    struct rules_set *set;
    struct engine_group *groups; /* one a group of the set */
    char *external_url;
    struct rules_storage storage;
    char why[512];
    bool restored, begun;
    struct rules_row *rows; /* of a run before, that no rule has taken yet */
    struct active *leaving; /* of rules that are gone; ends when the desk knows */
    bool leaving_in_flight;
    struct loop_timer leaving_timer, save_timer;
    struct rules_batch *batches; /* under way */
    struct engine_metrics metrics;
    int64_t measured_ns;
    atomic_bool ending; /* the evaluation under way is the last */
    pthread_t saver;    /* writes the snapshot: a disk that hangs holds up no rule */
    bool saver_started;
    atomic_bool saving;
};

/* engine_history.c */
int engine_select(struct rules_engine *engine, struct rule *rule, int64_t now_ms);
void engine_unselect(struct rules_engine *engine, struct rule *rule);
bool engine_covered(const struct rules_engine *engine, const struct rule *rule, int64_t now_ms);
int engine_read(void *owner, const struct rule *rule, size_t selector, int64_t from_ms,
                int64_t to_ms, int (*fn)(void *arg, const struct expr_series *series), void *arg);
int engine_append(void *owner, const struct tmon_pair *labels, size_t n, int64_t time_ms,
                  double value);
void engine_load_snapshot(struct rules_engine *engine);
/* On a thread of its own; nothing while the one before is still writing. */
void engine_save_snapshot(struct rules_engine *engine);
/* Waits for it. */
void engine_finish_saving(struct rules_engine *engine);

/* engine_batch.c */
/* Submits what the desk does not know of the group yet (NULL: of those that leave); `all`: how far
 * timers are too. */
void engine_submit(struct rules_engine *engine, struct engine_group *group, int64_t timer_ms,
                   bool all);
void engine_take_rows(struct rules_engine *engine, struct rule *rule);
/* The alerts of a rule that goes, and rows that nobody took. */
void engine_leave(struct rules_engine *engine, struct rule *rule);
void engine_leave_rows(struct rules_engine *engine);

/* engine_metrics.c */
void engine_metrics_init(struct rules_engine *engine);
void engine_metrics_finish(struct rules_engine *engine);
void engine_metrics_update(struct rules_engine *engine);

#endif
