"""What operators do to an account: each a page of its own that says what will happen, and one button.

`hang` puts all of them below a list of people: a portal's, and the installation's.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, RadioField
from wtforms.validators import InputRequired

from ...domain import accounts, authenticators, one_time_links
from ...rules.access import Audience
from .. import asking
from ..forms import PortalForm
from ..fresh import StepUp
from ..gate import audience
from .action_page import Action, Desk, reason_field, run


class OperatorForm(PortalForm):
    operator = RadioField("Operator", [InputRequired("Choose yes or no.")], choices={"yes": "Yes", "no": "No"})


class SuspendForm(PortalForm):
    reason = reason_field(needed=False)


class ResetForm(PortalForm):
    reason = reason_field(needed=True)
    new_password_too = BooleanField("Also require a new password")


OPERATOR = Action(
    "Operator",
    "Operators run the installation: every portal, every account. A change ends this person's logins.",
    "Save",
    "Saved.",
    form=OperatorForm,
    start=lambda form, member: setattr(form["operator"], "data", "yes" if member.is_operator else "no"),
)
SUSPEND = Action(
    "Suspend",
    "All logins of this account end now, in all portals, and it cannot log in until it is restored.",
    "Suspend",
    "The account is suspended.",
    danger=True,
    form=SuspendForm,
)
RESTORE = Action("Restore", "This account may log in again.", "Restore", "The account may log in again.")
END_LOGINS = Action(
    "End logins",
    "This person is logged out of every browser, now; you yourself would be of every one but this.",
    "End logins",
    "All logins of this person have ended.",
    danger=True,
)
RESET_MFA = Action(
    "Reset MFA",
    "All apps of this person are deleted, their recovery codes are void, and all their logins end."
    " Make sure that it is really them who asks:"
    " talk to them, do not trust an e-mail.",
    "Reset MFA",
    "MFA was reset. All logins of this person have ended.",
    danger=True,
    form=ResetForm,
    start=lambda form, _member: setattr(form["new_password_too"], "data", True),
)
RESET_LINK = Action(
    "Make reset link",
    "A link with which this person sets a new password: once, within 30 minutes. Their app still asks for a code."
    " It is shown to you once; hand it over on a way that you trust.",
    "Make reset link",
    "",
)


def _operator(account_id: int, form: Any) -> object:
    return accounts.change_operator(asking.caller(), account_id, operator=form.operator.data == "yes")


def _suspend(account_id: int, form: Any) -> object:
    return accounts.suspend(asking.caller(), account_id, form.reason.data or "")


def _restore(account_id: int, _form: Any) -> object:
    return accounts.restore(asking.caller(), account_id)


def _end_logins(account_id: int, _form: Any) -> object:
    return accounts.end_logins(asking.caller(), account_id)


def _reset_mfa(account_id: int, form: Any) -> object:
    return authenticators.reset(
        asking.caller(), account_id, form.reason.data, new_password_too=form.new_password_too.data
    )


def _reset_link(account_id: int, _form: Any) -> object:
    return one_time_links.make_reset_link(asking.caller(), account_id)


Doing = Callable[[int, Any], object]
ACTIONS: dict[str, tuple[Action, Doing]] = {
    "operator": (OPERATOR, _operator),
    "suspend": (SUSPEND, _suspend),
    "restore": (RESTORE, _restore),
    "end-logins": (END_LOGINS, _end_logins),
    "reset-mfa": (RESET_MFA, _reset_mfa),
    "reset-link": (RESET_LINK, _reset_link),
}
"""By the last part of the address."""


def hang(blueprint: Blueprint, desk: Desk) -> None:
    """Give a list of people all of them, each an endpoint of its own, for operators and behind a step-up."""
    for path, (action, do) in ACTIONS.items():
        view = audience(Audience.OPERATORS, step_up=StepUp.FORM)(_view(desk, action, do))
        blueprint.add_url_rule(f"/<number:account_id>/{path}", path.replace("-", "_"), view, methods=["GET", "POST"])


def _view(desk: Desk, action: Action, do: Doing) -> Callable[..., ResponseReturnValue]:
    def view(account_id: int, **_portal: str) -> ResponseReturnValue:
        """The gate has read the portal, where the address has one."""
        return run(desk, account_id, action, lambda form: do(account_id, form))

    return view
