"""What triggers keep (lists of people, counts, days of events, the search) is what a plain look finds."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update

from mfaportal.domain import accounts, demo, members, portals, search_sweeping
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.outcomes import Created
from mfaportal.migrations import expected_sizes, kept_rows, search_index
from mfaportal.models import (
    AccessRequest,
    Account,
    Authenticator,
    Event,
    EventDay,
    Membership,
    Portal,
    PortalCount,
    PortalPerson,
    Setting,
)
from mfaportal.models.account_search import SearchText, among
from mfaportal.models.event_day import DAY
from mfaportal.models.portal_count import MEMBERS, OPEN_REQUESTS
from mfaportal.models.portal_person import IN_NO_PORTAL, UNREADABLE
from mfaportal.models.setting import SEARCH_TO_SWEEP
from mfaportal.plumbing.clock import to_microseconds
from mfaportal.plumbing.db import db, reading, transaction
from mfaportal.rules.names import key_of
from mfaportal.rules.roles import MemberRole
from tests.domain.scene import Scene

NAMES = ("Ada Lovelace", "Zoë Ångström", "李明", "Li Wei", "O'Brien-Ñandú", 'a "b" c', "Straße 9", "x")


def _line(account: Any, portal_id: int, role: str | None, apps: set[int]) -> tuple[Any, ...]:
    kind = "operator" if account.is_operator else role if role in list(MemberRole) else UNREADABLE
    return portal_id, account.name_key, account.id, account.email, kind, account.id in apps


def plain() -> tuple[set[tuple[Any, ...]], dict[tuple[int, str], tuple[int, int]]]:
    """The lists and the counts as the tables of accounts, memberships, apps and requests say them."""
    with reading() as session:
        people = session.scalars(select(Account)).all()
        roles = {(m.account_id, m.portal_id): m.role for m in session.scalars(select(Membership))}
        everywhere = session.scalars(select(Portal.id)).all()
        apps = set(session.scalars(select(Authenticator.account_id)))
        asking = session.execute(select(AccessRequest.portal_id, AccessRequest.state)).all()
    lines = set()
    for account in people:
        here = [portal for portal in everywhere if account.is_operator or (account.id, portal) in roles]
        lines |= {_line(account, portal, roles.get((account.id, portal)), apps) for portal in here}
        if not here and not account.is_operator:
            lines.add(_line(account, IN_NO_PORTAL, None, apps))
    number, set_up = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    for portal, _key, _id, _email, kind, app in lines:
        number[portal, kind] += 1
        set_up[portal, kind] += app
    number.update((portal, MEMBERS) for _account, portal in roles)
    number.update((portal, OPEN_REQUESTS) for portal, state in asking if state == "open")
    return lines, {key: (many, set_up[key]) for key, many in number.items()}


def kept() -> tuple[set[tuple[Any, ...]], dict[tuple[int, str], tuple[int, int]]]:
    with reading() as session:
        lines = {tuple(row) for row in session.execute(select(*PortalPerson.__table__.columns))}
        counts = session.scalars(select(PortalCount).where(PortalCount.number != 0)).all()
        assert not session.scalars(select(PortalCount).where(PortalCount.number == 0, PortalCount.set_up != 0)).all()
    return lines, {(each.portal_id, each.counted): (each.number, each.set_up) for each in counts}


class Chance:
    """Random operations, and changes by hand that no operation makes."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._scene, self._random, self._made = scene, random.Random(seed), 0

    def act(self) -> None:
        self._random.choice(
            [self._create, self._create, self._member, self._member, self._role, self._remove, self._operator,
             self._app, self._app, self._no_app, self._rename, self._suspend, self._request, self._decide,
             self._portal, self._delete]
        )()  # fmt: skip

    def _one_of(self, column: Any) -> int:
        with reading() as session:
            return int(self._random.choice(session.scalars(select(column)).all() or [0]))

    def _slug(self) -> str:
        with reading() as session:
            return self._random.choice(session.scalars(select(Portal.slug)).all())

    def _by_hand(self, *statements: Any) -> None:
        with transaction() as session:
            for statement in statements:
                session.execute(statement)

    def _create(self) -> None:
        self._made += 1
        newcomer = Newcomer(
            f"person{self._made}@example.org",
            self._random.choice(NAMES),
            None,
            self._random.random() < 0.1,
            self._slug() if self._random.random() < 0.6 else None,
            self._random.choice(list(MemberRole)),
        )
        assert isinstance(accounts.create(self._scene.cli, newcomer), Created)

    def _member(self) -> None:
        members.add(self._scene.cli, self._slug(), self._one_of(Account.id), self._random.choice(list(MemberRole)))

    def _role(self) -> None:
        members.change_role(
            self._scene.cli, self._slug(), self._one_of(Membership.account_id), self._random.choice(list(MemberRole))
        )
        if self._random.random() < 0.2:
            broken = update(Membership).where(Membership.account_id == self._one_of(Membership.account_id))
            self._by_hand(broken.values(role="overlord"))

    def _remove(self) -> None:
        members.remove(self._scene.cli, self._slug(), self._one_of(Membership.account_id))

    def _operator(self) -> None:
        accounts.change_operator(
            self._scene.cli, self._one_of(Account.id), operator=self._random.choice([True, False])
        )

    def _app(self) -> None:
        self._made += 1
        facts = {"name": "x", "name_key": str(self._made), "sealed_secret": b"", "added_at": self._scene.clock()}
        self._by_hand(insert(Authenticator).values(account_id=self._one_of(Account.id), **facts))

    def _no_app(self) -> None:
        self._by_hand(delete(Authenticator).where(Authenticator.id == self._one_of(Authenticator.id)))

    def _rename(self) -> None:
        name = self._random.choice(NAMES)
        which = update(Account).where(Account.id == self._one_of(Account.id))
        self._by_hand(which.values(name=name, name_key=key_of(name)))

    def _suspend(self) -> None:
        self._random.choice([accounts.suspend, accounts.restore])(self._scene.cli, self._one_of(Account.id))

    def _request(self) -> None:
        facts = {"portal_id": self._one_of(Portal.id), "email": "a@example.org", "name": "A"}
        state = self._random.choice(["open", "open", "unconfirmed", "declined"])
        self._by_hand(insert(AccessRequest).values(**facts, state=state, made_at=self._scene.clock()))

    def _decide(self) -> None:
        which = AccessRequest.id == self._one_of(AccessRequest.id)
        self._by_hand(
            delete(AccessRequest).where(which)
            if self._random.random() < 0.3
            else update(AccessRequest).where(which).values(state=self._random.choice(["open", "declined", "decoy"]))
        )

    def _portal(self) -> None:
        self._made += 1
        if self._random.random() < 0.2:
            portals.delete(self._scene.cli, self._slug())
        else:
            portals.create(self._scene.cli, "Portal", f"portal-{self._made}")

    def _delete(self) -> None:
        if self._random.random() < 0.5:
            return
        self._by_hand(delete(Account).where(Account.id == self._one_of(Account.id)))


