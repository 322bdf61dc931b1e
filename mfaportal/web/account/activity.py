"""One's own activity: what was done to the account, and what it did."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...domain import activity
from ...rules.access import Audience
from .. import asking, query
from ..event_words import shown
from ..gate import audience
from ._blueprint import blueprint


@blueprint.get("/security/activity")
@audience(Audience.ACCOUNT)
def own_activity() -> ResponseReturnValue:
    own, after = asking.account().id, query.number("after")
    page = activity.own(own, after)
    events = [shown(event, own) for event in page.events]
    return render_template("account/activity.html", events=events, next_after=page.next_after, after=after)
