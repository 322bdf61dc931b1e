"""Step-up: whether an endpoint asks for it, and whether the last one is recent enough for a request."""

from datetime import datetime, timedelta
from enum import Enum
from typing import assert_never

from flask import request

from ..models.identity import Identity
from ..rules.lifetimes import STEP_UP, STEP_UP_GRACE
from . import asking, form_token


class StepUp(Enum):
    """Whether an endpoint asks for step-up, and how long a POST has."""

    NO = "no"
    FORM = "form"
    """A form with a page of its own: asked when it is opened; the POST of one opened in time has ten minutes more."""
    ROW = "row"
    """A form that stands on a list which anybody there may read: asked when it is posted."""
    UNLESS_RECOVERED = "unless recovered"
    """Like `FORM`, but not asked of a login that a recovery code let in, until it has added an app."""


def is_fresh(step_up: StepUp, who: Identity) -> bool:
    """Whether the last step-up is recent enough for this request."""
    posting = request.method == "POST"
    match step_up:
        case StepUp.NO:
            return True
        case StepUp.ROW:
            return not posting or _within(STEP_UP, who.confirmed_at, asking.now())
        case StepUp.FORM | StepUp.UNLESS_RECOVERED:
            if step_up is StepUp.UNLESS_RECOVERED and who.recovered:
                return True
            return _within(STEP_UP, who.confirmed_at, asking.now()) or (posting and _opened_in_time(who.confirmed_at))
        case _:
            assert_never(step_up)


def _within(longest: timedelta, since: datetime | None, moment: datetime) -> bool:
    return since is not None and moment - since <= longest


def _opened_in_time(confirmed_at: datetime | None) -> bool:
    """A form that was opened soon enough after the last step-up may be sent for a while longer, and sent again where
    it was refused. What it shows is the form's own value: a page opened since then, by a thief, gives a younger one.
    """
    opened = form_token.opened_at()
    if opened is None or confirmed_at is None or opened < confirmed_at.replace(microsecond=0):
        return False
    if not (_within(STEP_UP, confirmed_at, opened) and _within(STEP_UP + STEP_UP_GRACE, confirmed_at, asking.now())):
        return False
    form_token.keep_sent()
    return True
