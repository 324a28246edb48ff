"""Expressions evaluated by a real Prometheus and by us, over the same samples at the same times."""
import json
import math
import re
import subprocess
import unittest
from urllib.parse import quote, urlencode

import lab
import promql_cases as cases
import promql_random
import promql_samples as samples

START, STEP = samples.START, samples.STEP
# On a step, between steps, a millisecond before one, and minutes after the last.
TIMES = [START + 120 * STEP, START + 120 * STEP + 7123, START + 201 * STEP - 1, START + samples.STEPS * STEP + 200000]
RANDOM = 400


def lines(text):
    return [line for line in text.strip("\n").split("\n")]


def same(one, other, near):
    """Equal as what both print; `near`: in fourteen digits."""
    one, other = float(one), float(other)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    if repr(one) == repr(other):  # tells 0 from -0
        return True
    return near and abs(one - other) <= 1e-14 * max(abs(one), abs(other))


class Peer(lab.Prometheus):
    """A Prometheus that is told its samples."""

    def __init__(self):
        super().__init__([], interval="1h")
        version = subprocess.run([self.binary, "--version"], capture_output=True, text=True).stdout
        if " 2.42." not in version:
            raise unittest.SkipTest(f"this compares with Prometheus 2.42, not with {version.splitlines()[0]}")

    def argv(self):
        return super().argv() + ["--web.enable-remote-write-receiver"]

    def load(self, series):
        for one in series:
            answer = lab.get("/api/v1/write", port=self.port, method="POST",
                             body=samples.snappy(samples.write_request([one])),
                             headers={"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"})
            assert answer.status in (200, 204), (answer.status, answer.body, one.labels)

    def ask(self, expression, at):
        """("vector", [(labels, number)]) and the like; ("error", sentence)."""
        query = urlencode({"query": expression, "time": f"{at // 1000}.{at % 1000:03d}"})
        answer = self.get(f"/api/v1/query?{query}").json
        if answer["status"] != "success":
            return "error", f'{answer["errorType"]}: {answer["error"]}'
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
        if kind == "vector":
            return kind, [(tuple(sorted(row["metric"].items())), row["value"][1]) for row in result]
        return kind, [((), result[1])] if kind == "scalar" else result[1]

    def show(self, expression):
        """As it prints expressions; None where it breaks the line."""
        answer = self.get("/api/v1/format_query?" + urlencode({"query": expression})).json
        if answer["status"] != "success":
            return "error"
        return None if "\n" in answer["data"] and len(answer["data"]) > 80 else answer["data"]


class Harness:
    """Ours: tests/system/expr_harness.c."""

    def __init__(self, series=(), hashes=False):
        self.child = subprocess.Popen([lab.BUILD / "tests" / "system" / "expr_harness"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        if hashes:
            self.say("hashes")
        for one in series:
            self.say("series " + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}"
                                          for name, value in one.labels.items()))
            for at, value in one.samples:
                self.say(f"sample {at} {samples.bits(value)}")

    def say(self, line):
        self.child.stdin.write(line + "\n")

    def raw(self, expression, at=TIMES[0]):
        self.say(f"eval {at} {quote(expression, safe='')}")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def ask(self, expression, at):
        answer = self.raw(expression, at)
        if "error" in answer:
            return "error", answer["error"]
        if "string" in answer:
            return "string", answer["string"]
        return answer["type"], [(tuple(sorted(labels.items())), value) for labels, value in answer["values"]]

    def close(self):
        self.child.stdin.close()
        status = self.child.wait(30)
        self.child.stdout.close()
        assert status == 0, status


