"""The key that web processes sign with, remembered: machines with different ones log people out at random."""

import logging

from ..models.setting import SIGNED_WITH
from ..plumbing.db import reading, transaction
from ..plumbing.runtime import runtime
from . import setting_rows
from .caller import Caller

_log = logging.getLogger("mfaportal.signing")
_TROUBLE = (
    "The web process that started last signs with another key than this one: give every machine the same"
    " MFAPORTAL_SECRET_KEY (or instance/secret_key), and restart them; else people are logged out at random."
)


def note(caller: Caller) -> None:  # noqa: ARG001  # a web process that starts
    """Keep a fingerprint of the key, and say in the log where it is another one than before."""
    own = runtime().keys.signing_fingerprints
    with reading() as session:
        noted = setting_rows.value_of(session, SIGNED_WITH)
    if noted == own[0]:
        return
    with transaction() as session:
        setting_rows.put(session, SIGNED_WITH, own[0])
    if noted is not None and noted not in own:
        _log.warning(
            "the signing key is not the one that this database was used with last, nor are its fallbacks: whoever was"
            " logged in is not any more, and a machine that still has the other key does the same to others"
        )


def look() -> str | None:
    """What `doctor` says of it; None where the last start had a key that is known here."""
    with reading() as session:
        noted = setting_rows.value_of(session, SIGNED_WITH)
    return None if noted is None or noted in runtime().keys.signing_fingerprints else _TROUBLE
