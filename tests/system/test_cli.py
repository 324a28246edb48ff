"""The command line against a real agent: what it prints, for people and for scripts, and how it exits."""
import json
import unittest

import lab

QUICK = {"interval": "200ms"}
ENVIRONMENT = {"use": "environment", **QUICK}


class Client(unittest.TestCase):
    def test_a_command_without_options_has_help(self):
        self.assertEqual(lab.cli("rules", "test", "--help")[0], 0)

    def test_status_of_a_healthy_agent(self):
        plugins = {"environment": {**ENVIRONMENT, "required": ["PATH"]},
                   "off": {"use": "environment", "required": ["X"], "enabled_if": "NOT_SET"}}
        with lab.Agent(plugins=plugins, until="ready") as agent:
            status, out, err = agent.cli("status")
            self.assertEqual((status, err), (0, ""))
            self.assertIn(f"at {agent.url} is healthy", out)
            self.assertIn("2 instances: ", out)
            self.assertIn("1 disabled", out)
            self.assertRegex(out, r"(?m)^environment  pass +\d+s$")
            self.assertNotIn("\033", out)  # no colour where there is no terminal
            self.assertEqual(agent.cli("status", "-q"), (0, "", ""))
            both = json.loads(agent.cli("status", "--json")[1])
            self.assertEqual(both["health"]["status"], "healthy")
            self.assertEqual(both["agent"]["instances"]["disabled"], 1)

    def test_status_of_an_unhealthy_agent(self):
        with lab.Agent(plugins={"environment": {**ENVIRONMENT, "required": ["NOT_SET"]}}, until="ready") as agent:
            status, out, _ = agent.cli("status")
            self.assertEqual(status, 1)
            self.assertIn("is unhealthy", out)
            self.assertIn("missing or empty: NOT_SET", out)
            self.assertEqual(agent.cli("status", "--quiet"), (1, "", ""))

    def test_checks(self):
        plugins = {"good": {**ENVIRONMENT, "required": ["PATH"]},
                   "bad": {**ENVIRONMENT, "required": ["A_B", "C"], "affects": "nothing"}}
        with lab.Agent(plugins=plugins, until="ready") as agent:
            status, out, _ = agent.cli("checks")
            self.assertEqual(status, 1)
            self.assertRegex(out, r"(?m)^good +pass")
            self.assertRegex(out, r"(?m)^bad +fail .*A_B, C$")
            status, out, _ = agent.cli("checks", "bad")
            self.assertEqual(status, 1)
            self.assertIn("missing: A_B, C\n", out)
            self.assertEqual(agent.cli("checks", "good")[0], 0)
            self.assertEqual(json.loads(agent.cli("checks", "good", "--json")[1])["status"], "pass")
            status, _, err = agent.cli("checks", "absent")
            self.assertEqual(status, 1)
            self.assertIn("there is no check 'absent'", err)

    def test_metrics(self):
        with lab.Agent(plugins={"environment": {**ENVIRONMENT, "required": ["PATH"]}}, until="ready") as agent:
            status, out, _ = agent.cli("metrics")
            self.assertEqual(status, 0)
            self.assertIn("\nprocess_", out)
            status, out, _ = agent.cli("metrics", "app_uptime")
            self.assertEqual(status, 0)
            for line in out.splitlines():
                self.assertRegex(line, r"^(# (HELP|TYPE) )?app_uptime_seconds ")
            self.assertTrue(agent.cli("metrics", "--openmetrics")[1].endswith("# EOF\n"))
            status, _, err = agent.cli("metrics", "nothing_like_it")
            self.assertEqual(status, 1)
            self.assertIn("no metric begins with 'nothing_like_it'", err)

    def test_plugin_list_names_what_is_wrong(self):
        plugins = {"well": {**ENVIRONMENT, "required": ["PATH"]}, "broken": {"use": "crash", **QUICK}}
        with lab.Agent(plugins=plugins, fixtures=True) as agent:
            def shown():
                status, out, err = agent.cli("plugin", "list")
                self.assertEqual((status, err), (0, ""))
                self.assertRegex(out, r"(?m)^well +environment +ready ")
                self.assertRegex(out, r"(?m)^broken +crash +(degraded|quarantined|starting) .*signal 11")
                self.assertRegex(out, r"(?m)^abi_new +refused .*0\.99")
                return True
            lab.wait_for(shown, 10, "the crash in plugin list")
            document = json.loads(agent.cli("plugin", "list", "--json")[1])
            self.assertEqual({instance["name"] for instance in document["instances"]}, {"well", "broken", "log"})

    def test_reload(self):
        with lab.Agent(plugins={"one": {**ENVIRONMENT, "required": ["PATH"]}}, until="ready") as agent:
            agent.write(agent.render({"one": {**ENVIRONMENT, "required": ["PATH"]},
                                      "two": {**ENVIRONMENT, "required": ["PATH"]}}))
            status, out, err = agent.cli("reload")
            self.assertEqual((status, err), (0, ""))
            self.assertEqual(out, "reloaded: of instances 1 unchanged, 0 changed, 1 added, 0 removed; rules and routes are those of the file\n")
            listen, path = f"127.0.0.1:{agent.port}", agent.dir / "sock"
            agent.write(agent.render({"one": {**ENVIRONMENT, "required": ["PATH"]}},
                                     agent={"listen": [listen, f"unix:{path}"], "state_dir": str(agent.dir / "new")}))
            status, out, err = agent.cli("reload")
            self.assertEqual((status, err), (0, ""))
            self.assertEqual(out, "reloaded: of instances 1 unchanged, 0 changed, 0 added, 1 removed; rules and routes are those of the file\n"
                             f"  the agent listens from now on: unix:{path}\n"
                             f"  agent.state_dir changes only with a restart; in force: {agent.state_dir}\n")
            self.assertTrue(path.exists())
            agent.write(agent.render({"one": {**ENVIRONMENT, "required": ["PATH"]}}))
            self.assertIn(f"  the agent listens no more: unix:{path}\n", agent.cli("reload")[1])
            self.assertIn("the agent listens no more", agent.log())
            self.assertNotIn("notes", json.loads(agent.cli("reload", "--json")[1]))
            agent.write(agent.render({"one": {**ENVIRONMENT, "requird": ["PATH"]}}))
            status, out, err = agent.cli("reload")
            self.assertEqual((status, out), (1, ""))
            self.assertIn("did you mean 'required'?", err)
            self.assertRegex(err, r"toiletmon.yaml:\d+:\d+: ")
            self.assertIn("the last reload", agent.cli("status")[1])
            answer = json.loads(agent.cli("reload", "--json")[1])
            self.assertEqual(answer["ok"], False)

    def test_speaks_through_a_socket(self):
        agent = lab.Agent(plugins={}, until=None)
        path = agent.dir / "api.sock"
        agent.write(agent.render({}, {"listen": [f"127.0.0.1:{agent.port}", f"unix:{path}"]}))
        agent.until = "ready"
        with agent:
            self.assertEqual(agent.cli("status", "-q", "--url", f"unix:{path}")[0], 0)
            self.assertEqual(agent.cli("reload", env={"TOILETMON_URL": f"unix:{path}"})[0], 0)

    def test_nobody_there(self):
        url = f"http://127.0.0.1:{lab.free_port()}"
        for command in (["status"], ["checks"], ["metrics"], ["plugin", "list"], ["reload"]):
            status, out, err = lab.cli(*command, "--url", url)
            self.assertEqual((status, out), (3, ""))
            self.assertRegex(err, f"^toiletmon: no agent answers at {url}: .*[Rr]efused\n$")
        self.assertEqual(lab.cli("status", "-q", "--url", url), (3, "", ""))


