"""The QR code of a set-up key, drawn from qrcode's own matrix as one SVG line: no image, no second request."""

from dataclasses import dataclass
from itertools import groupby

QUIET_ZONE = 4
_MASK = 4
"""Choosing the best of the eight masks takes most of the time, and any of them reads as well (ISO/IEC 18004 §7.8)."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """`size` modules a side, quiet zone included; `path` is a line, one module wide, over the dark ones."""

    size: int
    path: str


def draw(text: str) -> QrCode:
    """The QR code of a text, as runs of dark modules row by row."""
    import qrcode  # noqa: PLC0415  # four megabytes that a worker at rest does not need
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0, mask_pattern=_MASK)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    rows = [_line(row, y + QUIET_ZONE) for y, row in enumerate(matrix)]
    return QrCode(len(matrix) + 2 * QUIET_ZONE, "".join(rows))


def _line(row: list[bool], y: int) -> str:
    """Along the middle of a row: lifted off the light modules, drawn over the dark ones."""
    drawn, lifted = "", QUIET_ZONE
    for dark, run in groupby(row):
        length = len(list(run))
        if not dark:
            lifted += length
            continue
        drawn += f"m{lifted} 0h{length}" if drawn else f"M{lifted} {y}.5h{length}"
        lifted = 0
    return drawn
