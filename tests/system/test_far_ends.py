"""The far ends themselves: they take what the real clients sent, and refuse what is wrong in any one place.

The captured traffic of the contracts is read where it is (TMON_CONTRACTS, or ../shared/contracts beside this tree);
the rest of the tests needs nothing.
"""
import base64
import copy
import http.client
import json
import os
import pathlib
import time
import unittest

import far_ends
import lab

CONTRACTS = pathlib.Path(os.environ.get("TMON_CONTRACTS") or lab.SOURCE.parent / "shared" / "contracts")


def post(server, body, headers=None, method="POST", path=None, seconds=5):
    """(status, body, headers); (None, why, {}) without an answer."""
    conn = http.client.HTTPConnection(server.host, server.port, timeout=seconds)
    try:
        conn.request(method, path or server.path, body, {"Content-Type": "application/json", **(headers or {})})
        answer = conn.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    except (OSError, http.client.HTTPException) as error:
        return None, repr(error), {}
    finally:
        conn.close()


def captured(name):
    path = CONTRACTS / "captures" / f"{name}.json"
    if not path.exists():
        raise unittest.SkipTest(f"there is no {path}")
    for one in json.loads(path.read_text())["requests"]:
        body = base64.b64decode(one["body_base64"]) if "body_base64" in one else one["body_text"].encode()
        headers = {name: value for name, value in one["raw_headers"]
                   if name.lower() not in ("host", "connection", "content-length", "accept-encoding")}
        yield one, body, headers


# ---- Slack

TEXT = {"type": "mrkdwn", "text": "a &amp; b <https://x.example/?a=1&amp;b=2|c>"}
HEADER = {"type": "header", "text": {"type": "plain_text", "text": "Title"}}
SECTION = {"type": "section", "text": TEXT}


def message(*blocks, **more):
    return {"text": "fallback", "attachments": [{"color": "danger", "fallback": "f", "blocks": list(blocks)}], **more}


def plain(text):
    return {"type": "plain_text", "text": text}


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


