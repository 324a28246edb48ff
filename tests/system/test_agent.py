"""The agent as a whole: start, health, readiness, the shipped file, signals, the lock, the end."""
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import tempfile
import time
import unittest

import lab

HOST = {"use": "host", "interval": "1s"}
MEMORY = {"use": "memory", "interval": "1s", "warn_above": 99.8, "fail_above": 99.9}


class Start(unittest.TestCase):
    def test_health_has_the_shape_of_the_seed(self):
        with lab.Agent(plugins={"memory": MEMORY, "environment": {"use": "environment", "required": ["PATH"]}},
                       until="ready") as agent:
            answer = agent.get("/api/health")
            health = answer.json
            self.assertEqual(answer.status, 200)
            self.assertEqual(health["status"], "healthy")
            self.assertRegex(health["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
            self.assertRegex(health["version"], r"^\d+\.\d+\.\d+$")
            self.assertGreaterEqual(health["uptime"], 0)
            self.assertEqual(health["checks"]["memory"]["status"], "pass")
            self.assertGreater(health["checks"]["memory"]["usage"]["percentage"], 0)
            self.assertGreaterEqual(health["checks"]["memory"]["age"], 0)
            self.assertNotIn("message", health["checks"]["environment"])
            self.assertEqual(agent.get("/api/health/ready").json["ready"], True)
            self.assertEqual(agent.get("/api/health/live").status, 200)
            for path in ("/healthz", "/readyz", "/livez"):
                self.assertEqual(agent.get(path).status, 200, path)

    def test_missing_variables_are_named_and_unhealthy(self):
        plugins = {"environment": {"use": "environment", "required": ["PATH", "NOT_THERE", "NOR_THIS"]}}
        with lab.Agent(plugins=plugins) as agent:
            check = agent.wait_check("environment", "fail")
            self.assertEqual(check["missing"], ["NOT_THERE", "NOR_THIS"])
            self.assertIn("NOT_THERE", check["message"])
            self.assertEqual(agent.get("/api/health").status, 503)
            self.assertEqual(agent.get("/api/health/live").status, 200)

    def test_affects_and_fail_after(self):
        missing = {"use": "environment", "required": ["NOT_THERE"], "interval": "200ms"}
        with lab.Agent(plugins={"degrades": {**missing, "affects": "degrade"},
                                "shown": {**missing, "affects": "nothing"}}, until="ready") as agent:
            answer = agent.get("/api/health")
            self.assertEqual((answer.status, answer.json["status"]), (200, "degraded"))
            self.assertEqual(answer.json["checks"]["shown"]["status"], "fail")

    def test_fail_after_counts(self):
        agent = lab.Agent(until="ready", text="""
            agent: {listen: "127.0.0.1:@PORT@", state_dir: "@DIR@/state"}
            plugins:
              calm:  {use: environment, required: [A], env_file: "@DIR@/env", interval: 100ms, fail_after: 1000}
              quick: {use: environment, required: [A], env_file: "@DIR@/env", interval: 100ms}
            """)
        variables = agent.dir / "env"
        variables.write_text("A=1\n")
        with agent:
            agent.wait_check("calm", "pass")
            variables.write_text("B=1\n")
            agent.wait_check("quick", "fail")
            runs = agent.metrics().value("toiletmon_instance_runs_total", name="calm", call="check")
            lab.wait_for(lambda: agent.metrics().value("toiletmon_instance_runs_total", name="calm", call="check")
                         >= runs + 5)
            self.assertEqual(agent.check("calm")["status"], "pass")

    def test_a_crash_counts_as_one_failure(self):
        crash = {"use": "crash_second", "interval": "2s", "fail_after": 2}
        with lab.Agent(plugins={"crash": crash}, fixtures=True) as agent:
            agent.wait_check("crash", "pass")
            agent.wait_log(r"instance is not ready.*name=crash")
            check = agent.check("crash")
            self.assertEqual((check["status"], check.get("turns")), ("pass", {"to": "fail", "streak": 1, "needed": 2}))
            self.assertIn("crashed with signal 11", check["message"])

    def test_ready_waits_for_the_named_check(self):
        with lab.Agent(plugins={"environment": {"use": "environment", "required": ["NOT_THERE"]}},
                       agent={"ready": ["environment"]}) as agent:
            agent.wait_check("environment", "fail")

            def named():
                answer = agent.get("/api/health/ready")
                self.assertEqual(answer.status, 503)
                self.assertFalse(answer.json["ready"])
                return "environment" in answer.json["reason"]
            lab.wait_for(named, 10, "the reason naming the check, when the state is there too")

    def shipped(self, **environment):
        text = (lab.SOURCE / "etc" / "toiletmon.yaml").read_text()
        text = text.replace("listen: 127.0.0.1:9909", "listen: 127.0.0.1:@PORT@")
        text = text.replace("state_dir: /var/lib/toiletmon", "state_dir: @DIR@/state")
        return lab.Agent(text=text, env=environment, until="ready")

    def test_shipped_file_with_a_database_and_a_redis(self):
        with lab.Postgres() as postgres, lab.Redis(password="open") as redis:
            with self.shipped(DATABASE_URL=postgres.dsn(), REDIS_URL=redis.url()) as agent:
                checks = agent.health()["checks"]
                self.assertEqual({name: check["status"] for name, check in checks.items()},
                                 dict.fromkeys(["database", "disk", "environment", "memory", "redis"], "pass"))
                self.assertGreater(checks["redis"]["responseTime"], 0)
                lab.wait_for(lambda: agent.metrics().value("pg_up") == 1 and agent.metrics().value("redis_up") == 1)
                said = agent.log() + agent.get("/api/v1/plugins").text + agent.get("/api/health").text
                self.assertNotIn(postgres.password, said)

    def test_shipped_file(self):
        with self.shipped() as agent:
            checks = agent.health()["checks"]
            self.assertEqual(sorted(checks), ["disk", "environment", "memory"])
            metrics = agent.metrics()
            self.assertGreater(metrics.value("node_memory_MemTotal_bytes"), 0)
            states = {i["name"]: i for i in agent.get("/api/v1/plugins").json["instances"]}
            self.assertEqual(states["database"]["state"], "disabled")
            self.assertIn("DATABASE_URL", states["database"]["reason"])

    def test_a_second_agent_on_the_same_state_is_refused(self):
        with lab.Agent(plugins={"memory": MEMORY}) as agent:
            other = lab.Agent(plugins={"memory": MEMORY}, agent={"state_dir": str(agent.state_dir)}, until=None)
            try:
                other.start()
                self.assertEqual(other.child.wait(), 1)
                self.assertIn(f"process {agent.pid}", other.log())
                self.assertIn("state_dir", other.log())
            finally:
                other.remove()

    def test_a_taken_port_is_said(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            agent = lab.Agent(plugins={}, agent={"listen": f"127.0.0.1:{port}"}, until=None)
            try:
                agent.start()
                self.assertEqual(agent.child.wait(), 1)
                self.assertIn(str(port), agent.log())
            finally:
                agent.remove()

    def test_end_is_orderly(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            agent = lab.Agent(plugins={"memory": MEMORY, "disk": {"use": "disk", "interval": "1s"}}, until="ready")
            with agent:
                workers = agent.workers()
                self.assertTrue(workers)
                started = time.monotonic()
                self.assertEqual(agent.child.end(number), 0)
                self.assertLess(time.monotonic() - started, 10)
                for pid in workers:
                    self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())

    def test_workers_die_with_a_killed_agent(self):
        agent = lab.Agent(plugins={"disk": {"use": "disk", "interval": "1s"}}, until="ready")
        with agent:
            workers = agent.workers()
            self.assertTrue(workers)
            agent.expected_exit = -signal.SIGKILL
            agent.child.send(signal.SIGKILL)
            lab.wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in workers), 5,
                         "the workers' end")

    def test_service_manager_is_told(self):
        folder = lab.scratch("notify")
        path = folder / "socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(path))
            manager.settimeout(20)
            with lab.Agent(plugins={"memory": MEMORY}, env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"},
                           until=None) as agent:
                said = b""
                while b"READY=1" not in said or b"WATCHDOG=1" not in said:
                    said += manager.recv(4096) + b"\n"
                agent.reload()
                while b"RELOADING=1" not in said:
                    said += manager.recv(4096) + b"\n"
                while said.count(b"READY=1") < 2:
                    said += manager.recv(4096) + b"\n"
        path.unlink()
        folder.rmdir()


class StopWhileBuilding(unittest.TestCase):
    """SIGTERM ends the agent soon, whatever the building of a configuration waits for."""

    def hanging_plugins(self, agent):
        """A folder of plugins whose probing takes 15 s: four at a time, five seconds each."""
        folder = agent.dir / "hanging"
        folder.mkdir(mode=0o700)
        for i in range(12):
            shutil.copy(lab.FIXTURES / "constructor_hang.so", folder / f"hang{i}.so")
        return str(folder)

    def stop(self, agent):
        probed = lab.wait_for(lambda: len(agent.workers()) >= 4 and agent.workers(), 10, "four workers being probed")
        started = time.monotonic()
        self.assertEqual(agent.stop(), 0)
        self.assertLess(time.monotonic() - started, 3 * lab.PATIENCE)
        for pid in probed:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())

    def test_at_the_start(self):
        agent = lab.Agent()
        agent.write(agent.render({"memory": MEMORY}, agent={"plugin_dirs": [self.hanging_plugins(agent)]}))
        with agent:
            self.stop(agent)

    def test_at_a_reload(self):
        with lab.Agent(plugins={"memory": MEMORY}, until="ready") as agent:
            agent.write(agent.render({"memory": MEMORY}, agent={"plugin_dirs": [self.hanging_plugins(agent)]}))
            agent.reload()
            self.stop(agent)

    @lab.plain_build_only
    def test_what_cannot_be_cancelled(self):
        """A folder on a dead disk: the thread that looks into it never comes back."""
        agent = lab.Agent(env={"LD_PRELOAD": str(lab.BUILD / "tests" / "system" / "hang_opendir.so"),
                               "HANG_OPENDIR": "/tmp"})
        agent.write(agent.render({"memory": MEMORY}, agent={"plugin_dirs": ["/tmp"]}))
        agent.expected_exit = 1
        with agent:
            agent.get("/api/health/live")
            started = time.monotonic()
            self.assertEqual(agent.stop(), 1)
            self.assertLess(time.monotonic() - started, 10)
            self.assertRegex(agent.log(), "level=warning msg=\"the configuration is still being read")


