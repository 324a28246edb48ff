/*
 * sandbox.c: see sandbox.h.
 *
 * seccomp as a list of what is refused, not of what is allowed: a worker runs libraries that nobody
 * here has read, and a list of allowed calls breaks with the next libc.  What is refused answers
 * EPERM, so that a library which only tries can go on.  Files are Landlock's part, except for what
 * it does not know of (owners, modes, attributes).
 */
#include "worker/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plugin/frame.h"
#include "worker/landlock.h"

#ifndef TMON_SANITIZED

/* What no worker needs, whatever it does. */
static const int refused[] = {
    // other processes
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(move_pages),
    SCMP_SYS(migrate_pages),
    SCMP_SYS(ioprio_set),
    SCMP_SYS(sched_setscheduler),
    SCMP_SYS(sched_setattr),
    SCMP_SYS(sched_setparam),
    // the tree of files, and namespaces
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(quotactl),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(fanotify_init),
    // what Landlock does not know of
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),
    SCMP_SYS(fchown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(removexattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr),
    SCMP_SYS(utime),
    SCMP_SYS(utimes),
    SCMP_SYS(utimensat),
    SCMP_SYS(futimesat),
    // the machine
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(acct),
    SCMP_SYS(syslog),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(vhangup),
    // doors to kernel code that few use and many have broken through
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    // memory that no limit counts
    SCMP_SYS(memfd_create),
    SCMP_SYS(memfd_secret),
    SCMP_SYS(shmget),
};

/* What a component that spawns does need. */
static const int refused_unless_spawns[] = {
    SCMP_SYS(fork),        SCMP_SYS(vfork), SCMP_SYS(execve),
    SCMP_SYS(execveat),    SCMP_SYS(tkill), SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(setpriority),
};

/* A system call that this machine's libseccomp or architecture does not know cannot be made either,
 * or will answer ENOSYS: that is why failures to add one rule are let pass. */
static void refuse_all(scmp_filter_ctx filter, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
    }
}

static int refuse_by_argument(scmp_filter_ctx filter, bool spawns)
{
    const uint32_t no = SCMP_ACT_ERRNO(EPERM);
    const int shared = MAP_SHARED | MAP_ANONYMOUS;
    int r = 0;

    // its own limits are not for it to lift; RLIMIT_CPU is moved on by us at every call
    r |= seccomp_rule_add(filter, no, SCMP_SYS(prlimit64), 2, SCMP_A1(SCMP_CMP_NE, RLIMIT_CPU),
                          SCMP_A2(SCMP_CMP_NE, 0));
    r |= seccomp_rule_add(filter, no, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_NE, 0),
                          SCMP_A2(SCMP_CMP_NE, 0));
    r |= seccomp_rule_add(filter, no, SCMP_SYS(setrlimit), 1, SCMP_A0(SCMP_CMP_NE, RLIMIT_CPU));
    // it shall die with the agent
    r |= seccomp_rule_add(filter, no, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG));
    r |= seccomp_rule_add(filter, no, SCMP_SYS(mmap), 1,
                          SCMP_A3(SCMP_CMP_MASKED_EQ, (scmp_datum_t)shared, (scmp_datum_t)shared));
    // its arguments lie in memory, where a filter cannot look: libc falls back to clone()
    r |= spawns ? 0 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (!spawns) {
        scmp_datum_t self = (scmp_datum_t)getpid();

        r |= seccomp_rule_add(filter, no, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
        r |= seccomp_rule_add(filter, no, SCMP_SYS(kill), 1, SCMP_A0(SCMP_CMP_NE, self));
        r |= seccomp_rule_add(filter, no, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_NE, self));
        r |= seccomp_rule_add(filter, no, SCMP_SYS(rt_sigqueueinfo), 1, SCMP_A0(SCMP_CMP_NE, self));
        r |= seccomp_rule_add(filter, no, SCMP_SYS(rt_tgsigqueueinfo), 1,
                              SCMP_A0(SCMP_CMP_NE, self));
    }
    return r;
}

static bool seccomp_apply(bool spawns)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool ok = false;

    if (!filter) {
        return false;
    }
    refuse_all(filter, refused, sizeof refused / sizeof refused[0]);
    if (!spawns) {
        refuse_all(filter, refused_unless_spawns,
                   sizeof refused_unless_spawns / sizeof refused_unless_spawns[0]);
    }
    ok = refuse_by_argument(filter, spawns) == 0 && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return ok;
}

uint32_t sandbox_apply(bool spawns)
{
    uint32_t layers = landlock_apply(spawns);

    if (seccomp_apply(spawns)) {
        layers |= FRAME_LAYER_SECCOMP;
    }
    return layers;
}

#else

/* A sanitizer's runtime forks to look for leaks, and writes reports where it is told to. */
uint32_t sandbox_apply(bool spawns)
{
    return 0;
}

#endif
