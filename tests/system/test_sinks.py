"""The sinks before their far ends: what they send is taken whatever an alert says, what comes back is understood.

Here a sink runs under the mock host, so that texts may be what no agent would let through.
"""
import random
import unittest

import far_ends
import lab
import sinks

MIB = 1 << 20
HOSTILE = [
    "", " \t\r\n ", "x", "&", "<", ">", "&amp;", "<!channel> <@U1> <https://evil.example|click>", "`*_~|>\"'\\",
    "\x01\x02\x08\x0c\x1b[31mred\x7f", "\x80\x9b31m", "\u2028\u2029\ufeff\ufffd\uffff", "\u202egnp.exe\u202c \u2066x\u2069",
    "\u05e9\u05dc\u05d5\u05dd \u200f!", "\u061c\u200e\u200f", "e\u0301" * 40, "\U0001f6bd\U0001f1e9\U0001f1ea", "\u0000".join("ab"),
    b"\xff\xfe", b"\xc0\xaf\xe0\x80\xaf", b"\xed\xa0\x80\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"cut \xe2\x82", b"\xf0\x9f\x9a",
    "&" * 3000, "<>" * 80, "\U0001f6bd" * 200, "line\n" * 500, b"\xff" * 2000, "a&" * 75 + "\U0001f6bd",
]
URLS = ["", "javascript:alert(1)", "http://", "https://x.example/a b|c>d<e?f=1&g=\"2\"", "HTTP://X.EXAMPLE/", "//x", "ftp://x/",
        "https://x.example/" + "p" * 1900, "https://x.example/?" + "&" * 380, "https://x.example/" + "p" * 9000,
        b"https://x.example/\xff\x01\n", "https://x.example/\u202e\u00e9", "\nhttps://x.example/"]


def no_nul(text):
    return text.replace(b"\0" if isinstance(text, bytes) else "\0", b"" if isinstance(text, bytes) else "")


class Far(unittest.TestCase):
    def start(self, server):
        server.start()
        self.addCleanup(server.stop)
        return server

    def sink(self, component, **settings):
        sink = sinks.Sink(component, **settings)
        sink.__enter__()
        self.addCleanup(sink.__exit__)
        return sink

    def taken(self, sink, server, given, what=None):
        """Posts; it must be delivered, and nothing about it bad style. Returns what the far end received."""
        outcome = sink.post(given)
        got = server.received[-1] if server.received else None
        self.assertEqual(outcome.rc, sinks.OK, (what, outcome, got and got.problem))
        self.assertEqual((got.accepted, got.complaints), (True, []), what)
        server.received.clear()
        return got


def hostile_alerts(rng, count):
    text = lambda: no_nul(rng.choice(HOSTILE))  # noqa: E731
    for _ in range(count):
        yield sinks.alert(
            name=text(), severity=rng.choice([-1, 0, 1, 2, 3, 99]), firing=rng.random() < 0.6, summary=text(),
            description=text(), generator_url=no_nul(rng.choice(URLS)), fingerprint="0" * 16,
            labels={text(): text() for _ in range(rng.choice([0, 1, 5, 64]))},
            annotations={**{text(): text() for _ in range(rng.choice([0, 1, 5]))}, "runbook_url": no_nul(rng.choice(URLS))},
            starts_ms=rng.choice([0, 1, -1, sinks.START_MS, 2**63 - 1, -2**63]),
            ends_ms=rng.choice([0, 1, sinks.START_MS, 2**63 - 1]))


def hostile(rng):
    text = lambda: no_nul(rng.choice(HOSTILE))  # noqa: E731
    alerts = list(hostile_alerts(rng, rng.choice([0, 1, 1, 2, 3, 44, 45, 46, 47, 200])))
    return sinks.notification(alerts, title=text(), text=text(), id=text() or "x", group_key=text(), receiver=text(),
                              external_url=no_nul(rng.choice(URLS)), ntruncated=rng.choice([0, 1, 2**40]),
                              group={text(): text() for _ in range(rng.choice([0, 1, 3]))}, attempt=rng.choice([1, 2**32 - 1]))


