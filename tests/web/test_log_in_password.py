"""Passwords at log-in: compared exactly, kept as Argon2id digests, and no longer than today's parameters ask."""

import re
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type
from flask import Flask
from sqlalchemy import update

from mfaportal.models import Account, Login
from mfaportal.plumbing import passwords
from mfaportal.plumbing.db import transaction
from tests.browser_client import Browser
from tests.people import Cast, Person
from tests.stored import stored, the_one

WRONG = "E-mail or password is wrong."
GUESS = "wrong horse battery staple"


def change_account(app: Flask, person: Person, **facts: object) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Account).where(Account.id == person.id).values(**facts))


@pytest.mark.parametrize("change", ["{} ", " {}", "{}\t", "{}.", "{}\u00a0"])
def test_every_character_of_the_password_matters(browser: Browser, people: Cast, change: str) -> None:
    page = browser.give_password(people.reader, password=change.format(people.reader.password))
    assert page.status == 422
    assert WRONG in page.text


def test_the_case_of_the_password_matters(browser: Browser, people: Cast) -> None:
    assert browser.give_password(people.reader, password=people.reader.password.upper()).status == 422


@pytest.mark.parametrize("length", [256, 257, 1024, 60_000])
def test_a_very_long_password_is_wrong_like_any_other(
    app: Flask, browser: Browser, people: Cast, verified: list[str], length: int
) -> None:
    page = browser.give_password(people.reader, password="a" * length)
    assert (page.status, WRONG in page.text) == (422, True)
    assert len(verified) == 2
    assert stored(app, Login) == []


def test_a_right_password_costs_one_digest(browser: Browser, people: Cast, verified: list[str]) -> None:
    """Whoever has it learns that it is right; a wrong one costs two, whatever the address."""
    assert browser.give_password(people.reader).status == 303
    assert len(verified) == 1


@pytest.mark.usefixtures("owasp_hashes")
def test_passwords_are_kept_as_owasp_advises(app: Flask, browser: Browser, people: Cast) -> None:
    """Argon2id with at least 19 MiB and two passes, and a salt of its own."""
    with app.app_context():
        digests = [passwords.hash_password(people.reader.password) for _ in range(2)]
    assert digests[0] != digests[1]
    match = re.fullmatch(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)", digests[0])
    assert match is not None
    memory, passes, lanes = map(int, match.groups()[:3])
    assert (memory >= 19 * 1024, passes >= 2, lanes) == (True, True, 1)
    assert len(match[4]) >= 22, "128 bits of salt"


@pytest.mark.usefixtures("owasp_hashes")
@pytest.mark.parametrize(
    "older",
    [
        PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.I),
    ],
    ids=["weaker", "other kind"],
)
def test_a_digest_with_other_parameters_is_replaced_at_the_next_log_in(
    app: Flask, new_browser: Callable[[], Browser], people: Cast, older: PasswordHasher
) -> None:
    old = older.hash(people.reader.password)
    change_account(app, people.reader, password_digest=old)
    new_browser().give_password(people.reader, password=GUESS)
    assert the_one(app, Account, id=people.reader.id).password_digest == old, "a wrong password replaces nothing"
    assert new_browser().log_in(people.reader).status == 303
    new = the_one(app, Account, id=people.reader.id).password_digest
    assert new.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert new_browser().log_in(people.reader).status == 303
    assert the_one(app, Account, id=people.reader.id).password_digest == new, "and then it stays"


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_damaged_digest_lets_nobody_in(app: Flask, browser: Browser, people: Cast, damaged: str) -> None:
    change_account(app, people.reader, password_digest=damaged)
    assert browser.give_password(people.reader).status == 422
    assert browser.give_password(people.reader, password=damaged or "x").status == 422
    assert stored(app, Login) == []


def test_the_password_that_is_judged_for_nobody_lets_nobody_in(
    app: Flask, browser: Browser, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was thrown away; and if somebody found it, an account that has no password yet would still not open."""
    monkeypatch.setattr(passwords, "_NOBODYS", passwords.hash_password("thrown away, and found"))
    change_account(app, people.reader, password_digest=None)
    for email in (people.reader.email, "unknown@example.org"):
        assert browser.submit("/log-in", email=email, password="thrown away, and found").status == 422
    assert stored(app, Login) == []
