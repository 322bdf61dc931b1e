"""The portal's desk: where the back office begins."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from ...domain import coverage
from ...rules.access import Audience
from .. import asking, navigation
from ..gate import audience

blueprint = Blueprint("back_office", __name__, url_prefix="/portals/<slug:portal>/backoffice")


@blueprint.get("")
@audience(Audience.BACK_OFFICE)
def desk(portal: str) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    covered = coverage.of_portal(asking.portal().id) if navigation.may(Audience.ADMINS) else None
    return render_template(
        "back_office/desk.html", portal=asking.portal(), role=asking.identity().role, covered=covered
    )
