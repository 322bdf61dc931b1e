"""Installation: what operators run beside any one portal."""

from .accounts import blueprint as accounts_blueprint
from .activity import blueprint as activity_blueprint
from .mail import blueprint as mail_blueprint
from .portals import blueprint as portals_blueprint

__all__ = ["accounts_blueprint", "activity_blueprint", "mail_blueprint", "portals_blueprint"]
