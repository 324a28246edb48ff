/*
 * plugins/host on made-up kernels: a new one, an old one, control groups of both versions, and
 * files that are missing, cut, overlong or garbage.  tests/system/test_host.py compares it with the
 * real thing.
 */
#include "kit.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

static struct mock_host *start(void **state, const char *more)
{
    const char *dir = *state;
    char settings[4096];

    (void)snprintf(
        settings, sizeof settings,
        "procfs: %s/proc\nsysfs: %s/sys\nrootfs: %s/root\ncgroupfs: %s/sys/fs/cgroup\n%s", dir, dir,
        dir, dir, more);
    return kit_start("host", settings);
}

static void collect(struct mock_host *mock)
{
    assert_int_equal(mock_collect(mock, 1000), TMON_OK);
    assert_string_equal(mock_problem(mock), "");
}

static double success(const struct mock_host *mock, const char *collector)
{
    char series[128];

    (void)snprintf(series, sizeof series, "node_scrape_collector_success{collector=\"%s\"}",
                   collector);
    return mock_value(mock, series);
}

static void absent(const struct mock_host *mock, const char *series)
{
    if (mock_find(mock, series) != NULL) {
        fail_msg("%s is there", series);
    }
}

static void is(const struct mock_host *mock, const char *series, double expected)
{
    const double value = mock_value(mock, series);

    if (!(fabs(value - expected) <= 1e-9 * (1 + fabs(expected)))) {
        fail_msg("%s is %.17g, expected %.17g", series, value, expected);
    }
}

#define HOST_BUFFER 32768 /* as in plugins/host/host.h */

struct file {
    const char *path, *text;
};