GOOD_MESSAGES = [
    {"text": "only text"},
    {"blocks": [HEADER, SECTION]},
    message(HEADER, SECTION, {"type": "divider"}),
    message({"type": "header", "text": plain("x" * 150)}, section("x" * 3000)),
    message({"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 900}] * 10}),
    message({"type": "context", "elements": [plain("e")] * 10}),
    message(*[SECTION] * 50),
    message({"type": "actions", "elements": [{"type": "button", "text": plain("x" * 75), "url": "https://x.example/"}]}),
    message({"type": "section", "text": {"type": "mrkdwn", "verbatim": True,
                                         "text": "<!here> <@U1> <!date^1795453309^{date_num} {time}|then> &lt;"}}),
    {"text": "x" * 40000, "attachments": [{"text": "a", "color": "#a0b1c2", "ts": 1700000000}] * 100},
]
BAD_MESSAGES = [
    ("no_text", {}),
    ("no_text", {"text": "", "blocks": [], "attachments": []}),
    ("invalid_payload", []),
    ("invalid_payload", {"text": 5}),
    ("invalid_payload", {"text": "x" * 40001}),
    ("invalid_payload", {"text": "t", "attachments": [{"color": "red"}]}),
    ("invalid_payload", {"text": "t", "attachments": [{"color": "#12345"}]}),
    ("invalid_payload", {"text": "t", "attachments": [{"footer": "x" * 301}]}),
    ("too_many_attachments", {"text": "t", "attachments": [{"text": "a"}] * 101}),
    ("invalid_blocks_format", {"text": "t", "blocks": {}}),
    ("invalid_blocks_format", message({"text": TEXT})),
    ("invalid_blocks", message({"type": "heading", "text": TEXT})),
    ("invalid_blocks", message({"type": "header", "text": TEXT})),
    ("invalid_blocks", message({"type": "header", "text": plain("x" * 151)})),
    ("invalid_blocks", message({"type": "header", "text": plain("\U0001f6bd" * 76)})),
    ("invalid_blocks", message({"type": "header", "text": plain("")})),
    ("invalid_blocks", message({"type": "section"})),
    ("invalid_blocks", message(section("x" * 3001))),
    ("invalid_blocks", message(section(""))),
    ("invalid_blocks", message({"type": "section", "fields": []})),
    ("invalid_blocks", message({"type": "section", "fields": [plain("f")] * 11})),
    ("invalid_blocks", message({"type": "section", "fields": [plain("x" * 2001)]})),
    ("invalid_blocks", message({"type": "section", "text": plain("t"), "colour": "red"})),
    ("invalid_blocks", message({"type": "section", "text": {"type": "markdown", "text": "t"}})),
    ("invalid_blocks", message({"type": "section", "text": {"type": "mrkdwn", "text": "t", "emoji": True}})),
    ("invalid_blocks", message({"type": "context", "elements": [plain("e")] * 11})),
    ("invalid_blocks", message({"type": "context", "elements": []})),
    ("invalid_blocks", message({"type": "actions", "elements": [{"type": "button", "text": plain("x" * 76)}]})),
    ("invalid_blocks", message({"type": "actions", "elements": [{"type": "button", "text": TEXT}]})),
    ("invalid_blocks", message(*[{"type": "divider"}] * 51)),
    ("invalid_blocks", message(*[{"type": "divider"}] * 40, blocks=[{"type": "divider"}] * 11)),
    ("msg_blocks_too_long", message(*[section("x" * 2900)] * 5)),
]
SLOPPY = ["a & b", "a < b", "a > b", "&#39;", "cut &am", "cut &amp", "<javascript:x|y>", "<https://x.example|no end",
          "bell\x07", "c1\x9b", "\u202eright to left"]


class SlackFarEnd(unittest.TestCase):
    def setUp(self):
        self.server = far_ends.Slack()
        self.server.start()
        self.addCleanup(self.server.stop)

    def test_takes_what_slacks_own_client_sent(self):
        for one, body, headers in captured("slack_webhook"):
            if one["replied"]["status"] != 200:  # the capture's own script
                self.server.script(far_ends.status(one["replied"]["status"], one["replied"]["body"]))
            status, text, _ = post(self.server, body, headers)
            self.assertEqual((status, text), (one["replied"]["status"], one["replied"]["body"]), body)
        self.assertEqual(self.server.refused, [])
        self.assertEqual(len(self.server.accepted), 4)

    def test_takes_what_is_right(self):
        for good in GOOD_MESSAGES:
            status, text, headers = post(self.server, json.dumps(good))
            self.assertEqual((status, text, headers["Content-Type"]), (200, "ok", "text/html"), good)
        self.assertEqual(self.server.complaints, [])
        self.assertEqual(len(self.server.accepted), len(GOOD_MESSAGES))

    def test_refuses_what_is_wrong(self):
        for word, bad in BAD_MESSAGES:
            with self.subTest(word=word, bad=str(bad)[:200]):
                self.assertEqual(post(self.server, json.dumps(bad))[:2], (400, word))
        self.assertEqual(self.server.accepted, [])
        self.assertEqual(len(self.server.refused), len(BAD_MESSAGES))

    def test_refuses_what_is_no_message(self):
        for body, headers in [(b"", None), (b"{", None), (b'{"text":"\xff"}', None), (b'{"text":"a","text":"b"}', None),
                              (b'{"text":"a"}', {"Content-Type": "text/plain"}), (b'{"text":"a"}\n{}', None)]:
            self.assertEqual(post(self.server, body, headers)[:2], (400, "invalid_payload"), body)
        self.assertEqual(post(self.server, b'{"text":"a"}', method="PUT")[0], 400)
        self.assertEqual(post(self.server, b'{"text":"a"}', path="/services/T/B/other")[:2], (404, "no_service"))

    def test_complains_of_what_it_takes(self):
        for text in SLOPPY:
            before = len(self.server.complaints)
            self.assertEqual(post(self.server, json.dumps(message(section(text))))[0], 200)
            self.assertGreater(len(self.server.complaints), before, text)

    def test_limits_the_rate(self):
        with far_ends.Slack(rate=1, burst=2) as server:
            answers = [post(server, '{"text":"t"}') for _ in range(3)]
            self.assertEqual([answer[0] for answer in answers], [200, 200, 429])
            self.assertEqual(answers[2][1], "rate_limited")
            self.assertIn(answers[2][2]["Retry-After"], ("1", "2"))
            self.assertEqual((len(server.accepted), len(server.refused)), (2, 0))


class PagersFarEnds(unittest.TestCase):
    TRIGGER = {"routing_key": far_ends.PagerDuty.routing_key, "event_action": "trigger", "dedup_key": "k",
               "payload": {"summary": "s", "source": "x", "severity": "info"}}
    ALERT = {"message": "m", "alias": "a"}

    def start(self, server):
        server.start()
        self.addCleanup(server.stop)
        return server

    def test_takes_what_pagerdutys_own_client_sent(self):
        server = self.start(far_ends.PagerDuty())
        for one, body, headers in captured("pagerduty_events_v2"):
            if one["replied"]["status"] != 202:  # the capture's own script
                server.script(far_ends.status(one["replied"]["status"], one["replied"]["body"]))
            status, text, _ = post(server, body, headers, path=one["target"])
            self.assertEqual((status, json.loads(text)), (one["replied"]["status"], json.loads(one["replied"]["body"])), body)
        self.assertEqual((server.refused, server.closed), ([], ["toiletmon/fp-1"]))

    def test_refuses_events_that_are_wrong(self):
        server = self.start(far_ends.PagerDuty())
        wrong = [{**self.TRIGGER, "routing_key": "short"}, {**self.TRIGGER, "event_action": "close"}, {"routing_key": "x"},
                 {**self.TRIGGER, "dedup_key": "x" * 256}, {**self.TRIGGER, "more": 1}, {**self.TRIGGER, "payload": {}},
                 {**self.TRIGGER, "links": [{"href": "javascript:x"}]}, {**self.TRIGGER, "images": [{"src": "http://x/"}]},
                 {**self.TRIGGER, "event_action": "resolve"}, [], {**self.TRIGGER, "client_url": "x" * 600000}]
        for change in ({"summary": "x" * 1025}, {"summary": ""}, {"source": ""}, {"severity": "page"}, {"timestamp": "now"},
                       {"custom_details": "x"}, {"summary": "\U0001f6bd" * 513}):
            wrong.append({**self.TRIGGER, "payload": {**self.TRIGGER["payload"], **change}})
        for event in wrong:
            self.assertEqual(post(server, json.dumps(event))[0], 400, str(event)[:200])
        self.assertEqual(post(server, b'{"routing_key":"a","routing_key":"b"}')[0], 400)
        self.assertEqual((server.accepted, len(server.refused)), ([], len(wrong) + 1))
        self.assertEqual(post(server, json.dumps(self.TRIGGER))[0], 202)

    def test_refuses_alerts_that_are_wrong(self):
        server = self.start(far_ends.Opsgenie())
        key = {"Authorization": f"GenieKey {server.key}"}
        wrong = [{}, {"message": ""}, {"message": "x" * 131}, {**self.ALERT, "alias": "x" * 513}, {**self.ALERT, "priority": "P0"},
                 {**self.ALERT, "tags": ["x" * 51]}, {**self.ALERT, "tags": ["x"] * 21}, {**self.ALERT, "details": {"a": 1}},
                 {**self.ALERT, "details": {"a": "x" * 8000}}, {**self.ALERT, "description": "x" * 15001},
                 {**self.ALERT, "entity": "x" * 513}, {**self.ALERT, "responders": [{"type": "all"}]}, {**self.ALERT, "more": 1}]
        for alert in wrong:
            self.assertEqual(post(server, json.dumps(alert), key)[0], 422, str(alert)[:200])
        for path in ("/ops/v2/alerts/a/close", "/ops/v2/alerts/a/b/close?identifierType=alias", "/ops/v2/alerts/%ff/close?identifierType=alias"):
            self.assertEqual(post(server, b"{}", key, path=path)[0], 422, path)
        self.assertEqual(post(server, json.dumps(self.ALERT), {"Authorization": "GenieKey x"})[0], 401)
        self.assertEqual(post(server, json.dumps(self.ALERT), key, path="/v2/alerts")[0], 404)
        self.assertEqual(server.accepted, [])
        self.assertEqual(post(server, json.dumps(self.ALERT), key)[0], 202)
        self.assertEqual(post(server, b"{}", key, path="/ops/v2/alerts/a/close?identifierType=alias")[0], 202)
        self.assertEqual(server.closed, ["a"])


class ChatFarEnds(unittest.TestCase):
    MESSAGE = {"content": "c", "allowed_mentions": {"parse": []}}
    RUN = {"type": "TextRun", "text": "t"}
    TEXT = {"type": "TextBlock", "weight": "Bolder", "size": "Medium", "wrap": True, "text": "t"}
    OPEN = {"type": "Action.OpenUrl", "url": "https://x.example/", "title": "t"}

    @staticmethod
    def card(*body, **more):
        return {"type": "message", "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.2",
                "body": list(body), "msteams": {"width": "full"}, **more}}]}

    def test_discord_refuses_what_is_wrong(self):
        field = {"name": "n", "value": "v"}
        embeds = [{"title": "x" * 257}, {"title": "\U0001f6bd" * 129}, {"description": "x" * 4097}, {"title": "t", "color": "red"},
                  {"title": "t", "color": 1 << 24}, {"title": "t", "timestamp": "now"}, {"fields": [field] * 26}, {"color": 1},
                  {"fields": [{"name": "n"}]}, {"fields": [{"name": "", "value": "v"}]}, {"fields": [{"name": "n", "value": " "}]},
                  {"fields": [{"name": "n", "value": "x" * 1025}]}, {"title": "t", "url": "javascript:x"}, {"title": "t", "more": 1},
                  {"title": "t", "footer": {"text": ""}}]
        wrong = [{}, {"content": ""}, {"content": "x" * 2001}, {"content": " "}, {"content": 1}, {"content": "c", "more": 1}, [],
                 {"embeds": [{"title": "t"}] * 11}, {"embeds": [{"description": "x" * 3001}] * 2}, *({"embeds": [one]} for one in embeds)]
        with far_ends.Discord() as server:
            for message in wrong:
                status, text, _ = post(server, json.dumps(message))
                self.assertEqual((status, json.loads(text)["code"]), (400, 50035), str(message)[:200])
            self.assertEqual(post(server, "{}", path=server.path + "x")[0], 401)
            self.assertEqual(post(server, "{}", path="/api/webhooks/1/x")[0], 404)
            self.assertEqual(post(server, json.dumps(self.MESSAGE), path=server.path + "?more=1")[0], 400)
            self.assertEqual((server.accepted, server.complaints), ([], []))
            self.assertEqual(post(server, json.dumps(self.MESSAGE))[0], 204)
            self.assertEqual(post(server, json.dumps(self.MESSAGE), path=server.path + "?wait=true")[0], 200)
            self.assertEqual(server.complaints, [])
            for content in ("*", "a_b", "`", "<@1>", "@everyone", "[a](javascript:b)", "http://x", "> q", "# h", "||s||", "bell\x07", "\\"):
                before = len(server.complaints)
                self.assertEqual(post(server, json.dumps({**self.MESSAGE, "content": content}))[0], 204)
                self.assertGreater(len(server.complaints), before, content)
            post(server, '{"content":"c"}')
            self.assertIn("somebody could be called", server.complaints)

    def test_teams_refuses_what_is_wrong(self):
        rich = {"type": "RichTextBlock", "inlines": [{**self.RUN, "selectAction": {"type": "Action.OpenUrl", "url": "http://x/"}}]}
        wrong = [{}, {"type": "message", "attachments": []}, self.card(), self.card({"type": "Image", "url": "x"}),
                 self.card({**self.TEXT, "text": ""}), self.card({"type": "RichTextBlock", "inlines": []}),
                 self.card({"type": "RichTextBlock", "inlines": [{**self.RUN, "text": ""}]}), self.card(self.TEXT, version="2.0"),
                 self.card({"type": "RichTextBlock", "inlines": [{**self.RUN, "color": "red"}]}), self.card(self.TEXT, more=1),
                 self.card(self.TEXT, actions=[self.OPEN] * 7), self.card(self.TEXT, actions=[{**self.OPEN, "url": "javascript:x"}]),
                 self.card(self.TEXT, actions=[{"type": "Action.OpenUrl", "url": "http://x/"}])]
        with far_ends.Teams() as server, far_ends.Teams(legacy=True) as old:
            where = f"{server.path}?{server.query}"
            for message in wrong:
                self.assertEqual(post(server, json.dumps(message), path=where)[0], 400, str(message)[:200])
                status, text, _ = post(old, json.dumps(message), path=where)
                self.assertEqual((status, "HTTP error 400" in text), (200, True))
            self.assertEqual(post(server, json.dumps(self.card({**self.TEXT, "text": "x" * 29000})), path=where)[0], 413)
            self.assertEqual(post(server, json.dumps(self.card(self.TEXT)))[0], 401)
            self.assertEqual((server.accepted, len(server.refused)), ([], len(wrong) + 2))
            self.assertEqual(post(server, json.dumps(self.card(self.TEXT, rich, actions=[self.OPEN])), path=where)[:2], (202, ""))
            self.assertEqual(post(old, json.dumps(self.card(self.TEXT)), path=where)[:2], (200, "1"))


