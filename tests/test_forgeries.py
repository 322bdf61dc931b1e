"""Requests and cookies that nobody meant: other sites' forms, replays, planted and altered sessions."""

import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from mfaportal.models import Authenticator, Login
from mfaportal.rules.mfa_rule import MfaRule
from tests import thief
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.offer import CODES, SET_UP, Offer
from tests.people import Cast, Person, give_app, set_rule
from tests.stored import HOST, cookie_of, plant_cookie, session_of, stored, the_one, token_of

ELSEWHERE = {"auth.log_in", "auth.forgot_password", "auth.enter_code", "auth.recovery", "auth.finish_set_up"}
"""Not for somebody logged in: sent away before anything is read."""


@pytest.fixture
def operator(app: Flask, people: Cast, clock: MovableClock) -> Person:
    with app.app_context():
        give_app(people.operator, clock)
    return people.operator


@pytest.fixture
def logged_in(browser: Browser, operator: Person) -> Browser:
    """The operator's browser, just logged in: nothing but CSRF values stands between a form and its effect."""
    browser.log_in(operator, path="/log-in?next=/account/security")
    return browser


def test_no_form_of_another_site_is_taken(app: Flask, logged_in: Browser, new_browser: Callable[[], Browser]) -> None:
    """Without a CSRF value, with one of another browser, with one in the query, or altered."""
    foreign, own = new_browser().csrf(), logged_in.csrf("/account")
    before = thief.what_matters(app)
    forms = {**thief.addresses(app, "POST", app_id=1, account_id=1), "auth.log_out": "/log-out"}
    for endpoint, path in forms.items():
        if endpoint in ELSEWHERE:
            continue
        for value in ("", foreign, own[:-1], own.swapcase()):
            page = logged_in.open("POST", f"{path}?csrf_token={own}", data={**thief.FIELDS, "csrf_token": value})
            assert page.status == 400, (endpoint, value)
        assert logged_in.open("POST", path, data=thief.FIELDS).status == 400, endpoint
    assert thief.what_matters(app) == before
    assert logged_in.get("/account").status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data; boundary=x"])
def test_a_body_of_another_kind_is_no_form(app: Flask, logged_in: Browser, kind: str) -> None:
    fields = {"csrf_token": logged_in.csrf("/account"), "name": "Changed"}
    body = json.dumps(fields) if "json" in kind else f"csrf_token={fields['csrf_token']}&name=Changed"
    page = logged_in.open("POST", "/account", data=body, headers={"Content-Type": kind})
    assert page.status in (400, 415)
    assert "Changed" not in logged_in.get("/account").text


def test_a_log_in_form_of_another_site_logs_nobody_in(app: Flask, browser: Browser, people: Cast) -> None:
    """Else somebody could be logged in as the attacker without noticing."""
    browser.get("/log-in")
    fields = {"email": people.reader.email, "password": people.reader.password}
    for data in (fields, {**fields, "csrf_token": "x" * 91}):
        assert browser.open("POST", "/log-in", data=data).status == 400
    assert stored(app, Login) == []


def test_opening_a_page_changes_nothing(app: Flask, logged_in: Browser) -> None:
    """GET, HEAD and OPTIONS of every address, by somebody who may do everything. A key is put on offer, no more."""
    before = thief.what_matters(app, keys_on_offer=False)
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in thief.addresses(app, "GET", app_id=1, account_id=1).values():
            logged_in.open(method, path, query_string=thief.FIELDS)
        for path in thief.addresses(app, "POST", app_id=1, account_id=1).values():
            logged_in.open(method, path, query_string=thief.FIELDS)
    assert thief.what_matters(app, keys_on_offer=False) == before
    assert logged_in.get("/account").status == 200


def test_a_code_seen_on_its_way_is_worth_nothing_after(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], operator: Person, clock: MovableClock
) -> None:
    """Whoever recorded the whole request can send it again, cookie and all."""
    assert operator.phone is not None
    browser.give_password(operator)
    recorded = cookie_of(browser)
    form = browser.get("/log-in/code").form("Submit").fields | {"code": operator.phone.code(clock())}
    assert browser.open("POST", "/log-in/code", data=form).status == 303
    replaying = new_browser()
    plant_cookie(replaying, recorded)
    page = replaying.open("POST", "/log-in/code", data=form)
    assert (page.status, page.location) == (303, "/log-in")
    assert replaying.get("/account").location == "/log-in?next=/account"
    assert len(stored(app, Login)) == 1


