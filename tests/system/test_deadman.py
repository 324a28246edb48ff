"""The outgoing heartbeat: called while alerts would reach people, and not a moment longer, though HTTP lives."""
import resource
import time
import unittest

import lab
import web
from delivery_kit import NOW, Case

PATH = "/ping/c4n4ry0fthep4th77"
QUICK = {"interval": "200ms", "timeout": "200ms"}


class Far:
    """Where heartbeats go. `status` is what it answers."""

    def __init__(self):
        self.status, self.came = 200, []
        self.web = web.Web({PATH: self.take})

    def take(self, request):
        self.came.append((time.monotonic(), request.method))
        return web.answer(self.status, b"said " + request.path.encode())

    def since(self, moment):
        return [at for at, _ in self.came if at > moment]


class Deadman(Case):
    def far(self):
        far = Far()
        far.web.__enter__()
        self.addCleanup(far.web.__exit__, None, None, None)
        return far

    def agent(self, far, plugins=None, routes=(), **more):
        rest = {"heartbeat": {"url": "${HEARTBEAT_URL}", **QUICK}, "routes": list(routes),
                "groups": [{"name": "g", "interval": "100ms", "rules": [{"record": "one", "expr": "vector(1)"}]}]}
        env = {"HEARTBEAT_URL": far.web.url(PATH), **more.pop("env", {})}
        return lab.Agent(plugins=plugins or {}, rest=rest, env=env, until="ready", **more)

    def value(self, agent, result):
        return agent.metrics().value("toiletmon_heartbeat_calls_total", result=result) or 0

    def beats(self, far, what="heartbeats"):
        now = time.monotonic()
        lab.wait_for(lambda: len(far.since(now)) >= 2, 20, what)

    def silent(self, agent, far, reason):
        """None comes once it is known that one is withheld; the agent answers meanwhile."""
        before = self.value(agent, "withheld")
        lab.wait_for(lambda: self.value(agent, "withheld") > before, 20, "one that is withheld")
        now = time.monotonic()
        lab.wait_for(lambda: self.value(agent, "withheld") > before + 3, 20, "more of them")
        self.assertEqual(far.since(now), [])
        self.assertEqual(agent.get("/api/health/live").status, 200)
        told = agent.get("/api/v1/status").json["heartbeat"]
        self.assertEqual((told["state"], told["reason"]), ("troubled", reason))
        self.assertIn(f"no heartbeat is sent or taken: {reason}", agent.cli("status")[1])

    def test_it_beats_and_says_so(self):
        far = self.far()
        with self.agent(far) as agent:
            self.beats(far)
            self.assertEqual({method for _, method in far.came}, {"GET"})
            told = agent.get("/api/v1/status").json["heartbeat"]
            self.assertEqual((told["state"], told["reason"]), ("well", ""))
            last = agent.metrics().value("toiletmon_heartbeat_last_success_timestamp_seconds")
            self.assertLess(abs(time.time() - last), 20)
            far.status = 500
            agent.wait_log('msg="the heartbeat was not taken" reason="HTTP 500"')
            lab.wait_for(lambda: self.value(agent, "failure") >= 2, 20)
            self.assertEqual(agent.log().count("was not taken"), 1)  # said once
            far.status = 204
            agent.wait_log("the heartbeat is taken again")
            far.web.__exit__(None, None, None)  # nobody listens any more
            agent.wait_log('the heartbeat was not taken" reason="(?!HTTP)')
            everything = agent.log() + agent.get("/api/v1/status").text + agent.get("/api/metrics").text
            self.assertNotIn("c4n4ry", everything)
            self.reload(agent, agent.render({}))
            self.assertIsNone(agent.get("/api/v1/status").json["heartbeat"])

    @lab.plain_build_only
    def test_a_stalled_thread_is_no_heartbeat(self):
        for thread, reason in (("rules", "the thread that evaluates rules does not answer"),
                               ("state", "the thread that writes alerts and the outbox does not answer")):
            with self.subTest(thread):
                far, folder = self.far(), lab.scratch("stall")
                self.addCleanup(folder.rmdir)
                preload = str(lab.BUILD / "tests" / "system" / "stall_thread.so")
                with self.agent(far, env={"LD_PRELOAD": preload, "STALL_THREAD": str(folder)}) as agent:
                    self.beats(far)
                    (folder / thread).touch()
                    try:
                        self.silent(agent, far, reason)
                    finally:
                        (folder / thread).unlink()
                    self.beats(far, "heartbeats after it")

    def test_a_state_that_fails_is_no_heartbeat(self):
        far = self.far()
        with self.agent(far, within=["env", "--ignore-signal=XFSZ"]) as agent:
            self.beats(far)
            resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            self.silent(agent, far, "the durable state cannot be written")
            resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            self.beats(far, "heartbeats after it")

    def test_a_far_end_that_is_down_is_no_reason(self):
        far, receiver = self.far(), self.receiver()
        receiver.answer = lambda n: (503, ())
        with self.agent(far, {"hook": {"use": "webhook", "url": receiver.url()}}, [{"to": "hook", **NOW}]) as agent:
            self.post(agent, "Fire")
            lab.wait_for(lambda: len(receiver.came) >= 2, 20, "attempts")
            self.beats(far)

    def test_check_tells_what_is_wrong(self):
        cases = [({"interval": "1m"}, "'url' is missing"), ({"url": "ftp://x/"}, "'url' must"),
                 ({"url": "http://x/", "interval": "5s"}, "'timeout' must not be longer than 'interval'"),
                 ({"url": "http://x/", "intervall": "5s"}, "'intervall'"), ("http://x/", "must be a mapping"),
                 ({"url": ""}, "'url' must"), ({"url": "${NOPE}"}, "NOPE")]
        for heartbeat, words in cases:
            agent = lab.Agent(plugins={}, rest={"heartbeat": heartbeat}, until=None)
            self.addCleanup(agent.remove)
            status, out, err = agent.cli("check", "-c", agent.config)
            self.assertEqual(status, 1, (heartbeat, out))
            self.assertIn(words, err)
            self.assertRegex(err, r"toiletmon\.yaml:\d+:\d+: ")
        agent = lab.Agent(plugins={}, rest={"heartbeat": {"url": "${HEARTBEAT_URL:-}"}}, until=None)
        self.addCleanup(agent.remove)
        self.assertEqual(agent.cli("check", "-c", agent.config)[0], 0)


if __name__ == "__main__":
    unittest.main()