class IntakeFarEnds(unittest.TestCase):
    EVENT = {"title": "t", "text": "x"}
    CHECK = {"check": "c", "host_name": "h", "status": 0, "tags": []}

    def test_datadog_takes_what_its_own_client_sent(self):
        with far_ends.Datadog() as server:
            for one, body, headers in captured("datadog_api"):
                if one["target"] in ("/api/v1/events", "/api/v1/check_run"):
                    thing = json.loads(body)
                    for each in thing if isinstance(thing, list) else [thing]:  # the capture is old by now
                        each.update({key: int(time.time()) for key in ("date_happened", "timestamp") if key in each})
                    self.assertEqual(post(server, json.dumps(thing), headers, path=one["target"])[0], 202, body)
            self.assertEqual((server.refused, list(server.checks.values())), ([], [2]))
            self.assertEqual([event["alert_type"] for event in server.events["fp-1"]], ["error", "success"])

    def test_datadog_refuses_what_is_wrong(self):
        events = [{}, {"title": "", "text": ""}, {"title": "t"}, []]
        for change in ({"text": "x" * 4001}, {"alert_type": "bad"}, {"priority": "high"}, {"aggregation_key": "x" * 101}, {"more": 1},
                       {"host": "x" * 256}, {"tags": ["A"]}, {"tags": ["a:"]}, {"tags": ["1"]}, {"tags": ["a" * 201]}, {"tags": ["a"] * 101},
                       {"date_happened": time.time() - 19 * 3600}, {"date_happened": "now"}):
            events.append({**self.EVENT, **change})
        checks = [{}, [], [{}], *([{**self.CHECK, **change}] for change in (
            {"status": 4}, {"status": "ok"}, {"status": True}, {"host_name": ""}, {"check": ""}, {"tags": ["A"]},
            {"timestamp": time.time() - 3600}, {"more": 1}))]
        with far_ends.Datadog() as server:
            key = {"DD-API-KEY": server.key}
            for path, wrong in (("/api/v1/events", events), ("/api/v1/check_run", checks)):
                for thing in wrong:
                    self.assertEqual(post(server, json.dumps(thing), key, path=path)[0], 400, str(thing)[:200])
                self.assertEqual(post(server, "{}", path=path)[0], 403)
            self.assertEqual(post(server, json.dumps({**self.EVENT, "text": "x" * 600000}), key, path="/api/v1/events")[0], 413)
            self.assertEqual(post(server, "{}", key, path="/api/v9")[0], 404)
            self.assertEqual(server.accepted, [])
            for text in ("%%% \n*b*\n %%%", "%%% \na %%% b\n %%%", "%%% \nno end"):
                before = len(server.complaints)
                self.assertEqual(post(server, json.dumps({**self.EVENT, "text": text}), key, path="/api/v1/events")[0], 202)
                self.assertGreater(len(server.complaints), before, text)

    def test_sentry_takes_what_its_own_client_sent(self):
        for name in ("sentry_envelope", "sentry_rate_limit", "sentry_429_retry_after"):
            with far_ends.Sentry() as server:
                for one, body, headers in captured(name):
                    project, key = one["target"].split("/")[2], one["target"].split("sentry_key=")[1].split("&")[0]
                    server.path, server.public = f"/api/{project}/envelope/", key
                    headers = {name: value for name, value in headers.items() if name.lower() != "transfer-encoding"}
                    if one["replied"]["status"] != 200:
                        server.script(one["replied"]["status"])
                    headers.setdefault("Content-Type", "application/x-sentry-envelope")  # their client sends none
                    self.assertEqual(post(server, body, headers, path=one["target"])[0], one["replied"]["status"], body[:300])
                self.assertEqual(server.refused, [])

    def test_sentry_refuses_what_is_wrong(self):
        ident = "0123456789abcdef" * 2
        event = {"event_id": ident, "timestamp": 1.5, "platform": "other", "message": "m"}

        def envelope(event, ident=ident, **header):
            data = json.dumps(event).encode()
            return b"%s\n%s\n%s\n" % (json.dumps({"event_id": ident}).encode(),
                                      json.dumps({"type": "event", "length": len(data), **header}).encode(), data)

        wrong = [b"", b"{", b"[]\n", envelope(event, ident="0" * 32), envelope(event, length=5), envelope(event, length=99999),
                 envelope(event, type="alert"), envelope({**event, "message": "x" * 8193}), envelope({**event, "level": "bad"}),
                 envelope({**event, "tags": {"a b": "c"}}), envelope({**event, "tags": {"a": "c\nd"}}), envelope({**event, "tags": [["a", ""]]}),
                 envelope({**event, "tags": {"k" * 33: "v"}}), envelope({**event, "extra": {"a": "x" * 16385}}), envelope({**event, "more": 1}),
                 envelope({**event, "extra": {str(i): "x" * 16000 for i in range(17)}}), envelope({**event, "event_id": "A" * 32}, ident="A" * 32),
                 envelope({**event, "timestamp": "now"})]
        with far_ends.Sentry() as server:
            good = {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_client=a/1, sentry_key={server.public}",
                    "Content-Type": "application/x-sentry-envelope"}
            for body in wrong:
                status, text, headers = post(server, body, good)
                self.assertEqual((status, "X-Sentry-Error" in headers), (400, True), body[:200])
            self.assertEqual(post(server, envelope(event), {**good, "Content-Type": "text/plain"})[0], 400)
            self.assertEqual(post(server, envelope(event), {**good, "X-Sentry-Auth": "Sentry sentry_key=x"})[0], 401)
            self.assertEqual(post(server, envelope(event), good, path="/api/42/envelope/")[0], 404)
            self.assertEqual(post(server, envelope({**event, "message": "x" * 1100000}), good)[0], 413)
            self.assertEqual(server.accepted, [])
            server.limits, server.limited = "60::key", True
            self.assertEqual(post(server, envelope(event), good)[2]["X-Sentry-Rate-Limits"], "60::key")
            server.limited = False
            self.assertEqual([post(server, envelope(event), good)[0] for _ in range(2)], [200, 200])
            self.assertEqual(len(server.events), 1)


