"""Access: who may enter, as what, and how they prove themselves."""

from . import (
    access_activity,
    access_requests,
    access_security,
    access_signup,
    access_users,
    invitations,
    people_csv,
    user_actions,
)

__all__ = [
    "access_activity",
    "access_requests",
    "access_security",
    "access_signup",
    "access_users",
    "invitations",
    "people_csv",
    "user_actions",
]
