from datetime import timedelta

from mfaportal.rules import lifetimes


def test_the_durations_are_those_of_the_design() -> None:
    assert timedelta(minutes=10) == lifetimes.HALF_LOGIN_AT_CODE
    assert timedelta(minutes=30) == lifetimes.HALF_LOGIN_AT_SET_UP
    assert timedelta(minutes=30) == lifetimes.PENDING_SECRET
    assert timedelta(minutes=10) == lifetimes.STEP_UP
    assert timedelta(minutes=10) == lifetimes.STEP_UP_GRACE
    assert timedelta(minutes=1) == lifetimes.LAST_SEEN_STEP
    assert timedelta(minutes=30) == lifetimes.RESET_LINK
    assert timedelta(days=7) == lifetimes.INVITATION
    assert timedelta(days=730) == lifetimes.EVENTS_KEPT
    assert timedelta(days=30) == lifetimes.KEPT
