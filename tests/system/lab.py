"""What system tests are made of: an agent, real servers, waiting with a deadline, HTTP.

Everything started here is a child of the test, ended by its pid, and dies with the test. Servers run
as an ordinary user even when the tests run as root (PostgreSQL insists). Traffic stays on loopback.

    with lab.Agent(plugins={"memory": {"use": "memory", "interval": "1s"}}) as agent:
        self.assertEqual(agent.get("/api/health").json["status"], "healthy")
"""
import contextlib
import ctypes
import glob
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("TMON_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("TMON_BUILD") or SOURCE / "build")
FIXTURES = BUILD / "tests" / "fixtures"
SANITIZED = os.environ.get("TMON_SANITIZED") == "1"
PATIENCE = 4 if SANITIZED else 1  # a sanitizer slows everything; deadlines stretch with it

plain_build_only = unittest.skipIf(SANITIZED, "memory and timing mean nothing under a sanitizer")


# ---- waiting


def wait_for(condition, seconds=10, what="the condition"):
    """Calls `condition` until it returns something true, which is returned; fails at the deadline.

    An AssertionError or OSError inside counts as "not yet", and is told when time is up.
    """
    deadline = time.monotonic() + seconds * PATIENCE
    pause, last = 0.002, None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = None
        except (AssertionError, OSError, http.client.HTTPException) as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what}: not within {seconds * PATIENCE} s" + (f" ({last!r})" if last else ""))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def free_port():
    """A port of 127.0.0.1 that nobody listens on now. Servers that can should bind port 0 instead."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# ---- users and folders


def server_user():
    """The user that servers run as: ourselves, or `nobody` when we are root."""
    return pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def scratch(prefix, owner=None):
    """A new folder with a short path (Unix sockets allow 107 bytes); remove it with rmtree."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"tmon-{prefix}-", dir="/tmp"))
    if owner and os.getuid() == 0:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return path


