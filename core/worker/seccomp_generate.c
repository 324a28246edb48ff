/*
 * seccomp_generate.c: runs while toiletmon is built and prints the filters of workers as a header.
 *
 * libseccomp writes the filters, but here and not in the worker: a fresh worker would spend 0.5 ms
 * and 100 kB in that library, of 0.7 ms and 92 kB that it may cost altogether.
 *
 * A list of what is refused, not of what is allowed: a worker runs libraries that nobody here has
 * read, and a list of allowed calls breaks with the next libc.  What is refused answers EPERM, so
 * that a library which only tries can go on.  Files are Landlock's part, except for what it does
 * not know of (owners, modes, attributes).
 */
#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "worker/seccomp.h"

/* Younger than the libseccomp of a distribution may be; these numbers are the same everywhere. */
#define NR_FCHMODAT2 452
#define NR_SETXATTRAT 463
#define NR_REMOVEXATTRAT 466
#define NR_OPEN_TREE_ATTR 467
#define NR_FILE_SETATTR 469

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
    NR_OPEN_TREE_ATTR,
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(quotactl),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(fanotify_init),
    // what Landlock does not know of
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    NR_FCHMODAT2,
    SCMP_SYS(fchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    NR_SETXATTRAT,
    SCMP_SYS(removexattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr),
    NR_REMOVEXATTRAT,
    SCMP_SYS(utimensat),
    NR_FILE_SETATTR,
    // the machine
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(kexec_load),
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
    // what only old architectures still have
    SCMP_SYS(chmod),
    SCMP_SYS(chown),
    SCMP_SYS(lchown),
    SCMP_SYS(utime),
    SCMP_SYS(utimes),
    SCMP_SYS(futimesat),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(kexec_file_load),
};

/* What a component that spawns does need. */
static const int refused_unless_spawns[] = {
    SCMP_SYS(execve),      SCMP_SYS(execveat), SCMP_SYS(tkill), SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(setpriority), SCMP_SYS(fork),     SCMP_SYS(vfork),
};

/* Those of which the first argument is a process: its own is allowed, since abort() needs it. */
static const int only_to_itself[] = {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo),
                                     SCMP_SYS(rt_tgsigqueueinfo)};

#define COUNT(array_) (sizeof(array_) / sizeof(array_)[0])

/* A call that this architecture does not have cannot be made either: failures to add one are let
 * pass. */
static void refuse_all(scmp_filter_ctx filter, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
    }
}

static int refuse_by_argument(scmp_filter_ctx filter)
{
    const uint32_t no = SCMP_ACT_ERRNO(EPERM);
    const scmp_datum_t shared = MAP_SHARED | MAP_ANONYMOUS;
    int r = 0;

    // its own limits are not for it to lift; RLIMIT_CPU is moved on by us at every call
    r |= seccomp_rule_add(filter, no, SCMP_SYS(prlimit64), 2, SCMP_A1(SCMP_CMP_NE, RLIMIT_CPU),
                          SCMP_A2(SCMP_CMP_NE, 0));
    r |= seccomp_rule_add(filter, no, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_NE, 0),
                          SCMP_A2(SCMP_CMP_NE, 0));
    r |= seccomp_rule_add(filter, no, SCMP_SYS(setrlimit), 1, SCMP_A0(SCMP_CMP_NE, RLIMIT_CPU));
    // it shall die with the agent
    r |= seccomp_rule_add(filter, no, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG));
    // memory that no limit counts
    r |= seccomp_rule_add(filter, no, SCMP_SYS(mmap), 1,
                          SCMP_A3(SCMP_CMP_MASKED_EQ, shared, shared));
    return r;
}

static int refuse_processes(scmp_filter_ctx filter)
{
    const uint32_t no = SCMP_ACT_ERRNO(EPERM);
    // its arguments lie in memory, where a filter cannot look: libc falls back to clone()
    int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    r |= seccomp_rule_add(filter, no, SCMP_SYS(clone), 1,
                          SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    for (size_t i = 0; i < COUNT(only_to_itself); i++) {
        r |= seccomp_rule_add(filter, no, only_to_itself[i], 1,
                              SCMP_A0(SCMP_CMP_NE, SECCOMP_OWN_PID));
    }
    return r;
}

/* Prints the program that libseccomp made, as it would give it to the kernel. */
static int print_program(scmp_filter_ctx filter, const char *name)
{
    FILE *file = tmpfile();
    struct sock_filter instruction;
    int r = -1;

    if (!file) {
        return -1;
    }
    if (seccomp_export_bpf(filter, fileno(file)) == 0 && lseek(fileno(file), 0, SEEK_SET) == 0) {
        (void)printf("static const struct sock_filter %s[] = {\n", name);
        while (read(fileno(file), &instruction, sizeof instruction) ==
               (ssize_t)sizeof instruction) {
            (void)printf("    {0x%02x, %u, %u, 0x%08xu},\n", instruction.code, instruction.jt,
                         instruction.jf, instruction.k);
        }
        (void)printf("};\n");
        r = 0;
    }
    (void)fclose(file);
    return r;
}

static int generate(const char *name, bool spawns)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int r = -1;

    if (!filter) {
        return -1;
    }
    (void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); // a search by halves
    refuse_all(filter, refused, COUNT(refused));
    if (!spawns) {
        refuse_all(filter, refused_unless_spawns, COUNT(refused_unless_spawns));
    }
    if (refuse_by_argument(filter) == 0 && (spawns || refuse_processes(filter) == 0)) {
        r = print_program(filter, name);
    }
    seccomp_release(filter);
    return r;
}

int main(void)
{
    (void)printf("/* Made by seccomp_generate.c. */\n");
    if (generate("filter_strict", false) < 0 || generate("filter_spawning", true) < 0) {
        (void)fprintf(stderr, "seccomp_generate: libseccomp refused a rule\n");
        return 1;
    }
    return 0;
}
