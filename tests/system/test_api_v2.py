"""/api/v2: amtool, a real Prometheus, and a real Alertmanager that gets the same and must say the same."""
import datetime
import json
import re
import shutil
import subprocess
import unittest
from urllib.parse import quote

import delivery_kit
import lab
import web

RECEIVERS = ("default", "hook", "other")
TIMES = {"group_wait": "100ms", "group_interval": "400ms", "repeat_interval": "4h"}
ROUTES = [{"matchers": ['severity="critical"'], "to": "hook", "continue": True},
          {"matchers": ['team=~"db|web"', 'x!="a b"'], "to": "other", "group_by": ["..."]},
          {"to": "default"}]
INHIBIT = [{"source_matchers": ['severity="critical"'], "target_matchers": ['severity="warning"'], "equal": ["alertname"]}]
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
JSON = {"Content-Type": "application/json"}


def stamp(seconds):
    """Now and so many seconds, in whole milliseconds."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def alertmanager(url):
    def route(one):
        return {"receiver" if key == "to" else key: value for key, value in one.items()}
    hooks = [{"url": url, "send_resolved": True}]
    return {"route": {"receiver": "default", "group_by": ["alertname"], **TIMES,
                      "routes": [{**route(one), **TIMES} for one in ROUTES]}, "inhibit_rules": INHIBIT,
            "receivers": [{"name": name, "webhook_configs": hooks} for name in RECEIVERS]}


def agent(url):
    secret = {"secret": "c4n4ry-s3cr3t"}
    return {"plugins": {name: {"use": "webhook", "url": url, **secret} for name in RECEIVERS},
            "rest": {"routes": [{**one, **TIMES} for one in ROUTES], "inhibit_rules": INHIBIT}}


class Case(unittest.TestCase):
    """Ours, and where `peer` is set the original beside it, each with a webhook of its own."""

    peer = True

    @classmethod
    def setUpClass(cls):
        cls.receivers, cls.peers = [], []
        programs = [lambda url: lab.Agent(**agent(url), until="ready")]
        if cls.peer:
            programs.append(lambda url: lab.Alertmanager(alertmanager(url)))
        for program in programs:
            receiver = delivery_kit.Receiver()
            receiver.__enter__()
            cls.addClassCleanup(receiver.__exit__, None, None, None)
            cls.receivers.append(receiver)
            cls.peers.append(program(receiver.url()))
            cls.peers[-1].__enter__()
            cls.addClassCleanup(cls.peers[-1].__exit__, None, None, None)
        cls.ours = cls.peers[0]

    def ask(self, method, path, body=None, headers=JSON, peer=None):
        body = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        return (peer or self.ours).get(path, method=method, body=body, headers=headers)

    def both(self, method, path, body=None, headers=JSON):
        """The same of both; the status and text of ours."""
        said = []
        for peer in self.peers:
            answer = self.ask(method, path, body, headers, peer)
            said.append((answer.status, UUID.sub("UUID", TIME.sub("TIME", answer.text))))
        if len(said) > 1:
            self.assertEqual(said[0], said[1], (method, path, body))
        return said[0]

    def post(self, *alerts):
        return self.both("POST", "/api/v2/alerts", list(alerts))

    def alerts(self, query="", peer=None):
        answer = self.ask("GET", f"/api/v2/alerts?{query}", peer=peer)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json


class Answers(Case):
    """What is said about good and bad requests."""

    def test_1_mistakes_in_alerts(self):
        alert = {"labels": {"alertname": "Good"}}
        for body, status in (
                ("", 422), ("null", 200), ([], 200), ([{}], 422), ([{}, alert, {}], 422), ([{"labels": None}], 422),
                ([{"labels": {}}], 400), ([{"labels": {"a": ""}}], 400), ([{"labels": {"a": None}}], 400),
                ([{"labels": {"bad-name": "x"}}], 400), ([{"labels": {"": "x"}}], 400),
                ([{"labels": {"a": "b"}, "annotations": {"bad-name": "x"}}], 400),
                ([{"labels": {"a-b": "x"}}, alert, {"labels": {}}], 400),
                ([{**alert, "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2029-01-01T00:00:00Z"}], 400),
                ([{**alert, "startsAt": "2090-01-01T00:00:00Z"}], 400),
                ([{**alert, "startsAt": "", "endsAt": None, "unknown": [1]}], 200),
                *(([{**alert, "generatorURL": url}], status) for url, status in (
                    ("foo", 422), ("/x", 200), ("http://", 200), ("", 200), (None, 200), ("*", 200), ("x:y", 200),
                    ("1:2", 422), ("http://x y", 422), ("http://x/%zz", 422), ("http://x:port/", 422),
                    ("http://[::1", 422), ("http://[::1]:80/a b?%zz", 200), ("//x:y/", 200)))):
            with self.subTest(body):
                self.assertEqual(self.both("POST", "/api/v2/alerts", body)[0], status)
        self.assertEqual([one["labels"] for one in self.alerts("filter=alertname=Good")], [alert["labels"]])

    def test_2_what_cannot_be_read(self):
        """Go's words are its own; the form is the same."""
        for path, body in (("alerts", "{"), ("alerts", "[1]"), ("alerts", '[{"labels":{"a":1}}]'), ("alerts", "{}"),
                           ("alerts", '[{"labels":{"a":"b"},"startsAt":"yesterday"}]'), ("silences", "{"),
                           ("silences", "[]"), ("silences", '{"matchers":1}')):
            for peer in self.peers:
                answer = self.ask("POST", f"/api/v2/{path}", body, peer=peer)
                self.assertEqual(answer.status, 400)
                self.assertEqual(answer.json["code"], 400)
                self.assertRegex(answer.json["message"], f'^parsing {path.rstrip("s")}s? body from "" failed, because .')

    def test_3_mistakes_of_http(self):
        self.assertEqual(self.both("POST", "/api/v2/alerts", "[]", {"Content-Type": "text/plain"})[0], 415)
        self.assertEqual(self.both("POST", "/api/v2/alerts", "[]", {})[0], 415)
        self.assertEqual(self.both("GET", "/api/v2/nope")[0], 404)
        for method, path in (("PUT", "status"), ("POST", "receivers"), ("DELETE", "alerts/groups")):
            self.assertEqual(self.both(method, f"/api/v2/{path}")[0], 405)
        self.assertEqual(self.ask("POST", "/api/v2/silence/x").json["message"],  # the original's order is any
                         "method POST is not allowed, but [GET,DELETE] are")
        for path in ("/-/healthy", "/-/ready"):
            self.assertEqual(self.both("GET", path), (200, "OK"))
        origin = {"Origin": self.ours.url}
        self.assertEqual(self.ask("GET", "/api/v2/receivers").headers["Vary"], "Origin")
        self.assertEqual(self.ask("GET", "/api/v2/receivers", headers=origin).headers["Access-Control-Allow-Origin"], "*")
        elsewhere = self.ask("GET", "/api/v2/receivers", headers={"Origin": "http://evil.example"})
        self.assertEqual((elsewhere.status, elsewhere.headers["Access-Control-Allow-Origin"]), (403, None))

    def test_4_filters(self):
        self.post({"labels": {"alertname": "F", "a": 'x"y\\z', "team": "db"}}, {"labels": {"alertname": "F", "a": "b"}})
        for query in ("filter=bad", "filter=", 'filter=a="b', 'filter=a=b"', 'filter=a="b"c', "filter=a-b=c"):
            self.assertEqual(self.both("GET", f"/api/v2/alerts?{quote(query, '=')}")[0], 400)
        for query, found in (('filter=a="b"', 1), ("filter=a=b", 1), ("filter=a = b ", 1), (r'filter=a="x\"y\\z"', 1),
                             ('filter=a=~"b|c"', 1), ('filter=a=~"B"', 0), ('filter=a=~"(?i)B"', 1), ('filter=a!~"b"', 1),
                             ("receiver=default", 1), ("receiver=def", 0), ("receiver=def.*|other", 2), ("receiver=", 2),
                             ("active=false", 0), ("active=nonsense", 0), ("active=", 2), ("silenced=false", 2)):
            with self.subTest(query):
                status, text = self.both("GET", f"/api/v2/alerts?filter=alertname=F&{quote(query, '=')}")
                self.assertEqual((status, len(json.loads(text))), (200, found))
        for query in ("filter=a=~%22[%22", "receiver=["):
            for peer in self.peers:
                answer = self.ask("GET", f"/api/v2/alerts?{query}", peer=peer)
                self.assertEqual(answer.status, 400)
                self.assertIn("error parsing regexp: ", answer.json)

    def test_5_silences(self):
        def matcher(name="a", value="b", regex=False, **more):
            return {"name": name, "value": value, "isRegex": regex, **more}

        good = {"matchers": [matcher("alertname", "None")], "startsAt": "2020-01-01T00:00:00Z",
                "endsAt": "2090-01-01T00:00:00Z", "createdBy": "me", "comment": "c"}
        for change in ({}, {"matchers": []}, {"matchers": [{}]}, {"matchers": [{"name": "a", "isRegex": False}]},
                       {"matchers": [matcher(value="")]}, {"matchers": [matcher(value=".*", regex=True)]},
                       {"matchers": [matcher("a-b")]}, {"matchers": [matcher("")]},
                       {"matchers": [matcher("none", "x", isEqual=False), matcher("alertname", "None")]},
                       {"endsAt": good["startsAt"]}, {"endsAt": "2021-01-01T00:00:00Z"}, {"comment": ""},
                       {"createdBy": ""}, {"startsAt": "2089-01-01T00:00:00Z"}, {"endsAt": "0001-01-01T00:00:00Z"},
                       {"id": "x"}, {"id": "11111111-2222-3333-4444-555555555555"}, {"id": ""},
                       *({key: None} for key in good)):
            with self.subTest(change):
                self.both("POST", "/api/v2/silences", {**good, **change})
        self.assertEqual(self.both("POST", "/api/v2/silences", "")[0], 422)
        self.assertEqual(self.both("POST", "/api/v2/silences", "null")[0], 422)
        for path, status in (("x", 422), ("11111111-2222-3333-4444-555555555555", 404)):
            self.assertEqual(self.both("GET", f"/api/v2/silence/{path}")[0], status)
        self.assertEqual(self.both("DELETE", "/api/v2/silence/x")[0], 422)
        self.assertEqual(self.both("DELETE", "/api/v2/silence/11111111-2222-3333-4444-555555555555"),
                         (500, '"silence not found"\n'))

    def test_6_a_silence_is_changed(self):
        def silence(**more):
            return {"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": stamp(-1),
                    "endsAt": stamp(3600), "createdBy": "me", "comment": "c", **more}

        def change(peer):
            def put(**more):
                return self.ask("POST", "/api/v2/silences", silence(**more), peer=peer).json["silenceID"]

            def show(identity):
                return self.ask("GET", f"/api/v2/silence/{identity}", peer=peer).json

            first = put()
            there = show(first)
            longer = put(id=first, startsAt=there["startsAt"], endsAt="2080-01-01T00:00:00Z", comment="new")
            other = put(id=first, startsAt=there["startsAt"], matchers=[{"name": "a", "value": "c", "isRegex": True}])
            pending = put(startsAt="2080-01-01T00:00:00Z", endsAt="2081-01-01T00:00:00Z")
            sooner = put(id=pending, startsAt="2079-01-01T00:00:00Z", endsAt="2081-01-01T00:00:00Z")
            deleted = [self.ask("DELETE", f"/api/v2/silence/{one}", peer=peer).status for one in (other, pending, other)]
            return (longer == first, other == first, sooner == pending, deleted, there["status"],
                    [show(one)["status"] for one in (first, other, pending)],
                    sorted(there), show(other)["matchers"], show(pending)["startsAt"] == show(pending)["endsAt"])

        self.assertEqual(change(self.peers[0]), change(self.peers[1]))


