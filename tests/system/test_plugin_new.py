"""A stranger's plugin: made by `plugin new`, built by make and by Meson from the installed header alone, loaded."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import far_ends
import lab
import sinks

MESON = shutil.which("meson")


def run(argv, **kwargs):
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, **kwargs)
    if done.returncode:
        raise AssertionError(f"{argv} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class PluginNew(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not MESON:
            raise unittest.SkipTest("there is no meson to install the header with")
        cls.dir = lab.scratch("new")
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        cls.root = cls.dir / "root"
        run([MESON, "install", "-C", lab.BUILD, "--no-rebuild", "--tags", "devel", "--destdir", cls.root])
        found = list(cls.root.rglob("toiletmon.pc"))
        if len(found) != 1:
            raise AssertionError(f"pkg-config files installed: {found}")
        cls.env = {**os.environ, "PKG_CONFIG_PATH": str(found[0].parent), "PKG_CONFIG_SYSROOT_DIR": str(cls.root),
                   "TOILETMON": str(lab.BUILD / "toiletmon")}

    def make_plugin(self, name, *options):
        path = self.dir / f"{self._testMethodName}"
        status, out, err = lab.cli("plugin", "new", *options, name, path)
        self.assertEqual((status, err), (0, ""))
        self.assertIn("Next: cd ", out)
        return path

    def test_with_make(self):
        path = self.make_plugin("backup_age")
        out = run(["make", "-C", path, "CFLAGS=-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -std=c11"],
                  env=self.env)
        self.assertIn("backup_age.so", out)
        self.assertIn("backup_age: all well", run(["make", "-C", path, "check"], env=self.env))
        run(["make", "-C", path, "install", f"DESTDIR={self.dir}/stage", "PKG_CONFIG=pkg-config"],
            env={**self.env, "PKG_CONFIG_SYSROOT_DIR": ""})
        installed = list((self.dir / "stage").rglob("backup_age.so"))
        self.assertEqual(len(installed), 1)
        self.assertEqual(installed[0].parent.parts[-2:], ("toiletmon", "plugins"))

    def test_a_sink(self):
        path = self.make_plugin("pager", "--sink")
        run(["make", "-C", path, "CFLAGS=-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -std=c11"], env=self.env)
        self.assertIn("pager: all well", run(["make", "-C", path, "check"], env=self.env))
        self.assertIn("Abilities: format, judge", run([lab.BUILD / "toiletmon", "plugin", "describe", path / "pager.so"]))
        with far_ends.Slack() as server:
            with sinks.Sink("pager", file=path / "pager.so", url=server.url) as sink:
                self.assertEqual(json.loads(sink.format(sinks.notification(title="A \"title\"")).request.body),
                                 {"id": "n-1", "status": "firing", "title": "A \"title\"", "text": ""})
                server.script(200, 503, 400)
                self.assertEqual(sink.post(sinks.notification([sinks.alert()])).rc, sinks.OK)
                self.assertEqual(sink.post(sinks.notification([sinks.alert()])).rc, sinks.RETRY)
                self.assertEqual(sink.post(sinks.notification([sinks.alert()])).rc, sinks.REJECTED)

    def test_with_meson(self):
        path = self.make_plugin("lift")
        run([MESON, "setup", path / "build", path], env=self.env)
        run([MESON, "compile", "-C", path / "build"], env=self.env)
        run([MESON, "test", "-C", path / "build"], env=self.env)
        self.assertTrue((path / "build" / "lift.so").exists())

    def test_the_agent_loads_it(self):
        path = self.make_plugin("fresh")
        run(["make", "-C", path], env=self.env)
        plugins = {"report": {"use": "fresh", "path": str(path / "README.md"), "max_age": "1d", "interval": "200ms"}}
        with lab.Agent(plugins=plugins, agent={"plugin_dirs": [str(path)]}, until="ready") as agent:
            check = agent.wait_check("report", "pass")
            self.assertEqual(sorted(check), ["age", "file_age", "status"])  # its own words beside the agent's
            size = lab.wait_for(lambda: agent.metrics().value("fresh_file_size_bytes", path=str(path / "README.md")))
            self.assertEqual(size, (path / "README.md").stat().st_size)

    def test_a_name_that_is_taken(self):
        for name in ("disk", "datadog_check"):
            status, out, err = lab.cli("plugin", "new", name, self.dir / "taken")
            self.assertEqual((status, out), (1, ""))
            self.assertRegex(err, f"there is a component '{name}' already, in .*/{name.split('_')[0]}.so: take another name")
            self.assertFalse((self.dir / "taken").exists())

    def test_nothing_is_overwritten(self):
        path = self.make_plugin("mine")
        (path / "mine.c").write_text("precious")
        status, _, err = lab.cli("plugin", "new", "mine", path)
        self.assertEqual(status, 1)
        self.assertIn("mine.c cannot be made: File exists", err)
        self.assertEqual((path / "mine.c").read_text(), "precious")


if __name__ == "__main__":
    unittest.main()
