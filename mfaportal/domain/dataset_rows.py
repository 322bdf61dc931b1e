"""A new dataset's row, its file put in its place, and the event: what adding one and filling a demo share."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Dataset, DatasetVisibility, EventKind
from ..models.dataset import title_key
from ..plumbing.file_store import Measured
from ..rules.file_names import kept_name
from ..rules.names import free_slug, slug_from
from . import audit
from .caller import Caller

_SAME_START = 30
"""Slugs that begin alike this far may differ by their number alone."""


@dataclass(frozen=True, slots=True)
class Described:
    """What people say about a dataset."""

    title: str
    description: str
    visibility: DatasetVisibility


def file_columns(name: str, measured: Measured) -> dict[str, str | int]:
    """What a row says about its file, which was sent under `name`."""
    return {"file_name": kept_name(name), "file_digest": measured.digest, "file_size": measured.size}


def add_row(
    session: Session, caller: Caller, portal_id: int, described: Described, name: str, measured: Measured
) -> Dataset:
    """Add a dataset with a clean title to a portal. Under the files' lock, the file placed, its digest noted."""
    slug = slug_from(described.title, otherwise="dataset")
    alike = Dataset.slug.startswith(slug[:_SAME_START], autoescape=True)
    taken = set(session.scalars(select(Dataset.slug).where(Dataset.portal_id == portal_id, alike)))
    dataset = Dataset(
        portal_id=portal_id,
        slug=free_slug(slug, taken),
        title=described.title,
        title_key=title_key(described.title),
        description=described.description,
        visibility=described.visibility,
        version=1,
        added_at=caller.now,
        changed_at=caller.now,
        **file_columns(name, measured),
    )
    session.add(dataset)
    session.flush()
    audit.record(
        session,
        caller,
        EventKind.DATASET_ADDED,
        portal_id=portal_id,
        dataset=dataset.id,
        visibility=described.visibility,
    )
    return dataset
