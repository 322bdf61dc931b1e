"""A day in which everything happens once: no event holds a secret, and no kind of event is there for nothing."""

import json
from dataclasses import replace
from datetime import timedelta

from mfaportal.domain import (
    accepting,
    access_requests,
    access_security,
    accounts,
    authenticators,
    backups,
    cleansing,
    clock_watch,
    confirming,
    copy_target,
    database_copy,
    datasets,
    email_changes,
    events_export,
    hand_offs,
    invitations,
    key_rotation,
    leaving,
    logins,
    members,
    one_time_links,
    outbox,
    password_changes,
    password_resets,
    people_export,
    portals,
    recovery_codes,
    request_decisions,
    set_up,
    sign_up,
)
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.activity import EventsQuery
from mfaportal.domain.caller import Caller
from mfaportal.domain.confirming import Confirmed
from mfaportal.domain.email_changes import EmailChanged
from mfaportal.domain.events_export import Format
from mfaportal.domain.guard_lines import Typed
from mfaportal.domain.hand_offs import HandOff, PassGiven
from mfaportal.domain.member_list import MembersQuery
from mfaportal.domain.outcomes import Created, Invited, Joined, LinkMade, LoggedIn, SetUpDone
from mfaportal.domain.password_changes import PasswordChanged
from mfaportal.domain.request_decisions import Decision, Verdict
from mfaportal.domain.stranger_rows import Wish
from mfaportal.models import AccessRequest, Account, Event, EventKind, LinkKind, SignUp, Visibility
from mfaportal.plumbing.runtime import runtime
from mfaportal.plumbing.tokens import digest, new_token
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests.datasets import add as add_dataset
from tests.datasets import described
from tests.domain.scene import ADMIN, EDITOR, OPERATOR, READER, Scene
from tests.mailing import link_in, mails
from tests.people import PORTAL, Person
from tests.phone import Phone
from tests.stored import stored, the_one

NEW_PASSWORD = "nine kettles in the attic"


def _mail_does_not_get_through(cli: Caller) -> None:
    claimed = outbox.claim(cli)
    assert claimed is not None
    outbox.failed(cli, claimed.id, "no answer", for_good=False)
    outbox.try_again(cli, None)


def an_operators_morning(scene: Scene) -> None:
    cli = scene.cli
    access_security.change(cli, PORTAL, visibility=Visibility.PUBLIC, rule=MfaRule.EVERYONE, apply_now=True)
    portals.create(cli, "Harbour", "harbour", Typed("https://data.example.org", "/admin"))
    portals.rename(cli, "harbour", "The harbour", "the-harbour")
    portals.delete(cli, "the-harbour")
    people_export.export(cli, PORTAL, MembersQuery("somebody@example.org"))
    events_export.export(cli, PORTAL, EventsQuery(person="somebody@example.org"), Format.CSV)
    clock_watch.watch(cli)
    clock_watch.watch(replace(cli, now=cli.now - timedelta(minutes=5)))
    accounts.suspend(cli, READER, "left")
    accounts.restore(cli, READER)
    accounts.unlock(cli, READER)
    _mail_does_not_get_through(cli)
    accounts.end_logins(cli, READER)
    accounts.change_operator(cli, EDITOR, operator=True)
    members.change_role(cli, PORTAL, READER, MemberRole.ADMIN)
    members.add(cli, PORTAL, OPERATOR, MemberRole.READER)
    members.remove(cli, PORTAL, OPERATOR)
    authenticators.reset(cli, READER, "lost phone", new_password_too=False)


def an_editors_afternoon(scene: Scene) -> list[str]:
    """Somebody's words about a dataset, which are nobody else's business."""
    slug = add_dataset(scene.clock, "A typed title", name="typed-name.csv", description="typed words")
    datasets.change(scene.cli, PORTAL, slug, 1, described("Another typed title"), None)
    datasets.delete(scene.cli, PORTAL, slug)
    return ["typed"]


def people_ask_for_access(scene: Scene) -> str:
    """A stranger who is accepted, one who is declined, an address that is known, an account that thinks again."""
    sign_up.change(scene.cli, PORTAL, policy=SignUp.APPROVAL, message_required=False, contact="who@example.org")
    password = "typed by a stranger"
    for email in ("first@example.org", "second@example.org", "editor@example.org"):
        access_requests.ask_as_stranger(
            scene.stranger, PORTAL, Wish(email, "Somebody", password, "mail me: some@where")
        )
    admin = scene.log_in(scene.people.admin)
    ids = [request.id for request in stored(scene.app, AccessRequest)]
    request_decisions.decide(admin, PORTAL, ids[:1], Verdict(Decision.ACCEPT))
    request_decisions.decide(admin, PORTAL, ids[1:], Verdict(Decision.DECLINE, reason="mistyped-secret"))
    portals.create(scene.cli, "Open", "open")
    sign_up.change(scene.cli, "open", policy=SignUp.APPROVAL, message_required=False, contact="")
    access_requests.ask(admin, "open", "mail me: some@where")
    access_requests.withdraw(admin, "open")
    return password


