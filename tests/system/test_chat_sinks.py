"""Discord and Teams before their far ends, as test_sinks.py has it for Slack."""
import random
import unittest

import far_ends
import lab
import sinks
from test_sinks import HOSTILE, MIB, Far, hostile, no_nul

ACK = "http://agent.example:9909/ack?token=t0ken&x=1"


def fires(count=1, **more):
    return sinks.notification([sinks.alert()] * count, **more)


class Chat(Far):
    """What both have in common."""

    def setUp(self):
        self.discord, self.teams = self.start(far_ends.Discord()), self.start(far_ends.Teams())
        self.both = [(self.discord, self.sink("discord", webhook_url=self.discord.url), "Discord"),
                     (self.teams, self.sink("teams", webhook_url=self.teams.url), "Teams")]

    def test_hostile_texts_one_by_one(self):
        for text in map(no_nul, HOSTILE):
            alert = sinks.alert(name=text, summary=text, description=text, labels={text: text, "a": text}, fingerprint="0" * 16,
                                annotations={"runbook_url": text}, ack_url=text)
            for server, sink, _ in self.both:
                for count in (1, 3):
                    self.taken(sink, server, sinks.notification([alert] * count, title=text, group={"a": text}), text)

    def test_hostile_notifications(self):
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for round_ in range(30 if lab.SANITIZED else 120):
            given = hostile(rng)
            for server, sink, _ in self.both:
                self.taken(sink, server, given, f"seed {seed}, round {round_}")

    def test_a_mebibyte(self):
        for text in ("x", "*", '"', "\u202e", "\U0001f6bd", b"\xff", "\n", "a\n"):
            text = text * (MIB // len(text if isinstance(text, bytes) else text.encode()))
            alert = sinks.alert(name=text, summary=text, description=text, labels={"a": text}, fingerprint="0" * 16)
            for server, sink, _ in self.both:
                for alerts in ([alert], [alert] * 3, []):
                    self.taken(sink, server, sinks.notification(alerts, title=text, text=text))

    def test_answers(self):
        cases = [(400, sinks.REJECTED), (401, sinks.REJECTED), (403, sinks.REJECTED), (404, sinks.REJECTED), (408, sinks.RETRY),
                 (413, sinks.REJECTED), (429, sinks.RETRY), (500, sinks.RETRY), (503, sinks.RETRY), (302, sinks.REJECTED)]
        for server, sink, name in self.both:
            secret = server.token if name == "Discord" else server.signature
            for status, rc in cases:
                server.script(far_ends.status(status, f"you sent {server.url}", retry_after=3))
                outcome = sink.post(fires())
                self.assertEqual((outcome.rc, outcome.retry_after_ms), (rc, 3000 if rc == sinks.RETRY else -1), (name, status))
                self.assertIn(f"{name} answered {status}", outcome.message)
                self.assertNotIn(secret, outcome.message)
            server.script(far_ends.status(200, "<html>please log in</html>"))
            self.assertEqual(sink.post(fires()).rc, sinks.AMBIGUOUS, name)
            for answer in (far_ends.close(), far_ends.lose()):
                server.script(answer)
                self.assertEqual(sink.post(fires()).rc, sinks.AMBIGUOUS)
            server.stop()
            outcome = sink.post(fires())
            self.assertEqual((outcome.rc, f"{name} did not answer" in outcome.message), (sinks.RETRY, True))


class Discord(Far):
    def setUp(self):
        self.server = self.start(far_ends.Discord())
        self.discord = self.sink("discord", webhook_url=self.server.url)

    def test_kinds_of_notifications(self):
        firing, resolved, warning = sinks.alert(), sinks.alert(firing=False), sinks.alert(severity=sinks.WARNING)
        for alerts, sign, colours in (([firing], "\U0001f534", [0xd92d20]), ([resolved], "\u2705", [0x2eb67d]),
                                      ([resolved, warning, firing], "\U0001f534", [0xd92d20, 0xf79009, 0x2eb67d]),
                                      ([sinks.alert(severity=sinks.INFO)], "\U0001f535", [0x439fe0])):
            got = self.taken(self.discord, self.server, sinks.notification(alerts, title="A title"))
            self.assertTrue(got.json["content"].startswith(f"{sign} A title"), got.json)
            self.assertEqual([embed["color"] for embed in got.json["embeds"]], colours)
            self.assertEqual(got.status, 200)  # asked to wait until it is there
        got = self.taken(self.discord, self.server, fires(200, ntruncated=5))
        self.assertEqual(len(got.json["embeds"]), 10)
        self.assertEqual(got.json["embeds"][9]["footer"]["text"], "and 195 more")
        got = self.taken(self.discord, self.server, sinks.notification(title="A digest", text="of *things*"))
        self.assertEqual(got.json["embeds"][0]["description"], "of \\*things\\*")

    def test_links(self):
        alert = sinks.alert(ack_url=ACK, annotations={"runbook_url": "https://wiki.example/a_(b)?c=\"d\""})
        got = self.taken(self.discord, self.server, sinks.notification([alert]))
        text = got.json["embeds"][0]["description"]
        self.assertIn(f"[Acknowledge]({ACK})", text)
        self.assertIn("[Runbook](https://wiki.example/a_%28b%29?c=%22d%22)", text)
        self.assertNotIn("Acknowledge", self.taken(self.discord, self.server, sinks.notification(
            [sinks.alert(ack_url=ACK, firing=False)])).body.decode())

    def test_a_thread_of_the_channel(self):
        for query, became in (("?thread_id=12", "?thread_id=12&wait=true"), ("?wait=false", "?wait=false"), ("", "?wait=true")):
            with sinks.Sink("discord", webhook_url=self.server.url + query) as sink:
                self.assertEqual(self.taken(sink, self.server, fires()).path, self.server.path + became)

    def test_wrong_hooks(self):
        for url, said in ((self.server.url + "x", "Invalid Webhook Token"), (self.server.url.replace("12345", "99999"), "Unknown Webhook")):
            with sinks.Sink("discord", webhook_url=url) as sink:
                outcome = sink.post(fires())
                self.assertEqual(outcome.rc, sinks.REJECTED)
                self.assertIn(said, outcome.message)

    def test_limits_of_rate(self):
        with far_ends.Discord(rate=2, burst=1) as server, sinks.Sink("discord", webhook_url=server.url) as sink:
            self.assertEqual(sink.post(fires()).rc, sinks.OK)
            outcome = sink.post(fires())
            self.assertEqual(outcome.rc, sinks.RETRY)
            self.assertTrue(0 < outcome.retry_after_ms <= 500, outcome)  # and not the second that the header says
        for body, headers, ms in (('{"retry_after": 0.35, "global": true}', (), 350), ('{"retry_after":65}', ("Retry-After: 70",), 65000),
                                  ('{"message": "x", "retry_after" : 1.2345}', (), 1235), ('{"retry_after": "1"}', ("Retry-After: 2",), 2000),
                                  ("<html>error 1015", ("Retry-After: 4",), 4000), ("{}", ("X-RateLimit-Reset-After: 1.5",), 1500),
                                  ('{"retry_after": -1}', (), -1), ('{"retry_after": 99999999999999}', (), 86400000)):
            self.server.script(far_ends.status(429, body, headers=headers))
            outcome = self.discord.post(fires())
            self.assertEqual((outcome.rc, outcome.retry_after_ms), (sinks.RETRY, ms), body)
        # A yes that was the last one for now.
        self.server.script(far_ends.status(200, '{"id":"1"}', headers=("X-RateLimit-Remaining: 0", "X-RateLimit-Reset-After: 0.8")))
        outcome = self.discord.post(fires())
        self.assertEqual((outcome.rc, outcome.retry_after_ms), (sinks.OK, 800))


class Teams(Far):
    def setUp(self):
        self.server = self.start(far_ends.Teams())
        self.teams = self.sink("teams", webhook_url=self.server.url)

    @staticmethod
    def card(got):
        return got.json["attachments"][0]["content"]

    def test_kinds_of_notifications(self):
        firing, resolved = sinks.alert(), sinks.alert(firing=False)
        for alerts, colour in (([firing], "Attention"), ([resolved], "Good"), ([resolved, firing], "Attention"), ([], "Accent"),
                               ([sinks.alert(severity=sinks.WARNING), resolved], "Warning")):
            card = self.card(self.taken(self.teams, self.server, sinks.notification(alerts, title="A title", text="x")))
            title = card["body"][0]["inlines"][0]
            self.assertEqual((title["text"][2:], title["color"]), ("A title", colour))
        got = self.taken(self.teams, self.server, fires(200, ntruncated=5))
        self.assertIn("and 185 more", str(self.card(got)))
        self.assertLess(len(got.body), 21 * 1024)

    def test_links(self):
        alert = sinks.alert(ack_url=ACK, annotations={"runbook_url": "https://wiki.example/r"})
        card = self.card(self.taken(self.teams, self.server, sinks.notification([alert])))
        self.assertEqual([(one["title"], one["url"]) for one in card["actions"]],
                         [("Acknowledge", ACK), ("Runbook", "https://wiki.example/r"), ("Source", alert["generator_url"]),
                          ("toiletmon", "http://agent.example:9909")])
        card = self.card(self.taken(self.teams, self.server, sinks.notification([alert, alert])))
        self.assertEqual(str(card["body"]).count(ACK), 2)
        self.assertEqual([one["title"] for one in card["actions"]], ["toiletmon"])

    def test_a_yes_that_is_none(self):
        failed = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {} with ContextId x"
        cases = [(200, "1", sinks.OK), (200, "", sinks.OK), (202, "", sinks.OK), (202, '{"id":1}', sinks.OK), (200, "1\n", sinks.OK),
                 (200, failed.format(429), sinks.RETRY), (200, failed.format(503), sinks.RETRY), (200, failed.format(413), sinks.REJECTED),
                 (200, failed.format(400), sinks.REJECTED), (200, "Webhook message delivery failed with error: x", sinks.RETRY),
                 (200, "HTTP error 42", sinks.AMBIGUOUS), (200, "<html>log in", sinks.AMBIGUOUS), (202, failed.format(429), sinks.RETRY)]
        for status, body, rc in cases:
            self.server.script(far_ends.status(status, body))
            outcome = self.teams.post(fires())
            self.assertEqual(outcome.rc, rc, (status, body))
            self.assertEqual(f"Teams answered {status}: {body[:20]}" in outcome.message, rc != sinks.OK and body[0] != "<", outcome)

    def test_the_old_connector(self):
        with far_ends.Teams(legacy=True, rate=1, burst=1) as server, sinks.Sink("teams", webhook_url=server.url) as sink:
            self.assertEqual(sink.post(fires()).rc, sinks.OK)
            self.assertEqual(sink.post(fires()).rc, sinks.RETRY)

    def test_wrong_signature(self):
        with sinks.Sink("teams", webhook_url=self.server.url + "wrong") as sink:
            outcome = sink.post(fires())
            self.assertEqual(outcome.rc, sinks.REJECTED)
            self.assertIn("Teams answered 401", outcome.message)
            self.assertNotIn("S1gnature", outcome.message)


if __name__ == "__main__":
    unittest.main()
