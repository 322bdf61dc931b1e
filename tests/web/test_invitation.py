"""Accepting an invitation: as a new person, with the account of its address, and what everybody else gets."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, update

from mfaportal.domain import accepting
from mfaportal.models import AccessRequest, Account, EventKind, Invitation, Login, Membership, Portal
from mfaportal.plumbing import passwords
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.invitations import CHOSEN, NEW, invited, second_portal
from tests.links import is_gone
from tests.looking import Seen
from tests.people import PORTAL, Cast, Person, add_person, give_app, set_rule
from tests.stored import session_of, stored, the_one

HARBOUR = "/portals/harbour/"


@pytest.fixture
def harbour(app: Flask, people: Cast, clock: MovableClock) -> str:
    """The link of an invitation that makes the reader of "City data" an editor of "Harbour"."""
    return invited(app, clock, people.reader.email, "editor", slug=second_portal(app, clock))


def accept(browser: Browser, link: str, name: str = "Newcomer", password: str = CHOSEN) -> Page:
    return browser.send(browser.get(link, follow=True), button="Accept", name=name, password=password)


def ask(app: Flask, clock: MovableClock, slug: str, **facts: object) -> None:
    """An open access request, put there by hand."""
    portal_id = rows.portal(app, slug).id
    rows.put(app, insert(AccessRequest).values(portal_id=portal_id, made_at=clock(), **facts))


def test_a_new_person_chooses_name_and_password_and_logs_in(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    link = invited(app, clock, role="editor")
    page = browser.get(link)
    assert (page.status, page.location) == (303, "/invitation"), "the token leaves the address"
    page = browser.get("/invitation")
    seen = Seen(page)
    assert (page.status, seen.h1) == (200, "You are invited")
    assert "To City data, as an editor." in seen.main
    assert f'value="{NEW}"' in page.html, "for whom it is"
    answer = browser.send(page, name="  Zoë  New ", password=CHOSEN, email="other@example.org", role="admin")
    assert (answer.status, answer.location) == (303, "/log-in")
    assert "Your account is made. Log in with it." in browser.get("/log-in").text
    account = the_one(app, Account, email=NEW)
    assert (account.name, account.is_operator, account.email_confirmed_at) == ("Zoë New", False, None)
    assert stored(app, Login) == [], "nobody is logged in by it"
    person = Person(account.id, NEW, "Zoë New", password=CHOSEN)
    assert rows.role(app, person) == "editor"
    assert the_one(app, Invitation).used_at == clock()
    assert "invitation_token" not in session_of(browser)
    (accepted,) = rows.events(app, EventKind.INVITATION_ACCEPTED)
    assert (accepted.actor_id, accepted.account_id) == (None, account.id)
    assert accepted.details == {"invitation": the_one(app, Invitation).id, "role": "editor"}
    assert browser.log_in(person).location == "/"
    assert browser.get(f"/portals/{PORTAL}/backoffice").status == 200


@pytest.mark.parametrize(
    ("name", "password", "field", "words"),
    [
        ("\u200b", CHOSEN, "name", "Enter a name of 1 to 100 visible characters."),
        ("Zoë", "too short", "password", "Use at least 12 characters."),
        ("Zoë", "CityData-CityData", "password", "This password is too easy to guess."),
    ],
    ids=["a name that nobody sees", "a short password", "the portal's name"],
)
def test_a_name_or_a_password_that_is_refused_uses_nothing_up(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, name: str, password: str, field: str, words: str
) -> None:
    link = invited(app, clock)
    page = accept(browser, link, name, password)
    assert page.status == 422
    assert f'id="{field}-error">{words}' in page.html
    assert password not in page.html
    assert (the_one(app, Invitation).used_at, stored(app, Account, email=NEW)) == (None, [])
    assert accept(browser, link).location == "/log-in"


def test_strangers_requests_with_that_address_are_declined_everywhere(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    second_portal(app, clock)
    for slug, email in ((PORTAL, NEW), ("harbour", NEW), ("harbour", "other@example.org")):
        ask(app, clock, slug, email=email, name="Somebody", password_digest="a digest")
    accept(browser, invited(app, clock))
    found = [(row.state, row.decided_at, row.password_digest) for row in stored(app, AccessRequest)]
    declined = ("declined", clock(), None)
    assert found == [declined, declined, ("open", None, "a digest")]


def test_who_has_an_account_logs_in_and_comes_back_to_accept(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, harbour: str
) -> None:
    """Through the code, too; the account may be in no portal at all."""
    with app.app_context():
        give_app(people.reader, clock)
    rows.put(app, delete(Membership).where(Membership.account_id == people.reader.id))
    ask(app, clock, "harbour", account_id=people.reader.id)
    page = browser.get(harbour, follow=True)
    assert page.status == 200
    assert "Accept" not in Seen(page).buttons
    way = Seen(page).links[f"Log in as {people.reader.email} to accept"]
    assert way == "/log-in?next=/invitation"
    assert browser.log_in(people.reader, way).location == "/invitation"
    page = browser.get("/invitation")
    assert "To Harbour, as an editor." in Seen(page).main
    answer = browser.send(page, button="Accept")
    assert (answer.status, answer.location) == (303, HARBOUR)
    assert "You are a member of Harbour now." in browser.get(HARBOUR).text
    assert rows.role(app, people.reader, "harbour") == "editor"
    request = the_one(app, AccessRequest)
    assert (request.state, request.role, request.decided_at) == ("accepted", "editor", clock())
    (accepted,) = rows.events(app, EventKind.INVITATION_ACCEPTED)
    assert (accepted.actor_id, accepted.account_id) == (people.reader.id, people.reader.id)
    assert is_gone(browser.get(harbour, follow=True))


def test_a_rule_of_the_new_portal_is_met_on_the_way_in(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, harbour: str
) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock, "harbour")
    browser.log_in(people.reader)
    assert browser.send(browser.get(harbour, follow=True), button="Accept").location == HARBOUR
    assert browser.get(HARBOUR).location == "/log-in/set-up"


def test_accepting_ends_the_accounts_other_logins(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, harbour: str
) -> None:
    other = new_browser()
    other.log_in(people.reader)
    browser.log_in(people.reader)
    browser.send(browser.get(harbour, follow=True), button="Accept")
    assert len(rows.live_logins(app, people.reader)) == 1
    assert other.get("/account").location.startswith("/log-in")


def test_a_member_keeps_the_role_and_the_link_is_used(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    link = invited(app, clock, "late@example.org", "admin")
    with app.app_context():
        late = add_person(clock, "late@example.org", "Late", None)
    place = {"account_id": late.id, "portal_id": rows.portal(app).id, "role": "editor", "since": clock()}
    rows.put(app, insert(Membership).values(**place))  # in this very moment
    browser.log_in(late)
    answer = browser.send(browser.get(link, follow=True), button="Accept")
    assert "You were a member of City data already." in browser.get(answer.location, follow=True).text
    assert rows.role(app, late) == "editor"
    assert the_one(app, Invitation).used_at == clock()


def test_somebody_else_is_told_for_whom_it_is_and_can_do_nothing(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, harbour: str
) -> None:
    browser.log_in(people.editor)
    for link in (harbour, invited(app, clock)):
        before = (stored(app, Invitation), stored(app, Membership), len(stored(app, Account)))
        page = browser.get(link, follow=True)
        seen = Seen(page)
        assert (page.status, seen.h1, seen.buttons) == (200, "For somebody else", [])
        assert f"You are logged in as {people.editor.email}." in seen.main
        csrf = browser.csrf("/account")
        fields = {"csrf_token": csrf, "name": "Eve", "password": CHOSEN, "email": people.editor.email}
        assert browser.open("POST", "/invitation", data=fields).status == 403
        assert (stored(app, Invitation), stored(app, Membership), len(stored(app, Account))) == before


def test_without_logging_in_nobody_takes_an_accounts_invitation(
    browser: Browser, app: Flask, people: Cast, harbour: str
) -> None:
    browser.get(harbour)
    fields = {"csrf_token": browser.csrf(), "name": "Eve", "password": CHOSEN}
    page = browser.open("POST", "/invitation", data=fields)
    assert (page.status, f"Log in as {people.reader.email}" in page.text) == (409, True)
    assert the_one(app, Invitation).used_at is None
    assert browser.give_password(people.reader, password=CHOSEN).status == 422, "the password is the old one"


def test_half_logged_in_one_finishes_and_comes_back(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, harbour: str
) -> None:
    with app.app_context():
        phone = give_app(people.reader, clock)
    browser.give_password(people.reader)
    page = browser.get(harbour, follow=True)
    assert browser.get(Seen(page).links[f"Log in as {people.reader.email} to accept"]).location == "/log-in/code"
    assert browser.submit("/log-in/code", code=phone.code(clock())).location == "/invitation"


@pytest.mark.parametrize("caught", [True, False], ids=["by the look", "by the database"])
def test_an_account_made_while_the_password_is_hashed_makes_nothing_twice(
    browser: Browser,
    app: Flask,
    people: Cast,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    caught: bool,
) -> None:
    """The operation looks again; where even that was too early, the database's own rule on e-mails holds."""
    link = invited(app, clock)
    page = browser.get(link, follow=True)
    hash_password = passwords.hash_password

    def hash_slowly(password: str) -> str:
        with app.app_context():
            add_person(clock, NEW, "Faster", None)
        return hash_password(password)

    monkeypatch.setattr(accepting, "hash_password", hash_slowly)
    if not caught:
        monkeypatch.setattr(accepting, "_has_account", lambda _session, _email: False)
    answer = browser.send(page, name="Slow", password=CHOSEN)
    assert (answer.status, f"Log in as {NEW} to accept" in answer.text) == (409, True)
    assert the_one(app, Account, email=NEW).name == "Faster"
    assert the_one(app, Invitation).used_at is None
    assert rows.events(app, EventKind.INVITATION_ACCEPTED) == []