class UnreadLog(unittest.TestCase):
    """Standard error is a pipe that nobody reads: the agent does not wait for it."""

    def test_a_full_pipe(self):
        agent = lab.Agent(plugins={"memory": MEMORY}, until="ready")
        fifo = agent.dir / "stderr"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        fcntl.fcntl(reader, 1031, 4096)  # F_SETPIPE_SZ
        agent.within = ["sh", "-c", 'exec "$@" 2>"$0"', fifo]
        with agent:
            def fill():
                lost = agent.metrics().value("toiletmon_log_lines_lost_total")
                for _ in range(60):  # each is a line
                    self.assertTrue(agent.get("/api/v1/reload", method="POST").json["ok"])
                self.assertEqual(agent.get("/api/health/live").status, 200)
                self.assertGreater(agent.metrics().value("toiletmon_log_lines_lost_total"), lost)
            fill()
            lost = agent.metrics().value("toiletmon_log_lines_lost_total")
            self.assertNotIn(b"were lost", os.read(reader, 65536))
            agent.get("/api/v1/reload", method="POST")
            lines = os.read(reader, 65536).decode().splitlines()
            self.assertRegex(lines[0], rf"^time=\S+ level=warning msg=.log lines were lost.* count={lost:.0f}$")
            self.assertRegex(lines[1], r"^time=\S+ level=info msg=.configuration reloaded")
            self.assertEqual(agent.metrics().value("toiletmon_log_lines_lost_total"), lost)
            fill()


