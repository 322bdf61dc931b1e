"""What the tests of pages may ask for beside `tests/conftest.py`: work counted, links made."""

from collections.abc import Callable
from typing import Literal

import pytest
from argon2 import PasswordHasher
from flask import Flask

from mfaportal.domain import accounts, one_time_links
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.outcomes import Created, LinkMade
from mfaportal.plumbing import passwords
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.roles import MemberRole
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, Person, on_the_command_line


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests that passwords are held against, one for each time that Argon2 runs."""
    seen: list[str] = []
    hasher = passwords._hasher

    class Noting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  # argon2's own name
            seen.append(str(hash))
            return hasher.verify(hash, password)

    noting = Noting(time_cost=hasher.time_cost, memory_cost=hasher.memory_cost, parallelism=hasher.parallelism)
    monkeypatch.setattr(passwords, "_hasher", noting)
    return seen


@pytest.fixture
def argon2(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Argon2 is asked to do, in order: to hash, or to verify."""
    asked: list[str] = []
    hasher = passwords._hasher

    class Noting(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            asked.append("hash")
            return hasher.hash(password, salt=salt)

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  # argon2's own name
            asked.append("verify")
            return hasher.verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Noting())
    return asked


@pytest.fixture
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests that cost next to nothing: for tests that make many and whose subject is another."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def reset_link(app: Flask, people: Cast, clock: MovableClock) -> Callable[[Person], str]:
    """Makes the path of a reset link as the command line prints it."""

    def make(person: Person) -> str:
        with app.app_context():
            made = one_time_links.make_reset_link(on_the_command_line(clock), person.id)
        assert isinstance(made, LinkMade)
        return f"/reset-password/{made.token}"

    return make


@pytest.fixture
def invitation(app: Flask, people: Cast, clock: MovableClock) -> str:
    """The path of an invitation for a new reader."""
    newcomer = Newcomer("new@example.org", "New", None, operator=False, portal=PORTAL, role=MemberRole.READER)
    with app.app_context():
        made = accounts.create(on_the_command_line(clock), newcomer)
    assert isinstance(made, Created)
    return f"/invitations/{made.token}"


@pytest.fixture
def token(app: Flask) -> str:
    """What the terminal prints at the first start."""
    with app.app_context():
        return runtime().keys.welcome_token
