"""Datasets in the back office: listed, added, changed, deleted by editors and admins."""

from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, RadioField
from wtforms.validators import InputRequired, Regexp

from ...domain import catalogue, datasets
from ...domain.catalogue import DatasetSeen
from ...domain.dataset_rows import Described
from ...domain.outcomes import DatasetAdded, DatasetRefusal, Done
from ...models import DatasetVisibility
from ...rules.access import Audience
from ...rules.names import DESCRIPTION_MAX, TITLE_MAX
from .. import asking, dataset_list, page
from ..forms import PortalForm, long_text_field, text_field, upload_field
from ..gate import audience
from .desk import blueprint

_CONFLICT = 409
_FORM = "back_office/dataset_form.html"
_BAD_TITLE = f"Enter a title of 1 to {TITLE_MAX} visible characters."
_SAVED_MEANWHILE = (
    "Somebody else saved this dataset since you opened it, so yours is not saved yet. Compare the two below."
)
_NO_VERSION = "The form did not say what it was opened on. Compare it with what is saved now."


class AddForm(PortalForm):
    title = text_field("Title", longest=TITLE_MAX, missing="Enter a title.")
    description = long_text_field(
        "Description", longest=DESCRIPTION_MAX, rows=8, help_text="An empty line begins a new paragraph."
    )
    visibility = RadioField(
        "Visibility",
        [InputRequired("Choose who may see it.")],
        choices={kind.value: kind.value for kind in DatasetVisibility},
        default=DatasetVisibility.PUBLIC.value,
    )
    file = upload_field("File", missing="Choose a file.", help_text="Of any kind, up to 200 MB.")

    @property
    def described(self) -> Described:
        return Described(self.title.data, self.description.data or "", DatasetVisibility(str(self.visibility.data)))


class EditForm(AddForm):
    """`version` is what the form was opened on: two people at once overwrite nothing of each other's unseen."""

    file = upload_field("New file", help_text="Of any kind, up to 200 MB. Without one, the present file stays.")
    version = HiddenField(validators=[Regexp(r"[1-9][0-9]{0,8}\Z", message=_NO_VERSION)])


@blueprint.get("/datasets")
@audience(Audience.BACK_OFFICE)
def list_datasets(portal: str) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    query = dataset_list.wanted()
    found = catalogue.page(asking.portal().id, query, as_member=True)
    return render_template("back_office/datasets.html", portal=asking.portal(), page=found, query=query)


@blueprint.route("/datasets/new", methods=["GET", "POST"])
@audience(Audience.BACK_OFFICE, uploads=True)
def add_dataset(portal: str) -> ResponseReturnValue:
    form = AddForm()
    context: dict[str, Any] = {"portal": asking.portal()}
    if not form.is_submitted():
        return render_template(_FORM, form=form, **context)
    if not form.validate() or form.file.data is None:
        return page.invalid(_FORM, form, **context)
    match datasets.add(asking.caller(), portal, form.described, form.file.data):
        case DatasetAdded(slug):
            flash("The dataset is added.", "good")
            return redirect(url_for("back_office.edit_dataset", portal=portal, dataset=slug), 303)
        case DatasetRefusal.BAD_TITLE:
            return page.refused(_FORM, form, form.title, _BAD_TITLE, **context)
    abort(404)


@blueprint.route("/datasets/<slug:dataset>", methods=["GET", "POST"])
@audience(Audience.BACK_OFFICE, uploads=True)
def edit_dataset(portal: str, dataset: str) -> ResponseReturnValue:
    present = _of_this_portal(dataset)
    form = EditForm()
    context: dict[str, Any] = {"portal": asking.portal(), "dataset": present}
    if not form.is_submitted():
        form.title.data, form.description.data = present.title, present.description
        form.visibility.data, form.version.data = present.visibility.value, str(present.version)
        return render_template(_FORM, form=form, **context)
    if not form.validate():
        if form.version.errors:
            return _side_by_side(form, present, _NO_VERSION, page.UNPROCESSABLE)
        return page.invalid(_FORM, form, **context)
    seen = int(form.version.data or 0)
    match datasets.change(asking.caller(), portal, dataset, seen, form.described, form.file.data):
        case Done():
            flash("Saved.", "good")
            return redirect(url_for("back_office.edit_dataset", portal=portal, dataset=dataset), 303)
        case DatasetRefusal.BAD_TITLE:
            return page.refused(_FORM, form, form.title, _BAD_TITLE, **context)
        case DatasetRefusal.CONFLICT:
            return _side_by_side(form, _of_this_portal(dataset), _SAVED_MEANWHILE, _CONFLICT)
    abort(404)


def _side_by_side(form: EditForm, present: DatasetSeen, sentence: str, status: int) -> ResponseReturnValue:
    """What was typed, beside what is saved now. Saving once more is then done with open eyes."""
    form.version.data = str(present.version)
    context = {"portal": asking.portal(), "dataset": present, "refusal": sentence, "compare": True}
    return page.invalid(_FORM, form, status=status, **context)


@blueprint.route("/datasets/<slug:dataset>/delete", methods=["GET", "POST"])
@audience(Audience.BACK_OFFICE)
def delete_dataset(portal: str, dataset: str) -> ResponseReturnValue:
    present = _of_this_portal(dataset)
    form = PortalForm()
    if not form.is_submitted():
        return render_template("back_office/delete_dataset.html", portal=asking.portal(), dataset=present)
    if isinstance(datasets.delete(asking.caller(), portal, dataset), DatasetRefusal):
        abort(404)
    flash("The dataset is deleted.", "good")
    return redirect(url_for("back_office.list_datasets", portal=portal), 303)


def _of_this_portal(slug: str) -> DatasetSeen:
    """The dataset of this slug in the URL's portal; any other portal's is as good as none."""
    found = catalogue.one(asking.portal().id, slug, as_member=True)
    if found is None:
        abort(404)
    return found