class OwnMetrics(unittest.TestCase):
    def test_what_the_agent_says_of_itself(self):
        with lab.Agent(plugins={"memory": MEMORY, "disk": {"use": "disk", "interval": "1s"}}, until="ready") as agent:
            lab.wait_for(lambda: agent.metrics().value("toiletmon_instance_runs_total", name="disk", call="check") >= 2)
            metrics = agent.metrics()
            self.assertEqual(metrics.value("toiletmon_instance_failures_total", name="disk", call="check"), 0)
            self.assertEqual(metrics.value("toiletmon_instance_up", name="disk"), 1)
            self.assertEqual(metrics.value("toiletmon_instance_state", name="disk", state="ready"), 1)
            self.assertGreaterEqual(metrics.value("toiletmon_instance_duration_seconds_count", name="disk"), 2)
            self.assertEqual(metrics.value("toiletmon_instance_restarts_total", name="disk"), 0)
            self.assertIsNotNone(metrics.value("toiletmon_instance_lateness_seconds", name="memory"))
            self.assertGreater(metrics.value("app_uptime_seconds"), 0)
            self.assertGreater(metrics.value("process_resident_memory_bytes"), 100000)
            self.assertGreater(metrics.value("process_open_fds"), 5)
            self.assertEqual(len(metrics.all("toiletmon_build_info")), 1)
            self.assertGreater(sum(value for _, value in metrics.all("http_requests_total")), 0)
            agent.get("/nowhere")
            self.assertGreater(sum(value for _, value in agent.metrics().all("http_errors_total")), 0)

    def test_promtool_has_nothing_against_our_own(self):
        allowed = set()
        for path in (lab.SOURCE / ".." / "shared" / "peers" / "metric-names").glob("*.tsv"):
            allowed |= {line.split("\t")[0] for line in path.read_text().splitlines()[1:]}
        with lab.Agent(plugins={"memory": MEMORY, "host": HOST}, until="ready") as agent:
            lab.wait_for(lambda: agent.metrics().value("node_time_seconds"))
            complaints = lab.promtool(agent.get("/metrics").text)
            ours = [line for line in complaints if line.split()[0] not in allowed
                    and not line.split()[0].startswith(("node_",))]
            self.assertEqual(ours, [])


