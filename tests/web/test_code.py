"""The code at log-in: right for a minute and a half, and wrong in ways that say what to do."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from mfaportal.models import Account, Authenticator, Event, Login
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.runtime import runtime
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast, give_app
from tests.phone import Phone
from tests.stored import stored, the_one, token_of

WRONG = "This code is wrong. Enter the one that your app shows now."
MALFORMED = "Enter the six digits that your app shows."
UNREADABLE = (
    "The portal cannot check codes of your app at present. This is not your fault: tell whoever runs this portal."
)


@pytest.fixture
def phone(app: Flask, people: Cast, clock: MovableClock) -> Phone:
    """The reader's only app."""
    with app.app_context():
        return give_app(people.reader, clock)


def test_the_right_code_completes_the_log_in(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.give_password(people.reader)
    half = the_one(app, Login)
    assert (half.second_factor_at, half.confirmed_at) == (None, None)
    clock.advance(minutes=2)
    page = browser.submit("/log-in/code", code=phone.code(clock()))
    assert (page.status, page.location) == (303, "/")
    login, used = the_one(app, Login), the_one(app, Authenticator)
    assert login.second_factor_at == login.confirmed_at == login.last_seen_at == clock()
    assert login.password_at == half.password_at
    assert login.token_digest != half.token_digest
    assert (used.last_step, used.last_used_at) == (int(clock().timestamp()) // 30, clock())
    assert the_one(app, Account, id=people.reader.id).last_login_at == clock()


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_code_of_one_step_earlier_or_later_is_right(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock, step: int
) -> None:
    browser.give_password(people.reader)
    assert browser.submit("/log-in/code", code=phone.code(clock(), step)).status == 303
    assert the_one(app, Authenticator).last_step == int(clock().timestamp()) // 30 + step


@pytest.mark.parametrize("form", ["{0}{1}{2} {3}{4}{5}", " {0} {1} {2} {3} {4} {5} ", "{0}{1}{2}{3}{4}{5}   "])
def test_spaces_in_a_code_do_not_matter(
    browser: Browser, people: Cast, phone: Phone, clock: MovableClock, form: str
) -> None:
    browser.give_password(people.reader)
    assert browser.submit("/log-in/code", code=form.format(*phone.code(clock()))).status == 303


def test_leading_zeros_belong_to_a_code(browser: Browser, people: Cast, phone: Phone, clock: MovableClock) -> None:
    while not phone.code(clock()).startswith("0"):
        clock.advance(seconds=30)
    code = phone.code(clock())
    browser.give_password(people.reader)
    assert browser.submit("/log-in/code", code=code.lstrip("0")).status == 422
    assert browser.submit("/log-in/code", code=code).status == 303


@pytest.mark.parametrize(
    "typed",
    [
        "{}0", "0{}", "-{}", "+{}", "{}.0", "0x{}", "{}\t", "{}\n", "\u00a0{}", "\u200b{}", "{},{}", "{}\x00",
        "12345", "abcdef", "null", "१२३४५६", "①②③④⑤⑥", "²²²²²²", "{}" + " " * 60, "1" * 60_000,
    ],
)  # fmt: skip
def test_what_is_not_six_digits_is_no_code(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock, typed: str
) -> None:
    """Not even around the right code; it is not judged, so the right one still works."""
    code = phone.code(clock())
    browser.give_password(people.reader)
    page = browser.submit("/log-in/code", code=typed.replace("{}", code))
    assert page.status == 422
    assert MALFORMED in page.text
    assert the_one(app, Authenticator).last_step == -1
    assert "code:wrong" not in [event.kind for event in stored(app, Event)]
    assert browser.submit("/log-in/code", code=code).status == 303


def test_full_width_digits_are_no_second_way_to_write_a_code(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    wide = phone.code(clock()).translate({48 + digit: 0xFF10 + digit for digit in range(10)})
    browser.give_password(people.reader)
    page = browser.submit("/log-in/code", code=wide)
    assert (page.status, MALFORMED in page.text) == (422, True)
    assert the_one(app, Authenticator).last_step == -1


def test_a_wrong_code_says_so_and_is_not_shown_again(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.give_password(people.reader)
    token = token_of(browser)
    wrong = phone.wrong_code(clock())
    page = browser.submit("/log-in/code", code=wrong)
    assert page.status == 422
    assert f'id="code-error">{WRONG}' in page.html
    assert 'aria-invalid="true"' in page.html
    assert wrong not in page.html
    assert page.form("Submit").fields["code"] == ""
    assert (the_one(app, Login).second_factor_at, token_of(browser)) == (None, token)
    event = stored(app, Event)[-1]
    assert (event.kind, event.account_id, event.details) == ("code:wrong", people.reader.id, {"at": "log-in"})


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (2, "about 1 minute fast"),
        (6, "about 3 minutes fast"),
        (10, "about 5 minutes fast"),
        (-2, "about 1 minute slow"),
        (-5, "about 3 minutes slow"),
        (-10, "about 5 minutes slow"),
    ],
)
def test_a_clock_that_is_off_is_named_with_its_direction(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock, step: int, words: str
) -> None:
    browser.give_password(people.reader)
    code = phone.code(clock(), step)
    page = browser.submit("/log-in/code", code=code)
    assert page.status == 422
    assert f"The clock of your device is {words}, so its codes do not fit." in page.text
    assert code not in page.html
    assert the_one(app, Login).second_factor_at is None
    assert stored(app, Event)[-1].details == {"at": "log-in", "why": "ClockWrong"}


@pytest.mark.parametrize("step", [-11, 11])
def test_beyond_five_minutes_a_code_is_just_wrong(
    browser: Browser, people: Cast, phone: Phone, clock: MovableClock, step: int
) -> None:
    browser.give_password(people.reader)
    assert WRONG in browser.submit("/log-in/code", code=phone.code(clock(), step)).text


def test_a_code_of_somebody_elses_app_is_wrong(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    with app.app_context():
        others = give_app(people.editor, clock)
    browser.give_password(people.reader)
    page = browser.submit("/log-in/code", code=others.code(clock()))
    assert (page.status, WRONG in page.text) == (422, True)
    assert {app.last_step for app in stored(app, Authenticator)} == {-1}, "and it is not used up for its owner"


def test_any_of_ones_apps_will_do(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    with app.app_context():
        tablet = give_app(people.reader, clock, "Tablet")
    browser.give_password(people.reader)
    assert browser.submit("/log-in/code", code=tablet.code(clock())).status == 303
    first, second = stored(app, Authenticator)
    assert (first.last_step, second.last_step) == (-1, int(clock().timestamp()) // 30)


def test_half_a_log_in_is_over_after_ten_minutes(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    browser.give_password(people.reader)
    clock.advance(minutes=10)
    assert browser.get("/log-in/code").status == 200
    page = browser.get("/log-in/code")
    clock.advance(seconds=1)
    assert browser.send(page, code=phone.code(clock())).location == "/log-in"
    assert the_one(app, Authenticator).last_step == -1
    assert "Your log-in has ended. Log in again." in browser.get("/log-in").text


def test_what_is_asked_is_the_account_whose_password_was_given(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    """Fields that no form has change nothing."""
    browser.give_password(people.reader)
    page = browser.get("/log-in/code")
    extra: dict[str, Any] = {
        "account_id": str(people.operator.id),
        "email": people.operator.email,
        "app": "1",
        "confirmed": "yes",
    }
    assert browser.send(page, code=phone.code(clock()), **extra).status == 303
    assert the_one(app, Login).account_id == people.reader.id
    assert people.reader.email in browser.get("/account").text


def test_with_a_lost_key_ring_the_operator_is_called_and_set_up_never_offered(
    app: Flask, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    """At work, that is; a start would be refused."""
    with app.app_context():
        ring = runtime().settings.keyring
    ring.write_text(f"seal 1 {Fernet.generate_key().decode()}\ndigest 1 {'0' * 64}\n")
    browser = Browser(app, clock)
    assert browser.give_password(people.reader).location == "/log-in/code"
    for code in (phone.code(clock()), phone.wrong_code(clock())):
        page = browser.submit("/log-in/code", code=code)
        assert page.status == 422
        assert UNREADABLE in page.text
    assert browser.get("/log-in/set-up").location == "/log-in/code"
    assert the_one(app, Login).second_factor_at is None
    assert Browser(app, clock).log_in(people.editor).status == 303, "who has no app is not concerned"


def test_one_readable_app_is_enough(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock
) -> None:
    with app.app_context():
        tablet = give_app(people.reader, clock, "Tablet")
        with transaction() as session:
            session.get_one(Authenticator, 1).sealed_secret = b"not sealed by this portal"
    browser.give_password(people.reader)
    assert WRONG in browser.submit("/log-in/code", code=phone.code(clock())).text
    assert browser.submit("/log-in/code", code=tablet.code(clock())).status == 303


@pytest.mark.parametrize("at", [0, 9, 30, -1])
def test_a_single_flipped_bit_in_a_sealed_key_lets_nobody_in(
    app: Flask, browser: Browser, people: Cast, phone: Phone, clock: MovableClock, at: int
) -> None:
    sealed = bytearray(the_one(app, Authenticator).sealed_secret)
    sealed[at] ^= 4
    with app.app_context(), transaction() as session:
        session.get_one(Authenticator, 1).sealed_secret = bytes(sealed)
    browser.give_password(people.reader)
    page = browser.submit("/log-in/code", code=phone.code(clock()))
    assert (page.status, UNREADABLE in page.text) == (422, True)
