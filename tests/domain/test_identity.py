"""Identity is read by one statement; what it says of anybody is what the pure rules say of the same facts."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mfaportal.models import Account, Authenticator, Login, Membership, Portal
from mfaportal.models import identity as identities
from mfaportal.models.account import new_account
from mfaportal.models.identity import ONLY_PORTAL, Identity
from mfaportal.plumbing.db import transaction
from mfaportal.rules.lifetimes import LoginLimits
from mfaportal.rules.mfa_rule import RuleInForce
from mfaportal.rules.roles import Role, role_in_portal
from mfaportal.rules.stages import LoginFacts, Stage, requires, stage_of
from tests.clock import MovableClock

LIMITS = LoginLimits(timedelta(hours=12), timedelta(hours=24))


@dataclass(frozen=True)
class Place:
    """A portal, and what an account is there (None: no member)."""

    slug: str
    rule: RuleInForce
    public: bool
    member: str | None


@dataclass(frozen=True)
class Somebody:
    operator: bool
    suspended: bool
    apps: int
    places: tuple[Place, ...]
    password_at: datetime
    second_factor_at: datetime | None
    last_seen_at: datetime
    ended_at: datetime | None


def _draw(dice: random.Random, now: datetime) -> Somebody:
    """Anybody at all, with instants close enough to one another to matter."""

    def instant() -> datetime:
        seconds = [0, 1, 2, 3, 599, 600, 601, 1800, 1801] * 3 + [43_200, 43_201, 86_400, 86_401]
        return now - timedelta(seconds=dice.choice(seconds))

    def rule() -> RuleInForce:
        wanted = dice.choice(["off", "off", "back_office", "everyone", "nonsense"])
        return RuleInForce(
            wanted, dice.choice([None, instant(), instant()]), dice.choice([None, instant(), instant()])
        )

    places = tuple(
        Place(f"p{number}", rule(), dice.random() < 0.4, dice.choice([None, "reader", "editor", "admin", "owner"]))
        for number in range(dice.choice([1, 2, 2, 3]))
    )
    password_at = instant()
    return Somebody(
        operator=dice.random() < 0.25,
        suspended=dice.random() < 0.1,
        apps=dice.choice([0, 0, 1, 2]),
        places=places,
        password_at=password_at,
        second_factor_at=dice.choice([None, None, max(password_at, instant())]),
        last_seen_at=max(password_at, instant()),
        ended_at=dice.choice([None, None, None, None, None, now]),
    )


def _required_since(somebody: Somebody) -> datetime | None:
    """By the pure rules alone: of the portals one is a member of; an operator of all, as one with a back office."""
    instants = []
    for place in somebody.places:
        if somebody.operator:
            instants.append(place.rule.covered_since(Role.OPERATOR))
        if place.member is not None:
            member = role_in_portal(operator=False, member=place.member, public=place.public)
            instants.append(place.rule.covered_since(member))
    return min((since for since in instants if since is not None), default=None)


def _stage(somebody: Somebody, now: datetime) -> Stage:
    facts = LoginFacts(
        password_at=somebody.password_at,
        second_factor_at=somebody.second_factor_at,
        last_seen_at=somebody.last_seen_at,
        ended_at=somebody.ended_at,
        suspended_at=now if somebody.suspended else None,
        has_authenticator=somebody.apps > 0,
        required_since=_required_since(somebody),
    )
    return stage_of(facts, now, LIMITS)


def _store(session: Session, somebody: Somebody, now: datetime, *, token: bytes) -> int:
    """Put them into an empty database, with a bystander whose facts must not count; the number of their login."""
    for table in (Login, Authenticator, Membership, Account, Portal):
        session.execute(delete(table))
    for place in somebody.places:
        portal = Portal(slug=place.slug, name=place.slug, visibility="public" if place.public else "private")
        portal.rule, portal.created_at = place.rule, now
        session.add(portal)
    session.flush()
    portals = {portal.slug: portal.id for portal in session.scalars(select(Portal))}
    bystander, account = (
        new_account(email=email, name=email, password_digest=None, operator=False, now=now)
        for email in ("b@x", "a@x")
    )
    account.is_operator, account.suspended_at = somebody.operator, now if somebody.suspended else None
    session.add_all([bystander, account])
    session.flush()
    for place in somebody.places:
        roles = {bystander.id: "admin", account.id: place.member}
        for account_id, role in roles.items():
            if role is not None:
                session.add(Membership(account_id=account_id, portal_id=portals[place.slug], role=role, since=now))
    for owner, count in ((bystander, 1), (account, somebody.apps)):
        for number in range(count):
            app = Authenticator(account_id=owner.id, sealed_secret=b"", added_at=now)
            app.rename(f"app {number}")
            session.add(app)
    login = Login(
        token_digest=token,
        account_id=account.id,
        password_at=somebody.password_at,
        second_factor_at=somebody.second_factor_at,
        last_seen_at=somebody.last_seen_at,
        ended_at=somebody.ended_at,
    )
    session.add(login)
    session.flush()
    return login.id


def _wanted_role(somebody: Somebody, stage: Stage, slug: str) -> Role:
    place = next((place for place in somebody.places if place.slug == slug), None)
    if slug == ONLY_PORTAL and len(somebody.places) == 1:
        place = somebody.places[0]
    public = place.public if place else slug == ONLY_PORTAL
    if stage is not Stage.COMPLETE:
        return role_in_portal(operator=False, member=None, public=public)
    return role_in_portal(operator=somebody.operator, member=place.member if place else None, public=public)


def _wanted_back_office(somebody: Somebody) -> str | None:
    slugs = [place.slug for place in somebody.places if somebody.operator or place.member in ("editor", "admin")]
    return slugs[0] if len(slugs) == 1 else None


@pytest.mark.parametrize("seed", range(40))
def test_what_one_statement_reads_is_what_the_rules_say_of_the_facts(
    app: Flask, clock: MovableClock, seed: int
) -> None:
    dice = random.Random(seed)
    now = clock()
    with app.app_context():
        for _ in range(8):
            somebody = _draw(dice, now)
            token = dice.randbytes(32)
            with transaction() as session:
                login_id = _store(session, somebody, now, token=token)
            for slug in [*(place.slug for place in somebody.places), ONLY_PORTAL, "not-there"]:
                by_token = identities.of_browser(token_digest=token, slug=slug, now=now, limits=LIMITS)
                with transaction() as session:
                    by_number = identities.of_login(session, login_id, slug=slug, now=now, limits=LIMITS)
                assert by_token == by_number
                _compare(by_token, somebody, slug, now)


def _compare(found: Identity, somebody: Somebody, slug: str, now: datetime) -> None:
    stage = _stage(somebody, now)
    covered = _required_since(somebody) is not None
    assert found.stage is stage, somebody
    assert found.role is _wanted_role(somebody, stage, slug), (slug, somebody)
    assert found.back_office_slug == (_wanted_back_office(somebody) if stage is Stage.COMPLETE else None), somebody
    assert found.several_portals is (len(somebody.places) > 1)
    assert (found.account is None) is (stage is Stage.ANONYMOUS)
    if found.account is not None:
        assert (found.account.covered, found.account.has_authenticator) == (covered, somebody.apps > 0)
    if stage is Stage.SET_UP:
        assert requires(_required_since(somebody), somebody.password_at, now)


EARLIER, LATER = timedelta(seconds=5), timedelta(seconds=-5)
"""Before and after the password of the login."""


def _place(slug: str, member: str | None, rule: str, since: timedelta | None, now: datetime) -> Place:
    instant = None if since is None else now - since
    return Place(slug, RuleInForce(rule, instant, instant), public=True, member=member)


@pytest.mark.parametrize(
    ("operator", "first", "second", "stage"),
    [
        # is an operator; role, rule and since when in the first portal, and in the second
        (False, ("reader", "off", None), ("reader", "off", None), Stage.COMPLETE),
        (False, ("reader", "off", None), ("reader", "everyone", EARLIER), Stage.SET_UP),
        (False, ("reader", "everyone", LATER), ("reader", "everyone", EARLIER), Stage.SET_UP),
        (False, ("reader", "everyone", LATER), ("reader", "everyone", LATER), Stage.COMPLETE),
        (False, ("reader", "back_office", EARLIER), ("editor", "back_office", LATER), Stage.COMPLETE),
        (False, ("reader", "back_office", LATER), ("editor", "back_office", EARLIER), Stage.SET_UP),
        (False, ("reader", "off", None), (None, "everyone", EARLIER), Stage.COMPLETE),
        (False, ("reader", "nonsense", LATER), ("reader", "off", None), Stage.SET_UP),
        (False, ("reader", "off", None), (None, "nonsense", None), Stage.COMPLETE),
        (True, ("reader", "off", None), (None, "back_office", EARLIER), Stage.SET_UP),
        (True, (None, "off", None), (None, "everyone", LATER), Stage.COMPLETE),
        (True, (None, "off", None), (None, "nonsense", None), Stage.SET_UP),
        (True, (None, "everyone", LATER), (None, "back_office", EARLIER), Stage.SET_UP),
    ],
)
def test_the_oldest_demand_of_any_portal_that_one_belongs_to_counts(
    app: Flask,
    clock: MovableClock,
    operator: bool,
    first: tuple[str | None, str, timedelta | None],
    second: tuple[str | None, str, timedelta | None],
    stage: Stage,
) -> None:
    now = clock()
    places = (_place("p0", *first, now), _place("p1", *second, now))
    somebody = Somebody(operator, False, 0, places, now, None, now, None)
    with app.app_context(), transaction() as session:
        login_id = _store(session, somebody, now, token=b"t" * 32)
        for slug in ("p0", "p1", ONLY_PORTAL):
            found = identities.of_login(session, login_id, slug=slug, now=now, limits=LIMITS)
            assert found.stage is stage


def test_the_dice_show_every_stage_and_every_role(clock: MovableClock) -> None:
    dice = random.Random(0)
    drawn = [_draw(dice, clock()) for _ in range(320)]
    assert {_stage(somebody, clock()) for somebody in drawn} == set(Stage)
    roles = {_wanted_role(somebody, _stage(somebody, clock()), "p0") for somebody in drawn}
    assert roles == set(Role)


def test_somebody_without_a_login_is_a_stranger(app: Flask, clock: MovableClock) -> None:
    with app.app_context():
        found = identities.of_browser(token_digest=None, slug=ONLY_PORTAL, now=clock(), limits=LIMITS)
    assert (found.stage, found.account, found.login_id, found.role) == (Stage.ANONYMOUS, None, None, Role.NONE)
