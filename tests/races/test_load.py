"""Everyday work of eight people at once, on four workers: nothing fails, nobody waits in vain for the database."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.people import PORTAL, Person
from tests.plugins.figures import Figure
from tests.races.arena import Arena
from tests.visitor import Visitor

CLIENTS = 8
REQUESTS = 400
BACK_OFFICE = f"/portals/{PORTAL}/backoffice"
PAGES = [
    "/",
    "/healthz",
    "/account/security",
    "/account/security/methods",
    BACK_OFFICE,
    f"{BACK_OFFICE}/access/users",
    f"{BACK_OFFICE}/access/users?q=person&mfa=set_up",
    f"{BACK_OFFICE}/access/security",
    f"/portals/{PORTAL}/",
]


def _a_day(arena: Arena, person: Person, app: int) -> list[int]:
    """Two log-ins with what people do after them; the second takes the code of the next step, right already."""
    visitor = Visitor(arena.server, keep_alive=True)
    for step in (0, 1):
        _log_in(visitor, arena, person, step)
        for path in PAGES:
            assert visitor.get(path).status == 200, path
        assert visitor.get("/nothing-here").status == 404
        _save_things(visitor, person, app, step)
        assert visitor.get("/account").post("/log-out").status == 303
    visitor.close()
    return visitor.statuses


def _log_in(visitor: Visitor, arena: Arena, person: Person, step: int) -> None:
    assert person.phone is not None
    assert visitor.give_password(person).location == "/log-in/code"
    assert visitor.submit("/log-in/code", code=person.phone.wrong_code(arena.now())).status == 422
    assert visitor.post("/log-in/code", code=person.phone.code(arena.now(), step)).location == "/", visitor.text


def _save_things(visitor: Visitor, person: Person, app: int, step: int) -> None:
    assert visitor.submit("/account", name=f"{person.name} {step}").status == 303
    assert visitor.submit(f"/account/security/methods/{app}/rename", name=f"Phone {step}").status == 303
    assert visitor.submit("/account/security/methods/add", code="12345", name="Second").status == 422
    assert visitor.submit("/confirm", code="12345").status == 422
    choices = {"visibility": "private", "mfa_rule": "everyone"}
    assert visitor.submit(f"{BACK_OFFICE}/access/security", **choices).status == 303, visitor.text


def test_four_hundred_mixed_requests_of_eight_people_all_succeed(arena: Arena, figure: Figure) -> None:
    with arena.app.app_context():
        people = [arena.person("admin", apps=1) for _ in range(CLIENTS)]
        apps = [arena.apps(person)[0].id for person in people]
    with ThreadPoolExecutor(CLIENTS) as pool:
        days = list(pool.map(_a_day, [arena] * CLIENTS, people, apps))
    statuses = Counter(status for day in days for status in day)
    failed = sum(number for status, number in statuses.items() if status >= 500)
    figure("D6 normal load", requests=statuses.total(), failed=failed, times_locked=arena.times_locked)
    assert statuses.total() >= REQUESTS, statuses
    assert not [status for status in statuses if status >= 500], statuses
    assert not arena.times_locked
