"""Expressions of test_promql.py: one a line, by what they are about.

Both sides evaluate each at several times. SAME: equal to the last digit. NEAR: within 1e-14. ORDERED:
in the same order too. WRONG: both refuse, when reading or when evaluating. OUTSIDE: a Prometheus takes it,
we refuse and name the feature.
"""

SAME = {}
SAME["literals"] = r"""
0
1
-1
- 1
+1
-0
1.5
.5
5.
1e3
1E-3
1e+3
0x1f
0XFF
0x1e+5
017
08
0x7fffffffffffffff
99999999999999999999
1e308
4.9e-324
2.5e-324
1e-400
Inf
inf
-Inf
+Inf
iNf
NaN
nan
-NaN
(1)
((((2))))
"text"
'text'
`text`
"a\nb\t\"c\"\\ \x41 \101 \u00e9 \U0001F600"
'it\'s "so"'
`a\nb "c" 'd'`
1 # one
"""
SAME["scalars"] = r"""
1 + 2 * 3
(1 + 2) * 3
2 ^ 3 ^ 2
(2 ^ 3) ^ 2
-2 ^ 2
2 ^ -1
2 ^ -1 * 3
2 ^ -1 ^ 2
-2 * -3
- - 2
-(-(2))
1 - 2 - 3
1 / 2 / 4
7 % 3
-7 % 3
7 % -3
-7 % -3
7.5 % 2
-0.0 % 5
5 % 0
5 % Inf
Inf % 5
1e308 % 3
1e300 % 0.1
5e-324 % 2
1 / 0
-1 / 0
0 / 0
0 ^ -1
-0 ^ -1
0 ^ 0
NaN ^ 0
1 ^ NaN
(-8) ^ (1/3)
(-2) ^ 3
(-2) ^ -3
2 ^ 0.5
2 ^ -0.5
2 ^ 1023
2 ^ 1024
2 ^ -1074
2 ^ -1075
2 ^ -1080
1.0000001 ^ 10000000
0.9999999 ^ 1e9
10 ^ 15
10 ^ -15
10 ^ 22
10 ^ 23
10 ^ 308
10 ^ -308
3 ^ 33
1.1 ^ 100
(-Inf) ^ 3
(-Inf) ^ -3
(-Inf) ^ 2
Inf ^ -1
2 ^ Inf
0.5 ^ Inf
(-1) ^ Inf
2 ^ -Inf
(-1) ^ 9007199254740992
(-1) ^ 1e300
2 ^ 1e300
0.5 ^ 1e300
1 == bool 1
1 != bool 1
1 < bool 2
2 <= bool 2
1 > bool 2
2 >= bool 3
NaN == bool NaN
NaN != bool NaN
Inf == bool Inf
1 + 1 == bool 2
1 == bool 2 == bool 0
0.1 + 0.2
0.1 + 0.2 == bool 0.3
1e16 + 1
time()
time() - 1673776800
time() % 60
-time()
2 * time() / 3600 ^ 2
scalar(temperature)
scalar(flat_counter)
scalar(nothing)
scalar(temperature{instance="a:80",room="lab"}) * 2
1 + on() 2
1 + ignoring() 2
(1 + 2) ^ (1 / (3 - 1))
1e-7
1e-6
123456789 * 1e12
0.000001
0.0000015
"""
SAME["selectors"] = r"""
http_requests_total
http_requests_total{}
http_requests_total{job="api"}
http_requests_total{job="api",}
http_requests_total{job="api",code="200",instance="a:80"}
http_requests_total{job!="api"}
http_requests_total{job=~"a.*"}
http_requests_total{job!~"a.*"}
http_requests_total{code=~"4..|5.."}
http_requests_total{code=~"4"}
http_requests_total{code=~".4"}
http_requests_total{missing=""}
http_requests_total{missing!=""}
http_requests_total{missing=~".*"}
http_requests_total{missing=~".+"}
http_requests_total{missing!~".+"}
http_requests_total{job="api",job="web"}
http_requests_total{job=~".+",job!="api"}
{__name__="flat_counter"}
{__name__=~"flat_.*|slow_.*"}
{__name__=~"twin_[ab]"}
{job="api",__name__=~"late.*"}
{nameless="yes"}
{nameless=~".+"}
capital
capital{Zone="A"}
text{value="a.b-c/d"}
text{value='say "hi"\\\n'}
text{value=`Straße`}
text{value="Stra\u00dfe"}
text{path=""}
text{path=~"/.*"}
text{path!~"/.*"}
special
ending
mixed
one{owner=""}
one{owner!=""}
word{w="a\nb"}
sum
nothing
nothing{a="b"}
temperature offset 5m
temperature offset 1h
temperature offset -5m
temperature{room="lab"} offset 15s
temperature offset 1m30s
temperature offset 100ms
temperature offset -1ms
ending offset 1m
ending offset 5m
ending offset -5m
http_requests_total{job="api"} # with a comment
"""
SAME["regular expressions"] = r"""
word{w=~"a"}
word{w=~"a|b"}
word{w=~"a|b|"}
word{w=~"^a$"}
word{w=~"a.b"}
word{w=~"(?s)a.b"}
word{w=~"(?s:a.b)"}
word{w=~"a\\sb"}
word{w=~"a\\Sb"}
word{w=~"a[\\s]b"}
word{w=~"a[^\\s]b"}
word{w=~"a[\\S]b"}
word{w=~"a[^\\S]b"}
word{w=~"a\\vb"}
word{w=~"a\\x0bb"}
word{w=~"a\\x{b}b"}
word{w=~"a\\013b"}
word{w=~"a[[:space:]]b"}
word{w=~"[[:alpha:]]+"}
word{w=~"[[:^alpha:]]+"}
word{w=~"[[:alpha:]0-9]+"}
word{w=~"(?i)a"}
word{w=~"(?i:A)b"}
word{w=~"\\d"}
word{w=~"\\D+"}
word{w=~"\\w+"}
word{w=~"\\W*"}
word{w=~"a{2}"}
word{w=~"a\\{2\\}"}
word{w=~"a{,2}"}
word{w=~"a{1,}"}
word{w=~"a{1,2}?"}
word{w=~"x{300}"}
word{w=~"x{299}"}
word{w=~"(x{10}){30}"}
word{w=~"[a-c]+"}
word{w=~"[^a-c]+"}
word{w=~"[]a]+"}
word{w=~"[a\\]]+"}
word{w=~"[-a]+"}
word{w=~"[a-]+"}
word{w=~"[a\\-z]"}
word{w=~"a\\.b"}
word{w=~"\\Qa.b\\E"}
word{w=~"\\pL+"}
word{w=~"\\p{Lu}"}
word{w=~"\\P{Lu}"}
word{w=~"\\p{^Lu}"}
word{w=~"[\\p{Ll}\\d]+"}
word{w=~"é|日本"}
word{w=~"."}
word{w=~".."}
word{w=~"\\x{e9}"}
word{w=~"(?m)^a$\n^b$"}
word{w=~"a$.b"}
word{w=~"(?:a|b)+"}
word{w=~"(?P<first>a)(?P<second>b)"}
word{w=~"a(b(c)?)?"}
word{w=~"(a|ab)(c|bcd|)"}
word{w=~"a??b*?c*"}
word{w=~"(?U)a+"}
word{w=~"a\\b.*"}
word{w=~"\\ba\\B.*"}
word{w=~"\\Aa\\z"}
word{w=~"a_?"}
word{w=~"a\\_?"}
word{w=~""}
word{w=~".*"}
word{w!~""}
word{w=~".+"}
word{w=~"(?i)É"}
word{w=~"[é-ë]"}
word{w=~"}|]|a"}
word{w=~"{|a"}
"""
SAME["operators of vectors"] = r"""
temperature + 1
1 + temperature
temperature - 1
1 - temperature
temperature * 2
temperature / 0
0 / temperature
temperature % 7
100 % temperature
temperature ^ 2
2 ^ temperature
-temperature
+temperature
-temperature ^ 2
-(temperature + 1)
temperature > 20
20 < temperature
temperature < 0
0 > temperature
temperature >= bool 20
20 <= bool temperature
temperature == temperature
temperature != temperature
special == special
special != special
special > 0
special >= 0
special < 0
special <= 0
special == 0
special != 0
special == NaN
special != NaN
special > Inf
special >= Inf
special == bool special
special > bool 0
0 < bool special
special + special
special * 0
special / special
special % 3
special % 0
special % -2.5
special ^ 2
special ^ 3
special ^ -1
special ^ 0
2 ^ special
(-2) ^ special
special ^ special
1 / special
-special
special - Inf
special * Inf
Inf / special
3 % special
denormal / 2
denormal * 3
denormal ^ 2
denormal ^ 0.5
denormal ^ -3
denormal % 1e-310
denormal > 0
1 / denormal
time() - timestamp(temperature)
temperature * time()
memory_bytes / 1024 / 1024
1 - memory_bytes{kind="used"} / 17179869184
"""
SAME["matching"] = r"""
l + r
l - ignoring() r
l * on(zone, n) r
l / on(n, zone) r
l + on(zone) group_left one
l + on(zone) group_left() one
l + on(zone) group_left(owner) one
l + on(zone) group_left(owner, missing) one
one + on(zone) group_right l
one - on(zone) group_right(owner) l
one - on(zone) group_right() r
l - on(zone) group_left one
l > r
l < r
l < bool r
r > bool l
l == bool l
l == l
l != bool r
l < on(zone, n) r
l < ignoring(n) group_left one
l < on(zone) group_left(owner) one
l < bool on(zone) group_left(owner) one
one > on(zone) group_right(owner) l
one > bool on(zone) group_right(owner) l
l + ignoring(n, owner) group_left one
l + ignoring(n, owner) group_left(owner) one
one + ignoring(n, owner) group_right(owner) l
l{n="1"} + on(zone) one
l{n="1"} + ignoring(n, owner) one
l{n="1"} > ignoring(n, owner) one
l{n="1"} < ignoring(n, owner) one
one * on(zone) l{n="1"}
l + on() group_left one{zone="x"}
l{zone="x",n="1"} + on() one{zone="y"}
l{zone="x",n="1"} < on() one{zone="y"}
l{zone="x",n="1"} + on(nothing) one{zone="y"}
l + ignoring(extra) l_extra
l_extra + ignoring(extra) l
l_extra + on(zone, n) l
twin_a + twin_b
twin_a < twin_b
twin_a < bool twin_b
twin_a + on(k) twin_b
twin_a + on(__name__) twin_b
twin_a == on(__name__) twin_a
twin_a < on(k) group_left(__name__) twin_b
twin_a + on(k) group_left(__name__) twin_b
l + nothing
nothing + l
nothing + nothing
l + on(zone) group_left nothing
sum by (zone) (l) + sum by (zone) (r)
sum by (zone) (l) / on(zone) group_left(owner) one
l ^ r
l % r
r % l
r / l
memory_bytes{kind="used"} / ignoring(kind) memory_bytes{kind="total"}
memory_bytes{kind="used"} / on(instance) memory_bytes{kind="total"}
memory_bytes / ignoring(kind) group_left memory_bytes{kind="total"} * 100
memory_bytes{kind="used"} / ignoring(kind) memory_bytes{kind="total"} > 0.3
rate(http_requests_total{code="500"}[5m]) / ignoring(code) rate(http_requests_total{code="200"}[5m])
sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m]))
http_requests_total / on(instance, job) group_left sum by (instance, job) (http_requests_total)
capital + capital
capital * on(Zone) capital
capital + on(a, Zone) capital
"""
SAME["sets"] = r"""
l and r
l or r
l unless r
l and on(zone) r
l or on(zone) r
l unless on(zone) r
l and ignoring(n) r
l and on() r
l unless on() r
l and on() nothing
l or on() r
nothing or l
l or nothing
l and nothing
nothing and l
l unless nothing
nothing unless l
nothing or nothing
l and l
l unless l
l or l
l and on(zone) one
l unless on(zone) one
one or on(zone) l
l or r and one
l and r or one
l or r unless on(zone) one
l unless r unless one
l and on(zone) one unless on(zone) one{owner=""}
twin_a or twin_b
twin_a and twin_b
twin_a unless twin_b
twin_a or on(__name__) twin_b
twin_a and on(__name__) twin_b
l > 1 and l < 4
l > 1 or l < 1
temperature > 25 and on(instance) temperature < 0
vector(1) or vector(2)
vector(1) and vector(2)
vector(1) unless vector(2)
(nothing or vector(0)) + 1
http_requests_total and on(job) (sum by (job) (http_requests_total) > 10000)
l or one or r
"""
SAME["aggregations"] = r"""
sum(temperature)
sum by (room) (temperature)
sum(temperature) by (room)
sum by () (temperature)
sum by (room,) (temperature)
sum by (room, room) (temperature)
sum by (missing) (temperature)
sum by (room, missing) (temperature)
sum without (room) (temperature)
sum(temperature) without (room)
sum without () (temperature)
sum without (room, instance) (temperature)
sum without (missing) (temperature)
sum by (__name__) (temperature)
sum by (__name__) ({__name__=~"twin_."})
sum by (k) ({__name__=~"twin_."})
sum without (__name__) (temperature)
SUM(temperature)
Sum By (room) (temperature)
avg(temperature)
avg by (room) (temperature)
avg without (instance) (temperature)
avg(special)
avg(mixed)
avg by (kind) (mixed)
avg(mixed{kind=~"inf|minus"})
avg(mixed{kind=~"inf|large"})
avg(mixed{kind="large"} or mixed{kind="kahan"} or mixed{kind="tenth"})
sum(special)
sum(special{i!~"15|16|17"})
sum(mixed{kind!="nan"})
count(temperature)
count by (room) (temperature)
count(special)
count(nothing)
count by (g) (crowd)
min(temperature)
min by (room) (temperature)
min(special)
min(mixed)
min(mixed{kind="nan"})
max(temperature)
max by (room) (temperature)
max(special)
max(mixed)
max(mixed{kind="nan"})
max(special{i=~"00|01"})
group(temperature)
group by (room) (temperature)
group(special)
stddev(temperature)
stddev by (room) (temperature)
stdvar(temperature)
stdvar by (g, h) (crowd)
stddev(crowd)
stddev(special)
stddev(flat_counter)
stdvar(flat_counter)
stddev(mixed{kind="inf"})
stddev(mixed{kind="nan"})
stdvar(special{i=~"0."})
quantile(0.5, temperature)
quantile(0.5, crowd)
quantile(0.9, crowd)
quantile(0.99, crowd)
quantile by (g) (0.25, crowd)
quantile without (i) (0.75, crowd)
quantile(0, crowd)
quantile(1, crowd)
quantile(-1, crowd)
quantile(2, crowd)
quantile(NaN, crowd)
quantile(0.5, special)
quantile(0.1, special)
quantile(0.95, special)
quantile(0.5, tie)
quantile(0.3, flat_counter)
quantile(scalar(flat_counter) / 10, crowd)
quantile(0.5, nothing)
topk(3, crowd)
topk(1, crowd)
topk(100, crowd)
topk(0, crowd)
topk(-1, crowd)
topk(2.9, crowd)
topk by (g) (2, crowd)
topk(2, crowd) by (g)
topk without (i) (2, crowd)
topk by (h) (scalar(l{zone="x",n="2"}), crowd)
topk by (h) (scalar(one{owner="bob"}) / 100, crowd)
topk(3, special)
topk(24, special)
topk(26, special)
topk(5, tie)
topk(1, tie)
topk(7, tie)
topk(2, nothing)
bottomk(3, crowd)
bottomk(1, crowd)
bottomk by (g) (2, crowd)
bottomk by (g, h) (1, crowd)
bottomk(3, special)
bottomk(5, tie)
bottomk(1, tie)
bottomk(6, tie)
bottomk(7, tie)
bottomk(0.5, crowd)
sum(topk(3, crowd))
sum by (job) (http_requests_total)
sum without (code, instance) (http_requests_total)
max by (job) (sum by (job, code) (http_requests_total))
avg by (Zone) (capital)
sum by (Zone, a) (capital)
sum without (Zone) (capital)
sum without (a) (capital)
sum(l) / sum(r)
count(l) + count(r)
sum(sum)
count(count by (instance) (temperature))
group by (instance, room) (temperature > 20)
sum by (instance) (temperature) > 20
stddev by (room) (temperature) / avg by (room) (temperature)
sum((temperature))
(sum)((temperature))
""".replace("(sum)((temperature))\n", "")
SAME["rates"] = r"""
rate(http_requests_total[5m])
rate(http_requests_total[1m])
rate(http_requests_total[30s])
rate(http_requests_total[15s])
rate(http_requests_total[14s])
rate(http_requests_total[16s])
rate(http_requests_total[1h])
rate(http_requests_total[5m] offset 10m)
rate(http_requests_total[5m] offset -3m)
rate(http_requests_total[1m1ms])
rate(http_requests_total[100ms])
rate(http_requests_total[1h30m])
rate(http_requests_total[1d])
rate(http_requests_total[1y])
rate(http_requests_total{job="api"}[  5m  ])
rate(real_counter[5m])
rate(real_counter[47s])
rate(real_counter[10m30s])
rate(slow_counter[5m])
rate(slow_counter[30m])
rate(late_counter[10m])
rate(flat_counter[5m])
rate(temperature[5m])
rate(mixed[5m])
rate(special[5m])
rate(ending[10m])
rate(ending[30m])
rate(ending[5m])
rate(nothing[5m])
rate((http_requests_total[5m]))
rate(latency_bucket[5m])
increase(http_requests_total[5m])
increase(http_requests_total[1m])
increase(http_requests_total[1h])
increase(real_counter[5m])
increase(real_counter[7m13s])
increase(slow_counter[10m])
increase(late_counter[20m])
increase(late_counter[1h])
increase(flat_counter[5m])
increase(mixed[5m])
increase(ending[20m])
irate(http_requests_total[5m])
irate(http_requests_total[1m])
irate(http_requests_total[15s])
irate(real_counter[5m])
irate(real_counter[1m])
irate(temperature[2m])
irate(mixed[5m])
irate(ending[30m])
delta(temperature[5m])
delta(temperature[1h])
delta(temperature[20s])
delta(http_requests_total[5m])
delta(mixed[5m])
delta(special[5m])
delta(ending[30m])
idelta(temperature[5m])
idelta(http_requests_total[5m])
idelta(real_counter[1m])
idelta(mixed[5m])
idelta(ending[1h])
deriv(temperature[5m])
deriv(temperature[1h])
deriv(http_requests_total[10m])
deriv(real_counter[10m])
deriv(flat_counter[5m])
deriv(mixed[5m])
deriv(special[5m])
deriv(ending[30m])
deriv(temperature[15s])
deriv(temperature[10s])
predict_linear(temperature[5m], 3600)
predict_linear(temperature[1h], 86400)
predict_linear(temperature[30m] offset 5m, 600)
predict_linear(http_requests_total[10m], -60)
predict_linear(real_counter[10m], 0)
predict_linear(flat_counter[5m], 100)
predict_linear(mixed[5m], 100)
predict_linear(special[5m], 1)
predict_linear(memory_bytes[1h], 4 * 3600) < 0
predict_linear(temperature[5m], scalar(flat_counter))
predict_linear(temperature[5m], Inf)
predict_linear(temperature[5m], NaN)
resets(http_requests_total[1h])
resets(real_counter[1h])
resets(temperature[10m])
resets(mixed[30m])
resets(ending[1h])
resets(special[5m])
changes(http_requests_total[1h])
changes(flat_counter[1h])
changes(temperature[10m])
changes(mixed[30m])
changes(ending[1h])
changes(special[5m])
sum(rate(http_requests_total[5m]))
sum by (job) (increase(http_requests_total[5m]))
sum(rate(http_requests_total{code="500"}[5m])) / sum(rate(http_requests_total[5m]))
rate(http_requests_total[5m]) > 1
rate(http_requests_total[5m]) * 60 == bool 0
-rate(http_requests_total[5m])
rate(http_requests_total[5m]) / rate(http_requests_total[5m] offset 10m)
"""
SAME["over time"] = r"""
avg_over_time(temperature[5m])
avg_over_time(temperature[1h])
avg_over_time(temperature[1s])
avg_over_time(special[5m])
avg_over_time(mixed[5m])
avg_over_time(mixed[30m])
avg_over_time(mixed{kind="large"}[45s])
avg_over_time(ending[30m])
avg_over_time(memory_bytes[1h])
sum_over_time(temperature[5m])
sum_over_time(temperature[1h])
sum_over_time(special[5m])
sum_over_time(mixed[5m])
sum_over_time(mixed[30m])
sum_over_time(mixed{kind="kahan"}[17m])
sum_over_time(mixed{kind="tenth"}[50m])
sum_over_time(ending[30m])
count_over_time(temperature[5m])
count_over_time(http_requests_total[5m])
count_over_time(ending[30m])
count_over_time(ending[5m])
count_over_time(ending[1h])
count_over_time(special[15s])
count_over_time(special[1ms])
count_over_time(real_counter[1m])
min_over_time(temperature[10m])
min_over_time(special[5m])
min_over_time(mixed[5m])
min_over_time(mixed[30m])
max_over_time(temperature[10m])
max_over_time(special[5m])
max_over_time(mixed[5m])
max_over_time(mixed[30m])
last_over_time(temperature[10m])
last_over_time(ending[1h])
last_over_time(ending[5m])
last_over_time(mixed[5m])
last_over_time({__name__=~"twin_."}[5m])
last_over_time(capital[1m])
present_over_time(temperature[5m])
present_over_time(ending[5m])
present_over_time(ending[10m])
present_over_time(nothing[5m])
stddev_over_time(temperature[10m])
stddev_over_time(temperature[1h])
stddev_over_time(special[5m])
stddev_over_time(mixed[5m])
stddev_over_time(memory_bytes[30m])
stddev_over_time(flat_counter[5m])
stdvar_over_time(temperature[10m])
stdvar_over_time(special[5m])
stdvar_over_time(mixed[30m])
stdvar_over_time(real_counter[30m])
quantile_over_time(0.5, temperature[10m])
quantile_over_time(0.9, temperature[1h])
quantile_over_time(0.99, memory_bytes[1h])
quantile_over_time(0, temperature[10m])
quantile_over_time(1, temperature[10m])
quantile_over_time(-0.1, temperature[10m])
quantile_over_time(1.1, temperature[10m])
quantile_over_time(NaN, temperature[10m])
quantile_over_time(0.5, mixed[5m])
quantile_over_time(0.5, mixed[30m])
quantile_over_time(0.2, special[5m])
quantile_over_time(scalar(flat_counter) / 10, temperature[10m])
quantile_over_time(0.75, ending[30m])
absent_over_time(temperature[5m])
absent_over_time(nothing[5m])
absent_over_time(nothing{a="b",c!="d"}[5m])
absent_over_time(ending{how="long ago"}[5m])
absent_over_time(ending{how="marked"}[5m])
absent_over_time(ending{how="stale only"}[15s])
absent_over_time({a="b"}[5m])
absent_over_time({__name__="nothing",a="b"}[5m])
sum(avg_over_time(temperature[5m]))
max by (room) (max_over_time(temperature[10m]))
max_over_time(temperature[10m]) - min_over_time(temperature[10m])
avg_over_time(temperature[5m]) > avg_over_time(temperature[1h])
"""
SAME["functions"] = r"""
abs(temperature)
abs(special)
ceil(temperature)
ceil(special)
floor(temperature)
floor(special)
round(temperature)
round(special)
round(temperature, 0.1)
round(temperature, 5)
round(special, 0.5)
round(special, -1)
round(special, 0)
round(special, Inf)
round(special, NaN)
round(special, 1e-300)
clamp(temperature, 0, 20)
clamp(special, -1, 1)
clamp(special, 1, -1)
clamp(special, NaN, 1)
clamp(special, -1, NaN)
clamp(special, -Inf, Inf)
clamp(special, 0, -0)
clamp_min(temperature, 18)
clamp_min(special, 0)
clamp_min(special, -0)
clamp_min(special, NaN)
clamp_min(special, Inf)
clamp_max(temperature, 18)
clamp_max(special, 0)
clamp_max(special, -0)
clamp_max(special, NaN)
clamp_max(special, -Inf)
sgn(temperature)
sgn(special)
sqrt(temperature)
sqrt(special)
time()
timestamp(temperature)
timestamp(ending)
timestamp(temperature offset 5m)
timestamp((temperature))
timestamp(temperature + 1)
timestamp(-temperature)
timestamp(+temperature)
timestamp(sum(temperature))
timestamp(timestamp(temperature))
timestamp(vector(1))
timestamp(nothing)
vector(1)
vector(time())
vector(NaN)
vector(scalar(temperature{instance="a:80",room="lab"}))
scalar(vector(5))
scalar(vector(5)) + 1
scalar(sum(temperature))
absent(temperature)
absent(nothing)
absent(nothing{a="b"})
absent(nothing{a="b",c="d"})
absent(nothing{a="b",a="c"})
absent(nothing{a="b",a="b"})
absent(nothing{a="b",a!="c"})
absent(nothing{a!="c",a="b"})
absent(nothing{a=~"b"})
absent(nothing{a=""})
absent({a="b"})
absent({__name__="nothing"})
absent((nothing{a="b"}))
absent(sum(nothing{a="b"}))
absent(sum(temperature))
absent(nothing{a="b"} > 1)
absent(ending{how="long ago"})
absent(ending{how="marked"})
absent(nothing offset 5m)
absent(absent(nothing))
sort(temperature)
sort_desc(temperature)
sort(special)
sort(nothing)
hour()
minute()
month()
year()
day_of_month()
day_of_week()
days_in_month()
hour(moment)
minute(moment)
month(moment)
year(moment)
day_of_month(moment)
day_of_week(moment)
days_in_month(moment)
hour(vector(time()))
hour(timestamp(temperature))
minute(moment + 59.999)
day_of_week(special)
year(special)
hour() > 9 and hour() < 18
days_in_month(vector(1709164800))
abs({nameless="yes"})
abs(capital)
-capital
ceil(rate(http_requests_total[5m]))
round(rate(http_requests_total[5m]), 0.001)
abs(temperature - avg_over_time(temperature[10m]))
clamp_max(rate(http_requests_total[5m]) * 100, 100)
sgn(deriv(temperature[5m]))
"""
SAME["labels"] = r"""
label_replace(l, "new", "value", "", "")
label_replace(l, "new", "$1", "zone", "(.*)")
label_replace(l, "new", "$1-$2", "zone", "(.)(.*)")
label_replace(l, "new", "${1}x", "zone", "(.*)")
label_replace(l, "new", "$1x", "zone", "(.*)")
label_replace(l, "new", "$0", "zone", ".*")
label_replace(l, "new", "$9", "zone", "(.*)")
label_replace(l, "new", "$$1", "zone", "(.*)")
label_replace(l, "new", "$$$1", "zone", "(.*)")
label_replace(l, "new", "a$", "zone", "(.*)")
label_replace(l, "new", "$", "zone", "(.*)")
label_replace(l, "new", "$-$1", "zone", "(.*)")
label_replace(l, "new", "${1", "zone", "(.*)")
label_replace(l, "new", "${}", "zone", "(.*)")
label_replace(l, "new", "${1}${1}", "zone", "(.*)")
label_replace(l, "new", "$name", "zone", "(?P<name>.*)")
label_replace(l, "new", "${name}!", "zone", "(?P<name>.*)")
label_replace(l, "new", "$names", "zone", "(?P<name>.*)")
label_replace(l, "new", "$01", "zone", "(.*)")
label_replace(l, "new", "$1é", "zone", "(.*)")
label_replace(l, "new", "$1→", "zone", "(.*)")
label_replace(l, "new", "$1", "zone", "x")
label_replace(l, "new", "found", "zone", "x")
label_replace(l, "new", "$1", "zone", "(x)|(y)")
label_replace(l, "new", "$2", "zone", "(x)|(y)")
label_replace(l, "new", "", "zone", ".*")
label_replace(l, "zone", "$1$1", "zone", "(.*)")
label_replace(l, "missing", "", "zone", ".*")
label_replace(l, "new", "$1", "missing", "(.*)")
label_replace(l, "new", "none", "missing", "")
label_replace(l, "new", "none", "missing", ".+")
label_replace(l, "__name__", "renamed", "zone", ".*")
label_replace(l{n="1"}, "__name__", "$1", "zone", "(.*)")
label_replace(l, "new", "$1", "__name__", "(.*)")
label_replace(l, "new", "$1", "zone", "^(.*)$")
label_replace(text, "host", "$1", "value", "([^:]+):.*")
label_replace(text, "port", "$1", "value", "[^:]+:(\\d+)")
label_replace(text, "last", "$2", "path", "(/.*)*/([^/]*)")
label_replace(text, "last", "$1", "path", "/(?:.*/)?(.*)")
label_replace(text, "upper", "$1", "value", "(\\p{Lu}).*")
label_replace(word, "copy", "<$1>", "w", "(a+|b).*")
label_replace(word, "copy", "$1$2", "w", "(a?)(?:b)?(.*)")
label_replace(word, "copy", "$1", "w", "(a|ab)(?:c|bcd|)")
label_replace(word, "copy", "[$1]", "w", "(.*?)b?")
label_replace(word, "copy", "[$1]", "w", "(?U)(.*)b?")
label_replace(word, "copy", "[$1]", "w", "(?s)(.)(.).*")
label_replace(vector(1), "a", "b", "", "")
label_replace(vector(1), "a", "b", "", ".*")
label_replace(capital, "Zone", "$1!", "Zone", "(.*)")
label_replace(capital, "Aaa", "$1", "Zone", "(.*)")
label_replace((l), ("new"), ("$1"), ("zone"), ("(.*)"))
label_replace(nothing, "a", "b", "c", "d")
label_replace(rate(http_requests_total[5m]), "class", "${1}xx", "code", "(.)..")
sum by (class) (label_replace(rate(http_requests_total[5m]), "class", "${1}xx", "code", "(.).."))
label_join(l, "new", "-", "zone", "n")
label_join(l, "new", "", "zone", "n", "zone")
label_join(l, "new", ",", "zone")
label_join(l, "new", ",", "missing")
label_join(l, "new", ",", "missing", "zone", "missing")
label_join(l, "new", ",")
label_join(l, "zone", "/", "n", "zone")
label_join(l, "__name__", "_", "__name__", "zone")
label_join(l{n="1",zone="x"}, "n", ",", "missing")
label_join(capital, "Zone", "+", "Zone", "a")
label_join(text, "all", " ", "value", "path")
label_join(nothing, "a", "b", "c")
"""
SAME["histograms"] = r"""
histogram_quantile(0.5, rate(latency_bucket[5m]))
histogram_quantile(0.9, rate(latency_bucket[5m]))
histogram_quantile(0.99, rate(latency_bucket[1m]))
histogram_quantile(0.999, latency_bucket)
histogram_quantile(0, latency_bucket)
histogram_quantile(1, latency_bucket)
histogram_quantile(0.01, latency_bucket)
histogram_quantile(-1, latency_bucket)
histogram_quantile(2, latency_bucket)
histogram_quantile(NaN, latency_bucket)
histogram_quantile(0.5, size_bucket)
histogram_quantile(0.1, size_bucket)
histogram_quantile(0.97, size_bucket)
histogram_quantile(0.3, rate(size_bucket[10m]))
histogram_quantile(0.5, size_bucket{job="minus"})
histogram_quantile(0.05, size_bucket{job="minus"})
histogram_quantile(0.5, odd_bucket)
histogram_quantile(0.95, odd_bucket)
histogram_quantile(0.5, odd_bucket{job="wrong"})
histogram_quantile(0.5, empty_bucket)
histogram_quantile(0.5, temperature)
histogram_quantile(0.5, nothing)
histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m])))
histogram_quantile(0.9, sum by (le, job) (rate(latency_bucket[5m])))
histogram_quantile(0.9, sum by (job) (rate(latency_bucket[5m])))
histogram_quantile(0.9, sum without (job) (rate(latency_bucket[5m])))
histogram_quantile(scalar(flat_counter) / 10, latency_bucket)
histogram_quantile(0.9, latency_bucket * 0)
histogram_quantile(0.9, -latency_bucket)
histogram_quantile(0.5, latency_bucket{le="+Inf"})
histogram_quantile(0.5, latency_bucket{le!="+Inf"})
histogram_quantile(0.5, increase(latency_bucket[15s]))
latency_bucket{le="+Inf"} - ignoring(le) latency_bucket{le="0.5"}
sum by (job) (rate(latency_bucket{le="0.5"}[5m])) / sum by (job) (rate(latency_bucket{le="+Inf"}[5m]))
histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m]))) > 0.5
"""
SAME["rules that people write"] = r"""
up == 0
absent(up{job="api"})
(1 - memory_bytes{kind="used"} / ignoring(kind) memory_bytes{kind="total"}) * 100 < 10
100 - 100 * memory_bytes{kind="used"} / on(instance) group_left() memory_bytes{kind="total"}
sum(rate(http_requests_total{code=~"5.."}[5m])) by (instance) / sum(rate(http_requests_total[5m])) by (instance) > 0.01
(sum by (instance) (rate(http_requests_total{code="500"}[10m])) > 0) * on(instance) group_left() group by (instance) (http_requests_total)
histogram_quantile(0.99, sum by (job, le) (rate(latency_bucket[5m]))) > 1
predict_linear(memory_bytes{kind="used"}[30m], 24 * 3600) > on(instance) memory_bytes{kind="total"}
increase(http_requests_total{code="500"}[1h]) > 10
changes(flat_counter[30m]) == 0 and flat_counter > 0
max_over_time(temperature{room="lab"}[10m]) > 25 unless on(instance) temperature{room="roof"} < 0
count by (job) (http_requests_total) < 9
abs(temperature - temperature offset 10m) > 5
(avg by (room) (temperature) > bool 20) + (stddev by (room) (temperature) > bool 5)
label_replace(topk(1, sum by (instance) (rate(http_requests_total[5m]))), "host", "$1", "instance", "(.*):.*")
time() - timestamp(ending) > 60
sum(http_requests_total) - sum(http_requests_total offset 10m)
day_of_week() > 0 and hour() >= 8 and on() sum(rate(http_requests_total[5m])) < 100
sum by (job) (rate(http_requests_total[1m])) > 2 * sum by (job) (rate(http_requests_total[30m]))
quantile by (g) (0.9, crowd) > on() group_left() quantile(0.5, crowd)
clamp_min(sum(rate(http_requests_total{code="404"}[5m])), 0.001) / clamp_min(sum(rate(http_requests_total[5m])), 0.001)
count(temperature > 20) / count(temperature)
max by (instance) (temperature) - min by (instance) (temperature) > 10
resets(http_requests_total[1h]) > 0
irate(http_requests_total{instance="a:80"}[1m]) > 3 * avg_over_time(flat_counter[5m]) or vector(0)
"""