# ---- children

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def descendants(pid):
    """The pids below `pid`, parents first."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            children = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text()
            for child in map(int, children.split()):
                found += [child] + descendants(child)
    except OSError:
        pass
    return found


class Child:
    """One process of ours with its output in a file."""

    def __init__(self, argv, log, user=None, env=None, cwd=None, stdin=subprocess.DEVNULL):
        self.log_path = pathlib.Path(log)
        self.argv = [str(word) for word in argv]
        extra = {}
        if user and os.getuid() == 0:
            extra = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        with open(self.log_path, "ab") as out:
            self.process = subprocess.Popen(
                self.argv, stdin=stdin, stdout=out, stderr=out, env=env, cwd=cwd,
                preexec_fn=_die_with_parent, **extra)
        self.pid = self.process.pid

    def log(self):
        return self.log_path.read_text(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def wait(self, seconds=10):
        """The exit status; a process that outstays its time is killed and the test fails."""
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.argv[0]} did not end within {seconds * PATIENCE} s:\n{self.tail()}")

    def tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, seconds=10):
        if self.alive():
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        return self.wait(seconds)


# ---- servers


class Server:
    """A server for a test: started on entering `with`, ended on leaving, its folder removed."""

    name = "server"
    stop_signal = signal.SIGTERM

    def __init__(self):
        self.user = server_user()
        self.child = None
        self.dir = None
        self.frozen = []

    def __enter__(self):
        try:
            self.dir = scratch(self.name, self.user)
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        if self.dir:
            shutil.rmtree(self.dir, ignore_errors=True)

    def prepare(self):
        """Writes what the server needs into self.dir."""

    def argv(self):
        raise NotImplementedError

    def ready(self):
        """True once the server answers."""
        raise NotImplementedError

    def write(self, name, text, mode=0o600):
        """A file in the server's folder that the server's user owns."""
        path = self.dir / name
        path.write_text(text)
        path.chmod(mode)
        if os.getuid() == 0:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        return path

    def run(self, argv, **kwargs):
        """Runs a command of the server's to its end as the server's user; its output as text."""
        if os.getuid() == 0:
            kwargs.update(user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[])
        done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120, cwd=self.dir, **kwargs)
        if done.returncode:
            raise AssertionError(f"{argv[0]} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def start(self):
        self.child = Child(self.argv(), self.dir / "log", user=self.user, cwd=self.dir, env=self.environment())

        def up():
            if not self.child.alive():
                raise RuntimeError(f"{self.name} ended at its start:\n{self.child.tail()}")
            return self.ready()

        wait_for(up, 30, f"the start of {self.name}")

    def environment(self):
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.dir), "LANG": "C.UTF-8"}

    def stop(self):
        self.thaw()
        if self.child:
            self.child.end(self.stop_signal, 30)
            self.child = None

    def restart(self):
        self.stop()
        self.start()

    def freeze(self):
        """Stops the server and its children where they stand: connections live on, nobody answers."""
        for pid in [self.child.pid] + descendants(self.child.pid):
            with contextlib.suppress(ProcessLookupError):  # a child of PostgreSQL's that has just ended
                os.kill(pid, signal.SIGSTOP)
                self.frozen.append(pid)

    def thaw(self):
        for pid in self.frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.frozen = []

    def log(self):
        return self.child.log() if self.child else ""


def _postgres_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb")]
    return pathlib.Path(found[-1]).parent if found[-1] else None


class Postgres(Server):
    """A PostgreSQL of its own: user `postgres` by trust on the Unix socket, by password over TCP.

    `settings` go to postgresql.conf; `hba` is put before the lines of pg_hba.conf; `tls` turns TLS on
    with a self-signed certificate for localhost.
    """

    name = "pg"
    password = "open-sesame"
    stop_signal = signal.SIGINT  # fast shutdown

    def __init__(self, settings=None, hba="", tls=False):
        super().__init__()
        self.bin = _postgres_bin()
        if not self.bin:
            raise unittest.SkipTest("there is no PostgreSQL server on this machine")
        self.port = free_port()
        self.settings = dict(settings or {})
        self.hba = hba
        self.tls = tls

    def prepare(self):
        secret = self.write("password", self.password)
        self.run([self.bin / "initdb", "--no-sync", "-D", "data", "-U", "postgres", "--auth-local=trust",
                  "--auth-host=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8"],
                 env=self.environment())
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": str(self.dir),
                    "fsync": "off", "max_connections": 50, "shared_buffers": "16MB", "log_connections": "on"}
        if self.tls:
            self.certificate, key = certificate(self)
            settings.update(ssl="on", ssl_cert_file=str(self.certificate), ssl_key_file=str(key))
        settings.update(self.settings)
        with open(self.dir / "data" / "postgresql.conf", "a") as conf:
            for key, value in settings.items():
                conf.write(f"{key} = '{value}'\n")
        hba = self.dir / "data" / "pg_hba.conf"
        hba.write_text(self.hba + "\n" + hba.read_text())

    def argv(self):
        return [self.bin / "postgres", "-D", "data"]

    def ready(self):
        return self.psql("select 1") == "1"

    def dsn(self, user="postgres", password=None, database="postgres", **extra):
        """A connection URL over TCP; `extra` become its parameters."""
        query = "&".join(f"{key}={value}" for key, value in extra.items())
        return (f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"
                + (f"?{query}" if query else ""))

    def socket_dsn(self, user="postgres", database="postgres"):
        return f"postgresql:///{database}?host={self.dir}&port={self.port}&user={user}"

    def psql(self, sql, database="postgres", user="postgres"):
        """Runs SQL over the Unix socket; rows as text, columns apart by |."""
        done = subprocess.run([self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-p",
                               str(self.port), "-U", user, "-d", database, "-c", sql],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise AssertionError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()


class Redis(Server):
    """A redis-server: TCP and a Unix socket, with a password and TLS where asked.

    `settings` are lines of redis.conf as a dict. With tls=True `tls_port` speaks TLS, by a self-signed
    certificate for localhost (`certificate`).
    """

    name = "redis"

    def __init__(self, password=None, tls=False, settings=None):
        super().__init__()
        self.binary = shutil.which("redis-server")
        if not self.binary:
            raise unittest.SkipTest("there is no redis-server on this machine")
        self.port = free_port()
        self.tls_port = free_port() if tls else None
        self.password = password
        self.settings = dict(settings or {})

    def prepare(self):
        self.socket = self.dir / "socket"
        settings = {"bind": "127.0.0.1", "port": self.port, "unixsocket": self.socket, "unixsocketperm": "777",
                    "save": '""', "dir": self.dir, "daemonize": "no"}
        if self.password:
            settings["requirepass"] = self.password
        if self.tls_port:
            self.certificate, key = certificate(self)
            settings.update({"tls-port": self.tls_port, "tls-cert-file": self.certificate, "tls-key-file": key,
                             "tls-ca-cert-file": self.certificate, "tls-auth-clients": "no"})
        settings.update(self.settings)
        self.write("redis.conf", "".join(f"{key} {value}\n" for key, value in settings.items()))

    def argv(self):
        return [self.binary, self.dir / "redis.conf"]

    def ready(self):
        return self.command("PING") == "PONG"

    def url(self, scheme="redis", database=None):
        secret = f":{self.password}@" if self.password else ""
        suffix = "" if database is None else f"/{database}"
        if scheme == "unix":
            return f"unix://{secret}{self.socket}"
        port = self.tls_port if scheme == "rediss" else self.port
        return f"{scheme}://{secret}127.0.0.1:{port}{suffix}"

    def command(self, *words):
        """One command over the Unix socket; status, integer and bulk replies as text."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(self.socket))
            file = sock.makefile("rwb")

            def ask(*parts):
                file.write(b"*%d\r\n" % len(parts))
                for part in parts:
                    data = str(part).encode()
                    file.write(b"$%d\r\n%s\r\n" % (len(data), data))
                file.flush()
                line = file.readline().rstrip(b"\r\n")
                if line[:1] == b"-":
                    raise AssertionError(f"redis: {line[1:].decode()}")
                if line[:1] == b"$":
                    size = int(line[1:])
                    return None if size < 0 else file.read(size + 2)[:-2].decode()
                return line[1:].decode()

            if self.password:
                ask("AUTH", self.password)
            return ask(*words)


