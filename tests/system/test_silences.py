"""Silences and inhibition with a real agent: held back, told, killed in between, over HTTP and from the shell."""
import json
import signal
import threading
import unittest

import lab
import web

RULES = [{"source_matchers": ["alertname=Down"], "target_matchers": ["alertname=~Slow.*"], "equal": ["host"]}]


class Case(unittest.TestCase):
    def setUp(self):
        self.lock, self.came, self.markers = threading.Lock(), [], 0
        self.web = web.Web({"/": self.take})
        self.web.__enter__()
        self.addCleanup(self.web.__exit__, None, None, None)

    def take(self, request):
        with self.lock:
            self.came += [("+" if alert["status"] == "firing" else "-") + alert["labels"]["alertname"]
                          for alert in json.loads(request.body)["alerts"]]
        return web.answer(200, b"")

    def agent(self, rules=()):
        routes = [{"to": ["hook"], "group_by": ["..."], "group_wait": "0s", "group_interval": "10ms", "repeat_interval": "4h"}]
        return lab.Agent(plugins={"hook": {"use": "webhook", "url": self.web.url("/")}},
                         rest={"routes": routes, "inhibit_rules": list(rules)}, until="ready")

    def ask(self, agent, method, path, document=None):
        body = json.dumps(document).encode() if document is not None else None
        return agent.get(path, method=method, body=body, headers={"Content-Type": "application/json"} if body else {})

    def fire(self, agent, *names, status="firing", host="db-1"):
        alerts = [{"title": name, "severity": "warning", "status": status, "labels": {"host": host}} for name in names]
        answer = self.ask(agent, "POST", "/api/v1/alerts", alerts)
        self.assertEqual(answer.status, 200, answer.text)

    def resolve(self, agent, *names):
        self.fire(agent, *names, status="resolved")

    def silence(self, agent, *matchers, **more):
        answer = self.ask(agent, "POST", "/api/v1/silences", {"matchers": list(matchers), "duration": "1h", **more})
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json["id"]

    def told(self, agent, *wanted):
        """These came, in whatever order, and nothing else: a last one goes the same way behind them."""
        self.markers += 1
        marker = f"Marker{self.markers}"
        self.fire(agent, marker, host="none")
        lab.wait_for(lambda: all(name in self.came for name in [f"+{marker}", *wanted]), 20, f"{wanted} in {self.came}")
        with self.lock:
            came, self.came = self.came, []
        self.assertEqual(sorted(name for name in came if "Marker" not in name), sorted(wanted))

    def kill(self, agent):
        agent.child.end(signal.SIGKILL)
        agent.start()

    def shown(self, agent, name):
        alert, = agent.get(f"/api/v1/alerts?name={name}").json["alerts"]
        return alert


