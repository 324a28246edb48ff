/*
 * log_sink.h: the end that log lines leave by: standard error, which nobody may be reading.
 *
 * A pipe, a terminal or a socket that is full is no reason to wait: whatever waits for the log is a
 * thread that answers probes or kills workers.  One caller at a time (log.c).
 */
#ifndef BASE_LOG_SINK_H
#define BASE_LOG_SINK_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>

/* A line; a pipe takes so much whole or not at all, also beside other writers. */
#define LOG_LINE_BYTES PIPE_BUF

/* From now on nothing waits for who reads.  Before, and without, lines are plainly written. */
void log_sink_open(void);
/* Whether it was taken.  A line that was cut in the middle is ended before the next one. */
bool log_sink_put(const char *line, size_t len);

#endif
