"""Set-up at log-in, where a rule demands it: one key for one login, proven by a code, and never shown again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import qrcode
from flask import Flask
from qrcode.constants import ERROR_CORRECT_M

from mfaportal.models import Authenticator, Event, Login
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.offer import CODES, SET_UP, Offer, offer_of, set_up
from tests.people import Cast, give_app, set_rule
from tests.phone import Phone
from tests.stored import raw_bytes, stored, the_one, token_of

ADD = "/account/security/methods/add"


@pytest.fixture(autouse=True)
def rule(app: Flask, people: Cast, clock: MovableClock) -> None:
    """MFA for everybody, raised before anybody logs in."""
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)


@pytest.fixture
def half(browser: Browser, people: Cast) -> Browser:
    """The reader, who has given the password."""
    assert browser.give_password(people.reader).location == SET_UP
    return browser


def test_the_three_shapes_say_the_same(half: Browser, people: Cast) -> None:
    offer = offer_of(half)
    link = urlsplit(offer.link.replace("&amp;", "&"))
    assert (link.scheme, link.netloc, link.path) == ("otpauth", "totp", "/City%20data:reader%40example.org")
    assert parse_qs(link.query) == {"secret": [offer.key], "issuer": ["City data"]}, "all else are the defaults"
    assert [len(group) for group in offer.grouped.split(" ")] == [4] * 8, "160 bits of Base32, in groups of four"
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4, mask_pattern=4)
    code.add_data(offer.link.replace("&amp;", "&"))
    code.make(fit=True)
    assert offer.matrix == code.get_matrix()
    assert len(offer.drawing) < 3000, "most of the page would be the drawing"


@pytest.mark.needs("zbarimg")
def test_a_reader_of_qr_codes_reads_the_link(half: Browser, tmp_path: Path) -> None:
    offer = offer_of(half)
    assert offer.scanned(tmp_path) == offer.link.replace("&amp;", "&")


def test_the_key_is_on_the_page_once_in_each_shape_and_nobody_keeps_the_page(half: Browser) -> None:
    page = half.get(SET_UP)
    offer = Offer(page)
    assert page.html.count(offer.key) == 1, "in the link"
    assert page.html.count(offer.grouped) == 1
    assert 'aria-label="QR code to scan with your authenticator app"' in page.html
    assert page.response.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.html


def test_the_right_code_finishes_it_and_completes_the_log_in(
    app: Flask, half: Browser, people: Cast, clock: MovableClock
) -> None:
    token = token_of(half)
    page = half.get(SET_UP)
    phone = Offer(page).phone
    pending = the_one(app, Login)
    assert pending.pending_at == clock()
    clock.advance(minutes=3)
    answer = half.send(page, code=phone.code(clock()), name="  My   phone ")
    assert (answer.status, answer.location) == (303, f"{CODES}?next=/")
    login, added = the_one(app, Login), the_one(app, Authenticator)
    assert login.second_factor_at == login.confirmed_at == clock()
    assert (login.pending_secret, login.pending_at, login.password_at) == (None, None, pending.password_at)
    assert (added.name, added.account_id, added.added_at, added.last_used_at) == (
        "My phone",
        people.reader.id,
        clock(),
        None,
    )
    assert added.last_step == int(clock().timestamp()) // 30, "the finishing code is used up"
    assert token_of(half) != token
    assert "Your app is set up. You will be asked for a code at each log-in." in half.get(answer.location).text
    assert [(event.kind, event.details) for event in stored(app, Event)[-3:]] == [
        ("authenticator:added", {"app": added.id, "first": True}),
        ("recovery-codes:made", {}),
        ("login:completed", {"factors": ["password", "totp"]}),
    ]


def test_it_counts_as_the_second_factor_in_this_login_only(
    half: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    set_up(half, clock)
    assert half.get("/account").status == 200
    assert new_browser().give_password(people.reader).location == "/log-in/code"


def test_the_key_stays_the_same_when_the_page_is_loaded_again(half: Browser, clock: MovableClock) -> None:
    first = offer_of(half)
    clock.advance(minutes=29)
    second = offer_of(half)
    assert (second.key, second.matrix) == (first.key, first.matrix)


def test_another_browser_is_offered_another_key(
    half: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    other = new_browser()
    other.give_password(people.reader)
    mine, others = offer_of(half), offer_of(other)
    assert mine.key != others.key
    page = half.get(SET_UP)
    assert half.send(page, code=others.phone.code(clock()), name="My phone").status == 422


def test_an_older_log_in_of_the_account_ends_when_the_first_app_is_set_up(
    app: Flask, half: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    """Also one that was just setting up, whose key is thrown away; other people's logins stay."""
    other, editor = new_browser(), new_browser()
    other.give_password(people.reader)
    key = offer_of(other).key
    editor.give_password(people.editor)
    page = other.get(SET_UP)
    set_up(half, clock)
    answer = other.send(page, code=Offer(page).phone.code(clock()), name="Intruder")
    assert (answer.status, answer.location) == (303, "/log-in")
    mine, others, editors = stored(app, Login)
    assert (mine.ended_at, others.ended_at, editors.ended_at) == (None, clock(), None)
    assert (others.pending_secret, others.pending_at) == (None, None)
    assert the_one(app, Authenticator).name == "My phone"
    with app.app_context():
        opened = runtime().keys.sealer.open(owner_of(people.reader.id), the_one(app, Authenticator).sealed_secret)
    assert opened != key