/* A kernel of 2024 with two processors, control groups of version 2 and a container's limits. */
static const struct file modern[] = {
    {"proc/stat",
     "cpu  300 30 60 3000 10 2 4 6 20 8\n"
     "cpu0 100 10 20 1000 5 1 2 3 10 4\n"
     "cpu1 200 20 40 2000 5 1 2 3 10 4\n"
     "intr 123456 1 2 3 0 0\nctxt 654321\nbtime 1700000000\nprocesses 4242\nprocs_running 3\n"
     "procs_blocked 1\nsoftirq 99 1 2\n"},
    {"proc/loadavg", "0.25 1.50 12.75 3/456 7890\n"},
    {"proc/uptime", "4321.09 8000.00\n"},
    {"proc/meminfo",
     "MemTotal:       16316412 kB\nMemAvailable:    8000000 kB\nActive(anon):        123 kB\n"
     "HugePages_Total:       7\nHugepagesize:       2048 kB\nDirectMap1G:     1048576 kB\n"},
    {"proc/vmstat", "nr_free_pages 5\npgpgin 100\npgpgout 200\npswpin 1\npswpout 2\npgfault 3000\n"
                    "pgmajfault 40\npgmajfault_x 1\noom_kill 6\n"},
    {"proc/diskstats",
     "   7       0 loop0 1 2 3 4 5 6 7 8 9 10 11\n"
     " 259       0 nvme0n1 10 20 30 4500 50 60 70 8000 9 10000 11500 12 13 14 15000 16 17500\n"
     " 259       1 nvme0n1p1 1 2 3 4 5 6 7 8 9 10 11\n"},
    {"proc/1/mountinfo",
     "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
     "23 22 0:5 / /proc rw - proc proc rw\n"
     "24 22 0:6 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
     "25 22 8:2 / /data\\040one ro,noatime shared:2 master:3 - xfs /dev/sdb\\0111 ro\n"
     "26 22 0:7 / /mnt/nfs rw - nfs4 server:/export rw\n"
     "27 22 0:8 / /mnt/ssh rw - fuse.sshfs me@host:/ rw\n"
     "28 22 8:3 / /old rw - ext4 /dev/sdc rw\n"
     "29 28 8:4 / /old rw - btrfs /dev/sdd rw\n"
     "30 22 8:5 / /gone rw - ext4 /dev/sde rw\n"},
    {"proc/1/net/dev",
     "Inter-|   Receive                                                |  Transmit\n"
     " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
     "fifo colls "
     "carrier compressed\n"
     "  eth0:1001 12 13 14 15 16 17 18 2001 22 23 24 25 26 27 28\n"
     "eth0:1: 5 6 0 0 0 0 0 0 7 8 0 0 0 0 0 0\n"},
    {"proc/1/net/sockstat", "sockets: used 294\nTCP: inuse 5 orphan 0 tw 1 alloc 6 mem 3\n"
                            "UDP: inuse 2 mem 1\nUDPLITE: inuse 0\nRAW: inuse 0 new 7\n"
                            "FRAG: inuse 0 memory 40\nXTP: inuse 9\n"},
    {"proc/1/net/sockstat6", "TCP6: inuse 4\nUDP6: inuse 1\nFRAG6: inuse 0 memory 0\n"},
    {"proc/1/net/snmp",
     "Ip: Forwarding DefaultTTL InReceives\nIp: 1 64 12345\n"
     "Icmp: InMsgs InErrors InCsumErrors OutMsgs\nIcmp: 11 12 13 14\n"
     "Tcp: RtoAlgorithm RtoMin MaxConn ActiveOpens CurrEstab InErrs\nTcp: 1 200 -1 21 22 23\n"
     "UdpLite: InDatagrams InErrors\nUdpLite: 31 32\n"},
    {"proc/1/net/netstat", "TcpExt: SyncookiesSent ListenOverflows TCPTimeouts\nTcpExt: 41 42 43\n"
                           "IpExt: InNoRoutes InOctets\nIpExt: 51 52\n"},
    {"proc/1/net/snmp6", "Ip6InOctets                     \t61\nIcmp6InErrors 62\nUdp6NoPorts\t63\n"
                         "UdpLite6InErrors 64\nUdp6NoPortsX 65\n"},
    {"proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n"
                          "full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"},
    {"proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n"
                         "full avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n"},
    {"proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
                             "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"},
    {"proc/sys/fs/file-nr", "1184\t0\t9223372036854775807\n"},
    {"proc/sys/kernel/random/entropy_avail", "256\n"},
    {"proc/sys/kernel/random/poolsize", "4096\n"},
    {"proc/sys/net/netfilter/nf_conntrack_count", "17\n"},
    {"proc/sys/net/netfilter/nf_conntrack_max", "262144\n"},
    {"proc/self/cgroup", "0::/kube/app\n"},
    {"sys/class/net/eth0/operstate", "up\n"},
    {"sys/class/net/eth0/carrier", "1\n"},
    {"sys/class/net/eth0/carrier_changes", "4\n"},
    {"sys/class/net/eth0/mtu", "1500\n"},
    {"sys/class/net/eth0/flags", "0x1003\n"},
    {"sys/class/net/eth0/tx_queue_len", "1000\n"},
    {"sys/class/net/eth0/speed", "10000\n"},
    {"sys/class/net/eth0/duplex", "full\n"},
    {"sys/class/net/eth0/address", "02:00:00:00:00:01\n"},
    {"sys/class/net/eth0/broadcast", "ff:ff:ff:ff:ff:ff\n"},
    {"sys/class/net/eth0/ifalias", "\n"},
    {"sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n"},
    {"sys/fs/cgroup/kube/memory.max", "200000000\n"},
    {"sys/fs/cgroup/kube/pids.max", "500\n"},
    {"sys/fs/cgroup/kube/cpu.max", "150000 100000\n"},
    {"sys/fs/cgroup/kube/app/memory.current", "120000000\n"},
    {"sys/fs/cgroup/kube/app/memory.max", "max\n"},
    {"sys/fs/cgroup/kube/app/memory.stat", "anon 1\ninactive_file 20000000\nactive_file 5\n"},
    {"sys/fs/cgroup/kube/app/memory.events", "low 0\nmax 3\noom 2\noom_kill 1\n"},
    {"sys/fs/cgroup/kube/app/cpu.stat",
     "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n"
     "nr_periods 100\nnr_throttled 7\nthrottled_usec 250000\n"},
    {"sys/fs/cgroup/kube/app/cpu.max", "max 100000\n"},
    {"sys/fs/cgroup/kube/app/pids.current", "12\n"},
    {"sys/fs/cgroup/kube/app/pids.max", "1000\n"},
    {"root/data one/x", ""},
    {"root/old/x", ""},
};
enum { MODERN = sizeof modern / sizeof modern[0] };

static void write_all(const char *dir, const struct file *files, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        kit_write(dir, files[i].path, files[i].text);
    }
}