@pytest.mark.parametrize("seed", range(3))
def test_lists_and_counts_say_what_a_plain_count_says_after_whatever_happens(scene: Scene, seed: int) -> None:
    with scene.app.app_context():
        chance = Chance(scene, seed)
        for number in range(120):
            chance.act()
            if number % 10 == 9:
                assert kept() == plain(), number
        assert len(kept()[0]) > 10


def test_the_demo_is_counted_like_anything_else(app: Flask, make_app: Callable[..., Flask]) -> None:
    with app.app_context():
        assert kept() == plain() == (set(), {})
        assert isinstance(demo.fill(_at_the_terminal()), demo.Demo)
        assert kept() == plain()
        assert kept()[1][1, MEMBERS] == (8, 0)
        assert kept()[1][1, OPEN_REQUESTS] == (1, 0)


def _at_the_terminal() -> Any:
    from mfaportal.domain import caller  # noqa: PLC0415

    return caller.the_portal_itself()


def test_the_migration_makes_of_old_rows_what_the_triggers_make_of_new_ones(scene: Scene) -> None:
    """Down and up again: everything is made from what there is."""
    from flask_migrate import downgrade, upgrade  # noqa: PLC0415

    from mfaportal.plumbing import migrations  # noqa: PLC0415

    with scene.app.app_context():
        chance = Chance(scene, 7)
        for _ in range(80):
            chance.act()
        before, days = kept(), _days()
        migrations.register(scene.app)
        downgrade(directory=str(migrations.FOLDER), revision="0004")
        upgrade(directory=str(migrations.FOLDER))
        assert kept() == before == plain()
        assert [(day, first) for day, first, _before in _days()] == [(day, first) for day, first, _before in days]
        assert _found("lovelace") == _looked_for("lovelace")
        chance.act()
        assert kept() == plain()


