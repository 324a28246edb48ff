/*
 * process_metrics.c: see process_metrics.h.  Runs on the thread that scrapes.
 */
#include "agent/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "tmon_build.h"

static double timeval_seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void read_memory(const struct process_metrics *metrics)
{
    char text[128];
    long size = 0, resident = 0;
    long page = sysconf(_SC_PAGESIZE);
    ssize_t n = pread(metrics->statm, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%ld %ld", &size, &resident) == 2) {
        store_metric_set(metrics->virtual_size, (double)size * (double)page);
        store_metric_set(metrics->resident, (double)resident * (double)page);
    }
}

static double count_entries(const char *path)
{
    DIR *dir = opendir(path);
    double n = 0;

    if (!dir) {
        return 0;
    }
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        n += entry->d_name[0] != '.';
    }
    (void)closedir(dir);
    return n;
}

/* Without reading it, where the kernel tells (6.2 and later): a scrape should cost little. */
static double count_descriptors(const struct process_metrics *metrics)
{
    struct stat info;

    if (fstat(metrics->descriptors, &info) == 0 && info.st_size > 0) {
        return (double)info.st_size;
    }
    return count_entries("/proc/self/fd") - 1; /* one of them is the directory itself */
}

static double count_threads(const struct process_metrics *metrics)
{
    struct stat info;

    /* A directory's links are itself, its name, and one a subdirectory. */
    return fstat(metrics->tasks, &info) == 0 && info.st_nlink > 2 ? (double)info.st_nlink - 2 : 0;
}

static void refresh(void *arg, int64_t now_ms)
{
    const struct process_metrics *metrics = arg;
    struct rusage usage;
    struct rlimit limit;

    store_metric_set(metrics->uptime,
                     (double)(clock_mono_ns() - metrics->started_ns) / (double)NS_PER_S);
    read_memory(metrics);
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        store_metric_set(metrics->cpu,
                         timeval_seconds(usage.ru_utime) + timeval_seconds(usage.ru_stime));
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        store_metric_set(metrics->max_fds, (double)limit.rlim_cur);
    }
    store_metric_set(metrics->open_fds, count_descriptors(metrics));
    store_metric_set(metrics->threads, count_threads(metrics));
    store_metric_set(metrics->log_lost, (double)log_lost());
}

void process_metrics_init(struct process_metrics *metrics, struct store *store, int64_t started_ns)
{
    const struct tmon_pair build[] = {{"compiler", TMON_COMPILER}, {"version", TMON_VERSION}};

    *metrics = (struct process_metrics){.started_ns = started_ns};
    metrics->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    metrics->descriptors = open("/proc/self/fd", O_PATH | O_CLOEXEC);
    metrics->tasks = open("/proc/self/task", O_PATH | O_CLOEXEC);
    metrics->uptime = store_metric_new(store, TMON_GAUGE, "app_uptime_seconds",
                                       "How long the agent runs.", NULL, 0);
    metrics->resident = store_metric_new(store, TMON_GAUGE, "process_resident_memory_bytes",
                                         "Resident memory of the agent.", NULL, 0);
    metrics->virtual_size = store_metric_new(store, TMON_GAUGE, "process_virtual_memory_bytes",
                                             "Virtual memory of the agent.", NULL, 0);
    metrics->cpu = store_metric_new(store, TMON_COUNTER, "process_cpu_seconds_total",
                                    "CPU time of the agent, its workers not counted.", NULL, 0);
    metrics->open_fds = store_metric_new(store, TMON_GAUGE, "process_open_fds",
                                         "Open descriptors of the agent.", NULL, 0);
    metrics->max_fds = store_metric_new(store, TMON_GAUGE, "process_max_fds",
                                        "How many descriptors the agent may open.", NULL, 0);
    metrics->threads =
        store_metric_new(store, TMON_GAUGE, "process_threads", "Threads of the agent.", NULL, 0);
    metrics->start_time = store_metric_new(store, TMON_GAUGE, "process_start_time_seconds",
                                           "Unix time of the agent's start.", NULL, 0);
    metrics->build = store_metric_new(store, TMON_GAUGE, "toiletmon_build_info",
                                      "A constant 1, labelled with what the agent is.", build,
                                      sizeof build / sizeof build[0]);
    metrics->log_lost =
        store_metric_new(store, TMON_COUNTER, "toiletmon_log_lines_lost_total",
                         "Lines of the agent's log that nobody read in time.", NULL, 0);
    store_metric_set(metrics->start_time,
                     (double)(clock_real_ns() - (clock_mono_ns() - started_ns)) / (double)NS_PER_S);
    store_metric_set(metrics->build, 1);
    metrics->refresh = (struct store_refresh){.fn = refresh, .arg = metrics};
    store_refresh_add(store, &metrics->refresh);
}

static void close_it(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

void process_metrics_finish(struct process_metrics *metrics, struct store *store)
{
    if (!metrics->refresh.fn) {
        return; // it was never begun
    }
    store_refresh_remove(store, &metrics->refresh);
    close_it(metrics->statm);
    close_it(metrics->descriptors);
    close_it(metrics->tasks);
}
