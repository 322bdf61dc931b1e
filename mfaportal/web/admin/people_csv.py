"""Access > Users as a file, for spreadsheets and programs: UTF-8 without a mark, quoted, safe from formulas.

Sent while it is read, so it may be of any length.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from flask import Blueprint, Response, abort, stream_with_context
from flask.typing import ResponseReturnValue

from ...domain import people_export
from ...domain.member_list import Member
from ...domain.outcomes import PortalRefusal
from ...rules.access import Audience
from ...rules.csv_safe import csv_line
from .. import asking
from ..fresh import StepUp
from ..gate import audience
from .access_users import wanted_members

blueprint = Blueprint("people_csv", __name__, url_prefix="/portals/<slug:portal>/backoffice/access")
_COLUMNS = (
    "name",
    "email",
    "role",
    "operator",
    "mfa_covered",
    "apps",
    "last_login_at",
    "suspended",
    "address_confirmed",
)


@blueprint.get("/users.csv")
@audience(Audience.ADMINS, step_up=StepUp.FORM)
def users(portal: str) -> ResponseReturnValue:
    """Everybody who fits the filters, not only those of one page."""
    found = people_export.export(asking.caller(), portal, wanted_members())
    if isinstance(found, PortalRefusal):
        abort(404)
    answer = Response(stream_with_context(_lines(found)), content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"users-{portal}.csv")
    return answer


def _lines(members: Iterable[Member]) -> Iterator[str]:
    """The heading, then one line for each, as they come."""
    yield csv_line(_COLUMNS)
    for member in members:
        yield csv_line(
            (
                member.name,
                member.email,
                member.role or "",
                _yes(member.is_operator),
                _yes(member.covered),
                str(member.apps),
                _instant(member.last_login_at),
                _yes(member.suspended),
                _yes(member.confirmed),
            )
        )


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _instant(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%dT%H:%M:%SZ}"
