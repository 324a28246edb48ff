/*
 * confine.h: what a worker does to itself before it loads anything: its start and its limits.
 */
#ifndef WORKER_CONFINE_H
#define WORKER_CONFINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Ends with the agent, gains no rights, owns no descriptor above the socket, has signals as at
 * birth. Ends the process when the agent is gone already. */
void confine_start(pid_t agent);
/* What `ps` and `top` show. */
void confine_name(const char *instance);

struct confine_limits {
    uint64_t memory_bytes; /* 0: the default */
    uint32_t descriptors;  /* 0: the default */
    bool writes_files;     /* it spawns: its children may have to */
};
/* 0, or -errno when one of them could not be set. */
int confine_limit(const struct confine_limits *limits);

/* Before each call: lets the process use `percent` of one CPU until the deadline, at least a
 * second, from now on.  Who uses more gets SIGXCPU.  0 percent: no limit. */
void confine_cpu(uint32_t percent, int64_t remaining_ns, int64_t *soft_s);

#endif
