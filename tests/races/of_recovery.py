"""Races for recovery codes and lost phones: a code is taken once, a void one never, an app goes with the new one."""

from sqlalchemy import func, select

from mfaportal.models import Event, EventKind, Login, RecoveryCode
from tests.people import Person, give_app
from tests.races.arena import PARALLEL, Arena
from tests.races.of_codes import CODE, CONFIRM, accepted

RECOVERY, CODES, METHODS = "/log-in/recovery", "/account/security/recovery-codes", "/account/security/methods"
HALF = PARALLEL // 2
WELCOME = f"{METHODS}?next=/"


def _person(arena: Arena, apps: int = 1) -> Person:
    """Somebody covered, with apps and ten codes."""
    person = arena.person(apps=apps - 1)
    give_app(person, arena.clock(), "The last", codes=True)
    return person


def _used(arena: Arena, person: Person) -> int:
    return arena.rows(
        select(func.count()).where(RecoveryCode.account_id == person.id, RecoveryCode.used_at.is_not(None))
    )[0]


def one_recovery_code(arena: Arena) -> str | None:
    """One code, from ten half logins and at the step-up of ten whole ones, each with a budget of its own."""
    person = _person(arena)
    requests = [browser.post(CONFIRM, code=person.codes[0]) for browser in arena.logins(person, HALF)]
    requests += [browser.post(RECOVERY, code=person.codes[0]) for browser in arena.half_logins(person, HALF)]
    taken = accepted(arena.fire(requests), WELCOME, "/account/security")
    told = arena.events(EventKind.RECOVERY_CODE_USED, person)
    used = _used(arena, person)
    return None if (taken, told, used) == (1, 1, 1) else f"one code was taken {taken} times, {told} events"


def ten_recovery_codes(arena: Arena) -> str | None:
    """Ten codes, each sent twice: none lets two browsers in, and whoever was let in has used one up."""
    person = _person(arena)
    browsers = arena.half_logins(person)
    answers = arena.fire(
        browser.post(RECOVERY, code=person.codes[number % 10]) for number, browser in enumerate(browsers)
    )
    taken, used = accepted(answers, WELCOME), _used(arena, person)
    whole = arena.rows(
        select(func.count()).where(Login.account_id == person.id, Login.second_factor_at.is_not(None))
    )[0]
    return None if 0 < taken == used == whole else f"{taken} browsers were let in, {whole} are in, {used} codes used"


def wrong_recovery_codes(arena: Arena) -> str | None:
    """Twenty guesses of both kinds at the log-in of one account: five are judged."""
    person = _person(arena)
    assert person.phone is not None
    wrong = person.phone.wrong_code(arena.now())
    requests = []
    for number, browser in enumerate(arena.half_logins(person)):
        guess = f"AAAA-BBBB-CCCC-{number:04}".translate(str.maketrans("0189", "ABCD"))
        requests.append(browser.post(RECOVERY, code=guess) if number % 2 else browser.post(CODE, code=wrong))
    statuses = sorted(answer.status for answer in arena.fire(requests))
    return None if statuses == [422] * 5 + [429] * 15 else f"answers {statuses}"


def replaced_while_used(arena: Arena) -> str | None:
    """New codes while the old ones are given at step-up: every old one was either used before, or is void."""
    person = _person(arena)
    replacing, *using = arena.logins(person, 11)
    requests = [browser.post(CONFIRM, code=code) for browser, code in zip(using, person.codes, strict=True)]
    requests.insert(5, replacing.post(CODES, replace="yes"))
    taken = accepted(arena.fire(requests), "/account/security")
    (details,) = arena.rows(
        select(Event.details).where(Event.kind == EventKind.RECOVERY_CODES_REPLACED, Event.account_id == person.id)
    )
    left = arena.rows(
        select(func.count()).where(RecoveryCode.account_id == person.id, RecoveryCode.used_at.is_(None))
    )[0]
    if (taken + details["void"], left) == (10, 10):
        return None
    return f"{taken} old codes were taken and {details['void']} void; {left} new ones"


def replaced_while_deleted(arena: Arena) -> str | None:
    """One of two apps is replaced in ten browsers and both are deleted in the others: it goes once, and one stays."""
    person = _person(arena, apps=2)
    first, second = arena.apps(person)
    replacing, deleting = arena.logins(person, HALF, setting_up=True), arena.logins(person, HALF)
    requests = []
    for number, (one, other) in enumerate(zip(replacing, deleting, strict=True)):
        assert one.phone is not None
        code = one.phone.code(arena.now())
        requests.append(one.post(f"{METHODS}/{first.id}/replace", code=code, name=f"New {number}"))
        requests.append(other.post(f"{METHODS}/{(first, second)[number % 2].id}/delete"))
    answers = arena.fire(requests)
    replaced = accepted(answers[::2], METHODS)
    deleted = accepted(answers[1::2], METHODS, "/account/security")
    left = [app.id for app in arena.apps(person)]
    if replaced <= 1 and first.id not in left and len(left) == 2 - deleted >= 1:
        return None
    return f"replaced {replaced} times, {deleted} deletions, {len(left)} apps are left"
