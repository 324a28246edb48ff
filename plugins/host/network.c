/*
 * network.c: network devices (`1/net/dev` of procfs, `class/net` of sysfs).
 *
 * sysfs answers for `speed` and `duplex` by asking the driver under a lock that the whole kernel
 * shares, so they are read only when the device is new or its link has changed (carrier_changes is
 * free to read).
 */
#include "host.h"

#include <string.h>

#include "../common/text.h"

struct column {
    const char *name, *help;
};

/* In the order of the columns of net/dev. */
static const struct column columns[] = {
    {"node_network_receive_bytes_total", "Bytes received."},
    {"node_network_receive_packets_total", "Packets received."},
    {"node_network_receive_errs_total", "Packets received with errors."},
    {"node_network_receive_drop_total", "Packets dropped on the way in."},
    {"node_network_receive_fifo_total", "Overruns of the receive queue."},
    {"node_network_receive_frame_total", "Framing errors."},
    {"node_network_receive_compressed_total", "Compressed packets received."},
    {"node_network_receive_multicast_total", "Multicast packets received."},
    {"node_network_transmit_bytes_total", "Bytes sent."},
    {"node_network_transmit_packets_total", "Packets sent."},
    {"node_network_transmit_errs_total", "Packets not sent for errors."},
    {"node_network_transmit_drop_total", "Packets dropped on the way out."},
    {"node_network_transmit_fifo_total", "Underruns of the send queue."},
    {"node_network_transmit_colls_total", "Collisions."},
    {"node_network_transmit_carrier_total", "Carrier losses while sending."},
    {"node_network_transmit_compressed_total", "Compressed packets sent."},
};

/* The remembered device of that name, or a new one; NULL when the table is full. */
static struct host_device *remember(struct host *host, const char *name)
{
    size_t i;

    for (i = 0; i < HOST_DEVICES && host->devices[i].name[0] != '\0'; i++) {
        if (strcmp(host->devices[i].name, name) == 0) {
            return &host->devices[i];
        }
    }
    if (i == HOST_DEVICES ||
        !text_copy(host->devices[i].name, sizeof host->devices[i].name, name, strlen(name))) {
        return NULL;
    }
    return &host->devices[i];
}

static bool attribute(const struct host *host, const char *device, const char *file, char *buffer,
                      size_t size)
{
    char path[160];

    buffer[0] = '\0';
    (void)snprintf(path, sizeof path, "%s/%s", device, file);
    return file_read(host->sysfs_net, path, buffer, size) > 0;
}

static bool attribute_number(const struct host *host, const char *device, const char *file,
                             int64_t *ret_value)
{
    char text[64];
    const char *at = text;

    if (!attribute(host, device, file, text, sizeof text)) {
        return false;
    }
    if (strncmp(text, "0x", 2) == 0) { // flags
        int64_t value = 0;

        for (at += 2; *at != '\0'; at++) {
            const char *digits = "0123456789abcdef";
            const char *digit = strchr(digits, *at);

            if (digit == NULL || value >= INT64_C(1) << 58) {
                return false;
            }
            value = value * 16 + (digit - digits);
        }
        *ret_value = value;
        return true;
    }
    return text_i64(&at, ret_value);
}

static int64_t number_or_not(const struct host *host, const char *device, const char *file)
{
    int64_t value;

    return attribute_number(host, device, file, &value) ? value : -1;
}

/* Reads what there is to read.  False when sysfs does not know the device: it is another network's
 * than procfs. */
