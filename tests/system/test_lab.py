"""The lab itself: servers come up as an ordinary user, freeze, thaw, and leave nothing behind."""
import os
import pathlib
import unittest

import lab


def owner(pid):
    return os.stat(f"/proc/{pid}").st_uid


class Servers(unittest.TestCase):
    def test_postgres(self):
        with lab.Postgres(tls=True) as server:
            self.assertEqual(server.psql("select 2 * 21"), "42")
            self.assertNotEqual(owner(server.child.pid), 0)
            server.freeze()
            server.thaw()
            self.assertEqual(server.psql("show ssl"), "on")
            pid, folder = server.child.pid, server.dir
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())
        self.assertFalse(folder.exists())

    def test_redis(self):
        with lab.Redis(password="open", tls=True) as server:
            server.command("SET", "key", "value")
            self.assertEqual(server.command("GET", "key"), "value")
            self.assertNotEqual(owner(server.child.pid), 0)
            self.assertIn(":open@127.0.0.1", server.url("rediss"))

    def test_prometheus(self):
        port = lab.free_port()
        with lab.Prometheus([f"127.0.0.1:{port}"]) as server:
            lab.wait_for(lambda: server.query("up") and True, 20, "a first scrape")
            self.assertEqual([value for _, value in server.query("up")], [0.0])


class Reading(unittest.TestCase):
    def test_samples(self):
        found = lab.parse_metrics('# TYPE a gauge\na{x="1",y="a \\"b\\" é"} 2.5\na{x="2"} +Inf 17\nb 1\n')
        self.assertEqual(found.value("a", x="1"), 2.5)
        self.assertEqual(found.all("a", x="1")[0][0]["y"], 'a "b" é')
        self.assertIsNone(found.value("c"))
        with self.assertRaises(AssertionError):
            lab.parse_metrics("b 1\nb 2\n")

    def test_waiting_ends(self):
        with self.assertRaisesRegex(AssertionError, "the moon: not within"):
            lab.wait_for(lambda: False, 0.01, "the moon")


if __name__ == "__main__":
    unittest.main()
