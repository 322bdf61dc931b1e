"""Attacks by the ways in: what a request tells of an address, what an old invitation gives back."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from mfaportal.domain import access_requests, accounts, members, throttles
from mfaportal.domain.throttles import Subject
from mfaportal.models import AccessRequest, Account, EventKind, Invitation, Mail, Membership, Portal
from mfaportal.plumbing.db import transaction
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from mfaportal.rules.throttling import Kind
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.invitations import CHOSEN, INVITE, invited, links_on, second_portal
from tests.links import is_gone
from tests.mailing import link_in, mails, with_mail
from tests.people import PORTAL, Cast, Person, add_person, give_app, on_the_command_line, set_rule
from tests.stored import stored

HERE = f"/portals/{PORTAL}/request-access"
QUEUE = f"/portals/{PORTAL}/backoffice/access/requests"
USERS = f"/portals/{PORTAL}/backoffice/access/users"
LATE = "late@example.org"
WISH: dict[str, Any] = {"name": "Somebody", "password": "seven anchors on the shelf", "message": "hello"}


@pytest.fixture(autouse=True)
def _asked(app: Flask, people: Cast) -> None:
    """The portal takes requests, and anybody sees it."""
    rows.put(app, update(Portal).values(sign_up="approval", visibility="public"))


def test_asking_and_then_logging_in_tells_nobody_whose_address_is_known(
    app: Flask, people: Cast, new_browser: Callable[[], Browser]
) -> None:
    """The request's own password gets the same 403 for an account's address as for nobody's; and opens nothing."""
    told = {}
    for email in ("nobody@example.org", people.reader.email, people.operator.email):
        browser = new_browser()
        browser.submit(HERE, **WISH, email=email)
        page = new_browser().submit("/log-in", email=email, password=WISH["password"])
        told[email] = (page.status, re.sub(r'name="csrf_token" value="[^"]+"', "", page.html))
        again = new_browser().submit("/log-in", email=email, password="wrong horse battery")
        assert again.status == 422
    assert len(set(told.values())) == 1
    assert next(iter(told.values()))[0] == 403
    assert new_browser().log_in(people.reader).location == "/"


def test_what_an_address_may_still_ask_does_not_tell_either(app: Flask, people: Cast, clock: MovableClock) -> None:
    """Three wait at most, of an account's address as of nobody's; the fourth is not kept."""
    for email in ("nobody@example.org", people.reader.email):
        for number in range(5):
            clock.advance(hours=1)
            Browser(app, clock).submit(HERE, **{**WISH, "password": f"password number {number}"}, email=email)
            page = Browser(app, clock).submit("/log-in", email=email, password=f"password number {number}")
            assert page.status == (403 if number < 3 else 422), (email, number)


def _words_of(statement: str) -> str:
    """What a statement does to which table, without the values in it."""
    return " ".join(re.findall(r"SELECT|INSERT INTO \w+|UPDATE \w+|DELETE FROM \w+|FROM \w+", statement))


def test_with_mail_asking_does_the_same_and_sends_one_mail_whosever_the_address_is(
    make_app: Callable[..., Flask], people: Cast, clock: MovableClock
) -> None:
    """The same words, statements and hashes at asking; the same truth at log-in, until the same moment."""
    app = with_mail(make_app)
    emails = ("nobody@example.org", people.reader.email, people.operator.email)
    Browser(app, clock).submit(HERE, **WISH, email="warm@example.org")  # what is loaded once is loaded
    did, told = {}, {}
    for number, email in enumerate(emails):
        browser = Browser(app, clock)
        browser.address = f"198.51.100.{number}"
        page = browser.get(HERE)
        before = len(stored(app, Mail))
        with rows.counted_statements(app) as statements:
            answer = browser.send(page, **WISH, email=email)
        did[email] = (answer.status, answer.location, [_words_of(each) for each in statements])
        assert [mail.recipient for mail in stored(app, Mail)[before:]] == [email]
        page = browser.submit("/log-in", email=email, password=WISH["password"])
        told[email] = (page.status, re.sub(r'name="csrf_token" value="[^"]+"', "", page.html))
        assert browser.submit("/log-in", email=email, password="wrong horse battery").status == 422
    assert len(set(map(str, did.values()))) == 1, did
    assert len(set(told.values())) == 1
    assert "Confirm your address first" in told[people.reader.email][1]
    assert {mail.kind for mail in stored(app, Mail)} == {"confirm-address", "request-known"}
    clock.advance(days=1)
    for email in emails:
        assert Browser(app, clock).submit("/log-in", email=email, password=WISH["password"]).status == 422


