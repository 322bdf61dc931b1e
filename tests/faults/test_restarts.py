"""D4: the portal is reloaded, restarted, made larger and smaller while people are in the middle of something.

Everything that a flow needs stands in the database and in the browser's cookie: it goes on, whoever answers next.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import pytest
from sqlalchemy import select

from mfaportal.domain import one_time_links
from mfaportal.domain.outcomes import LinkMade
from mfaportal.models import AccessRequest, Account, Membership, Portal
from mfaportal.plumbing.db import transaction
from tests.faults.length import either
from tests.faults.lives import CODES, METHODS, with_apps
from tests.faults.place import standing, visitor_of
from tests.people import DIGEST, PORTAL, on_the_command_line
from tests.phone import Phone
from tests.plugins.figures import Figure
from tests.races.arena import Arena
from tests.visitor import Visitor

SECONDS, RELOADS = either((5, 1), (60, 5))
A_SECOND = 10
SUBJECT = "D4 flows over restarts"
PATIENCE = 20
QUEUE = f"/portals/{PORTAL}/backoffice/access/requests"


@dataclass
class Flow:
    """Somebody in the middle of something, and how it ends well."""

    what: str
    visitor: Visitor
    go_on: Callable[[], Visitor]
    ends_at: str


def _at_the_code(place: Arena) -> Flow:
    person, (phone,) = with_apps(place, 1)
    visitor = Visitor(place.server)
    assert visitor.give_password(person).location == "/log-in/code"
    visitor.get("/log-in/code")
    return Flow("a code", visitor, lambda: visitor.post("/log-in/code", code=phone.code(place.now())), "/")


def _at_set_up(place: Arena) -> Flow:
    """The key that was shown before is the one that counts afterwards."""
    visitor = Visitor(place.server)
    visitor.give_password(place.person())
    phone = Phone(visitor.get("/log-in/set-up").key)
    path = "/log-in/set-up"
    go_on = lambda: visitor.post(path, code=phone.code(place.now()), name="Phone")  # noqa: E731
    return Flow("a set-up", visitor, go_on, f"{CODES}?next=/")


def _at_new_codes(place: Arena) -> Flow:
    """Recovery codes that are shown, and shown again."""
    flow = _at_set_up(place)
    flow.go_on()
    shown = re.findall(r"<li><code>([^<]+)</code>", flow.visitor.get(CODES).body)
    assert len(shown) == 10

    def go_on() -> Visitor:
        again = re.findall(r"<li><code>([^<]+)</code>", flow.visitor.get(CODES).body)
        version = re.findall(r'name="version" value="(\d+)"', flow.visitor.body)
        assert again == shown
        return flow.visitor.post(CODES, saved="yes", version=version[0])

    return Flow("new recovery codes", flow.visitor, go_on, "/account/security")


def _after_step_up(place: Arena) -> Flow:
    """A further app, whose page was opened after confirming."""
    person, _ = with_apps(place, 1)
    visitor = visitor_of(place, place.logins(person, 1)[0])
    path = f"{METHODS}/add"
    phone = Phone(visitor.get(path).key)
    go_on = lambda: visitor.post(path, code=phone.code(place.now()), name="Second")  # noqa: E731
    return Flow("a further app", visitor, go_on, METHODS)


def _at_a_link(place: Arena) -> Flow:
    made = one_time_links.make_reset_link(on_the_command_line(place.clock()), place.person().id)
    assert isinstance(made, LinkMade)
    visitor = Visitor(place.server)
    visitor.get(f"/reset-password/{made.token}")
    visitor.get("/reset-password")
    go_on = lambda: visitor.post("/reset-password", password="marmalade lantern orbit")  # noqa: E731
    return Flow("a reset link", visitor, go_on, "/log-in")


def _at_a_request(place: Arena) -> Flow:
    """An admin who has a stranger's request before them, to be accepted."""
    with transaction() as session:
        portal_id = session.scalars(select(Portal.id).where(Portal.slug == PORTAL)).one()
        email = "asks@example.org"
        asked = AccessRequest(
            portal_id=portal_id, name="New", email=email, password_digest=DIGEST, made_at=place.now()
        )
        session.add(asked)
        session.flush()
        number = str(asked.id)
    admin, _ = with_apps(place, 1, "admin")
    visitor = visitor_of(place, place.logins(admin, 1)[0])
    assert email in visitor.get(QUEUE).text

    def go_on() -> Visitor:
        visitor.post(QUEUE, requests=number, decision="accept", role="reader")
        accounts = place.rows(select(Account.id).where(Account.email == email))
        assert len(place.rows(select(Membership.role).where(Membership.account_id.in_(accounts)))) == 1
        return visitor

    return Flow("a request to be accepted", visitor, go_on, QUEUE)


FLOWS = (_at_the_code, _at_set_up, _at_new_codes, _after_step_up, _at_a_link, _at_a_request)


def _answering(place: Arena) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if Visitor(place.server).get("/healthz").status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.05)
    raise AssertionError(place.server.log[-2000:])


def _restart(place: Arena, _figure: Figure) -> None:
    place.server.stop()
    place.server.start(workers=2)


def _grow_and_shrink(place: Arena, _figure: Figure) -> None:
    """From one worker to four and back: the flows end on the one that is left."""
    place.server.stop()
    place.server.start(workers=1)
    for sign, number in ((signal.SIGTTIN, 4), (signal.SIGTTOU, 1)):
        until = time.monotonic() + PATIENCE
        while len(place.server.workers) != number:
            assert time.monotonic() < until
            os.kill(place.server.pid, sign)
            time.sleep(0.5)
        _answering(place)


def _reload_under_load(place: Arena, figure: Figure) -> None:
    """Ten requests a second, meanwhile; none of them fails."""
    browser = place.logins(with_apps(place, 1)[0], 1)[0]
    failed: list[str] = []
    asked = 0
    stop = threading.Event()

    def reloads() -> None:
        for number in range(RELOADS):
            if stop.wait(SECONDS / (RELOADS + 1) * (1 if number else 0.5)):
                return
            place.server.reload()

    thread = threading.Thread(target=reloads)
    thread.start()
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        asked += 1
        try:
            status = place.fire([browser.get("/account")])[0].status
            failed += [] if status == 200 else [str(status)]
        except (OSError, HTTPException) as error:
            failed.append(type(error).__name__)
        time.sleep(max(0.0, began + asked / A_SECOND - time.monotonic()))
    stop.set()
    thread.join()
    figure("D4 reloads under load", reloads=RELOADS, requests=asked, failed=len(failed))
    assert not failed


@pytest.fixture
def place(instance: Path, tmp_path: Path, owasp_hashes: None) -> Iterator[Arena]:
    with standing(instance, tmp_path, workers=2) as made:
        yield made


Change = Callable[[Arena, Figure], None]
CHANGES: list[Change] = either([_reload_under_load], [_reload_under_load, _restart, _grow_and_shrink])


@pytest.mark.parametrize("change", CHANGES)
def test_whoever_is_in_the_middle_of_something_goes_on(place: Arena, figure: Figure, change: Change) -> None:
    flows = [flow(place) for flow in FLOWS]
    change(place, figure)
    _answering(place)
    ends = {flow.what: (flow.go_on().status, flow.visitor.location) for flow in flows}
    lost = {what: end for what, end in ends.items() if end[0] != 303}
    figure(SUBJECT, flows=len(flows), lost=len(lost))
    assert ends == {flow.what: (303, flow.ends_at) for flow in flows}