def somebody_signs_up_by_mail(scene: Scene) -> str:
    """Whoever confirms an address is let in; the link's token."""
    settings = runtime().settings
    runtime().settings = replace(settings, mail_url="smtp://127.0.0.1:1")
    sign_up.change(scene.cli, PORTAL, policy=SignUp.OPEN, message_required=False, contact="who@example.org")
    access_requests.ask_as_stranger(
        scene.stranger, PORTAL, Wish("third@example.org", "Somebody", "typed by her", "-")
    )
    token = link_in(mails(scene.app, "confirm-address")[0]).rpartition("/")[2]
    assert isinstance(confirming.confirm(scene.stranger, token, "typed by her"), Confirmed)
    runtime().settings = settings
    return token


def people_who_come_and_go(scene: Scene) -> list[str]:
    """Invited, invited again, accepted, gone; the secrets that went through it."""
    cli, stranger = scene.cli, scene.stranger
    made = invitations.invite(cli, PORTAL, ["a@example.org", "b@example.org"], MemberRole.READER)
    again = invitations.again(cli, PORTAL, 1)
    assert isinstance(made, list)
    assert isinstance(again, Invited)
    invitations.revoke(cli, PORTAL, 2)
    password = "eleven lanterns on a raft"
    joined = accepting.accept_as_new(stranger, again.token or "", name="Ada", password=password)
    assert isinstance(joined, Joined)
    person = the_one(scene.app, Account, email="a@example.org")
    ada = scene.log_in(Person(person.id, person.email, person.name, password=password))
    leaving.leave(ada, PORTAL)
    leaving.delete_account(ada)
    return ["Ada", password, again.token or "", *[each.token or "" for each in made]]


def an_operator_moves(scene: Scene) -> list[str]:
    """Another e-mail, confirmed by a link, another password, and somebody who has forgotten theirs."""
    settings = runtime().settings
    runtime().settings = replace(settings, mail_url="smtp://127.0.0.1:1")
    operator = scene.log_in(scene.people.operator)
    email_changes.ask(operator, "moved@example.org")
    token = link_in(mails(scene.app, "email-change")[0]).rpartition("/")[2]
    assert isinstance(email_changes.confirm(operator, token), EmailChanged)
    password = "thirteen ducks upstairs"
    assert isinstance(password_changes.change(operator, scene.people.operator.password, password), PasswordChanged)
    password_resets.ask(scene.stranger, "forgetful@example.org")
    asked = {"email": "forgetful@example.org", "at": int(scene.stranger.now.timestamp())}
    password_resets.answer(scene.stranger, asked)
    runtime().settings = settings
    return [token, password, "forgetful"]


def a_visit_to_a_guarded_host(scene: Scene) -> list[str]:
    """The secrets with which somebody enters."""
    mark = new_token()
    operator = scene.log_in(scene.people.operator)
    made = hand_offs.make(operator, "data.example.org", digest(mark))
    assert isinstance(made, HandOff)
    given = hand_offs.take(
        scene.stranger, made.token, host="data.example.org", browser_digest=digest(mark), portal_id=None
    )
    assert isinstance(given, PassGiven)
    return [mark, made.token, given.token]


def a_keepers_night(scene: Scene) -> None:
    """Keys, a backup, a copy, and what a restore does to what it brings back."""
    key_rotation.begin(scene.cli)
    *_, done = key_rotation.seal_again(scene.cli)
    key_rotation.finish(scene.cli, done)
    backups.make(scene.cli, runtime().settings.instance / "backup.tar", None)
    copy = runtime().settings.instance / "copy.sqlite3"
    database_copy.copy(scene.cli, f"sqlite:///{copy}", copy_target.nobody_listens)
    cleansing.after_restore(scene.cli, "2026-03-01T00:00:00+00:00", void_recovery_codes=True)


def live_through_everything(scene: Scene) -> list[str]:
    """A day in the life of the portal; the secrets that went through it."""
    cli, reader, stranger = scene.cli, scene.people.reader, scene.stranger
    asked_with = people_ask_for_access(scene)
    signed_up_by = somebody_signs_up_by_mail(scene)
    newcomers_secrets = [
        *a_visit_to_a_guarded_host(scene),
        *an_operator_moves(scene),
        *people_who_come_and_go(scene),
        *an_editors_afternoon(scene),
    ]
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
    recovery_code = recovery_codes.shown_to(half.login_id or 0, READER, half.now)[0]
    recovery_codes.save(half, None)
    recovery_codes.confirm(half, recovery_code)
    recovery_codes.replace(half)
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
    a_keepers_night(scene)
    secrets = [
        asked_with,
        signed_up_by,
        secret,
        second,
        recovery_code,
        code,
        wrong,
        later,
        reader.password,
        "mistyped-secret",
        link.token,
        NEW_PASSWORD,
        token.token,
    ]
    return [*secrets, *newcomers_secrets, made.token or "", "12345"]


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
