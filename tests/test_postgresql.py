"""What is true on PostgreSQL beyond what all tests say on both databases: connections, turns, and what passes."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import event, func, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from mfaportal.domain import event_proof, sealing_events
from mfaportal.models import Account, Event, EventKind, EventSeal, Setting
from mfaportal.models.identity_row import prepared
from mfaportal.plumbing import postgresql, postgresql_connection
from mfaportal.plumbing.config import SettingError
from mfaportal.plumbing.db import (
    Base,
    change,
    db,
    insert_or_ignore,
    may_ask_again,
    reading,
    transaction,
)
from mfaportal.plumbing.engines import engine_for, refused_in_words
from mfaportal.plumbing.postgresql_connection import PortalConnection
from mfaportal.plumbing.runtime import runtime
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.databases import ADVISORY_LOCKS
from tests.people import Cast, on_the_command_line
from tests.rows import account, events

pytestmark = pytest.mark.postgresql_only("it is about PostgreSQL's connections and transactions")


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def stranger(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Another program at the same database, with the same rights."""
    url = make_url(database_url)
    named = {"host": url.query.get("host") or url.host, "user": url.username, "dbname": url.database}
    with psycopg.connect(**named, autocommit=True) as connection:  # type: ignore[arg-type]
        yield connection


@contextmanager
def held(stranger: psycopg.Connection[Any]) -> Iterator[None]:
    """Somebody else has the turn to write, and keeps it."""
    stranger.execute(f"SELECT pg_advisory_lock({postgresql.TURN})")
    try:
        yield
    finally:
        stranger.execute(f"SELECT pg_advisory_unlock({postgresql.TURN})")


def _setting(name: str) -> Any:
    with reading() as session:
        return session.scalar(text(f"SHOW {name}"))


def test_every_connection_is_set_alike_and_the_address_may_say_otherwise(inside: None, database_url: str) -> None:
    wanted = {
        "lock_timeout": "5s",
        "statement_timeout": "1min",
        "idle_in_transaction_session_timeout": "3s",
        "jit": "off",
        "application_name": "mfaportal",
        "client_encoding": "UTF8",
        "transaction_isolation": "repeatable read",
        "transaction_read_only": "on",
    }
    assert {name: _setting(name) for name in wanted} == wanted
    engine = engine_for(f"{database_url}&options=-c%20lock_timeout%3D2s&application_name=copy")
    with engine.connect() as connection:
        found = [connection.scalar(text(f"SHOW {name}")) for name in ("lock_timeout", "application_name", "jit")]
    engine.dispose()
    assert found == ["2s", "copy", "off"]


def test_what_may_take_minutes_is_not_stopped(inside: None) -> None:
    timeouts = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with transaction(patient=True) as session:
        assert [session.scalar(text(f"SHOW {name}")) for name in timeouts] == ["0"] * 3
    with reading(patient=True) as session:
        assert [session.scalar(text(f"SHOW {name}")) for name in timeouts] == ["0"] * 3
    assert _setting("statement_timeout") == "1min"


