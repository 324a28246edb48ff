"""The samples of test_promql.py, the same each time, and what brings them into a Prometheus.

Remote write takes any bits at any millisecond, stale markers too, so both sides have exactly the same.
"""
import math
import random
import struct

START = 1673776800000  # 2023-01-15 10:00:00 UTC; an hour of samples follows, which stay in one head
STEP = 15000
STEPS = 236
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
NAN, INF = math.nan, math.inf


class Series:
    def __init__(self, name, labels, samples):
        self.labels = dict(labels, **({"__name__": name} if name else {}))
        self.samples = samples  # (ms, value)


def regular(values, start=0, step=STEP):
    """One value a step; None is a gap."""
    return [(START + start + i * step, value) for i, value in enumerate(values) if value is not None]


def counter(rng, rate, reset=0.0, gap=0.0, whole=True, first=0):
    value, values = first, []
    for _ in range(STEPS):
        value += rng.expovariate(1 / rate) if rate else 0
        if rng.random() < reset:
            value = rng.random() * rate
        shown = float(int(value)) if whole else value
        values.append(None if rng.random() < gap else shown)
    return values


def jittered(rng, values):
    """Timestamps as real scrapes have them."""
    return [(at + rng.randrange(-900, 900), value) for at, value in regular(values, start=STEP)]


def histogram(rng, name, labels, bounds, rate=3.0, jitter=False):
    """Cumulative buckets; with jitter not all of them belong to the same scrape."""
    counts = [0.0] * len(bounds)
    columns = [[] for _ in bounds]
    for _ in range(STEPS):
        for i in range(len(bounds)):
            counts[i] += int(rng.expovariate(1 / rate))
        total = 0.0
        for i, count in enumerate(counts):
            total += count
            columns[i].append(total if not jitter or rng.random() < 0.7 else max(0.0, total - 40))
    return [Series(name, dict(labels, le=bound), regular(column)) for bound, column in zip(bounds, columns)]


