"""The tools that judge the rest: counting, the TAP of run.py, the checks of ./dev lint."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import lab

SCRIPTS = lab.SOURCE / "scripts"

MODULE = '''
import unittest
class Some(unittest.TestCase):
    def test_good(self): pass
    def test_bad(self): self.fail("on purpose")
    @unittest.skip("not today")
    def test_left(self): pass
    def test_parts(self):
        for part in (1, 2, 3):
            with self.subTest(part=part): self.assertNotEqual(part, 2)
class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise OSError("no such thing")
    def test_never(self): pass
'''


class Folder(unittest.TestCase):
    def setUp(self):
        self.dir = lab.scratch("house")
        self.addCleanup(shutil.rmtree, self.dir)

    def put(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def script(self, name, *arguments):
        done = subprocess.run([sys.executable, str(SCRIPTS / name), *map(str, arguments)], cwd=self.dir,
                              capture_output=True, text=True, timeout=60)
        return done.returncode, (done.stdout + done.stderr).strip().splitlines()


class Counting(Folder):
    def count(self, *entries):
        log = self.put("log.json", "".join(json.dumps(entry) + "\n" for entry in entries))
        self.script("count.py", "tests", "results", "plain", log)
        return self.script("count.py", "total", "results")

    def entry(self, stdout, result="OK", name="toiletmon:unit / base/a"):
        return {"name": name, "stdout": stdout, "result": result, "returncode": 0 if result == "OK" else 1}

    def test_cases_are_summed(self):
        status, lines = self.count(self.entry("ok 1 - a\nok 2 - b\n1..2\n"), self.entry("ok 1 - c\n"))
        self.assertEqual((status, lines[-1]), (0, "3 passed, 0 failed"))

    def test_a_failed_case_is_named(self):
        status, lines = self.count(self.entry("ok 1 - a\nnot ok 2 - b\n", "FAIL"))
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed"))
        self.assertIn("failed: plain/base/a: b", lines)

    def test_a_crash_is_a_failure(self):
        for result in ("ERROR", "TIMEOUT", "INTERRUPT"):
            status, lines = self.count(self.entry("ok 1 - a\n", result))
            self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed"), result)

    def test_a_skip_is_no_pass(self):
        status, lines = self.count(self.entry("ok 1 - a\nok 2 - b # SKIP no server\n"))
        self.assertEqual((status, lines[-1]), (0, "1 passed, 0 failed"))
        self.assertIn("skipped: plain/base/a: b (no server)", lines)

    def test_nothing_is_a_failure(self):
        self.assertEqual(self.count()[0], 1)
        self.assertEqual(self.count(self.entry(""))[1][-1], "0 passed, 1 failed")
        shutil.rmtree(self.dir / "results")
        self.assertEqual(self.script("count.py", "total", "results"), (1, ["0 passed, 0 failed"]))


class Tap(Folder):
    def test_every_outcome(self):
        module = self.put("test_some.py", MODULE)
        done = subprocess.run([sys.executable, str(lab.SOURCE / "tests/system/run.py"), str(module)],
                              capture_output=True, text=True, timeout=60)
        cases = [line for line in done.stdout.splitlines() if not line.startswith("#")]
        self.assertEqual(done.returncode, 1)
        self.assertEqual([line.split(" - ")[0].rstrip(" 0123456789") for line in cases],
                         ["not ok", "not ok", "ok", "ok", "not ok", "1.."])
        self.assertEqual(cases[-1], "1..5")
        self.assertIn("Some.test_left # SKIP not today", done.stdout)
        self.assertIn("no such thing", done.stderr)


class Checks(Folder):
    def complaint(self, script, *arguments):
        status, lines = self.script(script, *arguments)
        self.assertEqual(status, 1, lines)
        return "\n".join(lines)

    def test_rooms(self):
        self.put("core/base/a.c", '#include "base/a.h"\n#include "http/http.h"\n')
        self.put("plugins/x/x.c", '#include "plugin_api.h"\n#include "base/log.h"\n')
        said = self.complaint("check_rooms.py")
        self.assertIn("core/base/a.c:2", said)
        self.assertIn("plugins/x/x.c:2", said)
        self.assertNotIn(":1:", said)

    def test_functions(self):
        self.put("core/base/a.c", '// strcpy(a, b)\nint f(struct s *s) { return s->system(1) + strlcpy("gets(") + atoi(x); }\n')
        said = self.complaint("check_functions.py")
        self.assertEqual(said.count("\n"), 0, said)
        self.assertIn("a.c:2: atoi", said)

    def test_globals(self):
        source = self.put("x.c", "static int counter; int next(void) { return ++counter; }\n"
                                 "extern const char *const names[]; const char *const names[] = {\"a\"};\n")
        os.makedirs(self.dir / "plugins")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", self.dir / "plugins" / "x.so", source], check=True)
        said = self.complaint("check_globals.py", self.dir)
        self.assertIn("counter, 4 bytes", said)
        self.assertNotIn("names", said)

    def test_hygiene(self):
        self.put("a.c", "int a;\t\n")
        self.put("b.md", "[there](no/such.md) [here](b.md) [far](https://example.org/)\n")
        self.put("c.py", "def f(:\n")
        self.put("build/d.c", "int d; \n")
        said = self.complaint("check_hygiene.py")
        self.assertEqual(len(said.splitlines()), 4, said)
        self.assertIn("no/such.md", said)

    def test_a_clean_tree_passes(self):
        self.put("core/base/a.c", '#include "base/a.h"\n')
        for script in ("check_rooms.py", "check_functions.py", "check_hygiene.py"):
            self.assertEqual(self.script(script), (0, []), script)


if __name__ == "__main__":
    unittest.main()
