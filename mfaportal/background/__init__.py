"""What the portal does by itself while it is served: mails that leave, and upkeep. Started in each worker."""

import logging
from time import monotonic

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from ..domain import signing_watch, upkeep
from ..domain.caller import the_portal_itself
from ..plumbing.runtime import runtime
from .sender import Sender
from .worker_thread import Background, Chore

_SECOND, _MINUTE, _HOUR = 1.0, 60.0, 3600.0
_log = logging.getLogger("mfaportal.background")


def start(app: Flask) -> Background:
    """Begin, in a process that serves requests: it shares nothing with the one that forked it.

    Without a mail server nothing is sent; upkeep removes in time what nobody could be told.
    """
    now = monotonic()
    chores = [Chore("upkeep", _HOUR, lambda: upkeep.run(the_portal_itself()), now + _MINUTE)]
    sender = Sender()
    with app.app_context():
        try:
            signing_watch.note(the_portal_itself())
        except SQLAlchemyError:  # a full disk is no reason not to serve
            _log.warning("could not note the signing key", exc_info=True)
        if runtime().settings.mail_url is not None:
            chores.insert(0, Chore("sending mail", _SECOND, sender.work, now))
    background = Background(app, chores)
    sender.stopping = background.stopping
    background.start()
    return background
