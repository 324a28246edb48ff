"""The agent and its peers, as the benches start them, and what a program has used."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

import lab

ROUTE = "group_by: [alertname], group_wait: 0s, group_interval: 5m, repeat_interval: 4h"


def tree(pid):
    return [pid] + lab.descendants(pid)


def cpu_seconds(pids):
    used = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            used += int(pathlib.Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
    return used / 1e9


def peak_mib(pids):
    """PSS at the end, and what each process had more of at its peak."""
    kib = 0
    for pid in pids:
        fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        kib += lab.memory_kib(pid, "Pss") + int(fields["VmHWM"].split()[0]) - int(fields["VmRSS"].split()[0])
    return kib / 1024


class Receiver:
    def __enter__(self):
        self.process = subprocess.Popen([lab.BUILD / "bench" / "bench_receive"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[-1])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def counts(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/counts", timeout=10) as answer:
            return json.load(answer)


class Agent:
    name, kind = "toiletmon", "agent"

    def __init__(self, receiver, route=ROUTE):
        self.dir = tempfile.mkdtemp(prefix="tmon-bench-")
        self.port = lab.free_port()
        path = pathlib.Path(self.dir) / "toiletmon.yaml"
        path.write_text(f"""
agent: {{listen: "127.0.0.1:{self.port}", state_dir: {self.dir}/state}}
plugins:
  hook: {{use: webhook, url: "http://127.0.0.1:{receiver.port}/hook", timeout: 10s, concurrency: 64}}
routes:
  - {{to: [hook], {route}}}
""")
        os.mkdir(f"{self.dir}/state")
        with open(f"{self.dir}/log", "wb") as log:
            self.process = subprocess.Popen([lab.BUILD / "toiletmon", "run", "-c", path],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        lab.wait_for(lambda: lab.get("/api/health/ready", port=self.port).status == 200, 20, "the agent")


class Alertmanager:
    name, kind = "alertmanager", "alertmanager"

    def __init__(self, receiver, route=ROUTE):
        self.dir = tempfile.mkdtemp(prefix="am-bench-")
        self.port = lab.free_port()
        path = pathlib.Path(self.dir) / "alertmanager.yml"
        path.write_text(f"""
route: {{receiver: hook, {route}}}
receivers: [{{name: hook, webhook_configs: [{{url: "http://127.0.0.1:{receiver.port}/hook"}}]}}]
""")
        with open(f"{self.dir}/log", "wb") as log:
            self.process = subprocess.Popen(
                [shutil.which("prometheus-alertmanager") or "alertmanager", f"--config.file={path}",
                 f"--storage.path={self.dir}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--cluster.listen-address="], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        lab.wait_for(lambda: lab.get("/-/ready", port=self.port).status == 200, 20, "Alertmanager")
