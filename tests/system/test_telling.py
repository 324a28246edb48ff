"""What an agent tells its operators: of sinks that cannot deliver, of alerts nobody is told of, of what was asked wrongly."""
import shutil
import threading
import time

import delivery_kit
import lab

TO = [{**delivery_kit.NOW, "to": ["hook"]}]


class BrokenSinks(delivery_kit.Case):
    """Sinks whose plugin does not get beyond create()."""

    @classmethod
    def setUpClass(cls):
        bad = {"use": "bad_create"}
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


class DisabledSinks(delivery_kit.Case):
    def test_they_are_listed_with_the_reason_and_say_so_when_asked(self):
        plugins = {"silent": {"use": "slack", "webhook_url": "${NOT_SET_HERE}", "enabled_if": "NOT_SET_HERE"}}
        with lab.Agent(**self.text(plugins, [{"to": "silent", **delivery_kit.NOW}]), until="ready") as agent:
            sink = self.sink(agent, "silent")
            self.assertEqual((sink["state"], sink["pending"]), ("disabled", 0))
            self.assertIn("NOT_SET_HERE", sink["reason"])
            self.assertRegex(agent.cli("sinks", "list")[1], r"(?m)^ *silent +disabled .*NOT_SET_HERE")
            for command in ("test", "resume"):
                status, out, err = agent.cli("sinks", command, "silent")
                self.assertEqual((status, out), (1, ""))
                self.assertIn("the sink is disabled: ", err)
                self.assertIn("NOT_SET_HERE", err)


class Explained(delivery_kit.Case):
    """`alerts explain`: how far each sink has been told, and why nobody is."""

    def test_queued_told_failing_and_failed(self):
        good, slow, down, deaf = (self.receiver() for _ in range(4))
        go = threading.Event()
        self.addCleanup(go.set)
        slow.answer = lambda n: go.wait(20) and (200, ())
        down.answer = lambda n: (500, ())
        deaf.answer = lambda n: (400, ())
        sinks = {"good": good, "slow": slow, "down": down, "deaf": deaf}
        plugins = {name: {"use": "webhook", "url": sink.url(), "timeout": "20s"} for name, sink in sinks.items()}
        with lab.Agent(plugins=plugins, until="ready", rest={"routes": [{**delivery_kit.NOW, "to": list(sinks)}]}) as agent:
            self.post(agent, "Told")

            def fates():
                return {sink["name"]: sink["delivery"] for sink in self.alert(agent, "Told")["sinks"]}
            wanted = {"good": "delivered", "slow": "queued", "down": "failing", "deaf": "failed"}
            lab.wait_for(lambda: self.assertEqual(fates(), wanted) or True)
            self.assertIn("good (told), slow (queued), down (failing), deaf (failed)", agent.cli("alerts", "explain", "Told")[1])
            self.assertIn("good, slow (queued), down (failing), deaf (failed)", agent.cli("alerts")[1])
            self.assertRegex(agent.cli("sinks", "list")[1], r"(?m)^down +failing +1 .*500")
            status = agent.cli("status")[1]
            self.assertRegex(status, r"(?m)^the sink down is failing, 1 wait, the oldest for \d+s: .*500")
            self.assertRegex(status, r"(?m)^the sink deaf is well by now, but not all was delivered, 1 dead letter")
            self.assertNotIn("the sink good", status)
            go.set()
            lab.wait_for(lambda: fates()["slow"] == "delivered")

    def test_why_nobody_is_told(self):
        receiver = self.receiver()
        hours = [time.strftime("%H:%M", time.gmtime(time.time() + hour * 3600)) for hour in (-2, 2)]
        night = [{"from": hours[0], "to": hours[1]}]
        routes = [{**delivery_kit.NOW, "group_wait": "1h", "to": ["hook"],
                   "routes": [{"match": {"severity": "info"}, "maintenance": night}]}]
        rest = {"routes": routes, "flapping": {"changes": 3, "window": "10m"}}
        with lab.Agent(plugins={"hook": {"use": "webhook", "url": receiver.url()}}, until="ready", rest=rest) as agent:
            self.post(agent, "Seen")
            self.post(agent, "Night", severity="info")
            for status in ("firing", "resolved", "firing", "resolved", "firing"):
                self.post(agent, "Loose", status=status)
            self.assertIn("hook (waiting)", agent.cli("alerts", "explain", "Seen")[1])
            fingerprint = self.alert(agent, "Seen")["fingerprint"]
            self.assertEqual(agent.cli("ack", fingerprint, "--by", "ada", "--comment", "I look into it")[0], 0)
            self.assertRegex(agent.cli("alerts", "explain", "Seen")[1],
                             r"(?m)^  acknowledged +ada, at 20[-0-9T:.]+Z \(\d+s ago\): I look into it$")
            window = self.alert(agent, "Night")["maintenance"]
            self.assertEqual([one["until"][11:] for one in window], [f"{hours[1]}:00.000Z"])
            self.assertRegex(agent.cli("alerts", "explain", "Night")[1],
                             r'(?m)^  maintenance +the route .*severity="info".*, until 20.*Z \(in 1h\d+m\)$')
            flapping = agent.cli("alerts", "explain", "Loose")[1]
            self.assertRegex(flapping, r"(?m)^  flapping +4 changes so far; .*: 20.*Z \(in 9m\d+s\), if")


