"""Access > Activity: what happened in the portal, filtered, and as a CSV."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ...domain import activity
from ...domain.events_export import Format
from ...rules.access import Audience
from ...rules.roles import Role
from .. import asking
from ..activity_page import file, show, wanted_events
from ..fresh import StepUp
from ..gate import audience

blueprint = Blueprint("access_activity", __name__, url_prefix="/portals/<slug:portal>/backoffice/access")
_GROUPS = {"people": "People", "datasets": "Datasets", "settings": "Settings"}
"""Events of accounts, as log-ins are, belong to no portal."""


@blueprint.get("/activity")
@audience(Audience.ADMINS)
def index(portal: str) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    wanted, here = wanted_events(_GROUPS), asking.portal()
    page = activity.of_portal(here.id, wanted, everything=asking.identity().role is Role.OPERATOR)
    return show("admin/activity.html", page, wanted, groups=_GROUPS, portal=here)


@blueprint.get("/activity.csv")
@audience(Audience.ADMINS, step_up=StepUp.FORM)
def as_csv(portal: str) -> ResponseReturnValue:
    """All that fits the filters, not only one page of it."""
    return file(portal, wanted_events(_GROUPS), Format.CSV)
