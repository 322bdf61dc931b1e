"""Passwords that many have. How much a strange one costs is counted: whoever may type one may type a thousand."""

from time import thread_time

import pytest

from mfaportal.plumbing.common_passwords import is_common

OWN = ("harbourdata", "ada.keeper")
SIGNS = "4@8({[<3691!|705$+%2"
"""All that can stand for letters."""


@pytest.mark.parametrize(
    "password",
    [
        "administrator",
        "AdMiNiStRaToR",
        "rotartsinimda",
        "4dm1n1str4tor",
        "@dministr@t0r",
        "1qaz2wsx3edc",
        "password1234",
        "P@ssw0rd1234",
        "password" * 3,
        "drowssap" * 2,
        "P@ssw0rd" * 2,
        "password" * 20,
        "monkey12" * 2,
        "dragon! " * 3 + "dragon! ",
        "password1234".translate({sign: sign + 0xFEE0 for sign in range(0x21, 0x7F)}),  # of full width
        "HarbourData" * 2,
        "h4rb0urd4t4",
        "repeek.ada",
    ],
)
def test_one_word_is_common_however_it_is_written(password: str) -> None:
    assert is_common(password, OWN)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "abcdefghefgh",
        "a" * 64,
        "abc 12 " * 3,
        "the blue boat " * 2,
        "1" * 64,
        "password harbourdata",
        "correct horse",
        "administrator2",
        "é" * 12,
    ],
)
def test_what_is_no_single_word_is_not(password: str) -> None:
    assert not is_common(password, OWN)


def test_words_of_one_are_not_anothers() -> None:
    assert is_common("quarry expansion", ("quarry expansion",))
    assert not is_common("quarry expansion")


@pytest.mark.parametrize(
    "password", [(SIGNS + "4m4n4" * 11)[:72], SIGNS * 3, (SIGNS + "pass") * 3, "\ufdfa" * 256, "1|7" * 24]
)
def test_no_password_costs_more_than_a_page(password: str) -> None:
    """Three seconds, by zxcvbn itself, for the first of these."""
    is_common("warm up once")
    before = thread_time()
    is_common(password, OWN)
    assert thread_time() - before < 0.2
