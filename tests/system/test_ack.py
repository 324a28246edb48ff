"""Somebody sees to an alert: by the command line, the API and the link that a notification carries."""
import hashlib
import hmac
import json
import re
import signal
import time
import unittest

import lab
from delivery_kit import NOW, Case

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null", "Host": "monitor.example:8443",
        "X-Forwarded-For": "192.0.2.7"}


class Ack(Case):
    def agent(self, receiver, **route):
        plugins = {"hook": {"use": "webhook", "url": receiver.url()}}
        return lab.Agent(**self.text(plugins, [{"to": "hook", **NOW, **route}],
                                     external_url="https://monitor.example:8443/"), until="ready")

    def one(self, agent, title):
        """The alert as the API lists it, or None."""
        alerts = agent.get("/api/v1/alerts").json["alerts"]
        return next((alert for alert in alerts if alert["labels"]["alertname"] == title), None)

    def link(self, agent, title, seconds=60):
        """What a sink is given, made here with the agent's key."""
        key = (agent.state_dir / "ack.key").read_bytes()
        text = f"{self.one(agent, title)['episode']}.{int(time.time()) + seconds:x}"
        mac = hmac.new(key, b"toiletmon ack 1\n" + text.encode(), hashlib.sha256).hexdigest()[:40]
        return f"/ack/{text}.{mac}"

    def test_what_is_acknowledged_is_not_repeated(self):
        receiver = self.receiver()
        with self.agent(receiver, repeat_interval="2s") as agent:
            self.post(agent, "Seen")
            self.post(agent, "Unseen")
            lab.wait_for(lambda: len(receiver.alerts()) >= 2, 10, "both")
            fingerprint = self.one(agent, "Seen")["fingerprint"]
            status, out, err = agent.cli("ack", fingerprint, "--by", "ada", "--comment", "I look into it")
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, rf"^acknowledged: {fingerprint}-[0-9a-f]+-[0-9a-f]+, by ada\n$")
            self.assertIn("acked", agent.cli("alerts")[1])
            before = len(receiver.alerts())
            agent.child.end(signal.SIGKILL)
            agent.start()
            self.assertEqual({**self.one(agent, "Seen")["acknowledged"], "at": ""},
                             {"by": "ada", "comment": "I look into it", "at": ""})
            lab.wait_for(lambda: receiver.alerts()[before:].count(("firing", "Unseen")) >= 2, 20, "repeats of the other")
            self.assertLessEqual(receiver.alerts()[before:].count(("firing", "Seen")), 1)  # one under way
            lab.wait_for(lambda: agent.metrics().value("toiletmon_alerts_acknowledged") == 1, 10, "the metric")
            self.assertEqual(agent.cli("unack", fingerprint)[0], 0)
            before = len(receiver.alerts())
            lab.wait_for(lambda: ("firing", "Seen") in receiver.alerts()[before:], 10, "a repeat again")
            answer = agent.get(f"/api/v1/alerts/{fingerprint}/ack", method="POST")
            self.assertEqual((answer.status, answer.json["acknowledged"], answer.json["by"]), (200, True, ""))
            self.post(agent, "Seen", status="resolved")
            lab.wait_for(lambda: ("resolved", "Seen") in receiver.alerts(), 10, "the end")
            status, _, err = agent.cli("ack", fingerprint)
            self.assertEqual(status, 1)
            self.assertIn("there is no such alert", err)
            self.assertEqual(agent.cli("ack", "../x")[0], 1)
            for body in (b"[]", b"{", b'{"by": 1}', b'{"who": "x"}', b'{"by": "' + b"x" * 129 + b'"}'):
                answer = agent.get("/api/v1/alerts/0/ack", method="POST", body=body)
                self.assertEqual((answer.status, bool(answer.json["error"])), (400, True), body)

    def test_a_link_shows_and_its_button_acts(self):
        receiver = self.receiver()
        with self.agent(receiver) as agent:
            self.assertEqual((agent.state_dir / "ack.key").stat().st_mode & 0o777, 0o600)
            title = "<script>alert(1)</script> \"'&"
            self.post(agent, title, message="<img src=x>")
            lab.wait_for(lambda: receiver.alerts(), 10, "the alert")
            link = self.link(agent, title)
            for method in ("GET", "HEAD", "GET"):
                page = agent.get(link, method=method, headers={"Host": "monitor.example:8443"})
                self.assertEqual(page.status, 200, page.text)
            self.assertNotIn("acknowledged", self.one(agent, title))  # a mail scanner has been here
            self.assertEqual(page.headers["Content-Type"], "text/html; charset=utf-8")
            self.assertIn("form-action 'self'", page.headers["Content-Security-Policy"])
            self.assertNotRegex(page.text, "<script|<img|<style|http")
            self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt; &quot;&#39;&amp;", page.text)
            self.assertIn('<form method="post">', page.text)

            done = agent.get(link, method="POST", headers=FORM, body=b"by=Ada+L%C3%B6v&comment=%3Cb%3E")
            self.assertEqual(done.status, 200, done.text)
            self.assertIn("Acknowledged by Ada Löv", done.text)
            self.assertIn("&lt;b&gt;", done.text)
            self.assertEqual(self.one(agent, title)["acknowledged"]["by"], "Ada Löv")
            again = agent.get(link, method="POST", headers=FORM, body=b"by=Eve")
            self.assertIn("It is acknowledged already by Ada Löv", again.text)
            self.assertNotIn("<form", again.text)
            self.assertEqual(self.one(agent, title)["acknowledged"]["by"], "Ada Löv")

            old, wrong = self.link(agent, title, -1), link[:-1] + ("0" if link[-1] != "0" else "1")
            for bad, status in ((old, 410), (wrong, 404), ("/ack/x", 404), ("/ack/a.b.c", 404)):
                for method in ("GET", "POST"):
                    self.assertEqual(agent.get(bad, method=method, headers=FORM).status, status, bad)
            self.assertEqual(agent.get(link, method="POST", headers=FORM, body=b"by=" + b"x" * 9000).status, 413)
            self.assertEqual(agent.get(link, method="POST", headers=FORM, body=b"by=%FF").status, 400)
            long_name = agent.get(link, method="POST", headers=FORM, body=b"by=" + b"x" * 200)
            self.assertEqual((long_name.status, long_name.headers["Content-Type"]), (400, "text/html; charset=utf-8"))
            self.assertEqual(agent.get(link, headers={"Host": "evil.example"}).status, 421)
            # The link is good for nothing else, and what writes elsewhere still needs its token.
            self.assertEqual(agent.get("/api/v1/alerts/0/ack", method="POST",
                                       headers={"X-Forwarded-For": "192.0.2.7"}).status, 403)
            self.post(agent, title, status="resolved")
            lab.wait_for(lambda: self.one(agent, title) is None, 10, "its end")
            over = agent.get(link)
            self.assertEqual((over.status, "This alert is over" in over.text), (410, True))
            key = (agent.state_dir / "ack.key").read_bytes().hex()
            self.assertFalse(re.search(key + "|" + re.escape(link[5:]), agent.log()))
            self.assertEqual(json.loads(agent.get("/api/v1/alerts").text)["total"], 0)