class ResendFarEnd(unittest.TestCase):
    MAIL = {"from": "a@far.example", "to": ["b@far.example"], "subject": "s", "text": "t"}

    def start(self, **settings):
        server = far_ends.Resend(**settings)
        server.start()
        self.addCleanup(server.stop)
        return server

    def send(self, server, mail=None, key=None, **headers):
        given = {"Authorization": f"Bearer {server.key}", **({"Idempotency-Key": key} if key is not None else {}), **headers}
        status, text, headers = post(server, json.dumps(mail or self.MAIL), given)
        return status, json.loads(text).get("name", "id"), headers

    def test_takes_what_resends_own_client_sent(self):
        server, taken = self.start(), 0
        for one, body, headers in captured("resend"):
            if one["target"] != "/emails":
                continue  # batches and cancelling are not played
            status, text, _ = post(server, body, {**headers, "Authorization": f"Bearer {server.key}"})
            self.assertEqual((status, list(json.loads(text))), (200, ["id"]), body)
            taken += 1
        self.assertEqual((len(server.accepted), server.refused), (taken, []))
        self.assertGreaterEqual(taken, 3)

    def test_refuses_what_is_wrong(self):
        server = self.start()
        for change, name in (({"from": "x"}, "invalid_from_address"), ({"from": ""}, "missing_required_field"),
                             ({"to": []}, "missing_required_field"), ({"to": ["x"]}, "validation_error"),
                             ({"to": ["a@far.example"] * 51}, "validation_error"), ({"text": ""}, "missing_required_field"),
                             ({"subject": "a\nBcc: x"}, "validation_error"), ({"headers": {"A": "b\r\nC: d"}}, "invalid_parameter"),
                             ({"headers": []}, "invalid_parameter"), ({"tags": [{"name": "a b", "value": "c"}]}, "invalid_parameter")):
            self.assertEqual(self.send(server, {**self.MAIL, **change})[:2], (422, name), change)
        self.assertEqual(self.send(server, Authorization="Bearer x")[:2], (403, "invalid_api_key"))
        self.assertEqual(self.send(server, key="k" * 257)[:2], (400, "invalid_idempotency_key"))
        self.assertEqual(json.loads(post(server, b"{}")[1])["name"], "missing_api_key")
        self.assertEqual(server.mails, [])

    def test_a_key_is_one_mail(self):
        server = self.start()
        self.assertEqual([self.send(server, key="k")[0] for _ in range(2)], [200, 200])
        self.assertEqual(len(server.mails), 1)
        self.assertEqual(self.send(server, {**self.MAIL, "text": "u"}, key="k")[:2], (409, "invalid_idempotent_request"))

    def test_rate_and_quota(self):
        status, name, headers = self.send(self.start(rate=0))
        self.assertEqual((status, name, headers["retry-after"], headers["ratelimit-limit"]), (429, "rate_limit_exceeded", "1", "0"))
        self.assertEqual(self.send(self.start(quota=0))[:2], (429, "daily_quota_exceeded"))

    def test_html_is_looked_at(self):
        for bad in ("<script>x</script>", "<p onclick=x></p>", "<a href='javascript:x'>x</a>", "<p>", "</p>", "<!-- x -->",
                    "<p>\u202e</p>", "<p>" + "x" * 110000 + "</p>"):
            self.assertEqual(len(far_ends.look_at_html(bad)[0]), 1, bad[:50])
        self.assertEqual(far_ends.look_at_html("<p>&lt;script&gt;</p>"), ([], [], "<script>"))


