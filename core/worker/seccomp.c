/*
 * seccomp.c: see seccomp.h.  The filters were written by libseccomp when toiletmon was built (see
 * seccomp_generate.c); what was not known then, the process id, is put in here.
 */
#include "worker/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "worker/seccomp_filter.h"

#define LONGER(a_, b_) (sizeof(a_) > sizeof(b_) ? sizeof(a_) : sizeof(b_))

bool seccomp_apply(bool spawns)
{
    struct sock_filter program[LONGER(filter_strict, filter_spawning) / sizeof(struct sock_filter)];
    const size_t size = spawns ? sizeof filter_spawning : sizeof filter_strict;
    struct sock_fprog filter = {.len = (unsigned short)(size / sizeof program[0]),
                                .filter = program};

    memcpy(program, spawns ? filter_spawning : filter_strict, size);
    for (size_t i = 0; i < filter.len; i++) {
        if (program[i].k == SECCOMP_OWN_PID) {
            program[i].k = (unsigned)getpid();
        }
    }
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}
