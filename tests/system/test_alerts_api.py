"""Alerts, notifications and sinks over HTTP and from the shell, with a real agent and a webhook that listens."""
import json
import re
import signal
import threading
import unittest

import lab
import web

SEED = {"severity": "critical", "title": "Database connection failed",
        "message": "Unable to connect to primary database", "metadata": {"endpoint": "supabase", "retries": 3}}


class Receiver:
    """A webhook that answers as `status` says, and keeps what came."""

    def __init__(self):
        self.status, self.lock, self.came = 200, threading.Lock(), []
        self.web = web.Web({"/": self.take})

    def take(self, request):
        with self.lock:
            self.came.append(json.loads(request.body))
        return web.answer(self.status, b"as told")

    def __enter__(self):
        self.web.__enter__()
        return self

    def __exit__(self, *_):
        self.web.__exit__(*_)

    def titles(self, status="firing"):
        with self.lock:
            return [alert["labels"]["alertname"] for document in self.came for alert in document["alerts"]
                    if alert["status"] == status]


class Case(unittest.TestCase):
    def agent(self, receiver=None, **kwargs):
        rest = {"routes": [{"to": ["hook"], "group_by": ["..."], "group_wait": "0s", "group_interval": "100ms",
                            "repeat_interval": "4h"}]} if receiver else {}
        plugins = {"hook": {"use": "webhook", "url": receiver.web.url("/")}} if receiver else {}
        return lab.Agent(plugins=plugins, rest=rest, until="ready", **kwargs)

    def post(self, agent, document, path="/api/v1/alerts"):
        body = json.dumps(document).encode()
        return agent.get(path, method="POST", body=body, headers={"Content-Type": "application/json"})

    def put(self, agent, document):
        answer = self.post(agent, document)
        self.assertEqual(answer.status, 200, answer.text)
        return [result["alert"] for result in answer.json["results"]]

    def alerts(self, agent, query=""):
        answer = agent.get("/api/v1/alerts" + query)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json["alerts"]

    def notifications(self, agent, query=""):
        return agent.get("/api/v1/notifications" + query).json["notifications"]

    def wait_state(self, agent, state, n=1):
        return lab.wait_for(lambda: (rows := self.notifications(agent, f"?state={state}")) and len(rows) == n and rows,
                            20, f"{n} {state}")

    def sink(self, agent, name="hook"):
        return {sink["name"]: sink for sink in agent.get("/api/v1/sinks").json["sinks"]}[name]


