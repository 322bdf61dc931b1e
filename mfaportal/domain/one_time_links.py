"""Links that let somebody choose a password: made, looked at, taken once. They never log anybody in.

`link_rows` makes and voids them for other operations, too; `password_resets` and `email_changes` mail some.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from ..models import Account, EventKind, LinkKind, MailKind
from ..plumbing.db import reading, transaction
from ..plumbing.passwords import hash_password
from ..rules.access import Audience
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from ..rules.names import PERSON_MAX, clean_name
from ..rules.throttling import Kind
from . import audit, hash_places, link_rows, login_rows, notices, throttles
from .authority import require
from .caller import Caller, Source
from .outcomes import AccountRefusal, Done, LinkMade
from .throttles import Subject


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """A link that still works, and whose it is."""

    kind: LinkKind
    account_id: int
    email: str
    name: str


class LinkRefusal:
    """Unknown, used or expired: one answer for all."""


def make_reset_link(caller: Caller, account_id: int) -> LinkMade | AccountRefusal:
    """A link to set a new password, for an operator to hand over. Another operator's only on the command line."""
    with transaction() as session:
        require(session, caller, Audience.OPERATORS, confirmed_within=STEP_UP + STEP_UP_GRACE)
        account = session.get(Account, account_id)
        if account is None:
            return AccountRefusal.UNKNOWN
        if account.is_operator and caller.source is Source.WEB:
            return AccountRefusal.AN_OPERATOR
        return LinkMade(link_rows.make(session, caller, LinkKind.RESET, account_id))


def look(token: str, kind: LinkKind, now: datetime) -> LinkSeen | None:
    """The link behind a token, if it would still be taken."""
    with reading() as session:
        found = link_rows.open_one(session, token, kind, now)
        return None if found is None else LinkSeen(kind, found[1].id, found[1].email, found[1].name)


def take(
    caller: Caller, token: str, kind: LinkKind, *, password: str, name: str | None = None
) -> Done | LinkRefusal | AccountRefusal:
    """Set the password of the link's account (and its name).

    Ends all its logins, voids its other links and lifts the code throttle; MFA stays as it is. A link that only the
    address was told of shows that it is its owner's.
    """
    cleaned = None if name is None else clean_name(name, PERSON_MAX)
    if name is not None and cleaned is None:
        return AccountRefusal.BAD_NAME
    if look(token, kind, caller.now) is None:
        return LinkRefusal()
    with hash_places.of_link(token):
        password_digest = hash_password(password)
    with transaction() as session:
        found = link_rows.open_one(session, token, kind, caller.now)
        if found is None or not link_rows.taken(session, found[0], caller.now):
            return LinkRefusal()
        link, account = found
        before, account.password_digest = account.password_digest, password_digest
        if link.email == account.email and account.email_confirmed_at is None:
            account.email_confirmed_at = caller.now
        if cleaned is not None:
            account.rename(cleaned)
        login_rows.end_of_account(session, caller, account.id)
        link_rows.void(session, account.id, caller.now)
        _lift_stop(session, caller, account.id, by_mail=link.email is not None)
        audit.record(session, caller, EventKind.PASSWORD_SET, account_id=account.id, link=kind)
        if kind is LinkKind.RESET or before is not None:
            notices.tell(session, caller, MailKind.PASSWORD_CHANGED, account.id, by_link=True)
    return Done()


def _lift_stop(session: Session, caller: Caller, account_id: int, *, by_mail: bool) -> None:
    """Forget the account's wrong codes. For a mailed link once a day: whoever reads the owner's mail could otherwise
    make as many guesses as there are links.
    """
    if by_mail and throttles.count(session, [Subject(Kind.LIFTED_BY_MAIL, str(account_id))], caller.now):
        return
    throttles.clear(session, [Subject(Kind.CODE_OF_ACCOUNT, str(account_id))])
