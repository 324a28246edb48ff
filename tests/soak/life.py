"""What people do to alerts while the agent is killed: silences, acknowledgements, alerts that inhibit others.

Each promise is certain once it was answered 2xx, and is checked against what the receiver saw:

  told in spite of    an alert was told of while a silence, or the alert that inhibits it, held it back for
                      certain: from the answer that made it until the request that ends it was sent
  still kept back     what held it is over, it fires, and a sink never saw it (counted as lost)
  forgotten           an acknowledgement that was answered and is not there at the end
"""
import collections
import json
import random
import threading
import time
import urllib.error
import urllib.request

RULES = [{"source_matchers": ['role="boss"'], "target_matchers": ['role="worker"'], "equal": ["team"]}]


def call(port, method, path, document=None, timeout=5):
    """(status, body), or (None, None): it is not known what became of it."""
    data = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method,
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as why:
        return why.code, None
    except (OSError, ValueError):
        return None, None


class Life:
    """Runs beside the stream. What it fires lasts to the end and is handed to the stream then."""

    def __init__(self, peer, stream, seed):
        self.peer, self.stream = peer, stream
        self.random = random.Random(f"life {seed}")
        self.over = threading.Event()
        self.count = collections.Counter()
        self.quiet = {}    # title -> [silence id, when it certainly held, when it may have ended]
        self.workers = {}  # title -> the same, of the boss of its team
        self.acked = set()  # titles that were acknowledged, for certain
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.silence, self.inhibit, self.ack)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def until(self, wanted, method, path, document=None):
        """Says it again until it is answered so, or it is over."""
        while not self.over.is_set():
            status, body = call(self.peer.port, method, path, document)
            if status in wanted:
                return status, body
            time.sleep(0.05)
        return None, None

    def fire(self, title, **labels):
        """Until it is certain that it fires; False: it is over."""
        with self.stream.lock:
            self.stream.firing[title] = True  # it may be, whatever is answered: resolved at the end
        while not self.over.is_set():
            if self.stream.say(title, True, **labels):
                return True
            time.sleep(0.05)
        return False

    def pause(self, rate):
        self.over.wait(self.random.expovariate(rate))

    def silence(self):
        """A silence over one alert's title, then the alert; some silences are ended early."""
        number = 0
        while not self.over.is_set():
            number += 1
            title = f"quiet{number}"
            status, body = self.until({200, 201}, "POST", "/api/v1/silences", {
                "matchers": [f'alertname="{title}"', 'severity=~"warning|info"'], "duration": "1h",
                "created_by": "soak", "comment": "held back"})
            if status is None:
                break
            span = self.quiet[title] = [body["id"], time.monotonic(), None]
            self.count["silences"] += 1
            if self.fire(title):
                with self.stream.lock:
                    self.stream.lasting.add(title)
            self.pause(2)
            if self.random.random() < 0.5:
                self.end_of(span)

    def end_of(self, span):
        span[2] = time.monotonic()
        call(self.peer.port, "DELETE", f"/api/v1/silences/{span[0]}")

    def inhibit(self):
        """A boss fires, then its workers; the boss of some resolves."""
        team = 0
        while not self.over.is_set():
            team += 1
            boss, labels = f"boss{team}", {"team": f"t{team}"}
            if not self.fire(boss, role="boss", **labels):
                break
            span = [boss, time.monotonic(), None, labels]
            self.count["bosses"] += 1
            for member in range(self.random.randrange(1, 4)):
                title = f"worker{team}-{member}"
                self.workers[title] = span
                if self.fire(title, role="worker", **labels):
                    with self.stream.lock:
                        self.stream.lasting.add(title)
            self.pause(2)
            if self.random.random() < 0.5:
                self.end_of_boss(span)

    def end_of_boss(self, span):
        span[2] = span[2] or time.monotonic()
        return self.stream.say(span[0], False, role="boss", **span[3])

    def ack(self):
        while not self.over.is_set():
            self.pause(5)
            with self.stream.lock:
                titles = sorted(title for title in self.stream.lasting if title.startswith("lasting"))
            if not titles:
                continue
            title = self.random.choice(titles)
            status, body = call(self.peer.port, "GET", f"/api/v1/alerts?name={title}")
            if status != 200 or not body["alerts"]:
                continue
            status, _ = call(self.peer.port, "POST", f"/api/v1/alerts/{body['alerts'][0]['fingerprint']}/ack",
                             {"by": "soak", "comment": "seen"})
            if status == 200:
                self.count["acknowledgements"] += 1
                self.acked.add(title)

    def forgotten(self):
        """Acknowledgements that were answered and are not there."""
        gone = []
        for title in sorted(self.acked):
            status, body = call(self.peer.port, "GET", f"/api/v1/alerts?name={title}")
            if status != 200 or not any(alert.get("acknowledged") for alert in body["alerts"]):
                gone.append(title)
        return gone

    def let_go(self):
        """Ends all that holds something back, silences that nobody was told the number of among them."""
        for span in self.quiet.values():
            span[2] = span[2] or time.monotonic()
        for _ in range(100):
            _, body = call(self.peer.port, "GET", "/api/v1/silences")
            for silence in (body or {}).get("silences", ()):
                call(self.peer.port, "DELETE", f"/api/v1/silences/{silence['id']}")
            if body and not body["silences"]:
                break
            time.sleep(0.05)
        for span in {id(span): span for span in self.workers.values()}.values():
            for _ in range(100):
                if self.end_of_boss(span):
                    break
                time.sleep(0.05)

    def in_spite(self, receiver):
        """(sink, title) of what was told while it was held back for certain."""
        told = []
        with receiver.lock:
            for (sink, title), first in receiver.first.items():
                span = self.quiet.get(title) or self.workers.get(title)
                if span and (span[2] is None or first < span[2]):
                    told.append((sink, title))
        return told
