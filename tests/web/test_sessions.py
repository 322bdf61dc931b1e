"""The session in the browser's cookie: what it holds, when it is renewed, and when it is written."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from itsdangerous.timed import TimestampSigner

from mfaportal.plumbing.tokens import digest
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.cookies import TOKEN, cookie_of, held_by, is_logged_in, with_cookie
from tests.offer import Offer
from tests.people import PORTAL, Cast, give_app, seed, set_rule
from tests.rows import live_logins

KEYS = ("0123456789abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba9876543210")
MakeApp = Callable[..., Flask]
NewBrowser = Callable[[], Browser]


def test_the_session_holds_a_token_and_nothing_that_says_who_one_is(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        phone = give_app(people.editor, clock)
    browser.get("/log-in?next=/account/security")
    assert held_by(browser).keys() == {"csrf_token"}
    browser.give_password(people.editor, path="/log-in?next=/account/security")
    assert held_by(browser).keys() == {"csrf_token", TOKEN, "wanted"}
    assert held_by(browser)["wanted"] == "/account/security"
    browser.submit("/log-in/code", code=phone.code(clock()))
    held = held_by(browser)
    assert held.keys() == {"csrf_token", TOKEN}
    assert len(held[TOKEN]) >= 43
    assert [login.token_digest for login in live_logins(app, people.editor)] == [digest(held[TOKEN])]
    browser.submit("/account", name="Zacharias")
    assert held_by(browser).keys() == {"csrf_token", TOKEN, "_flashes"}
    assert "Zacharias" not in str(held_by(browser))
    browser.log_out()
    assert held_by(browser).keys() == {"_flashes"}


def test_the_same_on_the_way_through_set_up(app: Flask, browser: Browser, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    browser.give_password(people.reader)
    assert held_by(browser).keys() == {"csrf_token", TOKEN}
    phone = Offer(browser.get("/log-in/set-up")).phone
    browser.submit("/log-in/set-up", code=phone.code(clock()), name="My phone")
    assert held_by(browser).keys() == {"csrf_token", TOKEN, "_flashes"}
    assert phone.key not in cookie_of(browser) + str(held_by(browser))


def test_at_each_step_the_session_is_renewed_and_the_old_one_dead(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        phone = give_app(people.reader, clock)
    browser.get("/log-in")
    old = [cookie_of(browser)]
    browser.give_password(people.reader)
    old.append(cookie_of(browser))
    browser.submit("/log-in/code", code=phone.code(clock()))
    for cookie in old:
        assert not is_logged_in(with_cookie(new_browser(), cookie))
        assert with_cookie(new_browser(), cookie).get("/log-in/code").location.startswith("/log-in?")
    whole = cookie_of(browser)
    assert is_logged_in(with_cookie(new_browser(), whole))
    browser.log_out()
    assert not is_logged_in(with_cookie(new_browser(), whole))


def test_set_up_renews_it_too(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    before = cookie_of(browser)
    phone = Offer(browser.get("/account/security/methods/add")).phone
    page = browser.submit("/account/security/methods/add", code=phone.code(clock()), name="My phone")
    assert page.status == 303
    assert not is_logged_in(with_cookie(new_browser(), before))
    assert is_logged_in(browser)


def test_the_csrf_value_is_renewed_with_it(app: Flask, browser: Browser, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        phone = give_app(people.editor, clock)
    browser.give_password(people.editor)
    half = browser.get("/log-in/code")
    assert browser.send(half, code=phone.code(clock())).status == 303
    fields = {**half.form().fields, "name": "Other"}
    assert browser.open("POST", "/account", data=fields).status == 400
    browser.log_out()
    form = browser.get("/log-in").form().fields
    browser.log_in(people.reader)
    assert browser.open("POST", "/account", data={**form, "name": "Other"}).status == 400
    form = browser.get("/account").form().fields
    browser.log_out()
    browser.get("/log-in")
    assert browser.open("POST", "/log-in", data={**form, "email": "a", "password": "b"}).status == 400


def _pages(app: Flask, ids: dict[str, str]) -> list[str]:
    """Every page that a GET opens, but for the links that put their token into the session."""
    links = ("auth.open_reset_link", "auth.open_invitation", "auth.open_address_link", "auth.open_email_link")
    rules = [
        rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint not in links
    ]
    return [re.sub(r"<(?:\w+:)?(\w+)>", lambda found: ids[found[1]], rule.rule) for rule in rules]


def test_while_logged_in_a_get_sets_no_cookie(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    """A slow GET would write an old token back over the one that a POST in another tab was given meanwhile."""
    with app.app_context():
        give_app(people.operator, clock)
    browser.log_in(people.operator)
    numbers = dict.fromkeys(("app_id", "account_id", "invitation_id", "mail_id"), "1")
    pages = _pages(app, {"portal": PORTAL, "dataset": "trees", "filename": "portal.css", **numbers})
    assert len(pages) > 20
    for minutes in (0, 2, 30):
        clock.advance(minutes=minutes)
        for path in [*pages, "/nowhere", "/log-in?next=/account", "/welcome?token=a"]:
            page = browser.get(path, buffered=True)
            assert page.status < 500
            assert "Set-Cookie" not in page.response.headers, path


def test_but_for_the_taking_of_a_message(browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    browser.submit("/account", name="Other")
    assert "Set-Cookie" in browser.get("/account").response.headers
    assert "Set-Cookie" not in browser.get("/account").response.headers
    assert held_by(browser).keys() == {"csrf_token", TOKEN}


@pytest.fixture
def with_key(make_app: MakeApp, clock: MovableClock) -> Callable[[str], Browser]:
    return lambda key: Browser(make_app(MFAPORTAL_SECRET_KEY=key), clock)


def test_a_new_signing_key_with_the_old_one_behind_it_keeps_people_logged_in(
    with_key: Callable[[str], Browser], clock: MovableClock
) -> None:
    old, new = KEYS
    browser = with_key(old)
    with browser.client.application.app_context():
        person = seed(clock).reader
    browser.log_in(person)
    cookies = dict(browser.client._cookies or {})
    for key, alive in ((f"{new},{old}", True), (new, False)):
        later = with_key(key)
        later.client._cookies = dict(cookies)
        assert is_logged_in(later) is alive
        if alive:
            assert later.submit("/account", name="Other").status == 303
            later.log_out()
            assert later.give_password(person).status == 303
            later.log_out()


def test_a_form_may_lie_open_for_a_day(browser: Browser, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    page = browser.get("/log-in")
    now = TimestampSigner("key").get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self: now + 24 * 3600)
    assert browser.send(page, email=people.reader.email, password=people.reader.password).status == 303
