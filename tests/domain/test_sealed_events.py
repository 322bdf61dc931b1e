"""The log of events is sealed in batches: what is changed, removed, put in or moved afterwards is found and named."""

import ast
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import String, delete, insert, update
from sqlalchemy.exc import IntegrityError

from mfaportal.domain import event_proof, sealing_events
from mfaportal.domain.event_proof import Broken, Whole
from mfaportal.models import Event, EventKind, EventSeal
from mfaportal.plumbing.db import db, transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.sealed_fields import joined
from tests.contents import contents
from tests.domain.scene import READER, Scene
from tests.source import MODULES
from tests.stored import stored

BATCH = 10
TRIGGERS = ("events_never_change", "events_stay", "seals_never_change", "seals_stay")


@pytest.fixture
def sealed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Three full batches of ten, and two events that are not sealed yet. Inside an app context."""
    monkeypatch.setattr(sealing_events, "BATCH", BATCH)
    with scene.app.app_context():
        note(scene, 3 * BATCH - len(stored(scene.app, Event)))
        scene.clock.advance(minutes=2)
        assert seal(scene) == 3 * BATCH
        note(scene, 2)
        yield scene


def note(scene: Scene, number: int) -> None:
    row = {
        "kind": EventKind.ROLE_CHANGED,
        "at": scene.clock(),
        "source": "web",
        "actor_id": 3,
        "account_id": READER,
        "portal_id": 1,
        "address": "192.0.2.7",
        "browser": "Lynx/2.9",
    }
    with transaction() as session:
        session.execute(insert(Event), [{**row, "details": {"role": str(each)}} for each in range(number)])


def seal(scene: Scene) -> int:
    return sum(iter(lambda: sealing_events.seal_next(scene.cli), 0))


def tamper(*statements: str) -> None:
    """What somebody does who owns the database, and knows the triggers."""
    contents(runtime().settings.database_url).tamper(TRIGGERS, *statements)


def whole() -> Whole:
    found = event_proof.verify()
    assert isinstance(found, Whole), found
    return found


def test_a_log_that_nobody_touched_is_whole_and_has_a_head_to_keep(sealed: Scene) -> None:
    before = whole()
    assert (before.batches, before.events, before.unsealed, before.number) == (3, 30, 2, 3)
    sealed.clock.advance(minutes=2)
    assert seal(sealed) == 2
    after = event_proof.verify(before.head)
    assert isinstance(after, Whole)
    assert (after.batches, after.unsealed, after.kept_head) == (4, 0, 3)
    assert after.head != before.head


CHANGES = {
    column.name: f"coalesce({column.name}, '') || 'x'"
    if isinstance(column.type, String)
    else f"coalesce({column.name}, 0) + 1"
    for column in Event.__table__.columns
} | {"id": "99", "details": "'{}'"}
SEAL_CHANGES = {column: f"{column} + 1" for column in ("first_event", "events", "sealed_at", "after_event")} | {
    "batch": "(SELECT next.batch FROM event_seals next WHERE next.id = 3)",
    "seal": "(SELECT next.seal FROM event_seals next WHERE next.id = 3)",
    "key": "'other'",
    "last_event": "last_event - 1",
}
SWAP = "UPDATE {table} SET id = CASE id WHEN {a} THEN -1 ELSE -2 END WHERE id IN ({a}, {b})"
SWAP_BACK = "UPDATE {table} SET id = CASE id WHEN -1 THEN {b} ELSE {a} END WHERE id < 0"


def swap(table: str, a: int, b: int) -> tuple[str, str]:
    return SWAP.format(table=table, a=a, b=b), SWAP_BACK.format(table=table, a=a, b=b)


COPY = (
    "INSERT INTO events (id, kind, at, source, actor_id, account_id, portal_id, address, browser, details) SELECT"
    " {id}, kind, at, source, actor_id, account_id, portal_id, address, browser, details FROM events WHERE id = 15"
)
CHANGED = "events in it were changed, or put in another order"
REMOVED = "it does not follow the batch before it: one was removed, or they were put in another order"
NO_TEXT = "an event is no text"
TAMPERED = {
    **{
        f"the {column} of an event": ((f"UPDATE events SET {column} = {value} WHERE id = 15",), 2, "")  # noqa: S608
        for column, value in CHANGES.items()
    },
    "one bit of an event": (("UPDATE events SET browser = 'Lynx/2.8' WHERE id = 15",), 2, CHANGED),
    NO_TEXT: (("UPDATE events SET browser = CAST(x'ff' AS TEXT) WHERE id = 15",), 2, "cannot be read"),
    "an event removed": (("DELETE FROM events WHERE id = 15",), 2, "1 of its 10 events were removed"),
    "the first of a batch removed": (("DELETE FROM events WHERE id = 11",), 2, "1 of its 10 events were removed"),
    "two events swapped": (swap("events", 14, 15), 2, CHANGED),
    "an event put in before all": ((COPY.format(id=-5),), 1, "it had 10 events, and 1 were put in"),
    "an event exchanged": (("DELETE FROM events WHERE id = 16", COPY.format(id=16)), 2, CHANGED),
    "the first batch removed": (
        ("DELETE FROM events WHERE id <= 10", "DELETE FROM event_seals WHERE id = 1"),
        2,
        REMOVED,
    ),
    "a batch removed": (
        ("DELETE FROM events WHERE id BETWEEN 11 AND 20", "DELETE FROM event_seals WHERE id = 2"),
        3,
        REMOVED,
    ),
    "a seal removed, its events kept": (("DELETE FROM event_seals WHERE id = 2",), 3, REMOVED),
    "two batches swapped": (swap("event_seals", 2, 3), 2, REMOVED),
    "said to be removed by retention": (
        (
            "DELETE FROM events WHERE id <= 10",
            "UPDATE event_seals SET pruned_at = sealed_at + 1, pruned = batch WHERE id = 1",
        ),
        1,
        "it was not retention",
    ),
    **{
        f"the {column} of a seal": ((f"UPDATE event_seals SET {column} = {value} WHERE id = 2",), 2, "")  # noqa: S608
        for column, value in SEAL_CHANGES.items()
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.sqlite_only("PostgreSQL keeps no text that is none"))
        if name == NO_TEXT
        else name
        for name in TAMPERED
    ],
)
def test_what_was_tampered_with_is_found_and_the_batch_is_named(sealed: Scene, name: str) -> None:
    statements, number, why = TAMPERED[name]
    tamper(*statements)
    found = event_proof.verify()
    assert isinstance(found, Broken), name
    assert why in found.why
    assert found.number == number


def test_a_tail_that_was_cut_off_is_found_by_a_head_that_was_kept(sealed: Scene) -> None:
    head = whole().head
    tamper("DELETE FROM events WHERE id > 20", "DELETE FROM event_seals WHERE id = 3")
    assert whole().batches == 2, "the chain alone cannot show it"
    found = event_proof.verify(head)
    assert isinstance(found, Whole)
    assert found.kept_head is None


def test_a_batch_that_was_sealed_by_us_in_another_chain_does_not_fit(sealed: Scene) -> None:
    """Somebody went back to the first batch, let the portal seal another second one, and put the rest behind it."""
    cut = ("DELETE FROM events WHERE id > 10", "DELETE FROM event_seals WHERE id > 1")
    tamper("CREATE TABLE kept AS SELECT * FROM events", "CREATE TABLE seals AS SELECT * FROM event_seals", *cut)
    tamper("INSERT INTO events SELECT * FROM kept WHERE id BETWEEN 11 AND 20", "UPDATE events SET actor_id = 1")
    tamper("DELETE FROM events WHERE id <= 10", "INSERT INTO events SELECT * FROM kept WHERE id <= 10")
    assert seal(sealed) == 10
    assert whole().batches == 2
    tamper("UPDATE event_seals SET id = 2 WHERE id > 1", "INSERT INTO event_seals SELECT * FROM seals WHERE id = 3")
    tamper("INSERT INTO events SELECT * FROM kept WHERE id > 20")
    found = event_proof.verify()
    assert isinstance(found, Broken)
    assert (found.number, found.why) == (3, "its seal was changed, or that of the batch before it")


def test_what_has_not_settled_is_left_for_the_next_time(scene: Scene) -> None:
    """A lower number may still be on its way; what lies far ahead was written by a clock that was wrong."""
    with scene.app.app_context():
        before = len(stored(scene.app, Event))
        scene.clock.advance(days=300)
        note(scene, 1)
        scene.clock.advance(days=-299)
        note(scene, 2)
        assert seal(scene) == before + 1
        assert whole().unsealed == 2
        scene.clock.advance(seconds=61)
        assert seal(scene) == 2


def test_of_two_who_seal_at_once_one_comes_to_nothing(sealed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the second saw more events than the first: the chain must not fork."""
    sealed.clock.advance(minutes=2)
    found = sealing_events._next_batch(sealed.cli)
    note(sealed, 3)
    sealed.clock.advance(minutes=2)
    assert seal(sealed) == 5
    with monkeypatch.context() as patch:
        patch.setattr(sealing_events, "_next_batch", lambda _caller: found)
        assert sealing_events.seal_next(sealed.cli) == 0
    assert whole().batches == 4


