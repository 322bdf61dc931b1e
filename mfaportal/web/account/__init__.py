"""One's own account: profile and security."""

from . import apps, profile, security
from .blueprint import blueprint

__all__ = ["apps", "blueprint", "profile", "security"]
