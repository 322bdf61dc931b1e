"""Races about passwords and addresses: changed by many at once, or while codes come in; confirmed by many."""

from sqlalchemy import select

from mfaportal.domain import link_rows
from mfaportal.models import EventKind, LinkKind, Login
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.passwords import verify_password
from tests.people import PASSWORD, give_app, on_the_command_line
from tests.races.arena import PARALLEL, UNCOVERED, Arena

CHANGE, CODE, CONFIRM = "/account/security/password", "/log-in/code", "/confirm-email"
AT_THE_CODE = 4
"""So many codes are judged at once: of five that count at a time, one is left."""


def changed_by_many(arena: Arena) -> str | None:
    """Twenty browsers of one person change the password at once: one does, and the others are logged out."""
    person = arena.person(apps=1, portal=UNCOVERED)
    new = [f"marmalade lantern {number} orbit" for number in range(PARALLEL)]
    browsers = arena.logins(person)
    answers = arena.fire(
        browser.post(CHANGE, current_password=PASSWORD, password=password)
        for browser, password in zip(browsers, new, strict=True)
    )
    won = [
        number
        for number, answer in enumerate(answers)
        if (answer.status, answer.location) == (303, "/account/security")
    ]
    if len(won) != 1:
        return f"{len(won)} passwords were set: {sorted(answer.status for answer in answers)}"
    if not verify_password(new[won[0]], arena.account(person).password_digest):
        return "the password is not the one of the browser that was told so"
    live = arena.rows(select(Login.id).where(Login.account_id == person.id, Login.ended_at.is_(None)))
    if live != [browsers[won[0]].login_id]:
        return f"{len(live)} logins are alive"
    told = arena.events(EventKind.PASSWORD_SET, person)
    return None if told == 1 else f"{told} events"


def changed_while_codes_are_entered(arena: Arena) -> str | None:
    """Whoever had the old password and is at the code does not get in by being there at the right moment."""
    person = arena.person(portal=UNCOVERED)
    codes = [give_app(person, arena.clock(), f"App {number}").code(arena.now()) for number in range(AT_THE_CODE)]
    owner, half = arena.logins(person, 1)[0], arena.half_logins(person, AT_THE_CODE)
    change = owner.post(CHANGE, current_password=PASSWORD, password="marmalade lantern orbit")
    entering = [browser.post(CODE, code=code) for browser, code in zip(half, codes, strict=True)]
    middle = len(entering) // 2
    answers = arena.fire([*entering[:middle], change, *entering[middle:]])
    if answers[middle].location != "/account/security":
        return f"the password was not changed: {answers[middle].status} {answers[middle].location}"
    live = arena.rows(select(Login.id).where(Login.account_id == person.id, Login.ended_at.is_(None)))
    return None if live == [owner.login_id] else f"{len(live)} logins are alive after the change"


def one_address_confirmed(arena: Arena) -> str | None:
    """One link to a new address, opened in twenty browsers."""
    person = arena.person(apps=1)
    with transaction() as session:
        caller = on_the_command_line(arena.clock())
        email = f"new.{person.email}"
        token = link_rows.add(session, caller, LinkKind.EMAIL, person.id, email=email)[1]
    answers = arena.fire(browser.post(CONFIRM) for browser in arena.browsers(content={"email_token": token}))
    statuses = sorted(answer.status for answer in answers)
    if statuses != [303] + [410] * (PARALLEL - 1):
        return f"answers {statuses}"
    told = arena.events(EventKind.EMAIL_CHANGED, person)
    return None if (told, arena.account(person).email) == (1, email) else f"{told} events"
