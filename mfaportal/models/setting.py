"""Facts about the installation as a whole, by name."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Model

WELCOMED = "welcomed"
"""Stands once the first account was made; inserting it is what makes the first operator the only first one."""


class Setting(Model):
    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
