"""A clock that was wrong and is put right, and limits that pass while a server runs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.clock_faked.town import Town
from tests.faults.length import either
from tests.people import Person
from tests.phone import Phone
from tests.plugins.figures import Figure

pytestmark = pytest.mark.needs("faketime")

TownAt = Callable[..., Town]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PAUSE = 5 * MINUTE
MORNING = datetime(2027, 6, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "leap", either([10 * MINUTE], [MINUTE / 2, 1.5 * MINUTE, 10 * MINUTE, DAY, 400 * DAY]), ids=str
)
def test_after_a_leap_that_is_put_right_a_code_is_refused_no_longer_than_the_leap(
    town_at: TownAt, leap: timedelta, figure: Figure
) -> None:
    """Meanwhile a recovery code lets in, and so does an operator, at once."""
    town = town_at(MORNING)
    editor, admin, before, ahead = town.people.editor, town.people.admin, town.visitor(), town.visitor()
    assert town.enter(before, editor).location == "/"
    town.clock.advance(seconds=leap.total_seconds())
    assert town.enter(ahead, editor).location == "/"
    assert town.enter(town.visitor(), admin).location == "/"

    town.clock.advance(seconds=-leap.total_seconds())
    assert before.get("/account").status == 200, "a login from before the leap is as good as it was"
    assert ahead.get("/account").location.startswith("/log-in"), "a cookie signed in the future is not believed"
    refused = town.enter(town.visitor(), editor)
    assert (refused.status, refused.text.count("already used")) == (422, 1), refused.text
    recovered = refused.submit("/log-in/recovery", code=editor.codes[0])
    assert recovered.location == "/account/security/methods?next=/", recovered.text
    _let_in_by_an_operator(town, admin)

    town.clock.advance(seconds=leap.total_seconds() + 60)
    late = town.enter(town.visitor(), editor)
    figure("D5 clocks that went ahead", leaps=1, refused_for_longer_than_the_leap=int(late.location != "/"))
    assert late.location == "/"
    assert " 500 " not in town.server.log


def _let_in_by_an_operator(town: Town, person: Person) -> None:
    """`flask mfa reset`: the app whose last code lies ahead goes, and a new one is set up."""
    refused = town.enter(town.visitor(), person)
    assert (refused.status, refused.text.count("already used")) == (422, 1), refused.text
    town.server.flask("mfa", "reset", person.email, "--reason", "the clock was ahead")
    visitor = town.visitor()
    assert visitor.give_password(person).location == "/log-in/set-up"
    person.phone = Phone(visitor.get("/log-in/set-up").key)
    visitor.post("/log-in/set-up", code=person.phone.code(town.clock()), name="Phone")
    assert visitor.location == "/account/security/recovery-codes?next=/", visitor.text
    assert visitor.get("/account").status == 200


@pytest.mark.parametrize("leap", either([DAY], [4 * MINUTE, DAY]), ids=str)
def test_a_pause_that_began_ahead_ends_after_two_lengths_at_most(
    town_at: TownAt, leap: timedelta, figure: Figure
) -> None:
    """An operator ends one at once: `flask accounts unlock`."""
    town = town_at(MORNING)
    people = (town.people.editor, town.people.admin)
    town.clock.advance(seconds=leap.total_seconds())
    for person in people:
        guesser = town.visitor()
        guesser.give_password(person)
        assert person.phone is not None
        for status in [422] * 5 + [429]:
            assert guesser.submit("/log-in/code", code=person.phone.wrong_code(town.clock())).status == status
    town.clock.advance(seconds=-leap.total_seconds())
    soon = town.enter(town.visitor(), town.people.admin)
    if leap < PAUSE:  # of a longer one nothing is left
        assert soon.status == 429
        town.server.flask("accounts", "unlock", town.people.admin.email)
        soon = town.enter(town.visitor(), town.people.admin)
    assert soon.location == "/"
    town.clock.advance(minutes=10, seconds=1)
    late = town.enter(town.visitor(), town.people.editor)
    figure("D5 pauses that began ahead", pauses=2, longer_than_two_lengths=int(late.location != "/"))
    assert late.location == "/"


def test_logins_end_when_their_time_has_passed(town_at: TownAt, figure: Figure) -> None:
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
    wrong = []
    for hour, (visitor, path, status) in hours.items():
        town.go_to(MORNING + timedelta(hours=hour))
        if visitor.get(path).status != status:
            wrong.append(f"{path} after {hour} hours: {visitor.status}")
        elif visitor is at_set_up and status == 200:
            assert visitor.key == key
    figure("D5 limits that pass", looks=len(hours), too_soon_or_too_late=len(wrong))
    assert not wrong
