#!/usr/bin/env python3
"""Counts what really ran.

count.py step  DIR NAME pass|fail      one step (a build, a check of ./dev lint)
count.py tests DIR WAY TESTLOG.json    the cases of one `meson test`, from its machine-readable log
count.py total DIR                     names what failed and what was skipped, ends with the sum

A case is a line of TAP. A program that dies, hangs or prints less than it planned counts as one
failed case more, so that a crash can never make the sum smaller. Nothing counted is a failure.
"""
import json
import pathlib
import re
import sys

CASE = re.compile(r"(ok|not ok)\b\s*\d*\s*-?\s*([^#]*)(?:#\s*(skip\S*|todo)\b\s*(.*))?", re.IGNORECASE)


def cases_of(entry):
    """The cases of one entry of Meson's testlog.json: (name, "passed"|"failed"|"skipped")."""
    found = []
    entry["name"] = entry["name"].split(" / ")[-1]  # without Meson's project and suite
    for line in entry.get("stdout", "").splitlines():
        match = CASE.match(line)
        if not match:
            continue
        verdict, title, directive, reason = match.groups()
        name = f"{entry['name']}: {title.strip()}"
        if directive and directive.lower().startswith("skip") and verdict.lower() == "ok":
            found.append((f"{name} ({(reason or 'no reason given').strip()})", "skipped"))
        else:
            found.append((name, "passed" if verdict.lower() == "ok" else "failed"))
    result = entry["result"]
    if result == "SKIP" and not found:
        found.append((entry["name"], "skipped"))
    elif result not in ("OK", "SKIP") and not any(verdict == "failed" for _, verdict in found):
        found.append((f"{entry['name']}: {result.lower()}, exit status {entry.get('returncode')}", "failed"))
    elif result == "OK" and not found:
        found.append((f"{entry['name']}: passed without a single case", "failed"))
    return found


def store(directory, name, cases):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.json").write_text(json.dumps(cases))


def load(directory):
    for path in sorted(directory.glob("*.json")):
        yield from (tuple(case) for case in json.loads(path.read_text()))


def main(argv):
    what, directory = argv[1], pathlib.Path(argv[2])
    if what == "step":
        store(directory, f"step-{argv[3]}", [(argv[3], "passed" if argv[4] == "pass" else "failed")])
        return 0
    if what == "tests":
        way, log = argv[3], pathlib.Path(argv[4])
        cases = []
        if log.exists():
            for line in log.read_text(errors="replace").splitlines():
                cases += [(f"{way}/{name}", verdict) for name, verdict in cases_of(json.loads(line))]
        if not cases:
            cases = [(f"{way}: no test ran", "failed")]
        store(directory, f"tests-{way}", cases)
        return 1 if any(verdict == "failed" for _, verdict in cases) else 0

    cases = list(load(directory))
    count = {verdict: sum(1 for _, each in cases if each == verdict) for verdict in ("passed", "failed", "skipped")}
    for verdict in ("skipped", "failed"):
        for name, each in cases:
            if each == verdict:
                print(f"{verdict}: {name}")
    if count["skipped"]:
        print(f"{count['skipped']} skipped, which is neither passed nor failed")
    print(f"{count['passed']} passed, {count['failed']} failed")
    return 0 if count["passed"] and not count["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
