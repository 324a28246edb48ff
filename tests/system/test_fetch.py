"""toiletmon-fetch by itself: frames in, frames out, against servers that answer, hang, drip, lie and break off."""
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import lab
import web

PROGRAM = lab.BUILD / "toiletmon-fetch"
REQUEST, RESPONSE, CANCEL = 70, 6, 10
FRAME = 65536
OK, RETRY, AMBIGUOUS, REJECTED = 0, 1, 2, 3
RESOLVE, CONNECT, TLS, ANSWER, REFUSED = 1, 2, 3, 4, 5


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<I", len(data)) + data + b"\0"


class Reader:
    def __init__(self, data):
        self.data, self.pos = data, 0

    def take(self, form):
        (value,) = struct.unpack_from("<" + form, self.data, self.pos)
        self.pos += struct.calcsize("<" + form)
        return value

    def bytes(self):
        size = self.take("I")
        value = self.data[self.pos:self.pos + size]
        assert len(value) == size and self.data[self.pos + size] == 0
        self.pos += size + 1
        return value

    def text(self):
        return self.bytes().decode()


class Answer:
    def __init__(self, payload):
        reader = Reader(payload)
        self.rc = reader.take("i")
        self.status, self.retry_after_ms = reader.take("i"), reader.take("q")
        self.truncated, self.error = reader.take("B"), reader.text()
        self.phase, self.version, self.redirects = reader.take("i"), reader.take("i"), reader.take("i")
        self.resolve, self.connect, self.tls, self.first_byte, self.total = (reader.take("q") for _ in range(5))
        self.expires_ms = reader.take("q")
        self.headers = [(reader.text(), reader.text()) for _ in range(reader.take("I"))]
        self.body = reader.bytes()
        assert reader.pos == len(payload)

    def header(self, name):
        return dict(self.headers).get(name)


