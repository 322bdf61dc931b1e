"""What a stolen password, half login or cookie does to password and e-mail, and what it tells of who is known."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.domain import password_resets
from mfaportal.domain.caller import the_portal_itself
from mfaportal.models import LinkKind, Mail, OneTimeLink
from mfaportal.plumbing.tokens import new_token
from tests import rows, thief
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.links import NEW, reset
from tests.mailing import link_in, mails, with_mail
from tests.people import PASSWORD, Cast, Person, give_app
from tests.stored import cookie_of, plant_cookie, stored

CHANGE, LOGINS, ACCOUNT = "/account/security/password", "/account/security/logins", "/account"
OWN = "thief@example.org"
SENT = {
    CHANGE: {"current_password": PASSWORD, "password": NEW},
    ACCOUNT: {"name": "Taken over", "email": OWN},
    LOGINS: {"others": "1"},
}
"""What the thief sends: the right password is theirs, where that is what they stole."""


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """A portal that has a mail server."""
    return with_mail(make_app)


@pytest.fixture
def victim(app: Flask, people: Cast, clock: MovableClock) -> Person:
    with app.app_context():
        give_app(people.operator, clock)
    return people.operator


@pytest.fixture
def burglar(new_browser: Callable[[], Browser]) -> Browser:
    browser = new_browser()
    browser.address = "198.51.100.66"
    return browser


def send_all(burglar: Browser, csrf: str) -> dict[str, tuple[int, str]]:
    answers = {}
    for path, fields in SENT.items():
        page = burglar.open("POST", path, data={**fields, "csrf_token": csrf})
        answers[path] = (page.status, page.location)
    return answers


def test_the_forms_sent_here_work_for_their_owner(app: Flask, browser: Browser, victim: Person) -> None:
    """Else the tests below would prove nothing."""
    browser.log_in(victim)
    assert {status for status, _location in send_all(browser, browser.csrf(ACCOUNT)).values()} == {303, 400}
    assert rows.account(app, victim).name == victim.name, "the CSRF value was renewed with the password"
    assert send_all(browser, browser.csrf(ACCOUNT))[ACCOUNT] == (303, ACCOUNT)
    links = stored(app, OneTimeLink, kind=LinkKind.EMAIL)
    assert (rows.account(app, victim).name, len(links)) == ("Taken over", 1)


def test_a_stolen_password_changes_neither_password_nor_e_mail(
    app: Flask, browser: Browser, burglar: Browser, victim: Person
) -> None:
    """A half login is nobody: it is sent back to the code, and the owner's browser stays."""
    browser.log_in(victim)
    burglar.give_password(victim)
    before = thief.what_matters(app)
    for path in SENT:
        assert burglar.get(path).location == "/log-in/code"
    answers = send_all(burglar, burglar.csrf("/log-in/code"))
    assert set(answers.values()) == {(303, "/log-in/code")}
    assert thief.what_matters(app) == before
    assert stored(app, Mail) == []


def test_a_stolen_half_login_is_not_made_whole_by_a_link_out_of_the_mailbox(
    app: Flask, burglar: Browser, victim: Person
) -> None:
    """Password and mailbox together are still no code: a reset and a confirmed address log nobody in."""
    burglar.submit("/forgot-password", email=victim.email)
    _send(app, victim.email)
    assert reset(burglar, link_in(mails(app, "reset-link")[0])).location == "/log-in"
    assert burglar.get(ACCOUNT).location == "/log-in?next=/account"
    assert burglar.give_password(victim, password=NEW).location == "/log-in/code"
    assert burglar.get(ACCOUNT).location == "/log-in/code"
    assert len(rows.apps(app, victim)) == 1


def _send(app: Flask, email: str) -> None:
    """What the sender makes of somebody's question."""
    with app.app_context():
        caller = the_portal_itself()
        password_resets.answer(caller, {"email": email, "at": int(caller.now.timestamp())})


