"""The alert e-mail in a real Chromium: at the widths of a phone and a desktop, in light and dark, and what axe says of it.

    ./test_mail_pictures.py FOLDER     keeps the pictures there, as those in docs/images/ were made
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import lab

HERE = pathlib.Path(__file__).resolve().parent
MODULES = lab.SOURCE / ".cache" / "browser"
PNG = b"\x89PNG\r\n\x1a\n"


def missing():
    """What is not on this machine, of what the pictures need."""
    have = {"chromium": chromium(), "node": shutil.which("node"),
            "playwright-core": (MODULES / "node_modules/playwright-core/package.json").exists(),
            "axe-core": (MODULES / "node_modules/axe-core/axe.min.js").exists()}
    return [name for name, there in have.items() if not there]


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


def take(folder):
    """Pictures of both mails in `folder`; what was found in each."""
    pages = []
    for name in ("alert", "group"):
        data = lab.SOURCE / "tests/data/mail" / f"{name}.json"
        status, _, err = lab.cli("mail", "preview", "alert", "--data", data, "--out", folder / name)
        assert status == 0, err
        pages.append(f"{name}={folder / name / 'alert.html'}")
    done = subprocess.run(["node", HERE / "mail_pictures.mjs", MODULES, folder, *pages], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=100, env={**os.environ, "TMON_CHROMIUM": chromium()})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Pictures(unittest.TestCase):
    def test_four_pictures_of_each_mail(self):
        lacking = missing()
        if lacking and os.environ.get("CI") != "true":
            self.skipTest(f"not on this machine: {', '.join(lacking)} (./dev test installs them)")
        self.assertEqual(lacking, [])
        folder = lab.scratch("pictures")
        self.addCleanup(shutil.rmtree, folder)
        found = take(folder)
        self.assertEqual(len(found), 8)
        for one in found:
            with self.subTest(f"{one['name']} {one['size']} {one['theme']}"):
                self.assertEqual(one["violations"], [])
                self.assertGreater(one["passes"], 20)
                self.assertLessEqual(one["scroll"], one["width"])  # nobody has to scroll to the side
                picture = (folder / f"{one['name']}-{one['size']}-{one['theme']}.png").read_bytes()
                self.assertTrue(picture.startswith(PNG))
                self.assertEqual(int.from_bytes(picture[16:20], "big"), one["width"])
        backgrounds = {(one["theme"], one["background"]) for one in found}
        self.assertEqual(len(backgrounds), 2)  # one a theme


if __name__ == "__main__" and len(sys.argv) > 1:
    take(pathlib.Path(sys.argv[1]))
elif __name__ == "__main__":
    unittest.main()
