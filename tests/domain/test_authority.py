"""Each operation asks for the caller's right itself, in its own transaction: the gate's answer may be out of date."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from mfaportal.domain import authority, logins, password_changes, set_up, verifier
from mfaportal.domain.authority import NotAllowed
from mfaportal.domain.caller import Caller, Source
from mfaportal.domain.outcomes import LoggedIn, SetUpDone
from mfaportal.models import Account, Authenticator, Login, Membership, Portal
from mfaportal.plumbing.db import db, reading, transaction
from mfaportal.rules.access import Destination, SendTo
from mfaportal.rules.lifetimes import LoginLimits
from tests.clock import MovableClock
from tests.operations import OPERATIONS, Operation, World
from tests.people import Cast, Person, add_person, apps_of, give_app
from tests.source import operations

LIMITS = LoginLimits(timedelta(hours=12), timedelta(hours=24))
WITHOUT_A_RIGHT = {
    "accepting.accept_as_new",  # the link is the right
    "confirming.confirm",  # this one, too
    "access_requests.ask_as_stranger",  # anybody may ask; an admin decides
    "accounts.welcome",  # the first start: there is nobody yet, and the page asks for the terminal's token
    "attempts.count_malformed",  # costs the caller an attempt and gives nothing
    "key_canary.settle",  # the start's own note of which keys the database was used with
    "demo.fill",  # of an empty installation, where there is nobody yet
    "email_changes.confirm",  # the link is the right
    "hand_offs.take",  # so is the token, in the browser and on the host that it was made for
    "logins.log_in",  # this is where rights come from
    "logins.log_out",  # whoever holds the token may end its login
    "clock_watch.watch",  # notes the time, and gives nothing
    "proxy_watch.note",  # notes a proxy, and gives nothing
    "signing_watch.note",  # notes a key's fingerprint, and gives nothing
    "sealing_events.prune_oldest",  # upkeep, which has no right but its own
    "sealing_events.seal_next",
    "search_sweeping.sweep",  # upkeep, too
    "outbox.claim",  # the sender, which finds what an operation has left to it
    "outbox.failed",
    "outbox.give_up_dead",
    "outbox.release",
    "outbox.sent",
    "password_resets.answer",  # what the sender does about somebody who asked for a link
    "logins.touch",  # the gate's own note of when a login was used
    "one_time_links.take",  # the link is the right
    "password_resets.ask",  # anybody may ask; what comes of it goes to the address alone
}
"""Operations that need no right, each with the reason."""


WITHOUT_GRACE = {
    "email_changes.ask",  # sent from a page that asks for no step-up when it is opened
    "set_up.begin",  # a key is offered when a form is opened
}


@pytest.fixture
def world(app: Flask, people: Cast, clock: MovableClock) -> World:
    with app.app_context():
        somebody = add_person(clock, "somebody@example.org", "Somebody", "reader")
        suspended = add_person(clock, "suspended@example.org", "Suspended", "reader")
        for person in (people.reader, somebody):
            give_app(person, clock, codes=True)
        with transaction() as session:
            session.execute(update(Account).where(Account.id == suspended.id).values(suspended_at=clock()))
            session.add(Portal(slug="other", name="Other", created_at=clock()))
    return World(people, clock, somebody, suspended)


def _caller(world: World, operation: Operation) -> Caller:
    """A browser of theirs with a live login, as the gate has just let it through."""
    person: Person = getattr(world.people, operation.who)
    now = world.clock()
    with transaction() as session:
        login = Login(
            token_digest=person.email.encode().ljust(32)[:32],
            account_id=person.id,
            password_at=now,
            second_factor_at=None if operation.half else now,
            confirmed_at=None if operation.half else now,
            last_seen_at=now,
        )
        session.add(login)
        session.flush()
        caller = Caller(now, Source.WEB, LIMITS, person.id, login.id, "192.0.2.7", "A browser")
    operation.before(caller, world)
    return caller


def _everything() -> dict[str, list[Any]]:
    """Every row of every table."""
    with reading() as session:
        return {
            name: [tuple(row) for row in session.execute(table.select().order_by(*table.primary_key))]
            for name, table in db.metadata.tables.items()
        }


def _end_login(session: Session, caller: Caller) -> None:
    session.execute(update(Login).where(Login.id == caller.login_id).values(ended_at=caller.now))


def _suspend(session: Session, caller: Caller) -> None:
    session.execute(update(Account).where(Account.id == caller.account_id).values(suspended_at=caller.now))


def _delete_login(session: Session, caller: Caller) -> None:
    session.execute(delete(Login).where(Login.id == caller.login_id))


def _take_role(session: Session, caller: Caller) -> None:
    session.execute(update(Account).where(Account.id == caller.account_id).values(is_operator=False))
    session.execute(update(Membership).where(Membership.account_id == caller.account_id).values(role="editor"))


def _take_membership(session: Session, caller: Caller) -> None:
    _take_role(session, caller)
    session.execute(delete(Membership).where(Membership.account_id == caller.account_id))


def _make_admin_elsewhere(session: Session, caller: Caller) -> None:
    _take_membership(session, caller)
    other = session.query(Portal).filter_by(slug="other").one()
    session.add(Membership(account_id=caller.account_id, portal_id=other.id, role="admin", since=caller.now))


NO_LOGIN = {"ended": _end_login, "suspended": _suspend, "gone": _delete_login}
NO_ROLE = {"lowered": _take_role, "removed": _take_membership, "moved": _make_admin_elsewhere}
LOSSES = [(name, loss) for name in OPERATIONS for loss in NO_LOGIN] + [
    (name, loss)
    for name, operation in OPERATIONS.items()
    if operation.who in ("admin", "operator")
    for loss in NO_ROLE
]


def test_every_operation_asks_for_a_right_or_is_listed_as_needing_none() -> None:
    public = {name for name in operations() if not name.partition(".")[2].startswith("_")}
    assert public == set(OPERATIONS) | WITHOUT_A_RIGHT


@pytest.mark.parametrize("name", OPERATIONS)
def test_with_the_right_it_is_done(app: Flask, world: World, name: str) -> None:
    operation = OPERATIONS[name]
    with app.app_context():
        caller = _caller(world, operation)
        before = _everything()
        operation.run(caller, world)
        assert _everything() != before


@pytest.mark.parametrize(("name", "loss"), LOSSES)
def test_without_the_right_it_is_refused_and_nothing_is_written(
    app: Flask, world: World, name: str, loss: str
) -> None:
    operation = OPERATIONS[name]
    with app.app_context():
        caller = _caller(world, operation)
        with transaction() as session:
            {**NO_LOGIN, **NO_ROLE}[loss](session, caller)
        before = _everything()
        with pytest.raises(NotAllowed):
            operation.run(caller, world)
        assert _everything() == before


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_step_up_is_asked_for_by_the_operation_itself(app: Flask, world: World, name: str) -> None:
    operation = OPERATIONS[name]
    minutes = 10 if name in WITHOUT_GRACE else 20
    with app.app_context():
        caller = _caller(world, operation)
        world.clock.advance(minutes=minutes, seconds=1)
        before = _everything()
        late = replace(caller, now=world.clock())
        if operation.step_up:
            with pytest.raises(NotAllowed) as refusal:
                operation.run(late, world)
            assert refusal.value.decision == SendTo(Destination.CONFIRM)
            assert _everything() == before
            world.clock.advance(seconds=-1)
            late = replace(caller, now=world.clock())
        elif operation.half:
            return
        operation.run(late, world)
        assert _everything() != before


def test_the_command_line_needs_no_login(app: Flask, world: World) -> None:
    with app.app_context():
        caller = Caller(world.clock(), Source.COMMAND_LINE, LIMITS)
        with transaction() as session:
            assert authority.require(session, caller) is None


def _while_judging(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, happens: Callable[[], None]) -> None:
    """Let something happen at the very moment when a code or a password is judged, between two transactions."""
    judge = getattr(module, name)

    def judged(*arguments: Any) -> Any:
        result = judge(*arguments)
        happens()
        return result

    monkeypatch.setattr(module, name, judged)


@pytest.mark.parametrize(
    ("name", "module", "judging"),
    [
        ("logins.enter_code", verifier, "judge"),
        ("logins.confirm_by_code", verifier, "judge"),
        ("logins.confirm_by_password", logins, "verify_password"),
        ("set_up.finish", set_up, "check"),
        ("password_changes.change", password_changes, "verify_password"),
    ],
)
@pytest.mark.parametrize("loss", NO_LOGIN)
def test_a_right_that_goes_while_a_code_is_judged_is_missed_afterwards(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch, name: str, module: Any, judging: str, loss: str
) -> None:
    operation = OPERATIONS[name]
    with app.app_context():
        caller = _caller(world, operation)
        kept: dict[str, list[Any]] = {}

        def lose() -> None:
            with transaction() as session:
                NO_LOGIN[loss](session, caller)
            kept.update(_everything())

        _while_judging(monkeypatch, module, judging, lose)
        with pytest.raises(NotAllowed):
            operation.run(caller, world)
        assert kept
        assert _everything() == kept


def test_a_code_is_not_taken_twice_by_what_happens_while_it_is_judged(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = OPERATIONS["logins.enter_code"]
    with app.app_context():
        caller = _caller(world, operation)

        def use_it_elsewhere() -> None:
            with transaction() as session:
                session.execute(update(Authenticator).values(last_step=10**9))

        _while_judging(monkeypatch, verifier, "judge", use_it_elsewhere)
        assert not isinstance(operation.run(caller, world), LoggedIn)


def test_a_key_that_was_used_in_another_tab_meanwhile_adds_no_app(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = OPERATIONS["set_up.finish"]
    with app.app_context():
        caller = _caller(world, operation)

        def use_it_elsewhere() -> None:
            with transaction() as session:
                session.execute(update(Login).values(pending_secret=None))

        _while_judging(monkeypatch, set_up, "check", use_it_elsewhere)
        assert not isinstance(operation.run(caller, world), SetUpDone)
        assert len(apps_of(world.people.reader)) == 1
