"""The outbox from inside: one mail is one sender's, tried again later, given up in time, and none is lost."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from mfaportal.background.sender import Sender
from mfaportal.domain import mail_list, notices, outbox
from mfaportal.domain.caller import the_portal_itself
from mfaportal.models import Mail, MailKind
from mfaportal.plumbing.db import transaction
from tests import rows
from tests.clock import MovableClock
from tests.mail_server import MailServer, mail_server
from tests.people import Cast, on_the_command_line, seed
from tests.told import told


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def app(make_app: Callable[..., Flask], server: MailServer) -> Flask:
    return make_app(MFAPORTAL_MAIL_URL=server.url)


@pytest.fixture
def people(app: Flask, clock: MovableClock) -> Cast:
    with app.app_context():
        return seed(clock)


def write(app: Flask, clock: MovableClock, account_id: int = 1, /, **facts: Any) -> None:
    with app.app_context(), transaction() as session:
        notices.tell(session, on_the_command_line(clock), MailKind.CODES_REPLACED, account_id, **facts)


def mails(app: Flask) -> list[Mail]:
    return rows.rows(app, select(Mail).order_by(Mail.id))


def claim(app: Flask) -> outbox.Claimed | None:
    with app.app_context():
        return outbox.claim(the_portal_itself())


def fail(app: Flask, error: str = "no answer", *, for_good: bool = False) -> None:
    claimed = claim(app)
    assert claimed is not None
    with app.app_context():
        outbox.failed(the_portal_itself(), claimed.id, error, for_good=for_good)


def test_a_mail_is_one_senders_for_a_minute(app: Flask, people: Cast, clock: MovableClock) -> None:
    write(app, clock, app="Phone")
    first = claim(app)
    assert first is not None
    assert (first.recipient, first.facts["app"], first.facts["name"]) == (people.reader.email, "Phone", "Reader")
    assert claim(app) is None
    clock.advance(seconds=59)
    assert claim(app) is None
    clock.advance(seconds=1)
    again = claim(app)
    assert again is not None
    assert (again.id, again.message_id, again.facts) == (first.id, first.message_id, first.facts)
    with app.app_context():
        assert outbox.release(the_portal_itself()) == 1
    assert claim(app) is not None


def test_a_mail_that_was_sent_is_empty_and_over(app: Flask, people: Cast, clock: MovableClock) -> None:
    write(app, clock)
    claimed = claim(app)
    assert claimed is not None
    with app.app_context():
        outbox.sent(the_portal_itself(), claimed.id)
        outbox.failed(the_portal_itself(), claimed.id, "late", for_good=True)
        assert not outbox.look(clock() + timedelta(hours=1)).mail
    (mail,) = mails(app)
    assert (mail.sealed, mail.next_try_at, mail.claimed_until, mail.gave_up_at) == (None, None, None, None)
    assert (mail.sent_at, mail.tries, mail.error) == (clock(), 1, "")


def test_what_was_not_taken_is_tried_later_and_at_last_given_up(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    write(app, clock)
    begun, waits = clock(), []
    while mails(app)[0].gave_up_at is None:
        before = clock()
        fail(app)
        clock.now = mails(app)[0].next_try_at or clock()
        waits.append((clock() - before).total_seconds())
    assert waits[:6] == [30, 120, 600, 1800, 3600, 10800]
    (mail,) = mails(app)
    assert clock() - begun < timedelta(hours=24)
    assert (mail.sealed, mail.next_try_at, mail.error, mail.tries) == (None, None, "no answer", len(waits))


def test_a_refusal_for_good_is_given_up_at_once(app: Flask, people: Cast, clock: MovableClock) -> None:
    write(app, clock)
    fail(app, "550: the recipient is refused" + "!" * 300, for_good=True)
    (mail,) = mails(app)
    assert (mail.sealed, mail.next_try_at, mail.gave_up_at, mail.tries) == (None, None, clock(), 1)
    assert mail.error.startswith("550: the recipient is refused")


def test_a_mail_whose_link_is_dead_does_not_leave(app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context(), transaction() as session:
        half_an_hour = clock() + timedelta(minutes=30)
        caller = on_the_command_line(clock)
        notices.send(session, caller, MailKind.RESET_LINK, "a@example.org", dies_at=half_an_hour, link="/x")
    clock.advance(minutes=30)
    assert claim(app) is None
    with app.app_context():
        assert outbox.look(clock()).dead
        assert outbox.give_up_dead(the_portal_itself()) == 1
        assert outbox.look(clock()) == outbox.Waiting()
    (mail,) = mails(app)
    assert (mail.sealed, mail.gave_up_at, mail.error) == (None, clock(), "it could not be sent in time")


def test_a_mail_that_no_key_opens_is_given_up_and_keeps_no_other_back(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    write(app, clock)
    write(app, clock, people.editor.id)
    rows.put(app, update(Mail).where(Mail.id == 1).values(sealed=b"nothing"))
    assert claim(app) is None
    claimed = claim(app)
    assert claimed is not None
    assert claimed.id == 2
    assert [mail.error for mail in mails(app)] == ["no key of the ring opens it", ""]


def test_a_mail_sealed_for_another_does_not_open(app: Flask, people: Cast, clock: MovableClock) -> None:
    for person in (people.reader, people.editor):
        write(app, clock, person.id)
    rows.put(app, update(Mail).where(Mail.id == 2).values(sealed=mails(app)[0].sealed, next_try_at=clock()))
    rows.put(app, update(Mail).where(Mail.id == 1).values(next_try_at=None))
    assert claim(app) is None
    assert mails(app)[1].gave_up_at == clock()


@pytest.mark.parametrize("ahead", [timedelta(hours=4), timedelta(days=400)])
def test_a_clock_that_was_ahead_keeps_no_mail_back(
    app: Flask, people: Cast, clock: MovableClock, ahead: timedelta
) -> None:
    clock.now += ahead
    write(app, clock)
    assert claim(app) is not None
    clock.now -= ahead
    assert claim(app) is not None


def test_trying_again_moves_what_waits_and_nothing_else(app: Flask, people: Cast, clock: MovableClock) -> None:
    for person in people.everybody:
        write(app, clock, person.id)
    fail(app)
    fail(app)
    fail(app, for_good=True)
    with app.app_context():
        cli = on_the_command_line(clock)
        assert [outbox.try_again(cli, number) for number in (2, 2, 3, 4, 9)] == [1, 0, 0, 0, 0]
        assert outbox.try_again(cli, None) == 1
    assert [mail.next_try_at for mail in mails(app)] == [clock(), clock(), None, clock()]


def test_what_the_server_took_is_not_sent_again_while_the_database_does_not_know(
    app: Flask, server: MailServer, people: Cast, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up between the two."""
    write(app, clock)
    right = outbox.sent

    def full(*_arguments: object) -> None:
        raise OSError("no space")

    with app.app_context():
        sender = Sender()
        monkeypatch.setattr(outbox, "sent", full)
        for _ in range(3):
            with pytest.raises(OSError, match="no space"):
                sender.work()
            clock.advance(minutes=2)
        monkeypatch.setattr(outbox, "sent", right)
        sender.work()
        sender.work()
        assert len(server.received) == 1
    assert mails(app)[0].sent_at == clock()


