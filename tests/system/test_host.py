"""plugins/host beside a real node_exporter on this very machine: names, labels, types and values.

The plugin runs under the mock host (tests/plugin/mock_run), so that this test is about the plugin alone.
node_exporter is told to leave out what upstream's leaves out; Debian's defaults are others.
"""
import re
import shutil
import subprocess
import unittest

import lab

# What changes only when somebody changes the machine: equal to the last digit.
STABLE = [
    "node_boot_time_seconds", "node_memory_MemTotal_bytes", "node_memory_SwapTotal_bytes",
    "node_memory_HugePages_Total", "node_memory_Hugepagesize_bytes", "node_memory_CommitLimit_bytes",
    "node_filesystem_size_bytes", "node_filesystem_files", "node_filesystem_readonly",
    "node_filesystem_device_error", "node_filefd_maximum", "node_entropy_pool_size_bits",
    "node_nf_conntrack_entries_limit", "node_uname_info", "node_network_mtu_bytes", "node_network_flags",
    "node_network_up", "node_network_carrier_changes_total", "node_network_transmit_queue_length",
    "node_network_info", "node_netstat_Ip_Forwarding", "node_timex_tick_seconds", "node_timex_tai_offset_seconds",
    "node_timex_loop_time_constant", "node_timex_sync_status",
]
# What only grows: between what node_exporter says before and after.
GROWING = [
    "node_cpu_seconds_total", "node_cpu_guest_seconds_total", "node_intr_total", "node_context_switches_total",
    "node_forks_total", "node_time_seconds", "node_vmstat_pgfault", "node_vmstat_pgpgin", "node_vmstat_pgpgout",
    "node_disk_reads_completed_total", "node_disk_read_bytes_total", "node_disk_writes_completed_total",
    "node_disk_written_bytes_total", "node_disk_write_time_seconds_total", "node_disk_io_time_seconds_total",
    "node_network_receive_bytes_total", "node_network_transmit_packets_total",
    "node_pressure_cpu_waiting_seconds_total", "node_pressure_io_waiting_seconds_total",
    "node_pressure_io_stalled_seconds_total", "node_pressure_memory_waiting_seconds_total",
    "node_netstat_Tcp_InSegs", "node_netstat_Tcp_OutSegs", "node_netstat_Tcp_ActiveOpens",
    "node_netstat_Tcp_PassiveOpens", "node_netstat_IpExt_InOctets", "node_netstat_TcpExt_ListenDrops",
    "node_netstat_TcpExt_TCPTimeouts", "node_netstat_Udp_InDatagrams", "node_netstat_Ip6_InOctets",
]
OURS = re.compile(r"host_uptime_seconds$|cgroup_[a-z_]+$")
# Here a value may be a rounding error off: node_exporter multiplies where we divide.
CLOSE = 1e-9


class NodeExporter(lab.Server):
    name = "node"

    def prepare(self):
        self.binary = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
        if not self.binary:
            raise unittest.SkipTest("there is no node_exporter on this machine")
        self.port = lab.free_port()

    def argv(self):
        return [
            self.binary, f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error",
            "--collector.netdev.device-exclude=^$",
            "--collector.filesystem.mount-points-exclude="
            "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
        ]

    def ready(self):
        return self.scrape() != ""

    def scrape(self):
        return lab.get("/metrics", port=self.port).text


def collect():
    done = subprocess.run([lab.BUILD / "tests" / "plugin" / "mock_run", lab.BUILD / "plugins" / "host.so", "host"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout


def types(text):
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def series(text):
    """{(name, labels)}: a label without a value is none, as Prometheus has it."""
    return {(name, tuple(sorted(pair for pair in labels if pair[1]))): value
            for (name, labels), value in lab.parse_metrics(text).items()}


class Host(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with NodeExporter() as server:
            before = server.scrape()
            cls.text = collect()
            after = server.scrape()
        cls.ours, cls.before, cls.after = series(cls.text), series(before), series(after)
        cls.their_types = types(after)

    def node(self):
        return {key: value for key, value in self.ours.items() if not OURS.match(key[0])}

    def test_types_are_theirs(self):
        for name, kind in types(self.text).items():
            if not OURS.match(name):
                self.assertEqual(self.their_types.get(name), kind, name)

    def test_series_are_theirs(self):
        # Names of sources differ: node_exporter has a collector of its own for what we read together.
        strange = [key for key in self.node() if key not in self.after and key not in self.before
                   and key[0] != "node_scrape_collector_success"]
        self.assertEqual(strange, [])

    def test_series_are_all_of_theirs(self):
        """Of a family that we have we have all, but for file systems that may hang and unknown speeds."""
        names = {name for name, _ in self.node()}
        points = {dict(labels).get("mountpoint") for _, labels in self.ours}  # of two at one place, the upper one
        hang = re.compile(r"nfs|cifs|fuse|9p|virtiofs|ceph")
        missing = [key for key, value in self.after.items() if key[0] in names and key in self.before
                   and key not in self.ours and key[0] != "node_scrape_collector_success"
                   and not hang.search(dict(key[1]).get("fstype", ""))
                   and not (key[0].startswith("node_filesystem_") and dict(key[1])["mountpoint"] in points)
                   and not (key[0] == "node_network_speed_bytes" and value < 0)]
        self.assertEqual(missing, [])

    def test_stable_values_agree(self):
        checked = 0
        for key, value in self.node().items():
            if key[0] in STABLE and self.before.get(key) == self.after.get(key):
                self.assertEqual(value, self.after[key], key)
                checked += 1
        self.assertGreater(checked, 20)

    def test_growing_values_lie_between(self):
        checked = 0
        for key, value in self.node().items():
            if key[0] in GROWING and key in self.before and key in self.after:
                self.assertGreaterEqual(value, self.before[key] * (1 - CLOSE) - CLOSE, key)
                self.assertLessEqual(value, self.after[key] * (1 + CLOSE) + CLOSE, key)
                checked += 1
        self.assertGreater(checked, 30)

    def test_all_the_issue_names_is_there(self):
        names = {name for name, _ in self.ours}
        for wanted in ("node_cpu_seconds_total", "node_load1", "node_memory_MemAvailable_bytes",
                       "node_memory_SwapTotal_bytes", "node_vmstat_pswpin", "node_filesystem_avail_bytes",
                       "node_filesystem_files_free", "node_disk_read_bytes_total",
                       "node_network_receive_bytes_total", "node_procs_running", "node_filefd_allocated",
                       "node_boot_time_seconds", "host_uptime_seconds"):
            self.assertIn(wanted, names)

    def test_promtool_complains_of_their_names_only(self):
        for line in lab.promtool(self.text):
            self.assertRegex(line, r"^node_((memory|netstat)_\w+ .*snake_case|entropy_\w+ .*base unit)", line)

    @lab.plain_build_only
    def test_one_collection_is_cheap(self):
        done = subprocess.run([lab.BUILD / "tests" / "plugin" / "mock_run", "--bench", "300",
                               lab.BUILD / "plugins" / "host.so", "host"],
                              capture_output=True, text=True, timeout=60, check=True)
        used = float(done.stdout.split()[0])
        self.assertLess(used, 1000, done.stdout)


if __name__ == "__main__":
    unittest.main()
