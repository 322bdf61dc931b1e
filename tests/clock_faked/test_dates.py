"""Days on which clocks are known to break: beyond 32 bits, and when an hour is skipped or comes twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.clock_faked.town import Town
from tests.faults.length import either
from tests.phone import Phone
from tests.plugins.figures import Figure

pytestmark = pytest.mark.needs("faketime")

TownAt = Callable[..., Town]
CHANGES = [
    pytest.param("Europe/Paris", datetime(2027, 3, 28, 1, tzinfo=UTC), id="Paris-an-hour-is-skipped"),
    pytest.param("Europe/Paris", datetime(2027, 10, 31, 1, tzinfo=UTC), id="Paris-an-hour-comes-twice"),
    pytest.param("America/New_York", datetime(2027, 3, 14, 7, tzinfo=UTC), id="New-York-an-hour-is-skipped"),
    pytest.param("America/New_York", datetime(2027, 11, 7, 6, tzinfo=UTC), id="New-York-an-hour-comes-twice"),
]
"""In the short form the change at which PyOTP 2.9 was wrong: an hour that comes twice."""


@pytest.mark.parametrize(
    "instant",
    either(
        [datetime(2106, 2, 8, 12, tzinfo=UTC)],
        [datetime(2038, 1, 20, 12, tzinfo=UTC), datetime(2106, 2, 8, 12, tzinfo=UTC)],
    ),
)
def test_setting_up_and_logging_in_work_when_seconds_no_longer_fit_32_bits(
    town_at: TownAt, instant: datetime, figure: Figure
) -> None:
    town = town_at(instant)
    visitor, reader = town.visitor(), town.people.reader
    assert visitor.give_password(reader).location == "/log-in/set-up"
    reader.phone = Phone(visitor.get("/log-in/set-up").key)
    visitor.post("/log-in/set-up", code=reader.phone.code(town.clock()), name="Phone")
    assert visitor.location == "/account/security/recovery-codes?next=/"
    assert "today, 12:0" in visitor.get("/account/security/methods").text
    assert visitor.post("/log-out").status == 303
    town.clock.next_step()
    entered = town.enter(visitor, reader).location
    figure("D5 dates beyond 32 bits", dates=1, log_ins_refused=int(entered != "/"))
    assert entered == "/", visitor.text
    assert visitor.get("/account").status == 200
    assert " 500 " not in town.server.log


@pytest.mark.parametrize(
    ("zone", "change"),
    either(CHANGES[1:2], CHANGES),
)
def test_codes_logins_and_pauses_know_nothing_of_summer_time(
    town_at: TownAt, zone: str, change: datetime, figure: Figure
) -> None:
    town = town_at(change - timedelta(minutes=1), zone)
    editor, admin = town.people.editor, town.people.admin
    assert admin.phone is not None
    early, guesser = town.visitor(), town.visitor()
    assert town.enter(early, editor).location == "/", early.text
    guesser.give_password(admin)
    for status in [422] * 5 + [429]:
        assert guesser.submit("/log-in/code", code=admin.phone.wrong_code(town.clock())).status == status

    wrong = []
    minutes_after = (1, 30, 59, 61)
    for minutes in minutes_after:
        town.go_to(change + timedelta(minutes=minutes))
        kept = early.get("/account").status
        late = town.enter(town.visitor(), editor)
        guess = town.enter(town.visitor(), admin)
        wanted = (200, "/", 429 if minutes == 1 else 303)  # the pause of five minutes, and no other
        if (kept, late.location, guess.status) != wanted:
            wrong.append(f"{minutes} minutes after the change: {kept}, {late.text}, {guess.text}")
    figure("D5 summer time", changes=1, log_ins=2 * len(minutes_after), went_wrong=len(wrong))
    assert not wrong
