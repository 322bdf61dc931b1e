"""How one gets to each form: a fresh installation, the people that the form needs, and the browser on its page."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask
from sqlalchemy import delete, select, update

from mfaportal.domain import accounts, link_rows, one_time_links, portals
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.outcomes import Created, LinkMade
from mfaportal.models import AccessRequest, LinkKind, Membership, Portal, RequestState, SignUp
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.passwords import hash_password
from mfaportal.plumbing.runtime import runtime
from mfaportal.plumbing.tokens import digest, new_token
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.datasets import add as add_dataset
from tests.invitations import invited, second_portal
from tests.people import (
    PASSWORD,
    PORTAL,
    Cast,
    Person,
    add_person,
    give_app,
    on_the_command_line,
    seed,
    set_rule,
)
from tests.phone import Phone

ACCESS = f"/portals/{PORTAL}/backoffice/access"
METHODS = "/account/security/methods"
CODES = "/account/security/recovery-codes"
NEW_PASSWORD = "five quiet otters at dawn"


@dataclass
class Scene:
    """A fresh installation with a browser before it. The cast is made when a form needs it."""

    app: Flask
    browser: Browser
    clock: MovableClock
    people: Cast = field(init=False, repr=False)

    def seed(self) -> Cast:
        with self.app.app_context():
            self.people = seed(self.clock)
        return self.people

    def give_app(self, person: Person, name: str = "My phone", *, codes: bool = False) -> Phone:
        with self.app.app_context():
            return give_app(person, self.clock, name, codes=codes)

    def with_mail(self) -> None:
        """From now on this portal has a mail server, which nothing is sent to."""
        with self.app.app_context():
            runtime().settings = replace(runtime().settings, mail_url="smtp://127.0.0.1:1")

    def log_in(self, who: str, *, apps: int = 0) -> Person:
        """Log in somebody of the cast, who has this many apps."""
        person: Person = getattr(self.seed(), who)
        for number in range(apps):
            self.give_app(person, f"App {number}")
        self.browser.log_in(person)
        return person


@dataclass(frozen=True)
class Opened:
    """A form on its page, and values with which it would be accepted. `page`: where it stands, if elsewhere."""

    path: str
    good: dict[str, str]
    page: str = ""
    file: bytes = b""
    method: str = "POST"
    options: dict[str, Any] = field(default_factory=dict)


Opener = Callable[[Scene], Opened]


def welcome(scene: Scene) -> Opened:
    with scene.app.app_context():
        token = runtime().keys.welcome_token
    good = {"token": token, "email": "first@example.org", "name": "First", "password": NEW_PASSWORD, "portal": "Data"}
    return Opened("/welcome", good)


def log_in(scene: Scene) -> Opened:
    return Opened("/log-in", {"email": scene.seed().reader.email, "password": PASSWORD})


def code(scene: Scene) -> Opened:
    person = scene.seed().reader
    phone = scene.give_app(person)
    assert scene.browser.give_password(person).location == "/log-in/code"
    return Opened("/log-in/code", {"code": phone.code(scene.clock())})


def recovery(scene: Scene) -> Opened:
    """A recovery code at log-in."""
    person = scene.seed().reader
    scene.give_app(person, codes=True)
    assert scene.browser.give_password(person).location == "/log-in/code"
    return Opened("/log-in/recovery", {"code": person.codes[0]})


def recovery_codes(scene: Scene) -> Opened:
    """Codes that are not saved yet."""
    person = scene.seed().reader
    scene.give_app(person, codes=True)
    scene.browser.log_in(person)
    version = scene.browser.get(CODES).form("Done").fields["version"]
    return Opened(CODES, {"saved": "yes", "version": version})


def replace_app(scene: Scene) -> Opened:
    """The only app of somebody."""
    scene.log_in("reader", apps=1)
    links = re.findall(rf"{METHODS}/\d+/replace", scene.browser.get(METHODS).html)
    return _offered(scene, links[0])


def set_up(scene: Scene) -> Opened:
    person = scene.seed().editor
    with scene.app.app_context():
        set_rule(MfaRule.EVERYONE, scene.clock)
    assert scene.browser.give_password(person).location == "/log-in/set-up"
    return _offered(scene, "/log-in/set-up")


def add_app(scene: Scene) -> Opened:
    scene.log_in("reader", apps=1)
    return _offered(scene, f"{METHODS}/add")


def _offered(scene: Scene, path: str) -> Opened:
    key = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', scene.browser.get(path).html)
    assert key, path
    return Opened(path, {"code": Phone(key[1]).code(scene.clock()), "name": "My phone"})


def confirm_by_code(scene: Scene) -> Opened:
    person = scene.log_in("reader", apps=1)
    assert person.phone is not None
    return Opened("/confirm", {"code": person.phone.code(scene.clock(), 1)})


def confirm_by_password(scene: Scene) -> Opened:
    scene.log_in("reader")
    return Opened("/confirm", {"password": PASSWORD})


def forgot_password(scene: Scene) -> Opened:
    scene.with_mail()
    return Opened("/forgot-password", {"email": scene.seed().reader.email})


def confirm_email(scene: Scene) -> Opened:
    """Behind the link that was mailed to a new address."""
    reader = scene.seed().reader
    with scene.app.app_context(), transaction() as session:
        caller = on_the_command_line(scene.clock)
        token = link_rows.add(session, caller, LinkKind.EMAIL, reader.id, email="new@example.org")[1]
    scene.browser.get(f"/confirm-email/{token}")
    return Opened("/confirm-email", {})


def profile(scene: Scene) -> Opened:
    scene.with_mail()
    return Opened("/account", {"name": "Another", "email": scene.log_in("reader").email})


def change_password(scene: Scene) -> Opened:
    scene.log_in("reader")
    return Opened("/account/security/password", {"current_password": PASSWORD, "password": NEW_PASSWORD})


def own_logins(scene: Scene) -> Opened:
    """Two browsers are logged in; the other one is to end."""
    reader = scene.log_in("reader")
    Browser(scene.app, scene.clock).log_in(reader)
    return Opened("/account/security/logins", {"login": "2"})


def own_app(action: str, good: dict[str, str]) -> Opener:
    """A page about the first of somebody's two apps."""

    def opened(scene: Scene) -> Opened:
        scene.log_in("reader", apps=2)
        links = re.findall(rf"{METHODS}/\d+/{action}", scene.browser.get(METHODS).html)
        return Opened(links[0], good)

    return opened


