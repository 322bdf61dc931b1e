"""Installation > Mail: what does not reach people, and why, and trying it again."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update

from mfaportal.domain import notices, outbox
from mfaportal.domain.caller import the_portal_itself
from mfaportal.models import EventKind, Mail, MailKind
from mfaportal.plumbing.db import transaction
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.looking import Seen
from tests.mailing import with_mail
from tests.people import Cast, on_the_command_line, seed

MAIL = "/installation/mail"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return with_mail(make_app)


@pytest.fixture
def people(app: Flask, clock: MovableClock) -> Cast:
    with app.app_context():
        return seed(clock)


@pytest.fixture
def operator(browser: Browser, people: Cast) -> Browser:
    browser.log_in(people.operator)
    return browser


def write(app: Flask, clock: MovableClock, people: Cast, *, refused: bool) -> None:
    """A mail to the reader that could not be sent yet, one to the editor that has not been tried, one refused."""
    with app.app_context():
        with transaction() as session:
            for person in (people.reader, people.editor, people.admin)[: 3 if refused else 2]:
                caller = on_the_command_line(clock)
                notices.tell(session, caller, MailKind.APP_ADDED, person.id, app="Secret-name")
        claimed = outbox.claim(the_portal_itself())
        assert claimed is not None
        outbox.failed(the_portal_itself(), claimed.id, "the mail server does not answer in time", for_good=False)
        if refused:
            outbox.failed(the_portal_itself(), 3, "550: the recipient is refused", for_good=True)


def test_it_lists_what_failed_and_what_was_given_up_and_shows_no_text(
    app: Flask, operator: Browser, people: Cast, clock: MovableClock
) -> None:
    assert "Nothing waits to leave." in operator.get(MAIL).text
    write(app, clock, people, refused=True)
    clock.advance(minutes=5)
    page = operator.get(MAIL)
    assert "2 wait to leave, the oldest made 5 minutes ago." in page.text
    for words in (
        "reader@example.org App added 5 minutes ago the mail server does not answer in time 1 try today, 09:00 UTC",
        "admin@example.org App added 5 minutes ago 550: the recipient is refused 1 try given up",
    ):
        assert words in page.text
    assert "editor@example.org" not in page.text
    assert "Secret-name" not in page.html
    assert Seen(page).buttons == ["Try all again", "Try again"]


@pytest.mark.parametrize("button", ["Try again", "Try all again"])
def test_a_button_lets_it_be_tried_at_once(
    app: Flask, operator: Browser, people: Cast, clock: MovableClock, button: str
) -> None:
    write(app, clock, people, refused=False)
    answer = operator.send(operator.get(MAIL), button=button)
    assert (answer.status, answer.location) == (303, MAIL)
    assert Seen(operator.get(MAIL)).messages == ["1 mail will be tried again in a moment."]
    assert rows.rows(app, select(Mail.next_try_at)) == [clock(), clock()]
    (event,) = rows.events(app, EventKind.MAIL_RETRIED)
    assert (event.actor_id, event.details) == (people.operator.id, {"mails": 1})
    assert operator.send(operator.get(MAIL), button=button).status == 303
    assert Seen(operator.get(MAIL)).messages == ["Nothing waits for its next try any more."]


def test_a_button_pressed_late_asks_first_and_does_nothing(
    app: Flask, operator: Browser, people: Cast, clock: MovableClock
) -> None:
    write(app, clock, people, refused=False)
    waits = rows.rows(app, select(Mail.next_try_at))
    page = operator.get(MAIL)
    clock.advance(minutes=10, seconds=1)
    answer = operator.send(page, button="Try all again")
    assert answer.location == f"/confirm?next={MAIL}/try-again"
    assert rows.rows(app, select(Mail.next_try_at)) == waits
    assert operator.get(f"{MAIL}/try-again").location == MAIL


def test_without_a_mail_server_it_says_so_and_offers_nothing(
    make_app: Callable[..., Flask], clock: MovableClock
) -> None:
    app = make_app()
    with app.app_context():
        people = seed(clock)
    browser = Browser(app, clock)
    browser.log_in(people.operator)
    write(app, clock, people, refused=False)
    page = browser.get(MAIL)
    assert "There is no mail server" in page.text
    assert "2 mails wait: where there is a mail server within a day they are sent" in page.text
    assert Seen(page).buttons == []


def test_a_kind_that_a_later_version_wrote_stands_as_it_is(
    app: Flask, operator: Browser, people: Cast, clock: MovableClock
) -> None:
    write(app, clock, people, refused=False)
    rows.put(app, update(Mail).values(kind="of-tomorrow"))
    assert "of-tomorrow" in operator.get(MAIL).text