def test_one_mail_that_cannot_be_put_into_words_keeps_no_other_back(
    app: Flask, server: MailServer, people: Cast, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    write(app, clock)
    write(app, clock, people.editor.id)
    rows.put(app, update(Mail).where(Mail.id == 1).values(kind="of-tomorrow"))
    with app.app_context():
        Sender().work()
        assert server.recipients == [people.editor.email]
    assert mails(app)[0].error == "the portal could not put it into words"
    assert caplog.messages == ["a mail cannot be put into words: of-tomorrow, TemplateNotFound"]


def test_the_list_of_what_does_not_get_through_is_paged_by_key(app: Flask, people: Cast, clock: MovableClock) -> None:
    common = {"kind": "invitation", "made_at": clock(), "dies_at": clock(), "gave_up_at": clock(), "error": "no"}
    rows.put(
        app,
        insert(Mail).values(
            [{**common, "recipient": f"{n}@e.org", "message_id": f"<{n}>", "tries": 1} for n in range(70)]
        ),
    )
    with app.app_context():
        first = mail_list.page(None)
        second = mail_list.page(first.next_before)
    assert [mail.id for mail in first.mails + second.mails] == list(range(70, 0, -1))
    assert (second.next_before, first.waiting, first.some_wait) == (None, 0, False)


def test_a_void_link_takes_its_mail_along(app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context(), transaction() as session:
        for number in (1, 2):
            notices.send(
                session, on_the_command_line(clock), MailKind.INVITATION, "a@e.org", about=f"invitation:{number}"
            )
        notices.drop(session, "invitation:1")
    assert [mail.about for mail in told(app)] == ["invitation:2"]
