"""Everything that ends an account's logins, line by line: the one in which it is done, and all others."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from sqlalchemy import select

from mfaportal.domain import (
    accepting,
    accounts,
    authenticators,
    email_changes,
    invitations,
    leaving,
    link_rows,
    login_list,
    members,
    one_time_links,
    password_changes,
    request_decisions,
    set_up,
)
from mfaportal.domain.caller import Caller
from mfaportal.domain.email_changes import EmailChanged
from mfaportal.domain.outcomes import SetUpDone
from mfaportal.domain.request_decisions import Decision, Verdict
from mfaportal.models import AccessRequest, LinkKind, Login, Portal
from mfaportal.plumbing.db import reading, transaction
from mfaportal.rules.roles import MemberRole
from tests.domain.scene import EDITOR, READER, Scene
from tests.people import PORTAL, apps_of, give_app
from tests.phone import Phone
from tests.stored import stored

NEW = "nine kettles in the attic"
OTHER = "other"


@dataclass(frozen=True)
class Ends:
    """What is done, by the reader in `own` or by somebody else, and whether `own` ends, too."""

    act: Callable[[Scene, Caller], object]
    own: bool
    others: bool = True
    with_app: bool = True


def _take_link(scene: Scene, kind: LinkKind) -> object:
    with transaction() as session:
        token = link_rows.make(session, scene.cli, kind, READER)
    name = "Reader" if kind is LinkKind.INVITATION else None
    return one_time_links.take(scene.stranger, token, kind, password=NEW, name=name)


def _move(scene: Scene, by: Caller) -> None:
    with transaction() as session:
        token = link_rows.add(session, scene.cli, LinkKind.EMAIL, READER, email="moved@example.org")[1]
    assert isinstance(email_changes.confirm(by, token), EmailChanged)


def _add_app(_scene: Scene, own: Caller, *, end_others: bool, replaced: int | None = None) -> None:
    key = set_up.begin(own)
    code = Phone(key).code(own.now)
    assert isinstance(set_up.finish(own, code, "New", end_others=end_others, replaced=replaced), SetUpDone)


def _app_id(scene: Scene) -> int:
    return apps_of(scene.people.reader)[0].id


def _other_portal(now: datetime) -> None:
    with transaction() as session:
        portal = Portal(slug=OTHER, name="Other", created_at=now)
        session.add(portal)


def _accept_invitation(scene: Scene, own: Caller) -> None:
    _other_portal(scene.clock())
    made = invitations.invite(scene.cli, OTHER, [scene.people.reader.email], MemberRole.READER)
    assert isinstance(made, list)
    accepting.accept(own, made[0].token or "")


def _accept_request(scene: Scene, _own: Caller) -> None:
    with transaction() as session:
        here = session.scalar(select(Portal.id).where(Portal.slug == PORTAL))
    members.remove(scene.cli, PORTAL, READER)  # which ended them already: begin anew
    with transaction() as session:
        session.query(Login).filter_by(account_id=READER).update({"ended_at": None})
        session.add(AccessRequest(portal_id=here, account_id=READER, made_at=scene.clock()))
    request_decisions.decide(scene.log_in(scene.people.admin), PORTAL, [1], Verdict(Decision.ACCEPT))


ENDS = {
    "a new password by a link": Ends(lambda scene, _: _take_link(scene, LinkKind.RESET), own=True),
    "the first password by a link": Ends(lambda scene, _: _take_link(scene, LinkKind.INVITATION), own=True),
    "another password": Ends(
        lambda scene, own: password_changes.change(own, scene.people.reader.password, NEW), own=False
    ),
    "another e-mail, confirmed here": Ends(_move, own=False),
    "another e-mail, confirmed elsewhere": Ends(lambda scene, _: _move(scene, scene.stranger), own=True),
    "another role": Ends(
        lambda scene, _: members.change_role(scene.cli, PORTAL, READER, MemberRole.EDITOR), own=True
    ),
    "removed from a portal": Ends(lambda scene, _: members.remove(scene.cli, PORTAL, READER), own=True),
    "left a portal": Ends(lambda _, own: leaving.leave(own, PORTAL), own=False),
    "an invitation accepted": Ends(_accept_invitation, own=False),
    "a request accepted": Ends(_accept_request, own=True),
    "made an operator": Ends(lambda scene, _: accounts.change_operator(scene.cli, READER, operator=True), own=True),
    "suspended": Ends(lambda scene, _: accounts.suspend(scene.cli, READER), own=True),
    "logins ended by an operator": Ends(lambda scene, _: accounts.end_logins(scene.cli, READER), own=True),
    "MFA reset": Ends(
        lambda scene, _: authenticators.reset(scene.cli, READER, "lost", new_password_too=False), own=True
    ),
    "the first app": Ends(lambda scene, own: _add_app(scene, own, end_others=False), own=False, with_app=False),
    "a further app, with the box ticked": Ends(lambda scene, own: _add_app(scene, own, end_others=True), own=False),
    "a further app, without": Ends(
        lambda scene, own: _add_app(scene, own, end_others=False), own=False, others=False
    ),
    "an app replaced": Ends(
        lambda scene, own: _add_app(scene, own, end_others=True, replaced=_app_id(scene)), own=False
    ),
    "an app deleted, with the box ticked": Ends(
        lambda scene, own: authenticators.delete_app(own, _app_id(scene), end_others=True), own=False
    ),
    "an app deleted, without": Ends(
        lambda scene, own: authenticators.delete_app(own, _app_id(scene), end_others=False), own=False, others=False
    ),
    "all others logged out": Ends(lambda _, own: login_list.end_others(own), own=False),
    "logged out": Ends(lambda _, own: login_list.end(own, own.login_id or 0), own=True, others=False),
}


def _log_in(scene: Scene) -> Caller:
    """A whole login, written straight into the database where there is an app."""
    caller = scene.log_in(scene.people.reader)
    with transaction() as session:
        login = session.get_one(Login, caller.login_id)
        login.second_factor_at = login.confirmed_at = caller.now
    return caller


def _live() -> set[int]:
    """Of the reader and the editor; not of the admin who may have acted."""
    with reading() as session:
        theirs = Login.account_id.in_((READER, EDITOR))
        return set(session.scalars(select(Login.id).where(Login.ended_at.is_(None), theirs)))


@pytest.mark.parametrize("name", ENDS)
def test_what_ends_which_logins(scene: Scene, name: str) -> None:
    case = ENDS[name]
    with scene.app.app_context():
        if case.with_app:
            give_app(scene.people.reader, scene.clock)
        editor = scene.log_in(scene.people.editor).login_id or 0
        others = {_log_in(scene).login_id or 0, scene.log_in(scene.people.reader).login_id or 0}
        own = _log_in(scene)
        scene.clock.advance(seconds=1)
        case.act(scene, replace(own, now=scene.clock()))
        expected = {editor} | (set() if case.own else {own.login_id}) | (set() if case.others else others)
        assert _live() == expected
    left = [login for login in stored(scene.app, Login) if login.ended_at and login.pending_secret]
    assert left == [], "nor is anything left of a set-up that was begun in one of them"
