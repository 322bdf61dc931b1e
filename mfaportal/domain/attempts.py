"""What counts as an attempt although there is nothing to judge."""

from ..plumbing.db import transaction
from ..rules.throttling import Kind
from . import throttles
from .caller import Caller
from .outcomes import MalformedCode, PausedUntil
from .throttles import Subject


def count_malformed(caller: Caller) -> MalformedCode | PausedUntil:
    """What is no code is not judged and is no wrong code, but it is counted, so that it costs something too."""
    with transaction() as session:
        paused = throttles.count(session, [Subject(Kind.MALFORMED_CODE, str(caller.login_id))], caller.now)
    return paused or MalformedCode()
