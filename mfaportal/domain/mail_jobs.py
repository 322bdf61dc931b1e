"""Jobs of the outbox: the sender finds out whom to mail, some people at a time, and goes on where it was killed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from ..models import Account, Authenticator, Mail, MailJob, MailJobKind, MailKind, Membership, Portal, PortalPerson
from ..models.mail import OWNER_OF_JOB
from ..models.membership import works_in_back_office
from ..models.portal import covered_since
from ..plumbing.db import change, reading, transaction
from ..plumbing.runtime import runtime
from ..plumbing.sealing import SealBroken
from ..rules.mfa_rule import MfaRule
from ..rules.roles import MemberRole
from . import notices, password_resets
from .caller import Caller
from .member_places import OPERATORS
from .membership_rows import has_another_admin

AT_ONCE = 50
"""People a transaction."""
LOOKED_AT = 500
"""So many are looked through for them."""
REQUESTS_AT_ONCE = 5
REQUESTS_WITHIN = timedelta(hours=1)
"""So many mails about one portal's requests an admin gets at once; then one that tells of all that came since."""


def work(caller: Caller, job_id: int) -> bool:
    """Do some of a job; whether there is more of it. One that came too late, or does not open, goes."""
    with reading() as session:
        job = session.get(MailJob, job_id)
    if job is None:
        return False
    facts = _opened(job) if job.dies_at > caller.now else None
    if facts is None:
        _finish(caller, job_id)
        return False
    asker = replace(caller, address=facts.get("address"), browser=facts.get("browser") or "")
    if job.kind == MailJobKind.RESET_ASKED:
        password_resets.answer(asker, facts)
        _finish(caller, job_id)
        return False
    return _work_through(asker, job_id, facts)


def _opened(job: MailJob) -> dict[str, Any] | None:
    try:
        facts: dict[str, Any] = json.loads(runtime().keys.sealer.open(OWNER_OF_JOB, job.sealed))
    except SealBroken:
        return None
    return facts


def _finish(caller: Caller, job_id: int) -> None:  # noqa: ARG001  # an operation's first
    with transaction() as session:
        change(session, delete(MailJob).where(MailJob.id == job_id))


def _work_through(caller: Caller, job_id: int, facts: Mapping[str, Any]) -> bool:
    """The next people of the job, and how far it has come, in one transaction."""
    with transaction() as session:
        job = session.get(MailJob, job_id)
        if job is None:
            return False
        portal = session.get(Portal, facts.get("portal_id") or facts.get("portal") or 0)
        after: int | None = None
        if portal is not None:
            whom = _newly_covered if job.kind == MailJobKind.RULE_RAISED else _who_decide
            tell = _tell_of_rule if job.kind == MailJobKind.RULE_RAISED else _tell_of_request
            people, after = _next(session, whom(portal, facts), _maybe(portal, job))
            for person in people:
                tell(session, caller, portal, facts, person)
        if after is not None:
            change(session, update(MailJob).where(MailJob.id == job_id).values(after=after))
            return True
        change(session, delete(MailJob).where(MailJob.id == job_id))
        return False


def _maybe(portal: Portal, job: MailJob) -> Any:
    """The numbers of those among whom the next are: without an app, or who may decide. By number, some at once."""
    which = PortalPerson.counts_as.in_((MemberRole.ADMIN, OPERATORS))
    if job.kind == MailJobKind.RULE_RAISED:
        which = PortalPerson.set_up.is_(False)
    these = select(PortalPerson.account_id).where(PortalPerson.portal_id == portal.id, which)
    return these.where(PortalPerson.account_id > job.after).order_by(PortalPerson.account_id).limit(LOOKED_AT)


def _next(session: Session, people: Any, maybe: Any) -> tuple[Sequence[Any], int | None]:
    """Whom to tell next, and after whom there may be more."""
    numbers = session.scalars(maybe).all()
    which = (Account.id.in_(numbers), Account.suspended_at.is_(None))
    found = session.execute(people.where(*which).order_by(Account.id).limit(AT_ONCE)).all() if numbers else []
    if len(found) == AT_ONCE:
        return found, found[-1].id
    return found, numbers[-1] if len(numbers) == LOOKED_AT else None


def _people(portal: Portal) -> Any:
    here = and_(Membership.account_id == Account.id, Membership.portal_id == portal.id)
    return select(Account.id, Account.email, Account.name).outerjoin(Membership, here)


def _newly_covered(portal: Portal, facts: Mapping[str, Any]) -> Any:
    """Those whom the rule covers as it is now, whom the one before did not, and who have no app."""
    works = or_(Account.is_operator, works_in_back_office(Membership.role))
    people = (
        _people(portal)
        .join(Portal, Portal.id == portal.id)
        .where(
            or_(Account.is_operator, Membership.portal_id.is_not(None)),
            covered_since(Portal, works).is_not(None),
            Account.password_digest.is_not(None),  # whoever never chose one is led to it when they do
            ~select(Authenticator.id).where(Authenticator.account_id == Account.id).exists(),
        )
    )
    return people if facts.get("before") == MfaRule.OFF else people.where(~func.coalesce(works, False))


def _who_decide(portal: Portal, _facts: Mapping[str, Any]) -> Any:
    """The portal's admins; where it has none, the operators."""
    nobody_else = ~has_another_admin(portal.id, 0)
    return _people(portal).where(or_(Membership.role == MemberRole.ADMIN, and_(Account.is_operator, nobody_else)))


def _tell_of_rule(session: Session, caller: Caller, portal: Portal, facts: Mapping[str, Any], person: Any) -> None:
    words = {"portal": portal.name, "slug": portal.slug, "apply_now": facts.get("apply_now"), "at": facts["at"]}
    about = {"account_id": person.id, "name": person.name}
    notices.send(session, caller, MailKind.RULE_RAISED, person.email, **about, **words)


def _tell_of_request(session: Session, caller: Caller, portal: Portal, facts: Mapping[str, Any], person: Any) -> None:
    """Strangers can make requests in numbers, and must not fill an admin's mailbox with them."""
    about = f"requests:{portal.id}"
    mine = (Mail.about == about, Mail.account_id == person.id)
    recent = (*mine, Mail.made_at > caller.now - REQUESTS_WITHIN)
    number, first = session.execute(select(func.count(), func.min(Mail.made_at)).where(*recent)).one()
    not_before = first + REQUESTS_WITHIN if number >= REQUESTS_AT_ONCE else None
    one_waits = select(Mail.id).where(*mine, Mail.next_try_at > caller.now, Mail.tries == 0).limit(1)
    if not_before is not None and session.scalar(one_waits) is not None:
        return
    notices.send(
        session,
        caller,
        MailKind.REQUEST_RECEIVED,
        person.email,
        account_id=person.id,
        about=about,
        not_before=not_before,
        name=person.name,
        portal=portal.name,
        slug=portal.slug,
        at=facts["at"],
    )