def test_with_mail_nobody_is_mailed_more_than_three_times_a_day_by_strangers(
    make_app: Callable[..., Flask], people: Cast, clock: MovableClock
) -> None:
    app = with_mail(make_app)
    for number in range(5):
        for email in ("nobody@example.org", people.reader.email):
            password = f"password number {number}"
            Browser(app, clock).submit(HERE, **{**WISH, "password": password}, email=email)
            page = Browser(app, clock).submit("/log-in", email=email, password=password)
            assert page.status == (403 if number < 3 else 422), (email, number)
        clock.advance(hours=1)
    assert len(stored(app, Mail)) == 6


def test_an_address_gets_no_second_account_and_its_asker_no_word_of_the_first(
    make_app: Callable[..., Flask], people: Cast, clock: MovableClock
) -> None:
    """Asked with while nobody had it: once somebody has, the link is dead, and log-in answers as before."""
    app = with_mail(make_app)
    Browser(app, clock).submit(HERE, **WISH, email=LATE)
    link = link_in(mails(app, "confirm-address")[0])
    late = _late(app, clock)
    page = Browser(app, clock).submit("/log-in", email=LATE, password=WISH["password"])
    assert (page.status, "Confirm your address first" in page.text) == (403, True)
    assert Browser(app, clock).get(link, follow=True).status == 410
    assert Browser(app, clock).log_in(late).location == "/"
    assert len(stored(app, Account, email=LATE)) == 1


def test_one_address_cannot_use_up_the_day_of_a_portal_unseen(
    app: Flask, people: Cast, clock: MovableClock, new_browser: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty a day from one network; and where many fill the day together, the admins read it, once in the log."""
    hashed: list[str] = []

    def noting(password: str) -> str:
        hashed.append(password)
        return "a digest"

    monkeypatch.setattr(access_requests, "hash_password", noting)
    browser = new_browser()
    for number in range(30):
        clock.advance(minutes=10)
        browser.submit(HERE, **WISH, email=f"p{number}@example.org")
    assert (len(stored(app, AccessRequest)), len(hashed)) == (20, 20), "over it, nothing is hashed"
    assert len(rows.events(app, EventKind.ATTEMPTS_PAUSED)) == 1
    with app.app_context(), transaction() as session:
        for _ in range(80):
            throttles.count(session, [Subject(Kind.REQUEST_TO_PORTAL, str(rows.portal(app).id))], clock())
    for number in range(3):
        browser.address = f"198.51.100.{number}"
        assert browser.submit(HERE, **WISH, email=f"q{number}@example.org").location == f"{HERE}?sent=yes"
    noted = rows.events(app, EventKind.ATTEMPTS_PAUSED)[1:]
    assert [event.portal_id for event in noted] == [rows.portal(app).id]
    admin = new_browser()
    admin.log_in(people.admin)
    assert "Further ones are not taken until tomorrow, 09:10 UTC." in admin.get(QUEUE).text
    clock.advance(days=1)
    admin.log_in(people.admin)
    assert "Further ones" not in admin.get(QUEUE).text


def _late(app: Flask, clock: MovableClock, role: str | None = "reader") -> Person:
    with app.app_context():
        return add_person(clock, LATE, "Late", role)


def test_somebody_who_was_removed_does_not_come_back_by_an_old_invitation(
    app: Flask, people: Cast, clock: MovableClock, new_browser: Callable[[], Browser]
) -> None:
    """It was not used, since a request was accepted first."""
    link = invited(app, clock, LATE, "admin")
    new_browser().submit(HERE, **WISH, email=LATE)
    admin = new_browser()
    admin.log_in(people.admin)
    number = rows.rows(app, select(AccessRequest.id))[0]
    sent = {"csrf_token": admin.csrf("/account"), "requests": str(number), "role": "reader", "decision": "accept"}
    assert admin.open("POST", QUEUE, data=sent).status == 303
    assert stored(app, Invitation) == []
    assert is_gone(new_browser().get(link, follow=True))


@pytest.mark.parametrize("way", ["leaves", "removed", "another role", "removed by the command line"])
def test_no_change_of_standing_leaves_an_invitation_behind(
    app: Flask, people: Cast, clock: MovableClock, browser: Browser, way: str
) -> None:
    late = _late(app, clock, None)
    link = invited(app, clock, LATE, "admin")
    place = {"account_id": late.id, "portal_id": rows.portal(app).id, "role": "reader", "since": clock()}
    rows.put(app, insert(Membership).values(**place))
    if way == "leaves":
        browser.log_in(late)
        assert browser.submit(f"/account/portals/{PORTAL}/leave").status == 303
    else:
        with app.app_context():
            cli = on_the_command_line(clock)
            if way == "removed":
                members.remove(cli, PORTAL, late.id)
            elif way == "another role":
                members.change_role(cli, PORTAL, late.id, MemberRole.EDITOR)
            else:
                members.add(cli, PORTAL, late.id, MemberRole.EDITOR)
    assert stored(app, Invitation) == []
    assert is_gone(Browser(app, clock).get(link, follow=True))


@pytest.mark.parametrize("loss", ["removed", "demoted", "suspended", "deleted"])
def test_an_invitation_works_only_while_its_maker_could_make_it(
    app: Flask, people: Cast, clock: MovableClock, new_browser: Callable[[], Browser], loss: str
) -> None:
    """An admin's second address, invited in time, does not make an admin once the first one is none."""
    with app.app_context():
        evil = add_person(clock, "evil@example.org", "Evil", "admin")
    browser = new_browser()
    browser.log_in(evil)
    link = links_on(browser.submit(INVITE, emails="second@example.org", role="admin"))["second@example.org"]
    assert new_browser().get(link, follow=True).status == 200
    if loss == "deleted":
        assert browser.submit("/account/delete").status == 303
    with app.app_context():
        cli = on_the_command_line(clock)
        if loss == "removed":
            members.remove(cli, PORTAL, evil.id)
        elif loss == "demoted":
            members.change_role(cli, PORTAL, evil.id, MemberRole.EDITOR)
        elif loss == "suspended":
            accounts.suspend(cli, evil.id)
    assert is_gone(new_browser().get(link, follow=True))
    if loss != "deleted":
        admin = new_browser()
        admin.log_in(people.admin)
        assert "no longer works" in admin.get(INVITE).text
    assert rows.rows(app, select(Account.id).where(Account.email == "second@example.org")) == []


def test_a_cookie_ten_minutes_old_cannot_join_a_portal_and_log_the_owner_out(
    app: Flask, people: Cast, clock: MovableClock, new_browser: Callable[[], Browser]
) -> None:
    link = invited(app, clock, people.reader.email, slug=second_portal(app, clock))
    with app.app_context():
        give_app(people.reader, clock)
    owner, thief = new_browser(), new_browser()
    for browser in (owner, thief):
        browser.log_in(people.reader)
        clock.advance(seconds=30)
    clock.advance(minutes=21)
    page = thief.get(link, follow=True)
    answer = thief.send(page, button="Accept")
    assert (answer.status, answer.location) == (303, "/confirm?next=/invitation")
    assert rows.role(app, people.reader, "harbour") is None
    assert owner.get("/account").status == 200


@pytest.mark.parametrize("way", ["request", "invitation"])
def test_a_role_gained_while_logged_in_does_not_escape_a_rule_raised_since(
    app: Flask, people: Cast, clock: MovableClock, new_browser: Callable[[], Browser], way: str
) -> None:
    harbour = second_portal(app, clock)
    with app.app_context():
        vera = add_person(clock, "vera@example.org", "Vera", "reader", portal=harbour)
        give_app(people.admin, clock)
    browser = new_browser()
    browser.log_in(vera)
    clock.advance(minutes=1)
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock)
    if way == "request":
        browser.submit(HERE, message="let me in")
        admin = new_browser()
        admin.log_in(people.admin)
        number = rows.rows(app, select(AccessRequest.id))[0]
        sent = {"csrf_token": admin.csrf("/account"), "requests": str(number), "role": "admin", "decision": "accept"}
        assert admin.open("POST", QUEUE, data=sent).status == 303
    else:
        browser.get(invited(app, clock, vera.email, "admin"))
        assert browser.submit("/invitation", button="Accept").status == 303
    assert rows.role(app, vera) == "admin"
    assert browser.get(USERS).location.startswith("/log-in?")
    clock.advance(minutes=1)
    assert new_browser().give_password(vera).location == "/log-in/set-up"