def test_writers_take_turns_and_see_what_the_one_before_has_done(app: Flask, people: Cast) -> None:
    """Events get their numbers in the order in which they become visible."""
    counted: list[int] = []

    def count_and_add() -> None:
        with app.app_context(), transaction() as session:
            counted.append(session.scalar(select(func.count()).select_from(Event)) or 0)
            session.add(Event(kind=EventKind.LOGIN_ENDED, at=runtime().now(), source="web", browser="", details={}))

    threads = [threading.Thread(target=count_and_add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == list(range(counted[0], counted[0] + 8))


def test_who_waits_for_its_turn_too_long_is_told_so_and_readers_do_not_wait(
    make_app: Callable[..., Flask],
    people: Cast,
    clock: MovableClock,
    database_url: str,
    stranger: psycopg.Connection[Any],
) -> None:
    impatient = make_app(MFAPORTAL_DATABASE_URL=f"{database_url}&options=-c%20lock_timeout%3D100ms")
    browser = Browser(impatient, clock)
    browser.log_in(people.reader)
    page = browser.get("/account")
    with held(stranger):
        assert browser.get("/account").status == 200
        refused = browser.send(page, name="Another")
    assert (refused.status, refused.response.headers["Retry-After"]) == (503, "5")
    assert account(impatient, people.reader).name == people.reader.name
    assert browser.send(page, name="Another").status == 303


def test_what_goes_aside_waits_for_nobody_else(inside: None, people: Cast, stranger: psycopg.Connection[Any]) -> None:
    with held(stranger), transaction(aside=True) as session:
        session.execute(update(Account).where(Account.id == people.reader.id).values(name="Aside"))
    assert db.session.scalar(select(Account.name).where(Account.id == people.reader.id)) == "Aside"


def test_reading_sees_one_moment_and_cannot_change_anything(
    inside: None, people: Cast, stranger: psycopg.Connection[Any]
) -> None:
    name = select(Account.name).where(Account.id == people.reader.id)
    with reading() as session:
        assert session.scalar(name) == "Reader"
        stranger.execute("UPDATE accounts SET name = 'Changed' WHERE id = %s", (people.reader.id,))
        assert session.scalar(name) == "Reader"
        with pytest.raises(StatementError, match="read-only"):
            session.execute(update(Account).values(name="Nobody"))


def test_who_somebody_is_costs_one_round_trip(inside: None, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"token": b"x" * 32, "slug": "city-data"}
    row = prepared(by_slug=True, by_id=False)
    row.one(values)
    trips: list[object] = []
    listening = PortalConnection._listening

    def counted(self: PortalConnection, gen: Any) -> Any:
        inner = listening(self, gen)
        try:
            wanted = next(inner)
            trips.append(wanted)  # it does wait for the server, then
            while True:
                wanted = inner.send((yield wanted))
        except StopIteration as ended:
            return ended.value

    monkeypatch.setattr(PortalConnection, "_listening", counted)
    assert row.one(values)[13] == "city-data"
    assert len(trips) == 1
    with reading() as session:
        assert row.one_in(session, values)[13] == "city-data"
        kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%token_digest = $1%'"
        assert len(trips) == 1 + 2, "one more, and the transaction's beginning"
        assert session.scalar(text(kept)) == 1
    with transaction() as session:
        session.execute(text("SELECT 1"))
    assert len(trips) == 1 + 4 + 3, "the reader's look and end; a writer's turn comes with its beginning"


def test_an_insert_that_was_ignored_is_counted_as_none(inside: None) -> None:
    """Of two who write the same key at once, one is told that it was not the one."""
    seal = {"first_event": 1, "last_event": 1, "events": 1, "batch": b"b", "key": "k", "sealed_at": runtime().now()}
    with transaction() as session:
        for model, values in (
            (Setting, {"name": "n", "value": "v"}),
            (EventSeal, {**seal, "after_event": 0, "seal": b"s"}),
        ):
            statement = insert_or_ignore(session, model).values(**values)
            assert [change(session, statement), change(session, statement)] == [1, 0]


# connections that die


def _end_all(stranger: psycopg.Connection[Any]) -> None:
    stranger.execute(
        "SELECT pg_terminate_backend(pid, 3000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'mfaportal'"
    )


def test_a_connection_that_the_server_has_ended_is_not_handed_out(
    app: Flask, browser: Browser, people: Cast, stranger: psycopg.Connection[Any]
) -> None:
    """Not even to somebody who writes."""
    browser.log_in(people.reader)
    page = browser.get("/account")
    _end_all(stranger)
    assert browser.get("/account").status == 200
    _end_all(stranger)
    assert browser.send(page, name="Another").status == 303
    assert account(app, people.reader).name == "Another"


def test_however_many_have_ended_the_pool_hands_out_living_ones(
    inside: None, stranger: psycopg.Connection[Any]
) -> None:
    """What begins nothing anew, a command for instance, does not come upon them either."""
    for _ in range(2):
        opened = [db.engine.connect() for _ in range(4)]
        assert [connection.scalar(text("SELECT 1")) for connection in opened] == [1] * 4
        for connection in opened:
            connection.close()
        _end_all(stranger)


@contextmanager
def dying_at(app: Flask, number: int) -> Iterator[list[str]]:
    """The connection dies as the so-many-th statement is to be sent; the statements until then."""
    seen: list[str] = []

    def count(connection: Any, _cursor: Any, statement: str, *_more: object) -> None:
        seen.append(statement)
        if len(seen) == number:
            connection.connection.dbapi_connection.pgconn.finish()

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", count)
        yield seen
        event.remove(db.engine, "before_cursor_execute", count)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_page_whose_connection_dies_under_it_is_made_once_more(
    app: Flask, browser: Browser, people: Cast, number: int
) -> None:
    """Wherever that happens: it has only read."""
    browser.log_in(people.admin)
    with dying_at(app, number) as seen:
        page = browser.get("/portals/city-data/backoffice/access/users")
    assert (page.status, len(seen) > number) == (200, True)
    assert "Reader" in page.text


def test_what_writes_begins_once_more_and_is_never_repeated(app: Flask, browser: Browser, people: Cast) -> None:
    browser.log_in(people.reader)
    page = browser.get("/account")
    with dying_at(app, 1) as seen:
        assert browser.send(page, name="Another").status == 303
    begins = [statement for statement in seen if "pg_advisory_xact_lock" in statement]
    assert seen[:2] == begins[:2], "the first never came to anything"
    for number in range(2, len(seen)):
        with dying_at(app, number) as again:
            answer = browser.send(page, name=f"Number {number}")
        assert (answer.status, answer.response.headers["Retry-After"]) == (503, "5"), again
        assert account(app, people.reader).name == "Another"


def test_a_page_that_has_written_is_not_made_again(app: Flask, people: Cast) -> None:
    died = OperationalError(None, None, psycopg.OperationalError(), connection_invalidated=True)
    with app.test_request_context(), reading():
        assert may_ask_again(died)
        with transaction(aside=True):
            pass
        assert may_ask_again(died), "what goes aside may be done twice"
        with transaction():
            pass
        assert not may_ask_again(died)


ERRORS = {
    "a deadlock": "40P01",
    "not serialisable": "40001",
    "a lock that is not there": "55P03",
    "took too long": "57014",
    "a full disk": "53100",
    "shut down": "57P01",
    "we were too slow": "25P03",
    "prepared for other tables": "0A000",
}


@pytest.mark.parametrize("code", ERRORS.values(), ids=list(ERRORS))
def test_what_the_server_gives_up_is_told_as_something_that_passes(
    app: Flask, browser: Browser, people: Cast, stranger: psycopg.Connection[Any], code: str
) -> None:
    browser.log_in(people.reader)
    page = browser.get("/account")
    stranger.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION 'as it says' USING ERRCODE = '{code}'; END $$"
    )
    stranger.execute("CREATE TRIGGER failing BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION fail()")
    try:
        answer = browser.send(page, name="Another")
    finally:
        stranger.execute("DROP FUNCTION fail() CASCADE")
    assert (answer.status, answer.response.headers["Retry-After"]) == (503, "5")
    assert (account(app, people.reader).name, events(app, EventKind.ACCOUNT_RENAMED)) == ("Reader", [])
    assert browser.send(page, name="Another").status == 303


def test_a_migration_under_prepared_statements_is_not_noticed(
    app: Flask, browser: Browser, people: Cast, stranger: psycopg.Connection[Any]
) -> None:
    """PostgreSQL refuses to run them then: "cached plan must not change result type"."""
    browser.log_in(people.reader)
    for _ in range(8):
        assert browser.get("/account").status == 200
    stranger.execute('ALTER TABLE accounts ALTER COLUMN name TYPE varchar(101) COLLATE "C"')
    try:
        assert browser.get("/account").status == 200
    finally:
        stranger.execute('ALTER TABLE accounts ALTER COLUMN name TYPE varchar(100) COLLATE "C"')


# what the database itself holds


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET kind = 'other'",
        "DELETE FROM events",
        "TRUNCATE events",
        "UPDATE event_seals SET seal = 'other'",
        "DELETE FROM event_seals",
        "TRUNCATE event_seals",
    ],
)
def test_events_and_seals_stay_as_they_are(inside: None, people: Cast, statement: str) -> None:
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO event_seals (after_event, first_event, last_event, events, batch, key, seal, sealed_at)"
                " VALUES (0, 1, 1, 1, 'b', 'k', 's', 0)"
            )
        )
        session.execute(text("UPDATE event_seals SET pruned = 'p'"))
    with pytest.raises(IntegrityError, match=r"stay|never change|only retention"), transaction() as session:
        session.execute(text(statement))


