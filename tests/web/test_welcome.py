"""The first start: the first operator and the first portal, made once by whoever can read the terminal."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import Account, Event, Login, Membership, Portal, Setting
from mfaportal.models.setting import WELCOMED
from mfaportal.plumbing.db import transaction
from tests.browser_client import Browser
from tests.first_start import EMAIL, PASSWORD, fill_in, welcome
from tests.people import Cast, Person
from tests.stored import stored, the_one

WRONG_TOKEN = "This is not the token that the terminal printed at the last start."


def test_the_token_leaves_the_address_bar_for_the_session(browser: Browser, token: str) -> None:
    page = browser.get(f"/welcome?token={token}")
    assert (page.status, page.location) == (303, "/welcome")
    assert page.response.headers["Cache-Control"] == "no-store"
    form = browser.get("/welcome").form("Create")
    assert form.fields["token"] == token


def test_without_a_link_the_token_can_be_typed(app: Flask, browser: Browser, token: str) -> None:
    page = browser.get("/welcome")
    assert "Token" in page.text
    assert fill_in(page, browser, token=f"  {token} ").status == 303
    assert the_one(app, Account).is_operator


@pytest.mark.parametrize("wrong", ["", "0" * 40, "ü" * 40, "longer " * 20])
def test_a_wrong_token_makes_nobody(app: Flask, browser: Browser, token: str, wrong: str) -> None:
    page = welcome(browser, token, token=wrong)
    assert page.status == 422
    assert (WRONG_TOKEN if wrong else "Open the link that the terminal printed.") in page.text
    assert stored(app, Account) == []
    assert stored(app, Setting, name=WELCOMED) == []
    page = fill_in(page, browser, token=token)
    assert page.status == 303, "the right token still works afterwards"


def test_a_token_in_the_query_of_a_post_counts_for_nothing(app: Flask, browser: Browser, token: str) -> None:
    csrf = browser.csrf("/welcome")
    fields = {"csrf_token": csrf, "email": EMAIL, "name": "Ada", "password": PASSWORD, "portal": "Harbour data"}
    assert browser.open("POST", f"/welcome?token={token}", data=fields).status == 422
    assert stored(app, Account) == []


def test_it_makes_the_first_operator_and_names_the_first_portal(app: Flask, browser: Browser, token: str) -> None:
    page = welcome(browser, token, email="  Ada.Keeper@Example.ORG ", portal="Données de la ville")
    assert page.status == 303
    account, portal, login = the_one(app, Account), the_one(app, Portal), the_one(app, Login)
    assert (account.email, account.name, account.is_operator) == (EMAIL, "Ada Keeper", True)
    assert account.password_digest.startswith("$argon2id$")
    assert account.last_login_at == login.password_at == login.confirmed_at == account.created_at
    assert (portal.name, portal.slug) == ("Données de la ville", "donnees-de-la-ville")
    assert stored(app, Membership) == [], "an operator counts as admin of every portal without being a member"
    assert browser.get("/portals/donnees-de-la-ville/backoffice/access/security").status == 200
    assert [event.kind for event in stored(app, Event)] == ["account:created", "login:completed"]


def test_it_leads_straight_to_set_up_which_may_be_skipped(browser: Browser, token: str) -> None:
    page = welcome(browser, token)
    assert page.location == "/account/security/methods/add?first=yes"
    page = browser.get(page.location)
    assert page.status == 200
    assert "Set up multi\u2011factor authentication" in page.text
    assert '<a href="/portals/harbour-data/backoffice">Skip for now</a>' in page.html
    assert browser.get("/portals/harbour-data/backoffice").status == 200
    assert "Skip for now" not in browser.get("/account/security/methods/add").text


def test_the_operator_logs_in_again_with_what_was_chosen(
    browser: Browser, new_browser: Callable[[], Browser], token: str
) -> None:
    welcome(browser, token)
    account = Person(1, EMAIL, "Ada Keeper", password=PASSWORD)
    assert new_browser().log_in(account).location == "/"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_afterwards_the_page_is_gone_for_everybody(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], token: str, method: str
) -> None:
    welcome(browser, token)
    stranger = new_browser()
    for visitor, csrf in ((browser, browser.csrf("/account")), (stranger, stranger.csrf())):
        fields = {"csrf_token": csrf, "token": token, "email": "eve@example.org", "name": "Eve"}
        data = {**fields, "password": PASSWORD, "portal": "Mine"} if method == "POST" else None
        assert visitor.open(method, f"/welcome?token={token}", data=data).status == 404
        assert visitor.open(method, "/welcome", data=data).status == 404
    assert the_one(app, Account).email == EMAIL
    assert the_one(app, Portal).name == "Harbour data"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_once_somebody_was_made_on_the_command_line_it_is_gone_too(
    app: Flask, browser: Browser, people: Cast, token: str, method: str
) -> None:
    data = {"csrf_token": browser.csrf(), "token": token} if method == "POST" else None
    assert browser.open(method, "/welcome", data=data).status == 404
    assert len(stored(app, Account)) == 4


def test_it_stays_gone_when_no_account_is_left(app: Flask, browser: Browser, token: str) -> None:
    welcome(browser, token)
    with app.app_context(), transaction() as session:
        session.delete(session.get_one(Account, 1))
    assert browser.get(f"/welcome?token={token}").status == 404


def test_of_two_who_send_it_at_once_one_is_welcome(
    app: Flask, new_browser: Callable[[], Browser], token: str
) -> None:
    """The loser sees a page that is gone, and nothing of theirs was written."""
    browsers = [new_browser() for _ in range(4)]
    pages = [browser.get(f"/welcome?token={token}", follow=True) for browser in browsers]
    start = threading.Barrier(len(browsers))
    answers: list[int] = []

    def send(number: int) -> None:
        start.wait()
        answers.append(fill_in(pages[number], browsers[number], email=f"first{number}@example.org").status)

    threads = [threading.Thread(target=send, args=[number]) for number in range(len(browsers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 404, 404, 404]
    assert the_one(app, Account).is_operator
    assert len(stored(app, Login)) == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "nobody", "Enter an e-mail address such as name@example.org."),
        ("email", "", "Enter your e-mail address."),
        ("email", "a" * 245 + "@example.org", "Use at most 254 characters."),
        ("name", "", "Enter your name."),
        ("name", "\u200b", "Enter a name of 1 to 100 visible characters."),
        ("name", "n" * 101, "Use at most 100 characters."),
        ("portal", "", "Enter a name for the portal."),
        ("portal", "p" * 81, "Use at most 80 characters."),
        ("portal", "Har\x00bour", "This holds a character that cannot be used here."),
        ("portal", "\u200b\u200b", "Enter a name of 1 to 80 visible characters."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_stays(
    app: Flask, browser: Browser, token: str, field: str, value: str, words: str
) -> None:
    page = welcome(browser, token, **{field: value})
    assert page.status == 422
    assert f'id="{field}-error">{words}</p>' in page.html
    kept = page.form("Create").fields
    assert kept["token"] == token
    assert kept["portal" if field != "portal" else "name"] in ("Harbour data", "Ada Keeper")
    assert stored(app, Account) == []
