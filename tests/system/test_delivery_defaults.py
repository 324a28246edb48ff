"""Delivery with the times of the shipped file, which are long: beside the others, not after them."""
import re
import unittest

import lab
from delivery_kit import NOW, Case


class Failover(Case):
    @lab.plain_build_only
    def test_failover(self):  # it waits a minute, as the agent does
        down, up = self.receiver(), self.receiver()
        down.answer = lambda n: (503, ("Retry-After: 120",))
        plugins = {"down": {"use": "webhook", "url": down.url(), "failover": "up"}, "up": {"use": "webhook", "url": up.url()}}
        with lab.Agent(**self.text(plugins, [{"to": "down", **NOW}]), until="ready") as agent:
            self.post(agent, "Fire")
            lab.wait_for(lambda: up.alerts() == [("firing", "Fire")], 100, "the other sink")


class Start(Case):
    def test_the_shipped_routes(self):
        """The file as it is shipped starts on a bare machine; critical ones go to Slack once it has a URL."""
        text = (lab.SOURCE / "etc" / "toiletmon.yaml").read_text()
        text = re.sub(r"^  listen:.*$", "  listen: 127.0.0.1:@PORT@", text, flags=re.M)
        text = re.sub(r"^  state_dir:.*$", "  state_dir: @DIR@/state", text, flags=re.M)
        with lab.Agent(text=text, until="ready") as agent:
            self.assertIsNone(agent.check("routes"))
            self.post(agent, "Fire")
            agent.wait_log('name=log text="firing: Fire', 60)


if __name__ == "__main__":
    unittest.main()