class Fetch:
    """A toiletmon-fetch whose agent is this test."""

    def __init__(self):
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(20 * lab.PATIENCE)
        self.call = 0
        self.answers = {}
        # preexec: descriptor 3 is the one it speaks on, and only that
        self.process = subprocess.Popen([PROGRAM, str(os.getpid())], env={}, stdin=subprocess.DEVNULL, pass_fds=(3,), close_fds=True,
                                        preexec_fn=lambda: os.dup2(theirs.fileno(), 3))
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()
        try:
            status = self.process.wait(10 * lab.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("fetch outlived its agent")
        if status not in (0, -signal.SIGKILL):
            raise AssertionError(f"fetch ended with {status}")

    def frame(self, kind, call, payload, more=False):
        self.sock.send(struct.pack("<BBHI", kind, int(more), 0, call) + payload)

    def start(self, url, method="GET", headers=(), body=b"", ms=10000, cap=1 << 20, hosts=None, refused=(),
              unix="", ca="", redirects=0, insecure=False):
        self.call += 1
        order = struct.pack("<qIB", ms, cap, hosts is None) + text(unix) + text(str(ca))
        order += struct.pack("<I", len(hosts or ())) + b"".join(map(text, hosts or ()))
        order += struct.pack("<I", len(refused)) + b"".join(map(text, refused))
        order += text(method) + text(url) + struct.pack("<IB", redirects, insecure)
        order += struct.pack("<I", len(headers)) + b"".join(text(k) + text(v) for k, v in headers) + text(body)
        room = FRAME - 8
        for at in range(0, len(order), room):
            self.frame(REQUEST, self.call, order[at:at + room], more=at + room < len(order))
        return self.call

    def finish(self, call):
        parts = {}
        while call not in self.answers:
            packet = self.sock.recv(FRAME + 1)
            if not packet:
                raise AssertionError("fetch closed the socket")
            kind, flags, _, number = struct.unpack_from("<BBHI", packet)
            assert kind == RESPONSE, kind
            parts[number] = parts.get(number, b"") + packet[8:]
            if not flags & 1:
                self.answers[number] = Answer(parts.pop(number))
        return self.answers.pop(call)

    def get(self, url, **kwargs):
        return self.finish(self.start(url, **kwargs))


@unittest.skipUnless(PROGRAM.exists(), "this tree has no toiletmon-fetch yet")
class FetchCase(unittest.TestCase):
    def setUp(self):
        self.fetch = self.enterContext(Fetch())

    def serve(self, routes, **kwargs):
        return self.enterContext(web.Web(routes, **kwargs))

    def failed(self, answer, rc, phase, words):
        self.assertEqual((answer.status, answer.rc, answer.phase), (0, rc, phase), answer.error)
        self.assertRegex(answer.error, words)

    if not hasattr(unittest.TestCase, "enterContext"):  # Python before 3.11
        def enterContext(self, context):
            value = context.__enter__()
            self.addCleanup(context.__exit__, None, None, None)
            return value


class Answers(FetchCase):
    def test_what_it_says_of_an_answer(self):
        server = self.serve({"/": web.answer(429, b"slow down", "Retry-After: 7", "X-Thing: one")})
        answer = self.fetch.get(server.url())
        self.assertEqual((answer.rc, answer.status, answer.body), (OK, 429, b"slow down"))
        self.assertEqual((answer.retry_after_ms, answer.version, answer.truncated), (7000, 11, 0))
        self.assertEqual(answer.header("x-thing"), "one")
        self.assertEqual((answer.error, answer.phase, answer.redirects, answer.expires_ms), ("", 0, 0, 0))
        self.assertGreater(answer.first_byte, 0)
        self.assertGreaterEqual(answer.total, answer.connect + answer.first_byte)

    def test_what_it_sends(self):
        server = self.serve({"/": web.ok()})
        body = os.urandom(300_000)
        answer = self.fetch.get(server.url(), method="PATCH", body=body, headers=[("X-Key", "secret"), ("X-None", "")])
        self.assertEqual(answer.status, 200)
        seen = server.seen[0]
        self.assertEqual((seen.method, seen.body), ("PATCH", body))
        self.assertEqual((seen.headers["x-key"], seen.headers["x-none"]), ("secret", ""))
        self.assertRegex(seen.headers["user-agent"], r"^toiletmon/\d")
        self.assertNotIn("expect", seen.headers)
        self.assertNotIn("content-type", seen.headers)
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            self.fetch.get(server.url(), method=method)
            self.assertEqual(server.seen[-1].method, method)

    def test_user_and_password_of_the_url(self):
        server = self.serve({"/": web.ok()})
        self.fetch.get(server.url().replace("//", "//me:pa%3Ass@"))
        self.assertEqual(server.seen[0].headers["authorization"], "Basic bWU6cGE6c3M=")

    def test_connections_are_used_again(self):
        server = self.serve({"/": web.ok()})
        for _ in range(20):
            self.assertEqual(self.fetch.get(server.url()).status, 200)
        self.assertEqual(server.connections, 1)
        self.fetch.get(server.url(), headers=[("Connection", "close")])
        self.fetch.get(server.url(), headers=[("Connection", "close")])
        self.assertEqual(server.connections, 3)

    def test_many_in_flight(self):
        gate = threading.Event()

        def held(request):
            gate.wait(20)
            return web.ok(request.path.encode())

        server = self.serve({f"/{n}": held for n in range(100)})
        calls = {self.fetch.start(server.url(f"/{n}")): n for n in range(100)}
        lab.wait_for(lambda: len(server.seen) == 100, what="all requests being there at once")
        gate.set()
        for call, n in calls.items():
            self.assertEqual(self.fetch.finish(call).body, b"/%d" % n)

    def test_a_cancelled_request_is_dropped(self):
        server = self.serve({"/": web.ok(), "/hang": web.hang})
        call = self.fetch.start(server.url("/hang"), ms=1500)
        lab.wait_for(lambda: server.seen)
        self.fetch.frame(CANCEL, call, b"")
        self.assertEqual(self.fetch.get(server.url()).status, 200)
        self.failed(self.fetch.finish(call), AMBIGUOUS, ANSWER, ".")  # a sign of life, at once
        again = self.fetch.start(server.url("/hang"), ms=2000)  # longer than the first had
        self.fetch.finish(again)
        self.assertNotIn(call, self.fetch.answers)

    def test_unix_socket(self):
        server = self.serve({"/": web.ok(b"by a socket")}, unix=True)
        self.assertEqual(self.fetch.get("http://localhost/", unix=server.path).body, b"by a socket")
        self.failed(self.fetch.get("http://localhost/", unix="/nowhere/socket"), RETRY, CONNECT, "No such file")

    def test_bodies_are_cut(self):
        server = self.serve({"/": web.ok(b"x" * 5000), "/fits": web.ok(b"y" * 1000)})
        answer = self.fetch.get(server.url(), cap=1000)
        self.assertEqual((answer.rc, answer.status, answer.truncated, answer.body), (OK, 200, 1, b"x" * 1000))
        answer = self.fetch.get(server.url("/fits"), cap=1000)
        self.assertEqual((answer.truncated, answer.body), (0, b"y" * 1000))
        answer = self.fetch.get(server.url(), cap=8 << 20)
        self.assertEqual((answer.truncated, len(answer.body)), (0, 5000))


class Failures(FetchCase):
    def test_nobody_listens(self):
        self.failed(self.fetch.get(f"http://127.0.0.1:{lab.free_port()}/"), RETRY, CONNECT, "Connection refused")

    def test_no_such_name(self):
        self.failed(self.fetch.get("http://no-such-name.invalid/", ms=2000), RETRY, RESOLVE, "no-such-name.invalid")

    def test_deadlines(self):
        server = self.serve({"/hang": web.hang, "/drip": web.drip})
        deaf = socket.create_server(("127.0.0.1", 0))  # takes connections, never speaks
        self.addCleanup(deaf.close)
        for path, scheme, port, rc, phase, words in [
            ("/hang", "http", server.port, AMBIGUOUS, ANSWER, "did not answer before the deadline"),
            ("/drip", "http", server.port, AMBIGUOUS, ANSWER, r"not complete at the deadline: \d+ bytes"),
            ("/", "https", deaf.getsockname()[1], RETRY, TLS, "TLS with 127.0.0.1 .*before the deadline"),
        ]:
            began = time.monotonic()
            answer = self.fetch.get(f"{scheme}://127.0.0.1:{port}{path}", ms=400)
            took = time.monotonic() - began
            self.failed(answer, rc, phase, words)
            self.assertGreaterEqual(took, 0.39)
            self.assertLess(took, 1.5 * lab.PATIENCE)

    def test_no_way_through(self):
        full = socket.socket()  # a queue that is full: connecting hangs
        self.addCleanup(full.close)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            plug = socket.socket()
            plug.setblocking(False)
            plug.connect_ex(full.getsockname())
            self.addCleanup(plug.close)
        answer = self.fetch.get(f"http://127.0.0.1:{full.getsockname()[1]}/", ms=400)
        self.failed(answer, RETRY, CONNECT, "before the deadline")

    def test_broken_answers(self):
        def raw(data):
            return lambda request: request.send(data)

        routes = {
            "/nothing": lambda request: None,
            "/half": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
            "/chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbad\r\n0\r\n\r\n"),
            "/old": raw(b"just text, as in 1991\n"),
            "/headers": raw(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\n"),
            "/long": raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 70000 + b"\r\n\r\n"),
            "/lengths": raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"),
            "/status": raw(b"HTTP/1.1 9999 What\r\n\r\n"),
            "/binary": raw(os.urandom(1000)),
        }
        server = self.serve(routes)
        for path in routes:
            with self.subTest(path):
                answer = self.fetch.get(server.url(path), ms=3000)
                self.failed(answer, AMBIGUOUS, ANSWER, "complete answer|more headers")
                self.assertEqual((answer.headers, answer.body), ([], b""))

    def test_odd_headers_are_made_fit(self):
        server = self.serve({"/": b"HTTP/1.1 200 OK\r\nX-Odd: a\x01\xff\r\nContent-Length: 0\r\n\r\n"})
        self.assertEqual(self.fetch.get(server.url()).header("x-odd"), "a??")

    def test_a_body_is_never_sent_twice(self):
        # The second request finds its connection closed the moment it has arrived.
        def once(request):
            return web.ok() if request.body == b"first" else None

        server = self.serve({"/": once})
        self.assertEqual(self.fetch.get(server.url(), method="POST", body=b"first").status, 200)
        self.failed(self.fetch.get(server.url(), method="POST", body=b"second"), AMBIGUOUS, ANSWER, "closed the connection")
        self.assertEqual([request.body for request in server.seen], [b"first", b"second"])

    def test_headers_that_belong_to_the_connection(self):
        for name in ("Content-Length", "transfer-encoding", "Upgrade"):
            answer = self.fetch.get("http://127.0.0.1:1/", headers=[(name, "1")])
            self.failed(answer, REJECTED, REFUSED, "headers belongs to the connection")


