"""Leaving a portal: a page that says what happens, and one button. A portal's last admin stays."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import insert, update

from mfaportal.models import Account, EventKind, Membership
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.invitations import second_portal
from tests.looking import Seen
from tests.people import PORTAL, Cast, Person, add_person
from tests.stored import stored

LEAVE = f"/account/portals/{PORTAL}/leave"


def test_the_profile_lists_ones_portals_with_role_and_the_way_out(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    second_portal(app, clock)
    browser.log_in(people.editor)
    seen = Seen(browser.get("/account"))
    assert "Your portals City data editor Leave" in seen.main
    assert "Harbour" not in seen.main
    assert seen.links["Leave City data"] == LEAVE


def test_who_leaves_is_no_member_any_more_and_is_logged_out_elsewhere(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast
) -> None:
    other = new_browser()
    other.log_in(people.editor)
    browser.log_in(people.editor)
    page = browser.get(LEAVE)
    assert (page.status, Seen(page).h1, Seen(page).buttons) == (200, "Leave City data", ["Leave"])
    assert "You are an editor there." in Seen(page).main
    assert "you cannot log in again until somebody lets you in" in Seen(page).main
    answer = browser.send(page, button="Leave")
    assert (answer.status, answer.location) == (303, "/account")
    profile = Seen(browser.get("/account"))
    assert profile.messages == ["You have left City data."]
    assert "You are a member of no portal." in profile.main
    assert rows.role(app, people.editor) is None
    assert len(rows.live_logins(app, people.editor)) == 1
    assert other.get("/account").location.startswith("/log-in")
    assert browser.get(f"/portals/{PORTAL}/backoffice").status == 403
    (event,) = rows.events(app, EventKind.MEMBER_LEFT)
    assert (event.actor_id, event.account_id, event.portal_id) == (
        people.editor.id,
        people.editor.id,
        rows.portal(app).id,
    )


def test_a_portals_last_admin_stays_and_reads_why(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    rows.put(app, update(Membership).where(Membership.account_id == people.editor.id).values(role="admin"))
    rows.put(app, update(Account).where(Account.id == people.editor.id).values(suspended_at=clock()))
    browser.log_in(people.admin)
    page = browser.get(LEAVE)
    assert (page.status, Seen(page).buttons) == (200, []), "the other admin is suspended"
    assert "You are its only admin" in Seen(page).main
    page = browser.open("POST", LEAVE, data={"csrf_token": browser.csrf("/account")})
    assert (page.status, "You are its only admin" in page.text) == (409, True)
    assert rows.role(app, people.admin) == "admin"
    assert rows.events(app, EventKind.MEMBER_LEFT) == []


def test_one_of_two_admins_may_leave(browser: Browser, app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        add_person(clock, "second@example.org", "Second", "admin")
    browser.log_in(people.admin)
    assert browser.submit(LEAVE, button="Leave").location == "/account"
    assert rows.role(app, people.admin) is None


def test_an_operator_leaves_even_as_the_last_admin(browser: Browser, app: Flask, people: Cast) -> None:
    rows.put(app, update(Account).where(Account.id == people.admin.id).values(is_operator=True))
    browser.log_in(people.admin)
    assert browser.submit(LEAVE, button="Leave").location == "/account"
    assert rows.role(app, people.admin) is None


@pytest.mark.parametrize("who", ["reader", "operator"])
def test_a_portal_that_one_is_no_member_of_is_not_found(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, who: str
) -> None:
    person: Person = getattr(people, who)
    slug = second_portal(app, clock)
    rows.put(app, insert(Membership).values(account_id=people.editor.id, portal_id=2, role="reader", since=clock()))
    browser.log_in(person)
    path = LEAVE.replace(PORTAL, slug)
    before = stored(app, Membership)
    assert browser.get(path).status == 404
    assert browser.open("POST", path, data={"csrf_token": browser.csrf("/account")}).status == 404
    assert stored(app, Membership) == before
