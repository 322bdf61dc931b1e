"""Races around getting in and out: one invitation in many browsers, and the last admins of a portal leaving."""

from collections import Counter

from sqlalchemy import func, insert, select

from mfaportal.domain import invitations, portals
from mfaportal.models import Account, EventKind, Invitation, Membership, Portal
from mfaportal.plumbing.db import transaction
from mfaportal.rules.roles import MemberRole
from mfaportal.web.login_session import INVITATION
from tests.people import Person, on_the_command_line
from tests.races.arena import PARALLEL, Arena
from tests.races.volley import Request

HALF = PARALLEL // 2


def one_invitation_of_a_new_person(arena: Arena) -> str | None:
    """One link, opened in twenty browsers, each of which chooses a name: one account, one membership."""
    email = f"invited{arena.now().timestamp()}@example.org"
    _slug, token = _invite(arena, email)
    answers = arena.fire(
        browser.post("/invitation", name=f"Name {number}", password="marmalade lantern orbit")
        for number, browser in enumerate(arena.browsers(content={INVITATION: token}))
    )
    statuses = Counter(answer.status for answer in answers)
    ids = arena.rows(select(Account.id).where(Account.email == email))
    places = arena.rows(select(func.count()).select_from(Membership).where(Membership.account_id.in_(ids)))[0]
    used = arena.rows(select(Invitation.used_at).where(Invitation.email == email))
    told = sum(arena.events(EventKind.INVITATION_ACCEPTED, Person(each, email, "")) for each in ids)
    if (len(ids), places, told, used.count(None)) == (1, 1, 1, 0) and statuses[303] == 1:
        return None
    return f"{len(ids)} accounts, {places} memberships, {told} events, answers {dict(statuses)}"


def one_invitation_of_an_account(arena: Arena) -> str | None:
    """The same link, accepted in twenty browsers of its one account: one membership, and one browser is told so."""
    person = arena.person(None, apps=1)
    slug, token = _invite(arena, person.email)
    browsers = arena.logins(person, content={INVITATION: token})
    answers = arena.fire(browser.post("/invitation") for browser in browsers)
    joined = sum(answer.location == f"/portals/{slug}/" for answer in answers)
    places = arena.rows(select(func.count()).select_from(Membership).where(Membership.account_id == person.id))[0]
    told = arena.events(EventKind.INVITATION_ACCEPTED, person)
    return None if (joined, places, told) == (1, 1, 1) else f"{joined} joined, {places} memberships, {told} events"


def _invite(arena: Arena, email: str) -> tuple[str, str]:
    """Into a portal of its own; its slug, and the link's token."""
    slug = _portal(arena)
    made = invitations.invite(on_the_command_line(arena.clock()), slug, [email], MemberRole.READER)
    assert isinstance(made, list)
    assert made[0].token is not None
    return slug, made[0].token


def _portal(arena: Arena) -> str:
    slug = f"portal-{arena.now().timestamp():.6f}".replace(".", "-")
    portals.create(on_the_command_line(arena.clock()), "Portal", slug)
    return slug


def admins_leave(arena: Arena) -> str | None:
    """The only two admins of a portal leave it at the same time: one of them stays."""
    slug, one, other = _two_admins(arena)
    leave = f"/account/portals/{slug}/leave"
    return _one_stays(arena, slug, _all_of(arena, one, leave), _all_of(arena, other, leave))


def admin_leaves_and_is_left(arena: Arena) -> str | None:
    """One of the only two admins leaves while she takes the other's role away: one of them stays."""
    slug, one, other = _two_admins(arena)
    demote = f"/portals/{slug}/backoffice/access/users/{one.id}/role"
    leave = f"/account/portals/{slug}/leave"
    return _one_stays(arena, slug, _all_of(arena, one, leave), _all_of(arena, other, leave, demote, role="reader"))


def admins_delete_their_accounts(arena: Arena) -> str | None:
    slug, one, other = _two_admins(arena)
    return _one_stays(arena, slug, _all_of(arena, one, "/account/delete"), _all_of(arena, other, "/account/delete"))


def _two_admins(arena: Arena) -> tuple[str, Person, Person]:
    """A portal of their own."""
    one, other = arena.person(None, apps=1), arena.person(None, apps=1)
    slug = _portal(arena)
    with transaction() as session:
        portal_id = session.scalars(select(Portal.id).where(Portal.slug == slug)).one()
        for person in (one, other):
            values = {"account_id": person.id, "portal_id": portal_id, "role": "admin", "since": arena.now()}
            session.execute(insert(Membership).values(**values))
    return slug, one, other


def _all_of(arena: Arena, person: Person, *paths: str, **fields: str) -> list[Request]:
    browsers = arena.logins(person, HALF)
    return [browser.post(paths[number % len(paths)], **fields) for number, browser in enumerate(browsers)]


def _one_stays(arena: Arena, slug: str, these: list[Request], those: list[Request]) -> str | None:
    arena.fire(request for pair in zip(these, those, strict=True) for request in pair)
    admins = arena.rows(
        select(func.count())
        .select_from(Membership)
        .join(Portal, Portal.id == Membership.portal_id)
        .where(Portal.slug == slug, Membership.role == MemberRole.ADMIN)
    )[0]
    return None if admins == 1 else f"{admins} admins are left"
