"""The intakes of Datadog (events and service checks, version 1) and Sentry (envelopes), as strict as their contracts are."""
import json
import re
import time
import urllib.parse

from .documents import CONTROL, TIME, TURNING, Document, JsonEnd, Wrong, loose, need, no_duplicates
from .server import Answer

TAG = re.compile(r"[a-z](?:[a-z0-9_.:/-]{0,198}[a-z0-9_./-])?")
OPEN, SHUT = "%%% \n", "\n %%%"


class Datadog(JsonEnd):
    """`events` by aggregation key, `checks` by name, host and tags. `limit` events are taken, then none for `reset` seconds."""

    key = "0123456789abcdef0123456789abcdef"

    def __init__(self, limit=None, reset=17, tls=None):
        super().__init__(tls=tls)
        self.limit, self.reset = limit, reset
        self.url = super().url("")
        self.events, self.checks = {}, {}

    def tags(self, document):
        for tag in document.list("tags", 100):
            need(isinstance(tag, str) and TAG.fullmatch(tag), f"no tag: {tag!r}")

    def event(self, thing):
        event = Document(thing, "the event", ("title", "text"), ("date_happened", "alert_type", "priority", "aggregation_key", "host",
                                                                 "device_name", "source_type_name", "tags", "related_event_id"))
        event.text("title", 500, 1)
        text = event.text("text", 4000)
        event.word("alert_type", ("error", "warning", "info", "success", "user_update", "recommendation", "snapshot"))
        event.word("priority", ("normal", "low"))
        event.text("aggregation_key", 100, 1)
        event.text("host", 255)
        self.tags(event)
        when = thing.get("date_happened", time.time())
        need(type(when) in (int, float) and time.time() - 18 * 3600 <= when <= time.time() + 600, f"date_happened is {when}")
        if text.startswith(OPEN):
            inside = text[len(OPEN):-len(SHUT)]
            if not text.endswith(SHUT) or "%%%" in inside or loose(inside):
                self.found.append(f"the Markdown is not escaped: {loose(inside)!r} in {text[:200]!r}")
        self.events.setdefault(thing.get("aggregation_key"), []).append(thing)

    def check(self, thing):
        check = Document(thing, "the check", ("check", "host_name", "status", "tags"), ("message", "timestamp"))
        check.text("check", 200, 1)
        check.text("host_name", 255, 1)
        check.text("message")
        need(thing["status"] in (0, 1, 2, 3) and type(thing["status"]) is int, f"the status is {thing['status']!r}")
        need(time.time() - 600 <= thing.get("timestamp", time.time()) <= time.time() + 60, "the timestamp is too far away")
        self.tags(check)
        self.checks[thing["check"], thing["host_name"], tuple(thing["tags"])] = thing["status"]

    def take(self, received):
        thing = self.read(received)
        if received.path == "/api/v1/events":
            self.event(thing)
        else:
            need(isinstance(thing, list) and thing, "the checks are no list")
            for one in thing:
                self.check(one)

    def examine(self, received):
        if received.path not in ("/api/v1/events", "/api/v1/check_run"):
            received.problem = f"no such path: {received.path}"
            return self.answer(404, errors=["Not found"])
        if received.headers.get("dd-api-key") != self.key:
            received.problem = "the key is not right"
            return self.answer(403, errors=[f"Forbidden: {received.headers.get('dd-api-key')}"])
        if self.limit is not None and sum(one.accepted for one in self.received) >= self.limit:
            return Answer(429, b'{"errors":["Too many requests"]}',
                          (f"X-RateLimit-Limit: {self.limit}", "X-RateLimit-Period: 60", "X-RateLimit-Remaining: 0",
                           f"X-RateLimit-Reset: {self.reset}", "X-RateLimit-Name: events"))
        if len(received.body) > 512000:
            received.problem = f"{len(received.body)} bytes"
            return self.answer(413, errors=["Payload too big"])
        self.found = []
        try:
            self.take(received)
        except Wrong as wrong:
            received.problem = str(wrong)
            return self.answer(400, errors=[str(wrong)])
        received.complaints += self.found
        return self.answer(202, status="ok")