class Times(Case):
    """startsAt and endsAt: unset, extended, overlapping, over."""

    def shown(self, name):
        """What each shows of an alert: times that we gave as they are, others as seconds from now."""
        shown = []
        for peer in self.peers:
            found = self.alerts(f"filter=alertname={name}", peer)
            shown.append([(one["startsAt"], one["endsAt"], one["annotations"]) for one in found])
        return shown

    def same(self, name, *given):
        """Both show the same times; those that are not among `given` to a second."""
        def near(one, other):
            self.assertNotIn(one, given)
            self.assertNotIn(other, given)
            seconds = [datetime.datetime.fromisoformat(at.replace("Z", "+00:00")) for at in (one, other)]
            self.assertLess(abs((seconds[0] - seconds[1]).total_seconds()), 2 * lab.PATIENCE)

        ours, theirs = self.shown(name)
        self.assertEqual(len(ours), len(theirs))
        for one, other in zip(ours, theirs):
            self.assertEqual(one[2], other[2])
            for at in (0, 1):
                if one[at] != other[at]:
                    near(one[at], other[at])
        return [one[:2] for one in ours]

    def test_each(self):
        times = {seconds: stamp(seconds) for seconds in (-300, -200, -100, -60, -10, 30, 60, 100, 200, 600, 900, 1000)}

        def say(name, starts=None, ends=None, **more):
            alert = {"labels": {"alertname": name}, **more}
            alert.update({"startsAt": times[starts]} if starts else {}, **({"endsAt": times[ends]} if ends else {}))
            self.assertEqual(self.post(alert), (200, ""))
            return self.same(name, *times.values())

        say("T1")
        self.assertEqual(say("T1", ends=60)[0][1], times[60])  # an end that is given takes the timeout's place
        self.assertNotEqual(say("T1")[0][1], times[60])  # and a later timeout its
        say("T2", -60, 600)
        self.assertEqual(say("T2")[0], (times[-60], times[600]))  # a given end stays over a timeout
        self.assertNotEqual(say("T2")[0][1], times[600])  # which made a timeout of it
        say("T3", -60, 600)
        self.assertEqual(say("T3", 30, 200)[0], (times[-60], times[600]))  # and over an earlier one
        self.assertEqual(say("T3", 900, 1000)[0], (times[900], times[1000]))  # what does not overlap replaces it
        say("T3", -100, annotations={"a": "b"})
        self.assertEqual(say("T4", ends=-10), [])
        self.assertEqual(say("T5", ends=200)[0], (times[200], times[200]))
        self.assertEqual(say("T6", 100, 200)[0], (times[100], times[200]))
        self.assertEqual(say("T6", ends=-10), [])
        say("T7", -100)
        self.assertEqual(say("T7", -300, -200), [])
        say("T8", starts=-10)
        self.assertEqual(say("T8", starts=-100)[0][0], times[-100])  # another sender saw it begin earlier
        self.assertEqual(say("T8", starts=-60)[0][0], times[-100])
        self.assertEqual(self.post({"labels": {"alertname": "T9", "empty": ""}, "startsAt": "0001-01-01T00:00:00.000Z"})[0], 200)
        self.same("T9")
        self.post({"labels": {"alertname": "T10"}}, {"labels": {"alertname": "T10"}, "annotations": {"n": "2"}})
        self.same("T10")
        self.post({"labels": {"alertname": "T11"}}, {"labels": {"alertname": "T11"}, "endsAt": times[-10]})
        self.assertEqual(self.same("T11"), [])
        for one in self.alerts():
            self.assertEqual(list(one), [key for key in ("annotations", "endsAt", "fingerprint", "receivers", "startsAt",
                                                         "status", "updatedAt", "generatorURL", "labels") if key in one])
        prints = [one["fingerprint"] for one in self.alerts()]
        self.assertEqual(prints, sorted(prints))
        self.assertEqual(prints, [one["fingerprint"] for one in self.alerts(peer=self.peers[1])])


