"""Changing one's own password: with the present one, within the login's own budget, and what ends with it."""

from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.domain import accounts, members, password_changes, portals
from mfaportal.models import Account, EventKind, Login, OneTimeLink
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.passwords import verify_password
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.cookies import TOKEN, held_by
from tests.links import NEW, digest_of, is_gone
from tests.mailing import mails
from tests.people import PASSWORD, Cast, Person, on_the_command_line
from tests.stored import cookie_of, plant_cookie, stored

PAGE = "/account/security/password"
NewBrowser = Callable[[], Browser]


def change(browser: Browser, current: str = PASSWORD, new: str = NEW) -> Page:
    return browser.submit(PAGE, current_password=current, password=new)


def test_this_browser_stays_under_a_new_token_and_everything_else_ends(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, reset_link: Callable[[Person], str]
) -> None:
    other, half = new_browser(), new_browser()
    other.log_in(people.reader)
    browser.log_in(people.reader)
    link, before, stolen = reset_link(people.reader), held_by(browser)[TOKEN], cookie_of(browser)
    page = change(browser)
    assert (page.status, page.location) == (303, "/account/security")
    assert "Your password is changed. One other browser was logged out." in browser.get("/account/security").text
    assert held_by(browser)[TOKEN] != before
    plant_cookie(half, stolen)
    assert half.get("/account").location == "/log-in?next=/account", "the old token is dead"
    assert other.get("/account").location == "/log-in?next=/account"
    assert browser.get("/account").status == 200
    assert is_gone(new_browser().get(link, follow=True)), "open links are void"
    assert verify_password(NEW, digest_of(app, people.reader))
    (event,) = rows.events(app, EventKind.PASSWORD_SET)
    assert (event.account_id, event.actor_id) == (people.reader.id, people.reader.id)
    assert event.details == {"how": "changed", "ended": 1}
    (told,) = mails(app, "password-changed")
    assert (told.recipient, told.facts.get("by_link")) == (people.reader.email, None)
    assert new_browser().give_password(people.reader).status == 422
    assert new_browser().give_password(people.reader, password=NEW).status == 303


def test_a_wrong_present_password_counts_where_step_up_counts_and_changes_nothing(
    app: Flask, browser: Browser, people: Cast
) -> None:
    browser.log_in(people.reader)
    before = digest_of(app, people.reader)
    for _ in range(3):
        page = change(browser, "not the password")
        assert (page.status, "This is not your password." in page.text) == (422, True)
        assert 'id="current_password-error"' in page.html
        assert NEW not in page.html
    for _ in range(2):
        assert browser.submit("/confirm", password="not the password").status == 422
    page = change(browser)
    assert (page.status, page.response.headers["Retry-After"]) == (429, "301")
    assert browser.submit("/confirm", password=PASSWORD).status == 429
    assert digest_of(app, people.reader) == before
    wrong = rows.events(app, EventKind.LOGIN_PASSWORD_WRONG)
    assert [event.details["at"] for event in wrong] == ["new password"] * 3 + ["step-up"] * 2


def test_a_new_password_follows_the_usual_rule_and_is_none_of_the_portals_names(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        cli = on_the_command_line(clock)
        portals.create(cli, "Harbour plans", "quayside-depot")
        members.add(cli, "quayside-depot", people.editor.id, MemberRole.READER)
        with transaction() as session:
            session.get_one(Account, people.reader.id).rename("Gwendolyn Featherstone")
        browser.log_in(people.reader)
    before = digest_of(app, people.reader)
    for new, words in (
        ("too short", "Use at least 12 characters."),
        ("administrator", "This password is too easy to guess."),
        ("Reader.Example.org", "This password is too easy to guess."),
        ("GwendolynFeatherstone1", "This password is too easy to guess."),
        ("City-Data-2026!", "This password is too easy to guess."),
        (PASSWORD, "This is the password that you have now. Choose another one."),
    ):
        page = change(browser, new=new)
        assert (page.status, f'id="password-error">{words}' in page.html) == (422, True), new
    assert digest_of(app, people.reader) == before
    assert not rows.events(app, EventKind.LOGIN_PASSWORD_WRONG), "the present one is not even looked at"
    assert change(browser, new="Harbour plans 2026").status == 303, "a portal that is not theirs"
    for person in (people.editor, people.operator):
        other = Browser(app, clock)
        other.log_in(person)
        for new in ("Harbour plans 2026", "Quayside-Depot-1"):
            assert change(other, new=new).status == 422, "theirs as a member, or as an operator"


def test_a_password_that_was_set_meanwhile_is_nobodys_to_overwrite(
    app: Flask, browser: Browser, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a link, say, while this one was judged; the login itself is still alive in this moment."""
    browser.log_in(people.reader)

    def judged(password: str, digest: str | None) -> bool:
        right = verify_password(password, digest)
        with transaction() as session:
            session.get_one(Account, people.reader.id).password_digest = "set meanwhile"
        return right

    monkeypatch.setattr(password_changes, "verify_password", judged)
    assert change(browser).status == 422
    assert digest_of(app, people.reader) == "set meanwhile"


def test_an_invitation_to_the_command_lines_account_is_void_too(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    assert [link.used_at for link in stored(app, OneTimeLink, account_id=people.reader.id)] == [None]
    change(browser)
    assert [link.used_at for link in stored(app, OneTimeLink, account_id=people.reader.id)] == [clock()]
    assert [link.used_at for link in stored(app, OneTimeLink, account_id=people.editor.id)] == [None]


def test_who_is_suspended_while_the_form_is_open_changes_nothing(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    page, before = browser.get(PAGE), digest_of(app, people.reader)
    with app.app_context():
        accounts.suspend(on_the_command_line(clock), people.reader.id)
    assert browser.send(page, current_password=PASSWORD, password=NEW).location == "/log-in"
    assert digest_of(app, people.reader) == before
    assert stored(app, Login)[0].ended_at is not None