class Prometheus(Server):
    """A real Prometheus that scrapes `targets` ("127.0.0.1:port") every `interval`.

    `rules` are groups of rules, sent to `alertmanagers` ("127.0.0.1:port").
    """

    name = "prom"

    def __init__(self, targets, interval="1s", path="/api/metrics", job="toiletmon", rules=None,
                 alertmanagers=()):
        super().__init__()
        self.binary = shutil.which("prometheus")
        if not self.binary:
            raise unittest.SkipTest("there is no prometheus on this machine")
        self.port = free_port()
        self.targets, self.interval, self.path, self.job = targets, interval, path, job
        self.rules, self.alertmanagers = rules, list(alertmanagers)

    def prepare(self):
        scrape = {"job_name": self.job, "metrics_path": self.path, "static_configs": [{"targets": self.targets}]}
        config = {"global": {"scrape_interval": self.interval, "scrape_timeout": self.interval,
                             "evaluation_interval": self.interval}, "scrape_configs": [scrape]}
        if self.rules:
            self.write("rules.yml", json.dumps({"groups": self.rules}))
            config["rule_files"] = ["rules.yml"]
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": self.alertmanagers}]}]}
        self.write("prometheus.yml", json.dumps(config))

    def argv(self):
        return [self.binary, "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn", "--rules.alert.resend-delay=1s"]

    def ready(self):
        return self.get("/-/ready").status == 200

    def get(self, path):
        return get(path, port=self.port)

    def query(self, expression):
        """An instant query: a list of (labels, value)."""
        from urllib.parse import quote
        answer = self.get(f"/api/v1/query?query={quote(expression)}").json
        assert answer["status"] == "success", answer
        return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]


