/*
 * stat.c: processors, interrupts, processes, load, uptime (`stat`, `loadavg`, `uptime` of procfs).
 */
#include "host.h"

#include <string.h>

#include "../common/text.h"

/* The kernel lets idle, iowait and steal step back by a tick; Prometheus would take that for a
 * restart and add the whole counter again.  A step of more than three seconds is a processor that
 * was taken out. */
static uint64_t steady(const struct host *host, uint64_t *before, uint64_t now)
{
    if (now < *before && *before - now < 3 * host->ticks_per_second) {
        return *before;
    }
    *before = now;
    return now;
}

/* "3 1132 34 1441 ..." behind "cpu": the processor's number and its times. */
static void cpu_line(struct tmon_call *call, struct host *host, const char *line)
{
    static const char *const modes[] = {"user",   "nice", "system",  "idle",
                                        "iowait", "irq",  "softirq", "steal"};
    const size_t nmodes = sizeof modes / sizeof modes[0];
    uint64_t ticks[10], number;
    size_t n = 0, i;
    char cpu[24];
    struct tmon_pair labels[] = {{"cpu", cpu}, {"mode", NULL}};

    if (!text_u64(&line, &number)) {
        return;
    }
    (void)snprintf(cpu, sizeof cpu, "%llu", (unsigned long long)number);
    while (n < 10 && text_u64(&line, &ticks[n])) {
        n++;
    }
    if (number < HOST_CPUS && n >= 8) {
        struct host_cpu *before = &host->cpus[number];

        ticks[3] = steady(host, &before->idle, ticks[3]);
        ticks[4] = steady(host, &before->iowait, ticks[4]);
        ticks[7] = steady(host, &before->steal, ticks[7]);
    }
    for (i = 0; i < n && i < nmodes; i++) {
        labels[1].value = modes[i];
        tmon_counter(call, "node_cpu_seconds_total", "Time that the processors spent in each mode.",
                     (double)ticks[i] / (double)host->ticks_per_second, labels, 2);
    }
    for (i = nmodes; i < n; i++) {
        labels[1].value = i == 8 ? "user" : "nice";
        tmon_counter(call, "node_cpu_guest_seconds_total",
                     "Time that the processors spent in guests, in user and nice of "
                     "node_cpu_seconds_total too.",
                     (double)ticks[i] / (double)host->ticks_per_second, labels, 2);
    }
}

struct entry {
    const char *key, *name, *help;
    tmon_metric_kind kind;
};

bool host_collect_stat(struct tmon_call *call, struct host *host)
{
    static const struct entry entries[] = {
        {"intr ", "node_intr_total", "Interrupts served.", TMON_COUNTER},
        {"ctxt ", "node_context_switches_total", "Context switches.", TMON_COUNTER},
        {"btime ", "node_boot_time_seconds", "When the kernel started, Unix time.", TMON_GAUGE},
        {"processes ", "node_forks_total", "Processes and threads started.", TMON_COUNTER},
        {"procs_running ", "node_procs_running", "Threads that run or could run.", TMON_GAUGE},
        {"procs_blocked ", "node_procs_blocked", "Threads that wait for input or output.",
         TMON_GAUGE},
    };
    struct file_lines lines;
    const char *line;
    uint64_t value;
    bool cpus = false;
    size_t i;

    if (!host_lines(host, HOST_STAT, &lines)) {
        return false;
    }
    while ((line = file_lines_next(&lines)) != NULL) {
        if (line[0] == 'c' && text_prefix(&line, "cpu")) {
            cpus = true;
            if (*line != ' ') { // that line is the sum of the others
                cpu_line(call, host, line);
            }
            continue;
        }
        for (i = 0; i < sizeof entries / sizeof entries[0]; i++) {
            if (text_prefix(&line, entries[i].key) && text_u64(&line, &value)) {
                tmon_emit_simple(call, entries[i].kind, entries[i].name, entries[i].help,
                                 (double)value, NULL, 0);
                break;
            }
        }
    }
    return host_lines_done(host, HOST_STAT, &lines) && cpus;
}

bool host_collect_loadavg(struct tmon_call *call, struct host *host)
{
    static const char *const names[] = {"node_load1", "node_load5", "node_load15"};
    static const char *const helps[] = {"Load, mean of one minute.", "Load, mean of five minutes.",
                                        "Load, mean of fifteen minutes."};
    struct file_lines lines;
    const char *line;
    double value;
    size_t i = 0;

    if (!host_lines(host, HOST_LOADAVG, &lines)) {
        return false;
    }
    line = file_lines_next(&lines);
    while (line != NULL && i < 3 && text_decimal(&line, &value)) {
        tmon_gauge(call, names[i], helps[i], value, NULL, 0);
        i++;
    }
    return host_lines_done(host, HOST_LOADAVG, &lines) && i == 3;
}

bool host_collect_uptime(struct tmon_call *call, struct host *host)
{
    struct file_lines lines;
    const char *line;
    double value;
    bool good = false;

    if (!host_lines(host, HOST_UPTIME, &lines)) {
        return false;
    }
    line = file_lines_next(&lines);
    if (line != NULL && text_decimal(&line, &value)) {
        good = true;
        tmon_gauge(call, "host_uptime_seconds",
                   "How long the kernel has been running, sleep included.", value, NULL, 0);
    }
    return host_lines_done(host, HOST_UPTIME, &lines) && good;
}
