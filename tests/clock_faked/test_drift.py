"""A clock that gains a second a minute, and one that goes back: what people notice, and that every worker agrees."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from mfaportal.rules.totp import DRIFT_STEPS, EXPLAINED_STEPS, STEP_SECONDS, step_at
from tests.clock_faked.town import Town
from tests.faults.length import either
from tests.plugins.figures import Figure

pytestmark = pytest.mark.needs("faketime")

TownAt = Callable[..., Town]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MORNING = datetime(2027, 6, 1, 9, 0, 10, tzinfo=UTC)
MINUTES = either([0, 20, 110, 340], [*range(0, 185, 5), 240, 299, 340])
"""Twelve tries an hour at most: more wrong codes would be paused."""
WORKERS = either(2, 4)


def test_a_clock_that_gains_a_second_a_minute_is_named_as_soon_as_codes_do_not_fit(
    town_at: TownAt, figure: Figure
) -> None:
    """The person's phone keeps the right time. Which worker answers makes no difference."""
    town = town_at(MORNING, workers=WORKERS)
    editor, seen = town.people.editor, []
    assert editor.phone is not None
    right = MORNING
    for minute in MINUTES:
        right, drift = MORNING + minute * MINUTE, timedelta(seconds=minute)
        town.go_to(right + drift)
        visitor = town.visitor()
        assert visitor.give_password(editor).location == "/log-in/code", visitor.text
        visitor.get("/log-in/code")
        lag = town.clock() - right - drift
        visitor.post("/log-in/code", code=editor.phone.code(right + lag))
        seen.append((minute, visitor.status, "fast" in visitor.text or "slow" in visitor.text))
        steps = step_at(right + drift + lag) - step_at(right + lag)
        if 1 < (right + drift + lag).second % STEP_SECONDS < STEP_SECONDS - 8:  # else the step may pass meanwhile
            expected = (303, False) if steps <= DRIFT_STEPS else (422, steps <= EXPLAINED_STEPS)
            assert seen[-1][1:] == expected, f"{minute} minutes, {steps} steps: {visitor.text}"
    recovered = town.visitor()
    recovered.give_password(editor)
    recovered.submit("/log-in/recovery", code=editor.codes[0])
    assert recovered.location == "/account/security/methods?next=/", recovered.text
    town.go_to(right + 10 * MINUTE)  # set right: earlier than the portal has seen
    assert town.enter(town.visitor(), editor).location == "/"
    accepted = sum(status == 303 for _minute, status, _told in seen)
    figure("D5 slow drift", log_ins=len(seen), accepted=accepted, told_of_the_clock=sum(told for *_, told in seen))
    assert {status for _minute, status, _told in seen} == {303, 422}
    assert " 500 " not in town.server.log


@pytest.mark.parametrize("leap", either([10 * MINUTE], [MINUTE / 2, 1.5 * MINUTE, 10 * MINUTE, DAY]), ids=str)
def test_a_clock_that_goes_back_locks_nobody_out_for_longer_than_that_and_keeps_nobody_in(
    town_at: TownAt, leap: timedelta, figure: Figure
) -> None:
    town = town_at(MORNING, workers=WORKERS)
    editor, before, half = town.people.editor, town.visitor(), town.visitor()
    assert town.enter(before, editor).location == "/"
    half.give_password(town.people.admin)
    town.clock.advance(seconds=-leap.total_seconds())
    answers = {before.get("/account").location.partition("?")[0] for _ in range(3 * WORKERS)}
    assert answers == {"/log-in"}, "a cookie signed in the future is not believed, by any worker"
    late = town.enter(town.visitor(), editor)
    assert (late.status, late.text.count("already used")) == (422, 1), late.text
    assert late.submit("/log-in/recovery", code=editor.codes[0]).status == 303, late.text

    town.clock.advance(seconds=leap.total_seconds() + 45)
    assert {before.get("/account").status for _ in range(3 * WORKERS)} == {200}
    assert town.enter(town.visitor(), editor).location == "/"
    assert half.get("/log-in/code").status == 200
    town.go_to(MORNING + 11 * MINUTE)
    assert half.get("/log-in/code").location.startswith("/log-in?"), "ten minutes by the clock that is right"
    town.go_to(MORNING + DAY + MINUTE)
    assert {visitor.get("/account").status for visitor in (before, late)} == {303}
    figure("D5 clocks that went back", leaps=1, logins_that_outlived_their_limit=0)
    assert " 500 " not in town.server.log
