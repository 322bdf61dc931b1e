"""What a stranger learns from logging in: nothing about who has an account, in words, status or work.

Nor from how long it takes: `tests/faults/test_secrecy.py`.
"""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.domain import accounts
from mfaportal.models import Account, Event, Login, Membership
from mfaportal.plumbing.db import transaction
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.people import Cast, add_person, give_app, on_the_command_line
from tests.stored import stored, token_of

GUESS = "wrong horse battery staple"


STATES = ("unknown", "invited", "suspend", "nowhere", "withapp", "member1")


@pytest.fixture
def strangers(app: Flask, people: Cast, clock: MovableClock) -> dict[str, str]:
    """E-mails of one length: nobody's, and of accounts in each state that a stranger must not learn of."""
    emails = {state: f"{state}@example.org" for state in STATES}
    with app.app_context():
        made = {
            state: add_person(clock, email, state, None if state == "nowhere" else "reader")
            for state, email in emails.items()
            if state != "unknown"
        }
        give_app(made["withapp"], clock)
        accounts.suspend(on_the_command_line(clock), made["suspend"].id, "left")
        with transaction() as session:
            session.get_one(Account, made["invited"].id).password_digest = None
    return emails


def as_seen_by_a_stranger(page: Page, email: str) -> tuple[object, ...]:
    """All that an answer tells: status, headers and body, less the e-mail typed and what is random in each."""
    body = page.html.replace(email, "EMAIL")
    body = re.sub(r'name="csrf_token" value="[^"]+"', "CSRF", body)
    headers = [(name, re.sub(r"=[^;]+", "=…", value, count=1)) for name, value in page.response.headers]
    return page.status, headers, body


def test_nobody_learns_which_e_mails_have_an_account(
    new_browser: Callable[[], Browser], strangers: dict[str, str]
) -> None:
    """Equal to the byte, up to the throttle and beyond."""
    answers: dict[str, list[tuple[object, ...]]] = {}
    for kind, email in strangers.items():
        browser = new_browser()
        browser.address = f"192.0.2.{len(answers) + 1}"
        pages = [browser.submit("/log-in", email=email, password=GUESS) for _ in range(6)]
        answers[kind] = [as_seen_by_a_stranger(page, email) for page in pages]
    assert [answer[0] for answer in answers["unknown"]] == [422] * 5 + [429]
    for kind, answer in answers.items():
        assert answer == answers["unknown"], kind


@pytest.mark.usefixtures("owasp_hashes")
def test_the_same_work_is_done_for_every_e_mail(
    app: Flask, new_browser: Callable[[], Browser], strangers: dict[str, str], verified: list[str]
) -> None:
    """Two digests (an account's, a request's, or nobody's) and the same statements, whatever stands in them."""
    work: dict[str, list[str]] = {}
    for kind, email in strangers.items():
        browser = new_browser()
        browser.address = f"192.0.2.{len(work) + 1}"
        page = browser.get("/log-in")
        verified.clear()
        with rows.counted_statements(app) as statements:
            assert browser.send(page, email=email, password=GUESS).status == 422
        work[kind] = [re.sub(r"'(?:[^']|'')*'|\b\d+\b|NULL", "?", statement) for statement in statements]
        assert ["$argon2id$v=19$m=19456,t=2,p=1$" in digest for digest in verified] == [True, True]
    assert any("INSERT INTO events" in statement for statement in work["unknown"])
    for kind, done in work.items():
        assert done == work["unknown"], kind


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("suspend@example.org", "This account is suspended. Ask whoever runs this portal why."),
        ("nowhere@example.org", "Your account is not a member of any portal here. Ask whoever runs this portal"),
    ],
)
def test_the_truth_is_told_after_the_right_password_only(
    app: Flask, browser: Browser, people: Cast, strangers: dict[str, str], email: str, words: str
) -> None:
    page = browser.submit("/log-in", email=email, password=people.reader.password)
    assert page.status == 403
    assert words in page.text
    assert "Log in with another account" in page.text
    assert stored(app, Login) == []
    assert token_of(browser) == ""
    assert stored(app, Event)[-1].kind == "login:refused"


def test_an_invited_account_cannot_log_in_before_it_has_a_password(
    app: Flask, browser: Browser, people: Cast, strangers: dict[str, str]
) -> None:
    for password in (people.reader.password, "None", " "):
        assert browser.submit("/log-in", email="invited@example.org", password=password).status == 422
    assert stored(app, Login) == []


def test_who_is_removed_from_every_portal_is_told_so_next_time(app: Flask, browser: Browser, people: Cast) -> None:
    with app.app_context(), transaction() as session:
        session.delete(session.get_one(Membership, (people.reader.id, 1)))
    page = browser.give_password(people.reader)
    assert (page.status, "not a member of any portal" in page.text) == (403, True)
    assert browser.log_in(people.operator).location == "/", "an operator needs no membership"
