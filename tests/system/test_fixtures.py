"""Every plugin that misbehaves, all at once: the others do not notice, and each fault is seen.

The whole runs for a minute (FIXTURES_SECONDS shortens it while working on it).
"""
import os
import re
import time
import unittest

import lab

SECONDS = float(os.environ.get("FIXTURES_SECONDS", "60"))

CALLS = {"interval": "1s", "timeout": "500ms"}
# Their workers die or are killed.
DYING = ["crash", "abort", "hang", "spin", "ignore_sigterm", "exit_zero",
         "garbage_bytes", "garbage_oversized", "garbage_type", "garbage_number", "garbage_lengths", "garbage_endless"]
# Not one call is ever made.
UNMADE = ["hang_create"]
# Seen, and no worse than that.
BEARABLE = ["leak", "slow", "metric_flood", "log_flood", "fork_bomb", "threads", "descriptors"]
# Their file cannot be loaded.
REFUSED = ["constructor_exit", "constructor_hang", "no_symbol", "abi_new", "abi_major",
           "bad_manifest_null", "bad_manifest_wild", "bad_manifest_duplicate", "bad_manifest_reserved"]


def lateness_quantile(before, after, quantile):
    """The upper bound of the bucket in which this share of all rounds between the two scrapes lies."""
    def counts(metrics):
        return {float(labels["le"].replace("+Inf", "inf")): value
                for labels, value in metrics.all("toiletmon_schedule_lateness_seconds_bucket")}
    old = counts(before)
    buckets = sorted((bound, value - old[bound]) for bound, value in counts(after).items())
    total = buckets[-1][1]
    return next(bound for bound, count in buckets if count >= quantile * total)


class AllAtOnce(unittest.TestCase):
    @lab.plain_build_only
    def test_a_minute_with_all_of_them(self):
        plugins = {name: {"use": name, **CALLS} for name in DYING + UNMADE + BEARABLE + REFUSED}
        plugins["leak"]["limits"] = {"memory": "64MiB"}
        good = {
            "memory": {"use": "memory", "interval": "200ms", "warn_above": 99.8, "fail_above": 99.9},
            "disk": {"use": "disk", "interval": "500ms"},
            "disk_too": {"use": "disk", "interval": "300ms", "labels": {"n": "2"}},
        }
        plugins.update(good)
        started = time.monotonic()
        with lab.Agent(plugins=plugins, fixtures=True, until=None) as agent:
            lab.wait_for(lambda: "toiletmon is running" in agent.log(), 30, "the start")
            # A few rounds of everything before the memory is taken down.
            lab.wait_for(lambda: all(agent.metrics().value("toiletmon_instance_runs_total", name=name, call="check")
                                     for name in good), 20, "the good ones' first rounds")
            lab.wait_for(lambda: agent.metrics().value("toiletmon_instance_restarts_total", name="crash") >= 2, 20)
            # A neighbour on the machine may spoil a minute; two in a row are ours.
            for _ in range(2):
                began = time.monotonic()
                before, own = agent.metrics(), []
                while time.monotonic() - began < SECONDS:
                    self.assertEqual(agent.get("/api/health/live", timeout=2).status, 200)
                    own.append(agent.own_kib())
                    time.sleep(0.1)  # the pace of the probes, not a wait for something
                elapsed = time.monotonic() - began
                after = agent.metrics()
                if lateness_quantile(before, after, 0.99) <= 0.05:
                    break

            # The good ones kept their intervals.
            for name, settings in good.items():
                interval = int(settings["interval"][:-2]) / 1000
                runs = (after.value("toiletmon_instance_runs_total", name=name, call="check")
                        - before.value("toiletmon_instance_runs_total", name=name, call="check"))
                self.assertAlmostEqual(runs, elapsed / interval, delta=0.02 * elapsed / interval + 3, msg=name)
                self.assertEqual(agent.check(name)["status"], "pass")
                self.assertEqual(after.value("toiletmon_instance_restarts_total", name=name) or 0, 0)
            self.assertLessEqual(lateness_quantile(before, after, 0.99), 0.05)

            # The agent itself paid nothing: between the floods, which come and go by megabytes, it is as small as it was.
            third = len(own) // 3
            self.assertLess(min(own[-third:]) - min(own[:third]), 2 << 10)
            self.assertLess(len(agent.workers()), len(plugins) + 2)
            for pid in agent.workers():
                state = (lab.pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() + ["?"])[0]
                self.assertNotEqual(state, "Z", f"a zombie: {pid}")

            # Each fault is seen: in the list, as a metric, in the log.
            listed = {row["name"]: row for row in agent.get("/api/v1/plugins").json["instances"]}
            log = agent.log()
            for name in DYING:
                row = listed[name]
                self.assertIn(row["state"], ("degraded", "quarantined", "starting", "ready"), name)
                self.assertGreater(row["restarts"], 0, name)
                self.assertTrue(row["last_error"], name)
                self.assertGreater(after.value("toiletmon_instance_restarts_total", name=name), 0, name)
                self.assertEqual(agent.check(name)["status"], "fail", name)
            for name in UNMADE:
                self.assertIn(listed[name]["state"], ("degraded", "quarantined", "starting"), name)
                self.assertTrue(listed[name]["last_error"], name)
            for name in REFUSED:
                self.assertEqual(listed[name]["state"], "refused", name)
                self.assertTrue(listed[name]["reason"], name)
                self.assertEqual(after.value("toiletmon_instance_up", name=name), 0, name)
                lines = [line for line in log.splitlines() if re.search(rf"\bname={name}\b", line)]
                self.assertEqual(len(lines), 1, (name, lines))
            self.assertIn("0.99, this agent has 0.3", listed["abi_new"]["reason"])

            # Once, not once a second: changes of state, which backoff and quarantine make few.
            for name in DYING + UNMADE + BEARABLE:
                lines = [line for line in log.splitlines() if re.search(rf"\bname={name}\b", line)]
                if name == "log_flood":
                    # Ten of its lines pass the limit, then one in five seconds; a check on the edge of its
                    # time changes beside them.
                    lines = [line for line in lines if "plugin says" in line]
                    self.assertLess(len(lines), 12 + 0.2 * (time.monotonic() - started), lines[-3:])
                else:
                    self.assertLess(len(lines), 25, (name, lines[-3:]))
            self.assertGreater(after.value("toiletmon_instance_log_lines_held_back_total", name="log_flood"), 100)
            self.assertLess(after.value("toiletmon_store_series") or 0, 60000)

            # Stopping all of it takes no longer than it may.
            fds = after.value("process_open_fds")
            agent.write(agent.render(good, fixtures=True))
            self.assertEqual(agent.get("/api/v1/reload", method="POST", timeout=30).status, 200)
            lab.wait_for(lambda: len(agent.workers()) == 2, 15, "the workers of the good ones alone")
            lab.wait_for(lambda: agent.metrics().value("process_open_fds") < fds, 10, "closed descriptors")


if __name__ == "__main__":
    unittest.main()