class Promql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # By labels: so the Prometheus adds them up too.
        series = sorted(samples.build(), key=lambda one: sorted(one.labels.items()))
        cls.exact = re.search(r"^flags.*\bfma\b", open("/proc/cpuinfo").read(), re.M) is not None
        cls.prometheus = Peer()
        cls.addClassCleanup(cls.prometheus.__exit__)
        cls.prometheus.__enter__()
        cls.prometheus.load(series)
        cls.harness = Harness(series)
        cls.addClassCleanup(cls.harness.close)
        cls.lent = Harness(series, hashes=True)
        cls.addClassCleanup(cls.lent.close)

    def compare(self, expression, times=TIMES, near=False, ordered=False, errors=False):
        """What is different, or None."""
        for at in times:
            theirs, ours = self.prometheus.ask(expression, at), self.harness.ask(expression, at)
            if ours != self.lent.ask(expression, at):
                return f"{expression!r}: differs where labels are lent with their hashes"
            if theirs[0] != ours[0] or (theirs[0] == "error" and not errors):
                return f"{expression!r} at {at}: {theirs} is not {ours}"
            if theirs[0] == "error":
                continue
            if theirs[0] == "string":
                if theirs != ours:
                    return f"{expression!r}: {theirs} is not {ours}"
                continue
            pairs = (theirs[1], ours[1]) if ordered else (sorted(theirs[1]), sorted(ours[1]))
            if [labels for labels, _ in pairs[0]] != [labels for labels, _ in pairs[1]]:
                return f"{expression!r} at {at}: other elements: {pairs[0]} is not {pairs[1]}"
            for (labels, one), (_, other) in zip(*pairs):
                if not same(one, other, near or not self.exact):
                    return f"{expression!r} at {at}: {dict(labels)}: {one} is not {other}"
        return None

    def compare_all(self, expressions, **how):
        wrong = [problem for problem in (self.compare(one, **how) for one in expressions) if problem]
        self.assertEqual(wrong, [], f"{len(wrong)} of {len(expressions)} differ")

    def test_there_are_enough(self):
        own = sum(len(lines(text)) for text in [*cases.SAME.values(), *cases.NEAR.values()])
        self.assertGreater(own, 900)

    def test_several_lines(self):
        self.compare_all(cases.LINES)

    def test_order(self):
        self.compare_all(lines(cases.ORDERED), ordered=True)

    def test_random_expressions(self):
        maker = promql_random.Maker(4)
        self.compare_all([maker.expression() for _ in range(RANDOM)], times=[START + 150 * STEP + 7123], errors=True)

    def test_wrong_text(self):
        for expression in lines(cases.WRONG_TEXT):
            with self.subTest(expression):
                theirs, ours = self.prometheus.ask(expression, TIMES[0]), self.harness.raw(expression)
                self.assertEqual(theirs[0], "error", theirs)
                self.assertTrue(theirs[1].startswith("bad_data") or "label_replace" in expression, theirs)
                self.assertTrue(ours.get("parse"), ours)
                self.assertRegex(ours["error"], r"^[1-9]\d*:[1-9]\d*: .{10}")

    def test_wrong_evaluation(self):
        for expression in lines(cases.WRONG_EVALUATION):
            with self.subTest(expression):
                self.assertEqual(self.prometheus.ask(expression, TIMES[0])[0], "error")
                self.assertGreater(len(self.harness.raw(expression).get("error", "")), 20)

    def test_what_is_outside_is_named(self):
        for expression, word in cases.OUTSIDE.items():
            with self.subTest(expression):
                self.assertNotEqual(self.prometheus.show(expression), "error")
                answer = self.harness.raw(expression)
                self.assertTrue(answer.get("parse"), answer)
                self.assertIn(word, answer["error"])

    def test_it_is_printed_alike(self):
        wrong, count = [], 0
        for text in [*cases.SAME.values(), *cases.NEAR.values(), cases.ORDERED]:
            for expression in lines(text):
                theirs = self.prometheus.show(expression)
                if theirs is not None and len(expression) < 90:
                    count += 1
                    ours = self.harness.raw(expression).get("show")
                    wrong += [] if ours == theirs else [f"{theirs} is not {ours}"]
        self.assertEqual(wrong, [])
        self.assertGreater(count, 900)

    def test_printed_it_means_the_same(self):
        for text in [*cases.SAME.values(), cases.ORDERED]:
            for expression in lines(text):
                shown = self.harness.raw(expression).get("show")
                if shown and "absent(" not in shown:  # its labels depend on the order of matchers
                    self.assertEqual(self.harness.ask(shown, TIMES[0]), self.harness.ask(expression, TIMES[0]), expression)


def add_groups():
    """A case for each subject."""
    def adder(expressions, near):
        return lambda self: self.compare_all(expressions, near=near)

    for groups, near in ((cases.SAME, False), (cases.NEAR, True)):
        for subject, text in groups.items():
            setattr(Promql, "test_" + subject.replace(" ", "_"), adder(lines(text), near))


add_groups()

if __name__ == "__main__":
    unittest.main()
