"""The pencil's page: one's apps, each with rename, replace and delete; and adding one."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...domain import authenticators, recovery_codes, set_up
from ...domain.outcomes import DeleteRefusal, NameRefusal, SetUpDone
from ...models import Authenticator
from ...rules.access import Audience
from ...rules.names import APP_MAX
from ...rules.recovery_codes import LOW
from .. import asking, login_session, page, set_up_page, wanted_page
from ..forms import PortalForm, text_field
from ..fresh import StepUp
from ..gate import audience
from ..wording import of_app_name
from ._blueprint import blueprint

ADD, DELETE, RENAME = "account/add_app.html", "account/delete_app.html", "account/rename_app.html"
REPLACE = "account/replace_app.html"


class RenameForm(PortalForm):
    name = text_field("Name", longest=APP_MAX, missing="Give the app a name.", autocomplete="off")


@blueprint.get("/security/methods")
@audience(Audience.ACCOUNT)
def methods() -> ResponseReturnValue:
    """Whoever came in by a recovery code comes here first: to replace what is lost, then on to the page wanted."""
    account, codes = asking.account(), None
    if asking.identity().recovered:
        codes = recovery_codes.look(account.id)
    apps = authenticators.apps_of(account.id)
    return render_template("account/methods.html", apps=apps, codes=codes, low=LOW, wanted=_wanted())


@blueprint.get("/security/methods/add")
@audience(Audience.ACCOUNT, step_up=StepUp.UNLESS_RECOVERED)
def add_app() -> ResponseReturnValue:
    return set_up_page.show(ADD, **_adding())


@blueprint.post("/security/methods/add")
@audience(Audience.ACCOUNT, step_up=StepUp.UNLESS_RECOVERED)
def finish_add_app() -> ResponseReturnValue:
    if "cancel" in request.form:
        set_up.leave(asking.caller())
        return redirect(url_for("account.security"), 303)
    outcome = set_up_page.submit(ADD, log_out_others="end_others" in request.form, **_adding())
    if not isinstance(outcome, SetUpDone):
        return outcome
    login_session.carry_on(outcome.token)
    if outcome.first:
        flash("Your app is set up. You will be asked for a code at each log-in.", "good")
        return redirect(url_for("account.recovery_codes", next=url_for("account.security")), 303)
    flash("The app was added.", "good")
    return redirect(url_for("account.methods", next=_wanted()), 303)


def _adding() -> dict[str, Any]:
    """The first app is set up, further ones are added; right after the welcome page it may be skipped."""
    return {
        "first": not asking.account().has_authenticator,
        "may_skip": request.args.get("first") == "yes" and not asking.account().covered,
        "end_others": request.method == "GET" or "end_others" in request.form,
    }


@blueprint.get("/security/methods/<number:app_id>/replace")
@audience(Audience.ACCOUNT, step_up=StepUp.UNLESS_RECOVERED)
def replace_app(app_id: int) -> ResponseReturnValue:
    app = _own(app_id)
    return set_up_page.show(REPLACE, name=app.name, app=app, end_others=True)


@blueprint.post("/security/methods/<number:app_id>/replace")
@audience(Audience.ACCOUNT, step_up=StepUp.UNLESS_RECOVERED)
def finish_replace_app(app_id: int) -> ResponseReturnValue:
    app, ticked = _own(app_id), "end_others" in request.form
    if "cancel" in request.form:
        set_up.leave(asking.caller())
        return redirect(url_for("account.methods", next=_wanted()), 303)
    outcome = set_up_page.submit(REPLACE, log_out_others=ticked, replaced=app_id, app=app, end_others=ticked)
    if not isinstance(outcome, SetUpDone):
        return outcome
    login_session.carry_on(outcome.token)
    flash("The app was replaced. Codes of the old one no longer work.", "good")
    return redirect(url_for("account.methods", next=_wanted()), 303)


def _wanted() -> str | None:
    """The page that somebody wanted before they had to see to their apps."""
    return wanted_page.usable(request.args.get("next"))


@blueprint.route("/security/methods/<number:app_id>/rename", methods=["GET", "POST"])
@audience(Audience.ACCOUNT)
def rename_app(app_id: int) -> ResponseReturnValue:
    app = _own(app_id)
    form = RenameForm()
    if not form.is_submitted():
        form.name.data = app.name
        return render_template(RENAME, form=form, app=app)
    if not form.validate():
        return page.invalid(RENAME, form, app=app)
    outcome = authenticators.rename(asking.caller(), app_id, form.name.data)
    if isinstance(outcome, NameRefusal):
        return page.refused(RENAME, form, form.name, of_app_name(outcome), app=app)
    if outcome is DeleteRefusal.GONE:
        abort(404)
    flash("The app has its new name.", "good")
    return redirect(url_for("account.methods"), 303)


@blueprint.get("/security/methods/<number:app_id>/delete")
@audience(Audience.ACCOUNT, step_up=StepUp.FORM)
def delete_app(app_id: int) -> ResponseReturnValue:
    return _delete_page(_own(app_id))


@blueprint.post("/security/methods/<number:app_id>/delete")
@audience(Audience.ACCOUNT, step_up=StepUp.FORM)
def finish_delete_app(app_id: int) -> ResponseReturnValue:
    outcome = authenticators.delete_app(asking.caller(), app_id, end_others="end_others" in request.form)
    if outcome is DeleteRefusal.GONE:
        abort(404)
    if outcome is DeleteRefusal.LAST_OF_COVERED:
        return _delete_page(_own(app_id)), 409
    flash("The app was deleted. Its codes no longer work.", "good")
    has_app = bool(authenticators.apps_of(asking.account().id))
    return redirect(url_for("account.methods" if has_app else "account.security"), 303)


def _delete_page(app: Authenticator) -> str:
    alone = len(authenticators.apps_of(asking.account().id)) == 1
    return render_template(DELETE, app=app, alone=alone, stays=alone and asking.account().covered)


def _own(app_id: int) -> Authenticator:
    """One's own app of this number; anybody else's is as good as none."""
    for app in authenticators.apps_of(asking.account().id):
        if app.id == app_id:
            return app
    abort(404)