class Refusals(FetchCase):
    def test_hosts(self):
        server = self.serve({"/": web.ok()})
        self.assertEqual(self.fetch.get(server.url(), hosts=["example.com", "127.0.0.1"]).status, 200)
        self.failed(self.fetch.get(server.url(), hosts=["example.com"]), REJECTED, REFUSED, "no URL setting")
        self.failed(self.fetch.get(server.url(host="localhost"), hosts=["127.0.0.1"]), REJECTED, REFUSED, "no URL")
        self.assertEqual(len(server.seen), 1)

    def test_urls_that_read_two_ways(self):
        for url in ("http://good.example@evil.example@x/", "http://127.0.0.1\\@x/", "http://exa%6dple.com/"):
            self.failed(self.fetch.get(url), REJECTED, REFUSED, "URL")

    def test_redirects(self):
        other = self.serve({"/": web.ok()})
        server = self.serve({
            "/": web.ok(b"there"),
            "/once": web.redirect("/"),
            "/twice": web.redirect("/once", 301),
            "/loop": web.redirect("/loop"),
            "/host": web.redirect("http://localhost/"),
            "/port": web.redirect(other.url()),
            "/file": web.redirect("file:///etc/passwd"),
            "/odd": web.redirect("http://127.0.0.1@localhost@x/"),
        })
        answer = self.fetch.get(server.url("/once"))
        self.assertEqual((answer.status, answer.header("location"), answer.redirects), (302, "/", 0))
        answer = self.fetch.get(server.url("/twice"), redirects=2)
        self.assertEqual((answer.status, answer.body, answer.redirects), (200, b"there", 2))
        for path, words in [("/twice", "more often"), ("/loop", "more often"), ("/host", "another host"),
                            ("/port", "another port"), ("/file", "not a plain http"), ("/odd", "not a plain http")]:
            self.failed(self.fetch.get(server.url(path), redirects=1), REJECTED, REFUSED, words)
        self.assertEqual(other.seen, [])

    def test_methods_over_redirects(self):
        server = self.serve({"/": web.ok(), **{f"/{n}": web.redirect("/", n) for n in (301, 302, 303, 307, 308)}})
        for status, method in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]:
            self.fetch.get(server.url(f"/{status}"), method="POST", body=b"data", redirects=1)
            self.assertEqual((server.seen[-1].method, server.seen[-1].body),
                             (method, b"data" if method == "POST" else b""))

    def test_listeners_of_the_agent(self):
        server = self.serve({"/": web.ok(), "/back": web.redirect("/")})
        ours = f"127.0.0.1:{server.port}"
        for listener in (ours, f"0.0.0.0:{server.port}", f"[::]:{server.port}"):
            for host in ("127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "127.1", "0x7f.1"):
                answer = self.fetch.get(server.url(host=host), refused=["127.0.0.1:1", listener])
                self.failed(answer, REJECTED, REFUSED, "agent's own address")
        self.assertEqual(server.connections, 0)  # it was not even knocked at
        self.assertEqual(self.fetch.get(server.url(), refused=["127.0.0.1:1"]).status, 200)


class Certificates(FetchCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = web.Certificates()
        cls.addClassCleanup(cls.authority.remove)

    def test_verified(self):
        server = self.serve({"/": web.ok(b"safe")}, tls=self.authority.make(days=30))
        url = server.url(host="localhost")
        self.failed(self.fetch.get(url), RETRY, TLS, "certificate")
        answer = self.fetch.get(url, ca=self.authority.ca)
        self.assertEqual((answer.status, answer.body), (200, b"safe"))
        self.assertGreater(answer.tls, 0)
        self.assertAlmostEqual(answer.expires_ms / 1000, time.time() + 30 * 86400, delta=3600)
        again = self.fetch.get(url, ca=self.authority.ca)
        self.assertEqual((again.tls, again.expires_ms), (0, answer.expires_ms))  # the connection was used again

    def test_not_verified(self):
        for days, name, words in [(30, "other.example", "match|SSL"), (-3, "localhost", "expired")]:
            server = self.serve({"/": web.ok()}, tls=self.authority.make(name, days))
            url = server.url(host="localhost")
            self.failed(self.fetch.get(url, ca=self.authority.ca), RETRY, TLS, words)
            answer = self.fetch.get(url, insecure=True)
            self.assertEqual(answer.status, 200)
            self.assertAlmostEqual(answer.expires_ms / 1000, time.time() + days * 86400, delta=3600)
            # what was not verified for one is not used for another
            self.failed(self.fetch.get(url, ca=self.authority.ca), RETRY, TLS, words)

    def test_no_way_back_from_https(self):
        plain = self.serve({"/": web.ok()})
        server = self.serve({"/": web.redirect(plain.url())}, tls=self.authority.make())
        answer = self.fetch.get(server.url(), redirects=3, insecure=True)
        self.failed(answer, REJECTED, REFUSED, "from https to http")
        up = self.serve({"/": web.redirect(server.url("/up"))})
        server.routes["/up"] = web.ok(b"up")
        self.assertEqual(self.fetch.get(up.url(), redirects=3, insecure=True).body, b"up")

    def test_no_tls_there(self):
        plain = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(plain.close)

        def complain():
            conn, _ = plain.accept()
            conn.sendall(web.answer(400, b"speak HTTP"))
            conn.close()
        threading.Thread(target=complain, daemon=True).start()
        self.failed(self.fetch.get(f"https://127.0.0.1:{plain.getsockname()[1]}/"), RETRY, TLS,
                    r"TLS with 127.0.0.1 .* does that port speak http\?")


class Process(FetchCase):
    def status(self, name):
        lines = pathlib.Path(f"/proc/{self.fetch.process.pid}/status").read_text().splitlines()
        return next(line.split()[1] for line in lines if line.startswith(name + ":"))

    def test_malformed_frames_end_it(self):
        self.fetch.frame(REQUEST, 1, b"nonsense")
        self.assertEqual(self.fetch.process.wait(10 * lab.PATIENCE), 1)
        self.fetch.process.returncode = 0

    @lab.plain_build_only
    def test_it_is_confined(self):
        server = self.serve({"/": web.ok()})
        self.fetch.get(server.url())
        self.assertEqual((self.status("NoNewPrivs"), self.status("Seccomp")), ("1", "2"))
        limits = pathlib.Path(f"/proc/{self.fetch.process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size\s+0\s+0")
        self.assertRegex(limits, r"Max data size\s+536870912")
        self.assertEqual(pathlib.Path(f"/proc/{self.fetch.process.pid}/environ").read_bytes(), b"")

    @lab.plain_build_only
    def test_it_sleeps_when_idle(self):
        server = self.serve({"/": web.ok()})
        self.fetch.get(server.url())

        def switches():
            return int(self.status("voluntary_ctxt_switches"))
        lab.wait_for(lambda: self.status("State") == "S")
        before = switches()
        threading.Event().wait(2)  # a span to measure in, not a wait for something
        self.assertLessEqual(switches() - before, 0)


if __name__ == "__main__":
    unittest.main()