def member(action: str, whom: str, good: dict[str, str]) -> Opener:
    """A page of Access > Users about one person, opened by the operator."""

    def opened(scene: Scene) -> Opened:
        scene.log_in("operator")
        person: Person = getattr(scene.people, whom)
        if action == "restore":
            with scene.app.app_context():
                accounts.suspend(on_the_command_line(scene.clock), person.id, "away")
        return Opened(f"{ACCESS}/users/{person.id}/{action}", good)

    return opened


def account(action: str, good: dict[str, str]) -> Opener:
    """A page of Installation > Accounts about somebody who is in no portal, opened by the operator."""

    def opened(scene: Scene) -> Opened:
        scene.log_in("operator")
        with scene.app.app_context():
            person = add_person(scene.clock, "nowhere@example.org", "Nowhere", None)
            if action == "restore":
                accounts.suspend(on_the_command_line(scene.clock), person.id, "away")
        return Opened(f"/installation/accounts/{person.id}/{action}", good)

    return opened


def portal(path: str, slug: str) -> Opener:
    """A page of Installation > Portals, and the slug that is typed there."""

    def opened(scene: Scene) -> Opened:
        scene.log_in("operator")
        guards = {"addresses": "https://data.example.org\nhttps://example.org/app", "back_office_paths": "/admin"}
        return Opened(f"/installation/portals/{path}", {"name": "Harbour", "slug": slug, **guards})

    return opened


def portal_to_delete(scene: Scene) -> Opened:
    """A second portal: the only one could not go."""
    scene.log_in("operator")
    with scene.app.app_context():
        portals.create(on_the_command_line(scene.clock), "Harbour", "harbour")
    return Opened("/installation/portals/harbour/delete", {})


def _take_requests() -> None:
    with transaction() as session:
        session.execute(update(Portal).values(sign_up=SignUp.APPROVAL))


def request_access_as_a_stranger(scene: Scene) -> Opened:
    scene.seed()
    with scene.app.app_context():
        _take_requests()
    good = {"name": "New", "email": "new@example.org", "password": NEW_PASSWORD, "message": "Please"}
    return Opened(f"/portals/{PORTAL}/request-access", good)


