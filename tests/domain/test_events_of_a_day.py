"""A day in which everything happens once: no event holds a secret, and no kind of event is there for nothing."""

import json
from dataclasses import replace

from mfaportal.domain import (
    access_security,
    accounts,
    authenticators,
    logins,
    members,
    one_time_links,
    portals,
    set_up,
)
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.outcomes import Created, LinkMade, LoggedIn, SetUpDone
from mfaportal.models import Event, EventKind, LinkKind, Visibility
from mfaportal.plumbing.tokens import digest
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests.domain.scene import ADMIN, EDITOR, OPERATOR, READER, Scene
from tests.people import PORTAL
from tests.phone import Phone
from tests.stored import stored

NEW_PASSWORD = "nine kettles in the attic"


def an_operators_morning(scene: Scene) -> None:
    cli = scene.cli
    access_security.change(cli, PORTAL, visibility=Visibility.PUBLIC, rule=MfaRule.EVERYONE, apply_now=True)
    portals.create(cli, "Harbour", "harbour")
    accounts.suspend(cli, READER, "left")
    accounts.restore(cli, READER)
    accounts.unlock(cli, READER)
    accounts.end_logins(cli, READER)
    accounts.change_operator(cli, EDITOR, operator=True)
    members.change_role(cli, PORTAL, READER, MemberRole.ADMIN)
    members.add(cli, PORTAL, OPERATOR, MemberRole.READER)
    members.remove(cli, PORTAL, OPERATOR)
    authenticators.reset(cli, READER, "lost phone", new_password_too=False)


def live_through_everything(scene: Scene) -> list[str]:
    """A day in the life of the portal; the secrets that went through it."""
    cli, reader, stranger = scene.cli, scene.people.reader, scene.stranger
    an_operators_morning(scene)
    half = scene.log_in(reader)
    secret = set_up.begin(half)
    phone = Phone(secret)
    code, wrong = phone.code(scene.clock()), phone.wrong_code(scene.clock())
    assert isinstance(set_up.finish(half, code, "My phone", end_others=True), SetUpDone)
    logins.confirm_by_code(half, code)
    scene.clock.advance(minutes=1)
    half = replace(half, now=scene.clock())
    later = phone.code(scene.clock())
    logins.confirm_by_code(half, later)
    second = set_up.begin(half)
    assert isinstance(set_up.finish(half, Phone(second).code(half.now), "Tablet", end_others=False), SetUpDone)
    authenticators.rename(half, 1, "Phone")
    authenticators.delete_app(half, 2, end_others=False)
    accounts.rename(half, "Reader the Second")
    again = replace(scene.log_in(reader), now=scene.clock())
    for typed in (wrong, later, "12345", *[wrong] * 4):
        logins.enter_code(again, typed)
    logins.log_in(stranger, "mistyped-secret@example.org", "mistyped-secret", device=None, old_token=None)
    accounts.suspend(cli, EDITOR, "left")
    logins.log_in(stranger, "editor@example.org", reader.password, device=None, old_token=None)
    link = one_time_links.make_reset_link(cli, READER)
    assert isinstance(link, LinkMade)
    one_time_links.take(stranger, link.token, LinkKind.RESET, password=NEW_PASSWORD)
    made = accounts.create(cli, Newcomer("invited@example.org", "Invited"))
    assert isinstance(made, Created)
    token = logins.log_in(stranger, "admin@example.org", reader.password, device=None, old_token=None)
    assert isinstance(token, LoggedIn)
    logins.log_out(replace(stranger, account_id=ADMIN), digest(token.token))
    secrets = [
        secret,
        second,
        code,
        wrong,
        later,
        reader.password,
        "mistyped-secret",
        link.token,
        NEW_PASSWORD,
        token.token,
    ]
    return [*secrets, made.token or "", "12345"]


def test_no_event_holds_a_secret_or_what_a_stranger_typed(scene: Scene) -> None:
    with scene.app.app_context():
        secrets = live_through_everything(scene)
    events = stored(scene.app, Event)
    text = json.dumps([[event.kind, event.details, event.browser, event.address] for event in events])
    assert [secret for secret in secrets if secret in text] == []
    assert "@" not in text, "who it was is a number, so that an e-mail that changes or goes is nowhere else"


def test_there_is_no_kind_that_nothing_writes(scene: Scene) -> None:
    with scene.app.app_context():
        live_through_everything(scene)
    assert {event.kind for event in stored(scene.app, Event)} == set(EventKind)
