"""Cookies that others made, the device's, and those of a second installation: none opens or breaks anything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_login import encode_cookie
from itsdangerous import URLSafeTimedSerializer

from mfaportal.plumbing.db import db
from mfaportal.plumbing.runtime import runtime
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.cookies import DEVICE, TOKEN, cookie_of, held_by, is_logged_in, serializer, with_cookie
from tests.people import Cast, give_app, seed

MakeApp = Callable[..., Flask]
NewBrowser = Callable[[], Browser]


def test_no_cookie_of_strangers_making_breaks_or_opens_anything(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast
) -> None:
    browser.log_in(people.reader)
    right = cookie_of(browser)
    forged = URLSafeTimedSerializer("another key altogether", salt="cookie-session").dumps(held_by(browser))
    altered = (right[:-1], right[1:], right + "a", right[::-1], right.swapcase())
    nonsense = ("", ".", "..", "a", "a.b.c", "\u00e9", "\xff", '"', "null", "{}", ".eJ" + "A" * 3_000)
    for value in (forged, *altered, *nonsense):
        assert not is_logged_in(with_cookie(new_browser(), value)), value
        assert with_cookie(new_browser(), value, DEVICE).get("/log-in").status == 200, value
    assert is_logged_in(browser)


def test_a_session_is_signed_as_flask_signs_it(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast
) -> None:
    """What is worked out once here reads what Flask has written, and Flask reads it: nobody is logged out by it."""
    browser.log_in(people.reader)
    flasks = SecureCookieSessionInterface().get_signing_serializer(app)
    assert flasks is not None
    held = flasks.loads(cookie_of(browser))
    assert held == held_by(browser)
    assert is_logged_in(with_cookie(new_browser(), flasks.dumps(held)))


@pytest.mark.parametrize(
    "held",
    [
        {TOKEN: 1},
        {TOKEN: None},
        {TOKEN: ["a"]},
        {TOKEN: {"a": 1}},
        {TOKEN: ""},
        {TOKEN: "\x00"},
        {TOKEN: "\ud800"},
        {TOKEN: "1"},
        {TOKEN: "a" * 2_000},
        {"_id": "a", "_fresh": True, "_remember": "set"},
        {"wanted": 1},
        {"wanted": "//evil.example"},
        {"reset_token": 1, "invitation_token": ["a"], "email_token": {}},
        {"reset_token": "\ud800", "invitation_token": "a" * 2_000},
        {"unknown": {"deep": ["a", None, 1.5]}},
    ],
    ids=str,
)
def test_what_an_older_release_may_have_signed_logs_nobody_in(
    browser: Browser, people: Cast, held: dict[str, Any]
) -> None:
    value = serializer(browser.client.application).dumps(held)
    for path in ("/", "/log-in", "/account", "/log-in/code", "/log-in/set-up", "/confirm"):
        assert with_cookie(browser, value).get(path).status in (200, 303), path
    for path in ("/reset-password", "/invitation", "/confirm-email"):
        assert with_cookie(browser, value).get(path).status == 410
    assert browser.log_in(people.reader).location == "/"


@pytest.mark.parametrize(
    "foreign", ["1|0123abcd", "nonsense", "|", "a|\u00e9", "\u00e9|\u00e9", "a|" + "b" * 4_000, "signed by us"]
)
def test_a_foreign_remember_token_changes_nothing(
    browser: Browser, new_browser: NewBrowser, people: Cast, foreign: str
) -> None:
    """Any other Flask application on this host may have set one."""
    with browser.client.application.app_context():
        value = encode_cookie(str(people.reader.id)) if foreign == "signed by us" else foreign
    stranger = with_cookie(new_browser(), value, "remember_token")
    assert not is_logged_in(stranger)
    assert stranger.get("/log-in").status == 200
    assert stranger.get("/nowhere").status == 404
    browser.log_in(people.reader)
    before = cookie_of(browser)
    with_cookie(browser, value, "remember_token")
    assert is_logged_in(browser)
    assert "Log out" in browser.get("/account").text
    assert cookie_of(browser) == before


@pytest.fixture
def proxied(make_app: MakeApp, clock: MovableClock) -> Browser:
    return Browser(make_app(MFAPORTAL_PUBLIC_URL="https://portal.example.org"), clock)


@pytest.mark.parametrize(
    ("origin", "referer", "status"),
    [
        # behind a proxy, as it is: the portal itself is asked by http, with or without a referrer
        ("http://portal.example.org", None, 422),
        ("http://portal.example.org", "https://portal.example.org/log-in", 422),
        # were the server ever asked by https, our own Referrer-Policy has browsers send what is needed
        ("https://portal.example.org", "https://portal.example.org/log-in", 422),
        ("https://portal.example.org", "https://evil.example/", 400),
    ],
)
def test_forms_work_behind_https(proxied: Browser, origin: str, referer: str | None, status: int) -> None:
    page = proxied.get("/log-in", base_url=origin)
    assert page.response.headers["Referrer-Policy"] == "same-origin"
    form = {**page.form().fields, "email": "a@example.org", "password": "b"}
    headers = {} if referer is None else {"Referer": referer}
    assert proxied.open("POST", "/log-in", data=form, base_url=origin, headers=headers).status == status


def test_the_device_cookie_proves_nothing(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    browser.log_in(people.reader)
    device = cookie_of(browser, DEVICE)
    assert device
    assert people.reader.email not in device
    other = with_cookie(new_browser(), device, DEVICE)
    assert not is_logged_in(other)
    assert other.give_password(people.reader).location == "/log-in/code"
    assert other.get("/account").location == "/log-in/code"


def test_two_installations_on_one_host_leave_each_other_alone(
    browser: Browser, people: Cast, clock: MovableClock, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """Cookies do not know about ports: names tell them apart."""
    second = make_app(MFAPORTAL_INSTANCE=str(tmp_path / "second"), MFAPORTAL_LISTEN="127.0.0.1:8001")
    with second.app_context():
        runtime().clock = clock
        other_people = seed(clock)
    there = Browser(second, clock)
    browser.log_in(people.reader)
    there.client._cookies = browser.client._cookies

    def at_the_second(path: str, **form: str) -> Page:
        page = there.get(path, base_url="http://127.0.0.1:8001")
        if not form:
            return page
        fields = {**page.forms[-1].fields, **form}
        return there.open("POST", page.forms[-1].action or path, data=fields, base_url="http://127.0.0.1:8001")

    assert at_the_second("/account").location == "/log-in?next=/account"
    person = other_people.reader
    assert at_the_second("/log-in", email=person.email, password=person.password).status == 303
    assert at_the_second("/account").status == 200
    assert is_logged_in(browser)
    browser.log_out()
    assert at_the_second("/account").status == 200
    with second.app_context():
        db.engine.dispose()
