"""E-mail and password: a login begins, and ends the one before it in the same browser."""

from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import Account, Event, Login
from mfaportal.plumbing.tokens import digest
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast, give_app
from tests.stored import stored, the_one, token_of

WRONG = "E-mail or password is wrong."
GUESS = "wrong horse battery staple"


def test_the_right_password_opens_the_portal(app: Flask, browser: Browser, people: Cast, clock: MovableClock) -> None:
    page = browser.log_in(people.reader)
    assert (page.status, page.location) == (303, "/")
    assert "City data" in browser.get("/").text
    login = the_one(app, Login)
    assert (login.account_id, login.password_at, login.second_factor_at) == (people.reader.id, clock(), None)
    assert login.token_digest == digest(token_of(browser)), "the row holds the digest of what the browser has"
    assert login.address == "192.0.2.7"


def test_with_an_app_a_code_is_asked_for_and_nothing_else_opens(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        phone = give_app(people.reader, clock)
    assert browser.give_password(people.reader).location == "/log-in/code"
    assert the_one(app, Account, id=people.reader.id).last_login_at is None, "half a log-in is none"
    assert browser.get("/account").location == "/log-in/code"
    page = browser.submit("/log-in/code", code=phone.code(clock()))
    assert (page.status, page.location) == (303, "/")
    assert browser.get("/account").status == 200


def test_the_last_log_in_is_noted_when_it_is_whole(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    clock.advance(days=3)
    browser.log_in(people.editor)
    assert the_one(app, Account, id=people.editor.id).last_login_at == clock()
    clock.advance(hours=1)
    browser.get("/account")
    assert the_one(app, Account, id=people.editor.id).last_login_at < clock(), "using it is no log-in"


@pytest.mark.parametrize("typed", ["READER@EXAMPLE.ORG", "  reader@example.org  ", "Reader@Example.org"])
def test_case_and_spaces_around_the_e_mail_do_not_matter(browser: Browser, people: Cast, typed: str) -> None:
    assert browser.submit("/log-in", email=typed, password=people.reader.password).status == 303


def test_what_is_typed_comes_back_but_for_the_password(browser: Browser, people: Cast) -> None:
    page = browser.submit("/log-in", email=' <b>"reader" ', password=GUESS)
    fields = page.form("Log in").fields
    assert (fields["email"], fields["password"]) == (' <b>"reader" ', "")
    assert GUESS not in page.html
    assert "<b>" not in page.html
    assert 'aria-invalid="true"' in page.html
    assert f'id="password-error">{WRONG}' in page.html


def test_both_fields_must_be_filled_in(browser: Browser, people: Cast, verified: list[str]) -> None:
    page = browser.submit("/log-in")
    assert page.status == 422
    assert "Enter your e-mail address." in page.text
    assert "Enter your password." in page.text
    assert verified == []


def test_a_new_log_in_in_the_same_browser_ends_the_old_one(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    """The first was left half done, so the browser may log in again."""
    with app.app_context():
        give_app(people.reader, clock)
    browser.give_password(people.reader)
    clock.advance(minutes=11)
    browser.log_in(people.editor)
    old, new = stored(app, Login)
    assert (old.account_id, old.ended_at) == (people.reader.id, clock())
    assert (new.account_id, new.ended_at) == (people.editor.id, None)


def test_a_failed_log_in_ends_nothing(app: Flask, browser: Browser, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    browser.give_password(people.reader)
    clock.advance(minutes=11)
    browser.give_password(people.editor, password=GUESS)
    assert the_one(app, Login).ended_at is None


def test_another_browser_stays_logged_in(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    other = new_browser()
    other.log_in(people.reader)
    browser.log_in(people.reader)
    assert other.get("/account").status == 200
    assert [login.ended_at for login in stored(app, Login)] == [None, None]


def test_the_token_changes_at_the_password_and_at_the_code(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    browser.get("/log-in")
    tokens = [token_of(browser)]
    browser.give_password(people.reader)
    tokens.append(token_of(browser))
    browser.submit("/log-in/code", code=people.reader.phone.code(clock()))  # type: ignore[union-attr]
    tokens.append(token_of(browser))
    assert tokens[0] == ""
    assert len(set(tokens)) == 3
    assert all(len(token) == 43 for token in tokens[1:]), "256 bits"
    assert the_one(app, Login).token_digest == digest(tokens[-1])


def test_what_happened_is_noted_without_what_was_typed(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    before = len(stored(app, Event))
    with app.app_context():
        give_app(people.editor, clock)
    browser.submit("/log-in", email="typed-a-password-here@example.org", password=GUESS)
    browser.give_password(people.editor, password=GUESS)
    browser.log_in(people.editor)
    events = stored(app, Event)[before:]
    assert [(event.kind, event.account_id, event.details) for event in events] == [
        ("login:password-wrong", None, {}),
        ("login:password-wrong", people.editor.id, {}),
        ("login:password-right", people.editor.id, {}),
        ("login:completed", people.editor.id, {"factors": ["password", "totp"]}),
    ]
    assert {(event.address, event.source, event.at) for event in events} == {("192.0.2.7", "web", clock())}