NEAR = {}
NEAR["exponents and logarithms"] = r"""
exp(temperature)
exp(special)
exp(-temperature)
exp(vector(1))
exp(vector(709.7))
exp(vector(709.8))
exp(vector(-745))
exp(vector(-746))
exp(temperature / 100)
ln(temperature)
ln(special)
ln(memory_bytes)
ln(exp(temperature))
ln(vector(0))
ln(vector(-1))
log2(temperature)
log2(special)
log2(memory_bytes)
log2(vector(1024))
log2(vector(0.125))
log10(temperature)
log10(special)
log10(memory_bytes)
log10(vector(1000))
log10(vector(1e-5))
exp(ln(memory_bytes))
10 ^ log10(memory_bytes)
memory_bytes ^ 0.3
temperature ^ 1.7
temperature ^ -2.2
1.5 ^ temperature
0.3 ^ (temperature / 7)
special ^ 0.3
2 ^ (special / 10)
1.0001 ^ memory_bytes
"""

# Of several lines.
LINES = [
    "# a comment\n1 # one\n+ # plus\r\n2 # two",
    "\n\n1\n\t+\r\n2\n",
    'http_requests_total{ # inside\n  job="api", # and more\n}',
    "sum by (job)\n(\n  rate(\n    http_requests_total[5m]\n  )\n)\n",
    "l\n  + on(zone)\n  group_left\none",
    "\"text\" # and no more",
    "`two\nlines`",
]

