"""Recovery codes: ten of 80 bits, and what somebody may have typed when they mean one."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfaportal.rules.recovery_codes import A_SET, CODE_BYTES, LOW, clean, code_of

CODE, SHOWN = "ABCDEFGH234567QZ", "ABCD-EFGH-2345-67QZ"


def test_a_code_is_eighty_bits_in_sixteen_base32_characters_in_groups_of_four() -> None:
    assert (A_SET, LOW, CODE_BYTES) == (10, 3, 10)
    assert code_of(bytes(10)) == "AAAA-AAAA-AAAA-AAAA"
    assert code_of(b"\xff" * 10) == "7777-7777-7777-7777"
    assert code_of(bytes(range(10))) == "AAAQ-EAYE-AUDA-OCAJ"


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        SHOWN,
        CODE.lower(),
        f"  {SHOWN.lower()} ",
        "abcd efgh 2345 67qz",
        "ABCD--EFGH - 234567 QZ" + " " * 40,
        "-".join(CODE),
    ],
)
def test_case_spaces_and_dashes_do_not_matter(typed: str) -> None:
    assert clean(typed) == CODE


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "-" * 16,
        CODE[:15],
        CODE + "A",
        CODE[:15] + "1",
        CODE[:15] + "0",
        CODE[:15] + "8",
        CODE[:15] + "=",
        CODE[:15] + "_",
        CODE + "\n",
        CODE + "\t",
        CODE + "\x00",
        CODE[:8] + "\u00a0" + CODE[8:],
        CODE[:8] + "\u2011" + CODE[8:],
        CODE[:15] + "\u0131",
        CODE[:15] + "\u017f",
        CODE[:14] + "\ufb01",
        CODE.translate({ord(letter): ord(letter) + 0xFEE0 for letter in CODE}),
        "\ud800" + CODE,
        CODE + " " * 49,
        CODE + " " * 60_000,
        "123456",
    ],
)
def test_nothing_else_is_one(typed: str) -> None:
    """Letters that a change of case would turn into others neither: a long s is no S."""
    assert clean(typed) is None


@given(st.text(max_size=80) | st.text("ABCdef2-7 -\n\x00", max_size=80))
def test_whatever_is_typed_is_sixteen_characters_or_nothing(typed: str) -> None:
    code = clean(typed)
    if code is None:
        return
    assert re.fullmatch(r"[A-Z2-7]{16}", code, re.ASCII)
    assert typed.isascii()
    assert code == typed.replace("-", "").replace(" ", "").upper()


@given(st.binary(min_size=10, max_size=10))
def test_what_is_shown_can_be_typed(drawn: bytes) -> None:
    """And no two draws are shown alike."""
    code = clean(code_of(drawn).lower())
    assert code is not None
    assert base64.b32decode(code) == drawn