class Script(unittest.TestCase):
    def setUp(self):
        self.server = far_ends.Slack()
        self.server.start()
        self.addCleanup(self.server.stop)

    def test_answers_in_order(self):
        self.server.script(403, far_ends.status(429, "rate_limited", retry_after=7), far_ends.slow(0.05), 503)
        answers = [post(self.server, '{"text":"t"}') for _ in range(5)]
        self.assertEqual([answer[0] for answer in answers], [403, 429, 200, 503, 200])
        self.assertEqual(answers[1][2]["Retry-After"], "7")
        self.assertEqual([one.accepted for one in self.server.received], [False, False, True, False, True])
        self.assertEqual([one.status for one in self.server.received], [403, 429, 200, 503, 200])

    def test_connections_that_end(self):
        self.server.script(far_ends.close(), far_ends.lose(), far_ends.hang())
        self.assertIsNone(post(self.server, '{"text":"t"}')[0])
        self.assertIsNone(post(self.server, '{"text":"t"}')[0])
        self.assertIsNone(post(self.server, '{"text":"t"}', seconds=0.2)[0])
        self.assertEqual([one.accepted for one in self.server.received], [False, True, False])

    def test_always(self):
        self.server.always = far_ends.status(500, "rollup_error")
        self.assertEqual([post(self.server, '{"text":"t"}')[:2] for _ in range(2)], [(500, "rollup_error")] * 2)

    def test_goes_and_comes_back(self):
        self.assertEqual(post(self.server, '{"text":"t"}')[0], 200)
        self.server.stop()
        self.assertIsNone(post(self.server, '{"text":"t"}')[0])
        self.server.start()
        self.assertEqual(post(self.server, '{"text":"t"}')[0], 200)
        self.assertEqual(len(self.server.received), 2)


