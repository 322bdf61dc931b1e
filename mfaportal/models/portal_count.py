"""How many there are of what is too many to be counted for a page. Kept by triggers, as `portal_people` is."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model
from .portal_person import KEPT_BY_TRIGGERS

MEMBERS = "members"
OPEN_REQUESTS = "open requests"


class PortalCount(Model):
    """`counted`: what people count as in the portal (see `PortalPerson`), its memberships, or its open requests.

    `set_up`: how many of these people have an app.
    """

    __tablename__ = "portal_counts"
    __table_args__ = ({"sqlite_with_rowid": False, "info": KEPT_BY_TRIGGERS},)

    portal_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    counted: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(BigId)
    set_up: Mapped[int] = mapped_column(BigId)
