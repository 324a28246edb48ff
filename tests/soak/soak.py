#!/usr/bin/env python3
"""Kills the agent again and again under a stream of alerts, and counts at the receiver what came of them.

soak.py [--kills N] [--seed N] [--peer agent|alertmanager|both] [--keep]

A stream of alerts fires and resolves while the program is killed with SIGKILL at random moments and started
again. They go to two webhooks: one that is well, and one that refuses, delays, throttles and cuts connections.
At the end everything is resolved, the far ends are healed, and it is waited until nothing is left to tell.

  lost             answered 2xx as firing, fired to the end of the stream, and a sink never saw it
  orphan resolves  a sink saw that an episode ended and never that it began
  missing resolves a sink saw that an episode began and never that it ended
  told in spite    a sink saw an alert while a silence, or an alert that inhibits it, held it back (life.py)
  forgotten        an acknowledgement that was answered and is gone
  repeats          a sink saw a notification (by its id) again after it had seen it: what ambiguous outcomes cost

Exit status 1 when the agent lost, orphaned or missed any.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "system"), str(ROOT / "tests" / "soak")]
import lab  # noqa: E402
from life import RULES, Life  # noqa: E402
from receiver import Receiver  # noqa: E402

SINKS = ("good", "flaky")
NAMES = 40  # alerts that come and go
LASTING = 5  # of a hundred alerts, those that fire to the end


def post(port, path, document, timeout=5):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(document).encode(),
                                     {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.status, answer.read()


class Agent:
    name = "toiletmon"

    def __init__(self, directory, receiver, wait):
        self.directory, self.port = directory, lab.free_port()
        self.config = directory / "toiletmon.yaml"
        (directory / "state").mkdir()
        plugins = {sink: {"use": "webhook", "url": f"http://127.0.0.1:{receiver.port}/{sink}", "timeout": "2s"}
                   for sink in SINKS}
        self.config.write_text(json.dumps({
            "agent": {"listen": f"127.0.0.1:{self.port}", "state_dir": str(directory / "state"),
                      "log": {"level": "warning"}},
            "plugins": plugins, "inhibit_rules": RULES,
            "routes": [{"to": list(SINKS), "group_by": ["group"], "group_wait": f"{wait}ms",
                        "group_interval": f"{wait}ms", "repeat_interval": "4h"}]}))

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen([lab.BUILD / "toiletmon", "run", "-c", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def send(self, name, firing, **labels):
        status, _ = post(self.port, "/api/v1/alerts", {
            "severity": "warning", "title": name, "message": "soak", "ttl": "6h",
            "status": "firing" if firing else "resolved", "labels": {"group": f"g{hash_of(name) % 7}", **labels}})
        return 200 <= status < 300

    def settled(self):
        sinks = lab.get("/api/v1/sinks", port=self.port).json["sinks"]
        alerts = lab.get("/api/v1/alerts", port=self.port).json["alerts"]
        return not alerts and not any(sink["pending"] for sink in sinks)

    def log(self):
        return (self.directory / "log").read_text(errors="replace")


class Alertmanager:
    name = "Alertmanager"

    def __init__(self, directory, receiver, wait):
        self.starts = {}
        self.directory, self.port = directory, lab.free_port()
        self.config = directory / "alertmanager.yml"
        self.config.write_text(json.dumps({
            "route": {"receiver": "both", "group_by": ["group"], "group_wait": f"{wait}ms",
                      "group_interval": f"{wait}ms", "repeat_interval": "4h"},
            "receivers": [{"name": "both", "webhook_configs": [
                {"url": f"http://127.0.0.1:{receiver.port}/{sink}", "send_resolved": True} for sink in SINKS]}]}))

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [shutil.which("prometheus-alertmanager"), f"--config.file={self.config}",
                 f"--storage.path={self.directory}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--cluster.listen-address="], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def send(self, name, firing):
        now = time.time()
        # It believes whatever start it is told: the sender keeps it, as Prometheus does.
        start = self.starts.setdefault(name, now) if firing else self.starts.pop(name, now)
        status, _ = post(self.port, "/api/v2/alerts", [{
            "labels": {"alertname": name, "severity": "warning", "group": f"g{hash_of(name) % 7}"},
            "annotations": {"message": "soak"}, "startsAt": rfc3339(start),
            "endsAt": rfc3339(now + 6 * 3600 if firing else now)}])
        return 200 <= status < 300

    def settled(self):
        return not lab.get("/api/v2/alerts", port=self.port).json

    def log(self):
        return (self.directory / "log").read_text(errors="replace")


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e3):03}Z"


def hash_of(name):
    return sum(name.encode())


class Stream:
    """Fires and resolves. What was answered is certain; what was not may have happened."""

    def __init__(self, peer, seed):
        self.peer, self.random = peer, random.Random(seed)
        self.lock = threading.Lock()
        self.firing = {}      # name -> certain that it fires
        self.lasting = set()  # accepted as firing, and never resolved before the end
        self.labels = {}      # name -> labels beside the usual
        self.count = collections.Counter()
        self.number = 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(part,), daemon=True) for part in range(4)]

    def say(self, name, firing, **labels):
        """True, False, or None: not known."""
        if labels:
            self.labels[name] = labels
        try:
            accepted = self.peer.send(name, firing, **self.labels.get(name, {}))
        except urllib.error.HTTPError as why:
            accepted = None if why.code == 503 else False  # 503: it may still be taken
        except OSError:
            accepted = None
        self.count["accepted" if accepted else "refused" if accepted is False else "unanswered"] += 1
        return accepted

    def run(self, part):
        chance = random.Random(self.random.random() + part)
        while not self.over.is_set():
            if chance.random() < LASTING / 100:
                with self.lock:
                    self.number += 1
                    name = f"lasting{part}-{self.number}"
                if self.say(name, True):
                    with self.lock:
                        self.lasting.add(name)
            else:
                name = f"part{part}-{chance.randrange(NAMES)}"
                firing = chance.random() < 0.6
                self.say(name, firing)
                with self.lock:
                    self.firing[name] = True
            time.sleep(chance.expovariate(60))

    def start(self):
        for thread in self.threads:
            thread.start()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def resolve_all(self):
        for name in sorted(set(self.firing) | self.lasting | {f"lasting{p}-{n}" for p in range(4)
                                                              for n in range(1, self.number + 1)}):
            for _ in range(100):
                if self.say(name, False):
                    break
                time.sleep(0.05)


def verdicts(receiver, stream):
    """What is wrong, as lists of (sink, episode)."""
    lost, orphans, missing, disordered = [], [], [], []
    names = collections.defaultdict(set)
    for (sink, episode), sights in receiver.seen.items():
        names[sink].add(episode[0])
        firsts = {}
        for status, _, order in sights:
            firsts.setdefault(status, order)
        if "firing" not in firsts:
            orphans.append((sink, episode))
        elif "resolved" not in firsts:
            missing.append((sink, episode))
        elif firsts["resolved"] < firsts["firing"]:
            disordered.append((sink, episode))
    for sink in SINKS:
        lost += [(sink, name) for name in sorted(stream.lasting - names[sink])]
    return lost, orphans, missing, disordered


def soak(program, kills, seed, keep=False, quiet=False):
    """The counts of one run."""
    chance = random.Random(seed)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tmon-soak-"))
    receiver = Receiver(seed)
    peer = program(directory, receiver, wait=200)
    stream = Stream(peer, seed)
    life = Life(peer, stream, seed) if program is Agent else None
    started = time.monotonic()
    try:
        peer.start()
        stream.start()
        if life:
            life.start()
        for kill in range(kills):
            time.sleep(min(chance.expovariate(2.2), 3))
            if peer.process.poll() is not None:
                raise SystemExit(f"{peer.name} ended by itself with {peer.process.returncode}:\n{peer.log()[-4000:]}")
            peer.process.send_signal(signal.SIGKILL)
            peer.process.wait()
            peer.start()
            if not quiet and kill % 50 == 49:
                print(f"  {peer.name}: {kill + 1} kills, {stream.count['accepted']} accepted,"
                      f" {sum(receiver.requests.values())} requests seen", flush=True)
        time.sleep(1)
        stream.end()
        if life:
            life.end()
        time.sleep(3)  # what lasts is told while it fires
        receiver.healthy = True
        if life:
            life.let_go()
        if program is Agent:
            told_in_time(receiver, stream)
        else:
            time.sleep(5)
        forgotten, in_spite = (life.forgotten(), life.in_spite(receiver)) if life else ([], [])
        stream.resolve_all()
        try:
            lab.wait_for(peer.settled, 120, f"{peer.name} having nothing left to tell")
        except AssertionError as why:
            print(f"  {why}")
        time.sleep(2)
        lost, orphans, missing, disordered = verdicts(receiver, stream)
        again = sum(times - 1 for times in receiver.ids.values())
        return {"kills": kills, "seconds": time.monotonic() - started, **stream.count,
                "lasting": len(stream.lasting), "episodes": len(receiver.seen),
                "notifications": len(receiver.ids), "lost": lost, "orphan": orphans, "missing": missing,
                "disordered": disordered, "repeats": again,
                "in_spite": in_spite, "forgotten": forgotten, "life": life.count if life else {}}
    finally:
        stream.over.set()
        if peer.process.poll() is None:
            peer.process.terminate()
            peer.process.wait()
        receiver.close()
        if keep:
            print(f"  kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)


def untold(receiver, stream):
    """(sink, name) of what lasts and was not told of yet."""
    with receiver.lock:
        told = {(sink, episode[0]) for (sink, episode), sights in receiver.seen.items()
                if any(status == "firing" for status, _, _ in sights)}
    return [(sink, name) for sink in SINKS for name in stream.lasting if (sink, name) not in told]


def told_in_time(receiver, stream):
    """A backlog of hundreds, and a sink that rests, may take minutes on a loaded machine; what never comes is lost."""
    try:
        lab.wait_for(lambda: not untold(receiver, stream), 600, "the last firings being told")
    except AssertionError as why:
        left = untold(receiver, stream)
        print(f"  {why}: {len(left)} are missing, such as {left[:3]}")


def show(name, counts):
    print(f"{name}: {counts['kills']} kills in {counts['seconds']:.0f} s; accepted {counts.get('accepted', 0)},"
          f" refused {counts.get('refused', 0)}, unanswered {counts.get('unanswered', 0)};"
          f" {counts['episodes']} episodes and sinks seen")
    for key, what in (("lost", "accepted alerts lost"), ("orphan", "orphan resolves"),
                      ("missing", "missing resolves"), ("disordered", "resolves before their firing"),
                      ("in_spite", "told in spite of what held them back"),
                      ("forgotten", "acknowledgements forgotten")):
        print(f"  {len(counts[key]):6} {what}{'  ' + str(counts[key][:3]) if counts[key] else ''}")
    if counts["life"]:
        print("  with " + ", ".join(f"{number} {what}" for what, number in sorted(counts["life"].items())))
    rate = counts["repeats"] / counts["notifications"] if counts["notifications"] else 0
    print(f"  {counts['repeats']:6} repeats of {counts['notifications']} notifications ({100 * rate:.2f} %)"
          if counts["notifications"] else "         repeats cannot be told: no ids")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--peer", choices=("agent", "alertmanager", "both"), default="both")
    parser.add_argument("--keep", action="store_true", help="keep the state and the log")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    bad = 0
    if options.peer != "alertmanager":
        counts = soak(Agent, options.kills, options.seed, options.keep)
        show("toiletmon", counts)
        bad = sum(len(counts[key]) for key in ("lost", "orphan", "missing", "disordered", "in_spite", "forgotten"))
    if options.peer != "agent" and shutil.which("prometheus-alertmanager"):
        show("Alertmanager", soak(Alertmanager, min(options.kills, 50), options.seed))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
