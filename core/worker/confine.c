/*
 * confine.c: see confine.h.
 *
 * Memory is limited by RLIMIT_DATA, which counts what a process can write to privately (heap,
 * anonymous mappings, thread stacks), and not by RLIMIT_AS, which also counts text, files and what
 * is only reserved: a thread of glibc reserves 64 MiB for its arena, so an address-space limit that
 * lets a program with a few threads live lets another leak hundreds of MiB.  What RLIMIT_DATA does
 * not count, shared anonymous memory, the sandbox refuses.
 *
 * CPU is limited per call: RLIMIT_CPU counts over the whole life of a process, so its soft limit is
 * moved on at every call.  Kernel and libc know nothing finer than seconds here.
 */
#include "worker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "plugin/frame.h"
#include "worker/term.h"

#define EXIT_NO_ROOT 71     /* EX_OSERR */
#define NICENESS 5          /* where CPUs are short, the agent goes first */
#define OOM_SCORE_ADJ "500" /* where memory is short, workers go first */

void confine_start(pid_t agent)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != agent) {
        _exit(0);
    }
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)close_range(FRAME_WORKER_FD + 1, ~0u, 0);
    for (int i = 1; i < NSIG; i++) {
        (void)sigaction(i, &action, NULL);
    }
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    (void)sigaction(SIGXFSZ, &action, NULL);
    term_init();
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setsid(); // Ctrl-C on the agent's terminal is for the agent
    (void)umask(077);
    if (chdir("/") < 0) {
        _exit(EXIT_NO_ROOT);
    }
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
}

void confine_name(const char *instance)
{
    char name[16]; // as much as the kernel keeps

    (void)snprintf(name, sizeof name, "tmon:%s", instance);
    (void)prctl(PR_SET_NAME, name);
}

static int set_limit(int resource, uint64_t value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
    struct rlimit now;

    if (getrlimit(resource, &now) == 0 && now.rlim_max < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max = now.rlim_max; // tighter already, and not ours to raise
    }
    return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

static void volunteer_for_oom(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        ssize_t n = write(fd, OOM_SCORE_ADJ, strlen(OOM_SCORE_ADJ));

        (void)n; // where it is not allowed, the kernel's own score decides
        (void)close(fd);
    }
}

int confine_limit(const struct confine_limits *limits)
{
    int r = set_limit(RLIMIT_CORE, 0); // a core file would hold the secrets of the settings

    volunteer_for_oom();
    if (r == 0) {
        r = set_limit(RLIMIT_NOFILE,
                      limits->descriptors ? limits->descriptors : LIMIT_WORKER_DESCRIPTORS);
    }
    if (r == 0 && !limits->writes_files) {
        r = set_limit(RLIMIT_FSIZE, 0); // holds where there is no Landlock, too
    }
#ifndef TMON_SANITIZED
    if (r == 0) {
        r = set_limit(RLIMIT_DATA,
                      limits->memory_bytes ? limits->memory_bytes : LIMIT_WORKER_MEMORY_BYTES);
    }
#endif
    return r;
}

void confine_cpu(uint32_t percent, int64_t remaining_ns, int64_t *soft_s)
{
    struct timespec used;
    struct rlimit limit;
    int64_t allowed_ns, s;

    if (percent == 0 || clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) < 0) {
        return;
    }
    allowed_ns = remaining_ns / 100 * percent;
    s = used.tv_sec + (used.tv_nsec + allowed_ns) / NS_PER_S + 1;
    if (s != *soft_s && getrlimit(RLIMIT_CPU, &limit) == 0) {
        limit.rlim_cur = (rlim_t)s;
        if (setrlimit(RLIMIT_CPU, &limit) == 0) {
            *soft_s = s;
        }
    }
}
