"""ASVS 6.3.8: how long an answer takes tells nobody whether there is an account, nor how it stands.

Of the processor, for a busy machine, and address by address in turn, so that whatever slows it slows all alike. The
bytes and the statements are compared in `web/test_log_in_secrecy.py`, `web/test_log_in_truth.py` and
`web/test_forgot_password.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import thread_time

import pytest
from flask import Flask
from sqlalchemy import insert, update

from mfaportal.domain import accounts
from mfaportal.models import AccessRequest, Portal, Throttle
from mfaportal.rules.throttling import Kind
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.faults.length import either
from tests.mailing import MAILING
from tests.people import DIGEST, PORTAL, add_person, on_the_command_line, seed
from tests.plugins.figures import Figure

TRIES = either(7, 200)
"""For each state, each with an address of its own; more where nothing is hashed, and little makes a difference."""
LEAST, MOST = either((0.75, 1.3), (0.9, 1.1))
"""What a state's median may be to that of addresses that nobody has. Seven tries are too few for a tenth."""
STATES = ("unknown", "members", "waiting", *either((), ("suspend", "stopped")))
"""Nobody's; a member's, asked with, suspended, and stopped by a hundred wrong codes. Of one length."""


@dataclass(frozen=True)
class Door:
    """A form that takes somebody's address, what it answers, and whether the portal has a mail server."""

    path: str
    status: int
    by_mail: bool = False
    tries: int = TRIES


DOORS = {
    "log in": Door("/log-in", 422),
    "request access": Door(f"/portals/{PORTAL}/request-access", 303),
    "request access by mail": Door(f"/portals/{PORTAL}/request-access", 303, by_mail=True),
    "forgotten password": Door("/forgot-password", 303, by_mail=True, tries=either(25, 200)),
}


def _email(state: str, number: int) -> str:
    return f"{state}{number:03}@example.org"


def _settle(app: Flask, clock: MovableClock, tries: int) -> None:
    """Make everybody of each state, in a portal that takes requests."""
    with app.app_context():
        seed(clock)
        people = {
            state: [add_person(clock, _email(state, number), state, "reader").id for number in range(tries)]
            for state in STATES
            if state not in ("unknown", "waiting")
        }
        for number in people.get("suspend", []):
            accounts.suspend(on_the_command_line(clock), number)
    rows.put(app, update(Portal).values(sign_up="approval"))
    about = {"portal_id": rows.portal(app).id, "made_at": clock(), "name": "New", "password_digest": DIGEST}
    asked = [{"email": _email("waiting", number), **about} for number in range(tries)]
    rows.put(app, insert(AccessRequest).values(asked))
    stop = {"kind": Kind.CODE_OF_ACCOUNT, "in_a_row": 100, "changed_at": clock(), "attempts": "", "version": 1}
    if stopped := people.get("stopped"):
        rows.put(app, insert(Throttle).values([{"subject": str(number), **stop} for number in stopped]))


@pytest.mark.usefixtures("owasp_hashes")
@pytest.mark.parametrize("name", DOORS)
def test_every_address_takes_as_long(
    name: str, make_app: Callable[..., Flask], clock: MovableClock, figure: Figure
) -> None:
    door = DOORS[name]
    app = make_app(**(MAILING if door.by_mail else {}))
    _settle(app, clock, door.tries)
    browser = Browser(app, clock)
    took: dict[str, list[float]] = {state: [] for state in STATES}
    for number in range(door.tries):
        for state in STATES[number % len(STATES) :] + STATES[: number % len(STATES)]:
            clock.advance(hours=2)  # no budget is ever full
            page = browser.get(door.path)
            started = thread_time()
            answer = browser.send(page, name="New", email=_email(state, number), password="wrong horse battery")
            took[state].append(thread_time() - started)
            assert answer.status == door.status
    unknown = median(took["unknown"])
    ratios = {state: median(times) / unknown for state, times in took.items()}
    off = max(abs(ratio - 1) for ratio in ratios.values())
    figure(
        f"6.3.8 {name}",
        tries=door.tries * len(STATES),
        most_milliseconds=round(unknown * 1000, 1),
        most_percent_off=round(off * 100, 1),
    )
    assert all(LEAST < ratio < MOST for ratio in ratios.values()), ratios
