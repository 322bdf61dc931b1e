"""A dataset's page, and its file. What somebody may not see is not there for them: the same answer, to the byte."""

import logging

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from ...domain import catalogue
from ...domain.catalogue import DatasetSeen
from ...models import DatasetVisibility
from ...rules.access import Audience
from ...rules.roles import is_member
from .. import asking, downloads
from ..gate import audience
from .home import blueprint

_log = logging.getLogger("mfaportal.files")


@blueprint.get("/portals/<slug:portal>/datasets/<slug:dataset>")
@audience(Audience.FRONT_OFFICE)
def dataset(portal: str, dataset: str) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    found = _visible(dataset)
    preview = catalogue.preview(found)
    if preview is None:
        _note_missing(found)
    return render_template("front_office/dataset.html", portal=asking.portal(), dataset=found, preview=preview)


@blueprint.get("/portals/<slug:portal>/datasets/<slug:dataset>/file")
@audience(Audience.FRONT_OFFICE)
def dataset_file(portal: str, dataset: str) -> ResponseReturnValue:  # noqa: ARG001  # the gate has read it
    found = _visible(dataset)
    file = catalogue.open_file(found)
    if file is None or found.file_digest is None:
        _note_missing(found)
        abort(404)
    return downloads.send(
        file,
        name=found.file_name,
        digest=found.file_digest,
        size=found.file_size,
        changed_at=found.changed_at,
        for_everybody=asking.portal().public and found.visibility is DatasetVisibility.PUBLIC,
    )


def _visible(slug: str) -> DatasetSeen:
    found = catalogue.one(asking.portal().id, slug, as_member=is_member(asking.identity().role))
    if found is None:
        abort(404)
    return found


def _note_missing(dataset: DatasetSeen) -> None:
    if dataset.file_digest:
        _log.error("the file of dataset %d is missing or cut off: %s", dataset.id, dataset.file_digest)
