"""D13: mails leave soon and once, no answer waits for a mail server, and no death of a worker loses one."""

import os
import re
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import String, column, func, select, table

from mfaportal import create_app
from mfaportal.domain import notices
from mfaportal.models import Mail, MailJob, MailKind
from mfaportal.plumbing.db import db, transaction
from mfaportal.plumbing.turns import LOCK
from tests import databases
from tests.clock import MovableClock
from tests.faults.length import either
from tests.mail_server import MailServer, mail_server, odd_server
from tests.people import on_the_command_line, seed
from tests.plugins.figures import Figure
from tests.races.arena import Arena
from tests.server import Server

WITHIN_SECONDS = 5
MAILS = either(10, 200)
KILLS = either(1, 20)
POSTS = either(8, 100)
WORKERS = 3
SUBJECT = "D13 mail"


@contextmanager
def portal(blank_instance: Path, scratch: Path, mail_url: str) -> Iterator[Arena]:
    with databases.installed(blank_instance, scratch / "instance") as instance:
        yield from _portal(instance, scratch, mail_url)


def _portal(instance: Path, scratch: Path, mail_url: str) -> Iterator[Arena]:
    server = Server(instance, scratch)
    server.settings["MFAPORTAL_TRUSTED_PROXIES"] = "127.0.0.1"
    server.settings["MFAPORTAL_MAIL_URL"] = mail_url
    app = create_app(server.settings)
    place = Arena(server, app)
    with app.app_context():
        seed(MovableClock(place.now()))
        try:
            server.start(workers=WORKERS)
            yield place
        finally:
            server.stop()
            db.engine.dispose()


def write(place: Arena, number: int) -> list[str]:
    """So many mails at once; their Message-IDs."""
    before = place.rows(select(func.coalesce(func.max(Mail.id), 0)))[0]
    with transaction() as session:
        for _ in range(number):
            notices.tell(session, on_the_command_line(place.clock()), MailKind.CODES_REPLACED, 1)
    return place.rows(select(Mail.message_id).where(Mail.id > before))


def until(happened: Callable[[], bool], seconds: float, what: str) -> float:
    """How long it took."""
    begun = time.monotonic()
    while not happened():
        assert time.monotonic() - begun < seconds, what
        time.sleep(0.02)
    return time.monotonic() - begun


def sender_of(place: Arena) -> int:
    """The worker that has the turn, as the kernel or the server knows it."""
    if databases.on_postgresql():
        name = column("application_name", String)
        asked = select(name).select_from(table("pg_stat_activity")).where(name.startswith("mfaportal sender "))
        return max((int(each.split()[-1]) for each in place.rows(asked)), default=0)
    path = Path(place.server.settings["MFAPORTAL_INSTANCE"], LOCK)
    inode = path.stat().st_ino if path.exists() else 0
    found = re.search(rf"FLOCK +ADVISORY +WRITE (\d+) \S+:{inode} ", Path("/proc/locks").read_text())
    return int(found[1]) if found else 0


def ids(mails: MailServer) -> list[str]:
    return [str(mail["Message-ID"]) for mail in mails.received]


def soon_and_once(place: Arena, mails: MailServer, figure: Figure) -> None:
    one = write(place, 1)
    most = until(lambda: one[0] in ids(mails), WITHIN_SECONDS, "the first mail")
    answer = place.fire([place.browser().post("/forgot-password", email="reader@example.org")])[0]
    assert answer.status in (200, 303)
    most = max(most, until(lambda: mails.received[-1]["Subject"] == "Set a new password", WITHIN_SECONDS, "the link"))
    sent = write(place, MAILS)
    until(lambda: set(sent) <= set(ids(mails)), WITHIN_SECONDS + MAILS / 10, "all of them")
    until(lambda: not place.rows(select(Mail.id).where(Mail.next_try_at.is_not(None))), 5, "the outbox is empty")
    time.sleep(1.2)  # two more rounds of the sender
    twice = len(mails.received) - len(set(ids(mails)))
    figure(SUBJECT, mails_sent=len(mails.received), sent_twice=twice, most_seconds=round(most, 1))
    assert twice == 0
    assert place.rows(select(MailJob.id)) == []
    assert set(place.rows(select(Mail.sealed))) == {None}


def killed(place: Arena, mails: MailServer, figure: Figure) -> None:
    """When the mail server has the mail and the portal does not know: the second is the same to the byte."""
    again = 0
    for _ in range(KILLS):
        until(lambda: sender_of(place) != 0, 5, "somebody sends")
        mails.seconds, before = 0.6, len(mails.received)
        sent = write(place, 3)
        until(lambda: len(mails.received) > before, WITHIN_SECONDS, "the server has one")  # noqa: B023
        os.kill(sender_of(place), signal.SIGKILL)
        mails.seconds = 0
        until(lambda: set(sent) <= set(ids(mails)), 2 * WITHIN_SECONDS, "all in spite of it")  # noqa: B023
        got = [mail for mail in mails.received if mail["Message-ID"] == mails.received[before]["Message-ID"]]
        assert len({mail.as_bytes() for mail in got}) == 1
        again += len(got) - 1
    lost = set(place.rows(select(Mail.message_id))) - set(ids(mails))
    figure(SUBJECT, senders_killed=KILLS, mails_lost=len(lost), sent_again=again)
    assert not lost
    assert again == KILLS
    place.verdict()


def test_mails_leave_within_five_seconds_once_and_a_killed_sender_loses_none(
    blank_instance: Path, tmp_path: Path, figure: Figure
) -> None:
    with mail_server() as mails, portal(blank_instance, tmp_path, mails.url) as place:
        soon_and_once(place, mails, figure)
        killed(place, mails, figure)


def test_no_answer_waits_for_a_mail_server_that_hangs_and_no_log_tells_a_token(
    blank_instance: Path, tmp_path: Path, figure: Figure
) -> None:
    with (
        odd_server(lambda _connection: None) as port,
        portal(blank_instance, tmp_path, f"smtp://127.0.0.1:{port}") as place,
    ):
        until(lambda: sender_of(place) != 0, 5, "somebody sends")
        write(place, 3)
        until(lambda: bool(place.rows(select(Mail.id).where(Mail.claimed_until.is_not(None)))), 5, "one is tried")
        milliseconds = []
        for number in range(POSTS):
            email = "reader@example.org" if number % 2 else f"nobody{number}@example.org"
            request = place.browser().post("/forgot-password", email=email)
            begun = time.monotonic()
            assert place.fire([request])[0].status in (200, 303)
            milliseconds.append((time.monotonic() - begun) * 1000)
        usual = statistics.median(milliseconds)
        figure(
            SUBJECT,
            most_milliseconds_of_half_the_posts=round(usual),
            most_milliseconds_of_a_post=round(max(milliseconds)),
        )
        assert usual < 300, milliseconds
        assert max(milliseconds) < 2000, milliseconds  # the mail server would hold it for ten seconds and more
        begun = time.monotonic()
        place.server.stop()
        assert time.monotonic() - begun < 4, "a worker that is told to stop waits for no mail server"
        assert place.rows(select(Mail.id).where(Mail.sent_at.is_not(None))) == []
        assert "/reset-password/" not in place.server.log
        assert "Traceback" not in place.server.log
