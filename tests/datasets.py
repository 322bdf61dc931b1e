"""Datasets for tests: made by the same operation that the back office calls, and looked at on the disk."""

from datetime import datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from mfaportal.domain import datasets
from mfaportal.domain.dataset_rows import Described
from mfaportal.domain.datasets import Upload
from mfaportal.domain.outcomes import DatasetAdded
from mfaportal.domain.stored_files import store
from mfaportal.models import Dataset, DatasetVisibility
from tests import rows
from tests.clock import MovableClock
from tests.people import PORTAL, on_the_command_line

PUBLIC, MEMBERS = DatasetVisibility.PUBLIC, DatasetVisibility.MEMBERS
TREES = b"name,height\nelm,12\noak,20\n"


def described(title: str, visibility: DatasetVisibility = PUBLIC, description: str = "") -> Described:
    return Described(title, description, visibility)


def upload(content: bytes = TREES, name: str = "trees.csv") -> Upload:
    """A file as it arrives. Inside an app context."""
    file = store().spool()
    file.write(content)
    return Upload(file, name)


def add(
    clock: MovableClock,
    title: str,
    content: bytes = TREES,
    name: str = "trees.csv",
    *,
    visibility: DatasetVisibility = PUBLIC,
    description: str = "",
    portal: str = PORTAL,
) -> str:
    """A dataset of the portal; its slug. Inside an app context."""
    sent = upload(content, name)
    with sent.file:
        added = datasets.add(on_the_command_line(clock), portal, described(title, visibility, description), sent)
    assert isinstance(added, DatasetAdded)
    return added.slug


def every(app: Flask) -> list[Dataset]:
    return rows.rows(app, select(Dataset).order_by(Dataset.id))


def files(instance: Path) -> dict[str, bytes]:
    """What lies in the store, by digest."""
    return {path.name: path.read_bytes() for path in (instance / "files").glob("??/*")}


def spooled(instance: Path) -> list[str]:
    """Uploads that are on their way, or were left behind."""
    return [path.name for path in (instance / "spool").glob("*")]


def http_date(instant: datetime) -> str:
    return f"{instant:%a, %d %b %Y %H:%M:%S} GMT"
