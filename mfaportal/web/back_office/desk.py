"""The portal's desk: where the back office begins."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from ...rules.access import Audience
from .. import asking
from ..gate import audience

blueprint = Blueprint("back_office", __name__, url_prefix="/portals/<slug:portal>/backoffice")


@blueprint.get("")
@audience(Audience.BACK_OFFICE)
def desk(portal: str) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    return render_template("back_office/desk.html", portal=asking.portal(), role=asking.identity().role)