class Alertmanager(Server):
    """A real Alertmanager, alone. `config` is its configuration."""

    name = "am"

    def __init__(self, config):
        super().__init__()
        self.binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
        if not self.binary:
            raise unittest.SkipTest("there is no Alertmanager on this machine")
        self.port = free_port()
        self.config = config

    def prepare(self):
        self.write("alertmanager.yml", json.dumps(self.config))

    def argv(self):
        return [self.binary, "--config.file=alertmanager.yml", "--storage.path=data",
                f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=", "--log.level=warn"]

    def ready(self):
        return self.get("/-/ready").status == 200

    def get(self, path, **kwargs):
        return get(path, port=self.port, **kwargs)


def promtool(text, *arguments):
    """Runs `promtool check metrics` over an exposition; its complaints as lines."""
    if not shutil.which("promtool"):
        raise unittest.SkipTest("there is no promtool on this machine")
    done = subprocess.run(["promtool", "check", "metrics", *arguments], input=text, capture_output=True, text=True,
                          timeout=60)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]


def certificate(server, name="localhost", days=30, stem="tls"):
    """A self-signed certificate and key in the server's folder, for `name` and 127.0.0.1."""
    cert, key = server.dir / f"{stem}.crt", server.dir / f"{stem}.key"
    server.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", days, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
                "-keyout", key, "-out", cert])
    return cert, key


