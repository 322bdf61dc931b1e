"""The tables, and what is true of one row. Importing this package makes all of them known."""

from .access_request import AccessRequest, RequestState
from .account import Account
from .authenticator import Authenticator
from .dataset import Dataset, DatasetVisibility
from .event import Event, EventKind
from .event_day import EventDay
from .event_seal import EventSeal
from .guarded_address import BackOfficePath, GuardedAddress
from .invitation import Invitation
from .login import Login
from .login_pass import LoginPass
from .mail import Mail, MailJob, MailJobKind, MailKind
from .membership import Membership
from .one_time_link import LinkKind, OneTimeLink
from .portal import Portal, SignUp, Visibility
from .portal_count import PortalCount
from .portal_person import PortalPerson
from .recovery_code import RecoveryCode
from .setting import Setting
from .throttle import Throttle

__all__ = [
    "AccessRequest",
    "Account",
    "Authenticator",
    "BackOfficePath",
    "Dataset",
    "DatasetVisibility",
    "Event",
    "EventDay",
    "EventKind",
    "EventSeal",
    "GuardedAddress",
    "Invitation",
    "LinkKind",
    "Login",
    "LoginPass",
    "Mail",
    "MailJob",
    "MailJobKind",
    "MailKind",
    "Membership",
    "OneTimeLink",
    "Portal",
    "PortalCount",
    "PortalPerson",
    "RecoveryCode",
    "RequestState",
    "Setting",
    "SignUp",
    "Throttle",
    "Visibility",
]