@pytest.mark.parametrize(("minutes", "sent_away"), [(10, {ACCOUNT, LOGINS}), (20, {CHANGE, ACCOUNT, LOGINS})])
def test_a_stolen_cookie_that_is_older_changes_nothing_without_a_code(
    app: Flask,
    browser: Browser,
    burglar: Browser,
    victim: Person,
    clock: MovableClock,
    minutes: int,
    sent_away: set[str],
) -> None:
    """Even with the right password. A form of its own has ten minutes more, and is not opened in them."""
    browser.log_in(victim)
    plant_cookie(burglar, cookie_of(browser))
    csrf = burglar.csrf(ACCOUNT)
    clock.advance(minutes=minutes, seconds=1)
    before = thief.what_matters(app)
    assert burglar.get(CHANGE).location == f"/confirm?next={CHANGE}"
    for path in sent_away:
        page = burglar.open("POST", path, data={**SENT[path], "csrf_token": csrf})
        assert (page.status, page.location) == (303, f"/confirm?next={path}")
    assert burglar.submit(f"/confirm?next={CHANGE}", code=PASSWORD).status == 422
    assert thief.what_matters(app) == before
    assert stored(app, Mail) == []


def test_a_stolen_cookie_guesses_five_passwords(
    app: Flask, browser: Browser, burglar: Browser, victim: Person
) -> None:
    browser.log_in(victim)
    plant_cookie(burglar, cookie_of(browser))
    before = rows.account(app, victim).password_digest
    guesses = [f"a guess that is long enough {number}" for number in range(7)]
    statuses = [burglar.submit(CHANGE, current_password=guess, password=NEW).status for guess in guesses]
    assert statuses == [422] * 5 + [429] * 2
    assert rows.account(app, victim).password_digest == before


def test_a_stolen_fresh_cookie_that_asks_for_another_e_mail_is_told_to_the_owner_who_can_stop_it(
    app: Flask, browser: Browser, burglar: Browser, victim: Person
) -> None:
    browser.log_in(victim)
    plant_cookie(burglar, cookie_of(browser))
    burglar.submit(ACCOUNT, email=OWN)
    (warning,) = mails(app, "email-changed")
    assert (warning.recipient, warning.facts["done"], warning.facts["new_email"]) == (victim.email, False, OWN)
    browser.submit(CHANGE, current_password=PASSWORD, password=NEW)
    (row,) = stored(app, OneTimeLink, kind=LinkKind.EMAIL)
    assert row.used_at is not None
    assert mails(app, "email-change") == [], "nor does its mail leave any more"
    assert burglar.get(ACCOUNT).location == "/log-in?next=/account"


def test_nobody_learns_from_a_link_who_has_an_account(
    app: Flask, browser: Browser, burglar: Browser, people: Cast
) -> None:
    """Unknown, used, void for a known address: one page for all of them, for each kind of link."""
    browser.log_in(people.reader)
    browser.submit(ACCOUNT, email=people.editor.email)
    seen: dict[str, set[tuple[int, str]]] = {"/confirm-email": set(), "/reset-password": set()}
    for path, pages in seen.items():
        for token in (new_token(), new_token()[:-1] + "A"):
            page = burglar.get(f"{path}/{token}", follow=True)
            pages.add((page.status, _without_random(page)))
    burglar.submit("/forgot-password", email=people.reader.email)
    _send(app, people.reader.email)
    used = link_in(mails(app, "reset-link")[0])
    assert reset(burglar, used).status == 303
    burglar.get("/log-in")  # takes the message
    page = burglar.get(used, follow=True)
    seen["/reset-password"].add((page.status, _without_random(page)))
    assert all(len(pages) == 1 for pages in seen.values())
    assert "link" not in mails(app, "email-change")[0].facts, "and the one for a known address is not even sent"


def _without_random(page: Page) -> str:
    return re.sub(r'name="csrf_token" value="[^"]+"', "", page.html)


def test_a_reset_link_is_taken_once(app: Flask, new_browser: Callable[[], Browser], people: Cast) -> None:
    """In parallel, too: `tests/races`."""
    new_browser().submit("/forgot-password", email=people.reader.email)
    _send(app, people.reader.email)
    path = link_in(mails(app, "reset-link")[0])
    first, second = new_browser(), new_browser()
    pages = [browser.get(path, follow=True) for browser in (first, second)]
    assert first.send(pages[0], password=NEW).status == 303
    assert second.send(pages[1], password="ten kettles in the cellar").status == 410
    assert first.give_password(people.reader, password=NEW).status == 303
