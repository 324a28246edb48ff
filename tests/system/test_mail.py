"""E-mail: what resend and smtp send is taken whatever an alert says, what comes back is understood; the preview."""
import email
import email.policy
import json
import pathlib
import random
import shutil
import subprocess
import time
import types
import unittest

import far_ends
import lab
import sinks
from delivery_kit import NOW, Case
from far_ends import GONE, HANG
from test_sinks import HOSTILE, Far, hostile, no_nul

PASSWORD = "p4ss w0rd+canary"
TO = "a@far.example, Bea <b@far.example>"


def alerts(count, **more):
    return [sinks.alert(key=f"{i:016x}-1", **more) for i in range(count)]


def mail_of(given, name):
    """An alert with the texts that people are to see."""
    return given.get_body((name,)).get_content()


class Resend(Far):
    def setUp(self):
        self.server = self.start(far_ends.Resend())
        self.resend = self.sink("resend", **self.settings())

    def settings(self, **more):
        return {"api_key": self.server.key, "from": "Toilet Monitor <noreply@far.example>", "to": f"[{TO}]",
                "url": self.server.base, **more}

    def test_a_mail(self):
        alert = sinks.alert(labels={"alertname": "HighMemory", "severity": "critical", "instance": "web<1>"},
                            ack_url="http://agent.example/ack?a=1&b=2", annotations={"runbook_url": "https://wiki.example/r"})
        got = self.taken(self.resend, self.server, sinks.notification([alert], title="[FIRING:1] HighMemory", id="n-77"))
        self.assertEqual((got.json["from"], got.json["to"]),
                         ("Toilet Monitor <noreply@far.example>", ["a@far.example", "b@far.example"]))
        self.assertEqual(got.json["subject"], "[FIRING:1] HighMemory")
        self.assertEqual(got.headers["idempotency-key"], "n-77")
        self.assertTrue(got.headers["authorization"].startswith("Bearer "))
        complaints, links, shown = far_ends.look_at_html(got.json["html"])
        self.assertEqual(complaints, [])
        self.assertEqual(links, ["http://agent.example/ack?a=1&b=2", "https://wiki.example/r",
                                 "http://prom.example/graph?g0.expr=up&g0.tab=1", "http://agent.example:9909"])
        for text in ("CRITICAL", "HighMemory", "Memory at 93 %", "web<1>", "2026-11-23 17:01:49 UTC"):
            self.assertIn(text, shown)
            self.assertIn(text, got.json["text"])

    def test_an_incident_is_one_thread(self):
        headers = []
        for firing in (True, False):
            given = sinks.notification([sinks.alert(firing=firing)], id=f"n-{firing}")
            headers.append(self.taken(self.resend, self.server, given).json["headers"])
        self.assertEqual(headers[0]["References"], headers[1]["References"])
        self.assertRegex(headers[0]["References"], r"\A<episode\.[0-9a-f]{16}-1@far\.example>\Z")

    def test_the_same_attempt_says_the_same(self):
        given = sinks.notification(alerts(3))
        self.assertEqual(self.resend.format(given).request.body, self.resend.format({**given, "attempt": 2}).request.body)
        self.server.script(far_ends.lose())
        self.assertEqual(self.resend.post(given).rc, sinks.AMBIGUOUS)
        self.assertEqual(self.resend.post(given).rc, sinks.OK)
        self.assertEqual(len(self.server.mails), 1)

    def test_hostile_texts(self):
        for i, text in enumerate(map(no_nul, HOSTILE)):
            one = sinks.alert(name=text, summary=text, description=text, labels={text: text, "a": text}, annotations={text: text},
                              fingerprint="0" * 16)
            self.taken(self.resend, self.server, sinks.notification([one] * (1 + i % 2), title=text, group={"a": text}, id=f"n{i}"),
                       text)
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for round_ in range(20 if lab.SANITIZED else 50):
            self.taken(self.resend, self.server, {**hostile(rng), "id": f"r{round_}"}, f"seed {seed}, round {round_}")

    def test_much_of_everything(self):
        big = "A long line of <text> & more of it. \n" * 300
        given = sinks.notification(alerts(200, summary=big, description=big, annotations={f"a{i}": big for i in range(20)}),
                                   ntruncated=1000)
        got = self.taken(self.resend, self.server, given)
        self.assertRegex(far_ends.look_at_html(got.json["html"])[2], r"and 11\d\d more")

    def test_what_the_far_end_refuses(self):
        wrong = self.sink("resend", **self.settings(api_key="re_wrong"))
        outcome = wrong.post(sinks.notification([sinks.alert()]))
        self.assertEqual(outcome.rc, sinks.REJECTED)
        self.assertIn("Resend answered 403", outcome.message)
        self.assertNotIn("re_wrong", outcome.message)
        given = sinks.notification([sinks.alert()])
        self.assertEqual(self.resend.post(given).rc, sinks.OK)
        outcome = self.resend.post({**given, "alerts": [sinks.alert(summary="other words")]})  # under the same id
        self.assertEqual(outcome.rc, sinks.REJECTED)
        self.assertIn("invalid_idempotent_request", outcome.message)

    def test_answers(self):
        def error(status, name, message="m", **more):
            body = json.dumps({"statusCode": status, "message": message, "name": name})
            return far_ends.status(status, body, **more)

        cases = [(error(400, "validation_error"), sinks.REJECTED, -1), (error(401, "missing_api_key"), sinks.REJECTED, -1),
                 (error(403, "invalid_api_key", self.server.key), sinks.REJECTED, -1),
                 (error(409, "invalid_idempotent_request"), sinks.REJECTED, -1),
                 (error(409, "concurrent_idempotent_requests"), sinks.RETRY, -1),
                 (error(422, "invalid_from_address"), sinks.REJECTED, -1),
                 (error(429, "rate_limit_exceeded", retry_after=7), sinks.RETRY, 7000),
                 (error(429, "rate_limit_exceeded", headers=("ratelimit-reset: 3",)), sinks.RETRY, 3000),
                 (error(429, "daily_quota_exceeded", retry_after=7), sinks.REJECTED, -1),
                 (error(429, "monthly_quota_exceeded"), sinks.REJECTED, -1),
                 (error(451, "security_error"), sinks.REJECTED, -1),
                 (error(500, "application_error"), sinks.RETRY, -1), (error(503, "x", retry_after=2), sinks.RETRY, 2000),
                 (far_ends.status(200, "<html>log in"), sinks.AMBIGUOUS, -1),
                 (far_ends.close(), sinks.AMBIGUOUS, -1)]
        for i, (answer, rc, wait) in enumerate(cases):
            self.server.script(answer)
            outcome = self.resend.post(sinks.notification([sinks.alert()], id=f"a{i}"))
            self.assertEqual((outcome.rc, outcome.retry_after_ms), (rc, wait), answer)
            self.assertNotIn(self.server.key, outcome.message)

    def test_rate_and_quota(self):
        with far_ends.Resend(quota=1) as server:
            sink = self.sink("resend", **self.settings(url=server.base))
            self.assertEqual(sink.post(sinks.notification([sinks.alert()], id="q1")).rc, sinks.OK)
            self.assertEqual(sink.post(sinks.notification([sinks.alert()], id="q2")).rc, sinks.REJECTED)
            self.assertEqual(sink.post(sinks.notification([sinks.alert()], id="q1")).rc, sinks.OK)  # it was taken before
        with far_ends.Resend(rate=0) as server:
            sink = self.sink("resend", **self.settings(url=server.base))
            outcome = sink.post(sinks.notification([sinks.alert()]))
            self.assertEqual((outcome.rc, outcome.retry_after_ms), (sinks.RETRY, 1000))


