"""The component `redis` in a real agent, against real servers of every kind, frozen ones and liars."""
import os
import re
import shutil
import socket
import threading
import time
import unittest

import lab



class RedisCase(unittest.TestCase):
    if not hasattr(unittest.TestCase, "enterContext"):  # Python before 3.11
        def enterContext(self, context):
            value = context.__enter__()
            self.addCleanup(context.__exit__, None, None, None)
            return value

    def server(self, **kwargs):
        return self.enterContext(lab.Redis(**kwargs))

    def agent(self, instances, **kwargs):
        plugins = {name: {"use": "redis", "interval": "1s", "timeout": "800ms", "labels": {"target": name}, **settings}
                   for name, settings in instances.items()}
        return self.enterContext(lab.Agent(plugins=plugins, **kwargs))

    def failed(self, agent, name, step, words):
        def there():
            check = agent.check(name)
            return check if check and check["status"] == "fail" and "failed" in check else None
        check = lab.wait_for(there, what=f"the check {name} failing")
        self.assertEqual(check["failed"], step, check)
        self.assertRegex(check["message"], words)
        return check


class Doors(RedisCase):
    def test_every_way_in(self):
        server = self.server(password="hush-hush", tls=True)
        server.command("ACL", "SETUSER", "watcher", "on", ">pass/word", "+ping", "+info", "+select")
        port, tls = server.port, server.tls_port
        agent = self.agent({
            "tcp": {"url": server.url()},
            "name": {"url": f"redis://:hush-hush@localhost:{port}"},
            "socket": {"url": server.url("unix")},
            "database": {"url": server.url(database=3)},
            "apart": {"url": f"redis://127.0.0.1:{port}", "password": "hush-hush", "database": 2},
            "user": {"url": f"redis://watcher:pass%2Fword@127.0.0.1:{port}/1"},
            "verified": {"url": server.url("rediss"), "tls_ca": str(server.certificate)},
            "by_name": {"url": f"rediss://:hush-hush@localhost:{tls}", "tls_ca": str(server.certificate)},
            "insecure": {"url": server.url("rediss"), "insecure": True},
        })
        for name in ("tcp", "name", "socket", "database", "apart", "user", "verified", "by_name", "insecure"):
            with self.subTest(name):
                check = agent.wait_check(name, "pass")
                self.assertGreater(check["responseTime"], 0)
                self.assertLess(check["responseTime"], 500)
                lab.wait_for(lambda: agent.metrics().value("redis_up", target=name) == 1)
        self.assertRegex(server.command("CLIENT", "LIST"), r"db=3")
        for text in (agent.log(), agent.get("/api/health").text, agent.get("/api/metrics").text):
            self.assertNotIn("hush", text)
            self.assertNotIn("word@", text)

    def test_one_connection(self):
        server = self.server()
        agent = self.agent({"one": {"url": server.url(), "interval": "1s"}})
        agent.wait_check("one", "pass")

        def commands():
            return agent.metrics().value("redis_commands_total", cmd="ping") or 0
        before = commands()
        lab.wait_for(lambda: commands() >= before + 3)
        self.assertEqual(server.command("CLIENT", "LIST", "TYPE", "normal").count(" addr=127.0.0.1"), 1)
        self.assertEqual(agent.metrics().value("redis_connected_clients"), 1)

    def test_a_restarted_server_is_met_at_once(self):
        server = self.server()
        agent = self.agent({"one": {"url": server.url()}})
        agent.wait_check("one", "pass")

        def asked(command):
            found = re.search(rf"cmdstat_{command}:calls=(\d+)", server.command("INFO", "commandstats"))
            return int(found.group(1)) if found else 0
        for _ in range(4):
            server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # its connection dies under it
            before = asked("ping")
            lab.wait_for(lambda: asked("ping") > before)
            self.assertNotEqual(agent.metrics().value("redis_up"), 0)
        scrapes = asked("info")
        lab.wait_for(lambda: agent.metrics().value("redis_commands_total", cmd="ping") and asked("info") > scrapes)
        runs = {dict(labels).get("call"): value for (name, labels), value in agent.metrics().items()
                if name == "toiletmon_instance_failures_total"}
        self.assertEqual(runs["check"], 0)