class Held(Case):
    def agent(self, receiver, route, **rest):
        text = self.text({"hook": {"use": "webhook", "url": receiver.url()}}, [{"to": "hook", **NOW, **route}])
        text["rest"].update(rest)
        return lab.Agent(**text, until="ready")

    def test_a_window_mutes_its_route(self):
        receiver = self.receiver()
        hours = [time.strftime("%H:%M", time.gmtime(time.time() + hour * 3600)) for hour in (-2, 2, -1)]
        window = {"from": hours[0], "to": hours[1]}
        routes = [{"match": {"severity": "critical"}, "maintenance": []}]
        with self.agent(receiver, {"maintenance": [window], "routes": routes}) as agent:
            self.post(agent, "Mute", "warning")
            self.post(agent, "Loud")
            lab.wait_for(lambda: receiver.alerts() == [("firing", "Loud")], 10, "what is critical")
            alerts = {one["labels"]["alertname"]: one for one in agent.get("/api/v1/alerts").json["alerts"]}
            self.assertEqual((alerts["Mute"].get("muted"), alerts["Loud"].get("muted")), (True, None))
            self.assertRegex(agent.cli("alerts")[1], r"warning +maintenance .* Mute")
            lab.wait_for(lambda: agent.metrics().value("toiletmon_alerts_suppressed", reason="maintenance") == 1, 10)
            agent.write(agent.config.read_text().replace('"from"', '"days": ["xyz"], "from"'))
            status, out, err = lab.cli("check", "-c", str(agent.config))
            self.assertEqual(status, 1)
            self.assertIn("'days' takes days of the week", out + err)
            agent.write(agent.config.read_text().replace('"days": ["xyz"], ', "").replace(hours[1], hours[2]))
            agent.reload()
            lab.wait_for(lambda: ("firing", "Mute") in receiver.alerts(), 10, "the end of the window")

    def test_what_flaps_is_one_notice(self):
        receiver = self.receiver()
        with self.agent(receiver, {}, flapping={"changes": 3, "window": "2s"}) as agent:
            for status in ("firing", "resolved", "firing", "resolved", "firing", "resolved"):
                self.post(agent, "Loose contact", status=status)
            flaps = [alert for alert in agent.get("/api/v1/alerts").json["alerts"] if alert.get("flapping")]
            self.assertEqual([flap["status"] for flap in flaps], ["firing"])

            def summaries():
                return [(alert["status"], alert["annotations"].get("summary")) for _, _, document, _ in receiver.came
                        for alert in document["alerts"] if alert["labels"].get("flapping")]
            lab.wait_for(lambda: len(summaries()) == 2, 20, "its begin and its end")
            self.assertEqual(summaries(), [("firing", "Loose contact flaps: 3 changes within 2 s"),
                                           ("resolved", "Loose contact flaps no more: it is resolved now, after 5 changes")])
            lab.wait_for(lambda: agent.get("/api/v1/alerts").json["total"] == 0, 10, "the end of all")
            told = [status for status, name in receiver.alerts() if name == "Loose contact"]
            self.assertEqual(told.count("firing"), told.count("resolved"))


if __name__ == "__main__":
    unittest.main()
