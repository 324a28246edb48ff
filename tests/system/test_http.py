"""The HTTP server's manners: what it answers, and whom it shows the door.

The server runs alone (http_harness.c), with short deadlines, and is spoken to by raw sockets.
"""
import gzip
import json
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import threading
import time
import unittest

import lab

HARNESS = lab.BUILD / "tests" / "system" / "http_harness"

SECURITY = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


class Harness:
    """http_harness with these words; `port` is that of its first address."""

    def __init__(self, *words):
        self.words = list(words) or ["127.0.0.1:0"]

    def __enter__(self):
        self.dir = lab.scratch("http")
        self.errors = open(self.dir / "log", "wb")
        self.process = subprocess.Popen([HARNESS, *map(str, self.words)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True, bufsize=1,
                                        preexec_fn=lab._die_with_parent)
        line = self.process.stdout.readline().split()
        if not line:
            raise AssertionError("the harness did not start: " + (self.dir / "log").read_text())
        self.ports = list(map(int, line[1:]))
        self.port = self.ports[0]
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        status = self.process.wait(20 * lab.PATIENCE)
        self.process.stdout.close()
        self.errors.close()
        log = (self.dir / "log").read_text()
        shutil.rmtree(self.dir)
        if kind is None and (status != 0 or log):
            raise AssertionError(f"the harness ended with {status}:\n{log}")

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        return self.process.stdout.readline().rstrip("\n")

    def connect(self, port=None):
        return Connection(socket.create_connection(("127.0.0.1", port or self.port), timeout=20 * lab.PATIENCE))

    def ask(self, text, **kwargs):
        with self.connect(**kwargs) as connection:
            return connection.ask(text)

    def get(self, path, *headers, method="GET", host="localhost", **kwargs):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]
        with self.connect(**kwargs) as connection:
            return connection.ask("\r\n".join(lines), head=method == "HEAD")

    def cut(self, reason):
        return lab.parse_metrics(self.get("/metrics").text).value("toiletmon_http_cut_off_total", reason=reason)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def send(self, text):
        self.sock.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def ask(self, text, head=False):
        self.send(text)
        return self.answer(head)

    def answer(self, head=False):
        line = self.file.readline().decode()
        if not line:
            raise EOFError("closed without an answer")
        status = int(line.split()[1])
        if status == 100:
            self.file.readline()
            return self.answer(head)
        headers = {}
        while (line := self.file.readline().decode().strip()):
            name, value = line.split(":", 1)
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value.strip()
        body = b""
        if head or status in (204, 304):
            pass
        elif headers.get("transfer-encoding") == "chunked":
            while (size := int(self.file.readline(), 16)):
                body += self.file.read(size)
                assert self.file.readline() == b"\r\n"
            assert self.file.readline() == b"\r\n"
        elif "content-length" in headers:
            body = self.file.read(int(headers["content-length"]))
        else:
            body = self.file.read()
        return Answer(status, headers, body)

    def closed(self):
        """Waits for the end; what came before it."""
        try:
            return self.file.read()
        except ConnectionResetError:
            return b""


class Case(unittest.TestCase):
    def assert_secure(self, answer):
        for name, value in SECURITY.items():
            self.assertEqual(answer.headers.get(name), value, name)
        policy = answer.headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertIn("permissions-policy", answer.headers)

    def assert_error(self, answer, status):
        self.assertEqual(answer.status, status, answer.body)
        self.assert_secure(answer)
        self.assertTrue(answer.json["error"])


