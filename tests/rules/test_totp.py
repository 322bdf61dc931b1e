"""Codes: what is one, which step it fits, and what a wrong one may mean. The codes come from the tests' own phone."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfaportal.rules.totp import (
    ClockOff,
    Matches,
    check,
    clean_code,
    grouped,
    new_secret,
    provisioning_uri,
    step_at,
)
from tests.phone import Phone

KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = datetime(2026, 3, 2, 9, 0, 15, tzinfo=UTC)
PHONE = Phone(KEY)
TWIN_STEP = 59_141_677
"""Of this key, the code at this step and the one before it are the same."""


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123456", "123456"),
        ("012345", "012345"),
        ("000000", "000000"),
        ("123 456", "123456"),
        (" 1 2 3 4 5 6 ", "123456"),
        ("   123456" + " " * 20, "123456"),
    ],
)
def test_six_digits_are_a_code_with_spaces_and_leading_zeros(typed: str, code: str) -> None:
    assert clean_code(typed) == code


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "12345",
        "1234567",
        "12345a",
        "abcdef",
        "-12345",
        "+12345",
        "1.2345",
        "0x1234",
        "1e5000",
        "123-456",
        "123\t456",
        "123\n456",
        "123456\n",
        "\n123456",
        "123456\r\n",
        "123\u00a0456",
        "123\u2009456",
        "123\u3000456",
        "123\u200b456",
        "\ufeff123456",
        "123456\x00",
        "\x00123456",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "12345\uff16",
        "\u0661\u0662\u0663\u0664\u0665\u0666",
        "\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6",
        "\u0967\u0968\u0969\u096a\u096b\u096c",
        "\U0001d7cf\U0001d7d0\U0001d7d1\U0001d7d2\U0001d7d3\U0001d7d4",
        "\u2460\u2461\u2462\u2463\u2464\u2465",
        "\u00b9\u00b2\u00b3\u2074\u2075\u2076",
        "12345\u00b2",
        "\ud800",
        "12345\ud800",
        "' OR 1=1",
        "%00",
        "123456" + " " * 59,
        " " * 64,
        "1" * 100_000,
        "\u0315\u0300" * 200_000,
    ],
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert clean_code(typed) is None


@given(st.text())
def test_a_code_is_six_ascii_digits_or_none(typed: str) -> None:
    code = clean_code(typed)
    assert code is None or (len(code) == 6 and code.isascii() and code.isdigit())


@pytest.mark.parametrize("drift", [-1, 0, 1])
def test_one_step_of_drift_is_accepted_each_way(drift: int) -> None:
    assert check(KEY, PHONE.code(NOW, drift), NOW) == Matches((step_at(NOW) + drift,))


@pytest.mark.parametrize("drift", [*range(-10, -1), *range(2, 11)])
def test_up_to_ten_steps_of_drift_are_explained_and_not_accepted(drift: int) -> None:
    assert check(KEY, PHONE.code(NOW, drift), NOW) == ClockOff(step_at(NOW) + drift, drift * 30)


@pytest.mark.parametrize("drift", [-1000, -12, -11, 11, 12, 1000])
def test_beyond_that_a_code_is_just_wrong(drift: int) -> None:
    assert check(KEY, PHONE.code(NOW, drift), NOW) is None


def test_a_code_of_another_key_is_wrong() -> None:
    other = Phone("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert check(KEY, other.code(NOW), NOW) is None


def test_the_window_moves_with_the_step_and_not_within_it() -> None:
    start = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
    code = PHONE.code(start)
    for second in (0, 29.999999):
        assert check(KEY, code, start + timedelta(seconds=second)) == Matches((step_at(start),))
    assert isinstance(check(KEY, code, start + timedelta(seconds=59.999999)), Matches)
    assert check(KEY, code, start + timedelta(seconds=60)) == ClockOff(step_at(start), -60)
    assert isinstance(check(KEY, code, start - timedelta(seconds=30)), Matches)
    assert check(KEY, code, start - timedelta(seconds=30.000001)) == ClockOff(step_at(start), 60)


@pytest.mark.parametrize("here", [TWIN_STEP - 1, TWIN_STEP])
def test_a_code_that_fits_two_steps_names_both_the_newer_first(here: int) -> None:
    moment = datetime.fromtimestamp(here * 30, UTC)
    assert check(KEY, PHONE.code(moment), moment) == Matches((TWIN_STEP, TWIN_STEP - 1))


def test_a_code_right_now_is_never_explained_by_another_time() -> None:
    moment = NOW
    for _ in range(200):
        moment += timedelta(seconds=30)
        assert isinstance(check(KEY, PHONE.code(moment), moment), Matches)


def test_just_after_1970_no_step_is_negative() -> None:
    early = datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC)
    assert check(KEY, PHONE.code(early), early) == Matches((0,))
    assert check(KEY, PHONE.code(early, 5), early) == ClockOff(5, 150)


@pytest.mark.parametrize(
    ("moment", "step"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 29, 999_999, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC), 1),
        (datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), 2**31 // 30),
        (datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC), 2**32 // 30),
    ],
)
def test_a_step_is_thirty_whole_seconds_since_1970(moment: datetime, step: int) -> None:
    assert step_at(moment) == step


def test_a_set_up_key_has_160_bits_and_is_never_the_same() -> None:
    keys = {new_secret() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(len(key) == 32 and set(key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for key in keys)


def test_the_key_is_shown_in_groups_of_four() -> None:
    assert grouped(KEY) == "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"


@pytest.mark.parametrize(
    ("email", "issuer"),
    [
        ("ada@example.org", "City data"),
        ("ada+x@example.org", "A & B: 100% café/☕?#"),
        ("ada@xn--bcher-kva.example", "x=y&secret=AAAA"),
    ],
)
def test_the_link_names_issuer_and_e_mail_and_carries_the_key(email: str, issuer: str) -> None:
    parts = urlsplit(provisioning_uri(KEY, email=email, issuer=issuer))
    fields = parse_qs(parts.query, strict_parsing=True)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    shown = issuer.replace(":", "")  # the one colon parts issuer and e-mail
    assert unquote(parts.path) == f"/{shown}:{email}"
    assert fields == {"secret": [KEY], "issuer": [shown]}
