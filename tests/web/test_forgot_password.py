"""A forgotten password: whoever asks gets one answer at one cost; the owner of the address gets a link."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from mfaportal.domain import accounts, password_resets
from mfaportal.domain.caller import the_portal_itself
from mfaportal.models import Account, Event, EventKind, Mail, MailJob, Membership, OneTimeLink
from mfaportal.models.mail import OWNER_OF_JOB
from mfaportal.plumbing.db import reading, transaction
from mfaportal.plumbing.runtime import runtime
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.links import NEW, is_gone, reset
from tests.mailing import link_in, mails, with_mail
from tests.people import Cast, Person, add_person, give_app, on_the_command_line
from tests.stored import session_of, stored

FORGOT = "/forgot-password"
SENT = "If there is an account with this address, a link is on its way to it. It works for 30 minutes."


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """A portal that has a mail server."""
    return with_mail(make_app)


def ask(browser: Browser, email: str) -> Page:
    return browser.submit(FORGOT, email=email)


def send(app: Flask) -> None:
    """What the sender does with the jobs that wait, now."""
    with app.app_context():
        with reading() as session:
            jobs = list(session.scalars(select(MailJob).order_by(MailJob.id)))
        for job in jobs:
            password_resets.answer(the_portal_itself(), _facts(job))


def _facts(job: MailJob) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(runtime().keys.sealer.open(OWNER_OF_JOB, job.sealed))
    return facts


@pytest.fixture
def addresses(app: Flask, people: Cast, clock: MovableClock) -> dict[str, str]:
    """E-mails of one length: nobody's, and of accounts in each state that a stranger must not learn of."""
    emails = {state: f"{state}@example.org" for state in ("unknown", "member1", "suspend", "withapp", "nowhere")}
    with app.app_context():
        for state in ("member1", "suspend", "withapp", "nowhere"):
            person = add_person(clock, emails[state], state, None if state == "nowhere" else "reader")
            if state == "withapp":
                give_app(person, clock)
            if state == "suspend":
                accounts.suspend(on_the_command_line(clock), person.id)
            if state == "nowhere":
                with transaction() as session:
                    session.get_one(Account, person.id).password_digest = None
    return emails


def test_everybody_gets_one_answer_at_one_cost(
    app: Flask,
    new_browser: Callable[[], Browser],
    addresses: dict[str, str],
    argon2: list[str],
) -> None:
    """The same bytes, statements and digests (none), up to the limit and beyond; a job is all there is of it."""
    seen: dict[str, list[tuple[Any, ...]]] = {}
    for number, (kind, email) in enumerate(addresses.items(), 1):
        browser = new_browser()
        browser.address = f"192.0.2.{number}"
        seen[kind] = []
        for _ in range(4):
            page = browser.get(FORGOT)
            with rows.counted_statements(app) as statements:
                answer = browser.send(page, email=email)
            work = [re.sub(r"'(?:[^']|'')*'|\b\d+\b|NULL", "?", statement) for statement in statements]
            headers = [name for name, _value in answer.response.headers]
            seen[kind].append((answer.status, answer.location, headers, work, browser.get(FORGOT).text))
    assert [(status, location) for status, location, *_ in seen["unknown"]] == [(303, FORGOT)] * 4
    assert all(SENT in text for *_, text in seen["unknown"])
    for kind, answers in seen.items():
        assert answers == seen["unknown"], kind
    assert argon2 == []
    assert len(stored(app, MailJob)) == 3 * len(addresses), "three an hour for each address"
    assert (stored(app, Mail), stored(app, OneTimeLink, kind="reset")) == ([], [])
    asked = rows.events(app, EventKind.RESET_ASKED)
    assert len(asked) == 3 * len(addresses)
    assert {(event.account_id, event.actor_id, str(event.details)) for event in asked} == {(None, None, "{}")}
    assert len(rows.events(app, EventKind.ATTEMPTS_PAUSED)) == len(addresses), "one for each budget that is full"


def test_ten_an_hour_come_from_one_address(app: Flask, browser: Browser, people: Cast, clock: MovableClock) -> None:
    for number in range(12):
        assert ask(browser, f"nobody{number}@example.org").location == FORGOT
    assert len(stored(app, MailJob)) == 10
    assert len(rows.events(app, EventKind.ATTEMPTS_PAUSED)) == 1
    browser.address = "203.0.113.5"
    ask(browser, "nobody@example.org")
    assert len(stored(app, MailJob)) == 11
    browser.address = "192.0.2.7"
    clock.advance(hours=1)
    ask(browser, "nobody@example.org")
    assert len(stored(app, MailJob)) == 12


