"""`flask audit`: whether the log of events is whole, and the log as a file."""

import csv
import io
import json
import re

import pytest
from flask import Flask
from sqlalchemy import insert

from mfaportal.domain import members, portals, sealing_events, upkeep
from mfaportal.models import Account, Event, EventKind
from mfaportal.plumbing.db import transaction
from mfaportal.rules.names import key_of
from mfaportal.rules.roles import MemberRole
from tests.cli.terminal import Terminal
from tests.clock import MovableClock
from tests.domain.test_sealed_events import tamper
from tests.people import PORTAL, Cast, on_the_command_line
from tests.stored import stored

VERIFY = ("audit", "verify")
EXPORT = ("audit", "export")


@pytest.fixture
def sealed(app: Flask, people: Cast, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> int:
    """Everything that the cast's making has written, sealed in batches of five; how many there are."""
    monkeypatch.setattr(sealing_events, "BATCH", 5)
    clock.advance(minutes=2)
    with app.app_context():
        upkeep.run(on_the_command_line(clock))
    return len(stored(app, Event))


def test_a_log_that_nobody_touched_fits_and_its_head_is_printed(
    terminal: Terminal, app: Flask, people: Cast, clock: MovableClock, sealed: int
) -> None:
    with app.app_context():
        members.change_role(on_the_command_line(clock), PORTAL, people.reader.id, MemberRole.EDITOR)
    ran = terminal.do(*VERIFY)
    batches = -(-sealed // 5)
    assert ran.lines[:2] == [f"{batches} batches fit, with {sealed} events.", "1 event is not sealed yet."]
    head = re.fullmatch(rf"Head, of batch {batches}: ([0-9a-f]{{64}})", ran.lines[2])
    assert head is not None
    again = terminal.do(*VERIFY, "--head", head[1].upper())
    assert f"The head that you kept is that of batch {batches}." in again.lines
    assert ran.events == again.events == []


def test_what_does_not_fit_is_named_with_exit_status_1(terminal: Terminal, app: Flask, sealed: int) -> None:
    with app.app_context():
        tamper("UPDATE events SET account_id = 4 WHERE id = 7")
    assert terminal.refused(*VERIFY) == (
        "Batch 2 (events 6 to 10, sealed 2026-03-02 09:02 UTC): events in it were changed, or put in another order."
    )


def test_a_head_that_is_not_there_means_that_the_end_was_cut_off(
    terminal: Terminal, app: Flask, clock: MovableClock, sealed: int
) -> None:
    head = terminal.do(*VERIFY).lines[-1].split()[-1]
    with app.app_context():
        tamper("DELETE FROM events WHERE id > 5", "DELETE FROM event_seals WHERE id > 1")
    terminal.do(*VERIFY)
    assert "is not in this log" in terminal.refused(*VERIFY, "--head", head)
    assert "64 hexadecimal digits" in terminal.misused(*VERIFY, "--head", "zz")
    assert "64 hexadecimal digits" in terminal.misused(*VERIFY, "--head", "ab")


def test_the_help_says_what_it_cannot_show(terminal: Terminal) -> None:
    text = " ".join(terminal.do(*VERIFY, "--help").out.split())
    assert "cut off together with their seals (--head shows it)" in text
    assert "has the key ring" in text


def test_the_export_has_every_event_in_order_and_itself_at_the_end(
    terminal: Terminal, app: Flask, people: Cast
) -> None:
    ran = terminal.do(*EXPORT)
    lines = list(csv.DictReader(io.StringIO(ran.out, newline="")))
    events = stored(app, Event)
    assert [line["id"] for line in lines] == [str(event.id) for event in events]
    first, last = lines[0], lines[-1]
    assert (first["at"], first["kind"], first["account"]) == (
        "2026-03-02T09:00:15.000000Z",
        "account:created",
        "Reader",
    )
    assert (last["kind"], last["source"], ran.kinds) == ("events:exported", "cli", ["events:exported"])
    assert json.loads(last["details"])["format"] == "csv"


def test_json_lines_of_one_portal_and_of_a_day(
    terminal: Terminal, app: Flask, people: Cast, clock: MovableClock
) -> None:
    clock.advance(days=1)
    with app.app_context():
        portals.create(on_the_command_line(clock), "Harbour", "harbour")
        members.add(on_the_command_line(clock), "harbour", people.admin.id, MemberRole.READER)
    found = [json.loads(line) for line in terminal.do(*EXPORT, "--portal", "harbour", "--format", "jsonl").lines]
    assert [(line["kind"], line["account_id"], line["portal"], line["details"]) for line in found[:2]] == [
        ("portal:created", None, "Harbour", {"slug": "harbour"}),
        ("membership:added", people.admin.id, "Harbour", {"role": "reader"}),
    ]
    of_today = terminal.do(*EXPORT, "--since", "2026-03-03", "--format", "jsonl").lines
    assert {json.loads(line)["at"][:10] for line in of_today} == {"2026-03-03"}
    assert len(of_today) == 4
    assert terminal.refused(*EXPORT, "--portal", "nowhere") == "There is no portal nowhere."
    assert "does not match" in terminal.misused(*EXPORT, "--since", "yesterday")


def test_no_cell_is_a_formula_and_each_event_is_one_record(
    terminal: Terminal, app: Flask, clock: MovableClock
) -> None:
    names = ["=1+1", "@x", 'say "hi",\nthen go', "Zoë 東京"]
    with app.app_context(), transaction() as session:
        for number, name in enumerate(names, 1):
            person = {"email": f"{number}@example.org", "name": name, "name_key": key_of(name), "created_at": clock()}
            session.execute(insert(Account).values(id=number, **person))
            event = {
                "kind": EventKind.ACCOUNT_SUSPENDED,
                "at": clock(),
                "source": "web",
                "browser": "=cmd|' /C calc'!A0",
            }
            session.execute(insert(Event).values(**event, account_id=number, details={"reason": name}))
    lines = list(csv.DictReader(io.StringIO(terminal.do(*EXPORT).out, newline="")))
    assert [line["account"] for line in lines[:4]] == ["'=1+1", "'@x", *names[2:]]
    assert {line["browser"] for line in lines[:4]} == {"'=cmd|' /C calc'!A0"}
    assert [json.loads(line["details"])["reason"] for line in lines[:4]] == names
