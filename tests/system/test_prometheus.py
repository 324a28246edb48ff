"""A real Prometheus scrapes the agent and holds the right values."""
import unittest

import lab


class Prometheus(unittest.TestCase):
    def test_it_holds_our_samples(self):
        plugins = {"host": {"use": "host", "interval": "1s"},
                   "memory": {"use": "memory", "interval": "1s", "warn_above": 99.8, "fail_above": 99.9}}
        with lab.Agent(plugins=plugins, until="ready") as agent:
            for path in ("/api/metrics", "/metrics"):
                with lab.Prometheus([f"127.0.0.1:{agent.port}"], path=path) as prometheus:
                    def held(expression):
                        rows = prometheus.query(expression)
                        return rows[0][1] if rows else None
                    lab.wait_for(lambda: held("up") == 1, 30, "a scrape that went well")
                    ours = agent.metrics()
                    total = ours.value("node_memory_MemTotal_bytes")
                    lab.wait_for(lambda: held("node_memory_MemTotal_bytes") == total, 20, "the memory of this machine")
                    self.assertEqual(held("node_boot_time_seconds"), ours.value("node_boot_time_seconds"))
                    lab.wait_for(lambda: (held('sum(rate(node_cpu_seconds_total[10s]))') or 0) > 0, 30,
                                 "a rate over several scrapes")
                    self.assertEqual(held("count(toiletmon_build_info)"), 1)
                    lab.wait_for(lambda: held('toiletmon_instance_runs_total{name="memory",call="check"}') > 0)
                    scraped = held("scrape_samples_scraped")
                    self.assertGreater(scraped, 100)
                    self.assertEqual(held("scrape_samples_post_metric_relabeling"), scraped)


if __name__ == "__main__":
    unittest.main()
