"""Races against the throttles: parallel guesses share one budget, and right ones leave nothing of it used."""

from collections.abc import Sequence

from sqlalchemy import select

from mfaportal.domain.set_up import APPS_MAX
from mfaportal.models import EventKind, Throttle
from mfaportal.rules.throttling import Kind
from tests.people import Person
from tests.races.arena import PARALLEL, Arena
from tests.races.of_codes import ADD, CODE, CONFIRM, SET_UP
from tests.races.volley import Answer

LIMIT = 5
WRONG, PAUSED = 422, 429
A_DAY = 100


def _judged(answers: Sequence[Answer], limit: int = LIMIT) -> str | None:
    """What is wrong with twenty wrong answers of which `limit` may have been judged."""
    wrong = sum(answer.status == WRONG for answer in answers)
    paused = sum(answer.status == PAUSED for answer in answers)
    if (wrong, paused) == (limit, len(answers) - limit):
        return None
    return f"{wrong} of {len(answers)} were judged, {paused} paused, and {limit} may be judged"


def _wrong_codes(arena: Arena, person: Person, number: int = PARALLEL) -> list[str]:
    """Different ones, as somebody who guesses would send."""
    assert person.phone is not None
    near = {person.phone.code(arena.now(), step) for step in range(-30, 31)}
    return [code for code in (f"{start:06d}" for start in range(number + len(near))) if code not in near][:number]


def wrong_codes_at_log_in(arena: Arena) -> str | None:
    """Twenty guesses in twenty browsers at twenty addresses; and twenty more afterwards, none of which is judged."""
    person = arena.person(apps=1)
    browsers, codes = arena.half_logins(person), _wrong_codes(arena, person)
    requests = [browser.post(CODE, code=code) for browser, code in zip(browsers, codes, strict=True)]
    fault = _judged(arena.fire(requests)) or _judged(arena.fire(requests), 0)
    told = arena.events(EventKind.CODE_WRONG, person)
    return fault or (None if told == LIMIT else f"{told} events")


def wrong_codes_at_step_up(arena: Arena) -> str | None:
    """The same from one whole login, whose budget is its own."""
    person = arena.person(apps=1)
    browser = arena.logins(person, 1)[0]
    return _judged(arena.fire(browser.post(CONFIRM, code=code) for code in _wrong_codes(arena, person)))


def wrong_codes_at_set_up(arena: Arena) -> str | None:
    person = arena.person()
    browser = arena.half_logins(person, 1, setting_up=True)[0]
    person.phone = browser.phone
    codes = _wrong_codes(arena, person)
    return _judged(arena.fire(browser.post(SET_UP, code=code, name="Phone") for code in codes))


def wrong_codes_from_one_address(arena: Arena) -> str | None:
    """Ten accounts, four guesses each, all from one address: thirty are judged."""
    address, limit = arena.browser().address, 30
    requests = [
        browser.at(address).post(CODE, code=code)
        for person in (arena.person(apps=1) for _ in range(10))
        for browser, code in zip(arena.half_logins(person, 4), _wrong_codes(arena, person, 4), strict=True)
    ]
    return _judged(arena.fire(requests[::2]) + arena.fire(requests[1::2]), limit)


def wrong_passwords(arena: Arena) -> str | None:
    """Twenty wrong passwords for one account, all from one address."""
    return _wrong_passwords_for(arena, arena.person().email)


def wrong_passwords_for_nobody(arena: Arena) -> str | None:
    """An unknown e-mail is throttled alike."""
    return _wrong_passwords_for(arena, f"nobody-{arena.browser().address}@example.org")


def _wrong_passwords_for(arena: Arena, email: str) -> str | None:
    address = arena.browser().address
    return _judged(
        arena.fire(
            browser.at(address).post("/log-in", email=email, password=f"wrong {number}")
            for number, browser in enumerate(arena.browsers())
        )
    )


def wrong_passwords_from_everywhere(arena: Arena) -> str | None:
    """More wrong passwords for one account than a day allows, each from an address that was never seen before."""
    person = arena.person()
    answers: list[Answer] = []
    for _ in range(A_DAY // PARALLEL + 1):
        answers += arena.fire(
            browser.post("/log-in", email=person.email, password="wrong") for browser in arena.browsers()
        )
    return _judged(answers, A_DAY)


def the_last_place_for_an_app(arena: Arena) -> str | None:
    """Somebody with one app less than the most adds another in twenty browsers at once."""
    person = arena.person(apps=APPS_MAX - 1)
    answers = arena.fire(
        browser.post(ADD, code=browser.phone.code(arena.now()), name=f"New {number}")
        for number, browser in enumerate(arena.logins(person, setting_up=True))
        if browser.phone
    )
    added = sum(answer.status == 303 for answer in answers)
    apps = len(arena.apps(person))
    return None if (added, apps) == (1, APPS_MAX) else f"{added} were told of an app added, {apps} apps"


def right_passwords(arena: Arena) -> str | None:
    """Twenty people behind one address log in at once: all get in, and nothing counts against the address."""
    address = arena.browser().address
    people = [arena.person(apps=1) for _ in range(PARALLEL)]
    answers = arena.fire(
        browser.at(address).post("/log-in", email=person.email, password=person.password)
        for browser, person in zip(arena.browsers(), people, strict=True)
    )
    inside = sum((answer.status, answer.location) == (303, CODE) for answer in answers)
    counted = arena.rows(
        select(Throttle.attempts).where(Throttle.kind == Kind.PASSWORD_FROM_ADDRESS, Throttle.subject == address)
    )
    left = sum(len(attempts.split()) for attempts in counted)
    return None if (inside, left) == (PARALLEL, 0) else f"{inside} got in, {left} attempts stayed counted"
