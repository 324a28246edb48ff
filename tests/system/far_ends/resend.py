"""Resend's API: the key, the fields and their limits, idempotency, its rate and its quota, its names for what is wrong."""
import html.parser
import json
import re
import time
import uuid

from .documents import CONTROL, TURNING, no_duplicates
from .server import Answer, FarEnd

FIELDS = {"from": (str,), "to": (str, list), "subject": (str,), "html": (str,), "text": (str,), "cc": (str, list),
          "bcc": (str, list), "reply_to": (str, list), "headers": (dict,), "tags": (list,), "attachments": (list,),
          "scheduled_at": (str,), "topic_id": (str,), "template": (dict,)}
ADDRESS = re.compile(r"(?:[^<>\r\n]* )?<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+")
TAGS = {"html", "head", "meta", "title", "style", "body", "div", "table", "tr", "th", "td", "span", "h1", "h2", "p", "br", "a"}
NAMES = {"viewport", "color-scheme", "supported-color-schemes"}


class Refused(Exception):
    def __init__(self, status, name, why):
        super().__init__(why)
        self.status, self.name = status, name


class _Html(html.parser.HTMLParser):
    """Which tags, attributes and links there are: what an alert says must not add to them."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.complaints, self.links, self.text, self.open = [], [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            self.complaints.append(f"the HTML has <{tag}>")
        for name, value in attributes:
            if name.startswith("on") or (name == "href" and not re.match("https?://", value, re.IGNORECASE)):
                self.complaints.append(f"the HTML has {name}={value[:100]!r}")
            if name == "href":
                self.links.append(value)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.complaints.append(f"</{tag}> closes what is not open")

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    def handle_comment(self, data):
        self.complaints.append("the HTML has a comment")


def look_at_html(text):
    """(complaints, links, text) of the HTML of a mail."""
    parser = _Html()
    parser.feed(text.replace("\r\n", "\n"))
    parser.close()
    if parser.open:
        parser.complaints.append(f"{parser.open} are not closed")
    shown = "".join(parser.text)
    for what, pattern in (("control characters", CONTROL), ("what turns text around", TURNING)):
        if pattern.search(shown.replace("\n", "")):
            parser.complaints.append(f"the HTML has {what}")
    if len(text.encode()) > 102 * 1024:
        parser.complaints.append("the HTML is so long that Gmail cuts it")
    return parser.complaints, parser.links, shown


def check_mail(body):
    """(mail, complaints) of a body; raises Refused."""
    def need(condition, why, name="validation_error", status=422):
        if not condition:
            raise Refused(status, name, why)

    try:
        mail = json.loads(body.decode("utf-8"), object_pairs_hook=no_duplicates)
    except ValueError as error:
        raise Refused(400, "validation_error", f"no JSON: {error}") from None
    need(isinstance(mail, dict), "the mail is no object", status=400)
    complaints = [f"no such field: {key}" for key in sorted(set(mail) - set(FIELDS))]
    for key, kinds in FIELDS.items():
        need(key not in mail or isinstance(mail[key], kinds), f"the type of {key} is wrong", "invalid_parameter")
    template = "template" in mail
    need(template or mail.get("html") or mail.get("text"), "there is neither html nor text", "missing_required_field")
    need(not template or not (mail.get("html") or mail.get("text")), "a template excludes html and text")
    for key in ("to",) if template else ("from", "to", "subject"):
        need(mail.get(key), f"{key} is missing", "missing_required_field")
    need(template or ADDRESS.fullmatch(mail["from"]), "from is no address", "invalid_from_address")
    for key in ("to", "cc", "bcc", "reply_to"):
        several = [mail[key]] if isinstance(mail.get(key), str) else mail.get(key, [])
        need(len(several) <= 50, f"{len(several)} in {key}, 50 are allowed")
        need(all(isinstance(one, str) and ADDRESS.fullmatch(one) for one in several), f"{key} has what is no address")
    need(not re.search(r"[\r\n]", mail.get("subject", "")), "the subject has a line end")
    for name, value in mail.get("headers", {}).items():
        need(isinstance(value, str) and re.fullmatch(r"[!-9;-~]+", name) and not re.search(r"[\r\n]", value),
             f"no header: {name}", "invalid_parameter")
    for tag in mail.get("tags", []):
        need(isinstance(tag, dict) and set(tag) == {"name", "value"}
             and all(re.fullmatch(r"[A-Za-z0-9_-]{1,256}", text) for text in tag.values()), "no tag", "invalid_parameter")
    if CONTROL.search(mail.get("subject", "")) or TURNING.search(mail.get("subject", "")):
        complaints.append("the subject has control characters or turns text around")
    if "Auto-Submitted" in mail.get("headers", {}):  # it is one of ours
        complaints += look_at_html(mail["html"])[0]
    return mail, complaints


class Resend(FarEnd):
    """`rate`: mails a second; None: any number. `quota`: mails that are taken at all."""

    content_type = "application/json"
    key = "re_Far3nd_0123456789abcdef"
    path = "/emails"

    def __init__(self, rate=None, quota=None, tls=None):
        super().__init__(tls=tls)
        self.rate, self.quota = rate, quota
        self.mails, self.keys, self.window = [], {}, (0, 0)
        self.base = super().url("")

    @staticmethod
    def error(status, name, message, headers=()):
        return Answer(status, json.dumps({"statusCode": status, "message": message, "name": name}).encode(), headers)

    def limits(self, now):
        """Headers of the rate, and whether it is passed."""
        if self.rate is None:
            return (), False
        second, used = self.window if self.window[0] == int(now) else (int(now), 0)
        self.window = (second, used + 1)
        left = max(0, self.rate - used - 1)
        return (f"ratelimit-limit: {self.rate}", f"ratelimit-remaining: {left}", "ratelimit-reset: 1"), used >= self.rate

    def taken(self, received, mail, key):
        answer = self.keys.get(key) if key else None
        if answer is None:
            answer = json.dumps({"id": str(uuid.uuid4())}).encode()
            self.mails.append(mail)
        if key:
            self.keys[key] = answer
            self.keys[key, "body"] = received.body
        return answer

    def examine(self, received):
        def refuse(status, name, why, headers=()):
            received.problem = f"{name}: {why}"
            return self.error(status, name, why, headers)

        given, key = received.headers.get("authorization"), received.headers.get("idempotency-key")
        if received.path != self.path:
            return refuse(404, "not_found", "there is no such path")
        if received.method != "POST":
            return refuse(405, "method_not_allowed", "POST it")
        if given is None:
            return refuse(401, "missing_api_key", "there is no key")
        if given != f"Bearer {self.key}":
            return refuse(403, "invalid_api_key", "the key is not valid")
        headers, passed = self.limits(time.monotonic())
        if passed:
            return refuse(429, "rate_limit_exceeded", "too many requests", (*headers, "retry-after: 1"))
        if received.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            return refuse(400, "validation_error", "the content type is not JSON")
        if key is not None and not 1 <= len(key) <= 256:
            return refuse(400, "invalid_idempotency_key", "1 to 256 characters")
        try:
            received.json, received.complaints = check_mail(received.body)
        except Refused as refused:
            return refuse(refused.status, refused.name, str(refused))
        if key and self.keys.get((key, "body"), received.body) != received.body:
            return refuse(409, "invalid_idempotent_request", "the key came before with another body")
        if self.quota is not None and len(self.mails) >= self.quota and key not in self.keys:
            return refuse(429, "daily_quota_exceeded", "no more today", headers)
        return Answer(200, self.taken(received, received.json, key), headers)