def test_what_is_no_address_is_said_to_be_none(app: Flask, browser: Browser) -> None:
    page = ask(browser, "nobody")
    assert (page.status, "Enter an e-mail address such as name@example.org." in page.text) == (422, True)
    assert (stored(app, MailJob), stored(app, Event)) == ([], [])


def test_the_owner_is_mailed_a_link_that_sets_a_new_password(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    """It logs nobody in, leaves MFA alone, ends all logins, voids other links, and is told."""
    with app.app_context():
        phone = give_app(people.reader, clock)
    at_home = new_browser()
    at_home.log_in(people.reader)
    for _ in range(2):
        ask(browser, "  Reader@Example.org ")
    asked_at = clock()
    clock.advance(minutes=2)
    send(app)
    first, second = mails(app, "reset-link")
    links = stored(app, OneTimeLink, kind="reset")
    assert [(mail.recipient, mail.about) for mail in (first, second)] == [
        (people.reader.email, f"link:{link.id}") for link in links
    ]
    assert {link.expires_at for link in links} == {asked_at + timedelta(minutes=30)}, "counted from the question"
    page = reset(browser, link_in(first))
    assert (page.status, page.location) == (303, "/log-in")
    assert "_user_id" not in session_of(browser)
    assert at_home.get("/account").location.startswith("/log-in")
    assert is_gone(browser.get(link_in(first), follow=True))
    assert is_gone(browser.get(link_in(second), follow=True))
    assert [mail.about for mail in mails(app, "reset-link")] == [first.about], "the void one does not leave any more"
    (told,) = mails(app, "password-changed")
    assert (told.recipient, told.facts["by_link"]) == (people.reader.email, True)
    assert browser.give_password(people.reader, password=NEW).location == "/log-in/code"
    assert browser.submit("/log-in/code", code=phone.code(clock(), 1)).status == 303


def test_a_link_that_was_mailed_shows_whose_the_address_is_and_one_that_was_handed_over_does_not(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock, reset_link: Callable[[Person], str]
) -> None:
    with app.app_context(), transaction() as session:
        for person in (people.reader, people.editor):
            session.get_one(Account, person.id).email_confirmed_at = None
    reset(browser, reset_link(people.editor))
    assert rows.account(app, people.editor).email_confirmed_at is None
    ask(browser, people.reader.email)
    send(app)
    reset(browser, link_in(mails(app, "reset-link")[-1]))
    assert rows.account(app, people.reader).email_confirmed_at == clock()


def test_who_cannot_log_in_is_mailed_nothing(
    app: Flask, browser: Browser, people: Cast, addresses: dict[str, str], clock: MovableClock
) -> None:
    for state in ("unknown", "suspend", "nowhere", "member1", "withapp"):
        ask(browser, addresses[state])
    ask(browser, people.operator.email)
    send(app)
    assert [mail.recipient for mail in mails(app, "reset-link")] == [
        addresses["member1"],
        addresses["withapp"],
        people.operator.email,
    ]
    with app.app_context(), transaction() as session:
        session.query(Membership).delete()
        session.get_one(Account, people.reader.id).password_digest = None
    ask(browser, people.reader.email)
    send(app)
    assert people.reader.email not in [mail.recipient for mail in mails(app, "reset-link")]


def test_a_job_that_comes_half_an_hour_late_makes_no_link(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    ask(browser, people.reader.email)
    clock.advance(minutes=30)
    send(app)
    assert (stored(app, OneTimeLink, kind="reset"), mails(app, "reset-link")) == ([], [])


def test_strangers_cannot_make_void_what_an_operator_handed_over(
    app: Flask, browser: Browser, people: Cast, reset_link: Callable[[Person], str]
) -> None:
    link = reset_link(people.reader)
    ask(browser, people.reader.email)
    send(app)
    asked = link_in(mails(app, "reset-link")[0])
    assert reset(browser, link).status == 303
    assert is_gone(browser.get(asked, follow=True)), "a new password voids them all"


def test_without_a_mail_server_everybody_is_told_whom_to_ask(
    make_app: Callable[..., Flask], people: Cast, clock: MovableClock
) -> None:
    app = make_app()
    browser = Browser(app, clock)
    page = browser.get(FORGOT)
    assert "This portal sends no e-mail. Ask whoever runs it" in page.text
    csrf = browser.csrf("/log-in")
    for email in (people.reader.email, "nobody@example.org"):
        answer = browser.open("POST", FORGOT, data={"csrf_token": csrf, "email": email})
        assert (answer.status, answer.location) == (303, FORGOT)
    assert browser.get(FORGOT).text == page.text
    assert stored(app, MailJob) == []
    assert rows.events(app, EventKind.RESET_ASKED) == []