class Smtp(Far):
    @classmethod
    def setUpClass(cls):
        cls.folder = lab.scratch("mail")
        run = lambda command: subprocess.run(list(map(str, command)), check=True, capture_output=True)  # noqa: E731
        cls.tls = lab.certificate(types.SimpleNamespace(dir=cls.folder, run=run))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def far(self, tls=True, **more):
        server = far_ends.Smtp(tls=self.tls if tls else None, **more)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def smtp(self, server, **more):
        settings = {"host": "127.0.0.1", "port": server.port, "from": "Toiletmon <noreply@far.example>", "to": f"[{TO}]",
                    "ca_file": self.tls[0], **more}
        if server.user:
            settings = {"user": server.user, "password": server.password, **settings}
        return self.sink("smtp", **settings)

    def delivered(self, sink, server, given, what=None):
        before = len(server.mails)
        outcome = sink.deliver(given)
        self.assertEqual((outcome.rc, server.problems, server.complaints), (sinks.OK, [], []), (what, outcome))
        self.assertEqual(len(server.mails), before + 1)
        return server.mails[-1]

    def test_a_mail(self):
        server = self.far(user="toiletmon", password=PASSWORD)
        sender, recipients, message = self.delivered(
            self.smtp(server), server,
            sinks.notification([sinks.alert(summary="Gr\u00fc\u00dfe \U0001f6bd")], title="[FIRING:1] D\u00e9j\u00e0 vu " + "\u00e9" * 90,
                               id="n-1"))
        self.assertEqual((sender, recipients), ("noreply@far.example", ["a@far.example", "b@far.example"]))
        self.assertRegex(message["Subject"], "\\A\\[FIRING:1] D\u00e9j\u00e0 vu \u00e9{80,90}\\.\\.\\.\\Z")
        self.assertEqual(message["From"], "Toiletmon <noreply@far.example>")
        self.assertEqual(message["To"], "a@far.example, Bea <b@far.example>")
        self.assertEqual(message["Message-ID"], "<notification.n-1@far.example>")
        self.assertRegex(message["References"], r"\A<episode\.[0-9a-f]{16}-1@far\.example>\Z")
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        for part in ("plain", "html"):
            self.assertIn("Gr\u00fc\u00dfe \U0001f6bd", mail_of(message, part))
        self.assertEqual([line.split()[0] for line in server.commands],
                         ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "RCPT", "DATA"])

    def test_a_connection_is_used_again(self):
        server = self.far()
        smtp = self.smtp(server)
        for i in range(3):
            self.delivered(smtp, server, sinks.notification([sinks.alert()], id=f"n{i}"))
        self.assertEqual(sum(line.startswith("STARTTLS") for line in server.commands), 1)

    def test_tls_is_required(self):
        plain = self.far(tls=False)
        outcome = self.smtp(plain).deliver(sinks.notification([sinks.alert()]))
        self.assertEqual((outcome.rc, plain.mails), (sinks.RETRY, []))
        self.delivered(self.smtp(plain, tls="none"), plain, sinks.notification([sinks.alert()]))
        stranger = self.far()
        outcome = self.smtp(stranger, ca_file="/etc/hostname").deliver(sinks.notification([sinks.alert()]))
        self.assertEqual((outcome.rc, stranger.mails), (sinks.RETRY, []))
        implicit = self.far(implicit=True)
        self.delivered(self.smtp(implicit, tls="implicit"), implicit, sinks.notification([sinks.alert()]))

    def test_a_wrong_password_is_for_the_operator(self):
        for mechanisms in ("PLAIN", "LOGIN"):
            server = self.far(user="toiletmon", password="right", mechanisms=mechanisms)
            outcome = self.smtp(server, password=PASSWORD).deliver(sinks.notification([sinks.alert()]))
            self.assertEqual((outcome.rc, server.mails), (sinks.RETRY, []))
            self.assertIn("the login: 535 5.7.8 no: *** is wrong", outcome.message)
            self.assertNotIn("cDRzcyB3MHJkK2NhbmFyeQ", outcome.message)

    def test_answers(self):
        cases = [({"CONNECT": "421 later"}, sinks.RETRY, "421 later"), ({"CONNECT": "554 go away"}, sinks.RETRY, "554 go away"),
                 ({"MAIL": "451 4.7.1 greylisted"}, sinks.RETRY, "the sender: 451 4.7.1 greylisted"),
                 ({"MAIL": "552 5.3.4 too large"}, sinks.REJECTED, "the sender: 552 5.3.4 too large"),
                 ({"MAIL": "530 5.7.0 log in first"}, sinks.RETRY, "530"),
                 ({"DATA": "451 4.3.0 not now"}, sinks.RETRY, "DATA: 451"),
                 ({"DATA": "554 5.5.1 never"}, sinks.REJECTED, "DATA: 554"),
                 ({"BODY": "452 4.3.1 full"}, sinks.RETRY, "the mail: 452 4.3.1 full"),
                 ({"BODY": "552 5.2.2 mailbox full"}, sinks.REJECTED, "the mail: 552"),
                 ({"BODY": "550 5.7.1 spam \x1b[1m\u202e"}, sinks.REJECTED, "550 5.7.1 spam [1m"),
                 ({"CONNECT": GONE}, sinks.RETRY, ""), ({"MAIL": GONE}, sinks.RETRY, ""), ({"DATA": GONE}, sinks.RETRY, ""),
                 ({"BODY": GONE}, sinks.AMBIGUOUS, "its answer never came"),
                 ({"DATA": HANG}, sinks.RETRY, "at DATA: "), ({"BODY": HANG}, sinks.AMBIGUOUS, "its answer never came")]
        server, began = self.far(), time.monotonic()
        for i, (script, rc, message) in enumerate(cases):
            smtp = self.smtp(server)
            server.script(**script)
            outcome = smtp.deliver(sinks.notification([sinks.alert()], id=f"n{i}"))
            self.assertEqual(outcome.rc, rc, (script, outcome))
            self.assertIn(message, outcome.message)
            self.assertNotRegex(outcome.message, "[\x00-\x1f\u202e]")
        self.delivered(smtp, server, sinks.notification([sinks.alert()]))  # with a connection of its own
        self.assertLess(time.monotonic() - began, 30 * lab.PATIENCE)  # nobody waits for a goodbye

    def test_an_answer_that_was_lost_may_be_held(self):
        server = self.far()
        server.keeps = True
        server.script(BODY=GONE)
        outcome = self.smtp(server, on_ambiguous="hold").deliver(sinks.notification([sinks.alert()]))
        self.assertEqual((outcome.rc, len(server.mails)), (sinks.REJECTED, 1))
        self.assertIn("on_ambiguous: hold", outcome.message)

    def test_recipients_are_told_apart(self):
        server = self.far()
        smtp = self.smtp(server)
        given = sinks.notification([sinks.alert()], id="n-1")
        server.refuse["b@far.example"] = "550 5.1.1 no such user"
        outcome = smtp.deliver(given)
        self.assertEqual((outcome.rc, server.mails[-1][1]), (sinks.OK, ["a@far.example"]))
        self.assertIn("1 recipient taken, 0 to be tried again, 1 refused; the one at place 2 of 'to': 550", outcome.message)
        server.refuse["b@far.example"] = "451 4.7.1 greylisted"
        outcome = smtp.deliver({**given, "id": "n-2"})
        self.assertEqual((outcome.rc, server.mails[-1][1]), (sinks.RETRY, ["a@far.example"]))
        server.refuse.clear()
        self.assertEqual(smtp.deliver({**given, "id": "n-2", "attempt": 2}).rc, sinks.OK)
        self.assertEqual(server.mails[-1][1], ["b@far.example"])  # and nobody has it twice
        server.refuse.update({"a@far.example": "550 5.1.1 no", "b@far.example": "450 4.2.1 busy"})
        self.assertEqual(smtp.deliver({**given, "id": "n-3"}).rc, sinks.RETRY)
        server.refuse["b@far.example"] = "550 5.1.1 no"
        self.assertEqual(smtp.deliver({**given, "id": "n-4"}).rc, sinks.REJECTED)
        self.assertEqual(server.problems, [])

    def test_nobody_is_there(self):
        server = self.far()
        smtp = self.smtp(server, port=lab.free_port())
        self.assertEqual(smtp.deliver(sinks.notification([sinks.alert()])).rc, sinks.RETRY)

    def test_hostile_texts(self):
        server = self.far()
        smtp = self.smtp(server)
        for i, text in enumerate(map(no_nul, HOSTILE)):
            one = sinks.alert(name=text, summary=text, description=text, labels={text: text}, fingerprint="0" * 16)
            self.delivered(smtp, server, sinks.notification([one], title=text, id=text or "x"), text)
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for round_ in range(10 if lab.SANITIZED else 30):
            self.delivered(smtp, server, hostile(rng), f"seed {seed}, round {round_}")


