"""What tests of delivery share: a webhook that answers as it is told, and an agent that is posted to."""
import json
import threading
import time
import unittest

import web

NOW = {"group_by": ["..."], "group_wait": "0s", "group_interval": "100ms", "repeat_interval": "4h"}


class Receiver:
    """A webhook. `answer` is a function of how many came before: (status, headers), after `delay` seconds."""

    def __init__(self):
        self.answer, self.delay, self.came, self.lock = lambda n: (200, ()), 0.0, [], threading.Lock()
        self.web = web.Web({"/hook/c4n4ry0fthep4th77": self.take})

    def take(self, request):
        time.sleep(self.delay)  # the far end is slow
        with self.lock:
            status, headers = self.answer(len(self.came))
            self.came.append((time.monotonic(), status, json.loads(request.body), request.headers))
        return web.answer(status, b"said " + request.path.encode(), *headers)

    def __enter__(self):
        self.web.__enter__()
        return self

    def __exit__(self, *_):
        self.web.__exit__(*_)

    def url(self):
        return self.web.url("/hook/c4n4ry0fthep4th77")

    def alerts(self, status=None, taken=True):
        """(status, alertname) of all that was taken, in order."""
        with self.lock:
            return [(alert["status"], alert["labels"]["alertname"]) for _, code, document, _ in self.came
                    for alert in document["alerts"] if (code < 300 or not taken) and status in (None, alert["status"])]


class Case(unittest.TestCase):
    def receiver(self):
        receiver = Receiver()
        receiver.__enter__()
        self.addCleanup(receiver.__exit__, None, None, None)
        return receiver

    @staticmethod
    def text(plugins, routes, **agent):
        return {"plugins": plugins, "agent": agent or None, "rest": {"routes": routes}}

    def post(self, agent, title, severity="critical", **more):
        body = json.dumps({"severity": severity, "title": title, "message": f"{title} happened", **more}).encode()
        answer = agent.get("/api/v1/alerts", method="POST", body=body, headers={"Content-Type": "application/json"})
        self.assertEqual(answer.status, 200, answer.text)

    def sink(self, agent, name):
        return next(one for one in agent.get("/api/v1/sinks").json["sinks"] if one["name"] == name)

    def alert(self, agent, name):
        """The alert of this name, or None."""
        found = [one for one in agent.get("/api/v1/alerts").json["alerts"] if one["labels"]["alertname"] == name]
        self.assertLessEqual(len(found), 1)
        return found[0] if found else None

    def reload(self, agent, text):
        agent.write(text)
        answer = agent.get("/api/v1/reload", method="POST")
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json
