"""The catalogue: datasets listed and searched by key, looked at, their files opened. `datasets` changes them."""

from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from sqlalchemy import Select, func, literal, select, tuple_
from sqlalchemy.orm import aliased

from ..models import Dataset, DatasetVisibility
from ..models.dataset import title_key
from ..plumbing.db import reading
from ..rules.preview import HEAD_BYTES, NoPreview, Preview, preview_of
from .stored_files import store

PAGE = 50
_QUERY_MAX = 100


@dataclass(frozen=True, slots=True)
class DatasetListed:
    """One line of a list."""

    slug: str
    title: str
    visibility: DatasetVisibility
    file_name: str | None
    file_size: int | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class DatasetSeen:
    """One dataset, whole. Without a digest it has no file."""

    id: int
    slug: str
    title: str
    description: str
    visibility: DatasetVisibility
    file_name: str
    file_digest: str | None
    file_size: int
    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class DatasetsPage:
    """`next_after` is the slug after which the next page begins."""

    datasets: list[DatasetListed]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class DatasetsQuery:
    """Search text (part of a title or a description), and the slug after which the page begins."""

    text: str = ""
    after: str | None = None


def page(portal_id: int, query: DatasetsQuery, *, as_member: bool) -> DatasetsPage:
    """One page, by title, of what a member or somebody else may see. One statement, however many there are."""
    columns: tuple[Any, ...] = (
        Dataset.slug,
        Dataset.title,
        Dataset.visibility,
        Dataset.file_name,
        Dataset.file_size,
        Dataset.changed_at,
    )
    statement = _visible(select(*columns), Dataset, portal_id, as_member=as_member)
    if query.text:
        text = query.text[:_QUERY_MAX]
        statement = statement.where(
            Dataset.title_key.contains(title_key(text), autoescape=True)
            | Dataset.description.icontains(text, autoescape=True)
        )
    if query.after is not None:
        key, number = _place_of(query.after, portal_id, as_member=as_member)
        statement = statement.where(tuple_(Dataset.title_key, Dataset.id) > tuple_(key, number))
    with reading() as session:
        ordered = statement.order_by(Dataset.title_key, Dataset.id).limit(PAGE + 1)
        found = [_listed(row) for row in session.execute(ordered)]
    return DatasetsPage(found[:PAGE], found[PAGE - 1].slug if len(found) > PAGE else None)


def _visible(statement: Select[Any], table: Any, portal_id: int, *, as_member: bool) -> Select[Any]:
    """Only what the portal has, and of this only what everybody may see for somebody who is no member."""
    statement = statement.where(table.portal_id == portal_id)
    return statement if as_member else statement.where(table.visibility == DatasetVisibility.PUBLIC)


def _place_of(slug: str, portal_id: int, *, as_member: bool) -> tuple[Any, Any]:
    """Where a dataset of this list stands in it. Nothing else's place is told: after it comes the first page."""
    it = aliased(Dataset)

    def of(column: Any, otherwise: Any) -> Any:
        found = _visible(select(column).where(it.slug == slug), it, portal_id, as_member=as_member)
        return func.coalesce(found.scalar_subquery(), literal(otherwise))

    return of(it.title_key, ""), of(it.id, 0)


def _listed(row: Any) -> DatasetListed:
    visibility = _visibility(row.visibility)
    return DatasetListed(row.slug, row.title, visibility, row.file_name, row.file_size, row.changed_at)


def _visibility(stored: str) -> DatasetVisibility:
    public = stored == DatasetVisibility.PUBLIC
    return DatasetVisibility.PUBLIC if public else DatasetVisibility.MEMBERS


def one(portal_id: int, slug: str, *, as_member: bool) -> DatasetSeen | None:
    """The portal's dataset of this slug; None where there is none, or none that somebody like this may see."""
    statement = _visible(select(Dataset).where(Dataset.slug == slug), Dataset, portal_id, as_member=as_member)
    with reading() as session:
        row = session.scalars(statement).one_or_none()
        return None if row is None else _seen(row)


def _seen(row: Dataset) -> DatasetSeen:
    return DatasetSeen(
        row.id,
        row.slug,
        row.title,
        row.description,
        _visibility(row.visibility),
        row.file_name or "file",
        row.file_digest,
        row.file_size or 0,
        row.version,
        row.changed_at,
    )


def open_file(dataset: DatasetSeen) -> IO[bytes] | None:
    """The dataset's file; None where it has none, or where it is missing or cut off on the disk."""
    return store().open(dataset.file_digest, dataset.file_size) if dataset.file_digest else None


def preview(dataset: DatasetSeen) -> Preview | NoPreview | None:
    """The file's first rows, or why they are not shown; None where there is no file to look into."""
    file = open_file(dataset)
    if file is None:
        return None
    with file:
        head = file.read(HEAD_BYTES)
        return preview_of(head, dataset.file_name, whole=not file.read(1))


def sweep_files(now: datetime) -> int:
    """Remove uploads that were left behind, and set files aside that no dataset refers to; how many.

    The start may have been given another database, or an older one, by mistake: so nothing is removed before thirty
    days (`stored_files.remove_old_orphans`), and where there is no dataset at all no file is touched.
    """
    files = store()
    with files.locked():
        with reading() as session:
            statement = select(Dataset.file_digest).where(Dataset.file_digest.is_not(None)).distinct()
            wanted = {digest for digest in session.scalars(statement) if digest}
        return files.sweep(wanted or files.digests(), now)
