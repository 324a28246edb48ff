"""An incoming webhook of Slack: content type, JSON, kinds of blocks, every limit, its words for what is wrong.

Lengths are counted in UTF-16 units, the strictest reading of "characters". What Slack takes but ours should not
send (text that is not escaped, control characters, texts that turn others around) is a complaint.
"""
import json
import re
import time

from .documents import CONTROL, TURNING, no_duplicates, units
from .server import Answer, FarEnd

TOTAL = 13000  # msg_blocks_too_long was seen at some 13,200 characters in all blocks
MESSAGE = {"text", "blocks", "attachments", "unfurl_links", "unfurl_media", "mrkdwn", "link_names", "thread_ts",
           "response_type", "channel", "username", "icon_emoji", "icon_url"}
ATTACHMENT = {"fallback", "color", "pretext", "author_name", "author_link", "author_icon", "title", "title_link",
              "text", "fields", "image_url", "thumb_url", "footer", "footer_icon", "ts", "mrkdwn_in", "blocks"}
MARKUP = re.compile(r"<(?:https?://[^\s<>|]+(?:\|[^<>\n]+)?|!date\^\d+\^[^<>^|]+(?:\^https?://[^\s<>|]+)?\|[^<>]+"
                    r"|!(?:here|channel|everyone)|[@#][A-Z0-9]+|!subteam\^[A-Z0-9]+)>", re.IGNORECASE)
LOOSE = re.compile(r"[<>]|&(?!amp;|lt;|gt;)")


class Refused(Exception):
    def __init__(self, word, why):
        super().__init__(why)
        self.word = word


class _Checker:
    """One message; raises Refused at what Slack refuses, gathers complaints."""

    def __init__(self):
        self.complaints = []
        self.blocks = self.total = 0

    def fail(self, why, word="invalid_blocks"):
        raise Refused(word, why)

    def need(self, condition, why, word="invalid_blocks"):
        if not condition:
            self.fail(why, word)

    def keys(self, thing, what, required, optional=()):
        self.need(isinstance(thing, dict), f"{what} is no object")
        missing = set(required) - set(thing)
        unknown = set(thing) - set(required) - set(optional)
        self.need(not missing, f"{what} is without {sorted(missing)}")
        self.need(not unknown, f"{what} has {sorted(unknown)}")

    def string(self, value, what, most, least=0, word="invalid_blocks"):
        self.need(isinstance(value, str), f"{what} is no string", word)
        self.need(least <= units(value) <= most, f"{what} has {units(value)} units, {least} to {most} are allowed", word)

    def url(self, value, what):
        self.string(value, what, 3000, 1)
        self.need(re.match(r"https?://\S+$", value, re.IGNORECASE), f"{what} is no URL")

    def careful(self, text, what, markup):
        bare = MARKUP.sub("", text) if markup else text
        if LOOSE.search(bare):
            self.complaints.append(f"{what} is not escaped: {text[:200]!r}")
        if CONTROL.search(text):
            self.complaints.append(f"{what} has control characters: {text[:200]!r}")
        if TURNING.search(text):
            self.complaints.append(f"{what} turns text around: {text[:200]!r}")
        for name in re.findall(r"&(?:amp;|lt;|gt;|[a-z]*…|[a-z]*$)", bare):
            if not name.endswith(";"):
                self.complaints.append(f"{what} is cut inside an escape: {text[-200:]!r}")

    def text_object(self, thing, what, most=3000, kinds=("plain_text", "mrkdwn")):
        self.keys(thing, what, ("type", "text"), ("emoji", "verbatim"))
        self.need(thing["type"] in kinds, f"{what} is {thing['type']!r}, not {' or '.join(kinds)}")
        self.string(thing["text"], what, most, 1)
        other = "verbatim" if thing["type"] == "plain_text" else "emoji"
        self.need(other not in thing, f"{what} is {thing['type']} and has {other}")
        for flag in ("emoji", "verbatim"):
            self.need(isinstance(thing.get(flag, True), bool), f"{what}: {flag} is no boolean")
        self.careful(thing["text"], what, thing["type"] == "mrkdwn")
        self.total += units(thing["text"])

    def items(self, thing, what, most):
        self.need(isinstance(thing, list) and 1 <= len(thing) <= most, f"{what}: 1 to {most} are allowed")
        return thing

    # ---- blocks

    def header(self, block):
        self.keys(block, "header", ("type", "text"), ("block_id", "level"))
        self.text_object(block["text"], "header", 150, ("plain_text",))

    def section(self, block):
        self.keys(block, "section", ("type",), ("block_id", "text", "fields", "accessory", "expand"))
        self.need("text" in block or "fields" in block, "an empty section")
        if "text" in block:
            self.text_object(block["text"], "section")
        if "fields" in block:
            for field in self.items(block["fields"], "fields", 10):
                self.text_object(field, "field", 2000)
        if "accessory" in block:
            self.element(block["accessory"])

    def divider(self, block):
        self.keys(block, "divider", ("type",), ("block_id",))

    def context(self, block):
        self.keys(block, "context", ("type", "elements"), ("block_id",))
        for element in self.items(block["elements"], "elements of a context", 10):
            if isinstance(element, dict) and element.get("type") == "image":
                self.image_element(element)
            else:
                self.text_object(element, "context")

    def actions(self, block):
        self.keys(block, "actions", ("type", "elements"), ("block_id",))
        for element in self.items(block["elements"], "elements of actions", 25):
            self.element(element)

    def image(self, block):
        self.keys(block, "image", ("type", "image_url", "alt_text"), ("block_id", "title"))
        self.url(block["image_url"], "image_url")
        self.string(block["alt_text"], "alt_text", 2000)
        if "title" in block:
            self.text_object(block["title"], "title of an image", 2000, ("plain_text",))

    def image_element(self, element):
        self.keys(element, "image", ("type", "image_url", "alt_text"))
        self.url(element["image_url"], "image_url")
        self.string(element["alt_text"], "alt_text", 2000)

    def element(self, element):
        self.need(isinstance(element, dict) and element.get("type") in ("button", "image"), "an unknown element")
        if element["type"] == "image":
            return self.image_element(element)
        self.keys(element, "button", ("type", "text"), ("action_id", "url", "value", "style", "accessibility_label",
                                                        "confirm"))
        self.text_object(element["text"], "button", 75, ("plain_text",))
        if "url" in element:
            self.url(element["url"], "url of a button")
        self.string(element.get("value", ""), "value of a button", 2000)
        self.string(element.get("action_id", ""), "action_id", 255)
        self.need(element.get("style", "primary") in ("primary", "danger"), "an unknown style")
        return None

    def markdown(self, block):
        self.keys(block, "markdown", ("type", "text"), ("block_id",))
        self.string(block["text"], "markdown", 12000, 1)
        self.total += units(block["text"])

    KINDS = {"header": header, "section": section, "divider": divider, "context": context, "actions": actions,
             "image": image, "markdown": markdown}

    def block_list(self, blocks, what):
        self.need(isinstance(blocks, list), f"{what} is no list", "invalid_blocks_format")
        self.blocks += len(blocks)
        for block in blocks:
            self.need(isinstance(block, dict) and isinstance(block.get("type"), str), "a block without a type",
                      "invalid_blocks_format")
            self.need(block["type"] in self.KINDS, f"an unknown type of block: {block['type']}")
            self.string(block.get("block_id", ""), "block_id", 255)
            self.KINDS[block["type"]](self, block)
        self.need(self.blocks <= 50, f"{self.blocks} blocks, 50 are allowed")
        self.need(self.total <= TOTAL, f"{self.total} units in all blocks, {TOTAL} are allowed", "msg_blocks_too_long")

    def attachment(self, thing):
        self.keys(thing, "attachment", (), ATTACHMENT)
        colour = thing.get("color", "good")
        self.need(isinstance(colour, str) and re.fullmatch(r"good|warning|danger|#[0-9a-fA-F]{6}", colour),
                  f"no colour: {colour!r}", "invalid_payload")
        self.string(thing.get("footer", ""), "footer", 300, word="invalid_payload")
        for key in ("fallback", "text", "pretext", "title"):
            if key in thing:
                self.string(thing[key], key, 40000, word="invalid_payload")
                self.careful(thing[key], key, True)
        self.need(re.fullmatch(r"\d+(\.\d+)?", str(thing.get("ts", "0"))), "ts is no time", "invalid_payload")
        for field in thing.get("fields", []):
            self.keys(field, "field of an attachment", ("title", "value"), ("short",))
        if "blocks" in thing:
            self.block_list(thing["blocks"], "blocks of an attachment")
            if "fallback" not in thing:
                self.complaints.append("an attachment of blocks without a fallback")

    def message(self, message):
        self.need(isinstance(message, dict), "the message is no object", "invalid_payload")
        self.need(any(message.get(key) for key in ("text", "blocks", "attachments")), "there is nothing in it", "no_text")
        self.complaints += [f"no such key in a message: {key}" for key in sorted(set(message) - MESSAGE)]
        if "text" in message:
            self.string(message["text"], "text", 40000, word="invalid_payload")
            self.careful(message["text"], "text", True)
        if "blocks" in message:
            self.block_list(message["blocks"], "blocks")
        attachments = message.get("attachments", [])
        self.need(isinstance(attachments, list), "attachments is no list", "invalid_payload")
        self.need(len(attachments) <= 100, f"{len(attachments)} attachments, 100 are allowed", "too_many_attachments")
        for attachment in attachments:
            self.attachment(attachment)


