/*
 * landlock.c: see landlock.h.
 *
 * The kernel tells which version of Landlock it has, and each version is asked for all that it can
 * refuse.  Headers of a distribution are older than its kernels may be, so what they lack is here.
 * The numbers are the kernel's interface and do not change.
 */
#include "worker/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plugin/frame.h"

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ull << 13) /* version 2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14) /* version 3 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ull << 15) /* version 5 */
#endif
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0) /* version 6 */
#define SCOPE_SIGNAL (1ull << 1)

/* struct landlock_ruleset_attr as of version 6; older kernels accept it while the rest is zero. */
struct ruleset {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};

#define CHANGES                                                                                    \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static bool allow_writing_to(int ruleset, const char *path)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE,
        .parent_fd = open(path, O_PATH | O_CLOEXEC),
    };
    bool ok = rule.parent_fd >= 0 &&
              syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;

    if (rule.parent_fd >= 0) {
        (void)close(rule.parent_fd);
    }
    return ok;
}

uint32_t landlock_apply(bool spawns)
{
    struct ruleset attr = {.fs = CHANGES | (spawns ? 0 : LANDLOCK_ACCESS_FS_EXECUTE)};
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    uint32_t layers = FRAME_LAYER_LANDLOCK;
    int ruleset;

    if (version < 1) {
        return 0;
    }
    if (version >= 2) {
        attr.fs |= LANDLOCK_ACCESS_FS_REFER;
    }
    if (version >= 3) {
        attr.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
    }
    if (version >= 5) {
        attr.fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    }
    if (version >= 6) {
        attr.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
        layers |= FRAME_LAYER_SCOPE;
    }
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (ruleset < 0) {
        return 0;
    }
    // a missing /dev/null is no reason to go without the rest
    (void)allow_writing_to(ruleset, "/dev/null");
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
        layers = 0;
    }
    (void)close(ruleset);
    return layers;
}
