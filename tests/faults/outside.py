"""What strangers do on those days: guess for weeks, and look for a difference between somebody and nobody.

And what only an operator or an admin can do about it: unlock an account, show a portal to everybody.
"""

import re

from hypothesis import strategies as st
from hypothesis.stateful import rule

from mfaportal.domain import access_security, accounts
from mfaportal.domain.outcomes import Done
from mfaportal.models import EventKind, Visibility
from mfaportal.rules.mfa_rule import MfaRule
from tests.browser_client import Browser, Page
from tests.faults.deeds import Days
from tests.faults.machine import who
from tests.faults.model import CODE, Human, fits
from tests.people import PORTAL, on_the_command_line

AT_ONCE, A_DAY = 5, 10
"""Codes that are judged in five minutes, and how many times that in a day."""
DAYS = (0, 0, 0, 0, 0, 0, 0, 3)


class Strangers(Days):
    """All rules of people who are in, and of those who are not."""

    def __init__(self) -> None:
        super().__init__()
        self.strangers = 0

    def stranger(self) -> Browser:
        """A new browser at an address of its own."""
        self.strangers += 1
        browser = Browser(self.app, self.clock)
        browser.address = f"198.51.{self.strangers >> 8 & 255}.{self.strangers & 255}"
        return browser

    @rule(person=who, days=st.sampled_from(DAYS))
    def guess_codes(self, person: int, days: int) -> None:
        """By somebody who has the password: five at once, or as many as each day allows, for days."""
        human = self.humans[person]
        for number in range(A_DAY * days or 1):
            if not self.guess_from_outside(human):
                return
            self.clock.advance(seconds=15 * 60 + 1 if (number + 1) % A_DAY else 24 * 3600)

    def guess_from_outside(self, human: Human) -> bool:
        """Whether a code was asked for."""
        if human.suspended or human.password is None or not human.apps:
            return False
        browser = self.stranger()
        page = browser.submit("/log-in", email=human.person.email, password=human.password)
        if page.status == 429:
            return False
        assert page.location == "/log-in/code", page.text
        self.told[EventKind.LOGIN_PASSWORD_RIGHT] += 1
        page = browser.get("/log-in/code")
        for _ in range(AT_ONCE + 1):
            code = next(each for each in ("000000", "111111", "222222") if not fits(human, each, self.clock(), 12))
            answer = browser.send(page, code=code)
            self.world.requests += 1
            assert answer.status in (422, 429), answer.text
            if answer.status == 422:
                self.guess(human, CODE)
        return True

    @rule(person=who)
    def unlock(self, person: int) -> None:
        human = self.humans[person]
        with self.app.app_context():
            assert accounts.unlock(on_the_command_line(self.clock), human.person.id) == Done()
        human.wrong.clear()
        self.told[EventKind.ACCOUNT_UNLOCKED] += 1

    @rule(person=who)
    def look_for_a_difference(self, person: int) -> None:
        """Invariant 9: a wrong password is answered alike, whoever has or has not an account, in whatever state."""
        human = self.humans[person]
        known, nobody = human.person.email, f"x{human.person.email[1:]}"
        seen = [self.wrong_password(email) for email in (known, nobody)]
        if 429 not in (seen[0][0], seen[1][0]):  # a hundred a day of one address are not those of another
            assert seen[0] == seen[1], "a stranger sees who has an account"

    def wrong_password(self, email: str) -> tuple[object, ...]:
        browser = self.stranger()
        page = browser.submit("/log-in", email=email, password="a wrong guess")
        self.world.requests += 2
        assert page.status in (422, 429), page.text
        self.told[EventKind.LOGIN_PASSWORD_WRONG] += page.status == 422
        return as_seen(page, email)

    @rule(public=st.booleans())
    def show_or_hide_the_portal(self, public: bool) -> None:
        visibility = Visibility.PUBLIC if public else Visibility.PRIVATE
        with self.app.app_context():
            done = access_security.change(
                on_the_command_line(self.clock),
                PORTAL,
                visibility=visibility,
                rule=MfaRule(self.rule.covers),
                apply_now=False,
            )
        assert done == Done()
        self.public = public


def as_seen(page: Page, email: str) -> tuple[object, ...]:
    """All that an answer tells: status, headers and body, less the e-mail typed and what is random in each."""
    body = re.sub(r'name="csrf_token" value="[^"]+"', "CSRF", page.html.replace(email, "EMAIL"))
    headers = [(name, re.sub(r"=[^;]+", "=…", value, count=1)) for name, value in page.response.headers]
    return page.status, headers, body