def test_a_set_up_form_sent_twice_adds_one_app(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    browser.give_password(people.reader)
    page = browser.get(SET_UP)
    fields = page.form("Submit").fields | {"code": Offer(page).phone.code(clock()), "name": "My phone"}
    recorded = cookie_of(browser)
    assert browser.open("POST", SET_UP, data=fields).location == f"{CODES}?next=/"
    assert browser.open("POST", SET_UP, data=fields).location == "/", "to the page of its stage"
    plant_cookie(browser, recorded)
    assert browser.open("POST", SET_UP, data=fields).location == "/log-in"
    assert len(stored(app, Authenticator)) == 1


def test_a_session_planted_before_the_log_in_is_not_logged_in_by_it(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    planted, attacker = new_browser(), new_browser()
    value = attacker.csrf("/log-in")
    plant_cookie(planted, cookie_of(attacker))
    planted.log_in(people.reader)
    assert token_of(planted) not in cookie_of(attacker)
    assert attacker.get("/account").location == "/log-in?next=/account"
    page = planted.open("POST", "/account", data={"csrf_token": value, "name": "Changed"})
    assert page.status == 400, "the CSRF value that the attacker knows is gone, too"


def test_a_half_login_planted_by_an_attacker_does_not_become_the_victims(
    app: Flask,
    browser: Browser,
    new_browser: Callable[[], Browser],
    people: Cast,
    operator: Person,
    clock: MovableClock,
) -> None:
    """The victim is asked for a code of the attacker's account, and what they do instead ends that login."""
    attacker = new_browser()
    attacker.give_password(operator)
    plant_cookie(browser, cookie_of(attacker))
    clock.advance(minutes=11)
    browser.log_in(people.reader)
    assert people.reader.email in browser.get("/account").text
    assert attacker.get("/log-in/code").location.startswith("/log-in?")
    planted, own = stored(app, Login)
    assert (planted.account_id, planted.ended_at, own.account_id) == (operator.id, clock(), people.reader.id)


def test_a_token_counts_in_the_cookie_only(
    app: Flask, logged_in: Browser, new_browser: Callable[[], Browser]
) -> None:
    token = token_of(logged_in)
    other = new_browser()
    places = {"_user_id": token, "session": cookie_of(logged_in), "token": token}
    assert other.get("/account", query_string=places).status == 303
    assert other.get("/account", headers={"Authorization": f"Bearer {token}", "X-Token": token}).status == 303
    other.client.set_cookie("session", cookie_of(logged_in), domain=HOST)
    other.client.set_cookie("_user_id", token, domain=HOST)
    other.client.set_cookie("remember_token", token, domain=HOST)
    assert other.get("/account").status == 303


@pytest.mark.parametrize("at", [0, 5, 20, 40, -30, -20, -10, -3])
def test_an_altered_cookie_is_nobodys(browser: Browser, people: Cast, at: int) -> None:
    browser.log_in(people.reader)
    value = cookie_of(browser)
    at %= len(value)
    plant_cookie(browser, value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :])
    page = browser.get("/account")
    assert (page.status, page.location) == (303, "/log-in?next=/account")


@pytest.mark.parametrize("value", ["", ".", "..", "e30.e30.e30", "." * 3000, "é", "null", '{"_user_id": 1}'])
def test_a_cookie_that_makes_no_sense_is_nobodys(browser: Browser, people: Cast, value: str) -> None:
    plant_cookie(browser, value)
    assert browser.get("/account").status == 303
    assert browser.get("/log-in").status == 200


@pytest.mark.parametrize("key", ["dev", "secret", "0" * 64])
def test_a_cookie_signed_with_another_key_is_nobodys(
    logged_in: Browser, new_browser: Callable[[], Browser], key: str
) -> None:
    forger = Flask("forger")
    forger.secret_key = key
    serializer = SecureCookieSessionInterface().get_signing_serializer(forger)
    assert serializer is not None
    other = new_browser()
    plant_cookie(other, serializer.dumps(session_of(logged_in)))
    assert other.get("/account").status == 303


def test_a_cookie_of_another_flask_application_disturbs_nobody(logged_in: Browser, people: Cast) -> None:
    """On localhost, or a parent domain, browsers send those of others as well."""
    logged_in.client.set_cookie("remember_token", "1|0123456789abcdef", domain=HOST)
    logged_in.client.set_cookie("session", "eyJfdXNlcl9pZCI6IjEifQ.x.y", domain=HOST)
    before = cookie_of(logged_in)
    assert logged_in.get("/account").status == 200
    assert cookie_of(logged_in) == before, "nor does reading a page write the cookie"


def test_the_cookie_says_nothing_about_its_owner(app: Flask, logged_in: Browser, operator: Person) -> None:
    """Signed, not sealed: so it holds a random token, a CSRF value, and nothing else."""
    kept = session_of(logged_in)
    assert set(kept) == {"_user_id", "csrf_token"}
    assert len(cookie_of(logged_in)) < 400
    login = the_one(app, Login)
    assert str(login.id) != kept["_user_id"]
    assert kept["_user_id"].encode() not in login.token_digest
    assert operator.email not in json.dumps(kept)
