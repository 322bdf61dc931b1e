"""Installation > Mail: what does not get through, newest first, and how much waits. Nobody's text is among it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from ..models import Mail, MailJob
from ..plumbing.db import reading

PAGE = 50


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
    """`waiting`: mails and jobs that have not left, tried or not. `since`: when the oldest of the mails was made."""

    mails: list[MailLine]
    next_before: int | None
    waiting: int
    since: datetime | None

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
    ).where(Mail.sent_at.is_(None), (Mail.tries > 0) | Mail.gave_up_at.is_not(None))
    if before is not None:
        failed = failed.where(Mail.id < before)
    jobs = select(func.count()).select_from(MailJob).scalar_subquery()
    with reading() as session:
        found = [MailLine(*row) for row in session.execute(failed.order_by(Mail.id.desc()).limit(PAGE + 1))]
        number, since, more = session.execute(
            select(func.count(), func.min(Mail.made_at), jobs).where(Mail.next_try_at.is_not(None))
        ).one()
    return MailPage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None, number + more, since)
