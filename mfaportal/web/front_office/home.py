"""The home page, and the front page of a portal: its datasets."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from ...domain import catalogue, guarding, portals
from ...models.identity import PortalSeen
from ...rules.access import Audience
from ...rules.roles import is_member
from .. import asking, dataset_list
from ..gate import audience

blueprint = Blueprint("front_office", __name__)


@blueprint.get("/")
@audience(Audience.FRONT_OFFICE)
def home() -> ResponseReturnValue:
    """The only portal's front page; with several, those that the visitor may enter."""
    who = asking.identity()
    if who.portal is not None:
        return _front(who.portal)
    account = who.account
    found = portals.enterable(account.id if account else None, operator=bool(account and account.is_operator))
    return render_template("front_office/portals.html", portals=found)


@blueprint.get("/portals/<slug:portal>/")
@audience(Audience.FRONT_OFFICE)
def portal(portal: str) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    return _front(asking.portal())


def _front(portal: PortalSeen) -> str:
    query = dataset_list.wanted()
    page = catalogue.page(portal.id, query, as_member=is_member(asking.identity().role))
    guarded = guarding.guarded_by(portal.id)
    return render_template("front_office/portal.html", portal=portal, page=page, query=query, guarded=guarded)