def normal(document, given):
    """A webhook's document without what must differ: our URL, and times that nobody gave."""
    def time_of(text):
        match = re.fullmatch(r"(.*:\d\d)(?:\.(\d+))?Z", text)
        at = f"{match[1]}.{(match[2] or '')[:3]:0<3}Z"
        return at if at in given or text.startswith("0001") else "TIME"

    alerts = [{**one, "startsAt": time_of(one["startsAt"]), "endsAt": time_of(one["endsAt"])}
              for one in document["alerts"]]
    return {**document, "externalURL": "", "alerts": sorted(alerts, key=lambda one: one["fingerprint"])}


class Webhooks(Case):
    """What comes out of the webhooks of both, for the same that went in."""

    def told(self):
        """By receiver and group, what each was told, in order."""
        told = []
        for receiver in self.receivers:
            by_group = {}
            with receiver.lock:
                for _, _, document, _ in receiver.came:
                    by_group.setdefault((document["receiver"], document["groupKey"]), []).append(
                        normal(document, self.given))
            told.append(by_group)
        return told

    def wait(self, receiver, name, *statuses):
        """Until both were told this of it."""
        def there():
            for told in self.told():
                found = [one["status"] for (to, _), documents in told.items() for document in documents
                         for one in document["alerts"] if to == receiver and one["labels"].get("alertname") == name]
                self.assertEqual(found, list(statuses))
            return True
        lab.wait_for(there, 10, f"{receiver} being told that {name} is {statuses}")

    def test_each(self):
        self.given = [stamp(seconds) for seconds in (-60, 3600, 1.5 * lab.PATIENCE, -1)]
        begin, far, soon, over = self.given
        critical = {"alertname": "A", "severity": "critical"}
        self.post({"labels": critical, "startsAt": begin, "annotations": {"summary": "<a> & \"b\"\n\u00fc \U0001f6bd"},
                   "generatorURL": "http://prometheus:9090/graph?g0.expr=a+%3E+1&g0.tab=1"},
                  {"labels": {"alertname": "B", "team": "web"}, "startsAt": begin, "endsAt": far},
                  {"labels": {"alertname": "C"}, "startsAt": begin, "endsAt": soon},
                  {"labels": {"severity": "nobody's", "instance": "without a name"}, "startsAt": begin},
                  {"labels": {"alertname": "E", "i": "1"}, "startsAt": begin, "annotations": {"same": "1", "n": "1"}},
                  {"labels": {"alertname": "E", "i": "2"}, "startsAt": begin, "annotations": {"same": "1", "n": "2"}},
                  {"labels": {"alertname": "E", "": "x"}})
        self.wait("hook", "A", "firing")
        self.wait("default", "E", "firing", "firing")
        self.wait("other", "B", "firing")
        self.wait("default", "C", "firing", "resolved")  # by itself
        self.post({"labels": critical, "startsAt": begin, "endsAt": over, "annotations": {"summary": "last words"}})
        self.wait("hook", "A", "firing", "resolved")
        self.wait("default", "A", "firing", "resolved")
        self.post({"labels": critical, "startsAt": over})  # again: another episode
        self.wait("hook", "A", "firing", "resolved", "firing")
        self.wait("default", "A", "firing", "resolved", "firing")
        ours, theirs = self.told()
        self.assertEqual(sorted(ours), sorted(theirs))
        for group, documents in ours.items():
            with self.subTest(group):
                self.assertEqual(documents, theirs[group])

    def test_silenced(self):
        self.given = []
        for peer in self.peers:
            answer = self.ask("POST", "/api/v2/silences", {
                "matchers": [{"name": "alertname", "value": "S.*", "isRegex": True}], "startsAt": stamp(-1),
                "endsAt": stamp(3600), "createdBy": "me", "comment": "c"}, peer=peer)
            self.assertEqual(answer.status, 200)
            peer.silence = answer.json["silenceID"]
        self.post({"labels": {"alertname": "S1"}}, {"labels": {"alertname": "Z"}})
        self.wait("default", "Z", "firing")
        self.wait("default", "S1")
        for peer in self.peers:
            self.assertEqual([one["status"] for one in self.alerts("filter=alertname=S1", peer)],
                             [{"inhibitedBy": [], "silencedBy": [peer.silence], "state": "suppressed"}])
            self.assertEqual(self.alerts("filter=alertname=S1&silenced=false", peer), [])
            self.assertEqual(self.ask("DELETE", f"/api/v2/silence/{peer.silence}", peer=peer).status, 200)
        self.wait("default", "S1", "firing")

    def test_inhibited(self):
        self.given = [stamp(-1)]
        critical = {"alertname": "I", "severity": "critical"}
        self.post({"labels": critical})
        self.wait("hook", "I", "firing")
        self.post({"labels": {"alertname": "I", "severity": "warning", "x": "y"}}, {"labels": {"alertname": "J"}})
        self.wait("default", "J", "firing")
        self.wait("default", "I", "firing")  # the critical one alone
        for peer in self.peers:
            held, = self.alerts("filter=alertname=I&active=false", peer)
            source, = self.alerts("filter=alertname=I&inhibited=false", peer)
            self.assertEqual(held["status"], {"inhibitedBy": [source["fingerprint"]], "silencedBy": [], "state": "suppressed"})
        self.post({"labels": critical, "endsAt": self.given[0]})
        self.wait("default", "I", "firing", "resolved", "firing")
        for told in self.told():  # with the end of the other one, or after it
            last = told[("default", '{}/{}:{alertname="I"}')][-1]["alerts"]
            self.assertIn(("warning", "firing"), [(alert["labels"]["severity"], alert["status"]) for alert in last])

    def test_groups(self):
        self.given = []
        self.post({"labels": {"alertname": "G", "severity": "critical", "job": "b"}},
                  {"labels": {"alertname": "G", "severity": "critical", "job": "a"}},
                  {"labels": {"alertname": "G", "team": "db"}})

        def groups(peer, more=""):
            found = self.ask("GET", f"/api/v2/alerts/groups?filter=alertname=G{more}", peer=peer).json
            for one in found:
                for alert in one["alerts"]:  # the original's order of receivers is any here
                    alert["receivers"].sort(key=lambda receiver: receiver["name"])
            return json.loads(TIME.sub("TIME", json.dumps(found)))

        for more, count in (("", 3), ("&receiver=hook", 1), ("&receiver=none", 0)):
            ours = groups(self.ours, more)
            self.assertEqual(len(ours), count)
            self.assertEqual(ours, groups(self.peers[1], more))