class Reload(unittest.TestCase):
    def test_unchanged_instances_keep_their_state(self):
        plugins = {"memory": MEMORY, "disk": {"use": "disk", "interval": "1s"}}
        with lab.Agent(plugins=plugins, until="ready") as agent:
            lab.wait_for(lambda: agent.metrics().value("toiletmon_instance_runs_total", name="disk", call="check") >= 2)
            before = agent.metrics().value("toiletmon_instance_runs_total", name="disk", call="check")
            workers = agent.workers()
            plugins["more"] = {"use": "environment", "required": ["PATH"]}
            plugins["memory"] = {**MEMORY, "warn_above": 0.001}
            agent.write(agent.render(plugins))
            agent.reload()
            agent.wait_check("more", "pass")
            agent.wait_check("memory", "warn")
            self.assertEqual(agent.workers(), workers)
            self.assertGreaterEqual(agent.metrics().value("toiletmon_instance_runs_total", name="disk", call="check"),
                                    before)
            del plugins["more"]
            agent.write(agent.render(plugins))
            agent.reload()
            lab.wait_for(lambda: agent.check("more") is None, 10, "the end of an instance")
            self.assertEqual(agent.metrics().value("toiletmon_config_last_reload_successful"), 1)

    def test_what_was_disabled_starts_once(self):
        plugins = {"disk": {"use": "disk", "interval": "1s", "enabled": False},
                   "environment": {"use": "environment", "required": ["PATH"], "enabled": False}}
        with lab.Agent(plugins=plugins, until="ready") as agent:
            agent.write(agent.render({name: {**one, "enabled": True} for name, one in plugins.items()}))
            self.assertEqual(agent.get("/api/v1/reload", method="POST").json["changed"], 2)
            agent.wait_check("disk", "pass")
            agent.wait_check("environment", "pass")
            self.assertEqual([one["state"] for one in agent.get("/api/v1/plugins").json["instances"]], ["ready"] * 3)  # log too
            self.assertNotIn("level=error", agent.log())
            self.assertEqual(len(agent.workers()), 1)
            agent.write(agent.render(plugins))
            self.assertEqual(agent.get("/api/v1/reload", method="POST").json["changed"], 2)
            lab.wait_for(lambda: not agent.workers() and not agent.health()["checks"], 10, "the end of both")

    def test_what_comes_back_waits_for_the_old_one(self):
        """An instance that is taken out and put back before its worker has ended: one worker at any time."""
        agent = lab.Agent()
        folder = agent.dir / "plugins"
        folder.mkdir(0o700)
        shutil.copy(lab.FIXTURES / "hang_create.so", folder)  # ends two seconds after it was told to, by SIGKILL
        own = {"plugin_dirs": [str(folder)]}
        without = agent.render(agent=own)
        with_it = agent.render({"stubborn": {"use": "hang_create", "interval": "60s", "timeout": "60s"}}, agent=own)
        agent.write(with_it)
        with agent:
            agent.wait_log("msg=\"toiletmon is running\"")
            old = lab.wait_for(agent.workers, 10, "its worker")
            for text, what in ((without, "removed"), (with_it, "added")) * 2:
                agent.write(text)
                self.assertEqual(agent.get("/api/v1/reload", method="POST").json[what], 1)
                self.assertLessEqual(len(agent.workers()), 1)

            def successor():
                workers = agent.workers()
                if len(workers) > 1:
                    raise RuntimeError(f"two workers at a time: {workers}")
                return workers and workers != old
            lab.wait_for(successor, 10, "the successor")

    def test_a_bad_file_changes_nothing_and_says_why(self):
        plugins = {"memory": MEMORY}
        with lab.Agent(plugins=plugins, until="ready") as agent:
            agent.write(agent.render({"memory": {**MEMORY, "warn_abov": 3}}))
            agent.reload()
            agent.wait_log(r"toiletmon\.yaml:\d+:\d+: .*warn_abov.*warn_above")
            lab.wait_for(lambda: agent.metrics().value("toiletmon_config_last_reload_successful") == 0)
            self.assertEqual(agent.check("memory")["status"], "pass")
            agent.write(agent.render(plugins))
            agent.reload()
            lab.wait_for(lambda: agent.metrics().value("toiletmon_config_last_reload_successful") == 1)

    def test_reload_over_http_answers_with_the_outcome(self):
        with lab.Agent(plugins={"memory": MEMORY}, until="ready") as agent:
            answer = agent.get("/api/v1/reload", method="POST")
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual((answer.json["ok"], answer.json["kept"]), (True, 1))
            agent.write("agent: {listen: 127.0.0.1:@PORT@}\nplugins: {x: {use: nothing_of_that_name}}\n")
            answer = agent.get("/api/v1/reload", method="POST")
            self.assertEqual(answer.status, 422, answer.body)
            self.assertIn("nothing_of_that_name", answer.json["errors"][0])
            self.assertRegex(answer.json["errors"][0], r":2:\d+:")

    def test_who_asks_during_a_reload_is_told_of_the_file_as_it_is(self):
        agent = lab.Agent(until="ready", plugins={"memory": MEMORY})
        hangs = agent.dir / "plugins"
        hangs.mkdir(0o755)
        with agent:
            # its constructor keeps the builder for seconds
            shutil.copy(lab.FIXTURES / "constructor_hang.so", hangs)
            agent.write(agent.render({"memory": MEMORY}, agent={"plugin_dirs": [str(hangs)]}))
            agent.reload()
            lab.wait_for(lambda: agent.workers(), 10, "the build")
            agent.write(agent.render({"memory": {**MEMORY, "colour": "red"}}))
            self.assertEqual(agent.get("/api/v1/reload", method="POST").status, 422)

    def test_many_reloads_leave_nothing_behind(self):
        plugins = {"disk": {"use": "disk", "interval": "1s"}, "memory": MEMORY}
        with lab.Agent(plugins=plugins, until="ready") as agent:
            fds = agent.metrics().value("process_open_fds")
            for i in range(20):
                plugins["disk"] = {"use": "disk", "interval": "1s", "warn_above": 50 + i}
                agent.write(agent.render(plugins))
                self.assertEqual(agent.get("/api/v1/reload", method="POST").status, 200)
            lab.wait_for(lambda: len(agent.workers()) == 1, 20, "one worker alone")
            lab.wait_for(lambda: agent.metrics().value("process_open_fds") <= fds + 1, 10, "closed descriptors")

    def test_the_listener_moves(self):
        with lab.Agent(plugins={"memory": MEMORY}, until="ready") as agent:
            port = lab.free_port()
            agent.write(agent.render({"memory": MEMORY}, agent={"listen": [agent_listen(agent), f"127.0.0.1:{port}"]}))
            agent.reload()
            lab.wait_for(lambda: lab.get("/api/health/live", port=port).status == 200, 10, "the new listener")
            self.assertEqual(agent.get("/api/health/live").status, 200)


