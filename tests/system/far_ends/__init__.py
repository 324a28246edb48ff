"""Far ends of sinks: servers that take what their service takes, refuse what it refuses, and misbehave by script.

    with far_ends.Slack(rate=1) as slack:                      # or slack = ...; slack.start(); slack.stop()
        slack.script(far_ends.status(429, retry_after=1), far_ends.lose(), far_ends.hang())
        ... post to slack.url ...
        slack.accepted, slack.refused, slack.received          # see server.Received

Standard library only, one free port of 127.0.0.1 each, any number of threads.
"""
from .chat import Discord, Teams
from .intakes import Datadog, Sentry
from .pagers import Opsgenie, PagerDuty
from .resend import Resend, check_mail, look_at_html
from .server import Answer, FarEnd, Received, accept, close, hang, lose, slow, status
from .slack import Slack, check_message
from .smtp import GONE, HANG, Smtp
from .webhook import Webhook, check_document, fingerprint, go_json, sign, verify

__all__ = ["Answer", "Datadog", "Discord", "FarEnd", "GONE", "HANG", "Opsgenie", "PagerDuty", "Received", "Resend", "Sentry", "Slack",
           "Smtp", "Teams", "Webhook", "accept", "check_document", "check_mail", "check_message", "close", "fingerprint", "go_json", "hang",
           "look_at_html", "lose", "sign", "slow", "status", "verify"]