static void a_new_kernel(void **state)
{
    struct mock_host *mock;

    write_all(*state, modern, MODERN);
    mock = start(state, "");
    collect(mock);
    is(mock, "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"}", 1);
    is(mock, "node_cpu_seconds_total{cpu=\"1\",mode=\"idle\"}", 20);
    is(mock, "node_cpu_seconds_total{cpu=\"1\",mode=\"steal\"}", 0.03);
    is(mock, "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"user\"}", 0.1);
    is(mock, "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"nice\"}", 0.04);
    is(mock, "node_intr_total", 123456);
    is(mock, "node_context_switches_total", 654321);
    is(mock, "node_boot_time_seconds", 1700000000);
    is(mock, "node_forks_total", 4242);
    is(mock, "node_procs_running", 3);
    is(mock, "node_procs_blocked", 1);
    is(mock, "node_load1", 0.25);
    is(mock, "node_load5", 1.5);
    is(mock, "node_load15", 12.75);
    is(mock, "host_uptime_seconds", 4321.09);
    is(mock, "node_memory_MemTotal_bytes", 16316412 * 1024.0);
    is(mock, "node_memory_Active_anon_bytes", 123 * 1024.0);
    is(mock, "node_memory_HugePages_Total", 7);
    is(mock, "node_memory_DirectMap1G_bytes", 1048576 * 1024.0);
    is(mock, "node_vmstat_oom_kill", 6);
    is(mock, "node_vmstat_pgmajfault", 40);
    absent(mock, "node_vmstat_nr_free_pages");
    is(mock, "node_disk_reads_completed_total{device=\"nvme0n1\"}", 10);
    is(mock, "node_disk_read_bytes_total{device=\"nvme0n1\"}", 30 * 512);
    is(mock, "node_disk_read_time_seconds_total{device=\"nvme0n1\"}", 4.5);
    is(mock, "node_disk_io_now{device=\"nvme0n1\"}", 9);
    is(mock, "node_disk_discard_time_seconds_total{device=\"nvme0n1\"}", 15);
    is(mock, "node_disk_flush_requests_time_seconds_total{device=\"nvme0n1\"}", 17.5);
    absent(mock, "node_disk_io_now{device=\"nvme0n1p1\"}");
    absent(mock, "node_disk_io_now{device=\"loop0\"}");
    is(mock, "node_network_receive_bytes_total{device=\"eth0\"}", 1001);
    is(mock, "node_network_receive_multicast_total{device=\"eth0\"}", 18);
    is(mock, "node_network_transmit_bytes_total{device=\"eth0\"}", 2001);
    is(mock, "node_network_transmit_compressed_total{device=\"eth0\"}", 28);
    is(mock, "node_network_receive_packets_total{device=\"eth0:1\"}", 6);
    is(mock, "node_network_up{device=\"eth0\"}", 1);
    is(mock, "node_network_carrier_changes_total{device=\"eth0\"}", 4);
    is(mock, "node_network_flags{device=\"eth0\"}", 0x1003);
    is(mock, "node_network_speed_bytes{device=\"eth0\"}", 1.25e9);
    is(mock,
       "node_network_info{address=\"02:00:00:00:00:01\",broadcast=\"ff:ff:ff:ff:ff:ff\",device="
       "\"eth0\","
       "duplex=\"full\",operstate=\"up\"}",
       1);
    is(mock, "node_pressure_cpu_waiting_seconds_total", 1.5);
    is(mock, "node_pressure_io_waiting_seconds_total", 2.5);
    is(mock, "node_pressure_io_stalled_seconds_total", 0.5);
    is(mock, "node_sockstat_sockets_used", 294);
    is(mock, "node_sockstat_TCP_tw", 1);
    is(mock, "node_sockstat_TCP_mem", 3);
    is(mock, "node_sockstat_TCP_mem_bytes", 3.0 * (double)sysconf(_SC_PAGESIZE));
    is(mock, "node_sockstat_UDP_mem_bytes", 1.0 * (double)sysconf(_SC_PAGESIZE));
    is(mock, "node_sockstat_FRAG_memory", 40);
    is(mock, "node_sockstat_TCP6_inuse", 4);
    absent(mock, "node_sockstat_XTP_inuse");
    is(mock, "node_netstat_Ip_Forwarding", 1);
    is(mock, "node_netstat_Icmp_InErrors", 12);
    is(mock, "node_netstat_Icmp_OutMsgs", 14);
    is(mock, "node_netstat_Tcp_ActiveOpens", 21);
    is(mock, "node_netstat_Tcp_InErrs", 23);
    is(mock, "node_netstat_UdpLite_InErrors", 32);
    is(mock, "node_netstat_TcpExt_ListenOverflows", 42);
    is(mock, "node_netstat_IpExt_InOctets", 52);
    is(mock, "node_netstat_Ip6_InOctets", 61);
    is(mock, "node_netstat_Icmp6_InErrors", 62);
    is(mock, "node_netstat_Udp6_NoPorts", 63);
    is(mock, "node_netstat_UdpLite6_InErrors", 64);
    assert_true(mock_value(mock, "node_timex_tick_seconds") > 0);
    assert_int_equal(mock_find(mock, "node_netstat_Tcp_CurrEstab")->kind, TMON_UNTYPED);
    is(mock, "node_scrape_collector_success{collector=\"netstat\"}", 1);
    is(mock, "node_filefd_allocated", 1184);
    is(mock, "node_filefd_maximum", 9223372036854775807.0);
    is(mock, "node_entropy_available_bits", 256);
    is(mock, "node_entropy_pool_size_bits", 4096);
    is(mock, "node_nf_conntrack_entries", 17);
    is(mock, "node_nf_conntrack_entries_limit", 262144);
    assert_int_equal(mock_find(mock, "node_vmstat_pgfault")->kind, TMON_UNTYPED);
    assert_int_equal(mock_find(mock, "node_forks_total")->kind, TMON_COUNTER);
    is(mock, "node_scrape_collector_success{collector=\"stat\"}", 1);
    is(mock, "node_scrape_collector_success{collector=\"cgroup\"}", 1);
    kit_stop(mock);
}

