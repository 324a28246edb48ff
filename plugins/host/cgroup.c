/*
 * cgroup.c: limits and usage of the control group that the agent itself is in.
 *
 * In a container that is the container, which is why these are metrics of their own: node_exporter
 * has none, and the host's memory says nothing about how soon a container is killed.  Limits are
 * the lowest of the group and all above it that can be seen; usage is the group's own.
 */
#include "../common/cgroup.h"

#include <string.h>

#include "../common/text.h"
#include "host.h"

static void memory(struct tmon_call *call, struct host *host, struct cgroup *group)
{
    uint64_t usage, working, kills, limit, lowest = UINT64_MAX;

    if (cgroup_memory_used(group, &usage, &working)) {
        tmon_gauge(call, "cgroup_memory_usage_bytes",
                   "Memory charged to the agent's control group.", (double)usage, NULL, 0);
        tmon_gauge(call, "cgroup_memory_working_set_bytes",
                   "The same without file pages that were not used lately.", (double)working, NULL,
                   0);
    }
    if (cgroup_text(group, group->version == 2 ? "memory.events" : "memory.oom_control",
                    host->buffer, sizeof host->buffer) &&
        cgroup_key(host->buffer, "oom_kill", &kills)) {
        tmon_counter(call, "cgroup_memory_oom_kills_total", "Processes killed for want of memory.",
                     (double)kills, NULL, 0);
    }
    do {
        if (cgroup_memory_limit(group, &limit) && limit < lowest) {
            lowest = limit;
        }
    } while (cgroup_parent(group));
    if (lowest != UINT64_MAX) {
        tmon_gauge(call, "cgroup_memory_limit_bytes",
                   "The lowest memory limit over the agent's control group.", (double)lowest, NULL,
                   0);
    }
}

/* How many processors' worth of time a group may use; false when it is not limited. */
static bool cpu_limit(const struct cgroup *group, double *ret_cpus)
{
    char text[64];
    const char *at = text;
    uint64_t quota, period = 0;

    if (group->version == 2) { // "max 100000" or "50000 100000"
        if (!cgroup_text(group, "cpu.max", text, sizeof text) || !text_u64(&at, &quota) ||
            !text_u64(&at, &period)) {
            return false;
        }
    } else if (!cgroup_number(group, "cpu.cfs_quota_us", &quota) ||
               !cgroup_number(group, "cpu.cfs_period_us", &period)) {
        return false;
    }
    if (period == 0) {
        return false;
    }
    *ret_cpus = (double)quota / (double)period;
    return true;
}

static void cpu(struct tmon_call *call, struct host *host, struct cgroup *group)
{
    double cpus, lowest = 0;
    uint64_t value;

    if (cgroup_text(group, "cpu.stat", host->buffer, sizeof host->buffer)) {
        const char *text = host->buffer;

        if (cgroup_key(text, "usage_usec", &value)) { // version 2; cpuacct has it in version 1
            tmon_counter(call, "cgroup_cpu_usage_seconds_total",
                         "Processor time of the agent's control group.", (double)value / 1e6, NULL,
                         0);
        }
        if (cgroup_key(text, "nr_periods", &value)) {
            tmon_counter(call, "cgroup_cpu_periods_total",
                         "Periods in which the group's quota was counted.", (double)value, NULL, 0);
        }
        if (cgroup_key(text, "nr_throttled", &value)) {
            tmon_counter(call, "cgroup_cpu_throttled_periods_total",
                         "Periods in which the group had to wait.", (double)value, NULL, 0);
        }
        if (cgroup_key(text, "throttled_usec", &value)) {
            tmon_counter(call, "cgroup_cpu_throttled_seconds_total",
                         "How long the group had to wait.", (double)value / 1e6, NULL, 0);
        } else if (cgroup_key(text, "throttled_time", &value)) {
            tmon_counter(call, "cgroup_cpu_throttled_seconds_total",
                         "How long the group had to wait.", (double)value / 1e9, NULL, 0);
        }
    }
    do {
        if (cpu_limit(group, &cpus) && (lowest == 0 || cpus < lowest)) {
            lowest = cpus;
        }
    } while (cgroup_parent(group));
    if (lowest > 0) {
        tmon_gauge(call, "cgroup_cpu_limit_cpus",
                   "The lowest limit of processors over the agent's control group.", lowest, NULL,
                   0);
    }
}

static void pids(struct tmon_call *call, struct cgroup *group)
{
    uint64_t value, lowest = UINT64_MAX;

    if (cgroup_number(group, "pids.current", &value)) {
        tmon_gauge(call, "cgroup_pids", "Processes and threads of the agent's control group.",
                   (double)value, NULL, 0);
    }
    do {
        if (cgroup_number(group, "pids.max", &value) && value < lowest) {
            lowest = value;
        }
    } while (cgroup_parent(group));
    if (lowest != UINT64_MAX) {
        tmon_gauge(call, "cgroup_pids_limit",
                   "The lowest limit of processes over the agent's control group.", (double)lowest,
                   NULL, 0);
    }
}

bool host_collect_cgroup(struct tmon_call *call, struct host *host)
{
    char self[CGROUP_SELF_BYTES];
    struct cgroup group;
    uint64_t value;
    bool any = false;

    if (file_read(host->procfs, "self/cgroup", self, sizeof self) < 0) {
        return false;
    }

    if (cgroup_find(self, host->cgroupfs, "memory", &group)) {
        any = true;
        memory(call, host, &group);
    }
    if (cgroup_find(self, host->cgroupfs, "cpu", &group)) {
        any = true;
        cpu(call, host, &group);
    }
    if (cgroup_find(self, host->cgroupfs, "cpuacct", &group) && group.version == 1 &&
        cgroup_number(&group, "cpuacct.usage", &value)) {
        tmon_counter(call, "cgroup_cpu_usage_seconds_total",
                     "Processor time of the agent's control group.", (double)value / 1e9, NULL, 0);
    }
    if (cgroup_find(self, host->cgroupfs, "pids", &group)) {
        any = true;
        pids(call, &group);
    }
    return any;
}
