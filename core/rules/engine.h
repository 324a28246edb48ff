/*
 * engine.h: the thread that evaluates rules.
 *
 * Groups are evaluated at their intervals, each at its own moment within it (a hash of its key),
 * its rules in order.  An evaluation that comes late is not made up for, but counted.  What changed
 * goes to the desk in one batch an evaluation, and is submitted again until it is durable.
 *
 * Who owns it gives hooks; this room knows no desk.
 */
#ifndef RULES_ENGINE_H
#define RULES_ENGINE_H

#include "rules/evaluate.h"
#include "rules/rows.h"
#include "store/history.h"
#include "store/store.h"

struct rules_engine;

/* What the desk is to know of one alert. */
struct rules_change {
    struct active *active; /* the engine's */
    bool say;              /* the alerts are to be told */
    bool firing;
    struct tmon_pair *labels, *annotations; /* copies */
    size_t nlabels, nannotations;
    int64_t starts_ms;
    uint64_t texts;
    bool keep_row; /* the row stays as it is */
    int64_t row;
    struct buf body; /* empty: no row any more */
    enum active_state state;
    bool keeping;
    bool refused; /* set by who submits: the alerts will never take it */
};

struct rules_batch {
    struct rules_engine *engine;
    size_t n;
    struct rules_change *changes;
    int64_t timer_ms;
    int result;
    /* the engine's */
    struct engine_group *group;
    struct rules_batch *next;
};

struct rules_hooks {
    void *owner;
    /* Rules' thread.  0: rules_batch_done() will be called, on any thread.  -errno: it is tried
     * again with the next evaluation. */
    int (*submit)(void *owner, struct rules_batch *batch);
    /* Rules' thread: whether every instance that collects ran or failed once since the start. */
    bool (*sources_ran)(void *owner);
    /* Rules' thread: a rule of the group fails (`text` says which and why), or all go well. */
    void (*failing)(void *owner, const char *group, bool failing, const char *text);
};

struct rules_options {
    struct store *store;
    struct history *history;
    const char *snapshot; /* the file that history is kept in over a restart; NULL: none */
    struct rules_hooks hooks;
};

/* Starts the thread, which waits for rules_engine_restore() and rules_engine_set().  -errno. */
int rules_engine_create(const struct rules_options *options, struct rules_engine **ret_engine);
/* Takes the rows of a run before (NULL: none).  Once; any thread.  -ENOMEM. */
int rules_engine_restore(struct rules_engine *engine, struct rules_row *rows);
/* Takes a set; copies the url (NULL: none).  Rules that stay keep their state.  Any thread.
 * -ENOMEM: the set is destroyed. */
int rules_engine_set(struct rules_engine *engine, struct rules_set *set, const char *external_url);
/* Runs fn on the rules' thread.  Any thread.  -errno: it will not run. */
int rules_engine_call(struct rules_engine *engine,
                      void (*fn)(void *arg, struct rules_engine *engine), void *arg);
void rules_batch_done(struct rules_batch *batch, int result);
/* Ends the thread: submits how far timers are, saves the snapshot.  Before the desk closes. */
void rules_engine_stop(struct rules_engine *engine);
/* After the desk was closed.  Takes NULL. */
void rules_engine_destroy(struct rules_engine *engine);

/* ---- for calls, on the rules' thread ---- */

struct engine_group_info {
    const struct rules_group *group;
    uint64_t evaluations, failures, missed;
    int64_t next_ms; /* until its next evaluation */
    int64_t took_ns;
    bool waiting; /* for its sources */
};
/* NULL: none is in force yet. */
const struct rules_set *rules_engine_rules(const struct rules_engine *engine);
void rules_engine_group_info(const struct rules_engine *engine, size_t i,
                             struct engine_group_info *ret_info);
/* What the history of a rule takes. */
void rules_engine_rule_stats(const struct rules_engine *engine, const struct rule *rule,
                             struct history_stats *ret_stats);
/* The clock of struct rules_time.timer_ms. */
int64_t rules_engine_timer_ms(void);
struct store *rules_engine_store(const struct rules_engine *engine);
struct history *rules_engine_history(const struct rules_engine *engine);

#endif
