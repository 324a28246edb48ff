"""Sinks without an agent: format(), judge() and deliver() of a plugin in a process of its own (sink_harness.c).

    with sinks.Sink("webhook", url=receiver.url) as sink:
        outcome = sink.post(sinks.notification(alerts=[sinks.alert()]))
        self.assertEqual(outcome.rc, sinks.OK)

Texts may be bytes that are no UTF-8, of any length: nothing of the agent's stands between.
"""
import dataclasses
import http.client
import subprocess
import urllib.parse

import lab
from far_ends import fingerprint

OK, RETRY, AMBIGUOUS, REJECTED = range(4)
CRITICAL, WARNING, INFO = 2, 1, 0
DEBUG_LEVEL, INFO_LEVEL, WARNING_LEVEL, ERROR_LEVEL = range(4)
PHASE_CONNECT, PHASE_ANSWER = 2, 4
START_MS = 1795453309719  # 2026-11-23T17:01:49.719Z


def alert(name="HighMemory", severity=CRITICAL, firing=True, labels=None, annotations=None, summary="Memory at 93 %",
          **more):
    """An alert as the agent hands it over; what is left out is as usual."""
    word = {CRITICAL: "critical", WARNING: "warning", INFO: "info"}.get(severity, "critical")
    labels = {"alertname": name, "severity": word} if labels is None else labels
    made = {"severity": severity, "firing": firing, "name": name, "summary": summary, "description": "",
            "starts_ms": START_MS, "ends_ms": 0 if firing else START_MS + 60000, "labels": labels,
            "annotations": {"summary": summary} if annotations is None else annotations,
            "generator_url": "http://prom.example/graph?g0.expr=up&g0.tab=1", "ack_url": "", **more}
    if "fingerprint" not in made:
        good = all(isinstance(text, str) for pair in dict(labels).items() for text in pair)
        made["fingerprint"] = fingerprint(dict(labels)) if good else "0" * 16
    return {"key": f"{made['fingerprint']}-1", **made}


def notification(alerts=(), **more):
    alerts = list(alerts)
    return {"attempt": 1, "id": "n-1", "resolved": bool(alerts) and not any(one["firing"] for one in alerts),
            "ntruncated": 0, "group_key": '{}:{alertname="HighMemory"}', "receiver": "hook",
            "external_url": "http://agent.example:9909", "title": "HighMemory", "text": "", "group": {}, **more,
            "alerts": alerts}


def tokens(thing):
    """Texts, numbers, maps and lists, as netstrings."""
    if isinstance(thing, (dict, list)):
        items = thing.items() if isinstance(thing, dict) else thing
        yield from tokens(len(items))
        for item in items:
            for part in item if isinstance(item, tuple) else [item]:
                yield from tokens(part)
        return
    data = thing if isinstance(thing, bytes) else str(int(thing) if isinstance(thing, bool) else thing).encode()
    yield b"%d:%s," % (len(data), data)


def _fields(thing, names):
    for name in names.split():
        yield from tokens(thing[name])


def encode(given):
    yield from _fields(given, "attempt id resolved ntruncated group_key receiver external_url title text group")
    yield from tokens(len(given["alerts"]))
    for one in given["alerts"]:
        yield from _fields(one, "severity firing key name summary description starts_ms ends_ms fingerprint "
                                "generator_url ack_url labels annotations")


@dataclasses.dataclass
class Outcome:
    rc: int
    retry_after_ms: int
    said: list  # (level, text)
    request: object = None  # of format(): method, url, headers, body

    @property
    def message(self):
        return self.said[-1][1] if self.said else ""


@dataclasses.dataclass
class Request:
    method: str
    url: str
    headers: list
    body: bytes


class Sink:
    """An instance of a component; settings are texts, and dicts for maps."""

    def __init__(self, component, file=None, **settings):
        lines = [f"{key}: {self.written(value)}" for key, value in settings.items()]
        self.argv = [lab.BUILD / "tests/system/sink_harness", file or lab.BUILD / "plugins" / f"{component}.so",
                     component, "\n".join(lines)]

    @staticmethod
    def written(value):
        if isinstance(value, list):
            return "[" + ", ".join(map(str, value)) + "]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key}: {text}" for key, text in value.items()) + "}"
        return value

    def __enter__(self):
        self.process = subprocess.Popen([str(word) for word in self.argv], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        created = self.outcome()
        assert created.rc == OK, created
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        status = self.process.wait(20 * lab.PATIENCE)
        assert status == 0, f"the sink's process ended with {status}"

    def token(self):
        out, digits = self.process.stdout, b""
        while (byte := out.read(1)) != b":":
            assert byte, "the sink's process is gone"
            digits += byte
        data = out.read(int(digits))
        assert out.read(1) == b","
        return data

    def number(self):
        return int(self.token())

    def outcome(self):
        rc, retry_after_ms = self.number(), self.number()
        said = [(self.number(), self.token().decode()) for _ in range(self.number())]  # UTF-8, or it fails
        problem = self.token().decode()
        assert not problem, problem
        return Outcome(rc, retry_after_ms, said)

    def ask(self, what, parts):
        self.process.stdin.write(b"".join([b"1:%s," % what, *parts]))
        self.process.stdin.flush()
        return self.outcome()

    def format(self, given):
        outcome = self.ask(b"F", encode(given))
        if outcome.rc == OK:
            method, url = self.token().decode(), self.token().decode()
            headers = [(self.token().decode(), self.token().decode()) for _ in range(self.number())]
            outcome.request = Request(method, url, headers, self.token())
        return outcome

    def deliver(self, given):
        return self.ask(b"D", encode(given))

    def judge(self, status, body=b"", retry_after_ms=-1, error="", phase=0, headers=None):
        """`headers`: of the answer; the agent hands their names over in lower case."""
        headers = {name.lower(): text for name, text in (headers or {}).items()}
        return self.ask(b"J", [part for thing in (status, retry_after_ms, body, error, phase, headers) for part in tokens(thing)])

    def post(self, given, seconds=5):
        """format(), the request's way to the far end, judge() of what came back."""
        formatted = self.format(given)
        if formatted.rc != OK:
            return formatted
        request = formatted.request
        place = urllib.parse.urlsplit(request.url)
        conn = http.client.HTTPConnection(place.hostname, place.port, timeout=seconds * lab.PATIENCE)
        try:
            try:
                conn.connect()
            except OSError as error:
                return self.judge(0, error=error, phase=PHASE_CONNECT)
            try:
                conn.request(request.method, urllib.parse.urlunsplit(("", "", place.path, place.query, "")), request.body,
                             dict(request.headers))
                answer = conn.getresponse()
                data = answer.read()
            except (OSError, http.client.HTTPException) as error:
                return self.judge(0, error=error, phase=PHASE_ANSWER)
        finally:
            conn.close()
        wait = answer.headers.get("Retry-After", "")
        return self.judge(answer.status, data, int(wait) * 1000 if wait.isdigit() else -1,
                          headers=dict(answer.headers))
