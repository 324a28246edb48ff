"""Discord's webhooks and the workflows of Teams, as strict as their contracts are."""
import json
import time
import urllib.parse

from .documents import TIME, Document, JsonEnd, Wrong, loose, need
from .server import Answer


class Bucket:
    """`burst` requests at once, `rate` a second after that; a rate of None has no limit."""

    def __init__(self, rate, burst):
        self.rate, self.burst, self.tokens, self.refilled = rate, burst, float(burst), time.monotonic()

    def take(self, now):
        """Seconds until there is room; 0: there was."""
        if self.rate is None:
            return 0.0
        self.tokens = min(float(self.burst), self.tokens + (now - self.refilled) * self.rate)
        self.refilled = now
        if self.tokens < 1:
            return (1 - self.tokens) / self.rate
        self.tokens -= 1
        return 0.0


class Discord(JsonEnd):
    """The hook of one channel. `rate` messages a second after `burst` at once."""

    id, token = "1234567890", "tOkEn_of-the.hook0123456789"
    path = f"/api/webhooks/{id}/{token}"

    def __init__(self, rate=None, burst=5, tls=None):
        super().__init__(tls=tls)
        self.bucket = Bucket(rate, burst)
        self.url = super().url(self.path)

    def text(self, document, key, most, least=0):
        text = document.text(key, most, least)
        need(not text or text.strip(), f"{key} of {document.what} is blank")
        if loose(text):
            self.found.append(f"{key} of {document.what} is not escaped: {loose(text)!r} in {text[:200]!r}")
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def embed(self, thing):
        embed = Document(thing, "an embed", (), ("title", "type", "description", "url", "timestamp", "color", "footer", "image",
                                                 "thumbnail", "author", "fields"))
        total = self.text(embed, "title", 256) + self.text(embed, "description", 4096)
        colour = thing.get("color", 0)
        need(type(colour) is int and 0 <= colour <= 0xffffff, f"no colour: {colour!r}")
        need(TIME.fullmatch(embed.text("timestamp") or "2000-01-01T00:00:00Z"), "the timestamp is none")
        embed.link("url")
        for item in embed.list("fields", 25):
            field = Document(item, "a field", ("name", "value"), ("inline",))
            total += self.text(field, "name", 256, 1) + self.text(field, "value", 1024, 1)
        if "footer" in thing:
            total += self.text(Document(thing["footer"], "a footer", ("text",), ("icon_url",)), "text", 2048, 1)
        need(total > 0, "an embed is empty")
        return total

    def message(self, thing):
        message = Document(thing, "the message", (), ("content", "embeds", "username", "avatar_url", "allowed_mentions", "tts",
                                                      "flags", "thread_name"))
        self.text(message, "content", 2000)
        message.text("username", 80)
        embeds = message.list("embeds", 10)
        need(thing.get("content") or embeds, "there is nothing in it")
        total = sum(map(self.embed, embeds))
        need(total <= 6000, f"{total} characters in all embeds, 6000 are allowed")
        if thing.get("allowed_mentions") != {"parse": []}:
            self.found.append("somebody could be called")

    @staticmethod
    def refuse(status, message, code, **more):
        return Answer(status, json.dumps({"message": message, "code": code, **more}).encode())

    def limited(self, wait):
        shown = f"{wait:.3f}"
        return Answer(429, json.dumps({"message": "You are being rate limited.", "retry_after": float(shown), "global": False}).encode(),
                      (f"Retry-After: {int(wait) + 1}", "X-RateLimit-Remaining: 0", f"X-RateLimit-Reset-After: {shown}"))

    def examine(self, received):
        path, _, query = received.path.partition("?")
        if path != self.path:
            received.problem = f"no such hook: {path}"
            known = path.startswith(f"/api/webhooks/{self.id}/")
            return self.refuse(401, "Invalid Webhook Token", 50027) if known else self.refuse(404, "Unknown Webhook", 10015)
        query = urllib.parse.parse_qs(query, strict_parsing=bool(query))
        wait = self.bucket.take(received.at)
        if wait:
            return self.limited(wait)
        self.found = []
        try:
            need(set(query) <= {"wait", "thread_id"}, f"the query has {sorted(query)}")
            self.message(self.read(received))
        except Wrong as wrong:
            received.problem = str(wrong)
            return self.refuse(400, "Invalid Form Body", 50035, errors={"_errors": [{"message": str(wrong)}]})
        received.complaints += self.found
        if query.get("wait") == ["true"]:
            return self.answer(200, id="1", type=0)
        return Answer(204)