static void file_systems(void **state)
{
    struct mock_host *mock;
    struct statfs info;
    const struct mock_sample *sample;
    size_t i;

    write_all(*state, modern, MODERN);
    assert_int_equal(statfs(*state, &info), 0);
    mock = start(state, "");
    collect(mock);
    is(mock, "node_filesystem_size_bytes{device=\"/dev/root\",fstype=\"ext4\",mountpoint=\"/\"}",
       (double)info.f_blocks * (double)info.f_bsize);
    is(mock, "node_filesystem_readonly{device=\"/dev/root\",fstype=\"ext4\",mountpoint=\"/\"}", 0);
    is(mock,
       "node_filesystem_readonly{device=\"/dev/sdb\t1\",fstype=\"xfs\",mountpoint=\"/data one\"}",
       1);
    is(mock,
       "node_filesystem_files{device=\"/dev/sdb\t1\",fstype=\"xfs\",mountpoint=\"/data one\"}",
       (double)info.f_files);
    is(mock,
       "node_filesystem_device_error{device=\"/dev/sdd\",fstype=\"btrfs\",mountpoint=\"/old\"}", 0);
    is(mock,
       "node_filesystem_device_error{device=\"/dev/sde\",fstype=\"ext4\",mountpoint=\"/gone\"}", 1);
    absent(mock,
           "node_filesystem_size_bytes{device=\"/dev/sde\",fstype=\"ext4\",mountpoint=\"/gone\"}");
    for (i = 0; (sample = mock_sample_at(mock, i)) != NULL; i++) {
        if (strstr(sample->series, "nfs") != NULL || strstr(sample->series, "sshfs") != NULL ||
            strstr(sample->series, "cgroup2") != NULL ||
            strstr(sample->series, "/dev/sdc") != NULL) {
            fail_msg("%s is there", sample->series);
        }
    }
    kit_write(*state, "proc/1/mountinfo",
              "22 1 8:1 / / ro,relatime - ext4 /dev/root rw\n"); // the table changed
    collect(mock);
    is(mock, "node_filesystem_readonly{device=\"/dev/root\",fstype=\"ext4\",mountpoint=\"/\"}", 1);
    absent(
        mock,
        "node_filesystem_device_error{device=\"/dev/sde\",fstype=\"ext4\",mountpoint=\"/gone\"}");
    kit_stop(mock);
}

static void the_prefix_of_the_root_is_stripped(void **state)
{
    char table[2048];
    const char *dir = *state;
    struct mock_host *mock;

    write_all(dir, modern, MODERN);
    (void)snprintf(
        table, sizeof table,
        "22 1 8:1 / %s/root rw - ext4 /dev/a rw\n23 1 8:2 / %s/root/old rw - ext4 /dev/b rw\n"
        "24 1 8:3 / %s/rootless rw - ext4 /dev/c rw\n",
        dir, dir, dir);
    kit_write(dir, "proc/1/mountinfo", table);
    mock = start(state, "");
    collect(mock);
    is(mock, "node_filesystem_device_error{device=\"/dev/a\",fstype=\"ext4\",mountpoint=\"/\"}", 0);
    is(mock, "node_filesystem_device_error{device=\"/dev/b\",fstype=\"ext4\",mountpoint=\"/old\"}",
       0);
    (void)snprintf(table, sizeof table,
                   "node_filesystem_device_error{device=\"/dev/c\",fstype=\"ext4\",mountpoint=\"%s/"
                   "rootless\"}",
                   dir);
    is(mock, table, 1);
    kit_stop(mock);
}

