"""What the sender makes of a job: whom it mails, in what portions, and how often."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from mfaportal.domain import access_security, mail_jobs, notices, password_resets
from mfaportal.domain.caller import Caller, Source, the_portal_itself
from mfaportal.models import Account, Mail, MailJob, MailJobKind, MailKind, Membership
from mfaportal.plumbing.db import transaction
from mfaportal.rules.mfa_rule import MfaRule
from tests import rows
from tests.clock import MovableClock
from tests.mailing import mails, with_mail
from tests.people import PORTAL, Cast, give_app, on_the_command_line, seed, set_rule
from tests.stored import stored
from tests.told import told


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return with_mail(make_app)


@pytest.fixture
def people(app: Flask, clock: MovableClock) -> Cast:
    with app.app_context():
        return seed(clock)


def do_all(app: Flask) -> int:
    """Do every job to its end; how many portions that took."""
    portions = 0
    with app.app_context():
        while jobs := [job.id for job in stored(app, MailJob)]:
            mail_jobs.work(the_portal_itself(), jobs[0])
            portions += 1
    return portions


def recipients(app: Flask, kind: MailKind) -> list[str]:
    return [mail.recipient.partition("@")[0] for mail in mails(app, kind)]


def raise_rule(app: Flask, clock: MovableClock, rule: MfaRule, *, apply_now: bool = False) -> list[str]:
    """Raise it; who is mailed because of that."""
    before = len(mails(app, MailKind.RULE_RAISED))
    with app.app_context():
        set_rule(rule, clock, apply_now=apply_now)
    do_all(app)
    return recipients(app, MailKind.RULE_RAISED)[before:]


def test_those_whom_a_rule_newly_covers_and_who_have_no_app_are_mailed(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        give_app(people.editor, clock)
    assert raise_rule(app, clock, MfaRule.BACK_OFFICE) == ["admin", "operator"]
    assert raise_rule(app, clock, MfaRule.BACK_OFFICE, apply_now=True) == []
    assert raise_rule(app, clock, MfaRule.EVERYONE, apply_now=True) == ["reader"]
    assert raise_rule(app, clock, MfaRule.BACK_OFFICE) == []
    assert raise_rule(app, clock, MfaRule.OFF) == []
    assert raise_rule(app, clock, MfaRule.EVERYONE) == ["reader", "admin", "operator"]
    last = mails(app, MailKind.RULE_RAISED)[-1].facts
    assert (last["portal"], last["slug"], last["name"], last["apply_now"]) == ("City data", PORTAL, "Operator", False)


def test_a_rule_that_was_dropped_again_and_suspended_people_make_no_mail(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    rows.put(app, update(Account).where(Account.id == people.admin.id).values(suspended_at=clock()))
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
        set_rule(MfaRule.BACK_OFFICE, clock)
    do_all(app)
    assert recipients(app, MailKind.RULE_RAISED) == ["editor", "operator"]


def test_saving_a_change_of_visibility_alone_makes_no_job(app: Flask, people: Cast, clock: MovableClock) -> None:
    with app.app_context():
        set_rule(MfaRule.BACK_OFFICE, clock)
        do_all(app)
        access_security.change(
            on_the_command_line(clock), PORTAL, visibility=None, rule=MfaRule.BACK_OFFICE, apply_now=False
        )
    assert stored(app, MailJob) == []


def test_a_job_over_many_people_goes_on_where_it_was_killed(app: Flask, people: Cast, clock: MovableClock) -> None:
    rows.add_crowd(app, clock, [f"Person {number}" for number in range(120)])
    rows.put(app, update(Account).values(password_digest="some digest"))
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
        (job,) = stored(app, MailJob)
        assert mail_jobs.work(the_portal_itself(), job.id)
        assert len(told(app)) == mail_jobs.AT_ONCE
        (job,) = stored(app, MailJob)
        assert job.after == people.operator.id + mail_jobs.AT_ONCE - 4
    assert do_all(app) == 2
    everybody = recipients(app, MailKind.RULE_RAISED)
    assert len(everybody) == len(set(everybody)) == 124


def ask(app: Flask, clock: MovableClock, number: int) -> list[str]:
    """So many requests come in; who has been mailed by then."""
    for _ in range(number):
        with app.app_context(), transaction() as session:
            notices.queue(session, on_the_command_line(clock), MailJobKind.REQUEST_RECEIVED, portal_id=1)
        do_all(app)
    return recipients(app, MailKind.REQUEST_RECEIVED)


def test_a_request_is_told_to_the_admins_and_where_there_are_none_to_the_operators(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    assert ask(app, clock, 1) == ["admin"]
    assert mails(app, MailKind.REQUEST_RECEIVED)[0].facts["slug"] == PORTAL
    rows.put(app, delete(Membership).where(Membership.account_id == people.admin.id))
    assert ask(app, clock, 1) == ["admin", "operator"]


def test_many_requests_do_not_fill_an_admins_mailbox_and_none_goes_untold(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    begun = clock()
    assert ask(app, clock, 9) == ["admin"] * 6
    tries = rows.rows(app, select(Mail.next_try_at).order_by(Mail.id))
    assert [(instant - begun).total_seconds() for instant in tries if instant] == [0] * 5 + [3600]
    clock.advance(hours=1, seconds=1)
    assert len(ask(app, clock, 1)) == 7


def test_a_job_that_is_too_late_or_does_not_open_goes_without_a_mail(
    app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        set_rule(MfaRule.EVERYONE, clock)
        clock.advance(hours=24)
        assert do_all(app) == 1
        set_rule(MfaRule.OFF, clock)
        set_rule(MfaRule.EVERYONE, clock)
        rows.put(app, update(MailJob).values(sealed=b"nothing"))
        assert do_all(app) == 1
    assert told(app) == []


def test_who_asked_for_a_link_is_found_out_by_the_sender_in_their_own_words(
    app: Flask, people: Cast, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Caller, str]] = []
    monkeypatch.setattr(password_resets, "answer", lambda caller, facts: seen.append((caller, facts["email"])))
    with app.app_context():
        asker = Caller(clock(), Source.WEB, the_portal_itself().limits, None, None, "192.0.2.7", "Lynx/2.9")
        with transaction() as session:
            notices.queue(session, asker, MailJobKind.RESET_ASKED, email="reader@example.org")
        clock.advance(seconds=5)
        do_all(app)
    ((caller, email),) = seen
    assert (caller.now, caller.source, caller.address, caller.browser) == (clock(), "upkeep", "192.0.2.7", "Lynx/2.9")
    assert email == "reader@example.org"