class Teams(JsonEnd):
    """A workflow that posts cards; `legacy`: the connector that it replaced, which says everything with a 200."""

    path = "/workflows/0123abcd/triggers/manual/paths/invoke"
    signature = "S1gnature_of-the-workflow0123456789"
    most = 28 * 1024
    colours = ("Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention")

    def __init__(self, rate=None, burst=4, legacy=False, tls=None):
        super().__init__(tls=tls)
        self.bucket, self.legacy = Bucket(rate, burst), legacy
        self.query = f"api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={self.signature}"
        self.url = super().url(f"{self.path}?{self.query}")

    def action(self, thing, titled):
        action = Document(thing, "an action", ("type", "url"), ("title",))
        action.word("type", ("Action.OpenUrl",))
        action.link("url")
        action.text("title", 100, 1 if titled else 0)
        need(not titled or "title" in thing, "an action has no title")

    def run(self, thing):
        run = Document(thing, "a run", ("type", "text"), ("size", "weight", "color", "isSubtle", "selectAction", "italic",
                                                          "strikethrough", "highlight", "fontType"))
        run.word("type", ("TextRun",))
        run.text("text", None, 1)
        run.word("size", ("Small", "Default", "Medium", "Large", "ExtraLarge"))
        run.word("weight", ("Lighter", "Default", "Bolder"))
        run.word("color", self.colours)
        run.word("isSubtle", (True, False))
        if "selectAction" in thing:
            self.action(thing["selectAction"], False)

    def element(self, thing):
        kind = thing.get("type") if isinstance(thing, dict) else None
        if kind == "TextBlock":
            block = Document(thing, "a text", ("type", "text"), ("weight", "size", "wrap", "color", "isSubtle", "separator", "spacing"))
            block.text("text", None, 1)
            return
        need(kind == "RichTextBlock", f"no such element: {kind!r}")
        block = Document(thing, "a rich text", ("type", "inlines"), ("separator", "spacing", "horizontalAlignment"))
        block.word("spacing", ("None", "Small", "Default", "Medium", "Large", "ExtraLarge", "Padding"))
        block.word("separator", (True, False))
        need(block.list("inlines"), "a rich text is empty")
        for item in thing["inlines"]:
            self.run(item)

    def card(self, thing):
        card = Document(thing, "the card", ("$schema", "type", "version", "body"), ("actions", "msteams", "fallbackText"))
        card.word("$schema", ("http://adaptivecards.io/schemas/adaptive-card.json",))
        card.word("type", ("AdaptiveCard",))
        card.word("version", ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5"))
        need(card.list("body"), "the card is empty")
        for item in thing["body"]:
            self.element(item)
        for item in card.list("actions", 6):
            self.action(item, True)
        need(thing.get("msteams", {}) in ({}, {"width": "full"}), "msteams is not known")

    def message(self, thing):
        message = Document(thing, "the message", ("type", "attachments"))
        message.word("type", ("message",))
        need(len(message.list("attachments", 10)) > 0, "there is no attachment")
        for item in thing["attachments"]:
            attachment = Document(item, "an attachment", ("contentType", "content"), ("contentUrl",))
            attachment.word("contentType", ("application/vnd.microsoft.card.adaptive",))
            attachment.word("contentUrl", (None,))
            self.card(item["content"])

    def failed(self, status, why):
        if self.legacy:
            return Answer(200, f"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {status} "
                               f"with ContextId MS-CV=x: {why}".encode())
        return self.answer(status, error={"code": "Failed", "message": why})

    def examine(self, received):
        if received.path != f"{self.path}?{self.query}":
            received.problem = "the signature is not right"
            return self.answer(401, error={"code": "DirectApiAuthorizationRequired", "message": f"no {received.path}"})
        if self.bucket.take(received.at):
            return self.failed(429, "throttled")
        try:
            if len(received.body) > self.most:
                received.problem = f"{len(received.body)} bytes"
                return self.failed(413, "too large")
            self.message(self.read(received))
        except Wrong as wrong:
            received.problem = str(wrong)
            return self.failed(400, str(wrong))
        return Answer(200, b"1") if self.legacy else Answer(202)