class Asked(delivery_kit.Case):
    """What the command line says of what was asked wrongly."""

    @classmethod
    def setUpClass(cls):
        cls.agent = lab.Agent(plugins={"hook": {"use": "log"}, "path": {"use": "environment", "required": ["PATH"]}},
                              until="ready", rest={"routes": [{**delivery_kit.NOW, "to": ["hook"]}]})
        cls.agent.__enter__()
        cls.addClassCleanup(cls.agent.__exit__, None, None, None)

    def says(self, status, text, *arguments):
        got, out, err = self.agent.cli(*arguments)
        self.assertEqual(got, status, (arguments, out, err))
        self.assertIn(text, out if status == 0 else err, arguments)
        return out, err

    def test_names_that_are_not_there(self):
        wrong = "there is no sink 'hok'; did you mean 'hook'? 'toiletmon sinks list' shows them"
        for arguments in (("outbox", "list", "--sink", "hok"), ("outbox", "list", "--all", "-s", "hok"),
                          ("outbox", "retry", "--all-dead", "--sink", "hok"), ("sinks", "test", "hok"),
                          ("sinks", "resume", "hok")):
            out, _ = self.says(1, wrong, *arguments)
            self.assertEqual(out, "")
        self.says(1, "there is no sink 'x'; 'toiletmon sinks list' shows them", "outbox", "list", "-s", "x")
        self.says(1, "there is no check 'pth'; did you mean 'path'? 'toiletmon checks' shows them", "checks", "pth")
        self.says(0, "No notifications.", "outbox", "list", "--sink", "hook")

    def test_a_wrong_command_line(self):
        for arguments, text in ((("-s", "loud"), "severity"), (("--ttl", "soon"), "ttl")):
            self.says(2, text, "alerts", "send", "Wrong", *arguments)
        self.says(0, "No silences.", "silence", "list")
        self.says(0, "No alerts.", "alerts")
        name = self.says(0, "", "silence", "add", "b=c")[0].strip()
        self.says(0, "expired", "silence", "expire", name)
        self.says(2, "the silence has ended; --duration or --end", "silence", "edit", name, "-m", "x")

    def test_mistakes_are_counted_and_warnings_called_so_once(self):
        file = self.agent.dir / "wrong.yaml"
        file.write_text("agent: {listn: 1, tokens: {write: short}}\n")
        status, _, err = lab.cli("check", "-c", str(file))
        self.assertEqual(status, 1)
        self.assertIn(" 1 error\n", err)
        file.write_text("agent: {tokens: {write: short}}\n")
        self.assertEqual(lab.cli("check", "--strict", "-c", str(file))[2].count("warning:"), 1)
