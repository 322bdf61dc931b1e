"""D16: a day on which everything secret is used once. Afterwards none of it stands anywhere but where it belongs.

Looked through are the log, the database's files byte by byte, the instance folder, temporary files, the error pages,
and what the machine tells of the processes, with the files that they hold open and nobody else sees. What was deleted
is looked for in its sealed form, too. Mails are really sent: a link stands in the one it is for, and nowhere else.
"""

import base64
import re
import stat
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mfaportal.models import Account, Authenticator, Mail
from mfaportal.plumbing.db import db, transaction
from mfaportal.plumbing.passwords import hash_password
from tests.contents import contents
from tests.databases import on_postgresql
from tests.faults.day import FIRST, THIRD, Day, a_desk, a_recovery, a_reset, apps_come_and_go, first_log_in, text_of
from tests.faults.place import standing
from tests.faults.test_locked import held
from tests.mail_server import mail_server
from tests.plugins.figures import Figure
from tests.races.arena import Arena


def _faults(day: Day) -> None:
    """A database that is held by others is said in a traceback."""
    with held(day.place, 6):
        day.pages.append(day.give_password(THIRD).body)
        assert day.visitor.status == 503
    log = day.place.server.log
    assert "OperationalError" in log, log[-800:]


def _processes(place: Arena) -> Iterator[tuple[str, bytes]]:
    for pid in (place.server.pid, *place.server.workers):
        for what in ("environ", "cmdline"):
            yield f"{what} of a process", Path(f"/proc/{pid}/{what}").read_bytes()
        for open_file in Path(f"/proc/{pid}/fd").iterdir():
            if stat.S_ISREG(open_file.stat().st_mode):
                yield f"{open_file.readlink()}, open", open_file.read_bytes()


def _temporary(place: Arena) -> list[tuple[str, bytes]]:
    folder = Path(place.server.environment["TMPDIR"])
    return [(str(path), path.read_bytes()) for path in folder.rglob("*") if path.is_file()]


def _all_mails(day: Day) -> list[EmailMessage]:
    """Once nothing waits to leave."""
    waiting = select(func.count()).where(Mail.sent_at.is_(None))
    until = time.monotonic() + 15
    while day.place.rows(waiting) != [0]:
        assert time.monotonic() < until, f"{day.place.rows(waiting)} mails wait"
        time.sleep(0.05)
    return day.mails.received


def _astray(day: Day, mails: list[EmailMessage]) -> list[str]:
    """Secrets in mails, but for each link in the one mail that it is for."""
    wrong = []
    for what, secret in day.secrets.items():
        raw = [(mail, mail.as_bytes() + text_of(mail).encode()) for mail in mails]
        seen = [str(mail["To"]) for mail, content in raw if any(form in content for form in _forms(secret))]
        meant = [day.mailed[what]] if what in day.mailed else []
        wrong += [f"{what} is in mails to {seen}, not to {meant}"] if seen != meant else []
    return wrong


def _everywhere(day: Day) -> list[tuple[str, bytes]]:
    """What a thief of disks, logs and machines would read."""
    found = [("log", day.place.server.log.encode()), *_processes(day.place), *_temporary(day.place)]
    return [*found, *_disk(day.place), *(("a page", page.encode()) for page in day.pages)]


def _disk(place: Arena) -> list[tuple[str, bytes]]:
    folder = Path(place.server.settings["MFAPORTAL_INSTANCE"])
    found = [(path.name, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    return [*found, ("the database", contents(place.server.database_url).raw())]


def _found(forms: dict[str, set[bytes]], places: list[tuple[str, bytes]]) -> list[str]:
    return [
        f"{what} in {name}"
        for what, each in forms.items()
        for name, content in places
        if any(form in content for form in each)
    ]


def _forms(secret: str) -> set[bytes]:
    """A secret as it is, without what people read past, and as the bytes that it stands for."""
    forms = {secret.encode(), secret.replace("-", "").replace(" ", "").encode()}
    if re.fullmatch(r"[A-Z2-7]{32}", secret):
        forms.add(base64.b32decode(secret))
    return forms


@pytest.fixture
def day(instance: Path, tmp_path: Path, owasp_hashes: None) -> Iterator[Day]:
    with mail_server() as mails, standing(instance, tmp_path, workers=0, MFAPORTAL_MAIL_URL=mails.url) as place:
        place.server.settings["MFAPORTAL_MAIL_FROM"] = "portal@example.org"
        (scratch := tmp_path / "scratch").mkdir()
        place.server.environment["TMPDIR"] = str(scratch)
        place.server.start(workers=1)
        person, first = place.person(), hash_password(FIRST)
        with transaction() as session:
            session.get_one(Account, person.id).password_digest = first
        yield Day(place, person, mails)


def test_no_secret_stands_anywhere_but_in_its_place(day: Day, figure: Figure) -> None:
    codes = first_log_in(day)
    apps_come_and_go(day)
    a_recovery(day, codes)
    a_reset(day)
    a_desk(day)
    _faults(day)
    mails = _all_mails(day)
    places = _everywhere(day)
    day.place.server.stop()
    db.engine.dispose()
    left = [
        *_disk(day.place),
        *_temporary(day.place),
    ]  # the journal is written into the database, and deleted rows are gone from both
    forms = {what: _forms(secret) for what, secret in day.secrets.items()}
    leaks = _found(forms, [*places, *left]) + _astray(day, mails)
    if not on_postgresql():  # which keeps what was deleted until it is overwritten; it is still sealed
        leaks += _found({what: {one} for what, one in day.sealed.items()}, left)
    stays = day.place.rows(select(Authenticator.sealed_secret).where(Authenticator.account_id == day.person.id))
    assert _found({"the app that stays": set(stays)}, left), "what is there is not found either"
    figure("D16 leaks", secrets=len(forms), places=len(places), mails=len(mails), leaked=len(leaks))
    assert not leaks, "\n".join(leaks)
    assert any(b"POST /log-in" in content for _name, content in places)
    assert any(name.endswith("(deleted), open") for name, _content in places)
    assert len(day.mailed) == 3
