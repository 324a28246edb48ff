"""From an alert to the far end, with a real agent: sinks, routes, reloads and ends."""
import json
import time
import unittest

import far_ends
import lab
from delivery_kit import NOW, Case


class Sinks(Case):
    def test_each_sink_is_told_in_its_turn(self):
        first, second = self.receiver(), self.receiver()
        routes = [{"match": {"severity": "critical"}, "to": ["first", "second"], "continue": True, **NOW},
                  {"to": "log", **NOW}]
        plugins = {"first": {"use": "webhook", "url": first.url()}, "second": {"use": "webhook", "url": second.url()}}
        with lab.Agent(**self.text(plugins, routes, external_url="http://agent.example/"), until="ready") as agent:
            self.post(agent, "Fire")
            self.post(agent, "Smoke", "warning")
            for receiver in (first, second):
                lab.wait_for(lambda: receiver.alerts() == [("firing", "Fire")], 10, "the alert")
                document = receiver.came[0][2]
                self.assertEqual((document["receiver"], document["externalURL"]),
                                 ("first" if receiver is first else "second", "http://agent.example/"))
            agent.wait_log('msg="notification" name=log text="firing: Fire')
            agent.wait_log('msg="notification" name=log text="firing: Smoke')
            self.post(agent, "Fire", status="resolved")
            lab.wait_for(lambda: first.alerts() == [("firing", "Fire"), ("resolved", "Fire")], 10, "the end")
            lab.wait_for(lambda: agent.metrics().value("toiletmon_sink_attempts_total", name="first",
                                                       outcome="delivered") == 2, 10)
            metrics = lab.wait_for(lambda: (found := agent.metrics()).value("toiletmon_outbox_pending", name="second")
                                   is not None and found, 10)
            self.assertEqual(metrics.value("toiletmon_sink_duration_seconds_count", name="first"), 2)
            self.assertEqual(metrics.value("toiletmon_outbox_pending", name="second"), 0)
            self.assertIsNone(metrics.value("toiletmon_instance_lateness_seconds", name="first"))

    def test_a_slow_sink_delays_no_other(self):
        slow, quick = self.receiver(), self.receiver()
        slow.delay = 3
        plugins = {"slow": {"use": "webhook", "url": slow.url(), "timeout": "1s"},
                   "quick": {"use": "webhook", "url": quick.url()}}
        with lab.Agent(**self.text(plugins, [{"to": ["slow", "quick"], **NOW}]), until="ready") as agent:
            began = time.monotonic()
            for i in range(20):
                self.post(agent, f"A{i}")
            lab.wait_for(lambda: len(quick.alerts()) == 20, 10, "the quick one's")
            self.assertLess(time.monotonic() - began, 5 * lab.PATIENCE)
            # That nobody answered in time says nothing about what the far end did.
            lab.wait_for(lambda: self.sink(agent, "slow")["attempts"]["ambiguous"] >= 1, 20, "a timeout")
            self.assertEqual(self.sink(agent, "slow")["attempts"]["delivered"], 0)
            agent.expected_exit = 0

    def test_retry_after_holds_for_the_sink(self):
        receiver = self.receiver()
        receiver.answer = lambda n: (429, ("Retry-After: 3",)) if n == 0 else (200, ())
        plugins = {"hook": {"use": "webhook", "url": receiver.url(), "concurrency": 1}}
        with lab.Agent(**self.text(plugins, [{"to": "hook", **NOW}]), until="ready") as agent:
            self.post(agent, "One")
            lab.wait_for(lambda: len(receiver.came) == 1, 10, "the first attempt")
            self.post(agent, "Two")
            lab.wait_for(lambda: sorted(receiver.alerts()) == [("firing", "One"), ("firing", "Two")], 20, "both")
            self.assertGreaterEqual(receiver.came[1][0] - receiver.came[0][0], 2.9)
            self.assertEqual(self.sink(agent, "hook")["attempts"]["retry"], 1)
            ids = [headers.get("x-toiletmon-delivery") for _, _, document, headers in receiver.came
                   if document["alerts"][0]["labels"]["alertname"] == "One"]
            self.assertEqual(len(set(ids)), 1)  # the same notification, by the same name

    def test_wrong_settings_pause_the_sink_and_lose_nothing(self):
        receiver = self.receiver()
        receiver.answer = lambda n: (404, ())
        plugins = {"hook": {"use": "webhook", "url": receiver.url()}}
        routes = [{"match": {"severity": "critical"}, "to": "hook", "continue": True, **NOW}, {"to": "log", **NOW}]
        with lab.Agent(**self.text(plugins, routes), until="ready") as agent:
            self.post(agent, "Fire")
            paused = lab.wait_for(lambda: self.alert(agent, "sink paused"), 20, "the alert about the sink")
            self.assertEqual((paused["labels"]["sink"], paused["labels"]["severity"], paused["source"]),
                             ("hook", "warning", "agent"))
            agent.wait_log('name=log text="firing: sink paused')
            self.assertEqual(self.sink(agent, "hook")["state"], "paused")
            self.assertEqual(self.sink(agent, "hook")["dead"], 0)
            receiver.answer = lambda n: (200, ())
            plugins["hook"]["timeout"] = "9s"  # mended: another setting ends the pause
            self.reload(agent, agent.render(plugins, rest={"routes": routes}))
            lab.wait_for(lambda: ("firing", "Fire") in receiver.alerts(), 20, "what had waited")
            lab.wait_for(lambda: not self.alert(agent, "sink paused") or
                         self.alert(agent, "sink paused")["status"] == "resolved", 20, "the end of the pause")
            # The far end quoted the path: nobody gets to see it.
            everything = agent.log() + agent.get("/api/v1/sinks").text + agent.get("/api/v1/notifications").text + \
                agent.get("/api/v1/alerts").text + agent.get("/api/v1/plugins").text + agent.get("/api/metrics").text
            self.assertNotIn("c4n4ry0fthep4th77", everything)

    def test_a_sink_that_crashes_costs_only_itself(self):
        receiver = self.receiver()
        plugins = {"bad": {"use": "crash_sink"}, "hook": {"use": "webhook", "url": receiver.url()}}
        with lab.Agent(**self.text(plugins, [{"to": ["bad", "hook"], **NOW}]), fixtures=True, until="ready") as agent:
            for i in range(5):
                self.post(agent, f"A{i}")
            lab.wait_for(lambda: len(receiver.alerts()) == 5, 10, "the other's")
            lab.wait_for(lambda: self.sink(agent, "bad")["attempts"]["ambiguous"] >= 1, 20, "a death while it delivered")
            self.assertEqual(self.sink(agent, "bad")["pending"], 5)
            agent.wait_log('instance is not ready.*name=bad')

    def test_many_workers_deliver_at_a_time(self):
        plugins = {"slow": {"use": "slow_sink", "workers": 3}}
        with lab.Agent(**self.text(plugins, [{"to": "slow", **NOW}]), fixtures=True, until="ready") as agent:
            lab.wait_for(lambda: len(agent.workers()) == 3, 10, "three workers")
            for i in range(6):
                self.post(agent, f"A{i}")
            lab.wait_for(lambda: self.sink(agent, "slow")["under_way"] == 3, 10, "three at a time")
            lab.wait_for(lambda: self.sink(agent, "slow")["attempts"]["delivered"] == 6, 20, "all six")
            row = next(one for one in agent.get("/api/v1/plugins").json["instances"] if one["name"] == "slow")
            self.assertEqual((row["state"], row["runs"], row["failures"], row["interval"]), ("ready", 6, 0, None))