def test_numbers_that_were_taken_and_not_used_are_missed_by_nobody(
    inside: None, people: Cast, clock: MovableClock, stranger: psycopg.Connection[Any]
) -> None:
    """SQLite gives back what a failed operation took; PostgreSQL does not."""
    for _ in range(3):
        stranger.execute("SELECT nextval('events_id_seq')")
        with transaction() as session:
            session.add(Event(kind=EventKind.LOGIN_ENDED, at=clock(), source="web", browser="", details={}))
    clock.advance(minutes=2)
    assert sealing_events.seal_next(on_the_command_line(clock)) > 3
    whole = event_proof.verify()
    assert isinstance(whole, event_proof.Whole)
    assert whole.unsealed == 0


def test_the_tables_are_those_of_the_models(inside: None) -> None:
    with db.engine.connect() as connection:
        described = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts={**described, "include_name": _is_described})
        assert compare_metadata(context, db.metadata) == []


def _is_described(name: str | None, kind: str, _parents: object) -> bool:
    """The search's index over parts of names is no model's."""
    return kind != "index" or not str(name).startswith("ix_accounts_search")


def test_indexes_over_some_of_the_rows_are_over_the_same_ones_as_on_sqlite(inside: None) -> None:
    """Alembic does not compare that. A model names what SQLite's index leaves out."""
    with reading() as session:
        made = {row.indexname: row.indexdef for row in session.execute(text("SELECT * FROM pg_indexes"))}
    wanted = {
        index.name: str(where)
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if (where := index.dialect_options["sqlite"]["where"]) is not None
    }
    found = {name: _plain(definition.partition(" WHERE ")[2]) for name, definition in made.items()}
    assert {name: found[str(name)] for name in wanted} == {name: _plain(where) for name, where in wanted.items()}
    assert "uq_access_requests_open" in wanted


