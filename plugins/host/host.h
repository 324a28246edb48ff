/*
 * host.h: what the files of the `host` component share.
 *
 * One file for each group of sources; each reads into host->buffer and emits as it reads, so that
 * nothing is allocated once create() has returned.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <plugin_api.h>

#include "../common/file.h"

#define HOST_BUFFER 32768     /* the longest line that is read whole; longer ones are cut */
#define HOST_CPUS 1024        /* processors whose idle times are kept from running backwards */
#define HOST_MOUNTS 256       /* file systems that are kept after the exclusions */
#define HOST_MOUNT_TEXT 65536 /* their devices, mount points and types together */
#define HOST_MOUNT_REREAD                                                                          \
    32 /* collections until the mount table is read anew, whatever the kernel says */
#define HOST_DEVICE_REREAD 32 /* the same for what sysfs says of a network device */
#define HOST_DEVICES 64       /* network devices with more than their counters */

/* Files that are read each time, and always the same: most stay open between collections. */
enum host_file {
    HOST_STAT,
    HOST_LOADAVG,
    HOST_UPTIME,
    HOST_MEMINFO,
    HOST_VMSTAT,
    HOST_DISKSTATS,
    HOST_NETDEV,
    HOST_PRESSURE_CPU,
    HOST_PRESSURE_IO,
    HOST_PRESSURE_MEMORY,
    HOST_FILE_NR,
    HOST_ENTROPY,
    HOST_ENTROPY_POOL,
    HOST_CONNTRACK,
    HOST_CONNTRACK_MAX,
    HOST_MOUNTINFO,
    HOST_SOCKSTAT, /* from here on they do not: an instance should not hold too many */
    HOST_SOCKSTAT6,
    HOST_SNMP,
    HOST_SNMP6,
    HOST_NETSTAT,
    HOST_FILES
};

/* Times that the kernel lets step back a little; a counter must not. */
struct host_cpu {
    uint64_t idle, iowait, steal;
};

struct host_mount {
    const char *device, *point, *type; /* into mount_text */
    bool read_only;
};

/* What a network device says of itself in sysfs.  Most of it changes once in a blue moon and costs
 * a file each, so it is read again only when the link has changed, and now and then. */
struct host_device {
    char name[64];
    char operstate[16];
    int64_t changes;  /* of the carrier, when the rest was read */
    uint64_t read_at; /* host->collections + 1 when the rest was read; 0: never */
    int64_t carrier, mtu, flags, queue, speed_mbits; /* -1: not told */
    char duplex[16], address[64], broadcast[64], ifalias[256];
};

struct host {
    const struct tmon_config *config;
    const char *rootfs; /* without a trailing slash: "" for / */
    const char *cgroupfs;
    int procfs; /* O_PATH; -1 until create() */
    int sysfs_net;
    int files[HOST_FILES];
    uint64_t ticks_per_second;
    uint64_t collections;

    struct host_cpu cpus[HOST_CPUS];
    struct host_device devices[HOST_DEVICES];

    size_t nmounts;
    struct host_mount mounts[HOST_MOUNTS];
    char mount_text[HOST_MOUNT_TEXT];

    char buffer[HOST_BUFFER];
};

/* A kept file, opened when it is not; negative when it cannot be. */
int host_file(struct host *host, enum host_file which);
/* Begins a walk over a kept file's lines, in host->buffer.  False when it cannot be opened. */
bool host_lines(struct host *host, enum host_file which, struct file_lines *lines);
/* The first number of a kept file; false when there is none. */
bool host_number(struct host *host, enum host_file which, uint64_t *ret_value);
/* Ends a walk: false when reading failed, and then the file is opened anew next time. */
bool host_lines_done(struct host *host, enum host_file which, const struct file_lines *lines);

/* Whether `text` matches one of the patterns of the list setting `name` (fnmatch: * also matches
 * /). */
bool host_listed(struct tmon_call *call, const struct host *host, const char *name,
                 const char *text);

/* node_scrape_collector_success{collector="name"} */
void host_source(struct tmon_call *call, const char *name, bool good);

/* The sources.  Each emits what it finds, and says whether its main file was there. */
bool host_collect_stat(struct tmon_call *call, struct host *host);
bool host_collect_loadavg(struct tmon_call *call, struct host *host);
bool host_collect_uptime(struct tmon_call *call, struct host *host);
bool host_collect_meminfo(struct tmon_call *call, struct host *host);
bool host_collect_vmstat(struct tmon_call *call, struct host *host);
bool host_collect_diskstats(struct tmon_call *call, struct host *host);
bool host_collect_filesystem(struct tmon_call *call, struct host *host);
bool host_collect_netdev(struct tmon_call *call, struct host *host);
bool host_collect_pressure(struct tmon_call *call, struct host *host);
bool host_collect_filefd(struct tmon_call *call, struct host *host);
bool host_collect_entropy(struct tmon_call *call, struct host *host);
bool host_collect_conntrack(struct tmon_call *call, struct host *host);
bool host_collect_sockstat(struct tmon_call *call, struct host *host);
bool host_collect_netstat(struct tmon_call *call, struct host *host);
bool host_collect_timex(struct tmon_call *call, struct host *host);
bool host_collect_uname(struct tmon_call *call, struct host *host);
bool host_collect_time(struct tmon_call *call, struct host *host);
bool host_collect_cgroup(struct tmon_call *call, struct host *host);

#endif
