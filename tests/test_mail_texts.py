"""Every mail in words: from hostile facts and from hardly any, with nothing in it that does not belong there."""

import json
import re
from datetime import timedelta
from typing import Any

import jinja2
import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import letters
from mfaportal.domain.outbox import Claimed
from mfaportal.models import MailKind, Portal
from mfaportal.plumbing.config import ROOT
from mfaportal.plumbing.mail_message import Letter
from mfaportal.web.mail_words import OF_KIND
from tests import rows
from tests.clock import MovableClock
from tests.people import Cast

HOSTILE = (
    "Kim\r\nBcc: all@example.org\r\n\r\n\u202egnp.exe\x00\x1b[2J <b>{{ 7*7 }}</b> {% raw %} 👨\u200d👩\u200d👧 "
    + "x" * 300
)
NAMES = ("name", "app", "before", "portal", "role", "inviter", "new_email", "contact", "reason", "browser", "address")
LINKED = {MailKind.RESET_LINK, MailKind.EMAIL_CHANGE, MailKind.CONFIRM_ADDRESS, MailKind.INVITATION}
FOOT = "\n-- \nCity data\nhttp://127.0.0.1:8000\nSent by itself: nobody reads answers to this address.\n"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def letter(app: Flask, clock: MovableClock, kind: str, /, **facts: Any) -> Letter:
    told = {"at": int(clock().timestamp()), "address": None, "browser": "", **facts}
    told = json.loads(json.dumps(told))
    with app.app_context():
        return letters.compose(Claimed(1, kind, "kim@example.org", 1, "<1@example.org>", clock(), told))


def minimal(kind: MailKind) -> dict[str, Any]:
    return {"link": "/somewhere/token-_1"} if kind in LINKED else {}


def test_there_is_a_text_for_each_kind_and_no_other() -> None:
    assert {path.stem for path in (ROOT / "templates/email").glob("*.txt")} == set(MailKind)
    assert set(OF_KIND) == set(MailKind)
    everything = "".join(path.read_text() for path in (ROOT / "templates/email").glob("*.txt"))
    assert all(f"email/parts/{path.name}" in everything for path in (ROOT / "templates/email/parts").iterdir())


def test_hardly_any_facts_make_a_whole_mail(app: Flask, people: Cast, clock: MovableClock) -> None:
    for kind in MailKind:
        made = letter(app, clock, kind, **minimal(kind))
        assert made.subject
        assert made.text.startswith("Hello,\n\n")
        assert made.text.endswith(FOOT)
        assert "None" not in made.text
        assert not re.search(r"  |\n\n\n| [,.;]|\( ?\)|\"\"", made.text), made.text
        assert "\nWhen: Monday, 2 March 2026, 09:00 UTC\n" in made.text


def test_each_mail_says_what_to_do_for_whom_it_is_a_surprise(app: Flask, people: Cast, clock: MovableClock) -> None:
    """NIST SP 800-63B-4 §4.6; the admins' word that somebody asks is about nobody's account."""
    for kind in set(MailKind) - {MailKind.REQUEST_RECEIVED}:
        for flag in (False, True):
            made = letter(app, clock, kind, done=flag, by_operator=flag, taken=flag, **minimal(kind))
            said = " ".join(made.text.split())
            assert re.search(r"If (it was not you|you (did not|do not know|asked for nothing|used none))", said), said


def _check_hostile(made: Letter, plain: Letter) -> None:
    assert made.subject.replace("\u200d", "").isprintable()
    assert len(made.subject) <= 120
    assert [char for char in made.text if not char.isprintable() and char not in "\n\u200d"] == []
    assert not re.search(r"^(Bcc|Subject)", made.text, re.MULTILINE)
    assert "49" not in made.text
    links = re.compile(r"^http.*$", re.MULTILINE)
    assert links.findall(made.text) == links.findall(plain.text)
    assert all(" " not in line for line in made.text.split("\n") if len(line) > 78)


