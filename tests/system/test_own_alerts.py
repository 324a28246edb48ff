"""What the agent says of itself: checks that fail, plugins, a state that cannot be written."""
import json
import os
import resource
import signal
import subprocess
import time
import unittest

import lab
from delivery_kit import NOW, Case


class OwnAlerts(Case):
    ROUTES = [{"to": "hook", **NOW}]

    def disk(self, **settings):
        return {"use": "disk", "interval": "200ms", "timeout": "200ms", **settings}

    def test_a_failing_check_is_an_alert_and_its_recovery_ends_it(self):
        receiver = self.receiver()
        hook = {"use": "webhook", "url": receiver.url()}
        failing, well = self.disk(fail_above=0.001, warn_above=0.0001), self.disk()
        with lab.Agent(**self.text({"hook": hook, "disk": failing}, self.ROUTES), until="ready") as agent:
            lab.wait_for(lambda: ("firing", "check failing") in receiver.alerts(), 10, "the alert")
            alert = self.alert(agent, "check failing")
            self.assertEqual(alert["labels"], {"alertname": "check failing", "name": "disk", "severity": "critical"})
            self.assertRegex(alert["annotations"]["summary"], "^disk on .* fails: ")
            # Said once, however often it fails.
            time.sleep(1)  # some rounds of the check
            self.assertEqual(receiver.alerts(), [("firing", "check failing")])
            metrics = agent.metrics()
            self.assertEqual(metrics.value("toiletmon_alerts_received_total", verdict="firing"), 1)
            self.assertFalse(metrics.value("toiletmon_alerts_received_total", verdict="unchanged"))
            # Another severity is another alert.
            self.reload(agent, agent.render({"hook": hook, "disk": {**failing, "affects": "degrade"}},
                                            rest={"routes": self.ROUTES}))
            lab.wait_for(lambda: receiver.alerts()[1:] in ([("resolved", "check failing"), ("firing", "check failing")],
                                                           [("firing", "check failing"), ("resolved", "check failing")]),
                         10, "the one of the other severity")
            self.reload(agent, agent.render({"hook": hook, "disk": well}, rest={"routes": self.ROUTES}))
            lab.wait_for(lambda: len(receiver.alerts("resolved")) == 2, 10, "the end")
            self.assertEqual(len(receiver.alerts("firing")), 2)

    def test_what_fired_before_a_restart_ends_after_it(self):
        receiver = self.receiver()
        hook = {"use": "webhook", "url": receiver.url()}
        agent = lab.Agent(**self.text({"hook": hook, "disk": self.disk(fail_above=0.001, warn_above=0.0001)}, self.ROUTES),
                          until="ready")
        with agent:
            lab.wait_for(lambda: receiver.alerts() == [("firing", "check failing")], 10, "the alert")
            lab.wait_for(lambda: self.sink(agent, "hook")["pending"] == 0, 10, "that it is known to be delivered")
            agent.child.end(signal.SIGKILL)
            agent.write(agent.render({"hook": hook, "disk": self.disk()}, rest={"routes": self.ROUTES}))
            agent.start()
            lab.wait_for(lambda: receiver.alerts() == [("firing", "check failing"), ("resolved", "check failing")], 10, "the end")

    def test_alerts_of_what_is_gone_end(self):
        receiver = self.receiver()
        hook = {"use": "webhook", "url": receiver.url()}
        failing = self.disk(fail_above=0.001, warn_above=0.0001)
        with lab.Agent(**self.text({"hook": hook, "disk": failing, "other": failing}, self.ROUTES), until="ready") as agent:
            lab.wait_for(lambda: len(receiver.alerts("firing")) == 2, 10, "both alerts")
            self.reload(agent, agent.render({"hook": hook, "other": {**failing, "alerts": False}}, rest={"routes": self.ROUTES}))
            lab.wait_for(lambda: len(receiver.alerts("resolved")) == 2, 10, "their ends")

    def test_a_plugin_that_is_quarantined_is_an_alert(self):
        receiver = self.receiver()
        plugins = {"hook": {"use": "webhook", "url": receiver.url()},
                   "crash": {"use": "crash", "interval": "100ms", "timeout": "100ms", "alerts": False}}
        with lab.Agent(**self.text(plugins, self.ROUTES), fixtures=True, until="live") as agent:
            lab.wait_for(lambda: ("firing", "plugin unhealthy") in receiver.alerts(), 60, "the alert")
            alert = self.alert(agent, "plugin unhealthy")
            self.assertEqual(alert["labels"], {"alertname": "plugin unhealthy", "name": "crash", "severity": "warning"})
            self.assertIn("rests for", alert["annotations"]["summary"])
            self.assertIsNone(self.alert(agent, "check failing"))
            self.check_retry(agent)

    def check_retry(self, agent):
        """Somebody who has mended it need not wait for the end of the quarantine."""
        def starts():
            instances = agent.get("/api/v1/plugins").json["instances"]
            return next(one["restarts"] for one in instances if one["name"] == "crash")

        before = starts()
        status, out, _ = agent.cli("plugin", "retry", "crash")
        self.assertEqual((status, out.split(";")[0]), (0, "crash is tried again now"))
        lab.wait_for(lambda: starts() > before, 10, "another start")
        status, out, _ = agent.cli("plugin", "retry", "hook")
        self.assertEqual((status, out), (0, "hook is ready and was not waiting to be tried again\n"))
        status, _, err = agent.cli("plugin", "retry", "crsh")
        self.assertEqual(status, 1)
        self.assertIn("there is no instance 'crsh'; did you mean 'crash'?", err)