class Health(Case):
    def test_health(self):
        with Harness() as http:
            answer = http.get("/api/health")
            self.assertEqual(answer.status, 200)
            self.assert_secure(answer)
            self.assertNotIn("strict-transport-security", answer.headers)
            document = answer.json
            self.assertEqual(document["status"], "healthy")
            self.assertEqual(document["version"], "1.2.3")
            self.assertRegex(document["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
            self.assertIsInstance(document["uptime"], int)
            check = document["checks"]["memory"]
            self.assertEqual(check, {"status": "pass", "usage": {"percentage": 65}, "age": check["age"]})
            self.assertLess(check["age"], 5 * lab.PATIENCE)

    def test_follows_verdicts_at_once(self):
        with Harness() as http:
            for verdict, status, whole in (("warn", 200, "degraded"), ("fail", 503, "unhealthy"),
                                           ("pass", 200, "healthy")):
                http.tell("verdict", verdict)
                answer = http.get("/api/health")
                self.assertEqual((answer.status, answer.json["status"]), (status, whole))
                check = answer.json["checks"]["memory"]
                self.assertEqual(check["status"], verdict)
                self.assertEqual(check.get("message"), None if verdict == "pass" else "the reason")

    def test_the_second_goes_on(self):
        with Harness() as http:
            first = http.get("/api/health").json["timestamp"]
            lab.wait_for(lambda: http.get("/api/health").json["timestamp"] != first, 5, "a new timestamp")

    def test_ready(self):
        with Harness() as http:
            self.assertEqual(http.get("/api/health/ready").json, {"ready": True})
            http.tell("unready")
            answer = lab.wait_for(lambda: (a := http.get("/readyz")).status == 503 and a, 5, "not ready")
            self.assertEqual(answer.json, {"ready": False, "reason": "the first round of checks is not over"})
            self.assert_secure(answer)
            http.tell("ready")
            started = time.monotonic()
            lab.wait_for(lambda: http.get("/api/health/ready").status == 200, 5, "ready")
            self.assertLess(time.monotonic() - started, 0.5 * lab.PATIENCE)

    def test_live(self):
        with Harness() as http:
            self.assertEqual(http.get("/api/health/live").json, {"alive": True})
            http.tell("hang")
            answer = lab.wait_for(lambda: (a := http.get("/livez")).status == 503 and a, 5, "dead")
            self.assertEqual(answer.json, {"alive": False, "reason": "the main loop hangs"})

    def test_short_names(self):
        with Harness() as http:
            for path in ("/healthz", "/readyz", "/livez", "/metrics", "/api/health/", "/api/v1/checks"):
                self.assertEqual(http.get(path).status, 200, path)


class Metrics(Case):
    def test_formats(self):
        with Harness() as http:
            answer = http.get("/api/metrics")
            self.assert_secure(answer)
            self.assertTrue(answer.headers["content-type"].startswith("text/plain; version=0.0.4"))
            self.assertIn("http_errors_total 0", answer.text)
            answer = http.get("/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
            self.assertTrue(answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0"))
            self.assertTrue(answer.text.endswith("# EOF\n"))
            answer = http.get("/metrics", "Accept-Encoding: gzip")
            self.assertEqual(answer.headers["content-encoding"], "gzip")
            self.assertIn("http_errors_total 0", gzip.decompress(answer.body).decode())
            self.assertIn("Accept-Encoding", answer.headers["vary"])

    def test_many_series_in_chunks(self):
        with Harness("127.0.0.1:0", "series=220000") as http:
            answer = http.get("/metrics")
            self.assertEqual(answer.headers.get("transfer-encoding"), "chunked")
            found = lab.parse_metrics(answer.text)
            self.assertEqual(len(found.all("harness_series")), 220000)

    def test_counts_requests(self):
        with Harness() as http:
            http.get("/api/health")
            http.get("/healthz")
            http.get("/nope")
            http.get("/metrics", method="DELETE")
            found = lab.parse_metrics(http.get("/metrics").text)
            self.assertEqual(found.value("http_requests_total", handler="health", code="200"), 2)
            self.assertEqual(found.value("http_requests_total", handler="none", code="404"), 1)
            self.assertEqual(found.value("http_requests_total", handler="metrics", code="405"), 1)
            self.assertEqual(found.value("http_errors_total"), 2)


class Api(Case):
    def test_questions(self):
        with Harness() as http:
            self.assertEqual(http.get("/api/v1/status").json, {"question": 0})
            self.assertEqual(http.get("/api/v1/plugins").json, {"question": 1})
            self.assertEqual(http.get("/api/v1/plugins/x/retry", "Content-Length: 0", method="POST").json, {"question": 2})
            answer = http.get("/api/v1/reload", "Content-Length: 0", method="POST")
            self.assertEqual((answer.status, answer.json), (409, {"question": 3}))
            self.assert_secure(answer)

    def test_an_agent_that_does_not_answer(self):
        with Harness("127.0.0.1:0", "ask_ms=100") as http:
            http.tell("mute")
            answer = http.get("/api/v1/status")
            self.assert_error(answer, 503)
            self.assertEqual(http.get("/livez").status, 200)
            http.tell("speak")
            self.assertEqual(http.get("/api/v1/status").status, 200)

    def test_too_many_questions(self):
        with Harness("127.0.0.1:0", "ask_ms=60000") as http:
            http.tell("mute")
            waiting = [http.connect() for _ in range(64)]
            for connection in waiting:
                connection.send("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")

            def full():
                with http.connect() as one:
                    one.sock.settimeout(0.2)
                    try:
                        return one.ask("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 503
                    except TimeoutError:
                        return False
            lab.wait_for(full, 10, "a refusal")
            self.assertEqual(http.get("/livez").status, 200)
            for connection in waiting:
                connection.__exit__()

    def test_ending_while_questions_wait(self):
        with Harness("127.0.0.1:0", "ask_ms=60000") as http:
            http.tell("mute")
            with http.connect() as connection:
                connection.send("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
                http.get("/livez")
                http.process.stdin.close()
                self.assertEqual(http.process.wait(10 * lab.PATIENCE), 0)

    def test_checks(self):
        with Harness() as http:
            check, = http.get("/api/v1/checks").json["checks"]
            self.assertEqual((check["name"], check["status"], check["affects"]), ("memory", "pass", "fail"))


class Alerts(Case):
    """The way of a body. What the harness does with alerts is as a state without a memory would."""

    GOOD = {"severity": "critical", "title": "Database connection failed"}

    def post(self, http, body, *headers, path="/api/v1/alerts", **kwargs):
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", *headers, f"Content-Length: {len(body)}", "", ""]
        with http.connect(**kwargs) as connection:
            connection.send("\r\n".join(lines))
            connection.send(body)
            return connection.answer()

    def test_one_and_many(self):
        with Harness() as http:
            answer = self.post(http, self.GOOD)
            self.assertEqual(answer.status, 200)
            self.assert_secure(answer)
            self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
            result, = answer.json["results"]
            self.assertEqual((result["status"], result["alert"]), ("accepted", "firing"))
            self.assertRegex(result["fingerprint"], "^[0-9a-f]{16}$")
            many = [{**self.GOOD, "key": f"k{i}"} for i in range(10000)]
            answer = self.post(http, many)
            self.assertEqual(answer.status, 200)
            self.assertEqual([r["key"] for r in answer.json["results"]], [a["key"] for a in many])
            self.assert_error(self.post(http, many + [self.GOOD]), 400)
            self.assertEqual(self.post(http, []).json, {"results": []})

    def test_verdicts(self):
        with Harness() as http:
            answer = self.post(http, [self.GOOD, {**self.GOOD, "sevrity": 1}, {"title": "x"}])
            self.assertEqual(answer.status, 207)
            first, second, third = answer.json["results"]
            self.assertEqual(first["status"], "accepted")
            self.assertEqual((second["status"], second["field"]), ("rejected", "sevrity"))
            self.assertIn("did you mean 'severity'?", second["error"])
            self.assertEqual(third["field"], "severity")
            answer = self.post(http, {"title": "x"})
            self.assertEqual(answer.status, 400)
            self.assertEqual(answer.json["results"][0]["status"], "rejected")
            http.tell("full")
            answer = self.post(http, [self.GOOD, {"title": "x"}])
            self.assertEqual((answer.status, answer.headers["retry-after"]), (429, "30"))
            self.assertEqual([r["status"] for r in answer.json["results"]], ["refused", "rejected"])

    def test_bad_json_has_a_position(self):
        with Harness() as http:
            answer = self.post(http, '[{"title": "a",\n "severity": info}]')
            self.assert_error(answer, 400)
            self.assertEqual(answer.json["line"], 2)
            for body in ("", " ", "{", "nonsense", b"\xff", b"{\x00}", "[" * 1000000):
                self.assert_error(self.post(http, body), 400)
            answer = self.post(http, '{"a":' * 500000)  # not looked into so deep
            self.assertEqual(answer.status, 400)
            self.assertIn("nests deeper", answer.json["results"][0]["error"])

    def test_content_type(self):
        with Harness() as http:
            for kind in ("application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;x"):
                self.assertEqual(self.post(http, self.GOOD, f"Content-Type: {kind}").status, 200, kind)
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx",
                         "application/xml", "*/*"):
                self.assert_error(self.post(http, self.GOOD, f"Content-Type: {kind}"), 415)
            self.assert_error(self.post(http, self.GOOD, "Content-Encoding: gzip"), 415)

    def test_pieces_of_any_size(self):
        body = json.dumps([{**self.GOOD, "key": f"k{i}", "message": "\u20ac" * 50} for i in range(20)])
        with Harness() as http:
            for size in (1, 7, 1000):
                with http.connect() as connection:
                    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.send("POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\n"
                                    f"Content-Length: {len(body)}\r\n\r\n")
                    for i in range(0, len(body), size):
                        connection.send(body[i:i + size])
                    self.assertEqual(connection.answer().status, 200)
            with http.connect() as connection:
                connection.send("POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
                for i in range(0, len(body), 100):
                    piece = body[i:i + 100]
                    connection.send(f"{len(piece):x}\r\n{piece}\r\n")
                connection.send("0\r\n\r\n")
                answer = connection.answer()
                self.assertEqual((answer.status, len(answer.json["results"])), (200, 20))

    def test_pipelined(self):
        with Harness() as http, http.connect() as connection:
            for i in range(50):
                body = json.dumps({**self.GOOD, "key": f"k{i}"})
                connection.send("POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\n"
                                f"Content-Length: {len(body)}\r\n\r\n{body}GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for i in range(50):
                answer = connection.answer()
                self.assertEqual((answer.status, answer.json["results"][0]["key"]), (200, f"k{i}"))
                self.assertEqual(connection.answer().json, {"alive": True})

    def test_sizes(self):
        with Harness() as http:
            limit = 4 << 20
            rest = limit - len(json.dumps(self.GOOD | {"message": ""}))
            answer = self.post(http, self.GOOD | {"message": "x" * rest})
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.json["results"][0]["note"], "long texts were cut")
            head = "POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\n"
            self.assert_error(http.ask(head + f"Content-Length: {limit + 1}\r\n\r\n"), 413)
            self.assert_error(http.ask(head + "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"), 413)
            with http.connect() as connection:
                connection.send(head + "Transfer-Encoding: chunked\r\n\r\n")
                for _ in range(65):
                    connection.send(f"{65536:x}\r\n{' ' * 65536}\r\n")
                connection.send("0\r\n\r\n")
                self.assert_error(connection.answer(), 413)
                # what was too long was read to its end: the connection lives
                self.assertEqual(connection.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200)
            with http.connect() as connection, self.assertRaises(OSError):
                connection.send(head + "Transfer-Encoding: chunked\r\n\r\n")
                for _ in range(200):
                    connection.send(f"{65536:x}\r\n{' ' * 65536}\r\n")
            self.assertEqual(http.cut("body"), 1)
            # other paths take no more than they did
            for path in ("/api/v1/reload", "/api/v1/sinks/x/test", "/nope"):
                self.assert_error(http.ask(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n"), 413)

    def test_nothing_is_kept_for_those_who_may_not_write(self):
        with Harness("127.0.0.1:0", "token=open-sesame") as http:
            proxied = "X-Forwarded-For: 203.0.113.9"
            self.assert_error(self.post(http, self.GOOD, proxied), 401)
            self.assertEqual(self.post(http, self.GOOD, proxied, "Authorization: Bearer open-sesame").status, 200)
            self.assert_error(self.post(http, self.GOOD, "Origin: http://evil.example"), 403)
            # announced larger than what is read for nothing
            answer = http.ask(f"POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\n{proxied}\r\n"
                              "Content-Length: 1000000\r\n\r\n")
            self.assert_error(answer, 413)

    def test_all_bodies_together(self):
        """Four batches may be on their way; the fifth is told to come later, small ones as well, and all of
        it is given back."""
        with Harness() as http:
            head = f"POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: {4 << 20}\r\n\r\n"
            crowd = [http.connect() for _ in range(4)]
            for connection in crowd:
                connection.send(head)
                connection.send(" " * ((4 << 20) - 1))

            def refused():
                answer = self.post(http, self.GOOD)
                return answer.status == 503 and answer
            answer = lab.wait_for(refused, 10, "a refusal")
            self.assert_error(answer, 503)
            self.assertEqual(answer.headers["retry-after"], "1")
            self.assertEqual(http.get("/livez").status, 200)
            crowd[0].__exit__()
            lab.wait_for(lambda: self.post(http, self.GOOD).status == 200, 10, "room")
            for connection in crowd[1:]:
                connection.send("x")
                self.assert_error(connection.answer(), 400)
                connection.__exit__()
            for _ in range(3):
                self.assertEqual(self.post(http, " " * ((4 << 20) - 100) + json.dumps(self.GOOD)).status, 200)

    def test_a_state_that_does_not_answer(self):
        with Harness("127.0.0.1:0", "ask_ms=200") as http:
            http.tell("mute")
            answer = self.post(http, self.GOOD)
            self.assert_error(answer, 503)
            self.assertIn("may still be taken", answer.json["error"])
            self.assertEqual(answer.headers["retry-after"], "5")
            http.tell("speak")
            self.assertEqual(self.post(http, self.GOOD).status, 200)

    def test_waiting_posts_keep_no_probe_out(self):
        with Harness("127.0.0.1:0", "ask_ms=60000", "connections=40") as http:
            http.tell("mute")
            body = json.dumps(self.GOOD)
            head = f"POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            crowd = [http.connect() for _ in range(35)]
            for connection in crowd:
                connection.send(head)

            def refused():
                answer = self.post(http, self.GOOD)
                return answer.status == 503 and answer
            self.assertEqual(lab.wait_for(refused, 10, "a refusal").headers["retry-after"], "1")
            self.assertEqual(http.get("/livez").status, 200)
            # five of them were refused; of those who wait, one that hangs up is no harm
            crowd[0].__exit__()
            self.assertEqual(http.get("/livez").status, 200)
            for connection in crowd[1:]:
                connection.__exit__()

    def test_ending_while_posts_wait(self):
        with Harness("127.0.0.1:0", "ask_ms=60000") as http:
            http.tell("mute")
            body = json.dumps(self.GOOD)
            with http.connect() as connection:
                connection.send(f"POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}")
                http.get("/livez")
                http.process.stdin.close()
                self.assertEqual(http.process.wait(10 * lab.PATIENCE), 0)

    def test_lists(self):
        with Harness() as http:
            for path in ("/api/v1/alerts", "/api/v1/alerts?severity=critical&status=firing&name=x&limit=5&filter=a%3D%22b%22",
                         "/api/v1/alerts?filter=a%3D~%22b.*%22&filter=c!%3Dd", "/api/v1/notifications?sink=slack&state=dead",
                         "/api/v1/notifications?before=17&limit=1000", "/api/v1/notifications/17", "/api/v1/sinks"):
                self.assertEqual(http.get(path).status, 200, path)
            for path, word in (("/api/v1/alerts?severity=fatal", "info, warning or critical"),
                               ("/api/v1/alerts?severty=info", "did you mean 'severity'?"),
                               ("/api/v1/alerts?status=ok", "resolved or firing"),
                               ("/api/v1/alerts?filter=nonsense", "no matcher"),
                               ("/api/v1/alerts?filter=a%3D~%22(%22", "regular expression"),
                               ("/api/v1/alerts?" + "&".join(["filter=a%3Db"] * 17), "more than 16"),
                               ("/api/v1/alerts?limit=0", "from 1 to"), ("/api/v1/alerts?limit=many", "a number"),
                               ("/api/v1/alerts?limit=99999999999999999999", "a number"),
                               ("/api/v1/alerts?name=%FF", "UTF-8"), ("/api/v1/alerts?name=a%00b", "UTF-8"),
                               ("/api/v1/notifications?state=gone", "pending, delivered"),
                               ("/api/v1/notifications?limit=1001", "from 1 to 1000"),
                               ("/api/v1/notifications?sink=" + "x" * 129, "so long a name")):
                answer = http.get(path)
                if "%00" in path and answer.status == 200:
                    continue  # it stays as it is, which is text
                self.assert_error(answer, 400)
                self.assertIn(word, answer.json["error"], path)
            for path in ("/api/v1/notifications/x", "/api/v1/notifications/0", "/api/v1/notifications/-1",
                         "/api/v1/notifications/1/2"):
                self.assert_error(http.get(path), 404)
            for path in ("/api/v1/notifications/5/retry", "/api/v1/notifications/5/drop", "/api/v1/sinks/slack/resume",
                         "/api/v1/sinks/slack/test"):
                self.assertEqual(http.get(path, "Content-Length: 0", method="POST").status, 200, path)
                self.assert_error(http.get(path), 405)
            with http.connect() as connection:
                connection.ask("HEAD /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\n\r\n", head=True)


class Manners(Case):
    def test_not_found(self):
        with Harness() as http:
            for path in ("/nope", "/api", "/api/healthx", "/api/health%00x", "/api/health%2500", "//api/health",
                         "/%2e%2e/etc/passwd"):
                self.assert_error(http.get(path), 404)
            self.assertEqual(http.get("/api/%68ealth").status, 200)
            self.assertEqual(http.get("/api/health?a=%00&b=" + "x" * 4000).status, 200)

    def test_method(self):
        with Harness() as http:
            for method in ("DELETE", "PUT", "TRACE", "BREW", "POST"):
                answer = http.get("/api/health", "Content-Length: 0", method=method)
                self.assert_error(answer, 405)
                self.assertEqual(answer.headers["allow"], "GET, HEAD, OPTIONS")
            answer = http.get("/api/v1/reload")
            self.assert_error(answer, 405)
            self.assertEqual(answer.headers["allow"], "POST, OPTIONS")

    def test_options_and_head(self):
        with Harness() as http:
            answer = http.get("/metrics", method="OPTIONS")
            self.assertEqual((answer.status, answer.headers["allow"]), (204, "GET, HEAD, OPTIONS"))
            self.assertNotIn("access-control-allow-origin", answer.headers)
            for path in ("/api/health", "/", "/api/v1/status"):
                with http.connect() as connection:
                    head = connection.ask(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n", head=True)
                    self.assertEqual(head.status, 200)
                    self.assert_secure(head)
                    # nothing of a body came: the next answer follows at once
                    self.assertEqual(connection.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").json,
                                     {"alive": True})

    def test_head_of_a_scrape(self):
        """A large one is sent in chunks: how long it would be nobody knows. Nothing of it may come."""
        with Harness() as http, http.connect() as connection:
            head = connection.ask("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", head=True)
            self.assertGreater(int(head.headers["content-length"]), 500)
            self.assertEqual(connection.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").json, {"alive": True})
        with Harness("127.0.0.1:0", "series=50000") as http, http.connect() as connection:
            head = connection.ask("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", head=True)
            self.assertGreater(int(head.headers["content-length"]), 1000000)
            self.assertEqual(connection.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").json, {"alive": True})
        with Harness("127.0.0.1:0", "series=220000") as http, http.connect() as connection:
            head = connection.ask("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", head=True)
            self.assertEqual(head.status, 200)
            self.assertNotIn("content-length", head.headers)
            self.assertEqual(connection.closed(), b"")

    def test_index(self):
        with Harness() as http:
            answer = http.get("/")
            self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
            self.assert_secure(answer)
            for path in re.findall(r'href="([^"]+)"', answer.text):
                self.assertEqual(http.get(path).status, 200, path)
            for word in ("<script", "style", "onclick"):
                self.assertNotIn(word, answer.text)
            self.assertEqual(http.get("/favicon.ico").status, 204)

    def test_runbooks(self):
        """Each of docs/runbooks/ is there; test_rules knows that each link of the shipped rules leads to one."""
        docs = {path.stem: path.read_text() for path in (lab.SOURCE / "docs" / "runbooks").glob("*.md")}
        with Harness() as http:
            index = http.get("/runbooks")
            self.assert_secure(index)
            self.assertEqual(index.headers["content-type"], "text/html; charset=utf-8")
            self.assertEqual(set(re.findall(r'href="/runbooks/([^"]+)"', index.text)), set(docs))
            for name, text in docs.items():
                answer = http.get(f"/runbooks/{name}")
                self.assertEqual((answer.status, answer.text), (200, text))
                self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")
            for name in ("nope", "memory.md", "..%2f..%2fetc%2fpasswd", ".."):
                self.assertEqual(http.get(f"/runbooks/{name}").status, 404, name)

    def test_pipelining_and_keep_alive(self):
        with Harness() as http, http.connect() as connection:
            one = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            paths = ["/livez", "/api/health", "/nope", "/metrics", "/readyz"] * 10
            connection.send("".join(map(one.format, paths)))
            found = [connection.answer().status for _ in paths]
            self.assertEqual(found, [200, 200, 404, 200, 200] * 10)

    def test_http_1_0(self):
        with Harness() as http, http.connect() as connection:
            self.assertEqual(connection.ask("GET /livez HTTP/1.0\r\n\r\n").status, 200)
            self.assertEqual(connection.closed(), b"")

    def test_garbage(self):
        with Harness("127.0.0.1:0", "receive_ms=500") as http:
            for text in ("\r\n\r\n\r\n\r\nGET\r\n\r\n", "GET /livez\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9,
                         "GET /livez HTTP/1.1\r\n\r\n", "GET /livez HTTP/1.1\r\nHost localhost\r\n\r\n",
                         "GET /livez HTTP/9.9\r\nHost: localhost\r\n\r\n", "\x00" * 100 + "\r\n\r\n"):
                with http.connect() as connection:
                    connection.send(text)
                    connection.sock.shutdown(socket.SHUT_WR)
                    reply = connection.closed()
                    self.assertTrue(reply == b"" or reply.startswith(b"HTTP/1.1 4") or reply.startswith(b"HTTP/1.1 5"),
                                    (text, reply[:200]))
            self.assertEqual(http.get("/livez").status, 200)

    def test_long_headers(self):
        with Harness() as http:
            self.assertEqual(http.get("/livez", "X-Long: " + "x" * 8000).status, 200)
            self.assert_error(http.get("/livez", "X-Long: " + "x" * 20000), 431)
            for lines in (["X-Long: " + "x" * 100000], [f"X-{i}: {'x' * 1000}" for i in range(100)]):
                self.assertEqual(http.get("/livez", *lines).status, 431)
            self.assertEqual(http.get("/livez?" + "x" * 100000).status, 414)
            for query in ("&".join("a=b" for _ in range(n)) for n in (60, 70, 2000, 3000)):
                self.assertIn(http.get("/livez?" + query).status, (200, 431), len(query))
            self.assert_error(http.get("/livez?" + "x" * 20000), 431)
            # what libmicrohttpd has no room to take apart it may also close without a word
            for cookie in ("x" * 15000, ";" * 15000, "a=" * 7000, ";".join("a=b" for _ in range(3000))):
                try:
                    self.assertIn(http.get("/livez", "Cookie: " + cookie).status, (200, 431), cookie[:9])
                except (EOFError, ConnectionError):
                    pass
            self.assertEqual(http.get("/livez").status, 200)

    def test_bodies(self):
        with Harness() as http:
            post = "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n"
            self.assertEqual(http.ask(post + "Content-Length: 1000\r\n\r\n" + "x" * 1000).status, 409)
            # announced: answered before a byte of it came
            self.assert_error(http.ask(post + "Content-Length: 70000\r\n\r\n"), 413)
            self.assert_error(http.ask(post + "Expect: 100-continue\r\nContent-Length: 70000\r\n\r\n"), 413)
            chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
            piece = f"{10000:x}\r\n{'x' * 10000}\r\n"
            self.assertEqual(http.ask(chunked + piece * 6 + "0\r\n\r\n").status, 409)
            self.assert_error(http.ask(chunked + piece * 7 + "0\r\n\r\n"), 413)
            self.assertEqual(http.get("/livez", "Content-Length: 5", "", "hello").status, 200)
            # without an end: cut off
            with http.connect() as connection:
                with self.assertRaises(OSError):
                    connection.send(chunked)
                    for _ in range(1000):
                        connection.send(piece)
            self.assertEqual(http.cut("body"), 1)

    def test_bad_lengths(self):
        with Harness("127.0.0.1:0", "receive_ms=500") as http:
            for lines in (["Content-Length: -1"], ["Content-Length: 1x"], ["Content-Length: 99999999999999999999"],
                          ["Content-Length: 5", "Content-Length: 6"],
                          ["Transfer-Encoding: gzip", "Content-Length: 3"]):
                with http.connect() as connection:
                    connection.send("\r\n".join(["POST /api/v1/reload HTTP/1.1", "Host: localhost", *lines, "", ""]))
                    connection.sock.shutdown(socket.SHUT_WR)
                    reply = connection.closed()
                    self.assertTrue(reply == b"" or reply.startswith(b"HTTP/1.1 4"), (lines, reply[:300]))


class Names(Case):
    def test_host(self):
        with Harness("127.0.0.1:0", "host=status.example.org") as http:
            for host in ("localhost", "127.0.0.1:9909", "[::1]:1", "Status.Example.org"):
                self.assertEqual(http.get("/livez", host=host).status, 200, host)
            for host in ("evil.example", "localhost.evil.example", "10.1.2.3", "localhost@evil", "", "a b"):
                answer = http.get("/api/health", host=host)
                self.assertIn(answer.status, (421, 400), host)
                self.assertNotIn(b"checks", answer.body)
            self.assert_error(http.get("/livez", host="evil.example"), 421)

    def test_host_is_checked_where_it_listens_on_all_addresses_too(self):
        with Harness("0.0.0.0:0") as http:
            self.assert_error(http.get("/livez", host="evil.example"), 421)

    def test_ipv6(self):
        try:
            harness = Harness("[::1]:0").__enter__()
        except AssertionError:
            self.skipTest("no IPv6 loopback")
        try:
            with Connection(socket.create_connection(("::1", harness.port), timeout=20)) as connection:
                self.assertEqual(connection.ask(f"GET /livez HTTP/1.1\r\nHost: [::1]:{harness.port}\r\n\r\n").status,
                                 200)
        finally:
            harness.__exit__(None)

    def test_origin(self):
        with Harness("127.0.0.1:0", "host=status.example.org") as http:
            def status(origin, method="GET"):
                path = "/livez" if method == "GET" else "/api/v1/reload"
                return http.get(path, f"Origin: {origin}", "Content-Length: 0", method=method, host="localhost:9909").status
            self.assertEqual(status("http://localhost:9909"), 200)
            self.assertEqual(status("https://status.example.org"), 200)
            self.assertEqual(status("http://localhost:9909", "POST"), 409)
            for origin in ("http://evil.example", "null", "http://localhost:3000", "http://localhost:9909.evil.example"):
                self.assertEqual(status(origin), 403, origin)
                self.assertEqual(status(origin, "POST"), 403, origin)

    def test_a_forwarded_write_needs_the_token(self):
        with Harness("127.0.0.1:0", "token=open-sesame") as http:
            def status(*headers):
                return http.get("/api/v1/reload", "Content-Length: 0", *headers, method="POST").status
            proxied = "X-Forwarded-For: 203.0.113.9"
            self.assertEqual(status(), 409)
            self.assertEqual(status(proxied), 401)
            self.assertEqual(status(proxied, "Authorization: Bearer wrong"), 401)
            self.assertEqual(status(proxied, "Authorization: Bearer open-sesame"), 409)
        with Harness("127.0.0.1:0") as http:
            self.assert_error(http.get("/api/v1/reload", proxied, "Content-Length: 0", method="POST"), 403)

    def test_off_loopback(self):
        address = own_address()
        if not address:
            self.skipTest("this machine has no address but loopback")
        with Harness(f"{address}:0", "token=open-sesame") as http:
            def ask(method, path, *headers):
                with Connection(socket.create_connection((address, http.port), timeout=20)) as connection:
                    return connection.ask("\r\n".join([f"{method} {path} HTTP/1.1", "Host: any.example",
                                                       "Content-Length: 0", *headers, "", ""]))
            self.assertEqual(ask("GET", "/livez").status, 200)
            answer = ask("POST", "/api/v1/reload")
            self.assert_error(answer, 401)
            self.assertEqual(answer.headers["www-authenticate"], "Bearer")
            self.assertEqual(ask("POST", "/api/v1/reload", "Authorization: Bearer open-sesame").status, 409)
            self.assertNotIn("open-sesame", answer.text)
            # one client cannot have all connections
            crowd = []
            for _ in range(64):
                crowd.append(Connection(socket.create_connection((address, http.port), timeout=20)))
                self.assertEqual(crowd[-1].ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").status, 200)
            with Connection(socket.create_connection((address, http.port), timeout=20)) as one:
                with self.assertRaises((EOFError, OSError)):
                    one.ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            for connection in crowd:
                connection.__exit__()


def own_address():
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
            address = sock.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


class Patience(Case):
    def timed_out(self, http, connection, seconds):
        """The connection is ended by the server, and in time."""
        started = time.monotonic()
        connection.closed()
        self.assertLess(time.monotonic() - started, seconds * lab.PATIENCE)

    def test_silence(self):
        with Harness("127.0.0.1:0", "receive_ms=300") as http, http.connect() as connection:
            self.timed_out(http, connection, 3)
            self.assertEqual(http.cut("deadline"), 1)

    def test_silence_after_an_answer(self):
        with Harness("127.0.0.1:0", "receive_ms=300") as http, http.connect() as connection:
            self.assertEqual(connection.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200)
            self.timed_out(http, connection, 3)

    def drip(self, http, head, byte):
        started = time.monotonic()
        with http.connect() as connection:
            connection.send(head)
            try:
                while time.monotonic() - started < 10 * lab.PATIENCE:
                    connection.send(byte)
                    connection.sock.settimeout(0.02)
                    try:
                        if not connection.sock.recv(100):
                            break
                    except TimeoutError:
                        pass
            except OSError:
                pass
        self.assertLess(time.monotonic() - started, 4 * lab.PATIENCE)
        self.assertEqual(http.cut("deadline"), 1)

    def test_dripping_headers(self):
        with Harness("127.0.0.1:0", "receive_ms=400") as http:
            self.drip(http, "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ", "x")

    def test_dripping_body(self):
        with Harness("127.0.0.1:0", "receive_ms=400") as http:
            self.drip(http, "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n", "x")

    def test_dripping_alerts(self):
        with Harness("127.0.0.1:0", "receive_ms=400") as http:
            self.drip(http, "POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n", " ")

    def test_dripping_chunks(self):
        with Harness("127.0.0.1:0", "receive_ms=400") as http:
            self.drip(http, "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
                      "1\r\nx\r\n")

    def test_reading_byte_by_byte(self):
        """An answer too big for the kernel's buffers, taken so slowly that it would last for hours."""
        with Harness("127.0.0.1:0", "answer_ms=500", "series=100000") as http:
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.settimeout(20 * lab.PATIENCE)
                sock.connect(("127.0.0.1", http.port))
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
                # meanwhile the others are served
                lab.wait_for(lambda: (http.get("/livez").status == 200 and sock.recv(1) and
                                      http.cut("deadline") == 1), 10, "the cut")

    def test_a_patient_reader_is_served(self):
        with Harness("127.0.0.1:0", "receive_ms=300", "series=220000") as http, http.connect() as connection:
            connection.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            first = connection.sock.recv(1000)
            lab.wait_for(lambda: http.cut("deadline") is not None, 1)
            time.sleep(0.5)  # longer than a request may take: the answer has its own time
            self.assertTrue(first.startswith(b"HTTP/1.1 200"))
            data = first
            while not data.endswith(b"0\r\n\r\n"):
                got = connection.sock.recv(65536)
                self.assertTrue(got, "cut while reading")
                data += got

    def test_slow_readers_get_what_was_there(self):
        """The memory of a scrape serves the next one, but never before it was sent."""
        def harness_series(answer):
            return [line.split(" ")[1] for line in answer.text.splitlines() if line.startswith("harness_series{")]

        def expected(first):
            return [first + i if i % 2 else (first + i) / 7 for i in range(100000)]

        request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with Harness("127.0.0.1:0", "series=100000") as http:
            slow = []
            for first in (0, 1000, 2000):
                if first:
                    http.tell("series", 100000, first)
                sock = socket.socket()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.settimeout(20 * lab.PATIENCE)
                sock.connect(("127.0.0.1", http.port))
                slow.append(Connection(sock))
                slow[-1].send(request)
                self.assertEqual(slow[-1].sock.recv(12, socket.MSG_PEEK), b"HTTP/1.1 200")
                self.assertEqual(list(map(float, harness_series(http.get("/metrics")))), expected(first))
            for connection, first in zip(slow, (0, 1000, 2000)):
                with connection:
                    answer = connection.answer()
                    self.assertEqual("content-length" in answer.headers, first < 2000)  # two at a time
                    self.assertEqual(list(map(float, harness_series(answer))), expected(first))

    def test_full_house(self):
        """Silent clients cannot keep a probe out."""
        with Harness("127.0.0.1:0", "connections=10") as http:
            crowd = [http.connect() for _ in range(10)]
            for connection in crowd:
                connection.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for _ in range(5):
                self.assertEqual(http.get("/livez").status, 200)
            self.assertGreaterEqual(http.cut("make_room"), 1)
            crowd[0].sock.settimeout(5)
            self.assertEqual(crowd[0].closed(), b"")  # the one that had waited longest
            for connection in crowd:
                connection.__exit__()

    def test_thousand_connections(self):
        with Harness("127.0.0.1:0", "connections=50") as http:
            crowd = []
            for i in range(1000):
                crowd.append(http.connect())
                if i % 50 == 49:
                    self.assertEqual(http.get("/livez").status, 200)
            self.assertLessEqual(len(os.listdir(f"/proc/{http.process.pid}/fd")), 150)
            for connection in crowd:
                connection.__exit__()
            lab.wait_for(lambda: len(os.listdir(f"/proc/{http.process.pid}/fd")) < 25, 10, "descriptors to close")

    @lab.plain_build_only
    def test_no_wakeups_when_idle(self):
        with Harness() as http:
            http.get("/metrics")

            def switches():
                total = 0
                for task in os.listdir(f"/proc/{http.process.pid}/task"):
                    text = (lab.pathlib.Path(f"/proc/{http.process.pid}/task/{task}/status")).read_text()
                    total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1])
                return total
            lab.wait_for(lambda: "sockets" if len(os.listdir(f"/proc/{http.process.pid}/fd")) < 25 else None)
            time.sleep(0.3)
            before = switches()
            time.sleep(1.5)
            self.assertEqual(switches(), before)


class UnixSocket(Case):
    def connect(self, path):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(str(path))
        return Connection(sock)

    def test_serves_its_owner(self):
        folder = lab.scratch("sock")
        try:
            path = folder / "s"
            with Harness("127.0.0.1:0", f"unix:{path}"):
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
                with self.connect(path) as connection:
                    self.assertEqual(connection.ask("GET /livez HTTP/1.1\r\nHost: any.thing\r\n\r\n").status, 200)
                    answer = connection.ask("POST /api/v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                    self.assertEqual(answer.status, 409)
            self.assertFalse(path.exists())
        finally:
            shutil.rmtree(folder)

    @unittest.skipUnless(os.getuid() == 0, "needs root to be somebody else")
    def test_strangers(self):
        """Even where the mode was loosened, only the owner and root are served."""
        folder = lab.scratch("sock")
        try:
            folder.chmod(0o755)
            path = folder / "s"
            with Harness(f"unix:{path}"):
                path.chmod(0o666)
                script = ("import socket; s = socket.socket(socket.AF_UNIX); s.connect('%s');"
                          "s.sendall(b'GET /livez HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');"
                          "print(s.makefile().readline())" % path)
                done = subprocess.run(["python3", "-c", script], capture_output=True, text=True, timeout=60,
                                      user=lab.pwd.getpwnam("nobody").pw_uid, cwd="/")
                self.assertIn("403", done.stdout, done.stderr)
        finally:
            shutil.rmtree(folder)

    def test_a_dead_agents_socket_is_replaced(self):
        folder = lab.scratch("sock")
        try:
            path = folder / "s"
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(path))
            with Harness(f"unix:{path}"), self.connect(path) as connection:
                self.assertEqual(connection.ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").status, 200)
                self.assertEqual(os.listdir(folder), ["s"])
        finally:
            shutil.rmtree(folder)

    def test_a_living_agents_socket_is_not(self):
        folder = lab.scratch("sock")
        try:
            path = folder / "s"
            with Harness(f"unix:{path}"):
                done = subprocess.run([HARNESS, f"unix:{path}"], stdin=subprocess.DEVNULL, capture_output=True,
                                      text=True, timeout=60)
                self.assertEqual(done.returncode, 1)
                self.assertIn("another process", done.stderr)
                with self.connect(path) as connection:
                    self.assertEqual(connection.ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").status, 200)
        finally:
            shutil.rmtree(folder)


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-days", "2",
                    "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)


@unittest.skipUnless(shutil.which("openssl"), "needs openssl")
class Tls(Case):
    def setUp(self):
        self.dir = lab.scratch("tls")
        make_certificate(self.dir, "first")
        self.words = ["127.0.0.1:0", f"certificate={self.dir}/cert", f"key={self.dir}/key"]

    def tearDown(self):
        shutil.rmtree(self.dir)

    def connect(self, http, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if version:
            context.minimum_version = context.maximum_version = version
        sock = socket.create_connection(("127.0.0.1", http.port), timeout=20 * lab.PATIENCE)
        return Connection(context.wrap_socket(sock, server_hostname="localhost"))

    def subject(self, connection):
        der = connection.sock.getpeercert(binary_form=True)
        return subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-subject"], input=der,
                              capture_output=True, check=True).stdout.decode()

    def ask(self, connection, path="/livez"):
        return connection.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def test_serves(self):
        with Harness(*self.words) as http, self.connect(http) as connection:
            answer = self.ask(connection, "/api/health")
            self.assertEqual(answer.status, 200)
            self.assert_secure(answer)
            self.assertIn("max-age=", answer.headers["strict-transport-security"])
            self.assertIn("strict-transport-security", self.ask(connection, "/nope").headers)
            self.assertIn("http_errors_total", self.ask(connection, "/metrics").text)

    def test_a_long_scrape(self):
        with Harness(*self.words, "series=50000") as http, self.connect(http) as connection:
            for _ in range(2):
                answer = self.ask(connection, "/metrics")
                self.assertEqual(len(lab.parse_metrics(answer.text).all("harness_series")), 50000)

    def test_old_versions_are_refused(self):
        with Harness(*self.words) as http:
            with self.assertRaises((ssl.SSLError, OSError)):
                self.connect(http, ssl.TLSVersion.TLSv1_1)
            with self.connect(http, ssl.TLSVersion.TLSv1_2) as connection:
                self.assertEqual(self.ask(connection).status, 200)

    def test_plain_http_is_not_answered(self):
        with Harness(*self.words) as http, http.connect() as connection:
            connection.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertNotIn(b"alive", connection.closed())

    def test_a_silent_handshake_is_cut(self):
        with Harness(*self.words, "receive_ms=300") as http, http.connect() as connection:
            started = time.monotonic()
            connection.closed()
            self.assertLess(time.monotonic() - started, 3 * lab.PATIENCE)

    def test_reload_takes_the_new_certificate(self):
        with Harness(*self.words) as http, self.connect(http) as old:
            self.assertIn("first", self.subject(old))
            self.assertEqual(self.ask(old).status, 200)
            make_certificate(self.dir, "second")
            self.assertEqual(http.tell("reload", *self.words), "ok")
            with self.connect(http) as new:
                self.assertIn("second", self.subject(new))
                self.assertEqual(self.ask(new).status, 200)
            # the connection that was there is still answered, once, and then closed
            self.assertEqual(self.ask(old).status, 200)
            self.assertEqual(old.closed(), b"")

    def test_a_reload_that_fails_changes_nothing(self):
        with Harness(*self.words) as http:
            (self.dir / "cert").write_text("no certificate")
            why = http.tell("reload", *self.words)
            self.assertIn("cannot serve TLS", why)
            (self.dir / "key").unlink()
            self.assertIn("cannot read", http.tell("reload", *self.words))
            with self.connect(http) as connection:
                self.assertIn("first", self.subject(connection))
                self.assertEqual(self.ask(connection).status, 200)


class Reload(Case):
    def test_connections_live_on(self):
        with Harness() as http, http.connect() as connection:
            request = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
            self.assertEqual(connection.ask(request).status, 200)
            self.assertEqual(http.tell("reload", "127.0.0.1:0", "host=new.example"), "ok")
            self.assertEqual(connection.ask(request).status, 200)
            self.assertEqual(http.get("/livez", host="new.example").status, 200)

    def test_addresses_come_and_go(self):
        with Harness() as http:
            one, other = lab.free_port(), lab.free_port()
            self.assertEqual(http.tell("reload", "127.0.0.1:0", f"127.0.0.1:{one}"), "ok")
            self.assertEqual(http.get("/livez", port=one).status, 200)
            self.assertEqual(http.get("/livez").status, 200)
            self.assertEqual(http.tell("reload", f"127.0.0.1:{other}"), "ok")
            self.assertEqual(http.get("/livez", port=other).status, 200)
            for port in (one, http.port):
                with self.assertRaises(ConnectionRefusedError):
                    http.get("/livez", port=port)

    def test_a_bad_address_changes_nothing(self):
        with Harness() as http:
            free = lab.free_port()
            for bad in ("nonsense", "256.0.0.1:80", f"127.0.0.1:{http.port}", "unix:/nowhere/s"):
                self.assertNotEqual(http.tell("reload", f"127.0.0.1:{free}", bad), "ok")
                self.assertEqual(http.get("/livez").status, 200)
                with self.assertRaises(ConnectionRefusedError):
                    http.get("/livez", port=free)

    def test_under_load(self):
        with Harness() as http:
            failures, stop = [], threading.Event()

            def hammer():
                while not stop.is_set():
                    try:
                        with http.connect() as connection:
                            for _ in range(5):
                                if connection.ask("GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n").status != 200:
                                    failures.append("status")
                    except Exception as error:  # noqa: BLE001: any failure is one
                        failures.append(repr(error))
            threads = [threading.Thread(target=hammer) for _ in range(4)]
            for thread in threads:
                thread.start()
            for i in range(50):
                self.assertEqual(http.tell("reload", "127.0.0.1:0", f"host=h{i}.example"), "ok")
            stop.set()
            for thread in threads:
                thread.join()
            self.assertEqual(failures[:3], [])


if __name__ == "__main__":
    unittest.main()
