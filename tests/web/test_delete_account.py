"""Deleting one's account: what goes, what stays, and who cannot go."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import insert, update

from mfaportal.domain import link_rows
from mfaportal.models import AccessRequest, Account, Event, EventKind, LinkKind, Membership, RecoveryCode
from mfaportal.plumbing.db import db, transaction
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.invitations import invited, second_portal
from tests.looking import Seen
from tests.people import Cast, add_person, give_app, on_the_command_line
from tests.stored import session_of, stored

DELETE = "/account/delete"
EMAIL, NAME, APPS = "person@example.org", "Ada of the Person Tests", ("Ada's telephone", "Ada's old tablet")
STUCK = "You are the only admin of"
LAST = "You are the last operator who can log in"


def everywhere(app: Flask) -> str:
    """Every column of every row of every table, as text."""
    with app.app_context(), db.engine.connect() as connection:
        return "\n".join(
            f"{name}: {row}"
            for name, table in db.metadata.tables.items()
            for row in connection.execute(table.select()).all()
        )


def test_the_person_is_nowhere_afterwards_and_the_events_stay(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    """Everything that a person leaves behind is there first, by the portal's own ways where it has some."""
    harbour = second_portal(app, clock)
    with app.app_context():
        ada = add_person(clock, EMAIL, NAME, "editor")
        give_app(ada, clock, APPS[0], codes=True)
        give_app(ada, clock, APPS[1])
        with transaction() as session:
            link_rows.make(session, on_the_command_line(clock), LinkKind.RESET, ada.id)
    invited(app, clock, EMAIL, slug=harbour)
    for facts in ({"account_id": ada.id}, {"email": EMAIL, "name": NAME, "state": "declined"}):
        rows.put(app, insert(AccessRequest).values(portal_id=2, made_at=clock(), message="", **facts))
    other = new_browser()
    other.log_in(ada)
    clock.advance(minutes=1)
    browser.log_in(ada)
    tablet = rows.apps(app, ada)[1].id
    browser.submit(f"/account/security/methods/{tablet}/rename", name="Ada's new tablet")
    browser.submit(f"/account/security/methods/{tablet}/delete", button="Delete")
    traces = (EMAIL, NAME, "Ada")
    assert all(trace in everywhere(app) for trace in traces)
    before = stored(app, Event)
    page = browser.get(DELETE)
    assert (page.status, Seen(page).buttons) == (200, ["Delete account"])
    assert f"This deletes the account of {EMAIL}" in Seen(page).main
    answer = browser.send(page, button="Delete account")
    assert (answer.status, answer.location) == (303, "/log-in")
    assert answer.response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "_user_id" not in session_of(browser)
    assert Seen(browser.get("/log-in")).messages == ["Your account is deleted."]
    left = everywhere(app)
    assert [trace for trace in traces if trace in left] == []
    assert stored(app, RecoveryCode) == []
    assert other.get("/account").location.startswith("/log-in")
    assert new_browser().give_password(ada).status == 422
    events = stored(app, Event)
    assert events[: len(before)] == before
    (gone,) = [event for event in events[len(before) :] if event.kind == EventKind.ACCOUNT_DELETED]
    assert (gone.account_id, gone.actor_id, gone.details) == (ada.id, ada.id, {})
    with app.app_context():
        again = add_person(clock, EMAIL, NAME, "reader")
    assert again.id != ada.id, "a number is never given twice: events would tell of somebody else"


def test_others_keep_what_they_have(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        give_app(people.reader, clock)
    invited(app, clock, "other@example.org")
    rows.put(app, insert(AccessRequest).values(portal_id=1, made_at=clock(), email="x@example.org", name="X"))
    browser.log_in(people.editor)
    browser.submit(DELETE, button="Delete account")
    assert [account.email for account in stored(app, Account)] == [
        person.email for person in people.everybody if person is not people.editor
    ]
    assert len(stored(app, Membership)) == 2
    assert len(rows.apps(app, people.reader)) == 1
    assert len(stored(app, AccessRequest)) == 1
    assert "other@example.org" in everywhere(app)


@pytest.mark.parametrize(
    ("who", "words"),
    [("admin", f"{STUCK} City data, and a portal needs one."), ("operator", LAST)],
)
def test_a_last_admin_and_the_last_operator_stay_and_read_why(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, who: str, words: str
) -> None:
    """Another operator who is suspended cannot take over."""
    with app.app_context():
        former = add_person(clock, "former@example.org", "Former", "admin", operator=True)
    rows.put(app, update(Account).where(Account.id == former.id).values(suspended_at=clock()))
    browser.log_in(getattr(people, who))
    page = browser.get(DELETE)
    assert (page.status, Seen(page).buttons, words in Seen(page).main) == (200, [], True)
    page = browser.open("POST", DELETE, data={"csrf_token": browser.csrf("/account")})
    assert (page.status, words in Seen(page).main) == (409, True)
    assert len(stored(app, Account)) == 5
    assert rows.events(app, EventKind.ACCOUNT_DELETED) == []


def test_one_of_two_operators_may_go_even_as_a_portals_last_admin(browser: Browser, app: Flask, people: Cast) -> None:
    rows.put(app, update(Account).where(Account.id == people.admin.id).values(is_operator=True))
    browser.log_in(people.admin)
    assert browser.submit(DELETE, button="Delete account").location == "/log-in"
    assert len(stored(app, Account)) == 3