def agent_listen(agent):
    return f"127.0.0.1:{agent.port}"


class Check(unittest.TestCase):
    """`toiletmon check` and `toiletmon run` say the same of every file."""

    GOOD = {"memory": MEMORY, "disk": {"use": "disk", "interval": "1s", "labels": {"team": "ops"}}}
    MUTATIONS = [
        {"memory": {**MEMORY, "interval": "often"}},
        {"memory": {**MEMORY, "interval": "-1s"}},
        {"memory": {**MEMORY, "warn_above": "high"}},
        {"memory": {**MEMORY, "warn_above": 101}},
        {"memory": {**MEMORY, "colour": "red"}},
        {"memory": {**MEMORY, "use": "memroy"}},
        {"memory": {**MEMORY, "affects": "everything"}},
        {"memory": {**MEMORY, "timeout": "2h"}},
        {"memory": {**MEMORY, "enabled_if": "NOT_SET_ANYWHERE"}},
        {"memory": {**MEMORY, "enabled": "perhaps"}},
        {"memory": "a string"},
        {"memory": {"use": "postgres"}},
        {"memory": {"use": "postgres", "dsn": "${NOT_SET_ANYWHERE}"}},
        {"memory": {"use": "postgres", "dsn": "${NOT_SET_ANYWHERE:-postgres://x}", "enabled": False}},
        {"Bad Name": MEMORY},
        {"disk": {"use": "disk", "paths": "/"}},
        {"disk": {"use": "disk", "paths": [["/"]]}},
    ]

    def outcome(self, plugins):
        agent = lab.Agent(plugins=plugins, until=None)
        try:
            status, _, errors = agent.cli("check", "-c", agent.config)
            agent.start()

            def over():
                return not agent.child.alive() or agent.get("/api/health/ready").status in (200, 503) and \
                    "toiletmon is running" in agent.log()
            lab.wait_for(over, 20, "a start or an end")
            return status == 0, agent.child.alive(), errors + agent.log()
        finally:
            agent.remove()

    def test_good(self):
        self.assertEqual(self.outcome(self.GOOD)[:2], (True, True))

    def test_a_certificate_that_is_none(self):
        agent = lab.Agent(plugins=self.GOOD, agent={"tls": {"certificate": "/etc/passwd", "key": "/etc/passwd"}},
                          until=None)
        try:
            status, _, errors = agent.cli("check", "-c", agent.config)
            self.assertEqual(status, 1)
            self.assertIn("PEM", errors)
            agent.start()
            self.assertEqual(agent.child.wait(), 1)
        finally:
            agent.remove()

    # What no table of settings can say, in the words of the component's create().  KEPT is a secret in each.
    KEPT = "c4n4ry"
    REFUSED = [
        ('disk, paths: [/, "var/lib"]', 'paths: "var/lib" does not start with a slash'),
        ("disk, paths: []", "paths: is empty"),
        ("disk, inodes_warn_above: 95", "inodes_warn_above (95) is larger than inodes_fail_above (90)"),
        ("memory, warn_above: 95, fail_above: 90", "warn_above (95) is larger than fail_above (90)"),
        ('environment, required: ["A=c4n4ry"]', 'required: entry 1 is no name of a variable ("A...")'),
        ("environment, required: [A], env_file: /a, process: b", "env_file and process are both set"),
        ('example, path: /tmp, warn_above: 5, fail_above: 4', "warn_above (5) must not be larger"),
        ('http, url: "http://a/", expect_status: [2x]', 'expect_status: "2x" is no status'),
        ('http, url: "http://a/", body_pattern: "a(", request_body: c4n4ry', "body_pattern: the regular expression"),
        ('redis, url: "http://:c4n4ry@a"', "url: must start with redis://"),
        ('redis, url: "redis://c4n4ry@a"', "url: has a user but no password"),
        ('redis, url: "redis://a", tls_ca: /a.pem', "url: must start with rediss://"),
        ('redis, url: "rediss://a", tls_cert: /a.pem, password: c4n4ry', "tls_cert: goes with tls_key"),
        ('postgres, dsn: "postgres://u:c4n4ry@[bad"', "the setting dsn is no connection string"),
        ('postgres, dsn: "host=a prot=5 password=c4n4ry"', "the setting dsn is no connection string"),
        ('postgres, dsn: "host=a", tables: [{metric: "a b", table: t}]', 'tables: metric: "a b" is no name of a metric'),
        ('postgres, dsn: "host=a", tables: [{metric: 1a, table: t}]', 'tables: metric: "1a" is no name of a metric'),
        ('slack, webhook_url: "http://a/c4n4ry", mention_critical: "' + 201 * "x" + '"', "mention_critical: 200 bytes"),
    ]
    # Nothing of this is a mistake of the file: it may be there when it is wanted.
    LATER = ["disk, paths: [/nowhere]", "memory, procfs: /nowhere", "environment, required: [A], process: b, procfs: /nowhere",
             'redis, url: "rediss://a", tls_ca: /nowhere.pem', "host, procfs: /nowhere", "example, path: /nowhere",
             'postgres, dsn: "host=nowhere.invalid sslrootcert=/nowhere.pem"']

    def tried(self, instances):
        """`check` of instances, one a line from line 2 on."""
        built = [one for one in instances if (lab.BUILD / "plugins" / f"{one.split(',')[0]}.so").exists()]
        lines = [f"  i{line}: {{use: {one}}}\n" for line, one in enumerate(built, 2)]
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            file = pathlib.Path(folder, "c.yaml")
            file.write_text("plugins:\n" + "".join(lines) + f"agent: {{state_dir: {folder}}}\n")
            status, out, errors = lab.cli("check", "-c", file)
        return built, status, out + errors

    def test_what_components_refuse(self):
        reasons = dict(self.REFUSED)
        built, status, told = self.tried(reasons)
        self.assertEqual(status, 1)
        for line, one in enumerate(built, 2):
            self.assertIn(f'c.yaml:{line}:3: instance "i{line}": {reasons[one]}', told)
        self.assertNotIn(self.KEPT, told)
        built, status, told = self.tried(self.LATER)
        self.assertEqual(status, 0, told)
        self.assertNotIn("could not be tried", told)

    MANY = """\
agent: {lisen: x}
plugins:
  memory: {use: memory, interval: often, colour: red}
  disk: {use: disk, affects: fail, paths: {a: b}, fail_after: 0}
  hook: {use: webhook, url: "http://127.0.0.1:1/", body: '{"a": {{{title}}}}'}
  other: {use: webhok}
routes: [{macth: {a: b}, to: slak}, {to: memory}]
groups: [{name: g, rules: [{alert: A, expr: "sum("}]}]
foo: 1
"""

    def told(self, files):
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            status, _, errors = lab.cli("check", "-c", f"{folder}/c.yaml")
            self.assertEqual(status, 1)
            return errors.replace(f"{folder}/", "")

    def test_one_run_tells_all(self):
        told = self.told({"c.yaml": self.MANY})
        for mistake in ("c.yaml:1:9: there is no setting 'lisen'", "c.yaml:3:35: 'interval' must be", "c.yaml:3:42: there is no "
                        "setting 'colour'", "c.yaml:4:43: 'paths' must be a list", "c.yaml:4:63: 'fail_after' must be",
                        "c.yaml:5:3: instance \"hook\": body: ", "c.yaml:7:11: there is no setting 'macth'",
                        "c.yaml:7:30: 'to' names the instance 'slak'", "c.yaml:7:42: 'to' names 'memory', which is no sink",
                        "c.yaml:8:45: 'expr' of \"A\"", "c.yaml:9:1: there is no section 'foo'"):
            self.assertIn(mistake, told)
        # where the plugins are was not read, so nothing is said of the one that is not found
        self.assertNotIn("webhok", told)
        self.assertIn("no plugin offers a component 'webhok'", self.told({"c.yaml": self.MANY.replace("lisen: x", "")}))

    def test_what_a_broken_file_may_hold_is_not_missed(self):
        told = self.told({"c.yaml": self.MANY, "conf.d/x.yaml": "plugins: [\n"})
        self.assertIn("conf.d/x.yaml:2:1: ", told)
        self.assertIn("there is no setting 'colour'", told)
        self.assertNotIn("slak", told)

    def test_mutations(self):
        for mutation in self.MUTATIONS:
            with self.subTest(mutation=json.dumps(mutation)):
                accepted, started, said = self.outcome({**self.GOOD, **mutation})
                self.assertEqual(accepted, started, said)


if __name__ == "__main__":
    unittest.main()
