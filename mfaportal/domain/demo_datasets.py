"""The demo's datasets: one for everyone who may enter, one for members only."""

from sqlalchemy.orm import Session

from ..models import DatasetVisibility
from .caller import Caller
from .dataset_rows import Described, add_row
from .stored_files import store

_TIDES = """station,measured at,height in m
North pier,2026-03-01 06:00,1.42
North pier,2026-03-01 12:00,3.18
North pier,2026-03-01 18:00,1.37
Lighthouse,2026-03-01 06:00,1.51
Lighthouse,2026-03-01 12:00,3.22
Lighthouse,2026-03-01 18:00,1.44
"""
_BERTHS = """berth\tlength in m\tdepth in m\treserved for
A1\t120\t7.5\tferries
A2\t80\t6.0\tferries
B1\t45\t4.2\tfishing boats
C1\t30\t3.1\tguests
"""
_DATASETS = (
    (
        Described(
            "Tide heights",
            "Measured three times a day at two stations.\n\nHeights are above chart datum.",
            DatasetVisibility.PUBLIC,
        ),
        "tide-heights.csv",
        _TIDES,
    ),
    (
        Described("Berths", "Where ships lie, and for whom it is kept.", DatasetVisibility.MEMBERS),
        "berths.tsv",
        _BERTHS,
    ),
)


def fill(session: Session, caller: Caller, portal_id: int, noted: set[str]) -> None:
    """Add them to the portal. Under the files' lock."""
    for described, name, text in _DATASETS:
        with store().spool() as file:
            file.write(text.encode())
            measured = store().measure(file)
            noted.add(measured.digest)
            store().place(measured)
            add_row(session, caller, portal_id, described, name, measured)