static void exclusions_are_settings(void **state)
{
    struct mock_host *mock;

    write_all(*state, modern, MODERN);
    mock = start(state, "mount_points_exclude: [/, \"/data*\"]\nfs_types_exclude: [btrfs]\n"
                        "disk_devices_exclude: [nvme0n1]\nnetwork_devices_exclude: [\"eth0:*\"]\n");
    collect(mock);
    absent(mock, "node_filesystem_readonly{device=\"/dev/root\",fstype=\"ext4\",mountpoint=\"/\"}");
    absent(
        mock,
        "node_filesystem_readonly{device=\"/dev/sdb\t1\",fstype=\"xfs\",mountpoint=\"/data one\"}");
    absent(mock,
           "node_filesystem_readonly{device=\"/dev/sdd\",fstype=\"btrfs\",mountpoint=\"/old\"}");
    absent(mock, "node_disk_io_now{device=\"nvme0n1\"}");
    is(mock, "node_disk_io_now{device=\"loop0\"}", 9);
    absent(mock, "node_network_receive_packets_total{device=\"eth0:1\"}");
    is(mock, "node_network_receive_packets_total{device=\"eth0\"}", 12);
    kit_stop(mock);
}

static void control_groups_of_version_2(void **state)
{
    struct mock_host *mock;

    write_all(*state, modern, MODERN);
    mock = start(state, "");
    collect(mock);
    is(mock, "cgroup_memory_usage_bytes", 120e6);
    is(mock, "cgroup_memory_working_set_bytes", 100e6);
    is(mock, "cgroup_memory_limit_bytes", 200e6); // the parent's
    is(mock, "cgroup_memory_oom_kills_total", 1);
    is(mock, "cgroup_cpu_usage_seconds_total", 1.5);
    is(mock, "cgroup_cpu_periods_total", 100);
    is(mock, "cgroup_cpu_throttled_periods_total", 7);
    is(mock, "cgroup_cpu_throttled_seconds_total", 0.25);
    is(mock, "cgroup_cpu_limit_cpus", 1.5);
    is(mock, "cgroup_pids", 12);
    is(mock, "cgroup_pids_limit", 500);
    kit_stop(mock);
}

