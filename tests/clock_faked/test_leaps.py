"""A clock that was wrong and is put right, and limits that pass while a server runs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.clock_faked.town import Town
from tests.faults.length import either

pytestmark = pytest.mark.needs("faketime")

TownAt = Callable[..., Town]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MORNING = datetime(2027, 6, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "leap", either([10 * MINUTE], [MINUTE / 2, 1.5 * MINUTE, 10 * MINUTE, DAY, 400 * DAY]), ids=str
)
def test_after_a_leap_that_is_put_right_a_code_is_refused_no_longer_than_the_leap(
    town_at: TownAt, leap: timedelta
) -> None:
    town = town_at(MORNING)
    editor, before, ahead = town.people.editor, town.visitor(), town.visitor()
    assert town.enter(before, editor).location == "/"
    town.clock.advance(seconds=leap.total_seconds())
    assert town.enter(ahead, editor).location == "/"

    town.clock.advance(seconds=-leap.total_seconds())
    assert before.get("/account").status == 200, "a login from before the leap is as good as it was"
    assert ahead.get("/account").location.startswith("/log-in"), "a cookie signed in the future is not believed"
    refused = town.enter(town.visitor(), editor)
    assert (refused.status, refused.text.count("already used")) == (422, 1), refused.text
    recovered = refused.submit("/log-in/recovery", code=editor.codes[0])
    assert recovered.location == "/account/security/methods?next=/", recovered.text

    town.clock.advance(seconds=leap.total_seconds() + 60)
    assert town.enter(town.visitor(), editor).location == "/"
    assert " 500 " not in town.server.log


@pytest.mark.parametrize("leap", either([DAY], [4 * MINUTE, DAY]), ids=str)
def test_a_pause_that_began_ahead_ends_after_two_lengths_at_most(town_at: TownAt, leap: timedelta) -> None:
    town = town_at(MORNING)
    editor, guesser = town.people.editor, town.visitor()
    assert editor.phone is not None
    town.clock.advance(seconds=leap.total_seconds())
    guesser.give_password(editor)
    for status in [422] * 5 + [429]:
        assert guesser.submit("/log-in/code", code=editor.phone.wrong_code(town.clock())).status == status
    town.clock.advance(seconds=-leap.total_seconds())
    town.clock.advance(minutes=10, seconds=1)
    assert town.enter(town.visitor(), editor).location == "/"


def test_logins_end_when_their_time_has_passed(town_at: TownAt) -> None:
    """Idle and absolute limits, and the two of half logins, on the clock of the server."""
    town = town_at(MORNING)
    idle, busy, at_code, at_set_up = (town.visitor() for _ in range(4))
    town.enter(idle, town.people.editor)
    town.enter(busy, town.people.admin)
    at_code.give_password(town.people.operator)
    at_set_up.give_password(town.people.reader)
    key = at_set_up.get("/log-in/set-up").key
    hours = {
        9 / 60: (at_code, "/log-in/code", 200),
        11 / 60: (at_code, "/log-in/code", 303),
        29 / 60: (at_set_up, "/log-in/set-up", 200),
        31 / 60: (at_set_up, "/log-in/set-up", 303),
        6: (busy, "/account", 200),
        11.9: (busy, "/account", 200),
        12.1: (idle, "/account", 303),
        18: (busy, "/account", 200),
        23.9: (busy, "/account", 200),
        24.1: (busy, "/account", 303),
    }
    for hour, (visitor, path, status) in hours.items():
        town.go_to(MORNING + timedelta(hours=hour))
        assert visitor.get(path).status == status, f"{path} after {hour} hours: {visitor.text}"
        if visitor is at_set_up and status == 200:
            assert visitor.key == key
