from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask import Flask

from mfaportal.models import EventKind
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.offer import Offer
from tests.people import Cast, Person, give_app, set_rule

ACCESS = "/portals/city-data/backoffice/access"
ADD = "/account/security/methods/add"
SECURITY = f"{ACCESS}/security"


@pytest.fixture
def operator(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> Person:
    """The operator, who has an app and has just logged in."""
    with app.app_context():
        give_app(people.operator, clock)
    browser.log_in(people.operator)
    return people.operator


def code_of(person: Person, clock: MovableClock) -> str:
    assert person.phone is not None
    return person.phone.code(clock())


def test_with_an_app_a_code_is_asked_for_and_leads_back(
    browser: Browser, app: Flask, clock: MovableClock, operator: Person
) -> None:
    clock.advance(minutes=11)
    page = browser.get(SECURITY, follow=True)
    seen = Seen(page)
    assert seen.title.startswith("Confirm that it is you ")
    assert seen.h1 == "Confirm that it is you"
    assert seen.field("One-time code")["autocomplete"] == "one-time-code"
    assert seen.buttons == ["Confirm"]
    answer = browser.send(page, code=code_of(operator, clock))
    assert (answer.status, answer.location) == (303, SECURITY)
    assert browser.get(SECURITY).status == 200
    (login,) = rows.live_logins(app, operator)
    assert login.confirmed_at == clock()
    (event,) = rows.events(app, EventKind.LOGIN_CONFIRMED)
    assert event.account_id == operator.id


def test_without_an_app_the_password_is_asked_for(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.admin)
    clock.advance(minutes=11)
    page = browser.get(SECURITY, follow=True)
    assert Seen(page).field("Password")["autocomplete"] == "current-password"
    wrong = browser.send(page, password="not this one at all")
    seen = Seen(wrong)
    assert wrong.status == 422
    assert "This is not your password." in seen.error_of("Password")
    assert seen.field("Password")["value"] == ""
    assert browser.get(SECURITY).status == 303
    answer = browser.send(wrong, password=people.admin.password)
    assert (answer.status, answer.location) == (303, SECURITY)
    assert rows.live_logins(app, people.admin)[0].confirmed_at == clock()


def test_with_an_app_the_password_confirms_nothing(
    browser: Browser, app: Flask, clock: MovableClock, operator: Person
) -> None:
    clock.advance(minutes=11)
    page = browser.send(browser.get("/confirm"), password=operator.password)
    assert page.status == 422
    assert browser.get(SECURITY).status == 303
    assert rows.events(app, EventKind.LOGIN_CONFIRMED) == []


def test_a_password_form_opened_before_the_first_app_confirms_nothing(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.admin)
    page = browser.get("/confirm")
    with app.app_context():
        give_app(people.admin, clock)
    assert browser.send(page, password=people.admin.password).status == 303  # to the code: this login gave none
    assert browser.get("/account").location == "/log-in/code"
    assert rows.events(app, EventKind.LOGIN_CONFIRMED) == []


def test_the_query_of_the_page_survives(browser: Browser, clock: MovableClock, operator: Person) -> None:
    clock.advance(minutes=11)
    page = browser.get(f"{ADD}?first=yes")
    assert page.location == f"/confirm?next={quote(ADD + '?first=yes', safe='/')}"
    assert browser.submit(page.location, code=code_of(operator, clock)).location == f"{ADD}?first=yes"


@pytest.mark.parametrize(
    "hostile",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "/%0d%0aSet-Cookie:x=y",
        "/\taccount",
        "/no/such/page",
        "/log-out",
        "/log-in",
        "/confirm?next=/confirm",
        "account",
        "",
        "/" + "a" * 5000,
    ],
)
def test_a_hostile_way_back_leads_to_ones_own_security_page(
    browser: Browser, clock: MovableClock, operator: Person, hostile: str
) -> None:
    clock.advance(minutes=11)
    answer = browser.submit(f"/confirm?next={quote(hostile, safe='')}", code=code_of(operator, clock))
    assert (answer.status, answer.location) == (303, "/account/security")


def test_a_way_back_in_the_body_counts_for_nothing(browser: Browser, clock: MovableClock, operator: Person) -> None:
    for query, way_back in (("?next=/account", "/account"), ("", "/account/security")):
        page = browser.get(f"/confirm{query}")
        clock.advance(seconds=30)
        assert browser.send(page, code=code_of(operator, clock), next="/portals/city-data/").location == way_back


def test_confirming_in_one_browser_counts_for_that_browser_only(
    browser: Browser, new_browser: Callable[[], Browser], clock: MovableClock, operator: Person
) -> None:
    elsewhere = new_browser()
    clock.advance(seconds=30)
    elsewhere.log_in(operator)
    clock.advance(minutes=11)
    assert browser.submit("/confirm", code=code_of(operator, clock)).status == 303
    assert browser.get(SECURITY).status == 200
    assert elsewhere.get(SECURITY).status == 303


def test_the_right_is_asked_before_the_confirmation(browser: Browser, people: Cast, clock: MovableClock) -> None:
    browser.log_in(people.editor)
    clock.advance(minutes=11)
    assert browser.get(SECURITY).status == 403


def test_confirming_is_for_whole_log_ins_only(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    assert browser.get("/confirm").location.startswith("/log-in")
    with app.app_context():
        give_app(people.reader, clock)
    browser.give_password(people.reader)
    assert browser.get("/confirm").location == "/log-in/code"
    token = browser.csrf("/log-in/code")
    assert people.reader.phone is not None
    answer = browser.open("POST", "/confirm", data={"csrf_token": token, "code": code_of(people.reader, clock)})
    assert answer.location == "/log-in/code"
    assert rows.live_logins(app, people.reader)[0].confirmed_at is None


def test_setting_up_at_the_log_in_counts_as_confirming(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock)
    clock.advance(minutes=1)
    assert browser.give_password(people.admin).location == "/log-in/set-up"
    clock.advance(minutes=12)
    page = browser.get("/log-in/set-up")
    assert browser.send(page, code=Offer(page).phone.code(clock()), name="Phone").status == 303
    assert browser.get(SECURITY).status == 200
    assert rows.live_logins(app, people.admin)[0].confirmed_at == clock()