class Resolver:
    """The machine's DNS server, for agents that are started with within=resolver.within.

    They run in a mount namespace of their own, where /etc/resolv.conf names this one. It is dead: it takes
    questions and answers none, until `answering` is set; then every name is 127.0.0.1.
    """

    def __enter__(self):
        self.dir = scratch("dns")
        self.answering = threading.Event()
        self.asked = 0
        conf = self.dir / "resolv.conf"
        self.within = ["unshare", "--mount", "sh", "-c",
                       f'mount --bind {conf} /etc/resolv.conf && exec "$@"', "sh"]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            address = f"127.{os.getpid() >> 16 & 255}.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"
            conf.write_text(f"nameserver {address}\n")
            self.socket.bind((address, 53))
            subprocess.run([*self.within, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.__exit__()
            raise unittest.SkipTest(f"no DNS server of our own on this machine: {error}")
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def serve(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(512)
                self.asked += 1
                if self.answering.is_set():
                    self.socket.sendto(self.answer(question), peer)
            except OSError:
                return

    def answer(self, question):
        end = question.index(b"\0", 12) + 5  # the name, type and class
        is_a = question[end - 4:end - 2] == b"\0\1"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1" if is_a else b""
        return question[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0" * 4 + question[12:end] + record


# ---- HTTP


class Response:
    def __init__(self, answer, body):
        self.status = answer.status
        self.headers = answer.headers  # case does not matter: headers["content-type"]
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.unix_path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.unix_path)


def get(path, port=None, unix=None, method="GET", headers=None, body=None, timeout=10):
    """One HTTP request to 127.0.0.1:port, or over a Unix socket."""
    if unix:
        connection = _UnixConnection(unix, timeout * PATIENCE)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout * PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Response(answer, answer.read())


# ---- the agent


class Agent:
    """build/toiletmon run on a configuration of the test's.

    plugins= and agent= are dicts (JSON is YAML); or give the whole file as text= where @PORT@, @DIR@ and
    @FIXTURES@ stand for what is known only now. `until` says what entering `with` waits for: "live",
    "ready" or None; `within` is a command that the agent's is appended to. The environment is empty but for `env`, PATH and the sanitizers' options.
    Leaving `with` sends SIGTERM and expects exit status 0 within ten seconds.
    """

    def __init__(self, plugins=None, agent=None, text=None, env=None, arguments=(), until="live", fixtures=False,
                 rest=None, within=()):
        self.binary = BUILD / "toiletmon"
        if not self.binary.exists():
            raise unittest.SkipTest("this tree has no agent yet")
        self.port = free_port()
        self.until = until
        self.arguments = list(arguments)
        self.within = list(within)
        self.expected_exit = 0
        self.child = None
        self.dir = scratch("agent")
        self.config = self.dir / "toiletmon.yaml"
        self.state_dir = self.dir / "state"
        self.env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.dir)}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.env.update(env or {})
        if text is None:
            text = self.render(plugins, agent, fixtures, rest)
        self.write(text)

    def render(self, plugins=None, agent=None, fixtures=False, rest=None):
        """The file for these settings, as text; keys of `agent` win over the test's own."""
        head = {"listen": f"127.0.0.1:{self.port}", "state_dir": str(self.state_dir)}
        whole = {"agent": {**head, **(agent or {})}, "plugins": plugins or {}, **(rest or {})}
        if fixtures:
            whole["agent"].setdefault("plugin_dirs", []).append(str(FIXTURES))
        return json.dumps(whole, indent=2) + "\n"

    def write(self, text):
        """Puts a new file where the agent reads it (then reload())."""
        text = text.replace("@PORT@", str(self.port)).replace("@DIR@", str(self.dir))
        self.config.write_text(text.replace("@FIXTURES@", str(FIXTURES)))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.child.pid

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if self.child:
                status = self.child.end()
                if kind is None and status != self.expected_exit:
                    raise AssertionError(f"the agent ended with {status}:\n{self.child.tail()}")
            if kind is not None:
                print("# the agent's log:\n" + self.child.tail(), file=sys.stderr)
        finally:
            self.remove()

    def remove(self):
        if self.child and self.child.alive():
            self.child.end(signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        self.child = Child([*self.within, self.binary, "run", "-c", self.config, *self.arguments], self.dir / "log", env=self.env)
        if self.until:
            wait_for(self.answers, 20, f"the agent being {self.until}")

    def answers(self):
        if not self.child.alive():
            raise RuntimeError(f"the agent ended with {self.child.wait()} at its start:\n{self.child.tail()}")
        return self.get(f"/api/health/{self.until}").status == 200

    def stop(self):
        """SIGTERM; the exit status."""
        return self.child.end()

    def get(self, path, **kwargs):
        return get(path, port=self.port, **kwargs)

    def health(self):
        return self.get("/api/health").json

    def check(self, name):
        """What /api/health says of one instance, or None."""
        return self.health()["checks"].get(name)

    def metrics(self):
        return parse_metrics(self.get("/api/metrics").text)

    def log(self):
        return self.child.log()

    def wait_log(self, pattern, seconds=10):
        return wait_for(lambda: re.search(pattern, self.log()), seconds, f"a log line like {pattern!r}")

    def wait_check(self, name, status, seconds=10):
        def there():
            check = self.check(name)
            return check if check and check["status"] == status else None
        return wait_for(there, seconds, f"the check {name} turning to {status}")

    def reload(self):
        self.child.send(signal.SIGHUP)

    def cli(self, *arguments, env=None, timeout=60):
        """toiletmon ARGUMENTS against this agent: (exit status, output, errors)."""
        return cli(*arguments, env={**self.env, "TOILETMON_URL": self.url, **(env or {})}, timeout=timeout)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def workers(self):
        return descendants(self.pid)

    def own_kib(self):
        """Memory that is no file's, which code and constants are (core/base/slim.h)."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")))


def cli(*arguments, env=None, timeout=60):
    """build/toiletmon ARGUMENTS to its end: (exit status, output, errors)."""
    done = subprocess.run([str(BUILD / "toiletmon"), *map(str, arguments)], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


def memory_kib(pid, what="Pss"):
    """Pss, Rss, Private_Dirty ... of a process, from smaps_rollup."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1])
    raise KeyError(what)


_SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+(\S+))?$')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Metrics(dict):
    """{(name, ((label, value), ...)): number}"""

    def value(self, name, /, **labels):
        """The one sample of this name that carries these labels; None where there is none."""
        found = self.all(name, **labels)
        assert len(found) <= 1, f"{name}{labels}: {len(found)} samples"
        return found[0][1] if found else None

    def all(self, name, /, **labels):
        return [(dict(key[1]), value) for key, value in self.items()
                if key[0] == name and labels.items() <= dict(key[1]).items()]


def parse_metrics(text):
    """A text exposition; a line that is none fails the test."""
    found = Metrics()
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = _SAMPLE.match(line)
        assert match, f"not a sample: {line!r}"
        name, labels, value, _ = match.groups()
        pairs = tuple((key, raw.encode().decode("unicode_escape").encode("latin-1").decode())
                      for key, raw in _LABEL.findall(labels or ""))
        key = (name, pairs)
        assert key not in found, f"twice: {line!r}"
        found[key] = float(value)
    return found