class Amtool(Case):
    """Its own commands, on ours alone."""

    peer = False

    def amtool(self, *words, fails=False):
        if not shutil.which("amtool"):
            raise unittest.SkipTest("there is no amtool on this machine")
        done = subprocess.run(["amtool", f"--alertmanager.url={self.ours.url}", *words], capture_output=True, text=True,
                              timeout=30 * lab.PATIENCE, stdin=subprocess.DEVNULL, env={"HOME": str(self.ours.dir)})
        self.assertEqual(done.returncode != 0, fails, done.stdout + done.stderr)
        return done.stdout

    def json(self, *words):
        return json.loads(self.amtool("--output=json", *words))

    def test_alerts(self):
        self.amtool("alert", "add", "alertname=foo", "node=bar", "severity=critical", "--annotation=summary=hi <&>")
        self.amtool("alert", "add", "foo", "node=baz", "--end=2090-01-01T00:00:00Z", "--generator-url=http://x/y")
        self.assertIn("hi <&>", self.amtool("alert"))
        self.assertIn('node="baz"', self.amtool("alert", "query", "-o", "extended", "foo"))
        one, = self.json("alert", "query", "foo", 'node=~"b.*z"')
        self.assertEqual((one["labels"], one["endsAt"], one["generatorURL"]),
                         ({"alertname": "foo", "node": "baz"}, "2090-01-01T00:00:00.000Z", "http://x/y"))
        self.assertEqual(len(self.json("alert", "query", "--receiver=hook")), 1)
        self.amtool("alert", "add", "foo", "node=baz", f"--end={stamp(-1)}")
        self.assertEqual(len(self.json("alert", "query", "foo")), 1)

    def test_silences(self):
        self.amtool("alert", "add", "loud")
        silence = self.amtool("silence", "add", "alertname=loud", "x!~y|z", "--comment=why", "--author=me", "-d", "1h").strip()
        self.assertRegex(silence, f"^{UUID.pattern}$")
        self.assertEqual(self.json("alert", "query", "loud"), [])
        self.assertEqual([one["status"]["silencedBy"] for one in self.json("alert", "query", "-s", "loud")], [[silence]])
        self.assertEqual(self.amtool("silence", "query", "-q", "alertname=loud").split(), [silence])
        self.assertIn('alertname="loud" x!~"y|z"', self.amtool("silence", "query"))
        self.amtool("silence", "update", silence, "-d", "2h", "-c", "another why")
        there = self.json("silence", "query", "alertname=loud")
        self.assertEqual([(one["id"], one["comment"], one["createdBy"]) for one in there], [(silence, "another why", "me")])
        self.amtool("silence", "expire", silence)
        self.assertEqual(len(self.json("alert", "query", "loud")), 1)
        self.assertEqual(self.json("silence", "query"), [])
        self.assertEqual(self.json("silence", "query", "--expired", "alertname=loud")[0]["status"], {"state": "expired"})
        file = self.ours.dir / "silences.json"
        file.write_text(json.dumps(there))
        made = self.amtool("silence", "import", str(file)).split()  # over one that is expired
        made += self.amtool("silence", "import", "--force", str(file)).split()
        self.assertEqual(sorted(self.amtool("silence", "query", "-q").split()), sorted(made))
        self.assertEqual(len(set(made + [silence])), 3)
        self.amtool("silence", "expire", *made)
        self.amtool("silence", "update", "11111111-2222-3333-4444-555555555555", "-d", "2h", fails=True)
        self.amtool("silence", "add", "--comment=nothing", fails=True)

    def test_configuration(self):
        shown = self.amtool("config", "show")
        self.assertNotIn("c4n4ry", shown)
        for word in ("resolve_timeout: 5m", *RECEIVERS):
            self.assertIn(word, shown)
        file = self.ours.dir / "alertmanager.yml"
        file.write_text(shown)
        self.assertIn("SUCCESS", self.amtool("check-config", str(file)))
        tree = self.amtool("config", "routes")
        self.assertIn('{severity="critical"}  continue: true  receiver: hook', tree)
        self.assertIn('{team=~"db|web",x!="a b"}  receiver: other', tree)
        for labels, receivers in ((["severity=critical"], "hook,default"), (["team=web"], "other"), (["x=y"], "default"),
                                  (["team=web", "x=a b", "severity=critical"], "hook,default")):
            self.amtool("config", "routes", "test", f"--verify.receivers={receivers}", *labels)
        self.amtool("config", "routes", "test", "--verify.receivers=other", "x=y", fails=True)
        self.assertIn("disabled", self.amtool("cluster", "show"))