class Slack(Far):
    def setUp(self):
        self.server = self.start(far_ends.Slack())
        self.slack = self.sink("slack", webhook_url=self.server.url, mention_critical="<!here>")

    def test_kinds_of_notifications(self):
        firing, resolved = sinks.alert(), sinks.alert(firing=False)
        for alerts, colour in (([firing], "danger"), ([resolved], "good"), ([resolved, firing], "danger"),
                               ([sinks.alert(severity=sinks.WARNING), resolved], "warning"), ([], "#439FE0"),
                               ([firing] * 200, "danger")):
            got = self.taken(self.slack, self.server, sinks.notification(alerts, title="A title"))
            self.assertEqual(got.json["attachments"][0]["color"], colour)
            self.assertIn("A title", got.json["blocks"][0]["text"]["text"])
            self.assertIn("A title", got.json["text"])

    def test_hostile_texts_one_by_one(self):
        for text in map(no_nul, HOSTILE):
            given = sinks.notification(
                [sinks.alert(name=text, summary=text, description=text, labels={text: text, "a": text}, annotations={},
                             fingerprint="0" * 16)] * 3, title=text, group={"a": text})
            self.taken(self.slack, self.server, given, text)

    def test_hostile_notifications(self):
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for round_ in range(40 if lab.SANITIZED else 150):
            self.taken(self.slack, self.server, hostile(rng), f"seed {seed}, round {round_}")

    def test_a_mebibyte(self):
        for text in ("x", "&", "\u202e", "\U0001f6bd", b"\xff", "\n", "a\n"):
            text = text * (MIB // len(text if isinstance(text, bytes) else text.encode()))
            given = sinks.notification([sinks.alert(name=text, summary=text, description=text, labels={"a": text},
                                                    fingerprint="0" * 16)], title=text, text=text)
            self.taken(self.slack, self.server, given)
            self.taken(self.slack, self.server, sinks.notification(title=text, text=text))

    def test_answers(self):
        cases = [(far_ends.status(400, "invalid_payload"), sinks.REJECTED, "Slack answered 400: invalid_payload"),
                 (far_ends.status(403, "action_prohibited"), sinks.REJECTED, "Slack answered 403: action_prohibited"),
                 (far_ends.status(404, "no_service"), sinks.REJECTED, "Slack answered 404: no_service"),
                 (far_ends.status(410, "channel_is_archived"), sinks.REJECTED, "Slack answered 410: channel_is_archived"),
                 (far_ends.status(429, "rate_limited", retry_after=7), sinks.RETRY, "Slack answered 429: rate_limited"),
                 (far_ends.status(500, "rollup_error"), sinks.RETRY, "Slack answered 500: rollup_error"),
                 (far_ends.status(200, "<html>log in"), sinks.AMBIGUOUS, "Slack answered 200"),
                 (far_ends.status(404, f"no {far_ends.Slack.path}\n\x1b[1m"), sinks.REJECTED,
                  "Slack answered 404: no /services/***/***/*** [1m"),
                 (far_ends.close(), sinks.AMBIGUOUS, "Slack did not answer"),
                 (far_ends.lose(), sinks.AMBIGUOUS, "Slack did not answer")]
        for answer, rc, message in cases:
            self.server.script(answer)
            outcome = self.slack.post(sinks.notification([sinks.alert()]))
            self.assertEqual(outcome.rc, rc, answer)
            self.assertIn(message, outcome.message)
            self.assertEqual(outcome.said[-1][0], sinks.ERROR_LEVEL)
            self.assertNotIn("XXXXXXXX", outcome.message)
            self.assertEqual(outcome.retry_after_ms, 7000 if answer.status == 429 else -1)
        self.server.stop()
        self.assertEqual(self.slack.post(sinks.notification([sinks.alert()])).rc, sinks.RETRY)

    def test_the_rate_of_slack(self):
        with far_ends.Slack(rate=1, burst=1) as server, sinks.Sink("slack", webhook_url=server.url) as slack:
            self.assertEqual(slack.post(sinks.notification([sinks.alert()])).rc, sinks.OK)
            outcome = slack.post(sinks.notification([sinks.alert()]))
            self.assertEqual((outcome.rc, outcome.retry_after_ms >= 1000), (sinks.RETRY, True))


class Webhook(Far):
    def setUp(self):
        self.server = self.start(far_ends.Webhook(secret="hush"))
        self.webhook = self.sink("webhook", url=self.server.url, secret="hush", headers={"Authorization": "Bearer token-1"})

    def test_kinds_of_notifications(self):
        labels = {"alertname": "A", "severity": "critical", "instance": "web-1"}
        alerts = [sinks.alert("A", labels=labels), sinks.alert("A", labels={**labels, "instance": "web-2"}, firing=False)]
        got = self.taken(self.webhook, self.server, sinks.notification(alerts, group={"alertname": "A"}, ntruncated=2, id="d-7",
                                                                       attempt=4))
        self.assertEqual(got.json["commonLabels"], {"alertname": "A", "severity": "critical"})
        self.assertEqual((got.json["status"], got.json["truncatedAlerts"]), ("firing", 2))
        self.assertEqual(got.json["alerts"][1]["endsAt"], "2026-11-23T17:02:49.719Z")
        self.assertEqual([got.headers[f"x-toiletmon-{name}"] for name in ("delivery", "attempt")], ["d-7", "4"])
        self.assertEqual(got.headers["authorization"], "Bearer token-1")
        got = self.taken(self.webhook, self.server, sinks.notification([sinks.alert(firing=False)]))
        self.assertEqual(got.json["status"], "resolved")

    def test_what_is_text_arrives_as_it_is(self):
        for text in HOSTILE:
            if isinstance(text, bytes):
                continue
            text = no_nul(text)
            labels = {"alertname": text, "z": text, "": text}
            got = self.taken(self.webhook, self.server, sinks.notification(
                [sinks.alert(labels=labels, annotations={"summary": text}, generator_url=text)], group_key=text, receiver=text,
                external_url=text, group={"z": text}, attempt=1, id=f"n{HOSTILE.index(text) if text in HOSTILE else 'x'}"), text)
            self.assertEqual(got.json["alerts"][0]["labels"], labels)
            self.assertEqual(got.json["commonAnnotations"], {"summary": text})
            self.assertEqual((got.json["groupKey"], got.json["receiver"], got.json["externalURL"]), (text, text, text))

    def test_hostile_notifications(self):
        self.server.fingerprints, self.server.messages = False, True
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for round_ in range(40 if lab.SANITIZED else 60):  # Python takes its time to check them
            given = hostile(rng)
            given["id"], given["attempt"], given["group"] = f"n{round_}", 1, {}
            for one in given["alerts"]:
                one["ends_ms"] = 0 if one["firing"] else max(1, one["ends_ms"])
            given["resolved"] = bool(given["alerts"]) and not any(one["firing"] for one in given["alerts"])
            self.taken(self.webhook, self.server, given, f"seed {seed}, round {round_}")

    def test_storms_of_mebibytes_fit(self):
        self.server.fingerprints = False
        for text in ("x", "\x01", "\U0001f6bd", b"\xff"):
            big = text * (MIB // len(text if isinstance(text, bytes) else text.encode()))
            alerts = [sinks.alert(annotations={"summary": big})] * 20
            got = self.taken(self.webhook, self.server, sinks.notification(alerts, id=repr(text)))
            self.assertLess(len(got.body), 8 * MIB)
            self.assertEqual(len(got.json["alerts"]) + got.json["truncatedAlerts"], 20)

    def test_labels_at_their_limits(self):
        labels = {f"label_{i:02}_" + "k" * 119: "\u00e9" * 1024 for i in range(64)}
        got = self.taken(self.webhook, self.server, sinks.notification([sinks.alert(labels=labels)]))
        self.assertEqual(got.json["commonLabels"], labels)

    def test_a_delivery_is_named_whatever_its_id(self):
        for i, text in enumerate(map(no_nul, HOSTILE)):
            if text:
                got = self.taken(self.webhook, self.server, sinks.notification([sinks.alert()], id=text, attempt=i + 1), text)
                self.assertRegex(got.headers["x-toiletmon-delivery"], r"\A[!-~]+\Z")

    def test_answers(self):
        cases = [(204, sinks.OK), (302, sinks.REJECTED), (400, sinks.REJECTED), (401, sinks.REJECTED), (404, sinks.REJECTED),
                 (408, sinks.RETRY), (429, sinks.RETRY), (500, sinks.RETRY), (503, sinks.RETRY)]
        for attempt, (status, rc) in enumerate(cases, 1):
            self.server.script(far_ends.status(status, "you sent Bearer token-1", retry_after=3))
            outcome = self.webhook.post(sinks.notification([sinks.alert()], attempt=attempt))
            self.assertEqual((outcome.rc, outcome.retry_after_ms), (rc, 3000 if rc == sinks.RETRY else -1), status)
            self.assertNotIn("token-1", outcome.message)
        for answer in (far_ends.close(), far_ends.lose()):
            self.server.script(answer)
            self.assertEqual(self.webhook.post(sinks.notification([sinks.alert()], id="gone")).rc, sinks.AMBIGUOUS)
        self.server.stop()
        outcome = self.webhook.post(sinks.notification([sinks.alert()]))
        self.assertEqual(outcome.rc, sinks.RETRY)
        self.assertIn("the receiver did not answer", outcome.message)


class Pagers(Far):
    """What PagerDuty and Opsgenie have in common: one alert each, ended by its key."""

    def setUp(self):
        self.pagerduty, self.opsgenie = self.start(far_ends.PagerDuty()), self.start(far_ends.Opsgenie())
        self.both = [
            (self.pagerduty, self.sink("pagerduty", routing_key=self.pagerduty.routing_key, url=self.pagerduty.url), "PagerDuty"),
            (self.opsgenie, self.sink("opsgenie", api_key=self.opsgenie.key, api_url=self.opsgenie.url, teams=["ops"],
                                      tags=["prod"]), "Opsgenie")]

    def test_an_episode(self):
        for server, sink, _ in self.both:
            for _ in range(2):  # told again
                self.taken(sink, server, sinks.notification([sinks.alert(key="a/b c?#%-1")]))
            self.taken(sink, server, sinks.notification([sinks.alert(key="other-2")]))
            self.assertEqual(sorted(server.incidents), ["a/b c?#%-1", "other-2"])
            self.taken(sink, server, sinks.notification([sinks.alert(key="a/b c?#%-1", firing=False)]))
            self.assertEqual((list(server.incidents), server.closed), (["other-2"], ["a/b c?#%-1"]))
        self.assertEqual(self.pagerduty.incidents["other-2"]["summary"], "HighMemory: Memory at 93 %")
        self.assertEqual(self.opsgenie.incidents["other-2"]["priority"], "P1")

    def test_hostile_notifications(self):
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for round_ in range(60 if lab.SANITIZED else 150):
            given = hostile(rng)
            given["alerts"] = given["alerts"][:rng.choice([1, 1, 1, 2])]
            for one in given["alerts"]:
                one["key"] = no_nul(rng.choice(HOSTILE))
            for server, sink, _ in self.both:
                self.taken(sink, server, given, f"seed {seed}, round {round_}")

    def test_a_mebibyte(self):
        for text in ("x", "&", "\u202e", "\U0001f6bd", b"\xff", "\n", "a\n"):
            text = text * (MIB // len(text if isinstance(text, bytes) else text.encode()))
            given = sinks.notification([sinks.alert(name=text, summary=text, description=text, key=text, labels={"a": text},
                                                    annotations={"b": text}, fingerprint="0" * 16)], title=text, text=text)
            for server, sink, _ in self.both:
                self.taken(sink, server, given)
                self.taken(sink, server, sinks.notification(title=text, text=text))

    def test_answers(self):
        cases = [(200, sinks.AMBIGUOUS), (400, sinks.REJECTED), (401, sinks.REJECTED), (403, sinks.REJECTED),
                 (404, sinks.REJECTED), (408, sinks.RETRY), (422, sinks.REJECTED), (429, sinks.RETRY), (500, sinks.RETRY)]
        for server, sink, name in self.both:
            for status, rc in cases:
                server.script(far_ends.status(status, "you sent R0UT1NGK3Y0000000000000000000000 GenieKey "
                                                      "eb243592-faa2-4ba2-a551q-1afdf565c889", retry_after=3))
                outcome = sink.post(sinks.notification([sinks.alert()]))
                self.assertEqual((outcome.rc, outcome.retry_after_ms), (rc, 3000 if rc == sinks.RETRY else -1), (name, status))
                self.assertIn(f"{name} answered {status}", outcome.message)
                self.assertNotIn(server.routing_key if name == "PagerDuty" else server.key, outcome.message)
            for answer in (far_ends.close(), far_ends.lose()):
                server.script(answer)
                self.assertEqual(sink.post(sinks.notification([sinks.alert()])).rc, sinks.AMBIGUOUS)
            server.stop()
            outcome = sink.post(sinks.notification([sinks.alert()]))
            self.assertEqual((outcome.rc, f"{name} did not answer" in outcome.message), (sinks.RETRY, True))

    def test_limits_of_rate(self):
        (pagerduty, pager, _), (opsgenie, genie, _) = self.both
        pagerduty.script(far_ends.status(429, '{"status":"throttle exceeded"}'))
        self.assertEqual(pager.post(sinks.notification([sinks.alert()])).retry_after_ms, 120000)
        opsgenie.script(far_ends.status(429, headers=("X-RateLimit-State: THROTTLED", "X-RateLimit-Reason: ACCOUNT",
                                                      "X-RateLimit-Period-In-Sec: 60")))
        self.assertEqual(genie.post(sinks.notification([sinks.alert()])).retry_after_ms, 60000)

    def test_wrong_keys(self):
        with sinks.Sink("pagerduty", routing_key="X" * 32, url=self.pagerduty.url) as sink:
            outcome = sink.post(sinks.notification([sinks.alert()]))
            self.assertEqual(outcome.rc, sinks.REJECTED)
            self.assertIn("Invalid routing key: ***", outcome.message)
        with sinks.Sink("opsgenie", api_key="wrong-key-1", api_url=self.opsgenie.url) as sink:
            outcome = sink.post(sinks.notification([sinks.alert()]))
            self.assertEqual(outcome.rc, sinks.REJECTED)
            self.assertIn("Could not authenticate GenieKey ***", outcome.message)


class Log(Far):
    def test_hostile_notifications_are_lines(self):
        log = self.sink("log")
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for round_ in range(100):
            given = hostile(rng)
            outcome = log.deliver(given)
            self.assertEqual(outcome.rc, sinks.OK)
            self.assertEqual(len(outcome.said), max(1, len(given["alerts"])) + (given["ntruncated"] > 0))
            for _, line in outcome.said:
                self.assertLess(len(line.encode()), 1024)
                self.assertNotRegex(line, r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]",
                                    f"seed {seed}, round {round_}")


if __name__ == "__main__":
    unittest.main()
