"""The page that somebody wanted: it survives the whole log-in, leads nowhere else, and no POST is ever replayed."""

from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.models import Account, Portal
from mfaportal.plumbing.db import transaction
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.looking import Seen
from tests.offer import CODES
from tests.people import Cast, Person, apps_of, give_app
from tests.phone import Phone

WANTED = "/portals/city-data/backoffice/access/users?q=z%C3%B6e&role=admin&mfa=set_up"


@pytest.fixture
def someone(app: Flask, people: Cast, clock: MovableClock) -> Callable[..., Person]:
    """The admin, with an app or with a rule to set one up."""

    def make(*, app_set_up: bool = False, rule: bool = False) -> Person:
        with app.app_context():
            if app_set_up:
                give_app(people.admin, clock)
            if rule:
                with transaction() as session:
                    session.execute(update(Portal).values(mfa_rule="everyone"))
        return people.admin

    return make


def _log_in(browser: Browser, person: Person, page: Page, clock: MovableClock) -> Page:
    """Through all steps, from the page of the log-in form on."""
    page = browser.send(page, email=person.email, password=person.password)
    if page.location == "/log-in/code":
        assert person.phone is not None
        page = browser.submit("/log-in/code", code=person.phone.code(clock()))
    return page


def test_the_password_alone_leads_to_it(
    browser: Browser, someone: Callable[..., Person], clock: MovableClock
) -> None:
    page = browser.get(WANTED, follow=True)
    assert page.path == f"/log-in?next={quote(WANTED, safe='/')}"
    answer = _log_in(browser, someone(), page, clock)
    assert (answer.status, answer.location) == (303, WANTED)
    assert browser.get(answer.location).status == 200


def test_it_survives_a_wrong_password_and_the_code(
    browser: Browser, someone: Callable[..., Person], clock: MovableClock
) -> None:
    person = someone(app_set_up=True)
    page = browser.get(WANTED, follow=True)
    page = browser.send(page, email=person.email, password="a wrong password")
    assert page.status == 422
    page = browser.send(page, email=person.email, password=person.password)
    assert page.location == "/log-in/code"
    assert browser.submit("/log-in/code", code="000 000").status == 422
    assert browser.get("/account").location == "/log-in/code"
    clock.advance(seconds=30)
    assert person.phone is not None
    page = browser.submit("/log-in/code", code=person.phone.code(clock()))
    assert (page.status, page.location) == (303, WANTED)


def test_it_survives_set_up(browser: Browser, someone: Callable[..., Person], clock: MovableClock) -> None:
    person = someone(rule=True)
    page = browser.send(browser.get(WANTED, follow=True), email=person.email, password=person.password)
    assert page.location == "/log-in/set-up"
    page = browser.get("/log-in/set-up")
    key = page.html.partition('<code class="key"')[2].partition(">")[2].partition("<")[0]
    answer = browser.send(page, code=Phone(key).code(clock()), name="My phone")
    assert (answer.status, unquote(answer.location)) == (303, f"{CODES}?next={WANTED}")
    page = browser.get(answer.location)
    assert Seen(page).links["Continue"] == WANTED
    assert browser.send(page, saved="yes").location == WANTED
    with browser.client.application.app_context():
        assert [app.name for app in apps_of(person)] == ["My phone"]


def test_it_survives_a_half_log_in_that_took_too_long(
    browser: Browser, someone: Callable[..., Person], clock: MovableClock
) -> None:
    person = someone(app_set_up=True)
    browser.send(browser.get(WANTED, follow=True), email=person.email, password=person.password)
    clock.advance(minutes=11)
    page = browser.get("/log-in/code", follow=True)
    assert page.path == f"/log-in?next={quote(WANTED, safe='/')}"
    assert _log_in(browser, person, page, clock).location == WANTED


def test_a_post_that_came_too_late_is_not_kept_but_the_page_that_was_wanted_is(
    browser: Browser, someone: Callable[..., Person], clock: MovableClock
) -> None:
    person = someone(app_set_up=True)
    browser.send(browser.get(WANTED, follow=True), email=person.email, password=person.password)
    form = browser.get("/log-in/code")
    clock.advance(minutes=11)
    assert person.phone is not None
    page = browser.send(form, code=person.phone.code(clock()))
    assert (page.status, page.location) == (303, f"/log-in?next={quote(WANTED, safe='/')}")