static bool refresh(const struct host *host, struct host_device *device)
{
    char operstate[sizeof device->operstate];
    const int64_t changes = number_or_not(host, device->name, "carrier_changes");
    bool same;

    if (!attribute(host, device->name, "operstate", operstate, sizeof operstate)) {
        return false;
    }
    same = changes == device->changes && strcmp(operstate, device->operstate) == 0;
    if (device->read_at > 0 && same &&
        host->collections + 1 - device->read_at < HOST_DEVICE_REREAD) {
        return true;
    }
    memcpy(device->operstate, operstate, sizeof operstate);
    device->changes = changes;
    device->read_at = host->collections + 1;
    device->carrier = number_or_not(host, device->name, "carrier");
    device->mtu = number_or_not(host, device->name, "mtu");
    device->flags = number_or_not(host, device->name, "flags");
    device->queue = number_or_not(host, device->name, "tx_queue_len");
    device->speed_mbits = number_or_not(host, device->name, "speed");
    (void)attribute(host, device->name, "duplex", device->duplex, sizeof device->duplex);
    (void)attribute(host, device->name, "address", device->address, sizeof device->address);
    (void)attribute(host, device->name, "broadcast", device->broadcast, sizeof device->broadcast);
    (void)attribute(host, device->name, "ifalias", device->ifalias, sizeof device->ifalias);
    return true;
}

static void emit_link(struct tmon_call *call, struct host *host, const char *name)
{
    struct host_device *device = remember(host, name);
    const struct tmon_pair label = {"device", name};
    const struct tmon_pair *labels = &label;

    if (device == NULL || !refresh(host, device)) {
        return;
    }
    tmon_gauge(call, "node_network_up", "Whether the device says that it is up.",
               strcmp(device->operstate, "up") == 0, labels, 1);
    if (device->carrier >= 0) {
        tmon_gauge(call, "node_network_carrier", "Whether there is a link.",
                   (double)device->carrier, labels, 1);
    }
    if (device->changes >= 0) {
        tmon_counter(call, "node_network_carrier_changes_total", "How often the link came or went.",
                     (double)device->changes, labels, 1);
    }
    if (device->mtu >= 0) {
        tmon_gauge(call, "node_network_mtu_bytes", "The largest packet.", (double)device->mtu,
                   labels, 1);
    }
    if (device->flags >= 0) {
        tmon_gauge(call, "node_network_flags", "The device's flags, as a number.",
                   (double)device->flags, labels, 1);
    }
    if (device->queue >= 0) {
        tmon_gauge(call, "node_network_transmit_queue_length", "Length of the send queue.",
                   (double)device->queue, labels, 1);
    }
    if (device->speed_mbits >= 0) {
        tmon_gauge(call, "node_network_speed_bytes", "Speed of the link, bytes a second.",
                   (double)device->speed_mbits * 1e6 / 8, labels, 1);
    }
    {
        const struct tmon_pair info[] = {
            {"address", device->address},
            {"broadcast", device->broadcast},
            {"device", name},
            {"duplex", device->duplex},
            {"ifalias", device->ifalias},
            {"operstate", device->operstate},
        };

        tmon_gauge(call, "node_network_info", "What the device says of itself, as labels.", 1, info,
                   sizeof info / sizeof info[0]);
    }
}

bool host_collect_netdev(struct tmon_call *call, struct host *host)
{
    struct file_lines lines;
    const char *line;
    bool any = false;
    size_t i;

    if (!host_lines(host, HOST_NETDEV, &lines)) {
        return false;
    }
    while ((line = file_lines_next(&lines)) != NULL) {
        const char *name = text_skip_blank(line);
        const char *colon =
            strrchr(name, ':'); // a name may have colons, "eth0:1"; numbers have none
        char device[64];
        const struct tmon_pair label = {"device", device};
        uint64_t value;

        if (colon == NULL || strchr(name, '|') != NULL || strchr(name, '/') != NULL ||
            !text_copy(device, sizeof device, name, (size_t)(colon - name)) || device[0] == '\0' ||
            device[0] == '.' || host_listed(call, host, "network_devices_exclude", device)) {
            continue;
        }
        any = true;
        line = colon + 1;
        for (i = 0; i < sizeof columns / sizeof columns[0] && text_u64(&line, &value); i++) {
            tmon_counter(call, columns[i].name, columns[i].help, (double)value, &label, 1);
        }
        if (host->sysfs_net >= 0) {
            emit_link(call, host, device);
        }
    }
    return host_lines_done(host, HOST_NETDEV, &lines) && any;
}
