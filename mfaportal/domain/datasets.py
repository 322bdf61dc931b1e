"""Changes to datasets: added, changed, deleted by those who work in the portal's back office. Lists: `catalogue`."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..models import Dataset, EventKind, Portal
from ..models.dataset import title_key
from ..plumbing.db import change as change_rows
from ..plumbing.db import transaction
from ..plumbing.file_store import SpooledFile
from ..rules.access import Audience
from ..rules.names import TITLE_MAX, clean_name
from . import audit
from .authority import require
from .caller import Caller
from .dataset_rows import Described, add_row, file_columns
from .outcomes import DatasetAdded, DatasetRefusal, Done
from .stored_files import placed, settled, store


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent, under the name that the sender gave it."""

    file: SpooledFile
    name: str


def add(caller: Caller, slug: str, described: Described, upload: Upload) -> DatasetAdded | DatasetRefusal:
    """Add a dataset with its file to the portal `slug`."""
    title = clean_name(described.title, TITLE_MAX)
    if title is None:
        return DatasetRefusal.BAD_TITLE
    measured = store().measure(upload.file)
    with placed(measured), transaction() as session:
        portal_id = _portal_id(session, caller, slug)
        if portal_id is None:
            return DatasetRefusal.UNKNOWN
        cleaned = replace(described, title=title)
        return DatasetAdded(add_row(session, caller, portal_id, cleaned, upload.name, measured).slug)


def change(
    caller: Caller, slug: str, dataset_slug: str, seen: int, described: Described, upload: Upload | None
) -> Done | DatasetRefusal:
    """Change a dataset as its version `seen` was; with an upload its file too. The slug stays."""
    title = clean_name(described.title, TITLE_MAX)
    if title is None:
        return DatasetRefusal.BAD_TITLE
    measured = store().measure(upload.file) if upload else None
    values: dict[str, Any] = {
        "title": title,
        "title_key": title_key(title),
        "description": described.description,
        "visibility": described.visibility,
        "version": seen + 1,
        "changed_at": caller.now,
    }
    with placed(measured) as noted, transaction() as session:
        found = _dataset(session, caller, slug, dataset_slug)
        if found is None:
            return DatasetRefusal.UNKNOWN
        if upload and measured:
            noted.add(found.file_digest or measured.digest)
            values |= file_columns(upload.name, measured)
        as_seen = update(Dataset).where(Dataset.id == found.id, Dataset.version == seen)
        if change_rows(session, as_seen.values(values)) != 1:
            return DatasetRefusal.CONFLICT
        _record_change(session, caller, found, described, new_file=upload is not None)
    return Done()


def _record_change(
    session: Session, caller: Caller, before: Dataset, described: Described, *, new_file: bool
) -> None:
    audit.record(
        session,
        caller,
        EventKind.DATASET_CHANGED,
        portal_id=before.portal_id,
        dataset=before.id,
        visibility=[before.visibility, described.visibility],
        new_file=new_file,
    )


def delete(caller: Caller, slug: str, dataset_slug: str) -> Done | DatasetRefusal:
    """Delete a dataset; its file goes once nothing else refers to it."""
    with settled() as noted, transaction() as session:
        found = _dataset(session, caller, slug, dataset_slug)
        if found is None or change_rows(session, delete_from(Dataset).where(Dataset.id == found.id)) != 1:
            return DatasetRefusal.UNKNOWN
        if found.file_digest:
            noted.add(found.file_digest)
        audit.record(
            session,
            caller,
            EventKind.DATASET_DELETED,
            portal_id=found.portal_id,
            dataset=found.id,
            visibility=found.visibility,
        )
    return Done()


def _portal_id(session: Session, caller: Caller, slug: str) -> int | None:
    require(session, caller, Audience.BACK_OFFICE, slug=slug)
    return session.scalar(select(Portal.id).where(Portal.slug == slug))


def _dataset(session: Session, caller: Caller, slug: str, dataset_slug: str) -> Dataset | None:
    """The dataset that somebody of the portal's back office wants to change."""
    portal_id = _portal_id(session, caller, slug)
    return session.scalars(
        select(Dataset).where(Dataset.portal_id == portal_id, Dataset.slug == dataset_slug)
    ).one_or_none()
