"""Leaving a portal and deleting one's account: each a page of its own that says what will happen, and one button."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...domain import leaving
from ...domain.leaving import OwnPortal
from ...domain.outcomes import AccountRefusal
from ...rules.access import Audience
from .. import asking, login_session
from ..forms import PortalForm
from ..fresh import StepUp
from ..gate import audience
from ._blueprint import blueprint


class ButtonForm(PortalForm):
    """Nothing to fill in."""


@blueprint.route("/portals/<slug:portal>/leave", methods=["GET", "POST"])
@audience(Audience.ACCOUNT, step_up=StepUp.FORM)
def leave(portal: str) -> ResponseReturnValue:
    own = leaving.portals_of(asking.account().id)
    here = next((each for each in own if each.slug == portal), None)
    if here is None:
        abort(404)
    if not ButtonForm().is_submitted():
        return _leave_page(here, own)
    outcome = leaving.leave(asking.caller(), portal)
    if outcome is AccountRefusal.UNKNOWN:
        abort(404)
    if outcome is AccountRefusal.LAST_ADMIN:
        return _leave_page(here, own, stays=True), 409
    flash(f"You have left {here.name}.", "good")
    return redirect(url_for("account.profile"), 303)


def _leave_page(here: OwnPortal, own: list[OwnPortal], *, stays: bool = False) -> str:
    account = asking.account()
    stays = stays or (here.last_admin and not account.is_operator)
    alone = len(own) == 1 and not account.is_operator
    return render_template("account/leave.html", portal=here, stays=stays, alone=alone)


@blueprint.route("/delete", methods=["GET", "POST"])
@audience(Audience.ACCOUNT, step_up=StepUp.FORM)
def delete() -> ResponseReturnValue:
    if not ButtonForm().is_submitted():
        return _delete_page(None)
    outcome = leaving.delete_account(asking.caller())
    if isinstance(outcome, AccountRefusal):
        return _delete_page(outcome), 409
    return login_session.part("Your account is deleted.")


def _delete_page(refusal: AccountRefusal | None) -> str:
    """What would stop it is said before somebody tries; `refusal`: it has just stopped it."""
    account = asking.account()
    own = leaving.portals_of(account.id)
    stuck = [] if account.is_operator else [each.name for each in own if each.last_admin]
    last_operator = refusal is AccountRefusal.LAST_OPERATOR or (
        account.is_operator and leaving.is_last_operator(account.id)
    )
    return render_template(
        "account/delete.html",
        account=account,
        portals=[each.name for each in own],
        last_operator=last_operator,
        stuck=stuck,
        stays=refusal is not None or last_operator or bool(stuck),
    )
