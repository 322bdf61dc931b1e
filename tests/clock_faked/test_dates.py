"""Days on which clocks are known to break: beyond 32 bits, and when an hour is skipped or comes twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.clock_faked.town import Town
from tests.faults.length import either
from tests.phone import Phone

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
    town_at: TownAt, instant: datetime
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
    assert town.enter(visitor, reader).location == "/", visitor.text
    assert visitor.get("/account").status == 200


@pytest.mark.parametrize(
    ("zone", "change"),
    either(CHANGES[1:2], CHANGES),
)
def test_codes_logins_and_pauses_know_nothing_of_summer_time(town_at: TownAt, zone: str, change: datetime) -> None:
    town = town_at(change - timedelta(minutes=1), zone)
    editor, admin = town.people.editor, town.people.admin
    assert admin.phone is not None
    early, guesser = town.visitor(), town.visitor()
    assert town.enter(early, editor).location == "/", early.text
    guesser.give_password(admin)
    for status in [422] * 5 + [429]:
        assert guesser.submit("/log-in/code", code=admin.phone.wrong_code(town.clock())).status == status

    for minutes in (1, 30, 59, 61):
        town.go_to(change + timedelta(minutes=minutes))
        assert early.get("/account").status == 200, f"logged out {minutes} minutes after the change"
        late = town.enter(town.visitor(), editor)
        assert late.location == "/", f"{minutes} minutes after the change: {late.text}"
        paused = minutes == 1
        guess = town.enter(town.visitor(), admin)
        assert guess.status == (429 if paused else 303), f"{minutes} minutes after the change: {guess.text}"
