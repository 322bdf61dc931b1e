"""Those who come to the gate: strangers of all kinds, people half logged in, and one of each role."""

from flask import Flask
from sqlalchemy import delete, update

from mfaportal.models import Account, Login, Membership, Portal
from mfaportal.plumbing.db import transaction
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.gate_walker import Visitor
from tests.people import Cast, Person, apps_of, give_app

HALF = [f"{stage}: {role}" for stage in ("code", "set-up") for role in ("reader", "editor", "admin", "operator")]
COMPLETE = ["outsider", "reader", "editor", "admin", "operator"]
STRANGERS = ["anonymous", "login ended", "suspended", "too late with the code"]
EVERYBODY = [*STRANGERS, *HALF, *COMPLETE]
ONE_OF_EACH = ["anonymous", "login ended", "code: admin", "set-up: reader", *COMPLETE]


def come(app: Flask, people: Cast, clock: MovableClock, name: str) -> Visitor:
    """Somebody of EVERYBODY, where a rule demands MFA of everyone since the beginning of time."""
    stage, _, role = name.rpartition(": ")
    person = getattr(people, role, people.reader)
    with app.app_context():
        _prepare(people, person, clock, bare=stage == "set-up")
    visitor = _log_in(Browser(app, clock), name, stage, person)
    with app.app_context():
        _afterwards(name, person, clock)
    return visitor


def _prepare(people: Cast, person: Person, clock: MovableClock, *, bare: bool) -> None:
    with transaction() as session:
        session.execute(update(Portal).values(mfa_rule="everyone"))
    for somebody in people.everybody:
        if somebody is not person or not bare:
            give_app(somebody, clock)
            give_app(somebody, clock, "Another phone")


def _log_in(browser: Browser, name: str, stage: str, person: Person) -> Visitor:
    """As far as the name says; what the browser then holds."""
    if stage or name == "too late with the code":
        browser.give_password(person)
    elif name != "anonymous":
        browser.log_in(person)
    column = "anonymous" if name in STRANGERS else stage or name
    csrf = browser.csrf(
        {"code": "/log-in/code", "set-up": "/log-in/set-up", "anonymous": "/log-in"}.get(column, "/account")
    )
    key = browser.client.application.config["SESSION_COOKIE_NAME"]
    cookie = browser.client.get_cookie(key, "127.0.0.1")
    assert cookie is not None
    with browser.client.application.app_context():
        apps = apps_of(person)
    return Visitor(name, column, f"{key}={cookie.value}", csrf, apps[-1].id if apps else 999)


def _afterwards(name: str, person: Person, clock: MovableClock) -> None:
    """What happened since the browser was used last."""
    with transaction() as session:
        match name:
            case "outsider":
                session.execute(delete(Membership).where(Membership.account_id == person.id))
            case "login ended":
                session.execute(update(Login).values(ended_at=clock()))
            case "suspended":
                session.execute(update(Account).where(Account.id == person.id).values(suspended_at=clock()))
            case "too late with the code":
                clock.advance(minutes=10, seconds=1)
