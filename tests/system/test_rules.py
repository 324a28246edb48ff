"""Rules: our unit tests of them agree with promtool, and an agent evaluates them, over kills and reloads."""
import contextlib
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

import lab

RULES = lab.SOURCE / "tests" / "rules"
# Files that both refuse to load, each in its own words.
LOADING = {"bad_interval_fail", "bad_series_fail", "bad_values_fail", "broken_rules_fail", "hex_fail", "no_alertname_fail",
           "order_twice_fail", "quoted_value_fail", "unknown_key_fail", "bad_sample_fail", "no_files"}


class Promtool(unittest.TestCase):
    """The real promtool beside ours over the same files: the same verdict, and the same words about it."""

    def both(self, path):
        done = []
        for argv in (["promtool", "test", "rules", path.name], [str(lab.BUILD / "toiletmon"), "rules", "test", path.name]):
            done.append(subprocess.run(argv, cwd=path.parent, capture_output=True, text=True, timeout=120, check=False))
        return done

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_verdicts(self):
        files = sorted(RULES.glob("*.test.yml")) + [lab.SOURCE / "etc" / "rules" / "default.test.yml"]
        self.assertGreater(len(files), 25)
        for path in files:
            name = path.name.removesuffix(".test.yml")
            with self.subTest(name):
                theirs, ours = self.both(path)
                self.assertEqual(ours.returncode, theirs.returncode, ours.stderr + theirs.stderr)
                self.assertEqual(theirs.returncode, 1 if name.endswith("_fail") or name == "wrong_for" else 0, theirs.stderr)
                self.assertEqual("SUCCESS" in ours.stdout, "SUCCESS" in theirs.stdout)
                if name not in LOADING:
                    self.assertEqual(ours.stderr, theirs.stderr)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_the_shipped_rules_are_prometheus_s(self):
        done = subprocess.run(["promtool", "check", "rules", str(lab.SOURCE / "etc" / "rules" / "default.yaml")],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_runbooks_are_there(self):
        text = (lab.SOURCE / "etc" / "rules" / "default.yaml").read_text()
        links = re.findall(r"runbook_url: '\{\{ \$externalURL \}\}/runbooks/([a-z-]+)'", text)
        self.assertEqual(len(links), text.count("- alert:"))
        for link in links:
            self.assertTrue((lab.SOURCE / "docs" / "runbooks" / f"{link}.md").exists(), link)


class Rules(unittest.TestCase):
    """An agent whose plugin counts the files of a folder."""

    def setUp(self):
        self.folder = lab.scratch("rules")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def entries(self, count):
        self.folder.mkdir(exist_ok=True)
        for path in self.folder.iterdir():
            path.unlink()
        for number in range(count):
            (self.folder / str(number)).write_text("")

    def agent(self, rules, **more):
        return lab.Agent(text=None, plugins=self.plugins(), rest=self.rest(rules), **more)

    def plugins(self):
        return {"example": {"path": str(self.folder), "interval": "1s", "alerts": False}}

    @staticmethod
    def rest(rules, interval="1s"):
        return {"groups": [{"name": "g", "interval": interval, "rules": rules}]}

    def rewrite(self, agent, rules):
        agent.write(agent.render(self.plugins(), rest=self.rest(rules)))

    @staticmethod
    def rule(agent, name):
        for group in agent.get("/api/v1/rules").json.get("groups", []):
            for rule in group["rules"]:
                if rule["name"] == name:
                    return rule
        return None

    def firing(self, agent, name):
        """The alert as the alerts have it."""
        for alert in agent.get("/api/v1/alerts").json.get("alerts", []):
            if alert["labels"]["alertname"] == name and alert["status"] == "firing":
                return alert
        return None

    def wait_firing(self, agent, name, seconds=20):
        return lab.wait_for(lambda: self.firing(agent, name), seconds, f"{name} firing")

    def wait_over(self, agent, name, seconds=20):
        lab.wait_for(lambda: not self.firing(agent, name), seconds, f"{name} being over")

    def wait_state(self, agent, name, state, seconds=20):
        def there():
            rule = self.rule(agent, name)
            return rule if rule and rule["state"] == state else None
        return lab.wait_for(there, seconds, f"the rule {name} being {state}")

    def test_from_a_value_to_an_alert_and_back(self):
        self.entries(1)
        rules = [{"record": "double", "expr": "example_entries * 2"}, {"record": "alone", "expr": "example_entries + 1"},
                 {"alert": "Many", "expr": "double > 4", "for": "2s", "labels": {"severity": "critical", "n": "{{ $value }}"},
                  "annotations": {"summary": "{{ $value | printf \"%.1f\" }} in {{ $labels.path }}"}}]
        with self.agent(rules) as agent:
            self.wait_state(agent, "Many", "inactive")
            self.assertIsNone(self.firing(agent, "Many"))
            self.entries(3)
            self.wait_state(agent, "Many", "pending")
            alert = self.wait_firing(agent, "Many")
            self.assertEqual(alert["labels"]["severity"], "critical")
            self.assertEqual(alert["labels"]["n"], "6")
            self.assertTrue(alert["annotations"]["summary"].startswith("6.0 in"), alert)
            self.assertEqual(alert["source"], "rule")
            code, output, _ = agent.cli("rules", "list")
            self.assertEqual(code, 0, output)
            self.assertRegex(output, r"g +double +recording")
            self.assertRegex(output, r"g +Many +firing")
            self.assertEqual(agent.cli("rules", "eval", "sum(double) + 1"), (0, "{} 7\n", ""))
            self.assertEqual(agent.cli("rules", "eval", "sum(alone)")[1], "{} 4\n")  # at which no rule looks
            self.assertEqual(agent.cli("rules", "eval", "count(example_size_bytes)")[1], "{} 1\n")
            self.assertRegex(agent.cli("rules", "eval", "ALERTS")[1], r'^ALERTS\{.*alertname="Many".*alertstate="firing".*\} 1\n$')
            code, output, errors = agent.cli("rules", "eval", "rate(example_size_bytes[5m])")
            self.assertEqual((code, output), (0, "(nothing)\n"))
            self.assertIn('there is no past of {__name__="example_size_bytes"} to look at', errors)
            self.assertIn("there is no past of", agent.cli("rules", "eval", "alone offset 5m")[2])
            code, output, errors = agent.cli("rules", "eval", "1 +")
            self.assertEqual(code, 1, output)
            self.assertRegex(errors, r"1:\d+: ")
            code, output, errors = agent.cli("alerts", "explain", "Many")
            self.assertEqual(code, 0, errors)
            for wanted in ("double > 4", "value          6", "severity: critical", "for            2s"):
                self.assertIn(wanted, output)
            self.assertEqual(agent.cli("alerts", "explain", "Nothing")[0], 1)
            self.assertIn("called 'Mny'; did you mean 'Many'?", agent.cli("alerts", "explain", "Mny")[2])
            metrics = agent.metrics()
            self.assertGreater(metrics.value("toiletmon_rules_evaluations_total"), 2)
            self.entries(0)
            self.wait_over(agent, "Many")

    def test_a_kill_in_the_middle_of_a_for(self):
        self.entries(5)
        rules = [{"alert": "Held", "expr": "example_entries > 4", "for": "12s"}]
        with self.agent(rules) as agent:
            self.wait_state(agent, "Held", "pending")
            lab.wait_for(lambda: self.rule(agent, "Held")["alerts"][0]["fires_in_seconds"] <= 6, 20, "half of it")
            agent.child.end(signal.SIGKILL)
            time.sleep(4)  # is not part of the 12 seconds
            agent.start()
            rule = self.wait_state(agent, "Held", "pending")
            left, began = rule["alerts"][0]["fires_in_seconds"], time.monotonic()
            # A crash costs a note's age (1 s here) and what ran since; the time that it was down counts for nothing.
            self.assertGreater(left, 2.5)
            self.assertLess(left, 8.1)
            self.wait_firing(agent, "Held")
            self.assertLess(abs(time.monotonic() - began - left), 2)

    def test_an_orderly_end_costs_a_timer_nothing(self):
        self.entries(5)
        rules = [{"alert": "Held", "expr": "example_entries > 4", "for": "10s"},
                 {"alert": "Kept", "expr": "example_entries > 4", "keep_firing_for": "10s"}]
        with self.agent(rules) as agent:
            self.wait_firing(agent, "Kept")
            lab.wait_for(lambda: self.rule(agent, "Held")["alerts"][0]["fires_in_seconds"] <= 5, 20, "half of it")
            left = self.rule(agent, "Held")["alerts"][0]["fires_in_seconds"]
            agent.stop()
            agent.start()
            again = self.wait_state(agent, "Held", "pending")["alerts"][0]["fires_in_seconds"]
            self.assertLessEqual(abs(left - again), 2.1)
            self.assertIsNotNone(self.firing(agent, "Kept"))
            self.wait_firing(agent, "Held")
            self.entries(0)
            self.wait_over(agent, "Held")
            lab.wait_for(lambda: (self.rule(agent, "Kept")["alerts"][0]["keeps_firing_seconds"] or 99) <= 7, 20, "its timer")
            agent.child.end(signal.SIGKILL)
            agent.start()
            self.wait_state(agent, "Kept", "firing")
            self.assertIsNotNone(self.firing(agent, "Kept"))
            self.wait_over(agent, "Kept")

    def test_a_reload_keeps_timers_and_ends_what_is_gone(self):
        self.entries(5)
        held = {"alert": "Held", "expr": "example_entries > 4", "for": "8s"}
        gone = {"alert": "Gone", "expr": "example_entries > 4"}
        with self.agent([held, gone]) as agent:
            self.wait_firing(agent, "Gone")
            lab.wait_for(lambda: self.rule(agent, "Held")["alerts"][0]["fires_in_seconds"] <= 5, 20, "some of it")
            self.rewrite(agent, [{**held, "expr": "example_entries > 3", "annotations": {"a": "b"}}])
            agent.reload()
            self.wait_over(agent, "Gone")
            self.assertLessEqual(self.rule(agent, "Held")["alerts"][0]["fires_in_seconds"], 5)
            self.wait_firing(agent, "Held", 8)
            # A rule that goes while the agent is down takes its alert along too.
            agent.stop()
            self.rewrite(agent, [gone])
            agent.start()
            self.wait_over(agent, "Held")
            self.wait_firing(agent, "Gone")

    def test_a_bad_rule_changes_nothing(self):
        self.entries(5)
        with self.agent([{"alert": "A", "expr": "example_entries > 4"}]) as agent:
            self.wait_firing(agent, "A")
            self.rewrite(agent, [{"alert": "A", "expr": "example_entries >", "annotations": {"x": "{{ $valu }}"}}])
            code, _, errors = agent.cli("reload")
            self.assertEqual(code, 1)
            self.assertIn("an expression expected", errors)
            self.assertIn("'$valu' is not known here", errors)
            self.assertIsNotNone(self.firing(agent, "A"))
            self.assertEqual(lab.cli("check", "-c", agent.config)[0], 1)

    def test_no_data_is_a_choice(self):
        self.entries(5)
        rules = [{"alert": choice, "expr": "example_entries > 4", "no_data": choice} for choice in ("keep", "resolve", "alert")]
        with self.agent(rules) as agent:
            for choice in ("keep", "resolve", "alert"):
                self.wait_firing(agent, choice)
            shutil.rmtree(self.folder)
            self.wait_over(agent, "resolve", 30)
            self.assertEqual(self.wait_firing(agent, "no data")["labels"]["rule"], "alert")
            self.assertIsNotNone(self.firing(agent, "keep"))
            self.assertIsNotNone(self.firing(agent, "alert"))
            self.entries(0)
            for name in ("keep", "alert", "no data"):
                self.wait_over(agent, name)

    def test_a_rule_that_fails_says_so(self):
        self.entries(5)
        bad = [{"record": "r", "expr": '{__name__=~"example_.*"}'}]
        with self.agent(bad) as agent:
            alert = self.wait_firing(agent, "rules failing")
            self.assertIn("same labelset", alert["annotations"]["summary"])
            self.assertIn("same labelset", self.rule(agent, "r")["error"])
            code, output, _ = agent.cli("rules", "list")
            self.assertEqual(code, 1)
            self.assertIn("same labelset", output)
            self.assertGreater(agent.metrics().value("toiletmon_rules_evaluation_failures_total"), 0)
            self.rewrite(agent, [{"record": "r", "expr": "example_entries"}])
            agent.reload()
            self.wait_over(agent, "rules failing")

    def test_what_nobody_claims_any_more_ends(self):
        self.entries(5)
        rules = [{"alert": "A", "expr": "example_entries > 4"}, {"record": "r", "expr": '{__name__=~"example_.*"}'}]
        with self.agent(rules) as agent:
            self.wait_firing(agent, "A")
            self.wait_firing(agent, "rules failing")
            agent.stop()
            # The row that knows of the alert is lost, and the group that fails is gone.
            with contextlib.closing(sqlite3.connect(agent.state_dir / "state.db")) as database:
                self.assertEqual(database.execute("DELETE FROM rule_state").rowcount, 1)
                database.commit()
            self.entries(0)
            rest = {"groups": [{"name": "other", "interval": "1s", "rules": rules[:1]}]}
            agent.write(agent.render(self.plugins(), rest=rest))
            agent.start()
            self.wait_over(agent, "A")
            self.wait_over(agent, "rules failing")

    def test_a_range_warms_up_once(self):
        self.entries(1)
        rules = [{"alert": "Grows", "expr": "delta(example_entries[8s]) > 0"}]
        with self.agent(rules) as agent:
            self.wait_state(agent, "Grows", "inactive")
            self.assertTrue(self.rule(agent, "Grows")["warming_up"])
            self.entries(4)
            self.wait_firing(agent, "Grows")
            lab.wait_for(lambda: not self.rule(agent, "Grows")["warming_up"], 20, "the range being covered")
            agent.stop()
            self.assertTrue((agent.state_dir / "history").exists())
            agent.start()
            lab.wait_for(lambda: self.rule(agent, "Grows") and self.rule(agent, "Grows")["evaluated_at"], 20, "an evaluation")
            self.assertFalse(self.rule(agent, "Grows")["warming_up"])
            self.wait_over(agent, "Grows", 30)
            agent.stop()
            (agent.state_dir / "history").write_bytes(b"damaged" * 100)
            agent.start()
            agent.wait_log("history of rules from before could not be read")
            lab.wait_for(lambda: self.rule(agent, "Grows") and self.rule(agent, "Grows")["warming_up"], 20, "warming up anew")


if __name__ == "__main__":
    unittest.main()
