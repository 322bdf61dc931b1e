from datetime import UTC, datetime, timedelta

from mfaportal.rules.mail_retries import next_try

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_mail_that_fails_all_day_is_tried_less_and_less_often_and_then_no_more() -> None:
    dies_at, now, minutes = NOW + timedelta(hours=24), NOW, []
    for tries in range(1, 100):
        instant = next_try(tries, now, dies_at)
        if instant is None:
            break
        minutes.append((instant - now) / timedelta(minutes=1))
        now = instant
    assert minutes == [0.5, 2, 10, 30, 60, *[180] * 7]
    assert dies_at - now < timedelta(hours=3)


def test_nothing_is_tried_once_its_link_is_dead() -> None:
    assert next_try(3, NOW, NOW + timedelta(minutes=10)) is None
    assert next_try(3, NOW, NOW + timedelta(minutes=10, microseconds=1)) == NOW + timedelta(minutes=10)
    assert next_try(1, NOW, NOW - timedelta(days=1)) is None