def _plain(condition: str) -> str:
    """Without what PostgreSQL adds, types and brackets, and what SQLite needs to see that a flag is one."""
    return re.sub(r"::(text|character varying)|[()\s]|\s*=\s*1$", "", condition).lower()


def test_text_is_compared_byte_by_byte_whatever_the_language_of_the_database(inside: None) -> None:
    with reading() as session:
        columns = session.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
                " AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C'"
            )
        ).all()
    assert columns == []


def test_migrations_wait_for_each_other(app: Flask, stranger: psycopg.Connection[Any]) -> None:
    entered = threading.Event()

    def migrate() -> None:
        with app.app_context(), postgresql.alone(db.engine):
            entered.set()

    stranger.execute(f"SELECT pg_advisory_lock({postgresql.MIGRATION})")
    waiting = threading.Thread(target=migrate)
    waiting.start()
    assert not entered.wait(0.2)
    stranger.execute(f"SELECT pg_advisory_unlock({postgresql.MIGRATION})")
    assert entered.wait(5)
    waiting.join()
    assert stranger.execute(ADVISORY_LOCKS).fetchall() == []


def test_a_database_in_which_nothing_may_be_made_is_refused_in_a_sentence(app: Flask) -> None:
    def make_table_elsewhere() -> None:
        with refused_in_words(), transaction() as session:
            session.execute(text("CREATE TABLE pg_catalog.mine (id int)"))

    with (
        app.app_context(),
        pytest.raises(SettingError, match=r"^MFAPORTAL_DATABASE_URL: .*permission denied") as said,
    ):
        make_table_elsewhere()
    assert "\n" not in str(said.value)


def test_a_server_that_says_nothing_is_asked_whether_it_lives(inside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for while it does; a stopped one keeps its sockets, so nobody else would ever say so."""
    monkeypatch.setattr(postgresql_connection, "SILENCE", 0.1)
    with reading() as session:
        assert session.scalar(text("SELECT 'done' FROM pg_sleep(0.5)")) == "done"
    monkeypatch.setattr(postgresql_connection, "_ASKED", 2)  # no less is possible
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        nobody = f"host=127.0.0.1 port={deaf.getsockname()[1]}"
        monkeypatch.setattr(psycopg.ConnectionInfo, "dsn", property(lambda _self: nobody))
        began = time.monotonic()
        with pytest.raises(OperationalError, match="stopped answering") as failed, reading() as session:
            session.scalar(text("SELECT pg_sleep(9)"))
    assert failed.value.connection_invalidated
    assert time.monotonic() - began < 5


def test_while_the_server_is_away_one_asks_and_the_others_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_connection, "PATIENCE", 0.2)
    waiting = postgresql_connection._Waiting()
    asked: list[float] = []
    answering = threading.Event()

    def away() -> None:
        asked.append(time.monotonic())
        raise psycopg.OperationalError("refused")

    def slow() -> str:
        answering.wait(5)
        return "there again"

    with pytest.raises(psycopg.OperationalError, match="refused"):
        waiting.connect(away)
    assert len(asked) > 2, "it was tried until the patience was over"
    found: list[str] = []
    scout = threading.Thread(target=lambda: found.append(waiting.connect(slow)))
    scout.start()
    time.sleep(0.05)
    before = len(asked)
    with pytest.raises(psycopg.OperationalError, match="somebody else is asking"):
        waiting.connect(away)
    assert len(asked) == before
    answering.set()
    scout.join()
    assert (found, waiting.connect(lambda: "all of them")) == (["there again"], "all of them")
