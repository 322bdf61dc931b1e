"""The published test vectors: RFC 6238, Appendix B (SHA-1; the last six of its eight digits), and RFC 4226, D."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from mfaportal.plumbing.clock import EPOCH
from mfaportal.rules.totp import STEP_SECONDS, ClockOff, Matches, check, step_at
from tests.phone import Phone

SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_6238 = [
    (59, "94287082", 0x1),
    (1111111109, "07081804", 0x23523EC),
    (1111111111, "14050471", 0x23523ED),
    (1234567890, "89005924", 0x273EF07),
    (2000000000, "69279037", 0x3F940AA),
    (20000000000, "65353130", 0x27BC86AA),
]
RFC_4226 = [
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
]


def at(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


@pytest.mark.parametrize(("seconds", "digits", "step"), RFC_6238)
def test_the_vectors_of_rfc_6238_are_right_at_their_time(seconds: int, digits: str, step: int) -> None:
    assert step_at(at(seconds)) == step
    assert check(SECRET, digits[-6:], at(seconds)) == Matches((step,))
    assert check(SECRET, digits[-6:], at(seconds).astimezone()) == Matches((step,)), "whatever the time zone"


@pytest.mark.parametrize(("seconds", "digits", "step"), RFC_6238)
def test_they_are_right_one_step_around_it_and_no_further(seconds: int, digits: str, step: int) -> None:
    code = digits[-6:]
    for steps in (-1, 1):
        moment = seconds + steps * STEP_SECONDS
        assert check(SECRET, code, at(moment)) == Matches((step,))
    assert check(SECRET, code, at(seconds + 2 * STEP_SECONDS)) == ClockOff(step, -2 * STEP_SECONDS)


@pytest.mark.parametrize(("counter", "code"), list(enumerate(RFC_4226)))
def test_the_vectors_of_rfc_4226_are_the_codes_of_the_first_steps(counter: int, code: str) -> None:
    assert check(SECRET, code, at(counter * STEP_SECONDS)) == Matches((counter,))
    assert Phone(SECRET).code(at(counter * STEP_SECONDS)) == code, "the tests' own app agrees"


def test_other_digits_are_wrong_at_those_times() -> None:
    for seconds, digits, _step in RFC_6238:
        assert check(SECRET, f"{(int(digits) + 1) % 1_000_000:06d}", at(seconds)) is None
    assert at(20000000000) == datetime(2603, 10, 11, 11, 33, 20, tzinfo=UTC)
