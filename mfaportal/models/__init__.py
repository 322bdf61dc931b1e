"""The tables, and what is true of one row. Importing this package makes all of them known."""

from .access_request import AccessRequest, RequestState
from .account import Account
from .authenticator import Authenticator
from .dataset import Dataset, DatasetVisibility
from .event import Event, EventKind
from .invitation import Invitation
from .login import Login
from .membership import Membership
from .one_time_link import LinkKind, OneTimeLink
from .portal import Portal, SignUp, Visibility
from .setting import Setting
from .throttle import Throttle

__all__ = [
    "AccessRequest",
    "Account",
    "Authenticator",
    "Dataset",
    "DatasetVisibility",
    "Event",
    "EventKind",
    "Invitation",
    "LinkKind",
    "Login",
    "Membership",
    "OneTimeLink",
    "Portal",
    "RequestState",
    "Setting",
    "SignUp",
    "Throttle",
    "Visibility",
]
