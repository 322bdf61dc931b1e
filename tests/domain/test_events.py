"""The audit log: each operation writes its event beside its change, and none writes a secret."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import delete

from mfaportal.domain import (
    access_security,
    accounts,
    authenticators,
    members,
    one_time_links,
    portals,
)
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.caller import Caller
from mfaportal.models import Account, Event, EventKind, Login, Portal, Visibility
from mfaportal.plumbing.db import transaction
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests.domain.scene import EDITOR, OPERATOR, READER, Scene, written
from tests.people import PORTAL, give_app
from tests.stored import stored


@dataclass(frozen=True)
class Row:
    """An operation of the command line, and the one event that it writes."""

    act: Callable[[Caller], object]
    kind: EventKind
    account: int | None
    portal: int | None
    details: dict[str, object]


ROWS = {
    "change who may enter and whom the rule covers": Row(
        lambda cli: access_security.change(
            cli, PORTAL, visibility=Visibility.PUBLIC, rule=MfaRule.EVERYONE, apply_now=True
        ),
        EventKind.PORTAL_ACCESS_CHANGED,
        None,
        1,
        {"rule": ["off", "everyone"], "visibility": ["private", "public"], "apply_now": True},
    ),
    "add a portal": Row(
        lambda cli: portals.create(cli, "Harbour", "harbour"),
        EventKind.PORTAL_CREATED,
        None,
        2,
        {"slug": "harbour"},
    ),
    "suspend": Row(
        lambda cli: accounts.suspend(cli, READER, "left"),
        EventKind.ACCOUNT_SUSPENDED,
        READER,
        None,
        {"reason": "left"},
    ),
    "unlock": Row(lambda cli: accounts.unlock(cli, READER), EventKind.ACCOUNT_UNLOCKED, READER, None, {}),
    "end logins": Row(
        lambda cli: accounts.end_logins(cli, READER), EventKind.LOGINS_ENDED, READER, None, {"logins": 0}
    ),
    "make an operator": Row(
        lambda cli: accounts.change_operator(cli, EDITOR, operator=True),
        EventKind.OPERATOR_CHANGED,
        EDITOR,
        None,
        {"operator": True},
    ),
    "change a role": Row(
        lambda cli: members.change_role(cli, PORTAL, READER, MemberRole.ADMIN),
        EventKind.ROLE_CHANGED,
        READER,
        1,
        {"role": ["reader", "admin"]},
    ),
    "change a role on the command line": Row(
        lambda cli: members.add(cli, PORTAL, READER, MemberRole.ADMIN),
        EventKind.ROLE_CHANGED,
        READER,
        1,
        {"role": ["reader", "admin"]},
    ),
    "add a member": Row(
        lambda cli: members.add(cli, PORTAL, OPERATOR, MemberRole.READER),
        EventKind.MEMBER_ADDED,
        OPERATOR,
        1,
        {"role": "reader"},
    ),
    "remove a member": Row(
        lambda cli: members.remove(cli, PORTAL, READER), EventKind.MEMBER_REMOVED, READER, 1, {}
    ),
    "make a reset link": Row(
        lambda cli: one_time_links.make_reset_link(cli, READER),
        EventKind.LINK_MADE,
        READER,
        None,
        {"link": "reset"},
    ),
    "reset MFA": Row(
        lambda cli: authenticators.reset(cli, READER, "lost phone", new_password_too=False),
        EventKind.MFA_RESET,
        READER,
        None,
        {"reason": "lost phone", "apps": 0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_an_operator_does_is_noted_once_with_whom_and_where(scene: Scene, row: Row) -> None:
    (event,) = written(scene, lambda: row.act(scene.cli))
    assert (event.kind, event.account_id, event.portal_id) == (row.kind, row.account, row.portal)
    assert event.details == row.details
    assert (event.at, event.source, event.actor_id, event.address) == (scene.clock(), "cli", None, None)


def test_in_a_browser_it_is_noted_who_did_it_and_from_where(scene: Scene) -> None:
    with scene.app.app_context():
        operator = scene.log_in(scene.people.operator)
    (event,) = written(scene, lambda: accounts.suspend(operator, READER, "left"))
    assert (event.source, event.actor_id, event.account_id) == ("web", OPERATOR, READER)
    assert (event.address, event.browser) == ("192.0.2.7", "Lynx/2.9")


def test_making_an_account_notes_account_membership_and_link(scene: Scene) -> None:
    newcomer = Newcomer("new@example.org", "New", None, operator=False, portal=PORTAL, role=MemberRole.EDITOR)
    events = written(scene, lambda: accounts.create(scene.cli, newcomer))
    assert [(event.kind, event.account_id, event.portal_id, event.details) for event in events] == [
        ("account:created", 5, None, {"operator": False}),
        ("membership:added", 5, 1, {"role": "editor"}),
        ("link:made", 5, None, {"link": "invitation"}),
    ]


def test_what_is_refused_or_changes_nothing_is_not_noted_as_done(scene: Scene) -> None:
    acts: list[Callable[[Caller], object]] = [
        lambda cli: accounts.suspend(cli, 99, ""),
        lambda cli: accounts.suspend(cli, OPERATOR, ""),
        lambda cli: accounts.restore(cli, READER),
        lambda cli: accounts.change_operator(cli, READER, operator=False),
        lambda cli: accounts.change_operator(cli, OPERATOR, operator=False),
        lambda cli: accounts.create(cli, Newcomer(" READER@example.org", "Again")),
        lambda cli: accounts.create(cli, Newcomer("no address", "Nobody")),
        lambda cli: members.change_role(cli, PORTAL, READER, MemberRole.READER),
        lambda cli: members.remove(cli, PORTAL, OPERATOR),
        lambda cli: members.add(cli, "nowhere", READER, MemberRole.READER),
        lambda cli: portals.create(cli, "City data again", PORTAL),
        lambda cli: portals.create(cli, "\u200b", "fine"),
        lambda cli: one_time_links.make_reset_link(cli, 99),
        lambda cli: access_security.change(cli, PORTAL, visibility=None, rule=MfaRule.OFF, apply_now=False),
    ]
    for number, act in enumerate(acts):
        assert written(scene, lambda act=act: act(scene.cli)) == [], number  # type: ignore[misc]


def test_an_operation_that_fails_takes_its_event_back(scene: Scene) -> None:
    """A name that another request took meanwhile: the change is rolled back, and its event with it."""
    with scene.app.app_context():
        give_app(scene.people.reader, scene.clock, "Phone")
        give_app(scene.people.reader, scene.clock, "Tablet")
        reader = scene.log_in(scene.people.reader)
        with transaction() as session:
            session.get_one(Login, reader.login_id).second_factor_at = scene.clock()
    assert written(scene, lambda: authenticators.rename(reader, 2, "PHONE")) == []
    (event,) = written(scene, lambda: authenticators.rename(reader, 2, "Watch"))
    assert (event.kind, event.details) == ("authenticator:renamed", {"app": 2})


def test_events_outlive_the_people_and_portals_in_them(scene: Scene) -> None:
    written(scene, lambda: members.change_role(scene.cli, PORTAL, READER, MemberRole.EDITOR))
    before = stored(scene.app, Event)
    with scene.app.app_context(), transaction() as session:
        session.execute(delete(Account))
        session.execute(delete(Portal))
    assert stored(scene.app, Event) == before
