"""D16: a day on which everything secret is used once. Afterwards none of it stands anywhere but where it belongs.

Looked through are the log, the database's files byte by byte, the instance folder, temporary files (also those that
have lost their name), the error pages, the mails, and what the machine tells of the processes. What was deleted is
looked for in its sealed form, too. A link stands in the one mail that brings it, and nowhere else (in none where it
was used before that left).
"""

import base64
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import select, update

from mfaportal.models import Account, Authenticator, Mail
from mfaportal.plumbing.db import db, transaction
from mfaportal.plumbing.passwords import hash_password
from tests.contents import contents
from tests.databases import on_postgresql
from tests.faults.place import standing
from tests.faults.test_locked import held
from tests.mail_server import MailServer, mail_server
from tests.people import PORTAL, Person
from tests.phone import Phone
from tests.plugins.figures import Figure
from tests.races.arena import Arena
from tests.told import told
from tests.visitor import Visitor

LINK = "link of "
METHODS, CODES = "/account/security/methods", "/account/security/recovery-codes"
FIRST, SECOND, THIRD, WRONG = (f"Marmalade-{word}-8714 lantern" for word in ("one", "two", "three", "wrong"))


@dataclass
class Day:
    """`secrets` by what they are; `pages` are the bodies that nobody should find anything in."""

    place: Arena
    person: Person
    mails: MailServer
    secrets: dict[str, str] = field(default_factory=dict)
    sealed: dict[str, bytes] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.visitor = Visitor(self.place.server)
        self.secrets |= {"first password": FIRST, "second": SECOND, "third": THIRD, "a wrong one": WRONG}

    def keep_session(self, when: str) -> None:
        """The cookie as it is, and the login's token in it."""
        for name, value in self.visitor.cookies.items():
            self.secrets[f"cookie {name} {when}"] = value
        interface = self.place.app.session_interface
        assert isinstance(interface, SecureCookieSessionInterface)
        signer = interface.get_signing_serializer(self.place.app)
        assert signer is not None
        held = signer.loads(self.visitor.cookies[interface.get_cookie_name(self.place.app)])
        self.secrets[f"session token {when}"] = held["_user_id"]

    def give_password(self, password: str) -> Visitor:
        return self.visitor.submit("/log-in", email=self.person.email, password=password)

    def link(self, kind: str) -> str:
        """The path that was mailed. Mails are written by the sender, which may take its time."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            found = [
                mail.facts["link"] for mail in told(self.place.app) if mail.kind == kind and "link" in mail.facts
            ]
            if found:
                self.secrets[f"{LINK}{kind}"] = found[-1].rpartition("/")[2]
                return str(found[-1])
            time.sleep(0.1)
        raise AssertionError(f"no {kind} among {[mail.kind for mail in told(self.place.app)]}")

    def set_up(self, path: str, name: str) -> Phone:
        phone = Phone(self.visitor.get(path).key)
        self.secrets[f"set-up key of {name}"] = phone.key
        self.visitor.post(path, code=phone.code(self.place.now()), name=name)
        assert self.visitor.status == 303, self.visitor.text
        return phone

    def codes(self) -> list[str]:
        found = re.findall(r"<li><code>([^<]+)</code>", self.visitor.get(CODES).body)
        assert len(found) == 10
        self.secrets |= {f"recovery code {code}": code for code in found}
        return found


def _first_log_in(day: Day) -> list[str]:
    day.give_password(WRONG)
    day.pages.append(day.visitor.body)
    assert day.give_password(FIRST).location == "/log-in/set-up"
    day.keep_session("half")
    day.set_up("/log-in/set-up", "Old phone")
    day.keep_session("whole")
    return day.codes()


def _apps_come_and_go(day: Day) -> None:
    day.set_up(f"{METHODS}/add", "New phone")
    old = day.place.rows(select(Authenticator).where(Authenticator.account_id == day.person.id))[0]
    day.sealed["deleted app"] = old.sealed_secret
    assert day.visitor.submit(f"{METHODS}/{old.id}/delete").status == 303


def _a_recovery(day: Day, codes: list[str]) -> None:
    day.visitor.get("/account").post("/log-out")
    assert day.give_password(FIRST).location == "/log-in/code"
    day.visitor.submit("/log-in/recovery", code="ABCD-EFGH-IJKL-MNOP")
    day.visitor.post("/log-in/recovery", code=codes[0])
    assert day.visitor.status == 303, day.visitor.text
    day.keep_session("recovered")
    day.visitor.submit("/account/security/password", current_password=FIRST, password=SECOND)
    assert day.visitor.status == 303, day.visitor.text
    day.keep_session("with a new password")
    assert day.visitor.submit("/account", name="Another", email="another@example.org").status == 303
    day.visitor.get(day.link("email-change"))
    day.visitor.get("/account").post("/log-out")


def _a_reset(day: Day) -> None:
    day.visitor.submit("/forgot-password", email=day.person.email)
    path = day.link("reset-link")
    day.visitor.get(path)
    day.visitor.submit("/reset-password", password=THIRD)
    assert day.visitor.location == "/log-in", day.visitor.text
    day.pages.append(day.visitor.get(path).body)


def _a_desk(day: Day) -> None:
    """Links that an operator sees."""
    boss = day.place.logins(day.place.person("admin", operator=True, apps=1), 1)[0]
    users = f"/portals/{PORTAL}/backoffice/access/users"
    made = day.place.fire([boss.post(f"{users}/{day.person.id}/reset-link")])[0].body
    day.secrets["reset link on a page"] = re.findall(r"/reset-password/([\w-]+)</code>", made)[0]
    day.place.fire([boss.post(f"{users}/invite", emails="new@example.org", role="reader")])
    day.link("invitation")
    day.place.fire([boss.get(f"/reset-password/{day.secrets['reset link on a page']}")])


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


def _temporary(place: Arena) -> Iterator[tuple[str, bytes]]:
    folder = Path(place.server.environment["TMPDIR"])
    for path in folder.rglob("*"):
        if path.is_file():
            yield f"temporary file {path.name}", path.read_bytes()
    for pid in (place.server.pid, *place.server.workers):
        for number in Path(f"/proc/{pid}/fd").iterdir():
            if str(folder) in str(number.readlink()):
                yield "a temporary file without a name", number.read_bytes()


def _mails(day: Day) -> list[EmailMessage]:
    """All that were written on this day; until now the server has put them off."""
    day.mails.data = ""
    with transaction() as session:
        session.execute(update(Mail).where(Mail.sealed.is_not(None)).values(next_try_at=day.place.now()))
        written = set(session.scalars(select(Mail.message_id).where(Mail.sealed.is_not(None))))
    until = time.monotonic() + 20
    while {str(mail["Message-ID"]) for mail in day.mails.received} < written and time.monotonic() < until:
        time.sleep(0.1)
    assert {str(mail["Message-ID"]) for mail in day.mails.received} >= written
    return day.mails.received


def _leaks_by_mail(forms: dict[str, set[bytes]], mails: list[EmailMessage]) -> list[str]:
    texts = [f"{mail['To']} {mail['Subject']}\n{mail.get_content()}".encode() for mail in mails]
    leaks, carried = [], 0
    for what, each in forms.items():
        holding = [text for text in texts if any(form in text for form in each)]
        carried += len(holding)
        if len(holding) > (1 if what.startswith(LINK) else 0):
            leaks.append(f"{what} in {len(holding)} mails")
    assert carried, "what is there is not found either"
    return leaks


def _everywhere(day: Day) -> list[tuple[str, bytes]]:
    """What a thief of disks, logs and machines would read."""
    found = [("log", day.place.server.log.encode()), *_processes(day.place)]
    return [*found, *_disk(day.place), *_temporary(day.place), *(("a page", page.encode()) for page in day.pages)]


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
    with mail_server() as mails, standing(instance, tmp_path, workers=0) as place:
        mails.data = "451 4.3.0 later"  # until all are written they wait, and can be opened
        (tmp_path / "temporary").mkdir()
        place.server.environment["TMPDIR"] = str(tmp_path / "temporary")
        place.server.settings["MFAPORTAL_MAIL_URL"] = mails.url
        place.server.settings["MFAPORTAL_MAIL_FROM"] = "portal@example.org"
        place.server.start(workers=1)
        person, first = place.person(), hash_password(FIRST)
        with transaction() as session:
            session.get_one(Account, person.id).password_digest = first
        yield Day(place, person, mails)


def test_no_secret_stands_anywhere_but_in_its_place(day: Day, figure: Figure) -> None:
    codes = _first_log_in(day)
    _apps_come_and_go(day)
    _a_recovery(day, codes)
    _a_reset(day)
    _a_desk(day)
    _faults(day)
    places, mails = _everywhere(day), _mails(day)
    day.place.server.stop()
    db.engine.dispose()
    left = _disk(day.place)  # the journal is written into the database, and deleted rows are gone from both
    forms = {what: _forms(secret) for what, secret in day.secrets.items()}
    leaks = _found(forms, [*places, *left]) + _leaks_by_mail(forms, mails)
    if not on_postgresql():  # which keeps what was deleted until it is overwritten; it is still sealed
        leaks += _found({what: {one} for what, one in day.sealed.items()}, left)
    stays = day.place.rows(select(Authenticator.sealed_secret).where(Authenticator.account_id == day.person.id))
    assert _found({"the app that stays": set(stays)}, left), "what is there is not found either"
    figure("D16 leaks", secrets=len(forms), places=len(places), mails=len(mails), leaked=len(leaks))
    assert not leaks, "\n".join(leaks)
    assert any(b"POST /log-in" in content for _name, content in places)
