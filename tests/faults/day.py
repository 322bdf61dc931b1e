"""A day on which everything secret is used once: passwords, keys, codes, links, sessions. For `test_leaks`."""

import re
import time
from dataclasses import dataclass, field
from email.message import EmailMessage

from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import select

from mfaportal.models import Authenticator
from tests.mail_server import MailServer
from tests.people import PORTAL, Person
from tests.phone import Phone
from tests.races.arena import Arena
from tests.visitor import Visitor

METHODS, CODES = "/account/security/methods", "/account/security/recovery-codes"
FIRST, SECOND, THIRD, WRONG = (f"Marmalade-{word}-8714 lantern" for word in ("one", "two", "three", "wrong"))


def text_of(mail: EmailMessage) -> str:
    """Its headers and all that stands in it, decoded."""
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *parts, ""])


@dataclass
class Day:
    """`secrets` by what they are; `pages` are the bodies that nobody should find anything in.

    `mailed` says which of them belong in one mail, and to whom that goes.
    """

    place: Arena
    person: Person
    mails: MailServer
    secrets: dict[str, str] = field(default_factory=dict)
    sealed: dict[str, bytes] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    mailed: dict[str, str] = field(default_factory=dict)

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

    def link(self, path: str, recipient: str) -> str:
        """The path that was mailed. Mails are sent in the background, which may take its time."""
        wanted = re.compile(rf"{re.escape(self.place.server.url)}({path}/([\w-]+))\s")
        until = time.monotonic() + 15
        while time.monotonic() < until:
            texts = [text_of(mail) for mail in list(self.mails.received) if mail["To"] == recipient]
            if found := [match for text in texts for match in wanted.finditer(text)]:
                self.secrets[f"link {path}"], self.mailed[f"link {path}"] = found[-1][2], recipient
                return found[-1][1]
            time.sleep(0.05)
        raise AssertionError(f"no {path} to {recipient} among {[text_of(mail) for mail in self.mails.received]}")

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


def first_log_in(day: Day) -> list[str]:
    day.give_password(WRONG)
    day.pages.append(day.visitor.body)
    assert day.give_password(FIRST).location == "/log-in/set-up"
    day.keep_session("half")
    day.set_up("/log-in/set-up", "Old phone")
    day.keep_session("whole")
    return day.codes()


def apps_come_and_go(day: Day) -> None:
    day.set_up(f"{METHODS}/add", "New phone")
    old = day.place.rows(select(Authenticator).where(Authenticator.account_id == day.person.id))[0]
    day.sealed["deleted app"] = old.sealed_secret
    assert day.visitor.submit(f"{METHODS}/{old.id}/delete").status == 303


def a_recovery(day: Day, codes: list[str]) -> None:
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
    day.visitor.get(day.link("/confirm-email", "another@example.org"))
    day.visitor.get("/account").post("/log-out")


def a_reset(day: Day) -> None:
    day.visitor.submit("/forgot-password", email=day.person.email)
    path = day.link("/reset-password", day.person.email)
    day.visitor.get(path)
    day.visitor.submit("/reset-password", password=THIRD)
    assert day.visitor.location == "/log-in", day.visitor.text
    day.pages.append(day.visitor.get(path).body)


def a_desk(day: Day) -> None:
    """Links that an operator sees."""
    boss = day.place.logins(day.place.person("admin", operator=True, apps=1), 1)[0]
    users = f"/portals/{PORTAL}/backoffice/access/users"
    made = day.place.fire([boss.post(f"{users}/{day.person.id}/reset-link")])[0].body
    day.secrets["reset link on a page"] = re.findall(r"/reset-password/([\w-]+)</code>", made)[0]
    day.place.fire([boss.post(f"{users}/invite", emails="new@example.org", role="reader")])
    day.link("/invitations", "new@example.org")
    day.place.fire([boss.get(f"/reset-password/{day.secrets['reset link on a page']}")])
