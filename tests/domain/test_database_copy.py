"""A copy holds what the original holds, in whichever database; what is no copy is not kept; numbers go on from there.

On PostgreSQL the copies go there, from there and between: from SQLite's file and into one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from mfaportal.domain import (
    accounts,
    copied_rows,
    copy_target,
    database_copy,
    demo,
    event_proof,
    member_list,
    sealing_events,
)
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.caller import Caller
from mfaportal.domain.database_copy import CannotCopy, Copied
from mfaportal.domain.event_proof import Whole
from mfaportal.domain.member_list import MembersQuery
from mfaportal.domain.outcomes import Created
from mfaportal.models import Account, EventKind, Throttle
from mfaportal.plumbing import table_rows
from mfaportal.plumbing.db import db, reading, transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.plumbing.table_rows import Rows
from tests import databases
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.people import Cast, give_app, on_the_command_line, seed
from tests.stored import cookie_of, plant_cookie, stored

MakeApp = Callable[..., Flask]
ODD = "Ö\\N\t\r\n\\.'\"%s $1 \x01\x7f\u2028 \U0001f600 e\u0301"
"""Whatever could be taken for something else on its way."""


@dataclass
class Pair:
    """An installation, and the address of an empty database; inside the installation's context."""

    app: Flask
    url: str
    clock: MovableClock
    make_app: MakeApp

    @property
    def cli(self) -> Caller:
        return on_the_command_line(self.clock)

    def copy(self) -> Copied:
        return database_copy.copy(self.cli, self.url, copy_target.nobody_listens)

    def there(self) -> Flask:
        """The same installation once it uses the other database."""
        return self.make_app(MFAPORTAL_DATABASE_URL=self.url)


def _only(why: str) -> pytest.MarkDecorator:
    return pytest.mark.postgresql_only(why)


@pytest.fixture(
    params=[
        "alike",
        pytest.param("out of a file", marks=_only("SQLite's file goes there")),
        pytest.param("into a file", marks=_only("and comes from there")),
    ]
)
def pair(request: pytest.FixtureRequest, make_app: MakeApp, clock: MovableClock, tmp_path: Path) -> Iterator[Pair]:
    file = f"sqlite:///{tmp_path / 'a file.sqlite3'}"
    url = file if request.param == "into a file" else databases.url_of(tmp_path / "other")
    app = make_app(MFAPORTAL_DATABASE_URL=file) if request.param == "out of a file" else make_app()
    with app.app_context():
        yield Pair(app, url, clock, make_app)