def test_many_who_seal_in_parallel_make_one_chain(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing_events, "BATCH", 5)
    app: Flask = scene.app
    with app.app_context():
        note(scene, 100)
        scene.clock.advance(minutes=2)
        caller, total = scene.cli, len(stored(app, Event))

    def work(_number: int) -> int:
        with app.app_context():
            return sum(iter(lambda: sealing_events.seal_next(caller), 0))

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(work, range(4)))
    with app.app_context():
        seal(scene)
        assert whole().events == total
    assert done <= total


def test_retention_removes_whole_batches_and_the_chain_still_shows_it(sealed: Scene) -> None:
    head = whole().head
    sealed.clock.advance(days=730, minutes=-1)
    assert sealing_events.prune_oldest(sealed.cli) == 0
    sealed.clock.advance(minutes=2)
    assert [sealing_events.prune_oldest(sealed.cli) for _ in range(4)] == [10, 10, 10, 0]
    assert len(stored(sealed.app, Event)) == 2
    found = event_proof.verify(head)
    assert isinstance(found, Whole)
    assert (found.batches, found.pruned, found.events, found.unsealed, found.kept_head) == (3, 3, 0, 2, 3)
    tamper("INSERT INTO events (id, kind, at, source, browser, details) VALUES (7, 'x', 1, 'web', '', '{}')")
    assert isinstance(event_proof.verify(), Broken)


