"""Races for what must stay: the last app of somebody whom a rule covers, the last operator; and for what must end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Table, delete, func, insert, select, update

from mfaportal.models import Account, EventKind, Login, Membership, Portal, Setting
from mfaportal.models.setting import WELCOMED
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.runtime import runtime
from tests.people import PORTAL, Person
from tests.races.arena import PARALLEL, UNCOVERED, Arena
from tests.races.volley import Request

HALF = PARALLEL // 2
ACCOUNT = "/account"


def last_app(arena: Arena) -> str | None:
    """Somebody covered has two apps and deletes both, in twenty browsers at once: one app stays."""
    person = arena.person(apps=2)
    first, second = arena.apps(person)
    browsers = arena.logins(person)
    answers = arena.fire(
        browser.post(f"/account/security/methods/{(first, second)[number % 2].id}/delete")
        for number, browser in enumerate(browsers)
    )
    left = len(arena.apps(person))
    done = sum(answer.status == 303 for answer in answers)
    deleted = arena.events(EventKind.AUTHENTICATOR_DELETED, person)
    return None if (left, done, deleted) == (1, 1, 1) else f"{left} apps are left, {done} were told of a deletion"


def first_operator(arena: Arena) -> str | None:
    """Twenty browsers hold the token of the first start and send the welcome form; accounts of before are removed."""
    with transaction() as session:
        session.execute(delete(Setting).where(Setting.name == WELCOMED))
        session.execute(delete(Account))
    arena.server.reload()  # a worker that has seen an account knows that there is one, for good
    token = runtime().keys.welcome_token
    fields = {"token": token, "name": "First", "password": "marmalade lantern orbit", "portal": "City data"}
    answers = arena.fire(
        browser.post("/welcome", email=f"first{number}@example.org", **fields)
        for number, browser in enumerate(arena.browsers())
    )
    made = arena.rows(select(func.count()).select_from(Account))[0]
    statuses = sorted(answer.status for answer in answers)
    return None if (made, statuses) == (1, [303] + [404] * 19) else f"{made} accounts were made, answers {statuses}"


def _page_of(person: Person, action: str) -> str:
    return f"/portals/{PORTAL}/backoffice/access/users/{person.id}/{action}"


def operators_demote_each_other(arena: Arena) -> str | None:
    one, other = _the_only_two(arena)
    return _one_stays(
        arena,
        _all_of(arena, one, _page_of(other, "operator"), operator="no"),
        _all_of(arena, other, _page_of(one, "operator"), operator="no"),
    )


def operators_suspend_each_other(arena: Arena) -> str | None:
    one, other = _the_only_two(arena)
    return _one_stays(
        arena,
        _all_of(arena, one, _page_of(other, "suspend"), reason="Left"),
        _all_of(arena, other, _page_of(one, "suspend"), reason="Left"),
    )


def operators_step_down(arena: Arena) -> str | None:
    """Both give up their own rights, at the same time: nobody takes them from anybody."""
    one, other = _the_only_two(arena)
    return _one_stays(
        arena,
        _all_of(arena, one, _page_of(one, "operator"), operator="no"),
        _all_of(arena, other, _page_of(other, "operator"), operator="no"),
    )


def _the_only_two(arena: Arena) -> tuple[Person, Person]:
    with transaction() as session:
        session.execute(update(Account).where(Account.is_operator).values(is_operator=False))
    one, other = (arena.person(None, operator=True, apps=1) for _ in range(2))
    return one, other


def _all_of(arena: Arena, person: Person, path: str, **fields: str) -> list[Request]:
    return [browser.post(path, **fields) for browser in arena.logins(person, HALF)]


def _one_stays(arena: Arena, these: list[Request], those: list[Request]) -> str | None:
    arena.fire(request for pair in zip(these, those, strict=True) for request in pair)
    operators = arena.rows(
        select(func.count()).select_from(Account).where(Account.is_operator, Account.suspended_at.is_(None))
    )[0]
    return None if operators == 1 else f"{operators} operators are left"


def the_last_two_portals(arena: Arena) -> str | None:
    """Two operators delete the last two portals at the same time, each one of them: one portal stays."""
    one, other = (arena.person(None, operator=True, apps=1) for _ in range(2))
    with _only_these(PORTAL, UNCOVERED):
        answers = arena.fire(
            request
            for pair in zip(
                _all_of(arena, one, f"/installation/portals/{PORTAL}/delete"),
                _all_of(arena, other, f"/installation/portals/{UNCOVERED}/delete"),
                strict=True,
            )
            for request in pair
        )
        left = arena.rows(select(func.count()).select_from(Portal))[0]
    done = sum(answer.status == 303 for answer in answers)
    strange = {answer.status for answer in answers} - {303, 404, 409}
    return None if (left, done, strange) == (1, 1, set()) else f"{left} portals are left, {done} were deleted"


@contextmanager
def _only_these(*slugs: str) -> Iterator[None]:
    """No other portals meanwhile; afterwards all are there again as they were, with their members."""
    tables = [cast(Table, model.__table__) for model in (Portal, Membership)]
    with transaction() as session:
        kept = [(table, session.execute(table.select()).mappings().all()) for table in tables]
        session.execute(delete(Portal).where(Portal.slug.not_in(slugs)))
    yield
    with transaction() as session:
        session.execute(delete(Portal))
        for table, rows in kept:
            if rows:
                session.execute(insert(table), [dict(row) for row in rows])


def log_out_and_pages(arena: Arena) -> str | None:
    """One browser logs out in ten tabs while ten others load a page: afterwards no cookie of any answer opens it."""
    person = arena.person(apps=1)
    browser = arena.logins(person, 1)[0]
    requests = [request for _ in range(HALF) for request in (browser.get(ACCOUNT), browser.post("/log-out"))]
    answers = arena.fire(requests)
    cookies = {browser.cookie} | {cookie.partition(";")[0] for answer in answers for cookie in answer.cookies}
    later = arena.fire(Request("GET", ACCOUNT, cookie, browser.address) for cookie in cookies)
    inside = sum(answer.status != 303 or not answer.location.startswith("/log-in") for answer in later)
    ended = arena.rows(select(func.count()).where(Login.id == browser.login_id, Login.ended_at.is_not(None)))[0]
    told = arena.events(EventKind.LOGIN_ENDED, person)
    return None if (inside, ended, told) == (0, 1, 1) else f"{inside} cookies still open, {told} events"
