"""JSON as strict far ends read it: documents key by key, and what people should not have to read."""
import json
import re
import urllib.parse

from .server import Answer, FarEnd

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # they change the order of what stands around them
LINK = re.compile(r"\[[A-Za-z ]+\]\(https?://[^\s()<>\[\]\\]+\)", re.IGNORECASE)  # what a sink of ours makes itself
ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~]")
LOOSE = re.compile(r"[*_~`|<>\[\]#@\\]|://")


class Wrong(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Wrong(why)


def no_duplicates(pairs):
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def loose(text):
    """What of a text Markdown would read as its own, beside whole links; "" for nothing."""
    return "".join(LOOSE.findall(ESCAPED.sub("", LINK.sub("", text))))


def units(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Document:
    """One JSON object, looked at key by key."""

    def __init__(self, thing, what, required, optional=()):
        need(isinstance(thing, dict), f"{what} is no object")
        missing, unknown = set(required) - set(thing), set(thing) - set(required) - set(optional)
        need(not missing, f"{what} has no {sorted(missing)}")
        need(not unknown, f"{what} has {sorted(unknown)}")
        self.thing, self.what = thing, what

    def text(self, key, most=None, least=0):
        if key not in self.thing:
            return ""
        value = self.thing[key]
        need(isinstance(value, str), f"{key} of {self.what} is no string")
        need(units(value) >= least, f"{key} of {self.what} is empty")
        need(most is None or units(value) <= most, f"{key} of {self.what} has {units(value)} characters, {most} are allowed")
        return value

    def word(self, key, words):
        need(key not in self.thing or self.thing[key] in words, f"{key} of {self.what} is {self.thing.get(key)!r}")

    def list(self, key, most=None):
        items = self.thing.get(key, [])
        need(isinstance(items, list), f"{key} of {self.what} is no list")
        need(most is None or len(items) <= most, f"{key} of {self.what} has {len(items)} items, {most} are allowed")
        return items

    def link(self, key):
        url = urllib.parse.urlsplit(self.text(key))
        need(key not in self.thing or (url.scheme.lower() in ("http", "https") and url.hostname), f"{key} of {self.what} is no link")


def _texts(thing):
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield from [key, *_texts(value)]
    elif isinstance(thing, list):
        for value in thing:
            yield from _texts(value)
    elif isinstance(thing, str):
        yield thing


class JsonEnd(FarEnd):
    """Takes JSON by POST, and complains about what people should not have to read."""

    content_type = "application/json"

    def read(self, received):
        need(received.method == "POST", f"the method is {received.method}")
        need(received.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json",
             f"the content type is {received.headers.get('content-type')!r}")
        try:
            received.json = json.loads(received.body.decode("utf-8"), object_pairs_hook=no_duplicates)
        except ValueError as error:
            raise Wrong(f"no JSON: {error}") from None
        received.complaints = [f"a control character in {text!r}" for text in _texts(received.json) if CONTROL.search(text) or TURNING.search(text)]
        return received.json

    @staticmethod
    def answer(code, **document):
        return Answer(code, json.dumps(document).encode())