class Routes(Case):
    def test_without_a_live_sink_there_is_the_log(self):
        plugins = {"slack": {"use": "slack", "webhook_url": "${SLACK_WEBHOOK_URL}", "enabled_if": "SLACK_WEBHOOK_URL"}}
        routes = [{"match": {"severity": "critical"}, "to": "slack", **NOW}]
        with lab.Agent(**self.text(plugins, routes), until="ready") as agent:
            check = agent.wait_check("routes", "warn")
            self.assertIn('severity="critical"', check["message"])
            self.assertEqual(agent.health()["status"], "degraded")
            self.post(agent, "Fire")
            agent.wait_log('name=log text="firing: Fire')
            self.reload(agent, agent.render(plugins, rest={"routes": []}))
            lab.wait_for(lambda: agent.health()["status"] == "healthy", 10, "health without the route")
            self.assertIsNone(agent.check("routes"))

    def test_check_and_run_agree(self):
        cases = [
            ({"plugins": {"disk": {"use": "disk"}}, "routes": [{"to": "disk"}]}, "'to' names 'disk', which is no sink"),
            ({"plugins": {"log": {"enabled": False}}}, "'log' cannot be turned off"),
            ({"plugins": {"log": {"use": "disk"}}}, "'log' must be a sink"),
            ({"plugins": {"hook": {"use": "webhook", "url": "http://x/", "failover": "disk"}, "disk": {"use": "disk"}}},
             "'failover' names 'disk', which is no sink"),
            ({"plugins": {"state": {"use": "disk"}}}, "a check of the agent's own has this name"),
            ({"plugins": {}, "routes": [{"match": {"a b": "c"}}]}, "'match':"),
            ({"plugins": {"hook": {"use": "webhook"}}}, "the setting 'url' is missing"),
            ({"plugins": {"hook": {"use": "webhook", "url": "${NOPE}"}}}, "enabled_if: [NOPE]"),
            ({"plugins": {"hook": {"use": "webhook", "url": "http://x/", "body": "[{{#alerts}}{}{{/alerts}}]"}}},
             'instance "hook": body: of 2 alerts'),
            ({"plugins": {"hook": {"use": "webhook", "url": "http://x/", "body": "{{#alerts}}"}}}, 'instance "hook": body: 1:'),
            ({"plugins": {"pager": {"use": "pagerduty", "routing_key": "hush"}}}, 'instance "pager": routing_key: an integration'),
        ]
        for whole, words in cases:
            agent = lab.Agent(until=None)
            self.addCleanup(agent.remove)
            agent.write(json.dumps({"agent": {"listen": f"127.0.0.1:{agent.port}", "state_dir": str(agent.state_dir)}, **whole}))
            status, _, errors = lab.cli("check", "-c", agent.config, env=agent.env)
            self.assertEqual(status, 1, errors)
            self.assertIn(words, errors)
            self.assertRegex(errors, r"toiletmon\.yaml:1:\d+: ")
            agent.start()
            self.assertNotEqual(agent.child.wait(20), 0)
            self.assertIn(words, agent.log())

    def test_a_body_of_ones_own(self):
        receiver = self.receiver()
        plugins = {"hook": {"use": "webhook", "url": receiver.url(),
                            "body": '{"say": "{{title}}", "alerts": [{{#alerts}}{"status": "{{status}}", "labels": '
                                    '{"alertname": "{{name}}"}}{{^last}},{{/last}}{{/alerts}}]}'}}
        with lab.Agent(**self.text(plugins, [{"to": "hook", **NOW}]), until="ready") as agent:
            self.post(agent, 'Fire "now"\\')
            lab.wait_for(lambda: receiver.alerts() == [("firing", 'Fire "now"\\')], 10, "the alert")
            self.assertEqual(list(receiver.came[0][2]), ["say", "alerts"])

    def test_pagers_are_told_of_each_alert_and_of_its_end(self):
        pagerduty, opsgenie = far_ends.PagerDuty(), far_ends.Opsgenie()
        plugins = {"pagerduty": {"use": "pagerduty", "routing_key": pagerduty.routing_key, "url": pagerduty.url},
                   "opsgenie": {"use": "opsgenie", "api_key": opsgenie.key, "api_url": opsgenie.url}}
        routes = [{"to": ["pagerduty", "opsgenie"], **NOW, "group_by": []}]
        with pagerduty, opsgenie, lab.Agent(**self.text(plugins, routes), until="ready") as agent:
            opsgenie.script(far_ends.status(429, headers=("X-RateLimit-State: THROTTLED", "X-RateLimit-Period-In-Sec: 2")))
            self.post(agent, "Fire")
            lab.wait_for(lambda: self.sink(agent, "opsgenie")["attempts"]["retry"] == 1, 20, "its refusal")
            self.post(agent, "Smoke")
            for far in (pagerduty, opsgenie):
                lab.wait_for(lambda: len(far.incidents) == 2, 20, "two incidents")
            [key] = [key for key, thing in pagerduty.incidents.items() if thing["summary"].startswith("Fire")]
            self.assertEqual(agent.get(f"/api/v1/alerts/{key}/ack", method="POST").status, 200)
            for far in (pagerduty, opsgenie):
                lab.wait_for(lambda: far.acknowledged == [key], 20, "the acknowledgement")
            self.post(agent, "Fire", status="resolved")
            for far in (pagerduty, opsgenie):
                lab.wait_for(lambda: len(far.closed) == 1, 20, "the end of one")
                self.assertEqual((far.acknowledged, far.closed), ([key], [key]))
                self.assertEqual((len(far.incidents), far.refused, far.complaints), (1, [], []))
            self.assertEqual({thing["summary"] for thing in pagerduty.incidents.values()}, {"Smoke: Smoke happened"})
            came = [one.at for one in opsgenie.received]
            self.assertGreaterEqual(came[1] - came[0], 1.9)  # the whole sink waits as long as Opsgenie said