class Silences(Case):
    def test_held_back_until_it_ends(self):
        with self.agent() as agent:
            self.fire(agent, "A")
            self.told(agent, "+A")
            name = self.silence(agent, 'host="db-1"', "alertname=~[A-C]", comment="quiet", created_by="me")
            self.fire(agent, "B", "C", "D")
            self.told(agent, "+D")
            self.assertEqual(self.shown(agent, "B")["silenced_by"], [name])
            self.assertEqual(self.shown(agent, "D")["silenced_by"], [])
            self.kill(agent)
            self.fire(agent, "B")
            self.resolve(agent, "A", "C")
            self.told(agent, "-A")  # nobody had heard of C
            found = agent.get(f"/api/v1/silences/{name}").json
            self.assertEqual((found["state"], found["comment"], found["created_by"]), ("active", "quiet", "me"))
            self.assertEqual(found["matchers"], ['host="db-1"', 'alertname=~"[A-C]"'])
            self.assertEqual(self.ask(agent, "DELETE", f"/api/v1/silences/{name}").status, 200)
            self.told(agent, "+B")
            answer = self.ask(agent, "DELETE", f"/api/v1/silences/{name}")
            self.assertEqual((answer.status, answer.json["error"]), (409, "it has ended already"))
            metrics = agent.get("/api/metrics").text
            self.assertIn('toiletmon_silences{state="expired"} 1', metrics)

    def test_what_is_refused(self):
        with self.agent() as agent:
            for document, field, error in [
                    ({"matchers": ["a=b"]}, "ends_at", "must say how long"),
                    ({"matchers": [], "duration": "1h"}, "matchers", "must be a list"),
                    ({"matchers": ["a"], "duration": "1h"}, "matchers[0]", "is no matcher"),
                    ({"matchers": ["a=b", "c=~("], "duration": "1h"}, "matchers[1]", "regular expression"),
                    ({"matchers": ["a=~.*"], "duration": "1h"}, None, "would silence everything"),
                    ({"matchers": ["a=b"], "duration": "soon"}, "duration", "must be a duration"),
                    ({"matchers": ["a=b"], "duration": "1h", "coment": "x"}, None, "did you mean 'comment'"),
                    ({"matchers": ["a=b"], "ends_at": "2020-01-01T00:00:00Z"}, None, "in the past"),
                    ({"matchers": ["a=b"], "duration": "1h", "comment": "x" * 4097}, None, "4096"),
                    ([], None, "must be an object")]:
                answer = self.ask(agent, "POST", "/api/v1/silences", document)
                self.assertEqual((answer.status, answer.json.get("field")), (400, field), answer.text)
                self.assertIn(error, answer.json["error"])
            answer = self.ask(agent, "POST", "/api/v1/silences", {"id": "x", "matchers": ["a=b"], "duration": "1h"})
            self.assertEqual(answer.status, 404)
            self.assertEqual(agent.get("/api/v1/silences/nothing").status, 404)
            self.assertEqual(agent.get("/api/v1/silences?state=gone").status, 400)
            self.assertEqual(agent.get("/api/v1/silences?state=all").json, {"silences": []})

    def test_from_the_shell(self):
        with self.agent(RULES) as agent:
            status, out, err = agent.cli("silence", "add", "Noise", "host=~db.*", "-d", "2h", "-m", "a disk", env={"USER": "ina"})
            self.assertEqual((status, err), (0, ""))
            name = out.strip()
            self.fire(agent, "Noise", "Down", "Slow")
            self.told(agent, "+Down")
            self.assertRegex(agent.cli("silence", "list")[1],
                             rf'(?m)^{name} +active +ends in 1h59m +alertname="Noise", host=~"db\.\*" +ina +a disk')
            alerts = agent.cli("alerts")[1]
            self.assertRegex(alerts, r"(?m)^warning +silenced .* Noise ")
            self.assertRegex(alerts, r"(?m)^warning +inhibited .* Slow ")
            self.assertRegex(agent.cli("alerts", "explain", "Noise")[1], rf"silenced by +{name}, until .*, by ina: a disk")
            self.assertRegex(agent.cli("alerts", "explain", "Slow")[1], r"inhibited by +[0-9a-f]{16}, Down ")
            self.assertEqual(agent.cli("silence", "edit", name, "-m", "two disks", "-d", "3h"), (0, name + "\n", ""))
            found = json.loads(agent.cli("silence", "show", name, "--json")[1])
            self.assertEqual((found["comment"], found["created_by"]), ("two disks", "ina"))
            status, other, err = agent.cli("silence", "edit", name, "Noise")
            self.assertEqual((status, err), (0, ""))
            self.assertNotEqual(other.strip(), name)
            self.assertEqual(agent.cli("silence", "list", "-q")[1], other)
            self.assertEqual(len(agent.cli("silence", "list", "-q", "--all")[1].split()), 2)
            self.assertEqual(agent.cli("silence", "expire", other.strip()), (0, f"expired: {other}", ""))
            self.told(agent, "+Noise")
            status, out, err = agent.cli("silence", "expire", name, "nothing")
            self.assertEqual((status, out), (1, ""))
            self.assertIn("it has ended already", err)
            self.assertIn("there is no silence with that id", err)
            self.assertEqual(agent.cli("silence", "add", "a=b", "-d", "x")[0], 2)
            self.assertEqual(agent.cli("silence", "add", "a=~.*")[0], 1)


class Inhibition(Case):
    def test_from_the_first_moment(self):
        with self.agent(RULES) as agent:
            self.fire(agent, "Down")
            self.told(agent, "+Down")
            self.fire(agent, "Slow1", "Slow2")
            self.fire(agent, "Slow3", host="db-2")
            self.told(agent, "+Slow3")
            self.assertEqual(self.shown(agent, "Slow1")["inhibited_by"], [self.shown(agent, "Down")["fingerprint"]])
            for _ in range(2):
                self.kill(agent)
                self.told(agent)
            agent.reload()
            agent.wait_log("configuration")
            self.told(agent)
            self.resolve(agent, "Slow2")
            self.resolve(agent, "Down")
            self.told(agent, "-Down", "+Slow1")
            metrics = agent.get("/api/metrics").text
            self.assertIn('toiletmon_alerts_suppressed{reason="inhibited"} ', metrics)
