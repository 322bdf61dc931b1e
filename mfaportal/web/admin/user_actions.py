"""What admins and operators do to a person: each a page of its own that says what will happen, and one button."""

from flask.typing import ResponseReturnValue
from wtforms import BooleanField, RadioField
from wtforms.validators import InputRequired

from ...domain import accounts, authenticators, members, one_time_links
from ...rules.access import Audience
from ...rules.roles import MemberRole
from .. import asking
from ..forms import PortalForm
from ..gate import StepUp, audience
from .access_users import blueprint
from .action_page import Action, reason_field, run


class RoleForm(PortalForm):
    role = RadioField(
        "Role", [InputRequired("Choose a role.")], choices={role.value: role.value for role in MemberRole}
    )


class OperatorForm(PortalForm):
    operator = RadioField("Operator", [InputRequired("Choose yes or no.")], choices={"yes": "Yes", "no": "No"})


class SuspendForm(PortalForm):
    reason = reason_field(needed=False)


class ResetForm(PortalForm):
    reason = reason_field(needed=True)
    new_password_too = BooleanField("Also require a new password")


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
    return run(
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
    return run(account_id, REMOVE, lambda _form: members.remove(asking.caller(), portal, account_id))


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
    return run(
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
    form=SuspendForm,
)


@blueprint.route("/<number:account_id>/suspend", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def suspend(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001
    return run(
        account_id,
        SUSPEND,
        lambda form: accounts.suspend(asking.caller(), account_id, form.reason.data or ""),
    )


RESTORE = Action("Restore", "This account may log in again.", "Restore", "The account may log in again.")


@blueprint.route("/<number:account_id>/restore", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def restore(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001
    return run(account_id, RESTORE, lambda _form: accounts.restore(asking.caller(), account_id))


END_LOGINS = Action(
    "End logins",
    "This person is logged out of every browser, now; you yourself would be of every one but this.",
    "End logins",
    "All logins of this person have ended.",
    danger=True,
)


@blueprint.route("/<number:account_id>/end-logins", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def end_logins(portal: str, account_id: int) -> ResponseReturnValue:  # noqa: ARG001
    return run(account_id, END_LOGINS, lambda _form: accounts.end_logins(asking.caller(), account_id))


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
    return run(
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
    return run(account_id, RESET_LINK, lambda _form: one_time_links.make_reset_link(asking.caller(), account_id))
