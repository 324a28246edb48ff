"""Random expressions over the samples of promql_samples.py, for test_promql.py: most are valid, some are not."""
import random

SELECTORS = ["temperature", 'temperature{room="lab"}', "http_requests_total", 'http_requests_total{job="api"}', "real_counter",
             "memory_bytes", "special", "mixed", "ending", "l", "r", "one", "capital", "crowd", "tie", "latency_bucket",
             'size_bucket{job="minus"}', '{__name__=~"twin_."}', "nothing", "flat_counter", "late_counter", 'l{n="1"}',
             'special{i=~"0.|2."}', "moment"]
LABELS = ["job", "instance", "room", "code", "zone", "n", "i", "g", "h", "kind", "le", "k", "Zone", "how", "__name__", "owner"]
RANGES = ["15s", "1m", "5m", "7m13s", "30m", "1h", "100ms"]
RANGED = ["rate", "irate", "increase", "delta", "idelta", "deriv", "avg_over_time", "min_over_time", "max_over_time",
          "sum_over_time", "count_over_time", "stddev_over_time", "stdvar_over_time", "last_over_time", "changes", "resets",
          "present_over_time", "absent_over_time"]
MAPPED = ["abs", "ceil", "floor", "sgn", "sqrt", "round", "sort", "sort_desc", "timestamp", "absent", "hour", "minute",
          "month", "year", "day_of_week", "day_of_month", "days_in_month", "exp", "ln", "log2", "log10"]
GROUPED = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^"]
COMPARISONS = ["==", "!=", ">", "<", ">=", "<="]
NUMBERS = ["0", "1", "2", "0.5", "-1", "3", "10", "1e3", "0.1", "Inf", "-Inf", "NaN", "20", "100", "1e-9"]


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, items):
        return self.rng.choice(items)

    def offset(self):
        return self.pick([" offset 1m", " offset 5m", " offset -2m", " offset 17m3s"]) if self.rng.random() < 0.1 else ""

    def labels(self, most=3):
        return ", ".join(self.rng.sample(LABELS, self.rng.randrange(most + 1)))

    def scalar(self, depth):
        roll = self.rng.random()
        if depth <= 0 or roll < 0.6:
            return self.pick(NUMBERS)
        if roll < 0.7:
            return "time()"
        if roll < 0.85:
            return f"scalar({self.vector(depth - 1)})"
        return f"({self.scalar(depth - 1)} {self.pick(ARITHMETIC)} {self.scalar(depth - 1)})"

    def grouping(self):
        roll = self.rng.random()
        return "" if roll < 0.3 else f" {'by' if roll < 0.7 else 'without'} ({self.labels()}) "

    def matching(self, sets):
        roll = self.rng.random()
        if roll < 0.35:
            return ""
        text = f" {'on' if roll < 0.7 else 'ignoring'} ({self.labels()})"
        if not sets and self.rng.random() < 0.4:
            text += f" group_{self.pick(['left', 'right'])} ({self.labels(1)})"
        return text

    def binary(self, depth):
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        kind = self.rng.random()
        if kind < 0.25:
            return f"{left} {self.pick(['and', 'or', 'unless'])}{self.matching(True)} {right}"
        if self.rng.random() < 0.45:
            number = self.scalar(depth - 1)
            left, right = (number, left) if self.rng.random() < 0.5 else (left, number)
            matching = ""
        else:
            matching = self.matching(False)
        if kind < 0.55:
            operator = self.pick(COMPARISONS) + self.pick(["", "", " bool"])
        else:
            operator = self.pick(ARITHMETIC)
        return f"{left} {operator}{matching} {right}"

    def vector(self, depth):
        roll = self.rng.random()
        if depth <= 0 or roll < 0.15:
            return self.pick(SELECTORS) + self.offset()
        if roll < 0.35:
            ranged = f"{self.pick(SELECTORS)}[{self.pick(RANGES)}]{self.offset()}"
            special = self.rng.random()
            if special < 0.1:
                return f"quantile_over_time({self.scalar(1)}, {ranged})"
            if special < 0.2:
                return f"predict_linear({ranged}, {self.scalar(1)})"
            return f"{self.pick(RANGED)}({ranged})"
        if roll < 0.5:
            return f"{self.pick(GROUPED)}{self.grouping()}({self.vector(depth - 1)})"
        if roll < 0.57:
            return f"{self.pick(['topk', 'bottomk', 'quantile'])}{self.grouping()}({self.scalar(0)}, {self.vector(depth - 1)})"
        if roll < 0.67:
            return f"{self.pick(MAPPED)}({self.vector(depth - 1)})"
        if roll < 0.72:
            return self.pick([f"clamp({self.vector(depth - 1)}, {self.scalar(0)}, {self.scalar(0)})",
                              f"clamp_min({self.vector(depth - 1)}, {self.scalar(1)})",
                              f"clamp_max({self.vector(depth - 1)}, {self.scalar(1)})",
                              f"round({self.vector(depth - 1)}, {self.scalar(0)})",
                              f"histogram_quantile({self.scalar(0)}, {self.vector(depth - 1)})",
                              f"vector({self.scalar(1)})",
                              f'label_replace({self.vector(depth - 1)}, "{self.pick(LABELS)}", "$1", "{self.pick(LABELS)}", '
                              f'"(.).*")',
                              f'label_join({self.vector(depth - 1)}, "{self.pick(LABELS)}", "-", "{self.pick(LABELS)}", '
                              f'"{self.pick(LABELS)}")'])
        if roll < 0.77:
            return f"-{self.vector(depth - 1)}"
        if roll < 0.82:
            return f"({self.vector(depth - 1)})"
        return f"({self.binary(depth)})" if self.rng.random() < 0.6 else self.binary(depth)

    def expression(self):
        return self.vector(self.rng.randrange(1, 5))
