#!/usr/bin/env python3
"""The order of the house: a room includes itself and rooms above it, a plugin only plugin_api.h.

Plugins of ours that write messages are linked with the room mail, which stands on base and on two files that sinks share.
"""
import pathlib
import re
import sys

ROOMS = ("base model config state plugin worker fetch schedule store ingest rules alert outbox mail action cache "
         "http cli agent").split()
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
GENERATED = {"plugin_api.h", "tmon_build.h"}
SHARED = {"mail": {"common/utf8.h", "common/when.h"}}  # of plugins/, libc only
LINKED = ("mail/", "base/buf.h")


def includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1)


def sources(folder):
    return sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix in (".c", ".h", ".cc"))


def main():
    problems = []

    def complain(path, number, what):
        problems.append(f"{path}:{number}: {what}")

    def ordered(path, room):
        for number, name in includes(path):
            top = name.split("/")[0]
            if name in GENERATED or name in SHARED.get(room, ()) or (room == "agent" and name == "agent.h"):
                continue  # core/agent.h is the face of core/agent.c and of its folder
            if "/" not in name:
                complain(path, number, f'"{name}": includes are written from core/, as "{room}/{name}"')
            elif top not in ROOMS:
                complain(path, number, f'"{name}": there is no room {top}')
            elif ROOMS.index(top) > ROOMS.index(room):
                complain(path, number, f'"{name}": {room} stands above {top} and may not know it')

    for path in sources("core"):
        parts = path.parts
        if len(parts) == 2:
            continue  # main.c knows every room
        if parts[1] not in ROOMS:
            complain(path, 1, f"there is no room {parts[1]}; they are named in scripts/check_rooms.py")
            continue
        ordered(path, parts[1])
    for path in sources("tests/unit"):
        if len(path.parts) > 3 and path.parts[2] in ROOMS:
            for number, name in includes(path):
                top = name.split("/")[0]
                if top in ROOMS and ROOMS.index(top) > ROOMS.index(path.parts[2]):
                    complain(path, number, f'"{name}": a test of {path.parts[2]} may not need {top}')
    for folder in ("plugins", "tests/fixtures"):
        for path in sources(folder):
            for number, name in includes(path):
                here = (path.parent / name).resolve()
                linked = folder == "plugins" and name.startswith(LINKED)
                if name != "plugin_api.h" and not linked and not (here.exists() and pathlib.Path(folder).resolve() in here.parents):
                    complain(path, number, f'"{name}": a plugin includes plugin_api.h and its own folder only')
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
