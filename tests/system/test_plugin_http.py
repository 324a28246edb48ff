"""The component `http` in a real agent, through a real toiletmon-fetch, against servers of all kinds."""
import pathlib
import os
import signal
import socket
import time
import unittest

import lab
import web


def fetch_pid(agent):
    for pid in agent.workers():
        try:
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "tmon:fetch":
                return pid
        except OSError:
            pass
    return None


class HttpCase(unittest.TestCase):
    if not hasattr(unittest.TestCase, "enterContext"):  # Python before 3.11
        def enterContext(self, context):
            value = context.__enter__()
            self.addCleanup(context.__exit__, None, None, None)
            return value

    def serve(self, routes, **kwargs):
        return self.enterContext(web.Web(routes, **kwargs))

    def agent(self, instances, **kwargs):
        plugins = {name: {"use": "http", "interval": "1s", "timeout": "900ms", "labels": {"target": name}, **settings}
                   for name, settings in instances.items()}
        return self.enterContext(lab.Agent(plugins=plugins, **kwargs))

    def failed(self, agent, name, phase, words):
        check = agent.wait_check(name, "fail")
        self.assertEqual(check.get("failed"), phase, check)
        self.assertRegex(check["message"], words)
        return check


class Checks(HttpCase):
    def test_pages(self):
        server = self.serve({
            "/": web.ok(b'{"status": "healthy"}', "Content-Type: application/json"),
            "/gone": web.answer(404, b"no"),
            "/move": web.redirect("/"),
            "/away": web.redirect("http://localhost/"),
        })
        agent = self.agent({
            "fine": {"url": server.url(), "body_contains": "healthy", "header": {"content-type": "^application/json"}},
            "gone": {"url": server.url("/gone")},
            "move": {"url": server.url("/move")},
            "stay": {"url": server.url("/move"), "max_redirects": 0, "expect_status": ["302"],
                     "header": {"location": "^/$"}},
            "away": {"url": server.url("/away")},
            "words": {"url": server.url(), "body_pattern": "unhealthy"},
        })
        check = agent.wait_check("fine", "pass")
        self.assertGreater(check["responseTime"], 0)
        self.assertEqual(check["statusCode"], 200)
        self.assertGreater(check["phases"]["connect"], 0)
        self.assertEqual(agent.wait_check("move", "pass")["redirects"], 1)
        agent.wait_check("stay", "pass")
        self.assertRegex(agent.wait_check("gone", "fail")["message"], "status is 404")
        self.assertRegex(agent.wait_check("words", "fail")["message"], "body_pattern")
        self.failed(agent, "away", "refused", "redirects to another host")

        metrics = lab.wait_for(lambda: (m := agent.metrics()).value("probe_success", target="away") == 0 and m)
        self.assertEqual(metrics.value("probe_success", target="fine"), 1)
        self.assertEqual(metrics.value("probe_http_status_code", target="gone"), 404)
        self.assertEqual(metrics.value("probe_http_content_length", target="fine"), 21)
        self.assertEqual(lab.promtool(agent.get("/api/metrics").text), [])

    def test_one_request_an_interval(self):
        server = self.serve({"/": web.ok()})
        agent = self.agent({"one": {"url": server.url()}})
        lab.wait_for(lambda: len(server.seen) >= 4)
        requests = len(server.seen)
        metrics = agent.metrics()
        runs = {dict(labels)["call"]: value for (name, labels), value in metrics.items()
                if name == "toiletmon_instance_runs_total" and dict(labels)["name"] == "one"}
        self.assertLessEqual(abs(runs["check"] - runs["collect"]), 1)
        self.assertLessEqual(requests, runs["check"] + 1)

    def test_what_is_wrong_is_told(self):
        server = self.serve({"/hang": web.hang, "/drip": web.drip, "/nothing": lambda request: None,
                             "/chunk": lambda request: request.send(
                                 b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")})
        deaf = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(deaf.close)
        agent = self.agent({
            "hang": {"url": server.url("/hang")},
            "drip": {"url": server.url("/drip")},
            "nothing": {"url": server.url("/nothing")},
            "chunk": {"url": server.url("/chunk")},
            "closed": {"url": f"http://127.0.0.1:{lab.free_port()}/"},
            "deaf": {"url": f"https://127.0.0.1:{deaf.getsockname()[1]}/"},
            "unknown": {"url": "http://no-such-name.invalid/"},
        })
        self.failed(agent, "closed", "connect", "Connection refused")
        self.failed(agent, "nothing", "answer", "no complete answer")
        self.failed(agent, "chunk", "answer", "no complete answer")
        for name, phase in [("hang", "answer"), ("drip", "answer"), ("deaf", "tls"), ("unknown", "resolve")]:
            check = agent.wait_check(name, "fail")
            if "failed" in check:  # else the deadline came first, which says less but is no lie
                self.assertEqual(check["failed"], phase)
        self.assertEqual(lab.wait_for(lambda: agent.get("/api/health")).status, 503)

    def test_a_hanging_target_is_noticed_in_time_and_forgiven(self):
        released = []

        def route(request):
            return web.ok() if released else request.wait()

        server = self.serve({"/": route})
        agent = self.agent({"one": {"url": server.url()}}, until="live")
        began = time.monotonic()
        agent.wait_check("one", "fail")
        self.assertLess(time.monotonic() - began, 3 * lab.PATIENCE)
        released.append(True)
        agent.wait_check("one", "pass")
        self.assertNotIn("quarantine", agent.log())

    def test_the_agent_does_not_ask_itself(self):
        port = lab.free_port()
        trap = self.serve({"/": web.redirect(f"http://127.0.0.1:{port}/api/health", 302)})
        agent = self.agent({"self": {"url": f"http://127.0.0.1:{port}/api/health"},
                            "named": {"url": f"http://localhost:{port}/"},
                            "zero": {"url": f"http://0.0.0.0:{port}/"},
                            "trap": {"url": trap.url()}}, agent={"listen": f"127.0.0.1:{port}"}, until=None)
        agent.port, agent.until = port, "live"
        lab.wait_for(agent.answers)
        for name in ("self", "named", "zero"):
            self.failed(agent, name, "refused", "agent's own address")
        self.failed(agent, "trap", "refused", "another port")


class Tls(HttpCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = web.Certificates()
        cls.addClassCleanup(cls.authority.remove)

    def test_certificates(self):
        good = self.serve({"/": web.ok()}, tls=self.authority.make(days=30))
        soon = self.serve({"/": web.ok()}, tls=self.authority.make(days=5))
        agent = self.agent({
            "strict": {"url": good.url()},
            "good": {"url": good.url(), "insecure": True},
            "warn": {"url": soon.url(), "insecure": True},
            "fail": {"url": soon.url(), "insecure": True, "tls_fail_days": 7},
        })
        self.failed(agent, "strict", "tls", "certificate")
        check = agent.wait_check("good", "pass")
        self.assertAlmostEqual(check["certificate"]["days"], 30, delta=0.2)
        self.assertGreater(check["phases"]["tls"], 0)
        self.assertRegex(agent.wait_check("warn", "warn")["message"], "runs out in [45]")
        agent.wait_check("fail", "fail")
        expiry = lab.wait_for(lambda: agent.metrics().value("probe_ssl_earliest_cert_expiry", target="good"))
        self.assertAlmostEqual(expiry, time.time() + 30 * 86400, delta=3600)


class Process(HttpCase):
    def test_it_starts_at_first_use_and_again(self):
        server = self.serve({"/": web.ok()})
        with lab.Agent(plugins={}) as idle:
            self.assertIsNone(fetch_pid(idle))
        agent = self.agent({"one": {"url": server.url()}})
        agent.wait_check("one", "pass")
        first = fetch_pid(agent)
        self.assertIsNotNone(first)
        os.kill(first, signal.SIGKILL)
        agent.wait_log("HTTP worker ended")
        second = lab.wait_for(lambda: (pid := fetch_pid(agent)) != first and pid)
        agent.wait_check("one", "pass")
        self.assertNotEqual(first, second)
        metrics = agent.metrics()
        self.assertEqual(metrics.value("toiletmon_fetch_restarts_total"), 1)
        self.assertGreaterEqual(metrics.value("toiletmon_fetch_requests_total"), 2)

    def test_a_frozen_worker_is_replaced(self):
        server = self.serve({"/": web.ok()})
        agent = self.agent({"one": {"url": server.url()}})
        agent.wait_check("one", "pass")
        first = fetch_pid(agent)
        os.kill(first, signal.SIGSTOP)
        agent.wait_check("one", "fail")
        lab.wait_for(lambda: fetch_pid(agent) not in (None, first), 30, "another fetch worker")
        agent.wait_check("one", "pass")

    def test_it_dies_with_the_agent(self):
        server = self.serve({"/": web.ok()})
        agent = self.agent({"one": {"url": server.url()}})
        agent.wait_check("one", "pass")
        pid = fetch_pid(agent)
        agent.child.send(signal.SIGKILL)
        agent.expected_exit = agent.child.wait()
        lab.wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists()
                     or pathlib.Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] == "Z")


if __name__ == "__main__":
    unittest.main()