static const struct file version_1[] = {
    {"proc/self/cgroup", "12:pids:/docker/abc\n7:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n"
                         "1:name=systemd:/docker/abc\n"},
    {"sys/fs/cgroup/memory/memory.limit_in_bytes",
     "300000000\n"}, // no namespace: the mount is the container
    {"sys/fs/cgroup/memory/memory.usage_in_bytes", "100000000\n"},
    {"sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 40000000\n"},
    {"sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"},
    {"sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us", "50000\n"},
    {"sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us", "100000\n"},
    {"sys/fs/cgroup/cpu/docker/abc/cpu.stat",
     "nr_periods 9\nnr_throttled 4\nthrottled_time 2500000000\n"},
    {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
    {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"},
    {"sys/fs/cgroup/cpuacct/docker/abc/cpuacct.usage", "7500000000\n"},
    {"sys/fs/cgroup/pids/docker/abc/pids.current", "3\n"},
    {"sys/fs/cgroup/pids/docker/abc/pids.max", "max\n"},
};

static void control_groups_of_version_1(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/stat", modern[0].text);
    write_all(*state, version_1, sizeof version_1 / sizeof version_1[0]);
    mock = start(state, "");
    collect(mock);
    is(mock, "cgroup_memory_usage_bytes", 100e6);
    is(mock, "cgroup_memory_working_set_bytes", 60e6);
    is(mock, "cgroup_memory_limit_bytes", 300e6);
    is(mock, "cgroup_memory_oom_kills_total", 5);
    is(mock, "cgroup_cpu_usage_seconds_total", 7.5);
    is(mock, "cgroup_cpu_throttled_seconds_total", 2.5);
    is(mock, "cgroup_cpu_limit_cpus", 0.5);
    is(mock, "cgroup_pids", 3);
    absent(mock, "cgroup_pids_limit");
    kit_stop(mock);
}

static void hybrid_control_groups(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/stat", modern[0].text);
    kit_write(*state, "proc/self/cgroup", "3:memory:/a\n0::/b\n");
    kit_write(*state, "sys/fs/cgroup/unified/cgroup.controllers", "cpu pids\n");
    kit_write(*state, "sys/fs/cgroup/unified/b/cpu.stat", "usage_usec 3000000\n");
    kit_write(*state, "sys/fs/cgroup/unified/b/memory.current", "1\n"); // not what counts
    kit_write(*state, "sys/fs/cgroup/memory/a/memory.usage_in_bytes", "5000\n");
    kit_write(*state, "sys/fs/cgroup/memory/a/memory.limit_in_bytes",
              "9223372036854771712\n"); // none
    mock = start(state, "");
    collect(mock);
    is(mock, "cgroup_memory_usage_bytes", 5000);
    is(mock, "cgroup_cpu_usage_seconds_total", 3);
    absent(mock, "cgroup_memory_limit_bytes");
    kit_stop(mock);
}

/* 2.6.32, as it was: seven times a processor, eleven columns a disk, no PSI, no MemAvailable. */
static void an_old_kernel(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/stat",
              "cpu  1 2 3 4 5 6 7\ncpu0 100 200 300 400 500 600 700\nctxt 5\n");
    kit_write(*state, "proc/diskstats",
              "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11\n   8       1 sda1 1 2 3 4\n");
    kit_write(*state, "proc/meminfo", "MemTotal: 10 kB\nMemFree: 5 kB\n");
    kit_write(*state, "proc/net/dev",
              "a | b\n eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"); // no 1/net
    kit_write(*state, "proc/self/mountinfo", "22 1 8:1 / / rw - ext3 /dev/root rw\n");
    mock = start(state, "");
    collect(mock);
    is(mock, "node_cpu_seconds_total{cpu=\"0\",mode=\"softirq\"}", 7);
    absent(mock, "node_cpu_seconds_total{cpu=\"0\",mode=\"steal\"}");
    absent(mock, "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"user\"}");
    is(mock, "node_disk_io_time_weighted_seconds_total{device=\"sda\"}", 0.011);
    absent(mock, "node_disk_discards_completed_total{device=\"sda\"}");
    is(mock, "node_network_transmit_bytes_total{device=\"eth0\"}", 9);
    is(mock, "node_filesystem_readonly{device=\"/dev/root\",fstype=\"ext3\",mountpoint=\"/\"}", 0);
    assert_true(success(mock, "stat") == 1);
    assert_true(success(mock, "pressure") == 0);
    assert_true(success(mock, "conntrack") == 0);
    assert_true(success(mock, "cgroup") == 0);
    absent(mock, "node_pressure_cpu_waiting_seconds_total");
    kit_stop(mock);
}

static void nothing_but_a_stat(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/stat", "");
    mock = start(state, "");
    collect(mock);
    assert_true(success(mock, "stat") == 0);
    assert_true(success(mock, "meminfo") == 0);
    assert_true(success(mock, "time") == 1);
    kit_write(*state, "proc/stat", modern[0].text); // and it is taken up when it comes
    kit_write(*state, "proc/meminfo", "MemTotal: 10 kB\n");
    collect(mock);
    assert_true(success(mock, "stat") == 1);
    is(mock, "node_memory_MemTotal_bytes", 10240);
    kit_stop(mock);
}

static void idle_times_do_not_run_backwards(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/stat", "cpu0 1 1 1 1000 500 1 1 100 1 1\n");
    mock = start(state, "");
    collect(mock);
    kit_write(*state, "proc/stat", "cpu0 1 1 1 999 490 1 1 99 1 1\n");
    collect(mock);
    is(mock, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}", 10);
    is(mock, "node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"}", 5);
    is(mock, "node_cpu_seconds_total{cpu=\"0\",mode=\"steal\"}", 1);
    kit_write(*state, "proc/stat", "cpu0 1 1 1 5 501 1 1 101 1 1\n"); // taken out and put back
    collect(mock);
    is(mock, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}", 0.05);
    is(mock, "node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"}", 5.01);
    kit_stop(mock);
}

static void a_link_that_changes_is_looked_at_again(void **state)
{
    struct mock_host *mock;

    write_all(*state, modern, MODERN);
    mock = start(state, "");
    collect(mock);
    kit_write(*state, "sys/class/net/eth0/speed", "1000\n");
    collect(mock);
    is(mock, "node_network_speed_bytes{device=\"eth0\"}", 1.25e9); // not asked again
    kit_write(*state, "sys/class/net/eth0/carrier_changes", "6\n");
    collect(mock);
    is(mock, "node_network_speed_bytes{device=\"eth0\"}", 1.25e8);
    kit_write(*state, "sys/class/net/eth0/speed", "-1\n");
    kit_write(*state, "sys/class/net/eth0/operstate", "down\n");
    collect(mock);
    absent(mock, "node_network_speed_bytes{device=\"eth0\"}");
    is(mock, "node_network_up{device=\"eth0\"}", 0);
    kit_stop(mock);
}

static void numbers_that_are_too_large(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/stat",
              "cpu0 99999999999999999999999999 1 1 1 1 1 1 1 1 1\n"
              "cpu99999999999999999999 1 1 1 1 1 1 1 1 1 1\nctxt 18446744073709551615\n");
    kit_write(*state, "proc/meminfo", "MemTotal: 18446744073709551616 kB\n");
    kit_write(*state, "proc/loadavg", "99999999999999999999.99999999999999999999 1 1\n");
    mock = start(state, "");
    collect(mock);
    is(mock, "node_context_switches_total", 18446744073709551615.0);
    is(mock, "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"}", 184467440737095516.15);
    is(mock, "node_memory_MemTotal_bytes", 18446744073709551615.0 * 1024);
    kit_stop(mock);
}