class Describe(unittest.TestCase):
    def test_a_component(self):
        status, out, err = lab.cli("plugin", "describe", "memory")
        self.assertEqual((status, err), (0, ""))
        self.assertIn("Abilities: check, collect", out)
        self.assertIn("  warn_above\n      float from 0 to 100, default 75\n", out)
        document = json.loads(lab.cli("plugin", "describe", "memory", "--json")[1])
        self.assertEqual(document[0]["component"], "memory")
        self.assertIn("warn_above", [setting["name"] for setting in document[0]["settings"]])

    def test_a_file_and_all(self):
        status, out, _ = lab.cli("plugin", "describe", lab.BUILD / "plugins" / "example.so")
        self.assertEqual(status, 0)
        self.assertIn("use: example", out)
        status, out, _ = lab.cli("plugin", "describe")
        self.assertEqual(status, 0)
        for component in ("host", "memory", "disk", "environment"):
            self.assertRegex(out, rf"(?m)^{component} ")

    def test_what_is_not_there(self):
        status, out, err = lab.cli("plugin", "describe", "memry")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("memry", err)
        status, _, err = lab.cli("plugin", "describe", "./absent.so")
        self.assertEqual(status, 1)
        self.assertIn("No such file", err)
        status, _, err = lab.cli("plugin", "describe", lab.FIXTURES / "abi_new.so")
        self.assertEqual(status, 1)
        self.assertIn("0.99", err)


