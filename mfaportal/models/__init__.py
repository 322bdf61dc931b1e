"""The tables, and what is true of one row. Importing this package makes all of them known."""

from .account import Account
from .authenticator import Authenticator
from .event import Event, EventKind
from .login import Login
from .membership import Membership
from .one_time_link import LinkKind, OneTimeLink
from .portal import Portal, Visibility
from .setting import Setting
from .throttle import Throttle

__all__ = [
    "Account",
    "Authenticator",
    "Event",
    "EventKind",
    "LinkKind",
    "Login",
    "Membership",
    "OneTimeLink",
    "Portal",
    "Setting",
    "Throttle",
    "Visibility",
]
