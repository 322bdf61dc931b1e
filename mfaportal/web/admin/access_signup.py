"""Access > Log in & Sign up: who may ask to come in, and whom to ask where one can get no further."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, RadioField
from wtforms.validators import Length, Optional

from ...domain import sign_up
from ...domain.outcomes import PortalRefusal
from ...domain.sign_up import SignUpRefusal
from ...models import SignUp
from ...rules.access import Audience
from ...rules.names import CONTACT_MAX
from .. import asking, page
from ..forms import PortalForm, TextField, without_nul
from ..fresh import StepUp
from ..gate import audience

blueprint = Blueprint("access_signup", __name__, url_prefix="/portals/<slug:portal>/backoffice/access")
TEMPLATE = "admin/signup.html"
_NEEDS_MAIL = (
    "This needs e-mail, by which people confirm their address, and e-mail is not set up here. Choose “By approval”."
)


class SignUpForm(PortalForm):
    """A policy that is not sent stays as it is; one that does not exist is refused."""

    policy = RadioField(
        "Sign-up", [Optional(strip_whitespace=False)], choices={policy.value: policy.value for policy in SignUp}
    )
    message_required = BooleanField("A request must come with a message")
    contact = TextField(
        "Contact",
        [Optional(), Length(max=CONTACT_MAX, message=f"Use at most {CONTACT_MAX} characters."), without_nul],
        description="An e-mail address, an https:// address, or a few words. Shown to whoever can get no further.",
        render_kw={"maxlength": CONTACT_MAX, "autocomplete": "off"},
    )


@blueprint.route("/signup", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.FORM)
def edit(portal: str) -> ResponseReturnValue:
    form = SignUpForm()
    present = sign_up.look(asking.portal().id)
    if present is None:
        abort(404)
    context: dict[str, Any] = {"portal": asking.portal(), "present": present}
    if not form.is_submitted():
        form.policy.data, form.message_required.data = present.policy, present.message_required
        form.contact.data = present.contact
        return render_template(TEMPLATE, form=form, **context)
    if not form.validate():
        return page.invalid(TEMPLATE, form, **context)
    outcome = sign_up.change(
        asking.caller(),
        portal,
        policy=SignUp(form.policy.data) if form.policy.data else None,
        message_required=form.message_required.data,
        contact=form.contact.data or "",
    )
    match outcome:
        case SignUpRefusal.NEEDS_MAIL:
            return page.refused(TEMPLATE, form, form.policy, _NEEDS_MAIL, **context)
        case SignUpRefusal.BAD_CONTACT:
            sentence = f"Use up to {CONTACT_MAX} visible characters, in one line."
            return page.refused(TEMPLATE, form, form.contact, sentence, **context)
        case PortalRefusal():
            abort(404)
    flash("Saved.", "good")
    return redirect(url_for("access_signup.edit", portal=portal), 303)
