"""Asking for access as an operation: what happens between the page and the row."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from mfaportal.domain import access_requests
from mfaportal.domain.outcomes import AccountRefusal, Done, RequestRefusal
from mfaportal.domain.stranger_rows import Wish
from mfaportal.models import AccessRequest, Event, EventKind, Portal
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.passwords import hash_password
from tests.domain.scene import Scene
from tests.people import PORTAL, add_person
from tests.stored import stored

WISH = Wish("new@example.org", "New", "nine kettles in the attic", "Please")


def _policy(scene: Scene, policy: str) -> None:
    with scene.app.app_context(), transaction() as session:
        session.execute(update(Portal).values(sign_up=policy))


@pytest.fixture(autouse=True)
def _open(scene: Scene) -> None:
    _policy(scene, "approval")


@pytest.fixture
def while_hashing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen between the two transactions of a stranger's request."""

    def arrange(happens: Callable[[], object]) -> None:
        def hash_then(password: str) -> str:
            happens()
            return hash_password(password)

        monkeypatch.setattr(access_requests, "hash_password", hash_then)

    return arrange


def test_a_portal_that_closes_while_a_password_is_hashed_takes_nothing(
    scene: Scene, while_hashing: Callable[[Callable[[], object]], None]
) -> None:
    while_hashing(lambda: _policy(scene, "closed"))
    with scene.app.app_context():
        assert access_requests.ask_as_stranger(scene.stranger, PORTAL, WISH) is RequestRefusal.CLOSED
    assert stored(scene.app, AccessRequest) == []


def test_an_account_made_while_a_password_is_hashed_is_not_touched(
    scene: Scene, while_hashing: Callable[[Callable[[], object]], None]
) -> None:
    while_hashing(lambda: add_person(scene.clock, WISH.email, "Owner", None))
    with scene.app.app_context():
        assert access_requests.ask_as_stranger(scene.stranger, PORTAL, WISH) == Done()
    assert [request.state for request in stored(scene.app, AccessRequest)] == ["decoy"]
    assert stored(scene.app, Event)[-1].kind == EventKind.REQUEST_IGNORED


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (replace(WISH, email="new@"), AccountRefusal.BAD_EMAIL),
        (replace(WISH, name="\u200b"), AccountRefusal.BAD_NAME),
    ],
)
def test_what_makes_no_sense_costs_no_attempt(scene: Scene, wish: Wish, refusal: AccountRefusal) -> None:
    with scene.app.app_context():
        for _ in range(5):
            assert access_requests.ask_as_stranger(scene.stranger, PORTAL, wish) is refusal
        access_requests.ask_as_stranger(scene.stranger, PORTAL, WISH)
    assert len(stored(scene.app, AccessRequest)) == 1


def test_a_member_cannot_ask_whatever_the_page_thought(scene: Scene) -> None:
    with scene.app.app_context():
        for person in (scene.people.reader, scene.people.operator):
            caller = scene.log_in(person)
            assert access_requests.ask(caller, PORTAL, "Please") is RequestRefusal.MEMBER
            assert access_requests.ask(caller, "nowhere", "Please") is RequestRefusal.CLOSED
            assert access_requests.withdraw(caller, PORTAL) is RequestRefusal.NOT_OPEN
    assert stored(scene.app, AccessRequest) == []


def test_an_account_made_on_the_command_line_declines_what_strangers_with_its_address_asked(scene: Scene) -> None:
    """Whose password theirs was nobody knows: it is gone, and opens nothing of the account."""
    with scene.app.app_context():
        access_requests.ask_as_stranger(scene.stranger, PORTAL, WISH)
        add_person(scene.clock, WISH.email, "Owner", "reader")
    (request,) = stored(scene.app, AccessRequest)
    assert (request.state, request.password_digest, request.account_id) == ("declined", None, None)
