/*
 * sink_faults.h: which sinks have no worker that runs, or are disabled, and why; and with that, how
 * a sink is.
 *
 * The agent's thread knows it, the state's thread asks: behind a lock that is held for as long as
 * it takes to copy a line.
 */
#ifndef AGENT_SINK_FAULTS_H
#define AGENT_SINK_FAULTS_H

#include <pthread.h>
#include <stdbool.h>

#include "base/map.h"
#include "outbox/outbox.h"

struct sink_faults {
    pthread_mutex_t lock;
    struct map by_name;           /* of struct fault; under the lock */
    struct map disabled;          /* the same */
    void (*changed)(void *owner); /* on the thread that sets; may be NULL */
    void *owner;
};

#define SINK_FAULT_SIZE 256 /* of a reason */

void sink_faults_init(struct sink_faults *faults);
void sink_faults_finish(struct sink_faults *faults);
/* `why` NULL: one of its workers runs.  Copies.  Out of memory: it looks as if it ran. */
void sink_faults_set(struct sink_faults *faults, const char *name, const char *why);

/* All that are disabled; copies.  Starts with forgetting those of before. */
void sink_faults_disabled(struct sink_faults *faults, const char *const *names,
                          const char *const *whys, size_t n);
/* Any thread.  Whether it is disabled, and then why. */
bool sink_is_disabled(struct sink_faults *faults, const char *name,
                      char ret_why[static SINK_FAULT_SIZE]);
/* Any thread; with the lock held. */
void sink_faults_visit_disabled(struct sink_faults *faults,
                                void (*fn)(void *arg, const char *name, const char *why),
                                void *arg);

enum sink_state { SINK_WELL, SINK_RESTING, SINK_PAUSED, SINK_BROKEN, SINK_PARKED, SINK_STATES };

/* "well", ... */
const char *sink_state_name(enum sink_state state);
/* Any thread.  ret_reason: why it is not well; "" where nobody said. */
enum sink_state sink_state(struct sink_faults *faults, const struct outbox_sink_view *view,
                           char ret_reason[static SINK_FAULT_SIZE]);

#endif
