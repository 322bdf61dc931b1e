"""Asking again, inside an operation's own transaction, what the gate asked before: rights may have gone meanwhile."""

from datetime import timedelta

from sqlalchemy.orm import Session

from ..models import identity as identities
from ..models.identity import Identity
from ..rules.access import Audience, Decision, Pass, decide
from .caller import Caller, Source


class NotAllowed(Exception):
    """The caller lost the right between the gate and the operation. Rare, so an exception: nothing is to be kept."""

    def __init__(self, decision: Decision, identity: Identity) -> None:
        super().__init__(str(decision))
        self.decision = decision
        self.identity = identity


def require(
    session: Session,
    caller: Caller,
    *audiences: Audience,
    slug: str | None = None,
    confirmed_within: timedelta | None = None,
) -> Identity | None:
    """The caller's identity if one of `audiences` has it; None for the command line, which may do everything.

    Raises:
        NotAllowed: none of them has it (any more), or the last step-up is older than `confirmed_within`.
    """
    if caller.source is Source.COMMAND_LINE:
        return None
    identity = identities.of_login(session, caller.login_id or 0, slug=slug, now=caller.now, limits=caller.limits)
    fresh = confirmed_within is None or is_fresh(identity, caller, confirmed_within)
    decisions = [decide(audience, identity.stage, identity.role, fresh) for audience in audiences]
    if not any(isinstance(decision, Pass) for decision in decisions):
        raise NotAllowed(decisions[0], identity)
    return identity


def is_fresh(identity: Identity, caller: Caller, within: timedelta) -> bool:
    """Whether the last step-up of this login is at most `within` old."""
    return identity.confirmed_at is not None and caller.now - identity.confirmed_at <= within