def test_retention_keeps_what_does_not_fit_its_seal(sealed: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Else it would remove the evidence, and the log would look whole again."""
    tamper("UPDATE events SET address = '192.0.2.9' WHERE id = 5")
    sealed.clock.advance(days=731)
    assert sealing_events.prune_oldest(sealed.cli) == 0
    assert "events of batch 1 were changed" in caplog.text
    assert isinstance(event_proof.verify(), Broken)


def test_a_key_that_is_gone_is_said(sealed: Scene) -> None:
    tamper("UPDATE event_seals SET key = 'gone'")
    found = event_proof.verify()
    assert isinstance(found, Broken)
    assert found.why == "its key gone is not in the key ring, so nothing can be said of it"


@pytest.mark.parametrize(
    "statement",
    [
        update(Event).values(browser=""),
        delete(Event),
        delete(Event).where(Event.id == 32),
        delete(EventSeal),
        update(EventSeal).values(batch=b"x" * 32),
    ],
)
def test_the_database_itself_refuses_to_change_or_remove_events_and_seals(sealed: Scene, statement: object) -> None:
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(statement)  # type: ignore[call-overload]
    db.session.rollback()
    assert whole().unsealed == 2


def test_only_retention_removes_events_and_nothing_changes_them() -> None:
    guilty = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WRITING:
                names = {
                    name.id for argument in node.args for name in ast.walk(argument) if isinstance(name, ast.Name)
                }
                guilty |= {(path.stem, node.func.id)} if {"Event", "EventSeal"} & names else set()
    assert guilty == {
        ("sealing_events", "delete"),
        ("sealing_events", "update"),
        ("sealing_events", "insert_or_ignore"),
    }


WRITING = {"delete", "delete_from", "update", "insert", "insert_or_ignore"}


def test_no_two_rows_come_to_the_same_bytes() -> None:
    rows: list[tuple[object, ...]] = [
        ("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("abc", None), (None, "abc"), (1,), ("1",),
        (b"1",), (1.0,), (11,), (1, 1), ("s1:a",), ("é",), ("e\u0301",), (None,), (), ("n0:",), (-1,), ("\ud800",),
    ]  # fmt: skip
    assert len({joined(row) for row in rows}) == len(rows)  # type: ignore[arg-type]
