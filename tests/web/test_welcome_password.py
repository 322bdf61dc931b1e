"""The password that somebody chooses: long, and not one that others would think of. Nothing else is asked of it."""

import unicodedata
from collections.abc import Callable

import pytest
from flask import Flask

from mfaportal.models import Account
from tests.browser_client import Browser
from tests.first_start import EMAIL, welcome
from tests.people import Person
from tests.stored import stored

EASY = "This password is too easy to guess. Choose one that nobody else has."


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "Enter a password."),
        ("eleven char", "Use at least 12 characters."),
        ("🦊" * 11, "Use at least 12 characters."),
        ("ab " * 85 + "ab", "Use at most 256 characters."),
        ("administrator", EASY),
        ("AdMiNiStRaToR", EASY),
        ("passwordpassword", EASY),
        ("harbour data", EASY),
        ("HarbourData2026!", EASY),
        ("data harbour data", EASY),
        ("ada.keeper@example.org", EASY),
        ("ada.keeper.example", EASY),
        ("AdaKeeper 1815", EASY),
        ("mfaportal mfaportal", EASY),
    ],
)
def test_a_weak_password_is_refused_and_not_shown_again(
    app: Flask, browser: Browser, token: str, password: str, words: str
) -> None:
    page = welcome(browser, token, password=password)
    assert page.status == 422
    assert words in page.text
    assert page.form("Create").fields["password"] == ""
    assert page.form("Create").fields["email"] == EMAIL
    assert stored(app, Account) == []


@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "abcdefghijklmno",
        "a" * 64,
        "qzjvkwmxpbtghdn",
        "w" + "ave on wave " * 5 + "end",
        "ave on wave " * 10 + "the end.",
        "ave on wave " * 21 + "end!",
        "  leading and trailing  ",
        "🦊🐢🦉🐙🦊🐝🐢🦋🐌🦉🐙🐞",
        "пароль из слов",
        "\"'<>&%00\\\t;--",
    ],
    ids=[
        "12",
        "a row of letters",
        "one letter",
        "lower case",
        "64",
        "128",
        "256",
        "spaces",
        "emoji",
        "Cyrillic",
        "signs",
    ],
)
def test_a_password_needs_length_and_nothing_else(
    browser: Browser, new_browser: Callable[[], Browser], token: str, password: str
) -> None:
    assert welcome(browser, token, password=password).status == 303
    assert new_browser().give_password(Person(1, EMAIL, "Ada", password=password)).status == 303
    assert new_browser().give_password(Person(1, EMAIL, "Ada", password=password[:-1])).status == 422


@pytest.mark.parametrize(("chosen", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_composed_and_a_decomposed_letter_are_one(
    browser: Browser, new_browser: Callable[[], Browser], token: str, chosen: str, typed: str
) -> None:
    password = "café crème brûlée"
    welcome(browser, token, password=unicodedata.normalize(chosen, password))  # type: ignore[arg-type]
    typed_so = unicodedata.normalize(typed, password)  # type: ignore[arg-type]
    assert new_browser().give_password(Person(1, EMAIL, "Ada", password=typed_so)).status == 303
    assert new_browser().give_password(Person(1, EMAIL, "Ada", password="cafe creme brulee")).status == 422