class Life(Case):
    def test_the_seeds_alert(self):
        with Receiver() as receiver, self.agent(receiver) as agent:
            self.assertEqual(self.put(agent, SEED), ["firing"])
            alert, = self.alerts(agent)
            self.assertEqual((alert["status"], alert["severity"], alert["source"]), ("firing", "critical", "api"))
            self.assertEqual(alert["labels"], {"alertname": SEED["title"], "severity": "critical"})
            self.assertEqual(alert["annotations"], {"message": SEED["message"], "endpoint": "supabase", "retries": "3"})
            lab.wait_for(lambda: receiver.titles() == [SEED["title"]], 20, "the notification")
            row, = self.wait_state(agent, "delivered")
            shown = agent.get(f"/api/v1/notifications/{row['id']}").json
            self.assertEqual(shown["alerts"][0]["fingerprint"], alert["fingerprint"])
            self.assertEqual(self.put(agent, {**SEED, "status": "resolved"}), ["resolved"])
            lab.wait_for(lambda: receiver.titles("resolved") == [SEED["title"]], 20, "the resolve")
            lab.wait_for(lambda: self.alerts(agent) == [], 20, "its end")

    def test_verdicts(self):
        with self.agent() as agent:
            other = {**SEED, "key": "other", "message": "x"}
            self.assertEqual(self.put(agent, [SEED, SEED, {**SEED, "message": "again"}, other]),
                             ["firing", "unchanged", "updated", "firing"])
            self.assertEqual(self.put(agent, {**SEED, "status": "resolved", "severity": "warning"}), ["not_firing"])
            self.assertEqual(self.put(agent, {**SEED, "status": "resolved"}), ["resolved"])
            answer = self.post(agent, [SEED, {"title": "no severity"}])
            self.assertEqual(answer.status, 207)
            self.assertEqual([r["status"] for r in answer.json["results"]], ["accepted", "rejected"])
            received = lambda verdict: agent.metrics().value("toiletmon_alerts_received_total", verdict=verdict)  # noqa: E731
            self.assertEqual(received("rejected"), 1)
            self.assertGreaterEqual(received("updated"), 1)
            self.assertEqual(agent.metrics().value("toiletmon_alerts", state="firing", severity="critical"), 2)

    def test_it_expires(self):
        with Receiver() as receiver, self.agent(receiver) as agent:
            self.put(agent, {**SEED, "ttl": 1})
            lab.wait_for(lambda: receiver.titles("resolved") == [SEED["title"]], 20, "the resolve")
            self.assertEqual(self.put(agent, {**SEED, "status": "resolved"}), ["not_firing"])

    def test_what_was_answered_survives_a_kill(self):
        with self.agent() as agent:
            for i in range(20):
                self.put(agent, {**SEED, "key": f"k{i}"})
            agent.child.end(signal.SIGKILL)
            agent.start()
            self.assertEqual({alert["labels"]["key"] for alert in self.alerts(agent)}, {f"k{i}" for i in range(20)})
            self.assertEqual(self.put(agent, {**SEED, "key": "k7"}), ["unchanged"])

    def test_a_batch(self):
        with self.agent() as agent:
            batch = [{**SEED, "key": f"k{i}", "message": "m" * 100} for i in range(5000)]
            self.assertEqual(self.put(agent, batch), ["firing"] * 5000)
            answer = agent.get("/api/v1/alerts?limit=10").json
            self.assertEqual((len(answer["alerts"]), answer["total"]), (10, 5000))
            started = [alert["starts_at"] for alert in agent.get("/api/v1/alerts?limit=5000").json["alerts"]]
            self.assertEqual(started, sorted(started, reverse=True))
            self.assertEqual(self.put(agent, batch[:100]), ["unchanged"] * 100)

    def test_filters(self):
        with self.agent() as agent:
            self.put(agent, [{"title": "a", "severity": "info", "labels": {"host": "db-1"}},
                             {"title": "a", "severity": "critical", "labels": {"host": "db-2"}},
                             {"title": "b", "severity": "critical", "labels": {"host": "web"}}])
            hosts = lambda query: sorted(alert["labels"]["host"] for alert in self.alerts(agent, query))  # noqa: E731
            self.assertEqual(hosts("?severity=critical"), ["db-2", "web"])
            self.assertEqual(hosts("?name=a"), ["db-1", "db-2"])
            self.assertEqual(hosts("?filter=host%3D~%22db.*%22"), ["db-1", "db-2"])
            self.assertEqual(hosts("?filter=host%3D~%22db.*%22&filter=severity!%3Dinfo"), ["db-2"])
            self.assertEqual(hosts("?filter=host!%3Dweb&name=a&severity=info&status=firing"), ["db-1"])
            self.assertEqual(hosts("?status=resolved"), [])


