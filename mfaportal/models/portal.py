"""Portals: what people enter, and the MFA rule of each."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, String, case, false, func, literal, null, text
from sqlalchemy.orm import Mapped, mapped_column

from ..plumbing.db import Instant, Moment
from ..rules.mfa_rule import BEGINNING, MfaRule, RuleInForce
from ..rules.names import CONTACT_MAX
from .base import Model, PrimaryKey


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


class SignUp(StrEnum):
    """How somebody without a membership gets in, beside invitations."""

    CLOSED = "closed"
    APPROVAL = "approval"
    OPEN = "open"
    """Whoever confirms an address is let in: not to be chosen before there is mail."""


class Portal(Model):
    """`mfa_rule` says whom it covers, the two instants since when (design.md §2)."""

    __tablename__ = "portals"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[PrimaryKey]
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    visibility: Mapped[str] = mapped_column(String(20), default=Visibility.PRIVATE)
    mfa_rule: Mapped[str] = mapped_column(String(20), default=MfaRule.OFF)
    back_office_since: Mapped[Moment | None]
    everyone_since: Mapped[Moment | None]
    created_at: Mapped[Moment]
    sign_up: Mapped[str] = mapped_column(String(20), default=SignUp.CLOSED, server_default=SignUp.CLOSED)
    message_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    contact: Mapped[str] = mapped_column(String(CONTACT_MAX), default="", server_default=text("''"))
    """Whom to ask, as the portal's admins put it; shown wherever somebody can get no further."""

    @property
    def rule(self) -> RuleInForce:
        return RuleInForce(self.mfa_rule, self.back_office_since, self.everyone_since)

    @rule.setter
    def rule(self, rule: RuleInForce) -> None:
        self.mfa_rule = rule.rule
        self.back_office_since, self.everyone_since = rule.back_office_since, rule.everyone_since


def covered_since(portal: Any, back_office: ColumnElement[bool]) -> ColumnElement[datetime | None]:
    """`RuleInForce.covered_since` in SQL, for one statement over all portals; a test holds the two together."""
    beginning = literal(BEGINNING, Instant())
    everyone = func.coalesce(portal.everyone_since, beginning, type_=Instant())
    older = func.coalesce(portal.back_office_since, everyone, type_=Instant())
    return case(
        (portal.mfa_rule == MfaRule.OFF, null()),
        (
            portal.mfa_rule == MfaRule.BACK_OFFICE,
            case((back_office, func.coalesce(portal.back_office_since, beginning, type_=Instant())), else_=null()),
        ),
        (
            portal.mfa_rule == MfaRule.EVERYONE,
            case((back_office & (older < everyone), older), else_=everyone),
        ),
        else_=beginning,
    )