class Sentry(JsonEnd):
    """One project. `events` by id, so that one that comes twice is there once. `limits`: sent with each answer; `limited`: none is
    taken. A dsn() of another key or project is refused."""

    public, project = "0123456789abcdef0123456789abcdef", "42"
    item_types = ("event", "transaction", "attachment", "session", "sessions", "client_report", "check_in", "user_report",
                  "feedback", "log", "trace_metric", "profile", "replay_event", "replay_recording", "span")
    most = 1000000

    def __init__(self, tls=None):
        super().__init__(tls=tls)
        self.path = f"/base/api/{self.project}/envelope/"
        self.limits, self.limited, self.events = None, False, {}

    def dsn(self, key=None, project=None, secret=""):
        return f"http://{key or self.public}{secret and ':' + secret}@{self.host}:{self.port}/base/{project or self.project}"

    def authorized(self, received, query):
        header = received.headers.get("x-sentry-auth", "")
        said = dict(part.strip().split("=", 1) for part in header.removeprefix("Sentry ").split(",") if "=" in part) if header \
            else {name: values[0] for name, values in query.items()}
        return said.get("sentry_key") == self.public and said.get("sentry_version") == "7" and bool(said.get("sentry_client"))

    @staticmethod
    def header(line, what):
        try:
            thing = json.loads(line.decode("utf-8"))
        except ValueError as error:
            raise Wrong(f"{what} is no JSON: {error}") from None
        need(isinstance(thing, dict), f"{what} is no object")
        return thing

    def items(self, body):
        """(header, payload) of each item; the envelope's header first, with None."""
        line, _, rest = body.partition(b"\n")
        yield self.header(line, "the envelope's header"), None
        while rest.strip(b"\n"):
            line, _, rest = rest.lstrip(b"\n").partition(b"\n")
            header = self.header(line, "an item's header")
            need(header.get("type") in self.item_types, f"no such item: {header.get('type')!r}")
            if "length" in header:
                need(type(header["length"]) is int and 0 <= header["length"] <= len(rest), "an item's length is not right")
                payload, rest = rest[:header["length"]], rest[header["length"]:]
                need(rest[:1] in (b"", b"\n"), "an item goes on behind its length")
            else:
                payload, _, rest = rest.partition(b"\n")
            yield header, payload

    def event(self, payload, envelope):
        try:
            thing = json.loads(payload.decode("utf-8"), object_pairs_hook=no_duplicates)
        except ValueError as error:
            raise Wrong(f"an event is no JSON: {error}") from None
        event = Document(thing, "the event", ("event_id", "timestamp", "platform"),
                         ("level", "message", "logentry", "logger", "server_name", "release", "dist", "environment", "tags", "extra",
                          "contexts", "fingerprint", "exception", "breadcrumbs", "user", "modules", "sdk"))
        need(re.fullmatch("[0-9a-f]{32}", event.text("event_id")), "the event's id is none")
        need(envelope.get("event_id") == thing["event_id"], "the envelope is of another event")
        event.word("level", ("fatal", "error", "warning", "info", "debug"))
        need(type(thing["timestamp"]) in (int, float) or TIME.fullmatch(event.text("timestamp")), "the timestamp is none")
        if isinstance(thing.get("message"), str):
            event.text("message", 8192, 1)
        pairs = thing.get("tags", {})
        for key, value in pairs.items() if isinstance(pairs, dict) else pairs:
            need(re.fullmatch(r"[A-Za-z0-9_.:-]{1,32}", key), f"no key of a tag: {key!r}")
            need(isinstance(value, str) and 0 < len(value.encode("utf-16-le")) // 2 <= 200 and "\n" not in value, f"no tag: {value!r}")
        extra = {key: json.dumps(value, ensure_ascii=False).encode() for key, value in thing.get("extra", {}).items()}
        need(all(len(value) <= 16384 for value in extra.values()), "an extra is above 16 kB")
        need(sum(map(len, extra.values())) <= 262144, "the extras are above 256 kB")
        need(all(isinstance(one, str) for one in event.list("fingerprint")), "the fingerprint is not of texts")
        return thing

    def take(self, received):
        kind = received.headers.get("content-type")
        need(kind in (None, "application/x-sentry-envelope"), f"the content type is {kind!r}")
        (envelope, _), *items = self.items(received.body)
        need(TIME.fullmatch(envelope.get("sent_at", "2000-01-01T00:00:00Z")), "sent_at is no time")
        for header, payload in items:
            if header["type"] == "event":
                received.json = self.event(payload, envelope)
                received.complaints += [f"a control character in {text!r}" for text in self.texts(received.json)
                                        if CONTROL.search(text) or TURNING.search(text)]
                self.events.setdefault(received.json["event_id"], received.json)
        return envelope.get("event_id", "0" * 32)

    def texts(self, thing):
        if isinstance(thing, str):
            yield thing
        elif isinstance(thing, (dict, list)):
            for one in [*thing, *thing.values()] if isinstance(thing, dict) else thing:
                yield from self.texts(one)

    def examine(self, received):
        path, _, query = received.path.partition("?")
        headers = (f"X-Sentry-Rate-Limits: {self.limits}",) if self.limits is not None else ()
        if path != self.path:
            received.problem = f"no such project: {path}"
            return self.answer(404, detail="not found")
        if not self.authorized(received, urllib.parse.parse_qs(query)):
            received.problem = "the key is not right"
            return self.answer(401, detail=f"bad sentry DSN public key: {received.headers.get('x-sentry-auth')}")
        if self.limited:
            return Answer(429, b'{"detail":"Sentry dropped data due to a quota or internal rate limit being reached."}', headers)
        if len(received.body) > self.most:
            received.problem = f"{len(received.body)} bytes"
            return self.answer(413, detail="envelope exceeded size limits")
        try:
            need(received.method == "POST", f"the method is {received.method}")
            ident = self.take(received)
        except Wrong as wrong:
            received.problem = str(wrong)
            return Answer(400, json.dumps({"detail": "invalid event envelope", "causes": [str(wrong)]}).encode(),
                          (f"X-Sentry-Error: {' '.join(str(wrong).split())[:200]}",))
        return Answer(200, json.dumps({"id": ident}).encode(), headers)