def test_it_serves_once(browser: Browser, someone: Callable[..., Person], clock: MovableClock) -> None:
    person = someone()
    assert (
        _log_in(browser, person, browser.get("/account/security", follow=True), clock).location == "/account/security"
    )
    browser.log_out()
    assert _log_in(browser, person, browser.get("/log-in"), clock).location == "/"


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_a_request_that_is_no_get_is_not_kept(browser: Browser, people: Cast, method: str) -> None:
    page = browser.open(method, "/account", data={"name": "Changed", "csrf_token": browser.csrf()})
    assert (page.status, page.location) == (303, "/log-in")
    browser.log_in(people.reader)
    with browser.client.application.app_context(), transaction() as session:
        assert session.get_one(Account, people.reader.id).name == "Reader"


def test_a_head_is_kept_like_the_get_it_stands_for(browser: Browser, people: Cast) -> None:
    assert browser.open("HEAD", "/account").location == "/log-in?next=/account"


def test_a_post_when_the_login_has_ended_is_not_replayed_after_the_next_one(
    browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader, path="/log-in?next=/account/security")
    form = browser.get("/account")
    clock.advance(hours=25)
    answer = browser.send(form, name="Changed")
    assert (answer.status, answer.location) == (303, "/log-in")
    assert _log_in(browser, people.reader, browser.get("/log-in"), clock).location == "/"
    with browser.client.application.app_context(), transaction() as session:
        assert session.get_one(Account, people.reader.id).name == "Reader"


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "/%09/evil.example",
    "/%2f%2fevil.example",
    "javascript:alert(1)",
    "account",
    "/account\r\nSet-Cookie: a=b",
    "/account%0d%0aSet-Cookie:%20a=b",
    "/nowhere",
    "/portals/City-Data/",
    "/account/security/methods/99999999999999999999/rename",
    "/static/portal.css",
    "/healthz",
    "/log-in",
    "/log-in?next=/account",
    "/log-in/set-up",
    "/log-out",
    "/confirm",
    "/confirm?next=/account",
    "/reset-password/token",
    "/invitations/token",
    "/welcome?token=x",
    "/" + "a" * 3000,
    "/account?" + "&" * 1900,
    "/account?" + '"' * 900,
    "\ud800",
    "",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_what_is_no_page_of_this_portal_leads_home(browser: Browser, people: Cast, wanted: str) -> None:
    path = f"/log-in?next={quote(wanted, errors='surrogatepass')}"
    answer = browser.give_password(people.reader, path=path)
    assert (answer.status, answer.location) == (303, "/")
    assert "evil" not in answer.response.headers.get("Set-Cookie", "")


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_whoever_is_logged_in_already_is_not_led_there_either(browser: Browser, people: Cast, wanted: str) -> None:
    browser.log_in(people.reader)
    answer = browser.get(f"/log-in?next={quote(wanted, errors='surrogatepass')}")
    assert (answer.status, answer.location) == (303, "/")


def test_whoever_is_logged_in_already_is_sent_on_to_the_wanted_page(browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    assert browser.get("/log-in?next=/account/security%3Fx%3D1").location == "/account/security?x=1"


@pytest.mark.parametrize("wanted", [wanted for wanted in ELSEWHERE if wanted != "/confirm?next=/account"])
def test_step_up_leads_back_to_pages_of_this_portal_only(browser: Browser, people: Cast, wanted: str) -> None:
    browser.log_in(people.reader)
    path = f"/confirm?next={quote(wanted, errors='surrogatepass')}"
    answer = browser.submit(path, password=people.reader.password)
    assert (answer.status, answer.location) == (303, "/account/security")


def test_bytes_that_are_no_text_in_the_query_are_kept_as_bytes(browser: Browser, people: Cast) -> None:
    page = browser.open("GET", "/account", environ_overrides={"QUERY_STRING": "x=\xff&y=%fe"})
    assert (page.status, page.location) == (303, "/log-in?next=/account%3Fx%3D%25FF%26y%3D%25fe")
    answer = browser.give_password(people.reader, path=page.location)
    assert answer.location == "/account?x=%FF&y=%fe"
    assert browser.get(answer.location).status == 200


def test_the_home_page_needs_no_mention(browser: Browser, people: Cast) -> None:
    assert browser.get("/").location == "/log-in"
