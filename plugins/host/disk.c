/*
 * disk.c: what block devices did (`diskstats` of procfs).
 *
 * Older kernels have fewer columns: 11 until 4.17, 15 with discards, 17 with flushes since 5.5.
 * What is not there is not emitted.
 */
#include "host.h"

#include <string.h>

#include "../common/text.h"

struct column {
    const char *name, *help;
    tmon_metric_kind kind;
    double scale; /* from the kernel's unit (sectors of 512 bytes, milliseconds) to ours */
};

#define MS 0.001

static const struct column columns[] = {
    {"node_disk_reads_completed_total", "Reads completed.", TMON_COUNTER, 1},
    {"node_disk_reads_merged_total", "Reads merged with a neighbour.", TMON_COUNTER, 1},
    {"node_disk_read_bytes_total", "Bytes read.", TMON_COUNTER, 512},
    {"node_disk_read_time_seconds_total", "Time that reads took, added up.", TMON_COUNTER, MS},
    {"node_disk_writes_completed_total", "Writes completed.", TMON_COUNTER, 1},
    {"node_disk_writes_merged_total", "Writes merged with a neighbour.", TMON_COUNTER, 1},
    {"node_disk_written_bytes_total", "Bytes written.", TMON_COUNTER, 512},
    {"node_disk_write_time_seconds_total", "Time that writes took, added up.", TMON_COUNTER, MS},
    {"node_disk_io_now", "Requests under way.", TMON_GAUGE, 1},
    {"node_disk_io_time_seconds_total", "Time with at least one request under way.", TMON_COUNTER,
     MS},
    {"node_disk_io_time_weighted_seconds_total", "Time, multiplied by the requests under way.",
     TMON_COUNTER, MS},
    {"node_disk_discards_completed_total", "Discards completed.", TMON_COUNTER, 1},
    {"node_disk_discards_merged_total", "Discards merged with a neighbour.", TMON_COUNTER, 1},
    {"node_disk_discarded_sectors_total", "Sectors discarded.", TMON_COUNTER, 1},
    {"node_disk_discard_time_seconds_total", "Time that discards took, added up.", TMON_COUNTER,
     MS},
    {"node_disk_flush_requests_total", "Flushes completed.", TMON_COUNTER, 1},
    {"node_disk_flush_requests_time_seconds_total", "Time that flushes took, added up.",
     TMON_COUNTER, MS},
};

bool host_collect_diskstats(struct tmon_call *call, struct host *host)
{
    struct file_lines lines;
    const char *line;
    size_t i;

    if (!host_lines(host, HOST_DISKSTATS, &lines)) {
        return false;
    }
    while ((line = file_lines_next(&lines)) != NULL) {
        uint64_t major, minor, value;
        const char *word;
        size_t len;
        char device[256];
        const struct tmon_pair label = {"device", device};

        if (!text_u64(&line, &major) || !text_u64(&line, &minor) ||
            !text_word(&line, &word, &len) || !text_copy(device, sizeof device, word, len) ||
            host_listed(call, host, "disk_devices_exclude", device)) {
            continue;
        }
        for (i = 0; i < sizeof columns / sizeof columns[0] && text_u64(&line, &value); i++) {
            // Dividing by a thousand rounds better than multiplying by its inverse, which is no
            // binary number.
            const double scaled =
                columns[i].scale < 1 ? (double)value / 1000 : (double)value * columns[i].scale;

            tmon_emit_simple(call, columns[i].kind, columns[i].name, columns[i].help, scaled,
                             &label, 1);
        }
    }
    return host_lines_done(host, HOST_DISKSTATS, &lines);
}
