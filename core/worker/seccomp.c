/*
 * seccomp.c: see seccomp.h.
 *
 * A list of what is refused, not of what is allowed: a worker runs libraries that nobody here has
 * read, and a list of allowed calls breaks with the next libc.  What is refused answers EPERM, so
 * that a library which only tries can go on.  Files are Landlock's part, except for what it does
 * not know of (owners, modes, attributes).
 *
 * The program is put together here and not by libseccomp: a fresh worker spent 0.5 ms and 100 kB in
 * that library, of 0.7 ms and 92 kB that it may cost altogether.
 */
#include "worker/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define OTHER_ABI 0x40000000u /* x32: the same kernel under other numbers */
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE

/* Younger than the headers of a distribution may be; these numbers are the same everywhere. */
#define NR_MOUNT_SETATTR 442
#define NR_MEMFD_SECRET 447
#define NR_FCHMODAT2 452
#define NR_SETXATTRAT 463
#define NR_REMOVEXATTRAT 466
#define NR_OPEN_TREE_ATTR 467
#define NR_FILE_SETATTR 469

/* What no worker needs, whatever it does. */
static const int refused[] = {
    // other processes
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_kcmp,
    SYS_pidfd_getfd,
    SYS_move_pages,
    SYS_migrate_pages,
    SYS_ioprio_set,
    SYS_sched_setscheduler,
    SYS_sched_setattr,
    SYS_sched_setparam,
    // the tree of files, and namespaces
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    NR_MOUNT_SETATTR,
    SYS_move_mount,
    SYS_open_tree,
    NR_OPEN_TREE_ATTR,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_quotactl,
    SYS_open_by_handle_at,
    SYS_fanotify_init,
    // what Landlock does not know of
    SYS_fchmod,
    SYS_fchmodat,
    NR_FCHMODAT2,
    SYS_fchown,
    SYS_fchownat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    NR_SETXATTRAT,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    NR_REMOVEXATTRAT,
    SYS_utimensat,
    NR_FILE_SETATTR,
    // the machine
    SYS_bpf,
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_acct,
    SYS_syslog,
    SYS_vhangup,
    // doors to kernel code that few use and many have broken through
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    // memory that no limit counts
    SYS_memfd_create,
    NR_MEMFD_SECRET,
    SYS_shmget,
#ifdef __x86_64__
    // what only old architectures still have
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
    SYS_iopl,
    SYS_ioperm,
    SYS_kexec_file_load,
#endif
};

/* What a component that spawns does need. */
static const int refused_unless_spawns[] = {
    SYS_execve, SYS_execveat, SYS_tkill, SYS_pidfd_send_signal, SYS_setpriority,
#ifdef __x86_64__
    SYS_fork,   SYS_vfork,
#endif
};

/* Those of which the first argument is a process: its own is allowed, since abort() needs it. */
static const int only_to_itself[] = {SYS_kill, SYS_tgkill, SYS_rt_sigqueueinfo,
                                     SYS_rt_tgsigqueueinfo};

#define ALLOW SECCOMP_RET_ALLOW
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN (SECCOMP_RET_ERRNO | ENOSYS)
#define INSTRUCTIONS_MAX 512

struct program {
    struct sock_filter code[INSTRUCTIONS_MAX + 2]; // room to run over and be noticed
    unsigned short len;
};

static void put(struct program *program, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    if (program->len >= INSTRUCTIONS_MAX) {
        program->len = INSTRUCTIONS_MAX + 1; // noticed at the end
        return;
    }
    program->code[program->len++] = (struct sock_filter){code, yes, no, k};
}

/* From an instruction to the end, as a jump has it.  One that is too far makes the program too
 * long. */
static uint8_t distance(struct program *program, unsigned short from)
{
    if (program->len - from > UINT8_MAX) {
        program->len = INSTRUCTIONS_MAX + 1;
    }
    return (uint8_t)(program->len - from);
}