def request_access(scene: Scene) -> Opened:
    """Somebody logged in who has been removed from the portal since."""
    person = scene.log_in("reader")
    with scene.app.app_context():
        _take_requests()
        with transaction() as session:
            session.execute(delete(Membership).where(Membership.account_id == person.id))
    return Opened(f"/portals/{PORTAL}/request-access", {"message": "Please"})


def access_requests(scene: Scene) -> Opened:
    scene.log_in("admin")
    with scene.app.app_context(), transaction() as session:
        here = session.scalars(select(Portal.id)).one()
        request = AccessRequest(portal_id=here, email="new@example.org", name="New", made_at=scene.clock())
        session.add(request)
        session.flush()
        good = {"requests": str(request.id), "role": "reader", "reason": "Hello", "decision": "accept"}
    return Opened(f"{ACCESS}/requests", good)


def access_signup(scene: Scene) -> Opened:
    scene.log_in("admin")
    return Opened(f"{ACCESS}/signup", {"policy": "approval", "contact": "Kim"})


def access_security(scene: Scene) -> Opened:
    scene.log_in("admin", apps=1)
    return Opened(f"{ACCESS}/security", {"visibility": "public", "mfa_rule": "back_office"})


def by_reader(path: str) -> Opener:
    """A page with a button and no fields, for everybody who is logged in."""

    def opened(scene: Scene) -> Opened:
        scene.log_in("reader")
        return Opened(path, {})

    return opened


def invite(scene: Scene) -> Opened:
    scene.log_in("admin")
    return Opened(f"{ACCESS}/users/invite", {"emails": "one@example.org, two@example.org", "role": "editor"})


def invited_as_nobody(scene: Scene) -> Opened:
    """Into a portal, with an address that has no account."""
    scene.seed()
    scene.browser.get(invited(scene.app, scene.clock))
    return Opened("/invitation", {"name": "Invited", "password": NEW_PASSWORD})


def invited_reader(scene: Scene) -> Opened:
    """Into a second portal, with the account that is logged in."""
    reader = scene.log_in("reader")
    scene.browser.get(invited(scene.app, scene.clock, reader.email, slug=second_portal(scene.app, scene.clock)))
    return Opened("/invitation", {})


def confirm_address(scene: Scene) -> Opened:
    """Behind the mailed link of a stranger's request."""
    scene.seed()
    token, password_digest = new_token(), hash_password(NEW_PASSWORD)
    with scene.app.app_context(), transaction() as session:
        here = session.query(Portal).filter_by(slug=PORTAL).one()
        here.sign_up = SignUp.APPROVAL
        waits = {"state": RequestState.UNCONFIRMED, "confirm_digest": digest(token), "made_at": scene.clock()}
        waits |= {"password_digest": password_digest, "email": "new@example.org", "name": "New"}
        session.add(AccessRequest(portal_id=here.id, **waits))
    scene.browser.get(f"/confirm-address/{token}")
    return Opened("/confirm-address", {"password": NEW_PASSWORD})


def dataset(path: str, good: dict[str, str]) -> Opener:
    """A page of the back office about a dataset, opened by an editor."""

    def opened(scene: Scene) -> Opened:
        scene.log_in("editor")
        with scene.app.app_context():
            for _ in range(2):  # one keeps the file, for only the database is put back
                add_dataset(scene.clock, "Trees")
        return Opened(f"/portals/{PORTAL}/backoffice/datasets/{path}", good)

    return opened


def link(kind: LinkKind, good: dict[str, str]) -> Opener:
    """The page behind a one-time link."""

    def opened(scene: Scene) -> Opened:
        scene.seed()
        path = link_of(scene, kind)
        return Opened(scene.browser.get(path).location, good)

    return opened


def link_of(scene: Scene, kind: LinkKind) -> str:
    """A fresh link's path: the reader's reset, or the invitation of somebody new. Made on the command line."""
    with scene.app.app_context():
        caller = on_the_command_line(scene.clock)
        if kind is LinkKind.RESET:
            made = one_time_links.make_reset_link(caller, scene.people.reader.id)
            assert isinstance(made, LinkMade)
            return f"/reset-password/{made.token}"
        created = accounts.create(caller, Newcomer("invited@example.org", "Invited"))
        assert isinstance(created, Created)
        return f"/invitations/{created.token}"
