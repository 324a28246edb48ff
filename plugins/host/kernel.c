/*
 * kernel.c: single numbers of the kernel: pressure, descriptors, entropy, connections, name and
 * time.
 */
#include "host.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "../common/text.h"

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=4261" and "full ..." with microseconds. */
static bool pressure(struct tmon_call *call, struct host *host, enum host_file which,
                     const char *waiting, const char *stalled)
{
    struct file_lines lines;
    const char *line;
    bool any = false;

    if (!host_lines(host, which, &lines)) {
        return false;
    }
    while ((line = file_lines_next(&lines)) != NULL) {
        const char *at = strstr(line, " total=");
        uint64_t us;

        if (at == NULL) {
            continue;
        }
        at += strlen(" total=");
        if (!text_u64(&at, &us)) {
            continue;
        }
        if (strncmp(line, "some ", 5) == 0) {
            any = true;
            tmon_counter(call, waiting, "Time in which some tasks waited for this resource.",
                         (double)us / 1e6, NULL, 0);
        } else if (stalled != NULL && strncmp(line, "full ", 5) == 0) {
            tmon_counter(call, stalled, "Time in which all tasks waited for this resource.",
                         (double)us / 1e6, NULL, 0);
        }
    }
    return host_lines_done(host, which, &lines) && any;
}

bool host_collect_pressure(struct tmon_call *call, struct host *host)
{
    const bool cpu =
        pressure(call, host, HOST_PRESSURE_CPU, "node_pressure_cpu_waiting_seconds_total", NULL);
    const bool io = pressure(call, host, HOST_PRESSURE_IO, "node_pressure_io_waiting_seconds_total",
                             "node_pressure_io_stalled_seconds_total");
    const bool memory =
        pressure(call, host, HOST_PRESSURE_MEMORY, "node_pressure_memory_waiting_seconds_total",
                 "node_pressure_memory_stalled_seconds_total");

    return cpu && io && memory;
}

bool host_collect_filefd(struct tmon_call *call, struct host *host)
{
    struct file_lines lines;
    const char *line;
    uint64_t allocated, unused, maximum;
    bool good;

    if (!host_lines(host, HOST_FILE_NR, &lines)) {
        return false;
    }
    line = file_lines_next(&lines);
    good = line != NULL && text_u64(&line, &allocated) && text_u64(&line, &unused) &&
           text_u64(&line, &maximum);
    if (good) {
        tmon_gauge(call, "node_filefd_allocated", "Open files of the whole host.",
                   (double)allocated, NULL, 0);
        tmon_gauge(call, "node_filefd_maximum", "Open files that the host allows.", (double)maximum,
                   NULL, 0);
    }
    return host_lines_done(host, HOST_FILE_NR, &lines) && good;
}

bool host_collect_entropy(struct tmon_call *call, struct host *host)
{
    uint64_t value;
    bool good = false;

    if (host_number(host, HOST_ENTROPY, &value)) {
        good = true;
        tmon_gauge(call, "node_entropy_available_bits", "Entropy at hand.", (double)value, NULL, 0);
    }
    if (host_number(host, HOST_ENTROPY_POOL, &value)) {
        tmon_gauge(call, "node_entropy_pool_size_bits", "Size of the entropy pool.", (double)value,
                   NULL, 0);
    }
    return good;
}

bool host_collect_conntrack(struct tmon_call *call, struct host *host)
{
    uint64_t value;
    bool good = false;

    if (host_number(host, HOST_CONNTRACK, &value)) {
        good = true;
        tmon_gauge(call, "node_nf_conntrack_entries", "Connections that the firewall tracks.",
                   (double)value, NULL, 0);
    }
    if (host_number(host, HOST_CONNTRACK_MAX, &value)) {
        tmon_gauge(call, "node_nf_conntrack_entries_limit", "Connections that it can track.",
                   (double)value, NULL, 0);
    }
    return good;
}

bool host_collect_uname(struct tmon_call *call, struct host *host)
{
    struct utsname name;

    if (uname(&name) != 0) {
        return false;
    }
    {
        const struct tmon_pair labels[] = {
            {"domainname", name.domainname}, {"machine", name.machine}, {"nodename", name.nodename},
            {"release", name.release},       {"sysname", name.sysname}, {"version", name.version},
        };

        tmon_gauge(call, "node_uname_info", "What uname says, as labels.", 1, labels,
                   sizeof labels / sizeof labels[0]);
    }
    return true;
}

bool host_collect_time(struct tmon_call *call, struct host *host)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return false;
    }
    tmon_gauge(call, "node_time_seconds", "The host's clock, Unix time.",
               (double)now.tv_sec + (double)now.tv_nsec / 1e9, NULL, 0);
    return true;
}
