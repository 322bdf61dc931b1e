"""One's own account: profile and security."""

from . import activity, apps, going, logins, password, profile, recovery_codes, security
from ._blueprint import blueprint

__all__ = [
    "activity",
    "apps",
    "blueprint",
    "going",
    "logins",
    "password",
    "profile",
    "recovery_codes",
    "security",
]