class Settings(Case):
    def test_mistakes(self):
        resend = {"use": "resend", "api_key": "re_1", "from": "a@b.example", "to": ["c@d.example"]}
        smtp = {"use": "smtp", "host": "h.example", "from": "a@b.example", "to": "c@d.example"}
        for settings, why in (({**resend, "from": "nobody"}, "from: it is no address"),
                              ({**resend, "to": ["c@d.example, x"]}, "to: the one at place 2 is no address"),
                              ({**resend, "to": ["x@y.example\nBcc: z@y.example"]}, "to: the one at place 1 has control"),
                              ({**resend, "api_key": "re_1\nX: y"}, "api_key: it has characters"),
                              ({**smtp, "host": "a/b"}, "host: it is neither"),
                              ({**smtp, "user": "u"}, "user and password: one goes with the other"),
                              ({**smtp, "user": "u", "password": "p4ssword", "tls": "none"}, "not sent without TLS")):
            lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in settings.items() if key != "use")
            done = subprocess.run([lab.BUILD / "tests/system/sink_harness", lab.BUILD / f"plugins/{settings['use']}.so",
                                   settings["use"], lines], stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.assertIn(why, done.stdout)
            self.assertTrue(done.stdout.startswith("1:3,"), done.stdout)


class AgentMail(Case):
    def test_an_agent_sends_mail_both_ways(self):
        with far_ends.Resend() as resend, far_ends.Smtp() as server:
            plugins = {"resend": {"use": "resend", "api_key": resend.key, "from": "a@far.example", "to": ["b@far.example"],
                                  "url": resend.base},
                       "smtp": {"use": "smtp", "host": "127.0.0.1", "port": server.port, "tls": "none",
                                "from": "a@far.example", "to": ["b@far.example"]}}
            with lab.Agent(**self.text(plugins, [{"to": list(plugins), **NOW}]), until="ready") as agent:
                self.post(agent, "Fire", metadata={"heap": "450MB"})
                lab.wait_for(lambda: resend.mails and server.mails, 20, "two mails")
                self.post(agent, "Fire", status="resolved")
                lab.wait_for(lambda: len(resend.mails) == 2 and len(server.mails) == 2, 20, "two more")
            self.assertEqual((resend.refused, resend.complaints, server.problems, server.complaints), ([], [], [], []))
            self.assertEqual(resend.mails[0]["headers"]["References"], resend.mails[1]["headers"]["References"])
            self.assertEqual(server.mails[0][2]["References"], server.mails[1][2]["References"])
            self.assertIn("450MB", mail_of(server.mails[0][2], "html"))
            self.assertIn("RESOLVED", mail_of(server.mails[1][2], "plain"))


class Preview(unittest.TestCase):
    def setUp(self):
        self.folder = lab.scratch("preview")
        self.addCleanup(shutil.rmtree, self.folder)

    def preview(self, data):
        file = self.folder / "data.json"
        file.write_text(data if isinstance(data, str) else json.dumps(data))
        return lab.cli("mail", "preview", "alert", "--data", file, "--out", self.folder / "out")

    def read(self, ending):
        return (self.folder / "out" / f"alert.{ending}").read_text()

    def test_an_alert_of_the_api(self):
        status, out, err = self.preview({"severity": "critical", "title": "High <memory>", "message": "At 92%",
                                         "metadata": {"heap": "450MB", "retries": 3}})
        self.assertEqual((status, err), (0, ""))
        self.assertEqual([pathlib.Path(line).name for line in out.splitlines()], ["alert.html", "alert.txt", "alert.eml"])
        complaints, _, shown = far_ends.look_at_html(self.read("html"))
        self.assertEqual(complaints, [])
        for text in ("CRITICAL", "High <memory>", "At 92%", "450MB"):
            self.assertIn(text, shown)
            self.assertIn(text, self.read("txt"))
        message = email.message_from_string(self.read("eml"), policy=email.policy.default)
        self.assertEqual(message["Subject"], "[FIRING:1] High <memory>")

    def test_what_a_webhook_gets(self):
        alert = {"status": "firing", "labels": {"alertname": "A", "severity": "warning"}, "annotations": {"summary": "S"},
                 "startsAt": "2026-11-23T17:01:53Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://p.example/",
                 "ackURL": "http://agent.example/ack/1"}
        status, _, err = self.preview({"receiver": "team", "alerts": [alert, {**alert, "status": "resolved"}],
                                       "externalURL": "http://agent.example", "truncatedAlerts": 3, "groupLabels": {"a": "b"}})
        self.assertEqual((status, err), (0, ""))
        _, links, shown = far_ends.look_at_html(self.read("html"))
        self.assertEqual(links[0], "http://agent.example/ack/1")
        self.assertEqual(links.count("http://agent.example/ack/1"), 1)  # what is over needs nobody
        for text in ("1 firing, 1 resolved, 3 more", "a=b", "and 3 more", "(team)"):
            self.assertIn(text, shown)

    def test_a_list_through_standard_input(self):
        alerts = [{"title": name, "severity": "info"} for name in ("one", "two")]
        done = subprocess.run([str(lab.BUILD / "toiletmon"), "mail", "preview", "alert", "--data", "-",
                               "--out", str(self.folder / "out")], input=json.dumps(alerts), text=True, timeout=60,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("2 firing", self.read("txt"))

    def test_mistakes(self):
        good = {"title": "a", "severity": "info"}
        for data, why in (("{", "data.json:1:2: "), ("[]", "data.json: there is no alert"), ("{}", "data.json: title: is missing"),
                          ({"alerts": []}, "data.json: alerts: must be a list with something"),
                          ({"alerts": [1]}, "must be an object"),
                          ({"alerts": [{"labels": 1}]}, "data.json: labels: must be an object"),
                          ({**good, "title": 1}, "data.json: title: must be a string"),
                          ({**good, "titel": "b"}, "titel: an alert has no such member; did you mean 'title'?"),
                          ([good, {**good, "severity": "odd"}], "data.json: alert 2: severity: must be info, warning or"),
                          ({**good, "starts_at": "now"}, "data.json: starts_at: must be a time")):
            status, out, err = self.preview(data)
            self.assertEqual((status, out), (1, ""), data)
            self.assertIn(why, err)
        self.assertEqual(lab.cli("mail", "preview", "alert")[0], 2)
        self.assertEqual(lab.cli("mail", "preview", "nothing", "--data", "x", "--out", "y")[0], 2)


if __name__ == "__main__":
    unittest.main()
