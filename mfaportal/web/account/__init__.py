"""One's own account: profile and security."""

from . import apps, profile, security
from ._blueprint import blueprint

__all__ = ["apps", "blueprint", "profile", "security"]
