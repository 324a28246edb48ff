#!/usr/bin/env python3
"""Runs one module of unittest cases and prints TAP, so that Meson counts each case.

run.py FILE.py [PATTERN]     PATTERN: only cases whose name contains it
"""
import importlib.util
import pathlib
import sys
import traceback
import unittest


class Tap(unittest.TestResult):
    """A line a case; what went wrong follows it as comments."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.broken_parts = {}

    def line(self, verdict, test, directive=""):
        self.count += 1
        name = test.id().split(".", 1)[-1].replace("#", "no. ")
        print(f"{verdict} {self.count} - {name}{directive}", flush=True)

    def comment(self, text):
        # Meson keeps what stands on stdout to itself and prints stderr when a test has failed.
        for line in text.rstrip().splitlines():
            print(f"#   {line}", file=sys.stderr, flush=True)

    def failed(self, test, err):
        self.line("not ok", test)
        self.comment("".join(traceback.format_exception(*err)))

    def addSuccess(self, test):
        super().addSuccess(test)
        if test.id() not in self.broken_parts:
            self.line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failed(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.failed(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line("ok", test, f" # SKIP {reason}")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.line("not ok", test, " # TODO")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.line("not ok", test)
        self.comment("it was expected to fail")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.broken_parts[test.id()] = True
            self.failed(subtest, err)


def only(suite, pattern):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from only(item, pattern)
        elif pattern in item.id():
            yield item


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(path.parent))
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    if len(sys.argv) > 2:
        suite = unittest.TestSuite(only(suite, sys.argv[2]))
    result = Tap()
    suite.run(result)
    print(f"1..{result.count}", flush=True)
    return 0 if result.count and result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