@pytest.mark.parametrize("field", ["secret", "key", "pending_secret", "sealed_secret", "otpauth", "account_id"])
def test_nobody_chooses_their_own_key(
    app: Flask, half: Browser, people: Cast, clock: MovableClock, field: str
) -> None:
    chosen = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    chosen_so: dict[str, Any] = {field: chosen}
    half.get(f"{SET_UP}?{field}={chosen}")
    page = half.get(SET_UP)
    offer = Offer(page)
    assert half.send(page, code=Phone(chosen).code(clock()), name="Mine", **chosen_so).status == 422
    answer = half.send(page, code=offer.phone.code(clock()), name="Mine", **chosen_so)
    assert answer.status == 303
    added = the_one(app, Authenticator)
    assert added.account_id == people.reader.id
    with app.app_context():
        assert runtime().keys.sealer.open(owner_of(people.reader.id), added.sealed_secret) == offer.key


def test_neither_key_is_readable_on_the_disk(app: Flask, half: Browser, instance: Path, clock: MovableClock) -> None:
    offer = offer_of(half)
    sealed = the_one(app, Login).pending_secret
    assert sealed in raw_bytes(instance), "this is where it is kept"
    set_up(half, clock)
    readable = [offer.key.encode(), offer.grouped.encode(), offer.link.encode()]
    kept = raw_bytes(instance) + b"".join(path.read_bytes() for path in instance.iterdir() if path.is_file())
    assert sealed in kept
    assert not any(text in kept for text in readable)


def test_after_half_an_hour_one_begins_anew(app: Flask, half: Browser, people: Cast, clock: MovableClock) -> None:
    page = half.get(SET_UP)
    offer = Offer(page)
    clock.advance(minutes=30)
    assert half.get(SET_UP).status == 200
    clock.advance(seconds=1)
    answer = half.send(page, code=offer.phone.code(clock()), name="My phone")
    assert (answer.status, answer.location) == (303, "/log-in")
    assert stored(app, Authenticator) == []
    half.give_password(people.reader)
    assert offer_of(half).key != offer.key
    old, new = stored(app, Login)
    assert (old.pending_secret, old.ended_at, new.ended_at) == (None, clock(), None)


def test_a_key_older_than_half_an_hour_is_replaced_where_the_login_lives_on(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    """On the Security tab a login outlives its key."""
    with app.app_context():
        set_rule(MfaRule.OFF, clock)
    browser.log_in(people.reader)
    first = offer_of(browser, ADD)
    clock.advance(minutes=25)
    browser.submit(f"/confirm?next={ADD}", password=people.reader.password)
    page = browser.get(ADD)
    assert Offer(page).key == first.key
    clock.advance(minutes=5, seconds=1)
    answer = browser.send(page, code=first.phone.code(clock()), name="My phone")
    assert answer.status == 422
    assert "The QR code was used or is too old. Scan the new one below." in answer.text
    assert Offer(answer).key != first.key
    assert stored(app, Authenticator) == []


def test_who_has_an_app_never_sees_a_set_up_page(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        phone = give_app(people.reader, clock)
    browser.give_password(people.reader)
    for method in ("GET", "HEAD"):
        page = browser.open(method, SET_UP)
        assert (page.status, page.location) == (303, "/log-in/code")
    csrf = browser.csrf("/log-in/code")
    fields = {"csrf_token": csrf, "code": phone.code(clock()), "name": "Mine"}
    assert browser.open("POST", SET_UP, data=fields).location == "/log-in/code"
    assert browser.get("/account/security/methods/add").location == "/log-in/code"
    assert the_one(app, Login).pending_secret is None
    assert browser.submit("/log-in/code", code=phone.code(clock())).status == 303
    assert browser.get(SET_UP).location == "/"
