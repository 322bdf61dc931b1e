"""Access > Users: the list, and one person's page. What can be done to a person is in `user_actions`."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from ...domain import members
from ...domain.members import Member, MembersQuery, MfaFilter
from ...rules.access import Audience
from ...rules.roles import MemberRole
from .. import asking
from ..gate import audience

_DIGITS_MAX = 18
"""A number of this many digits fits into every database."""

blueprint = Blueprint("access_users", __name__, url_prefix="/portals/<slug:portal>/backoffice/access/users")


@blueprint.get("")
@audience(Audience.ADMINS)
def index(portal: str) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    query = _query()
    return render_template(
        "admin/users.html", page=members.page(asking.portal().id, query), query=query, portal=asking.portal()
    )


def _query() -> MembersQuery:
    """The filters of the address; what cannot be read is no filter."""
    role, mfa, after = (request.args.get(name, "") for name in ("role", "mfa", "after"))
    return MembersQuery(
        text=request.args.get("q", "").strip().replace("\x00", "")[:100],
        role=MemberRole(role) if role in list(MemberRole) else None,
        mfa=MfaFilter(mfa) if mfa in list(MfaFilter) else None,
        after=int(after) if after.isascii() and after.isdigit() and len(after) <= _DIGITS_MAX else None,
    )


@blueprint.get("/<number:account_id>")
@audience(Audience.ADMINS)
def one(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    member = of_this_portal(account_id)
    return render_template("admin/user.html", member=member, portal=asking.portal(), own=asking.account())


def of_this_portal(account_id: int) -> Member:
    """The person of this number in the URL's portal; anybody else's is as good as none."""
    member = members.one(asking.portal().id, account_id)
    if member is None:
        abort(404)
    return member