static void lines_longer_than_the_buffer(void **state)
{
    static char text[200000];
    struct mock_host *mock;
    size_t len;

    len = (size_t)snprintf(text, sizeof text, "cpu0 1 1 1 1 1 1 1 1 1 1\nintr 77");
    while (len < 150000) { // a machine with 75,000 interrupts
        text[len++] = ' ';
        text[len++] = '0';
    }
    memcpy(text + strlen("cpu0 1 1 1 1 1 1 1 1 1 1\n") + HOST_BUFFER - 1, "ctxt 666",
           8); // no line of its own
    (void)snprintf(text + len, sizeof text - len, "\nctxt 88\nprocesses 99");
    kit_write(*state, "proc/stat", text);
    len = (size_t)snprintf(text, sizeof text, "22 1 8:1 / /");
    memset(text + len, 'x', 100000);
    (void)snprintf(text + len + 100000, sizeof text - len - 100000,
                   " rw - ext4 /dev/long rw\n23 1 8:2 / /old rw - ext4 /dev/short rw\n");
    kit_write(*state, "proc/1/mountinfo", text);
    kit_write(*state, "root/old/x", "");
    mock = start(state, "");
    collect(mock);
    is(mock, "node_intr_total", 77);
    is(mock, "node_context_switches_total", 88);
    is(mock, "node_forks_total", 99); // a last line without its newline
    is(mock,
       "node_filesystem_device_error{device=\"/dev/short\",fstype=\"ext4\",mountpoint=\"/old\"}",
       0);
    kit_stop(mock);
}

static void more_mounts_than_are_kept(void **state)
{
    static char text[400000];
    struct mock_host *mock;
    const struct mock_sample *sample;
    size_t len = 0, i, mounts = 0;

    kit_write(*state, "proc/stat", "cpu0 1\n");
    for (i = 0; i < 3000; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "%zu 1 8:1 / /m%zu rw - ext4 /dev/m%zu rw\n", i, i, i);
    }
    kit_write(*state, "proc/1/mountinfo", text);
    mock = start(state, "");
    collect(mock);
    for (i = 0; (sample = mock_sample_at(mock, i)) != NULL; i++) {
        mounts += strcmp(sample->name, "node_filesystem_readonly") == 0;
    }
    assert_int_equal(mounts, 256);
    kit_stop(mock);
}

/* Each file cut after each byte: a kernel never does that, a bug in reading would. */
static void files_that_are_cut_anywhere(void **state)
{
    struct mock_host *mock;
    size_t i, len;

    write_all(*state, modern, MODERN);
    mock = start(state, "");
    for (i = 0; i < MODERN; i++) {
        const size_t step = strlen(modern[i].text) / 40 + 1;
        char text[2048];

        for (len = 0; len < strlen(modern[i].text); len += step) {
            (void)snprintf(text, sizeof text, "%.*s", (int)len, modern[i].text);
            kit_write(*state, modern[i].path, text);
            assert_int_equal(mock_collect(mock, 1000), TMON_OK);
        }
        kit_write(*state, modern[i].path, modern[i].text);
    }
    // "eth0:1:" cut behind "eth0:" is a second eth0, which the agent refuses: no kit_stop().
    mock_close(mock);
}

