"""Links that let somebody choose a password: the token leaves the URL, and nobody is logged in by it."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from mfaportal.domain import throttles
from mfaportal.domain.throttles import Subject
from mfaportal.models import Account, Authenticator, Event, Login, OneTimeLink, Throttle
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.tokens import digest
from mfaportal.rules.throttling import Kind
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.links import NEW, digest_of, is_gone, reset
from tests.people import Cast, Person, give_app
from tests.stored import session_of, stored, the_one

DONE = "Your password is set. Log in with it."


def test_the_token_leaves_the_url_for_the_session(
    app: Flask, browser: Browser, people: Cast, reset_link: Callable[[Person], str]
) -> None:
    link = reset_link(people.reader)
    token = link.rpartition("/")[2]
    assert the_one(app, OneTimeLink, kind="reset").token_digest == digest(token), "the row keeps a digest only"
    assert len(token) == 43, "256 bits"
    page = browser.get(link)
    assert (page.status, page.location) == (303, "/reset-password")
    assert page.response.headers["Referrer-Policy"] == "same-origin"
    assert page.response.headers["Cache-Control"] == "no-store"
    page = browser.get("/reset-password")
    assert page.status == 200
    assert token not in page.html
    assert f'value="{people.reader.email}"' in page.html, "whose password it is"


def test_it_sets_a_new_password_and_logs_nobody_in(
    app: Flask,
    browser: Browser,
    new_browser: Callable[[], Browser],
    people: Cast,
    reset_link: Callable[[Person], str],
) -> None:
    old = digest_of(app, people.reader)
    page = reset(browser, reset_link(people.reader))
    assert (page.status, page.location) == (303, "/log-in")
    assert "reset_token" not in session_of(browser)
    assert DONE in browser.get("/log-in").text
    assert browser.get("/account").location == "/log-in?next=/account"
    assert stored(app, Login) == []
    assert digest_of(app, people.reader) != old
    assert new_browser().give_password(people.reader).status == 422
    assert new_browser().give_password(people.reader, password=NEW).status == 303
    event = stored(app, Event, kind="password:set")[0]
    assert (event.account_id, event.actor_id, event.details) == (people.reader.id, None, {"link": "reset"})


def test_it_never_skips_mfa(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock, reset_link: Callable[[Person], str]
) -> None:
    with app.app_context():
        phone = give_app(people.reader, clock)
    reset(browser, reset_link(people.reader))
    assert len(stored(app, Authenticator)) == 1
    assert browser.give_password(people.reader, password=NEW).location == "/log-in/code"
    assert browser.get("/account").location == "/log-in/code"
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 303


def test_it_ends_every_login_of_the_account_and_of_no_other(
    app: Flask,
    new_browser: Callable[[], Browser],
    people: Cast,
    clock: MovableClock,
    reset_link: Callable[[Person], str],
) -> None:
    mine, half, others = new_browser(), new_browser(), new_browser()
    mine.log_in(people.reader)
    with app.app_context():
        give_app(people.reader, clock)
    half.give_password(people.reader)
    others.log_in(people.editor)
    link = reset_link(people.reader)
    reset(mine, link)
    assert [login.ended_at for login in stored(app, Login)] == [clock(), clock(), None]
    assert mine.get("/account").location.startswith("/log-in")
    assert half.get("/log-in/code").location.startswith("/log-in")
    assert others.get("/account").status == 200


def test_it_lifts_the_stop_on_codes(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock, reset_link: Callable[[Person], str]
) -> None:
    subject = [Subject(Kind.CODE_OF_ACCOUNT, str(people.reader.id))]
    with app.app_context():
        phone = give_app(people.reader, clock)
        for number in range(100, 0, -1):
            with transaction() as session:
                assert throttles.count(session, subject, clock() - timedelta(minutes=30) * number) is None
    browser.give_password(people.reader)
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 429
    reset(browser, reset_link(people.reader))
    assert stored(app, Throttle, kind=Kind.CODE_OF_ACCOUNT) == []
    browser.give_password(people.reader, password=NEW)
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 303


def test_a_weak_new_password_is_refused_and_the_link_still_works(
    app: Flask, browser: Browser, people: Cast, reset_link: Callable[[Person], str]
) -> None:
    old = digest_of(app, people.reader)
    page = browser.get(reset_link(people.reader), follow=True)
    for password, words in (
        ("too short", "Use at least 12 characters."),
        ("administrator", "This password is too easy to guess."),
        ("Reader.Example.org", "This password is too easy to guess."),
        ("x " * 128 + "x", "Use at most 256 characters."),
    ):
        answer = browser.send(page, password=password)
        assert answer.status == 422
        assert f'id="password-error">{words}' in answer.html
        assert password not in answer.html
    assert digest_of(app, people.reader) == old
    assert browser.send(page, password=NEW).status == 303


def test_an_invitation_lets_a_new_person_choose_name_and_password(
    app: Flask, browser: Browser, people: Cast, invitation: str
) -> None:
    person = Person(the_one(app, Account, email="new@example.org").id, "new@example.org", "New", password=NEW)
    page = browser.get(invitation, follow=True)
    assert page.response.request.path == "/invitation"
    assert 'value="new@example.org"' in page.html, "whose it is"
    assert page.form("Accept").fields["name"] == "New"
    answer = browser.send(page, name="\u200b", password=NEW)
    assert (answer.status, "Enter a name of 1 to 100 visible characters." in answer.text) == (422, True)
    answer = browser.send(page, name="  Zoë  New ", password=NEW, email="other@example.org", role="admin")
    assert (answer.status, answer.location) == (303, "/log-in")
    assert DONE in browser.get("/log-in").text
    account = the_one(app, Account, id=person.id)
    assert (account.email, account.name, account.is_operator) == ("new@example.org", "Zoë New", False)
    assert stored(app, Login) == []
    assert is_gone(browser.get(invitation, follow=True))
    assert browser.log_in(person).location == "/"


def test_a_person_logged_in_who_opens_somebody_elses_link_stays_who_they_are(
    app: Flask, browser: Browser, people: Cast, reset_link: Callable[[Person], str]
) -> None:
    browser.log_in(people.editor)
    page = reset(browser, reset_link(people.reader))
    assert (page.status, page.location) == (303, "/log-in")
    assert people.editor.email in browser.get("/account").text
    assert digest_of(app, people.reader) != digest_of(app, people.editor)
