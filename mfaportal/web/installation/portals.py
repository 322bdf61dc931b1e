"""Installation > Portals: added, changed, deleted, and what they guard. Inside, their admins have the say."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...domain import guarding, installation, portals
from ...domain.guard_lines import ADDRESSES_MAX, PATHS_MAX, GuardRefusal, Typed
from ...domain.installation import PortalLine
from ...domain.outcomes import Done, PortalRefusal
from ...models.guarded_address import HOST_MAX, PREFIX_MAX
from ...rules.access import Audience
from ...rules.names import PORTAL_MAX, SLUG_MAX
from .. import asking, page, query
from ..forms import PortalForm, long_text_field, text_field
from ..fresh import StepUp
from ..gate import audience
from ..wording import OF_PORTAL, of_guard

blueprint = Blueprint("installation_portals", __name__, url_prefix="/installation/portals")
TEMPLATE = "installation/portal.html"
DELETE_TEMPLATE = "installation/delete_portal.html"
_AS_TYPED = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class KeptPortalForm(PortalForm):
    """Name, slug, and what the portal guards beside its own pages."""

    name = text_field("Name", longest=PORTAL_MAX, missing="Give the portal a name.", autocomplete="off")
    slug = text_field(
        "Slug",
        longest=SLUG_MAX,
        missing="Choose its name in addresses.",
        help_text="Its name in addresses: a-z, 0-9 and -.",
        **_AS_TYPED,
    )
    addresses = long_text_field(
        "Addresses",
        longest=ADDRESSES_MAX * (len("https://") + HOST_MAX + PREFIX_MAX),
        help_text="One per line, such as https://data.example.org or https://example.org/app.",
        rows=4,
        **_AS_TYPED,
    )
    back_office_paths = long_text_field(
        "Back-office paths",
        longest=PATHS_MAX * PREFIX_MAX,
        help_text=(
            "One per line, such as /admin. Each counts below every address above, with all that lies under it: styles"
            " and scripts, too."
        ),
        rows=4,
        **_AS_TYPED,
    )

    def guards(self) -> Typed:
        """What is to be guarded. A form that was sent without one of the fields leaves it as it is."""
        sent = [field.data if field.raw_data else None for field in (self.addresses, self.back_office_paths)]
        return Typed(*sent)

    def show(self, line: PortalLine) -> None:
        """Fill it with what is kept."""
        self.name.data, self.slug.data = line.name, line.slug
        self.addresses.data = _lines(line.addresses)
        self.back_office_paths.data = _lines(guarding.back_office_of(line.id))


def _lines(kept: Iterable[object]) -> str:
    return "\n".join(map(str, kept))


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
    form = KeptPortalForm()
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, line=None)
    if not form.validate():
        return page.invalid(TEMPLATE, form, line=None)
    outcome = portals.create(asking.caller(), form.name.data, form.slug.data, form.guards())
    return _after(form, outcome, f"Added {form.name.data}: private, closed, with no members yet.", line=None)


@blueprint.route("/<slug:portal>", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.FORM)
def edit(portal: str) -> ResponseReturnValue:
    line = _line(portal)
    form = KeptPortalForm()
    if not form.is_submitted():
        form.show(line)
        return render_template(TEMPLATE, form=form, line=line)
    if not form.validate():
        return page.invalid(TEMPLATE, form, line=line)
    outcome = portals.rename(asking.caller(), portal, form.name.data, form.slug.data, form.guards())
    return _after(form, outcome, "Saved.", line=line)


def _after(
    form: KeptPortalForm, outcome: Done | PortalRefusal | GuardRefusal, done: str, **context: Any
) -> ResponseReturnValue:
    """The list, or the form again with what was wrong at its field."""
    match outcome:
        case PortalRefusal.UNKNOWN:
            abort(404)
        case PortalRefusal.BAD_NAME:
            return page.refused(TEMPLATE, form, form.name, OF_PORTAL[outcome], **context)
        case PortalRefusal():
            return page.refused(TEMPLATE, form, form.slug, OF_PORTAL[outcome], **context)
        case GuardRefusal():
            field = form.back_office_paths if outcome.why.is_of_paths else form.addresses
            return page.refused(TEMPLATE, form, field, of_guard(outcome), **context)
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
