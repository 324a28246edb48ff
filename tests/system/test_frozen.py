"""With the database, Redis and a web target frozen, nobody who asks the agent waits for them."""
import http.client
import socket
import time
import unittest

import lab


def probe(agent, path, times):
    """Durations of `times` requests over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=10 * lab.PATIENCE)
    took = []
    for _ in range(times):
        started = time.monotonic()
        connection.request("GET", path)
        connection.getresponse().read()
        took.append(time.monotonic() - started)
    connection.close()
    return took


class Frozen(unittest.TestCase):
    def test_no_request_waits_for_a_worker(self):
        with socket.socket() as silent, lab.Postgres() as postgres, lab.Redis() as redis:
            silent.bind(("127.0.0.1", 0))
            silent.listen(16)  # connections are made by the kernel; nobody ever answers
            timeout = 2 * lab.PATIENCE
            common = {"interval": f"{timeout + 1}s", "timeout": f"{timeout}s"}
            plugins = {
                "database": {"use": "postgres", "dsn": postgres.dsn(), **common},
                "redis": {"use": "redis", "url": redis.url(), **common},
                "website": {"use": "http", "url": f"http://127.0.0.1:{silent.getsockname()[1]}/", **common},
            }
            with lab.Agent(plugins=plugins) as agent:
                agent.wait_check("database", "pass")
                agent.wait_check("redis", "pass")
                frozen_at = time.monotonic()
                postgres.freeze()
                redis.freeze()
                slowest = 0
                while {name: (agent.check(name) or {}).get("status") for name in plugins} != dict.fromkeys(plugins, "fail"):
                    self.assertLess(time.monotonic() - frozen_at, 2 * timeout + 1 + 2 * lab.PATIENCE,
                                    "a frozen check turns to fail within its timeout plus one interval")
                    for path in ("/api/health", "/api/health/live"):
                        slowest = max([slowest, *probe(agent, path, 200)])
                # Calls take seconds: a request that waited for one would show.
                self.assertLess(slowest, timeout / 2)
                for name in plugins:
                    self.assertIn("age", agent.check(name))
                    self.assertEqual(agent.metrics().value("toiletmon_instance_state", name=name, state="ready"), 1, name)
                postgres.thaw()
                redis.thaw()
                agent.wait_check("database", "pass", 3 * timeout)
                agent.wait_check("redis", "pass", 3 * timeout)
                for name in plugins:
                    self.assertEqual(agent.metrics().value("toiletmon_instance_restarts_total", name=name), 0, name)


if __name__ == "__main__":
    unittest.main()
