"""Access > Requests: accepting and declining, one or many. `request_queue` reads them."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..models import AccessRequest, EventKind, MailKind, RequestState
from ..models.identity import Identity, PortalSeen
from ..plumbing.db import change, transaction
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.roles import MemberRole
from . import audit, joining, login_rows, notices, request_rows
from .authority import require
from .caller import Caller
from .throttles import LostRace

AT_ONCE = 50
"""As many as one page of the queue shows."""


class Decision(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of the requests chosen. The reason is shown to those who are declined."""

    decision: Decision
    role: MemberRole = MemberRole.READER
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """How many requests were decided, were not open any more, have an account's address by now, share one address."""

    done: int
    not_open: int
    has_account: int
    sharing: int = 0


def decide(caller: Caller, slug: str, ids: list[int], verdict: Verdict) -> Decided:
    """Accept or decline each of these requests that is open in this portal; what is not is counted, and left alone.

    A stranger's becomes an account, unless there is one with its address by now. Whoever joins logs in anew, as after
    a change of role: otherwise a login of before could escape a rule that was raised since. They are mailed what was
    decided; not so a stranger who is declined and whose address nobody has confirmed: it may be somebody else's.

    Raises:
        LostRace: elsewhere an account with the same address was made in this very moment.
    """
    try:
        with transaction() as session:
            within = STEP_UP + STEP_UP_GRACE
            identity = require(session, caller, Audience.ADMINS, slug=slug, confirmed_within=within)
            deciding = _Deciding(session, caller, _portal(identity), verdict)
            chosen = list(dict.fromkeys(ids))[:AT_ONCE]
            deciding.leave_alone_what_shares_an_address(chosen)
            for request_id in chosen:
                deciding.decide(request_id)
            return Decided(deciding.done, deciding.not_open, deciding.has_account, len(deciding.sharing))
    except IntegrityError as error:
        raise LostRace("account") from error


def _portal(identity: Identity | None) -> PortalSeen:
    if identity is None or identity.portal is None:
        raise TypeError("only an admin in a browser decides")
    return identity.portal


class _Deciding:
    """Decides one request after the other, in one transaction, and counts."""

    def __init__(self, session: Session, caller: Caller, portal: PortalSeen, verdict: Verdict) -> None:
        self.session, self.caller, self.portal_id, self.verdict = session, caller, portal.id, verdict
        self.portal = portal
        self.done = self.not_open = self.has_account = 0
        self.sharing: set[int] = set()

    def leave_alone_what_shares_an_address(self, chosen: list[int]) -> None:
        """Of several strangers with one address only one can be accepted, and which is for the admin to say."""
        if self.verdict.decision is not Decision.ACCEPT:
            return
        rows = self.session.execute(
            select(AccessRequest.id, AccessRequest.email).where(
                AccessRequest.id.in_(chosen),
                AccessRequest.portal_id == self.portal_id,
                AccessRequest.state == RequestState.OPEN,
                AccessRequest.account_id.is_(None),
            )
        ).all()
        times = Counter(row.email for row in rows)
        self.sharing = {row.id for row in rows if times[row.email] > 1}

    def decide(self, request_id: int) -> None:
        if request_id in self.sharing:
            return
        request = self.session.scalars(
            select(AccessRequest).where(AccessRequest.id == request_id, AccessRequest.portal_id == self.portal_id)
        ).one_or_none()
        accepting = self.verdict.decision is Decision.ACCEPT
        if request is not None and accepting and self._known_by_now(request):
            self.has_account += 1
        elif request is None or not _take(self.session, self.caller, request, self.verdict):
            self.not_open += 1
        else:
            self.done += 1
            if accepting:
                self._accept(request)
            else:
                self._decline(request)

    def _known_by_now(self, request: AccessRequest) -> bool:
        """Whether the address of a stranger's open request has an account by now: who asked may be somebody else."""
        if request.account_id is not None or request.state != RequestState.OPEN:
            return False
        return request_rows.has_account(self.session, request.email)

    def _accept(self, request: AccessRequest) -> None:
        if request.account_id is None:
            request_rows.make_account(self.session, self.caller, request, portal_id=self.portal_id)
        account_id = request.account_id or 0
        if joining.add_member(self.session, self.caller, account_id, self.portal_id, self.verdict.role):
            login_rows.end_of_account(self.session, self.caller, account_id)
        self._note(EventKind.REQUEST_ACCEPTED, request, role=self.verdict.role)
        notices.tell(
            self.session,
            self.caller,
            MailKind.REQUEST_ACCEPTED,
            account_id,
            portal=self.portal.name,
            role=self.verdict.role,
            reason=self.verdict.reason,
            slug=self.portal.slug,
        )

    def _decline(self, request: AccessRequest) -> None:
        self._note(EventKind.REQUEST_DECLINED, request)
        kind = MailKind.REQUEST_DECLINED
        facts: dict[str, Any] = {"portal": self.portal.name, "slug": self.portal.slug, "reason": self.verdict.reason}
        if request.account_id is not None:
            notices.tell(self.session, self.caller, kind, request.account_id, **facts)
        elif request.email is not None and request.email_confirmed_at is not None:
            notices.send(self.session, self.caller, kind, request.email, name=request.name, **facts)

    def _note(self, kind: EventKind, request: AccessRequest, **details: str) -> None:
        audit.record(
            self.session,
            self.caller,
            kind,
            account_id=request.account_id,
            portal_id=self.portal_id,
            request=request.id,
            **details,
        )


def _take(session: Session, caller: Caller, request: AccessRequest, verdict: Verdict) -> bool:
    """Decide the request if it is still open. Whoever changes the row decides it."""
    accepting = verdict.decision is Decision.ACCEPT
    taken = change(
        session,
        update(AccessRequest)
        .where(
            AccessRequest.id == request.id,
            AccessRequest.portal_id == request.portal_id,
            AccessRequest.state == RequestState.OPEN,
        )
        .values(
            state=RequestState.ACCEPTED if accepting else RequestState.DECLINED,
            decided_at=caller.now,
            decided_by=caller.account_id,
            role=verdict.role if accepting else None,
            reason=verdict.reason,
        ),
    )
    return taken == 1
