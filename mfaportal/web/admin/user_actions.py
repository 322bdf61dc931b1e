"""What admins and operators do to a person: each a page of its own that says what will happen, and one button."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, RadioField
from wtforms.validators import InputRequired, Length

from ...domain import accounts, authenticators, members, one_time_links
from ...domain.members import Member
from ...domain.outcomes import AccountRefusal, AppsReset, LinkMade
from ...plumbing.runtime import runtime
from ...rules.access import Audience
from ...rules.roles import MemberRole
from .. import asking, page
from ..forms import PortalForm, TextField, without_nul
from ..gate import StepUp, audience
from ..wording import OF_ACCOUNT
from .access_users import blueprint, of_this_portal

TEMPLATE = "admin/user_action.html"
_CONFLICTS = {
    AccountRefusal.LAST_OPERATOR,
    AccountRefusal.LAST_ADMIN,
    AccountRefusal.ONESELF,
    AccountRefusal.AN_OPERATOR,
}


class BareForm(PortalForm):
    """Nothing to fill in."""


class RoleForm(PortalForm):
    role = RadioField(
        "Role", [InputRequired("Choose a role.")], choices=[(role.value, role.value) for role in MemberRole]
    )


class OperatorForm(PortalForm):
    operator = RadioField("Operator", [InputRequired("Choose yes or no.")], choices=[("yes", "Yes"), ("no", "No")])


def _reason() -> TextField:
    return TextField(
        "Reason",
        [InputRequired("Say why; it is kept in the log."), Length(max=500), without_nul],
        description="Kept in the log of events.",
        render_kw={"maxlength": 500, "autocomplete": "off"},
    )


class ReasonForm(PortalForm):
    reason = _reason()


class ResetForm(PortalForm):
    reason = _reason()
    new_password_too = BooleanField("Also require a new password")


@dataclass(frozen=True, slots=True)
class Action:
    """What the page says. `button` is fixed by pages.md."""

    title: str
    explanation: str
    button: str
    done: str
    danger: bool = False
    form: type[PortalForm] = BareForm
    start: Callable[[PortalForm, Member], None] = field(default=lambda _form, _member: None)


def _run(account_id: int, action: Action, do: Callable[[Any], object]) -> ResponseReturnValue:
    """Show the action's page, or do it and go back to the person's page, or to the list if they are gone from it."""
    member = of_this_portal(account_id)
    form: Any = action.form()
    context: dict[str, Any] = {"action": action, "member": member, "portal": asking.portal()}
    if not form.is_submitted():
        action.start(form, member)
        return render_template(TEMPLATE, form=form, **context)
    if not form.validate():
        return page.invalid(TEMPLATE, form, **context)
    outcome = do(form)
    if outcome is AccountRefusal.UNKNOWN:
        abort(404)
    if isinstance(outcome, AccountRefusal) and outcome is not AccountRefusal.NO_CHANGE:
        status = 409 if outcome in _CONFLICTS else 422
        return page.invalid(TEMPLATE, form, status=status, refusal=OF_ACCOUNT[outcome], **context)
    token = outcome.token if isinstance(outcome, LinkMade) else None
    token = outcome.link_token if isinstance(outcome, AppsReset) else token
    if token is not None:
        return _show_link(member, token)
    flash(action.done, "good")
    slug = asking.portal().slug
    if members.one(asking.portal().id, account_id) is None:
        return redirect(url_for("access_users.index", portal=slug), 303)
    return redirect(url_for("access_users.one", portal=slug, account_id=account_id), 303)


def _show_link(member: Member, token: str) -> ResponseReturnValue:
    """Shown in the answer itself: a link that went through a cookie or a second page would lie around."""
    link = runtime().settings.public_url + url_for("auth.open_reset_link", token=token)
    return make_response(render_template("admin/link_made.html", member=member, link=link, portal=asking.portal()))


ROLE = Action(
    "Change role",
    "A new role ends this person's logins; they log in again with it.",
    "Save",
    "The role is saved.",
    form=RoleForm,
    start=lambda form, member: setattr(form["role"], "data", member.role),
)


@blueprint.route("/<number:account_id>/role", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.FORM)
def role(portal: str, account_id: int) -> ResponseReturnValue:
    return _run(
        account_id,
        ROLE,
        lambda form: members.change_role(asking.caller(), portal, account_id, MemberRole(form.role.data)),
    )


REMOVE = Action(
    "Remove from portal",
    "This person can no longer enter this portal. The account stays, and so do its other portals.",
    "Remove from portal",
    "The person was removed from this portal.",
    danger=True,
)


@blueprint.route("/<number:account_id>/remove", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.FORM)
def remove(portal: str, account_id: int) -> ResponseReturnValue:
    return _run(account_id, REMOVE, lambda _form: members.remove(asking.caller(), portal, account_id))


OPERATOR = Action(
    "Operator",
    "Operators run the installation: every portal, every account. A change ends this person's logins.",
    "Save",
    "Saved.",
    form=OperatorForm,
    start=lambda form, member: setattr(form["operator"], "data", "yes" if member.is_operator else "no"),
)


@blueprint.route("/<number:account_id>/operator", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def operator(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001
    return _run(
        account_id,
        OPERATOR,
        lambda form: accounts.change_operator(asking.caller(), account_id, operator=form.operator.data == "yes"),
    )


SUSPEND = Action(
    "Suspend",
    "All logins of this account end now, in all portals, and it cannot log in until it is restored.",
    "Suspend",
    "The account is suspended.",
    danger=True,
    form=ReasonForm,
)


@blueprint.route("/<number:account_id>/suspend", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def suspend(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001
    return _run(
        account_id,
        SUSPEND,
        lambda form: accounts.suspend(asking.caller(), account_id, form.reason.data),
    )


RESTORE = Action("Restore", "This account may log in again.", "Restore", "The account may log in again.")


@blueprint.route("/<number:account_id>/restore", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def restore(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001
    return _run(account_id, RESTORE, lambda _form: accounts.restore(asking.caller(), account_id))


END_LOGINS = Action(
    "End logins",
    "This person is logged out of every browser, now.",
    "End logins",
    "All logins of this person have ended.",
    danger=True,
)


@blueprint.route("/<number:account_id>/end-logins", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def end_logins(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001
    return _run(account_id, END_LOGINS, lambda _form: accounts.end_logins(asking.caller(), account_id))


RESET_MFA = Action(
    "Reset MFA",
    "All apps of this person are deleted and all their logins end. Make sure that it is really them who asks:"
    " talk to them, do not trust an e-mail.",
    "Reset MFA",
    "MFA was reset. All logins of this person have ended.",
    danger=True,
    form=ResetForm,
    start=lambda form, _member: setattr(form["new_password_too"], "data", True),
)


@blueprint.route("/<number:account_id>/reset-mfa", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def reset_mfa(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001
    return _run(
        account_id,
        RESET_MFA,
        lambda form: authenticators.reset(
            asking.caller(), account_id, form.reason.data, new_password_too=form.new_password_too.data
        ),
    )


RESET_LINK = Action(
    "Make reset link",
    "A link with which this person sets a new password: once, within 30 minutes. Their app still asks for a code."
    " It is shown to you once; hand it over on a way that you trust.",
    "Make reset link",
    "",
)


@blueprint.route("/<number:account_id>/reset-link", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def reset_link(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001
    return _run(account_id, RESET_LINK, lambda _form: one_time_links.make_reset_link(asking.caller(), account_id))
