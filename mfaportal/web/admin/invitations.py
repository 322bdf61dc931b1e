"""Access > Users > Invite: addresses and a role in, links out; and what is open, to be sent again or revoked.

Where mail works the links go to their addresses and are shown to nobody. Else they are shown in the answer itself,
once, and whoever invites hands them over.
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField
from wtforms.validators import Optional

from ...domain import invitations, notices
from ...domain.invitations import BadAddresses
from ...domain.outcomes import AccountRefusal, Invited
from ...plumbing.runtime import runtime
from ...rules.access import Audience
from ...rules.lifetimes import INVITATION
from ...rules.roles import MemberRole
from .. import asking, page, query
from ..forms import PortalForm, long_text_field
from ..fresh import StepUp
from ..gate import audience

blueprint = Blueprint("access_invitations", __name__, url_prefix="/portals/<slug:portal>/backoffice/access/users")
TEMPLATE = "admin/invite.html"
_LONGEST = 5000


class InviteForm(PortalForm):
    emails = long_text_field(
        "E-mail addresses",
        longest=_LONGEST,
        missing="Enter at least one e-mail address.",
        help_text=f"At most {invitations.AT_ONCE_MAX}, on lines or with commas, semicolons or spaces between;"
        " Name <name@example.org> will do, too.",
        rows=5,
    )
    role = RadioField(
        "Role",
        [Optional(strip_whitespace=False)],  # a space is a value, and an unknown one
        choices={role.value: role.value for role in MemberRole},
        default=MemberRole.READER.value,
    )


@blueprint.route("/invite", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.FORM)
def invite(portal: str) -> ResponseReturnValue:
    form = InviteForm()
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, **_context())
    if not form.validate():
        return page.invalid(TEMPLATE, form, **_context())
    outcome = invitations.invite(
        asking.caller(),
        portal,
        invitations.addresses_in(form.emails.data),
        MemberRole(form.role.data or MemberRole.READER),
    )
    if isinstance(outcome, AccountRefusal):
        abort(404)
    if isinstance(outcome, BadAddresses):
        return page.refused(TEMPLATE, form, form.emails, _words(outcome), **_context())
    return _answer(outcome)


def _context() -> dict[str, Any]:
    portal = asking.portal()
    return {
        "by_mail": notices.mail_works(),
        "portal": portal,
        "page": invitations.page(portal.id, query.number("after"), asking.now()),
    }


def _words(refusal: BadAddresses) -> str:
    if refusal.too_many:
        return f"Enter at most {invitations.AT_ONCE_MAX} addresses at a time."
    if not refusal.bad:
        return "Enter at least one e-mail address."
    words = "This is no e-mail address" if len(refusal.bad) == 1 else "These are no e-mail addresses"
    return f"{words}: {', '.join(refusal.bad)}. Nobody was invited yet."


def _answer(made: Sequence[Invited]) -> ResponseReturnValue:
    """Where mail works, how many are on their way: addresses do not go into a cookie."""
    mailed = sum(each.mailed for each in made)
    if not notices.mail_works():
        return _show_links(made)
    members = len(made) - mailed
    flash(" ".join(filter(None, (_of_mailed(mailed), _of_members(members)))), "good" if mailed else "bad")
    return _back()


def _of_mailed(number: int) -> str:
    if not number:
        return ""
    return (
        "The invitation is on its way by e-mail."
        if number == 1
        else f"{number} invitations are on their way by e-mail."
    )


def _of_members(number: int) -> str:
    if not number:
        return ""
    if number == 1:
        return "One address is that of a member already."
    return f"{number} addresses are those of members already."


def _show_links(made: Sequence[Invited]) -> ResponseReturnValue:
    """In the answer itself: a link that went through a cookie or a second page would lie around."""
    start = runtime().settings.public_url
    links = [(each.email, start + url_for("auth.open_invitation", token=each.token)) for each in made if each.token]
    members = [each.email for each in made if not each.token]
    until = asking.now() + INVITATION
    return render_template(
        "admin/invitations_made.html", portal=asking.portal(), links=links, members=members, until=until
    )


@blueprint.route("/invitations/<number:invitation_id>/again", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.ROW)
def again(portal: str, invitation_id: int) -> ResponseReturnValue:
    """A new link in place of the old one."""
    if request.method != "POST":
        return _back()
    outcome = invitations.again(asking.caller(), portal, invitation_id)
    if isinstance(outcome, AccountRefusal):
        abort(404)
    return _answer([outcome])


@blueprint.route("/invitations/<number:invitation_id>/revoke", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.ROW)
def revoke(portal: str, invitation_id: int) -> ResponseReturnValue:
    """The link is void."""
    if request.method != "POST":
        return _back()
    if isinstance(invitations.revoke(asking.caller(), portal, invitation_id), AccountRefusal):
        abort(404)
    flash("The invitation is revoked. Its link no longer works.", "good")
    return _back()


def _back() -> ResponseReturnValue:
    """To the list: also for whoever had to confirm first, since no POST is replayed."""
    return redirect(url_for("access_invitations.invite", portal=asking.portal().slug), 303)
