"""The short version of ./dev soak: killed at random moments under a stream of alerts, nothing is lost."""
import pathlib
import sys
import unittest

import lab

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "soak"))
import soak  # noqa: E402


class Soak(unittest.TestCase):
    def test_twelve_kills_lose_nothing(self):
        counts = soak.soak(soak.Agent, 12, 20260101, quiet=True)
        for what in ("lost", "orphan", "missing", "disordered", "in_spite", "forgotten"):
            self.assertEqual(counts[what], [], f"{what}: {counts}")
        self.assertGreater(counts["accepted"], 50)
        self.assertGreater(counts["episodes"], 20)


if __name__ == "__main__":
    unittest.main()
