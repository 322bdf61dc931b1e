"""A login begins only if all that was judged still holds when it does: one statement asks and begins it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from mfaportal.domain import admission, logins
from mfaportal.domain.outcomes import LoggedIn, LoginRefusal, WrongPassword
from mfaportal.models import Account, Login, Membership
from mfaportal.plumbing.db import transaction
from tests.domain.scene import Scene
from tests.stored import stored


def _nothing(_session: Session, _account_id: int, _now: Any) -> None:
    """All stays as it was."""


def _password(session: Session, account_id: int, _now: Any) -> None:
    session.execute(update(Account).where(Account.id == account_id).values(password_digest="$another"))


def _suspended(session: Session, account_id: int, now: Any) -> None:
    session.execute(update(Account).where(Account.id == account_id).values(suspended_at=now))


def _removed(session: Session, account_id: int, _now: Any) -> None:
    session.execute(delete(Membership).where(Membership.account_id == account_id))


def _deleted(session: Session, account_id: int, _now: Any) -> None:
    session.execute(delete(Account).where(Account.id == account_id))


@pytest.mark.parametrize(
    ("happens", "outcome"),
    [
        (_nothing, LoggedIn),
        (_password, WrongPassword),
        (_suspended, LoginRefusal.SUSPENDED),
        (_removed, LoginRefusal.NO_PORTAL),
        (_deleted, WrongPassword),
    ],
)
def test_what_changes_while_a_password_is_judged_is_seen(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, happens: Callable[..., None], outcome: Any
) -> None:
    reader, judge = scene.people.reader, admission.judge

    def judged(*arguments: Any) -> Any:
        right = judge(*arguments)
        with transaction() as session:
            happens(session, reader.id, scene.clock())
        return right

    monkeypatch.setattr(admission, "judge", judged)
    with scene.app.app_context():
        found = logins.log_in(scene.stranger, reader.email, reader.password, device=None, old_token=None)
    assert found == outcome or (isinstance(outcome, type) and isinstance(found, outcome)), found
    assert len(stored(scene.app, Login)) == (1 if isinstance(found, LoggedIn) else 0)
