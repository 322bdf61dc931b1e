"""Installation: what operators run beside any one portal."""

from .accounts import blueprint as accounts_blueprint
from .portals import blueprint as portals_blueprint

__all__ = ["accounts_blueprint", "portals_blueprint"]
