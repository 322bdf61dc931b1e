"""Another e-mail to log in with: a link to the new one, the old one told twice, and nobody learns who is known."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert

from mfaportal.domain import accounts, invitations
from mfaportal.models import AccessRequest, EventKind, Invitation, LinkKind, Login, OneTimeLink
from mfaportal.plumbing.db import transaction
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.links import is_gone
from tests.mailing import link_in, mails, with_mail
from tests.people import PORTAL, Cast, Person, add_person, digest_now, give_app, on_the_command_line
from tests.stored import session_of, stored
from tests.told import told

NEW = "moved@example.org"
ASKED = "A link is on its way to the new address."
NewBrowser = Callable[[], Browser]


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """A portal that has a mail server."""
    return with_mail(make_app)


def ask(browser: Browser, email: str = NEW) -> Page:
    return browser.submit("/account", email=email)


def link(app: Flask) -> str:
    return link_in(mails(app, "email-change")[-1])


def confirm(browser: Browser, path: str) -> Page:
    return browser.send(browser.get(path, follow=True), button="Confirm address")


def test_a_link_to_the_new_address_changes_it(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    """Opened elsewhere, where it logs nobody in; until then nothing has changed."""
    browser.log_in(people.reader)
    page = ask(browser, " Moved@Example.org ")
    assert (page.status, page.location) == (303, "/account")
    assert ASKED in browser.get("/account").text
    assert rows.account(app, people.reader).email == people.reader.email
    (old,) = mails(app, "email-changed")
    assert (old.recipient, old.facts["new_email"], old.facts["done"]) == (people.reader.email, NEW, False)
    mail = mails(app, "email-change")[0]
    (row,) = stored(app, OneTimeLink, kind=LinkKind.EMAIL)
    assert (mail.recipient, mail.about) == (NEW, f"link:{row.id}")
    assert row.expires_at == clock() + timedelta(hours=24)
    clock.advance(hours=1)
    elsewhere = new_browser()
    page = elsewhere.get(link(app))
    assert (page.status, page.location) == (303, "/confirm-email")
    page = elsewhere.get("/confirm-email")
    assert NEW in page.text
    assert link(app).rpartition("/")[2] not in page.html
    assert rows.account(app, people.reader).email == people.reader.email, "opening it is not enough"
    page = elsewhere.send(page, button="Confirm address")
    assert (page.status, page.location) == (303, "/account")
    assert "_user_id" not in session_of(elsewhere)
    account = rows.account(app, people.reader)
    assert (account.email, account.email_confirmed_at) == (NEW, clock())
    assert browser.get("/account").location == "/log-in?next=/account", "it was confirmed somewhere else"
    asked, done = mails(app, "email-changed")
    assert [mail.recipient for mail in (asked, done)] == [people.reader.email] * 2
    assert (done.facts["new_email"], done.facts["done"]) == (NEW, True)
    (event,) = rows.events(app, EventKind.EMAIL_CHANGED)
    assert (event.account_id, event.actor_id, event.details) == (people.reader.id, None, {"ended": 1})
    assert new_browser().give_password(people.reader).status == 422
    assert new_browser().give_password(Person(0, NEW, "")).location == "/"
    assert is_gone(new_browser().get(link_in(mail), follow=True))


def test_confirmed_where_one_is_logged_in_that_browser_stays_and_is_known(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, reset_link: Callable[[Person], str]
) -> None:
    other = new_browser()
    other.log_in(people.reader)
    browser.log_in(people.reader)
    ask(browser)
    reset = reset_link(people.reader)  # a link that an operator makes takes the place of the other
    assert is_gone(browser.get(f"/confirm-email/{'x' * 43}", follow=True))
    assert mails(app, "email-change") == []
    ask(browser)
    assert confirm(browser, link(app)).location == "/account"
    assert "The new e-mail address is confirmed." in browser.get("/account").text
    assert other.get("/account").location.startswith("/log-in")
    assert is_gone(new_browser().get(reset, follow=True)), "links that lie in the old mailbox are void"
    before = len(mails(app, "new-browser"))
    browser.log_out()
    browser.log_in(Person(0, NEW, ""))
    assert len(mails(app, "new-browser")) == before


def test_an_address_that_has_an_account_is_answered_alike_and_its_owner_told(
    app: Flask, new_browser: NewBrowser, people: Cast
) -> None:
    """The same page, the same statements; the mail has no link, and the one that was made is void."""
    seen = []
    for person, email in ((people.reader, "nobody@example.org"), (people.editor, people.operator.email)):
        browser = new_browser()
        browser.log_in(person)
        page = browser.get("/account")
        with rows.counted_statements(app) as statements:
            answer = browser.send(page, email=email)
        seen.append((answer.status, answer.location, [statement.split(" ")[:3] for statement in statements]))
        assert ASKED in browser.get("/account").text
    assert seen[0] == seen[1]
    free, known = mails(app, "email-change")
    assert (free.recipient, "link" in free.facts, "taken" in free.facts) == ("nobody@example.org", True, False)
    assert (known.recipient, known.facts.get("link"), known.facts["taken"]) == (people.operator.email, None, True)
    assert [row.used_at is None for row in stored(app, OneTimeLink, kind=LinkKind.EMAIL)] == [True, False]


def test_an_address_that_somebody_took_meanwhile_is_theirs(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    ask(browser)
    page = browser.get(link(app), follow=True)
    with app.app_context():
        add_person(clock, NEW, "Somebody", "reader")
    assert is_gone(browser.send(page, button="Confirm address"))
    assert rows.account(app, people.reader).email == people.reader.email
    assert browser.get("/account").status == 200, "nothing else happened"
    assert rows.events(app, EventKind.EMAIL_CHANGED) == []


def test_what_waits_for_the_new_address_or_was_meant_for_the_old_one_is_closed(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    asked = {"portal_id": 1, "made_at": clock(), "state": "open", "message": "", "reason": "", "role": None}
    stranger = {"email": NEW, "name": "Thief", "password_digest": digest_now()}
    rows.put(app, insert(AccessRequest).values(**asked, **stranger))
    with app.app_context():
        invitations.invite(on_the_command_line(clock), PORTAL, [NEW, "other@example.org"], MemberRole.READER)
        with transaction() as session:
            session.add(
                Invitation(
                    portal_id=1,
                    email=people.reader.email,
                    role="admin",
                    token_digest=b"x",
                    made_at=clock(),
                    expires_at=clock() + timedelta(days=1),
                )
            )
    browser.log_in(people.reader)
    ask(browser)
    confirm(browser, link(app))
    (request,) = stored(app, AccessRequest)
    assert (request.state, request.password_digest) == ("declined", None)
    assert [invitation.email for invitation in stored(app, Invitation)] == [NEW, "other@example.org"]


def test_a_newer_link_takes_the_place_of_the_older_one_and_a_day_is_enough(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    ask(browser, "typo@example.org")
    older = link(app)
    ask(browser)
    assert is_gone(browser.get(older, follow=True))
    assert [mail.recipient for mail in mails(app, "email-change")] == [NEW], "the void one does not leave any more"
    clock.advance(hours=24)
    assert is_gone(browser.get(link(app), follow=True))


def test_what_ends_a_pending_change(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock, new_browser: NewBrowser
) -> None:
    """A new password, and a suspension."""
    browser.log_in(people.reader)
    ask(browser)
    path = link(app)
    new = "nine kettles in the attic"
    browser.submit("/account/security/password", current_password=people.reader.password, password=new)
    assert is_gone(new_browser().get(path, follow=True))
    ask(browser)
    elsewhere = new_browser()
    page = elsewhere.get(link(app), follow=True)
    with app.app_context():
        accounts.suspend(on_the_command_line(clock), people.reader.id)
    assert is_gone(elsewhere.send(page, button="Confirm address"))
    assert rows.account(app, people.reader).email == people.reader.email


def test_three_an_hour_and_what_is_no_address(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    for email in ("nobody", "", "a@b@c", "a" * 250 + "@example.org"):
        assert ask(browser, email).status == 422, email
    for number in range(3):
        assert ask(browser, f"n{number}@example.org").status == 303
    page = ask(browser)
    assert (page.status, page.response.headers["Retry-After"]) == (429, "3601")
    assert len(stored(app, OneTimeLink, kind=LinkKind.EMAIL)) == 3
    assert len(rows.events(app, EventKind.ATTEMPTS_PAUSED)) == 1
    assert browser.submit("/account", name="Grace").status == 303, "the name is no part of it"


def test_name_and_e_mail_are_one_form_and_what_is_not_sent_stays(app: Flask, browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    csrf = browser.csrf("/account")

    def post(**fields: str) -> Page:
        return browser.open("POST", "/account", data={"csrf_token": csrf, **fields})

    assert post(name="Grace").status == 303
    assert post(email=people.reader.email.upper()).status == 303, "one's own is no change"
    assert told(app) == []
    assert post(email=NEW).status == 303
    assert post(name="Ada", email="ada@example.org").status == 303
    assert post(name="\u200b", email="third@example.org").status == 422
    assert post().status == 422
    assert (rows.account(app, people.reader).name, len(mails(app, "email-change"))) == ("Ada", 1)
    assert len(rows.events(app, EventKind.EMAIL_CHANGE_ASKED)) == 2


def test_it_asks_for_step_up_when_it_is_sent_and_nothing_is_done(
    app: Flask, browser: Browser, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        phone = give_app(people.reader, clock)
    browser.log_in(people.reader)
    page = browser.get("/account")
    clock.advance(minutes=10, seconds=1)
    answer = browser.send(page, name="Grace", email=NEW)
    assert (answer.status, answer.location) == (303, "/confirm?next=/account")
    assert (rows.account(app, people.reader).name, told(app)) == ("Reader", [])
    page = browser.get(answer.location)
    assert "Confirm that it is you. Then enter the new address again." in page.text
    assert browser.send(page, code=phone.code(clock())).location == "/account"
    assert ask(browser).location == "/account"
    assert len(mails(app, "email-change")) == 1


def test_without_a_mail_server_the_page_says_why_and_whom_to_ask(
    make_app: Callable[..., Flask], people: Cast, clock: MovableClock
) -> None:
    app = make_app()
    browser = Browser(app, clock)
    browser.log_in(people.reader)
    page = browser.get("/account")
    assert "This portal sends no e-mail, so a new address cannot be confirmed here: ask whoever runs it" in page.text
    assert "email" not in page.form("Save").fields
    answer = browser.send(page, name="Reader", email=NEW)
    assert (answer.status, "a new address cannot be confirmed" in answer.text) == (422, True)
    assert stored(app, OneTimeLink, kind=LinkKind.EMAIL) == []


def test_a_half_login_of_the_account_is_ended_and_another_accounts_left_alone(
    app: Flask, browser: Browser, new_browser: NewBrowser, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.reader)
    ask(browser)
    with app.app_context():
        give_app(people.reader, clock)
    half, other = new_browser(), new_browser()
    half.give_password(people.reader)
    other.log_in(people.editor)
    confirm(other, link(app))
    assert rows.account(app, people.reader).email == NEW
    ended = [login.ended_at is not None for login in stored(app, Login)]
    assert ended == [True, True, False]
    assert people.editor.email in other.get("/account").html
    (event,) = rows.events(app, EventKind.EMAIL_CHANGED)
    assert event.actor_id is None, "who opened it in whose browser says nothing"
