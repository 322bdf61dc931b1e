"""Races for what may be taken once: a code at log-in, at step-up, at set-up; the first set-up; a one-time link."""

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select

from mfaportal.domain import one_time_links
from mfaportal.domain.outcomes import LinkMade
from mfaportal.models import EventKind, Login
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing.passwords import verify_password
from mfaportal.plumbing.runtime import runtime
from tests.people import on_the_command_line
from tests.races.arena import PARALLEL, UNCOVERED, Arena, Browser
from tests.races.volley import Answer, Request

CODE, CONFIRM, SET_UP, ADD = "/log-in/code", "/confirm", "/log-in/set-up", "/account/security/methods/add"
NEXT = "/account/security/recovery-codes?next="
_KEY = re.compile(r'<code class="key">([A-Z2-7 ]+)</code>')


def accepted(answers: Iterable[Answer], *locations: str) -> int:
    return sum(answer.status == 303 and answer.location in locations for answer in answers)


def one_code_at_log_in(arena: Arena) -> str | None:
    """Twenty browsers, half logged in, send the same code. The account's throttle lets five of them be judged."""
    person = arena.person(apps=1)
    assert person.phone is not None
    code = person.phone.code(arena.now())
    answers = arena.fire(browser.post(CODE, code=code) for browser in arena.half_logins(person))
    taken = accepted(answers, "/")
    whole = arena.rows(
        select(func.count()).where(Login.account_id == person.id, Login.second_factor_at.is_not(None))
    )[0]
    return None if (taken, whole) == (1, 1) else f"one code let {taken} browsers in, {whole} logins are whole"


def one_code_at_step_up(arena: Arena) -> str | None:
    """The same code from twenty whole logins of one account: each has a throttle of its own, so all are judged."""
    person = arena.person(apps=1)
    assert person.phone is not None
    code = person.phone.code(arena.now())
    answers = arena.fire(browser.post(CONFIRM, code=code) for browser in arena.logins(person))
    taken = accepted(answers, "/account/security")
    return None if taken == 1 else f"one code confirmed {taken} browsers"


def one_code_everywhere(arena: Arena) -> str | None:
    """An app's code at log-in and at step-up; then the code that finishes a set-up, sent to all three at once."""
    person = arena.person(apps=1)
    assert person.phone is not None
    code = person.phone.code(arena.now())
    half, whole = arena.half_logins(person, 10), arena.logins(person, 10)
    answers = arena.fire(
        request
        for one, other in zip(half, whole, strict=True)
        for request in (one.post(CODE, code=code), other.post(CONFIRM, code=code))
    )
    taken = accepted(answers, "/", "/account/security")
    if taken != 1:
        return f"one code was taken {taken} times by log-in and step-up"
    return _code_of_a_set_up(arena)


def _code_of_a_set_up(arena: Arena) -> str | None:
    person = arena.person(apps=1)
    adding = arena.logins(person, 1, setting_up=True)[0]
    assert adding.phone is not None
    code = adding.phone.code(arena.now())
    requests = [adding.post(ADD, code=code, name=f"New {number}") for number in range(6)]
    requests += [browser.post(CODE, code=code) for browser in arena.half_logins(person, 4)]
    requests += [browser.post(CONFIRM, code=code) for browser in arena.logins(person, 10)]
    # set-up last: log-in and step-up find the app a moment after it was made, with its code still right
    answers = arena.fire(requests[::-1])
    taken = accepted(answers, "/", "/account/security", "/account/security/methods")
    apps = len(arena.apps(person))
    return None if (taken, apps) == (1, 2) else f"a set-up's code was taken {taken} times, {apps} apps"


def first_set_up(arena: Arena) -> str | None:
    """Twenty browsers of one account that a rule sends to set-up, each with its own key, its right code, a name."""
    return _first_set_up(arena, "reader", SET_UP, f"{NEXT}/", whole=False)


def first_set_up_by_choice(arena: Arena) -> str | None:
    """The same from the Security tab, by somebody whom no rule covers and who is wholly logged in everywhere."""
    return _first_set_up(arena, "reader", ADD, f"{NEXT}/account/security", whole=True)


def _first_set_up(arena: Arena, role: str, path: str, done: str, *, whole: bool) -> str | None:
    person = arena.person(role, portal=UNCOVERED) if whole else arena.person(role)
    make = arena.logins if whole else arena.half_logins
    browsers = make(person, setting_up=True)
    answers = arena.fire(_finish(arena, browser, path, number) for number, browser in enumerate(browsers))
    winners = [
        browser
        for browser, answer in zip(browsers, answers, strict=True)
        if answer.status == 303 and answer.location == done
    ]
    apps = arena.apps(person)
    if (len(winners), len(apps)) != (1, 1):
        return f"{len(winners)} browsers set up first, {len(apps)} apps"
    phone = winners[0].phone
    secret = runtime().keys.sealer.open(owner_of(person.id), apps[0].sealed_secret)
    return None if phone is not None and secret == phone.key else "the app holds another browser's key"


def _finish(arena: Arena, browser: Browser, path: str, number: int) -> Request:
    assert browser.phone is not None
    return browser.post(path, code=browser.phone.code(arena.now()), name=f"Phone {number}")


def one_pending_key(arena: Arena) -> str | None:
    """One browser opens set-up in twenty tabs: all of them show the same key, which is the login's."""
    person = arena.person()
    browser = arena.half_logins(person, 1)[0]
    answers = arena.fire(browser.get(SET_UP) for _ in range(PARALLEL))
    keys = {found[1].replace(" ", "") for answer in answers if (found := _KEY.search(answer.body))}
    sealed = arena.rows(select(Login.pending_secret).where(Login.id == browser.login_id))[0]
    pending = sealed and runtime().keys.sealer.open(owner_of(person.id), sealed)
    return None if keys == {pending} else f"{len(keys)} keys were shown"


def one_reset_link(arena: Arena) -> str | None:
    """One reset link, opened in twenty browsers that send a new password each."""
    person = arena.person(apps=1)
    made = one_time_links.make_reset_link(on_the_command_line(arena.clock()), person.id)
    assert isinstance(made, LinkMade)
    passwords = [f"marmalade lantern {number} orbit" for number in range(PARALLEL)]
    browsers = arena.browsers(content={"reset_token": made.token})
    answers = arena.fire(
        browser.post("/reset-password", password=password)
        for browser, password in zip(browsers, passwords, strict=True)
    )
    won = _who(answers, passwords)
    if len(won) != 1:
        return f"one link set {len(won)} passwords"
    if {answer.status for answer in answers} != {303, 410}:
        return f"answers {sorted({answer.status for answer in answers})}"
    stored = arena.account(person).password_digest
    if not verify_password(won[0], stored):
        return "the password is not the one of the browser that was told so"
    told = arena.events(EventKind.PASSWORD_SET, person)
    return None if told == 1 else f"{told} events"


def _who(answers: Sequence[Answer], passwords: Sequence[str]) -> list[str]:
    return [
        password
        for answer, password in zip(answers, passwords, strict=True)
        if (answer.status, answer.location) == (303, "/log-in")
    ]