def check_message(body):
    """(message, complaints) of a body; raises Refused."""
    try:
        message = json.loads(body.decode("utf-8"), object_pairs_hook=no_duplicates)
    except ValueError as error:
        raise Refused("invalid_payload", f"no JSON: {error}") from None
    checker = _Checker()
    checker.message(message)
    return message, checker.complaints


class Slack(FarEnd):
    """`rate`: messages a second, of which `burst` may come at once; None: any number."""

    content_type = "text/html"
    path = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"

    def __init__(self, rate=None, burst=3, tls=None):
        super().__init__(tls=tls)
        self.rate, self.burst = rate, burst
        self.tokens, self.refilled = float(burst), time.monotonic()
        self.url = super().url(self.path)

    def limited(self, now):
        """Seconds to wait, 0 for none."""
        if self.rate is None:
            return 0
        self.tokens = min(float(self.burst), self.tokens + (now - self.refilled) * self.rate)
        self.refilled = now
        if self.tokens < 1:
            return max(1, round((1 - self.tokens) / self.rate + 0.5))
        self.tokens -= 1
        return 0

    def examine(self, received):
        if received.path != self.path:
            received.problem = f"no such hook: {received.path}"
            return Answer(404, b"no_service")
        if received.method != "POST":
            received.problem = f"the method is {received.method}"
            return Answer(400, b"invalid_payload")
        if received.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            received.problem = f"the content type is {received.headers.get('content-type')!r}"
            return Answer(400, b"invalid_payload")
        wait = self.limited(received.at)
        if wait:
            return Answer(429, b"rate_limited", (f"Retry-After: {wait}",))
        try:
            received.json, received.complaints = check_message(received.body)
        except Refused as refused:
            received.problem = str(refused)
            return Answer(400, refused.word.encode())
        return Answer(200, b"ok")
