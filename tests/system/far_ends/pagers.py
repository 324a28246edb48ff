"""PagerDuty's Events API v2 and Opsgenie's Alert API v2, as strict as their contracts are."""
import re
import urllib.parse

from .documents import TIME, Document, JsonEnd, Wrong, need, units
from .server import Answer



class PagerDuty(JsonEnd):
    """`incidents` are open, by dedup key; `closed` and `acknowledged` are keys."""

    path = "/v2/enqueue"
    routing_key = "R0UT1NGK3Y0000000000000000000000"
    most = 512000

    def __init__(self, tls=None):
        super().__init__(tls=tls)
        self.url = super().url(self.path)
        self.incidents, self.closed, self.acknowledged = {}, [], []

    def payload(self, thing):
        payload = Document(thing, "the payload", ("summary", "source", "severity"),
                           ("timestamp", "component", "group", "class", "custom_details"))
        payload.text("summary", 1024, 1)
        payload.text("source", None, 1)
        payload.word("severity", ("critical", "error", "warning", "info"))
        need(TIME.fullmatch(payload.text("timestamp") or "2000-01-01T00:00:00Z"), "the timestamp is none")
        for key in ("component", "group", "class"):
            payload.text(key)
        need(isinstance(thing.get("custom_details", {}), dict), "custom_details are no object")

    def event(self, thing):
        event = Document(thing, "the event", ("routing_key", "event_action"),
                         ("dedup_key", "payload", "images", "links", "client", "client_url"))
        need(len(event.text("routing_key")) == 32, "Invalid routing key")
        event.word("event_action", ("trigger", "acknowledge", "resolve"))
        event.text("dedup_key", 255)
        if thing["event_action"] != "trigger":
            need(thing.get("dedup_key"), "there is no dedup_key")
            need(set(thing) == {"routing_key", "event_action", "dedup_key"}, "an end says more than its key")
            return
        need("payload" in thing, "there is no payload")
        self.payload(thing["payload"])
        for item in event.list("links"):
            link = Document(item, "a link", ("href",), ("text",))
            link.link("href")
            link.text("text")
        for item in event.list("images"):
            image = Document(item, "an image", ("src",), ("href", "alt"))
            need(image.text("src").startswith("https://"), "src of an image is not https")
        event.text("client")
        event.link("client_url")

    def note(self, thing):
        """What becomes of the incident; an end of none is dropped without a word, as PagerDuty does."""
        key, action = thing.get("dedup_key") or "srv-generated", thing["event_action"]
        if action == "trigger":
            self.incidents[key] = thing["payload"]
        elif action == "acknowledge" and key in self.incidents:
            self.acknowledged.append(key)
        elif action == "resolve" and key in self.incidents:
            del self.incidents[key]
            self.closed.append(key)
        return key

    def change(self, thing):
        Document(thing, "the change", ("routing_key", "payload"), ("links",))
        Document(thing["payload"], "the payload", ("summary",), ("source", "timestamp", "custom_details")).text("summary", 1024, 1)

    def examine(self, received):
        if received.path not in (self.path, "/v2/change/enqueue"):
            received.problem = f"no such path: {received.path}"
            return Answer(404, b"{}")
        try:
            need(len(received.body) <= self.most, f"{len(received.body)} bytes")
            thing = self.read(received)
            if received.path != self.path:
                self.change(thing)
                return self.answer(202, status="success", message="Change event processed")
            self.event(thing)
            need(thing["routing_key"] == self.routing_key, f"Invalid routing key: {thing['routing_key']}")
        except Wrong as wrong:
            received.problem = str(wrong)
            return self.answer(400, status="invalid event", message="Event object is invalid", errors=[str(wrong)])
        return self.answer(202, status="success", message="Event processed", dedup_key=self.note(thing))


class Opsgenie(JsonEnd):
    """`incidents` are open, by alias; `closed` and `acknowledged` are aliases. The URL has a path in front, as behind a proxy."""

    base = "/ops"
    key = "eb243592-faa2-4ba2-a551q-1afdf565c889"

    def __init__(self, tls=None):
        super().__init__(tls=tls)
        self.url = super().url(self.base)
        self.path = f"{self.base}/v2/alerts"
        self.incidents, self.closed, self.acknowledged = {}, [], []

    def created(self, thing):
        alert = Document(thing, "the alert", ("message",),
                         ("alias", "description", "responders", "visibleTo", "actions", "tags", "details", "entity", "source",
                          "priority", "user", "note"))
        for key, most in (("message", 130), ("alias", 512), ("description", 15000), ("entity", 512), ("source", 100), ("user", 100),
                          ("note", 25000)):
            alert.text(key, most, key == "message")
        alert.word("priority", ("P1", "P2", "P3", "P4", "P5"))
        for key in ("responders", "visibleTo"):
            for item in alert.list(key, 50):
                Document(item, key, ("type",), ("id", "name", "username")).word("type", ("team", "user", "escalation", "schedule"))
        for key, most in (("actions", 10), ("tags", 20)):
            need(all(isinstance(item, str) and 0 < units(item) <= 50 for item in alert.list(key, most)), f"{key} are too long")
        details = thing.get("details", {})
        need(isinstance(details, dict) and all(isinstance(text, str) for text in details.values()), "details are no map of strings")
        need(sum(units(key) + units(text) for key, text in details.items()) <= 8000, "details have more than 8000 characters")
        self.incidents[thing.get("alias", "")] = thing

    def changed(self, received, thing):
        """Close or acknowledge; that there is no such alert comes out later, and not here."""
        match = re.fullmatch(re.escape(self.path) + r"/([^/?#]+)/(close|acknowledge)\?identifierType=alias", received.path)
        need(match, f"no such path: {received.path}")
        alias = urllib.parse.unquote(match.group(1), errors="strict")
        need(units(alias) <= 512, "the alias is too long")
        ending = Document(thing, "the end", (), ("user", "source", "note"))
        for key, most in (("user", 100), ("source", 100), ("note", 25000)):
            ending.text(key, most)
        if match.group(2) == "close" and self.incidents.pop(alias, None) is not None:
            self.closed.append(alias)
        if match.group(2) == "acknowledge" and alias in self.incidents:
            self.acknowledged.append(alias)

    def examine(self, received):
        if received.headers.get("authorization") != f"GenieKey {self.key}":
            received.problem = "the key is not right"
            return self.answer(401, message=f"Could not authenticate {received.headers.get('authorization')}", took=0.0)
        if not received.path.startswith(self.path):
            received.problem = f"no such path: {received.path}"
            return self.answer(404, message="no such path", took=0.0)
        try:
            thing = self.read(received)
            if received.path == self.path:
                self.created(thing)
            else:
                self.changed(received, thing)
        except (Wrong, UnicodeDecodeError) as wrong:
            received.problem = str(wrong)
            return self.answer(422, message=str(wrong), took=0.0)
        return self.answer(202, result="Request will be processed", took=0.1, requestId="43a29c5c-3dbf-4fa4-9c26-f4f71023e120")