def test_the_triggers_are_all_there_at_the_newest_revision(app: Flask) -> None:
    """A migration that rebuilds a table takes its triggers away: then it has to make them again."""
    known = {trigger.name for trigger in kept_rows.ALL}
    with app.app_context(), reading() as session:
        if db.engine.dialect.name == "sqlite":
            known |= {trigger.name for trigger in search_index.TRIGGERS}
            there = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
        else:
            there = session.scalars(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")).all()
    assert known <= set(there)


@pytest.mark.sqlite_only(reason="PostgreSQL counts by itself")
def test_sqlite_is_told_of_every_index_of_the_tables_that_grow(app: Flask) -> None:
    with app.app_context(), reading() as session:
        sql = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        indexes = {tuple(row) for row in session.execute(text(sql))}
        told = {tuple(row) for row in session.execute(text("SELECT tbl, idx FROM sqlite_stat1"))}
    assert {index for index in indexes if index[0] in expected_sizes.SIZES} <= told


def _days() -> list[tuple[int, int, int]]:
    with reading() as session:
        return [tuple(row) for row in session.execute(select(*EventDay.__table__.columns).order_by(EventDay.day))]


def test_the_events_of_a_day_lie_between_its_numbers_whatever_the_clock_did(scene: Scene) -> None:
    chance = random.Random(1)
    with scene.app.app_context():
        with transaction() as session:
            for days in (0, 0, 1, 1, 400, 2, -3, 2, 0, -20_000, 3):
                at = scene.clock() + timedelta(days=days, seconds=chance.randrange(80_000))
                facts = {"kind": "login:ended", "at": at, "source": "web", "browser": "", "details": {}}
                session.execute(insert(Event).values(**facts))
        bounds = {day: (first, before) for day, first, before in _days()}
        with reading() as session:
            for number, at in session.execute(select(Event.id, Event.at)):
                first, before = bounds[to_microseconds(at) // DAY]
                assert first <= number < before


def _looked_for(typed: str) -> set[int]:
    """By looking at everybody."""
    wanted = SearchText.of(typed)
    with reading() as session:
        fits = select(Account.id).where(wanted.fits(Account.name_key, Account.email))
        return set(session.scalars(fits))


def _found(typed: str) -> set[int]:
    """Through the index."""
    with reading() as session:
        maybe = among(session, SearchText.of(typed), 1000)
        assert maybe is not None
        return set(session.scalars(select(Account.id).where(maybe(Account.id))))


TYPED = (
    "ada", "A", "ad", "lov", "l", "lo", "da lov", "zoë", "z", "å", "ång", "李", "李明", "李明 ", "明",
    "li wei", "wei",
    '"', '"b"', "b", "'br", "o'brien-ñandú", "strasse", "straße 9", "9", "person1", "n1@ex", "@", "example.org", "x",
    "%", "_", "a*", "NEAR(a b)", "a OR b", "-", "\x02", "nobody at all", "ñan", "name:ada",
)  # fmt: skip


def test_the_index_finds_everybody_who_fits(scene: Scene) -> None:
    """And perhaps more, who are held against the text itself; but nearly all of what it finds fits."""
    with scene.app.app_context():
        for number in range(40):
            name = NAMES[number % len(NAMES)]
            newcomer = Newcomer(f"person{number}@example.org", name, None, False, None, MemberRole.READER)
            assert isinstance(accounts.create(scene.cli, newcomer), Created)
        found_in_all, fitting_in_all = 0, 0
        for typed in TYPED:
            fitting, found = _looked_for(typed), _found(typed)
            assert fitting <= found, typed
            found_in_all, fitting_in_all = found_in_all + len(found), fitting_in_all + len(fitting)
        assert fitting_in_all > 100
        assert found_in_all <= fitting_in_all * 1.1


@pytest.mark.sqlite_only(reason="PostgreSQL's index lets go by itself")
def test_upkeep_rids_the_search_of_who_is_gone(scene: Scene) -> None:
    parts = [b"\x82\xb8\xe3\x83", "ズヴ".encode()[1:]]
    with scene.app.app_context():
        made = [
            accounts.create(
                scene.cli, Newcomer(f"{number}@example.org", "ガギズヴ", None, False, None, MemberRole.READER)
            )
            for number in range(3)
        ]
        assert search_sweeping.sweep(scene.cli) == 0
        assert any(part in _index() for part in parts)
        with transaction() as session:
            session.execute(delete(Account).where(Account.id.in_([each.account_id for each in made])))  # type: ignore[union-attr]
        assert any(part in _index() for part in parts), "this is what it is good for"
        assert search_sweeping.sweep(scene.cli) == 1
        assert not any(part in _index() for part in parts)
        assert search_sweeping.sweep(scene.cli) == 0
        with reading() as session:
            assert session.get(Setting, SEARCH_TO_SWEEP) is None
        assert _found("reader@") == _looked_for("reader@") != set()


def _index() -> bytes:
    with reading() as session:
        return b"".join(session.scalars(text("SELECT block FROM account_search_data")))
