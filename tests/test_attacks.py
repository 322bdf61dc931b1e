"""What somebody gains from a stolen password, a stolen half login, a stolen cookie: none of what MFA protects."""

from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import Authenticator, Event, Login
from mfaportal.rules.mfa_rule import MfaRule
from tests import thief
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.offer import SET_UP, offer_of
from tests.people import Cast, Person, give_app, set_rule
from tests.stored import cookie_of, plant_cookie, stored, the_one

ADD = "/account/security/methods/add"


@pytest.fixture
def victim(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """The operator, who has set up an app: nobody has more to lose."""
    with app.app_context():
        give_app(people.operator, clock, "Operator's own phone")
        give_app(people.editor, clock, "Editor's own phone")
    return people.operator


@pytest.fixture
def burglar(new_browser: Callable[[], Browser]) -> Browser:
    """Somebody else's browser, at another address."""
    browser = new_browser()
    browser.address = "198.51.100.66"
    return browser


def send_every_form(app: Flask, browser: Browser, csrf: str, *, step_up: bool = False) -> dict[str, int]:
    """POST whatever there is, with a right CSRF value; the statuses by endpoint."""
    forms = thief.addresses(app, "POST", app_id=1, account_id=1, step_up=step_up)
    return {
        endpoint: browser.open("POST", path, data={**thief.FIELDS, "csrf_token": csrf}).status
        for endpoint, path in forms.items()
    }


def test_the_forms_sent_here_do_change_things_when_their_owner_sends_them(
    app: Flask, browser: Browser, victim: Person
) -> None:
    """Else the tests below would prove nothing."""
    browser.log_in(victim)
    before = thief.what_matters(app)
    send_every_form(app, browser, browser.csrf("/account"))
    after = thief.what_matters(app)
    assert len([fact for fact in before if fact not in after]) >= 3
    assert len(stored(app, Authenticator)) == 1, "an app was deleted"


def test_a_stolen_password_shows_no_page_of_the_account(
    app: Flask, burglar: Browser, people: Cast, victim: Person
) -> None:
    assert burglar.give_password(victim).location == "/log-in/code"
    seen = ""
    for endpoint, path in thief.addresses(app, "GET", app_id=1, account_id=1).items():
        page = burglar.get(path)
        assert not thief.shows_a_key(page), endpoint
        assert thief.is_local(page) or not page.location
        if endpoint.startswith(("gateway.", "guarded_host.")):
            assert (page.status, page.location) in [(403, ""), (404, "")], endpoint
        elif not endpoint.startswith(("auth.", "health.", "front_office.request_access")):
            assert (page.status, page.location) == (303, "/log-in/code"), endpoint
        seen += page.html
    for telling in ("own phone", victim.name + "<", *(person.email for person in people.everybody)):
        assert telling not in seen


def test_a_stolen_password_changes_nothing(app: Flask, burglar: Browser, victim: Person) -> None:
    burglar.give_password(victim)
    csrf = burglar.csrf("/log-in/code")
    before = thief.what_matters(app)
    statuses = send_every_form(app, burglar, csrf)
    assert thief.what_matters(app) == before
    assert 400 not in statuses.values(), "the CSRF value was right, so something else kept them out"
    assert statuses["auth.enter_code"] == 422


def test_a_stolen_password_offers_no_set_up(
    app: Flask, burglar: Browser, victim: Person, clock: MovableClock
) -> None:
    """Not even when a rule demands one, applied now."""
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock, apply_now=True)
    burglar.give_password(victim)
    for path in (SET_UP, ADD):
        assert burglar.get(path).location == "/log-in/code"
    assert the_one(app, Login).pending_secret is None


def test_a_stolen_password_does_not_keep_the_owner_from_what_they_do(
    app: Flask, browser: Browser, burglar: Browser, victim: Person, clock: MovableClock
) -> None:
    """Wrong codes pause the log-in, but neither a live login nor its step-up: so the password can be changed."""
    assert victim.phone is not None
    browser.log_in(victim)
    clock.advance(minutes=11)
    burglar.give_password(victim)
    wrong_code = victim.phone.wrong_code(clock())
    assert [burglar.submit("/log-in/code", code=wrong_code).status for _ in range(7)] == [422] * 5 + [429] * 2
    assert browser.get("/account").status == 200
    assert browser.get(ADD).location == f"/confirm?next={ADD}"
    assert browser.submit(f"/confirm?next={ADD}", code=victim.phone.code(clock())).location == ADD
    wrong = [event.account_id for event in stored(app, Event) if event.kind == "code:wrong"]
    assert wrong == [victim.id] * 5, "and the owner can see that somebody has the password"


