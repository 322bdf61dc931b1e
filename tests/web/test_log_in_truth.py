"""Before acceptance: the right password of a request gets the truth, a wrong one what everybody gets."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update

from mfaportal.domain import admission
from mfaportal.models import AccessRequest, Event, EventKind, Invitation, Login, Membership, Portal, Throttle
from mfaportal.plumbing.passwords import hash_password, verify_password
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, Person, add_person

OLD, NEW = "nine kettles in the attic", "ten kettles in the cellar"
DIGESTS = {word: hash_password(word) for word in (OLD, NEW)}
EMAIL = "waitin@example.org"


@pytest.fixture
def ask(app: Flask, people: Cast, clock: MovableClock) -> Callable[..., None]:
    """Put a request of a stranger, or of an account, into the database."""
    rows.put(app, update(Portal).values(sign_up="approval", contact="data@example.org"))

    def ask(password: str = NEW, **facts: object) -> None:
        values = {"portal_id": rows.portal(app).id, "made_at": clock(), **facts}
        if "account_id" not in facts:
            values |= {"email": EMAIL, "name": "New", "password_digest": DIGESTS[password]}
        rows.put(app, insert(AccessRequest).values(**values))

    return ask


def log_in(browser: Browser, password: str = NEW, email: str = EMAIL) -> Page:
    return browser.submit("/log-in", email=email, password=password)


def test_whoever_waits_is_told_so_and_where(app: Flask, browser: Browser, ask: Callable[..., None]) -> None:
    ask()
    page = log_in(browser)
    assert (page.status, Seen(page).h1) == (403, "Your request is waiting")
    assert "City data" in Seen(page).main
    assert Seen(page).links["data@example.org"] == "mailto:data@example.org"
    assert rows.rows(app, select(Login)) == []
    assert rows.rows(app, select(Throttle.attempts).where(Throttle.attempts != "")) == [], "it was a right password"
    (event,) = rows.events(app, EventKind.LOGIN_REFUSED)
    assert (event.account_id, event.portal_id, event.details) == (None, None, {"reason": "waiting"})


def test_whoever_was_declined_is_told_why(app: Flask, browser: Browser, ask: Callable[..., None]) -> None:
    ask(state="declined", reason="Only for <b>staff</b>")
    page = log_in(browser)
    assert (page.status, Seen(page).h1) == (403, "Your request was declined")
    assert "Only for <b>staff</b>" in page.text
    (event,) = rows.events(app, EventKind.LOGIN_REFUSED)
    assert event.details == {"reason": "declined"}


def test_of_several_requests_the_newest_counts_alone(browser: Browser, ask: Callable[..., None]) -> None:
    """Or somebody who asks with another's address would keep them from the truth, or get it twice the guesses."""
    ask(OLD, state="declined")
    ask(NEW)
    assert log_in(browser, OLD).status == 422
    assert Seen(log_in(browser, NEW)).h1 == "Your request is waiting"


@pytest.mark.parametrize("state", ["accepted", "withdrawn", "anything"])
def test_a_request_in_another_state_opens_nothing(browser: Browser, ask: Callable[..., None], state: str) -> None:
    ask(state=state)
    assert log_in(browser).status == 422


def test_where_the_address_has_an_account_only_its_own_password_counts(
    app: Flask, browser: Browser, ask: Callable[..., None], clock: MovableClock
) -> None:
    ask()
    with app.app_context():
        person = add_person(clock, EMAIL, "Owner", "reader")
    assert log_in(browser).status == 422
    assert log_in(browser, person.password).location == "/"


def test_a_request_accepted_while_its_password_is_judged_lets_nobody_in(
    app: Flask, browser: Browser, ask: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()

    def verify(password: str, digest: str | None) -> bool:
        rows.put(app, update(AccessRequest).values(state="accepted", password_digest=None))
        return verify_password(password, digest)

    monkeypatch.setattr(admission, "verify_password", verify)
    assert log_in(browser).status == 422


@pytest.fixture
def out(app: Flask, people: Cast) -> Person:
    """Somebody with an account and in no portal."""
    rows.put(app, delete(Membership).where(Membership.account_id == people.reader.id))
    return people.reader


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        ("open", "Your request is waiting"),
        ("declined", "Your request was declined"),
        ("withdrawn", "No access"),
        ("accepted", "No access"),
    ],
)
def test_an_account_in_no_portal_is_told_of_its_newest_request(
    app: Flask, browser: Browser, ask: Callable[..., None], out: Person, state: str, heading: str
) -> None:
    ask(account_id=out.id, state="declined", reason="Earlier")
    ask(account_id=out.id, state=state, reason="Lately")
    page = browser.give_password(out)
    assert (page.status, Seen(page).h1) == (403, heading)
    assert "Earlier" not in page.text
    assert ("Lately" in page.text) is (state == "declined")
    assert log_in(browser, "wrong horse battery", out.email).status == 422
    (event,) = rows.events(app, EventKind.LOGIN_REFUSED)
    assert event.account_id == out.id


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({}, 303),
        ({"used": True}, 403),
        ({"hours": -1}, 403),
        ({"email": "other@example.org"}, 403),
    ],
    ids=["open", "used", "expired", "another's"],
)
def test_an_open_invitation_lets_somebody_in_no_portal_log_in(
    app: Flask, browser: Browser, out: Person, clock: MovableClock, facts: dict[str, object], status: int
) -> None:
    values = {
        "portal_id": rows.portal(app).id,
        "email": facts.get("email", out.email),
        "role": "reader",
        "token_digest": b"x" * 32,
        "made_at": clock() - timedelta(days=1),
        "expires_at": clock() + timedelta(hours=int(str(facts.get("hours", 1)))),
        "used_at": clock() if "used" in facts else None,
    }
    rows.put(app, insert(Invitation).values(**values))
    assert browser.give_password(out).status == status


def _seen(page: Page, email: str) -> tuple[object, ...]:
    body = re.sub(r'name="csrf_token" value="[^"]+"', "CSRF", page.html.replace(email, "EMAIL"))
    headers = [(name, re.sub(r"=[^;]+", "=…", value, count=1)) for name, value in page.response.headers]
    return page.status, headers, body


def test_a_wrong_password_tells_nobody_that_somebody_asked(
    app: Flask, new_browser: Callable[[], Browser], ask: Callable[..., None], people: Cast, verified: list[str]
) -> None:
    """Equal to the byte, up to the throttle and beyond, with two digests and the same statements each time."""
    ask()
    answers, work = {}, {}
    for number, email in enumerate(("unknow@example.org", EMAIL, people.reader.email)):
        browser = new_browser()
        browser.address = f"192.0.2.{number + 1}"
        pages = []
        for _ in range(6):
            form = browser.get("/log-in")
            verified.clear()
            with rows.counted_statements(app) as statements:
                pages.append(browser.send(form, email=email, password="wrong horse battery"))
            if len(pages) == 1:
                assert len(verified) == 2
                work[email] = [re.sub(r"'(?:[^']|'')*'|\b\d+\b|NULL", "?", each) for each in statements]
        answers[email] = [_seen(page, email) for page in pages]
        assert [page.status for page in pages] == [422] * 5 + [429]
    for email in (EMAIL, people.reader.email):
        assert answers[email] == answers["unknow@example.org"]
        assert work[email] == work["unknow@example.org"]
    assert {event.account_id for event in rows.rows(app, select(Event))} >= {None, people.reader.id}