class State(Case):
    """A disk that is full in earnest: a small tmpfs of the test's own."""

    def setUp(self):
        self.disk = lab.scratch("disk")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(self.disk)], capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest("nothing can be mounted here")
        self.addCleanup(os.rmdir, self.disk)
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.disk)], check=True)

    def fill(self):
        with open(self.disk / "filler", "ab", buffering=0) as file:
            block = b"x" * 65536
            while block:
                try:
                    file.write(block)
                except OSError:
                    block = block[:len(block) // 2]

    def test_a_full_disk_is_an_alert_all_the_same(self):
        receiver = self.receiver()
        plugins = {"hook": {"use": "webhook", "url": receiver.url()}}
        with lab.Agent(**self.text(plugins, [{"to": "hook", **NOW}], state_dir=str(self.disk / "state")), until="ready") as agent:
            self.fill()
            body = json.dumps({"severity": "info", "title": "Big", "message": "x" * 60000}).encode()
            headers = {"Content-Type": "application/json"}

            def refused():
                return agent.get("/api/v1/alerts", method="POST", headers=headers,
                                 body=body.replace(b"Big", b"Big%d" % time.monotonic_ns())).status == 503
            lab.wait_for(refused, 30, "a refusal")
            lab.wait_for(lambda: ("firing", "state failing") in receiver.alerts(), 20, "the alert about the state")
            check = lab.wait_for(lambda: agent.check("state"), 10, "the check")
            self.assertIn(check["status"], ("warn", "fail"))
            self.assertNotEqual(agent.health()["status"], "healthy")
            (self.disk / "filler").unlink()
            lab.wait_for(lambda: agent.check("state") is None, 30, "health")
            lab.wait_for(lambda: ("resolved", "state failing") in receiver.alerts(), 20, "its end")
            self.post(agent, "Again")
            lab.wait_for(lambda: ("firing", "Again") in receiver.alerts(), 10, "what comes after")


class StateThatFails(Case):
    def test_it_is_told_once_and_directly(self):
        receiver = self.receiver()
        plugins = {"hook": {"use": "webhook", "url": receiver.url()}}
        # A limit on the size of files, of which the signal is ignored, is a disk that takes nothing.
        with lab.Agent(**self.text(plugins, [{"to": "hook", **NOW}]), until="ready",
                       within=["env", "--ignore-signal=XFSZ"]) as agent:
            def limit(size):
                resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

            def told():
                with receiver.lock:
                    return [one for _, _, document, _ in receiver.came for one in document["alerts"]
                            if one["annotations"].get("undurable")]
            # The HTTP worker has to run before: the thread sanitizer writes a file when it starts.
            self.post(agent, "Before")
            lab.wait_for(lambda: ("firing", "Before") in receiver.alerts(), 10, "what comes before")
            limit(0)
            answer = agent.get("/api/v1/alerts", method="POST", body=b'{"severity": "info", "title": "A", "message": "a"}',
                               headers={"Content-Type": "application/json"})
            self.assertEqual(answer.status, 503)
            alert = lab.wait_for(told, 20, "the undurable alert")[0]
            self.assertEqual((alert["status"], alert["labels"]),
                             ("firing", {"alertname": "state failing", "severity": "critical"}))
            self.assertIn("undurably", alert["annotations"]["summary"])
            self.assertEqual(agent.check("state")["status"], "fail")
            self.assertEqual(agent.health()["status"], "unhealthy")
            time.sleep(7)  # the agent tries again to store it; it is not told again meanwhile
            self.assertEqual(len(told()), 1)
            limit(resource.RLIM_INFINITY)
            lab.wait_for(lambda: agent.check("state") is None, 30, "health")
            lab.wait_for(lambda: [one["status"] for one in told()] == ["firing", "resolved"], 20, "its end")
            self.post(agent, "Again")
            lab.wait_for(lambda: ("firing", "Again") in receiver.alerts(), 10, "what comes after")


if __name__ == "__main__":
    unittest.main()