def test_what_people_typed_cannot_change_a_mail(app: Flask, people: Cast, clock: MovableClock) -> None:
    flags = ("done", "taken", "apply_now", "signs_up", "by_link", "by_operator", "new_password")
    for kind in MailKind:
        for yes in (True, False):
            facts = {**dict.fromkeys(flags, yes), "left": 0 if yes else 3, "slug": "city-data", **minimal(kind)}
            plain = letter(app, clock, kind, **facts)
            _check_hostile(letter(app, clock, kind, **facts, **dict.fromkeys(NAMES, HOSTILE)), plain)


def test_a_mail_for_the_sake_of_its_link_is_not_made_without(app: Flask, people: Cast, clock: MovableClock) -> None:
    for kind in LINKED:
        made = letter(app, clock, kind, link="/reset-password/token-_1")
        assert "\nhttp://127.0.0.1:8000/reset-password/token-_1\n" in made.text
        with pytest.raises(jinja2.UndefinedError):
            letter(app, clock, kind)


def test_it_says_what_when_from_where_and_what_to_do(app: Flask, people: Cast, clock: MovableClock) -> None:
    facts = {"name": "Kim", "app": "Phone", "address": "192.0.2.7", "browser": FIREFOX}
    made = letter(app, clock, MailKind.APP_ADDED, **facts)
    assert made.subject == "An app was added to your account"
    assert (
        made.text
        == (
            "Hello Kim,\n\n"
            'The app "Phone" was added to your account. It can give the code when you log\nin.\n\n'
            "When: Monday, 2 March 2026, 09:00 UTC\n"
            "From: 192.0.2.7, Firefox on Linux\n\n"
            "If this was you, there is nothing to do.\n\n"
            "If it was not you: log in, change your password, and look at your apps and\n"
            "logins under Security:\n\n"
            "http://127.0.0.1:8000/account/security\n\n"
            "If you cannot log in any more, ask whoever runs the portal.\n"
        )
        + FOOT
    )


def test_what_somebody_else_did_does_not_tell_where_they_were(app: Flask, people: Cast, clock: MovableClock) -> None:
    """Nor in what browser: it is another person's, of whom the address tells the place and the employer."""
    for kind in (
        MailKind.MFA_RESET,
        MailKind.ROLE_CHANGED,
        MailKind.REQUEST_RECEIVED,
        MailKind.REQUEST_ACCEPTED,
        MailKind.REQUEST_DECLINED,
        MailKind.RULE_RAISED,
        MailKind.INVITATION,
    ):
        assert "192.0.2.7" not in letter(app, clock, kind, address="192.0.2.7", link="/x").text
    asked = letter(app, clock, MailKind.RESET_LINK, address="192.0.2.7", link="/x", by_operator=True)
    assert "192.0.2.7" not in asked.text


def test_it_names_whom_to_ask_where_the_portal_does(app: Flask, people: Cast, clock: MovableClock) -> None:
    rows.put(app, update(Portal).values(contact="Kim, room 12"))
    named = letter(app, clock, MailKind.MFA_RESET)
    assert "ask whoever runs the portal (Kim, room 12)," in " ".join(named.text.split())
    given = letter(app, clock, MailKind.MFA_RESET, contact="help@example.org")
    assert "ask whoever runs the portal (help@example.org)," in " ".join(given.text.split())


def test_the_same_facts_make_the_same_mail_on_another_day(app: Flask, people: Cast, clock: MovableClock) -> None:
    facts = {"at": 1_772_442_015, "left": 2}
    first = letter(app, clock, MailKind.RECOVERY_CODE_USED, **facts)
    made_at = clock()
    clock.advance(hours=20)
    again = letter(app, clock, MailKind.RECOVERY_CODE_USED, **facts)
    assert (again.subject, again.text) == (first.subject, first.text)
    assert again.made_at - made_at == timedelta(hours=20), "which the row keeps, and the sender passes on"