class Failures(RedisCase):
    def test_each_step_is_told(self):
        server = self.server(password="hush-hush", tls=True)
        server.command("ACL", "SETUSER", "blind", "on", ">pass", "-@all")
        agent = self.agent({
            "closed": {"url": f"redis://127.0.0.1:{lab.free_port()}"},
            "unknown": {"url": "redis://no-such-name.invalid"},
            "no_socket": {"url": "unix:///nowhere/redis.sock"},
            "stranger": {"url": f"redis://127.0.0.1:{server.port}"},
            "wrong": {"url": f"redis://:not-it@127.0.0.1:{server.port}"},
            "blind": {"url": f"redis://blind:pass@127.0.0.1:{server.port}"},
            "database": {"url": server.url(database=999)},
            "untrusted": {"url": server.url("rediss")},
            "no_tls": {"url": f"rediss://:hush-hush@127.0.0.1:{server.port}", "insecure": True},
            "only_tls": {"url": f"redis://:hush-hush@127.0.0.1:{server.tls_port}"},
        })
        self.failed(agent, "closed", "connect", "Connection refused")
        self.failed(agent, "unknown", "name resolution", "no-such-name.invalid")
        self.failed(agent, "no_socket", "connect", "No such file")
        self.failed(agent, "stranger", "authentication", "NOAUTH")
        self.failed(agent, "wrong", "authentication", "WRONGPASS")
        self.failed(agent, "blind", "command", "PING: NOPERM")
        self.failed(agent, "database", "command", "SELECT: ERR DB index is out of range")
        self.failed(agent, "untrusted", "TLS", "self.signed certificate")
        self.failed(agent, "no_tls", "TLS", "TLS with 127.0.0.1|TLS: no answer")
        self.failed(agent, "only_tls", "authentication", "closed the connection|reset|deadline|protocol")
        lab.wait_for(lambda: agent.metrics().value("redis_up", target="closed") == 0)
        self.assertNotIn("not-it", agent.log() + agent.get("/api/health").text)

    def test_frozen_and_thawed(self):
        server = self.server(tls=True)
        agent = self.agent({"tcp": {"url": server.url()}, "socket": {"url": server.url("unix")},
                            "tls": {"url": server.url("rediss"), "insecure": True}})
        names = ("tcp", "socket", "tls")
        for name in names:
            agent.wait_check(name, "pass")
        for _ in range(2):
            server.freeze()
            began = time.monotonic()
            for name in names:
                agent.wait_check(name, "fail", 5)
            self.assertLess(time.monotonic() - began, 3 * lab.PATIENCE)
            for name in names:  # we say it, before the agent has to
                check = self.failed(agent, name, agent.check(name).get("failed"), "no answer before the deadline")
                self.assertIn(check["failed"], ("command", "connect", "TLS"))
            server.thaw()
            for name in names:
                agent.wait_check(name, "pass")
        self.assertNotIn("quarantine", agent.log())
        restarts = agent.metrics().all("toiletmon_instance_restarts_total")
        self.assertEqual([value for _, value in restarts], [0] * len(restarts))

    def test_files_that_are_not_there_yet(self):
        agent = self.agent({"no_ca": {"url": "rediss://:hush@127.0.0.1", "tls_ca": "/nowhere/ca.pem"}})
        self.assertIn("tls_ca: /nowhere/ca.pem cannot be used", agent.wait_check("no_ca", "fail")["message"])
        self.assertNotIn("hush", agent.log())


class Liar:
    """Answers whatever it is asked with the same bytes, again and again if `again`."""

    def __init__(self, data, again=False):
        self.data, self.again = data, again
        self.stopped = threading.Event()
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.sock.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.sock.close()

    def accept(self):
        while not self.stopped.is_set():
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            with conn:
                while conn.recv(4096):
                    conn.sendall(self.data)
                    while self.again and not self.stopped.is_set():
                        conn.sendall(self.data)
        except OSError:
            pass


