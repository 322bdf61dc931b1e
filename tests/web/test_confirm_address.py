"""Where mail works: a stranger's request waits for its address, and the mailed link confirms it, once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update

from mfaportal.domain import portals, request_rows
from mfaportal.models import AccessRequest, Account, EventKind, Invitation, Login, Mail, MailJob, Membership, Portal
from mfaportal.plumbing.db import transaction
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.invitations import second_portal
from tests.looking import Seen
from tests.mailing import link_in, mails, with_mail
from tests.people import Cast, Person, add_person, on_the_command_line, set_rule
from tests.stored import session_of, stored, the_one

HERE = "/portals/city-data/request-access"
QUEUE = "/portals/city-data/backoffice/access/requests"
NEW = "new@example.org"
PASSWORD = "nine kettles in the attic"
WISH: dict[str, Any] = {"name": "New Person", "email": NEW, "password": PASSWORD, "message": "I map the trees."}
CONFIRM = "Confirm address"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return with_mail(make_app)


@pytest.fixture(autouse=True)
def _asking(app: Flask, people: Cast) -> None:
    rows.put(app, update(Portal).values(sign_up="approval", visibility="public"))


def open_up(app: Flask) -> None:
    rows.put(app, update(Portal).values(sign_up="open"))


def asked(app: Flask, browser: Browser, **other: str) -> str:
    """Ask as a stranger; the link that is mailed."""
    assert browser.submit(HERE, **{**WISH, **other}).location == f"{HERE}?sent=yes"
    return link_in(mails(app, "confirm-address")[-1])


def requests(app: Flask) -> list[AccessRequest]:
    return rows.rows(app, select(AccessRequest).order_by(AccessRequest.id))


def try_password(browser: Browser, password: str = PASSWORD, email: str = NEW) -> Page:
    return browser.submit("/log-in", email=email, password=password)


def is_gone(page: Page) -> bool:
    return page.status == 410 and "ask for access once more" in page.text


def test_a_request_comes_into_the_queue_once_its_address_is_confirmed(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    admin = new_browser()
    admin.log_in(people.admin)
    link = asked(app, browser)
    assert "We have written to the address that you gave." in browser.get(f"{HERE}?sent=yes").text
    (mail,) = mails(app, "confirm-address")
    (request,) = requests(app)
    assert (mail.recipient, mail.about, request.state) == (NEW, f"request:{request.id}", "unconfirmed")
    assert (mail.facts["portal"], mail.facts["signs_up"]) == ("City data", False)
    assert the_one(app, Mail).dies_at == rows.rows(app, select(Mail.made_at))[0] + timedelta(days=1)
    assert "Nobody is waiting." in admin.get(QUEUE).text
    assert "New Person" not in admin.get(f"{QUEUE}?history=1").text
    told = try_password(new_browser())
    assert (told.status, Seen(told).h1) == (403, "Confirm your address first")
    assert [event.portal_id for event in rows.events(app, EventKind.REQUEST_SENT_TO_CONFIRM)] == [None]
    assert rows.events(app, EventKind.REQUEST_MADE) == []

    page = browser.get(link)
    assert (page.status, page.location) == (303, "/confirm-address"), "the token leaves the address"
    page = browser.get("/confirm-address")
    assert "New Person" in Seen(page).main
    assert requests(app)[0].state == "unconfirmed", "looking takes nothing"
    page = browser.send(page, button=CONFIRM, follow=True, password=PASSWORD)
    assert "Your address is confirmed. An admin of City data decides now" in page.text
    assert "address_token" not in session_of(browser)
    (request,) = requests(app)
    assert (request.state, request.email_confirmed_at, request.confirm_digest) == ("open", clock(), None)
    (event,) = rows.events(app, EventKind.REQUEST_MADE)
    assert (event.portal_id, event.details) == (request.portal_id, {"request": request.id, "confirmed": True})
    assert [job.kind for job in stored(app, MailJob)] == ["request-received"]
    assert stored(app, Login, account_id=None) == []
    page = admin.get(QUEUE)
    assert ("New Person" in page.text, "not confirmed" in page.text) == (True, False)
    assert Seen(try_password(new_browser())).h1 == "Your request is waiting"
    assert is_gone(browser.get(link, follow=True)), "once"

    sent = {"csrf_token": admin.csrf(QUEUE), "requests": str(request.id), "role": "reader", "decision": "accept"}
    assert admin.open("POST", QUEUE, data=sent).status == 303
    account = the_one(app, Account, email=NEW)
    assert account.email_confirmed_at == clock()
    (mail,) = mails(app, "request-accepted")
    assert (mail.recipient, mail.facts["portal"], mail.facts["role"]) == (NEW, "City data", "reader")
    assert try_password(new_browser()).location == "/"


def test_where_sign_up_is_open_the_link_makes_the_account_and_logs_nobody_in(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    """Under a rule the first log-in leads to set-up."""
    open_up(app)
    front = browser.get("/portals/city-data/")
    assert "Whoever confirms an e-mail address becomes a reader here." in front.text
    harbour = second_portal(app, clock)
    other = rows.portal(app, harbour)
    values = {"portal_id": other.id, "email": NEW, "name": "Eve", "password_digest": "x", "made_at": clock()}
    rows.put(app, insert(AccessRequest).values(**values))
    asked(app, new_browser(), password="somebody else's choice of words")
    link = asked(app, browser)
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
    assert mails(app, "confirm-address")[-1].facts["signs_up"]
    page = browser.get(link, follow=True)
    assert browser.send(page, button=CONFIRM, password=PASSWORD).location == "/log-in"
    assert "your account is made. Log in with it." in browser.get("/log-in").text
    account = the_one(app, Account, email=NEW)
    assert (account.name, account.email_confirmed_at) == ("New Person", clock())
    assert (rows.role(app, Person(account.id, NEW, "")), stored(app, Login)) == ("reader", [])
    states = [(each.state, each.account_id, each.email, each.password_digest is None) for each in requests(app)]
    assert states == [
        ("declined", None, NEW, True),
        ("decoy", None, NEW, False),
        ("accepted", account.id, None, True),
    ]
    assert len(mails(app, "confirm-address")) == 1, "the other's link does not leave any more"
    for kind in (EventKind.ACCOUNT_CREATED, EventKind.MEMBER_ADDED, EventKind.REQUEST_ACCEPTED):
        assert rows.events(app, kind)[-1].account_id == account.id
    assert stored(app, MailJob, kind="request-received") == []
    assert try_password(browser).location == "/log-in/set-up"


def test_a_link_works_for_a_day_and_what_nobody_confirmed_goes_with_it(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    """A decoy ends at the same moment, before and after upkeep has been there."""
    link = asked(app, browser)
    asked(app, new_browser(), email=people.reader.email)
    page = browser.get(link, follow=True)
    clock.advance(days=1, seconds=-1)
    assert browser.get("/confirm-address").status == 200
    assert [try_password(new_browser(), email=email).status for email in (NEW, people.reader.email)] == [403, 403]
    clock.advance(seconds=1)
    assert is_gone(browser.send(page, button=CONFIRM, password=PASSWORD))
    assert is_gone(new_browser().get(link, follow=True))
    assert [try_password(new_browser(), email=email).status for email in (NEW, people.reader.email)] == [422, 422]
    with app.app_context(), transaction() as session:
        assert request_rows.expired(session, clock()) == 2
    assert requests(app) == []


def test_upkeep_removes_what_strangers_asked_for_and_nobody_will_decide(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    portal_id = rows.portal(app).id
    kept = {"portal_id": portal_id, "email": NEW, "made_at": clock()}
    for state, decided, account in (
        ("open", None, None),
        ("decoy", None, None),
        ("declined", clock(), None),
        ("withdrawn", clock(), None),
        ("accepted", clock(), people.reader.id),
        ("declined", clock(), people.reader.id),
    ):
        values = {**kept, "state": state, "decided_at": decided, "account_id": account}
        rows.put(app, insert(AccessRequest).values(**values))
    for days, gone in ((29, 0), (1, 1), (59, 0), (1, 2)):
        clock.advance(days=days)
        with app.app_context(), transaction() as session:
            assert request_rows.expired(session, clock()) == gone
    assert [(request.state, request.account_id) for request in requests(app)] == [
        ("open", None),
        ("accepted", people.reader.id),
        ("declined", people.reader.id),
    ]


@pytest.mark.parametrize("token", ["x", "0" * 43, "x" * 4000, "%00", "é"])
def test_an_unknown_link_is_gone_and_what_is_none_leaves_no_trace(browser: Browser, people: Cast, token: str) -> None:
    for path in ("confirm-address", "invitations", "reset-password"):
        page = browser.get(f"/{path}/{token}")
        assert ("Set-Cookie" in page.response.headers) is (len(token) == 43)
        assert browser.get(f"/{path}/{token}", follow=True).status == 410
    csrf = browser.csrf()
    assert browser.open("POST", "/confirm-address", data={"csrf_token": csrf, "password": PASSWORD}).status == 410


def test_what_has_changed_since_is_asked_again_and_uses_nothing_up(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    link = asked(app, browser)
    page = browser.get(link, follow=True)
    rows.put(app, update(Portal).values(sign_up="closed"))
    answer = browser.send(page, button=CONFIRM, password=PASSWORD)
    assert (answer.status, "takes no requests any more" in answer.text) == (409, True)
    rows.put(app, update(Portal).values(sign_up="approval"))
    with app.app_context():
        add_person(clock, NEW, "Faster", None)
    assert requests(app)[0].state == "decoy"
    assert is_gone(browser.send(page, button=CONFIRM, password=PASSWORD)), "an account made meanwhile ends the link"
    rows.put(app, update(AccessRequest).values(state="unconfirmed"))  # as if both had happened in one moment
    answer = browser.send(page, button=CONFIRM, password=PASSWORD)
    assert (answer.status, "There is an account with this address already." in answer.text) == (409, True)
    rows.put(app, delete(Account).where(Account.email == NEW))
    assert browser.send(page, button=CONFIRM, password=PASSWORD).location == "/log-in"


def test_only_who_knows_the_password_of_the_request_confirms_it(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], clock: MovableClock
) -> None:
    """Somebody asks with another's address and a password of their own; the owner clicks, and nothing is made."""
    open_up(app)
    owner = new_browser()
    page = owner.get(asked(app, browser), follow=True)
    for number in range(5):
        answer = owner.send(page, button=CONFIRM, password=f"what the owner might choose {number}")
        assert (answer.status, "not the password that was chosen" in answer.text) == (422, True)
    assert (stored(app, Account, email=NEW), requests(app)[0].state) == ([], "unconfirmed")
    answer = owner.send(page, button=CONFIRM, password=PASSWORD)
    assert (answer.status, "Retry-After" in answer.response.headers) == (429, True), "nor can it be guessed"
    clock.advance(minutes=6)
    assert owner.send(page, button=CONFIRM, password=PASSWORD).location == "/log-in"
    assert the_one(app, Account, email=NEW).email_confirmed_at == clock()


