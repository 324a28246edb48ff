"""Far ends that misbehave: webhooks in Alertmanager's format, refused, delayed, throttled, dropped.

Every path is a sink of its own: /good answers 200 at once; /flaky does by chance what bad far ends do. What
the sender may believe to be delivered, and what arrived all the same, are told apart: a notification counts
as seen when its body was read, whatever was answered.
"""
import collections
import json
import random
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What /flaky does: (weight, name)
MOODS = [(55, "ok"), (8, "500"), (5, "503"), (6, "429"), (4, "429 date"), (6, "slow"), (6, "cut before"),
         (6, "cut after"), (4, "ok")]


class Receiver:
    """Counts, per sink, what was seen of every episode (fingerprint and start)."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.healthy = False
        self.seen = collections.defaultdict(list)  # (sink, episode) -> [(status, delivery id, order, certain)]
        self.order = 0
        self.requests = collections.Counter()
        self.ids = collections.Counter()  # (sink, delivery id) -> how often it was seen
        self.first = {}  # (sink, title) -> when it was first seen to fire (time.monotonic())
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.serve(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def mood(self, sink):
        with self.lock:
            if sink == "good" or self.healthy:
                return "ok"
            return self.random.choices([name for _, name in MOODS], [weight for weight, _ in MOODS])[0]

    def serve(self, handler):
        sink = handler.path.strip("/")
        mood = self.mood(sink)
        if mood == "cut before":
            self.cut(handler)
            return
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if mood in ("500", "503", "429", "429 date"):
            self.requests[mood] += 1
            self.answer(handler, int(mood.split()[0]), {
                "429": {"Retry-After": "1"},
                "429 date": {"Retry-After": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 1))},
            }.get(mood, {}))
            return
        if mood == "slow":
            time.sleep(self.random.uniform(0.1, 0.6))
        self.note(sink, json.loads(body), handler.headers.get("X-Toiletmon-Delivery"))
        self.requests[mood] += 1
        if mood == "cut after":
            self.cut(handler)
        else:
            self.answer(handler, 200, {})

    @staticmethod
    def cut(handler):
        handler.close_connection = True
        try:
            handler.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    @staticmethod
    def answer(handler, status, headers):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def note(self, sink, body, delivery):
        with self.lock:
            self.order += 1
            if delivery:
                self.ids[sink, delivery] += 1
            for alert in body["alerts"]:
                if alert["status"] == "firing":
                    self.first.setdefault((sink, alert["labels"]["alertname"]), time.monotonic())
                episode = (alert["labels"]["alertname"], alert["fingerprint"], alert["startsAt"])
                self.seen[sink, episode].append((alert["status"], delivery, self.order))