/* Random bytes, half of them drawn from those that mean something. */
static void garbage(void **state)
{
    static const char meaning[] = " \t\n:|-/,.0123456789kBcpuxro\\";
    uint32_t seed = 12345;
    struct mock_host *mock;
    size_t i;
    int round;

    write_all(*state, modern, MODERN);
    mock = start(state, "");
    for (round = 0; round < 20; round++) {
        for (i = 0; i < MODERN; i++) {
            char text[2048];
            size_t len = 0, size;

            seed = seed * 1664525 + 1013904223;
            size = (seed >> 8) % (sizeof text - 1);
            while (len < size) {
                seed = seed * 1664525 + 1013904223;
                text[len++] = (seed >> 31) != 0 ? meaning[(seed >> 8) % (sizeof meaning - 1)]
                                                : (char)(1 + (seed >> 8) % 255);
            }
            text[len] = '\0';
            if (strncmp(modern[i].path, "root/", 5) != 0) {
                kit_write(*state, modern[i].path, text);
            }
        }
        // Two lines may name one series, or one device may lack a good name; the agent refuses
        // those. What matters here is that nothing is read or written where it should not be.
        assert_int_equal(mock_collect(mock, 1000), TMON_OK);
    }
    mock_close(mock);
}

/* A file system whose server never answers: FUSE without anybody behind it. */
static void a_hung_mount_is_left_alone(void **state)
{
    const char *dir = *state;
    char path[512], options[128];
    struct mock_host *mock;
    int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    (void)snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
    kit_write(dir, "root/hung/x", "");
    (void)snprintf(path, sizeof path, "%s/root/hung", dir);
    if (fuse < 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("kit", path, "fuse", 0, options) != 0) {
        skip();
    }
    kit_write(dir, "proc/stat", "cpu0 1\n");
    (void)snprintf(options, sizeof options, "%s/proc/1", dir);
    assert_int_equal(symlink("/proc/self", options), 0); // the real table, with the mount in it
    mock = start(state, "");
    collect(mock);
    assert_true(success(mock, "filesystem") == 1);
    kit_stop(mock);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
    (void)close(fuse);
}

static void a_changed_table_is_noticed_and_an_unchanged_one_not_read(void **state)
{
    const char *dir = *state;
    char path[512], series[1024];
    struct mock_host *mock;

    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        skip();
    }
    kit_write(dir, "proc/stat", "cpu0 1\n");
    (void)snprintf(path, sizeof path, "%s/proc/1", dir);
    assert_int_equal(symlink("/proc/self", path), 0);
    (void)snprintf(path, sizeof path, "%s/mnt", dir);
    assert_int_equal(mkdir(path, 0755), 0);
    (void)snprintf(series, sizeof series,
                   "node_filesystem_readonly{device=\"kit\",fstype=\"tmpfs\",mountpoint=\"%s\"}",
                   path);
    {
        char settings[1024];

        (void)snprintf(settings, sizeof settings, "procfs: %s/proc\n", dir);
        mock = kit_start("host", settings);
    }
    collect(mock);
    collect(mock);
    absent(mock, series);
    assert_int_equal(mount("kit", path, "tmpfs", 0, "size=64k"), 0);
    collect(mock);
    is(mock, series, 0);
    collect(mock);
    is(mock, series, 0); // from what is remembered
    assert_int_equal(umount(path), 0);
    collect(mock);
    absent(mock, series);
    kit_stop(mock);
}

static void wrong_settings(void **state)
{
    struct mock_host *mock = mock_open(kit_plugin("host"), "host", "procfs: /nonexistent\n");

    assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
    assert_true(mock_said(mock, "/nonexistent: No such file"));
    kit_stop(mock);
    mock = mock_open(kit_plugin("host"), "host", "procfs: /tmp\n");
    assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
    assert_true(mock_said(mock, "is a procfs mounted there?"));
    kit_stop(mock);
}

static void no_descriptor_is_left(void **state)
{
    struct mock_host *mock;
    int before, after;

    before = dup(0);
    (void)close(before);
    mock = kit_start("host", "");
    collect(mock);
    collect(mock);
    kit_stop(mock);
    after = dup(0);
    (void)close(after);
    assert_int_equal(before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_kernel, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(file_systems, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(the_prefix_of_the_root_is_stripped, kit_scratch,
                                        kit_remove),
        cmocka_unit_test_setup_teardown(exclusions_are_settings, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(control_groups_of_version_2, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(control_groups_of_version_1, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(hybrid_control_groups, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(an_old_kernel, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(nothing_but_a_stat, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(idle_times_do_not_run_backwards, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(a_link_that_changes_is_looked_at_again, kit_scratch,
                                        kit_remove),
        cmocka_unit_test_setup_teardown(numbers_that_are_too_large, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(lines_longer_than_the_buffer, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(more_mounts_than_are_kept, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(files_that_are_cut_anywhere, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(garbage, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(a_hung_mount_is_left_alone, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(a_changed_table_is_noticed_and_an_unchanged_one_not_read,
                                        kit_scratch, kit_remove),
        cmocka_unit_test(wrong_settings),
        cmocka_unit_test(no_descriptor_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
