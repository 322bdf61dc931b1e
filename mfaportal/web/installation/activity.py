"""Installation > Activity: everything that happened, in all portals and to all accounts."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ...domain import activity
from ...domain.events_export import Format
from ...rules.access import Audience
from ..activity_page import file, show, wanted_events
from ..fresh import StepUp
from ..gate import audience

blueprint = Blueprint("installation_activity", __name__, url_prefix="/installation")
_GROUPS = {
    "logins": "Log-ins",
    "methods": "Apps and recovery codes",
    "accounts": "Accounts and passwords",
    "people": "Members and requests",
    "datasets": "Datasets",
    "settings": "Settings",
}


@blueprint.get("/activity")
@audience(Audience.OPERATORS)
def index() -> ResponseReturnValue:
    wanted = wanted_events(_GROUPS, portals=True)
    return show("installation/activity.html", activity.of_all(wanted), wanted, groups=_GROUPS)


@blueprint.get("/activity.csv")
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def as_csv() -> ResponseReturnValue:
    """All that fits the filters, not only one page of it."""
    return file(None, wanted_events(_GROUPS, portals=True), Format.CSV)


@blueprint.get("/activity.jsonl")
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def as_jsonl() -> ResponseReturnValue:
    """The same, a JSON object a line."""
    return file(None, wanted_events(_GROUPS, portals=True), Format.JSONL)
