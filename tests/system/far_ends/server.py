"""What the far ends have in common: a server, what it received, and a script of answers."""
import collections
import dataclasses
import socket
import threading
import time

import web

REASONS = {200: "OK", 202: "Accepted", 204: "No Content", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
           403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 410: "Gone",
           413: "Content Too Large", 422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
           503: "Service Unavailable", 504: "Gateway Timeout"}


@dataclasses.dataclass
class Answer:
    """What happens to one request. `status` None: as the contract says, that is accepted when it is right."""

    status: int = None
    body: bytes = b""
    headers: tuple = ()
    delay: float = 0.0  # seconds, before anything is sent
    gone: str = ""  # "unread": closed without a look at it; "lost": taken, and closed without an answer
    forever: bool = False  # no answer until the server stops


def accept():
    return Answer()


def status(code, body="", retry_after=None, headers=()):
    """Refused with a status of its own, whatever it says; `retry_after` is seconds or a date."""
    extra = () if retry_after is None else (f"Retry-After: {retry_after}",)
    return Answer(code, body.encode() if isinstance(body, str) else body, (*headers, *extra))


def slow(seconds, then=None):
    return dataclasses.replace(then or accept(), delay=seconds)


def close():
    """The connection is closed; the message was not taken."""
    return Answer(gone="unread")


def lose():
    """The message is taken, but the answer never arrives: the sender cannot know."""
    return Answer(gone="lost")


def hang():
    return Answer(forever=True)


@dataclasses.dataclass
class Received:
    """One request, with what became of it."""

    at: float  # time.monotonic()
    method: str
    path: str
    headers: dict  # names in lower case
    body: bytes
    json: object = None
    problem: str = ""  # why the service refuses it; "" when it is right
    complaints: list = dataclasses.field(default_factory=list)  # what it takes, and ours should not do
    status: int = None  # what was answered; None: nothing
    accepted: bool = False  # taken, also when the answer was lost


class FarEnd(web.Web):
    """A server for one contract. A service says in examine() what is wrong with a request."""

    content_type = "text/plain"

    def __init__(self, tls=None):
        super().__init__(self, tls=tls)  # a route for every path: see get()
        self.received = []
        self.always = accept()  # the answer when the script is at its end
        self._script = collections.deque()
        self.sock.close()  # start() makes its own, on the same port
        self.running = False

    # ---- for tests

    def start(self):
        """Listens, on the port that it had before if it was stopped: a far end that comes back."""
        self.stopped = threading.Event()
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((self.host, self.port))
        self.sock.listen(128)
        self.running = True
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def stop(self):
        """Closes the port and every connection: whoever comes now is refused."""
        if self.running:
            self.running = False
            super().__exit__()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def script(self, *answers):
        """Answers for the next requests, in order; numbers are statuses."""
        with self.lock:
            self._script.extend(status(answer) if isinstance(answer, int) else answer for answer in answers)

    @property
    def accepted(self):
        with self.lock:
            return [one for one in self.received if one.accepted]

    @property
    def refused(self):
        """What broke the contract; what a script refused is not in it."""
        with self.lock:
            return [one for one in self.received if one.problem]

    @property
    def complaints(self):
        with self.lock:
            return [text for one in self.received for text in one.complaints]

    # ---- for services

    def examine(self, received):
        """Sets problem and complaints; returns the Answer of the service."""
        raise NotImplementedError

    # ---- inside

    def get(self, path, default=None):
        return self.handle

    def handle(self, request):
        received = Received(time.monotonic(), request.method, request.path, request.headers, request.body)
        with self.lock:
            self.seen.clear()  # kept in `received`
            told = self._script.popleft() if self._script else self.always
        if told.gone == "unread":
            with self.lock:
                self.received.append(received)
            return None
        with self.lock:
            answer = self.examine(received)
            if told.status is not None:
                answer = told
            elif not received.problem and 200 <= answer.status <= 299:
                received.accepted = not told.forever
            if not told.gone and not told.forever:
                received.status = answer.status
            self.received.append(received)
        if told.delay:
            request.stopped.wait(told.delay)
        if told.forever:
            request.wait()
        if told.gone or told.forever:
            return None
        return web.answer(answer.status, answer.body, f"Content-Type: {self.content_type}", *answer.headers,
                          reason=REASONS.get(answer.status, "Whatever"), length=answer.status != 204)
