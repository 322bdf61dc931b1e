"""Access > Users: the list, and one person's page. What can be done to a person is in `user_actions`."""

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...domain import coverage, member_list
from ...domain.member_list import OPERATORS, Member, MembersQuery, MfaFilter
from ...rules.access import Audience
from ...rules.roles import MemberRole
from .. import asking, query
from ..gate import audience
from .action_page import Desk

blueprint = Blueprint("access_users", __name__, url_prefix="/portals/<slug:portal>/backoffice/access/users")


@blueprint.get("")
@audience(Audience.ADMINS)
def index(portal: str) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    wanted, here = wanted_members(), asking.portal()
    return render_template(
        "admin/users.html",
        page=member_list.page(here.id, wanted),
        covered=coverage.of_portal(here.id),
        query=wanted,
        portal=here,
    )


def wanted_members() -> MembersQuery:
    """The filters of the address; what cannot be read is no filter."""
    role, mfa = (request.args.get(name, "") for name in ("role", "mfa"))
    return MembersQuery(
        text=query.text("q"),
        role=role if role in (*MemberRole, OPERATORS) else None,
        mfa=MfaFilter(mfa) if mfa in list(MfaFilter) else None,
        after=query.number("after"),
    )


@blueprint.get("/<number:account_id>")
@audience(Audience.ADMINS)
def one(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    member = _of_this_portal(account_id)
    if member is None:
        abort(404)
    return render_template("admin/user.html", member=member, portal=asking.portal(), own=asking.account(), desk=DESK)


def _of_this_portal(account_id: int) -> Member | None:
    """The person of this number in the URL's portal; anybody else's is as good as none."""
    return member_list.one(asking.portal().id, account_id)


def _list() -> str:
    return url_for("access_users.index", portal=asking.portal().slug)


DESK = Desk(Audience.ADMINS, "admin/base.html", _of_this_portal, _list)
"""Where the people of a portal are acted on."""
