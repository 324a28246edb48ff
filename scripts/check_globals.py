#!/usr/bin/env python3
"""No writable globals: what a plugin knows lives in its state, what a room knows in its structs.

check_globals.py BUILD: reads the symbols of the plugins' .so files and of the rooms' objects.
"""
import pathlib
import re
import subprocess
import sys

# What the toolchain puts into every shared object.
TOOLCHAIN = re.compile(r"^(completed\.\d+|__dso_handle|__data_start|data_start|__TMC_END__|_edata|_end|__bss_start"
                       r"|\.data|\.bss|\.tbss|\.tdata)$")
# Of ours, each with its reason.
ALLOWED = {
    "base": {
        "log_level_now": "a level for the whole process; the one exception of the design",
        "log_format_now": "as the level",
        "log_lock": "of what follows: where the process logs to, and what was lost on the way",
        "log_lost_now": "as above",
        "log_lost_before": "as above",
        "sink": "as above",
        "text": "errno's text, one a thread, so that a log line can be written where memory ran out",
        "seed": "of the hash, drawn once before the first use, the same for every map",
        "seed_once": "guards the seed",
    },
    "worker": {
        "asked": "that SIGTERM came; a signal handler can reach nothing else",
    },
}
SYMBOL = re.compile(r"^[0-9a-f]+ (.{7}) (\.(?:data|bss|tdata|tbss)(?:\.(?!rel\.ro)[\w.]+)?)\t([0-9a-f]+)\s+(?:\.hidden )?(\S+)$")


def writable(path):
    """(name, bytes) of the writable variables in an object or shared object."""
    table = subprocess.run(["objdump", "-t", str(path)], capture_output=True, text=True, check=True).stdout
    for line in table.splitlines():
        match = SYMBOL.match(line)
        if match and int(match.group(3), 16) and not TOOLCHAIN.match(match.group(4)):
            yield match.group(4), int(match.group(3), 16)


def main():
    build = pathlib.Path(sys.argv[1])
    problems = []
    for path in sorted((build / "plugins").glob("*.so")):
        problems += [f"plugins/{path.name}: {name}, {size} bytes" for name, size in writable(path)]
    for path in sorted([*build.glob("core/*/*.p/*.o"), *build.glob("toiletmon*.p/core_*.o")]):
        room = path.parts[len(build.parts) + 1] if "core" in path.parts else "agent"
        problems += [f"core/{room}/{path.stem}: {name}, {size} bytes" for name, size in writable(path)
                     if re.sub(r"\.\d+$", "", name) not in ALLOWED.get(room, {})]
    if problems:
        print("writable globals:", *problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