ORDERED = r"""
sort(crowd)
sort(crowd{g="1"})
sort(tie)
sort(special{i!~"00|01|15|12|21"})
sort(-crowd)
sort(sum by (g, h) (crowd))
sort_desc(crowd)
sort_desc(crowd{h="x"})
sort_desc(tie)
sort_desc(special{i!~"00|01|15|12|21"})
sort_desc(count by (g) (crowd))
topk(5, crowd)
topk(12, crowd)
topk(40, crowd)
topk(3, tie)
topk(8, tie)
bottomk(5, crowd)
bottomk(8, tie)
topk by (g) (3, crowd)
sort(topk(3, crowd))
temperature
temperature > 15
-temperature
rate(http_requests_total[5m])
sum by (room) (temperature)
count by (g, h) (crowd)
l or r
l and on(zone) r
l + r
l + on(zone) group_left one
"""

# Both refuse them while reading.
WRONG_TEXT = r"""

(
)
()
((1)
(1))
{}
{
}
{a="b"
{a="b"}}
{a=b}
{a}
{a=}
{="b"}
{a=="b"}
{a="b" c="d"}
{,}
{a="b",,}
{a!"b"}
{a~"b"}
{1a="b"}
{a=~"("}
{a=~"["}
{a=~"*"}
{a=~"a**"}
{a=~"a*+"}
{a=~"(?=a)"}
{a=~"(?!a)"}
{a=~"(?<=a)"}
{a=~"(?<!a)"}
{a=~"(?>a)"}
{a=~"(a)\\1"}
{a=~"\\k<a>"}
{a=~"a{1001}"}
{a=~"a{2,1}"}
{a=~"[z-a]"}
{a=~"[a-\\d]"}
{a=~"\\C"}
{a=~"\\G"}
{a=~"\\Z"}
{a=~"\\K"}
{a=~"\\R"}
{a=~"\\X"}
{a=~"\\h"}
{a=~"\\q"}
{a=~"\\8"}
{a=~"\\E"}
{a=~"(?P<1"}
{a=~"(?P=a)"}
{a=~"(?#a)"}
{a=~"(?|a)"}
{a=~"(?R)"}
{a=~"(?1)"}
{a=~"(?x)a"}
{a=~"(?i-)a"}
{a=~"(*UTF)a"}
{a=~"a)"}
{a=~"[[:foo:]]"}
{a=~"\\p{Foo}"}
{a=~"a\\"}
{a=~"\\Qa"}
{a=~"a)|(b"}
{a=~".*"}
{a=""}
{a!="b"}
{a!~".+"}
{a="b",}x
foo{__name__="bar"}
foo bar
foo{a="b"} {c="d"}
1 +
+
* 1
1 * * 2
1 ** 2
1 = 2
1 =~ 2
1 == 2
1 < 2
1 ! 2
1 != bool
1 + bool 2
foo + bool bar
foo and bool bar
foo and 1
1 or foo
1 and 2
foo unless "a"
foo + "a"
"a" + "b"
-"a"
-foo[5m]
foo[5m] + 1
foo[5m
foo[]
foo[5]
foo[m]
foo[5m5]
foo[5mm]
foo[5x]
foo[0s]
foo[-5m]
foo[1.5h]
foo[5 m]
foo[1m1h]
foo[1s1s]
foo[500y]
foo[5m][5m]
(foo)[5m]
foo offset 5m[5m]
foo offset
foo offset 5
foo offset foo
foo offset 0s
foo offset 5m offset 5m
foo offset --5m
(foo) offset 5m
1 offset 5m
sum(foo) offset 5m
rate(foo[5m]) offset 5m
rate(foo)
rate(foo[5m], 1)
rate()
rate(
rate(foo[5m]
rate(foo[5m],)
rate[5m](foo)
rate(1)
rate("a")
rate(rate(foo[5m]))
abs(foo[5m])
abs(1)
abs(foo, bar)
abs()
avg_over_time(foo)
quantile_over_time(foo[5m], 0.5)
quantile_over_time(foo, foo[5m])
predict_linear(foo[5m])
histogram_quantile(foo)
histogram_quantile(foo, 0.5)
clamp(foo, 1)
clamp(foo, 1, foo)
round(foo, 1, 2)
round(foo, foo)
round()
scalar(1)
vector(foo)
time(1)
hour(1)
hour(foo, bar)
timestamp(1)
label_replace(foo, "a", "b", "c")
label_replace(foo, a, "b", "c", "d")
label_replace(1, "a", "b", "c", "d")
label_join(foo, "a")
label_join(foo)
nope(foo)
sum()
sum(1)
sum("a")
sum(foo[5m])
sum(foo, bar)
sum(foo) by
sum(foo) by (
sum(foo) by (a
sum(foo) by (a b)
sum(foo) by ("a")
sum(foo) by (1)
sum(foo) by (a,,b)
sum(foo) by (,)
sum(foo) by (a:b)
sum(foo) by a
sum by (a) (foo) by (b)
sum by (a)
sum by foo
sum foo
topk(foo)
topk(foo, 1)
topk("1", foo)
topk()
topk(1, foo, bar)
quantile(foo)
quantile(0.5, 1)
foo + on bar
foo + on() on() bar
foo + group_left bar
foo + on(a) group_left(a) bar
foo + ignoring(a) group_left group_right bar
foo and on(a) group_left bar
foo or on(a) group_right(b) bar
foo + on(a) 1
1 + on(a) foo
1 + ignoring(a) 2
foo + on(1) bar
foo by (a)
bool
on
ignoring
group_left
foo bool
1 2
foo; bar
foo$
$1
1.2.3
1e
1e+
0x
0xg
0x1p3
1_000
1a
5m
1h30m
0b1
"
"a
'a
`a
"a\
"\z"
"\xg1"
"\u12"
"\400"
"\ud800"
"\'"
"a
b"
&
foo & bar
foo && bar
foo || bar
foo | bar
~foo
foo === bar
foo <> bar
foo => bar
[5m]
a:b:(foo)
"""