def test_joining_a_portal_without_a_rule_leaves_this_browser_be(
    app: Flask, people: Cast, clock: MovableClock, browser: Browser
) -> None:
    browser.log_in(people.reader)
    browser.get(invited(app, clock, people.reader.email, slug=second_portal(app, clock)))
    assert browser.submit("/invitation", button="Accept").location == "/portals/harbour/"
    assert browser.get("/portals/harbour/").status == 200


def test_of_two_strangers_with_one_address_neither_is_let_in_by_accepting_both(
    app: Flask, people: Cast, new_browser: Callable[[], Browser]
) -> None:
    for password in (WISH["password"], CHOSEN):
        new_browser().submit(HERE, **{**WISH, "password": password}, email="boss@example.org")
    admin = new_browser()
    admin.log_in(people.admin)
    numbers = [str(number) for number in rows.rows(app, select(AccessRequest.id))]
    sent = {"csrf_token": admin.csrf("/account"), "requests": numbers, "decision": "accept"}
    page = admin.open("POST", QUEUE, data=sent)
    assert (page.status, "accept only the right one of them" in page.text) == (422, True)
    assert {request.state for request in stored(app, AccessRequest)} == {"open"}
    assert admin.open("POST", QUEUE, data={**sent, "requests": numbers[1:]}).status == 303
    assert sorted(request.state for request in stored(app, AccessRequest)) == ["accepted", "declined"]
    boss = Person(0, "boss@example.org", "", password=CHOSEN)
    assert new_browser().log_in(boss).location == "/"
