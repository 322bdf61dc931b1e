"""`accounts create`: with a password from standard input, or with an invitation link that works."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from mfaportal.models import Account, EventKind, OneTimeLink
from tests import rows
from tests.browser_client import Browser
from tests.cli.terminal import Ran, Terminal
from tests.clock import MovableClock
from tests.people import Cast, Person

EMAIL = "new@example.org"
PASSWORD = "seven lamps on the quiet harbour"


def made(app: Flask, email: str = EMAIL) -> Account:
    (found,) = rows.rows(app, select(Account).where(Account.email == email))
    return found


def person(app: Flask) -> Person:
    account = made(app)
    return Person(account.id, account.email, account.name, password=PASSWORD)


def path_of_link(ran: Ran) -> str:
    return urlsplit(ran.lines[-1].split()[-1]).path


def test_with_a_password_the_account_can_log_in(
    terminal: Terminal, app: Flask, browser: Browser, people: Cast
) -> None:
    ran = terminal.do(
        *("accounts", "create", EMAIL, "--name", "New Person", "--portal", "city-data", "--role", "reader"),
        "--password-stdin",
        stdin=PASSWORD + "\nnot the password\n",
    )
    assert ran.lines == [f"Made the account {EMAIL}, reader in city-data."]
    assert ran.kinds == [EventKind.ACCOUNT_CREATED, EventKind.MEMBER_ADDED]
    assert rows.role(app, person(app)) == "reader"
    assert not made(app).is_operator
    assert browser.log_in(person(app)).location == "/"
    assert "City data" in browser.get("/").text


def test_the_printed_invitation_works_once(
    terminal: Terminal, app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    ran = terminal.do("accounts", "create", EMAIL, "--name", "New", "--portal", "city-data", "--role", "editor")
    assert ran.lines[0] == f"Made the account {EMAIL}, editor in city-data."
    assert ran.lines[1].startswith("Invitation link, works once within 7 days: http://127.0.0.1:8000/invitations/")
    assert ran.kinds == [EventKind.ACCOUNT_CREATED, EventKind.MEMBER_ADDED, EventKind.LINK_MADE]
    page = browser.submit(path_of_link(ran), button="Accept", name="New Person", password=PASSWORD)
    assert (page.status, page.location) == (303, "/log-in")
    assert made(app).name == "New Person"
    assert browser.log_in(person(app)).status == 303
    assert browser.get("/portals/city-data/backoffice").status == 200
    assert new_browser().get(path_of_link(ran), follow=True).status == 410


@pytest.mark.parametrize(("days", "status"), [(6.99, 200), (7.01, 410)])
def test_the_invitation_lives_as_long_as_its_line_says(
    terminal: Terminal, browser: Browser, clock: MovableClock, days: float, status: int
) -> None:
    ran = terminal.do("accounts", "create", EMAIL, "--name", "New")
    clock.advance(days=days)
    assert browser.get(path_of_link(ran), follow=True).status == status


def test_links_begin_with_the_public_url(make_app: Callable[..., Flask]) -> None:
    terminal = Terminal(make_app(MFAPORTAL_PUBLIC_URL="https://portal.example.org"))
    ran = terminal.do("accounts", "create", EMAIL, "--name", "New")
    assert ran.lines[-1].split()[-1].startswith("https://portal.example.org/invitations/")


def test_only_the_digest_of_the_link_is_kept(terminal: Terminal, app: Flask, instance: object) -> None:
    token = path_of_link(terminal.do("accounts", "create", EMAIL, "--name", "New")).rpartition("/")[2]
    (link,) = rows.rows(app, select(OneTimeLink))
    assert link.token_digest != token.encode()
    assert all(token not in str(event.details) for event in rows.events(app, EventKind.LINK_MADE))


def test_the_first_operator_can_be_made_here_and_closes_the_welcome_page(
    terminal: Terminal, app: Flask, browser: Browser
) -> None:
    assert browser.get("/welcome").status == 200
    ran = terminal.do("accounts", "create", EMAIL, "--name", "N", "--operator", "--password-stdin", stdin=PASSWORD)
    assert ran.lines == [f"Made the account {EMAIL}, operator."]
    assert ran.events[0].details == {"operator": True}
    assert made(app).is_operator
    assert browser.get("/welcome").status == 404
    assert browser.log_in(person(app)).status == 303
    assert browser.get("/portals/portal/backoffice/access/users").status == 200


def test_an_operator_may_be_a_member_too(terminal: Terminal, people: Cast) -> None:
    ran = terminal.do(
        *("accounts", "create", EMAIL, "--name", "New", "--operator"), *("--portal", "city-data", "--role", "admin")
    )
    assert ran.lines[0] == f"Made the account {EMAIL}, operator and admin in city-data."


def test_who_is_put_nowhere_is_said_to_be_nowhere(terminal: Terminal) -> None:
    ran = terminal.do("accounts", "create", EMAIL, "--name", "New")
    assert ran.lines[0].startswith(f"Made the account {EMAIL}, in no portal yet (see: flask --app wsgi accounts role")


def test_the_address_is_kept_in_lower_case_and_composed(terminal: Terminal, app: Flask) -> None:
    terminal.do("accounts", "create", "Zoe\u0308@Example.ORG", "--name", "New")
    assert made(app, "zo\u00eb@example.org").name == "New"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("reader@example.org", "--name", "N"), "There is an account reader@example.org already."),
        (("READER@example.org", "--name", "N"), "There is an account reader@example.org already."),
        (("nobody", "--name", "N"), "nobody is no e-mail address."),
        (("", "--name", "N"), " is no e-mail address."),
        ((EMAIL, "--name", " "), "A name has 1 to 100 visible characters."),
        ((EMAIL, "--name", "x" * 101), "A name has 1 to 100 visible characters."),
        ((EMAIL, "--name", "N", "--portal", "nowhere", "--role", "reader"), "There is no portal nowhere."),
    ],
)
def test_a_refusal_makes_nobody(
    terminal: Terminal, app: Flask, people: Cast, arguments: tuple[str, ...], sentence: str
) -> None:
    assert terminal.refused("accounts", "create", *arguments) == sentence.strip()
    assert len(rows.rows(app, select(Account))) == 4


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Missing argument 'EMAIL'."),
        ((EMAIL,), "Missing option '--name'."),
        ((EMAIL, "--name", "N", "--portal", "city-data"), "--portal and --role go together."),
        ((EMAIL, "--name", "N", "--role", "reader"), "--portal and --role go together."),
        ((EMAIL, "--name", "N", "--portal", "city-data", "--role", "owner"), "'owner' is not one of"),
        ((EMAIL, "--name", "N", "--password", PASSWORD), "No such option"),
        (("\udcff@example.org", "--name", "N"), "This is not UTF-8."),
        ((EMAIL, "--name", "\udcff"), "This is not UTF-8."),
    ],
)
def test_wrong_usage_makes_nobody(
    terminal: Terminal, app: Flask, people: Cast, arguments: tuple[str, ...], complaint: str
) -> None:
    assert complaint in terminal.misused("accounts", "create", *arguments)
    assert len(rows.rows(app, select(Account))) == 4
