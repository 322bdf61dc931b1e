"""What the tables share: the declarative base that Flask-SQLAlchemy knows, and a primary key that is never reused."""

from typing import TYPE_CHECKING, Annotated

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import mapped_column

from ..plumbing.db import Base, db

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

BigId = BigInteger().with_variant(Integer, "sqlite")
PrimaryKey = Annotated[int, mapped_column(BigId, primary_key=True, autoincrement=True)]
