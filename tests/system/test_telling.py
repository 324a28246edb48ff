"""What an agent tells its operators: of sinks that cannot deliver, of alerts nobody is told of, of what was asked wrongly."""
import shutil

import delivery_kit
import lab

TO = [{**delivery_kit.NOW, "to": ["hook"]}]


class BrokenSinks(delivery_kit.Case):
    """Sinks whose plugin does not get beyond create()."""

    @classmethod
    def setUpClass(cls):
        bad = {"use": "bad_deliver", "url": "https://example.org/"}
        fixtures = lab.scratch("plugins") # bad_sink alone: others take their time to be refused
        cls.addClassCleanup(shutil.rmtree, fixtures)
        shutil.copy(lab.FIXTURES / "bad_sink.so", fixtures)
        cls.dirs = {"plugin_dirs": [str(fixtures)]}
        plugins = {"fails": {**bad, "create": "fail"}, "crashes": {**bad, "create": "crash"}, "works": bad,
                   "minor": {**bad, "create": "fail", "affects": "nothing"}}
        cls.plugins = plugins
        cls.agent = lab.Agent(plugins=plugins, agent=cls.dirs, until="ready",
                              rest={"routes": [{**delivery_kit.NOW, "to": ["fails", "crashes", "works", "minor"]}]})
        cls.agent.__enter__()
        cls.addClassCleanup(cls.agent.__exit__, None, None, None)

    def broken(self, name):
        return lab.wait_for(lambda: (sink := self.sink(self.agent, name))["state"] == "broken" and sink)

    def test_the_list_of_sinks_says_so_and_why(self):
        self.assertIn("create failed: the far end is not to my liking", self.broken("fails")["reason"])
        self.assertIn("signal 6", self.broken("crashes")["reason"])
        self.assertEqual(self.sink(self.agent, "works")["state"], "well")
        instances = {one["name"]: one for one in self.agent.get("/api/v1/plugins").json["instances"]}
        self.assertEqual(self.broken("fails")["reason"], instances["fails"]["reason"])
        status, out, _ = self.agent.cli("sinks", "list")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"(?m)^fails +broken .*create failed: the far end")
        self.assertRegex(out, r"(?m)^works +well")
        lab.wait_for(lambda: self.agent.metrics().value("toiletmon_sink_state", name="fails", state="broken") == 1)
        self.assertEqual(self.agent.metrics().value("toiletmon_sink_state", name="fails", state="well"), 0)

    def test_health_is_degraded(self):
        check = self.agent.wait_check("fails", "fail")
        self.assertIn("create failed: the far end", check["message"])
        self.agent.wait_check("crashes", "fail")
        health = lab.wait_for(lambda: (health := self.agent.health())["status"] == "degraded" and health)
        self.assertNotIn("works", health["checks"])
        self.assertEqual(self.agent.get("/api/health").status, 200)
        status, out, _ = self.agent.cli("status")
        self.assertEqual(status, 0)
        self.assertIn("is degraded", out)
        self.assertRegex(out, r"(?m)^crashes +fail .*signal 6")

    def test_what_is_mended_is_well_again(self):
        with lab.Agent(plugins={"hook": self.plugins["fails"]}, agent=self.dirs, until="ready", rest={"routes": TO}) as agent:
            lab.wait_for(lambda: agent.health()["status"] == "degraded")
            agent.write(agent.render(plugins={"hook": self.plugins["works"]}, agent=self.dirs, rest={"routes": TO}))
            self.assertEqual(agent.get("/api/v1/reload", method="POST").status, 200)
            lab.wait_for(lambda: self.sink(agent, "hook")["state"] == "well")
            lab.wait_for(lambda: agent.health()["status"] == "healthy")
            self.assertNotIn("hook", agent.health()["checks"])