def _bytes(page: Page) -> str:
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page.html)


def test_used_expired_revoked_replaced_and_unknown_links_look_alike_to_the_byte(
    new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    """Opened afresh, or with the form still on the screen."""
    links = {email: invited(app, clock, f"{email}@example.org") for email in ("used", "expired", "revoked", "again")}
    late = {email: new_browser() for email in links}
    pages = {email: late[email].get(link, follow=True) for email, link in links.items()}
    accept(new_browser(), links["used"])
    rows.put(app, update(Invitation).where(Invitation.email.startswith("expired")).values(expires_at=clock()))
    rows.put(app, delete(Invitation).where(Invitation.email.startswith("revoked")))
    invited(app, clock, "again@example.org")
    unknown = new_browser().get("/invitations/never-was", follow=True)
    assert is_gone(unknown)
    answers = [new_browser().get(link, follow=True) for link in links.values()]
    answers += [late[email].send(pages[email], name="Late", password=CHOSEN) for email in links]
    assert {(answer.status, _bytes(answer)) for answer in answers} == {(410, _bytes(unknown))}
    assert rows.rows(app, select(func.count()).select_from(Account).where(Account.name == "Late")) == [0]


def test_it_lasts_seven_days_and_dies_with_its_portal(
    new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock, harbour: str
) -> None:
    link = invited(app, clock)
    clock.advance(days=7, seconds=-1)
    assert new_browser().get(link, follow=True).status == 200
    rows.put(app, delete(Portal).where(Portal.slug == "harbour"))
    assert is_gone(new_browser().get(harbour, follow=True))
    clock.advance(seconds=1)
    assert is_gone(new_browser().get(link, follow=True))