def everything(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but for what triggers keep roughly, and counts of nothing."""
    with app.app_context(), reading() as session:
        found = {
            name: [tuple(row) for row in session.execute(table.select().order_by(*table.primary_key))]
            for name, table in db.metadata.tables.items()
            if name != "event_days"
        }
    return {**found, "portal_counts": [row for row in found["portal_counts"] if row[2]]}


def _fill(pair: Pair) -> None:
    """People in every state, texts and bytes that are hard to carry, and seals over it."""
    assert not isinstance(demo.fill(pair.cli), demo.DemoRefusal)
    with transaction() as session:
        first = session.scalars(select(Account).order_by(Account.id)).first()
        assert first is not None
        first.rename(ODD)
        first.last_login_at = pair.clock()
        for subject in ("a b", "ab", "B", "Ä", "ä"):
            session.add(Throttle(kind="k", subject=subject, attempts=ODD, changed_at=pair.clock()))
        session.execute(update(Account).where(Account.id == 2).values(password_digest="", codes_saved_at=None))
    pair.clock.advance(minutes=2)
    sealing_events.seal_next(pair.cli)


def test_everything_is_there_and_nothing_else(pair: Pair) -> None:
    _fill(pair)
    copied = pair.copy()
    here, there = everything(pair.app), everything(pair.there())
    assert there == here, "rows, and what triggers keep of them"
    assert {proof.table: proof.rows for proof in copied.proofs} == {
        name: len(rows) for name, rows in here.items() if name not in ("portal_people", "portal_counts")
    }
    assert here["events"][-1][1] == EventKind.DATABASE_COPIED
    with pair.there().app_context():
        whole = event_proof.verify()
    assert isinstance(whole, Whole)
    assert (whole.batches, whole.head) == (1, event_proof.verify().head)  # type: ignore[union-attr]


def test_people_log_in_and_are_found_there(pair: Pair) -> None:
    people: Cast = seed(pair.clock)
    give_app(people.editor, pair.clock)
    browser = Browser(pair.app, pair.clock)
    browser.log_in(people.admin)
    pair.copy()
    there = pair.there()
    pair.clock.advance(seconds=30)
    assert Browser(there, pair.clock).log_in(people.editor).status == 303
    moved = Browser(there, pair.clock)
    plant_cookie(moved, cookie_of(browser))
    assert moved.get("/account").status == 200, "whoever is logged in stays it"
    with there.app_context():
        found = member_list.page(1, MembersQuery(people.editor.email[2:7])).members
    assert [member.email for member in found] == [people.editor.email]


def test_no_number_is_given_twice(pair: Pair) -> None:
    """Whoever was deleted had the greatest number; it stays theirs."""
    last = accounts.create(pair.cli, Newcomer("last@example.org", "Last"))
    assert isinstance(last, Created)
    gone = stored(pair.app, Account, email="last@example.org")[0].id
    with transaction() as session:
        session.execute(delete(Account).where(Account.id == gone))
    pair.copy()
    with pair.there().app_context():
        accounts.create(pair.cli, Newcomer("next@example.org", "Next"))
    assert stored(pair.there(), Account, email="next@example.org")[0].id == gone + 1


def _without_one(rows: Rows) -> Rows:
    return rows[1:]


def _with_another_letter(rows: Rows) -> Rows:
    return [tuple(f"{value}." if isinstance(value, str) else value for value in rows[0]), *rows[1:]]


@pytest.mark.parametrize("pair", ["alike"], indirect=True)
@pytest.mark.parametrize(
    ("harm", "said"), [(_without_one, "rows here and"), (_with_another_letter, "other rows there than here")]
)
def test_what_is_no_copy_is_noticed_and_not_kept(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Rows], Rows], said: str
) -> None:
    seed(pair.clock)
    before, write = everything(pair.app), table_rows.write

    def harmed(connection: Any, table: Any, found: Iterator[Rows]) -> None:
        write(connection, table, (harm(rows) if table.name == "memberships" else rows for rows in found))

    with monkeypatch.context() as patch:
        patch.setattr(table_rows, "write", harmed)
        with pytest.raises(CannotCopy, match=f"the table memberships has .*{said}"):
            pair.copy()
    assert everything(pair.app) == before
    pair.copy()
    assert everything(pair.there()) == everything(pair.app), "the next try goes through"


def test_one_that_is_broken_off_leaves_nothing_and_can_be_tried_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(pair.clock)
    before = everything(pair.app)

    def pulled(*_anything: object) -> None:
        raise KeyboardInterrupt

    for name in ("counted", "prove"):
        with monkeypatch.context() as patch:
            patch.setattr(table_rows, name, pulled)
            with pytest.raises(KeyboardInterrupt):
                pair.copy()
    assert everything(pair.app) == before
    own = replace(runtime().settings, database_url=pair.url)
    with copy_target.opened(own, runtime().keys) as engine, engine.connect() as connection:
        assert copied_rows.holds(connection, "0005") is copied_rows.Holds.FRESH
    assert len(pair.copy().proofs) > 10


@pytest.mark.parametrize("pair", [pytest.param("out of a file", marks=_only("SQLite stores it"))], indirect=True)
def test_what_postgresql_does_not_store_is_named(pair: Pair) -> None:
    seed(pair.clock)
    with transaction() as session:
        session.execute(update(Account).where(Account.id == 2).values(name="A\0B"))
    with pytest.raises(CannotCopy, match="name of row 2 holds a NUL character, which PostgreSQL does not store"):
        pair.copy()
    with transaction() as session:
        session.execute(update(Account).where(Account.id == 2).values(name="x" * 101))
    with pytest.raises(CannotCopy, match=r"the table accounts .* too long .* \(row 2 in the order of their keys"):
        pair.copy()


@pytest.mark.parametrize("pair", ["alike"], indirect=True)
def test_a_digest_does_not_depend_on_how_many_rows_are_read_at_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(pair)
    found = []
    for portion in (1, 3, 1000):
        monkeypatch.setattr(table_rows, "PORTION", portion)
        with reading() as session:
            found.append([table_rows.prove(session.connection(), table) for table in copied_rows.copied_tables()])
    assert found[0] == found[1] == found[2]
    assert [proof.rows for proof in found[0]] == [
        len(everything(pair.app)[table.name]) for table in copied_rows.copied_tables()
    ]
