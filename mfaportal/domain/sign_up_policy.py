"""Which sign-up policy is in force: what a portal has chosen, as far as this installation can keep to it."""

from ..models import SignUp
from . import notices


def in_force(chosen: str) -> SignUp:
    """What cannot be read counts as closed; open, where there is no mail (any more), as by approval."""
    if chosen == SignUp.OPEN:
        return SignUp.OPEN if notices.mail_works() else SignUp.APPROVAL
    return SignUp.APPROVAL if chosen == SignUp.APPROVAL else SignUp.CLOSED