# ---- Alertmanager's webhook

DOCUMENT = {
    "receiver": "hook", "status": "firing",
    "alerts": [{"status": "firing", "labels": {"alertname": "A", "severity": "critical"},
                "annotations": {"summary": "a < b & c"}, "startsAt": "2026-11-23T17:01:49.71Z",
                "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "b807e636403824b5"},
               {"status": "resolved", "labels": {"alertname": "A"}, "annotations": {},
                "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2020-01-01T00:01:00.123456789Z", "generatorURL": "",
                "fingerprint": far_ends.fingerprint({"alertname": "A"})}],
    "groupLabels": {"alertname": "A"}, "commonLabels": {"alertname": "A"}, "commonAnnotations": {},
    "externalURL": "http://a.example:9909", "version": "4", "groupKey": "{}:{alertname=\"A\"}", "truncatedAlerts": 0}


def change(path, value):
    """A copy of the document with one thing in it changed; value None: taken out."""
    document = copy.deepcopy(DOCUMENT)
    *way, last = path
    at = document
    for step in way:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return document


BAD_DOCUMENTS = [
    change(["receiver"], None), change(["receiver"], 1), change(["more"], 1), change(["version"], "5"),
    change(["version"], 4), change(["status"], "resolved"), change(["status"], "open"), change(["alerts"], []),
    change(["alerts"], {}), change(["truncatedAlerts"], "0"), change(["truncatedAlerts"], -1),
    change(["truncatedAlerts"], True), change(["commonLabels"], {}), change(["commonAnnotations"], {"summary": "x"}),
    change(["groupLabels"], {"alertname": "B"}), change(["groupLabels"], {"alertname": 1}),
    change(["alerts", 0, "status"], "open"), change(["alerts", 0, "endsAt"], "2026-11-23T17:01:49Z"),
    change(["alerts", 1, "endsAt"], "0001-01-01T00:00:00Z"), change(["alerts", 0, "startsAt"], "2026-11-23 17:01:49"),
    change(["alerts", 0, "startsAt"], "2026-11-23T17:01:49.710Z"), change(["alerts", 0, "startsAt"], 1795453309),
    change(["alerts", 0, "startsAt"], "2026-13-23T17:01:49Z"), change(["alerts", 0, "fingerprint"], "b807e636403824b6"),
    change(["alerts", 0, "fingerprint"], "B807E636403824B5"), change(["alerts", 0, "generatorURL"], None),
    change(["alerts", 0, "labels"], {"severity": "critical", "alertname": "A"}),
    change(["alerts", 0, "labels", "severity"], 1), change(["alerts", 0, "key"], "x"),
    dict(reversed(DOCUMENT.items())),
]


def written(document):
    return (far_ends.go_json(document) + "\n").encode()


class WebhookFarEnd(unittest.TestCase):
    def setUp(self):
        self.server = far_ends.Webhook(ours=False)
        self.server.start()
        self.addCleanup(self.server.stop)

    def test_takes_what_alertmanager_sent(self):
        for _, body, headers in captured("alertmanager_webhook"):
            self.assertEqual(post(self.server, body, headers)[:2], (200, ""), body)
        self.assertGreaterEqual(len(self.server.accepted), 4)

    def test_takes_what_is_right(self):
        for document in (DOCUMENT, change(["truncatedAlerts"], 3), change(["alerts", 0, "startsAt"],
                                                                          "2026-11-23T18:01:49.719158593+01:00")):
            self.assertEqual(post(self.server, written(document))[:2], (200, ""))

    def test_refuses_what_is_wrong(self):
        for bad in BAD_DOCUMENTS:
            with self.subTest(bad=bad):
                self.assertEqual(post(self.server, written(bad))[0], 400)
        self.assertEqual(self.server.accepted, [])

    def test_refuses_what_is_written_otherwise(self):
        good = written(DOCUMENT)
        for body in (good[:-1], good + b"\n", good.replace(b"\\u0026", b"&"), good.replace(b"\\u003c", b"\\u003C"),
                     good.replace(b"\\u003c", b"<"), json.dumps(DOCUMENT).encode() + b"\n", b"\xff" + good, b"",
                     good.replace(b'"status":"firing"', b'"status":"firing","status":"firing"', 1)):
            self.assertEqual(post(self.server, body)[0], 400, body)
        self.assertEqual(post(self.server, good, {"Content-Type": "text/plain"})[0], 400)
        self.assertEqual(post(self.server, good, method="PUT")[0], 400)
        self.assertEqual(post(self.server, good, path="/other")[0], 400)
        self.assertEqual(post(self.server, good)[0], 200)

    def test_messages_only_where_they_are_wanted(self):
        empty = written({**DOCUMENT, "alerts": [], "commonLabels": {}, "groupLabels": {}})
        self.assertEqual(post(self.server, empty)[0], 400)
        self.server.messages = True
        self.assertEqual(post(self.server, empty)[0], 200)

    def test_counts_deliveries(self):
        self.server.ours = True
        good = written(DOCUMENT)
        self.assertEqual(post(self.server, good)[0], 400)
        self.assertEqual(post(self.server, good, {"X-Toiletmon-Delivery": "a"})[0], 400)
        self.assertEqual(post(self.server, good, {"X-Toiletmon-Delivery": "a", "X-Toiletmon-Attempt": "0"})[0], 400)
        self.server.script(far_ends.lose())
        for delivery, attempt in (("a", 1), ("a", 2), ("b", 1)):
            post(self.server, good, {"X-Toiletmon-Delivery": delivery, "X-Toiletmon-Attempt": str(attempt)})
        self.assertEqual(self.server.deliveries(), {"a": 2, "b": 1})
        self.assertEqual(self.server.complaints, [])
        post(self.server, good, {"X-Toiletmon-Delivery": "a", "X-Toiletmon-Attempt": "2"})
        self.assertEqual(len(self.server.complaints), 1)

    def test_verifies_signatures(self):
        self.server.secret = "hush"
        good = written(DOCUMENT)
        self.assertEqual(post(self.server, good)[0], 400)
        for signature in (far_ends.sign("other", good), far_ends.sign("hush", good + b" "), "t=1", "v1=00", "",
                          far_ends.sign("hush", good, time.time() - 301), far_ends.sign("hush", good, time.time() + 302),
                          far_ends.sign("hush", good).replace("t=1", "t=2")):
            self.assertEqual(post(self.server, good, {"X-Toiletmon-Signature": signature})[0], 400, signature)
        for signature in (far_ends.sign("hush", good), far_ends.sign("hush", good, time.time() - 290)):
            self.assertEqual(post(self.server, good, {"X-Toiletmon-Signature": signature})[0], 200)

    def test_writes_as_go_does(self):
        self.assertEqual(far_ends.go_json({"a": ["<&>\"\\\n\r\t\b\f\x7f\u2028é\U0001f6bd", 1, True]}),
                         '{"a":["\\u003c\\u0026\\u003e\\"\\\\\\n\\r\\t\\u0008\\u000c\x7f\\u2028é\U0001f6bd",1,true]}')


if __name__ == "__main__":
    unittest.main()
