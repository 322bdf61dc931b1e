"""What is done to a portal's people. Admins change a role or remove somebody; operators do the rest."""

from flask.typing import ResponseReturnValue
from wtforms import RadioField
from wtforms.validators import InputRequired

from ...domain import members
from ...domain.outcomes import AccountRefusal
from ...rules.access import Audience
from ...rules.roles import MemberRole
from .. import asking
from ..forms import PortalForm
from ..fresh import StepUp
from ..gate import audience
from . import operator_actions
from .access_users import DESK, blueprint
from .action_page import Action, run

_WORDS = {AccountRefusal.AN_OPERATOR: "This person is an operator: only an operator can change their place here."}


class RoleForm(PortalForm):
    role = RadioField(
        "Role", [InputRequired("Choose a role.")], choices={role.value: role.value for role in MemberRole}
    )


ROLE = Action(
    "Change role",
    "A new role ends this person's logins; they log in again with it.",
    "Save",
    "The role is saved.",
    form=RoleForm,
    start=lambda form, member: setattr(form["role"], "data", member.role),
    words=_WORDS,
)


@blueprint.route("/<number:account_id>/role", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.FORM)
def role(portal: str, account_id: int) -> ResponseReturnValue:
    return run(
        DESK,
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
    words=_WORDS,
)


@blueprint.route("/<number:account_id>/remove", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.FORM)
def remove(portal: str, account_id: int) -> ResponseReturnValue:
    return run(DESK, account_id, REMOVE, lambda _form: members.remove(asking.caller(), portal, account_id))


operator_actions.hang(blueprint, DESK)
