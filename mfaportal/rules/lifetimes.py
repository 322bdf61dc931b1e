"""How long things live. All of them are durations from an instant that a row holds (design.md §6)."""

from dataclasses import dataclass
from datetime import timedelta

HALF_LOGIN_AT_CODE = timedelta(minutes=10)
HALF_LOGIN_AT_SET_UP = timedelta(minutes=30)
PENDING_SECRET = timedelta(minutes=30)
STEP_UP = timedelta(minutes=10)
STEP_UP_GRACE = timedelta(minutes=10)
"""What a POST gets on top, so that a form filled in slowly is not lost."""
LAST_SEEN_STEP = timedelta(minutes=1)
"""`last_seen_at` is written at most this often."""
INVITATION = timedelta(days=7)
RESET_LINK = timedelta(minutes=30)
MAIL = timedelta(hours=24)
"""How long a mail is tried; then it is given up and shown to the operators."""
ADDRESS_LINK = timedelta(hours=24)
"""What confirms an address: NIST SP 800-63B-4 §4.2.1.2 gives mailed secrets a day at most."""
HAND_OFF = timedelta(seconds=60)
"""From the portal's own host to a guarded one."""
ASKED = timedelta(minutes=10)
"""How long a guarded host remembers that a browser asked to come in."""
RECOVERED = timedelta(minutes=30)
"""How long a log-in by a recovery code stands for step-up where an app is added or replaced."""
SHOWN_CODES = timedelta(minutes=30)
"""How long the page of new recovery codes can be opened again by the login that made them."""

KEPT = timedelta(days=30)
"""How long ended logins, links that expired and mails that were given up are kept: for whoever asks what happened."""
SENT_MAIL_KEPT = timedelta(days=7)
EVENTS_KEPT = timedelta(days=730)
"""Long enough for what is found out late; after two years addresses and browsers of people are kept for nothing."""
EVENTS_SETTLED = timedelta(minutes=1)
"""Events younger than this are not sealed: one with a lower number may still be on its way into the database."""
CLOCK_SLACK = timedelta(minutes=1)
"""By how much a clock may go back without anybody being told."""
PROXY_NOTED = timedelta(days=1)
"""A proxy that nobody declared is noted at most this often."""
NOTICED = timedelta(days=7)
"""How long `doctor` speaks of a clock that went back, or of a proxy that nobody declared."""


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """How long a whole login lives: after its last use, and after its password."""

    idle: timedelta
    max_age: timedelta
