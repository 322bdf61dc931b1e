"""Installation > Mail: what does not get through, newest first, and how much waits. Nobody's text is among it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from ..models import Mail, MailJob
from ..models.mail import HAS_FAILED
from ..plumbing.db import reading

PAGE = 50
_HIGHEST = 1 << 62
"""Higher than any mail's number."""
COUNTED = 10_000
"""So many waiting ones are counted; a raised rule can make a million."""


@dataclass(frozen=True, slots=True)
class MailLine:
    """A mail that failed. `next_try_at` is empty once it was given up, when `gave_up_at` says."""

    id: int
    recipient: str
    kind: str
    made_at: datetime
    tries: int
    error: str
    next_try_at: datetime | None
    gave_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailPage:
    """`waiting`: mails and jobs that have not left, tried or not; `many`: at least so many. `since`: the oldest's."""

    mails: list[MailLine]
    next_before: int | None
    waiting: int
    since: datetime | None
    many: bool = False

    @property
    def some_wait(self) -> bool:
        """Whether there is anything to try again."""
        return any(mail.gave_up_at is None for mail in self.mails)


def page(before: int | None) -> MailPage:
    """One page of what was tried without success and of what was given up: two statements."""
    failed = select(
        Mail.id,
        Mail.recipient,
        Mail.kind,
        Mail.made_at,
        Mail.tries,
        Mail.error,
        Mail.next_try_at,
        Mail.gave_up_at,
    ).where(HAS_FAILED)
    failed = failed.where(Mail.id < (_HIGHEST if before is None else before))
    jobs = select(func.count()).select_from(MailJob).scalar_subquery()
    next_ones = select(Mail.made_at).where(Mail.next_try_at.is_not(None)).order_by(Mail.next_try_at)
    waiting = next_ones.limit(COUNTED).subquery()
    with reading() as session:
        found = [MailLine(*row) for row in session.execute(failed.order_by(Mail.id.desc()).limit(PAGE + 1))]
        number, since, more = session.execute(
            select(func.count(), func.min(waiting.c.made_at), jobs).select_from(waiting)
        ).one()
    return MailPage(
        found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None, number + more, since, number == COUNTED
    )
