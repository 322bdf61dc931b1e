"""Installation > Portals: all portals, added, renamed, deleted. What happens inside one is its admins' business."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...domain import installation, portals
from ...domain.installation import PortalLine
from ...domain.outcomes import Done, PortalRefusal
from ...rules.access import Audience
from ...rules.names import PORTAL_MAX, SLUG_MAX
from .. import asking, page, query
from ..forms import PortalForm, text_field
from ..gate import StepUp, audience
from ..wording import OF_PORTAL

blueprint = Blueprint("installation_portals", __name__, url_prefix="/installation/portals")
TEMPLATE = "installation/portal.html"
DELETE_TEMPLATE = "installation/delete_portal.html"


class NewPortalForm(PortalForm):
    name = text_field("Name", longest=PORTAL_MAX, missing="Give the portal a name.", autocomplete="off")
    slug = text_field(
        "Slug",
        longest=SLUG_MAX,
        missing="Choose its name in addresses.",
        help_text="Its name in addresses: a-z, 0-9 and -.",
        autocomplete="off",
        autocapitalize="off",
        spellcheck="false",
    )


class DeletePortalForm(PortalForm):
    """Nothing to fill in."""


@blueprint.get("")
@audience(Audience.OPERATORS)
def index() -> ResponseReturnValue:
    after = query.number("after")
    return render_template("installation/portals.html", page=installation.portals(after), after=after)


@blueprint.route("/new", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def add() -> ResponseReturnValue:
    form = NewPortalForm()
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, line=None)
    if not form.validate():
        return page.invalid(TEMPLATE, form, line=None)
    outcome = portals.create(asking.caller(), form.name.data, form.slug.data)
    return _after(form, outcome, f"Added {form.name.data}: private, closed, with no members yet.", line=None)


@blueprint.route("/<slug:portal>", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def edit(portal: str) -> ResponseReturnValue:
    line = _line(portal)
    form = NewPortalForm()
    if not form.is_submitted():
        form.name.data, form.slug.data = line.name, line.slug
        return render_template(TEMPLATE, form=form, line=line)
    if not form.validate():
        return page.invalid(TEMPLATE, form, line=line)
    outcome = portals.rename(asking.caller(), portal, form.name.data, form.slug.data)
    return _after(form, outcome, "Saved.", line=line)


def _after(form: NewPortalForm, outcome: Done | PortalRefusal, done: str, **context: Any) -> ResponseReturnValue:
    """The list, or the form again with what was wrong at its field."""
    match outcome:
        case PortalRefusal.UNKNOWN:
            abort(404)
        case PortalRefusal.BAD_NAME:
            return page.refused(TEMPLATE, form, form.name, OF_PORTAL[outcome], **context)
        case PortalRefusal():
            return page.refused(TEMPLATE, form, form.slug, OF_PORTAL[outcome], **context)
    flash(done, "good")
    return redirect(url_for("installation_portals.index"), 303)


@blueprint.route("/<slug:portal>/delete", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def delete(portal: str) -> ResponseReturnValue:
    line = _line(portal)
    form = DeletePortalForm()
    if not form.is_submitted():
        return render_template(DELETE_TEMPLATE, form=form, line=line)
    outcome = portals.delete(asking.caller(), portal)
    if outcome is PortalRefusal.UNKNOWN:
        abort(404)
    if isinstance(outcome, PortalRefusal):
        return page.invalid(DELETE_TEMPLATE, form, status=409, refusal=OF_PORTAL[outcome], line=line)
    flash(f"{line.name} was deleted.", "good")
    return redirect(url_for("installation_portals.index"), 303)


def _line(slug: str) -> PortalLine:
    found = installation.portal(slug)
    if found is None:
        abort(404)  # deleted since the gate looked
    return found
