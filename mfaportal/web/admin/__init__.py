"""Access: who may enter, as what, and how they prove themselves."""

from . import access_security, access_users, user_actions

__all__ = ["access_security", "access_users", "user_actions"]
