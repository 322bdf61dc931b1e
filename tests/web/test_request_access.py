"""Request access: a stranger's form, that of somebody logged in, and what neither tells about anybody else."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from mfaportal.domain import throttles
from mfaportal.domain.throttles import Subject
from mfaportal.models import AccessRequest, Account, EventKind, Membership, Portal
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.passwords import verify_password
from mfaportal.rules.throttling import Kind
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, Person, give_app

HERE = "/portals/city-data/request-access"
QUEUE = "/portals/city-data/backoffice/access/requests"
FRONT = "/portals/city-data/"
PASSWORD = "nine kettles in the attic"
WISH: dict[str, Any] = {
    "name": "New Person",
    "email": "new@example.org",
    "password": PASSWORD,
    "message": "I map the trees.",
}
SAME = "If you have an account here, log in and ask from there."


@pytest.fixture(autouse=True)
def _open(app: Flask, people: Cast) -> None:
    rows.put(app, update(Portal).values(sign_up="approval", contact="data@example.org"))


@pytest.fixture
def outsider(app: Flask, people: Cast) -> Person:
    """Somebody logged in before they left the portal."""
    return people.reader


@pytest.fixture
def outside(app: Flask, browser: Browser, outsider: Person) -> Browser:
    browser.log_in(outsider)
    rows.put(app, delete(Membership).where(Membership.account_id == outsider.id))
    return browser


def requests(app: Flask) -> list[AccessRequest]:
    return rows.rows(app, select(AccessRequest).order_by(AccessRequest.id))


def test_a_stranger_asks_and_becomes_no_account(app: Flask, browser: Browser) -> None:
    accounts = len(rows.rows(app, select(Account.id)))
    page = browser.submit(HERE, **{**WISH, "email": " New@Example.ORG", "message": "I map\r\nthe trees. "})
    assert (page.status, page.location) == (303, f"{HERE}?sent=yes")
    assert SAME in browser.get(page.location).text
    (request,) = requests(app)
    assert (request.email, request.name, request.message) == ("new@example.org", "New Person", "I map\nthe trees.")
    assert (request.account_id, request.state) == (None, "open")
    assert verify_password(PASSWORD, request.password_digest)
    assert len(rows.rows(app, select(Account.id))) == accounts
    (event,) = rows.events(app, EventKind.REQUEST_MADE)
    assert (event.portal_id, event.actor_id, event.account_id) == (request.portal_id, None, None)


def test_of_a_known_address_no_portal_learns(app: Flask, browser: Browser, people: Cast) -> None:
    """What is kept is a digest without a name, which no page shows and nobody can decide."""
    page = browser.submit(HERE, **{**WISH, "email": people.editor.email})
    assert (page.status, page.location) == (303, f"{HERE}?sent=yes")
    (decoy,) = requests(app)
    assert (decoy.state, decoy.account_id, decoy.name, decoy.message) == ("decoy", None, None, "")
    browser.log_in(people.admin)
    assert "Nobody is waiting." in browser.get(QUEUE).text
    assert people.editor.email not in browser.get(f"{QUEUE}?history=1").text
    csrf = browser.csrf("/account")
    for decision in ("accept", "decline"):
        sent = {"csrf_token": csrf, "requests": str(decoy.id), "decision": decision}
        assert browser.open("POST", QUEUE, data=sent).status == 422
    assert (requests(app)[0].state, rows.role(app, people.editor)) == ("decoy", "editor")
    (event,) = rows.events(app, EventKind.REQUEST_IGNORED)
    assert (event.account_id, event.portal_id) == (people.editor.id, None)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "Enter your name."),
        ("name", "\u200b", "Enter a name of 1 to 100 visible characters."),
        ("email", "new", "Enter an e-mail address such as name@example.org."),
        ("password", "short", "Use at least 12 characters."),
        ("password", "City data 2026!", "too easy to guess"),
        ("message", "a" * 2001, "Use at most 2000 characters."),
    ],
)
def test_what_is_wrong_is_said_whether_the_address_is_known_or_not(
    app: Flask, browser: Browser, people: Cast, field: str, value: str, words: str
) -> None:
    for email in (WISH["email"], people.reader.email):
        page = browser.submit(HERE, **{**WISH, "email": email, field: value})
        assert (page.status, words in page.text) == (422, True), page.text
        assert PASSWORD not in page.html
    assert requests(app) == []


def test_a_portal_that_wants_a_message_gets_one(app: Flask, browser: Browser) -> None:
    rows.put(app, update(Portal).values(message_required=True))
    page = browser.submit(HERE, **{**WISH, "message": " \r\n "})
    assert (page.status, "Say who you are" in page.text) == (422, True)
    assert browser.submit(HERE, **WISH).status == 303
    assert len(requests(app)) == 1


def test_the_fourth_open_request_of_one_address_is_not_recorded(
    app: Flask, new_browser: Callable[[], Browser], clock: MovableClock
) -> None:
    for _ in range(4):
        clock.advance(hours=1)
        assert new_browser().submit(HERE, **WISH).location == f"{HERE}?sent=yes"
    assert len(requests(app)) == 3
    rows.put(app, update(AccessRequest).values(state="declined"))
    clock.advance(hours=1)
    new_browser().submit(HERE, **WISH)
    assert len(requests(app)) == 4, "those that were decided do not count"


def _seen(page: Page) -> tuple[object, ...]:
    """All that an answer tells, but for the CSRF value and what stands in the cookie."""
    body = re.sub(r'name="csrf_token" value="[^"]+"', "CSRF", page.html)
    headers = [(name, re.sub(r"=[^;]+", "=…", value, count=1)) for name, value in page.response.headers]
    return page.status, headers, body


def test_nobody_learns_which_addresses_are_known_or_have_asked_too_often(
    app: Flask, new_browser: Callable[[], Browser], people: Cast, argon2: list[str]
) -> None:
    """Equal to the byte, with one digest made for each."""
    answers: dict[str, list[tuple[object, ...]]] = {}
    for email in ("unknow@example.org", people.reader.email, "others@example.org"):
        browser = new_browser()
        browser.address = f"192.0.2.{len(answers) + 1}"
        if email == "others@example.org":
            for _ in range(3):
                browser.submit(HERE, **{**WISH, "email": email})
        argon2.clear()
        page = browser.submit(HERE, **{**WISH, "email": email})
        after = browser.get(page.location)
        wrong = browser.submit(HERE, **{**WISH, "email": email, "password": "short"})
        assert argon2 == ["hash"], email
        answers[email] = [_seen(page), _seen(after), _seen(wrong)]
        answers[email][2] = (*answers[email][2][:2], str(answers[email][2][2]).replace(email, "EMAIL"))
    assert len([request for request in requests(app) if request.state == "open"]) == 4
    assert answers[people.reader.email] == answers["unknow@example.org"] == answers["others@example.org"]


@pytest.mark.parametrize(
    ("asks", "recorded"),
    [
        ([("192.0.2.1", f"p{number}@example.org") for number in range(12)], 10),
        ([(f"192.0.2.{number}", "same@example.org") for number in range(5)], 3),
        ([(f"2001:db8:7:7::{number:x}", f"p{number}@example.org") for number in range(1, 13)], 10),
    ],
    ids=["from one address", "of one e-mail", "from one network"],
)
def test_over_the_limits_nothing_is_done_and_the_answer_stays(
    app: Flask,
    browser: Browser,
    clock: MovableClock,
    quick_hash: None,
    asks: list[tuple[str, str]],
    recorded: int,
) -> None:
    for address, email in asks:
        browser.address = address
        assert browser.submit(HERE, **{**WISH, "email": email}).location == f"{HERE}?sent=yes"
    assert len(requests(app)) == recorded
    (paused,) = rows.events(app, EventKind.ATTEMPTS_PAUSED)  # one a window, however many follow
    assert paused.portal_id is None
    clock.advance(hours=1)
    rows.put(app, update(AccessRequest).values(state="declined"))
    assert browser.submit(HERE, **{**WISH, "email": asks[0][1]}).status == 303
    assert len(requests(app)) == recorded + 1


def test_a_portal_takes_a_hundred_strangers_a_day(app: Flask, browser: Browser, clock: MovableClock) -> None:
    subject = Subject(Kind.REQUEST_TO_PORTAL, str(rows.portal(app).id))
    with app.app_context(), transaction() as session:
        for _ in range(99):
            throttles.count(session, [subject], clock())
    for number in range(3):
        browser.submit(HERE, **{**WISH, "email": f"p{number}@example.org"})
    assert len(requests(app)) == 1
    clock.advance(hours=24)
    browser.submit(HERE, **WISH)
    assert len(requests(app)) == 2


def test_where_the_portal_is_closed_everybody_is_told_so(
    app: Flask, browser: Browser, people: Cast, new_browser: Callable[[], Browser]
) -> None:
    for policy in ("closed", "unreadable"):
        rows.put(app, update(Portal).values(sign_up=policy))
        for who in (None, people.reader, people.operator):
            theirs = new_browser()
            if who:
                theirs.log_in(who)
            page = theirs.get(HERE)
            assert (page.status, Seen(page).h1) == (403, "No requests here")
            assert Seen(page).links["data@example.org"] == "mailto:data@example.org"
            posted = theirs.open("POST", HERE, data={**WISH, "csrf_token": theirs.csrf("/account")})
            assert (posted.status, requests(app)) == (403, [])
    rows.put(app, update(Portal).values(sign_up="open"))
    assert browser.submit(HERE, **WISH).status == 303, "until there is mail, open means by approval"
    assert requests(app)[0].state == "open"


def test_a_portal_that_closes_between_page_and_form_takes_nothing(app: Flask, browser: Browser) -> None:
    page = browser.get(HERE)
    rows.put(app, update(Portal).values(sign_up="closed"))
    assert browser.send(page, **WISH).status == 403
    assert requests(app) == []


def test_somebody_half_logged_in_is_a_stranger(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.editor, clock)
    browser.give_password(people.editor)
    assert "E-mail" in browser.get(HERE).text
    assert browser.submit(HERE, **WISH).location == f"{HERE}?sent=yes"
    (event,) = rows.events(app, EventKind.REQUEST_MADE)
    assert (event.actor_id, requests(app)[0].account_id) == (None, None)


def test_a_member_is_told_that_they_are_one(app: Flask, browser: Browser, people: Cast) -> None:
    for person in (people.editor, people.operator):
        browser.log_in(person)
        page = browser.get(HERE)
        assert (page.status, "You are a member of this portal already" in page.text) == (200, True)
        assert "Set-Cookie" not in page.response.headers, "no GET writes into the session of somebody logged in"
        csrf = browser.csrf("/account")
        assert browser.open("POST", HERE, data={"csrf_token": csrf, "message": "Please"}).location == HERE
        browser.log_out()
    assert requests(app) == []


def test_somebody_logged_in_asks_with_a_message_sees_that_it_waits_and_takes_it_back(
    app: Flask, outside: Browser, outsider: Person
) -> None:
    seen = Seen(outside.get(HERE))
    assert "E-mail" not in seen.main
    page = outside.submit(HERE, message="Back from\r\nleave", follow=True)
    assert Seen(page).h1 == "Your request is waiting"
    assert Seen(page).buttons == ["Withdraw"]
    assert "Back from\nleave" in page.html
    (request,) = requests(app)
    assert (request.account_id, request.email, request.password_digest) == (outsider.id, None, None)
    (event,) = rows.events(app, EventKind.REQUEST_MADE)
    assert (event.account_id, event.portal_id) == (outsider.id, request.portal_id)
    page = outside.send(page, follow=True, button="Withdraw")
    assert "Your request is withdrawn." in page.text
    assert Seen(page).buttons == ["Request access"]
    assert [each.state for each in requests(app)] == ["withdrawn"]
    assert len(rows.events(app, EventKind.REQUEST_WITHDRAWN)) == 1


def test_one_account_has_one_open_request_and_may_ask_three_times_an_hour(
    app: Flask, outside: Browser, clock: MovableClock
) -> None:
    form = outside.get(HERE)
    for _ in range(3):
        assert "is sent" in outside.send(form, message="Please", follow=True).text
        again = outside.send(form, message="Please!", follow=True)
        assert "You have asked already." in again.text
        outside.send(again, button="Withdraw")
        assert "no open request" in outside.send(again, button="Withdraw", follow=True).text
    assert [each.state for each in requests(app)] == ["withdrawn"] * 3
    page = outside.send(form, message="Please")
    assert (page.status, page.response.headers["Retry-After"]) == (429, "3601")
    clock.advance(hours=1)
    assert outside.send(form, message="Please").status == 303


def test_whoever_asked_may_take_it_back_where_the_portal_has_closed(app: Flask, outside: Browser) -> None:
    outside.submit(HERE, message="Please")
    rows.put(app, update(Portal).values(sign_up="closed"))
    page = outside.get(HERE)
    assert (page.status, Seen(page).buttons) == (403, ["Withdraw"])
    outside.send(page, button="Withdraw")
    assert requests(app)[0].state == "withdrawn"


def test_nobody_withdraws_what_another_asked_for(
    app: Flask, outside: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    outside.submit(HERE, message="Please")
    other = new_browser()
    other.log_in(people.editor)
    csrf = other.csrf("/account")
    other.open("POST", f"{HERE}/withdraw", data={"csrf_token": csrf, "id": "1"})
    assert requests(app)[0].state == "open"


def test_the_declined_are_told_why_and_may_ask_again(app: Flask, outside: Browser) -> None:
    outside.submit(HERE, message="Please")
    rows.put(app, update(AccessRequest).values(state="declined", reason="Ask <b>Kim</b> first"))
    page = outside.get(HERE)
    assert "Your last request was declined. The reason: Ask <b>Kim</b> first" in page.text
    assert "<b>Kim" not in page.html
    assert outside.submit(HERE, message="Kim agrees", follow=True).status == 200
    assert [each.state for each in requests(app)] == ["declined", "open"]


def test_the_link_stands_where_somebody_without_a_place_meets_the_portal(
    app: Flask, outside: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    stranger, member, locked_out = new_browser(), new_browser(), new_browser()
    locked_out.log_in(people.editor)
    rows.put(app, delete(Membership).where(Membership.account_id == people.editor.id))
    for path in ("/", FRONT):
        page = locked_out.get(path)
        assert (page.status, Seen(page).links.get("Request access")) == (403, HERE)
    rows.put(app, update(Portal).values(visibility="public"))
    member.log_in(people.admin)
    for path in ("/", FRONT):
        assert Seen(stranger.get(path)).links["Request access"] == HERE
        assert Seen(outside.get(path)).links["Request access"] == HERE
        assert "Request access" not in Seen(member.get(path)).links
    assert "Request access" not in Seen(member.get("/installation/portals")).links
    assert Seen(stranger.get("/log-in")).links["Request access"] == HERE
    assert Seen(stranger.submit("/log-in", email="a@b.org", password="no")).links["Request access"] == HERE
    rows.put(app, update(Portal).values(sign_up="closed"))
    for path in ("/", FRONT, "/log-in"):
        assert "Request access" not in Seen(stranger.get(path)).links
    assert "Request access" not in Seen(locked_out.get(f"{FRONT}backoffice")).links


def test_with_several_portals_the_log_in_page_offers_the_one_that_was_wanted(
    app: Flask, browser: Browser, clock: MovableClock
) -> None:
    with app.app_context(), transaction() as session:
        session.add(Portal(slug="harbour", name="Harbour", created_at=clock()))
    assert "Request access" not in Seen(browser.get("/log-in")).links

    assert Seen(browser.get(f"/log-in?next={FRONT}")).links["Request access"] == HERE
    for elsewhere in ("/portals/harbour/", "/portals/nowhere/", "/account", "https://example.org/portals/city-data/"):
        assert "Request access" not in Seen(browser.get(f"/log-in?next={elsewhere}")).links
    assert browser.get("/portals/nowhere/request-access").status == 404
