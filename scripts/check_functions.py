#!/usr/bin/env python3
"""Functions that what we ship does not call, each with what to use instead. Tests may."""
import pathlib
import re
import sys

BOUNDED = "it does not know where its target ends: snprintf, memcpy of a known length, or base/buf.h"
PARSE = "it cannot say that a number is wrong: strtol and friends with their checks"
SHARED = "it writes into memory that threads share: the _r variant"
SHELL = "it runs a shell; nothing here starts programs that way"
FORBIDDEN = {
    **dict.fromkeys(["strcpy", "stpcpy", "strcat", "strncpy", "strncat", "sprintf", "vsprintf", "gets"], BOUNDED),
    **dict.fromkeys(["atoi", "atol", "atoll", "atof"], PARSE),
    **dict.fromkeys(["strtok", "gmtime", "localtime", "asctime", "ctime"], SHARED),
    **dict.fromkeys(["system", "popen"], SHELL),
    **dict.fromkeys(["tmpnam", "tempnam", "mktemp"], "another may make the file first: mkstemp"),
    **dict.fromkeys(["rand", "srand", "random", "srandom"], "it hides state: getrandom, or a generator of the caller's"),
    **dict.fromkeys(["setjmp", "longjmp"], "it jumps over the clean-up"),
    **dict.fromkeys(["alloca"], "it has no limit"),
    **dict.fromkeys(["sleep", "usleep"], "it blocks and cannot be told to stop: a timer of the loop, or poll"),
    "dlclose": "unloading a plugin is ending its worker",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(FORBIDDEN) + r")\s*\(")
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def main():
    problems = []
    for folder in ("include", "core", "plugins"):
        for path in sorted(pathlib.Path(folder).rglob("*.[ch]")):
            code = NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), path.read_text(errors="replace"))
            for number, line in enumerate(code.splitlines(), 1):
                for match in CALL.finditer(line):
                    problems.append(f"{path}:{number}: {match.group(1)}: {FORBIDDEN[match.group(1)]}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
