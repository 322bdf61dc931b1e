"""Races of what people do against what is done to them: suspended, a new password, a rule, while they come in."""

from collections.abc import Sequence

from mfaportal.domain import one_time_links
from mfaportal.domain.outcomes import LinkMade
from mfaportal.models import EventKind
from tests.people import PORTAL, Person, give_app, on_the_command_line
from tests.races.arena import PARALLEL, UNCOVERED, Arena, Browser
from tests.races.of_codes import CODE
from tests.races.volley import Answer, Request

HALF = PARALLEL // 2
JUDGED = 5
"""Codes of one account that are judged in five minutes."""


def _coming_in(arena: Arena) -> tuple[Person, list[Request]]:
    """Somebody at the code in five browsers, with an app for each."""
    person = arena.person()
    phones = [give_app(person, arena.clock(), f"App {number}") for number in range(JUDGED)]
    browsers = arena.half_logins(person, JUDGED)
    codes = [phone.code(arena.now()) for phone in phones]
    return person, [browser.post(CODE, code=code) for browser, code in zip(browsers, codes, strict=True)]


def _inside(arena: Arena, requests: Sequence[Request], answers: Sequence[Answer]) -> int:
    """With how many of all cookies one is in, the old ones and those that were given."""
    cookies = {request.cookie for request in requests}
    cookies |= {cookie.partition(";")[0] for answer in answers for cookie in answer.cookies}
    later = arena.fire(Request("GET", "/account", cookie, "10.7.7.7") for cookie in cookies)
    return sum(answer.status == 200 for answer in later)


def _mixed(these: Sequence[Request], those: Sequence[Request]) -> list[Request]:
    return [request for pair in zip(these, those, strict=True) for request in pair]


def suspended_while_coming_in(arena: Arena) -> str | None:
    """Whoever suspends somebody has them out: no code that is judged at that moment lets them in for later."""
    person, coming = _coming_in(arena)
    boss = arena.person(None, operator=True, apps=1)
    page = f"/portals/{PORTAL}/backoffice/access/users/{person.id}"
    desks = arena.logins(boss, JUDGED)
    answers = arena.fire(_mixed(coming, [desk.post(f"{page}/suspend", reason="away") for desk in desks]))
    suspended = arena.events(EventKind.ACCOUNT_SUSPENDED, person)
    during = _inside(arena, coming, answers[::2])
    arena.fire([desks[0].post(f"{page}/restore")])
    after = _inside(arena, coming, answers[::2])
    if (suspended, during, after) == (1, 0, 0):
        return None
    return f"{suspended} times suspended, {during} browsers are in meanwhile, {after} afterwards"


def new_password_while_coming_in(arena: Arena) -> str | None:
    """A new password ends what began with the old one, whatever code is judged at that moment."""
    person, coming = _coming_in(arena)
    made = one_time_links.make_reset_link(on_the_command_line(arena.clock()), person.id)
    assert isinstance(made, LinkMade)
    browsers = arena.browsers(JUDGED, {"reset_token": made.token})
    resets = [each.post("/reset-password", password="marmalade lantern orbit") for each in browsers]
    answers = arena.fire(_mixed(coming, resets))
    set_, inside = arena.events(EventKind.PASSWORD_SET, person), _inside(arena, coming, answers[::2])
    return (
        None if (set_, inside) == (1, 0) else f"{set_} new passwords, and {inside} browsers are in with the old one"
    )


def rule_applied_while_coming_in(arena: Arena) -> str | None:
    """A rule applied now reaches everybody without an app, also those whose password is judged at that moment."""
    person = arena.person(portal=UNCOVERED)
    path = f"/portals/{UNCOVERED}/backoffice/access/security"
    desks = arena.logins(arena.person(None, operator=True, apps=1), HALF)
    rule = {"visibility": "private", "mfa_rule": "everyone", "apply_now": "yes"}
    coming = [
        browser.post("/log-in", email=person.email, password=person.password) for browser in arena.browsers(HALF)
    ]
    answers = arena.fire(_mixed(coming, [desk.post(path, **rule) for desk in desks]))
    let_in = sum(answer.status == 303 for answer in answers[::2])
    inside = _inside(arena, coming, answers[::2])
    arena.fire([desks[0].post(path, visibility="private", mfa_rule="off")])
    return None if (let_in, inside) == (HALF, 0) else f"{let_in} passwords were right, {inside} browsers need no app"


def renamed_while_deleted(arena: Arena) -> str | None:
    """One of two apps gets ten names and goes ten times: it goes once, and nobody gets an error for it."""
    person = arena.person(apps=2)
    app, other = arena.apps(person)
    path = f"/account/security/methods/{app.id}"
    browser: Browser = arena.logins(person, 1)[0]
    renames = [browser.post(f"{path}/rename", name=f"Name {number}") for number in range(HALF)]
    answers = arena.fire(_mixed(renames, [browser.post(f"{path}/delete") for _ in range(HALF)]))
    left = [each.id for each in arena.apps(person)]
    deleted = arena.events(EventKind.AUTHENTICATOR_DELETED, person)
    renamed = arena.events(EventKind.AUTHENTICATOR_RENAMED, person)
    told = sum(answer.status == 303 for answer in answers[::2])
    if (left, deleted, renamed) == ([other.id], 1, told):
        return None
    return f"left are {left}, {deleted} deletions, {renamed} names of which {told} were told"