static void load(struct program *program, size_t offset)
{
    put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The lower half of an argument; both architectures are little endian. */
static void load_argument(struct program *program, int i)
{
    load(program, offsetof(struct seccomp_data, args) + 8 * (size_t)i);
}

static void answer(struct program *program, uint32_t what)
{
    put(program, BPF_RET | BPF_K, what, 0, 0);
}

/* If what was loaded is k, answers so; else goes on. */
static void answer_if(struct program *program, uint32_t k, uint32_t what)
{
    put(program, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
    answer(program, what);
}

static void answer_unless(struct program *program, uint32_t k, uint32_t what)
{
    put(program, BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0);
    answer(program, what);
}

/* What is put from here to end_for() is for that call only.  It must end with an
 * answer, since the number of the call is not loaded any more. */
static unsigned short begin_for(struct program *program, int call)
{
    put(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 0);
    return program->len;
}

static void end_for(struct program *program, unsigned short begin)
{
    program->code[begin - 1].jf = distance(program, begin);
}

static void put_start(struct program *program)
{
    load(program, offsetof(struct seccomp_data, arch));
    answer_unless(program, ARCHITECTURE, SECCOMP_RET_KILL_PROCESS);
    load(program, offsetof(struct seccomp_data, nr));
#ifdef OTHER_ABI
    put(program, BPF_JMP | BPF_JGE | BPF_K, OTHER_ABI, 0, 1);
    answer(program, UNKNOWN);
#endif
}

static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

/* The end of the program: a search by halves in the sorted list, since the kernel runs all of it
 * for each system call once at the load, and older ones at every call. */
static void put_search(struct program *program, const int *calls, size_t n)
{
    unsigned short at = program->len;

    if (n <= 3) {
        for (size_t i = 0; i < n; i++) {
            answer_if(program, (uint32_t)calls[i], REFUSE);
        }
        answer(program, ALLOW);
        return;
    }
    put(program, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)calls[n / 2], 0, 0);
    put_search(program, calls, n / 2);
    program->code[at].jt = distance(program, (unsigned short)(at + 1));
    put_search(program, calls + n / 2, n - n / 2);
}

static void put_refused(struct program *program, bool spawns)
{
    const size_t n = sizeof refused / sizeof refused[0];
    const size_t more = sizeof refused_unless_spawns / sizeof refused_unless_spawns[0];
    int all[sizeof refused / sizeof refused[0] +
            sizeof refused_unless_spawns / sizeof refused_unless_spawns[0]];

    memcpy(all, refused, sizeof refused);
    memcpy(all + n, refused_unless_spawns, sizeof refused_unless_spawns);
    qsort(all, n + (spawns ? 0 : more), sizeof all[0], compare);
    put_search(program, all, n + (spawns ? 0 : more));
}

/* Its own limits are not for it to lift; RLIMIT_CPU is moved on by us at every call. */
static void put_limits(struct program *program)
{
    unsigned short begin = begin_for(program, SYS_prlimit64);

    load_argument(program, 2); // the new limit: a pointer, or nothing is changed
    put(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    load(program, offsetof(struct seccomp_data, args) + 8 * 2 + 4);
    answer_if(program, 0, ALLOW);
    load_argument(program, 1);
    answer_unless(program, RLIMIT_CPU, REFUSE);
    load_argument(program, 0);
    answer_unless(program, 0, REFUSE);
    answer(program, ALLOW);
    end_for(program, begin);

    begin = begin_for(program, SYS_setrlimit);
    load_argument(program, 0);
    answer_unless(program, RLIMIT_CPU, REFUSE);
    answer(program, ALLOW);
    end_for(program, begin);
}

static void put_other_arguments(struct program *program)
{
    const uint32_t shared = MAP_SHARED | MAP_ANONYMOUS;
    unsigned short begin = begin_for(program, SYS_prctl); // it shall die with the agent

    load_argument(program, 0);
    answer_if(program, PR_SET_PDEATHSIG, REFUSE);
    answer(program, ALLOW);
    end_for(program, begin);

    begin = begin_for(program, SYS_mmap); // memory that no limit counts
    load_argument(program, 3);
    put(program, BPF_ALU | BPF_AND | BPF_K, shared, 0, 0);
    answer_if(program, shared, REFUSE);
    answer(program, ALLOW);
    end_for(program, begin);
}

static void put_processes(struct program *program)
{
    uint32_t self = (uint32_t)getpid();
    unsigned short begin;

    // its arguments lie in memory, where a filter cannot look: libc falls back to clone()
    answer_if(program, SYS_clone3, UNKNOWN);
    begin = begin_for(program, SYS_clone);
    load_argument(program, 0);
    put(program, BPF_ALU | BPF_AND | BPF_K, CLONE_THREAD, 0, 0);
    answer_if(program, 0, REFUSE);
    answer(program, ALLOW);
    end_for(program, begin);
    for (size_t i = 0; i < sizeof only_to_itself / sizeof only_to_itself[0]; i++) {
        begin = begin_for(program, only_to_itself[i]);
        load_argument(program, 0);
        answer_unless(program, self, REFUSE);
        answer(program, ALLOW);
        end_for(program, begin);
    }
}

bool seccomp_apply(bool spawns)
{
    struct program program = {.len = 0};
    struct sock_fprog filter;

    put_start(&program);
    put_limits(&program);
    put_other_arguments(&program);
    if (!spawns) {
        put_processes(&program);
    }
    put_refused(&program, spawns);
    if (program.len > INSTRUCTIONS_MAX) {
        return false;
    }
    filter = (struct sock_fprog){.len = program.len, .filter = program.code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

#else

bool seccomp_apply(bool spawns)
{
    return false;
}

#endif
