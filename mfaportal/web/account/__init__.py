"""One's own account: profile and security."""

from . import apps, going, profile, security
from ._blueprint import blueprint

__all__ = ["apps", "blueprint", "going", "profile", "security"]