HEX = "0123456789abcdef0123456789abcdef"
HOOK = ["-s", "webhook_url=http://127.0.0.1:9/x"]
SINKS = {"webhook": ["-s", "url=http://127.0.0.1:9/x", "-s", "secret=s"], "slack": HOOK, "discord": HOOK, "teams": HOOK,
         "pagerduty": ["-s", f"routing_key={HEX}"], "opsgenie": ["-s", "api_key=k"],
         "sentry": ["-s", f"dsn=https://{HEX}@sentry.example.com/42"], "datadog": ["-s", f"api_key={HEX}"],
         "resend": ["-s", "api_key=re_1", "-s", "from=a@example.com", "-s", "to=b@example.com"]}


class Kit(unittest.TestCase):
    """The conformance kit finds what each fixture was made for, and nothing in our own plugins."""

    def kit(self, plugin, *arguments, timeout=60):
        status, out, err = lab.cli("plugin", "test", plugin, "--json", *arguments, timeout=timeout)
        self.assertIn(status, (0, 1), err)
        document = json.loads(out)
        self.assertEqual(document["ok"], status == 0)
        return [finding["text"] for finding in document["findings"] if finding["level"] == "fault"]

    def test_our_plugins_conform(self):
        settings = {"environment": ["-s", "required=HOME"], "example": ["-s", "path=/etc"], "memory": [], "disk": [],
                    "host": [], **SINKS}
        for name, given in settings.items():
            with self.subTest(name):
                self.assertEqual(self.kit(lab.BUILD / "plugins" / f"{name}.so", *given), [])

    def test_fixtures_do_not(self):
        faults = {"crash": "signal 11", "abort": "signal 6", "exit_zero": "ended with exit status 0",
                  "hang": "does not return when its time is up", "hang_create": "create did not return",
                  "threads": "leaves threads behind", "descriptors": "keeps .* descriptors open",
                  "log_flood": "logs .* lines a run", "garbage": "malformed frame"}
        for name, fault in faults.items():
            with self.subTest(name):
                found = self.kit(lab.FIXTURES / f"{name}.so", "--timeout", "1s", "--runs", "6")
                self.assertTrue(found)
                self.assertRegex("\n".join(found), fault)

    def test_careless_sinks_do_not(self):
        found = self.kit(lab.FIXTURES / "careless_sink.so", "--component", "careless_sink")
        for fault in ("format: an agent would not send to hooks.example.org", "format of hostile texts: its body is no JSON",
                      "judge takes an answer of 500 for delivered", "judge takes an answer of 404 for delivered"):
            self.assertIn(fault, "\n".join(found))
        found = self.kit(lab.FIXTURES / "careless_sink.so", "--component", "dropping_sink")
        self.assertEqual([fault.split(":")[0] for fault in found],
                         [f"judge rejects for good on a {status}, which passes" for status in (408, 429, 500, 503)])

    @lab.plain_build_only
    def test_a_small_leak_of_a_sink_is_found(self):
        found = self.kit(lab.FIXTURES / "careless_sink.so", "--component", "leaking_sink")
        self.assertRegex("\n".join(found), r"^format leaks memory: \d+ KiB more after \d+ runs$")

    def test_it_names_settings_that_are_missing(self):
        status, out, err = lab.cli("plugin", "test", lab.BUILD / "plugins" / "example.so")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("the setting 'path' is missing", err)
        status, _, err = lab.cli("plugin", "test", lab.BUILD / "plugins" / "example.so", "-s", "pth=/etc")
        self.assertEqual(status, 2)
        self.assertIn("did you mean 'path'?", err)

    def test_it_looks_at_metrics(self):
        found = self.kit(lab.FIXTURES / "bad_metrics.so")
        for fault in ("the name of the counter bad_counter must end in _total",
                      'the series bad_twice{a="b"} is emitted twice in one collection',
                      "the counter bad_falls_total fell from 2 to 1; what can fall is a gauge",
                      "collect: bad_types is emitted with two types",
                      "gives a warn without saying why"):
            self.assertIn(fault, "\n".join(found))


if __name__ == "__main__":
    unittest.main()
