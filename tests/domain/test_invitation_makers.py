"""An invitation works as long as whoever made it could make it: in its portal, whatever they are in another."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mfaportal.models import Account, Invitation, Membership, Portal
from mfaportal.models.invitation import still_works
from mfaportal.plumbing.db import transaction
from tests.domain.scene import Scene


def _invite(session: Session, scene: Scene, portal_id: int, name: str) -> int:
    now = scene.clock()
    invitation = Invitation(
        portal_id=portal_id,
        email=f"{name}@example.org",
        role="reader",
        token_digest=name.encode().ljust(32)[:32],
        made_by=scene.people.admin.id,
        made_at=now,
        expires_at=now + timedelta(days=7),
    )
    session.add(invitation)
    session.flush()
    return invitation.id


@pytest.mark.parametrize("role", ["admin", "editor", None])
def test_an_admin_of_another_portal_only_has_no_say_in_it(scene: Scene, role: str | None) -> None:
    with scene.app.app_context(), transaction() as session:
        here = session.query(Portal).one()
        elsewhere = Portal(slug="other", name="Other", created_at=scene.clock())
        session.add(elsewhere)
        session.flush()
        admin = scene.people.admin.id
        session.add(Membership(account_id=admin, portal_id=elsewhere.id, role="admin", since=scene.clock()))
        own = session.get_one(Membership, {"account_id": admin, "portal_id": here.id})
        invitation, other = _invite(session, scene, here.id, "here"), _invite(session, scene, elsewhere.id, "there")
        if role is None:
            session.delete(own)
        else:
            own.role = role
        session.flush()
        works = set(session.scalars(select(Invitation.id).where(still_works(scene.clock()))))
        assert works == ({invitation, other} if role == "admin" else {other})
        assert session.get_one(Account, admin).suspended_at is None
