"""Races for access requests: one is decided once, and one account asks once at a time."""

from sqlalchemy import delete, func, select, update

from mfaportal.models import AccessRequest, Account, Event, EventKind, Membership, Portal, RequestState, SignUp
from mfaportal.plumbing.db import transaction
from tests.people import DIGEST, PORTAL, Person
from tests.races.arena import PARALLEL, UNCOVERED, Arena

HALF = PARALLEL // 2
QUEUE = f"/portals/{PORTAL}/backoffice/access/requests"
ASK = f"/portals/{UNCOVERED}/request-access"


def _ask(arena: Arena) -> tuple[int, str]:
    """A stranger's open request; its number and its address."""
    with transaction() as session:
        portal_id = session.scalars(select(Portal.id).where(Portal.slug == PORTAL)).one()
        session.execute(update(Portal).values(sign_up=SignUp.APPROVAL))
        request = AccessRequest(portal_id=portal_id, name="New", password_digest=DIGEST, made_at=arena.now())
        session.add(request)
        session.flush()
        request.email = f"asks{request.id}@example.org"
        return request.id, request.email


def _made(arena: Arena, email: str) -> tuple[int, int]:
    """How many accounts and memberships came of an address."""
    accounts = arena.rows(select(Account.id).where(Account.email == email))
    members = arena.rows(select(Membership.account_id).where(Membership.account_id.in_(accounts)))
    return len(accounts), len(members)


def _told(arena: Arena, request_id: int, *kinds: EventKind) -> int:
    """How many events tell of this request."""
    events = arena.rows(select(Event.details).where(Event.kind.in_(kinds)))
    return sum(details["request"] == request_id for details in events)


def accepted_by_many(arena: Arena) -> str | None:
    """Twenty browsers accept the same stranger: one account, one membership, one event, one told so."""
    request_id, email = _ask(arena)
    browsers = arena.logins(arena.person("admin", apps=1))
    answers = arena.fire(
        browser.post(QUEUE, requests=str(request_id), decision="accept", role="reader") for browser in browsers
    )
    statuses = sorted(answer.status for answer in answers)
    made, told = _made(arena, email), _told(arena, request_id, EventKind.REQUEST_ACCEPTED)
    wanted = ((1, 1), 1, [303] + [422] * (PARALLEL - 1))
    return None if (made, told, statuses) == wanted else f"{made} accounts and members, {told} events, {statuses}"


def accepted_and_declined(arena: Arena) -> str | None:
    """Ten browsers accept, ten decline: one of them wins, and what came of it fits."""
    request_id, email = _ask(arena)
    browsers = arena.logins(arena.person("admin", apps=1))
    answers = arena.fire(
        browser.post(QUEUE, requests=str(request_id), decision=("accept", "decline")[number % 2])
        for number, browser in enumerate(browsers)
    )
    (state,) = arena.rows(select(AccessRequest.state).where(AccessRequest.id == request_id))
    won = sum(answer.status == 303 for answer in answers)
    made = _made(arena, email)
    told = _told(arena, request_id, EventKind.REQUEST_ACCEPTED, EventKind.REQUEST_DECLINED)
    fits = made == ((1, 1) if state == RequestState.ACCEPTED else (0, 0))
    return None if (won, told, fits) == (1, 1, True) else f"{won} won, {told} events, {state} and {made} made"


def one_account_asks(arena: Arena) -> str | None:
    """Somebody asks in twenty tabs at once: one request is open."""
    person: Person = arena.person("reader", apps=1)
    with transaction() as session:
        session.execute(update(Portal).values(sign_up=SignUp.APPROVAL))
        session.execute(delete(Membership).where(Membership.account_id == person.id))
    answers = arena.fire(browser.post(ASK, message="Please") for browser in arena.logins(person))
    statuses = {answer.status for answer in answers}
    rows = arena.rows(select(func.count()).where(AccessRequest.account_id == person.id))[0]
    told = arena.events(EventKind.REQUEST_MADE, person)
    return None if (rows, told, statuses) == (1, 1, {303}) else f"{rows} rows, {told} events, {statuses}"
