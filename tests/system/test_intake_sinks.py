"""Datadog and Sentry before their far ends, and all four newer sinks in an agent."""
import random
import socket
import time
import unittest

import far_ends
import lab
import sinks
from delivery_kit import NOW, Case
from test_sinks import HOSTILE, MIB, Far, hostile, no_nul

ACK = "http://agent.example:9909/ack?token=t0ken&x=1"
DATADOG = lab.BUILD / "plugins" / "datadog.so"


def one(**more):
    return sinks.notification([sinks.alert(**more)])


class Intakes(Far):
    """What they have in common: one alert each."""

    def setUp(self):
        self.datadog, self.sentry = self.start(far_ends.Datadog()), self.start(far_ends.Sentry())
        self.all = [
            (self.datadog, self.sink("datadog", api_key=self.datadog.key, site=self.datadog.url, tags=["env:prod"]), "Datadog"),
            (self.datadog, self.sink("datadog_check", DATADOG, api_key=self.datadog.key, site=self.datadog.url), "Datadog"),
            (self.sentry, self.sink("sentry", dsn=self.sentry.dsn(), environment="prod", release="shop@1"), "Sentry")]

    def sink(self, component, *file, **settings):
        sink = sinks.Sink(component, *file, **settings)
        sink.__enter__()
        self.addCleanup(sink.__exit__)
        return sink

    def test_hostile_texts_one_by_one(self):
        for text in map(no_nul, HOSTILE):
            alert = sinks.alert(name=text, summary=text, description=text, labels={text: text, "instance": text, "a": text},
                                fingerprint="0" * 16, annotations={text: text, "a" + str(len(text)): text}, ack_url=text, key=text)
            for server, sink, _ in self.all:
                self.taken(sink, server, sinks.notification([alert]), text)
                self.taken(sink, server, sinks.notification(title=text, text=text, group={"a": text}), text)

    def test_hostile_notifications(self):
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for round_ in range(30 if lab.SANITIZED else 120):
            given = hostile(rng)
            given["alerts"] = given["alerts"][:rng.choice([1, 1, 1, 2])]
            for each in given["alerts"]:
                each["key"] = no_nul(rng.choice(HOSTILE))
            for server, sink, _ in self.all:
                self.taken(sink, server, given, f"seed {seed}, round {round_}")

    def test_a_mebibyte(self):
        for text in ("x", "*", '"', "\u202e", "\U0001f6bd", "\u20ac", b"\xff", "\n", "a\n"):
            text = text * (MIB // len(text if isinstance(text, bytes) else text.encode()))
            alert = sinks.alert(name=text, summary=text, description=text, labels={"a": text}, key=text, fingerprint="0" * 16,
                                annotations={f"a{i:02}": text for i in range(3)})
            for server, sink, _ in self.all:
                self.taken(sink, server, sinks.notification([alert], title=text, text=text))
                self.taken(sink, server, sinks.notification(title=text, text=text))

    def test_answers(self):
        cases = [(400, sinks.REJECTED), (401, sinks.REJECTED), (403, sinks.REJECTED), (404, sinks.REJECTED), (408, sinks.RETRY),
                 (413, sinks.REJECTED), (500, sinks.RETRY), (503, sinks.RETRY), (302, sinks.REJECTED)]
        for server, sink, name in self.all:
            secret = server.key if name == "Datadog" else server.public
            for status, rc in cases:
                server.script(far_ends.status(status, f"you sent {secret}", retry_after=3))
                outcome = sink.post(one())
                self.assertEqual((outcome.rc, outcome.retry_after_ms), (rc, 3000 if rc == sinks.RETRY else -1), (name, status))
                self.assertEqual(outcome.message, f"{name} answered {status}: you sent ***")
            server.script(far_ends.status(200, "<html>please log in</html>"))
            self.assertEqual(sink.post(one()).rc, sinks.AMBIGUOUS, name)
            for answer in (far_ends.close(), far_ends.lose()):
                server.script(answer)
                self.assertEqual(sink.post(one()).rc, sinks.AMBIGUOUS)
        for server in (self.datadog, self.sentry):
            server.stop()
        for _, sink, name in self.all:
            outcome = sink.post(one())
            self.assertEqual((outcome.rc, f"{name} did not answer" in outcome.message), (sinks.RETRY, True))


class Datadog(Far):
    def setUp(self):
        self.server = self.start(far_ends.Datadog())

    def test_events_of_an_episode_are_together(self):
        labels = {"alertname": "Disk Full", "severity": "critical", "instance": "web-1", "1st": "x", "Zone": "EU West", "end": "a:"}
        with sinks.Sink("datadog", api_key=self.server.key, site=self.server.url + "/", tags=["env:prod", "Team Ops"]) as sink:
            for severity, firing, kind in ((sinks.CRITICAL, True, "error"), (sinks.WARNING, True, "warning"), (sinks.INFO, True, "info"),
                                           (sinks.CRITICAL, False, "success")):
                got = self.taken(sink, self.server, one(severity=severity, firing=firing, key="k-1", labels=labels, ack_url=ACK))
                self.assertEqual(got.json["alert_type"], kind)
                self.assertEqual(f"[Acknowledge]({ACK})" in got.json["text"], firing)
        self.assertEqual(list(self.server.events), ["k-1"])
        event = self.server.events["k-1"][0]
        self.assertEqual(event["host"], "web-1")
        self.assertEqual(event["tags"], ["source:toiletmon", "env:prod", "team_ops", "alertname:disk_full", "severity:critical",
                                         "instance:web-1", "st:x", "zone:eu_west", "end:a"])
        self.assertNotIn("date_happened", event)  # START_MS is far away from now

    def test_when_it_happened(self):
        now = int(time.time())
        with sinks.Sink("datadog", api_key=self.server.key, site=self.server.url) as sink:
            for seconds, told in ((now - 60, True), (now - 16 * 3600, True), (now - 18 * 3600, False), (now + 3600, False)):
                got = self.taken(sink, self.server, one(starts_ms=seconds * 1000))
                self.assertEqual(got.json.get("date_happened"), seconds if told else None)

    def test_the_state_of_a_check(self):
        with sinks.Sink("datadog_check", DATADOG, api_key=self.server.key, site=self.server.url, check="facility.alert") as sink:
            for severity, firing, status in ((sinks.CRITICAL, True, 2), (sinks.WARNING, True, 1), (sinks.INFO, True, 0),
                                             (sinks.CRITICAL, False, 0)):
                got = self.taken(sink, self.server, one(severity=severity, firing=firing, labels={"alertname": "A", "host": "db-1"}))
                self.assertEqual([(check["status"], check["host_name"]) for check in got.json], [(status, "db-1")])
            self.taken(sink, self.server, one(labels={"alertname": "B"}))
        self.assertEqual(self.server.checks, {
            ("facility.alert", "db-1", ("source:toiletmon", "alertname:a", "host:db-1")): 0,
            ("facility.alert", socket.gethostname(), ("source:toiletmon", "alertname:b")): 2})

    def test_limits_of_rate(self):
        with far_ends.Datadog(limit=1, reset=17) as server, sinks.Sink("datadog", api_key=server.key, site=server.url) as sink:
            self.assertEqual(sink.post(one()).rc, sinks.OK)
            outcome = sink.post(one())
            self.assertEqual((outcome.rc, outcome.retry_after_ms), (sinks.RETRY, 17000))
            for headers, ms in (((), -1), (("X-RateLimit-Reset: x",), -1), (("Retry-After: 20",), 20000),
                                (("Retry-After: 20", "X-RateLimit-Reset: 30"), 30000), (("X-RateLimit-Reset: 1.5",), 2000)):
                server.script(far_ends.status(429, headers=headers))
                self.assertEqual(sink.post(one()).retry_after_ms, ms, headers)

    def test_wrong_key(self):
        with sinks.Sink("datadog", api_key="f" * 32, site=self.server.url) as sink:
            outcome = sink.post(one())
            self.assertEqual((outcome.rc, outcome.message), (sinks.REJECTED, 'Datadog answered 403: {"errors": ["Forbidden: ***"]}'))


class Sentry(Far):
    def setUp(self):
        self.server = self.start(far_ends.Sentry())
        self.sentry = self.sink("sentry", dsn=self.server.dsn(), environment="prod", release="shop@1")

    def test_an_episode_is_an_issue(self):
        for severity, firing, level in ((sinks.CRITICAL, True, "fatal"), (sinks.WARNING, True, "warning"), (sinks.INFO, True, "info"),
                                        (sinks.CRITICAL, False, "info")):
            given = sinks.notification([sinks.alert(severity=severity, firing=firing, ack_url=ACK, description="In full",
                                                    labels={"alertname": "A", "instance": "web-1"},
                                                    annotations={"summary": "s", "runbook_url": "https://wiki.example/r"})],
                                       id=f"n-{severity}-{firing}")
            event = self.taken(self.sentry, self.server, given).json
            self.assertEqual((event["level"], event["server_name"], event["environment"], event["release"]),
                             (level, "web-1", "prod", "shop@1"))
            self.assertEqual(event["message"], "HighMemory: Memory at 93 %" if firing else "Resolved: HighMemory: Memory at 93 %")
            self.assertEqual(event["extra"].get("acknowledge it"), ACK if firing else None)
            self.assertEqual((event["extra"]["in full"], event["extra"]["runbook_url"]), ("In full", "https://wiki.example/r"))
            self.assertEqual(event["timestamp"], "2026-11-23T17:01:49.719Z" if firing else "2026-11-23T17:02:49.719Z")
        self.assertEqual(len(self.server.events), 4)
        self.assertEqual(len({tuple(event["fingerprint"]) for event in self.server.events.values()}), 1)

    def test_one_that_comes_twice_is_one(self):
        self.server.script(far_ends.lose(), far_ends.accept(), far_ends.accept())
        outcomes = [self.sentry.post(sinks.notification([sinks.alert()], id="n-1", attempt=n + 1)).rc for n in range(2)]
        self.assertEqual(outcomes, [sinks.AMBIGUOUS, sinks.OK])
        self.assertEqual((len(self.server.accepted), len(self.server.events)), (2, 1))
        self.assertEqual(self.sentry.post(sinks.notification([sinks.alert()], id="n-2")).rc, sinks.OK)
        self.assertEqual(len(self.server.events), 2)

    def test_limits_of_rate(self):
        minute = 60000
        cases = [(429, None, None, minute), (429, None, 30, 30000), (429, "60:error:organization:quota, 2700:transaction;profile:key", None, minute),
                 (429, "10::organization", None, 10000), (429, "10:error:key, 90:default;error:key, 30::key", None, 90000),
                 (429, "2700:transaction:key", 5, 5000), (429, "2700:transaction:key", None, minute), (429, "x:error:key,,:,7", None, minute),
                 (200, "60:error:organization:quota, 2700:transaction;profile:key", None, minute), (200, "2700:transaction;errors:key", None, -1),
                 (200, "99999999999999999999:error:key", None, 86400000), (200, "0.5:error:key", None, 1000), (200, None, None, -1),
                 (503, "60::key", None, minute), (503, None, 5, 5000), (400, "60::key", None, -1)]
        for status, limits, retry_after, ms in cases:
            headers = () if limits is None else (f"X-Sentry-Rate-Limits: {limits}",)
            self.server.script(far_ends.status(status, '{"id":"0"}', retry_after=retry_after, headers=headers))
            outcome = self.sentry.post(one())
            rc = {200: sinks.OK, 400: sinks.REJECTED}.get(status, sinks.RETRY)
            self.assertEqual((outcome.rc, outcome.retry_after_ms), (rc, ms), (status, limits, retry_after))

    def test_words_of_a_refusal(self):
        self.server.script(far_ends.status(400, "", headers=("X-Sentry-Error: invalid transaction",)))
        self.assertEqual(self.sentry.post(one()).message, "Sentry answered 400: invalid transaction")
        for dsn in (self.server.dsn(key="f" * 32), self.server.dsn(key="f" * 32, secret="5" * 32)):
            with sinks.Sink("sentry", dsn=dsn) as sink:
                outcome = sink.post(one())
                self.assertEqual(outcome.rc, sinks.REJECTED)
                self.assertIn("Sentry answered 401", outcome.message)
                self.assertNotRegex(outcome.message, "ffffffff|55555555")
        with sinks.Sink("sentry", dsn=self.server.dsn(project="43")) as sink:
            self.assertIn("Sentry answered 404", sink.post(one()).message)
        with sinks.Sink("sentry", dsn=self.server.dsn(secret="5" * 32)) as sink:
            self.assertIn("sentry_secret=" + "5" * 32, self.taken(sink, self.server, one()).headers["x-sentry-auth"])


class InAnAgent(Case):
    def test_firing_and_resolve_arrive_at_each(self):
        with far_ends.Discord() as discord, far_ends.Teams() as teams, far_ends.Datadog() as datadog, far_ends.Sentry() as sentry:
            plugins = {"discord": {"use": "discord", "webhook_url": discord.url}, "teams": {"use": "teams", "webhook_url": teams.url},
                       "datadog": {"use": "datadog", "api_key": datadog.key, "site": datadog.url},
                       "states": {"use": "datadog_check", "api_key": datadog.key, "site": datadog.url},
                       "sentry": {"use": "sentry", "dsn": sentry.dsn()}}
            with lab.Agent(**self.text(plugins, [{"to": list(plugins), **NOW}]), until="ready") as agent:
                self.post(agent, "Fire")
                for server, count in ((discord, 1), (teams, 1), (datadog, 2), (sentry, 1)):
                    lab.wait_for(lambda: len(server.accepted) == count, 20, "the firing")
                # Sentry takes the resolve, and says that it takes no more: the next one waits.
                sentry.limits = "600:error:organization:quota"
                self.post(agent, "Fire", status="resolved")
                for server, count in ((discord, 2), (teams, 2), (datadog, 4), (sentry, 2)):
                    lab.wait_for(lambda: len(server.accepted) == count, 20, "the resolve")
                lab.wait_for(lambda: self.sink(agent, "sentry")["attempts"]["delivered"] == 2, 20, "the answer being heard")
                self.post(agent, "Another")
                lab.wait_for(lambda: len(discord.accepted) == 3, 20, "another")
                lab.wait_for(lambda: self.sink(agent, "sentry")["pending"] == 1, 20, "it waits")
                self.assertEqual(self.sink(agent, "sentry")["attempts"], {**self.sink(agent, "sentry")["attempts"], "delivered": 2, "retry": 0})
                self.assertEqual(len(sentry.received), 2)
                for server in (discord, teams, datadog, sentry):
                    self.assertEqual((server.refused, server.complaints), ([], []))
            self.assertEqual([event["level"] for event in sentry.events.values()], ["fatal", "info"])
            self.assertEqual([event["alert_type"] for event in next(iter(datadog.events.values()))], ["error", "success"])


if __name__ == "__main__":
    unittest.main()
