/*
 * memory.c: the component `memory`: how full memory is, where it is tightest.
 *
 * Runs on a thread of the agent's own and only reads procfs and cgroupfs.  It looks at the machine
 * and at each control group from the agent's own upwards that has a limit, and reports the fullest
 * of them: that is the one that kills something next.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <plugin_api.h>

#include "../common/cgroup.h"
#include "../common/file.h"
#include "../common/text.h"

static const struct tmon_option options[] = {
    {"warn_above", TMON_FLOAT, 0, "75", 0, 100, NULL, "Warn when more than this is used, percent.",
     NULL},
    {"fail_above", TMON_FLOAT, 0, "90", 0, 100, NULL, "Fail when more than this is used, percent.",
     NULL},
    {"procfs", TMON_STRING, 0, "/proc", 0, 0, NULL,
     "Where the host's procfs is seen; in a container, where it is mounted.", NULL},
    {"cgroupfs", TMON_STRING, 0, "/sys/fs/cgroup", 0, 0, NULL,
     "Where the control groups of this process are mounted.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

struct memory {
    double warn_above, fail_above;
    const char *procfs, *cgroupfs; /* borrowed from the settings */
    int procfs_dir;
};

/* How full one thing is. */
struct level {
    uint64_t used, limit;
    bool cgroup; /* a control group, not the machine */
};

static double percentage(const struct level *level)
{
    return level->limit > 0 ? 100.0 * (double)level->used / (double)level->limit : 0;
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct memory *memory = self;

    memory->warn_above = tmon_config_float(call, config, "warn_above");
    memory->fail_above = tmon_config_float(call, config, "fail_above");
    memory->procfs = tmon_config_string(call, config, "procfs");
    memory->cgroupfs = tmon_config_string(call, config, "cgroupfs");
    memory->procfs_dir = -1; // opened by the first look: it may be mounted later than we start
    if (memory->warn_above > memory->fail_above) {
        tmon_log(call, TMON_ERROR, "warn_above (%g) is larger than fail_above (%g)",
                 memory->warn_above, memory->fail_above);
        return TMON_REJECTED;
    }
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct memory *memory = self;

    file_close(&memory->procfs_dir);
}

/* The number of a line "MemTotal:  16316412 kB", in bytes. */
static bool field(const char *line, const char *name, uint64_t *ret_bytes)
{
    const char *at = line;
    uint64_t kilobytes;

    if (!text_prefix(&at, name) || *at != ':') {
        return false;
    }
    at++;
    if (!text_u64(&at, &kilobytes) || kilobytes > UINT64_MAX / 1024) {
        return false;
    }
    *ret_bytes = kilobytes * 1024;
    return true;
}

/* Returns 0, or -errno; -ENODATA when the file does not say how large memory is. */
static int machine(struct memory *memory, struct level *ret_level)
{
    char buffer[4096];
    struct file_lines lines;
    const char *line;
    uint64_t total = 0, available = 0, free = 0, buffers = 0, cached = 0, shared = 0;
    bool told = false;
    int fd;

    if (memory->procfs_dir < 0) {
        memory->procfs_dir = file_open_dir(memory->procfs);
    }
    fd = memory->procfs_dir < 0 ? memory->procfs_dir : file_open(memory->procfs_dir, "meminfo");
    if (fd < 0) {
        return fd;
    }
    file_lines_init(&lines, fd, buffer, sizeof buffer);
    while ((line = file_lines_next(&lines)) != NULL) {
        told = field(line, "MemAvailable", &available) || told;
        if (!field(line, "MemTotal", &total) && !field(line, "MemFree", &free) &&
            !field(line, "Buffers", &buffers) && !field(line, "Cached", &cached)) {
            (void)field(line, "Shmem", &shared);
        }
    }
    file_close(&fd);
    if (lines.error != 0) {
        return lines.error;
    }
    if (total == 0) {
        return -ENODATA;
    }
    if (!told) { // kernels before 3.14, and containers with an old lxcfs
        const uint64_t pages = buffers + cached;

        available = free + (pages > shared ? pages - shared : 0);
    }
    ret_level->limit = total;
    ret_level->used = available < total ? total - available : 0;
    ret_level->cgroup = false;
    return 0;
}

/* The fullest of the machine and the groups above us. */
static int tightest(struct memory *memory, struct level *ret_level)
{
    char self[CGROUP_SELF_BYTES];
    struct cgroup group;
    struct level level, best;
    uint64_t total, usage;
    const int rc = machine(memory, &best);

    if (rc != 0) {
        return rc;
    }
    total = best.limit;
    if (file_read(memory->procfs_dir, "self/cgroup", self, sizeof self) > 0 &&
        cgroup_find(self, memory->cgroupfs, "memory", &group)) {
        do {
            // A limit that is no smaller than the machine limits nothing.
            if (cgroup_memory_limit(&group, &level.limit) && level.limit > 0 &&
                level.limit < total && cgroup_memory_used(&group, &usage, &level.used)) {
                level.cgroup = true;
                best = percentage(&level) > percentage(&best) ? level : best;
            }
        } while (cgroup_parent(&group));
    }
    *ret_level = best;
    return 0;
}

static tmon_rc check(struct tmon_call *call, void *self)
{
    struct memory *memory = self;
    struct level level;
    char text[256];
    double used, above;
    const int rc = tightest(memory, &level);

    if (rc != 0) {
        (void)snprintf(text, sizeof text, "cannot read %s/meminfo: %s", memory->procfs,
                       strerror(-rc));
        tmon_report(call, NULL, TMON_FAIL, text);
        return TMON_RETRY;
    }
    used = percentage(&level);
    tmon_detail(call, "usage.percentage", (double)(int64_t)(used * 10 + 0.5) / 10);
    tmon_detail(call, "usage.bytes", (double)level.used);
    tmon_detail(call, "limit.bytes", (double)level.limit);
    tmon_detail_text(call, "limit.of", level.cgroup ? "cgroup" : "machine");
    if (used > memory->warn_above) {
        above = used > memory->fail_above ? memory->fail_above : memory->warn_above;
        (void)snprintf(text, sizeof text,
                       "%.1f %% of the %s memory is used (%" PRIu64 " of %" PRIu64
                       " MiB), more than %g %%",
                       used, level.cgroup ? "control group's" : "machine's", level.used >> 20,
                       level.limit >> 20, above);
        tmon_report(call, NULL, used > memory->fail_above ? TMON_FAIL : TMON_WARN, text);
    }
    return TMON_OK;
}

static tmon_rc collect(struct tmon_call *call, void *self)
{
    struct memory *memory = self;
    struct level level;
    const int rc = tightest(memory, &level);

    if (rc != 0) {
        tmon_log(call, TMON_WARNING, "cannot read %s/meminfo: %s", memory->procfs, strerror(-rc));
        return TMON_RETRY;
    }
    tmon_gauge(call, "memory_used_percent",
               "Memory in use, of the machine or of the control group that is fuller.",
               percentage(&level), NULL, 0);
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "memory",
    .summary = "How full memory is: the machine's, or a control group's that is tighter",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct memory),
    .create = create,
    .destroy = destroy,
    .check = check,
    .collect = collect,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("memory", "1.0", "Apache-2.0", components)
