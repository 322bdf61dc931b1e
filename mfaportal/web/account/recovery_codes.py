"""Recovery codes: new ones shown to the login that made them, how many are left, and the button for new ones."""

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, Field, HiddenField, ValidationError
from wtforms.validators import Regexp

from ...domain import recovery_codes as codes
from ...domain.recovery_codes import CodesRefusal
from ...rules.access import Audience
from ...rules.file_names import disposition
from ...rules.lifetimes import STEP_UP
from ...rules.recovery_codes import LOW
from .. import asking, navigation, page, wanted_page
from ..forms import PortalForm
from ..fresh import StepUp
from ..gate import audience
from ._blueprint import blueprint

TEMPLATE = "account/recovery_codes.html"
FILE = "recovery-codes.txt"
_OF_REFUSAL = {
    CodesRefusal.REPLACED: "These codes were replaced meanwhile, or are gone: they do not work any more.",
    CodesRefusal.NO_APP: "Recovery codes stand in for an app: set one up first.",
}


def _ticked(_form: object, field: Field) -> None:
    if not field.data:
        raise ValidationError("Tick this once you have saved them.")


class SavedForm(PortalForm):
    """`version` is the set that the form was opened on: nobody says of another one that it is saved."""

    saved = BooleanField("I have saved them", [_ticked], false_values=())
    version = HiddenField(validators=[Regexp(r"([1-9][0-9]{0,17})?\Z", message="Open this page again.")])


@blueprint.get("/security/recovery-codes")
@audience(Audience.ACCOUNT, step_up=StepUp.FORM)
def recovery_codes() -> ResponseReturnValue:
    return render_template(TEMPLATE, form=SavedForm(), **_context())


@blueprint.post("/security/recovery-codes")
@audience(Audience.ACCOUNT, step_up=StepUp.FORM)
def change_recovery_codes() -> ResponseReturnValue:
    form = SavedForm()
    if "replace" in request.form:
        outcome = codes.replace(asking.caller())
        if isinstance(outcome, CodesRefusal):
            return page.refused(TEMPLATE, form, None, _OF_REFUSAL[outcome], **_context())
        flash("These are your new recovery codes. All earlier ones are void.", "good")
        return redirect(url_for("account.recovery_codes", next=_wanted()), 303)
    if not form.validate():
        return page.invalid(TEMPLATE, form, **_context())
    outcome = codes.save(asking.caller(), int(form.version.data) if form.version.data else None)
    if isinstance(outcome, CodesRefusal):
        return page.refused(TEMPLATE, form, None, _OF_REFUSAL[outcome], **_context())
    flash("Noted: your recovery codes are saved.", "good")
    return redirect(_wanted() or url_for("account.security"), 303)


@blueprint.get("/security/recovery-codes/download")
@audience(Audience.ACCOUNT, step_up=StepUp.FORM)
def download_recovery_codes() -> ResponseReturnValue:
    """The codes on the page as a text file; where there are none to show, the page says why."""
    shown = _shown()
    if not shown:
        return redirect(url_for("account.recovery_codes"), 303)
    head = f"Recovery codes of {asking.account().email} for {navigation.installation()}"
    lines = [head, f"{asking.now():%Y-%m-%d}. Each code works once.", "", *shown, ""]
    response = Response("\r\n".join(lines), mimetype="text/plain")
    response.headers["Content-Disposition"] = disposition(FILE)
    return response


def _context() -> dict[str, Any]:
    return {
        "shown": _shown(),
        "codes": codes.look(asking.account().id),
        "has_app": asking.account().has_authenticator,
        "low": LOW,
        "wanted": _wanted(),
    }


def _shown() -> tuple[str, ...]:
    """Nothing in the ten minutes on top that a form has: what it answers may show no more than the page would."""
    confirmed_at = asking.identity().confirmed_at
    if confirmed_at is None or asking.now() - confirmed_at > STEP_UP:
        return ()
    return codes.shown_to(asking.identity().login_id or 0, asking.account().id, asking.now())


def _wanted() -> str | None:
    return wanted_page.usable(request.args.get("next"))
