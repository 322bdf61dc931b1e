"""What recovery codes give whoever stole a password, half login or cookie, or has an account of their own."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import Account, Authenticator, Login, RecoveryCode
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows, thief
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.offer import CODES, SET_UP, Offer
from tests.people import Cast, Person, give_app, set_rule
from tests.stored import cookie_of, plant_cookie, stored, the_one

RECOVERY = "/log-in/recovery"
METHODS = "/account/security/methods"


@pytest.fixture
def victim(app: Flask, people: Cast, clock: MovableClock) -> Person:
    """The operator, with an app (number 1) and codes."""
    with app.app_context():
        give_app(people.operator, clock, "Operator's own phone", codes=True)
        give_app(people.editor, clock, codes=True)
    return people.operator


@pytest.fixture
def burglar(new_browser: Callable[[], Browser]) -> Browser:
    browser = new_browser()
    browser.address = "198.51.100.66"
    return browser


def state(app: Flask) -> list[list[object]]:
    """Apps, codes, and what an account says of them."""
    accounts = [(account.id, account.codes_saved_at) for account in stored(app, Account)]
    return [stored(app, Authenticator), stored(app, RecoveryCode), [*accounts]]


def test_a_stolen_password_guesses_five_recovery_codes_and_waits(
    app: Flask, new_browser: Callable[[], Browser], victim: Person, clock: MovableClock
) -> None:
    """Whatever the browser and the address, and whichever kind of code was guessed before."""
    guesses = [f"AAAA-BBBB-CCCC-{letter * 4}" for letter in "ABC"]
    statuses = []
    browsers = [new_browser() for _ in range(3)]
    for number, browser in enumerate(browsers):
        browser.address = f"198.51.100.{number + 1}"
        browser.give_password(victim)
        statuses += [browser.submit(RECOVERY, code=guess).status for guess in guesses]
    assert statuses == [422] * 5 + [429] * 4
    last = browsers[-1]
    assert last.submit(RECOVERY, code=victim.codes[0]).status == 429, "not even a right one is judged"
    clock.advance(minutes=5)
    assert last.submit("/log-in/code", code="000000").status == 422
    assert last.submit(RECOVERY, code=victim.codes[0]).status == 303


def test_a_stolen_half_login_sees_no_code_and_makes_none(
    app: Flask, browser: Browser, burglar: Browser, victim: Person
) -> None:
    browser.give_password(victim)
    plant_cookie(burglar, cookie_of(browser))
    csrf, before = burglar.csrf("/log-in/code"), state(app)
    for path in (CODES, f"{CODES}/download", f"{METHODS}/1/replace", METHODS):
        page = burglar.get(path)
        assert (page.status, page.location) == (303, "/log-in/code"), path
        fields = {**thief.FIELDS, "csrf_token": csrf}
        assert burglar.open("POST", path, data=fields).status in (303, 405), path
    assert state(app) == before


def test_a_stolen_half_login_at_set_up_never_sees_the_codes_that_its_owner_is_shown(
    app: Flask, browser: Browser, burglar: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    browser.give_password(people.reader)
    page = browser.get(SET_UP)
    plant_cookie(burglar, cookie_of(browser))
    assert browser.send(page, code=Offer(page).phone.code(clock()), name="My phone").status == 303
    assert thief.shows_a_key(browser.get(CODES))
    for path in (CODES, f"{CODES}/download", f"{METHODS}/1/replace"):
        page = burglar.get(path)
        assert (page.status, page.location) == (303, f"/log-in?next={path}"), path


@pytest.mark.parametrize(("minutes", "in_time"), [(10, False), (20, True)], ids=["ten minutes", "twenty minutes"])
def test_a_stolen_cookie_that_old_neither_sees_nor_replaces_codes_nor_touches_an_app(
    app: Flask,
    browser: Browser,
    burglar: Browser,
    victim: Person,
    clock: MovableClock,
    minutes: int,
    in_time: bool,
) -> None:
    """Though its owner has codes on show in this very login, and left the forms open. A thief's own are too young for
    the ten minutes that those get on top, unless he opened them with the owner (`in_time`).
    """
    browser.log_in(victim)
    assert thief.shows_a_key(browser.submit(CODES, button="Replace codes", follow=True))
    browser.get(f"{METHODS}/1/replace")
    plant_cookie(burglar, cookie_of(browser))
    csrf, before = burglar.csrf("/account"), state(app)
    clock.advance(minutes=minutes, seconds=1)
    if not in_time:
        csrf = burglar.csrf("/account")
    for path in (CODES, f"{CODES}/download", f"{METHODS}/add", f"{METHODS}/1/replace", f"{METHODS}/1/delete"):
        for method in ("GET", "POST"):
            if (method, path) == ("POST", f"{CODES}/download"):
                continue
            page = burglar.open(method, path, data={**thief.FIELDS, "csrf_token": csrf} if method == "POST" else None)
            assert (page.status, page.location) == (303, f"/confirm?next={path}"), (method, path)
            assert not thief.shows_a_key(page)
    assert state(app) == before


def test_a_stolen_cookie_guesses_five_recovery_codes_at_step_up(
    app: Flask, browser: Browser, burglar: Browser, victim: Person, clock: MovableClock
) -> None:
    browser.log_in(victim)
    plant_cookie(burglar, cookie_of(browser))
    clock.advance(minutes=11)
    guesses = [f"AAAA-BBBB-CCCC-{letter * 4}" for letter in "ABCDEFG"]
    statuses = [burglar.submit(f"/confirm?next={CODES}", code=guess).status for guess in guesses]
    assert statuses == [422] * 5 + [429] * 2
    assert the_one(app, Login).confirmed_at < clock()


def test_an_attackers_own_recovery_codes_open_nobody_elses_account(
    app: Flask, burglar: Browser, people: Cast, victim: Person, clock: MovableClock
) -> None:
    """Neither at log-in nor at step-up; nor does a digest that is copied to another account."""
    burglar.give_password(victim)
    assert burglar.submit(RECOVERY, code=people.editor.codes[0]).status == 422
    own = stored(app, RecoveryCode, account_id=people.editor.id)[0]
    victims = stored(app, RecoveryCode, account_id=victim.id)[0]
    rows.put(app, update(RecoveryCode).where(RecoveryCode.id == victims.id).values(digest=own.digest))
    assert burglar.submit(RECOVERY, code=people.editor.codes[0]).status == 422
    assert the_one(app, Login).second_factor_at is None
    assert not any(code.used_at for code in stored(app, RecoveryCode))


def test_whoever_stole_a_recovery_code_and_no_password_gets_nowhere(
    app: Flask, burglar: Browser, victim: Person
) -> None:
    csrf = burglar.csrf("/log-in")
    page = burglar.open("POST", RECOVERY, data={"csrf_token": csrf, "code": victim.codes[0]})
    assert (page.status, page.location) == (303, "/log-in")
    assert burglar.submit("/log-in", email=victim.email, password=victim.codes[0]).status == 422
    assert not any(code.used_at for code in stored(app, RecoveryCode))


def test_a_login_let_in_by_a_recovery_code_may_add_an_app_and_nothing_else_without_a_step_up(
    app: Flask, browser: Browser, burglar: Browser, victim: Person, clock: MovableClock
) -> None:
    """So its stolen cookie can, for pages.md grants it to whoever lost a phone; its owner is mailed."""
    browser.give_password(victim)
    browser.submit(RECOVERY, code=victim.codes[0])
    plant_cookie(burglar, cookie_of(browser))
    clock.advance(minutes=11)
    open_to = {
        endpoint
        for endpoint, path in thief.addresses(app, "GET", app_id=1, account_id=1, step_up=True).items()
        if not burglar.get(path).location.startswith("/confirm")
    }
    assert open_to == {"account.add_app", "account.replace_app"}