def build():
    rng = random.Random(20230115)
    made = []

    def add(name, samples, **labels):
        made.append(Series(name, labels, samples))

    for job in ("api", "web"):
        for instance in ("a:80", "b:80", "c:80"):
            for code in ("200", "404", "500"):
                add("http_requests_total", regular(counter(rng, {"200": 30, "404": 2, "500": 0.3}[code],
                                                           reset=0.01 if instance == "b:80" else 0,
                                                           gap=0.1 if instance == "c:80" else 0)),
                    job=job, instance=instance, code=code)
    add("real_counter", jittered(rng, counter(rng, 1.7, whole=False, reset=0.02)), job="api", instance="a:80")
    add("real_counter", jittered(rng, counter(rng, 0.3, whole=False, first=1e6)), job="api", instance="b:80")
    add("slow_counter", regular(counter(rng, 0.02)), job="api")
    add("late_counter", regular(counter(rng, 5, first=11)[:30], start=200 * STEP), job="api")
    add("flat_counter", regular([7.0] * STEPS), job="api")
    for i, instance in enumerate(("a:80", "b:80", "c:80", "d:80")):
        add("temperature", regular([20 + i + rng.gauss(0, 3) for _ in range(STEPS)]), instance=instance, room="lab")
        add("temperature", jittered(rng, [-5 * i + rng.gauss(0, 9) for _ in range(STEPS)]), instance=instance,
            room="roof")
    add("memory_bytes", regular([float(rng.randrange(1 << 33)) for _ in range(STEPS)]), instance="a:80", kind="used")
    add("memory_bytes", regular([float(1 << 34)] * STEPS), instance="a:80", kind="total")
    add("memory_bytes", regular([float(rng.randrange(1 << 32)) for _ in range(STEPS)]), instance="b:80", kind="used")
    add("memory_bytes", regular([float(1 << 33)] * STEPS), instance="b:80", kind="total")
    ladder = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, 1e-7, 1.5e-300, 2.3e-308, 1e21, 1e300, -1e300, 1.7e308, NAN, INF,
              -INF, 0.1, 1 / 3, 123456789.125, 1e15, 9007199254740993.0, -7.0, 7.0, 1e6]
    for i, value in enumerate(ladder):
        add("special", regular([value] * STEPS), i=f"{i:02d}")
    # Apart, since Go's logarithm is wrong there on x86-64.
    add("denormal", regular([5e-324] * STEPS), sign="plus")
    add("denormal", regular([-1e-310] * STEPS), sign="minus")
    add("mixed", regular([rng.choice([1.0, 2.0, NAN, INF, 4.0, 4.0]) for _ in range(STEPS)]), kind="up")
    add("mixed", regular([rng.choice([1.0, -2.0, NAN, -INF, INF, 3.0]) for _ in range(STEPS)]), kind="both")
    add("mixed", regular([NAN] * STEPS), kind="nan")
    add("mixed", regular([INF] * STEPS), kind="inf")
    add("mixed", regular([-INF] * STEPS), kind="minus")
    add("mixed", regular([1e308 if i % 2 else 1.1e308 for i in range(STEPS)]), kind="large")
    add("mixed", regular([1e16 if i % 3 else 1.0 for i in range(STEPS)]), kind="kahan")
    add("mixed", regular([0.1] * STEPS), kind="tenth")

    # Series that end, pause, come back, with and without a mark; the questions are at steps 120 and later.
    add("ending", regular([float(i) for i in range(118)] + [STALE]), how="marked")
    add("ending", regular([float(i) for i in range(118)]), how="unmarked")
    add("ending", regular([float(i) for i in range(90)]), how="long ago")
    add("ending", regular([float(i) for i in range(100)] + [STALE] + [None] * 10 + [float(i) for i in range(100)]),
        how="back")
    add("ending", regular([STALE if i % 4 == 3 else float(i) for i in range(STEPS)]), how="flickering")
    add("ending", regular([STALE if i >= 117 else float(i) for i in range(STEPS)]), how="stale only")
    add("ending", regular([1.0], start=100 * STEP), how="one sample, exactly five minutes")
    add("ending", [(START + 100 * STEP - 1, 2.0)], how="one sample, a millisecond more")
    add("ending", [(START + 120 * STEP, 3.0), (START + 120 * STEP + 1, 4.0)], how="now and after")

    made.extend(histogram(rng, "latency_bucket", {"job": "api"}, ["0.1", "0.25", "0.5", "1", "2.5", "+Inf"]))
    made.extend(histogram(rng, "latency_bucket", {"job": "web"}, ["0.1", "0.25", "0.5", "1", "2.5", "+Inf"], jitter=True))
    made.extend(histogram(rng, "size_bucket", {"job": "many"}, [str(2 ** i) for i in range(16)] + ["+Inf"], rate=9))
    made.extend(histogram(rng, "size_bucket", {"job": "minus"}, ["-10", "-1", "0", "10", "+Inf"]))
    made.extend(histogram(rng, "odd_bucket", {"job": "no infinity"}, ["1", "2", "3"]))
    made.extend(histogram(rng, "odd_bucket", {"job": "only infinity"}, ["+Inf"]))
    made.extend(histogram(rng, "odd_bucket", {"job": "twice"}, ["1", "1.0", "1e0", "5", "Inf", "+Inf"]))
    made.extend(histogram(rng, "odd_bucket", {"job": "wrong"}, ["1", "two", "0x1p2", "", "+Inf", "infinity "]))
    made.extend(histogram(rng, "odd_bucket", {"job": "unsorted"}, ["+Inf", "5", "1", "3"]))
    for bound in ("1", "2", "+Inf"):
        add("empty_bucket", regular([0.0] * STEPS), job="empty", le=bound)
    add("empty_bucket", regular([NAN] * STEPS), job="nan", le="1")
    add("empty_bucket", regular([3.0] * STEPS), job="nan", le="+Inf")

    for zone, side, n, value in (("x", "l", "1", 1), ("x", "l", "2", 2), ("y", "l", "1", 3), ("z", "l", "1", 4),
                                 ("x", "r", "1", 10), ("x", "r", "2", 20), ("y", "r", "1", 30), ("w", "r", "1", 40)):
        add(side, regular([float(value)] * STEPS), zone=zone, n=n)
    add("one", regular([100.0] * STEPS), zone="x", owner="ann")
    add("one", regular([200.0] * STEPS), zone="y", owner="bob")
    add("one", regular([300.0] * STEPS), zone="z")
    add("l_extra", regular([1.0] * STEPS), zone="x", n="1", extra="e")
    add("twin_a", regular([5.0] * STEPS), k="v")
    add("twin_b", regular([6.0] * STEPS), k="v")
    for name in ("twin_bucket_a", "twin_bucket_b"):
        for bound in ("1", "+Inf"):
            add(name, regular([5.0] * STEPS), k="v", le=bound)
    add("capital", regular([1.0] * STEPS), Zone="A", a="1")
    add("capital", regular([2.0] * STEPS), Zone="B", a="1")
    add("", regular([9.0] * STEPS), nameless="yes")
    add("", regular([8.0] * STEPS), nameless="no")
    add("text", regular([1.0] * STEPS), value="a.b-c/d", path="/usr/local/lib")
    add("text", regular([2.0] * STEPS), value="Straße", path="/")
    add("text", regular([3.0] * STEPS), value='say "hi"\\\n', path="")
    add("text", regular([4.0] * STEPS), value="10.0.0.1:9090", path="/a/b/c")
    for i, text in enumerate(("", "a", "b", "ab", "abc", "a\nb", "A", "1", "a1", "a b", "a\tb", "a\x0bb", "é", "日本", "a.b",
                              "a{2}", "aa", "x" * 300)):
        add("word", regular([float(i)] * STEPS), w=text, i=f"{i:02d}")
    for i, at in enumerate((0, 951782400, 951868799, 1677628799, 1709164800, 4102444800, -1, -2208988800, 1e11, 253402300800,
                            1673776800.999, -62135596801, 1e18, -1e19, NAN, INF, 5097599, 4107542400)):
        add("moment", regular([float(at)] * STEPS), i=f"{i:02d}")
    ties = [3.0, 1.0, NAN, 2.0, 1.0, 3.0, NAN, 2.0]
    for i, value in enumerate(ties):
        add("tie", regular([value] * STEPS), i=str(i), g="ab"[i % 2])
    for i in range(40):
        add("crowd", regular([rng.gauss(50, 20) for _ in range(STEPS)]), i=f"{i:02d}", g=str(i % 3), h="xy"[i % 2])
    return made


# ---- remote write: protobuf, and snappy without compression


def _varint(n):
    out = bytearray()
    n &= (1 << 64) - 1
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def _field(number, data):
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def write_request(series):
    """A prometheus.WriteRequest."""
    out = b""
    for one in series:
        body = b"".join(_field(1, _field(1, name.encode()) + _field(2, value.encode()))
                        for name, value in sorted(one.labels.items()) if value)
        for at, value in one.samples:
            body += _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(at))
        out += _field(1, body)
    return out


def snappy(data):
    out = _varint(len(data))
    for at in range(0, len(data), 65536):
        part = data[at:at + 65536]
        out += b"\xf4" + struct.pack("<H", len(part) - 1) + part
    return out


def bits(value):
    return struct.pack(">d", value).hex()
