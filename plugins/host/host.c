/*
 * host.c: the component `host`: its settings, its kept files, and the order of its sources.
 *
 * Runs on a thread of the agent's own, beside other collectors, so nothing in it may block: it
 * reads procfs, sysfs and cgroupfs, and asks statfs() of local file systems only.  A source that is
 * missing (an old kernel, no PSI, no conntrack) costs its own metrics and a 0 in
 * node_scrape_collector_success.
 */
#include "host.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "../common/text.h"

static const struct tmon_option options[] = {
    {"procfs", TMON_STRING, 0, "/proc", 0, 0, NULL,
     "Where the host's procfs is seen; in a container, where it is mounted.", NULL},
    {"sysfs", TMON_STRING, 0, "/sys", 0, 0, NULL, "Where the host's sysfs is seen.", NULL},
    {"rootfs", TMON_STRING, 0, "/", 0, 0, NULL,
     "Where the host's root is seen; taken off the front of mount points.", NULL},
    {"cgroupfs", TMON_STRING, 0, "/sys/fs/cgroup", 0, 0, NULL,
     "Where the control groups of this process are mounted.", NULL},
    {"mount_points_exclude", TMON_LIST, 0,
     "/dev, /dev/*, /proc, /proc/*, /sys, /sys/*, /run/credentials/*, /var/lib/docker/*, "
     "/var/lib/containers/storage/*",
     0, 0, NULL, "Patterns of mount points without metrics; * matches anything, also slashes.",
     NULL},
    {"fs_types_exclude", TMON_LIST, 0,
     "autofs, binfmt_misc, bpf, cgroup, cgroup2, configfs, debugfs, devpts, devtmpfs, fusectl, "
     "hugetlbfs, "
     "iso9660, mqueue, nsfs, overlay, proc, procfs, pstore, rpc_pipefs, securityfs, selinuxfs, "
     "squashfs, "
     "sysfs, tracefs",
     0, 0, NULL,
     "Patterns of file system types without metrics; network file systems never have any.", NULL},
    {"disk_devices_exclude", TMON_LIST, 0,
     "ram[0-9]*, loop[0-9]*, fd[0-9]*, [hsv]d[a-z][0-9]*, xvd[a-z][0-9]*, nvme[0-9]*n[0-9]*p[0-9]*",
     0, 0, NULL, "Patterns of block devices without metrics; partitions by default.", NULL},
    {"network_devices_exclude", TMON_LIST, 0, NULL, 0, 0, NULL,
     "Patterns of network devices without metrics.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

/* What stands under 1/: pid 1 is in the host's network, also when we are not. */
static const char *const file_paths[HOST_FILES] = {
    [HOST_STAT] = "stat",
    [HOST_LOADAVG] = "loadavg",
    [HOST_UPTIME] = "uptime",
    [HOST_MEMINFO] = "meminfo",
    [HOST_VMSTAT] = "vmstat",
    [HOST_DISKSTATS] = "diskstats",
    [HOST_NETDEV] = "1/net/dev",
    [HOST_PRESSURE_CPU] = "pressure/cpu",
    [HOST_PRESSURE_IO] = "pressure/io",
    [HOST_PRESSURE_MEMORY] = "pressure/memory",
    [HOST_FILE_NR] = "sys/fs/file-nr",
    [HOST_ENTROPY] = "sys/kernel/random/entropy_avail",
    [HOST_ENTROPY_POOL] = "sys/kernel/random/poolsize",
    [HOST_CONNTRACK] = "sys/net/netfilter/nf_conntrack_count",
    [HOST_CONNTRACK_MAX] = "sys/net/netfilter/nf_conntrack_max",
    [HOST_MOUNTINFO] = "1/mountinfo",
    [HOST_SOCKSTAT] = "1/net/sockstat",
    [HOST_SOCKSTAT6] = "1/net/sockstat6",
    [HOST_SNMP] = "1/net/snmp",
    [HOST_SNMP6] = "1/net/snmp6",
    [HOST_NETSTAT] = "1/net/netstat",
};

/* Where pid 1 hides its files from us (hidepid), our own view is the next best. */
static const char *second_path(enum host_file which)
{
    const char *path = file_paths[which];

    if (which == HOST_MOUNTINFO) {
        return "self/mountinfo";
    }
    return text_prefix(&path, "1/net/") ? path - strlen("net/") : NULL;
}

int host_file(struct host *host, enum host_file which)
{
    int *fd = &host->files[which];

    if (*fd < 0) {
        *fd = file_open(host->procfs, file_paths[which]);
    }
    if (*fd < 0 && second_path(which) != NULL) {
        *fd = file_open(host->procfs, second_path(which));
    }
    return *fd;
}

bool host_lines(struct host *host, enum host_file which, struct file_lines *lines)
{
    const int fd = host_file(host, which);

    file_lines_init(lines, fd, host->buffer, sizeof host->buffer);
    // These come a record at a time, so that a short read is not yet their end.
    lines->one_piece = which != HOST_VMSTAT && which != HOST_DISKSTATS && which != HOST_NETDEV &&
                       which != HOST_MOUNTINFO;
    return fd >= 0;
}

bool host_lines_done(struct host *host, enum host_file which, const struct file_lines *lines)
{
    if (lines->error != 0 || which >= HOST_SOCKSTAT) {
        file_close(&host->files[which]);
    }
    return lines->error == 0;
}

bool host_number(struct host *host, enum host_file which, uint64_t *ret_value)
{
    struct file_lines lines;
    const char *line;
    bool good;

    if (!host_lines(host, which, &lines)) {
        return false;
    }
    line = file_lines_next(&lines);
    good = line != NULL && text_u64(&line, ret_value);
    return host_lines_done(host, which, &lines) && good;
}

bool host_listed(struct tmon_call *call, const struct host *host, const char *name,
                 const char *text)
{
    const size_t count = tmon_config_count(call, host->config, name);
    size_t i;

    for (i = 0; i < count; i++) {
        if (fnmatch(tmon_config_item(call, host->config, name, i), text, 0) == 0) {
            return true;
        }
    }
    return false;
}

void host_source(struct tmon_call *call, const char *name, bool good)
{
    const struct tmon_pair label = {"collector", name};

    tmon_gauge(call, "node_scrape_collector_success",
               "Whether a source of the host's metrics could be read.", good, &label, 1);
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct host *host = self;
    const char *procfs = tmon_config_string(call, config, "procfs");
    const char *sysfs = tmon_config_string(call, config, "sysfs");
    char path[PATH_MAX];
    size_t i;

    for (i = 0; i < HOST_FILES; i++) {
        host->files[i] = -1;
    }
    host->config = config;
    host->rootfs = tmon_config_string(call, config, "rootfs");
    if (strcmp(host->rootfs, "/") == 0) {
        host->rootfs = "";
    }
    host->cgroupfs = tmon_config_string(call, config, "cgroupfs");
    host->ticks_per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    (void)snprintf(path, sizeof path, "%s/class/net", sysfs);
    host->sysfs_net = file_open_dir(path); // may be missing: then there is less about the network
    host->procfs = file_open_dir(procfs);
    if (host->procfs < 0) {
        tmon_log(call, TMON_ERROR, "procfs: cannot open %s: %s", procfs, strerror(-host->procfs));
        return TMON_REJECTED;
    }
    if (faccessat(host->procfs, "stat", R_OK, 0) != 0) {
        tmon_log(call, TMON_ERROR, "procfs: %s/stat: %s; is a procfs mounted there?", procfs,
                 strerror(errno));
        return TMON_REJECTED;
    }
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct host *host = self;
    size_t i;

    for (i = 0; i < HOST_FILES; i++) {
        file_close(&host->files[i]);
    }
    file_close(&host->sysfs_net);
    file_close(&host->procfs);
}

static tmon_rc collect(struct tmon_call *call, void *self)
{
    static const struct {
        const char *name; /* node_exporter's name of the collector, where it has one */
        bool (*collect)(struct tmon_call *call, struct host *host);
    } sources[] = {
        {"stat", host_collect_stat},
        {"loadavg", host_collect_loadavg},
        {"uptime", host_collect_uptime},
        {"meminfo", host_collect_meminfo},
        {"vmstat", host_collect_vmstat},
        {"diskstats", host_collect_diskstats},
        {"filesystem", host_collect_filesystem},
        {"netdev", host_collect_netdev},
        {"pressure", host_collect_pressure},
        {"filefd", host_collect_filefd},
        {"entropy", host_collect_entropy},
        {"conntrack", host_collect_conntrack},
        {"sockstat", host_collect_sockstat},
        {"netstat", host_collect_netstat},
        {"uname", host_collect_uname},
        {"time", host_collect_time},
        {"timex", host_collect_timex},
        {"cgroup", host_collect_cgroup},
    };
    struct host *host = self;
    bool good[sizeof sources / sizeof sources[0]];
    size_t i;

    for (i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        good[i] = sources[i].collect(call, host);
    }
    for (i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        host_source(call, sources[i].name, good[i]);
    }
    host->collections++;
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "host",
    .summary =
        "The host's processors, memory, disks, network and limits, under node_exporter's names",
    .options = options,
    .state_size = sizeof(struct host),
    .create = create,
    .destroy = destroy,
    .collect = collect,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("host", "1.0", "Apache-2.0", components)