def test_an_account_made_in_that_very_moment_is_no_fault(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where even the second look was too early, the database's own rule on e-mails holds."""
    open_up(app)
    page = browser.get(asked(app, browser), follow=True)
    with app.app_context():
        add_person(clock, NEW, "Faster", None)
    rows.put(app, update(AccessRequest).values(state="unconfirmed"))
    monkeypatch.setattr(request_rows, "has_account", lambda _session, _email: False)
    assert browser.send(page, button=CONFIRM, password=PASSWORD).status == 409
    assert the_one(app, Account, email=NEW).name == "Faster"
    assert requests(app)[0].state == "unconfirmed"


def test_confirming_in_a_browser_of_somebody_else_changes_nothing_of_theirs(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    open_up(app)
    link = asked(app, new_browser())
    browser.log_in(people.editor)
    page = browser.get(link, follow=True)
    browser.send(page, button=CONFIRM, password=PASSWORD, follow=True)
    assert people.editor.email in browser.get("/account").html
    (event,) = rows.events(app, EventKind.REQUEST_ACCEPTED)
    assert (event.actor_id, event.account_id) == (None, the_one(app, Account, email=NEW).id)


def test_whoever_has_the_address_waits_once_with_what_they_asked_last(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    for password in (PASSWORD, "eleven lanterns on a raft"):
        browser.send(
            browser.get(asked(app, browser, password=password), follow=True), button=CONFIRM, password=password
        )
    assert [request.state for request in requests(app)] == ["withdrawn", "open"]
    assert [try_password(new_browser(), password).status for password in (PASSWORD, "eleven lanterns on a raft")] == [
        422,
        403,
    ]


def test_a_strangers_newer_request_neither_hides_the_owners_nor_tells_that_there_is_one(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], clock: MovableClock
) -> None:
    """Three unconfirmed ones do not count against the owner's, either."""
    browser.send(browser.get(asked(app, browser), follow=True), button=CONFIRM, password=PASSWORD)
    for number in range(3):
        clock.advance(hours=1)
        asked(app, new_browser(), password=f"a stranger's choice {number}")
    assert Seen(try_password(new_browser())).h1 == "Your request is waiting"
    assert Seen(try_password(new_browser(), "a stranger's choice 2")).h1 == "Confirm your address first"
    clock.advance(days=1)
    browser.send(browser.get(asked(app, browser), follow=True), button=CONFIRM, password=PASSWORD)
    assert [request.state for request in requests(app)] == ["withdrawn", *["unconfirmed"] * 3, "open"]


def test_the_declined_are_mailed_the_reason_where_the_address_is_theirs(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast, clock: MovableClock
) -> None:
    browser.send(browser.get(asked(app, browser), follow=True), button=CONFIRM, password=PASSWORD)
    with app.app_context():
        known = add_person(clock, "known@example.org", "Known", None)
    here = {"portal_id": rows.portal(app).id, "made_at": clock()}
    rows.put(app, insert(AccessRequest).values(**here, account_id=known.id, state="open"))
    rows.put(app, insert(AccessRequest).values(**here, email="old@example.org", name="From before there was mail"))
    admin = new_browser()
    admin.log_in(people.admin)
    ids = [str(request.id) for request in requests(app)]
    sent = {"csrf_token": admin.csrf(QUEUE), "requests": ids, "decision": "decline", "reason": "Not this year"}
    assert admin.open("POST", QUEUE, data=sent).status == 303
    told = [(mail.recipient, mail.facts["reason"]) for mail in mails(app, "request-declined")]
    assert told == [(NEW, "Not this year"), ("known@example.org", "Not this year")]
    page = try_password(new_browser())
    assert "If you were invited since, open the link of your invitation." in page.text


def test_an_account_whose_address_is_confirmed_is_let_in_where_sign_up_is_open(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    """At once, behind a step-up; one whose address is not waits as for approval."""
    browser.log_in(people.reader)
    rows.put(app, delete(Membership).where(Membership.account_id == people.reader.id))
    rows.put(app, update(Account).where(Account.id == people.reader.id).values(email_confirmed_at=None))
    assert "is sent" in browser.submit(HERE, message="Please", follow=True).text
    browser.submit(HERE, button="Withdraw")
    open_up(app)
    browser.submit(HERE, message="Please")
    assert requests(app)[-1].state == "open"
    browser.submit(HERE, button="Withdraw")
    rows.put(app, update(Account).where(Account.id == people.reader.id).values(email_confirmed_at=clock()))
    clock.advance(minutes=21)
    page = browser.submit(HERE, message="Please")
    assert (page.status, page.location) == (303, f"/confirm?next={HERE}")
    assert rows.role(app, people.reader) is None
    browser.submit(page.location, password=people.reader.password)
    page = browser.submit(HERE, message="Please", follow=True)
    assert "You are a member of City data now." in page.text
    assert (rows.role(app, people.reader), requests(app)[-1].state) == ("reader", "accepted")
    assert rows.events(app, EventKind.MEMBER_ADDED)[-1].account_id == people.reader.id
    assert [job.kind for job in stored(app, MailJob)] == ["request-received"] * 2, "of those that had to wait"


def test_what_was_to_be_mailed_about_a_portal_does_not_leave_once_it_is_gone(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    harbour = second_portal(app, clock)
    asked(app, browser)
    browser.log_in(people.admin)
    browser.submit("/portals/city-data/backoffice/access/users/invite", emails="guest@example.org")
    with app.app_context():
        portals.delete(on_the_command_line(clock), harbour)
        assert len(mails(app, "confirm-address")) == len(mails(app, "invitation")) == 1
        portals.create(on_the_command_line(clock), "Harbour", harbour)
        portals.delete(on_the_command_line(clock), "city-data")
    assert (mails(app, "confirm-address"), mails(app, "invitation")) == ([], [])


def test_an_invitation_of_the_address_ends_when_it_signs_up_by_itself(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], people: Cast
) -> None:
    """And what was to be mailed about it does not leave any more."""
    open_up(app)
    admin = new_browser()
    admin.log_in(people.admin)
    admin.submit("/portals/city-data/backoffice/access/users/invite", emails=NEW)
    assert len(mails(app, "invitation")) == 1
    browser.send(browser.get(asked(app, browser), follow=True), button=CONFIRM, password=PASSWORD)
    assert (stored(app, Invitation), mails(app, "invitation")) == ([], [])
