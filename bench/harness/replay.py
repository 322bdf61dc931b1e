"""Whether a code that has been spent is taken again: by another browser, on another connection, perhaps by the other
worker.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .adapter import Peer
from .client import HTTPError, Session
from .measure import running
from .users import STEP, User, enrolled

CODES = 20
#: Of a code's 30 seconds, what has to be left to spend it twice.
ENOUGH_S = 5


@dataclass(slots=True)
class _Repeating(User):
    """Types the first code again."""

    typed: list[str] = field(default_factory=list)

    def code(self) -> str:
        self.typed.append(self.typed[0] if self.typed else User.code(self))
        return self.typed[-1]


def accepted(peer: Peer) -> int:
    """How many of 20 codes, each spent by a user of its own, let a second browser in within the same 30 seconds."""
    with running(peer, peer.usual):
        return sum(_is_taken_twice(peer, _Repeating(index)) for index in enrolled(CODES))


def _is_taken_twice(peer: Peer, user: _Repeating) -> bool:
    left = STEP - time.time() % STEP
    if left < ENOUGH_S:
        time.sleep(left)
    with Session(peer.port, user.address) as session:
        peer.login_journey(session, user)
    with Session(peer.port, user.address) as session:
        try:
            peer.login_journey(session, user)
        except HTTPError:
            if len(user.typed) < 2:  # noqa: PLR2004
                raise  # refused before it came to the code
            if int(time.time()) // STEP != user.last_step:
                raise HTTPError(f"{peer.name}: the second log-in took too long to tell") from None
            return False
    return True
