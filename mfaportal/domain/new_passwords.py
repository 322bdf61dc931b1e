"""Whether a password that somebody chooses is taken: one answer for the pages and for the command line."""

from sqlalchemy import exists, or_, select

from ..models import Account, Membership, Portal
from ..plumbing.common_passwords import is_common
from ..plumbing.db import reading
from ..rules.password_rule import PasswordRefusal, context_words, is_made_of, length_refusal

_PORTALS_MAX = 100


def refusal_of(password: str, *names: str) -> PasswordRefusal | None:
    """Why this password is not taken; `names`: the installation's, the portals' and the person's own."""
    refusal = length_refusal(password)
    if refusal is not None:
        return refusal
    words = context_words(*names)
    return PasswordRefusal.COMMON if is_made_of(password, words) or is_common(password, words) else None


def portals_of(account_id: int) -> tuple[str, ...]:
    """Names and slugs of the portals that the account may enter as somebody: of no use in its password."""
    member = exists().where(Membership.portal_id == Portal.id, Membership.account_id == account_id)
    operator = exists().where(Account.id == account_id, Account.is_operator)
    statement = select(Portal.name, Portal.slug).where(or_(member, operator)).order_by(Portal.id).limit(_PORTALS_MAX)
    with reading() as session:
        return tuple(name for row in session.execute(statement) for name in row)
