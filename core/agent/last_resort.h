/*
 * last_resort.h: an end that nothing can hold up.
 *
 * The agent ends in order, and all that it waits for then has a bound of its own; except what waits
 * in the kernel for a disk that is gone.  So the end as a whole has one too.  Main thread.
 */
#ifndef AGENT_LAST_RESORT_H
#define AGENT_LAST_RESORT_H

#include <stdint.h>

/* The process ends with status 1 so much later, whatever its threads do then; its workers die with
 * it. */
void last_resort_arm(int64_t ms);
void last_resort_disarm(void);

#endif