class Mending(Case):
    def test_dead_letters(self):
        with Receiver() as receiver, self.agent(receiver) as agent:
            receiver.status = 400
            self.put(agent, [{**SEED, "key": str(i)} for i in range(5)])
            rows = self.wait_state(agent, "dead", 5)
            self.assertIn("400", rows[0]["reason"])
            status, out, _ = agent.cli("outbox", "list")
            self.assertEqual(status, 0)
            self.assertEqual(len(re.findall(r"(?m)^ *\d+ +hook +dead ", out)), 5)
            status, out, _ = agent.cli("outbox", "show", rows[0]["id"])
            self.assertEqual(status, 0)
            self.assertIn("annotations.retries: 3\n", out)
            receiver.status = 200
            self.assertEqual(agent.cli("outbox", "drop", rows[0]["id"]), (0, f"dropped: {rows[0]['id']}\n", ""))
            self.assertEqual(agent.cli("outbox", "retry", rows[1]["id"])[0], 0)
            self.wait_state(agent, "delivered")
            self.assertEqual(agent.cli("outbox", "retry", "--all-dead", "--sink", "nobody")[1], "queued again: 0\n")
            self.assertEqual(agent.cli("outbox", "retry", "--all-dead", "--sink", "hook")[1], "queued again: 3\n")
            self.wait_state(agent, "delivered", 4)
            status, out, err = agent.cli("outbox", "drop", rows[1]["id"])
            self.assertEqual((status, out), (1, ""))
            self.assertIn("ended already", err)
            self.assertEqual(self.notifications(agent, "?state=dead"), [])
            self.assertEqual(len(json.loads(agent.cli("outbox", "list", "--all", "--json")[1])["notifications"]), 5)
            # it is all still there, and verifies, after a restart
            agent.stop()
            agent.start()
            self.assertEqual(len(self.notifications(agent)), 5)
            self.assertEqual(agent.metrics().value("toiletmon_state_lost_rows_total"), 0)

    def test_a_paused_sink(self):
        with Receiver() as receiver, self.agent(receiver) as agent:
            receiver.status = 401
            self.put(agent, SEED)
            lab.wait_for(lambda: self.sink(agent)["state"] == "paused", 20, "the pause")
            self.assertEqual(self.notifications(agent, "?state=dead"), [])
            self.assertRegex(agent.cli("sinks", "list")[1], r"(?m)^hook +paused +1 ")
            status, out, err = agent.cli("sinks", "test", "hook")
            self.assertEqual((status, out), (1, ""))
            self.assertIn("401", err)
            answer = self.post(agent, None, "/api/v1/sinks/hook/test")
            self.assertEqual((answer.status, answer.json["result"], answer.json["status"]), (502, "paused", 401))
            receiver.status = 200
            status, out, err = agent.cli("sinks", "test", "hook")
            self.assertEqual((status, err), (0, ""))
            self.assertIn("hook has taken the test (HTTP status 200", out)
            self.wait_state(agent, "delivered")  # the pause has ended
            self.assertEqual(self.sink(agent)["state"], "well")
            self.assertIn("Test of toiletmon", receiver.titles())

    def test_resume(self):
        with Receiver() as receiver, self.agent(receiver) as agent:
            receiver.status = 404
            self.put(agent, SEED)
            lab.wait_for(lambda: self.sink(agent)["state"] == "paused", 20, "the pause")
            receiver.status = 200
            self.assertEqual(agent.cli("sinks", "resume", "hook"), (0, "hook goes on\n", ""))
            self.wait_state(agent, "delivered")

    def test_what_is_not_there(self):
        with self.agent() as agent:
            for command in (["outbox", "show", "4711"], ["outbox", "retry", "4711"], ["outbox", "drop", "4711"],
                            ["sinks", "resume", "nobody"], ["sinks", "test", "nobody"]):
                status, out, err = agent.cli(*command)
                self.assertEqual((status, out), (1, ""), command)
                self.assertTrue(err.startswith("toiletmon: "), err)


class Shell(Case):
    def test_send_and_list(self):
        with self.agent() as agent:
            self.assertEqual(agent.cli("alerts"), (0, "No alerts.\n", ""))
            status, out, err = agent.cli("alerts", "send", "Disk full", "-s", "critical", "-m", "only 3 % left", "-k", "k1",
                                         "-l", "host=db-1", "-d", "path=/var", "--ttl", "2h")
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, "^accepted: firing, fingerprint [0-9a-f]{16}\n$")
            status, out, err = agent.cli("alerts")
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"(?m)^critical  firing +\d+s  Disk full  host=db-1, key=k1  .*  only 3 % left$")
            alert, = json.loads(agent.cli("alerts", "--json", "--severity", "critical", "-f", "host=~db.*")[1])["alerts"]
            self.assertEqual(alert["annotations"], {"message": "only 3 % left", "path": "/var"})
            self.assertIn("no such alert", agent.cli("alerts", "--resolved", "--name", "Disk full")[1])
            status, out, _ = agent.cli("alerts", "send", "Disk full", "-s", "critical", "-k", "k1", "-l", "host=db-1", "-r")
            self.assertEqual(status, 0)
            self.assertIn("accepted: resolved", out)
            status, out, err = agent.cli("alerts", "send", "Disk full", "-s", "crtical")
            self.assertEqual((status, out), (1, ""))
            self.assertIn("did you mean 'critical'?", err)
            self.assertIn("labels.a-b: the name of a label", agent.cli("alerts", "send", "x", "-s", "info", "-l", "a-b=c")[2])
            self.assertEqual(agent.cli("alerts", "-f", "nonsense")[0], 1)

    def test_titles_do_not_reach_the_terminal_raw(self):
        with self.agent() as agent:
            self.put(agent, {"title": "\x1b[31m\u202etxt\u009b2J\n", "severity": "info", "message": "\x07"})
            out = agent.cli("alerts")[1]
            for character in "\x1b\u202e\u009b\x07":
                self.assertNotIn(character, out)
            self.assertEqual(out.count("\n"), 2)


if __name__ == "__main__":
    unittest.main()
