"""A receiver of Alertmanager's webhook, version 4, as strict as one can be, and of the headers that ours adds."""
import collections
import hashlib
import hmac
import json
import re
import time

from .documents import Wrong, need
from .server import Answer, FarEnd

DOCUMENT = ["receiver", "status", "alerts", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "version",
            "groupKey", "truncatedAlerts"]
ALERT = ["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"]
TIME = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
                  r"(?:\.\d{0,8}[1-9])?(?:Z|[+-]\d\d:\d\d)")
NEVER = "0001-01-01T00:00:00Z"
GO_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
WINDOW_S = 300


def _go_string(text):
    def escape(match):
        return GO_ESCAPES.get(match.group()) or f"\\u{ord(match.group()):04x}"
    return '"' + re.sub('["\\\\\x00-\x1f&<>\u2028\u2029]', escape, text) + '"'


def go_json(value):
    """Text as Go's encoding/json writes it, in the order that the value has."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_go_string(key)}:{go_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(go_json, value)) + "]"
    return _go_string(value) if isinstance(value, str) else json.dumps(value)


def fingerprint(labels):
    """FNV-1a over names and values in order, with 0xff behind each."""
    value = 0xcbf29ce484222325
    for name in sorted(labels, key=lambda text: text.encode()):
        for byte in name.encode() + b"\xff" + labels[name].encode() + b"\xff":
            value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return f"{value:016x}"


def _ordered(pairs):
    need(len({key for key, _ in pairs}) == len(pairs), "a key is there twice")
    return dict(pairs)


def _shape(thing, keys, what):
    need(isinstance(thing, dict), f"{what} is no object")
    need(list(thing) == keys, f"{what} has the keys {list(thing)}")


def _map(thing, what):
    need(isinstance(thing, dict) and all(isinstance(value, str) for value in thing.values()),
         f"{what} is no map of strings")
    need(list(thing) == sorted(thing, key=lambda text: text.encode("utf-8", "surrogatepass")), f"{what} is not sorted")


def _common(maps):
    first, *rest = maps or [{}]
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in rest)}


def _alert(alert, fingerprints):
    _shape(alert, ALERT, "an alert")
    need(alert["status"] in ("firing", "resolved"), f"an alert's status is {alert['status']!r}")
    _map(alert["labels"], "labels")
    _map(alert["annotations"], "annotations")
    for key in ("startsAt", "endsAt"):
        need(isinstance(alert[key], str) and TIME.fullmatch(alert[key]), f"{key} is {alert[key]!r}")
    need((alert["endsAt"] == NEVER) == (alert["status"] == "firing"), f"{alert['status']} and ends {alert['endsAt']}")
    need(isinstance(alert["generatorURL"], str), "generatorURL is no string")
    need(re.fullmatch("[0-9a-f]{16}", str(alert["fingerprint"])), f"the fingerprint is {alert['fingerprint']!r}")
    need(not fingerprints or alert["fingerprint"] == fingerprint(alert["labels"]), "the fingerprint is of other labels")


def check_document(body, fingerprints=True, messages=False):
    """The document of a body; raises Wrong. `messages`: one without alerts may come."""
    try:
        text = body.decode("utf-8")
        document = json.loads(text, object_pairs_hook=_ordered)
    except ValueError as error:
        raise Wrong(f"no JSON: {error}") from None
    _shape(document, DOCUMENT, "the document")
    need(document["version"] == "4", f"the version is {document['version']!r}")
    for key in ("receiver", "externalURL", "groupKey"):
        need(isinstance(document[key], str), f"{key} is no string")
    need(type(document["truncatedAlerts"]) is int and document["truncatedAlerts"] >= 0, "truncatedAlerts is no count")
    alerts = document["alerts"]
    need(isinstance(alerts, list) and (alerts or messages), "there are no alerts")
    for alert in alerts:
        _alert(alert, fingerprints)
    for key in ("groupLabels", "commonLabels", "commonAnnotations"):
        _map(document[key], key)
    firing = any(alert["status"] == "firing" for alert in alerts)
    need(document["status"] in (["firing"] if firing else ["firing", "resolved"]),
         f"the status is {document['status']!r}")
    need(document["status"] == "resolved" or firing or document["truncatedAlerts"] or not alerts,
         "firing, but no alert of it is")
    if alerts:
        need(document["commonLabels"] == _common([alert["labels"] for alert in alerts]), "commonLabels are not common")
        need(document["commonAnnotations"] == _common([alert["annotations"] for alert in alerts]),
             "commonAnnotations are not common")
        need(document["groupLabels"].items() <= document["commonLabels"].items(), "groupLabels are not of its alerts")
    need(text.replace("\\ufffd", "\ufffd") == go_json(document) + "\n", "it is not written as Go writes it, LF at the end")
    return document


def sign(secret, body, now=None):
    """The value of X-Toiletmon-Signature."""
    at = int(time.time() if now is None else now)
    return f"t={at},v1={hmac.new(secret.encode(), b'%d.' % at + body, hashlib.sha256).hexdigest()}"


def verify(secret, header, body, now=None):
    """Whether a signature is right and not older, or younger, than the window."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    if not parts.get("t", "").isdigit() or abs((time.time() if now is None else now) - int(parts["t"])) > WINDOW_S:
        return False
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts.get("v1", ""))


class Webhook(FarEnd):
    """`ours`: the headers of toiletmon must be there; `secret`: and a signature made with it."""

    path = "/hook"

    def __init__(self, secret=None, ours=True, fingerprints=True, messages=False, tls=None):
        super().__init__(tls=tls)
        self.secret, self.ours, self.fingerprints, self.messages = secret, ours, fingerprints, messages
        self.url = super().url(self.path)
        self.attempts = {}  # delivery id: the last attempt

    def deliveries(self):
        """Delivery id: how often it was accepted."""
        return collections.Counter(one.headers.get("x-toiletmon-delivery") for one in self.accepted)

    def check_headers(self, received):
        delivery, attempt = (received.headers.get(f"x-toiletmon-{name}", "") for name in ("delivery", "attempt"))
        need(delivery, "there is no X-Toiletmon-Delivery")
        need(re.fullmatch("[1-9][0-9]*", attempt), f"X-Toiletmon-Attempt is {attempt!r}")
        if int(attempt) <= self.attempts.get(delivery, 0):
            received.complaints.append(f"attempt {attempt} of {delivery} after {self.attempts[delivery]}")
        self.attempts[delivery] = int(attempt)

    def examine(self, received):
        try:
            need(received.method == "POST", f"the method is {received.method}")
            need(received.path == self.path, f"the path is {received.path}")
            need(received.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json",
                 f"the content type is {received.headers.get('content-type')!r}")
            if self.ours:
                self.check_headers(received)
            if self.secret is not None:
                need(verify(self.secret, received.headers.get("x-toiletmon-signature", ""), received.body),
                     "the signature is not right")
            received.json = check_document(received.body, self.fingerprints, self.messages)
        except Wrong as wrong:
            received.problem = str(wrong)
            return Answer(400, str(wrong).encode())
        return Answer(200)