class Ends(Case):
    def test_the_end_waits_for_what_is_under_way(self):
        receiver = self.receiver()
        receiver.delay = 2
        plugins = {"hook": {"use": "webhook", "url": receiver.url(), "concurrency": 2}}
        agent = lab.Agent(**self.text(plugins, [{"to": "hook", **NOW}]), until="ready")
        with agent:
            for i in range(4):
                self.post(agent, f"A{i}")
            lab.wait_for(lambda: self.sink(agent, "hook")["under_way"] == 2, 10, "two under way")
            self.assertEqual(agent.stop(), 0)
            self.assertEqual(len(receiver.alerts()), 2)
            receiver.delay = 0
            agent.start()
            lab.wait_for(lambda: len(receiver.alerts()) == 4, 20, "the others")
            time.sleep(1)  # nothing comes twice
            self.assertEqual(sorted(name for _, name in receiver.alerts()), ["A0", "A1", "A2", "A3"])

    def test_a_far_end_that_hangs_does_not_hold_up_the_end(self):
        receiver = self.receiver()
        receiver.delay = 60
        plugins = {"hook": {"use": "webhook", "url": receiver.url(), "timeout": "1h"}}
        with lab.Agent(**self.text(plugins, [{"to": "hook", **NOW}]), until="ready") as agent:
            self.post(agent, "Fire")
            lab.wait_for(lambda: self.sink(agent, "hook")["under_way"] == 1, 10, "the attempt")
            began = time.monotonic()
            self.assertEqual(agent.stop(), 0)
            self.assertLess(time.monotonic() - began, 10)
            agent.start()  # it is known that it may have arrived
            lab.wait_for(lambda: self.sink(agent, "hook")["pending"] == 1, 10, "what was cut off")

    def test_a_reload_lets_end_what_is_under_way(self):
        receiver = self.receiver()
        receiver.delay = 1.5
        plugins = {"hook": {"use": "webhook", "url": receiver.url()}}
        routes = [{"to": "hook", **NOW}]
        with lab.Agent(**self.text(plugins, routes), until="ready") as agent:
            for i in range(12):
                self.post(agent, f"A{i}")
            lab.wait_for(lambda: self.sink(agent, "hook")["under_way"] == 8, 10, "the attempts")
            plugins["hook"]["timeout"] = "9s"
            self.reload(agent, agent.render(plugins, rest={"routes": routes}))
            lab.wait_for(lambda: len(receiver.alerts()) == 12, 20, "all of them")
            lab.wait_for(lambda: self.sink(agent, "hook")["pending"] == 0, 10)
            self.assertEqual(len(receiver.alerts()), 12)  # none of them twice
            self.assertEqual(self.sink(agent, "hook")["attempts"]["ambiguous"], 0)

    def test_a_sink_that_leaves_is_parked_and_adopted(self):
        receiver = self.receiver()
        receiver.answer = lambda n: (503, ())
        plugins = {"hook": {"use": "webhook", "url": receiver.url()}}
        routes = [{"to": "hook", **NOW}]
        with lab.Agent(**self.text(plugins, routes), until="ready") as agent:
            self.post(agent, "Fire")
            lab.wait_for(lambda: receiver.came, 10, "an attempt")
            self.reload(agent, agent.render({}, rest={"routes": []}))
            lab.wait_for(lambda: self.sink(agent, "hook")["state"] == "parked", 10, "the parking")
            receiver.answer = lambda n: (200, ())
            self.reload(agent, agent.render(plugins, rest={"routes": routes}))
            lab.wait_for(lambda: receiver.alerts() == [("firing", "Fire")], 20, "its delivery")


if __name__ == "__main__":
    unittest.main()
