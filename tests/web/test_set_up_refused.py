"""A set-up that does not succeed: the reason at its field, the name and the QR code as they were."""

import pytest
from flask import Flask

from mfaportal.models import Authenticator, Event, Login
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.offer import SET_UP, Offer, set_up
from tests.people import Cast, give_app, set_rule
from tests.stored import stored, the_one

BAD_NAME = "Give the app a name of 1 to 64 visible characters."
TAKEN = "You have an app of this name already. Choose another name."


@pytest.fixture
def half(app: Flask, browser: Browser, people: Cast, clock: MovableClock) -> Browser:
    """The reader, whom a rule covers and who has given the password."""
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    browser.give_password(people.reader)
    return browser


def nothing_happened(app: Flask, answer: Page, before: Page) -> bool:
    """No app, the login where it was, and the same key on offer."""
    login = the_one(app, Login)
    return (
        answer.status in (422, 429)
        and stored(app, Authenticator) == []
        and login.second_factor_at is None
        and Offer(answer).key == Offer(before).key
        and Offer(answer).matrix == Offer(before).matrix
    )


def test_a_wrong_code_says_so_and_keeps_name_and_qr_code(app: Flask, half: Browser, clock: MovableClock) -> None:
    page = half.get(SET_UP)
    wrong = Offer(page).phone.wrong_code(clock())
    answer = half.send(page, code=wrong, name="Zoë's “phone”")
    assert nothing_happened(app, answer, page)
    assert 'id="code-error">This code is wrong. Enter the one that your app shows now.' in answer.html
    assert answer.form("Submit").fields["name"] == "Zoë's “phone”"
    assert answer.form("Submit").fields["code"] == ""
    assert wrong not in answer.html
    assert (stored(app, Event)[-1].kind, stored(app, Event)[-1].details) == ("code:wrong", {"at": "set-up"})
    assert half.send(answer, code=Offer(page).phone.code(clock())).status == 303, "with the name that was kept"
    assert the_one(app, Authenticator).name == "Zoë's “phone”"


@pytest.mark.parametrize(
    ("step", "words"), [(2, "1 minute fast"), (10, "5 minutes fast"), (-2, "1 minute slow"), (-7, "4 minutes slow")]
)
def test_a_device_whose_clock_is_off_is_told_by_how_much(
    app: Flask, half: Browser, clock: MovableClock, step: int, words: str
) -> None:
    page = half.get(SET_UP)
    answer = half.send(page, code=Offer(page).phone.code(clock(), step), name="My phone")
    assert nothing_happened(app, answer, page)
    assert f"The clock of your device is about {words}" in answer.text


@pytest.mark.parametrize("step", [-1, 1])
def test_a_step_of_delay_is_no_matter(app: Flask, half: Browser, clock: MovableClock, step: int) -> None:
    page = half.get(SET_UP)
    assert half.send(page, code=Offer(page).phone.code(clock(), step), name="My phone").status == 303
    assert the_one(app, Authenticator).last_step == int(clock().timestamp()) // 30 + step


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "123456\x00"]
)
def test_what_is_no_code_is_a_form_error(app: Flask, half: Browser, typed: str) -> None:
    page = half.get(SET_UP)
    answer = half.send(page, code=typed, name="My phone")
    assert nothing_happened(app, answer, page)
    assert 'id="code-error">Enter the six digits that your app shows.' in answer.html
    assert "code:wrong" not in [event.kind for event in stored(app, Event)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Give the app a name."),
        ("   ", BAD_NAME),
        ("x" * 65, "Use at most 64 characters."),
        ("\u200b", BAD_NAME),
        ("\u200d", BAD_NAME),
        ("\ufe0f", BAD_NAME),
        ("\uffa0", BAD_NAME),
        ("My\u2063 phone", BAD_NAME),
        ("My \u202ephone", BAD_NAME),
        ("My\x1b[31m phone", BAD_NAME),
        ("My\x00phone", "This holds a character that cannot be used here."),
    ],
)
def test_a_name_must_be_visible_and_short(
    app: Flask, half: Browser, clock: MovableClock, name: str, words: str
) -> None:
    """The code is not used up by it."""
    page = half.get(SET_UP)
    code = Offer(page).phone.code(clock())
    answer = half.send(page, code=code, name=name)
    assert nothing_happened(app, answer, page)
    assert f'id="name-error">{words}' in answer.html
    assert half.send(answer, code=code, name="x" * 64).status == 303


@pytest.mark.parametrize("name", ["x", "x" * 64, "東京の電話", "👨‍👩‍👧 tablet", "<b>bold</b>", "' OR 1=1 --"])
def test_any_visible_name_will_do(app: Flask, half: Browser, clock: MovableClock, name: str) -> None:
    page = half.get(SET_UP)
    assert half.send(page, code=Offer(page).phone.code(clock()), name=name).status == 303
    assert the_one(app, Authenticator).name == name
    assert "<b>" not in half.get("/account/security/methods").html


@pytest.mark.parametrize(
    "name", ["My phone", "MY PHONE", "\uff2d\uff59 \uff50\uff48\uff4f\uff4e\uff45", "  my   phone  ", "My\u00a0phone"]
)
def test_two_apps_of_one_account_have_two_names(app: Flask, half: Browser, clock: MovableClock, name: str) -> None:
    """Neither case nor width nor spaces tell them apart; another account's names do not matter."""
    set_up(half, clock, "My phone")
    page = half.get("/account/security/methods/add")
    phone = Offer(page).phone
    answer = half.send(page, button="Submit", code=phone.code(clock()), name=name)
    assert answer.status == 422
    assert f'id="name-error">{TAKEN}' in answer.html
    assert the_one(app, Authenticator).name == "My phone"
    assert half.send(answer, button="Submit", code=phone.code(clock()), name="My tablet").status == 303


def test_another_accounts_app_may_have_the_name(app: Flask, half: Browser, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        give_app(people.editor, clock, "My phone")
    set_up(half, clock, "My phone")
    assert [row.name for row in stored(app, Authenticator)] == ["My phone", "My phone"]


def test_five_wrong_codes_pause_the_set_up_of_this_login_alone(
    app: Flask, half: Browser, people: Cast, clock: MovableClock
) -> None:
    page = half.get(SET_UP)
    wrong = Offer(page).phone.wrong_code(clock())
    answers = [half.send(page, code=wrong, name="My phone") for _ in range(6)]
    assert [answer.status for answer in answers] == [422] * 5 + [429]
    assert "Too many wrong codes. Try again in 5 minutes, at 09:05 UTC." in answers[5].text
    assert 300 <= int(answers[5].response.headers["Retry-After"]) <= 301
    assert half.send(page, code=Offer(page).phone.code(clock()), name="My phone").status == 429
    assert nothing_happened(app, answers[5], page)
    other = Browser(app, clock)
    other.give_password(people.reader)
    set_up(other, clock)
    assert other.get("/account").status == 200
