"""One round of the sender: jobs become mails, mails go to the mail server, one after the other.

It decides in which order, and how long a mail server that is in trouble is left alone; `outbox` keeps what became of
each mail.
"""

import logging
import threading
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from ..domain import letters, mail_jobs, outbox
from ..domain.caller import the_portal_itself
from ..domain.outbox import Claimed
from ..plumbing import mail
from ..plumbing.runtime import runtime

_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 60.0
_AT_ONCE = 100
"""Mails a round: other chores want their turn, too."""
_log = logging.getLogger("mfaportal.mail")


class Sender:
    """Lives as long as the thread that runs it, and keeps what the database could not be told yet."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._pause = 0.0
        self._paused_until = 0.0
        self._alone = False
        """Whether nothing is left that a sender before this one had taken."""
        self._unwritten: list[int] = []
        """Mails that the server has taken, and the database does not know of: they must not be sent again."""

    def work(self) -> None:
        """Do what there is to do now. What a sender that died had taken is sent, too: there is only this one."""
        self._write_down()
        if not self._alone:
            outbox.release(the_portal_itself())
        self._alone = False
        waiting = outbox.look(runtime().now())
        if waiting.dead:
            outbox.give_up_dead(the_portal_itself())
        failure = self._do_jobs(waiting.jobs)
        if waiting.mail or waiting.jobs:
            self._send_some()
        if failure is not None:
            raise failure
        self._alone = True

    def _do_jobs(self, jobs: tuple[int, ...]) -> Exception | None:
        """One that goes wrong keeps no other back; the last such error."""
        failure = None
        for job_id in jobs:
            try:
                while not self.stopping.is_set() and mail_jobs.work(the_portal_itself(), job_id):
                    pass
            except Exception as error:  # noqa: BLE001  # told to whoever runs this, once the others are done
                failure = error
        return failure

    def _send_some(self) -> None:
        for _ in range(_AT_ONCE):
            if self.stopping.is_set() or monotonic() < self._paused_until:
                return
            claimed = outbox.claim(the_portal_itself())
            if claimed is None:
                return
            self._send(claimed)

    def _send(self, claimed: Claimed) -> None:
        """Outside any transaction. What is wrong with one mail keeps no other back."""
        outcome: mail.Outcome
        try:
            outcome = mail.deliver(runtime().settings, letters.compose(claimed))
        except SQLAlchemyError:
            raise  # it has nothing to do with this mail
        except Exception as error:  # noqa: BLE001  # a fault of ours, and the mail is tried all day
            _log.error("a mail cannot be put into words: %s, %s", claimed.kind, type(error).__name__)
            outcome = mail.TryAgain("the portal could not put it into words", everybody=False)
        match outcome:
            case mail.Sent():
                self._pause = 0.0
                self._unwritten.append(claimed.id)
                self._write_down()
            case mail.RefusedForGood(error=words):
                outbox.failed(the_portal_itself(), claimed.id, words, for_good=True)
            case mail.TryAgain(error=words, everybody=everybody):
                outbox.failed(the_portal_itself(), claimed.id, words, for_good=False)
                if everybody:
                    self._leave_alone()

    def _write_down(self) -> None:
        while self._unwritten:
            outbox.sent(the_portal_itself(), self._unwritten[0])
            del self._unwritten[0]

    def _leave_alone(self) -> None:
        """Every mail would meet the same trouble: one of them tries, seldom, until the server is back."""
        self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self._paused_until = monotonic() + self._pause
