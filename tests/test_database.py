"""One way to read, one way to write: what a connection is set to, and what a transaction promises."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from time import sleep

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from mfaportal.models import Account, Authenticator, Login, Membership
from mfaportal.plumbing.db import Base, db, reading, transaction
from tests.clock import MovableClock
from tests.people import Cast, give_app
from tests.stranger import Stranger, stranger_at


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def stranger(app: Flask, database_url: str) -> Iterator[Stranger]:
    with stranger_at(database_url) as stranger:
        yield stranger


def _name_of(session: Session, person: int) -> str | None:
    return session.scalar(select(Account.name).where(Account.id == person))


def _rename(stranger: Stranger, person: int, name: str) -> None:
    stranger.execute(f"UPDATE accounts SET name = '{name}' WHERE id = {person}")  # noqa: S608  # a number


@pytest.mark.sqlite_only("its pragmas")
def test_every_connection_is_set_alike(app: Flask, inside: None) -> None:
    """Durable, checked, patient; and what is deleted is overwritten."""
    wanted = {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": 2,
        "busy_timeout": 5000,
        "secure_delete": 1,
    }
    connections = [db.engine.connect() for _ in range(5)]
    for connection in connections:
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in wanted}
        assert found == wanted
        connection.close()


def test_an_operation_holds_the_write_lock_from_its_beginning(inside: None, people: Cast, stranger: Stranger) -> None:
    with transaction():
        assert not stranger.begin()
    assert stranger.begin()
    stranger.execute("ROLLBACK")


def test_reading_locks_nobody_out_and_sees_one_moment(inside: None, people: Cast, stranger: Stranger) -> None:
    with reading() as session:
        assert _name_of(session, people.reader.id) == "Reader"
        _rename(stranger, people.reader.id, "Changed")
        assert _name_of(session, people.reader.id) == "Reader"
    with reading() as session:
        assert _name_of(session, people.reader.id) == "Changed"


def test_an_operation_sees_the_world_as_it_is_when_it_begins_not_as_it_was_read_before(
    inside: None, people: Cast, stranger: Stranger
) -> None:
    account = db.session.get_one(Account, people.reader.id)
    assert account.name == "Reader"
    _rename(stranger, people.reader.id, "Changed")
    with transaction() as session:
        assert session.get_one(Account, people.reader.id).name == "Changed"


def _rename_everybody_and_fail() -> None:
    with transaction() as session:
        session.execute(update(Account).values(name="Nobody"))
        raise KeyError


def _read_and_fail() -> None:
    with reading() as session:
        session.scalar(select(func.count()).select_from(Account))
        raise KeyError


def test_what_fails_leaves_nothing_behind(inside: None, people: Cast) -> None:
    with pytest.raises(KeyError):
        _rename_everybody_and_fail()
    with reading() as session:
        assert _name_of(session, people.reader.id) == "Reader"


def test_an_operation_cannot_call_an_operation(inside: None) -> None:
    with transaction(), pytest.raises(RuntimeError, match="operation"), transaction():
        pass
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Account)) is not None


def test_who_comes_second_waits_for_who_was_first(inside: None, people: Cast, stranger: Stranger) -> None:
    assert stranger.begin()
    _rename(stranger, people.reader.id, "First")

    def commit_later() -> None:
        sleep(0.3)
        stranger.execute("COMMIT")

    slow = Thread(target=commit_later)
    slow.start()
    with transaction() as session:
        assert _name_of(session, people.reader.id) == "First"
    slow.join()


def test_nothing_is_left_open_afterwards(inside: None, people: Cast, stranger: Stranger) -> None:
    """Not even by what failed."""
    with reading() as session:
        session.scalar(select(func.count()).select_from(Account))
    for failing in (_read_and_fail, _rename_everybody_and_fail):
        with pytest.raises(KeyError):
            failing()
    assert not db.session().in_transaction()
    assert stranger.left_open() == []


def test_an_account_takes_what_is_its_own_along(inside: None, people: Cast, clock: MovableClock) -> None:
    give_app(people.reader, clock)
    with transaction() as session:
        session.delete(session.get_one(Account, people.reader.id))
    with reading() as session:
        for model in (Authenticator, Membership, Login):
            mine = select(func.count()).where(model.account_id == people.reader.id)
            assert session.scalar(mine) == 0, model.__tablename__


def test_a_row_cannot_belong_to_nobody(inside: None, people: Cast) -> None:
    of_reader = Membership.account_id == people.reader.id
    with transaction() as session, pytest.raises(StatementError, match=r"(?i)foreign key"):
        session.execute(update(Membership).where(of_reader).values(account_id=999))


@pytest.mark.parametrize(
    "instant",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 59, 59, 999_999, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 8, 1, tzinfo=UTC),
        datetime(2106, 2, 7, 6, 28, 16, 123_457, tzinfo=UTC),
    ],
    ids=str,
)
def test_an_instant_comes_back_to_the_microsecond(inside: None, people: Cast, instant: datetime) -> None:
    with transaction() as session:
        session.execute(update(Account).values(suspended_at=instant))
    with reading() as session:
        assert session.scalar(select(Account.suspended_at).limit(1)) == instant
        later = select(func.count()).where(Account.suspended_at > instant - timedelta(microseconds=1))
        assert session.scalar(later) == len(people.everybody)


def test_an_instant_without_a_time_zone_is_refused(inside: None, people: Cast) -> None:
    naive = datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001 - that is the point
    with transaction() as session, pytest.raises(StatementError, match="time zone"):
        session.execute(update(Account).values(suspended_at=naive))


def test_every_instant_is_stored_that_way() -> None:
    """No column of the models is a plain date or time, which databases understand differently."""
    for table in Base.metadata.tables.values():
        for column in table.columns:
            assert "DATE" not in str(column.type).upper(), f"{table.name}.{column.name}"
