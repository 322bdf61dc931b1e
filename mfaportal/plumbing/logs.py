"""Log lines: one event, one line, whatever people type; no one-time token in any, nor whom somebody looked for."""

import logging
import re
import sys
from typing import Any

_TOKEN = re.compile(r"(/(?:reset-password|invitations|confirm-address|confirm-email)/+)[^\s\"&/?]+")
_TYPED = re.compile(r"((?:[?&]|%(?:25)*(?:3F|26))(?:token|q|person)(?:=|%(?:25)*3D))[^\s\"&]+", re.IGNORECASE)
"""Names and e-mails are searched for; also where a log-in leads back to such a page (`next=`)."""
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160))}


def masked(line: str) -> str:
    """The line with one-time tokens and what was searched for taken out and control characters made visible."""
    return _TYPED.sub(r"\1***", _TOKEN.sub(r"\1***", line)).translate(_CONTROLS)


class OneLine(logging.Formatter):
    """Escapes what would break the message's line; a traceback below it keeps its own lines, and nothing else."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  # the name is logging's
        return "\n".join(masked(line) for line in super().formatException(ei).split("\n"))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name is logging's
        return masked(super().formatMessage(record))


def configure() -> None:
    """Send the portal's own log to standard error, where systemd and terminals look."""
    logger = logging.getLogger("mfaportal")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
