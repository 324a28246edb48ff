/*
 * confine.c: limits, then Landlock and seccomp, for the fetch worker.
 *
 * Called by its main(), on the only thread there is then.  Files may be read everywhere (name
 * resolution and certificates live in places that differ by distribution), and written nowhere.
 */
#include "fetch/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMORY_BYTES                                                                               \
    (UINT64_C(1) << 30)  /* 128 bodies of 1 MiB, resolver threads, OpenSSL: a third */
#define DESCRIPTORS 1024 /* 128 flights with a socket and a resolver's pair each */
#define RESOLVER_STACK_BYTES (256u << 10) /* getaddrinfo wants some 100 KiB at worst */

static int limit(int resource, uint64_t value)
{
    struct rlimit limits;

    if (getrlimit((__rlimit_resource_t)resource, &limits) < 0) {
        return -errno;
    }
    if (limits.rlim_max != RLIM_INFINITY && value > limits.rlim_max) {
        value = limits.rlim_max; // what holds us already is tighter
    }
    limits.rlim_cur = limits.rlim_max = value;
    return setrlimit((__rlimit_resource_t)resource, &limits) < 0 ? -errno : 0;
}

static int limit_all(void)
{
#ifndef TMON_SANITIZED
    int r = limit(RLIMIT_AS, MEMORY_BYTES);

    if (r < 0) {
        return r;
    }
#endif
    return limit(RLIMIT_NOFILE, DESCRIPTORS);
}

int confine_begin(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    pthread_attr_t threads;
    sigset_t none;
    int r;

    // A parent that died before this line closed its end of our socket: then the first read ends
    // us.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        return -errno;
    }
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0 ||
        sigaction(SIGINT, &ignore, NULL) < 0) { // Ctrl-C is for the agent, which then ends us
        return -errno;
    }
    r = limit(RLIMIT_CORE, 0);
    if (r == 0) {
        r = limit_all();
    }
    if (r == 0 && pthread_attr_init(&threads) == 0) {
        pthread_attr_setstacksize(&threads, RESOLVER_STACK_BYTES);
        r = -pthread_setattr_default_np(&threads);
        pthread_attr_destroy(&threads);
    }
    return r;
}

#ifndef TMON_SANITIZED
static int forbid_writing(void)
{
    struct landlock_ruleset_attr rules = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                             LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                             LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                             LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                             LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                             LANDLOCK_ACCESS_FS_MAKE_SYM,
    };
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    int r = 0;

    if (fd < 0) {
        return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
    }
    if (syscall(SYS_landlock_restrict_self, fd, 0) < 0) {
        r = -errno;
    }
    close(fd);
    return r;
}

static int forbid_calls(void)
{
    static const int forbidden[] = {
        SCMP_SYS(execve),
        SCMP_SYS(execveat),
        SCMP_SYS(fork),
        SCMP_SYS(vfork),
        SCMP_SYS(kill),
        SCMP_SYS(tkill),
        SCMP_SYS(ptrace),
        SCMP_SYS(mount),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(chroot),
        SCMP_SYS(setns),
        SCMP_SYS(unshare),
        SCMP_SYS(bpf),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(keyctl),
        SCMP_SYS(add_key),
        SCMP_SYS(request_key),
        SCMP_SYS(init_module),
        SCMP_SYS(kexec_load),
        SCMP_SYS(finit_module),
        SCMP_SYS(delete_module),
        SCMP_SYS(reboot),
        SCMP_SYS(swapon),
        SCMP_SYS(pidfd_getfd),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(pidfd_send_signal),
        SCMP_SYS(listen),
        SCMP_SYS(personality),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(symlink),
        SCMP_SYS(symlinkat),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(io_uring_setup),
        SCMP_SYS(io_uring_enter),
    };
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int r = filter ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < sizeof forbidden / sizeof forbidden[0]; i++) {
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0);
        if (r == -EDOM || r == -EINVAL) {
            r = 0; // this architecture or library knows no such call
        }
    }
    // Threads for name resolution, but no processes.  Filters cannot look into clone3's struct:
    // glibc takes clone then.
    if (r == 0) {
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    }
    if (r == 0) {
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    }
    if (r == 0) {
        r = seccomp_load(filter);
        if (r == -EINVAL || r == -ENOSYS) {
            r = 0; // a kernel without filters
        }
    }
    seccomp_release(filter);
    return r;
}
#endif

int confine_finish(void)
{
#ifdef TMON_SANITIZED
    return 0;
#else
    int r = forbid_writing();

    return r < 0 ? r : forbid_calls();
#endif
}
