"""Canaries: a secret that went in by any way comes out by none."""
import base64
import json
import os
import pathlib
import subprocess
import tempfile
import types
import unittest

import far_ends
import lab
import web
from delivery_kit import NOW, Case

CANARY = "canary4711"
KEY = CANARY + "0123456789abcdef0123456789"[:32 - len(CANARY)]  # as long as PagerDuty's


class Parrot:
    """Routes of a far end that repeats whatever it was sent, as servers that are too helpful do, and takes nothing."""

    @staticmethod
    def repeat(request):
        told = f"no {request.path} with {dict(request.headers)} {request.body.decode('utf-8', 'replace')[:300]}"
        return web.answer(400, told.encode(), "Content-Type: text/plain", reason="Bad")

    def get(self, path, default=None):
        return self.repeat


class Secrets(Case):
    def everything(self, agent):
        """All that an agent says, to anybody."""
        said = [agent.log()]
        for path in ("/", "/api/health", "/api/health/ready", "/api/v1/status", "/api/v1/checks", "/api/v1/plugins",
                     "/api/metrics", "/nowhere"):
            answer = agent.get(path)
            said += [answer.text, str(answer.headers)]
        for command in (["status"], ["status", "--json"], ["checks"], ["checks", "by_variable"], ["plugin", "list"],
                        ["reload"], ["check", "-c", agent.config], ["check", "-c", agent.config, "--json"]):
            said += agent.cli(*command)[1:]
        said.append(pathlib.Path(f"/proc/{agent.pid}/cmdline").read_text())
        own = os.readlink(f"/proc/{agent.pid}/exe")
        for pid in lab.descendants(agent.pid):
            try:
                # a child is the agent's own image, environment and all, until it executes the worker
                if os.readlink(f"/proc/{pid}/exe") != own:
                    said += [pathlib.Path(f"/proc/{pid}/{name}").read_text() for name in ("cmdline", "environ")]
            except (FileNotFoundError, ProcessLookupError):
                pass  # it has ended since
        return "\n".join(said)

    def test_a_running_agent_says_none(self):
        port = lab.free_port()  # nobody listens: every check fails and says why
        agent = lab.Agent(plugins={}, until=None, env={
            "DATABASE_URL": f"postgresql://u:{CANARY}@127.0.0.1:{port}/d", "TOILETMON_TOKEN": CANARY * 2})
        secret = agent.dir / "dsn"
        secret.write_text(f"host=127.0.0.1 port={port} user=u password={CANARY}\n")
        secret.chmod(0o600)
        quick = {"use": "postgres", "interval": "200ms"}
        plugins = {"by_variable": {**quick, "dsn": "${DATABASE_URL}"}, "by_file": {**quick, "dsn": f"file:{secret}"},
                   "web": {"use": "http", "url": f"http://u:{CANARY}@127.0.0.1:{port}/", "interval": "200ms"}}
        if not (lab.BUILD / "plugins" / "http.so").exists():
            del plugins["web"]
        agent.write(agent.render(plugins, {"tokens": {"write": "${TOILETMON_TOKEN}"}}))
        agent.until = "ready"
        with agent:
            agent.wait_check("by_variable", "fail")
            agent.wait_check("by_file", "fail")
            self.assertNotIn(CANARY, self.everything(agent))
            # a reload that fails because of them
            agent.write(agent.render({**plugins, "by_file": {**quick, "dsn": f"file:{secret}", "slow": "${DATABASE_URL}"}}))
            status, out, err = agent.cli("reload")
            self.assertEqual(status, 1)
            self.assertIn("'slow' must be a duration", err)
            self.assertNotIn(CANARY, out + err + self.everything(agent))
            secret.write_text(f"{CANARY} is no connection string\n")
            agent.write(agent.render(plugins))
            status, out, err = agent.cli("reload")
            self.assertEqual(status, 1)
            self.assertIn("the setting dsn is no connection string", err)
            self.assertNotIn(CANARY, out + err + self.everything(agent))

    def test_sinks_say_none(self):
        """Whatever the far end repeats: not in the log, an answer, or the state's columns that are text."""
        with web.Web(Parrot()) as far:
            plugins = {"pagerduty": {"use": "pagerduty", "routing_key": KEY, "url": far.url("/v2/enqueue")},
                       "opsgenie": {"use": "opsgenie", "api_key": KEY, "api_url": far.url("/ops")},
                       "webhook": {"use": "webhook", "url": far.url(f"/{KEY}?token={KEY}"), "secret": KEY,
                                   "headers": {"Authorization": f"Bearer {KEY}"}},
                       "resend": {"use": "resend", "api_key": KEY, "from": "a@far.example", "to": ["b@far.example"],
                                  "url": far.url("")},
                       "slack": {"use": "slack", "webhook_url": far.url(f"/services/T0/B0/{KEY}")},
                       "discord": {"use": "discord", "webhook_url": far.url(f"/api/webhooks/1/{KEY}")},
                       "teams": {"use": "teams", "webhook_url": far.url(f"/workflows/invoke?sv=1.0&sig={KEY}")},
                       "datadog": {"use": "datadog", "api_key": KEY, "site": far.url("/dd")},
                       "states": {"use": "datadog_check", "api_key": KEY, "site": far.url("/dd")},
                       "sentry": {"use": "sentry", "dsn": far.url("/7").replace("//", f"//{KEY}:{KEY[::-1]}@")}}
            routes = [{"to": list(plugins), **NOW}]
            with lab.Agent(**self.text(plugins, routes, log={"level": "debug"}), until="ready") as agent:
                self.post(agent, "Fire")
                for name in plugins:
                    lab.wait_for(lambda: self.sink(agent, name)["attempts"]["rejected"] >= 1, 20, f"an attempt of {name}")
                said = [self.everything(agent)]
                for name in plugins:
                    said += agent.cli("sinks", "test", name)[1:]
                for path in ("/api/v1/sinks", "/api/v1/notifications", "/api/v1/notifications?state=dead", "/api/v1/alerts"):
                    said.append(agent.get(path).text)
                for command in (["sinks", "list"], ["outbox", "list", "--state", "dead"], ["alerts"]):
                    said += agent.cli(*command)[1:]
                self.assertIn("answered 400", "".join(said))
                self.assertEqual(agent.stop(), 0)
                said.append(agent.log())
                for file in agent.state_dir.iterdir():
                    said.append(file.read_bytes().decode("latin-1"))
            self.assertNotIn(CANARY, "\n".join(said))
            self.assertNotIn(CANARY[::-1], "\n".join(said))

    def test_a_mail_server_that_repeats_the_password(self):
        with tempfile.TemporaryDirectory() as folder:
            run = lambda command: subprocess.run(list(map(str, command)), check=True, capture_output=True)  # noqa: E731
            tls = lab.certificate(types.SimpleNamespace(dir=pathlib.Path(folder), run=run))
            with far_ends.Smtp(tls=tls, user="u", password="another") as server:
                plugins = {"mail": {"use": "smtp", "host": "127.0.0.1", "port": server.port, "user": "u", "password": KEY,
                                    "ca_file": str(tls[0]), "from": "a@far.example", "to": ["b@far.example"]}}
                with lab.Agent(**self.text(plugins, [{"to": "mail", **NOW}], log={"level": "debug"}), until="ready") as agent:
                    self.post(agent, "Fire")
                    lab.wait_for(lambda: self.sink(agent, "mail")["attempts"]["retry"] >= 1, 20, "an attempt")
                    said = [self.everything(agent), agent.get("/api/v1/sinks").text, agent.get("/api/v1/notifications").text]
                    self.assertIn("is wrong", "".join(said))  # what the server said is told, but for that
                    self.assertEqual(agent.stop(), 0)
                    said.append(agent.log())
        coded = base64.b64encode(f"\0u\0{KEY}".encode()).decode()
        for secret in (CANARY, coded[:30], coded[-30:]):
            self.assertNotIn(secret, "\n".join(said))

    def test_mistakes_are_told_without_them(self):
        env = {"SECRET": CANARY}
        settings = [
            {"use": "postgres", "dsn": ["${SECRET}"]},
            {"use": "postgres", "dsn": {"a": "${SECRET}"}},
            {"use": "${SECRET}"},
            {"use": "memory", "interval": "${SECRET}"},
            {"use": "memory", "warn_above": "${SECRET}"},
            {"use": "memory", "affects": "${SECRET}"},
            {"use": "memory", "labels": "${SECRET}"},
            {"use": "memory", "labels": {"a": ["${SECRET}"]}},
            {"use": "memory", "enabled": "${SECRET}"},
            {"use": "disk", "read_only": "${SECRET}"},
            {"use": "sentry", "dsn": "${SECRET}"},
            {"use": "sentry", "dsn": "http://${SECRET}@127.0.0.1/"},
            {"use": "sentry", "dsn": "http://${SECRET}%20:${SECRET}@127.0.0.1/7"},
            {"use": "datadog", "api_key": "${SECRET} ${SECRET}"},
            {"use": "discord", "webhook_url": "${SECRET}"},
            {"use": "teams", "webhook_url": "${SECRET}"},
            {"use": "datadog", "api_key": ["${SECRET}"]},
            {"use": "postgres", "dsn": "x", "tables": [{"metric": "m", "table": "t", "exact_below": "${SECRET}"}]},
        ]
        agents = [{"listen": "${SECRET}"}, {"log": {"level": "${SECRET}"}}, {"tokens": {"write": "${SECRET} x"}},
                  {"external_url": "${SECRET}"}, {"ready": ["${SECRET}"]}, {"state_dir": "${SECRET}"},
                  {"hosts": ["http://${SECRET}"]}]
        for plugins, agent in [({"x": one}, {}) for one in settings] + [({}, one) for one in agents]:
            with self.subTest(json.dumps([plugins, agent])):
                one = lab.Agent(plugins=plugins, agent=agent, env=env, until=None)
                try:
                    status, out, err = one.cli("check", "-c", one.config)
                    self.assertEqual(status, 1, out + err)
                    self.assertNotIn(CANARY, out + err)
                    self.assertRegex(err, r"toiletmon\.yaml:\d+:\d+: ")
                finally:
                    one.remove()


if __name__ == "__main__":
    unittest.main()
