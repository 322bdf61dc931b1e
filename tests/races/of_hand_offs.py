"""Races about ways into guarded hosts."""

from sqlalchemy import select

from mfaportal.models import EventKind, GuardedAddress, LoginPass, Portal
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.tokens import digest, new_token
from mfaportal.rules.cookie_names import on_guarded_host
from tests.people import PORTAL
from tests.races.arena import PARALLEL, Arena
from tests.races.volley import Request

HOST = "data.example.org"


def one_hand_off(arena: Arena) -> str | None:
    """One token, brought twenty times at once by the browser that it was made for."""
    person = arena.person(apps=1)
    (browser,) = arena.logins(person, 1)
    token, mark = new_token(), new_token()
    with transaction() as session:
        if session.scalars(select(GuardedAddress.id)).first() is None:
            portal_id = session.scalars(select(Portal.id).where(Portal.slug == PORTAL)).one()
            session.add(GuardedAddress(portal_id=portal_id, scheme="https", host=HOST, prefix=""))
        session.add(
            LoginPass(
                login_id=browser.login_id,
                host=HOST,
                hand_off_digest=digest(token),
                browser_digest=digest(mark),
                made_at=arena.now(),
            )
        )
    cookie = f"{on_guarded_host('asked', 'https', HOST)}={mark}"
    path = f"/.mfaportal/enter?token={token}&next=/"
    answers = arena.fire([Request("GET", path, cookie, browser.address, host=HOST)] * PARALLEL)
    statuses = sorted(answer.status for answer in answers)
    if statuses != [303] + [410] * (PARALLEL - 1):
        return f"answers {statuses}"
    entered = arena.events(EventKind.GUARDED_HOST_ENTERED, person)
    return None if entered == 1 else f"{entered} events"