class Liars(RedisCase):
    def test_hostile_answers(self):
        liars = {
            "garbage": Liar(os.urandom(512).replace(b"+", b"x").replace(b"\n", b"x")),
            "http": Liar(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "bulk": Liar(b"$999999999999\r\nabc"),
            "array": Liar(b"*1000000000\r\n"),
            "nested": Liar(b"*1\r\n" * 10000),
            "negative": Liar(b"$-5\r\n"),
            "line": Liar(b"+" + b"x" * 65536, again=True),
            "flood": Liar(b"$8000000\r\n" + b"x" * 65536, again=True),
            "pong": Liar(b"+PANG\r\n"),
            "number": Liar(b":1\r\n"),
            "nil": Liar(b"$-1\r\n"),
            "escape": Liar(b"-ERR \x1b[31m\xff\xfe" + b"z" * 5000 + b"\r\n"),
        }
        for liar in liars.values():
            self.enterContext(liar)
        agent = self.agent({name: {"url": liar.url} for name, liar in liars.items()})
        for name in liars:
            with self.subTest(name):
                check = agent.wait_check(name, "fail")
                self.assertNotIn("\x1b", check["message"])
                self.assertLess(len(check["message"]), 600)
        lab.wait_for(lambda: all(agent.metrics().value("redis_up", target=name) is not None for name in liars))
        restarts = agent.metrics().all("toiletmon_instance_restarts_total")
        self.assertEqual({labels["name"]: value for labels, value in restarts if value}, {})


class Exporter(RedisCase):
    # What moves between two looks, or is the looker's own.
    MOVING = re.compile(r"cpu_|net_|_processed|commands_|connections_received|latency|uptime|start_time|clients|memory|"
                        r"mem_|allocator|avg_ttl|client_|slowlog|exporter|scrape|last_slow|total_error|config_|key_groups|pending_bio")

    @unittest.skipUnless(shutil.which("prometheus-redis-exporter"), "there is no redis_exporter on this machine")
    def test_side_by_side(self):
        server = self.server(settings={"appendonly": "yes", "maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"})
        for n in range(50):
            server.command("SET", f"key:{n}", "value")
        server.command("EXPIRE", "key:1", "1000")
        server.command("GET", "key:1")
        server.command("GET", "missing")
        port = lab.free_port()
        log = server.dir / "exporter.log"
        exporter = lab.Child(["prometheus-redis-exporter", "-redis.addr", server.url(), "-web.listen-address",
                              f"127.0.0.1:{port}"], log)
        self.addCleanup(exporter.end)
        agent = self.agent({"one": {"url": server.url(), "labels": {}}})
        theirs = lab.wait_for(lambda: lab.parse_metrics("\n".join(
            line for line in lab.get("/metrics", port=port).text.splitlines() if line.startswith("redis_"))))
        text = lab.wait_for(lambda: (t := agent.get("/api/metrics").text) and "redis_db_keys" in t and t)
        ours = lab.parse_metrics("\n".join(line for line in text.splitlines() if line.startswith("redis_")))

        def names(found):
            return {name for name, _ in found}
        missing = {name for name in names(theirs) - names(ours) if not re.search(
            r"exporter|scrape|slowlog|last_slow|config_(io_threads|maxmemory)", name)}
        self.assertEqual(missing, set())
        self.assertEqual(names(ours) - names(theirs), set())
        same = 0
        for (name, labels), value in theirs.items():
            if self.MOVING.search(name) or (name, labels) not in ours:
                continue
            self.assertAlmostEqual(ours[name, labels], value, delta=1e-9 + abs(value) * 1e-9, msg=name)
            same += 1
        self.assertGreater(same, 50)
        self.assertEqual(ours["redis_db_keys", (("db", "db0"),)], 50)
        self.assertEqual(ours["redis_memory_max_bytes", ()], 100 << 20)
        info = [labels for name, labels in ours if name == "redis_instance_info"]
        self.assertEqual(set(info), {labels for name, labels in theirs if name == "redis_instance_info"})

        def types(exposition):
            return {line.split()[2]: line.split()[3] for line in exposition.splitlines()
                    if line.startswith("# TYPE redis_")}
        their_types = types(lab.get("/metrics", port=port).text)
        self.assertEqual({name: kind for name, kind in types(text).items() if their_types.get(name) != kind}, {})


if __name__ == "__main__":
    unittest.main()
