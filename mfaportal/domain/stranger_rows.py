"""What is kept of a stranger's wish to come in, whosever the address is: a row, an event and, by mail, one mail."""

from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from ..models import AccessRequest, Account, EventKind, MailKind, Portal, RequestState, SignUp
from ..plumbing.tokens import digest, new_token
from ..rules.lifetimes import ADDRESS_LINK
from . import audit, notices, request_rows, sign_up_policy
from .caller import Caller

OPEN_MAX = 3
"""How many open requests one address may have without an account, in all portals together; where mail works, how many
links that nobody has followed within their day.
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a stranger sends."""

    email: str
    name: str
    password: str
    message: str


def record(session: Session, caller: Caller, portal_id: int, wish: Wish, password_digest: str) -> None:
    """The request and an event, and where mail works a mail: as many statements, whosever the address is.

    That of an account leaves an event without a portal, and a decoy: who asked is told at log-in what anybody would
    be told. Nobody who runs a portal sees either. A decoy has a link's digest, too, whose token nobody has: it dies
    when a link would.
    """
    by_mail = notices.mail_works()
    account = session.execute(select(Account.id, Account.name).where(Account.email == wish.email)).one_or_none()
    if _waiting(session, caller, wish.email, by_mail=by_mail) >= OPEN_MAX:
        return
    token = new_token()
    request = AccessRequest(
        email=wish.email, password_digest=password_digest, portal_id=portal_id, made_at=caller.now
    )
    request.confirm_digest = digest(token) if by_mail else None
    if account is not None:
        request.state = RequestState.DECOY
    else:
        request.state = RequestState.UNCONFIRMED if by_mail else RequestState.OPEN
        request.name, request.message = wish.name, wish.message.strip()
    session.add(request)
    session.flush()
    if account is not None:
        audit.record(session, caller, EventKind.REQUEST_IGNORED, account_id=account.id)
    elif by_mail:
        audit.record(session, caller, EventKind.REQUEST_SENT_TO_CONFIRM, request=request.id)
    else:
        audit.record(session, caller, EventKind.REQUEST_MADE, portal_id=portal_id, request=request.id)
    if by_mail:
        _mail(session, caller, request, wish, token, account)


def _mail(
    session: Session,
    caller: Caller,
    request: AccessRequest,
    wish: Wish,
    token: str,
    account: Row[int, str] | None,
) -> None:
    """One mail, whoever reads it: the link, or word that somebody asked with the address of an account."""
    portal = session.get_one(Portal, request.portal_id)
    if account is not None:
        owner = {"account_id": account.id, "name": account.name}
        notices.send(
            session, caller, MailKind.REQUEST_KNOWN, wish.email, **owner, portal=portal.name, slug=portal.slug
        )
        return
    notices.send(
        session,
        caller,
        MailKind.CONFIRM_ADDRESS,
        wish.email,
        about=request_rows.about(request.id),
        dies_at=caller.now + ADDRESS_LINK,
        portal=portal.name,  # and no name: it is not known whose it is, nor what it says to whoever reads it
        slug=portal.slug,
        signs_up=sign_up_policy.in_force(portal.sign_up) is SignUp.OPEN,
        link=f"/confirm-address/{token}",
    )


def _waiting(session: Session, caller: Caller, email: str, *, by_mail: bool) -> int:
    """How many of the address count against its limit. What a stranger asks never counts against what the owner has
    confirmed: where mail works, those count whose link may still be followed, and as many decoys.
    """
    states = (RequestState.UNCONFIRMED if by_mail else RequestState.OPEN, RequestState.DECOY)
    statement = select(func.count()).where(
        AccessRequest.email == email, AccessRequest.account_id.is_(None), AccessRequest.state.in_(states)
    )
    if by_mail:
        statement = statement.where(AccessRequest.made_at > caller.now - ADDRESS_LINK)
    return session.scalar(statement) or 0
