"""Facts about the installation, by name, as operations read and write them."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..models import Setting
from ..plumbing.db import change, insert_or_ignore


def value_of(session: Session, name: str) -> str | None:
    """What is kept under a name."""
    return session.scalar(select(Setting.value).where(Setting.name == name))


def put(session: Session, name: str, value: str) -> None:
    """Keep a value under a name, whatever was there."""
    if not change(session, update(Setting).where(Setting.name == name).values(value=value)):
        session.execute(insert_or_ignore(session, Setting).values(name=name, value=value))


def replace(session: Session, name: str, old: str | None, new: str) -> bool:
    """Keep a value in place of the one that was read; False if somebody else was faster."""
    if old is None:
        return change(session, insert_or_ignore(session, Setting).values(name=name, value=new)) == 1
    return change(session, update(Setting).where(Setting.name == name, Setting.value == old).values(value=new)) == 1