class FromPrometheus(Case):
    """A real one sends its alerts to us."""

    peer = False

    def test_they_come_and_go(self):
        value = {"now": 5}
        labels = {"severity": "critical", "esc": 'x\\y"z'}
        rule = {"alert": "Demo", "expr": "demo_value > 1", "labels": labels,
                "annotations": {"summary": "{{ $value }} on {{ $labels.job }} & <more>"}}

        def scrape(request):
            return web.ok(b"demo_value %d\n" % value["now"], "Content-Type: text/plain; version=0.0.4")

        with web.Web({"/metrics": scrape}) as target:
            address = target.url("/").split("/")[2]
            with lab.Prometheus([address], path="/metrics", job="demo", interval="500ms",
                                rules=[{"name": "demo", "rules": [rule]}],
                                alertmanagers=[f"127.0.0.1:{self.ours.port}"]):
                one, = lab.wait_for(lambda: self.alerts("filter=alertname=Demo"), 20, "the alert")
                self.assertEqual(one["labels"], {"alertname": "Demo", "instance": address, "job": "demo", **labels})
                self.assertEqual(one["annotations"], {"summary": "5 on demo & <more>"})
                self.assertIn("/graph?g0.expr=demo_value+%3E+1", one["generatorURL"])

                def extended():
                    again, = self.alerts("filter=alertname=Demo")
                    self.assertEqual(again["startsAt"], one["startsAt"])
                    return again["endsAt"] > one["endsAt"]
                lab.wait_for(extended, 10, "a repost that moves its end")
                value["now"] = 0
                lab.wait_for(lambda: not self.alerts("filter=alertname=Demo"), 10, "its end")

                def told():
                    return [status for status, name in self.receivers[0].alerts() if name == "Demo"]
                lab.wait_for(lambda: sorted(told()) == ["firing", "firing", "resolved", "resolved"], 10, "the webhooks")
                ended = [alert["endsAt"] for _, _, document, _ in self.receivers[0].came for alert in document["alerts"]
                         if alert["status"] == "resolved"]
                self.assertEqual(len(set(ended)), 1)  # as Prometheus said it, not when we heard


if __name__ == "__main__":
    unittest.main()