def test_a_stolen_half_login_dies_when_its_owner_gives_the_code(
    app: Flask, browser: Browser, burglar: Browser, victim: Person, clock: MovableClock
) -> None:
    assert victim.phone is not None
    browser.give_password(victim)
    plant_cookie(burglar, cookie_of(browser))
    csrf = burglar.csrf("/log-in/code")
    before = thief.what_matters(app)
    send_every_form(app, burglar, csrf)
    assert thief.what_matters(app) == before
    assert browser.submit("/log-in/code", code=victim.phone.code(clock())).status == 303
    for path in ("/account", "/log-in/code", SET_UP):
        assert burglar.get(path).location.startswith("/log-in?"), path
    assert browser.get("/account").status == 200


def test_a_stolen_half_login_at_set_up_is_worth_nothing_once_its_owner_is_done(
    app: Flask, browser: Browser, burglar: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    browser.give_password(people.reader)
    page = browser.get(SET_UP)
    plant_cookie(burglar, cookie_of(browser))
    stale = burglar.get(SET_UP)
    phone = offer_of(browser).phone
    assert browser.send(page, code=phone.code(clock()), name="My phone").status == 303
    assert burglar.send(stale, code=phone.code(clock(), 1), name="Thief").location == "/log-in"
    assert burglar.get(SET_UP).location.startswith("/log-in?")
    assert the_one(app, Authenticator).name == "My phone"


def test_a_stolen_cookie_ten_minutes_old_opens_nothing_sensitive(
    app: Flask, browser: Browser, burglar: Browser, victim: Person, clock: MovableClock
) -> None:
    browser.log_in(victim)
    plant_cookie(burglar, cookie_of(browser))
    clock.advance(minutes=10, seconds=1)
    sensitive = thief.addresses(app, "GET", app_id=1, account_id=1, step_up=True)
    assert len(sensitive) >= 11
    for endpoint, path in sensitive.items():
        page = burglar.get(path)
        assert (page.status, page.location) == (303, f"/confirm?next={path}"), endpoint
    for endpoint, path in thief.addresses(app, "GET", app_id=1, account_id=1).items():
        assert not thief.shows_a_key(burglar.get(path)), endpoint


def test_a_stolen_cookie_ten_minutes_old_gets_no_key_by_a_form_that_was_never_opened(
    app: Flask, browser: Browser, burglar: Browser, victim: Person, clock: MovableClock
) -> None:
    """The ten minutes that a form gets on top are for whoever opened it in time."""
    browser.log_in(victim)
    plant_cookie(burglar, cookie_of(browser))
    csrf = burglar.csrf("/account")
    clock.advance(minutes=10, seconds=1)
    for fields in ({}, {"code": "000000"}, {"code": "000000", "name": "Thief"}):
        page = burglar.open("POST", ADD, data={**fields, "csrf_token": csrf})
        assert (page.status, page.location) == (303, f"/confirm?next={ADD}")
        assert not thief.shows_a_key(page)
    assert the_one(app, Login).pending_secret is None


def test_a_stolen_cookie_ten_minutes_old_changes_nothing(
    app: Flask, browser: Browser, burglar: Browser, people: Cast, clock: MovableClock
) -> None:
    """The ten minutes that a form gets on top are for the one that was opened in time: a thief's are too young."""
    browser.log_in(people.operator)
    browser.get(ADD)
    plant_cookie(burglar, cookie_of(browser))
    clock.advance(minutes=10, seconds=1)
    before = thief.what_matters(app)
    statuses = send_every_form(app, burglar, burglar.csrf("/account"), step_up=True)
    assert set(statuses.values()) == {303}
    assert thief.what_matters(app) == before


def test_a_stolen_cookie_twenty_minutes_old_changes_nothing(
    app: Flask, browser: Browser, burglar: Browser, victim: Person, clock: MovableClock
) -> None:
    """Not even with a form that its owner left open."""
    browser.log_in(victim)
    browser.get(ADD)
    plant_cookie(burglar, cookie_of(browser))
    csrf = burglar.csrf("/account")
    clock.advance(minutes=20, seconds=1)
    before = thief.what_matters(app)
    statuses = send_every_form(app, burglar, csrf, step_up=True)
    assert set(statuses.values()) == {303}
    assert thief.what_matters(app) == before


def test_a_stolen_cookie_guesses_five_codes(
    app: Flask, browser: Browser, burglar: Browser, victim: Person, clock: MovableClock
) -> None:
    assert victim.phone is not None
    browser.log_in(victim)
    plant_cookie(burglar, cookie_of(browser))
    clock.advance(minutes=11)
    wrong = victim.phone.wrong_code(clock())
    statuses = [burglar.submit(f"/confirm?next={ADD}", code=wrong).status for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    assert the_one(app, Login).confirmed_at < clock()


def test_a_stolen_cookie_is_dead_when_its_owner_logs_out(browser: Browser, burglar: Browser, victim: Person) -> None:
    browser.log_in(victim)
    plant_cookie(burglar, cookie_of(browser))
    assert burglar.get("/account").status == 200
    browser.log_out()
    assert burglar.get("/account").location == "/log-in?next=/account"
