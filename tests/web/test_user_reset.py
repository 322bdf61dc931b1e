import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from mfaportal.models import EventKind, LinkKind, OneTimeLink
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.people import Cast, Person, add_person, give_app

USERS = "/portals/city-data/backoffice/access/users"


def of(person: Person, action: str = "") -> str:
    return f"{USERS}/{person.id}/{action}".rstrip("/")


def link_on(page: Page) -> str:
    """The path of the one-time link that a page shows."""
    links: list[str] = re.findall(r"http://127\.0\.0\.1:8000/reset-password/\S+", page.text)
    assert len(links) == 1
    return urlsplit(links[0]).path


def reset_links(app: Flask) -> list[OneTimeLink]:
    return rows.rows(app, select(OneTimeLink).where(OneTimeLink.kind == LinkKind.RESET))


def web_events(app: Flask, kind: EventKind) -> list[tuple[int | None, int | None, dict[str, object]]]:
    """Who did what to whom in a browser."""
    return [
        (event.actor_id, event.account_id, event.details) for event in rows.events(app, kind) if event.source == "web"
    ]


@pytest.fixture
def operator(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.operator)
    return browser


@pytest.fixture
def second(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """Another operator, who is a member of no portal."""
    with app.app_context():
        return add_person(clock, "second@example.org", "Second", None, operator=True)


@pytest.fixture
def lost(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """The editor, with two apps on a phone that is gone."""
    with app.app_context():
        give_app(people.editor, clock, "One")
        give_app(people.editor, clock, "Two")
    return people.editor


def test_the_reset_asks_for_a_reason_and_suggests_a_new_password(operator: Browser, app: Flask, lost: Person) -> None:
    page = operator.get(of(lost, "reset-mfa"))
    seen = Seen(page)
    assert seen.h1 == "Reset MFA"
    assert "All apps of this person are deleted" in seen.main
    assert seen.boxes["Also require a new password"].checked
    assert seen.buttons == ["Reset MFA"]
    for reason in ("", "   ", "x" * 501, "a\x00b"):
        refused = operator.send(page, reason=reason)
        assert refused.status == 422
        assert Seen(refused).error_of("Reason")
    assert len(rows.apps(app, lost)) == 2
    assert rows.account(app, lost).password_digest is not None
    assert web_events(app, EventKind.MFA_RESET) == []


def test_a_reset_with_a_new_password_voids_the_old_one_and_shows_a_link_once(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock, lost: Person
) -> None:
    whole, half = new_browser(), new_browser()
    whole.log_in(lost)
    half.give_password(lost)
    page = operator.submit(of(lost, "reset-mfa"), reason="phone stolen, seen in person")
    assert page.status == 200
    assert "Reset link" in Seen(page).h1
    assert "Editor" in Seen(page).main
    path = link_on(page)
    assert page.response.headers["Cache-Control"] == "no-store"
    assert "/reset-password/" not in operator.get(of(lost)).text
    assert rows.apps(app, lost) == []
    assert rows.live_logins(app, lost) == []
    assert web_events(app, EventKind.MFA_RESET) == [
        (people.operator.id, lost.id, {"reason": "phone stolen, seen in person", "apps": 2})
    ]
    for theirs in (whole, half):
        assert theirs.get("/account").location.startswith("/log-in")
    assert whole.give_password(lost).status == 422
    opened = whole.get(path)
    assert (opened.status, opened.location) == (303, "/reset-password")
    done = whole.submit("/reset-password", password="four quite different words")
    assert done.location == "/log-in"
    assert whole.give_password(lost, password="four quite different words").location == "/"
    late = new_browser()
    assert late.get(path, follow=True).status == 410


def test_a_reset_without_a_new_password_leaves_the_old_one(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, lost: Person
) -> None:
    page = operator.get(of(lost, "reset-mfa"))
    del page.form().fields["new_password_too"]
    answer = operator.send(page, reason="new phone")
    assert (answer.status, answer.location) == (303, of(lost))
    seen = Seen(operator.get(of(lost)))
    assert seen.messages == ["MFA was reset. All logins of this person have ended."]
    assert "not set up" in seen.main
    assert rows.apps(app, lost) == []
    assert reset_links(app) == []
    assert new_browser().give_password(lost).location == "/"


def test_codes_of_apps_that_were_reset_fail_at_once(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, clock: MovableClock, lost: Person
) -> None:
    half = new_browser()
    half.give_password(lost)
    page = half.get("/log-in/code")
    operator.submit(of(lost, "reset-mfa"), reason="stolen")
    assert lost.phone is not None
    answer = half.send(page, code=lost.phone.code(clock()))
    assert answer.location.startswith("/log-in")
    assert half.get("/account").location.startswith("/log-in?")


def test_a_reset_lifts_the_stop_on_codes(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, clock: MovableClock, lost: Person
) -> None:
    assert lost.phone is not None
    theirs = new_browser()
    theirs.give_password(lost)
    for _ in range(5):
        assert theirs.submit("/log-in/code", code=lost.phone.wrong_code(clock())).status == 422
    assert theirs.submit("/log-in/code", code=lost.phone.wrong_code(clock())).status == 429
    page = operator.get(of(lost, "reset-mfa"))
    del page.form().fields["new_password_too"]
    operator.send(page, reason="new phone")
    with app.app_context():
        phone = give_app(lost, clock)
    theirs.give_password(lost)
    assert theirs.submit("/log-in/code", code=phone.code(clock())).location == "/"


@pytest.mark.parametrize("action", ["reset-mfa", "reset-link"])
def test_another_operator_is_for_the_command_line_and_oneself_for_nobody(
    operator: Browser, app: Flask, people: Cast, clock: MovableClock, second: Person, action: str
) -> None:
    with app.app_context():
        give_app(second, clock)
    for person, sentences in (
        (second, ("For another operator, only the command line does this.",)),
        (
            people.operator,
            ("You cannot do this to your own account.", "For another operator, only the command line does this."),
        ),
    ):
        refused = operator.submit(of(person, action), reason="x")
        assert refused.status == 409
        assert set(Seen(refused).messages) & set(sentences)
        assert "/reset-password/" not in refused.text
    assert len(rows.apps(app, second)) == 1
    assert reset_links(app) == [] == web_events(app, EventKind.LINK_MADE)
    assert rows.account(app, second).password_digest is not None


def test_a_reset_link_is_shown_once_and_works_once_and_asks_for_the_code_all_the_same(
    operator: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock, lost: Person
) -> None:
    page = operator.get(of(lost, "reset-link"))
    assert Seen(page).h1 == "Make reset link"
    assert Seen(page).buttons == ["Make reset link"]
    assert reset_links(app) == []
    made = operator.send(page)
    assert made.status == 200
    path = link_on(made)
    token = path.rpartition("/")[2]
    assert token not in operator.get(of(lost)).text
    (link,) = reset_links(app)
    assert (link.account_id, link.used_at, link.kind) == (lost.id, None, "reset")
    assert token.encode() not in link.token_digest
    ((actor, whom, details),) = web_events(app, EventKind.LINK_MADE)
    assert (actor, whom) == (people.operator.id, lost.id)
    assert token not in str(details)
    theirs = new_browser()
    theirs.get(path)
    theirs.submit("/reset-password", password="four quite different words")
    assert theirs.give_password(lost, password="four quite different words").location == "/log-in/code"
    assert theirs.get(path, follow=True).status == 410


def test_a_later_link_voids_the_earlier_and_none_outlives_half_an_hour(
    operator: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    first = link_on(operator.submit(of(people.reader, "reset-link")))
    clock.advance(minutes=1)
    later = link_on(operator.submit(of(people.reader, "reset-link")))
    assert new_browser().get(first, follow=True).status == 410
    assert new_browser().get(later, follow=True).status == 200
    clock.advance(minutes=30, seconds=1)
    assert new_browser().get(later, follow=True).status == 410
