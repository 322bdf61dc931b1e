"""Datasets: a title, a description, and one file, which lies in the instance folder under its digest."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Moment
from ..rules.names import DESCRIPTION_MAX, SLUG_MAX, TITLE_MAX, key_of
from .base import BigId, Model, PrimaryKey

KEY_MAX = TITLE_MAX * 4
"""Characters of a title's key: some characters of a title become many in it."""


class DatasetVisibility(StrEnum):
    """Who may see a dataset. What cannot be read counts as `members`."""

    PUBLIC = "public"
    """Everyone who may enter the portal."""
    MEMBERS = "members"


class Dataset(Model):
    """`version` rises with each change: a change names the version that it was made from."""

    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("portal_id", "slug"),
        Index("ix_datasets_portal_id", "portal_id", "title_key", "id"),
        Index("ix_datasets_file_digest", "file_digest"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    portal_id: Mapped[int] = mapped_column(BigId, ForeignKey("portals.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(SLUG_MAX))
    title: Mapped[str] = mapped_column(String(TITLE_MAX))
    title_key: Mapped[str] = mapped_column(String(KEY_MAX))
    description: Mapped[str] = mapped_column(String(DESCRIPTION_MAX), default="")
    visibility: Mapped[str] = mapped_column(String(20))
    file_name: Mapped[str | None] = mapped_column(String(255))
    file_digest: Mapped[str | None] = mapped_column(String(64))
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)
    added_at: Mapped[Moment]
    changed_at: Mapped[Moment]


def title_key(title: str) -> str:
    """What datasets are listed by and searched for."""
    return key_of(title)[:KEY_MAX]
