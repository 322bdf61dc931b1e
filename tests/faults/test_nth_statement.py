"""D2: the n-th statement of a request fails, for each form of the portal, each n, and each commit.

Whoever sent it gets a 503. Then either nothing was done, and the same form sent again works; or all of it was, when
the fault came after the commit. Never a half, never more than an attempt that was counted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from tests.browser_client import Page
from tests.faults.driver import ERRORS, LOST, At, Breaker, broken_driver
from tests.faults.length import FULL, either
from tests.faults.place import files_that_are_missing
from tests.input.bench import Bench
from tests.input.buttons import BUTTONS
from tests.input.database import Database
from tests.input.forms import FORMS, FormCase
from tests.input.scenes import Scene
from tests.plugins.figures import Figure
from tests.stored import session_of

SUBJECT = "D2 statements that fail"
_THE_MOST_IMPORTANT = {
    "auth.log_in",
    "auth.enter_code",
    "auth.recovery",
    "auth.finish_set_up",
    "auth.reset_password",
}
CASES = [case for case in (*FORMS, *BUTTONS) if FULL or case.name in _THE_MOST_IMPORTANT]


def test_nothing_that_takes_a_post_is_left_out(app: Flask) -> None:
    taking = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert taking - {case.endpoint for case in (*FORMS, *BUTTONS)} == set()


@dataclass
class Trial:
    """A form whose request is broken again and again, each time from the same state."""

    bench: Bench
    breaker: Breaker

    def __post_init__(self) -> None:
        self.login = self._login()
        self.body, self.kind = self.bench.whole()
        self.breaker.arm()
        page = self.bench.send(self.body, self.kind)
        assert page.status in self.bench.case.done, page.text
        self.whole, self.told = self.bench.database.more_than_attempts(), self._events()
        self.statements, self.commits = len(self.breaker.seen), self.breaker.commits
        self.tried = 0
        self.unexpected: list[str] = []

    def fail(self, number: int, when: At, error: str) -> None:
        """Break at one statement, look at everything, and send the form once more."""
        self.tried += 1
        self.breaker.arm(number, when, error)
        page = self.bench.send(self.body, self.kind)
        statement = re.sub(r"\s+", " ", self.breaker.seen[number - 1] if number <= len(self.breaker.seen) else "-")
        self.breaker.arm()
        left = self.bench.database.more_than_attempts()
        what = f"{self.bench.case}: {error} {when.value} {number} ({statement[:80]}): {page.status}"
        if page.status not in {503, *self.bench.case.done}:
            self.unexpected.append(f"{what}, not 503")
        if left not in ([], self.whole):
            self.unexpected.append(f"{what}, and half of it was done: {left}")
        if left and self._events() != self.told:
            self.unexpected.append(f"{what}, and its events are {self._events()}")
        self.unexpected += [f"{what}, {fault}" for fault in (*self._granted(page), *self._files())]
        if page.status == 503 and not left:
            again = self._again()
            if again not in self.bench.case.done:
                self.unexpected.append(f"{what}, and sent once more: {again}")
        if page.status != 503 and left != self.whole:
            self.unexpected.append(f"{what}, but nothing was done")

    def _again(self) -> int:
        return self.bench.post(self.body, self.kind).status

    def _events(self) -> list[object]:
        """The kinds of those that came."""
        before, now = (dump["events"] for dump in (self.bench.database.before(), self.bench.database.now()))
        return sorted((now[key]["kind"] for key in now.keys() - before.keys()), key=str)

    def _granted(self, page: Page) -> list[str]:
        """What an answer that says that nothing was done gives: no login but the one there was, no mark, no pass."""
        if page.status < 500:
            return []
        session = self.bench.scene.app.config["SESSION_COOKIE_NAME"]
        names = [line.partition("=")[0] for line in page.response.headers.getlist("Set-Cookie")]
        granted = [f"but sets {name}" for name in names if name != session]
        return granted + ([] if self._login() in (None, self.login) else ["but gives a login"])

    def _login(self) -> str | None:
        login: str | None = session_of(self.bench.scene.browser).get("_user_id")
        return login

    def _files(self) -> list[str]:
        """What a dataset says of its file, and is not there."""
        if not self.bench.form.file:
            return []
        with self.bench.scene.app.app_context():
            return files_that_are_missing()


def _numbers(trial: Trial) -> Iterator[tuple[int, At, str]]:
    """Each statement before it was done, with one error or all; each commit after it."""
    errors = tuple(trial.breaker.errors)
    for number in range(1, trial.statements + 1):
        for error in either(errors[number % len(errors) :][:1], errors):
            yield number, At.BEFORE, error
    for number in trial.commits:
        yield number, At.AFTER, ERRORS[1]
        if LOST in errors:
            yield number, At.AFTER, LOST


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_statement_that_fails_leaves_nothing_half_done(
    case: FormCase, scene: Scene, database: Database, figure: Figure
) -> None:
    trial = Trial(Bench(scene, database, case), broken_driver(scene.app))
    for number, when, error in _numbers(trial):
        trial.fail(number, when, error)
    figure(SUBJECT, forms=1, statements_failed=trial.tried, half_done_or_granted=len(trial.unexpected))
    assert not trial.unexpected, "\n".join(trial.unexpected)
    assert trial.statements > 3
    assert trial.commits
