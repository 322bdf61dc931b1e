"""Access > Security: public or private, and whom the MFA rule covers."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, RadioField
from wtforms.validators import Optional

from ...domain import access_security, guarding
from ...domain.outcomes import PortalRefusal, RuleRefusal
from ...models import Visibility
from ...rules.access import Audience
from ...rules.mfa_rule import MfaRule
from .. import asking, page
from ..forms import PortalForm
from ..fresh import StepUp
from ..gate import audience

blueprint = Blueprint("access_security", __name__, url_prefix="/portals/<slug:portal>/backoffice/access")
TEMPLATE = "admin/access_security.html"
_NOT_SENT = Optional(strip_whitespace=False)  # a space is a value, and an unknown one
_YOU = "You would be covered and have not set up MFA yourself: set it up first, then apply the rule now."


class AccessSecurityForm(PortalForm):
    """A choice that is not sent stays as it is; one that does not exist is refused."""

    visibility = RadioField("Portal access", [_NOT_SENT], choices={kind.value: kind.value for kind in Visibility})
    mfa_rule = RadioField("MFA", [_NOT_SENT], choices={rule.value: rule.value for rule in MfaRule})
    apply_now = BooleanField("Also apply now")


@blueprint.route("/security", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.FORM)
def edit(portal: str) -> ResponseReturnValue:
    form = AccessSecurityForm()
    present = access_security.look(portal)
    if present is None:
        abort(404)
    guarded = guarding.guarded_by(asking.portal().id)
    context: dict[str, Any] = {"present": present, "account": asking.account(), "guarded": guarded}
    if not form.is_submitted():
        form.visibility.data, form.mfa_rule.data = present.visibility, present.rule
        return render_template(TEMPLATE, form=form, **context)
    if not form.validate():
        return page.invalid(TEMPLATE, form, **context)
    outcome = access_security.change(
        asking.caller(),
        portal,
        visibility=Visibility(form.visibility.data or present.visibility),
        rule=MfaRule(form.mfa_rule.data or present.rule),
        apply_now=form.apply_now.data,
    )
    if outcome is RuleRefusal.WOULD_COVER_YOU:
        return page.refused(TEMPLATE, form, form.apply_now, _YOU, offer_set_up=True, **context)
    if outcome is PortalRefusal.UNKNOWN:
        abort(404)
    flash("Saved.", "good")
    return redirect(url_for("access_security.edit", portal=portal), 303)