# Both refuse them while evaluating.
WRONG_EVALUATION = r"""
l + on(zone) r
l + on(n) r
l + on() r
l + ignoring(zone) r
l * on(zone) group_left r
l + on(zone) group_right one
one + on(zone) l
one + on(zone) group_left l
l + on(zone) one
l * on(zone) group_left(n) one
label_replace(l, "zone", "same", "n", "1") > 3
l - on(zone) group_left(zone2) r
rate({__name__=~"twin_."}[5m])
-{__name__=~"twin_."}
abs({__name__=~"twin_."})
{__name__=~"twin_."} + 1
{__name__=~"twin_."} == bool 5
{__name__=~"twin_."} + {__name__=~"twin_."}
sum_over_time({__name__=~"twin_."}[5m])
label_replace(l, "n", "1", "n", ".*")
label_replace(l, "zone", "", "zone", ".*")
label_join(l, "zone", ",", "nothing")
label_join({__name__=~"twin_."}, "__name__", ",", "k")
topk(NaN, crowd)
topk(Inf, crowd)
bottomk(-Inf, crowd)
topk(1e30, crowd)
l * on(zone) group_left(n) label_replace(one, "n", "1", "", "")
one + on(zone) group_right(n) label_replace(label_replace(l, "m", "$1", "n", "(.*)"), "zone", "x", "", "")
timestamp({__name__=~"twin_."})
histogram_quantile(0.5, {__name__=~"twin_bucket_."})
histogram_quantile(NaN, {__name__=~"twin_bucket_."})
clamp({__name__=~"twin_."}, 0, 1)
hour({__name__=~"twin_."})
round({__name__=~"twin_."})
l and on(zone) group_left r
"""

# What we refuse alone; the word that the error names.
OUTSIDE = {
    'max_over_time(foo[1h:1m])': "subqueries",
    'rate(foo[5m:])': "subqueries",
    'sum(foo)[5m:1m]': "subqueries",
    'foo @ 1609746000': "@",
    'foo @ start()': "@",
    'rate(foo[5m] @ end())': "@",
    'foo atan2 bar': "atan2",
    '1 + foo atan2 bar': "atan2",
    'count_values("a", foo)': "count_values",
    'count_values by (b) ("a", foo)': "count_values",
    'sin(foo)': "sin()",
    'holt_winters(foo[5m], 0.5, 0.5)': "holt_winters()",
    'pi()': "pi()",
    'deg(foo)': "deg()",
    'day_of_year()': "day_of_year()",
    'histogram_count(foo)': "histogram_count()",
    'histogram_fraction(0, 1, foo)': "histogram_fraction()",
    '1 +\n  sin(foo)': "2:3: the function sin()",
    '{a=~"\\\\p{Greek}"}': "general categories",
    '{a=~"\\\\pC"}': "general categories",
    'foo{a="\\xff"}': "UTF-8",
    '"\\x00"': "NUL",
}
